/* row 5: a target that was never there, one that goes while idle, one that goes while busy */
#include <errno.h>

#include "mptsas.h"
#include "scsa/config.h"

static const struct chip_spec spec = MPT_SPEC(.n_disks = 3, .disks = {
	MPT_DISK(0), MPT_DISK(1),
	MPT_DISK(2, .store = CHIP_NULL, .latency_ms = 700),
});

static struct chip *chip;

static bool
is_gone(void *arg)
{
	return mpt_unit(chip, *(unsigned int *)arg, 0) == NULL;
}

START_TEST(never_there)
{
	dev_info_t *iport;

	chip = chip_start(&spec);
	iport = ddi_get_parent(mpt_unit(chip, 0, 0)->sd_dev);
	ck_assert_int_eq(scsa_bus_config_one(iport, "w5000c50000000aff,0", NULL), -ENXIO);
	/* each has a port of its own: what is behind another is not behind this one */
	ck_assert_int_eq(scsa_bus_config_one(iport, "w5000c50000000a01,0", NULL), -ENXIO);
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 0, 0)), 0);
	chip_stop(chip);
}
END_TEST

/* the first command finds nobody; that, too, makes the driver look */
START_TEST(gone_while_idle)
{
	unsigned int one = 1;

	chip = chip_start(&spec);
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 1, 0)), 0);
	chip_disk_remove(chip, 1, 0);
	chip_await(chip, is_gone, &one, "a target that has left");
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 0, 0)), 0);
	ck_assert(mpt_state_is(chip, "ready"));
	chip_stop(chip);
}
END_TEST

START_TEST(gone_while_busy)
{
	unsigned int two = 2;
	struct chip_cmd *cmds[4];
	uint8_t cdb[10];

	chip = chip_start(&spec);
	(void)chip_tur(chip, mpt_unit(chip, 2, 0));
	chip_cdb_rw10(cdb, false, 0, 1);
	for (unsigned int i = 0; i < 4; i++) {
		cmds[i] = chip_cmd_new(
		    chip, mpt_unit(chip, 2, 0), cdb, sizeof(cdb), CHIP_IN, 512);
		ck_assert_int_eq(chip_cmd_start(cmds[i]), TRAN_ACCEPT);
	}
	chip_disk_remove(chip, 2, 0);
	for (unsigned int i = 0; i < 4; i++) {
		chip_cmd_wait(cmds[i]);
		ck_assert(cmds[i]->pkt->pkt_reason == CMD_CMPLT ||
		    cmds[i]->pkt->pkt_reason == CMD_DEV_GONE ||
		    cmds[i]->pkt->pkt_reason == CMD_RESET);
		chip_cmd_free(cmds[i]);
	}
	chip_await(chip, is_gone, &two, "a target that has left");
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 0, 0)), 0);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: absence", never_there, gone_while_idle, gone_while_busy)
