/* what was written is read, compared, repeated and unmapped as SBC says */
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "base/rng.h"
#include "check_main.h"
#include "mock_disk.h"

#define BLOCKS	8192u	/* of the 4 MiB disk */

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN], sent[65536];

static void
fill(void)
{
	struct rng rng = rng_init(7);

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)rng_next(&rng);
}

START_TEST(all_lengths_of_read_and_write)
{
	static const enum cdb_form forms[] = { CDB_6, CDB_10, CDB_12, CDB_16 };

	fill();
	bench_open(&b, "mem:4M");
	for (size_t i = 0; i < 4; i++) {
		uint64_t lba = 100 * (i + 1);

		ck_assert(
		    bench_out(&b, cdb, cdb_write(cdb, forms[i], lba, 8, 0), sent + i, 4096));
		ck_assert_uint_eq(b.cmd->moved, 4096);
		for (size_t j = 0; j < 4; j++) {
			ck_assert(bench_in(&b, cdb, cdb_read(cdb, forms[j], lba, 8, 0), 4096));
			ck_assert_uint_eq(b.cmd->moved, 4096);
			ck_assert_mem_eq(b.data, sent + i, 4096);
		}
	}
	/* six-byte commands: 0 is 256 */
	(void)cdb_read(cdb, CDB_6, 0, 1, 0);
	cdb[4] = 0;
	ck_assert(bench_in(&b, cdb, 6, 65536));
	ck_assert_uint_eq(b.cmd->moved, 65536);
	bench_close(&b);
}
END_TEST

START_TEST(fua_dpo_and_zero_blocks)
{
	bench_open(&b, "mem:4M");
	ck_assert(
	    bench_out(&b, cdb, cdb_write(cdb, CDB_10, 0, 1, CDB_FUA | CDB_DPO), sent, 512));
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_16, 0, 1, CDB_FUA | CDB_DPO), 512));
	ck_assert(bench_none(&b, cdb, cdb_read(cdb, CDB_10, 5, 0, 0)));
	ck_assert(bench_none(&b, cdb, cdb_write(cdb, CDB_16, 5, 0, 0)));
	ck_assert(bench_none(&b, cdb, cdb_sync_cache(cdb, CDB_10, 0, 0, 0)));
	ck_assert(bench_none(&b, cdb, cdb_sync_cache(cdb, CDB_16, 5, 10, CDB_IMMED)));
	bench_close(&b);
}
END_TEST

START_TEST(residuals)
{
	fill();
	bench_open(&b, "mem:4M");
	/* buffer larger than the command */
	ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, 0, 2, 0), sent, 4096));
	ck_assert_uint_eq(b.cmd->moved, 1024);
	ck_assert(!b.cmd->is_overrun);
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 0, 2, 0), 4096));
	ck_assert_uint_eq(b.cmd->moved, 1024);
	ck_assert_mem_eq(b.data, sent, 1024);
	ck_assert_int_eq(b.data[1024], 0xee);
	/* buffer smaller than the command */
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 0, 2, 0), 700));
	ck_assert(b.cmd->is_overrun);
	ck_assert_uint_eq(b.cmd->moved, 700);
	ck_assert_mem_eq(b.data, sent, 700);
	ck_assert_int_eq(b.data[700], 0xee);
	ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, 8, 4, 0), sent, 1200));
	ck_assert(b.cmd->is_overrun);
	ck_assert_uint_eq(b.cmd->moved, 1024);
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 8, 4, 0), 2048));
	ck_assert_mem_eq(b.data, sent, 1024);
	ck_assert_int_eq(b.data[1024] | b.data[2047], 0);
	/* no buffer at all, and one that nobody wants */
	ck_assert(bench_none(&b, cdb, cdb_read(cdb, CDB_10, 0, 1, 0)));
	ck_assert(b.cmd->is_overrun);
	ck_assert(bench_in(&b, cdb, cdb_tur(cdb), 512));
	ck_assert_uint_eq(b.cmd->moved, 0);
	bench_close(&b);
}
END_TEST

START_TEST(wrong_direction_moves_nothing)
{
	bench_open(&b, "mem:4M");
	memset(sent, 0x11, 512);
	(void)bench_in(&b, cdb, cdb_write(cdb, CDB_10, 0, 1, 0), 512);
	ck_assert(b.cmd->is_dir_wrong);
	ck_assert_uint_eq(b.cmd->moved, 0);
	(void)bench_out(&b, cdb, cdb_read(cdb, CDB_10, 0, 1, 0), sent, 512);
	ck_assert(b.cmd->is_dir_wrong);
	ck_assert_int_eq(sent[0], 0x11);
	bench_close(&b);
}
END_TEST

START_TEST(verify_compares)
{
	static const enum cdb_form forms[] = { CDB_10, CDB_12, CDB_16 };

	fill();
	bench_open(&b, "mem:4M");
	ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, 16, 64, 0), sent, 32768));
	for (size_t i = 0; i < 3; i++) {
		ck_assert(bench_none(&b, cdb, cdb_verify(cdb, forms[i], 0, 1000, 0)));
		ck_assert(bench_out(
		    &b, cdb, cdb_verify(cdb, forms[i], 16, 64, CDB_BYTCHK_1), sent, 32768));
		ck_assert_uint_eq(b.cmd->moved, 32768);
		sent[20001] ^= 1;
		ck_assert(!bench_out(
		    &b, cdb, cdb_verify(cdb, forms[i], 16, 64, CDB_BYTCHK_1), sent, 32768));
		ck_assert(bench_sense_is(&b, SENSE_MISCOMPARE, ASC_MISCOMPARE));
		ck_assert(b.cmd->sense.has_info);
		ck_assert_uint_eq(b.cmd->sense.info, 20001);
		sent[20001] ^= 1;
	}
	ck_assert(bench_none(&b, cdb, cdb_verify(cdb, CDB_10, 5, 0, CDB_BYTCHK_1)));
	/* one block against many */
	memset(sent, 0x33, 512);
	ck_assert(bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 200, 700, 0), sent, 512));
	ck_assert(
	    bench_out(&b, cdb, cdb_verify(cdb, CDB_10, 200, 700, CDB_BYTCHK_3), sent, 512));
	sent[511] = 0;
	ck_assert(
	    !bench_out(&b, cdb, cdb_verify(cdb, CDB_10, 200, 700, CDB_BYTCHK_3), sent, 512));
	ck_assert_uint_eq(b.cmd->sense.info, 511);
	ck_assert(
	    !bench_out(&b, cdb, cdb_verify(cdb, CDB_10, 200, 2, CDB_BYTCHK_1), sent, 512));
	ck_assert(b.cmd->is_overrun);
	(void)cdb_verify(cdb, CDB_10, 0, 1, 0);
	cdb[1] = 0x04;
	ck_assert(!bench_none(&b, cdb, 10));
	ck_assert(bench_field_is(&b, true, 1, 2));
	fault_arm(1);
	ck_assert(!bench_none(&b, cdb, cdb_verify(cdb, CDB_10, 0, 1, 0)));
	ck_assert(fault_disarm());
	ck_assert_int_eq(b.cmd->status, SAM_STAT_BUSY);
	bench_close(&b);
}
END_TEST

static bool
blocks_are(uint64_t lba, uint32_t blocks, uint8_t value)
{
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_16, lba, blocks, 0), blocks * 512));
	for (size_t i = 0; i < blocks * 512; i++) {
		if (b.data[i] != value)
			return false;
	}
	return true;
}

START_TEST(write_same_may_unmap_any_block)
{
	bench_open(&b, "mem:4M,unmap_any");
	memset(sent, 0x44, 512);
	ck_assert(bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 10, 100, 0), sent, 512));
	ck_assert(blocks_are(10, 100, 0x44));
	ck_assert(
	    bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 20, 5, CDB_UNMAP), sent, 512));
	ck_assert(blocks_are(20, 5, 0));
	ck_assert(blocks_are(25, 5, 0x44));
	bench_close(&b);
}
END_TEST

START_TEST(write_same_repeats)
{
	bench_open(&b, "mem:4M");
	memset(sent, 0x44, 512);
	ck_assert(bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 10, 100, 0), sent, 512));
	ck_assert(blocks_are(10, 100, 0x44));
	ck_assert(blocks_are(9, 1, 0));
	ck_assert(blocks_are(110, 1, 0));
	/* longer than a chunk, to the end, with a pattern though UNMAP is allowed */
	ck_assert(
	    bench_out(&b, cdb, cdb_write_same(cdb, CDB_16, 1000, 0, CDB_UNMAP), sent, 512));
	ck_assert(blocks_are(BLOCKS - 100, 100, 0x44));
	ck_assert(blocks_are(1000, 100, 0x44));
	memset(sent, 0, 512);
	ck_assert(
	    bench_out(&b, cdb, cdb_write_same(cdb, CDB_16, 1010, 5, CDB_UNMAP), sent, 512));
	ck_assert(blocks_are(1010, 5, 0));
	ck_assert(blocks_are(1015, 5, 0x44));
	ck_assert(bench_none(&b, cdb, cdb_write_same(cdb, CDB_16, 1020, 5, CDB_NDOB)));
	ck_assert(blocks_are(1020, 5, 0));
	ck_assert(!bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 10, 1, 0), sent, 100));
	ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB));
	/* too much is as wrong as too little, and nothing has been written */
	memset(sent, 0x45, 1024);
	ck_assert(!bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 10, 1, 0), sent, 1024));
	ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB));
	ck_assert(blocks_are(10, 1, 0x44));
	/* ANCHOR only together with UNMAP */
	ck_assert(
	    !bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 10, 1, CDB_ANCHOR), sent, 512));
	ck_assert(bench_field_is(&b, true, 1, 4));
	bench_close(&b);

	bench_open(&b, "null:4M");
	ck_assert(!bench_out(
	    &b, cdb, cdb_write_same(cdb, CDB_10, 10, 1, CDB_UNMAP | CDB_ANCHOR), sent, 512));
	ck_assert(bench_field_is(&b, true, 1, 4));
	bench_close(&b);

	bench_open(&b, "mem:64M,thin=0");
	memset(sent, 0, 512);
	ck_assert(
	    !bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 10, 1, CDB_UNMAP), sent, 512));
	ck_assert(bench_field_is(&b, true, 1, 3));
	ck_assert(!bench_out(&b, cdb, cdb_write_same(cdb, CDB_16, 0, 65536, 0), sent, 512));
	ck_assert(bench_field_is(&b, true, 10, 7));
	ck_assert(!bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 0, 0, 0), sent, 512));
	ck_assert(bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 0, 10, 0), sent, 512));
	bench_close(&b);
}
END_TEST

/* an UNMAP list of @n descriptors */
static size_t
list(uint8_t *buf, unsigned int n, uint64_t lba, uint32_t blocks)
{
	memset(buf, 0, 8 + 16 * n);
	be16_put(buf, (uint16_t)(6 + 16 * n));
	be16_put(buf + 2, (uint16_t)(16 * n));
	for (unsigned int i = 0; i < n; i++) {
		be64_put(buf + 8 + 16 * i, lba + 2 * i * blocks);
		be32_put(buf + 16 + 16 * i, blocks);
	}
	return 8 + 16 * n;
}

static bool
unmap(unsigned int n, uint64_t lba, uint32_t blocks)
{
	static uint8_t buf[8 + 16 * 300];
	size_t len = list(buf, n, lba, blocks);

	return bench_out(&b, cdb, cdb_unmap(cdb, (uint16_t)len, 0), buf, len);
}

START_TEST(unmap_lists)
{
	uint8_t buf[32] = { 0 };

	bench_open(&b, "mem:4M");
	memset(sent, 0x55, 512);
	ck_assert(bench_out(&b, cdb, cdb_write_same(cdb, CDB_10, 0, 1000, 0), sent, 512));
	ck_assert(unmap(3, 10, 4));
	ck_assert(blocks_are(10, 4, 0) && blocks_are(14, 4, 0x55) && blocks_are(18, 4, 0) &&
	    blocks_are(26, 4, 0) && blocks_are(30, 4, 0x55));
	ck_assert(unmap(0, 0, 0));
	ck_assert(unmap(1, 0, 0));
	ck_assert(blocks_are(0, 1, 0x55));
	ck_assert(bench_none(&b, cdb, cdb_unmap(cdb, 0, 0)));
	ck_assert(unmap(256, 0, 1));
	/* nothing is done when one is bad */
	ck_assert(!unmap(2, BLOCKS - 4, 4));
	ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE));
	ck_assert(!unmap(257, 0, 1));
	ck_assert(bench_field_is(&b, false, 2, 7));
	ck_assert(!bench_out(&b, cdb, cdb_unmap(cdb, 4, 0), buf, 4));
	ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH));
	(void)list(buf, 1, 0, 1);
	ck_assert(!bench_out(&b, cdb, cdb_unmap(cdb, 24, 0), buf, 20));
	ck_assert(bench_sense_is(&b, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH));
	ck_assert(b.cmd->is_overrun);
	fault_arm(1);
	ck_assert(!unmap(1, 0, 1));
	ck_assert(fault_disarm());
	ck_assert_int_eq(b.cmd->status, SAM_STAT_BUSY);
	bench_close(&b);

	bench_open(&b, "null:1T");
	ck_assert(!bench_out(&b, cdb, cdb_unmap(cdb, 24, CDB_ANCHOR), buf, 24));
	ck_assert(bench_field_is(&b, true, 1, 0));
	ck_assert(!unmap(2, 0, 1 << 20));
	ck_assert(bench_field_is(&b, false, 16, 7));
	bench_close(&b);
}
END_TEST

CHECK_MAIN("disk blocks", all_lengths_of_read_and_write, fua_dpo_and_zero_blocks, residuals,
    wrong_direction_moves_nothing, verify_compares, write_same_repeats,
    write_same_may_unmap_any_block, unmap_lists)
