#include <sys/ddi.h>
#include <sys/sunddi.h>
#include <time.h>

#include "base/clock.h"
#include "ddi/sched_impl.h"

#define NS_PER_TICK	(NS_PER_S / (uint64_t)HZ_VALUE)
#define HZ_VALUE	1000
#define US_PER_TICK	(MICROSEC / HZ_VALUE)
#define SPIN_BELOW_US	10
#define SIM_EPOCH_S	1000000000

const int hz = HZ_VALUE;

hrtime_t
gethrtime(void)
{
	return (hrtime_t)clock_now_ns();
}

clock_t
ddi_get_lbolt(void)
{
	return (clock_t)(clock_now_ns() / NS_PER_TICK);
}

int64_t
ddi_get_lbolt64(void)
{
	return (int64_t)(clock_now_ns() / NS_PER_TICK);
}

time_t
ddi_get_time(void)
{
	if (sched_is_sim())
		return SIM_EPOCH_S + (time_t)(clock_now_ns() / NS_PER_S);
	return time(NULL);
}

clock_t
drv_usectohz(clock_t us)
{
	return us <= 0 ? 0 : (us - 1) / US_PER_TICK + 1;
}

clock_t
drv_hztousec(clock_t ticks)
{
	return ticks <= 0 ? 0 : ticks * US_PER_TICK;
}

void
delay(clock_t ticks)
{
	if (ticks > 0)
		sched_sleep_ns((uint64_t)ticks * NS_PER_TICK);
}

void
drv_usecwait(clock_t us)
{
	uint64_t end_ns = clock_now_ns() + (uint64_t)(us < 0 ? 0 : us) * NS_PER_US;
	bool was;

	if (us < SPIN_BELOW_US && !sched_is_sim()) {
		while (clock_now_ns() < end_ns)
			;
		return;
	}
	/* legal in interrupt handlers, unlike other sleeps */
	was = sched_set_interrupt(false);
	sched_sleep_ns((uint64_t)us * NS_PER_US);
	(void)sched_set_interrupt(was);
}
