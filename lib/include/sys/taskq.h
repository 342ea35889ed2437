/*
 * sys/taskq.h - work for later, done by a queue's own threads
 *
 * What      Tasks are started in the order of their dispatch (with one thread: run one after
 *           the other). Suspend lets running tasks finish and holds queued ones. Wait returns
 *           when nothing runs and nothing is queued; on a suspended queue when nothing runs.
 *           Destroy runs what is queued (also on a suspended queue), then ends the threads.
 * Thread    Dispatch: any context, with NOSLEEP in interrupt context; from a task of the same
 *           queue too. Wait, suspend, destroy: where sleeping is allowed, and wait and destroy
 *           not from a task of the same queue (violation "taskq-self").
 * Source    taskq(9F), ddi_taskq_create(9F)
 */
#ifndef SYS_DDI_TASKQ_H
#define SYS_DDI_TASKQ_H

#include <sys/types.h>

typedef struct taskq taskq_t;
typedef uintptr_t taskqid_t;		/* 0 = not dispatched */
typedef void (task_func_t)(void *);

#define TASKQID_INVALID		((taskqid_t)0)

#define TASKQ_PREPOPULATE	0x0001	/* flags of taskq_create(): accepted, mean nothing */
#define TASKQ_CPR_SAFE		0x0002
#define TASKQ_DYNAMIC		0x0004
#define TASKQ_THREADS_CPU_PCT	0x0008

#define TQ_SLEEP	0x00	/* wait for memory; never 0 */
#define TQ_NOSLEEP	0x01	/* 0 when there is no memory now */
#define TQ_NOQUEUE	0x02	/* 0 unless a thread is free to run it now */
#define TQ_NOALLOC	0x04	/* 0 unless an entry is kept from earlier */
#define TQ_FRONT	0x08	/* before all that is queued */

/**
 * taskq_create() - a queue with @nthreads threads
 *
 * @name      for thread names and logs; copied
 * @nthreads  1 .. 64
 * @minalloc  entries kept for reuse, at least
 *
 * Returns:   the queue; sleeps for memory
 * Owner:     caller; taskq_destroy()
 */
taskq_t *taskq_create(const char *name, int nthreads, pri_t pri, int minalloc, int maxalloc,
    uint_t flags);
void taskq_destroy(taskq_t *tq);
taskqid_t taskq_dispatch(taskq_t *tq, task_func_t func, void *arg, uint_t flags);
void taskq_wait(taskq_t *tq);
void taskq_suspend(taskq_t *tq);
boolean_t taskq_suspended(taskq_t *tq);
void taskq_resume(taskq_t *tq);

/* taskq_member() - is @thread (or the caller, NULL) one of the queue's threads? */
boolean_t taskq_member(taskq_t *tq, kthread_t *thread);

#endif /* SYS_DDI_TASKQ_H */
