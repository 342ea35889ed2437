/*
 * Every row of the outcome table of target maps: what is reported, and which callbacks come
 * when. Times are in settle times; "p" and "q" are values that come with a report.
 */
#include <check.h>
#include <string.h>

#include "ddi/sim.h"
#include "tests/include/check_main.h"
#include "tests/scsa/mock_maps.h"

static void
full(void)
{
	maps_setup(SCSI_TM_FULLSET);
	maps_begin();
}

static void
peraddr(void)
{
	maps_setup(SCSI_TM_PERADDR);
	maps_begin();
}

/* A is active */
static void
full_with_a(void)
{
	full();
	maps_set("A");
	maps_until(11);
	ck_assert(maps_has("A,0"));
	maps_mark();
}

static void
peraddr_with_a(void)
{
	peraddr();
	maps_add("A", "p");
	maps_until(11);
	ck_assert(maps_has("A,0"));
	maps_mark();
}

SIM_TEST(c44_row01_a_set_settles)
{
	full();
	maps_set("A");
	maps_until(9);
	maps_expect("");
	ck_assert(!maps_has("A,0"));
	maps_until(10);
	maps_expect("1.0 +A(p)");
	ck_assert(maps_has("A,0"));
	maps_end();
}

SIM_TEST(c44_row02_the_same_set_again_is_no_news)
{
	full_with_a();
	maps_set("A");
	maps_until(30);
	maps_expect("");
	ck_assert(maps_has("A,0"));
	maps_end();
}

SIM_TEST(c44_row03_an_empty_set_removes_all)
{
	full_with_a();
	maps_set("");
	maps_until(30);
	maps_expect("1.0 -A(p)");
	ck_assert(!maps_has("A,0"));
	maps_end();
}

SIM_TEST(c44_row04_additions_come_before_removals)
{
	full_with_a();
	maps_set("B");
	maps_until(30);
	maps_expect("1.0 +B(p) 1.0 -A(p)");
	ck_assert(maps_has("B,0") && !maps_has("A,0"));
	maps_end();
}

SIM_TEST(c44_row05_a_set_replaced_in_the_window_never_counts)
{
	full();
	maps_set("A");
	maps_until(5);
	maps_set("B");
	maps_until(30);
	maps_expect("0.5 !A(p) 1.5 +B(p)");
	maps_end();
}

SIM_TEST(c44_row06_flush_gives_values_back)
{
	full();
	ck_assert_int_eq(scsi_hba_tgtmap_set_begin(maps.map), DDI_SUCCESS);
	maps_put("A", "p");
	ck_assert_int_eq(scsi_hba_tgtmap_set_flush(maps.map), DDI_SUCCESS);
	maps_until(30);
	maps_expect("0.0 !A(p)");
	maps_end();
}

SIM_TEST(c44_row07_without_a_value_there_is_nothing_to_give_back)
{
	full();
	ck_assert_int_eq(scsi_hba_tgtmap_set_begin(maps.map), DDI_SUCCESS);
	maps_put("A", NULL);
	ck_assert_int_eq(scsi_hba_tgtmap_set_flush(maps.map), DDI_SUCCESS);
	maps_until(30);
	maps_expect("");
	maps_end();
}

SIM_TEST(c44_row08_the_last_add_of_an_address_counts)
{
	full();
	ck_assert_int_eq(scsi_hba_tgtmap_set_begin(maps.map), DDI_SUCCESS);
	maps_put("A", "p");
	maps_put("A", "q");
	ck_assert_int_eq(scsi_hba_tgtmap_set_end(maps.map, 0), DDI_SUCCESS);
	maps_until(30);
	maps_expect("0.0 !A(p) 1.0 +A(q)");
	maps_end();
}

SIM_TEST(c44_row09_a_set_without_end_never_settles)
{
	full();
	ck_assert_int_eq(scsi_hba_tgtmap_set_begin(maps.map), DDI_SUCCESS);
	maps_put("A", "p");
	maps_until(1000);
	maps_expect("");
	maps_mark();
	maps_set("B");
	maps_until(30);
	maps_expect("0.0 !A(p) 1.0 +B(p)");
	maps_end();
}

SIM_TEST(c44_row10_add_needs_begin)
{
	full();
	ck_assert_int_eq(scsi_hba_tgtmap_set_add(maps.map, SCSI_TGT_SCSI_DEVICE,
	    (char[]){ "A" }, NULL), DDI_FAILURE);
	maps_until(30);
	maps_expect("");
	maps_end();
}

SIM_TEST(c44_row11_end_needs_begin)
{
	full();
	ck_assert_int_eq(scsi_hba_tgtmap_set_end(maps.map, 0), DDI_FAILURE);
	maps_set("A");
	maps_until(11);
	ck_assert_int_eq(scsi_hba_tgtmap_set_end(maps.map, 0), DDI_FAILURE);
	maps_expect("1.0 +A(p)");
	maps_end();
}

SIM_TEST(c44_row12_a_flushed_report_of_an_active_address_is_nothing)
{
	full_with_a();
	ck_assert_int_eq(scsi_hba_tgtmap_set_begin(maps.map), DDI_SUCCESS);
	maps_put("A", "q");
	ck_assert_int_eq(scsi_hba_tgtmap_set_flush(maps.map), DDI_SUCCESS);
	maps_until(30);
	maps_expect("");
	ck_assert(maps_has("A,0"));
	maps_end();
}

SIM_TEST(c44_row13_sets_that_come_too_fast_starve)
{
	full();
	for (int i = 1; i <= 50; i++) {
		ck_assert_int_eq(scsi_hba_tgtmap_set_begin(maps.map), DDI_SUCCESS);
		maps_put("A", NULL);
		ck_assert_int_eq(scsi_hba_tgtmap_set_end(maps.map, 0), DDI_SUCCESS);
		maps_until(9 * i);
	}
	maps_expect("");
	/* and a second end does not start the time again */
	ck_assert_int_eq(scsi_hba_tgtmap_set_end(maps.map, 0), DDI_SUCCESS);
	maps_until(9 * 49 + 10);
	maps_expect("45.1 +A()");
	maps_end();
}

SIM_TEST(c45_row14_an_address_settles)
{
	peraddr();
	maps_add("A", "p");
	maps_until(9);
	maps_expect("");
	maps_until(30);
	maps_expect("1.0 +A(p)");
	ck_assert(maps_has("A,0"));
	maps_end();
}

SIM_TEST(c45_row15_there_and_gone_is_unstable)
{
	peraddr();
	maps_add("A", "p");
	maps_until(5);
	maps_remove("A");
	maps_until(30);
	maps_expect("0.5 !A(p)");
	maps_end();
}

SIM_TEST(c45_row16_gone_and_there_is_nothing)
{
	peraddr_with_a();
	maps_remove("A");
	maps_until(5);
	maps_add("A", "q");
	maps_until(30);
	maps_expect("");
	ck_assert(maps_has("A,0"));
	maps_end();
}

SIM_TEST(c45_row17_gone_settles)
{
	peraddr_with_a();
	maps_remove("A");
	maps_until(9);
	ck_assert(maps_has("A,0"));
	maps_until(30);
	maps_expect("1.0 -A(p)");
	ck_assert(!maps_has("A,0"));
	maps_end();
}

SIM_TEST(c45_row18_the_latest_report_counts_from_its_own_time)
{
	peraddr();
	maps_add("A", "p");
	maps_until(9);
	maps_add("A", "q");
	maps_until(30);
	maps_expect("0.9 !A(p) 1.9 +A(q)");
	maps_end();
}

SIM_TEST(c45_row19_addresses_settle_each_for_itself)
{
	peraddr();
	maps_add("A", NULL);
	maps_until(5);
	maps_add("B", NULL);
	maps_until(30);
	maps_expect("1.0 +A() 1.5 +B()");
	maps_end();
}

SIM_TEST(c45_row20_removing_what_is_unknown_is_fine)
{
	peraddr();
	maps_remove("Z");
	maps_until(30);
	maps_expect("");
	maps_end();
}

SIM_TEST(c45_row21_who_does_not_answer_fails)
{
	maps_setup(SCSI_TM_PERADDR);
	mock.target[0].is_there = false;
	maps_begin();
	maps_add("A", "p");
	maps_until(30);
	maps_expect("1.0 +A(p) 1.0 xA(p)");
	ck_assert(!maps_has("A,0"));
	maps_end();
}

SIM_TEST(c45_row22_and_is_tried_again_when_reported_again)
{
	maps_setup(SCSI_TM_PERADDR);
	mock.target[0].is_there = false;
	maps_begin();
	maps_add("A", "p");
	maps_until(20);
	mock.target[0].is_there = true;
	maps_until(100);
	maps_mark();
	maps_add("A", "q");
	maps_until(30);
	maps_expect("1.0 +A(q)");
	ck_assert(maps_has("A,0"));
	maps_end();
}

SIM_TEST(c45_row23_destroy_lets_settle_and_removes_all)
{
	peraddr_with_a();
	maps_add("B", "q");
	maps_until(5);
	scsi_hba_tgtmap_destroy(maps.map);
	maps.map = NULL;
	/* removals are parallel */
	if (strcmp(maps.log, "1.0 +B(q) 1.0 -B(q) 1.0 -A(p)") != 0)
		maps_expect("1.0 +B(q) 1.0 -A(p) 1.0 -B(q)");
	ck_assert(!maps_has("A,0") && !maps_has("B,0"));
	ck_assert_ptr_null(mock.iport_tran[0]->tran_tgtmap);
	maps_end();
}

SIM_TEST(c44_row23_so_for_a_full_set)
{
	full_with_a();
	maps_set("AB");
	maps_until(5);
	scsi_hba_tgtmap_destroy(maps.map);
	maps.map = NULL;
	if (strcmp(maps.log, "1.0 +B(p) 1.0 -B(p) 1.0 -A(p)") != 0)
		maps_expect("1.0 +B(p) 1.0 -A(p) 1.0 -B(p)");
	maps_end();
}

static void
report_more(char *addr, scsi_tgtmap_tgt_type_t type, void **privp)
{
	(void)type;
	(void)privp;
	if (addr[0] == 'A')
		maps_add("B", "q");
}

static void
report_again(char *addr, scsi_tgtmap_tgt_type_t type, void *priv, scsi_tgtmap_deact_rsn_t why)
{
	(void)type;
	(void)priv;
	(void)why;
	if (addr[0] == 'A' && maps.map != NULL && mock.n_iports_attached != 0)
		(void)scsi_hba_tgtmap_tgt_add(maps.map, SCSI_TGT_SCSI_DEVICE, (char[]){ "C" },
		    (void *)(uintptr_t)"r");
}

SIM_TEST(c45_row24_callbacks_may_report)
{
	maps_setup(SCSI_TM_PERADDR);
	maps.on_activate = report_more;
	maps.on_deactivate = report_again;
	maps_begin();
	maps_add("A", "p");
	maps_until(25);
	maps_expect("1.0 +A(p) 2.0 +B(q)");
	maps_mark();
	maps_remove("A");
	maps_until(30);
	maps_expect("1.0 -A(p) 2.0 +C(r)");
	maps.on_deactivate = NULL;
	maps_end();
}

CHECK_MAIN("target map table",
    c44_row01_a_set_settles,
    c44_row02_the_same_set_again_is_no_news,
    c44_row03_an_empty_set_removes_all,
    c44_row04_additions_come_before_removals,
    c44_row05_a_set_replaced_in_the_window_never_counts,
    c44_row06_flush_gives_values_back,
    c44_row07_without_a_value_there_is_nothing_to_give_back,
    c44_row08_the_last_add_of_an_address_counts,
    c44_row09_a_set_without_end_never_settles,
    c44_row10_add_needs_begin,
    c44_row11_end_needs_begin,
    c44_row12_a_flushed_report_of_an_active_address_is_nothing,
    c44_row13_sets_that_come_too_fast_starve,
    c45_row14_an_address_settles,
    c45_row15_there_and_gone_is_unstable,
    c45_row16_gone_and_there_is_nothing,
    c45_row17_gone_settles,
    c45_row18_the_latest_report_counts_from_its_own_time,
    c45_row19_addresses_settle_each_for_itself,
    c45_row20_removing_what_is_unknown_is_fine,
    c45_row21_who_does_not_answer_fails,
    c45_row22_and_is_tried_again_when_reported_again,
    c45_row23_destroy_lets_settle_and_removes_all,
    c44_row23_so_for_a_full_set,
    c45_row24_callbacks_may_report)
