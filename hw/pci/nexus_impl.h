/*
 * hw/pci/nexus_impl.h - what is behind a node of hw/pci; this room only
 */
#ifndef HW_PCI_NEXUS_IMPL_H
#define HW_PCI_NEXUS_IMPL_H

#include "hw/pci/nexus.h"

struct nexus {
	struct pci_fn *fn;
	struct pci_dma *dma;
	dev_info_t *dip;
	unsigned int sets;			/* register sets, with configuration space */
	unsigned int set_bar[PCI_BARS + 1];	/* BAR of a set */

	pthread_mutex_t lock;			/* of the interrupts */
	int type_on;				/* DDI_INTR_TYPE_* that is on; 0: none */
	unsigned int vectors_on;		/* how many the bus was given */
	unsigned int enabled;			/* how many the driver has enabled */
	int fd[PCI_VECTORS_MAX];		/* of the vectors that are open; -1 */
	_Atomic unsigned int unclaimed;		/* of the line, running */
	nexus_alarm_fn alarm;
	void *alarm_arg;
};

/* the tables that a node gets; their argument is the struct nexus */
extern const struct devi_reg_ops nexus_reg_ops;
extern const struct devi_intr_ops nexus_intr_ops;

/* regs.c: number the register sets */
void nexus_regs_init(struct nexus *nexus);

/* intr.c: no vector is open */
void nexus_intr_init(struct nexus *nexus);

/* props.c: properties of the node; 0 or -ENOMEM */
int nexus_props(struct nexus *nexus);

#endif /* HW_PCI_NEXUS_IMPL_H */
