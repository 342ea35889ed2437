/*
 * sys/scsi/scsi_address.h - where a command goes
 *
 * What      Routing of one device: the transport vector to go through, and the device's
 *           address behind it, in one of two forms. Which form holds is decided by the flags
 *           the HBA driver gave to scsi_hba_attach_setup().
 * Owner     Embedded in a scsi_device; copied into every packet. Never allocated alone.
 * Limits    SPI form: target below 65535, LUN below 256. A driver with
 *           SCSI_HBA_ADDR_COMPLEX must not read a_target or a_lun: they are pointer bits.
 * Source    scsi_address(9S), scsi_address_device(9F)
 */
#ifndef SYS_SCSI_SCSI_ADDRESS_H
#define SYS_SCSI_SCSI_ADDRESS_H

#include <sys/scsi/scsi_types.h>

struct scsi_address {
	struct scsi_hba_tran *a_hba_tran;	/* base, iport or cloned vector; lib/scsa only */
	union {
		struct {			/* SPI form */
			ushort_t a_target;
			uchar_t a_lun;
			uchar_t a_sublun;	/* 0, or secondary function + 1; private */
		};
		union {
			struct {
				ushort_t a_target;
				uchar_t a_lun;
				uchar_t a_sublun;
			} spi;			/* the same, by its long name */
			struct scsi_device *a_sd;	/* complex form: the owning device */
		} a;
	};
};

#endif /* SYS_SCSI_SCSI_ADDRESS_H */
