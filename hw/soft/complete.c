/* from the device's answer to the packet's result (SCSA's table of combinations) */
#include "hw/soft/soft_impl.h"

#include <string.h>

#define STATE_SENT	(STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD)

/* sense into the status block, as if a REQUEST SENSE had been run */
static void __attribute__((noinline))
soft_fill_arq(struct scsi_pkt *pkt, const struct disk_cmd *disk)
{
	struct scsi_arq_status *arq = (struct scsi_arq_status *)(void *)pkt->pkt_scbp;
	size_t room = pkt->pkt_scblen - offsetof(struct scsi_arq_status, sts_sensedata), len;
	uint8_t *sense = (uint8_t *)&arq->sts_sensedata;

	if (room > MAX_SENSE_LENGTH)
		room = MAX_SENSE_LENGTH;
	memset(sense, 0, room);
	len = sense_build(&disk->sense, disk->want_descriptor, sense, room);
	memset(&arq->sts_rqpkt_status, 0, sizeof(arq->sts_rqpkt_status));
	arq->sts_rqpkt_reason = CMD_CMPLT;
	arq->sts_rqpkt_resid = (uchar_t)(room - len);
	arq->sts_rqpkt_state = STATE_SENT | STATE_XFERRED_DATA | STATE_GOT_STATUS;
	arq->sts_rqpkt_statistics = 0;
	pkt->pkt_state |= STATE_ARQ_DONE;
	if (pkt->pkt_scblen > sizeof(*arq))
		pkt->pkt_state |= STATE_XARQ_DONE;
}

static void
soft_fill_status(struct scsi_pkt *pkt, const struct disk_cmd *disk)
{
	pkt->pkt_state |= STATE_GOT_STATUS;
	if (pkt->pkt_scblen > 0)
		pkt->pkt_scbp[0] = disk->status;
	if (!disk->has_sense)
		return;
	if (pkt->pkt_scblen >= sizeof(struct scsi_arq_status))
		soft_fill_arq(pkt, disk);
	else if (disk->disk != NULL)
		disk_hold_sense(disk->disk, &disk->sense);
}

static void
soft_fill(struct scsi_pkt *pkt, const struct disk_cmd *disk,
    const struct fault_verdict *verdict)
{
	pkt->pkt_state = STATE_SENT;
	if (disk->is_dir_wrong) {
		pkt->pkt_reason = CMD_DMA_DERR;
		return;
	}
	pkt->pkt_reason = disk->is_overrun ? CMD_DATA_OVR : CMD_CMPLT;
	pkt->pkt_resid = (ssize_t)(disk->buf_bytes - disk->moved);
	if (UNLIKELY(verdict->action == FAULT_RESID))
		pkt->pkt_resid = (ssize_t)verdict->bytes;
	if (disk->moved > 0)
		pkt->pkt_state |= STATE_XFERRED_DATA;
	soft_fill_status(pkt, disk);
}

static void __attribute__((noinline))
soft_fill_killed(struct soft_cmd *cmd)
{
	struct soft_unit *unit = cmd->unit;
	struct scsi_pkt *pkt = cmd->pkt;

	pkt->pkt_reason = cmd->why;
	pkt->pkt_state = cmd->why == CMD_DEV_GONE ? 0 : STATE_SENT;
	pkt->pkt_statistics = cmd->stats;
	if (cmd->why == CMD_ABORTED)
		(void)atomic_fetch_add(&unit->aborted, 1);
	else if (cmd->why == CMD_RESET)
		(void)atomic_fetch_add(&unit->reset, 1);
	else if (cmd->why == CMD_TIMEOUT)
		(void)atomic_fetch_add(&unit->timed_out, 1);
}

/* one command less; who waits for the last one is told */
static void
soft_leave(struct soft_hba *hba, struct soft_unit *unit)
{
	if (LIKELY(atomic_fetch_sub(&unit->active, 1) != 1) ||
	    LIKELY(!atomic_load(&hba->is_quiesced)))
		return;
	mutex_enter(&unit->lock);
	cv_broadcast(&unit->cv);
	mutex_exit(&unit->lock);
}

static void
soft_deliver(struct scsi_pkt *pkt)
{
	if ((pkt->pkt_flags & FLAG_NOINTR) == 0)
		scsi_hba_pkt_comp(pkt);
}

/* the device returns @tag; false: that command is finished, the return means nothing */
static bool
soft_return_tag(struct soft_hba *hba, uint64_t tag)
{
	void *cmd;

	mutex_enter(&hba->lock);
	cmd = slot_drop(&hba->tags, tag);
	mutex_exit(&hba->lock);
	return cmd != NULL;
}

static void __attribute__((noinline))
soft_return_twice(struct soft_unit *unit, uint64_t tag)
{
	(void)soft_return_tag(unit->hba, tag);
	if (!soft_return_tag(unit->hba, tag))		/* the device says it twice */
		(void)atomic_fetch_add(&unit->spurious, 1);
}

void
soft_finish(struct soft_cmd *cmd)
{
	struct soft_unit *unit = cmd->unit;
	struct soft_hba *hba = unit->hba;
	struct scsi_pkt *pkt = cmd->pkt;
	uint64_t tag = cmd->tag;

	if (LIKELY(cmd->why == CMD_CMPLT))
		soft_fill(pkt, &cmd->disk, &cmd->verdict);
	else
		soft_fill_killed(cmd);
	soft_move(cmd, SOFT_IDLE);
	if (UNLIKELY(tag != 0))
		soft_return_twice(unit, tag);
	soft_leave(hba, unit);
	soft_deliver(pkt);	/* neither pkt nor cmd is ours any more */
}

void
soft_finish_all(struct soft_cmd_list *list)
{
	struct soft_cmd *cmd;

	while ((cmd = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, cmd, link);
		soft_finish(cmd);
	}
}

int
soft_finish_absent(struct soft_target *target, struct soft_cmd *cmd)
{
	struct scsi_pkt *pkt = cmd->pkt;

	if (atomic_load(&target->is_gone)) {
		pkt->pkt_reason = CMD_DEV_GONE;
	} else {
		disk_absent_execute(&target->place, &cmd->disk);
		soft_fill(pkt, &cmd->disk, &cmd->verdict);
	}
	soft_deliver(pkt);
	return TRAN_ACCEPT;
}
