/* attach on a chip that is not to be had, or without memory, leaves nothing behind */
#include "base/fault.h"
#include "check_main.h"
#include "ddi/devtree.h"
#include "mock_ioc.h"
#include "scsa/config.h"

/* what can be missing before the worker's thread, which cannot: a host that gives no thread is
 * the end of the process */
#define RESOURCES	15

static int64_t fail_at;

static void
stuck(void)
{
	ioc.is_stuck = true;
}

START_TEST(firmware_that_does_not_come_up)
{
	rig_attach_fails(stuck);
}
END_TEST

static void
too_small(void)
{
	ioc.frame_dwords = 16;
}

START_TEST(frames_too_small)
{
	rig_attach_fails(too_small);
}
END_TEST

static void
no_credits(void)
{
	ioc.credits = 3;
}

START_TEST(nothing_for_commands)
{
	rig_attach_fails(no_credits);
}
END_TEST

static void
no_answers(void)
{
	ioc.is_mute = true;
}

/* it attaches, and then has nothing to show */
static void
mute_scenario(void)
{
	ck_assert_uint_eq(rig_units(), 0);
}

START_TEST(pages_without_answer)
{
	rig_run(no_answers, mute_scenario);
}
END_TEST

/* detach, and attach with the @fail_at-th resource missing; then with all of them */
static void
again_scenario(void)
{
	ck_assert_int_eq(scsa_bus_unconfig_all(rig_node()), 0);
	ck_assert_int_eq(devi_detach(rig_node(), 0), 0);
	fault_arm(fail_at);
	(void)!devi_attach(rig_node());
	ck_assert(fault_disarm());
	ck_assert_int_eq(devi_attach(rig_node()), 0);
	rig_settle();
	ck_assert_uint_eq(rig_units(), 1);
}

START_TEST(missing_resources)
{
	for (fail_at = 1; fail_at <= RESOURCES; fail_at++)
		rig_run(NULL, again_scenario);
}
END_TEST

CHECK_MAIN("attach", firmware_that_does_not_come_up, frames_too_small, nothing_for_commands,
    pages_without_answer, missing_resources)
