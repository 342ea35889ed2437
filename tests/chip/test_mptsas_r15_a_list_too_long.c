/* row 15: a buffer longer than the CDB: the emulated disk moves all of it, and counts more.
 * That fails nobody; lib/lu, which is asked by all clients, hands on no more than the CDB
 * moves */
#include "mptsas.h"

static const struct chip_spec spec =
	MPT_SPEC(.n_disks = 1, .disks = { MPT_DISK(0, .store = CHIP_FILE) });

START_TEST(the_result_stays_inside)
{
	struct chip *chip = chip_start(&spec);
	uint8_t cdb[10], data[4096];
	struct chip_cmd *cmd;

	for (int is_write = 0; is_write < 2; is_write++) {
		memset(data, 0x11, sizeof(data));
		chip_cdb_rw10(cdb, is_write != 0, 0, 1);
		cmd = chip_run(chip, mpt_unit(chip, 0, 0), cdb, sizeof(cdb),
		    is_write ? CHIP_OUT : CHIP_IN, data, sizeof(data), true);
		ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_CMPLT);
		ck_assert_int_ge(cmd->pkt->pkt_resid, 0);
		ck_assert_int_le(cmd->pkt->pkt_resid, sizeof(data));
		chip_cmd_free(cmd);
	}
	ck_assert_int_eq(mpt_prop(chip, "hba-failures"), 0);
	chip_stop(chip);
}
END_TEST

/* shorter than the CDB: the chip moves nothing, and says overrun */
START_TEST(a_list_too_short)
{
	struct chip *chip = chip_start(&spec);
	uint8_t cdb[10], data[512], disk[4096];
	struct chip_cmd *cmd;

	memset(data, 0x77, sizeof(data));
	chip_cdb_rw10(cdb, true, 0, 8);
	(void)chip_tur(chip, mpt_unit(chip, 0, 0));
	cmd = chip_run(chip, mpt_unit(chip, 0, 0), cdb, sizeof(cdb), CHIP_OUT, data,
	    sizeof(data), false);
	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_DATA_OVR);
	ck_assert_int_eq(cmd->pkt->pkt_resid, 512);
	chip_cmd_free(cmd);
	chip_read(chip, mpt_unit(chip, 0, 0), 0, 8, disk);
	ck_assert_uint_eq(disk[0], 0);
	chip_stop(chip);
}
END_TEST

START_TEST(the_exact_list_leaves_the_rest_alone)
{
	struct chip *chip = chip_start(&spec);
	uint8_t before[4096], after[4096], block[512];

	memset(before, 0x22, sizeof(before));
	memset(block, 0x33, sizeof(block));
	(void)chip_tur(chip, mpt_unit(chip, 0, 0));
	chip_write(chip, mpt_unit(chip, 0, 0), 0, 8, before);
	chip_write(chip, mpt_unit(chip, 0, 0), 2, 1, block);
	memcpy(before + 1024, block, sizeof(block));
	chip_read(chip, mpt_unit(chip, 0, 0), 0, 8, after);
	ck_assert_mem_eq(before, after, sizeof(after));
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: long lists", the_result_stays_inside, a_list_too_short,
    the_exact_list_leaves_the_rest_alone)
