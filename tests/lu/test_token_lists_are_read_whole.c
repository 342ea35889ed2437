/* lists of POPULATE TOKEN and WRITE USING TOKEN, tokens, and what is told of them: bytes */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "lu/token_list.h"

#define CAPACITY	10000

static uint8_t list[TOKEN_LIST_MAX + 64];
static struct token_list out;
static struct sense_data sense;

/* @n ranges of 10 blocks each behind a header of @hdr bytes; bytes of it */
static size_t
make(size_t hdr, unsigned int n)
{
	size_t len = hdr + n * TOKEN_RANGE_LEN;

	memset(list, 0, sizeof(list));
	be16_put(list, (uint16_t)(len - 2));
	be16_put(list + hdr - 2, (uint16_t)(n * TOKEN_RANGE_LEN));
	for (unsigned int i = 0; i < n; i++) {
		be64_put(list + hdr + 16 * i, 100 * i);
		be32_put(list + hdr + 16 * i + 8, 10);
	}
	return len;
}

static int
populate(size_t len)
{
	return token_populate_parse(list, len, CAPACITY, 512, &out, &sense);
}

static void
refused(int r, uint16_t asc, int byte)
{
	ck_assert_int_eq(r, -EBADMSG);
	ck_assert_uint_eq(sense.key, SENSE_ILLEGAL_REQUEST);
	ck_assert_uint_eq(sense.asc, asc);
	ck_assert_int_eq(sense.sks == SENSE_SKS_FIELD ? sense.sks_value : -1, byte);
}

START_TEST(populate_is_read)
{
	size_t len = make(16, 2);

	be32_put(list + 4, 30);
	ck_assert_int_eq(populate(len), 0);
	ck_assert_uint_eq(out.n_ranges, 2);
	ck_assert_uint_eq(out.blocks, 20);
	ck_assert_uint_eq(out.ranges[1].lba, 100);
	ck_assert_uint_eq(out.idle_s, 30);
	be32_put(list + 4, 0);
	ck_assert_int_eq(populate(len), 0);
	ck_assert_uint_eq(out.idle_s, TOKEN_IDLE_DEFAULT_S);
	be32_put(list + 4, TOKEN_IDLE_MAX_S + 1);
	refused(populate(len), ASC_INVALID_FIELD_IN_LIST, 4);
	/* ROD TYPE counts only with RTV */
	(void)make(16, 2);
	be32_put(list + 8, 0x00800002);
	ck_assert_int_eq(populate(len), 0);
	list[2] = 0x02;
	refused(populate(len), ASC_INVALID_FIELD_IN_LIST, 8);
	be32_put(list + 8, TOKEN_TYPE_VULNERABLE);
	ck_assert_int_eq(populate(len), 0);
	/* empty ranges, and a piece of a descriptor */
	(void)make(16, 2);
	be32_put(list + 16 + 8, 0);
	be16_put(list + 14, 35);
	ck_assert_int_eq(populate(len + 3), 0);
	ck_assert_uint_eq(out.n_ranges, 1);
}
END_TEST

START_TEST(bad_ranges_are_refused)
{
	size_t len = make(16, 1);

	for (size_t cut = 1; cut < len; cut++)
		refused(populate(cut), ASC_PARAMETER_LIST_LENGTH, -1);
	be16_put(list, 29);
	refused(populate(len), ASC_INVALID_FIELD_IN_LIST, 0);
	(void)make(16, 1);
	be16_put(list + 14, 15);
	refused(populate(len), ASC_INVALID_FIELD_IN_LIST, 14);
	ck_assert_int_eq(populate(make(16, TOKEN_RANGE_MAX)), 0);
	refused(populate(make(16, TOKEN_RANGE_MAX + 1)), ASC_TOO_MANY_SEGMENT_DESCRIPTORS, -1);
	(void)make(16, 1);
	be64_put(list + 16, CAPACITY - 9);
	refused(populate(len), ASC_LBA_OUT_OF_RANGE, -1);
	be64_put(list + 16, UINT64_MAX);
	refused(populate(len), ASC_LBA_OUT_OF_RANGE, -1);
	/* overlap; too much */
	len = make(16, 3);
	be64_put(list + 16 + 32, 109);
	refused(populate(len), ASC_INVALID_FIELD_IN_LIST, 48);
	be64_put(list + 16 + 32, 110);
	ck_assert_int_eq(populate(len), 0);
	len = make(16, 1);
	be32_put(list + 16 + 8, TOKEN_BYTES_MAX / 512);
	ck_assert_int_eq(token_populate_parse(list, len, UINT32_MAX, 512, &out, &sense), 0);
	be32_put(list + 16 + 8, TOKEN_BYTES_MAX / 512 + 1);
	refused(token_populate_parse(list, len, UINT32_MAX, 512, &out, &sense),
	    ASC_INVALID_FIELD_IN_LIST, 14);
}
END_TEST

START_TEST(write_is_read)
{
	size_t len = make(TOKEN_WRITE_HDR, 2);

	list[2] = 0x02;
	be64_put(list + 8, 77);
	list[16] = 0xab;
	list[527] = 0xcd;
	ck_assert_int_eq(token_write_parse(list, len, CAPACITY, 512, &out, &sense), 0);
	ck_assert(out.is_del);
	ck_assert_uint_eq(out.offset, 77);
	ck_assert_uint_eq(out.token[0], 0xab);
	ck_assert_uint_eq(out.token[511], 0xcd);
	ck_assert_uint_eq(out.blocks, 20);
	refused(token_write_parse(list, TOKEN_WRITE_HDR - 1, CAPACITY, 512, &out, &sense),
	    ASC_PARAMETER_LIST_LENGTH, -1);
	be16_put(list, TOKEN_WRITE_HDR + 13);
	refused(token_write_parse(list, len, CAPACITY, 512, &out, &sense),
	    ASC_INVALID_FIELD_IN_LIST, 0);
}
END_TEST

START_TEST(tokens_say_what_they_are)
{
	static const struct copy_desig creator = { 1, 3, 8, { 0x30, 1, 2, 3, 4, 5, 6, 7 } };
	struct token_says says = { .type = TOKEN_TYPE_VULNERABLE, .id = 0x1122334455667788ull,
		.creator = &creator, .block_bytes = 512, .bytes = 10240 };
	uint8_t token[COPY_TOKEN_LEN];
	uint32_t type = 0;
	uint64_t id = 0;

	memset(says.secret, 0x5a, sizeof(says.secret));
	token_put(&says, token);
	ck_assert_uint_eq(token_read(token, &type, &id), ASC_NONE);
	ck_assert_uint_eq(type, TOKEN_TYPE_VULNERABLE);
	ck_assert_uint_eq(id, says.id);
	ck_assert_uint_eq(be16_get(token + 6), 0x1f8);
	ck_assert_mem_eq(token + 16, "\xe4\0\0\0\x01\x03\0\x08\x30\1\2\3\4\5\6\7", 16);
	ck_assert_uint_eq(be64_get(token + 56), 10240);
	/* the secret is behind what is given away */
	for (size_t i = 0; i < TOKEN_MANAGE_LEN; i++)
		ck_assert_uint_ne(token[i], 0x5a);
	says.creator = NULL;
	token_put(&says, token);
	token[7]--;
	ck_assert_uint_eq(token_read(token, &type, &id), ASC_TOKEN_LENGTH);
	token[1] = 0;
	ck_assert_uint_eq(token_read(token, &type, &id), ASC_TOKEN_TYPE);
}
END_TEST

START_TEST(information_has_its_shape)
{
	uint8_t buf[TOKEN_INFO_MAX], token[COPY_TOKEN_LEN] = { 7 };
	struct token_info info = { .action = 0x10, .state = COPY_GOOD, .n_segments = 2,
		.blocks = 0x123456789ull, .token = token };

	ck_assert_uint_eq(token_put_info(&info, buf), 32 + 4 + 514);
	ck_assert_uint_eq(be32_get(buf), 28 + 4 + 514);
	ck_assert_uint_eq(buf[4], 0x10);
	ck_assert_uint_eq(buf[5], 1);
	ck_assert_uint_eq(buf[15], 0xf1);
	ck_assert_uint_eq(be64_get(buf + 16), 0x123456789ull);
	ck_assert_uint_eq(be32_get(buf + 32), 514);
	ck_assert_uint_eq(buf[38], 7);
	info = (struct token_info){ .action = 0x11, .state = COPY_FAILED,
		.sense = (const uint8_t *)"0123456789abcdefgh", .sense_len = 18 };
	ck_assert_uint_eq(token_put_info(&info, buf), 32 + 18 + 4);
	ck_assert_uint_eq(buf[5], 2);
	ck_assert_uint_eq(buf[12], 2);
	ck_assert_uint_eq(buf[13], 18);
	ck_assert_mem_eq(buf + 32, "0123456789abcdefgh", 18);
	ck_assert_uint_eq(be32_get(buf + 50), 0);
	info = (struct token_info){ .state = COPY_GOOD, .is_partial = true };
	ck_assert_uint_eq(token_put_info(&info, buf), 36);
	ck_assert_uint_eq(buf[5], 3);
	info.state = COPY_RUNNING;
	(void)token_put_info(&info, buf);
	ck_assert_uint_eq(buf[5], 0x11);
}
END_TEST

CHECK_MAIN("token lists", populate_is_read, bad_ranges_are_refused, write_is_read,
    tokens_say_what_they_are, information_has_its_shape)
