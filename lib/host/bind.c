#include "host/bind.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "host/keep_impl.h"
#include "host/sysfs.h"
#include "host/use.h"

#define NO_OVERRIDE	"\n"	/* what takes an override away */

static const struct {
	const char *name, *driver;
} buses[] = {
	[HOST_BUS_VFIO] = { "vfio", "vfio-pci" },
	[HOST_BUS_UIO] = { "uio", "uio_pci_generic" },
};

const char *
host_bus_driver(enum host_bus bus)
{
	return buses[bus].driver;
}

const char *
host_bus_name(enum host_bus bus)
{
	return buses[bus].name;
}

bool
host_bus_parse(const char *name, enum host_bus *ret)
{
	for (size_t b = 0; b < HOST_BUS_N; b++)
		if (strcmp(name, buses[b].name) == 0) {
			*ret = (enum host_bus)b;
			return true;
		}
	return false;
}

bool
host_bus_of_driver(const char *driver, enum host_bus *ret)
{
	for (size_t b = 0; b < HOST_BUS_N; b++)
		if (strcmp(driver, buses[b].driver) == 0) {
			*ret = (enum host_bus)b;
			return true;
		}
	return false;
}

PRINTF_LIKE(3, 4) static int
refuse(char *reterr, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(reterr, HOST_ERR_LEN, fmt, ap);
	va_end(ap);
	return err;
}

static int
fn_find(const struct host *h, const char *address, struct host_fn *f, char *reterr)
{
	char escaped[64];
	int r = host_fn_read(h->sysfs, address, f);

	if (r == 0)
		return 0;
	(void)text_escape(address, strlen(address), escaped, sizeof(escaped));
	return refuse(reterr, r, "'%s': %s", escaped, r == -EINVAL ?
	    "is not the address of a PCI function, for instance 0000:00:10.0" :
	    r == -ENODEV ? "there is no such PCI function" : strerror(-r));
}

static int
kernel_write(const struct host *h, const char *text, const char *fmt, const char *part,
    const char *file)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/bus/pci/%s%s%s", h->sysfs, fmt, part, file);
	return h->write != NULL ? h->write(h, path, text) : sysfs_write(text, "%s", path);
}

/* ------ may it go ------ */

struct others {
	const struct host *h;
	const struct host_fn *f;
	int (*fn)(const struct host_fn *other, void *arg);
	void *arg;
};

static int
other_entry(const char *name, void *arg)
{
	const struct others *o = arg;
	struct host_fn other;

	if (strcmp(name, o->f->address) == 0 || host_fn_read(o->h->sysfs, name, &other) < 0)
		return 0;
	return o->fn(&other, o->arg);
}

int
host_group_each(const struct host *h, const struct host_fn *f,
    int (*fn)(const struct host_fn *other, void *arg), void *arg)
{
	struct others others = { h, f, fn, arg };
	char folder[PATH_MAX];

	if (f->iommu_group < 0)
		return 0;
	(void)snprintf(folder, sizeof(folder), "%s/kernel/iommu_groups/%d/devices", h->sysfs,
	    f->iommu_group);
	return sysfs_each(folder, other_entry, &others);
}

struct group_check {
	const char *address;
	char *reterr;
};

/* bridges and what nobody drives may stay; so may what is given away already */
static int
member_check(const struct host_fn *other, void *arg)
{
	static const char *const fine[] = { "", "vfio-pci", "pci-stub", "pcieport" };
	const struct group_check *check = arg;

	for (size_t i = 0; i < ARRAY_LEN(fine); i++)
		if (strcmp(other->driver, fine[i]) == 0)
			return 0;
	return refuse(check->reterr, -EXDEV, "%s: %s is in the same IOMMU group, %d, and driver "
	    "%s of the kernel has it: all of a group go together", check->address,
	    other->address, other->iommu_group, other->driver);
}

static int
iommu_check(const struct host *h, const struct host_fn *f, enum host_bus bus, char *reterr)
{
	struct group_check check = { f->address, reterr };
	char text[32];

	if (bus == HOST_BUS_VFIO && f->iommu_group >= 0)
		return host_group_each(h, f, member_check, &check);
	if (bus == HOST_BUS_VFIO) {
		if (sysfs_read(text, sizeof(text),
		    "%s/module/vfio/parameters/enable_unsafe_noiommu_mode", h->sysfs) == 0 &&
		    text[0] == 'Y')
			return 0;
		return refuse(reterr, -EXDEV, "%s: there is no IOMMU for it: turn it on (in the "
		    "firmware, and intel_iommu=on or the like for the kernel), or use --bus uio, "
		    "where the device can write to all memory", f->address);
	}
	/* "DMA" and "DMA-FQ" translate, "identity" does not */
	if (f->iommu_group >= 0 && sysfs_read(text, sizeof(text),
	    "%s/kernel/iommu_groups/%d/type", h->sysfs, f->iommu_group) == 0 &&
	    strncmp(text, "DMA", 3) == 0)
		return refuse(reterr, -EXDEV, "%s: the IOMMU translates its addresses, so that "
		    "bus uio cannot work: use --bus vfio", f->address);
	return 0;
}

static int
disks_refuse(const struct host_fn *f, const struct host_disks *disks, char *reterr)
{
	size_t len, told = 0, uses = 0;
	char text[800];

	len = (size_t)snprintf(reterr, HOST_ERR_LEN, "%s: in use: ", f->address);
	for (size_t d = 0; d < disks->n; d++)
		for (size_t u = 0; u < disks->disks[d].n_uses; u++) {
			int n;

			uses++;
			(void)host_use_format(&disks->disks[d].uses[u], text, sizeof(text));
			/* room for how many more there are */
			if (told + 1 < uses || len + strlen(text) + 64 > HOST_ERR_LEN)
				continue;
			n = snprintf(reterr + len, HOST_ERR_LEN - len, "%s%s",
			    told > 0 ? "; " : "", text);
			len += (size_t)n;
			told++;
		}
	if (told < uses)
		(void)snprintf(reterr + len, HOST_ERR_LEN - len, "%s%zu uses more",
		    told > 0 ? "; and " : "", uses - told);
	return -EBUSY;
}

static int
disks_check(const struct host *h, const struct host_fn *f, char *reterr)
{
	struct host_disks disks;
	int r = host_disks_read(h, f->address, &disks);

	if (r < 0)
		return refuse(reterr, r, "%s: cannot tell whether its disks are in use: %s",
		    f->address, strerror(-r));
	if (disks.n_used > 0)
		r = disks_refuse(f, &disks, reterr);
	host_disks_fini(&disks);
	return r;
}

struct uio_find {
	const struct host *h;
	char *by;
	bool is_found;
};

static int
uio_entry(const char *name, void *arg)
{
	struct uio_find *find = arg;

	find->is_found = find->is_found || host_open_find(find->h, name, find->by);
	return 0;
}

/* -EBUSY when a process drives the function through vfio or uio */
static int
open_check(const struct host *h, const struct host_fn *f, char *reterr)
{
	char name[HOST_NAME_LEN], by[HOST_NAME_LEN], escaped[4 * HOST_NAME_LEN];
	char folder[PATH_MAX];
	struct uio_find find = { h, by, false };

	(void)snprintf(name, sizeof(name), "vfio/%d", f->iommu_group);
	find.is_found = f->iommu_group >= 0 && host_open_find(h, name, by);
	(void)snprintf(name, sizeof(name), "vfio/noiommu-%d", f->iommu_group);
	if (!find.is_found && f->iommu_group >= 0)
		find.is_found = host_open_find(h, name, by);
	(void)snprintf(folder, sizeof(folder), "%s/bus/pci/devices/%s/uio", h->sysfs,
	    f->address);
	if (!find.is_found)
		(void)!sysfs_each(folder, uio_entry, &find);
	if (!find.is_found)
		return 0;
	(void)text_escape(by, strlen(by), escaped, sizeof(escaped));
	return refuse(reterr, -EBUSY, "%s: process %s has it open: take the HBA out of its "
	    "configuration, and stop it, first", f->address, escaped);
}

static int
bind_check(const struct host *h, const struct host_fn *f, enum host_bus bus, char *reterr)
{
	int r;

	if (!host_fn_is_scsi(f))
		return refuse(reterr, -EMEDIUMTYPE, "%s: it is no SCSI controller (class %06x%s%s)",
		    f->address, f->class, host_fn_is_storage(f) ? ", " : "",
		    host_fn_class_name(f));
	r = disks_check(h, f, reterr);
	if (r == 0)
		r = open_check(h, f, reterr);
	return r < 0 ? r : iommu_check(h, f, bus, reterr);
}

/* ------ going ------ */

static bool
has_driver(const struct host *h, const char *driver)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/bus/pci/drivers/%s", h->sysfs, driver);
	return access(path, F_OK) == 0;
}

static int
driver_load(const struct host *h, const char *driver, char *reterr)
{
	int r = 0;

	if (has_driver(h, driver))
		return 0;
	if (h->module_load != NULL)
		r = h->module_load(h, driver);
	if (r == 0 && has_driver(h, driver))
		return 0;
	return refuse(reterr, -ENOSYS, "the kernel has no driver %s: modprobe %s%s%s", driver,
	    driver, r < 0 ? " failed: " : " may bring it", r < 0 ? strerror(-r) : "");
}

/* @override becomes the only driver that may have it, and gets it if it wants */
static int
fn_move(const struct host *h, const struct host_fn *f, const char *override)
{
	int r = kernel_write(h, override, "devices/", f->address, "/driver_override");

	if (r == 0 && f->driver[0] != '\0') {
		r = kernel_write(h, f->address, "drivers/", f->driver, "/unbind");
		if (r == -ENODEV)	/* it has gone by itself */
			r = 0;
	}
	return r < 0 ? r : kernel_write(h, f->address, "drivers_probe", "", "");
}

static void
fn_restore(const struct host *h, const struct host_fn *f)
{
	struct host_fn now;

	(void)!kernel_write(h, f->override[0] == '\0' ? NO_OVERRIDE : f->override, "devices/",
	    f->address, "/driver_override");
	if (host_fn_read(h->sysfs, f->address, &now) == 0 && now.driver[0] == '\0')
		(void)!kernel_write(h, f->address, "drivers_probe", "", "");
}

static int
moved(const struct host_fn *f, const char *to, int r, char *reterr)
{
	if (r == -EACCES || r == -EPERM)
		return refuse(reterr, r, "%s: cannot be given to %s: %s; root may do that",
		    f->address, to, strerror(-r));
	return refuse(reterr, r, "%s: %s did not take it: %s%s", f->address, to, strerror(-r),
	    strcmp(to, "uio_pci_generic") == 0 ?
	    "; it takes only what has an interrupt line that can be masked" : "");
}

int
host_bind(const struct host *h, const char *address, enum host_bus bus, char *ret_was,
    char *reterr)
{
	const char *driver = host_bus_driver(bus);
	struct host_fn f, now;
	int r = fn_find(h, address, &f, reterr);

	if (r == 0 && strcmp(f.driver, driver) != 0)
		r = bind_check(h, &f, bus, reterr);
	if (r == 0)
		r = driver_load(h, driver, reterr);
	if (r < 0)
		return r;
	host_given_write(h, f.address, host_bus_name(bus));
	if (strcmp(f.driver, driver) == 0)
		r = kernel_write(h, driver, "devices/", f.address, "/driver_override");
	else
		r = fn_move(h, &f, driver);
	if (r == 0)
		r = host_fn_read(h->sysfs, f.address, &now);
	if (r == 0 && strcmp(now.driver, driver) != 0)
		r = -ENODEV;
	if (r < 0) {
		fn_restore(h, &f);
		if (strcmp(f.driver, driver) != 0)
			host_given_write(h, f.address, NULL);
		return moved(&f, driver, r, reterr);
	}
	(void)text_copy(ret_was, HOST_DRIVER_LEN, f.driver);
	return 0;
}

int
host_unbind(const struct host *h, const char *address, char *ret_now, char *reterr)
{
	struct host_fn f, now;
	enum host_bus bus;
	int r = fn_find(h, address, &f, reterr);

	if (r < 0)
		return r;
	if (!host_bus_of_driver(f.driver, &bus) && !host_bus_of_driver(f.override, &bus))
		return refuse(reterr, -EALREADY, "%s: it is not given away, %s%s", f.address,
		    f.driver[0] == '\0' ? "no driver has it" : "the kernel has it: driver ",
		    f.driver);
	r = open_check(h, &f, reterr);
	if (r < 0)
		return r;
	r = fn_move(h, &f, NO_OVERRIDE);
	if (r == 0)
		r = host_fn_read(h->sysfs, f.address, &now);
	if (r < 0) {
		fn_restore(h, &f);
		return moved(&f, "the kernel", r, reterr);
	}
	host_given_write(h, f.address, NULL);
	(void)text_copy(ret_now, HOST_DRIVER_LEN, now.driver);
	return 0;
}
