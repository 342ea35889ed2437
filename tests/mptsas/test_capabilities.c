/* capabilities: what is asked, what is set, for one unit or for all; no wires of a parallel
 * bus */
#include "check_main.h"
#include "mock_ioc.h"

#define DISK	0x5000c50000000001ull
#define OTHER	0x5000c50000000002ull

static void
two_disks(void)
{
	ioc_phy(1, 1, 15);
	ioc_disk(1, OTHER, 15, 1, 1);
}

static int
get(uint64_t sas, const char *cap, int whom)
{
	return scsi_ifgetcap(&rig_unit(sas)->sd_address, (char *)(uintptr_t)cap, whom);
}

static int
set(uint64_t sas, const char *cap, int value, int whom)
{
	return scsi_ifsetcap(&rig_unit(sas)->sd_address, (char *)(uintptr_t)cap, value, whom);
}

static void
values(void)
{
	ck_assert_int_eq(get(DISK, "dma-max", 1), MPTSAS_XFER_MAX);
	ck_assert_int_eq(get(DISK, "auto-rqsense", 1), 1);
	ck_assert_int_eq(get(DISK, "lun-reset", 1), 1);
	ck_assert_int_eq(get(DISK, "max-cdb-length", 1), 16);
	ck_assert_int_eq(get(DISK, "interconnect-type", 1), INTERCONNECT_SAS);
	ck_assert_int_eq(get(DISK, "synchronous", 1), -1);
	ck_assert_int_eq(get(DISK, "wide-xfer", 1), -1);
	ck_assert_int_eq(get(DISK, "total-sectors", 1), -1);
	ck_assert_int_eq(get(DISK, "no-such-thing", 1), -1);
	ck_assert_int_eq(set(DISK, "no-such-thing", 1, 1), -1);
	ck_assert_int_eq(set(DISK, "disconnect", 1, 1), -1);
}

static void
changes(void)
{
	/* of one unit */
	ck_assert_int_eq(set(DISK, "tagged-qing", 0, 1), 1);
	ck_assert_int_eq(get(DISK, "tagged-qing", 1), 0);
	ck_assert_int_eq(get(OTHER, "tagged-qing", 1), 1);
	/* of all, those excepted that have their own */
	ck_assert_int_eq(set(DISK, "qfull-retries", 5, 0), 1);
	ck_assert_int_eq(get(OTHER, "qfull-retries", 1), 5);
	ck_assert_int_eq(set(OTHER, "qfull-retries", 7, 1), 1);
	ck_assert_int_eq(set(DISK, "qfull-retries", 6, 0), 1);
	ck_assert_int_eq(get(DISK, "qfull-retries", 1), 6);
	ck_assert_int_eq(get(OTHER, "qfull-retries", 1), 7);
	/* out of range, or not to be set */
	ck_assert_int_eq(set(DISK, "auto-rqsense", 0, 1), 0);
	ck_assert_int_eq(set(DISK, "qfull-retries", 256, 1), 0);
	ck_assert_int_eq(set(DISK, "sector-size", 513, 1), 0);
	ck_assert_int_eq(set(DISK, "sector-size", 4096, 1), 1);
	ck_assert_int_eq(set(DISK, "dma-max", 4096, 1), 0);
}

static void
scenario(void)
{
	values();
	changes();
}

START_TEST(asked_and_set)
{
	rig_run(two_disks, scenario);
}
END_TEST

CHECK_MAIN("capabilities", asked_and_set)
