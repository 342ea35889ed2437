/*
 * scsi/cdb.h - read CDBs and make them
 *
 * What      cdb_decode() says what a foreign CDB asks for: the command, its LBA range, how many
 *           bytes move and which way. cdb_reserved_bit() finds what the sender should not have
 *           set. The builders write the CDBs that a client, the probe and the tests send.
 * Owner     Nothing is kept.
 * Thread    Any; no state.
 * Limits    Builders need CDB_BUF_LEN bytes. 32-byte forms are decoded, not built.
 * Source    SPC-4 4.2, SBC-3 5
 */
#ifndef SCSI_CDB_H
#define SCSI_CDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "scsi/opcode.h"

#define CDB_LEN_MAX	260	/* longest CDB of any kind: 8 + 252 (SPC-4 4.2.3) */
#define CDB_BUF_LEN	16	/* what the builders write at most */
#define CDB_TUPLE_LEN	8	/* protection information of a block */

/* what a CDB asks for */
struct cdb_info {
	const struct op_info *op;	/* NULL: no row; only dir and cdb_len tell then */
	enum op_dir dir;		/* OP_DIR_BOTH only when nobody knows */
	bool is_known;			/* op is not NULL */
	bool has_lba;			/* lba and blocks are meaningful */
	bool has_bytes;			/* bytes is exact; else nobody can tell (OP_XFER_LIST,
					 * some ATA forms, block size 0) */
	size_t cdb_len;			/* bytes the CDB takes; 0 unknown (vendor opcodes) */
	uint64_t lba;
	uint64_t blocks;		/* the LBA range; 0: none, or to the end */
	uint64_t bytes;			/* data the command asks to move */
};

/* cdb_len_by_opcode() - bytes of a CDB by its group code; 0 for 7Eh, 7Fh, vendor groups */
size_t cdb_len_by_opcode(uint8_t opcode);

/* cdb_len() - the same with the CDB at hand: 7Fh tells in byte 7; 0 unknown or cut */
size_t cdb_len(const uint8_t *cdb, size_t len);

/*
 * Plain commands: READ, WRITE and their likes of 10, 12 and 16 bytes. That is nearly every one, so
 * there is a short way to what they say.
 */

/* cdb_plain() - the row, when the @len bytes are all of such a command; else NULL, and
 * cdb_decode() has to look. @len is above 0 */
static inline const struct op_info *
cdb_plain(const uint8_t *cdb, size_t len)
{
	const struct op_info *op = op_first[cdb[0]];

	return op != NULL && op->xfer == OP_XFER_BLOCKS && op->sa_place == OP_SA_NONE &&
	    len >= op->cdb_len ? op : NULL;
}

/* cdb_plain_lba(), cdb_plain_blocks() - its range */
static inline uint64_t
cdb_plain_lba(const struct op_info *op, const uint8_t *cdb)
{
	const uint8_t *at = cdb + op->lba_at;

	return op->lba_width == 4 ? be32_get(at) : be64_get(at);
}

static inline uint32_t
cdb_plain_blocks(const struct op_info *op, const uint8_t *cdb)
{
	const uint8_t *at = cdb + op->len_at;

	return op->len_width == 2 ? be16_get(at) : be32_get(at);
}

/* cdb_plain_bytes() - what it moves, with blocks of @block_size bytes, which is not 0. xxPROTECT
 * sends the protection information behind each block (SBC-3 4.22.2; the protection interval is
 * the block). Below 2^33 * 2^33: cannot wrap */
static inline uint64_t
cdb_plain_bytes(const struct op_info *op, const uint8_t *cdb, uint32_t block_size)
{
	bool has_tuples = (op->flags & OP_F_PROTECT) != 0 && (cdb[1] & 0xe0) != 0;

	return cdb_plain_blocks(op, cdb) *
	    ((uint64_t)block_size + (UNLIKELY(has_tuples) ? CDB_TUPLE_LEN : 0));
}

/**
 * cdb_decode() - what a CDB asks for
 *
 * @cdb         @len bytes; more than the command takes is fine (a 16-byte field holding 10)
 * @block_size  bytes a logical block of the unit, 0 if not known yet
 * @ret         filled in
 *
 * Returns:  0         also for commands without a row: ret->is_known is false, ret->dir is
 *                     OP_DIR_BOTH
 *           -EINVAL   @len is 0, or below what the opcode needs
 */
int cdb_decode(const uint8_t *cdb, size_t len, uint32_t block_size,
    struct cdb_info *ret) MUST_CHECK;

/**
 * cdb_range_ok() - true when @lba and @blocks lie inside @capacity blocks
 *
 * @lba itself must be inside also for zero blocks: initiators test that a command behind the
 * end is refused although it moves nothing. No sum is formed, so nothing wraps.
 */
static inline bool
cdb_range_ok(uint64_t lba, uint64_t blocks, uint64_t capacity)
{
	return lba < capacity && blocks <= capacity - lba;
}

/**
 * cdb_reserved_bit() - the first bit set that the command does not define
 *
 * @op        row of @cdb
 * @cdb       @len bytes, at least op->cdb_len
 * @ret_byte  byte of the bit, for the field pointer
 * @ret_bit   7..0, highest bit set in that byte outside the mask
 *
 * Vendor bits (7, 6) of the control byte are let pass, NACA, the reserved bits and LINK are
 * not: nothing here has ACA or linked commands (SAM-5 5.2).
 *
 * Returns:  true when there is one
 */
bool cdb_reserved_bit(const struct op_info *op, const uint8_t *cdb, size_t len,
    uint8_t *ret_byte, uint8_t *ret_bit);

/* cdb_has_usage() - only bits of the row's mask are set, so that cdb_reserved_bit() would find
 * none. False: it has to look (vendor bits, forms of 6 and 32 bytes) */
static inline bool
cdb_has_usage(const struct op_info *op, const uint8_t *cdb, size_t len)
{
	size_t n = op->cdb_len;
	uint64_t over;

	if (n > len || n > 16 || n < 8)
		return false;
	over = le64_get(cdb) & ~le64_get(op->usage);
	return (over | (le64_get(cdb + n - 8) & ~le64_get(op->usage + n - 8))) == 0;
}

/* cdb_control_at() - which byte is the control byte: the last, or 1 in variable length CDBs */
uint8_t cdb_control_at(const struct op_info *op);

/* cdb_flags() - the byte with xxPROTECT, DPO, FUA, BYTCHK, NDOB */
static inline uint8_t
cdb_flags(const struct op_info *op, const uint8_t *cdb)
{
	return cdb[op->flags & OP_F_VARLEN ? 10 : 1];
}

/* cdb_protect(), cdb_dpo(), cdb_fua() - fields that block commands share; 0 where the command
 * has none. @cdb has op->cdb_len bytes */
static inline uint8_t
cdb_protect(const struct op_info *op, const uint8_t *cdb)
{
	return op->flags & OP_F_PROTECT ? cdb_flags(op, cdb) >> 5 : 0;
}

static inline bool
cdb_dpo(const struct op_info *op, const uint8_t *cdb)
{
	return (op->flags & OP_F_DPO) != 0 && (cdb_flags(op, cdb) & 0x10) != 0;
}

static inline bool
cdb_fua(const struct op_info *op, const uint8_t *cdb)
{
	return (op->flags & OP_F_FUA) == OP_F_FUA && (cdb_flags(op, cdb) & 0x08) != 0;
}

/*
 * Builders. Each clears CDB_BUF_LEN bytes at @cdb, writes the command and answers its length,
 * or 0 (and an all-zero @cdb) when a value does not fit the form asked for.
 *
 * CDB_AUTO takes the smallest form from 10 bytes up that holds all values: 10, then 16. Block
 * commands of six bytes know neither FUA nor zero blocks, and many units refuse them, so they
 * are made only when asked for by name.
 */
enum cdb_form {
	CDB_AUTO = 0,
	CDB_6 = 6,
	CDB_10 = 10,
	CDB_12 = 12,
	CDB_16 = 16,
};

/* flags of block commands; where a command has no such bit it is a value that does not fit */
#define CDB_FUA		0x0001	/* READ, WRITE */
#define CDB_DPO		0x0002	/* READ, WRITE, VERIFY, WRITE AND VERIFY */
#define CDB_BYTCHK_1	0x0010	/* VERIFY: compare with Data-Out */
#define CDB_BYTCHK_3	0x0020	/* VERIFY: compare every block with the one sent */
#define CDB_UNMAP	0x0100	/* WRITE SAME: may unmap */
#define CDB_ANCHOR	0x0200	/* WRITE SAME, UNMAP: anchor */
#define CDB_NDOB	0x0400	/* WRITE SAME(16): no Data-Out, zeros are meant */
#define CDB_IMMED	0x0800	/* SYNCHRONIZE CACHE, PRE-FETCH, START STOP UNIT */

size_t cdb_read(uint8_t *cdb, enum cdb_form form, uint64_t lba, uint32_t blocks,
    unsigned flags);
size_t cdb_write(uint8_t *cdb, enum cdb_form form, uint64_t lba, uint32_t blocks,
    unsigned flags);
size_t cdb_verify(uint8_t *cdb, enum cdb_form form, uint64_t lba, uint32_t blocks,
    unsigned flags);
size_t cdb_write_verify(uint8_t *cdb, enum cdb_form form, uint64_t lba, uint32_t blocks,
    unsigned flags);
size_t cdb_write_same(uint8_t *cdb, enum cdb_form form, uint64_t lba, uint32_t blocks,
    unsigned flags);
size_t cdb_sync_cache(uint8_t *cdb, enum cdb_form form, uint64_t lba, uint32_t blocks,
    unsigned flags);
size_t cdb_prefetch(uint8_t *cdb, enum cdb_form form, uint64_t lba, uint32_t blocks,
    unsigned flags);
size_t cdb_compare_and_write(uint8_t *cdb, uint64_t lba, uint8_t blocks, unsigned flags);
size_t cdb_orwrite(uint8_t *cdb, uint64_t lba, uint32_t blocks, unsigned flags);
size_t cdb_write_atomic(uint8_t *cdb, uint64_t lba, uint16_t boundary, uint16_t blocks,
    unsigned flags);

size_t cdb_tur(uint8_t *cdb);
size_t cdb_request_sense(uint8_t *cdb, bool want_descriptor, uint8_t alloc_len);
size_t cdb_inquiry(uint8_t *cdb, uint16_t alloc_len);
size_t cdb_inquiry_vpd(uint8_t *cdb, uint8_t page, uint16_t alloc_len);
size_t cdb_readcap10(uint8_t *cdb);
size_t cdb_readcap16(uint8_t *cdb, uint32_t alloc_len);
size_t cdb_report_luns(uint8_t *cdb, uint8_t select, uint32_t alloc_len);
size_t cdb_unmap(uint8_t *cdb, uint16_t list_len, unsigned flags);
size_t cdb_get_lba_status(uint8_t *cdb, uint64_t lba, uint32_t alloc_len);
size_t cdb_start_stop(uint8_t *cdb, bool want_start, bool want_loej, unsigned flags);
size_t cdb_prevent_allow(uint8_t *cdb, uint8_t prevent);

/* @pc 0 current, 1 changeable, 2 default, 3 saved; CDB_AUTO: 6 while the length fits */
size_t cdb_mode_sense(uint8_t *cdb, enum cdb_form form, uint8_t pc, uint8_t page,
    uint8_t subpage, bool want_dbd, uint16_t alloc_len);
size_t cdb_mode_select(uint8_t *cdb, enum cdb_form form, bool want_save, uint16_t list_len);
size_t cdb_log_sense(uint8_t *cdb, uint8_t page, uint8_t subpage, uint16_t alloc_len);

/* @option 0 all, 1 @opcode without, 2 @opcode with @sa, 3 either; @want_timeouts sets RCTD */
size_t cdb_report_opcodes(uint8_t *cdb, uint8_t option, uint8_t opcode, uint16_t sa,
    bool want_timeouts, uint32_t alloc_len);
size_t cdb_report_tmfs(uint8_t *cdb, uint32_t alloc_len);
size_t cdb_report_tpgs(uint8_t *cdb, uint32_t alloc_len);
size_t cdb_pr_in(uint8_t *cdb, uint8_t sa, uint16_t alloc_len);
size_t cdb_pr_out(uint8_t *cdb, uint8_t sa, uint8_t scope_type, uint32_t list_len);

#endif /* SCSI_CDB_H */
