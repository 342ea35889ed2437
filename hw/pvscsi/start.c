/* tran_start: from packet to request */
#include "hw/pvscsi/pvscsi.h"

#include <string.h>

#include <sys/ddi.h>

#include "base/clock.h"
#include "scsi/cdb.h"

/* what the CDB asks for is blocks: the device moves all of them, or it went wrong */
static bool
op_counts_blocks(const struct op_info *op)
{
	switch (op->xfer) {
	case OP_XFER_BLOCKS:
	case OP_XFER_BLOCKS6:
	case OP_XFER_COMPARE:
	case OP_XFER_WRITE_SAME:
	case OP_XFER_VERIFY:
		return true;
	case OP_XFER_NONE:
	case OP_XFER_FIXED:
	case OP_XFER_BYTES:
	case OP_XFER_WRITE_LONG:
	case OP_XFER_SECURITY:
	case OP_XFER_ATA:
	case OP_XFER_LIST:
	case OP_XFER_N:
		break;
	}
	return false;
}

/*
 * How many bytes, which way. The model moves as many bytes as the list has, whatever the CDB
 * says, and never returns a command whose direction is not its CDB's; so the chip is given what
 * the CDB moves, and no more. CMD_CMPLT to go on; otherwise the packet ends so, unsent.
 */
static uint8_t
cmd_plan(struct pvscsi_cmd *cmd, const struct scsi_pkt *pkt, uint32_t block_bytes)
{
	enum op_dir dir = (pkt->pkt_dma_flags & DDI_DMA_READ) != 0 ? OP_DIR_IN : OP_DIR_OUT;
	uint64_t bytes = pkt->pkt_numcookies == 0 ? 0 : pkt->pkt_dma_len;
	struct cdb_info info;

	cmd->want = (struct pvscsi_want){ .data_len = bytes };
	if (cdb_decode(cmd->cdb, cmd->cdb_len, block_bytes, &info) == 0 && info.is_known) {
		bool is_plain = cdb_protect(info.op, cmd->cdb) == 0;

		cmd->want.is_exact = op_counts_blocks(info.op);
		cmd->is_block_io = info.op->xfer == OP_XFER_BLOCKS ||
		    info.op->xfer == OP_XFER_BLOCKS6;
		if (info.dir == OP_DIR_NONE)
			cmd->want.data_len = 0;
		else if (bytes > 0 && info.dir != OP_DIR_BOTH && info.dir != dir)
			return CMD_DMA_DERR;
		if (cmd->want.is_exact && bytes == 0 && info.dir != OP_DIR_NONE &&
		    info.blocks > 0)
			return CMD_DATA_OVR;
		if (info.has_bytes && is_plain && cmd->want.is_exact && bytes < info.bytes)
			return CMD_DATA_OVR;
		if (info.has_bytes && is_plain && cmd->want.data_len > info.bytes)
			cmd->want.data_len = info.bytes;
	}
	if (cmd->want.data_len == 0)
		cmd->flags = PV_REQ_DIR_NONE;
	else
		cmd->flags = dir == OP_DIR_IN ? PV_REQ_DIR_IN : PV_REQ_DIR_OUT;
	return CMD_CMPLT;
}

static uint32_t
cmd_sense_room(const struct scsi_pkt *pkt)
{
	size_t head = offsetof(struct scsi_arq_status, sts_sensedata);

	if (pkt->pkt_scblen < sizeof(struct scsi_arq_status))
		return 0;
	return pkt->pkt_scblen - head < PVSCSI_SENSE_MAX ?
	    (uint32_t)(pkt->pkt_scblen - head) : PVSCSI_SENSE_MAX;
}

static uint8_t
cmd_tag(const struct scsi_pkt *pkt)
{
	if ((pkt->pkt_flags & FLAG_HTAG) != 0)
		return PV_TAG_HEAD;
	return (pkt->pkt_flags & FLAG_OTAG) != 0 ? PV_TAG_ORDERED : PV_TAG_SIMPLE;
}

static uint8_t
cmd_prepare(struct pvscsi_lu *lu, struct scsi_pkt *pkt, struct pvscsi_cmd *cmd)
{
	bool is_lun0 = scsi_lun_to_lun64(lu->lun) == 0;
	uint8_t reason;

	pkt->pkt_reason = CMD_CMPLT;
	pkt->pkt_state = 0;
	pkt->pkt_statistics = 0;
	pkt->pkt_resid = (ssize_t)pkt->pkt_dma_len;
	if (pkt->pkt_scblen > 0)
		pkt->pkt_scbp[0] = 0;
	*cmd = (struct pvscsi_cmd){
		.target = lu->target, .lun = lu->lun, .pkt = pkt,
		.cdb = pkt->pkt_cdbp, .cdb_len = (uint8_t)pkt->pkt_cdblen,
		.tag = cmd_tag(pkt), .time_s = pkt->pkt_time,
		.is_polled = (pkt->pkt_flags & FLAG_NOINTR) != 0,
	};
	if (cmd->is_polled && cmd->time_s == 0)
		cmd->time_s = PVSCSI_POLL_S;
	reason = cmd_plan(cmd, pkt, is_lun0 ? atomic_load(&lu->target->block_bytes) : 0);
	cmd->want.sense_len = cmd_sense_room(pkt);
	cmd->want.is_known = atomic_load(&lu->target->is_active);
	return reason;
}

/* the request, in memory of ours; slot memory is the command's as long as it has the tag */
static void
req_build(struct pvscsi *hba, const struct pvscsi_cmd *cmd, const ddi_dma_cookie_t *cookies,
    uint_t ncookies, struct pv_req *req)
{
	uint32_t slot = tags_slot(cmd->context), per_page = PV_PAGE / PVSCSI_SENSE_ROOM, n;
	uint32_t sense_page = hba->sense_page + slot / per_page;
	uint32_t sense_off = slot % per_page * PVSCSI_SENSE_ROOM;
	const struct pvscsi_mem *tables = &hba->tables[slot / PVSCSI_TABLES];
	uint32_t table = slot % PVSCSI_TABLES;
	struct pv_sge *sges = (struct pv_sge *)(void *)(tables->va + (size_t)table * PV_PAGE);

	*req = (struct pv_req){
		.context = cmd->context, .data_len = cmd->want.data_len,
		.sense_len = cmd->want.sense_len, .flags = cmd->flags,
		.cdb_len = cmd->cdb_len, .tag = cmd->tag,
		.target = (uint8_t)cmd->target->number,
	};
	memcpy(req->cdb, cmd->cdb, cmd->cdb_len);
	memcpy(req->lun, &cmd->lun, sizeof(req->lun));
	if (cmd->want.sense_len > 0)
		req->sense_iova = hba->mem.iova[sense_page] + sense_off;
	if (cmd->want.data_len == 0)
		return;
	if (cookies[0].dmac_size >= cmd->want.data_len) {
		req->data_iova = cookies[0].dmac_laddress;
		return;
	}
	req->data_len = sg_build(sges, cookies, ncookies, cmd->want.data_len, &n);
	req->data_iova = tables->iova[table];
	req->flags |= PV_REQ_SG_LIST;
}

/* lock is held: may a command go to the chip now? */
static int
may_post(struct pvscsi *hba, const struct pvscsi_cmd *cmd)
{
	if (UNLIKELY(hba->is_quiesced) && cmd->pkt != NULL)
		return TRAN_BUSY;
	if (UNLIKELY(hba->state != PVSCSI_READY))
		return hba->state == PVSCSI_RESETTING ? TRAN_BUSY : TRAN_FATAL_ERROR;
	if (UNLIKELY(hba->rings.req_prod >= hba->refresh_at)) {
		pvscsi_work(hba, PVSCSI_WORK_REFRESH);
		return TRAN_BUSY;
	}
	return TRAN_ACCEPT;
}

int
pvscsi_post(struct pvscsi *hba, struct pvscsi_cmd *cmd, const ddi_dma_cookie_t *cookies,
    uint_t ncookies)
{
	struct pv_req req;
	bool is_lazy = cmd->is_block_io;
	int r;

	mutex_enter(&hba->lock);
	r = may_post(hba, cmd);
	if (r == TRAN_ACCEPT) {
		cmd->context = tags_take(&hba->tags, cmd);
		if (cmd->context == 0)
			r = TRAN_BUSY;
	}
	if (r != TRAN_ACCEPT) {
		mutex_exit(&hba->lock);
		return r;
	}
	if (cmd->time_s != 0)
		cmd->deadline_ns = clock_now_ns() + cmd->time_s * NS_PER_S;
	req_build(hba, cmd, cookies, ncookies, &req);
	ring_post(&hba->rings, &req);
	pvscsi_tick_arm(hba);
	mutex_exit(&hba->lock);
	/* the command may have ended by now, and be another's */
	(void)atomic_fetch_add_explicit(&hba->stats.commands, 1, memory_order_relaxed);
	pvscsi_put(hba, is_lazy ? PV_KICK_RW : PV_KICK_NON_RW, 0);
	return TRAN_ACCEPT;
}

void
pvscsi_kick(struct pvscsi *hba)
{
	pvscsi_put(hba, PV_KICK_NON_RW, 0);
}

/* it ends here, the chip has not seen it */
static int
pkt_end_unsent(struct scsi_pkt *pkt, uint8_t reason)
{
	pkt->pkt_reason = reason;
	pkt->pkt_state = STATE_GOT_BUS;
	if ((pkt->pkt_flags & FLAG_NOINTR) == 0)
		scsi_hba_pkt_comp(pkt);
	return TRAN_ACCEPT;
}

/* nobody can be waited for in interrupt context: do what the interrupt would. Ticks and
 * recovery go on meanwhile, so that it ends, whatever the chip does */
static void
pkt_poll(struct pvscsi *hba, struct pvscsi_cmd *cmd)
{
	for (;;) {
		(void)pvscsi_drain(hba, PVSCSI_BUDGET);
		if (atomic_load(&cmd->is_done))
			return;
		drv_usecwait(10);
	}
}

int
pvscsi_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct pvscsi_lu *lu = pvscsi_lu_of(ap);
	struct pvscsi *hba = lu->hba;
	struct pvscsi_cmd *cmd = pkt->pkt_ha_private;
	bool is_polled = (pkt->pkt_flags & FLAG_NOINTR) != 0;
	uint8_t reason;
	int r;

	if (pkt->pkt_cdblen == 0 || pkt->pkt_cdblen > PV_CDB_MAX ||
	    pkt->pkt_numcookies > PV_SGE_PER_PAGE)
		return TRAN_BADPKT;
	reason = cmd_prepare(lu, pkt, cmd);
	if (atomic_load(&lu->target->is_gone))
		reason = CMD_DEV_GONE;
	if (reason != CMD_CMPLT)
		return pkt_end_unsent(pkt, reason);
	/* the model does not say how much of an answer it wrote: what it did not write must not
	 * be what somebody else had there */
	if ((cmd->flags & PV_REQ_DIR_IN) != 0 && !cmd->want.is_exact)
		scsad_pkt_zero(pkt);
	r = pvscsi_post(hba, cmd, pkt->pkt_cookies, pkt->pkt_numcookies);
	if (r == TRAN_BUSY)
		(void)atomic_fetch_add_explicit(&hba->stats.busy, 1, memory_order_relaxed);
	else if (r == TRAN_ACCEPT && is_polled)
		pkt_poll(hba, cmd);
	return r;
}
