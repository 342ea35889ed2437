/*
 * hw/pci/attach.h - a PCI function of this machine becomes a node with a driver's name
 *
 * What      What the daemon calls: open the function through vfio or uio, make its node, which
 *           the caller then attaches (devi_attach()) and detaches as any other; be told when
 *           the system wants the function back or it has failed; register memory that all
 *           functions may move data to and from.
 * Life      pci_attach_open → devi_attach ... devi_detach → pci_attach_close
 * Rights    Opening needs the right to open the function's files: /dev/vfio/GROUP (and memory
 *           that may be locked, RLIMIT_MEMLOCK) for vfio, root for uio. Afterwards none is
 *           needed, nor any file: interrupts, memory and reset go on working after rights were
 *           dropped. Memory is registered within RLIMIT_MEMLOCK.
 * Thread    Where blocking is allowed. Events come on a thread of their own.
 * Source    Linux Documentation/driver-api/vfio.rst, uio-howto.rst
 */
#ifndef HW_PCI_ATTACH_H
#define HW_PCI_ATTACH_H

#include "hw/pci/nexus.h"

enum pci_via { PCI_VIA_VFIO, PCI_VIA_UIO, PCI_VIA_N };

/**
 * pci_attach_fn - something happened to the function
 *
 * @event    PCI_EV_REQUEST: detach its node and close it soon; it comes again while that has
 *           not been done. PCI_EV_ERROR: it has failed. Its registers read as ones from now on,
 *           and its driver has been interrupted to notice; the driver completes what it has and
 *           refuses what comes
 * @detail   one sentence
 *
 * Runs on the function's own thread, which may block; pci_attach_close() waits for it, so it
 * must not be called from inside.
 */
typedef void (*pci_attach_fn)(enum pci_event event, const char *detail, void *arg);

struct pci_attach_conf {
	const char *address;		/* "0000:01:00.0" */
	const char *driver;		/* name of the node; NULL: its PCI ids */
	enum pci_via via;
	/* the function may write to all memory of this machine: there is no IOMMU between. Must
	 * be said for uio, and for vfio without IOMMU */
	bool allow_unsafe_dma;
	/* bus addresses equal physical ones also with vfio: for emulated adapters that go
	 * around the emulated IOMMU. Takes huge pages, and the right to know where they are */
	bool is_identity;
	size_t pool_bytes;		/* DMA memory; 0: PCI_DMA_POOL_BYTES */
	const char *root;		/* folder that has "sys" and "dev"; NULL: "" */
	pci_attach_fn event;		/* NULL: nobody is told */
	void *arg;
};

struct pci_attach;

/**
 * pci_attach_open() - take the function and make its node
 *
 * @conf     borrowed; what it points to is not kept, but @arg
 * @reterr   PCI_DETAIL_LEN bytes: on failure, why and what to do
 *
 * Returns:  0
 *           -EINVAL   not an address, or @driver is no node name
 *           -ENODEV   no such function, or it does not answer
 *           -ENOTSUP  it is not bound to vfio-pci or uio_pci_generic, or the kernel has no vfio
 *           -EPERM    unsafe DMA was not allowed, or the IOMMU cannot isolate interrupts
 *           -EACCES   its files may not be opened
 *           -EBUSY    another process has it, or its IOMMU group is not viable
 *           -ENOMEM   no memory, no huge pages, or too little that may be locked
 *           -EIO      it does not do what it is told
 */
int pci_attach_open(const struct pci_attach_conf *conf, struct pci_attach **ret_attach,
    char *reterr) MUST_CHECK;

/* pci_attach_close() - give the function back; NULL is fine. -EBUSY, nothing done: the node is
 * attached or held */
int pci_attach_close(struct pci_attach *attach);

dev_info_t *pci_attach_node(struct pci_attach *attach);
struct nexus *pci_attach_nexus(struct pci_attach *attach);

/* pci_attach_describe() - "0000:01:00.0 15ad:07c0, vfio, group 12, MSI-X 4, reset" */
void pci_attach_describe(struct pci_attach *attach, char *buf, size_t size);

/**
 * pci_memory_add() - let all functions, open now or later, reach this memory without a copy
 *
 * A function that cannot have it (uio; no more room) goes on copying: that is no failure.
 *
 * @va       page aligned
 *
 * Returns:  0, -EINVAL, -EEXIST (overlaps other memory), -ENOMEM
 */
int pci_memory_add(void *va, size_t bytes) MUST_CHECK;

/* pci_memory_remove() - before the memory is unmapped. 0, -ENOENT, or -EBUSY: commands move
 * data to or from it; when they have completed it is asked again */
int pci_memory_remove(void *va);

#endif /* HW_PCI_ATTACH_H */
