#include <errno.h>

#include "base/slot.h"
#include "check_main.h"

START_TEST(id_of_another_generation_is_not_found)
{
	struct slot_table t;
	int a, b;
	uint64_t id, again;

	slot_init(&t, 4);
	ck_assert_int_eq(slot_take(&t, &a, &id), 0);
	ck_assert_ptr_eq(slot_get(&t, id), &a);
	ck_assert_ptr_eq(slot_drop(&t, id), &a);
	ck_assert_ptr_null(slot_get(&t, id));
	ck_assert_ptr_null(slot_drop(&t, id));

	ck_assert_int_eq(slot_take(&t, &b, &again), 0);
	ck_assert_uint_eq((uint32_t)again, (uint32_t)id);
	ck_assert_uint_ne(again, id);
	ck_assert_ptr_null(slot_get(&t, id));
	ck_assert_ptr_eq(slot_get(&t, again), &b);
	slot_fini(&t);
}
END_TEST

START_TEST(invented_ids_are_not_found)
{
	struct slot_table t;
	int a;
	uint64_t id;

	slot_init(&t, 4);
	ck_assert_ptr_null(slot_get(&t, 0));
	ck_assert_int_eq(slot_take(&t, &a, &id), 0);
	ck_assert_ptr_null(slot_get(&t, 0));
	ck_assert_ptr_null(slot_get(&t, id + 1));
	ck_assert_ptr_null(slot_get(&t, id ^ 1ull << 40));
	ck_assert_ptr_null(slot_get(&t, UINT64_MAX));
	slot_fini(&t);
}
END_TEST

START_TEST(table_holds_max_and_refuses_one_more)
{
	enum { MAX = 100 };
	struct slot_table t;
	int things[MAX + 1];
	uint64_t ids[MAX], extra = 7;
	uint32_t pos = 0;

	slot_init(&t, MAX);
	for (int i = 0; i < MAX; i++)
		ck_assert_int_eq(slot_take(&t, &things[i], &ids[i]), 0);
	ck_assert_int_eq(slot_take(&t, &things[MAX], &extra), -ENOSPC);
	ck_assert_uint_eq(extra, 7);

	ck_assert_ptr_eq(slot_drop(&t, ids[40]), &things[40]);
	ck_assert_int_eq(slot_take(&t, &things[MAX], &extra), 0);
	ck_assert_ptr_eq(slot_get(&t, extra), &things[MAX]);

	for (int i = 0; i < MAX; i++)
		ck_assert_ptr_nonnull(slot_next(&t, &pos));
	ck_assert_ptr_null(slot_next(&t, &pos));
	slot_fini(&t);
}
END_TEST

CHECK_MAIN("slot", id_of_another_generation_is_not_found, invented_ids_are_not_found,
    table_holds_max_and_refuses_one_more)
