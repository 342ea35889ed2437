#include "lu/lu_impl.h"

#include <stdlib.h>

#include "base/fault.h"
#include "lu/reserve.h"
#include "scsi/status.h"

/* ------ scope ------ */

static bool
scope_has(const struct lu_tmf *tmf, const struct lu_task *task)
{
	if (task->born > tmf->born_max)
		return false;
	switch (tmf->scope) {
	case LU_SCOPE_TASK:
		return task == tmf->task;
	case LU_SCOPE_NEXUS:
		return task->nexus == tmf->nexus;
	case LU_SCOPE_UNIT:
		return true;
	case LU_SCOPE_EXPIRED:
		return task->is_expired;
	}
	return false;
}

/* ------ the answer ------ */

/* tasks in scope that another abort has in its hands, and those that nobody has */
static void
scope_count(const struct lu_tmf *tmf, uint32_t *ret_others, uint32_t *ret_left)
{
	const struct lu_nexus *nexus;
	const struct lu_task *task;

	*ret_others = *ret_left = 0;
	LIST_FOREACH(nexus, &tmf->unit->nexuses, entry) {
		TAILQ_FOREACH(task, &nexus->tasks, nexus_entry) {
			if (!scope_has(tmf, task) || task->sm == LU_TASK_DONE)
				continue;
			if (task->tmf != NULL)
				++*ret_others;
			else
				++*ret_left;
		}
	}
}

/* what the nexus reserved it keeps until its last write is over, so that none of them lands on
 * what others write then. It may have left meanwhile: then that has ended it */
static void
abort_unreserve(const struct lu_tmf *tmf)
{
	struct lu_nexus *nexus;

	LIST_FOREACH(nexus, &tmf->unit->nexuses, entry) {
		if (nexus == tmf->nexus && !nexus->is_gone) {
			lu_reserve_nexus_lost(tmf->unit, nexus);
			return;
		}
	}
}

/* @left: tasks in scope that could not be aborted */
static void
abort_end(struct lu_tmf *tmf, uint32_t left)
{
	if (tmf->n_failed > 0 || left > 0) {
		lu_tmf_end(tmf, LU_TMF_FAILED);
		return;
	}
	if (tmf->is_nexus_lost)
		abort_unreserve(tmf);
	lu_tmf_end(tmf, tmf->n_aborted + tmf->n_finished > 0 ? LU_TMF_DONE : LU_TMF_NO_TASK);
}

/* an abort has ended: those that waited for what was in its hands */
static void
followers_check(struct lu *lu)
{
	struct lu_tmf *tmf, *next;
	uint32_t others, left;

	for (tmf = STAILQ_FIRST(&lu->followers); tmf != NULL; tmf = next) {
		next = STAILQ_NEXT(tmf, entry);
		scope_count(tmf, &others, &left);
		if (others > 0)
			continue;
		STAILQ_REMOVE(&lu->followers, tmf, lu_tmf, entry);
		abort_end(tmf, left);
	}
}

static void
abort_check(struct lu_tmf *tmf)
{
	struct lu *lu = tmf->unit;
	uint32_t others, left;

	if (tmf->is_asking || tmf->waiting > 0)
		return;
	scope_count(tmf, &others, &left);
	if (others > 0)
		STAILQ_INSERT_TAIL(&lu->followers, tmf, entry);
	else
		abort_end(tmf, 0);
	followers_check(lu);
}

void
lu_tmf_task_done(struct lu_tmf *tmf, uint8_t reason)
{
	if (reason == CMD_ABORTED)
		tmf->n_aborted++;
	else
		tmf->n_finished++;
	tmf->waiting--;
	abort_check(tmf);
}

/* ------ asking the HBA ------ */

/* back at home: let go of the tasks; those that ended meanwhile end now */
static void
abort_asked(struct lu_work *w)
{
	struct lu_tmf *tmf = container_of(w, struct lu_tmf, work);
	struct lu_task *task;

	while ((task = STAILQ_FIRST(&tmf->tasks)) != NULL) {
		STAILQ_REMOVE_HEAD(&tmf->tasks, tmf_entry);
		task->is_pinned = false;
		if (task->is_finish_due) {
			lu_task_finish(task);
		} else if (!task->is_abort_accepted) {
			task->tmf = NULL;
			task->is_abort_due = false;
			task->is_cleared = false;
			tmf->waiting--;
			tmf->n_failed++;
		}
	}
	tmf->is_asking = false;
	abort_check(tmf);
}

/* worker: the packets stay because their tasks are pinned */
static void
abort_ask(struct lu_work *w)
{
	struct lu_tmf *tmf = container_of(w, struct lu_tmf, work);
	struct lu *lu = tmf->unit;
	struct lu_task *task;
	bool is_there = lu_enter(lu) == 0;
	bool is_unit = tmf->scope == LU_SCOPE_UNIT;
	bool is_all = is_there && is_unit && scsi_abort(&lu->sd->sd_address, NULL) == 1;

	STAILQ_FOREACH(task, &tmf->tasks, tmf_entry)
		task->is_abort_accepted = is_all || (is_there && !is_unit &&
		    scsi_abort(&lu->sd->sd_address, task->pkt) == 1);
	if (is_there)
		lu_exit(lu);
	lu_exec_post(lu->home, &tmf->work, abort_asked);
}

/* ------ taking tasks ------ */

static void
abort_take(struct lu_tmf *tmf, struct lu_task *task)
{
	/* one that another abort is at work on is that one's; one that is over, nobody's */
	if (task->tmf != NULL || task->sm == LU_TASK_DONE || !scope_has(tmf, task))
		return;
	task->tmf = tmf;
	task->is_abort_due = true;
	task->is_cleared = !task->nexus->is_internal && tmf->scope != LU_SCOPE_EXPIRED &&
	    (tmf->by == NULL || task->nexus != tmf->by);
	task->is_clearing_told = tmf->is_told;
	tmf->waiting++;
	if (task->sm == LU_TASK_HELD) {
		lu_task_end(task, CMD_ABORTED, STAT_ABORTED);
	} else if (task->sm == LU_TASK_ISSUED) {
		task->is_pinned = true;
		task->is_abort_accepted = false;
		STAILQ_INSERT_TAIL(&tmf->tasks, task, tmf_entry);
	}
}

static void
abort_take_all(struct lu_tmf *tmf, struct lu_nexus *nexus)
{
	struct lu_task *task;

	TAILQ_FOREACH(task, &nexus->tasks, nexus_entry)
		abort_take(tmf, task);
}

void
lu_abort_start(struct lu_tmf *tmf)
{
	struct lu *lu = tmf->unit;
	struct lu_nexus *nexus;

	lu_count(&lu->stats.aborts, 1);
	if (tmf->scope == LU_SCOPE_TASK) {
		abort_take(tmf, tmf->task);
	} else {
		LIST_FOREACH(nexus, &lu->nexuses, entry)
			abort_take_all(tmf, nexus);
	}
	if (tmf->scope == LU_SCOPE_UNIT || tmf->scope == LU_SCOPE_EXPIRED)
		abort_take_all(tmf, &lu->own);
	if (STAILQ_EMPTY(&tmf->tasks)) {
		abort_check(tmf);
		return;
	}
	tmf->is_asking = true;
	lu_exec_post(lu->host->worker, &tmf->work, abort_ask);
}

/* ------ what initiators hear ------ */

/* SAM-5 5.7: a nexus whose commands others ended hears of it, in one of two ways */
void
lu_abort_result(struct lu *lu, struct lu_task *task)
{
	if (!task->is_cleared || (task->reason != CMD_ABORTED && task->reason != CMD_RESET))
		return;
	if (!lu->control.has_tas) {
		/* who sees the reason knows */
		if (task->reason == CMD_ABORTED && task->nexus->wants_sense &&
		    !task->is_clearing_told)
			lu_ua_raise(task->nexus, ASC_COMMANDS_CLEARED);
		return;
	}
	task->reason = CMD_CMPLT;
	task->statistics = 0;
	task->state = STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD | STATE_GOT_STATUS;
	task->status = SAM_STAT_TASK_ABORTED;
	task->sense_len = 0;
}

/* ------ aborts that nobody asked for ------ */

static void
own_abort_done(struct lu_tmf *tmf)
{
	free(tmf);
}

/* NULL: no memory */
static struct lu_tmf *
own_abort_new(struct lu *lu)
{
	struct lu_tmf *tmf = fault_hit() ? NULL : malloc(sizeof(*tmf));

	if (tmf != NULL)
		lu_tmf_begin(tmf, lu, own_abort_done);
	return tmf;
}

void
lu_abort_qerr(struct lu *lu, const struct lu_task *task)
{
	uint8_t qerr = lu->control.qerr;
	struct lu_tmf *tmf;

	/* a command that no initiator sent is in no task set */
	if ((qerr != 1 && qerr != 3) || task->nexus->is_internal || task->nexus->is_of_copy)
		return;
	tmf = own_abort_new(lu);
	if (tmf == NULL)
		return;
	tmf->by = task->nexus;
	tmf->nexus = task->nexus;
	/* 11b, and 01b with a task set for each nexus: only those of this one */
	tmf->scope = qerr == 3 || lu->control.tst == 1 ? LU_SCOPE_NEXUS : LU_SCOPE_UNIT;
	lu_abort_start(tmf);
}

void
lu_abort_overlapped(struct lu_nexus *nexus)
{
	struct lu_tmf *tmf = own_abort_new(nexus->unit);

	if (tmf == NULL)
		return;
	tmf->by = nexus;
	tmf->nexus = nexus;
	tmf->scope = LU_SCOPE_NEXUS;
	lu_abort_start(tmf);
}
