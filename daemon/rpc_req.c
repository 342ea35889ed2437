#include "daemon/rpc_impl.h"

#include <errno.h>

#include "base/fault.h"
#include "ddi/devtree.h"

/* requests other than packets that one connection may have due */
#define CALLS_MAX	64

struct rpc_req *
rpc_req_find(struct rpc_conn *conn, uint32_t id)
{
	struct rpc_req *req;

	HASH_FIND(hh, conn->requests, &id, sizeof(id), req);
	return req;
}

bool
rpc_req_begin(struct rpc_req *req, struct rpc_conn *conn, const struct frame_head *head)
{
	if (rpc_req_find(conn, head->id) != NULL) {
		rpc_refuse(conn, head->id, head->method, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_DUPLICATE_ID, .err = -EEXIST,
		    .text = "this request id is still in use",
		    .hint = "choose an id that no outstanding request has" });
		rpc_conn_drop(conn, "request id %u used while it is in use", head->id);
		return false;
	}
	req->conn = conn;
	req->id = head->id;
	req->method = head->method;
	HASH_ADD(hh, conn->requests, id, sizeof(req->id), req);
	if (UNLIKELY(req->hh.tbl == NULL)) {
		rpc_refuse_errno(conn, head->id, head->method, -ENOMEM, NULL);
		return false;
	}
	return true;
}

void
rpc_req_end(struct rpc_req *req)
{
	HASH_DELETE(hh, req->conn->requests, req);
}

/* ------ calls ------ */

struct rpc_call *
rpc_call_new(const struct rpc_in *in)
{
	struct rpc_conn *conn = in->conn;
	struct rpc_call *call;

	if (conn->n_calls >= CALLS_MAX) {
		rpc_refuse_errno(conn, rpc_in_id(in), in->frame->head.method, -EBUSY,
		    "too many requests of this connection are waiting");
		return NULL;
	}
	call = fault_hit() ? NULL : calloc(1, sizeof(*call));
	if (call == NULL) {
		rpc_refuse_errno(conn, rpc_in_id(in), in->frame->head.method, -ENOMEM, NULL);
		return NULL;
	}
	if (!rpc_req_begin(&call->req, conn, &in->frame->head)) {
		free(call);
		return NULL;
	}
	call->loop = conn->loop;
	conn->n_calls++;
	return call;
}

void
rpc_call_free(struct rpc_call *call)
{
	struct rpc_conn *conn = call->req.conn;

	rpc_req_end(&call->req);
	conn->n_calls--;
	if (call->task != NULL && --call->task->n_aborts == 0 && call->task->is_sent)
		rpc_task_recycle(conn, call->task);
	if (call->handle != NULL)
		rpc_handle_abandon(call->handle, call->result);
	lu_unref(call->unit);
	if (call->port != NULL)
		devi_unref(call->port);
	if (call->more_free != NULL)
		call->more_free(call->more);
	else
		free(call->more);
	free(call);
	rpc_conn_check(conn);
}

static void
call_finish(struct lu_work *w)
{
	struct rpc_call *call = container_of(w, struct rpc_call, work);

	if (!call->req.conn->is_closed)
		call->reply_fn(call);
	rpc_call_free(call);
}

void
rpc_call_reply(struct rpc_call *call)
{
	struct loop *loop = call->loop->loop;

	if (loop_is_here(loop))
		call_finish(&call->work);
	else
		loop_post(loop, &call->work, call_finish);
}

static void
call_worker(struct lu_work *w)
{
	struct rpc_call *call = container_of(w, struct rpc_call, work);

	call->work_fn(call);
	rpc_call_reply(call);
}

void
rpc_call_work(struct rpc_call *call)
{
	lu_exec_post(call->loop->server->conf.worker, &call->work, call_worker);
}

void
rpc_call_home(struct rpc_call *call, lu_work_fn fn)
{
	struct lu_exec *home = lu_home(call->unit);

	if (lu_exec_is_here(home))
		fn(&call->work);
	else
		lu_exec_post(home, &call->work, fn);
}
