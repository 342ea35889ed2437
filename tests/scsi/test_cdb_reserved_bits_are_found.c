/* a bit the command does not define is found, at its byte and bit; a defined one is not */
#include "check_main.h"
#include "scsi/cdb.h"

/* what the rule says about bit @bit of byte @byte, taken from mask and control byte only */
static bool
may_be_set(const struct op_info *op, unsigned byte, unsigned bit)
{
	if (byte == cdb_control_at(op))
		return bit >= 6;
	return (op->usage[byte] >> bit & 1) != 0;
}

START_TEST(every_bit_of_every_command)
{
	for (const struct op_info *op = op_next(NULL); op != NULL; op = op_next(op)) {
		for (unsigned i = 8; i < op->cdb_len * 8u; i++) {
			uint8_t cdb[OP_CDB_MAX] = { op->opcode };
			uint8_t byte = 0xee, bit = 0xee;
			bool is_bad;

			cdb[i / 8] = (uint8_t)(1u << i % 8);
			is_bad = cdb_reserved_bit(op, cdb, op->cdb_len, &byte, &bit);
			ck_assert_msg(is_bad != may_be_set(op, i / 8, i % 8), "%s %u.%u",
			    op->name, i / 8, i % 8);
			ck_assert_uint_eq(byte, is_bad ? i / 8 : 0xee);
			ck_assert_uint_eq(bit, is_bad ? i % 8 : 0xee);
		}
	}
}
END_TEST

START_TEST(highest_bit_of_the_first_byte)
{
	uint8_t cdb[6] = { 0x00, 0x00, 0x51, 0xff, 0x00, 0x04 };
	uint8_t byte, bit;

	ck_assert(cdb_reserved_bit(op_get(OP_TEST_UNIT_READY), cdb, 6, &byte, &bit));
	ck_assert_uint_eq(byte, 2);
	ck_assert_uint_eq(bit, 6);
}
END_TEST

START_TEST(naca_and_link_are_refused_vendor_bits_not)
{
	uint8_t cdb[6] = { 0x00, 0, 0, 0, 0, 0xc4 };
	uint8_t byte, bit;

	ck_assert(cdb_reserved_bit(op_get(OP_TEST_UNIT_READY), cdb, 6, &byte, &bit));
	ck_assert_uint_eq(byte, 5);
	ck_assert_uint_eq(bit, 2);
	cdb[5] = 0x01;
	ck_assert(cdb_reserved_bit(op_get(OP_TEST_UNIT_READY), cdb, 6, &byte, &bit));
	cdb[5] = 0xc0;
	ck_assert(!cdb_reserved_bit(op_get(OP_TEST_UNIT_READY), cdb, 6, &byte, &bit));
}
END_TEST

START_TEST(shared_fields)
{
	uint8_t cdb[32] = { 0x28, 0xb8 };
	const struct op_info *op = op_get(OP_READ_10);

	ck_assert_uint_eq(cdb_protect(op, cdb), 5);
	ck_assert(cdb_dpo(op, cdb) && cdb_fua(op, cdb));
	cdb[1] = 0x10;
	ck_assert(cdb_dpo(op, cdb) && !cdb_fua(op, cdb));
	op = op_get(OP_VERIFY_10);
	cdb[1] = 0x3e;	/* bit 3 is no FUA in VERIFY */
	ck_assert(cdb_dpo(op, cdb) && !cdb_fua(op, cdb));
	ck_assert_uint_eq(cdb_protect(op, cdb), 1);
	op = op_get(OP_INQUIRY);
	cdb[1] = 0xff;
	ck_assert(!cdb_dpo(op, cdb) && !cdb_fua(op, cdb));
	ck_assert_uint_eq(cdb_protect(op, cdb), 0);
	op = op_get(OP_WRITE_32);
	cdb[10] = 0x28;
	ck_assert(!cdb_dpo(op, cdb) && cdb_fua(op, cdb));
	ck_assert_uint_eq(cdb_protect(op, cdb), 1);
}
END_TEST

CHECK_MAIN("scsi reserved bits", every_bit_of_every_command, highest_bit_of_the_first_byte,
    naca_and_link_are_refused_vendor_bits_not, shared_fields)
