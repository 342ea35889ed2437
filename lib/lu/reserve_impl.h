/*
 * lu/reserve_impl.h - the inside of a unit's reservations
 *
 * What      Shared by reserve.c (state of a unit, conflicts, RESERVE, RELEASE, PERSISTENT
 *           RESERVE IN), reserve_out.c (PERSISTENT RESERVE OUT: one after the other, saved,
 *           told) and reserve_keep.c (where the state lies on disk).
 * Thread    as reserve.h
 */
#ifndef LU_RESERVE_IMPL_H
#define LU_RESERVE_IMPL_H

#include <sys/queue.h>

#include "lu/lu_impl.h"
#include "lu/pr.h"
#include "lu/reserve.h"

struct reserve_out;

struct lu_reservations {
	struct pr *pr;				/* never NULL */
	struct reserve_keep *keep;		/* NULL: nothing is saved or kept */
	STAILQ_HEAD(, reserve_out) outs;	/* PERSISTENT RESERVE OUT, the first is at work */
	bool is_running;			/* the first is */
	bool is_reserved;			/* by RESERVE: a nexus is LU_RESERVE_OWNER */
	bool is_unsure;				/* what lies on disk may not be pr */
};

/* LU_RESERVE_VICTIM: PREEMPT AND ABORT has still to end the tasks of this nexus */
#define LU_RESERVE_VICTIM	0x80

/* reserve.c */
struct pr_nexus reserve_nexus(const struct lu_nexus *nexus);
/* a new state is in force: what each nexus is to it */
void reserve_refresh(struct lu *lu);

/* reserve_keep.c */

/**
 * reserve_keep_open() - where the unit's state lies, and the state that lies there
 *
 * @ret_keep   NULL if nothing can be kept: no identity, or another unit with the same identity is
 *             there already (two ways to one device)
 * @ret_pr     never NULL after success
 *
 * Returns:  0
 *           -ENOMEM
 *           -EIO     the device does not say who it is, or the folder cannot be looked into
 *                    at present
 * Thread:   worker; blocks
 */
int reserve_keep_open(struct lu *lu, struct reserve_keep **ret_keep, struct pr **ret_pr)
    MUST_CHECK;

#define RESERVE_AWAY_MAX	1024	/* units whose state is kept while they are away */

/* reserve_keep_close() - the unit goes, and had @pr (NULL: nobody knows), which is taken.
 * Unless that lies on disk it is kept in memory: a unit of that identity has it when it comes.
 * @keep NULL: it is freed */
void reserve_keep_close(struct reserve_keep *keep, struct pr *pr);

/* reserve_keep_forget() - all that is kept of units that are away; no unit is there */
void reserve_keep_forget(void);

/* reserve_keep_saves() - on disk? NULL: no */
bool reserve_keep_saves(const struct reserve_keep *keep);

/* reserve_keep_image() - the bytes to save; NULL: no memory. free() it */
void *reserve_keep_image(const struct reserve_keep *keep, const struct pr *pr, size_t *ret_len);

/* reserve_keep_write() - save them, or with NULL keep nothing any more; 0 or -errno, after
 * which what lies there is not certain. Worker; blocks */
int reserve_keep_write(const struct reserve_keep *keep, const void *image, size_t len)
    MUST_CHECK;

#endif /* LU_RESERVE_IMPL_H */
