#include <sys/scsi/scsi.h>

#include "scsa/scsa_impl.h"

int
scsi_abort(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	return tran_call_abort(ap, pkt);
}

int
scsi_reset(struct scsi_address *ap, int level)
{
	if (level == RESET_LUN && tran_call_getcap(ap, "lun-reset", 1) != 1)
		return 0;
	return tran_call_reset(ap, level);
}

int
scsi_reset_notify(struct scsi_address *ap, int flag, void (*callback)(caddr_t), caddr_t arg)
{
	return tran_call_reset_notify(ap, flag, callback, arg);
}

int
scsi_clear_task_set(struct scsi_address *ap)
{
	return tran_call_clear_task_set(ap);
}

int
scsi_clear_aca(struct scsi_address *ap)
{
	return tran_call_clear_aca(ap);
}

int
scsi_terminate_task(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	return tran_call_terminate_task(ap, pkt);
}

/*
 * The list that HBA drivers keep for scsi_reset_notify().
 */

static struct scsi_reset_notify_entry **
notify_find(struct scsi_reset_notify_entry **listp, const struct scsi_address *ap)
{
	while (*listp != NULL && (*listp)->ap != ap)
		listp = &(*listp)->next;
	return listp;
}

int
scsi_hba_reset_notify_setup(struct scsi_address *ap, int flag, void (*callback)(caddr_t),
    caddr_t arg, kmutex_t *mutex, struct scsi_reset_notify_entry **listp)
{
	struct scsi_reset_notify_entry *fresh = NULL, *gone = NULL, **place;
	int r = DDI_FAILURE;

	if (flag & SCSI_RESET_NOTIFY) {
		if (callback == NULL)
			return DDI_FAILURE;
		fresh = kmem_zalloc(sizeof(*fresh), KM_NOSLEEP);
		if (fresh == NULL)
			return DDI_FAILURE;
		*fresh = (struct scsi_reset_notify_entry){ ap, callback, arg, NULL };
	}
	mutex_enter(mutex);
	place = notify_find(listp, ap);
	if (fresh != NULL && *place == NULL) {
		*place = STEAL(fresh);
		r = DDI_SUCCESS;
	} else if ((flag & SCSI_RESET_CANCEL) && *place != NULL) {
		gone = *place;
		*place = gone->next;
		r = DDI_SUCCESS;
	}
	mutex_exit(mutex);
	kmem_free(fresh, fresh != NULL ? sizeof(*fresh) : 0);
	kmem_free(gone, gone != NULL ? sizeof(*gone) : 0);
	return r;
}

void
scsi_hba_reset_notify_tear_down(struct scsi_reset_notify_entry *list)
{
	while (list != NULL) {
		struct scsi_reset_notify_entry *next = list->next;

		kmem_free(list, sizeof(*list));
		list = next;
	}
}

/* what is called without the mutex: the entry may go meanwhile, and its address with it */
struct notify_call {
	void (*callback)(caddr_t);
	caddr_t arg;
	const struct scsi_hba_tran *tran;
};

/* the list, with the mutex held; NULL without memory or entries */
static struct notify_call *
notify_snapshot(const struct scsi_reset_notify_entry *list, size_t n)
{
	struct notify_call *calls = kmem_alloc(n * sizeof(*calls), KM_NOSLEEP);

	for (size_t i = 0; calls != NULL && i < n; i++, list = list->next)
		calls[i] = (struct notify_call){ list->callback, list->arg,
			list->ap->a_hba_tran };
	return calls;
}

void
scsi_hba_reset_notify_callback(kmutex_t *mutex, struct scsi_reset_notify_entry **listp)
{
	struct notify_call *calls;
	size_t n = 0;

	for (const struct scsi_reset_notify_entry *e = *listp; e != NULL; e = e->next)
		n++;
	calls = notify_snapshot(*listp, n);
	if (calls == NULL)
		return;
	mutex_exit(mutex);
	for (size_t i = 0; i < n; i++) {
		TRACE(.kind = SCSA_EV_NOTIFY, .tran = calls[i].tran);
		calls[i].callback(calls[i].arg);
	}
	kmem_free(calls, n * sizeof(*calls));
	mutex_enter(mutex);
}
