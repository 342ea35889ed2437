/* saved mode pages: in force after a reset and after a restart; a disk that cannot save says
 * so, and a save that fails changes nothing */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_main.h"
#include "hw/soft/aio.h"
#include "hw/soft/store.h"
#include "mock_disk.h"
#include "scsi/mode.h"

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN], data[4096];
static const char *dir;

static size_t
page(uint8_t code, uint8_t subcode, enum mode_pc pc, uint8_t *ret)
{
	struct mode_walk walk;
	struct mode_view view;

	ck_assert(bench_in(&b, cdb,
	    cdb_mode_sense(cdb, CDB_10, (uint8_t)pc, code, subcode, true, 255), 255));
	ck_assert_int_eq(mode_walk_begin(b.data, b.cmd->moved, true, &walk), 0);
	ck_assert_int_eq(mode_walk_next(&walk, &view), 1);
	ck_assert_int_eq(view.is_savable, b.host != NULL && disk_host_dir(b.host) >= 0);
	memcpy(ret, view.data, view.len);
	ret[0] &= 0x7f;
	return view.len;
}

static bool
select_page(const uint8_t *bytes, size_t len, bool want_save)
{
	uint8_t list[80] = { 0 };

	memcpy(list + 8, bytes, len);
	return bench_out(&b, cdb,
	    cdb_mode_select(cdb, CDB_10, want_save, (uint16_t)(8 + len)), list, 8 + len);
}

/* SWP and write-back cache, as they are now and as they are saved */
static void
check(bool swp, bool wce, bool saved_swp, bool saved_wce)
{
	uint8_t p[64];

	(void)page(MODE_CONTROL, 0, MODE_PC_CURRENT, p);
	ck_assert_int_eq((p[4] & 0x08) != 0, swp);
	(void)page(MODE_CACHING, 0, MODE_PC_CURRENT, p);
	ck_assert_int_eq((p[2] & 0x04) != 0, wce);
	(void)page(MODE_CONTROL, 0, MODE_PC_SAVED, p);
	ck_assert_int_eq((p[4] & 0x08) != 0, saved_swp);
	(void)page(MODE_CACHING, 0, MODE_PC_SAVED, p);
	ck_assert_int_eq((p[2] & 0x04) != 0, saved_wce);
	ck_assert(
	    bench_out(&b, cdb, cdb_write(cdb, CDB_10, 0, 1, 0), data, 512) == !swp);
}

static void
set(uint8_t code, size_t byte, uint8_t mask, bool is_on, bool want_save)
{
	uint8_t p[64];
	size_t len = page(code, 0, MODE_PC_CURRENT, p);

	p[byte] = (uint8_t)((p[byte] & ~mask) | (is_on ? mask : 0));
	ck_assert(select_page(p, len, want_save));
}

static void
reset(void)
{
	disk_reset(b.disk, ASC_DEVICE_RESET);
	ck_assert(!bench_none(&b, cdb, cdb_tur(cdb)));
}

START_TEST(saved_pages_outlive_reset_and_restart)
{
	dir = bench_dir();
	bench_open_at(&b, "mem:1M", dir);
	check(false, true, false, true);
	set(MODE_CONTROL, 4, 0x08, true, true);		/* saved */
	set(MODE_CACHING, 2, 0x04, false, false);	/* current values only */
	check(true, false, true, true);
	reset();
	check(true, true, true, true);
	set(MODE_CONTROL, 4, 0x08, false, false);
	check(false, true, true, true);
	bench_close(&b);

	bench_open_at(&b, "mem:1M", dir);
	check(true, true, true, true);
	set(MODE_CONTROL, 4, 0x08, false, true);
	set(MODE_CACHING, 2, 0x04, false, true);
	bench_close(&b);

	bench_open_at(&b, "mem:1M", dir);
	check(false, false, false, false);
	bench_close(&b);
	bench_dir_remove();
}
END_TEST

START_TEST(saving_waits_for_a_thread)
{
	dir = bench_dir();
	bench_open_at(&b, "mem:1M", dir);
	ck_assert_int_eq(aio_open(-1, &b.aio), 0);
	set(MODE_CONTROL, 4, 0x08, true, true);
	ck_assert_uint_eq(atomic_load(&b.pended), 1);
	check(true, true, true, true);
	aio_close(b.aio);
	bench_close(&b);
	bench_dir_remove();
}
END_TEST

START_TEST(without_a_directory_nothing_is_saved)
{
	uint8_t p[64];
	size_t len;

	bench_open_at(&b, "mem:1M", NULL);
	len = page(MODE_CONTROL, 0, MODE_PC_CURRENT, p);
	ck_assert(!select_page(p, len, true));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(1, 0)));
	ck_assert(!bench_in(&b, cdb,
	    cdb_mode_sense(cdb, CDB_10, MODE_PC_SAVED, MODE_ALL, 0, true, 255), 255));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED, 0));
	bench_close(&b);
}
END_TEST

/* two disks of one number: the second does not write into the file of the first */
START_TEST(a_second_disk_of_one_serial_saves_nothing)
{
	static struct bench other;
	uint8_t p[64];

	dir = bench_dir();
	bench_open_at(&other, "mem:1M", dir);
	bench_open_at(&b, "mem:1M", dir);
	ck_assert(!bench_in(&b, cdb,
	    cdb_mode_sense(cdb, CDB_10, MODE_PC_SAVED, MODE_CONTROL, 0, true, 255), 255));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED, 0));
	bench_close(&other);
	bench_close(&b);
	bench_open_at(&b, "mem:1M", dir);
	(void)page(MODE_CONTROL, 0, MODE_PC_SAVED, p);
	bench_close(&b);
	bench_dir_remove();
}
END_TEST

START_TEST(a_save_that_fails_changes_nothing)
{
	char path[128];
	uint8_t p[64];
	size_t len;

	dir = bench_dir();
	bench_open_at(&b, "mem:1M", dir);
	set(MODE_CACHING, 2, 0x04, false, true);
	/* the next file cannot be made: a directory has its name */
	(void)snprintf(path, sizeof(path), "%s/disk-B-1.new", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	len = page(MODE_CONTROL, 0, MODE_PC_CURRENT, p);
	p[4] |= 0x08;
	ck_assert(!select_page(p, len, true));
	ck_assert(bench_sense(&b, SENSE_HARDWARE_ERROR, ASC_WRITE_FAULT, 0));
	check(false, false, false, false);
	ck_assert_int_eq(rmdir(path), 0);
	bench_close(&b);
	bench_open_at(&b, "mem:1M", dir);
	check(false, false, false, false);
	bench_close(&b);

	/* and a file that is damaged is as good as none */
	(void)snprintf(path, sizeof(path), "%s/disk-B-1", dir);
	ck_assert_int_eq(truncate(path, 30), 0);
	bench_open_at(&b, "mem:1M", dir);
	check(false, true, false, true);
	bench_close(&b);
	bench_dir_remove();
}
END_TEST

START_TEST(the_directory_has_to_be_there)
{
	struct disk_host *host;
	char err[SOFT_ERR_LEN];

	ck_assert_int_lt(disk_host_open("/nonexistent/state", &host, err), 0);
	ck_assert_ptr_nonnull(strstr(err, "/nonexistent/state"));
	ck_assert_int_lt(disk_host_open("/dev/null", &host, err), 0);
}
END_TEST

static size_t
no_luns(void *arg UNUSED, uint64_t *luns UNUSED, size_t max UNUSED)
{
	return 0;
}

/* what disk_new() says when @n more files may be opened; the disk is gone again */
static int
come(unsigned int n)
{
	struct disk_place place = { .luns = no_luns, .host = b.host };
	struct rlimit limit, old;
	char err[SOFT_ERR_LEN];
	struct store *store;
	struct disk *disk;
	int r, next;

	ck_assert_int_eq(store_open(&b.conf, &store, err), 0);
	next = dup(STDERR_FILENO);
	ck_assert_int_ge(next, 0);
	(void)close(next);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit = old;
	limit.rlim_cur = (rlim_t)next + n;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	r = disk_new(&b.conf, store, &place, &disk);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	if (r == 0)
		disk_free(disk);
	return r;
}

/* it could say that a sanitize is at work: as if it said nothing the disk must not come */
START_TEST(state_that_cannot_be_read_now_is_not_forgotten)
{
	dir = bench_dir();
	bench_open_at(&b, "mem:1M", dir);
	set(MODE_CONTROL, 4, 0x08, true, true);
	disk_free(b.disk);
	b.disk = NULL;
	ck_assert_int_eq(come(0), -EMFILE);
	ck_assert_int_eq(come(1), 0);
	bench_close(&b);
	bench_dir_remove();
}
END_TEST

CHECK_MAIN("disk modes saved", saved_pages_outlive_reset_and_restart, saving_waits_for_a_thread,
    without_a_directory_nothing_is_saved, a_second_disk_of_one_serial_saves_nothing,
    a_save_that_fails_changes_nothing, the_directory_has_to_be_there,
    state_that_cannot_be_read_now_is_not_forgotten)
