/*
 * ddi/sched_impl.h - the two faces of blocking; lib/ddi only
 *
 * What      Native code paths ask sched_is_sim() and go to pthreads; the simulation's are the
 *           sim_ functions. In a simulation exactly one thread runs, so the state that the sim_
 *           functions touch needs no lock.
 */
#ifndef DDI_SCHED_IMPL_H
#define DDI_SCHED_IMPL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ksynch.h>
#include <sys/queue.h>
#include <sys/thread.h>

#include "base/compiler.h"
#include "ddi/sched.h"

#define SCHED_NAME_LEN	16
#define SCHED_FOREVER	UINT64_MAX

#define MUTEX_MAGIC	0x6d757478u
#define CV_MAGIC	0x636f6e64u

#define KMUTEX_INITIALIZER	{ .m_lock = PTHREAD_MUTEX_INITIALIZER, .m_magic = MUTEX_MAGIC }
#define KCV_INITIALIZER		{ .c_cond = PTHREAD_COND_INITIALIZER, .c_magic = CV_MAGIC }

struct sim_thread;

struct sched_thread {
	char name[SCHED_NAME_LEN];
	void (*fn)(void *arg);
	void *arg;
	pthread_t handle;
	struct sim_thread *sim;		/* in a simulation, else NULL */
	_Atomic bool is_over;		/* ended, or detached: the second of them frees */
};

extern bool sched_sim_on;

static inline bool
sched_is_sim(void)
{
	return UNLIKELY(sched_sim_on);
}

static inline void *
sched_identity(void)
{
	return &sched_tls;
}

/* cv_wait_until() - cv_wait() without the check for interrupt context, up to @deadline_ns of
 * the process clock; false when the time was up */
bool cv_wait_until(kcondvar_t *cv, kmutex_t *m, uint64_t deadline_ns);

/* The simulation: the calling thread is the one that runs */

/* sim_thread_new() - a runnable thread; sim_thread_enter(): its first act, waits for its turn;
 * sim_thread_end(): its last act; sim_thread_join(): wait for that */
struct sim_thread *sim_thread_new(const char *name);
void sim_thread_enter(struct sim_thread *t);
void sim_thread_end(struct sim_thread *t);
void sim_thread_join(struct sim_thread *t);
void sim_thread_free(struct sim_thread *t);

/* sim_thread_leave() - a thread that nobody joins hands its handle to the simulation */
void sim_thread_leave(struct sched_thread *t);

/* sim_block() - wait for a wake of @object or for the clock; false when it was the clock */
bool sim_block(const void *object, const char *what, uint64_t deadline_ns);
void sim_wake_one(const void *object);
void sim_wake_all(const void *object);

/* sim_yield() - perhaps let somebody else go first */
void sim_yield(void);

/* sim_set_idle_hook() - asked when nobody can run, before the clock moves; true: it woke
 * someone */
void sim_set_idle_hook(bool (*fn)(void));

/* Services: end the threads they made */
void timeout_service_stop(void);
void intr_service_stop(void);

#endif /* DDI_SCHED_IMPL_H */
