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

/* "soft0" or "soft0/iport0", split at the slash */
static struct lu *
probe_unit_at(const struct rpc_call *call)
{
	char hba[sizeof(call->name)];
	char *iport;

	memcpy(hba, call->name, sizeof(hba));
	iport = strchr(hba, '/');
	if (iport == NULL)
		return lu_at(hba, "", call->address);
	*iport++ = '\0';
	return lu_at(hba, iport, call->address);
}

/* an address where nothing is known: let the framework look */
static void
probe_address(struct rpc_call *call)
{
	int r = scsa_bus_config_one(call->port, call->address, NULL);

	if (r == 0)
		call->unit = probe_unit_at(call);
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
probe_start(const struct rpc_in *in, struct lu *unit)
{
	struct rpc_call *call = rpc_call_new(in);

	if (call == NULL) {
		lu_unref(unit);
		return;
	}
	call->unit = unit;
	call->work_fn = probe_unit;
	call->reply_fn = probe_reply;
	rpc_call_work(call);
}

/* takes the reference of the port */
static void
probe_start_at(const struct rpc_in *in, dev_info_t *port, const char *name, const char *address)
{
	struct rpc_call *call = rpc_call_new(in);

	if (call == NULL) {
		devi_unref(port);
		return;
	}
	call->port = port;
	(void)text_copy(call->name, sizeof(call->name), name);
	(void)text_copy(call->address, sizeof(call->address), address);
	call->unit = probe_unit_at(call);
	call->work_fn = call->unit != NULL ? probe_unit : probe_address;
	call->reply_fn = probe_reply;
	rpc_call_work(call);
}

/* a target as addresses have it: a number without leading zeros, or 'w' and 16 small digits.
 * Other forms are the driver's own, and stay */
static void
target_normalise(const char *target, char *dst, size_t size)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *hex = target + (target[0] == 'w' || target[0] == 'W');
	size_t len = strlen(hex);
	unsigned long long value;

	(void)text_copy(dst, size, target);
	if (len == 0 || len > 16 || strspn(hex, digits) != len ||
	    (hex != target && len != 16))
		return;
	value = strtoull(hex, NULL, 16);
	if (len == 16)
		(void)snprintf(dst, size, "w%016llx", value);
	else
		(void)snprintf(dst, size, "%llx", value);
}

/* has it one of those forms? */
static bool
target_is_plain(const char *target)
{
	size_t len = strlen(target), digits = strspn(target, "0123456789abcdef");

	return digits == len || (target[0] == 'w' && len == 17 &&
	    strspn(target + 1, "0123456789abcdef") == 16);
}

/* the only port of an HBA that was named alone; @name becomes "soft0/iport0". false: refused */
static bool
probe_port_only(const struct rpc_in *in, const struct hba *hba, char *name, size_t size)
{
	CLEANUP(free_ptr) struct tree_node *ports = NULL;
	char candidates[1024] = "";
	size_t n = 0;

	if (tree_list(in->conn->server->tree, TREE_PORT, hba->name, &ports, &n) < 0) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), METHOD_PROBE, -ENOMEM, NULL);
		return false;
	}
	if (n == 1)
		(void)text_copy(name, size, ports[0].path);
	if (n <= 1)
		return true;
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(candidates);

		if (len + strlen(ports[i].path) + 2 <= sizeof(candidates))
			(void)snprintf(candidates + len, sizeof(candidates) - len, "%s%s",
			    len > 0 ? " " : "", ports[i].path);
	}
	rpc_refuse(in->conn, rpc_in_id(in), METHOD_PROBE, &(struct rpc_refusal){
	    .code = SCSAD__ERROR_CODE__ERR_AMBIGUOUS, .err = -ENOTUNIQ,
	    .text = "this HBA has several ports", .hint = "name one of them",
	    .candidates = candidates });
	return false;
}

static enum rpc_go
probe_refuse(const struct rpc_in *in, Scsad__ErrorCode code, int err, const char *text,
    const char *hint)
{
	rpc_refuse(in->conn, rpc_in_id(in), METHOD_PROBE, &(struct rpc_refusal){
	    .code = code, .err = err, .text = text, .hint = hint });
	return RPC_NEXT;
}

/* "soft0" or "soft0/iport0" */
static enum rpc_go
probe_port(const struct rpc_in *in, const Scsad__ProbeRequest *req)
{
	char name[PROTO_PATH_MAX + 1], hba_name[PROTO_PATH_MAX + 1], target[64], address[64];
	size_t len = strcspn(req->path, "/");
	dev_info_t *port = NULL;
	struct hba *hba;

	(void)text_copy(name, sizeof(name), req->path);
	(void)snprintf(hba_name, sizeof(hba_name), "%.*s", (int)len, name);
	hba = hbas_find(in->conn->server->hbas, hba_name);
	if (hba != NULL && name[len] == '\0' && !probe_port_only(in, hba, name, sizeof(name)))
		return RPC_NEXT;
	if (hba != NULL)
		port = hba_port(hba, name[len] == '/' ? name + len + 1 : "");
	if (port == NULL)
		return probe_refuse(in, SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT, -ENOENT,
		    "no such HBA or port", "see the list of HBAs");
	target_normalise(req->target, target, sizeof(target));
	if ((hba->soft != NULL && !target_is_plain(target)) ||
	    snprintf(address, sizeof(address), "%s,%llx", target,
	    (unsigned long long)req->lun) >= (int)sizeof(address)) {
		devi_unref(port);
		return probe_refuse(in, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE, -EINVAL,
		    "the port cannot have a unit at that address",
		    "target and LUN as 'list' prints them");
	}
	probe_start_at(in, port, name, address);
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
		probe_start(in, unit);
	return RPC_NEXT;
}
