#include <string.h>
#include <sys/ddi.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "check_main.h"
#include "ddi/sched.h"
#include "mock_recorder.h"

struct state {
	int a;
	char b[100];
};

START_TEST(soft_state)
{
	void *ss = NULL;
	struct state *s;

	ck_assert_int_eq(ddi_soft_state_init(&ss, 0, 1), EINVAL);
	ck_assert_int_eq(ddi_soft_state_init(NULL, 1, 1), EINVAL);
	ck_assert_int_eq(ddi_soft_state_init(&ss, sizeof(struct state), 20), 0);
	ck_assert_ptr_null(ddi_get_soft_state(ss, 0));
	ck_assert_int_eq(ddi_soft_state_zalloc(ss, 3), DDI_SUCCESS);
	ck_assert_int_eq(ddi_soft_state_zalloc(ss, 3), DDI_FAILURE);
	ck_assert_int_eq(ddi_soft_state_zalloc(ss, -1), DDI_FAILURE);
	ck_assert_int_eq(ddi_soft_state_zalloc(ss, 1 << 30), DDI_FAILURE);
	ck_assert_int_eq(ddi_soft_state_zalloc(NULL, 1), DDI_FAILURE);
	s = ddi_get_soft_state(ss, 3);
	ck_assert_int_eq(s->a, 0);
	s->a = 5;
	ck_assert_int_eq(ddi_soft_state_zalloc(ss, 1000), DDI_SUCCESS);
	ck_assert_ptr_eq(ddi_get_soft_state(ss, 3), s);
	ck_assert_ptr_null(ddi_get_soft_state(ss, 999));
	ck_assert_ptr_null(ddi_get_soft_state(ss, -1));
	ck_assert_ptr_null(ddi_get_soft_state(ss, 1 << 20));
	ck_assert_ptr_null(ddi_get_soft_state(NULL, 0));
	ddi_soft_state_free(ss, 3);
	ck_assert_ptr_null(ddi_get_soft_state(ss, 3));
	ddi_soft_state_free(ss, 3);
	ddi_soft_state_free(ss, -1);
	ddi_soft_state_free(NULL, 0);
	ddi_soft_state_free(ss, 1 << 20);
	fault_arm(1);
	ck_assert_int_eq(ddi_soft_state_zalloc(ss, 4), DDI_FAILURE);
	ck_assert(fault_disarm());
	ddi_soft_state_fini(&ss);
	ck_assert_ptr_null(ss);
	ddi_soft_state_fini(&ss);
}
END_TEST

START_TEST(ids_are_pointers_by_number)
{
	static char things[600];
	id32_t ids[600], again;

	for (int i = 0; i < 600; i++) {
		ids[i] = id32_alloc(&things[i], KM_SLEEP);
		ck_assert_uint_ne(ids[i], 0);
	}
	for (int i = 0; i < 600; i++)
		ck_assert_ptr_eq(id32_lookup(ids[i]), &things[i]);
	for (int i = 0; i < 600; i++)
		id32_free(ids[i]);
	for (int round = 0; round < 20; round++) {
		again = id32_alloc(things, KM_NOSLEEP);
		for (int i = 0; i < 600; i++) {
			ck_assert_uint_ne(again, ids[i]);
			ck_assert_ptr_null(id32_lookup(ids[i]));
		}
		id32_free(again);
	}
	id32_free(0);
	id32_free(ids[3]);
	ck_assert_ptr_null(id32_lookup(0));
	ck_assert_ptr_null(id32_lookup(0xffffffff));
	fault_arm(1);
	ck_assert_uint_eq(id32_alloc(things, KM_NOSLEEP), 0);
	ck_assert(fault_disarm());
}
END_TEST

struct item {
	int n;
	list_node_t node;
};

static int
list_text(list_t *l)
{
	int n = 0;

	for (struct item *i = list_head(l); i != NULL; i = list_next(l, i))
		n = n * 10 + i->n;
	return n;
}

START_TEST(lists_keep_order)
{
	struct item it[6] = { { .n = 0 }, { .n = 1 }, { .n = 2 }, { .n = 3 }, { .n = 4 },
	    { .n = 5 } };
	list_t a, b;

	list_create(&a, sizeof(struct item), offsetof(struct item, node));
	list_create(&b, sizeof(struct item), offsetof(struct item, node));
	ck_assert(list_is_empty(&a));
	ck_assert_ptr_null(list_head(&a));
	ck_assert_ptr_null(list_tail(&a));
	ck_assert_ptr_null(list_remove_head(&a));
	ck_assert_ptr_null(list_remove_tail(&a));
	ck_assert(!list_link_active(&it[1].node));
	list_insert_tail(&a, &it[2]);
	list_insert_head(&a, &it[1]);
	list_insert_after(&a, &it[2], &it[4]);
	list_insert_before(&a, &it[4], &it[3]);
	ck_assert_int_eq(list_text(&a), 1234);
	ck_assert(list_link_active(&it[1].node));
	ck_assert_ptr_eq(list_prev(&a, &it[2]), &it[1]);
	ck_assert_ptr_null(list_prev(&a, &it[1]));
	list_link_replace(&it[2].node, &it[5].node);
	ck_assert_int_eq(list_text(&a), 1534);
	list_insert_tail(&b, &it[2]);
	list_move_tail(&a, &b);
	list_move_tail(&a, &b);
	ck_assert_int_eq(list_text(&a), 15342);
	ck_assert(list_is_empty(&b));
	ck_assert_ptr_eq(list_remove_tail(&a), &it[2]);
	ck_assert_ptr_eq(list_remove_head(&a), &it[1]);
	recorder_start();
	list_remove(&a, &it[1]);		/* not linked: ignored, said */
	ck_assert(recorder_logged("not linked"));
	ck_assert_int_eq(list_text(&a), 534);
	list_destroy(&a);
	ck_assert(recorder_broke("list-busy"));
	list_destroy(&b);
	ck_assert_uint_eq(recorder_violations(), 1);
}
END_TEST

START_TEST(numbers_from_text)
{
	static const struct {
		const char *text;
		int base, result;
		long value;
		size_t used;		/* characters */
	} rows[] = {
		{ "12", 10, 0, 12, 2 }, { "  -7x", 10, 0, -7, 4 }, { "+ff,3", 16, 0, 255, 3 },
		{ "0x1F", 0, 0, 31, 4 }, { "0x1F", 16, 0, 31, 4 }, { "017", 0, 0, 15, 3 },
		{ "0xg", 0, 0, 0, 1 }, { "z", 36, 0, 35, 1 }, { "", 10, EINVAL, 0, 0 },
		{ "x", 10, EINVAL, 0, 0 }, { "-", 10, EINVAL, 0, 0 }, { "1", 1, EINVAL, 0, 0 },
		{ "1", 37, EINVAL, 0, 0 }, { "9223372036854775807", 10, 0, INT64_MAX, 19 },
		{ "9223372036854775808", 10, ERANGE, 0, 19 },
		{ "-9223372036854775808", 10, 0, INT64_MIN, 20 },
		{ "99999999999999999999999", 10, ERANGE, 0, 23 },
	};
	char text[] = "a,b", *p = text;
	unsigned long ul;
	long value;
	int r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *end = NULL;

		value = 0;
		r = ddi_strtol(rows[i].text, &end, rows[i].base, &value);
		ck_assert_msg(r == rows[i].result, "'%s'", rows[i].text);
		ck_assert_msg(value == rows[i].value, "'%s'", rows[i].text);
		if (rows[i].base != 1 && rows[i].base != 37)
			ck_assert_msg(end == rows[i].text + rows[i].used, "'%s'", rows[i].text);
	}
	/* the end where the text came from */
	ck_assert_int_eq(ddi_strtol(p, &p, 16, &value), 0);
	ck_assert_str_eq(p, ",b");
	ck_assert_int_eq(value, 10);
	ck_assert_int_eq(ddi_strtoul("18446744073709551615", NULL, 10, &ul), 0);
	ck_assert_uint_eq(ul, UINT64_MAX);
	ck_assert_int_eq(ddi_strtoul("18446744073709551616", NULL, 10, &ul), ERANGE);
}
END_TEST

static int
on_done(struct buf *bp)
{
	bp->b_private = bp;
	return 0;
}

static void
done_main(void *arg)
{
	bioerror(arg, ENXIO);
	biodone(arg);
}

START_TEST(bufs_carry_results)
{
	struct buf *bp = getrbuf(KM_SLEEP), other;
	struct sched_thread *t;

	ck_assert_int_eq(geterror(bp), 0);
	bioerror(bp, EIO);
	ck_assert_int_eq(geterror(bp), EIO);
	ck_assert(bp->b_flags & B_ERROR);
	bioerror(bp, 0);
	ck_assert_int_eq(geterror(bp), 0);
	bp->b_flags |= B_ERROR;
	ck_assert_int_eq(geterror(bp), EIO);
	bioreset(bp);
	ck_assert_int_eq(sched_thread_start("done", done_main, bp, &t), 0);
	ck_assert_int_eq(biowait(bp), ENXIO);
	sched_thread_join(t);
	recorder_start();
	biodone(bp);
	ck_assert(recorder_broke("buf-done-twice"));
	bioinit(&other);
	other.b_iodone = on_done;
	biodone(&other);
	ck_assert_ptr_eq(other.b_private, &other);
	bp_mapin(bp);
	bp_mapout(bp);
	biofini(&other);
	freerbuf(bp);
	fault_arm(1);
	ck_assert_ptr_null(getrbuf(KM_NOSLEEP));
	ck_assert(fault_disarm());
}
END_TEST

START_TEST(macros_and_atomics)
{
	uint8_t u8 = 1;
	uint32_t u32 = 5;
	ulong_t ul = 0;
	void *p = &u8;

	atomic_or_8(&u8, 0x80);
	ck_assert_uint_eq(u8, 0x81);
	ck_assert_uint_eq(atomic_inc_32_nv(&u32), 6);
	ck_assert_uint_eq(atomic_add_32_nv(&u32, -4), 2);
	ck_assert_uint_eq(atomic_cas_32(&u32, 3, 9), 2);
	ck_assert_uint_eq(atomic_cas_32(&u32, 2, 9), 2);
	ck_assert_uint_eq(atomic_swap_32(&u32, 1), 9);
	atomic_inc_ulong(&ul);
	atomic_dec_ulong(&ul);
	atomic_and_32(&u32, 0);
	ck_assert_uint_eq(u32, 0);
	ck_assert_ptr_eq(atomic_cas_ptr(&p, &u8, &u32), &u8);
	ck_assert_ptr_eq(atomic_swap_ptr(&p, NULL), &u32);
	membar_producer();
	membar_consumer();
	membar_enter();
	membar_exit();
	ck_assert_uint_eq(min(3, 4), 3);
	ck_assert_uint_eq(max(3, 4), 4);
	ck_assert_uint_eq(P2ROUNDUP(5, 4), 8);
	ck_assert_uint_eq(BE_32(0x01020304u), 0x04030201u);
	ck_assert_uint_eq(getminor(makedevice(3, 77)), 77);
	ck_assert_uint_eq(getmajor(makedevice(3, 77)), 3);
	ck_assert_uint_eq(btopr(1), 1);
}
END_TEST

CHECK_MAIN("helpers", soft_state, ids_are_pointers_by_number, lists_keep_order,
    numbers_from_text, bufs_carry_results, macros_and_atomics)
