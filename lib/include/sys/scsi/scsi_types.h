/*
 * sys/scsi/scsi_types.h - words that every part of SCSA uses
 *
 * What      Forward declarations, the two callback pseudo-functions, LUN number types.
 * Source    scsi_init_pkt(9F), scsi_probe(9F)
 */
#ifndef SYS_SCSI_SCSI_TYPES_H
#define SYS_SCSI_SCSI_TYPES_H

#include <sys/types.h>
#include <stdint.h>

struct buf;
struct scsi_address;
struct scsi_arq_status;
struct scsi_device;
struct scsi_extended_sense;
struct scsi_hba_tran;
struct scsi_inquiry;
struct scsi_pkt;
struct scsi_status;

typedef struct scsi_hba_tran scsi_hba_tran_t;

/*
 * What to do when a resource is short. Any other value is a function that the framework calls
 * later, when trying again may help; it returns 0 for "still not satisfied, call me again" and
 * 1 for "done". The type is void * because scsi_probe() takes functions without argument and
 * scsi_init_pkt() functions with one, and drivers pass these words to both. Numerically they
 * are DDI_DMA_DONTWAIT and DDI_DMA_SLEEP.
 */
#define NULL_FUNC	((void *)0)	/* never wait: answer NULL at once; any context */
#define SLEEP_FUNC	((void *)1)	/* wait as long as it takes; not in interrupt context */

/*
 * A LUN as a number. 0 .. 0x3fff is the single-level peripheral form; any other wire form is
 * its eight bytes read as one big-endian integer.
 */
typedef int64_t scsi_lun64_t;

#define SCSI_LUN64_ILLEGAL	((scsi_lun64_t)-1)

/* A LUN as on the wire: eight bytes, SAM-5 section 4.7 */
typedef struct scsi_lun {
	uint8_t sl_lun1_msb;		/* addressing method in the two upper bits */
	uint8_t sl_lun1_lsb;
	uint8_t sl_lun2_msb;
	uint8_t sl_lun2_lsb;
	uint8_t sl_lun3_msb;
	uint8_t sl_lun3_lsb;
	uint8_t sl_lun4_msb;
	uint8_t sl_lun4_lsb;
} scsi_lun_t;

#define SCSI_LUN_AM_MASK	0xc0	/* addressing method, in the first byte of a level */
#define SCSI_LUN_AM_PDEV	0x00
#define SCSI_LUN_AM_FLAT	0x40
#define SCSI_LUN_AM_LUN		0x80
#define SCSI_LUN_AM_EFLAT	0xc0

#endif /* SYS_SCSI_SCSI_TYPES_H */
