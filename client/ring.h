/*
 * client/ring.h - inside of a ring, the client's end
 *
 * What      The ring's own counts and what is known of each packet; the shared part is described
 *           in proto/ring.h. Counts that are read from there are checked: a daemon that breaks
 *           the rules loses the connection.
 * Owner     The connection owns its rings. A lost one keeps its memory, so that what had arrived
 *           can be told.
 * Thread    That of the connection.
 */
#ifndef CLIENT_RING_H
#define CLIENT_RING_H

#include <sys/queue.h>

#include "client/scsac_ring.h"
#include "proto/ring.h"

struct ring_packet {
	scsac_done_fn done;	/* NULL: the slot is free */
	void *arg;
	const void *data;
	uint32_t data_len;
	uint32_t tag;		/* slot, and above it how many packets there were */
};

struct scsac_ring {
	LIST_ENTRY(scsac_ring) link;	/* on its connection */
	struct scsac *c;
	uint64_t id;
	struct ring_view view;
	void *base;
	size_t bytes;
	uint32_t submitted, reaped;	/* ours */
	uint32_t completed;		/* the daemon's, as last looked up */
	uint32_t generation;		/* upper half of the next tag */
	uint32_t n_free;
	uint16_t *free;			/* slots, the last used on top: it is the warmest */
	struct ring_packet *packets;	/* by slot */
	int bell_fd;			/* wakes the daemon */
	int wait_fd;			/* an epoll descriptor: the daemon's wake-ups, and the
					 * socket */
	bool is_flush_due;		/* submitted since the daemon was looked after */
	bool is_out_wanted;		/* the socket is watched for room, too */
	bool is_lost;			/* its connection is gone */
};

#endif /* CLIENT_RING_H */
