/*
 * sys/scsi/impl/scsi_reset_notify.h - lists of clients that want to hear of resets
 *
 * What      Helpers for the tran_reset_notify entry of HBA drivers: a list of (address,
 *           callback) that the driver keeps, under a mutex of its own.
 * Owner     The HBA driver owns the list head, NULL at first, and the mutex. Entries are the
 *           helpers'.
 * Source    tran_reset_notify(9E)
 */
#ifndef SYS_SCSI_IMPL_SCSI_RESET_NOTIFY_H
#define SYS_SCSI_IMPL_SCSI_RESET_NOTIFY_H

#include <sys/types.h>
#include <sys/ksynch.h>
#include <sys/scsi/scsi_types.h>

struct scsi_reset_notify_entry {
	struct scsi_address *ap;	/* the key: one entry an address */
	void (*callback)(caddr_t);
	caddr_t arg;
	struct scsi_reset_notify_entry *next;
};

/**
 * scsi_hba_reset_notify_setup() - do what tran_reset_notify was asked for
 *
 * @flag     SCSI_RESET_NOTIFY or SCSI_RESET_CANCEL
 * @mutex    the driver's; not held by the caller
 * @listp    the list
 *
 * Returns:  DDI_SUCCESS; DDI_FAILURE for a second registration of @ap or an unknown one
 */
int scsi_hba_reset_notify_setup(struct scsi_address *ap, int flag, void (*callback)(caddr_t),
    caddr_t arg, kmutex_t *mutex, struct scsi_reset_notify_entry **listp);

/* scsi_hba_reset_notify_tear_down() - free all entries; at detach, nobody else is looking */
void scsi_hba_reset_notify_tear_down(struct scsi_reset_notify_entry *list);

/* scsi_hba_reset_notify_callback() - call every callback once. @mutex is held on entry and on
 * return, and not while a callback runs */
void scsi_hba_reset_notify_callback(kmutex_t *mutex, struct scsi_reset_notify_entry **listp);

#endif /* SYS_SCSI_IMPL_SCSI_RESET_NOTIFY_H */
