/*
 * lu/loss.h - deferred errors: who hears that written data may be lost
 *
 * What      A unit with a cache answers a write with GOOD before the data is on the medium. When
 *           the cache cannot be written back, the command that asked for that ends with the
 *           error; whose data it was nobody knows, and what could not be written may be gone
 *           from the cache as well (Linux drops it), so that the next flush succeeds. So every
 *           nexus that had a write end with GOOD since the last flush that succeeded is told,
 *           once, by its next command that may tell: CHECK CONDITION, deferred, MEDIUM ERROR,
 *           WRITE ERROR, before it has any effect. See LU_UA_LOSS in ua.h.
 * When      A SYNCHRONIZE CACHE fails with MEDIUM ERROR, HARDWARE ERROR or DATA PROTECT;
 *           another command that is no write fails with a write error, because it had to flush
 *           first; the device itself reports a deferred error, which it does to one of us.
 * Who       Not the nexus whose command told it, and not who wrote with FUA only. A flush counts
 *           if it was for all blocks, and for writes that had ended when it was issued. What
 *           copies have written concerns the initiator that asked for them.
 * Leaving   An initiator port that left is remembered, and hears of it when it comes back, unless
 *           it was a client of the local socket: who comes there next is somebody else.
 * Limits    LU_LOSS_KEPT ports that left, of each unit; the one that left first is forgotten.
 *           Nothing is kept over a restart: a process that ends leaves its writes to the kernel.
 * Cost      A write remembers one number. Reads nothing.
 * Thread    The unit's home.
 * Source    SPC-4 4.5.7; SBC-3 4.15
 */
#ifndef LU_LOSS_H
#define LU_LOSS_H

#include "lu/lu_impl.h"
#include "scsi/cdb.h"
#include "scsi/status.h"

#define LU_LOSS_KEPT	64

/* lu_loss_note() - the device has ended a command that did not read */
static inline void
lu_loss_note(const struct lu *lu, const struct lu_task *task)
{
	const struct op_info *op = task->op;

	if (task->reason != CMD_CMPLT || task->status != SAM_STAT_GOOD || task->nexus->is_gone)
		return;
	if (op == NULL ? task->dir != LU_DIR_OUT :
	    op->policy != OP_WRITE || lu_watch_ops[op->id] != 0 || cdb_fua(op, task->cdb))
		return;
	task->nexus->wrote_seq = lu->seq;
}

/* lu_loss_flushed() - a SYNCHRONIZE CACHE has succeeded */
void lu_loss_flushed(struct lu *lu, const struct lu_task *task);

/* lu_loss_check() - a command ended with @sense, which is no unit attention */
void lu_loss_check(struct lu *lu, const struct lu_task *task, const struct sense_data *sense);

/* lu_loss_nexus_came() - what it left with is its own again; lu_loss_nexus_left() - is_gone is
 * set */
void lu_loss_nexus_came(struct lu_nexus *nexus);
void lu_loss_nexus_left(struct lu_nexus *nexus);

/* lu_loss_fini() - the unit ends; no nexus is left. Any thread */
void lu_loss_fini(struct lu *lu);

#endif /* LU_LOSS_H */
