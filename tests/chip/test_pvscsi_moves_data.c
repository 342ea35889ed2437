/* pvscsi on QEMU's model: discovery, and data of all sizes and shapes */
#include <check_main.h>
#include <string.h>

#include "hw/pvscsi/pvscsi.h"
#include "tests/chip/chip.h"

static struct chip *chip;

START_TEST(disks_are_found)
{
	uint8_t inquiry[36];
	struct chip_spec spec = {
		.device = "pvscsi", .driver = PVSCSI_DRIVER,
		.mod_init = pvscsi_mod_init, .mod_fini = pvscsi_mod_fini,
		.disks = { { .target = 0 }, { .target = 5 } }, .n_disks = 2,
	};

	chip = chip_start(&spec);
	ck_assert_uint_eq(chip_units(chip), 2);
	ck_assert_ptr_nonnull(chip_unit(chip, 0, 0));
	ck_assert_ptr_nonnull(chip_unit(chip, 5, 0));
	ck_assert_ptr_null(chip_unit(chip, 1, 0));
	chip_inquiry(chip, chip_unit(chip, 5, 0), inquiry);
	ck_assert_mem_eq(inquiry + 8, "QEMU    ", 8);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi moves data", disks_are_found)
