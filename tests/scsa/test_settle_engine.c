/*
 * The settle engine by itself: real threads that report at random, and the questions one can
 * ask.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "ddi/sched.h"
#include "ddi/sim.h"
#include "scsa/settle.h"
#include "tests/include/check_main.h"

#define ADDRS		32
#define REPORTERS	6
#define ROUNDS		2000
#define HANGS_US	300000000u	/* what has not settled by then, never will */

static struct world {
	struct settle *set;
	_Atomic int lives[ADDRS];		/* activate minus deactivate */
	_Atomic int values_out, values_back;	/* reports with a value; how many came back */
	_Atomic int activates, refreshes, busy;
	_Atomic bool refuses;
	_Atomic uint64_t ready_ns;		/* nothing is activated before */
	enum settle_mode mode;
} w;

static int
index_of(const char *addr)
{
	return addr[0] - '@';
}

static bool
on_is_ready(void *arg)
{
	(void)arg;
	return clock_now_ns() >= atomic_load(&w.ready_ns);
}

static void
on_activate(void *arg, const char *addr, void **privp)
{
	(void)arg;
	(void)privp;
	ck_assert_int_eq(atomic_fetch_add(&w.lives[index_of(addr)], 1), 0);
	atomic_fetch_add(&w.activates, 1);
}

static int
on_configure(void *arg, const char *addr, void *priv)
{
	(void)arg;
	(void)priv;
	atomic_fetch_add(&w.busy, 1);
	sched_sleep_ns(10 * NS_PER_US);
	atomic_fetch_sub(&w.busy, 1);
	return index_of(addr) == 3 ? -EIO : 0;
}

static int
on_unconfigure(void *arg, const char *addr, void *priv)
{
	(void)arg;
	(void)priv;
	return index_of(addr) == 5 && atomic_exchange(&w.refuses, false) ? -EBUSY : 0;
}

static void
on_deactivate(void *arg, const char *addr, void *priv, enum settle_end why)
{
	(void)arg;
	(void)priv;
	if (why != SETTLE_UNSTABLE)
		ck_assert_int_eq(atomic_fetch_sub(&w.lives[index_of(addr)], 1), 1);
}

static void
on_refresh(void *arg, const char *addr, void *priv)
{
	(void)arg;
	(void)priv;
	ck_assert_int_eq(atomic_load(&w.lives[index_of(addr)]), 1);
	atomic_fetch_add(&w.refreshes, 1);
}

static const struct settle_ops ops = {
	.is_ready = on_is_ready,
	.activate = on_activate,
	.configure = on_configure,
	.unconfigure = on_unconfigure,
	.deactivate = on_deactivate,
	.refresh = on_refresh,
};

static void
world_new(enum settle_mode mode, uint32_t settle_us)
{
	const struct settle_conf conf = {
		.name = "test",
		.mode = mode,
		.settle_us = settle_us,
		.helpers = 99,
		.ops = &ops,
	};

	memset(&w, 0, sizeof(w));
	w.mode = mode;
	ck_assert_int_eq(settle_new(&conf, &w.set), 0);
}

static void
world_free(void)
{
	settle_free(w.set);
	for (int i = 0; i < ADDRS; i++)
		ck_assert_int_eq(atomic_load(&w.lives[i]), 0);
}

static void
report_some(struct rng *rng)
{
	char addr[2] = { (char)('@' + (int)rng_below(rng, ADDRS)), '\0' };

	switch (rng_below(rng, 8)) {
	case 0:
		(void)settle_touch(w.set, addr);
		break;
	case 1:
		if (w.mode == SETTLE_FULLSET)
			ck_assert_int_eq(settle_begin(w.set), 0);
		else
			ck_assert_int_eq(settle_withdraw(w.set, addr), 0);
		break;
	case 2:
		if (w.mode == SETTLE_FULLSET)
			(void)settle_end(w.set);
		else
			(void)settle_is_up(w.set, addr);
		break;
	default:
		if (w.mode == SETTLE_FULLSET)
			(void)settle_add(w.set, addr, &w);
		else
			ck_assert_int_eq(settle_report(w.set, addr, &w), 0);
	}
}

static void *
reporter(void *arg)
{
	struct rng rng = rng_init((uint64_t)(uintptr_t)arg);

	for (int i = 0; i < ROUNDS; i++)
		report_some(&rng);
	return NULL;
}

static void
run_threads(enum settle_mode mode)
{
	pthread_t threads[REPORTERS];

	world_new(mode, 50);
	atomic_store(&w.refuses, true);
	for (uintptr_t i = 0; i < REPORTERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, reporter, (void *)(i + 1)),
		    0);
	for (int i = 0; i < REPORTERS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	if (mode == SETTLE_FULLSET) {
		ck_assert_int_eq(settle_begin(w.set), 0);
		ck_assert_int_eq(settle_add(w.set, "A", NULL), 0);
		ck_assert_int_eq(settle_end(w.set), 0);
	} else {
		ck_assert_int_eq(settle_report(w.set, "A", NULL), 0);
	}
	ck_assert(settle_sync(w.set, HANGS_US, false));
	ck_assert(settle_is_up(w.set, "A"));
	ck_assert(!settle_is_up(w.set, "C"));
	settle_touch_all(w.set);
	ck_assert(settle_sync(w.set, HANGS_US, false));
	ck_assert_int_gt(atomic_load(&w.refreshes), 0);
	world_free();
	ck_assert_int_gt(atomic_load(&w.activates), 0);
}

START_TEST(c84_reports_from_many_threads_one_by_one)
{
	run_threads(SETTLE_PERADDR);
}
END_TEST

START_TEST(c84_reports_from_many_threads_as_sets)
{
	run_threads(SETTLE_FULLSET);
}
END_TEST

static void
questions(void *arg)
{
	const uint64_t forever = 1000 * NS_PER_S;
	char addr[SETTLE_ADDR_MAX + 1];
	uint64_t seen = 0;

	(void)arg;
	world_new(SETTLE_PERADDR, 1000);
	ck_assert_int_eq(settle_report(w.set, "", NULL), -EINVAL);
	ck_assert_int_eq(settle_report(w.set, NULL, NULL), -EINVAL);
	ck_assert_int_eq(settle_report(w.set, "0123456789012345678901234567890123456789"
	    "012345678901234567890123", NULL), -EINVAL);
	ck_assert_int_eq(settle_begin(w.set), -EINVAL);
	ck_assert(!settle_has_reports(w.set));
	ck_assert_int_eq(settle_report(w.set, "B", NULL), 0);
	ck_assert_int_eq(settle_report(w.set, "A", NULL), 0);
	ck_assert(settle_has_reports(w.set));
	ck_assert_uint_eq(settle_size(w.set), 2);
	ck_assert(!settle_sync(w.set, 500, false));
	ck_assert(settle_wait_change(w.set, &seen, clock_now_ns() + forever));
	ck_assert(settle_sync(w.set, 100000, true));
	ck_assert(!settle_wait_change(w.set, &seen, clock_now_ns() + 5) ||
	    !settle_wait_change(w.set, &seen, clock_now_ns() + 5));
	ck_assert(settle_next_up(w.set, NULL, addr));
	ck_assert_str_eq(addr, "A");
	ck_assert(settle_next_up(w.set, addr, addr));
	ck_assert_str_eq(addr, "B");
	ck_assert(!settle_next_up(w.set, addr, addr));
	ck_assert(settle_touch(w.set, "A"));
	ck_assert(!settle_touch(w.set, "C"));
	ck_assert_int_eq(settle_clear(w.set), 0);
	ck_assert_uint_eq(settle_size(w.set), 0);
	ck_assert_int_eq(settle_report(w.set, "E", NULL), 0);
	ck_assert(settle_sync(w.set, 100000, false));
	atomic_store(&w.refuses, true);
	ck_assert_int_eq(settle_clear(w.set), -EBUSY);
	ck_assert(settle_is_up(w.set, "E"));
	ck_assert_int_eq(settle_close(w.set), 0);
	ck_assert_int_eq(settle_report(w.set, "A", NULL), -ESHUTDOWN);
	ck_assert_int_eq(settle_close(w.set), 0);
	world_free();
	settle_free(NULL);
	ck_assert_int_eq(settle_close(NULL), 0);
}

START_TEST(settle_answers_questions)
{
	const struct sim_opts opts = { .seed = 1 };

	sim_run(&opts, questions, NULL);
}
END_TEST

/* what is reported while a set is cleared, and then taken away, does not come to life before that */
static void
pausing(void *arg)
{
	(void)arg;
	world_new(SETTLE_PERADDR, 1000);
	ck_assert_int_eq(settle_report(w.set, "A", NULL), 0);
	ck_assert(settle_sync(w.set, 100000, false));
	settle_pause(w.set, true);
	ck_assert_int_eq(settle_report(w.set, "B", NULL), 0);
	ck_assert_int_eq(settle_clear(w.set), 0);
	ck_assert_int_eq(settle_report(w.set, "D", NULL), 0);
	ck_assert(!settle_sync(w.set, 100000, false));
	ck_assert(!settle_is_up(w.set, "A") && !settle_is_up(w.set, "D"));
	settle_pause(w.set, false);
	ck_assert(settle_sync(w.set, 100000, false));
	ck_assert(!settle_is_up(w.set, "B") && settle_is_up(w.set, "D"));
	/* and its end is not put off */
	settle_pause(w.set, true);
	ck_assert_int_eq(settle_report(w.set, "A", NULL), 0);
	world_free();
}

START_TEST(settle_may_pause)
{
	const struct sim_opts opts = { .seed = 1 };

	sim_run(&opts, pausing, NULL);
}
END_TEST

/* who waits does not give up while the worker has yet to come to what has settled, as on a machine
 * under load */
static void
late(void *arg)
{
	enum settle_mode mode = *(enum settle_mode *)arg;

	world_new(mode, 1000);
	atomic_store(&w.ready_ns, clock_now_ns() + 2 * NS_PER_S);
	if (mode == SETTLE_FULLSET) {
		ck_assert_int_eq(settle_begin(w.set), 0);
		ck_assert_int_eq(settle_add(w.set, "A", NULL), 0);
		ck_assert_int_eq(settle_end(w.set), 0);
	} else {
		ck_assert_int_eq(settle_report(w.set, "A", NULL), 0);
	}
	(void)settle_sync(w.set, 10000, false);
	ck_assert(settle_is_up(w.set, "A"));
	/* but for ever nobody waits */
	atomic_store(&w.ready_ns, UINT64_MAX);
	if (mode == SETTLE_PERADDR) {
		ck_assert_int_eq(settle_report(w.set, "B", NULL), 0);
		ck_assert(!settle_sync(w.set, 10000, false));
	}
	world_free();
}

START_TEST(settle_waits_for_a_late_worker)
{
	for (enum settle_mode mode = SETTLE_FULLSET; mode <= SETTLE_PERADDR; mode++) {
		const struct sim_opts opts = { .seed = 1 };

		sim_run(&opts, late, &mode);
	}
}
END_TEST

static void
begins(void *arg)
{
	(void)arg;
	world_new(SETTLE_FULLSET, 1000);
	for (int i = 0; i < 300; i++)
		ck_assert_int_eq(settle_begin(w.set), 0);
	ck_assert_int_eq(settle_report(w.set, "A", NULL), -EINVAL);
	ck_assert(!settle_sync(w.set, 100000, false));
	world_free();
}

START_TEST(settle_complains_about_sets_without_end)
{
	const struct sim_opts opts = { .seed = 1 };

	sim_run(&opts, begins, NULL);
}
END_TEST

CHECK_MAIN("settle engine",
    c84_reports_from_many_threads_one_by_one,
    c84_reports_from_many_threads_as_sets,
    settle_answers_questions, settle_may_pause, settle_waits_for_a_late_worker,
    settle_complains_about_sets_without_end)
