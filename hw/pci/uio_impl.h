/*
 * hw/pci/uio_impl.h - a function of uio_pci_generic; this room only
 */
#ifndef HW_PCI_UIO_IMPL_H
#define HW_PCI_UIO_IMPL_H

#include "hw/pci/pci.h"

/* the third column of a line of sysfs' "resource": IORESOURCE_* of the kernel */
#define UIO_RES_IO		0x00000100u
#define UIO_RES_MEM		0x00000200u
#define UIO_RES_PREFETCH	0x00002000u
#define UIO_RES_MEM64		0x00100000u

struct uio_bar {
	int fd;
	char *va;			/* NULL: I/O ports, by pread and pwrite */
	size_t lead;			/* a BAR need not begin a page, its mapping does */
	size_t map_bytes;
};

struct uio_fn {
	struct pci_fn fn;
	int config_fd, reset_fd, uio_fd;	/* reset -1: it has none */
	struct uio_bar bar[PCI_BARS];
	pthread_t thread;		/* while the line is on */
	int stop_fd, line_fd;
};

/* uio_resource_parse() - a line of "resource"; bytes 0: no such BAR. False: it is none */
bool uio_resource_parse(const char *line, uint64_t *ret_start, struct pci_bar *ret_bar);

#endif /* HW_PCI_UIO_IMPL_H */
