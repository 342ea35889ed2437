/*
 * bench/bench_iscsi.h - the targets that are measured: processes of our own on one CPU
 *
 * What      scsad twice (sleeping and polling), and tgtd with a null store and with a file
 *           where it is installed, each pinned to CPU_TARGET, each stopped unless it is
 *           measured.
 * Owner     bench_stop() ends the processes and removes what they made; so does the end of the
 *           program, whatever its cause.
 */
#ifndef BENCH_BENCH_ISCSI_H
#define BENCH_BENCH_ISCSI_H

#include <stdbool.h>
#include <stddef.h>

#include "iscsi_load.h"

#define CPU_TARGET	0
#define CPU_INITIATOR	1

struct peer_target {
	struct iscsi_where where;	/* where.pid 0: not there */
	char name[128];
};

struct bench {
	struct peer_target scsad, scsad_polling, tgt_null, tgt_file;
	struct iscsi_usage at_start;	/* of scsad, before anybody has logged in */
	char dir[64];
};

/* bench_start() - start them all; ends the program when scsad cannot be started. @is_measured: the
 * figures count, so that all of them, and who calls, go before other work of this machine */
void bench_start(struct bench *b, const char *scsad, const char *disk, size_t file_bytes,
    bool is_measured);
void bench_stop(struct bench *b);

/* target_wake(), target_sleep() - let it run, stop it */
void target_wake(const struct peer_target *t);
void target_sleep(const struct peer_target *t);

#endif /* BENCH_BENCH_ISCSI_H */
