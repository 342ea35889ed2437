/* row 7: a command beyond its time ends with a timeout, not early; its memory is left alone */
#include "base/clock.h"
#include "mptsas.h"

static const struct chip_spec spec = MPT_SPEC(.n_disks = 2, .disks = {
	MPT_DISK(0, .store = CHIP_NULL, .latency_ms = 300), MPT_DISK(1),
});

START_TEST(time_is_over)
{
	struct chip *chip = chip_start(&spec);
	struct chip_cmd *cmd;
	uint8_t cdb[10];

	(void)chip_tur(chip, mpt_unit(chip, 0, 0));
	chip_cdb_rw10(cdb, false, 8, 8);
	cmd = chip_cmd_new(chip, mpt_unit(chip, 0, 0), cdb, sizeof(cdb), CHIP_IN, 4096);
	cmd->pkt->pkt_time = 1;
	chip_disk_hold(chip, 0, 0);
	chip_let_go_behind(chip, mpt_is_function, chip);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_cmd_wait(cmd);
	ck_assert_uint_ge(cmd->done_ns - cmd->started_ns, NS_PER_S);
	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_TIMEOUT);
	ck_assert_uint_eq(cmd->pkt->pkt_statistics, STAT_TIMEOUT | STAT_ABORTED);
	memset(cmd->data, 'c', 4096);
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 0, 0)), 0);
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 1, 0)), 0);
	for (unsigned int i = 0; i < 4096; i++)
		ck_assert_uint_eq(cmd->data[i], 'c');
	chip_cmd_free(cmd);
	ck_assert(mpt_state_is(chip, "ready"));
	chip_stop(chip);
}
END_TEST

/* 0 is no limit, and one that has been kept leaves nothing behind */
START_TEST(time_is_kept)
{
	struct chip *chip = chip_start(&spec);
	struct chip_cmd *cmd;
	uint8_t cdb[10];

	(void)chip_tur(chip, mpt_unit(chip, 0, 0));
	chip_cdb_rw10(cdb, false, 8, 8);
	for (unsigned int time = 0; time <= 60; time += 60) {
		cmd = chip_cmd_new(
		    chip, mpt_unit(chip, 0, 0), cdb, sizeof(cdb), CHIP_IN, 4096);
		cmd->pkt->pkt_time = time;
		ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
		chip_cmd_wait(cmd);
		ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_CMPLT);
		ck_assert_uint_eq(cmd->pkt->pkt_statistics, 0);
		chip_cmd_free(cmd);
	}
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: time", time_is_over, time_is_kept)
