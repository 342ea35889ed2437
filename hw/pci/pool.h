/*
 * hw/pci/pool.h - pieces of memory that a PCI function can reach
 *
 * What      A buddy allocator over spans (see pci.h). What it knows is kept outside of the
 *           memory it gives out: that belongs to the function too, and may be written by it at
 *           any time.
 * Shape     A piece is a power of two of POOL_UNIT_BYTES, contiguous in bus addresses, and as
 *           aligned as the span allows: to its own size in a span that is.
 * Thread    Any; a mutex of the pool is held for a moment.
 */
#ifndef HW_PCI_POOL_H
#define HW_PCI_POOL_H

#include "hw/pci/pci.h"

#define POOL_UNIT_BYTES		1024u
#define POOL_ORDERS		18		/* largest piece: 128 MiB */
#define POOL_SPANS_MAX		256

struct pool;

/**
 * dma_pool_new() - a pool over @count spans
 *
 * @spans    at addresses and bus addresses that are multiples of POOL_UNIT_BYTES; copied. What
 *           is no multiple of it at their end stays unused
 *
 * Returns:  0
 *           -EINVAL  no span, too many, or one that is not aligned
 *           -ENOMEM
 */
int dma_pool_new(const struct pci_span *spans, unsigned int count, struct pool **ret_pool)
    MUST_CHECK;
void dma_pool_free(struct pool *pool);		/* NULL is fine; every piece was given back */

/* dma_pool_take() - @bytes at a bus address that is a multiple of @align (a power of two), as
 * they were left; NULL: there is no such piece now */
void *dma_pool_take(struct pool *pool, size_t bytes, size_t align);

/* dma_pool_give() - a piece back, by its first byte */
void dma_pool_give(struct pool *pool, void *mem);

/* dma_pool_span() - the span that @va is in; NULL: none. Without lock */
const struct pci_span *dma_pool_span(const struct pool *pool, const void *va);

/* dma_pool_spans() - all, and how many */
const struct pci_span *dma_pool_spans(const struct pool *pool, unsigned int *ret_count);

/* dma_pool_piece_max() - the largest piece that the pool can have when nothing is taken */
size_t dma_pool_piece_max(const struct pool *pool);

/* dma_pool_used_bytes() - in pieces now */
size_t dma_pool_used_bytes(struct pool *pool);

#endif /* HW_PCI_POOL_H */
