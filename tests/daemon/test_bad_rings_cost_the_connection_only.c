/* what a client may write into the memory of a ring: each entry is judged, nobody else notices */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "check_main.h"
#include "mock_ring.h"
#include "scsi/cdb.h"
#include <sys/scsi/scsi_pkt.h>

#define ENTRIES	4u
#define BYTES	8192u
#define CODE(name)	SCSAD__ERROR_CODE__ERR_##name

static struct fixture f;
static struct mc c, other;
static struct mr r;
static uint64_t handle, memory;
static uint8_t *data;

static void
up(uint32_t entries)
{
	fixture_simple(&f);
	mc_connect(&f, &c);
	mc_connect(&f, &other);
	mr_new(&r, &c, entries);
	handle = mc_open(&c, "disk@0,0");
	memory = mr_memory(&c, BYTES, &data);
}

static void
down(void)
{
	mc_check_alive(&other);
	mr_unmap(&r);
	(void)munmap(data, BYTES);
	mc_close(&c);
	mc_close(&other);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}

static struct ring_entry
read_entry(uint32_t tag)
{
	struct ring_entry e = mr_tur(handle, tag);

	e.cdb_len = (uint16_t)mc_cdb_read(e.cdb, 0, 8);
	e.direction = SCSAD__DIRECTION__DIR_IN;
	e.memory = memory;
	e.data_len = 4096;
	return e;
}

/* the entry is answered with @code; then a good one is answered as ever */
static void
judge(const struct ring_entry *entry, unsigned int code, size_t row)
{
	struct ring_entry good = mr_tur(handle, 1);
	const struct ring_result *result;

	mr_put(&r, entry);
	mr_bell(&r);
	result = mr_result(&r);
	ck_assert_msg(result->code == code, "row %zu: %u", row, result->code);
	ck_assert_uint_eq(result->tag, entry->tag);
	ck_assert_uint_eq(result->state, 0);
	mr_put(&r, &good);
	mr_bell(&r);
	result = mr_result(&r);
	ck_assert_msg(result->code == 0 && result->tag == 1, "row %zu", row);
	ck_assert_uint_ne(result->state, 0);
}

START_TEST(each_field_is_judged)
{
	uint8_t *foreign_data;
	uint64_t foreign_memory, foreign_handle;
	struct ring_entry e;

	up(ENTRIES);
	foreign_handle = mc_open(&other, "disk@0,0") + 1;
	foreign_memory = mr_memory(&other, BYTES, &foreign_data);
	foreign_memory = mr_memory(&other, BYTES, &foreign_data);
	const struct {
		unsigned int code;
		size_t at, len;
		uint64_t value;
	} rows[] = {
#define FIELD(code_, name, value_)                                                              \
	{ CODE(code_), offsetof(struct ring_entry, name), sizeof(((struct ring_entry *)0)->name), value_ }
		FIELD(BAD_MESSAGE, op, 0),
		FIELD(BAD_MESSAGE, op, 2),
		FIELD(BAD_MESSAGE, op, 255),
		FIELD(BAD_MESSAGE, flags, 1),
		FIELD(BAD_MESSAGE, flags, 128),
		FIELD(BAD_MESSAGE, zero[0], 1),
		FIELD(BAD_MESSAGE, zero[2], 0x8000),
		FIELD(BAD_MESSAGE, tag, ENTRIES),
		FIELD(BAD_MESSAGE, tag, 0xffff),
		FIELD(BAD_MESSAGE, tag, UINT32_MAX),
		FIELD(BAD_MESSAGE, cdb_len, 0),
		FIELD(BAD_MESSAGE, cdb_len, 5),
		FIELD(BAD_MESSAGE, cdb_len, RING_CDB_MAX + 1),
		FIELD(BAD_MESSAGE, cdb_len, UINT16_MAX),
		FIELD(BAD_CDB, cdb_len, 9),
		FIELD(BAD_MESSAGE, direction, 3),
		FIELD(BAD_MESSAGE, direction, 255),
		FIELD(BAD_MESSAGE, direction, 0),	/* and data */
		FIELD(BAD_CDB, direction, 2),		/* the CDB reads */
		FIELD(BAD_MESSAGE, attribute, 4),
		FIELD(BAD_MESSAGE, timeout_ms, PROTO_TIMEOUT_MAX_MS + 1),
		FIELD(BAD_MESSAGE, timeout_ms, UINT32_MAX),
		FIELD(BAD_MESSAGE, data_len, 0),
		FIELD(BAD_MESSAGE, data_len, BYTES + 1),	/* beyond the memory */
		FIELD(LIMIT, data_len, PROTO_DATA_DEFAULT + 1),
		FIELD(LIMIT, data_len, UINT32_MAX),
		FIELD(BAD_MESSAGE, memory, 0),
		FIELD(BAD_MESSAGE, memory, 999),
		FIELD(BAD_MESSAGE, memory, foreign_memory),
		FIELD(BAD_MESSAGE, offset, BYTES - 4095),
		FIELD(BAD_MESSAGE, offset, BYTES),
		FIELD(BAD_MESSAGE, offset, BYTES + 1),
		FIELD(BAD_MESSAGE, offset, UINT64_MAX),
		FIELD(BAD_MESSAGE, offset, UINT64_MAX - 4095),
		FIELD(STALE_HANDLE, handle, 0),
		FIELD(STALE_HANDLE, handle, UINT64_MAX),
		FIELD(STALE_HANDLE, handle, foreign_handle),
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		e = read_entry(0x70000);
		memcpy((uint8_t *)&e + rows[i].at, &rows[i].value, rows[i].len);
		judge(&e, rows[i].code, i);
	}
	/* the last place that is inside */
	e = read_entry(2);
	e.offset = BYTES - 4096;
	mr_put(&r, &e);
	mr_bell(&r);
	ck_assert_uint_eq(mr_result(&r)->moved, 4096);
	(void)munmap(foreign_data, BYTES);
	down();
}
END_TEST

/* counts that cannot be: told, logged, closed */
static void
jump(uint32_t submitted, uint32_t reaped)
{
	struct ring_entry e;

	up(ENTRIES);
	e = mr_tur(handle, 0);
	mr_put(&r, &e);
	mr_bell(&r);
	(void)mr_result(&r);
	/* without reaping, as many as there are: so the daemon has to look at what is reaped */
	for (uint32_t i = 0; i < ENTRIES; i++) {
		e.tag = i;
		mr_put(&r, &e);
	}
	atomic_store(&r.view.head->reaped, r.reaped + reaped);
	atomic_store(&r.view.head->submitted, r.submitted + submitted);
	mr_bell(&r);
	ck_assert_int_eq(mc_error(&c, 0), CODE(BAD_FRAME));
	mc_expect_end(&c);
	down();
}

START_TEST(counts_that_jump_end_the_connection)
{
	jump(ENTRIES + 2, 0);
	jump(0u - 6u, 0);		/* back behind what was taken */
	jump(UINT32_MAX / 2, 0);
	jump(1, 100);			/* more than was ever answered */
	jump(1, 0u - 2u);
}
END_TEST

/* nobody empties the results: packets wait in the ring, and none is lost */
START_TEST(full_ring_holds_packets_back)
{
	bool seen[4 * ENTRIES] = { false };

	up(ENTRIES);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		struct ring_entry e = mr_tur(handle, i | i << 16);

		mr_put(&r, &e);
	}
	mr_bell(&r);
	while (mr_results(&r) < ENTRIES)
		mc_check_alive(&other);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		struct ring_entry e = mr_tur(handle, i | (i + ENTRIES) << 16);

		mr_put(&r, &e);
	}
	mr_bell(&r);
	for (unsigned i = 0; i < 20; i++)
		mc_check_alive(&other);
	ck_assert_uint_eq(mr_results(&r), ENTRIES);
	ck_assert_uint_eq(atomic_load(&r.view.head->taken), ENTRIES);
	for (uint32_t i = 0; i < 2 * ENTRIES; i++) {
		const struct ring_result *result = mr_result(&r);

		ck_assert_uint_eq(result->code, 0);
		ck_assert(!seen[result->tag >> 16]);
		seen[result->tag >> 16] = true;
		mr_bell(&r);
	}
	down();
}
END_TEST

START_TEST(slot_has_one_packet_at_a_time)
{
	struct ring_entry e;
	const struct ring_result *result;

	up(ENTRIES);
	(void)mc_fault(&other, "action=delay,ms=100,count=1");
	e = mr_tur(handle, 2 | 5 << 16);
	mr_put(&r, &e);
	e.tag = 2 | 6 << 16;
	mr_put(&r, &e);
	mr_bell(&r);
	result = mr_result(&r);
	ck_assert_uint_eq(result->code, CODE(DUPLICATE_ID));
	ck_assert_uint_eq(result->tag, 2 | 6 << 16);
	result = mr_result(&r);
	ck_assert_uint_eq(result->code, 0);
	ck_assert_uint_eq(result->tag, 2 | 5 << 16);
	down();
}
END_TEST

/* credits are the connection's, whichever way packets come */
START_TEST(credits_hold)
{
	unsigned int busy = 0;

	fixture_init(&f);
	f.conf.requests = 3;
	fixture_disk(&f, "mem:16M");
	fixture_start(&f);
	mc_connect(&f, &c);
	mc_connect(&f, &other);
	mr_new(&r, &c, 8);
	handle = mc_open(&c, "disk@0,0");
	memory = mr_memory(&c, BYTES, &data);
	(void)mc_fault(&other, "action=delay,ms=100");
	for (uint32_t i = 0; i < 8; i++) {
		struct ring_entry e = mr_tur(handle, i);

		mr_put(&r, &e);
	}
	mr_bell(&r);
	for (uint32_t i = 0; i < 8; i++)
		busy += mr_result(&r)->code == CODE(BUSY);
	ck_assert_uint_eq(busy, 5);
	down();
}
END_TEST

static uint32_t
ring_free_send(uint64_t id)
{
	Scsad__RingFreeRequest req = SCSAD__RING_FREE_REQUEST__INIT;

	req.has_ring = 1;
	req.ring = id;
	return mc_send(&c, METHOD_RING_FREE, &req.base, NULL, 0);
}

/* one more answer has come, and stays unread as the @before bytes; bytes now */
static int
wait_unread(int before)
{
	uint64_t until = clock_now_ns() + MC_WAIT_MS * NS_PER_MS;
	int now = before;

	while (now == before) {
		ck_assert_uint_lt(clock_now_ns(), until);
		ck_assert_int_eq(ioctl(c.fd, FIONREAD, &now), 0);
	}
	return now;
}

START_TEST(what_packets_use_cannot_be_freed)
{
	Scsad__MemoryFreeRequest req = SCSAD__MEMORY_FREE_REQUEST__INIT;
	struct ring_entry e;

	up(ENTRIES);
	(void)mc_fault(&other, "action=drop,count=1");
	e = read_entry(0);
	mr_put(&r, &e);
	mr_bell(&r);
	fixture_wait(&f, 2, 1);
	req.has_memory = 1;
	req.memory = memory;
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_MEMORY_FREE, &req.base, NULL, 0)),
	    CODE(BUSY));
	ck_assert_int_eq(mc_error(&c, ring_free_send(r.id)), CODE(BUSY));
	ck_assert_uint_eq(mc_abort_all(&other, "disk@0,0"), 1);
	ck_assert_uint_eq(mr_result(&r)->reason, CMD_ABORTED);
	/* freed with an entry inside that has not been looked at */
	mr_put(&r, &e);
	(void)mc_reply(&c, mc_send(&c, METHOD_MEMORY_FREE, &req.base, NULL, 0),
	    &scsad__done__descriptor);
	(void)mc_reply(&c, ring_free_send(r.id), &scsad__done__descriptor);
	mr_bell(&r);
	ck_assert_int_eq(mc_error(&c, ring_free_send(r.id)), CODE(STALE_HANDLE));
	ck_assert_int_eq(mc_error(&c, ring_free_send(0)), CODE(STALE_HANDLE));
	down();
}
END_TEST

START_TEST(sizes_are_bounded)
{
	static const uint32_t sizes[] = { 0, 1, 3, 12, RING_ENTRIES_MAX + 1,
		2 * RING_ENTRIES_MAX, 1u << 31, UINT32_MAX };
	Scsad__RingNewRequest req = SCSAD__RING_NEW_REQUEST__INIT;

	up(ENTRIES);
	req.has_entries = 1;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		req.entries = sizes[i];
		ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_RING_NEW, &req.base, NULL, 0)),
		    CODE(BAD_MESSAGE));
	}
	/* nobody can make it smaller under the daemon */
	ck_assert_int_eq(ftruncate(r.fds[0], 0), -1);
	ck_assert_int_eq(fcntl(r.fds[0], F_ADD_SEALS, F_SEAL_WRITE), -1);
	down();
}
END_TEST

/* all that a client can do to the descriptors it has: the daemon does not block on them */
START_TEST(descriptors_cannot_stop_the_daemon)
{
	struct ring_entry e;
	eventfd_t value;

	up(ENTRIES);
	e = mr_tur(handle, 0);
	ck_assert_int_eq(fcntl(r.fds[1], F_SETFL, 0), 0);
	ck_assert_int_eq(fcntl(r.fds[2], F_SETFL, 0), 0);
	for (unsigned i = 0; i < 50; i++) {
		/* the doorbell full, and blocking; as if we slept all the time */
		if (i > 0)
			ck_assert_int_eq(eventfd_read(r.fds[1], &value), 0);
		atomic_store(&r.view.head->client_sleeps, 1);
		mr_put(&r, &e);
		ck_assert_int_eq(eventfd_write(r.fds[1], UINT64_MAX - 1), 0);
		mc_check_alive(&other);
		(void)mr_result(&r);
	}
	(void)close(r.fds[2]);
	r.fds[2] = epoll_create1(EPOLL_CLOEXEC);
	atomic_store(&r.view.head->client_sleeps, 1);
	mr_put(&r, &e);
	mc_check_alive(&other);
	down();
}
END_TEST

/* replies that nobody reads keep descriptors open: there is an end to them */
START_TEST(descriptors_that_are_not_taken_are_few)
{
	Scsad__RingNewRequest req = SCSAD__RING_NEW_REQUEST__INIT;
	unsigned int given = 0, refused = 0, freed = 0;
	struct mr again;
	int unread = 0;

	up(ENTRIES);
	req.has_entries = 1;
	req.entries = 2;
	for (unsigned int i = 0; i < 40; i++) {
		(void)mc_send(&c, METHOD_RING_NEW, &req.base, NULL, 0);
		unread = wait_unread(unread);
		(void)ring_free_send(r.id + i + 1);
		unread = wait_unread(unread);
	}
	for (unsigned int i = 0; i < 80; i++) {
		ck_assert(mc_recv(&c));
		given += c.head.kind == FRAME_KIND_REPLY && c.head.method == METHOD_RING_NEW;
		freed += c.head.kind == FRAME_KIND_REPLY && c.head.method == METHOD_RING_FREE;
		refused += c.head.kind == FRAME_KIND_ERROR;
	}
	ck_assert_uint_gt(given, 4);
	ck_assert_uint_le(given, 16);
	ck_assert_uint_eq(freed, given);
	ck_assert_uint_eq(refused, 80 - 2 * given);
	/* who has read all may go on */
	mr_new(&again, &c, 2);
	mr_unmap(&again);
	down();
}
END_TEST

/* ------ a thread that writes over everything ------ */

static _Atomic bool is_over;

static void *
scribble(void *arg)
{
	struct rng rng = rng_init(1);
	volatile uint32_t *words = arg;

	while (!atomic_load(&is_over)) {
		uint64_t at = rng_below(&rng, r.bytes / 4);

		/* counts only now and then: they end it */
		if (at * 4 >= RING_HEAD_SIZE)
			words[at] = (uint32_t)rng_next(&rng);
	}
	return NULL;
}

START_TEST(memory_may_change_at_any_time)
{
	pthread_t thread;
	void *words;

	up(64);
	/* a map of its own, as another process would have it */
	words = mmap(NULL, r.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r.fds[0], 0);
	ck_assert_ptr_ne(words, MAP_FAILED);
	atomic_store(&is_over, false);
	ck_assert_int_eq(pthread_create(&thread, NULL, scribble, words), 0);
	for (unsigned i = 0; i < 3000; i++) {
		struct ring_entry e = i % 2 == 0 ? read_entry(i % 64) : mr_tur(handle, i % 64);

		mr_put(&r, &e);
		mr_bell(&r);
		(void)mr_result(&r);
		if (i % 64 == 0)
			mc_check_alive(&other);
	}
	atomic_store(&is_over, true);
	(void)pthread_join(thread, NULL);
	(void)munmap(words, r.bytes);
	down();
}
END_TEST

CHECK_MAIN("bad rings", each_field_is_judged, counts_that_jump_end_the_connection,
    full_ring_holds_packets_back, slot_has_one_packet_at_a_time, credits_hold,
    what_packets_use_cannot_be_freed, sizes_are_bounded, descriptors_cannot_stop_the_daemon,
    descriptors_that_are_not_taken_are_few, memory_may_change_at_any_time)
