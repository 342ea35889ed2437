/* garbage, limits, order: a typed error or a closed connection, and nobody else notices */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "check_main.h"
#include "mock_client.h"

static void
head_put(uint8_t *b, uint32_t payload, uint16_t method, uint8_t flags, uint8_t fds, uint32_t id,
    uint32_t data)
{
	le32_put(b, payload);
	le16_put(b + 4, method);
	b[6] = flags;
	b[7] = fds;
	le32_put(b + 8, id);
	le32_put(b + 12, data);
}

START_TEST(bad_headers_close)
{
	static const struct {
		const char *why;
		uint32_t payload;
		uint16_t method;
		uint8_t flags, fds;
		uint32_t id, data;
		Scsad__ErrorCode code;
	} rows[] = {
		{ "message above the limit", PROTO_MESSAGE_MAX + 1, METHOD_LIST, 0, 0, 1, 0,
		    SCSAD__ERROR_CODE__ERR_LIMIT },
		{ "data above the limit", PROTO_DATA_DEFAULT + 1, METHOD_SUBMIT, 0, 0, 1,
		    PROTO_DATA_DEFAULT + 1, SCSAD__ERROR_CODE__ERR_LIMIT },
		{ "more data than payload", 4, METHOD_SUBMIT, 0, 0, 1, 5,
		    SCSAD__ERROR_CODE__ERR_BAD_FRAME },
		{ "everything", UINT32_MAX, 0xffff, 0xff, 0xff, UINT32_MAX, UINT32_MAX,
		    SCSAD__ERROR_CODE__ERR_BAD_FRAME },
		{ "reserved flag", 0, METHOD_LIST, 0x40, 0, 1, 0,
		    SCSAD__ERROR_CODE__ERR_BAD_FRAME },
		{ "descriptors", 0, METHOD_LIST, 0, 1, 1, 0, SCSAD__ERROR_CODE__ERR_BAD_FRAME },
		{ "no id", 0, METHOD_LIST, 0, 0, 0, 0, SCSAD__ERROR_CODE__ERR_BAD_FRAME },
	};
	struct fixture f;
	struct mc other, c;

	fixture_simple(&f);
	mc_connect(&f, &other);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t b[FRAME_HEAD_LEN];
		Scsad__ErrorCode code;

		mc_connect(&f, &c);
		head_put(b, rows[i].payload, rows[i].method, rows[i].flags, rows[i].fds,
		    rows[i].id, rows[i].data);
		mc_write(&c, b, sizeof(b));
		code = mc_error(&c, 0);
		ck_assert_msg(code == rows[i].code ||
		    (rows[i].payload == UINT32_MAX && code == SCSAD__ERROR_CODE__ERR_LIMIT),
		    "%s: code %d", rows[i].why, (int)code);
		mc_expect_end(&c);
		mc_close(&c);
		mc_check_alive(&other);
	}
	mc_close(&other);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}
END_TEST

START_TEST(garbage_never_hurts)
{
	struct fixture f;
	struct mc other, c;
	struct rng rng = rng_init(42);

	fixture_simple(&f);
	mc_connect(&f, &other);
	for (unsigned int round = 0; round < 60; round++) {
		uint8_t b[512];
		size_t len = 1 + (size_t)rng_below(&rng, sizeof(b));

		for (size_t i = 0; i < len; i++)
			b[i] = (uint8_t)rng_next(&rng);
		/* half of the time a believable header around it */
		if (round % 2 == 0 && len > FRAME_HEAD_LEN)
			head_put(b, (uint32_t)(len - FRAME_HEAD_LEN), (uint16_t)rng_below(&rng,
			    METHOD_N + 1), 0, 0, 1, 0);
		if (round % 3 == 0)
			mc_connect_raw(&f, &c);
		else
			mc_connect(&f, &c);
		mc_write(&c, b, len);
		mc_close(&c);
	}
	mc_check_alive(&other);
	mc_close(&other);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}
END_TEST

START_TEST(hello_comes_first)
{
	struct fixture f;
	struct mc c;
	Scsad__ListRequest req = SCSAD__LIST_REQUEST__INIT;

	fixture_simple(&f);
	mc_connect_raw(&f, &c);
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_LIST, &req.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_NOT_READY);
	mc_expect_end(&c);
	mc_close(&c);

	mc_connect_raw(&f, &c);
	ck_assert_int_eq(mc_error(&c, mc_send_hello(&c, PROTO_MAJOR + 1)),
	    SCSAD__ERROR_CODE__ERR_VERSION);
	mc_expect_end(&c);
	mc_close(&c);

	mc_connect(&f, &c);
	ck_assert_int_eq(mc_error(&c, mc_send_hello(&c, PROTO_MAJOR)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	mc_expect_end(&c);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(unknown_feature_is_refused)
{
	struct fixture f;
	struct mc c;
	Scsad__HelloRequest req = SCSAD__HELLO_REQUEST__INIT;

	fixture_simple(&f);
	mc_connect_raw(&f, &c);
	req.has_major = req.has_features_required = 1;
	req.major = PROTO_MAJOR;
	req.features_required = 1ull << 63;
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_HELLO, &req.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_VERSION);
	mc_expect_end(&c);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(hello_grants_no_more_than_configured)
{
	struct fixture f;
	struct mc c;
	Scsad__HelloRequest req = SCSAD__HELLO_REQUEST__INIT;
	Scsad__Limits limits = SCSAD__LIMITS__INIT;
	const Scsad__HelloReply *reply;

	fixture_simple(&f);
	mc_connect_raw(&f, &c);
	req.has_major = 1;
	req.major = PROTO_MAJOR;
	req.limits = &limits;
	limits.has_data_bytes_max = limits.has_requests_max = 1;
	limits.data_bytes_max = 8192;
	limits.requests_max = 1u << 20;
	reply = mc_reply(&c, mc_send(&c, METHOD_HELLO, &req.base, NULL, 0),
	    &scsad__hello_reply__descriptor);
	ck_assert_uint_eq(reply->limits->data_bytes_max, 8192);
	ck_assert_uint_eq(reply->limits->requests_max, PROTO_REQUESTS_DEFAULT);
	ck_assert_uint_eq(reply->instance.len, PROTO_INSTANCE_LEN);
	ck_assert_int_eq(reply->role, SCSAD__ROLE__ROLE_ADMIN);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(unknown_method_survives)
{
	struct fixture f;
	struct mc c;

	fixture_simple(&f);
	mc_connect(&f, &c);
	ck_assert_int_eq(mc_error(&c, mc_send(&c, 4711, NULL, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_UNKNOWN_METHOD);
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_N, NULL, "abc", 3)),
	    SCSAD__ERROR_CODE__ERR_UNKNOWN_METHOD);
	mc_check_alive(&c);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(refused_data_is_thrown_away)
{
	struct fixture f;
	struct mc c;
	static uint8_t data[300000];

	memset(data, 0xff, sizeof(data));
	fixture_simple(&f);
	mc_connect(&f, &c);
	/* no method but submit takes data */
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_LIST, NULL, data, sizeof(data))),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	mc_check_alive(&c);
	/* and submit not under a handle that was never given */
	ck_assert_int_eq(mc_error(&c, mc_submit(&c, 0x100000001,
	    (const uint8_t *)"\x2a\0\0\0\0\0\0\2\x48\0",
	    10, SCSAD__DIRECTION__DIR_OUT, data, sizeof(data))),
	    SCSAD__ERROR_CODE__ERR_STALE_HANDLE);
	mc_check_alive(&c);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(message_of_nonsense_survives)
{
	struct fixture f;
	struct mc c;
	uint8_t b[FRAME_HEAD_LEN + 4];

	fixture_simple(&f);
	mc_connect(&f, &c);
	head_put(b, 4, METHOD_OPEN, 0, 0, 9, 0);
	memset(b + FRAME_HEAD_LEN, 0xff, 4);
	mc_write(&c, b, sizeof(b));
	ck_assert_int_eq(mc_error(&c, 9), SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	mc_check_alive(&c);
	/* replies are not for clients to send */
	head_put(b, 0, METHOD_OPEN, 1, 0, 9, 0);
	mc_write(&c, b, FRAME_HEAD_LEN);
	mc_expect_end(&c);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(descriptors_are_refused)
{
	struct fixture f;
	struct mc c;
	uint8_t b[FRAME_HEAD_LEN];
	struct iovec iov = { b, sizeof(b) };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 2)];
	} control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	int fds[2] = { 0, 1 };

	fixture_simple(&f);
	mc_connect(&f, &c);
	head_put(b, 0, METHOD_LIST, 0, 0, 1, 0);
	CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), fds, sizeof(fds));
	ck_assert_int_eq(sendmsg(c.fd, &msg, 0), sizeof(b));
	ck_assert_int_eq(mc_error(&c, 0), SCSAD__ERROR_CODE__ERR_BAD_FRAME);
	mc_expect_end(&c);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

CHECK_MAIN("bad frames", bad_headers_close, garbage_never_hurts, hello_comes_first,
    unknown_feature_is_refused, hello_grants_no_more_than_configured, unknown_method_survives,
    refused_data_is_thrown_away, message_of_nonsense_survives, descriptors_are_refused)
