/*
 * sys/scsi/generic/status.h - the status byte, and status with automatic sense
 *
 * What      STATUS_* values, the status byte as bits, and the layout of pkt_scbp when sense was
 *           fetched automatically (ARQ).
 * Source    scsi_status(9S), scsi_arq_status(9S); SAM-5 section 5.3
 */
#ifndef SYS_SCSI_GENERIC_STATUS_H
#define SYS_SCSI_GENERIC_STATUS_H

#include <sys/types.h>
#include <sys/scsi/generic/sense.h>

struct scsi_status {
	uchar_t sts_vu0 : 1,
	    sts_chk : 1,		/* CHECK CONDITION */
	    sts_cm : 1,			/* condition met */
	    sts_busy : 1,		/* busy or reserved */
	    sts_is : 1,			/* intermediate */
	    sts_vu6 : 1,		/* SCSI-2 modifier: QUEUE FULL and others */
	    sts_vu7 : 1,
	    sts_resvd : 1;
};
#define sts_scsi2	sts_vu6

#define STATUS_MASK			0x3e	/* loses STATUS_TASK_ABORT: compare that unmasked */
#define STATUS_GOOD			0x00
#define STATUS_CHECK			0x02
#define STATUS_MET			0x04
#define STATUS_BUSY			0x08
#define STATUS_INTERMEDIATE		0x10
#define STATUS_INTERMEDIATE_MET		0x14
#define STATUS_RESERVATION_CONFLICT	0x18
#define STATUS_SCSI2			0x20	/* the modifier bit alone */
#define STATUS_TERMINATED		0x22
#define STATUS_QFULL			0x28
#define STATUS_ACA_ACTIVE		0x30
#define STATUS_TASK_ABORT		0x40

/*
 * What pkt_scbp points to when statuslen was at least its size and pkt_state has
 * STATE_ARQ_DONE. The HBA driver fills every member.
 */
struct scsi_arq_status {
	struct scsi_status sts_status;		/* of the command */
	struct scsi_status sts_rqpkt_status;	/* of the implied REQUEST SENSE */
	uchar_t sts_rqpkt_reason;		/* its CMD_*; the sense is valid only with CMD_CMPLT */
	uchar_t sts_rqpkt_resid;		/* bytes of sense not filled, of 20 or of the larger
						 * area asked for with PKT_XARQ */
	uint_t sts_rqpkt_state;			/* its STATE_*; has STATE_XFERRED_DATA */
	uint_t sts_rqpkt_statistics;
	struct scsi_extended_sense sts_sensedata;	/* goes on behind with PKT_XARQ */
};

/* statuslen that leaves room for @len bytes of sense */
#define SCSI_ARQ_STATUS_LEN(len)                                               \
	(sizeof(struct scsi_arq_status) - sizeof(struct scsi_extended_sense) + (len))

_Static_assert(sizeof(struct scsi_status) == 1, "the status is one byte");
_Static_assert(sizeof(struct scsi_arq_status) == 32, "arq header of 12 bytes, then sense");

#endif /* SYS_SCSI_GENERIC_STATUS_H */
