/* VERIFY and WRITE AND VERIFY: read the medium, and compare it with data of the initiator */
#include "base/bytes.h"
#include "base/num.h"
#include "hw/soft/disk_piece.h"

enum { BYTCHK_NONE, BYTCHK_ALL, BYTCHK_RESERVED, BYTCHK_ONE };

static uint8_t
disk_bytchk(const struct disk_cmd *cmd)
{
	return (cmd->cdb[1] >> 1) & 0x03;
}

/* byte of the data phase that belongs to the piece */
static uint64_t
piece_from(const struct disk_cmd *cmd)
{
	return (cmd->piece.lba - cmd->info.lba) * piece_unit(cmd);
}

static int
disk_miscompare(struct disk_cmd *cmd, uint64_t at)
{
	return disk_check_info(cmd, SENSE_MISCOMPARE, ASC_MISCOMPARE, at);
}

static int
disk_verify_all(struct disk_cmd *cmd)
{
	uint64_t from = piece_from(cmd), at;

	if (piece_differs(cmd, from, cmd->piece.blocks, &at))
		return disk_miscompare(cmd, from + at);
	return DISK_IO;
}

/* every block of the piece against the only one that was sent */
static int
disk_verify_one(struct disk_cmd *cmd)
{
	struct disk_piece whole = cmd->piece;
	bool is_different = false;
	uint64_t at = 0;

	for (uint64_t i = 0; i < whole.blocks && !is_different; i++) {
		cmd->piece.data = whole.data + i * cmd->disk->block_bytes;
		if (whole.tuples != NULL)
			cmd->piece.tuples = whole.tuples + i * PI_BYTES;
		/* the sent one has the reference tag of the first */
		if (cmd->disk->pi_type == 1)
			be32_put(cmd->piece.tuples + 4, be32_get(cmd->piece.tuples + 4) -
			    (uint32_t)(whole.lba + i - cmd->info.lba));
		is_different = piece_differs(cmd, 0, 1, &at);
	}
	cmd->piece = whole;
	return is_different ? disk_miscompare(cmd, at) : DISK_IO;
}

static int
disk_verify_next(struct disk_cmd *cmd)
{
	return piece_next(cmd) ? piece_reread(cmd, cmd->piece.then) : disk_good(cmd);
}

static int
disk_verify_got(struct disk_cmd *cmd)
{
	int want = DISK_IO;

	if (cmd->phase == BYTCHK_ALL)
		want = disk_verify_all(cmd);
	else if (cmd->phase == BYTCHK_ONE)
		want = disk_verify_one(cmd);
	return want == DISK_DONE ? DISK_DONE : disk_verify_next(cmd);
}

static int
disk_verify_flushed(struct disk_cmd *cmd, int result)
{
	if (result < 0)
		return disk_store_failed(cmd, result);
	cmd->piece.then = disk_verify_got;
	return disk_verify_next(cmd);
}

int
disk_do_verify(struct disk *disk, struct disk_cmd *cmd)
{
	uint64_t data;

	cmd->phase = disk_bytchk(cmd);
	if (cmd->phase == BYTCHK_RESERVED)
		return disk_bad_cdb(cmd, 1, 2);
	if (disk_is_too_long(cmd))
		return disk_bad_cdb(cmd, cmd->info.op->len_at, 7);
	if (cmd->info.blocks == 0)
		return disk_good(cmd);
	data = cmd->info.bytes;
	cmd->is_overrun = data > cmd->buf_bytes;
	cmd->moved = num_min(data, disk_room(cmd));
	if (cmd->moved < data)
		return disk_check(cmd, SENSE_ABORTED_COMMAND, ASC_INVALID_FIELD_IN_COMMAND_IU);
	if (!piece_open(cmd, cmd->info.lba, cmd->info.blocks))
		return disk_busy(cmd);
	/* what is verified is the medium: the cache goes there first (SBC-3 5.27) */
	if (disk->has_cache && !disk->is_readonly)
		return disk_flush(cmd, disk_verify_flushed);
	return disk_verify_flushed(cmd, 0);
}

static int disk_write_verify_next(struct disk_cmd *cmd);

static int
disk_write_verify_got(struct disk_cmd *cmd)
{
	if (cmd->phase == BYTCHK_ALL && disk_verify_all(cmd) == DISK_DONE)
		return DISK_DONE;
	return disk_write_verify_next(cmd);
}

static int
disk_write_verify_wrote(struct disk_cmd *cmd)
{
	return piece_reread(cmd, disk_write_verify_got);
}

static int
disk_write_verify_next(struct disk_cmd *cmd)
{
	if (!piece_next(cmd)) {
		disk_count_write(cmd);
		return disk_good(cmd);
	}
	if (piece_take(cmd, piece_from(cmd)) == DISK_DONE)
		return DISK_DONE;
	return piece_write(cmd, disk_write_verify_wrote);
}

/* each piece is written so that it is stable, and then read from where it is */
int
disk_do_write_verify(struct disk *disk, struct disk_cmd *cmd)
{
	uint64_t blocks = cmd->info.blocks, unit;

	(void)disk;
	cmd->phase = disk_bytchk(cmd);
	if (cmd->phase > BYTCHK_ALL)
		return disk_bad_cdb(cmd, 1, 2);
	if (disk_is_too_long(cmd))
		return disk_bad_cdb(cmd, cmd->info.op->len_at, 7);
	if (blocks == 0)
		return disk_good(cmd);
	if (!piece_open(cmd, cmd->info.lba, blocks))
		return disk_busy(cmd);
	unit = piece_unit(cmd);
	cmd->is_overrun = blocks * unit > cmd->buf_bytes;
	blocks = num_min(blocks, disk_room(cmd) / unit);
	cmd->moved = blocks * unit;
	cmd->piece.is_fua = true;
	piece_begin(cmd, cmd->info.lba, blocks);
	return disk_write_verify_next(cmd);
}
