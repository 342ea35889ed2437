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

START_TEST(each_kind)
{
	static const int types[] = { 0, DDI_INTR_TYPE_MSI, DDI_INTR_TYPE_FIXED };
	struct chip_spec spec = PV_SPEC(.n_disks = 1, .disks = { { .target = 0 } });
	struct chip *chip;

	spec.intr_types = types[_i];
	chip = chip_start(&spec);
	works(chip, types[_i] == 0 ? DDI_INTR_TYPE_MSI : types[_i]);
	chip_stop(chip);
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

int
main(void)
{
	Suite *suite = suite_create("pvscsi: interrupts");
	TCase *tcase = tcase_create("kinds");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, each_kind, 0, 3);
	tcase_add_test(tcase, shared_line);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
