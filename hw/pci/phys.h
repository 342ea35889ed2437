/*
 * hw/pci/phys.h - memory whose bus address is its physical address
 *
 * What      Huge pages, locked: only they keep their place. Needs free huge pages
 *           (/proc/sys/vm/nr_hugepages) and the right to read page frame numbers.
 * Thread    Any.
 * Source    Linux Documentation/admin-guide/mm/pagemap.rst, hugetlbpage.rst
 */
#ifndef HW_PCI_PHYS_H
#define HW_PCI_PHYS_H

#include "hw/pci/pci.h"

#define PHYS_PAGE_BYTES	(2u << 20)

/**
 * phys_get() - about @bytes, less when there are fewer huge pages
 *
 * Pages below 4 GiB are taken when there are any: all chips reach those.
 *
 * @ret_spans  room for *@count; one for each stretch without a break
 *
 * Returns:  0; with fn->detail: -ENOMEM (no huge page), -EACCES (where they are is not told)
 */
int phys_get(struct pci_fn *fn, size_t bytes, struct pci_span *ret_spans, unsigned int *count)
    MUST_CHECK;
void phys_put(const struct pci_span *spans, unsigned int count);

/* phys_spans() - spans of @pages pages at @va, of which frame[] says where they are, 0 for one
 * that is left out; how many there are, at most @max */
unsigned int phys_spans(char *va, const uint64_t *frame, unsigned int pages,
    struct pci_span *ret_spans, unsigned int max);

#endif /* HW_PCI_PHYS_H */
