#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "check_main.h"
#include "mock_daemon.h"

static struct mock m;
static struct scsac *c;

static const uint8_t cdb[6] = { 0x12, 0, 0, 0, 36, 0 };
static uint8_t data[36];
static const struct scsac_cmd inquiry = { .handle = MOCK_HANDLE, .cdb = cdb, .cdb_len = 6,
	.direction = SCSAC_IN, .data = data, .data_len = sizeof(data) };

/* how to answer a submit wrongly */
enum wrong {
	TOO_MUCH_DATA,
	OTHER_METHOD,
	UNKNOWN_ID,
	MORE_OF_A_PACKET,
	LARGE_RESID,
	LONG_SENSE,
	BAD_LENGTH,
	A_REQUEST,
	STRAY_EVENT,
	DATA_WITH_ERROR,
	GARBAGE_MESSAGE,
	TWICE,
	CLOSING_ERROR,
	WRONG_N,
};

static void
answer_frame(struct mock *mock, const struct frame *frame, enum wrong wrong)
{
	struct frame_head head = { .kind = FRAME_KIND_REPLY, .method = METHOD_SUBMIT };
	Scsad__Completion msg = SCSAD__COMPLETION__INIT;
	uint8_t bytes[400] = { 0 };

	head.id = wrong == UNKNOWN_ID ? frame->head.id + 1 : frame->head.id;
	head.method = wrong == OTHER_METHOD ? METHOD_LIST : METHOD_SUBMIT;
	head.data_len = wrong == TOO_MUCH_DATA ? 37 : wrong == DATA_WITH_ERROR ? 1 : 0;
	head.has_more = wrong == MORE_OF_A_PACKET;
	if (wrong == A_REQUEST)
		head.kind = FRAME_KIND_REQUEST;
	if (wrong == DATA_WITH_ERROR)
		head.kind = FRAME_KIND_ERROR;
	if (wrong == STRAY_EVENT)
		head = (struct frame_head){ .kind = FRAME_KIND_EVENT, .method = METHOD_LIST };
	msg.has_resid = wrong == LARGE_RESID;
	msg.resid = 37;
	msg.has_sense = wrong == LONG_SENSE;
	msg.sense.len = PROTO_SENSE_MAX + 1;
	msg.sense.data = bytes;
	mock_send(mock, &head, &msg.base, bytes);
	if (wrong == TWICE)
		mock_send(mock, &head, &msg.base, bytes);
}

static bool
answer_wrongly(struct mock *mock, const struct frame *frame)
{
	enum wrong wrong = *(enum wrong *)mock->arg;
	uint8_t head[FRAME_HEAD_LEN + 1] = { 0 };

	if (frame->head.method != METHOD_SUBMIT)
		return false;
	if (wrong == CLOSING_ERROR) {
		mock_error(mock, 0, SCSAD__ERROR_CODE__ERR_TIMEOUT, "too slow");
		return true;
	}
	if (wrong != BAD_LENGTH && wrong != GARBAGE_MESSAGE) {
		answer_frame(mock, frame, wrong);
		return true;
	}
	le32_put(head, 1);
	le16_put(head + 4, METHOD_SUBMIT);
	head[6] = FRAME_KIND_REPLY;
	le32_put(head + 8, frame->head.id);
	le32_put(head + 12, wrong == BAD_LENGTH ? 2 : 0);
	head[16] = 0xff;
	mock_raw(mock, head, sizeof(head));
	return true;
}

START_TEST(each_wrong_answer_ends_the_connection_and_the_packet_once)
{
	for (int wrong = 0; wrong < WRONG_N; wrong++) {
		struct scsac_result result = { 0 };
		enum wrong how = (enum wrong)wrong;

		mock_init(&m);
		m.hook = answer_wrongly;
		m.arg = &how;
		c = mock_connect(&m);
		ck_assert_msg(scsac_exec(c, &inquiry, &result) == 0, "wrong %d", wrong);
		ck_assert_msg(result.is_unknown == (wrong != TWICE), "wrong %d", wrong);
		while (scsac_wait(c, -1) >= 0)
			;
		ck_assert_msg(!scsac_is_ready(c), "wrong %d", wrong);
		ck_assert_uint_gt(strlen(scsac_last_error(c)->text), 5);
		if (wrong == CLOSING_ERROR)
			ck_assert_int_eq(scsac_last_error(c)->code, SCSAC_TIMEOUT);
		scsac_free(c);
		mock_stop(&m);
		mock_fini(&m);
	}
}
END_TEST

static bool
never_answer(struct mock *mock, const struct frame *frame)
{
	(void)mock;
	return frame->head.method != METHOD_HELLO;
}

START_TEST(a_silent_daemon_is_given_up)
{
	struct scsac_list *list = NULL;

	mock_init(&m);
	m.hook = never_answer;
	c = mock_connect(&m);
	scsac_set_timeout(c, 20);
	ck_assert_int_eq(scsac_list(c, &list), -ETIMEDOUT);
	ck_assert_ptr_null(list);
	ck_assert(!scsac_is_ready(c));
	ck_assert_int_eq(scsac_list(c, &list), -ENOTCONN);
	scsac_free(c);
	mock_stop(&m);
	mock_fini(&m);
}
END_TEST

/* what hello may be answered with, and what connecting says then */
static bool
bad_hello(struct mock *mock, const struct frame *frame)
{
	Scsad__HelloReply msg = SCSAD__HELLO_REPLY__INIT;
	Scsad__Limits limits = SCSAD__LIMITS__INIT;
	int how = *(int *)mock->arg;

	if (how == 0) {
		mock_error(mock, frame->head.id, SCSAD__ERROR_CODE__ERR_VERSION, "too old");
		return true;
	}
	if (how == 1) {
		mock_error(mock, 0, SCSAD__ERROR_CODE__ERR_LIMIT, "too many connections");
		return true;
	}
	if (how == 2) {
		close_fd(&mock->fd);
		return true;
	}
	msg.has_major = 1;
	msg.major = how == 3 ? PROTO_MAJOR + 1 : PROTO_MAJOR;
	limits.has_requests_max = 1;
	limits.requests_max = how == 4 ? 0 : PROTO_REQUESTS_MAX + 1;
	msg.limits = &limits;
	mock_reply(mock, frame, &msg.base, NULL, 0);
	return true;
}

START_TEST(a_refused_hello_says_why)
{
	static const int errs[] = { -EPROTONOSUPPORT, -EMSGSIZE, -ENOTCONN, -EPROTONOSUPPORT,
		-EBADMSG, -EBADMSG };

	for (int how = 0; how < (int)ARRAY_LEN(errs); how++) {
		mock_init(&m);
		m.hook = bad_hello;
		m.arg = &how;
		ck_assert_int_eq(scsac_new("test", &c), 0);
		ck_assert_int_eq(scsac_start_fd(c, mock_start(&m)), 0);
		ck_assert_int_eq(scsac_connect(c, NULL), errs[how]);
		ck_assert(!scsac_is_ready(c));
		ck_assert_uint_gt(strlen(scsac_last_error(c)->text), 5);
		scsac_free(c);
		mock_stop(&m);
		mock_fini(&m);
	}
}
END_TEST

START_TEST(no_daemon_is_told_with_a_hint)
{
	char path[200];

	ck_assert_int_eq(scsac_new("test", &c), 0);
	ck_assert_int_eq(scsac_connect(c, "/nonexistent/scsad.sock"), -ENOENT);
	ck_assert_ptr_nonnull(strstr(scsac_last_error(c)->hint, "scsad"));
	ck_assert_int_eq(scsac_last_error(c)->sys_errno, ENOENT);
	ck_assert_int_eq(setenv(PROTO_SOCKET_ENV, "/nonexistent/other", 1), 0);
	ck_assert_int_eq(scsac_connect(c, NULL), -ENOENT);
	ck_assert_ptr_nonnull(strstr(scsac_last_error(c)->text, "/nonexistent/other"));
	memset(path, 'p', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(scsac_connect(c, path), -ENAMETOOLONG);
	ck_assert_int_eq(scsac_start_fd(c, -1), -EBADF);
	ck_assert_int_eq(scsac_wait(c, 0), -ENOTCONN);
	scsac_free(c);
	scsac_free(NULL);
}
END_TEST

START_TEST(a_second_start_closes_its_socket)
{
	int fds[2];
	char byte;

	mock_init(&m);
	c = mock_connect(&m);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(scsac_start_fd(c, fds[0]), -EISCONN);
	ck_assert_int_eq(read(fds[1], &byte, 1), 0);
	(void)close(fds[1]);
	scsac_free(c);
	mock_stop(&m);
	mock_fini(&m);
}
END_TEST

START_TEST(a_name_that_is_too_long_is_refused)
{
	char name[PROTO_NAME_MAX + 2];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(scsac_new(name, &c), -EINVAL);
	name[sizeof(name) - 2] = '\0';
	ck_assert_int_eq(scsac_new(name, &c), 0);
	scsac_free(c);
}
END_TEST

CHECK_MAIN("bad daemons", each_wrong_answer_ends_the_connection_and_the_packet_once,
    a_silent_daemon_is_given_up, a_refused_hello_says_why, no_daemon_is_told_with_a_hint,
    a_second_start_closes_its_socket, a_name_that_is_too_long_is_refused)
