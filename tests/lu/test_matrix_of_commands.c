/*
 * test_matrix_of_commands.c - every command against every kind of trouble
 *
 * usage: lu_test_matrix_of_commands [-v]	(-v: a line for each case, not only for bad
 * ones)
 *
 * Two initiators, three disks of the software HBA: a good one, one without a medium, one that
 * is write protected. A row of the matrix is a command, a column is what is wrong; what is
 * printed is the number of cases in each cell. What a case must end with (status, and sense
 * data byte by byte, in both formats) is worked out here, from the table in mock_matrix_rows.c,
 * which was written from SPC-4, SBC-3 (WRITE ATOMIC: SBC-4) and SPC-2 (RESERVE), not from the
 * code.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/scsi/scsi.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "mock_matrix.h"

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
	return expect_status((row->flags & ROW_MET) != 0 ? 0x04 : 0x00);
}

/* ------ cases ------ */

static void
row_send(const struct row *row, struct lu_nexus *nexus, const uint8_t *cdb, uint32_t bytes)
{
	if (row->dir == 'o') {
		memset(matrix_data, 0, bytes + sizeof(row->list));
		memcpy(matrix_data, row->list, sizeof(row->list));
	}
	matrix_send(nexus, cdb, row->len, row->dir, bytes);
}

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
	const struct lu_task *t = &matrix_task;
	/* a buffer that is too small is the transport's business, besides */
	bool is_good = (t->reason == CMD_CMPLT ||
	    (t->reason == CMD_DATA_OVR && column == LENGTH)) && t->status == want->status &&
	    (t->status != 0x02 || (t->sense_len == want->len &&
	    memcmp(t->sense, want->sense, want->len) == 0));
	char cdb[64], got[128], due[128];

	cells[column]++;
	n_cases++;
	n_bad += !is_good;
	if (is_good && !is_verbose)
		return;
	(void)printf("%s %s, %s: %s: status %02x %s", is_good ? "ok  " : "BAD ", row_name,
	    columns[column], hex(t->cdb, t->cdb_len, cdb, sizeof(cdb)), t->status,
	    hex(t->sense, t->status == 0x02 ? t->sense_len : 0, got, sizeof(got)));
	if (is_good)
		(void)printf("\n");
	else
		(void)printf("reason %u, not %02x %s\n", t->reason, want->status,
		    hex(want->sense, want->len, due, sizeof(due)));
}

/* what a case has changed for those that follow: RESERVE, attentions of others */
static void
tidy(void)
{
	static const uint8_t release[6] = { 0x17 };
	struct lu_nexus *nexus = matrix_task.nexus;

	if (matrix_task.status == 0 && (matrix_task.cdb[0] == 0x16 || matrix_task.cdb[0] == 0x56))
		matrix_send(nexus, release, sizeof(release), 'n', 0);
	matrix_forget();
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
			check(row, RESERVED_BIT, &matrix_nexuses[GOOD_DISK][A], cdb, row->bytes,
			    expect_sense(0x5, 0x2400, byte, bit));
		}
	}
}

static void
check_lengths(const struct row *row)
{
	struct lu_nexus *a = &matrix_nexuses[GOOD_DISK][A];
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
	if ((row->flags & ROW_ZERO) != 0 && row->len_len != 0) {
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
		{ MATRIX_BLOCKS, n }, { MATRIX_BLOCKS - n / 2, n }, { last - n + 1, n },
		{ MATRIX_BLOCKS, 0 }, { MATRIX_BLOCKS * 2, n },
	};

	for (size_t i = 0; i < ARRAY_LEN(ends) && row->lba_len != 0; i++) {
		uint8_t cdb[16];

		/* GET LBA STATUS says no number of blocks; READ(6) has no zero */
		if ((row->cdb[0] == 0x9e && i == 1) || (row->lba_len == 3 && i == 3))
			continue;
		memcpy(cdb, row->cdb, sizeof(cdb));
		field_put(cdb, row->lba_at, row->lba_len, ends[i].lba);
		field_put(cdb, row->len_at, row->len_len, ends[i].blocks);
		check(row, BEYOND, &matrix_nexuses[GOOD_DISK][A], cdb, i == 3 ? 0 : row->bytes,
		    expect_sense(0x5, 0x2100, -1, 0));
	}
}

static void
check_disks(const struct row *row)
{
	struct expect done = expect_done(row);

	check(row, NO_MEDIUM, &matrix_nexuses[EMPTY_DISK][A], row->cdb, row->bytes,
	    (row->flags & ROW_MEDIUM) != 0 ? expect_sense(0x2, 0x3a00, -1, 0) : done);
	check(row, PROTECTED, &matrix_nexuses[PROTECTED_DISK][A], row->cdb, row->bytes,
	    (row->flags & ROW_CHANGES) != 0 ? expect_sense(0x7, 0x2700, -1, 0) : done);
	matrix_raise();
	check(row, ATTENTION, &matrix_nexuses[GOOD_DISK][A], row->cdb, row->bytes,
	    (row->flags & ROW_DESPITE_UA) != 0 ? done : expect_sense(0x6, 0x2a01, -1, 0));
	check(row, DENIED, &matrix_nexuses[GOOD_DISK][NOBODY], row->cdb, row->bytes,
	    expect_sense(0x5, 0x2002, -1, 0));
}

/* ------ reservations ------ */

static void
pr_out(struct lu_nexus *nexus, uint8_t action, uint8_t type, uint64_t key, uint64_t new_key)
{
	uint8_t cdb[10] = { 0x5f, action, type, [8] = 24 };

	memset(matrix_data, 0, 24);
	be64_put(matrix_data, key);
	be64_put(matrix_data + 8, new_key);
	matrix_send(nexus, cdb, sizeof(cdb), 'o', 24);
	if (matrix_task.status != 0)
		matrix_die("PERSISTENT RESERVE OUT");
	matrix_forget();
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
	check(row, column, &matrix_nexuses[GOOD_DISK][B], row->cdb, row->bytes,
	    is_stopped(row->fence, column, is_registered) ? expect_status(0x18) :
	    expect_done(row));
}

static void
check_reservations(const struct row *row)
{
	static const uint8_t types[] = { [WE] = 1, [EA] = 3, [WERO] = 5, [EARO] = 6, [WEAR] = 7,
		[EAAR] = 8 };
	static const uint8_t reserve[6] = { 0x16 }, release[6] = { 0x17 };
	struct lu_nexus *a = &matrix_nexuses[GOOD_DISK][A], *b = &matrix_nexuses[GOOD_DISK][B];

	for (enum column c = WE; c <= EAAR; c++) {
		pr_out(a, 6, 0, 0, 1);
		pr_out(a, 1, types[c], 1, 0);
		check_fence(row, c, false);
		pr_out(b, 6, 0, 0, 2);
		check_fence(row, c, true);
		pr_out(a, 3, 0, 1, 0);
	}
	matrix_send(a, reserve, sizeof(reserve), 'n', 0);
	check_fence(row, RESERVE6, false);
	matrix_send(a, release, sizeof(release), 'n', 0);
	matrix_forget();
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
	for (size_t i = 0; i < matrix_n_rows; i++) {
		const uint8_t *cdb = matrix_rows[i].cdb;

		if (cdb[0] == opcode && (sa < 0 || (cdb[1] & 0x1f) == sa))
			return true;
	}
	return matrix_is_elsewhere(opcode, sa);
}

static void
check_unknown(void)
{
	static const uint8_t with_action[] = { 0x48, 0x5e, 0x5f, 0x9e, 0xa3, 0xa4 };
	static const uint8_t lens[] = { 6, 10, 10, 16, 16, 12, 16, 16 };
	struct lu_nexus *a = &matrix_nexuses[GOOD_DISK][A];

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

/* MODE SELECT of the Control page with D_SENSE on all disks */
static void
set_descriptor(void)
{
	static const uint8_t sense[6] = { 0x1a, 0x08, 0x0a, 0, 64 };

	for (int i = 0; i < DISKS; i++) {
		uint8_t select[6] = { 0x15, 0x10 };

		matrix_send(&matrix_nexuses[i][A], sense, sizeof(sense), 'i', 64);
		select[4] = (uint8_t)matrix_task.moved;
		matrix_data[0] = 0;
		matrix_data[2] = 0;
		matrix_data[4] &= 0x3f;
		matrix_data[6] |= 0x04;
		matrix_send(&matrix_nexuses[i][A], select, sizeof(select), 'o', select[4]);
		if (matrix_task.status != 0)
			matrix_die("MODE SELECT");
	}
	matrix_forget();
	is_descriptor = true;
}

static void
pass(void)
{
	(void)printf("%-28s", is_descriptor ? "descriptor format" : "fixed format");
	for (int c = 0; c < COLUMNS; c++)
		(void)printf("%5s", columns[c]);
	(void)printf("\n");
	for (size_t i = 0; i < matrix_n_rows; i++) {
		const struct row *row = &matrix_rows[i];

		row_name = row->name;
		check(row, VALID, &matrix_nexuses[GOOD_DISK][A], row->cdb, row->bytes,
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
		matrix_die("no folder");
	matrix_begin(dir);
	pass();
	set_descriptor();
	pass();
	(void)printf("%u cases, %u bad\n", n_cases, n_bad);
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	(void)!system(command);
	(void)fflush(stdout);
	_exit(n_bad == 0 ? 0 : 1);
}
