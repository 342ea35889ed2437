/*
 * scsi/status.h - SCSI status, task attributes, task management: numbers and names
 *
 * What      The device's answer to a command is one of these bytes; it is never mixed with a
 *           transport result (pkt_reason) or with an errno.
 * Thread    Any; constant.
 * Source    SAM-5 5.3.1 (status), 8.9 (task attributes), 7 (task management)
 */
#ifndef SCSI_STATUS_H
#define SCSI_STATUS_H

#include <stdint.h>

enum sam_status {
	SAM_STAT_GOOD			= 0x00,
	SAM_STAT_CHECK_CONDITION	= 0x02,
	SAM_STAT_CONDITION_MET		= 0x04,
	SAM_STAT_BUSY			= 0x08,
	SAM_STAT_RESERVATION_CONFLICT	= 0x18,
	SAM_STAT_TASK_SET_FULL		= 0x28,
	SAM_STAT_ACA_ACTIVE		= 0x30,
	SAM_STAT_TASK_ABORTED		= 0x40,
};

enum sam_attr {
	SAM_ATTR_SIMPLE,
	SAM_ATTR_ORDERED,
	SAM_ATTR_HEAD_OF_QUEUE,
	SAM_ATTR_ACA,
	SAM_ATTR_N,
};

/* sstat_name() - "GOOD", "CHECK CONDITION" ...; NULL if unknown */
const char *sstat_name(uint8_t status);

/* sattr_name() - "SIMPLE", "ORDERED", "HEAD OF QUEUE", "ACA"; NULL if unknown */
const char *sattr_name(unsigned attr);

#endif /* SCSI_STATUS_H */
