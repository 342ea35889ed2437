#include <sys/ddi.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "check_main.h"
#include "ddi/sched.h"
#include "ddi/sim.h"
#include "mock_recorder.h"

static int seen[64], nseen;
static ddi_taskq_t *tq;

static void
note_task(void *arg)
{
	seen[nseen++] = (int)(intptr_t)arg;
}

static void
slow_task(void *arg)
{
	delay(100);
	note_task(arg);
}

static void
again_task(void *arg)
{
	note_task(arg);
	if ((intptr_t)arg < 3)
		ck_assert_int_eq(ddi_taskq_dispatch(tq, again_task,
		    (void *)((intptr_t)arg + 1), DDI_NOSLEEP), DDI_SUCCESS);
}

static void
dispatch(void (*fn)(void *), int n)
{
	ck_assert_int_eq(ddi_taskq_dispatch(tq, fn, (void *)(intptr_t)n, DDI_SLEEP),
	    DDI_SUCCESS);
}

static void
fifo(void *arg)
{
	(void)arg;
	nseen = 0;
	tq = ddi_taskq_create(NULL, "fifo", 1, TASKQ_DEFAULTPRI, 0);
	for (int i = 0; i < 40; i++)
		dispatch(note_task, i);
	ddi_taskq_wait(tq);
	ck_assert_int_eq(nseen, 40);
	for (int i = 0; i < 40; i++)
		ck_assert_int_eq(seen[i], i);
	ddi_taskq_destroy(tq);
}

START_TEST(one_thread_is_fifo)
{
	fifo(NULL);
	for (uint64_t seed = 0; seed < 10; seed++)
		sim_run(&(struct sim_opts){ .seed = seed, .yield_per_1024 = 300 }, fifo, NULL);
}
END_TEST

static void
suspend_then_wait(void *arg)
{
	(void)arg;
	nseen = 0;
	tq = ddi_taskq_create(NULL, "held", 1, TASKQ_DEFAULTPRI, 0);
	dispatch(slow_task, 1);
	sim_settle();
	dispatch(note_task, 2);
	ddi_taskq_suspend(tq);
	ck_assert(ddi_taskq_suspended(tq));
	ck_assert_int_eq(nseen, 0);
	ddi_taskq_wait(tq);		/* for the running one only */
	ck_assert_int_eq(nseen, 1);
	sim_advance_us(MICROSEC);
	ck_assert_int_eq(nseen, 1);
	ddi_taskq_resume(tq);
	ck_assert(!ddi_taskq_suspended(tq));
	ddi_taskq_wait(tq);
	ck_assert_int_eq(nseen, 2);

	ddi_taskq_suspend(tq);
	dispatch(note_task, 3);
	ddi_taskq_wait(tq);
	ck_assert_int_eq(nseen, 2);
	ddi_taskq_destroy(tq);		/* runs what is queued */
	ck_assert_int_eq(nseen, 3);
}

START_TEST(suspended_queue_holds_and_wait_returns)
{
	for (uint64_t seed = 0; seed < 10; seed++)
		sim_run(&(struct sim_opts){ .seed = seed, .yield_per_1024 = 100 },
		    suspend_then_wait, NULL);
}
END_TEST

static void
from_inside(void *arg)
{
	(void)arg;
	nseen = 0;
	tq = ddi_taskq_create(NULL, "inside", 1, TASKQ_DEFAULTPRI, 0);
	dispatch(again_task, 0);
	ddi_taskq_wait(tq);
	ck_assert_int_eq(nseen, 4);
	ddi_taskq_destroy(tq);
}

START_TEST(task_may_dispatch_to_its_queue)
{
	sim_run(&(struct sim_opts){ .seed = 5 }, from_inside, NULL);
}
END_TEST

static void
parallel(void *arg)
{
	uint64_t start = sim_now_us();

	(void)arg;
	nseen = 0;
	tq = ddi_taskq_create(NULL, "many", 4, TASKQ_DEFAULTPRI, 0);
	for (int i = 0; i < 4; i++)
		dispatch(slow_task, i);
	ddi_taskq_wait(tq);
	ck_assert_int_eq(nseen, 4);
	ck_assert_uint_eq(sim_now_us() - start, (uint64_t)drv_hztousec(100));
	ddi_taskq_destroy(tq);
}

START_TEST(threads_work_side_by_side)
{
	sim_run(&(struct sim_opts){ .seed = 5 }, parallel, NULL);
}
END_TEST

static void
self_task(void *arg)
{
	ck_assert(taskq_member(arg, NULL));
	ck_assert(taskq_member(arg, curthread));
	taskq_wait(arg);
	taskq_destroy(arg);
}

static void
tell_self(void *arg)
{
	*(kthread_t **)arg = curthread;
}

/* any thread may ask about any other */
START_TEST(members_are_known_to_others)
{
	taskq_t *other = taskq_create("other", 1, minclsyspri, 1, 4, 0);
	kthread_t *member = NULL;

	tq = taskq_create("asked", 3, minclsyspri, 1, 4, 0);
	ck_assert(taskq_dispatch(tq, tell_self, &member, TQ_SLEEP) != TASKQID_INVALID);
	taskq_wait(tq);
	ck_assert_ptr_nonnull(member);
	ck_assert(taskq_member(tq, member));
	ck_assert(!taskq_member(other, member));
	ck_assert(!taskq_member(tq, curthread));
	taskq_destroy(tq);
	taskq_destroy(other);
}
END_TEST

START_TEST(waiting_for_oneself_is_reported)
{
	recorder_start();
	tq = taskq_create("self", 1, minclsyspri, 1, 4, TASKQ_PREPOPULATE);
	ck_assert(taskq_dispatch(tq, self_task, tq, TQ_SLEEP) != TASKQID_INVALID);
	taskq_wait(tq);
	ck_assert_uint_eq(recorder_violations(), 2);
	ck_assert(recorder_broke("taskq-self"));
	ck_assert(!taskq_member(tq, NULL));
	taskq_destroy(tq);
	taskq_destroy(NULL);
}
END_TEST

static void
flags_in_sim(void *arg)
{
	(void)arg;
	nseen = 0;
	tq = taskq_create("flags", 1, minclsyspri, 0, 4, 0);
	ck_assert(taskq_dispatch(tq, note_task, NULL, TQ_NOALLOC) == TASKQID_INVALID);
	taskq_suspend(tq);
	ck_assert(taskq_dispatch(tq, note_task, (void *)1, TQ_NOQUEUE) == TASKQID_INVALID);
	ck_assert(taskq_dispatch(tq, note_task, (void *)2, TQ_SLEEP) != TASKQID_INVALID);
	ck_assert(taskq_dispatch(tq, note_task, (void *)3, TQ_FRONT) != TASKQID_INVALID);
	taskq_resume(tq);
	taskq_wait(tq);
	ck_assert_int_eq(nseen, 2);
	ck_assert_int_eq(seen[0], 3);
	ck_assert_int_eq(seen[1], 2);
	ck_assert(taskq_dispatch(tq, note_task, NULL, TQ_NOALLOC) != TASKQID_INVALID);
	taskq_wait(tq);
	ck_assert(taskq_dispatch(tq, note_task, NULL, TQ_NOQUEUE) != TASKQID_INVALID);
	taskq_destroy(tq);
	ck_assert_int_eq(nseen, 4);
}

START_TEST(flags_are_obeyed)
{
	sim_run(&(struct sim_opts){ .seed = 5 }, flags_in_sim, NULL);
}
END_TEST

START_TEST(nosleep_may_fail)
{
	nseen = 0;
	tq = ddi_taskq_create(NULL, "fail", 1, TASKQ_DEFAULTPRI, 0);
	fault_arm(1);
	ck_assert_int_eq(ddi_taskq_dispatch(tq, note_task, NULL, DDI_NOSLEEP), DDI_FAILURE);
	ck_assert(fault_disarm());
	(void)sched_set_interrupt(true);
	ck_assert_int_eq(ddi_taskq_dispatch(tq, note_task, NULL, DDI_NOSLEEP), DDI_SUCCESS);
	(void)sched_set_interrupt(false);
	ddi_taskq_destroy(tq);
	ck_assert_int_eq(nseen, 1);
	fault_arm(1);
	ck_assert_ptr_null(ddi_taskq_create(NULL, "none", 1, TASKQ_DEFAULTPRI, 0));
	ck_assert(fault_disarm());
}
END_TEST

CHECK_MAIN("taskq", one_thread_is_fifo, suspended_queue_holds_and_wait_returns,
    task_may_dispatch_to_its_queue, threads_work_side_by_side, waiting_for_oneself_is_reported,
    members_are_known_to_others, flags_are_obeyed, nosleep_may_fail)
