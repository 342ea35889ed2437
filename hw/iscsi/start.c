/* tran_start: from packet to queue, and from queue to command */
#include "hw/iscsi/iscsi_hba_impl.h"

static size_t
pkt_bytes(const struct scsi_pkt *pkt)
{
	size_t bytes = 0;

	for (uint_t i = 0; i < pkt->pkt_numcookies; i++)
		bytes += pkt->pkt_cookies[i].dmac_size;
	return bytes;
}

static void
cmd_prepare(struct ih_cmd *cmd, struct ih_unit *unit, struct scsi_pkt *pkt, size_t bytes)
{
	pkt->pkt_reason = CMD_CMPLT;
	pkt->pkt_state = 0;
	pkt->pkt_statistics = 0;
	pkt->pkt_resid = (ssize_t)bytes;
	if (pkt->pkt_scblen > 0)
		pkt->pkt_scbp[0] = 0;
	cmd->pkt = pkt;
	cmd->unit = unit;
	cmd->why = CMD_CMPLT;
	cmd->stats = 0;
	cmd->slot = NULL;
	cmd->deadline_ns = IH_NEVER;
}

void
ih_command_of(const struct ih_cmd *cmd, struct iovec iov[WIRE_IOV_MAX],
    struct wire_command *ret)
{
	const struct scsi_pkt *pkt = cmd->pkt;

	*ret = (struct wire_command){
		.cmd = (void *)(uintptr_t)cmd,
		.lun = cmd->unit->lun,
		.cdb = pkt->pkt_cdbp,
		.cdb_len = pkt->pkt_cdblen,
		.iov = iov,
		.niov = pkt->pkt_numcookies,
	};
	for (uint_t i = 0; i < pkt->pkt_numcookies; i++) {
		iov[i].iov_base = (void *)(uintptr_t)pkt->pkt_cookies[i].dmac_laddress;
		iov[i].iov_len = pkt->pkt_cookies[i].dmac_size;
		ret->bytes += iov[i].iov_len;
	}
	if (ret->niov == 0)
		ret->dir = WIRE_NONE;
	else
		ret->dir = (pkt->pkt_dma_flags & DDI_DMA_READ) != 0 ? WIRE_IN : WIRE_OUT;
}

/* the lock is held; false: the target is gone */
static bool
queue_insert(struct ih_session *s, struct ih_cmd *cmd)
{
	s->nactive++;
	cmd->serial = ++s->serial;
	(void)sm_move(ih_cmd_states, &cmd->state, IH_QUEUED);
	if (s->is_gone) {
		ih_mark(cmd, CMD_DEV_GONE, 0);
		return false;
	}
	s->info.commands++;
	s->nqueued++;
	if ((cmd->pkt->pkt_flags & FLAG_HEAD) != 0)
		TAILQ_INSERT_HEAD(&s->queue, cmd, link);
	else
		TAILQ_INSERT_TAIL(&s->queue, cmd, link);
	ih_kick(s);
	return true;
}

int
ih_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct ih_unit *unit = ih_unit_of(ap);
	struct ih_session *s = unit->session;
	struct ih_cmd *cmd = pkt->pkt_ha_private;
	size_t bytes = pkt_bytes(pkt);
	bool is_queued;

	/* an interrupt handler cannot wait for a network: the framework polls for everybody
	 * else */
	if (pkt->pkt_cdblen == 0 || pkt->pkt_cdblen > WIRE_CDB_MAX ||
	    pkt->pkt_numcookies > WIRE_IOV_MAX || bytes > WIRE_XFER_MAX ||
	    (pkt->pkt_flags & FLAG_NOINTR) != 0)
		return TRAN_BADPKT;
	mutex_enter(&s->lock);
	if (atomic_load(&s->hba->is_quiesced) || s->nqueued + s->nsent >= IH_QUEUE_MAX) {
		mutex_exit(&s->lock);
		return TRAN_BUSY;
	}
	cmd_prepare(cmd, unit, pkt, bytes);
	is_queued = queue_insert(s, cmd);
	mutex_exit(&s->lock);
	if (!is_queued)
		ih_finish(cmd);
	return TRAN_ACCEPT;
}
