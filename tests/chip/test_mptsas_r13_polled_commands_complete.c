/* row 13: commands that may not wait for an interrupt complete before start returns, and those
 * of others are not lost */
#include "ddi/sched.h"
#include "mptsas.h"

static const struct chip_spec spec = MPT_SPEC(.n_disks = 2, .disks = {
	MPT_DISK(0), MPT_DISK(1, .store = CHIP_NULL, .latency_ms = 100),
});

START_TEST(polled)
{
	struct chip *chip = chip_start(&spec);
	const uint8_t tur[6] = { 0 };
	struct chip_cmd *slow[8], *cmd;
	uint8_t cdb[10];
	bool was;

	(void)chip_tur(chip, mpt_unit(chip, 0, 0));
	(void)chip_tur(chip, mpt_unit(chip, 1, 0));
	chip_cdb_rw10(cdb, false, 0, 1);
	for (unsigned int i = 0; i < 8; i++) {
		slow[i] = chip_cmd_new(
		    chip, mpt_unit(chip, 1, 0), cdb, sizeof(cdb), CHIP_IN, 512);
		ck_assert_int_eq(chip_cmd_start(slow[i]), TRAN_ACCEPT);
	}
	cmd = chip_cmd_new(chip, mpt_unit(chip, 0, 0), tur, sizeof(tur), CHIP_NONE, 0);
	cmd->pkt->pkt_flags |= FLAG_NOINTR;
	/* more than the interrupts in a row that may bring nothing */
	for (unsigned int i = 0; i < 1500; i++) {
		/* where sleeping is forbidden, the driver has to do it itself */
		was = sched_set_interrupt(true);
		ck_assert_int_eq(scsi_transport(cmd->pkt), TRAN_ACCEPT);
		(void)sched_set_interrupt(was);
		ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_CMPLT);
		ck_assert_uint_eq(*cmd->pkt->pkt_scbp, STATUS_GOOD);
		ck_assert_uint_eq(cmd->completions, 0);
	}
	chip_cmd_free(cmd);
	for (unsigned int i = 0; i < 8; i++) {
		chip_cmd_wait(slow[i]);
		ck_assert_uint_eq(slow[i]->pkt->pkt_reason, CMD_CMPLT);
		chip_cmd_free(slow[i]);
	}
	chip_stop(chip);
}
END_TEST

/* from interrupt context an abort does not wait; the packet comes back by itself */
START_TEST(abort_without_waiting)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = mpt_unit(chip, 1, 0);
	struct chip_cmd *cmd;
	uint8_t cdb[10];
	bool was;

	(void)chip_tur(chip, sd);
	chip_cdb_rw10(cdb, false, 0, 1);
	cmd = chip_cmd_new(chip, sd, cdb, sizeof(cdb), CHIP_IN, 512);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	was = sched_set_interrupt(true);
	ck_assert_int_eq(scsi_abort(&sd->sd_address, cmd->pkt), 1);
	ck_assert_int_eq(scsi_reset(&sd->sd_address, RESET_TARGET), 0);
	(void)sched_set_interrupt(was);
	chip_cmd_wait(cmd);
	ck_assert(cmd->pkt->pkt_reason == CMD_ABORTED || cmd->pkt->pkt_reason == CMD_CMPLT);
	chip_cmd_free(cmd);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: polling", polled, abort_without_waiting)
