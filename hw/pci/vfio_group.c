/* IOMMU groups: opened once for all functions of them, each in a container of its own */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/fault.h"
#include "base/num.h"
#include "base/text.h"
#include "host/sysfs.h"
#include "hw/pci/vfio_impl.h"

#define PATH_LEN	256
#define NAME_LEN	64
#define RANGES_MAX	32
#define HUGE_BYTES	(2ull << 20)

pthread_mutex_t vfio_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, vfio_group) groups = LIST_HEAD_INITIALIZER(groups);

static PRINTF_LIKE(3, 4) int
refuse(int r, char *reterr, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(reterr, PCI_DETAIL_LEN, fmt, ap);
	va_end(ap);
	return r;
}

/* a function of the group that the kernel keeps: its name and driver in @reterr */
struct viable {
	const struct pci_open_conf *conf;
	char *reterr;
	bool was_named;
};

static int
viable_check(const char *name, void *arg)
{
	struct viable *v = arg;
	char driver[NAME_LEN];

	if (sysfs_link(driver, sizeof(driver), "%s/sys/bus/pci/devices/%s/driver",
	    v->conf->root, name) < 0 || strcmp(driver, "vfio-pci") == 0 ||
	    strcmp(driver, "pci-stub") == 0 || strcmp(driver, "pcieport") == 0)
		return 0;
	(void)refuse(0, v->reterr, "%s: %s is in the same IOMMU group and belongs to the kernel's "
	    "driver %s; unbind it first", v->conf->address, name, driver);
	v->was_named = true;
	return -EBUSY;
}

static int
refuse_group(const struct pci_open_conf *conf, unsigned int number, char *reterr)
{
	struct viable v = { conf, reterr, false };
	char path[PATH_LEN];

	(void)snprintf(path, sizeof(path), "%s/sys/kernel/iommu_groups/%u/devices", conf->root,
	    number);
	if (sysfs_each(path, viable_check, &v) == 0 || !v.was_named)
		return refuse(-EBUSY, reterr, "%s: IOMMU group %u is not viable: a function of it "
		    "belongs to the kernel", conf->address, number);
	return -EBUSY;
}

static int
refuse_open(const struct pci_open_conf *conf, const char *path, int error, char *reterr)
{
	switch (error) {
	case ENOENT:
		return refuse(-ENOTSUP, reterr, "%s: there is no %s; bind it to vfio-pci",
		    conf->address, path);
	case EACCES:
	case EPERM:
		return refuse(-EACCES, reterr, "%s: %s may not be opened by this user",
		    conf->address, path);
	case EBUSY:
		return refuse(-EBUSY, reterr, "%s: another process has opened %s",
		    conf->address, path);
	default:
		return refuse(-error, reterr, "%s: %s: %s", conf->address, path,
		    strerror(error));
	}
}

/* the group's file; without IOMMU it has another name */
static int
group_open(struct vfio_group *g, const struct pci_open_conf *conf, char *reterr)
{
	char path[PATH_LEN];

	g->has_iommu = true;
	(void)snprintf(path, sizeof(path), "%s/dev/vfio/%u", conf->root, g->number);
	g->fd = open(path, O_RDWR | O_CLOEXEC);
	if (g->fd < 0 && errno == ENOENT) {
		char other[PATH_LEN];

		(void)snprintf(other, sizeof(other), "%s/dev/vfio/noiommu-%u", conf->root,
		    g->number);
		g->fd = open(other, O_RDWR | O_CLOEXEC);
		g->has_iommu = g->fd < 0 && errno == ENOENT;
		if (g->fd < 0 && !g->has_iommu)
			return refuse_open(conf, other, errno, reterr);
	}
	if (g->fd < 0)
		return refuse_open(conf, path, errno, reterr);
	if (!g->has_iommu && !conf->allow_unsafe_dma)
		return refuse(-EPERM, reterr, "%s: there is no IOMMU between it and all memory; to "
		    "use it so, say 'allow_unsafe_dma: yes'", conf->address);
	return 0;
}

static int
container_open(struct vfio_group *g, const struct pci_open_conf *conf, char *reterr)
{
	const int type = g->has_iommu ? VFIO_TYPE1v2_IOMMU : VFIO_NOIOMMU_IOMMU;
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[PATH_LEN];

	(void)snprintf(path, sizeof(path), "%s/dev/vfio/vfio", conf->root);
	g->container = open(path, O_RDWR | O_CLOEXEC);
	if (g->container < 0)
		return refuse_open(conf, path, errno, reterr);
	if (ioctl(g->container, VFIO_GET_API_VERSION) != VFIO_API_VERSION)
		return refuse(-ENOTSUP, reterr, "%s: the kernel speaks another version of VFIO",
		    conf->address);
	if (ioctl(g->fd, VFIO_GROUP_GET_STATUS, &status) < 0)
		return refuse(-errno, reterr, "%s: status of its IOMMU group: %s",
		    conf->address, strerror(errno));
	if ((status.flags & VFIO_GROUP_FLAGS_VIABLE) == 0)
		return refuse_group(conf, g->number, reterr);
	if (ioctl(g->fd, VFIO_GROUP_SET_CONTAINER, &g->container) < 0)
		return refuse(-errno, reterr, "%s: IOMMU group %u does not go into a container: %s",
		    conf->address, g->number, strerror(errno));
	if (ioctl(g->container, VFIO_SET_IOMMU, type) == 0)
		return 0;
	if (errno == EPERM)
		return refuse(-EPERM, reterr, "%s: the IOMMU does not isolate interrupts; the "
		    "kernel's word for that is vfio_iommu_type1 allow_unsafe_interrupts=1",
		    conf->address);
	if (errno == ENODEV)
		return refuse(-ENOTSUP, reterr, "%s: the module vfio_iommu_type1 is not loaded",
		    conf->address);
	return refuse(-errno, reterr, "%s: no IOMMU for its group: %s", conf->address,
	    strerror(errno));
}

/* the ranges that a type 1 IOMMU says it translates; 0: it does not say. Capabilities need not
 * be aligned to what is in them */
static unsigned int
ranges_of(const char *info, size_t bytes, struct iova_range *ret, unsigned int max)
{
	struct vfio_iommu_type1_info head;
	struct vfio_iommu_type1_info_cap_iova_range cap;
	struct vfio_iova_range range;
	unsigned int n = 0;

	memcpy(&head, info, sizeof(head));
	if ((head.flags & VFIO_IOMMU_INFO_CAPS) == 0)
		return 0;
	for (size_t at = head.cap_offset; at != 0 && at + sizeof(cap) <= bytes;
	    at = cap.header.next) {
		memcpy(&cap, info + at, sizeof(cap));
		if (cap.header.id != VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE)
			continue;
		for (at += sizeof(cap); n < cap.nr_iovas && n < max && at + sizeof(range) <= bytes;
		    at += sizeof(range)) {
			memcpy(&range, info + at, sizeof(range));
			ret[n++] = (struct iova_range){ range.start, range.end };
		}
		break;
	}
	return n;
}

static int
addresses_find(struct vfio_group *g, const struct pci_open_conf *conf, char *reterr)
{
	union { struct vfio_iommu_type1_info head; char bytes[VFIO_INFO_BYTES]; } info = {
		.head.argsz = sizeof(info) };
	struct iova_range ranges[RANGES_MAX];
	unsigned int n = 0;
	int r;

	if (!g->has_iommu)
		return 0;
	if (ioctl(g->container, VFIO_IOMMU_GET_INFO, &info) == 0)
		n = ranges_of(info.bytes, sizeof(info), ranges, RANGES_MAX);
	r = iova_new(ranges, n, &g->iova);
	if (r == -ENOSPC)
		return refuse(r, reterr, "%s: its IOMMU has no addresses below 4 GiB",
		    conf->address);
	return r < 0 ? refuse(r, reterr, "%s: out of memory", conf->address) : 0;
}

static void
group_free(struct vfio_group *g)
{
	if (g->fd >= 0 && g->container >= 0)
		(void)ioctl(g->fd, VFIO_GROUP_UNSET_CONTAINER);
	close_fd(&g->fd);
	close_fd(&g->container);
	iova_free(g->iova);
	free(g);
}

static int
group_new(const struct pci_open_conf *conf, unsigned int number, struct vfio_group **ret_group,
    char *reterr)
{
	struct vfio_group *g = fault_hit() ? NULL : calloc(1, sizeof(*g));
	int r;

	if (g == NULL)
		return refuse(-ENOMEM, reterr, "%s: out of memory", conf->address);
	g->number = number;
	g->refs = 1;
	g->fd = g->container = -1;
	r = group_open(g, conf, reterr);
	if (r == 0)
		r = container_open(g, conf, reterr);
	if (r == 0)
		r = addresses_find(g, conf, reterr);
	if (r < 0) {
		group_free(g);
		return r;
	}
	LIST_INSERT_HEAD(&groups, g, link);
	*ret_group = g;
	return 0;
}

static int
group_number(const struct pci_open_conf *conf, unsigned int *ret, char *reterr)
{
	char name[NAME_LEN];
	uint64_t number;

	if (sysfs_link(name, sizeof(name), "%s/sys/bus/pci/devices/%s/iommu_group", conf->root,
	    conf->address) < 0 || num_parse_u64(name, UINT32_MAX, &number) < 0)
		return refuse(-ENOTSUP, reterr, "%s: it is in no IOMMU group: this machine has no "
		    "IOMMU, or it is off", conf->address);
	*ret = (unsigned int)number;
	return 0;
}

int
vfio_group_get(const struct pci_open_conf *conf, struct vfio_group **ret_group, char *reterr)
{
	struct vfio_group *g;
	unsigned int number = 0;
	int r;

	r = group_number(conf, &number, reterr);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&vfio_lock);
	LIST_FOREACH(g, &groups, link)
		if (g->number == number)
			break;
	if (g == NULL)
		r = group_new(conf, number, ret_group, reterr);
	else if (!g->has_iommu && !conf->allow_unsafe_dma)
		r = refuse(-EPERM, reterr, "%s: there is no IOMMU between it and all memory; to "
		    "use it so, say 'allow_unsafe_dma: yes'", conf->address);
	else {
		g->refs++;
		*ret_group = g;
	}
	(void)pthread_mutex_unlock(&vfio_lock);
	return r;
}

void
vfio_group_put(struct vfio_group *group)
{
	(void)pthread_mutex_lock(&vfio_lock);
	if (--group->refs == 0) {
		LIST_REMOVE(group, link);
		group_free(group);
	}
	(void)pthread_mutex_unlock(&vfio_lock);
}

static int
map_at(struct vfio_group *group, void *va, size_t bytes, uint64_t iova)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)va,
		.iova = iova,
		.size = bytes,
	};

	if (fault_hit())
		return -ENOMEM;
	if (ioctl(group->container, VFIO_IOMMU_MAP_DMA, &map) == 0)
		return 0;
	return errno == ENOMEM || errno == ENOSPC || errno == EFAULT ? -errno : -EFAULT;
}

int
vfio_map(struct vfio_group *group, void *va, size_t bytes, bool is_fixed, uint64_t *iova)
{
	uint64_t align = bytes >= HUGE_BYTES ? HUGE_BYTES : IOVA_GAP_BYTES;
	int r = 0;

	(void)pthread_mutex_lock(&vfio_lock);
	if (!is_fixed)
		r = iova_take(group->iova, num_round_up(bytes, IOVA_GAP_BYTES), align, iova);
	if (r == 0) {
		r = map_at(group, va, bytes, *iova);
		if (r < 0 && !is_fixed)
			iova_give(group->iova, *iova);
	}
	(void)pthread_mutex_unlock(&vfio_lock);
	return r;
}

void
vfio_unmap(struct vfio_group *group, size_t bytes, bool is_fixed, uint64_t iova)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = iova, .size = bytes };

	(void)pthread_mutex_lock(&vfio_lock);
	/* addresses that stay mapped are not given out again */
	if (ioctl(group->container, VFIO_IOMMU_UNMAP_DMA, &unmap) == 0 && !is_fixed)
		iova_give(group->iova, iova);
	(void)pthread_mutex_unlock(&vfio_lock);
}
