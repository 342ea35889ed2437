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
check_direction(const struct lu_task *task, enum op_dir dir)
{
	switch (dir) {
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

static bool
is_allowed(const struct lu_task *task, const struct op_info *op)
{
	return (task->nexus->classes & LU_CLASS(op->policy)) != 0;
}

/* @bytes of user data, and maybe nothing but those */
static void
check_blocks(struct lu_task *task, uint64_t bytes)
{
	task->expected = bytes;
	if (bytes < task->data_len)
		task->device_len = (uint32_t)bytes;
}

static enum lu_refusal
check_known(struct lu_task *task, const struct cdb_info *info)
{
	const struct op_info *op = info->op;

	task->op = op;
	/* fields of transports are wider than the CDB in them */
	task->cdb_used = op->cdb_len;
	if (UNLIKELY(!is_allowed(task, op)))
		return LU_REFUSE_ACCESS;
	if (info->has_bytes && (op->xfer == OP_XFER_BLOCKS || op->xfer == OP_XFER_BLOCKS6))
		check_blocks(task, info->bytes);
	else if (info->has_bytes)
		task->expected = info->bytes;
	return task->expected == 0 ? LU_REFUSE_NOTHING : check_direction(task, info->dir);
}

/* cdb_plain() */
static enum lu_refusal
check_plain(struct lu_task *task, const struct op_info *op, uint32_t block_bytes)
{
	task->op = op;
	task->cdb_used = op->cdb_len;
	if (UNLIKELY(!is_allowed(task, op)))
		return LU_REFUSE_ACCESS;
	check_blocks(task, cdb_plain_bytes(op, task->cdb, block_bytes));
	return task->expected == 0 ? LU_REFUSE_NOTHING : check_direction(task, op->dir);
}

static enum lu_refusal __attribute__((noinline))
check_any(struct lu_task *task, uint32_t block_bytes)
{
	struct cdb_info info;

	if (cdb_decode(task->cdb, task->cdb_len, block_bytes, &info) < 0)
		return LU_REFUSE_SHORT;
	if (info.is_known)
		return check_known(task, &info);
	task->cdb_used = task->cdb_len;
	return check_unknown(task);
}

enum lu_refusal
lu_task_check(struct lu_task *task, const struct lu *lu)
{
	uint32_t block_bytes = atomic_load_explicit(&lu->block_bytes, memory_order_relaxed);
	const struct op_info *op;
	enum lu_refusal refusal;

	task->op = NULL;
	task->expected = UINT64_MAX;
	task->device_len = task->data_len;
	if ((task->dir == LU_DIR_NONE) != (task->data_len == 0) ||
	    (task->data_len > 0 && task->data == NULL))
		return LU_REFUSE_CALL;
	if (task->cdb_len > LU_CDB_MAX)
		return LU_REFUSE_LONG;
	if (task->cdb_len < LU_CDB_MIN)
		return LU_REFUSE_SHORT;
	op = block_bytes == 0 ? NULL : cdb_plain(task->cdb, task->cdb_len);
	refusal = LIKELY(op != NULL) ? check_plain(task, op, block_bytes) :
	    check_any(task, block_bytes);
	if (refusal != LU_REFUSE_NOTHING)
		return refusal;
	if (task->cdb_used > lu->info.cdb_max)
		return LU_REFUSE_LONG;
	return task->data_len > lu->info.xfer_max_bytes ? LU_REFUSE_LARGE : LU_REFUSE_NOTHING;
}
