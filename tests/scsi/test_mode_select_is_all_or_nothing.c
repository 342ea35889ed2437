/* MODE SELECT: good lists change pages, bad ones change nothing and point at the field */
#include "check_main.h"
#include "scsi/mode.h"

#include <errno.h>
#include <string.h>

static const uint8_t caching_dflt[20] = { 0x08, 0x12, 0x04 };
static const uint8_t caching_mask[20] = { 0, 0, 0x04 };
static const uint8_t control_dflt[12] = { 0x0a, 0x0a, 0x02 };
static const uint8_t control_mask[12] = { 0, 0, 0x04, 0, 0x08 };
static const uint8_t ext_dflt[8] = { 0x4a, 0x01, 0, 4, 0x07 };
static const uint8_t ext_mask[8] = { 0, 0, 0, 0, 0x01 };
static uint8_t caching[20], caching_saved[20], control[12], ext[8];

static const struct modepage pages[] = {
	{ 0x08, 0, 20, caching_dflt, caching_mask, caching, caching_saved },
	{ 0x0a, 0, 12, control_dflt, control_mask, control, NULL },
	{ 0x0a, 1, 8, ext_dflt, ext_mask, ext, NULL },
};

static const struct mode_unit unit = { .has_bd = true, .blocks = 2048, .block_size = 512 };

static void
setup(void)
{
	memcpy(caching, caching_dflt, 20);
	memcpy(caching_saved, caching_dflt, 20);
	memcpy(control, control_dflt, 12);
	memcpy(ext, ext_dflt, 8);
}

static void
assert_untouched(void)
{
	ck_assert_mem_eq(caching, caching_dflt, 20);
	ck_assert_mem_eq(caching_saved, caching_dflt, 20);
	ck_assert_mem_eq(control, control_dflt, 12);
	ck_assert_mem_eq(ext, ext_dflt, 8);
}

static int
apply(const struct mode_select *sel, const void *list, size_t len, uint64_t *changed,
    struct sense_data *s)
{
	uint8_t *copy = calloc(1, len + (len == 0)); /* exactly sized: the sanitizer watches */
	int r;

	memcpy(copy, list, len);
	r = mode_select_apply(sel, copy, len, pages, ARRAY_LEN(pages), changed, s);
	free(copy);
	return r;
}

/* header(6), descriptor, caching with WCE off, control with D_SENSE on */
static const uint8_t list6[4 + 8 + 20 + 12] = { 0, 0, 0, 8, 0, 0, 8, 0, 0, 0, 2, 0,
	0x88, 0x12, 0x00, [32] = 0x0a, 0x0a, 0x06 };

START_TEST(a_good_list_changes_pages)
{
	struct mode_select sel = { .unit = &unit };
	struct sense_data s;
	uint64_t changed = 0;

	setup();
	ck_assert_int_eq(apply(&sel, list6, sizeof(list6), &changed, &s), 0);
	ck_assert_uint_eq(changed, 0x3);
	ck_assert_uint_eq(caching[2], 0);
	ck_assert_uint_eq(control[2], 0x06);
	ck_assert_uint_eq(caching[0], 0x08);	/* the PS bit sent is not kept */
	ck_assert_mem_eq(caching_saved, caching_dflt, 20);
	ck_assert_int_eq(apply(&sel, list6, sizeof(list6), &changed, &s), 0);
	ck_assert_uint_eq(changed, 0);
}
END_TEST

START_TEST(an_empty_list_is_good)
{
	struct mode_select sel = { .unit = &unit };
	static const uint8_t header[4];
	struct sense_data s;
	uint64_t changed = 9;

	setup();
	ck_assert_int_eq(apply(&sel, "", 0, &changed, &s), 0);
	ck_assert_uint_eq(changed, 0);
	ck_assert_int_eq(apply(&sel, header, 4, &changed, &s), 0);
	assert_untouched();
}
END_TEST

START_TEST(saving)
{
	static const uint8_t save[8 + 20] = { [8] = 0x08, 0x12, 0x00 };
	struct mode_select sel = { .is_10 = true, .want_save = true, .unit = &unit };
	struct sense_data s;
	uint64_t changed;

	setup();
	ck_assert_int_eq(apply(&sel, save, sizeof(save), &changed, &s), 0);
	ck_assert_uint_eq(caching[2], 0);
	ck_assert_uint_eq(caching_saved[2], 0);
	setup();
	sel.is_10 = false;
	ck_assert_int_eq(apply(&sel, list6, sizeof(list6), &changed, &s), -EINVAL);
	ck_assert_uint_eq(s.asc, ASC_INVALID_FIELD_IN_CDB);	/* Control cannot be saved */
	ck_assert_uint_eq(s.sks_value, 1);
	assert_untouched();
}
END_TEST

/* cut anywhere but between pages: refused, nothing changed */
START_TEST(every_cut_is_refused)
{
	struct mode_select sel = { .unit = &unit };

	for (size_t cut = 1; cut < sizeof(list6); cut++) {
		struct sense_data s = { 0 };
		uint64_t changed;
		int r;

		setup();
		r = apply(&sel, list6, cut, &changed, &s);
		if (cut == 12 || cut == 32) {
			ck_assert_int_eq(r, 0);
			continue;
		}
		ck_assert_int_eq(r, -EINVAL);
		ck_assert_uint_eq(s.asc, ASC_PARAMETER_LIST_LENGTH);
		assert_untouched();
	}
}
END_TEST

START_TEST(refusals_point_at_the_field)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t value;
		uint16_t byte;
		int bit;
		uint16_t asc;
	} cases[] = {
	    {"medium type", 1, 1, 1, -1, ASC_INVALID_FIELD_IN_LIST},
	    {"descriptor length", 3, 16, 3, -1, ASC_INVALID_FIELD_IN_LIST},
	    {"blocks", 7, 1, 4, -1, ASC_INVALID_FIELD_IN_LIST},
	    {"block size", 10, 4, 9, -1, ASC_INVALID_FIELD_IN_LIST},
	    {"unknown page", 32, 0x1c, 32, 5, ASC_INVALID_FIELD_IN_LIST},
	    {"sub_page format, which runs past the list", 32, 0x4a, 0, -1,
		ASC_PARAMETER_LIST_LENGTH},
	    {"page length", 13, 0x0a, 13, -1, ASC_INVALID_FIELD_IN_LIST},
	    {"bit that cannot change", 34, 0x22, 34, 5, ASC_INVALID_FIELD_IN_LIST},
	    {"byte that cannot change", 40, 0x81, 40, 7, ASC_INVALID_FIELD_IN_LIST},
	};
	struct mode_select sel = { .unit = &unit };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t list[sizeof(list6)];
		struct sense_data s = { 0 };
		uint64_t changed = 5;

		setup();
		memcpy(list, list6, sizeof(list));
		list[cases[i].at] = cases[i].value;
		ck_assert_int_eq(apply(&sel, list, sizeof(list), &changed, &s), -EINVAL);
		ck_assert_uint_eq(changed, 5);
		assert_untouched();
		ck_assert_uint_eq(s.key, SENSE_ILLEGAL_REQUEST);
		ck_assert_msg(s.asc == cases[i].asc, "%s: %04x", cases[i].what, s.asc);
		ck_assert_msg(
		    s.sks_value == cases[i].byte, "%s: byte %u", cases[i].what, s.sks_value);
		ck_assert_msg(
		    (s.sks_has_bit ? s.sks_bit : -1) == cases[i].bit, "%s", cases[i].what);
	}
}
END_TEST

START_TEST(long_descriptors_and_reserved_bits)
{
	static const uint8_t good[8 + 16] = {
	    0, 0, 0, 0, 1, 0, 0, 16, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 2, 0};
	struct mode_select sel = { .is_10 = true, .unit = &unit };
	uint8_t list[sizeof(good)];
	struct sense_data s;
	uint64_t changed;

	setup();
	ck_assert_int_eq(apply(&sel, good, sizeof(good), &changed, &s), 0);
	memcpy(list, good, sizeof(list));
	memset(list + 8, 0xff, 8);
	ck_assert_int_eq(apply(&sel, list, sizeof(list), &changed, &s), 0);
	list[22] = 4;
	ck_assert_int_eq(apply(&sel, list, sizeof(list), &changed, &s), -EINVAL);
	ck_assert_uint_eq(s.sks_value, 20);
	list[4] = 0x41;
	ck_assert_int_eq(apply(&sel, list, sizeof(list), &changed, &s), -EINVAL);
	ck_assert_uint_eq(s.sks_value, 4);
	ck_assert_uint_eq(s.sks_bit, 6);
}
END_TEST

START_TEST(sub_pages_change_too)
{
	static const uint8_t good[4 + 8] = { 0, 0, 0, 0, 0x4a, 0x01, 0, 4, 0x06 };
	static const uint8_t unknown[4 + 8] = { 0, 0, 0, 0, 0x4a, 0x02, 0, 4, 0x06 };
	struct mode_select sel = { .unit = &unit };
	struct sense_data s;
	uint64_t changed;

	setup();
	ck_assert_int_eq(apply(&sel, unknown, sizeof(unknown), &changed, &s), -EINVAL);
	ck_assert_uint_eq(s.sks_value, 4);
	ck_assert_int_eq(apply(&sel, good, sizeof(good), &changed, &s), 0);
	ck_assert_uint_eq(changed, 0x4);
	ck_assert_uint_eq(ext[4], 0x06);
}
END_TEST

static bool
never_two(void *arg, const struct modepage *page, const uint8_t *next, size_t *reterr_byte,
    int *reterr_bit)
{
	unsigned *calls = arg;

	++*calls;
	if (page->code != 0x0a || next[2] != 0x06)
		return true;
	*reterr_byte = 2;
	*reterr_bit = 2;
	return false;
}

START_TEST(the_unit_has_the_last_word)
{
	unsigned calls = 0;
	struct mode_select sel = { .unit = &unit, .check = never_two, .check_arg = &calls };
	struct sense_data s;
	uint64_t changed;

	setup();
	ck_assert_int_eq(apply(&sel, list6, sizeof(list6), &changed, &s), -EINVAL);
	ck_assert_uint_eq(calls, 2);
	ck_assert_uint_eq(s.sks_value, 34);
	ck_assert_uint_eq(s.sks_bit, 2);
	assert_untouched();
}
END_TEST

CHECK_MAIN("scsi mode select", a_good_list_changes_pages, an_empty_list_is_good, saving,
    every_cut_is_refused, refusals_point_at_the_field, long_descriptors_and_reserved_bits,
    sub_pages_change_too, the_unit_has_the_last_word)
