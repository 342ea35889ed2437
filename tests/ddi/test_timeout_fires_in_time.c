#include <sys/ddi.h>
#include <sys/sunddi.h>

#include "check_main.h"
#include "ddi/sched.h"
#include "ddi/sim.h"

static int seen[128], nseen;
static uint64_t seen_us[128];
static bool was_interrupt;
static timeout_id_t own_id;
static clock_t own_answer;

static void
note(void *arg)
{
	was_interrupt = sched_is_interrupt();
	seen_us[nseen] = sim_now_us();
	seen[nseen++] = (int)(intptr_t)arg;
}

static void
order_in_sim(void *arg)
{
	(void)arg;
	nseen = 0;
	for (int i = 0; i < 100; i++)
		(void)timeout(note, (void *)(intptr_t)(i * 37 % 100), 10 + i * 37 % 100);
	sim_advance_us(109000);
	ck_assert_int_eq(nseen, 100);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(seen[i], i);
		ck_assert_uint_eq(seen_us[i], (uint64_t)(10 + i) * 1000);
	}
	ck_assert(was_interrupt);
	ck_assert(!sched_is_interrupt());
}

START_TEST(in_order_and_exactly)
{
	for (uint64_t seed = 0; seed < 5; seed++)
		sim_run(&(struct sim_opts){ .seed = seed, .yield_per_1024 = 100 },
		    order_in_sim, NULL);
}
END_TEST

static void
cancel_in_sim(void *arg)
{
	timeout_id_t a, b;

	(void)arg;
	nseen = 0;
	a = timeout(note, (void *)1, 100);
	b = timeout(note, (void *)2, 50);
	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_ne(a, b);
	sim_advance_us(20000);
	ck_assert_int_eq(untimeout(a), 80);
	ck_assert_int_eq(untimeout(a), -1);
	sim_advance_us(200000);
	ck_assert_int_eq(nseen, 1);
	ck_assert_int_eq(seen[0], 2);
	ck_assert_int_eq(untimeout(b), -1);
	ck_assert_int_eq(untimeout(NULL), -1);
	(void)timeout(note, (void *)3, -4);
	sim_settle();
	sim_advance_us(0);
	ck_assert_int_eq(nseen, 2);
}

START_TEST(cancelled_is_not_called)
{
	sim_run(&(struct sim_opts){ .seed = 2 }, cancel_in_sim, NULL);
}
END_TEST

static void
cancel_many_in_sim(void *arg)
{
	timeout_id_t ids[90];

	(void)arg;
	nseen = 0;
	for (int i = 0; i < 90; i++)
		ids[i] = timeout(note, (void *)(intptr_t)i, 1 + i * 53 % 90);
	for (int i = 0; i < 90; i += 3)
		ck_assert_int_ge(untimeout(ids[i]), 0);
	sim_advance_us(MICROSEC);
	ck_assert_int_eq(nseen, 60);
	for (int i = 0; i < 60; i++)
		ck_assert_int_ne(seen[i] % 3, 0);
	for (int i = 1; i < 60; i++)
		ck_assert_uint_lt(seen_us[i - 1], seen_us[i]);
}

START_TEST(cancelling_keeps_the_order_of_the_rest)
{
	sim_run(&(struct sim_opts){ .seed = 2 }, cancel_many_in_sim, NULL);
}
END_TEST

static void
blocking(void *arg)
{
	drv_usecwait(5 * MICROSEC);
	note(arg);
}

static void
blocked_in_sim(void *arg)
{
	timeout_id_t id;
	uint64_t start;

	(void)arg;
	nseen = 0;
	id = timeout(blocking, (void *)1, 1);
	for (int i = 0; i < 6; i++)
		(void)timeout(blocking, (void *)9, 2);
	(void)timeout(note, (void *)2, 10);
	sim_advance_us(20000);
	ck_assert_int_eq(nseen, 1);		/* not held up by those that block */
	ck_assert_int_eq(seen[0], 2);
	start = sim_now_us();
	ck_assert_int_eq(untimeout(id), -1);	/* waits for the running one */
	ck_assert_int_eq(seen[1], 1);
	ck_assert_uint_gt(sim_now_us() - start, 4 * MICROSEC);
	sim_advance_us(MICROSEC);
	ck_assert_int_eq(nseen, 8);
}

START_TEST(blocking_callback_holds_up_nobody)
{
	sim_run(&(struct sim_opts){ .seed = 2, .yield_per_1024 = 50 }, blocked_in_sim, NULL);
}
END_TEST

static void
cancel_self(void *arg)
{
	own_answer = untimeout(own_id);
	note(arg);
}

static void
self_in_sim(void *arg)
{
	(void)arg;
	nseen = 0;
	own_answer = 5;
	own_id = timeout(cancel_self, NULL, 3);
	sim_advance_us(10000);
	ck_assert_int_eq(nseen, 1);
	ck_assert_int_eq(own_answer, -1);
	(void)timeout(note, NULL, 1000);	/* dropped at the end of the simulation */
}

START_TEST(cancel_from_inside_does_not_wait)
{
	sim_run(&(struct sim_opts){ .seed = 2 }, self_in_sim, NULL);
	ck_assert_int_eq(nseen, 1);
}
END_TEST

static kmutex_t lock;
static kcondvar_t cv;

static void
tell(void *arg)
{
	mutex_enter(&lock);
	*(int *)arg = 1;
	cv_signal(&cv);
	mutex_exit(&lock);
}

START_TEST(native_clock_too)
{
	clock_t start = ddi_get_lbolt();
	int is_told = 0;

	mutex_init(&lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&cv, NULL, CV_DRIVER, NULL);
	(void)timeout(tell, &is_told, 3);
	mutex_enter(&lock);
	while (!is_told)
		cv_wait(&cv, &lock);
	mutex_exit(&lock);
	ck_assert_int_ge(ddi_get_lbolt() - start, 2);
	ck_assert_int_gt(untimeout(timeout(tell, &is_told, 1000 * hz)), 900 * hz);
	(void)timeout(tell, &is_told, 1000 * hz);
	sched_services_stop();
	cv_destroy(&cv);
	mutex_destroy(&lock);
}
END_TEST

CHECK_MAIN("timeout", in_order_and_exactly, cancelled_is_not_called,
    cancelling_keeps_the_order_of_the_rest, blocking_callback_holds_up_nobody,
    cancel_from_inside_does_not_wait, native_clock_too)
