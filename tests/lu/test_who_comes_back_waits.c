/*
 * An initiator port that leaves with a write at work and comes back: what it sends then waits for
 * that write, which must not land on what was written later. Others do not wait.
 */
#include <string.h>

#include "check_main.h"
#include "lu/lu_impl.h"
#include "mock_script.h"

static struct rclient before, after, other;
static struct ptask ghost, t, u;
static struct stm tm;

static void
leave(void *arg)
{
	lu_nexus_gone(arg);
}

static void
cmd_of(struct ptask *p, struct rclient *c, uint8_t opcode, uint8_t lba, enum lu_attr attr)
{
	const uint8_t cdb[10] = { opcode, 0, 0, 0, 0, lba, 0, 0, 1, 0 };

	ptask_init(p, &c->nexus);
	ptask_cdb(p, cdb, sizeof(cdb), opcode == 0x2a ? LU_DIR_OUT : LU_DIR_IN, 512);
	p->lu.attr = attr;
	p->lu.has_tag = true;
	p->lu.tag = lba;
	ck_assert_int_eq(ptask_submit(p), 0);
}

static void
write_of(struct ptask *p, struct rclient *c, uint8_t lba)
{
	cmd_of(p, c, 0x2a, lba, LU_ATTR_SIMPLE);
}

static void
begin(uint8_t opcode)
{
	script_begin(PORT_LATER);
	rc_open(&before, script_unit, 'a', 1);
	rc_open(&other, script_unit, 'b', 1);
	cmd_of(&ghost, &before, opcode, 1, LU_ATTR_SIMPLE);
	port_at_home(leave, &before.nexus);
	sim_settle();
	rc_open(&after, script_unit, 'a', 1);
}

static void
end(void)
{
	ck_assert_int_eq(before.n_gone, 1);
	ck_assert_uint_eq(script_unit->n_after, 0);
	rc_leave(&after);
	rc_leave(&other);
	script_end();
}

static void
write_scenario(void *arg UNUSED)
{
	begin(0x2a);
	write_of(&t, &after, 2);
	cmd_of(&u, &after, 0x28, 3, LU_ATTR_HEAD);
	ck_assert_str_eq(script_pending(), "1 ");
	/* longer than a task may wait for room: it does not wait for that */
	sim_advance_us(2 * LU_HELD_MAX_MS * 1000ull);
	ck_assert_int_eq(t.n_done, 0);
	ck_assert_int_eq(u.n_done, 0);
	script_complete(1);
	ck_assert_int_eq(ghost.n_done, 1);
	ck_assert(ghost.lu.is_orphan);
	ck_assert_str_eq(script_pending(), "3 ");
	script_complete(3);
	ck_assert_str_eq(script_pending(), "2 ");
	script_complete(2);
	ck_assert_int_eq(t.lu.status, STATUS_GOOD);
	end();
}

/* INQUIRY and its like are answered; a nexus of somebody else, or through another port, goes on */
static void
others_scenario(void *arg UNUSED)
{
	struct rclient elsewhere;

	begin(0x2a);
	ck_assert_uint_eq(rc_op(&after, OP_INQUIRY), RC_GOOD);
	rc_open(&elsewhere, script_unit, 'a', 2);
	write_of(&t, &other, 2);
	write_of(&u, &elsewhere, 3);
	ck_assert_str_eq(script_pending(), "1 2 3 ");
	script_complete(2);
	script_complete(3);
	script_complete(1);
	rc_leave(&elsewhere);
	end();
}

/* a read changes nothing, whenever it ends */
static void
read_scenario(void *arg UNUSED)
{
	begin(0x28);
	write_of(&t, &after, 2);
	ck_assert_str_eq(script_pending(), "1 2 ");
	script_complete(2);
	script_complete(1);
	end();
}

/* what waits can be aborted, who waits can leave, and the next one waits as well */
static void
leave_scenario(void *arg UNUSED)
{
	struct rclient third;

	begin(0x2a);
	write_of(&t, &after, 2);
	ck_assert_int_eq(script_tm(&tm, &after, LU_TM_ABORT_TASK, 2), LU_TMF_DONE);
	ck_assert_int_eq(t.n_done, 1);
	write_of(&t, &after, 3);
	port_at_home(leave, &after.nexus);
	sim_settle();
	ck_assert_int_eq(t.n_done, 1);
	ck_assert_int_eq(t.lu.reason, CMD_ABORTED);
	ck_assert_int_eq(after.n_gone, 1);
	rc_open(&third, script_unit, 'a', 1);
	write_of(&u, &third, 4);
	ck_assert_str_eq(script_pending(), "1 ");
	script_complete(1);
	ck_assert_str_eq(script_pending(), "4 ");
	script_complete(4);
	rc_leave(&third);
	rc_open(&after, script_unit, 'a', 1);
	end();
}

/* a reset by the one who waits ends what it waits for */
static void
reset_scenario(void *arg UNUSED)
{
	begin(0x2a);
	port.reset_answer = 1;
	ck_assert_int_eq(script_tm(&tm, &after, LU_TM_LUN_RESET, 0), LU_TMF_DONE);
	ck_assert_int_eq(ghost.n_done, 1);
	rc_told(&after, ASC_DEVICE_RESET);
	rc_told(&after, 0);
	end();
}

/* RESERVE ends with the nexus, but not before its last write has: nobody else writes until then */
static void
reserve_scenario(void *arg)
{
	const bool *comes_back = arg;

	script_begin(PORT_LATER);
	rc_open(&before, script_unit, 'a', 1);
	rc_open(&other, script_unit, 'b', 1);
	ck_assert_uint_eq(rc_op(&before, OP_RESERVE_6), RC_GOOD);
	write_of(&ghost, &before, 1);
	port_at_home(leave, &before.nexus);
	sim_settle();
	ck_assert_uint_eq(rc_op(&other, OP_RESERVE_6), RC_CONFLICT);
	if (*comes_back) {
		rc_open(&after, script_unit, 'a', 1);
		write_of(&t, &after, 2);
		rc_leave(&after);
		ck_assert_int_eq(t.lu.reason, CMD_ABORTED);
		ck_assert_uint_eq(rc_op(&other, OP_RESERVE_6), RC_CONFLICT);
		rc_open(&after, script_unit, 'a', 1);
		write_of(&t, &after, 2);
	}
	script_complete(1);
	ck_assert_int_eq(before.n_gone, 1);
	if (*comes_back) {
		script_complete(2);
		ck_assert_uint_eq(t.lu.status, RC_GOOD);
		rc_leave(&after);
	}
	ck_assert_uint_eq(rc_op(&other, OP_RESERVE_6), RC_GOOD);
	rc_leave(&other);
	script_end();
}

/* two objects of one nexus: the one with the write leaves first */
static void
reserve_twin_scenario(void *arg UNUSED)
{
	script_begin(PORT_LATER);
	rc_open(&before, script_unit, 'a', 1);
	rc_open(&after, script_unit, 'a', 1);
	rc_open(&other, script_unit, 'b', 1);
	ck_assert_uint_eq(rc_op(&after, OP_RESERVE_6), RC_GOOD);
	write_of(&ghost, &before, 1);
	port_at_home(leave, &before.nexus);
	rc_leave(&after);
	ck_assert_uint_eq(rc_op(&other, OP_RESERVE_6), RC_CONFLICT);
	script_complete(1);
	ck_assert_int_eq(before.n_gone, 1);
	ck_assert_uint_eq(rc_op(&other, OP_RESERVE_6), RC_GOOD);
	rc_leave(&other);
	script_end();
}

static void
reserve_alone_scenario(void *arg UNUSED)
{
	reserve_scenario(&(bool){ false });
}

static void
reserve_back_scenario(void *arg UNUSED)
{
	reserve_scenario(&(bool){ true });
}

START_TEST(a_reservation_lasts_as_long)
{
	port_sim(reserve_alone_scenario);
	port_sim(reserve_back_scenario);
	port_sim(reserve_twin_scenario);
}
END_TEST

START_TEST(a_write_at_work_comes_first)
{
	port_sim(write_scenario);
}
END_TEST

START_TEST(nobody_else_waits)
{
	port_sim(others_scenario);
	port_sim(read_scenario);
}
END_TEST

START_TEST(who_waits_may_change_its_mind)
{
	port_sim(leave_scenario);
	port_sim(reset_scenario);
}
END_TEST

CHECK_MAIN("comes back", a_write_at_work_comes_first, nobody_else_waits,
    who_waits_may_change_its_mind, a_reservation_lasts_as_long)
