/*
 * lu/pkts.h - packets of tasks
 *
 * What      A packet that came back is kept for the next task with a CDB of that length: making
 *           one costs more than everything else on its way. Target drivers may use a packet
 *           again; its DMA resources go before the task ends. In a header because every command
 *           comes here twice.
 * Thread    home
 * Source    scsi_init_pkt(9F)
 */
#ifndef LU_PKTS_H
#define LU_PKTS_H

#include <errno.h>

#include "lu/lu_impl.h"

static inline struct scsi_pkt *
pkt_spare_take(struct lu *lu, uint16_t cdb_len)
{
	struct scsi_pkt *pkt = lu->spares;

	if (pkt == NULL || pkt->pkt_cdblen != cdb_len)
		return NULL;
	lu->spares = pkt->pkt_private;
	lu->n_spares--;
	return pkt;
}

/* a driver that calls pkt_comp itself, and once more, meets no task */
static inline void
pkt_spare_comp(struct scsi_pkt *pkt UNUSED)
{
}

static inline void
pkt_spare_put(struct lu *lu, struct scsi_pkt *pkt)
{
	pkt->pkt_comp = pkt_spare_comp;
	pkt->pkt_private = lu->spares;
	lu->spares = pkt;
	lu->n_spares++;
}

static inline void
pkt_spare_drop(struct lu *lu)
{
	struct scsi_pkt *pkt = lu->spares;

	lu->spares = pkt->pkt_private;
	lu->n_spares--;
	scsi_destroy_pkt(pkt);
}

static inline struct buf *
pkt_task_buf(struct lu_task *task)
{
	struct buf *bp = &task->buf;

	bp->b_flags = B_BUSY | (task->dir == LU_DIR_IN ? B_READ : B_WRITE);
	bp->b_un.b_addr = task->data;
	bp->b_bcount = task->device_len;
	return bp;
}

/* lu_pkt_take() - a packet for the task, with its data: 0, -EAGAIN none now, -EIO never */
static inline int
lu_pkt_take(struct lu *lu, struct lu_task *task)
{
	struct buf *bp = task->device_len > 0 ? pkt_task_buf(task) : NULL;
	struct scsi_pkt *spare = pkt_spare_take(lu, task->cdb_used);
	struct scsi_pkt *pkt = scsi_init_pkt(&lu->sd->sd_address, spare, bp, task->cdb_used,
	    LU_SCB_LEN, 0, PKT_CONSISTENT | PKT_XARQ, NULL_FUNC, NULL);

	if (UNLIKELY(pkt == NULL)) {
		if (spare != NULL)
			pkt_spare_put(lu, spare);
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

/* lu_pkt_put() - give it back */
static inline void
lu_pkt_put(struct lu *lu, struct scsi_pkt *pkt, bool has_data)
{
	if (UNLIKELY(!unit_is_active(lu))) {
		scsi_destroy_pkt(pkt);
		return;
	}
	/* what comes back is of the length that is wanted at present: those kept may not be */
	if (UNLIKELY(lu->n_spares == LU_SPARES_MAX))
		pkt_spare_drop(lu);
	if (has_data)
		scsi_dmafree(pkt);
	pkt_spare_put(lu, pkt);
}

/* lu_pkts_fini() - give up those that are kept */
static inline void
lu_pkts_fini(struct lu *lu)
{
	while (lu->spares != NULL)
		pkt_spare_drop(lu);
}

#endif /* LU_PKTS_H */
