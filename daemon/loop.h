/*
 * daemon/loop.h - one thread, one event base, one end of turn
 *
 * What      A loop waits for events, runs their callbacks, takes what other threads posted, and
 *           then ends its turn: everything deferred runs (finished tasks, replies that are sent
 *           with one gather write). Units and connections live on a loop, so that a packet's
 *           way needs no lock. Each loop is an executor (lu/exec.h), and the pool of loops is
 *           the interrupt dispatcher of lib/ddi: vector n is watched by loop n.
 * Life      loops_new -> (events, posts) -> loops_stop -> loops_free.
 * Thread    Functions say; where they say nothing: only the loop's own thread, or before it
 *           runs.
 * Limits    LOOP_MAX loops. A turn is bounded: works posted or deferred while a turn ends wait
 *           for the next when more than LOOP_TURN_WORKS have run; pollers are asked
 *           LOOP_POLL_ROUNDS times a turn at most, until they have found LOOP_POLL_WORKS things.
 */
#ifndef DAEMON_LOOP_H
#define DAEMON_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/compiler.h"
#include "lu/exec.h"

#define LOOP_MAX		64
#define LOOP_TURN_WORKS		4096
#define LOOP_POLL_ROUNDS	32
#define LOOP_POLL_WORKS		128

struct event_base;
struct loop;
struct loops;

struct loops_conf {
	unsigned int n;			/* 1 .. LOOP_MAX */
	uint32_t busy_poll_us;		/* look for events this long before sleeping; 0 = sleep
					 * at once */
};

/**
 * loops_new() - make the loops and start their threads
 *
 * Also becomes the interrupt dispatcher (intr_set_dispatcher()).
 *
 * Returns:  0, -ENOMEM, or -errno of what could not be made
 * Thread:   the process's main thread
 */
int loops_new(const struct loops_conf *conf, struct loops **ret_loops) MUST_CHECK;

/* loops_stop() - let every loop empty its lists and end its thread; events no longer run */
void loops_stop(struct loops *loops);

/* loops_free() - stop if needed and free; NULL is fine. Events made on the bases are freed
 * before */
void loops_free(struct loops *loops);

unsigned int loops_count(const struct loops *loops);
struct loop *loops_get(struct loops *loops, unsigned int i);

/* loops_are_alive() - has each loop taken the turn that the last call asked it to take? Asks
 * for the next one. For the watchdog: one thread, calls some seconds apart */
bool loops_are_alive(struct loops *loops);

/* loop_current() - the loop of this thread, or NULL */
struct loop *loop_current(void);

unsigned int loop_index(const struct loop *loop);
struct event_base *loop_base(struct loop *loop);
struct lu_exec *loop_exec(struct loop *loop);

/* loop_of() - the loop behind an executor that loop_exec() gave */
struct loop *loop_of(struct lu_exec *x);

static inline bool
loop_is_here(const struct loop *loop)
{
	return loop_current() == loop;
}

/* loop_post() - run @fn(@w) on @loop; any thread. loop_defer() - at the end of this turn */
void loop_post(struct loop *loop, struct lu_work *w, lu_work_fn fn);
void loop_defer(struct loop *loop, struct lu_work *w, lu_work_fn fn);

/*
 * Something that has no descriptor to wait for, or is too busy to wait for it: memory that others
 * write to. While a loop has pollers it does not sleep; each of them ends by itself when it has
 * found nothing for long enough.
 */
struct loop_poller {
	/* look once; how many things were done. May begin and end pollers, itself as well */
	unsigned int (*poll)(struct loop_poller *poller);
	TAILQ_ENTRY(loop_poller) entry;
	struct loop *loop;		/* that it is on, or NULL */
};

/* loop_poll_begin(), loop_poll_end() - from now on; both may be repeated */
void loop_poll_begin(struct loop *loop, struct loop_poller *poller);
void loop_poll_end(struct loop_poller *poller);

/* loop_busy_poll_ns() - how long to look for more before sleeping, as configured; 0 is usual */
uint64_t loop_busy_poll_ns(const struct loop *loop);

/**
 * loop_call() - run @fn(@arg) on @loop and wait until it has
 *
 * Thread:   any that may block, not a loop
 */
void loop_call(struct loop *loop, void (*fn)(void *arg), void *arg);

/* loop_slot() - one pointer that the RPC server keeps for each loop */
void **loop_slot(struct loop *loop);

#endif /* DAEMON_LOOP_H */
