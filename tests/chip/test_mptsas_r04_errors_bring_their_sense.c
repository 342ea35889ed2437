/* row 4: what the device complains about comes with status and sense, of the right command */
#include "mptsas.h"

#define BROKEN	100u

static const struct chip_spec spec = MPT_SPEC(.n_disks = 2, .disks = {
	MPT_DISK(0), MPT_DISK(1, .is_broken = true, .broken_sector = BROKEN),
});

static void
complains(struct chip *chip, unsigned int target, const uint8_t *cdb, size_t cdb_len,
    size_t len, uint32_t sense)
{
	struct chip_cmd *cmd = chip_cmd_new(chip, mpt_unit(chip, target, 0), cdb, cdb_len,
	    len == 0 ? CHIP_NONE : CHIP_IN, len);

	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_cmd_wait(cmd);
	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(*cmd->pkt->pkt_scbp, STATUS_CHECK);
	ck_assert((cmd->pkt->pkt_state & STATE_ARQ_DONE) != 0);
	ck_assert_uint_eq(chip_sense(cmd), sense);
	ck_assert_uint_eq(cmd->arq->sts_rqpkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(cmd->arq->sts_rqpkt_resid, 2);	/* 18 of 20 bytes */
	chip_cmd_free(cmd);
}

START_TEST(the_device_complains)
{
	struct chip *chip = chip_start(&spec);
	const uint8_t bad[10] = { 0xe7 };
	uint8_t cdb[10], data[512];

	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 0, 0)), 0);
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 1, 0)), 0);
	complains(chip, 0, bad, sizeof(bad), 0, 0x052000);
	chip_cdb_rw10(cdb, false, 0x7fffffff, 1);
	complains(chip, 0, cdb, sizeof(cdb), 512, 0x052100);
	chip_cdb_rw10(cdb, false, BROKEN, 1);
	complains(chip, 1, cdb, sizeof(cdb), 512, 0x0b0006);	/* as the model has it */
	/* beside it, all is well */
	chip_read(chip, mpt_unit(chip, 1, 0), BROKEN + 1, 1, data);
	chip_stop(chip);
}
END_TEST

/* a status block of one byte has no room for sense: the command still says CHECK CONDITION */
START_TEST(without_room_for_sense)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = mpt_unit(chip, 0, 0);
	struct scsi_pkt *pkt;

	ck_assert_int_eq(chip_tur(chip, sd), 0);
	pkt = scsi_init_pkt(&sd->sd_address, NULL, NULL, 6, 1, 0, 0, SLEEP_FUNC, NULL);
	pkt->pkt_cdbp[0] = 0xe7;
	pkt->pkt_time = 10;
	ck_assert_int_eq(scsi_poll(pkt), -1);
	ck_assert_uint_eq(pkt->pkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(*pkt->pkt_scbp, STATUS_CHECK);
	ck_assert_uint_eq(pkt->pkt_state & STATE_ARQ_DONE, 0);
	scsi_destroy_pkt(pkt);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: errors", the_device_complains, without_room_for_sense)
