/* FORMAT UNIT: with and without lists and patterns; progress, and lists that cannot be */
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "ddi/sim.h"
#include "mock_disk.h"

enum { FMTDATA = 0x10, LONGLIST = 0x20, FOV = 0x80, IP = 0x08, IMMED = 0x02 };

static struct bench b;
static uint8_t cdb[CDB_BUF_LEN], list[600], data[4096];

static bool
format(uint8_t flags, uint8_t ffmt, size_t list_len)
{
	memset(cdb, 0, sizeof(cdb));
	cdb[0] = 0x04;
	cdb[1] = flags;
	cdb[4] = ffmt;
	return bench_out(&b, cdb, 6, list, list_len);
}

static void
fill(uint8_t byte)
{
	memset(data, byte, sizeof(data));
	for (uint32_t lba = 0; lba < disk_blocks(b.disk); lba += 8)
		ck_assert(bench_out(&b, cdb, cdb_write(cdb, CDB_10, lba, 8, 0), data, 4096));
}

static void
check(uint8_t first, uint8_t second)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i % 2 == 0 ? first : second;
	for (uint32_t lba = 0; lba < disk_blocks(b.disk); lba += 8) {
		ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, lba, 8, 0), 4096));
		ck_assert_mem_eq(b.data, data, 4096);
	}
}

START_TEST(formats)
{
	static const char *const lines[] = { "mem:1M", "mem:1M,thin=0", "mem:1M,block=4096" };

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		bench_open(&b, lines[i]);
		if (i == 2) {
			ck_assert(format(0, 0, 0));
			bench_close(&b);
			continue;
		}
		fill('a');
		ck_assert(format(0, 0, 0));
		check(0, 0);
		fill('a');
		ck_assert(format(0, 1, 0));	/* fast: nothing is written */
		check('a', 'a');
		memset(list, 0, sizeof(list));
		ck_assert(format(FMTDATA, 0, 4));
		check(0, 0);
		/* a pattern, in both forms of the list */
		memcpy(list, (uint8_t[10]){ 0, FOV | IP, 0, 0, 0, 1, 0, 2, 'x', 'y' }, 10);
		ck_assert(format(FMTDATA, 0, 10));
		check('x', 'y');
		memset(list, 0, sizeof(list));
		memcpy(list, (uint8_t[14]){ 0, FOV | IP, 0, 0, 0, 0, 0, 0, 0x20, 1, 0, 2,
		    'z', 'z' }, 14);
		ck_assert(format(FMTDATA | LONGLIST, 0, 14));
		check('z', 'z');
		bench_close(&b);
	}
}
END_TEST

START_TEST(lists_that_cannot_be)
{
	static const struct { uint8_t list[10]; uint32_t sks; } rows[] = {
		{ { 0x01 }, SKS_LIST(0, 0) },			/* PROTECTION FIELDS USAGE */
		{ { 0, IP }, SKS_LIST(1, 3) },			/* without FOV */
		{ { 0, FOV | 0x04 }, SKS_LIST(1, 2) },
		{ { 0, 0, 0, 8 }, SKS_LIST_BYTE(2) },		/* defects */
		{ { 0, FOV | IP, 0, 0, 0x40 }, SKS_LIST(4, 6) },
		{ { 0, FOV | IP, 0, 0, 0, 2 }, SKS_LIST_BYTE(5) },
		{ { 0, FOV | IP, 0, 0, 0, 1, 0, 0 }, SKS_LIST_BYTE(6) },
		{ { 0, FOV | IP, 0, 0, 0, 0, 0, 2 }, SKS_LIST_BYTE(6) },
		{ { 0, FOV | IP, 0, 0, 0, 1, 2, 1 }, SKS_LIST_BYTE(6) },
	};

	bench_open(&b, "mem:1M");
	fill('a');
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		memcpy(list, rows[i].list, 10);
		ck_assert(!format(FMTDATA, 0, 10));
		ck_assert_msg(bench_sense(&b, SENSE_ILLEGAL_REQUEST,
		    ASC_INVALID_FIELD_IN_LIST, rows[i].sks), "%zu", i);
	}
	memset(list, 0, sizeof(list));
	list[3] = 1;
	ck_assert(!format(FMTDATA | LONGLIST, 0, 8));
	ck_assert(bench_sense(
	    &b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_LIST, SKS_LIST_BYTE(3)));
	ck_assert(!format(FMTDATA, 0, 3));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH, 0));
	memcpy(list, (uint8_t[10]){ 0, FOV | IP, 0, 0, 0, 1, 0, 8 }, 10);
	ck_assert(!format(FMTDATA, 0, 10));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH, 0));
	ck_assert(!format(FMTDATA, 0, 6));
	ck_assert(bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH, 0));
	ck_assert(!format(0x80, 0, 0));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(1, 7)));
	ck_assert(!format(0x08, 0, 0));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(1, 3)));
	ck_assert(!format(0, 2, 0));
	ck_assert(
	    bench_sense(&b, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, SKS_CDB(4, 1)));
	check('a', 'a');
	bench_close(&b);
}
END_TEST

static void
progress_fn(void *arg)
{
	(void)arg;
	bench_open_at(&b, "mem:4M,thin=0,sanitize_rate=1M", NULL);
	memset(list, 0, sizeof(list));
	list[1] = IMMED;
	ck_assert(format(FMTDATA, 0, 4));
	sim_settle();
	ck_assert(!bench_none(&b, cdb, cdb_tur(cdb)));
	ck_assert(bench_sense(&b, SENSE_NOT_READY, ASC_FORMAT_IN_PROGRESS, 0x800000u | 16384));
	sim_advance_us(4000000);
	ck_assert(bench_none(&b, cdb, cdb_tur(cdb)));
	bench_close(&b);
}

START_TEST(progress_is_told)
{
	sim_run(&(struct sim_opts){ .seed = 1 }, progress_fn, NULL);
}
END_TEST

CHECK_MAIN("disk format", formats, lists_that_cannot_be, progress_is_told)
