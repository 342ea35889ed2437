/*
 * sys/thread.h - threads of a driver's own
 *
 * What      thread_create() makes one that nobody has to join; thread_join() waits for its end.
 * Thread    Where sleeping is allowed.
 */
#ifndef SYS_DDI_THREAD_H
#define SYS_DDI_THREAD_H

#include <sys/disp.h>
#include <sys/proc.h>
#include <sys/types.h>

typedef uint64_t kt_did_t;

struct kthread {
	kt_did_t t_did;		/* never used twice; for thread_join() */
};

#define TS_STOPPED	0x00
#define TS_RUN		0x02

/* thread_create() - run @func(@arg) in a thread; @stk, @stksize, @len, @p, @state, @pri are
 * ignored. Never NULL: a host that gives no thread is the end of the process, as in the kernel.
 * The result is valid until the thread ends; take its t_did at once, before it can end */
kthread_t *thread_create(void *stk, size_t stksize, void (*func)(void *), void *arg, size_t len,
    proc_t *p, int state, pri_t pri);

/* thread_exit() - end the calling thread; only in one of thread_create() */
void thread_exit(void) __attribute__((noreturn));

/* thread_join() - return when the thread with @did has ended; at once if there is none */
void thread_join(kt_did_t did);

/* threadp() - the calling thread */
kthread_t *threadp(void);

#define curthread	(threadp())

#endif /* SYS_DDI_THREAD_H */
