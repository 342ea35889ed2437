/*
 * scsi/vpd.h - vital product data pages, written and read
 *
 * What      Builders for the pages a disk is asked for (00 80 83 86 B0 B1 B2), readers for the
 *           same, and a bounded walk over the designators of page 83h.
 * Owner     Values; a designator read points into the page given.
 * Thread    Any; no state.
 * Limits    Builders write whole pages or nothing; VPD_PAGE_MAX bytes hold every page made
 *           here. The caller cuts at the allocation length.
 * Source    SPC-4 7.8; SBC-3 6.6
 */
#ifndef SCSI_VPD_H
#define SCSI_VPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/cursor.h"

enum vpd_code {
	VPD_SUPPORTED		= 0x00,
	VPD_SERIAL		= 0x80,
	VPD_IDENT		= 0x83,
	VPD_EXTENDED		= 0x86,
	VPD_MODE_POLICY		= 0x87,
	VPD_PORTS		= 0x88,
	VPD_THIRD_PARTY_COPY	= 0x8f,
	VPD_BLOCK_LIMITS	= 0xb0,
	VPD_BLOCK_CHARACTER	= 0xb1,
	VPD_THIN		= 0xb2,
};

#define VPD_PAGE_MAX		1024
#define VPD_SERIAL_MAX		252
#define VPD_NAME_MAX		256	/* SCSI name string, NUL and padding included */

/* vpd_page_name() - "Supported VPD pages" ...; NULL if unknown */
const char *vpd_page_name(uint8_t page);

/**
 * vpd_check() - the page header that every reader checks first
 *
 * @buf      @len bytes
 * @page     the page asked for
 * @ret_len  bytes of the page, header included, inside @len: what readers may believe
 *
 * Returns:  0
 *           -EBADMSG  below 4 bytes, or another page than asked for
 */
int vpd_check(const void *buf, size_t len, uint8_t page, size_t *ret_len) MUST_CHECK;

/* --- builders: bytes written, or 0 when @size is too small or a value cannot be said --- */

/* @type_qual is byte 0 of INQUIRY data: qualifier | type. Page 00 sorts @pages rising. */
size_t vpd_build_supported(uint8_t type_qual, const uint8_t *pages, size_t n, void *buf,
    size_t size);
size_t vpd_build_serial(uint8_t type_qual, const char *serial, void *buf, size_t size);

/* what page 83h of a unit says; a field that is empty or zero gives no designator */
struct vpd_ids {
	const char *t10_vendor;		/* T10 vendor identification, up to 8 characters */
	const char *t10_id;		/* vendor specific part behind it */
	const char *unit_name;		/* SCSI name string of the unit, UTF-8, no NUL inside */
	const char *port_name;		/* name string of the target port ("iqn...,t,0x0001") */
	const char *device_name;	/* SCSI name string of the target device ("iqn...") */
	uint8_t naa[16];		/* NAA of the unit, naa_len bytes */
	uint8_t naa_len;		/* 0, 8 (NAA 2, 3, 5) or 16 (NAA 6) */
	bool has_eui64;
	uint64_t eui64;			/* EUI-64 of the unit */
	uint16_t rel_port;		/* relative target port, 1.. */
	bool has_tpg;
	uint16_t tpg;			/* target port group */
	uint8_t port_protocol;		/* protocol identifier of ports; 5 is iSCSI */
	bool has_port_protocol;
};

size_t vpd_build_ident(uint8_t type_qual, const struct vpd_ids *ids, void *buf, size_t size);

/* vpd_naa3() - NAA 3h, locally assigned, of 60 bits of @seed (SPC-4 7.8.6.6.4) */
void vpd_naa3(uint8_t naa[8], uint64_t seed);

/* vpd_naa6() - NAA 6h of the 24-bit @oui, 36 bits of @vendor_id, and @extension */
void vpd_naa6(uint8_t naa[16], uint32_t oui, uint64_t vendor_id, uint64_t extension);

/* --- designators of page 83h --- */

enum vpd_desig_type {
	VPD_DESIG_VENDOR	= 0,
	VPD_DESIG_T10		= 1,
	VPD_DESIG_EUI64		= 2,
	VPD_DESIG_NAA		= 3,
	VPD_DESIG_REL_PORT	= 4,
	VPD_DESIG_TPG		= 5,
	VPD_DESIG_LU_GROUP	= 6,
	VPD_DESIG_MD5		= 7,
	VPD_DESIG_NAME		= 8,
	VPD_DESIG_PROTOCOL	= 9,
	VPD_DESIG_UUID		= 10,
};

enum vpd_assoc {
	VPD_ASSOC_UNIT		= 0,
	VPD_ASSOC_PORT		= 1,
	VPD_ASSOC_DEVICE	= 2,
};

enum vpd_code_set {
	VPD_CODE_BINARY		= 1,
	VPD_CODE_ASCII		= 2,
	VPD_CODE_UTF8		= 3,
};

struct vpd_desig {
	uint8_t protocol;	/* meaningful when has_protocol */
	bool has_protocol;	/* PIV */
	uint8_t code_set;	/* enum vpd_code_set */
	uint8_t assoc;		/* enum vpd_assoc */
	uint8_t type;		/* enum vpd_desig_type */
	size_t len;		/* bytes at data */
	const uint8_t *data;	/* inside the page */
};

struct vpd_desig_walk {
	const uint8_t *next;
	size_t left;
};

/* vpd_desig_begin() - 0, or -EBADMSG as vpd_check(); @page must outlive the walk */
int vpd_desig_begin(const void *page, size_t len, struct vpd_desig_walk *walk) MUST_CHECK;

/* vpd_desig_next() - 1 and *@ret; 0 at the end; -EBADMSG at one that runs past the page */
int vpd_desig_next(struct vpd_desig_walk *walk, struct vpd_desig *ret) MUST_CHECK;

/* vpd_desig_put() - the same written: header and at most 255 bytes behind it */
void vpd_desig_put(struct cursor *c, const struct vpd_desig *d);

/* vpd_desig_put_name() - a SCSI name string, NUL-ended and padded; type, length and bytes of
 * @like are not looked at. An empty name writes nothing; false when it is too long */
bool vpd_desig_put_name(struct cursor *c, const struct vpd_desig *like, const char *name)
    MUST_CHECK;

const char *vpd_desig_type_name(uint8_t type);
const char *vpd_assoc_name(uint8_t assoc);

/* vpd_desig_format() - "naa.6...", "eui.00...", "t10.VENDOR  ID", name strings as they are;
 * foreign bytes escaped; @buf, NUL-ended, cut at @size (at least 8) */
char *vpd_desig_format(const struct vpd_desig *d, char *buf, size_t size);

/* --- readers --- */

/* vpd_parse_serial() - page 80h: trimmed, printable, NUL-ended, cut at @size; 0 or -EBADMSG */
int vpd_parse_serial(const void *buf, size_t len, char *serial, size_t size) MUST_CHECK;

/* vpd_parse_supported() - page 00h: @ret_n codes into @pages (at most 256); 0 or -EBADMSG */
int vpd_parse_supported(const void *buf, size_t len, uint8_t pages[256],
    size_t *ret_n) MUST_CHECK;

/* page 86h; fields that this project never sets read only */
struct vpd_extended {
	uint8_t activate_microcode;
	uint8_t spt;			/* supported protection types */
	bool grd_chk, app_chk, ref_chk;
	bool uask_sup;			/* sense key specific data with unit attentions */
	bool group_sup;			/* GROUP NUMBER */
	bool prior_sup;
	bool headsup, ordsup, simpsup;	/* task attributes */
	bool wu_sup, crd_sup;
	bool nv_sup, v_sup;		/* caches: non-volatile, volatile */
	bool p_i_i_sup;
	bool luiclr;			/* I_T nexus loss clears as reset does */
	bool r_sup, cbcs;
	uint8_t multi_it_nexus;
	uint16_t self_test_minutes;	/* extended self-test */
	bool poa_sup, hra_sup, vsa_sup;
	uint8_t max_sense_len;		/* maximum supported sense data length, 0 not said */
};

size_t vpd_build_extended(uint8_t type_qual, const struct vpd_extended *e, void *buf,
    size_t size);
int vpd_parse_extended(const void *buf, size_t len, struct vpd_extended *ret) MUST_CHECK;

/* page B0h, block limits; in blocks; 0 says "no limit told" unless a comment says else */
struct vpd_limits {
	bool wsnz;			/* WRITE SAME with zero blocks is refused */
	uint8_t max_compare;		/* COMPARE AND WRITE; 0: not supported */
	uint16_t xfer_granularity;	/* optimal */
	uint32_t max_xfer;
	uint32_t opt_xfer;
	uint32_t max_prefetch;
	uint32_t max_unmap;		/* blocks an UNMAP; 0: not supported */
	uint32_t max_unmap_descr;	/* descriptors an UNMAP; 0: not supported */
	uint32_t unmap_granularity;
	uint32_t unmap_alignment;
	bool has_unmap_alignment;	/* UGAVALID */
	uint64_t max_write_same;
	uint32_t max_atomic;		/* WRITE ATOMIC; 0: not supported */
	uint32_t atomic_alignment;
	uint32_t atomic_granularity;
	uint32_t max_atomic_boundary;	/* with an atomic boundary */
	uint32_t max_atomic_boundary_size;
};

size_t vpd_build_limits(uint8_t type_qual, const struct vpd_limits *l, void *buf, size_t size);
/* short forms (SBC-2: 8 bytes) read as zeros behind their end */
int vpd_parse_limits(const void *buf, size_t len, struct vpd_limits *ret) MUST_CHECK;

/* page B1h, block device characteristics */
struct vpd_character {
	uint16_t rotation_rate;		/* 0 not said, 1 no rotation, else turns a minute */
	uint8_t product_type;
	uint8_t form_factor;		/* 0 not said, 1 5.25", 2 3.5", 3 2.5", 4 1.8" */
	uint8_t wabereq;		/* write after block erase required */
	uint8_t wacereq;		/* write after crypto erase required */
	bool fuab;
	bool vbuls;
};

size_t vpd_build_character(uint8_t type_qual, const struct vpd_character *c, void *buf,
    size_t size);
int vpd_parse_character(const void *buf, size_t len, struct vpd_character *ret) MUST_CHECK;

/* page B2h, logical block provisioning */
struct vpd_thin {
	uint8_t threshold_exponent;
	bool lbpu;			/* UNMAP */
	bool lbpws;			/* WRITE SAME(16) with UNMAP */
	bool lbpws10;			/* WRITE SAME(10) with UNMAP */
	uint8_t lbprz;			/* 1: unmapped blocks read as zeros */
	bool anc_sup;			/* anchored blocks */
	uint8_t provisioning;		/* 0 not said, 1 resource, 2 thin */
};

size_t vpd_build_thin(uint8_t type_qual, const struct vpd_thin *t, void *buf, size_t size);
int vpd_parse_thin(const void *buf, size_t len, struct vpd_thin *ret) MUST_CHECK;

#endif /* SCSI_VPD_H */
