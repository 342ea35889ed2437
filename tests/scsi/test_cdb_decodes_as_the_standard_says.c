/* CDBs typed from the standards decode to the transfer they ask for; cut ones are refused */
#include "check_main.h"
#include "scsi/cdb.h"

#include <errno.h>
#include <string.h>

#define BS	512u

struct vector {
	const char *what;
	uint8_t cdb[32];
	size_t len;
	enum op_id id;
	enum op_dir dir;
	bool has_lba;
	uint64_t lba, blocks;
	bool has_bytes;
	uint64_t bytes;
};

#define CDB(...)	.cdb = { __VA_ARGS__ }, .len = sizeof((uint8_t[]){ __VA_ARGS__ })
#define MOVES(n)	.has_bytes = true, .bytes = (n)
#define RANGE(l, n)	.has_lba = true, .lba = (l), .blocks = (n)

static const struct vector vectors[] = {
    {"TUR", CDB(0, 0, 0, 0, 0, 0), .id = OP_TEST_UNIT_READY, .dir = OP_DIR_NONE, MOVES(0)},
    {"READ(6) of 256", CDB(0x08, 0xff, 0x01, 0x02, 0, 0), .id = OP_READ_6, .dir = OP_DIR_IN,
	RANGE(0x1f0102, 256), MOVES(256 * BS)},
    {"WRITE(6) of 1", CDB(0x0a, 0, 0, 9, 1, 0), .id = OP_WRITE_6, .dir = OP_DIR_OUT,
	RANGE(9, 1), MOVES(BS)},
    {"INQUIRY", CDB(0x12, 1, 0x83, 0x01, 0x04, 0), .id = OP_INQUIRY, .dir = OP_DIR_IN,
	MOVES(260)},
    {"READ CAPACITY(10)", CDB(0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0), .id = OP_READ_CAPACITY_10,
	.dir = OP_DIR_IN, MOVES(8)},
    {"READ(10) of nothing", CDB(0x28, 0, 0, 0, 0, 7, 0, 0, 0, 0), .id = OP_READ_10,
	.dir = OP_DIR_IN, RANGE(7, 0), MOVES(0)},
    {"WRITE(10)", CDB(0x2a, 8, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0), .id = OP_WRITE_10,
	.dir = OP_DIR_OUT, RANGE(0xffffffff, 0xffff), MOVES(0xffffull * BS)},
    {"WRITE BUFFER", CDB(0x3b, 5, 0, 0, 0, 0, 1, 0, 0, 0), .id = OP_WRITE_BUFFER,
	.dir = OP_DIR_OUT, MOVES(65536)},
    {"VERIFY(10), BYTCHK 0", CDB(0x2f, 0, 0, 0, 0, 1, 0, 0, 8, 0), .id = OP_VERIFY_10,
	.dir = OP_DIR_NONE, RANGE(1, 8), MOVES(0)},
    {"VERIFY(10), BYTCHK 1", CDB(0x2f, 2, 0, 0, 0, 1, 0, 0, 8, 0), .id = OP_VERIFY_10,
	.dir = OP_DIR_OUT, RANGE(1, 8), MOVES(8 * BS)},
    {"VERIFY(10), BYTCHK 2", CDB(0x2f, 4, 0, 0, 0, 1, 0, 0, 8, 0), .id = OP_VERIFY_10,
	.dir = OP_DIR_NONE, RANGE(1, 8), MOVES(0)},
    {"VERIFY(12), BYTCHK 3", CDB(0xaf, 6, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0), .id = OP_VERIFY_12,
	.dir = OP_DIR_OUT, RANGE(1, 8), MOVES(BS)},
    {"SYNCHRONIZE CACHE(10)", CDB(0x35, 2, 0, 0, 0, 4, 0, 0, 2, 0),
	.id = OP_SYNCHRONIZE_CACHE_10, .dir = OP_DIR_NONE, RANGE(4, 2), MOVES(0)},
    {"WRITE SAME(10)", CDB(0x41, 8, 0, 0, 0, 4, 0, 1, 0, 0), .id = OP_WRITE_SAME_10,
	.dir = OP_DIR_OUT, RANGE(4, 256), MOVES(BS)},
    {"WRITE SAME(16), NDOB", CDB(0x93, 9, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 1, 0, 0, 0),
	.id = OP_WRITE_SAME_16, .dir = OP_DIR_NONE, RANGE(4, 256), MOVES(0)},
    {"WRITE SAME(16)", CDB(0x93, 8, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 1, 0, 0, 0),
	.id = OP_WRITE_SAME_16, .dir = OP_DIR_OUT, RANGE(4, 256), MOVES(BS)},
    {"UNMAP", CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0), .id = OP_UNMAP, .dir = OP_DIR_OUT,
	MOVES(24)},
    {"COMPARE AND WRITE", CDB(0x89, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0),
	.id = OP_COMPARE_AND_WRITE, .dir = OP_DIR_OUT, RANGE(5, 3), MOVES(6 * BS)},
    {"READ(16) at the top",
	CDB(0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,
	    0),
	.id = OP_READ_16, .dir = OP_DIR_IN, RANGE(UINT64_MAX, UINT32_MAX),
	MOVES((uint64_t)UINT32_MAX *BS)},
    {"WRITE ATOMIC(16)", CDB(0x9c, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 8, 0, 3, 0, 0),
	.id = OP_WRITE_ATOMIC_16, .dir = OP_DIR_OUT, RANGE(5, 3), MOVES(3 * BS)},
    {"READ CAPACITY(16)", CDB(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0),
	.id = OP_READ_CAPACITY_16, .dir = OP_DIR_IN, MOVES(32)},
    {"GET LBA STATUS", CDB(0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 24, 0, 0),
	.id = OP_GET_LBA_STATUS, .dir = OP_DIR_IN, RANGE(6, 0), MOVES(24)},
    {"WRITE LONG(10), WR_UNCOR", CDB(0x3f, 0x40, 0, 0, 0, 2, 0, 2, 8, 0),
	.id = OP_WRITE_LONG_10, .dir = OP_DIR_NONE, RANGE(2, 0), MOVES(0)},
    {"WRITE LONG(10)", CDB(0x3f, 0, 0, 0, 0, 2, 0, 2, 8, 0), .id = OP_WRITE_LONG_10,
	.dir = OP_DIR_OUT, RANGE(2, 0), MOVES(520)},
    {"SECURITY PROTOCOL IN, INC_512", CDB(0xa2, 1, 0, 1, 0x80, 0, 0, 0, 0, 2, 0, 0),
	.id = OP_SECURITY_PROTOCOL_IN, .dir = OP_DIR_IN, MOVES(1024)},
    {"SECURITY PROTOCOL OUT", CDB(0xb5, 1, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0),
	.id = OP_SECURITY_PROTOCOL_OUT, .dir = OP_DIR_OUT, MOVES(2)},
    {"FORMAT UNIT without data", CDB(0x04, 0, 0, 0, 0, 0), .id = OP_FORMAT_UNIT,
	.dir = OP_DIR_NONE, MOVES(0)},
    {"FORMAT UNIT, FMTDATA", CDB(0x04, 0x10, 0, 0, 0, 0), .id = OP_FORMAT_UNIT,
	.dir = OP_DIR_OUT, .has_bytes = false},
    {"REASSIGN BLOCKS", CDB(0x07, 0, 0, 0, 0, 0), .id = OP_REASSIGN_BLOCKS, .dir = OP_DIR_OUT,
	.has_bytes = false},
    {"PR OUT, PREEMPT", CDB(0x5f, 4, 1, 0, 0, 0, 0, 0, 24, 0), .id = OP_PROUT_PREEMPT,
	.dir = OP_DIR_OUT, MOVES(24)},
    {"IDENTIFY DEVICE by ATA(16)",
	CDB(0x85, 0x08, 0x0e, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xec, 0),
	.id = OP_ATA_PASS_THROUGH_16, .dir = OP_DIR_IN, MOVES(512)},
    {"ATA(16), EXTEND, bytes in FEATURES, out",
	CDB(0x85, 0x0b, 0x01, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0x3f, 0),
	.id = OP_ATA_PASS_THROUGH_16, .dir = OP_DIR_OUT, MOVES(0x102)},
    {"ATA(16), not EXTEND: low byte only",
	CDB(0x85, 0x0a, 0x02, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0x3f, 0),
	.id = OP_ATA_PASS_THROUGH_16, .dir = OP_DIR_OUT, MOVES(4)},
    {"ATA(16), logical sectors",
	CDB(0x85, 0x0b, 0x1e, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0x25, 0),
	.id = OP_ATA_PASS_THROUGH_16, .dir = OP_DIR_IN, MOVES(2 * BS)},
    {"ATA(12), no data", CDB(0xa1, 0x06, 0x20, 0, 0, 0, 0, 0, 0, 0xe5, 0, 0),
	.id = OP_ATA_PASS_THROUGH_12, .dir = OP_DIR_NONE, MOVES(0)},
    {"ATA(12), length elsewhere", CDB(0xa1, 0x18, 0x0b, 0, 0, 0, 0, 0, 0, 0x60, 0, 0),
	.id = OP_ATA_PASS_THROUGH_12, .dir = OP_DIR_IN, .has_bytes = false},
    {"READ(32)",
	CDB(0x7f, 0, 0, 0, 0, 0, 0, 0x18, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
	    0, 0, 0, 0, 0, 4),
	.id = OP_READ_32, .dir = OP_DIR_IN, RANGE(256, 4), MOVES(4 * BS)},
    {"WRITE SAME(32), NDOB",
	CDB(0x7f, 0, 0, 0, 0, 0, 0, 0x18, 0, 0x0d, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
	    0, 0, 0, 0, 0, 0, 4),
	.id = OP_WRITE_SAME_32, .dir = OP_DIR_NONE, RANGE(256, 4), MOVES(0)},
    {"VERIFY(32), BYTCHK 1",
	CDB(0x7f, 0, 0, 0, 0, 0, 0, 0x18, 0, 0x0a, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
	    0, 0, 0, 0, 0, 0, 4),
	.id = OP_VERIFY_32, .dir = OP_DIR_OUT, RANGE(256, 4), MOVES(4 * BS)},
};

START_TEST(vectors_decode)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		struct cdb_info info;

		ck_assert_int_eq(cdb_decode(v->cdb, v->len, BS, &info), 0);
		ck_assert_msg(info.is_known, "%s", v->what);
		ck_assert_msg(info.op->id == v->id, "%s is %s", v->what, info.op->name);
		ck_assert_msg(info.cdb_len == v->len, "%s: length", v->what);
		ck_assert_msg(info.dir == v->dir, "%s: %s", v->what, op_dir_name(info.dir));
		ck_assert_msg(info.has_lba == v->has_lba, "%s: has_lba", v->what);
		ck_assert_msg(info.lba == v->lba, "%s: lba", v->what);
		ck_assert_msg(info.blocks == v->blocks, "%s: blocks", v->what);
		ck_assert_msg(info.has_bytes == v->has_bytes, "%s: has_bytes", v->what);
		ck_assert_msg(info.bytes == v->bytes, "%s: bytes %lu", v->what,
		    (unsigned long)info.bytes);
	}
}
END_TEST

/* exactly sized copies, so that the sanitizer sees a step too far */
START_TEST(cut_cdbs_are_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		for (size_t len = 0; len < vectors[i].len; len++) {
			uint8_t *copy = malloc(len + 1);
			struct cdb_info info;

			copy = realloc(copy, len == 0 ? 1 : len);
			memcpy(copy, vectors[i].cdb, len);
			ck_assert_int_eq(cdb_decode(copy, len, BS, &info), -EINVAL);
			(void)op_find(copy, len);
			free(copy);
		}
	}
}
END_TEST

START_TEST(long_field_holds_a_short_cdb)
{
	uint8_t field[16] = { 0x28, 0, 0, 0, 0, 7, 0, 0, 1, 0, 0xee };
	struct cdb_info info;

	ck_assert_int_eq(cdb_decode(field, sizeof(field), BS, &info), 0);
	ck_assert_uint_eq(info.cdb_len, 10);
	ck_assert_uint_eq(info.bytes, BS);
}
END_TEST

START_TEST(block_size_may_be_unknown)
{
	uint8_t read[10] = { 0x28, 0, 0, 0, 0, 7, 0, 0, 1, 0 };
	uint8_t inquiry[6] = { 0x12, 0, 0, 0, 36, 0 };
	struct cdb_info info;

	ck_assert_int_eq(cdb_decode(read, 10, 0, &info), 0);
	ck_assert(!info.has_bytes);
	ck_assert_uint_eq(info.blocks, 1);
	ck_assert_int_eq(cdb_decode(inquiry, 6, 0, &info), 0);
	ck_assert(info.has_bytes);
	read[8] = 0;
	ck_assert_int_eq(cdb_decode(read, 10, 0, &info), 0);
	ck_assert(info.has_bytes);
}
END_TEST

START_TEST(unknown_commands_are_not_errors)
{
	uint8_t vendor[6] = { 0xc1 }, sa[12] = { 0xa3, 0x1f }, odd[32] = { 0x7f, [7] = 0x17 };
	struct cdb_info info;

	ck_assert_int_eq(cdb_decode(vendor, 6, BS, &info), 0);
	ck_assert(!info.is_known && info.op == NULL && info.dir == OP_DIR_BOTH);
	ck_assert_uint_eq(info.cdb_len, 0);
	ck_assert_int_eq(cdb_decode(sa, 12, BS, &info), 0);
	ck_assert(!info.is_known);
	ck_assert_uint_eq(info.cdb_len, 12);
	odd[9] = 9;	/* READ(32) that says 31 bytes */
	ck_assert_int_eq(cdb_decode(odd, 32, BS, &info), 0);
	ck_assert(!info.is_known);
	ck_assert_uint_eq(info.cdb_len, 31);
}
END_TEST

START_TEST(lengths_by_group)
{
	static const uint8_t lens[8] = { 6, 10, 10, 0, 16, 12, 0, 0 };
	uint8_t cdb[8] = { 0x7f, [7] = 252 };

	for (unsigned op = 0; op < 256; op++)
		ck_assert_uint_eq(cdb_len_by_opcode((uint8_t)op), lens[op >> 5]);
	ck_assert_uint_eq(cdb_len(cdb, 8), CDB_LEN_MAX);
	ck_assert_uint_eq(cdb_len(cdb, 7), 0);
	ck_assert_uint_eq(cdb_len(cdb, 0), 0);
}
END_TEST

START_TEST(ranges_do_not_wrap)
{
	ck_assert(cdb_range_ok(0, 100, 100));
	ck_assert(cdb_range_ok(99, 1, 100));
	ck_assert(cdb_range_ok(99, 0, 100));
	ck_assert(!cdb_range_ok(100, 0, 100));
	ck_assert(!cdb_range_ok(99, 2, 100));
	ck_assert(!cdb_range_ok(UINT64_MAX, 1, 100));
	ck_assert(!cdb_range_ok(1, UINT64_MAX, 100));
	ck_assert(!cdb_range_ok(0, 0, 0));
}
END_TEST

CHECK_MAIN("scsi cdb decode", vectors_decode, cut_cdbs_are_refused,
    long_field_holds_a_short_cdb, block_size_may_be_unknown, unknown_commands_are_not_errors,
    lengths_by_group, ranges_do_not_wrap)
