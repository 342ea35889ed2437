/*
 * sys/scsi/impl/status.h - lengths of status blocks
 */
#ifndef SYS_SCSI_IMPL_STATUS_H
#define SYS_SCSI_IMPL_STATUS_H

#include <sys/scsi/generic/status.h>

/* the status byte of a packet */
#define SCBP(pkt)	((struct scsi_status *)(void *)(pkt)->pkt_scbp)
#define SCBP_C(pkt)	((*(pkt)->pkt_scbp) & STATUS_MASK)

/* STATUS_SIZE is historic: three bytes, as the first adapters had */
#define STATUS_SIZE	3
#define ARQ_STATUS_SIZE	(sizeof(struct scsi_arq_status))

#endif /* SYS_SCSI_IMPL_STATUS_H */
