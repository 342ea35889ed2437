/*
 * bench/iscsi_echo.h - the yardstick of an iSCSI target: the shape of its bytes, and nothing
 * else
 *
 * What      A server process that answers requests of fixed size with answers of fixed size
 *           over TCP on 127.0.0.1: all it can get with one receive, one send for all answers of
 *           a turn, sleeping in epoll in between. A long answer is read from anywhere in a
 *           large piece of memory, a long request is written there: what a target with a disk
 *           in memory does at best, without a protocol and without a disk.
 */
#ifndef BENCH_ISCSI_ECHO_H
#define BENCH_ISCSI_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sample.h"

#define ISCSI_ECHO_HEAD		48	/* bytes in front of the data */
#define ISCSI_ECHO_DEPTH	64

struct iscsi_echo_conf {
	unsigned int conns, depth;	/* depth: requests under way on each, ISCSI_ECHO_DEPTH */
	size_t request_data;		/* bytes behind the head of a request */
	size_t answer_data;
	size_t span_bytes;		/* of the memory */
	bool is_server_spinning, is_client_spinning;
	uint64_t warm_ns, run_ns;
	int server_cpu, client_cpu;	/* -1: not pinned */
};

/* iscsi_echo_run() - one run */
void iscsi_echo_run(const struct iscsi_echo_conf *conf, struct sample *ret);

#endif /* BENCH_ISCSI_ECHO_H */
