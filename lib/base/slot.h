/*
 * base/slot.h - ids that leave the process: slot plus generation
 *
 * What      A table of pointers. An id names a slot and the generation it was taken in, so a
 *           stale or invented id is found out instead of followed.
 * Owner     The table borrows the pointers.
 * Thread    One thread a table, or the owner's lock.
 * Limits    1 .. 2^24 slots, fixed at init; generations 1 .. 2^32 - 1 wrap, skipping 0.
 *           An id is never 0.
 */
#ifndef BASE_SLOT_H
#define BASE_SLOT_H

#include <stdint.h>

#include "base/compiler.h"

#define SLOT_MAX	(1u << 24)

struct slot_table {
	struct slot_entry *entries;	/* max of them, allocated as the table fills */
	uint32_t max;			/* most slots in use at one time */
	uint32_t len;			/* entries that exist */
	uint32_t used;			/* slots taken now */
	uint32_t free_head;		/* first free entry, or SLOT_MAX */
};

/* slot_init() - an empty table of at most @max slots */
void slot_init(struct slot_table *t, uint32_t max);

/* slot_fini() - forget everything; the pointers are the caller's */
void slot_fini(struct slot_table *t);

/**
 * slot_take() - give @ptr an id
 *
 * @ptr      not NULL
 * @ret_id   generation in the upper 32 bits, slot in the lower
 *
 * Returns:  0
 *           -ENOSPC   @max slots are taken
 *           -ENOMEM   no memory to grow
 */
int slot_take(struct slot_table *t, void *ptr, uint64_t *ret_id) MUST_CHECK;

/* slot_get() - the pointer of @id, or NULL if @id is stale or was never given */
void *slot_get(const struct slot_table *t, uint64_t id);

/* slot_drop() - take @id back; its pointer, or NULL if it was not valid */
void *slot_drop(struct slot_table *t, uint64_t id);

/* slot_next() - walk: the first pointer at slot *@pos or later, *@pos moved behind it; NULL at
 * end */
void *slot_next(const struct slot_table *t, uint32_t *pos);

#endif /* BASE_SLOT_H */
