/* PREEMPT AND ABORT: answered when the tasks of the preempted have ended, and not before */
#include "check_main.h"
#include "lu/lu_impl.h"
#include "lu/reserve.h"
#include "mock_reserve.h"

static struct rclient a, b, b_twin, x;
static struct ptask read_of_b, read_of_twin, read_of_x;
static struct lu *unit;

static void
begin(void)
{
	port.how = PORT_LATER;
	port_begin();
	unit = port_unit("disk@0,0");
	rc_open(&a, unit, 'a', 1);
	rc_open(&b, unit, 'b', 1);
	rc_open(&b_twin, unit, 'b', 1);
	rc_open(&x, unit, 'x', 1);
	(void)rc_out(&a, PR_REGISTER, 0, 0, 1, 0);
	(void)rc_out(&b, PR_REGISTER, 0, 0, 2, 0);
}

static void
end(void)
{
	rc_leave(&a);
	rc_leave(&b);
	rc_leave(&b_twin);
	rc_leave(&x);
	lu_unref(unit);
	port_end();
}

static void
start_read(struct ptask *t, struct rclient *c)
{
	ptask_init(t, &c->nexus);
	ptask_read(t, 1, 512);
	ck_assert_int_eq(ptask_submit(t), 0);
}

static void
ends_scenario(void *arg UNUSED)
{
	begin();
	start_read(&read_of_b, &b);
	start_read(&read_of_twin, &b_twin);
	start_read(&read_of_x, &x);
	ck_assert_uint_eq(rc_out(&a, PR_PREEMPT_AND_ABORT, 0, 1, 2, 0), RC_GOOD);
	ck_assert_int_eq(read_of_b.n_done, 1);
	ck_assert_int_eq(read_of_twin.n_done, 1);
	ck_assert_int_eq(read_of_x.n_done, 0);
	ck_assert_int_lt(read_of_b.order, a.t.order);
	ck_assert_int_lt(read_of_twin.order, a.t.order);
	(void)port_complete();
	ptask_wait(&read_of_x);
	ck_assert_int_eq(read_of_x.lu.reason, CMD_CMPLT);
	end();
}

START_TEST(tasks_end_first)
{
	port_sim(ends_scenario);
}
END_TEST

/* the HBA takes its time: so does the answer; and PREEMPT alone aborts nobody */
static void
waits_scenario(void *arg UNUSED)
{
	begin();
	port.is_abort_silent = true;
	start_read(&read_of_b, &b);
	ck_assert_uint_eq(rc_out(&a, PR_PREEMPT, 0, 1, 2, 0), RC_GOOD);
	ck_assert_int_eq(read_of_b.n_done, 0);
	ck_assert_int_eq(port.n_abort, 0);
	(void)rc_out(&a, PR_REGISTER, 0, 1, 1, 0);
	rc_told(&b, ASC_REGISTRATIONS_PREEMPTED);
	ck_assert_uint_eq(rc_out(&b, PR_REGISTER, 0, 0, 2, 0), RC_GOOD);

	rc_out_send(&a, PR_PREEMPT_AND_ABORT, 0, 1, 2, 0);
	sim_settle();
	ck_assert_int_eq(a.t.n_done, 0);
	/* already so: the key is gone, and others may look */
	ck_assert_int_eq(rc_in(&x, 0, 64), 16);
	ck_assert_int_eq(port_complete(), 1);
	ck_assert_uint_eq(rc_wait(&a), RC_GOOD);
	ck_assert_int_eq(read_of_b.n_done, 1);
	end();
}

START_TEST(the_answer_waits)
{
	port_sim(waits_scenario);
}
END_TEST

/* what the preempted have waiting behind the command that preempts them ends, too: else each
 * would wait for the other */
static void
queued_scenario(void *arg UNUSED)
{
	struct ptask *late = &b.t;

	begin();
	port.is_abort_silent = true;
	start_read(&read_of_b, &b);
	start_read(&read_of_x, &x);
	(void)rc_out(&x, PR_REGISTER, 0, 0, 3, 0);
	rc_out_send(&a, PR_PREEMPT_AND_ABORT, 0, 1, 2, 0);
	sim_settle();
	/* these wait until A has its answer */
	rc_out_send(&b_twin, PR_REGISTER, 0, 0, 9, 0);
	rc_out_send(&x, PR_PREEMPT_AND_ABORT, 0, 3, 1, 0);
	sim_settle();
	ck_assert_int_eq(a.t.n_done, 0);
	ck_assert_int_eq(x.t.n_done, 0);
	(void)port_complete();
	ck_assert_uint_eq(rc_wait(&a), RC_GOOD);
	(void)rc_wait(&b_twin);
	ck_assert_uint_eq(rc_wait(&x), RC_GOOD);
	ck_assert_int_lt(a.t.order, x.t.order);
	ck_assert_int_eq(late->lu.nexus == &b.nexus, 1);
	ptask_wait(&read_of_x);
	end();
}

START_TEST(queued_commands_take_their_turn)
{
	port_sim(queued_scenario);
}
END_TEST

/* two that preempt each other: one wins, both are answered, nobody hangs */
static void
duel_scenario(void *arg UNUSED)
{
	uint8_t sa, sb;

	begin();
	start_read(&read_of_b, &b);
	rc_out_send(&a, PR_PREEMPT_AND_ABORT, 0, 1, 2, 0);
	rc_out_send(&b, PR_PREEMPT_AND_ABORT, 0, 2, 1, 0);
	sa = rc_wait(&a);
	sb = rc_wait(&b);
	ck_assert_uint_eq(sa, RC_GOOD);
	ck_assert_msg(sb != RC_GOOD || b.t.lu.reason != CMD_CMPLT, "both have won");
	ck_assert_int_eq(rc_in(&x, 0, 64), 16);
	end();
}

START_TEST(duel)
{
	port_sim(duel_scenario);
}
END_TEST

/* commands of the preempted that wait while the preemption is being saved */
static void
saving_scenario(void *arg UNUSED)
{
	begin();
	ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, 1, 1, 1), RC_GOOD);
	start_read(&read_of_b, &b);
	rc_out_send(&a, PR_PREEMPT_AND_ABORT, 0, 1, 2, 0);
	rc_out_send(&b, PR_REGISTER_AND_IGNORE, 0, 0, 9, 0);
	rc_out_send(&b_twin, PR_PREEMPT_AND_ABORT, 0, 2, 1, 0);
	ck_assert_uint_eq(rc_wait(&a), RC_GOOD);
	/* without TAS those that end by that are not answered */
	(void)rc_wait(&b);
	ck_assert(b.t.lu.status != SAM_STAT_TASK_ABORTED);
	(void)rc_wait(&b_twin);
	ck_assert(b_twin.t.lu.status != SAM_STAT_TASK_ABORTED);
	ptask_wait(&read_of_b);
	/* the key of A is there: nobody has preempted it */
	ck_assert_int_ge(rc_in(&x, 0, 64), 16);
	ck_assert_uint_eq(x.t.data[15], 1);
	end();
}

START_TEST(commands_that_wait_for_the_disk)
{
	rc_sim_with_dir(saving_scenario);
}
END_TEST

CHECK_MAIN("preempt_and_abort", tasks_end_first, the_answer_waits,
    queued_commands_take_their_turn, duel, commands_that_wait_for_the_disk)
