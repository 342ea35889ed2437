/* tran_start: from packet to ring */
#include "hw/virtio_scsi/virtio_scsi.h"

#define POLL_US		5
#define POLL_TIME_S	60	/* of a polled packet that has no time of its own */

int
vs_pkt_construct(struct scsi_pkt *pkt, scsi_hba_tran_t *tran, int kmflag)
{
	struct vs_cmd *cmd = pkt->pkt_ha_private;

	(void)tran;
	(void)kmflag;
	cmd->pkt = pkt;
	return 0;
}

int
vs_setup_pkt(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg)
{
	(void)callback;
	(void)arg;
	return pkt->pkt_cdblen <= VS_CDB_BYTES ? 0 : -1;
}

void
vs_teardown_pkt(struct scsi_pkt *pkt)
{
	(void)pkt;
}

static inline uint8_t
attr_of(uint_t flags)
{
	if (LIKELY((flags & (FLAG_HTAG | FLAG_OTAG)) == 0))
		return VS_ATTR_SIMPLE;
	return (flags & FLAG_HTAG) != 0 ? VS_ATTR_HEAD : VS_ATTR_ORDERED;
}

/* why a packet is not taken now */
static int
start_refuse(struct vs_hba *hba)
{
	switch (vs_state(hba)) {
	case VS_STARTING:
	case VS_READY:
	case VS_HELD:
		return TRAN_BUSY;
	case VS_FAILED:
		/* one that only needs a reset is as good as before in a moment */
		return atomic_load(&hba->why) < VS_WHY_LIED ? TRAN_BUSY : TRAN_FATAL_ERROR;
	case VS_DOWN:
	case VS_DEAD:
	case VS_STATE_N:
		break;
	}
	return TRAN_FATAL_ERROR;
}

static inline void
start_prepare(struct vs_hba *hba, const struct vs_lu *lu, struct scsi_pkt *pkt,
    struct vs_cmd *cmd)
{
	bool is_polled = (pkt->pkt_flags & FLAG_NOINTR) != 0;
	uint_t time_s = pkt->pkt_time == 0 && is_polled ? POLL_TIME_S : pkt->pkt_time;

	pkt->pkt_reason = CMD_CMPLT;
	pkt->pkt_state = 0;
	pkt->pkt_statistics = 0;
	pkt->pkt_resid = pkt->pkt_numcookies == 0 ? 0 : (ssize_t)pkt->pkt_dma_len;
	if (pkt->pkt_scblen > 0)
		pkt->pkt_scbp[0] = 0;
	cmd->data_bytes = (size_t)pkt->pkt_resid;
	cmd->target = lu->target;
	cmd->is_expired = false;
	cmd->is_polled = is_polled;
	/* the present tick has begun already: one more, never early */
	cmd->issued = atomic_load_explicit(&hba->tick, memory_order_relaxed);
	cmd->deadline = time_s == 0 ? 0 :
	    cmd->issued + (uint64_t)time_s * VS_TICKS_PER_S + 1;
}

/* TRAN_ACCEPT: the packet may be completed, and gone, by now */
static inline int
start_issue(struct vs_queue *queue, const struct vs_lu *lu, struct scsi_pkt *pkt)
{
	struct vs_hba *hba = queue->hba;
	struct vs_cmd *cmd = pkt->pkt_ha_private;
	struct vs_order order = {
		.lun = lu->wire, .attr = attr_of(pkt->pkt_flags),
		.cdb = pkt->pkt_cdbp, .cdb_bytes = pkt->pkt_cdblen,
		.cookies = pkt->pkt_cookies, .ncookies = pkt->pkt_numcookies,
		.is_read = (pkt->pkt_dma_flags & DDI_DMA_READ) != 0,
	};

	vs_watch_need(hba);
	mutex_enter(&queue->lock);
	if (UNLIKELY(vs_state(hba) != VS_READY)) {
		mutex_exit(&queue->lock);
		return start_refuse(hba);
	}
	start_prepare(hba, lu, pkt, cmd);
	if (UNLIKELY(!vs_queue_issue(queue, cmd, &order))) {
		vs_queue_leave(queue);
		return TRAN_BUSY;
	}
	vs_queue_leave(queue);
	/* the watch may have gone to sleep before it saw it */
	vs_watch_need(hba);
	return TRAN_ACCEPT;
}

/* nobody calls back: look until it has come. Time, aborts and recovery are as for others */
static int
start_polled(struct vs_queue *queue, const struct vs_lu *lu, struct scsi_pkt *pkt)
{
	struct vs_hba *hba = queue->hba, *outer = vs_batch_begin(NULL);
	struct vs_cmd *cmd = pkt->pkt_ha_private;
	unsigned int n;
	int r;

	atomic_store(&cmd->is_done, false);
	r = start_issue(queue, lu, pkt);
	while (r == TRAN_ACCEPT) {
		/* all of it: what is left behind would not interrupt */
		while (vs_queue_reap(queue, &n))
			continue;
		if (atomic_load_explicit(&cmd->is_done, memory_order_acquire))
			break;
		drv_usecwait(POLL_US);
	}
	vs_batch_end(hba, outer);
	return r;
}

int
vs_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	const struct vs_lu *lu = vs_lu_of(ap);
	struct vs_hba *hba = lu->hba;
	struct vs_queue *queue = vs_queue_mine(hba);

	if (pkt->pkt_cdblen == 0 || pkt->pkt_cdblen > VS_CDB_BYTES ||
	    pkt->pkt_numcookies > hba->limits.segs)
		return TRAN_BADPKT;
	if (UNLIKELY((pkt->pkt_flags & FLAG_NOINTR) != 0))
		return start_polled(queue, lu, pkt);
	return start_issue(queue, lu, pkt);
}
