/*
 * sys/scsi/scsi_params.h - numbers of a parallel bus and defaults of the framework
 *
 * What      How many targets, LUNs and tags a classic bus has; timing defaults.
 * Units     In the comment of each value.
 */
#ifndef SYS_SCSI_SCSI_PARAMS_H
#define SYS_SCSI_SCSI_PARAMS_H

#define NTARGETS		8	/* targets of a narrow bus */
#define NTARGETS_WIDE		16	/* targets of a wide bus */
#define NLUNS_PER_TARGET	8	/* LUNs of a SCSI-2 target */
#define NUM_SENSE_KEYS		16
#define NTAGS			256	/* tags of a parallel bus, each target */

#define SCSI_POLL_TIMEOUT	60	/* seconds; pkt_time of scsi_poll() when the caller gave 0 */

/* defaults of the port properties that scsi_hba_attach_setup() creates */
#define SCSI_DEFAULT_RESET_DELAY	3000	/* ms of rest after a reset */
#define SCSI_DEFAULT_SELECTION_TIMEOUT	250	/* ms */
#define SCSI_DEFAULT_TAG_AGE_LIMIT	2	/* ticks of the watchdog */
#define SCSI_DEFAULT_WATCHDOG_TICK	10	/* s */
#define SCSI_DEFAULT_INITIATOR_ID	7

#define SCSI_HBA_MAX_IPORTS	32	/* static iports an HBA may register */

#endif /* SYS_SCSI_SCSI_PARAMS_H */
