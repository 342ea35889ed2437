/* interrupts: replies are taken out of the FIFO, and commands get their results */
#include "hw/mptsas/mptsas.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "scsi/asc.h"
#include "scsi/sense.h"

#define STATE_SENT	(STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD)

/*
 * From result to packet.
 */

/* sense into the status block, as if a REQUEST SENSE had been run */
static void
fill_sense(struct scsi_pkt *pkt, const uint8_t *sense, size_t len)
{
	struct scsi_arq_status *arq = (struct scsi_arq_status *)(void *)pkt->pkt_scbp;
	size_t room = pkt->pkt_scblen - offsetof(struct scsi_arq_status, sts_sensedata);

	if (room > MAX_SENSE_LENGTH)
		room = MAX_SENSE_LENGTH;
	if (len > room)
		len = room;
	memset(&arq->sts_rqpkt_status, 0, sizeof(arq->sts_rqpkt_status));
	memset(&arq->sts_sensedata, 0, room);
	memcpy(&arq->sts_sensedata, sense, len);
	arq->sts_rqpkt_reason = CMD_CMPLT;
	arq->sts_rqpkt_resid = (uchar_t)(room - len);
	arq->sts_rqpkt_state = STATE_SENT | STATE_XFERRED_DATA | STATE_GOT_STATUS;
	arq->sts_rqpkt_statistics = 0;
	pkt->pkt_state |= STATE_ARQ_DONE;
	if (pkt->pkt_scblen > sizeof(*arq))
		pkt->pkt_state |= STATE_XARQ_DONE;
}

static void
fill_status(const struct mptsas_cmd *cmd, const struct reply_result *result,
    const uint8_t *sense)
{
	struct scsi_pkt *pkt = cmd->pkt;

	if (pkt->pkt_scblen > 0)
		pkt->pkt_scbp[0] = result->status;
	/* what the packet has no room for is lost: the device has handed it over */
	if (result->sense_bytes == 0 || pkt->pkt_scblen < sizeof(struct scsi_arq_status))
		return;
	fill_sense(pkt, sense, result->sense_bytes);
}

static void
deliver(struct mptsas_cmd *cmd)
{
	struct scsi_pkt *pkt = cmd->pkt;

	if (cmd->is_polled)
		atomic_store_explicit(&cmd->is_done, true, memory_order_release);
	else
		scsi_hba_pkt_comp(pkt);	/* neither pkt nor cmd is ours any more */
}

static void
fill_killed(struct mptsas_cmd *cmd)
{
	struct scsi_pkt *pkt = cmd->pkt;

	/* nobody of ours asked: another initiator did, or the firmware */
	pkt->pkt_reason = cmd->why == CMD_CMPLT ? CMD_RESET : cmd->why;
	pkt->pkt_statistics |= cmd->why == CMD_CMPLT ? STAT_DEV_RESET : cmd->stats;
}

void
mptsas_finish(
    struct mptsas_cmd *cmd, const struct reply_result *result, const uint8_t *sense)
{
	struct scsi_pkt *pkt = cmd->pkt;

	pkt->pkt_reason = result->reason;
	pkt->pkt_state = result->state;
	pkt->pkt_statistics = result->stats;
	pkt->pkt_resid = (ssize_t)(cmd->len - result->moved);
	if (result->is_killed)
		fill_killed(cmd);
	if (atomic_load(&cmd->lu->target->is_gone) && pkt->pkt_reason != CMD_CMPLT &&
	    cmd->why == CMD_CMPLT)
		pkt->pkt_reason = CMD_DEV_GONE;
	if ((result->state & STATE_GOT_STATUS) != 0)
		fill_status(cmd, result, sense);
	deliver(cmd);
}

void
mptsas_end(struct mptsas_cmd *cmd, uint8_t reason, uint_t stats)
{
	struct scsi_pkt *pkt = cmd->pkt;

	pkt->pkt_reason = cmd->why == CMD_CMPLT ? reason : cmd->why;
	pkt->pkt_statistics = stats | cmd->stats;
	pkt->pkt_state = reason == CMD_TRAN_ERR ? STATE_GOT_BUS : STATE_SENT;
	deliver(cmd);
}

/*
 * From reply to command.
 */

static void
lie(struct mptsas_hba *hba, const char *what)
{
	mptsas_fail(hba, MPTSAS_FAULT_LIE, what);
}

/* a full queue: the target gets less for a while */
static void
throttle_cut(struct mptsas_hba *hba, struct mptsas_target *target)
{
	(void)atomic_fetch_add(&hba->counts.queue_full, 1);
	mutex_enter(&hba->lock);
	if (target->throttle > target->active)
		target->throttle = target->active;
	target->throttle = target->throttle > 3 ? target->throttle - 2 : 1;
	mutex_exit(&hba->lock);
}

static void
work_notice(struct mptsas_hba *hba, enum mptsas_work work)
{
	mutex_enter(&hba->lock);
	mptsas_work_add(hba, work);
	mutex_exit(&hba->lock);
}

enum returned { RETURNED, STALE, UNKNOWN };

/* lock held: a reply of the time before a reset. Firmware may have some of them left, not
 * many */
static enum returned
stale_count(struct mptsas_hba *hba)
{
	(void)atomic_fetch_add(&hba->counts.stale, 1);
	return ++hba->nstale > MPTSAS_STALE_MAX ? UNKNOWN : STALE;
}

/* whose context the chip returned: the command, off its slot */
static enum returned
context_take(struct mptsas_hba *hba, uint32_t context, struct mptsas_cmd **ret)
{
	uint32_t i = mpt_ring_context_index(context);
	enum returned how = UNKNOWN;

	mutex_enter(&hba->lock);
	if (mpt_ring_context_epoch(context) != hba->epoch) {
		how = stale_count(hba);
	} else if (i >= RING_SLOT_COMMANDS && i < hba->layout.nslots &&
	    hba->slots[i].cmd != NULL && hba->slots[i].cmd->context == context) {
		*ret = mptsas_slot_take_back(hba, i);
		how = RETURNED;
	}
	mutex_exit(&hba->lock);
	return how;
}

static bool
reply_short(struct mptsas_hba *hba, uint32_t word)
{
	struct reply_result result;
	struct mptsas_cmd *cmd;

	if (MPT_REPLY_TYPE(word) != 0) {
		lie(hba, "a reply for a target");
		return false;
	}
	switch (context_take(hba, MPT_REPLY_CONTEXT(word), &cmd)) {
	case UNKNOWN:
		lie(hba, "a reply nobody waits for");
		return false;
	case STALE:
		return true;
	case RETURNED:
		break;
	}
	mpt_reply_io_good(cmd->len, &result);
	mptsas_finish(cmd, &result, NULL);
	return true;
}

/* the command is back, but what came with it cannot be true: it ends as all others will */
static bool
reply_io_bad(struct mptsas_hba *hba, struct mptsas_cmd *cmd, int r)
{
	lie(hba, r == -EPROTO ? "more sense than room for it" : "a reply cut short");
	mptsas_end(cmd, CMD_TRAN_ERR, 0);
	return false;
}

/* the slot's sense, as long as the slot is not free for the next command */
static void
sense_copy(struct mptsas_hba *hba, const uint8_t *frame, const struct reply_head *head,
    uint8_t sense[RING_SENSE_LEN])
{
	uint32_t i = mpt_ring_context_index(head->context), off;

	if (head->len < MPT_IOR_LEN_MIN || i >= hba->layout.nslots ||
	    (frame[MPT_IOR_STATE] & MPT_IO_STATE_SENSE) == 0)
		return;
	off = mpt_ring_sense_off(&hba->layout, i);
	(void)ddi_dma_sync(hba->pool.dma, (off_t)off, RING_SENSE_LEN, DDI_DMA_SYNC_FORCPU);
	memcpy(sense, hba->pool.mem + off, RING_SENSE_LEN);
}

/* what the end of a command says about more than itself */
static void
result_notice(struct mptsas_hba *hba, struct mptsas_target *target,
    const struct reply_result *result, const uint8_t *sense)
{
	struct sense_data s;

	if (result->is_queue_full)
		throttle_cut(hba, target);
	if (result->is_absent)
		work_notice(hba, MPTSAS_WORK_TOPO);
	if (result->sense_bytes > 0 && sense_parse(sense, result->sense_bytes, &s) == 0 &&
	    s.key == SENSE_UNIT_ATTENTION && s.asc == ASC_REPORTED_LUNS_CHANGED)
		work_notice(hba, MPTSAS_WORK_LUNS);
}

static bool
reply_io(struct mptsas_hba *hba, const uint8_t *frame, const struct reply_head *head)
{
	uint8_t sense[RING_SENSE_LEN];
	struct reply_result result;
	struct mptsas_cmd *cmd;
	int r;

	sense_copy(hba, frame, head, sense);
	switch (context_take(hba, head->context, &cmd)) {
	case UNKNOWN:
		lie(hba, "a reply nobody waits for");
		return false;
	case STALE:
		return true;
	case RETURNED:
		break;
	}
	r = mpt_reply_io_read(frame, head, cmd->len, &result);
	if (r < 0)
		return reply_io_bad(hba, cmd, r);
	result_notice(hba, cmd->lu->target, &result, sense);
	mptsas_finish(cmd, &result, sense);
	return true;
}

/* a reply to a message of the driver's own; false: nobody waits for it */
static bool
own_take(struct mptsas_hba *hba, const uint8_t *frame, const struct reply_head *head)
{
	uint32_t slot = mpt_ring_context_index(head->context);
	enum returned how = RETURNED;

	mutex_enter(&hba->lock);
	if (mpt_ring_context_epoch(head->context) != hba->epoch)
		how = stale_count(hba);
	mutex_exit(&hba->lock);
	if (how != RETURNED)
		return how == STALE;
	if (slot == RING_SLOT_EVENTS && head->function == MPT_FN_EVENTS)
		return mptsas_event(hba, frame, head);
	return slot < RING_SLOT_EVENTS && mptsas_message_done(hba, slot, frame, head);
}

static bool
reply_own(struct mptsas_hba *hba, const uint8_t *frame, const struct reply_head *head)
{
	bool is_good = own_take(hba, frame, head);

	if (!is_good)
		lie(hba, "a message nobody waits for");
	return is_good;
}

/* a copy of the frame that @word names; the frame itself goes back to the chip at once, before
 * anything slow. False: it is none of ours */
static bool
frame_copy(struct mptsas_hba *hba, uint32_t word, uint8_t copy[RING_REPLY_BYTES])
{
	uint32_t low = MPT_REPLY_ADDRESS(word), index, off;
	uint32_t base = (uint32_t)hba->pool.iova + hba->layout.replies_off;

	if (!mpt_ring_reply_index(&hba->layout, base, low, &index))
		return false;
	off = hba->layout.replies_off + index * RING_REPLY_BYTES;
	(void)ddi_dma_sync(hba->pool.dma, (off_t)off, RING_REPLY_BYTES, DDI_DMA_SYNC_FORCPU);
	memcpy(copy, hba->pool.mem + off, RING_REPLY_BYTES);
	mptsas_put(hba, MPT_REPLY_FIFO, low);
	return true;
}

static bool
reply_long(struct mptsas_hba *hba, uint32_t word)
{
	uint8_t frame[RING_REPLY_BYTES];
	struct reply_head head;

	if (!frame_copy(hba, word, frame)) {
		lie(hba, "a reply frame that it does not have");
		return false;
	}
	if (mpt_reply_head_read(frame, sizeof(frame), &head) < 0) {
		lie(hba, "a reply of no length");
		return false;
	}
	if (head.function == MPT_FN_SCSI_IO)
		return reply_io(hba, frame, &head);
	return reply_own(hba, frame, &head);
}

bool
mptsas_reap(struct mptsas_hba *hba, unsigned int budget, unsigned int *ret_n)
{
	bool is_good = true;
	unsigned int n = 0;

	*ret_n = 0;
	if (!mptsas_touch_begin(hba))
		return true;
	while (is_good && n < budget) {
		uint32_t word = mptsas_get(hba, MPT_REPLY_FIFO);

		if (word == MPT_FIFO_EMPTY)
			break;
		n++;
		is_good = MPT_REPLY_IS_ADDRESS(word) ? reply_long(hba, word) :
		    reply_short(hba, word);
	}
	mptsas_touch_end(hba);
	/* also when polled: the interrupts for those replies will find nothing */
	if (n > 0)
		atomic_store_explicit(&hba->idle, 0, memory_order_relaxed);
	*ret_n = n;
	return n < budget;
}

/* nothing was there: is it gone, does it cry wolf, or was it somebody else's? */
static uint_t
intr_idle(struct mptsas_hba *hba)
{
	uint32_t status;

	if (!mptsas_touch_begin(hba))
		return hba->intr_type == DDI_INTR_TYPE_FIXED ? DDI_INTR_UNCLAIMED :
		    DDI_INTR_CLAIMED;
	status = mptsas_get(hba, MPT_INT_STATUS);
	if (status == MPT_GONE)
		mptsas_fail(hba, MPTSAS_FAULT_GONE, "registers read as ones");
	mptsas_touch_end(hba);
	if (status == MPT_GONE)
		return DDI_INTR_CLAIMED;
	/* MSI: a reply may have been taken by whoever polls, before its interrupt came */
	if ((status & MPT_INT_REPLY) == 0 && hba->intr_type == DDI_INTR_TYPE_FIXED)
		return DDI_INTR_UNCLAIMED;
	if (atomic_fetch_add(&hba->idle, 1) >= MPTSAS_IDLE_MAX)
		lie(hba, "interrupts without end");
	return DDI_INTR_CLAIMED;
}

uint_t
mptsas_intr(caddr_t arg1, caddr_t arg2)
{
	struct mptsas_hba *hba = (struct mptsas_hba *)(void *)arg1;
	unsigned int n;

	(void)arg2;
	/* others share the loop: what the budget leaves gets an interrupt of its own */
	if (!mptsas_reap(hba, MPTSAS_REAP_BUDGET, &n))
		scsad_intr_trigger(hba->vector);
	return n == 0 ? intr_idle(hba) : DDI_INTR_CLAIMED;
}
