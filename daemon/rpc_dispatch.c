#include "daemon/rpc_impl.h"

#include <errno.h>

typedef enum rpc_go (*handler_fn)(const struct rpc_in *in);

static const handler_fn handlers[METHOD_N] = {
	[METHOD_HELLO]         = rpc_hello,
	[METHOD_STATUS]        = rpc_status,
	[METHOD_LIST]          = rpc_list,
	[METHOD_SHOW]          = rpc_show,
	[METHOD_PROBE]         = rpc_probe,
	[METHOD_OPEN]          = rpc_open,
	[METHOD_CLOSE]         = rpc_close,
	[METHOD_SUBMIT]        = rpc_submit,
	[METHOD_ABORT]         = rpc_abort,
	[METHOD_RESET]         = rpc_reset,
	[METHOD_GETCAP]        = rpc_getcap,
	[METHOD_SETCAP]        = rpc_setcap,
	[METHOD_SUBSCRIBE]     = rpc_subscribe,
	[METHOD_FAULT_ADD]     = rpc_fault_add,
	[METHOD_FAULT_LIST]    = rpc_fault_list,
	[METHOD_FAULT_CLEAR]   = rpc_fault_clear,
	[METHOD_TARGET_ADD]    = rpc_target_add,
	[METHOD_TARGET_REMOVE] = rpc_target_remove,
	[METHOD_LUN_ADD]       = rpc_lun_add,
	[METHOD_LUN_REMOVE]    = rpc_lun_remove,
	[METHOD_EXPANDER_ADD]  = rpc_expander_add,
	[METHOD_PHY_UP]        = rpc_phy_up,
	[METHOD_PHY_DOWN]      = rpc_phy_down,
	[METHOD_SMP]           = rpc_smp,
	[METHOD_EXPORT_LIST]   = rpc_export_list,
	[METHOD_EXPORT_CHANGE] = rpc_export_change,
	[METHOD_EXPORT_RELOAD] = rpc_export_reload,
	[METHOD_SESSION_LIST]  = rpc_session_list,
	[METHOD_SESSION_CLOSE] = rpc_session_close,
	[METHOD_RESERVE_STATUS] = rpc_reserve_status,
	[METHOD_RESIZE]        = rpc_resize,
	[METHOD_RESCAN]        = rpc_rescan,
	[METHOD_MEMORY_NEW]    = rpc_memory_new,
	[METHOD_MEMORY_FREE]   = rpc_memory_free,
	[METHOD_RING_NEW]      = rpc_ring_new,
	[METHOD_RING_FREE]     = rpc_ring_free,
};

static enum rpc_go
refuse(struct rpc_conn *conn, const struct frame_head *head, const struct rpc_refusal *why)
{
	rpc_refuse(conn, head->id, head->method, why);
	return conn->is_closed ? RPC_STOP : RPC_NEXT;
}

static enum rpc_go
refuse_message(struct rpc_conn *conn, const struct frame_head *head, int err,
    const struct msg_fault *fault)
{
	char text[RPC_TEXT_MAX];

	return refuse(conn, head, &(struct rpc_refusal){
	    .code = err == -EMSGSIZE ? SCSAD__ERROR_CODE__ERR_LIMIT :
	    err == -ENOMEM ? SCSAD__ERROR_CODE__ERR_NO_MEMORY :
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE,
	    .err = err, .text = msg_fault_text(fault, text, sizeof(text)) });
}

/* may this method be called here and now? false: refused */
static bool
method_allowed(struct rpc_conn *conn, const struct frame *frame, const struct method_info *info)
{
	const struct frame_head *head = &frame->head;

	if (!conn->is_greeted && head->method != METHOD_HELLO) {
		(void)refuse(conn, head, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_NOT_READY, .err = -EAGAIN,
		    .text = "the first request must be hello" });
		rpc_conn_drop(conn, "no hello before '%s'", method_name(head->method));
		return false;
	}
	if (info == NULL || handlers[head->method] == NULL) {
		(void)refuse(conn, head, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_UNKNOWN_METHOD, .err = -ENOSYS,
		    .text = "this daemon has no such method",
		    .hint = "a newer daemon may have it" });
		return false;
	}
	if (head->data_len > 0 && !info->has_data) {
		(void)refuse(conn, head, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_BAD_MESSAGE, .err = -EINVAL,
		    .text = "this method takes no bulk data" });
		return false;
	}
	if (conn->role < info->role) {
		(void)refuse(conn, head, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_NOT_PERMITTED, .err = -EACCES,
		    .text = "the role of this client does not include that",
		    .hint = "see 'access' in scsad.conf(5)" });
		return false;
	}
	return true;
}

enum rpc_go
rpc_dispatch(struct rpc_conn *conn, const struct frame *frame)
{
	const struct frame_head *head = &frame->head;
	const struct method_info *info = method_find(head->method);
	struct msg_fault fault = { 0 };
	ProtobufCMessage *msg;
	enum rpc_go go;
	int r;

	rpc_count(&conn->loop->count.requests, 1);
	if (head->kind != FRAME_KIND_REQUEST) {
		rpc_conn_drop(conn, "bad frame, a client sends requests only");
		return RPC_STOP;
	}
	/* whoever takes the data says so by clearing this */
	conn->skip = head->data_len - (uint32_t)frame->data_here;
	if (!method_allowed(conn, frame, info))
		return conn->is_closed ? RPC_STOP : RPC_NEXT;
	r = msg_unpack(&conn->loop->arena, info->request, frame->msg, head->msg_len, &msg,
	    &fault);
	if (r < 0)
		return refuse_message(conn, head, r, &fault);

	go = handlers[head->method](&(struct rpc_in){ conn, frame, msg });
	if (go == RPC_MOVE)
		conn->skip = 0;
	return conn->is_closed ? RPC_STOP : go;
}
