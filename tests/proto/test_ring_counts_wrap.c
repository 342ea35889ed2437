/* the counts of a ring rise for ever and wrap; its parts lie beside each other; an entry is copied
 * once and judged */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "proto/ring.h"
#include "proto/scsad.pb-c.h"

static struct ring_view
view_new(uint32_t n)
{
	void *base = aligned_alloc(4096, ring_bytes(n));

	ck_assert_ptr_nonnull(base);
	memset(base, 0, ring_bytes(n));
	return ring_view(base, n);
}

START_TEST(sizes_are_powers_of_two)
{
	for (uint32_t n = 0; n <= 2 * RING_ENTRIES_MAX; n++)
		ck_assert_int_eq(ring_entries_fit(n), __builtin_popcount(n) == 1 && n >= 2 &&
		    n <= 4096);
	ck_assert(!ring_entries_fit(UINT32_MAX));
	ck_assert(!ring_entries_fit(1u << 31));
}
END_TEST

START_TEST(parts_lie_beside_each_other)
{
	for (uint32_t n = RING_ENTRIES_MIN; n <= RING_ENTRIES_MAX; n *= 2) {
		struct ring_view v = view_new(n);
		uint8_t *base = (void *)v.head;

		ck_assert_ptr_eq(v.entries, base + 4096);
		ck_assert_ptr_eq(v.results, base + 4096 + n * 128);
		ck_assert_ptr_eq(v.sense, base + 4096 + n * 192);
		ck_assert_uint_eq(ring_bytes(n) % 4096, 0);
		ck_assert_uint_ge(ring_bytes(n), 4096 + n * 448);
		ck_assert_ptr_eq(ring_sense_of(&v, n - 1) + RING_SENSE_SIZE,
		    base + 4096 + n * 448);
		/* what is above the slot does not move the place */
		ck_assert_ptr_eq(ring_sense_of(&v, 1 | 0xabcd0000), v.sense + RING_SENSE_SIZE);
		free(base);
	}
}
END_TEST

START_TEST(counts_wrap)
{
	struct ring_view v = view_new(8);
	uint32_t count = UINT32_MAX - 20, older = count;

	for (unsigned i = 0; i < 40; i++) {
		ck_assert_uint_eq(ring_ahead(count, older), i);
		ck_assert_ptr_eq(ring_entry_at(&v, count), &v.entries[count % 8]);
		ck_assert_ptr_eq(ring_result_at(&v, count), &v.results[count % 8]);
		/* neighbours stay neighbours over the wrap */
		ck_assert_uint_eq(ring_at(&v, count + 1), (ring_at(&v, count) + 1) % 8);
		count++;
	}
	ck_assert_uint_lt(count, 40);
	ck_assert_uint_gt(ring_ahead(older, count), 8);
	free(v.head);
}
END_TEST

START_TEST(one_wake_a_sleep)
{
	struct ring_view v = view_new(2);

	ck_assert(!ring_must_wake(&v.head->client_sleeps));
	ring_sleep_begin(&v.head->client_sleeps);
	ck_assert(!ring_must_wake(&v.head->daemon_sleeps));
	ck_assert(ring_must_wake(&v.head->client_sleeps));
	ck_assert(!ring_must_wake(&v.head->client_sleeps));
	ring_sleep_begin(&v.head->client_sleeps);
	ring_sleep_end(&v.head->client_sleeps);
	ck_assert(!ring_must_wake(&v.head->client_sleeps));
	free(v.head);
}
END_TEST

START_TEST(copy_reads_what_the_cdb_needs)
{
	struct ring_entry shared, copy;

	memset(&shared, 0xee, sizeof(shared));
	for (size_t len = PROTO_CDB_MIN; len <= RING_CDB_MAX; len++) {
		shared.cdb_len = (uint16_t)len;
		memset(&copy, 0, sizeof(copy));
		ring_entry_copy(&copy, &shared);
		ck_assert_mem_eq(&copy, &shared, offsetof(struct ring_entry, cdb) + len);
		ck_assert_uint_eq(copy.cdb[RING_CDB_SHORT], len > RING_CDB_SHORT ? 0xee : 0);
	}
	shared.cdb_len = UINT16_MAX;
	ring_entry_copy(&copy, &shared);
	ck_assert_uint_eq(copy.cdb_len, UINT16_MAX);
}
END_TEST

static struct ring_entry
good(void)
{
	return (struct ring_entry){ .op = RING_OP_SUBMIT, .tag = 0x12340003, .cdb_len = 10,
		.direction = SCSAD__DIRECTION__DIR_IN, .memory = 1, .data_len = 512 };
}

START_TEST(entries_are_judged)
{
	struct ring_entry e = good();

	ck_assert_int_eq(ring_entry_check(&e, 4, 512), 0);
	ck_assert_int_eq(ring_entry_check(&e, 2, 512), -EINVAL);
	ck_assert_int_eq(ring_entry_check(&e, 4, 511), -EMSGSIZE);
	e.attribute = SCSAD__TASK_ATTRIBUTE__ATTR_HEAD;
	e.cdb_len = RING_CDB_MAX;
	e.timeout_ms = PROTO_TIMEOUT_MAX_MS;
	e.direction = SCSAD__DIRECTION__DIR_OUT;
	ck_assert_int_eq(ring_entry_check(&e, 4, 512), 0);
	e.cdb_len++;
	ck_assert_int_eq(ring_entry_check(&e, 4, 512), -EINVAL);
	e = good();
	e.timeout_ms = PROTO_TIMEOUT_MAX_MS + 1;
	ck_assert_int_eq(ring_entry_check(&e, 4, 512), -EINVAL);
	e = good();
	e.zero[1] = 1;
	ck_assert_int_eq(ring_entry_check(&e, 4, 512), -EINVAL);
	e = good();
	e.direction = SCSAD__DIRECTION__DIR_NONE;
	ck_assert_int_eq(ring_entry_check(&e, 4, 512), -EINVAL);
	e.data_len = 0;
	ck_assert_int_eq(ring_entry_check(&e, 4, 512), -EINVAL);
	e.memory = 0;
	ck_assert_int_eq(ring_entry_check(&e, 4, 512), 0);
}
END_TEST

CHECK_MAIN("ring counts", sizes_are_powers_of_two, parts_lie_beside_each_other, counts_wrap,
    one_wake_a_sleep, copy_reads_what_the_cdb_needs, entries_are_judged)
