/*
 * daemon/bufs.h - data buffers of commands, kept by each loop for the next command
 *
 * What      A cache of buffers in a few sizes. The RPC server and the iSCSI portals of one loop
 *           take from the same cache, so that a command costs no allocation once it is warm.
 * Owner     Who took a buffer gives it back to a cache of the loop it is on then.
 * Thread    One: the loop's.
 * Limits    4 KiB << 2n up to 4 MiB is kept; larger buffers are allocated and freed each time.
 *           At most BUFS_KEPT_BYTES lie unused.
 */
#ifndef DAEMON_BUFS_H
#define DAEMON_BUFS_H

#include <stdint.h>
#include <sys/queue.h>

#define BUFS_CLASSES		6		/* sizes: 4 KiB << 2n */
#define BUFS_KEPT_BYTES		(32u << 20)

struct buf_data {
	SLIST_ENTRY(buf_data) entry;
	uint8_t *bytes;		/* page-aligned */
	uint32_t size;
	uint8_t class;		/* BUFS_CLASSES: too large to be kept */
	uint64_t owner;		/* who used it last */
};

struct bufs {
	SLIST_HEAD(, buf_data) free[BUFS_CLASSES];
	uint64_t free_bytes;
};

void bufs_init(struct bufs *bufs);
void bufs_fini(struct bufs *bufs);

/* bufs_owner() - a number no other owner has: one for each client, so that what a device leaves
 * in a buffer is not shown to another; any thread */
uint64_t bufs_owner(void);

/**
 * bufs_take() - a buffer of at least @len bytes
 *
 * @owner    bufs_owner() of the client; a buffer last used by another is cleared first
 *
 * Returns:  the buffer, or NULL when there is no memory
 */
struct buf_data *bufs_take(struct bufs *bufs, uint32_t len, uint64_t owner);

/* bufs_give() - back into the cache; NULL is fine */
void bufs_give(struct bufs *bufs, struct buf_data *buf);

#endif /* DAEMON_BUFS_H */
