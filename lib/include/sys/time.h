/*
 * sys/time.h - the host's time, and units of the kernel's
 *
 * Thread    Any.
 * Source    gethrtime(9F), cv_reltimedwait(9F)
 */
#ifndef SYS_DDI_TIME_H
#define SYS_DDI_TIME_H

#include_next <sys/time.h>
#include <sys/param.h>
#include <sys/types.h>

#define SEC		1
#define MILLISEC	1000
#define MICROSEC	1000000
#define NANOSEC		1000000000ll

#define MSEC2NSEC(m)	((hrtime_t)(m) * (NANOSEC / MILLISEC))
#define USEC2NSEC(m)	((hrtime_t)(m) * (NANOSEC / MICROSEC))
#define SEC2NSEC(m)	((hrtime_t)(m) * NANOSEC)
#define NSEC2MSEC(n)	((n) / (NANOSEC / MILLISEC))
#define NSEC2USEC(n)	((n) / (NANOSEC / MICROSEC))
#define NSEC2SEC(n)	((n) / NANOSEC)

#define SEC_TO_TICK(sec)	((clock_t)(sec) * hz)
#define TICK_TO_SEC(tick)	((tick) / hz)
#define MSEC_TO_TICK(msec)	((clock_t)((long long)(msec) * hz / MILLISEC))
#define MSEC_TO_TICK_ROUNDUP(msec)                                             \
	((clock_t)(((long long)(msec) * hz + MILLISEC - 1) / MILLISEC))
#define TICK_TO_MSEC(tick)	((clock_t)((long long)(tick) * MILLISEC / hz))
#define USEC_TO_TICK(usec)	((clock_t)((long long)(usec) * hz / MICROSEC))
#define USEC_TO_TICK_ROUNDUP(usec)                                             \
	((clock_t)(((long long)(usec) * hz + MICROSEC - 1) / MICROSEC))
#define TICK_TO_USEC(tick)	((clock_t)((long long)(tick) * MICROSEC / hz))

/* how exact a relative wait has to be; kept, not used: waits are as exact as the host's */
typedef enum {
	TR_NANOSEC,
	TR_MICROSEC,
	TR_MILLISEC,
	TR_SEC,
	TR_CLOCK_TICK,
	TR_COUNT
} time_res_t;

/* gethrtime() - the monotonic clock of base/clock.h, in nanoseconds */
hrtime_t gethrtime(void);

#endif /* SYS_DDI_TIME_H */
