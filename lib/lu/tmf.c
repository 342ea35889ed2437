#include "lu/lu_impl.h"

#include <assert.h>
#include <string.h>

static const int reset_levels[LU_RESET_N] = {
	[LU_RESET_LUN]    = RESET_LUN,
	[LU_RESET_TARGET] = RESET_TARGET,
	[LU_RESET_BUS]    = RESET_ALL,
};

static void
tmf_begin(struct lu_tmf *tmf, struct lu *lu, void (*done)(struct lu_tmf *))
{
	assert(lu_exec_is_here(lu->home));
	memset(tmf, 0, sizeof(*tmf));
	STAILQ_INIT(&tmf->tasks);
	tmf->done = done;
	tmf->unit = lu_ref(lu);
}

static void
tmf_done_work(struct lu_work *w)
{
	struct lu_tmf *tmf = container_of(w, struct lu_tmf, work);
	struct lu *lu = STEAL(tmf->unit);

	tmf->done(tmf);
	lu_unref(lu);
}

static void
tmf_end(struct lu_tmf *tmf, enum lu_tmf_result result)
{
	tmf->result = result;
	lu_exec_to(tmf->unit->home, &tmf->work, tmf_done_work);
}

/* ------ abort ------ */

static void
abort_check(struct lu_tmf *tmf)
{
	if (tmf->is_asking || tmf->waiting > 0)
		return;
	if (tmf->n_failed > 0)
		tmf_end(tmf, LU_TMF_FAILED);
	else
		tmf_end(tmf, tmf->n_aborted + tmf->n_finished > 0 ? LU_TMF_DONE :
		    LU_TMF_NO_TASK);
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
	bool is_all = is_there && tmf->is_everyone &&
	    scsi_abort(&lu->sd->sd_address, NULL) == 1;

	STAILQ_FOREACH(task, &tmf->tasks, tmf_entry)
		task->is_abort_accepted = is_all || (is_there && !tmf->is_everyone &&
		    scsi_abort(&lu->sd->sd_address, task->pkt) == 1);
	if (is_there)
		lu_exit(lu);
	lu_exec_post(lu->home, &tmf->work, abort_asked);
}

/* false: somebody else is aborting it */
static bool
abort_take(struct lu_tmf *tmf, struct lu_task *task)
{
	if (task->tmf != NULL)
		return false;
	task->tmf = tmf;
	tmf->waiting++;
	if (task->sm == LU_TASK_HELD) {
		lu_task_end(task, CMD_ABORTED, STAT_ABORTED);
	} else if (task->sm == LU_TASK_ISSUED) {
		task->is_pinned = true;
		task->is_abort_accepted = false;
		STAILQ_INSERT_TAIL(&tmf->tasks, task, tmf_entry);
	}
	return true;
}

static void
abort_start(struct lu_tmf *tmf)
{
	struct lu *lu = tmf->unit;

	lu_count(&lu->stats.aborts, 1);
	if (STAILQ_EMPTY(&tmf->tasks)) {
		abort_check(tmf);
		return;
	}
	tmf->is_asking = true;
	lu_exec_post(lu->host->worker, &tmf->work, abort_ask);
}

void
lu_abort(struct lu_tmf *tmf, struct lu_task *task, void (*done)(struct lu_tmf *))
{
	tmf_begin(tmf, task->nexus->unit, done);
	if (task->sm != LU_TASK_IDLE && !abort_take(tmf, task)) {
		tmf_end(tmf, LU_TMF_BUSY);
		return;
	}
	abort_start(tmf);
}

void
lu_abort_all(struct lu_tmf *tmf, struct lu_nexus *nexus, void (*done)(struct lu_tmf *))
{
	struct lu_task *task;

	tmf_begin(tmf, nexus->unit, done);
	/* a task that another abort is at work on is that one's to report */
	TAILQ_FOREACH(task, &nexus->tasks, nexus_entry)
		(void)abort_take(tmf, task);
	abort_start(tmf);
}

void
lu_abort_unit(struct lu_tmf *tmf, struct lu *unit, void (*done)(struct lu_tmf *))
{
	struct lu_nexus *nexus;
	struct lu_task *task;

	tmf_begin(tmf, unit, done);
	tmf->is_everyone = true;
	LIST_FOREACH(nexus, &unit->nexuses, entry)
		TAILQ_FOREACH(task, &nexus->tasks, nexus_entry)
			(void)abort_take(tmf, task);
	abort_start(tmf);
}

/* ------ reset ------ */

static void reset_visit(struct lu_work *w);

/* the address up to its comma; a number or a name */
static bool
is_same_target(const struct lu_info *a, const struct lu_info *b)
{
	size_t len = strcspn(a->address, ",");

	return len == strcspn(b->address, ",") && memcmp(a->address, b->address, len) == 0;
}

static bool
reset_covers(const struct lu_tmf *tmf, const struct lu *other)
{
	const struct lu *lu = tmf->unit;

	if (other == lu || strcmp(other->info.hba, lu->info.hba) != 0 ||
	    strcmp(other->info.iport, lu->info.iport) != 0)
		return false;
	return tmf->level == LU_RESET_BUS || is_same_target(&other->info, &lu->info);
}

/* the barrier at one unit has fallen: on to the next that the reset covered */
static void
reset_step(struct lu_tmf *tmf)
{
	struct lu *at = STEAL(tmf->barrier_unit);
	uint64_t id = 0;

	if (at == tmf->unit)
		tmf->n_aborted = (uint32_t)(at->reset_returned - tmf->returned_before);
	else
		id = at->id;
	lu_unref(at);
	while (tmf->level != LU_RESET_LUN && (at = lu_next(id)) != NULL) {
		if (reset_covers(tmf, at)) {
			tmf->barrier_unit = at;
			lu_exec_post(at->home, &tmf->work, reset_visit);
			return;
		}
		id = at->id;
		lu_unref(at);
	}
	tmf_end(tmf, LU_TMF_DONE);
}

static bool
barrier_stands(const struct lu_tmf *tmf, const struct lu *lu)
{
	const struct lu_task *oldest = TAILQ_FIRST(&lu->issued);

	return oldest != NULL && oldest->seq <= tmf->barrier_seq;
}

static void
barrier_set(struct lu_tmf *tmf, struct lu *lu)
{
	if (barrier_stands(tmf, lu))
		STAILQ_INSERT_TAIL(&lu->barriers, tmf, entry);
	else
		reset_step(tmf);
}

/* at home of another unit in scope: what is in flight there now must end */
static void
reset_visit(struct lu_work *w)
{
	struct lu_tmf *tmf = container_of(w, struct lu_tmf, work);

	tmf->barrier_seq = tmf->barrier_unit->seq;
	barrier_set(tmf, tmf->barrier_unit);
}

void
lu_barriers_check(struct lu *lu)
{
	struct lu_tmf *tmf, *next;

	for (tmf = STAILQ_FIRST(&lu->barriers); tmf != NULL; tmf = next) {
		next = STAILQ_NEXT(tmf, entry);
		if (barrier_stands(tmf, lu))
			continue;
		STAILQ_REMOVE(&lu->barriers, tmf, lu_tmf, entry);
		reset_step(tmf);
	}
}

static void
reset_asked(struct lu_work *w)
{
	struct lu_tmf *tmf = container_of(w, struct lu_tmf, work);

	if (!tmf->is_accepted) {
		tmf_end(tmf, lu_is_active(tmf->unit) ? LU_TMF_FAILED : LU_TMF_GONE);
		return;
	}
	tmf->barrier_unit = lu_ref(tmf->unit);
	barrier_set(tmf, tmf->unit);
}

static void
reset_ask(struct lu_work *w)
{
	struct lu_tmf *tmf = container_of(w, struct lu_tmf, work);
	struct lu *lu = tmf->unit;

	if (lu_enter(lu) == 0) {
		tmf->is_accepted = scsi_reset(&lu->sd->sd_address,
		    reset_levels[tmf->level]) == 1;
		lu_exit(lu);
	}
	lu_exec_post(lu->home, &tmf->work, reset_asked);
}

void
lu_reset(struct lu_tmf *tmf, struct lu *unit, enum lu_reset_level level,
    void (*done)(struct lu_tmf *))
{
	tmf_begin(tmf, unit, done);
	tmf->level = level;
	tmf->returned_before = unit->reset_returned;
	lu_count(&unit->stats.resets, 1);
	lu_held_end_all(unit, CMD_RESET, STAT_ABORTED);
	tmf->barrier_seq = unit->seq;
	lu_exec_post(unit->host->worker, &tmf->work, reset_ask);
}
