#include "lu/local.h"

#include <assert.h>
#include <string.h>

#include "base/fault.h"
#include "base/num.h"
#include "lu/alua.h"
#include "lu/copy.h"
#include "lu/inquiry.h"
#include "lu/lu_impl.h"
#include "lu/opcodes.h"
#include "lu/policy.h"
#include "lu/reserve.h"
#include "lu/token.h"
#include "lu/view.h"
#include "scsi/cdb.h"
#include "scsi/status.h"

/* the device may have this many unit attentions to tell before it answers us */
#define ASK_TRIES	5

/* ------ the table ------ */

static void local_request_sense(struct lu *lu, struct lu_task *task);

lu_local_fn *const lu_local_ops[OP_N] = {
	[OP_PREVENT_ALLOW] = lu_prevent_allow,
	[OP_REQUEST_SENSE] = local_request_sense,
	[OP_INQUIRY] = lu_inquiry_do,
	[OP_MODE_SENSE_6] = lu_mode_sense,
	[OP_MODE_SENSE_10] = lu_mode_sense,
	[OP_EXTENDED_COPY_LID1] = lu_copy_do_extended,
	[OP_EXTENDED_COPY_LID4] = lu_copy_do_refuse,
	[OP_POPULATE_TOKEN] = lu_token_do_populate,
	[OP_WRITE_USING_TOKEN] = lu_token_do_write,
	[OP_COPY_OPERATION_ABORT] = lu_copy_do_refuse,
	[OP_RECEIVE_COPY_STATUS_LID1] = lu_copy_do_receive,
	[OP_RECEIVE_COPY_DATA_LID1] = lu_copy_do_receive,
	[OP_RECEIVE_COPY_PARAMETERS] = lu_copy_do_receive,
	[OP_RECEIVE_COPY_FAILURE_LID1] = lu_copy_do_receive,
	[OP_RECEIVE_COPY_STATUS_LID4] = lu_copy_do_refuse,
	[OP_RECEIVE_COPY_DATA_LID4] = lu_copy_do_refuse,
	[OP_RECEIVE_ROD_TOKEN_INFO] = lu_token_do_receive,
	[OP_REPORT_ALL_ROD_TOKENS] = lu_token_do_report,
	[OP_REPORT_LUNS] = lu_view_do_report_luns,
	[OP_REPORT_TARGET_PORT_GROUPS] = lu_alua_do_report,
	[OP_SET_TARGET_PORT_GROUPS] = lu_alua_do_set,
	[OP_REPORT_SUPPORTED_OPCODES] = lu_opcodes_do_report,
	[OP_REPORT_SUPPORTED_TMFS] = lu_opcodes_do_tmfs,
	[OP_RESERVE_6] = lu_reserve_reserve,
	[OP_RESERVE_10] = lu_reserve_reserve,
	[OP_RELEASE_6] = lu_reserve_release,
	[OP_RELEASE_10] = lu_reserve_release,
	[OP_PRIN_READ_KEYS] = lu_reserve_pr_in,
	[OP_PRIN_READ_RESERVATION] = lu_reserve_pr_in,
	[OP_PRIN_REPORT_CAPABILITIES] = lu_reserve_pr_in,
	[OP_PRIN_READ_FULL_STATUS] = lu_reserve_pr_in,
	[OP_PROUT_REGISTER] = lu_reserve_pr_out,
	[OP_PROUT_RESERVE] = lu_reserve_pr_out,
	[OP_PROUT_RELEASE] = lu_reserve_pr_out,
	[OP_PROUT_CLEAR] = lu_reserve_pr_out,
	[OP_PROUT_PREEMPT] = lu_reserve_pr_out,
	[OP_PROUT_PREEMPT_AND_ABORT] = lu_reserve_pr_out,
	[OP_PROUT_REGISTER_AND_IGNORE] = lu_reserve_pr_out,
	[OP_PROUT_REGISTER_AND_MOVE] = lu_reserve_pr_out,
	[OP_PROUT_REPLACE_LOST] = lu_reserve_pr_out,
};

lu_local_fn *
lu_local_find(const struct lu *lu, const struct op_info *op)
{
	lu_local_fn *fn = lu_local_ops[op->id];

	if (lu->policy == 0)
		return fn;
	return lu_policy_is_passed(lu, lu_policy_of(op)) ? NULL : fn;
}

void
lu_local_start(struct lu_task *task, struct lu *lu, lu_local_fn *fn)
{
	uint8_t byte, bit;

	if (task->sm == LU_TASK_HELD)
		lu_held_remove(task, lu);
	lu_task_move(task, LU_TASK_LOCAL);
	lu->n_local++;
	if (cdb_reserved_bit(task->op, task->cdb, task->cdb_used, &byte, &bit))
		lu_local_bad_cdb(task, byte, bit);
	else
		fn(lu, task);
}

/* SPC-4 6.39: what is pending here, else what the device has to tell */
static void
local_request_sense(struct lu *lu UNUSED, struct lu_task *task)
{
	uint8_t buf[LU_SENSE_MAX];
	struct sense_data sense;

	if (!lu_ua_take(task->nexus, &sense)) {
		lu_local_pass(task);
		return;
	}
	lu_local_reply(task, buf, sense_build(&sense, (task->cdb[1] & 0x01) != 0, buf,
	    sizeof(buf)), task->cdb[4]);
}

/* ------ ends ------ */

bool
lu_local_is_aborted(const struct lu_task *task)
{
	return task->is_abort_due;
}

/* nothing is moved that the initiator did not ask for: it may be that data comes to more */
static void
local_set_moved(struct lu_task *task, uint64_t want)
{
	task->moved = (uint32_t)num_min(want, task->data_len);
	task->resid = task->data_len - task->moved;
	task->resid_kind = task->resid > 0 ? LU_RESID_UNDER : LU_RESID_NONE;
	if (want > task->data_len) {
		task->resid_kind = LU_RESID_OVER;
		task->resid = (uint32_t)num_min(want - task->data_len, UINT32_MAX);
	}
	if (task->moved > 0)
		task->state |= STATE_XFERRED_DATA;
}

void
lu_local_status(struct lu_task *task, uint8_t status)
{
	lu_task_end_status(task, status);
}

void
lu_local_good(struct lu_task *task)
{
	lu_task_end_status(task, SAM_STAT_GOOD);
	if (task->dir == LU_DIR_OUT)
		local_set_moved(task, num_min(task->expected, UINT32_MAX));
}

void
lu_local_sense(struct lu_task *task, const struct sense_data *sense)
{
	lu_task_end_sense(task, sense);
}

void
lu_local_check(struct lu_task *task, uint8_t key, uint16_t asc)
{
	struct sense_data sense = sense_make(key, asc);

	lu_task_end_sense(task, &sense);
}

void
lu_local_bad_cdb(struct lu_task *task, uint16_t byte, int bit)
{
	struct sense_data sense = sense_invalid_field_cdb(byte, bit);

	lu_task_end_sense(task, &sense);
}

void
lu_local_bad_list(struct lu_task *task, uint16_t byte, int bit)
{
	struct sense_data sense = sense_invalid_field_list(byte, bit);

	lu_task_end_sense(task, &sense);
}

void
lu_local_aborted(struct lu_task *task)
{
	lu_task_end(task, CMD_ABORTED, STAT_ABORTED);
}

void
lu_local_no_room(struct lu_task *task)
{
	lu_local_check(task, SENSE_ILLEGAL_REQUEST, ASC_INSUFFICIENT_RESOURCES);
}

void
lu_local_reply(struct lu_task *task, const void *data, size_t len, uint64_t alloc_len)
{
	lu_task_end_status(task, SAM_STAT_GOOD);
	local_set_moved(task, num_min(len, alloc_len));
	if (task->moved > 0 && data != task->data)
		memcpy(task->data, data, task->moved);
}

size_t
lu_local_take(struct lu_task *task, void *buf, size_t size)
{
	size_t len = task->dir == LU_DIR_OUT ? num_min(size, task->data_len) : 0;

	if (len > 0)
		memcpy(buf, task->data, len);
	return len;
}

void
lu_local_as(struct lu_task *task, const struct lu_ask *ask)
{
	const struct lu_task *from = &ask->task;

	lu_task_end(task, from->reason, from->statistics);
	task->state = from->state & ~(uint32_t)STATE_XFERRED_DATA;
	task->status = from->status;
	task->sense_len = from->sense_len;
	memcpy(task->sense, from->sense, from->sense_len);
}

/* ------ the device's help ------ */

void
lu_local_pass_then(struct lu_task *task, void (*after)(struct lu *lu, struct lu_task *task))
{
	struct lu *lu = task->nexus->unit;

	task->after = after;
	task->is_passed = true;
	/* the handler needed no room, the device's answer does */
	if (!unit_has_room(lu) || !lu_task_run(task, lu))
		lu_hold(task, lu);
}

void
lu_local_pass(struct lu_task *task)
{
	lu_local_pass_then(task, NULL);
}

struct lu_ask *
lu_ask_new(struct lu *lu, uint32_t room, void (*done)(struct lu_ask *ask), void *arg)
{
	struct lu_ask *ask = fault_hit() ? NULL : calloc(1, sizeof(*ask) + room);

	if (ask == NULL)
		return NULL;
	lu_task_init(&ask->task);
	ask->task.nexus = &lu->own;
	ask->task.attr = LU_ATTR_SIMPLE;
	ask->room = room;
	ask->done = done;
	ask->arg = arg;
	return ask;
}

void
lu_ask_free(struct lu_ask *ask)
{
	free(ask);
}

void
lu_ask_in(struct lu_ask *ask, uint32_t len)
{
	assert(len <= ask->room);
	ask->task.dir = len > 0 ? LU_DIR_IN : LU_DIR_NONE;
	ask->task.data = len > 0 ? ask->data : NULL;
	ask->task.data_len = len;
}

bool
lu_ask_good(const struct lu_ask *ask)
{
	return ask->task.reason == CMD_CMPLT && ask->task.status == SAM_STAT_GOOD;
}

static bool
ask_met_attention(const struct lu_task *task)
{
	struct sense_data sense;

	return task->reason == CMD_CMPLT && task->status == SAM_STAT_CHECK_CONDITION &&
	    sense_parse(task->sense, task->sense_len, &sense) == 0 &&
	    sense.key == SENSE_UNIT_ATTENTION;
}

static void
ask_done(struct lu_task *task)
{
	struct lu_ask *ask = container_of(task, struct lu_ask, task);

	if (ask_met_attention(task) && ++ask->tries < ASK_TRIES && lu_submit(task) == 0)
		return;
	ask->done(ask);
}

int
lu_ask(struct lu *lu UNUSED, struct lu_ask *ask)
{
	ask->tries = 0;
	ask->task.done = ask_done;
	return lu_submit(&ask->task);
}

/* ------ work that blocks ------ */

static void
job_back(struct lu_work *w)
{
	struct lu_job *job = container_of(w, struct lu_job, work);

	job->then(job->task, job, job->result);
}

static void
job_run(struct lu_work *w)
{
	struct lu_job *job = container_of(w, struct lu_job, work);

	job->result = job->run(job);
	lu_exec_post(job->task->nexus->unit->home, &job->work, job_back);
}

void
lu_local_offload(struct lu_task *task, struct lu_job *job, int (*run)(struct lu_job *job),
    void (*then)(struct lu_task *task, struct lu_job *job, int r))
{
	job->task = task;
	job->run = run;
	job->then = then;
	lu_exec_post(task->nexus->unit->host->worker, &job->work, job_run);
}
