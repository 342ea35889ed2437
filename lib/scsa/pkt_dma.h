/*
 * scsa/pkt_dma.h - data of the packets that the framework makes
 *
 * What      A cached packet keeps a binding (ddi/dma.h); what drivers may see of its present
 *           window stands in the scsi_pkt. Nearly every command has one range that is one
 *           cookie: for that the way is in this header, without a call.
 * Thread    The owner's of the packet.
 * Source    scsi_init_pkt(9F), scsi_pkt(9S)
 */
#ifndef SCSA_PKT_DMA_H
#define SCSA_PKT_DMA_H

#include "scsa/scsa_impl.h"

/* pkt_dma_bind(), pkt_dma_next() - the first window, the next one: 0, or what bioerror() is to
 * be told, or -ENOBUFS for resources that may come back */
int pkt_dma_bind(struct scsa_pkt *sp, struct buf *bp, int (*callback)(caddr_t)) MUST_CHECK;
int pkt_dma_next(struct scsa_pkt *sp, struct buf *bp) MUST_CHECK;

/* pkt_dma_unbind() - of a packet that is bound */
void pkt_dma_unbind(struct scsa_pkt *sp);

/* entries of setup_pkt drivers */
void pkt_setup_dmafree(struct scsi_address *ap, struct scsi_pkt *pkt);
void pkt_setup_sync(struct scsi_address *ap, struct scsi_pkt *pkt);

static inline uint_t
pkt_dma_flags(const struct scsa_pkt *sp, const struct buf *bp)
{
	uint_t flags = bp->b_flags & B_READ ? DDI_DMA_READ : DDI_DMA_WRITE;

	if (sp->want_flags & PKT_CONSISTENT)
		flags |= DDI_DMA_CONSISTENT;
	if (sp->want_flags & PKT_DMA_PARTIAL)
		flags |= DDI_DMA_PARTIAL;
	return flags;
}

/* pkt_dma_show() - the present window in the packet */
static inline void
pkt_dma_show(struct scsa_pkt *sp, struct buf *bp)
{
	struct scsi_pkt *pkt = &sp->pkt;

	pkt->pkt_numcookies = sp->dma.cookie_count;
	pkt->pkt_cookies = sp->dma.cookies;
	pkt->pkt_dma_offset = (off_t)sp->dma.window_off;
	pkt->pkt_dma_len = sp->dma.window_len;
	pkt->pkt_resid = (ssize_t)(bp->b_bcount - sp->dma.window_off - sp->dma.window_len);
}

/* pkt_dma_bind_simple() - pkt_dma_bind() where dma_is_simple(); told to no trace */
static inline void
pkt_dma_bind_simple(struct scsa_pkt *sp, struct buf *bp)
{
	uint_t flags = pkt_dma_flags(sp, bp);

	dma_bind_simple(&sp->dma, bp->b_un.b_addr, bp->b_bcount, flags);
	sp->pkt.pkt_dma_flags = flags;
	pkt_dma_show(sp, bp);
}

/* pkt_dma_sync_start() - the device is about to read what the client wrote into the buffer */
void pkt_dma_tell_start(struct scsa_pkt *sp);

static inline void
pkt_dma_sync_start(struct scsa_pkt *sp)
{
	if (UNLIKELY(sp->dma.has_sync))
		pkt_dma_tell_start(sp);
}

/* pkt_dma_sync_comp() - consistent data that was read is visible before the client hears */
void pkt_dma_tell_comp(struct scsa_pkt *sp);

static inline void
pkt_dma_sync_comp(struct scsa_pkt *sp)
{
	if (UNLIKELY(sp->dma.has_sync || scsa_trace_is_on))
		pkt_dma_tell_comp(sp);
}

#endif /* SCSA_PKT_DMA_H */
