/* LOG SENSE and LOG SELECT: pages that are true, counters that can be set */
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "check_main.h"
#include "mock_disk.h"

enum { NOW = 0x40, DEFAULTS = 0xc0, PCR = 0x02 };

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN], data[4096];

static bool
log_sense(uint8_t pc, uint8_t page, uint8_t subpage, uint16_t first, uint16_t alloc_len)
{
	(void)cdb_log_sense(cdb, page, subpage, alloc_len);
	cdb[2] = pc | page;
	be16_put(cdb + 5, first);
	return bench_in(&b, cdb, 10, alloc_len);
}

/* a number of a page, or the first eight bytes of a list; fails the test when the page has no
 * such parameter */
static uint64_t
number(uint8_t pc, uint8_t page, uint16_t code)
{
	size_t end;

	ck_assert(log_sense(pc, page, 0, 0, 512));
	ck_assert_uint_eq(b.data[0] & 0x3f, page);
	end = 4u + be16_get(b.data + 2);
	ck_assert_uint_eq(end, b.cmd->moved);
	for (size_t at = 4; at < end; at += 4u + b.data[at + 3]) {
		if (be16_get(b.data + at) == code)
			return b.data[at + 3] == 8 ? be64_get(b.data + at + 4)
						   : be32_get(b.data + at + 4);
	}
	ck_abort_msg("page %02xh has no parameter %04xh", page, code);
	return 0;
}

static bool
log_select(uint8_t flags, uint8_t pc, uint8_t page, const void *list, uint16_t len)
{
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = 0x4c;
	cdb[1] = flags;
	cdb[2] = pc | page;
	be16_put(cdb + 7, len);
	return bench_out(&b, cdb, 10, list, len);
}

START_TEST(pages_are_listed_and_readable)
{
	static const uint8_t want[] = { 0x00, 0x02, 0x03, 0x05, 0x06, 0x0c, 0x0e, 0x10, 0x19,
		0x2f };

	bench_open(&b, "mem:4M");
	ck_assert(log_sense(NOW, 0, 0, 0, 512));
	ck_assert_uint_eq(b.cmd->moved, 4 + sizeof(want));
	ck_assert_mem_eq(b.data + 4, want, sizeof(want));
	for (size_t i = 0; i < sizeof(want); i++) {
		ck_assert(log_sense(NOW, want[i], 0, 0, 512));
		ck_assert_uint_eq(b.data[0], want[i] | (i > 0 ? 0x80 : 0));	/* DS */
		ck_assert_uint_eq(4u + be16_get(b.data + 2), b.cmd->moved);
	}
	ck_assert(log_sense(NOW, 0, 0xff, 0, 512));
	ck_assert_uint_eq(b.cmd->moved, 4 + 2 * (sizeof(want) + 1));
	ck_assert_uint_eq(b.data[0], 0x40);
	ck_assert_uint_eq(be16_get(b.data + 6), 0x00ff);
	ck_assert_uint_eq(be16_get(b.data + 8), 0x0200);
	ck_assert(log_sense(NOW, 0x19, 0, 0, 3));
	ck_assert_uint_eq(b.cmd->moved, 3);
	bench_close(&b);

	bench_open(&b, "mem:1M,thin=0");
	ck_assert(!log_sense(NOW, 0x0c, 0, 0, 512));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(2, 5)));
	ck_assert(!log_sense(NOW, 0x02, 1, 0, 512));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(3, 7)));
	ck_assert(!log_sense(0, 0x02, 0, 0, 512));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(2, 7)));
	ck_assert(!log_sense(NOW, 0x02, 0, 7, 512));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(5, 7)));
	ck_assert(log_sense(NOW, 0x02, 0, 6, 512));
	ck_assert_uint_eq(b.cmd->moved, 12);
	(void)cdb_log_sense(cdb, 2, 0, 64);
	cdb[1] = 1;
	ck_assert(!bench_in(&b, cdb, 10, 64));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(1, 0)));
	bench_close(&b);
}
END_TEST

START_TEST(counters_count)
{
	char path[64];
	int fd = check_file(path, sizeof(path));

	ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
	bench_open(&b, path);
	for (int i = 0; i < 3; i++)
		ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, 0, 8, 0), data, 4096));
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 0, 2, 0), 1024));
	ck_assert(bench_none(&b, cdb, cdb_start_stop(cdb, true, false, 0)));
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert(!bench_in(&b, cdb, cdb_read(cdb, CDB_10, 0, 1, 0), 512));
	ck_assert(!bench_none(&b, cdb, cdb_tur(cdb)));	/* capacity */
	ck_assert(!bench_out(&b, cdb, cdb_write(cdb, CDB_10, 0, 1, CDB_FUA), data, 512));
	ck_assert(!bench_none(&b, cdb, cdb_verify(cdb, CDB_10, 0, 1, 0)));
	ck_assert_uint_eq(number(NOW, 2, 5), 3 * 4096);
	ck_assert_uint_eq(number(NOW, 2, 6), 1);
	ck_assert_uint_eq(number(NOW, 3, 5), 1024);
	ck_assert_uint_eq(number(NOW, 3, 6), 1);
	ck_assert_uint_eq(number(NOW, 5, 6), 1);
	ck_assert_uint_eq(number(NOW, 0x0e, 4), 1);
	ck_assert_uint_eq(number(DEFAULTS, 2, 5), 0);
	ck_assert(log_sense(NOW, 0x19, 0, 0, 512));
	ck_assert_uint_eq(be64_get(b.data + 8), 1);		/* reads, writes */
	ck_assert_uint_eq(be64_get(b.data + 16), 3);
	ck_assert_uint_eq(be64_get(b.data + 24), 24);		/* blocks of them */
	ck_assert_uint_eq(be64_get(b.data + 32), 2);
	/* one page begins anew, then all do */
	ck_assert(log_select(PCR, 0, 2, NULL, 0));
	ck_assert_uint_eq(number(NOW, 2, 5), 0);
	ck_assert_uint_eq(number(NOW, 3, 5), 1024);
	ck_assert(log_select(0, DEFAULTS, 0, NULL, 0));
	ck_assert_uint_eq(number(NOW, 3, 5), 0);
	ck_assert(log_sense(NOW, 0x19, 0, 0, 512));
	ck_assert_uint_eq(be64_get(b.data + 16), 0);
	bench_close(&b);
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(counters_can_be_set_and_nothing_else)
{
	uint8_t list[40] = { 0x02, 0, 0, 20, 0, 5, 0, 8, [15] = 77, [17] = 6, [19] = 4, [23] = 9 };

	bench_open(&b, "mem:1M");
	ck_assert(log_select(0, NOW, 0, list, 24));
	ck_assert_uint_eq(number(NOW, 2, 5), 77);
	ck_assert_uint_eq(number(NOW, 2, 6), 9);
	ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, 0, 1, 0), data, 512));
	ck_assert_uint_eq(number(NOW, 2, 5), 77 + 512);
	/* all or nothing */
	list[15] = 1;
	list[17] = 7;
	ck_assert(!log_select(0, NOW, 0, list, 24));
	ck_assert(bench_sense(
	    &b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST_BYTE(16)));
	ck_assert_uint_eq(number(NOW, 2, 5), 77 + 512);
	list[17] = 6;
	list[19] = 5;
	ck_assert(!log_select(0, NOW, 0, list, 24));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH, 0));
	list[19] = 4;
	list[17] = 3;			/* corrected errors do not happen */
	ck_assert(!log_select(0, NOW, 0, list, 24));
	ck_assert(bench_sense(
	    &b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST_BYTE(20)));
	list[7] = 4;			/* a wrong length */
	list[3] = 8;
	ck_assert(!log_select(0, NOW, 0, list, 12));
	ck_assert(bench_sense(
	    &b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST_BYTE(7)));
	list[0] = 0x31;
	ck_assert(!log_select(0, NOW, 0, list, 12));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST(0, 5)));
	list[0] = 0x42;
	list[1] = 1;
	ck_assert(!log_select(0, NOW, 0, list, 12));
	ck_assert(bench_sense(
	    &b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST_BYTE(1)));
	ck_assert(!log_select(0, NOW, 0, list, 3));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH, 0));
	ck_assert(!log_select(PCR, NOW, 0, list, 12));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(1, 1)));
	ck_assert(!log_select(1, NOW, 0, NULL, 0));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(1, 0)));
	ck_assert(!log_select(0, 0, 0, NULL, 0));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(2, 7)));
	ck_assert(!log_select(0, NOW, 2, list, 12));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(2, 5)));
	bench_close(&b);
}
END_TEST

START_TEST(space_is_told_in_threshold_sets)
{
	bench_open(&b, "mem:64M");
	ck_assert(bench_in(&b, cdb, cdb_inquiry_vpd(cdb, 0xb2, 64), 64));
	ck_assert_uint_eq(b.data[4], 11);
	ck_assert_uint_eq(number(NOW, 0x0c, 2) >> 32, 0);
	for (uint32_t lba = 0; lba < 4 * 2048; lba += 8)
		ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, lba, 8, 0), data, 4096));
	ck_assert_uint_eq(number(NOW, 0x0c, 2) >> 32, 4);
	ck_assert_uint_le(number(NOW, 0x0c, 1) >> 32, 60);
	bench_close(&b);
}
END_TEST

CHECK_MAIN("disk logs", pages_are_listed_and_readable, counters_count,
    counters_can_be_set_and_nothing_else, space_is_told_in_threshold_sets)
