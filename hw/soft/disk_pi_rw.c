/* READ and WRITE of a disk that has protection information */
#include "base/num.h"
#include "hw/soft/disk_piece.h"

static int
pi_read_next(struct disk_cmd *cmd)
{
	if (cmd->piece.blocks > 0)
		piece_give(cmd, (cmd->piece.lba - cmd->info.lba) * piece_unit(cmd));
	if (piece_next(cmd))
		return piece_read(cmd, pi_read_next);
	disk_count_read(cmd);
	return disk_good(cmd);
}

static int
pi_read_flushed(struct disk_cmd *cmd, int result)
{
	return result < 0 ? disk_store_failed(cmd, result) : pi_read_next(cmd);
}

int
disk_do_pi_read(struct disk *disk, struct disk_cmd *cmd)
{
	uint64_t unit, blocks;

	if (disk_is_too_long(cmd))
		return disk_bad_cdb(cmd, cmd->info.op->len_at, 7);
	if (cmd->info.blocks == 0)
		return disk_good(cmd);
	if (!piece_open(cmd, cmd->info.lba, cmd->info.blocks))
		return disk_busy(cmd);
	unit = piece_unit(cmd);
	cmd->is_overrun = cmd->info.blocks * unit > cmd->buf_bytes;
	blocks = num_min(cmd->info.blocks, (disk_room(cmd) + unit - 1) / unit);
	piece_begin(cmd, cmd->info.lba, blocks);
	cmd->piece.blocks = 0;
	if (disk->has_cache && cdb_fua(cmd->info.op, cmd->cdb))
		return disk_flush(cmd, pi_read_flushed);
	return pi_read_next(cmd);
}

static int
pi_write_next(struct disk_cmd *cmd)
{
	if (!piece_next(cmd)) {
		disk_count_write(cmd);
		return disk_good(cmd);
	}
	if (piece_take(cmd, (cmd->piece.lba - cmd->info.lba) * piece_unit(cmd)) == DISK_DONE)
		return DISK_DONE;
	return piece_write(cmd, pi_write_next);
}

int
disk_do_pi_write(struct disk *disk, struct disk_cmd *cmd)
{
	uint64_t unit, blocks;

	(void)disk;
	if (disk_is_too_long(cmd))
		return disk_bad_cdb(cmd, cmd->info.op->len_at, 7);
	if (cmd->info.blocks == 0)
		return disk_good(cmd);
	if (!piece_open(cmd, cmd->info.lba, cmd->info.blocks))
		return disk_busy(cmd);
	unit = piece_unit(cmd);
	cmd->is_overrun = cmd->info.blocks * unit > cmd->buf_bytes;
	blocks = num_min(cmd->info.blocks, disk_room(cmd) / unit);
	cmd->moved = blocks * unit;
	cmd->piece.is_fua = disk_wants_fua(cmd);
	piece_begin(cmd, cmd->info.lba, blocks);
	return pi_write_next(cmd);
}
