/*
 * soft/disk_range.h - who may touch which blocks of a disk at the same time
 *
 * What      A range is what one command does to one run of blocks: shared (as reads and writes
 *           always were: side by side, in no order) or alone (nobody else touches an
 *           overlapping block before it has ended). COMPARE AND WRITE, ORWRITE and WRITE ATOMIC
 *           are alone.
 * Cost      While nobody is alone, a shared range is an addition to the gate when it begins
 *           and one when it ends; it is in no list and has no numbers. The first one that wants
 *           to be alone closes the gate: those that came by it are waited for, all of them,
 *           because nobody knows where they are; those that come later are listed with their
 *           blocks and wait only where they overlap. With the last listed one the gate opens.
 * Flow      range_enter() -> RANGE_HELD, RANGE_FAST: go on -> range_leave()
 *                         -> RANGE_MUST_WAIT: range_wait() -> RANGE_HELD: go on
 *                            -> RANGE_QUEUED: another one's range_leave() grants it
 * Order     First come, first served, among those that overlap.
 * Owner     A range is part of a command, which must stay while it is entered.
 * Thread    Any; no call waits.
 * Source    SBC-3 5.2 (COMPARE AND WRITE: "an uninterrupted series of actions"), SBC-4 4.29
 */
#ifndef SOFT_DISK_RANGE_H
#define SOFT_DISK_RANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ksynch.h>
#include <sys/queue.h>

#include "base/compiler.h"

#define RANGE_LISTED	(1ull << 32)	/* one listed range, in the gate */

enum range_kind { RANGE_NONE, RANGE_SHARED, RANGE_ALONE };

enum range_state {
	RANGE_OUT,		/* not entered */
	RANGE_FAST,		/* came by the gate; in no list */
	RANGE_NEW,		/* listed, and nobody may grant it yet */
	RANGE_WAITING,		/* listed, to be granted */
	RANGE_HELD,		/* listed, at work */
	RANGE_MUST_WAIT = RANGE_NEW,
	RANGE_QUEUED = RANGE_WAITING,
};

struct disk_range {
	/* all: disk_range.c only */
	TAILQ_ENTRY(disk_range) link;		/* of all that are listed */
	STAILQ_ENTRY(disk_range) granted_link;
	uint64_t first, end;			/* blocks; end is not in it */
	enum range_kind kind;
	enum range_state state;
};

STAILQ_HEAD(range_list, disk_range);

struct disk_ranges {
	_Atomic uint64_t gate;			/* lower half: fast ones; upper: listed ones */
	kmutex_t lock;				/* of what follows, and of all listed ranges */
	TAILQ_HEAD(, disk_range) list;		/* in order of arrival */
};

/* ranges_init() - @is_strict: everything is listed always, for blocks that are kept in two
 * places. ranges_fini() - nobody may be in */
void ranges_init(struct disk_ranges *ranges, bool is_strict);
void ranges_fini(struct disk_ranges *ranges);

/**
 * range_enter() - begin
 *
 * @range    zeroed once, or left
 * @first    block; @end: the first block behind, above @first
 *
 * Returns:  RANGE_HELD or RANGE_FAST: go on; RANGE_MUST_WAIT: call one of the following
 */
enum range_state range_enter(struct disk_ranges *ranges, struct disk_range *range,
    enum range_kind kind, uint64_t first, uint64_t end) MUST_CHECK;

/**
 * range_wait() - RANGE_MUST_WAIT is understood: from now on it may be granted
 *
 * Returns:  RANGE_HELD: that has happened at once, go on
 *           RANGE_QUEUED: somebody else will be told to go on, perhaps has been: neither range
 *           nor command belong to the caller any more
 */
enum range_state range_wait(struct disk_ranges *ranges, struct disk_range *range) MUST_CHECK;

/* range_withdraw() - wait no more; false: it does not, or has been granted. @granted as in
 * range_leave() */
bool range_withdraw(struct disk_ranges *ranges, struct disk_range *range,
    struct range_list *granted) MUST_CHECK;

/**
 * range_leave() - the end of what range_leave_fast() has not ended
 *
 * @granted  initialised; those that must be told to go on now are added at the end
 */
void range_leave(struct disk_ranges *ranges, struct disk_range *range,
    struct range_list *granted);

/* range_enter_fast() - by the gate, a shared one; false: it is closed, range_enter() */
static inline bool
range_enter_fast(struct disk_ranges *ranges, struct disk_range *range)
{
	uint64_t now = atomic_load_explicit(&ranges->gate, memory_order_relaxed);

	while (now < RANGE_LISTED) {
		if (LIKELY(atomic_compare_exchange_weak(&ranges->gate, &now, now + 1))) {
			range->state = RANGE_FAST;
			return true;
		}
	}
	return false;
}

/* range_leave_fast() - the end; false: range_leave() has more to do */
static inline bool
range_leave_fast(struct disk_ranges *ranges, struct disk_range *range)
{
	uint64_t was;

	if (range->state != RANGE_FAST)
		return range->state == RANGE_OUT;
	range->state = RANGE_OUT;
	was = atomic_fetch_sub(&ranges->gate, 1);
	/* the last fast one lets in those that waited for it, by range_leave() */
	return LIKELY(was < RANGE_LISTED) || (was & (RANGE_LISTED - 1)) != 1;
}

#endif /* SOFT_DISK_RANGE_H */
