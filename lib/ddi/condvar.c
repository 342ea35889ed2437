#include <sys/condvar.h>

#include <errno.h>
#include <sys/ddi.h>
#include <sys/sunddi.h>
#include <time.h>

#include "base/clock.h"
#include "ddi/sched_impl.h"
#include "ddi/violation.h"

/* hz is a whole part of a second */
#define NS_PER_TICK(n)	((uint64_t)((long long)(n) * (NANOSEC / hz)))

void
cv_init(kcondvar_t *cv, const char *name UNUSED, kcv_type_t type UNUSED, void *arg UNUSED)
{
	*cv = (kcondvar_t){ .c_magic = CV_MAGIC };
	(void)pthread_cond_init(&cv->c_cond, NULL);
}

void
cv_destroy(kcondvar_t *cv)
{
	cv->c_magic = 0;
	(void)pthread_cond_destroy(&cv->c_cond);
}

void
cv_signal(kcondvar_t *cv)
{
	if (sched_is_sim())
		sim_wake_one(cv);
	else
		(void)pthread_cond_signal(&cv->c_cond);
}

void
cv_broadcast(kcondvar_t *cv)
{
	if (sched_is_sim())
		sim_wake_all(cv);
	else
		(void)pthread_cond_broadcast(&cv->c_cond);
}

/* wait_is_legal() - debug builds: is @m ours to leave? */
static bool
wait_is_legal(kcondvar_t *cv UNUSED, kmutex_t *m UNUSED)
{
#ifdef SCSAD_DEBUG
	if (cv->c_magic != CV_MAGIC) {
		ddi_violation("cv-uninitialized", "condition %p waited for", (void *)cv);
		return false;
	}
	if (!mutex_owned(m)) {
		ddi_violation("mutex-not-owner", "mutex %p left in a wait", (void *)m);
		return false;
	}
#endif
	return true;
}

static bool
sim_cv_wait(kcondvar_t *cv, kmutex_t *m, uint64_t deadline_ns)
{
	bool was_woken;

	mutex_exit(m);
	was_woken = sim_block(cv, "condition", deadline_ns);
	mutex_enter(m);
	return was_woken;
}

/* native_wait() - the process clock may not be the host's, so the deadline is carried over */
static bool
native_wait(kcondvar_t *cv, pthread_mutex_t *lock, uint64_t deadline_ns)
{
	uint64_t now_ns = clock_now_ns(), host_ns;
	struct timespec ts;

	if (deadline_ns == SCHED_FOREVER)
		return pthread_cond_wait(&cv->c_cond, lock) == 0;
	if (deadline_ns <= now_ns)
		return false;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	host_ns = (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
	host_ns += deadline_ns - now_ns;
	ts.tv_sec = (time_t)(host_ns / NS_PER_S);
	ts.tv_nsec = (long)(host_ns % NS_PER_S);
	return pthread_cond_clockwait(&cv->c_cond, lock, CLOCK_MONOTONIC, &ts) != ETIMEDOUT;
}

bool
cv_wait_until(kcondvar_t *cv, kmutex_t *m, uint64_t deadline_ns)
{
	bool was_woken;

	if (!wait_is_legal(cv, m))
		return true;
	if (sched_is_sim())
		return sim_cv_wait(cv, m, deadline_ns);

	__atomic_store_n(&m->m_owner, NULL, __ATOMIC_RELAXED);
	was_woken = native_wait(cv, &m->m_lock, deadline_ns);
	__atomic_store_n(&m->m_owner, sched_identity(), __ATOMIC_RELAXED);
	return was_woken;
}

void
cv_wait(kcondvar_t *cv, kmutex_t *m)
{
	ddi_check_may_sleep("cv_wait");
	(void)cv_wait_until(cv, m, SCHED_FOREVER);
}

int
cv_wait_sig(kcondvar_t *cv, kmutex_t *m)
{
	cv_wait(cv, m);
	return 1;
}

clock_t
cv_timedwait(kcondvar_t *cv, kmutex_t *m, clock_t abstime)
{
	clock_t left = abstime - ddi_get_lbolt();

	if (left <= 0)
		return -1;
	ddi_check_may_sleep("cv_timedwait");
	if (!cv_wait_until(cv, m, NS_PER_TICK(abstime)))
		return -1;
	left = abstime - ddi_get_lbolt();
	return left > 0 ? left : 1;
}

clock_t
cv_timedwait_sig(kcondvar_t *cv, kmutex_t *m, clock_t abstime)
{
	return cv_timedwait(cv, m, abstime);
}

clock_t
cv_reltimedwait(kcondvar_t *cv, kmutex_t *m, clock_t delta, time_res_t res UNUSED)
{
	return cv_timedwait(cv, m, ddi_get_lbolt() + delta);
}

clock_t
cv_reltimedwait_sig(kcondvar_t *cv, kmutex_t *m, clock_t delta, time_res_t res)
{
	return cv_reltimedwait(cv, m, delta, res);
}

clock_t
cv_timedwait_hires(kcondvar_t *cv, kmutex_t *m, hrtime_t tim, hrtime_t res UNUSED, int flag)
{
	hrtime_t deadline = (flag & CALLOUT_FLAG_ABSOLUTE) != 0 ? tim : gethrtime() + tim;

	if (deadline <= gethrtime())
		return -1;
	ddi_check_may_sleep("cv_timedwait_hires");
	return cv_wait_until(cv, m, (uint64_t)deadline) ? 1 : -1;
}
