/*
 * bench/sample.h - what one run measured: a count, a span, and a histogram of latencies
 *
 * What      Latencies go into buckets of 1/64 of their power of two, so a percentile is right
 *           to 1.6 % and adding one costs two instructions and a store.
 */
#ifndef BENCH_SAMPLE_H
#define BENCH_SAMPLE_H

#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SAMPLE_SUB	64u
#define SAMPLE_BUCKETS	3840u

struct sample {
	uint64_t count;
	uint64_t span_ns;
	uint64_t server_cpu_ns;	/* CPU time of the server's side, 0 if not taken */
	uint32_t buckets[SAMPLE_BUCKETS];
};

static inline uint64_t
sample_now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static inline void
sample_add(struct sample *s, uint64_t ns)
{
	unsigned int e = 63u - (unsigned int)__builtin_clzll(ns | SAMPLE_SUB);
	uint64_t i = (uint64_t)(e - 6) * SAMPLE_SUB + (ns >> (e - 6));

	s->buckets[i < SAMPLE_BUCKETS ? i : SAMPLE_BUCKETS - 1]++;
	s->count++;
}

/* sample_quantile_us() - the latency that a share @q of all stayed within */
static inline double
sample_quantile_us(const struct sample *s, double q)
{
	uint64_t want = (uint64_t)(q * (double)s->count), seen = 0;

	for (uint64_t i = 0; i < SAMPLE_BUCKETS; i++) {
		seen += s->buckets[i];
		if (seen > want) {
			uint64_t shift = i < 2 * SAMPLE_SUB ? 0 : i / SAMPLE_SUB - 1;

			return (double)((i - shift * SAMPLE_SUB) << shift) / 1e3;
		}
	}
	return 0;
}

static inline double
sample_rate(const struct sample *s)
{
	return s->span_ns == 0 ? 0 : (double)s->count * 1e9 / (double)s->span_ns;
}

static inline void
sample_pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((unsigned int)cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

/* sample_steal_ticks() - time the host took from this machine, all CPUs, since boot */
static inline uint64_t
sample_steal_ticks(void)
{
	unsigned long long v[8] = { 0 };
	FILE *f = fopen("/proc/stat", "r");

	if (f == NULL)
		return 0;
	if (fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3],
	    &v[4], &v[5], &v[6], &v[7]) != 8)
		v[7] = 0;
	(void)fclose(f);
	return v[7];
}

#endif /* BENCH_SAMPLE_H */
