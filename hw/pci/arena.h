/*
 * hw/pci/arena.h - memory for data that all PCI functions reach
 *
 * What      Registered once (pci_memory_add()), so that data moves straight between an adapter
 *           and a front end's buffer, whichever adapter and whichever front end. Without it, or
 *           when it is full, buffers come from the heap and their data is copied.
 * Trust     An adapter may write to all of it at any time: nothing that the process relies on,
 *           no pointer and no length, may be kept in a buffer of the arena.
 * Life      As long as the process.
 * Thread    Any.
 */
#ifndef HW_PCI_ARENA_H
#define HW_PCI_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

#define PCI_ARENA_BYTES		(64u << 20)
#define PCI_ARENA_LEAST		16384u	/* what is smaller is copied as fast as it is bound */

/* pci_arena_begin() - make it, when there is none: with the first function, before rights are
 * dropped. 0, -ENOMEM */
int pci_arena_begin(size_t bytes) MUST_CHECK;

/* pci_arena_take() - @bytes, page aligned, holding anything; NULL: no arena, no room, or fewer
 * than PCI_ARENA_LEAST */
void *pci_arena_take(size_t bytes);

/* pci_arena_give() - back; false: it is not of the arena, and nothing was done */
bool pci_arena_give(void *mem);

#endif /* HW_PCI_ARENA_H */
