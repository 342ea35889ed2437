#include "host/fn.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/text.h"
#include "host/sysfs.h"

#define CLASS_STORAGE	0x01

#define CLASS_FC	0x0c04

static const struct {
	uint16_t class;			/* the upper 16 bits: class and subclass */
	const char *name;
	bool is_scsi;
} classes[] = {
	{ 0x0100, "SCSI", true },
	{ 0x0101, "IDE", false },
	{ 0x0104, "RAID", true },
	{ 0x0105, "ATA", false },
	{ 0x0106, "SATA", false },
	{ 0x0107, "SAS", true },
	{ 0x0108, "NVMe", false },
	{ 0x0180, "storage", true },
	{ CLASS_FC, "FC", true },
};

/* an id of the function; a file that is missing is 0 */
static uint32_t
id_read(const char *folder, const char *name)
{
	uint64_t v = 0;

	return sysfs_number(&v, "%s/%s", folder, name) < 0 ? 0 : (uint32_t)v;
}

int
host_fn_read(const char *sysfs, const char *address, struct host_fn *ret)
{
	char folder[PATH_MAX], group[16];
	struct host_fn f = { .iommu_group = -1 };
	uint64_t v;
	int r;

	if (host_addr_parse(address, f.address) < 0)
		return -EINVAL;
	(void)snprintf(folder, sizeof(folder), "%s/bus/pci/devices/%s", sysfs, f.address);
	if (access(folder, F_OK) < 0)
		return -ENODEV;
	r = sysfs_number(&v, "%s/vendor", folder);
	if (r < 0)
		return r;
	f.vendor = (uint16_t)v;
	r = sysfs_number(&v, "%s/device", folder);
	if (r < 0)
		return r;
	f.device = (uint16_t)v;
	f.sub_vendor = (uint16_t)id_read(folder, "subsystem_vendor");
	f.sub_device = (uint16_t)id_read(folder, "subsystem_device");
	f.class = id_read(folder, "class") & 0xffffff;
	f.revision = (uint8_t)id_read(folder, "revision");
	(void)!sysfs_link(f.driver, sizeof(f.driver), "%s/driver", folder);
	(void)!sysfs_read(f.override, sizeof(f.override), "%s/driver_override", folder);
	if (strcmp(f.override, "(null)") == 0)	/* what the kernel writes for none */
		f.override[0] = '\0';
	if (sysfs_link(group, sizeof(group), "%s/iommu_group", folder) == 0 &&
	    num_parse_u64(group, INT_MAX, &v) == 0)
		f.iommu_group = (int)v;
	*ret = f;
	return 0;
}

struct each {
	const char *sysfs;
	int (*fn)(const struct host_fn *f, void *arg);
	void *arg;
};

static int
each_name(const char *name, void *arg)
{
	const struct each *each = arg;
	struct host_fn f;

	if (host_fn_read(each->sysfs, name, &f) < 0)
		return 0;
	return each->fn(&f, each->arg);
}

int
host_fn_each(const char *sysfs, int (*fn)(const struct host_fn *f, void *arg), void *arg)
{
	struct each each = { sysfs, fn, arg };
	char folder[PATH_MAX];
	int r;

	(void)snprintf(folder, sizeof(folder), "%s/bus/pci/devices", sysfs);
	r = sysfs_each(folder, each_name, &each);
	return r == -ENOENT ? 0 : r;
}

bool
host_fn_is_storage(const struct host_fn *f)
{
	return f->class >> 16 == CLASS_STORAGE || f->class >> 8 == CLASS_FC;
}

bool
host_fn_is_scsi(const struct host_fn *f)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (classes[i].class == f->class >> 8)
			return classes[i].is_scsi;
	return false;
}

const char *
host_fn_class_name(const struct host_fn *f)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (classes[i].class == f->class >> 8)
			return classes[i].name;
	return host_fn_is_storage(f) ? "storage" : "";
}
