/* commands and the ranges of blocks they hold: waiting for one, and letting others in */
#include "hw/soft/disk_impl.h"

/* Commands of this thread's disks that have been let in and are still to be run. Run one inside
 * the other they would need as much stack as there are commands. */
static _Thread_local struct {
	struct range_list list;
	bool is_running;
} granted;

_Thread_local bool disk_has_granted;

static struct disk_cmd *
disk_cmd_of_range(struct disk_range *range)
{
	return container_of(range, struct disk_cmd, range);
}

static void
granted_add(struct range_list *list)
{
	if (STAILQ_EMPTY(list))
		return;
	if (!disk_has_granted)
		STAILQ_INIT(&granted.list);
	STAILQ_CONCAT(&granted.list, list);
	disk_has_granted = true;
}

void
disk_run_granted_now(void)
{
	struct disk_range *range;

	if (granted.is_running)
		return;
	granted.is_running = true;
	while ((range = STAILQ_FIRST(&granted.list)) != NULL) {
		STAILQ_REMOVE_HEAD(&granted.list, granted_link);
		disk_resume(disk_cmd_of_range(range), 0);
	}
	disk_has_granted = false;
	granted.is_running = false;
}

void
disk_unlock_blocks(struct disk_cmd *cmd)
{
	struct range_list list = STAILQ_HEAD_INITIALIZER(list);

	range_leave(&cmd->disk->ranges, &cmd->range, &list);
	granted_add(&list);
}

/* locks of whoever cancels may be held: those that move up are run elsewhere */
static bool
disk_lock_unpark(struct disk_cmd *cmd)
{
	struct range_list list = STAILQ_HEAD_INITIALIZER(list);
	struct disk_range *range;
	bool was_waiting = range_withdraw(&cmd->disk->ranges, &cmd->range, &list);

	while ((range = STAILQ_FIRST(&list)) != NULL) {
		STAILQ_REMOVE_HEAD(&list, granted_link);
		disk_resume_later(disk_cmd_of_range(range), 0);
	}
	return was_waiting;
}

static bool
disk_lock_park(struct disk_cmd *cmd)
{
	/* cancelled before it can be found: it ends here, and leaves as all do. Cancelled
	 * after that: unpark finds it, or it is told to go on and ends then */
	if (atomic_load(&cmd->is_cancelled))
		return false;
	if (range_wait(&cmd->disk->ranges, &cmd->range) == RANGE_HELD)
		disk_resume(cmd, 0);
	return true;
}

/* the blocks that @row is about; UNMAP says them in its list, so that it may mean any */
static void
disk_lock_bounds(const struct disk *disk, const struct disk_cmd *cmd, uint64_t *ret_first,
    uint64_t *ret_end)
{
	const struct cdb_info *info = &cmd->info;

	*ret_first = info->has_lba ? info->lba : 0;
	*ret_end = info->has_lba && info->blocks != 0 ? info->lba + info->blocks : disk->blocks;
}

static bool
lock_range(struct disk *disk, struct disk_cmd *cmd, enum range_kind kind, uint64_t first,
    uint64_t end)
{
	if (range_enter(&disk->ranges, &cmd->range, kind, first, end) != RANGE_MUST_WAIT)
		return true;
	cmd->park = disk_lock_park;
	cmd->unpark = disk_lock_unpark;
	return false;
}

bool
disk_lock_blocks(struct disk *disk, struct disk_cmd *cmd, const struct disk_op *row)
{
	enum range_kind kind = row->range;
	uint64_t first, end;

	if (disk->pi_type != 0 && row->changes)
		kind = RANGE_ALONE;
	if (cmd->info.has_lba && cmd->info.blocks == 0 &&
	    cmd->info.op->xfer != OP_XFER_WRITE_SAME)
		return true;	/* no blocks */
	disk_lock_bounds(disk, cmd, &first, &end);
	return lock_range(disk, cmd, kind, first, end);
}

bool
disk_lock_all(struct disk *disk, struct disk_cmd *cmd)
{
	return lock_range(disk, cmd, RANGE_ALONE, 0, UINT64_MAX);
}
