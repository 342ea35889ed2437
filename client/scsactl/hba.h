/*
 * scsactl/hba.h - the machine's own HBAs, and who has them
 *
 * What      "hba list" looks, "hba bind" and "hba unbind" move a PCI function between the
 *           kernel's driver and scsad. They work on this machine, without the daemon: it has no
 *           right to move anything. Where a daemon runs, the list tells which functions it
 *           drives.
 */
#ifndef SCSACTL_HBA_H
#define SCSACTL_HBA_H

#include "client/scsactl/ctl.h"
#include "host/bind.h"

/* the machine: this one, or what looks like one below --root */
struct hba_machine {
	struct host host;
	char sysfs[512], proc[512], dev[512], saved[512], given[512];
};

/* hba_machine() - @root NULL: this machine, with modprobe(8) to load modules */
enum ctl_exit hba_machine(struct ctl *ctl, const char *root, struct hba_machine *ret);

/* hba_exit() - the status for an answer of host_bind() and the others */
enum ctl_exit hba_exit(int err);

#endif /* SCSACTL_HBA_H */
