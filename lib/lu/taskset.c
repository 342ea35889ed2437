#include "lu/lu_impl.h"

#include "base/clock.h"
#include "base/num.h"
#include "scsi/status.h"

/* credit: what a command costs, and what a nexus of weight 1 gets for each round */
#define COST_COMMAND	8
#define COST_SHIFT	12	/* and one more for each 4 KiB */
#define COST_MAX	264	/* 1 MiB and more */
#define CREDIT_ROUND	264
/* a nexus may hold this many times what is left of LU_HELD_MAX: one alone three quarters */
#define HELD_SHARE	3

/* ------ order (SAM-5 8.6) ------ */

void
lu_set_init(struct lu_task_set *set)
{
	*set = (struct lu_task_set){ .arrivals = 0 };
	TAILQ_INIT(&set->ordered);
}

static inline bool
is_in_turn(const struct lu_task *task)
{
	const struct lu_task_set *set = task->set;
	const struct lu_task *first;

	if (set == NULL)
		return true;
	if (UNLIKELY(task->nexus->is_after))
		return false;
	if (set->n_special == 0 || task->attr == LU_ATTR_HEAD)
		return true;
	if (set->n_head > 0)
		return false;
	first = TAILQ_FIRST(&set->ordered);
	if (first == task)
		return set->n_now == 0;
	return task->arrival < first->arrival;
}

/* it, or an older one, has an order to keep */
static void
set_enter_special(struct lu_task *task, struct lu_task_set *set)
{
	struct lu_task *last;

	if (task->attr == LU_ATTR_HEAD) {
		set->n_head++;
		set->n_special++;
		return;
	}
	if (task->attr == LU_ATTR_ORDERED) {
		task->n_behind = 0;
		TAILQ_INSERT_TAIL(&set->ordered, task, ordered_entry);
		set->n_special++;
		return;
	}
	last = TAILQ_LAST(&set->ordered, lu_ordered_list);
	if (last == NULL)
		set->n_now++;
	else
		last->n_behind++;
}

static inline void
set_enter(struct lu_task *task, struct lu_task_set *set)
{
	task->set = set;
	task->arrival = ++set->arrivals;
	if (LIKELY(set->n_special == 0 && task->attr <= LU_ATTR_SIMPLE))
		set->n_now++;
	else
		set_enter_special(task, set);
}

/* where unfinished tasks that came at @arrival are counted */
static uint32_t *
set_counter(struct lu_task_set *set, uint64_t arrival)
{
	uint32_t *counter = &set->n_now;
	struct lu_task *o;

	TAILQ_FOREACH(o, &set->ordered, ordered_entry) {
		if (o->arrival > arrival)
			break;
		counter = &o->n_behind;
	}
	return counter;
}

/* one that was among others whose order mattered */
void
lu_set_leave_special(struct lu_task *task, struct lu_task_set *set)
{
	if (task->attr == LU_ATTR_HEAD) {
		set->n_head--;
		set->n_special--;
	} else if (task->attr == LU_ATTR_ORDERED) {
		TAILQ_REMOVE(&set->ordered, task, ordered_entry);
		set->n_special--;
		*set_counter(set, task->arrival) += task->n_behind;
	} else {
		--*set_counter(set, task->arrival);
	}
	set->open_ns = clock_now_ns();
}

/* ------ held tasks ------ */

static void
hold_tick(void *arg)
{
	struct lu *lu = arg;

	lu_exec_post(lu->home, &lu->hold_work, lu_hold_work);
}

static void
hold_timer_arm(struct lu *lu)
{
	if (lu->is_hold_timer_armed || lu->n_held == 0)
		return;
	lu->is_hold_timer_armed = true;
	lu->hold_timer = timeout(hold_tick, lu, drv_usectohz(LU_HOLD_TICK_MS * 1000));
}

/* TASK SET FULL to whom has tasks in the set, BUSY to whom has none (SAM-5 5.3.1) */
static void
task_end_full(struct lu_task *task)
{
	struct lu *lu = task->nexus->unit;
	const struct lu_task *other = TAILQ_FIRST(&task->nexus->tasks);
	bool is_alone = other == task && TAILQ_NEXT(other, nexus_entry) == NULL;

	lu_count(&lu->stats.busy, 1);
	lu_task_end_status(task, is_alone ? SAM_STAT_BUSY : SAM_STAT_TASK_SET_FULL);
}

static bool
may_hold(const struct lu_nexus *nexus, const struct lu *lu)
{
	return lu->n_held < LU_HELD_MAX &&
	    nexus->n_held < HELD_SHARE * (LU_HELD_MAX - lu->n_held);
}

/* the first that has not begun, or NULL */
static struct lu_task *
held_first_new(const struct lu_nexus *nexus)
{
	struct lu_task *task;

	TAILQ_FOREACH(task, &nexus->held, unit_entry) {
		if (!task->is_passed)
			break;
	}
	return task;
}

/* at the end of its queue, or, when it had begun already, in front, behind others like it */
void
lu_hold(struct lu_task *task, struct lu *lu)
{
	struct lu_nexus *nexus = task->nexus;
	struct lu_task *other;

	if (UNLIKELY(!may_hold(nexus, lu) && !nexus->is_internal)) {
		task_end_full(task);
		return;
	}
	if (task->sm == LU_TASK_LOCAL)
		lu->n_local--;
	lu_task_move(task, LU_TASK_HELD);
	task->held_since_ns = clock_now_ns();
	lu->n_held++;
	lu_count(&lu->stats.held, 1);
	hold_timer_arm(lu);
	if (task->attr == LU_ATTR_HEAD || nexus->is_internal) {
		TAILQ_INSERT_TAIL(&lu->held_first, task, unit_entry);
		return;
	}
	if (nexus->n_held++ == 0)
		TAILQ_INSERT_TAIL(&lu->turns, nexus, turn_entry);
	other = task->is_passed ? held_first_new(nexus) : NULL;
	if (other != NULL)
		TAILQ_INSERT_BEFORE(other, task, unit_entry);
	else
		TAILQ_INSERT_TAIL(&nexus->held, task, unit_entry);
}

void
lu_held_remove(struct lu_task *task, struct lu *lu)
{
	struct lu_nexus *nexus = task->nexus;

	lu->n_held--;
	if (task->attr == LU_ATTR_HEAD || nexus->is_internal) {
		TAILQ_REMOVE(&lu->held_first, task, unit_entry);
		return;
	}
	TAILQ_REMOVE(&nexus->held, task, unit_entry);
	if (--nexus->n_held > 0)
		return;
	TAILQ_REMOVE(&lu->turns, nexus, turn_entry);
	nexus->credit = 0;
}

void
lu_held_end_all(struct lu *lu, uint8_t reason, uint32_t statistics)
{
	struct lu_nexus *nexus;
	struct lu_task *task;

	while ((task = TAILQ_FIRST(&lu->held_first)) != NULL)
		lu_task_end(task, reason, statistics);
	while ((nexus = TAILQ_FIRST(&lu->turns)) != NULL)
		lu_task_end(TAILQ_FIRST(&nexus->held), reason, statistics);
}

/* ------ whose turn it is ------ */

static uint64_t
task_cost(const struct lu_task *task)
{
	return num_min(COST_COMMAND + (task->data_len >> COST_SHIFT), COST_MAX);
}

static uint64_t
round_credit(const struct lu_nexus *nexus)
{
	uint32_t weight = nexus->weight == 0 ? LU_WEIGHT_DEFAULT : nexus->weight;

	return (uint64_t)CREDIT_ROUND * (weight > LU_WEIGHT_MAX ? LU_WEIGHT_MAX : weight);
}

static void
turn_pass(struct lu_nexus *nexus, struct lu *lu)
{
	TAILQ_REMOVE(&lu->turns, nexus, turn_entry);
	TAILQ_INSERT_TAIL(&lu->turns, nexus, turn_entry);
}

/*
 * Deficit round robin: who has used up its credit waits until all others had their turn. One
 * whose oldest task is not in turn has none that is: it loses its place, and the search ends
 * when all of them are like that.
 */
static struct lu_task *
held_next(struct lu *lu)
{
	struct lu_nexus *nexus, *blocked = NULL;
	struct lu_task *task;

	TAILQ_FOREACH(task, &lu->held_first, unit_entry) {
		if (is_in_turn(task))
			return task;
	}
	while ((nexus = TAILQ_FIRST(&lu->turns)) != NULL && nexus != blocked) {
		task = TAILQ_FIRST(&nexus->held);
		if (!is_in_turn(task)) {
			if (blocked == NULL)
				blocked = nexus;
		} else if (nexus->credit >= task_cost(task)) {
			return task;
		} else {
			nexus->credit += round_credit(nexus);
			blocked = NULL;
		}
		turn_pass(nexus, lu);
	}
	return NULL;
}

void
lu_held_run(struct lu *lu)
{
	struct lu_task *task;

	if (LIKELY(lu->n_held == 0))
		return;
	while (unit_has_room(lu) && (task = held_next(lu)) != NULL) {
		struct lu_nexus *nexus = task->nexus;
		uint64_t cost = task_cost(task);

		/* what was asked when it came may have changed since */
		if (!task->is_passed && lu_task_is_stopped(task, lu))
			continue;
		if (!lu_task_run(task, lu))
			break;
		nexus->credit -= num_min(cost, nexus->credit);
	}
	hold_timer_arm(lu);
}

/* the oldest of a queue: longer than it may have waited for room? Waiting for others is not
 * counted */
static bool
is_patience_over(const struct lu_task *task, uint64_t now_ns)
{
	uint64_t since_ns = task->held_since_ns;

	if (!is_in_turn(task))
		return false;
	if (task->set != NULL && task->set->open_ns > since_ns)
		since_ns = task->set->open_ns;
	return now_ns - since_ns > LU_HELD_MAX_MS * NS_PER_MS;
}

static void
held_expire(struct lu *lu)
{
	uint64_t now_ns = clock_now_ns();
	struct lu_nexus *nexus, *next_nexus;
	struct lu_task *task, *next;

	for (task = TAILQ_FIRST(&lu->held_first); task != NULL; task = next) {
		next = TAILQ_NEXT(task, unit_entry);
		if (is_patience_over(task, now_ns))
			task_end_full(task);
	}
	for (nexus = TAILQ_FIRST(&lu->turns); nexus != NULL; nexus = next_nexus) {
		next_nexus = TAILQ_NEXT(nexus, turn_entry);
		while ((task = TAILQ_FIRST(&nexus->held)) != NULL &&
		    is_patience_over(task, now_ns))
			task_end_full(task);
	}
}

void
lu_hold_work(struct lu_work *w)
{
	struct lu *lu = container_of(w, struct lu, hold_work);

	lu->is_hold_timer_armed = false;
	lu->is_hba_busy = false;
	held_expire(lu);
	lu_held_run(lu);
	hold_timer_arm(lu);
}

/* ------ the way in ------ */

/* who came first goes first; what the unit answers itself needs no room */
static bool
may_begin(const struct lu_task *task, const struct lu *lu)
{
	if (UNLIKELY(!is_in_turn(task)))
		return false;
	if (LIKELY(lu->n_held == 0 && unit_has_room(lu)))
		return true;
	if (task->nexus->is_internal || lu_local_of(lu, task->op) != NULL)
		return true;
	return task->attr == LU_ATTR_HEAD && TAILQ_EMPTY(&lu->held_first) && unit_has_room(lu);
}

void
lu_set_add(struct lu_task *task, struct lu *lu, bool is_ordered)
{
	if (LIKELY(is_ordered))
		set_enter(task, task->nexus->set);
	if (LIKELY(may_begin(task, lu)) && LIKELY(lu_task_run(task, lu)))
		return;
	lu_hold(task, lu);
	/* what is held may all wait for others, and this one for nobody */
	lu_held_run(lu);
}
