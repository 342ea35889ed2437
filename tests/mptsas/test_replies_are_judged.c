/* what the chip says, and what that is for a packet; every length it claims is checked */
#include <errno.h>
#include <string.h>
#include <sys/scsi/scsi.h>

#include "base/bytes.h"
#include "check_main.h"
#include "hw/mptsas/reply.h"
#include "hw/mptsas/ring.h"

#define SENT	(STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD)
#define LEN	4096u

static const struct {
	uint16_t status;
	uint8_t scsi, state;
	uint32_t moved;
	uint8_t reason;
	uint_t pkt_state;
	uint32_t want_moved;
} rows[] = {
	{ MPT_S_OK, STATUS_GOOD, 0, 0, CMD_CMPLT, SENT | STATE_GOT_STATUS | 8, LEN },
	{ MPT_S_RECOVERED, STATUS_GOOD, 0, LEN, CMD_CMPLT, SENT | STATE_GOT_STATUS | 8, LEN },
	{ MPT_S_UNDERRUN, STATUS_GOOD, 0, 100, CMD_CMPLT, SENT | STATE_GOT_STATUS | 8, 100 },
	{ MPT_S_UNDERRUN, STATUS_CHECK, 0, 0, CMD_CMPLT, SENT | STATE_GOT_STATUS, 0 },
	{ MPT_S_RESIDUAL, STATUS_GOOD, 0, LEN + 1, CMD_CMPLT, SENT | STATE_GOT_STATUS | 8,
	    LEN },
	{ MPT_S_OK, STATUS_QFULL, 0, 77, CMD_CMPLT, SENT | STATE_GOT_STATUS, 0 },
	{ MPT_S_OK, STATUS_BUSY, 0, 0, CMD_CMPLT, SENT | STATE_GOT_STATUS, 0 },
	{ MPT_S_OK, 0, MPT_IO_STATE_NO_STATUS, 0, CMD_TRAN_ERR, STATE_GOT_BUS, 0 },
	{ MPT_S_OK, 0, MPT_IO_STATE_NO_STATUS | MPT_IO_STATE_TERMINATED, 0, CMD_RESET, SENT,
	    0 },
	{ MPT_S_BUSY, 0, 0, 0, CMD_CMPLT, SENT | STATE_GOT_STATUS, 0 },
	{ MPT_S_RESOURCES, 0, 0, 0, CMD_CMPLT, SENT | STATE_GOT_STATUS, 0 },
	{ MPT_S_SGL, 0, 0, 0, CMD_TRAN_ERR, STATE_GOT_BUS, 0 },
	{ MPT_S_FIELD, 0, 0, 0, CMD_TRAN_ERR, STATE_GOT_BUS, 0 },
	{ MPT_S_BUS, 0, 0, 0, CMD_INCOMPLETE, STATE_GOT_BUS, 0 },
	{ MPT_S_TARGET, 0, 0, 0, CMD_INCOMPLETE, STATE_GOT_BUS, 0 },
	{ MPT_S_ABSENT, 0, 0, 0, CMD_DEV_GONE, STATE_GOT_BUS, 0 },
	{ MPT_S_OVERRUN, 0, MPT_IO_STATE_NO_STATUS, 0, CMD_DATA_OVR, SENT, 0 },
	{ MPT_S_OVERRUN, 0, MPT_IO_STATE_NO_STATUS, 9999, CMD_DATA_OVR, SENT | 8, LEN },
	{ MPT_S_OVERRUN, STATUS_GOOD, 0, LEN, CMD_CMPLT, SENT | STATE_GOT_STATUS | 8, LEN },
	{ MPT_S_DATA, 0, 0, 0, CMD_TRAN_ERR, STATE_GOT_BUS, 0 },
	{ MPT_S_PROTOCOL, 0, 0, 0, CMD_TRAN_ERR, STATE_GOT_BUS, 0 },
	{ MPT_S_TERMINATED, 0, MPT_IO_STATE_TERMINATED, 5, CMD_RESET, SENT, 0 },
	{ MPT_S_IOC_TERMINATED, 0, 0, 0, CMD_RESET, SENT, 0 },
	{ MPT_S_EXT_TERMINATED, 0, 0, 0, CMD_RESET, SENT, 0 },
	{ 0x7fff, 0, 0, 0, CMD_TRAN_ERR, STATE_GOT_BUS, 0 },
};

static uint8_t frame[64];

static void
make(uint16_t status, uint8_t scsi, uint8_t state, uint32_t moved)
{
	memset(frame, 0, sizeof(frame));
	frame[MPT_R_LENGTH] = 9;
	le32_put(frame + MPT_CONTEXT, 0x777);
	le16_put(frame + MPT_R_STATUS, status);
	frame[MPT_IOR_SCSI_STATUS] = scsi;
	frame[MPT_IOR_STATE] = state;
	le32_put(frame + MPT_IOR_MOVED, moved);
}

static int
judge(struct reply_result *ret)
{
	struct reply_head head;

	ck_assert_int_eq(mpt_reply_head_read(frame, sizeof(frame), &head), 0);
	ck_assert_uint_eq(head.context, 0x777);
	return mpt_reply_io_read(frame, &head, LEN, ret);
}

START_TEST(every_status)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct reply_result r;

		make(rows[i].status, rows[i].scsi, rows[i].state, rows[i].moved);
		ck_assert_int_eq(judge(&r), 0);
		ck_assert_msg(r.reason == rows[i].reason, "row %zu: reason %u", i, r.reason);
		ck_assert_msg(r.state == rows[i].pkt_state, "row %zu: state %x", i, r.state);
		ck_assert_msg(r.moved == rows[i].want_moved, "row %zu: %u", i, r.moved);
		ck_assert(r.is_killed == (r.reason == CMD_RESET));
		ck_assert(r.is_absent == (r.reason == CMD_DEV_GONE));
		ck_assert(r.is_queue_full == (rows[i].scsi == STATUS_QFULL));
		ck_assert_uint_eq(r.stats, rows[i].status == MPT_S_DATA ? STAT_PERR : 0);
	}
}
END_TEST

START_TEST(sense)
{
	struct reply_result r;

	make(MPT_S_UNDERRUN, STATUS_CHECK, MPT_IO_STATE_SENSE, 0);
	le32_put(frame + MPT_IOR_SENSE_COUNT, 18);
	ck_assert_int_eq(judge(&r), 0);
	ck_assert_uint_eq(r.sense_bytes, 18);
	le32_put(frame + MPT_IOR_SENSE_COUNT, RING_SENSE_LEN);
	ck_assert_int_eq(judge(&r), 0);
	le32_put(frame + MPT_IOR_SENSE_COUNT, RING_SENSE_LEN + 1);
	ck_assert_int_eq(judge(&r), -EPROTO);
	/* it tried, and failed: whoever asks gets none */
	make(MPT_S_UNDERRUN, STATUS_CHECK, MPT_IO_STATE_SENSE_BAD, 0);
	ck_assert_int_eq(judge(&r), 0);
	ck_assert_uint_eq(r.sense_bytes, 0);
	mpt_reply_io_good(0, &r);
	ck_assert_uint_eq(r.state, SENT | STATE_GOT_STATUS);
}
END_TEST

/* a SAS target that is away for a while is busy, whatever else the reply says */
START_TEST(away_for_a_while)
{
	struct reply_result r;

	make(MPT_S_IOC_TERMINATED | MPT_STATUS_HAS_LOGINFO, 0, 0, 0);
	le32_put(frame + MPT_R_LOGINFO, MPT_LOGINFO_MISSING | 0x12);
	ck_assert_int_eq(judge(&r), 0);
	ck_assert_uint_eq(r.reason, CMD_CMPLT);
	ck_assert_uint_eq(r.status, STATUS_BUSY);
}
END_TEST

START_TEST(lengths)
{
	struct reply_head head;
	struct reply_result r;
	struct reply_event event;
	uint32_t n;
	bool is_done;

	make(0, 0, 0, 0);
	ck_assert_int_eq(mpt_reply_head_read(frame, 19, &head), -EBADMSG);
	ck_assert_int_eq(mpt_reply_head_read(frame, 35, &head), -EBADMSG);
	frame[MPT_R_LENGTH] = 4;
	ck_assert_int_eq(mpt_reply_head_read(frame, 64, &head), -EBADMSG);
	frame[MPT_R_LENGTH] = 5;
	ck_assert_int_eq(mpt_reply_head_read(frame, 64, &head), 0);
	ck_assert_int_eq(mpt_reply_io_read(frame, &head, LEN, &r), -EBADMSG);
	ck_assert_int_eq(mpt_reply_task_read(frame, &head, &is_done, &n), -EBADMSG);
	ck_assert_int_eq(mpt_reply_event_read(frame, &head, &event), -EBADMSG);
	ck_assert_int_eq(mpt_reply_smp_read(frame, &head, 8, &n), 0);
}
END_TEST

START_TEST(tasks_events_and_management)
{
	struct reply_head head;
	struct reply_event event;
	uint32_t n;
	bool is_done;

	make(0, 0, 0, 0);
	frame[MPT_TMR_RESPONSE] = MPT_TM_SUCCEEDED;
	le32_put(frame + MPT_TMR_COUNT, 3);
	ck_assert_int_eq(mpt_reply_head_read(frame, 64, &head), 0);
	ck_assert_int_eq(mpt_reply_task_read(frame, &head, &is_done, &n), 0);
	ck_assert(is_done && n == 3);
	frame[MPT_TMR_RESPONSE] = 5;
	ck_assert_int_eq(mpt_reply_task_read(frame, &head, &is_done, &n), 0);
	ck_assert(!is_done);

	make(0, 0, 0, 0);
	le16_put(frame + MPT_EV_DATA_DWORDS, 2);
	le32_put(frame + MPT_EV_EVENT, MPT_EV_DISCOVERY);
	frame[MPT_EV_WANTS_ACK] = 1;
	ck_assert_int_eq(mpt_reply_head_read(frame, 64, &head), 0);
	ck_assert_int_eq(mpt_reply_event_read(frame, &head, &event), 0);
	ck_assert(event.event == MPT_EV_DISCOVERY && event.wants_ack && event.len == 8);
	le16_put(frame + MPT_EV_DATA_DWORDS, 3);
	ck_assert_int_eq(mpt_reply_event_read(frame, &head, &event), -EBADMSG);

	make(0, 0, 0, 0);
	le16_put(frame + MPT_SMPR_BYTES, 60);
	ck_assert_int_eq(mpt_reply_head_read(frame, 64, &head), 0);
	ck_assert_int_eq(mpt_reply_smp_read(frame, &head, 32, &n), 0);
	ck_assert_uint_eq(n, 32);
	frame[MPT_SMPR_SAS_STATUS] = 1;
	ck_assert_int_eq(mpt_reply_smp_read(frame, &head, 32, &n), -EIO);
}
END_TEST

CHECK_MAIN("replies", every_status, sense, away_for_a_while, lengths,
    tasks_events_and_management)
