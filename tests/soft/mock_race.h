/*
 * mock_race.h - several threads that send commands to one disk
 *
 * What      race_run() starts threads; each has a struct racer of its own and sends commands by
 *           racer_out() and racer_in(). With is_async commands wait by pend and done, as those
 *           of the adapter do; without, the thread waits inside of disk_execute().
 */
#ifndef TESTS_SOFT_MOCK_RACE_H
#define TESTS_SOFT_MOCK_RACE_H

#include <pthread.h>

#include "mock_disk.h"

#define RACE_THREADS	8

struct racer {
	struct disk_cmd cmd;		/* first; result of the last command */
	struct bench *bench;
	unsigned int number;		/* 0 .. n - 1 */
	bool is_async;
	atomic_bool done;
	void (*run)(struct racer *r);
	pthread_t thread;
	uint8_t cdb[CDB_BUF_LEN];
	uint8_t data[65536];
};

/* true when the status was GOOD */
bool racer_out(struct racer *r, size_t cdb_len, void *buf, size_t len);
bool racer_in(struct racer *r, size_t cdb_len, void *buf, size_t len);

/* race_run() - @n threads, at most RACE_THREADS, run @run; the odd ones async if @is_mixed */
void race_run(struct bench *b, unsigned int n, bool is_mixed, void (*run)(struct racer *r));

#endif /* TESTS_SOFT_MOCK_RACE_H */
