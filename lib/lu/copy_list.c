/* EXTENDED COPY: lists read, answers and page 8Fh written (lu/copy_list.h) */
#include "lu/copy_list.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/num.h"
#include "lu/token_list.h"
#include "scsi/asc.h"
#include "scsi/vpd.h"

#define CSCD_IDENT		0xe4
#define SEG_BLOCKS		0x02
#define SEG_BYTES		0x0a
#define SEG_BLOCKS_LEN		0x18	/* DESCRIPTOR LENGTH of it */
#define SEG_BYTES_LEN		0x1c
#define SEG_HDR			4
#define DC			0x02
#define GRANULARITY		9	/* 2^9 bytes: the smallest block there is */

/* ------ the list ------ */

struct parser {
	const uint8_t *list;
	struct copy_list *out;
	struct sense_data *reterr;
};

static int
bad(const struct parser *p, uint16_t asc)
{
	*p->reterr = sense_make(SENSE_ILLEGAL_REQUEST, asc);
	return -EBADMSG;
}

static int
bad_field(const struct parser *p, size_t byte, int bit)
{
	*p->reterr = sense_invalid_field_list((uint16_t)byte, bit);
	return -EBADMSG;
}

static int
parse_cscd(const struct parser *p, size_t at)
{
	const uint8_t *d = p->list + at;
	struct copy_cscd *cscd = &p->out->cscds[p->out->n_cscds];

	if (d[0] != CSCD_IDENT)
		return bad(p, ASC_TARGET_DESCRIPTOR_TYPE);
	if ((d[1] & 0x1f) != 0)		/* PERIPHERAL DEVICE TYPE: block devices */
		return bad_field(p, at + 1, 4);
	if ((d[5] & 0x30) != 0)		/* ASSOCIATION: logical unit */
		return bad_field(p, at + 5, 5);
	if (d[7] == 0 || d[7] > COPY_DESIG_MAX)
		return bad_field(p, at + 7, -1);
	*cscd = (struct copy_cscd){
		.desig = { .code_set = d[4] & 0x0f, .type = d[5] & 0x0f, .len = d[7] },
		.block_bytes = be24_get(d + 29),
		.at = (uint16_t)at,
	};
	memcpy(cscd->desig.data, d + 8, d[7]);
	p->out->n_cscds++;
	return 0;
}

static int
parse_cscds(const struct parser *p, size_t len)
{
	int r = 0;

	if (len / COPY_CSCD_LEN > COPY_CSCD_MAX)
		return bad(p, ASC_TOO_MANY_TARGET_DESCRIPTORS);
	for (size_t at = 0; r == 0 && at < len; at += COPY_CSCD_LEN)
		r = parse_cscd(p, COPY_HDR_LEN + at);
	return r;
}

static void
parse_segment(const struct parser *p, size_t at)
{
	const uint8_t *d = p->list + at;
	bool is_in_bytes = d[0] == SEG_BYTES;

	p->out->segments[p->out->n_segments++] = (struct copy_segment){
		.src = be16_get(d + 4),
		.dst = be16_get(d + 6),
		.at = (uint16_t)at,
		.is_in_bytes = is_in_bytes,
		.is_of_dst = (d[1] & DC) != 0,
		.count = is_in_bytes ? be32_get(d + 8) : be16_get(d + 10),
		.src_lba = be64_get(d + 12),
		.dst_lba = be64_get(d + 20),
		.src_offset = is_in_bytes ? be16_get(d + 28) : 0,
		.dst_offset = is_in_bytes ? be16_get(d + 30) : 0,
	};
}

static int
parse_segments(const struct parser *p, size_t at, size_t len)
{
	size_t end = at + len;

	while (at < end) {
		const uint8_t *d = p->list + at;

		if (end - at < SEG_HDR)
			return bad(p, ASC_PARAMETER_LIST_LENGTH);
		if (p->out->n_segments == COPY_SEGMENT_MAX)
			return bad(p, ASC_TOO_MANY_SEGMENT_DESCRIPTORS);
		if (d[0] != SEG_BLOCKS && d[0] != SEG_BYTES)
			return bad(p, ASC_SEGMENT_DESCRIPTOR_TYPE);
		if (be16_get(d + 2) != (d[0] == SEG_BYTES ? SEG_BYTES_LEN : SEG_BLOCKS_LEN))
			return bad_field(p, at + 2, -1);
		if (end - at < (size_t)SEG_HDR + be16_get(d + 2))
			return bad(p, ASC_PARAMETER_LIST_LENGTH);
		parse_segment(p, at);
		at += (size_t)SEG_HDR + be16_get(d + 2);
	}
	return 0;
}

/* usage and identifier fit; the lengths come to what is there */
static int
parse_header(const struct parser *p, size_t len, size_t *ret_cscds, size_t *ret_segments)
{
	size_t cscds = be16_get(p->list + 2), segments = be32_get(p->list + 8);
	uint8_t usage = (p->list[1] >> 3) & 0x03;

	if (usage != COPY_HOLD && usage != COPY_DISCARD && usage != COPY_NO_ID)
		return bad_field(p, 1, 4);
	if (usage == COPY_NO_ID && p->list[0] != 0)
		return bad_field(p, 0, -1);
	if (be32_get(p->list + 12) != 0)
		return bad(p, ASC_INLINE_DATA_LENGTH);
	if (cscds % COPY_CSCD_LEN != 0)
		return bad_field(p, 2, -1);
	if (cscds + segments > COPY_DESCR_MAX || COPY_HDR_LEN + cscds + segments > len)
		return bad(p, ASC_PARAMETER_LIST_LENGTH);
	p->out->id = p->list[0];
	p->out->usage = usage;
	*ret_cscds = cscds;
	*ret_segments = segments;
	return 0;
}

int
copy_list_parse(const uint8_t *list, size_t len, struct copy_list *ret,
    struct sense_data *reterr)
{
	const struct parser p = { list, ret, reterr };
	size_t cscds = 0, segments = 0;
	int r;

	ret->n_cscds = 0;
	ret->n_segments = 0;
	if (len < COPY_HDR_LEN)
		return bad(&p, ASC_PARAMETER_LIST_LENGTH);
	r = parse_header(&p, len, &cscds, &segments);
	if (r < 0)
		return r;
	r = parse_cscds(&p, cscds);
	if (r < 0)
		return r;
	return parse_segments(&p, COPY_HDR_LEN + cscds, segments);
}

int
copy_segment_bytes(const struct copy_segment *s, uint32_t src_block, uint32_t dst_block,
    uint64_t *ret_src, uint64_t *ret_dst, uint32_t *ret_bytes)
{
	uint64_t bytes = s->count, src, dst;

	if (!s->is_in_bytes && !num_mul(bytes, s->is_of_dst ? dst_block : src_block, &bytes))
		return -EMSGSIZE;
	if (bytes > COPY_BYTES_MAX)
		return -EMSGSIZE;
	if (!num_mul(s->src_lba, src_block, &src) || !num_add(src, s->src_offset, &src) ||
	    !num_mul(s->dst_lba, dst_block, &dst) || !num_add(dst, s->dst_offset, &dst) ||
	    src > UINT64_MAX - bytes || dst > UINT64_MAX - bytes)
		return -ERANGE;
	if (src % src_block != 0 || dst % dst_block != 0 || bytes % src_block != 0 ||
	    bytes % dst_block != 0)
		return -EINVAL;
	*ret_src = src;
	*ret_dst = dst;
	*ret_bytes = (uint32_t)bytes;
	return 0;
}

/* ------ data-in ------ */

size_t
copy_put_parameters(uint8_t buf[COPY_PARAMETERS_LEN])
{
	memset(buf, 0, COPY_PARAMETERS_LEN);
	be32_put(buf, COPY_PARAMETERS_LEN - 4);
	buf[4] = 0x01;			/* SNLID: copies without a list identifier */
	be16_put(buf + 8, COPY_CSCD_MAX);
	be16_put(buf + 10, COPY_SEGMENT_MAX);
	be32_put(buf + 12, COPY_DESCR_MAX);
	be32_put(buf + 16, COPY_BYTES_MAX);
	be16_put(buf + 34, COPY_TOTAL_MAX);
	buf[36] = COPY_UNIT_MAX;
	buf[37] = GRANULARITY;
	buf[43] = 3;
	buf[44] = SEG_BLOCKS;
	buf[45] = SEG_BYTES;
	buf[46] = CSCD_IDENT;
	return COPY_PARAMETERS_LEN;
}

size_t
copy_put_status(enum copy_state state, uint16_t n_segments, uint64_t bytes,
    uint8_t buf[COPY_STATUS_LEN])
{
	uint8_t unit = 0;

	/* TRANSFER COUNT UNITS: bytes, or KiB, of which every copy allowed here has few
	 * enough */
	if (bytes > UINT32_MAX) {
		unit = 1;
		bytes >>= 10;
	}
	memset(buf, 0, COPY_STATUS_LEN);
	be32_put(buf, COPY_STATUS_LEN - 4);
	buf[4] = (uint8_t)state;
	be16_put(buf + 5, n_segments);
	buf[7] = unit;
	be32_put(buf + 8, (uint32_t)bytes);
	return COPY_STATUS_LEN;
}

size_t
copy_put_failure(uint8_t status, const uint8_t *sense, size_t sense_len,
    uint8_t buf[COPY_FAILURE_MAX])
{
	memset(buf, 0, 60);
	be32_put(buf, (uint32_t)(56 + sense_len));
	buf[56] = status;
	be16_put(buf + 58, (uint16_t)sense_len);
	memcpy(buf + 60, sense, sense_len);
	return 60 + sense_len;
}

/* ------ page 8Fh ------ */

/* descriptors are padded to multiples of four; length fields come last, so they are put back */
static size_t
descr_begin(struct cursor *c, uint16_t type)
{
	cursor_put_be16(c, type);
	cursor_put_be16(c, 0);
	return c->pos;
}

static void
descr_end(struct cursor *c, size_t begin)
{
	while (cursor_ok(c) && c->pos % 4 != 0)
		cursor_put_u8(c, 0);
	be16_put(c->base + begin - 2, (uint16_t)(c->pos - begin));
}

static void
put_zeros(struct cursor *c, size_t n)
{
	uint8_t *p = cursor_take(c, n);

	if (p != NULL)
		memset(p, 0, n);
}

/* Block Device ROD Token Limits */
static void
put_token_limits(struct cursor *c, uint32_t block_bytes)
{
	uint64_t blocks = block_bytes == 0 ? 0 : TOKEN_BYTES_MAX / block_bytes;
	size_t begin = descr_begin(c, 0x0000);

	put_zeros(c, 6);
	cursor_put_be16(c, TOKEN_RANGE_MAX);
	cursor_put_be32(c, TOKEN_IDLE_MAX_S);
	cursor_put_be32(c, TOKEN_IDLE_DEFAULT_S);
	cursor_put_be64(c, blocks);
	cursor_put_be64(c, blocks);
	descr_end(c, begin);
}

/* ROD Token Features, and those of block devices in it */
static void
put_token_features(struct cursor *c)
{
	size_t begin = descr_begin(c, 0x0106);

	put_zeros(c, 12);		/* no remote tokens */
	cursor_put_be32(c, 0);		/* lifetime: nothing is promised */
	cursor_put_be32(c, UINT32_MAX);
	cursor_put_be32(c, TOKEN_IDLE_MAX_S);
	put_zeros(c, 18);
	cursor_put_be16(c, 48);
	cursor_put_be16(c, 0);
	cursor_put_be16(c, 44);
	put_zeros(c, 4);
	for (unsigned int i = 0; i < 4; i++)
		cursor_put_be64(c, TOKEN_BYTES_MAX);
	put_zeros(c, 8);
	descr_end(c, begin);
}

/* Supported ROD Types: what may be made and used, what may only be used */
static void
put_token_types(struct cursor *c)
{
	static const struct {
		uint32_t type;
		uint8_t flags;		/* TOKEN_IN, TOKEN_OUT */
	} types[] = { { TOKEN_TYPE_VULNERABLE, 0x03 }, { TOKEN_TYPE_ZERO, 0x02 } };
	size_t begin = descr_begin(c, 0x0108);

	put_zeros(c, 2);
	cursor_put_be16(c, 64 * ARRAY_LEN(types));
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		cursor_put_be32(c, types[i].type);
		cursor_put_u8(c, types[i].flags);
		put_zeros(c, 59);
	}
	descr_end(c, begin);
}

static void
put_commands(struct cursor *c)
{
	/* operation code, how many service actions, those */
	static const uint8_t commands[] = {
		0x83, 3, 0x00, 0x10, 0x11,
		0x84, 6, 0x00, 0x01, 0x03, 0x04, 0x07, 0x08,
	};
	size_t begin = descr_begin(c, 0x0001);

	cursor_put_u8(c, sizeof(commands));
	cursor_put_bytes(c, commands, sizeof(commands));
	descr_end(c, begin);
}

static void
put_parameter_data(struct cursor *c)
{
	size_t begin = descr_begin(c, 0x0004);

	put_zeros(c, 4);
	cursor_put_be16(c, COPY_CSCD_MAX);
	cursor_put_be16(c, COPY_SEGMENT_MAX);
	cursor_put_be32(c, COPY_DESCR_MAX);
	put_zeros(c, 4 + 12);		/* no inline data */
	descr_end(c, begin);
}

static void
put_descriptors(struct cursor *c)
{
	size_t begin = descr_begin(c, 0x0008);

	cursor_put_u8(c, 3);
	cursor_put_u8(c, SEG_BLOCKS);
	cursor_put_u8(c, SEG_BYTES);
	cursor_put_u8(c, CSCD_IDENT);
	descr_end(c, begin);
	begin = descr_begin(c, 0x000c);
	cursor_put_be16(c, 2);
	cursor_put_be16(c, COPY_SELF);
	descr_end(c, begin);
}

static void
put_general(struct cursor *c)
{
	size_t begin = descr_begin(c, 0x8001);

	cursor_put_be32(c, COPY_TOTAL_MAX);
	cursor_put_be32(c, COPY_UNIT_MAX);
	cursor_put_be32(c, COPY_BYTES_MAX);
	cursor_put_u8(c, GRANULARITY);
	put_zeros(c, 19);
	descr_end(c, begin);
}

size_t
copy_put_page(uint8_t type_qual, uint32_t block_bytes, uint8_t buf[COPY_PAGE_MAX])
{
	struct cursor c = cursor_write_init(buf, COPY_PAGE_MAX);
	size_t begin;

	cursor_put_u8(&c, type_qual);
	cursor_put_u8(&c, VPD_THIRD_PARTY_COPY);
	cursor_put_be16(&c, 0);
	put_token_limits(&c, block_bytes);
	put_commands(&c);
	put_parameter_data(&c);
	put_descriptors(&c);
	put_token_features(&c);
	put_token_types(&c);
	put_general(&c);
	begin = descr_begin(&c, 0xc001);	/* held data: none */
	put_zeros(&c, 28);
	descr_end(&c, begin);
	be16_put(buf + 2, (uint16_t)(c.pos - 4));
	return c.pos;
}
