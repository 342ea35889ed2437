#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/rng.h"
#include "check_main.h"
#include "client/outq.h"

#define STREAM_MAX (8u << 20)
#define PIECE_MAX  5000u

static uint8_t expected[STREAM_MAX], bulk[STREAM_MAX];
static size_t put, got;
static unsigned queued, sent;

static void
on_sent(void *arg, void *owner)
{
	ck_assert_ptr_eq(owner, &sent);
	ck_assert_ptr_nonnull(arg);
	sent++;
}

/* one frame: a few bytes in the buffer, then perhaps bulk data */
static void
queue_some(struct outq *q, struct rng *rng)
{
	size_t len = 1 + rng_below(rng, 300);
	size_t data_len = rng_below(rng, 3) == 0 ? 1 + rng_below(rng, PIECE_MAX) : 0;
	uint8_t *at = outq_reserve(q, len + 50);

	ck_assert_ptr_nonnull(at);
	for (size_t i = 0; i < len; i++)
		at[i] = expected[put++] = (uint8_t)rng_below(rng, 256);
	outq_commit(q, len);
	if (data_len == 0)
		return;
	for (size_t i = 0; i < data_len; i++)
		bulk[put + i] = expected[put + i] = (uint8_t)rng_below(rng, 256);
	outq_data(q, bulk + put, data_len, &queued);
	put += data_len;
	queued++;
}

static void
receive_some(int fd, struct rng *rng)
{
	uint8_t buf[8192];
	ssize_t n = recv(fd, buf, 1 + rng_below(rng, sizeof(buf)), MSG_DONTWAIT);

	if (n < 0)
		return;
	ck_assert_int_eq(memcmp(buf, expected + got, (size_t)n), 0);
	got += (size_t)n;
}

START_TEST(the_stream_is_what_was_queued)
{
	const int size = 4096;
	struct outq q;
	struct rng rng = rng_init(7);
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	outq_init(&q, on_sent, &sent);
	for (int round = 0; round < 2000; round++) {
		int r;

		for (uint64_t n = rng_below(&rng, 4); n > 0; n--)
			queue_some(&q, &rng);
		r = outq_send(&q, fds[0]);
		ck_assert(r == 0 || r == -EAGAIN);
		ck_assert_int_eq(r == 0, outq_is_empty(&q));
		receive_some(fds[1], &rng);
	}
	while (got < put) {
		ck_assert(outq_send(&q, fds[0]) != -EPIPE);
		receive_some(fds[1], &rng);
	}
	ck_assert(outq_is_empty(&q));
	ck_assert_uint_eq(sent, queued);
	ck_assert_uint_gt(queued, 500);
	/* what was sent makes room: the buffer follows the backlog, not the stream */
	ck_assert_uint_lt(q.size, put);
	(void)close(fds[0]);
	(void)close(fds[1]);
	outq_fini(&q);
}
END_TEST

START_TEST(a_closed_socket_is_an_error_not_a_signal)
{
	struct outq q;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	(void)close(fds[1]);
	outq_init(&q, on_sent, &sent);
	ck_assert_int_eq(outq_send(&q, fds[0]), 0);
	memset(outq_reserve(&q, 4), 0, 4);
	outq_commit(&q, 4);
	ck_assert_int_eq(outq_send(&q, fds[0]), -EPIPE);
	outq_clear(&q);
	ck_assert(outq_is_empty(&q));
	(void)close(fds[0]);
	outq_fini(&q);
}
END_TEST

CHECK_MAIN("out queue", the_stream_is_what_was_queued, a_closed_socket_is_an_error_not_a_signal)
