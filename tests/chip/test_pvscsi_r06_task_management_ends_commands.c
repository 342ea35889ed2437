/* row 6: with a slow disk: abort one of four, reset a target, reset all; each ends once */
#include "pvscsi.h"

#define N	4

static const struct chip_spec slow = PV_SPEC(.n_disks = 2, .disks = {
	{ .target = 0, .store = CHIP_NULL, .latency_ms = 300 },
	{ .target = 1, .store = CHIP_NULL, .latency_ms = 300 },
});

static struct chip *chip;
static struct chip_cmd *cmds[N], *other;
static unsigned int told;

static void
on_reset(caddr_t arg)
{
	(void)arg;
	(void)__atomic_add_fetch(&told, 1, __ATOMIC_RELAXED);
}

static void
begin(bool is_held)
{
	chip = chip_start(&slow);
	told = 0;
	for (unsigned int i = 0; i < 2 && is_held; i++)
		chip_disk_hold(chip, i, 0);
	for (int i = 0; i < N; i++)
		cmds[i] = pv_read(chip, chip_unit(chip, 0, 0), 8);
	other = pv_read(chip, chip_unit(chip, 1, 0), 8);
	ck_assert_int_eq(scsi_reset_notify(&chip_unit(chip, 0, 0)->sd_address,
			     SCSI_RESET_NOTIFY, on_reset, NULL),
	    DDI_SUCCESS);
}

static void
end(void)
{
	for (int i = 0; i < N; i++) {
		chip_cmd_wait(cmds[i]);
		ck_assert_uint_eq(cmds[i]->completions, 1);
		chip_cmd_free(cmds[i]);
	}
	chip_cmd_wait(other);
	chip_cmd_free(other);
	ck_assert_int_eq(scsi_reset_notify(
			     &chip_unit(chip, 0, 0)->sd_address, SCSI_RESET_CANCEL, NULL, NULL),
	    DDI_SUCCESS);
	/* after a reset the first one hears of it */
	ck_assert_int_eq(chip_tur(chip, chip_unit(chip, 0, 0)), 0);
	chip_stop(chip);
}

/* the model waits for its disk at an abort, and hears nobody meanwhile: the disk is just slow, and
 * the command may be over before the abort comes */
START_TEST(abort_one)
{
	begin(false);
	ck_assert_int_eq(scsi_abort(&cmds[1]->pkt->pkt_address, cmds[1]->pkt), 1);
	chip_cmd_wait(cmds[1]);
	ck_assert(pv_ended(cmds[1], CMD_ABORTED, STAT_ABORTED) ||
	    pv_ended(cmds[1], CMD_CMPLT, 0));
	for (int i = 0; i < N; i++) {
		chip_cmd_wait(cmds[i]);
		if (i != 1)
			ck_assert(pv_ended(cmds[i], CMD_CMPLT, 0));
	}
	chip_cmd_wait(other);
	ck_assert(pv_ended(other, CMD_CMPLT, 0));
	ck_assert_uint_eq(told, 0);
	end();
}
END_TEST

START_TEST(reset_target)
{
	begin(true);
	ck_assert_int_eq(scsi_reset(&cmds[0]->pkt->pkt_address, RESET_LUN), 0);
	ck_assert_int_eq(scsi_reset(&cmds[0]->pkt->pkt_address, RESET_TARGET), 1);
	ck_assert(!chip_cmd_is_done(other));
	chip_disk_let_go(chip, 1, 0);
	for (int i = 0; i < N; i++) {
		chip_cmd_wait(cmds[i]);
		ck_assert(pv_ended(cmds[i], CMD_RESET, STAT_DEV_RESET));
	}
	chip_cmd_wait(other);
	ck_assert(pv_ended(other, CMD_CMPLT, 0));
	ck_assert_uint_eq(told, 1);
	end();
}
END_TEST

START_TEST(reset_all)
{
	begin(true);
	ck_assert_int_eq(scsi_reset(&cmds[0]->pkt->pkt_address, RESET_ALL), 1);
	for (int i = 0; i < N; i++) {
		chip_cmd_wait(cmds[i]);
		ck_assert(pv_ended(cmds[i], CMD_RESET, STAT_BUS_RESET));
	}
	chip_cmd_wait(other);
	ck_assert(pv_ended(other, CMD_RESET, STAT_BUS_RESET));
	ck_assert_uint_eq(told, 1);
	end();
}
END_TEST

CHECK_MAIN("pvscsi: task management", abort_one, reset_target, reset_all)
