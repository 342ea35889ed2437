/*
 * scsi/sense.h - sense data, built and read, in both formats
 *
 * What      struct sense_data is what a sense buffer says, whatever its format. Makers give the
 *           usual ones; sense_build() writes fixed or descriptor format; sense_parse() reads
 *           any of 70h..73h, also when it was cut short anywhere.
 * Owner     Values; nothing is kept.
 * Thread    Any; no state.
 * Limits    Fixed format holds 32 bits of INFORMATION and COMMAND-SPECIFIC INFORMATION: a
 *           larger value is left out (VALID 0), never cut. Vendor bytes are not kept.
 * Source    SPC-4 4.5, 6.39 (REQUEST SENSE); SBC-3 4.18 for the block descriptor
 */
#ifndef SCSI_SENSE_H
#define SCSI_SENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "scsi/asc.h"

#define SENSE_LEN_MAX		252	/* largest sense data (SPC-4 4.5.1) */
#define SENSE_FIXED_LEN		18	/* what sense_build() writes in fixed format */
#define SENSE_TEXT_LEN		256	/* enough for every sense_format() */

enum sense_key {
	SENSE_NO_SENSE		= 0x0,
	SENSE_RECOVERED_ERROR	= 0x1,
	SENSE_NOT_READY		= 0x2,
	SENSE_MEDIUM_ERROR	= 0x3,
	SENSE_HARDWARE_ERROR	= 0x4,
	SENSE_ILLEGAL_REQUEST	= 0x5,
	SENSE_UNIT_ATTENTION	= 0x6,
	SENSE_DATA_PROTECT	= 0x7,
	SENSE_BLANK_CHECK	= 0x8,
	SENSE_VENDOR_SPECIFIC	= 0x9,
	SENSE_COPY_ABORTED	= 0xa,
	SENSE_ABORTED_COMMAND	= 0xb,
	SENSE_VOLUME_OVERFLOW	= 0xd,
	SENSE_MISCOMPARE	= 0xe,
	SENSE_COMPLETED		= 0xf,
};

enum sense_format {
	SENSE_FMT_NONE,		/* nothing there */
	SENSE_FMT_FIXED,	/* 70h, 71h */
	SENSE_FMT_DESCRIPTOR,	/* 72h, 73h */
	SENSE_FMT_VENDOR,	/* 7Fh: only that much is known */
};

/* what the sense key specific field holds */
enum sense_sks {
	SENSE_SKS_NONE,		/* SKSV 0 */
	SENSE_SKS_FIELD,	/* ILLEGAL REQUEST: field pointer */
	SENSE_SKS_PROGRESS,	/* NO SENSE, NOT READY: progress, 65536ths */
	SENSE_SKS_RETRIES,	/* RECOVERED, MEDIUM, HARDWARE ERROR: actual retry count */
	SENSE_SKS_SEGMENT,	/* COPY ABORTED: segment pointer */
	SENSE_SKS_OVERFLOW,	/* UNIT ATTENTION: sks_value 1 says that some were dropped */
};

struct sense_data {
	enum sense_format format;	/* set by sense_parse(); sense_build() is told */
	enum sense_sks sks;
	uint16_t asc;			/* ASC in the upper, ASCQ in the lower byte: ASC_* */
	uint8_t key;			/* enum sense_key */
	bool is_deferred;		/* 71h, 73h: about an earlier command */
	bool is_filemark;
	bool is_eom;
	bool is_ili;			/* incorrect length; also for block units */
	bool has_info;			/* info is valid */
	bool has_csi;			/* csi is valid */
	bool sks_in_cdb;		/* SENSE_SKS_FIELD: C/D, the byte is of the CDB */
	bool sks_in_segment;		/* SENSE_SKS_SEGMENT: SD, of the segment descriptor */
	bool sks_has_bit;		/* SENSE_SKS_FIELD, _SEGMENT: BPV, sks_bit is valid */
	uint8_t sks_bit;		/* 7..0 */
	uint8_t fru;			/* field replaceable unit code, 0 none */
	uint16_t sks_value;		/* byte of the field; progress; retries; overflow */
	uint64_t info;			/* INFORMATION: an LBA, a byte offset, a residue */
	uint64_t csi;			/* COMMAND-SPECIFIC INFORMATION */
};

/* sense_make() - @key and @asc (an ASC_*), nothing else */
struct sense_data sense_make(uint8_t key, uint16_t asc);

/* sense_make_info() - the same with INFORMATION */
struct sense_data sense_make_info(uint8_t key, uint16_t asc, uint64_t info);

/**
 * sense_invalid_field_cdb(), sense_invalid_field_list() - ILLEGAL REQUEST, INVALID FIELD IN CDB
 * or IN PARAMETER LIST, with a field pointer
 *
 * @byte     offset in the CDB or the parameter list
 * @bit      7..0, highest bit of the field; -1 when the whole byte, or more, is meant
 */
struct sense_data sense_invalid_field_cdb(uint16_t byte, int bit);
struct sense_data sense_invalid_field_list(uint16_t byte, int bit);

/* sense_progress() - @key and @asc with a progress indication of @part / 65536 */
struct sense_data sense_progress(uint8_t key, uint16_t asc, uint16_t part);

/**
 * sense_build() - sense bytes
 *
 * @s              what to say; its format is not looked at
 * @want_descriptor  D_SENSE of the Control page: descriptor format, else fixed
 * @buf            @size bytes; what does not fit is cut, as an allocation length cuts
 *
 * Shape:    fixed: always 18 bytes. Descriptor: 8 plus the descriptors that say something
 * Returns:  bytes written, at most @size
 */
size_t sense_build(const struct sense_data *s, bool want_descriptor, void *buf, size_t size);

/**
 * sense_parse() - what sense bytes say
 *
 * @buf      @len bytes; may be cut anywhere, and is: fields that are not there read as absent.
 *           ADDITIONAL SENSE LENGTH bounds what is believed.
 * @ret      filled in; a vendor format (7Fh) gives only ret->format
 *
 * Returns:  0
 *           -EINVAL   no bytes, or a response code that is none of 70h..73h, 7Fh
 */
int sense_parse(const void *buf, size_t len, struct sense_data *ret) MUST_CHECK;

/* sense_key_name() - "ILLEGAL REQUEST" ...; never NULL */
const char *sense_key_name(uint8_t key);

/**
 * sense_format() - one line for people
 *
 * "ILLEGAL REQUEST: INVALID FIELD IN CDB (24h/00h), CDB byte 4 bit 2"
 *
 * Returns:  @buf, NUL-ended, cut at @size
 */
char *sense_format(const struct sense_data *s, char *buf, size_t size);

#endif /* SCSI_SENSE_H */
