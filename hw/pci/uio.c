/*
 * A function through uio_pci_generic: registers by its files in sysfs, the line by /dev/uioN,
 * memory where it is. Every file is opened at the beginning, so that it goes on after rights
 * were dropped.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pci.h>
#include <sys/stat.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "base/num.h"
#include "base/text.h"
#include "host/sysfs.h"
#include "hw/pci/bus_error.h"
#include "hw/pci/file.h"
#include "hw/pci/mmio.h"
#include "hw/pci/open.h"
#include "hw/pci/phys.h"
#include "hw/pci/uio_impl.h"

#define PATH_LEN	256
#define NAME_LEN	64

static struct uio_fn *
uio_of(struct pci_fn *fn)
{
	return container_of(fn, struct uio_fn, fn);
}

static uint64_t
uio_config_get(struct pci_fn *fn, unsigned int off, unsigned int width)
{
	return file_get(uio_of(fn)->config_fd, off, width);
}

static void
uio_config_put(struct pci_fn *fn, unsigned int off, unsigned int width, uint64_t value)
{
	file_put(uio_of(fn)->config_fd, off, width, value);
}

static uint64_t
uio_bar_get(struct pci_fn *fn, unsigned int bar, uint64_t off, unsigned int width)
{
	const struct uio_bar *b = &uio_of(fn)->bar[bar];

	return b->va != NULL ? mmio_get(b->va + b->lead + off, width) :
	    file_get(b->fd, off, width);
}

static void
uio_bar_put(struct pci_fn *fn, unsigned int bar, uint64_t off, unsigned int width,
    uint64_t value)
{
	const struct uio_bar *b = &uio_of(fn)->bar[bar];

	if (b->va != NULL)
		mmio_put(b->va + b->lead + off, width, value);
	else
		file_put(b->fd, off, width, value);
}

static int
uio_memory_get(struct pci_fn *fn, size_t bytes, struct pci_span *ret_spans, unsigned int *count)
{
	return phys_get(fn, bytes, ret_spans, count);
}

static void
uio_memory_put(struct pci_fn *fn UNUSED, const struct pci_span *spans, unsigned int count)
{
	phys_put(spans, count);
}

static unsigned int
uio_intr_count(struct pci_fn *fn, int type)
{
	return type == DDI_INTR_TYPE_FIXED && pci_config_read(fn, PCI_CONF_IPIN, 1) != 0;
}

/* the line comes as a count to be read from the device's file; who waits for it has an
 * eventfd */
static void *
uio_line_main(void *arg)
{
	struct uio_fn *u = arg;
	struct pollfd p[] = { { .fd = u->uio_fd, .events = POLLIN },
	    { .fd = u->stop_fd, .events = POLLIN } };
	const uint64_t one = 1;
	uint32_t count;

	while (poll(p, ARRAY_LEN(p), -1) < 0 || p[1].revents == 0) {
		if ((p[0].revents & (POLLERR | POLLHUP)) != 0)
			break;
		if ((p[0].revents & POLLIN) != 0 &&
		    read(u->uio_fd, &count, sizeof(count)) == sizeof(count) &&
		    write(u->line_fd, &one, sizeof(one)) < 0)
			continue;	/* full: it is readable */
	}
	return NULL;
}

/* the kernel sets "interrupt disable" at each interrupt, and leaves taking it back to us */
static void
uio_intr_unmask(struct pci_fn *fn)
{
	uint64_t command = uio_config_get(fn, PCI_CONF_COMM, 2);

	if (command != 0xffff)
		uio_config_put(fn, PCI_CONF_COMM, 2, command & ~(uint64_t)PCI_COMM_INTX_DISABLE);
}

static int
uio_intr_on(struct pci_fn *fn, int type UNUSED, const int *fds, unsigned int count UNUSED)
{
	struct uio_fn *u = uio_of(fn);

	u->stop_fd = fault_hit() ? -1 : eventfd(0, EFD_CLOEXEC);
	if (u->stop_fd < 0)
		return -ENOMEM;
	u->line_fd = fds[0];
	if (pthread_create(&u->thread, NULL, uio_line_main, u) != 0) {
		close_fd(&u->stop_fd);
		return -ENOMEM;
	}
	uio_intr_unmask(fn);
	return 0;
}

static void
uio_intr_off(struct pci_fn *fn, int type UNUSED)
{
	struct uio_fn *u = uio_of(fn);
	uint64_t command = uio_config_get(fn, PCI_CONF_COMM, 2);
	const uint64_t one = 1;

	if (command != 0xffff)
		uio_config_put(fn, PCI_CONF_COMM, 2, command | PCI_COMM_INTX_DISABLE);
	if (write(u->stop_fd, &one, sizeof(one)) < 0)
		return;		/* an empty eventfd takes a write */
	(void)pthread_join(u->thread, NULL);
	close_fd(&u->stop_fd);
}

static int
uio_reset(struct pci_fn *fn)
{
	struct uio_fn *u = uio_of(fn);

	if (u->reset_fd < 0)
		return -ENOTSUP;
	return pwrite(u->reset_fd, "1", 1, 0) == 1 ? 0 : -EIO;
}

static int
uio_event_fd(struct pci_fn *fn UNUSED, enum pci_event event UNUSED)
{
	return -ENOTSUP;
}

static void
uio_close(struct pci_fn *fn)
{
	struct uio_fn *u = uio_of(fn);

	for (unsigned int i = 0; i < PCI_BARS; i++) {
		if (u->bar[i].va != NULL) {
			bus_error_remove(u->bar[i].va);
			(void)munmap(u->bar[i].va, u->bar[i].map_bytes);
		}
		close_fd(&u->bar[i].fd);
	}
	close_fd(&u->config_fd);
	close_fd(&u->reset_fd);
	close_fd(&u->uio_fd);
	free(u);
}

static const struct pci_bus uio_bus = {
	.name = "uio",
	.has_iommu = false,
	.config_get = uio_config_get,
	.config_put = uio_config_put,
	.bar_get = uio_bar_get,
	.bar_put = uio_bar_put,
	.memory_get = uio_memory_get,
	.memory_put = uio_memory_put,
	.intr_count = uio_intr_count,
	.intr_on = uio_intr_on,
	.intr_off = uio_intr_off,
	.intr_unmask = uio_intr_unmask,
	.reset = uio_reset,
	.event_fd = uio_event_fd,
	.close = uio_close,
};

bool
uio_resource_parse(const char *line, uint64_t *ret_start, struct pci_bar *ret_bar)
{
	unsigned long long start, end, flags;

	if (sscanf(line, "%llx %llx %llx", &start, &end, &flags) != 3)
		return false;
	*ret_start = start;
	*ret_bar = (struct pci_bar){ 0 };
	if (end <= start || (flags & (UIO_RES_IO | UIO_RES_MEM)) == 0)
		return true;
	*ret_bar = (struct pci_bar){
		.bytes = end - start + 1,
		.is_io = (flags & UIO_RES_IO) != 0,
		.is_64 = (flags & UIO_RES_MEM64) != 0,
		.is_prefetchable = (flags & UIO_RES_PREFETCH) != 0,
	};
	return true;
}

static int
path_open(struct uio_fn *u, const struct pci_open_conf *conf, const char *name, int flags)
{
	char path[PATH_LEN];

	(void)snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/%s", conf->root,
	    u->fn.name, name);
	return fault_hit() ? -1 : open(path, flags | O_CLOEXEC);
}

static int
refuse_file(struct uio_fn *u, const char *name)
{
	const int error = errno;

	return pci_fn_refuse(&u->fn, error == EPERM ? -EACCES : -error, "%s: its file %s: %s",
	    u->fn.name, name, strerror(error));
}

static int
bar_open(struct uio_fn *u, const struct pci_open_conf *conf, unsigned int i, uint64_t start)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct uio_bar *b = &u->bar[i];
	char name[16];

	(void)snprintf(name, sizeof(name), "resource%u", i);
	b->fd = path_open(u, conf, name, O_RDWR | O_SYNC);
	if (b->fd < 0)
		return refuse_file(u, name);
	if (u->fn.bar[i].is_io)
		return 0;
	b->lead = start & (page - 1);
	b->map_bytes = num_round_up(b->lead + u->fn.bar[i].bytes, page);
	b->va = mmap(NULL, b->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
	if (b->va == MAP_FAILED) {
		b->va = NULL;
		return refuse_file(u, name);
	}
	bus_error_add(&u->fn, b->va, b->map_bytes);
	return 0;
}

static int
bars_open(struct uio_fn *u, const struct pci_open_conf *conf)
{
	char text[1024], *line = text, *end;
	uint64_t start;
	ssize_t n;
	int r = 0, fd = path_open(u, conf, "resource", O_RDONLY);

	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		r = refuse_file(u, "resource");
	text[n < 0 ? 0 : n] = '\0';
	close_fd(&fd);
	for (unsigned int i = 0; i < PCI_BARS && r == 0; i++, line = end + 1) {
		end = strchr(line, '\n');
		if (end == NULL || !uio_resource_parse(line, &start, &u->fn.bar[i]))
			return pci_fn_refuse(&u->fn, -EIO, "%s: its file resource has no line "
			    "for BAR %u", u->fn.name, i);
		if (u->fn.bar[i].bytes != 0)
			r = bar_open(u, conf, i, start);
	}
	return r;
}

static int
uio_name(const char *name, void *arg)
{
	(void)text_copy(arg, NAME_LEN, name);
	return 0;
}

static int
device_open(struct uio_fn *u, const struct pci_open_conf *conf)
{
	char path[PATH_LEN], name[NAME_LEN] = "";

	(void)snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/uio", conf->root,
	    u->fn.name);
	if (sysfs_each(path, uio_name, name) < 0 || name[0] == '\0')
		return pci_fn_refuse(&u->fn, -ENOTSUP, "%s: it is not bound to uio_pci_generic",
		    u->fn.name);
	(void)snprintf(path, sizeof(path), "%s/dev/%.32s", conf->root, name);
	u->uio_fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	return u->uio_fd < 0 ? refuse_file(u, "uio") : 0;
}

/* with an IOMMU that translates, a physical address leads nowhere, or somewhere else */
static int
iommu_check(struct uio_fn *u, const struct pci_open_conf *conf)
{
	char type[NAME_LEN];

	if (!conf->allow_unsafe_dma)
		return pci_fn_refuse(&u->fn, -EPERM, "%s: uio lets it write to all memory of this "
		    "machine; to use it so, say 'allow_unsafe_dma: yes', or use vfio",
		    u->fn.name);
	if (sysfs_read(type, sizeof(type), "%s/sys/bus/pci/devices/%s/iommu_group/type",
	    conf->root, u->fn.name) < 0 || strcmp(type, "identity") == 0)
		return 0;
	return pci_fn_refuse(&u->fn, -EPERM, "%s: an IOMMU translates its addresses (%s): use "
	    "vfio, or boot with iommu=pt", u->fn.name, type);
}

static int
uio_begin(struct uio_fn *u, const struct pci_open_conf *conf)
{
	struct stat st;
	int r;

	r = iommu_check(u, conf);
	if (r == 0)
		r = device_open(u, conf);
	if (r < 0)
		return r;
	u->config_fd = path_open(u, conf, "config", O_RDWR);
	if (u->config_fd < 0 || fstat(u->config_fd, &st) < 0)
		return refuse_file(u, "config");
	u->fn.config_bytes = st.st_size >= PCI_CONFIG_EXT_BYTES ? PCI_CONFIG_EXT_BYTES :
	    PCI_CONFIG_BYTES;
	u->reset_fd = path_open(u, conf, "reset", O_WRONLY);	/* many have none */
	r = bars_open(u, conf);
	if (r < 0)
		return r;
	/* whoever had it before may have died with commands under way: silence first */
	pci_fn_stop(&u->fn);
	if (uio_reset(&u->fn) == -EIO)
		return refuse_file(u, "reset");
	return pci_fn_init(&u->fn);
}

int
uio_open(const struct pci_open_conf *conf, struct pci_fn **ret_fn, char *reterr)
{
	struct uio_fn *u = fault_hit() ? NULL : calloc(1, sizeof(*u));
	int r;

	if (u == NULL) {
		(void)text_copy(reterr, PCI_DETAIL_LEN, "out of memory");
		return -ENOMEM;
	}
	u->config_fd = u->reset_fd = u->uio_fd = u->stop_fd = u->line_fd = -1;
	for (unsigned int i = 0; i < PCI_BARS; i++)
		u->bar[i].fd = -1;
	u->fn.bus = &uio_bus;
	(void)text_copy(u->fn.name, sizeof(u->fn.name), conf->address);
	r = uio_begin(u, conf);
	if (r < 0) {
		(void)text_copy(reterr, PCI_DETAIL_LEN, u->fn.detail);
		uio_close(&u->fn);
		return r;
	}
	*ret_fn = &u->fn;
	return 0;
}
