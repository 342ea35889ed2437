/* rings as a daemon should not give them, and results that it should not write: the connection is
 * left, with no descriptor open and each packet told once */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check_main.h"
#include "client/scsac_ring.h"
#include "mock_daemon.h"
#include "proto/ring.h"

#define ENTRIES	4u

/* how ring-new is answered */
struct way {
	unsigned int n_fds;
	uint64_t ring, told;		/* id, bytes of the reply */
	size_t real;			/* of the memfd */
	uint32_t layout, entries;	/* in there */
	bool is_epoll;			/* the third one is */
	int result;
};

static struct mock m;
static struct scsac *c;
static struct scsac_ring *ring;
static void *base;			/* the daemon's map of the ring */
static bool is_loose;			/* its memfd could become smaller */
static const struct way good = { 3, 5, 0, 0, RING_LAYOUT, ENTRIES, true, 0 };

static void
ring_reply(struct mock *mock, const struct frame *frame, const struct way *way)
{
	Scsad__RingNewReply msg = SCSAD__RING_NEW_REPLY__INIT;
	struct frame_head head = { .kind = FRAME_KIND_REPLY, .method = METHOD_RING_NEW };
	size_t real = way->real == 0 ? ring_bytes(ENTRIES) : way->real;
	uint8_t buf[FRAME_HEAD_LEN + 64];
	struct ring_head *ring_head;
	ptrdiff_t n;
	int fds[4];

	fds[0] = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	fds[1] = eventfd(0, EFD_CLOEXEC);
	fds[2] = way->is_epoll ? epoll_create1(EPOLL_CLOEXEC) : eventfd(0, EFD_CLOEXEC);
	fds[3] = eventfd(0, EFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(fds[0], (off_t)real), 0);
	ck_assert_int_eq(fcntl(fds[0], F_ADD_SEALS, is_loose ? 0 : F_SEAL_SHRINK), 0);
	base = mmap(NULL, ring_bytes(ENTRIES), PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
	ck_assert_ptr_ne(base, MAP_FAILED);
	ring_head = base;
	ring_head->layout = way->layout;
	ring_head->entries = way->entries;
	head.id = frame->head.id;
	msg.has_ring = msg.has_bytes = 1;
	msg.ring = way->ring;
	msg.bytes = way->told == 0 ? ring_bytes(ENTRIES) : way->told;
	n = frame_pack(buf, sizeof(buf), &head, &msg.base);
	ck_assert_int_gt(n, 0);
	mock_raw_fds(mock, buf, (size_t)n, fds, way->n_fds);
	for (unsigned int i = 0; i < 4; i++)
		(void)close(fds[i]);
}

static bool
answer(struct mock *mock, const struct frame *frame)
{
	Scsad__HelloReply hello = SCSAD__HELLO_REPLY__INIT;
	Scsad__Done done = SCSAD__DONE__INIT;

	switch (frame->head.method) {
	case METHOD_HELLO:
		hello.has_major = hello.has_minor = hello.has_features = hello.has_role = 1;
		hello.major = PROTO_MAJOR;
		hello.features = mock->arg == NULL ? 0 : PROTO_FEATURE_RINGS;
		hello.role = SCSAD__ROLE__ROLE_ADMIN;
		mock_reply(mock, frame, &hello.base, NULL, 0);
		return true;
	case METHOD_RING_NEW:
		ring_reply(mock, frame, mock->arg);
		return true;
	case METHOD_RING_FREE:
		mock_reply(mock, frame, &done.base, NULL, 0);
		return true;
	default:
		return false;
	}
}

static void
up(const struct way *way)
{
	mock_init(&m);
	m.hook = answer;
	m.arg = (void *)(uintptr_t)way;
	c = mock_connect(&m);
}

static void
down(void)
{
	scsac_free(c);
	mock_stop(&m);
	mock_fini(&m);
	if (base != NULL)
		(void)munmap(base, ring_bytes(ENTRIES));
	base = NULL;
}

START_TEST(only_a_good_ring_is_taken)
{
	static const struct way ways[] = {
		{ 3, 5, 0, 0, RING_LAYOUT, ENTRIES, true, 0 },
		{ 0, 5, 0, 0, RING_LAYOUT, ENTRIES, true, -EBADMSG },
		{ 1, 5, 0, 0, RING_LAYOUT, ENTRIES, true, -EBADMSG },
		{ 2, 5, 0, 0, RING_LAYOUT, ENTRIES, true, -EBADMSG },
		{ 4, 5, 0, 0, RING_LAYOUT, ENTRIES, true, -EBADMSG },
		{ 3, 0, 0, 0, RING_LAYOUT, ENTRIES, true, -EBADMSG },
		{ 3, 5, 4096, 0, RING_LAYOUT, ENTRIES, true, -EBADMSG },	/* too few */
		{ 3, 5, 0, 4096, RING_LAYOUT, ENTRIES, true, -EBADMSG },	/* fewer than told */
		{ 3, 5, UINT64_MAX, 0, RING_LAYOUT, ENTRIES, true, -EBADMSG },
		{ 3, 5, 0, 0, RING_LAYOUT + 1, ENTRIES, true, -EBADMSG },
		{ 3, 5, 0, 0, RING_LAYOUT, 2 * ENTRIES, true, -EBADMSG },
		{ 3, 5, 0, 0, RING_LAYOUT, ENTRIES, false, -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		unsigned int before = mock_fds_open();

		ring = NULL;
		up(&ways[i]);
		ck_assert_msg(scsac_ring_new(c, ENTRIES, &ring) == ways[i].result, "way %zu", i);
		ck_assert_msg((ring != NULL) == (ways[i].result == 0), "way %zu", i);
		if (ring != NULL)
			ck_assert_int_eq(scsac_ring_free(ring), 0);
		down();
		ck_assert_msg(mock_fds_open() == before, "way %zu: a descriptor is left", i);
	}
}
END_TEST

START_TEST(ring_that_could_shrink_is_refused)
{
	is_loose = true;
	up(&good);
	ck_assert_int_eq(scsac_ring_new(c, ENTRIES, &ring), -EBADMSG);
	down();
	is_loose = false;
}
END_TEST

START_TEST(old_daemon_has_no_rings)
{
	up(NULL);
	ck_assert_int_eq(scsac_ring_new(c, ENTRIES, &ring), -EOPNOTSUPP);
	down();
}
END_TEST

static unsigned int n_done, n_unknown;

static void
count(struct scsac *client, const struct scsac_result *result, void *arg)
{
	(void)client;
	(void)arg;
	n_done++;
	n_unknown += result->is_unknown;
}

/* two packets without data; @result is written for the second, @completed says how many are */
static void
answer_with(const struct ring_result *result, uint32_t completed, bool is_fine)
{
	static const uint8_t tur[6];
	const struct scsac_cmd cmd = { .handle = MOCK_HANDLE, .cdb = tur, .cdb_len = 6 };
	struct ring_view v;
	struct ring_result one;
	uint32_t tags[2];

	n_done = n_unknown = 0;
	up(&good);
	ck_assert_int_eq(scsac_ring_new(c, ENTRIES, &ring), 0);
	v = ring_view(base, ENTRIES);
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(scsac_ring_submit(ring, &cmd, count, NULL, &tags[i]), 0);
	ck_assert_uint_eq(atomic_load(&v.head->submitted), 2);
	ck_assert_uint_eq(ring_entry_at(&v, 1)->tag, tags[1]);
	*ring_result_at(&v, 0) = (struct ring_result){ .tag = tags[0] };
	one = *result;
	one.tag ^= tags[1];
	*ring_result_at(&v, 1) = one;
	atomic_store(&v.head->completed, completed);
	if (is_fine) {
		ck_assert_int_eq(scsac_ring_reap(ring), 2);
		ck_assert_uint_eq(n_unknown, 0);
		ck_assert_uint_eq(atomic_load(&v.head->reaped), 2);
	} else {
		ck_assert_int_eq(scsac_ring_reap(ring), -ENOTCONN);
		ck_assert(!scsac_is_ready(c));
		ck_assert_uint_gt(n_unknown, 0);
	}
	ck_assert_uint_eq(n_done, 2);
	down();
}

START_TEST(nonsense_in_results_ends_the_connection)
{
	static const struct ring_result fine = { .tag = 0 };

	answer_with(&fine, 2, true);
	answer_with(&fine, 3, false);			/* more than were submitted */
	answer_with(&fine, UINT32_MAX, false);
	answer_with(&(struct ring_result){ .tag = 0xffff }, 2, false);
	answer_with(&(struct ring_result){ .tag = 0x10000 }, 2, false);
	answer_with(&(struct ring_result){ .tag = 3 }, 2, false);
	answer_with(&(struct ring_result){ .moved = 1 }, 2, false);
	answer_with(&(struct ring_result){ .resid = 1 }, 2, false);
	answer_with(&(struct ring_result){ .sense_len = 253 }, 2, false);
	answer_with(&(struct ring_result){ .sense_len = 252 }, 2, true);
	answer_with(&(struct ring_result){ .code = 9, .sys_errno = 16 }, 2, true);
	answer_with(&(struct ring_result){ .code = UINT16_MAX }, 2, true);
}
END_TEST

/* ------ the socket beside it ------ */

static uint8_t big[1u << 20];
static _Atomic bool may_read, is_all_read;

/* after ring-new: refuses the write that comes when only part of its data has, and takes the rest
 * when it may */
static void
refuse_early(struct mock *mock)
{
	static const struct frame_limits limits = { PROTO_MESSAGE_MAX, PROTO_DATA_MAX };
	struct frame frame;
	size_t left;
	ssize_t n = recv(mock->fd, mock->in, 4096, 0);

	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(frame_peek(mock->in, (size_t)n, &limits, &frame), FRAME_READY);
	mock_error(mock, frame.head.id, SCSAD__ERROR_CODE__ERR_BUSY, "busy");
	left = FRAME_HEAD_LEN + frame.head.msg_len + frame.head.data_len - (size_t)n;
	while (!atomic_load(&may_read))
		(void)sched_yield();
	while (left > 0) {
		n = recv(mock->fd, mock->in, left < 65536 ? left : 65536, 0);
		ck_assert_int_gt(n, 0);
		left -= (size_t)n;
	}
	atomic_store(&is_all_read, true);
}

static bool
answer_early(struct mock *mock, const struct frame *frame)
{
	bool is_done = answer(mock, frame);

	if (frame->head.method == METHOD_RING_NEW)
		refuse_early(mock);
	return is_done;
}

/* its last byte leaves by scsac_ring_arm(), which runs no callbacks: whoever sleeps then is woken
 * for it */
START_TEST(flushed_packets_of_the_socket_wake_who_sleeps)
{
	uint8_t cdb[10] = { 0x2a };
	const struct scsac_cmd cmd = { .handle = MOCK_HANDLE, .cdb = cdb, .cdb_len = 10,
		.direction = SCSAC_OUT, .data = big, .data_len = sizeof(big) };
	struct pollfd fd;

	n_done = 0;
	atomic_store(&may_read, false);
	atomic_store(&is_all_read, false);
	mock_init(&m);
	m.hook = answer_early;
	m.arg = (void *)(uintptr_t)&good;
	c = mock_connect(&m);
	ck_assert_int_eq(scsac_ring_new(c, ENTRIES, &ring), 0);
	ck_assert_int_eq(scsac_submit(c, &cmd, count, NULL, NULL), 0);
	while (scsac_last_error(c)->code != SCSAC_BUSY)
		ck_assert_int_ge(scsac_process(c), 0);
	ck_assert_uint_eq(n_done, 0);
	atomic_store(&may_read, true);
	while (!atomic_load(&is_all_read))
		ck_assert_int_eq(scsac_ring_arm(ring), 0);
	ck_assert_uint_eq(n_done, 0);
	ck_assert_int_eq(scsac_ring_arm(ring), 0);
	fd = (struct pollfd){ .fd = scsac_ring_fd(ring), .events = POLLIN };
	ck_assert_int_eq(poll(&fd, 1, MOCK_WAIT_MS), 1);
	ck_assert_int_eq(scsac_ring_wait(ring, 0), 0);
	ck_assert_uint_eq(n_done, 1);
	down();
}
END_TEST

CHECK_MAIN("bad rings", flushed_packets_of_the_socket_wake_who_sleeps, only_a_good_ring_is_taken,
    ring_that_could_shrink_is_refused, old_daemon_has_no_rings,
    nonsense_in_results_ends_the_connection)
