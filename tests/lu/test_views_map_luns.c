/* views: what can be in one, how it is found, what differs between two, what REPORT LUNS is */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "check_main.h"
#include "lu/lu_impl.h"
#include "lu/view.h"
#include "scsi/lun.h"

#define N_UNITS	8

static struct lu units[N_UNITS];
static char err[LU_VIEW_ERR_LEN];

static void
units_reset(void)
{
	for (size_t i = 0; i < N_UNITS; i++)
		atomic_store(&units[i].refs, 1);
}

/* every reference was given back */
static void
units_check(void)
{
	for (size_t i = 0; i < N_UNITS; i++)
		ck_assert_uint_eq(atomic_load(&units[i].refs), 1);
}

static struct lu_view *
make(const struct lu_view_entry *entries, size_t n)
{
	struct lu_view *view = NULL;

	ck_assert_int_eq(lu_view_new(entries, n, &view, err), 0);
	return view;
}

START_TEST(entries_are_found_in_every_form)
{
	static const struct lu_view_entry entries[] = {
		{ &units[3], 16383, 7, 1 }, { &units[0], 0, 1, 1 }, { &units[2], 256, 3, 1 },
		{ &units[1], 255, 2, 1 },
	};
	struct lu_view *view;

	units_reset();
	view = make(entries, ARRAY_LEN(entries));
	ck_assert_uint_eq(lu_view_count(view), 4);
	ck_assert_uint_eq(lu_view_at(view, 0)->lun, 0);
	ck_assert_uint_eq(lu_view_at(view, 3)->lun, 16383);
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		uint64_t lun = entries[i].lun;

		ck_assert_ptr_eq(lu_view_find(view, lun)->unit, entries[i].unit);
		/* flat, and extended flat */
		ck_assert_ptr_eq(lu_view_find(view, (0x4000 | lun) << 48)->unit,
		    entries[i].unit);
		ck_assert_ptr_eq(lu_view_find(view, 0xd2ull << 56 | lun << 32)->unit,
		    entries[i].unit);
		ck_assert_uint_eq(lu_view_find_unit(view, entries[i].unit)->lun, lun);
		ck_assert_uint_eq(atomic_load(&entries[i].unit->refs), 2);
	}
	ck_assert_ptr_null(lu_view_find(view, 1));
	ck_assert_ptr_null(lu_view_find(view, LUNFMT_REPORT_LUNS_WLUN));
	ck_assert_ptr_null(lu_view_find(view, 0x0000000100000000ull | 1ull << 60));
	ck_assert_ptr_null(lu_view_find_unit(view, &units[4]));
	ck_assert_ptr_eq(lu_view_ref(view), view);
	lu_view_unref(view);
	ck_assert_uint_eq(lu_view_count(view), 4);
	lu_view_unref(view);
	units_check();
}
END_TEST

START_TEST(an_empty_view_is_one)
{
	struct lu_view *view = make(NULL, 0);

	ck_assert_uint_eq(lu_view_count(view), 0);
	ck_assert_ptr_null(lu_view_find(view, 0));
	ck_assert_ptr_null(lu_view_find_unit(view, &units[0]));
	lu_view_unref(view);
	ck_assert_uint_eq(lu_view_count(NULL), 0);
	ck_assert_ptr_null(lu_view_find(NULL, 0));
	ck_assert_ptr_null(lu_view_find_unit(NULL, &units[0]));
	ck_assert_ptr_null(lu_view_ref(NULL));
	lu_view_unref(NULL);
}
END_TEST

START_TEST(refusals_name_the_lun)
{
	static const struct {
		struct lu_view_entry e[3];
		int want;
		const char *text;
	} rows[] = {
		{ { { &units[0], 0, 0, 1 }, { &units[1], 16384, 0, 1 }, { &units[2], 1, 0, 1 } },
		    -EINVAL, "LUN 16384: the largest is 16383" },
		{ { { &units[0], 0, 0, 1 }, { &units[1], 7, 0, 1 }, { NULL, 5, 0, 1 } },
		    -EINVAL, "LUN 5: no unit" },
		{ { { &units[0], 9, 0, 1 }, { &units[1], 3, 0, 1 }, { &units[2], 9, 0, 1 } },
		    -EEXIST, "LUN 9 is there twice" },
		{ { { &units[0], 8, 0, 1 }, { &units[1], 3, 0, 1 }, { &units[0], 2, 0, 1 } },
		    -EEXIST, "LUNs 2 and 8 are the same unit" },
		{ { { &units[0], 2, 0, 1 }, { &units[1], 3, 0, 1 }, { &units[0], 8, 0, 1 } },
		    -EEXIST, "LUNs 2 and 8 are the same unit" },
	};
	static struct lu_view_entry many[LU_VIEW_MAX + 1];
	struct lu_view *view = NULL;

	units_reset();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_int_eq(lu_view_new(rows[i].e, 3, &view, err), rows[i].want);
		ck_assert_str_eq(err, rows[i].text);
		ck_assert_int_eq(lu_view_new(rows[i].e, 3, &view, NULL), rows[i].want);
	}
	ck_assert_int_eq(lu_view_new(many, LU_VIEW_MAX + 1, &view, err), -E2BIG);
	ck_assert_str_eq(err, "16385 units: the limit is 16384");
	fault_arm(1);
	ck_assert_int_eq(lu_view_new(rows[0].e, 1, &view, err), -ENOMEM);
	ck_assert(fault_disarm());
	ck_assert_ptr_null(view);
	units_check();
}
END_TEST

START_TEST(a_full_view_is_made)
{
	static struct lu_view_entry many[LU_VIEW_MAX];
	static struct lu lots[LU_VIEW_MAX];
	static uint8_t buf[8 + 8 * LU_VIEW_MAX];
	struct lu_view *view;
	uint64_t lun;
	size_t len;

	for (uint32_t i = 0; i < LU_VIEW_MAX; i++) {
		atomic_store(&lots[i].refs, 1);
		many[LU_VIEW_MAX - 1 - i] = (struct lu_view_entry){ &lots[i], i, 0, 1 };
	}
	view = make(many, LU_VIEW_MAX);
	for (uint32_t i = 0; i < LU_VIEW_MAX; i++) {
		ck_assert_ptr_eq(lu_view_find(view, i)->unit, &lots[i]);
		ck_assert_uint_eq(lu_view_find_unit(view, &lots[i])->lun, i);
	}
	ck_assert_int_eq(lu_view_report(view, 0, buf, sizeof(buf), &len), 0);
	ck_assert_uint_eq(len, sizeof(buf));
	for (uint32_t i = 0; i < LU_VIEW_MAX; i++) {
		uint32_t index;

		lun = lunfmt_get(buf + 8 + 8 * i);
		ck_assert(lunfmt_index(lun, &index));
		ck_assert_uint_eq(index, i);
		ck_assert_int_eq(lunfmt_method(lun), i < 256 ? LUNFMT_PERIPHERAL : LUNFMT_FLAT);
	}
	lu_view_unref(view);
	for (uint32_t i = 0; i < LU_VIEW_MAX; i++)
		ck_assert_uint_eq(atomic_load(&lots[i].refs), 1);
}
END_TEST

/* ------ differences ------ */

static char diff_text[200];

static void
diff_note(void *arg, enum lu_view_change change, const struct lu_view_entry *before,
    const struct lu_view_entry *after)
{
	static const char *const words[] = {
		[LU_VIEW_CAME] = "came", [LU_VIEW_WENT] = "went", [LU_VIEW_OTHER] = "other",
		[LU_VIEW_CLASSES] = "classes",
	};
	size_t at = strlen(diff_text);

	ck_assert_ptr_eq(arg, diff_text);
	ck_assert((before == NULL) == (change == LU_VIEW_CAME));
	ck_assert((after == NULL) == (change == LU_VIEW_WENT));
	(void)snprintf(diff_text + at, sizeof(diff_text) - at, "%s%u %s", at > 0 ? ", " : "",
	    (unsigned int)(before != NULL ? before->lun : after->lun), words[change]);
}

static bool
differ(const struct lu_view *before, const struct lu_view *after, const char *want)
{
	bool is_other;

	diff_text[0] = '\0';
	is_other = lu_view_diff(before, after, diff_note, diff_text);
	ck_assert_str_eq(diff_text, want);
	ck_assert(lu_view_diff(before, after, NULL, NULL) == is_other);
	return is_other;
}

START_TEST(differences_come_in_order_of_lun)
{
	static const struct lu_view_entry old[] = {
		{ &units[0], 0, 1, 1 }, { &units[1], 1, 1, 1 },
		{ &units[2], 4, 1, 1 }, { &units[3], 9, 1, 1 },
	};
	static const struct lu_view_entry new[] = {
		{ &units[0], 0, 3, 1 }, { &units[2], 1, 1, 1 },
		{ &units[4], 3, 1, 1 }, { &units[3], 9, 1, 1 },
		{ &units[5], 12, 1, 1 },
	};
	static const struct lu_view_entry weaker[] = {
		{ &units[0], 0, 1, 1 }, { &units[1], 1, 0, 1 },
		{ &units[2], 4, 1, 1 }, { &units[3], 9, 1, 1 },
	};
	struct lu_view *a, *b, *c;

	units_reset();
	a = make(old, ARRAY_LEN(old));
	b = make(new, ARRAY_LEN(new));
	c = make(weaker, ARRAY_LEN(weaker));
	ck_assert(differ(a, b, "0 classes, 1 other, 3 came, 4 went, 12 came"));
	ck_assert(differ(b, a, "0 classes, 1 other, 3 went, 4 came, 12 went"));
	ck_assert(!differ(a, a, ""));
	ck_assert(!differ(a, c, "1 classes"));
	ck_assert(differ(NULL, c, "0 came, 1 came, 4 came, 9 came"));
	ck_assert(differ(c, NULL, "0 went, 1 went, 4 went, 9 went"));
	ck_assert(!differ(NULL, NULL, ""));
	lu_view_unref(a);
	lu_view_unref(b);
	lu_view_unref(c);
	units_check();
}
END_TEST

/* ------ REPORT LUNS ------ */

START_TEST(select_report_chooses)
{
	static const struct lu_view_entry entries[] = {
		{ &units[0], 1, 0, 1 }, { &units[1], 300, 0, 1 },
	};
	static const uint8_t both[] = {
		0, 0, 0, 24, 0, 0, 0, 0,
		0, 1, 0, 0, 0, 0, 0, 0,
		0x41, 0x2c, 0, 0, 0, 0, 0, 0,
		0xc1, 0x01, 0, 0, 0, 0, 0, 0,
	};
	static const uint8_t wanted[] = { 0x00, 0x02, 0x11 }, empty[] = { 0x10, 0x12 };
	struct lu_view *view;
	uint8_t buf[64];
	size_t len;

	units_reset();
	view = make(entries, 2);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		size_t want = wanted[i] == 2 ? 32 : 24;

		ck_assert_int_eq(lu_view_report(view, wanted[i], buf, sizeof(buf), &len), 0);
		ck_assert_uint_eq(len, want);
		ck_assert_uint_eq(be32_get(buf), want - 8);
		ck_assert_mem_eq(buf + 4, both + 4, want - 4);
	}
	for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
		ck_assert_int_eq(lu_view_report(view, empty[i], buf, sizeof(buf), &len), 0);
		ck_assert_uint_eq(len, 8);
		ck_assert_uint_eq(be32_get(buf), 0);
	}
	ck_assert_int_eq(lu_view_report(view, 0x01, buf, sizeof(buf), &len), 0);
	ck_assert_uint_eq(len, 16);
	ck_assert_mem_eq(buf + 8, both + 24, 8);
	for (unsigned int select = 0; select < 256; select++) {
		bool is_known = select <= 2 || (select >= 0x10 && select <= 0x12);

		ck_assert_int_eq(lu_view_report(view, (uint8_t)select, buf, sizeof(buf), &len),
		    is_known ? 0 : -EINVAL);
	}
	/* cut anywhere: the header still counts all, nothing is written behind the end */
	for (size_t size = 0; size <= sizeof(both); size++) {
		memset(buf, 0xa5, sizeof(buf));
		ck_assert_int_eq(lu_view_report(view, 0x02, buf, size, &len), 0);
		ck_assert_uint_eq(len, sizeof(both));
		ck_assert_mem_eq(buf, both, size);
		ck_assert_uint_eq(buf[size], 0xa5);
	}
	lu_view_unref(view);
	units_check();
}
END_TEST

CHECK_MAIN("views", entries_are_found_in_every_form, an_empty_view_is_one,
    refusals_name_the_lun, a_full_view_is_made, differences_come_in_order_of_lun,
    select_report_chooses)
