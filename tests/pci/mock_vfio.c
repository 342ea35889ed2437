#include "tests/pci/mock_vfio.h"

#include <check.h>
#include <errno.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pci.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "tests/pci/mock_tree.h"

#define SYSFS		"sys/bus/pci/devices/"
#define GROUPS		"sys/kernel/iommu_groups/" VFIO_GROUP
#define DEVICE_BYTES	(10u * VFIO_REGION_BYTES)
#define BAR1_BYTES	0x8000u
#define HOLE_AT		0x1000u

struct vfio_kernel vfio_kernel;

static const unsigned int irq_counts[VFIO_IRQ_KINDS] = { 1, 1, 4, 1, 1 };

int __wrap_ioctl(int fd, unsigned long request, ...);

static void
fn_folder(const char *name)
{
	char path[256], to[128];

	(void)snprintf(path, sizeof(path), SYSFS "%s/iommu_group", name);
	tree_link(path, "../../../../kernel/iommu_groups/" VFIO_GROUP);
	(void)snprintf(path, sizeof(path), GROUPS "/devices/%s", name);
	(void)snprintf(to, sizeof(to), "../../../../bus/pci/devices/%s", name);
	tree_link(path, to);
	(void)snprintf(path, sizeof(path), SYSFS "%s/driver", name);
	tree_link(path, "../../drivers/vfio-pci");
}

void
vfio_kernel_begin(void)
{
	uint8_t config[64] = { 0 };

	tree_begin();
	fn_folder(TREE_FN);
	fn_folder(VFIO_OTHER_FN);
	tree_file("dev/vfio/vfio", "");
	tree_file("dev/vfio/" VFIO_GROUP, "");
	memset(&vfio_kernel, 0, sizeof(vfio_kernel));
	memset(vfio_kernel.fd, 0xff, sizeof(vfio_kernel.fd));
	vfio_kernel.is_viable = vfio_kernel.can_reset = true;
	vfio_kernel.map_max_bytes = UINT64_MAX;
	le16_put(config + PCI_CONF_VENID, 0x15ad);
	le16_put(config + PCI_CONF_DEVID, 0x07c0);
	le16_put(config + PCI_CONF_COMM, PCI_COMM_ME);
	config[PCI_CONF_BASE0] = 1;
	config[PCI_CONF_BASE1] = 0xc;
	vfio_kernel.device_fd = memfd_create("device", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(vfio_kernel.device_fd, DEVICE_BYTES), 0);
	ck_assert_int_eq(pwrite(vfio_kernel.device_fd, config, sizeof(config),
	    VFIO_PCI_CONFIG_REGION_INDEX * VFIO_REGION_BYTES), sizeof(config));
}

void
vfio_kernel_end(void)
{
	ck_assert_uint_eq(vfio_kernel_maps(), 0);
	close_fd(&vfio_kernel.device_fd);
	tree_end();
}

uint8_t
vfio_kernel_byte(unsigned int region, uint64_t off)
{
	uint8_t byte;

	ck_assert_int_eq(pread(vfio_kernel.device_fd, &byte, 1,
	    (off_t)(region * VFIO_REGION_BYTES + off)), 1);
	return byte;
}

unsigned int
vfio_kernel_maps(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < VFIO_MAPS; i++) {
		if (!vfio_kernel.map[i].is_used)
			continue;
		n++;
		for (unsigned int k = 0; k < VFIO_MAPS; k++)
			ck_assert(k == i || !vfio_kernel.map[k].is_used ||
			    vfio_kernel.map[k].iova != vfio_kernel.map[i].iova +
			    vfio_kernel.map[i].bytes);
	}
	return n;
}

static int
refuse(int error)
{
	errno = error;
	return -1;
}

static int
do_map(const struct vfio_iommu_type1_dma_map *m)
{
	if (m->size > vfio_kernel.map_max_bytes)
		return refuse(ENOMEM);
	for (unsigned int i = 0; i < VFIO_MAPS; i++) {
		if (vfio_kernel.map[i].is_used)
			continue;
		vfio_kernel.map[i].iova = m->iova;
		vfio_kernel.map[i].bytes = m->size;
		vfio_kernel.map[i].is_used = true;
		return 0;
	}
	return refuse(ENOSPC);
}

static int
do_unmap(const struct vfio_iommu_type1_dma_unmap *u)
{
	for (unsigned int i = 0; i < VFIO_MAPS; i++)
		if (vfio_kernel.map[i].is_used && vfio_kernel.map[i].iova == u->iova &&
		    vfio_kernel.map[i].bytes == u->size) {
			vfio_kernel.map[i].is_used = false;
			return 0;
		}
	return refuse(EINVAL);
}

static int
do_iommu_info(struct vfio_iommu_type1_info *info)
{
	struct vfio_iommu_type1_info_cap_iova_range *cap =
	    (void *)((char *)info + sizeof(*info));

	if (!vfio_kernel.has_ranges)
		return 0;
	info->flags |= VFIO_IOMMU_INFO_CAPS;
	info->cap_offset = sizeof(*info);
	cap->header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
	cap->nr_iovas = 1;
	cap->iova_ranges[0].start = 0x80000000;
	cap->iova_ranges[0].end = 0x8fffffff;
	return 0;
}

/* BAR 0: 256 bytes of ports; BAR 1: memory, with a hole for its MSI-X table if the test
 * wants */
static int
do_region(struct vfio_region_info *info)
{
	struct vfio_region_info_cap_sparse_mmap *cap = (void *)((char *)info + sizeof(*info));

	info->offset = (uint64_t)info->index * VFIO_REGION_BYTES;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	info->size = info->index == VFIO_PCI_CONFIG_REGION_INDEX ? 4096 :
	    info->index == 0 ? 256 : info->index == 1 ? BAR1_BYTES : 0;
	if (info->index != 1)
		return 0;
	info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	if (!vfio_kernel.has_msix_hole)
		return 0;
	info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
	info->cap_offset = sizeof(*info);
	cap->header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
	cap->nr_areas = 2;
	cap->areas[0].offset = 0;
	cap->areas[0].size = HOLE_AT;
	cap->areas[1].offset = 2 * HOLE_AT;
	cap->areas[1].size = BAR1_BYTES - 2 * HOLE_AT;
	return 0;
}

static int
do_irqs(const struct vfio_irq_set *set)
{
	const int *fds = (const void *)set->data;
	int *mine = vfio_kernel.fd[set->index];

	if ((set->flags & VFIO_IRQ_SET_ACTION_UNMASK) != 0) {
		vfio_kernel.unmasks++;
		return 0;
	}
	if (set->count > irq_counts[set->index])
		return refuse(EINVAL);
	memset(mine, 0xff, sizeof(vfio_kernel.fd[0]));
	if ((set->flags & VFIO_IRQ_SET_DATA_EVENTFD) != 0)
		memcpy(mine, fds, set->count * sizeof(*fds));
	vfio_kernel.irqs[set->index] = set->count;
	return 0;
}

static int
do_device(unsigned long request, void *arg)
{
	struct vfio_device_info *device = arg;
	struct vfio_irq_info *irq = arg;

	switch (request) {
	case VFIO_DEVICE_GET_INFO:
		device->flags = VFIO_DEVICE_FLAGS_PCI |
		    (vfio_kernel.can_reset ? VFIO_DEVICE_FLAGS_RESET : 0);
		return 0;
	case VFIO_DEVICE_GET_REGION_INFO:
		return do_region(arg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		irq->count = irq_counts[irq->index];
		irq->flags = VFIO_IRQ_INFO_EVENTFD;
		return 0;
	case VFIO_DEVICE_SET_IRQS:
		return do_irqs(arg);
	case VFIO_DEVICE_RESET:
		vfio_kernel.resets++;
		return 0;
	default:
		return refuse(ENOTTY);
	}
}

static int
do_group(unsigned long request, void *arg)
{
	struct vfio_group_status *status = arg;

	switch (request) {
	case VFIO_GROUP_GET_STATUS:
		status->flags = vfio_kernel.is_viable ? VFIO_GROUP_FLAGS_VIABLE : 0;
		return 0;
	case VFIO_GROUP_SET_CONTAINER:
		vfio_kernel.groups_open++;
		return 0;
	case VFIO_GROUP_UNSET_CONTAINER:
		if (vfio_kernel.groups_open == 0)
			return refuse(EINVAL);
		vfio_kernel.groups_open--;
		return 0;
	case VFIO_GROUP_GET_DEVICE_FD:
		return dup(vfio_kernel.device_fd);
	default:
		return do_device(request, arg);
	}
}

int
__wrap_ioctl(int fd UNUSED, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (vfio_kernel.failing == request)
		return refuse(vfio_kernel.error);
	switch (request) {
	case VFIO_GET_API_VERSION:
		return vfio_kernel.api_version;
	case VFIO_SET_IOMMU:
		vfio_kernel.iommu_type = (int)(intptr_t)arg;
		return 0;
	case VFIO_IOMMU_GET_INFO:
		return do_iommu_info(arg);
	case VFIO_IOMMU_MAP_DMA:
		return do_map(arg);
	case VFIO_IOMMU_UNMAP_DMA:
		return do_unmap(arg);
	default:
		return do_group(request, arg);
	}
}
