#include "lu/lu_impl.h"

#include <errno.h>

#include "scsi/cdb.h"
#include "scsi/opcode.h"

/* a command without a row cannot be looked into: who may do everything may send it */
static int
check_unknown(struct lu_task *task)
{
	size_t len = cdb_len(task->cdb, task->cdb_len);

	task->expected = UINT64_MAX;
	if (len > task->cdb_len)
		return -EINVAL;
	return (task->nexus->classes & LU_CLASS(OP_SECURITY)) != 0 ? 0 : -EACCES;
}

static int
check_direction(const struct lu_task *task, const struct cdb_info *info)
{
	switch (info->dir) {
	case OP_DIR_IN:
		return task->dir == LU_DIR_OUT ? -EPROTO : 0;
	case OP_DIR_OUT:
		return task->dir == LU_DIR_IN ? -EPROTO : 0;
	case OP_DIR_NONE:	/* a buffer that nothing is moved into: a residual, no
				 * contradiction */
	case OP_DIR_BOTH:
		break;
	}
	return 0;
}

int
lu_task_check(struct lu_task *task, const struct lu *lu)
{
	struct cdb_info info;
	int r;

	if ((task->dir == LU_DIR_NONE) != (task->data_len == 0) ||
	    (task->data_len > 0 && task->data == NULL))
		return -EINVAL;
	if (task->cdb_len > LU_CDB_MAX || task->cdb_len > lu->info.cdb_max ||
	    task->data_len > lu->info.xfer_max_bytes)
		return -EMSGSIZE;
	if (task->cdb_len < LU_CDB_MIN)
		return -EINVAL;

	r = cdb_decode(task->cdb, task->cdb_len, lu->info.block_bytes, &info);
	if (r < 0)
		return -EINVAL;
	if (!info.is_known)
		return check_unknown(task);
	if ((task->nexus->classes & LU_CLASS(info.op->policy)) == 0)
		return -EACCES;
	task->expected = info.has_bytes ? info.bytes : UINT64_MAX;
	return task->expected == 0 ? 0 : check_direction(task, &info);
}
