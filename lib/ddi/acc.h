/*
 * ddi/acc.h - an access handle: registers or DMA memory; lib/ddi only
 */
#ifndef DDI_ACC_H
#define DDI_ACC_H

#include <stdbool.h>
#include <sys/dditypes.h>

#include "ddi/devtree.h"

struct ddi_acc_impl {
	dev_info_t *dip;
	char *base;
	size_t len;
	bool is_swapped;			/* the device is of the other byte order */
	/* registers; regs NULL: memory of dma_alloc() */
	const struct devi_reg_ops *regs;
	void *regs_arg;
	unsigned int rnumber;
	uint64_t off;				/* of base in the register set */
};

#endif /* DDI_ACC_H */
