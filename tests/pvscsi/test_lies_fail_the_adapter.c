/* a chip that lies: its adapter fails at once, everything ends once, and it comes back by
 * itself */
#include <string.h>

#include "check_main.h"
#include "mock_world.h"

#define S	((uint64_t)MICROSEC)
#define N	4

static struct io io[N], other;
static uint8_t cdb[CDB_BUF_LEN], data[512];
static unsigned int told;

static void
two_disks(struct mock_chip *c)
{
	c->disks[0].is_there = c->disks[2].is_there = true;
}

static void
two_disks_on_a_line(struct mock_chip *c)
{
	two_disks(c);
	c->intr_type = DDI_INTR_TYPE_FIXED;
}

static void
hold_some(void)
{
	chip->disks[2].is_held = true;
	for (int i = 0; i < N; i++)
		io_tur(&io[i], world_sd(2));
}

static bool
has_failed(enum pvscsi_lie lie)
{
	char prop[] = "hba-state", why[] = "hba-why", *text;

	if (world_state() != PVSCSI_FAILED || hba->lie != lie)
		return false;
	ck_assert_int_eq(
	    ddi_prop_lookup_string(DDI_DEV_T_ANY, chip->dip, 0, prop, &text), DDI_PROP_SUCCESS);
	ck_assert_str_eq(text, "failed");
	ddi_prop_free(text);
	ck_assert_int_eq(
	    ddi_prop_lookup_string(DDI_DEV_T_ANY, chip->dip, 0, why, &text), DDI_PROP_SUCCESS);
	ck_assert_str_eq(text, pvscsi_lie_name(lie));
	ddi_prop_free(text);
	return true;
}

/* what was in flight has ended, once; new ones are refused; the chip cannot write any more */
static void
fails_properly(enum pvscsi_lie lie)
{
	ck_assert_msg(has_failed(lie), "state %d, lie %d", world_state(), hba->lie);
	for (int i = 0; i < N; i++) {
		ck_assert(io_ended(&io[i], CMD_TRAN_ERR, 0));
		ck_assert_uint_eq(io[i].pkt->pkt_state, STATE_GOT_BUS);
		ck_assert_int_eq(scsi_transport(io[i].pkt), TRAN_FATAL_ERROR);
	}
	ck_assert_int_eq(scsi_reset(&world_sd(0)->sd_address, RESET_ALL), 0);
	ck_assert_int_eq(scsi_reset(&world_sd(0)->sd_address, RESET_TARGET), 0);
	ck_assert_uint_eq(chip->config[4] & 4, 0);
	ck_assert_uint_eq(chip->stray, 0);
	ck_assert_uint_eq(chip->intr_mask, 0);
}

static void
on_reset(caddr_t arg)
{
	told++;
	(void)arg;
}

static void
comes_back(void)
{
	told = 0;
	chip->disks[2].is_held = false;
	chip->nheld = 0;
	ck_assert_int_eq(
	    scsi_reset_notify(&world_sd(0)->sd_address, SCSI_RESET_NOTIFY, on_reset, NULL),
	    DDI_SUCCESS);
	world_settle(33 * S);
	ck_assert_int_eq(world_state(), PVSCSI_READY);
	ck_assert_uint_eq(told, 1);
	ck_assert_int_eq(
	    scsi_reset_notify(&world_sd(0)->sd_address, SCSI_RESET_CANCEL, NULL, NULL),
	    DDI_SUCCESS);
	ck_assert(!io_run(&other, world_sd(2), cdb, cdb_tur(cdb), NULL, 0, false));
	ck_assert_uint_eq(other.pkt->pkt_scbp[0], STATUS_CHECK);
	io_fini(&other);
	ck_assert(
	    io_run(&other, world_sd(2), cdb, cdb_read(cdb, CDB_10, 0, 1, 0), data, 512, true));
	io_fini(&other);
	for (int i = 0; i < N; i++)
		io_fini(&io[i]);
	ck_assert_uint_eq(chip->stray, 0);
}

/* @lie is told with the next completion, of a command of target 0 */
static void
tell(struct mock_lie lie, enum pvscsi_lie expect)
{
	hold_some();
	chip->lie = lie;
	io_init(&other, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false);
	io_send(&other);
	io_wait(&other);
	world_settle(100000);
	fails_properly(expect);
	io_fini(&other);
	comes_back();
}

static void
bad_context(void)
{
	tell((struct mock_lie){.has_context = true, .context = 0x1234567}, PVSCSI_LIE_CONTEXT);
}

static void
context_of_64_bits(void)
{
	tell((struct mock_lie){.has_context = true, .context = UINT64_MAX}, PVSCSI_LIE_CONTEXT);
}

static void
no_context(void)
{
	tell((struct mock_lie){ .has_context = true }, PVSCSI_LIE_CONTEXT);
}

static void
twice(void)
{
	tell((struct mock_lie){ .is_twice = true }, PVSCSI_LIE_CONTEXT);
}

static void
far_index(void)
{
	tell((struct mock_lie){ .index_jump = 77777 }, PVSCSI_LIE_INDEX);
}

static void
index_back(void)
{
	tell((struct mock_lie){ .index_jump = (uint32_t)-5 }, PVSCSI_LIE_INDEX);
}

/* inside of what is out, so that old entries are taken for new ones */
static void
near_index(void)
{
	tell((struct mock_lie){ .index_jump = 2 }, PVSCSI_LIE_CONTEXT);
}

static void
long_sense(void)
{
	tell((struct mock_lie){ .sense_len = 70000, .scsi_status = 2 }, PVSCSI_LIE_LENGTH);
}

static void
long_data(void)
{
	tell((struct mock_lie){ .data_len = 1 }, PVSCSI_LIE_LENGTH);
}

static void
wide_status(void)
{
	tell((struct mock_lie){ .scsi_status = 0x200 }, PVSCSI_LIE_LENGTH);
}

static void
endless_interrupt(void)
{
	hold_some();
	chip->is_stuck = true;
	io_tur(&other, world_sd(0));
	io_wait(&other);
	world_settle(100000);
	fails_properly(PVSCSI_LIE_INTERRUPT);
	io_fini(&other);
	chip->is_stuck = false;
	comes_back();
}

static void
registers_of_ones(void)
{
	uint64_t from;

	hold_some();
	from = sim_now_us();
	chip->is_gone = true;
	io_wait(&io[0]);
	ck_assert_uint_le(io[0].done_us - from, 100000);
	world_settle(0);
	ck_assert(has_failed(PVSCSI_LIE_GONE));
	for (int i = 0; i < N; i++)
		ck_assert(io_ended(&io[i], CMD_TRAN_ERR, 0));
	/* a while later it is there again, as after power on */
	world_settle(3 * S / 2);
	ck_assert_int_eq(world_state(), PVSCSI_FAILED);
	chip->is_gone = false;
	chip->has_rings = chip->has_msgs = false;
	comes_back();
}

static void
dead_for_good(void)
{
	uint64_t from = sim_now_us();

	hold_some();
	chip->is_gone = true;
	world_settle(90 * S);
	ck_assert_int_eq(world_state(), PVSCSI_DEAD);
	ck_assert_uint_eq(atomic_load(&hba->stats.revivals), PVSCSI_REVIVALS);
	ck_assert_uint_ge(sim_now_us() - from, 31 * S);
	ck_assert_int_eq(scsi_transport(io[0].pkt), TRAN_FATAL_ERROR);
	for (int i = 0; i < N; i++)
		io_fini(&io[i]);
	chip->is_gone = false;
}

/* time heals: failures far apart do not add up */
static void
seldom_failures(void)
{
	for (unsigned int i = 0; i < 2 * PVSCSI_REVIVALS; i++) {
		mock_return(chip, &(struct pv_cmp){ .context = 5 });
		world_settle(S / 10);
		ck_assert_int_eq(world_state(), PVSCSI_FAILED);
		world_settle((PVSCSI_STEADY_S + 2) * S);
		ck_assert_int_eq(world_state(), PVSCSI_READY);
	}
}

static void
rings_refused_later(void)
{
	chip->has_no_rings = true;
	mock_return(chip, &(struct pv_cmp){ .context = 5 });
	world_settle(2 * S);
	ck_assert(has_failed(PVSCSI_LIE_SETUP));
	chip->has_no_rings = false;
	world_settle(33 * S);
	ck_assert_int_eq(world_state(), PVSCSI_READY);
}

static void
message_index(void)
{
	hold_some();
	hba->rings.state->msg_prod += 1000;
	mock_interrupt(chip);
	world_settle(100000);
	fails_properly(PVSCSI_LIE_INDEX);
	comes_back();
}

/* the adapter blames itself again and again: it is reset, no lie is seen in that */
static void
broken_adapter(void)
{
	chip->lie =
	    (struct mock_lie){.host_status = PV_HS_HAHARDWARE, .times = PVSCSI_HW_ERRORS};
	for (unsigned int i = 0; i < PVSCSI_HW_ERRORS; i++) {
		ck_assert(!io_run(&other, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false));
		ck_assert(io_ended(&other, CMD_TRAN_ERR, 0));
		ck_assert(i == PVSCSI_HW_ERRORS - 1 || chip->adapter_resets == 1);
		io_fini(&other);
	}
	world_settle(S);
	ck_assert_uint_eq(chip->adapter_resets, 2);
	ck_assert_int_eq(world_state(), PVSCSI_READY);
}

/* a detach meanwhile: nothing is left behind */
static void
gone_for_ever(void)
{
	hold_some();
	chip->is_gone = true;
	for (int i = 0; i < N; i++)
		io_wait(&io[i]);
	for (int i = 0; i < N; i++)
		io_fini(&io[i]);
}

WORLD_TEST(bad_context, .prepare = two_disks)
WORLD_TEST(context_of_64_bits, .prepare = two_disks)
WORLD_TEST(no_context, .prepare = two_disks)
WORLD_TEST(twice, .prepare = two_disks)
WORLD_TEST(far_index, .prepare = two_disks)
WORLD_TEST(index_back, .prepare = two_disks)
WORLD_TEST(near_index, .prepare = two_disks)
WORLD_TEST(long_sense, .prepare = two_disks)
WORLD_TEST(long_data, .prepare = two_disks)
WORLD_TEST(wide_status, .prepare = two_disks)
WORLD_TEST(endless_interrupt, .prepare = two_disks_on_a_line)
WORLD_TEST(registers_of_ones, .prepare = two_disks)
WORLD_TEST(dead_for_good, .prepare = two_disks)
WORLD_TEST(seldom_failures)
WORLD_TEST(rings_refused_later)
WORLD_TEST(message_index, .prepare = two_disks)
WORLD_TEST(broken_adapter)
WORLD_TEST(gone_for_ever, .prepare = two_disks)

CHECK_MAIN("lies fail the adapter", bad_context_test, context_of_64_bits_test, no_context_test,
    twice_test, far_index_test, index_back_test, near_index_test, long_sense_test,
    long_data_test, wide_status_test, endless_interrupt_test, registers_of_ones_test,
    dead_for_good_test, seldom_failures_test, rings_refused_later_test, message_index_test,
    broken_adapter_test, gone_for_ever_test)
