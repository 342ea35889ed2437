/* row 14: a message, a line, a line shared with a second adapter: the same results */
#include <sys/ddi_intr.h>

#include "mptsas.h"

static void
works(struct chip *chip)
{
	uint8_t out[2048], in[2048];

	(void)chip_tur(chip, mpt_unit(chip, 0, 0));
	for (unsigned int i = 0; i < 100; i++) {
		memset(out, (int)i, sizeof(out));
		chip_write(chip, mpt_unit(chip, 0, 0), i * 4, 4, out);
		chip_read(chip, mpt_unit(chip, 0, 0), i * 4, 4, in);
		ck_assert_mem_eq(in, out, sizeof(in));
	}
}

static void
with(int type, unsigned int twins)
{
	const struct chip_spec spec = MPT_SPEC(.n_disks = 1, .intr_types = type,
		.twins = twins, .disks = { MPT_DISK(0, .store = CHIP_FILE) });
	struct chip *chip = chip_start(&spec);

	works(chip);
	if (twins > 0)
		ck_assert(mpt_state_is(chip_twin(chip, 1), "ready"));
	chip_stop(chip);
}

START_TEST(message)
{
	with(DDI_INTR_TYPE_MSI, 0);
}
END_TEST

START_TEST(line)
{
	with(DDI_INTR_TYPE_FIXED, 0);
}
END_TEST

START_TEST(shared_line)
{
	with(DDI_INTR_TYPE_FIXED, 3);
}
END_TEST

CHECK_MAIN("mptsas: interrupts", message, line, shared_line)
