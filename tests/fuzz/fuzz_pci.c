/*
 * fuzz_pci.c - what a PCI function may say of itself: configuration space, sizes of BARs
 *
 * The input is configuration space (256 bytes), then what is done to it. Lists of capabilities
 * end whatever they say, accesses stay inside, a BAR is as large as a power of two that its
 * kind can have, and a node can be made of it and taken away.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ddi_intr.h>
#include <sys/sunddi.h>

#include "base/bytes.h"
#include "base/num.h"
#include "hw/pci/nexus.h"
#include "tests/pci/mock_fn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
bar_check(const uint8_t *p)
{
	struct pci_bar bar = pci_bar_decode(le32_get(p), le32_get(p + 4));

	assert(!bar.is_io || bar.bytes <= 0x10000);
	assert(bar.is_64 || bar.is_io || bar.bytes <= 1ull << 32);
	assert(!(bar.is_io && bar.is_64));
}

static void
caps_check(struct pci_fn *fn, const uint8_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned int at = pci_config_cap(fn, ids[i], 0), next;

		if (at == 0)
			continue;
		assert(at < PCI_CONFIG_BYTES && (at & 3) == 0 && at >= 0x34);
		assert(pci_config_read(fn, at, 1) == ids[i]);
		next = pci_config_cap(fn, ids[i], at);
		assert(next < PCI_CONFIG_BYTES);
	}
}

/* accesses anywhere: width, offset, which */
static void
accesses(struct pci_fn *fn, const uint8_t *p, size_t size)
{
	for (; size >= 6; p += 6, size -= 6) {
		unsigned int width = 1u << (p[0] & 3), bar = p[1] & 7;
		uint64_t off = le32_get(p + 2), value;

		if ((p[0] & 0x80) != 0)
			off = UINT64_MAX - off;
		if (bar == 7) {
			width = width == 8 ? 4 : width;
			pci_config_write(fn, (unsigned int)off, width, off);
			value = pci_config_read(fn, (unsigned int)off, width);
		} else {
			pci_bar_write(fn, bar, off, width, off);
			value = pci_bar_read(fn, bar, off, width);
		}
		assert(value <= pci_ones(width));
	}
}

static void
node_check(struct mock_fn *mock)
{
	char detail[PCI_DETAIL_LEN];
	struct nexus *nexus;
	int types;

	if (nexus_new(&mock->fn, NULL, 1 << 16, &nexus, detail) < 0)
		return;
	(void)ddi_intr_get_supported_types(nexus_node(nexus), &types);
	assert(nexus_free(nexus) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mock_fn *mock;

	if (size < PCI_CONFIG_BYTES)
		return 0;
	mock = mock_fn_new();
	memcpy(mock->config, data, PCI_CONFIG_BYTES);
	for (unsigned int i = 0x10; i + 8 <= 0x28; i += 4)
		bar_check(mock->config + i);
	data += PCI_CONFIG_BYTES;
	size -= PCI_CONFIG_BYTES;
	caps_check(&mock->fn, data, size < 8 ? size : 8);
	accesses(&mock->fn, data, size);
	if (pci_fn_init(&mock->fn) < 0) {
		pci_fn_close(&mock->fn);
		return 0;
	}
	node_check(mock);
	return 0;
}
