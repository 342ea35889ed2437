/*
 * ddi/sim.h - the framework in a world of its own: one thread at a time, a virtual clock
 *
 * What      sim_run() executes a scenario. Inside it, every thread that lib/ddi makes (task
 *           queues, timeouts, workers), every kmutex and kcv, and every wait on the clock
 *           belong to the simulation: exactly one thread runs; at each point where it could
 *           block or (with some chance) at each lock it hands over to another, picked by a
 *           generator seeded by the caller. When nobody can run, the clock jumps to the next
 *           deadline. So a scenario takes no real time, has no sleeps, and the same seed gives
 *           the same order of events.
 * Deadlock  When nobody can run and nothing waits for the clock, sim_run() prints who waits for
 *           what and aborts.
 * Thread    Called from the process's main thread of a test; not nested. Threads are real
 *           pthreads that pass a baton, so sanitizers and debuggers work.
 * Limits    Code inside must not block outside of lib/ddi's primitives.
 */
#ifndef DDI_SIM_H
#define DDI_SIM_H

#include <stdbool.h>
#include <stdint.h>

struct sim_opts {
	uint64_t seed;			/* same seed, same order */
	/* chance that taking a free lock hands over; 0 = only when blocked */
	uint32_t yield_per_1024;
};

/* sim_run() - run @fn(@arg) as the first thread of a simulation; returns when @fn has returned
 * and every thread made inside has ended (task queues destroyed, drivers detached) */
void sim_run(const struct sim_opts *opts, void (*fn)(void *arg), void *arg);

/* sim_is_active() - are we inside sim_run()? */
bool sim_is_active(void);

/* sim_advance_us() - let virtual time pass; everything due on the way happens, in order */
void sim_advance_us(uint64_t us);

/* sim_settle() - let all others run until each of them waits; the clock does not move */
void sim_settle(void);

/* sim_now_us() - virtual time since sim_run() */
uint64_t sim_now_us(void);

/* sim_trace_hash() - a number made of every switch so far: equal for equal schedules */
uint64_t sim_trace_hash(void);

#endif /* DDI_SIM_H */
