/* TRAN_BUSY: tasks wait in order, go on by completion or timer, and not for ever */
#include "check_main.h"
#include "lu/lu_impl.h"
#include "mock_port.h"
#include "sys/scsi/scsi.h"

#define N	5

static struct pnexus n;
static struct ptask t[N];
static struct lu *unit;

static void
begin(void)
{
	port_begin();
	unit = port_unit("disk@0,0");
	pnexus_open(&n, unit);
	for (int i = 0; i < N; i++)
		ptask_init(&t[i], &n.lu);
}

static void
end(void)
{
	pnexus_leave(&n);
	lu_unref(unit);
	port_end();
}

static void
timer_scenario(void *arg UNUSED)
{
	struct lu_stats st;

	begin();
	port.busy = 7;
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(ptask_submit(&t[i]), 0);
	ck_assert_int_eq(t[0].n_done, 0);
	for (int i = 0; i < N; i++)
		ptask_wait(&t[i]);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(t[i].lu.reason, CMD_CMPLT);
		ck_assert_int_eq(t[i].order, i + 1);
	}
	lu_stats_read(unit, &st);
	ck_assert_uint_eq(st.held, N);
	ck_assert_uint_eq(st.busy, 0);
	end();
}

START_TEST(held_tasks_go_on_in_order)
{
	port_sim(timer_scenario);
}
END_TEST

static void
completion_scenario(void *arg UNUSED)
{
	begin();
	port.how = PORT_LATER;
	ck_assert_int_eq(ptask_submit(&t[0]), 0);
	port.busy = 1;
	ck_assert_int_eq(ptask_submit(&t[1]), 0);
	/* a completion makes room: no time has to pass */
	ck_assert_int_eq(port_complete(), 1);
	sim_settle();
	ck_assert_int_eq(t[0].n_done, 1);
	ck_assert_int_eq(port_complete(), 1);
	ptask_wait(&t[1]);
	end();
}

START_TEST(completion_makes_room)
{
	port_sim(completion_scenario);
}
END_TEST

static void
patience_scenario(void *arg UNUSED)
{
	struct lu_stats st;

	begin();
	port.busy = -1;
	ck_assert_int_eq(ptask_submit(&t[0]), 0);
	sim_advance_us((LU_HELD_MAX_MS - 100) * 1000ull);
	ck_assert_int_eq(t[0].n_done, 0);
	sim_advance_us(200 * 1000);
	ck_assert_int_eq(t[0].n_done, 1);
	ck_assert_int_eq(t[0].lu.reason, CMD_CMPLT);
	ck_assert_int_eq(t[0].lu.status, STATUS_BUSY);
	ck_assert((t[0].lu.state & STATE_GOT_STATUS) != 0);
	lu_stats_read(unit, &st);
	ck_assert_uint_eq(st.busy, 1);
	end();
}

START_TEST(patience_ends_with_busy)
{
	port_sim(patience_scenario);
}
END_TEST

static void
head_scenario(void *arg UNUSED)
{
	begin();
	port.busy = -1;
	ck_assert_int_eq(ptask_submit(&t[0]), 0);
	ck_assert_int_eq(ptask_submit(&t[1]), 0);
	t[2].lu.attr = LU_ATTR_HEAD;
	ck_assert_int_eq(ptask_submit(&t[2]), 0);
	port.busy = 0;
	for (int i = 0; i < 3; i++)
		ptask_wait(&t[i]);
	ck_assert_int_eq(t[2].order, 1);
	ck_assert_int_eq(t[0].order, 2);
	ck_assert_int_eq(t[1].order, 3);
	end();
}

START_TEST(head_of_queue_goes_first)
{
	port_sim(head_scenario);
}
END_TEST

static void
leave_scenario(void *arg UNUSED)
{
	begin();
	port.busy = -1;
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(ptask_submit(&t[i]), 0);
	pnexus_leave(&n);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(t[i].n_done, 1);
		ck_assert_int_eq(t[i].lu.reason, CMD_ABORTED);
		ck_assert(t[i].lu.is_orphan);
	}
	ck_assert_int_eq(port.n_start, 0);
	lu_unref(unit);
	port_end();
}

START_TEST(held_tasks_of_a_nexus_that_left_are_dropped)
{
	port_sim(leave_scenario);
}
END_TEST

/* one nexus may hold three quarters; what is left is shared in the same way */
#define MOST	(LU_HELD_MAX / 4 * 3)
#define REST	((LU_HELD_MAX - MOST) / 4 * 3)

static struct ptask many[MOST + 1], others[REST + 1];

static void
full_scenario(void *arg UNUSED)
{
	struct pnexus m;
	struct ptask first;

	begin();
	pnexus_open(&m, unit);
	port.busy = -1;
	for (int i = 0; i <= MOST; i++) {
		ptask_init(&many[i], &n.lu);
		ck_assert_int_eq(ptask_submit(&many[i]), 0);
	}
	for (int i = 0; i <= REST; i++) {
		ptask_init(&others[i], &m.lu);
		ck_assert_int_eq(ptask_submit(&others[i]), 0);
	}
	sim_settle();
	ck_assert_int_eq(many[MOST - 1].n_done, 0);
	ck_assert_int_eq(many[MOST].n_done, 1);
	ck_assert_int_eq(many[MOST].lu.status, STATUS_QFULL);
	ck_assert_int_eq(others[REST - 1].n_done, 0);
	ck_assert_int_eq(others[REST].lu.status, STATUS_QFULL);
	pnexus_leave(&m);
	port.busy = 0;
	for (int i = 0; i < MOST; i++)
		ptask_wait(&many[i]);
	ptask_init(&first, &n.lu);
	ck_assert_int_eq(ptask_submit(&first), 0);
	ptask_wait(&first);
	end();
}

START_TEST(a_full_queue_is_a_full_task_set)
{
	port_sim(full_scenario);
}
END_TEST

/* a command that this layer answers with the device's help has no place to wait: it is not counted
 * twice among those that are still to come, or the unit would never go */
static void
full_local_scenario(void *arg UNUSED)
{
	static const uint8_t prevent[6] = { 0x1e, 0, 0, 0, 1 };
	struct ptask local;

	begin();
	port.busy = -1;
	for (int i = 0; i < MOST; i++) {
		ptask_init(&many[i], &n.lu);
		ck_assert_int_eq(ptask_submit(&many[i]), 0);
	}
	ptask_init(&local, &n.lu);
	ptask_cdb(&local, prevent, sizeof(prevent), LU_DIR_NONE, 0);
	ck_assert_int_eq(ptask_submit(&local), 0);
	sim_settle();
	ck_assert_int_eq(local.n_done, 1);
	ck_assert_int_eq(local.lu.status, STATUS_QFULL);
	ck_assert_uint_eq(unit->n_local, 0);
	port.busy = 0;
	for (int i = 0; i < MOST; i++)
		ptask_wait(&many[i]);
	end();
}

START_TEST(a_full_queue_has_no_place_for_what_is_answered_here)
{
	port_sim(full_local_scenario);
}
END_TEST

CHECK_MAIN("busy", held_tasks_go_on_in_order, completion_makes_room, patience_ends_with_busy,
    head_of_queue_goes_first, held_tasks_of_a_nexus_that_left_are_dropped,
    a_full_queue_is_a_full_task_set, a_full_queue_has_no_place_for_what_is_answered_here)
