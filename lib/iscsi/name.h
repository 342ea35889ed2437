/*
 * iscsi/name.h - names of nodes and ports, addresses of portals
 *
 * What      iSCSI names are compared byte by byte in their normal form: lower case. This file
 *           brings names into that form, and reads and writes the address texts of
 *           TargetAddress.
 * Thread    Any; no state.
 * Source    RFC 7143 section 4.2.7, RFC 3722; 13.8 for TargetAddress.
 */
#ifndef ISCSI_NAME_H
#define ISCSI_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define ISCSI_NAME_MAX		223	/* bytes */
#define ISCSI_NAME_LEN		(ISCSI_NAME_MAX + 1)
#define ISCSI_ISID_LEN		6
#define ISCSI_HOST_LEN		256	/* name or address of a portal, NUL included */
#define ISCSI_ADDRESS_LEN	(ISCSI_HOST_LEN + 16)
#define ISCSI_PORT_NAME_LEN	(ISCSI_NAME_LEN + 17)

/**
 * iscsi_name_fold() - a name from the wire in its normal form
 *
 * @src      @len bytes
 * @ret      lower case, NUL-ended
 *
 * Takes iqn., eui. and naa. names in any case. Behind "iqn." any printable ASCII and any
 * well-formed UTF-8 is let through (initiators in the field use '_', among others): such a name
 * is only ever compared and shown.
 *
 * Returns:  0
 *           -EINVAL   another type, nothing behind it, blanks, control characters, bad UTF-8,
 *                     eui./naa. without exactly 16 (naa.: or 32) hex digits
 *           -E2BIG    more than ISCSI_NAME_MAX bytes
 */
int iscsi_name_fold(const char *src, size_t len, char ret[ISCSI_NAME_LEN]) MUST_CHECK;

/**
 * iscsi_name_check() - is this a name we would give to a target?
 *
 * @name     NUL-ended, already in normal form; iqn.yyyy-mm.reversed.domain[:anything of a-z 0-9
 *           '.' '-' ':'], eui. or naa.
 *
 * Returns:  0
 *           -EINVAL   not of that form
 *           -E2BIG    more than ISCSI_NAME_MAX bytes
 */
int iscsi_name_check(const char *name) MUST_CHECK;

/* iscsi_port_name() - "iqn...,i,0x00023d000001": the SCSI name of an initiator port
 * (RFC 7143 section 4.4.2); @dst is returned */
char *iscsi_port_name(const char *initiator, const uint8_t isid[ISCSI_ISID_LEN],
	char dst[ISCSI_PORT_NAME_LEN]);

struct iscsi_address {
	char host[ISCSI_HOST_LEN];	/* IPv4, IPv6 (no brackets) or a domain name */
	uint16_t port;			/* 1 .. 65535 */
	uint16_t tag;			/* portal group; 0: none was said */
};

/**
 * iscsi_address_parse() - "host[:port][,tag]"
 *
 * @text     NUL-ended; an IPv6 address stands in brackets. Port 3260 is added when missing
 *
 * Returns:  0
 *           -EINVAL   no host, a bare IPv6 address, port or tag that is no number above 0
 */
int iscsi_address_parse(const char *text, struct iscsi_address *ret) MUST_CHECK;

/* iscsi_address_format() - the same text, port always, tag unless 0; @dst is returned */
char *iscsi_address_format(const struct iscsi_address *address, char dst[ISCSI_ADDRESS_LEN]);

#endif /* ISCSI_NAME_H */
