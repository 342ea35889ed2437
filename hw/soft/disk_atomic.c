/*
 * COMPARE AND WRITE, ORWRITE, WRITE ATOMIC: nobody comes between their reads and writes
 *
 * Their ranges are held alone (disk_range.h), so that in here nothing is to be said about it.
 */
#include "base/bytes.h"
#include "base/num.h"
#include "hw/soft/disk_piece.h"

/* where the second instance of the data, what is to be written, begins */
static uint64_t
caw_second(const struct disk_cmd *cmd)
{
	return cmd->info.blocks * cmd->disk->block_bytes;
}

static uint64_t
piece_from(const struct disk_cmd *cmd)
{
	return (cmd->piece.lba - cmd->info.lba) * cmd->disk->block_bytes;
}

static int
caw_write_next(struct disk_cmd *cmd)
{
	if (!piece_next(cmd)) {
		disk_count_write(cmd);
		return disk_good(cmd);
	}
	if (piece_take(cmd, caw_second(cmd) + piece_from(cmd)) == DISK_DONE)
		return DISK_DONE;
	return piece_write(cmd, caw_write_next);
}

static int
caw_compare_next(struct disk_cmd *cmd)
{
	uint64_t at, from = piece_from(cmd);

	if (cmd->piece.blocks > 0 && piece_differs(cmd, from, cmd->piece.blocks, &at))
		return disk_check_info(cmd, SENSE_MISCOMPARE, ASC_MISCOMPARE, from + at);
	if (piece_next(cmd))
		return piece_read(cmd, caw_compare_next);
	if (!disk_begin_whole(cmd, DISK_WHOLE_CMD))
		return DISK_DONE;
	piece_begin(cmd, cmd->info.lba, cmd->info.blocks);
	cmd->piece.is_fua = disk_wants_fua(cmd);
	return caw_write_next(cmd);
}

int
disk_do_compare_and_write(struct disk *disk, struct disk_cmd *cmd)
{
	(void)disk;
	/* data for no block: whoever sent 256 blocks lost the number on the way into one byte */
	if (cmd->info.blocks == 0)
		return cmd->buf_bytes == 0 ? disk_good(cmd) : disk_bad_cdb(cmd, 13, 7);
	/* both instances, whole, and nothing else */
	cmd->is_overrun = cmd->info.bytes > cmd->buf_bytes;
	cmd->moved = num_min(cmd->info.bytes, disk_room(cmd));
	if (cmd->buf_bytes != cmd->info.bytes || cmd->moved != cmd->info.bytes)
		return disk_bad_cdb(cmd, cmd->info.op->len_at, 7);
	if (!piece_open(cmd, cmd->info.lba, cmd->info.blocks))
		return disk_busy(cmd);
	cmd->piece.blocks = 0;
	cmd->piece.lba = cmd->info.lba;
	return caw_compare_next(cmd);
}

/* the bytes that were sent for this piece, into it */
static void
orwrite_combine(struct disk_cmd *cmd)
{
	uint64_t len = cmd->piece.blocks * cmd->disk->block_bytes, from = piece_from(cmd);
	struct pi_rules rules = piece_rules(cmd->disk);
	uint8_t sent[512];

	for (uint64_t at = 0; at < len; at += sizeof(sent)) {
		(void)iov_copy_in(cmd->iov, cmd->niov, from + at, sent, sizeof(sent));
		for (size_t i = 0; i < sizeof(sent); i++)
			cmd->piece.data[at + i] |= sent[i];
	}
	if (rules.type != 0)
		pi_make(&rules, cmd->piece.data, cmd->piece.lba, cmd->piece.blocks,
		    cmd->piece.tuples);
}

static int orwrite_next(struct disk_cmd *cmd);

static int
orwrite_got(struct disk_cmd *cmd)
{
	orwrite_combine(cmd);
	return piece_write(cmd, orwrite_next);
}

static int
orwrite_next(struct disk_cmd *cmd)
{
	if (piece_next(cmd))
		return piece_read(cmd, orwrite_got);
	disk_count_write(cmd);
	return disk_good(cmd);
}

int
disk_do_orwrite(struct disk *disk, struct disk_cmd *cmd)
{
	uint64_t blocks;

	if (disk_is_too_long(cmd))
		return disk_bad_cdb(cmd, cmd->info.op->len_at, 7);
	if (cmd->info.blocks == 0)
		return disk_good(cmd);
	cmd->is_overrun = cmd->info.bytes > cmd->buf_bytes;
	blocks = num_min(cmd->info.blocks, disk_room(cmd) / disk->block_bytes);
	cmd->moved = blocks * disk->block_bytes;
	if (!piece_open(cmd, cmd->info.lba, cmd->info.blocks))
		return disk_busy(cmd);
	cmd->piece.is_fua = disk_wants_fua(cmd);
	piece_begin(cmd, cmd->info.lba, blocks);
	return orwrite_next(cmd);
}

uint32_t
disk_atomic_grain(const struct disk *disk)
{
	uint32_t grain = disk->physical_bytes / disk->block_bytes;

	return grain < 2 ? 2 : grain;
}

/*
 * Aligned and not too long, or refused: it cannot be atomic then (SBC-4 5.49). Nobody sees a
 * part of it; what a loss of power leaves of it is up to what the store is on.
 */
int
disk_do_write_atomic(struct disk *disk, struct disk_cmd *cmd)
{
	uint32_t grain = disk_atomic_grain(disk);

	if (be16_get(cmd->cdb + 10) != 0)	/* ATOMIC BOUNDARY: VPD page B0h allows none */
		return disk_bad_cdb(cmd, 10, 7);
	if (cmd->info.blocks > DISK_ATOMIC_MAX / disk->block_bytes ||
	    cmd->info.blocks % grain != 0)
		return disk_bad_cdb(cmd, cmd->info.op->len_at, 7);
	if (cmd->info.lba % grain != 0)
		return disk_bad_cdb(cmd, cmd->info.op->lba_at, 7);
	return disk_begin_whole(cmd, DISK_WHOLE_CMD) ? disk_do_write(disk, cmd) : DISK_DONE;
}
