/* INQUIRY, REPORT LUNS and MODE SENSE into buffers of all sizes: what arrived, what did not,
 * and nothing behind it */
#include "virtio.h"

static const struct chip_spec spec = {
	VIRTIO_SPEC,
	.disks = { { .target = 0, .lun = 0 }, { .target = 0, .lun = 1 } },
	.n_disks = 2,
};

/* send @cdb with room for @len bytes; how many came */
static size_t
run(struct chip *chip, const uint8_t *cdb, size_t cdb_len, size_t len, uint8_t *data)
{
	struct scsi_device *sd = chip_await_unit(chip, 0, 0);
	struct chip_cmd *cmd;
	size_t moved;

	memset(data, 0, len);
	cmd = chip_run(chip, sd, cdb, cdb_len, CHIP_IN, data, len, true);
	virtio_expect(cmd, CMD_CMPLT, VIRTIO_MOVED, 0);
	ck_assert_uint_eq(*cmd->pkt->pkt_scbp, STATUS_GOOD);
	ck_assert_int_ge(cmd->pkt->pkt_resid, 0);
	ck_assert_uint_le((size_t)cmd->pkt->pkt_resid, len);
	moved = len - (size_t)cmd->pkt->pkt_resid;
	for (size_t i = moved; i < len; i++)
		ck_assert_uint_eq(data[i], 0);
	chip_cmd_free(cmd);
	return moved;
}

START_TEST(inquiry)
{
	static const uint8_t sizes[] = { 5, 36, 96, 255 };
	struct chip *chip = chip_start(&spec);
	uint8_t data[255];

	for (size_t i = 0; i < sizeof(sizes); i++) {
		const uint8_t cdb[6] = { 0x12, 0, 0, 0, sizes[i], 0 };
		size_t n = run(chip, cdb, sizeof(cdb), sizes[i], data), all = data[4] + 5u;

		ck_assert_uint_eq(data[0], 0);
		ck_assert_uint_eq(n, sizes[i] < all ? sizes[i] : all);
	}
	ck_assert_mem_eq(data + 8, "QEMU    QEMU HARDDISK", 21);
	chip_stop(chip);
}
END_TEST

START_TEST(report_luns)
{
	static const uint8_t cdb[12] = { 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0 };
	struct chip *chip = chip_start(&spec);
	uint8_t data[255];

	ck_assert_uint_eq(run(chip, cdb, sizeof(cdb), sizeof(data), data), 24);
	ck_assert_uint_eq(data[3], 16);
	ck_assert_uint_eq(data[17], 1);
	chip_stop(chip);
}
END_TEST

START_TEST(mode_sense)
{
	static const uint8_t cdb[6] = { 0x1a, 0, 0x3f, 0, 255, 0 };
	struct chip *chip = chip_start(&spec);
	uint8_t data[255];
	size_t n = run(chip, cdb, sizeof(cdb), sizeof(data), data);

	/* the emulated disk fills up what it was asked for with zeros, and counts them */
	ck_assert_uint_ge(n, data[0] + 1u);
	for (size_t i = data[0] + 1u; i < sizeof(data); i++)
		ck_assert_uint_eq(data[i], 0);
	chip_stop(chip);
}
END_TEST

START_TEST(one_byte_and_an_unused_buffer)
{
	static const uint8_t cdb[6] = { 0x12, 0, 0, 0, 1, 0 };
	struct chip *chip = chip_start(&spec);
	struct chip_cmd *cmd;
	uint8_t data[64];

	ck_assert_uint_eq(run(chip, cdb, sizeof(cdb), 1, data), 1);
	cmd = chip_run(chip, chip_await_unit(chip, 0, 0), virtio_tur, 6, CHIP_IN, data,
	    sizeof(data), true);
	/* a residual says nothing about a command that moves nothing */
	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(*cmd->pkt->pkt_scbp, STATUS_GOOD);
	ck_assert_int_ge(cmd->pkt->pkt_resid, 0);
	ck_assert_int_le(cmd->pkt->pkt_resid, sizeof(data));
	chip_cmd_free(cmd);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio lengths", inquiry, report_luns, mode_sense, one_byte_and_an_unused_buffer)
