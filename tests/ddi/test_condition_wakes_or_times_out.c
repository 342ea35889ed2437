#include <sys/ddi.h>
#include <sys/sunddi.h>

#include "check_main.h"
#include "ddi/sched.h"
#include "ddi/sim.h"
#include "mock_recorder.h"

#define WAITERS	3

static kmutex_t lock;
static kcondvar_t cv;
static int go, woken;

static void
waiter_main(void *arg)
{
	(void)arg;
	mutex_enter(&lock);
	while (go == 0)
		ck_assert_int_eq(cv_wait_sig(&cv, &lock), 1);
	go--;
	woken++;
	mutex_exit(&lock);
}

static void
setup(void)
{
	go = woken = 0;
	mutex_init(&lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&cv, NULL, CV_DRIVER, NULL);
}

static void
cleanup(void)
{
	cv_destroy(&cv);
	mutex_destroy(&lock);
}

static void
give(int n, bool is_broadcast)
{
	mutex_enter(&lock);
	go += n;
	if (is_broadcast)
		cv_broadcast(&cv);
	else
		cv_signal(&cv);
	mutex_exit(&lock);
}

static void
signals_in_sim(void *arg)
{
	struct sched_thread *t[WAITERS];

	(void)arg;
	setup();
	for (int i = 0; i < WAITERS; i++)
		ck_assert_int_eq(sched_thread_start("waiter", waiter_main, NULL, &t[i]), 0);
	sim_settle();
	ck_assert_int_eq(woken, 0);
	give(1, false);
	sim_settle();
	ck_assert_int_eq(woken, 1);
	give(WAITERS - 1, true);
	for (int i = 0; i < WAITERS; i++)
		sched_thread_join(t[i]);
	ck_assert_int_eq(woken, WAITERS);
	cleanup();
}

START_TEST(signal_wakes_one_broadcast_all)
{
	for (uint64_t seed = 0; seed < 10; seed++)
		sim_run(&(struct sim_opts){ .seed = seed, .yield_per_1024 = 100 },
		    signals_in_sim, NULL);
}
END_TEST

START_TEST(native_threads_wake)
{
	struct sched_thread *t[WAITERS];

	setup();
	for (int i = 0; i < WAITERS; i++)
		ck_assert_int_eq(sched_thread_start("waiter", waiter_main, NULL, &t[i]), 0);
	give(WAITERS, true);
	for (int i = 0; i < WAITERS; i++)
		sched_thread_join(t[i]);
	ck_assert_int_eq(woken, WAITERS);
	cleanup();
}
END_TEST

static void
times_in_sim(void *arg)
{
	struct sched_thread *t;
	clock_t start = ddi_get_lbolt(), left;
	hrtime_t start_ns = gethrtime();

	(void)arg;
	setup();
	mutex_enter(&lock);
	ck_assert_int_eq(cv_timedwait(&cv, &lock, start), -1);
	ck_assert_int_eq(cv_timedwait(&cv, &lock, start + 50), -1);
	ck_assert_int_eq(ddi_get_lbolt() - start, 50);
	ck_assert_int_eq(cv_reltimedwait(&cv, &lock, SEC_TO_TICK(5), TR_CLOCK_TICK), -1);
	ck_assert_int_eq(ddi_get_lbolt() - start, 50 + 5 * hz);
	ck_assert_int_eq(cv_timedwait_hires(&cv, &lock, 1500, 1, 0), -1);
	ck_assert_int_eq(gethrtime() - start_ns, SEC2NSEC(5) + 50 * NANOSEC / hz + 1500);
	ck_assert_int_eq(cv_timedwait_hires(&cv, &lock, gethrtime(), 1, CALLOUT_FLAG_ABSOLUTE),
	    -1);
	ck_assert(mutex_owned(&lock));
	mutex_exit(&lock);

	ck_assert_int_eq(sched_thread_start("waiter", waiter_main, NULL, &t), 0);
	mutex_enter(&lock);
	go = 1;
	cv_signal(&cv);
	left = cv_reltimedwait_sig(&cv, &lock, 10, TR_CLOCK_TICK);
	ck_assert_int_eq(left, -1);
	mutex_exit(&lock);
	sched_thread_join(t);
	cleanup();
}

START_TEST(waits_end_exactly_in_time)
{
	sim_run(&(struct sim_opts){ .seed = 3 }, times_in_sim, NULL);
}
END_TEST

static void
signal_main(void *arg)
{
	delay(*(clock_t *)arg);
	give(1, true);
}

static void
woken_before_the_end(void *arg)
{
	struct sched_thread *t;
	clock_t after = 30;

	(void)arg;
	setup();
	ck_assert_int_eq(sched_thread_start("signal", signal_main, &after, &t), 0);
	mutex_enter(&lock);
	ck_assert_int_eq(cv_reltimedwait(&cv, &lock, 100, TR_CLOCK_TICK), 70);
	mutex_exit(&lock);
	sched_thread_join(t);
	cleanup();
}

START_TEST(what_was_left_is_told)
{
	sim_run(&(struct sim_opts){ .seed = 3 }, woken_before_the_end, NULL);
}
END_TEST

START_TEST(native_wait_times_out)
{
	clock_t start = ddi_get_lbolt();

	setup();
	mutex_enter(&lock);
	ck_assert_int_eq(cv_reltimedwait(&cv, &lock, 5, TR_CLOCK_TICK), -1);
	mutex_exit(&lock);
	ck_assert_int_ge(ddi_get_lbolt() - start, 5);
	cleanup();
}
END_TEST

#ifdef SCSAD_DEBUG
START_TEST(misuse_is_reported)
{
	kcondvar_t raw = { 0 };

	recorder_start();
	setup();
	cv_wait(&cv, &lock);
	ck_assert(recorder_broke("mutex-not-owner"));
	mutex_enter(&lock);
	cv_wait(&raw, &lock);
	ck_assert(recorder_broke("cv-uninitialized"));
	ck_assert(!sched_set_interrupt(true));
	(void)cv_reltimedwait(&cv, &lock, 1, TR_CLOCK_TICK);
	ck_assert(sched_set_interrupt(false));
	ck_assert(recorder_broke("sleep-in-interrupt"));
	ck_assert_uint_eq(recorder_violations(), 3);
	mutex_exit(&lock);
	cleanup();
}
END_TEST
#endif

static void
times_pass(void *arg)
{
	uint64_t start = sim_now_us();
	time_t day = ddi_get_time();

	(void)arg;
	drv_usecwait(3);
	ck_assert_uint_eq(sim_now_us() - start, 3);
	(void)sched_set_interrupt(true);
	drv_usecwait(2000);
	(void)sched_set_interrupt(false);
	ck_assert_uint_eq(sim_now_us() - start, 2003);
	delay(drv_usectohz(7 * MICROSEC));
	ck_assert_uint_eq(sim_now_us() - start, 2003 + 7 * MICROSEC);
	ck_assert_int_eq(ddi_get_time() - day, 7);
	ck_assert_int_eq(ddi_get_lbolt64(), ddi_get_lbolt());
	delay(0);
}

START_TEST(ticks_and_waits)
{
	ck_assert_int_eq(drv_usectohz(0), 0);
	ck_assert_int_eq(drv_usectohz(-5), 0);
	ck_assert_int_eq(drv_usectohz(1), 1);
	ck_assert_int_eq(drv_usectohz(MICROSEC), hz);
	ck_assert_int_eq(drv_usectohz(MICROSEC + 1), hz + 1);
	ck_assert_int_eq(drv_hztousec(hz), MICROSEC);
	ck_assert_int_eq(drv_hztousec(-1), 0);
	ck_assert_int_gt(ddi_get_time(), 1000000000);
	drv_usecwait(2);
	drv_usecwait(20);
	drv_usecwait(-1);
	sim_run(&(struct sim_opts){ .seed = 3 }, times_pass, NULL);
}
END_TEST

CHECK_MAIN("condition", signal_wakes_one_broadcast_all, native_threads_wake,
    waits_end_exactly_in_time, what_was_left_is_told, native_wait_times_out,
#ifdef SCSAD_DEBUG
    misuse_is_reported,
#endif
    ticks_and_waits)
