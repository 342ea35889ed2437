/* blocks in, blocks out, and the promise that they stay */
#include <errno.h>

#include "base/num.h"
#include "hw/soft/disk_impl.h"

bool
disk_wants_fua(const struct disk_cmd *cmd)
{
	return cdb_fua(cmd->info.op, cmd->cdb) ||
	    atomic_load_explicit(&cmd->disk->is_write_through, memory_order_relaxed);
}

/* shorten the pieces of the buffer to @len bytes together */
static void __attribute__((noinline))
disk_trim(struct disk_cmd *cmd, uint64_t len)
{
	unsigned int i;

	for (i = 0; i < cmd->niov && len > 0; i++) {
		cmd->iov[i].iov_len = (size_t)num_min(cmd->iov[i].iov_len, len);
		len -= cmd->iov[i].iov_len;
	}
	cmd->niov = i;
}

/* cmd->req for what the buffer can take or give of the blocks asked for */
static inline int
disk_begin_rw(struct disk *disk, struct disk_cmd *cmd, enum store_op op)
{
	uint64_t bytes = cmd->info.bytes, len = num_min(bytes, disk_room(cmd));

	if (disk_is_too_long(cmd))
		return disk_bad_cdb(cmd, cmd->info.op->len_at, 7);
	cmd->is_overrun = bytes > cmd->buf_bytes;
	if (op == STORE_WRITE)
		len -= len % disk->block_bytes;
	if (len != cmd->buf_bytes)
		disk_trim(cmd, len);
	cmd->req.op = op;
	cmd->req.iov = cmd->iov;
	cmd->req.niov = cmd->niov;
	cmd->req.offset = cmd->info.lba * disk->block_bytes;
	cmd->req.len = len;
	cmd->left = len;
	return DISK_IO;
}

static int
disk_read_step(struct disk_cmd *cmd, int result)
{
	if (result < 0)
		return disk_store_failed(cmd, result);
	cmd->moved = cmd->left;
	disk_count_read(cmd);
	return disk_good(cmd);
}

/* FUA of a read: what is newer in the cache goes to the medium first (SBC-3 5.8) */
static int
disk_read_flushed(struct disk_cmd *cmd, int result)
{
	if (result < 0)
		return disk_store_failed(cmd, result);
	cmd->req.op = STORE_READ;
	cmd->step = disk_read_step;
	return DISK_IO;
}

int
disk_do_read(struct disk *disk, struct disk_cmd *cmd)
{
	int want;

	if (UNLIKELY(disk->pi_type != 0))
		return disk_do_pi_read(disk, cmd);
	want = disk_begin_rw(disk, cmd, STORE_READ);
	cmd->req.is_fua = false;
	cmd->step = disk_read_step;
	if (want == DISK_IO && disk->has_cache && cdb_fua(cmd->info.op, cmd->cdb)) {
		cmd->req.op = STORE_FLUSH;
		cmd->step = disk_read_flushed;
	}
	return want;
}

static int
disk_write_step(struct disk_cmd *cmd, int result)
{
	if (result < 0)
		return disk_store_failed(cmd, result);
	cmd->moved = cmd->left;
	disk_count_write(cmd);
	return disk_good(cmd);
}

int
disk_do_write(struct disk *disk, struct disk_cmd *cmd)
{
	if (UNLIKELY(disk->pi_type != 0))
		return disk_do_pi_write(disk, cmd);
	cmd->step = disk_write_step;
	cmd->req.is_fua = disk_wants_fua(cmd);
	return disk_begin_rw(disk, cmd, STORE_WRITE);
}

static int
disk_sync_step(struct disk_cmd *cmd, int result)
{
	return result < 0 ? disk_store_failed(cmd, result) : disk_good(cmd);
}

/* IMMED may answer before the work is done; answering after it keeps the promise, too */
int
disk_do_sync_cache(struct disk *disk, struct disk_cmd *cmd)
{
	(void)disk;
	return disk_flush(cmd, disk_sync_step);
}
