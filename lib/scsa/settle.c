#include <errno.h>
#include <string.h>
#include <sys/cmn_err.h>
#include <sys/sunddi.h>

#include "base/clock.h"
#include "base/text.h"
#include "ddi/violation.h"
#include "scsa/settle_impl.h"

#define BEGINS_MAX	256u	/* begins without an end before somebody is told */
#define BUSY_GRACE_NS	(60 * NS_PER_S)	/* devices that are being looked at take their time */

_Thread_local const struct settle *settle_inside;

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
void
settle_addr_forget(struct settle_addr *a)
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

void
settle_addr_set_leaving(struct settle_addr *a, bool is_leaving)
{
	struct settle *s = a->set;

	if (is_leaving && !a->is_leaving)
		s->n_leaving++;
	else if (!is_leaving && a->is_leaving)
		s->n_leaving--;
	a->is_leaving = is_leaving;
}

/* does it have the value of its present life, so that a reported one is not missed? */
bool
settle_addr_is_held(const struct settle_addr *a)
{
	return a->is_active && !a->is_going;
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
	if (a->is_wanted && a->report_priv != NULL && !settle_addr_is_held(a))
		lost_add(a);
}

void
settle_reports_drop(struct settle *s)
{
	struct settle_addr *a;

	while ((a = TAILQ_FIRST(&s->reports)) != NULL) {
		report_drop(a);
		settle_addr_forget(a);
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
	if (sched_thread_start(s->name, settle_worker_main, s, &s->worker) < 0) {
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
	return !s->is_busy && !s->is_open && TAILQ_EMPTY(&s->reports) &&
	    STAILQ_EMPTY(&s->lost) && s->n_touched == 0;
}

/* lock held: everything active goes; what refuses is asked again by the worker, as long as it
 * takes */
static void
close_active(struct settle *s)
{
	while (s->n_active != 0) {
		/* only news wakes the worker: while it waits to ask again, so do we */
		if (!s->is_clearing && s->n_leaving == 0) {
			s->is_clearing = true;
			cv_signal(&s->work_cv);
		}
		cv_wait(&s->idle_cv, &s->lock);
	}
}

int
settle_close(struct settle *s)
{
	if (s == NULL || s->worker == NULL)
		return 0;
	if (settle_inside == s) {
		ddi_violation("map-destroy-inside", "map '%s' destroyed in its own callback",
		    s->name);
		return -EDEADLK;
	}
	mutex_enter(&s->lock);
	s->is_closing = true;
	if (s->is_open && !s->is_timed)
		settle_reports_drop(s);
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
		settle_reports_drop(s);
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
		settle_reports_drop(s);
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

	if (!settle_addr_is_held(a) || s->conf.ops->refresh == NULL)
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

	if (settle_inside == s)
		return -EDEADLK;
	mutex_enter(&s->lock);
	settle_reports_drop(s);
	s->is_clearing = true;
	cv_signal(&s->work_cv);
	while (s->is_clearing || !STAILQ_EMPTY(&s->lost))
		cv_wait(&s->idle_cv, &s->lock);
	r = s->n_active == 0 ? 0 : -EBUSY;
	mutex_exit(&s->lock);
	return r;
}

void
settle_pause(struct settle *s, bool is_paused)
{
	mutex_enter(&s->lock);
	s->is_paused = is_paused;
	cv_signal(&s->work_cv);
	mutex_exit(&s->lock);
}

/* lock held: does the worker do something, or should it by now? On a machine under load it may be
 * long before it runs */
static bool
is_at_work(const struct settle *s, uint64_t now_ns)
{
	return s->is_busy || settle_report_is_due(s, now_ns);
}

bool
settle_sync(struct settle *s, uint64_t max_us, bool is_after_first)
{
	uint64_t deadline_ns = clock_now_ns() + max_us * NS_PER_US, calm_ns = 0, n_reports = 0;
	uint64_t now_ns, until_ns, last_ns;
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
		last_ns = deadline_ns + (is_at_work(s, now_ns) ? BUSY_GRACE_NS : 0);
		if (is_stable || now_ns >= last_ns)
			break;
		until_ns = is_calm && calm_ns < last_ns ? calm_ns : last_ns;
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
