/*
 * tests/host/mock_machine.h - a machine in a folder
 *
 * What      Builds what the kernel shows of PCI functions, disks, mounts and processes, and
 *           does what it does when a value is written: the function leaves its driver, and goes
 *           to the one that may have it.
 * Life      machine_new() at the start of a test, machine_free() at its end. The machine has no
 *           swap, no mounts but its root, a kernel driver "chipdrv" and both vfio-pci and
 *           uio_pci_generic.
 */
#ifndef TESTS_HOST_MOCK_MACHINE_H
#define TESTS_HOST_MOCK_MACHINE_H

#include <limits.h>

#include "host/bind.h"
#include "host/use.h"

struct machine {
	struct host host;
	char root[64];
	char sysfs[96], proc[96], dev[96], saved[96], given[96];
	const char *home;		/* driver that functions go to when any may have them */
	bool is_stubborn;		/* vfio-pci and uio_pci_generic take nothing */
	int write_error;		/* what writing a file whose path ends with write_to gives */
	const char *write_to;
	char loaded[32];		/* module that was asked for */
	int load_error;
	bool can_load;
};

void machine_new(struct machine *m);
void machine_free(struct machine *m);

/* machine_file(), machine_link() - @path below the root; folders are made */
void machine_file(struct machine *m, const char *path, const char *text);
void machine_link(struct machine *m, const char *path, const char *target);
void machine_remove(struct machine *m, const char *path);

/* machine_fn() - a function: "8086:1234", class 0x010700, with @driver ("": none), and IOMMU
 * group @group (-1: none) */
void machine_fn(struct machine *m, const char *address, const char *ids, unsigned int class,
    const char *driver, int group);

/* machine_disk() - a disk behind a function, "8:0"; machine_part() - a part of one, "8:1" */
void machine_disk(struct machine *m, const char *address, const char *name, const char *dev);
void machine_part(struct machine *m, const char *address, const char *disk, const char *name,
    const char *dev);

/* machine_dm() - a device made of others, not behind any function; machine_holder() */
void machine_dm(struct machine *m, const char *name, const char *dev, const char *dm_name,
    const char *uuid);
void machine_holder(struct machine *m, const char *device, const char *holder);

/* machine_mount() - one more line of mountinfo; machine_open() - process @pid has @file open */
void machine_mount(struct machine *m, const char *dev, const char *folder, const char *source);
void machine_open(struct machine *m, const char *pid, const char *comm, const char *file);

/* machine_read() - a file below the root, as text; "" when there is none */
const char *machine_read(struct machine *m, const char *path);

#endif /* TESTS_HOST_MOCK_MACHINE_H */
