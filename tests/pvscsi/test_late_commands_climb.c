/* a command whose time is over: abort, device reset, bus reset, adapter reset, as far as
 * needed */
#include "check_main.h"
#include "mock_world.h"

#define S	((uint64_t)MICROSEC)

static struct io io, neighbour;
static uint8_t cdb[CDB_BUF_LEN];

/* one of a second, and one that has time */
static uint64_t
hold_two(void)
{
	chip->disks[0].is_held = true;
	io_init(&io, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false);
	io.pkt->pkt_time = 1;
	io_send(&io);
	io_init(&neighbour, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false);
	neighbour.pkt->pkt_time = 300;
	io_send(&neighbour);
	return sim_now_us();
}

static void
let_go(void)
{
	io_fini(&io);
	io_fini(&neighbour);
	chip->disks[0].is_held = false;
	mock_release(chip, 0, MOCK_HELD);
	world_settle(S);
	(void)io_run(&io, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false);
	ck_assert_int_eq(io.pkt->pkt_reason, CMD_CMPLT);
	io_fini(&io);
	ck_assert_int_eq(world_state(), PVSCSI_READY);
}

static void
an_abort_does(void)
{
	uint64_t from = hold_two();

	io_wait(&io);
	ck_assert(io_ended(&io, CMD_TIMEOUT, STAT_TIMEOUT | STAT_ABORTED));
	ck_assert_uint_ge(io.done_us - from, S);
	ck_assert_uint_le(io.done_us - from, S + S / 5);
	ck_assert_uint_eq(atomic_load(&neighbour.done), 0);
	ck_assert_uint_eq(chip->device_resets, 0);
	mock_release(chip, 0, 1);
	io_wait(&neighbour);
	ck_assert(io_ended(&neighbour, CMD_CMPLT, 0));
	let_go();
}

static void
a_device_reset_does(void)
{
	uint64_t from;

	chip->is_deaf_to_abort = true;
	from = hold_two();
	io_wait(&io);
	ck_assert(io_ended(&io, CMD_TIMEOUT, STAT_TIMEOUT | STAT_ABORTED | STAT_DEV_RESET));
	ck_assert_uint_ge(io.done_us - from, (1 + PVSCSI_GRACE_S) * S);
	io_wait(&neighbour);
	ck_assert(io_ended(&neighbour, CMD_RESET, STAT_DEV_RESET));
	ck_assert_uint_eq(chip->bus_resets, 0);
	let_go();
}

static void
a_bus_reset_does(void)
{
	chip->is_deaf_to_abort = chip->is_deaf_to_device = true;
	(void)hold_two();
	io_wait(&io);
	ck_assert(io_ended(&io, CMD_TIMEOUT,
	    STAT_TIMEOUT | STAT_ABORTED | STAT_DEV_RESET | STAT_BUS_RESET));
	io_wait(&neighbour);
	ck_assert(io_ended(&neighbour, CMD_RESET, STAT_DEV_RESET | STAT_BUS_RESET));
	ck_assert_uint_eq(chip->adapter_resets, 1);
	let_go();
}

static void
an_adapter_reset_does(void)
{
	chip->is_deaf_to_abort = chip->is_deaf_to_device = chip->is_deaf_to_bus = true;
	(void)hold_two();
	io_wait(&io);
	ck_assert(io_ended(&io, CMD_TIMEOUT,
	    STAT_TIMEOUT | STAT_ABORTED | STAT_DEV_RESET | STAT_BUS_RESET));
	io_wait(&neighbour);
	ck_assert_uint_eq(chip->adapter_resets, 2);
	world_settle(S);
	ck_assert_uint_eq(chip->setups, 2);
	let_go();
}

/* it has not even looked at the ring: nothing comes back, and the reset proves that nothing
 * will */
static void
a_deaf_chip_is_reset(void)
{
	chip->is_deaf = true;
	(void)hold_two();
	io_wait(&io);
	ck_assert_int_eq(io.pkt->pkt_reason, CMD_TIMEOUT);
	io_wait(&neighbour);
	ck_assert_int_eq(neighbour.pkt->pkt_reason, CMD_RESET);
	chip->is_deaf = false;
	let_go();
}

/* it ended by itself just before: no harm is done */
static void
done_in_time(void)
{
	(void)hold_two();
	world_settle(9 * S / 10);
	mock_release(chip, 0, 2);
	io_wait(&io);
	io_wait(&neighbour);
	ck_assert(io_ended(&io, CMD_CMPLT, 0));
	world_settle(2 * S);
	ck_assert_uint_eq(chip->aborts, 0);
	let_go();
}

WORLD_TEST(an_abort_does)
WORLD_TEST(a_device_reset_does)
WORLD_TEST(a_bus_reset_does)
WORLD_TEST(an_adapter_reset_does)
WORLD_TEST(a_deaf_chip_is_reset)
WORLD_TEST(done_in_time)

CHECK_MAIN("late commands climb", an_abort_does_test, a_device_reset_does_test,
    a_bus_reset_does_test, an_adapter_reset_does_test, a_deaf_chip_is_reset_test,
    done_in_time_test)
