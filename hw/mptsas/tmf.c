/* task management: asking the chip to end commands, and waiting until it has let them go */
#include "hw/mptsas/mptsas.h"

#include <errno.h>
#include <string.h>
#include <sys/cpuvar.h>

#include "base/bytes.h"
#include "base/clock.h"

#define DRAIN_US	10000000	/* for commands to come back after what ended them */

/* which commands: one by its context, those of a unit, of a target, or all */
struct scope {
	uint32_t context;
	const struct mptsas_lu *lu;
	const struct mptsas_target *target;
};

/* a function of task management, and what it does to packets */
struct task {
	enum mpt_tm type;
	struct scope scope;
	uint32_t route;
	uint8_t lun[8];
	uint8_t why;
	uint_t stats;
};

static bool
scope_has(const struct scope *scope, const struct mptsas_cmd *cmd)
{
	if (scope->context != 0)
		return cmd->context == scope->context;
	if (scope->lu != NULL)
		return cmd->lu == scope->lu;
	return scope->target == NULL || cmd->lu->target == scope->target;
}

/* lock held */
static unsigned int
scope_count(const struct mptsas_hba *hba, const struct scope *scope)
{
	unsigned int n = 0;

	for (uint32_t i = RING_SLOT_COMMANDS; i < hba->layout.nslots; i++)
		n += hba->slots[i].cmd != NULL && scope_has(scope, hba->slots[i].cmd);
	return n;
}

/* lock held: the first reason stays, later ones leave their mark in the statistics */
static void
cmd_mark(struct mptsas_cmd *cmd, uint8_t why, uint_t stats)
{
	cmd->stats |= stats;
	if (cmd->why == CMD_CMPLT)
		cmd->why = why;
}

static unsigned int
task_mark(struct mptsas_hba *hba, const struct task *task)
{
	unsigned int n = 0;

	mutex_enter(&hba->lock);
	for (uint32_t i = RING_SLOT_COMMANDS; i < hba->layout.nslots; i++) {
		struct mptsas_cmd *cmd = hba->slots[i].cmd;

		if (cmd == NULL || !scope_has(&task->scope, cmd))
			continue;
		cmd_mark(cmd, task->why, task->stats);
		n++;
	}
	mutex_exit(&hba->lock);
	return n;
}

/* until the chip has returned all of @scope; false: it has not */
static bool
scope_drain(struct mptsas_hba *hba, const struct scope *scope, uint64_t us)
{
	uint64_t end_ns = clock_now_ns() + us * NS_PER_US, now_ns;
	bool is_drained;

	mutex_enter(&hba->lock);
	hba->nwaiting++;
	while (scope_count(hba, scope) > 0 && (now_ns = clock_now_ns()) < end_ns)
		(void)cv_timedwait_hires(
		    &hba->cv, &hba->lock, (hrtime_t)(end_ns - now_ns), 0, 0);
	hba->nwaiting--;
	is_drained = scope_count(hba, scope) == 0;
	mutex_exit(&hba->lock);
	return is_drained;
}

/*
 * One function at a time.
 */

static void
task_write(uint8_t *frame, const struct task *task)
{
	memset(frame, 0, MPT_TM_LEN);
	frame[MPT_IO_TARGET] = (uint8_t)task->route;
	frame[MPT_IO_BUS] = (uint8_t)(task->route >> 8);
	frame[MPT_FUNCTION] = MPT_FN_TASK_MGMT;
	frame[MPT_TM_TYPE] = (uint8_t)task->type;
	memcpy(frame + MPT_TM_LUN, task->lun, sizeof(task->lun));
	le32_put(frame + MPT_TM_TASK, task->scope.context);
}

/* 0: done, or nothing there to do it to; -EREMOTEIO: the chip or the device refused; -EIO,
 * -ETIMEDOUT: the adapter has failed */
static int
task_run(struct mptsas_hba *hba, const struct task *task)
{
	const struct mptsas_msg *msg = &hba->msgs[RING_SLOT_TASK];
	bool is_done = false;
	uint32_t count;
	int r;

	mutex_enter(&hba->task);
	task_write(mptsas_frame(hba, RING_SLOT_TASK), task);
	r = mptsas_exchange(hba, RING_SLOT_TASK, MPT_TM_LEN, MPTSAS_MESSAGE_US);
	if (r == 0 && (mpt_reply_task_read(msg->reply, &msg->head, &is_done, &count) < 0 ||
	    !is_done))
		r = -EREMOTEIO;
	mutex_exit(&hba->task);
	return r;
}

/* mark, ask, wait: 0, as task_run(), or -EBUSY: done, but not all have come back */
static int
task_carry_out(struct mptsas_hba *hba, const struct task *task)
{
	int r;

	(void)task_mark(hba, task);
	r = task_run(hba, task);
	if (r < 0)
		return r;
	return scope_drain(hba, &task->scope, DRAIN_US) ? 0 : -EBUSY;
}

static struct task
task_for(enum mpt_tm type, const struct mptsas_lu *lu)
{
	struct task task = {
		.type = type, .route = atomic_load(&lu->target->route),
		.why = CMD_RESET, .stats = STAT_DEV_RESET,
	};

	memcpy(task.lun, lu->lun, sizeof(task.lun));
	return task;
}

/*
 * Abort.
 */

/* lock held: the context @pkt is in flight by; 0: it is not */
static uint32_t
pkt_context(const struct mptsas_hba *hba, const struct scsi_pkt *pkt)
{
	for (uint32_t i = RING_SLOT_COMMANDS; i < hba->layout.nslots; i++) {
		if (hba->slots[i].cmd != NULL && hba->slots[i].cmd->pkt == pkt)
			return hba->slots[i].cmd->context;
	}
	return 0;
}

/* who may not sleep leaves it to the worker */
static int
abort_later(struct mptsas_hba *hba, const struct scope *scope)
{
	unsigned int n = 0;

	mutex_enter(&hba->lock);
	for (uint32_t i = RING_SLOT_COMMANDS; i < hba->layout.nslots; i++) {
		struct mptsas_cmd *cmd = hba->slots[i].cmd;

		if (cmd == NULL || !scope_has(scope, cmd))
			continue;
		cmd_mark(cmd, CMD_ABORTED, STAT_ABORTED);
		cmd->want_abort = true;
		n++;
	}
	if (n > 0)
		mptsas_work_add(hba, MPTSAS_WORK_TASKS);
	mutex_exit(&hba->lock);
	return n > 0;
}

static int
abort_now(struct mptsas_hba *hba, const struct mptsas_lu *lu, const struct scope *scope)
{
	struct task task = task_for(
	    scope->context != 0 ? MPT_TM_ABORT_TASK : MPT_TM_ABORT_TASK_SET, lu);

	task.scope = *scope;
	task.why = CMD_ABORTED;
	task.stats = STAT_ABORTED;
	return task_carry_out(hba, &task) == 0;
}

int
mptsas_abort(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	struct mptsas_lu *lu = mptsas_lu_of(ap);
	struct mptsas_hba *hba = lu->target->hba;
	struct scope scope = { .lu = lu };
	bool is_there = true;

	mutex_enter(&hba->lock);
	if (pkt != NULL) {
		scope.context = pkt_context(hba, pkt);
		is_there = scope.context != 0;
	}
	mutex_exit(&hba->lock);
	if (!is_there)
		return 0;
	(void)atomic_fetch_add(&hba->counts.aborts, 1);
	if (servicing_interrupt())
		return abort_later(hba, &scope) || pkt == NULL;
	return abort_now(hba, lu, &scope);
}

int
mptsas_clear_task_set(struct scsi_address *ap)
{
	struct mptsas_lu *lu = mptsas_lu_of(ap);
	struct mptsas_hba *hba = lu->target->hba;
	struct task task = task_for(MPT_TM_CLEAR_TASK_SET, lu);

	if (servicing_interrupt())
		return 0;
	task.scope.lu = lu;
	task.why = CMD_ABORTED;
	task.stats = STAT_ABORTED;
	return task_carry_out(hba, &task) == 0;
}

/*
 * Resets.
 */

void
mptsas_tell_reset(struct mptsas_hba *hba, const struct mptsas_target *target,
    const struct mptsas_lu *one)
{
	struct mptsas_lu *lu;

	for (lu = mptsas_lu_next(hba, NULL); lu != NULL; lu = mptsas_lu_next(hba, lu)) {
		if ((one != NULL && lu != one) || (target != NULL && lu->target != target))
			continue;
		mutex_enter(&hba->notify);
		scsi_hba_reset_notify_callback(&hba->notify, &lu->notify);
		mutex_exit(&hba->notify);
	}
}

/* the last resort: the whole controller, by the worker; waits until it is over */
static int
reset_adapter(struct mptsas_hba *hba)
{
	bool is_ready;

	mptsas_fail(hba, MPTSAS_FAULT_ASKED, "a reset was asked for");
	mutex_enter(&hba->lock);
	while (hba->state == MPTSAS_FAILED || hba->state == MPTSAS_RESETTING)
		cv_wait(&hba->cv, &hba->lock);
	is_ready = hba->state == MPTSAS_READY;
	mutex_exit(&hba->lock);
	return is_ready;
}

static int
reset_all(struct mptsas_hba *hba)
{
	struct task task = {
		.type = MPT_TM_BUS_RESET, .why = CMD_RESET, .stats = STAT_BUS_RESET,
	};
	int r = task_carry_out(hba, &task);

	if (r == -EREMOTEIO || r == -EBUSY)
		return reset_adapter(hba);
	if (r < 0)
		return 0;
	mptsas_tell_reset(hba, NULL, NULL);
	return 1;
}

static int
reset_target(struct mptsas_hba *hba, const struct mptsas_lu *lu)
{
	struct task task = task_for(MPT_TM_TARGET_RESET, lu);

	task.scope.target = lu->target;
	memset(task.lun, 0, sizeof(task.lun));
	if (task_carry_out(hba, &task) < 0)
		return 0;
	mptsas_tell_reset(hba, lu->target, NULL);
	return 1;
}

static int
reset_lun(struct mptsas_hba *hba, const struct mptsas_lu *lu)
{
	struct task task = task_for(MPT_TM_LUN_RESET, lu);

	task.scope.lu = lu;
	if (task_carry_out(hba, &task) < 0)
		return 0;
	mptsas_tell_reset(hba, NULL, lu);
	return 1;
}

int
mptsas_reset(struct scsi_address *ap, int level)
{
	struct mptsas_lu *lu = mptsas_lu_of(ap);
	struct mptsas_hba *hba = lu->target->hba;

	if (servicing_interrupt())
		return 0;
	(void)atomic_fetch_add(&hba->counts.resets, 1);
	if (level == RESET_ALL)
		return reset_all(hba);
	if (atomic_load(&lu->target->is_gone))
		return 0;
	if (level == RESET_TARGET)
		return reset_target(hba, lu);
	return level == RESET_LUN ? reset_lun(hba, lu) : 0;
}

int
mptsas_bus_reset(dev_info_t *dip, int level)
{
	struct mptsas_hba *hba = mptsas_of(dip);

	if (hba == NULL || servicing_interrupt() || (level != RESET_BUS && level != RESET_ALL))
		return 0;
	return reset_all(hba);
}

int
mptsas_target_reset(struct mptsas_target *target)
{
	struct task task = {
		.type = MPT_TM_TARGET_RESET, .route = atomic_load(&target->route),
		.scope = { .target = target }, .why = CMD_RESET, .stats = STAT_DEV_RESET,
	};

	(void)task_mark(target->hba, &task);
	return task_run(target->hba, &task);
}

void
mptsas_target_depart(struct mptsas_target *target)
{
	struct mptsas_hba *hba = target->hba;
	struct task task = {
		.type = MPT_TM_TARGET_RESET, .route = atomic_load(&target->route),
		.scope = { .target = target }, .why = CMD_DEV_GONE,
	};

	if (task_mark(hba, &task) == 0)
		return;
	/* nobody may be there to reset, but the firmware lets go of what it has */
	(void)!task_run(hba, &task);
	if (!scope_drain(hba, &task.scope, DRAIN_US))
		mptsas_fail(hba, MPTSAS_FAULT_SILENCE, "commands stay with a target that left");
}

int
mptsas_reset_notify(struct scsi_address *ap, int flag, void (*callback)(caddr_t), caddr_t arg)
{
	struct mptsas_lu *lu = mptsas_lu_of(ap);

	return scsi_hba_reset_notify_setup(
	    ap, flag, callback, arg, &lu->target->hba->notify, &lu->notify);
}

/*
 * Time, and aborts that were left to the worker.
 */

static const struct {
	enum mpt_tm type;
	uint_t stats;
} ladder[] = {
	{ MPT_TM_ABORT_TASK, STAT_ABORTED },
	{ MPT_TM_LUN_RESET, STAT_DEV_RESET },
	{ MPT_TM_TARGET_RESET, STAT_DEV_RESET },
	{ MPT_TM_BUS_RESET, STAT_BUS_RESET },
};

static struct scope
ladder_scope(enum mpt_tm type, uint32_t context, const struct mptsas_lu *lu,
    const struct mptsas_target *target)
{
	if (type == MPT_TM_ABORT_TASK)
		return (struct scope){ .context = context };
	if (type == MPT_TM_LUN_RESET)
		return (struct scope){ .lu = lu };
	return (struct scope){ .target = type == MPT_TM_TARGET_RESET ? target : NULL };
}

/* a command whose time is over, as it was when that was noticed. It may be back meanwhile, and
 * its unit gone: the pointers are compared, not followed */
struct victim {
	struct task task;
	const struct mptsas_lu *lu;
	const struct mptsas_target *target;
	uint32_t context;
};

/* true: it is back, or nothing is left to be done by task management */
static bool
ladder_step(struct mptsas_hba *hba, struct victim *v, size_t step)
{
	struct task *task = &v->task;
	bool is_reset = ladder[step].type != MPT_TM_ABORT_TASK;
	int r;

	task->type = ladder[step].type;
	task->stats = ladder[step].stats;
	task->scope = ladder_scope(task->type, v->context, v->lu, v->target);
	r = task_carry_out(hba, task);
	if (r == -EIO || r == -ETIMEDOUT)
		return true;
	if (is_reset && r == 0)
		mptsas_tell_reset(hba, task->scope.target, task->scope.lu);
	return r == 0;
}

static void
victim_rescue(struct mptsas_hba *hba, struct victim *v)
{
	for (size_t i = 0; i < ARRAY_LEN(ladder); i++) {
		if (ladder_step(hba, v, i))
			return;
	}
	mptsas_fail(hba, MPTSAS_FAULT_SILENCE, "a command does not end");
}

/* lock held */
static void
victim_make(struct mptsas_cmd *cmd, struct victim *ret)
{
	*ret = (struct victim){ .lu = cmd->lu, .target = cmd->lu->target,
		.context = cmd->context, .task = task_for(MPT_TM_ABORT_TASK, cmd->lu) };
}

enum want { WANT_NOTHING, WANT_ABORT, WANT_RESCUE };

static enum want
victim_next(struct mptsas_hba *hba, struct victim *ret)
{
	enum want want = WANT_NOTHING;

	mutex_enter(&hba->lock);
	for (uint32_t i = RING_SLOT_COMMANDS; i < hba->layout.nslots && want == WANT_NOTHING;
	    i++) {
		struct mptsas_cmd *cmd = hba->slots[i].cmd;

		if (cmd == NULL || (!cmd->has_expired && !cmd->want_abort))
			continue;
		want = cmd->has_expired ? WANT_RESCUE : WANT_ABORT;
		cmd->has_expired = cmd->want_abort = false;
		victim_make(cmd, ret);
	}
	mutex_exit(&hba->lock);
	return want;
}

void
mptsas_tasks_run(struct mptsas_hba *hba)
{
	struct victim v;
	enum want want;

	while ((want = victim_next(hba, &v)) != WANT_NOTHING) {
		if (want == WANT_RESCUE)
			victim_rescue(hba, &v);
		else
			(void)ladder_step(hba, &v, 0);
	}
}

/*
 * Quiesce.
 */

int
mptsas_quiesce(dev_info_t *dip)
{
	struct mptsas_hba *hba = mptsas_of(dip);

	if (hba == NULL)
		return -1;
	mutex_enter(&hba->lock);
	hba->is_quiesced = true;
	hba->nwaiting++;
	while (hba->active > 0)
		cv_wait(&hba->cv, &hba->lock);
	hba->nwaiting--;
	mutex_exit(&hba->lock);
	return 0;
}

int
mptsas_unquiesce(dev_info_t *dip)
{
	struct mptsas_hba *hba = mptsas_of(dip);

	if (hba == NULL)
		return -1;
	mutex_enter(&hba->lock);
	hba->is_quiesced = false;
	mutex_exit(&hba->lock);
	return 0;
}
