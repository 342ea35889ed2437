/* from the target's answer to the packet's result (SCSA's table of combinations) */
#include "hw/iscsi/iscsi_hba_impl.h"

#include <string.h>

#define STATE_CARRIED	(STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD)

/* the sense that came with the response, as if a REQUEST SENSE had been run */
static void
fill_arq(struct scsi_pkt *pkt, const struct wire_answer *answer)
{
	struct scsi_arq_status *arq = (struct scsi_arq_status *)(void *)pkt->pkt_scbp;
	size_t room = pkt->pkt_scblen - offsetof(struct scsi_arq_status, sts_sensedata), len;
	uint8_t *sense = (uint8_t *)&arq->sts_sensedata;

	if (room > MAX_SENSE_LENGTH)
		room = MAX_SENSE_LENGTH;
	len = answer->sense_len < room ? answer->sense_len : room;
	memset(sense, 0, room);
	memcpy(sense, answer->sense, len);
	memset(&arq->sts_rqpkt_status, 0, sizeof(arq->sts_rqpkt_status));
	arq->sts_rqpkt_reason = CMD_CMPLT;
	arq->sts_rqpkt_resid = (uchar_t)(room - len);
	arq->sts_rqpkt_state = STATE_CARRIED | STATE_XFERRED_DATA | STATE_GOT_STATUS;
	arq->sts_rqpkt_statistics = 0;
	pkt->pkt_state |= STATE_ARQ_DONE;
	if (pkt->pkt_scblen > sizeof(*arq))
		pkt->pkt_state |= STATE_XARQ_DONE;
}

void
ih_fill(struct scsi_pkt *pkt, const struct wire_answer *answer, uint64_t bytes)
{
	pkt->pkt_state = STATE_CARRIED;
	if (answer->is_failed) {
		pkt->pkt_reason = CMD_TRAN_ERR;
		return;
	}
	pkt->pkt_reason = answer->is_over ? CMD_DATA_OVR : CMD_CMPLT;
	pkt->pkt_resid = (ssize_t)(bytes - answer->moved_bytes);
	pkt->pkt_state |= STATE_GOT_STATUS;
	if (answer->moved_bytes > 0)
		pkt->pkt_state |= STATE_XFERRED_DATA;
	if (pkt->pkt_scblen > 0)
		pkt->pkt_scbp[0] = answer->status;
	if (answer->sense_len > 0 && pkt->pkt_scblen >= sizeof(struct scsi_arq_status))
		fill_arq(pkt, answer);
}

void
ih_answered(void *arg, void *private, const struct wire_answer *answer)
{
	struct ih_session *s = arg;
	struct ih_cmd *cmd = private;
	/* what was set when it started: nothing has been moved until now */
	uint64_t bytes = (uint64_t)cmd->pkt->pkt_resid;

	ih_fill(cmd->pkt, answer, bytes);
	/* too late or not: it has been done */
	cmd->why = CMD_CMPLT;
	cmd->stats = 0;
	mutex_enter(&s->lock);
	if ((cmd->pkt->pkt_dma_flags & DDI_DMA_READ) != 0)
		s->info.read_bytes += answer->moved_bytes;
	else
		s->info.written_bytes += answer->moved_bytes;
	mutex_exit(&s->lock);
	ih_done(s, cmd);
}

static void
fill_killed(const struct ih_cmd *cmd)
{
	struct scsi_pkt *pkt = cmd->pkt;

	pkt->pkt_reason = cmd->why;
	pkt->pkt_state = cmd->state == IH_SENT ? STATE_CARRIED : 0;
}

/* the lock is held */
static void
count_killed(struct ih_session *s, uint8_t why)
{
	s->info.aborted += why == CMD_ABORTED;
	s->info.reset += why == CMD_RESET;
	s->info.timed_out += why == CMD_TIMEOUT;
}

void
ih_finish(struct ih_cmd *cmd)
{
	struct ih_session *s = cmd->unit->session;
	struct scsi_pkt *pkt = cmd->pkt;

	if (cmd->why != CMD_CMPLT)
		fill_killed(cmd);
	pkt->pkt_statistics = cmd->stats;
	mutex_enter(&s->lock);
	count_killed(s, cmd->why);
	(void)sm_move(ih_cmd_states, &cmd->state, IH_IDLE);
	if (--s->nactive == 0)
		cv_broadcast(&s->cv);
	mutex_exit(&s->lock);
	scsi_hba_pkt_comp(pkt);		/* neither pkt nor cmd is ours any more */
}

void
ih_finish_all(struct ih_cmds *list)
{
	struct ih_cmd *cmd;

	while ((cmd = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, cmd, link);
		ih_finish(cmd);
	}
}
