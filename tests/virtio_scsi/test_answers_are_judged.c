/* the device's answer to a command: every response, residuals, sense; and what the moment makes
 * of them */
#include <errno.h>
#include <string.h>
#include <sys/scsi/scsi.h>

#include "base/bytes.h"
#include "check_main.h"
#include "hw/virtio_scsi/layout.h"

#define SENT	(STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD)
#define DONE	(SENT | STATE_GOT_STATUS)

static uint8_t head[VS_RESP_SENSE];
static struct vs_result result;

static void
answer(uint8_t response, uint8_t status, uint32_t resid, uint32_t sense)
{
	memset(head, 0, sizeof(head));
	head[VS_RESP_RESPONSE] = response;
	head[VS_RESP_STATUS] = status;
	le32_put(head + VS_RESP_RESIDUAL, resid);
	le32_put(head + VS_RESP_SENSE_LEN, sense);
}

static int
judge(size_t bytes, bool is_expired, bool was_known, bool is_bus_reset)
{
	const struct vs_fate fate = { bytes, is_expired, was_known, is_bus_reset };

	memset(&result, 0xff, sizeof(result));
	return vs_response_judge(head, &fate, &result);
}

static void
expect(uint8_t reason, unsigned int state, unsigned int stats, size_t resid)
{
	ck_assert_uint_eq(result.reason, reason);
	ck_assert_uint_eq(result.state, state);
	ck_assert_uint_eq(result.stats, stats);
	ck_assert_uint_eq(result.resid, resid);
}

START_TEST(every_response_has_its_result)
{
	static const struct {
		uint8_t response, reason, status;
		unsigned int state, stats;
		size_t resid;
	} rows[] = {
		{ VS_RESPONSE_OVERRUN, CMD_DATA_OVR, 0, SENT | STATE_XFERRED_DATA, 0, 0 },
		{ VS_RESPONSE_ABORTED, CMD_ABORTED, 0, SENT, STAT_ABORTED, 512 },
		{ VS_RESPONSE_BAD_TARGET, CMD_INCOMPLETE, 0, STATE_GOT_BUS, 0, 512 },
		{ VS_RESPONSE_RESET, CMD_RESET, 0, SENT, STAT_DEV_RESET, 512 },
		{ VS_RESPONSE_BUSY, CMD_CMPLT, STATUS_BUSY, DONE, 0, 512 },
		{ VS_RESPONSE_TRANSPORT_FAILURE, CMD_TRAN_ERR, 0, STATE_GOT_BUS, 0, 512 },
		{ VS_RESPONSE_TARGET_FAILURE, CMD_TRAN_ERR, 0, STATE_GOT_BUS, 0, 512 },
		{ VS_RESPONSE_NEXUS_FAILURE, CMD_CMPLT, STATUS_RESERVATION_CONFLICT, DONE, 0,
		    512 },
		{ VS_RESPONSE_FAILURE, CMD_TRAN_ERR, 0, STATE_GOT_BUS, 0, 512 },
		{ VS_RESPONSE_TMF_SUCCEEDED, CMD_TRAN_ERR, 0, STATE_GOT_BUS, 0, 512 },
		{ VS_RESPONSE_TMF_REJECTED, CMD_TRAN_ERR, 0, STATE_GOT_BUS, 0, 512 },
		{ VS_RESPONSE_INCORRECT_LUN, CMD_INCOMPLETE, 0, STATE_GOT_BUS, 0, 512 },
		{ 13, CMD_TRAN_ERR, 0, STATE_GOT_BUS, 0, 512 },
		{ VS_RESPONSE_NONE, CMD_TRAN_ERR, 0, STATE_GOT_BUS, 0, 512 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* status, residual and sense mean nothing with these */
		answer(rows[i].response, STATUS_CHECK, 0xffff, 0xffff);
		ck_assert_int_eq(judge(512, false, false, false), 0);
		expect(rows[i].reason, rows[i].state, rows[i].stats, rows[i].resid);
		ck_assert_uint_eq(result.status, rows[i].status);
		ck_assert_uint_eq(result.sense_bytes, 0);
	}
}
END_TEST

START_TEST(residuals)
{
	answer(0, 0, 0, 0);
	ck_assert_int_eq(judge(512, false, true, false), 0);
	expect(CMD_CMPLT, DONE | STATE_XFERRED_DATA, 0, 0);
	answer(0, 0, 500, 0);
	ck_assert_int_eq(judge(512, false, true, false), 0);
	expect(CMD_CMPLT, DONE | STATE_XFERRED_DATA, 0, 500);
	answer(0, 0, 512, 0);
	ck_assert_int_eq(judge(512, false, true, false), 0);
	expect(CMD_CMPLT, DONE, 0, 512);
	answer(0, 0, 0, 0);
	ck_assert_int_eq(judge(0, false, true, false), 0);
	expect(CMD_CMPLT, DONE, 0, 0);
	ck_assert(!result.was_clamped);
}
END_TEST

START_TEST(a_residual_below_zero_is_none)
{
	/* the buffer was longer than the command, and the device has moved all of it */
	answer(0, 0, (uint32_t)-3584, 0);
	ck_assert_int_eq(judge(4096, false, true, false), 0);
	expect(CMD_CMPLT, DONE | STATE_XFERRED_DATA, 0, 0);
	ck_assert(result.was_clamped);
}
END_TEST

START_TEST(a_residual_above_the_length_is_a_lie)
{
	answer(0, 0, 513, 0);
	ck_assert_int_eq(judge(512, false, true, false), -EPROTO);
	answer(0, 0, INT32_MAX, 0);
	ck_assert_int_eq(judge(512, false, true, false), -EPROTO);
}
END_TEST

START_TEST(sense_up_to_its_room)
{
	answer(0, STATUS_CHECK, 0, 18);
	ck_assert_int_eq(judge(0, false, true, false), 0);
	expect(CMD_CMPLT, DONE, 0, 0);
	ck_assert_uint_eq(result.status, STATUS_CHECK);
	ck_assert_uint_eq(result.sense_bytes, 18);
	answer(0, STATUS_CHECK, 0, VS_SENSE_BYTES);
	ck_assert_int_eq(judge(0, false, true, false), 0);
	ck_assert_uint_eq(result.sense_bytes, VS_SENSE_BYTES);
	answer(0, STATUS_CHECK, 0, VS_SENSE_BYTES + 1);
	ck_assert_int_eq(judge(0, false, true, false), -EPROTO);
	answer(0, STATUS_CHECK, 0, UINT32_MAX);
	ck_assert_int_eq(judge(0, false, true, false), -EPROTO);
	/* and none without a check condition */
	answer(0, STATUS_GOOD, 0, 18);
	ck_assert_int_eq(judge(0, false, true, false), 0);
	ck_assert_uint_eq(result.sense_bytes, 0);
}
END_TEST

START_TEST(one_whose_time_was_over_timed_out)
{
	answer(VS_RESPONSE_ABORTED, 0, 0, 0);
	ck_assert_int_eq(judge(512, true, true, false), 0);
	expect(CMD_TIMEOUT, SENT, STAT_TIMEOUT | STAT_ABORTED, 512);
	answer(VS_RESPONSE_RESET, 0, 0, 0);
	ck_assert_int_eq(judge(512, true, true, false), 0);
	expect(CMD_TIMEOUT, SENT, STAT_TIMEOUT | STAT_DEV_RESET, 512);
	/* the device was faster than the abort */
	answer(VS_RESPONSE_OK, 0, 0, 0);
	ck_assert_int_eq(judge(512, true, true, false), 0);
	expect(CMD_CMPLT, DONE | STATE_XFERRED_DATA, 0, 0);
}
END_TEST

START_TEST(a_reset_of_all_says_so)
{
	answer(VS_RESPONSE_RESET, 0, 0, 0);
	ck_assert_int_eq(judge(512, false, true, true), 0);
	expect(CMD_RESET, SENT, STAT_BUS_RESET, 512);
	ck_assert_int_eq(judge(512, true, true, true), 0);
	expect(CMD_TIMEOUT, SENT, STAT_TIMEOUT | STAT_BUS_RESET, 512);
}
END_TEST

START_TEST(who_was_there_before_has_gone)
{
	answer(VS_RESPONSE_BAD_TARGET, 0, 0, 0);
	ck_assert_int_eq(judge(512, false, true, false), 0);
	expect(CMD_DEV_GONE, STATE_GOT_BUS, 0, 512);
	answer(VS_RESPONSE_INCORRECT_LUN, 0, 0, 0);
	ck_assert_int_eq(judge(512, false, true, false), 0);
	expect(CMD_DEV_GONE, STATE_GOT_BUS, 0, 512);
}
END_TEST

CHECK_MAIN("answers", every_response_has_its_result, residuals, a_residual_below_zero_is_none,
    a_residual_above_the_length_is_a_lie, sense_up_to_its_room,
    one_whose_time_was_over_timed_out, a_reset_of_all_says_so, who_was_there_before_has_gone)
