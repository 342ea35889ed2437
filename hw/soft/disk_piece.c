#include "hw/soft/disk_piece.h"

#include <string.h>

#include "base/num.h"

struct pi_rules
piece_rules(const struct disk *disk)
{
	return (struct pi_rules){ disk->pi_type, disk->app_tag, disk->block_bytes };
}

bool
piece_open(struct disk_cmd *cmd, uint64_t lba, uint64_t blocks)
{
	const struct disk *disk = cmd->disk;
	uint64_t room = num_min(blocks, DISK_CHUNK_MAX / disk->block_bytes);
	size_t one = disk->block_bytes + (disk->pi_type != 0 ? PI_BYTES : 0);

	if (!disk_get_chunk(cmd, (size_t)room * one))
		return false;
	cmd->piece.checks = pi_checks(cdb_protect(cmd->info.op, cmd->cdb));
	cmd->piece.is_sent = cdb_protect(cmd->info.op, cmd->cdb) != 0;
	cmd->piece.is_fua = false;
	cmd->piece.data = cmd->chunk;
	cmd->piece.tuples =
	    disk->pi_type == 0 ? NULL : cmd->chunk + room * disk->block_bytes;
	cmd->piece.room = room;
	piece_begin(cmd, lba, blocks);
	return true;
}

void
piece_begin(struct disk_cmd *cmd, uint64_t lba, uint64_t blocks)
{
	cmd->at = lba;
	cmd->left = blocks;
}

bool
piece_next(struct disk_cmd *cmd)
{
	cmd->piece.lba = cmd->at;
	cmd->piece.blocks = num_min(cmd->left, cmd->piece.room);
	cmd->at += cmd->piece.blocks;
	cmd->left -= cmd->piece.blocks;
	return cmd->piece.blocks > 0;
}

/* cmd->req for the data of the piece; DISK_IO */
static int
piece_io(struct disk_cmd *cmd, enum store_op op, int (*step)(struct disk_cmd *, int))
{
	uint64_t block = cmd->disk->block_bytes;

	cmd->step = step;
	cmd->where = cmd->disk->store;
	cmd->chunk_iov = (struct iovec){ cmd->piece.data, cmd->piece.blocks * block };
	cmd->req.op = op;
	cmd->req.iov = &cmd->chunk_iov;
	cmd->req.niov = 1;
	cmd->req.offset = cmd->piece.lba * block;
	cmd->req.len = cmd->piece.blocks * block;
	cmd->req.is_fua = cmd->piece.is_fua;
	return DISK_IO;
}

/* the same for its tuples */
static int
piece_io_tuples(struct disk_cmd *cmd, enum store_op op, int (*step)(struct disk_cmd *, int))
{
	(void)piece_io(cmd, op, step);
	cmd->where = cmd->disk->pi_store;
	cmd->chunk_iov = (struct iovec){ cmd->piece.tuples, cmd->piece.blocks * PI_BYTES };
	cmd->req.offset = cmd->piece.lba * PI_BYTES;
	cmd->req.len = cmd->piece.blocks * PI_BYTES;
	return DISK_IO;
}

static int
piece_check(struct disk_cmd *cmd)
{
	const struct disk_piece *piece = &cmd->piece;
	struct pi_rules rules = piece_rules(cmd->disk);
	uint64_t lba;
	uint16_t asc = pi_check(&rules, piece->checks, piece->data, piece->lba, piece->blocks,
	    piece->tuples, &lba);

	return asc == 0 ? DISK_IO : disk_check_info(cmd, SENSE_ABORTED_COMMAND, asc, lba);
}

static int
piece_read_tuples(struct disk_cmd *cmd, int result)
{
	if (result < 0)
		return disk_store_failed(cmd, result);
	pi_flip(cmd->piece.tuples, cmd->piece.blocks * PI_BYTES);
	if (piece_check(cmd) == DISK_DONE)
		return DISK_DONE;
	return cmd->piece.then(cmd);
}

static int
piece_read_data(struct disk_cmd *cmd, int result)
{
	if (result < 0)
		return disk_store_failed(cmd, result);
	if (cmd->disk->pi_type == 0)
		return cmd->piece.then(cmd);
	return piece_io_tuples(cmd, STORE_READ, piece_read_tuples);
}

int
piece_read(struct disk_cmd *cmd, piece_fn *then)
{
	cmd->piece.then = then;
	return piece_io(cmd, STORE_READ, piece_read_data);
}

static int
piece_dropped(struct disk_cmd *cmd, int result)
{
	(void)result;
	return piece_io(cmd, STORE_READ, piece_read_data);
}

int
piece_reread(struct disk_cmd *cmd, piece_fn *then)
{
	cmd->piece.then = then;
	return piece_io(cmd, STORE_DROP, piece_dropped);
}

static int
piece_wrote_all(struct disk_cmd *cmd, int result)
{
	if (!disk_end_whole(cmd, DISK_WHOLE_PIECE))
		return DISK_DONE;
	if (result < 0)
		return disk_store_failed(cmd, result);
	return cmd->piece.then(cmd);
}

static int
piece_wrote_data(struct disk_cmd *cmd, int result)
{
	if (result < 0)
		return disk_store_failed(cmd, result);
	if (cmd->disk->pi_type == 0)
		return cmd->piece.then(cmd);
	pi_flip(cmd->piece.tuples, cmd->piece.blocks * PI_BYTES);
	return piece_io_tuples(cmd, STORE_WRITE, piece_wrote_all);
}

int
piece_write(struct disk_cmd *cmd, piece_fn *then)
{
	cmd->piece.then = then;
	if (cmd->disk->pi_type != 0 && !disk_begin_whole(cmd, DISK_WHOLE_PIECE))
		return DISK_DONE;
	return piece_io(cmd, STORE_WRITE, piece_wrote_data);
}

int
piece_take(struct disk_cmd *cmd, uint64_t from)
{
	const struct disk_piece *piece = &cmd->piece;
	size_t block = cmd->disk->block_bytes;
	struct pi_rules rules = piece_rules(cmd->disk);

	if (!piece->is_sent) {
		(void)iov_copy_in(
		    cmd->iov, cmd->niov, from, piece->data, piece->blocks * block);
		if (rules.type != 0)
			pi_make(&rules, piece->data, piece->lba, piece->blocks, piece->tuples);
		return DISK_IO;
	}
	for (uint64_t i = 0; i < piece->blocks; i++) {
		uint64_t at = from + i * (block + PI_BYTES);

		(void)iov_copy_in(cmd->iov, cmd->niov, at, piece->data + i * block, block);
		(void)iov_copy_in(cmd->iov, cmd->niov, at + block,
		    piece->tuples + i * PI_BYTES, PI_BYTES);
	}
	return piece_check(cmd);
}

/* bytes of the piece, as the data phase wants them, that still have room */
static size_t
piece_room(const struct disk_cmd *cmd, uint64_t from, size_t len)
{
	uint64_t room = disk_room(cmd);

	return from >= room ? 0 : (size_t)num_min(room - from, len);
}

void
piece_give(struct disk_cmd *cmd, uint64_t from)
{
	const struct disk_piece *piece = &cmd->piece;
	size_t block = cmd->disk->block_bytes;

	if (!piece->is_sent) {
		cmd->moved += iov_copy_out(cmd->iov, cmd->niov, from, piece->data,
		    piece_room(cmd, from, piece->blocks * block));
		return;
	}
	for (uint64_t i = 0; i < piece->blocks; i++) {
		uint64_t at = from + i * (block + PI_BYTES);

		cmd->moved += iov_copy_out(cmd->iov, cmd->niov, at, piece->data + i * block,
		    piece_room(cmd, at, block));
		cmd->moved += iov_copy_out(cmd->iov, cmd->niov, at + block,
		    piece->tuples + i * PI_BYTES, piece_room(cmd, at + block, PI_BYTES));
	}
}

/* offset of the first byte of the data phase from @from on that is not @data; @len: all are */
static size_t
wire_compare(const struct disk_cmd *cmd, uint64_t from, const uint8_t *data, size_t len)
{
	uint8_t sent[512];
	size_t at = 0;

	while (at < len) {
		size_t part = iov_copy_in(cmd->iov, cmd->niov, from + at, sent,
		    (size_t)num_min(len - at, sizeof(sent)));

		if (part == 0)
			break;
		for (size_t i = 0; i < part; i++) {
			if (sent[i] != data[at + i])
				return at + i;
		}
		at += part;
	}
	return len;
}

/* the bytes of a tuple that are compared: [*ret_first, *ret_end) */
static void
tuple_bounds(uint8_t checks, size_t *ret_first, size_t *ret_end)
{
	*ret_first = checks == 0 || (checks & PI_GUARD) != 0 ? 0 : 2;
	*ret_end = checks == PI_GUARD ? 2 : PI_BYTES;
}

bool
piece_differs(const struct disk_cmd *cmd, uint64_t from, uint64_t n, uint64_t *ret_at)
{
	const struct disk_piece *piece = &cmd->piece;
	size_t block = cmd->disk->block_bytes, unit = (size_t)piece_unit(cmd), first, end, at;

	if (!piece->is_sent) {
		*ret_at = wire_compare(cmd, from, piece->data, n * block);
		return *ret_at < n * block;
	}
	tuple_bounds(piece->checks, &first, &end);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t here = i * unit;

		at = wire_compare(cmd, from + here, piece->data + i * block, block);
		*ret_at = here + at;
		if (at < block)
			return true;
		at = wire_compare(cmd, from + here + block + first,
		    piece->tuples + i * PI_BYTES + first, end - first);
		*ret_at = here + block + first + at;
		if (at < end - first)
			return true;
	}
	return false;
}
