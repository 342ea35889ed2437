#include "mock_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "host/sysfs.h"

static void
full(struct machine *m, const char *path, char out[PATH_MAX])
{
	(void)snprintf(out, PATH_MAX, "%s/%s", m->root, path);
	for (char *p = out + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		if (mkdir(out, 0755) < 0 && errno != EEXIST)
			ck_abort_msg("%s: %s", out, strerror(errno));
		*p = '/';
	}
}

void
machine_file(struct machine *m, const char *path, const char *text)
{
	char name[PATH_MAX];
	FILE *f;

	full(m, path, name);
	f = fopen(name, "w");
	ck_assert_msg(f != NULL, "%s: %s", name, strerror(errno));
	(void)fputs(text, f);
	(void)fclose(f);
}

void
machine_link(struct machine *m, const char *path, const char *target)
{
	char name[PATH_MAX], to[PATH_MAX];

	full(m, path, name);
	(void)unlink(name);
	/* inside the machine, or as it is */
	(void)snprintf(to, sizeof(to), "%s%s%s", target[0] == '/' ? "" : m->root,
	    target[0] == '/' ? "" : "/", target);
	ck_assert_msg(symlink(to, name) == 0, "%s: %s", name, strerror(errno));
}

void
machine_remove(struct machine *m, const char *path)
{
	char name[PATH_MAX];

	(void)snprintf(name, sizeof(name), "%s/%s", m->root, path);
	ck_assert_msg(remove(name) == 0, "%s: %s", name, strerror(errno));
}

const char *
machine_read(struct machine *m, const char *path)
{
	static char text[1024];

	(void)!sysfs_read(text, sizeof(text), "%s/%s", m->root, path);
	return text;
}

/* ------ the kernel ------ */

static void
driver_set(struct machine *m, const char *address, const char *driver)
{
	char path[PATH_MAX], to[PATH_MAX];

	(void)snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver", address);
	(void)snprintf(to, sizeof(to), "sys/bus/pci/drivers/%s", driver);
	machine_link(m, path, to);
}

static void
probe(struct machine *m, const char *address)
{
	char path[PATH_MAX], override[64];

	(void)snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/driver", m->root, address);
	if (access(path, F_OK) == 0)
		return;
	(void)snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver_override", address);
	(void)snprintf(override, sizeof(override), "%s", machine_read(m, path));
	if (override[0] == '\0' || strcmp(override, "(null)") == 0) {
		if (m->home != NULL)
			driver_set(m, address, m->home);
	} else if (!m->is_stubborn || strcmp(override, m->home) == 0) {
		driver_set(m, address, override);
	}
}

static int
kernel_write(const struct host *h, const char *path, const char *text)
{
	struct machine *m = h->arg;
	const char *last = strrchr(path, '/') + 1;
	char name[PATH_MAX];

	if (m->write_to != NULL && strstr(path, m->write_to) != NULL)
		return m->write_error;
	if (strcmp(last, "drivers_probe") == 0) {
		probe(m, text);
	} else if (strcmp(last, "unbind") == 0) {
		(void)snprintf(name, sizeof(name), "sys/bus/pci/devices/%s/driver", text);
		machine_remove(m, name);
	} else {
		ck_assert_str_eq(last, "driver_override");
		machine_file(m, path + strlen(m->root) + 1, strcmp(text, "\n") == 0 ? "(null)\n" :
		    text);
	}
	return 0;
}

static int
kernel_load(const struct host *h, const char *name)
{
	struct machine *m = h->arg;
	char path[PATH_MAX];

	(void)snprintf(m->loaded, sizeof(m->loaded), "%s", name);
	if (m->load_error != 0)
		return m->load_error;
	(void)snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/bind", name);
	if (m->can_load)
		machine_file(m, path, "");
	return 0;
}

/* ------ the machine ------ */

void
machine_new(struct machine *m)
{
	const struct {
		char *path;
		const char **member, *below;
	} paths[] = {
		{ m->sysfs, &m->host.sysfs, "sys" },
		{ m->proc, &m->host.proc, "proc" },
		{ m->dev, &m->host.dev, "dev" },
		{ m->saved, &m->host.saved, "etc/driverctl.d" },
		{ m->given, &m->host.given, "run/scsad-hbas" },
	};

	*m = (struct machine){ .home = "chipdrv" };
	(void)snprintf(m->root, sizeof(m->root), "/tmp/scsad-machine-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(m->root));
	m->host = host_here();
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		(void)snprintf(paths[i].path, sizeof(m->sysfs), "%s/%s", m->root, paths[i].below);
		*paths[i].member = paths[i].path;
	}
	m->host.write = kernel_write;
	m->host.module_load = kernel_load;
	m->host.arg = m;
	machine_file(m, "sys/bus/pci/drivers/vfio-pci/bind", "");
	machine_file(m, "sys/bus/pci/drivers/uio_pci_generic/bind", "");
	machine_file(m, "sys/bus/pci/drivers/chipdrv/bind", "");
	machine_file(m, "sys/class/block/.keep", "");
	machine_file(m, "etc/.keep", "");
	machine_file(m, "run/.keep", "");
	machine_file(m, "dev/.keep", "");
	machine_file(m, "proc/self/mountinfo", "");
	machine_file(m, "proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");
	machine_mount(m, "0:30", "/", "overlay");
}

static int
entry_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

void
machine_free(struct machine *m)
{
	(void)nftw(m->root, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

void
machine_fn(struct machine *m, const char *address, const char *ids, unsigned int class,
    const char *driver, int group)
{
	char folder[256], path[PATH_MAX], text[64];

	(void)snprintf(folder, sizeof(folder), "sys/devices/pci0000:00/%s", address);
	(void)snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", address);
	machine_link(m, path, folder);
	(void)snprintf(path, sizeof(path), "%s/vendor", folder);
	(void)snprintf(text, sizeof(text), "0x%.4s\n", ids);
	machine_file(m, path, text);
	(void)snprintf(path, sizeof(path), "%s/device", folder);
	(void)snprintf(text, sizeof(text), "0x%.4s\n", ids + 5);
	machine_file(m, path, text);
	(void)snprintf(path, sizeof(path), "%s/class", folder);
	(void)snprintf(text, sizeof(text), "0x%06x\n", class);
	machine_file(m, path, text);
	(void)snprintf(path, sizeof(path), "%s/driver_override", folder);
	machine_file(m, path, "(null)\n");
	if (driver[0] != '\0')
		driver_set(m, address, driver);
	if (group < 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/iommu_group", folder);
	(void)snprintf(text, sizeof(text), "sys/kernel/iommu_groups/%d", group);
	machine_link(m, path, text);
	(void)snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%d/devices/%s", group, address);
	machine_link(m, path, folder);
	(void)snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%d/type", group);
	machine_file(m, path, "DMA-FQ\n");
}

static void
block(struct machine *m, const char *folder, const char *name, const char *dev)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/dev", folder);
	machine_file(m, path, dev);
	(void)snprintf(path, sizeof(path), "%s/size", folder);
	machine_file(m, path, "2048\n");
	(void)snprintf(path, sizeof(path), "sys/class/block/%s", name);
	machine_link(m, path, folder);
}

void
machine_disk(struct machine *m, const char *address, const char *name, const char *dev)
{
	char folder[512], path[PATH_MAX], to[1024];

	(void)snprintf(folder, sizeof(folder),
	    "sys/devices/pci0000:00/%s/host0/target/%s-dev/block/%s", address, name, name);
	block(m, folder, name, dev);
	(void)snprintf(path, sizeof(path), "%s/device", folder);
	(void)snprintf(to, sizeof(to), "sys/devices/pci0000:00/%s/host0/target/%s-dev", address,
	    name);
	machine_link(m, path, to);
	(void)snprintf(path, sizeof(path), "%s/model", to);
	machine_file(m, path, "A DISK          \n");
}

void
machine_part(struct machine *m, const char *address, const char *disk, const char *name,
    const char *dev)
{
	char folder[512], path[PATH_MAX];

	(void)snprintf(folder, sizeof(folder),
	    "sys/devices/pci0000:00/%s/host0/target/%s-dev/block/%s/%s", address, disk, disk,
	    name);
	block(m, folder, name, dev);
	(void)snprintf(path, sizeof(path), "%s/partition", folder);
	machine_file(m, path, "1\n");
}

void
machine_dm(struct machine *m, const char *name, const char *dev, const char *dm_name,
    const char *uuid)
{
	char folder[256], path[PATH_MAX];

	(void)snprintf(folder, sizeof(folder), "sys/devices/virtual/block/%s", name);
	block(m, folder, name, dev);
	(void)snprintf(path, sizeof(path), "%s/dm/name", folder);
	machine_file(m, path, dm_name);
	(void)snprintf(path, sizeof(path), "%s/dm/uuid", folder);
	machine_file(m, path, uuid);
}

void
machine_holder(struct machine *m, const char *device, const char *holder)
{
	char path[PATH_MAX], real[PATH_MAX], to[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/sys/class/block/%s", m->root, device);
	ck_assert_ptr_nonnull(realpath(path, real));
	(void)snprintf(path, sizeof(path), "%.3000s/holders/%.64s", real + strlen(m->root) + 1,
	    holder);
	(void)snprintf(to, sizeof(to), "sys/class/block/%.64s", holder);
	machine_link(m, path, to);
}

void
machine_mount(struct machine *m, const char *dev, const char *folder, const char *source)
{
	char name[PATH_MAX];
	FILE *f;

	full(m, "proc/self/mountinfo", name);
	f = fopen(name, "a");
	ck_assert_ptr_nonnull(f);
	(void)fprintf(f, "22 27 %s / %s rw,relatime shared:1 - ext4 %s rw\n", dev, folder, source);
	(void)fclose(f);
}

void
machine_open(struct machine *m, const char *pid, const char *comm, const char *file)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "proc/%s/comm", pid);
	machine_file(m, path, comm);
	(void)snprintf(path, sizeof(path), "proc/%s/fd/3", pid);
	machine_link(m, path, file);
}
