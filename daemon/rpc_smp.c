#include "daemon/rpc_impl.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "ddi/devtree.h"
#include "scsa/smp.h"

#define SMP_HEAD_LEN	4u	/* bytes that every answer begins with */

/* one exchange at work */
struct rpc_smp {
	char path[LU_PATH_MAX];
	uint8_t request[PROTO_SMP_MAX];
	size_t request_len;
	uint8_t response[PROTO_SMP_MAX];
	size_t response_max;
	uint32_t timeout_s;
};

static void
smp_work(struct rpc_call *call)
{
	struct rpc_smp *smp = call->more;

	call->result = scsa_smp_command(call->port, smp->request, smp->request_len,
	    smp->response, smp->response_max, smp->timeout_s);
}

/* bytes of the answer: its fourth byte counts words behind the head; 0: it does not tell */
static size_t
response_len(const struct rpc_smp *smp)
{
	size_t len = SMP_HEAD_LEN + 4u * smp->response[3];

	return smp->response[3] == 0 || len > smp->response_max ? smp->response_max : len;
}

static void
smp_reply(struct rpc_call *call)
{
	struct rpc_smp *smp = call->more;
	Scsad__SmpReply reply = SCSAD__SMP_REPLY__INIT;

	if (call->result < 0) {
		rpc_refuse(call->req.conn, call->req.id, METHOD_SMP, &(struct rpc_refusal){
		    .code = call->result == -ENODEV ? SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT :
		    SCSAD__ERROR_CODE__ERR_IO, .err = call->result,
		    .text = call->result == -ENODEV ? "the expander is gone" :
		    strerror(-call->result) });
		return;
	}
	reply.path = smp->path;
	reply.has_response = 1;
	reply.response.data = smp->response;
	reply.response.len = response_len(smp);
	rpc_reply(call->req.conn, call->req.id, METHOD_SMP, &reply.base, false);
}

static void
smp_start(const struct rpc_in *in, const Scsad__SmpRequest *req, struct tree_node *node)
{
	struct rpc_call *call = rpc_call_new(in);
	struct rpc_smp *smp;

	if (call == NULL) {
		devi_unref(node->dip);
		return;
	}
	call->port = node->dip;
	smp = fault_hit() ? NULL : calloc(1, sizeof(*smp));
	if (smp == NULL) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), METHOD_SMP, -ENOMEM, NULL);
		rpc_call_free(call);
		return;
	}
	call->more = smp;
	memcpy(smp->path, node->path, sizeof(smp->path));
	memcpy(smp->request, req->request.data, req->request.len);
	smp->request_len = req->request.len;
	smp->response_max = req->response_max == 0 ? PROTO_SMP_MAX : req->response_max;
	smp->timeout_s = req->timeout_s;
	call->work_fn = smp_work;
	call->reply_fn = smp_reply;
	rpc_call_work(call);
}

enum rpc_go
rpc_smp(const struct rpc_in *in)
{
	const Scsad__SmpRequest *req = (const void *)in->msg;
	char candidates[1024];
	struct tree_node node;
	int r;

	if (!req->has_request || (req->has_response_max && req->response_max != 0 &&
	    (req->response_max < PROTO_SMP_MIN || req->response_max > PROTO_SMP_MAX)) ||
	    req->timeout_s > PROTO_TIMEOUT_MAX_MS / 1000) {
		rpc_refuse(in->conn, rpc_in_id(in), METHOD_SMP, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_BAD_MESSAGE, .err = -EINVAL,
		    .text = "a request is needed, and room for 8 to 1032 bytes of answer" });
		return RPC_NEXT;
	}
	r = tree_find(in->conn->server->tree, TREE_EXPANDER, req->path == NULL ? "" : req->path,
	    &node, candidates, sizeof(candidates));
	if (r == 0)
		smp_start(in, req, &node);
	else if (r == -ENOTUNIQ)
		rpc_refuse(in->conn, rpc_in_id(in), METHOD_SMP, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_AMBIGUOUS, .err = r,
		    .text = "the name fits several expanders", .hint = "use more of the path",
		    .candidates = candidates });
	else
		rpc_refuse(in->conn, rpc_in_id(in), METHOD_SMP, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT, .err = r,
		    .text = "no such expander", .hint = "see the tree of units" });
	return RPC_NEXT;
}
