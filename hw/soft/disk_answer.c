/* how commands end, what they take and give, and the requests that many of them make */
#include "hw/soft/disk_impl.h"

#include <errno.h>
#include <sys/kmem.h>

#include "base/num.h"
#include "hw/soft/disk_pi.h"

int
disk_busy(struct disk_cmd *cmd)
{
	cmd->status = SAM_STAT_BUSY;
	return DISK_DONE;
}

int
disk_sense(struct disk_cmd *cmd, const struct sense_data *sense)
{
	cmd->status = SAM_STAT_CHECK_CONDITION;
	cmd->sense = *sense;
	cmd->has_sense = true;
	if (cmd->disk == NULL)
		return DISK_DONE;
	cmd->want_descriptor = atomic_load_explicit(&cmd->disk->wants_descriptor,
	    memory_order_relaxed);
	(void)atomic_fetch_add_explicit(&cmd->disk->stats.checks, 1, memory_order_relaxed);
	return DISK_DONE;
}

int
disk_check(struct disk_cmd *cmd, uint8_t key, uint16_t asc)
{
	struct sense_data sense = sense_make(key, asc);

	return disk_sense(cmd, &sense);
}

int
disk_check_info(struct disk_cmd *cmd, uint8_t key, uint16_t asc, uint64_t info)
{
	struct sense_data sense = sense_make_info(key, asc, info);

	return disk_sense(cmd, &sense);
}

int
disk_bad_cdb(struct disk_cmd *cmd, uint16_t byte, int bit)
{
	struct sense_data sense = sense_invalid_field_cdb(byte, bit);

	return disk_sense(cmd, &sense);
}

int
disk_bad_list(struct disk_cmd *cmd, uint16_t byte, int bit)
{
	struct sense_data sense = sense_invalid_field_list(byte, bit);

	return disk_sense(cmd, &sense);
}

/* errors of the medium by what was tried; a lack of memory is none */
static void
disk_count_error(struct disk_cmd *cmd, int err)
{
	struct disk_stats *stats = &cmd->disk->stats;
	_Atomic uint64_t *count = &stats->other_errors;

	if (err == -ENOMEM || err == -EAGAIN)
		return;
	if ((err == -EIO || err == -ENODATA) && cmd->info.op != NULL &&
	    cmd->info.op->xfer == OP_XFER_VERIFY)
		count = &stats->verify_errors;
	else if (err == -EIO || err == -ENODATA)
		count = cmd->req.op == STORE_READ ? &stats->read_errors : &stats->write_errors;
	(void)atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

int
disk_store_failed(struct disk_cmd *cmd, int err)
{
	bool is_read = cmd->req.op == STORE_READ;
	uint32_t unit = cmd->where == cmd->disk->store ? cmd->disk->block_bytes : PI_BYTES;
	uint64_t lba = (cmd->req.offset + cmd->req.moved) / unit;

	(void)atomic_fetch_add_explicit(
	    &cmd->disk->stats.store_errors, 1, memory_order_relaxed);
	disk_count_error(cmd, err);
	switch (err) {
	case -ENOMEM:
	case -EAGAIN:
		return disk_busy(cmd);
	case -ENOSPC:
	case -EDQUOT:
	case -EFBIG:
		return disk_check(cmd, SENSE_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED);
	case -EROFS:
	case -EPERM:
		return disk_check(cmd, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED);
	case -ENODATA:
		/* the store ends sooner than it did: the disk, too, and the command is behind it */
		disk_look(cmd->disk);
		if (cmd->info.has_lba &&
		    !cdb_range_ok(cmd->info.lba, cmd->info.blocks, cmd->disk->blocks))
			return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
		__attribute__((fallthrough));
	case -EIO:
		if (cmd->req.op == STORE_FLUSH)
			return disk_check(cmd, SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR);
		return disk_check_info(cmd, SENSE_MEDIUM_ERROR, is_read ?
		    ASC_UNRECOVERED_READ_ERROR : ASC_WRITE_ERROR, lba);
	default:
		return disk_check(cmd, SENSE_HARDWARE_ERROR, cmd->req.op == STORE_FLUSH ?
		    ASC_WRITE_ERROR : ASC_INTERNAL_FAILURE);
	}
}

int
disk_reply(struct disk_cmd *cmd, const void *data, size_t len, uint64_t alloc_len)
{
	uint64_t want = num_min(len, alloc_len);

	cmd->is_overrun = want > cmd->buf_bytes;
	cmd->moved =
	    iov_copy_out(cmd->iov, cmd->niov, 0, data, (size_t)num_min(want, disk_room(cmd)));
	return disk_good(cmd);
}

size_t
disk_take(struct disk_cmd *cmd, void *buf, size_t len)
{
	cmd->is_overrun = len > cmd->buf_bytes;
	cmd->moved =
	    iov_copy_in(cmd->iov, cmd->niov, 0, buf, (size_t)num_min(len, disk_room(cmd)));
	return (size_t)cmd->moved;
}

bool
disk_get_chunk(struct disk_cmd *cmd, size_t bytes)
{
	cmd->chunk = kmem_alloc(bytes, KM_NOSLEEP);
	cmd->chunk_bytes = bytes;
	return cmd->chunk != NULL;
}

int
disk_io_chunk(struct disk_cmd *cmd, enum store_op op, uint64_t offset, uint64_t len)
{
	cmd->chunk_iov = (struct iovec){ cmd->chunk, (size_t)len };
	cmd->where = cmd->disk->store;
	cmd->req.op = op;
	cmd->req.iov = &cmd->chunk_iov;
	cmd->req.niov = 1;
	cmd->req.offset = offset;
	cmd->req.len = len;
	cmd->req.is_fua = false;
	return DISK_IO;
}

int
disk_not_ready(struct disk_cmd *cmd, unsigned int condition)
{
	struct sense_data sense = sense_make(SENSE_NO_SENSE, ASC_NONE);

	if ((condition & (DISK_JOB | DISK_FAILED)) != 0)
		sense = disk_job_sense(cmd->disk);
	else
		return disk_check(cmd, SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT);
	/* it is just beginning, or has just ended */
	if (sense.key == SENSE_NO_SENSE)
		return disk_check(cmd, SENSE_NOT_READY, ASC_BECOMING_READY);
	return disk_sense(cmd, &sense);
}

static int
disk_flush_tuples(struct disk_cmd *cmd, int result)
{
	cmd->step = cmd->piece_step;
	if (result < 0)
		return cmd->step(cmd, result);
	cmd->where = cmd->disk->pi_store;
	return DISK_IO;
}

int
disk_flush(struct disk_cmd *cmd, int (*step)(struct disk_cmd *cmd, int result))
{
	cmd->step = cmd->disk->pi_type != 0 ? disk_flush_tuples : step;
	cmd->piece_step = step;
	cmd->where = cmd->disk->store;
	cmd->req.op = STORE_FLUSH;
	cmd->req.offset = 0;
	cmd->req.len = 0;
	return DISK_IO;
}
