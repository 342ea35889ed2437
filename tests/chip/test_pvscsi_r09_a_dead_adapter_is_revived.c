/* row 9: the adapter is reset under its commands, or forgets its rings: all end, and it goes
 * on */
#include "pvscsi.h"

#define N	4

static const struct chip_spec slow = PV_SPEC(.n_disks = 2, .disks = {
	{ .target = 0, .store = CHIP_NULL }, { .target = 1 } });
static struct chip *chip;
static struct chip_cmd *cmds[N];
static unsigned int told;

static void
on_reset(caddr_t arg)
{
	(void)arg;
	(void)__atomic_add_fetch(&told, 1, __ATOMIC_RELAXED);
}

static void
begin(const struct chip_spec *spec)
{
	chip = chip_start(spec);
	told = 0;
	ck_assert_int_eq(scsi_reset_notify(&chip_unit(chip, 0, 0)->sd_address,
			     SCSI_RESET_NOTIFY, on_reset, NULL),
	    DDI_SUCCESS);
	chip_disk_hold(chip, 0, 0);
	for (int i = 0; i < N; i++)
		cmds[i] = pv_read(chip, chip_unit(chip, 0, 0), 8);
}

static bool
was_told(void *arg)
{
	(void)arg;
	return __atomic_load_n(&told, __ATOMIC_RELAXED) > 0;
}

static void
comes_back(void)
{
	struct scsi_device *sd = chip_unit(chip, 0, 0);
	uint8_t data[512];

	for (int i = 0; i < N; i++)
		chip_cmd_free(cmds[i]);
	chip_disk_let_go(chip, 0, 0);
	chip_await(chip, pv_is_ready, chip, "the adapter to come back");
	chip_await(chip, was_told, NULL, "word of the reset");
	chip_read(chip, sd, 0, 1, data);
	ck_assert_int_eq(scsi_reset_notify(&sd->sd_address, SCSI_RESET_CANCEL, NULL, NULL),
	    DDI_SUCCESS);
	chip_stop(chip);
}

START_TEST(reset_under_commands)
{
	begin(&slow);
	ck_assert_int_eq(pvscsi_recover(pvscsi_of(chip_node(chip))), 0);
	for (int i = 0; i < N; i++) {
		chip_cmd_wait(cmds[i]);
		ck_assert(pv_ended(cmds[i], CMD_RESET, STAT_BUS_RESET));
	}
	comes_back();
}
END_TEST

/* it forgets its rings by itself: nothing comes back but by the ladder, at last the reset */
START_TEST(rings_forgotten)
{
	begin(&slow);
	chip_disk_let_go(chip, 0, 0);
	for (int i = 0; i < N; i++)
		chip_cmd_wait(cmds[i]);
	chip_register_put(chip, PV_CHIP_BAR, PV_COMMAND, 4, PV_CMD_ADAPTER_RESET);
	chip_cmd_free(cmds[0]);
	cmds[0] = pv_tur(chip, chip_unit(chip, 0, 0));
	/* climb faster than its time and PVSCSI_GRACE_S allow: ask for the top step ourselves */
	ck_assert_int_eq(chip_cmd_start(cmds[0]), TRAN_ACCEPT);
	ck_assert_int_eq(pvscsi_recover(pvscsi_of(chip_node(chip))), 0);
	chip_cmd_wait(cmds[0]);
	ck_assert_uint_eq(cmds[0]->pkt->pkt_reason, CMD_RESET);
	ck_assert_uint_eq(cmds[0]->pkt->pkt_statistics, STAT_BUS_RESET);
	comes_back();
}
END_TEST

CHECK_MAIN("pvscsi: death", reset_under_commands, rings_forgotten)
