/* ROD tokens: lists read, tokens and answers written (lu/token_list.h) */
#include "lu/token_list.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "scsi/asc.h"
#include "scsi/cdb.h"

#define RTV			0x02
#define DEL_TKN			0x02
#define TOKEN_LENGTH		(COPY_TOKEN_LEN - 8)	/* ROD TOKEN LENGTH */
#define UNITS_BLOCKS		0xf1	/* TRANSFER COUNT UNITS */
#define STATUS_PARTIAL		0x03	/* COPY OPERATION STATUS: a part of the token was used */
#define STATUS_RUNNING		0x11	/* in progress, in the foreground */

static int
bad(struct sense_data *reterr, uint16_t asc)
{
	*reterr = sense_make(SENSE_ILLEGAL_REQUEST, asc);
	return -EBADMSG;
}

static int
bad_field(struct sense_data *reterr, size_t byte, int bit)
{
	*reterr = sense_invalid_field_list((uint16_t)byte, bit);
	return -EBADMSG;
}

/* ------ ranges ------ */

/* does the last of @n ranges share a block with another? */
static bool
is_overlapping(const struct token_range *ranges, unsigned int n)
{
	const struct token_range *last = &ranges[n - 1];

	for (unsigned int i = 0; i + 1 < n; i++) {
		if (last->lba < ranges[i].lba + ranges[i].blocks &&
		    ranges[i].lba < last->lba + last->blocks)
			return true;
	}
	return false;
}

/* one at @at; empty ranges are dropped */
static int
range_add(struct token_list *out, const uint8_t *list, size_t at, uint64_t capacity,
    struct sense_data *reterr)
{
	struct token_range *range = &out->ranges[out->n_ranges];

	range->lba = be64_get(list + at);
	range->blocks = be32_get(list + at + 8);
	if (!cdb_range_ok(range->lba, range->blocks, capacity))
		return bad(reterr, ASC_LBA_OUT_OF_RANGE);
	if (range->blocks == 0)
		return 0;
	out->blocks += range->blocks;
	out->n_ranges++;
	return is_overlapping(out->ranges, out->n_ranges) ? bad_field(reterr, at, -1) : 0;
}

/* their length stands @hdr - 2 bytes into the list */
static int
ranges_parse(const uint8_t *list, size_t len, size_t hdr, uint64_t capacity,
    uint32_t block_bytes, struct token_list *out, struct sense_data *reterr)
{
	size_t ranges_len = be16_get(list + hdr - 2);
	uint64_t bytes;
	int r = 0;

	if (ranges_len < TOKEN_RANGE_LEN)
		return bad_field(reterr, hdr - 2, -1);
	/* SBC-3: what is behind the last whole descriptor is ignored */
	ranges_len -= ranges_len % TOKEN_RANGE_LEN;
	if (ranges_len / TOKEN_RANGE_LEN > TOKEN_RANGE_MAX)
		return bad(reterr, ASC_TOO_MANY_SEGMENT_DESCRIPTORS);
	if (hdr + ranges_len > len)
		return bad(reterr, ASC_PARAMETER_LIST_LENGTH);
	for (size_t at = 0; r == 0 && at < ranges_len; at += TOKEN_RANGE_LEN)
		r = range_add(out, list, hdr + at, capacity, reterr);
	if (r < 0)
		return r;
	if (!num_mul(out->blocks, block_bytes, &bytes) || bytes > TOKEN_BYTES_MAX)
		return bad_field(reterr, hdr - 2, -1);
	return 0;
}

/* ------ lists ------ */

/* the length in front counts what is behind it; ranges need no more than it says */
static int
header_check(const uint8_t *list, size_t len, size_t hdr, struct sense_data *reterr)
{
	if (len < hdr)
		return bad(reterr, ASC_PARAMETER_LIST_LENGTH);
	if ((size_t)be16_get(list) + 2 < hdr + TOKEN_RANGE_LEN)
		return bad_field(reterr, 0, -1);
	return 0;
}

int
token_populate_parse(const uint8_t *list, size_t len, uint64_t capacity, uint32_t block_bytes,
    struct token_list *ret, struct sense_data *reterr)
{
	uint32_t type;
	int r = header_check(list, len, TOKEN_POPULATE_HDR, reterr);

	if (r < 0)
		return r;
	type = be32_get(list + 8);
	if ((list[2] & RTV) != 0 && type != TOKEN_TYPE_DEFAULT &&
	    type != TOKEN_TYPE_VULNERABLE && type != TOKEN_TYPE_ANY_POINT)
		return bad_field(reterr, 8, -1);
	*ret = (struct token_list){ .idle_s = be32_get(list + 4) };
	if (ret->idle_s > TOKEN_IDLE_MAX_S)
		return bad_field(reterr, 4, -1);
	if (ret->idle_s == 0)
		ret->idle_s = TOKEN_IDLE_DEFAULT_S;
	return ranges_parse(list, len, TOKEN_POPULATE_HDR, capacity, block_bytes, ret, reterr);
}

int
token_write_parse(const uint8_t *list, size_t len, uint64_t capacity, uint32_t block_bytes,
    struct token_list *ret, struct sense_data *reterr)
{
	int r = header_check(list, len, TOKEN_WRITE_HDR, reterr);

	if (r < 0)
		return r;
	*ret = (struct token_list){
		.is_del = (list[2] & DEL_TKN) != 0,
		.offset = be64_get(list + 8),
	};
	memcpy(ret->token, list + 16, COPY_TOKEN_LEN);
	return ranges_parse(list, len, TOKEN_WRITE_HDR, capacity, block_bytes, ret, reterr);
}

/* ------ tokens ------ */

void
token_put(const struct token_says *says, uint8_t token[COPY_TOKEN_LEN])
{
	uint8_t *cscd = token + 16;

	memset(token, 0, COPY_TOKEN_LEN);
	be32_put(token, says->type);
	be16_put(token + 6, TOKEN_LENGTH);
	be64_put(token + 8, says->id);
	cscd[0] = 0xe4;
	if (says->creator != NULL) {
		cscd[4] = says->creator->code_set;
		cscd[5] = says->creator->type;
		cscd[7] = says->creator->len;
		memcpy(cscd + 8, says->creator->data, says->creator->len);
	}
	be24_put(cscd + 29, says->block_bytes & 0xffffff);
	be64_put(token + 56, says->bytes);	/* NUMBER OF BYTES REPRESENTED, lower half */
	/* device type specific data: as READ CAPACITY(16) has it */
	be32_put(token + 96, says->block_bytes);
	memcpy(token + 128, says->secret, sizeof(says->secret));
}

uint16_t
token_read(const uint8_t token[COPY_TOKEN_LEN], uint32_t *ret_type, uint64_t *ret_id)
{
	uint32_t type = be32_get(token);

	if (type != TOKEN_TYPE_VULNERABLE && type != TOKEN_TYPE_ZERO)
		return ASC_TOKEN_TYPE;
	if (be16_get(token + 6) != TOKEN_LENGTH)
		return ASC_TOKEN_LENGTH;
	*ret_type = type;
	*ret_id = be64_get(token + 8);
	return ASC_NONE;
}

/* ------ data-in ------ */

static uint8_t
operation_status(const struct token_info *info)
{
	switch (info->state) {
	case COPY_RUNNING:
		return STATUS_RUNNING;
	case COPY_FAILED:
		return COPY_FAILED;
	case COPY_GOOD:
		break;
	}
	return info->is_partial ? STATUS_PARTIAL : COPY_GOOD;
}

size_t
token_put_info(const struct token_info *info, uint8_t buf[TOKEN_INFO_MAX])
{
	size_t at = 32;

	memset(buf, 0, at);
	buf[4] = info->action & 0x1f;
	buf[5] = operation_status(info);
	be16_put(buf + 6, 1);		/* OPERATION COUNTER */
	be32_put(buf + 8, info->state == COPY_RUNNING ? 1000 : UINT32_MAX - 1);
	buf[12] = info->sense_len > 0 ? 0x02 : 0;
	buf[13] = info->sense_len;
	buf[14] = info->sense_len;
	buf[15] = UNITS_BLOCKS;
	be64_put(buf + 16, info->blocks);
	be16_put(buf + 24, info->n_segments);
	if (info->sense_len > 0)
		memcpy(buf + at, info->sense, info->sense_len);
	at += info->sense_len;
	be32_put(buf + at, info->token == NULL ? 0 : 2 + COPY_TOKEN_LEN);
	at += 4;
	if (info->token != NULL) {
		be16_put(buf + at, 0);
		memcpy(buf + at + 2, info->token, COPY_TOKEN_LEN);
		at += 2 + COPY_TOKEN_LEN;
	}
	be32_put(buf, (uint32_t)(at - 4));
	return at;
}
