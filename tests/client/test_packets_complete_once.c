#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "check_main.h"
#include "mock_daemon.h"

#define DEPTH 32

static struct mock m;
static struct scsac *c;

struct packet {
	unsigned done;
	unsigned order;
	struct scsac_result result;
	uint8_t cdb[10];
	uint8_t data[MOCK_BLOCK];
};

static struct packet packets[DEPTH];
static unsigned order;

static void
end(void)
{
	scsac_free(c);
	mock_stop(&m);
	mock_fini(&m);
}

static void
on_done(struct scsac *conn, const struct scsac_result *result, void *arg)
{
	struct packet *p = arg;

	(void)conn;
	p->done++;
	p->order = order++;
	p->result = *result;
}

static struct scsac_cmd
read_block(struct packet *p, uint32_t lba, enum scsac_direction direction)
{
	memset(p->cdb, 0, sizeof(p->cdb));
	p->cdb[0] = direction == SCSAC_IN ? 0x28 : 0x2a;
	be32_put(p->cdb + 2, lba);
	be16_put(p->cdb + 7, 1);
	return (struct scsac_cmd){ .handle = MOCK_HANDLE, .cdb = p->cdb, .cdb_len = 10,
		.direction = direction, .data = p->data, .data_len = MOCK_BLOCK };
}

static void
submit_all(enum scsac_direction direction)
{
	for (uint32_t i = 0; i < DEPTH; i++) {
		struct scsac_cmd cmd = read_block(&packets[i], i, direction);

		ck_assert_int_eq(scsac_submit(c, &cmd, on_done, &packets[i], NULL), 0);
	}
	ck_assert_uint_eq(scsac_in_flight(c), DEPTH);
}

static void
wait_all(void)
{
	while (scsac_in_flight(c) > 0)
		ck_assert_int_ge(scsac_wait(c, -1), 0);
}

static void
each_done_once(void)
{
	for (size_t i = 0; i < DEPTH; i++)
		ck_assert_uint_eq(packets[i].done, 1);
}

START_TEST(what_is_written_is_read)
{
	mock_init(&m);
	c = mock_connect(&m);
	for (size_t i = 0; i < DEPTH; i++)
		memset(packets[i].data, (int)i + 1, MOCK_BLOCK);
	submit_all(SCSAC_OUT);
	wait_all();
	each_done_once();
	memset(packets, 0, sizeof(packets));
	submit_all(SCSAC_IN);
	wait_all();
	each_done_once();
	for (size_t i = 0; i < DEPTH; i++) {
		ck_assert_uint_eq(packets[i].data[MOCK_BLOCK - 1], i + 1);
		ck_assert_int_eq(packets[i].result.err, 0);
		ck_assert_uint_eq(packets[i].result.data_len, MOCK_BLOCK);
		ck_assert_uint_eq(packets[i].result.resid, 0);
		ck_assert_uint_eq(packets[i].result.duration_ns, 1234);
	}
	end();
}
END_TEST

struct held {
	uint32_t ids[DEPTH];
	unsigned n;
};

/* answers the last packet first; the data is the packet's place in line */
static bool
answer_reversed(struct mock *mock, const struct frame *frame)
{
	struct held *held = mock->arg;

	if (frame->head.method != METHOD_SUBMIT)
		return false;
	held->ids[held->n++] = frame->head.id;
	while (held->n == DEPTH || (held->n > 0 && held->ids[DEPTH - 1] != 0)) {
		struct frame_head head = { .kind = FRAME_KIND_REPLY, .method = METHOD_SUBMIT };
		Scsad__Completion msg = SCSAD__COMPLETION__INIT;
		uint8_t data[MOCK_BLOCK];

		held->n--;
		memset(data, (int)held->n, sizeof(data));
		head.id = held->ids[held->n];
		head.data_len = sizeof(data);
		mock_send(mock, &head, &msg.base, data);
	}
	return true;
}

START_TEST(completions_find_their_packet_in_any_order)
{
	struct held held = { 0 };

	mock_init(&m);
	m.hook = answer_reversed;
	m.arg = &held;
	c = mock_connect(&m);
	submit_all(SCSAC_IN);
	wait_all();
	each_done_once();
	for (size_t i = 0; i < DEPTH; i++) {
		ck_assert_uint_eq(packets[i].order, DEPTH - 1 - i);
		ck_assert_uint_eq(packets[i].data[0], i);
	}
	end();
}
END_TEST

/* answers half of the packets, then goes away in the middle of a frame */
static bool
vanish(struct mock *mock, const struct frame *frame)
{
	if (frame->head.method != METHOD_SUBMIT || mock->submits < DEPTH / 2)
		return false;
	mock_raw(mock, "\x40\0\0\0\x08\0\x01", 7);
	close_fd(&mock->fd);
	return true;
}

START_TEST(a_daemon_that_dies_leaves_no_packet_behind)
{
	int r = 0;

	mock_init(&m);
	m.hook = vanish;
	c = mock_connect(&m);
	submit_all(SCSAC_IN);
	while (r >= 0)
		r = scsac_wait(c, -1);
	ck_assert_int_eq(r, -ENOTCONN);
	each_done_once();
	for (size_t i = 0; i < DEPTH; i++) {
		bool is_lost = i >= DEPTH / 2;

		ck_assert_int_eq(packets[i].result.err, 0);
		ck_assert_int_eq(packets[i].result.is_unknown, is_lost);
		ck_assert_uint_eq(packets[i].result.reason,
		    is_lost ? SCSAC_TRAN_ERR : SCSAC_CMPLT);
	}
	ck_assert_uint_eq(scsac_in_flight(c), 0);
	ck_assert_int_eq(scsac_fd(c), -1);
	ck_assert_int_eq(scsac_wants(c), 0);
	ck_assert_int_eq(scsac_process(c), -ENOTCONN);
	ck_assert_int_eq(scsac_flush(c), -ENOTCONN);
	ck_assert_int_eq(scsac_close(c, 1), -ENOTCONN);
	each_done_once();
	end();
}
END_TEST

START_TEST(disconnecting_completes_what_was_never_sent)
{
	mock_init(&m);
	c = mock_connect(&m);
	submit_all(SCSAC_OUT);
	scsac_disconnect(c);
	each_done_once();
	ck_assert(packets[0].result.is_unknown);
	ck_assert_uint_eq(packets[0].result.resid, MOCK_BLOCK);
	end();
}
END_TEST

START_TEST(a_stale_handle_is_a_refusal_not_a_result)
{
	struct scsac_cmd cmd = read_block(&packets[0], 0, SCSAC_IN);
	struct scsac_result result;

	mock_init(&m);
	c = mock_connect(&m);
	cmd.handle = 0xffff;
	ck_assert_int_eq(scsac_exec(c, &cmd, &result), -ESTALE);
	ck_assert_int_eq(result.err, -ESTALE);
	ck_assert(!result.is_unknown);
	ck_assert_int_eq(scsac_last_error(c)->code, SCSAC_STALE_HANDLE);
	cmd.handle = MOCK_HANDLE;
	ck_assert_int_eq(scsac_exec(c, &cmd, &result), 0);
	end();
}
END_TEST

static uint8_t big[1u << 20], sink[1u << 16];

/* The test is the daemon here: it refuses a write when only part of its data has come. */
static void
big_write_refuse(void)
{
	struct scsac_cmd cmd = read_block(&packets[0], 0, SCSAC_OUT);
	static const struct frame_limits limits = { PROTO_MESSAGE_MAX, 0 };
	struct frame hello;
	uint32_t id;
	int fds[2];

	mock_init(&m);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	m.fd = fds[0];
	ck_assert_int_eq(scsac_new("test", &c), 0);
	ck_assert_int_eq(scsac_start_fd(c, fds[1]), 0);
	ck_assert_int_eq(scsac_process(c), 0);
	ck_assert_int_eq(frame_next(m.in, (size_t)recv(m.fd, m.in, MOCK_IN_LEN, 0), &limits,
	    &hello), FRAME_READY);
	mock_hello(&m, &hello);
	ck_assert_int_eq(scsac_process(c), 0);
	ck_assert(scsac_is_ready(c));

	cmd.data = big;
	cmd.data_len = sizeof(big);
	ck_assert_int_eq(scsac_submit(c, &cmd, on_done, &packets[0], &id), 0);
	ck_assert_int_eq(scsac_flush(c), 1);
	ck_assert_int_eq(scsac_wants(c), POLLIN | POLLOUT);
	mock_error(&m, id, SCSAD__ERROR_CODE__ERR_BUSY, "busy");
	ck_assert_int_eq(scsac_process(c), 0);
	ck_assert_uint_eq(packets[0].done, 0);
	ck_assert_int_eq(scsac_cancel(c, id), -ENOENT);
}

static void
big_write_end(void)
{
	ck_assert_int_eq(packets[0].result.err, -EBUSY);
	ck_assert_uint_eq(packets[0].done, 1);
	ck_assert_int_eq(scsac_wants(c), POLLIN);
	scsac_free(c);
	close_fd(&m.fd);
	mock_fini(&m);
}

START_TEST(a_packet_keeps_its_buffer_until_all_of_it_is_sent)
{
	big_write_refuse();
	while (packets[0].done == 0) {
		ck_assert_int_gt(recv(m.fd, sink, sizeof(sink), 0), 0);
		ck_assert_int_ge(scsac_wait(c, 0), 0);
	}
	big_write_end();
}
END_TEST

/* The last of it leaves by a flush, which runs no callbacks; the daemon has no more to say. */
START_TEST(a_poll_loop_hears_of_a_packet_that_was_flushed)
{
	struct pollfd fd;

	big_write_refuse();
	while (scsac_flush(c) == 1)
		ck_assert_int_gt(recv(m.fd, sink, sizeof(sink), 0), 0);
	while (recv(m.fd, sink, sizeof(sink), MSG_DONTWAIT) > 0)
		continue;
	ck_assert_uint_eq(packets[0].done, 0);
	fd = (struct pollfd){ .fd = scsac_fd(c), .events = scsac_wants(c) };
	ck_assert_int_eq(poll(&fd, 1, MOCK_WAIT_MS), 1);
	ck_assert_int_eq(scsac_process(c), 1);
	big_write_end();
}
END_TEST

START_TEST(large_data_lands_where_it_belongs)
{
	enum { LEN = 512 * 1024, BLOCKS = LEN / MOCK_BLOCK };
	static uint8_t in[4][LEN];
	uint8_t cdb[10] = { 0x28, 0, 0, 0, 0, 0, 0, BLOCKS >> 8, BLOCKS & 0xff, 0 };
	struct scsac_cmd cmd = { .handle = MOCK_HANDLE, .cdb = cdb, .cdb_len = 10,
		.direction = SCSAC_IN, .data_len = LEN };

	mock_init(&m);
	for (size_t i = 0; i < (size_t)MOCK_BLOCKS * MOCK_BLOCK; i++)
		m.disk[i] = (uint8_t)(i * 7 + (i >> 9));
	c = mock_connect(&m);
	for (size_t i = 0; i < 4; i++) {
		be32_put(cdb + 2, (uint32_t)i);
		cmd.data = in[i];
		ck_assert_int_eq(scsac_submit(c, &cmd, on_done, &packets[i], NULL), 0);
	}
	wait_all();
	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(packets[i].done, 1);
		ck_assert_uint_eq(packets[i].result.data_len, LEN);
		ck_assert_int_eq(memcmp(in[i], m.disk + i * MOCK_BLOCK, LEN), 0);
	}
	end();
}
END_TEST

static void
resubmit(struct scsac *conn, const struct scsac_result *result, void *arg)
{
	struct packet *p = arg;
	struct scsac_cmd cmd = read_block(p, 1, SCSAC_IN);
	struct scsac_result other;

	ck_assert_int_eq(result->err, 0);
	ck_assert_int_eq(scsac_exec(conn, &cmd, &other), -EDEADLK);
	ck_assert_int_eq(scsac_process(conn), -EDEADLK);
	if (++p->done < 100)
		ck_assert_int_eq(scsac_submit(conn, &cmd, resubmit, p, NULL), 0);
	else
		scsac_disconnect(conn);
}

START_TEST(a_callback_may_submit_and_end_the_connection)
{
	struct scsac_cmd cmd = read_block(&packets[0], 1, SCSAC_IN);

	mock_init(&m);
	m.packets_max = 1;
	c = mock_connect(&m);
	ck_assert_int_eq(scsac_submit(c, &cmd, resubmit, &packets[0], NULL), 0);
	ck_assert_int_eq(scsac_submit(c, &cmd, resubmit, &packets[0], NULL), -EBUSY);
	while (scsac_wait(c, -1) >= 0)
		;
	ck_assert_uint_eq(packets[0].done, 100);
	ck_assert(!scsac_is_ready(c));
	end();
}
END_TEST

START_TEST(contradictions_are_refused_before_they_are_sent)
{
	struct scsac_cmd good = read_block(&packets[0], 0, SCSAC_IN);
	struct scsac_cmd cmd;

	mock_init(&m);
	m.data_max = MOCK_BLOCK;
	c = mock_connect(&m);
#define REFUSED(change, err)                                                   \
	do {                                                                   \
		cmd = good;                                                    \
		change;                                                        \
		ck_assert_int_eq(scsac_submit(c, &cmd, on_done, &packets[0], NULL), err); \
	} while (0)
	REFUSED(cmd.cdb_len = 5, -EINVAL);
	REFUSED(cmd.cdb_len = 261, -EINVAL);
	REFUSED(cmd.data_len = 0, -EINVAL);
	REFUSED(cmd.direction = SCSAC_NONE, -EINVAL);
	REFUSED(cmd.direction = (enum scsac_direction)3, -EINVAL);
	REFUSED(cmd.attribute = (enum scsac_attribute)4, -EINVAL);
	REFUSED(cmd.timeout_ms = PROTO_TIMEOUT_MAX_MS + 1, -EINVAL);
	REFUSED(cmd.data_len = MOCK_BLOCK + 1, -EMSGSIZE);
	REFUSED(cmd.attribute = SCSAC_ATTR_HEAD; cmd.flags = SCSAC_IDEMPOTENT;
		cmd.timeout_ms = 1000, 0);
	scsac_disconnect(c);
	REFUSED((void)0, -ENOTCONN);
	end();
}
END_TEST

/* holds packets until it is asked to abort one: that completes as aborted, then the abort */
static bool
hold_until_abort(struct mock *mock, const struct frame *frame)
{
	struct frame_head head = { .kind = FRAME_KIND_REPLY, .method = METHOD_SUBMIT };
	Scsad__Completion msg = SCSAD__COMPLETION__INIT;

	if (frame->head.method == METHOD_SUBMIT)
		return true;
	if (frame->head.method != METHOD_ABORT)
		return false;
	head.id = ((Scsad__AbortRequest *)mock_unpack(mock, frame))->request_id;
	msg.has_reason = 1;
	msg.reason = SCSAC_ABORTED;
	msg.has_statistics = 1;
	msg.statistics = SCSAC_STAT_ABORTED;
	mock_send(mock, &head, &msg.base, NULL);
	return false;
}

START_TEST(a_cancelled_packet_ends_as_aborted)
{
	uint32_t ids[DEPTH];

	mock_init(&m);
	m.hook = hold_until_abort;
	c = mock_connect(&m);
	for (uint32_t i = 0; i < DEPTH; i++) {
		struct scsac_cmd cmd = read_block(&packets[i], i, SCSAC_IN);

		ck_assert_int_eq(scsac_submit(c, &cmd, on_done, &packets[i], &ids[i]), 0);
	}
	ck_assert_int_eq(scsac_wait(c, 0), 0);
	for (size_t i = 0; i < DEPTH; i++)
		ck_assert_int_eq(scsac_cancel(c, ids[i]), 0);
	wait_all();
	each_done_once();
	ck_assert_uint_eq(packets[3].result.reason, SCSAC_ABORTED);
	ck_assert_int_eq(scsac_cancel(c, ids[0]), -ENOENT);
	ck_assert_int_eq(scsac_cancel(c, 0), -ENOENT);
	scsac_disconnect(c);
	ck_assert_int_eq(scsac_cancel(c, ids[0]), -ENOTCONN);
	end();
}
END_TEST

START_TEST(the_same_object_connects_again)
{
	struct scsac_cmd cmd = read_block(&packets[0], 0, SCSAC_IN);
	struct scsac_result result;

	mock_init(&m);
	c = mock_connect(&m);
	scsac_disconnect(c);
	mock_stop(&m);
	ck_assert_int_eq(scsac_start_fd(c, mock_start(&m)), 0);
	ck_assert_int_eq(scsac_submit(c, &cmd, on_done, &packets[0], NULL), -EAGAIN);
	ck_assert_int_eq(scsac_close(c, 7), -EAGAIN);
	ck_assert_int_eq(scsac_connect(c, NULL), 0);
	ck_assert_int_eq(scsac_exec(c, &cmd, &result), 0);
	end();
}
END_TEST

static int spare_fd;

static void
hurry_back(struct scsac *conn, const struct scsac_result *result, void *arg)
{
	on_done(conn, result, arg);
	if (!result->is_unknown)
		return;
	ck_assert_int_eq(scsac_start_fd(conn, dup(spare_fd)), -EDEADLK);
	scsac_disconnect(conn); /* it is, already */
}

START_TEST(a_callback_that_connects_again_is_told_to_wait)
{
	struct scsac_cmd cmd;
	struct scsac_result result;

	mock_init(&m);
	c = mock_connect(&m);
	spare_fd = dup(scsac_fd(c));
	for (uint32_t i = 0; i < DEPTH; i++) {
		cmd = read_block(&packets[i], i, SCSAC_OUT);
		ck_assert_int_eq(scsac_submit(c, &cmd, hurry_back, &packets[i], NULL), 0);
	}
	scsac_disconnect(c);
	each_done_once();
	close_fd(&spare_fd);
	mock_stop(&m);
	ck_assert_int_eq(scsac_start_fd(c, mock_start(&m)), 0);
	ck_assert_int_eq(scsac_connect(c, NULL), 0);
	cmd = read_block(&packets[0], 0, SCSAC_IN);
	ck_assert_int_eq(scsac_exec(c, &cmd, &result), 0);
	end();
}
END_TEST

CHECK_MAIN("packets", what_is_written_is_read, completions_find_their_packet_in_any_order,
    a_daemon_that_dies_leaves_no_packet_behind, disconnecting_completes_what_was_never_sent,
    a_stale_handle_is_a_refusal_not_a_result, a_packet_keeps_its_buffer_until_all_of_it_is_sent,
    a_poll_loop_hears_of_a_packet_that_was_flushed, large_data_lands_where_it_belongs,
    a_callback_may_submit_and_end_the_connection,
    contradictions_are_refused_before_they_are_sent, a_cancelled_packet_ends_as_aborted,
    the_same_object_connects_again, a_callback_that_connects_again_is_told_to_wait)
