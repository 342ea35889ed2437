/* row 9: the firmware stops; commands in flight end, the adapter comes back, and tells */
#include <stdatomic.h>

#include "mptsas.h"

static const struct chip_spec spec = MPT_SPEC(.n_disks = 2, .disks = {
	MPT_DISK(0, .store = CHIP_NULL), MPT_DISK(1),
});

static struct chip *chip;
static atomic_int notified;

static void
count_notice(caddr_t arg)
{
	(void)arg;
	(void)atomic_fetch_add(&notified, 1);
}

/* the next request is one that the model stops for */
static bool
spoil(void *arg, unsigned int bar, uint64_t off, unsigned int width, uint64_t value)
{
	atomic_bool *is_armed = arg;

	(void)width;
	if (bar == MPT_BAR && off == MPT_REQUEST_FIFO) {
		uint8_t *frame = chip_memory(chip, value, 16);

		if (frame[MPT_FUNCTION] == MPT_FN_SCSI_IO &&
		    atomic_exchange(is_armed, false))
			frame[MPT_FUNCTION] = 0x1c;
	}
	return true;
}

static bool
has_recovered(void *arg)
{
	return mpt_prop(chip, "hba-failures") == *(int *)arg && mpt_state_is(chip, "ready");
}

static void
stop_firmware(int failures)
{
	const uint8_t tur[6] = { 0 };
	static atomic_bool once;
	struct chip_cmd *cmd =
	    chip_cmd_new(chip, mpt_unit(chip, 1, 0), tur, sizeof(tur), CHIP_NONE, 0);

	atomic_store(&once, true);
	chip_on_write(chip, spoil, &once);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_cmd_wait(cmd);
	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_RESET);
	ck_assert_uint_eq(cmd->pkt->pkt_statistics, STAT_BUS_RESET);
	chip_cmd_free(cmd);
	chip_on_write(chip, NULL, NULL);
	chip_await(chip, has_recovered, &failures, "recovery");
}

START_TEST(fault)
{
	struct scsi_address *ap;
	struct chip_cmd *cmd;
	uint8_t cdb[10], data[512];

	chip = chip_start(&spec);
	(void)chip_tur(chip, mpt_unit(chip, 0, 0));
	ap = &mpt_unit(chip, 0, 0)->sd_address;
	ck_assert_int_eq(scsi_reset_notify(ap, SCSI_RESET_NOTIFY, count_notice, NULL),
	    DDI_SUCCESS);
	chip_disk_hold(chip, 0, 0);
	chip_cdb_rw10(cdb, false, 0, 1);
	cmd = chip_cmd_new(chip, mpt_unit(chip, 0, 0), cdb, sizeof(cdb), CHIP_IN, 512);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	stop_firmware(1);
	chip_cmd_wait(cmd);
	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_RESET);
	ck_assert_uint_eq(cmd->pkt->pkt_statistics, STAT_BUS_RESET);
	chip_cmd_free(cmd);
	ck_assert_int_eq(atomic_load(&notified), 1);
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 0, 0)), 0);
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 1, 0)), 0);
	chip_read(chip, mpt_unit(chip, 1, 0), 0, 1, data);
	ck_assert_int_eq(scsi_reset_notify(ap, SCSI_RESET_CANCEL, count_notice, NULL),
	    DDI_SUCCESS);
	ck_assert_uint_eq(chip_units(chip), 2);
	chip_stop(chip);
}
END_TEST

static bool
is_dead(void *arg)
{
	(void)arg;
	return mpt_state_is(chip, "dead");
}

/* three times in ten minutes are forgiven, a fourth is not */
START_TEST(too_many_faults)
{
	const uint8_t tur[6] = { 0 };
	static atomic_bool once;
	struct chip_cmd *cmd;

	chip = chip_start(&spec);
	for (int i = 1; i <= 3; i++)
		stop_firmware(i);
	atomic_store(&once, true);
	chip_on_write(chip, spoil, &once);
	cmd = chip_cmd_new(chip, mpt_unit(chip, 1, 0), tur, sizeof(tur), CHIP_NONE, 0);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_cmd_wait(cmd);
	chip_await(chip, is_dead, NULL, "the end");
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_FATAL_ERROR);
	chip_cmd_free(cmd);
	chip_on_write(chip, NULL, NULL);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: faults", fault, too_many_faults)
