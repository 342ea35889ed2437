/*
 * host/addr.h - where a PCI function is
 *
 * What      "0000:00:10.0": domain (4 to 8 hexadecimal digits), bus, device, function, as the
 *           kernel writes it and as its folders below /sys/bus/pci are called. A checked
 *           address can be part of a path.
 * Thread    Any; no state.
 */
#ifndef HOST_ADDR_H
#define HOST_ADDR_H

#include "base/compiler.h"

#define HOST_ADDR_LEN	20

/**
 * host_addr_parse() - check an address, and write it as the kernel does
 *
 * @text     "0000:00:10.0", or without the domain, "00:10.0", which is 0000 then; upper or
 *           lower case
 *
 * Returns:  0
 *           -EINVAL   not an address; @ret is untouched
 */
int host_addr_parse(const char *text, char ret[HOST_ADDR_LEN]) MUST_CHECK;

#endif /* HOST_ADDR_H */
