#include <string.h>

#include "check_main.h"
#include "proto/frame.h"
#include "proto/limits.h"
#include "proto/method.h"

#define DATA_LEN 7

static const struct frame_limits limits = {PROTO_MESSAGE_MAX, PROTO_DATA_DEFAULT};

/* one submit with data, and the first bytes of a second frame behind it */
static size_t
stream_make(uint8_t *buf, size_t size)
{
	Scsad__SubmitRequest req = SCSAD__SUBMIT_REQUEST__INIT;
	struct frame_head head = {.method = METHOD_SUBMIT, .id = 77, .data_len = DATA_LEN};
	uint8_t cdb[6] = {0x0a};
	ptrdiff_t n;

	req.has_cdb = 1;
	req.cdb.data = cdb;
	req.cdb.len = sizeof(cdb);
	n = frame_pack(buf, size, &head, &req.base);
	ck_assert_int_gt(n, FRAME_HEAD_LEN);
	memset(buf + n, 0xdd, DATA_LEN);
	memset(buf + n + DATA_LEN, 0, 5);
	return (size_t)n + DATA_LEN;
}

START_TEST(next_waits_for_the_last_byte)
{
	uint8_t buf[256];
	size_t len = stream_make(buf, sizeof(buf));
	struct frame frame = {0};

	ck_assert_int_eq(frame_next(NULL, 0, &limits, &frame), FRAME_NEED_MORE);
	for (size_t cut = 0; cut < len; cut++)
		ck_assert_int_eq(frame_next(buf, cut, &limits, &frame), FRAME_NEED_MORE);
	for (size_t extra = 0; extra < 5; extra++) {
		ck_assert_int_eq(frame_next(buf, len + extra, &limits, &frame), FRAME_READY);
		ck_assert_uint_eq(frame.len, len);
		ck_assert_uint_eq(frame.data_here, DATA_LEN);
		ck_assert_uint_eq(frame.data[DATA_LEN - 1], 0xdd);
		ck_assert_uint_eq(frame.head.id, 77);
		ck_assert_uint_eq(frame.head.method, METHOD_SUBMIT);
		ck_assert_int_eq(frame.head.kind, FRAME_KIND_REQUEST);
	}
}
END_TEST

START_TEST(peek_is_content_with_the_message)
{
	uint8_t buf[256];
	size_t len = stream_make(buf, sizeof(buf));
	size_t head_and_msg = len - DATA_LEN;
	struct frame frame;

	for (size_t cut = 0; cut < head_and_msg; cut++)
		ck_assert_int_eq(frame_peek(buf, cut, &limits, &frame), FRAME_NEED_MORE);
	for (size_t here = 0; here <= DATA_LEN; here++) {
		ck_assert_int_eq(
		    frame_peek(buf, head_and_msg + here, &limits, &frame), FRAME_READY);
		ck_assert_uint_eq(frame.data_here, here);
		ck_assert_uint_eq(frame.len, head_and_msg + here);
		ck_assert_uint_eq(frame.head.data_len, DATA_LEN);
	}
}
END_TEST

START_TEST(header_survives_the_way_there_and_back)
{
	const struct frame_head heads[] = {
	    {.msg_len = 1, .data_len = 2, .method = 0xffff, .id = 1},
	    {.kind = FRAME_KIND_REPLY, .has_more = true, .method = 3, .id = 0xffffffff},
	    {.kind = FRAME_KIND_EVENT, .method = METHOD_SUBSCRIBE},
	    {.kind = FRAME_KIND_ERROR},
	};

	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		uint8_t bytes[FRAME_HEAD_LEN];
		struct frame_head back;

		frame_head_encode(bytes, &heads[i]);
		ck_assert_int_eq(frame_head_decode(bytes, &limits, &back), FRAME_READY);
		ck_assert_uint_eq(back.msg_len, heads[i].msg_len);
		ck_assert_uint_eq(back.data_len, heads[i].data_len);
		ck_assert_uint_eq(back.method, heads[i].method);
		ck_assert_int_eq(back.kind, heads[i].kind);
		ck_assert_int_eq(back.has_more, heads[i].has_more);
		ck_assert_uint_eq(back.id, heads[i].id);
	}
}
END_TEST

CHECK_MAIN("frame at every cut", next_waits_for_the_last_byte, peek_is_content_with_the_message,
    header_survives_the_way_there_and_back)
