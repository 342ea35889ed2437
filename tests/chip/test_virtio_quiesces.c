/* quiesced: what is under way ends, nothing begins; then it goes on */
#include "virtio.h"

static const struct chip_spec spec = {
	VIRTIO_SPEC,
	.disks = { { .target = 0, .lun = 0, .store = CHIP_NULL, .latency_ms = 400 } },
	.n_disks = 1,
};

START_TEST(nothing_is_under_way)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 0, 0);
	scsi_hba_tran_t *tran = sd->sd_address.a_hba_tran;
	struct chip_cmd *cmds[3], *late;

	(void)chip_tur(chip, sd);
	for (unsigned int i = 0; i < 3; i++) {
		cmds[i] = virtio_read_new(chip, sd, i, 1);
		ck_assert_int_eq(chip_cmd_start(cmds[i]), TRAN_ACCEPT);
	}
	ck_assert_int_eq(tran->tran_quiesce(chip_node(chip)), 0);
	for (unsigned int i = 0; i < 3; i++) {
		chip_cmd_wait(cmds[i]);
		virtio_expect(cmds[i], CMD_CMPLT, VIRTIO_MOVED, 0);
		chip_cmd_free(cmds[i]);
	}
	late = virtio_read_new(chip, sd, 9, 1);
	ck_assert_int_eq(chip_cmd_start(late), TRAN_BUSY);
	ck_assert_int_eq(scsi_reset(&sd->sd_address, RESET_LUN), 1);
	ck_assert_int_eq(chip_cmd_start(late), TRAN_BUSY);
	ck_assert_int_eq(tran->tran_unquiesce(chip_node(chip)), 0);
	(void)chip_tur(chip, sd);
	ck_assert_int_eq(chip_cmd_start(late), TRAN_ACCEPT);
	chip_cmd_wait(late);
	virtio_expect(late, CMD_CMPLT, VIRTIO_MOVED, 0);
	chip_cmd_free(late);
	chip_stop(chip);
}
END_TEST

static bool
is_held_again(void *chip)
{
	return virtio_failures(chip) > 0 && virtio_has_state(chip, "held");
}

START_TEST(a_recovery_does_not_wake_it)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 0, 0);
	scsi_hba_tran_t *tran = sd->sd_address.a_hba_tran;
	struct chip_cmd *late;

	(void)chip_tur(chip, sd);
	ck_assert_int_eq(tran->tran_quiesce(chip_node(chip)), 0);
	/* the chip says that it needs a reset */
	chip_poke_read(chip, VIRTIO_BAR, VIRTIO_STATUS, 1, 0x4f, 1);
	for (unsigned int i = 0; i < 4; i++)
		chip_interrupt(chip, i);
	chip_await(chip, is_held_again, chip, "the adapter to be held again");
	late = virtio_read_new(chip, sd, 9, 1);
	ck_assert_int_eq(chip_cmd_start(late), TRAN_BUSY);
	ck_assert_int_eq(tran->tran_unquiesce(chip_node(chip)), 0);
	chip_await(chip, virtio_is_ready, chip, "the adapter to be ready");
	chip_cmd_free(late);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio quiesce", nothing_is_under_way, a_recovery_does_not_wake_it)
