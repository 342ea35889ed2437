/* row 10: hot add, hot remove, and another disk in the same place: the target map follows */
#include "mptsas.h"

static const struct chip_spec spec = MPT_SPEC(.n_disks = 1, .disks = { MPT_DISK(0) });

static struct chip *chip;

static bool
is_there(void *arg)
{
	return chip_unit_named(chip, arg) != NULL;
}

static bool
is_gone(void *arg)
{
	return chip_unit_named(chip, arg) == NULL;
}

static bool
has_three(void *arg)
{
	(void)arg;
	return chip_units(chip) == 3;
}

/* a disk called @wwn, 0: it has no name */
static void
plug(unsigned int target, uint64_t wwn)
{
	static unsigned int n;

	n++;
	(void)chip_qmp(chip, "{\"execute\":\"blockdev-add\",\"arguments\":{"
	    "\"driver\":\"null-co\",\"node-name\":\"plug%u\",\"size\":1048576,"
	    "\"read-zeroes\":true}}", n);
	(void)chip_qmp(chip, "{\"execute\":\"device_add\",\"arguments\":{"
	    "\"driver\":\"scsi-hd\",\"id\":\"t%ul0\",\"bus\":\"hba0.0\",\"scsi-id\":%u,"
	    "\"lun\":0,\"drive\":\"plug%u\",\"wwn\":%llu}}", target, target, n,
	    (unsigned long long)wwn);
}

START_TEST(the_map_follows)
{
	char first[] = "w5000c50000000b01,0", second[] = "w5000c50000000b02,0";

	chip = chip_start(&spec);
	ck_assert_uint_eq(chip_units(chip), 1);
	plug(3, 0x5000c50000000b01);
	chip_await(chip, is_there, first, "a new disk");
	ck_assert_int_eq(chip_tur(chip, chip_unit_named(chip, first)), 0);
	chip_disk_remove(chip, 3, 0);
	plug(3, 0x5000c50000000b02);
	chip_await(chip, is_there, second, "another disk in its place");
	chip_await(chip, is_gone, first, "the end of the old one");
	ck_assert_int_eq(chip_tur(chip, chip_unit_named(chip, second)), 0);
	chip_disk_remove(chip, 3, 0);
	chip_await(chip, is_gone, second, "its end");
	ck_assert_uint_eq(chip_units(chip), 1);
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 0, 0)), 0);
	chip_stop(chip);
}
END_TEST

/* without a name a disk is called by its place, and of two of one name one is left out */
START_TEST(names_that_are_none)
{
	char last[] = "w5000c50000000b07,0";

	chip = chip_start(&spec);
	plug(5, 0);
	plug(6, MPT_WWN);
	plug(7, 0x5000c50000000b07);
	chip_await(chip, is_there, last, "the last disk");
	chip_await(chip, has_three, NULL, "the one without a name");
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 0, 0)), 0);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: hot plug", the_map_follows, names_that_are_none)
