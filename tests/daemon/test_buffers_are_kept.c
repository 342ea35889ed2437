#include <check_main.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"
#include "base/fault.h"
#include "daemon/bufs.h"
#include "hw/pci/arena.h"

#define SMALL	4096u
#define LARGE	65536u
#define MIB	(1u << 20)

static struct bufs bufs;

static bool
is_all(const uint8_t *buf, size_t len, uint8_t value)
{
	for (size_t i = 0; i < len; i++)
		if (buf[i] != value)
			return false;
	return true;
}

START_TEST(what_another_left_is_not_seen)
{
	uint64_t one = bufs_owner(), other = bufs_owner();
	uint8_t *buf;

	ck_assert_uint_ne(one, other);
	bufs_init(&bufs);
	buf = bufs_take(&bufs, SMALL, one);
	ck_assert(is_all(buf, SMALL, 0));
	memset(buf, 0x11, SMALL);
	bufs_give(&bufs, buf, SMALL, one);
	ck_assert_uint_eq(bufs.free_bytes, SMALL);
	ck_assert_ptr_eq(bufs_take(&bufs, SMALL, one), buf);
	ck_assert(is_all(buf, SMALL, 0x11));
	bufs_give(&bufs, buf, SMALL, one);
	ck_assert_ptr_eq(bufs_take(&bufs, 1, other), buf);
	ck_assert(is_all(buf, SMALL, 0));
	memset(buf, 0x22, SMALL);
	bufs_give(&bufs, buf, 1, other);
	/* one that will be filled before it is read is left as it is */
	ck_assert_ptr_eq(bufs_take(&bufs, SMALL, BUFS_NOBODY), buf);
	ck_assert(is_all(buf, SMALL, 0x22));
	bufs_give(&bufs, buf, SMALL, BUFS_NOBODY);
	bufs_give(&bufs, NULL, SMALL, one);
	bufs_fini(&bufs);
	ck_assert_uint_eq(bufs.free_bytes, 0);
}
END_TEST

/* many take turns, in the same order each time: nobody's has to be cleared */
START_TEST(everybody_finds_his_own)
{
	enum { OWNERS = 64, EACH = 4 };
	uint64_t owner[OWNERS];
	uint8_t *buf[OWNERS][EACH];

	bufs_init(&bufs);
	for (size_t i = 0; i < OWNERS; i++)
		owner[i] = bufs_owner();
	for (int turn = 0; turn < 5; turn++) {
		for (size_t i = 0; i < OWNERS * EACH; i++) {
			uint8_t *b = bufs_take(&bufs, SMALL, owner[i / EACH]);

			ck_assert(is_all(b, SMALL, turn == 0 ? 0 : (uint8_t)(i / EACH + 1)));
			memset(b, (int)(i / EACH + 1), SMALL);
			buf[i / EACH][i % EACH] = b;
		}
		ck_assert_uint_eq(bufs.free_bytes, 0);
		for (size_t i = 0; i < OWNERS * EACH; i++)
			bufs_give(&bufs, buf[i / EACH][i % EACH], SMALL, owner[i / EACH]);
		ck_assert_uint_eq(bufs.free_bytes, OWNERS * EACH * SMALL);
	}
	bufs_fini(&bufs);
}
END_TEST

/* in any order: nobody sees what is another's, nobody gets what is taken */
START_TEST(no_order_mixes_them_up)
{
	struct { void *buf; uint64_t owner; } had[40] = { 0 };
	uint64_t seed = 1, seen;

	bufs_init(&bufs);
	for (int i = 0; i < 20000; i++) {
		size_t at;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		at = (size_t)(seed >> 40) % ARRAY_LEN(had);
		if (had[at].buf != NULL) {
			memcpy(&seen, had[at].buf, sizeof(seen));
			ck_assert_uint_eq(seen, had[at].owner);
			bufs_give(&bufs, had[at].buf, SMALL, had[at].owner);
			had[at].buf = NULL;
			continue;
		}
		had[at].owner = 1 + (seed >> 20) % (2 * BUFS_HINTS);
		had[at].buf = bufs_take(&bufs, SMALL, had[at].owner);
		memcpy(&seen, had[at].buf, sizeof(seen));
		ck_assert(seen == 0 || seen == had[at].owner);
		memcpy(had[at].buf, &had[at].owner, sizeof(seen));
	}
	for (size_t i = 0; i < ARRAY_LEN(had); i++)
		bufs_give(&bufs, had[i].buf, SMALL, had[i].owner);
	bufs_fini(&bufs);
}
END_TEST

START_TEST(only_so_much_is_kept)
{
	void *buf[BUFS_KEPT_BYTES / MIB + 4];

	bufs_init(&bufs);
	for (size_t i = 0; i < ARRAY_LEN(buf); i++)
		buf[i] = bufs_take(&bufs, MIB, BUFS_NOBODY);
	for (size_t i = 0; i < ARRAY_LEN(buf); i++)
		bufs_give(&bufs, buf[i], MIB, BUFS_NOBODY);
	ck_assert_uint_eq(bufs.free_bytes, BUFS_KEPT_BYTES);
	/* larger than any class: made and gone */
	buf[0] = bufs_take(&bufs, 5 * MIB, 1);
	ck_assert(is_all(buf[0], 5 * MIB, 0));
	bufs_give(&bufs, buf[0], 5 * MIB, 1);
	ck_assert_uint_eq(bufs.free_bytes, BUFS_KEPT_BYTES);
	bufs_fini(&bufs);
}
END_TEST

START_TEST(without_memory_there_is_none)
{
	void *buf;

	bufs_init(&bufs);
	fault_arm(1);
	ck_assert_ptr_null(bufs_take(&bufs, SMALL, 1));
	ck_assert(fault_disarm());
	/* one that cannot be written down is not kept */
	buf = bufs_take(&bufs, SMALL, 1);
	fault_arm(1);
	bufs_give(&bufs, buf, SMALL, 1);
	ck_assert(fault_disarm());
	ck_assert_uint_eq(bufs.free_bytes, 0);
	bufs_fini(&bufs);
}
END_TEST

/* an adapter may write into a buffer that is not in use: nothing is kept in it */
START_TEST(buffers_of_adapters_hold_nothing_of_ours)
{
	uint8_t *first, *second;

	ck_assert_int_eq(pci_arena_begin(MIB), 0);
	bufs_init(&bufs);
	first = bufs_take(&bufs, LARGE, 1);
	second = bufs_take(&bufs, LARGE, 1);
	ck_assert(is_all(first, LARGE, 0));
	bufs_give(&bufs, first, LARGE, 1);
	bufs_give(&bufs, second, LARGE, 1);
	memset(first, 0xff, LARGE);
	memset(second, 0xff, LARGE);
	ck_assert_ptr_eq(bufs_take(&bufs, LARGE, 2), second);
	ck_assert(is_all(second, LARGE, 0));
	ck_assert_ptr_eq(bufs_take(&bufs, LARGE, 2), first);
	bufs_give(&bufs, first, LARGE, 2);
	bufs_give(&bufs, second, LARGE, 2);
	bufs_fini(&bufs);
	/* all of it came back */
	first = pci_arena_take(MIB);
	ck_assert_ptr_nonnull(first);
	ck_assert(pci_arena_give(first));
}
END_TEST

/* when the arena is full, the heap serves */
START_TEST(a_full_arena_is_no_end)
{
	void *buf[40];

	ck_assert_int_eq(pci_arena_begin(MIB), 0);
	bufs_init(&bufs);
	for (size_t i = 0; i < ARRAY_LEN(buf); i++) {
		buf[i] = bufs_take(&bufs, LARGE, BUFS_NOBODY);
		ck_assert_ptr_nonnull(buf[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(buf); i++)
		bufs_give(&bufs, buf[i], LARGE, BUFS_NOBODY);
	bufs_fini(&bufs);
}
END_TEST

START_TEST(no_more_is_taken_than_may_be)
{
	void *a, *b, *large;

	bufs_init(&bufs);
	bufs_set_max(&bufs, 10 * MIB);
	large = bufs_take(&bufs, 5 * MIB, 1);
	a = bufs_take(&bufs, 4 * MIB, 1);
	ck_assert_ptr_nonnull(a);
	b = bufs_take(&bufs, MIB, 1);
	ck_assert_ptr_nonnull(b);
	ck_assert_ptr_null(bufs_take(&bufs, 1, 1));
	bufs_give(&bufs, b, MIB, 1);
	b = bufs_take(&bufs, SMALL, 1);
	ck_assert_ptr_nonnull(b);
	ck_assert_ptr_null(bufs_take(&bufs, MIB, 1)); /* what lies unused is no exception */
	bufs_give(&bufs, large, 5 * MIB, 1);
	large = bufs_take(&bufs, MIB, 1);
	ck_assert_ptr_nonnull(large);
	bufs_give(&bufs, large, MIB, 1);
	bufs_give(&bufs, a, 4 * MIB, 1);
	bufs_give(&bufs, b, SMALL, 1);
	ck_assert_uint_eq(bufs.taken_bytes, 0);
	bufs_fini(&bufs);
}
END_TEST

CHECK_MAIN("buffers", what_another_left_is_not_seen, everybody_finds_his_own,
    no_order_mixes_them_up, only_so_much_is_kept,
    without_memory_there_is_none, buffers_of_adapters_hold_nothing_of_ours,
    a_full_arena_is_no_end, no_more_is_taken_than_may_be)
