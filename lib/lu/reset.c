/*
 * A reset goes through the units it covers twice. First it marks each: what is held there ends,
 * nothing is issued any more. Then the HBA is asked, on a worker. On the second way it waits at
 * each unit until what was in flight has come back, tells the nexuses, and lets the unit go on.
 */
#include "lu/lu_impl.h"

#include <string.h>

static const int reset_levels[LU_RESET_N] = {
	[LU_RESET_LUN]    = RESET_LUN,
	[LU_RESET_TARGET] = RESET_TARGET,
	[LU_RESET_BUS]    = RESET_ALL,
};

static const uint16_t reset_ascs[LU_RESET_N] = {
	[LU_RESET_LUN]    = ASC_DEVICE_RESET,
	[LU_RESET_TARGET] = ASC_DEVICE_RESET,
	[LU_RESET_BUS]    = ASC_BUS_RESET,
};

static void reset_visit(struct lu_work *w);
static void reset_ask(struct lu_work *w);

/* ------ which units ------ */

/* the address up to its comma; a number or a name */
bool
lu_is_same_target(const struct lu_info *a, const struct lu_info *b)
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
	return tmf->level == LU_RESET_BUS || lu_is_same_target(&other->info, &lu->info);
}

/* to the next unit that the reset covers: its own, then the others by id; false: no more */
static bool
reset_go(struct lu_tmf *tmf)
{
	struct lu *before = STEAL(tmf->at);
	uint64_t id = before == tmf->unit ? 0 : before->id;
	struct lu *at;

	lu_unref(before);
	while (tmf->level != LU_RESET_LUN && (at = lu_next(id)) != NULL) {
		if (reset_covers(tmf, at)) {
			tmf->at = at;
			lu_exec_to(at->home, &tmf->work, reset_visit);
			return true;
		}
		id = at->id;
		lu_unref(at);
	}
	return false;
}

/* ------ first way ------ */

static void
tasks_mark(struct lu_tmf *tmf, struct lu_nexus *nexus, bool is_due)
{
	struct lu_task *task;

	TAILQ_FOREACH(task, &nexus->tasks, nexus_entry) {
		if (task->sm == LU_TASK_DONE || (!is_due && task->tmf != NULL))
			continue;
		task->is_abort_due = is_due;
		task->is_clearing_told = true;
		task->is_cleared = is_due && tmf->by != NULL && nexus != tmf->by &&
		    !nexus->is_internal;
	}
}

static void
unit_mark(struct lu_tmf *tmf, struct lu *lu, bool is_due)
{
	struct lu_nexus *nexus;

	LIST_FOREACH(nexus, &lu->nexuses, entry)
		tasks_mark(tmf, nexus, is_due);
	tasks_mark(tmf, &lu->own, is_due);
}

static void
reset_mark(struct lu_tmf *tmf)
{
	struct lu *lu = tmf->at;

	lu->n_resets++;
	unit_mark(tmf, lu, true);
	lu_held_end_all(lu, CMD_RESET, STAT_ABORTED);
	if (!reset_go(tmf))
		lu_exec_post(tmf->unit->host->worker, &tmf->work, reset_ask);
}

/* ------ second way ------ */

static bool
is_local_left(const struct lu_tmf *tmf, const struct lu *lu)
{
	const struct lu_nexus *nexus;
	const struct lu_task *task;

	if (lu->n_local == 0)
		return false;
	LIST_FOREACH(nexus, &lu->nexuses, entry) {
		TAILQ_FOREACH(task, &nexus->tasks, nexus_entry) {
			if (task->sm == LU_TASK_LOCAL && task->born <= tmf->born_max)
				return true;
		}
	}
	return false;
}

static bool
barrier_stands(const struct lu_tmf *tmf, const struct lu *lu)
{
	const struct lu_task *oldest = TAILQ_FIRST(&lu->issued);

	return (oldest != NULL && oldest->seq <= tmf->barrier_seq) || is_local_left(tmf, lu);
}

/* the barrier at one unit has fallen */
static void
reset_step(struct lu_tmf *tmf)
{
	struct lu *lu = tmf->at;

	if (lu == tmf->unit)
		tmf->n_aborted = (uint32_t)(lu->reset_returned - tmf->returned_before);
	if (tmf->is_accepted)
		lu_reset_happened(lu, reset_ascs[tmf->level]);
	if (lu->n_resets > 0)
		lu->n_resets--;
	lu_held_run(lu);
	if (reset_go(tmf))
		return;
	if (tmf->is_accepted)
		lu_tmf_end(tmf, LU_TMF_DONE);
	else
		lu_tmf_end(tmf, lu_is_active(tmf->unit) ? LU_TMF_FAILED : LU_TMF_GONE);
}

static void
reset_wait(struct lu_tmf *tmf)
{
	struct lu *lu = tmf->at;

	tmf->barrier_seq = lu->seq;
	tmf->born_max = lu->born;
	if (!tmf->is_accepted)
		unit_mark(tmf, lu, false);
	if (tmf->is_accepted && barrier_stands(tmf, lu))
		STAILQ_INSERT_TAIL(&lu->barriers, tmf, entry);
	else
		reset_step(tmf);
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

/* ------ moving ------ */

/* at home of a unit in scope */
static void
reset_visit(struct lu_work *w)
{
	struct lu_tmf *tmf = container_of(w, struct lu_tmf, work);

	if (tmf->is_marking)
		reset_mark(tmf);
	else
		reset_wait(tmf);
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
	tmf->is_marking = false;
	tmf->at = lu_ref(lu);
	lu_exec_post(lu->home, &tmf->work, reset_visit);
}

void
lu_reset_start(struct lu_tmf *tmf, enum lu_reset_level level)
{
	struct lu *lu = tmf->unit;

	tmf->level = level;
	tmf->returned_before = lu->reset_returned;
	tmf->is_marking = true;
	tmf->at = lu_ref(lu);
	lu_count(&lu->stats.resets, 1);
	reset_mark(tmf);
}

void
lu_reset(struct lu_tmf *tmf, struct lu *unit, enum lu_reset_level level,
    void (*done)(struct lu_tmf *))
{
	lu_tmf_begin(tmf, unit, done);
	lu_reset_start(tmf, level);
}
