/* standard INQUIRY data round trips; short and lying data reads as far as it reaches */
#include "check_main.h"
#include "scsi/inquiry.h"

#include <errno.h>
#include <string.h>

static const struct inq_std disk = {
	.qualifier = INQ_QUAL_CONNECTED, .type = INQ_TYPE_DISK, .version = INQ_VERSION_SPC4,
	.format = 2, .tpgs = 3, .is_removable = true, .has_hisup = true, .has_3pc = true,
	.has_multip = true, .has_cmdque = true, .n_versions = 4,
	.versions = { INQ_STANDARD_SAM5, INQ_STANDARD_SPC4, INQ_STANDARD_SBC3,
	    INQ_STANDARD_ISCSI },
	.vendor = "SCSAD", .product = "SOFT DISK", .revision = "0001",
};

START_TEST(it_round_trips)
{
	uint8_t buf[INQ_STD_LEN];
	struct inq_std back;

	ck_assert_uint_eq(inq_build_std(&disk, buf), INQ_STD_LEN);
	ck_assert_int_eq(inq_parse_std(buf, sizeof(buf), &back), 0);
	ck_assert_int_eq(memcmp(&back.qualifier, &disk.qualifier, 5), 0);
	ck_assert(back.is_removable && back.has_hisup && back.has_3pc && back.has_multip);
	ck_assert(back.has_cmdque && !back.has_aca && !back.has_protect && !back.has_encserv);
	ck_assert_uint_eq(back.n_versions, 4);
	ck_assert_mem_eq(back.versions, disk.versions, sizeof(disk.versions));
	ck_assert_str_eq(back.vendor, "SCSAD");
	ck_assert_str_eq(back.product, "SOFT DISK");
	ck_assert_str_eq(back.revision, "0001");
}
END_TEST

START_TEST(bytes_as_in_the_standard)
{
	static const uint8_t head[16] = {0x00, 0x80, 0x06, 0x12, 0x5b, 0x38, 0x10, 0x02, 'S',
	    'C', 'S', 'A', 'D', ' ', ' ', ' '};
	static const uint8_t versions[10] = { 0x00, 0xa0, 0x04, 0x60, 0x04, 0xc0, 0x09, 0x60 };
	uint8_t buf[INQ_STD_LEN];

	inq_build_std(&disk, buf);
	ck_assert_mem_eq(buf, head, 16);
	ck_assert_mem_eq(buf + 32, "0001", 4);
	ck_assert_mem_eq(buf + 58, versions, 10);
}
END_TEST

START_TEST(long_strings_are_cut)
{
	struct inq_std inq = disk, back;
	uint8_t buf[INQ_STD_LEN];

	memset(inq.vendor, 'v', sizeof(inq.vendor));	/* not even NUL-ended */
	memcpy(inq.product, "0123456789abcdef", 17);
	inq_build_std(&inq, buf);
	ck_assert_int_eq(inq_parse_std(buf, sizeof(buf), &back), 0);
	ck_assert_str_eq(back.vendor, "vvvvvvvv");
	ck_assert_str_eq(back.product, "0123456789abcdef");
}
END_TEST

START_TEST(every_cut_is_safe)
{
	uint8_t whole[INQ_STD_LEN];

	inq_build_std(&disk, whole);
	for (size_t cut = 1; cut < INQ_STD_LEN; cut++) {
		uint8_t *part = malloc(cut);
		struct inq_std back;

		memcpy(part, whole, cut);
		ck_assert_int_eq(inq_parse_std(part, cut, &back), cut < 5 ? -EBADMSG : 0);
		if (cut >= 5)
			ck_assert_uint_eq(back.version, disk.version);
		if (cut >= 5 && cut <= 8)
			ck_assert_str_eq(back.vendor, "");
		if (cut >= 36)
			ck_assert_str_eq(back.revision, "0001");
		free(part);
	}
}
END_TEST

START_TEST(additional_length_bounds_belief)
{
	uint8_t buf[INQ_STD_LEN];
	struct inq_std back;

	inq_build_std(&disk, buf);
	buf[4] = 31;	/* 36 bytes: the versions behind are rubbish */
	ck_assert_int_eq(inq_parse_std(buf, sizeof(buf), &back), 0);
	ck_assert_uint_eq(back.n_versions, 0);
	ck_assert_str_eq(back.revision, "0001");
	buf[8] = 0x1b;
	ck_assert_int_eq(inq_parse_std(buf, sizeof(buf), &back), 0);
	ck_assert_str_eq(back.vendor, ".CSAD");
}
END_TEST

START_TEST(types_have_names)
{
	for (unsigned type = 0; type < 256; type++) {
		ck_assert_ptr_nonnull(inq_type_name((uint8_t)type));
		ck_assert_ptr_nonnull(inq_node_name((uint8_t)type));
	}
	ck_assert_str_eq(inq_type_name(INQ_TYPE_DISK), "disk");
	ck_assert_str_eq(inq_node_name(INQ_TYPE_CD), "cdrom");
	ck_assert_str_eq(inq_node_name(INQ_TYPE_UNKNOWN), "unknown");
	ck_assert_str_eq(inq_standard_name(0x0463), "SPC-4");
	ck_assert_ptr_null(inq_standard_name(0xffff));
	for (size_t i = 0; i < disk.n_versions; i++)
		ck_assert_ptr_nonnull(inq_standard_name(disk.versions[i]));
	ck_assert_str_eq(inq_standard_name(INQ_STANDARD_SAM3), "SAM-3");
	ck_assert_str_eq(inq_standard_name(INQ_STANDARD_SAM4), "SAM-4");
	ck_assert_str_eq(inq_standard_name(INQ_STANDARD_SPC3), "SPC-3");
	ck_assert_str_eq(inq_standard_name(INQ_STANDARD_SBC2), "SBC-2");
}
END_TEST

CHECK_MAIN("scsi inquiry", it_round_trips, bytes_as_in_the_standard, long_strings_are_cut,
    every_cut_is_safe, additional_length_bounds_belief, types_have_names)
