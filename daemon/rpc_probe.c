#include "daemon/rpc_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/scsi/scsi.h>

#include "base/text.h"
#include "ddi/devtree.h"
#include "scsa/config.h"

/* ------ on a worker ------ */

static void
probe_unit(struct rpc_call *call)
{
	call->result = lu_probe(call->unit, &call->value, call->inquiry, &call->inquiry_len);
}

/* the published unit at an address of a port */
static struct lu *
unit_at(const char *hba, const char *iport, const char *address)
{
	struct lu *unit;
	uint64_t id = 0;

	while ((unit = lu_next(id)) != NULL) {
		const struct lu_info *info = lu_info(unit);

		if (strcmp(info->hba, hba) == 0 && strcmp(info->address, address) == 0 &&
		    (iport[0] == '\0' || strcmp(info->iport, iport) == 0))
			return unit;
		id = lu_id(unit);
		lu_unref(unit);
	}
	return NULL;
}

/* an address where nothing is known: let the framework look */
static void
probe_address(struct rpc_call *call)
{
	int r = scsa_bus_config_one(call->port, call->address, NULL);

	if (r == 0)
		call->unit = unit_at(call->name, "", call->address);
	if (call->unit != NULL) {
		probe_unit(call);
		return;
	}
	switch (r) {
	case 0:		/* attached, and gone again */
	case -ENXIO:
		call->value = SCSIPROBE_NORESP;
		break;
	case -EIO:	/* it answers, but not as a unit that a driver takes */
		call->value = SCSIPROBE_NONCCS;
		break;
	case -ENOMEM:
		call->value = SCSIPROBE_NOMEM;
		break;
	case -EBUSY:
		call->value = SCSIPROBE_BUSY;
		break;
	default:
		call->result = r;
	}
}

/* ------ on the loop ------ */

static void
probe_reply(struct rpc_call *call)
{
	Scsad__ProbeReply reply = SCSAD__PROBE_REPLY__INIT;

	if (call->result == -EINVAL) {
		rpc_refuse(call->req.conn, call->req.id, METHOD_PROBE, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_BAD_MESSAGE, .err = -EINVAL,
		    .text = "the port cannot have a unit at that address",
		    .hint = "target and LUN as 'list' prints them" });
		return;
	}
	if (call->result < 0) {
		rpc_refuse_errno(call->req.conn, call->req.id, METHOD_PROBE, call->result,
		    NULL);
		return;
	}
	reply.has_result = 1;
	reply.result = (uint32_t)call->value;
	if (call->inquiry_len > 0) {
		reply.has_inquiry = 1;
		reply.inquiry.data = call->inquiry;
		reply.inquiry.len = call->inquiry_len;
	}
	if (call->unit != NULL)
		reply.path = (char *)(uintptr_t)lu_info(call->unit)->path;
	rpc_reply(call->req.conn, call->req.id, METHOD_PROBE, &reply.base, false);
}

static void
probe_start(const struct rpc_in *in, struct lu *unit, dev_info_t *port, const char *hba,
    const char *address)
{
	struct rpc_call *call = rpc_call_new(in);

	if (call == NULL) {
		lu_unref(unit);
		if (port != NULL)
			devi_unref(port);
		return;
	}
	call->unit = unit;
	call->port = port;
	(void)text_copy(call->name, sizeof(call->name), hba);
	(void)text_copy(call->address, sizeof(call->address), address);
	call->work_fn = unit != NULL ? probe_unit : probe_address;
	call->reply_fn = probe_reply;
	rpc_call_work(call);
}

/* "soft0" or "soft0/iport0" */
static enum rpc_go
probe_port(const struct rpc_in *in, const Scsad__ProbeRequest *req)
{
	char name[PROTO_PATH_MAX + 1], address[64];
	char *iport;
	struct hba *hba;
	struct lu *unit;
	dev_info_t *port = NULL;

	(void)text_copy(name, sizeof(name), req->path);
	iport = strchr(name, '/');
	if (iport != NULL)
		*iport++ = '\0';
	else
		iport = name + strlen(name);
	hba = hbas_find(in->conn->server->hbas, name);
	if (hba != NULL)
		port = hba_port(hba, iport);
	if (port == NULL || snprintf(address, sizeof(address), "%s,%llx", req->target,
	    (unsigned long long)req->lun) >= (int)sizeof(address)) {
		if (port != NULL)
			devi_unref(port);
		rpc_refuse(in->conn, rpc_in_id(in), METHOD_PROBE, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT, .err = -ENOENT,
		    .text = "no such HBA or port", .hint = "see the list of HBAs" });
		return RPC_NEXT;
	}
	unit = unit_at(name, iport, address);
	probe_start(in, unit, port, name, address);
	return RPC_NEXT;
}

enum rpc_go
rpc_probe(const struct rpc_in *in)
{
	const Scsad__ProbeRequest *req = (const void *)in->msg;
	struct lu *unit;

	if (req->path != NULL && req->target != NULL && req->target[0] != '\0')
		return probe_port(in, req);
	unit = rpc_unit_of(in, 0, req->path == NULL ? "" : req->path);
	if (unit != NULL)
		probe_start(in, unit, NULL, "", "");
	return RPC_NEXT;
}
