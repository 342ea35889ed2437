/* whatever cannot be had at attach: nothing stays behind, and the next attempt works. And chips
 * that cannot be driven are refused */
#include "base/fault.h"
#include "hw/virtio_scsi/regs.h"
#include "virtio.h"

static const struct chip_spec spec = {
	VIRTIO_SPEC, .disks = { { .target = 0, .lun = 0 } }, .n_disks = 1, .is_detached = true,
};

START_TEST(each_resource_in_turn)
{
	struct chip *chip = chip_start(&spec);
	uint8_t data[512];
	unsigned int failed = 0;
	bool was_reached = true;

	for (int64_t n = 1; was_reached && n < 2000; n++) {
		int r;

		fault_arm(n);
		r = chip_attach(chip);
		was_reached = fault_disarm();
		failed += r < 0;
		if (r == 0)
			ck_assert_int_eq(chip_detach(chip), 0);
	}
	ck_assert(!was_reached);
	ck_assert_uint_gt(failed, 10);
	ck_assert_int_eq(chip_attach(chip), 0);
	chip_read(chip, chip_await_unit(chip, 0, 0), 0, 1, data);
	chip_stop(chip);
}
END_TEST

/* a chip that answers @value at @off of its common registers is not driven */
static void
refused(struct chip *chip, unsigned int off, unsigned int width, uint64_t value)
{
	chip_poke_read(chip, VIRTIO_BAR, off, width, value, UINT32_MAX);
	ck_assert_int_lt(chip_attach(chip), 0);
	chip_poke_none(chip);
}

START_TEST(chips_that_cannot_be_driven)
{
	struct chip *chip = chip_start(&spec);
	uint8_t data[512];

	refused(chip, VS_COMMON_STATUS, 1, 0xff);
	refused(chip, VS_COMMON_DEVICE_FEATURE, 4, 0);		/* not of version 1 */
	refused(chip, VS_COMMON_QUEUE_SIZE, 2, 0);		/* no queues */
	refused(chip, VS_COMMON_QUEUE_SIZE, 2, 1);		/* none that is large enough */
	refused(chip, VS_COMMON_QUEUE_ENABLE, 2, 1);		/* on before we switch it on */
	refused(chip, VS_COMMON_QUEUE_NOTIFY_OFF, 2, 0xfff0);	/* doorbell out of its block */
	refused(chip, VS_COMMON_CONFIG_VECTOR, 2, VS_NO_VECTOR);
	ck_assert_int_eq(chip_attach(chip), 0);
	chip_read(chip, chip_await_unit(chip, 0, 0), 0, 1, data);
	chip_stop(chip);
}
END_TEST

START_TEST(numbers_that_cannot_be)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd;
	uint8_t data[512];

	chip_poke_read(chip, VIRTIO_BAR, VIRTIO_DEVICE_CFG + VS_DEVICE_NUM_QUEUES, 4, 0, 1);
	chip_poke_read(chip, VIRTIO_BAR, VIRTIO_DEVICE_CFG + VS_DEVICE_SEG_MAX, 4, 0, 1);
	chip_poke_read(chip, VIRTIO_BAR, VIRTIO_DEVICE_CFG + VS_DEVICE_MAX_SECTORS, 4, 0, 1);
	chip_poke_read(chip, VIRTIO_BAR, VIRTIO_DEVICE_CFG + VS_DEVICE_MAX_TARGET, 2, 0xffff,
	    1);
	chip_poke_read(chip, VIRTIO_BAR, VIRTIO_DEVICE_CFG + VS_DEVICE_MAX_LUN, 4, UINT32_MAX,
	    1);
	ck_assert_int_eq(chip_attach(chip), 0);
	sd = chip_await_unit(chip, 0, 0);
	ck_assert_int_eq(scsi_ifgetcap(&sd->sd_address, "dma-max", 1), 512);
	chip_read(chip, sd, 0, 1, data);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio attach", each_resource_in_turn, chips_that_cannot_be_driven,
    numbers_that_cannot_be)
