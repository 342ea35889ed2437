/*
 * sys/scsi/impl/usmp.h - limits of SMP requests that come from outside
 *
 * Units     bytes, a frame without its CRC; seconds
 */
#ifndef SYS_SCSI_IMPL_USMP_H
#define SYS_SCSI_IMPL_USMP_H

#define SMP_MIN_REQUEST_SIZE	8
#define SMP_MAX_REQUEST_SIZE	1032
#define SMP_MIN_RESPONSE_SIZE	8
#define SMP_MAX_RESPONSE_SIZE	1032
#define SMP_DEFAULT_TIMEOUT	60

#endif /* SYS_SCSI_IMPL_USMP_H */
