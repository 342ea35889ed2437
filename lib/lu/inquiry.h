/*
 * lu/inquiry.h - what a unit says of itself beyond what its device says
 *
 * What      INQUIRY data comes from the device, at each command: nothing is kept that could
 *           grow stale. Here it is corrected: what belongs to the I_T nexus (queueing, ports,
 *           asymmetric access, third-party copy) is this layer's, everything else stays as the
 *           device gave it. Pure functions; the handlers are in inquiry_unit.c.
 * Pages     00h gains the codes of the pages made here. 83h keeps the designators of the
 *           logical unit and gets those of the port the command came in on and of its target
 *           device. 86h gains the task attributes. B0h of a disk tells no transfer that its HBA
 *           cannot do, and is made when the device has none: an initiator that does not know
 *           the limit runs into it. 88h and 8Fh are made here alone.
 * Thread    Any; no state.
 * Limits    INQUIRY_MAX bytes of a device's page are looked at; longer ones are cut behind the
 *           last whole designator.
 * Source    SPC-4 6.6, 7.8; RFC 7143 4.2.7 (names)
 */
#ifndef LU_INQUIRY_H
#define LU_INQUIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "lu/alua.h"
#include "lu/port.h"

#define INQUIRY_MAX		4096	/* bytes of any page asked of a device */
#define INQUIRY_STD_MAX		260	/* standard data: ADDITIONAL LENGTH 255 */

/* who asks, and what this layer adds */
struct inquiry_extra {
	const struct lu_port *port;	/* the command came in here; never NULL */
	const struct alua *alua;	/* may be NULL */
	bool is_alua_passed;		/* TPGS is the device's, and no group is named */
	bool is_copy_passed;		/* 3PC is the device's, and so is page 8Fh */
	bool has_copy;			/* third-party copy commands are answered here */
	const char *vendor;		/* of the device, for a designator when it has none */
	const char *product;
	const char *serial;		/* may be empty */
	uint32_t xfer_max_blocks;	/* largest transfer; 0: this layer tells no limit */
};

/**
 * inquiry_standard() - correct standard INQUIRY data
 *
 * @buf      INQUIRY_STD_MAX bytes, of which the device gave @len
 *
 * CMDQUE, TPGS, 3PC and MULTIP are set or cleared; with an iSCSI port a version descriptor for
 * iSCSI is put into the first free place, for which the data grows if it must. VERSION, formats
 * and texts stay. The peripheral qualifier is the device's.
 *
 * Returns:  bytes of the corrected data; @len when it is too short to be corrected (below 8)
 */
size_t inquiry_standard(const struct inquiry_extra *extra, uint8_t buf[INQUIRY_STD_MAX],
    size_t len);

/**
 * inquiry_supported() - page 00h
 *
 * @device   @len bytes of the device's page; 0 when it has none
 * @buf      VPD_PAGE_MAX bytes
 *
 * Returns:  bytes of the page; codes rise, none is there twice
 */
size_t inquiry_supported(const struct inquiry_extra *extra, uint8_t type_qual,
    const void *device, size_t len, void *buf);

/**
 * inquiry_ident() - page 83h
 *
 * @device   @len bytes of the device's page; 0 when it has none: then a T10 designator is made
 *           of vendor, product and serial
 * @buf      @size bytes; INQUIRY_MAX + VPD_PAGE_MAX hold everything
 *
 * Returns:  bytes of the page
 */
size_t inquiry_ident(const struct inquiry_extra *extra, uint8_t type_qual, const void *device,
    size_t len, void *buf, size_t size);

/* inquiry_extended() - page 86h, as above; @buf has 64 bytes. SIMPSUP, ORDSUP and HEADSUP are
 * this layer's, and the size of its sense data */
size_t inquiry_extended(uint8_t type_qual, const void *device, size_t len, uint8_t buf[64]);

/* inquiry_limits() - page B0h, as above, when there are xfer_max_blocks; @buf has INQUIRY_MAX
 * bytes. The maximum and the optimal transfer length are that at most, the rest is the
 * device's */
size_t inquiry_limits(const struct inquiry_extra *extra, uint8_t type_qual, const void *device,
    size_t len, void *buf);

/**
 * inquiry_ports() - page 88h: the ports that the unit can be reached through
 *
 * @buf      @size bytes, written as far as they reach; the header counts the whole page
 *
 * Returns:  bytes of the whole page; at most 65,535
 */
size_t inquiry_ports(const struct inquiry_extra *extra, uint8_t type_qual, void *buf,
    size_t size);

/* lu_inquiry_do() - handler (lu_local_ops) of INQUIRY: asks the device, corrects, answers.
 * Pages that need no correction are passed on */
struct lu;
struct lu_task;
void lu_inquiry_do(struct lu *lu, struct lu_task *task);

#endif /* LU_INQUIRY_H */
