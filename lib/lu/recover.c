#include "lu/recover.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "lu/lu_impl.h"
#include "scsa/config.h"

#define TICK_MS		1000

static const char *const step_names[LU_RECOVER_N] = {
	[LU_RECOVER_NONE]    = "none",
	[LU_RECOVER_ABORT]   = "abort",
	[LU_RECOVER_LUN]     = "lun",
	[LU_RECOVER_TARGET]  = "target",
	[LU_RECOVER_BUS]     = "bus",
	[LU_RECOVER_HBA]     = "hba",
	[LU_RECOVER_OFFLINE] = "offline",
};

static const struct lu_recover_times default_times = {
	.grace_s = LU_EXPIRE_GRACE_S,
	.step_s = {
		[LU_RECOVER_ABORT]   = LU_RECOVER_ABORT_S,
		[LU_RECOVER_LUN]     = LU_RECOVER_LUN_S,
		[LU_RECOVER_TARGET]  = LU_RECOVER_TARGET_S,
		[LU_RECOVER_BUS]     = LU_RECOVER_BUS_S,
		[LU_RECOVER_HBA]     = LU_RECOVER_HBA_S,
	},
};

/* one climb; lives until the last thing that it asked for has answered */
struct lu_recovery {
	struct lu *unit;		/* a reference */
	enum lu_recover_step step;
	uint64_t step_ns;		/* when it began */
	bool is_over;			/* everything came back */
	bool is_silence_asked;		/* offline_work is on its way */
	bool is_shared;			/* others know of this step: it is on the list */
	unsigned int n_asked;		/* tmfs and works that have not answered */
	struct lu_tmf tmfs[LU_RECOVER_HBA];	/* by step */
	struct lu_work hba_work, offline_work;
	int hba_result, offline_result;	/* of the host */
	LIST_ENTRY(lu_recovery) entry;
};

/* climbs at work on more than their unit. A plain mutex: nothing is called while it is held */
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, lu_recovery) shared = LIST_HEAD_INITIALIZER(shared);

static void step_begin(struct lu_recovery *rec, enum lu_recover_step step);

enum lu_recover_step
lu_recover_step(const struct lu *unit)
{
	if (unit->is_offline)
		return LU_RECOVER_OFFLINE;
	return unit->recovery == NULL || unit->recovery->is_over ? LU_RECOVER_NONE :
	    unit->recovery->step;
}

const char *
lu_recover_step_name(enum lu_recover_step step)
{
	return step_names[step];
}

void
lu_recover_set(struct lu *unit, const struct lu_recover_times *times)
{
	unit->recover_times = times == NULL ? default_times : *times;
}

const struct lu_recover_times *
lu_recover_times(const struct lu *unit)
{
	return &unit->recover_times;
}

bool
lu_is_offline(const struct lu *unit)
{
	return unit->is_offline;
}

uint32_t
lu_recover_expired(const struct lu *unit)
{
	return unit->n_expired;
}

/* ------ steps that reach other units ------ */

/* does what @other is doing reach the unit of @rec? */
static bool
is_covered_by(const struct lu_recovery *rec, const struct lu_recovery *other,
    enum lu_recover_step step)
{
	const struct lu_info *a = &rec->unit->info, *b = &other->unit->info;

	if (other == rec || other->step < step || strcmp(a->hba, b->hba) != 0)
		return false;
	if (other->step == LU_RECOVER_HBA)
		return true;
	if (strcmp(a->iport, b->iport) != 0)
		return false;
	return other->step == LU_RECOVER_BUS || lu_is_same_target(a, b);
}

/* false: somebody else is at it, his step will do for us */
static bool
shared_enter(struct lu_recovery *rec, enum lu_recover_step step)
{
	const struct lu_recovery *other;
	bool is_done = false;

	(void)pthread_mutex_lock(&shared_lock);
	LIST_FOREACH(other, &shared, entry)
		is_done |= is_covered_by(rec, other, step);
	if (!is_done && !rec->is_shared)
		LIST_INSERT_HEAD(&shared, rec, entry);
	if (!is_done)
		rec->is_shared = true;
	rec->step = step;
	(void)pthread_mutex_unlock(&shared_lock);
	return !is_done;
}

static void
shared_leave(struct lu_recovery *rec)
{
	(void)pthread_mutex_lock(&shared_lock);
	if (rec->is_shared)
		LIST_REMOVE(rec, entry);
	rec->is_shared = false;
	(void)pthread_mutex_unlock(&shared_lock);
}

/* ------ the end of a climb ------ */

static void
recovery_check(struct lu_recovery *rec)
{
	struct lu *lu = rec->unit;

	if (!rec->is_over || rec->n_asked > 0)
		return;
	lu->recovery = NULL;
	lu_unref(lu);
	free(rec);
}

/* nothing is left to climb for; the unit may be off line */
static void
recovery_drop(struct lu_recovery *rec)
{
	shared_leave(rec);
	rec->is_over = true;
	recovery_check(rec);
}

/* everything that was expired is back */
static void
recovery_over(struct lu_recovery *rec)
{
	struct lu *lu = rec->unit;

	if (rec->is_over)
		return;
	rec->is_over = true;
	lu->is_frozen = false;
	lu->is_offline = false;
	lu->host->event(lu->host, LU_EVENT_RECOVERY, lu);
	lu_held_run(lu);
	recovery_drop(rec);
}

void
lu_recover_back(struct lu *lu, struct lu_task *task)
{
	task->is_expired = false;
	lu->n_expired--;
	if (task->reason == CMD_ABORTED || task->reason == CMD_RESET) {
		task->reason = CMD_TIMEOUT;
		task->statistics |= STAT_TIMEOUT;
	}
	if (lu->n_expired == 0 && lu->recovery != NULL)
		recovery_over(lu->recovery);
}

/* ------ steps ------ */

/* the next one that has time */
static enum lu_recover_step
step_after(const struct lu *lu, enum lu_recover_step step)
{
	while (++step < LU_RECOVER_OFFLINE && lu->recover_times.step_s[step] == 0)
		;
	return step;
}

static void
step_next(struct lu_recovery *rec)
{
	if (!rec->is_over && rec->step < LU_RECOVER_OFFLINE)
		step_begin(rec, step_after(rec->unit, rec->step));
}

static void
step_answered(struct lu_tmf *tmf)
{
	struct lu_recovery *rec = container_of(tmf, struct lu_recovery,
	    tmfs[tmf->recover_step]);
	bool is_now = tmf->recover_step == rec->step;

	rec->n_asked--;
	/* of a step that is done, some may still not be back: that is for the next one */
	if (is_now)
		step_next(rec);
	recovery_check(rec);
}

static void
step_abort(struct lu_recovery *rec)
{
	struct lu_tmf *tmf = &rec->tmfs[LU_RECOVER_ABORT];

	lu_tmf_begin(tmf, rec->unit, step_answered);
	tmf->recover_step = LU_RECOVER_ABORT;
	tmf->scope = LU_SCOPE_EXPIRED;
	rec->n_asked++;
	lu_abort_start(tmf);
}

static void
step_reset(struct lu_recovery *rec, enum lu_reset_level level)
{
	struct lu_tmf *tmf = &rec->tmfs[rec->step];

	lu_tmf_begin(tmf, rec->unit, step_answered);
	tmf->recover_step = (uint8_t)rec->step;
	rec->n_asked++;
	lu_reset_start(tmf, level);
}

/* ------ hooks of the host ------ */

static void
hba_asked(struct lu_work *w)
{
	struct lu_recovery *rec = container_of(w, struct lu_recovery, hba_work);

	rec->n_asked--;
	if (rec->hba_result < 0 && rec->step == LU_RECOVER_HBA)
		step_next(rec);
	recovery_check(rec);
}

/* worker */
static void
hba_ask(struct lu_work *w)
{
	struct lu_recovery *rec = container_of(w, struct lu_recovery, hba_work);
	struct lu *lu = rec->unit;
	struct lu_host *host = lu->host;

	rec->hba_result = -ENODEV;
	if (lu_enter(lu) == 0) {
		rec->hba_result = host->hba_reset != NULL ? host->hba_reset(host, lu) :
		    scsa_bus_reset(lu_hba_node(lu));
		lu_exit(lu);
	}
	lu_exec_post(lu->home, &rec->hba_work, hba_asked);
}

static void
tasks_abandon(struct lu_recovery *rec)
{
	struct lu *lu = rec->unit;
	struct lu_task *task, *next;

	for (task = TAILQ_FIRST(&lu->issued); task != NULL; task = next) {
		next = TAILQ_NEXT(task, unit_entry);
		lu_task_abandon(task, lu);
	}
	if (lu->n_issued == 0)
		recovery_drop(rec);
}

static void
offline_asked(struct lu_work *w)
{
	struct lu_recovery *rec = container_of(w, struct lu_recovery, offline_work);
	struct lu *lu = rec->unit;

	rec->n_asked--;
	rec->is_silence_asked = false;
	lu->is_silent = rec->offline_result == 0;
	if (lu->is_silent && !rec->is_over)
		tasks_abandon(rec);
	else
		recovery_check(rec);
}

/* worker */
static void
offline_ask(struct lu_work *w)
{
	struct lu_recovery *rec = container_of(w, struct lu_recovery, offline_work);
	struct lu_host *host = rec->unit->host;

	rec->offline_result = host->hba_silence == NULL ? -ENOTSUP :
	    host->hba_silence(host, rec->unit);
	lu_exec_post(rec->unit->home, &rec->offline_work, offline_asked);
}

static void
host_ask(struct lu_recovery *rec, struct lu_work *w, lu_work_fn fn)
{
	rec->n_asked++;
	lu_exec_post(rec->unit->host->worker, w, fn);
}

static void
silence_ask(struct lu_recovery *rec)
{
	rec->is_silence_asked = true;
	host_ask(rec, &rec->offline_work, offline_ask);
}

static void
step_offline(struct lu_recovery *rec)
{
	struct lu *lu = rec->unit;

	shared_leave(rec);
	lu->is_offline = true;
	lu_held_end_all(lu, CMD_DEV_GONE, 0);
	silence_ask(rec);
}

static void
step_begin(struct lu_recovery *rec, enum lu_recover_step step)
{
	struct lu *lu = rec->unit;
	bool is_ours = shared_enter(rec, step);

	rec->step_ns = clock_now_ns();
	lu->is_frozen = step >= LU_RECOVER_LUN;
	lu->host->event(lu->host, LU_EVENT_RECOVERY, lu);
	switch (step) {
	case LU_RECOVER_ABORT:
		step_abort(rec);
		break;
	case LU_RECOVER_LUN:
		step_reset(rec, LU_RESET_LUN);
		break;
	case LU_RECOVER_TARGET:
		if (is_ours)
			step_reset(rec, LU_RESET_TARGET);
		break;
	case LU_RECOVER_BUS:
		if (is_ours)
			step_reset(rec, LU_RESET_BUS);
		break;
	case LU_RECOVER_HBA:
		if (is_ours)
			host_ask(rec, &rec->hba_work, hba_ask);
		break;
	case LU_RECOVER_OFFLINE:
		step_offline(rec);
		break;
	case LU_RECOVER_NONE:
	case LU_RECOVER_N:
		break;
	}
}

/* ------ time ------ */

static void
recovery_begin(struct lu *lu)
{
	struct lu_recovery *rec = fault_hit() ? NULL : calloc(1, sizeof(*rec));

	if (rec == NULL)
		return;		/* with the next tick */
	rec->unit = lu_ref(lu);
	lu->recovery = rec;
	step_begin(rec, step_after(lu, LU_RECOVER_NONE));
}

static bool
is_late(const struct lu *lu, const struct lu_task *task)
{
	uint32_t ms = task->timeout_ms == 0 ? lu->timeout_ms : task->timeout_ms;
	uint64_t limit = (uint64_t)ms / TICK_MS + (ms % TICK_MS != 0) +
	    lu->recover_times.grace_s;

	return lu->ticks - task->issue_tick > limit;
}

static void
tasks_expire(struct lu *lu)
{
	struct lu_task *task;

	TAILQ_FOREACH(task, &lu->issued, unit_entry) {
		if (task->is_expired || !is_late(lu, task))
			continue;
		task->is_expired = true;
		lu->n_expired++;
		lu_count(&lu->stats.expired, 1);
	}
}

/* what could not be said about its HBA may be true by now */
static void
offline_tick(struct lu_recovery *rec)
{
	if (rec->unit->is_silent) {
		tasks_abandon(rec);
		return;
	}
	if (rec->is_silence_asked ||
	    clock_now_ns() - rec->step_ns < LU_SILENCE_AGAIN_S * NS_PER_S)
		return;
	rec->step_ns = clock_now_ns();
	silence_ask(rec);
}

static void
recovery_tick(struct lu *lu)
{
	struct lu_recovery *rec = lu->recovery;
	uint64_t step_ns;

	if (rec == NULL) {
		recovery_begin(lu);
		return;
	}
	step_ns = clock_now_ns() - rec->step_ns;
	/* others have expired while a step waits for them, too: it was not enough */
	if (rec->is_over) {
		rec->is_over = false;
		step_next(rec);
		return;
	}
	if (rec->step == LU_RECOVER_OFFLINE)
		offline_tick(rec);
	else if (step_ns >= lu->recover_times.step_s[rec->step] * NS_PER_S)
		step_next(rec);
}

static void
tick_work(struct lu_work *w)
{
	struct lu *lu = container_of(w, struct lu, tick_work);

	lu->is_tick_armed = false;
	lu->ticks++;
	if (lu->n_issued == 0)
		return;
	tasks_expire(lu);
	if (lu->n_expired > 0)
		recovery_tick(lu);
	lu_recover_arm(lu);
}

static void
tick_fire(void *arg)
{
	struct lu *lu = arg;

	lu_exec_post(lu->home, &lu->tick_work, tick_work);
}

void
lu_recover_arm(struct lu *lu)
{
	lu->is_tick_armed = true;
	lu->tick_timer = timeout(tick_fire, lu, drv_usectohz(TICK_MS * 1000));
}

void
lu_recover_fini(struct lu *lu)
{
	if (lu->tick_timer != NULL)
		(void)untimeout(lu->tick_timer);
}
