/*
 * hostile/options.h - what programs with choices of chance are told
 *
 * What      --seconds S, --threads N, --seed N and, where it makes sense, --alone; behind them
 *           the program to start, or the URL of a target.
 */
#ifndef HOSTILE_OPTIONS_H
#define HOSTILE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct hostile_options {
	uint64_t seconds;		/* each with its default before it is parsed */
	uint64_t threads;		/* 1 .. threads_max */
	uint64_t threads_max;
	uint64_t seed;
	bool can_alone;			/* the program knows --alone */
	bool is_alone;
	const char *target;		/* PROGRAM or URL */
};

/* hostile_options_take() - false, with how it is used on stderr: not understood */
bool hostile_options_take(int argc, char **argv, struct hostile_options *o);

#endif /* HOSTILE_OPTIONS_H */
