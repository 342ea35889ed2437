/* the adapter is pulled out with commands in flight: each ends once, its units go, nothing is
 * accepted any more, and detaching works */
#include "virtio.h"

#define N	8

static const struct chip_spec spec = {
	VIRTIO_SPEC,
	.disks = {
		{ .target = 0, .lun = 0 },
		{ .target = 1, .lun = 0, .store = CHIP_NULL },
	},
	.n_disks = 2,
};

static void
pull_out(const struct chip_spec *how)
{
	struct chip *chip = chip_start(how);
	struct scsi_device *slow = chip_await_unit(chip, 1, 0);
	struct chip_cmd *cmds[N], *late;

	(void)chip_tur(chip, slow);
	chip_disk_hold(chip, 1, 0);
	for (unsigned int i = 0; i < N; i++) {
		cmds[i] = virtio_read_new(chip, slow, i, 1);
		ck_assert_int_eq(chip_cmd_start(cmds[i]), TRAN_ACCEPT);
	}
	late = virtio_read_new(chip, slow, 0, 1);
	chip_kill(chip);
	for (unsigned int i = 0; i < N; i++) {
		chip_cmd_wait(cmds[i]);
		virtio_expect(cmds[i], CMD_DEV_GONE, 0, 0);
		chip_cmd_free(cmds[i]);
	}
	chip_await(chip, virtio_is_dead, chip, "the adapter to be dead");
	ck_assert_int_eq(chip_cmd_start(late), TRAN_FATAL_ERROR);
	chip_cmd_free(late);
	chip_await_no_unit(chip, 0, 0);
	chip_await_no_unit(chip, 1, 0);
	chip_stop(chip);
}

START_TEST(with_vectors)
{
	pull_out(&spec);
}
END_TEST

START_TEST(with_the_line)
{
	struct chip_spec line = spec;

	line.intr_types = DDI_INTR_TYPE_FIXED;
	pull_out(&line);
}
END_TEST

CHECK_MAIN("virtio is pulled out", with_vectors, with_the_line)
