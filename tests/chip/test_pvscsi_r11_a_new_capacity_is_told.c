/* row 11: a disk that has grown says so by a unit attention, once */
#include "pvscsi.h"

static const struct chip_spec one = PV_SPEC(.n_disks = 1, .disks = { { .target = 0 } });

START_TEST(grown)
{
	struct chip *chip = chip_start(&one);
	struct scsi_device *sd = chip_unit(chip, 0, 0);
	uint8_t cdb[CDB_BUF_LEN], data[8];
	struct chip_cmd *cmd;

	chip_disk_resize(chip, 0, 0, 2 * CHIP_BYTES);
	cmd = pv_tur(chip, sd);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_cmd_wait(cmd);
	ck_assert_uint_eq(chip_sense(cmd), 0x062a09);
	chip_cmd_free(cmd);
	cmd = chip_run(chip, sd, cdb, cdb_readcap10(cdb), CHIP_IN, data, 8, false);
	ck_assert_uint_eq(*cmd->pkt->pkt_scbp, STATUS_GOOD);
	ck_assert_uint_eq(be32_get(data), 2 * CHIP_BYTES / 512 - 1);
	chip_cmd_free(cmd);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi: capacity", grown)
