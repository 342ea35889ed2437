/*
 * base/rng.h - numbers that look random and can be had again
 *
 * What      xorshift64*: the same seed gives the same sequence on every machine. For fault
 *           injection, simulated schedules and tests. Never for secrets: those come from
 *           getrandom(2).
 * Thread    One thread a generator.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t state;		/* never 0 */
};

static inline struct rng
rng_init(uint64_t seed)
{
	/* spreads small seeds over all bits; the constant is 2^64 / golden ratio */
	return (struct rng){ .state = (seed + 1) * 0x9e3779b97f4a7c15ull | 1 };
}

static inline uint64_t
rng_next(struct rng *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545f4914f6cdd1dull;
}

/* rng_below() - 0 .. @n - 1; @n above 0 */
static inline uint64_t
rng_below(struct rng *r, uint64_t n)
{
	return (rng_next(r) >> 11) % n;
}

#endif /* BASE_RNG_H */
