/* bad opcode, address out of range, write to a read-only disk, medium error: sense, byte for
 * byte */
#include "virtio.h"

static const struct chip_spec spec = {
	VIRTIO_SPEC,
	.disks = {
		{ .target = 0, .lun = 0 },
		{ .target = 1, .lun = 0, .is_broken = true, .broken_sector = 100 },
	},
	.n_disks = 2,
};

static void
expect_check(struct chip_cmd *cmd, uint32_t sense)
{
	const uint8_t *data = (const uint8_t *)&cmd->arq->sts_sensedata;

	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(*cmd->pkt->pkt_scbp, STATUS_CHECK);
	ck_assert_uint_eq(cmd->pkt->pkt_state & ~(uint_t)STATE_XFERRED_DATA,
	    VIRTIO_DONE | STATE_ARQ_DONE);
	ck_assert_uint_eq(cmd->pkt->pkt_statistics, 0);
	ck_assert_uint_eq(cmd->arq->sts_rqpkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(cmd->arq->sts_rqpkt_state, VIRTIO_MOVED);
	/* 18 bytes of sense in the fixed format, of 20 that there is room for */
	ck_assert_uint_eq(cmd->arq->sts_rqpkt_resid, SENSE_LENGTH - 18);
	ck_assert_uint_eq(data[0], 0x70);
	ck_assert_uint_eq(data[7], 10);
	ck_assert_uint_eq(chip_sense(cmd), sense);
	chip_cmd_free(cmd);
}

START_TEST(commands_that_cannot_be)
{
	static const uint8_t bad[6] = { 0xff };
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 0, 0);
	uint8_t cdb[10], data[512] = { 0 };

	expect_check(chip_run(chip, sd, bad, 6, CHIP_NONE, NULL, 0, true), 0x052000);
	chip_cdb_rw10(cdb, false, CHIP_BYTES / 512, 1);
	expect_check(chip_run(chip, sd, cdb, 10, CHIP_IN, data, 512, true), 0x052100);
	chip_cdb_rw10(cdb, true, CHIP_BYTES / 512, 1);
	expect_check(chip_run(chip, sd, cdb, 10, CHIP_OUT, data, 512, true), 0x052100);
	chip_stop(chip);
}
END_TEST

START_TEST(a_medium_error)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 1, 0);
	uint8_t cdb[10], data[512];
	struct chip_cmd *cmd;

	chip_read(chip, sd, 99, 1, data);
	chip_cdb_rw10(cdb, false, 100, 1);
	cmd = chip_run(chip, sd, cdb, 10, CHIP_IN, data, 512, true);
	ck_assert_uint_eq(*cmd->pkt->pkt_scbp, STATUS_CHECK);
	ck_assert_uint_ne(chip_sense(cmd), 0);
	chip_cmd_free(cmd);
	chip_read(chip, sd, 101, 1, data);
	chip_stop(chip);
}
END_TEST

START_TEST(sense_longer_than_its_field_is_cut)
{
	static const uint8_t bad[6] = { 0xff };
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 0, 0);
	struct scsi_pkt *pkt;

	ck_assert_int_eq(chip_tur(chip, sd), 0);
	/* room for the status alone: the sense stays with the device, and nothing is overrun */
	pkt = scsi_init_pkt(&sd->sd_address, NULL, NULL, 6, 1, 0, 0, NULL_FUNC, NULL);
	ck_assert_ptr_nonnull(pkt);
	memcpy(pkt->pkt_cdbp, bad, 6);
	pkt->pkt_flags = FLAG_NOINTR;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_uint_eq(pkt->pkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(pkt->pkt_state, VIRTIO_DONE);
	ck_assert_uint_eq(*pkt->pkt_scbp, STATUS_CHECK);
	scsi_destroy_pkt(pkt);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio errors", commands_that_cannot_be, a_medium_error,
    sense_longer_than_its_field_is_cut)
