#include "scsi/cdb.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

#define ATA_BLOCK	512u	/* unit of a transfer length with T_TYPE 0 (SAT-3 12.2.2) */

size_t
cdb_len_by_opcode(uint8_t opcode)
{
	static const uint8_t by_group[8] = { 6, 10, 10, 0, 16, 12, 0, 0 };

	return by_group[opcode >> 5];
}

size_t
cdb_len(const uint8_t *cdb, size_t len)
{
	if (len == 0)
		return 0;
	if (cdb[0] == 0x7f)
		return len < 8 ? 0 : 8u + cdb[7];
	return cdb_len_by_opcode(cdb[0]);
}

static uint64_t
field_get(const uint8_t *cdb, size_t at, size_t width)
{
	const uint8_t *p = cdb + at;

	switch (width) {
	case 0:
		return 0;
	case 1:
		return *p;
	case 2:
		return be16_get(p);
	case 3:
		return (uint64_t)*p << 16 | be16_get(p + 1);
	case 4:
		return be32_get(p);
	default:
		return be64_get(p);
	}
}

/* WRITE SAME(10) has no NDOB */
static bool
is_ndob(const struct op_info *op, const uint8_t *cdb)
{
	return op->id != OP_WRITE_SAME_10 && (cdb_flags(op, cdb) & 0x01) != 0;
}

/* SAT-3 12.2.2: where the count is, what it counts and which way it goes */
static void
decode_ata(const uint8_t *cdb, uint32_t block_size, struct cdb_info *ret)
{
	bool is_16 = ret->op->cdb_len == 16;
	bool is_ext = is_16 && (cdb[1] & 0x01) != 0;
	uint32_t features = is_16 ? cdb[4] : cdb[3];
	uint32_t count = is_16 ? cdb[6] : cdb[4];
	uint32_t unit = 1;

	if (is_ext) {
		features |= (uint32_t)cdb[3] << 8;
		count |= (uint32_t)cdb[5] << 8;
	}
	if ((cdb[2] & 0x04) != 0)
		unit = (cdb[2] & 0x10) != 0 ? block_size : ATA_BLOCK;

	ret->dir = (cdb[2] & 0x08) != 0 ? OP_DIR_IN : OP_DIR_OUT;
	switch (cdb[2] & 0x03) {
	case 0:
		ret->dir = OP_DIR_NONE;
		break;
	case 1:
		ret->bytes = (uint64_t)features * unit;
		break;
	case 2:
		ret->bytes = (uint64_t)count * unit;
		break;
	default:
		unit = 0;
	}
	ret->has_bytes = ret->dir == OP_DIR_NONE || unit != 0;
}

/* bytes of @blocks; not known while the block size is not. Protection information as in
 * cdb_plain_bytes() */
static void
set_block_bytes(
    const uint8_t *cdb, struct cdb_info *ret, uint64_t blocks, uint32_t block_size)
{
	uint64_t tuple = block_size != 0 && cdb_protect(ret->op, cdb) != 0 ? CDB_TUPLE_LEN : 0;

	ret->bytes = blocks * (block_size + tuple);
	ret->has_bytes = blocks == 0 || block_size != 0;
}

static void
set_no_data(struct cdb_info *ret)
{
	ret->dir = OP_DIR_NONE;
	ret->bytes = 0;
	ret->has_bytes = true;
}

static void
decode_verify(const uint8_t *cdb, uint64_t count, uint32_t block_size, struct cdb_info *ret)
{
	uint8_t bytchk = (cdb_flags(ret->op, cdb) >> 1) & 0x03;

	ret->dir = OP_DIR_OUT;
	if (bytchk == 1)
		set_block_bytes(cdb, ret, count, block_size);
	else if (bytchk == 3)
		set_block_bytes(cdb, ret, 1, block_size);
	else
		set_no_data(ret);
}

static void
decode_xfer(const uint8_t *cdb, uint64_t count, uint32_t block_size, struct cdb_info *ret)
{
	const struct op_info *op = ret->op;

	ret->has_bytes = true;
	switch (op->xfer) {
	case OP_XFER_NONE:
	case OP_XFER_N:
		break;
	case OP_XFER_FIXED:
		ret->bytes = op->fixed;
		break;
	case OP_XFER_BYTES:
		ret->bytes = count;
		break;
	case OP_XFER_BLOCKS:
	case OP_XFER_BLOCKS6:
		set_block_bytes(cdb, ret, count, block_size);
		break;
	case OP_XFER_COMPARE:
		set_block_bytes(cdb, ret, 2 * count, block_size);
		break;
	case OP_XFER_WRITE_SAME:
		if (is_ndob(op, cdb))
			set_no_data(ret);
		else
			set_block_bytes(cdb, ret, 1, block_size);
		break;
	case OP_XFER_VERIFY:
		decode_verify(cdb, count, block_size, ret);
		break;
	case OP_XFER_WRITE_LONG:
		if ((cdb[1] & 0x40) != 0)
			set_no_data(ret);
		else
			ret->bytes = count;
		break;
	case OP_XFER_SECURITY:
		ret->bytes = (cdb[4] & 0x80) != 0 ? count * 512 : count;
		break;
	case OP_XFER_ATA:
		decode_ata(cdb, block_size, ret);
		break;
	case OP_XFER_LIST:
		ret->has_bytes = false;
		if (op->id == OP_FORMAT_UNIT && (cdb[1] & 0x10) == 0)
			set_no_data(ret);
		break;
	}
}

/* does the length field count blocks of the LBA range? */
static bool
has_block_count(const struct op_info *op)
{
	return op->lba_width != 0 && op->len_width != 0 && op->xfer != OP_XFER_BYTES &&
	    op->xfer != OP_XFER_WRITE_LONG;
}

static void
decode_plain(const struct op_info *op, const uint8_t *cdb, uint32_t block_size,
    struct cdb_info *ret)
{
	ret->op = op;
	ret->dir = op->dir;
	ret->is_known = true;
	ret->has_lba = true;
	ret->has_bytes = true;
	ret->cdb_len = op->cdb_len;
	ret->lba = cdb_plain_lba(op, cdb);
	ret->blocks = cdb_plain_blocks(op, cdb);
	ret->bytes = cdb_plain_bytes(op, cdb, block_size);
}

/* @len is not 0. Out of the way of the plain ones */
static int __attribute__((noinline))
decode_any(const uint8_t *cdb, size_t len, uint32_t block_size, struct cdb_info *ret)
{
	const struct op_info *op;
	size_t need = cdb_len(cdb, len);
	uint64_t count;

	if (len < need || (cdb[0] == 0x7f && need == 0))
		return -EINVAL;
	op = op_find(cdb, len);
	if (op != NULL && op->cdb_len != need)
		op = NULL;		/* 7Fh, of another length than the action has */
	*ret = (struct cdb_info){
		.op = op, .dir = OP_DIR_BOTH, .is_known = op != NULL, .cdb_len = need,
	};
	if (op == NULL)
		return 0;

	ret->dir = op->dir;
	count = field_get(cdb, op->len_at, op->len_width);
	if (op->xfer == OP_XFER_BLOCKS6 && count == 0)
		count = 256;
	if (op->lba_width != 0) {
		ret->has_lba = true;
		ret->lba = field_get(cdb, op->lba_at, op->lba_width);
		if (op->lba_width == 3)
			ret->lba &= 0x1fffff;
	}
	if (has_block_count(op))
		ret->blocks = count;
	decode_xfer(cdb, count, block_size, ret);
	return 0;
}

int
cdb_decode(const uint8_t *cdb, size_t len, uint32_t block_size, struct cdb_info *ret)
{
	const struct op_info *op;

	if (len == 0)
		return -EINVAL;
	op = cdb_plain(cdb, len);
	if (UNLIKELY(op == NULL || block_size == 0))
		return decode_any(cdb, len, block_size, ret);
	decode_plain(op, cdb, block_size, ret);
	return 0;
}

uint8_t
cdb_control_at(const struct op_info *op)
{
	return op->flags & OP_F_VARLEN ? 1 : (uint8_t)(op->cdb_len - 1);
}

bool
cdb_reserved_bit(const struct op_info *op, const uint8_t *cdb, size_t len, uint8_t *ret_byte,
    uint8_t *ret_bit)
{
	uint8_t control = cdb_control_at(op);

	if (cdb_has_usage(op, cdb, len))
		return false;
	for (uint8_t i = 1; i < op->cdb_len && i < len; i++) {
		uint8_t mask = op->usage[i] | (i == control ? 0xc0 : 0);
		uint8_t over = (uint8_t)(cdb[i] & ~mask);

		if (over == 0)
			continue;
		*ret_byte = i;
		*ret_bit = (uint8_t)(31 - __builtin_clz(over));
		return true;
	}
	return false;
}
