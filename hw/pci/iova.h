/*
 * hw/pci/iova.h - bus addresses behind an IOMMU, given out with gaps in between
 *
 * What      Addresses below 4 GiB, so that chips with 32-bit addresses need no memory of their
 *           own: from IOVA_FIRST to IOVA_LAST where the IOMMU has them, else from wherever it
 *           has. Behind each piece a page stays unmapped, so that a function which runs on does
 *           not reach the next piece but a fault.
 * Thread    The caller's lock.
 */
#ifndef HW_PCI_IOVA_H
#define HW_PCI_IOVA_H

#include <stdint.h>

#include "base/compiler.h"

#define IOVA_FIRST	0x40000000ull	/* above it no small guest has memory, */
#define IOVA_LAST	0xbfffffffull	/* below it no machine has bridge windows */
#define IOVA_GAP_BYTES	4096u

struct iova;

struct iova_range {
	uint64_t first, last;
};

/**
 * iova_new() - an allocator
 *
 * @ranges   what the IOMMU translates, in order; none (@count 0): everything
 *
 * Returns:  0
 *           -ENOSPC  nothing below 4 GiB
 *           -ENOMEM
 */
int iova_new(const struct iova_range *ranges, unsigned int count, struct iova **ret_iova)
    MUST_CHECK;
void iova_free(struct iova *iova);	/* NULL is fine */

/* iova_take() - @bytes, a multiple of 4096, at a multiple of @align (a power of two, at least
 * 4096); 0, -ENOSPC, -ENOMEM */
int iova_take(struct iova *iova, uint64_t bytes, uint64_t align, uint64_t *ret_at) MUST_CHECK;

/* iova_give() - a piece back, by its first address */
void iova_give(struct iova *iova, uint64_t at);

#endif /* HW_PCI_IOVA_H */
