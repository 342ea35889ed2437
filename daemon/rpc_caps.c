#include "daemon/rpc_impl.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* every capability that SCSA names */
static const char *const caps[] = {
	"dma-max", "msg-out", "disconnect", "synchronous", "wide-xfer", "parity",
	"initiator-id", "untagged-qing", "tagged-qing", "auto-rqsense", "linked-cmds",
	"sector-size", "total-sectors", "geometry", "reset-notification", "qfull-retries",
	"qfull-retry-interval", "scsi-version", "interconnect-type", "lun-reset",
	"max-cdb-length", "dma-max-arch", "tran-layer-retries",
};

_Static_assert(ARRAY_LEN(caps) <= ARRAY_LEN(((struct rpc_call *)0)->caps),
    "a call has room for all");

/* ------ get ------ */

/* whom = 0 is not asked: a set, of whatever value, would reach every unit */
static int
cap_take(struct rpc_call *call, const char *name, struct rpc_cap *ret)
{
	bool can_set = false;
	int r = lu_getcap(call->unit, name, call->is_hba_wide, &ret->value);

	if (r < 0)
		return r;
	r = call->is_hba_wide ? -ENOENT : lu_cap_can_set(call->unit, name, &can_set);
	ret->can_set = r < 0 ? r : can_set;
	return 0;
}

static void
getcap_work(struct rpc_call *call)
{
	if (call->name[0] != '\0') {
		call->result = cap_take(call, call->name, &call->caps[0]);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(caps) && call->result == 0; i++)
		call->result = cap_take(call, caps[i], &call->caps[i]);
}

static void
getcap_reply(struct rpc_call *call)
{
	Scsad__GetCapReply reply = SCSAD__GET_CAP_REPLY__INIT;
	Scsad__Cap cap[ARRAY_LEN(caps)];
	Scsad__Cap *list[ARRAY_LEN(caps)];
	bool is_one = call->name[0] != '\0';

	if (call->result < 0) {
		rpc_refuse_errno(call->req.conn, call->req.id, METHOD_GETCAP, call->result,
		    NULL);
		return;
	}
	reply.n_caps = is_one ? 1 : ARRAY_LEN(caps);
	reply.caps = list;
	for (size_t i = 0; i < reply.n_caps; i++) {
		scsad__cap__init(&cap[i]);
		list[i] = &cap[i];
		cap[i].name = is_one ? call->name : (char *)(uintptr_t)caps[i];
		cap[i].has_value = 1;
		cap[i].value = call->caps[i].value;
		cap[i].has_can_set = call->caps[i].can_set >= 0;
		cap[i].can_set = call->caps[i].can_set > 0;
	}
	rpc_reply(call->req.conn, call->req.id, METHOD_GETCAP, &reply.base, false);
}

enum rpc_go
rpc_getcap(const struct rpc_in *in)
{
	const Scsad__GetCapRequest *req = (const void *)in->msg;
	struct lu *unit = rpc_unit_of(in, req->handle, req->path);
	struct rpc_call *call = unit == NULL ? NULL : rpc_call_new(in);

	if (call == NULL) {
		lu_unref(unit);
		return RPC_NEXT;
	}
	call->unit = unit;
	call->is_hba_wide = req->is_hba_wide;
	(void)text_copy(call->name, sizeof(call->name), req->name == NULL ? "" : req->name);
	call->work_fn = getcap_work;
	call->reply_fn = getcap_reply;
	rpc_call_work(call);
	return RPC_NEXT;
}

/* ------ set ------ */

static void
setcap_work(struct rpc_call *call)
{
	int result = -1;

	call->result = lu_setcap(call->unit, call->name, call->is_hba_wide, call->value,
	    &result);
	call->value = result;
}

static void
setcap_reply(struct rpc_call *call)
{
	Scsad__SetCapReply reply = SCSAD__SET_CAP_REPLY__INIT;

	if (call->result < 0) {
		rpc_refuse_errno(call->req.conn, call->req.id, METHOD_SETCAP, call->result,
		    NULL);
		return;
	}
	reply.has_result = 1;
	reply.result = call->value;
	rpc_reply(call->req.conn, call->req.id, METHOD_SETCAP, &reply.base, false);
}

enum rpc_go
rpc_setcap(const struct rpc_in *in)
{
	const Scsad__SetCapRequest *req = (const void *)in->msg;
	struct lu *unit;
	struct rpc_call *call;

	if (req->name == NULL || req->name[0] == '\0' || !req->has_value) {
		rpc_refuse(in->conn, rpc_in_id(in), METHOD_SETCAP, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_BAD_MESSAGE, .err = -EINVAL,
		    .text = "a capability's name and a value are needed" });
		return RPC_NEXT;
	}
	unit = rpc_unit_of(in, req->handle, req->path);
	call = unit == NULL ? NULL : rpc_call_new(in);
	if (call == NULL) {
		lu_unref(unit);
		return RPC_NEXT;
	}
	call->unit = unit;
	call->is_hba_wide = req->is_hba_wide;
	call->value = req->value;
	(void)text_copy(call->name, sizeof(call->name), req->name);
	call->work_fn = setcap_work;
	call->reply_fn = setcap_reply;
	rpc_call_work(call);
	return RPC_NEXT;
}
