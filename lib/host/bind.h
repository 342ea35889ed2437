/*
 * host/bind.h - a PCI function from the kernel's driver to this program, and back
 *
 * What      Through driver_override, which other tools use as well: what was given away stays
 *           so when the bus is rescanned, and driverctl(8) shows it. To keep it over a boot the
 *           same is written where driverctl keeps it.
 * Refuses   what is no storage controller; one whose disks are in use, and says which and by
 *           whom; for vfio, one without an IOMMU, or whose IOMMU group has functions that the
 *           kernel keeps; for uio, one whose addresses an IOMMU translates. Nothing overrules
 *           that.
 * Fails     When the new driver does not take it, the old one gets it back.
 * Thread    Any, one at a time.
 */
#ifndef HOST_BIND_H
#define HOST_BIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "host/fn.h"
#include "host/host.h"

#define HOST_ERR_LEN	1024

enum host_bus { HOST_BUS_VFIO, HOST_BUS_UIO, HOST_BUS_N };

/* host_bus_driver() - "vfio-pci", "uio_pci_generic"; host_bus_name() - "vfio", "uio" */
const char *host_bus_driver(enum host_bus bus);
const char *host_bus_name(enum host_bus bus);

/* host_bus_parse(), host_bus_of_driver() - by either name; false: none of them */
bool host_bus_parse(const char *name, enum host_bus *ret);
bool host_bus_of_driver(const char *driver, enum host_bus *ret);

/**
 * host_bind() - give the function at @address to @bus
 *
 * @ret_was  HOST_DRIVER_LEN bytes: the driver that had it, "" for none
 * @reterr   HOST_ERR_LEN bytes, when the answer is negative: why, and what to do
 *
 * Returns:  0         it is there now, or was
 *           -EINVAL   @address is none
 *           -ENODEV   no such function
 *           -EMEDIUMTYPE  it is no SCSI controller
 *           -EBUSY    its disks are in use
 *           -EXDEV    the IOMMU does not allow this bus, or others are in its group
 *           -ENOSYS   the kernel has no such driver
 *           -EACCES, -EPERM ...   what the kernel said; everything is as it was
 */
int host_bind(const struct host *h, const char *address, enum host_bus bus, char *ret_was,
    char *reterr) MUST_CHECK;

/**
 * host_unbind() - give it back to whichever driver of the kernel wants it
 *
 * It is not done while a process has it open: the kernel would wait for that process.
 *
 * @ret_now  HOST_DRIVER_LEN bytes: the driver that has it now; "": none wanted it
 *
 * Returns:  0
 *           -EINVAL, -ENODEV   as host_bind()
 *           -EALREADY  the kernel has it, and would keep it
 *           -EBUSY     a process has it open
 *           -EACCES, -EPERM ...
 */
int host_unbind(const struct host *h, const char *address, char *ret_now,
    char *reterr) MUST_CHECK;

/* host_saved_read() - what the function is given to after a boot, HOST_DRIVER_LEN bytes; "" for
 * nothing; 0, or -errno */
int host_saved_read(const struct host *h, const char *address, char *ret) MUST_CHECK;

/* host_saved_write() - keep that it is given to @driver, NULL: no more; 0, or -errno. The file
 * is replaced as a whole, and on stable storage when this returns */
int host_saved_write(const struct host *h, const char *address, const char *driver) MUST_CHECK;

/**
 * host_group_each() - @fn for each other function of @f's IOMMU group
 *
 * Returns:  0, what @fn answered when negative, -errno, -ENOMEM
 */
int host_group_each(const struct host *h, const struct host_fn *f,
    int (*fn)(const struct host_fn *other, void *arg), void *arg) MUST_CHECK;

#endif /* HOST_BIND_H */
