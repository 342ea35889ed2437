/*
 * scsi/inquiry.h - standard INQUIRY data, written and read
 *
 * What      The 36 to 96 bytes every unit says about itself. VPD pages are in scsi/vpd.h.
 * Owner     Values; nothing is kept.
 * Thread    Any; no state.
 * Source    SPC-4 6.6.2
 */
#ifndef SCSI_INQUIRY_H
#define SCSI_INQUIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define INQ_STD_LEN		96	/* what inq_build_std() writes */
#define INQ_STD_MIN		36	/* what a probe asks for first */
#define INQ_VERSIONS_MAX	8

/* peripheral qualifier, as it stands in bits 7..5 */
enum inq_qualifier {
	INQ_QUAL_CONNECTED	= 0x00,	/* a unit is there */
	INQ_QUAL_ABSENT		= 0x20,	/* could be there, is not */
	INQ_QUAL_IMPOSSIBLE	= 0x60,	/* this LUN never answers (type 1Fh) */
};

enum inq_type {
	INQ_TYPE_DISK		= 0x00,
	INQ_TYPE_TAPE		= 0x01,
	INQ_TYPE_PRINTER	= 0x02,
	INQ_TYPE_PROCESSOR	= 0x03,
	INQ_TYPE_WORM		= 0x04,
	INQ_TYPE_CD		= 0x05,
	INQ_TYPE_SCANNER	= 0x06,
	INQ_TYPE_OPTICAL	= 0x07,
	INQ_TYPE_CHANGER	= 0x08,
	INQ_TYPE_ARRAY		= 0x0c,
	INQ_TYPE_ENCLOSURE	= 0x0d,
	INQ_TYPE_RBC		= 0x0e,
	INQ_TYPE_CARD_READER	= 0x0f,
	INQ_TYPE_BRIDGE		= 0x10,
	INQ_TYPE_OSD		= 0x11,
	INQ_TYPE_ADAPTER	= 0x12,
	INQ_TYPE_ZBC		= 0x14,
	INQ_TYPE_WLUN		= 0x1e,
	INQ_TYPE_UNKNOWN	= 0x1f,
};

/* version of SPC claimed (byte 2) */
#define INQ_VERSION_SPC3	0x05
#define INQ_VERSION_SPC4	0x06

/* version descriptors (SPC-4 6.6.2): the standard, no revision of it claimed */
#define INQ_STANDARD_SAM3	0x0060
#define INQ_STANDARD_SAM4	0x0080
#define INQ_STANDARD_SAM5	0x00a0
#define INQ_STANDARD_SPC3	0x0300
#define INQ_STANDARD_SBC2	0x0320
#define INQ_STANDARD_SPC4	0x0460
#define INQ_STANDARD_SBC3	0x04c0
#define INQ_STANDARD_ISCSI	0x0960

struct inq_std {
	uint8_t qualifier;		/* enum inq_qualifier */
	uint8_t type;			/* enum inq_type */
	uint8_t version;
	uint8_t format;			/* response data format; 2 */
	uint8_t tpgs;			/* 0 none, 1 implicit, 2 explicit, 3 both */
	bool is_removable;
	bool has_aca;			/* NORMACA */
	bool has_hisup;			/* hierarchical LUNs, and all LUN formats of SAM */
	bool has_3pc;			/* third-party copy */
	bool has_protect;		/* protection information */
	bool has_encserv;
	bool has_multip;		/* several ports */
	bool has_cmdque;		/* command queueing */
	bool has_sccs;
	uint8_t n_versions;
	uint16_t versions[INQ_VERSIONS_MAX];
	char vendor[8 + 1];		/* NUL-ended, trimmed, printable */
	char product[16 + 1];
	char revision[4 + 1];
};

/**
 * inq_build_std() - standard INQUIRY data
 *
 * @inq      strings longer than their fields are cut; shorter ones are padded by blanks
 * @buf      INQ_STD_LEN bytes; the caller cuts at the allocation length
 *
 * Returns:  INQ_STD_LEN
 */
size_t inq_build_std(const struct inq_std *inq, uint8_t buf[INQ_STD_LEN]);

/**
 * inq_parse_std() - read standard INQUIRY data
 *
 * @buf      @len bytes as returned; old and cheap units return less than 36. What is not there
 *           reads as zero and empty. ADDITIONAL LENGTH bounds what is believed.
 * @ret      strings trimmed, unprintable bytes as '.'
 *
 * Returns:  0
 *           -EBADMSG  below 5 bytes
 */
int inq_parse_std(const void *buf, size_t len, struct inq_std *ret) MUST_CHECK;

/* inq_type_name() - "disk", "tape", "cd", "changer", "enclosure" ...; "unknown" otherwise */
const char *inq_type_name(uint8_t type);

/* inq_node_name() - name of the device node: "disk", "tape", "cdrom", "medium-changer" ... */
const char *inq_node_name(uint8_t type);

/* inq_standard_name() - "SPC-4", "SBC-3" ... for a version descriptor; NULL if unknown */
const char *inq_standard_name(uint16_t version);

#endif /* SCSI_INQUIRY_H */
