/* commands that are wrong are refused for the right reason */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "mock_disk.h"

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN], data[4096];

static bool
refused(size_t len, uint8_t key, uint16_t asc)
{
	return !bench_none(&b, cdb, len) && bench_sense_is(&b, key, asc);
}

START_TEST(unknown_commands)
{
	bench_open(&b, "mem:1M,thin=0");
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = 0xc5;
	ck_assert(refused(16, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE));
	cdb[0] = 0x07;		/* REASSIGN BLOCKS has a row, and no handler */
	ck_assert(refused(6, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE));
	cdb[0] = 0x7f;
	ck_assert(refused(6, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE));
	ck_assert(refused(cdb_unmap(cdb, 0, 0), SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE));
	(void)cdb_get_lba_status(cdb, 0, 32);
	cdb[1] = 0x11;		/* READ LONG(16) */
	ck_assert(refused(16, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB));
	ck_assert(bench_field_is(&b, true, 1, 4));
	/* a CDB that ends before the command does */
	ck_assert(cdb_read(cdb, CDB_10, 0, 1, 0) == 10);
	ck_assert(refused(6, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE));
	bench_close(&b);
}
END_TEST

START_TEST(reserved_bits)
{
	static const struct { uint8_t opcode, byte, value, bit;
	} bits[] = {
	    {0x00, 1, 0x80, 7},
	    {0x00, 5, 0x04, 2},
	    {0x12, 1, 0x02, 1},
	    {0x28, 1, 0x01, 0},
	    {0x28, 6, 0x20, 5},
	    {0x35, 1, 0x08, 3},
	    {0x25, 8, 0x01, 0},
	    {0x1b, 3, 0x10, 4},
	    {0x03, 2, 0x01, 0},
	    {0xa0, 1, 0x40, 6},
	};

	bench_open(&b, "mem:1M");
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		memset(cdb, 0, sizeof(cdb));
		cdb[0] = bits[i].opcode;
		cdb[bits[i].byte] = bits[i].value;
		ck_assert(!bench_none(&b, cdb, sizeof(cdb)));
		ck_assert_msg(
		    bench_field_is(&b, true, bits[i].byte, bits[i].bit), "row %zu", i);
	}
	bench_close(&b);
}
END_TEST

START_TEST(blocks_beyond_the_end)
{
	bench_open(&b, "mem:1M");
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 2047, 1, 0), 512));
	ck_assert(refused(
	    cdb_read(cdb, CDB_10, 2047, 2, 0), SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE));
	ck_assert(refused(
	    cdb_read(cdb, CDB_10, 2048, 0, 0), SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE));
	ck_assert(refused(cdb_write(cdb, CDB_16, UINT64_MAX, 2, 0), SENSE_ILLEGAL_REQUEST,
	    ASC_LBA_OUT_OF_RANGE));
	ck_assert(refused(cdb_verify(cdb, CDB_12, 2040, 100, 0), SENSE_ILLEGAL_REQUEST,
	    ASC_LBA_OUT_OF_RANGE));
	ck_assert(refused(cdb_sync_cache(cdb, CDB_16, 4096, 0, 0), SENSE_ILLEGAL_REQUEST,
	    ASC_LBA_OUT_OF_RANGE));
	ck_assert(refused(cdb_write_same(cdb, CDB_16, 2048, 0, 0), SENSE_ILLEGAL_REQUEST,
	    ASC_LBA_OUT_OF_RANGE));
	bench_close(&b);
}
END_TEST

START_TEST(too_long_and_protected)
{
	bench_open(&b, "null:1T");
	ck_assert(refused(cdb_read(cdb, CDB_12, 0, 32769, 0), SENSE_ILLEGAL_REQUEST,
	    ASC_INVALID_FIELD_IN_CDB));
	ck_assert(bench_field_is(&b, true, 6, 7));
	ck_assert(refused(cdb_write(cdb, CDB_10, 0, 65535, 0), SENSE_ILLEGAL_REQUEST,
	    ASC_INVALID_FIELD_IN_CDB));
	ck_assert(refused(cdb_verify(cdb, CDB_16, 0, 40000, 0), SENSE_ILLEGAL_REQUEST,
	    ASC_INVALID_FIELD_IN_CDB));
	ck_assert(bench_none(&b, cdb, cdb_read(cdb, CDB_12, 0, 32768, 0)));	/* legal */
	(void)cdb_read(cdb, CDB_10, 0, 1, 0);
	cdb[1] = 0x20;
	ck_assert(!bench_none(&b, cdb, 10));
	ck_assert(bench_field_is(&b, true, 1, 7));
	bench_close(&b);
}
END_TEST

START_TEST(write_protection)
{
	char path[64], line[80];
	int fd = check_file(path, sizeof(path));

	ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
	close(fd);
	snprintf(line, sizeof(line), "%s,readonly=1", path);
	bench_open(&b, line);
	ck_assert(!bench_out(&b, cdb, cdb_write(cdb, CDB_10, 0, 1, 0), data, 512));
	ck_assert(bench_sense_is(&b, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED));
	ck_assert(!bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 0, 1, 0), data, 512));
	ck_assert(bench_sense_is(&b, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED));
	ck_assert(!bench_out(&b, cdb, cdb_unmap(cdb, 8, 0), data, 8));
	ck_assert(bench_sense_is(&b, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED));
	ck_assert(bench_none(&b, cdb, cdb_sync_cache(cdb, CDB_10, 0, 0, 0)));
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 0, 1, 0), 512));
	bench_close(&b);
	unlink(path);
}
END_TEST

/* a file that shrinks takes the disk with it */
START_TEST(blocks_that_are_gone_are_out_of_range)
{
	char path[64];
	int fd = check_file(path, sizeof(path));

	ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
	bench_open(&b, path);
	ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, 0, 8, CDB_FUA), data, 4096));
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 0, 8, CDB_FUA), 4096));
	ck_assert_int_eq(ftruncate(fd, 4096), 0);
	ck_assert(!bench_in(&b, cdb, cdb_read(cdb, CDB_10, 100, 1, 0), 512));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE, 0));
	ck_assert_uint_eq(b.cmd->moved, 0);
	ck_assert(!bench_none(&b, cdb, cdb_tur(cdb)));
	ck_assert(bench_sense(&b, SENSE_UNIT_ATTENTION, ASC_CAPACITY_CHANGED, 0));
	ck_assert(!bench_out(&b, cdb, cdb_write(cdb, CDB_10, 200, 1, 0), data, 512));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE, 0));
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 0, 8, 0), 4096));
	ck_assert_uint_eq(disk_stats(b.disk)->store_errors, 1);
	ck_assert_uint_eq(disk_stats(b.disk)->read_errors, 1);
	/* nothing is left: the disk keeps a block that cannot be read */
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert(!bench_in(&b, cdb, cdb_read(cdb, CDB_10, 0, 1, 0), 512));
	ck_assert(bench_sense_is(&b, SENSE_MEDIUM_ERROR, ASC_UNRECOVERED_READ_ERROR));
	ck_assert_uint_eq(b.cmd->sense.info, 0);
	ck_assert_uint_eq(disk_blocks(b.disk), 1);
	bench_close(&b);
	close(fd);
	unlink(path);
}
END_TEST

/* a store that fails as told, for the errors no file system gives on demand */
static int told;

static int
broken_try(struct store *store, struct store_req *req)
{
	(void)store;
	(void)req;
	return told;
}

START_TEST(every_errno_has_a_sense)
{
	static const struct { int err; uint8_t key; uint16_t asc; } rows[] = {
		{ -ENOSPC, SENSE_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED },
		{ -EDQUOT, SENSE_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED },
		{ -EFBIG, SENSE_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED },
		{ -EROFS, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED },
		{ -EIO, SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR },
		{ -ENODATA, SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR },
		{ -ENXIO, SENSE_HARDWARE_ERROR, ASC_INTERNAL_FAILURE },
	};
	struct store_ops ops = store_mem_ops;
	struct soft_disk_conf conf;
	struct disk_place place = { .luns = NULL };
	struct store *store;
	char err[SOFT_ERR_LEN];
	struct disk *mine;

	bench_open(&b, "mem:1M");
	ck_assert_int_eq(soft_conf_parse("mem:1M,vendor=x,product=x,serial=x", &conf, err), 0);
	ck_assert_int_eq(store_open(&conf, &store, err), 0);
	ops.try_req = broken_try;
	store->ops = &ops;
	mine = b.disk;
	ck_assert_int_eq(disk_new(&conf, store, &place, &b.disk), 0);
	ck_assert(!bench_none(&b, cdb, cdb_tur(cdb)));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		told = rows[i].err;
		ck_assert(!bench_out(&b, cdb, cdb_write(cdb, CDB_10, 3, 1, 0), data, 512));
		ck_assert_msg(bench_sense_is(&b, rows[i].key, rows[i].asc), "row %zu", i);
		memset(data, 0x99, 512);
		ck_assert(!bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 3, 1, 0), data, 512));
		ck_assert_msg(bench_sense_is(&b, rows[i].key, rows[i].asc), "row %zu", i);
		memset(data, 0, 512);
		ck_assert(!bench_out(
		    &b, cdb, cdb_write_same(cdb, CDB_10, 3, 1, CDB_UNMAP), data, 512));
		ck_assert(!bench_none(&b, cdb, cdb_sync_cache(cdb, CDB_10, 0, 0, 0)));
		ck_assert(!bench_none(&b, cdb, cdb_start_stop(cdb, false, false, 0)));
	}
	told = -ENOMEM;
	ck_assert(!bench_out(&b, cdb, cdb_write(cdb, CDB_10, 3, 1, 0), data, 512));
	ck_assert_int_eq(b.cmd->status, SAM_STAT_BUSY);
	disk_free(b.disk);
	b.disk = mine;
	bench_close(&b);
}
END_TEST

CHECK_MAIN("disk refuses", unknown_commands, reserved_bits, blocks_beyond_the_end,
    too_long_and_protected, write_protection, blocks_that_are_gone_are_out_of_range,
    every_errno_has_a_sense)
