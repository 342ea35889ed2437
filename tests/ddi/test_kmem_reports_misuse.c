#include <string.h>
#include <sys/kmem.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1	/* as gcc says it */
#endif
#endif

#include "check_main.h"
#include "ddi/kmem_stats.h"
#include "ddi/sched.h"
#include "mock_recorder.h"

START_TEST(memory_comes_and_goes)
{
	uint64_t before = kmem_in_use();
	char *p = kmem_zalloc(100, KM_SLEEP), *text;

	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(p[i], 0);
	ck_assert_uint_eq((uintptr_t)p % 16, 0);
	kmem_free(p, 100);
	ck_assert_ptr_null(kmem_alloc(0, KM_SLEEP));
	kmem_free(NULL, 0);
	text = kmem_asprintf("disk@%x,%x", 1u, 2u);
	ck_assert_str_eq(text, "disk@1,2");
	kmem_strfree(text);
	text = kmem_strdup("abc", KM_NOSLEEP);
	ck_assert_str_eq(text, "abc");
	kmem_strfree(text);
	kmem_strfree(NULL);
	p = kmem_alloc(1 << 20, KM_NOSLEEP);
	ck_assert_ptr_nonnull(p);
	kmem_free(p, 1 << 20);
	ck_assert_uint_eq(kmem_in_use(), before);
}
END_TEST

START_TEST(nosleep_may_fail)
{
	fault_arm(1);
	ck_assert_ptr_null(kmem_alloc(10, KM_NOSLEEP));
	ck_assert(fault_disarm());
	fault_arm(1);
	ck_assert_ptr_null(kmem_strdup("x", KM_NOSLEEP));
	ck_assert(fault_disarm());
	fault_arm(1);
	kmem_free(kmem_zalloc(10, KM_SLEEP), 10);
	ck_assert(!fault_disarm());
}
END_TEST

#ifdef SCSAD_DEBUG
START_TEST(wrong_size)
{
	recorder_start();
	kmem_free(kmem_alloc(64, KM_SLEEP), 65);
	ck_assert(recorder_broke("kmem-size"));
	ck_assert_uint_eq(recorder_violations(), 1);
}
END_TEST

START_TEST(freed_twice)
{
	char *p = kmem_alloc(64, KM_SLEEP);

	recorder_start();
	kmem_free(p, 64);
	kmem_free(p, 64);
	ck_assert(recorder_broke("kmem-free-twice"));
	ck_assert_uint_eq(recorder_violations(), 1);
}
END_TEST

START_TEST(not_from_here)
{
	char raw[64] __attribute__((aligned(16))) = { 0 };

	recorder_start();
	kmem_free(raw + 32, 16);
	ck_assert(recorder_broke("kmem-foreign"));
}
END_TEST

START_TEST(sleep_in_interrupt)
{
	recorder_start();
	(void)sched_set_interrupt(true);
	kmem_free(kmem_alloc(8, KM_NOSLEEP), 8);
	ck_assert_uint_eq(recorder_violations(), 0);
	kmem_free(kmem_alloc(8, KM_SLEEP), 8);
	(void)sched_set_interrupt(false);
	ck_assert(recorder_broke("kmem-sleep"));
}
END_TEST

#ifndef __SANITIZE_ADDRESS__
START_TEST(written_behind_its_end)
{
	char *p = kmem_alloc(20, KM_SLEEP);

	recorder_start();
	p[20] = 'x';
	kmem_free(p, 20);
	ck_assert(recorder_broke("kmem-overrun"));
}
END_TEST

START_TEST(used_after_free)
{
	char *volatile p = kmem_alloc(20, KM_SLEEP);

	recorder_start();
	kmem_free(p, 20);
	p[3] = 'x';
	for (int i = 0; i < 1000; i++)
		kmem_free(kmem_alloc(20, KM_SLEEP), 20);
	ck_assert(recorder_broke("kmem-use-after-free"));
}
END_TEST
#endif
#endif

CHECK_MAIN("kmem",
#ifdef SCSAD_DEBUG
    wrong_size, freed_twice, not_from_here, sleep_in_interrupt,
#ifndef __SANITIZE_ADDRESS__
    written_behind_its_end, used_after_free,
#endif
#endif
    memory_comes_and_goes, nosleep_may_fail)
