/* detach: packets end by themselves, by abort or by reset, in bounded time; or it is refused */
#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "mock_port.h"
#include "scsa/config.h"

static struct pnexus n;
static struct ptask t, held;
static struct lu *unit;

static void
begin(void)
{
	port.how = PORT_LATER;
	port_begin();
	unit = port_unit("disk@0,0");
	pnexus_open(&n, unit);
	ptask_init(&t, &n.lu);
	ptask_init(&held, &n.lu);
}

static void
end_unit(void)
{
	pnexus_leave(&n);
	lu_unref(unit);
}

/* after a detach of disk@0,0 that worked */
static void
end_detached(void)
{
	int value;
	uint8_t inquiry[48];
	size_t len;

	ck_assert_int_eq(t.n_done, 1);
	ck_assert(!lu_is_active(unit));
	ck_assert_int_eq(ptask_submit(&held), -ENODEV);
	ck_assert_int_eq(lu_getcap(unit, "lun-reset", false, &value), -ENODEV);
	ck_assert_int_eq(lu_setcap(unit, "lun-reset", false, 1, &value), -ENODEV);
	ck_assert_int_eq(lu_probe(unit, &value, inquiry, &len), -ENODEV);
	end_unit();
	port_end();
}

static void
abort_scenario(void *arg UNUSED)
{
	begin();
	ck_assert_int_eq(ptask_submit(&t), 0);
	port.busy = -1;
	ck_assert_int_eq(ptask_submit(&held), 0);
	ck_assert_int_eq(scsa_bus_unconfig_one(port.dip, "0,0"), 0);
	ck_assert_int_eq(t.lu.reason, CMD_ABORTED);
	ck_assert_int_eq(held.n_done, 1);
	ck_assert_int_eq(held.lu.reason, CMD_DEV_GONE);
	ck_assert_uint_le(sim_now_us(), 5000000);
	end_detached();
}

START_TEST(packets_in_flight_are_aborted)
{
	port_sim(abort_scenario);
}
END_TEST

static void
reset_scenario(void *arg UNUSED)
{
	port.abort_answer = 0;
	begin();
	ck_assert_int_eq(ptask_submit(&t), 0);
	ck_assert_int_eq(scsa_bus_unconfig_one(port.dip, "0,0"), 0);
	ck_assert_int_eq(t.lu.reason, CMD_RESET);
	end_detached();
}

START_TEST(or_reset)
{
	port_sim(reset_scenario);
}
END_TEST

static void
stubborn_scenario(void *arg UNUSED)
{
	port.abort_answer = 0;
	port.reset_answer = 0;
	begin();
	ck_assert_int_eq(ptask_submit(&t), 0);
	ck_assert_int_eq(scsa_bus_unconfig_one(port.dip, "0,0"), -EBUSY);
	/* as if nothing had been: it serves on */
	ck_assert(lu_is_active(unit));
	ck_assert_int_eq(ptask_submit(&held), 0);
	ck_assert_int_eq(port_complete(), 2);
	ptask_wait(&t);
	ptask_wait(&held);
	held.n_done = 0;
	ck_assert_int_eq(scsa_bus_unconfig_one(port.dip, "0,0"), 0);
	end_detached();
}

START_TEST(or_the_detach_is_refused)
{
	port_sim(stubborn_scenario);
}
END_TEST

static void
idle_scenario(void *arg UNUSED)
{
	int value = 0, result = 0;
	uint8_t inquiry[48];
	size_t len = 0;

	begin();
	ck_assert_int_eq(ptask_submit(&t), 0);
	ck_assert_int_eq(port_complete(), 1);
	ptask_wait(&t);
	ck_assert_int_eq(lu_getcap(unit, "max-cdb-length", false, &value), 0);
	ck_assert_int_eq(value, 16);
	ck_assert_int_eq(lu_setcap(unit, "lun-reset", true, 1, &value), 0);
	ck_assert_int_eq(value, 1);
	ck_assert_int_eq(lu_probe(unit, &result, inquiry, &len), 0);
	ck_assert_int_eq(result, SCSIPROBE_EXISTS);
	ck_assert_uint_eq(len, SUN_INQSIZE);
	ck_assert_mem_eq(inquiry + 8, "MOCK", 4);
	ck_assert_int_eq(scsa_bus_unconfig_one(port.dip, "0,0"), 0);
	ck_assert_int_eq(port.n_abort, 0);
	end_detached();
}

START_TEST(idle_units_just_go)
{
	port_sim(idle_scenario);
}
END_TEST

/* a nexus that holds the unit outlives it */
static void
reserved_scenario(void *arg UNUSED)
{
	static const uint8_t reserve[6] = { 0x16 };

	begin();
	ck_assert_int_eq(ptask_submit(&t), 0);
	ck_assert_int_eq(port_complete(), 1);
	ptask_wait(&t);
	ptask_cdb(&held, reserve, sizeof(reserve), LU_DIR_NONE, 0);
	ptask_run(&held);
	ck_assert_uint_eq(held.lu.status, STATUS_GOOD);
	ck_assert_int_eq(scsa_bus_unconfig_one(port.dip, "0,0"), 0);
	end_detached();
}

START_TEST(whoever_holds_it)
{
	port_sim(reserved_scenario);
}
END_TEST

/* who is called was written down before; the unit is not there any more when it happens */
static void
late_reset_scenario(void *arg UNUSED)
{
	struct scsi_reset_notify_entry late;

	begin();
	late = *port.notify;
	while (late.ap->a_target != 0 || late.ap->a_lun != 0)
		late = *late.next;
	t.n_done = 1;
	ck_assert_int_eq(scsa_bus_unconfig_one(port.dip, "0,0"), 0);
	end_unit();
	late.callback(late.arg);
	sim_settle();
	ck_assert_int_eq(port_events[LU_EVENT_RESET], 0);
	port_end();
}

START_TEST(a_reset_is_told_too_late)
{
	port_sim(late_reset_scenario);
}
END_TEST

CHECK_MAIN("detach", packets_in_flight_are_aborted, or_reset, or_the_detach_is_refused,
    idle_units_just_go, whoever_holds_it, a_reset_is_told_too_late)
