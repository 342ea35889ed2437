/*
 * hw/pci/nexus.h - a PCI function as a node that an HBA driver can attach to
 *
 * What      Gives a node what the driver asks the system for: register sets, memory,
 *           interrupts, properties. The driver knows only the public headers.
 * Registers Set 0 is configuration space (pci_config_setup(9F)). Sets 1, 2, ... are the BARs
 *           the function has, in the order of the property "reg", an int array of five cells
 *           for each set: phys.hi, phys.mid, phys.lo, size.hi, size.lo (pci(5));
 *           PCI_REG_REG_G() of phys.hi is the offset of the BAR's register, 0x10 + 4 * number,
 *           by which a driver finds the set of a BAR that it knows by number. I/O BARs are read
 *           and written by the same ddi_get*(9F). Addresses from ddi_regs_map_setup(9F) are
 *           handles for ddi_get* and ddi_put*, not memory.
 *           An access is made once, in one piece, at its width; a put comes behind all earlier
 *           stores to memory, and later loads come behind a get.
 * Memory    dma.h.
 * Interrupt DDI_INTR_TYPE_MSIX, MSI and FIXED, as the bus has them. Vectors are switched on
 *           when the first of their type is enabled. FIXED is masked by the bus at each
 *           interrupt and unmasked when the handler has returned. A line that nobody has
 *           claimed NEXUS_STORM times running stays masked; the function has failed then, and
 *           the owner is told.
 * Command   Decoding is on and bus mastering off when attach(9E) begins: the driver sets
 *           PCI_COMM_ME by pci_config_put16() when its chip has been reset. It is off again
 *           when the node is freed.
 * Props     "vendor-id", "device-id", "revision-id", "class-code", "subsystem-vendor-id",
 *           "subsystem-id", "reg", "pci-name" ("0000:01:00.0"); "compatible" is the list of
 *           pci(5), most specific name first: "pci1000,54.1000.8000.0", "pci1000,54.1000.8000",
 *           "pci1000,8000", "pci1000,54.0", "pci1000,54", "pciclass,010000", "pciclass,0100".
 * Life      nexus_new → devi_attach, devi_detach → nexus_free
 * Owner     Who made it; the nexus owns the function.
 * Thread    One that may block.
 * Source    pci(5), ddi_regs_map_setup(9F), ddi_intr_alloc(9F)
 */
#ifndef HW_PCI_NEXUS_H
#define HW_PCI_NEXUS_H

#include "ddi/devtree.h"
#include "hw/pci/dma.h"
#include "hw/pci/pci.h"

#define NEXUS_STORM	500u	/* unclaimed interrupts of a line, one after the other */

struct nexus;

/* nexus_alarm_fn - the line is raised and nobody claims it: nexus_fail() has been called. Runs
 * once, on the thread of the interrupt; may not block */
typedef void (*nexus_alarm_fn)(void *arg);

/**
 * nexus_new() - a node for @fn, below the root
 *
 * @fn       open; taken over, also on failure
 * @name     of the node: the driver's, so that it binds to that; NULL: "pciVVVV,DDDD", and
 *           "compatible" decides
 * @pool_bytes  see pci_dma_new()
 * @reterr   room for PCI_DETAIL_LEN bytes of reason
 *
 * Returns:  0, -ENOMEM, -EINVAL (@name is no node name), or what the bus says of its memory
 */
int nexus_new(struct pci_fn *fn, const char *name, size_t pool_bytes, struct nexus **ret_nexus,
    char *reterr) MUST_CHECK;

/* nexus_free() - close the function and take the node out of the tree; NULL is fine. The node
 * is not attached; -EBUSY, and nothing done, when it is, or is held */
int nexus_free(struct nexus *nexus);

dev_info_t *nexus_node(struct nexus *nexus);
struct pci_fn *nexus_fn(struct nexus *nexus);
struct pci_dma *nexus_dma(struct nexus *nexus);

/* nexus_set_alarm() - before the node is attached; NULL: nobody is told */
void nexus_set_alarm(struct nexus *nexus, nexus_alarm_fn fn, void *arg);

/* nexus_fail() - pci_fn_fail(), and an interrupt on each vector that is on, so that the driver
 * looks at its registers and finds ones there */
void nexus_fail(struct nexus *nexus);

/* nexus_intr_signal() - vector @inum as if the function had interrupted; nothing when it is
 * off */
void nexus_intr_signal(struct nexus *nexus, unsigned int inum);

#endif /* HW_PCI_NEXUS_H */
