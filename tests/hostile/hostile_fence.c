/*
 * hostile_fence - what a reservation stops: every command of a disk, from a second initiator
 *
 * usage: hostile_fence [--quiet] PROGRAM       start PROGRAM (scsad) and ask it
 *        hostile_fence [--quiet] --url URL     ask iscsi://ADDRESS:PORT/NAME/LUN
 *   --quiet   only rows with a wrong cell, and the sum
 *
 * Initiator A takes RESERVE(6), then each of the six types of persistent reservation; initiator B,
 * unregistered and registered, sends every command. The reservation is made anew for each cell.
 * Prints a matrix: C conflict, '.' GOOD, 's' CHECK CONDITION, 'n' no such command here, '?' anything
 * else; a cell that the standards want otherwise is in brackets. Every command that the unit reports by REPORT
 * SUPPORTED OPERATION CODES must have a row. Writes to the unit. Exit status 0: all is right.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "hostile/fence.h"
#include "hostile/target.h"

#define KEY_A		0xaaaaaaaau
#define KEY_B		0xbbbbbbbbu
#define CONFLICT	0x18
#define NO_COMMAND	0x052000u	/* INVALID COMMAND OPERATION CODE */
#define OPCODES_MAX	8192
#define LIST_MAX	1024
#define CDB_MAX		32

struct fence {
	struct raw a, b;
	unsigned int cells, wrong;
	uint8_t reported[OPCODES_MAX];	/* REPORT SUPPORTED OPERATION CODES: descriptors */
	uint32_t reported_len;
};

static const struct {
	const char *name;
	uint8_t type;		/* of a persistent reservation; 0: RESERVE(6) */
	bool is_registered;	/* B */
} columns[FENCE_COLUMNS] = {
	{ "R6", 0, false }, { "WE", 1, false }, { "WE+", 1, true }, { "EA", 3, false },
	{ "EA+", 3, true }, { "WR", 5, false }, { "WR+", 5, true }, { "ER", 6, false },
	{ "ER+", 6, true }, { "WA", 7, false }, { "WA+", 7, true }, { "AA", 8, false },
	{ "AA+", 8, true },
};

/* ------ commands of A ------ */

/* a command, again while unit attentions are in its way */
static int
run(struct raw *raw, const uint8_t *cdb, size_t len, const uint8_t *out, uint32_t out_len,
    uint32_t in_len)
{
	int r = 0;

	for (int i = 0; i < 8; i++) {
		r = raw_run(raw, cdb, len, out, out_len, in_len);
		if (r != 2 || raw_sense(raw) >> 16 != 6)
			break;
	}
	return r;
}

static int
pr_out(struct raw *raw, uint8_t action, uint8_t type, uint32_t key, uint32_t new_key)
{
	uint8_t cdb[10] = { 0x5f, action, type, [8] = 24 }, list[24] = { 0 };

	raw_put32(list + 4, key);
	raw_put32(list + 12, new_key);
	return run(raw, cdb, sizeof(cdb), list, sizeof(list), 0);
}

static int
short_cdb(struct raw *raw, uint8_t opcode, uint8_t byte4)
{
	const uint8_t cdb[6] = { opcode, [4] = byte4 };

	return run(raw, cdb, sizeof(cdb), NULL, 0, 0);
}

/* nothing is reserved, nobody is registered, the unit runs */
static bool
undo(struct fence *f)
{
	(void)short_cdb(&f->a, 0x17, 0);
	(void)short_cdb(&f->b, 0x17, 0);
	return pr_out(&f->a, 0x06, 0, 0, KEY_A) == 0 && pr_out(&f->a, 0x03, 0, KEY_A, 0) == 0 &&
	    short_cdb(&f->b, 0x1e, 0) >= 0 && short_cdb(&f->a, 0x1b, 3) >= 0 &&
	    raw_ready(&f->a) && raw_ready(&f->b);
}

static bool
reserve(struct fence *f, size_t column)
{
	uint8_t type = columns[column].type;

	if (!undo(f))
		return false;
	if (type == 0)
		return short_cdb(&f->a, 0x16, 0) == 0;
	if (pr_out(&f->a, 0x00, 0, 0, KEY_A) != 0 ||
	    (columns[column].is_registered && pr_out(&f->b, 0x00, 0, 0, KEY_B) != 0))
		return false;
	return pr_out(&f->a, 0x01, type, KEY_A, 0) == 0;
}

/* ------ a cell: a command of B ------ */

/* transport ID of B: name, ISID */
static uint32_t
put_move(const struct raw *b, uint8_t *list)
{
	uint8_t *id = list + 24;
	int n = snprintf((char *)id + 4, LIST_MAX - 28, "%s,i,0x%02x%02x%02x%02x%02x%02x",
	    b->initiator, b->isid[0], b->isid[1], b->isid[2], b->isid[3], b->isid[4], b->isid[5]);
	uint32_t len = ((uint32_t)n + 1 + 3) / 4 * 4;

	id[0] = 0x45;
	raw_put16(id + 2, (uint16_t)len);
	raw_put16(list + 18, 1);
	raw_put32(list + 20, len + 4);
	return 24 + 4 + len;
}

static uint32_t
fill_list(const struct fence *f, const struct fence_row *row, size_t column, uint8_t *list)
{
	bool is_registered = columns[column].is_registered;

	memset(list, 0, LIST_MAX);
	if (row->list == FENCE_OWN_KEY || row->list == FENCE_NEW_KEY ||
	    row->list == FENCE_OTHER_KEY || row->list == FENCE_MOVE)
		raw_put32(list + 4, is_registered ? KEY_B : 0);
	if (row->list == FENCE_NEW_KEY || row->list == FENCE_MOVE)
		raw_put32(list + 12, KEY_B);
	else if (row->list == FENCE_OTHER_KEY)
		raw_put32(list + 12, KEY_A);
	return row->list == FENCE_MOVE ? put_move(&f->b, list) : row->out;
}

static size_t
fill_cdb(const char *text, uint8_t *cdb, uint8_t type, uint8_t len)
{
	size_t n = 0;

	for (; n < CDB_MAX; n++) {
		char *end;

		if (strncmp(text, "TT", 2) == 0 || strncmp(text, "LL", 2) == 0) {
			cdb[n] = *text == 'T' ? type : len;
			text += 2;
		} else {
			cdb[n] = (uint8_t)strtoul(text, &end, 16);
			if (end == text)
				break;
			text = end;
		}
		text += *text == ' ';
	}
	return n;
}

static char
cell(struct fence *f, const struct fence_row *row, size_t column)
{
	static uint8_t list[LIST_MAX];
	uint8_t cdb[CDB_MAX] = { 0 };
	uint32_t len = fill_list(f, row, column, list);
	size_t n = fill_cdb(row->cdb, cdb, columns[column].type, (uint8_t)len);
	int r = run(&f->b, cdb, n, list, len, row->in);

	if (r == 2)
		return raw_sense(&f->b) == NO_COMMAND ? 'n' : 's';
	return r == CONFLICT ? 'C' : r == 0 || r == 4 ? '.' : '?';
}

static uint16_t
action_of(const uint8_t *cdb)
{
	return cdb[0] == 0x7f ? raw_be16(cdb + 8) : cdb[1] & 0x1f;
}

static bool
is_reported(const struct fence *f, const uint8_t *cdb)
{
	for (uint32_t i = 0; i + 8 <= f->reported_len; i += 8) {
		const uint8_t *d = f->reported + i;

		if (d[0] == cdb[0] && ((d[5] & 0x01) == 0 || raw_be16(d + 2) == action_of(cdb)))
			return true;
	}
	return false;
}

/* 'n' is right where the unit does not say that it has the command */
static bool
is_right(const struct fence *f, const struct fence_row *row, size_t column, char seen)
{
	uint8_t cdb[CDB_MAX] = { 0 };

	(void)fill_cdb(row->cdb, cdb, 0, 0);
	if (seen == '?' || (seen == 'n' && is_reported(f, cdb)))
		return false;
	return seen == 'n' || row->stops[column] == '?' ||
	    (seen == 'C') == (row->stops[column] == 'C');
}

static bool
do_row(struct fence *f, const struct fence_row *row, bool is_quiet)
{
	char line[FENCE_COLUMNS * 4 + 1] = "";
	unsigned int wrong = 0;

	for (size_t i = 0; i < FENCE_COLUMNS; i++) {
		char seen;
		bool is_well;

		if (!reserve(f, i)) {
			(void)printf("%-36s %s: A cannot reserve\n", row->name, columns[i].name);
			return false;
		}
		seen = cell(f, row, i);
		is_well = is_right(f, row, i, seen);
		wrong += !is_well;
		(void)snprintf(line + 4 * i, 5, is_well ? " %c  " : "[%c] ", seen);
	}
	f->cells += FENCE_COLUMNS;
	f->wrong += wrong;
	if (!is_quiet || wrong > 0)
		(void)printf("%-36s %s\n", row->name, line);
	return true;
}

/* ------ has every command a row? ------ */

static bool
has_row(uint8_t opcode, bool has_action, uint16_t action)
{
	for (const struct fence_row *row = fence_rows; row->name != NULL; row++) {
		uint8_t cdb[CDB_MAX] = { 0 };

		(void)fill_cdb(row->cdb, cdb, 0, 0);
		if (cdb[0] == opcode && (!has_action ||
		    action == action_of(cdb)))
			return true;
	}
	return false;
}

/* commands of REPORT SUPPORTED OPERATION CODES without a row */
static unsigned int
missing_rows(struct fence *f)
{
	uint8_t cdb[12] = { 0xa3, 0x0c };
	unsigned int missing = 0;
	raw_put32(cdb + 6, OPCODES_MAX);
	if (!undo(f) || run(&f->b, cdb, sizeof(cdb), NULL, 0, OPCODES_MAX) != 0) {
		(void)printf("no list of supported operation codes\n");
		return 1;
	}
	f->reported_len = raw_be32(f->b.data);
	if (f->reported_len + 4 > f->b.len || f->reported_len > sizeof(f->reported))
		return 1;
	memcpy(f->reported, f->b.data + 4, f->reported_len);
	for (uint32_t i = 0; i + 8 <= f->reported_len; i += 8) {
		const uint8_t *d = f->reported + i;
		bool has_action = (d[5] & 0x01) != 0;

		if (has_row(d[0], has_action, raw_be16(d + 2)))
			continue;
		(void)printf("no row for opcode %02xh, service action %02xh\n", d[0],
		    raw_be16(d + 2));
		missing++;
	}
	(void)printf("%u commands reported by the unit, %u of them without a row\n",
	    f->reported_len / 8, missing);
	return missing;
}

/* ------ all of it ------ */

static int
ask(struct target_run *at, bool is_quiet)
{
	static struct fence f;
	unsigned int missing;

	raw_init(&f.a, &at->where, 1);
	raw_init(&f.b, &at->where, 2);
	f.b.initiator = "iqn.2026-11.internal.hostile:b";
	if (raw_login(&f.a, "") != 0 || raw_login(&f.b, "") != 0)
		return 1;
	missing = missing_rows(&f);
	(void)printf("%-36s", "command of a second initiator");
	for (size_t i = 0; i < FENCE_COLUMNS; i++)
		(void)printf(" %-3s", columns[i].name);
	(void)printf("\n");
	for (const struct fence_row *row = fence_rows; row->name != NULL; row++)
		if (!do_row(&f, row, is_quiet))
			return 1;
	(void)printf("R6 RESERVE(6), WE Write Exclusive, EA Exclusive Access, WR ER Registrants Only, "
	    "WA AA All Registrants; + B is registered\n"
	    "%u cells, %u wrong\n", f.cells, f.wrong);
	if (!undo(&f))
		missing++;
	raw_close(&f.a);
	raw_close(&f.b);
	return f.wrong == 0 && missing == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "quiet", no_argument, NULL, 'q' }, { "url", required_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 },
	};
	const char *url = NULL;
	bool is_quiet = false;
	struct target_run at;
	int opt, status;

	(void)signal(SIGPIPE, SIG_IGN);
	while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (opt == 'u')
			url = optarg;
		else if (opt == 'q')
			is_quiet = true;
		else
			return 2;
	}
	if ((url == NULL) != (optind + 1 == argc)) {
		(void)fprintf(stderr, "usage: hostile_fence [--quiet] PROGRAM | --url URL\n");
		return 2;
	}
	if (url != NULL ? !target_at(&at, url) : !target_start(&at, argv[optind],
	    "DIR/disk.img,size=64M,thin,removable"))
		return 2;
	status = ask(&at, is_quiet);
	return target_stop(&at) ? status : 1;
}
