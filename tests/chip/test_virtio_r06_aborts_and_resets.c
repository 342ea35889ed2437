/* commands that take their time: one of four aborted, all of a unit, a unit reset, a target,
 * the bus: the right ones end for the right reason, the others finish, each once */
#include "virtio.h"

#define N	4

static const struct chip_spec spec = {
	VIRTIO_SPEC,
	.disks = {
		{ .target = 0, .lun = 0, .store = CHIP_NULL },
		{ .target = 0, .lun = 1, .store = CHIP_NULL },
		{ .target = 5, .lun = 0, .store = CHIP_NULL },
	},
	.n_disks = 3,
};

static struct chip *chip;
static struct scsi_device *unit[3];
static unsigned int resets;

static void
on_reset(caddr_t arg)
{
	(void)__atomic_add_fetch((unsigned int *)(void *)arg, 1, __ATOMIC_SEQ_CST);
}

static void
begin(void)
{
	struct chip_spec at_once = spec;

	at_once.device = VIRTIO_AT_ONCE;
	chip = chip_start(&at_once);
	resets = 0;
	for (unsigned int i = 0; i < 3; i++) {
		unit[i] = chip_await_unit(chip, spec.disks[i].target, spec.disks[i].lun);
		(void)chip_tur(chip, unit[i]);
	}
	ck_assert_int_eq(scsi_reset_notify(&unit[0]->sd_address, SCSI_RESET_NOTIFY, on_reset,
	    (caddr_t)&resets), DDI_SUCCESS);
}

static void
end(void)
{
	(void)scsi_reset_notify(&unit[0]->sd_address, SCSI_RESET_CANCEL, on_reset,
	    (caddr_t)&resets);
	chip_stop(chip);
}

static void
let_go(void)
{
	for (unsigned int i = 0; i < 3; i++)
		chip_disk_let_go(chip, spec.disks[i].target, spec.disks[i].lun);
}

/* two to the first unit, one to each of the others; all are with the device, and stay */
static void
start(struct chip_cmd *cmds[N])
{
	struct scsi_device *const to[N] = { unit[0], unit[0], unit[1], unit[2] };

	for (unsigned int i = 0; i < 3; i++)
		chip_disk_hold(chip, spec.disks[i].target, spec.disks[i].lun);
	for (unsigned int i = 0; i < N; i++) {
		cmds[i] = virtio_read_new(chip, to[i], 8 * i, 8);
		ck_assert_int_eq(chip_cmd_start(cmds[i]), TRAN_ACCEPT);
	}
}

static void
expect(struct chip_cmd *cmds[N], unsigned int mask, uint8_t reason, uint_t stats)
{
	for (unsigned int i = 0; i < N; i++) {
		chip_cmd_wait(cmds[i]);
		if ((mask & 1u << i) != 0)
			virtio_expect(cmds[i], reason, VIRTIO_SENT, stats);
		else
			virtio_expect(cmds[i], CMD_CMPLT, VIRTIO_MOVED, 0);
		chip_cmd_free(cmds[i]);
	}
}

START_TEST(one_of_four)
{
	struct chip_cmd *cmds[N];

	begin();
	start(cmds);
	chip_let_go_behind(chip, virtio_is_function, NULL);
	ck_assert_int_eq(scsi_abort(&unit[0]->sd_address, cmds[1]->pkt), 1);
	expect(cmds, 0x2, CMD_ABORTED, STAT_ABORTED);
	ck_assert_uint_eq(resets, 0);
	end();
}
END_TEST

START_TEST(all_of_a_unit)
{
	struct chip_cmd *cmds[N];

	begin();
	start(cmds);
	chip_let_go_behind(chip, virtio_is_function, NULL);
	ck_assert_int_eq(scsi_abort(&unit[0]->sd_address, NULL), 1);
	expect(cmds, 0x3, CMD_ABORTED, STAT_ABORTED);
	start(cmds);
	chip_let_go_behind(chip, virtio_is_function, NULL);
	ck_assert_int_eq(scsi_clear_task_set(&unit[0]->sd_address), 1);
	expect(cmds, 0x3, CMD_ABORTED, STAT_ABORTED);
	end();
}
END_TEST

START_TEST(an_abort_too_late)
{
	struct chip_cmd *cmds[N];

	begin();
	start(cmds);
	let_go();
	for (unsigned int i = 0; i < N; i++)
		chip_cmd_wait(cmds[i]);
	ck_assert_int_eq(scsi_abort(&unit[0]->sd_address, cmds[0]->pkt), 0);
	expect(cmds, 0, 0, 0);
	end();
}
END_TEST

START_TEST(a_unit)
{
	struct chip_cmd *cmds[N];

	begin();
	start(cmds);
	ck_assert_int_eq(scsi_reset(&unit[0]->sd_address, RESET_LUN), 1);
	let_go();
	expect(cmds, 0x3, CMD_RESET, STAT_DEV_RESET);
	ck_assert_uint_eq(resets, 1);
	end();
}
END_TEST

START_TEST(a_target)
{
	struct chip_cmd *cmds[N];

	begin();
	start(cmds);
	ck_assert_int_eq(scsi_reset(&unit[0]->sd_address, RESET_TARGET), 1);
	let_go();
	expect(cmds, 0x7, CMD_RESET, STAT_DEV_RESET);
	ck_assert_uint_eq(resets, 1);
	end();
}
END_TEST

START_TEST(everything)
{
	struct chip_cmd *cmds[N];

	begin();
	start(cmds);
	ck_assert_int_eq(scsi_reset(&unit[2]->sd_address, RESET_ALL), 1);
	expect(cmds, 0xf, CMD_RESET, STAT_BUS_RESET);
	ck_assert_uint_eq(resets, 1);
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_int_eq(chip_tur(chip, unit[i]), 0);
	end();
}
END_TEST

START_TEST(a_neighbour_is_not_told)
{
	begin();
	ck_assert_int_eq(scsi_reset(&unit[1]->sd_address, RESET_LUN), 1);
	ck_assert_int_eq(scsi_reset(&unit[2]->sd_address, RESET_TARGET), 1);
	ck_assert_uint_eq(resets, 0);
	end();
}
END_TEST

CHECK_MAIN("virtio aborts and resets", one_of_four, all_of_a_unit, an_abort_too_late, a_unit,
    a_target, everything, a_neighbour_is_not_told)
