#include "hostile/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

#define SECONDS_MAX	100000

static bool
option_take(struct hostile_options *o, int option)
{
	switch (option) {
	case 's':
		return num_parse_u64(optarg, SECONDS_MAX, &o->seconds) == 0;
	case 't':
		return num_parse_u64(optarg, o->threads_max, &o->threads) == 0 &&
		    o->threads > 0;
	case 'e':
		return num_parse_u64(optarg, UINT64_MAX, &o->seed) == 0;
	case 'a':
		o->is_alone = true;
		return o->can_alone;
	default:
		return false;
	}
}

bool
hostile_options_take(int argc, char **argv, struct hostile_options *o)
{
	static const struct option longs[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "threads", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 'e' },
		{ "alone", no_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	bool is_understood = true;
	int option;

	while (is_understood && (option = getopt_long(argc, argv, "", longs, NULL)) != -1)
		is_understood = option_take(o, option);
	if (is_understood && optind + 1 == argc) {
		o->target = argv[optind];
		return true;
	}
	(void)fprintf(stderr, "usage: %s [--seconds S] [--threads N] [--seed N]%s PROGRAM|URL\n",
	    argv[0], o->can_alone ? " [--alone]" : "");
	return false;
}
