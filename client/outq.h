/*
 * client/outq.h - bytes on their way to the daemon
 *
 * What      Headers and messages lie in one buffer; bulk data stays where the caller has it and
 *           is pointed to. outq_send() gathers both in order, many frames a system call.
 * Life      outq_init(), outq_fini(); outq_clear() when the connection is gone.
 * Owner     The buffer is the queue's. Bulk data is borrowed until outq_sent_fn tells.
 * Thread    One.
 * Limits    Grows to what is queued; what is queued is bounded by the requests in flight.
 */
#ifndef CLIENT_OUTQ_H
#define CLIENT_OUTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* outq_sent_fn - the last byte of bulk data queued with @arg has left */
typedef void (*outq_sent_fn)(void *arg, void *owner);

/* a stretch of the stream */
struct outq_seg {
	const uint8_t *data;	/* bulk data; NULL: @at in the buffer */
	size_t at;
	size_t len;
	void *arg;		/* for outq_sent_fn, NULL for none */
};

struct outq {
	uint8_t *buf;
	size_t size;
	size_t tail;		/* bytes used */
	struct outq_seg *segs;
	size_t segs_size;
	size_t first;		/* segment being sent */
	size_t nsegs;		/* end of the segments in use */
	outq_sent_fn sent;
	void *owner;
};

void outq_init(struct outq *q, outq_sent_fn sent, void *owner);
void outq_fini(struct outq *q);

/* outq_clear() - forget what was not sent; nobody is told */
void outq_clear(struct outq *q);

/* outq_is_empty() - all sent */
bool outq_is_empty(const struct outq *q);

/**
 * outq_reserve() - room for @len bytes of buffer and two more segments
 *
 * Returns:  where to write; NULL when there is no memory, the queue is as before
 */
uint8_t *outq_reserve(struct outq *q, size_t len);

/* outq_commit() - @len bytes have been written there, at most what was reserved */
void outq_commit(struct outq *q, size_t len);

/* outq_data() - then comes bulk data; after outq_commit(), once a reserve */
void outq_data(struct outq *q, const void *data, size_t len, void *arg);

/**
 * outq_send() - write to @fd what it takes now
 *
 * Returns:  0          all is sent
 *           -EAGAIN    the socket is full
 *           others     as sendmsg(2): the connection is lost
 */
int outq_send(struct outq *q, int fd) MUST_CHECK;

#endif /* CLIENT_OUTQ_H */
