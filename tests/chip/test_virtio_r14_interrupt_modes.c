/* a vector for each queue, too few vectors, one, the shared line: the same results */
#include <stdio.h>

#include "virtio.h"

#define DISKS .disks = { { .target = 0, .lun = 0 }, { .target = 1, .lun = 0, \
    .store = CHIP_NULL } }, .n_disks = 2

static void
exercise(const struct chip_spec *spec)
{
	static const struct chip_disk extra = { .target = 8, .lun = 0 };
	struct chip *chip = chip_start(spec);
	struct scsi_device *sd = chip_await_unit(chip, 0, 0);
	struct scsi_device *slow = chip_await_unit(chip, 1, 0);
	uint8_t out[4096], in[4096];
	struct chip_cmd *cmd;

	(void)chip_tur(chip, slow);
	for (unsigned int i = 0; i < 20; i++) {
		memset(out, (int)i + 1, sizeof(out));
		chip_write(chip, sd, 8 * i, 8, out);
		chip_read(chip, sd, 8 * i, 8, in);
		ck_assert_mem_eq(in, out, sizeof(in));
	}
	/* the control queue */
	chip_disk_hold(chip, 1, 0);
	chip_let_go_behind(chip, virtio_is_function, NULL);
	cmd = virtio_read_new(chip, slow, 0, 1);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	ck_assert_int_eq(scsi_abort(&slow->sd_address, cmd->pkt), 1);
	chip_cmd_wait(cmd);
	virtio_expect(cmd, CMD_ABORTED, VIRTIO_SENT, STAT_ABORTED);
	chip_cmd_free(cmd);
	/* the event queue */
	chip_disk_add(chip, &extra);
	(void)chip_await_unit(chip, 8, 0);
	ck_assert_int_eq(virtio_failures(chip), 0);
	chip_stop(chip);
}

START_TEST(a_vector_each)
{
	exercise(&(struct chip_spec){ VIRTIO_SPEC, DISKS });
}
END_TEST

START_TEST(several_queues)
{
	struct chip_spec spec = { VIRTIO_SPEC, DISKS };

	spec.device = VIRTIO_DEVICE ",num_queues=4";
	exercise(&spec);
}
END_TEST

START_TEST(too_few_vectors)
{
	static char device[128];

	for (int n = 1; n <= 4; n++) {
		struct chip_spec spec = { VIRTIO_SPEC, DISKS };

		(void)snprintf(device, sizeof(device), "%s,num_queues=4,vectors=%d",
		    VIRTIO_DEVICE, n);
		spec.device = device;
		exercise(&spec);
	}
}
END_TEST

START_TEST(the_line)
{
	exercise(&(struct chip_spec){ VIRTIO_SPEC, DISKS, .intr_types = DDI_INTR_TYPE_FIXED });
}
END_TEST

START_TEST(the_line_shared_with_another)
{
	exercise(&(struct chip_spec){ VIRTIO_SPEC, DISKS, .intr_types = DDI_INTR_TYPE_FIXED,
	    .twins = 1 });
}
END_TEST

START_TEST(no_vectors_at_all)
{
	struct chip_spec spec = { VIRTIO_SPEC, DISKS };

	spec.device = VIRTIO_DEVICE ",vectors=0";
	exercise(&spec);
}
END_TEST

CHECK_MAIN("virtio interrupts", a_vector_each, several_queues, too_few_vectors, the_line,
    the_line_shared_with_another, no_vectors_at_all)
