/*
 * sys/scsi/generic/mode.h - head of mode parameter lists
 *
 * What      The two headers and the block descriptor, and page codes that disks have.
 * Source    SPC-4 section 7.5
 */
#ifndef SYS_SCSI_GENERIC_MODE_H
#define SYS_SCSI_GENERIC_MODE_H

#include <sys/types.h>

/* of MODE SENSE(6) and MODE SELECT(6) */
struct mode_header {
	uchar_t length;			/* bytes that follow this one */
	uchar_t medium_type;
	uchar_t device_specific;
	uchar_t bdesc_length;
};

/* of MODE SENSE(10) and MODE SELECT(10); multi-byte fields in wire order */
struct mode_header_g1 {
	uchar_t length[2];
	uchar_t medium_type;
	uchar_t device_specific;
	uchar_t longlba : 1, reserved : 7;
	uchar_t reserved2;
	uchar_t bdesc_length[2];
};

struct block_descriptor {
	uchar_t density_code;
	uchar_t blks_hi;
	uchar_t blks_mid;
	uchar_t blks_lo;
	uchar_t reserved;
	uchar_t blksize_hi;
	uchar_t blksize_mid;
	uchar_t blksize_lo;
};

#define MODE_HEADER_LENGTH	(sizeof(struct mode_header))
#define MODE_HEADER_LENGTH_GRP1	(sizeof(struct mode_header_g1))
#define MODE_BLK_DESC_LENGTH	(sizeof(struct block_descriptor))

#define MODEPAGE_ERR_RECOV	0x01
#define MODEPAGE_DISCO_RECO	0x02
#define MODEPAGE_CACHING	0x08
#define MODEPAGE_CTRL_MODE	0x0a
#define MODEPAGE_POWER_COND	0x1a
#define MODEPAGE_INFO_EXCPT	0x1c
#define MODEPAGE_ALLPAGES	0x3f

#endif /* SYS_SCSI_GENERIC_MODE_H */
