/* row 15: a list of 4 KiB with a CDB of one block: the disk is changed by one block */
#include <fcntl.h>

#include "pvscsi.h"

static const struct chip_spec one = PV_SPEC(.n_disks = 1, .disks = { { .target = 0 } });

START_TEST(longer_list)
{
	struct chip *chip = chip_start(&one);
	struct scsi_device *sd = chip_unit(chip, 0, 0);
	uint8_t data[4096], disk[8192], cdb[10];
	struct chip_cmd *cmd;
	int fd;

	memset(data, 0x77, sizeof(data));
	chip_cdb_rw10(cdb, true, 4, 1);
	cmd = chip_run(chip, sd, cdb, sizeof(cdb), CHIP_OUT, data, sizeof(data), true);
	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_CMPLT);
	ck_assert_int_eq(cmd->pkt->pkt_resid, 4096 - 512);
	chip_cmd_free(cmd);
	fd = open(chip_disk_path(chip, 0, 0), O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(pread(fd, disk, sizeof(disk), 0), sizeof(disk));
	close(fd);
	for (size_t i = 0; i < sizeof(disk); i++)
		ck_assert_uint_eq(disk[i], i / 512 == 4 ? 0x77 : 0);
	/* shorter than the CDB, or the other way round: not sent at all */
	chip_cdb_rw10(cdb, true, 0, 8);
	cmd = chip_run(chip, sd, cdb, sizeof(cdb), CHIP_OUT, data, 512, true);
	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_DATA_OVR);
	chip_cmd_free(cmd);
	cmd = chip_run(chip, sd, cdb, sizeof(cdb), CHIP_IN, data, 4096, true);
	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_DMA_DERR);
	chip_cmd_free(cmd);
	chip_read(chip, sd, 0, 8, data);
	ck_assert_uint_eq(data[0], 0);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi: lengths", longer_list)
