/*
 * lu/port.h - who speaks and where it came in: initiator identities, target ports
 *
 * What      An initiator is what SPC calls a TransportID: the bytes that name an initiator port
 *           whatever carries it. A port is a target port of ours: the local socket, or an iSCSI
 *           target portal group. Both together are an I_T nexus: reservations compare (bytes of
 *           the initiator, relative identifier of the port) and nothing else.
 * Life      initiators are values. Ports: lu_port_add() -> lu_port_remove(); freed with the
 *           last reference, so that a nexus may keep looking at its port.
 * Shape     Initiators made here are canonical: iSCSI names in lower case, NUL-ended, padded
 *           with zeros to the shortest length allowed. Two names of one port are equal bytes.
 * Thread    Initiators: any, no state. Ports: any; the registry has a short lock and is for the
 *           control path; a port never changes after lu_port_add().
 * Limits    LU_TRANSPORT_ID_MAX bytes hold every TransportID accepted or made; LU_PORTS_MAX
 *           ports.
 * Source    SPC-4 7.6.4 (TransportID), 7.8.6 (designators); RFC 7143 4.2.7 (iSCSI names)
 */
#ifndef LU_PORT_H
#define LU_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define LU_ISCSI_NAME_MAX	223	/* bytes of an iSCSI name, without NUL (RFC 7143 4.2.7.1) */
#define LU_TRANSPORT_ID_MIN	24	/* shortest TransportID of any protocol */
#define LU_TRANSPORT_ID_MAX	248	/* 4 + name + ",i,0x" + 12 digits + NUL, padded */
#define LU_ISID_LEN		6
#define LU_PORT_NAME_MAX	232	/* iSCSI name and ",t,0x" and 4 digits */
#define LU_PORTS_MAX		256	/* in the registry, the local one not counted */

/* protocol identifiers (SPC-4 7.6.1) */
enum lu_protocol {
	LU_PROTOCOL_FCP		= 0x0,
	LU_PROTOCOL_SPI		= 0x1,
	LU_PROTOCOL_SBP		= 0x3,
	LU_PROTOCOL_SRP		= 0x4,
	LU_PROTOCOL_ISCSI	= 0x5,
	LU_PROTOCOL_SAS		= 0x6,
	LU_PROTOCOL_SOP		= 0xa,
	LU_PROTOCOL_NONE	= 0xf,
};

/* ------ initiators ------ */

struct lu_initiator {
	uint16_t id_len;			/* bytes of id[]; a multiple of four */
	uint8_t id[LU_TRANSPORT_ID_MAX];	/* TransportID, header included */
	char name[LU_ISCSI_NAME_MAX + 1];	/* for people: "iqn...", "naa.5..."; printable */
};

/**
 * lu_initiator_iscsi() - an iSCSI initiator device: its name alone (format 00b)
 * lu_initiator_isid() - an iSCSI initiator port: name and ISID (format 01b)
 *
 * @name     1..LU_ISCSI_NAME_MAX bytes; "iqn.", "eui." or "naa." in front is not insisted on;
 *           bytes that iSCSI names cannot hold (blanks, controls, ',') are refused; letters
 *           become lower case
 *
 * Returns:  0
 *           -EINVAL   no name, a name too long, or a byte that cannot be
 * Source:   SPC-4 7.6.4.6; RFC 3722
 */
int lu_initiator_iscsi(struct lu_initiator *ret, const char *name) MUST_CHECK;
int lu_initiator_isid(struct lu_initiator *ret, const char *name,
    const uint8_t isid[LU_ISID_LEN]) MUST_CHECK;

/* lu_initiator_sas() - a SAS initiator port by its address (SPC-4 7.6.4.7) */
void lu_initiator_sas(struct lu_initiator *ret, uint64_t address);

/* lu_initiator_uid() - a local client: "iqn.2026-11.internal.scsad:uid.<uid>", format 00b */
void lu_initiator_uid(struct lu_initiator *ret, uint32_t uid);

/* lu_initiator_anonymous() - what a nexus without an initiator is: one for all of them */
const struct lu_initiator *lu_initiator_anonymous(void);

/**
 * lu_initiator_parse() - one TransportID out of foreign bytes
 *
 * @buf      @len bytes; more may follow the TransportID
 * @ret      canonical; so its length may differ from what was read
 *
 * Accepts every protocol of enum lu_protocol in its only format, and iSCSI in both. The iSCSI
 * name must be NUL-ended inside the length told, which must be a multiple of four and at least
 * 20; of other protocols 24 bytes are read.
 *
 * Returns:  bytes read, LU_TRANSPORT_ID_MIN..; @ret is set
 *           -EBADMSG   cut short, a length out of range, a name that cannot be
 *           -ENOTSUP   format or protocol not known
 * Source:   SPC-4 7.6.4
 */
int lu_initiator_parse(const void *buf, size_t len, struct lu_initiator *ret) MUST_CHECK;

/* lu_initiator_equal() - the same initiator port? NULL stands for the anonymous one */
bool lu_initiator_equal(const struct lu_initiator *a, const struct lu_initiator *b);

/* lu_initiator_covers() - is @port the initiator port that @pattern names, or, when @pattern is
 * an iSCSI name alone, one of that device's? */
bool lu_initiator_covers(const struct lu_initiator *pattern, const struct lu_initiator *port);

/* lu_initiator_protocol() - enum lu_protocol of it */
uint8_t lu_initiator_protocol(const struct lu_initiator *initiator);

/* lu_initiator_format() - one line for people: the name, and ",i,0x..." behind it if the
 * TransportID has an ISID; @buf, NUL-ended, cut at @size */
char *lu_initiator_format(const struct lu_initiator *initiator, char *buf, size_t size);

/* ------ target ports ------ */

struct lu_port {
	uint16_t rtpi;				/* relative target port identifier, 1..65535 */
	uint16_t group;				/* target port group it belongs to */
	uint8_t protocol;			/* enum lu_protocol */
	char name[LU_PORT_NAME_MAX + 1];	/* SCSI name string: "iqn...,t,0x0001"; may
						 * be empty */
	char device_name[LU_ISCSI_NAME_MAX + 1];	/* of the target device: "iqn..." */
};

#define LU_PORT_LOCAL_RTPI	0xffff
#define LU_PORT_LOCAL_GROUP	0

/* lu_port_local() - the port of the local socket: relative identifier LU_PORT_LOCAL_RTPI, group
 * LU_PORT_LOCAL_GROUP. It is always there, lu_port_find() finds it, and it lives for ever. It
 * stands for a nexus's port that is NULL */
const struct lu_port *lu_port_local(void);

/* lu_port_or_local() - @port, or for NULL the local one */
static inline const struct lu_port *
lu_port_or_local(const struct lu_port *port)
{
	return port != NULL ? port : lu_port_local();
}

/**
 * lu_port_add() - a new target port
 *
 * @port     copied; rtpi 0 asks for the lowest that is free
 * @ret      a reference to the port
 *
 * Returns:  0
 *           -EEXIST   the relative identifier is taken
 *           -EINVAL   rtpi is LU_PORT_LOCAL_RTPI, a text is not NUL-ended, or the protocol is
 *                     above 15
 *           -ENOSPC   LU_PORTS_MAX ports are there
 *           -ENOMEM
 * Owner:    lu_port_unref() the reference; lu_port_remove() takes it off the registry
 * Thread:   any; takes a short lock
 */
int lu_port_add(const struct lu_port *port, const struct lu_port **ret) MUST_CHECK;

/* lu_port_remove() - no longer found; its relative identifier is free again. References stay
 * good. Nothing happens for one that was removed before */
void lu_port_remove(const struct lu_port *port);

const struct lu_port *lu_port_ref(const struct lu_port *port);
void lu_port_unref(const struct lu_port *port);	/* NULL is fine */

/* lu_port_find() - a reference to the port, or NULL */
const struct lu_port *lu_port_find(uint16_t rtpi);

/* lu_port_next() - walk: a reference to the port with the smallest rtpi above @rtpi, the local
 * one last, or NULL */
const struct lu_port *lu_port_next(uint16_t rtpi);

#endif /* LU_PORT_H */
