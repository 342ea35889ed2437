/* MODE SENSE data of both sizes: headers, descriptors, page control, refusals */
#include "check_main.h"
#include "base/bytes.h"
#include "scsi/mode.h"

#include <errno.h>
#include <string.h>

static const uint8_t caching_dflt[20] = { 0x08, 0x12, 0x04 };
static const uint8_t caching_mask[20] = { 0, 0, 0x04 };
static const uint8_t control_dflt[12] = { 0x0a, 0x0a, 0x02 };
static const uint8_t control_mask[12] = { 0, 0, 0x04, 0, 0x08 };
static const uint8_t ext_dflt[8] = { 0x4a, 0x01, 0, 4, 0x07 };
static const uint8_t ext_mask[8];
static uint8_t caching[20], caching_saved[20], control[12], ext[8];

static const struct modepage pages[] = {
	{ 0x08, 0, 20, caching_dflt, caching_mask, caching, caching_saved },
	{ 0x0a, 0, 12, control_dflt, control_mask, control, NULL },
	{ 0x0a, 1, 8, ext_dflt, ext_mask, ext, NULL },
};

static const struct mode_unit unit = { .device_specific = MODE_DSP_DPOFUA, .has_bd = true,
	.blocks = 1ull << 33, .block_size = 512 };

static void
setup(void)
{
	memcpy(caching, caching_dflt, 20);
	memcpy(caching_saved, caching_dflt, 20);
	memcpy(control, control_dflt, 12);
	memcpy(ext, ext_dflt, 8);
	caching[2] = 0x00;
}

static size_t
build(const struct mode_request *req, uint8_t *buf, size_t size)
{
	struct sense_data s;
	size_t len = 0;

	ck_assert_int_eq(
	    mode_sense_build(req, &unit, pages, ARRAY_LEN(pages), buf, size, &len, &s), 0);
	return len;
}

START_TEST(six_and_ten_bytes)
{
	static const uint8_t want6[12] = { 43, 0, 0x10, 8, 0xff, 0xff, 0xff, 0xff, 0, 0, 2, 0 };
	static const uint8_t want10[24] = {
	    0, 42, 0, 0x10, 1, 0, 0, 16, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0};
	struct mode_request req = { .page = MODE_ALL };
	uint8_t buf[256];

	setup();
	ck_assert_uint_eq(build(&req, buf, sizeof(buf)), 44);
	ck_assert_mem_eq(buf, want6, 12);
	ck_assert_uint_eq(buf[12], 0x88);	/* PS: it can be saved */
	ck_assert_uint_eq(buf[14], 0x00);
	ck_assert_uint_eq(buf[32], 0x0a);
	req = (struct mode_request){ .is_10 = true, .want_long_lba = true, .page = 8 };
	ck_assert_uint_eq(build(&req, buf, sizeof(buf)), 44);
	ck_assert_mem_eq(buf, want10, 24);
	req.want_dbd = true;
	req.subpage = 0xff;
	req.page = MODE_ALL;
	ck_assert_uint_eq(build(&req, buf, sizeof(buf)), 8 + 20 + 12 + 8);
	ck_assert_uint_eq(be16_get(buf + 6), 0);
	ck_assert_uint_eq(buf[4], 0);
}
END_TEST

START_TEST(page_control)
{
	struct mode_request req = { .page = 8, .want_dbd = true, .pc = MODE_PC_CHANGEABLE };
	uint8_t buf[64];

	setup();
	build(&req, buf, sizeof(buf));
	ck_assert_uint_eq(buf[5], 0x12);	/* header bytes stay those of the page */
	ck_assert_uint_eq(buf[6], 0x04);
	ck_assert_uint_eq(buf[7], 0x00);
	req.pc = MODE_PC_DEFAULT;
	build(&req, buf, sizeof(buf));
	ck_assert_uint_eq(buf[6], 0x04);
	req.pc = MODE_PC_CURRENT;
	build(&req, buf, sizeof(buf));
	ck_assert_uint_eq(buf[6], 0x00);
	req.pc = MODE_PC_SAVED;
	build(&req, buf, sizeof(buf));
	ck_assert_uint_eq(buf[6], 0x04);
}
END_TEST

START_TEST(refusals_point_at_the_field)
{
	static const struct {
		struct mode_request req;
		uint16_t asc, byte;
	} cases[] = {
		{ { .page = 0x1c }, ASC_INVALID_FIELD_IN_CDB, 2 },
		{ { .page = 0x0a, .subpage = 7 }, ASC_INVALID_FIELD_IN_CDB, 3 },
		{ { .page = MODE_ALL, .subpage = 7 }, ASC_INVALID_FIELD_IN_CDB, 3 },
		{ { .page = 0x0a, .pc = MODE_PC_SAVED }, ASC_SAVING_NOT_SUPPORTED, 0 },
		{ { .page = MODE_ALL, .pc = MODE_PC_SAVED }, ASC_SAVING_NOT_SUPPORTED, 0 },
	};
	uint8_t buf[256];

	setup();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sense_data s = { 0 };
		size_t len = 77;

		ck_assert_int_eq(mode_sense_build(&cases[i].req, &unit, pages, ARRAY_LEN(pages),
				     buf, sizeof(buf), &len, &s),
		    -EINVAL);
		ck_assert_uint_eq(len, 77);
		ck_assert_uint_eq(s.key, SENSE_ILLEGAL_REQUEST);
		ck_assert_uint_eq(s.asc, cases[i].asc);
		ck_assert_uint_eq(s.sks_value, cases[i].byte);
	}
}
END_TEST

START_TEST(small_buffers_are_refused)
{
	struct mode_request req = { .page = MODE_ALL };
	struct sense_data s;
	size_t len;

	setup();
	for (size_t size = 0; size < 44; size++) {
		uint8_t *buf = malloc(size + (size == 0));

		ck_assert_int_eq(
		    mode_sense_build(&req, &unit, pages, ARRAY_LEN(pages), buf, size, &len, &s),
		    -ENOSPC);
		free(buf);
	}
}
END_TEST

START_TEST(six_bytes_tell_at_most_256)
{
	static uint8_t big[257] = { 0x30, 255 };
	static const uint8_t zeros[257];
	struct modepage page = { 0x30, 0, 257, big, zeros, big, NULL };
	struct mode_request req = { .page = 0x30, .want_dbd = true };
	struct sense_data s;
	uint8_t buf[300];
	size_t len;

	ck_assert_int_eq(mode_sense_build(&req, &unit, &page, 1, buf, sizeof(buf), &len, &s),
	    -ENOSPC);
	req.is_10 = true;
	ck_assert_int_eq(
	    mode_sense_build(&req, &unit, &page, 1, buf, sizeof(buf), &len, &s), 0);
	ck_assert_uint_eq(len, 265);
}
END_TEST

START_TEST(requests_are_decoded)
{
	static const uint8_t six[6] = { 0x1a, 0x08, 0xca, 0x01, 0xff, 0 };
	static const uint8_t ten[10] = { 0x5a, 0x10, 0x3f, 0xff, 0, 0, 0, 1, 0, 0 };
	struct mode_request r = mode_request_decode(six);

	ck_assert(!r.is_10 && r.want_dbd && !r.want_long_lba);
	ck_assert(r.pc == MODE_PC_SAVED && r.page == 0x0a && r.subpage == 1);
	r = mode_request_decode(ten);
	ck_assert(r.is_10 && !r.want_dbd && r.want_long_lba);
	ck_assert(r.pc == MODE_PC_CURRENT && r.page == MODE_ALL && r.subpage == 0xff);
}
END_TEST

START_TEST(what_was_built_is_walked)
{
	struct mode_request req = { .is_10 = true, .want_long_lba = true, .page = MODE_ALL,
		.subpage = 0xff };
	uint8_t buf[256];
	struct mode_walk walk;
	struct mode_view v;
	struct modehdr h;
	size_t len;

	setup();
	len = build(&req, buf, sizeof(buf));
	ck_assert_int_eq(mode_hdr_parse(buf, sizeof(buf), true, &h), 0);
	ck_assert_uint_eq(h.data_len, len);
	ck_assert(h.has_bd && h.has_long_lba);
	ck_assert_uint_eq(h.blocks, unit.blocks);
	ck_assert_uint_eq(h.block_size, 512);
	ck_assert_uint_eq(h.device_specific, MODE_DSP_DPOFUA);
	/* bytes behind MODE DATA LENGTH are no pages */
	ck_assert_int_eq(mode_walk_begin(buf, sizeof(buf), true, &walk), 0);
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		ck_assert_int_eq(mode_walk_next(&walk, &v), 1);
		ck_assert_uint_eq(v.code, pages[i].code);
		ck_assert_uint_eq(v.subcode, pages[i].subcode);
		ck_assert_uint_eq(v.len, pages[i].len);
		ck_assert_int_eq(v.is_savable, pages[i].saved != NULL);
	}
	ck_assert_int_eq(mode_walk_next(&walk, &v), 0);
}
END_TEST

START_TEST(every_cut_is_safe)
{
	for (int is_10 = 0; is_10 < 2; is_10++) {
		struct mode_request req = { .is_10 = is_10, .page = MODE_ALL, .subpage = 0xff };
		uint8_t buf[256];
		size_t len;

		setup();
		len = build(&req, buf, sizeof(buf));
		for (size_t cut = 0; cut < len; cut++) {
			uint8_t *part = malloc(cut + (cut == 0));
			struct mode_walk walk;
			struct mode_view v;
			size_t n = 0;
			int r;

			memcpy(part, buf, cut);
			r = mode_walk_begin(part, cut, is_10, &walk);
			ck_assert_int_eq(r, cut < (is_10 ? 16 : 12) ? -EBADMSG : 0);
			while (r == 0 && mode_walk_next(&walk, &v) == 1)
				n++;
			ck_assert_uint_lt(n, 3);
			free(part);
		}
	}
}
END_TEST

START_TEST(fields_are_read_and_written)
{
	uint8_t page[12] = { 0x0a, 0x0a, 0xff };

	ck_assert_uint_eq(mode_field_get(page, 12, 2, 1, 0xe0), 7);
	ck_assert(mode_field_put(page, 12, 2, 1, 0xe0, 2));
	ck_assert_uint_eq(page[2], 0x5f);
	ck_assert(!mode_field_put(page, 12, 2, 1, 0xe0, 8));
	ck_assert(mode_field_put(page, 12, 8, 2, 0xffff, 0x1234));
	ck_assert_uint_eq(be16_get(page + 8), 0x1234);
	ck_assert(mode_field_put(page, 12, 4, 8, UINT64_MAX, UINT64_MAX));
	ck_assert_uint_eq(mode_field_get(page, 12, 4, 8, UINT64_MAX), UINT64_MAX);
	ck_assert(!mode_field_put(page, 12, 11, 2, 0xff, 1));
	ck_assert(!mode_field_put(page, 12, 0, 9, 0xff, 1));
	ck_assert(!mode_field_put(page, 12, 0, 1, 0x100, 1));
	ck_assert(!mode_field_put(page, 12, 0, 1, 0, 0));
	ck_assert_uint_eq(mode_field_get(page, 12, 12, 1, 0xff), 0);
	ck_assert_uint_eq(mode_field_get(page, 12, SIZE_MAX, 1, 0xff), 0);
	ck_assert_uint_eq(mode_field_get(page, 12, 0, 1, 0), 0);
}
END_TEST

START_TEST(pages_have_names)
{
	ck_assert_str_eq(mode_page_name(0x08, 0), "Caching");
	ck_assert_ptr_nonnull(mode_page_name(0x0a, 1));
	ck_assert_ptr_null(mode_page_name(0x0a, 0x77));
}
END_TEST

CHECK_MAIN("scsi mode sense", six_and_ten_bytes, page_control, refusals_point_at_the_field,
    small_buffers_are_refused, six_bytes_tell_at_most_256, requests_are_decoded,
    what_was_built_is_walked, every_cut_is_safe, fields_are_read_and_written, pages_have_names)
