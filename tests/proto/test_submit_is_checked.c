#include <errno.h>

#include "check_main.h"
#include "proto/limits.h"
#include "proto/message.h"

#define DATA_MAX 4096u
#define IN       SCSAD__DIRECTION__DIR_IN
#define OUT      SCSAD__DIRECTION__DIR_OUT
#define NONE     SCSAD__DIRECTION__DIR_NONE

static uint8_t cdb[PROTO_CDB_MAX + 1];
static struct msg_fault fault;

static Scsad__SubmitRequest
submit(Scsad__Direction direction, uint32_t data_len)
{
	Scsad__SubmitRequest req = SCSAD__SUBMIT_REQUEST__INIT;

	req.has_handle = 1;
	req.handle = 1;
	req.has_cdb = 1;
	req.cdb.data = cdb;
	req.cdb.len = 10;
	req.direction = direction;
	req.data_len = data_len;
	return req;
}

START_TEST(data_agrees_with_direction_and_frame)
{
	static const struct {
		Scsad__Direction direction;
		uint32_t data_len, frame_len;
		int result;
	} rows[] = {
	    {NONE, 0, 0, 0},
	    {NONE, 1, 0, -EINVAL},
	    {NONE, 0, 1, -EINVAL},
	    {IN, 512, 0, 0},
	    {IN, 512, 512, -EINVAL},
	    {IN, 0, 0, -EINVAL},
	    {OUT, 512, 512, 0},
	    {OUT, 512, 511, -EINVAL},
	    {OUT, 512, 513, -EINVAL},
	    {OUT, 512, 0, -EINVAL},
	    {OUT, 0, 0, -EINVAL},
	    {IN, DATA_MAX - 1, 0, 0},
	    {IN, DATA_MAX, 0, 0},
	    {IN, DATA_MAX + 1, 0, -EMSGSIZE},
	    {OUT, DATA_MAX + 1, DATA_MAX + 1, -EMSGSIZE},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		Scsad__SubmitRequest req = submit(rows[i].direction, rows[i].data_len);

		ck_assert_msg(msg_check_submit(&req, rows[i].frame_len, DATA_MAX, &fault) ==
				  rows[i].result,
		    "row %zu", i);
	}
}
END_TEST

START_TEST(handle_and_cdb_must_be_there)
{
	Scsad__SubmitRequest req = submit(NONE, 0);

	req.has_handle = 0;
	ck_assert_int_eq(msg_check_submit(&req, 0, DATA_MAX, &fault), -EINVAL);
	ck_assert_str_eq(fault.field, "handle");
	req = submit(NONE, 0);
	req.has_cdb = 0;
	ck_assert_int_eq(msg_check_submit(&req, 0, DATA_MAX, &fault), -EINVAL);
	ck_assert_str_eq(fault.field, "cdb");
}
END_TEST

START_TEST(fields_keep_their_ranges)
{
	Scsad__SubmitRequest req = submit(NONE, 0);

	for (size_t len = 0; len <= PROTO_CDB_MAX + 1; len++) {
		bool is_good = len >= PROTO_CDB_MIN && len <= PROTO_CDB_MAX;

		req.cdb.len = len;
		ck_assert_int_eq(
		    msg_check_submit(&req, 0, DATA_MAX, &fault), is_good ? 0 : -EINVAL);
		ck_assert_int_eq(msg_check(&req.base, &fault), is_good ? 0 : -EINVAL);
	}
	req = submit(NONE, 0);
	*(int *)&req.direction = 3;
	ck_assert_int_eq(msg_check_submit(&req, 0, DATA_MAX, &fault), -EINVAL);
	*(int *)&req.direction = -1;
	ck_assert_int_eq(msg_check_submit(&req, 0, DATA_MAX, &fault), -EINVAL);
	req = submit(NONE, 0);
	*(int *)&req.attribute = 4;
	ck_assert_int_eq(msg_check_submit(&req, 0, DATA_MAX, NULL), -EINVAL);
	req = submit(NONE, 0);
	req.timeout_ms = PROTO_TIMEOUT_MAX_MS;
	ck_assert_int_eq(msg_check_submit(&req, 0, DATA_MAX, &fault), 0);
	req.timeout_ms++;
	ck_assert_int_eq(msg_check_submit(&req, 0, DATA_MAX, &fault), -EINVAL);
}
END_TEST

START_TEST(sense_is_limited)
{
	Scsad__Completion msg = SCSAD__COMPLETION__INIT;

	msg.has_sense = 1;
	msg.sense.len = PROTO_SENSE_MAX;
	ck_assert_int_eq(msg_check(&msg.base, &fault), 0);
	msg.sense.len = PROTO_SENSE_MAX + 1;
	ck_assert_int_eq(msg_check(&msg.base, &fault), -EINVAL);
	ck_assert_str_eq(fault.field, "sense");
}
END_TEST

CHECK_MAIN("submit checks", data_agrees_with_direction_and_frame, handle_and_cdb_must_be_there,
    fields_keep_their_ranges, sense_is_limited)
