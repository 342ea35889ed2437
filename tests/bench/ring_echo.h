/*
 * bench/ring_echo.h - the yardstick of rings: the same entries and results, and nothing else
 *
 * What      Two processes on two CPUs, a submission and a completion ring in shared memory
 *           (proto/ring.h). The client keeps @depth entries under way, the server answers each
 *           with a result, and copies @copy_bytes for it. Who finds nothing sleeps in a read of
 *           its eventfd, or spins.
 */
#ifndef BENCH_RING_ECHO_H
#define BENCH_RING_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sample.h"

struct ring_echo_conf {
	uint32_t depth;
	size_t copy_bytes;
	bool is_spinning;
	uint64_t warm_ns;	/* before counting starts */
	uint64_t run_ns;	/* counted */
	int server_cpu;		/* -1: not pinned */
	int client_cpu;
};

/* ring_echo_run() - one run; 0 or -errno */
int ring_echo_run(const struct ring_echo_conf *conf, struct sample *ret);

#endif /* BENCH_RING_ECHO_H */
