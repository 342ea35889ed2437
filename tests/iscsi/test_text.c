/* test_text.c - pairs, numbers, binary values, pieces */
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "check_main.h"
#include "iscsi/text.h"

#define TEXT(s)		(struct iscsi_text){ s, sizeof(s) - 1 }

static struct iscsi_text
word(const char *s)
{
	return (struct iscsi_text){ s, strlen(s) };
}

START_TEST(pairs_in_turn)
{
	struct iscsi_text text = TEXT("A=1\0\0\0Key.b-c_d=x=y\0Empty=\0Last=end");
	struct iscsi_pair pair;

	ck_assert_int_eq(iscsi_text_next(&text, &pair), 1);
	ck_assert(iscsi_text_is(pair.key, "A") && iscsi_text_is(pair.value, "1"));
	ck_assert_int_eq(iscsi_text_next(&text, &pair), 1);
	ck_assert(iscsi_text_is(pair.key, "Key.b-c_d") && iscsi_text_is(pair.value, "x=y"));
	ck_assert_int_eq(iscsi_text_next(&text, &pair), 1);
	ck_assert(iscsi_text_is(pair.value, "") && pair.value.at != NULL);
	/* its NUL is missing */
	ck_assert_int_eq(iscsi_text_next(&text, &pair), 1);
	ck_assert(iscsi_text_is(pair.value, "end") && !iscsi_text_is(pair.value, "en"));
	ck_assert_int_eq(iscsi_text_next(&text, &pair), 0);
	text = (struct iscsi_text){ NULL, 0 };
	ck_assert_int_eq(iscsi_text_next(&text, &pair), 0);
}
END_TEST

START_TEST(pairs_that_are_none)
{
	static const char *const bad[] = { "noequals", "=value", "with blank=1", "tab\t=1", "\xc3\xa4=1",
		"a,b=1", "x\x01=1" };
	char key[ISCSI_KEY_LEN_MAX + 3];
	struct iscsi_pair pair;
	struct iscsi_text text;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		text = word(bad[i]);
		ck_assert_int_eq(iscsi_text_next(&text, &pair), -EINVAL);
	}
	memset(key, 'k', sizeof(key));
	key[ISCSI_KEY_LEN_MAX] = '=';
	text = (struct iscsi_text){ key, ISCSI_KEY_LEN_MAX + 1 };
	ck_assert_int_eq(iscsi_text_next(&text, &pair), 1);
	key[ISCSI_KEY_LEN_MAX] = 'k';
	key[ISCSI_KEY_LEN_MAX + 1] = '=';
	text = (struct iscsi_text){ key, ISCSI_KEY_LEN_MAX + 2 };
	ck_assert_int_eq(iscsi_text_next(&text, &pair), -EINVAL);
}
END_TEST

START_TEST(lists)
{
	struct iscsi_text list = TEXT("CHAP,None,,x"), one;

	ck_assert(iscsi_text_list(&list, &one) && iscsi_text_is(one, "CHAP"));
	ck_assert(iscsi_text_list(&list, &one) && iscsi_text_is(one, "None"));
	ck_assert(iscsi_text_list(&list, &one) && one.len == 0);
	ck_assert(iscsi_text_list(&list, &one) && iscsi_text_is(one, "x"));
	ck_assert(!iscsi_text_list(&list, &one));
}
END_TEST

START_TEST(numbers)
{
	static const char *const bad[] = { "", "0x", "0X", "-1", "+1", " 1", "1 ", "1x", "ff", "0xg", "1~2",
		"99999999999999999999999x" };
	uint64_t v = 7;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(iscsi_text_number(word(bad[i]), UINT64_MAX, &v), -EINVAL);
	ck_assert_int_eq(iscsi_text_number(word("18446744073709551616"), UINT64_MAX, &v), -ERANGE);
	ck_assert_int_eq(iscsi_text_number(word("101"), 100, &v), -ERANGE);
	ck_assert_uint_eq(v, 7);
	ck_assert_int_eq(iscsi_text_number(word("18446744073709551615"), UINT64_MAX, &v), 0);
	ck_assert_uint_eq(v, UINT64_MAX);
	ck_assert_int_eq(iscsi_text_number(word("0X1fF"), 511, &v), 0);
	ck_assert_uint_eq(v, 511);
	ck_assert_int_eq(iscsi_text_number(word("000100"), 100, &v), 0);
	ck_assert_uint_eq(v, 100);
}
END_TEST

static int
binary(const char *text, size_t size, uint8_t *buf, size_t *len)
{
	return iscsi_text_binary(word(text), buf, size, len);
}

START_TEST(binary_values)
{
	uint8_t buf[8];
	size_t len;

	ck_assert_int_eq(binary("0x00fFA0", 8, buf, &len), 0);
	ck_assert(len == 3 && memcmp(buf, "\x00\xff\xa0", 3) == 0);
	ck_assert_int_eq(binary("0bZm9vYmFy", 8, buf, &len), 0);
	ck_assert(len == 6 && memcmp(buf, "foobar", 6) == 0);
	ck_assert_int_eq(binary("0BZm9vYmE=", 8, buf, &len), 0);
	ck_assert(len == 5 && memcmp(buf, "fooba", 5) == 0);
	ck_assert_int_eq(binary("0bZm9vYg==", 8, buf, &len), 0);
	ck_assert(len == 4 && memcmp(buf, "foob", 4) == 0);
	ck_assert_int_eq(binary("0b+/+/", 8, buf, &len), 0);
	ck_assert(len == 3 && memcmp(buf, "\xfb\xff\xbf", 3) == 0);
	ck_assert_int_eq(binary("0x0001020304050607", 8, buf, &len), 0);
	ck_assert_uint_eq(len, 8);
}
END_TEST

START_TEST(binary_values_that_are_none)
{
	static const char *const bad[] = { "", "0", "0x", "0b", "1234", "0x1", "0x12g4", "0x 12", "0bZg",
		"0bZg=", "0bZg==Zg==", "0bZ===", "0b====", "0bZm9v!mFy", "0bZh==", "0bZm9vYmF=",
		"0b=Zm9", "0bZm=v" };
	uint8_t buf[9] = { [8] = 0x5a };
	size_t len = 77;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(binary(bad[i], 8, buf, &len) == -EINVAL, "'%s' was taken", bad[i]);
	ck_assert_int_eq(binary("0x000102030405060708", 8, buf, &len), -E2BIG);
	ck_assert_int_eq(binary("0bAAAAAAAAAAAA", 8, buf, &len), -E2BIG);
	ck_assert_uint_eq(buf[8], 0x5a);
	ck_assert_uint_eq(len, 77);
}
END_TEST

START_TEST(pieces_are_gathered)
{
	struct iscsi_gather gather = { .buf = NULL };
	static char big[ISCSI_TEXT_MAX];
	struct iscsi_text text;

	/* alone: no copy */
	ck_assert_int_eq(iscsi_gather_whole(&gather, "A=1", 4, &text), 0);
	ck_assert(iscsi_text_is(text, "A=1\0") || text.len == 4);
	ck_assert_ptr_null(gather.buf);
	ck_assert_int_eq(iscsi_gather_add(&gather, "Ke", 2), 0);
	ck_assert_int_eq(iscsi_gather_add(&gather, NULL, 0), 0);
	ck_assert_int_eq(iscsi_gather_whole(&gather, "y=2", 3, &text), 0);
	ck_assert(iscsi_text_is(text, "Key=2"));
	iscsi_gather_fini(&gather);
	ck_assert_uint_eq(gather.len, 0);

	ck_assert_int_eq(iscsi_gather_add(&gather, big, sizeof(big)), 0);
	ck_assert_int_eq(iscsi_gather_add(&gather, big, 1), -E2BIG);
	ck_assert_int_eq(iscsi_gather_whole(&gather, big, 1, &text), -E2BIG);
	iscsi_gather_fini(&gather);
	ck_assert_int_eq(iscsi_gather_whole(&gather, big, sizeof(big) + 1, &text), -E2BIG);
	fault_arm(1);
	ck_assert_int_eq(iscsi_gather_add(&gather, big, 1), -ENOMEM);
	(void)fault_disarm();
	iscsi_gather_fini(&gather);
}
END_TEST

START_TEST(answers_in_pieces)
{
	struct iscsi_text_out out = { .buf = NULL };
	char whole[64];
	size_t len, at = 0;

	ck_assert_str_eq(iscsi_text_out_piece(&out, 100, &len), "");
	ck_assert_uint_eq(len, 0);
	iscsi_text_add(&out, "A", "Yes");
	iscsi_text_addf(&out, "Bcd", "%u", 42u);
	iscsi_text_add_hex(&out, "E", "\x01\xff", 2);
	iscsi_text_add_key(&out, word("X-y"), "NotUnderstood");
	ck_assert_int_eq(out.error, 0);
	while (iscsi_text_out_left(&out) > 0) {
		const char *piece = iscsi_text_out_piece(&out, 5, &len);

		ck_assert_uint_le(len, 5);
		memcpy(whole + at, piece, len);
		at += len;
	}
	ck_assert_uint_eq(at, sizeof("A=Yes\0Bcd=42\0E=0x01ff\0X-y=NotUnderstood"));
	ck_assert_int_eq(memcmp(whole, "A=Yes\0Bcd=42\0E=0x01ff\0X-y=NotUnderstood", at), 0);
	iscsi_text_out_reset(&out);
	ck_assert_uint_eq(iscsi_text_out_left(&out), 0);
	iscsi_text_out_fini(&out);
}
END_TEST

START_TEST(answers_have_bounds)
{
	struct iscsi_text_out out = { .max = 10 };
	char value[1100];

	iscsi_text_add(&out, "Key", "12345");	/* exactly ten */
	ck_assert_int_eq(out.error, 0);
	iscsi_text_add(&out, "K", "");
	ck_assert_int_eq(out.error, -E2BIG);
	ck_assert_uint_eq(out.len, 10);
	iscsi_text_out_reset(&out);
	iscsi_text_add_hex(&out, "K", "\1\2\3", 3);
	ck_assert_int_eq(out.error, -E2BIG);
	iscsi_text_out_fini(&out);
	ck_assert_uint_eq(out.max, 10);

	out.max = 0;
	memset(value, 'v', sizeof(value));
	value[1023] = '\0';
	iscsi_text_addf(&out, "K", "%s", value);
	ck_assert_int_eq(out.error, 0);
	iscsi_text_addf(&out, "K", "%s%s", value, "x");
	ck_assert_int_eq(out.error, -E2BIG);
	iscsi_text_out_fini(&out);
	fault_arm(1);
	iscsi_text_add(&out, "K", "v");
	ck_assert_int_eq(out.error, -ENOMEM);
	(void)fault_disarm();
	iscsi_text_add(&out, "K", "v");
	ck_assert_int_eq(out.error, -ENOMEM);	/* sticky */
	iscsi_text_out_fini(&out);
}
END_TEST

CHECK_MAIN("text", pairs_in_turn, pairs_that_are_none, lists, numbers, binary_values,
    binary_values_that_are_none, pieces_are_gathered, answers_in_pieces, answers_have_bounds)
