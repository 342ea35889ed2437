/* every row of the opcode table keeps the properties that its users rely on */
#include "check_main.h"
#include "scsi/cdb.h"

#include <string.h>

static bool
has_group_length(const struct op_info *op)
{
	return op->flags & OP_F_VARLEN || cdb_len_by_opcode(op->opcode) == op->cdb_len;
}

START_TEST(rows_are_complete_and_in_order)
{
	const struct op_info *prev = NULL;
	unsigned n = 0;

	for (const struct op_info *op = op_next(NULL); op != NULL; op = op_next(op), n++) {
		ck_assert_uint_eq(op->id, n);
		ck_assert_ptr_eq(op_get(op->id), op);
		ck_assert_ptr_nonnull(op->name);
		ck_assert_msg(has_group_length(op), "%s: length", op->name);
		if (prev != NULL) {
			ck_assert_msg(prev->opcode < op->opcode ||
			    (prev->opcode == op->opcode && prev->sa < op->sa &&
			    prev->sa_place != OP_SA_NONE),
			    "%s comes after %s", prev->name, op->name);
		}
		prev = op;
	}
	ck_assert_uint_eq(n, OP_N);
}
END_TEST

START_TEST(names_are_unique)
{
	for (unsigned a = 0; a < OP_N; a++) {
		for (unsigned b = a + 1; b < OP_N; b++)
			ck_assert_str_ne(
			    op_get((enum op_id)a)->name, op_get((enum op_id)b)->name);
	}
}
END_TEST

/* the row is found again from the CDB it describes, and from opcode and service action */
START_TEST(rows_are_found)
{
	for (const struct op_info *op = op_next(NULL); op != NULL; op = op_next(op)) {
		uint8_t cdb[OP_CDB_MAX];

		ck_assert_uint_eq(op_usage(op, cdb), op->cdb_len);
		ck_assert_ptr_eq(op_find(cdb, op->cdb_len), op);
		ck_assert_ptr_eq(op_find_sa(op->opcode, op->sa), op);
		ck_assert_int_eq(op_has_sa(op->opcode), op->sa_place != OP_SA_NONE);
	}
}
END_TEST

START_TEST(masks_cover_the_fields)
{
	for (const struct op_info *op = op_next(NULL); op != NULL; op = op_next(op)) {
		ck_assert_msg(op->usage[0] == 0xff, "%s: opcode", op->name);
		ck_assert_msg(op->usage[cdb_control_at(op)] == 0, "%s: control", op->name);
		ck_assert_msg(op->sa_place != OP_SA_BYTE1 || (op->usage[1] & 0x1f) == 0x1f,
		    "%s: service action", op->name);
		for (unsigned i = 0; i < op->len_width; i++)
			ck_assert_msg(
			    op->usage[op->len_at + i] == 0xff, "%s: length", op->name);
		for (unsigned i = op->lba_width == 3; i < op->lba_width; i++)
			ck_assert_msg(op->usage[op->lba_at + i] == 0xff, "%s: LBA", op->name);
		for (unsigned i = op->cdb_len; i < OP_CDB_MAX; i++)
			ck_assert_msg(op->usage[i] == 0, "%s: beyond the CDB", op->name);
		ck_assert(op->len_at + op->len_width < op->cdb_len + (op->cdb_len == 32));
		ck_assert(op->lba_at + op->lba_width < op->cdb_len);
	}
}
END_TEST

START_TEST(flags_agree_with_masks)
{
	for (const struct op_info *op = op_next(NULL); op != NULL; op = op_next(op)) {
		uint8_t flags = op->usage[op->flags & OP_F_VARLEN ? 10 : 1];

		if (op->flags & OP_F_PROTECT)
			ck_assert_msg((flags & 0xe0) == 0xe0, "%s: protect", op->name);
		if ((op->flags & OP_F_FUA) == OP_F_FUA)
			ck_assert_msg((flags & 0x18) == 0x18, "%s: FUA", op->name);
		else if (op->flags & OP_F_DPO)
			ck_assert_msg((flags & 0x10) == 0x10, "%s: DPO", op->name);
	}
}
END_TEST

START_TEST(direction_agrees_with_transfer)
{
	for (const struct op_info *op = op_next(NULL); op != NULL; op = op_next(op)) {
		bool is_none = op->xfer == OP_XFER_NONE;
		bool is_wide = op->lba_width >= 4 && (op->len_width == 2 || op->len_width == 4);
		bool is_open = op->xfer == OP_XFER_VERIFY || op->xfer == OP_XFER_ATA;

		ck_assert_msg(is_none == (op->dir == OP_DIR_NONE), "%s", op->name);
		ck_assert_msg(is_open == (op->dir == OP_DIR_BOTH), "%s", op->name);
		/* what cdb_decode() takes for granted of READ, WRITE and their likes */
		ck_assert_msg(op->xfer != OP_XFER_BLOCKS || is_wide, "%s", op->name);
		ck_assert_msg((op->fixed != 0) == (op->xfer == OP_XFER_FIXED), "%s", op->name);
	}
}
END_TEST

/* commands that move user data out never pass as "read" or "info" */
START_TEST(writers_need_a_writer)
{
	for (const struct op_info *op = op_next(NULL); op != NULL; op = op_next(op)) {
		bool is_writer = op->dir == OP_DIR_OUT && op->lba_width != 0;

		if (is_writer)
			ck_assert_msg(op->policy == OP_WRITE, "%s", op->name);
		if (op->policy == OP_INFO)
			ck_assert_msg(op->dir != OP_DIR_OUT, "%s", op->name);
	}
}
END_TEST

START_TEST(three_commands_pass_unit_attentions)
{
	for (const struct op_info *op = op_next(NULL); op != NULL; op = op_next(op)) {
		bool is_exempt = op->id == OP_INQUIRY || op->id == OP_REPORT_LUNS ||
		    op->id == OP_REQUEST_SENSE;

		ck_assert_int_eq(is_exempt, (op->flags & OP_F_UA_EXEMPT) != 0);
	}
}
END_TEST

START_TEST(unknown_is_null)
{
	uint8_t cdb[16] = { 0xc0 };

	ck_assert_ptr_null(op_find(cdb, 16));
	ck_assert_ptr_null(op_find(cdb, 0));
	cdb[0] = 0x9e;
	cdb[1] = 0x1f;
	ck_assert_ptr_null(op_find(cdb, 16));
	cdb[1] = 0x10;
	ck_assert_ptr_null(op_find(cdb, 1));
	ck_assert_ptr_eq(op_find(cdb, 2), op_get(OP_READ_CAPACITY_16));
	cdb[0] = 0x7f;
	ck_assert_ptr_null(op_find(cdb, 9));
	ck_assert(!op_has_sa(0xc0));
	ck_assert_ptr_null(op_find_sa(0x48, 0x04));
}
END_TEST

START_TEST(usage_data_as_published)
{
	static const uint8_t readcap16[16] = { 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0,
		0xff, 0xff, 0xff, 0xff, 0, 0 };
	uint8_t usage[OP_CDB_MAX];

	ck_assert_uint_eq(op_usage(op_get(OP_READ_CAPACITY_16), usage), 16);
	ck_assert_mem_eq(usage, readcap16, 16);
	ck_assert_uint_eq(op_usage(op_get(OP_SANITIZE_OVERWRITE), usage), 10);
	ck_assert_uint_eq(usage[1], 0xa1);
	ck_assert_uint_eq(op_usage(op_get(OP_WRITE_32), usage), 32);
	ck_assert_uint_eq(usage[9], 0x0b);
}
END_TEST

START_TEST(words)
{
	ck_assert_str_eq(op_dir_name(OP_DIR_BOTH), "both");
	for (unsigned i = 0; i < OP_POLICY_N; i++)
		ck_assert_ptr_nonnull(op_policy_name((enum op_policy)i));
}
END_TEST

CHECK_MAIN("scsi opcode rows", rows_are_complete_and_in_order, names_are_unique, rows_are_found,
    masks_cover_the_fields, flags_agree_with_masks, direction_agrees_with_transfer,
    writers_need_a_writer, three_commands_pass_unit_attentions, unknown_is_null,
    usage_data_as_published, words)
