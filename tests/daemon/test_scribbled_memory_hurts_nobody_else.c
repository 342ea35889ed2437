/* a client whose other threads write over all that it shares, while packets of every kind run: its
 * own results may be anything, others do not notice, nothing of it stays */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/rng.h"
#include "check_main.h"
#include "mock_ring.h"

#define ENTRIES		64u
#define BYTES		65536u
#define BLOCK		512u

static struct fixture f;
static struct scsac *other;		/* a client that behaves */
static uint64_t other_handle;
static struct rng rng;

static void
up(void)
{
	fixture_init(&f);
#ifdef SCSAD_TSAN
	/* packets that share their data have a mixture in the end, which is the client's own: only to
	 * the thread sanitizer every place that reads there would have to say so */
	f.conf.loops = 1;
#else
	f.conf.loops = 2;
#endif
	fixture_disk(&f, "mem:16M,serial=DISK-A");
	fixture_disk(&f, "mem:16M,serial=DISK-B");
	fixture_start(&f);
	other = mc_library(&f, NULL);
	ck_assert_int_eq(scsac_open(other, "disk@1,0", &other_handle, NULL), 0);
	rng = rng_init(4711);
}

static void
down(void)
{
	fixture_wait(&f, 1, 0);
	scsac_free(other);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}

static void
other_exec(uint8_t *cdb, size_t len, enum scsac_direction direction, uint8_t data[BLOCK])
{
	const struct scsac_cmd cmd = { .handle = other_handle, .cdb = cdb, .cdb_len = len,
		.direction = direction, .data = data, .data_len = BLOCK };
	struct scsac_result result;

	do {	/* a unit attention comes first */
		ck_assert_int_eq(scsac_exec(other, &cmd, &result), 0);
	} while (result.status == 2 && (result.sense[2] & 0xf) == 6);
	ck_assert_uint_eq(result.status, 0);
}

/* the other client's data is what it was */
static void
other_check(uint32_t round)
{
	uint8_t cdb[16] = { 0 }, data[BLOCK], back[BLOCK];

	memset(data, (int)(round * 37 + 1), sizeof(data));
	other_exec(cdb, mc_cdb_write(cdb, round % 1000, 1), SCSAC_OUT, data);
	other_exec(cdb, mc_cdb_read(cdb, round % 1000, 1), SCSAC_IN, back);
	ck_assert_mem_eq(data, back, BLOCK);
}

/* ------ one that does not ------ */

static struct mc c;
static struct mr r;
static uint64_t handle, memory;
static uint8_t *data;
static _Atomic bool is_over;
static pthread_t thread;

/* where @at is, whoever writes there cannot go on: counts of our own */
static bool
is_our_count(size_t at)
{
	return at == offsetof(struct ring_head, submitted) ||
	    at == offsetof(struct ring_head, reaped);
}

struct scribbler {
	volatile uint32_t *ring, *data;	/* maps of its own, as another process would have them */
	bool spares_counts;
};

static struct scribbler scribbler;

static void *
scribble(void *arg)
{
	const struct scribbler *s = arg;
	struct rng own = rng_init(1);

	while (!atomic_load(&is_over)) {
		/* the head is small: it gets a third of it */
		uint64_t at = rng_below(&own, rng_below(&own, 3) == 0 ?
		    sizeof(struct ring_head) / 4 : r.bytes / 4);

		if (!s->spares_counts || !is_our_count(at * 4))
			s->ring[at] = (uint32_t)rng_next(&own) >> rng_below(&own, 32);
		s->data[rng_below(&own, BYTES / 4)] = (uint32_t)rng_next(&own);
	}
	return NULL;
}

/* @first is opened first: on its loop the connection stays */
static void
begin(const char *first, bool spares_counts)
{
	mc_connect(&f, &c);
	mr_new(&r, &c, ENTRIES);
	(void)mc_open(&c, first);
	handle = mc_open(&c, "disk@0,0");
	memory = mr_memory(&c, BYTES, &data);
	scribbler.spares_counts = spares_counts;
	scribbler.ring = mmap(NULL, r.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r.fds[0], 0);
	scribbler.data = (volatile uint32_t *)(void *)data;
	ck_assert_ptr_ne((void *)(uintptr_t)scribbler.ring, MAP_FAILED);
	atomic_store(&is_over, false);
	ck_assert_int_eq(pthread_create(&thread, NULL, scribble, &scribbler), 0);
}

static void
end(void)
{
	atomic_store(&is_over, true);
	(void)pthread_join(thread, NULL);
	(void)munmap((void *)(uintptr_t)scribbler.ring, r.bytes);
	(void)munmap(data, BYTES);
	mr_unmap(&r);
	mc_close(&c);
}

/* commands whose data is looked at, and some that only move it */
static const struct {
	uint8_t cdb[16];
	uint8_t len;
	uint8_t direction;
	uint32_t data_len;
} commands[] = {
	{ { 0x28, 0, 0, 0, 0, 9, 0, 0, 16 }, 10, SCSAD__DIRECTION__DIR_IN, 16 * BLOCK },
	{ { 0x2a, 0, 0, 0, 0, 9, 0, 0, 16 }, 10, SCSAD__DIRECTION__DIR_OUT, 16 * BLOCK },
	{ { 0x2e, 2, 0, 0, 0, 9, 0, 0, 8 }, 10, SCSAD__DIRECTION__DIR_OUT, 8 * BLOCK },
	{ { 0x15, 0x10, 0, 0, 64, 0 }, 6, SCSAD__DIRECTION__DIR_OUT, 64 },
	{ { 0x55, 0x10, 0, 0, 0, 0, 0, 1, 0 }, 10, SCSAD__DIRECTION__DIR_OUT, 256 },
	{ { 0x5f, 0, 0, 0, 0, 0, 0, 0, 24 }, 10, SCSAD__DIRECTION__DIR_OUT, 24 },
	{ { 0x42, 0, 0, 0, 0, 0, 0, 0, 72 }, 10, SCSAD__DIRECTION__DIR_OUT, 72 },
	{ { 0x93, 8, [13] = 40 }, 16, SCSAD__DIRECTION__DIR_OUT, BLOCK },
	{ { 0x89, 0, [13] = 4 }, 16, SCSAD__DIRECTION__DIR_OUT, 8 * BLOCK },
	{ { 0x83, 0, [13] = 128 }, 16, SCSAD__DIRECTION__DIR_OUT, 128 },
	{ { 0x3b, 2, 0, 0, 0, 0, 0, 1, 0 }, 10, SCSAD__DIRECTION__DIR_OUT, 256 },
	{ { 0x1d, 0x10, 0, 0, 32, 0 }, 6, SCSAD__DIRECTION__DIR_OUT, 32 },
	{ { 0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0 }, 12, SCSAD__DIRECTION__DIR_IN, 256 },
	{ { 0x12, 0, 0, 0, 96, 0 }, 6, SCSAD__DIRECTION__DIR_IN, 96 },
	{ { 0 }, 6, SCSAD__DIRECTION__DIR_NONE, 0 },
};

static struct ring_entry
any_entry(void)
{
	size_t at = (size_t)rng_below(&rng, ARRAY_LEN(commands));
	struct ring_entry e = mr_tur(handle, (uint32_t)rng_below(&rng, ENTRIES));

	e.cdb_len = commands[at].len;
	e.direction = commands[at].direction;
	e.data_len = commands[at].data_len;
	e.memory = e.data_len == 0 ? 0 : memory;
	e.offset = e.data_len == 0 ? 0 : rng_below(&rng, BYTES - e.data_len);
	memcpy(e.cdb, commands[at].cdb, sizeof(commands[at].cdb));
	return e;
}

/* abort of a packet that cannot be: before it is refused, all that waits is taken */
static void
all_take(void)
{
	Scsad__AbortRequest req = SCSAD__ABORT_REQUEST__INIT;

	req.has_ring = req.has_tag = 1;
	req.ring = r.id;
	req.tag = RING_SLOT_MASK;
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_ABORT, &req.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_NO_SUCH_REQUEST);
}

static void
packets_run(uint32_t round)
{
	uint32_t n = 1 + (uint32_t)rng_below(&rng, ENTRIES / 2);

	for (uint32_t i = 0; i < n; i++) {
		struct ring_entry e = any_entry();

		mr_put(&r, &e);
	}
	mr_bell(&r);
	all_take();
	other_check(round);
	fixture_wait(&f, 2, 0);
	r.reaped = r.submitted;
	atomic_store(&r.view.head->reaped, r.reaped);
}

/* the counts that would end it stay: thousands of packets */
START_TEST(whatever_is_read_may_change)
{
	up();
	for (uint32_t i = 0; i < 2; i++) {
		begin(i == 0 ? "disk@0,0" : "disk@1,0", true);
		for (uint32_t round = 0; round < 200; round++)
			packets_run(round);
		mc_check_alive(&c);
		end();
		fixture_wait(&f, 1, 0);
	}
	down();
}
END_TEST

/* the daemon ends the connection sooner or later, with packets in flight or without */
START_TEST(counts_as_well)
{
	up();
	for (uint32_t i = 0; i < 20; i++) {
		struct pollfd fd;

		begin(i % 2 == 0 ? "disk@0,0" : "disk@1,0", false);
		fd = (struct pollfd){ .fd = c.fd, .events = POLLIN };
		for (uint64_t until = clock_now_ns() + MC_WAIT_MS * NS_PER_MS;
		    poll(&fd, 1, 0) == 0;) {
			struct ring_entry e = any_entry();

			ck_assert_uint_lt(clock_now_ns(), until);
			mr_put(&r, &e);
			mr_bell(&r);
		}
		ck_assert_int_eq(mc_error(&c, 0), SCSAD__ERROR_CODE__ERR_BAD_FRAME);
		mc_expect_end(&c);
		end();
		other_check(i);
	}
	down();
}
END_TEST

CHECK_MAIN("scribbled memory", whatever_is_read_may_change, counts_as_well)
