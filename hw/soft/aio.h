/*
 * soft/aio.h - a queue that blocks so that we need not
 *
 * What      File calls that may block go to io_uring; where the kernel refuses io_uring, to a
 *           few threads. One queue for each loop: what was started there completes there,
 *           through an interrupt vector's eventfd.
 * Flow      aio_issue() -> (kernel) -> eventfd -> aio_reap() -> store_step() of the request.
 * Thread    aio_issue(), aio_cancel(): any. aio_reap(): the vector's handler, one at a time.
 *           open, close: not in interrupt context.
 * Limits    AIO_DEPTH calls in the kernel; more wait in a list, in order.
 * Source    io_uring(7), preadv2(2), posix_fadvise(2)
 */
#ifndef SOFT_AIO_H
#define SOFT_AIO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/compiler.h"

#define AIO_DEPTH	256

struct aio;
struct store_req;

enum aio_op { AIO_READ, AIO_WRITE, AIO_SYNC, AIO_FALLOCATE, AIO_ADVISE };

struct aio_call {
	enum aio_op op;
	int fd;
	int flags;		/* READ, WRITE: RWF_*; FALLOCATE: the mode; ADVISE: which */
	const struct iovec *iov;
	unsigned int niov;
	uint64_t offset, len;	/* len: FALLOCATE, ADVISE only */
};

/**
 * aio_open() - a queue
 *
 * @eventfd  written by the kernel when something has finished, so that somebody calls
 *           aio_reap(); -1: threads are wanted, they call store_step() themselves
 *
 * Returns:  0; -ENOMEM and others of the system
 */
int aio_open(int eventfd, struct aio **ret) MUST_CHECK;

/* aio_close() - nothing may be under way; NULL is fine */
void aio_close(struct aio *aio);

/* aio_issue() - do @req->call; store_step() follows, from inside only when there is no memory
 * to queue it */
void aio_issue(struct aio *aio, struct store_req *req);

/* aio_run() - do @call now, blocking; bytes or -errno */
int aio_run(const struct aio_call *call);

/* aio_cancel() - ask for an early end of what @req has issued; it may not help */
void aio_cancel(struct aio *aio, struct store_req *req);

/* aio_reap() - hand over at most @budget finished calls; true when there are more */
bool aio_reap(struct aio *aio, unsigned int budget);

/* aio_is_uring() - or is it threads? */
bool aio_is_uring(const struct aio *aio);

#endif /* SOFT_AIO_H */
