#include "hw/soft/disk_impl.h"

#include <errno.h>
#include <sys/kmem.h>

#include "hw/soft/disk_pi.h"

const struct disk_op disk_ops[OP_N] = {
	[OP_TEST_UNIT_READY] = { .run = disk_do_test_unit_ready },
	[OP_REQUEST_SENSE] = { .run = disk_do_request_sense, .is_always = true },
	[OP_FORMAT_UNIT] = { .run = disk_do_format, .changes = true, .needs_medium = true,
	    .is_remedy = true, .range = RANGE_ALONE },
	[OP_READ_6] = { .run = disk_do_read, .range = RANGE_SHARED },
	[OP_WRITE_6] = { .run = disk_do_write, .changes = true, .range = RANGE_SHARED },
	[OP_INQUIRY] = { .run = disk_do_inquiry, .is_always = true },
	[OP_MODE_SELECT_6] = { .run = disk_do_mode_select },
	[OP_MODE_SENSE_6] = { .run = disk_do_mode_sense, .is_always = true },
	[OP_START_STOP_UNIT] = { .run = disk_do_start_stop },
	[OP_PREVENT_ALLOW] = { .run = disk_do_prevent_allow, .needs_removable = true },
	[OP_RECEIVE_DIAGNOSTIC] = { .run = disk_do_receive_diagnostic },
	[OP_SEND_DIAGNOSTIC] = { .run = disk_do_send_diagnostic },
	[OP_READ_CAPACITY_10] = { .run = disk_do_read_capacity_10 },
	[OP_READ_10] = { .run = disk_do_read, .carries_pi = true, .range = RANGE_SHARED },
	[OP_WRITE_10] = { .run = disk_do_write, .changes = true, .carries_pi = true,
	    .range = RANGE_SHARED },
	[OP_WRITE_AND_VERIFY_10] = { .run = disk_do_write_verify, .changes = true,
	    .carries_pi = true, .range = RANGE_ALONE },
	[OP_VERIFY_10] = { .run = disk_do_verify, .carries_pi = true, .range = RANGE_SHARED },
	[OP_PRE_FETCH_10] = { .run = disk_do_prefetch },
	[OP_SYNCHRONIZE_CACHE_10] = { .run = disk_do_sync_cache },
	[OP_READ_DEFECT_DATA_10] = { .run = disk_do_read_defects },
	[OP_WRITE_SAME_10] = { .run = disk_do_write_same, .changes = true, .carries_pi = true,
	    .range = RANGE_SHARED },
	[OP_UNMAP] = { .run = disk_do_unmap, .needs_thin = true, .changes = true,
	    .range = RANGE_SHARED },
	[OP_SANITIZE_OVERWRITE] = { .run = disk_do_sanitize, .changes = true,
	    .needs_medium = true, .is_remedy = true, .range = RANGE_ALONE },
	[OP_SANITIZE_BLOCK_ERASE] = { .run = disk_do_sanitize, .changes = true,
	    .needs_thin = true, .needs_medium = true, .is_remedy = true, .range = RANGE_ALONE },
	[OP_SANITIZE_CRYPTO_ERASE] = { .run = disk_do_sanitize, .changes = true,
	    .needs_medium = true, .is_remedy = true, .range = RANGE_ALONE },
	[OP_SANITIZE_EXIT_FAILURE] = { .run = disk_do_exit_failure, .needs_medium = true,
	    .is_remedy = true },
	[OP_WRITE_BUFFER] = { .run = disk_do_write_buffer },
	[OP_READ_BUFFER_10] = { .run = disk_do_read_buffer },
	[OP_LOG_SELECT] = { .run = disk_do_log_select },
	[OP_LOG_SENSE] = { .run = disk_do_log_sense, .is_always = true },
	[OP_MODE_SELECT_10] = { .run = disk_do_mode_select },
	[OP_MODE_SENSE_10] = { .run = disk_do_mode_sense, .is_always = true },
	[OP_READ_16] = { .run = disk_do_read, .carries_pi = true, .range = RANGE_SHARED },
	[OP_COMPARE_AND_WRITE] = { .run = disk_do_compare_and_write, .changes = true,
	    .range = RANGE_ALONE },
	[OP_WRITE_16] = { .run = disk_do_write, .changes = true, .carries_pi = true,
	    .range = RANGE_SHARED },
	[OP_ORWRITE_16] = { .run = disk_do_orwrite, .changes = true, .range = RANGE_ALONE },
	[OP_WRITE_AND_VERIFY_16] = { .run = disk_do_write_verify, .changes = true,
	    .carries_pi = true, .range = RANGE_ALONE },
	[OP_VERIFY_16] = { .run = disk_do_verify, .carries_pi = true, .range = RANGE_SHARED },
	[OP_PRE_FETCH_16] = { .run = disk_do_prefetch },
	[OP_SYNCHRONIZE_CACHE_16] = { .run = disk_do_sync_cache },
	[OP_WRITE_SAME_16] = { .run = disk_do_write_same, .changes = true, .carries_pi = true,
	    .range = RANGE_SHARED },
	[OP_WRITE_ATOMIC_16] = { .run = disk_do_write_atomic, .changes = true,
	    .carries_pi = true, .range = RANGE_ALONE },
	[OP_READ_CAPACITY_16] = { .run = disk_do_read_capacity_16 },
	[OP_GET_LBA_STATUS] = { .run = disk_do_get_lba_status },
	[OP_REPORT_LUNS] = { .run = disk_do_report_luns, .is_always = true },
	[OP_REPORT_IDENTIFYING_INFO] = { .run = disk_do_report_name, .needs_saving = true },
	[OP_SET_IDENTIFYING_INFO] = { .run = disk_do_set_name, .needs_saving = true },
	[OP_REPORT_TIMESTAMP] = { .run = disk_do_report_time },
	[OP_SET_TIMESTAMP] = { .run = disk_do_set_time },
	[OP_REPORT_SUPPORTED_OPCODES] = { .run = disk_do_report_opcodes, .is_always = true },
	[OP_REPORT_SUPPORTED_TMFS] = { .run = disk_do_report_tmfs, .is_always = true },
	[OP_READ_12] = { .run = disk_do_read, .carries_pi = true, .range = RANGE_SHARED },
	[OP_WRITE_12] = { .run = disk_do_write, .changes = true, .carries_pi = true,
	    .range = RANGE_SHARED },
	[OP_WRITE_AND_VERIFY_12] = { .run = disk_do_write_verify, .changes = true,
	    .carries_pi = true, .range = RANGE_ALONE },
	[OP_VERIFY_12] = { .run = disk_do_verify, .carries_pi = true, .range = RANGE_SHARED },
	[OP_READ_DEFECT_DATA_12] = { .run = disk_do_read_defects },
};

/* what only some disks can do: is this one of them? */
static bool
disk_meets(const struct disk *disk, const struct disk_op *row)
{
	return (!row->needs_thin || disk->is_thin) &&
	    (!row->needs_removable || disk->is_removable) &&
	    (!row->needs_saving || disk->saved != NULL);
}

static inline const struct disk_op *
op_row(const struct disk *disk, const struct op_info *op)
{
	const struct disk_op *row = &disk_ops[op->id];

	return row->run != NULL && disk_meets(disk, row) ? row : NULL;
}

const struct disk_op *
disk_op_get(const struct disk *disk, const struct op_info *op)
{
	return op_row(disk, op);
}

/* a command whose operation code is known, but not its service action, has a bad field in it */
static int __attribute__((noinline))
disk_unknown(struct disk_cmd *cmd)
{
	const struct op_info *op;
	uint8_t opcode = cmd->cdb[0];
	bool has_other = false;

	for (op = op_next(NULL); op != NULL; op = op_next(op)) {
		if (op->opcode == opcode && disk_op_get(cmd->disk, op) != NULL)
			has_other = true;
	}
	if (has_other && op_has_sa(opcode))
		return disk_bad_cdb(cmd, 1, 4);
	return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
}

static int __attribute__((noinline))
disk_judge_attention(struct disk *disk, struct disk_cmd *cmd, const struct op_info *op)
{
	uint16_t asc;

	if ((op != NULL && (op->flags & OP_F_UA_EXEMPT) != 0) ||
	    !disk_take_attention(disk, &asc))
		return DISK_IO;
	return disk_check(cmd, SENSE_UNIT_ATTENTION, asc);
}

/* everything that can be said without knowing the command: DISK_DONE when it was refused */
static int
disk_judge_state(struct disk *disk, struct disk_cmd *cmd, const struct op_info *op)
{
	if (UNLIKELY(atomic_load_explicit(&disk->nua, memory_order_acquire) > 0) &&
	    disk_judge_attention(disk, cmd, op) == DISK_DONE)
		return DISK_DONE;
	if (UNLIKELY(atomic_load_explicit(&disk->has_held, memory_order_acquire)) &&
	    (op == NULL || op->id != OP_REQUEST_SENSE))
		atomic_store(&disk->has_held, false);
	return DISK_IO;
}

/* something is the matter with the disk, or it sleeps */
static int __attribute__((noinline))
disk_judge_condition(struct disk *disk, struct disk_cmd *cmd, const struct disk_op *row)
{
	const struct op_info *op = cmd->info.op;
	bool needs_medium = (op->flags & OP_F_MEDIUM) != 0 || row->needs_medium;
	unsigned int condition = atomic_load(&disk->condition);

	if ((condition & DISK_JOB) != 0 && !row->is_always)
		return disk_not_ready(cmd, condition);
	if ((condition & DISK_FAILED) != 0 && !row->is_always && !row->is_remedy)
		return disk_not_ready(cmd, condition);
	if ((condition & DISK_EJECTED) != 0 && needs_medium)
		return disk_not_ready(cmd, condition);
	if (op->lba_width != 0)
		(void)atomic_fetch_and(&disk->condition, ~DISK_LOW_POWER);
	return DISK_IO;
}

/* a bit outside of the mask: the field pointer tells which */
static int __attribute__((noinline))
disk_judge_bits(struct disk_cmd *cmd)
{
	uint8_t byte, bit;

	if (cdb_reserved_bit(cmd->info.op, cmd->cdb, cmd->cdb_len, &byte, &bit))
		return disk_bad_cdb(cmd, byte, bit);
	return DISK_IO;
}

static int __attribute__((noinline))
disk_judge_protect(struct disk *disk, struct disk_cmd *cmd, const struct disk_op *row)
{
	if (disk->pi_type == 0 || !row->carries_pi ||
	    !pi_is_protect(cdb_protect(cmd->info.op, cmd->cdb)))
		return disk_bad_cdb(cmd, 1, 7);
	return DISK_IO;
}

static inline int
disk_judge_fields(struct disk *disk, struct disk_cmd *cmd, const struct disk_op *row)
{
	const struct op_info *op = cmd->info.op;

	if (UNLIKELY(!cdb_has_usage(op, cmd->cdb, cmd->cdb_len)) &&
	    disk_judge_bits(cmd) == DISK_DONE)
		return DISK_DONE;
	if (UNLIKELY(atomic_load_explicit(&disk->condition, memory_order_relaxed) != 0) &&
	    disk_judge_condition(disk, cmd, row) == DISK_DONE)
		return DISK_DONE;
	if (UNLIKELY(cdb_protect(op, cmd->cdb) != 0))
		return disk_judge_protect(disk, cmd, row);
	return DISK_IO;
}

static int __attribute__((noinline))
disk_judge_write(struct disk *disk, struct disk_cmd *cmd)
{
	if (disk->is_readonly)
		return disk_check(cmd, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED);
	if (atomic_load_explicit(&disk->is_soft_protected, memory_order_relaxed))
		return disk_check(cmd, SENSE_DATA_PROTECT, ASC_SOFTWARE_WRITE_PROTECTED);
	return DISK_IO;
}

/* is the command whole, in range, allowed, and does its buffer go the right way? */
static inline int
disk_judge(struct disk *disk, struct disk_cmd *cmd, const struct disk_op *row)
{
	const struct cdb_info *info = &cmd->info;

	if (disk_judge_fields(disk, cmd, row) == DISK_DONE)
		return DISK_DONE;
	if (info->has_lba && UNLIKELY(!cdb_range_ok(info->lba, info->blocks, disk->blocks)))
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	if (row->changes && disk_judge_write(disk, cmd) == DISK_DONE)
		return DISK_DONE;
	if (LIKELY(info->dir == cmd->buf_dir) || info->bytes == 0 || cmd->buf_bytes == 0 ||
	    info->dir == OP_DIR_BOTH)
		return DISK_IO;
	cmd->is_dir_wrong = true;
	return disk_good(cmd);
}

/* it has waited for its blocks: the disk may not be what it was */
static int __attribute__((noinline))
disk_locked(struct disk_cmd *cmd, int result)
{
	struct disk *disk = cmd->disk;
	const struct disk_op *row = disk_op_get(disk, cmd->info.op);

	(void)result;
	if (disk_judge(disk, cmd, row) == DISK_DONE)
		return DISK_DONE;
	return row->run(disk, cmd);
}

static int
disk_begin(struct disk *disk, struct disk_cmd *cmd)
{
	const struct op_info *op;
	const struct disk_op *row;

	if (cdb_decode(cmd->cdb, cmd->cdb_len, disk->block_bytes, &cmd->info) < 0)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	op = cmd->info.op;
	if (disk_judge_state(disk, cmd, op) == DISK_DONE)
		return DISK_DONE;
	row = op == NULL ? NULL : op_row(disk, op);
	if (row == NULL)
		return disk_unknown(cmd);
	if (disk_judge(disk, cmd, row) == DISK_DONE)
		return DISK_DONE;
	if (row->range == RANGE_NONE)
		return row->run(disk, cmd);
	if ((row->range != RANGE_SHARED || !range_enter_fast(&disk->ranges, &cmd->range)) &&
	    !disk_lock_blocks(disk, cmd, row)) {
		cmd->step = disk_locked;
		return DISK_WAIT;
	}
	/* a sanitize may have begun between the first look and the lock */
	if (UNLIKELY(atomic_load_explicit(&disk->condition, memory_order_relaxed) != 0))
		return disk_locked(cmd, 0);
	return row->run(disk, cmd);
}

static void
disk_end(struct disk_cmd *cmd)
{
	if (!cmd->is_counted)
		disk_count_other(cmd);
	if (!range_leave_fast(&cmd->disk->ranges, &cmd->range))
		disk_unlock_blocks(cmd);
	if (cmd->chunk != NULL)
		kmem_free(cmd->chunk, cmd->chunk_bytes);
	cmd->chunk = NULL;
}

static void disk_req_done(struct store_req *req, int result);

/* from now on the command finishes by done() */
static void
disk_pend(struct disk_cmd *cmd)
{
	if (cmd->is_pending)
		return;
	cmd->is_pending = true;
	(void)atomic_fetch_add_explicit(&cmd->disk->stats.queued, 1, memory_order_relaxed);
	cmd->pend(cmd);
}

/* what a handler asks for becomes what its step asks for, or DISK_AWAY: the command is somebody
 * else's now, who will go on with it */

static int
disk_run_io(struct disk_cmd *cmd)
{
	int r = cmd->aio == NULL ? store_do(cmd->where, &cmd->req) :
	    store_try(cmd->where, &cmd->req);

	if (UNLIKELY(r == -EAGAIN && cmd->aio != NULL)) {
		disk_pend(cmd);
		store_queue(cmd->where, &cmd->req);
		return DISK_AWAY;
	}
	return cmd->step(cmd, r);
}

static void
disk_work_run(struct disk_work *bg)
{
	struct disk_cmd *cmd = container_of(bg, struct disk_cmd, bg);

	disk_resume(cmd, cmd->work(cmd));
}

static int
disk_run_work(struct disk_cmd *cmd)
{
	if (cmd->aio == NULL)
		return cmd->step(cmd, cmd->work(cmd));
	disk_pend(cmd);
	cmd->bg.run = disk_work_run;
	disk_host_post(cmd->disk->place.host, &cmd->bg);
	return DISK_AWAY;
}

/* who polls waits here for the one who resumes */
struct disk_poll {
	kmutex_t lock;
	kcondvar_t cv;
	bool is_resumed;
};

static int
disk_run_wait(struct disk_cmd *cmd)
{
	struct disk_poll poll = { .is_resumed = false };

	if (cmd->aio != NULL) {
		disk_pend(cmd);
		return cmd->park(cmd) ? DISK_AWAY : DISK_DONE;
	}
	mutex_init(&poll.lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&poll.cv, NULL, CV_DRIVER, NULL);
	cmd->poll = &poll;
	(void)cmd->park(cmd);		/* polled commands are not cancelled */
	mutex_enter(&poll.lock);
	while (!poll.is_resumed)
		cv_wait(&poll.cv, &poll.lock);
	mutex_exit(&poll.lock);
	cv_destroy(&poll.cv);
	mutex_destroy(&poll.lock);
	return cmd->step(cmd, cmd->result);
}

/* do what a handler or step asks for until it has finished (true) or has to wait */
static bool
disk_run(struct disk_cmd *cmd, int want)
{
	while (want != DISK_DONE) {
		if (LIKELY(want == DISK_IO))
			want = disk_run_io(cmd);
		else if (want == DISK_WORK)
			want = disk_run_work(cmd);
		else if (want == DISK_WAIT)
			want = disk_run_wait(cmd);
		else
			return false;
	}
	disk_end(cmd);
	return true;
}

/* what it waited for has happened */
static void
disk_go_on(struct disk_cmd *cmd, int result)
{
	int want = DISK_DONE;

	if (!atomic_load(&cmd->is_cancelled) || atomic_load(&cmd->whole) != 0)
		want = cmd->step(cmd, result);
	if (disk_run(cmd, want))
		cmd->done(cmd);
	disk_run_granted();
}

static void
disk_req_done(struct store_req *req, int result)
{
	disk_go_on(disk_cmd_of(req), result);
}

void
disk_resume(struct disk_cmd *cmd, int result)
{
	struct disk_poll *poll = cmd->poll;

	if (cmd->aio != NULL) {
		disk_go_on(cmd, result);
		return;
	}
	mutex_enter(&poll->lock);
	cmd->result = result;
	poll->is_resumed = true;
	cv_signal(&poll->cv);
	mutex_exit(&poll->lock);
}

static void
disk_resume_run(struct disk_work *bg)
{
	struct disk_cmd *cmd = container_of(bg, struct disk_cmd, bg);

	disk_resume(cmd, cmd->result);
}

void
disk_resume_later(struct disk_cmd *cmd, int result)
{
	cmd->result = result;
	cmd->bg.run = disk_resume_run;
	disk_host_post(cmd->disk->place.host, &cmd->bg);
}

bool
disk_begin_whole(struct disk_cmd *cmd, enum disk_whole what)
{
	unsigned int before = atomic_fetch_or(&cmd->whole, what);

	if (before != 0 || !atomic_load(&cmd->is_cancelled))
		return true;
	atomic_store(&cmd->whole, 0);
	return false;
}

bool
disk_end_whole(struct disk_cmd *cmd, enum disk_whole what)
{
	unsigned int before = atomic_fetch_and(&cmd->whole, ~(unsigned int)what);

	return (before & ~(unsigned int)what) != 0 || !atomic_load(&cmd->is_cancelled);
}

static inline void
cmd_prepare(struct disk *disk, struct disk_cmd *cmd)
{
	cmd->status = SAM_STAT_GOOD;
	cmd->has_sense = false;
	cmd->want_descriptor = false;
	cmd->is_overrun = false;
	cmd->is_dir_wrong = false;
	cmd->is_pending = false;
	cmd->is_counted = false;
	cmd->phase = 0;
	cmd->moved = 0;
	cmd->disk = disk;
	cmd->where = disk == NULL ? NULL : disk->store;
	cmd->range.state = RANGE_OUT;
	cmd->chunk = NULL;
	atomic_store_explicit(&cmd->unpark, NULL, memory_order_relaxed);
	atomic_store_explicit(&cmd->whole, 0, memory_order_relaxed);
	cmd->req.aio = cmd->aio;
	cmd->req.done = disk_req_done;
	cmd->req.moved = 0;
}

void
disk_cmd_prepare(struct disk *disk, struct disk_cmd *cmd)
{
	cmd_prepare(disk, cmd);
}

void
disk_cmd_clear(struct disk_cmd *cmd)
{
	disk_cmd_prepare(NULL, cmd);
}

bool
disk_execute(struct disk *disk, struct disk_cmd *cmd)
{
	bool is_finished;

	cmd_prepare(disk, cmd);
	is_finished = disk_run(cmd, disk_begin(disk, cmd));
	/* a cancel was faster than the wait */
	if (UNLIKELY(is_finished && cmd->is_pending)) {
		cmd->done(cmd);
		is_finished = false;
	}
	disk_run_granted();
	return is_finished;
}

void
disk_cancel(struct disk_cmd *cmd)
{
	/* disk_begin_whole() looks at them in the other order: one of us sees the other */
	atomic_store(&cmd->is_cancelled, true);
	if (atomic_load(&cmd->whole) == 0)
		store_cancel(&cmd->req);
	if (cmd->unpark != NULL && cmd->unpark(cmd))
		disk_resume_later(cmd, -ECANCELED);
}

void
disk_finish_check(struct disk *disk, struct disk_cmd *cmd, const struct sense_data *sense)
{
	disk_cmd_prepare(disk, cmd);
	(void)disk_sense(cmd, sense);
}
