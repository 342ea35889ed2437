/*
 * hw/pci/vfio_impl.h - groups, devices, vectors; this room only
 *
 * Locks     vfio_lock guards the list of groups, what each has mapped, and its addresses.
 */
#ifndef HW_PCI_VFIO_IMPL_H
#define HW_PCI_VFIO_IMPL_H

#include <sys/queue.h>

#include "hw/pci/iova.h"
#include "hw/pci/open.h"

#define VFIO_AREAS	4	/* mapped parts of a BAR: what is left beside its MSI-X table */
#define VFIO_INFO_BYTES	4096u	/* what an answer of the kernel with capabilities may take */

struct vfio_group {
	LIST_ENTRY(vfio_group) link;
	unsigned int number, refs;
	int fd, container;
	bool has_iommu;
	struct iova *iova;		/* NULL without IOMMU */
};

struct vfio_area {
	uint64_t off, bytes;
	char *va;
};

struct vfio_fn {
	struct pci_fn fn;
	struct vfio_group *group;
	int fd;				/* the device */
	bool is_identity, can_reset;
	uint64_t config_off;		/* in fd */
	uint64_t bar_off[PCI_BARS];
	struct vfio_area area[PCI_BARS][VFIO_AREAS];
	unsigned int vectors[3];	/* INTx, MSI, MSI-X */
	int event_fd[PCI_EV_N];		/* -1: no such news */
};

extern pthread_mutex_t vfio_lock;

/* vfio_group.c: the group of @address with a reference; -errno with @reterr */
int vfio_group_get(const struct pci_open_conf *conf, struct vfio_group **ret_group,
    char *reterr);
void vfio_group_put(struct vfio_group *group);

/* map, at @iova when @is_fixed, else where there is room; -ENOSPC, -ENOMEM, -EFAULT */
int vfio_map(struct vfio_group *group, void *va, size_t bytes, bool is_fixed, uint64_t *iova);
void vfio_unmap(struct vfio_group *group, size_t bytes, bool is_fixed, uint64_t iova);

/* vfio_region.c: BARs and configuration space; 0 or -errno with fn.detail */
int vfio_regions_open(struct vfio_fn *v);
void vfio_regions_close(struct vfio_fn *v);
uint64_t vfio_bar_get(struct pci_fn *fn, unsigned int bar, uint64_t off, unsigned int width);
void vfio_bar_put(struct pci_fn *fn, unsigned int bar, uint64_t off, unsigned int width,
    uint64_t value);

/* what a region's answer says about mapping it: the parts, at most @max; 0: none. Pure */
unsigned int vfio_region_areas(const void *info, size_t info_bytes, struct vfio_area *ret_area,
    unsigned int max);

/* vfio_intr.c */
void vfio_intr_open(struct vfio_fn *v);
void vfio_intr_close(struct vfio_fn *v);
unsigned int vfio_intr_count(struct pci_fn *fn, int type);
int vfio_intr_on(struct pci_fn *fn, int type, const int *fds, unsigned int count);
void vfio_intr_off(struct pci_fn *fn, int type);
void vfio_intr_unmask(struct pci_fn *fn);
int vfio_event_fd(struct pci_fn *fn, enum pci_event event);

static inline struct vfio_fn *
vfio_of(struct pci_fn *fn)
{
	return container_of(fn, struct vfio_fn, fn);
}

#endif /* HW_PCI_VFIO_IMPL_H */
