/* VPD pages built are read back; short pages read as zeros; nothing is read past its end */
#include "check_main.h"
#include "base/bytes.h"
#include "scsi/vpd.h"

#include <errno.h>
#include <string.h>

START_TEST(supported_pages_are_sorted)
{
	static const uint8_t pages[] = { 0xb0, 0x00, 0x83, 0x80, 0x83 };
	static const uint8_t want[] = { 0x00, 0x00, 0x00, 0x04, 0x00, 0x80, 0x83, 0xb0 };
	uint8_t buf[VPD_PAGE_MAX], back[256];
	size_t n, len = vpd_build_supported(0, pages, sizeof(pages), buf, sizeof(buf));

	ck_assert_uint_eq(len, sizeof(want));
	ck_assert_mem_eq(buf, want, len);
	ck_assert_int_eq(vpd_parse_supported(buf, len, back, &n), 0);
	ck_assert_uint_eq(n, 4);
	ck_assert_mem_eq(back, want + 4, 4);
	ck_assert_int_eq(vpd_parse_supported(buf, 6, back, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(vpd_parse_supported(buf, 3, back, &n), -EBADMSG);
}
END_TEST

START_TEST(serial_round_trips)
{
	uint8_t buf[VPD_PAGE_MAX];
	char serial[64], tiny[4];
	size_t len = vpd_build_serial(0, "  XY-0042 ", buf, sizeof(buf));

	ck_assert_uint_eq(len, 14);
	ck_assert_int_eq(vpd_parse_serial(buf, len, serial, sizeof(serial)), 0);
	ck_assert_str_eq(serial, "XY-0042");
	ck_assert_int_eq(vpd_parse_serial(buf, len, tiny, sizeof(tiny)), 0);
	ck_assert_str_eq(tiny, "XY-");
	ck_assert_int_eq(vpd_parse_serial(buf, 8, serial, sizeof(serial)), 0);
	ck_assert_str_eq(serial, "XY");
	buf[1] = 0x83;
	ck_assert_int_eq(vpd_parse_serial(buf, len, serial, sizeof(serial)), -EBADMSG);
}
END_TEST

START_TEST(limits_round_trip)
{
	struct vpd_limits l = { .wsnz = true, .max_compare = 255, .xfer_granularity = 8,
		.max_xfer = 65536, .opt_xfer = 256, .max_prefetch = 7, .max_unmap = 0x100000,
		.max_unmap_descr = 256, .unmap_granularity = 8, .unmap_alignment = 3,
		.has_unmap_alignment = true, .max_write_same = 1ull << 33, .max_atomic = 64,
		.atomic_alignment = 2, .atomic_granularity = 4, .max_atomic_boundary = 16,
		.max_atomic_boundary_size = 32 }, back;
	uint8_t buf[64];

	ck_assert_uint_eq(vpd_build_limits(0, &l, buf, sizeof(buf)), 64);
	ck_assert_uint_eq(buf[3], 0x3c);
	ck_assert_uint_eq(be32_get(buf + 32), 0x80000003);
	ck_assert_int_eq(vpd_parse_limits(buf, 64, &back), 0);
	ck_assert_uint_eq(back.max_write_same, l.max_write_same);
	ck_assert_uint_eq(back.unmap_alignment, 3);
	ck_assert(back.has_unmap_alignment && back.wsnz);
	ck_assert_uint_eq(back.max_compare, 255);
	ck_assert_uint_eq(back.xfer_granularity, 8);
	ck_assert_uint_eq(back.max_xfer, 65536);
	ck_assert_uint_eq(back.opt_xfer, 256);
	ck_assert_uint_eq(back.max_prefetch, 7);
	ck_assert_uint_eq(back.max_unmap, 0x100000);
	ck_assert_uint_eq(back.max_unmap_descr, 256);
	ck_assert_uint_eq(back.unmap_granularity, 8);
	ck_assert_uint_eq(back.max_atomic, 64);
	ck_assert_uint_eq(back.atomic_alignment, 2);
	ck_assert_uint_eq(back.atomic_granularity, 4);
	ck_assert_uint_eq(back.max_atomic_boundary, 16);
	ck_assert_uint_eq(back.max_atomic_boundary_size, 32);
	buf[3] = 8;	/* the short form of older disks */
	ck_assert_int_eq(vpd_parse_limits(buf, 64, &back), 0);
	ck_assert_uint_eq(back.max_xfer, 65536);
	ck_assert_uint_eq(back.opt_xfer, 0);
	ck_assert_uint_eq(back.max_write_same, 0);
}
END_TEST

START_TEST(character_and_thin_round_trip)
{
	struct vpd_character c = { .rotation_rate = 1, .product_type = 2, .form_factor = 3,
		.wabereq = 2, .wacereq = 1, .fuab = true, .vbuls = true }, c2;
	struct vpd_thin t = { .threshold_exponent = 9, .lbpu = true, .lbpws = true,
		.lbpws10 = true, .lbprz = 1, .anc_sup = true, .provisioning = 2 }, t2;
	static const uint8_t thin[8] = { 0, 0xb2, 0, 4, 9, 0xe6, 2, 0 };
	uint8_t buf[64];

	ck_assert_uint_eq(vpd_build_character(0, &c, buf, sizeof(buf)), 64);
	ck_assert_uint_eq(buf[7], 0x93);
	ck_assert_int_eq(vpd_parse_character(buf, 64, &c2), 0);
	ck_assert_int_eq(memcmp(&c, &c2, offsetof(struct vpd_character, vbuls) + 1), 0);
	ck_assert_uint_eq(vpd_build_thin(0, &t, buf, sizeof(buf)), 8);
	ck_assert_mem_eq(buf, thin, 8);
	ck_assert_int_eq(vpd_parse_thin(buf, 8, &t2), 0);
	ck_assert_int_eq(memcmp(&t, &t2, sizeof(t)), 0);
}
END_TEST

/* each flag alone: two that share a bit, or a wrong bit, would show */
START_TEST(extended_flags_round_trip)
{
	uint8_t bytes[64];

	for (unsigned bit = 0; bit < 10 * 8; bit++) {
		uint8_t page[64] = { 0, 0x86, 0, 60 };
		struct vpd_extended e;

		page[4 + bit / 8] = (uint8_t)(1u << bit % 8);
		ck_assert_int_eq(vpd_parse_extended(page, 64, &e), 0);
		ck_assert_uint_eq(vpd_build_extended(0, &e, bytes, sizeof(bytes)), 64);
		/* a bit that is not kept reads as nothing, never as another */
		ck_assert(memcmp(bytes, page, 64) == 0 || bytes[4 + bit / 8] == 0);
	}
	ck_assert_uint_eq(vpd_build_extended(0,
			      &(struct vpd_extended){.simpsup = true,
				  .headsup = true,
				  .ordsup = true,
				  .v_sup = true,
				  .max_sense_len = 252},
			      bytes, 64),
	    64);
	ck_assert_uint_eq(bytes[5], 0x07);
	ck_assert_uint_eq(bytes[6], 0x01);
	ck_assert_uint_eq(bytes[13], 252);
}
END_TEST

START_TEST(builders_refuse_small_buffers)
{
	uint8_t buf[64], page = 0;
	char long_serial[VPD_SERIAL_MAX + 2];

	memset(long_serial, 'x', sizeof(long_serial));
	long_serial[sizeof(long_serial) - 1] = '\0';
	ck_assert_uint_eq(vpd_build_limits(0, &(struct vpd_limits){ 0 }, buf, 63), 0);
	ck_assert_uint_eq(vpd_build_extended(0, &(struct vpd_extended){ 0 }, buf, 63), 0);
	ck_assert_uint_eq(vpd_build_character(0, &(struct vpd_character){ 0 }, buf, 63), 0);
	ck_assert_uint_eq(vpd_build_thin(0, &(struct vpd_thin){ 0 }, buf, 7), 0);
	ck_assert_uint_eq(vpd_build_supported(0, &page, 1, buf, 4), 0);
	ck_assert_uint_eq(vpd_build_serial(0, "abc", buf, 6), 0);
	ck_assert_uint_eq(vpd_build_serial(0, long_serial, buf, sizeof(buf)), 0);
}
END_TEST

START_TEST(every_cut_is_safe)
{
	struct vpd_limits l;
	struct vpd_extended e;
	struct vpd_character c;
	struct vpd_thin t;
	char serial[8];
	size_t n;
	uint8_t pages[256];

	for (size_t cut = 0; cut < 64; cut++) {
		uint8_t *part = malloc(cut + (cut == 0));
		int want = cut < 4 ? -EBADMSG : 0;

		memset(part, 0xff, cut);
#define READS(code, call)                                                      \
	do {                                                                   \
		if (cut > 1)                                                   \
			part[1] = (code);                                      \
		ck_assert_int_eq((call), want);                                \
	} while (0)
		READS(0xb0, vpd_parse_limits(part, cut, &l));
		READS(0x86, vpd_parse_extended(part, cut, &e));
		READS(0xb1, vpd_parse_character(part, cut, &c));
		READS(0xb2, vpd_parse_thin(part, cut, &t));
		READS(0x80, vpd_parse_serial(part, cut, serial, sizeof(serial)));
		READS(0x00, vpd_parse_supported(part, cut, pages, &n));
#undef READS
		free(part);
	}
}
END_TEST

START_TEST(pages_have_names)
{
	static const uint8_t codes[] = { 0x00, 0x80, 0x83, 0x86, 0x87, 0x8f, 0xb0, 0xb1, 0xb2 };

	for (size_t i = 0; i < sizeof(codes); i++)
		ck_assert_ptr_nonnull(vpd_page_name(codes[i]));
	ck_assert_ptr_null(vpd_page_name(0xfe));
}
END_TEST

CHECK_MAIN("scsi vpd", supported_pages_are_sorted, serial_round_trips, limits_round_trip,
    character_and_thin_round_trip, extended_flags_round_trip, builders_refuse_small_buffers,
    every_cut_is_safe, pages_have_names)
