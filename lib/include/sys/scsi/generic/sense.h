/*
 * sys/scsi/generic/sense.h - sense data as drivers lay it over bytes
 *
 * What      Fixed format as a structure, head of the descriptor format, sense keys.
 * Limits    Only byte 0 may be read before the format is known; scsi_validate_sense() tells.
 * Source    scsi_extended_sense(9S), scsi_validate_sense(9F); SPC-4 section 4.5
 */
#ifndef SYS_SCSI_GENERIC_SENSE_H
#define SYS_SCSI_GENERIC_SENSE_H

#include <sys/types.h>

/* fixed format, 20 bytes */
struct scsi_extended_sense {
	uchar_t es_code : 4, es_class : 3, es_valid : 1;	/* class 7; es_info valid */
	uchar_t es_segnum;
	uchar_t es_key : 4, es_sdat_ovfl : 1, es_ili : 1, es_eom : 1, es_filmk : 1;
	uchar_t es_info_1;		/* INFORMATION, most significant byte first */
	uchar_t es_info_2;
	uchar_t es_info_3;
	uchar_t es_info_4;
	uchar_t es_add_len;		/* bytes that follow this one */
	uchar_t es_cmd_info[4];
	uchar_t es_add_code;		/* ASC */
	uchar_t es_qual_code;		/* ASCQ */
	uchar_t es_fru_code;
	uchar_t es_skey_specific[3];
	uchar_t es_add_info[2];
};

/* head of the descriptor format; descriptors follow */
struct scsi_descr_sense_hdr {
	uchar_t ds_code : 4, ds_class : 3, ds_reserved : 1;
	uchar_t ds_key : 4, ds_reserved2 : 4;
	uchar_t ds_add_code;
	uchar_t ds_qual_code;
	uchar_t ds_reserved3[3];
	uchar_t ds_addl_sense_length;
};

/* head of each descriptor */
struct scsi_descr_template {
	uchar_t sdt_descr_type;
	uchar_t sdt_addl_length;
};

#define SENSE_LENGTH		(sizeof(struct scsi_extended_sense))	/* 20 */
#define MAX_SENSE_LENGTH	252	/* longest sense data */
#define CLASS_EXTENDED_SENSE	0x7

/* es_code */
#define CODE_FMT_FIXED_CURRENT		0x0
#define CODE_FMT_FIXED_DEFERRED		0x1
#define CODE_FMT_DESCR_CURRENT		0x2
#define CODE_FMT_DESCR_DEFERRED		0x3
#define CODE_FMT_VENDOR_SPECIFIC	0xf

/* descriptor types */
#define DESCR_INFORMATION		0x00
#define DESCR_COMMAND_SPECIFIC		0x01
#define DESCR_SENSE_KEY_SPECIFIC	0x02
#define DESCR_FRU			0x03
#define DESCR_STREAM_COMMANDS		0x04
#define DESCR_BLOCK_COMMANDS		0x05
#define DESCR_ATA_STATUS_RETURN		0x09

/* sense keys */
#define KEY_NO_SENSE		0x00
#define KEY_RECOVERABLE_ERROR	0x01
#define KEY_NOT_READY		0x02
#define KEY_MEDIUM_ERROR	0x03
#define KEY_HARDWARE_ERROR	0x04
#define KEY_ILLEGAL_REQUEST	0x05
#define KEY_UNIT_ATTENTION	0x06
#define KEY_WRITE_PROTECT	0x07
#define KEY_DATA_PROTECT	KEY_WRITE_PROTECT
#define KEY_BLANK_CHECK		0x08
#define KEY_VENDOR_UNIQUE	0x09
#define KEY_COPY_ABORTED	0x0a
#define KEY_ABORTED_COMMAND	0x0b
#define KEY_EQUAL		0x0c
#define KEY_VOLUME_OVERFLOW	0x0d
#define KEY_MISCOMPARE		0x0e
#define KEY_RESERVED		0x0f

_Static_assert(sizeof(struct scsi_extended_sense) == 20, "fixed sense is 20 bytes");

#endif /* SYS_SCSI_GENERIC_SENSE_H */
