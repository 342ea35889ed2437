/* a probe of all ids: targets with one, four and gaps of units; no phantoms, no lost unit
 * attention */
#include "virtio.h"

#define FAR_UNIT	"c8,412c000000000000"	/* LUN 300 of target 200, flat addressing */

static const struct chip_spec spec = {
	VIRTIO_SPEC,
	.disks = {
		{ .target = 0, .lun = 0 },
		{ .target = 3, .lun = 0 }, { .target = 3, .lun = 1 }, { .target = 3, .lun = 2 },
		{ .target = 3, .lun = 7 },
		{ .target = 9, .lun = 5 },		/* no LUN 0 */
		{ .target = 200, .lun = 0 }, { .target = 200, .lun = 300 },
		{ .target = 255, .lun = 0 },
	},
	.n_disks = 9,
};

static struct scsi_device *
unit(struct chip *chip, unsigned int i)
{
	if (spec.disks[i].lun == 300)
		return chip_unit_named(chip, FAR_UNIT);
	return chip_await_unit(chip, spec.disks[i].target, spec.disks[i].lun);
}

START_TEST(only_present_units_are_found)
{
	struct chip *chip = chip_start(&spec);

	for (unsigned int i = 0; i < spec.n_disks; i++)
		ck_assert_ptr_nonnull(unit(chip, i));
	ck_assert_uint_eq(chip_units(chip), spec.n_disks);
	ck_assert_ptr_null(chip_unit(chip, 3, 3));
	ck_assert_ptr_null(chip_unit(chip, 9, 0));
	ck_assert_ptr_null(chip_unit(chip, 1, 0));
	chip_stop(chip);
}
END_TEST

START_TEST(each_unit_answers_for_itself)
{
	struct chip *chip = chip_start(&spec);
	uint8_t data[512], back[512];

	for (unsigned int i = 0; i < spec.n_disks; i++) {
		memset(data, (int)i + 1, sizeof(data));
		chip_write(chip, unit(chip, i), 7, 1, data);
	}
	for (unsigned int i = 0; i < spec.n_disks; i++) {
		memset(data, (int)i + 1, sizeof(data));
		chip_read(chip, unit(chip, i), 7, 1, back);
		ck_assert_mem_eq(data, back, sizeof(data));
	}
	chip_stop(chip);
}
END_TEST

START_TEST(nothing_is_there)
{
	const struct chip_spec empty = { VIRTIO_SPEC };
	struct chip *chip = chip_start(&empty);

	ck_assert_uint_eq(chip_units(chip), 0);
	ck_assert_int_ge(chip_scan(chip), 0);
	ck_assert_uint_eq(chip_units(chip), 0);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio finds what is there", only_present_units_are_found,
    each_unit_answers_for_itself, nothing_is_there)
