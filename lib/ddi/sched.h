/*
 * ddi/sched.h - threads, locks and waits: the real ones, or simulated ones
 *
 * What      Everything in lib/ddi that can block is built on the few calls here: kmutex, kcv,
 *           threads, sleeping. They have two faces. "native" is pthreads. "sim" (ddi/sim.h)
 *           runs the same code with one thread at a time, a seeded choice of who goes next,
 *           and a clock that jumps to the next deadline when everyone waits.
 * Thread    Any. The choice is made once, before the first thread starts.
 */
#ifndef DDI_SCHED_H
#define DDI_SCHED_H

#include <stdbool.h>
#include <stdint.h>

/* what a thread knows about itself; lib/ddi only */
struct sched_self {
	bool is_interrupt;
	unsigned int cpu_hint;
	struct sim_thread *sim;
	void *taskq;			/* whose worker it is, or NULL */
	struct kthread *kthread;
};

extern _Thread_local struct sched_self sched_tls;

/* sched_is_interrupt() - may this thread not sleep? Set on loops, interrupt and timer handlers
 */
static inline bool
sched_is_interrupt(void)
{
	return sched_tls.is_interrupt;
}

/* sched_set_interrupt() - mark this thread; returns what it was, to put back */
static inline bool
sched_set_interrupt(bool is_interrupt)
{
	bool was = sched_tls.is_interrupt;

	sched_tls.is_interrupt = is_interrupt;
	return was;
}

/* sched_cpu_hint() - which loop or worker this is, for drivers that keep a queue for each; 0 ..
 * n */
unsigned int sched_cpu_hint(void);
void sched_set_cpu_hint(unsigned int hint);

/* sched_sleep_ns() - wait on the clock; not in interrupt context */
void sched_sleep_ns(uint64_t ns);

/* sched_self() - an identity of the calling thread, the same as long as it lives; never NULL */
void *sched_self(void);

struct sched_thread;

/**
 * sched_thread_start() - run @fn(@arg) in a thread of its own
 *
 * @name        at most 15 characters reach the host; copied
 * @ret_thread  for sched_thread_join()
 *
 * Returns:     0 or -errno of pthread_create(3)
 * Thread:      where sleeping is allowed; in a simulation the thread belongs to it
 */
int sched_thread_start(const char *name, void (*fn)(void *arg), void *arg,
    struct sched_thread **ret_thread);

/* sched_thread_join() - wait for the end of @t and free it */
void sched_thread_join(struct sched_thread *t);

/* sched_thread_detach() - nobody will join @t; it frees itself at its end */
void sched_thread_detach(struct sched_thread *t);

/**
 * sched_services_stop() - end the threads that lib/ddi made for itself (timeouts, interrupts)
 *
 * For the end of a process, so that nothing runs any more; they start again when needed.
 * Pending timeouts are dropped.
 * Thread:      one that is none of them
 */
void sched_services_stop(void);

#endif /* DDI_SCHED_H */
