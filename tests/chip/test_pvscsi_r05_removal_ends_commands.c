/* row 5: a disk that is pulled, idle and busy: every command ends once, as gone */
#include "pvscsi.h"

#define BUSY	4

static const struct chip_spec disks = PV_SPEC(.n_disks = 2, .disks = {
	{ .target = 0 }, { .target = 3, .store = CHIP_NULL, .latency_ms = 700 },
});

START_TEST(while_idle)
{
	struct chip *chip = chip_start(&disks);
	struct chip_cmd *cmd;

	/* the packet is there while the disk goes */
	cmd = pv_tur(chip, chip_unit(chip, 0, 0));
	ck_assert(devi_hold(chip_unit(chip, 0, 0)->sd_dev));
	chip_disk_remove(chip, 0, 0);
	do {
		ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
		chip_cmd_wait(cmd);
	} while (cmd->pkt->pkt_reason == CMD_CMPLT);
	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_DEV_GONE);
	ck_assert_uint_eq(cmd->pkt->pkt_state, STATE_GOT_BUS);
	devi_release(cmd->pkt->pkt_address.a.a_sd->sd_dev);
	chip_cmd_free(cmd);
	chip_await_no_unit(chip, 0, 0);
	chip_stop(chip);
}
END_TEST

START_TEST(while_busy)
{
	struct chip *chip = chip_start(&disks);
	struct scsi_device *sd = chip_unit(chip, 3, 0);
	struct chip_cmd *cmds[BUSY];

	for (int i = 0; i < BUSY; i++)
		cmds[i] = pv_read(chip, sd, 8);
	chip_disk_remove(chip, 3, 0);
	for (int i = 0; i < BUSY; i++) {
		chip_cmd_wait(cmds[i]);
		ck_assert_uint_eq(cmds[i]->completions, 1);
		ck_assert_msg(cmds[i]->pkt->pkt_reason == CMD_DEV_GONE ||
		    cmds[i]->pkt->pkt_reason == CMD_CMPLT, "%s",
		    scsi_rname(cmds[i]->pkt->pkt_reason));
		chip_cmd_free(cmds[i]);
	}
	chip_await_no_unit(chip, 3, 0);
	ck_assert_int_eq(chip_tur(chip, chip_unit(chip, 0, 0)), 0);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi: removal", while_idle, while_busy)
