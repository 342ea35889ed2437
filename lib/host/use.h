/*
 * host/use.h - the disks behind a PCI function, and who uses them
 *
 * What      A disk is in use when it, a part of it, or something that is made of it is mounted,
 *           is swap, belongs to a device of device-mapper (LVM, crypt, multipath) or md, is
 *           behind a loop device, is open in a process, or is claimed by anybody inside the
 *           kernel. One that is used must not lose its controller.
 * Limits    What a process has open is seen as far as the caller may look: root sees all.
 *           A claim inside the kernel of which no file tells (ZFS, a SCSI target) is found by
 *           opening the device exclusively, which only root may.
 * Thread    Any; no state.
 * Source    proc(5) mountinfo, swaps; open(2) O_EXCL; Linux
 *           Documentation/ABI/stable/sysfs-block
 */
#ifndef HOST_USE_H
#define HOST_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "host/host.h"

#define HOST_NAME_LEN	64
#define HOST_USES_MAX	4096	/* of all disks of a function; more are not told */

enum host_use_kind {
	HOST_MOUNTED,		/* by: the folder */
	HOST_SWAP,		/* by: the device that is swap */
	HOST_HELD,		/* by: the device that is made of it, "dm-0 (LVM vg-root)" */
	HOST_OPEN,		/* by: the process, "4711 (qemu)" */
	HOST_CLAIMED,		/* by: "" */
	HOST_USE_N
};

struct host_use {
	enum host_use_kind kind;
	char device[HOST_NAME_LEN];	/* "sda1", or what is made of it, "dm-0" */
	char by[192];			/* as the kernel has it: foreign text */
};

struct host_disk {
	char name[HOST_NAME_LEN];	/* "sda"; "st0", "sg3" for what is no disk */
	char model[HOST_NAME_LEN];	/* foreign text; "" */
	uint64_t bytes;
	bool is_block;
	struct host_use *uses;
	size_t n_uses;
};

struct host_disks {
	struct host_disk *disks;
	size_t n;
	size_t n_used;			/* how many of them are in use */
};

/**
 * host_disks_read() - what is behind the function at @address
 *
 * @ret      in the order of names; for host_disks_fini()
 *
 * Returns:  0
 *           -ENOMEM, -errno of reading what must be there (/sys/class/block, mountinfo)
 */
int
host_disks_read(const struct host *h, const char *address, struct host_disks *ret) MUST_CHECK;
void host_disks_fini(struct host_disks *disks);

/* host_use_kind_name() - "mounted", "swap", "held", "open", "claimed" */
const char *host_use_kind_name(enum host_use_kind kind);

/* host_use_format() - "sda1 is mounted at /srv" into @size bytes at @buf, which is returned;
 * printable */
char *host_use_format(const struct host_use *use, char *buf, size_t size);

/**
 * host_open_find() - a process that has the file @name of /dev open
 *
 * @by       HOST_NAME_LEN bytes: "4711 (qemu)", foreign text
 *
 * Returns:  true, and @by; false: none that can be seen
 */
bool host_open_find(const struct host *h, const char *name, char *by);

#endif /* HOST_USE_H */
