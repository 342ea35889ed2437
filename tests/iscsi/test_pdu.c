/* test_pdu.c - headers: lengths, what an initiator may send, what we send */
#include <string.h>

#include "check_main.h"
#include "iscsi/pdu.h"

#define DATA_MAX	8192

/* a header with @data_len bytes of data; tag 1 */
static void
header(uint8_t *bhs, uint8_t opcode, uint8_t flags, uint32_t data_len)
{
	iscsi_pdu_init(bhs, (enum iscsi_opcode)opcode, flags, 1);
	iscsi_pdu_put_data_len(bhs, data_len);
}

static enum iscsi_reject
check(uint8_t opcode, uint8_t flags, uint32_t data_len, uint32_t edtl)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	header(bhs, opcode, flags, data_len);
	be32_put(bhs + ISCSI_O_EDTL, edtl);
	return iscsi_pdu_check(bhs, DATA_MAX);
}

START_TEST(lengths_on_the_wire)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	header(bhs, ISCSI_OP_SCSI_CMD, 0, 0);
	ck_assert_uint_eq(iscsi_pdu_wire_len(bhs, false, true), 48);
	ck_assert_uint_eq(iscsi_pdu_wire_len(bhs, true, true), 52);
	iscsi_pdu_put_data_len(bhs, 5);
	ck_assert_uint_eq(iscsi_pdu_wire_len(bhs, false, false), 56);
	ck_assert_uint_eq(iscsi_pdu_wire_len(bhs, true, true), 64);
	bhs[ISCSI_O_AHS_WORDS] = 255;
	iscsi_pdu_put_data_len(bhs, 0xffffff);
	ck_assert_uint_eq(iscsi_pdu_wire_len(bhs, true, true), 48 + 1020 + 4 + 0x1000000 + 4);
	for (uint32_t len = 0; len < 9; len++)
		ck_assert_uint_eq((len + iscsi_pdu_pad(len)) % 4, 0);
}
END_TEST

START_TEST(opcodes_that_initiators_have)
{
	static const uint8_t good[] = { 0x00, 0x02, 0x04, 0x05, 0x06, 0x10 };

	for (uint8_t op = 0; op < 0x40; op++) {
		bool is_good = memchr(good, op, sizeof(good)) != NULL || op == ISCSI_OP_SCSI_CMD;
		enum iscsi_reject want = is_good ? ISCSI_REJECT_NONE :
			op == ISCSI_OP_LOGIN ? ISCSI_REJECT_PROTOCOL : ISCSI_REJECT_UNSUPPORTED;

		ck_assert_uint_eq(check(op, ISCSI_FINAL, 0, 0), want);
		ck_assert_uint_eq(check(op | ISCSI_IMMEDIATE, ISCSI_FINAL, 0, 0), want);
	}
	ck_assert_str_eq(iscsi_opcode_name(0x41), "SCSI Command");
	ck_assert_ptr_null(iscsi_opcode_name(0x1e));
}
END_TEST

START_TEST(flags_of_scsi_commands)
{
	const uint8_t w = ISCSI_CMD_WRITE, r = ISCSI_CMD_READ, f = ISCSI_FINAL;

	ck_assert_uint_eq(check(1, f | r, 0, 512), ISCSI_REJECT_NONE);
	ck_assert_uint_eq(check(1, f | w, 512, 512), ISCSI_REJECT_NONE);
	ck_assert_uint_eq(check(1, w, 0, 512), ISCSI_REJECT_NONE);
	ck_assert_uint_eq(check(1, f | w | r, 4, 512), ISCSI_REJECT_NONE);
	ck_assert_uint_eq(check(1, f | ISCSI_ATTR_ACA, 0, 0), ISCSI_REJECT_NONE);
	ck_assert_uint_eq(check(1, f | 5, 0, 0), ISCSI_REJECT_FIELD);
	ck_assert_uint_eq(check(1, f | 7, 0, 0), ISCSI_REJECT_FIELD);
	/* nothing to come, and not the end either */
	ck_assert_uint_eq(check(1, r, 0, 512), ISCSI_REJECT_FIELD);
	ck_assert_uint_eq(check(1, 0, 0, 0), ISCSI_REJECT_FIELD);
	/* data where none belongs, and more of it than expected */
	ck_assert_uint_eq(check(1, f | r, 4, 512), ISCSI_REJECT_FIELD);
	ck_assert_uint_eq(check(1, f | w, 513, 512), ISCSI_REJECT_PROTOCOL);
	ck_assert_uint_eq(check(1, f | w, DATA_MAX + 1, 0xffffffff), ISCSI_REJECT_PROTOCOL);
}
END_TEST

START_TEST(fields_of_other_requests)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	ck_assert_uint_eq(check(ISCSI_OP_TEXT, ISCSI_FINAL | ISCSI_TEXT_CONTINUE, 4, 0),
	    ISCSI_REJECT_PROTOCOL);
	ck_assert_uint_eq(check(ISCSI_OP_TEXT, ISCSI_TEXT_CONTINUE, 4, 0), ISCSI_REJECT_NONE);
	ck_assert_uint_eq(check(ISCSI_OP_LOGOUT, 0x80 | 2, 0, 0), ISCSI_REJECT_NONE);
	ck_assert_uint_eq(check(ISCSI_OP_LOGOUT, 0x80 | 3, 0, 0), ISCSI_REJECT_FIELD);
	ck_assert_uint_eq(check(ISCSI_OP_SNACK, 0x80 | 3, 0, 0), ISCSI_REJECT_NONE);
	ck_assert_uint_eq(check(ISCSI_OP_SNACK, 0x80 | 4, 0, 0), ISCSI_REJECT_SNACK);
	ck_assert_uint_eq(check(ISCSI_OP_TMF, 0x80 | 1, 4, 0), ISCSI_REJECT_FIELD);
	ck_assert_uint_eq(check(ISCSI_OP_LOGOUT, 0x80, 4, 0), ISCSI_REJECT_FIELD);
	ck_assert_uint_eq(check(ISCSI_OP_SNACK, 0x80, 4, 0), ISCSI_REJECT_FIELD);
	ck_assert_uint_eq(check(ISCSI_OP_DATA_OUT, 0, DATA_MAX + 1, 0), ISCSI_REJECT_PROTOCOL);

	/* additional headers only with a command */
	header(bhs, ISCSI_OP_NOP_OUT, ISCSI_FINAL, 0);
	bhs[ISCSI_O_AHS_WORDS] = 1;
	ck_assert_uint_eq(iscsi_pdu_check(bhs, DATA_MAX), ISCSI_REJECT_FIELD);
	header(bhs, ISCSI_OP_SCSI_CMD, ISCSI_FINAL, 0);
	bhs[ISCSI_O_AHS_WORDS] = 255;
	ck_assert_uint_eq(iscsi_pdu_check(bhs, DATA_MAX), ISCSI_REJECT_NONE);
}
END_TEST

START_TEST(the_reserved_tag)
{
	static const uint8_t tagged[] = { 0x01, 0x02, 0x04, 0x05, 0x06 };
	uint8_t bhs[ISCSI_BHS_LEN];

	for (size_t i = 0; i < sizeof(tagged); i++) {
		header(bhs, tagged[i], ISCSI_FINAL, 0);
		be32_put(bhs + ISCSI_O_ITT, ISCSI_TAG_NONE);
		ck_assert_uint_eq(iscsi_pdu_check(bhs, DATA_MAX), ISCSI_REJECT_FIELD);
	}
	header(bhs, ISCSI_OP_SNACK, ISCSI_FINAL | ISCSI_SNACK_STATUS, 0);
	be32_put(bhs + ISCSI_O_ITT, ISCSI_TAG_NONE);
	ck_assert_uint_eq(iscsi_pdu_check(bhs, DATA_MAX), ISCSI_REJECT_NONE);
	/* a ping that wants no answer is immediate */
	header(bhs, ISCSI_OP_NOP_OUT, ISCSI_FINAL, 0);
	be32_put(bhs + ISCSI_O_ITT, ISCSI_TAG_NONE);
	ck_assert_uint_eq(iscsi_pdu_check(bhs, DATA_MAX), ISCSI_REJECT_FIELD);
	bhs[0] |= ISCSI_IMMEDIATE;
	ck_assert_uint_eq(iscsi_pdu_check(bhs, DATA_MAX), ISCSI_REJECT_NONE);
}
END_TEST

START_TEST(serial_numbers_wrap)
{
	ck_assert(iscsi_sn_lt(0xffffffff, 0));
	ck_assert(!iscsi_sn_lt(0, 0xffffffff));
	ck_assert(iscsi_sn_le(5, 5) && !iscsi_sn_lt(5, 5));
	ck_assert(iscsi_sn_le(0xfffffff0, 0x10) && !iscsi_sn_le(0x10, 0xfffffff0));
}
END_TEST

START_TEST(additional_headers)
{
	uint8_t cdb32[20] = { 0, 17, ISCSI_AHS_EXT_CDB, 0, 0xaa };
	uint8_t bidi[8] = { 0, 5, ISCSI_AHS_BIDI_READ, 0, 0, 0, 2, 0 };
	uint8_t both[28], longest[248] = { 0, 245, ISCSI_AHS_EXT_CDB };
	struct iscsi_ahs ahs;

	ck_assert_int_eq(iscsi_ahs_parse(cdb32, sizeof(cdb32), &ahs), 0);
	ck_assert_ptr_eq(ahs.ext_cdb, cdb32 + 4);
	ck_assert_uint_eq(ahs.ext_cdb_len, 16);
	ck_assert(!ahs.has_bidi);
	ck_assert_int_eq(iscsi_ahs_parse(bidi, sizeof(bidi), &ahs), 0);
	ck_assert_uint_eq(ahs.bidi_read_len, 512);
	ck_assert_ptr_null(ahs.ext_cdb);
	memcpy(both, bidi, 8);
	memcpy(both + 8, cdb32, 20);
	ck_assert_int_eq(iscsi_ahs_parse(both, sizeof(both), &ahs), 0);
	ck_assert(ahs.has_bidi && ahs.ext_cdb_len == 16);
	ck_assert_int_eq(iscsi_ahs_parse(longest, sizeof(longest), &ahs), 0);
	ck_assert_uint_eq(ahs.ext_cdb_len, 244);
	ck_assert_int_eq(iscsi_ahs_parse(NULL, 0, &ahs), 0);
	ck_assert(ahs.ext_cdb == NULL && !ahs.has_bidi);
}
END_TEST

START_TEST(additional_headers_that_lie)
{
	static const uint8_t bad[][12] = {
		{ 0, 17, ISCSI_AHS_EXT_CDB },		/* beyond the end */
		{ 0xff, 0xff, ISCSI_AHS_EXT_CDB },
		{ 0, 1, ISCSI_AHS_EXT_CDB },		/* no CDB in it */
		{ 0, 0, ISCSI_AHS_EXT_CDB },
		{ 0, 4, ISCSI_AHS_BIDI_READ },		/* wrong length for its type */
		{ 0, 9, 3 },				/* no such type */
		{ 0, 5, 0x3f },
		{ 0, 2, ISCSI_AHS_EXT_CDB, 0, 0, 0, 0, 0, 0, 1, ISCSI_AHS_BIDI_READ },
	};
	uint8_t twice[16] = { 0, 5, ISCSI_AHS_BIDI_READ, 0, 0, 0, 0, 0, 0, 5, ISCSI_AHS_BIDI_READ };
	uint8_t cdbs[16] = { 0, 5, ISCSI_AHS_EXT_CDB, 0, 0, 0, 0, 0, 0, 5, ISCSI_AHS_EXT_CDB };
	uint8_t too_long[252] = { 0, 246, ISCSI_AHS_EXT_CDB };
	struct iscsi_ahs ahs = { .ext_cdb_len = 77 };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint8_t *exact = malloc(12);

		memcpy(exact, bad[i], 12);
		ck_assert_int_lt(iscsi_ahs_parse(exact, 12, &ahs), 0);
		free(exact);
	}
	ck_assert_int_lt(iscsi_ahs_parse(twice, sizeof(twice), &ahs), 0);
	ck_assert_int_lt(iscsi_ahs_parse(cdbs, sizeof(cdbs), &ahs), 0);
	ck_assert_int_lt(iscsi_ahs_parse(too_long, sizeof(too_long), &ahs), 0);
	ck_assert_int_lt(iscsi_ahs_parse(bad[0], 3, &ahs), 0);
	ck_assert_uint_eq(ahs.ext_cdb_len, 77);
}
END_TEST

START_TEST(headers_that_we_send)
{
	static const uint8_t lun[8] = { 0, 3 };
	static const uint16_t params[3] = { 1, 2, 3 };
	const struct iscsi_sns sns = { 10, 20, 30 };
	uint8_t bhs[ISCSI_BHS_LEN], request[ISCSI_BHS_LEN];

	iscsi_pdu_scsi_rsp(bhs, 7, &sns, ISCSI_RSP_UNDER, ISCSI_RSP_COMPLETED, 2);
	ck_assert_int_eq(memcmp(bhs, "\x21\x82\x00\x02", 4), 0);
	ck_assert_uint_eq(iscsi_pdu_u32(bhs, ISCSI_O_ITT), 7);
	ck_assert_uint_eq(iscsi_pdu_u32(bhs, 24), 10);
	ck_assert_uint_eq(iscsi_pdu_u32(bhs, 28), 20);
	ck_assert_uint_eq(iscsi_pdu_u32(bhs, 32), 30);
	iscsi_pdu_data_in(bhs, 7, ISCSI_TAG_NONE, &sns, ISCSI_FINAL, 4096);
	ck_assert_int_eq(memcmp(bhs, "\x25\x80\x00\x00\x00\x00\x10\x00", 8), 0);
	ck_assert_uint_eq(iscsi_pdu_u32(bhs, ISCSI_O_TTT), ISCSI_TAG_NONE);
	iscsi_pdu_r2t(bhs, lun, 7, 9, &sns);
	ck_assert_int_eq(memcmp(bhs, "\x31\x80", 2), 0);
	ck_assert_int_eq(memcmp(bhs + 8, lun, 8), 0);
	ck_assert_uint_eq(iscsi_pdu_u32(bhs, ISCSI_O_TTT), 9);
	iscsi_pdu_nop_in(bhs, lun, ISCSI_TAG_NONE, 9, &sns, 0);
	ck_assert_int_eq(memcmp(bhs, "\x20\x80", 2), 0);
	iscsi_pdu_tmf_rsp(bhs, 7, &sns, ISCSI_TMF_NO_TASK);
	ck_assert_int_eq(memcmp(bhs, "\x22\x80\x01", 3), 0);
	header(request, ISCSI_OP_TEXT, ISCSI_FINAL, 0);
	memcpy(request + 8, lun, 8);
	iscsi_pdu_text_rsp(bhs, request, 5, &sns, ISCSI_TEXT_CONTINUE, 12);
	ck_assert_int_eq(memcmp(bhs, "\x24\x40\0\0\0\0\0\x0c\0\x03", 10), 0);
	ck_assert_uint_eq(iscsi_pdu_u32(bhs, ISCSI_O_ITT), 1);
	iscsi_pdu_logout_rsp(bhs, 7, &sns, ISCSI_LOGOUT_NO_CID, 2, 20);
	ck_assert_int_eq(memcmp(bhs, "\x26\x80\x01", 3), 0);
	ck_assert_uint_eq(iscsi_pdu_u16(bhs, ISCSI_O_TIME_2_WAIT), 2);
	ck_assert_uint_eq(iscsi_pdu_u16(bhs, ISCSI_O_TIME_2_RETAIN), 20);
	iscsi_pdu_reject(bhs, &sns, ISCSI_REJECT_FIELD);
	ck_assert_int_eq(memcmp(bhs, "\x3f\x80\x09\0\0\0\0\x30", 8), 0);
	ck_assert_uint_eq(iscsi_pdu_u32(bhs, ISCSI_O_ITT), ISCSI_TAG_NONE);
	iscsi_pdu_async(bhs, lun, &sns, ISCSI_ASYNC_LOGOUT, params);
	ck_assert_int_eq(memcmp(bhs, "\x32\x80", 2), 0);
	ck_assert_int_eq(memcmp(bhs + 36, "\1\0\0\1\0\2\0\3", 8), 0);
}
END_TEST

CHECK_MAIN("pdu", lengths_on_the_wire, opcodes_that_initiators_have, flags_of_scsi_commands,
	fields_of_other_requests, the_reserved_tag, serial_numbers_wrap, additional_headers,
	additional_headers_that_lie, headers_that_we_send)
