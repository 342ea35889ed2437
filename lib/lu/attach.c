#include "lu/lu_impl.h"
#include "lu/pkts.h"

#include <assert.h>
#include <errno.h>
#include <sys/conf.h>
#include <sys/modctl.h>

#include "base/fault.h"
#include "base/text.h"
#include "ddi/driver.h"
#include "lu/alua.h"
#include "lu/recover.h"
#include "lu/reserve.h"

#define DRIVER_NAME	"lu"

struct lu_host *lu_host_now;

/* ------ who is inside ------ */

int
lu_enter(struct lu *lu)
{
	int r = -ENODEV;

	mutex_enter(&lu->lock);
	if (!lu->is_closed) {
		lu->users++;
		r = 0;
	}
	mutex_exit(&lu->lock);
	return r;
}

void
lu_exit(struct lu *lu)
{
	mutex_enter(&lu->lock);
	lu->users--;
	cv_broadcast(&lu->cv);
	mutex_exit(&lu->lock);
}

/* ------ capabilities, in the order in which target drivers ask for them (scsa, section 9)
 * ------ */

static void
cap_set(struct lu *lu, const char *name, int value)
{
	char cap[32];

	(void)text_copy(cap, sizeof(cap), name);
	(void)scsi_ifsetcap(&lu->sd->sd_address, cap, value, 1);
}

static void
caps_begin(struct lu *lu)
{
	cap_set(lu, "auto-rqsense", 1);
	cap_set(lu, "tagged-qing", 1);
	cap_set(lu, "wide-xfer", 1);
	cap_set(lu, "lun-reset", 1);
}

static void
caps_end(struct lu *lu)
{
	cap_set(lu, "lun-reset", 0);
	cap_set(lu, "wide-xfer", 0);
	cap_set(lu, "tagged-qing", 0);
	cap_set(lu, "auto-rqsense", 0);
}

/* ------ resets seen by the HBA ------ */

static void
reset_notice(struct lu_work *w)
{
	struct lu *lu = container_of(w, struct lu, reset_work);

	atomic_store(&lu->is_reset_due, false);
	/* those of our own tell what they are when they are over */
	if (lu->n_resets == 0 && lu_is_active(lu))
		lu_reset_happened(lu, ASC_POWER_ON_OR_RESET);
	lu->host->event(lu->host, LU_EVENT_RESET, lu);
	lu_unref(lu);
}

/* any context, must not sleep; several resets in a row may be told as one. An HBA calls whom it
 * has found in its list, and the unit may have cancelled and gone meanwhile: so it is a number */
static void
reset_seen(caddr_t arg)
{
	uint64_t id = (uintptr_t)arg;
	struct lu *lu = lu_next(id - 1);

	if (lu != NULL && lu->id == id && !atomic_exchange(&lu->is_reset_due, true))
		lu_exec_post(lu->home, &lu->reset_work, reset_notice);
	else
		lu_unref(lu);
}

static int
reset_listen(struct lu *lu, int flag)
{
	return scsi_reset_notify(&lu->sd->sd_address, flag, reset_seen,
	    (caddr_t)(uintptr_t)lu->id);
}

/* ------ attach(9E) ------ */

static struct lu *
unit_new(dev_info_t *dip, struct scsi_device *sd)
{
	struct lu *lu = fault_hit() ? NULL : calloc(1, sizeof(*lu));

	if (lu == NULL)
		return NULL;
	lu->host = lu_host_now;
	lu->dip = dip;
	lu->sd = sd;
	atomic_init(&lu->refs, 1);
	atomic_init(&lu->state, LU_ACTIVE);
	TAILQ_INIT(&lu->held_first);
	TAILQ_INIT(&lu->turns);
	TAILQ_INIT(&lu->issued);
	lu_set_init(&lu->set);
	lu->depth = lu->depth_max = LU_DEPTH_DEFAULT;
	lu_set_timeout(lu, 0);
	lu_recover_set(lu, NULL);
	lu_nexus_open_own(lu);
	LIST_INIT(&lu->nexuses);
	TAILQ_INIT(&lu->losses);
	STAILQ_INIT(&lu->barriers);
	STAILQ_INIT(&lu->refreshed);
	STAILQ_INIT(&lu->followers);
	mutex_init(&lu->lock, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&lu->ask_lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&lu->cv, NULL, CV_DRIVER, NULL);
	return lu;
}

/* undo what came before; answers DDI_FAILURE */
static int
attach_undo(struct lu *lu)
{
	struct scsi_device *sd = lu->sd;

	lu_reserve_fini(lu);
	caps_end(lu);
	scsi_unprobe(sd);
	sd->sd_private = NULL;
	lu_unref(lu);
	return DDI_FAILURE;
}

static int
lu_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	struct scsi_device *sd = ddi_get_driver_private(dip);
	struct lu *lu;

	if (cmd != DDI_ATTACH || lu_host_now == NULL)
		return DDI_FAILURE;
	if (scsi_probe(sd, SLEEP_FUNC) != SCSIPROBE_EXISTS)
		return DDI_FAILURE;
	lu = unit_new(dip, sd);
	if (lu == NULL) {
		scsi_unprobe(sd);
		return DDI_FAILURE;
	}
	caps_begin(lu);
	if (lu_identify(lu) < 0 || lu_reserve_init(lu) < 0 || lu_alua_init(lu) < 0)
		return attach_undo(lu);
	lu->home = lu->host->pick_home(lu->host, lu);
	sd->sd_private = (caddr_t)lu;
	if (lu_publish(lu) < 0)
		return attach_undo(lu);
	(void)reset_listen(lu, SCSI_RESET_NOTIFY);
	lu->host->event(lu->host, LU_EVENT_ADDED, lu);
	return DDI_SUCCESS;
}

/* ------ detach(9E) ------ */

/* run @fn at home and wait until it has */
static void
home_call(struct lu *lu, lu_work_fn fn)
{
	mutex_enter(&lu->lock);
	lu->is_home_done = false;
	lu_exec_post(lu->home, &lu->detach_work, fn);
	while (!lu->is_home_done)
		cv_wait(&lu->cv, &lu->lock);
	mutex_exit(&lu->lock);
}

static void
home_done(struct lu *lu)
{
	mutex_enter(&lu->lock);
	lu->is_home_done = true;
	cv_broadcast(&lu->cv);
	mutex_exit(&lu->lock);
}

void
lu_drain_check(struct lu *lu)
{
	if (LIKELY(lu_is_active(lu)) || lu->n_issued > 0 || lu->n_held > 0 ||
	    lu->n_local > 0)
		return;
	mutex_enter(&lu->lock);
	lu->is_drained = true;
	cv_broadcast(&lu->cv);
	mutex_exit(&lu->lock);
}

static void
drain_begin(struct lu_work *w)
{
	struct lu *lu = container_of(w, struct lu, detach_work);

	atomic_store(&lu->state, LU_DRAINING);
	lu_held_end_all(lu, CMD_DEV_GONE, 0);
	lu_drain_check(lu);
	home_done(lu);
}

static void
drain_cancel(struct lu_work *w)
{
	struct lu *lu = container_of(w, struct lu, detach_work);

	atomic_store(&lu->state, LU_ACTIVE);
	home_done(lu);
}

static void
drain_end(struct lu_work *w)
{
	struct lu *lu = container_of(w, struct lu, detach_work);

	atomic_store(&lu->state, LU_GONE);
	lu_pkts_fini(lu);
	/* nexuses may stay longer, and look at it here */
	lu_reserve_fini(lu);
	home_done(lu);
}

static bool
drain_wait(struct lu *lu, uint32_t ms)
{
	clock_t until = ddi_get_lbolt() + drv_usectohz((clock_t)ms * 1000);
	bool is_drained;

	mutex_enter(&lu->lock);
	while (!lu->is_drained && cv_timedwait(&lu->cv, &lu->lock, until) > 0)
		continue;
	is_drained = lu->is_drained;
	mutex_exit(&lu->lock);
	return is_drained;
}

/* tasks in flight end by themselves, or by abort, or by reset: each has its time */
static bool
unit_drain(struct lu *lu)
{
	struct scsi_address *ap = &lu->sd->sd_address;

	if (drain_wait(lu, lu->host->drain_ms))
		return true;
	(void)scsi_abort(ap, NULL);
	if (drain_wait(lu, LU_ABORT_WAIT_MS))
		return true;
	if (scsi_reset(ap, RESET_LUN) != 1)
		(void)scsi_reset(ap, RESET_TARGET);
	return drain_wait(lu, LU_ABORT_WAIT_MS);
}

/* no worker is inside, and none will be */
static void
unit_close(struct lu *lu)
{
	mutex_enter(&lu->lock);
	lu->is_closed = true;
	while (lu->users > 0)
		cv_wait(&lu->cv, &lu->lock);
	mutex_exit(&lu->lock);
}

static int
lu_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	struct scsi_device *sd = ddi_get_driver_private(dip);
	struct lu *lu = (void *)sd->sd_private;
	timeout_id_t timer;

	if (cmd != DDI_DETACH)
		return DDI_FAILURE;
	lu->is_drained = false;
	home_call(lu, drain_begin);
	if (!unit_drain(lu)) {
		home_call(lu, drain_cancel);
		return DDI_FAILURE;
	}
	(void)reset_listen(lu, SCSI_RESET_CANCEL);
	lu_unpublish(lu);
	unit_close(lu);
	/* the timer is not armed any more: nothing is held. What it had posted runs before
	 * drain_end */
	timer = lu->hold_timer;
	if (timer != NULL)
		(void)untimeout(timer);
	lu_recover_fini(lu);
	home_call(lu, drain_end);
	caps_end(lu);
	scsi_unprobe(sd);
	sd->sd_private = NULL;
	lu->host->event(lu->host, LU_EVENT_GONE, lu);
	lu_unref(lu);
	return DDI_SUCCESS;
}

/* ------ module ------ */

static struct dev_ops lu_dev_ops = {
	.devo_rev = DEVO_REV,
	.devo_getinfo = ddi_no_info,
	.devo_identify = nulldev,
	.devo_probe = nulldev,
	.devo_attach = lu_attach,
	.devo_detach = lu_detach,
	.devo_reset = nodev,
	.devo_quiesce = ddi_quiesce_not_needed,
};

static struct modldrv lu_modldrv = {
	.drv_modops = &mod_driverops,
	.drv_linkinfo = "logical units",
	.drv_dev_ops = &lu_dev_ops,
};

static struct modlinkage lu_modlinkage = {
	.ml_rev = MODREV_1,
	.ml_linkage = { &lu_modldrv, NULL },
};

int
lu_init(struct lu_host *host)
{
	int r;

	assert(lu_host_now == NULL);
	r = driver_alias_add(DRIVER_NAME, "scsiclass");
	if (r < 0)
		return r;
	lu_host_now = host;
	r = scsad_mod_install(&lu_modlinkage, DRIVER_NAME);
	if (r != 0) {
		lu_host_now = NULL;
		return -r;
	}
	return 0;
}

int
lu_fini(void)
{
	int r = mod_remove(&lu_modlinkage);

	if (r != 0)
		return -r;
	driver_alias_remove("scsiclass");
	lu_reserve_forget();
	lu_host_now = NULL;
	return 0;
}
