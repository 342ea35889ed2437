/* what is known of blocks without reading them: GET LBA STATUS, PRE-FETCH, READ DEFECT DATA */
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "hw/soft/disk_impl.h"

#define LBAS_HDR	8
#define LBAS_DESCR	16
#define LBAS_DESCR_MAX	256u
#define DEFECT_FORMATS	7	/* 111b is reserved */

/* blocks that are of one kind, and how many, at least one; whole physical blocks, of which one
 * that is mapped in part is mapped. @lba is below @blocks: how many the disk had when the
 * command began, because it may shrink meanwhile */
static enum store_extent
lbas_extent(struct disk *disk, uint64_t blocks, uint64_t lba, uint64_t *ret_blocks)
{
	uint64_t block = disk->block_bytes, offset = lba * block, end;
	uint64_t len = (blocks - lba) * block;
	enum store_extent kind = disk->is_thin ? store_extent(disk->store, offset, &len) :
	    STORE_MAPPED;

	end = offset + len;
	if (kind != STORE_MAPPED)
		end &= ~(uint64_t)(disk->physical_bytes - 1);
	if (offset + len == blocks * block)
		end = offset + len;
	if (end <= offset || kind == STORE_MAPPED) {
		kind = STORE_MAPPED;
		end = num_round_up(end > offset ? end : offset + 1, disk->physical_bytes);
	}
	*ret_blocks = num_min((end - offset) / block, blocks - lba);
	return kind;
}

/* the run of one kind that begins at @lba; what a descriptor can count at most */
static enum store_extent
lbas_run(struct disk *disk, uint64_t blocks, uint64_t lba, uint32_t *ret_blocks)
{
	uint64_t n, more;
	enum store_extent kind = lbas_extent(disk, blocks, lba, &n);

	while (n < UINT32_MAX && lba + n < blocks &&
	    lbas_extent(disk, blocks, lba + n, &more) == kind)
		n += more;
	*ret_blocks = (uint32_t)num_min(n, UINT32_MAX);
	return kind;
}

static int
lbas_work(struct disk_cmd *cmd)
{
	static const uint8_t status[] = {
		[STORE_MAPPED] = 0, [STORE_DEALLOCATED] = 1, [STORE_ANCHORED] = 2,
	};
	uint64_t lba = cmd->info.lba, n, end = cmd->disk->blocks;
	uint32_t blocks;

	memset(cmd->chunk, 0, cmd->chunk_bytes);
	for (n = 0; n < cmd->left && lba < end; n++) {
		uint8_t *d = cmd->chunk + LBAS_HDR + n * LBAS_DESCR;

		d[12] = status[lbas_run(cmd->disk, end, lba, &blocks)];
		be64_put(d, lba);
		be32_put(d + 8, blocks);
		lba += blocks;
	}
	be32_put(cmd->chunk, (uint32_t)(4 + n * LBAS_DESCR));
	cmd->left = n;
	return 0;
}

static int
lbas_done(struct disk_cmd *cmd, int result)
{
	(void)result;
	return disk_reply(cmd, cmd->chunk, LBAS_HDR + cmd->left * LBAS_DESCR,
	    be32_get(cmd->cdb + 10));
}

/* no more descriptors than there is room for are looked up: each is a question to the file
 * system, which may have to ask its disk */
int
disk_do_get_lba_status(struct disk *disk, struct disk_cmd *cmd)
{
	uint64_t room = be32_get(cmd->cdb + 10);

	(void)disk;
	room = room < LBAS_HDR ? 0 : num_min((room - LBAS_HDR) / LBAS_DESCR, LBAS_DESCR_MAX);
	cmd->left = room == 0 ? 1 : room;
	if (!disk_get_chunk(cmd, LBAS_HDR + (size_t)cmd->left * LBAS_DESCR))
		return disk_busy(cmd);
	cmd->work = lbas_work;
	cmd->step = lbas_done;
	return DISK_WORK;
}

static int
prefetch_met(struct disk_cmd *cmd)
{
	cmd->status = SAM_STAT_CONDITION_MET;
	return DISK_DONE;
}

static int
prefetch_step(struct disk_cmd *cmd, int result)
{
	if (result < 0)
		return disk_store_failed(cmd, result);
	if (cmd->left == 0)
		return prefetch_met(cmd);
	result = (int)num_min(cmd->left, cmd->chunk_bytes);
	(void)disk_io_chunk(cmd, STORE_READ, cmd->at, (uint64_t)result);
	cmd->at += (uint64_t)result;
	cmd->left -= (uint64_t)result;
	return DISK_IO;
}

static int
prefetch_asked(struct disk_cmd *cmd, int result)
{
	(void)result;
	return disk_good(cmd);
}

/*
 * GOOD: the cache has been asked to take them. CONDITION MET: it has them, because all is in
 * memory, or because they have just been read. How much of a longer range would stay nobody
 * knows.
 */
int
disk_do_prefetch(struct disk *disk, struct disk_cmd *cmd)
{
	uint64_t blocks = cmd->info.blocks, all = disk->blocks, bytes;

	/* it may have shrunk since the CDB was judged */
	if (blocks == 0)
		blocks = all - num_min(cmd->info.lba, all);
	if (disk->store->info.is_memory)
		return prefetch_met(cmd);
	if (!disk->store->info.has_cache)
		return disk_good(cmd);
	bytes = blocks * disk->block_bytes;
	cmd->at = cmd->info.lba * disk->block_bytes;
	if ((cmd->cdb[1] & 0x02) == 0 && bytes <= DISK_XFER_MAX &&
	    disk_get_chunk(cmd, (size_t)num_min(bytes, DISK_CHUNK_MAX))) {
		cmd->left = bytes;
		cmd->step = prefetch_step;
		return prefetch_step(cmd, 0);
	}
	cmd->req.op = STORE_FETCH;
	cmd->req.offset = cmd->at;
	cmd->req.len = bytes;
	cmd->step = prefetch_asked;
	return DISK_IO;
}

/* nothing here wears out: the lists exist and are empty, in whatever format */
int
disk_do_read_defects(struct disk *disk, struct disk_cmd *cmd)
{
	bool is_10 = cmd->info.op->id == OP_READ_DEFECT_DATA_10;
	uint8_t want = is_10 ? cmd->cdb[2] : cmd->cdb[1];
	uint8_t buf[8] = { 0, want & 0x1f };

	(void)disk;
	if ((want & 0x07) == DEFECT_FORMATS)
		return disk_bad_cdb(cmd, is_10 ? 2 : 1, 2);
	if (is_10)
		return disk_reply(cmd, buf, 4, be16_get(cmd->cdb + 7));
	return disk_reply(cmd, buf, 8, be32_get(cmd->cdb + 6));
}
