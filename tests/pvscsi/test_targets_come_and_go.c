/* hot plug: messages, and looking where they are missing */
#include "check_main.h"
#include "mock_world.h"

#define S	((uint64_t)MICROSEC)

static struct io io;
static uint8_t cdb[CDB_BUF_LEN];

static void
come_and_go(void)
{
	mock_plug(chip, 9);
	world_settle(S);
	ck_assert_ptr_nonnull(world_find(9));
	ck_assert_uint_eq(atomic_load(&hba->targets[9].block_bytes), MOCK_BLOCK);
	ck_assert(io_run(&io, world_sd(9), cdb, cdb_tur(cdb), NULL, 0, false));
	io_fini(&io);
	mock_pull(chip, 9);
	world_settle(S);
	ck_assert_ptr_null(world_find(9));
	ck_assert_ptr_nonnull(world_find(0));
	mock_plug(chip, 9);
	world_settle(S);
	ck_assert_ptr_nonnull(world_find(9));
	ck_assert_uint_eq(world_attaches(), 3);
}

/* one goes and another comes to its place, faster than any report settles: it is another one */
static void
another_in_its_place(void)
{
	unsigned int before = world_attaches();

	mock_pull(chip, 0);
	mock_plug(chip, 0);
	world_settle(S);
	ck_assert_ptr_nonnull(world_find(0));
	ck_assert_uint_eq(world_attaches(), before + 1);
	ck_assert_uint_eq(atomic_load(&hba->targets[0].block_bytes), MOCK_BLOCK);
	/* and several times */
	for (int i = 0; i < 5; i++) {
		mock_pull(chip, 0);
		mock_plug(chip, 0);
	}
	mock_pull(chip, 0);
	world_settle(S);
	ck_assert_ptr_null(world_find(0));
}

/* what comes and goes at once was never there */
static void
a_short_visit(void)
{
	unsigned int before = world_attaches();

	mock_plug(chip, 4);
	mock_pull(chip, 4);
	world_settle(S);
	ck_assert_ptr_null(world_find(4));
	ck_assert_uint_eq(world_attaches(), before);
}

static void
gone_while_busy(void)
{
	chip->disks[0].is_held = true;
	io_tur(&io, world_sd(0));
	mock_pull(chip, 0);
	io_wait(&io);
	ck_assert(io_ended(&io, CMD_DEV_GONE, 0));
	/* nothing answers there any more, and it was in the map */
	chip->disks[0].is_held = false;
	io_send(&io);
	io_wait(&io);
	ck_assert_int_eq(io.pkt->pkt_reason, CMD_DEV_GONE);
	ck_assert_uint_eq(io.pkt->pkt_state, STATE_GOT_BUS);
	ck_assert_int_eq(scsi_reset(&io.pkt->pkt_address, RESET_TARGET), 0);
	io_fini(&io);
	world_settle(S);
	ck_assert_ptr_null(world_find(0));
}

/* the chip does not give its commands back by itself: they are asked for, and the unit waits */
static void
gone_and_held(void)
{
	chip->disks[0].is_held = true;
	io_tur(&io, world_sd(0));
	mock_message(chip, PV_MSG_DEV_REMOVED, 0, 0);
	io_wait(&io);
	ck_assert(io_ended(&io, CMD_DEV_GONE, 0));
	ck_assert_uint_eq(chip->aborts, 1);
	io_fini(&io);
	world_settle(S);
	ck_assert_ptr_null(world_find(0));
}

/* nobody answers where somebody was: the map is told without a message */
static void
nobody_answers(void)
{
	chip->disks[0].is_there = false;
	io_tur(&io, world_sd(0));
	io_wait(&io);
	ck_assert(io_ended(&io, CMD_DEV_GONE, 0));
	io_fini(&io);
	world_settle(S);
	ck_assert_ptr_null(world_find(0));
}

/* a target that goes while the adapter goes: neither waits for the other for ever */
static void
detach_while_probing(void)
{
	chip->is_deaf_to_abort = chip->is_deaf_to_device = chip->is_deaf_to_bus = true;
	chip->disks[0].is_held = true;
	mutex_enter(&hba->lock);
	pvscsi_work(hba, PVSCSI_WORK_SCAN);
	mutex_exit(&hba->lock);
	sim_settle();
	chip->disks[0].is_held = false;
}

/* without a message: the next look finds out */
static void
missed_messages(void)
{
	chip->disks[0].is_there = false;
	chip->disks[7].is_there = true;
	world_settle(2 * S);
	ck_assert_ptr_nonnull(world_find(0));
	ck_assert_ptr_null(world_find(7));
	world_settle(10 * S);
	ck_assert_ptr_null(world_find(0));
	ck_assert_ptr_nonnull(world_find(7));
}

static void
no_messages(struct mock_chip *c)
{
	c->disks[0].is_there = c->has_no_messages = true;
}

static void
full_ring(void)
{
	chip->disks[12].is_there = true;
	/* all at once, before anybody looks */
	mutex_enter(&hba->lock);
	for (uint32_t i = 0; i < PV_MSG_PER_PAGE; i++)
		mock_message(chip, PV_MSG_DEV_ADDED, 11, 0);
	mutex_exit(&hba->lock);
	world_settle(S);
	ck_assert_ptr_nonnull(world_find(12));
	ck_assert_ptr_null(world_find(11));
	ck_assert_int_eq(world_state(), PVSCSI_READY);
}

/* of a kind or a place nobody knows: looking helps, believing does not */
static void
strange_messages(void)
{
	uint64_t scans = atomic_load(&hba->stats.scans);

	chip->disks[13].is_there = true;
	mock_message(chip, 99, 0, 0);
	world_settle(S);
	ck_assert_ptr_nonnull(world_find(13));
	mock_message(chip, PV_MSG_DEV_REMOVED, UINT32_MAX, 0);
	world_settle(S);
	ck_assert_uint_eq(atomic_load(&hba->stats.scans), scans + 2);
	/* one of its units: the framework asks it for all */
	mock_message(chip, PV_MSG_DEV_ADDED, 13, 3);
	world_settle(S);
	ck_assert_ptr_nonnull(world_find(13));
	ck_assert_uint_eq(atomic_load(&hba->stats.messages), 3);
}

/* a target whose answers take so long that they are given up is not reported, and not taken
 * away */
static void
silent_target(void)
{
	chip->disks[0].is_held = true;
	mutex_enter(&hba->lock);
	pvscsi_work(hba, PVSCSI_WORK_SCAN);
	mutex_exit(&hba->lock);
	world_settle(30 * S);
	ck_assert_ptr_nonnull(world_find(0));
	ck_assert_uint_ge(chip->aborts, 1);
	chip->disks[0].is_held = false;
}

WORLD_TEST(come_and_go)
WORLD_TEST(another_in_its_place)
WORLD_TEST(a_short_visit)
WORLD_TEST(gone_while_busy)
WORLD_TEST(gone_and_held)
WORLD_TEST(nobody_answers)
WORLD_TEST(detach_while_probing)
WORLD_TEST(missed_messages, .prepare = no_messages, .scan_s = 10)
WORLD_TEST(full_ring)
WORLD_TEST(strange_messages)
WORLD_TEST(silent_target)

CHECK_MAIN("targets come and go", come_and_go_test, another_in_its_place_test,
    a_short_visit_test, gone_while_busy_test, gone_and_held_test, nobody_answers_test,
    detach_while_probing_test, missed_messages_test, full_ring_test,
    strange_messages_test, silent_target_test)
