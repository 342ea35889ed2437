/*
 * hw/pci/dma.h - memory of a PCI function: its own, its clients', and copies of the rest
 *
 * What      The provider behind devi_dma_ops for the nodes of hw/pci. A driver's rings and the
 *           framework's consistent buffers come out of a pool that is mapped once. Memory that
 *           was registered (a client's shared buffers, the daemon's own) is mapped at
 *           registration, and the function moves data straight to and from it. Any other memory
 *           is bound through a copy in the pool, made and brought back by ddi_dma_sync(9F).
 * Life      pci_dma_new → add, remove → pci_dma_free
 * Owner     The function's nexus; registered memory stays its owner's, who must not unmap it
 *           before pci_dma_remove() has said 0.
 * Thread    Any. A binding takes a lock for a moment; with memory of the pool or a registered
 *           one it allocates nothing.
 * Limits    PCI_DMA_REGIONS registrations; a copy is at most PCI_DMA_PIECES pieces of the pool.
 */
#ifndef HW_PCI_DMA_H
#define HW_PCI_DMA_H

#include "ddi/devtree.h"
#include "hw/pci/pci.h"

#define PCI_DMA_REGIONS		1024
#define PCI_DMA_PIECES		16
#define PCI_DMA_PIECE_BYTES	(4u << 20)	/* largest, if the pool has such */
#define PCI_DMA_POOL_BYTES	(64u << 20)	/* of a pool, when nobody says */

struct pci_dma;

/**
 * pci_dma_new() - memory for @fn
 *
 * @pool_bytes  size of the pool; 0: PCI_DMA_POOL_BYTES
 *
 * Returns:  0, -ENOMEM, or what the bus answers (fn->detail says why)
 */
int pci_dma_new(struct pci_fn *fn, size_t pool_bytes, struct pci_dma **ret_dma) MUST_CHECK;

/* pci_dma_free() - the function has stopped, and nothing is bound; NULL is fine */
void pci_dma_free(struct pci_dma *dma);

/**
 * pci_dma_add() - register memory, so that it need not be copied
 *
 * @va       page aligned, with what is not whole pages of @bytes left out; not in the pool
 *
 * Returns:  0
 *           -ENOTSUP  this bus cannot; the memory is copied, as before
 *           -EEXIST   some of it is registered
 *           -ENOSPC   no bus addresses, or too many registrations
 *           -EINVAL   not aligned, or nothing
 *           -ENOMEM, -EFAULT  the system cannot map it
 */
int pci_dma_add(struct pci_dma *dma, void *va, size_t bytes) MUST_CHECK;

/**
 * pci_dma_remove() - undo pci_dma_add()
 *
 * Returns:  0
 *           -ENOENT   not registered
 *           -EBUSY    bound: try again when its commands have completed. No new binding is made
 */
int pci_dma_remove(struct pci_dma *dma, void *va);

/* the provider; its argument is the struct pci_dma */
extern const struct devi_dma_ops pci_dma_ops;

struct pci_dma_stats {
	uint64_t bytes_copied;
	uint64_t bound_pool, bound_region, bound_copy;	/* bindings so far, by kind */
	uint64_t refused;				/* the pool had no room */
	size_t pool_bytes, pool_used_bytes;
	unsigned int regions;
};

void pci_dma_stats(struct pci_dma *dma, struct pci_dma_stats *ret);

/* pci_dma_at() - memory of the pool at bus address @iova, if all @bytes are in one span;
 * NULL */
void *pci_dma_at(struct pci_dma *dma, uint64_t iova, size_t bytes);

#endif /* HW_PCI_DMA_H */
