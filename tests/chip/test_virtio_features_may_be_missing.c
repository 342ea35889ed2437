/* adapters without indirect descriptors, without event index, with small rings, behind an
 * IOMMU, of the transitional kind: the same results */
#include "virtio.h"

static void
exercise(const char *device)
{
	const struct chip_spec spec = {
		.device = device, .driver = VIRTIO_SCSI_DRIVER,
		.mod_init = virtio_scsi_mod_init, .mod_fini = virtio_scsi_mod_fini,
		.disks = { { .target = 0, .lun = 0 } }, .n_disks = 1,
	};
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 0, 0);
	uint8_t out[8192], in[8192];
	struct chip_cmd *cmds[40];
	unsigned int taken = 0;

	for (unsigned int i = 0; i < 30; i++) {
		memset(out, (int)i + 1, sizeof(out));
		chip_write(chip, sd, 16 * i, 16, out);
		chip_read(chip, sd, 16 * i, 16, in);
		ck_assert_mem_eq(in, out, sizeof(in));
	}
	for (unsigned int i = 0; i < 40; i++) {
		cmds[i] = virtio_read_new(chip, sd, 16 * (i % 30), 1);
		taken += chip_cmd_start(cmds[i]) == TRAN_ACCEPT;
	}
	ck_assert_uint_ge(taken, 4);
	for (unsigned int i = 0; i < 40; i++) {
		if (cmds[i]->accepted == TRAN_ACCEPT) {
			chip_cmd_wait(cmds[i]);
			virtio_expect(cmds[i], CMD_CMPLT, VIRTIO_MOVED, 0);
			ck_assert_uint_eq(cmds[i]->data[0], i % 30 + 1);
		}
		chip_cmd_free(cmds[i]);
	}
	ck_assert_int_eq(virtio_failures(chip), 0);
	chip_stop(chip);
}

#define FEATURES_TEST(name, options)                                           \
	START_TEST(name)                                                       \
	{                                                                      \
		exercise(VIRTIO_DEVICE options);                               \
	}                                                                      \
	END_TEST

FEATURES_TEST(without_indirect, ",indirect_desc=off")
FEATURES_TEST(without_event_index, ",event_idx=off")
FEATURES_TEST(without_both, ",indirect_desc=off,event_idx=off")
FEATURES_TEST(small_rings, ",virtqueue_size=64")
FEATURES_TEST(small_rings_without_indirect, ",virtqueue_size=64,indirect_desc=off")
FEATURES_TEST(tiny_rings, ",virtqueue_size=8")
FEATURES_TEST(behind_an_iommu, ",iommu_platform=on")
FEATURES_TEST(few_sectors, ",max_sectors=64")
FEATURES_TEST(no_news, ",hotplug=off,param_change=off")

START_TEST(transitional)
{
	exercise("virtio-scsi-pci,disable-legacy=off");
}
END_TEST

CHECK_MAIN("virtio features", without_indirect, without_event_index, without_both, small_rings,
    small_rings_without_indirect, tiny_rings, behind_an_iommu, few_sectors, no_news,
    transitional)
