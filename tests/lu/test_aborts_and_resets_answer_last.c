/* an abort or a reset that says "done" comes after the completions it is about */
#include <string.h>

#include "check_main.h"
#include "mock_port.h"

#define N	3

static struct pnexus n, m;
static struct ptask t[N];
static struct lu *unit, *other;

struct ptmf {
	struct lu_tmf lu;
	int n_done, order;
	struct lu_task *task;
	bool joins;
	struct lu_nexus *nexus;
	struct lu *unit;
	enum lu_reset_level level;
};

static void
ptmf_done(struct lu_tmf *lu)
{
	struct ptmf *p = container_of(lu, struct ptmf, lu);

	p->n_done++;
	p->order = ++port_done_order;
}

static void
tmf_visit(void *arg)
{
	struct ptmf *p = arg;

	if (p->task != NULL && p->joins)
		lu_abort_join(&p->lu, p->task, ptmf_done);
	else if (p->task != NULL)
		lu_abort(&p->lu, p->task, ptmf_done);
	else if (p->nexus != NULL)
		lu_abort_all(&p->lu, p->nexus, ptmf_done);
	else
		lu_reset(&p->lu, p->unit, p->level, ptmf_done);
}

static void
ptmf_wait(struct ptmf *p)
{
	for (int i = 0; i < 1000 && p->n_done == 0; i++)
		sim_advance_us(1000);
	ck_assert_int_eq(p->n_done, 1);
}

static void
begin(void)
{
	port.how = PORT_LATER;
	port_begin();
	unit = port_unit("disk@0,0");
	other = port_unit("disk@0,1");
	pnexus_open(&n, unit);
	pnexus_open(&m, other);
	for (int i = 0; i < N; i++)
		ptask_init(&t[i], &n.lu);
}

static void
end(void)
{
	pnexus_leave(&n);
	pnexus_leave(&m);
	lu_unref(unit);
	lu_unref(other);
	port_end();
}

static void
abort_scenario(void *arg UNUSED)
{
	struct ptmf a = { .task = &t[0].lu };

	begin();
	ck_assert_int_eq(ptask_submit(&t[0]), 0);
	ck_assert_int_eq(ptask_submit(&t[1]), 0);
	port_at_home(tmf_visit, &a);
	ptmf_wait(&a);
	ck_assert_int_eq(a.lu.result, LU_TMF_DONE);
	ck_assert_uint_eq(a.lu.n_aborted, 1);
	ck_assert_int_eq(t[0].n_done, 1);
	ck_assert_int_eq(t[0].lu.reason, CMD_ABORTED);
	ck_assert_int_lt(t[0].order, a.order);
	ck_assert_int_eq(t[1].n_done, 0);
	ck_assert_int_eq(port_complete(), 1);
	ptask_wait(&t[1]);
	/* nothing there any more */
	memset(&a, 0, sizeof(a));
	a.task = &t[0].lu;
	port_at_home(tmf_visit, &a);
	ptmf_wait(&a);
	ck_assert_int_eq(a.lu.result, LU_TMF_NO_TASK);
	end();
}

START_TEST(abort_of_one)
{
	port_sim(abort_scenario);
}
END_TEST

/* the HBA says yes, the packet comes back later: the answer waits for it */
static void
silent_scenario(void *arg UNUSED)
{
	struct ptmf a = { .task = &t[0].lu }, b = { .task = &t[0].lu };
	struct ptmf c = { .task = &t[0].lu, .joins = true };

	port.is_abort_silent = true;
	begin();
	ck_assert_int_eq(ptask_submit(&t[0]), 0);
	port_at_home(tmf_visit, &a);
	sim_advance_us(100000);
	ck_assert_int_eq(a.n_done, 0);
	/* a second one does not disturb the first */
	port_at_home(tmf_visit, &b);
	ptmf_wait(&b);
	ck_assert_int_eq(b.lu.result, LU_TMF_BUSY);
	/* nor does one that waits for it, and for the packet */
	port_at_home(tmf_visit, &c);
	sim_advance_us(100000);
	ck_assert_int_eq(c.n_done, 0);
	ck_assert_int_eq(port_complete(), 1);
	ptmf_wait(&a);
	ptmf_wait(&c);
	ck_assert_int_eq(c.lu.result, LU_TMF_NO_TASK);
	ck_assert_int_lt(t[0].order, c.order);
	ck_assert_int_eq(t[0].n_done, 1);
	ck_assert_int_lt(t[0].order, a.order);
	ck_assert_uint_eq(a.lu.n_finished, 1);
	end();
}

START_TEST(abort_waits_for_its_packet)
{
	port_sim(silent_scenario);
}
END_TEST

/* the packet completes while the HBA is being asked */
static void
race_scenario(void *arg UNUSED)
{
	struct ptmf a = { .nexus = &n.lu };

	port.is_abort_late = true;
	port.abort_answer = 0;
	begin();
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(ptask_submit(&t[i]), 0);
	port_at_home(tmf_visit, &a);
	ptmf_wait(&a);
	ck_assert_int_eq(a.lu.result, LU_TMF_DONE);
	ck_assert_uint_eq(a.lu.n_finished, N);
	ck_assert_uint_eq(a.lu.n_failed, 0);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(t[i].n_done, 1);
		ck_assert_int_eq(t[i].lu.reason, CMD_CMPLT);
		ck_assert_int_lt(t[i].order, a.order);
	}
	end();
}

START_TEST(completion_beats_abort)
{
	port_sim(race_scenario);
}
END_TEST

static void
refused_scenario(void *arg UNUSED)
{
	struct ptmf a = { .nexus = &n.lu };

	port.abort_answer = 0;
	begin();
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(ptask_submit(&t[i]), 0);
	port_at_home(tmf_visit, &a);
	ptmf_wait(&a);
	ck_assert_int_eq(a.lu.result, LU_TMF_FAILED);
	ck_assert_uint_eq(a.lu.n_failed, N);
	ck_assert_int_eq(t[0].n_done, 0);
	ck_assert_int_eq(port_complete(), N);
	for (int i = 0; i < N; i++)
		ptask_wait(&t[i]);
	end();
}

START_TEST(abort_that_the_hba_refuses)
{
	port_sim(refused_scenario);
}
END_TEST

static void
held_scenario(void *arg UNUSED)
{
	struct ptmf a = { .task = &t[1].lu }, all = { .nexus = &n.lu };

	begin();
	ck_assert_int_eq(ptask_submit(&t[0]), 0);
	port.busy = -1;
	ck_assert_int_eq(ptask_submit(&t[1]), 0);
	ck_assert_int_eq(ptask_submit(&t[2]), 0);
	port_at_home(tmf_visit, &a);
	ptmf_wait(&a);
	ck_assert_uint_eq(a.lu.n_aborted, 1);
	ck_assert_int_eq(port.n_abort, 0);
	ck_assert_int_eq(t[1].lu.reason, CMD_ABORTED);
	port_at_home(tmf_visit, &all);
	ptmf_wait(&all);
	ck_assert_uint_eq(all.lu.n_aborted, 2);
	ck_assert_int_eq(port.n_abort, 1);
	end();
}

START_TEST(held_tasks_are_aborted_at_home)
{
	port_sim(held_scenario);
}
END_TEST

static void
reset_with(enum lu_reset_level level, int want_level, bool touches_other)
{
	struct ptmf r = { .level = level };
	static struct ptask o, h;

	begin();
	ptask_init(&o, &m.lu);
	ptask_init(&h, &n.lu);
	r.unit = unit;
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(ptask_submit(&t[i]), 0);
	ck_assert_int_eq(ptask_submit(&o), 0);
	port.busy = -1;
	ck_assert_int_eq(ptask_submit(&h), 0);
	port_at_home(tmf_visit, &r);
	ptmf_wait(&r);
	ck_assert_int_eq(r.lu.result, LU_TMF_DONE);
	ck_assert_int_eq(port.last_level, want_level);
	ck_assert_uint_eq(r.lu.n_aborted, N + 1);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(t[i].lu.reason, CMD_RESET);
		ck_assert_int_lt(t[i].order, r.order);
	}
	ck_assert_int_eq(h.lu.reason, CMD_RESET);
	ck_assert_int_eq(o.n_done, touches_other);
	if (touches_other)
		ck_assert_int_lt(o.order, r.order);
	(void)port_complete();
	ptask_wait(&o);
	sim_settle();
	ck_assert_int_gt(port_events[LU_EVENT_RESET], 0);
	end();
}

static void
reset_lun_scenario(void *arg UNUSED)
{
	reset_with(LU_RESET_LUN, RESET_LUN, false);
}

static void
reset_target_scenario(void *arg UNUSED)
{
	reset_with(LU_RESET_TARGET, RESET_TARGET, true);
}

static void
reset_bus_scenario(void *arg UNUSED)
{
	reset_with(LU_RESET_BUS, RESET_ALL, true);
}

START_TEST(resets_answer_after_all_in_scope)
{
	port_sim(reset_lun_scenario);
	port_sim(reset_target_scenario);
	port_sim(reset_bus_scenario);
}
END_TEST

/* packets of the reset come back only later: it waits, and nothing is sent meanwhile */
static void
barrier_scenario(void *arg UNUSED)
{
	struct ptmf r = { .level = LU_RESET_LUN };

	port.is_reset_silent = true;
	begin();
	r.unit = unit;
	ck_assert_int_eq(ptask_submit(&t[0]), 0);
	port_at_home(tmf_visit, &r);
	sim_advance_us(10000);
	ck_assert_int_eq(r.n_done, 0);
	ck_assert_int_eq(ptask_submit(&t[1]), 0);
	sim_advance_us(10000);
	ck_assert_int_eq(port.n_start, 1);
	ck_assert_int_eq(port_complete(), 1);
	ptmf_wait(&r);
	ck_assert_int_eq(t[0].n_done, 1);
	ck_assert_int_lt(t[0].order, r.order);
	/* and it hears of the reset, once */
	ptask_wait(&t[1]);
	ck_assert_int_eq(t[1].lu.status, STATUS_CHECK);
	ck_assert_uint_eq(t[1].lu.sense[12], 0x29);
	ck_assert_uint_eq(t[1].lu.sense[13], 0x03);
	ck_assert_int_eq(ptask_submit(&t[2]), 0);
	ck_assert_int_eq(port_complete(), 1);
	ptask_wait(&t[2]);
	ck_assert_int_eq(t[2].lu.status, STATUS_GOOD);
	end();
}

START_TEST(reset_waits_and_holds)
{
	port_sim(barrier_scenario);
}
END_TEST

static void
reset_refused_scenario(void *arg UNUSED)
{
	struct ptmf r = { .level = LU_RESET_TARGET };

	port.reset_answer = 0;
	begin();
	r.unit = unit;
	port_at_home(tmf_visit, &r);
	ptmf_wait(&r);
	ck_assert_int_eq(r.lu.result, LU_TMF_FAILED);
	end();
}

START_TEST(reset_that_the_hba_refuses)
{
	port_sim(reset_refused_scenario);
}
END_TEST

CHECK_MAIN("abort and reset", abort_of_one, abort_waits_for_its_packet, completion_beats_abort,
    abort_that_the_hba_refuses, held_tasks_are_aborted_at_home,
    resets_answer_after_all_in_scope,
    reset_waits_and_holds, reset_that_the_hba_refuses)
