/*
 * scsac_ring.h - packets through memory that program and daemon share
 *
 * What      A ring carries packets of a connection without a system call while both ends are at
 *           work, and with one wake-up for many when they are not. The connection stays: units
 *           are opened over it, memory comes from it, and packets in a ring belong to the same
 *           handles, limits and reservations as those of scsac_submit().
 * Life      scsac_connect(), scsac_memory_new(), scsac_ring_new(), packets, scsac_ring_free() or
 *           scsac_free(). When the connection is lost, every packet in flight is completed once
 *           as by scsac_submit(), and the ring takes no more; it is still to be freed.
 * Owner     As in scsac.h. Data lies in memory of scsac_memory_new(), nowhere else.
 * Thread    As for the connection: one at a time for it and all of its rings.
 * Callbacks Run inside scsac_ring_reap(), scsac_ring_wait(), and whatever finds out that the
 *           connection is lost; never inside scsac_ring_submit(). They may submit more.
 *
 * A program that sleeps:            one that does not:           one with a poll loop:
 *   scsac_ring_submit() ...           scsac_ring_submit() ...      scsac_ring_submit() ...
 *   scsac_ring_wait(ring, -1)         scsac_ring_reap(ring)        scsac_ring_arm(ring) == 0:
 *                                                                  poll scsac_ring_fd()
 *                                                                  scsac_ring_wait(ring, 0)
 *
 * Guarantees and results are those of scsac.h; scsac_result.duration_ns begins when the daemon
 * takes the packet out of the ring. Manual: scsac_ring(3).
 */
#ifndef SCSAC_RING_H
#define SCSAC_RING_H

#include "scsac.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SCSAC_RING_ENTRIES_MIN	2u
#define SCSAC_RING_ENTRIES_MAX	4096u
#define SCSAC_RING_CDB_MAX	80u	/* longer ones: scsac_submit() */

/* A ring of a connection. */
struct scsac_ring;

/**
 * scsac_ring_new() - a ring for packets; waits
 *
 * @entries  most packets in flight in it, SCSAC_RING_ENTRIES_MIN to _MAX; rounded up to a power
 *           of two. Packets of a connection are bounded by scsac_info.packets_max besides
 *
 * Its memory (448 bytes an entry) counts as that of scsac_memory_new(); a connection may have 4
 * rings.
 *
 * Returns:  0
 *           -EOPNOTSUPP  the daemon is too old for it
 *           -EINVAL      @entries is out of range
 *           -EMSGSIZE    more rings, or more memory, than the daemon gives to one client
 *           -ENOMEM      here or there
 *           and what all calls return
 * Owner:    caller; scsac_ring_free(), or scsac_free() of the connection
 */
int scsac_ring_new(struct scsac *c, unsigned entries, struct scsac_ring **ret);

/**
 * scsac_ring_free() - give it back; waits, when the connection stands
 *
 * @ring     NULL is fine
 *
 * Returns:  0
 *           -EBUSY     packets are in flight: reap them first
 *           -EDEADLK   inside a callback
 */
int scsac_ring_free(struct scsac_ring *ring);

/**
 * scsac_ring_submit() - put one packet into the ring; never blocks, no system call
 *
 * The daemon sees it at once when it is at work. When it sleeps, scsac_ring_flush() wakes it, and
 * so do scsac_ring_reap(), scsac_ring_arm() and scsac_ring_wait().
 *
 * @cmd      copied; data lies in memory of scsac_memory_new() as a whole; cdb_len up to
 *           SCSAC_RING_CDB_MAX
 * @done     runs once if and only if the answer is 0
 * @ret_tag  for scsac_ring_cancel(); may be NULL
 *
 * Returns:  0
 *           -EINVAL     CDB length, direction and data length contradict each other
 *           -EFAULT     the data is not in memory that the daemon has
 *           -EMSGSIZE   data_len above scsac_info.data_max
 *           -EBUSY      the ring is full, or packets_max are in flight: reap, and try again
 *           -ENOTCONN   the connection that the ring belongs to is lost
 */
int scsac_ring_submit(struct scsac_ring *ring, const struct scsac_cmd *cmd, scsac_done_fn done,
    void *arg, uint32_t *ret_tag);

/* scsac_ring_flush() - wake the daemon if it sleeps and packets wait; never blocks, at most one
 * system call */
void scsac_ring_flush(struct scsac_ring *ring);

/**
 * scsac_ring_cancel() - ask to abort one packet; never blocks
 *
 * The packet's own callback tells how it ended. The question goes over the socket: it leaves with
 * scsac_flush(), scsac_process() or scsac_ring_wait().
 *
 * Returns:  0, -ENOENT, -EBUSY, -ENOTCONN, -ENOMEM as scsac_cancel()
 */
int scsac_ring_cancel(struct scsac_ring *ring, uint32_t tag);

/**
 * scsac_ring_reap() - run the callbacks of packets that are finished; never blocks
 *
 * No system call, unless the daemon sleeps and packets wait for it. Whether the connection is
 * lost, only calls that look at the socket find out: scsac_ring_wait(), scsac_process().
 *
 * Returns:  number of packets completed, 0 when there is none; at most as many as the ring has
 *           entries, so that who submits in callbacks gets out of here
 *           -ENOTCONN  the connection is lost, packets in flight have been completed
 *           -EDEADLK   inside a callback
 */
int scsac_ring_reap(struct scsac_ring *ring);

/**
 * scsac_ring_wait() - like scsac_ring_reap(), but sleeps until something is finished
 *
 * It takes care of the socket as well, as scsac_process() does: callbacks of events, and of packets
 * of scsac_submit(), run here, too.
 *
 * @timeout_ms  most time to wait; negative for ever; 0: look at the socket, and do not wait
 *
 * Returns:  number of packets of the ring completed; 0 also when the time is over, or only the
 *           socket had something
 *           -ENOTCONN, -EDEADLK  as scsac_ring_reap()
 *           -EINTR     a signal came
 */
int scsac_ring_wait(struct scsac_ring *ring, int timeout_ms);

/* scsac_ring_fd() - to poll for POLLIN, once scsac_ring_arm() has answered 0: then results, or
 * something on the socket, make it readable. Read it not; call scsac_ring_wait() with 0 */
int scsac_ring_fd(const struct scsac_ring *ring);

/**
 * scsac_ring_arm() - say that we are going to sleep in poll(2)
 *
 * Wakes the daemon if packets wait for it.
 *
 * Returns:  0         sleep
 *           1         do not: results are there
 *           -ENOTCONN do not: as scsac_ring_reap()
 */
int scsac_ring_arm(struct scsac_ring *ring);

/*
 * scsac_abort(), scsac_reset() and scsac_close() include packets in rings. When they return, the
 * results are in the ring; the callbacks run with the next scsac_ring_reap().
 */

/* scsac_ring_in_flight() - packets submitted and not yet finished */
unsigned scsac_ring_in_flight(const struct scsac_ring *ring);

/* scsac_ring_room() - packets that can be submitted now, as far as the ring is concerned */
unsigned scsac_ring_room(const struct scsac_ring *ring);

#ifdef __cplusplus
}
#endif

#endif /* SCSAC_RING_H */
