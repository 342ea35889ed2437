#include "scsi/cdb.h"

#include <string.h>

#include "base/bytes.h"

/* a block command in its forms; OP_N where a form does not exist */
struct block_forms {
	enum op_id op_6, op_10, op_12, op_16;
	unsigned flags;		/* CDB_* the command knows */
	unsigned flags_16;	/* CDB_* only its 16-byte form knows */
};

static size_t
refuse(uint8_t *cdb)
{
	memset(cdb, 0, CDB_BUF_LEN);
	return 0;
}

static bool
fits(uint64_t v, size_t width)
{
	return width >= 8 || v >> (8 * width) == 0;
}

static void
put(uint8_t *cdb, size_t at, size_t width, uint64_t v)
{
	for (size_t i = width; i > 0; i--, v >>= 8)
		cdb[at + i - 1] = (uint8_t)v;
}

/* @op with opcode and service action in place; the rest zero */
static const struct op_info *
start(uint8_t *cdb, enum op_id id)
{
	const struct op_info *op = op_get(id);

	memset(cdb, 0, CDB_BUF_LEN);
	cdb[0] = op->opcode;
	if (op->sa_place == OP_SA_BYTE1)
		cdb[1] = (uint8_t)op->sa;
	return op;
}

/* @id with its length field; 0 when @count does not fit */
static size_t
with_len(uint8_t *cdb, enum op_id id, uint64_t count)
{
	const struct op_info *op = start(cdb, id);

	if (!fits(count, op->len_width))
		return refuse(cdb);
	put(cdb, op->len_at, op->len_width, count);
	return op->cdb_len;
}

/* CDB_* flags as bits of byte 1 */
static uint8_t
flag_bits(unsigned flags)
{
	static const struct {
		unsigned flag;
		uint8_t bits;
	} map[] = {
		{ CDB_FUA, 0x08 },
		{ CDB_DPO, 0x10 },
		{ CDB_BYTCHK_1, 0x02 },
		{ CDB_BYTCHK_3, 0x06 },
		{ CDB_UNMAP, 0x08 },
		{ CDB_ANCHOR, 0x10 },
		{ CDB_NDOB, 0x01 },
		{ CDB_IMMED, 0x02 },
	};
	uint8_t bits = 0;

	for (size_t i = 0; i < ARRAY_LEN(map); i++) {
		if ((flags & map[i].flag) != 0)
			bits |= map[i].bits;
	}
	return bits;
}

static size_t
block_one(uint8_t *cdb, enum op_id id, uint64_t lba, uint64_t blocks, unsigned flags)
{
	const struct op_info *op = op_get(id);

	if (op->xfer == OP_XFER_BLOCKS6) {
		if (lba > 0x1fffff || blocks == 0 || blocks > 256 || flags != 0)
			return refuse(cdb);
		blocks &= 0xff;		/* 0 says 256 */
	}
	if (!fits(lba, op->lba_width) || !fits(blocks, op->len_width))
		return refuse(cdb);
	start(cdb, id);
	cdb[1] |= flag_bits(flags);
	put(cdb, op->lba_at, op->lba_width, lba);
	put(cdb, op->len_at, op->len_width, blocks);
	return op->cdb_len;
}

static enum op_id
form_id(const struct block_forms *f, enum cdb_form form)
{
	switch (form) {
	case CDB_AUTO:
		break;
	case CDB_6:
		return f->op_6;
	case CDB_10:
		return f->op_10;
	case CDB_12:
		return f->op_12;
	case CDB_16:
		return f->op_16;
	}
	return OP_N;
}

static size_t
block_build(const struct block_forms *f, uint8_t *cdb, enum cdb_form form, uint64_t lba,
    uint32_t blocks, unsigned flags)
{
	enum op_id id;

	if ((flags & ~(f->flags | f->flags_16)) != 0)
		return refuse(cdb);
	if (form == CDB_AUTO) {
		form = CDB_10;
		if (lba > UINT32_MAX || blocks > UINT16_MAX || (flags & f->flags_16) != 0)
			form = CDB_16;
	}
	id = form_id(f, form);
	if (id == OP_N || (form != CDB_16 && (flags & f->flags_16) != 0))
		return refuse(cdb);
	return block_one(cdb, id, lba, blocks, flags);
}

size_t
cdb_read(uint8_t *cdb, enum cdb_form form, uint64_t lba, uint32_t blocks, unsigned flags)
{
	static const struct block_forms f = { OP_READ_6, OP_READ_10, OP_READ_12, OP_READ_16,
		.flags = CDB_FUA | CDB_DPO };

	return block_build(&f, cdb, form, lba, blocks, flags);
}

size_t
cdb_write(uint8_t *cdb, enum cdb_form form, uint64_t lba, uint32_t blocks, unsigned flags)
{
	static const struct block_forms f = { OP_WRITE_6, OP_WRITE_10, OP_WRITE_12, OP_WRITE_16,
		.flags = CDB_FUA | CDB_DPO };

	return block_build(&f, cdb, form, lba, blocks, flags);
}

size_t
cdb_verify(uint8_t *cdb, enum cdb_form form, uint64_t lba, uint32_t blocks, unsigned flags)
{
	static const struct block_forms f = { OP_N, OP_VERIFY_10, OP_VERIFY_12, OP_VERIFY_16,
		.flags = CDB_DPO | CDB_BYTCHK_1 | CDB_BYTCHK_3 };

	return block_build(&f, cdb, form, lba, blocks, flags);
}

size_t
cdb_write_verify(uint8_t *cdb, enum cdb_form form, uint64_t lba, uint32_t blocks,
    unsigned flags)
{
	static const struct block_forms f = { OP_N, OP_WRITE_AND_VERIFY_10,
		OP_WRITE_AND_VERIFY_12, OP_WRITE_AND_VERIFY_16,
		.flags = CDB_DPO | CDB_BYTCHK_1 };

	return block_build(&f, cdb, form, lba, blocks, flags);
}

size_t
cdb_write_same(uint8_t *cdb, enum cdb_form form, uint64_t lba, uint32_t blocks, unsigned flags)
{
	static const struct block_forms f = { OP_N, OP_WRITE_SAME_10, OP_N, OP_WRITE_SAME_16,
		.flags = CDB_UNMAP | CDB_ANCHOR, .flags_16 = CDB_NDOB };

	return block_build(&f, cdb, form, lba, blocks, flags);
}

size_t
cdb_sync_cache(uint8_t *cdb, enum cdb_form form, uint64_t lba, uint32_t blocks, unsigned flags)
{
	static const struct block_forms f = { OP_N, OP_SYNCHRONIZE_CACHE_10, OP_N,
		OP_SYNCHRONIZE_CACHE_16, .flags = CDB_IMMED };

	return block_build(&f, cdb, form, lba, blocks, flags);
}

size_t
cdb_prefetch(uint8_t *cdb, enum cdb_form form, uint64_t lba, uint32_t blocks, unsigned flags)
{
	static const struct block_forms f = { OP_N, OP_PRE_FETCH_10, OP_N, OP_PRE_FETCH_16,
		.flags = CDB_IMMED };

	return block_build(&f, cdb, form, lba, blocks, flags);
}

size_t
cdb_compare_and_write(uint8_t *cdb, uint64_t lba, uint8_t blocks, unsigned flags)
{
	if ((flags & ~(unsigned)(CDB_FUA | CDB_DPO)) != 0)
		return refuse(cdb);
	return block_one(cdb, OP_COMPARE_AND_WRITE, lba, blocks, flags);
}

size_t
cdb_orwrite(uint8_t *cdb, uint64_t lba, uint32_t blocks, unsigned flags)
{
	if ((flags & ~(unsigned)(CDB_FUA | CDB_DPO)) != 0)
		return refuse(cdb);
	return block_one(cdb, OP_ORWRITE_16, lba, blocks, flags);
}

size_t
cdb_write_atomic(uint8_t *cdb, uint64_t lba, uint16_t boundary, uint16_t blocks, unsigned flags)
{
	size_t len;

	if ((flags & ~(unsigned)(CDB_FUA | CDB_DPO)) != 0)
		return refuse(cdb);
	len = block_one(cdb, OP_WRITE_ATOMIC_16, lba, blocks, flags);
	be16_put(cdb + 10, boundary);
	return len;
}

size_t
cdb_tur(uint8_t *cdb)
{
	return start(cdb, OP_TEST_UNIT_READY)->cdb_len;
}

size_t
cdb_request_sense(uint8_t *cdb, bool want_descriptor, uint8_t alloc_len)
{
	size_t len = with_len(cdb, OP_REQUEST_SENSE, alloc_len);

	cdb[1] = want_descriptor;
	return len;
}

size_t
cdb_inquiry(uint8_t *cdb, uint16_t alloc_len)
{
	return with_len(cdb, OP_INQUIRY, alloc_len);
}

size_t
cdb_inquiry_vpd(uint8_t *cdb, uint8_t page, uint16_t alloc_len)
{
	size_t len = with_len(cdb, OP_INQUIRY, alloc_len);

	cdb[1] = 0x01;
	cdb[2] = page;
	return len;
}

size_t
cdb_readcap10(uint8_t *cdb)
{
	return start(cdb, OP_READ_CAPACITY_10)->cdb_len;
}

size_t
cdb_readcap16(uint8_t *cdb, uint32_t alloc_len)
{
	return with_len(cdb, OP_READ_CAPACITY_16, alloc_len);
}

size_t
cdb_report_luns(uint8_t *cdb, uint8_t select, uint32_t alloc_len)
{
	size_t len = with_len(cdb, OP_REPORT_LUNS, alloc_len);

	cdb[2] = select;
	return len;
}

size_t
cdb_unmap(uint8_t *cdb, uint16_t list_len, unsigned flags)
{
	size_t len;

	if ((flags & ~(unsigned)CDB_ANCHOR) != 0)
		return refuse(cdb);
	len = with_len(cdb, OP_UNMAP, list_len);
	cdb[1] = (flags & CDB_ANCHOR) != 0;
	return len;
}

size_t
cdb_get_lba_status(uint8_t *cdb, uint64_t lba, uint32_t alloc_len)
{
	size_t len = with_len(cdb, OP_GET_LBA_STATUS, alloc_len);

	be64_put(cdb + 2, lba);
	return len;
}

size_t
cdb_start_stop(uint8_t *cdb, bool want_start, bool want_loej, unsigned flags)
{
	const struct op_info *op = start(cdb, OP_START_STOP_UNIT);

	if ((flags & ~(unsigned)CDB_IMMED) != 0)
		return refuse(cdb);
	cdb[1] = (flags & CDB_IMMED) != 0;
	cdb[4] = (uint8_t)((want_loej ? 0x02 : 0) | (want_start ? 0x01 : 0));
	return op->cdb_len;
}

size_t
cdb_prevent_allow(uint8_t *cdb, uint8_t prevent)
{
	const struct op_info *op = start(cdb, OP_PREVENT_ALLOW);

	if (prevent > 3)
		return refuse(cdb);
	cdb[4] = prevent;
	return op->cdb_len;
}

/* the 6- or the 10-byte command of a pair, by form and length */
static size_t
pair_with_len(uint8_t *cdb, enum cdb_form form, enum op_id id_6, enum op_id id_10,
    uint16_t count)
{
	if (form == CDB_AUTO)
		form = count <= UINT8_MAX ? CDB_6 : CDB_10;
	if (form != CDB_6 && form != CDB_10)
		return refuse(cdb);
	return with_len(cdb, form == CDB_6 ? id_6 : id_10, count);
}

size_t
cdb_mode_sense(uint8_t *cdb, enum cdb_form form, uint8_t pc, uint8_t page, uint8_t subpage,
    bool want_dbd, uint16_t alloc_len)
{
	size_t len = pair_with_len(cdb, form, OP_MODE_SENSE_6, OP_MODE_SENSE_10, alloc_len);

	if (len == 0 || pc > 3 || page > 0x3f)
		return refuse(cdb);
	cdb[1] = want_dbd ? 0x08 : 0;
	cdb[2] = (uint8_t)(pc << 6 | page);
	cdb[3] = subpage;
	return len;
}

size_t
cdb_mode_select(uint8_t *cdb, enum cdb_form form, bool want_save, uint16_t list_len)
{
	size_t len = pair_with_len(cdb, form, OP_MODE_SELECT_6, OP_MODE_SELECT_10, list_len);

	if (len == 0)
		return 0;
	cdb[1] = (uint8_t)(0x10 | want_save);	/* PF: pages, nothing vendor specific */
	return len;
}

size_t
cdb_log_sense(uint8_t *cdb, uint8_t page, uint8_t subpage, uint16_t alloc_len)
{
	size_t len = with_len(cdb, OP_LOG_SENSE, alloc_len);

	if (page > 0x3f)
		return refuse(cdb);
	cdb[2] = (uint8_t)(0x40 | page);	/* PC 1: cumulative values */
	cdb[3] = subpage;
	return len;
}

size_t
cdb_report_opcodes(uint8_t *cdb, uint8_t option, uint8_t opcode, uint16_t sa,
    bool want_timeouts, uint32_t alloc_len)
{
	size_t len = with_len(cdb, OP_REPORT_SUPPORTED_OPCODES, alloc_len);

	if (option > 7)
		return refuse(cdb);
	cdb[2] = (uint8_t)(option | (want_timeouts ? 0x80 : 0));
	cdb[3] = opcode;
	be16_put(cdb + 4, sa);
	return len;
}

size_t
cdb_report_tmfs(uint8_t *cdb, uint32_t alloc_len)
{
	return with_len(cdb, OP_REPORT_SUPPORTED_TMFS, alloc_len);
}

size_t
cdb_report_tpgs(uint8_t *cdb, uint32_t alloc_len)
{
	return with_len(cdb, OP_REPORT_TARGET_PORT_GROUPS, alloc_len);
}

size_t
cdb_pr_in(uint8_t *cdb, uint8_t sa, uint16_t alloc_len)
{
	size_t len = with_len(cdb, OP_PRIN_READ_KEYS, alloc_len);

	if (sa > 0x1f)
		return refuse(cdb);
	cdb[1] = sa;
	return len;
}

size_t
cdb_pr_out(uint8_t *cdb, uint8_t sa, uint8_t scope_type, uint32_t list_len)
{
	size_t len = with_len(cdb, OP_PROUT_REGISTER, list_len);

	if (sa > 0x1f)
		return refuse(cdb);
	cdb[1] = sa;
	cdb[2] = scope_type;
	return len;
}
