#include "lu/lu_impl.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "lu/reserve.h"

void
lu_tmf_begin(struct lu_tmf *tmf, struct lu *lu, void (*done)(struct lu_tmf *))
{
	assert(lu_exec_is_here(lu->home));
	memset(tmf, 0, sizeof(*tmf));
	STAILQ_INIT(&tmf->tasks);
	tmf->done = done;
	tmf->unit = lu_ref(lu);
	tmf->born_max = lu->born;
}

static void
tmf_done_work(struct lu_work *w)
{
	struct lu_tmf *tmf = container_of(w, struct lu_tmf, work);
	struct lu *lu = STEAL(tmf->unit);

	tmf->done(tmf);
	lu_unref(lu);
}

void
lu_tmf_end(struct lu_tmf *tmf, enum lu_tmf_result result)
{
	tmf->result = result;
	lu_exec_to(tmf->unit->home, &tmf->work, tmf_done_work);
}

/* ------ aborts by whom they are about ------ */

static void
abort_one(struct lu_tmf *tmf, struct lu_task *task, void (*done)(struct lu_tmf *),
    bool can_wait)
{
	lu_tmf_begin(tmf, task->nexus->unit, done);
	tmf->scope = LU_SCOPE_TASK;
	tmf->task = task;
	tmf->by = task->nexus;
	if (task->sm == LU_TASK_IDLE)
		lu_tmf_end(tmf, LU_TMF_NO_TASK);
	else if (task->tmf != NULL && !can_wait)
		lu_tmf_end(tmf, LU_TMF_BUSY);
	else
		lu_abort_start(tmf);
}

void
lu_abort(struct lu_tmf *tmf, struct lu_task *task, void (*done)(struct lu_tmf *))
{
	abort_one(tmf, task, done, false);
}

void
lu_abort_join(struct lu_tmf *tmf, struct lu_task *task, void (*done)(struct lu_tmf *))
{
	abort_one(tmf, task, done, true);
}

static void
abort_nexus(struct lu_tmf *tmf, const struct lu_nexus *nexus)
{
	tmf->scope = LU_SCOPE_NEXUS;
	tmf->nexus = nexus;
	tmf->by = nexus;
	lu_abort_start(tmf);
}

void
lu_abort_all(struct lu_tmf *tmf, struct lu_nexus *nexus, void (*done)(struct lu_tmf *))
{
	lu_tmf_begin(tmf, nexus->unit, done);
	abort_nexus(tmf, nexus);
}

void
lu_abort_unit(struct lu_tmf *tmf, struct lu *unit, void (*done)(struct lu_tmf *))
{
	lu_tmf_begin(tmf, unit, done);
	tmf->scope = LU_SCOPE_UNIT;
	lu_abort_start(tmf);
}

void
lu_abort_preempted(struct lu_tmf *tmf, struct lu_nexus *nexus, void (*done)(struct lu_tmf *))
{
	lu_tmf_begin(tmf, nexus->unit, done);
	tmf->scope = LU_SCOPE_NEXUS;
	tmf->nexus = nexus;
	tmf->is_told = true;
	lu_abort_start(tmf);
}

/* ------ what initiators ask for ------ */

static struct lu_task *
task_by_tag(const struct lu_nexus *nexus, uint64_t tag)
{
	struct lu_task *task;

	LIST_FOREACH(task, &nexus->tags[tag % LU_TAG_BUCKETS], tag_entry) {
		if (task->tag == tag && task->sm != LU_TASK_DONE)
			return task;
	}
	return NULL;
}

static void
tm_abort_task(struct lu_tmf *tmf, struct lu_nexus *nexus, uint64_t tag)
{
	tmf->scope = LU_SCOPE_TASK;
	tmf->task = task_by_tag(nexus, tag);
	if (tmf->task == NULL)
		lu_tmf_end(tmf, LU_TMF_NO_TASK);
	else
		lu_abort_start(tmf);
}

static void
tm_abort_set(struct lu_tmf *tmf, struct lu_nexus *nexus, uint64_t tag UNUSED)
{
	abort_nexus(tmf, nexus);
}

/* with TST 001b the task set is that of the nexus alone (SAM-5 7.5) */
static void
tm_clear_set(struct lu_tmf *tmf, struct lu_nexus *nexus, uint64_t tag UNUSED)
{
	if (nexus->unit->control.tst == 1) {
		abort_nexus(tmf, nexus);
		return;
	}
	tmf->scope = LU_SCOPE_UNIT;
	lu_abort_start(tmf);
}

static void
tm_lun_reset(struct lu_tmf *tmf, struct lu_nexus *nexus UNUSED, uint64_t tag UNUSED)
{
	lu_reset_start(tmf, LU_RESET_LUN);
}

static void
tm_target_reset(struct lu_tmf *tmf, struct lu_nexus *nexus UNUSED, uint64_t tag UNUSED)
{
	lu_reset_start(tmf, LU_RESET_TARGET);
}

/* what the loss of the nexus would do, and the nexus goes on (SAM-5 6.3.4) */
static void
tm_nexus_reset(struct lu_tmf *tmf, struct lu_nexus *nexus, uint64_t tag UNUSED)
{
	lu_prevent_nexus_lost(nexus);
	lu_ua_raise(nexus, ASC_NEXUS_LOSS);
	tmf->is_nexus_lost = true;
	abort_nexus(tmf, nexus);
}

static void
tm_query_task(struct lu_tmf *tmf, struct lu_nexus *nexus, uint64_t tag)
{
	tmf->is_succeeded = task_by_tag(nexus, tag) != NULL;
	lu_tmf_end(tmf, LU_TMF_DONE);
}

static void
tm_query_set(struct lu_tmf *tmf, struct lu_nexus *nexus, uint64_t tag UNUSED)
{
	const struct lu_task *task;

	TAILQ_FOREACH(task, &nexus->tasks, nexus_entry)
		tmf->is_succeeded |= task->sm != LU_TASK_DONE;
	lu_tmf_end(tmf, LU_TMF_DONE);
}

/* UADE DEPTH 1: this one only, 2: one of several (SAM-5 table 61) */
static void
tm_query_event(struct lu_tmf *tmf, struct lu_nexus *nexus, uint64_t tag UNUSED)
{
	const struct lu_ua_set *ua = &nexus->ua;
	struct sense_data sense;

	if (ua_set_look(ua, &sense)) {
		tmf->is_succeeded = true;
		tmf->event[0] = (uint8_t)((ua->n > 1 ? 2 : 1) << 4 | sense.key);
		be16_put(tmf->event + 1, sense.asc);
	}
	lu_tmf_end(tmf, LU_TMF_DONE);
}

void
lu_tm(struct lu_tmf *tmf, struct lu_nexus *nexus, enum lu_tm function, uint64_t tag,
    void (*done)(struct lu_tmf *))
{
	static void (*const functions[LU_TM_N])(struct lu_tmf *, struct lu_nexus *, uint64_t) = {
		[LU_TM_ABORT_TASK] = tm_abort_task,
		[LU_TM_ABORT_TASK_SET] = tm_abort_set,
		[LU_TM_CLEAR_TASK_SET] = tm_clear_set,
		[LU_TM_LUN_RESET] = tm_lun_reset,
		[LU_TM_TARGET_RESET] = tm_target_reset,
		[LU_TM_NEXUS_RESET] = tm_nexus_reset,
		[LU_TM_QUERY_TASK] = tm_query_task,
		[LU_TM_QUERY_TASK_SET] = tm_query_set,
		[LU_TM_QUERY_ASYNC_EVENT] = tm_query_event,
	};

	lu_tmf_begin(tmf, nexus->unit, done);
	tmf->by = nexus;
	if (!lu_is_active(tmf->unit))
		lu_tmf_end(tmf, LU_TMF_GONE);
	else
		functions[function](tmf, nexus, tag);
}
