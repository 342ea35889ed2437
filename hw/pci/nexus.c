#include "hw/pci/nexus.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "base/text.h"
#include "hw/pci/nexus_impl.h"

static int
refuse(const struct nexus *nexus, int r, char *reterr)
{
	if (nexus->fn->detail[0] == '\0')
		(void)pci_fn_refuse(nexus->fn, r, "%s: no node for it: %s", nexus->fn->name,
		    strerror(-r));
	(void)text_copy(reterr, PCI_DETAIL_LEN, nexus->fn->detail);
	return r;
}

static int
node_make(struct nexus *nexus, const char *name)
{
	char by_id[PCI_NAME_LEN];
	int r;

	(void)snprintf(by_id, sizeof(by_id), "pci%x,%x", nexus->fn->vendor, nexus->fn->device);
	r = devi_alloc(devi_root(), name == NULL ? by_id : name, &nexus->dip);
	if (r < 0)
		return r;
	devi_set_regs(nexus->dip, &nexus_reg_ops, nexus);
	devi_set_intr(nexus->dip, &nexus_intr_ops, nexus);
	devi_set_dma(nexus->dip, &pci_dma_ops, nexus->dma);
	return nexus_props(nexus);
}

static int
nexus_open(struct nexus *nexus, const char *name, size_t pool_bytes)
{
	int r = pci_dma_new(nexus->fn, pool_bytes, &nexus->dma);

	return r < 0 ? r : node_make(nexus, name);
}

int
nexus_new(struct pci_fn *fn, const char *name, size_t pool_bytes, struct nexus **ret_nexus,
    char *reterr)
{
	struct nexus *nexus = fault_hit() ? NULL : calloc(1, sizeof(*nexus));
	int r;

	if (nexus == NULL) {
		(void)text_copy(reterr, PCI_DETAIL_LEN, "out of memory");
		pci_fn_close(fn);
		return -ENOMEM;
	}
	nexus->fn = fn;
	fn->detail[0] = '\0';
	nexus_intr_init(nexus);
	nexus_regs_init(nexus);
	r = nexus_open(nexus, name, pool_bytes);
	if (r < 0) {
		r = refuse(nexus, r, reterr);
		(void)nexus_free(nexus);
		return r;
	}
	*ret_nexus = nexus;
	return 0;
}

int
nexus_free(struct nexus *nexus)
{
	int r;

	if (nexus == NULL)
		return 0;
	if (nexus->dip != NULL) {
		r = devi_free(nexus->dip);
		if (r < 0)
			return r;
	}
	/* bus mastering ends before the memory does */
	pci_fn_stop(nexus->fn);
	pci_dma_free(nexus->dma);
	pci_fn_close(nexus->fn);
	(void)pthread_mutex_destroy(&nexus->lock);
	free(nexus);
	return 0;
}

dev_info_t *
nexus_node(struct nexus *nexus)
{
	return nexus->dip;
}

struct pci_fn *
nexus_fn(struct nexus *nexus)
{
	return nexus->fn;
}

struct pci_dma *
nexus_dma(struct nexus *nexus)
{
	return nexus->dma;
}

void
nexus_set_alarm(struct nexus *nexus, nexus_alarm_fn fn, void *arg)
{
	nexus->alarm = fn;
	nexus->alarm_arg = arg;
}

void
nexus_fail(struct nexus *nexus)
{
	pci_fn_fail(nexus->fn);
	for (unsigned int i = 0; i < PCI_VECTORS_MAX; i++)
		nexus_intr_signal(nexus, i);
}
