#include "daemon/rpc_impl.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "scsi/cdb.h"
#include "scsi/opcode.h"

static const enum lu_dir dirs[] = {
	[SCSAD__DIRECTION__DIR_NONE] = LU_DIR_NONE,
	[SCSAD__DIRECTION__DIR_IN]   = LU_DIR_IN,
	[SCSAD__DIRECTION__DIR_OUT]  = LU_DIR_OUT,
};

static const enum lu_attr attrs[] = {
	[SCSAD__TASK_ATTRIBUTE__ATTR_UNTAGGED] = LU_ATTR_UNTAGGED,
	[SCSAD__TASK_ATTRIBUTE__ATTR_SIMPLE]   = LU_ATTR_SIMPLE,
	[SCSAD__TASK_ATTRIBUTE__ATTR_ORDERED]  = LU_ATTR_ORDERED,
	[SCSAD__TASK_ATTRIBUTE__ATTR_HEAD]     = LU_ATTR_HEAD,
};

/* ------ the way back ------ */

void
rpc_task_recycle(struct rpc_conn *conn, struct rpc_task *task)
{
	bufs_give(&conn->loop->bufs, task->buf, task->buf_len, conn->buf_owner);
	task->buf = NULL;
	rpc_task_give(conn->loop, task);
}

/* user data is moved where it is. All else is looked at on its way, and must not change then */
static bool
is_moved_in_place(const struct rpc_packet *packet)
{
	const struct op_info *op = op_find(packet->cdb, packet->cdb_len);

	return op != NULL && packet->cdb_len >= op->cdb_len &&
	    (op->xfer == OP_XFER_BLOCKS || op->xfer == OP_XFER_BLOCKS6) &&
	    cdb_protect(op, packet->cdb) == 0;
}

static void
task_end(struct rpc_conn *conn, struct rpc_task *task)
{
	task->is_sent = true;
	if (task->n_aborts == 0)
		rpc_task_recycle(conn, task);
}

static void
task_sent(struct rpc_conn *conn, struct rpc_out *out)
{
	task_end(conn, container_of(out, struct rpc_task, out));
}

/* the request is no longer due: credit and bytes are free again */
static void
task_leave(struct rpc_conn *conn, struct rpc_task *task)
{
	if (task->ring != NULL)
		rpc_ring_leave(task);
	else
		rpc_req_end(&task->req);
	if (task->memory != NULL)
		task->memory->n_tasks--;
	conn->n_tasks--;
	conn->task_bytes -= task->lu.data_len;
	rpc_count(&conn->loop->count.packets_active, (uint64_t)-1);
	if (UNLIKELY(atomic_load_explicit(&conn->server->is_draining, memory_order_relaxed)))
		rpc_server_wake(conn->server);
}

static void
completion_fill(Scsad__Completion *c, const struct rpc_task *task)
{
	const struct lu_task *lu = &task->lu;

	c->has_reason = 1;
	c->reason = lu->reason;
	c->has_state = 1;
	c->state = lu->state;
	if (lu->statistics != 0) {
		c->has_statistics = 1;
		c->statistics = lu->statistics;
	}
	c->has_scsi_status = 1;
	c->scsi_status = lu->status;
	if (lu->resid_kind == LU_RESID_UNDER) {
		c->has_resid = 1;
		c->resid = lu->resid;
	} else if (lu->resid_kind == LU_RESID_OVER) {
		c->has_overflow = 1;
		c->overflow = lu->resid;
	}
	if (lu->sense_len > 0) {
		c->has_sense = 1;
		c->sense.data = (uint8_t *)(uintptr_t)lu->sense;
		c->sense.len = lu->sense_len;
	}
	c->has_duration_ns = 1;
	c->duration_ns = clock_now_ns() - task->start_ns;
}

static void
task_answer(struct rpc_conn *conn, struct rpc_task *task)
{
	Scsad__Completion completion = SCSAD__COMPLETION__INIT;
	uint32_t moved = task->lu.dir == LU_DIR_IN ? task->lu.moved : 0;
	uint32_t data_len = task->shared == NULL ? moved : 0;
	const struct frame_head head = {
		.method = METHOD_SUBMIT,
		.kind = FRAME_KIND_REPLY,
		.id = task->req.id,
		.data_len = data_len,
	};
	ptrdiff_t n;

	completion_fill(&completion, task);
	if (task->shared != NULL && moved > 0) {
		completion.has_moved = 1;
		completion.moved = moved;
		if (task->buf != NULL)
			memcpy(task->shared, task->buf, moved);
	}
	n = frame_pack(task->head, sizeof(task->head), &head, &completion.base);
	if (n < 0) {
		/* cannot be: the head has room for the longest sense */
		rpc_conn_drop(conn, "completion cannot be packed: %s", strerror((int)-n));
		n = 0;
	}
	task->is_sent = false;
	task->out = (struct rpc_out){
		.head = task->head,
		.head_len = (uint32_t)n,
		.data = data_len > 0 ? task->buf : NULL,
		.data_len = n > 0 ? data_len : 0,
		.sent = task_sent,
	};
	rpc_out_queue(conn, &task->out);
}

/* on the connection's loop */
static void
task_reply(struct lu_work *w)
{
	struct rpc_task *task = container_of(w, struct rpc_task, hop);
	struct rpc_conn *conn = task->req.conn;

	task_leave(conn, task);
	if (task->refusal == 0)
		rpc_count(&conn->loop->count.packets_done, 1);
	if (task->refusal == 0 && conn->is_closed)
		rpc_count(&conn->loop->count.orphans, 1);
	if (task->ring != NULL) {
		rpc_ring_answer(task);
		task_end(conn, task);
	} else if (task->refusal < 0) {
		rpc_refuse_errno(conn, task->req.id, METHOD_SUBMIT, task->refusal, NULL);
		task_end(conn, task);
	} else if (conn->is_closed) {
		task_end(conn, task);
	} else {
		task_answer(conn, task);
	}
	rpc_conn_check(conn);
}

static void
task_return(struct rpc_task *task)
{
	struct loop *loop = task->req.conn->loop->loop;

	if (loop_is_here(loop))
		task_reply(&task->hop);
	else
		loop_post(loop, &task->hop, task_reply);
}

static void
task_done(struct lu_task *lu)
{
	task_return(container_of(lu, struct rpc_task, lu));
}

/* ------ the way down ------ */

/* at home */
static void
task_submit(struct lu_work *w)
{
	struct rpc_task *task = container_of(w, struct rpc_task, hop);

	task->refusal = lu_submit(&task->lu);
	if (task->refusal < 0)
		task_return(task);
}

void
rpc_task_go(struct rpc_task *task)
{
	struct lu_exec *home = lu_home(task->handle->unit);

	if (lu_exec_is_here(home))
		task_submit(&task->hop);
	else
		lu_exec_post(home, &task->hop, task_submit);
}

void
rpc_submit_filled(struct rpc_conn *conn)
{
	struct rpc_task *task = STEAL(conn->filling);

	conn->filled = 0;
	/* its handle may have gone while data came: then the unit says so */
	rpc_task_go(task);
}

void
rpc_submit_cancel(struct rpc_conn *conn)
{
	struct rpc_task *task = STEAL(conn->filling);

	if (task == NULL)
		return;
	task_leave(conn, task);
	rpc_task_recycle(conn, task);
}

/* 0, or why this submit cannot be taken now */
static int
submit_check(struct rpc_conn *conn, uint32_t data_len)
{
	const struct config *config = conn->server->config;

	if (atomic_load_explicit(&conn->server->is_draining, memory_order_relaxed))
		return -ESHUTDOWN;
	if (conn->n_tasks >= conn->requests_max ||
	    conn->task_bytes + data_len > config->client_bytes) {
		rpc_count(&conn->loop->count.busy, 1);
		return -EBUSY;
	}
	return 0;
}

static void
task_fill(struct rpc_task *task, struct rpc_conn *conn, struct rpc_handle *handle,
    const struct rpc_packet *packet)
{
	struct lu_task *lu = &task->lu;

	task->handle = handle;
	task->ring = NULL;
	task->n_aborts = 0;
	task->is_sent = false;
	task->refusal = 0;
	task->start_ns = packet->now_ns;
	task->req.conn = conn;
	task->req.task = task;
	lu->nexus = &handle->nexus;
	lu->done = task_done;
	lu->dir = dirs[packet->direction];
	lu->attr = attrs[packet->attribute];
	lu->data_len = packet->data_len;
	lu->data = task->buf != NULL ? task->buf : task->shared;
	lu->timeout_ms = packet->timeout_ms;
	lu->cdb_len = packet->cdb_len;
	memcpy(lu->cdb, packet->cdb, packet->cdb_len);
}

/* a task with its buffer; NULL: no memory */
static struct rpc_task *
task_take(struct rpc_conn *conn, const struct rpc_packet *packet, struct rpc_memory *memory)
{
	struct rpc_task *task = rpc_task_take(conn->loop);

	if (task == NULL)
		return NULL;
	task->buf = NULL;
	task->memory = memory;
	task->shared = memory == NULL ? NULL : memory->base + packet->offset;
	if (packet->data_len == 0 || (memory != NULL && is_moved_in_place(packet)))
		return task;
	task->buf_len = packet->data_len;
	task->buf = bufs_take(&conn->loop->bufs, packet->data_len, conn->buf_owner);
	if (task->buf == NULL) {
		rpc_task_give(conn->loop, task);
		return NULL;
	}
	if (memory != NULL && packet->direction == SCSAD__DIRECTION__DIR_OUT)
		memcpy(task->buf, task->shared, packet->data_len);
	return task;
}

int
rpc_task_new(struct rpc_conn *conn, const struct rpc_packet *packet, struct rpc_task **ret_task)
{
	struct rpc_handle *handle = rpc_handle_get(conn, packet->handle);
	int r = handle == NULL ? -ESTALE : submit_check(conn, packet->data_len);
	struct rpc_memory *memory = NULL;
	struct rpc_task *task;

	if (r < 0)
		return r;
	if (packet->memory != 0) {
		memory = rpc_memory_find(conn, packet->memory, packet->offset,
		    packet->data_len);
		if (memory == NULL)
			return -EFAULT;
	}
	task = task_take(conn, packet, memory);
	if (task == NULL)
		return -ENOMEM;
	task_fill(task, conn, handle, packet);
	*ret_task = task;
	return 0;
}

void
rpc_task_begin(struct rpc_conn *conn, struct rpc_task *task)
{
	conn->n_tasks++;
	if (task->memory != NULL)
		task->memory->n_tasks++;
	conn->task_bytes += task->lu.data_len;
	rpc_count(&conn->loop->count.packets_active, 1);
}

static void
submit_start(const struct rpc_in *in, struct rpc_task *task)
{
	struct rpc_conn *conn = in->conn;
	uint32_t here = (uint32_t)in->frame->data_here;

	rpc_task_begin(conn, task);
	conn->skip = 0;
	if (here > 0)
		memcpy(task->buf, in->frame->data, here);
	if (here < in->frame->head.data_len) {
		conn->filling = task;
		conn->filled = here;
		return;
	}
	rpc_task_go(task);
}

enum rpc_go
rpc_submit(const struct rpc_in *in)
{
	struct rpc_conn *conn = in->conn;
	const Scsad__SubmitRequest *req = (const void *)in->msg;
	struct rpc_packet packet = {
		.handle = req->handle, .memory = req->memory, .offset = req->offset,
		.cdb = req->cdb.data, .cdb_len = (uint16_t)req->cdb.len,
		.data_len = req->data_len, .timeout_ms = req->timeout_ms,
		.direction = req->direction, .attribute = req->attribute,
	};
	struct msg_fault fault = { 0 };
	struct rpc_task *task;
	char text[RPC_TEXT_MAX];
	int r;

	r = msg_check_submit(req, in->frame->head.data_len, conn->limits.data_max, &fault);
	if (r < 0) {
		rpc_refuse(conn, rpc_in_id(in), METHOD_SUBMIT, &(struct rpc_refusal){
		    .code = r == -EMSGSIZE ? SCSAD__ERROR_CODE__ERR_LIMIT :
		    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE,
		    .err = r, .text = msg_fault_text(&fault, text, sizeof(text)) });
		return RPC_NEXT;
	}
	packet.now_ns = clock_now_ns();
	/* there is no memory 0, but it can be asked for */
	r = req->has_memory && req->memory == 0 ? -EFAULT : rpc_task_new(conn, &packet, &task);
	if (r < 0) {
		rpc_refuse_errno(conn, rpc_in_id(in), METHOD_SUBMIT, r, NULL);
		return RPC_NEXT;
	}
	if (!rpc_req_begin(&task->req, conn, &in->frame->head)) {
		rpc_task_recycle(conn, task);
		return RPC_NEXT;
	}
	submit_start(in, task);
	return RPC_NEXT;
}
