#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static clock_source_fn source;
static void *source_arg;

uint64_t
clock_now_ns(void)
{
	struct timespec ts;

	if (source != NULL)
		return source(source_arg);

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

void
clock_set_source(clock_source_fn fn, void *arg)
{
	source_arg = arg;
	source = fn;
}
