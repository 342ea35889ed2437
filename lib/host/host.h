/*
 * host/host.h - the machine that HBAs are taken from, and given back to
 *
 * What      To drive an HBA from a process its function has to leave the kernel's driver for
 *           one that hands it out: vfio-pci, or uio_pci_generic. This room knows which
 *           functions there are (fn.h), what hangs on them and who uses it (use.h), and moves
 *           them (bind.h).
 * Rights    Facts are for everybody, except whose process has a device open; moving takes root.
 *           It is done by the administrator's command and never by the daemon, which has no
 *           rights to do it with.
 * Root      Where the kernel's files are is said by struct host, so that all of it can be tried
 *           in a folder.
 * Thread    Any; no state but the machine's.
 * Source    Linux Documentation/ABI/testing/sysfs-bus-pci (driver_override),
 *           driver-api/vfio.rst, driver-api/uio-howto.rst; driverctl(8)
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "base/compiler.h"

struct host {
	const char *sysfs;	/* "/sys" */
	const char *proc;	/* "/proc" */
	const char *dev;	/* "/dev" */
	const char *saved;	/* "/etc/driverctl.d": what comes back after a boot */
	const char *given;	/* "/run/scsad-hbas": what was given away since the boot */

	/* a value for a file of sysfs; NULL: sysfs_write() */
	int (*write)(const struct host *h, const char *path, const char *text);
	/* load a module of the kernel by name; NULL: it is not done. 0 or -errno */
	int (*module_load)(const struct host *h, const char *name);
	void *arg;		/* theirs */
};

/* host_here() - this machine; no hooks */
struct host host_here(void);

#endif /* HOST_HOST_H */
