#include "scsa/settle.h"

#include <errno.h>
#include <string.h>
#include <sys/cmn_err.h>
#include <sys/ddi.h>
#include <sys/kmem.h>
#include <sys/ksynch.h>
#include <sys/queue.h>
#include <sys/sunddi.h>
#include <sys/time.h>

#define uthash_malloc(size)	kmem_alloc((size), KM_SLEEP)
#define uthash_free(ptr, size)	kmem_free((ptr), (size))
#include <uthash.h>

#include "base/clock.h"
#include "base/text.h"
#include "ddi/sched.h"
#include "ddi/violation.h"

#define READY_POLL_NS	(10 * NS_PER_MS)	/* between questions for is_ready */
#define RETRY_MIN_NS	(10 * NS_PER_MS)	/* between attempts to unconfigure */
#define RETRY_MAX_NS	NS_PER_S
#define REFRESH_NS	(100 * NS_PER_MS)	/* between two refreshes of one address */
#define BEGINS_MAX	256u			/* begins without an end before somebody is told */
#define FOREVER		UINT64_MAX

struct settle_addr {
	UT_hash_handle hh;
	TAILQ_ENTRY(settle_addr) report_link;
	TAILQ_ENTRY(settle_addr) job_link;
	struct settle *set;
	bool has_job;			/* is in a list of the worker's */
	/* what is said of it, and has not settled */
	bool is_reported;
	bool is_wanted;			/* the report says: it is there */
	void *report_priv;
	uint64_t deadline_ns;		/* per-address mode */
	/* what has been published */
	bool is_active;			/* from before activate to after deactivate */
	bool is_up;			/* configured */
	bool is_going;			/* its removal is at work */
	bool is_leaving;		/* its removal was refused, and is tried again at retry_ns */
	bool is_touched;		/* refresh is due at refresh_ns */
	void *priv;			/* of this life; the worker's */
	uint64_t retry_ns, refresh_ns;
	char name[];
};

TAILQ_HEAD(addr_list, settle_addr);

/* a report that was overtaken: its value goes back */
struct lost {
	STAILQ_ENTRY(lost) link;
	void *priv;
	size_t bytes;
	char name[];
};

struct settle {
	struct settle_conf conf;
	char name[16];
	uint64_t settle_ns;
	struct sched_thread *worker;
	kmutex_t lock;
	kcondvar_t work_cv;		/* the worker's: something changed */
	kcondvar_t idle_cv;		/* others': the worker finished something */
	struct settle_addr *addrs;	/* all that are active or reported */
	struct addr_list reports;	/* in the order in which they settle */
	STAILQ_HEAD(, lost) lost;
	struct addr_list adds, removes, refreshes;	/* jobs at hand; the worker's */
	bool is_open;			/* full set: begun, not settled */
	bool is_timed;			/* full set: ended; settles at deadline_ns */
	uint64_t deadline_ns;
	bool is_busy;			/* callbacks run */
	bool is_clearing;
	bool is_closing;		/* settle_close(): no more reports */
	bool is_ending;			/* the worker may end */
	unsigned int n_active, n_touched, n_leaving, n_begins;
	uint64_t n_results;		/* reports that settled */
	uint64_t n_reports;		/* reports of any kind */
	uint64_t n_changes;		/* see settle_wait_change() */
};

/* the set whose callback the thread is in */
static _Thread_local const struct settle *inside;

/*
 * Addresses. The lock is held.
 */

static struct settle_addr *
addr_find(struct settle *s, const char *name)
{
	struct settle_addr *a;

	HASH_FIND_STR(s->addrs, name, a);
	return a;
}

static struct settle_addr *
addr_get(struct settle *s, const char *name)
{
	struct settle_addr *a = addr_find(s, name);
	size_t len = strlen(name);

	if (a != NULL)
		return a;
	a = kmem_zalloc(sizeof(*a) + len + 1, KM_SLEEP);
	a->set = s;
	memcpy(a->name, name, len);
	HASH_ADD_STR(s->addrs, name, a);
	return a;
}

/* free it if nothing is known of it any more */
static void
addr_forget(struct settle_addr *a)
{
	struct settle *s = a->set;

	if (a->is_active || a->is_reported || a->has_job)
		return;
	if (a->is_touched)
		s->n_touched--;
	if (a->is_leaving)
		s->n_leaving--;
	HASH_DEL(s->addrs, a);
	kmem_free(a, sizeof(*a) + strlen(a->name) + 1);
}

static void
addr_set_leaving(struct settle_addr *a, bool is_leaving)
{
	struct settle *s = a->set;

	if (is_leaving && !a->is_leaving)
		s->n_leaving++;
	else if (!is_leaving && a->is_leaving)
		s->n_leaving--;
	a->is_leaving = is_leaving;
}

/* does it have the value of its present life, so that a reported one is not missed? */
static bool
addr_is_held(const struct settle_addr *a)
{
	return a->is_active && !a->is_going;
}

/* for the worker: it does something about the address when the lock is dropped */
static void
job_put(struct addr_list *list, struct settle_addr *a)
{
	a->has_job = true;
	TAILQ_INSERT_TAIL(list, a, job_link);
}

static void
lost_add(struct settle_addr *a)
{
	size_t len = strlen(a->name), bytes = sizeof(struct lost) + len + 1;
	struct lost *lost = kmem_alloc(bytes, KM_SLEEP);

	lost->priv = a->report_priv;
	lost->bytes = bytes;
	memcpy(lost->name, a->name, len + 1);
	STAILQ_INSERT_TAIL(&a->set->lost, lost, link);
}

/* the report of @a is overtaken */
static void
report_drop(struct settle_addr *a)
{
	if (!a->is_reported)
		return;
	TAILQ_REMOVE(&a->set->reports, a, report_link);
	a->is_reported = false;
	if (a->is_wanted && a->report_priv != NULL && !addr_is_held(a))
		lost_add(a);
}

static void
reports_drop(struct settle *s)
{
	struct settle_addr *a;

	while ((a = TAILQ_FIRST(&s->reports)) != NULL) {
		report_drop(a);
		addr_forget(a);
	}
	s->is_open = false;
	s->is_timed = false;
}

static void
report_put(struct settle *s, const char *name, bool is_wanted, void *priv)
{
	struct settle_addr *a = addr_get(s, name);

	report_drop(a);
	a->is_reported = true;
	a->is_wanted = is_wanted;
	a->report_priv = priv;
	a->deadline_ns = clock_now_ns() + s->settle_ns;
	TAILQ_INSERT_TAIL(&s->reports, a, report_link);
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
		addr_set_leaving(a, false);
	} else if (a->is_active) {
		job_put(&s->removes, a);
	} else {
		addr_forget(a);
	}
}

/*
 * What is due. The lock is held.
 */

static bool
report_is_due(const struct settle *s, uint64_t now_ns)
{
	const struct settle_addr *a = TAILQ_FIRST(&s->reports);

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
	while (report_is_due(s, now_ns))
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
		if (a->is_active && (s->is_clearing || (a->is_leaving && a->retry_ns <= now_ns)))
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
		if (!addr_is_held(a))
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

	if (s->conf.mode == SETTLE_FULLSET)
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

	inside = s;
	ops->activate(s->conf.arg, a->name, &a->priv);
	if (ops->configure != NULL)
		r = ops->configure(s->conf.arg, a->name, a->priv);
	if (r < 0)
		ops->deactivate(s->conf.arg, a->name, a->priv, SETTLE_CFG_FAIL);
	inside = NULL;

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
		addr_set_leaving(a, true);
	mutex_exit(&s->lock);
}

static void
job_remove(void *arg)
{
	struct settle_addr *a = arg;
	struct settle *s = a->set;
	const struct settle_ops *ops = s->conf.ops;
	int r = 0;

	inside = s;
	if (ops->unconfigure != NULL)
		r = ops->unconfigure(s->conf.arg, a->name, a->priv);
	if (r == 0)
		ops->deactivate(s->conf.arg, a->name, a->priv, SETTLE_GONE);
	inside = NULL;
	if (r < 0) {
		remove_refused(a);
		return;
	}
	mutex_enter(&s->lock);
	a->is_active = a->is_up = a->is_going = false;
	s->n_active--;
	s->n_changes++;
	addr_set_leaving(a, false);
	cv_broadcast(&s->idle_cv);
	mutex_exit(&s->lock);
}

static void
job_refresh(void *arg)
{
	struct settle_addr *a = arg;
	struct settle *s = a->set;

	inside = s;
	s->conf.ops->refresh(s->conf.arg, a->name, a->priv);
	inside = NULL;
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
	inside = s;
	s->conf.ops->deactivate(s->conf.arg, lost->name, lost->priv, SETTLE_UNSTABLE);
	inside = NULL;
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
		addr_forget(a);
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
		inside = s;
		s->conf.ops->settled(s->conf.arg);
		inside = NULL;
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
	if (report_is_due(s, now_ns)) {
		if (worker_is_ready(s) && report_is_due(s, now_ns) && STAILQ_EMPTY(&s->lost))
			has_settled = reports_take(s, now_ns);
		else if (s->is_closing && STAILQ_EMPTY(&s->lost))
			reports_drop(s);
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

static void
worker_main(void *arg)
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

/*
 * The contract of settle.h.
 */

int
settle_new(const struct settle_conf *conf, struct settle **ret)
{
	struct settle *s = kmem_zalloc(sizeof(*s), KM_SLEEP);

	s->conf = *conf;
	if (s->conf.helpers > SETTLE_HELPERS_MAX)
		s->conf.helpers = SETTLE_HELPERS_MAX;
	(void)text_copy(s->name, sizeof(s->name), conf->name);
	s->conf.name = s->name;
	s->settle_ns = (uint64_t)conf->settle_us * NS_PER_US;
	TAILQ_INIT(&s->reports);
	TAILQ_INIT(&s->adds);
	TAILQ_INIT(&s->removes);
	TAILQ_INIT(&s->refreshes);
	STAILQ_INIT(&s->lost);
	mutex_init(&s->lock, "settle", MUTEX_DRIVER, NULL);
	cv_init(&s->work_cv, "settle work", CV_DRIVER, NULL);
	cv_init(&s->idle_cv, "settle idle", CV_DRIVER, NULL);
	if (sched_thread_start(s->name, worker_main, s, &s->worker) < 0) {
		cv_destroy(&s->idle_cv);
		cv_destroy(&s->work_cv);
		mutex_destroy(&s->lock);
		kmem_free(s, sizeof(*s));
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

/* lock held: nothing waits to settle, nothing is at work */
static bool
is_quiet(const struct settle *s)
{
	return !s->is_busy && !s->is_open && TAILQ_EMPTY(&s->reports) && STAILQ_EMPTY(&s->lost) &&
	    s->n_touched == 0;
}

/* lock held: everything active goes; what refuses is asked again by the worker, as long as it takes */
static void
close_active(struct settle *s)
{
	while (s->n_active != 0) {
		s->is_clearing = s->is_clearing || s->n_leaving == 0;
		cv_signal(&s->work_cv);
		cv_wait(&s->idle_cv, &s->lock);
	}
}

int
settle_close(struct settle *s)
{
	if (s == NULL || s->worker == NULL)
		return 0;
	if (inside == s) {
		ddi_violation("map-destroy-inside", "map '%s' destroyed in its own callback",
		    s->name);
		return -EDEADLK;
	}
	mutex_enter(&s->lock);
	s->is_closing = true;
	if (s->is_open && !s->is_timed)
		reports_drop(s);
	cv_signal(&s->work_cv);
	while (!is_quiet(s))
		cv_wait(&s->idle_cv, &s->lock);
	close_active(s);
	s->is_ending = true;
	cv_signal(&s->work_cv);
	mutex_exit(&s->lock);
	sched_thread_join(s->worker);
	s->worker = NULL;
	return 0;
}

void
settle_free(struct settle *s)
{
	if (s == NULL || settle_close(s) < 0)
		return;
	cv_destroy(&s->idle_cv);
	cv_destroy(&s->work_cv);
	mutex_destroy(&s->lock);
	kmem_free(s, sizeof(*s));
}

/* lock held: may this be reported? */
static int
report_check(const struct settle *s, enum settle_mode mode)
{
	if (s->is_closing)
		return -ESHUTDOWN;
	return s->conf.mode == mode ? 0 : -EINVAL;
}

static bool
name_is_valid(const char *addr)
{
	size_t len = addr == NULL ? 0 : strlen(addr);

	return len != 0 && len <= SETTLE_ADDR_MAX;
}

/* lock held: tell the worker */
static void
report_done(struct settle *s)
{
	s->n_reports++;
	cv_signal(&s->work_cv);
}

int
settle_begin(struct settle *s)
{
	int r;

	mutex_enter(&s->lock);
	r = report_check(s, SETTLE_FULLSET);
	if (r == 0) {
		if (s->is_open && !s->is_timed && ++s->n_begins == BEGINS_MAX)
			cmn_err(CE_WARN, "%s: %u sets begun in a row, none ended", s->name,
			    BEGINS_MAX);
		reports_drop(s);
		s->is_open = true;
		report_done(s);
	}
	mutex_exit(&s->lock);
	return r;
}

int
settle_add(struct settle *s, const char *addr, void *priv)
{
	int r;

	if (!name_is_valid(addr))
		return -EINVAL;
	mutex_enter(&s->lock);
	r = report_check(s, SETTLE_FULLSET);
	if (r == 0 && !s->is_open)
		r = -EINVAL;
	if (r == 0) {
		report_put(s, addr, true, priv);
		report_done(s);
	}
	mutex_exit(&s->lock);
	return r;
}

int
settle_end(struct settle *s)
{
	int r;

	mutex_enter(&s->lock);
	r = report_check(s, SETTLE_FULLSET);
	if (r == 0 && !s->is_open)
		r = -EINVAL;
	if (r == 0 && !s->is_timed) {
		s->is_timed = true;
		s->n_begins = 0;
		s->deadline_ns = clock_now_ns() + s->settle_ns;
		report_done(s);
	}
	mutex_exit(&s->lock);
	return r;
}

int
settle_flush(struct settle *s)
{
	int r;

	mutex_enter(&s->lock);
	r = report_check(s, SETTLE_FULLSET);
	if (r == 0) {
		reports_drop(s);
		report_done(s);
	}
	mutex_exit(&s->lock);
	return r;
}

static int
report_one(struct settle *s, const char *addr, bool is_wanted, void *priv)
{
	int r;

	if (!name_is_valid(addr))
		return -EINVAL;
	mutex_enter(&s->lock);
	r = report_check(s, SETTLE_PERADDR);
	if (r == 0) {
		report_put(s, addr, is_wanted, priv);
		report_done(s);
	}
	mutex_exit(&s->lock);
	return r;
}

int
settle_report(struct settle *s, const char *addr, void *priv)
{
	return report_one(s, addr, true, priv);
}

int
settle_withdraw(struct settle *s, const char *addr)
{
	return report_one(s, addr, false, NULL);
}

/* lock held */
static bool
addr_touch(struct settle_addr *a)
{
	struct settle *s = a->set;

	if (!addr_is_held(a) || s->conf.ops->refresh == NULL)
		return false;
	if (!a->is_touched)
		s->n_touched++;
	a->is_touched = true;
	return true;
}

bool
settle_touch(struct settle *s, const char *addr)
{
	struct settle_addr *a;
	bool is_touched;

	mutex_enter(&s->lock);
	a = addr_find(s, addr);
	is_touched = a != NULL && addr_touch(a);
	if (is_touched)
		cv_signal(&s->work_cv);
	mutex_exit(&s->lock);
	return is_touched;
}

void
settle_touch_all(struct settle *s)
{
	struct settle_addr *a, *next;

	mutex_enter(&s->lock);
	HASH_ITER(hh, s->addrs, a, next)
		(void)addr_touch(a);
	cv_signal(&s->work_cv);
	mutex_exit(&s->lock);
}

bool
settle_is_up(struct settle *s, const char *addr)
{
	struct settle_addr *a;
	bool is_up;

	mutex_enter(&s->lock);
	a = addr_find(s, addr);
	is_up = a != NULL && a->is_up;
	mutex_exit(&s->lock);
	return is_up;
}

bool
settle_next_up(struct settle *s, const char *after, char ret[SETTLE_ADDR_MAX + 1])
{
	struct settle_addr *a, *next, *best = NULL;

	mutex_enter(&s->lock);
	HASH_ITER(hh, s->addrs, a, next) {
		if (a->is_up && (after == NULL || strcmp(a->name, after) > 0) &&
		    (best == NULL || strcmp(a->name, best->name) < 0))
			best = a;
	}
	if (best != NULL)
		(void)text_copy(ret, SETTLE_ADDR_MAX + 1, best->name);
	mutex_exit(&s->lock);
	return best != NULL;
}

bool
settle_has_reports(struct settle *s)
{
	bool has;

	mutex_enter(&s->lock);
	has = s->is_open || !TAILQ_EMPTY(&s->reports);
	mutex_exit(&s->lock);
	return has;
}

size_t
settle_size(struct settle *s)
{
	size_t n;

	mutex_enter(&s->lock);
	n = HASH_COUNT(s->addrs);
	mutex_exit(&s->lock);
	return n;
}

int
settle_clear(struct settle *s)
{
	int r;

	if (inside == s)
		return -EDEADLK;
	mutex_enter(&s->lock);
	reports_drop(s);
	s->is_clearing = true;
	cv_signal(&s->work_cv);
	while (s->is_clearing || !STAILQ_EMPTY(&s->lost))
		cv_wait(&s->idle_cv, &s->lock);
	r = s->n_active == 0 ? 0 : -EBUSY;
	mutex_exit(&s->lock);
	return r;
}

bool
settle_sync(struct settle *s, uint64_t max_us, bool is_after_first)
{
	uint64_t deadline_ns = clock_now_ns() + max_us * NS_PER_US, calm_ns = 0, n_reports = 0;
	uint64_t now_ns, until_ns;
	bool is_calm = false, is_stable = false;

	mutex_enter(&s->lock);
	for (;;) {
		now_ns = clock_now_ns();
		if (!is_quiet(s) || (is_after_first && s->n_results == 0)) {
			is_calm = false;
		} else if (!is_calm || n_reports != s->n_reports) {
			is_calm = true;
			n_reports = s->n_reports;
			calm_ns = now_ns + s->settle_ns;
		}
		is_stable = is_calm && now_ns >= calm_ns;
		if (is_stable || now_ns >= deadline_ns)
			break;
		until_ns = is_calm && calm_ns < deadline_ns ? calm_ns : deadline_ns;
		(void)cv_timedwait_hires(&s->idle_cv, &s->lock, (hrtime_t)until_ns, 1,
		    CALLOUT_FLAG_ABSOLUTE);
	}
	mutex_exit(&s->lock);
	return is_stable;
}

bool
settle_wait_change(struct settle *s, uint64_t *seen, uint64_t deadline_ns)
{
	bool has_changed;

	mutex_enter(&s->lock);
	while (s->n_changes == *seen && clock_now_ns() < deadline_ns)
		(void)cv_timedwait_hires(&s->idle_cv, &s->lock, (hrtime_t)deadline_ns, 1,
		    CALLOUT_FLAG_ABSOLUTE);
	has_changed = s->n_changes != *seen;
	*seen = s->n_changes;
	mutex_exit(&s->lock);
	return has_changed;
}
