/* row 10: a disk that comes and goes, and that comes again as another one */
#include "pvscsi.h"

static const struct chip_spec one = PV_SPEC(.n_disks = 1, .disks = { { .target = 0 } });
static const struct chip_spec none = PV_SPEC(.n_disks = 0);

START_TEST(come_and_go)
{
	const struct chip_disk disk = { .target = 9, .store = CHIP_FILE };
	const struct chip_disk other = { .target = 10, .store = CHIP_NULL };
	struct chip *chip = chip_start(&none);
	uint8_t data[512];

	chip_disk_add(chip, &disk);
	chip_read(chip, chip_await_unit(chip, 9, 0), 0, 1, data);
	chip_disk_add(chip, &other);
	chip_read(chip, chip_await_unit(chip, 10, 0), 0, 1, data);
	chip_disk_remove(chip, 9, 0);
	chip_await_no_unit(chip, 9, 0);
	ck_assert_ptr_nonnull(chip_unit(chip, 10, 0));
	chip_stop(chip);
}
END_TEST

static bool
has_wwn(void *arg)
{
	struct chip *chip = arg;
	struct scsi_device *sd = chip_unit(chip, 0, 0);
	uint8_t cdb[CDB_BUF_LEN], data[255] = { 0 };
	struct chip_cmd *cmd;
	bool is_so;

	if (sd == NULL || !devi_hold(sd->sd_dev))
		return false;
	cmd =
	    chip_run(chip, sd, cdb, cdb_inquiry_vpd(cdb, 0x80, 255), CHIP_IN, data, 255, true);
	is_so = cmd->accepted == TRAN_ACCEPT && memcmp(data + 4, "OTHER", 5) == 0;
	chip_cmd_free(cmd);
	devi_release(sd->sd_dev);
	return is_so;
}

/* at the same id, another disk: the unit is made anew */
START_TEST(another_in_its_place)
{
	struct chip *chip = chip_start(&one);
	dev_info_t *before = devi_ref(chip_unit(chip, 0, 0)->sd_dev);

	chip_disk_remove(chip, 0, 0);
	(void)chip_qmp(chip,
	    "{\"execute\":\"blockdev-add\",\"arguments\":{\"driver\":\"null-co\","
	    "\"node-name\":\"other\",\"size\":1048576,\"read-zeroes\":true}}");
	/* the model takes its time to let go of the id */
	chip_await_no_unit(chip, 0, 0);
	(void)chip_qmp(chip,
	    "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"scsi-hd\","
	    "\"id\":\"again\",\"bus\":\"hba0.0\",\"channel\":0,\"scsi-id\":0,\"lun\":0,"
	    "\"drive\":\"other\",\"serial\":\"OTHER\",\"wwn\":%llu}}",
	    0x5000c500bbbbbbbbull);
	chip_await(chip, has_wwn, chip, "the other disk");
	ck_assert_ptr_ne(chip_unit(chip, 0, 0)->sd_dev, before);
	devi_unref(before);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi: hot plug", come_and_go, another_in_its_place)
