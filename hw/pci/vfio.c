/* a function through VFIO: opened, reset, its memory */
#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "base/num.h"
#include "base/text.h"
#include "hw/pci/file.h"
#include "hw/pci/phys.h"
#include "hw/pci/vfio_impl.h"

static uint64_t
vfio_config_get(struct pci_fn *fn, unsigned int off, unsigned int width)
{
	const struct vfio_fn *v = vfio_of(fn);

	return file_get(v->fd, v->config_off + off, width);
}

static void
vfio_config_put(struct pci_fn *fn, unsigned int off, unsigned int width, uint64_t value)
{
	const struct vfio_fn *v = vfio_of(fn);

	file_put(v->fd, v->config_off + off, width, value);
}

/* physical memory, mapped where it is if there is an IOMMU to map it in */
static int
memory_identity(struct vfio_fn *v, size_t bytes, struct pci_span *spans, unsigned int *count)
{
	unsigned int done = 0;
	int r = phys_get(&v->fn, bytes, spans, count);

	if (r < 0 || !v->group->has_iommu)
		return r;
	while (r == 0 && done < *count) {
		r = vfio_map(v->group, spans[done].va, spans[done].bytes, true,
		    &spans[done].iova);
		done += r == 0;
	}
	if (r == 0)
		return 0;
	for (unsigned int i = 0; i < done; i++)
		vfio_unmap(v->group, spans[i].bytes, true, spans[i].iova);
	phys_put(spans, *count);
	return pci_fn_refuse(&v->fn, r,
	    "%s: memory at its physical address cannot be mapped: %s", v->fn.name,
	    strerror(-r));
}

/* huge pages when there are enough: fewer entries in the IOMMU */
static char *
memory_new(size_t bytes)
{
	const int flags = MAP_SHARED | MAP_ANONYMOUS;
	char *va;

	if (fault_hit())
		return MAP_FAILED;
	va = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	if (va == MAP_FAILED)
		va = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (va != MAP_FAILED)
		(void)madvise(va, bytes, MADV_DONTFORK);
	return va;
}

static int
vfio_memory_get(struct pci_fn *fn, size_t bytes, struct pci_span *ret_spans, unsigned int *count)
{
	struct vfio_fn *v = vfio_of(fn);
	char *va;
	int r;

	if (v->is_identity || !v->group->has_iommu)
		return memory_identity(v, bytes, ret_spans, count);
	bytes = num_round_up(bytes, PHYS_PAGE_BYTES);
	va = memory_new(bytes);
	if (va == MAP_FAILED)
		return pci_fn_refuse(fn, -ENOMEM, "%s: no memory of %zu MiB", fn->name,
		    bytes >> 20);
	r = vfio_map(v->group, va, bytes, false, &ret_spans[0].iova);
	if (r < 0) {
		(void)munmap(va, bytes);
		return pci_fn_refuse(fn, r, "%s: %zu MiB cannot be mapped: %s%s", fn->name,
		    bytes >> 20, strerror(-r), r == -ENOMEM ?
		    "; the limit of locked memory is to be raised (LimitMEMLOCK)" : "");
	}
	ret_spans[0].va = va;
	ret_spans[0].bytes = bytes;
	*count = 1;
	return 0;
}

static void
vfio_memory_put(struct pci_fn *fn, const struct pci_span *spans, unsigned int count)
{
	struct vfio_fn *v = vfio_of(fn);

	for (unsigned int i = 0; i < count; i++)
		if (v->group->has_iommu)
			vfio_unmap(v->group, spans[i].bytes, v->is_identity, spans[i].iova);
	phys_put(spans, count);
}

static int
vfio_map_foreign(struct pci_fn *fn, void *va, size_t bytes, uint64_t *ret_iova)
{
	struct vfio_fn *v = vfio_of(fn);

	/* where foreign memory is, and how long it stays there, is not ours to say */
	if (v->is_identity || !v->group->has_iommu)
		return -ENOTSUP;
	return vfio_map(v->group, va, bytes, false, ret_iova);
}

static void
vfio_unmap_foreign(struct pci_fn *fn, void *va UNUSED, size_t bytes, uint64_t iova)
{
	vfio_unmap(vfio_of(fn)->group, bytes, false, iova);
}

static int
vfio_reset(struct pci_fn *fn)
{
	struct vfio_fn *v = vfio_of(fn);

	if (!v->can_reset)
		return -ENOTSUP;
	return fault_hit() || ioctl(v->fd, VFIO_DEVICE_RESET) < 0 ? -EIO : 0;
}

static void
vfio_close(struct pci_fn *fn)
{
	struct vfio_fn *v = vfio_of(fn);

	vfio_intr_close(v);
	vfio_regions_close(v);
	close_fd(&v->fd);
	if (v->group != NULL)
		vfio_group_put(v->group);
	free(v);
}

static const struct pci_bus vfio_bus = {
	.name = "vfio",
	.has_iommu = true,
	.config_get = vfio_config_get,
	.config_put = vfio_config_put,
	.bar_get = vfio_bar_get,
	.bar_put = vfio_bar_put,
	.memory_get = vfio_memory_get,
	.memory_put = vfio_memory_put,
	.map = vfio_map_foreign,
	.unmap = vfio_unmap_foreign,
	.intr_count = vfio_intr_count,
	.intr_on = vfio_intr_on,
	.intr_off = vfio_intr_off,
	.intr_unmask = vfio_intr_unmask,
	.reset = vfio_reset,
	.event_fd = vfio_event_fd,
	.close = vfio_close,
};

static int
device_open(struct vfio_fn *v)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	v->fd = ioctl(v->group->fd, VFIO_GROUP_GET_DEVICE_FD, v->fn.name);
	if (v->fd < 0)
		return pci_fn_refuse(&v->fn, errno == EBUSY ? -EBUSY : -ENODEV,
		    "%s: vfio-pci does not give it out: %s", v->fn.name, strerror(errno));
	if (ioctl(v->fd, VFIO_DEVICE_GET_INFO, &info) < 0 ||
	    (info.flags & VFIO_DEVICE_FLAGS_PCI) == 0)
		return pci_fn_refuse(&v->fn, -EIO, "%s: it is no PCI function to vfio",
		    v->fn.name);
	v->can_reset = (info.flags & VFIO_DEVICE_FLAGS_RESET) != 0;
	return vfio_regions_open(v);
}

/* whoever had it before may have died with commands under way: silence first */
static int
device_begin(struct vfio_fn *v)
{
	int r = device_open(v);

	if (r < 0)
		return r;
	pci_fn_stop(&v->fn);
	if (vfio_reset(&v->fn) == -EIO)
		return pci_fn_refuse(&v->fn, -EIO, "%s: it does not reset: %s", v->fn.name,
		    strerror(errno));
	vfio_intr_open(v);
	return pci_fn_init(&v->fn);
}

int
vfio_open(const struct pci_open_conf *conf, struct pci_fn **ret_fn, char *reterr)
{
	struct vfio_fn *v = fault_hit() ? NULL : calloc(1, sizeof(*v));
	int r;

	if (v == NULL) {
		(void)text_copy(reterr, PCI_DETAIL_LEN, "out of memory");
		return -ENOMEM;
	}
	v->fd = -1;
	for (unsigned int event = 0; event < PCI_EV_N; event++)
		v->event_fd[event] = -1;
	v->fn.bus = &vfio_bus;
	v->is_identity = conf->is_identity;
	(void)text_copy(v->fn.name, sizeof(v->fn.name), conf->address);
	r = vfio_group_get(conf, &v->group, reterr);
	if (r == 0) {
		r = device_begin(v);
		(void)text_copy(reterr, PCI_DETAIL_LEN, v->fn.detail);
	}
	if (r < 0) {
		vfio_close(&v->fn);
		return r;
	}
	*ret_fn = &v->fn;
	return 0;
}
