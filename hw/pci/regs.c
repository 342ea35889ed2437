/* register sets of a node: configuration space and BARs */
#include <errno.h>

#include "hw/pci/nexus_impl.h"

void
nexus_regs_init(struct nexus *nexus)
{
	nexus->sets = 1;
	for (unsigned int i = 0; i < PCI_BARS; i++)
		if (nexus->fn->bar[i].bytes != 0)
			nexus->set_bar[nexus->sets++] = i;
}

static unsigned int
regs_count(void *arg)
{
	const struct nexus *nexus = arg;

	return nexus->sets;
}

static int
regs_size(void *arg, unsigned int rnumber, uint64_t *ret_bytes)
{
	const struct nexus *nexus = arg;

	if (rnumber >= nexus->sets)
		return -EINVAL;
	*ret_bytes = rnumber == 0 ? nexus->fn->config_bytes :
	    nexus->fn->bar[nexus->set_bar[rnumber]].bytes;
	return 0;
}

/*
 * The addresses are numbers that lead back to an offset, and never memory: so each access takes
 * the same way, where its order is kept and a function that has gone is noticed.
 */
static int
regs_map(void *arg UNUSED, unsigned int rnumber UNUSED, uint64_t off, uint64_t len UNUSED,
    void **ret_addr)
{
	*ret_addr = (void *)(uintptr_t)(PCI_CONFIG_EXT_BYTES + off);
	return 0;
}

static void
regs_unmap(void *arg UNUSED, unsigned int rnumber UNUSED, void *addr UNUSED, uint64_t len UNUSED)
{
}

static uint64_t
regs_get(void *arg, unsigned int rnumber, uint64_t off, unsigned int width)
{
	const struct nexus *nexus = arg;

	if (rnumber == 0)
		return pci_config_read(nexus->fn, (unsigned int)off, width);
	return pci_bar_read(nexus->fn, nexus->set_bar[rnumber], off, width);
}

static void
regs_put(void *arg, unsigned int rnumber, uint64_t off, unsigned int width, uint64_t value)
{
	const struct nexus *nexus = arg;

	if (rnumber == 0)
		pci_config_write(nexus->fn, (unsigned int)off, width, value);
	else
		pci_bar_write(nexus->fn, nexus->set_bar[rnumber], off, width, value);
}

const struct devi_reg_ops nexus_reg_ops = {
	.count = regs_count,
	.size = regs_size,
	.map = regs_map,
	.unmap = regs_unmap,
	.get = regs_get,
	.put = regs_put,
};
