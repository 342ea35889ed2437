/* what a unit is told to leave to its device goes there, and what that answers comes back */
#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "lu/policy.h"
#include "mock_script.h"

static struct rclient a, b;

START_TEST(names)
{
	enum lu_policy policy;

	for (int i = 0; i < LU_POLICY_N; i++) {
		ck_assert_int_eq(lu_policy_parse(lu_policy_name((enum lu_policy)i), &policy), 0);
		ck_assert_int_eq((int)policy, i);
	}
	ck_assert_int_eq(lu_policy_parse("everything", &policy), -ENOENT);
}
END_TEST

START_TEST(every_command_has_one_or_none)
{
	static const struct {
		enum op_id id;
		enum lu_policy policy;
	} rows[] = {
		{ OP_RESERVE_6, LU_POLICY_RESERVATIONS },
		{ OP_RELEASE_10, LU_POLICY_RESERVATIONS },
		{ OP_PRIN_READ_KEYS, LU_POLICY_RESERVATIONS },
		{ OP_PROUT_CLEAR, LU_POLICY_RESERVATIONS },
		{ OP_INQUIRY, LU_POLICY_INQUIRY },
		{ OP_PREVENT_ALLOW, LU_POLICY_PREVENT },
		{ OP_EXTENDED_COPY_LID1, LU_POLICY_COPY },
		{ OP_RECEIVE_COPY_PARAMETERS, LU_POLICY_COPY },
		{ OP_REPORT_TARGET_PORT_GROUPS, LU_POLICY_ALUA },
		{ OP_SET_TARGET_PORT_GROUPS, LU_POLICY_ALUA },
		{ OP_REPORT_SUPPORTED_OPCODES, LU_POLICY_OPCODES },
		{ OP_REPORT_SUPPORTED_TMFS, LU_POLICY_OPCODES },
		{ OP_REPORT_TIMESTAMP, LU_POLICY_N },
		{ OP_REQUEST_SENSE, LU_POLICY_N },
		{ OP_READ_10, LU_POLICY_N },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_int_eq(lu_policy_of(op_get(rows[i].id)), rows[i].policy);
}
END_TEST

struct setting {
	enum lu_policy policy;
	bool is_passed;
};

static void
set_visit(void *arg)
{
	const struct setting *s = arg;

	lu_policy_set(script_unit, s->policy, s->is_passed);
	ck_assert(lu_policy_is_passed(script_unit, s->policy) == s->is_passed);
}

static void
set(enum lu_policy policy, bool is_passed)
{
	struct setting s = { policy, is_passed };

	port_at_home(set_visit, &s);
}

static void
begin(void)
{
	script_begin(PORT_INLINE);
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
reserve_scenario(void *arg UNUSED)
{
	int before;

	begin();
	before = port.n_start;
	ck_assert_uint_eq(rc_op(&a, OP_RESERVE_6), RC_GOOD);
	ck_assert_uint_eq(rc_op(&b, OP_TEST_UNIT_READY), RC_CONFLICT);
	ck_assert_uint_eq(rc_op(&a, OP_RELEASE_6), RC_GOOD);
	ck_assert_int_eq(port.n_start, before);
	set(LU_POLICY_RESERVATIONS, true);
	ck_assert_uint_eq(rc_op(&a, OP_RESERVE_6), RC_GOOD);
	ck_assert_int_eq(port.n_start, before + 1);
	/* to the device both are one */
	ck_assert_uint_eq(rc_op(&b, OP_TEST_UNIT_READY), RC_GOOD);
	port.status = SAM_STAT_RESERVATION_CONFLICT;
	ck_assert_uint_eq(rc_op(&b, OP_RESERVE_6), RC_CONFLICT);
	port.status = 0;
	set(LU_POLICY_RESERVATIONS, false);
	ck_assert_uint_eq(rc_op(&a, OP_RESERVE_6), RC_GOOD);
	ck_assert_int_eq(port.n_start, before + 2);
	end();
}

START_TEST(reservations)
{
	port_sim(reserve_scenario);
}
END_TEST

static void
prevent_scenario(void *arg UNUSED)
{
	static const uint8_t prevent[6] = { 0x1e, 0, 0, 0, 1 };

	begin();
	set(LU_POLICY_PREVENT, true);
	ck_assert_uint_eq(rc_cmd(&a, prevent, 6, LU_DIR_NONE, NULL, 0), RC_GOOD);
	ck_assert_uint_eq(rc_cmd(&b, prevent, 6, LU_DIR_NONE, NULL, 0), RC_GOOD);
	ck_assert_int_eq(script.n_prevent, 2);
	end();
	ck_assert_int_eq(script.n_prevent, 0);
}

START_TEST(prevention)
{
	port_sim(prevent_scenario);
}
END_TEST

CHECK_MAIN("policy", names, every_command_has_one_or_none, reservations, prevention)
