/* row 1: all ids, with gaps: what is present is in the map, and nothing else */
#include "pvscsi.h"

static const struct chip_spec three = PV_SPEC(.n_disks = 4, .disks = {
	{ .target = 0 }, { .target = 2 }, { .target = 7 }, { .target = 63 },
});

START_TEST(present_units_only)
{
	struct chip *chip = chip_start(&three);
	struct chip_cmd *cmd;
	uint8_t inquiry[36];

	ck_assert_uint_eq(chip_units(chip), 4);
	for (unsigned int i = 0; i < three.n_disks; i++)
		ck_assert_ptr_nonnull(chip_unit(chip, three.disks[i].target, 0));
	ck_assert_ptr_null(chip_unit(chip, 1, 0));
	ck_assert_ptr_null(chip_unit(chip, 2, 1));
	chip_inquiry(chip, chip_unit(chip, 63, 0), inquiry);
	ck_assert_mem_eq(inquiry + 8, "QEMU    ", 8);
	/* the attention of power on was absorbed */
	cmd = pv_tur(chip, chip_unit(chip, 7, 0));
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_cmd_wait(cmd);
	ck_assert_uint_eq(*cmd->pkt->pkt_scbp, STATUS_GOOD);
	chip_cmd_free(cmd);
	/* looking again finds the same */
	ck_assert_int_eq(chip_scan(chip), 4);
	chip_stop(chip);
}
END_TEST

static const struct chip_spec nothing = PV_SPEC(.n_disks = 0);

START_TEST(nobody_there)
{
	struct chip *chip = chip_start(&nothing);

	ck_assert_uint_eq(chip_units(chip), 0);
	ck_assert(pv_state_is(chip, PVSCSI_READY));
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi: probe", present_units_only, nobody_there)
