/* persistent reservations at a unit: fencing of every command, unit attentions, the answers */
#include "check_main.h"
#include "lu/lu_impl.h"
#include "lu/reserve.h"
#include "mock_reserve.h"

#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"

static struct rclient a, b, x;
static struct lu *unit;

static void
begin(void)
{
	port_begin();
	unit = port_unit("disk@0,0");
	rc_open(&a, unit, 'a', 1);
	rc_open(&b, unit, 'b', 1);
	rc_open(&x, unit, 'x', 1);
}

static void
end(void)
{
	rc_leave(&a);
	rc_leave(&b);
	rc_leave(&x);
	lu_unref(unit);
	port_end();
}

static enum conflict_column
column(uint8_t type, bool is_registered)
{
	switch (type) {
	case PR_WE:
		return CONFLICT_WE;
	case PR_EA:
		return CONFLICT_EA;
	case PR_WERO:
	case PR_WEAR:
		return is_registered ? CONFLICT_WR_REGISTERED : CONFLICT_WR_OTHER;
	default:
		return is_registered ? CONFLICT_ER_REGISTERED : CONFLICT_ER_OTHER;
	}
}

/* what a nexus that is not stopped gets is for others to judge */
static void
fence(struct rclient *c, const struct op_info *op, bool is_stopped, uint8_t type)
{
	uint8_t status;

	if (op->opcode == 0x5e || op->opcode == 0x5f || op->policy == OP_RESERVE)
		return;
	do {	/* what others have done may have to be told first */
		status = rc_op(c, op->id);
	} while (status == RC_CHECK && c->sense.key == SENSE_UNIT_ATTENTION);
	ck_assert_msg((status == RC_CONFLICT) == is_stopped, "%s, type %u: status %02x",
	    op->name, type, status);
}

/* all commands x all types x { holder, registered, not registered } */
static void
fences_scenario(void *arg UNUSED)
{
	static const uint8_t types[] = { PR_WE, PR_EA, PR_WERO, PR_EARO, PR_WEAR, PR_EAAR };

	begin();
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const struct op_info *op;

		ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, 0, 1, 0), RC_GOOD);
		ck_assert_uint_eq(rc_out(&b, PR_REGISTER, 0, 0, 2, 0), RC_GOOD);
		ck_assert_uint_eq(rc_out(&a, PR_RESERVE, types[i], 1, 0, 0), RC_GOOD);
		for (op = op_next(NULL); op != NULL; op = op_next(op)) {
			uint8_t cdb[OP_CDB_MAX];

			if (op->cdb_len > 16)	/* the port takes no longer ones */
				continue;
			(void)rc_example(op, cdb);
			fence(&a, op, false, types[i]);
			fence(&b, op, !pr_type_is_all(types[i]) && !conflict_allows(op, cdb,
			    column(types[i], true)), types[i]);
			fence(&x, op, !conflict_allows(op, cdb, column(types[i], false)),
			    types[i]);
		}
		while (rc_op(&a, OP_TEST_UNIT_READY) != RC_GOOD ||
		    rc_op(&b, OP_TEST_UNIT_READY) != RC_GOOD ||
		    rc_op(&x, OP_TEST_UNIT_READY) != RC_GOOD)
			continue;
		ck_assert_uint_eq(rc_out(&a, PR_CLEAR, 0, 1, 0, 0), RC_GOOD);
		rc_told(&b, ASC_RESERVATIONS_PREEMPTED);
	}
	end();
}

START_TEST(fences)
{
	port_sim(fences_scenario);
}
END_TEST

/* the unit attention of everyone else, once, and never of the nexus that asked */
static void
attentions_scenario(void *arg UNUSED)
{
	struct rclient twin, late;

	begin();
	rc_open(&twin, unit, 'b', 1);
	(void)rc_out(&a, PR_REGISTER, 0, 0, 1, 0);
	(void)rc_out(&b, PR_REGISTER, 0, 0, 2, 0);
	(void)rc_out(&a, PR_RESERVE, PR_WERO, 1, 0, 0);
	ck_assert_uint_eq(rc_out(&a, PR_RELEASE, PR_WERO, 1, 0, 0), RC_GOOD);
	rc_told(&a, 0);
	rc_told(&x, 0);
	rc_told(&b, ASC_RESERVATIONS_RELEASED);
	rc_told(&b, 0);
	rc_told(&twin, ASC_RESERVATIONS_RELEASED);
	/* its twin has the registration, so it has it, too */
	(void)rc_out(&a, PR_RESERVE, PR_EARO, 1, 0, 0);
	ck_assert_uint_eq(rc_op(&twin, OP_READ_10), RC_GOOD);
	ck_assert_uint_eq(rc_op(&x, OP_READ_10), RC_CONFLICT);
	/* and a nexus that comes late finds what is */
	rc_open(&late, unit, 'b', 1);
	ck_assert_uint_eq(rc_op(&late, OP_READ_10), RC_GOOD);
	rc_leave(&late);
	rc_open(&late, unit, 'b', 2);
	ck_assert_uint_eq(rc_op(&late, OP_READ_10), RC_CONFLICT);
	rc_leave(&late);
	/* preempted: B knows, and is out */
	ck_assert_uint_eq(rc_out(&a, PR_PREEMPT, 0, 1, 2, 0), RC_GOOD);
	rc_told(&b, ASC_REGISTRATIONS_PREEMPTED);
	rc_told(&twin, ASC_REGISTRATIONS_PREEMPTED);
	ck_assert_uint_eq(rc_op(&b, OP_READ_10), RC_CONFLICT);
	/* the holder unregisters */
	(void)rc_out(&b, PR_REGISTER, 0, 0, 2, 0);
	ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, 1, 0, 0), RC_GOOD);
	rc_told(&a, 0);
	rc_told(&b, ASC_RESERVATIONS_RELEASED);
	ck_assert_uint_eq(rc_out(&b, PR_CLEAR, 0, 2, 0, 0), RC_GOOD);
	rc_told(&b, 0);
	rc_leave(&twin);
	end();
}

START_TEST(attentions)
{
	port_sim(attentions_scenario);
}
END_TEST

static void
answers_scenario(void *arg UNUSED)
{
	static const uint8_t caps[8] = { 0, 8, 0x1c, 0x80, 0xea, 0x01, 0, 0 };
	uint8_t cdb[10] = { 0x5e };

	begin();
	(void)rc_out(&a, PR_REGISTER, 0, 0, 1, 0);
	(void)rc_out(&b, PR_REGISTER, 0, 0, 2, 0);
	ck_assert_int_eq(rc_in(&x, 0, 64), 24);
	ck_assert_uint_eq(be32_get(x.t.data + 4), 16);
	ck_assert_uint_eq(x.t.lu.resid, 40);
	/* cut, the length stays whole (SPC-4 4.3.5.6) */
	for (uint16_t len = 1; len < 24; len++) {
		ck_assert_int_eq(rc_in(&x, 0, len), len);
		if (len >= 8)
			ck_assert_uint_eq(be32_get(x.t.data + 4), 16);
	}
	ck_assert_int_eq(rc_in(&x, 0, 0), 0);
	ck_assert_int_eq(rc_in(&x, 1, 64), 8);
	ck_assert_int_eq(rc_in(&x, 2, 64), 8);
	ck_assert_mem_eq(x.t.data, caps, 8);
	ck_assert_int_gt(rc_in(&x, 3, 1024), 100);
	/* nowhere to save: APTPL is refused */
	ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, 1, 1, 1), RC_CHECK);
	ck_assert_uint_eq(a.sense.asc, ASC_INVALID_FIELD_IN_LIST);
	/* service actions that are not */
	for (uint8_t sa = 4; sa < 32; sa++) {
		cdb[0] = 0x5e;
		cdb[1] = sa;
		ck_assert_uint_eq(rc_cmd(&x, cdb, 10, LU_DIR_NONE, NULL, 0), RC_CHECK);
		ck_assert_uint_eq(x.sense.asc, ASC_INVALID_FIELD_IN_CDB);
		if (sa < 8)
			continue;
		cdb[0] = 0x5f;
		cdb[8] = 24;
		ck_assert_uint_eq(rc_cmd(&x, cdb, 10, LU_DIR_OUT, NULL, 24), RC_CHECK);
		ck_assert_uint_eq(x.sense.asc, ASC_INVALID_FIELD_IN_CDB);
		cdb[8] = 0;
	}
	end();
}

START_TEST(answers)
{
	port_sim(answers_scenario);
}
END_TEST

/* parameter lists shorter than the CDB says, none, and too long; no memory */
static void
lists_scenario(void *arg UNUSED)
{
	uint8_t cdb[10] = { 0x5f, [8] = 24 }, list[4096] = { [15] = 1 };

	begin();
	for (uint32_t len = 1; len < 24; len++) {
		ck_assert_uint_eq(rc_cmd(&a, cdb, 10, LU_DIR_OUT, list, len), RC_CHECK);
		ck_assert_uint_eq(a.sense.asc, ASC_PARAMETER_LIST_LENGTH);
	}
	cdb[8] = 0;
	ck_assert_uint_eq(rc_cmd(&a, cdb, 10, LU_DIR_NONE, NULL, 0), RC_CHECK);
	ck_assert_uint_eq(a.sense.asc, ASC_PARAMETER_LIST_LENGTH);
	be32_put(cdb + 5, PR_LIST_MAX + 1);
	ck_assert_uint_eq(rc_cmd(&a, cdb, 10, LU_DIR_OUT, list, 4096), RC_CHECK);
	ck_assert_uint_eq(a.sense.asc, ASC_PARAMETER_LIST_LENGTH);
	be32_put(cdb + 5, UINT32_MAX);
	ck_assert_uint_eq(rc_cmd(&a, cdb, 10, LU_DIR_OUT, list, 4096), RC_CHECK);
	ck_assert_uint_eq(a.sense.asc, ASC_PARAMETER_LIST_LENGTH);
	ck_assert_int_eq(rc_in(&x, 0, 64), 8);
	/* a buffer longer than the list is a residual */
	be32_put(cdb + 5, 24);
	ck_assert_uint_eq(rc_cmd(&a, cdb, 10, LU_DIR_OUT, list, 30), RC_GOOD);
	ck_assert_uint_eq(a.t.lu.resid, 6);
	ck_assert_int_eq(rc_in(&x, 0, 64), 16);
	end();
}

START_TEST(lists)
{
	port_sim(lists_scenario);
}
END_TEST

static void
memory_scenario(void *arg UNUSED)
{
	int n_failed = 0;

	begin();
	(void)rc_out(&a, PR_REGISTER, 0, 0, 1, 0);
	(void)rc_out(&b, PR_REGISTER, 0, 0, 2, 0);
	for (int i = 1;; i++) {
		uint8_t status;

		fault_arm(i);
		status = rc_out(&a, PR_PREEMPT_AND_ABORT, PR_WE, 1, 2, 0);
		if (!fault_disarm())
			break;
		n_failed++;
		if (status == RC_GOOD)	/* not one of ours: somewhere on the way to the end */
			break;
		ck_assert_uint_eq(status, RC_CHECK);
		ck_assert_uint_eq(a.sense.asc, ASC_INSUFFICIENT_RESOURCES);
		ck_assert_int_eq(rc_in(&x, 0, 64), 24);
	}
	ck_assert_int_ge(n_failed, 5);
	ck_assert_int_eq(rc_in(&x, 0, 64), 16);
	fault_arm(1);
	ck_assert_int_eq(rc_in(&x, 0, 64), -1);
	(void)fault_disarm();
	ck_assert_uint_eq(x.sense.asc, ASC_INSUFFICIENT_RESOURCES);
	end();
}

START_TEST(no_memory)
{
	port_sim(memory_scenario);
}
END_TEST

/* REGISTER with ALL_TG_PT and SPEC_I_PT takes in ports and initiators that are there */
static void
world_scenario(void *arg UNUSED)
{
	const struct lu_port *port2;
	struct lu_port p = { .rtpi = 2, .protocol = LU_PROTOCOL_ISCSI };
	struct rclient a2, b2;
	struct lu_initiator name;
	uint8_t cdb[10] = { 0x5f }, list[300] = { [15] = 1, [20] = 0x08 };

	begin();
	ck_assert_int_eq(lu_port_add(&p, &port2), 0);
	rc_open(&a2, unit, 'a', 2);
	rc_open(&b2, unit, 'b', 2);
	ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, 0, 1, 0x04), RC_GOOD);
	ck_assert_int_eq(rc_in(&x, 0, 64), 24);
	ck_assert_uint_eq(rc_out(&a2, PR_RESERVE, PR_EARO, 1, 0, 0), RC_GOOD);
	ck_assert_uint_eq(rc_op(&a, OP_READ_10), RC_GOOD);
	ck_assert_uint_eq(rc_op(&b2, OP_READ_10), RC_CONFLICT);
	/* X names device B: its port that is known here, through X's port */
	ck_assert_int_eq(lu_initiator_iscsi(&name, "iqn.2026-11.test:b"), 0);
	be32_put(list + 24, name.id_len);
	memcpy(list + 28, name.id, name.id_len);
	cdb[8] = (uint8_t)(28 + name.id_len);
	ck_assert_uint_eq(rc_cmd(&x, cdb, 10, LU_DIR_OUT, list, 28u + name.id_len), RC_GOOD);
	ck_assert_uint_eq(rc_op(&b, OP_READ_10), RC_GOOD);
	ck_assert_uint_eq(rc_op(&b2, OP_READ_10), RC_CONFLICT);
	rc_leave(&a2);
	rc_leave(&b2);
	lu_port_remove(port2);
	lu_port_unref(port2);
	end();
}

START_TEST(ports_and_initiators_that_are_there)
{
	port_sim(world_scenario);
}
END_TEST

CHECK_MAIN("fences", fences, attentions, answers, lists, no_memory,
    ports_and_initiators_that_are_there)
