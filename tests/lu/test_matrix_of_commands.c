/*
 * test_matrix_of_commands.c - every command against every kind of trouble
 *
 * usage: lu_test_matrix_of_commands [-v]	(-v: a line for each case, not only for bad
 * ones)
 *
 * Two initiators, three disks of the software HBA: a good one, one without a medium, one that
 * is write protected. A row of the matrix is a command, a column is what is wrong; what is
 * printed is the number of cases in each cell. What a case must end with (status, and sense
 * data byte by byte, in both formats) is worked out here, from the table below, which was
 * written from SPC-4, SBC-3 (WRITE ATOMIC: SBC-4) and SPC-2 (RESERVE), not from the code.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "ddi/devtree.h"
#include "hw/soft/soft.h"
#include "lu/lu.h"
#include "lu/port.h"
#include "lu/ua.h"
#include "lu/worker.h"
#include "scsa/config.h"
#include "scsi/opcode.h"
#include <sys/scsi/scsi.h>

#define BLOCKS		16384u		/* of each disk, of 512 bytes */
#define DATA_MAX	65536u
#define CTL		0xc7		/* control byte: vendor bits, NACA, what is obsolete */

/* who else may send it while another nexus has the unit */
enum fence {
	FREE,		/* anybody */
	FREE_PR,	/* anybody under persistent reservations, nobody under RESERVE */
	READS,		/* not under Exclusive Access */
	WRITES,		/* only those who have access */
	RELEASES,	/* the same, and GOOD without effect under RESERVE */
	BY_KEY,		/* PERSISTENT RESERVE OUT: keys decide, seen to elsewhere */
};

/* with less, or more, data than the CDB says */
enum shortage {
	AS_IT_IS,
	CUT_IS_GOOD,	/* as much as there is room for */
	LIST_1A,	/* the CDB's length cuts the list: PARAMETER LIST LENGTH ERROR */
	WHOLE_ONLY,	/* the data fit, or the number of blocks is wrong. Which error that is
			 * the standards leave open: INVALID FIELD IN CDB, the length */
	WHOLE_COMPARE,	/* the same, and ABORTED COMMAND 0Eh/03h: too little was sent */
};

#define M	0x01	/* needs a medium */
#define C	0x02	/* changes it: refused when write protected */
#define U	0x04	/* executed while a unit attention is pending */
#define Z	0x08	/* length 0 is no error and moves nothing */
#define MET	0x10	/* ends with CONDITION MET */

struct row {
	const char *name;
	uint8_t len;
	uint8_t cdb[16];	/* a valid one */
	uint8_t open[16];	/* bits that are defined, obsolete or a vendor's; others reserved */
	char dir;		/* 'n' none, 'i' in, 'o' out */
	uint32_t bytes;		/* data it moves */
	uint8_t list[40];	/* 'o': it begins so, zeros follow */
	unsigned int flags;
	enum fence fence;
	enum shortage shortage;
	uint8_t lba_at, lba_len, len_at, len_len;
};

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

static const struct row rows[] = {
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

/* service actions that other parts of the tree may answer, and are tested there */
static const struct { uint8_t opcode, sa; } elsewhere[] = {
	{ 0x5f, 1 }, { 0x5f, 2 }, { 0x5f, 3 }, { 0x5f, 4 }, { 0x5f, 5 }, { 0x5f, 7 },
	{ 0x5f, 8 }, { 0xa4, 0x0a },
};

enum column {
	VALID, RESERVED_BIT, LENGTH, ZERO, BEYOND, NO_MEDIUM, PROTECTED, WE, EA, WERO, EARO,
	WEAR, EAAR, RESERVE6, ATTENTION, DENIED, COLUMNS
};

static const char *const columns[COLUMNS] = {
	"ok", "bit", "len", "0", "end", "med", "wp", "we", "ea", "wero", "earo", "wear",
	"eaar", "rsv", "ua", "acc",
};

static bool is_verbose, is_descriptor;
static unsigned int cells[COLUMNS], n_cases, n_bad;
static const char *row_name;

/* ------ what must come ------ */

struct expect {
	uint8_t status;
	uint8_t sense[32];
	size_t len;
};

/* key and code; field pointer of @byte and @bit, @byte below 0: none */
static struct expect
expect_sense(uint8_t key, uint16_t asc, int byte, int bit)
{
	struct expect e = { .status = 0x02 };
	uint8_t sks[3] = { (uint8_t)(0xc8 | bit), (uint8_t)(byte >> 8), (uint8_t)byte };

	if (is_descriptor) {
		e.sense[0] = 0x72;
		e.sense[1] = key;
		be16_put(e.sense + 2, asc);
		e.len = 8;
		if (byte >= 0) {
			e.sense[7] = 8;
			e.sense[8] = 0x02;
			e.sense[9] = 6;
			memcpy(e.sense + 12, sks, 3);
			e.len = 16;
		}
		return e;
	}
	e.sense[0] = 0x70;
	e.sense[2] = key;
	e.sense[7] = 10;
	be16_put(e.sense + 12, asc);
	if (byte >= 0)
		memcpy(e.sense + 15, sks, 3);
	e.len = 18;
	return e;
}

static struct expect
expect_status(uint8_t status)
{
	return (struct expect){ .status = status };
}

static struct expect
expect_done(const struct row *row)
{
	return expect_status((row->flags & MET) != 0 ? 0x04 : 0x00);
}

/* ------ a home for the units, and one task at a time ------ */

static struct {
	struct lu_exec exec;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cv;
	struct lu_work_list inbox, deferred;
	bool is_over;
} home = { .lock = PTHREAD_MUTEX_INITIALIZER, .cv = PTHREAD_COND_INITIALIZER };

static void
home_post(struct lu_exec *x, struct lu_work *w)
{
	(void)x;
	(void)pthread_mutex_lock(&home.lock);
	STAILQ_INSERT_TAIL(&home.inbox, w, entry);
	(void)pthread_cond_broadcast(&home.cv);
	(void)pthread_mutex_unlock(&home.lock);
}

static void
home_defer(struct lu_exec *x, struct lu_work *w)
{
	(void)x;
	STAILQ_INSERT_TAIL(&home.deferred, w, entry);
}

static bool
home_is_here(const struct lu_exec *x)
{
	(void)x;
	return pthread_equal(pthread_self(), home.thread) != 0;
}

static void
list_run(struct lu_work_list *list)
{
	struct lu_work *w;

	while ((w = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, entry);
		w->fn(w);
	}
}

static void *
home_main(void *arg)
{
	struct lu_work_list list;

	(void)pthread_mutex_lock(&home.lock);
	for (;;) {
		while (STAILQ_EMPTY(&home.inbox))
			(void)pthread_cond_wait(&home.cv, &home.lock);
		STAILQ_INIT(&list);
		STAILQ_CONCAT(&list, &home.inbox);
		(void)pthread_mutex_unlock(&home.lock);
		list_run(&list);
		list_run(&home.deferred);
		(void)pthread_mutex_lock(&home.lock);
	}
	return arg;
}

static void
step_end(void)
{
	(void)pthread_mutex_lock(&home.lock);
	home.is_over = true;
	(void)pthread_cond_broadcast(&home.cv);
	(void)pthread_mutex_unlock(&home.lock);
}

/* run @fn at home; it, or what it starts, calls step_end() */
static void
step(lu_work_fn fn)
{
	static struct lu_work work;

	home.is_over = false;
	lu_exec_post(&home.exec, &work, fn);
	(void)pthread_mutex_lock(&home.lock);
	while (!home.is_over)
		(void)pthread_cond_wait(&home.cv, &home.lock);
	(void)pthread_mutex_unlock(&home.lock);
}

static void
die(const char *what)
{
	(void)fprintf(stderr, "matrix: %s\n", what);
	exit(1);
}

enum { GOOD_DISK, EMPTY_DISK, PROTECTED_DISK, DISKS };
enum { A, B, NOBODY, NEXUSES };

static struct lu *units[DISKS];
static struct lu_nexus nexuses[DISKS][NEXUSES];
static struct lu_initiator names[NEXUSES];
static struct lu_port ports[NEXUSES];
static struct lu_task task;
static uint8_t data[DATA_MAX];

static void
nexus_gone(struct lu_nexus *nexus)
{
	(void)nexus;
}

static void
open_work(struct lu_work *w)
{
	static const uint8_t isid[LU_ISID_LEN] = { 0x80, 1 };

	(void)w;
	for (int i = 0; i < DISKS * NEXUSES; i++) {
		struct lu_nexus *n = &nexuses[i / NEXUSES][i % NEXUSES];
		char name[64];

		(void)snprintf(name, sizeof(name), "iqn.2026-11.test:%c", 'a' + i % NEXUSES);
		if (lu_initiator_isid(&names[i % NEXUSES], name, isid) < 0)
			die("no name");
		ports[i % NEXUSES].rtpi = 1;
		n->classes = i % NEXUSES == NOBODY ? 0 : LU_CLASS(OP_POLICY_N) - 1;
		n->initiator = &names[i % NEXUSES];
		n->port = &ports[i % NEXUSES];
		n->wants_sense = true;
		n->gone = nexus_gone;
		if (lu_nexus_open(n, units[i / NEXUSES]) < 0)
			die("no nexus");
	}
	step_end();
}

static void
task_done(struct lu_task *t)
{
	(void)t;
	step_end();
}

static void
submit_work(struct lu_work *w)
{
	(void)w;
	if (lu_submit(&task) < 0)
		die("refused by lu_submit()");
}

/* unit attentions of everybody are forgotten: they are of earlier cases */
static void
forget_work(struct lu_work *w)
{
	struct sense_data sense;

	(void)w;
	for (int i = 0; i < DISKS * NEXUSES; i++) {
		while (lu_ua_take(&nexuses[i / NEXUSES][i % NEXUSES], &sense))
			continue;
	}
	step_end();
}

static void
raise_work(struct lu_work *w)
{
	(void)w;
	lu_ua_raise(&nexuses[GOOD_DISK][A], 0x2a01);
	step_end();
}

/* data[] is the buffer, of @bytes */
static void
send(struct lu_nexus *nexus, const uint8_t *cdb, size_t len, char dir, uint32_t bytes)
{
	lu_task_init(&task);
	memcpy(task.cdb, cdb, len);
	task.cdb_len = (uint16_t)len;
	task.nexus = nexus;
	task.dir = bytes == 0 || dir == 'n' ? LU_DIR_NONE : dir == 'i' ? LU_DIR_IN : LU_DIR_OUT;
	task.data_len = task.dir == LU_DIR_NONE ? 0 : bytes;
	task.data = task.data_len == 0 ? NULL : data;
	task.done = task_done;
	step(submit_work);
}

static void
row_send(const struct row *row, struct lu_nexus *nexus, const uint8_t *cdb, uint32_t bytes)
{
	if (row->dir == 'o') {
		memset(data, 0, bytes + sizeof(row->list));
		memcpy(data, row->list, sizeof(row->list));
	}
	send(nexus, cdb, row->len, row->dir, bytes);
}

/* ------ cases ------ */

static const char *
hex(const uint8_t *p, size_t len, char *text, size_t size)
{
	text[0] = '\0';
	for (size_t i = 0; i < len && 3 * i + 4 < size; i++)
		(void)snprintf(text + 3 * i, 4, "%02x ", p[i]);
	return text;
}

/* the task has ended: as it must? */
static void
judge(enum column column, const struct expect *want)
{
	/* a buffer that is too small is the transport's business, besides */
	bool is_good = (task.reason == CMD_CMPLT ||
	    (task.reason == CMD_DATA_OVR && column == LENGTH)) && task.status == want->status &&
	    (task.status != 0x02 || (task.sense_len == want->len &&
	    memcmp(task.sense, want->sense, want->len) == 0));
	char cdb[64], got[128], due[128];

	cells[column]++;
	n_cases++;
	n_bad += !is_good;
	if (is_good && !is_verbose)
		return;
	(void)printf("%s %s, %s: %s: status %02x %s", is_good ? "ok  " : "BAD ", row_name,
	    columns[column], hex(task.cdb, task.cdb_len, cdb, sizeof(cdb)), task.status,
	    hex(task.sense, task.status == 0x02 ? task.sense_len : 0, got, sizeof(got)));
	if (is_good)
		(void)printf("\n");
	else
		(void)printf("reason %u, not %02x %s\n", task.reason, want->status,
		    hex(want->sense, want->len, due, sizeof(due)));
}

/* what a case has changed for those that follow: RESERVE, attentions of others */
static void
tidy(void)
{
	static const uint8_t release[6] = { 0x17 };
	struct lu_nexus *nexus = task.nexus;

	if (task.status == 0 && (task.cdb[0] == 0x16 || task.cdb[0] == 0x56))
		send(nexus, release, sizeof(release), 'n', 0);
	step(forget_work);
}

static void
check(const struct row *row, enum column column, struct lu_nexus *nexus, const uint8_t *cdb,
    uint32_t bytes, struct expect want)
{
	row_send(row, nexus, cdb, bytes);
	judge(column, &want);
	tidy();
}

static void
field_put(uint8_t *cdb, size_t at, size_t len, uint64_t v)
{
	for (size_t i = 0; i < len; i++)
		cdb[at + i] = (uint8_t)(len - i > 8 ? 0 : v >> 8 * (len - 1 - i));
}

static uint64_t
field_get(const uint8_t *cdb, size_t at, size_t len)
{
	uint64_t v = 0;

	for (size_t i = 0; i < len; i++)
		v = v << 8 | cdb[at + i];
	return v;
}

static void
check_bits(const struct row *row)
{
	for (uint8_t byte = 1; byte < row->len; byte++) {
		for (int bit = 7; bit >= 0; bit--) {
			uint8_t cdb[16];

			if ((row->open[byte] & 1 << bit) != 0)
				continue;
			memcpy(cdb, row->cdb, sizeof(cdb));
			cdb[byte] |= (uint8_t)(1 << bit);
			check(row, RESERVED_BIT, &nexuses[GOOD_DISK][A], cdb, row->bytes,
			    expect_sense(0x5, 0x2400, byte, bit));
		}
	}
}

static void
check_lengths(const struct row *row)
{
	struct lu_nexus *a = &nexuses[GOOD_DISK][A];
	struct expect bad = expect_sense(0x5, 0x2400, row->len_at, 7);
	uint8_t cdb[16];

	memcpy(cdb, row->cdb, sizeof(cdb));
	switch (row->shortage) {
	case AS_IT_IS:
		break;
	case CUT_IS_GOOD:
		check(row, LENGTH, a, cdb, row->bytes / 2, expect_done(row));
		check(row, LENGTH, a, cdb, row->bytes * 2, expect_done(row));
		break;
	case WHOLE_COMPARE:
		bad = expect_sense(0xb, 0x0e03, -1, 0);
		check(row, LENGTH, a, cdb, row->bytes / 2, bad);
		check(row, LENGTH, a, cdb, row->bytes - 1, bad);
		break;
	case WHOLE_ONLY:
		check(row, LENGTH, a, cdb, row->bytes / 2, bad);
		check(row, LENGTH, a, cdb, row->bytes - 1, bad);
		check(row, LENGTH, a, cdb, row->bytes * 2, bad);
		break;
	case LIST_1A:
		for (uint32_t n = 1; n < 4; n++) {
			field_put(cdb, row->len_at, row->len_len, n);
			check(row, LENGTH, a, cdb, n, expect_sense(0x5, 0x1a00, -1, 0));
		}
		break;
	}
	if ((row->flags & Z) != 0 && row->len_len != 0) {
		field_put(cdb, row->len_at, row->len_len, 0);
		check(row, ZERO, a, cdb, 0, expect_done(row));
	}
}

static void
check_ends(const struct row *row)
{
	uint64_t n = field_get(row->cdb, row->len_at, row->len_len);
	uint64_t last = row->lba_len == 3 ? 0x1fffff : row->lba_len == 4 ? UINT32_MAX :
	    UINT64_MAX;
	const struct { uint64_t lba, blocks; } ends[] = {
		{ BLOCKS, n }, { BLOCKS - n / 2, n }, { last - n + 1, n }, { BLOCKS, 0 },
		{ BLOCKS * 2, n },
	};

	for (size_t i = 0; i < ARRAY_LEN(ends) && row->lba_len != 0; i++) {
		uint8_t cdb[16];

		/* GET LBA STATUS says no number of blocks; READ(6) has no zero */
		if ((row->cdb[0] == 0x9e && i == 1) || (row->lba_len == 3 && i == 3))
			continue;
		memcpy(cdb, row->cdb, sizeof(cdb));
		field_put(cdb, row->lba_at, row->lba_len, ends[i].lba);
		field_put(cdb, row->len_at, row->len_len, ends[i].blocks);
		check(row, BEYOND, &nexuses[GOOD_DISK][A], cdb, i == 3 ? 0 : row->bytes,
		    expect_sense(0x5, 0x2100, -1, 0));
	}
}

static void
check_disks(const struct row *row)
{
	struct expect done = expect_done(row);

	check(row, NO_MEDIUM, &nexuses[EMPTY_DISK][A], row->cdb, row->bytes,
	    (row->flags & M) != 0 ? expect_sense(0x2, 0x3a00, -1, 0) : done);
	check(row, PROTECTED, &nexuses[PROTECTED_DISK][A], row->cdb, row->bytes,
	    (row->flags & C) != 0 ? expect_sense(0x7, 0x2700, -1, 0) : done);
	step(raise_work);
	check(row, ATTENTION, &nexuses[GOOD_DISK][A], row->cdb, row->bytes,
	    (row->flags & U) != 0 ? done : expect_sense(0x6, 0x2a01, -1, 0));
	check(row, DENIED, &nexuses[GOOD_DISK][NOBODY], row->cdb, row->bytes,
	    expect_sense(0x5, 0x2002, -1, 0));
}

/* ------ reservations ------ */

static void
pr_out(struct lu_nexus *nexus, uint8_t action, uint8_t type, uint64_t key, uint64_t new_key)
{
	uint8_t cdb[10] = { 0x5f, action, type, [8] = 24 };

	memset(data, 0, 24);
	be64_put(data, key);
	be64_put(data + 8, new_key);
	send(nexus, cdb, sizeof(cdb), 'o', 24);
	if (task.status != 0)
		die("PERSISTENT RESERVE OUT");
	step(forget_work);
}

/* SPC-4 table 33, SBC-3 table 15: does the reservation of another one stop it? */
static bool
is_stopped(enum fence fence, enum column column, bool is_registered)
{
	bool has_access = is_registered && column != WE && column != EA;
	bool is_write_exclusive = column == WE || column == WERO || column == WEAR;

	switch (fence) {
	case FREE:
	case BY_KEY:
		return false;
	case FREE_PR:
		return column == RESERVE6;
	case READS:
		return column == RESERVE6 || (!is_write_exclusive && !has_access);
	case WRITES:
		return column == RESERVE6 || !has_access;
	case RELEASES:
		return column != RESERVE6 && !has_access;
	}
	return true;
}

static void
check_fence(const struct row *row, enum column column, bool is_registered)
{
	if (row->fence == BY_KEY)
		return;
	check(row, column, &nexuses[GOOD_DISK][B], row->cdb, row->bytes,
	    is_stopped(row->fence, column, is_registered) ? expect_status(0x18) :
	    expect_done(row));
}

static void
check_reservations(const struct row *row)
{
	static const uint8_t types[] = { [WE] = 1, [EA] = 3, [WERO] = 5, [EARO] = 6, [WEAR] = 7,
		[EAAR] = 8 };
	static const uint8_t reserve[6] = { 0x16 }, release[6] = { 0x17 };
	struct lu_nexus *a = &nexuses[GOOD_DISK][A], *b = &nexuses[GOOD_DISK][B];

	for (enum column c = WE; c <= EAAR; c++) {
		pr_out(a, 6, 0, 0, 1);
		pr_out(a, 1, types[c], 1, 0);
		check_fence(row, c, false);
		pr_out(b, 6, 0, 0, 2);
		check_fence(row, c, true);
		pr_out(a, 3, 0, 1, 0);
	}
	send(a, reserve, sizeof(reserve), 'n', 0);
	check_fence(row, RESERVE6, false);
	send(a, release, sizeof(release), 'n', 0);
	step(forget_work);
}

static void
print_row(void)
{
	(void)printf("%-28s", row_name);
	for (int c = 0; c < COLUMNS; c++) {
		if (cells[c] == 0)
			(void)printf("%5s", ".");
		else
			(void)printf("%5u", cells[c]);
	}
	(void)printf("\n");
	memset(cells, 0, sizeof(cells));
}

/* ------ commands that there are not ------ */

static bool
is_known(uint8_t opcode, int sa)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].cdb[0] == opcode && (sa < 0 || (rows[i].cdb[1] & 0x1f) == sa))
			return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
		if (elsewhere[i].opcode == opcode && (sa < 0 || elsewhere[i].sa == sa))
			return true;
	}
	return false;
}

static void
check_unknown(void)
{
	static const uint8_t with_action[] = { 0x48, 0x5e, 0x5f, 0x9e, 0xa3, 0xa4 };
	static const uint8_t lens[] = { 6, 10, 10, 16, 16, 12, 16, 16 };
	struct lu_nexus *a = &nexuses[GOOD_DISK][A];

	row_name = "(no such command)";
	for (unsigned int op = 0; op < 256; op++) {
		struct row row = { .len = lens[op >> 5], .cdb = { (uint8_t)op }, .dir = 'n' };

		/* copies are tested by their own; 7Fh needs a length in its CDB */
		if (is_known((uint8_t)op, -1) || op == 0x83 || op == 0x84 || op == 0x7f)
			continue;
		check(&row, VALID, a, row.cdb, 0, expect_sense(0x5, 0x2000, -1, 0));
	}
	print_row();
	row_name = "(no such service action)";
	for (size_t i = 0; i < ARRAY_LEN(with_action); i++) {
		for (uint8_t sa = 0; sa < 32; sa++) {
			uint8_t op = with_action[i];
			struct row row = { .len = lens[op >> 5], .cdb = { op, sa },
				.dir = 'n' };

			if (!is_known(op, sa))
				check(&row, VALID, a, row.cdb, 0,
				    expect_sense(0x5, 0x2400, 1, 4));
		}
	}
}

/* ------ all of it ------ */

static struct lu_exec *
host_pick_home(struct lu_host *host, const struct lu *unit)
{
	(void)host;
	(void)unit;
	return &home.exec;
}

static void
host_event(struct lu_host *host, enum lu_event event, struct lu *unit)
{
	(void)host;
	(void)event;
	(void)unit;
}

static void
world_begin(const char *dir)
{
	static const char *const lines[DISKS] = {
		"mem:8M,physical=4096,removable,sanitize_rate=0,target=0,serial=MX0",
		"mem:8M,physical=4096,removable,sanitize_rate=0,target=1,serial=MX1",
		"mem:8M,physical=4096,removable,readonly,target=2,serial=MX2",
	};
	static const uint8_t eject[6] = { 0x1b, [4] = 0x02 };
	static struct soft_disk_conf disks[DISKS];
	static struct lu_host host;
	static struct lu_worker *worker;
	struct soft_hba_conf conf = { .disks = disks, .ndisks = DISKS, .state_dir = dir };
	struct soft_hba *hba;
	char err[SOFT_ERR_LEN] = "", serial[16];

	home.exec = (struct lu_exec){ home_post, home_defer, home_is_here };
	STAILQ_INIT(&home.inbox);
	STAILQ_INIT(&home.deferred);
	if (pthread_create(&home.thread, NULL, home_main, NULL) != 0 ||
	    lu_worker_new(1, &worker) < 0)
		die("no thread");
	host = (struct lu_host){ .pick_home = host_pick_home, .event = host_event,
		.worker = lu_worker_exec(worker),
		.drain_ms = 100, .state_dir = dir };
	for (int i = 0; i < DISKS; i++) {
		if (soft_conf_parse(lines[i], &disks[i], err) < 0)
			die(err);
	}
	if (lu_init(&host) < 0 || soft_mod_init() != 0 || soft_hba_new(&conf, &hba, err) < 0 ||
	    devi_attach(soft_hba_node(hba)) < 0 ||
	    scsa_bus_config_all(soft_hba_node(hba)) < 0)
		die(err);
	for (int i = 0; i < DISKS; i++) {
		(void)snprintf(serial, sizeof(serial), "MX%d", i);
		if (lu_find(serial, &units[i], NULL, 0) < 0)
			die("no disk");
	}
	step(open_work);
	for (int i = 0; i < DISKS; i++)
		send(&nexuses[i][A], (uint8_t[6]){ 0 }, 6, 'n', 0);
	send(&nexuses[EMPTY_DISK][A], eject, sizeof(eject), 'n', 0);
	if (task.status != 0)
		die("eject");
	step(forget_work);
}

/* MODE SELECT of the Control page with D_SENSE on all disks */
static void
set_descriptor(void)
{
	static const uint8_t sense[6] = { 0x1a, 0x08, 0x0a, 0, 64 };

	for (int i = 0; i < DISKS; i++) {
		uint8_t select[6] = { 0x15, 0x10 };

		send(&nexuses[i][A], sense, sizeof(sense), 'i', 64);
		select[4] = (uint8_t)task.moved;
		data[0] = 0;
		data[2] = 0;
		data[4] &= 0x3f;
		data[6] |= 0x04;
		send(&nexuses[i][A], select, sizeof(select), 'o', select[4]);
		if (task.status != 0)
			die("MODE SELECT");
	}
	step(forget_work);
	is_descriptor = true;
}

static void
pass(void)
{
	(void)printf("%-28s", is_descriptor ? "descriptor format" : "fixed format");
	for (int c = 0; c < COLUMNS; c++)
		(void)printf("%5s", columns[c]);
	(void)printf("\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];

		row_name = row->name;
		check(row, VALID, &nexuses[GOOD_DISK][A], row->cdb, row->bytes,
		    expect_done(row));
		check_bits(row);
		check_lengths(row);
		check_ends(row);
		check_disks(row);
		check_reservations(row);
		print_row();
	}
	check_unknown();
	print_row();
}

int
main(int argc, char **argv)
{
	char dir[] = "/tmp/matrix-XXXXXX", command[64];

	is_verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	if (mkdtemp(dir) == NULL)
		die("no folder");
	world_begin(dir);
	pass();
	set_descriptor();
	pass();
	(void)printf("%u cases, %u bad\n", n_cases, n_bad);
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	(void)!system(command);
	(void)fflush(stdout);
	_exit(n_bad == 0 ? 0 : 1);
}
