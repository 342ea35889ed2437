#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "proto/frame.h"
#include "proto/limits.h"
#include "proto/method.h"

static const struct frame_limits limits = {1000, 5000};

static enum frame_result
judge(uint32_t payload, uint32_t data)
{
	uint8_t bytes[FRAME_HEAD_LEN] = {0};
	struct frame_head head;

	le32_put(bytes, payload);
	le16_put(bytes + 4, METHOD_SUBMIT);
	le32_put(bytes + 8, 1);
	le32_put(bytes + 12, data);
	return frame_head_decode(bytes, &limits, &head);
}

START_TEST(message_and_data_are_limited_apart)
{
	ck_assert_int_eq(judge(0, 0), FRAME_READY);
	ck_assert_int_eq(judge(999, 0), FRAME_READY);
	ck_assert_int_eq(judge(1000, 0), FRAME_READY);
	ck_assert_int_eq(judge(1001, 0), FRAME_TOO_LONG);
	ck_assert_int_eq(judge(4999, 4999), FRAME_READY);
	ck_assert_int_eq(judge(5000, 5000), FRAME_READY);
	ck_assert_int_eq(judge(5001, 5001), FRAME_TOO_LONG);
	ck_assert_int_eq(judge(6000, 5000), FRAME_READY);
	ck_assert_int_eq(judge(6001, 5000), FRAME_TOO_LONG);
	ck_assert_int_eq(judge(6000, 4999), FRAME_TOO_LONG);
	ck_assert_int_eq(judge(0xffffffff, 0), FRAME_TOO_LONG);
	ck_assert_int_eq(judge(0xffffffff, 0xffffffff), FRAME_TOO_LONG);
	ck_assert_int_eq(judge(10, 11), FRAME_BAD_LENGTH);
	ck_assert_int_eq(judge(0, 0xffffffff), FRAME_BAD_LENGTH);
}
END_TEST

START_TEST(a_bad_header_is_told_before_its_payload_comes)
{
	uint8_t bytes[FRAME_HEAD_LEN] = {0};
	struct frame frame;

	le32_put(bytes, 1001);
	le32_put(bytes + 8, 1);
	ck_assert_int_eq(frame_next(bytes, sizeof(bytes), &limits, &frame), FRAME_TOO_LONG);
	ck_assert_int_eq(frame_peek(bytes, sizeof(bytes), &limits, &frame), FRAME_TOO_LONG);
	ck_assert_int_eq(
	    frame_next(bytes, sizeof(bytes) - 1, &limits, &frame), FRAME_NEED_MORE);
}
END_TEST

START_TEST(reserved_bits_and_descriptors_are_refused)
{
	for (unsigned bit = 0; bit < 8; bit++) {
		uint8_t bytes[FRAME_HEAD_LEN] = {0};
		struct frame_head head;
		bool is_reserved = bit >= 2 && bit != 7;

		bytes[6] = (uint8_t)(1u << bit);
		bytes[8] = bit == 1 ? 0 : 1; /* kind 2 is the event, without id */
		ck_assert_int_eq(frame_head_decode(bytes, &limits, &head),
		    is_reserved ? FRAME_BAD_FLAGS : FRAME_READY);
		bytes[6] = 0;
		bytes[7] = (uint8_t)(1u << bit);
		ck_assert_int_eq(frame_head_decode(bytes, &limits, &head), FRAME_BAD_FDS);
	}
}
END_TEST

START_TEST(ids_belong_to_requests_and_replies)
{
	static const struct {
		uint8_t flags;
		uint32_t id;
		enum frame_result result;
	} rows[] = {
	    {FRAME_KIND_REQUEST, 0, FRAME_BAD_ID},
	    {FRAME_KIND_REQUEST, 1, FRAME_READY},
	    {FRAME_KIND_REPLY, 0, FRAME_BAD_ID},
	    {FRAME_KIND_REPLY, 1, FRAME_READY},
	    {FRAME_KIND_EVENT, 0, FRAME_READY},
	    {FRAME_KIND_EVENT, 1, FRAME_BAD_ID},
	    {FRAME_KIND_ERROR, 0, FRAME_READY},
	    {FRAME_KIND_ERROR, 1, FRAME_READY},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t bytes[FRAME_HEAD_LEN] = {0};
		struct frame_head head;

		bytes[6] = rows[i].flags;
		le32_put(bytes + 8, rows[i].id);
		ck_assert_int_eq(frame_head_decode(bytes, &limits, &head), rows[i].result);
	}
}
END_TEST

START_TEST(pack_keeps_to_the_buffer_and_the_limits)
{
	Scsad__Error msg = SCSAD__ERROR__INIT;
	struct frame_head head = {.kind = FRAME_KIND_ERROR, .id = 9};
	static char text[PROTO_MESSAGE_MAX + 1];
	static uint8_t buf[PROTO_MESSAGE_MAX + FRAME_HEAD_LEN];
	size_t need;

	msg.text = text;
	memset(text, 'x', 100);
	need = FRAME_HEAD_LEN + scsad__error__get_packed_size(&msg);
	ck_assert_int_eq(frame_pack(buf, 0, &head, &msg.base), -ENOSPC);
	ck_assert_int_eq(frame_pack(buf, need - 1, &head, &msg.base), -ENOSPC);
	ck_assert_int_eq(frame_pack(buf, need, &head, &msg.base), (ptrdiff_t)need);
	ck_assert_int_eq(frame_pack(buf, sizeof(buf), &head, NULL), FRAME_HEAD_LEN);

	/* tag and length take four bytes: the text that makes exactly the largest message */
	memset(text, 'x', PROTO_MESSAGE_MAX - 4);
	ck_assert_int_eq(frame_pack(buf, sizeof(buf), &head, &msg.base), sizeof(buf));
	memset(text, 'x', PROTO_MESSAGE_MAX - 3);
	ck_assert_int_eq(frame_pack(buf, sizeof(buf), &head, &msg.base), -EMSGSIZE);

	head.data_len = PROTO_DATA_MAX;
	ck_assert_int_eq(frame_pack(buf, sizeof(buf), &head, NULL), FRAME_HEAD_LEN);
	head.data_len = PROTO_DATA_MAX + 1;
	ck_assert_int_eq(frame_pack(buf, sizeof(buf), &head, NULL), -EMSGSIZE);
}
END_TEST

START_TEST(every_result_has_words)
{
	for (int r = 0; r < FRAME_RESULT_N; r++)
		ck_assert_uint_gt(strlen(frame_result_text((enum frame_result)r)), 10);
	ck_assert_str_eq(frame_result_text(FRAME_RESULT_N), "frame result unknown");
}
END_TEST

CHECK_MAIN("frame limits", message_and_data_are_limited_apart,
    a_bad_header_is_told_before_its_payload_comes, reserved_bits_and_descriptors_are_refused,
    ids_belong_to_requests_and_replies, pack_keeps_to_the_buffer_and_the_limits,
    every_result_has_words)
