/* row 4: bad opcode, block out of range, write to a read-only disk, medium error */
#include "pvscsi.h"

static const struct chip_spec disks = PV_SPEC(.n_disks = 2, .disks = {
	{ .target = 0 }, { .target = 1, .is_broken = true, .broken_sector = 100 },
});

static void
refused(struct chip *chip, unsigned int target, const void *cdb, size_t cdb_len,
    enum chip_dir dir, size_t len, uint32_t sense)
{
	uint8_t data[4096] = { 0 };
	struct chip_cmd *cmd = chip_run(
	    chip, chip_unit(chip, target, 0), cdb, cdb_len, dir, data, len, false);
	const uint8_t *bytes = (const uint8_t *)&cmd->arq->sts_sensedata;

	ck_assert_int_eq(cmd->accepted, TRAN_ACCEPT);
	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(*cmd->pkt->pkt_scbp, STATUS_CHECK);
	ck_assert_uint_eq(cmd->pkt->pkt_state, STATE_GOT_BUS | STATE_GOT_TARGET |
	    STATE_SENT_CMD | STATE_GOT_STATUS | STATE_ARQ_DONE);
	ck_assert_uint_eq(chip_sense(cmd), sense);
	ck_assert_uint_eq(bytes[0], 0x70);
	ck_assert_uint_eq(bytes[7], 10);
	ck_assert_uint_eq(cmd->arq->sts_rqpkt_resid, 2);
	ck_assert_uint_eq(cmd->arq->sts_rqpkt_reason, CMD_CMPLT);
	ck_assert_int_eq(cmd->pkt->pkt_resid, (ssize_t)len);
	chip_cmd_free(cmd);
}

START_TEST(check_conditions)
{
	static const uint8_t nonsense[10] = { 0xd7 };
	struct chip *chip = chip_start(&disks);
	uint8_t cdb[10], data[4096];

	refused(chip, 0, nonsense, sizeof(nonsense), CHIP_NONE, 0, 0x052000);
	chip_cdb_rw10(cdb, false, CHIP_BYTES / 512, 1);
	refused(chip, 0, cdb, sizeof(cdb), CHIP_IN, 512, 0x052100);
	/* what the model makes of an error of its store */
	chip_cdb_rw10(cdb, false, 96, 8);
	refused(chip, 1, cdb, sizeof(cdb), CHIP_IN, 4096, 0x0b0006);
	chip_cdb_rw10(cdb, true, 96, 8);
	refused(chip, 1, cdb, sizeof(cdb), CHIP_OUT, 4096, 0x0b0006);
	/* the rest of the disk is fine */
	chip_read(chip, chip_unit(chip, 1, 0), 104, 8, data);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi: refusals", check_conditions)
