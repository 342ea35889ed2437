/*
 * bench/echo.h - the yardstick: the same bytes over the same kind of socket, and nothing else
 *
 * What      Two processes on two CPUs and a Unix stream socket. The client keeps @depth
 *           requests of @request_bytes under way, the server answers each with @reply_bytes.
 *           Both take all they can get with one receive and answer with one send a turn, and
 *           sleep in epoll when there is nothing: what a server can do at best that does no
 *           work.
 */
#ifndef BENCH_ECHO_H
#define BENCH_ECHO_H

#include <stddef.h>
#include <stdint.h>

#include "sample.h"

struct echo_conf {
	size_t request_bytes;
	size_t reply_bytes;
	unsigned int depth;
	uint64_t warm_ns;	/* before counting starts */
	uint64_t run_ns;	/* counted */
	int server_cpu;		/* -1: not pinned */
	int client_cpu;
};

/* echo_run() - one run; 0 or -errno */
int echo_run(const struct echo_conf *conf, struct sample *ret);

#endif /* BENCH_ECHO_H */
