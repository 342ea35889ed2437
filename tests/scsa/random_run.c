/*
 * tests/scsa/random_run.c - everything at once, by chance, for as long as one likes
 *
 * usage: random_run [--seed N] [--steps N] [--worlds N | --minutes N]
 *   --seed     the first world; the next one has the number after it (1)
 *   --steps    what happens in a world (400)
 *   --worlds   how many worlds (1)
 *   --minutes  worlds until the time is over
 *
 * Every world runs twice, each time in a process of its own with memory laid out differently,
 * and must give the same trace. The ordering checker is on all the time. A failure names the
 * rule or the line, and the seed with which it happens again.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/log.h"
#include "base/num.h"
#include "ddi/sim.h"
#include "tests/scsa/mock_hba.h"
#include "tests/scsa/random.h"

/* shared with the processes of the worlds */
struct report {
	uint64_t hash, virtual_us;
	struct random_world world;
};

static struct report *report;		/* [0] first run, [1] second */
static uint64_t opt_seed = 1, opt_steps = 400, opt_worlds = 1, opt_minutes;
static int copy;			/* which run of the world this is */

static void
body(void *arg)
{
	(void)arg;
	random_world(opt_seed, opt_steps);
	report[copy].virtual_us = sim_now_us();
	report[copy].hash = sim_trace_hash() ^ mock_order_hash();
}

/* shift what malloc() answers, so that no order may depend on addresses */
static void
perturb(void)
{
	static void *kept[500];

	for (int i = 0; i < 500; i++)
		kept[i] = malloc((size_t)(i * 37 % 900 + 1));
	for (int i = 0; i < 500; i += 1 + i % 3) {
		free(kept[i]);
		kept[i] = NULL;
	}
}

START_TEST(a_world)
{
	const struct sim_opts opts = { .seed = opt_seed, .yield_per_1024 = 32 };

	log_set_level(LOG_LEVEL_ERROR);
	if (copy == 1)
		perturb();
	mock_order_begin();
	sim_run(&opts, body, NULL);
	mock_order_end();
	report[copy].world = world;
}
END_TEST

/* one run of the world in a process of its own */
static bool
run_once(void)
{
	Suite *suite = suite_create("random run");
	TCase *tcase = tcase_create("random run");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 0);
	tcase_add_test(tcase, a_world);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_FORK);
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	if (failed != 0)
		srunner_print(runner, CK_NORMAL);
	(void)fflush(stdout);
	srunner_free(runner);
	return failed == 0;
}

static bool
run_world(void)
{
	for (copy = 0; copy < 2; copy++) {
		if (!run_once()) {
			printf("FAILED: again: random_run --seed %llu --steps %llu\n",
			    (unsigned long long)opt_seed, (unsigned long long)opt_steps);
			return false;
		}
	}
	if (report[0].hash == report[1].hash)
		return true;
	printf("FAILED: seed %llu: trace %016llx, then %016llx\n", (unsigned long long)opt_seed,
	    (unsigned long long)report[0].hash, (unsigned long long)report[1].hash);
	return false;
}

static void
sum_add(struct random_world *sum)
{
	const struct random_world *w = &report[0].world;

	sum->n_tgt_init += w->n_tgt_init;
	sum->n_start += w->n_start;
	sum->n_done += w->n_done;
	sum->n_timeout += w->n_timeout;
	sum->n_aborted += w->n_aborted;
	sum->n_reset += w->n_reset;
	sum->n_gone += w->n_gone;
	sum->n_busy += w->n_busy;
	sum->n_checked += w->n_checked;
	sum->n_attach += w->n_attach;
	sum->n_refused_detach += w->n_refused_detach;
	sum->n_notified += w->n_notified;
	sum->n_activated += w->n_activated;
	sum->n_maps_destroyed += w->n_maps_destroyed;
	sum->n_iports += w->n_iports;
	sum->n_quiesce += w->n_quiesce;
	if (w->units_max > sum->units_max)
		sum->units_max = w->units_max;
}

#define LL(x)	(unsigned long long)(x)

static void
sum_print(const struct random_world *sum, uint64_t worlds, uint64_t virtual_s, uint64_t hash)
{
	printf("worlds %llu (each twice), steps %llu each, virtual time %llu s,"
	    " trace %016llx\n", LL(worlds), LL(opt_steps), LL(virtual_s), LL(hash));
	printf("iports %llu, targets activated %llu, maps destroyed %llu, tgt_init %llu,"
	    " units attached %llu, at most %d at a time, detach refused %llu\n",
	    LL(sum->n_iports), LL(sum->n_activated), LL(sum->n_maps_destroyed),
	    LL(sum->n_tgt_init), LL(sum->n_attach), sum->units_max, LL(sum->n_refused_detach));
	printf("commands started %llu, of clients %llu, busy %llu, timed out %llu,"
	    " aborted %llu, reset %llu, gone %llu, reads checked %llu, resets told %llu,"
	    " quiesced %llu\n",
	    LL(sum->n_start), LL(sum->n_done), LL(sum->n_busy), LL(sum->n_timeout),
	    LL(sum->n_aborted), LL(sum->n_reset), LL(sum->n_gone), LL(sum->n_checked),
	    LL(sum->n_notified), LL(sum->n_quiesce));
}

static bool
options_read(int argc, char **argv)
{
	static const struct {
		const char *name;
		uint64_t *value;
	} options[] = {
		{ "--seed", &opt_seed }, { "--steps", &opt_steps },
		{ "--worlds", &opt_worlds }, { "--minutes", &opt_minutes },
	};

	for (int i = 1; i < argc; i += 2) {
		size_t o = 0;

		while (o < 4 && strcmp(argv[i], options[o].name) != 0)
			o++;
		if (o == 4 || i + 1 == argc ||
		    num_parse_u64(argv[i + 1], UINT64_MAX, options[o].value) != 0)
			return false;
	}
	return true;
}

int
main(int argc, char **argv)
{
	static struct random_world sum;
	uint64_t worlds = 0, virtual_us = 0, hash = 0;
	time_t end;

	if (!options_read(argc, argv)) {
		fprintf(stderr, "usage: random_run [--seed N] [--steps N] [--worlds N |"
		    " --minutes N]\n");
		return EXIT_FAILURE;
	}
	report = mmap(NULL, 2 * sizeof(*report), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED)
		return EXIT_FAILURE;
	end = time(NULL) + (time_t)opt_minutes * 60;
	do {
		if (!run_world())
			return EXIT_FAILURE;
		sum_add(&sum);
		virtual_us += report[0].virtual_us;
		hash = hash * 31 + report[0].hash;
		worlds++;
		opt_seed++;
	} while (opt_minutes != 0 ? time(NULL) < end : worlds < opt_worlds);
	sum_print(&sum, worlds, virtual_us / 1000000, hash);
	return EXIT_SUCCESS;
}
