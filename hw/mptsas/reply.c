#include "hw/mptsas/reply.h"

#include <sys/scsi/scsi.h>

#include <errno.h>

#include "base/bytes.h"
#include "base/num.h"
#include "hw/mptsas/ring.h"

#define STATE_SENT	(STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD)

int
mpt_reply_head_read(const uint8_t *frame, size_t size, struct reply_head *ret)
{
	uint32_t len;
	uint16_t status;

	if (size < MPT_REPLY_LEN_MIN)
		return -EBADMSG;
	len = 4u * frame[MPT_R_LENGTH];
	if (len < MPT_REPLY_LEN_MIN || len > size)
		return -EBADMSG;
	status = le16_get(frame + MPT_R_STATUS);
	*ret = (struct reply_head){
		.function = frame[MPT_FUNCTION],
		.flags = frame[MPT_FLAGS],
		.len = len,
		.context = le32_get(frame + MPT_CONTEXT),
		.status = status & MPT_STATUS_MASK,
	};
	if ((status & MPT_STATUS_HAS_LOGINFO) != 0)
		ret->loginfo = le32_get(frame + MPT_R_LOGINFO);
	return 0;
}

void
mpt_reply_io_good(uint32_t len, struct reply_result *ret)
{
	*ret = (struct reply_result){
		.reason = CMD_CMPLT, .status = STATUS_GOOD, .moved = len,
		.state = STATE_SENT | STATE_GOT_STATUS | (len != 0 ? STATE_XFERRED_DATA : 0),
	};
}

/* what a status of the chip says about a command */
enum verdict {
	V_ERROR,			/* ours or the firmware's: nothing ran */
	V_STATUS,			/* the device's status decides */
	V_BUSY,				/* the chip had no room, nothing ran */
	V_NOWHERE,			/* an address that cannot be */
	V_ABSENT,			/* nobody there any more */
	V_OVERRUN,
	V_PARITY,
	V_KILLED,
};

static const uint8_t verdicts[MPT_S_N] = {
	[MPT_S_OK] = V_STATUS,
	[MPT_S_RECOVERED] = V_STATUS,
	[MPT_S_UNDERRUN] = V_STATUS,
	[MPT_S_RESIDUAL] = V_STATUS,
	[MPT_S_BUSY] = V_BUSY,
	[MPT_S_RESOURCES] = V_BUSY,
	[MPT_S_BUS] = V_NOWHERE,
	[MPT_S_TARGET] = V_NOWHERE,
	[MPT_S_ABSENT] = V_ABSENT,
	[MPT_S_OVERRUN] = V_OVERRUN,
	[MPT_S_DATA] = V_PARITY,
	[MPT_S_TERMINATED] = V_KILLED,
	[MPT_S_IOC_TERMINATED] = V_KILLED,
	[MPT_S_EXT_TERMINATED] = V_KILLED,
};

static enum verdict
verdict_of(const struct reply_head *head, uint8_t io_state)
{
	enum verdict v = head->status < MPT_S_N ? verdicts[head->status] : V_ERROR;

	/* away for a while, and not given up yet: whoever waits tries again */
	if ((head->loginfo & 0xffff0000u) == MPT_LOGINFO_MISSING)
		return V_BUSY;
	if (v == V_STATUS && (io_state & MPT_IO_STATE_NO_STATUS) != 0)
		return (io_state & MPT_IO_STATE_TERMINATED) != 0 ? V_KILLED : V_ERROR;
	if (v == V_OVERRUN && (io_state & MPT_IO_STATE_NO_STATUS) == 0)
		return V_STATUS;
	return v;
}

static void
result_take_status(const uint8_t *frame, struct reply_result *ret)
{
	ret->reason = CMD_CMPLT;
	ret->status = frame[MPT_IOR_SCSI_STATUS];
	ret->state = STATE_SENT | STATE_GOT_STATUS;
	ret->is_queue_full = ret->status == STATUS_QFULL;
}

static void
result_take(enum verdict v, const uint8_t *frame, struct reply_result *ret)
{
	switch (v) {
	case V_STATUS:
		result_take_status(frame, ret);
		break;
	case V_BUSY:
		ret->status = STATUS_BUSY;
		ret->state = STATE_SENT | STATE_GOT_STATUS;
		break;
	case V_NOWHERE:
		ret->reason = CMD_INCOMPLETE;
		ret->state = STATE_GOT_BUS;
		break;
	case V_ABSENT:
		ret->reason = CMD_DEV_GONE;
		ret->state = STATE_GOT_BUS;
		ret->is_absent = true;
		break;
	case V_OVERRUN:
		ret->reason = CMD_DATA_OVR;
		ret->state = STATE_SENT;
		break;
	case V_KILLED:
		ret->reason = CMD_RESET;
		ret->state = STATE_SENT;
		ret->is_killed = true;
		break;
	case V_PARITY:
		ret->stats = STAT_PERR;
		/* fallthrough */
	case V_ERROR:
		ret->reason = CMD_TRAN_ERR;
		/* anything more would make the disk driver reset the target */
		ret->state = STATE_GOT_BUS;
		break;
	}
}

int
mpt_reply_io_read(const uint8_t *frame, const struct reply_head *head, uint32_t len,
    struct reply_result *ret)
{
	struct reply_result result = { .reason = CMD_CMPLT };
	uint32_t sense;

	if (head->len < MPT_IOR_LEN_MIN)
		return -EBADMSG;
	result_take(verdict_of(head, frame[MPT_IOR_STATE]), frame, &result);
	if (result.reason == CMD_CMPLT || result.reason == CMD_DATA_OVR) {
		result.moved = (uint32_t)num_min(le32_get(frame + MPT_IOR_MOVED), len);
		if (head->status == MPT_S_OK && result.status == STATUS_GOOD)
			result.moved = len;
		if (result.status == STATUS_BUSY || result.is_queue_full)
			result.moved = 0;
	}
	if (result.moved > 0)
		result.state |= STATE_XFERRED_DATA;
	if (result.status == STATUS_CHECK &&
	    (frame[MPT_IOR_STATE] & MPT_IO_STATE_SENSE) != 0) {
		sense = le32_get(frame + MPT_IOR_SENSE_COUNT);
		if (sense > RING_SENSE_LEN)
			return -EPROTO;
		result.sense_bytes = (uint8_t)sense;
	}
	*ret = result;
	return 0;
}

int
mpt_reply_task_read(const uint8_t *frame, const struct reply_head *head, bool *ret_is_done,
    uint32_t *ret_count)
{
	uint8_t response;

	if (head->len < MPT_TMR_LEN_MIN)
		return -EBADMSG;
	response = frame[MPT_TMR_RESPONSE];
	*ret_is_done = head->status == MPT_S_OK &&
	    (response == MPT_TM_COMPLETE || response == MPT_TM_SUCCEEDED);
	*ret_count = le32_get(frame + MPT_TMR_COUNT);
	return 0;
}

int
mpt_reply_event_read(
    const uint8_t *frame, const struct reply_head *head, struct reply_event *ret)
{
	uint32_t len;

	if (head->len < MPT_EV_DATA)
		return -EBADMSG;
	len = 4u * le16_get(frame + MPT_EV_DATA_DWORDS);
	if (len > head->len - MPT_EV_DATA)
		return -EBADMSG;
	*ret = (struct reply_event){
		.event = le32_get(frame + MPT_EV_EVENT),
		.context = le32_get(frame + MPT_EV_CONTEXT),
		.wants_ack = frame[MPT_EV_WANTS_ACK] != 0,
		.data = frame + MPT_EV_DATA,
		.len = len,
	};
	return 0;
}

int
mpt_reply_smp_read(
    const uint8_t *frame, const struct reply_head *head, uint32_t room, uint32_t *ret_bytes)
{
	if (head->len < MPT_SMPR_LEN_MIN)
		return -EBADMSG;
	if (head->status != MPT_S_OK || frame[MPT_SMPR_SAS_STATUS] != 0)
		return -EIO;
	*ret_bytes = (uint32_t)num_min(le16_get(frame + MPT_SMPR_BYTES), room);
	return 0;
}
