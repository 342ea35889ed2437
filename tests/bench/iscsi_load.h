/*
 * bench/iscsi_load.h - load on an iSCSI target by an initiator that is lighter than any target
 *
 * What      Sessions of one connection each, a number of commands in flight on each: prebuilt
 *           PDUs, one send for a batch of commands, one large receive per wake-up, payload
 *           dropped as soon as the kernel has copied it. So it is the target that is measured.
 * Thread    One; functions end the program with a message when the target breaks the protocol.
 * Limits    ISCSI_LOAD_DEPTH commands in flight a session, ISCSI_LOAD_CONNS sessions.
 */
#ifndef BENCH_ISCSI_LOAD_H
#define BENCH_ISCSI_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sample.h"

#define ISCSI_LOAD_DEPTH	256
#define ISCSI_LOAD_CONNS	1024

enum iscsi_load_op { ISCSI_LOAD_RW, ISCSI_LOAD_TUR };

/* where the target listens */
struct iscsi_where {
	const char *name;	/* of the target */
	uint16_t port;		/* on 127.0.0.1 */
	uint16_t lun;
	pid_t pid;		/* whose CPU time and memory count; 0: nobody's */
};

struct iscsi_load {
	enum iscsi_load_op op;
	unsigned int conns, depth;
	uint32_t bytes;		/* of one read or write */
	unsigned int reads_pct;
	bool is_sequential;
	bool is_spinning;	/* instead of sleeping in epoll */
	uint64_t warm_ns, run_ns;
};

/* what a process has used */
struct iscsi_usage {
	uint64_t cpu_ns;	/* all its threads */
	long rss_kib;
};

/* iscsi_usage_read() - of process @pid; zeros when there is none */
struct iscsi_usage iscsi_usage_read(pid_t pid);

/* iscsi_load_run() - open the sessions, run, close; @ret_slowest is the smallest share of one
 * session in relation to the largest (1: all equal) */
void iscsi_load_run(const struct iscsi_where *where, const struct iscsi_load *load,
    struct sample *ret, double *ret_slowest);

/* iscsi_load_logins() - log in and out, one after another, for @run_ns */
void iscsi_load_logins(const struct iscsi_where *where, uint64_t run_ns, struct sample *ret);

/* what idle sessions cost */
struct iscsi_idle {
	long rss_kib;		/* without a session */
	double kib_session;	/* more for each */
	double cpu;		/* of one core, all sessions together */
};

/* iscsi_load_idle() - hold @conns sessions open for @run_ns */
void iscsi_load_idle(const struct iscsi_where *where, unsigned int conns, uint64_t run_ns,
    struct iscsi_idle *ret);

#endif /* BENCH_ISCSI_LOAD_H */
