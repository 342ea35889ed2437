/* the adapter is pulled out while it is being reset: what it had ends once, and nothing is taken
 * any more */
#include "pvscsi.h"

#define N	4

static const struct chip_spec one = PV_SPEC(.n_disks = 1, .disks = {
	{ .target = 0, .store = CHIP_NULL } });

static bool
pull_out(void *arg, unsigned int bar, uint64_t off, unsigned int width, uint64_t value)
{
	struct chip *chip = arg;

	(void)width;
	if (bar != PV_CHIP_BAR || off != PV_COMMAND || value != PV_CMD_ADAPTER_RESET)
		return true;
	chip_on_write(chip, NULL, NULL);
	chip_kill(chip);
	return false;
}

static bool
has_failed(void *chip)
{
	return pv_state_is(chip, PVSCSI_FAILED) || pv_state_is(chip, PVSCSI_DEAD);
}

START_TEST(given_up)
{
	struct chip *chip = chip_start(&one);
	struct chip_cmd *cmds[N];

	chip_disk_hold(chip, 0, 0);
	for (int i = 0; i < N; i++)
		cmds[i] = pv_read(chip, chip_unit(chip, 0, 0), 8);
	chip_on_write(chip, pull_out, chip);
	ck_assert_int_lt(pvscsi_recover(pvscsi_of(chip_node(chip))), 0);
	for (int i = 0; i < N; i++) {
		chip_cmd_wait(cmds[i]);
		ck_assert(pv_ended(cmds[i], CMD_RESET, STAT_BUS_RESET));
		ck_assert_uint_eq(cmds[i]->completions, 1);
	}
	chip_await(chip, has_failed, chip, "the adapter to fail");
	ck_assert_int_eq(chip_cmd_start(cmds[0]), TRAN_FATAL_ERROR);
	for (int i = 0; i < N; i++)
		chip_cmd_free(cmds[i]);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi: death in reset", given_up)
