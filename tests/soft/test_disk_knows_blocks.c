/* what a disk says of its blocks without reading them: status, cache, defects */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "check_main.h"
#include "hw/soft/disk_impl.h"
#include "mock_disk.h"
#include "scsi/vpd.h"

enum { MAPPED, DEALLOCATED, ANCHORED };

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN], data[1 << 20];

/* the descriptor that GET LBA STATUS has at @i */
static void
ask(uint64_t lba, size_t room)
{
	ck_assert(bench_in(&b, cdb, cdb_get_lba_status(cdb, lba, (uint32_t)room), room));
}

static bool
descr_is(unsigned int i, uint64_t lba, uint32_t blocks, uint8_t status)
{
	const uint8_t *d = b.data + 8 + 16 * i;

	ck_assert_uint_ge(be32_get(b.data) + 4, 8 + 16 * (i + 1));
	if (be64_get(d) == lba && be32_get(d + 8) == blocks && d[12] == status &&
	    (d[13] | d[14] | d[15]) == 0)
		return true;
	printf("descriptor %u: lba %llu, %u blocks, status %u\n", i,
	    (unsigned long long)be64_get(d), be32_get(d + 8), d[12]);
	return false;
}

static void
put(uint64_t lba, uint32_t blocks)
{
	memset(data, 0x77, blocks * disk_block_bytes(b.disk));
	ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_16, lba, blocks, 0), data,
	    blocks * disk_block_bytes(b.disk)));
}

static bool
unmap(uint64_t lba, uint32_t blocks, unsigned flags)
{
	uint8_t list[24] = { 0, 22, 0, 16 };

	be64_put(list + 8, lba);
	be32_put(list + 16, blocks);
	return bench_out(&b, cdb, cdb_unmap(cdb, 24, flags), list, 24);
}

static bool
is_zero(uint64_t lba, uint32_t blocks)
{
	size_t len = blocks * disk_block_bytes(b.disk);

	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_16, lba, blocks, 0), len));
	memset(data, 0, len);
	return memcmp(b.data, data, len) == 0;
}

/* the story of some blocks, on a store whose grain is 8 blocks of 512 */
static void
follow(bool has_anchors)
{
	ask(0, 24);
	ck_assert(descr_is(0, 0, 8192, DEALLOCATED));
	put(16, 32);
	ask(0, 512);
	ck_assert_uint_eq(be32_get(b.data), 4 + 3 * 16);
	ck_assert(descr_is(0, 0, 16, DEALLOCATED));
	ck_assert(descr_is(1, 16, 32, MAPPED));
	ck_assert(descr_is(2, 48, 8192 - 48, DEALLOCATED));
	/* it begins where it was asked to */
	ask(19, 24);
	ck_assert_uint_eq(b.cmd->moved, 24);
	ck_assert(descr_is(0, 19, 29, MAPPED));
	/* reading does not change it, nor does unmapping a part of a grain */
	ck_assert(is_zero(100, 8));
	ck_assert(unmap(24, 8, 0) && unmap(33, 1, 0));
	ck_assert(is_zero(24, 8) && is_zero(33, 1));
	ask(16, 512);
	ck_assert(descr_is(0, 16, 8, MAPPED));
	ck_assert(descr_is(1, 24, 8, DEALLOCATED));
	ck_assert(descr_is(2, 32, 16, MAPPED));
	ck_assert(descr_is(3, 48, 8192 - 48, DEALLOCATED));
	/* WRITE SAME: with UNMAP gives space back, without takes it, zeros or not */
	memset(data, 0, 512);
	ck_assert(bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 32, 8, CDB_UNMAP), data, 512));
	ck_assert(bench_none(&b, cdb, cdb_write_same(cdb, CDB_16, 64, 16, CDB_NDOB)));
	ask(32, 512);
	ck_assert(descr_is(0, 32, 8, DEALLOCATED));
	ck_assert(descr_is(1, 40, 8, MAPPED));
	ck_assert(descr_is(2, 48, 16, DEALLOCATED));
	ck_assert(descr_is(3, 64, 16, MAPPED));
	/* anchored: zeros that have space */
	put(128, 16);
	ck_assert(unmap(128, 16, CDB_ANCHOR));
	ck_assert(bench_none(
	    &b, cdb, cdb_write_same(cdb, CDB_16, 160, 8, CDB_NDOB | CDB_UNMAP | CDB_ANCHOR)));
	ask(128, 24);
	ck_assert(descr_is(0, 128, 16, has_anchors ? ANCHORED : MAPPED));
	ask(160, 24);
	ck_assert(descr_is(0, 160, 8, has_anchors ? ANCHORED : MAPPED));
	put(128, 8);
	ck_assert(is_zero(136, 8) && is_zero(160, 8));
	/* a file's anchored block that was read is called mapped: its page is in the cache */
	ask(128, 24);
	ck_assert_uint_eq(b.data[20], MAPPED);
}

START_TEST(memory_knows)
{
	bench_open(&b, "mem:4M");
	follow(true);
	bench_close(&b);
}
END_TEST

/* can this file system tell holes from data, and make them? */
static bool
file_has_holes(int fd)
{
	char byte = 1;

	return ftruncate(fd, 4 << 20) == 0 && lseek(fd, 0, SEEK_DATA) < 0 &&
	    pwrite(fd, &byte, 1, 0) == 1 && lseek(fd, 0, SEEK_HOLE) == 4096 &&
	    fallocate(fd, 0x02 | 0x01, 0, 4096) == 0 && lseek(fd, 0, SEEK_DATA) < 0;
}

/* can this file system tell anchored blocks from others? */
static bool
file_has_anchors(int fd)
{
	if (fallocate(fd, 0x10 | 0x01, 0, 4096) < 0)	/* ZERO_RANGE, KEEP_SIZE */
		return false;
	(void)fallocate(fd, 0x02 | 0x01, 0, 4096);
	return lseek(fd, 0, SEEK_DATA) < 0;
}

START_TEST(files_know)
{
	const char *const places[] = { check_dir(), "/dev/shm" };

	for (size_t i = 0; i < 4; i++) {
		char path[64];
		bool has_anchors;
		int fd;

		(void)snprintf(path, sizeof(path), "%s/soft-test-XXXXXX", places[i / 2]);
		fd = mkstemp(path);
		if (fd < 0)
			continue;
		if (!file_has_holes(fd)) {
			(void)close(fd);
			(void)unlink(path);
			continue;
		}
		has_anchors = file_has_anchors(fd);
		ck_assert_int_eq(ftruncate(fd, 0), 0);
		ck_assert_int_eq(ftruncate(fd, 4 << 20), 0);
		bench_open(&b, path);
		if (i % 2 != 0)
			ck_assert_int_eq(aio_open(-1, &b.aio), 0);
		follow(has_anchors);
		aio_close(b.aio);
		bench_close(&b);
		close(fd);
		unlink(path);
	}
}
END_TEST

START_TEST(status_is_cut_and_refused)
{
	bench_open(&b, "mem:4M");
	for (uint32_t i = 0; i < 600; i += 2)
		put(8 * i, 8);
	/* lengths that hold nothing whole */
	for (uint32_t len = 0; len < 24; len += 5) {
		ck_assert(bench_in(&b, cdb, cdb_get_lba_status(cdb, 0, len), 512));
		ck_assert_uint_eq(b.cmd->moved, len);
	}
	ask(0, 8 + 16 * 3 + 5);
	ck_assert_uint_eq(be32_get(b.data), 4 + 16 * 3);
	ck_assert_uint_eq(b.cmd->moved, 8 + 16 * 3);
	/* more descriptors than are ever given */
	ask(0, 65536);
	ck_assert_uint_eq(be32_get(b.data), 4 + 16 * 256);
	ck_assert(descr_is(255, 8 * 255, 8, DEALLOCATED));
	ck_assert(!bench_in(&b, cdb, cdb_get_lba_status(cdb, 8192, 24), 24));
	ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE));
	ck_assert(bench_in(&b, cdb, cdb_get_lba_status(cdb, 8191, 24), 24));
	fault_arm(1);
	ck_assert(!bench_in(&b, cdb, cdb_get_lba_status(cdb, 0, 24), 24));
	ck_assert(fault_disarm());
	ck_assert_int_eq(b.cmd->status, SAM_STAT_BUSY);
	bench_close(&b);
	bench_open(&b, "null:4M");
	put(0, 8);
	ask(0, 24);
	ck_assert(descr_is(0, 0, 8192, DEALLOCATED));
	bench_close(&b);
}
END_TEST

START_TEST(physical_blocks_are_whole)
{
	bench_open(&b, "mem:4M,physical=16384");
	put(9, 1);
	ask(0, 512);
	ck_assert(descr_is(0, 0, 32, MAPPED));
	ck_assert(descr_is(1, 32, 8192 - 32, DEALLOCATED));
	put(64, 8);
	ask(32, 512);
	ck_assert(descr_is(0, 32, 32, DEALLOCATED));
	ck_assert(descr_is(1, 64, 32, MAPPED));
	bench_close(&b);
	bench_open(&b, "mem:4M,block=4096");
	put(9, 1);
	ask(8, 512);
	ck_assert(descr_is(0, 8, 1, DEALLOCATED));
	ck_assert(descr_is(1, 9, 1, MAPPED));
	ck_assert(descr_is(2, 10, 1014, DEALLOCATED));
	bench_close(&b);
}
END_TEST

/* the status of PRE-FETCH */
static uint8_t
fetch(enum cdb_form form, uint64_t lba, uint32_t blocks, unsigned flags)
{
	(void)bench_none(&b, cdb, cdb_prefetch(cdb, form, lba, blocks, flags));
	return b.cmd->status;
}

START_TEST(prefetch_says_what_is_cached)
{
	char path[64];
	int fd = check_file(path, sizeof(path));

	bench_open(&b, "mem:4M");
	ck_assert_int_eq(fetch(CDB_10, 0, 8, 0), SAM_STAT_CONDITION_MET);
	ck_assert_int_eq(fetch(CDB_16, 5, 0, CDB_IMMED), SAM_STAT_CONDITION_MET);
	ck_assert_int_eq(fetch(CDB_16, 8190, 3, 0), SAM_STAT_CHECK_CONDITION);
	ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE));
	(void)cdb_prefetch(cdb, CDB_10, 0, 8, 0);
	cdb[6] = 3;		/* a group */
	(void)bench_none(&b, cdb, 10);
	ck_assert_int_eq(b.cmd->status, SAM_STAT_CONDITION_MET);
	bench_close(&b);

	ck_assert_int_eq(ftruncate(fd, 64 << 20), 0);
	for (int with_queue = 0; with_queue < 2; with_queue++) {
		bench_open(&b, path);
		if (b.disk->store->info.is_memory) {
			/* a file in memory is as good as memory */
			ck_assert_int_eq(fetch(CDB_10, 0, 1000, CDB_IMMED),
			    SAM_STAT_CONDITION_MET);
			bench_close(&b);
			continue;
		}
		if (with_queue)
			ck_assert_int_eq(aio_open(-1, &b.aio), 0);
		ck_assert_int_eq(fetch(CDB_10, 0, 1000, 0), SAM_STAT_CONDITION_MET);
		ck_assert_int_eq(fetch(CDB_10, 0, 1000, CDB_IMMED), SAM_STAT_GOOD);
		ck_assert_int_eq(fetch(CDB_16, 0, 0, 0), SAM_STAT_GOOD);
		/* without memory to read into it only asks */
		fault_arm(1);
		ck_assert_int_eq(fetch(CDB_10, 0, 8, 0), SAM_STAT_GOOD);
		ck_assert(fault_disarm());
		ck_assert_int_eq(ftruncate(fd, 4096), 0);
		ck_assert_int_eq(fetch(CDB_10, 1000, 8, 0), SAM_STAT_CHECK_CONDITION);
		ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE));
		ck_assert_int_eq(ftruncate(fd, 64 << 20), 0);
		aio_close(b.aio);
		bench_close(&b);
	}
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(there_are_no_defects)
{
	static const uint8_t flags[] = { 0x00, 0x08, 0x10, 0x18 };

	bench_open(&b, "mem:4M");
	for (size_t i = 0; i < 4; i++) {
		for (uint8_t format = 0; format < 8; format++) {
			uint8_t want[8] = { 0, (uint8_t)(flags[i] | format) };

			memset(cdb, 0, sizeof(cdb));
			cdb[0] = 0x37;
			cdb[2] = want[1];
			cdb[8] = 32;
			ck_assert_int_eq(bench_in(&b, cdb, 10, 32), format != 7);
			if (format == 7) {
				ck_assert(bench_field_is(&b, true, 2, 2));
				continue;
			}
			ck_assert_uint_eq(b.cmd->moved, 4);
			ck_assert_mem_eq(b.data, want, 4);
			memset(cdb, 0, sizeof(cdb));
			cdb[0] = 0xb7;
			cdb[1] = want[1];
			cdb[9] = 6;
			ck_assert(bench_in(&b, cdb, 12, 32));
			ck_assert_uint_eq(b.cmd->moved, 6);
			cdb[9] = 8;
			ck_assert(bench_in(&b, cdb, 12, 32));
			ck_assert_mem_eq(b.data, want, 8);
		}
	}
	cdb[1] = 0x07;
	ck_assert(!bench_in(&b, cdb, 12, 32));
	ck_assert(bench_field_is(&b, true, 1, 2));
	bench_close(&b);
}
END_TEST

START_TEST(provisioning_is_told)
{
	struct vpd_thin thin;

	bench_open(&b, "mem:4M");
	ck_assert(bench_in(&b, cdb, cdb_inquiry_vpd(cdb, VPD_THIN, 255), 255));
	ck_assert_int_eq(vpd_parse_thin(b.data, b.cmd->moved, &thin), 0);
	ck_assert(thin.lbpu && thin.lbpws && thin.lbpws10 && thin.anc_sup);
	ck_assert_uint_eq(thin.lbprz, 1);
	ck_assert(bench_in(&b, cdb, cdb_readcap16(cdb, 32), 32));
	ck_assert_uint_eq(b.data[14], 0xc0);
	bench_close(&b);
	bench_open(&b, "null:4M");
	ck_assert(bench_in(&b, cdb, cdb_inquiry_vpd(cdb, VPD_THIN, 255), 255));
	ck_assert_int_eq(vpd_parse_thin(b.data, b.cmd->moved, &thin), 0);
	ck_assert(thin.lbpu && !thin.anc_sup);
	bench_close(&b);
	bench_open(&b, "mem:4M,thin=0");
	ck_assert(bench_in(&b, cdb, cdb_inquiry_vpd(cdb, VPD_THIN, 255), 255));
	ck_assert_int_eq(vpd_parse_thin(b.data, b.cmd->moved, &thin), 0);
	ck_assert(!thin.lbpu && !thin.anc_sup);
	ask(0, 24);
	ck_assert(descr_is(0, 0, 8192, MAPPED));
	bench_close(&b);
}
END_TEST

/* ------ a disk that shrinks meanwhile ------ */

static struct store_ops shrinking_ops;
static enum store_extent (*real_extent)(struct store *store, uint64_t offset, uint64_t *len);
static uint64_t asked_most;

/* from the first look on the disk has a single block */
static enum store_extent
shrinking_extent(struct store *store, uint64_t offset, uint64_t *len)
{
	if (*len > asked_most)
		asked_most = *len;
	atomic_store(&b.disk->blocks, 1);
	return real_extent(store, offset, len);
}

START_TEST(shrinking_disks_are_looked_at_once)
{
	const struct store_ops *ops;
	uint64_t at = 0;

	bench_open(&b, "mem:4M");
	memset(b.data, 1, 4096);
	for (uint32_t lba = 0; lba < 8192; lba += 1024)
		ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, lba, 8, 0), b.data, 4096));
	ops = b.disk->store->ops;
	shrinking_ops = *ops;
	real_extent = ops->extent;
	shrinking_ops.extent = shrinking_extent;
	b.disk->store->ops = &shrinking_ops;
	asked_most = 0;
	ck_assert(bench_in(&b, cdb, cdb_get_lba_status(cdb, 0, 1024), 1024));
	ck_assert_uint_le(asked_most, 4u << 20);
	/* descriptors one after the other up to the end that it had */
	for (const uint8_t *d = b.data + 8; d < b.data + 4 + be32_get(b.data); d += 16) {
		ck_assert_uint_eq(be64_get(d), at);
		ck_assert_uint_gt(be32_get(d + 8), 0);
		at += be32_get(d + 8);
	}
	ck_assert_uint_eq(at, 8192);
	b.disk->store->ops = ops;
	bench_close(&b);
}
END_TEST

CHECK_MAIN("disk knows blocks", memory_knows, files_know, status_is_cut_and_refused,
    physical_blocks_are_whole, prefetch_says_what_is_cached, there_are_no_defects,
    provisioning_is_told, shrinking_disks_are_looked_at_once)
