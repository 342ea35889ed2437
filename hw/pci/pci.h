/*
 * hw/pci/pci.h - one PCI function that belongs to this process, whoever gave it to us
 *
 * What      struct pci_bus is the seam between what a function can do and how this machine lets
 *           a process do it: vfio.c (IOMMU, all kinds of interrupts), uio.c (INTx only, no
 *           protection), and in tests a QEMU without a guest. Above it everything is the same:
 *           nexus.h makes the function a node that a driver can attach to, dma.h gives it
 *           memory, attach.h is what the daemon calls.
 * Life      x_open() of a bus → pci_fn_init → ... → pci_fn_close. Opening stops the function:
 *           it is reset where that is possible, decodes its BARs, and is no bus master.
 * Owner     Who opened it. struct pci_fn is the first part of the bus's own structure.
 * Thread    Registers, BARs, interrupts: any thread, several at a time. Opening and closing:
 *           one thread, which may block. After pci_fn_fail() every read gives ones, every
 *           write goes nowhere; that holds for ever.
 * Limits    PCI_BARS base address registers, PCI_VECTORS_MAX interrupt vectors.
 * Source    PCI Local Bus 3.0 chapter 6; Linux Documentation/driver-api/vfio.rst
 */
#ifndef HW_PCI_PCI_H
#define HW_PCI_PCI_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define PCI_BARS		6
#define PCI_VECTORS_MAX		64
#define PCI_NAME_LEN		20	/* "0000:01:00.0" */
#define PCI_DETAIL_LEN		160	/* why something failed, one sentence */
#define PCI_CONFIG_BYTES	256u
#define PCI_CONFIG_EXT_BYTES	4096u

struct pci_fn;

/* capabilities of configuration space that the room looks at */
enum { PCI_CAP_MSI = 0x05, PCI_CAP_EXP = 0x10, PCI_CAP_MSIX = 0x11 };

struct pci_bar {
	uint64_t bytes;			/* 0: there is none, or it is the upper half of another */
	bool is_io;
	bool is_64;
	bool is_prefetchable;
};

/* what happened to a function that its driver did not do; see pci_bus.events_open */
enum pci_event {
	PCI_EV_REQUEST,			/* the system wants it back: detach and close it */
	PCI_EV_ERROR,			/* it reported a fatal error: do not trust it any more */
	PCI_EV_N
};

/* memory that the function can reach, as a bus gives it: spans of contiguous bus addresses */
struct pci_span {
	char *va;
	uint64_t iova;
	size_t bytes;
};

/**
 * struct pci_bus - how a function is reached; every member is there unless it says so
 *
 * Nobody but the wrappers below calls these. Widths are 1, 2, 4; for BARs 8 too.
 */
struct pci_bus {
	const char *name;		/* "vfio" */
	bool has_iommu;			/* the function reaches nothing but what was mapped */

	/* configuration space, little endian values in host order. All ones when it is gone */
	uint64_t (*config_get)(struct pci_fn *fn, unsigned int off, unsigned int width);
	void (*config_put)(struct pci_fn *fn, unsigned int off, unsigned int width,
	    uint64_t value);

	/* one access to a BAR; offsets are inside and aligned to @width. The access is made
	 * exactly once and in one piece; earlier stores to memory are visible to the function
	 * before a put, later loads come after a get */
	uint64_t (*bar_get)(struct pci_fn *fn, unsigned int bar, uint64_t off,
	    unsigned int width);
	void (*bar_put)(struct pci_fn *fn, unsigned int bar, uint64_t off, unsigned int width,
	    uint64_t value);

	/* memory for the function: @ret_spans (room for *@count), about @bytes in all, zeroed,
	 * resident, reachable for reading and writing until close. Returns 0 or -errno with
	 * fn->detail */
	int (*memory_get)(struct pci_fn *fn, size_t bytes, struct pci_span *ret_spans,
	    unsigned int *count);
	void (*memory_put)(struct pci_fn *fn, const struct pci_span *spans, unsigned int count);

	/* make foreign memory, page aligned, reachable at *@ret_iova, and no longer. NULL
	 * members: it cannot be, data has to be copied. 0, -ENOSPC, -ENOMEM, -EFAULT */
	int (*map)(struct pci_fn *fn, void *va, size_t bytes, uint64_t *ret_iova);
	void (*unmap)(struct pci_fn *fn, void *va, size_t bytes, uint64_t iova);

	/* vectors that the function can have; DDI_INTR_TYPE_* */
	unsigned int (*intr_count)(struct pci_fn *fn, int type);
	/* switch on vectors 0 .. @count - 1 of @type; each interrupt adds to its eventfd, an fd
	 * of -1 gets none. Nothing else is on. INTx: masked at each interrupt */
	int (*intr_on)(struct pci_fn *fn, int type, const int *fds, unsigned int count);
	void (*intr_off)(struct pci_fn *fn, int type);
	/* INTx only: let it come again; it does at once when the line is still raised */
	void (*intr_unmask)(struct pci_fn *fn);

	/* reset the function; configuration space is restored. 0, -ENOTSUP, -EIO */
	int (*reset)(struct pci_fn *fn);

	/* an eventfd that is signalled at an event, -ENOTSUP when this bus has no such news.
	 * The bus's own; open until close */
	int (*event_fd)(struct pci_fn *fn, enum pci_event event);

	/* give the function back and free @fn; memory was put before. Accepts a function that
	 * is half open */
	void (*close)(struct pci_fn *fn);
};

struct pci_fn {
	const struct pci_bus *bus;
	char name[PCI_NAME_LEN];
	uint16_t vendor, device, subvendor, subdevice;
	uint8_t revision;
	uint32_t class_code;		/* 24 bits */
	unsigned int config_bytes;	/* PCI_CONFIG_BYTES or PCI_CONFIG_EXT_BYTES */
	struct pci_bar bar[PCI_BARS];	/* bus, before pci_fn_init */
	char detail[PCI_DETAIL_LEN];	/* why the last call failed */
	_Atomic bool is_failed;
};

/**
 * pci_fn_init() - the common part of opening: ids, decoding on, bus mastering and INTx off
 *
 * @fn       zeroed; bus, name, config_bytes and bar[] are set
 *
 * Returns:  0
 *           -ENODEV  configuration space reads as ones
 *           -EIO     the command register does not take what is written to it
 */
int pci_fn_init(struct pci_fn *fn) MUST_CHECK;

/* pci_fn_stop() - no bus mastering any more, also of a function that has failed; its memory can
 * go when this has returned */
void pci_fn_stop(struct pci_fn *fn);

/* pci_fn_close() - stop the function and give it back; NULL is fine */
void pci_fn_close(struct pci_fn *fn);

/* pci_fn_fail() - the function is gone or not to be trusted: from now on reads give ones, and
 * writes go nowhere, so that its driver finds out at its next look */
void pci_fn_fail(struct pci_fn *fn);
bool pci_fn_is_failed(const struct pci_fn *fn);

/* pci_fn_refuse() - fn->detail in printf's manner; returns @r */
int pci_fn_refuse(struct pci_fn *fn, int r, const char *fmt, ...) PRINTF_LIKE(3, 4);

/**
 * pci_config_read(), pci_config_write() - configuration space
 *
 * @width    1, 2 or 4; @off aligned to it. Outside: ones, and nothing
 */
uint64_t pci_config_read(struct pci_fn *fn, unsigned int off, unsigned int width);
void pci_config_write(struct pci_fn *fn, unsigned int off, unsigned int width, uint64_t value);

/* pci_config_cap() - offset of capability @id, the first one or the one behind @after; 0:
 * none */
unsigned int pci_config_cap(struct pci_fn *fn, unsigned int id, unsigned int after);

/* pci_bar_read(), pci_bar_write() - one access; outside of the BAR or across a multiple of
 * @width: ones, and nothing */
uint64_t pci_bar_read(struct pci_fn *fn, unsigned int bar, uint64_t off, unsigned int width);
void pci_bar_write(struct pci_fn *fn, unsigned int bar, uint64_t off, unsigned int width,
    uint64_t value);

/* pci_ones() - what reading @width bytes of a function that is not there gives */
static inline uint64_t
pci_ones(unsigned int width)
{
	return width == 8 ? UINT64_MAX : (1ull << (8 * width)) - 1;
}

/* pci_bar_decode() - one BAR from what its register read after ones were written
 * to it; @mask_hi is the next register's, for a 64-bit one. For buses that size BARs
 * themselves */
struct pci_bar pci_bar_decode(uint32_t mask, uint32_t mask_hi);

#endif /* HW_PCI_PCI_H */
