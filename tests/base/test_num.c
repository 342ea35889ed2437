#include <errno.h>

#include "base/num.h"
#include "check_main.h"

START_TEST(whole_numbers_are_read_whole)
{
	static const struct {
		const char *text;
		uint64_t max;
		int want;
		uint64_t value;
	} rows[] = {
		{ "0", 10, 0, 0 },
		{ "10", 10, 0, 10 },
		{ "11", 10, -ERANGE, 0 },
		{ "0x1F", UINT64_MAX, 0, 31 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
		{ "", 10, -EINVAL, 0 },
		{ "0x", 10, -EINVAL, 0 },
		{ "-1", 10, -EINVAL, 0 },
		{ " 1", 10, -EINVAL, 0 },
		{ "1 ", 10, -EINVAL, 0 },
		{ "1x", 10, -EINVAL, 0 },
		{ "99999999999999999999x", 10, -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t v = 77;

		ck_assert_msg(num_parse_u64(rows[i].text, rows[i].max, &v) == rows[i].want,
		    "'%s'", rows[i].text);
		ck_assert_uint_eq(v, rows[i].want == 0 ? rows[i].value : 77);
	}
}
END_TEST

START_TEST(sizes_know_their_units)
{
	static const struct {
		const char *text;
		int want;
		uint64_t value;
	} rows[] = {
		{ "512", 0, 512 },
		{ "512B", 0, 512 },
		{ "1k", 0, 1024 },
		{ "1KiB", 0, 1024 },
		{ "1GB", 0, 1ull << 30 },
		{ "8G", 0, 8ull << 30 },
		{ "1T", 0, 1ull << 40 },
		{ "15E", 0, 15ull << 60 },
		{ "16E", -ERANGE, 0 },
		{ "1iB", -EINVAL, 0 },
		{ "1Q", -EINVAL, 0 },
		{ "G", -EINVAL, 0 },
		{ "1GG", -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t v = 0;

		ck_assert_msg(num_parse_bytes(rows[i].text, UINT64_MAX, &v) == rows[i].want,
		    "'%s'", rows[i].text);
		ck_assert_uint_eq(v, rows[i].value);
	}
}
END_TEST

START_TEST(sizes_are_written_for_people)
{
	char buf[NUM_BYTES_LEN];

	ck_assert_str_eq(num_format_bytes(0, buf), "0 B");
	ck_assert_str_eq(num_format_bytes(1023, buf), "1023 B");
	ck_assert_str_eq(num_format_bytes(8ull << 30, buf), "8.0 GiB");
	ck_assert_str_eq(num_format_bytes(UINT64_MAX, buf), "16.0 EiB");
}
END_TEST

START_TEST(hex_is_read_in_the_forms_people_paste)
{
	uint8_t buf[4];
	size_t len = 0;

	ck_assert_int_eq(num_parse_hex("12 00:fF", buf, sizeof(buf), &len), 0);
	ck_assert_uint_eq(len, 3);
	ck_assert_mem_eq(buf, "\x12\x00\xff", 3);
	ck_assert_int_eq(num_parse_hex("0x0011", buf, sizeof(buf), &len), 0);
	ck_assert_uint_eq(len, 2);
	ck_assert_int_eq(num_parse_hex("123", buf, sizeof(buf), &len), -EINVAL);
	ck_assert_int_eq(num_parse_hex("1g", buf, sizeof(buf), &len), -EINVAL);
	ck_assert_int_eq(num_parse_hex("0011223344", buf, sizeof(buf), &len), -ENOSPC);
	ck_assert_uint_eq(len, 2);
}
END_TEST

START_TEST(arithmetic_notices_overflow)
{
	uint64_t v = 3;

	ck_assert(!num_add(UINT64_MAX, 1, &v));
	ck_assert(!num_mul(1ull << 33, 1ull << 33, &v));
	ck_assert_uint_eq(v, 3);
	ck_assert(num_add(UINT64_MAX - 1, 1, &v));
	ck_assert_uint_eq(v, UINT64_MAX);
	ck_assert(num_is_pow2(4096));
	ck_assert(!num_is_pow2(0));
	ck_assert(!num_is_pow2(520));
	ck_assert_uint_eq(num_round_up(513, 512), 1024);
	ck_assert_uint_eq(num_round_up(512, 512), 512);
}
END_TEST

CHECK_MAIN("num", whole_numbers_are_read_whole, sizes_know_their_units,
    sizes_are_written_for_people, hex_is_read_in_the_forms_people_paste,
    arithmetic_notices_overflow)
