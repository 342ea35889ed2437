#include "daemon/rpc_impl.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "scsa/config.h"

/* HBAs that are to look for devices */
struct rescan {
	struct hba *only;	/* NULL: all */
	uint32_t hbas, units;
};

/* not all that the framework has attached is a unit: there are expanders */
static uint32_t
units_of(const struct hba *hba)
{
	struct lu *unit;
	uint64_t id = 0;
	uint32_t n = 0;

	while ((unit = lu_next(id)) != NULL) {
		id = lu_id(unit);
		n += strcmp(lu_info(unit)->hba, hba->name) == 0;
		lu_unref(unit);
	}
	return n;
}

static void
rescan_one(struct rescan *rs, struct hba *hba, int *result)
{
	int r;

	if (hba->dip == NULL || hba->state != HBA_READY)
		r = -ENODEV;
	else
		r = hba_change_begin(hba);
	if (r == 0) {
		r = scsa_bus_config_all(hba->dip);
		hba_change_end(hba);
	}
	if (r >= 0) {
		rs->hbas++;
		rs->units += units_of(hba);
	} else if (rs->only != NULL || r != -ENODEV) {
		*result = r;
	}
}

static void
rescan_work(struct rpc_call *call)
{
	struct hbas *hbas = call->loop->server->hbas;
	struct rescan *rs = call->more;

	for (size_t i = 0; i < hbas_count(hbas); i++)
		if (rs->only == NULL || rs->only == hbas_get(hbas, i))
			rescan_one(rs, hbas_get(hbas, i), &call->result);
	log_info("rescan: %u HBAs, %u units, asked for by uid %u", rs->hbas, rs->units,
	    call->req.conn->cred.uid);
}

static void
rescan_reply(struct rpc_call *call)
{
	const struct rescan *rs = call->more;
	Scsad__RescanReply reply = SCSAD__RESCAN_REPLY__INIT;

	if (call->result < 0) {
		rpc_refuse_errno(call->req.conn, call->req.id, METHOD_RESCAN, call->result,
		    call->result == -ENODEV ? "this HBA is not up" : NULL);
		return;
	}
	reply.has_hbas = reply.has_units = 1;
	reply.hbas = rs->hbas;
	reply.units = rs->units;
	rpc_reply(call->req.conn, call->req.id, METHOD_RESCAN, &reply.base, false);
}

enum rpc_go
rpc_rescan(const struct rpc_in *in)
{
	const Scsad__RescanRequest *req = (const void *)in->msg;
	bool is_one = req->path != NULL && req->path[0] != '\0';
	struct hba *only = is_one ? hbas_find(in->conn->server->hbas, req->path) : NULL;
	struct rpc_call *call;
	struct rescan *rs;

	if (is_one && only == NULL) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), METHOD_RESCAN, -ENOENT,
		    "no such HBA");
		return RPC_NEXT;
	}
	call = rpc_call_new(in);
	if (call == NULL)
		return RPC_NEXT;
	rs = fault_hit() ? NULL : calloc(1, sizeof(*rs));
	if (rs == NULL) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), METHOD_RESCAN, -ENOMEM, NULL);
		rpc_call_free(call);
		return RPC_NEXT;
	}
	rs->only = only;
	call->more = rs;
	call->work_fn = rescan_work;
	call->reply_fn = rescan_reply;
	rpc_call_work(call);
	return RPC_NEXT;
}
