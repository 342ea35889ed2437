/* row 11: a disk that grows says so by unit attention, and answers with its new size */
#include "base/bytes.h"
#include "mptsas.h"

static const struct chip_spec spec = MPT_SPEC(.n_disks = 1,
	.disks = { MPT_DISK(0, .store = CHIP_FILE, .bytes = 1 << 20) });

static uint32_t
last_block(struct chip *chip)
{
	const uint8_t cdb[10] = { SCMD_READ_CAPACITY };
	uint8_t data[8];

	chip_cmd_free(chip_run(
	    chip, mpt_unit(chip, 0, 0), cdb, sizeof(cdb), CHIP_IN, data, sizeof(data), true));
	return be32_get(data);
}

START_TEST(it_grows)
{
	struct chip *chip = chip_start(&spec);
	const uint8_t tur[6] = { 0 };
	struct chip_cmd *cmd;

	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 0, 0)), 0);
	ck_assert_uint_eq(last_block(chip), 2047);
	chip_disk_resize(chip, 0, 0, 2 << 20);
	cmd = chip_cmd_new(chip, mpt_unit(chip, 0, 0), tur, sizeof(tur), CHIP_NONE, 0);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_cmd_wait(cmd);
	ck_assert_uint_eq(chip_sense(cmd), 0x062a09);
	chip_cmd_free(cmd);
	ck_assert_uint_eq(last_block(chip), 4095);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: capacity", it_grows)
