#include <string.h>

#include "base/text.h"
#include "check_main.h"

START_TEST(foreign_bytes_become_printable)
{
	char out[64];

	ck_assert_str_eq(text_escape("plain", 5, out, sizeof(out)), "plain");
	ck_assert_str_eq(text_escape("a\x1b[2J\n", 6, out, sizeof(out)), "a\\x1b[2J\\x0a");
	ck_assert_str_eq(text_escape("\0\xff\\", 3, out, sizeof(out)), "\\x00\\xff\\x5c");
	ck_assert_str_eq(text_escape("", 0, out, sizeof(out)), "");
}
END_TEST

START_TEST(escaping_fits_every_size)
{
	char src[32];

	memset(src, 0x01, sizeof(src));
	for (size_t len = 0; len <= sizeof(src); len++)
		for (size_t size = 1; size < 140; size++) {
			char out[160];

			memset(out, 'Z', sizeof(out));
			text_escape(src, len, out, size);
			ck_assert_uint_lt(strlen(out), size);
			ck_assert_int_eq(out[size], 'Z');
			if (len > 0 && size <= 4 * len && size > 4)
				ck_assert_ptr_nonnull(strstr(out, "..."));
			if (size > 4 * len)
				ck_assert_uint_eq(strlen(out), 4 * len);
		}
}
END_TEST

START_TEST(copy_says_when_it_cut)
{
	char out[4];

	ck_assert(text_copy(out, sizeof(out), "abc"));
	ck_assert_str_eq(out, "abc");
	ck_assert(!text_copy(out, sizeof(out), "abcd"));
	ck_assert_str_eq(out, "abc");
}
END_TEST

START_TEST(padded_fields_lose_their_blanks)
{
	char out[9];

	ck_assert_str_eq(text_trim_field("ABC     ", 8, out), "ABC");
	ck_assert_str_eq(text_trim_field("  A\x01 C\0\0", 8, out), "A. C");
	ck_assert_str_eq(text_trim_field("        ", 8, out), "");
	ck_assert_str_eq(text_trim_field("12345678", 8, out), "12345678");
}
END_TEST

CHECK_MAIN("text", foreign_bytes_become_printable, escaping_fits_every_size,
    copy_says_when_it_cut, padded_fields_lose_their_blanks)
