/* PREVENT ALLOW MEDIUM REMOVAL: the device hears of the first and of the last */
#include <string.h>

#include "check_main.h"
#include "mock_script.h"

static struct rclient a, b;

static uint8_t
prevent(struct rclient *c, uint8_t field)
{
	const uint8_t cdb[6] = { 0x1e, 0, 0, 0, field };

	return rc_cmd(c, cdb, 6, LU_DIR_NONE, NULL, 0);
}

static void
expect(int n, uint8_t last)
{
	sim_settle();
	ck_assert_int_eq(script.n_prevent, n);
	ck_assert_uint_eq(script.prevent[n - 1], last);
}

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
count_scenario(void *arg UNUSED)
{
	begin();
	ck_assert_uint_eq(prevent(&a, 1), RC_GOOD);
	expect(1, 1);
	ck_assert_uint_eq(prevent(&a, 1), RC_GOOD);
	ck_assert_uint_eq(prevent(&b, 1), RC_GOOD);
	expect(1, 1);
	ck_assert_uint_eq(prevent(&a, 0), RC_GOOD);
	ck_assert_uint_eq(prevent(&a, 0), RC_GOOD);
	expect(1, 1);
	ck_assert_uint_eq(prevent(&b, 0), RC_GOOD);
	expect(2, 0);
	/* what the device should judge is the device's; and reserved bits */
	ck_assert_uint_eq(prevent(&b, 2), RC_GOOD);
	expect(3, 2);
	ck_assert_uint_eq(prevent(&b, 8), RC_CHECK);
	ck_assert_uint_eq(b.sense.asc, ASC_INVALID_FIELD_IN_CDB);
	end();
}

START_TEST(first_and_last)
{
	port_sim(count_scenario);
}
END_TEST

static void
leave_scenario(void *arg UNUSED)
{
	begin();
	(void)prevent(&a, 1);
	(void)prevent(&b, 1);
	rc_leave(&a);
	expect(1, 1);
	rc_leave(&b);
	expect(2, 0);
	script_end();
}

START_TEST(who_leaves_allows)
{
	port_sim(leave_scenario);
}
END_TEST

static void
reset_scenario(void *arg UNUSED)
{
	struct stm tm;

	begin();
	(void)prevent(&a, 1);
	(void)prevent(&b, 1);
	ck_assert_int_eq(script_tm(&tm, &b, LU_TM_LUN_RESET, 0), LU_TMF_DONE);
	rc_told(&a, ASC_DEVICE_RESET);
	/* nobody prevents any more: the next one is a first one */
	ck_assert_uint_eq(prevent(&a, 1), RC_GOOD);
	expect(2, 1);
	ck_assert_uint_eq(prevent(&a, 0), RC_GOOD);
	expect(3, 0);
	end();
}

START_TEST(a_reset_allows)
{
	port_sim(reset_scenario);
}
END_TEST

/* somebody prevents while the ALLOW of the last one is on its way */
static void
race_scenario(void *arg UNUSED)
{
	static const uint8_t allow[6] = { 0x1e };

	begin();
	(void)prevent(&a, 1);
	script.is_prevented_slow = true;
	rc_send(&a, allow, 6, LU_DIR_NONE, NULL, 0);
	ck_assert_uint_eq(prevent(&b, 1), RC_GOOD);
	expect(2, 0);
	script.is_prevented_slow = false;
	ck_assert_int_eq(port_complete(), 1);
	ck_assert_uint_eq(rc_wait(&a), RC_GOOD);
	expect(3, 1);
	end();
}

START_TEST(allow_meets_prevent)
{
	port_sim(race_scenario);
}
END_TEST

CHECK_MAIN("prevent", first_and_last, who_leaves_allows, a_reset_allows, allow_meets_prevent)
