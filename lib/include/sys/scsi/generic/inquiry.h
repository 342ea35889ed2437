/*
 * sys/scsi/generic/inquiry.h - standard INQUIRY data
 *
 * What      The 48 bytes of it that target drivers read through sd_inq.
 * Limits    Text fields are blank padded and not NUL-ended. A device may have sent fewer
 *           bytes: the rest is zero.
 * Source    scsi_inquiry(9S); SPC-4 section 6.6.2
 */
#ifndef SYS_SCSI_GENERIC_INQUIRY_H
#define SYS_SCSI_GENERIC_INQUIRY_H

#include <sys/types.h>

struct scsi_inquiry {
	uchar_t inq_dtype;		/* device type in bits 4-0, qualifier in bits 7-5 */
	uchar_t inq_qual : 7, inq_rmb : 1;	/* removable medium */
	uchar_t inq_ansi : 3, inq_ecma : 3, inq_iso : 2;	/* version */
	uchar_t inq_rdf : 4, inq_hisup : 1, inq_normaca : 1, inq_trmiop : 1, inq_aenc : 1;
	uchar_t inq_len;		/* additional length: bytes after this one */
	uchar_t inq_protect : 1, inq_5_1 : 2, inq_3pc : 1, inq_tpgs : 2, inq_acc : 1,
	    inq_sccs : 1;
	uchar_t inq_addr16 : 1, inq_addr32 : 1, inq_ackqreqq : 1, inq_mchngr : 1, inq_dualp : 1,
	    inq_port : 1, inq_encserv : 1, inq_bque : 1;
	uchar_t inq_sftre : 1, inq_cmdque : 1, inq_trandis : 1, inq_linked : 1, inq_sync : 1,
	    inq_wbus16 : 1, inq_wbus32 : 1, inq_reladdr : 1;
	char inq_vid[8];
	char inq_pid[16];
	char inq_revision[4];
	char inq_serial[12];
};

/* peripheral qualifiers, in place */
#define DPQ_MASK	0xe0
#define DPQ_POSSIBLE	0x00	/* connected */
#define DPQ_SUPPORTED	0x20	/* could be connected, is not */
#define DPQ_NEVER	0x60	/* no device here, ever */
#define DPQ_VUNIQ	0x80	/* vendor unique, a bit */

/* peripheral device types */
#define DTYPE_MASK		0x1f
#define DTYPE_DIRECT		0x00
#define DTYPE_SEQUENTIAL	0x01
#define DTYPE_PRINTER		0x02
#define DTYPE_PROCESSOR		0x03
#define DTYPE_WORM		0x04
#define DTYPE_RODIRECT		0x05	/* CD and DVD */
#define DTYPE_SCANNER		0x06
#define DTYPE_OPTICAL		0x07
#define DTYPE_CHANGER		0x08
#define DTYPE_COMM		0x09
#define DTYPE_ARRAY_CTRL	0x0c
#define DTYPE_ESI		0x0d	/* enclosure services */
#define DTYPE_RBC		0x0e
#define DTYPE_OCRW		0x0f
#define DTYPE_BRIDGE		0x10
#define DTYPE_OSD		0x11
#define DTYPE_ADC		0x12
#define DTYPE_WELLKNOWN		0x1e
#define DTYPE_UNKNOWN		0x1f
#define DTYPE_NOTPRESENT	(DPQ_SUPPORTED | DTYPE_UNKNOWN)

/* inq_rdf */
#define RDF_LEVEL0	0x00
#define RDF_CCS		0x01
#define RDF_SCSI2	0x02
#define RDF_SCSI_SPC	0x03

/* inq_tpgs */
#define TPGS_FAILOVER_NONE	0x0
#define TPGS_FAILOVER_IMPLICIT	0x1
#define TPGS_FAILOVER_EXPLICIT	0x2
#define TPGS_FAILOVER_BOTH	0x3

_Static_assert(sizeof(struct scsi_inquiry) == 48, "SUN_INQSIZE is 48");

#endif /* SYS_SCSI_GENERIC_INQUIRY_H */
