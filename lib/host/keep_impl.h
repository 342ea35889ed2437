/*
 * host/keep_impl.h - what was given away, until the next boot
 *
 * What      A file a function in a folder that a boot empties. The rule of udev looks there
 *           before it gives the device of an IOMMU group to the group of users that drives
 *           HBAs: what others gave to vfio-pci, for a virtual machine, is none of its business.
 */
#ifndef HOST_KEEP_IMPL_H
#define HOST_KEEP_IMPL_H

#include "host/host.h"

/* host_given_write() - @bus: it is given away; NULL: it is not. Where there is no such folder
 * there is no udev to read it: what fails is not told */
void host_given_write(const struct host *h, const char *address, const char *bus);

#endif /* HOST_KEEP_IMPL_H */
