#include "lu/lu_impl.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "lu/copy.h"
#include "lu/loss.h"
#include "lu/port.h"
#include "lu/reserve.h"
#include "lu/view.h"
#include "scsi/opcode.h"

/* ------ identity ------ */

bool
lu_nexus_is(const struct lu_nexus *nexus, const struct lu_initiator *initiator, uint16_t rtpi)
{
	return lu_port_or_local(nexus->port)->rtpi == rtpi &&
	    lu_initiator_equal(nexus->initiator, initiator);
}

bool
lu_nexus_is_same(const struct lu_nexus *a, const struct lu_nexus *b)
{
	return a == b || (a->is_internal == b->is_internal &&
	    lu_nexus_is(a, b->initiator, lu_port_or_local(b->port)->rtpi));
}

struct lu_nexus *
lu_nexus_twin(const struct lu_nexus *nexus)
{
	struct lu_nexus *other;

	LIST_FOREACH(other, &nexus->unit->nexuses, entry) {
		if (other != nexus && !other->is_gone && lu_nexus_is_same(other, nexus))
			return other;
	}
	return NULL;
}

/* ------ coming back ------ */

/* one that is over, but not told yet, changes nothing any more */
static bool
task_may_change(const struct lu_task *task)
{
	return task->sm != LU_TASK_DONE && (task->op == NULL ||
	    (task->op->policy != OP_INFO && task->op->policy != OP_READ));
}

static bool
nexus_has_changes(const struct lu_nexus *nexus)
{
	const struct lu_task *task;

	TAILQ_FOREACH(task, &nexus->tasks, nexus_entry) {
		if (task_may_change(task))
			return true;
	}
	return false;
}

/* has the same I_T nexus left with changes that are still at work? */
static bool
nexus_is_early(const struct lu_nexus *nexus)
{
	const struct lu_nexus *other;

	LIST_FOREACH(other, &nexus->unit->nexuses, entry) {
		if (other->is_gone && other != nexus && lu_nexus_is_same(other, nexus) &&
		    nexus_has_changes(other))
			return true;
	}
	return false;
}

static void
nexus_set_after(struct lu_nexus *nexus, bool is_after)
{
	if (nexus->is_after == is_after)
		return;
	nexus->is_after = is_after;
	if (is_after)
		nexus->unit->n_after++;
	else
		nexus->unit->n_after--;
}

/* a task of one that left is over: who waited for it goes on, with as much patience as if it had
 * come now */
static void
nexuses_go_on(struct lu *lu)
{
	struct lu_nexus *nexus;

	if (lu->n_after == 0)
		return;
	LIST_FOREACH(nexus, &lu->nexuses, entry) {
		if (!nexus->is_after || nexus_is_early(nexus))
			continue;
		nexus_set_after(nexus, false);
		nexus->set->open_ns = clock_now_ns();
	}
	lu_held_run(lu);
}

/* ------ begin ------ */

static void
nexus_init(struct lu_nexus *nexus, struct lu *unit)
{
	nexus->unit = unit;
	nexus->set = unit->control.tst == 1 ? &nexus->own_set : &unit->set;
	lu_set_init(&nexus->own_set);
	nexus->ua = (struct lu_ua_set){ .n = 0 };
	nexus->wrote_seq = 0;
	TAILQ_INIT(&nexus->tasks);
	TAILQ_INIT(&nexus->held);
	for (unsigned int i = 0; i < LU_TAG_BUCKETS; i++)
		LIST_INIT(&nexus->tags[i]);
	nexus->credit = 0;
	nexus->n_held = 0;
	nexus->is_preventing = false;
	nexus->is_after = false;
	nexus->is_reserve_due = false;
	nexus->is_gone = false;
	nexus->is_gone_posted = false;
}

void
lu_nexus_open_own(struct lu *lu)
{
	lu->own.classes = LU_CLASS(OP_POLICY_N) - 1;
	lu->own.is_internal = true;
	nexus_init(&lu->own, lu);
}

int
lu_nexus_open(struct lu_nexus *nexus, struct lu *unit)
{
	assert(lu_exec_is_here(unit->home));
	if (!lu_is_active(unit))
		return -ENODEV;
	nexus_init(nexus, lu_ref(unit));
	nexus->view = lu_view_ref(nexus->view);
	LIST_INSERT_HEAD(&unit->nexuses, nexus, entry);
	lu_reserve_nexus_came(unit, nexus);
	if (nexus->port != NULL && !nexus->is_of_copy)
		nexus_set_after(nexus, nexus_is_early(nexus));
	/* the code that says least: initiators drain it after a login, and not all drain 29/01 */
	if (nexus->is_power_on_due)
		lu_ua_raise(nexus, ASC_POWER_ON_OR_RESET);
	lu_loss_nexus_came(nexus);
	return 0;
}

/* ------ end ------ */

/* what it reserved ends, and not before its changes have, nor those of the same I_T nexus that
 * left before it */
static void
nexus_unreserve(struct lu_nexus *nexus)
{
	struct lu_nexus *other;
	bool is_due = false;

	nexus->is_reserve_due = false;
	LIST_FOREACH(other, &nexus->unit->nexuses, entry) {
		if (!other->is_gone || !lu_nexus_is_same(other, nexus) ||
		    !nexus_has_changes(other))
			continue;
		other->is_reserve_due = true;
		is_due = true;
	}
	if (!is_due)
		lu_reserve_nexus_lost(nexus->unit, nexus);
}

static void
nexus_gone_work(struct lu_work *w)
{
	struct lu_nexus *nexus = container_of(w, struct lu_nexus, work);
	struct lu *lu = STEAL(nexus->unit);
	struct lu_view *view = STEAL(nexus->view);

	LIST_REMOVE(nexus, entry);
	if (lu->refresh_by == nexus)
		lu->refresh_by = NULL;
	lu_copy_nexus_gone(lu, nexus);
	nexus->gone(nexus);
	lu_view_unref(view);
	lu_unref(lu);
}

void
lu_nexus_check(struct lu_nexus *nexus)
{
	if (nexus->is_reserve_due)
		nexus_unreserve(nexus);
	nexuses_go_on(nexus->unit);
	if (!nexus->is_gone || nexus->is_gone_posted || !TAILQ_EMPTY(&nexus->tasks))
		return;
	nexus->is_gone_posted = true;
	lu_exec_defer(nexus->unit->home, &nexus->work, nexus_gone_work);
}

static void
nexus_drop_held(struct lu_nexus *nexus, struct lu *lu)
{
	struct lu_task *task, *next;

	for (task = TAILQ_FIRST(&lu->held_first); task != NULL; task = next) {
		next = TAILQ_NEXT(task, unit_entry);
		if (task->nexus == nexus)
			lu_task_end(task, CMD_ABORTED, STAT_ABORTED);
	}
	while ((task = TAILQ_FIRST(&nexus->held)) != NULL)
		lu_task_end(task, CMD_ABORTED, STAT_ABORTED);
}

void
lu_nexus_gone(struct lu_nexus *nexus)
{
	struct lu *lu = nexus->unit;

	assert(lu_exec_is_here(lu->home) && !nexus->is_gone);
	nexus->is_gone = true;
	nexus_set_after(nexus, false);
	nexus_drop_held(nexus, lu);
	lu_prevent_nexus_lost(nexus);
	lu_loss_nexus_left(nexus);
	if (lu_nexus_twin(nexus) == NULL)
		nexus_unreserve(nexus);
	lu_nexus_check(nexus);
}
