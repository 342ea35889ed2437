/* from the chip's answer to the packet's result */
#include "hw/pvscsi/pvscsi.h"

#include <errno.h>
#include <string.h>

#define STATE_SENT	(STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD)

enum host_kind {
	HOST_ERROR,		/* as the row says; also for numbers without a row */
	HOST_STATUS,		/* the SCSI status counts */
	HOST_RUN,		/* likewise, and the length is not what was asked for */
	HOST_NO_SENSE,		/* CHECK CONDITION, but no sense could be fetched */
	HOST_ABSENT,		/* nobody answers */
};

/* A transport error of the adapter's own says "got the bus" and no more: target drivers reset a
 * target for anything else */
static const struct {
	enum host_kind kind;
	uint8_t reason;
	bool is_adapter_error;
	uint_t state, stats;
} host_rows[PV_HS_N] = {
	[PV_HS_SUCCESS] = { .kind = HOST_STATUS },
	[PV_HS_LINKED] = { .kind = HOST_STATUS },
	[PV_HS_LINKED_FLAG] = { .kind = HOST_STATUS },
	[PV_HS_UNDERRUN] = { .kind = HOST_RUN },
	[PV_HS_DATARUN] = { .kind = HOST_RUN },
	[PV_HS_SENSFAILED] = { .kind = HOST_NO_SENSE },
	[PV_HS_SELTIMEO] = { .kind = HOST_ABSENT },
	[PV_HS_LUNMISMATCH] = { .kind = HOST_ABSENT },
	[PV_HS_NORESPONSE] = { .kind = HOST_ABSENT },
	[PV_HS_BUSFREE] = { .reason = CMD_UNX_BUS_FREE, .state = STATE_SENT },
	[PV_HS_INVPHASE] = { .reason = CMD_TRAN_ERR, .state = STATE_SENT },
	[PV_HS_INVPARAM] = { .reason = CMD_TRAN_ERR, .state = STATE_GOT_BUS },
	[PV_HS_TAGREJECT] = { .reason = CMD_TAG_REJECT, .state = STATE_SENT },
	[PV_HS_BADMSG] = { .reason = CMD_BADMSG, .state = STATE_SENT },
	[PV_HS_HAHARDWARE] = { .reason = CMD_TRAN_ERR, .state = STATE_GOT_BUS,
		.is_adapter_error = true },
	[PV_HS_SENTRST] = { .reason = CMD_RESET, .state = STATE_SENT,
		.stats = STAT_DEV_RESET },
	[PV_HS_RECVRST] = { .reason = CMD_RESET, .state = STATE_SENT,
		.stats = STAT_DEV_RESET },
	[PV_HS_DISCONNECT] = { .reason = CMD_TRAN_ERR, .state = STATE_SENT },
	[PV_HS_BUSRESET] = { .reason = CMD_RESET, .state = STATE_SENT,
		.stats = STAT_BUS_RESET },
	[PV_HS_ABORTQUEUE] = { .reason = CMD_ABORTED, .state = STATE_SENT,
		.stats = STAT_ABORTED },
	[PV_HS_HASOFTWARE] = { .reason = CMD_TRAN_ERR, .state = STATE_GOT_BUS },
	[PV_HS_HATIMEOUT] = { .reason = CMD_TIMEOUT, .state = STATE_SENT,
		.stats = STAT_TIMEOUT },
	[PV_HS_SCSIPARITY] = { .reason = CMD_TRAN_ERR, .state = STATE_GOT_BUS,
		.stats = STAT_PERR },
};

/* The model never says how much moved; then a good command moved all (or nobody can tell), any
 * other nothing. Only a run of the wrong length may exceed what was given */
static void
judge_moved(const struct pv_cmp *cmp, const struct pvscsi_want *want, bool is_run,
    struct pvscsi_result *ret)
{
	if (cmp->data_len != 0)
		ret->moved = cmp->data_len;
	else
		ret->moved = ret->status == STATUS_GOOD ? want->data_len : 0;
	if (ret->moved > want->data_len) {
		ret->moved = want->data_len;
		ret->reason = CMD_DATA_OVR;
	} else if (is_run && cmp->data_len == 0 && want->is_exact &&
	    ret->status == STATUS_GOOD) {
		ret->reason = CMD_DATA_OVR;
	}
	if (ret->moved > 0)
		ret->state |= STATE_XFERRED_DATA;
}

static void
judge_status(const struct pv_cmp *cmp, const struct pvscsi_want *want, enum host_kind kind,
    struct pvscsi_result *ret)
{
	ret->reason = CMD_CMPLT;
	ret->state = STATE_SENT | STATE_GOT_STATUS;
	ret->status = kind == HOST_NO_SENSE ? STATUS_CHECK : (uint8_t)cmp->scsi_status;
	if (ret->status == STATUS_CHECK && kind != HOST_NO_SENSE)
		ret->sense_len = cmp->sense_len;
	judge_moved(cmp, want, kind == HOST_RUN, ret);
}

static bool
cmp_is_possible(const struct pv_cmp *cmp, const struct pvscsi_want *want, enum host_kind kind)
{
	if (cmp->scsi_status > UINT8_MAX || cmp->sense_len > want->sense_len)
		return false;
	return cmp->data_len <= want->data_len ||
	    (kind == HOST_RUN && cmp->host_status == PV_HS_DATARUN);
}

int
result_judge(
    const struct pv_cmp *cmp, const struct pvscsi_want *want, struct pvscsi_result *ret)
{
	uint16_t host = cmp->host_status;
	enum host_kind kind = host < PV_HS_N ? host_rows[host].kind : HOST_ERROR;

	if (!cmp_is_possible(cmp, want, kind))
		return -EPROTO;
	*ret = (struct pvscsi_result){ .reason = CMD_TRAN_ERR, .state = STATE_GOT_BUS };
	switch (kind) {
	case HOST_STATUS:
	case HOST_RUN:
	case HOST_NO_SENSE:
		judge_status(cmp, want, kind, ret);
		break;
	case HOST_ABSENT:
		ret->reason = want->is_known && host == PV_HS_SELTIMEO ?
		    CMD_DEV_GONE : CMD_INCOMPLETE;
		break;
	case HOST_ERROR:
		if (host >= PV_HS_N || host_rows[host].reason == CMD_CMPLT)
			break;
		ret->reason = host_rows[host].reason;
		ret->state = host_rows[host].state;
		ret->stats = host_rows[host].stats;
		ret->is_adapter_error = host_rows[host].is_adapter_error;
		break;
	}
	return 0;
}

/* sense into the status block, as if a REQUEST SENSE had been run; a packet without room for it
 * has said that it does not want it */
static void
pkt_fill_arq(struct scsi_pkt *pkt, const uint8_t *sense, uint32_t len)
{
	struct scsi_arq_status *arq = (struct scsi_arq_status *)(void *)pkt->pkt_scbp;
	size_t room;

	if (pkt->pkt_scblen < sizeof(*arq))
		return;
	room = pkt->pkt_scblen - offsetof(struct scsi_arq_status, sts_sensedata);
	if (room > MAX_SENSE_LENGTH)
		room = MAX_SENSE_LENGTH;
	if (len > room)
		len = (uint32_t)room;
	memcpy(&arq->sts_sensedata, sense, len);
	memset((uint8_t *)&arq->sts_sensedata + len, 0, room - len);
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
pkt_fill(struct scsi_pkt *pkt, const struct pvscsi_result *result, const uint8_t *sense)
{
	pkt->pkt_reason = result->reason;
	pkt->pkt_state = result->state;
	pkt->pkt_statistics = result->stats;
	pkt->pkt_resid = (ssize_t)(pkt->pkt_dma_len - result->moved);
	if ((result->state & STATE_GOT_STATUS) == 0)
		return;
	if (pkt->pkt_scblen > 0)
		pkt->pkt_scbp[0] = result->status;
	if (result->sense_len > 0)
		pkt_fill_arq(pkt, sense, result->sense_len);
}

/* what we asked of it has the first word about why it ended, and the chip about whether it did;
 * a target that has left takes its commands along */
static void
result_explain(const struct pvscsi_cmd *cmd, struct pvscsi_result *result)
{
	bool is_taken = result->reason == CMD_RESET || result->reason == CMD_ABORTED;

	if (!is_taken)
		return;
	if (cmd->why != CMD_CMPLT) {
		result->reason = cmd->why;
		result->stats = cmd->stats;
	} else if (atomic_load(&cmd->target->is_gone)) {
		result->reason = CMD_DEV_GONE;
		result->stats = 0;
	}
}

void
pvscsi_end(struct pvscsi *hba, struct pvscsi_cmd *cmd, struct pvscsi_result *result,
    const uint8_t *sense, struct pvscsi_done *done)
{
	bool is_waited_for = cmd->why != CMD_CMPLT ||
	    (hba->wants_idle && hba->tags.used == 0);

	result_explain(cmd, result);
	hba->hw_errors = result->is_adapter_error ? hba->hw_errors + 1 : 0;
	if (hba->hw_errors == PVSCSI_HW_ERRORS)
		pvscsi_work(hba, PVSCSI_WORK_RESET);
	if (UNLIKELY(hba->rings.req_prod >= hba->refresh_at) && hba->tags.used == 0)
		pvscsi_work(hba, PVSCSI_WORK_REFRESH);
	cmd->context = 0;
	if (cmd->pkt != NULL)
		pkt_fill(cmd->pkt, result, sense);
	if (cmd->pkt == NULL)
		cmd->result = *result;
	else if (!cmd->is_polled)
		done->pkts[done->n++] = cmd->pkt;
	if (is_waited_for || cmd->pkt == NULL)
		cv_broadcast(&hba->cv);
	/* from here on it is its owner's */
	if (cmd->pkt == NULL || cmd->is_polled)
		atomic_store(&cmd->is_done, true);
}

bool
pvscsi_end_all(
    struct pvscsi *hba, uint8_t reason, uint_t state, uint_t stats, struct pvscsi_done *done)
{
	uint_t n = 0;

	for (uint32_t i = 0; i < hba->tags.n && n < PVSCSI_BATCH; i++) {
		struct pvscsi_cmd *cmd = hba->tags.slots[i].cmd;
		struct pvscsi_result result = { .reason = reason, .state = state };

		if (cmd == NULL)
			continue;
		cmd->stats |= stats;
		result.stats = cmd->stats;
		if (cmd->why != CMD_CMPLT)
			result.reason = cmd->why;
		tags_drop(&hba->tags, cmd->context);
		pvscsi_end(hba, cmd, &result, NULL, done);
		n++;
	}
	return n > 0;
}

void
pvscsi_deliver_aside(struct pvscsi *hba, struct pvscsi_done *done)
{
	mutex_enter(&hba->lock);
	for (uint_t i = 0; i < done->n; i++) {
		struct pvscsi_cmd *cmd = done->pkts[i]->pkt_ha_private;

		STAILQ_INSERT_TAIL(&hba->ended, cmd, link);
	}
	if (done->n > 0)
		pvscsi_work(hba, PVSCSI_WORK_ENDED);
	mutex_exit(&hba->lock);
	done->n = 0;
}

void
pvscsi_deliver_ended(struct pvscsi *hba)
{
	struct pvscsi_cmd *cmd;

	do {
		mutex_enter(&hba->lock);
		cmd = STAILQ_FIRST(&hba->ended);
		if (cmd != NULL)
			STAILQ_REMOVE_HEAD(&hba->ended, link);
		mutex_exit(&hba->lock);
		if (cmd != NULL)
			scsi_hba_pkt_comp(cmd->pkt);
	} while (cmd != NULL);
}

void
pvscsi_deliver(struct pvscsi_done *done)
{
	for (uint_t i = 0; i < done->n; i++)
		scsi_hba_pkt_comp(done->pkts[i]);
	done->n = 0;
}
