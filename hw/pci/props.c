/* properties of a node, by the PCI binding of the property names */
#include <errno.h>
#include <stdio.h>
#include <sys/pci.h>
#include <sys/sunddi.h>
#include <sys/sunndi.h>

#include "hw/pci/nexus_impl.h"

#define REG_CELLS	5
#define PHYS_PREFETCH	0x40000000u
#define PCI_DEV_T	DDI_DEV_T_NONE

enum { COMPAT_N = 7, COMPAT_LEN = 40 };

static unsigned int
space_of(const struct pci_bar *bar)
{
	if (bar->is_io)
		return PCI_ADDR_IO;
	return (bar->is_64 ? PCI_ADDR_MEM64 : PCI_ADDR_MEM32) |
	    (bar->is_prefetchable ? PHYS_PREFETCH : 0);
}

static int
prop_reg(struct nexus *nexus)
{
	int cells[(PCI_BARS + 1) * REG_CELLS] = { 0 };

	for (unsigned int i = 1; i < nexus->sets; i++) {
		const struct pci_bar *bar = &nexus->fn->bar[nexus->set_bar[i]];
		int *cell = &cells[i * REG_CELLS];

		cell[0] = (int)(space_of(bar) | (PCI_CONF_BASE0 + 4 * nexus->set_bar[i]));
		cell[3] = (int)(bar->bytes >> 32);
		cell[4] = (int)(uint32_t)bar->bytes;
	}
	return ndi_prop_update_int_array(PCI_DEV_T, nexus->dip, "reg", cells,
	    nexus->sets * REG_CELLS);
}

static int
prop_ids(struct nexus *nexus)
{
	const struct pci_fn *fn = nexus->fn;
	const struct { const char *name; uint32_t value; } ids[] = {
		{ "vendor-id", fn->vendor },
		{ "device-id", fn->device },
		{ "revision-id", fn->revision },
		{ "class-code", fn->class_code },
		{ "subsystem-vendor-id", fn->subvendor },
		{ "subsystem-id", fn->subdevice },
	};
	int r = DDI_PROP_SUCCESS;

	for (size_t i = 0; i < ARRAY_LEN(ids) && r == DDI_PROP_SUCCESS; i++)
		r = ndi_prop_update_int(PCI_DEV_T, nexus->dip, ids[i].name,
		    (int)ids[i].value);
	return r;
}

static int
compatible_set(struct nexus *nexus)
{
	const struct pci_fn *fn = nexus->fn;
	char text[COMPAT_N][COMPAT_LEN];
	char *names[COMPAT_N];
	const unsigned int v = fn->vendor, d = fn->device, sv = fn->subvendor, s = fn->subdevice;

	(void)snprintf(text[0], COMPAT_LEN, "pci%x,%x.%x.%x.%x", v, d, sv, s, fn->revision);
	(void)snprintf(text[1], COMPAT_LEN, "pci%x,%x.%x.%x", v, d, sv, s);
	(void)snprintf(text[2], COMPAT_LEN, "pci%x,%x", sv, s);
	(void)snprintf(text[3], COMPAT_LEN, "pci%x,%x.%x", v, d, fn->revision);
	(void)snprintf(text[4], COMPAT_LEN, "pci%x,%x", v, d);
	(void)snprintf(text[5], COMPAT_LEN, "pciclass,%06x", fn->class_code);
	(void)snprintf(text[6], COMPAT_LEN, "pciclass,%04x", fn->class_code >> 8);
	for (unsigned int i = 0; i < COMPAT_N; i++)
		names[i] = text[i];
	return devi_set_compatible(nexus->dip, names, COMPAT_N);
}

int
nexus_props(struct nexus *nexus)
{
	if (prop_ids(nexus) != DDI_PROP_SUCCESS || prop_reg(nexus) != DDI_PROP_SUCCESS ||
	    ndi_prop_update_string(PCI_DEV_T, nexus->dip, "pci-name", nexus->fn->name) !=
	    DDI_PROP_SUCCESS)
		return -ENOMEM;
	return compatible_set(nexus);
}
