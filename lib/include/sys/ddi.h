/*
 * sys/ddi.h - device driver interface, part one: time, numbers, device numbers
 *
 * Units     Ticks are 1/hz s of the process clock (base/clock.h): virtual in a simulation.
 * Source    delay(9F), drv_usectohz(9F), drv_usecwait(9F), timeout(9F), getmajor(9F)
 */
#ifndef SYS_DDI_DDI_H
#define SYS_DDI_DDI_H

#include <sys/buf.h>
#include <sys/cmn_err.h>
#include <sys/errno.h>
#include <sys/param.h>
#include <sys/sysmacros.h>
#include <sys/systm.h>
#include <sys/time.h>
#include <sys/types.h>

/* min(), max() - of unsigned integers */
static inline uint_t
min(uint_t a, uint_t b)
{
	return a < b ? a : b;
}

static inline uint_t
max(uint_t a, uint_t b)
{
	return a > b ? a : b;
}

/* delay() - let @ticks pass; not in interrupt context */
void delay(clock_t ticks);

/* drv_usecwait() - let @us microseconds pass; any context. Spins below 10, sleeps from there on
 */
void drv_usecwait(clock_t us);

/* drv_usectohz() - ticks that last at least @us; drv_hztousec(): microseconds of @ticks */
clock_t drv_usectohz(clock_t us);
clock_t drv_hztousec(clock_t ticks);

/**
 * timeout() - call @func(@arg) once, @ticks from now
 *
 * The call is made by a pool of threads with sched_is_interrupt() true; it may take long
 * without holding up other timeouts.
 *
 * Returns:  an id, never NULL
 * Thread:   any context
 */
timeout_id_t timeout(void (*func)(void *), void *arg, clock_t ticks);

/**
 * untimeout() - see to it that the call is not made, or is over
 *
 * Returns:  the ticks that were left, 0 or more; the call was not made and will not be
 *           -1  the call has been made (waited for, unless we are inside it), or @id is not
 *           known
 * Thread:   any; must not hold a lock that the function takes
 */
clock_t untimeout(timeout_id_t id);

#define getmajor(dev)		((major_t)gnu_dev_major(dev))
#define getminor(dev)		((minor_t)gnu_dev_minor(dev))
#define makedevice(maj, mnr)	gnu_dev_makedev((maj), (mnr))
#define getemajor(dev)		getmajor(dev)
#define geteminor(dev)		getminor(dev)

#endif /* SYS_DDI_DDI_H */
