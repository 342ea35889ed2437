/* the commands of test_matrix_of_commands.c: a row each, written from the standards */
#include "mock_matrix.h"

#include "base/compiler.h"

#define CTL	0xc7		/* control byte: vendor bits, NACA, what is obsolete */
#define M	ROW_MEDIUM
#define C	ROW_CHANGES
#define U	ROW_DESPITE_UA
#define Z	ROW_ZERO
#define MET	ROW_MET

#define LBA(at, n)	.lba_at = (at), .lba_len = (n)
#define LEN(at, n)	.len_at = (at), .len_len = (n)
#define XX		0xff

/* LBA 8, two blocks */
#define RW10(op)	10, { op, 0, 0, 0, 0, 8, 0, 0, 2, 0 }
#define RW12(op)	12, { op, 0, 0, 0, 0, 8, 0, 0, 0, 2, 0, 0 }
#define RW16(op)	16, { op, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 2, 0, 0 }
#define OPEN10(b1)	{ 0, b1, XX, XX, XX, XX, 0x1f, XX, XX, CTL }
#define OPEN12(b1)	{ 0, b1, XX, XX, XX, XX, XX, XX, XX, XX, 0x1f, CTL }
#define OPEN16(b1)	{ 0, b1, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, 0x1f, CTL }
#define AT10		LBA(2, 4), LEN(7, 2)
#define AT12		LBA(2, 4), LEN(6, 4)
#define AT16		LBA(2, 8), LEN(10, 4)
#define READ_ROW	'i', 1024, .flags = M | Z, .fence = READS, .shortage = CUT_IS_GOOD
#define WRITE_ROW	'o', 1024, .flags = M | C | Z, .fence = WRITES, .shortage = CUT_IS_GOOD
#define PR_IN_ROW(sa)                                                                          \
	10, { 0x5e, sa, [7] = 1 }, { 0, 0x1f, [7] = XX, XX, CTL }, 'i', 256, .flags = Z,       \
	    .fence = FREE_PR, .shortage = CUT_IS_GOOD, LEN(7, 2)
#define A3_ROW(sa, b2, b3, b45, b10)                                                           \
	12, { 0xa3, sa, [8] = 16 }, { 0, 0x1f, b2, b3, b45, b45, XX, XX, XX, XX, b10, CTL },   \
	    'i', 4096, .shortage = CUT_IS_GOOD, LEN(6, 4)

const struct row matrix_rows[] = {
	{ "TEST UNIT READY", 6, { 0x00 }, { [5] = CTL }, 'n', .flags = M, .fence = FREE_PR },
	{ "REQUEST SENSE", 6, { 0x03, [4] = 18 }, { 0, 0x01, 0, 0, XX, CTL }, 'i', 18,
	    .flags = U | Z, .fence = FREE, .shortage = CUT_IS_GOOD, LEN(4, 1) },
	{ "FORMAT UNIT", 6, { 0x04 }, { 0, XX, XX, XX, XX, CTL }, 'n', .flags = M | C,
	    .fence = WRITES },
	{ "READ(6)", 6, { 0x08, 0, 0, 8, 2 }, { 0, 0x1f, XX, XX, XX, CTL }, 'i', 1024,
	    .flags = M, .fence = READS, .shortage = CUT_IS_GOOD, LBA(1, 3), LEN(4, 1) },
	{ "WRITE(6)", 6, { 0x0a, 0, 0, 8, 2 }, { 0, 0x1f, XX, XX, XX, CTL }, 'o', 1024,
	    .flags = M | C, .fence = WRITES, .shortage = CUT_IS_GOOD, LBA(1, 3), LEN(4, 1) },
	{ "INQUIRY", 6, { 0x12, [4] = 96 }, { 0, 0x03, XX, XX, XX, CTL }, 'i', 96,
	    .flags = U | Z, .fence = FREE, .shortage = CUT_IS_GOOD, LEN(3, 2) },
	{ "MODE SELECT(6)", 6, { 0x15, 0x10, [4] = 4 }, { 0, 0x13, 0, 0, XX, CTL }, 'o', 4,
	    .flags = Z, .fence = WRITES, .shortage = LIST_1A, LEN(4, 1) },
	{ "RESERVE(6)", 6, { 0x16 }, { 0, XX, XX, XX, XX, CTL }, 'n', .fence = WRITES },
	{ "RELEASE(6)", 6, { 0x17 }, { 0, XX, XX, XX, XX, CTL }, 'n', .fence = RELEASES },
	{ "MODE SENSE(6)", 6, { 0x1a, 0, 0x3f, 0, 252 }, { 0, 0x08, XX, XX, XX, CTL }, 'i', 252,
	    .flags = Z, .fence = READS, .shortage = CUT_IS_GOOD, LEN(4, 1) },
	{ "START STOP UNIT, start", 6, { 0x1b, [4] = 1 }, { 0, 0x01, 0, 0x0f, 0xf7, CTL }, 'n',
	    .fence = FREE },
	{ "START STOP UNIT, stop", 6, { 0x1b }, { 0, 0x01, 0, 0x0f, 0xf7, CTL }, 'n',
	    .fence = WRITES },
	{ "RECEIVE DIAGNOSTIC RESULTS", 6, { 0x1c, 0x01, [4] = 64 },
	    { 0, 0x01, XX, XX, XX, CTL }, 'i', 64, .flags = Z, .fence = READS,
	    .shortage = CUT_IS_GOOD, LEN(3, 2) },
	{ "SEND DIAGNOSTIC", 6, { 0x1d, 0x04 }, { 0, 0xf7, 0, XX, XX, CTL }, 'n',
	    .fence = WRITES },
	{ "PREVENT MEDIUM REMOVAL", 6, { 0x1e, [4] = 1 }, { [4] = 0x03, CTL }, 'n',
	    .fence = WRITES },
	{ "ALLOW MEDIUM REMOVAL", 6, { 0x1e }, { [4] = 0x03, CTL }, 'n', .fence = FREE },
	{ "READ CAPACITY(10)", 10, { 0x25 }, { 0, 0x01, XX, XX, XX, XX, 0, 0, 0x01, CTL }, 'i',
	    8, .flags = M, .fence = FREE, .shortage = CUT_IS_GOOD },
	{ "READ(10)", RW10(0x28), OPEN10(0xff), READ_ROW, AT10 },
	{ "WRITE(10)", RW10(0x2a), OPEN10(0xfb), WRITE_ROW, AT10 },
	{ "WRITE AND VERIFY(10)", RW10(0x2e), OPEN10(0xf7), WRITE_ROW, AT10 },
	{ "VERIFY(10)", RW10(0x2f), OPEN10(0xf7), 'n', .flags = M | Z, .fence = READS, AT10 },
	{ "VERIFY(10), BYTCHK 1", 10, { 0x2f, 0x02, 0, 0, 0, 200, 0, 0, 2 }, OPEN10(0xf7), 'o',
	    1024, .flags = M | Z, .fence = READS, .shortage = WHOLE_COMPARE, AT10 },
	{ "PRE-FETCH(10)", RW10(0x34), OPEN10(0x03), 'n', .flags = M | MET | Z, .fence = READS,
	    AT10 },
	{ "SYNCHRONIZE CACHE(10)", RW10(0x35), OPEN10(0x07), 'n', .flags = M | Z,
	    .fence = WRITES, AT10 },
	{ "READ DEFECT DATA(10)", 10, { 0x37, 0, 0x18, [8] = 64 },
	    { [2] = 0x1f, [7] = XX, XX, CTL }, 'i', 64, .flags = M | Z, .fence = READS,
	    .shortage = CUT_IS_GOOD, LEN(7, 2) },
	{ "WRITE BUFFER, echo", 10, { 0x3b, 0x0a, [8] = 16 },
	    { 0, XX, XX, XX, XX, XX, XX, XX, XX, CTL }, 'o', 16, .fence = WRITES },
	{ "READ BUFFER(10), echo size", 10, { 0x3c, 0x0b, [8] = 4 },
	    { 0, XX, XX, XX, XX, XX, XX, XX, XX, CTL }, 'i', 4, .flags = Z, .fence = READS,
	    .shortage = CUT_IS_GOOD, LEN(6, 3) },
	{ "WRITE SAME(10)", RW10(0x41), OPEN10(0xff), 'o', 512, .flags = M | C, .fence = WRITES,
	    .shortage = WHOLE_ONLY, AT10 },
	{ "UNMAP", 10, { 0x42, [8] = 24 }, { 0, 0x01, [6] = 0x1f, XX, XX, CTL }, 'o', 24,
	    { 0, 22, 0, 16, [15] = 200, [19] = 8 }, .flags = M | C | Z, .fence = WRITES,
	    .shortage = LIST_1A, LEN(7, 2) },
	{ "SANITIZE, OVERWRITE", 10, { 0x48, 0x01, [8] = 8 }, { 0, XX, [7] = XX, XX, CTL }, 'o',
	    8, { 1, 0, 0, 4 }, .flags = M | C, .fence = WRITES },
	{ "SANITIZE, BLOCK ERASE", 10, { 0x48, 0x02 }, { 0, XX, [7] = XX, XX, CTL }, 'n',
	    .flags = M | C, .fence = WRITES },
	{ "SANITIZE, CRYPTO ERASE", 10, { 0x48, 0x03 }, { 0, XX, [7] = XX, XX, CTL }, 'n',
	    .flags = M | C, .fence = WRITES },
	{ "SANITIZE, EXIT FAILURE", 10, { 0x48, 0x1f }, { 0, XX, [7] = XX, XX, CTL }, 'n',
	    .flags = M, .fence = WRITES },
	{ "LOG SELECT", 10, { 0x4c, 0, 0x40 }, { 0, 0x03, XX, XX, [7] = XX, XX, CTL }, 'n',
	    .fence = WRITES },
	{ "LOG SENSE", 10, { 0x4d, 0, 0x40, [8] = 64 }, { 0, 0x03, XX, XX, 0, XX, XX, XX, XX,
	    CTL }, 'i', 64, .flags = Z, .fence = FREE, .shortage = CUT_IS_GOOD, LEN(7, 2) },
	{ "MODE SELECT(10)", 10, { 0x55, 0x10, [8] = 8 }, { 0, 0x13, [7] = XX, XX, CTL }, 'o',
	    8, .flags = Z, .fence = WRITES, .shortage = LIST_1A, LEN(7, 2) },
	{ "RESERVE(10)", 10, { 0x56 }, { 0, XX, XX, XX, XX, XX, XX, XX, XX, CTL }, 'n',
	    .fence = WRITES },
	{ "RELEASE(10)", 10, { 0x57 }, { 0, XX, XX, XX, XX, XX, XX, XX, XX, CTL }, 'n',
	    .fence = RELEASES },
	{ "MODE SENSE(10)", 10, { 0x5a, 0, 0x3f, [7] = 1 }, { 0, 0x18, XX, XX, [7] = XX, XX,
	    CTL }, 'i', 256, .flags = Z, .fence = READS, .shortage = CUT_IS_GOOD, LEN(7, 2) },
	{ "PR IN, READ KEYS", PR_IN_ROW(0) },
	{ "PR IN, READ RESERVATION", PR_IN_ROW(1) },
	{ "PR IN, REPORT CAPABILITIES", PR_IN_ROW(2) },
	{ "PR IN, READ FULL STATUS", PR_IN_ROW(3) },
	{ "PR OUT, REGISTER", 10, { 0x5f, 0, [8] = 24 }, { 0, 0x1f, XX, 0, 0, XX, XX, XX, XX,
	    CTL }, 'o', 24, .fence = BY_KEY, .shortage = LIST_1A, LEN(5, 4) },
	{ "PR OUT, REGISTER IGNORE", 10, { 0x5f, 6, [8] = 24 }, { 0, 0x1f, XX, 0, 0, XX, XX, XX,
	    XX, CTL }, 'o', 24, .fence = BY_KEY, .shortage = LIST_1A, LEN(5, 4) },
	{ "READ(16)", RW16(0x88), OPEN16(0xff), READ_ROW, AT16 },
	{ "COMPARE AND WRITE", 16, { 0x89, [8] = 1, [13] = 2 },
	    { 0, 0xfa, XX, XX, XX, XX, XX, XX, XX, XX, 0, 0, 0, XX, 0x1f, CTL }, 'o', 2048,
	    .flags = M | C | Z, .fence = WRITES, .shortage = WHOLE_ONLY, LBA(2, 8),
	    LEN(13, 1) },
	{ "WRITE(16)", RW16(0x8a), OPEN16(0xfb), WRITE_ROW, AT16 },
	{ "ORWRITE(16)", RW16(0x8b), OPEN16(0xfa), WRITE_ROW, AT16 },
	{ "WRITE AND VERIFY(16)", RW16(0x8e), OPEN16(0xf6), WRITE_ROW, AT16 },
	{ "VERIFY(16)", RW16(0x8f), OPEN16(0xf6), 'n', .flags = M | Z, .fence = READS, AT16 },
	{ "VERIFY(16), BYTCHK 3", 16, { 0x8f, 0x06, [9] = 200, [13] = 2 }, OPEN16(0xf6), 'o',
	    512, .flags = M, .fence = READS, AT16 },
	{ "PRE-FETCH(16)", RW16(0x90), OPEN16(0x02), 'n', .flags = M | MET | Z, .fence = READS,
	    AT16 },
	{ "SYNCHRONIZE CACHE(16)", RW16(0x91), OPEN16(0x06), 'n', .flags = M | Z,
	    .fence = WRITES, AT16 },
	{ "WRITE SAME(16)", RW16(0x93), OPEN16(0xff), 'o', 512, .flags = M | C, .fence = WRITES,
	    .shortage = WHOLE_ONLY, AT16 },
	{ "WRITE SAME(16), NDOB", 16, { 0x93, 0x01, [9] = 8, [13] = 2 }, OPEN16(0xff), 'n',
	    .flags = M | C, .fence = WRITES, AT16 },
	{ "WRITE ATOMIC(16)", 16, { 0x9c, [9] = 8, [13] = 16 }, OPEN16(0xf8), 'o', 8192,
	    .flags = M | C | Z, .fence = WRITES, .shortage = CUT_IS_GOOD, LBA(2, 8),
	    LEN(12, 2) },
	{ "READ CAPACITY(16)", 16, { 0x9e, 0x10, [13] = 32 }, { 0, 0x1f, XX, XX, XX, XX, XX, XX,
	    XX, XX, XX, XX, XX, XX, 0x01, CTL }, 'i', 32, .flags = M | Z, .fence = FREE,
	    .shortage = CUT_IS_GOOD, LEN(10, 4) },
	{ "GET LBA STATUS", 16, { 0x9e, 0x12, [13] = 24 }, { 0, 0x1f, XX, XX, XX, XX, XX, XX,
	    XX, XX, XX, XX, XX, XX, XX, CTL }, 'i', 24, .flags = M | Z, .fence = READS,
	    .shortage = CUT_IS_GOOD, LBA(2, 8), LEN(10, 4) },
	{ "REPORT LUNS", 12, { 0xa0, [9] = 64 }, { 0, 0, XX, 0, 0, 0, XX, XX, XX, XX, 0, CTL },
	    'i', 64, .flags = U, .fence = FREE, .shortage = CUT_IS_GOOD, LEN(6, 4) },
	{ "REPORT IDENTIFYING INFO", A3_ROW(0x05, 0, 0, XX, 0xfe), .flags = Z, .fence = FREE },
	{ "REPORT TARGET PORT GROUPS", 12, { 0xa3, 0x0a, [8] = 16 },
	    { 0, XX, 0, 0, 0, 0, XX, XX, XX, XX, 0, CTL }, 'i', 4096, .flags = Z,
	    .fence = FREE, .shortage = CUT_IS_GOOD, LEN(6, 4) },
	{ "REPORT SUPPORTED OPCODES", A3_ROW(0x0c, 0x87, XX, XX, 0), .flags = Z,
	    .fence = READS },
	{ "REPORT SUPPORTED TMFS", A3_ROW(0x0d, 0x80, 0, 0, 0), .fence = READS },
	{ "REPORT TIMESTAMP", A3_ROW(0x0f, 0, 0, 0, 0), .flags = Z, .fence = FREE },
	{ "SET IDENTIFYING INFO", 12, { 0xa4, 0x06, [9] = 4 }, { 0, 0x1f, 0, 0, XX, XX, XX, XX,
	    XX, XX, 0xfe, CTL }, 'o', 4, { 'd', 'i', 's', 'k' }, .flags = Z, .fence = WRITES,
	    LEN(6, 4) },
	{ "SET TIMESTAMP", 12, { 0xa4, 0x0f, [9] = 12 }, { 0, 0x1f, 0, 0, 0, 0, XX, XX, XX, XX,
	    0, CTL }, 'o', 12, { [9] = 1 }, .flags = Z, .fence = WRITES, .shortage = LIST_1A,
	    LEN(6, 4) },
	{ "READ(12)", RW12(0xa8), OPEN12(0xff), READ_ROW, AT12 },
	{ "WRITE(12)", RW12(0xaa), OPEN12(0xfb), WRITE_ROW, AT12 },
	{ "WRITE AND VERIFY(12)", RW12(0xae), OPEN12(0xf7), WRITE_ROW, AT12 },
	{ "VERIFY(12)", RW12(0xaf), OPEN12(0xf7), 'n', .flags = M | Z, .fence = READS, AT12 },
	{ "READ DEFECT DATA(12)", 12, { 0xb7, 0x18, [9] = 64 }, { 0, 0x1f, XX, XX, XX, XX, XX,
	    XX, XX, XX, 0, CTL }, 'i', 64, .flags = M | Z, .fence = READS,
	    .shortage = CUT_IS_GOOD, LEN(6, 4) },
};

const size_t matrix_n_rows = ARRAY_LEN(matrix_rows);

static const struct { uint8_t opcode, sa; } elsewhere[] = {
	{ 0x5f, 1 }, { 0x5f, 2 }, { 0x5f, 3 }, { 0x5f, 4 }, { 0x5f, 5 }, { 0x5f, 7 },
	{ 0x5f, 8 }, { 0xa4, 0x0a },
};

bool
matrix_is_elsewhere(uint8_t opcode, int sa)
{
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
		if (elsewhere[i].opcode == opcode && (sa < 0 || elsewhere[i].sa == sa))
			return true;
	}
	return false;
}
