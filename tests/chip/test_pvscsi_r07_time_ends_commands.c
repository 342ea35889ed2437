/* row 7: pkt_time of 1 s on a disk that takes 10: not before its time, and no write
 * afterwards */
#include "pvscsi.h"

/* it knows its geometry: else the emulator would read a block to guess it */
static const struct chip_spec slow = PV_SPEC(.n_disks = 2, .disks = {
	{ .target = 0, .store = CHIP_NULL, .latency_ms = 10000,
	    .options = "cyls=130,heads=16,secs=63" },
	{ .target = 1 },
});

START_TEST(not_before_its_time)
{
	struct chip *chip = chip_start(&slow);
	struct scsi_device *sd = chip_unit(chip, 0, 0);
	struct chip_cmd *cmd;
	uint8_t cdb[10], data[512];

	chip_cdb_rw10(cdb, false, 0, 8);
	cmd = chip_cmd_new(chip, sd, cdb, sizeof(cdb), CHIP_IN, 4096);
	cmd->pkt->pkt_time = 1;
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_cmd_wait(cmd);
	ck_assert_uint_ge(cmd->done_ns - cmd->started_ns, NS_PER_S);
	/* the model gives it back when its disk does, so it may have ended by itself */
	ck_assert(pv_ended(cmd, CMD_TIMEOUT, STAT_TIMEOUT | STAT_ABORTED));
	memset(cmd->data, 0xc3, 4096);
	/* time for what the chip might still do: everything it had has ended behind this */
	chip_read(chip, chip_unit(chip, 1, 0), 0, 1, data);
	ck_assert_int_eq(chip_tur(chip, sd), 0);
	for (size_t i = 0; i < 4096; i++)
		ck_assert_uint_eq(cmd->data[i], 0xc3);
	ck_assert_uint_eq(cmd->completions, 1);
	chip_cmd_free(cmd);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi: time", not_before_its_time)
