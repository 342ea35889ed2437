/*
 * pvscsi/module.h - the driver of VMware's paravirtual SCSI adapter, for who links it
 *
 * What      Entry points of the module, and the nodes it is for. Everything else goes through
 *           SCSA.
 * Node      A PCI function with configuration space as register set 0 and BAR0 as set 1, one
 *           interrupt (MSI-X, MSI or INTx) and DMA; named, or compatible to, one of
 *           PVSCSI_ALIASES.
 * Properties read from the node: "ring-pages" (pages of the request ring, 1 .. 32, rounded down
 *           to a power of two; 32 requests a page, less one in all; 8), "scan-interval"
 *           (seconds between two looks at all targets, hot plug may be missed; 0 never; 60),
 *           "interrupt-types" (mask of DDI_INTR_TYPE_*; all), "ring-refresh-at" (after how many
 *           commands rings start again; for tests).
 * Properties of the node that tell how it is: "hba-state" (ready, resetting, failed, dead),
 *           "hba-failures" (how often it failed), "hba-why" (the last reason).
 */
#ifndef PVSCSI_MODULE_H
#define PVSCSI_MODULE_H

#define PVSCSI_DRIVER	"pvscsi"
#define PVSCSI_ALIASES	"pci15ad,7c0"

/* pvscsi_mod_init(), pvscsi_mod_fini() - the driver's _init(9E) and _fini(9E); 0 or an errno
 * value */
int pvscsi_mod_init(void);
int pvscsi_mod_fini(void);

#endif /* PVSCSI_MODULE_H */
