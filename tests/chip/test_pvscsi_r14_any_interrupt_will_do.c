/* row 14: MSI, a line, and a line that is shared with a second adapter */
#include "pvscsi.h"

static void
works(struct chip *chip, int type)
{
	static uint8_t out[65536], in[65536];
	struct scsi_device *sd = chip_unit(chip, 0, 0);

	ck_assert_int_eq(pvscsi_of(chip_node(chip))->intr_type, type);
	for (uint32_t i = 0; i < 50; i++) {
		memset(out, (int)i + 1, sizeof(out));
		chip_write(chip, sd, i, 128, out);
		chip_read(chip, sd, i, 128, in);
		ck_assert_mem_eq(in, out, sizeof(in));
	}
	ck_assert(pv_state_is(chip, PVSCSI_READY));
}

static void
with(int want, int type)
{
	struct chip_spec spec = PV_SPEC(.n_disks = 1, .disks = { { .target = 0 } });
	struct chip *chip;

	spec.intr_types = want;
	chip = chip_start(&spec);
	works(chip, type);
	chip_stop(chip);
}

START_TEST(the_best_there_is)
{
	with(0, DDI_INTR_TYPE_MSI);
}
END_TEST

START_TEST(message)
{
	with(DDI_INTR_TYPE_MSI, DDI_INTR_TYPE_MSI);
}
END_TEST

START_TEST(line)
{
	with(DDI_INTR_TYPE_FIXED, DDI_INTR_TYPE_FIXED);
}
END_TEST

START_TEST(shared_line)
{
	struct chip_spec spec = PV_SPEC(.n_disks = 1, .twins = 3,
	    .intr_types = DDI_INTR_TYPE_FIXED, .disks = { { .target = 0 } });
	struct chip *chip = chip_start(&spec);

	works(chip, DDI_INTR_TYPE_FIXED);
	for (unsigned int i = 1; i <= 3; i++)
		ck_assert(pv_state_is(chip_twin(chip, i), PVSCSI_READY));
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi: interrupts", the_best_there_is, message, line, shared_line)
