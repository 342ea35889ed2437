/*
 * tests/chip/stop_clock.h - a clock that a test can stop
 *
 * What      While it stands no timer fires, however long the test takes for what must happen between
 *           two ticks of a driver's watch. Waits have no end then but the event, and Check's.
 */
#ifndef TESTS_CHIP_STOP_CLOCK_H
#define TESTS_CHIP_STOP_CLOCK_H

#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include "base/clock.h"

#define STOP_AHEAD_NS	(10 * NS_PER_MS)	/* of what anybody may have read */

static _Atomic uint64_t stop_ns;		/* 0: it runs */

static inline uint64_t
stop_machine_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static inline uint64_t
stop_source(void *arg)
{
	const uint64_t ns = atomic_load(&stop_ns);

	(void)arg;
	return ns != 0 ? ns : stop_machine_ns();
}

/* stop_clock_use() - before chip_start() */
static inline void
stop_clock_use(void)
{
	clock_set_source(stop_source, NULL);
}

static inline void
stop_clock(void)
{
	atomic_store(&stop_ns, stop_machine_ns() + STOP_AHEAD_NS);
}

/* stop_clock_end() - it runs again; it never goes back */
static inline void
stop_clock_end(void)
{
	while (stop_machine_ns() < atomic_load(&stop_ns))
		(void)poll(NULL, 0, 1);
	atomic_store(&stop_ns, 0);
}

#endif /* TESTS_CHIP_STOP_CLOCK_H */
