/* the adapter is pulled out while it is being reset: what it had ends once, and it is given up */
#include "virtio.h"

#define N	4

static const struct chip_spec spec = {
	VIRTIO_SPEC, .disks = { { .target = 0, .lun = 0, .store = CHIP_NULL } }, .n_disks = 1,
};

/* the write that begins the reset is its last */
static bool
pull_out(void *arg, unsigned int bar, uint64_t off, unsigned int width, uint64_t value)
{
	struct chip *chip = arg;

	(void)width;
	if (bar != VIRTIO_BAR || off != VIRTIO_STATUS || value != 0)
		return true;
	chip_on_write(chip, NULL, NULL);
	chip_kill(chip);
	return false;
}

START_TEST(given_up)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 0, 0);
	struct chip_cmd *cmds[N], *late;

	(void)chip_tur(chip, sd);
	chip_disk_hold(chip, 0, 0);
	for (unsigned int i = 0; i < N; i++) {
		cmds[i] = virtio_read_new(chip, sd, i, 1);
		ck_assert_int_eq(chip_cmd_start(cmds[i]), TRAN_ACCEPT);
	}
	late = virtio_read_new(chip, sd, 0, 1);
	chip_on_write(chip, pull_out, chip);
	/* the chip says that it needs a reset */
	chip_poke_read(chip, VIRTIO_BAR, VIRTIO_STATUS, 1, 0x4f, 1);
	for (unsigned int i = 0; i < 4; i++)
		chip_interrupt(chip, i);
	for (unsigned int i = 0; i < N; i++) {
		chip_cmd_wait(cmds[i]);
		virtio_expect(cmds[i], CMD_DEV_GONE, 0, 0);
		chip_cmd_free(cmds[i]);
	}
	chip_await(chip, virtio_is_dead, chip, "the adapter to be dead");
	ck_assert_int_eq(chip_cmd_start(late), TRAN_FATAL_ERROR);
	chip_cmd_free(late);
	chip_await_no_unit(chip, 0, 0);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio dies in its reset", given_up)
