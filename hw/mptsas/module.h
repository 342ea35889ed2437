/*
 * mptsas/module.h - the driver of Fusion-MPT SAS controllers, for the process that hosts it
 *
 * What      A driver module for driver_init(): "mptsas". It attaches to PCI functions of vendor
 *           1000h with one of MPTSAS_ALIASES, and uses what their nodes have: "reg", register
 *           sets, DMA, interrupts.
 * Properties read from the node: "topology-poll-ms" (how often phys and devices are looked at
 *           again, in whole seconds at best; 0, the default: often, until the chip has shown
 *           that it sends events).
 * Properties of the node that tell how it is: "hba-state" (ready, failed, resetting, dead),
 *           "hba-failures" (how often it failed), "hba-why" (the last reason); and counts, told
 *           by the way: "hba-aborts", "hba-resets", "hba-timeouts", "hba-queue-full",
 *           "hba-events", "hba-stale-replies", "hba-recoveries".
 * Thread    As driver modules.
 * Source    MPI specification 1.5
 */
#ifndef MPTSAS_MODULE_H
#define MPTSAS_MODULE_H

#define MPTSAS_DRIVER	"mptsas"
#define MPTSAS_ALIASES                                                         \
	"pci1000,50", "pci1000,54", "pci1000,56", "pci1000,58", "pci1000,5a",  \
	    "pci1000,5e", "pci1000,62"

/* mptsas_mod_init(), mptsas_mod_fini() - the driver's _init(9E) and _fini(9E); 0 or an errno
 * value */
int mptsas_mod_init(void);
int mptsas_mod_fini(void);

#endif /* MPTSAS_MODULE_H */
