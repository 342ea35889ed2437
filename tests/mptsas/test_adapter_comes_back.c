/* faults, silence, a firmware that has changed: commands end; the adapter returns, or is given
 * up */
#include "base/bytes.h"
#include "check_main.h"
#include "mock_ioc.h"
#include "ddi/devtree.h"
#include "scsa/config.h"

#define DISK	0x5000c50000000001ull

static uint8_t data[512];
static struct io io;

static void
start(void)
{
	ioc.hold = true;
	ck_assert_int_eq(io_start(&io, rig_unit(DISK), data, 512, true, 0), TRAN_ACCEPT);
}

static void
works(void)
{
	rig_settle();
	ioc.hold = false;
	ck_assert(rig_state_is("ready"));
	ck_assert_int_eq(io_start(&io, rig_unit(DISK), data, 512, true, 1), TRAN_ACCEPT);
	io_end(&io, CMD_CMPLT, 0);
	ck_assert_uint_eq(rig_units(), 1);
}

static void
fault_scenario(void)
{
	uint64_t began_us;

	start();
	began_us = sim_now_us();
	ioc_fault(0x8112);
	io_wait(&io);
	ck_assert_uint_le(sim_now_us() - began_us, 100000 + 60000);
	io_end(&io, CMD_RESET, STAT_BUS_RESET);
	works();
	ck_assert_uint_eq(ioc.resets, 1);
}

START_TEST(fault)
{
	rig_run(NULL, fault_scenario);
}
END_TEST

/* nothing in flight: the tick sees it */
static void
idle_scenario(void)
{
	ioc_fault(1);
	sim_advance_us(1100000);
	works();
}

START_TEST(fault_while_idle)
{
	rig_run(NULL, idle_scenario);
}
END_TEST

/* contexts of before a reset are known for what they are, up to a point */
static void
stale_scenario(void)
{
	uint32_t context;

	start();
	context = ioc_context(0);
	ioc_fault(1);
	io_end(&io, CMD_RESET, STAT_BUS_RESET);
	works();
	ioc_say(context);
	works();
	for (unsigned int i = 0; i <= MPTSAS_STALE_MAX; i += 64) {
		for (unsigned int k = 0; k < 64; k++)
			ioc_say(context);
		sim_advance_us(1000);
	}
	works();
	ck_assert_uint_eq(ioc.resets, 2);
}

START_TEST(stale_replies)
{
	rig_run(NULL, stale_scenario);
}
END_TEST

/* pages that are not answered */
static void
mute_scenario(void)
{
	ioc.is_mute = true;
	sim_advance_us(40000000);
	ck_assert_uint_ge(ioc.resets, 1);
	ioc.is_mute = false;
	sim_advance_us(40000000);
	works();
}

START_TEST(pages_without_answer)
{
	rig_run(NULL, mute_scenario);
}
END_TEST

/* pages that lead from one to the next, and back */
static void
circle_scenario(void)
{
	ioc.is_circular = true;
	while (ioc.resets == 0)
		sim_advance_us(10000);
	ioc.is_circular = false;
	works();
	ck_assert_uint_eq(ioc.resets, 1);
}

START_TEST(pages_in_a_circle)
{
	rig_run(NULL, circle_scenario);
}
END_TEST

/* firmware that takes less than what it took, or does not come back at all */
static void
lesser_scenario(void)
{
	ioc.credits = 16;
	start();
	ioc_fault(1);
	io_end(&io, CMD_RESET, STAT_BUS_RESET);
	rig_settle();
	ck_assert(rig_state_is("dead"));
	ck_assert_int_eq(io_start(&io, rig_unit(DISK), data, 512, true, 1), TRAN_FATAL_ERROR);
	scsi_destroy_pkt(io.pkt);
	ck_assert_int_eq(scsi_reset(&rig_unit(DISK)->sd_address, RESET_ALL), 0);
}

START_TEST(lesser_firmware)
{
	rig_run(NULL, lesser_scenario);
}
END_TEST

static void
stuck_scenario(void)
{
	ioc.is_stuck = true;
	start();
	ioc_fault(1);
	io_end(&io, CMD_RESET, STAT_BUS_RESET);
	ck_assert(rig_state_is("resetting"));
	ck_assert_int_eq(io_start(&io, rig_unit(DISK), data, 512, true, 1), TRAN_BUSY);
	scsi_destroy_pkt(io.pkt);
	sim_advance_us(600000000);
	ck_assert(rig_state_is("dead"));
}

START_TEST(stuck_firmware)
{
	rig_run(NULL, stuck_scenario);
}
END_TEST

/* detached in the middle of it */
static void
leave_scenario(void)
{
	ioc.is_stuck = true;
	start();
	ioc_fault(1);
	io_end(&io, CMD_RESET, STAT_BUS_RESET);
	ck_assert(rig_state_is("resetting"));
}

START_TEST(left_alone)
{
	rig_run(NULL, leave_scenario);
}
END_TEST

/* a full queue cuts the target, and what is away for a while is busy */
static void
throttle_scenario(void)
{
	static uint8_t many[8][512];
	struct io ios[8];
	unsigned int accepted = 0;

	ioc.devices[0].status = STATUS_QFULL;
	ck_assert_int_eq(io_start(&io, rig_unit(DISK), data, 512, true, 1), TRAN_ACCEPT);
	io_wait(&io);
	ck_assert_uint_eq(*io.pkt->pkt_scbp, STATUS_QFULL);
	io_end(&io, CMD_CMPLT, 0);
	ioc.devices[0].status = 0;
	ioc.hold = true;
	for (unsigned int i = 0; i < 8; i++) {
		int r = io_start(&ios[i], rig_unit(DISK), many[i], 512, true, 0);

		ck_assert_int_eq(r, i == 0 ? TRAN_ACCEPT : TRAN_BUSY);
		accepted += r == TRAN_ACCEPT;
	}
	ck_assert_uint_eq(accepted, 1);
	ioc_release();
	io_end(&ios[0], CMD_CMPLT, 0);
	for (unsigned int i = 1; i < 8; i++)
		scsi_destroy_pkt(ios[i].pkt);
	/* a second gives one back */
	sim_advance_us(3000000);
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_int_eq(
		    io_start(&ios[i], rig_unit(DISK), many[i], 512, true, 0), TRAN_ACCEPT);
	ioc_release();
	for (unsigned int i = 0; i < 3; i++)
		io_end(&ios[i], CMD_CMPLT, 0);
}

START_TEST(a_full_queue)
{
	rig_run(NULL, throttle_scenario);
}
END_TEST

/* the event says the same */
static void
full_event_scenario(void)
{
	uint8_t full[4] = { 10, 0, 1, 0 };
	struct io two;

	ioc_event(MPT_EV_QUEUE_FULL, full, sizeof(full), false);
	sim_advance_us(100000);
	start();
	ck_assert_int_eq(io_start(&two, rig_unit(DISK), data, 512, true, 0), TRAN_BUSY);
	scsi_destroy_pkt(two.pkt);
	ioc_release();
	io_end(&io, CMD_CMPLT, 0);
}

START_TEST(a_full_queue_by_event)
{
	rig_run(NULL, full_event_scenario);
}
END_TEST

static void
away_scenario(void)
{
	ioc.status = MPT_S_IOC_TERMINATED;
	ioc.loginfo = MPT_LOGINFO_MISSING;
	ck_assert_int_eq(io_start(&io, rig_unit(DISK), data, 512, true, 1), TRAN_ACCEPT);
	io_wait(&io);
	ck_assert_uint_eq(*io.pkt->pkt_scbp, STATUS_BUSY);
	io_end(&io, CMD_CMPLT, 0);
	ioc.loginfo = 0;
	works();
}

START_TEST(away_for_a_while)
{
	rig_run(NULL, away_scenario);
}
END_TEST

/* quiesced, it starts nothing, and waits for what runs */
static void
quiesce_scenario(void)
{
	ck_assert_int_eq(scsa_bus_quiesce(rig_node()), 0);
	ck_assert_int_eq(io_start(&io, rig_unit(DISK), data, 512, true, 1), TRAN_BUSY);
	scsi_destroy_pkt(io.pkt);
	ck_assert_int_eq(scsa_bus_unquiesce(rig_node()), 0);
	works();
	ck_assert_int_eq(scsa_bus_reset(rig_node()), 0);
	ck_assert_uint_eq(ioc.tasks_seen[MPT_TM_BUS_RESET], 1);
}

START_TEST(quiesced)
{
	rig_run(NULL, quiesce_scenario);
}
END_TEST

/* the last resort leaves a chip that reaches nothing */
static void
last_resort_scenario(void)
{
	start();
	ck_assert_int_eq(devi_quiesce(rig_node()), 0);
	ck_assert_uint_eq(ioc.resets, 1);
	sim_advance_us(1000000);
	io_end(&io, CMD_RESET, STAT_BUS_RESET);
	works();
}

START_TEST(last_resort)
{
	rig_run(NULL, last_resort_scenario);
}
END_TEST

CHECK_MAIN("recovery", fault, fault_while_idle, stale_replies, pages_without_answer,
    pages_in_a_circle, lesser_firmware, stuck_firmware, left_alone, a_full_queue,
    a_full_queue_by_event, away_for_a_while, quiesced, last_resort)
