/* RESERVE, RELEASE: whose the unit is, what others may, and how it ends */
#include "check_main.h"
#include "lu/lu_impl.h"
#include "lu/reserve.h"
#include "mock_reserve.h"

static struct rclient a, b;
static struct lu *unit;

static void
begin(void)
{
	port_begin();
	unit = port_unit("disk@0,0");
	rc_open(&a, unit, 'a', 1);
	rc_open(&b, unit, 'b', 1);
}

static void
end(void)
{
	rc_leave(&a);
	rc_leave(&b);
	lu_unref(unit);
	port_end();
}

/* does B meet a reservation? */
static bool
is_reserved(void)
{
	uint8_t status = rc_op(&b, OP_MODE_SENSE_6);

	ck_assert(status == RC_GOOD || status == RC_CONFLICT);
	return status == RC_CONFLICT;
}

static void
others_scenario(void *arg UNUSED)
{
	static const enum op_id reserve[] = { OP_RESERVE_6, OP_RESERVE_10 };
	static const enum op_id release[] = { OP_RELEASE_6, OP_RELEASE_10 };

	begin();
	for (int i = 0; i < 4; i++) {
		ck_assert(!is_reserved());
		ck_assert_uint_eq(rc_op(&a, reserve[i % 2]), RC_GOOD);
		ck_assert_uint_eq(rc_op(&a, reserve[i % 2]), RC_GOOD);
		ck_assert(is_reserved());
		ck_assert_uint_eq(rc_op(&a, OP_MODE_SENSE_6), RC_GOOD);
		ck_assert_uint_eq(rc_op(&a, OP_TEST_UNIT_READY), RC_GOOD);
		ck_assert_uint_eq(rc_op(&b, OP_TEST_UNIT_READY), RC_CONFLICT);
		ck_assert_uint_eq(rc_op(&b, OP_RESERVE_6), RC_CONFLICT);
		ck_assert_uint_eq(rc_op(&b, OP_WRITE_10), RC_CONFLICT);
		ck_assert_uint_eq(rc_op(&b, OP_INQUIRY), RC_GOOD);
		/* not B's to release, and no error */
		ck_assert_uint_eq(rc_op(&b, OP_RELEASE_6), RC_GOOD);
		ck_assert_uint_eq(rc_op(&b, OP_RELEASE_10), RC_GOOD);
		ck_assert(is_reserved());
		ck_assert_uint_eq(rc_op(&a, release[i / 2]), RC_GOOD);
		ck_assert_uint_eq(rc_op(&a, release[i / 2]), RC_GOOD);
	}
	ck_assert(!is_reserved());
	end();
}

START_TEST(others_are_stopped)
{
	port_sim(others_scenario);
}
END_TEST

/* a vendor command cannot be looked into: stopped */
static void
unknown_scenario(void *arg UNUSED)
{
	static const uint8_t vendor[10] = { 0xc5 };

	begin();
	ck_assert_uint_eq(rc_cmd(&b, vendor, 10, LU_DIR_NONE, NULL, 0), RC_GOOD);
	(void)rc_op(&a, OP_RESERVE_6);
	ck_assert_uint_eq(rc_cmd(&b, vendor, 10, LU_DIR_NONE, NULL, 0), RC_CONFLICT);
	ck_assert_uint_eq(rc_cmd(&a, vendor, 10, LU_DIR_NONE, NULL, 0), RC_GOOD);
	end();
}

START_TEST(unknown_commands_are_stopped)
{
	port_sim(unknown_scenario);
}
END_TEST

static void
reset_visit(void *arg)
{
	lu_reserve_reset(arg);
}

static void
ends_scenario(void *arg UNUSED)
{
	struct rclient twin, other_port;

	begin();
	/* its last nexus object leaves; the same initiator through another port is another */
	rc_open(&twin, unit, 'a', 1);
	rc_open(&other_port, unit, 'a', 2);
	(void)rc_op(&a, OP_RESERVE_6);
	ck_assert_uint_eq(rc_op(&twin, OP_TEST_UNIT_READY), RC_GOOD);
	ck_assert_uint_eq(rc_op(&other_port, OP_TEST_UNIT_READY), RC_CONFLICT);
	rc_leave(&other_port);
	ck_assert(is_reserved());
	rc_leave(&a);
	ck_assert(is_reserved());
	rc_open(&a, unit, 'a', 1);	/* back while the twin is there */
	ck_assert_uint_eq(rc_op(&a, OP_TEST_UNIT_READY), RC_GOOD);
	rc_leave(&twin);
	ck_assert(is_reserved());
	rc_leave(&a);
	ck_assert(!is_reserved());
	rc_open(&a, unit, 'a', 1);
	ck_assert(!is_reserved());

	/* either object may release */
	rc_open(&twin, unit, 'a', 1);
	(void)rc_op(&a, OP_RESERVE_6);
	ck_assert_uint_eq(rc_op(&twin, OP_RELEASE_6), RC_GOOD);
	ck_assert(!is_reserved());
	rc_leave(&twin);

	(void)rc_op(&a, OP_RESERVE_6);
	port_at_home(reset_visit, unit);
	ck_assert(!is_reserved());
	port_at_home(reset_visit, unit);
	end();
}

START_TEST(it_ends_with_the_nexus_and_with_resets)
{
	port_sim(ends_scenario);
}
END_TEST

static void
bits_scenario(void *arg UNUSED)
{
	static const struct {
		uint8_t opcode, bits, bit;
	} rows[] = {
		{ 0x56, 0x10, 4 }, { 0x56, 0x02, 1 }, { 0x57, 0x10, 4 }, { 0x57, 0x02, 1 },
	};

	begin();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t cdb[10] = { rows[i].opcode, rows[i].bits };

		ck_assert_uint_eq(rc_cmd(&a, cdb, 10, LU_DIR_NONE, NULL, 0), RC_CHECK);
		ck_assert_uint_eq(a.sense.asc, ASC_INVALID_FIELD_IN_CDB);
		ck_assert(a.sense.sks_in_cdb && a.sense.sks_value == 1);
		ck_assert_uint_eq(a.sense.sks_bit, rows[i].bit);
	}
	ck_assert(!is_reserved());
	end();
}

START_TEST(third_parties_are_refused)
{
	port_sim(bits_scenario);
}
END_TEST

/* SPC-2 5.5.1: nothing persistent while the unit is reserved, not even for its owner */
static void
persistent_scenario(void *arg UNUSED)
{
	begin();
	(void)rc_op(&a, OP_RESERVE_6);
	for (uint8_t sa = 0; sa < 4; sa++) {
		ck_assert_int_eq(rc_in(&a, sa, 64), -1);
		ck_assert_uint_eq(a.t.lu.status, RC_CONFLICT);
		ck_assert_int_eq(rc_in(&b, sa, 64), -1);
		ck_assert_uint_eq(b.t.lu.status, RC_CONFLICT);
	}
	ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, 0, 1, 0), RC_CONFLICT);
	ck_assert_uint_eq(rc_out(&b, PR_REGISTER_AND_IGNORE, 0, 0, 1, 0), RC_CONFLICT);
	(void)rc_op(&a, OP_RELEASE_6);
	ck_assert_int_eq(rc_in(&b, 0, 64), 8);
	end();
}

START_TEST(persistent_commands_conflict)
{
	port_sim(persistent_scenario);
}
END_TEST

/* SPC-4 5.12.3: compatible reservation handling */
static void
compatible_scenario(void *arg UNUSED)
{
	static const struct {
		uint8_t type;
		uint8_t holder, registered, other;	/* what RESERVE and RELEASE end with */
	} rows[] = {
		{ PR_NONE, RC_CONFLICT, RC_CONFLICT, RC_CONFLICT },
		{ PR_WE, RC_GOOD, RC_CONFLICT, RC_CONFLICT },
		{ PR_EA, RC_GOOD, RC_CONFLICT, RC_CONFLICT },
		{ PR_WERO, RC_GOOD, RC_GOOD, RC_CONFLICT },
		{ PR_EARO, RC_GOOD, RC_GOOD, RC_CONFLICT },
		{ PR_WEAR, RC_GOOD, RC_GOOD, RC_CONFLICT },
		{ PR_EAAR, RC_GOOD, RC_GOOD, RC_CONFLICT },
	};
	static const enum op_id ids[] = { OP_RESERVE_6, OP_RESERVE_10, OP_RELEASE_6,
		OP_RELEASE_10 };
	struct rclient x;

	begin();
	rc_open(&x, unit, 'x', 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)rc_out(&a, PR_REGISTER, 0, 0, 1, 0);
		(void)rc_out(&b, PR_REGISTER, 0, 0, 2, 0);
		if (rows[i].type != PR_NONE)
			(void)rc_out(&a, PR_RESERVE, rows[i].type, 1, 0, 0);
		for (size_t k = 0; k < ARRAY_LEN(ids); k++) {
			ck_assert_uint_eq(rc_op(&a, ids[k]), rows[i].holder);
			ck_assert_uint_eq(rc_op(&b, ids[k]), rows[i].registered);
			ck_assert_uint_eq(rc_op(&x, ids[k]), rows[i].other);
		}
		/* none of them did anything */
		ck_assert_int_eq(rc_in(&x, 1, 64), rows[i].type == PR_NONE ? 8 : 24);
		ck_assert_uint_eq(rc_out(&a, PR_CLEAR, 0, 1, 0, 0), RC_GOOD);
		rc_told(&b, ASC_RESERVATIONS_PREEMPTED);
		rc_told(&b, 0);
	}
	rc_leave(&x);
	end();
}

START_TEST(compatible_handling)
{
	port_sim(compatible_scenario);
}
END_TEST

CHECK_MAIN("reserve", others_are_stopped, unknown_commands_are_stopped,
    it_ends_with_the_nexus_and_with_resets, third_parties_are_refused,
    persistent_commands_conflict, compatible_handling)
