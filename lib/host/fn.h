/*
 * host/fn.h - a PCI function as this machine's kernel sees it
 *
 * What      Ids, the kernel driver that has it, its IOMMU group, from sysfs. Nothing is opened
 *           but files of facts; it works without rights.
 * Thread    Any; no state.
 * Source    Linux Documentation/ABI/testing/sysfs-bus-pci, sysfs-kernel-iommu_groups
 */
#ifndef HOST_FN_H
#define HOST_FN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "host/addr.h"

#define HOST_SYSFS	"/sys"
#define HOST_DRIVER_LEN	64

struct host_fn {
	char address[HOST_ADDR_LEN];
	uint16_t vendor, device, sub_vendor, sub_device;
	uint32_t class;			/* 0x010000: SCSI; 24 bits */
	uint8_t revision;
	char driver[HOST_DRIVER_LEN];	/* kernel driver that has it now; "": none */
	char override[HOST_DRIVER_LEN];	/* the only driver that may have it; "": any */
	int iommu_group;		/* -1: there is no IOMMU for it */
};

/**
 * host_fn_read() - the function at @address
 *
 * @sysfs    HOST_SYSFS, or the root of a test's tree
 *
 * Returns:  0
 *           -EINVAL   @address is none
 *           -ENODEV   there is no such function
 *           -errno    its ids cannot be read
 */
int host_fn_read(const char *sysfs, const char *address, struct host_fn *ret) MUST_CHECK;

/**
 * host_fn_each() - @fn for each PCI function, in the order of addresses
 *
 * @fn       negative: the walk ends. Functions that vanish meanwhile are skipped
 *
 * Returns:  0 (also when this machine has no PCI bus), what @fn answered, -errno, -ENOMEM
 */
int host_fn_each(const char *sysfs, int (*fn)(const struct host_fn *f, void *arg),
    void *arg) MUST_CHECK;

/* host_fn_is_storage() - does its class say that disks are behind it? host_fn_is_scsi() - and
 * that they are spoken to in SCSI? */
bool host_fn_is_storage(const struct host_fn *f);
bool host_fn_is_scsi(const struct host_fn *f);

/* host_fn_class_name() - "SCSI", "SAS", "RAID", "FC" ...; "storage" for others of that class;
 * "" */
const char *host_fn_class_name(const struct host_fn *f);

#endif /* HOST_FN_H */
