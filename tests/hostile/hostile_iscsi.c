/*
 * hostile_iscsi - hostile and malformed input for an iSCSI target
 *
 * usage: hostile_iscsi [--only TEXT] [--quiet] PROGRAM      start PROGRAM (scsad) and attack it
 *        hostile_iscsi [--only TEXT] [--quiet] --url URL    attack
 *        iscsi://ADDRESS:PORT/NAME/LUN
 *   --only TEXT   cases whose name holds TEXT
 *   --quiet       only cases with a wrong answer, and the sum
 *
 * Each case has a connection of its own and is followed by a login and TEST UNIT READY on
 * another one. Prints a table: case, what the standard lets a target answer, what it answered,
 * verdict. Writes to the unit. Exit status 0: all answers were right and the target is alive.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "hostile/hostile.h"
#include "hostile/target.h"

static const struct hostile_case *const groups[] = {
	cases_enter, cases_keys, cases_talk, cases_command, cases_data, cases_stream,
};

struct score {
	unsigned int cases, wrong, dead;
};

/* does @seen fit one alternative, of @n characters? '*' any run, '?' one character */
static bool
fits(const char *want, size_t n, const char *seen)
{
	const char *end = want + n, *star = NULL, *back = NULL;

	while (*seen != '\0') {
		if (want < end && *want == '*') {
			star = ++want;
			back = seen;
		} else if (want < end && (*want == *seen || *want == '?')) {
			want++;
			seen++;
		} else if (star != NULL) {
			want = star;
			seen = ++back;
		} else {
			return false;
		}
	}
	while (want < end && *want == '*')
		want++;
	return want == end;
}

static bool
is_right(const char *expect, const char *seen)
{
	for (const char *p = expect;; p++) {
		size_t n = strcspn(p, "|");

		if (fits(p, n, seen))
			return true;
		p += n;
		if (*p == '\0')
			return false;
	}
}

/* the target serves somebody else as if nothing had happened */
static bool
probe(const struct raw_where *where, unsigned int index)
{
	static struct raw raw;
	bool is_served;

	raw_init(&raw, where, 0x8000 | index);
	is_served = raw_login(&raw, "") == 0 && raw_ready(&raw);
	raw_close(&raw);
	return is_served;
}

static void
run_case(struct target_run *run, const struct hostile_case *c, struct score *score, bool is_quiet)
{
	static struct hit hit;
	const char *verdict = "right";

	memset(hit.seen, 0, sizeof(hit.seen));
	hit.where = &run->where;
	hit.index = ++score->cases;
	raw_init(&hit.raw, &run->where, hit.index);
	c->run(&hit, c);
	raw_close(&hit.raw);
	if (!is_right(c->expect, hit.seen)) {
		verdict = "WRONG";
		score->wrong++;
	}
	if (!target_is_alive(run) || !probe(&run->where, hit.index)) {
		verdict = target_is_alive(run) ? "NOT SERVED AFTERWARDS" : "TARGET DIED";
		score->dead++;
	}
	if (!is_quiet || strcmp(verdict, "right") != 0)
		(void)printf("%-44s %-34s %-34s %s%s%s\n", c->name, c->expect, hit.seen, verdict,
		    *verdict == 'r' ? "" : ", see ", *verdict == 'r' ? "" : c->source);
	(void)fflush(stdout);
}

static int
attack(struct target_run *run, const char *only, bool is_quiet)
{
	struct score score = { 0 };

	(void)printf("%-44s %-34s %-34s %s\n", "case", "expected", "seen", "verdict");
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		for (const struct hostile_case *c = groups[i]; c->name != NULL; c++)
			if (only == NULL || strstr(c->name, only) != NULL)
				run_case(run, c, &score, is_quiet);
	(void)printf("%u cases, %u right, %u wrong, %u times not served afterwards\n",
	    score.cases, score.cases - score.wrong, score.wrong, score.dead);
	return score.cases > 0 && score.wrong == 0 && score.dead == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "only", required_argument, NULL, 'o' }, { "quiet", no_argument, NULL, 'q' },
		{ "url", required_argument, NULL, 'u' }, { NULL, 0, NULL, 0 },
	};
	const char *only = NULL, *url = NULL;
	bool is_quiet = false, is_there;
	struct target_run run;
	int opt, status;

	(void)signal(SIGPIPE, SIG_IGN);
	while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (opt == 'o')
			only = optarg;
		else if (opt == 'u')
			url = optarg;
		else if (opt == 'q')
			is_quiet = true;
		else
			return 2;
	}
	if ((url == NULL) != (optind + 1 == argc)) {
		(void)fprintf(stderr, "usage: hostile_iscsi [--only TEXT] PROGRAM | --url URL\n");
		return 2;
	}
	is_there = url != NULL ? target_at(&run, url) :
	    target_start(&run, argv[optind], "mem:1100M,thin");
	if (!is_there)
		return 2;
	status = attack(&run, only, is_quiet);
	return target_stop(&run) ? status : 1;
}
