/*
 * tests/pci/mock_vfio.h - the kernel's side of VFIO, for one group with two functions
 *
 * What      ioctl(2) of a test program linked with --wrap=ioctl arrives here. The files are
 *           those of mock_tree.h; a device is a memory file whose regions lie one behind the
 *           other.
 */
#ifndef TESTS_PCI_MOCK_VFIO_H
#define TESTS_PCI_MOCK_VFIO_H

#include <stdbool.h>
#include <stdint.h>

#define VFIO_GROUP		"12"
#define VFIO_OTHER_FN		"0000:00:10.1"
#define VFIO_MAPS		64
#define VFIO_IRQ_KINDS		5
#define VFIO_REGION_BYTES	0x10000u

struct vfio_kernel {
	/* set by the test */
	bool is_viable, can_reset, has_msix_hole;
	int api_version;
	unsigned long failing;		/* this request fails */
	int error;			/* with this */
	bool has_ranges;		/* the IOMMU says what it translates */
	uint64_t map_max_bytes;		/* larger ones get ENOMEM */
	/* seen by the test */
	unsigned int resets, unmasks, groups_open;
	int iommu_type;
	struct { uint64_t iova, bytes; bool is_used; } map[VFIO_MAPS];
	int fd[VFIO_IRQ_KINDS][64];	/* eventfds of each kind; -1 */
	unsigned int irqs[VFIO_IRQ_KINDS];	/* how many are on */
	int device_fd;			/* what a function's registers are */
};

extern struct vfio_kernel vfio_kernel;

/* vfio_kernel_begin() - the tree and the device; vfio_kernel_end() */
void vfio_kernel_begin(void);
void vfio_kernel_end(void);

/* vfio_kernel_maps() - how many mappings there are; fails the test when two touch */
unsigned int vfio_kernel_maps(void);

/* vfio_kernel_byte() - byte @off of a region */
uint8_t vfio_kernel_byte(unsigned int region, uint64_t off);

#endif /* TESTS_PCI_MOCK_VFIO_H */
