/* a chip that lies, or is pulled out: its adapter fails at once, and no other; then it comes
 * back */
#include "pvscsi.h"

#define N	4

static const struct chip_spec slow = PV_SPEC(.n_disks = 2, .disks = {
	{ .target = 0, .store = CHIP_NULL }, { .target = 1 } });
static const struct chip_spec twins = PV_SPEC(.n_disks = 1, .twins = 1, .disks = {
	{ .target = 0, .store = CHIP_NULL } });

static struct chip *chip;
static struct chip_cmd *cmds[N];
static unsigned int told;

static void
on_reset(caddr_t arg)
{
	(void)arg;
	(void)__atomic_add_fetch(&told, 1, __ATOMIC_RELAXED);
}

/* all are with the disk, and stay */
static void
begin(const struct chip_spec *spec)
{
	chip = chip_start(spec);
	told = 0;
	ck_assert_int_eq(scsi_reset_notify(&chip_unit(chip, 0, 0)->sd_address,
			     SCSI_RESET_NOTIFY, on_reset, NULL),
	    DDI_SUCCESS);
	chip_disk_hold(chip, 0, 0);
	for (int i = 0; i < N; i++)
		cmds[i] = pv_read(chip, chip_unit(chip, 0, 0), 8);
}

static bool
was_told(void *arg)
{
	(void)arg;
	return __atomic_load_n(&told, __ATOMIC_RELAXED) > 0;
}

static void
comes_back(void)
{
	struct scsi_device *sd = chip_unit(chip, 0, 0);
	uint8_t data[512];

	for (int i = 0; i < N; i++)
		chip_cmd_free(cmds[i]);
	chip_disk_let_go(chip, 0, 0);
	chip_await(chip, pv_is_ready, chip, "the adapter to come back");
	chip_await(chip, was_told, NULL, "word of the reset");
	chip_read(chip, sd, 0, 1, data);
	ck_assert_int_eq(scsi_reset_notify(&sd->sd_address, SCSI_RESET_CANCEL, NULL, NULL),
	    DDI_SUCCESS);
	chip_stop(chip);
}

static bool
has_failed(void *arg)
{
	return pv_state_is(arg, PVSCSI_FAILED);
}

/* the adapter is found out at once; its commands end, once, when its reset has made sure that
 * it moves no data any more, and the model's reset waits for its disks */
static void
fails_within_100_ms(uint64_t from_ns)
{
	uint64_t took_ns;

	chip_await(chip, has_failed, chip, "failure");
	took_ns = clock_now_ns() - from_ns;
	ck_assert_msg(took_ns < chip_at_once_ns(), "%llu ms",
	    (unsigned long long)(took_ns / NS_PER_MS));
	for (int i = 0; i < N; i++) {
		chip_cmd_wait(cmds[i]);
		ck_assert(pv_ended(cmds[i], CMD_TRAN_ERR, 0));
		ck_assert_uint_eq(cmds[i]->completions, 1);
	}
	ck_assert_int_eq(chip_cmd_start(cmds[0]), TRAN_FATAL_ERROR);
}

START_TEST(registers_of_ones)
{
	uint64_t from_ns;

	begin(&twins);
	from_ns = clock_now_ns();
	chip_poke_read(chip, PV_CHIP_BAR, PV_INTR_STATUS, 4, PV_ALL_ONES, UINT32_MAX);
	fails_within_100_ms(from_ns);
	/* its twin does not notice */
	ck_assert(pv_state_is(chip_twin(chip, 1), PVSCSI_READY));
	chip_poke_none(chip);
	comes_back();
}
END_TEST

static bool
lie_of_context(void *arg, unsigned int bar, uint64_t off, unsigned int width, uint64_t value)
{
	struct pvscsi *hba = pvscsi_of(chip_node(arg));

	(void)bar;
	(void)width;
	(void)value;
	/* before the chip sees the request: what it will return is not what was given to it */
	if (off == PV_KICK_RW || off == PV_KICK_NON_RW)
		hba->rings.req[(hba->rings.req_prod - 1) & (hba->rings.req_entries - 1)]
		    .context ^= 0x800;
	return true;
}

START_TEST(foreign_context)
{
	struct chip_cmd *cmd;

	begin(&twins);
	chip_on_write(chip, lie_of_context, chip);
	cmd = pv_tur(chip, chip_unit(chip, 0, 0));
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	fails_within_100_ms(cmd->started_ns);
	chip_cmd_wait(cmd);
	ck_assert(pv_ended(cmd, CMD_TRAN_ERR, 0));
	chip_on_write(chip, NULL, NULL);
	chip_cmd_free(cmd);
	ck_assert(pv_state_is(chip_twin(chip, 1), PVSCSI_READY));
	comes_back();
}
END_TEST

static bool
interrupts_until_failed(void *arg)
{
	chip_interrupt(arg, 0);
	return pv_state_is(arg, PVSCSI_FAILED);
}

START_TEST(interrupts_without_end)
{
	uint64_t from_ns;

	begin(&slow);
	from_ns = clock_now_ns();
	while (!interrupts_until_failed(chip))
		ck_assert_uint_lt(clock_now_ns() - from_ns, CHIP_WAIT_MS * NS_PER_MS);
	for (int i = 0; i < N; i++) {
		chip_cmd_wait(cmds[i]);
		ck_assert(pv_ended(cmds[i], CMD_TRAN_ERR, 0));
	}
	ck_assert_int_eq(pvscsi_of(chip_node(chip))->lie, PVSCSI_LIE_INTERRUPT);
	comes_back();
}
END_TEST

START_TEST(pulled_out)
{
	uint64_t from_ns;

	chip = chip_start(&slow);
	chip_disk_hold(chip, 0, 0);
	for (int i = 0; i < N; i++)
		cmds[i] = pv_read(chip, chip_unit(chip, 0, 0), 8);
	from_ns = clock_now_ns();
	chip_kill(chip);
	fails_within_100_ms(from_ns);
	for (int i = 0; i < N; i++)
		chip_cmd_free(cmds[i]);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN(
    "pvscsi: lies", registers_of_ones, foreign_context, interrupts_without_end, pulled_out)
