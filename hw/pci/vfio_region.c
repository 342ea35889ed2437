/* BARs and configuration space of a VFIO device */
#include <errno.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pci.h>

#include "base/fault.h"
#include "hw/pci/bus_error.h"
#include "hw/pci/file.h"
#include "hw/pci/mmio.h"
#include "hw/pci/vfio_impl.h"

#define BAR_IO		0x1u
#define BAR_TYPE_MASK	0x6u
#define BAR_TYPE_64	0x4u
#define BAR_PREFETCH	0x8u

/* the areas of a sparse-mmap capability; -1: @info has none */
static int
areas_sparse(const char *info, size_t bytes, uint32_t at, struct vfio_area *ret_area,
    unsigned int max)
{
	const struct vfio_region_info_cap_sparse_mmap *cap;
	unsigned int n = 0;

	for (; at != 0 && at + sizeof(*cap) <= bytes; at = cap->header.next) {
		cap = (const void *)(info + at);
		if (cap->header.id != VFIO_REGION_INFO_CAP_SPARSE_MMAP) {
			if (cap->header.next <= at)
				break;
			continue;
		}
		for (; n < cap->nr_areas && n < max &&
		    at + sizeof(*cap) + (n + 1) * sizeof(cap->areas[0]) <= bytes; n++)
			ret_area[n] = (struct vfio_area){ cap->areas[n].offset,
			    cap->areas[n].size, NULL };
		return (int)n;
	}
	return -1;
}

unsigned int
vfio_region_areas(const void *info, size_t info_bytes, struct vfio_area *ret_area,
    unsigned int max)
{
	const struct vfio_region_info *head = info;
	int n = -1;

	if ((head->flags & VFIO_REGION_INFO_FLAG_MMAP) == 0 || head->size == 0)
		return 0;
	if ((head->flags & VFIO_REGION_INFO_FLAG_CAPS) != 0)
		n = areas_sparse(info, info_bytes, head->cap_offset, ret_area, max);
	if (n >= 0)
		return (unsigned int)n;
	ret_area[0] = (struct vfio_area){ 0, head->size, NULL };
	return 1;
}

/* map what may be mapped; what cannot is read and written through the file */
static void
bar_map(struct vfio_fn *v, unsigned int bar, const void *info)
{
	struct vfio_area *area = v->area[bar];
	unsigned int n = vfio_region_areas(info, VFIO_INFO_BYTES, area, VFIO_AREAS);

	for (unsigned int i = 0; i < n; i++) {
		area[i].va = fault_hit() || area[i].bytes == 0 ? MAP_FAILED :
		    mmap(NULL, area[i].bytes, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd,
		    (off_t)(v->bar_off[bar] + area[i].off));
		if (area[i].va == MAP_FAILED)
			area[i] = (struct vfio_area){ 0 };
		else
			bus_error_add(&v->fn, area[i].va, area[i].bytes);
	}
}

static int
region_info(struct vfio_fn *v, unsigned int index, void *buf)
{
	struct vfio_region_info *info = buf;

	memset(buf, 0, VFIO_INFO_BYTES);
	info->argsz = VFIO_INFO_BYTES;
	info->index = index;
	return fault_hit() || ioctl(v->fd, VFIO_DEVICE_GET_REGION_INFO, info) < 0 ? -EIO : 0;
}

static void
bar_kind(struct vfio_fn *v, unsigned int bar)
{
	uint32_t reg = (uint32_t)file_get(v->fd, v->config_off + PCI_CONF_BASE0 + 4 * bar, 4);
	struct pci_bar *b = &v->fn.bar[bar];

	b->is_io = (reg & BAR_IO) != 0;
	b->is_64 = !b->is_io && (reg & BAR_TYPE_MASK) == BAR_TYPE_64;
	b->is_prefetchable = !b->is_io && (reg & BAR_PREFETCH) != 0;
}

int
vfio_regions_open(struct vfio_fn *v)
{
	union { struct vfio_region_info head; char bytes[VFIO_INFO_BYTES]; } info;

	if (region_info(v, VFIO_PCI_CONFIG_REGION_INDEX, &info) < 0)
		return pci_fn_refuse(&v->fn, -EIO, "%s: no configuration space", v->fn.name);
	v->config_off = info.head.offset;
	v->fn.config_bytes = info.head.size >= PCI_CONFIG_EXT_BYTES ? PCI_CONFIG_EXT_BYTES :
	    PCI_CONFIG_BYTES;
	for (unsigned int bar = 0; bar < PCI_BARS; bar++) {
		if (region_info(v, VFIO_PCI_BAR0_REGION_INDEX + bar, &info) < 0)
			return pci_fn_refuse(&v->fn, -EIO, "%s: BAR %u cannot be asked for",
			    v->fn.name, bar);
		if (info.head.size == 0)
			continue;
		v->fn.bar[bar].bytes = info.head.size;
		v->bar_off[bar] = info.head.offset;
		bar_kind(v, bar);
		bar_map(v, bar, &info);
	}
	return 0;
}

void
vfio_regions_close(struct vfio_fn *v)
{
	for (unsigned int bar = 0; bar < PCI_BARS; bar++)
		for (unsigned int i = 0; i < VFIO_AREAS; i++)
			if (v->area[bar][i].va != NULL) {
				bus_error_remove(v->area[bar][i].va);
				(void)munmap(v->area[bar][i].va, v->area[bar][i].bytes);
			}
}

/* where an access to a BAR is mapped; NULL: it is not */
static char *
bar_at(const struct vfio_fn *v, unsigned int bar, uint64_t off)
{
	const struct vfio_area *area = v->area[bar];

	for (unsigned int i = 0; i < VFIO_AREAS && area[i].va != NULL; i++)
		if (off >= area[i].off && off - area[i].off < area[i].bytes)
			return area[i].va + (off - area[i].off);
	return NULL;
}

uint64_t
vfio_bar_get(struct pci_fn *fn, unsigned int bar, uint64_t off, unsigned int width)
{
	const struct vfio_fn *v = vfio_of(fn);
	const char *at = bar_at(v, bar, off);

	return LIKELY(at != NULL) ? mmio_get(at, width) :
	    file_get(v->fd, v->bar_off[bar] + off, width);
}

void
vfio_bar_put(struct pci_fn *fn, unsigned int bar, uint64_t off, unsigned int width,
    uint64_t value)
{
	const struct vfio_fn *v = vfio_of(fn);
	char *at = bar_at(v, bar, off);

	if (LIKELY(at != NULL))
		mmio_put(at, width, value);
	else
		file_put(v->fd, v->bar_off[bar] + off, width, value);
}
