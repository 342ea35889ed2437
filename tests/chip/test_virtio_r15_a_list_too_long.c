/* a buffer longer than the CDB: the emulated disk moves all of it, and says so with a residual
 * below zero. That fails nobody; lib/lu, which is asked by all clients, hands on no more than
 * the CDB moves (lu.test_tasks_end_once, "buffer longer") */
#include "virtio.h"

static const struct chip_spec spec = {
	VIRTIO_SPEC, .disks = { { .target = 0, .lun = 0 } }, .n_disks = 1,
};

START_TEST(the_result_stays_inside)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 0, 0);
	uint8_t cdb[10], data[4096];
	struct chip_cmd *cmd;

	for (int is_write = 0; is_write < 2; is_write++) {
		memset(data, 0x11, sizeof(data));
		chip_cdb_rw10(cdb, is_write != 0, 0, 1);
		cmd = chip_run(chip, sd, cdb, sizeof(cdb), is_write ? CHIP_OUT : CHIP_IN, data,
		    sizeof(data), true);
		virtio_expect(cmd, CMD_CMPLT, VIRTIO_MOVED, 0);
		ck_assert_int_ge(cmd->pkt->pkt_resid, 0);
		ck_assert_int_le(cmd->pkt->pkt_resid, sizeof(data));
		chip_cmd_free(cmd);
	}
	ck_assert_int_eq(virtio_failures(chip), 0);
	chip_stop(chip);
}
END_TEST

START_TEST(the_exact_list_leaves_the_rest_alone)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 0, 0);
	uint8_t before[4096], after[4096], block[512];

	memset(before, 0x22, sizeof(before));
	chip_write(chip, sd, 0, 8, before);
	memset(block, 0x33, sizeof(block));
	chip_write(chip, sd, 2, 1, block);
	memcpy(before + 1024, block, sizeof(block));
	chip_read(chip, sd, 0, 8, after);
	ck_assert_mem_eq(before, after, sizeof(after));
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio long lists", the_result_stays_inside, the_exact_list_leaves_the_rest_alone)
