/* EXTENDED COPY parameter lists: what is read, what is refused with which sense; the answers */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "lu/copy_list.h"

static uint8_t list[COPY_LIST_MAX + 200];
static struct copy_list out;
static struct sense_data sense;

/* @n_cscds and @n_segments of type 02h; bytes of it */
static size_t
make(unsigned int n_cscds, unsigned int n_segments)
{
	size_t at = COPY_HDR_LEN;

	memset(list, 0, sizeof(list));
	list[0] = 7;
	be16_put(list + 2, (uint16_t)(32 * n_cscds));
	be32_put(list + 8, 28 * n_segments);
	for (unsigned int i = 0; i < n_cscds; i++, at += 32) {
		static const uint8_t cscd[32] = { 0xe4, [4] = 1, [5] = 3, [7] = 8, [8] = 0x30,
			[30] = 2 };

		memcpy(list + at, cscd, sizeof(cscd));
		list[at + 15] = (uint8_t)i;
	}
	for (unsigned int i = 0; i < n_segments; i++, at += 28) {
		list[at] = 0x02;
		be16_put(list + at + 2, 24);
		be16_put(list + at + 10, 100);
		be64_put(list + at + 12, i);
		be64_put(list + at + 20, 1000 + i);
	}
	return at;
}

static void
refused(size_t len, uint16_t asc, int byte)
{
	ck_assert_int_eq(copy_list_parse(list, len, &out, &sense), -EBADMSG);
	ck_assert_uint_eq(sense.key, SENSE_ILLEGAL_REQUEST);
	ck_assert_uint_eq(sense.asc, asc);
	ck_assert_int_eq(sense.sks == SENSE_SKS_FIELD ? sense.sks_value : -1, byte);
}

START_TEST(a_list_is_read)
{
	size_t len = make(2, 2);

	be16_put(list + 16 + 64 + 28 + 4, 1);
	be16_put(list + 16 + 64 + 28 + 6, COPY_SELF);
	list[16 + 64 + 28 + 1] = 0x03;	/* DC, CAT */
	ck_assert_int_eq(copy_list_parse(list, len, &out, &sense), 0);
	ck_assert_uint_eq(out.id, 7);
	ck_assert_uint_eq(out.usage, COPY_HOLD);
	ck_assert_uint_eq(out.n_cscds, 2);
	ck_assert_uint_eq(out.cscds[1].desig.type, 3);
	ck_assert_uint_eq(out.cscds[1].desig.code_set, 1);
	ck_assert_uint_eq(out.cscds[1].desig.len, 8);
	ck_assert_uint_eq(out.cscds[1].desig.data[7], 1);
	ck_assert_uint_eq(out.cscds[1].block_bytes, 512);
	ck_assert_uint_eq(out.cscds[1].at, 48);
	ck_assert_uint_eq(out.n_segments, 2);
	ck_assert_uint_eq(out.segments[1].at, 16 + 64 + 28);
	ck_assert_uint_eq(out.segments[1].src, 1);
	ck_assert_uint_eq(out.segments[1].dst, COPY_SELF);
	ck_assert(out.segments[1].is_of_dst && !out.segments[1].is_in_bytes);
	ck_assert_uint_eq(out.segments[1].count, 100);
	ck_assert_uint_eq(out.segments[1].src_lba, 1);
	ck_assert_uint_eq(out.segments[1].dst_lba, 1001);
	/* header alone; the obsolete bits of a CSCD descriptor are not looked at */
	ck_assert_int_eq(copy_list_parse(list, make(0, 0), &out, &sense), 0);
	ck_assert_uint_eq(out.n_segments, 0);
	len = make(1, 1);
	list[17] = 0xe0;
	list[1] = 0x17;		/* DISCARD, PRIORITY 7 */
	ck_assert_int_eq(copy_list_parse(list, len, &out, &sense), 0);
	ck_assert_uint_eq(out.usage, COPY_DISCARD);
}
END_TEST

START_TEST(lengths_must_fit)
{
	size_t len = make(1, 1);

	for (size_t cut = 1; cut < len; cut++)
		refused(cut, ASC_PARAMETER_LIST_LENGTH, -1);
	be16_put(list + 2, 31);
	refused(len, ASC_INVALID_FIELD_IN_LIST, 2);
	(void)make(1, 1);
	be32_put(list + 8, 27);
	refused(len, ASC_PARAMETER_LIST_LENGTH, -1);
	be32_put(list + 8, 31);
	refused(len + 3, ASC_PARAMETER_LIST_LENGTH, -1);
	be32_put(list + 8, UINT32_MAX);
	refused(len, ASC_PARAMETER_LIST_LENGTH, -1);
	(void)make(1, 1);
	be32_put(list + 12, 4);
	refused(len, ASC_INLINE_DATA_LENGTH, -1);
	(void)make(1, 1);
	be16_put(list + 48 + 2, 28);
	refused(len, ASC_INVALID_FIELD_IN_LIST, 50);
}
END_TEST

START_TEST(limits_are_held)
{
	ck_assert_int_eq(copy_list_parse(list, make(COPY_CSCD_MAX, 1), &out, &sense), 0);
	refused(make(COPY_CSCD_MAX + 1, 1), ASC_TOO_MANY_TARGET_DESCRIPTORS, -1);
	ck_assert_int_eq(copy_list_parse(list, make(1, COPY_SEGMENT_MAX), &out, &sense), 0);
	ck_assert_uint_eq(out.n_segments, COPY_SEGMENT_MAX);
	refused(make(1, COPY_SEGMENT_MAX + 1), ASC_TOO_MANY_SEGMENT_DESCRIPTORS, -1);
	(void)make(COPY_CSCD_MAX, COPY_SEGMENT_MAX);
	be32_put(list + 8, COPY_DESCR_MAX - 32 * COPY_CSCD_MAX + 1);
	refused(sizeof(list), ASC_PARAMETER_LIST_LENGTH, -1);
}
END_TEST

START_TEST(what_is_not_known_is_refused)
{
	static const uint8_t cscds[] = { 0xe0, 0xe5, 0xea, 0xff, 0x00 };
	static const uint8_t segments[] = { 0x00, 0x01, 0x03, 0x0b, 0x11, 0xbe, 0xff };
	size_t len = make(1, 1);

	for (size_t i = 0; i < sizeof(cscds); i++) {
		list[16] = cscds[i];
		refused(len, ASC_TARGET_DESCRIPTOR_TYPE, -1);
	}
	(void)make(1, 1);
	for (size_t i = 0; i < sizeof(segments); i++) {
		list[48] = segments[i];
		refused(len, ASC_SEGMENT_DESCRIPTOR_TYPE, -1);
	}
	(void)make(1, 1);
	list[17] = 0x01;	/* a tape */
	refused(len, ASC_INVALID_FIELD_IN_LIST, 17);
	(void)make(1, 1);
	list[21] |= 0x10;	/* designator of a port */
	refused(len, ASC_INVALID_FIELD_IN_LIST, 21);
	(void)make(1, 1);
	list[23] = 21;
	refused(len, ASC_INVALID_FIELD_IN_LIST, 23);
	list[23] = 0;
	refused(len, ASC_INVALID_FIELD_IN_LIST, 23);
	(void)make(1, 1);
	list[1] = 0x08;		/* LIST ID USAGE 01b */
	refused(len, ASC_INVALID_FIELD_IN_LIST, 1);
	list[1] = 0x18;		/* none, but there is one */
	refused(len, ASC_INVALID_FIELD_IN_LIST, 0);
	list[0] = 0;
	ck_assert_int_eq(copy_list_parse(list, len, &out, &sense), 0);
}
END_TEST

START_TEST(segments_become_bytes)
{
	static const struct {
		struct copy_segment s;
		uint32_t src_block, dst_block;
		int want;
		uint64_t src, dst;
		uint32_t bytes;
	} rows[] = {
		{ { .count = 3, .src_lba = 2, .dst_lba = 9 }, 512, 512, 0, 1024, 4608, 1536 },
		{ { .count = 8, .src_lba = 8, .dst_lba = 1 }, 512, 4096, 0, 4096, 4096, 4096 },
		{ { .count = 7, .src_lba = 8, .dst_lba = 1 }, 512, 4096, -EINVAL, 0, 0, 0 },
		{ { .count = 1, .src_lba = 8, .dst_lba = 1, .is_of_dst = true }, 512, 4096, 0,
		    4096, 4096, 4096 },
		{ { .count = 0, .src_lba = 1, .dst_lba = 1 }, 512, 512, 0, 512, 512, 0 },
		{ { .count = 65535 }, 4096, 4096, 0, 0, 0, 65535u * 4096 },
		{ { .count = 65535 }, 8192, 8192, -EMSGSIZE, 0, 0, 0 },
		{ { .count = COPY_BYTES_MAX, .is_in_bytes = true }, 512, 512, 0, 0, 0,
		    COPY_BYTES_MAX },
		{ { .count = COPY_BYTES_MAX + 512, .is_in_bytes = true }, 512, 512, -EMSGSIZE, 0,
		    0, 0 },
		{ { .count = 512, .is_in_bytes = true, .src_offset = 512, .dst_offset = 1024 },
		    512, 512, 0, 512, 1024, 512 },
		{ { .count = 512, .is_in_bytes = true, .src_offset = 1 }, 512, 512, -EINVAL, 0,
		    0, 0 },
		{ { .count = 512, .is_in_bytes = true, .dst_offset = 511 }, 512, 512, -EINVAL, 0,
		    0, 0 },
		{ { .count = 511, .is_in_bytes = true }, 512, 512, -EINVAL, 0, 0, 0 },
		{ { .count = 1, .src_lba = UINT64_MAX }, 512, 512, -ERANGE, 0, 0, 0 },
		{ { .count = 1, .dst_lba = UINT64_MAX / 512 }, 512, 512, -ERANGE, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t src = 0, dst = 0;
		uint32_t bytes = 0;

		ck_assert_msg(copy_segment_bytes(&rows[i].s, rows[i].src_block,
		    rows[i].dst_block, &src, &dst, &bytes) == rows[i].want, "row %zu", i);
		ck_assert_uint_eq(src, rows[i].src);
		ck_assert_uint_eq(dst, rows[i].dst);
		ck_assert_uint_eq(bytes, rows[i].bytes);
	}
}
END_TEST

START_TEST(answers_have_their_shape)
{
	uint8_t buf[COPY_FAILURE_MAX], page[COPY_PAGE_MAX];
	size_t len, at = 4;

	ck_assert_uint_eq(copy_put_parameters(buf), 47);
	ck_assert_uint_eq(be32_get(buf), 43);
	ck_assert_uint_eq(be16_get(buf + 8), COPY_CSCD_MAX);
	ck_assert_uint_eq(be32_get(buf + 16), COPY_BYTES_MAX);
	ck_assert_mem_eq(buf + 43, "\x03\x02\x0a\xe4", 4);
	ck_assert_uint_eq(copy_put_status(COPY_FAILED, 3, 0x12345, buf), 12);
	ck_assert_mem_eq(buf, "\0\0\0\x08\x02\0\x03\0\0\x01\x23\x45", 12);
	ck_assert_uint_eq(copy_put_status(COPY_GOOD, 3, 1ull << 32, buf), 12);
	ck_assert_uint_eq(buf[7], 1);
	ck_assert_uint_eq(be32_get(buf + 8), 1u << 22);
	ck_assert_uint_eq(copy_put_failure(2, (const uint8_t *)"abc", 3, buf), 63);
	ck_assert_uint_eq(be32_get(buf), 59);
	ck_assert_uint_eq(buf[56], 2);
	ck_assert_uint_eq(be16_get(buf + 58), 3);
	ck_assert_mem_eq(buf + 60, "abc", 3);

	len = copy_put_page(0, 512, page);
	ck_assert_uint_eq(be16_get(page + 2), len - 4);
	for (; at < len; at += 4u + be16_get(page + at + 2))
		ck_assert_uint_eq(at % 4, 0);
	ck_assert_uint_eq(at, len);
	ck_assert_uint_eq(be16_get(page + 4), 0);
	ck_assert_uint_eq(be64_get(page + 4 + 20), COPY_BYTES_MAX / 512);
	ck_assert_uint_eq(be16_get(page + 40), 0x0001);
	ck_assert_mem_eq(page + 44,
	    "\x0d\x83\x03\x00\x10\x11\x84\x06\x00\x01\x03\x04\x07\x08", 14);
	ck_assert_uint_eq(copy_put_page(0, 0, page), len);
}
END_TEST

CHECK_MAIN("copy lists", a_list_is_read, lengths_must_fit, limits_are_held,
    what_is_not_known_is_refused, segments_become_bytes, answers_have_their_shape)
