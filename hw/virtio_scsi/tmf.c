/* task management, resets, quiesce: asking the device, and waiting until it has done it */
#include "hw/virtio_scsi/virtio_scsi.h"

#include <errno.h>
#include <string.h>
#include <sys/cpuvar.h>

#define STRIDE		2	/* descriptors of a function */
#define SLOT_BYTES	64	/* and its place in memory */
#define SLOT_RESPONSE	32
#define WAIT_MS		100	/* how late a waiter notices that the adapter has failed */

/*
 * The control queue.
 */

void
vs_control_clear(struct vs_hba *hba)
{
	struct vs_control *control = &hba->control;

	mutex_enter(&control->lock);
	control->is_live = false;
	vs_ring_init(&control->ring, control->ring_mem.va, control->ring.size,
	    control->ring.has_event_idx);
	for (unsigned int i = 0; i < VS_TMFS; i++) {
		struct vs_tmf *tmf = &control->tmfs[i];

		tmf->is_taken = tmf->has_waiter;
		tmf->is_sent = false;
		tmf->is_done = tmf->has_waiter;
		tmf->response = VS_RESPONSE_NONE;
	}
	cv_broadcast(&control->cv);
	mutex_exit(&control->lock);
}

/* control->lock is held: a place for one more function; NULL: all are taken */
static struct vs_tmf *
tmf_take(struct vs_control *control)
{
	for (unsigned int i = 0; i < VS_TMFS && STRIDE * (i + 1) <= control->ring.size; i++) {
		struct vs_tmf *tmf = &control->tmfs[i];

		if (!tmf->is_taken) {
			*tmf = (struct vs_tmf){ .is_taken = true };
			return tmf;
		}
	}
	return NULL;
}

/* control->lock is held, and left */
static void
tmf_send(struct vs_hba *hba, struct vs_tmf *tmf, const uint8_t lun[8],
    enum vs_tmf_subtype subtype, uint64_t tag)
{
	struct vs_control *control = &hba->control;
	unsigned int i = (unsigned int)(tmf - control->tmfs);
	uint64_t iova = control->slot_mem.iova + (uint64_t)i * SLOT_BYTES;
	uint8_t *mem = control->slot_mem.va + (size_t)i * SLOT_BYTES;
	const struct vs_chain chain = {
		.request_iova = iova, .request_bytes = VS_TMF_BYTES,
		.response_iova = iova + SLOT_RESPONSE, .response_bytes = 1,
	};
	bool want;

	vs_tmf_build(mem, lun, subtype, tag);
	mem[SLOT_RESPONSE] = VS_RESPONSE_NONE;
	(void)vs_chain_build(&control->ring.desc[STRIDE * i], (uint16_t)(STRIDE * i), &chain);
	tmf->is_sent = true;
	vs_ring_put(&control->ring, (uint16_t)(STRIDE * i));
	want = vs_ring_want_kick(&control->ring);
	mutex_exit(&control->lock);
	if (want)
		ddi_put16(hba->blocks[VS_BLOCK_NOTIFY].acc, control->doorbell,
		    VS_CONTROL_QUEUE);
}

/* one function that has come back: 1, 0 or -EPROTO */
static int
tmf_returned(struct vs_control *control)
{
	struct vs_tmf *tmf;
	uint16_t head;
	int r;

	r = vs_ring_get(&control->ring, &head);
	if (r <= 0)
		return r;
	if (head % STRIDE != 0 || head / STRIDE >= VS_TMFS ||
	    !control->tmfs[head / STRIDE].is_sent)
		return -EPROTO;
	tmf = &control->tmfs[head / STRIDE];
	tmf->is_sent = false;
	tmf->is_done = true;
	tmf->response = control->slot_mem.va[head / STRIDE * SLOT_BYTES + SLOT_RESPONSE];
	if (!tmf->has_waiter)
		tmf->is_taken = false;
	return 1;
}

unsigned int
vs_control_reap(struct vs_hba *hba)
{
	struct vs_control *control = &hba->control;
	unsigned int n = 0;
	int r = 0;

	mutex_enter(&control->lock);
	do {
		while (control->is_live && (r = tmf_returned(control)) > 0)
			n++;
	} while (control->is_live && r == 0 && vs_ring_arm(&control->ring));
	if (r < 0)
		control->is_live = false;
	if (n > 0)
		cv_broadcast(&control->cv);
	mutex_exit(&control->lock);
	if (r < 0)
		vs_fail(hba, VS_WHY_LIED);
	return n;
}

/* can the adapter still answer? */
static bool
is_up(struct vs_hba *hba)
{
	return vs_state(hba) == VS_READY || vs_state(hba) == VS_HELD;
}

/* control->lock is held: wait a little, but not beyond @end */
static bool
tmf_nap(struct vs_hba *hba, hrtime_t end)
{
	if (!is_up(hba) || gethrtime() >= end)
		return false;
	(void)cv_reltimedwait(&hba->control.cv, &hba->control.lock,
	    drv_usectohz(WAIT_MS * MILLISEC), TR_MILLISEC);
	return true;
}

static int
tmf_wait(struct vs_hba *hba, struct vs_tmf *tmf, hrtime_t end)
{
	struct vs_control *control = &hba->control;
	int r = -ETIMEDOUT;

	mutex_enter(&control->lock);
	while (!tmf->is_done && tmf_nap(hba, end))
		continue;
	if (tmf->is_done)
		r = tmf->response;
	else if (!is_up(hba))
		r = -EIO;
	/* without an answer its memory stays the device's, and its place is taken */
	tmf->has_waiter = false;
	if (tmf->is_done)
		tmf->is_taken = false;
	cv_broadcast(&control->cv);
	mutex_exit(&control->lock);
	return r;
}

int
vs_tmf(struct vs_hba *hba, const uint8_t lun[8], enum vs_tmf_subtype subtype, uint64_t tag)
{
	hrtime_t end = gethrtime() + MSEC2NSEC(VS_TMF_MS);
	struct vs_control *control = &hba->control;
	bool can_wait = servicing_interrupt() == 0;
	struct vs_tmf *tmf;

	mutex_enter(&control->lock);
	while ((tmf = tmf_take(control)) == NULL && can_wait && tmf_nap(hba, end))
		continue;
	if (tmf == NULL || !control->is_live) {
		if (tmf != NULL)
			tmf->is_taken = false;
		mutex_exit(&control->lock);
		return tmf == NULL ? -EBUSY : -EIO;
	}
	tmf->has_waiter = can_wait;
	tmf_send(hba, tmf, lun, subtype, tag);
	return can_wait ? tmf_wait(hba, tmf, end) : -EINPROGRESS;
}

bool
vs_tmf_is_good(int response)
{
	return response == VS_RESPONSE_OK || response == VS_RESPONSE_TMF_SUCCEEDED;
}

/*
 * Abort.
 */

int
vs_abort(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct vs_lu *lu = vs_lu_of(ap);
	struct vs_hba *hba = lu->hba;
	enum vs_tmf_subtype subtype = VS_TMF_ABORT_TASK_SET;
	uint64_t id = 0;
	int r;

	if (pkt != NULL) {
		subtype = VS_TMF_ABORT_TASK;
		id = vs_queue_find(hba, pkt->pkt_ha_private);
		if (id == 0)
			return 0;
	}
	(void)atomic_fetch_add(&hba->counts.aborts, 1);
	r = vs_tmf(hba, lu->wire, subtype, id);
	if (r == -EINPROGRESS)
		return 1;
	/* answers to commands come before the one to the function, but on other queues */
	vs_reap_all(hba);
	return vs_tmf_is_good(r);
}

int
vs_clear_task_set(struct scsi_address *ap)
{
	return vs_abort(ap, NULL);
}

/*
 * Resets.
 */

static bool
lun_reset(struct vs_hba *hba, uint8_t target, uint16_t lun)
{
	uint8_t wire[8];

	vs_lun_put(wire, target, lun);
	return vs_tmf_is_good(vs_tmf(hba, wire, VS_TMF_LOGICAL_UNIT_RESET, 0));
}

/* the lowest LUN from @from on of which somebody has a scsi_device; -1 none */
static int
lun_next(struct vs_hba *hba, uint8_t target, int from)
{
	struct vs_lu *lu;
	int next = -1;

	mutex_enter(&hba->lock);
	LIST_FOREACH(lu, &hba->lus, link) {
		if (lu->target == target && lu->lun >= from && (next < 0 || lu->lun < next))
			next = lu->lun;
	}
	mutex_exit(&hba->lock);
	return next;
}

/* a device that does not know how gets a reset for each of its units */
static bool
target_reset(struct vs_hba *hba, uint8_t target)
{
	uint8_t wire[8];
	int lun = -1, n = 0, r;

	vs_lun_put(wire, target, 0);
	r = vs_tmf(hba, wire, VS_TMF_I_T_NEXUS_RESET, 0);
	if (vs_tmf_is_good(r))
		return true;
	if (r < 0)
		return false;
	while ((lun = lun_next(hba, target, lun + 1)) >= 0) {
		if (!lun_reset(hba, target, (uint16_t)lun))
			return false;
		n++;
	}
	return n > 0;
}

/* what no function does, a reset of the device does */
static bool
device_reset(struct vs_hba *hba)
{
	hrtime_t end = gethrtime() + MSEC2NSEC(VS_RESET_MS);

	vs_fail(hba, VS_WHY_ASKED);
	mutex_enter(&hba->lock);
	while (!is_up(hba) && vs_state(hba) != VS_DEAD && gethrtime() < end)
		(void)cv_reltimedwait(&hba->cv, &hba->lock, drv_usectohz(WAIT_MS * MILLISEC),
		    TR_MILLISEC);
	mutex_exit(&hba->lock);
	return is_up(hba);
}

static bool
reset_all(struct vs_hba *hba)
{
	bool is_done = true;

	(void)atomic_fetch_add(&hba->bus_resets, 1);
	for (unsigned int t = 0; t < VS_TARGETS && is_done; t++) {
		if (atomic_load(&hba->targets[t].was_known))
			is_done = target_reset(hba, (uint8_t)t);
	}
	vs_reap_all(hba);
	(void)atomic_fetch_sub(&hba->bus_resets, 1);
	if (!is_done)
		return device_reset(hba);
	vs_tell_reset(hba, -1, -1);
	return true;
}

int
vs_reset(struct scsi_address *ap, int level)
{
	struct vs_lu *lu = vs_lu_of(ap);
	struct vs_hba *hba = lu->hba;
	bool is_done = false;

	/* nobody can wait here: it is begun, and nothing is promised */
	if (servicing_interrupt() != 0) {
		if (level == RESET_LUN)
			(void)vs_tmf(hba, lu->wire, VS_TMF_LOGICAL_UNIT_RESET, 0);
		else if (level == RESET_TARGET)
			(void)vs_tmf(hba, lu->wire, VS_TMF_I_T_NEXUS_RESET, 0);
		return 0;
	}
	(void)atomic_fetch_add(&hba->counts.resets, 1);
	if (level == RESET_ALL)
		return reset_all(hba);
	if (level == RESET_LUN)
		is_done = lun_reset(hba, lu->target, lu->lun);
	else if (level == RESET_TARGET)
		is_done = target_reset(hba, lu->target);
	vs_reap_all(hba);
	if (is_done)
		vs_tell_reset(hba, lu->target, level == RESET_LUN ? lu->lun : -1);
	return is_done;
}

int
vs_bus_reset(dev_info_t *dip, int level)
{
	struct vs_hba *hba = vs_hba_of(dip);

	if (hba == NULL || (level != RESET_BUS && level != RESET_ALL))
		return 0;
	return reset_all(hba);
}

int
vs_reset_notify(struct scsi_address *ap, int flag, void (*callback)(caddr_t), caddr_t arg)
{
	struct vs_lu *lu = vs_lu_of(ap);

	return scsi_hba_reset_notify_setup(ap, flag, callback, arg, &lu->hba->notify_lock,
	    &lu->notify);
}

/* the unit behind @prev that is meant, with a reference; gives back that of @prev */
static struct vs_lu *
lu_next(struct vs_hba *hba, struct vs_lu *prev, int target, int lun)
{
	struct vs_lu *lu;

	mutex_enter(&hba->lock);
	lu = prev == NULL ? LIST_FIRST(&hba->lus) : LIST_NEXT(prev, link);
	while (lu != NULL && ((target >= 0 && lu->target != target) ||
	    (lun >= 0 && lu->lun != lun)))
		lu = LIST_NEXT(lu, link);
	if (lu != NULL)
		lu->refs++;
	mutex_exit(&hba->lock);
	if (prev != NULL)
		vs_lu_unref(prev);
	return lu;
}

void
vs_tell_reset(struct vs_hba *hba, int target, int lun)
{
	struct vs_lu *lu;

	for (lu = lu_next(hba, NULL, target, lun); lu != NULL;
	    lu = lu_next(hba, lu, target, lun)) {
		mutex_enter(&hba->notify_lock);
		scsi_hba_reset_notify_callback(&hba->notify_lock, &lu->notify);
		mutex_exit(&hba->notify_lock);
	}
}

/*
 * Quiesce.
 */

int
vs_quiesce(dev_info_t *dip)
{
	struct vs_hba *hba = vs_hba_of(dip);

	if (hba == NULL)
		return -1;
	mutex_enter(&hba->lock);
	hba->is_quiesced = true;
	mutex_exit(&hba->lock);
	/* not so when it is being recovered: then it is held afterwards */
	(void)vs_move(hba, VS_HELD);
	for (unsigned int i = 0; i < hba->nqueues; i++) {
		struct vs_queue *queue = &hba->queues[i];

		mutex_enter(&queue->lock);
		while (queue->nfree < queue->depth)
			cv_wait(&queue->cv, &queue->lock);
		mutex_exit(&queue->lock);
	}
	vs_publish(hba);
	return 0;
}

int
vs_unquiesce(dev_info_t *dip)
{
	struct vs_hba *hba = vs_hba_of(dip);

	if (hba == NULL)
		return -1;
	mutex_enter(&hba->lock);
	hba->is_quiesced = false;
	mutex_exit(&hba->lock);
	(void)vs_move(hba, VS_READY);
	vs_publish(hba);
	/* nobody could look at what came and went meanwhile */
	vs_want(hba, VS_WORK_SCAN);
	return 0;
}
