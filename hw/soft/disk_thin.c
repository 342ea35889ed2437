/* UNMAP: blocks that give their space back */
#include "base/bytes.h"
#include "base/num.h"
#include "hw/soft/disk_piece.h"

#define UNMAP_HDR	8
#define UNMAP_DESCR	16
#define UNMAP_ANCHOR	0x01	/* byte 1 */

static int
disk_unmapped_all(struct disk_cmd *cmd, int result)
{
	return disk_end_whole(cmd, DISK_WHOLE_PIECE) ? cmd->piece_step(cmd, result) : DISK_DONE;
}

/* the protection information of the range goes the same way, after the blocks */
static int
disk_unmap_tuples(struct disk_cmd *cmd, int result)
{
	const struct disk *disk = cmd->disk;

	if (result < 0)
		return disk_store_failed(cmd, result);
	cmd->step = disk_unmapped_all;
	cmd->where = disk->pi_store;
	cmd->req.offset = cmd->req.offset / disk->block_bytes * PI_BYTES;
	cmd->req.len = cmd->req.len / disk->block_bytes * PI_BYTES;
	return DISK_IO;
}

int
disk_io_unmap(struct disk_cmd *cmd, uint64_t lba, uint64_t blocks, bool want_anchor,
    int (*step)(struct disk_cmd *, int))
{
	struct disk *disk = cmd->disk;

	if (disk->pi_type != 0 && !disk_begin_whole(cmd, DISK_WHOLE_PIECE))
		return DISK_DONE;
	cmd->step = disk->pi_type != 0 ? disk_unmap_tuples : step;
	cmd->piece_step = step;
	cmd->where = disk->store;
	cmd->req.op = want_anchor ? STORE_ANCHOR : STORE_UNMAP;
	cmd->req.offset = lba * disk->block_bytes;
	cmd->req.len = blocks * disk->block_bytes;
	cmd->req.is_fua = atomic_load_explicit(&disk->is_write_through, memory_order_relaxed);
	return DISK_IO;
}

/* the next descriptor in the chunk; cmd->at is its number, cmd->left what remains */
static int
disk_unmap_step(struct disk_cmd *cmd, int result)
{
	const uint8_t *d;

	if (result < 0)
		return disk_store_failed(cmd, result);
	if (cmd->left == 0)
		return disk_good(cmd);
	d = cmd->chunk + UNMAP_HDR + cmd->at * UNMAP_DESCR;
	cmd->at++;
	cmd->left--;
	return disk_io_unmap(cmd, be64_get(d), be32_get(d + 8),
	    (cmd->cdb[1] & UNMAP_ANCHOR) != 0, disk_unmap_step);
}

/* all descriptors are judged before the first is obeyed */
static int
disk_unmap_check(struct disk *disk, struct disk_cmd *cmd, uint64_t n)
{
	uint64_t total = 0;

	if (n > DISK_UNMAP_DESCR_MAX)
		return disk_bad_list(cmd, 2, 7);
	for (uint64_t i = 0; i < n; i++) {
		const uint8_t *d = cmd->chunk + UNMAP_HDR + i * UNMAP_DESCR;
		uint32_t blocks = be32_get(d + 8);

		/* of nothing, right behind the last block is fine */
		if (blocks == 0 ? be64_get(d) > disk->blocks :
		    !cdb_range_ok(be64_get(d), blocks, disk->blocks))
			return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
		total += blocks;
	}
	if (total > DISK_UNMAP_BLOCKS_MAX)
		return disk_bad_list(cmd, UNMAP_HDR + 8, 7);
	return DISK_IO;
}

int
disk_do_unmap(struct disk *disk, struct disk_cmd *cmd)
{
	size_t list_len = be16_get(cmd->cdb + 7), got;
	uint64_t n;

	if ((cmd->cdb[1] & UNMAP_ANCHOR) != 0 && !disk->store->info.can_anchor)
		return disk_bad_cdb(cmd, 1, 0);
	if (list_len == 0)
		return disk_good(cmd);
	if (list_len < UNMAP_HDR)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	if (!disk_get_chunk(cmd, DISK_LIST_MAX))
		return disk_busy(cmd);
	got = disk_take(cmd, cmd->chunk, (size_t)num_min(list_len, DISK_LIST_MAX));
	if (got < list_len && got < DISK_LIST_MAX)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);

	n = num_min(be16_get(cmd->chunk + 2), list_len - UNMAP_HDR) / UNMAP_DESCR;
	if (disk_unmap_check(disk, cmd, n) == DISK_DONE)
		return DISK_DONE;
	cmd->at = 0;
	cmd->left = n;
	return disk_unmap_step(cmd, 0);
}
