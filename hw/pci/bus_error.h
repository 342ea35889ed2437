/*
 * hw/pci/bus_error.h - mapped registers of a function that has gone
 *
 * What      When a function leaves, or decodes nothing any more, the kernel takes the mapping
 *           of its BARs away, and the next access is a bus error. Then a page of ones comes in
 *           its place and the function is failed, so the access gives what a function that is
 *           not there gives. Bus errors anywhere else go the way they went before.
 * Limits    BUS_AREAS mappings at a time; those beyond are not protected.
 * Thread    Adding and removing: any. What happens at a bus error is async-signal-safe.
 * Source    vfio_pci_core_mmap_fault() answers SIGBUS; sigaction(2), SIGBUS
 */
#ifndef HW_PCI_BUS_ERROR_H
#define HW_PCI_BUS_ERROR_H

#include "hw/pci/pci.h"

#define BUS_AREAS	256

/* bus_error_add() - @bytes of registers of @fn are mapped at @va, a multiple of the page
 * size */
void bus_error_add(struct pci_fn *fn, void *va, size_t bytes);

/* bus_error_remove() - before they are unmapped; nothing when they were not added */
void bus_error_remove(void *va);

#endif /* HW_PCI_BUS_ERROR_H */
