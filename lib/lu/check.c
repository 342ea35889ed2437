#include "lu/lu_impl.h"

#include "lu/reserve.h"
#include "scsi/cdb.h"
#include "scsi/opcode.h"

/* a command without a row cannot be looked into: who may do everything may send it */
static enum lu_refusal
check_unknown(const struct lu_task *task)
{
	enum op_policy policy = lu_reserve_is_ours(task->cdb) ? OP_RESERVE : OP_SECURITY;

	if (cdb_len(task->cdb, task->cdb_len) > task->cdb_len)
		return LU_REFUSE_SHORT;
	return (task->nexus->classes & LU_CLASS(policy)) != 0 ? LU_REFUSE_NOTHING :
	    LU_REFUSE_UNKNOWN;
}

static enum lu_refusal
check_direction(const struct lu_task *task, const struct cdb_info *info)
{
	switch (info->dir) {
	case OP_DIR_IN:
		return task->dir == LU_DIR_OUT ? LU_REFUSE_DIRECTION : LU_REFUSE_NOTHING;
	case OP_DIR_OUT:
		return task->dir == LU_DIR_IN ? LU_REFUSE_DIRECTION : LU_REFUSE_NOTHING;
	case OP_DIR_NONE:	/* a buffer that nothing is moved into: a residual, no
				 * contradiction */
	case OP_DIR_BOTH:
		break;
	}
	return LU_REFUSE_NOTHING;
}

static enum lu_refusal
check_known(struct lu_task *task, const struct cdb_info *info)
{
	if (UNLIKELY((task->nexus->classes & LU_CLASS(info->op->policy)) == 0))
		return LU_REFUSE_ACCESS;
	if (info->has_bytes)
		task->expected = info->bytes;
	return task->expected == 0 ? LU_REFUSE_NOTHING : check_direction(task, info);
}

enum lu_refusal
lu_task_check(struct lu_task *task, const struct lu *lu)
{
	struct cdb_info info;
	enum lu_refusal refusal;

	task->op = NULL;
	task->expected = UINT64_MAX;
	if ((task->dir == LU_DIR_NONE) != (task->data_len == 0) ||
	    (task->data_len > 0 && task->data == NULL))
		return LU_REFUSE_CALL;
	if (task->cdb_len > LU_CDB_MAX)
		return LU_REFUSE_LONG;
	if (task->cdb_len < LU_CDB_MIN ||
	    cdb_decode(task->cdb, task->cdb_len,
	    atomic_load_explicit(&lu->info.block_bytes, memory_order_relaxed), &info) < 0)
		return LU_REFUSE_SHORT;
	task->op = info.op;
	/* fields of transports are wider than the CDB in them */
	task->cdb_used = info.is_known ? info.op->cdb_len : task->cdb_len;
	refusal = info.is_known ? check_known(task, &info) : check_unknown(task);
	if (refusal != LU_REFUSE_NOTHING)
		return refusal;
	if (task->cdb_used > lu->info.cdb_max)
		return LU_REFUSE_LONG;
	return task->data_len > lu->info.xfer_max_bytes ? LU_REFUSE_LARGE : LU_REFUSE_NOTHING;
}
