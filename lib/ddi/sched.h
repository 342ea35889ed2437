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

/* sched_is_interrupt() - may this thread not sleep? Set on loops, interrupt and timer handlers */
bool sched_is_interrupt(void);

/* sched_set_interrupt() - mark this thread; returns what it was, to put back */
bool sched_set_interrupt(bool is_interrupt);

/* sched_cpu_hint() - which loop or worker this is, for drivers that keep a queue for each; 0 .. n */
unsigned int sched_cpu_hint(void);
void sched_set_cpu_hint(unsigned int hint);

/* sched_sleep_ns() - wait on the clock; not in interrupt context */
void sched_sleep_ns(uint64_t ns);

#endif /* DDI_SCHED_H */
