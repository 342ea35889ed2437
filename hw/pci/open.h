/*
 * hw/pci/open.h - the buses of a machine: how a function comes to this process
 *
 * What      Each call opens one function that an administrator has given to vfio-pci or to
 *           uio_pci_generic, resets it where that is possible, and initialises it
 *           (pci_fn_init).
 * Owner     The caller: hands the function to nexus_new(), or pci_fn_close().
 * Thread    One that may block: a reset takes up to a second.
 * Source    Linux Documentation/driver-api/vfio.rst, uio-howto.rst
 */
#ifndef HW_PCI_OPEN_H
#define HW_PCI_OPEN_H

#include "hw/pci/pci.h"

struct pci_open_conf {
	const char *root;		/* "" or a folder that has "sys" and "dev" */
	const char *address;		/* "0000:01:00.0", checked */
	bool allow_unsafe_dma;
	bool is_identity;		/* vfio: bus addresses as physical ones */
};

/**
 * vfio_open() - through VFIO: a container for each IOMMU group, type 1
 *
 * Functions of one group are opened one after the other, by this process; they share what is
 * mapped.
 *
 * @reterr   PCI_DETAIL_LEN bytes
 *
 * Returns:  as pci_attach_open()
 */
int
vfio_open(const struct pci_open_conf *conf, struct pci_fn **ret_fn, char *reterr) MUST_CHECK;

/**
 * uio_open() - through uio_pci_generic and the function's files in sysfs: INTx only
 *
 * Returns:  as pci_attach_open(); -EPERM also when an IOMMU translates for the function,
 *           because then no address that could be given to it would be right
 */
int uio_open(const struct pci_open_conf *conf, struct pci_fn **ret_fn, char *reterr) MUST_CHECK;

#endif /* HW_PCI_OPEN_H */
