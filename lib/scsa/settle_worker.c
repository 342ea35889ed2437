#include <sys/sunddi.h>
#include <sys/time.h>

#include "base/clock.h"
#include "scsa/settle_impl.h"

#define READY_POLL_NS	(10 * NS_PER_MS)	/* between questions for is_ready */
#define RETRY_MIN_NS	(10 * NS_PER_MS)	/* between attempts to unconfigure */
#define RETRY_MAX_NS	NS_PER_S
#define REFRESH_NS	(100 * NS_PER_MS)	/* between two refreshes of one address */
#define FOREVER		UINT64_MAX

/* for the worker: it does something about the address when the lock is dropped */
static void
job_put(struct addr_list *list, struct settle_addr *a)
{
	a->has_job = true;
	TAILQ_INSERT_TAIL(list, a, job_link);
}

/* a report has settled: it counts now, and is none any more */
static void
report_take(struct settle_addr *a)
{
	struct settle *s = a->set;

	TAILQ_REMOVE(&s->reports, a, report_link);
	a->is_reported = false;
	if (a->is_wanted && !a->is_active) {
		a->is_active = true;
		s->n_active++;
		a->priv = a->report_priv;
		job_put(&s->adds, a);
	} else if (a->is_wanted) {
		settle_addr_set_leaving(a, false);
	} else if (a->is_active) {
		job_put(&s->removes, a);
	} else {
		settle_addr_forget(a);
	}
}

/*
 * What is due. The lock is held.
 */

bool
settle_report_is_due(const struct settle *s, uint64_t now_ns)
{
	const struct settle_addr *a = TAILQ_FIRST(&s->reports);

	if (s->is_paused && !s->is_closing)
		return false;
	if (s->conf.mode == SETTLE_FULLSET)
		return s->is_timed && s->deadline_ns <= now_ns;
	return a != NULL && a->deadline_ns <= now_ns;
}

/* active := what was reported; the rest goes */
static void
full_take(struct settle *s)
{
	struct settle_addr *a, *next;

	HASH_ITER(hh, s->addrs, a, next) {
		if (a->is_active && !a->is_reported)
			job_put(&s->removes, a);
	}
	while ((a = TAILQ_FIRST(&s->reports)) != NULL)
		report_take(a);
	s->is_open = false;
	s->is_timed = false;
}

static bool
reports_take(struct settle *s, uint64_t now_ns)
{
	s->n_results++;
	if (s->conf.mode == SETTLE_FULLSET) {
		full_take(s);
		return true;
	}
	while (settle_report_is_due(s, now_ns))
		report_take(TAILQ_FIRST(&s->reports));
	return true;
}

/* everything active, or what refused to go before */
static void
removes_take(struct settle *s, uint64_t now_ns)
{
	struct settle_addr *a, *next;

	if (!s->is_clearing && s->n_leaving == 0)
		return;
	HASH_ITER(hh, s->addrs, a, next) {
		bool is_due = a->is_leaving && a->retry_ns <= now_ns;

		if (a->is_active && (s->is_clearing || is_due))
			job_put(&s->removes, a);
	}
}

static void
refreshes_take(struct settle *s, uint64_t now_ns)
{
	struct settle_addr *a, *next;

	if (s->n_touched == 0)
		return;
	HASH_ITER(hh, s->addrs, a, next) {
		if (!a->is_touched || a->refresh_ns > now_ns)
			continue;
		a->is_touched = false;
		s->n_touched--;
		if (!settle_addr_is_held(a))
			continue;
		a->refresh_ns = now_ns + REFRESH_NS;
		job_put(&s->refreshes, a);
	}
}

/* when the worker has to look again; FOREVER: when it is told to */
static uint64_t
next_ns(const struct settle *s, uint64_t now_ns)
{
	const struct settle_addr *a = TAILQ_FIRST(&s->reports), *next;
	uint64_t at = FOREVER;

	if (s->is_paused && !s->is_closing)
		at = FOREVER;
	else if (s->conf.mode == SETTLE_FULLSET)
		at = s->is_timed ? s->deadline_ns : FOREVER;
	else if (a != NULL)
		at = a->deadline_ns;
	/* it was due, and is_ready said no */
	if (at <= now_ns)
		at = now_ns + READY_POLL_NS;
	if (s->n_leaving == 0 && s->n_touched == 0)
		return at;
	HASH_ITER(hh, s->addrs, a, next) {
		if (a->is_leaving && a->retry_ns < at)
			at = a->retry_ns;
		if (a->is_touched && a->refresh_ns < at)
			at = a->refresh_ns;
	}
	return at;
}

/*
 * Jobs: on the worker or a helper, no lock held.
 */

static void
job_add(void *arg)
{
	struct settle_addr *a = arg;
	struct settle *s = a->set;
	const struct settle_ops *ops = s->conf.ops;
	int r = 0;

	settle_inside = s;
	ops->activate(s->conf.arg, a->name, &a->priv);
	if (ops->configure != NULL)
		r = ops->configure(s->conf.arg, a->name, a->priv);
	if (r < 0)
		ops->deactivate(s->conf.arg, a->name, a->priv, SETTLE_CFG_FAIL);
	settle_inside = NULL;

	mutex_enter(&s->lock);
	a->is_up = r == 0;
	if (r < 0) {
		a->is_active = false;
		s->n_active--;
	}
	s->n_changes++;
	cv_broadcast(&s->idle_cv);
	mutex_exit(&s->lock);
}

/* the removal was refused. To clear a set is a question; all other removals are facts */
static void
remove_refused(struct settle_addr *a)
{
	struct settle *s = a->set;
	uint64_t wait_ns = s->settle_ns;

	mutex_enter(&s->lock);
	a->is_going = false;
	if (wait_ns < RETRY_MIN_NS)
		wait_ns = RETRY_MIN_NS;
	a->retry_ns = clock_now_ns() + (wait_ns < RETRY_MAX_NS ? wait_ns : RETRY_MAX_NS);
	if (!s->is_clearing || s->is_closing)
		settle_addr_set_leaving(a, true);
	mutex_exit(&s->lock);
}

static void
job_remove(void *arg)
{
	struct settle_addr *a = arg;
	struct settle *s = a->set;
	const struct settle_ops *ops = s->conf.ops;
	int r = 0;

	settle_inside = s;
	if (ops->unconfigure != NULL)
		r = ops->unconfigure(s->conf.arg, a->name, a->priv);
	if (r == 0)
		ops->deactivate(s->conf.arg, a->name, a->priv, SETTLE_GONE);
	settle_inside = NULL;
	if (r < 0) {
		remove_refused(a);
		return;
	}
	mutex_enter(&s->lock);
	a->is_active = a->is_up = a->is_going = false;
	s->n_active--;
	s->n_changes++;
	settle_addr_set_leaving(a, false);
	cv_broadcast(&s->idle_cv);
	mutex_exit(&s->lock);
}

static void
job_refresh(void *arg)
{
	struct settle_addr *a = arg;
	struct settle *s = a->set;

	settle_inside = s;
	s->conf.ops->refresh(s->conf.arg, a->name, a->priv);
	settle_inside = NULL;
	mutex_enter(&s->lock);
	s->n_changes++;
	cv_broadcast(&s->idle_cv);
	mutex_exit(&s->lock);
}

/* run a job for every address of @list, and wait for all */
static void
jobs_run(struct settle *s, struct addr_list *list, void (*job)(void *))
{
	struct settle_addr *a;
	unsigned int n = 0;
	ddi_taskq_t *tq = NULL;

	TAILQ_FOREACH(a, list, job_link)
		n++;
	if (n > s->conf.helpers)
		n = s->conf.helpers;
	if (n > 1)
		tq = ddi_taskq_create(NULL, s->name, (int)n, TASKQ_DEFAULTPRI, 0);
	TAILQ_FOREACH(a, list, job_link) {
		if (tq == NULL || ddi_taskq_dispatch(tq, job, a, DDI_SLEEP) != DDI_SUCCESS)
			job(a);
	}
	if (tq != NULL)
		ddi_taskq_destroy(tq);
}

static void
lost_run(struct settle *s, struct lost *lost)
{
	settle_inside = s;
	s->conf.ops->deactivate(s->conf.arg, lost->name, lost->priv, SETTLE_UNSTABLE);
	settle_inside = NULL;
	kmem_free(lost, lost->bytes);
}

/*
 * The worker.
 */

/* the lock is held */
static void
jobs_end(struct addr_list *list)
{
	struct settle_addr *a;

	while ((a = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, a, job_link);
		a->has_job = false;
		settle_addr_forget(a);
	}
}

/* lock held, and dropped while callbacks run */
static void
worker_delta(struct settle *s, bool has_settled)
{
	struct settle_addr *a;

	TAILQ_FOREACH(a, &s->removes, job_link)
		a->is_going = true;
	mutex_exit(&s->lock);
	jobs_run(s, &s->adds, job_add);
	jobs_run(s, &s->removes, job_remove);
	jobs_run(s, &s->refreshes, job_refresh);
	if (has_settled && s->conf.ops->settled != NULL) {
		settle_inside = s;
		s->conf.ops->settled(s->conf.arg);
		settle_inside = NULL;
	}
	mutex_enter(&s->lock);
	jobs_end(&s->adds);
	jobs_end(&s->removes);
	jobs_end(&s->refreshes);
}

static bool
worker_is_ready(struct settle *s)
{
	bool is_ready;

	if (s->conf.ops->is_ready == NULL)
		return true;
	mutex_exit(&s->lock);
	is_ready = s->conf.ops->is_ready(s->conf.arg);
	mutex_enter(&s->lock);
	return is_ready;
}

/* lock held, and dropped for callbacks; false: there was nothing to do */
static bool
worker_step(struct settle *s)
{
	uint64_t now_ns = clock_now_ns();
	struct lost *lost = STAILQ_FIRST(&s->lost);
	bool was_clearing = false, has_settled = false;

	if (lost != NULL) {
		STAILQ_REMOVE_HEAD(&s->lost, link);
		mutex_exit(&s->lock);
		lost_run(s, lost);
		mutex_enter(&s->lock);
		return true;
	}
	if (settle_report_is_due(s, now_ns)) {
		if (worker_is_ready(s) && settle_report_is_due(s, now_ns) &&
		    STAILQ_EMPTY(&s->lost))
			has_settled = reports_take(s, now_ns);
		else if (s->is_closing && STAILQ_EMPTY(&s->lost))
			settle_reports_drop(s);
	}
	if (TAILQ_EMPTY(&s->adds) && TAILQ_EMPTY(&s->removes)) {
		removes_take(s, now_ns);
		if (TAILQ_EMPTY(&s->removes))
			refreshes_take(s, now_ns);
		was_clearing = s->is_clearing;
	}
	if (TAILQ_EMPTY(&s->adds) && TAILQ_EMPTY(&s->removes) && TAILQ_EMPTY(&s->refreshes) &&
	    !was_clearing && !has_settled)
		return !STAILQ_EMPTY(&s->lost);
	worker_delta(s, has_settled);
	if (was_clearing)
		s->is_clearing = false;
	return true;
}

static void
worker_wait(struct settle *s)
{
	uint64_t at = next_ns(s, clock_now_ns());

	if (at == FOREVER)
		cv_wait(&s->work_cv, &s->lock);
	else
		(void)cv_timedwait_hires(&s->work_cv, &s->lock, (hrtime_t)at, 1,
		    CALLOUT_FLAG_ABSOLUTE);
}

void
settle_worker_main(void *arg)
{
	struct settle *s = arg;

	mutex_enter(&s->lock);
	for (;;) {
		s->is_busy = true;
		while (worker_step(s))
			;
		s->is_busy = false;
		cv_broadcast(&s->idle_cv);
		if (s->is_ending)
			break;
		worker_wait(s);
	}
	mutex_exit(&s->lock);
}
