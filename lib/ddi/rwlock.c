#include <sys/rwlock.h>

#include "ddi/sched_impl.h"
#include "ddi/violation.h"

void
rw_init(krwlock_t *rw, const char *name UNUSED, krw_type_t type UNUSED, void *arg UNUSED)
{
	*rw = (krwlock_t){ 0 };
	mutex_init(&rw->rw_lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&rw->rw_cv, NULL, CV_DRIVER, NULL);
}

void
rw_destroy(krwlock_t *rw)
{
	if (rw->rw_readers != 0 || rw->rw_writer != NULL) {
		ddi_violation("rw-destroy-held", "lock %p", (void *)rw);
		return;
	}
	cv_destroy(&rw->rw_cv);
	mutex_destroy(&rw->rw_lock);
}

static bool
can_enter(const krwlock_t *rw, krw_t how)
{
	if (rw->rw_writer != NULL)
		return false;
	if (how == RW_WRITER)
		return rw->rw_readers == 0;
	return rw->rw_writers_waiting == 0;
}

static void
take(krwlock_t *rw, krw_t how)
{
	if (how == RW_WRITER)
		rw->rw_writer = sched_identity();
	else
		rw->rw_readers++;
}

void
rw_enter(krwlock_t *rw, krw_t how)
{
	mutex_enter(&rw->rw_lock);
	if (rw->rw_writer == sched_identity()) {
		mutex_exit(&rw->rw_lock);
		ddi_violation("rw-recursive", "lock %p entered by its writer", (void *)rw);
		return;
	}
	rw->rw_writers_waiting += how == RW_WRITER;
	while (rw->rw_writer != NULL || (how == RW_WRITER && rw->rw_readers != 0) ||
	    (how == RW_READER && rw->rw_writers_waiting != 0))
		(void)cv_wait_until(&rw->rw_cv, &rw->rw_lock, SCHED_FOREVER);
	rw->rw_writers_waiting -= how == RW_WRITER;
	take(rw, how);
	mutex_exit(&rw->rw_lock);
}

int
rw_tryenter(krwlock_t *rw, krw_t how)
{
	bool can;

	mutex_enter(&rw->rw_lock);
	can = can_enter(rw, how);
	if (can)
		take(rw, how);
	mutex_exit(&rw->rw_lock);
	return can;
}

void
rw_exit(krwlock_t *rw)
{
	bool is_held = true;

	mutex_enter(&rw->rw_lock);
	if (rw->rw_writer == sched_identity())
		rw->rw_writer = NULL;
	else if (rw->rw_readers > 0)
		rw->rw_readers--;
	else
		is_held = false;
	cv_broadcast(&rw->rw_cv);
	mutex_exit(&rw->rw_lock);
	if (!is_held)
		ddi_violation("rw-not-held", "lock %p left", (void *)rw);
}

void
rw_downgrade(krwlock_t *rw)
{
	bool is_held;

	mutex_enter(&rw->rw_lock);
	is_held = rw->rw_writer == sched_identity();
	if (is_held) {
		rw->rw_writer = NULL;
		rw->rw_readers++;
		cv_broadcast(&rw->rw_cv);
	}
	mutex_exit(&rw->rw_lock);
	if (!is_held)
		ddi_violation("rw-not-held", "lock %p downgraded", (void *)rw);
}

int
rw_tryupgrade(krwlock_t *rw)
{
	bool can;

	mutex_enter(&rw->rw_lock);
	can = rw->rw_writer == NULL && rw->rw_readers == 1;
	if (can) {
		rw->rw_readers = 0;
		rw->rw_writer = sched_identity();
	}
	mutex_exit(&rw->rw_lock);
	return can;
}

int
rw_read_held(krwlock_t *rw)
{
	int is_held;

	mutex_enter(&rw->rw_lock);
	is_held = rw->rw_readers > 0;
	mutex_exit(&rw->rw_lock);
	return is_held;
}

int
rw_read_locked(krwlock_t *rw)
{
	return rw_read_held(rw);
}

int
rw_write_held(krwlock_t *rw)
{
	int is_held;

	mutex_enter(&rw->rw_lock);
	is_held = rw->rw_writer == sched_identity();
	mutex_exit(&rw->rw_lock);
	return is_held;
}

int
rw_lock_held(krwlock_t *rw)
{
	return rw_write_held(rw) || rw_read_held(rw);
}
