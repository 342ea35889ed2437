#include "hw/soft/disk_range.h"

void
ranges_init(struct disk_ranges *ranges, bool is_strict)
{
	atomic_init(&ranges->gate, is_strict ? RANGE_LISTED : 0);
	mutex_init(&ranges->lock, NULL, MUTEX_DRIVER, NULL);
	TAILQ_INIT(&ranges->list);
}

void
ranges_fini(struct disk_ranges *ranges)
{
	mutex_destroy(&ranges->lock);
}

static bool
range_excludes(const struct disk_range *a, const struct disk_range *b)
{
	return (a->kind == RANGE_ALONE || b->kind == RANGE_ALONE) && a->first < b->end &&
	    b->first < a->end;
}

/* does nobody stand in the way of @range? The lock is held */
static bool
range_is_free(const struct disk_ranges *ranges, const struct disk_range *range)
{
	const struct disk_range *other;

	if (range->kind == RANGE_ALONE &&
	    (atomic_load(&ranges->gate) & (RANGE_LISTED - 1)) != 0)
		return false;
	TAILQ_FOREACH(other, &ranges->list, link) {
		if (other == range)
			break;
		if (range_excludes(other, range))
			return false;
	}
	return true;
}

/* the lock is held: let in whoever may now */
static void
ranges_grant(struct disk_ranges *ranges, struct range_list *granted)
{
	struct disk_range *range;

	TAILQ_FOREACH(range, &ranges->list, link) {
		if (range->state != RANGE_WAITING || !range_is_free(ranges, range))
			continue;
		range->state = RANGE_HELD;
		STAILQ_INSERT_TAIL(granted, range, granted_link);
	}
}

/* the lock is held: off the list; others may move up */
static void
range_unlist(
    struct disk_ranges *ranges, struct disk_range *range, struct range_list *granted)
{
	TAILQ_REMOVE(&ranges->list, range, link);
	range->state = RANGE_OUT;
	(void)atomic_fetch_sub(&ranges->gate, RANGE_LISTED);
	ranges_grant(ranges, granted);
}

enum range_state
range_enter(struct disk_ranges *ranges, struct disk_range *range, enum range_kind kind,
    uint64_t first, uint64_t end)
{
	if (kind == RANGE_SHARED && range_enter_fast(ranges, range))
		return RANGE_FAST;
	range->kind = kind;
	range->first = first;
	range->end = end;
	mutex_enter(&ranges->lock);
	/* from here on fast ones only leave; those that are in may be anywhere */
	(void)atomic_fetch_add(&ranges->gate, RANGE_LISTED);
	TAILQ_INSERT_TAIL(&ranges->list, range, link);
	range->state = range_is_free(ranges, range) ? RANGE_HELD : RANGE_NEW;
	mutex_exit(&ranges->lock);
	return range->state;
}

enum range_state
range_wait(struct disk_ranges *ranges, struct disk_range *range)
{
	enum range_state state;

	mutex_enter(&ranges->lock);
	state = range_is_free(ranges, range) ? RANGE_HELD : RANGE_WAITING;
	range->state = state;
	mutex_exit(&ranges->lock);
	return state;
}

bool
range_withdraw(
    struct disk_ranges *ranges, struct disk_range *range, struct range_list *granted)
{
	bool is_waiting;

	mutex_enter(&ranges->lock);
	is_waiting = range->state == RANGE_WAITING;
	if (is_waiting)
		range_unlist(ranges, range, granted);
	mutex_exit(&ranges->lock);
	return is_waiting;
}

void
range_leave(struct disk_ranges *ranges, struct disk_range *range, struct range_list *granted)
{
	mutex_enter(&ranges->lock);
	if (range->state == RANGE_HELD)
		range_unlist(ranges, range, granted);
	else
		ranges_grant(ranges, granted);
	mutex_exit(&ranges->lock);
}
