/* a packet whose time is over is ended by the chip, never early, and its buffer is left
 * alone */
#include "base/clock.h"
#include "virtio.h"

static const struct chip_spec spec = {
	.device = VIRTIO_AT_ONCE, .driver = VIRTIO_SCSI_DRIVER,
	.mod_init = virtio_scsi_mod_init, .mod_fini = virtio_scsi_mod_fini,
	.disks = {
		{ .target = 0, .lun = 0, .store = CHIP_NULL },
		{ .target = 1, .lun = 0 },
	},
	.n_disks = 2,
};

START_TEST(after_a_second_not_before)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *slow = chip_await_unit(chip, 0, 0);
	struct chip_cmd *cmd, *other;
	uint8_t data[512];

	(void)chip_tur(chip, slow);
	chip_read(chip, chip_await_unit(chip, 1, 0), 0, 1, data);
	chip_disk_hold(chip, 0, 0);
	chip_let_go_behind(chip, virtio_is_function, NULL);
	other = virtio_read_new(chip, slow, 8, 8);
	ck_assert_int_eq(chip_cmd_start(other), TRAN_ACCEPT);
	cmd = virtio_read_new(chip, slow, 0, 8);
	cmd->pkt->pkt_time = 1;
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_cmd_wait(cmd);
	memset(cmd->data, 0x5a, cmd->len);
	virtio_expect(cmd, CMD_TIMEOUT, VIRTIO_SENT, STAT_TIMEOUT | STAT_ABORTED);
	ck_assert_uint_ge(cmd->done_ns - cmd->started_ns, NS_PER_S);
	ck_assert_int_eq(cmd->pkt->pkt_resid, 4096);
	/* its neighbour is not concerned */
	chip_cmd_wait(other);
	virtio_expect(other, CMD_CMPLT, VIRTIO_MOVED, 0);
	/* and nobody has written to the buffer since it was given back */
	for (size_t i = 0; i < cmd->len; i++)
		ck_assert_uint_eq(cmd->data[i], 0x5a);
	chip_cmd_free(cmd);
	chip_cmd_free(other);
	ck_assert_int_eq(virtio_failures(chip), 0);
	chip_stop(chip);
}
END_TEST

START_TEST(a_new_try_has_new_time)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *slow = chip_await_unit(chip, 0, 0);
	struct chip_cmd *cmd;

	(void)chip_tur(chip, slow);
	cmd = virtio_read_new(chip, slow, 0, 8);
	for (int i = 0; i < 2; i++) {
		chip_disk_hold(chip, 0, 0);
		chip_let_go_behind(chip, virtio_is_function, NULL);
		cmd->pkt->pkt_time = 1;
		ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
		chip_cmd_wait(cmd);
		virtio_expect(cmd, CMD_TIMEOUT, VIRTIO_SENT, STAT_TIMEOUT | STAT_ABORTED);
		ck_assert_uint_ge(cmd->done_ns - cmd->started_ns, NS_PER_S);
	}
	chip_cmd_free(cmd);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio time", after_a_second_not_before, a_new_try_has_new_time)
