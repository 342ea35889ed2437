/*
 * soft/store.h - where the blocks of a disk really are
 *
 * What      A store is an array of bytes of fixed size behind one small table: null (thrown
 *           away), mem (anonymous memory), file (image or block device). A disk never sees
 *           which. New kinds are a new table and one row in store.c.
 * Promise   A finished write is seen by every later read. With is_fua, or after a finished
 *           STORE_FLUSH, it is on stable storage. Requests that overlap in time have no order.
 * Flow      store_try() does a request that cannot block, at once. What it refuses with -EAGAIN
 *           goes to store_queue(), which answers later through req->done.
 * Owner     The requester owns the request and the memory its iov points to, and leaves both
 *           alone from store_queue() until done is called.
 * Thread    store_try(), store_queue(): any, several at a time. open, close, store_do(): not in
 *           interrupt context. done: the thread of the queue, or the caller's of store_queue()
 *           for what fails at once; with no lock held.
 * Limits    STORE_IOV_MAX pieces and STORE_XFER_MAX bytes a request.
 */
#ifndef SOFT_STORE_H
#define SOFT_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/compiler.h"
#include "hw/soft/aio.h"

#define STORE_IOV_MAX	128
#define STORE_XFER_MAX	(64u << 20)
#define STORE_PI_BYTES	8u		/* protection information of a block */
#define STORE_PI_SUFFIX	".pi"		/* its file is called as the image, and this */

enum store_op {
	STORE_READ,
	STORE_WRITE,
	STORE_FLUSH,		/* everything finished so far to stable storage; no range */
	STORE_UNMAP,		/* give the space of the range back; it reads as zeros */
	STORE_ANCHOR,		/* the same, but keep or take the space for later writes */
	STORE_FETCH,		/* the range will be read soon; a hint */
	STORE_DROP,		/* read the range from the medium next time; a hint. What was not
				 * flushed stays where it is */
	STORE_OP_N
};

struct store;

struct store_req {
	enum store_op op;
	bool is_fua;		/* WRITE, UNMAP, ANCHOR: stable when done */
	struct iovec *iov;	/* READ, WRITE: @niov pieces, @len bytes; may be changed */
	unsigned int niov;
	uint64_t offset, len;	/* bytes; inside the store's size, checked by the requester */
	struct aio *aio;	/* store_queue(): the queue to use */
	/* once for each store_queue(); 0 or -errno. May start the next request on @req */
	void (*done)(struct store_req *req, int result);

	/* store and aio only */
	struct store *store;
	uint64_t moved;		/* bytes finished of a request done in pieces */
	uint64_t piece;		/* bytes of the call under way, when it has its own memory */
	uint8_t phase;		/* step of a request that needs several calls */
	unsigned int lost;	/* FLUSH: errors of writing back up to its beginning */
	void *bounce;		/* aligned copy of the data for direct I/O, or NULL */
	struct iovec own_iov;	/* memory of the store in place of iov */
	struct aio_call call;	/* what the queue was asked to do */
	struct store_req *next;	/* those waiting for room in the queue */
};

struct store_info {
	/* the most it has ever had: while it becomes shorter, requests for what goes may be
	 * under way */
	_Atomic uint64_t size_bytes;
	bool is_readonly;
	bool can_unmap;		/* STORE_UNMAP gives space back */
	bool can_anchor;	/* STORE_ANCHOR keeps space */
	bool has_cache;		/* there is something that FETCH fills and DROP empties */
	bool is_memory;		/* as fast as a cache */
	uint32_t optimal_bytes;	/* grain of the storage below; 0 unknown */
};

/* what a run of bytes is */
enum store_extent {
	STORE_MAPPED,		/* written; whatever is not known is that, too */
	STORE_DEALLOCATED,	/* takes no space, reads as zeros */
	STORE_ANCHORED,		/* has space, reads as zeros */
};

struct soft_disk_conf;

/* one kind of store */
struct store_ops {
	const char *name;
	int (*open)(const struct soft_disk_conf *conf, struct store **ret, char *reterr);
	void (*close)(struct store *store);
	int (*try_req)(struct store *store, struct store_req *req);
	/* NULL, all three: try_req never says -EAGAIN */
	int (*run)(struct store *store, struct store_req *req);
	void (*queue)(struct store *store, struct store_req *req);
	void (*step)(struct store_req *req, int res);	/* the queue has done req->call */
	/* as store_extent(); NULL: everything is mapped */
	enum store_extent (*extent)(struct store *store, uint64_t offset, uint64_t *len);
	uint64_t (*look)(struct store *store);	/* its size now; NULL: only resize changes it */
	int (*resize)(struct store *store, uint64_t size_bytes);
	int (*usage)(struct store *store, uint64_t *ret_used, uint64_t *ret_available);
};

/* what every store begins with */
struct store {
	const struct store_ops *ops;
	struct store_info info;
	struct store *tuples;	/* protection information of its blocks, or NULL; store.c's */
};

/**
 * store_open() - the store that @conf describes; with conf->pi_type one for protection
 * information beside it, as (*ret)->tuples
 *
 * @reterr   SOFT_ERR_LEN bytes: what is wrong and what to do about it
 *
 * Returns:  0
 *           -EBUSY    file in use by another process
 *           -EINVAL   size missing or not a multiple of the block
 *           -EISDIR, -ENOENT, -EACCES, -ENOMEM, ... from the system
 */
int store_open(const struct soft_disk_conf *conf, struct store **ret, char *reterr) MUST_CHECK;

/* store_close() - what was flushed stays; no request may be under way. NULL is fine */
void store_close(struct store *store);

/**
 * store_try() - do the request now, if that cannot block
 *
 * Returns:  0         done
 *           -EAGAIN   would block, nothing said about the data: store_queue() it
 *           -ENOSPC   no space; -EROFS; -ENODATA: the file has become shorter than the store;
 *           -EIO and others of the system. req->done is not called
 * Thread:   any, interrupt too
 */
int store_try(struct store *store, struct store_req *req) MUST_CHECK;

/* store_queue() - let req->aio do the request; ends with req->done, which may run before this
 * returns */
void store_queue(struct store *store, struct store_req *req);

/* store_do() - do the request now, blocking the caller; codes as store_try(), never -EAGAIN */
int store_do(struct store *store, struct store_req *req) MUST_CHECK;

/**
 * store_extent() - what the bytes at @offset are
 *
 * @len      at most so many are asked for, above 0 and inside the store; becomes how many are of
 *           one kind, 1 or more
 *
 * Thread:   one that may block
 */
enum store_extent store_extent(struct store *store, uint64_t offset, uint64_t *len);

/* store_look() - how many bytes the store has now, blocks of @block_bytes: a file may have become
 * longer or shorter. New blocks for whose protection information there is no place are left out.
 * Thread: any; a look at the file's length */
uint64_t store_look(struct store *store, uint32_t block_bytes);

/**
 * store_resize() - make it longer or shorter; what is new reads as zeros. Its tuples follow
 *
 * @block_bytes  of the disk, for the tuples
 *
 * Returns:  0
 *           -ENOTSUP  block devices; memory cannot become less
 *           -ENOMEM   memory: no more than was set aside when it was opened
 *           -EROFS, -ENOSPC, -EFBIG, ... from the system
 * Thread:   one that may block
 */
int store_resize(struct store *store, uint64_t size_bytes, uint32_t block_bytes) MUST_CHECK;

/* store_usage() - bytes of space that it takes, and that it could take besides.
 * Returns: 0; -ENOTSUP: nobody knows; errors of the system. Thread: one that may block */
int store_usage(struct store *store, uint64_t *ret_used, uint64_t *ret_available) MUST_CHECK;

/* store_cancel() - ask a queued request to end early; it ends by done, sooner or not */
void store_cancel(struct store_req *req);

/* store_step() - for the queue: req->call gave @res, bytes or -errno */
void store_step(struct store_req *req, int res);

/* store_error() - fill @reterr (SOFT_ERR_LEN bytes), return @err */
int store_error(int err, char *reterr, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* iov_advance() - drop the first @n bytes of an array of pieces, in place */
void iov_advance(struct iovec **iov, unsigned int *niov, uint64_t n);

/* iov_copy_out(), iov_copy_in() - @len bytes from @buf into the pieces from byte @skip on, and
 * back; returns the bytes copied, fewer where the pieces end */
size_t iov_copy_out(
    const struct iovec *iov, unsigned int niov, uint64_t skip, const void *buf, size_t len);
size_t
iov_copy_in(const struct iovec *iov, unsigned int niov, uint64_t skip, void *buf, size_t len);

/* iov_zero() - zeros into all pieces */
void iov_zero(const struct iovec *iov, unsigned int niov);

extern const struct store_ops store_null_ops, store_mem_ops, store_file_ops;

#endif /* SOFT_STORE_H */
