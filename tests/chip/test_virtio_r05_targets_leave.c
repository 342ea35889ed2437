/* a target that was never there, one that leaves while idle, one that leaves while busy: every
 * packet ends once, and says so */
#include "virtio.h"

static const struct chip_spec spec = {
	VIRTIO_SPEC,
	.disks = {
		{ .target = 0, .lun = 0 },
		{ .target = 4, .lun = 0 },
		{ .target = 6, .lun = 0, .store = CHIP_NULL, .latency_ms = 700 },
		{ .target = 7, .lun = 0 }, { .target = 7, .lun = 1 },
	},
	.n_disks = 5,
};

START_TEST(while_idle)
{
	struct chip *chip = chip_start(&spec);
	uint8_t data[512];

	chip_read(chip, chip_await_unit(chip, 4, 0), 0, 1, data);
	chip_disk_remove(chip, 4, 0);
	chip_await_no_unit(chip, 4, 0);
	/* the others are not concerned */
	chip_read(chip, chip_await_unit(chip, 0, 0), 0, 1, data);
	ck_assert_uint_eq(chip_units(chip), 4);
	chip_stop(chip);
}
END_TEST

static bool
is_gone(void *arg)
{
	struct chip_cmd *cmd = arg;

	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_cmd_wait(cmd);
	return cmd->pkt->pkt_reason == CMD_DEV_GONE;
}

START_TEST(before_the_map_says_so)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 4, 0);
	struct chip_cmd *cmd;

	ck_assert_int_eq(chip_tur(chip, sd), 0);
	/* somebody holds on to it: the unit stays a while */
	ck_assert(devi_hold(sd->sd_dev));
	chip_disk_remove(chip, 4, 0);
	cmd = chip_cmd_new(chip, sd, virtio_tur, 6, CHIP_NONE, 0);
	chip_await(chip, is_gone, cmd, "the target to be gone");
	ck_assert_uint_eq(cmd->pkt->pkt_state, STATE_GOT_BUS);
	chip_cmd_free(cmd);
	devi_release(sd->sd_dev);
	chip_stop(chip);
}
END_TEST

START_TEST(while_busy)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 6, 0);
	struct chip_cmd *cmds[4];

	ck_assert_int_eq(chip_tur(chip, sd), 0);
	for (unsigned int i = 0; i < 4; i++) {
		cmds[i] = virtio_read_new(chip, sd, i, 1);
		ck_assert_int_eq(chip_cmd_start(cmds[i]), TRAN_ACCEPT);
	}
	chip_disk_remove(chip, 6, 0);
	for (unsigned int i = 0; i < 4; i++) {
		chip_cmd_wait(cmds[i]);
		ck_assert_uint_eq(cmds[i]->completions, 1);
		ck_assert(cmds[i]->pkt->pkt_reason == CMD_DEV_GONE ||
		    (cmds[i]->pkt->pkt_reason == CMD_CMPLT &&
		    *cmds[i]->pkt->pkt_scbp == STATUS_GOOD));
		chip_cmd_free(cmds[i]);
	}
	chip_await_no_unit(chip, 6, 0);
	chip_stop(chip);
}
END_TEST

START_TEST(one_unit_of_two)
{
	struct chip *chip = chip_start(&spec);

	(void)chip_await_unit(chip, 7, 1);
	chip_disk_remove(chip, 7, 1);
	chip_await_no_unit(chip, 7, 1);
	ck_assert_int_eq(chip_tur(chip, chip_await_unit(chip, 7, 0)), 0);
	chip_stop(chip);
}
END_TEST

/* a scsi_device for an address where nobody has ever been; the framework would make none */
START_TEST(who_was_never_there)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 0, 0), nobody = *sd;
	scsi_hba_tran_t *tran = sd->sd_address.a_hba_tran;
	dev_info_t *port = ddi_get_parent(sd->sd_dev);
	struct chip_cmd *cmd;

	ck_assert_int_eq(devi_alloc(port, "nobody", &nobody.sd_dev), 0);
	ddi_set_name_addr(nobody.sd_dev, "b,0");
	nobody.sd_address.a.a_sd = &nobody;
	ck_assert_int_eq(tran->tran_tgt_init(port, nobody.sd_dev, tran, &nobody), DDI_SUCCESS);
	cmd = chip_cmd_new(chip, &nobody, virtio_tur, 6, CHIP_NONE, 0);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_cmd_wait(cmd);
	virtio_expect(cmd, CMD_INCOMPLETE, STATE_GOT_BUS, 0);
	chip_cmd_free(cmd);
	tran->tran_tgt_free(port, nobody.sd_dev, tran, &nobody);
	ck_assert_int_eq(devi_free(nobody.sd_dev), 0);
	chip_stop(chip);
}
END_TEST

START_TEST(addresses_that_cannot_be)
{
	static const char *const addresses[] = {
		"100,0", "-1,0", "1", "x,0", "1,4000", "1,c101000000000000", "",
	};
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 0, 0), nobody = *sd;
	scsi_hba_tran_t *tran = sd->sd_address.a_hba_tran;
	dev_info_t *port = ddi_get_parent(sd->sd_dev);

	ck_assert_int_eq(devi_alloc(port, "nobody", &nobody.sd_dev), 0);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		ddi_set_name_addr(nobody.sd_dev, addresses[i]);
		ck_assert_int_eq(tran->tran_tgt_init(port, nobody.sd_dev, tran, &nobody),
		    DDI_FAILURE);
	}
	ck_assert_int_eq(devi_free(nobody.sd_dev), 0);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio targets leave", while_idle, before_the_map_says_so, while_busy,
    one_unit_of_two, who_was_never_there, addresses_that_cannot_be)
