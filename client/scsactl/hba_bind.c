#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "client/scsactl/hba.h"
#include "client/scsactl/out.h"
#include "client/scsactl/verbs.h"

enum { BIND_BUS, BIND_PERSISTENT, BIND_SAVED, BIND_ROOT };
enum { UNBIND_ROOT };

#define ROOT_OPT	{ "root", 0, "DIR", "the machine whose sys, proc ... are below DIR" }

static const struct verb_opt bind_opts[] = {
	[BIND_BUS]        = { "bus", 'b', "BUS", "vfio (default), or uio: no IOMMU between" },
	[BIND_PERSISTENT] = { "persistent", 'p', NULL, "also after a boot" },
	[BIND_SAVED]      = { "saved", 0, NULL, "as --persistent has saved it; for udev" },
	[BIND_ROOT]       = ROOT_OPT,
	{ NULL, 0, NULL, NULL },
};

static const struct verb_opt unbind_opts[] = {
	[UNBIND_ROOT] = ROOT_OPT,
	{ NULL, 0, NULL, NULL },
};

/* modprobe(8), which knows aliases and options; by its path, with no environment but ours */
static int
modprobe(const struct host *h UNUSED, const char *name)
{
	char *const argv[] = { (char *)(uintptr_t)"modprobe", (char *)(uintptr_t)name, NULL };
	char *const env[] = { (char *)(uintptr_t)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	int status = 0, r;
	pid_t pid;

	r = posix_spawn(&pid, "/sbin/modprobe", NULL, NULL, argv, env);
	if (r != 0)
		return -r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ENOENT;
}

enum ctl_exit
hba_machine(struct ctl *ctl, const char *root, struct hba_machine *ret)
{
	const struct {
		char *path;
		const char **member, *below;
	} paths[] = {
		{ ret->sysfs, &ret->host.sysfs, "sys" },
		{ ret->proc, &ret->host.proc, "proc" },
		{ ret->dev, &ret->host.dev, "dev" },
		{ ret->saved, &ret->host.saved, "etc/driverctl.d" },
		{ ret->given, &ret->host.given, "run/scsad-hbas" },
	};

	ret->host = host_here();
	if (root == NULL) {
		ret->host.module_load = modprobe;
		return CTL_OK;
	}
	if (strlen(root) > sizeof(ret->sysfs) - 32)
		return ctl_fail(ctl, CTL_FILE, "--root is too long");
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		(void)snprintf(paths[i].path, sizeof(ret->sysfs), "%s/%s", root, paths[i].below);
		*paths[i].member = paths[i].path;
	}
	return CTL_OK;
}

enum ctl_exit
hba_exit(int err)
{
	static const struct {
		int err;
		enum ctl_exit status;
	} rows[] = {
		{ -EINVAL, CTL_SYNTAX },
		{ -ENODEV, CTL_NO_SUCH },
		{ -EBUSY, CTL_BUSY },
		{ -EALREADY, CTL_FALSE },
		{ -EMEDIUMTYPE, CTL_ILLEGAL_REQUEST },
		{ -EXDEV, CTL_ILLEGAL_REQUEST },
		{ -EACCES, CTL_NOT_PERMITTED },
		{ -EPERM, CTL_NOT_PERMITTED },
		{ -EROFS, CTL_NOT_PERMITTED },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].err == err)
			return rows[i].status;
	return CTL_OTHER;
}

/* the bus of --bus, or that which is saved */
static enum ctl_exit
bus_pick(struct ctl *ctl, const struct args *args, const struct host *h, enum host_bus *ret)
{
	const char *word = args->opt[BIND_BUS];
	char driver[HOST_DRIVER_LEN];
	int r;

	*ret = HOST_BUS_VFIO;
	if (args->opt[BIND_SAVED] == NULL)
		return word == NULL || host_bus_parse(word, ret) ? CTL_OK :
		    ctl_syntax(ctl, "--bus is vfio or uio");
	if (word != NULL || args->opt[BIND_PERSISTENT] != NULL)
		return ctl_syntax(ctl, "--saved goes without --bus and --persistent");
	r = host_saved_read(h, args->v[0], driver);
	if (r < 0)
		return ctl_fail(ctl, hba_exit(r), "'%s': what is saved cannot be read: %s",
		    escaped(args->v[0]), strerror(-r));
	if (!host_bus_of_driver(driver, ret))
		return ctl_fail(ctl, CTL_FALSE, "'%s': nothing is saved for scsad",
		    escaped(args->v[0]));
	return CTL_OK;
}

static void
bind_tell(struct ctl *ctl, const struct host_fn *f, enum host_bus bus, const char *was)
{
	char group[48] = "";

	if (ctl->is_json) {
		doc_text(ctl->root, "address", f->address);
		doc_text(ctl->root, "bus", host_bus_name(bus));
		doc_text(ctl->root, "driver", f->driver);
		doc_text(ctl->root, "was", was);
		if (f->iommu_group >= 0)
			doc_number(ctl->root, "iommu_group", (uint64_t)f->iommu_group);
		return;
	}
	if (bus == HOST_BUS_VFIO && f->iommu_group >= 0)
		(void)snprintf(group, sizeof(group), " (/dev/vfio/%d)", f->iommu_group);
	(void)printf("%s: %s%s has it now", f->address, f->driver, group);
	if (was[0] != '\0' && strcmp(was, f->driver) != 0)
		(void)printf(", %s had it", escaped(was));
	(void)printf("\n");
}

static enum ctl_exit
saved_change(struct ctl *ctl, const struct host *h, const char *address, const char *driver)
{
	int r = host_saved_write(h, address, driver);

	if (r == 0)
		return CTL_OK;
	return ctl_fail(ctl, CTL_FILE, "%s: %s: %s", h->saved,
	    driver != NULL ? "cannot be kept over a boot" : "cannot be forgotten",
	    strerror(-r));
}

static enum ctl_exit
bind_run(struct ctl *ctl, const struct args *args)
{
	char was[HOST_DRIVER_LEN], text[HOST_ERR_LEN];
	struct hba_machine m;
	struct host_fn f;
	enum host_bus bus;
	enum ctl_exit status = hba_machine(ctl, args->opt[BIND_ROOT], &m);
	int r;

	if (status == CTL_OK)
		status = bus_pick(ctl, args, &m.host, &bus);
	if (status != CTL_OK)
		return status;
	r = host_bind(&m.host, args->v[0], bus, was, text);
	if (r == 0)
		r = host_fn_read(m.host.sysfs, args->v[0], &f);
	if (r < 0)
		return ctl_fail(ctl, hba_exit(r), "%s", text);
	bind_tell(ctl, &f, bus, was);
	if (args->opt[BIND_PERSISTENT] == NULL)
		return CTL_OK;
	return saved_change(ctl, &m.host, f.address, host_bus_driver(bus));
}

static enum ctl_exit
unbind_run(struct ctl *ctl, const struct args *args)
{
	char now[HOST_DRIVER_LEN], saved[HOST_DRIVER_LEN], text[HOST_ERR_LEN];
	struct hba_machine m;
	enum ctl_exit status = hba_machine(ctl, args->opt[UNBIND_ROOT], &m);
	int r;

	if (status != CTL_OK)
		return status;
	r = host_unbind(&m.host, args->v[0], now, text);
	if (r < 0)
		return ctl_fail(ctl, hba_exit(r), "%s", text);
	if (ctl->is_json) {
		doc_text(ctl->root, "address", args->v[0]);
		doc_text(ctl->root, "driver", now);
	} else {
		(void)printf("%s: %s has it now\n", escaped(args->v[0]),
		    now[0] != '\0' ? escaped(now) : "no driver");
	}
	if (host_saved_read(&m.host, args->v[0], saved) < 0 || saved[0] == '\0')
		return CTL_OK;
	return saved_change(ctl, &m.host, args->v[0], NULL);
}

const struct verb verb_hba_bind = {
	.name = "hba bind",
	.args = "ADDRESS",
	.summary = "take a PCI function from the kernel, for scsad to drive",
	.details =
	    "A controller whose disks are in use is refused, and nothing overrules that. Then\n"
	    "name it in the configuration of scsad: 'hbas: - pci: ADDRESS'.\n",
	.opts = bind_opts,
	.min = 1,
	.max = 1,
	.is_offline = true,
	.lister = "hba list --names",
	.run = bind_run,
};

const struct verb verb_hba_unbind = {
	.name = "hba unbind",
	.args = "ADDRESS",
	.summary = "give a PCI function back to the kernel, for good",
	.opts = unbind_opts,
	.min = 1,
	.max = 1,
	.is_offline = true,
	.lister = "hba list --names",
	.run = unbind_run,
};
