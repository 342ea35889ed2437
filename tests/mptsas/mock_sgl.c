#include "mock_sgl.h"

#include <check.h>

#include "base/bytes.h"

/* where the reader is: an element of a segment, and what leads on from there */
struct reader {
	const uint8_t *at, *end;
	const uint8_t *chain;		/* the segment's chain element; NULL: none */
	sgl_at_fn resolve;
	void *arg;
};

static uint32_t
element_bytes(uint32_t flags)
{
	return (flags & MPT_SGE_ADDR64) != 0 ? MPT_SGE64_BYTES : MPT_SGE32_BYTES;
}

static uint64_t
element_iova(const uint8_t *element, uint32_t flags)
{
	return (flags & MPT_SGE_ADDR64) != 0 ? le64_get(element + 4) : le32_get(element + 4);
}

/* on to the segment that the chain element names */
static void
follow(struct reader *r)
{
	const uint8_t *chain = r->chain;
	uint32_t flags, len, off;
	const uint8_t *segment;

	ck_assert_ptr_nonnull(chain);
	flags = le32_get(chain);
	ck_assert_uint_eq(flags & MPT_SGE_TYPE, MPT_SGE_CHAIN);
	len = flags & 0xffff;
	off = 4 * (flags >> 16 & 0xff);
	segment = r->resolve(r->arg, element_iova(chain, flags), len);
	ck_assert_uint_lt(off, len);
	r->at = segment;
	r->end = segment + len;
	r->chain = off == 0 ? NULL : segment + off;
}

/* one simple element; true: it ends the list */
static bool
element_read(struct reader *r, struct sgl_piece *ret)
{
	uint32_t flags = le32_get(r->at);

	ck_assert_uint_eq(flags & MPT_SGE_TYPE, MPT_SGE_SIMPLE);
	ck_assert(r->at + element_bytes(flags) <= r->end);
	*ret = (struct sgl_piece){ element_iova(r->at, flags), flags & MPT_SGE_LEN_MAX,
		(flags & MPT_SGE_TO_DEVICE) != 0 };
	r->at += element_bytes(flags);
	if ((flags & MPT_SGE_END_LIST) != 0) {
		ck_assert_uint_eq(flags & MPT_SGE_END, MPT_SGE_END);
		return true;
	}
	if ((flags & MPT_SGE_LAST) != 0) {
		ck_assert_ptr_eq(r->at, r->chain);
		follow(r);
	}
	return false;
}

unsigned int
sgl_read(const uint8_t *frame, uint32_t frame_bytes, sgl_at_fn at, void *arg,
    struct sgl_piece *pieces, unsigned int max)
{
	uint32_t off = 4u * frame[MPT_CHAIN_OFFSET];
	struct reader r = { .at = frame + MPT_IO_SGL, .end = frame + frame_bytes,
		.chain = off == 0 ? NULL : frame + off, .resolve = at, .arg = arg };
	uint64_t bytes = 0;
	unsigned int n = 0;
	bool is_end = false;

	while (!is_end) {
		struct sgl_piece piece;

		is_end = element_read(&r, &piece);
		if (piece.len == 0) {
			ck_assert(is_end && n == 0);
			break;
		}
		ck_assert_uint_lt(n, max);
		pieces[n++] = piece;
		bytes += piece.len;
	}
	ck_assert_uint_eq(bytes, le32_get(frame + MPT_IO_DATA_LEN));
	return n;
}
