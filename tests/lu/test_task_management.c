/* task management: who ends, who is answered, who is told */
#include <string.h>

#include "check_main.h"
#include "mock_script.h"

#define S	LU_ATTR_SIMPLE

static struct rclient a, b;
static struct ptask t[32];
static struct stm tm, tm2;

static void
begin(void)
{
	memset(t, 0, sizeof(t));
	script_begin(PORT_LATER);
	rc_open(&a, script_unit, 'a', 1);
	rc_open(&b, script_unit, 'b', 1);
}

static void
end(void)
{
	rc_leave(&a);
	rc_leave(&b);
	script_end();
}

static void
send(struct rclient *c, uint8_t lba, enum lu_attr attr)
{
	script_read(&t[lba], c, lba, attr);
}

/* ended by somebody, without an answer */
static void
expect_gone(uint8_t lba, uint8_t reason)
{
	ck_assert_int_eq(t[lba].n_done, 1);
	ck_assert_int_eq(t[lba].lu.reason, reason);
	ck_assert_uint_eq(t[lba].lu.state & STATE_GOT_STATUS, 0);
	ck_assert_int_lt(t[lba].order, tm.order);
}

static void
expect_status(uint8_t lba, uint8_t status)
{
	ck_assert_int_eq(t[lba].n_done, 1);
	ck_assert_int_eq(t[lba].lu.reason, CMD_CMPLT);
	ck_assert_uint_ne(t[lba].lu.state & STATE_GOT_STATUS, 0);
	ck_assert_int_eq(t[lba].lu.status, status);
}

static void
abort_scenario(void *arg UNUSED)
{
	begin();
	send(&a, 1, S);
	send(&b, 1 + 16, S);
	t[17].lu.tag = 17;
	send(&a, 2, LU_ATTR_ORDERED);
	/* tags are the nexus's own */
	ck_assert_int_eq(script_tm(&tm, &b, LU_TM_ABORT_TASK, 1), LU_TMF_NO_TASK);
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_ABORT_TASK, 1), LU_TMF_DONE);
	expect_gone(1, CMD_ABORTED);
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_ABORT_TASK, 1), LU_TMF_NO_TASK);
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_ABORT_TASK, 2), LU_TMF_DONE);
	expect_gone(2, CMD_ABORTED);
	script_complete(17);
	rc_told(&a, 0);
	rc_told(&b, 0);
	end();
}

START_TEST(abort_task)
{
	port_sim(abort_scenario);
}
END_TEST

static void
set_scenario(void *arg UNUSED)
{
	begin();
	for (uint8_t i = 1; i <= 3; i++)
		send(&a, i, S);
	send(&b, 4, S);
	send(&a, 5, LU_ATTR_ORDERED);
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_ABORT_TASK_SET, 0), LU_TMF_DONE);
	for (uint8_t i = 1; i <= 5; i++)
		if (i != 4)
			expect_gone(i, CMD_ABORTED);
	ck_assert_int_eq(t[4].n_done, 0);
	ck_assert_uint_eq(tm.lu.n_aborted, 4);
	script_complete(4);
	rc_told(&a, 0);
	rc_told(&b, 0);
	end();
}

START_TEST(abort_task_set)
{
	port_sim(set_scenario);
}
END_TEST

static void
clear_scenario(void *arg UNUSED)
{
	begin();
	send(&a, 1, S);
	send(&b, 2, S);
	send(&b, 3, LU_ATTR_ORDERED);
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_CLEAR_TASK_SET, 0), LU_TMF_DONE);
	for (uint8_t i = 1; i <= 3; i++)
		expect_gone(i, CMD_ABORTED);
	/* once, and not to who asked */
	rc_told(&a, 0);
	rc_told(&b, ASC_COMMANDS_CLEARED);
	rc_told(&b, 0);
	/* nobody lost anything */
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_CLEAR_TASK_SET, 0), LU_TMF_NO_TASK);
	rc_told(&b, 0);
	end();
}

static void
clear_tas_scenario(void *arg UNUSED)
{
	script.has_tas = true;
	begin();
	send(&a, 1, S);
	send(&b, 2, S);
	send(&b, 3, LU_ATTR_ORDERED);
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_CLEAR_TASK_SET, 0), LU_TMF_DONE);
	expect_gone(1, CMD_ABORTED);
	expect_status(2, SAM_STAT_TASK_ABORTED);
	expect_status(3, SAM_STAT_TASK_ABORTED);
	rc_told(&b, 0);
	/* a LUN reset does the same, and tells of itself */
	send(&a, 4, S);
	send(&b, 5, S);
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_LUN_RESET, 0), LU_TMF_DONE);
	expect_gone(4, CMD_RESET);
	expect_status(5, SAM_STAT_TASK_ABORTED);
	rc_told(&b, ASC_DEVICE_RESET);
	rc_told(&a, ASC_DEVICE_RESET);
	end();
}

static void
clear_tst_scenario(void *arg UNUSED)
{
	script.tst = 1;
	begin();
	send(&a, 1, S);
	send(&b, 2, S);
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_CLEAR_TASK_SET, 0), LU_TMF_DONE);
	expect_gone(1, CMD_ABORTED);
	ck_assert_int_eq(t[2].n_done, 0);
	script_complete(2);
	rc_told(&b, 0);
	end();
}

START_TEST(clear_task_set)
{
	port_sim(clear_scenario);
	port_sim(clear_tas_scenario);
	port_sim(clear_tst_scenario);
}
END_TEST

static void
nexus_scenario(void *arg UNUSED)
{
	static const uint8_t prevent[6] = { 0x1e, 0, 0, 0, 1 };

	begin();
	ck_assert_uint_eq(rc_cmd(&a, prevent, 6, LU_DIR_NONE, NULL, 0), RC_GOOD);
	ck_assert_uint_eq(rc_op(&a, OP_RESERVE_6), RC_GOOD);
	ck_assert_uint_eq(rc_op(&b, OP_TEST_UNIT_READY), RC_CONFLICT);
	send(&a, 1, S);
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_NEXUS_RESET, 0), LU_TMF_DONE);
	expect_gone(1, CMD_ABORTED);
	rc_told(&b, 0);
	rc_told(&a, ASC_NEXUS_LOSS);
	ck_assert_int_eq(script.n_prevent, 2);
	ck_assert_uint_eq(script.prevent[1], 0);
	end();
}

/* the RESERVE of the nexus ends with its last write, not before; not if that stays */
static void
nexus_reserve_scenario(void *arg UNUSED)
{
	port.is_abort_silent = true;
	begin();
	ck_assert_uint_eq(rc_op(&a, OP_RESERVE_6), RC_GOOD);
	send(&a, 1, S);
	script_tm_send(&tm, &a, LU_TM_NEXUS_RESET, 0);
	sim_settle();
	ck_assert_int_eq(tm.n_done, 0);
	ck_assert_uint_eq(rc_op(&b, OP_TEST_UNIT_READY), RC_CONFLICT);
	script_complete(1);
	script_tm_wait(&tm);
	ck_assert_int_eq(tm.lu.result, LU_TMF_DONE);
	ck_assert_uint_eq(rc_op(&b, OP_TEST_UNIT_READY), RC_GOOD);
	rc_told(&a, ASC_NEXUS_LOSS);

	ck_assert_uint_eq(rc_op(&a, OP_RESERVE_6), RC_GOOD);
	send(&a, 2, S);
	port.abort_answer = 0;
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_NEXUS_RESET, 0), LU_TMF_FAILED);
	ck_assert_uint_eq(rc_op(&b, OP_TEST_UNIT_READY), RC_CONFLICT);
	script_complete(2);
	end();
}

START_TEST(nexus_reset)
{
	port_sim(nexus_reserve_scenario);
	port_sim(nexus_scenario);
}
END_TEST

static void
raise_visit(void *arg)
{
	lu_ua_raise(&a.nexus, *(const uint16_t *)arg);
}

static void
query_scenario(void *arg UNUSED)
{
	static const uint16_t first = ASC_CAPACITY_CHANGED, second = ASC_THIN_THRESHOLD;

	begin();
	(void)script_tm(&tm, &a, LU_TM_QUERY_TASK_SET, 0);
	ck_assert(!tm.lu.is_succeeded);
	send(&a, 1, S);
	(void)script_tm(&tm, &a, LU_TM_QUERY_TASK, 1);
	ck_assert(tm.lu.is_succeeded);
	(void)script_tm(&tm, &a, LU_TM_QUERY_TASK, 2);
	ck_assert(!tm.lu.is_succeeded);
	(void)script_tm(&tm, &b, LU_TM_QUERY_TASK, 1);
	ck_assert(!tm.lu.is_succeeded);
	(void)script_tm(&tm, &a, LU_TM_QUERY_TASK_SET, 0);
	ck_assert(tm.lu.is_succeeded);
	(void)script_tm(&tm, &b, LU_TM_QUERY_TASK_SET, 0);
	ck_assert(!tm.lu.is_succeeded);
	script_complete(1);

	(void)script_tm(&tm, &a, LU_TM_QUERY_ASYNC_EVENT, 0);
	ck_assert(!tm.lu.is_succeeded);
	port_at_home(raise_visit, (void *)(uintptr_t)&first);
	(void)script_tm(&tm, &a, LU_TM_QUERY_ASYNC_EVENT, 0);
	ck_assert(tm.lu.is_succeeded);
	ck_assert_mem_eq(tm.lu.event, ((uint8_t[]){ 0x16, 0x2a, 0x09 }), 3);
	port_at_home(raise_visit, (void *)(uintptr_t)&second);
	(void)script_tm(&tm, &a, LU_TM_QUERY_ASYNC_EVENT, 0);
	ck_assert_mem_eq(tm.lu.event, ((uint8_t[]){ 0x26, 0x2a, 0x09 }), 3);
	/* asking clears nothing */
	rc_told(&a, ASC_CAPACITY_CHANGED);
	rc_told(&a, ASC_THIN_THRESHOLD);
	end();
}

START_TEST(queries)
{
	port_sim(query_scenario);
}
END_TEST

/* ABORT TASK SET while an ABORT TASK is at work: answered when that one is over */
static void
follow_scenario(void *arg UNUSED)
{
	port.is_abort_silent = true;
	begin();
	send(&a, 1, S);
	script_tm_send(&tm, &a, LU_TM_ABORT_TASK, 1);
	sim_settle();
	script_tm_send(&tm2, &a, LU_TM_ABORT_TASK_SET, 0);
	sim_advance_us(100000);
	ck_assert_int_eq(tm.n_done, 0);
	ck_assert_int_eq(tm2.n_done, 0);
	script_complete(1);
	script_tm_wait(&tm);
	script_tm_wait(&tm2);
	ck_assert_int_eq(tm2.lu.result, LU_TMF_NO_TASK);
	ck_assert_int_lt(t[1].order, tm.order);
	ck_assert_int_lt(t[1].order, tm2.order);
	end();
}

/* and it fails when that one does */
static void
follow_failed_scenario(void *arg UNUSED)
{
	begin();
	port.abort_answer = 0;
	send(&a, 1, S);
	script_tm_send(&tm, &a, LU_TM_ABORT_TASK, 1);
	script_tm_send(&tm2, &a, LU_TM_ABORT_TASK_SET, 0);
	script_tm_wait(&tm);
	script_tm_wait(&tm2);
	ck_assert_int_eq(tm.lu.result, LU_TMF_FAILED);
	ck_assert_int_eq(tm2.lu.result, LU_TMF_FAILED);
	script_complete(1);
	end();
}

START_TEST(an_abort_waits_for_another)
{
	port_sim(follow_scenario);
	port_sim(follow_failed_scenario);
}
END_TEST

static void
qerr_with(uint8_t qerr, uint8_t tst, bool reaches_others)
{
	script.qerr = qerr;
	script.tst = tst;
	begin();
	send(&a, 1, S);
	send(&a, 2, S);
	send(&b, 3, S);
	sim_settle();
	port.pending[0]->pkt_scbp[0] = STATUS_CHECK;
	script_complete(1);
	sim_advance_us(1000);
	expect_status(1, SAM_STAT_CHECK_CONDITION);
	ck_assert_int_eq(t[2].n_done, qerr != 0);
	ck_assert_int_eq(t[3].n_done, reaches_others);
	(void)port_complete();
	sim_settle();
	rc_told(&b, reaches_others ? ASC_COMMANDS_CLEARED : 0);
	rc_told(&a, 0);
	end();
}

static void
qerr_scenario(void *arg UNUSED)
{
	qerr_with(0, 0, false);
}

static void
qerr_all_scenario(void *arg UNUSED)
{
	qerr_with(1, 0, true);
}

static void
qerr_own_set_scenario(void *arg UNUSED)
{
	qerr_with(1, 1, false);
}

static void
qerr_nexus_scenario(void *arg UNUSED)
{
	qerr_with(3, 0, false);
}

/* what this layer asks the device is nobody's command: its READ CAPACITY may end as it likes */
static void
qerr_inside_scenario(void *arg UNUSED)
{
	static const uint8_t eject[6] = { 0x1b, 0, 0, 0, 2, 0 };
	struct ptask stop;
	int n_capacity;

	script.qerr = 1;
	begin();
	n_capacity = script.n_capacity;
	script.is_absent = true;
	send(&a, 1, S);
	ptask_init(&stop, &b.nexus);
	ptask_cdb(&stop, eject, sizeof(eject), LU_DIR_NONE, 0);
	ptask_run(&stop);
	ck_assert_int_eq(stop.lu.status, STATUS_GOOD);
	sim_advance_us(1000);
	ck_assert_int_eq(script.n_capacity, n_capacity + 1);
	ck_assert_int_eq(t[1].n_done, 0);
	script_complete(1);
	expect_status(1, STATUS_GOOD);
	end();
}

START_TEST(a_check_condition_ends_what_qerr_says)
{
	port_sim(qerr_inside_scenario);
	port_sim(qerr_scenario);
	port_sim(qerr_all_scenario);
	port_sim(qerr_own_set_scenario);
	port_sim(qerr_nexus_scenario);
}
END_TEST

static void
overlap_scenario(void *arg UNUSED)
{
	static struct ptask again;

	begin();
	send(&a, 1, S);
	send(&a, 2, S);
	send(&b, 3, S);
	script_read(&again, &a, 1, S);
	ptask_wait(&again);
	ck_assert_int_eq(again.lu.status, STATUS_CHECK);
	ck_assert_uint_eq(again.lu.sense[2], SENSE_ABORTED_COMMAND);
	ck_assert_uint_eq(again.lu.sense[12], 0x4e);
	sim_advance_us(1000);
	ck_assert_int_eq(t[1].lu.reason, CMD_ABORTED);
	ck_assert_int_eq(t[2].lu.reason, CMD_ABORTED);
	ck_assert_int_eq(t[3].n_done, 0);
	script_complete(3);
	/* the tag is free again, and who has none overlaps with nobody */
	send(&a, 1, S);
	script_complete(1);
	ck_assert_int_eq(t[1].lu.status, STATUS_GOOD);
	ptask_init(&again, &a.nexus);
	ck_assert_int_eq(ptask_submit(&again), 0);
	ptask_wait(&again);
	rc_told(&a, 0);
	end();
}

START_TEST(overlapped_commands)
{
	port_sim(overlap_scenario);
}
END_TEST

/* PREEMPT AND ABORT: who is preempted has one unit attention for it, or is answered with TAS */
static void
preempt_with(bool has_tas)
{
	script.has_tas = has_tas;
	begin();
	ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, 0, 1, 0), RC_GOOD);
	ck_assert_uint_eq(rc_out(&b, PR_REGISTER, 0, 0, 2, 0), RC_GOOD);
	send(&b, 1, S);
	ck_assert_uint_eq(rc_out(&a, PR_PREEMPT_AND_ABORT, 0, 1, 2, 0), RC_GOOD);
	ck_assert_int_eq(t[1].n_done, 1);
	ck_assert_int_lt(t[1].order, a.t.order);
	if (has_tas)
		expect_status(1, SAM_STAT_TASK_ABORTED);
	else
		ck_assert_int_eq(t[1].lu.reason, CMD_ABORTED);
	rc_told(&b, ASC_REGISTRATIONS_PREEMPTED);
	rc_told(&b, 0);
	rc_told(&a, 0);
	end();
}

static void
preempt_scenario(void *arg UNUSED)
{
	preempt_with(false);
}

static void
preempt_tas_scenario(void *arg UNUSED)
{
	preempt_with(true);
}

START_TEST(preempted_tasks)
{
	port_sim(preempt_scenario);
	port_sim(preempt_tas_scenario);
}
END_TEST

/* the task set is changed by MODE SELECT while tasks are in it */
static void
change_scenario(void *arg UNUSED)
{
	static const uint8_t select[6] = { 0x15, 0x10, 0, 0, 24 };

	begin();
	send(&a, 1, S);
	script.tst = 1;
	ck_assert_uint_eq(rc_cmd(&a, select, 6, LU_DIR_OUT, NULL, 24), RC_GOOD);
	sim_settle();
	rc_told(&b, ASC_MODE_PARAMETERS_CHANGED);
	/* the one of the unit has 1 in it, that of a nexus has not */
	send(&a, 2, LU_ATTR_ORDERED);
	send(&b, 3, LU_ATTR_ORDERED);
	ck_assert_str_eq(script_pending(), "1 2 3 ");
	script_complete(2);
	script_complete(1);
	script_complete(3);
	end();
}

START_TEST(task_sets_change)
{
	port_sim(change_scenario);
}
END_TEST

CHECK_MAIN("task management", abort_task, abort_task_set, clear_task_set, nexus_reset, queries,
    an_abort_waits_for_another, a_check_condition_ends_what_qerr_says, overlapped_commands,
    preempted_tasks, task_sets_change)
