/* SIMPLE, ORDERED and HEAD OF QUEUE begin when SAM lets them; a full unit is shared by
 * weight */
#include <string.h>

#include "check_main.h"
#include "lu/lu_impl.h"
#include "mock_script.h"

#define S	LU_ATTR_SIMPLE
#define O	LU_ATTR_ORDERED
#define H	LU_ATTR_HEAD
#define U	LU_ATTR_UNTAGGED

static struct rclient a, b;
static struct ptask t[256];

static void
begin(void)
{
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

static void
pending(const char *want)
{
	const char *is = script_pending();

	ck_assert_msg(strcmp(is, want) == 0, "'%s', not '%s'", is, want);
}

static void
ordered_scenario(void *arg UNUSED)
{
	begin();
	send(&a, 1, S);
	send(&b, 2, S);
	send(&a, 3, O);
	send(&b, 4, S);
	send(&a, 5, O);
	send(&a, 6, O);
	send(&b, 7, U);
	pending("1 2 ");
	script_complete(2);
	pending("1 ");
	script_complete(1);
	pending("3 ");
	script_complete(3);
	pending("4 ");
	script_complete(4);
	pending("5 ");
	script_complete(5);
	pending("6 ");
	script_complete(6);
	pending("7 ");
	script_complete(7);
	for (int i = 1; i <= 7; i++)
		ck_assert_int_eq(t[i].n_done, 1);
	end();
}

START_TEST(ordered_waits_and_is_waited_for)
{
	port_sim(ordered_scenario);
}
END_TEST

static void
head_scenario(void *arg UNUSED)
{
	begin();
	send(&a, 1, S);
	send(&a, 2, H);		/* begins at once */
	send(&b, 3, S);		/* waits for it */
	send(&b, 4, H);
	pending("1 2 4 ");
	script_complete(2);
	pending("1 4 ");
	script_complete(4);
	pending("1 3 ");
	/* an ORDERED one is not stopped for good by those that overtake it */
	send(&a, 5, O);
	send(&a, 6, H);
	script_complete(1);
	script_complete(3);
	pending("6 ");
	script_complete(6);
	pending("5 ");
	script_complete(5);
	end();
}

START_TEST(head_of_queue_overtakes)
{
	port_sim(head_scenario);
}
END_TEST

/* tasks that are taken out of the middle leave no hole */
static void
abort_scenario(void *arg UNUSED)
{
	struct stm tm;

	begin();
	send(&a, 1, S);
	send(&a, 2, O);
	send(&a, 3, S);
	send(&a, 4, O);
	send(&a, 5, S);
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_ABORT_TASK, 2), LU_TMF_DONE);
	/* 3 came before 4, and nothing ORDERED is before it any more */
	pending("1 3 ");
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_ABORT_TASK, 5), LU_TMF_DONE);
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_ABORT_TASK, 3), LU_TMF_DONE);
	pending("1 ");
	script_complete(1);
	pending("4 ");
	ck_assert_int_eq(script_tm(&tm, &a, LU_TM_ABORT_TASK, 4), LU_TMF_DONE);
	send(&a, 6, S);
	send(&a, 7, O);
	pending("6 ");
	script_complete(6);
	script_complete(7);
	end();
}

START_TEST(aborted_ones_stop_nobody)
{
	port_sim(abort_scenario);
}
END_TEST

/* INQUIRY, REPORT LUNS and REQUEST SENSE begin whatever waits; other local commands wait */
static void
implicit_scenario(void *arg UNUSED)
{
	static const uint8_t luns[12] = { 0xa0, [9] = 16 };
	static const uint8_t keys[10] = { 0x5e, 0, [8] = 8 };

	begin();
	send(&a, 1, S);
	send(&a, 2, O);
	ck_assert_uint_eq(rc_cmd(&b, luns, 12, LU_DIR_IN, NULL, 16), RC_GOOD);
	rc_send(&b, keys, 10, LU_DIR_IN, NULL, 8);
	sim_settle();
	ck_assert_int_eq(b.t.n_done, 0);
	script_complete(1);
	pending("2 ");
	ck_assert_int_eq(b.t.n_done, 0);
	script_complete(2);
	ck_assert_uint_eq(rc_wait(&b), RC_GOOD);
	end();
}

START_TEST(implicit_head_of_queue)
{
	port_sim(implicit_scenario);
}
END_TEST

static void
sets_scenario(void *arg UNUSED)
{
	script.tst = 1;
	begin();
	send(&a, 1, S);
	send(&a, 2, O);
	send(&a, 3, S);
	send(&b, 4, S);
	send(&b, 5, H);
	send(&b, 6, S);
	pending("1 4 5 ");
	script_complete(1);
	pending("4 5 2 ");
	script_complete(5);
	pending("4 2 6 ");
	script_complete(2);
	pending("4 6 3 ");
	script_complete(4);
	script_complete(6);
	script_complete(3);
	end();
}

START_TEST(a_task_set_for_each_nexus)
{
	port_sim(sets_scenario);
}
END_TEST

/* waiting for older tasks is not waiting for room: nobody loses patience */
static void
patience_scenario(void *arg UNUSED)
{
	begin();
	send(&a, 1, S);
	send(&a, 2, O);
	send(&b, 3, S);
	sim_advance_us(3 * LU_HELD_MAX_MS * 1000ull);
	ck_assert_int_eq(t[2].n_done, 0);
	ck_assert_int_eq(t[3].n_done, 0);
	port.busy = -1;
	script_complete(1);
	sim_advance_us((LU_HELD_MAX_MS - 100) * 1000ull);
	ck_assert_int_eq(t[2].n_done, 0);
	sim_advance_us(200 * 1000);
	ck_assert_int_eq(t[2].n_done, 1);
	ck_assert_int_eq(t[2].lu.status, STATUS_BUSY);
	port.busy = 0;
	sim_advance_us(100 * 1000);
	pending("3 ");
	script_complete(3);
	end();
}

START_TEST(patience_is_for_room_only)
{
	port_sim(patience_scenario);
}
END_TEST

/* ------ depth and fairness ------ */

static void
depth_visit(void *arg)
{
	lu_set_depth(script_unit, *(const uint32_t *)arg);
}

static void
depth(uint32_t n)
{
	port_at_home(depth_visit, &n);
}

static int
count_of(struct rclient *c)
{
	int n = 0;

	mutex_enter(&port.lock);
	for (int i = 0; i < port.n_pending; i++) {
		const struct lu_task *task = port.pending[i]->pkt_private;

		n += task->nexus == &c->nexus;
	}
	mutex_exit(&port.lock);
	return n;
}

/* the oldest with the HBA completes, @n times; how many of them were of @c */
static int
complete_oldest(int n, struct rclient *c)
{
	int of = 0;

	while (n-- > 0) {
		const struct lu_task *task = port.pending[0]->pkt_private;

		of += task->nexus == &c->nexus;
		script_complete(port.pending[0]->pkt_cdbp[5]);
	}
	return of;
}

static void
share_with(uint32_t weight_a, int want_of_60)
{
	int of;

	begin();
	a.nexus.weight = weight_a;
	depth(4);
	/* one has filled unit and queue before the other comes */
	for (int i = 0; i < 100; i++)
		send(&a, (uint8_t)i, S);
	for (int i = 100; i < 200; i++)
		send(&b, (uint8_t)i, S);
	sim_settle();
	ck_assert_int_eq(count_of(&a), 4);
	(void)complete_oldest(4, &a);
	of = complete_oldest(60, &a);
	ck_assert_msg(of >= want_of_60 - 17 && of <= want_of_60 + 17, "%d of 60", of);
	while (port.n_pending > 0)
		(void)complete_oldest(1, &a);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(t[i].n_done, 1);
	end();
}

static void
equal_scenario(void *arg UNUSED)
{
	share_with(0, 30);
}

static void
heavy_scenario(void *arg UNUSED)
{
	share_with(3, 45);
}

START_TEST(a_full_unit_is_shared)
{
	port_sim(equal_scenario);
	port_sim(heavy_scenario);
}
END_TEST

/* the device says that it is full: less is sent, and by and by more again */
static void
adapt_scenario(void *arg UNUSED)
{
	begin();
	depth(64);
	for (int i = 0; i < 8; i++)
		send(&a, (uint8_t)i, S);
	sim_settle();
	port.pending[7]->pkt_scbp[0] = STATUS_QFULL;
	script_complete(7);
	ck_assert_int_eq(t[7].lu.status, STATUS_QFULL);
	ck_assert_uint_eq(script_unit->depth, 7);
	send(&a, 8, S);
	ck_assert_int_eq(port.n_pending, 7);
	while (port.n_pending > 0)
		(void)complete_oldest(1, &a);
	for (int i = 0; i < 64 * 3; i++) {
		send(&a, 9, S);
		sim_settle();
		script_complete(9);
	}
	ck_assert_uint_gt(script_unit->depth, 8);
	ck_assert_uint_lt(script_unit->depth, 12);
	end();
}

START_TEST(depth_follows_the_device)
{
	port_sim(adapt_scenario);
}
END_TEST

CHECK_MAIN("task set", ordered_waits_and_is_waited_for, head_of_queue_overtakes,
    aborted_ones_stop_nobody, implicit_head_of_queue, a_task_set_for_each_nexus,
    patience_is_for_room_only, a_full_unit_is_shared, depth_follows_the_device)
