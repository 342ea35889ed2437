/* sense data built is sense data read, in both formats; bytes are those of the standards */
#include "check_main.h"
#include "scsi/sense.h"

#include <errno.h>
#include <string.h>

static void
assert_same(const struct sense_data *a, const struct sense_data *b)
{
	ck_assert_uint_eq(a->key, b->key);
	ck_assert_uint_eq(a->asc, b->asc);
	ck_assert_int_eq(a->sks, b->sks);
	ck_assert_uint_eq(a->sks_value, b->sks_value);
	ck_assert_int_eq(a->sks_in_cdb, b->sks_in_cdb);
	ck_assert_int_eq(a->sks_in_segment, b->sks_in_segment);
	ck_assert_int_eq(a->sks_has_bit, b->sks_has_bit);
	ck_assert_uint_eq(a->sks_bit, b->sks_bit);
	ck_assert_int_eq(a->is_deferred, b->is_deferred);
	ck_assert_int_eq(a->is_filemark, b->is_filemark);
	ck_assert_int_eq(a->is_eom, b->is_eom);
	ck_assert_int_eq(a->is_ili, b->is_ili);
	ck_assert_uint_eq(a->fru, b->fru);
	ck_assert_int_eq(a->has_info, b->has_info);
	ck_assert_uint_eq(a->info, b->info);
	ck_assert_int_eq(a->has_csi, b->has_csi);
	ck_assert_uint_eq(a->csi, b->csi);
}

static const struct sense_data samples[] = {
    {.key = SENSE_NO_SENSE},
    {.key = SENSE_MEDIUM_ERROR,
	.asc = ASC_UNRECOVERED_READ_ERROR,
	.has_info = true,
	.info = 0x12345678,
	.sks = SENSE_SKS_RETRIES,
	.sks_value = 9,
	.fru = 0x42},
    {.key = SENSE_ILLEGAL_REQUEST,
	.asc = ASC_INVALID_FIELD_IN_CDB,
	.sks = SENSE_SKS_FIELD,
	.sks_in_cdb = true,
	.sks_has_bit = true,
	.sks_bit = 7,
	.sks_value = 1},
    {.key = SENSE_ILLEGAL_REQUEST,
	.asc = ASC_INVALID_FIELD_IN_LIST,
	.sks = SENSE_SKS_FIELD,
	.sks_value = 300},
    {.key = SENSE_NOT_READY,
	.asc = ASC_SANITIZE_IN_PROGRESS,
	.sks = SENSE_SKS_PROGRESS,
	.sks_value = 0x8000},
    {.key = SENSE_UNIT_ATTENTION,
	.asc = ASC_POWER_ON,
	.sks = SENSE_SKS_OVERFLOW,
	.sks_value = 1},
    {.key = SENSE_COPY_ABORTED,
	.asc = ASC_COPY_TARGET_NOT_REACHABLE,
	.has_csi = true,
	.csi = 3,
	.sks = SENSE_SKS_SEGMENT,
	.sks_in_segment = true,
	.sks_has_bit = true,
	.sks_bit = 0,
	.sks_value = 12},
    {.key = SENSE_NO_SENSE,
	.asc = 0x0001,
	.is_filemark = true,
	.is_ili = true,
	.has_info = true,
	.info = 512},
    {.key = SENSE_VOLUME_OVERFLOW, .is_eom = true},
    {.key = SENSE_ILLEGAL_REQUEST, .is_ili = true, .has_info = true, .info = 8},
    {.key = SENSE_MISCOMPARE, .asc = ASC_MISCOMPARE, .is_deferred = true, .has_info = true},
};

START_TEST(both_formats_round_trip)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		for (int is_desc = 0; is_desc < 2; is_desc++) {
			struct sense_data back;
			uint8_t buf[SENSE_LEN_MAX];
			size_t len = sense_build(&samples[i], is_desc, buf, sizeof(buf));

			ck_assert_int_eq(sense_parse(buf, len, &back), 0);
			ck_assert_int_eq(back.format,
			    is_desc ? SENSE_FMT_DESCRIPTOR : SENSE_FMT_FIXED);
			assert_same(&samples[i], &back);
		}
	}
}
END_TEST

START_TEST(large_values_need_descriptors)
{
	struct sense_data s = sense_make_info(SENSE_MEDIUM_ERROR, ASC_UNRECOVERED_READ_ERROR,
	    1ull << 32), back;
	uint8_t buf[SENSE_LEN_MAX];

	s.has_csi = true;
	s.csi = 1ull << 40;
	ck_assert_int_eq(sense_parse(buf, sense_build(&s, true, buf, sizeof(buf)), &back), 0);
	assert_same(&s, &back);
	ck_assert_int_eq(sense_parse(buf, sense_build(&s, false, buf, sizeof(buf)), &back), 0);
	ck_assert(!back.has_info && !back.has_csi);
}
END_TEST

START_TEST(fixed_bytes_as_in_the_standard)
{
	static const uint8_t want[18] = { 0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24, 0, 0,
		0xcc, 0, 4 };
	static const uint8_t info[18] = { 0xf0, 0, 3, 1, 2, 3, 4, 10, 0, 0, 0, 0, 0x11, 0 };
	struct sense_data s = sense_invalid_field_cdb(4, 4);
	uint8_t buf[32];

	ck_assert_uint_eq(sense_build(&s, false, buf, sizeof(buf)), SENSE_FIXED_LEN);
	ck_assert_mem_eq(buf, want, 18);
	s = sense_make_info(SENSE_MEDIUM_ERROR, ASC_UNRECOVERED_READ_ERROR, 0x01020304);
	ck_assert_uint_eq(sense_build(&s, false, buf, sizeof(buf)), SENSE_FIXED_LEN);
	ck_assert_mem_eq(buf, info, 18);
}
END_TEST

START_TEST(descriptor_bytes_as_in_the_standard)
{
	static const uint8_t field[16] = {
	    0x72, 5, 0x26, 0, 0, 0, 0, 8, 2, 6, 0, 0, 0x80, 0, 7, 0};
	static const uint8_t info[20] = {
	    0x72, 0xe, 0x1d, 0, 0, 0, 0, 12, 0, 10, 0x80, 0, 0, 0, 0, 1, 2, 3, 4, 5};
	struct sense_data s = sense_invalid_field_list(7, -1);
	uint8_t buf[64];

	ck_assert_uint_eq(sense_build(&s, true, buf, sizeof(buf)), 16);
	ck_assert_mem_eq(buf, field, 16);
	s = sense_make_info(SENSE_MISCOMPARE, ASC_MISCOMPARE, 0x0102030405);
	ck_assert_uint_eq(sense_build(&s, true, buf, sizeof(buf)), 20);
	ck_assert_mem_eq(buf, info, 20);
	s = sense_make(SENSE_UNIT_ATTENTION, ASC_POWER_ON);
	ck_assert_uint_eq(sense_build(&s, true, buf, sizeof(buf)), 8);
	s = sense_progress(SENSE_NOT_READY, ASC_FORMAT_IN_PROGRESS, 0x4000);
	ck_assert_uint_eq(sense_build(&s, true, buf, sizeof(buf)), 16);
	ck_assert_uint_eq(buf[13], 0x40);
}
END_TEST

/* SBC-3's single descriptor that stands for five others */
START_TEST(direct_access_descriptor_is_read)
{
	static const uint8_t buf[40] = { 0x72, 3, 0x11, 0, 0, 0, 0, 32, 0x0d, 30, 0xa0, 0,
		0x80, 0, 5, 0x42, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0 };
	struct sense_data s;

	ck_assert_int_eq(sense_parse(buf, sizeof(buf), &s), 0);
	ck_assert(s.has_info && s.info == 256 && s.has_csi && s.csi == 512 && s.is_ili);
	ck_assert_int_eq(s.sks, SENSE_SKS_RETRIES);
	ck_assert_uint_eq(s.sks_value, 5);
	ck_assert_uint_eq(s.fru, 0x42);
}
END_TEST

/* the sanitizer watches every cut; what is read is a part of the whole */
START_TEST(every_cut_is_safe)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		for (int is_desc = 0; is_desc < 2; is_desc++) {
			uint8_t whole[SENSE_LEN_MAX];
			size_t len = sense_build(&samples[i], is_desc, whole, sizeof(whole));

			for (size_t cut = 1; cut < len; cut++) {
				uint8_t *part = malloc(cut);
				struct sense_data s;

				ck_assert_uint_eq(
				    sense_build(&samples[i], is_desc, part, cut), cut);
				ck_assert_mem_eq(part, whole, cut);
				ck_assert_int_eq(sense_parse(part, cut, &s), 0);
				ck_assert(s.key == 0 || s.key == samples[i].key);
				ck_assert(s.info == 0 || s.info == samples[i].info);
				free(part);
			}
		}
	}
}
END_TEST

START_TEST(lies_about_length_are_bounded)
{
	uint8_t fixed[18] = { 0xf0, 0, 3, 1, 2, 3, 4, 0, 0, 0, 0, 9, 0x11, 0, 7 };
	uint8_t desc[12] = { 0x72, 3, 0x11, 0, 0, 0, 0, 255, 0, 10, 0x80, 0 };
	uint8_t zero[10] = { 0x72, 3, 0x11, 0, 0, 0, 0, 2, 0x55, 0 };
	struct sense_data s;

	ck_assert_int_eq(sense_parse(fixed, sizeof(fixed), &s), 0);
	ck_assert(s.has_info && !s.has_csi && s.asc == 0 && s.fru == 0);
	ck_assert_int_eq(sense_parse(desc, sizeof(desc), &s), 0);
	ck_assert(!s.has_info);
	ck_assert_int_eq(sense_parse(zero, sizeof(zero), &s), 0);
	ck_assert_uint_eq(s.asc, ASC_UNRECOVERED_READ_ERROR);
}
END_TEST

START_TEST(strangers_are_told_apart)
{
	static const uint8_t vendor[4] = { 0x7f, 1, 2, 3 }, none[4] = { 0x00 };
	struct sense_data s;
	char text[SENSE_TEXT_LEN];

	ck_assert_int_eq(sense_parse(vendor, 4, &s), 0);
	ck_assert_int_eq(s.format, SENSE_FMT_VENDOR);
	ck_assert_str_eq(sense_format(&s, text, sizeof(text)), "vendor specific sense data");
	ck_assert_int_eq(sense_parse(none, 4, &s), -EINVAL);
	ck_assert_int_eq(sense_parse(none, 0, &s), -EINVAL);
}
END_TEST

START_TEST(text_for_people)
{
	struct sense_data s = sense_invalid_field_cdb(4, 2);
	char text[SENSE_TEXT_LEN], tiny[8];

	ck_assert_str_eq(sense_format(&s, text, sizeof(text)),
	    "ILLEGAL REQUEST: INVALID FIELD IN CDB (24h/00h), CDB byte 4 bit 2");
	ck_assert_str_eq(sense_format(&s, tiny, sizeof(tiny)), "ILLEGAL");
	s = sense_progress(SENSE_NOT_READY, ASC_SANITIZE_IN_PROGRESS, 0x8000);
	ck_assert_str_eq(sense_format(&s, text, sizeof(text)),
	    "NOT READY: LOGICAL UNIT NOT READY, SANITIZE IN PROGRESS (04h/1Bh), 50% done");
	s = sense_make_info(SENSE_MEDIUM_ERROR, 0x80ff, 77);
	ck_assert_str_eq(sense_format(&s, text, sizeof(text)),
	    "MEDIUM ERROR: unnamed code (80h/FFh), information 77");
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		ck_assert_ptr_nonnull(
		    strchr(sense_format(&samples[i], text, sizeof(text)), ':'));
	for (unsigned key = 0; key < 16; key++)
		ck_assert_ptr_nonnull(sense_key_name((uint8_t)key));
}
END_TEST

CHECK_MAIN("scsi sense", both_formats_round_trip, large_values_need_descriptors,
    fixed_bytes_as_in_the_standard, descriptor_bytes_as_in_the_standard,
    direct_access_descriptor_is_read, every_cut_is_safe, lies_about_length_are_bounded,
    strangers_are_told_apart, text_for_people)
