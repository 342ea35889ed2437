/* row 1: all ids and LUNs, with gaps: what is present is in the map, and nothing else */
#include "mptsas.h"

static const struct chip_spec three = MPT_SPEC(.n_disks = 4, .disks = {
	MPT_DISK(0), MPT_DISK(2, .lun = 0), { .target = 2, .lun = 1 }, MPT_DISK(7),
});

START_TEST(present_units_only)
{
	struct chip *chip = chip_start(&three);
	uint8_t inquiry[36];

	ck_assert_uint_eq(chip_units(chip), 4);
	ck_assert_ptr_nonnull(mpt_unit(chip, 0, 0));
	ck_assert_ptr_nonnull(mpt_unit(chip, 2, 0));
	ck_assert_ptr_nonnull(mpt_unit(chip, 2, 1));
	ck_assert_ptr_nonnull(mpt_unit(chip, 7, 0));
	ck_assert_ptr_null(mpt_unit(chip, 7, 1));
	chip_inquiry(chip, mpt_unit(chip, 7, 0), inquiry);
	ck_assert_mem_eq(inquiry + 8, "QEMU    ", 8);
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 2, 1)), 0);
	/* looking again finds the same */
	ck_assert_int_eq(chip_scan(chip), 4);
	chip_stop(chip);
}
END_TEST

static const struct chip_spec nothing = MPT_SPEC(.n_disks = 0);

START_TEST(nobody_there)
{
	struct chip *chip = chip_start(&nothing);

	ck_assert_uint_eq(chip_units(chip), 0);
	ck_assert(mpt_state_is(chip, "ready"));
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: probe", present_units_only, nobody_there)
