/* SANITIZE: what it asks for becomes a job */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "hw/soft/disk_impl.h"

#define SANITIZE_SA		0x1f	/* byte 1 */
#define SANITIZE_AUSE	0x20
#define SANITIZE_IMMED	0x80
#define LIST_HDR	4
#define LIST_INVERT	0x80	/* byte 0 */
#define LIST_COUNT	0x1f

/* what lies in the command's memory */
struct sanitize {
	struct job_order order;
	uint8_t list[];			/* then, behind its header, the pattern */
};

static struct sanitize *
sanitize_of(struct disk_cmd *cmd)
{
	return (struct sanitize *)(void *)cmd->chunk;
}

static int
sanitize_start(struct disk_cmd *cmd)
{
	struct sanitize *s = sanitize_of(cmd);

	return disk_job_start(cmd->disk, &s->order, s->list + LIST_HDR, &cmd->at);
}

int
disk_job_started(struct disk_cmd *cmd, int result)
{
	if (result == -EBUSY)
		return disk_not_ready(cmd, DISK_JOB);
	if (result == -ENOMEM)
		return disk_busy(cmd);
	if (result < 0)
		return disk_save_failed(cmd);
	if (cmd->want_job_end)
		return disk_job_wait(cmd, cmd->at);
	return disk_good(cmd);
}

/* bad values are reported as fields of the CDB: that is what initiators know them by */
static int
sanitize_bad_list(struct disk_cmd *cmd)
{
	return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
}

/* SBC-3 5.30.2.2 */
static int
sanitize_read_list(struct disk *disk, struct disk_cmd *cmd, struct sanitize *s, size_t len)
{
	const uint8_t *list = s->list;

	if (disk_take(cmd, s->list, len) < len)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	s->order.is_inverted = (list[0] & LIST_INVERT) != 0;
	s->order.passes = list[0] & LIST_COUNT;
	s->order.pattern_len = be16_get(list + 2);
	if ((list[0] & ~(LIST_INVERT | LIST_COUNT)) != 0)	/* TEST: vendor specific */
		return disk_bad_list(cmd, 0, 6);
	if (list[1] != 0)
		return disk_bad_list(cmd, 1, 31 - __builtin_clz(list[1]));
	if (s->order.passes == 0 || s->order.pattern_len == 0 ||
	    s->order.pattern_len > disk->block_bytes ||
	    s->order.pattern_len > len - LIST_HDR)
		return sanitize_bad_list(cmd);
	return DISK_IO;
}

int
disk_do_sanitize(struct disk *disk, struct disk_cmd *cmd)
{
	bool is_overwrite = (cmd->cdb[1] & SANITIZE_SA) == 0x01;
	size_t len = is_overwrite ? be16_get(cmd->cdb + 7) : 0;
	struct sanitize *s;

	if (is_overwrite && (len <= LIST_HDR || len > LIST_HDR + disk->block_bytes))
		return disk_bad_cdb(cmd, 7, -1);
	if (!disk_get_chunk(cmd, sizeof(*s) + LIST_HDR + len))
		return disk_busy(cmd);
	s = sanitize_of(cmd);
	s->order = (struct job_order){
		.kind = is_overwrite ? JOB_OVERWRITE : JOB_ERASE,
		.may_exit = (cmd->cdb[1] & SANITIZE_AUSE) != 0,
		.passes = 1,
	};
	if (is_overwrite && sanitize_read_list(disk, cmd, s, len) == DISK_DONE)
		return DISK_DONE;
	cmd->want_job_end = (cmd->cdb[1] & SANITIZE_IMMED) == 0;
	cmd->work = sanitize_start;
	cmd->step = disk_job_started;
	return DISK_WORK;
}

static int
exit_work(struct disk_cmd *cmd)
{
	return disk_job_exit_failure(cmd->disk);
}

static int
exit_done(struct disk_cmd *cmd, int result)
{
	if (result == -EPERM)
		return disk_bad_cdb(cmd, 1, 4);
	return result < 0 ? disk_save_failed(cmd) : disk_good(cmd);
}

int
disk_do_exit_failure(struct disk *disk, struct disk_cmd *cmd)
{
	if ((atomic_load(&disk->condition) & DISK_FAILED) == 0)
		return disk_good(cmd);
	cmd->work = exit_work;
	cmd->step = exit_done;
	return DISK_WORK;
}
