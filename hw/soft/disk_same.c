/* WRITE SAME: one block, many times */
#include <string.h>

#include "base/num.h"
#include "hw/soft/disk_piece.h"

#define SAME_ANCHOR	0x10	/* byte 1 */
#define SAME_UNMAP	0x08
#define SAME_NDOB	0x01	/* of the 16-byte form */

static bool
same_has_data(const struct disk_cmd *cmd)
{
	return cmd->info.op->id == OP_WRITE_SAME_10 || (cmd->cdb[1] & SAME_NDOB) == 0;
}

static bool
is_all(const uint8_t *p, size_t len, uint8_t value)
{
	return p[0] == value && memcmp(p, p + 1, len - 1) == 0;
}

/* tuples of the piece: each follows from the one before */
static void
same_fill_tuples(struct disk_cmd *cmd)
{
	struct pi_rules rules = piece_rules(cmd->disk);

	for (uint64_t i = 0; i < cmd->piece.blocks; i++) {
		memcpy(cmd->piece.tuples + i * PI_BYTES, cmd->piece.tuple, PI_BYTES);
		pi_step(&rules, cmd->piece.tuple);
	}
}

static int
same_next(struct disk_cmd *cmd)
{
	if (!piece_next(cmd))
		return disk_good(cmd);
	if (cmd->disk->pi_type != 0)
		same_fill_tuples(cmd);
	return piece_write(cmd, same_next);
}

static int
same_unmapped(struct disk_cmd *cmd, int result)
{
	return result < 0 ? disk_store_failed(cmd, result) : disk_good(cmd);
}

/* what is to be repeated, at the start of the memory; its tuple, sent or made */
static int
same_take(struct disk_cmd *cmd)
{
	size_t block = cmd->disk->block_bytes;
	struct pi_rules rules = piece_rules(cmd->disk);
	int want = DISK_IO;

	cmd->piece.lba = cmd->info.lba;
	cmd->piece.blocks = 1;
	if (same_has_data(cmd)) {
		want = piece_take(cmd, 0);
	} else {
		memset(cmd->piece.data, 0, block);
		if (rules.type != 0)
			pi_make(&rules, cmd->piece.data, cmd->info.lba, 1, cmd->piece.tuples);
	}
	if (rules.type != 0)
		memcpy(cmd->piece.tuple, cmd->piece.tuples, PI_BYTES);
	return want;
}

/* may the range be unmapped instead of written? It then reads as zeros (LBPRZ) without a
 * check of protection information: the same as what was sent, unless the disk is to take any
 * block for an unmapped one */
static bool
same_is_unmap(const struct disk_cmd *cmd)
{
	return (cmd->cdb[1] & SAME_UNMAP) != 0 &&
	    (cmd->disk->is_unmap_any ||
	    is_all(cmd->piece.data, cmd->disk->block_bytes, 0)) &&
	    (!cmd->piece.is_sent || is_all(cmd->piece.tuple, PI_BYTES, 0xff));
}

static int
same_start(struct disk *disk, struct disk_cmd *cmd, uint64_t blocks)
{
	size_t block = disk->block_bytes;

	if (!piece_open(cmd, cmd->info.lba, blocks))
		return disk_busy(cmd);
	if (same_take(cmd) == DISK_DONE)
		return DISK_DONE;
	if (same_is_unmap(cmd))
		return disk_io_unmap(cmd, cmd->info.lba, blocks,
		    (cmd->cdb[1] & SAME_ANCHOR) != 0, same_unmapped);
	for (size_t have = block; have < cmd->piece.room * block; have += block)
		memcpy(cmd->piece.data + have, cmd->piece.data, block);
	cmd->piece.is_fua =
	    atomic_load_explicit(&disk->is_write_through, memory_order_relaxed);
	return same_next(cmd);
}

/* one block is sent, or none with NDOB; anything else is a mistake somewhere */
static bool
same_is_whole(struct disk_cmd *cmd)
{
	cmd->is_overrun = cmd->info.bytes > cmd->buf_bytes;
	cmd->moved = num_min(cmd->info.bytes, disk_room(cmd));
	return cmd->moved == cmd->info.bytes &&
	    (cmd->buf_bytes == cmd->info.bytes || !same_has_data(cmd));
}

int
disk_do_write_same(struct disk *disk, struct disk_cmd *cmd)
{
	uint64_t blocks = cmd->info.blocks, all = disk->blocks;
	uint8_t flags = cmd->cdb[1];

	if ((flags & SAME_ANCHOR) != 0 &&
	    ((flags & SAME_UNMAP) == 0 || !disk->store->info.can_anchor || !disk->is_thin))
		return disk_bad_cdb(cmd, 1, 4);
	if ((flags & SAME_UNMAP) != 0 && !disk->is_thin)
		return disk_bad_cdb(cmd, 1, 3);
	/* it may have shrunk since the CDB was judged */
	if (cmd->info.lba >= all)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	if (blocks == 0)
		blocks = all - cmd->info.lba;
	if (blocks > DISK_WRITE_SAME_MAX)
		return disk_bad_cdb(cmd, cmd->info.op->len_at, 7);
	if (!same_is_whole(cmd))
		return disk_bad_cdb(cmd, cmd->info.op->len_at, 7);
	return same_start(disk, cmd, blocks);
}
