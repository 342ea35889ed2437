/*
 * tests/pci/mock_fn.h - a PCI function made of memory
 *
 * What      A struct pci_bus whose registers are arrays, whose memory is the heap at invented
 *           bus addresses, and which keeps account of what was asked of it.
 */
#ifndef TESTS_PCI_MOCK_FN_H
#define TESTS_PCI_MOCK_FN_H

#include "hw/pci/pci.h"

#define MOCK_BAR_BYTES	4096u
#define MOCK_SPANS	4
#define MOCK_IOVA	0x40000000ull
#define MOCK_MAPS	64

struct mock_map {
	void *va;
	size_t bytes;
	uint64_t iova;
};

struct mock_fn {
	struct pci_fn fn;
	uint8_t config[PCI_CONFIG_BYTES];
	uint8_t bar[PCI_BARS][MOCK_BAR_BYTES];
	unsigned int gets, puts;	/* of BARs */
	/* memory: how many spans a request is cut into, and what was given */
	unsigned int want_spans, n_spans;
	struct pci_span span[MOCK_SPANS];
	int memory_error, map_error, intr_error;
	struct mock_map map[MOCK_MAPS];
	unsigned int n_maps;
	uint64_t next_iova;
	/* interrupts */
	unsigned int vectors_fixed, vectors_msi, vectors_msix;
	int type_on;
	int fds[PCI_VECTORS_MAX];
	unsigned int n_fds, on_calls, off_calls, unmasks;
	bool *ret_closed;		/* told at close */
};

/* mock_fn_new() - an adapter 1af4:1048 with I/O ports as BAR 0, a 32-bit BAR 1 and a 64-bit BAR
 * 4, capabilities MSI and MSI-X. Freed by its close */
struct mock_fn *mock_fn_new(void);

/* mock_fn_bus() - its table; a test may change a copy */
const struct pci_bus *mock_fn_bus(void);

#endif /* TESTS_PCI_MOCK_FN_H */
