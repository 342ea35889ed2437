/*
 * sys/scsi/conf/device.h - a logical unit, and how to find out what it is
 *
 * What      struct scsi_device: everything the framework keeps for one logical unit node,
 *           shared with the target driver and the HBA driver.
 * Life      Made when the node is initialised, before tran_tgt_init; freed when it is
 *           uninitialised, after tran_tgt_free. ddi_get_driver_private(target node) is it.
 * Source    scsi_device(9S), scsi_probe(9F), scsi_device_unit_address(9F),
 *           scsi_device_hba_private_get(9F), scsi_address_device(9F)
 */
#ifndef SYS_SCSI_CONF_DEVICE_H
#define SYS_SCSI_CONF_DEVICE_H

#include <sys/types.h>
#include <sys/ksynch.h>
#include <sys/dditypes.h>
#include <sys/scsi/scsi_types.h>
#include <sys/scsi/scsi_address.h>

struct scsi_device {
	struct scsi_address sd_address;	/* routing; valid before tran_tgt_init */
	dev_info_t *sd_dev;		/* the node; NULL in objects that HBA drivers fake */
	kmutex_t sd_mutex;		/* for the target driver; never held by its owner across
					 * scsi_transport() or scsi_poll() */
	void *sd_reserved;
	struct scsi_inquiry *sd_inq;	/* INQUIRY data after a successful scsi_probe(), until
					 * scsi_unprobe() */
	struct scsi_extended_sense *sd_sense;	/* target driver only */
	caddr_t sd_private;		/* target driver only */

	int sd_fm_capable;		/* carried, not used */
	void *sd_pathinfo;		/* multipath; NULL */
	int sd_uninit_prevent;		/* lib/scsa only: holds by enumeration */
	uint_t sd_tran_tgt_free_done : 1;	/* lib/scsa only: tran_tgt_free was called */
	struct scsi_hba_tran *sd_tran_safe;	/* lib/scsa only: spare copy of a_hba_tran */
	void *sd_hba_private;		/* HBA driver, through the accessors below; NULL at first */
};

/* what scsi_probe() and tran_tgt_probe return */
#define SCSIPROBE_EXISTS	0	/* sd_inq is valid */
#define SCSIPROBE_NONCCS	1	/* it answered, not with INQUIRY data */
#define SCSIPROBE_NORESP	2	/* nobody there */
#define SCSIPROBE_NOMEM		3
#define SCSIPROBE_FAILURE	4
#define SCSIPROBE_BUSY		5
#define SCSIPROBE_NOMEM_CB	6	/* no memory; the callback will be called */

/**
 * scsi_probe() - is there a device, and what does INQUIRY say of it?
 *
 * @sd        the device; sd_inq is allocated if NULL and kept across calls
 * @waitfunc  NULL_FUNC, SLEEP_FUNC, or a function called when memory may be had again
 *
 * Runs tran_tgt_probe, or scsi_hba_probe() when there is none. May be called again at will.
 *
 * Returns:  SCSIPROBE_*
 * Thread:   may block: it does I/O
 */
int scsi_probe(struct scsi_device *sd, int (*waitfunc)(void));

/* scsi_unprobe() - undo scsi_probe(): frees sd_inq, which is NULL afterwards */
void scsi_unprobe(struct scsi_device *sd);

/* scsi_slave(), scsi_unslave() - the same by older names */
int scsi_slave(struct scsi_device *sd, int (*waitfunc)(void));
void scsi_unslave(struct scsi_device *sd);

/**
 * scsi_device_unit_address() - "target,lun" text of a device, for instance "3,0"
 *
 * Returns:  the node's unit address; NULL for a device without node
 * Owner:    framework; valid from tran_tgt_init to tran_tgt_free inclusive
 */
char *scsi_device_unit_address(struct scsi_device *sd);

/* scsi_address_device() - the device of an address in complex form; also of a packet's copy */
struct scsi_device *scsi_address_device(struct scsi_address *ap);

/* scsi_device_hba_private_get/set() - the HBA driver's pointer of a device; complex addressing
 * only; any context; NULL until set */
void *scsi_device_hba_private_get(struct scsi_device *sd);
void scsi_device_hba_private_set(struct scsi_device *sd, void *data);

/**
 * scsi_device_prop_*() - properties of a device
 *
 * @flags    SCSI_DEVICE_PROP_PATH or SCSI_DEVICE_PROP_DEVICE; without multipath both are the
 *           device's node
 *
 * Returns:  DDI_PROP_SUCCESS and others as ddi_prop_lookup(9F); the int itself, or @def
 * Owner:    what a lookup gave is freed by scsi_device_prop_free()
 */
#define SCSI_DEVICE_PROP_PATH	0x1
#define SCSI_DEVICE_PROP_DEVICE	0x2

int scsi_device_prop_get_int(struct scsi_device *sd, uint_t flags, char *name, int def);
int64_t
scsi_device_prop_get_int64(struct scsi_device *sd, uint_t flags, char *name, int64_t def);
int
scsi_device_prop_lookup_string(struct scsi_device *sd, uint_t flags, char *name, char **data);
int scsi_device_prop_lookup_byte_array(struct scsi_device *sd, uint_t flags, char *name,
    uchar_t **data, uint_t *nelements);
int scsi_device_prop_update_int(struct scsi_device *sd, uint_t flags, char *name, int data);
int
scsi_device_prop_update_int64(struct scsi_device *sd, uint_t flags, char *name, int64_t data);
int
scsi_device_prop_update_string(struct scsi_device *sd, uint_t flags, char *name, char *data);
int scsi_device_prop_update_byte_array(struct scsi_device *sd, uint_t flags, char *name,
    uchar_t *data, uint_t nelements);
int scsi_device_prop_remove(struct scsi_device *sd, uint_t flags, char *name);
void scsi_device_prop_free(struct scsi_device *sd, uint_t flags, void *data);

#endif /* SYS_SCSI_CONF_DEVICE_H */
