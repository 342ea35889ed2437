/* COMPARE AND WRITE, ORWRITE, WRITE ATOMIC and WRITE AND VERIFY do what they say, and no
 * more */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "base/rng.h"
#include "check_main.h"
#include "mock_disk.h"
#include "scsi/vpd.h"

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN], sent[65536], old[65536];

static const char *const lines[] = {
	"mem:8M", "mem:8M,physical=4096", "mem:8M,block=4096", "mem:8M,pi=1", "mem:8M,pi=3",
	"mem:8M,block=4096,pi=1,app_tag=7",
};

static void
fill(uint8_t *p, size_t len, uint64_t seed)
{
	struct rng rng = rng_init(seed);

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)rng_next(&rng);
}

static size_t
block(void)
{
	return disk_block_bytes(b.disk);
}

static bool
reads_as(uint64_t lba, uint32_t blocks, const uint8_t *data)
{
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_16, lba, blocks, 0), blocks * block()));
	return memcmp(b.data, data, blocks * block()) == 0;
}

static bool
caw(uint64_t lba, uint8_t blocks, size_t len)
{
	return bench_out(&b, cdb, cdb_compare_and_write(cdb, lba, blocks, 0), sent, len);
}

/* fixed format, every byte of it */
static bool
sense_bytes_are(const char *hex)
{
	uint8_t sense[SENSE_FIXED_LEN];
	char text[3 * SENSE_FIXED_LEN + 1];

	ck_assert_uint_eq(sense_build(&b.cmd->sense, false, sense, sizeof(sense)), 18);
	for (size_t i = 0; i < sizeof(sense); i++)
		(void)snprintf(text + 3 * i, 4, "%02x ", sense[i]);
	text[3 * sizeof(sense) - 1] = '\0';
	ck_assert_str_eq(text, hex);
	return true;
}

START_TEST(compare_and_write_swaps)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		size_t n;

		bench_open(&b, lines[i]);
		n = 4 * block();
		memset(sent, 0, n);
		fill(sent + n, n, i);
		ck_assert(caw(17, 4, 2 * n));		/* never written: zeros */
		ck_assert_uint_eq(b.cmd->moved, 2 * n);
		ck_assert(reads_as(17, 4, sent + n));
		ck_assert(!caw(17, 4, 2 * n));
		ck_assert(bench_sense_is(&b, SENSE_MISCOMPARE, ASC_MISCOMPARE));
		ck_assert(reads_as(17, 4, sent + n));
		ck_assert(caw(17, 0, 0));
		bench_close(&b);
	}
}
END_TEST

START_TEST(miscompare_says_where)
{
	bench_open(&b, "mem:8M");
	fill(old, 2048, 3);
	ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, 9, 4, 0), old, 2048));
	for (size_t at = 0; at < 2048; at += 97) {
		memcpy(sent, old, 2048);
		sent[at] ^= 0x80;
		ck_assert(!caw(9, 4, 4096));
		ck_assert(b.cmd->sense.has_info);
		ck_assert_uint_eq(b.cmd->sense.info, at);
		ck_assert(reads_as(9, 4, old));
	}
	sent[1] ^= 1;
	ck_assert(!caw(9, 4, 4096));
	ck_assert(sense_bytes_are("f0 00 0e 00 00 00 01 0a 00 00 00 00 1d 00 00 00 00 00"));
	bench_close(&b);
}
END_TEST

START_TEST(longest_compare_and_write)
{
	static uint8_t big[2 * 255 * 4096];
	size_t half = sizeof(big) / 2;

	bench_open(&b, "mem:8M,block=4096");
	memset(big, 0, half);
	fill(big + half, half, 5);
	ck_assert(bench_out(&b, cdb, cdb_compare_and_write(cdb, 3, 255, CDB_FUA | CDB_DPO), big,
	    sizeof(big)));
	memcpy(big, big + half, half);
	big[half - 1] ^= 1;		/* far behind the first piece */
	ck_assert(
	    !bench_out(&b, cdb, cdb_compare_and_write(cdb, 3, 255, 0), big, sizeof(big)));
	ck_assert_uint_eq(b.cmd->sense.info, half - 1);
	big[half - 1] ^= 1;
	ck_assert(bench_out(&b, cdb, cdb_compare_and_write(cdb, 3, 255, 0), big, sizeof(big)));
	bench_close(&b);
}
END_TEST

START_TEST(wrong_sizes_change_nothing)
{
	static const struct { uint8_t blocks; size_t len; } rows[] = {
		{ 1, 512 }, { 1, 2048 }, { 3, 2048 }, { 1, 1023 }, { 1, 1025 }, { 2, 0 },
	};

	bench_open(&b, "mem:8M,physical=1024");
	memset(sent, 0, 8192);
	memset(sent + 512, 0xa6, 8192);
	memset(old, 0, 8192);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_msg(!caw(0, rows[i].blocks, rows[i].len), "row %zu", i);
		ck_assert(bench_sense_is(
		    &b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB));
		ck_assert(reads_as(0, 4, old));
	}
	ck_assert(!caw(16384, 1, 1024));
	ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE));
	ck_assert(!caw(16383, 2, 2048));
	ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE));
	fault_arm(1);
	ck_assert(!caw(0, 1, 1024));
	ck_assert(fault_disarm());
	ck_assert_int_eq(b.cmd->status, SAM_STAT_BUSY);
	bench_close(&b);
}
END_TEST

START_TEST(orwrite_adds_bits)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		size_t n;

		bench_open(&b, lines[i]);
		n = 8 * block();
		fill(old, n, 1);
		fill(sent, n, 2);
		ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_16, 5, 8, 0), old, n));
		ck_assert(bench_out(&b, cdb, cdb_orwrite(cdb, 5, 8, CDB_FUA), sent, n));
		ck_assert_uint_eq(b.cmd->moved, n);
		for (size_t j = 0; j < n; j++)
			old[j] |= sent[j];
		ck_assert(reads_as(5, 8, old));
		ck_assert(bench_none(&b, cdb, cdb_orwrite(cdb, 5, 0, 0)));
		/* as much as there is of whole blocks */
		ck_assert(bench_out(&b, cdb, cdb_orwrite(cdb, 5, 8, 0), sent, n - 1));
		ck_assert(b.cmd->is_overrun);
		ck_assert_uint_eq(b.cmd->moved, n - block());
		bench_close(&b);
	}
	bench_open(&b, "null:1T");
	ck_assert(!bench_none(&b, cdb, cdb_orwrite(cdb, 0, 32769, 0)));
	ck_assert(bench_field_is(&b, true, 10, 7));
	fault_arm(1);
	ck_assert(!bench_out(&b, cdb, cdb_orwrite(cdb, 0, 1, 0), sent, 512));
	ck_assert(fault_disarm());
	ck_assert_int_eq(b.cmd->status, SAM_STAT_BUSY);
	bench_close(&b);
}
END_TEST

static struct vpd_limits
limits(void)
{
	struct vpd_limits l;

	ck_assert(bench_in(&b, cdb, cdb_inquiry_vpd(cdb, VPD_BLOCK_LIMITS, 255), 255));
	ck_assert_int_eq(vpd_parse_limits(b.data, b.cmd->moved, &l), 0);
	return l;
}

START_TEST(limits_fit_what_is_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct vpd_limits l;

		bench_open(&b, lines[i]);
		l = limits();
		ck_assert_uint_eq(l.max_compare, 255);
		ck_assert(!l.wsnz);
		ck_assert_uint_gt(l.max_xfer, 0);
		ck_assert_uint_le(l.max_atomic, l.max_xfer);
		ck_assert_uint_ge(l.max_atomic, 256);
		ck_assert_uint_ge(l.atomic_alignment, 2);
		ck_assert_uint_ge(l.atomic_granularity, 2);
		ck_assert_uint_eq(l.max_atomic_boundary_size, 0);
		ck_assert_uint_gt(l.max_write_same, 0);
		ck_assert_uint_ge(l.max_unmap_descr, 1);
		ck_assert_uint_le(l.max_unmap_descr, 0x7fffffff);
		ck_assert_uint_le(l.max_unmap, 1 << 20);
		ck_assert(!bench_none(&b, cdb,
		    cdb_write_atomic(cdb, 0, 0, (uint16_t)(l.max_atomic + l.atomic_granularity),
			0)));
		ck_assert(bench_field_is(&b, true, 12, 7));
		bench_close(&b);
	}
}
END_TEST

START_TEST(atomic_writes_are_aligned)
{
	bench_open(&b, "mem:8M,physical=4096");
	fill(sent, 8192, 8);
	ck_assert(bench_out(&b, cdb, cdb_write_atomic(cdb, 8, 0, 16, CDB_FUA), sent, 8192));
	ck_assert(reads_as(8, 16, sent));
	ck_assert(!bench_out(&b, cdb, cdb_write_atomic(cdb, 1, 0, 8, 0), sent, 4096));
	ck_assert(bench_field_is(&b, true, 2, 7));
	ck_assert(!bench_out(&b, cdb, cdb_write_atomic(cdb, 8, 0, 1, 0), sent, 512));
	ck_assert(bench_field_is(&b, true, 12, 7));
	ck_assert(sense_bytes_are("70 00 05 00 00 00 00 0a 00 00 00 00 24 00 00 cf 00 0c"));
	ck_assert(!bench_out(&b, cdb, cdb_write_atomic(cdb, 8, 8, 8, 0), sent, 4096));
	ck_assert(bench_field_is(&b, true, 10, 7));
	ck_assert(reads_as(8, 16, sent));
	ck_assert(bench_none(&b, cdb, cdb_write_atomic(cdb, 8, 0, 0, 0)));
	ck_assert(!bench_out(&b, cdb, cdb_write_atomic(cdb, 16384 - 8, 0, 16, 0), sent, 8192));
	ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE));
	bench_close(&b);
}
END_TEST

START_TEST(write_and_verify_writes)
{
	static const enum cdb_form forms[] = { CDB_10, CDB_12, CDB_16 };

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		size_t n;

		bench_open(&b, lines[i]);
		n = 8 * block();
		for (size_t f = 0; f < 3; f++) {
			fill(sent, n, 10 * i + f);
			ck_assert(bench_out(&b, cdb,
			    cdb_write_verify(cdb, forms[f], 60, 8,
				f == 1 ? CDB_DPO : CDB_BYTCHK_1), sent, n));
			ck_assert_uint_eq(b.cmd->moved, n);
			ck_assert(reads_as(60, 8, sent));
			ck_assert(bench_none(
			    &b, cdb, cdb_write_verify(cdb, forms[f], 60, 0, CDB_BYTCHK_1)));
			(void)cdb_write_verify(cdb, forms[f], 60, 1, 0);
			for (uint8_t bytchk = 2; bytchk <= 3; bytchk++) {
				cdb[1] = (uint8_t)(bytchk << 1);
				ck_assert(!bench_out(&b, cdb, forms[f], sent, block()));
				ck_assert(bench_field_is(&b, true, 1, 2));
			}
		}
		bench_close(&b);
	}
	bench_open(&b, "null:1T");
	memset(sent, 1, 512);
	/* what was written is not there */
	ck_assert(!bench_out(
	    &b, cdb, cdb_write_verify(cdb, CDB_10, 0, 1, CDB_BYTCHK_1), sent, 512));
	ck_assert(bench_sense_is(&b, SENSE_MISCOMPARE, ASC_MISCOMPARE));
	ck_assert_uint_eq(b.cmd->sense.info, 0);
	ck_assert(bench_out(&b, cdb, cdb_write_verify(cdb, CDB_10, 0, 1, 0), sent, 512));
	ck_assert(!bench_none(&b, cdb, cdb_write_verify(cdb, CDB_16, 0, 40000, 0)));
	ck_assert(bench_field_is(&b, true, 10, 7));
	fault_arm(1);
	ck_assert(!bench_out(&b, cdb, cdb_write_verify(cdb, CDB_10, 0, 1, 0), sent, 512));
	ck_assert(fault_disarm());
	ck_assert_int_eq(b.cmd->status, SAM_STAT_BUSY);
	bench_close(&b);
}
END_TEST

START_TEST(files_do_the_same)
{
	char path[64];
	int fd = check_file(path, sizeof(path));

	ck_assert_int_eq(ftruncate(fd, 1 << 22), 0);
	for (int with_queue = 0; with_queue < 2; with_queue++) {
		bench_open(&b, path);
		if (with_queue)
			ck_assert_int_eq(aio_open(-1, &b.aio), 0);
		fill(sent, 8192, 77);
		ck_assert(bench_out(&b, cdb,
		    cdb_write_verify(cdb, CDB_10, 8, 16, CDB_BYTCHK_1), sent, 8192));
		ck_assert(bench_out(
		    &b, cdb, cdb_verify(cdb, CDB_10, 8, 16, CDB_BYTCHK_1), sent, 8192));
		ck_assert(caw(8, 8, 8192));
		ck_assert(reads_as(8, 8, sent + 4096));
		ck_assert(bench_out(&b, cdb, cdb_orwrite(cdb, 8, 8, CDB_FUA), sent, 4096));
		ck_assert(bench_out(
		    &b, cdb, cdb_write_atomic(cdb, 8, 0, 8, CDB_FUA), sent, 4096));
		ck_assert(reads_as(8, 8, sent));
		ck_assert(!caw(9, 1, 1024));
		ck_assert_uint_eq(atomic_load(&b.pended), atomic_load(&b.done));
		aio_close(b.aio);
		b.aio = NULL;
		/* a file that is shorter than it was, and so is the disk */
		ck_assert_int_eq(ftruncate(fd, 4096), 0);
		ck_assert(!caw(100, 1, 1024));
		ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE));
		ck_assert_int_eq(ftruncate(fd, 1 << 22), 0);
		bench_close(&b);
	}
	close(fd);
	unlink(path);
}
END_TEST

CHECK_MAIN("disk compares", compare_and_write_swaps, miscompare_says_where,
    longest_compare_and_write, wrong_sizes_change_nothing, orwrite_adds_bits,
    limits_fit_what_is_refused, atomic_writes_are_aligned, write_and_verify_writes,
    files_do_the_same)
