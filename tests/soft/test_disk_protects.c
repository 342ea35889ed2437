/* protection information: made, kept, checked, sent and taken, types 1 and 3 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "check_main.h"
#include "mock_disk.h"
#include "scsi/vpd.h"

#define UNIT	520u	/* a block of 512 and its tuple */

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN], wire[128 * UNIT], plain[65536];

/* CRC-T10DIF bit by bit, as the standard draws it: x^16 + x^15 + x^11 + x^9 + x^8 + x^7 + x^5 +
 * x^4 + x^2 + x + 1 */
static uint16_t
crc(const uint8_t *p, size_t len)
{
	uint16_t v = 0;

	for (size_t i = 0; i < len; i++) {
		v = (uint16_t)(v ^ p[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			v = (uint16_t)(v & 0x8000 ? v << 1 ^ 0x8bb7 : v << 1);
	}
	return v;
}

static uint8_t *
tuple(uint64_t i)
{
	return wire + i * UNIT + 512;
}

/* @n random blocks for @lba on, with tuples of application tag @app */
static void
make(uint64_t lba, uint64_t n, uint16_t app, uint64_t seed)
{
	struct rng rng = rng_init(seed);

	for (uint64_t i = 0; i < n; i++) {
		for (size_t j = 0; j < 512; j++)
			wire[i * UNIT + j] = (uint8_t)rng_next(&rng);
		memcpy(plain + i * 512, wire + i * UNIT, 512);
		be16_put(tuple(i), crc(wire + i * UNIT, 512));
		be16_put(tuple(i) + 2, app);
		be32_put(tuple(i) + 4, (uint32_t)(lba + i));
	}
}

/* PROTECT of the command in cdb */
static size_t
protect(size_t len, uint8_t value)
{
	cdb[1] = (uint8_t)(cdb[1] | value << 5);
	return len;
}

static bool
write_pi(uint64_t lba, uint32_t n, uint8_t value)
{
	return bench_out(
	    &b, cdb, protect(cdb_write(cdb, CDB_16, lba, n, 0), value), wire, n * UNIT);
}

static bool
read_pi(uint64_t lba, uint32_t n, uint8_t value)
{
	return bench_in(
	    &b, cdb, protect(cdb_read(cdb, CDB_16, lba, n, 0), value), n * UNIT);
}

static bool
read_plain(uint64_t lba, uint32_t n)
{
	return bench_in(&b, cdb, cdb_read(cdb, CDB_10, lba, n, 0), n * 512);
}

static bool
failed_at(uint16_t asc, uint64_t lba)
{
	return bench_sense_is(&b, SENSE_ABORTED_COMMAND, asc) && b.cmd->sense.has_info &&
	    b.cmd->sense.info == lba;
}

START_TEST(disks_say_that_they_have_it)
{
	static const struct { const char *line; uint8_t capacity, spt, chk; } rows[] = {
		{ "mem:4M", 0, 0, 0 },
		{ "mem:4M,pi=1", 0x01, 0, 0x05 },
		{ "mem:4M,pi=3", 0x05, 4, 0x04 },
		{ "mem:4M,pi=1,app_tag=0x1234", 0x01, 0, 0x07 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vpd_extended e;

		bench_open(&b, rows[i].line);
		ck_assert(bench_in(&b, cdb, cdb_readcap16(cdb, 32), 32));
		ck_assert_uint_eq(b.data[12], rows[i].capacity);
		ck_assert(bench_in(&b, cdb, cdb_inquiry(cdb, 96), 96));
		ck_assert_uint_eq(b.data[5] & 0x01, rows[i].capacity & 0x01);
		ck_assert(bench_in(&b, cdb, cdb_inquiry_vpd(cdb, VPD_EXTENDED, 255), 255));
		ck_assert_uint_eq(b.data[4] & 0x07, rows[i].chk);
		ck_assert_int_eq(vpd_parse_extended(b.data, b.cmd->moved, &e), 0);
		ck_assert_uint_eq(e.spt, rows[i].spt);
		bench_close(&b);
	}
}
END_TEST

START_TEST(what_is_sent_comes_back)
{
	bench_open(&b, "mem:4M,pi=1");
	make(100, 20, 0xabcd, 1);
	for (uint8_t p = 1; p <= 5; p++) {
		ck_assert(write_pi(100, 20, p));
		ck_assert_uint_eq(b.cmd->moved, 20 * UNIT);
		for (uint8_t q = 1; q <= 5; q++) {
			ck_assert(read_pi(100, 20, q));
			ck_assert_uint_eq(b.cmd->moved, 20 * UNIT);
			ck_assert_mem_eq(b.data, wire, 20 * UNIT);
		}
		ck_assert(read_plain(100, 20));
		ck_assert_mem_eq(b.data, plain, 20 * 512);
	}
	/* more than one piece of memory */
	make(1000, 126, 5, 2);
	ck_assert(write_pi(1000, 126, 1));
	ck_assert(read_pi(1000, 126, 1));
	ck_assert_mem_eq(b.data, wire, 126 * UNIT);
	/* buffers that are cut */
	ck_assert(bench_in(&b, cdb, protect(cdb_read(cdb, CDB_10, 1000, 3, 0), 1), 1300));
	ck_assert(b.cmd->is_overrun);
	ck_assert_uint_eq(b.cmd->moved, 1300);
	ck_assert_mem_eq(b.data, wire, 1300);
	ck_assert(bench_out(&b, cdb, protect(cdb_write(cdb, CDB_10, 1000, 3, 0), 1), wire, 1300));
	ck_assert(b.cmd->is_overrun);
	ck_assert_uint_eq(b.cmd->moved, 2 * UNIT);
	ck_assert(write_pi(1000, 0, 1) && read_pi(1000, 0, 1));
	bench_close(&b);
}
END_TEST

START_TEST(what_is_not_sent_is_made)
{
	static const struct { const char *line; uint16_t app; uint8_t type; } rows[] = {
		{ "mem:4M,pi=1", 0, 1 },
		{ "mem:4M,pi=3", 0, 3 },
		{ "mem:4M,pi=1,app_tag=0xfffe", 0xfffe, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bench_open(&b, rows[i].line);
		make(7, 4, rows[i].app, 3);
		for (uint64_t j = 0; j < 4; j++) {
			if (rows[i].type == 3)
				be32_put(tuple(j) + 4, UINT32_MAX);
		}
		ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_6, 7, 4, 0), plain, 2048));
		ck_assert(read_pi(7, 4, 1));
		ck_assert_mem_eq(b.data, wire, 4 * UNIT);
		/* never written: all ones, and nothing is checked */
		memset(wire, 0, UNIT);
		memset(wire + 512, 0xff, 8);
		ck_assert(read_pi(50, 1, 1));
		ck_assert_mem_eq(b.data, wire, UNIT);
		bench_close(&b);
	}
}
END_TEST

/* which checks each WRPROTECT makes: the guard, the application tag, the reference tag */
START_TEST(writes_are_checked)
{
	static const struct { bool guard, app, ref; } rows[] = {
		[1] = { true, true, true },
		[2] = { false, true, true },
		[3] = { false, false, false },
		[4] = { true, false, false },
		[5] = { true, true, true },
	};

	bench_open(&b, "mem:4M,pi=1,app_tag=9");
	for (uint8_t p = 1; p <= 5; p++) {
		make(30, 4, 9, p);
		tuple(2)[0] ^= 1;
		ck_assert_int_eq(write_pi(30, 4, p), !rows[p].guard);
		ck_assert(!rows[p].guard || failed_at(ASC_GUARD_CHECK_FAILED, 32));
		make(30, 4, 9, p);
		tuple(1)[3] ^= 1;
		ck_assert_int_eq(write_pi(30, 4, p), !rows[p].app);
		ck_assert(!rows[p].app || failed_at(ASC_APP_TAG_CHECK_FAILED, 31));
		make(30, 4, 9, p);
		tuple(3)[7] ^= 1;
		ck_assert_int_eq(write_pi(30, 4, p), !rows[p].ref);
		ck_assert(!rows[p].ref || failed_at(ASC_REF_TAG_CHECK_FAILED, 33));
		/* the escape: nothing is checked */
		make(30, 4, 0xffff, p);
		tuple(3)[0] ^= 1;
		tuple(3)[7] ^= 1;
		ck_assert(write_pi(30, 4, p));
	}
	for (uint8_t p = 6; p <= 7; p++) {
		ck_assert(!write_pi(30, 4, p) && bench_field_is(&b, true, 1, 7));
		ck_assert(!read_pi(30, 4, p) && bench_field_is(&b, true, 1, 7));
	}
	/* nothing of a piece that was refused is there */
	make(30, 4, 9, 88);
	ck_assert(write_pi(30, 4, 1));
	memcpy(plain + 4096, plain, 2048);
	make(30, 4, 9, 89);
	tuple(3)[0] ^= 1;
	ck_assert(!write_pi(30, 4, 1));
	ck_assert(read_plain(30, 4));
	ck_assert_mem_eq(b.data, plain + 4096, 2048);
	bench_close(&b);
}
END_TEST

START_TEST(type_3_knows_no_addresses)
{
	bench_open(&b, "mem:4M,pi=3");
	make(30, 4, 9, 1);
	tuple(0)[5] ^= 1;
	ck_assert(write_pi(30, 4, 1));
	ck_assert(read_pi(30, 4, 1));
	ck_assert_mem_eq(b.data, wire, 4 * UNIT);
	tuple(1)[0] ^= 1;
	ck_assert(!write_pi(30, 4, 1));
	ck_assert(failed_at(ASC_GUARD_CHECK_FAILED, 31));
	/* both tags are needed for the escape */
	memset(tuple(1) + 2, 0xff, 2);
	ck_assert(!write_pi(30, 4, 1));
	memset(tuple(1) + 2, 0xff, 6);
	ck_assert(write_pi(30, 4, 1));
	bench_close(&b);
}
END_TEST

/* wrong tuples get to the medium by WRPROTECT 3; reads find them, by RDPROTECT */
START_TEST(reads_are_checked)
{
	static const bool rows[3][6] = {
		/*            0     1     2      3      4     5  */
		[0] = { true, true, false, false, true, true },		/* guard */
		[1] = { true, true, true, false, false, true },		/* application */
		[2] = { true, true, true, false, false, true },		/* reference */
	};
	static const uint16_t ascs[] = { ASC_GUARD_CHECK_FAILED, ASC_APP_TAG_CHECK_FAILED,
	    ASC_REF_TAG_CHECK_FAILED };
	static const size_t bytes[] = { 1, 2, 4 };

	bench_open(&b, "mem:4M,pi=1,app_tag=9");
	for (size_t what = 0; what < 3; what++) {
		make(60, 3, 9, what);
		tuple(1)[bytes[what]] ^= 0x40;
		ck_assert(write_pi(60, 3, 3));
		for (uint8_t p = 0; p <= 5; p++) {
			bool is_good = p == 0 ? read_plain(60, 3) : read_pi(60, 3, p);

			ck_assert_int_eq(is_good, !rows[what][p]);
			ck_assert(is_good || failed_at(ascs[what], 61));
			/* VERIFY without data checks the same */
			(void)protect(cdb_verify(cdb, CDB_10, 60, 3, 0), p);
			ck_assert_int_eq(bench_none(&b, cdb, 10), !rows[what][p]);
		}
		ck_assert(read_pi(60, 1, 1) && read_pi(62, 1, 1));
	}
	/* sense: ABORTED COMMAND, the address in INFORMATION */
	ck_assert(!read_plain(60, 3));
	ck_assert_uint_eq(sense_build(&b.cmd->sense, false, plain, 18), 18);
	ck_assert_mem_eq(plain, "\xf0\x00\x0b\x00\x00\x00\x3d\x0a\x00\x00\x00\x00\x10\x03", 14);
	bench_close(&b);
}
END_TEST

START_TEST(verify_compares_tuples)
{
	bench_open(&b, "mem:4M,pi=1");
	make(40, 8, 3, 1);
	ck_assert(write_pi(40, 8, 1));
	for (uint8_t p = 1; p <= 5; p++) {
		size_t len = protect(cdb_verify(cdb, CDB_16, 40, 8, CDB_BYTCHK_1), p);

		ck_assert(bench_out(&b, cdb, len, wire, 8 * UNIT));
		ck_assert_uint_eq(b.cmd->moved, 8 * UNIT);
		wire[5 * UNIT + 17] ^= 1;
		ck_assert(!bench_out(&b, cdb, len, wire, 8 * UNIT));
		ck_assert(bench_sense_is(&b, SENSE_MISCOMPARE, ASC_MISCOMPARE));
		ck_assert_uint_eq(b.cmd->sense.info, 5 * UNIT + 17);
		wire[5 * UNIT + 17] ^= 1;
		tuple(6)[2] ^= 1;
		ck_assert_int_eq(bench_out(&b, cdb, len, wire, 8 * UNIT), p == 4);
		ck_assert(p == 4 || b.cmd->sense.info == 6 * UNIT + 514);
		tuple(6)[2] ^= 1;
	}
	ck_assert(bench_out(
	    &b, cdb, cdb_verify(cdb, CDB_16, 40, 8, CDB_BYTCHK_1), plain, 8 * 512));
	/* one block with its tuple, many times: WRITE SAME, then VERIFY against the same */
	make(200, 1, 3, 2);
	ck_assert(bench_out(&b, cdb, protect(cdb_write_same(cdb, CDB_16, 200, 700, 0), 1), wire,
	    UNIT));
	ck_assert(bench_out(
	    &b, cdb, protect(cdb_verify(cdb, CDB_16, 200, 700, CDB_BYTCHK_3), 1), wire, UNIT));
	ck_assert_uint_eq(b.cmd->moved, UNIT);
	ck_assert(read_pi(899, 1, 1));
	be32_put(tuple(0) + 4, 899);
	ck_assert_mem_eq(b.data, wire, UNIT);
	ck_assert(!bench_out(
	    &b, cdb, protect(cdb_verify(cdb, CDB_16, 200, 700, CDB_BYTCHK_3), 1), wire, UNIT));
	ck_assert(bench_sense_is(&b, SENSE_MISCOMPARE, ASC_MISCOMPARE));
	bench_close(&b);
}
END_TEST

START_TEST(write_same_and_unmap_keep_it)
{
	uint8_t list[24] = { 0, 22, 0, 16, [15] = 10, [19] = 4 }, ones[8];

	memset(ones, 0xff, sizeof(ones));
	bench_open(&b, "mem:4M,pi=1");
	make(10, 1, 3, 2);
	tuple(0)[7] ^= 1;
	ck_assert(!bench_out(&b, cdb, protect(cdb_write_same(cdb, CDB_10, 10, 9, 0), 1), wire,
	    UNIT));
	ck_assert(failed_at(ASC_REF_TAG_CHECK_FAILED, 10));
	ck_assert(bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 10, 9, 0), wire, 512));
	ck_assert(read_pi(10, 9, 1));
	for (uint64_t i = 0; i < 9; i++) {
		ck_assert_uint_eq(be16_get(b.data + i * UNIT + 512), crc(wire, 512));
		ck_assert_uint_eq(be32_get(b.data + i * UNIT + 516), 10 + i);
	}
	ck_assert(bench_out(&b, cdb, cdb_unmap(cdb, 24, 0), list, 24));
	ck_assert(read_pi(10, 4, 1));
	ck_assert_mem_eq(b.data + 512, ones, 8);
	/* WRITE SAME with UNMAP may only unmap what then reads as it was sent */
	make(10, 1, 3, 2);
	memset(wire, 0, 512);
	be16_put(tuple(0), 0);
	ck_assert(bench_out(
	    &b, cdb, protect(cdb_write_same(cdb, CDB_16, 10, 9, CDB_UNMAP), 1), wire, UNIT));
	ck_assert(read_pi(18, 1, 1));
	ck_assert_uint_eq(be16_get(b.data + 514), 3);
	ck_assert(bench_none(
	    &b, cdb, cdb_write_same(cdb, CDB_16, 10, 9, CDB_UNMAP | CDB_NDOB)));
	ck_assert(read_pi(18, 1, 1));
	ck_assert_mem_eq(b.data + 512, ones, 8);
	ck_assert(bench_none(&b, cdb, cdb_write_same(cdb, CDB_16, 10, 9, CDB_NDOB)));
	ck_assert(read_pi(18, 1, 1));
	ck_assert_uint_eq(be32_get(b.data + 516), 18);
	bench_close(&b);
}
END_TEST

START_TEST(others_take_none)
{
	bench_open(&b, "mem:4M,pi=1");
	ck_assert(!bench_out(
	    &b, cdb, protect(cdb_orwrite(cdb, 0, 1, 0), 1), wire, UNIT));
	ck_assert(bench_field_is(&b, true, 1, 7));
	ck_assert(!bench_out(
	    &b, cdb, protect(cdb_compare_and_write(cdb, 0, 1, 0), 1), wire, 2 * UNIT));
	ck_assert(bench_field_is(&b, true, 1, 7));
	make(8, 8, 0, 3);
	ck_assert(bench_out(
	    &b, cdb, protect(cdb_write_atomic(cdb, 8, 0, 8, 0), 1), wire, 8 * UNIT));
	ck_assert(bench_out(&b, cdb,
	    protect(cdb_write_verify(cdb, CDB_12, 8, 8, CDB_BYTCHK_1), 1), wire, 8 * UNIT));
	tuple(2)[0] ^= 2;
	ck_assert(!bench_out(&b, cdb,
	    protect(cdb_write_verify(cdb, CDB_12, 8, 8, CDB_BYTCHK_1), 1), wire, 8 * UNIT));
	ck_assert(failed_at(ASC_GUARD_CHECK_FAILED, 10));
	bench_close(&b);
	bench_open(&b, "mem:4M");
	for (uint8_t p = 1; p <= 7; p++) {
		ck_assert(!write_pi(0, 1, p) && bench_field_is(&b, true, 1, 7));
		ck_assert(!read_pi(0, 1, p) && bench_field_is(&b, true, 1, 7));
	}
	bench_close(&b);
}
END_TEST

START_TEST(files_keep_it_across_opening)
{
	char dir[48], line[80], path[64], beside[72];

	check_folder(dir, sizeof(dir));
	(void)snprintf(path, sizeof(path), "%s/disk", dir);
	(void)snprintf(beside, sizeof(beside), "%s.pi", path);
	(void)snprintf(line, sizeof(line), "%s,size=4M,pi=1", path);
	for (int with_queue = 0; with_queue < 2; with_queue++) {
		bench_open(&b, line);
		if (with_queue)
			ck_assert_int_eq(aio_open(-1, &b.aio), 0);
		make(9, 100, 0x55, 4);
		ck_assert(write_pi(9, 100, 1));
		ck_assert(bench_none(&b, cdb, cdb_sync_cache(cdb, CDB_10, 0, 0, 0)));
		aio_close(b.aio);
		bench_close(&b);
		bench_open(&b, line);
		ck_assert(bench_in(
		    &b, cdb, protect(cdb_read(cdb, CDB_10, 9, 100, CDB_FUA), 1), 100 * UNIT));
		ck_assert_mem_eq(b.data, wire, 100 * UNIT);
		bench_close(&b);
	}
	/* half of it lost: reads say so, with the block's address */
	bench_open(&b, line);
	ck_assert_int_eq(truncate(beside, 4096), 0);
	ck_assert(!read_plain(1000, 1));
	ck_assert(bench_sense_is(&b, SENSE_MEDIUM_ERROR, ASC_UNRECOVERED_READ_ERROR));
	ck_assert_uint_eq(b.cmd->sense.info, 1000);
	bench_close(&b);
	unlink(beside);
	unlink(path);
	rmdir(dir);
}
END_TEST

/* the format that fits the disk, and no other; afterwards nothing is protected */
START_TEST(formats_keep_the_type)
{
	static const struct { const char *line; uint8_t good, pfu; } rows[] = {
		{ "mem:4M,pi=1", 0x80, 0 },
		{ "mem:4M,pi=3", 0xd0, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t list[4] = { rows[i].pfu };

		bench_open(&b, rows[i].line);
		make(5, 4, 3, 1);
		ck_assert(write_pi(5, 4, 1));
		for (unsigned int flags = 0; flags < 0x100; flags += 0x10) {
			memset(cdb, 0, 6);
			cdb[0] = 0x04;
			cdb[1] = (uint8_t)flags;
			if ((flags & 0x20) != 0 || flags >> 6 == rows[i].good >> 6)
				continue;
			ck_assert(!bench_out(&b, cdb, 6, list, sizeof(list)));
			ck_assert(bench_field_is(&b, true, 1, 7));
		}
		cdb[1] = rows[i].good | 0x10;
		list[0] = rows[i].pfu ^ 3;
		ck_assert(!bench_out(&b, cdb, 6, list, sizeof(list)));
		ck_assert(bench_field_is(&b, false, 0, 1));
		list[0] = rows[i].pfu;
		ck_assert(bench_out(&b, cdb, 6, list, sizeof(list)));
		ck_assert(read_pi(5, 1, 1));
		memset(wire, 0, 512);
		memset(wire + 512, 0xff, 8);
		ck_assert_mem_eq(b.data, wire, UNIT);
		bench_close(&b);
	}
	bench_open(&b, "mem:4M,pi=3");
	memset(cdb, 0, 6);
	cdb[0] = 0x04;
	cdb[1] = 0xc0;
	ck_assert(!bench_none(&b, cdb, 6) && bench_field_is(&b, true, 1, 4));
	bench_close(&b);
}
END_TEST

CHECK_MAIN("disk protects", disks_say_that_they_have_it, what_is_sent_comes_back,
    what_is_not_sent_is_made, writes_are_checked, type_3_knows_no_addresses, reads_are_checked,
    verify_compares_tuples, write_same_and_unmap_keep_it, others_take_none,
    files_keep_it_across_opening, formats_keep_the_type)
