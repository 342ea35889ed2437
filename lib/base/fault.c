#include "base/fault.h"

_Atomic int64_t fault_left = -1;

void
fault_arm(int64_t n)
{
	atomic_store(&fault_left, n);
}

bool
fault_disarm(void)
{
	return atomic_exchange(&fault_left, -1) < 0;
}

bool
fault_hit_slow(void)
{
	int64_t left = atomic_load(&fault_left);

	while (left >= 0) {
		/* 1 -> -1: reached, and nothing fails after it */
		int64_t next = left <= 1 ? -1 : left - 1;

		if (atomic_compare_exchange_weak(&fault_left, &left, next))
			return left <= 1;
	}
	return false;
}
