/*
 * conflict.c: every command is decided, and as the standards decide
 *
 * The standards' tables are written down here once more in another shape: for each command the
 * letters of SPC-4 table 33 and SBC-3 table 15, A allowed, C conflict, in their order: held by
 * another Write Exclusive, Exclusive Access; registered (all RO and AR types); not registered
 * Write Exclusive RO or AR, Exclusive Access RO or AR. A sixth letter is for RESERVE of another.
 */
#include "check_main.h"
#include "lu/pr.h"
#include "lu/reserve.h"
#include "scsi/opcode.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;	/* of the command, or how its name begins with '*' at the end */
	const char *letters;
} table[] = {
	{ "TEST UNIT READY", "AAAAAC" },
	{ "REQUEST SENSE", "AAAAAA" },
	{ "FORMAT UNIT", "CCACCC" },
	{ "REASSIGN BLOCKS", "CCACCC" },
	{ "READ(*", "ACAACC" },
	{ "WRITE(*", "CCACCC" },
	{ "INQUIRY", "AAAAAA" },
	{ "MODE SELECT(*", "CCACCC" },
	{ "MODE SENSE(*", "ACAACC" },
	{ "RESERVE(*", "CCACCC" },
	{ "RELEASE(*", "CCACCA" },
	{ "START STOP UNIT", "CCACCC" },	/* stop; start: below */
	{ "RECEIVE DIAGNOSTIC RESULTS", "ACAACC" },
	{ "SEND DIAGNOSTIC", "CCACCC" },
	{ "PREVENT ALLOW MEDIUM REMOVAL", "CCACCC" },	/* prevent; allow: below */
	{ "READ CAPACITY(*", "AAAAAA" },
	{ "WRITE AND VERIFY(*", "CCACCC" },
	{ "VERIFY(*", "ACAACC" },
	{ "PRE-FETCH(*", "ACAACC" },
	{ "SYNCHRONIZE CACHE(*", "CCACCC" },
	{ "READ DEFECT DATA(*", "ACAACC" },
	{ "WRITE BUFFER", "CCACCC" },
	{ "READ BUFFER(*", "ACAACC" },
	{ "READ LONG(*", "CCACCC" },
	{ "WRITE LONG(*", "CCACCC" },
	{ "WRITE SAME(*", "CCACCC" },
	{ "UNMAP", "CCACCC" },
	{ "SANITIZE*", "CCACCC" },
	{ "LOG SELECT", "CCACCC" },
	{ "LOG SENSE", "AAAAAA" },
	{ "PERSISTENT RESERVE*", "AAAAAC" },	/* keys decide */
	{ "EXTENDED COPY*", "CCACCC" },
	{ "POPULATE TOKEN", "ACAACC" },
	{ "WRITE USING TOKEN", "CCACCC" },
	{ "COPY OPERATION ABORT", "CCACCC" },
	{ "RECEIVE*", "ACAACC" },		/* copy results, token information */
	{ "REPORT ALL ROD TOKENS", "ACAACC" },
	{ "ATA PASS-THROUGH(*", "CCACCC" },
	{ "COMPARE AND WRITE", "CCACCC" },
	{ "ORWRITE(*", "CCACCC" },
	{ "WRITE ATOMIC(*", "CCACCC" },
	{ "GET LBA STATUS", "ACAACC" },
	{ "REPORT LUNS", "AAAAAA" },
	{ "SECURITY PROTOCOL IN", "ACAACC" },
	{ "SECURITY PROTOCOL OUT", "CCACCC" },
	{ "REPORT SUPPORTED*", "ACAACC" },
	{ "REPORT*", "AAAAAA" },		/* identifying information, port groups, aliases,
						 * priority, timestamp */
	{ "READ MEDIA SERIAL NUMBER", "AAAAAA" },
	{ "SET*", "CCACCC" },
	{ "CHANGE ALIASES", "CCACCC" },
};

/* which letter a column is judged by */
static const int letter_of[CONFLICT_N] = {
	[CONFLICT_WE] = 0, [CONFLICT_EA] = 1, [CONFLICT_WR_REGISTERED] = 2,
	[CONFLICT_ER_REGISTERED] = 2, [CONFLICT_WR_OTHER] = 3, [CONFLICT_ER_OTHER] = 4,
	[CONFLICT_RESERVED] = 5,
};

static const char *
letters_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		size_t len = strlen(table[i].name);

		if (table[i].name[len - 1] == '*' ? strncmp(name, table[i].name, len - 1) == 0 :
		    strcmp(name, table[i].name) == 0)
			return table[i].letters;
	}
	return NULL;
}

static void
judge(const struct op_info *op, const uint8_t *cdb, const char *letters)
{
	for (int c = 0; c < CONFLICT_N; c++)
		ck_assert_msg(conflict_allows(op, cdb, (enum conflict_column)c) ==
		    (letters[letter_of[c]] == 'A'), "%s: column %d", op->name, c);
}

START_TEST(every_command)
{
	size_t n = 0;

	for (const struct op_info *op = op_next(NULL); op != NULL; op = op_next(op)) {
		/* the strict form of those that have two */
		uint8_t cdb[OP_CDB_MAX] = { op->opcode, [4] = op->id == OP_PREVENT_ALLOW };
		const char *letters = letters_of(op->name);

		ck_assert_msg(conflict_is_decided(op->id), "%s is not decided", op->name);
		ck_assert_msg(letters != NULL, "%s: nobody has written down what is right",
		    op->name);
		judge(op, cdb, letters);
		n++;
	}
	ck_assert_uint_eq(n, OP_N);
}
END_TEST

START_TEST(fields_decide)
{
	const struct op_info *start = op_get(OP_START_STOP_UNIT);
	const struct op_info *prevent = op_get(OP_PREVENT_ALLOW);

	for (unsigned int byte = 0; byte < 256; byte++) {
		uint8_t cdb[6] = { 0x1b, [4] = (uint8_t)byte };
		bool is_start = (byte & 1) != 0 && byte >> 4 == 0;
		bool is_allow = (byte & 3) == 0;

		judge(start, cdb, is_start ? "AAAAAA" : "CCACCC");
		cdb[0] = 0x1e;
		judge(prevent, cdb, is_allow ? "AAAAAA" : "CCACCC");
	}
}
END_TEST

START_TEST(what_nobody_knows_is_stopped)
{
	static const uint8_t cdb[16] = { 0xc5 };

	for (int c = 0; c < CONFLICT_N; c++)
		ck_assert(!conflict_allows(NULL, cdb, (enum conflict_column)c));
}
END_TEST

CHECK_MAIN("conflicts", every_command, fields_decide, what_nobody_knows_is_stopped)
