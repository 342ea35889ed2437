/*
 * daemon/bufs.h - data buffers of commands, kept for the next command
 *
 * What      A cache of buffers in a few sizes: each front end has one on each loop, so that a
 *           command costs no allocation once it is warm. Larger ones are memory that PCI
 *           functions reach (hw/pci/arena.h), if there are such: what is kept is written down
 *           beside it, and never in it.
 * Owner     Who took a buffer gives it back to a cache of the loop it is on then.
 * Thread    One: the loop's.
 * Limits    4 KiB << 2n up to 4 MiB is kept; larger buffers are allocated and freed each time.
 *           At most BUFS_KEPT_BYTES lie unused, and at most what bufs_set_max() says is with
 *           others.
 */
#ifndef DAEMON_BUFS_H
#define DAEMON_BUFS_H

#include <stdint.h>

#define BUFS_CLASSES		6		/* sizes: 4 KiB << 2n */
#define BUFS_KEPT_BYTES		(32u << 20)
#define BUFS_HINTS		256		/* owners that are told apart, about */

struct buf_free {
	void *buf;
	uint64_t owner;			/* who used it last */
};

/* those of one size; the last is taken first, because it is the warmest, unless the hint leads to
 * one that need not be cleared */
struct buf_stack {
	struct buf_free *free;
	uint32_t count, room;
	uint32_t hint[BUFS_HINTS];	/* by owner: where one of his own may lie */
};

struct bufs {
	struct buf_stack stack[BUFS_CLASSES];
	uint64_t free_bytes;
	uint64_t taken_bytes, taken_max;	/* with others; 0: no end */
};

#define BUFS_NOBODY	0	/* an owner: the buffer will be filled before it is read */

void bufs_init(struct bufs *bufs);
void bufs_fini(struct bufs *bufs);

/* bufs_set_max() - no more than @bytes are given out at one time; 0: no end */
void bufs_set_max(struct bufs *bufs, uint64_t bytes);

/* bufs_owner() - a number no other owner has: one for each client, so that what a device leaves
 * in a buffer is not shown to another; any thread */
uint64_t bufs_owner(void);

/**
 * bufs_take() - at least @len bytes, page-aligned
 *
 * @owner    bufs_owner() of the client: a buffer last used by another is cleared first.
 *           BUFS_NOBODY: it holds anything
 *
 * Returns:  the buffer, or NULL when there is no memory, or as much is taken as may be
 */
void *bufs_take(struct bufs *bufs, uint32_t len, uint64_t owner);

/* bufs_give() - back into the cache; NULL is fine. @len and @owner as it was taken */
void bufs_give(struct bufs *bufs, void *buf, uint32_t len, uint64_t owner);

#endif /* DAEMON_BUFS_H */
