/*
 * Packets of tasks. One that came back is kept for the next task with a CDB of that length:
 * making one costs more than everything else on its way. Target drivers may use a packet again
 * (scsi_init_pkt(9F)); its DMA resources go before the task ends.
 */
#include "lu/lu_impl.h"

#include <errno.h>

static struct scsi_pkt *
spare_take(struct lu *lu, uint16_t cdb_len)
{
	if (lu->n_spares == 0 || lu->spares[lu->n_spares - 1]->pkt_cdblen != cdb_len)
		return NULL;
	return lu->spares[--lu->n_spares];
}

static struct buf *
task_buf(struct lu_task *task)
{
	struct buf *bp = &task->buf;

	bioinit(bp);
	bp->b_flags = B_BUSY | (task->dir == LU_DIR_IN ? B_READ : B_WRITE);
	bp->b_un.b_addr = task->data;
	bp->b_bcount = lu_task_bytes(task);
	return bp;
}

int
lu_pkt_take(struct lu *lu, struct lu_task *task)
{
	struct buf *bp = lu_task_bytes(task) > 0 ? task_buf(task) : NULL;
	struct scsi_pkt *spare = spare_take(lu, task->cdb_used);
	struct scsi_pkt *pkt = scsi_init_pkt(&lu->sd->sd_address, spare, bp, task->cdb_used,
	    LU_SCB_LEN, 0, PKT_CONSISTENT | PKT_XARQ, NULL_FUNC, NULL);

	if (UNLIKELY(pkt == NULL)) {
		if (spare != NULL)
			lu->spares[lu->n_spares++] = spare;
		return bp != NULL && geterror(bp) != 0 ? -EIO : -EAGAIN;
	}
	if (spare != NULL) {
		pkt->pkt_scbp[0] = 0;
		if (bp == NULL)
			pkt->pkt_resid = 0;
	}
	task->pkt = pkt;
	return 0;
}

void
lu_pkt_put(struct lu *lu, struct scsi_pkt *pkt, bool has_data)
{
	if (lu->n_spares == LU_SPARES_MAX || !unit_is_active(lu)) {
		scsi_destroy_pkt(pkt);
		return;
	}
	if (has_data)
		scsi_dmafree(pkt);
	lu->spares[lu->n_spares++] = pkt;
}

void
lu_pkts_fini(struct lu *lu)
{
	while (lu->n_spares > 0)
		scsi_destroy_pkt(lu->spares[--lu->n_spares]);
}
