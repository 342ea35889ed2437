/* what a builder writes decodes to what it was asked for; what does not fit is refused */
#include "check_main.h"
#include "scsi/cdb.h"

#include <string.h>

typedef size_t block_builder(uint8_t *, enum cdb_form, uint64_t, uint32_t, unsigned);

static const struct {
	block_builder *build;
	unsigned flags;
	bool has_6, has_12;
} builders[] = {
	{ cdb_read, CDB_FUA | CDB_DPO, true, true },
	{ cdb_write, CDB_FUA | CDB_DPO, true, true },
	{ cdb_verify, CDB_DPO | CDB_BYTCHK_1, false, true },
	{ cdb_write_verify, CDB_DPO | CDB_BYTCHK_1, false, true },
	{ cdb_write_same, CDB_UNMAP | CDB_ANCHOR, false, false },
	{ cdb_sync_cache, CDB_IMMED, false, false },
	{ cdb_prefetch, CDB_IMMED, false, false },
};

static void
assert_sound(const uint8_t *cdb, size_t len, struct cdb_info *info)
{
	uint8_t byte, bit;

	ck_assert_uint_ne(len, 0);
	ck_assert_int_eq(cdb_decode(cdb, len, 512, info), 0);
	ck_assert(info->is_known);
	ck_assert_uint_eq(info->cdb_len, len);
	ck_assert(!cdb_reserved_bit(info->op, cdb, len, &byte, &bit));
}

static void
assert_refused(const uint8_t *cdb, size_t len)
{
	static const uint8_t zeros[CDB_BUF_LEN];

	ck_assert_uint_eq(len, 0);
	ck_assert_mem_eq(cdb, zeros, CDB_BUF_LEN);
}

START_TEST(block_commands_round_trip)
{
	static const enum cdb_form forms[] = { CDB_AUTO, CDB_6, CDB_10, CDB_12, CDB_16 };

	for (size_t i = 0; i < ARRAY_LEN(builders); i++) {
		for (size_t k = 0; k < ARRAY_LEN(forms); k++) {
			bool is_there = (forms[k] != CDB_6 || builders[i].has_6) &&
			    (forms[k] != CDB_12 || builders[i].has_12);
			unsigned flags = forms[k] == CDB_6 ? 0 : builders[i].flags;
			uint8_t cdb[CDB_BUF_LEN];
			struct cdb_info info;
			size_t len = builders[i].build(cdb, forms[k], 0x12345, 0x80, flags);

			if (!is_there) {
				assert_refused(cdb, len);
				continue;
			}
			assert_sound(cdb, len, &info);
			ck_assert_uint_eq(info.lba, 0x12345);
			ck_assert_uint_eq(info.blocks, 0x80);
			if (forms[k] != CDB_AUTO)
				ck_assert_uint_eq(len, forms[k]);
		}
	}
}
END_TEST

START_TEST(the_smallest_form_is_taken)
{
	uint8_t cdb[CDB_BUF_LEN];

	ck_assert_uint_eq(cdb_read(cdb, CDB_AUTO, UINT32_MAX, UINT16_MAX, 0), 10);
	ck_assert_uint_eq(cdb_read(cdb, CDB_AUTO, UINT32_MAX + 1ull, 1, 0), 16);
	ck_assert_uint_eq(cdb_read(cdb, CDB_AUTO, 0, UINT16_MAX + 1u, 0), 16);
	ck_assert_uint_eq(cdb_write_same(cdb, CDB_AUTO, 0, 1, CDB_NDOB), 16);
	ck_assert_uint_eq(cdb_mode_sense(cdb, CDB_AUTO, 0, 0x3f, 0, false, 255), 6);
	ck_assert_uint_eq(cdb_mode_sense(cdb, CDB_AUTO, 0, 0x3f, 0, false, 256), 10);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
	uint8_t cdb[CDB_BUF_LEN];

	assert_refused(cdb, cdb_read(cdb, CDB_10, UINT32_MAX + 1ull, 1, 0));
	assert_refused(cdb, cdb_read(cdb, CDB_10, 0, UINT16_MAX + 1u, 0));
	assert_refused(cdb, cdb_read(cdb, CDB_12, UINT32_MAX + 1ull, 1, 0));
	assert_refused(cdb, cdb_read(cdb, CDB_6, 0, 0, 0));
	assert_refused(cdb, cdb_read(cdb, CDB_6, 0, 257, 0));
	assert_refused(cdb, cdb_read(cdb, CDB_6, 0x200000, 1, 0));
	assert_refused(cdb, cdb_read(cdb, CDB_6, 0, 1, CDB_FUA));
	assert_refused(cdb, cdb_read(cdb, CDB_AUTO, 0, 1, CDB_UNMAP));
	assert_refused(cdb, cdb_write_same(cdb, CDB_10, 0, 1, CDB_NDOB));
	assert_refused(cdb, cdb_compare_and_write(cdb, 0, 1, CDB_IMMED));
	assert_refused(cdb, cdb_orwrite(cdb, 0, 1, CDB_IMMED));
	assert_refused(cdb, cdb_write_atomic(cdb, 0, 0, 1, CDB_IMMED));
	assert_refused(cdb, cdb_unmap(cdb, 24, CDB_FUA));
	assert_refused(cdb, cdb_start_stop(cdb, true, true, CDB_FUA));
	assert_refused(cdb, cdb_prevent_allow(cdb, 4));
	assert_refused(cdb, cdb_mode_sense(cdb, CDB_6, 0, 8, 0, false, 256));
	assert_refused(cdb, cdb_mode_sense(cdb, CDB_16, 0, 8, 0, false, 1));
	assert_refused(cdb, cdb_mode_sense(cdb, CDB_6, 4, 8, 0, false, 1));
	assert_refused(cdb, cdb_mode_select(cdb, CDB_6, false, 256));
	assert_refused(cdb, cdb_log_sense(cdb, 0x40, 0, 1));
	assert_refused(cdb, cdb_report_opcodes(cdb, 8, 0, 0, false, 1));
	assert_refused(cdb, cdb_pr_in(cdb, 0x20, 1));
	assert_refused(cdb, cdb_pr_out(cdb, 0x20, 0, 1));
}
END_TEST

START_TEST(six_byte_form_says_256_by_0)
{
	uint8_t cdb[CDB_BUF_LEN];
	struct cdb_info info;

	assert_sound(cdb, cdb_write(cdb, CDB_6, 0x1fffff, 256, 0), &info);
	ck_assert_uint_eq(cdb[4], 0);
	ck_assert_uint_eq(info.blocks, 256);
	ck_assert_uint_eq(info.lba, 0x1fffff);
}
END_TEST

START_TEST(bytes_as_in_the_standard)
{
	static const uint8_t inquiry[6] = { 0x12, 0x01, 0x83, 0x00, 0xfc, 0x00 };
	static const uint8_t write10[10] = { 0x2a, 0x18, 0, 0, 0x10, 0, 0, 0, 8, 0 };
	static const uint8_t verify16[16] = { 0x8f, 0x06, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1 };
	static const uint8_t sense10[10] = { 0x5a, 0x08, 0x48, 0, 0, 0, 0, 2, 0, 0 };
	static const uint8_t opcodes[12] = { 0xa3, 0x0c, 0x82, 0x9e, 0, 0x10, 0, 0, 0, 64 };
	uint8_t cdb[CDB_BUF_LEN];

	ck_assert_uint_eq(cdb_inquiry_vpd(cdb, 0x83, 252), 6);
	ck_assert_mem_eq(cdb, inquiry, 6);
	ck_assert_uint_eq(cdb_write(cdb, CDB_10, 4096, 8, CDB_FUA | CDB_DPO), 10);
	ck_assert_mem_eq(cdb, write10, 10);
	ck_assert_uint_eq(cdb_verify(cdb, CDB_16, 1ull << 32, 1, CDB_BYTCHK_3), 16);
	ck_assert_mem_eq(cdb, verify16, 16);
	ck_assert_uint_eq(cdb_mode_sense(cdb, CDB_10, 1, 8, 0, true, 512), 10);
	ck_assert_mem_eq(cdb, sense10, 10);
	ck_assert_uint_eq(cdb_report_opcodes(cdb, 2, 0x9e, 0x10, true, 64), 12);
	ck_assert_mem_eq(cdb, opcodes, 12);
}
END_TEST

START_TEST(the_others_are_sound)
{
	uint8_t c[CDB_BUF_LEN];
	struct cdb_info i;

#define SOUND(call, which, n)                                                  \
	do {                                                                   \
		assert_sound(c, (call), &i);                                   \
		ck_assert_uint_eq(i.op->id, (which));                          \
		ck_assert_uint_eq(i.bytes, (n));                               \
	} while (0)
	SOUND(cdb_tur(c), OP_TEST_UNIT_READY, 0);
	SOUND(cdb_request_sense(c, true, 252), OP_REQUEST_SENSE, 252);
	SOUND(cdb_inquiry(c, 36), OP_INQUIRY, 36);
	SOUND(cdb_readcap10(c), OP_READ_CAPACITY_10, 8);
	SOUND(cdb_readcap16(c, 32), OP_READ_CAPACITY_16, 32);
	SOUND(cdb_report_luns(c, 2, 16384), OP_REPORT_LUNS, 16384);
	SOUND(cdb_unmap(c, 24, CDB_ANCHOR), OP_UNMAP, 24);
	SOUND(cdb_get_lba_status(c, 77, 24), OP_GET_LBA_STATUS, 24);
	ck_assert_uint_eq(i.lba, 77);
	SOUND(cdb_start_stop(c, true, true, CDB_IMMED), OP_START_STOP_UNIT, 0);
	SOUND(cdb_prevent_allow(c, 1), OP_PREVENT_ALLOW, 0);
	SOUND(cdb_mode_select(c, CDB_AUTO, true, 24), OP_MODE_SELECT_6, 24);
	SOUND(cdb_mode_select(c, CDB_AUTO, false, 300), OP_MODE_SELECT_10, 300);
	SOUND(cdb_log_sense(c, 0x0d, 0, 64), OP_LOG_SENSE, 64);
	SOUND(cdb_report_tmfs(c, 4), OP_REPORT_SUPPORTED_TMFS, 4);
	SOUND(cdb_report_tpgs(c, 128), OP_REPORT_TARGET_PORT_GROUPS, 128);
	SOUND(cdb_pr_in(c, 3, 512), OP_PRIN_READ_FULL_STATUS, 512);
	SOUND(cdb_pr_out(c, 1, 0x05, 24), OP_PROUT_RESERVE, 24);
	SOUND(cdb_compare_and_write(c, 9, 2, CDB_FUA), OP_COMPARE_AND_WRITE, 2048);
	SOUND(cdb_orwrite(c, 9, 2, CDB_DPO), OP_ORWRITE_16, 1024);
	SOUND(cdb_write_atomic(c, 9, 4, 2, 0), OP_WRITE_ATOMIC_16, 1024);
	ck_assert_uint_eq(c[11], 4);
#undef SOUND
}
END_TEST

CHECK_MAIN("scsi cdb builders", block_commands_round_trip, the_smallest_form_is_taken,
    what_does_not_fit_is_refused, six_byte_form_says_256_by_0, bytes_as_in_the_standard,
    the_others_are_sound)
