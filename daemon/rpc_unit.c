#include "daemon/rpc_impl.h"

#include <errno.h>
#include <stdio.h>

#include "base/fault.h"
#include "daemon/exports.h"

/* ------ naming ------ */

struct rpc_handle *
rpc_handle_get(struct rpc_conn *conn, uint64_t id)
{
	return slot_get(&conn->handles, id);
}

static struct lu *
unit_find(const struct rpc_in *in, const char *name)
{
	char candidates[1024], text[160];
	struct lu *unit;
	int r = lu_find(name, &unit, candidates, sizeof(candidates));

	if (r == 0)
		return unit;
	if (r == -ENOENT)
		(void)snprintf(text, sizeof(text), "no such unit: '%.128s'", name);
	if (r == -ENOTUNIQ)
		rpc_refuse(in->conn, rpc_in_id(in), in->frame->head.method,
		    &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_AMBIGUOUS, .err = r,
		    .text = "the name fits several units", .hint = "use more of the path",
		    .candidates = candidates });
	else
		rpc_refuse_errno(in->conn, rpc_in_id(in), in->frame->head.method, r,
		    r == -ENOENT ? text : NULL);
	return NULL;
}

struct lu *
rpc_unit_of(const struct rpc_in *in, uint64_t handle, const char *name)
{
	struct rpc_handle *h;

	if (handle == 0 && name != NULL)
		return unit_find(in, name);
	h = rpc_handle_get(in->conn, handle);
	if (h == NULL) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), in->frame->head.method, -ESTALE,
		    NULL);
		return NULL;
	}
	return lu_ref(h->unit);
}

/* ------ handles ------ */

/* the connection's loop: nothing of the handle is left below */
static void
handle_free(struct lu_work *w)
{
	struct rpc_handle *handle = container_of(w, struct rpc_handle, hop);
	struct rpc_conn *conn = handle->conn;
	struct rpc_call *closing = handle->closing;

	LIST_REMOVE(handle, entry);
	lu_unref(handle->unit);
	free(handle);
	if (closing != NULL)
		rpc_call_reply(closing);
	rpc_conn_check(conn);
}

/* at home */
static void
handle_gone(struct lu_nexus *nexus)
{
	struct rpc_handle *handle = container_of(nexus, struct rpc_handle, nexus);
	struct loop *loop = handle->conn->loop->loop;

	if (loop_is_here(loop))
		handle_free(&handle->hop);
	else
		loop_post(loop, &handle->hop, handle_free);
}

static void
handle_leave(struct lu_work *w)
{
	struct rpc_handle *handle = container_of(w, struct rpc_handle, hop);

	lu_nexus_gone(&handle->nexus);
}

void
rpc_handle_release(struct rpc_handle *handle)
{
	struct lu_exec *home = lu_home(handle->unit);

	if (handle->is_released)
		return;
	handle->is_released = true;
	if (handle->id != 0)
		(void)slot_drop(&handle->conn->handles, handle->id);
	handle->id = 0;
	if (lu_exec_is_here(home))
		lu_nexus_gone(&handle->nexus);
	else
		lu_exec_post(home, &handle->hop, handle_leave);
}

static uint32_t
unit_classes(const struct rpc_conn *conn, const struct lu *unit, uint32_t *ret_weight)
{
	struct ex_set *set;
	uint32_t classes;

	*ret_weight = LU_WEIGHT_DEFAULT;
	if (conn->server->exports == NULL)
		return access_classes(conn->role);
	set = exports_set(conn->server->exports);
	classes = ex_local_classes(set, &conn->cred, conn->role, lu_info(unit)->path,
	    ret_weight);
	ex_set_unref(set);
	return classes;
}

bool
rpc_unit_is_allowed(const struct rpc_in *in, const struct lu *unit)
{
	uint32_t weight;

	if (unit_classes(in->conn, unit, &weight) != 0)
		return true;
	rpc_refuse(in->conn, rpc_in_id(in), in->frame->head.method, &(struct rpc_refusal){
	    .code = SCSAD__ERROR_CODE__ERR_NOT_PERMITTED, .err = -EACCES,
	    .text = "no rule gives this user that unit",
	    .hint = "see 'local' in scsad.conf(5)" });
	return false;
}

static struct rpc_handle *
handle_new(struct rpc_conn *conn, struct lu *unit)
{
	struct rpc_handle *handle = fault_hit() ? NULL : calloc(1, sizeof(*handle));

	if (handle == NULL)
		return NULL;
	handle->conn = conn;
	handle->unit = lu_ref(unit);
	handle->nexus.classes = unit_classes(conn, unit, &handle->nexus.weight);
	handle->nexus.initiator = &conn->initiator;
	handle->nexus.gone = handle_gone;
	return handle;
}

static void
handle_discard(struct rpc_handle *handle)
{
	lu_unref(handle->unit);
	free(handle);
}

void
rpc_handle_abandon(struct rpc_handle *handle, int result)
{
	if (result < 0) {
		handle_discard(handle);
		return;
	}
	LIST_INSERT_HEAD(&handle->conn->handle_list, handle, entry);
	rpc_handle_release(handle);
}

/* ------ open ------ */

/* the nexus is there: an id, and the answer */
static void
open_finish(struct rpc_conn *conn, uint32_t id, struct rpc_handle *handle)
{
	Scsad__OpenReply reply = SCSAD__OPEN_REPLY__INIT;
	struct rpc_unit_msg m;
	int r;

	LIST_INSERT_HEAD(&conn->handle_list, handle, entry);
	r = slot_take(&conn->handles, handle, &handle->id);
	if (r < 0) {
		rpc_refuse(conn, id, METHOD_OPEN, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_LIMIT, .err = r,
		    .text = "too many units are open on this connection",
		    .hint = "close some" });
		rpc_handle_release(handle);
		return;
	}
	rpc_unit_fill(&m, conn->server, handle->unit);
	reply.has_handle = 1;
	reply.handle = handle->id;
	reply.unit = &m.unit;
	rpc_reply(conn, id, METHOD_OPEN, &reply.base, false);
}

static void
open_reply(struct rpc_call *call)
{
	struct rpc_handle *handle = STEAL(call->handle);

	if (call->result == 0) {
		open_finish(call->req.conn, call->req.id, handle);
		return;
	}
	handle_discard(handle);
	rpc_refuse_errno(call->req.conn, call->req.id, METHOD_OPEN, call->result, NULL);
}

/* at home, which is another loop */
static void
open_home(struct lu_work *w)
{
	struct rpc_call *call = container_of(w, struct rpc_call, work);

	call->result = lu_nexus_open(&call->handle->nexus, call->unit);
	rpc_call_reply(call);
}

static void
open_elsewhere(const struct rpc_in *in, struct rpc_handle *handle)
{
	struct rpc_call *call = rpc_call_new(in);

	if (call == NULL) {
		handle_discard(handle);
		return;
	}
	call->handle = handle;
	call->unit = lu_ref(handle->unit);
	call->reply_fn = open_reply;
	rpc_call_home(call, open_home);
}

static enum rpc_go
open_unit(const struct rpc_in *in, struct lu *unit)
{
	struct rpc_conn *conn = in->conn;
	struct lu_exec *home = lu_home(unit);
	struct rpc_handle *handle;
	int r;

	if (!lu_exec_is_here(home) && rpc_conn_move(conn, rpc_loop_of(conn->server, home)))
		return RPC_MOVE;
	if (!rpc_unit_is_allowed(in, unit))
		return RPC_NEXT;
	handle = handle_new(conn, unit);
	if (handle == NULL) {
		rpc_refuse_errno(conn, rpc_in_id(in), METHOD_OPEN, -ENOMEM, NULL);
		return RPC_NEXT;
	}
	if (!lu_exec_is_here(home)) {
		open_elsewhere(in, handle);
		return RPC_NEXT;
	}
	r = lu_nexus_open(&handle->nexus, unit);
	if (r < 0) {
		handle_discard(handle);
		rpc_refuse_errno(conn, rpc_in_id(in), METHOD_OPEN, r, NULL);
		return RPC_NEXT;
	}
	open_finish(conn, rpc_in_id(in), handle);
	return RPC_NEXT;
}

enum rpc_go
rpc_open(const struct rpc_in *in)
{
	const Scsad__OpenRequest *req = (const void *)in->msg;
	enum rpc_go go;
	struct lu *unit;

	if (atomic_load(&in->conn->server->is_draining)) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), METHOD_OPEN, -ESHUTDOWN, NULL);
		return RPC_NEXT;
	}
	unit = unit_find(in, req->name == NULL ? "" : req->name);
	if (unit == NULL)
		return RPC_NEXT;
	go = open_unit(in, unit);
	lu_unref(unit);
	return go;
}

/* ------ close ------ */

static void
close_reply(struct rpc_call *call)
{
	Scsad__Done done = SCSAD__DONE__INIT;

	rpc_reply(call->req.conn, call->req.id, METHOD_CLOSE, &done.base, false);
}

enum rpc_go
rpc_close(const struct rpc_in *in)
{
	const Scsad__CloseRequest *req = (const void *)in->msg;
	struct rpc_handle *handle;
	struct rpc_call *call;

	/* what the client has put into a ring before it asked is returned as well */
	rpc_ring_take_all(in->conn);
	if (in->conn->is_ending || in->conn->is_closed)
		return RPC_NEXT;
	handle = rpc_handle_get(in->conn, req->handle);
	if (handle == NULL) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), METHOD_CLOSE, -ESTALE, NULL);
		return RPC_NEXT;
	}
	call = rpc_call_new(in);
	if (call == NULL)
		return RPC_NEXT;
	call->reply_fn = close_reply;
	handle->closing = call;
	rpc_handle_release(handle);
	return RPC_NEXT;
}
