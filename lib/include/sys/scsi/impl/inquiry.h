/*
 * sys/scsi/impl/inquiry.h - how much INQUIRY data the framework asks for
 */
#ifndef SYS_SCSI_IMPL_INQUIRY_H
#define SYS_SCSI_IMPL_INQUIRY_H

#include <sys/scsi/generic/inquiry.h>

#define SUN_INQSIZE	(sizeof(struct scsi_inquiry))	/* allocation length of the probe */
#define SUN_MIN_INQLEN	4	/* fewer bytes than this are no INQUIRY data */

#endif /* SYS_SCSI_IMPL_INQUIRY_H */
