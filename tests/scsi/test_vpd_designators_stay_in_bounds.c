/* page 83h says what it was told, and a walk over a cut or lying page ends inside it */
#include "check_main.h"
#include "scsi/vpd.h"

#include <errno.h>
#include <string.h>

static const struct vpd_ids ids = {
	.t10_vendor = "SCSAD", .t10_id = "disk-7", .unit_name = "eui.0123456789ABCDEF",
	.port_name = "iqn.2024-01.example:a,t,0x0001", .device_name = "iqn.2024-01.example:a",
	.naa = { 0x30, 0, 0, 0, 0, 0, 0, 1 }, .naa_len = 8, .has_eui64 = true,
	.eui64 = 0x0123456789abcdef, .rel_port = 1, .has_tpg = true, .tpg = 2,
	.has_port_protocol = true, .port_protocol = 5,
};

static const struct {
	uint8_t type, assoc, code_set;
	const char *text;
} want[] = {
	{ VPD_DESIG_NAA, VPD_ASSOC_UNIT, VPD_CODE_BINARY, "naa.3000000000000001" },
	{ VPD_DESIG_EUI64, VPD_ASSOC_UNIT, VPD_CODE_BINARY, "eui.0123456789abcdef" },
	{ VPD_DESIG_T10, VPD_ASSOC_UNIT, VPD_CODE_ASCII, "t10.SCSAD   disk-7" },
	{ VPD_DESIG_NAME, VPD_ASSOC_UNIT, VPD_CODE_UTF8, "eui.0123456789ABCDEF" },
	{ VPD_DESIG_REL_PORT, VPD_ASSOC_PORT, VPD_CODE_BINARY, "1" },
	{ VPD_DESIG_TPG, VPD_ASSOC_PORT, VPD_CODE_BINARY, "2" },
	{ VPD_DESIG_NAME, VPD_ASSOC_PORT, VPD_CODE_UTF8, "iqn.2024-01.example:a,t,0x0001" },
	{ VPD_DESIG_NAME, VPD_ASSOC_DEVICE, VPD_CODE_UTF8, "iqn.2024-01.example:a" },
};

START_TEST(designators_round_trip)
{
	uint8_t page[VPD_PAGE_MAX];
	size_t len = vpd_build_ident(0, &ids, page, sizeof(page));
	struct vpd_desig_walk walk;
	struct vpd_desig d;
	char text[64];

	ck_assert_uint_gt(len, 4);
	ck_assert_int_eq(vpd_desig_begin(page, len, &walk), 0);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		ck_assert_int_eq(vpd_desig_next(&walk, &d), 1);
		ck_assert_uint_eq(d.type, want[i].type);
		ck_assert_uint_eq(d.assoc, want[i].assoc);
		ck_assert_uint_eq(d.code_set, want[i].code_set);
		ck_assert_int_eq(d.has_protocol, d.assoc != VPD_ASSOC_UNIT);
		if (d.has_protocol)
			ck_assert_uint_eq(d.protocol, 5);
		if (d.type == VPD_DESIG_NAME)
			ck_assert_uint_eq(d.len % 4, 0);
		ck_assert_str_eq(vpd_desig_format(&d, text, sizeof(text)), want[i].text);
	}
	ck_assert_int_eq(vpd_desig_next(&walk, &d), 0);
}
END_TEST

START_TEST(small_buffers_give_no_page)
{
	uint8_t page[VPD_PAGE_MAX];
	size_t len = vpd_build_ident(0, &ids, page, sizeof(page));

	for (size_t size = 0; size < len; size++) {
		uint8_t *small = malloc(size + (size == 0));

		ck_assert_uint_eq(vpd_build_ident(0, &ids, small, size), 0);
		free(small);
	}
}
END_TEST

START_TEST(unspeakable_values_give_no_page)
{
	char name[256];
	struct vpd_ids bad = { .naa_len = 7 };
	uint8_t page[VPD_PAGE_MAX];

	ck_assert_uint_eq(vpd_build_ident(0, &bad, page, sizeof(page)), 0);
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	bad = (struct vpd_ids){ .unit_name = name };
	ck_assert_uint_eq(vpd_build_ident(0, &bad, page, sizeof(page)), 0);
	name[251] = '\0';
	ck_assert_uint_eq(vpd_build_ident(0, &bad, page, sizeof(page)), 4 + 4 + 252);
	bad = (struct vpd_ids){ .unit_name = "" };
	ck_assert_uint_eq(vpd_build_ident(0, &bad, page, sizeof(page)), 4);
}
END_TEST

START_TEST(every_cut_ends_inside)
{
	uint8_t page[VPD_PAGE_MAX];
	size_t len = vpd_build_ident(0, &ids, page, sizeof(page));

	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut + (cut == 0));
		struct vpd_desig_walk walk;
		struct vpd_desig d;
		int r;

		memcpy(part, page, cut);
		r = vpd_desig_begin(part, cut, &walk);
		ck_assert_int_eq(r, cut < 4 ? -EBADMSG : 0);
		while (r == 0 && (r = vpd_desig_next(&walk, &d)) == 1) {
			char text[32];

			ck_assert(d.data >= part && d.data + d.len <= part + cut);
			vpd_desig_format(&d, text, sizeof(text));
			r = 0;
		}
		free(part);
	}
}
END_TEST

START_TEST(a_designator_past_the_page_is_an_error)
{
	static const uint8_t page[] = { 0, 0x83, 0, 6, 1, 3, 0, 8, 1, 2 };
	static const uint8_t short_one[] = { 0, 0x83, 0, 3, 1, 3, 0 };
	struct vpd_desig_walk walk;
	struct vpd_desig d;

	ck_assert_int_eq(vpd_desig_begin(page, sizeof(page), &walk), 0);
	ck_assert_int_eq(vpd_desig_next(&walk, &d), -EBADMSG);
	ck_assert_int_eq(vpd_desig_begin(short_one, sizeof(short_one), &walk), 0);
	ck_assert_int_eq(vpd_desig_next(&walk, &d), -EBADMSG);
	ck_assert_int_eq(vpd_desig_begin(page, 3, &walk), -EBADMSG);
}
END_TEST

START_TEST(foreign_text_is_escaped_and_cut)
{
	static const uint8_t bytes[] = { 'a', 0x1b, 'b', 0, 'c' };
	struct vpd_desig d = { .code_set = VPD_CODE_UTF8, .type = VPD_DESIG_NAME,
		.data = bytes, .len = sizeof(bytes) };
	char text[32], tiny[8];

	ck_assert_str_eq(vpd_desig_format(&d, text, sizeof(text)), "a\\x1bb");
	d = (struct vpd_desig){ .code_set = VPD_CODE_BINARY, .type = VPD_DESIG_NAA,
		.data = ids.naa, .len = 8 };
	ck_assert_str_eq(vpd_desig_format(&d, tiny, sizeof(tiny)), "naa.30");
	d.type = VPD_DESIG_VENDOR;
	ck_assert_str_eq(vpd_desig_format(&d, text, sizeof(text)), "3000000000000001");
}
END_TEST

START_TEST(naa_values)
{
	static const uint8_t want6[16] = {
	    0x65, 0x89, 0xcf, 0xc0, 0, 0, 0, 0x07, 0, 0, 0, 0, 0, 0, 0, 0x2a};
	uint8_t naa[16];

	vpd_naa3(naa, UINT64_MAX);
	ck_assert_uint_eq(naa[0], 0x3f);
	vpd_naa6(naa, 0x589cfc, 7, 42);
	ck_assert_mem_eq(naa, want6, 16);
}
END_TEST

START_TEST(types_have_names)
{
	for (unsigned type = 0; type < 16; type++)
		ck_assert_ptr_nonnull(vpd_desig_type_name((uint8_t)type));
	for (unsigned assoc = 0; assoc < 4; assoc++)
		ck_assert_ptr_nonnull(vpd_assoc_name((uint8_t)assoc));
	ck_assert_str_eq(vpd_desig_type_name(VPD_DESIG_NAA), "NAA");
	ck_assert_str_eq(vpd_assoc_name(VPD_ASSOC_PORT), "port");
}
END_TEST

CHECK_MAIN("scsi vpd 83", designators_round_trip, small_buffers_give_no_page,
    unspeakable_values_give_no_page, every_cut_ends_inside,
    a_designator_past_the_page_is_an_error, foreign_text_is_escaped_and_cut, naa_values,
    types_have_names)
