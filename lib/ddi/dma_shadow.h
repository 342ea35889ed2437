/*
 * ddi/dma_shadow.h - a bus that forgives no missing ddi_dma_sync(), for tests
 *
 * What      A DMA provider whose bus addresses lead to copies. The "device" reads and writes
 *           the copy; ddi_dma_sync(FORDEV) carries the memory to it, FORCPU and FORKERNEL carry
 *           it back. Bus addresses start at 1 GiB and jump at every @extent_bytes, so that
 *           cookies are many.
 * Owner     The provider owns the copies of what is bound.
 * Thread    Any.
 */
#ifndef DDI_DMA_SHADOW_H
#define DDI_DMA_SHADOW_H

#include "ddi/devtree.h"

struct dma_shadow;

extern const struct devi_dma_ops dma_shadow_ops;	/* its arg is a struct dma_shadow */

/* dma_shadow_new() - contiguous up to @extent_bytes (a power of two); NULL without memory */
struct dma_shadow *dma_shadow_new(size_t extent_bytes);
void dma_shadow_free(struct dma_shadow *s);

/* dma_shadow_at() - what the device sees at bus address @iova for @len bytes; NULL: not mapped
 */
void *dma_shadow_at(struct dma_shadow *s, uint64_t iova, size_t len);

/* dma_shadow_bindings() - how many ranges are bound now, for balance checks */
unsigned int dma_shadow_bindings(struct dma_shadow *s);

#endif /* DDI_DMA_SHADOW_H */
