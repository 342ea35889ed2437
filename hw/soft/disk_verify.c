/* VERIFY: read the medium, and compare it with data of the initiator when asked to */
#include <errno.h>

#include "base/num.h"
#include "hw/soft/disk_impl.h"

enum { BYTCHK_NONE, BYTCHK_ALL, BYTCHK_RESERVED, BYTCHK_ONE };

/* offset of the first byte that differs from the pieces at @skip; @len when none does */
static size_t
disk_compare(const struct disk_cmd *cmd, uint64_t skip, const uint8_t *data, size_t len)
{
	uint8_t sent[512];
	size_t at = 0;

	while (at < len) {
		size_t part = iov_copy_in(cmd->iov, cmd->niov, skip + at, sent,
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

/* compare the chunk just read, which began at cmd->at; DISK_DONE when it differs */
static int
disk_verify_compare(struct disk_cmd *cmd)
{
	uint64_t from = cmd->at - cmd->info.lba * cmd->disk->block_bytes;
	size_t block = cmd->disk->block_bytes, len = (size_t)cmd->req.len, at;

	if (cmd->phase == BYTCHK_ALL) {
		at = disk_compare(cmd, from, cmd->chunk, len);
		if (at < len)
			return disk_check_info(
			    cmd, SENSE_MISCOMPARE, ASC_MISCOMPARE, from + at);
		return DISK_IO;
	}
	for (size_t off = 0; cmd->phase == BYTCHK_ONE && off < len; off += block) {
		at = disk_compare(cmd, 0, cmd->chunk + off, block);
		if (at < block)
			return disk_check_info(cmd, SENSE_MISCOMPARE, ASC_MISCOMPARE, at);
	}
	return DISK_IO;
}

static int
disk_verify_next(struct disk_cmd *cmd)
{
	if (cmd->left == 0)
		return disk_good(cmd);
	return disk_io_chunk(cmd, STORE_READ, cmd->at, num_min(cmd->left, cmd->chunk_bytes));
}

static int
disk_verify_step(struct disk_cmd *cmd, int result)
{
	if (result < 0)
		return disk_store_failed(cmd, result);
	if (disk_verify_compare(cmd) == DISK_DONE)
		return DISK_DONE;
	cmd->at += cmd->req.len;
	cmd->left -= cmd->req.len;
	return disk_verify_next(cmd);
}

int
disk_do_verify(struct disk *disk, struct disk_cmd *cmd)
{
	uint8_t bytchk = (cmd->cdb[1] >> 1) & 0x03;
	uint64_t range = cmd->info.blocks * disk->block_bytes;
	uint64_t data = bytchk == BYTCHK_ALL   ? range
			: bytchk == BYTCHK_ONE ? disk->block_bytes
					       : 0;

	if (bytchk == BYTCHK_RESERVED)
		return disk_bad_cdb(cmd, 1, 2);
	if (range > DISK_XFER_MAX)
		return disk_bad_cdb(cmd, cmd->info.op->len_at, 7);
	if (range == 0)
		return disk_good(cmd);
	cmd->is_overrun = data > cmd->buf_bytes;
	cmd->moved = num_min(data, disk_room(cmd));
	if (cmd->moved < data)
		return disk_check(cmd, SENSE_ABORTED_COMMAND, ASC_INVALID_FIELD_IN_COMMAND_IU);
	if (!disk_get_chunk(cmd, (size_t)num_min(range, DISK_CHUNK_MAX)))
		return disk_busy(cmd);
	cmd->phase = bytchk;
	cmd->at = cmd->info.lba * disk->block_bytes;
	cmd->left = range;
	cmd->step = disk_verify_step;
	return disk_verify_next(cmd);
}
