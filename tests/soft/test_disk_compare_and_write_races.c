/*
 * test_disk_compare_and_write_races.c - what must not be interrupted is not
 *
 * usage: test_disk_compare_and_write_races [ROUNDS]   of each thread that counts (100000 for all)
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "mock_race.h"

static struct bench b;
#ifdef SCSAD_TSAN
static unsigned long rounds = 100;	/* slow there, and finds the same */
#else
static unsigned long rounds = 500;
#endif
static uint8_t cdb[CDB_BUF_LEN], block[1024];
static atomic_uint n_torn, n_odd, n_bad, n_working;

/* one more in the counter, as often as it takes */
static void
count_one(struct racer *r, uint64_t lba)
{
	uint64_t now = 0;

	for (;;) {
		memset(r->data, 0, 1024);
		be64_put(r->data, now);
		be64_put(r->data + 512, now + 1);
		be64_put(r->data + 1016, now + 1);
		if (now != 0)
			be64_put(r->data + 504, now);
		if (racer_out(r, cdb_compare_and_write(r->cdb, lba, 1, 0), r->data, 1024))
			return;
		if (r->cmd.sense.key != SENSE_MISCOMPARE)
			atomic_fetch_add(&n_bad, 1);
		if (!racer_in(r, cdb_read(r->cdb, CDB_16, lba, 1, 0), r->data, 512))
			atomic_fetch_add(&n_bad, 1);
		now = be64_get(r->data);
		/* both ends of the block are of one write */
		if (now != be64_get(r->data + 504))
			atomic_fetch_add(&n_torn, 1);
	}
}

static void
counter(struct racer *r)
{
	for (unsigned long i = 0; i < rounds; i++)
		count_one(r, 77);
}

static void
count_race(const char *line, unsigned int n)
{
	bench_open_slow(&b, line);
	race_run(&b, n, true, counter);
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 77, 1, 0), 512));
	ck_assert_uint_eq(be64_get(b.data), n * rounds);
	ck_assert_uint_eq(atomic_load(&n_bad), 0);
	ck_assert_uint_eq(atomic_load(&n_torn), 0);
	bench_close(&b);
}

START_TEST(counter_is_exact)
{
	count_race("mem:1M", RACE_THREADS);
}
END_TEST

START_TEST(counter_is_exact_with_protection)
{
	rounds = rounds / 4 + 1;
	count_race("mem:1M,pi=1", 4);
}
END_TEST

/* some count, the others write elsewhere and over the edge of the counter's neighbours */
static void
count_or_write(struct racer *r)
{
	if (r->number < 3) {
		(void)atomic_fetch_add(&n_working, 1);
		counter(r);
		(void)atomic_fetch_sub(&n_working, 1);
		return;
	}
	do {
		memset(r->data, (int)r->number, 8192);
		if (!racer_out(r, cdb_write(r->cdb, CDB_10, 78, 16, 0), r->data, 8192) ||
		    !racer_in(r, cdb_read(r->cdb, CDB_10, 70, 16, 0), r->data, 8192))
			atomic_fetch_add(&n_bad, 1);
		if (be64_get(r->data + 7 * 512) != be64_get(r->data + 7 * 512 + 504))
			atomic_fetch_add(&n_torn, 1);
	} while (atomic_load(&n_working) > 0);
}

START_TEST(others_go_on_beside_it)
{
	bench_open_slow(&b, "mem:1M");
	race_run(&b, 6, true, count_or_write);
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 77, 1, 0), 512));
	ck_assert_uint_eq(be64_get(b.data), 3 * rounds);
	ck_assert_uint_eq(atomic_load(&n_bad), 0);
	ck_assert_uint_eq(atomic_load(&n_torn), 0);
	bench_close(&b);
}
END_TEST

/* writers of 128 blocks of one byte each; readers look whether they ever see two */
static void
write_or_look(struct racer *r)
{
	uint8_t *data = r->data;

	for (unsigned long i = 0; i < rounds; i++) {
		if (r->number < 4) {
			memset(data, (int)(i * 4 + r->number), sizeof(r->data));
			if (!racer_out(r, cdb_write_atomic(r->cdb, 96, 0, 128, 0), data,
				sizeof(r->data)))
				atomic_fetch_add(&n_bad, 1);
			continue;
		}
		if (!racer_in(r, cdb_read(r->cdb, CDB_10, 96, 128, 0), data,
			sizeof(r->data)))
			atomic_fetch_add(&n_bad, 1);
		if (memcmp(data, data + 1, sizeof(r->data) - 1) != 0)
			atomic_fetch_add(&n_torn, 1);
	}
}

START_TEST(atomic_writes_are_seen_whole)
{
	bench_open_slow(&b, "mem:1M");
	race_run(&b, RACE_THREADS, true, write_or_look);
	ck_assert_uint_eq(atomic_load(&n_bad), 0);
	ck_assert_uint_eq(atomic_load(&n_torn), 0);
	bench_close(&b);
}
END_TEST

/* thread n sets bit n of every eighth byte, again and again */
static void
or_bits(struct racer *r)
{
	for (unsigned long i = 0; i < 512; i++) {
		memset(r->data, 0, 1024);
		r->data[i] = (uint8_t)(1u << r->number);
		r->data[512 + i] = (uint8_t)(1u << r->number);
		if (!racer_out(r, cdb_orwrite(r->cdb, 40, 2, 0), r->data, 1024))
			atomic_fetch_add(&n_bad, 1);
	}
}

START_TEST(no_bit_is_lost)
{
	bench_open_slow(&b, "mem:1M");
	race_run(&b, RACE_THREADS, true, or_bits);
	ck_assert_uint_eq(atomic_load(&n_bad), 0);
	ck_assert(bench_in(&b, cdb, cdb_read(cdb, CDB_10, 40, 2, 0), 1024));
	memset(block, 0xff, 1024);
	ck_assert_mem_eq(b.data, block, 1024);
	bench_close(&b);
}
END_TEST

/* blocks and their protection information are in two places, and never apart */
static void
write_or_read_protected(struct racer *r)
{
	uint8_t *data = r->data;

	for (unsigned long i = 0; i < rounds / 4 + 1; i++) {
		memset(data, (int)(i + r->number), sizeof(r->data));
		if (r->number % 2 == 0 ?
		    !racer_out(r, cdb_write(r->cdb, CDB_10, 4 * r->number, 8, 0), data, 4096) :
		    !racer_in(r, cdb_read(r->cdb, CDB_10, 0, 40, 0), data, 40 * 512))
			atomic_fetch_add(&n_odd, 1);
	}
}

START_TEST(protection_fits_at_all_times)
{
	bench_open_slow(&b, "mem:1M,pi=1");
	race_run(&b, RACE_THREADS, true, write_or_read_protected);
	ck_assert_uint_eq(atomic_load(&n_odd), 0);
	bench_close(&b);
}
END_TEST

int
main(int argc, char **argv)
{
	const TTest *const tests[] = { counter_is_exact, counter_is_exact_with_protection,
	    others_go_on_beside_it, atomic_writes_are_seen_whole, no_bit_is_lost,
	    protection_fits_at_all_times };
	Suite *suite = suite_create("compare and write races");
	TCase *tcase = tcase_create("races");
	SRunner *runner;
	uint64_t n;
	int failed;

	if (argc > 1 && num_parse_u64(argv[1], 1000000000, &n) == 0)
		rounds = (unsigned long)n;
	tcase_set_timeout(tcase, 900);
	for (size_t i = 0; i < ARRAY_LEN(tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
