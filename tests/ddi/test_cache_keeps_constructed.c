#include <string.h>
#include <sys/kmem.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "check_main.h"
#include "ddi/kmem_stats.h"
#include "ddi/sched.h"
#include "mock_recorder.h"

#define MANY	500

struct thing {
	uint64_t made;		/* by the constructor; stays over uses */
	char data[40];
};

static int constructed, destructed, refuse;

static int
construct(void *object, void *private, int flags)
{
	struct thing *t = object;

	(void)flags;
	if (refuse)
		return -1;
	t->made = 0x1234;
	__atomic_add_fetch((int *)private, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static void
destruct(void *object, void *private)
{
	struct thing *t = object;

	(void)private;
	ck_assert_uint_eq(t->made, 0x1234);
	__atomic_add_fetch(&destructed, 1, __ATOMIC_SEQ_CST);
}

static kmem_cache_t *
cache_new(void)
{
	constructed = destructed = refuse = 0;
	return kmem_cache_create("things", sizeof(struct thing), 0, construct, destruct, NULL,
	    &constructed, NULL, 0);
}

START_TEST(constructed_once_destructed_once)
{
	kmem_cache_t *cache = cache_new();
	struct thing *t[MANY];
	struct kmem_cache_stats stats;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MANY; i++) {
			t[i] = kmem_cache_alloc(cache, KM_SLEEP);
			ck_assert_uint_eq(t[i]->made, 0x1234);
			memset(t[i]->data, i, sizeof(t[i]->data));
		}
		for (int i = 0; i < MANY; i++)
			kmem_cache_free(cache, t[i]);
	}
	ck_assert_int_eq(constructed, MANY);
	ck_assert_int_eq(destructed, 0);
	kmem_cache_stats(cache, &stats);
	ck_assert_uint_eq(stats.allocs, 3 * MANY);
	ck_assert_uint_eq(stats.frees, 3 * MANY);
	ck_assert_uint_eq(stats.constructed, MANY);
	kmem_cache_reap_now(cache);
	ck_assert_int_eq(destructed, MANY);
	kmem_cache_free(cache, kmem_cache_alloc(cache, KM_SLEEP));
	kmem_cache_stats(cache, &stats);
	ck_assert_uint_eq(stats.constructed, MANY + 1);
	ck_assert_uint_eq(stats.destructed, MANY);
	kmem_cache_destroy(cache);
	ck_assert_int_eq(destructed, MANY + 1);
	kmem_cache_destroy(NULL);
}
END_TEST

START_TEST(refusal_and_shortage)
{
	kmem_cache_t *cache = cache_new();
	struct kmem_cache_stats stats;

	refuse = 1;
	ck_assert_ptr_null(kmem_cache_alloc(cache, KM_SLEEP));
	refuse = 0;
	fault_arm(1);
	ck_assert_ptr_null(kmem_cache_alloc(cache, KM_NOSLEEP));
	ck_assert(fault_disarm());
	kmem_cache_stats(cache, &stats);
	ck_assert_uint_eq(stats.failures, 2);
	ck_assert_uint_eq(stats.allocs, 0);
	kmem_cache_destroy(cache);
	ck_assert_int_eq(constructed, 0);
	ck_assert_int_eq(destructed, 0);
}
END_TEST

START_TEST(alignment_is_kept)
{
	kmem_cache_t *cache = kmem_cache_create("aligned", 72, 256, NULL, NULL, NULL, NULL,
	    NULL, 0);
	void *p[10];

	for (int i = 0; i < 10; i++) {
		p[i] = kmem_cache_alloc(cache, KM_SLEEP);
		ck_assert_uint_eq((uintptr_t)p[i] % 256, 0);
		memset(p[i], 0xff, 72);
	}
	for (int i = 0; i < 10; i++)
		kmem_cache_free(cache, p[i]);
	kmem_cache_destroy(cache);
}
END_TEST

static void
use_main(void *arg)
{
	struct thing *t[64];

	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 64; i++)
			t[i] = kmem_cache_alloc(arg, KM_SLEEP);
		for (int i = 0; i < 64; i++)
			kmem_cache_free(arg, t[i]);
	}
}

START_TEST(threads_hand_over_what_they_kept)
{
	kmem_cache_t *cache = cache_new();
	struct sched_thread *threads[4];
	struct kmem_cache_stats stats;

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(sched_thread_start("use", use_main, cache, &threads[i]), 0);
	for (int i = 0; i < 4; i++)
		sched_thread_join(threads[i]);
	kmem_cache_stats(cache, &stats);
	ck_assert_uint_eq(stats.allocs, 4 * 200 * 64);
	ck_assert_uint_eq(stats.frees, 4 * 200 * 64);
	ck_assert_int_le(constructed, 4 * (64 + 32));	/* in use, and kept by another */
	kmem_cache_destroy(cache);
	ck_assert_int_eq(constructed, destructed);
}
END_TEST

START_TEST(caches_come_and_go)
{
	kmem_cache_t *caches[80];
	void *p[80];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 80; i++) {
			caches[i] = kmem_cache_create("one", 8, 0, NULL, NULL, NULL, NULL, NULL,
			    0);
			p[i] = kmem_cache_alloc(caches[i], KM_SLEEP);
		}
		for (int i = 0; i < 80; i++) {
			kmem_cache_free(caches[i], p[i]);
			kmem_cache_destroy(caches[i]);
		}
	}
}
END_TEST

#ifdef SCSAD_DEBUG
START_TEST(misuse_is_reported)
{
	kmem_cache_t *cache = cache_new(), *other = cache_new();
	void *p = kmem_cache_alloc(cache, KM_SLEEP);

	recorder_start();
	kmem_cache_free(other, p);
	ck_assert(recorder_broke("cache-foreign"));
	kmem_cache_free(cache, p);
	kmem_cache_free(cache, p);
	ck_assert(recorder_broke("cache-free-twice"));
	ck_assert_ptr_eq(kmem_cache_alloc(cache, KM_SLEEP), p);
	kmem_cache_free(cache, p);
	kmem_cache_destroy(cache);
	ck_assert_uint_eq(recorder_violations(), 2);
	p = kmem_cache_alloc(other, KM_SLEEP);
	kmem_cache_destroy(other);
	ck_assert(recorder_broke("cache-busy"));
	free((char *)p - 16);
}
END_TEST
#endif

CHECK_MAIN("cache",
#ifdef SCSAD_DEBUG
    misuse_is_reported,
#endif
    constructed_once_destructed_once, refusal_and_shortage, alignment_is_kept,
    threads_hand_over_what_they_kept, caches_come_and_go)
