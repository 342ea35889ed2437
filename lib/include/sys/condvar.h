/*
 * sys/condvar.h - wait until another thread says so
 *
 * What      Condition variables on kmutex_t. Times are ticks (1/hz s) of the process clock; in
 *           a simulation they are virtual.
 * Thread    Waiting is forbidden in interrupt context (violation "sleep-in-interrupt");
 *           signalling is not.
 * Source    condvar(9F)
 */
#ifndef SYS_DDI_CONDVAR_H
#define SYS_DDI_CONDVAR_H

#include <pthread.h>
#include <sys/mutex.h>
#include <sys/time.h>
#include <sys/types.h>

typedef enum {
	CV_DEFAULT = 0,
	CV_DRIVER = 1
} kcv_type_t;

typedef struct condvar {
	pthread_cond_t c_cond;		/* lib/ddi only, as all members */
	uint32_t c_magic;
	uint32_t c_waiters;		/* simulation only */
} kcondvar_t;

void cv_init(kcondvar_t *cv, const char *name, kcv_type_t type, void *arg);
void cv_destroy(kcondvar_t *cv);
void cv_signal(kcondvar_t *cv);
void cv_broadcast(kcondvar_t *cv);

/* cv_wait() - leave @m, wait, enter it again; wakes may come without a signal */
void cv_wait(kcondvar_t *cv, kmutex_t *m);

/* cv_wait_sig() - as cv_wait(); there are no signals to break it here, so it answers 1 */
int cv_wait_sig(kcondvar_t *cv, kmutex_t *m);

/**
 * cv_timedwait() - wait, but not beyond @abstime (ddi_get_lbolt() value)
 *
 * Returns:  above 0 when woken: the ticks left, at least 1
 *           -1 when the time was up
 */
clock_t cv_timedwait(kcondvar_t *cv, kmutex_t *m, clock_t abstime);
clock_t cv_timedwait_sig(kcondvar_t *cv, kmutex_t *m, clock_t abstime);

/* cv_reltimedwait() - the same with ticks from now */
clock_t cv_reltimedwait(kcondvar_t *cv, kmutex_t *m, clock_t delta, time_res_t res);
clock_t cv_reltimedwait_sig(kcondvar_t *cv, kmutex_t *m, clock_t delta, time_res_t res);

/* cv_timedwait_hires() - nanoseconds; @flag 0: from now, CALLOUT_FLAG_ABSOLUTE: gethrtime() */
#define CALLOUT_FLAG_ABSOLUTE	0x2
clock_t cv_timedwait_hires(kcondvar_t *cv, kmutex_t *m, hrtime_t tim, hrtime_t res, int flag);

#endif /* SYS_DDI_CONDVAR_H */
