#include "lu/lu_impl.h"

#include <assert.h>
#include <errno.h>

int
lu_nexus_open(struct lu_nexus *nexus, struct lu *unit)
{
	assert(lu_exec_is_here(unit->home));
	if (!lu_is_active(unit))
		return -ENODEV;
	nexus->unit = lu_ref(unit);
	TAILQ_INIT(&nexus->tasks);
	nexus->is_gone = false;
	nexus->is_gone_posted = false;
	LIST_INSERT_HEAD(&unit->nexuses, nexus, entry);
	return 0;
}

static void
nexus_gone_work(struct lu_work *w)
{
	struct lu_nexus *nexus = container_of(w, struct lu_nexus, work);
	struct lu *lu = STEAL(nexus->unit);

	LIST_REMOVE(nexus, entry);
	nexus->gone(nexus);
	lu_unref(lu);
}

void
lu_nexus_check(struct lu_nexus *nexus)
{
	if (!nexus->is_gone || nexus->is_gone_posted || !TAILQ_EMPTY(&nexus->tasks))
		return;
	nexus->is_gone_posted = true;
	lu_exec_defer(nexus->unit->home, &nexus->work, nexus_gone_work);
}

void
lu_nexus_gone(struct lu_nexus *nexus)
{
	struct lu *lu = nexus->unit;
	struct lu_task *task, *next;

	assert(lu_exec_is_here(lu->home) && !nexus->is_gone);
	nexus->is_gone = true;
	for (task = TAILQ_FIRST(&lu->held); task != NULL; task = next) {
		next = TAILQ_NEXT(task, unit_entry);
		if (task->nexus == nexus)
			lu_task_end(task, CMD_ABORTED, STAT_ABORTED);
	}
	lu_nexus_check(nexus);
}
