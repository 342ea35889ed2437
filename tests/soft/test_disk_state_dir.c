/* an adapter that is closed and opened again with its state directory; and what its owner may
 * do to disks by address */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "check_main.h"
#include "mock_disk.h"
#include "mock_flow.h"

static struct io io;
static uint8_t cdb[CDB_BUF_LEN], data[4096], list[32];
static char err[SOFT_ERR_LEN];
static unsigned int life;
static struct flow flow = { .seed = 1 };

static bool
run(size_t cdb_len, void *buf, size_t len, bool is_read)
{
	bool is_good = io_run(&io, flow_sd(0, 0), cdb, cdb_len, len == 0 ? NULL : buf, len,
	    is_read);

	io_fini(&io);
	return is_good;
}

static bool
sense_is(uint8_t key, uint16_t asc)
{
	return io.sense.key == key && io.sense.asc == asc;
}

static bool
overwrite(uint8_t how)
{
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = 0x48;
	cdb[1] = how | 0x01;
	cdb[8] = 8;
	memcpy(list, (uint8_t[8]){ 1, 0, 0, 4, 1, 2, 3, 4 }, 8);
	return run(10, list, 8, false);
}

static void
two_lives(void)
{
	/* saved in the first life, found in the second: SWP */
	ck_assert(run(cdb_mode_sense(cdb, CDB_10, 0, 0x0a, 0, true, 20), data, 20, true));
	ck_assert_uint_eq(data[8 + 4] & 0x08, life == 0 ? 0 : 0x08);
	memset(list, 0, sizeof(list));
	memcpy(list + 8, data + 8, 12);
	list[8] &= 0x7f;
	list[8 + 4] ^= 0x08;
	/* while it sanitizes, pages are read only */
	ck_assert_int_eq(
	    run(cdb_mode_select(cdb, CDB_10, life == 0, 20), list, 20, false), life < 2);
	if (life == 0) {
		ck_assert(!overwrite(0x80) && sense_is(SENSE_DATA_PROTECT,
		    ASC_SOFTWARE_WRITE_PROTECTED));
		return;
	}
	if (life == 1) {
		/* begun in the second life, it goes on in the third; a reset does not matter */
		ck_assert(overwrite(0x80));
		ck_assert_int_eq(
		    scsi_reset(&flow_sd(0, 0)->sd_address, RESET_TARGET), 1);
		ck_assert(!run(cdb_tur(cdb), NULL, 0, true));
		ck_assert(sense_is(SENSE_UNIT_ATTENTION, ASC_DEVICE_RESET));
		ck_assert(!run(cdb_tur(cdb), NULL, 0, true));
		ck_assert(sense_is(SENSE_NOT_READY, ASC_SANITIZE_IN_PROGRESS));
		return;
	}
	ck_assert(!run(cdb_tur(cdb), NULL, 0, true));
	ck_assert(sense_is(SENSE_NOT_READY, ASC_SANITIZE_IN_PROGRESS));
	sim_advance_us(9000000);
	ck_assert(run(cdb_tur(cdb), NULL, 0, true));
	ck_assert(run(cdb_read(cdb, CDB_10, 16383, 1, 0), data, 512, true));
	ck_assert_mem_eq(data, ((uint8_t[4]){ 1, 2, 3, 4 }), 4);
}

START_TEST(state_outlives_the_adapter)
{
	char path[80];

	flow.state_dir = bench_dir();
	flow.scenario = two_lives;
	flow.disks[0] = "mem:8M,sanitize_rate=1M,serial=B-1";
	for (life = 0; life < 3; life++)
		flow_run(&flow);
	(void)snprintf(path, sizeof(path), "%s/disk-B-1", flow.state_dir);
	ck_assert_int_eq(access(path, R_OK), 0);
	bench_dir_remove();
}
END_TEST

static void
by_address(void)
{
	ck_assert_int_eq(soft_disk_resize(flow_hba, "iport0/0,0", 2 << 20, err), 0);
	ck_assert(!run(cdb_tur(cdb), NULL, 0, true));
	ck_assert(sense_is(SENSE_UNIT_ATTENTION, ASC_CAPACITY_CHANGED));
	ck_assert(run(cdb_readcap10(cdb), data, 8, true));
	ck_assert_uint_eq(be32_get(data), 4095);
	ck_assert_int_eq(soft_disk_resize(flow_hba, "iport0/0", 1 << 20, err), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(err, "iport0/0"));
	ck_assert_int_eq(soft_disk_resize(flow_hba, "iport0/0,0", 700, err), -EINVAL);
	ck_assert_int_eq(soft_disk_resize(flow_hba, "iport0/7,0", 1 << 20, err), -ENOENT);
	ck_assert_int_eq(soft_disk_resize(flow_hba, "/,", 1 << 20, err), -EINVAL);

	ck_assert_int_eq(soft_disk_medium(flow_hba, "iport0/0,0", false, err), 0);
	ck_assert(!run(cdb_tur(cdb), NULL, 0, true));
	ck_assert(sense_is(SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT));
	ck_assert_int_eq(soft_disk_medium(flow_hba, "iport0/0,0", true, err), 0);
	ck_assert(!run(cdb_tur(cdb), NULL, 0, true));
	ck_assert(sense_is(SENSE_UNIT_ATTENTION, ASC_MEDIUM_CHANGED));
	ck_assert(run(cdb_prevent_allow(cdb, 1), NULL, 0, true));
	ck_assert_int_eq(soft_disk_medium(flow_hba, "iport0/0,0", false, err), -EBUSY);
	ck_assert_int_eq(soft_disk_medium(flow_hba, "iport0/1,0", false, err), -ENOTSUP);
	ck_assert_int_eq(soft_disk_medium(flow_hba, "iport0/9", false, err), -ENOENT);
}

START_TEST(disks_change_by_address)
{
	flow.state_dir = NULL;
	flow.scenario = by_address;
	flow.disks[0] = "mem:1M,removable";
	flow.disks[1] = "mem:1M";
	flow_run(&flow);
}
END_TEST

static void
nothing(void)
{
}

START_TEST(a_directory_that_is_not_there)
{
	struct soft_hba_conf conf = { .state_dir = "/nonexistent" };
	struct soft_hba *hba;

	ck_assert_int_eq(soft_hba_new(&conf, &hba, err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err, "/nonexistent"));
	flow.scenario = nothing;
	flow.disks[0] = NULL;
	flow.disks[1] = NULL;
	flow_run(&flow);
}
END_TEST

CHECK_MAIN("disk state dir", state_outlives_the_adapter, disks_change_by_address,
    a_directory_that_is_not_there)
