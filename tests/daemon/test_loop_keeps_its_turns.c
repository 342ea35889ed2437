/* loops: order of works, end of turn, calls across, busy poll, watchdog */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/fault.h"
#include "check_main.h"
#include "daemon/loop.h"
#include "ddi/sched.h"

static struct loops *loops;
static int order[100];
static unsigned int n_order;

struct item {
	struct lu_work work;
	int number;
};

static void
begin(unsigned int n, uint32_t busy_us)
{
	const struct loops_conf conf = { .n = n, .busy_poll_us = busy_us };

	n_order = 0;
	ck_assert_int_eq(loops_new(&conf, &loops), 0);
	ck_assert_uint_eq(loops_count(loops), n);
}

static void
item_run(struct lu_work *w)
{
	order[n_order++] = container_of(w, struct item, work)->number;
}

static void
nothing(void *arg UNUSED)
{
}

START_TEST(posts_run_in_order)
{
	static struct item items[100];

	begin(1, 0);
	for (int i = 0; i < 100; i++) {
		items[i].number = i;
		loop_post(loops_get(loops, 0), &items[i].work, item_run);
	}
	loop_call(loops_get(loops, 0), nothing, NULL);
	ck_assert_uint_eq(n_order, 100);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(order[i], i);
	loops_free(loops);
}
END_TEST

static struct item late[2];

static void
defer_both(void *arg)
{
	struct loop *loop = arg;

	ck_assert_ptr_eq(loop_current(), loop);
	ck_assert(loop_is_here(loop));
	ck_assert(lu_exec_is_here(loop_exec(loop)));
	ck_assert(sched_is_interrupt());
	ck_assert_uint_eq(sched_cpu_hint(), loop_index(loop));
	late[0].number = 1;
	late[1].number = 2;
	loop_defer(loop, &late[0].work, item_run);
	lu_exec_to(loop_exec(loop), &late[1].work, item_run);
	/* not yet */
	ck_assert_uint_eq(n_order, 0);
}

START_TEST(deferred_works_run_at_the_end_of_the_turn)
{
	struct loop *loop;

	begin(2, 0);
	loop = loops_get(loops, 1);
	loop_call(loop, defer_both, loop);
	loop_call(loop, nothing, NULL);
	ck_assert_uint_eq(n_order, 2);
	ck_assert_int_eq(order[0], 1);
	ck_assert_int_eq(order[1], 2);
	ck_assert_ptr_null(loop_current());
	ck_assert(!lu_exec_is_here(loop_exec(loop)));
	loops_free(loops);
}
END_TEST

START_TEST(stop_runs_what_was_posted)
{
	static struct item items[50];

	begin(1, 20);
	for (int i = 0; i < 50; i++)
		loop_post(loops_get(loops, 0), &items[i].work, item_run);
	loops_stop(loops);
	ck_assert_uint_eq(n_order, 50);
	loops_free(loops);
}
END_TEST

/* three pollers: the second ends the third and, later, itself; the first begins the third anew */
static struct loop_poller pollers[3];
static _Atomic unsigned int polls[3];

static unsigned int
poll_first(struct loop_poller *p)
{
	if (polls[2] == 1 && pollers[2].loop == NULL && polls[1] > 1)
		loop_poll_begin(p->loop, &pollers[2]);
	if (++polls[0] == 1000)
		loop_poll_end(p);
	return 1;
}

static unsigned int
poll_second(struct loop_poller *p)
{
	if (++polls[1] == 2)
		loop_poll_end(&pollers[2]);
	if (polls[1] == 500)
		loop_poll_end(p);
	return 0;
}

static unsigned int
poll_third(struct loop_poller *p)
{
	if (++polls[2] == 200) {
		loop_poll_end(p);
		loop_poll_end(p);
	}
	return 0;
}

static void
pollers_begin(void *arg)
{
	static unsigned int (*const fns[3])(struct loop_poller *) = { poll_first, poll_second,
		poll_third };

	for (size_t i = 0; i < ARRAY_LEN(pollers); i++) {
		polls[i] = 0;
		pollers[i] = (struct loop_poller){ .poll = fns[i] };
		loop_poll_begin(arg, &pollers[i]);
		loop_poll_begin(arg, &pollers[i]);
	}
}

static unsigned int
poll_for_ever(struct loop_poller *p UNUSED)
{
	polls[0]++;
	return 100;
}

static void
endless_begin(void *arg)
{
	polls[0] = 0;
	pollers[0] = (struct loop_poller){ .poll = poll_for_ever };
	loop_poll_begin(arg, &pollers[0]);
}

START_TEST(pollers_run_until_they_end)
{
	struct loop *loop;

	begin(1, 0);
	loop = loops_get(loops, 0);
	ck_assert_uint_eq(loop_busy_poll_ns(loop), 0);
	loop_call(loop, pollers_begin, loop);
	/* calls are served meanwhile, since events are looked for */
	while (polls[0] < 1000)
		loop_call(loop, nothing, NULL);
	loop_call(loop, nothing, NULL);
	ck_assert_uint_eq(polls[0], 1000);
	ck_assert_uint_eq(polls[1], 500);
	ck_assert_uint_eq(polls[2], 200);
	loops_free(loops);

	/* one that never ends does not keep others from being served, or the loop from stopping */
	begin(1, 30);
	loop = loops_get(loops, 0);
	ck_assert_uint_eq(loop_busy_poll_ns(loop), 30000);
	loop_call(loop, endless_begin, loop);
	for (unsigned int i = 0; i < 100; i++)
		loop_call(loop, nothing, NULL);
	ck_assert_uint_gt(polls[0], 0);
	loops_free(loops);
}
END_TEST

static pthread_barrier_t barrier;

static void
block(struct lu_work *w UNUSED)
{
	(void)pthread_barrier_wait(&barrier);
	(void)pthread_barrier_wait(&barrier);
}

START_TEST(a_loop_that_hangs_is_noticed)
{
	static struct lu_work w;

	begin(2, 0);
	ck_assert(loops_are_alive(loops));
	loop_call(loops_get(loops, 0), nothing, NULL);
	loop_call(loops_get(loops, 1), nothing, NULL);
	ck_assert(loops_are_alive(loops));
	loop_call(loops_get(loops, 0), nothing, NULL);
	loop_call(loops_get(loops, 1), nothing, NULL);
	(void)pthread_barrier_init(&barrier, NULL, 2);
	loop_post(loops_get(loops, 1), &w, block);
	(void)pthread_barrier_wait(&barrier);
	(void)loops_are_alive(loops);
	ck_assert(!loops_are_alive(loops));
	(void)pthread_barrier_wait(&barrier);
	loops_free(loops);
}
END_TEST

START_TEST(each_failure_at_start_is_clean)
{
	const struct loops_conf conf = { .n = 3 };
	bool was_hit = true;

	for (int64_t n = 1; was_hit; n++) {
		int r;

		fault_arm(n);
		r = loops_new(&conf, &loops);
		was_hit = fault_disarm();
		if (r == 0)
			loops_free(loops);
		else
			ck_assert(was_hit);
	}
}
END_TEST

CHECK_MAIN("loop", posts_run_in_order, deferred_works_run_at_the_end_of_the_turn,
    stop_runs_what_was_posted, pollers_run_until_they_end, a_loop_that_hangs_is_noticed,
    each_failure_at_start_is_clean)
