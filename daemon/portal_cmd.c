#include "daemon/portal_impl.h"

#include <errno.h>
#include <string.h>
#include <sys/scsi/scsi.h>

#include "base/num.h"
#include "scsi/asc.h"
#include "scsi/cdb.h"
#include "scsi/lun.h"
#include "scsi/opcode.h"
#include "scsi/sense.h"

/* statuses of SAM-5 5.3.1 that SCSA has no name for in every release */
#define SAM_BUSY	0x08
#define SAM_CHECK	0x02

static const enum lu_attr attrs[ISCSI_ATTR_N] = {
	[ISCSI_ATTR_UNTAGGED] = LU_ATTR_UNTAGGED,
	[ISCSI_ATTR_SIMPLE]   = LU_ATTR_SIMPLE,
	[ISCSI_ATTR_ORDERED]  = LU_ATTR_ORDERED,
	[ISCSI_ATTR_HEAD]     = LU_ATTR_HEAD,
	[ISCSI_ATTR_ACA]      = LU_ATTR_SIMPLE,	/* refused before: NormACA is 0 */
};

static const enum lu_dir dirs[] = {
	[ISCSI_DIR_NONE]  = LU_DIR_NONE,
	[ISCSI_DIR_READ]  = LU_DIR_IN,
	[ISCSI_DIR_WRITE] = LU_DIR_OUT,
};

void
portal_host_cmd_init(void *priv)
{
	struct portal_task *t = priv;

	lu_task_init(&t->lu);
}

/* ------ answers of our own ------ */

static void
answer_check(struct iscsi_cmd *cmd, uint8_t key, uint16_t asc)
{
	const struct sense_data sense = sense_make(key, asc);
	uint8_t buf[ISCSI_SENSE_MAX];
	const struct iscsi_result result = {
		.status = SAM_CHECK,
		.sense = buf,
		.sense_len = (uint16_t)sense_build(&sense, false, buf, sizeof(buf)),
	};

	iscsi_cmd_done(cmd, &result);
}

static void
answer_busy(struct iscsi_cmd *cmd)
{
	const struct iscsi_result result = { .status = SAM_BUSY };

	iscsi_cmd_done(cmd, &result);
}

/* ------ how much data ------ */

static uint32_t __attribute__((noinline))
bytes_of_any(const struct iscsi_cmd *cmd, uint32_t block)
{
	struct cdb_info info;

	if (cdb_decode(cmd->cdb, cmd->cdb_len, block, &info) < 0)
		return 0;
	/* a read that the initiator calls a write: it has no room for data */
	if (info.dir == OP_DIR_IN && cmd->dir == ISCSI_DIR_WRITE)
		return 0;
	/* these compare what came with what the CDB says */
	if (info.is_known && (info.op->xfer == OP_XFER_COMPARE ||
	    info.op->xfer == OP_XFER_WRITE_SAME))
		return cmd->edtl;
	return (uint32_t)num_min(cmd->edtl, info.has_bytes ? info.bytes : PORTAL_XFER_MAX);
}

/* bytes of it that will be moved, at most: of the initiator's and the CDB's wishes the smaller */
static uint32_t
bytes_of(const struct iscsi_cmd *cmd, const struct portal_nexus *n)
{
	uint32_t block = n == NULL ? 0 : lu_block_bytes(n->unit);
	const struct op_info *op;

	if (cmd->edtl == 0 || cmd->cdb_len == 0)
		return 0;
	op = block == 0 ? NULL : cdb_plain(cmd->cdb, cmd->cdb_len);
	if (UNLIKELY(op == NULL))
		return bytes_of_any(cmd, block);
	if (UNLIKELY(op->dir == OP_DIR_IN && cmd->dir == ISCSI_DIR_WRITE))
		return 0;
	return (uint32_t)num_min(cmd->edtl, cdb_plain_bytes(op, cmd->cdb, block));
}

uint32_t
portal_host_admit(struct iscsi_cmd *cmd)
{
	struct portal_session *s = iscsi_session_host(cmd->session);
	struct portal_nexus *n = portal_nexus_find(s, cmd->lun);
	uint32_t bytes;

	if (n == NULL)
		return 0;
	bytes = bytes_of(cmd, n);
	/* too much: the command will say so, without data */
	return bytes <= lu_info(n->unit)->xfer_max_bytes && bytes <= PORTAL_XFER_MAX ? bytes : 0;
}

/* ------ the way back: the session's loop ------ */

static void
read_release(struct iscsi_cmd *cmd)
{
	struct portal_task *t = iscsi_cmd_priv(cmd);

	bufs_give(&t->loop->bufs, cmd->data, t->buf_len, t->session_owner);
	t->buf_len = 0;
}

/* no status came: what the initiator is to make of it */
static void
answer_failure(struct portal_task *t)
{
	switch (t->lu.reason) {
	case CMD_ABORTED:
		/* whoever ended it tells its own initiator (SAM-5 5.6, TAS 0), or lib/iscsi
		 * does when that is refused; one that nobody asked about was swept along, or
		 * the device gave it up */
		if (t->lu.is_abort_due)
			iscsi_cmd_drop(t->cmd);
		else
			answer_busy(t->cmd);
		break;
	case CMD_TIMEOUT:
		answer_check(t->cmd, SENSE_ABORTED_COMMAND, ASC_COMMAND_TIMEOUT_DURING);
		break;
	case CMD_DEV_GONE:
		answer_check(t->cmd, SENSE_ILLEGAL_REQUEST, ASC_LUN_NOT_SUPPORTED);
		break;
	case CMD_RESET:
	case CMD_TRAN_ERR:
		/* nothing is known to be wrong with the command: again, please */
		answer_busy(t->cmd);
		break;
	default:
		answer_check(t->cmd, SENSE_HARDWARE_ERROR, ASC_COMMUNICATION_FAILURE);
		break;
	}
}

static void
answer_refusal(struct portal_task *t)
{
	if (t->refusal == -EINVAL || t->refusal == -EMSGSIZE)
		answer_check(t->cmd, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
	else
		answer_check(t->cmd, SENSE_ILLEGAL_REQUEST, ASC_LUN_NOT_SUPPORTED);
}

static void
answer_status(struct portal_task *t)
{
	const struct lu_task *lu = &t->lu;
	/* a buffer shorter than EDTL is no shortage of the initiator's */
	bool is_over = lu->resid_kind == LU_RESID_OVER && lu->data_len == t->cmd->edtl;
	const struct iscsi_result result = {
		.status = lu->status,
		.sense = lu->sense,
		.sense_len = lu->sense_len,
		/* all of what was sent is taken, be it that the last block was not whole */
		.moved = is_over && lu->dir == LU_DIR_OUT ? lu->data_len : lu->moved,
		.overflow = is_over ? lu->resid : 0,
	};

	iscsi_cmd_done(t->cmd, &result);
}

static void
task_answer(struct lu_work *w)
{
	struct portal_task *t = container_of(w, struct portal_task, hop);
	struct portal_session *s = t->session;

	if (t->refusal < 0)
		answer_refusal(t);
	else if ((t->lu.state & STATE_GOT_STATUS) != 0)
		answer_status(t);
	else
		answer_failure(t);
	s->n_tasks--;
	if (UNLIKELY(s->iscsi == NULL))
		portal_session_check(s);
}

/* at home */
static void
task_return(struct portal_task *t)
{
	if (LIKELY(loop_is_here(t->loop->loop)))
		task_answer(&t->hop);
	else
		loop_post(t->loop->loop, &t->hop, task_answer);
}

static void
task_done(struct lu_task *lu)
{
	task_return(container_of(lu, struct portal_task, lu));
}

/* ------ the way down ------ */

/* at home */
static void
task_submit(struct lu_work *w)
{
	struct portal_task *t = container_of(w, struct portal_task, hop);

	t->refusal = t->nexus->is_open ? lu_submit(&t->lu) : -ENODEV;
	if (UNLIKELY(t->refusal < 0))
		task_return(t);
}

/* memory for what a read will bring; false: none now */
static bool
task_take_buf(struct portal_task *t, uint32_t bytes)
{
	struct iscsi_cmd *cmd = t->cmd;

	cmd->data = bufs_take(&t->loop->bufs, bytes, t->session_owner);
	if (cmd->data == NULL)
		return false;
	t->buf_len = bytes;
	cmd->data_len = bytes;
	cmd->release = read_release;
	return true;
}

static void
task_fill(struct portal_task *t, const struct iscsi_cmd *cmd)
{
	struct lu_task *lu = &t->lu;

	lu->nexus = &t->nexus->lu;
	lu->data = cmd->data;
	lu->data_len = cmd->data_len;
	lu->dir = cmd->data_len > 0 ? dirs[cmd->dir] : LU_DIR_NONE;
	lu->attr = attrs[cmd->attr];
	lu->timeout_ms = 0;
	lu->has_tag = false;
	lu->done = task_done;
	lu->cdb_len = cmd->cdb_len;
	if (LIKELY(cmd->cdb_len == ISCSI_CDB_LEN))
		memcpy(lu->cdb, cmd->cdb, ISCSI_CDB_LEN);
	else
		memcpy(lu->cdb, cmd->cdb, cmd->cdb_len);
}

static void
task_go(struct portal_task *t)
{
	struct lu_exec *home = lu_home(t->nexus->unit);

	t->session->n_tasks++;
	task_fill(t, t->cmd);
	if (LIKELY(lu_exec_is_here(home)))
		task_submit(&t->hop);
	else
		lu_exec_post(home, &t->hop, task_submit);
}

/* a LUN that the initiator has no unit at; the data of most such commands is short */
static void
absent_answer(struct portal_task *t, struct portal_session *s)
{
	struct iscsi_cmd *cmd = t->cmd;
	uint32_t bytes = cmd->dir == ISCSI_DIR_READ ?
	    (uint32_t)num_min(bytes_of(cmd, NULL), PORTAL_ABSENT_MAX) : 0;

	if (bytes > 0 && !task_take_buf(t, bytes)) {
		answer_busy(cmd);
		return;
	}
	t->lu.data = cmd->data;
	t->lu.data_len = bytes;
	t->lu.dir = bytes > 0 ? LU_DIR_IN : LU_DIR_NONE;
	t->lu.cdb_len = cmd->cdb_len;
	memcpy(t->lu.cdb, cmd->cdb, cmd->cdb_len);
	lu_view_answer_absent(s->view, lunfmt_get(cmd->lun), s->port, &t->lu);
	answer_status(t);
}

void
portal_host_command(struct iscsi_cmd *cmd)
{
	struct portal_session *s = iscsi_session_host(cmd->session);
	struct portal_task *t = iscsi_cmd_priv(cmd);
	uint32_t bytes;

	t->cmd = cmd;
	t->session = s;
	t->session_owner = s->buf_owner;
	t->loop = s->target->loop;
	t->nexus = portal_nexus_find(s, cmd->lun);
	if (UNLIKELY(t->nexus == NULL)) {
		absent_answer(t, s);
		return;
	}
	bytes = bytes_of(cmd, t->nexus);
	if (UNLIKELY(cmd->attr == ISCSI_ATTR_ACA))
		answer_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_INVALID_MESSAGE);
	else if (UNLIKELY(bytes > PORTAL_XFER_MAX ||
	    bytes > lu_info(t->nexus->unit)->xfer_max_bytes))
		answer_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
	else if (cmd->dir == ISCSI_DIR_READ && bytes > 0 && !task_take_buf(t, bytes))
		answer_busy(cmd);
	else
		task_go(t);
}
