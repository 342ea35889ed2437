/* blocks that change without data of their own: UNMAP, WRITE SAME */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "hw/soft/disk_impl.h"

#define UNMAP_HDR	8
#define UNMAP_DESCR	16

static int
disk_io_unmap(struct disk_cmd *cmd, uint64_t lba, uint64_t blocks)
{
	struct disk *disk = cmd->disk;

	cmd->req.op = STORE_UNMAP;
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
	return disk_io_unmap(cmd, be64_get(d), be32_get(d + 8));
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

		if (!cdb_range_ok(be64_get(d), blocks, disk->blocks))
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

	if ((cmd->cdb[1] & 0x01) != 0)	/* ANCHOR: VPD B2h says that there is none */
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
	cmd->step = disk_unmap_step;
	return disk_unmap_step(cmd, 0);
}

/* cmd->at and cmd->left: bytes of the range that is still to be written */
static int
disk_same_step(struct disk_cmd *cmd, int result)
{
	uint64_t len;
	int want;

	if (result < 0)
		return disk_store_failed(cmd, result);
	if (cmd->left == 0)
		return disk_good(cmd);
	len = num_min(cmd->left, cmd->chunk_bytes);
	want = disk_io_chunk(cmd, STORE_WRITE, cmd->at, len);
	cmd->req.is_fua =
	    atomic_load_explicit(&cmd->disk->is_write_through, memory_order_relaxed);
	cmd->at += len;
	cmd->left -= len;
	return want;
}

static int
disk_same_unmapped(struct disk_cmd *cmd, int result)
{
	return result < 0 ? disk_store_failed(cmd, result) : disk_good(cmd);
}

static bool
is_all_zero(const uint8_t *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

/* fill the chunk with copies of the block at its start */
static void
disk_same_fill(struct disk_cmd *cmd, size_t block)
{
	for (size_t have = block; have < cmd->chunk_bytes; have += block)
		memcpy(cmd->chunk + have, cmd->chunk, block);
}

static int
disk_same_start(struct disk *disk, struct disk_cmd *cmd, uint64_t blocks)
{
	bool has_data = (cmd->cdb[0] != 0x93) || (cmd->cdb[1] & 0x01) == 0;
	size_t block = disk->block_bytes;
	uint64_t bytes = blocks * block;

	if (!disk_get_chunk(cmd, (size_t)num_min(bytes, DISK_CHUNK_MAX)))
		return disk_busy(cmd);
	memset(cmd->chunk, 0, block);
	if (has_data && disk_take(cmd, cmd->chunk, block) < block)
		return disk_check(cmd, SENSE_ABORTED_COMMAND, ASC_INVALID_FIELD_IN_COMMAND_IU);
	/* unmapped blocks read as zeros (LBPRZ), so zeros need no room, asked for or not */
	if (disk->is_thin && is_all_zero(cmd->chunk, block)) {
		cmd->step = disk_same_unmapped;
		return disk_io_unmap(cmd, cmd->info.lba, blocks);
	}
	disk_same_fill(cmd, block);
	cmd->at = cmd->info.lba * block;
	cmd->left = bytes;
	cmd->step = disk_same_step;
	return disk_same_step(cmd, 0);
}

int
disk_do_write_same(struct disk *disk, struct disk_cmd *cmd)
{
	uint64_t blocks = cmd->info.blocks;

	if ((cmd->cdb[1] & 0x10) != 0)			/* ANCHOR */
		return disk_bad_cdb(cmd, 1, 4);
	if ((cmd->cdb[1] & 0x08) != 0 && !disk->is_thin)	/* UNMAP */
		return disk_bad_cdb(cmd, 1, 3);
	if (blocks == 0)
		blocks = disk->blocks - cmd->info.lba;
	if (blocks > DISK_WRITE_SAME_MAX)
		return disk_bad_cdb(cmd, cmd->info.op->len_at, 7);
	return disk_same_start(disk, cmd, blocks);
}
