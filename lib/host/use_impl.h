/*
 * host/use_impl.h - the parts of the search for users
 *
 * What      tables.c reads what the kernel tells about all devices at once: mounts, swaps, open
 *           files. use.c finds the disks of a function and asks the tables for each device that
 *           is theirs.
 */
#ifndef HOST_USE_IMPL_H
#define HOST_USE_IMPL_H

#include "host/use.h"

/* a device in use, out of a table of all of them */
struct host_row {
	enum host_use_kind kind;
	char dev[24];			/* "8:1"; "" when the table has no numbers */
	char device[HOST_NAME_LEN];	/* "sda1", "mapper/vg-root" below /dev; "" */
	char by[192];
};

struct host_tables {
	struct host_row *rows;
	size_t n;
};

/**
 * host_tables_read() - mounts, swaps, backing files of loop devices, devices of btrfs, open
 * files
 *
 * Returns:  0, -ENOMEM, -errno of /proc/self/mountinfo
 */
int host_tables_read(const struct host *h, struct host_tables *ret) MUST_CHECK;
void host_tables_fini(struct host_tables *tables);

#endif /* HOST_USE_IMPL_H */
