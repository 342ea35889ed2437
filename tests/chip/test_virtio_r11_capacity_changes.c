/* a disk that grows: an event, a unit attention to whoever comes next, and the new size */
#include "base/bytes.h"
#include "virtio.h"

static const struct chip_spec spec = {
	VIRTIO_SPEC, .disks = { { .target = 0, .lun = 0 } }, .n_disks = 1,
};

static uint32_t
last_block(struct chip *chip, struct scsi_device *sd)
{
	static const uint8_t cdb[10] = { 0x25 };
	struct chip_cmd *cmd;
	uint8_t data[8];

	cmd = chip_run(chip, sd, cdb, sizeof(cdb), CHIP_IN, data, sizeof(data), true);
	virtio_expect(cmd, CMD_CMPLT, VIRTIO_MOVED, 0);
	chip_cmd_free(cmd);
	return be32_get(data);
}

static bool
has_changed(void *arg)
{
	return ddi_prop_get_int(DDI_DEV_T_ANY, chip_node(arg), DDI_PROP_DONTPASS,
	    "capacity-changes", 0) > 0;
}

START_TEST(it_grows)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 0, 0);
	uint8_t data[512] = { 1 };
	struct chip_cmd *cmd;

	ck_assert_uint_eq(last_block(chip, sd), CHIP_BYTES / 512 - 1);
	chip_disk_resize(chip, 0, 0, 2 * CHIP_BYTES);
	chip_await(chip, has_changed, chip, "the event");
	cmd = chip_cmd_new(chip, sd, virtio_tur, 6, CHIP_NONE, 0);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_cmd_wait(cmd);
	ck_assert_uint_eq(chip_sense(cmd), 0x062a09);
	chip_cmd_free(cmd);
	ck_assert_uint_eq(last_block(chip, sd), 2 * CHIP_BYTES / 512 - 1);
	chip_write(chip, sd, (uint32_t)(2 * CHIP_BYTES / 512 - 1), 1, data);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio capacity", it_grows)
