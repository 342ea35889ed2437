/* test_digest.c - CRC32C against the vectors of RFC 3720 appendix B.4 */
#include <string.h>

#include "check_main.h"
#include "iscsi/digest.h"

static void
assert_digest(const void *data, size_t len, const char *wire)
{
	uint8_t got[ISCSI_DIGEST_LEN];

	iscsi_digest_put(got, iscsi_digest(data, len));
	ck_assert_int_eq(memcmp(got, wire, 4), 0);
	ck_assert_uint_eq(iscsi_digest_get(got), iscsi_digest(data, len));
}

START_TEST(vectors)
{
	static const uint8_t read10[48] = {
		0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
		0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	};
	uint8_t bytes[32] = { 0 };

	assert_digest(bytes, 32, "\xaa\x36\x91\x8a");
	memset(bytes, 0xff, 32);
	assert_digest(bytes, 32, "\x43\xab\xa8\x62");
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = i;
	assert_digest(bytes, 32, "\x4e\x79\xdd\x46");
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(31 - i);
	assert_digest(bytes, 32, "\x5c\xdb\x3f\x11");
	assert_digest(read10, 48, "\x56\x3a\x96\xd9");
}
END_TEST

START_TEST(pieces_make_the_whole)
{
	uint8_t bytes[101];

	for (uint8_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		uint32_t crc = iscsi_digest_add(iscsi_digest_start(), bytes, cut);

		crc = iscsi_digest_add(crc, bytes + cut, sizeof(bytes) - cut);
		ck_assert_uint_eq(iscsi_digest_end(crc), iscsi_digest(bytes, sizeof(bytes)));
	}
}
END_TEST

START_TEST(padding_counts)
{
	uint8_t bytes[8] = { 1, 2, 3, 4, 5, 0, 0, 0 };

	ck_assert_uint_eq(iscsi_digest_padded(bytes, 5), iscsi_digest(bytes, 8));
	ck_assert_uint_eq(iscsi_digest_padded(bytes, 4), iscsi_digest(bytes, 4));
	ck_assert_uint_ne(iscsi_digest_padded(bytes, 5), iscsi_digest(bytes, 5));
}
END_TEST

CHECK_MAIN("digest", vectors, pieces_make_the_whole, padding_counts)
