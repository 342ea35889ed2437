/* REPORT SUPPORTED ... of a unit: device and layer together (lu/opcodes.h) */
#include "lu/opcodes.h"

#include "base/bytes.h"
#include "lu/alua.h"
#include "lu/copy.h"
#include "lu/lu_impl.h"
#include "lu/policy.h"
#include "scsi/cdb.h"

#define LIST_MAX	8192	/* bytes of a device's list that are looked at */
#define REPD		0x80	/* extended parameter data is wanted */

/* with handlers here that only help the device, the device says whether it can */
static bool
is_answered_here(const struct op_info *op)
{
	switch (lu_policy_of(op)) {
	case LU_POLICY_RESERVATIONS:
	case LU_POLICY_ALUA:
	case LU_POLICY_OPCODES:
	case LU_POLICY_COPY:
	case LU_POLICY_INQUIRY:
		return true;
	case LU_POLICY_PREVENT:
		return false;
	case LU_POLICY_N:
		break;
	}
	return op->id == OP_REPORT_LUNS || op->id == OP_REQUEST_SENSE;
}

static enum opcodes_who
who_of_alua(const struct lu *lu, const struct op_info *op)
{
	enum alua_mode mode = alua_mode(lu->alua);

	if (mode == ALUA_MODE_NONE || (op->id == OP_SET_TARGET_PORT_GROUPS &&
	    (mode & ALUA_MODE_EXPLICIT) == 0))
		return OPCODES_NOBODY;
	return OPCODES_HERE;
}

static enum opcodes_who
who_of_copy(const struct lu *lu, const struct op_info *op)
{
	if (!lu_copy_is_here(lu))
		return OPCODES_DEVICE;
	return lu_local_ops[op->id] == lu_copy_do_refuse ? OPCODES_NOBODY : OPCODES_HERE;
}

static enum opcodes_who
unit_who(const void *arg, const struct op_info *op)
{
	const struct lu *lu = arg;

	if (lu_local_of(lu, op) == NULL || !is_answered_here(op))
		return OPCODES_DEVICE;
	switch (lu_policy_of(op)) {
	case LU_POLICY_ALUA:
		return who_of_alua(lu, op);
	case LU_POLICY_COPY:
		return who_of_copy(lu, op);
	case LU_POLICY_RESERVATIONS:
	case LU_POLICY_INQUIRY:
	case LU_POLICY_OPCODES:
	case LU_POLICY_PREVENT:
	case LU_POLICY_N:
		break;
	}
	return OPCODES_HERE;
}

static void
list_done(struct lu_ask *ask)
{
	struct lu_task *task = ask->arg;
	struct lu *lu = task->nexus->unit;
	const struct opcodes o = { unit_who, lu };
	uint32_t alloc_len = be32_get(task->cdb + 6);
	size_t len;

	/* a device without the command cannot be spoken for */
	if (!lu_ask_good(ask)) {
		lu_local_as(task, ask);
	} else {
		len = opcodes_list(&o, ask->data, ask->task.moved, (task->cdb[2] & 0x80) != 0,
		    task->data, alloc_len < task->data_len ? alloc_len : task->data_len);
		lu_local_reply(task, task->data, len, alloc_len);
	}
	lu_ask_free(ask);
}

static void
list_ask(struct lu *lu, struct lu_task *task, bool want_timeouts)
{
	struct lu_ask *ask = lu_ask_new(lu, LIST_MAX, list_done, task);

	if (ask == NULL) {
		lu_local_no_room(task);
		return;
	}
	ask->task.cdb_len = (uint16_t)cdb_report_opcodes(ask->task.cdb, 0, 0, 0, want_timeouts,
	    LIST_MAX);
	lu_ask_in(ask, LIST_MAX);
	if (lu_ask(lu, ask) == 0)
		return;
	lu_ask_free(ask);
	lu_task_end(task, CMD_DEV_GONE, 0);
}

void
lu_opcodes_do_report(struct lu *lu, struct lu_task *task)
{
	const struct opcodes o = { unit_who, lu };
	uint8_t buf[OPCODES_ONE_MAX];
	struct opcodes_query query;
	const struct op_info *op;

	switch (opcodes_judge(&o, task->cdb, &query, &op)) {
	case OPCODES_ALL:
		list_ask(lu, task, query.want_timeouts);
		break;
	case OPCODES_ONE:
		lu_local_reply(task, buf, opcodes_one(op, query.want_timeouts, buf),
		    be32_get(task->cdb + 6));
		break;
	case OPCODES_ASK:
		lu_local_pass(task);
		break;
	case OPCODES_BAD:
		lu_local_bad_cdb(task, 2, 2);
		break;
	}
}

void
lu_opcodes_do_tmfs(struct lu *lu UNUSED, struct lu_task *task)
{
	uint32_t alloc_len = be32_get(task->cdb + 6);
	uint8_t buf[OPCODES_TMFS_MAX];

	/* SPC-4 6.35 */
	if (alloc_len < 4)
		lu_local_bad_cdb(task, 6, 7);
	else
		lu_local_reply(task, buf, opcodes_tmfs((task->cdb[2] & REPD) != 0, buf),
		    alloc_len);
}
