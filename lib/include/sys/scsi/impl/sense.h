/*
 * sys/scsi/impl/sense.h - reading sense data of either format
 *
 * What      Accessors that never read beyond the length they are given.
 * Thread    Any; no state.
 * Source    scsi_validate_sense(9F), scsi_sense_key(9F), scsi_find_sense_descr(9F)
 */
#ifndef SYS_SCSI_IMPL_SENSE_H
#define SYS_SCSI_IMPL_SENSE_H

#include <sys/types.h>
#include <sys/scsi/generic/sense.h>

/* what scsi_validate_sense() returns */
#define SENSE_UNUSABLE		0
#define SENSE_FIXED_FORMAT	1
#define SENSE_DESCR_FORMAT	2

/* its flags */
#define SNS_BUF_OVERFLOW	0x1	/* the device had more than the buffer holds */
#define SNS_BUF_DEFERRED	0x2	/* about an earlier command */

/**
 * scsi_validate_sense() - is this sense data, and of what format?
 *
 * @sense    @len bytes
 * @ret_flags  SNS_BUF_*; may be NULL
 *
 * Returns:  SENSE_UNUSABLE when too short for a sense key, of another class, or of a format
 *           that is not defined; else the format
 */
int scsi_validate_sense(uint8_t *sense, int len, int *ret_flags);

/* scsi_sense_key(), _asc(), _ascq() - @sense validated before; 8 bytes (descriptor format) or
 * 14 bytes (fixed) must be there for the latter two */
uint8_t scsi_sense_key(uint8_t *sense);
uint8_t scsi_sense_asc(uint8_t *sense);
uint8_t scsi_sense_ascq(uint8_t *sense);

/* scsi_sense_info_uint64(), scsi_sense_cmdspecific_uint64() - the INFORMATION and the
 * COMMAND-SPECIFIC INFORMATION field; B_FALSE, *@ret untouched, when not there or not valid */
boolean_t scsi_sense_info_uint64(uint8_t *sense, int len, uint64_t *ret);
boolean_t scsi_sense_cmdspecific_uint64(uint8_t *sense, int len, uint64_t *ret);

/* scsi_sense_progress_indication() - of 65536; B_FALSE when not there */
boolean_t scsi_sense_progress_indication(uint8_t *sense, int len, uint16_t *ret);

/* scsi_find_sense_descr() - the first descriptor of @type that is whole, or NULL */
uint8_t *scsi_find_sense_descr(uint8_t *sense, int len, int type);

#endif /* SYS_SCSI_IMPL_SENSE_H */
