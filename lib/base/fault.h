/*
 * base/fault.h - make the n-th call fail
 *
 * What      Places that can fail for lack of a resource ask fault_hit() first. A test arms the
 *           helper with "fail the n-th", runs a scenario, and walks n until the scenario
 *           passes without reaching it: every error path taken once.
 * Thread    Any; the count is one for the process. Costs one relaxed load when not armed.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

extern _Atomic int64_t fault_left;	/* calls until the failing one; negative when not armed */

bool fault_hit_slow(void);

/* fault_arm() - the @n-th fault_hit() from now (1 = the next) returns true, once */
void fault_arm(int64_t n);

/* fault_disarm() - back to normal; true if the armed call had been reached */
bool fault_disarm(void);

/* fault_may_hit() - will some call fail? Ways around a fault_hit() are closed then */
static inline bool
fault_may_hit(void)
{
	return UNLIKELY(atomic_load_explicit(&fault_left, memory_order_relaxed) >= 0);
}

/* fault_hit() - shall this call fail? */
static inline bool
fault_hit(void)
{
	return fault_may_hit() && fault_hit_slow();
}

#endif /* BASE_FAULT_H */
