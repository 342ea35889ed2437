/*
 * soft/disk_host.h - what all disks of an adapter share
 *
 * What      A few threads for work that may block (saving state, filling a disk with a
 *           pattern), and the directory that state is saved in. Where a disk has no host,
 *           work is done by whoever asks for it, and nothing can be saved.
 * Life      disk_host_open() -> disks come and go -> disk_host_close()
 * Owner     A work belongs to the host from its posting until its function is called, which
 *           may post it again, or free it.
 * Thread    disk_host_post(): any context. open, close: not in interrupt context.
 * Limits    DISK_HOST_THREADS works run at a time; whoever is busy for long does it in pieces.
 */
#ifndef SOFT_DISK_HOST_H
#define SOFT_DISK_HOST_H

#include <sys/queue.h>

#include "base/compiler.h"

#define DISK_HOST_THREADS	2

#define DISK_TICK_US		1000000

struct disk_host;

/* something that a disk does once a second */
struct disk_tick {
	LIST_ENTRY(disk_tick) link;		/* host only */
	void (*run)(struct disk_tick *tick);	/* may block; adds and removes none */
};

struct disk_work {
	STAILQ_ENTRY(disk_work) link;	/* host only */
	void (*run)(struct disk_work *work);	/* set by the poster; once, no lock held */
};

/**
 * disk_host_open() - start the threads, open the directory
 *
 * @state_dir  directory that exists and may be written; NULL: nothing is saved
 * @reterr     SOFT_ERR_LEN bytes
 *
 * Returns:  0; -ENOENT, -ENOTDIR, -EACCES, ... of the directory; -ENOMEM
 */
int disk_host_open(const char *state_dir, struct disk_host **ret, char *reterr) MUST_CHECK;

/* disk_host_close() - does what was posted, ends the threads. No disk may have it any more.
 * NULL is fine */
void disk_host_close(struct disk_host *host);

/* disk_host_post() - let a thread run @work; with @host NULL it runs here and now */
void disk_host_post(struct disk_host *host, struct disk_work *work);

/* disk_host_tick_add(), _remove() - begin, and end: it is not being run any more. They may wait
 * for those that are run */
void disk_host_tick_add(struct disk_host *host, struct disk_tick *tick);
void disk_host_tick_remove(struct disk_host *host, struct disk_tick *tick);

/* disk_host_dir() - descriptor of the directory; -1: there is none. @host may be NULL */
int disk_host_dir(const struct disk_host *host);

#endif /* SOFT_DISK_HOST_H */
