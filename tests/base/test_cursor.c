#include "base/cursor.h"
#include "check_main.h"

START_TEST(reads_stop_at_the_end_and_stay_stopped)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7 };

	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct cursor c = cursor_read_init(bytes, len);
		uint16_t a = cursor_be16(&c);
		uint32_t b = cursor_be32(&c);
		uint8_t d = cursor_u8(&c);

		ck_assert_int_eq(cursor_ok(&c), len == 7);
		ck_assert_uint_eq(a, len >= 2 ? 0x0102 : 0);
		ck_assert_uint_eq(b, len >= 6 ? 0x03040506 : 0);
		ck_assert_uint_eq(d, len >= 7 ? 7 : 0);
		/* once bad, even a step that would fit does nothing */
		ck_assert_uint_eq(cursor_u8(&c), 0);
		ck_assert(!cursor_ok(&c));
		ck_assert_uint_eq(cursor_left(&c), 0);
		ck_assert_ptr_null(cursor_take(&c, 0));
	}
}
END_TEST

START_TEST(writes_never_pass_the_end)
{
	uint8_t room[16] = { 0 };
	struct cursor c = cursor_write_init(room, 15);

	cursor_put_be64(&c, 0x1122334455667788ull);
	cursor_put_be32(&c, 0xaabbccdd);
	cursor_put_be16(&c, 0xeeff);
	ck_assert(cursor_ok(&c));
	ck_assert_uint_eq(cursor_left(&c), 1);
	cursor_put_be16(&c, 0x9999);
	ck_assert(!cursor_ok(&c));
	cursor_put_u8(&c, 0x77);
	cursor_put_bytes(&c, "x", 1);
	ck_assert_uint_eq(room[14], 0);
	ck_assert_uint_eq(room[15], 0);
	ck_assert_uint_eq(be64_get(room), 0x1122334455667788ull);
	ck_assert_uint_eq(be32_get(room + 8), 0xaabbccdd);
	ck_assert_uint_eq(be16_get(room + 12), 0xeeff);
}
END_TEST

START_TEST(all_widths_go_round)
{
	uint8_t b[8];

	be24_put(b, 0x123456);
	ck_assert_uint_eq(be24_get(b), 0x123456);
	le16_put(b, 0x1234);
	ck_assert_uint_eq(le16_get(b), 0x1234);
	ck_assert_uint_eq(b[0], 0x34);
	le32_put(b, 0x12345678);
	ck_assert_uint_eq(le32_get(b), 0x12345678);
	le64_put(b, 0x123456789abcdef0ull);
	ck_assert_uint_eq(le64_get(b), 0x123456789abcdef0ull);
	ck_assert_uint_eq(b[7], 0x12);
	{
		struct cursor c = cursor_read_init(b, 8);

		ck_assert_uint_eq(cursor_be64(&c), 0xf0debc9a78563412ull);
	}
}
END_TEST

CHECK_MAIN("cursor", reads_stop_at_the_end_and_stay_stopped, writes_never_pass_the_end,
    all_widths_go_round)
