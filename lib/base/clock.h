/*
 * base/clock.h - what time it is, from a source that tests replace
 *
 * What      One monotonic clock for the whole process. Everything that waits or measures asks
 *           here; lib/ddi's simulation installs a virtual source.
 * Thread    clock_now_ns(): any. clock_set_source(): before other threads start.
 * Units     Nanoseconds since an arbitrary start; never goes back.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_US	1000ull
#define NS_PER_MS	1000000ull
#define NS_PER_S	1000000000ull

/* clock_source_fn - returns the present time; called from any thread, must not block */
typedef uint64_t (*clock_source_fn)(void *arg);

/* clock_now_ns() - the present time */
uint64_t clock_now_ns(void);

/**
 * clock_set_source() - take the time from @fn(@arg) from now on
 *
 * @fn       the source; NULL goes back to CLOCK_MONOTONIC
 * @arg      handed to @fn; borrowed until the source is replaced
 */
void clock_set_source(clock_source_fn fn, void *arg);

#endif /* BASE_CLOCK_H */
