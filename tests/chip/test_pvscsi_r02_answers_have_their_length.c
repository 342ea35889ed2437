/* row 2: INQUIRY into buffers of 5, 36, 96, 255; REPORT LUNS; MODE SENSE; rest of a buffer
 * zero */
#include "pvscsi.h"

static const struct chip_spec one = PV_SPEC(.n_disks = 1, .disks = { { .target = 0 } });
static uint8_t cdb[CDB_BUF_LEN], data[512];

/* @len bytes of room, @alloc in the CDB, @real in the answer; how many are not zero at most */
static void
ask(struct chip *chip, size_t cdb_len, size_t len, size_t alloc, size_t real)
{
	struct chip_cmd *cmd =
	    chip_cmd_new(chip, chip_unit(chip, 0, 0), cdb, cdb_len, CHIP_IN, len);
	size_t end = alloc < real ? alloc : real;

	memset(cmd->data, 0xa5, len);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_cmd_wait(cmd);
	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(*cmd->pkt->pkt_scbp, STATUS_GOOD);
	/* the chip says nothing: what the CDB does not ask for has not moved */
	ck_assert_int_eq(cmd->pkt->pkt_resid, (ssize_t)(len - alloc));
	for (size_t i = end; i < len; i++)
		ck_assert_msg(
		    cmd->data[i] == 0, "byte %zu of %zu is %02x", i, len, cmd->data[i]);
	memcpy(data, cmd->data, len);
	chip_cmd_free(cmd);
}

START_TEST(inquiry)
{
	static const uint16_t lens[] = { 5, 36, 96, 255 };
	struct chip *chip = chip_start(&one);

	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		ask(chip, cdb_inquiry(cdb, lens[i]), lens[i], lens[i], 96);
		ck_assert_uint_eq(data[3] & 0xf, 2);
		ask(chip, cdb_inquiry(cdb, lens[i]), 255, lens[i], 96);
	}
	ask(chip, cdb_inquiry_vpd(cdb, 0x80, 255), 255, 255, 4u + 4u);
	ck_assert_mem_eq(data + 4, "S0-0", 4);
	chip_stop(chip);
}
END_TEST

START_TEST(others)
{
	struct chip *chip = chip_start(&one);

	ask(chip, cdb_report_luns(cdb, 0, 256), 256, 256, 16);
	ck_assert_uint_eq(be32_get(data), 8);
	ask(chip, cdb_mode_sense(cdb, CDB_6, 0, 0x08, 0, true, 192), 192, 192, 192);
	ck_assert_uint_eq(data[4] & 0x3f, 0x08);
	ask(chip, cdb_readcap10(cdb), 8, 8, 8);
	ck_assert_uint_eq(be32_get(data + 4), 512);
	ask(chip, cdb_readcap16(cdb, 32), 32, 32, 32);
	ck_assert_uint_eq(be64_get(data), CHIP_BYTES / 512 - 1);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi: answers", inquiry, others)
