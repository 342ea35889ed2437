/* a chip that does no task management: aborts and resets of units say so, a reset of all
 * becomes a reset of the chip, and so does a packet whose time is over. And from where nobody
 * can wait */
#include "ddi/sched.h"
#include "virtio_ring.h"

static const struct chip_spec spec = {
	.device = VIRTIO_AT_ONCE, .driver = VIRTIO_SCSI_DRIVER,
	.mod_init = virtio_scsi_mod_init, .mod_fini = virtio_scsi_mod_fini,
	.disks = {
		{ .target = 0, .lun = 0, .store = CHIP_NULL },
		{ .target = 0, .lun = 1 },
		{ .target = 1, .lun = 0, .store = CHIP_NULL },
	},
	.n_disks = 3,
};

static struct chip *chip;
static struct scsi_device *slow, *other, *quick;
static struct virtio_ring control;

/* what the chip is asked becomes something that it does not know: which is as if it knew
 * nothing */
static bool
spoil(void *arg, unsigned int bar, uint64_t off, unsigned int width, uint64_t value)
{
	const struct vs_desc *desc;
	uint8_t *request;

	(void)arg;
	(void)width;
	if (bar != VIRTIO_BAR || off < VIRTIO_NOTIFY || value != VS_CONTROL_QUEUE)
		return true;
	desc = &control.desc[virtio_ring_last(&control)];
	request = chip_memory(chip, desc->iova, VS_TMF_BYTES);
	le32_put(request + VS_TMF_SUBTYPE, VS_TMF_CLEAR_ACA);
	return true;
}

static void
begin(void)
{
	chip = chip_start(&spec);
	slow = chip_await_unit(chip, 0, 0);
	other = chip_await_unit(chip, 0, 1);
	quick = chip_await_unit(chip, 1, 0);
	(void)chip_tur(chip, slow);
	(void)chip_tur(chip, other);
	(void)chip_tur(chip, quick);
	control = virtio_ring_of(chip, VS_CONTROL_QUEUE);
	chip_on_write(chip, spoil, NULL);
}

START_TEST(nothing_is_promised)
{
	struct chip_cmd *cmd;

	begin();
	chip_disk_hold(chip, 1, 0);
	cmd = virtio_read_new(chip, quick, 0, 1);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	ck_assert_int_eq(scsi_abort(&quick->sd_address, cmd->pkt), 0);
	ck_assert_int_eq(scsi_abort(&quick->sd_address, NULL), 0);
	ck_assert_int_eq(scsi_reset(&quick->sd_address, RESET_LUN), 0);
	ck_assert_int_eq(scsi_reset(&quick->sd_address, RESET_TARGET), 0);
	ck_assert_int_eq(scsi_reset(&quick->sd_address, 77), 0);
	ck_assert(!chip_cmd_is_done(cmd));
	chip_disk_let_go(chip, 1, 0);
	chip_cmd_wait(cmd);
	virtio_expect(cmd, CMD_CMPLT, VIRTIO_MOVED, 0);
	chip_cmd_free(cmd);
	ck_assert_int_eq(virtio_failures(chip), 0);
	chip_stop(chip);
}
END_TEST

/* the emulated chip may finish what it is doing before it is reset: then that counts */
static void
expect_end(const struct chip_cmd *cmd, uint8_t reason, uint_t stats)
{
	if (cmd->pkt->pkt_reason == CMD_CMPLT)
		virtio_expect(cmd, CMD_CMPLT, VIRTIO_MOVED, 0);
	else
		virtio_expect(cmd, reason, VIRTIO_SENT, stats);
}

static bool
has_failed_once(void *chip_)
{
	return virtio_failures(chip_) == 1 && virtio_is_ready(chip_);
}

START_TEST(all_is_reset_by_the_chip)
{
	scsi_hba_tran_t *tran;
	struct chip_cmd *cmd;

	begin();
	tran = slow->sd_address.a_hba_tran;
	chip_disk_hold(chip, 0, 0);
	cmd = virtio_read_new(chip, slow, 0, 1);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	ck_assert_int_eq(scsi_reset(&slow->sd_address, RESET_ALL), 1);
	chip_cmd_wait(cmd);
	expect_end(cmd, CMD_RESET, STAT_BUS_RESET);
	chip_cmd_free(cmd);
	chip_await(chip, has_failed_once, chip, "the adapter to have been reset");
	chip_on_write(chip, NULL, NULL);
	ck_assert_int_eq(chip_tur(chip, slow), 0);
	ck_assert_int_eq(tran->tran_bus_reset(chip_node(chip), RESET_BUS), 1);
	ck_assert_int_eq(tran->tran_bus_reset(chip_node(chip), RESET_LUN), 0);
	ck_assert_int_eq(virtio_failures(chip), 1);
	chip_stop(chip);
}
END_TEST

START_TEST(time_that_is_over)
{
	struct chip_cmd *cmd;

	begin();
	chip_disk_hold(chip, 0, 0);
	cmd = virtio_read_new(chip, slow, 0, 1);
	cmd->pkt->pkt_time = 1;
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_cmd_wait(cmd);
	expect_end(cmd, CMD_TIMEOUT, STAT_TIMEOUT | STAT_BUS_RESET);
	chip_cmd_free(cmd);
	chip_await(chip, has_failed_once, chip, "the adapter to have been reset");
	chip_stop(chip);
}
END_TEST

/* in interrupt context the function is sent, and nobody waits for what comes of it */
START_TEST(where_nobody_can_wait)
{
	struct chip_cmd *cmds[3];
	bool was;

	begin();
	chip_on_write(chip, NULL, NULL);
	for (unsigned int i = 0; i < 3; i++) {
		chip_disk_hold(chip, 1, 0);
		chip_let_go_behind(chip, virtio_is_function, NULL);
		cmds[i] = virtio_read_new(chip, quick, i, 1);
		ck_assert_int_eq(chip_cmd_start(cmds[i]), TRAN_ACCEPT);
		was = sched_set_interrupt(true);
		if (i == 0)
			ck_assert_int_eq(scsi_abort(&quick->sd_address, cmds[0]->pkt), 1);
		else
			ck_assert_int_eq(scsi_reset(&quick->sd_address,
			    i == 1 ? RESET_LUN : RESET_TARGET), 0);
		(void)sched_set_interrupt(was);
		chip_cmd_wait(cmds[i]);
		virtio_expect(cmds[i], i == 0 ? CMD_ABORTED : CMD_RESET, VIRTIO_SENT,
		    i == 0 ? STAT_ABORTED : STAT_DEV_RESET);
		chip_cmd_free(cmds[i]);
		(void)chip_tur(chip, quick);
	}
	chip_stop(chip);
}
END_TEST

START_TEST(more_functions_than_places)
{
	struct chip_cmd *cmd;
	bool was;

	begin();
	chip_on_write(chip, NULL, NULL);
	chip_disk_hold(chip, 0, 0);
	cmd = virtio_read_new(chip, slow, 0, 1);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_freeze(chip);
	/* the doorbell would wait for the frozen chip: it has to be rung later */
	chip_poke_write(chip, VIRTIO_BAR, VIRTIO_NOTIFY, UINT32_MAX);
	was = sched_set_interrupt(true);
	for (unsigned int i = 0; i < 8; i++)
		ck_assert_int_eq(scsi_abort(&slow->sd_address, cmd->pkt), 1);
	/* the ninth has no place, and cannot wait for one */
	ck_assert_int_eq(scsi_abort(&slow->sd_address, cmd->pkt), 0);
	(void)sched_set_interrupt(was);
	chip_poke_none(chip);
	chip_thaw(chip);
	chip_register_put(chip, VIRTIO_BAR, VIRTIO_NOTIFY, 2, VS_CONTROL_QUEUE);
	chip_disk_let_go(chip, 0, 0);
	chip_cmd_wait(cmd);
	virtio_expect(cmd, CMD_ABORTED, VIRTIO_SENT, STAT_ABORTED);
	chip_cmd_free(cmd);
	ck_assert_int_eq(chip_tur(chip, slow), 0);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio climbs", nothing_is_promised, all_is_reset_by_the_chip, time_that_is_over,
    where_nobody_can_wait, more_functions_than_places)
