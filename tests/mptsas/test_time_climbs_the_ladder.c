/* a command whose time is over: abort, then ever larger resets, until the chip lets it go */
#include "check_main.h"
#include "mock_ioc.h"

#define DISK	0x5000c50000000001ull
#define OTHER	0x5000c50000000002ull

static uint8_t data[3][512];
static struct io late, same, other;

static void
two_disks(void)
{
	ioc_phy(1, 1, 15);
	ioc_disk(1, OTHER, 15, 1, 1);
}

/* one with a second of time; two without a limit, on the same disk and on another */
static void
start_three(void)
{
	ioc.hold = true;
	ck_assert_int_eq(io_start(&late, rig_unit(DISK), data[0], 512, true, 1), TRAN_ACCEPT);
	ck_assert_int_eq(io_start(&same, rig_unit(DISK), data[1], 512, true, 0), TRAN_ACCEPT);
	ck_assert_int_eq(io_start(&other, rig_unit(OTHER), data[2], 512, true, 0), TRAN_ACCEPT);
	sim_advance_us(999000);
	ck_assert_uint_eq(late.done, 0);
}

static void
expect_steps(unsigned int abort, unsigned int lun, unsigned int target, unsigned int bus)
{
	ck_assert_uint_eq(ioc.tasks_seen[MPT_TM_ABORT_TASK], abort);
	ck_assert_uint_eq(ioc.tasks_seen[MPT_TM_LUN_RESET], lun);
	ck_assert_uint_eq(ioc.tasks_seen[MPT_TM_TARGET_RESET], target);
	ck_assert_uint_eq(ioc.tasks_seen[MPT_TM_BUS_RESET], bus);
}

static void
abort_scenario(void)
{
	start_three();
	io_end(&late, CMD_TIMEOUT, STAT_TIMEOUT | STAT_ABORTED);
	expect_steps(1, 0, 0, 0);
	ioc_release();
	io_end(&same, CMD_CMPLT, 0);
	io_end(&other, CMD_CMPLT, 0);
}

START_TEST(an_abort_is_enough)
{
	rig_run(two_disks, abort_scenario);
}
END_TEST

/* task management overtakes commands, where the chip has a way for that */
static void
two_disks_and_a_fast_lane(void)
{
	two_disks();
	ioc.has_hipri = true;
}

static void
urgent_scenario(void)
{
	abort_scenario();
	ck_assert_uint_eq(ioc.urgent, 1);
}

START_TEST(the_fast_lane)
{
	rig_run(two_disks_and_a_fast_lane, urgent_scenario);
}
END_TEST

static void
lun_scenario(void)
{
	ioc.tasks[MPT_TM_ABORT_TASK] = IOC_REFUSE;
	start_three();
	io_end(&late, CMD_TIMEOUT, STAT_TIMEOUT | STAT_ABORTED | STAT_DEV_RESET);
	io_end(&same, CMD_RESET, STAT_DEV_RESET);
	expect_steps(1, 1, 0, 0);
	ioc_release();
	io_end(&other, CMD_CMPLT, 0);
}

START_TEST(the_unit_is_reset)
{
	rig_run(two_disks, lun_scenario);
}
END_TEST

/* an abort that says it is done, and is not, is no better than one that is refused */
static void
bus_scenario(void)
{
	ioc.tasks[MPT_TM_ABORT_TASK] = IOC_IGNORE;
	ioc.tasks[MPT_TM_LUN_RESET] = IOC_REFUSE;
	ioc.tasks[MPT_TM_TARGET_RESET] = IOC_REFUSE;
	start_three();
	io_end(&late, CMD_TIMEOUT,
	    STAT_TIMEOUT | STAT_ABORTED | STAT_DEV_RESET | STAT_BUS_RESET);
	io_end(&same, CMD_RESET, STAT_DEV_RESET | STAT_BUS_RESET);
	io_end(&other, CMD_RESET, STAT_BUS_RESET);
	expect_steps(1, 1, 1, 1);
	ck_assert_uint_eq(ioc.resets, 0);
	ck_assert(rig_state_is("ready"));
}

START_TEST(everything_is_reset)
{
	rig_run(two_disks, bus_scenario);
}
END_TEST

static void
adapter_scenario(void)
{
	for (unsigned int i = 0; i < 8; i++)
		ioc.tasks[i] = IOC_REFUSE;
	start_three();
	io_end(&late, CMD_TIMEOUT,
	    STAT_TIMEOUT | STAT_ABORTED | STAT_DEV_RESET | STAT_BUS_RESET);
	io_end(&same, CMD_RESET, STAT_DEV_RESET | STAT_BUS_RESET);
	io_end(&other, CMD_RESET, STAT_BUS_RESET);
	rig_settle();
	ck_assert_uint_eq(ioc.resets, 1);
	ck_assert(rig_state_is("ready"));
	ioc.hold = false;
	ck_assert_int_eq(io_start(&late, rig_unit(DISK), data[0], 512, true, 1), TRAN_ACCEPT);
	io_end(&late, CMD_CMPLT, 0);
}

START_TEST(the_adapter_is_reset)
{
	rig_run(two_disks, adapter_scenario);
}
END_TEST

/* task management without an answer: nothing can be asked any more */
static void
silence_scenario(void)
{
	ioc.tasks[MPT_TM_ABORT_TASK] = IOC_SILENT;
	start_three();
	io_end(&late, CMD_TIMEOUT, STAT_TIMEOUT | STAT_ABORTED | STAT_BUS_RESET);
	io_end(&same, CMD_RESET, STAT_BUS_RESET);
	io_end(&other, CMD_RESET, STAT_BUS_RESET);
	expect_steps(1, 0, 0, 0);
	rig_settle();
	ck_assert_uint_eq(ioc.resets, 1);
	ck_assert(rig_state_is("ready"));
}

START_TEST(silence)
{
	rig_run(two_disks, silence_scenario);
}
END_TEST

/* asked for by the client: what cannot be done by a task is done to the adapter */
static void
reset_scenario(void)
{
	struct scsi_address *ap;

	for (unsigned int i = 0; i < 8; i++)
		ioc.tasks[i] = IOC_REFUSE;
	start_three();
	ap = &rig_unit(DISK)->sd_address;
	ck_assert_int_eq(scsi_abort(ap, same.pkt), 0);
	ck_assert_int_eq(scsi_reset(ap, RESET_LUN), 0);
	ck_assert_int_eq(scsi_reset(ap, RESET_TARGET), 0);
	ck_assert_int_eq(scsi_reset(ap, 77), 0);
	ck_assert_int_eq(scsi_reset(ap, RESET_ALL), 1);
	io_wait(&late);
	/* the first reason stays */
	io_end(&same, CMD_ABORTED, STAT_ABORTED | STAT_DEV_RESET | STAT_BUS_RESET);
	io_end(&other, CMD_RESET, STAT_BUS_RESET);
	io_end(&late, late.pkt->pkt_reason, late.pkt->pkt_statistics);
	ck_assert_uint_eq(ioc.resets, 1);
}

START_TEST(reset_of_everything)
{
	rig_run(two_disks, reset_scenario);
}
END_TEST

static void
tasks_scenario(void)
{
	struct scsi_address *ap;

	start_three();
	ap = &rig_unit(DISK)->sd_address;
	ck_assert_int_eq(scsi_clear_task_set(ap), 1);
	io_end(&late, CMD_ABORTED, STAT_ABORTED);
	io_end(&same, CMD_ABORTED, STAT_ABORTED);
	ck_assert_int_eq(scsi_abort(ap, NULL), 1);
	ck_assert_uint_eq(ioc.tasks_seen[MPT_TM_ABORT_TASK_SET], 1);
	ioc_release();
	io_end(&other, CMD_CMPLT, 0);
}

START_TEST(task_sets)
{
	rig_run(two_disks, tasks_scenario);
}
END_TEST

CHECK_MAIN("ladder", an_abort_is_enough, the_fast_lane, the_unit_is_reset, everything_is_reset,
    the_adapter_is_reset, silence, reset_of_everything, task_sets)
