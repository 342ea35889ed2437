/* the adapter is pulled out while it is being reset: what it had ends once, and it is given up */
#include "mptsas.h"

#define N	4

static const struct chip_spec spec = MPT_SPEC(.n_disks = 1, .disks = {
	MPT_DISK(0, .store = CHIP_NULL),
});

static bool
pull_out(void *arg, unsigned int bar, uint64_t off, unsigned int width, uint64_t value)
{
	struct chip *chip = arg;

	(void)width;
	if (bar != MPT_BAR || off != MPT_DIAGNOSTIC || (value & MPT_DIAG_RESET) == 0)
		return true;
	chip_on_write(chip, NULL, NULL);
	chip_kill(chip);
	return false;
}

static bool
is_dead(void *chip)
{
	return mpt_state_is(chip, "dead");
}

START_TEST(given_up)
{
	struct chip *chip = chip_start(&spec);
	struct chip_cmd *cmds[N];
	uint8_t cdb[10];

	(void)chip_tur(chip, mpt_unit(chip, 0, 0));
	chip_disk_hold(chip, 0, 0);
	chip_cdb_rw10(cdb, false, 0, 1);
	for (unsigned int i = 0; i < N; i++) {
		cmds[i] = chip_cmd_new(
		    chip, mpt_unit(chip, 0, 0), cdb, sizeof(cdb), CHIP_IN, 512);
		ck_assert_int_eq(chip_cmd_start(cmds[i]), TRAN_ACCEPT);
	}
	chip_on_write(chip, pull_out, chip);
	/* its firmware seems to have stopped */
	chip_poke_read(chip, MPT_BAR, MPT_DOORBELL, 4, (uint64_t)MPT_ST_FAULT << 28, 1);
	for (unsigned int i = 0; i < N; i++) {
		chip_cmd_wait(cmds[i]);
		ck_assert_uint_eq(cmds[i]->pkt->pkt_reason, CMD_RESET);
		ck_assert_uint_eq(cmds[i]->pkt->pkt_statistics, STAT_BUS_RESET);
		ck_assert_uint_eq(cmds[i]->completions, 1);
	}
	chip_await(chip, is_dead, chip, "the end");
	ck_assert_int_eq(chip_cmd_start(cmds[0]), TRAN_FATAL_ERROR);
	for (unsigned int i = 0; i < N; i++)
		chip_cmd_free(cmds[i]);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: death in reset", given_up)
