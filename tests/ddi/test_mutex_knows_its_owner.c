#include <sys/sunddi.h>

#include "check_main.h"
#include "ddi/sched.h"
#include "ddi/sim.h"
#include "mock_recorder.h"

#define THREADS	4
#define ROUNDS	2000

static kmutex_t lock;
static int counter;
static int other_owned, other_tried;

static void
count_main(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		mutex_enter(&lock);
		counter++;
		mutex_exit(&lock);
	}
}

static void
count_by_threads(void *arg)
{
	struct sched_thread *t[THREADS];

	(void)arg;
	counter = 0;
	mutex_init(&lock, "count", MUTEX_DRIVER, NULL);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(sched_thread_start("count", count_main, NULL, &t[i]), 0);
	for (int i = 0; i < THREADS; i++)
		sched_thread_join(t[i]);
	ck_assert_int_eq(counter, THREADS * ROUNDS);
	mutex_destroy(&lock);
}

START_TEST(excludes_threads)
{
	count_by_threads(NULL);
}
END_TEST

START_TEST(excludes_threads_in_simulation)
{
	sim_run(&(struct sim_opts){ .seed = 7, .yield_per_1024 = 300 }, count_by_threads, NULL);
}
END_TEST

static void
other_main(void *arg)
{
	(void)arg;
	other_owned = mutex_owned(&lock);
	other_tried = mutex_tryenter(&lock);
}

static void
ownership(void *arg)
{
	struct sched_thread *t;

	(void)arg;
	mutex_init(&lock, NULL, MUTEX_DRIVER, NULL);
	ck_assert(!mutex_owned(&lock));
	mutex_enter(&lock);
	ck_assert(mutex_owned(&lock));
	ck_assert_int_eq(sched_thread_start("other", other_main, NULL, &t), 0);
	sched_thread_join(t);
	ck_assert_int_eq(other_owned, 0);
	ck_assert_int_eq(other_tried, 0);
	mutex_exit(&lock);
	ck_assert(!mutex_owned(&lock));
	ck_assert(mutex_tryenter(&lock));
	ck_assert(mutex_owned(&lock));
	mutex_exit(&lock);
	mutex_destroy(&lock);
}

START_TEST(owner_is_exact)
{
	ownership(NULL);
	sim_run(&(struct sim_opts){ .seed = 1 }, ownership, NULL);
}
END_TEST

#ifdef SCSAD_DEBUG
START_TEST(misuse_is_reported)
{
	kmutex_t raw = { 0 };

	recorder_start();
	mutex_init(&lock, NULL, MUTEX_DRIVER, NULL);
	mutex_exit(&lock);
	ck_assert(recorder_broke("mutex-not-owner"));
	mutex_enter(&lock);
	mutex_enter(&lock);
	ck_assert(recorder_broke("mutex-recursive"));
	mutex_destroy(&lock);
	ck_assert(recorder_broke("mutex-destroy-held"));
	mutex_exit(&lock);
	mutex_destroy(&lock);
	ck_assert_uint_eq(recorder_violations(), 3);
	mutex_enter(&raw);
	ck_assert(recorder_broke("mutex-uninitialized"));
	mutex_destroy(&raw);
	ck_assert_uint_eq(recorder_violations(), 5);
}
END_TEST
#endif

static krwlock_t rw;
static int order[8], norder;

static void
writer_main(void *arg)
{
	(void)arg;
	rw_enter(&rw, RW_WRITER);
	order[norder++] = 'w';
	ck_assert(rw_write_held(&rw));
	rw_exit(&rw);
}

static void
late_reader_main(void *arg)
{
	(void)arg;
	rw_enter(&rw, RW_READER);
	order[norder++] = 'r';
	rw_exit(&rw);
}

static void
writer_goes_first(void *arg)
{
	struct sched_thread *w, *r;

	(void)arg;
	norder = 0;
	rw_init(&rw, NULL, RW_DRIVER, NULL);
	rw_enter(&rw, RW_READER);
	ck_assert_int_eq(sched_thread_start("writer", writer_main, NULL, &w), 0);
	sim_settle();
	ck_assert(!rw_tryenter(&rw, RW_READER));
	ck_assert_int_eq(sched_thread_start("reader", late_reader_main, NULL, &r), 0);
	sim_settle();
	ck_assert_int_eq(norder, 0);
	rw_exit(&rw);
	sched_thread_join(w);
	sched_thread_join(r);
	ck_assert_int_eq(order[0], 'w');
	ck_assert_int_eq(order[1], 'r');
	rw_destroy(&rw);
}

START_TEST(waiting_writer_keeps_readers_out)
{
	for (uint64_t seed = 0; seed < 20; seed++)
		sim_run(&(struct sim_opts){ .seed = seed, .yield_per_1024 = 200 },
		    writer_goes_first, NULL);
}
END_TEST

START_TEST(rwlock_changes_sides)
{
	recorder_start();
	rw_init(&rw, NULL, RW_DRIVER, NULL);
	ck_assert(rw_tryenter(&rw, RW_WRITER));
	ck_assert(RW_WRITE_HELD(&rw) && RW_LOCK_HELD(&rw) && !RW_READ_HELD(&rw));
	ck_assert(!rw_tryenter(&rw, RW_READER));
	rw_downgrade(&rw);
	ck_assert(RW_READ_HELD(&rw) && !RW_WRITE_HELD(&rw) && rw_read_locked(&rw));
	ck_assert(rw_tryenter(&rw, RW_READER));
	ck_assert(!rw_tryupgrade(&rw));
	rw_exit(&rw);
	ck_assert(rw_tryupgrade(&rw));
	ck_assert(RW_WRITE_HELD(&rw));
	rw_enter(&rw, RW_READER);
	ck_assert(recorder_broke("rw-recursive"));
	rw_destroy(&rw);
	ck_assert(recorder_broke("rw-destroy-held"));
	rw_exit(&rw);
	ck_assert_uint_eq(recorder_violations(), 2);
	rw_exit(&rw);
	rw_downgrade(&rw);
	ck_assert(recorder_broke("rw-not-held"));
	ck_assert_uint_eq(recorder_violations(), 4);
	rw_destroy(&rw);
}
END_TEST

CHECK_MAIN("mutex", excludes_threads, excludes_threads_in_simulation, owner_is_exact,
#ifdef SCSAD_DEBUG
    misuse_is_reported,
#endif
    waiting_writer_keeps_readers_out, rwlock_changes_sides)
