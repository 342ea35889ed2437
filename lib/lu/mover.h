/*
 * lu/mover.h - data from unit to unit, on behalf of one command
 *
 * What      A mover has ends: units, each with a nexus of the initiator and the port of the
 *           command. So what the initiator may not do itself (classes, reservations, access
 *           states), its copies may not either. Data moves in chunks, some at a time, through
 *           memory of the mover; the ends may live on other executors than the command.
 * Life      mover_new() -> mover_add() ... -> mover_open() -> mover_run() ... -> mover_close()
 *           -> mover_free(). Each step ends by a callback at the command's home; one at a time.
 * Order     Chunks may be read and written in any order. Where source and destination are the
 *           same unit and overlap, they go one by one, and in the direction in which nothing is
 *           overwritten before it was read: the result is as if all had been read first.
 * Stop      When the command is to be aborted or its nexus has gone, no further chunk begins;
 *           those under way end first, so that nothing moves after the command has ended.
 * Blocks    How long they are is noted when an end is opened, after whatever is being asked about
 *           that has been answered. From then on an end that has others, or is being formatted,
 *           takes no further chunk.
 * Nexuses   Those of a mover stand outside of the task set's order, or a copy would wait for
 *           itself, and are told no unit attentions, because the initiator's own are.
 * Thread    The home of the command's unit.
 * Limits    MOVER_ENDS ends, MOVER_DEPTH chunks of MOVER_CHUNK bytes.
 * Source    SPC-4 5.16
 */
#ifndef LU_MOVER_H
#define LU_MOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "lu/copy_list.h"
#include "lu/lu.h"

#define MOVER_ENDS	(2 * COPY_CSCD_MAX)
#define MOVER_DEPTH	4
#define MOVER_CHUNK	(256u << 10)
#define MOVER_ZERO	-1	/* source: zeros instead of a unit */

struct mover;

/* why it did not go on */
struct mover_failure {
	int error;		/* -ENODEV: an end is not there, or not what it was; -ECANCELED: the
				 * command is to end; -ESTALE: the guard; -EIO: what follows;
				 * 0: it did */
	int end;		/* which */
	bool is_src;
	uint8_t reason;		/* CMD_* of the command to the end that failed */
	uint8_t status;		/* and its SCSI status */
};

typedef void mover_fn(struct mover *m, void *arg);

/* mover_new() - for @task, which is in its handler's hands; NULL: no memory */
struct mover *mover_new(struct lu_task *task, void *arg);
void mover_free(struct mover *m);	/* NULL is fine; not between open and closed */

/**
 * mover_add() - one more end
 *
 * @unit     the mover takes a reference
 * @classes  LU_CLASS() that the initiator has there
 * @desig    NULL, or what its page 83h must have when it is opened: names are looked up in what
 *           units said when they were attached, and data is moved only if they still say so
 *
 * Returns:  its number, or -ENOSPC
 */
int mover_add(struct mover *m, struct lu *unit, uint32_t classes,
    const struct copy_desig *desig) MUST_CHECK;

/* mover_unit(), mover_classes() - of an end */
const struct lu *mover_unit(const struct mover *m, int end);
uint32_t mover_classes(const struct mover *m, int end);

/* mover_block_bytes() - of an end that was opened; 0: it has no blocks, or does not say */
uint32_t mover_block_bytes(const struct mover *m, int end);

/* mover_guard() - @is_good(@arg) must be true after each read, or the data goes nowhere and the
 * failure is -ESTALE; called at the source's home */
void mover_guard(struct mover *m, bool (*is_good)(const void *arg), const void *arg);

/* mover_open() - all ends; mover_failure() tells */
void mover_open(struct mover *m, mover_fn *then);

/**
 * mover_run() - move @bytes; mover_failure() tells
 *
 * @src      end, or MOVER_ZERO; @src_at: first byte. Addresses and @bytes are whole blocks of
 *           both ends, and inside of them
 */
void mover_run(struct mover *m, int src, uint64_t src_at, int dst, uint64_t dst_at,
    uint32_t bytes, mover_fn *then);

/* mover_close() - all ends, whatever state they are in */
void mover_close(struct mover *m, mover_fn *then);

const struct mover_failure *mover_failure(const struct mover *m);

/* mover_bytes() - what was written in all, through all runs */
uint64_t mover_bytes(const struct mover *m);

#endif /* LU_MOVER_H */
