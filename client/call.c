#include <errno.h>

#include "client/scsac_impl.h"

int
call_queue(struct scsac *c, uint16_t method, const ProtobufCMessage *msg, struct call *call)
{
	size_t size = FRAME_HEAD_LEN + protobuf_c_message_get_packed_size(msg);
	struct frame_head head = { .kind = FRAME_KIND_REQUEST, .method = method };
	struct request *req;
	ptrdiff_t n;
	uint8_t *at;

	if (size > FRAME_HEAD_LEN + PROTO_MESSAGE_MAX)
		return error_local(c, -EMSGSIZE, "", "parameters are too long");
	at = outq_reserve(&c->out, size);
	if (at == NULL)
		return error_local(c, -ENOMEM, "", "out of memory");
	req = request_take(c, call != NULL ? REQUEST_CALL : REQUEST_DROP, method);
	if (req == NULL)
		return error_local(c, -EBUSY, "", "too many calls at one time");
	req->call = call;
	head.id = req->id;
	n = frame_pack(at, size, &head, msg);
	outq_commit(&c->out, (size_t)n);
	return 0;
}

int
call_wait(struct scsac *c, struct call *call, unsigned timeout_ms)
{
	uint64_t deadline_us = UINT64_MAX;

	if (timeout_ms > 0)
		deadline_us = io_now_us() + timeout_ms * UINT64_C(1000);
	while (!call->is_done) {
		int r = io_wait(c, deadline_us);

		if (r == -ENOTCONN && !call->is_done)
			return r;
		if (r == 0 && !call->is_done && io_now_us() >= deadline_us)
			conn_lost(c, -ETIMEDOUT, "no answer from the daemon in %u ms",
			    timeout_ms);
	}
	return call->result;
}

int
call_run(struct scsac *c, uint16_t method, const ProtobufCMessage *msg, call_take_fn take,
    void *arg)
{
	struct call call = { .take = take, .arg = arg };
	struct msg_fault fault;
	char text[128];
	int r;

	if (c->callback_depth > 0)
		return error_local(c, -EDEADLK, "", "a callback must not wait");
	if (c->state == CONN_IDLE)
		return error_local(c, -ENOTCONN, "", "not connected");
	if (c->state != CONN_READY)
		return error_local(c, -EAGAIN, "", "hello is not done");
	if (msg_check(msg, &fault) < 0)
		return error_local(c, -EINVAL, "", "%s",
		    msg_fault_text(&fault, text, sizeof(text)));
	r = call_queue(c, method, msg, &call);
	if (r < 0)
		return r;
	return call_wait(c, &call, c->timeout_ms);
}
