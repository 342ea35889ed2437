#include <sys/scsi/scsi.h>

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "scsa/pkt_dma.h"

#define RETRY_NS	(10 * NS_PER_MS)	/* period of those who wait for memory */

static void
pkt_dma_bound(struct scsa_pkt *sp, struct buf *bp)
{
	struct scsi_pkt *pkt = &sp->pkt;

	pkt_dma_show(sp, bp);
	TRACE(.kind = SCSA_EV_BIND, .tran = pkt->pkt_address.a_hba_tran, .pkt = pkt,
	    .arg = (int64_t)pkt->pkt_dma_len, .result = pkt->pkt_numcookies);
}

/* "sector-size" may have changed the granularity since the packet was constructed */
static int
pkt_dma_regrain(struct scsa_pkt *sp)
{
	struct scsi_hba_tran *tran = sp->pkt.pkt_address.a_hba_tran;

	if (LIKELY(sp->dma.attr.dma_attr_granular == tran->tran_dma_attr.dma_attr_granular))
		return 0;
	dma_fini(&sp->dma);
	if (dma_init(&sp->dma, tran->tran_hba_dip, &tran->tran_dma_attr) == DDI_SUCCESS)
		return 0;
	return EINVAL;
}

int
pkt_dma_bind(struct scsa_pkt *sp, struct buf *bp, int (*callback)(caddr_t))
{
	uint_t flags = pkt_dma_flags(sp, bp);
	int r;

	if (bp->b_un.b_addr == NULL)
		return EFAULT;
	r = pkt_dma_regrain(sp);
	if (r != 0)
		return r;
	for (;;) {
		r = dma_bind(&sp->dma, bp->b_un.b_addr, bp->b_bcount, flags);
		if (r != DDI_DMA_NORESOURCES || callback != SLEEP_FUNC)
			break;
		sched_sleep_ns(RETRY_NS);
	}
	switch (r) {
	case DDI_DMA_MAPPED:
	case DDI_DMA_PARTIAL_MAP:
		sp->pkt.pkt_dma_flags = flags;
		pkt_dma_bound(sp, bp);
		return 0;
	case DDI_DMA_NORESOURCES:
		return -ENOBUFS;
	case DDI_DMA_TOOBIG:
		return EINVAL;
	default:
		return EFAULT;
	}
}

int
pkt_dma_next(struct scsa_pkt *sp, struct buf *bp)
{
	if (bp->b_bcount != sp->dma.len || dma_is_last_window(&sp->dma))
		return EINVAL;
	if (dma_window(&sp->dma, sp->dma.window + 1) != DDI_SUCCESS)
		return EINVAL;
	pkt_dma_bound(sp, bp);
	return 0;
}

void
pkt_dma_unbind(struct scsa_pkt *sp)
{
	struct scsi_pkt *pkt = &sp->pkt;

	dma_release(&sp->dma);
	pkt->pkt_numcookies = 0;
	pkt->pkt_cookies = NULL;
	pkt->pkt_dma_offset = 0;
	pkt->pkt_dma_len = 0;
	pkt->pkt_dma_flags = 0;
	TRACE(.kind = SCSA_EV_UNBIND, .tran = pkt->pkt_address.a_hba_tran, .pkt = pkt);
}

static bool
pkt_dma_needs_sync(const struct scsa_pkt *sp)
{
	return sp->dma.is_bound && sp->dma.has_sync;
}

void
pkt_dma_tell_start(struct scsa_pkt *sp)
{
	if (UNLIKELY(pkt_dma_needs_sync(sp)) && (sp->pkt.pkt_dma_flags & DDI_DMA_WRITE))
		(void)dma_sync(&sp->dma, 0, 0, DDI_DMA_SYNC_FORDEV);
}

void
scsad_pkt_zero(struct scsi_pkt *pkt)
{
	struct scsa_pkt *sp = pkt_framework(pkt);

	if (sp == NULL || !sp->is_cached || !sp->dma.is_bound)
		return;
	memset(sp->dma.addr + sp->dma.window_off, 0, sp->dma.window_len);
	if (UNLIKELY(pkt_dma_needs_sync(sp)))
		(void)dma_sync(&sp->dma, sp->dma.window_off, sp->dma.window_len,
		    DDI_DMA_SYNC_FORDEV);
}

void
pkt_dma_tell_comp(struct scsa_pkt *sp)
{
	const uint_t both = DDI_DMA_CONSISTENT | DDI_DMA_READ;

	if ((sp->pkt.pkt_dma_flags & both) != both)
		return;
	if (UNLIKELY(pkt_dma_needs_sync(sp)))
		(void)dma_sync(&sp->dma, 0, 0, DDI_DMA_SYNC_FORCPU);
	TRACE(.kind = SCSA_EV_SYNC_CPU, .tran = sp->pkt.pkt_address.a_hba_tran, .pkt = &sp->pkt);
}

/* tran_dmafree of setup_pkt drivers */
void
pkt_setup_dmafree(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct scsa_pkt *sp = pkt_framework(pkt);

	(void)ap;
	if (sp != NULL && sp->dma.is_bound)
		pkt_dma_unbind(sp);
}

/* tran_sync_pkt of setup_pkt drivers */
void
pkt_setup_sync(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct scsa_pkt *sp = pkt_framework(pkt);

	(void)ap;
	if (sp == NULL || !sp->dma.is_bound || !(pkt->pkt_state & STATE_XFERRED_DATA))
		return;
	(void)dma_sync(&sp->dma, 0, 0, pkt->pkt_dma_flags & DDI_DMA_READ ?
	    DDI_DMA_SYNC_FORCPU : DDI_DMA_SYNC_FORDEV);
}

/*
 * Consistent buffers. Who made the memory is written behind the data, because the buf may be
 * the caller's and b_private is his.
 */
struct consistent_tail {
	dev_info_t *dip;
	size_t len;			/* as dma_free() wants it */
};

static struct consistent_tail *
consistent_tail(const struct buf *bp)
{
	return (void *)(bp->b_un.b_addr + bp->b_bufsize - sizeof(struct consistent_tail));
}

static bool
consistent_alloc(struct scsi_address *ap, struct buf *bp, size_t datalen)
{
	struct scsi_hba_tran *tran = ap->a_hba_tran;
	size_t want = (size_t)num_round_up(datalen, 16) + sizeof(struct consistent_tail);
	size_t len;
	void *mem;

	mem = dma_alloc(tran->tran_hba_dip, &tran->tran_dma_attr, want, &len);
	if (mem == NULL)
		return false;
	bp->b_un.b_addr = mem;
	bp->b_bcount = datalen;
	bp->b_bufsize = want;
	*consistent_tail(bp) = (struct consistent_tail){ tran->tran_hba_dip, len };
	return true;
}

static bool
consistent_fill(struct scsi_address *ap, struct buf *bp, size_t datalen, bool can_sleep)
{
	bp->b_un.b_addr = NULL;
	bp->b_bcount = 0;
	bp->b_bufsize = 0;
	while (datalen != 0 && !consistent_alloc(ap, bp, datalen)) {
		if (!can_sleep)
			return false;
		sched_sleep_ns(RETRY_NS);
	}
	return true;
}

struct buf *
scsi_alloc_consistent_buf(struct scsi_address *ap, struct buf *in_bp, size_t datalen,
    uint_t bflags, int (*callback)(caddr_t), caddr_t arg)
{
	bool can_sleep = callback == SLEEP_FUNC;
	struct buf *bp = in_bp;

	if (bp == NULL)
		bp = getrbuf(can_sleep ? KM_SLEEP : KM_NOSLEEP);
	if (bp != NULL && consistent_fill(ap, bp, datalen, can_sleep)) {
		bp->b_flags &= ~(B_READ | B_WRITE);
		bp->b_flags |= (int)bflags & B_READ ? B_READ : B_WRITE;
		return bp;
	}
	if (bp != NULL && bp != in_bp)
		freerbuf(bp);
	if (callback != NULL_FUNC && !can_sleep)
		runout_add(callback, arg);
	return NULL;
}

void
scsi_free_consistent_buf(struct buf *bp)
{
	if (bp == NULL)
		return;
	if (bp->b_bufsize != 0) {
		struct consistent_tail tail = *consistent_tail(bp);

		dma_free(tail.dip, bp->b_un.b_addr, tail.len);
	}
	freerbuf(bp);
	runout_run();
}
