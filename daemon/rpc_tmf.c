#include "daemon/rpc_impl.h"

#include <errno.h>
#include <string.h>

#include "ddi/devtree.h"
#include "scsa/config.h"

/* ------ abort ------ */

static void
abort_reply(struct rpc_call *call)
{
	Scsad__AbortReply reply = SCSAD__ABORT_REPLY__INIT;

	if (call->tmf.result == LU_TMF_BUSY || call->tmf.result == LU_TMF_GONE) {
		rpc_refuse_errno(call->req.conn, call->req.id, METHOD_ABORT,
		    call->tmf.result == LU_TMF_GONE ? -ENODEV : -EBUSY,
		    "another abort is at work on it");
		return;
	}
	reply.has_aborted = reply.has_finished = reply.has_failed = 1;
	reply.aborted = call->tmf.n_aborted;
	reply.finished = call->tmf.n_finished;
	reply.failed = call->tmf.n_failed;
	rpc_reply(call->req.conn, call->req.id, METHOD_ABORT, &reply.base, false);
}

static void
tmf_done(struct lu_tmf *tmf)
{
	rpc_call_reply(container_of(tmf, struct rpc_call, tmf));
}

/* at home */
static void
abort_home(struct lu_work *w)
{
	struct rpc_call *call = container_of(w, struct rpc_call, work);

	if (call->task != NULL)
		lu_abort(&call->tmf, &call->task->lu, tmf_done);
	else if (call->nexus != NULL)
		lu_abort_all(&call->tmf, call->nexus, tmf_done);
	else
		lu_abort_unit(&call->tmf, call->unit, tmf_done);
}

/* the packet that is meant, or NULL */
static struct rpc_task *
abort_victim(struct rpc_conn *conn, const Scsad__AbortRequest *req)
{
	struct rpc_req *victim;

	if (req->ring != 0)
		return rpc_ring_task(conn, req->ring, req->tag);
	victim = rpc_req_find(conn, req->request_id);
	return victim == NULL || victim->method != METHOD_SUBMIT ? NULL : victim->task;
}

static enum rpc_go
abort_task(const struct rpc_in *in, const Scsad__AbortRequest *req)
{
	struct rpc_task *victim = abort_victim(in->conn, req);
	struct rpc_call *call;

	if (victim == NULL) {
		rpc_refuse(in->conn, rpc_in_id(in), METHOD_ABORT, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_NO_SUCH_REQUEST, .err = -ENOENT,
		    .text = "no packet is in flight under that id" });
		return RPC_NEXT;
	}
	call = rpc_call_new(in);
	if (call == NULL)
		return RPC_NEXT;
	call->task = victim;
	call->task->n_aborts++;
	call->unit = lu_ref(victim->handle->unit);
	call->reply_fn = abort_reply;
	rpc_call_home(call, abort_home);
	return RPC_NEXT;
}

static enum rpc_go
abort_handle(const struct rpc_in *in, uint64_t id)
{
	struct rpc_handle *handle = rpc_handle_get(in->conn, id);
	struct rpc_call *call;

	if (handle == NULL) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), METHOD_ABORT, -ESTALE, NULL);
		return RPC_NEXT;
	}
	call = rpc_call_new(in);
	if (call == NULL)
		return RPC_NEXT;
	/* the nexus outlives this: whoever closes the handle posts behind us */
	call->nexus = &handle->nexus;
	call->unit = lu_ref(handle->unit);
	call->reply_fn = abort_reply;
	rpc_call_home(call, abort_home);
	return RPC_NEXT;
}

static enum rpc_go
abort_everyone(const struct rpc_in *in, const Scsad__AbortRequest *req)
{
	struct rpc_call *call;
	struct lu *unit;

	if (in->conn->role < SCSAD__ROLE__ROLE_ADMIN) {
		rpc_refuse(in->conn, rpc_in_id(in), METHOD_ABORT, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_NOT_PERMITTED, .err = -EACCES,
		    .text = "this role may not abort packets of other clients",
		    .hint = "abort your own by handle, or ask the administrator" });
		return RPC_NEXT;
	}
	unit = rpc_unit_of(in, req->handle, req->path);
	call = unit == NULL ? NULL : rpc_call_new(in);
	if (call == NULL) {
		lu_unref(unit);
		return RPC_NEXT;
	}
	call->unit = unit;
	call->reply_fn = abort_reply;
	rpc_call_home(call, abort_home);
	return RPC_NEXT;
}

enum rpc_go
rpc_abort(const struct rpc_in *in)
{
	const Scsad__AbortRequest *req = (const void *)in->msg;

	/* what the client has put into a ring before it asked is meant as well */
	rpc_ring_take_all(in->conn);
	if (in->conn->is_ending || in->conn->is_closed)
		return RPC_NEXT;
	if (req->is_everyone)
		return abort_everyone(in, req);
	if (req->path != NULL && req->path[0] != '\0') {
		rpc_refuse(in->conn, rpc_in_id(in), METHOD_ABORT, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_BAD_MESSAGE, .err = -EINVAL,
		    .text = "a path is for aborting what everyone has on a unit",
		    .hint = "set is_everyone, or give a handle or a request id" });
		return RPC_NEXT;
	}
	if (req->handle != 0)
		return abort_handle(in, req->handle);
	return abort_task(in, req);
}

/* ------ reset ------ */

static void
reset_reply(struct rpc_call *call)
{
	Scsad__ResetReply reply = SCSAD__RESET_REPLY__INIT;

	if (call->tmf.result == LU_TMF_GONE) {
		rpc_refuse_errno(call->req.conn, call->req.id, METHOD_RESET, -ENODEV, NULL);
		return;
	}
	reply.has_is_done = 1;
	reply.is_done = call->tmf.result == LU_TMF_DONE;
	reply.has_returned = 1;
	reply.returned = call->tmf.n_aborted;
	rpc_reply(call->req.conn, call->req.id, METHOD_RESET, &reply.base, false);
}

static void
reset_home(struct lu_work *w)
{
	struct rpc_call *call = container_of(w, struct rpc_call, work);

	lu_reset(&call->tmf, call->unit, call->level, tmf_done);
}

/* an HBA without units: only its bus can be reset */
static void
bus_reset_work(struct rpc_call *call)
{
	call->result = scsa_bus_reset(call->port);
	call->tmf.result = call->result == 0 ? LU_TMF_DONE : LU_TMF_FAILED;
}

static struct lu *
first_unit_of(const struct hba *hba)
{
	struct lu *unit;
	uint64_t id = 0;

	while ((unit = lu_next(id)) != NULL) {
		if (strcmp(lu_info(unit)->hba, hba->name) == 0)
			return unit;
		id = lu_id(unit);
		lu_unref(unit);
	}
	return NULL;
}

static bool
reset_permitted(const struct rpc_in *in, Scsad__ResetLevel level)
{
	if (level == SCSAD__RESET_LEVEL__RESET_LEVEL_NONE) {
		rpc_refuse(in->conn, rpc_in_id(in), METHOD_RESET, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_BAD_MESSAGE, .err = -EINVAL,
		    .text = "a level is needed: lun, target, bus or hba" });
		return false;
	}
	if (in->conn->role < reset_level_role(level)) {
		rpc_refuse(in->conn, rpc_in_id(in), METHOD_RESET, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_NOT_PERMITTED, .err = -EACCES,
		    .text = "a reset that wide touches others, this role may not do that",
		    .hint = "reset the unit (lun), or ask the administrator" });
		return false;
	}
	return true;
}

enum rpc_go
rpc_reset(const struct rpc_in *in)
{
	static const enum lu_reset_level levels[] = {
		[SCSAD__RESET_LEVEL__RESET_LEVEL_LUN]    = LU_RESET_LUN,
		[SCSAD__RESET_LEVEL__RESET_LEVEL_TARGET] = LU_RESET_TARGET,
		[SCSAD__RESET_LEVEL__RESET_LEVEL_BUS]    = LU_RESET_BUS,
		[SCSAD__RESET_LEVEL__RESET_LEVEL_HBA]    = LU_RESET_BUS,
	};
	const Scsad__ResetRequest *req = (const void *)in->msg;
	struct hba *hba = NULL;
	struct rpc_call *call;
	struct lu *unit = NULL;

	rpc_ring_take_all(in->conn);
	if (in->conn->is_ending || in->conn->is_closed ||
	    !reset_permitted(in, req->level))
		return RPC_NEXT;
	if (req->handle == 0 && req->path != NULL &&
	    req->level >= SCSAD__RESET_LEVEL__RESET_LEVEL_BUS)
		hba = hbas_find(in->conn->server->hbas, req->path);
	unit = hba != NULL ? first_unit_of(hba) : rpc_unit_of(in, req->handle, req->path);
	if (unit == NULL && (hba == NULL || hba->dip == NULL)) {
		if (hba != NULL)
			rpc_refuse_errno(in->conn, rpc_in_id(in), METHOD_RESET, -EOPNOTSUPP,
			    NULL);
		return RPC_NEXT;
	}
	if (unit != NULL && !rpc_unit_is_allowed(in, unit)) {
		lu_unref(unit);
		return RPC_NEXT;
	}
	call = rpc_call_new(in);
	if (call == NULL) {
		lu_unref(unit);
		return RPC_NEXT;
	}
	call->unit = unit;
	call->level = levels[req->level];
	call->reply_fn = reset_reply;
	if (unit != NULL) {
		rpc_call_home(call, reset_home);
		return RPC_NEXT;
	}
	call->port = devi_ref(hba->dip);
	call->work_fn = bus_reset_work;
	rpc_call_work(call);
	return RPC_NEXT;
}
