#include "lu/lu_impl.h"

#include <assert.h>
#include <errno.h>

#include "lu/alua_impl.h"
#include "lu/policy.h"
#include "lu/reserve.h"
#include "scsi/status.h"

/* sense data where SPC has some; without, the call is refused whoever asks */
static const struct {
	int error;
	uint8_t key;
	uint16_t asc;
} refusals[LU_REFUSE_N] = {
	[LU_REFUSE_CALL]      = { -EINVAL, 0, 0 },
	[LU_REFUSE_SHORT]     = { -EINVAL, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB },
	[LU_REFUSE_LONG]      = { -EMSGSIZE, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE },
	[LU_REFUSE_LARGE]     = { -EMSGSIZE, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB },
	[LU_REFUSE_ACCESS]    = { -EACCES, SENSE_ILLEGAL_REQUEST, ASC_NO_ACCESS_RIGHTS },
	[LU_REFUSE_UNKNOWN]   = { -EACCES, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE },
	[LU_REFUSE_DIRECTION] = { -EPROTO, SENSE_ILLEGAL_REQUEST,
	    ASC_INVALID_FIELD_IN_COMMAND_IU },
};

static int
submit_check(const struct lu_task *task, const struct lu *lu)
{
	if (task->sm != LU_TASK_IDLE)
		return -EALREADY;
	if (task->nexus->is_gone)
		return -ESHUTDOWN;
	if (!unit_is_active(lu))
		return -ENODEV;
	if ((unsigned int)task->attr >= LU_ATTR_N || task->done == NULL)
		return -EINVAL;
	return 0;
}

static inline void
submit_accept(struct lu_task *task, struct lu *lu)
{
	struct lu_nexus *nexus = task->nexus;

	task->is_orphan = false;
	task->is_pinned = false;
	task->is_finish_due = false;
	task->is_abort_accepted = false;
	task->is_passed = false;
	task->is_expired = false;
	task->is_abort_due = false;
	task->is_cleared = false;
	task->is_clearing_told = false;
	task->after = NULL;
	task->set = NULL;
	task->tmf = NULL;
	task->pkt = NULL;
	TAILQ_INSERT_TAIL(&nexus->tasks, task, nexus_entry);
	if (task->has_tag)
		LIST_INSERT_HEAD(&nexus->tags[task->tag % LU_TAG_BUCKETS], task, tag_entry);
	task->born = ++lu->born;
	lu_count(&lu->stats.tasks, 1);
}

/* ------ what stops a command before the device hears of it ------ */

static bool
is_stopped_by_attention(struct lu_task *task)
{
	struct sense_data sense;

	if (task->op != NULL && (task->op->flags & OP_F_UA_EXEMPT) != 0)
		return false;
	(void)lu_ua_tell(task->nexus, &sense);
	lu_task_end_sense(task, &sense);
	return true;
}

static bool
is_stopped_by_reservation(struct lu_task *task, const struct lu *lu)
{
	if (UNLIKELY(lu->policy != 0) && lu_policy_is_passed(lu, LU_POLICY_RESERVATIONS))
		return false;
	if (UNLIKELY(task->op == NULL) && lu_reserve_is_ours(task->cdb)) {
		lu_local_bad_cdb(task, 1, 4);
		return true;
	}
	if (!lu_reserve_conflicts(lu, task->nexus, task->op, task->cdb))
		return false;
	lu_task_end_status(task, SAM_STAT_RESERVATION_CONFLICT);
	return true;
}

static bool
is_stopped_by_state(struct lu_task *task, const struct lu *lu)
{
	struct sense_data sense;

	if (lu_policy_is_passed(lu, LU_POLICY_ALUA) ||
	    lu_alua_check(lu, task->nexus, task->op, task->cdb, &sense) == ALUA_GO)
		return false;
	lu_task_end_sense(task, &sense);
	return true;
}

/* the device is given up (recover.h) */
static bool
is_stopped_offline(struct lu_task *task)
{
	struct sense_data sense = sense_make(SENSE_NOT_READY, ASC_OFFLINE);

	if (task->nexus->wants_sense)
		lu_task_end_sense(task, &sense);
	else
		lu_task_end(task, CMD_DEV_GONE, 0);
	return true;
}

/* in the order of SAM-5 5.3.3 */
bool
lu_task_is_stopped(struct lu_task *task, struct lu *lu)
{
	const struct lu_nexus *nexus = task->nexus;

	if (UNLIKELY(lu->is_offline))
		return is_stopped_offline(task);
	if (UNLIKELY(nexus->is_internal))
		return false;
	if (UNLIKELY(nexus->ua.n > 0) && is_stopped_by_attention(task))
		return true;
	if (UNLIKELY(lu->is_reserved || task->op == NULL) && lu->reservations != NULL &&
	    is_stopped_by_reservation(task, lu))
		return true;
	return lu->alua != NULL && is_stopped_by_state(task, lu);
}

/* is there anything that lu_task_is_stopped() would have to look at? */
static inline bool
is_in_doubt(const struct lu_task *task, const struct lu *lu)
{
	return lu->is_offline || task->nexus->ua.n > 0 || lu->is_reserved || task->op == NULL ||
	    (lu->alua != NULL && lu->alua->is_restricted);
}

/* ------ the waist ------ */

/* is there a task of the nexus with that tag? One that is over, but not told yet, is none */
static bool
is_overlapped(const struct lu_task *task)
{
	const struct lu_task *other;

	LIST_FOREACH(other, &task->nexus->tags[task->tag % LU_TAG_BUCKETS], tag_entry) {
		if (other->tag == task->tag && other->sm != LU_TASK_DONE)
			return true;
	}
	return false;
}

/* SAM-5 5.10: the new one ends with sense data, and all others of the nexus end */
static void __attribute__((noinline))
submit_overlapped(struct lu_task *task, struct lu *lu)
{
	struct sense_data sense = sense_make(SENSE_ABORTED_COMMAND, ASC_OVERLAPPED_COMMANDS);

	lu_abort_overlapped(task->nexus);
	submit_accept(task, lu);
	lu_task_end_sense(task, &sense);
}

/* a refusal that is to be sense data; a unit attention goes before it */
static void __attribute__((noinline))
submit_refused(struct lu_task *task, struct lu *lu, enum lu_refusal refusal)
{
	struct sense_data sense = sense_make(refusals[refusal].key, refusals[refusal].asc);

	submit_accept(task, lu);
	if (lu_ua_pending(task->nexus) && is_stopped_by_attention(task))
		return;
	lu_task_end_sense(task, &sense);
}

/* SAM-5 5.11 lets three commands begin whatever else is in the task set. What is sent for a
 * command that is in the set must not wait for that one */
static bool
is_ordered(const struct lu_task *task)
{
	if (task->nexus->is_internal || task->nexus->is_of_copy)
		return false;
	return task->op == NULL || (task->op->flags & OP_F_UA_EXEMPT) == 0;
}

int
lu_submit(struct lu_task *task)
{
	struct lu *lu = task->nexus->unit;
	enum lu_refusal refusal;
	int r;

	assert(lu_exec_is_here(lu->home));
	r = submit_check(task, lu);
	if (UNLIKELY(r < 0)) {
		lu_count(&lu->stats.refused, 1);
		return r;
	}
	refusal = lu_task_check(task, lu);
	if (UNLIKELY(refusal != LU_REFUSE_NOTHING)) {
		lu_count(&lu->stats.refused, 1);
		if (refusals[refusal].key == 0 || !task->nexus->wants_sense)
			return refusals[refusal].error;
		submit_refused(task, lu, refusal);
		return 0;
	}
	if (task->has_tag && UNLIKELY(is_overlapped(task))) {
		submit_overlapped(task, lu);
		return 0;
	}
	submit_accept(task, lu);
	if (UNLIKELY(is_in_doubt(task, lu)) && lu_task_is_stopped(task, lu))
		return 0;
	lu_set_add(task, lu, is_ordered(task));
	return 0;
}
