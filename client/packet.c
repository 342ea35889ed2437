#include <errno.h>
#include <string.h>

#include "client/scsac_impl.h"

#define SUBMIT_FIELDS_LEN	64	/* of a SubmitRequest besides the CDB */

int
packet_take(struct request *req, const Scsad__Completion *msg, uint32_t data_len)
{
	struct scsac_result *result = &req->result;

	uint32_t moved = req->is_in_memory ? msg->moved : data_len;

	if (data_len > 0 &&
	    (req->is_in_memory || req->direction != SCSAC_IN || data_len > req->data_len))
		return -EBADMSG;
	if (moved > req->data_len || msg->resid > req->data_len || msg->scsi_status > UINT8_MAX)
		return -EBADMSG;
	result->err = 0;
	result->is_unknown = false;
	result->status = (uint8_t)msg->scsi_status;
	result->reason = msg->reason;
	result->state = msg->state;
	result->statistics = msg->statistics;
	result->resid = msg->resid;
	result->overflow = msg->overflow;
	result->duration_ns = msg->duration_ns;
	result->data_len = moved;
	result->sense_len = 0;
	if (msg->has_sense) {
		result->sense_len = (uint32_t)msg->sense.len;
		memcpy(result->sense, msg->sense.data, msg->sense.len);
	}
	return 0;
}

int
packet_check(struct scsac *c, const struct scsac_cmd *cmd)
{
	if (c->state == CONN_IDLE)
		return error_local(c, -ENOTCONN, "", "not connected");
	if (c->state != CONN_READY)
		return error_local(c, -EAGAIN, "", "hello is not done");
	if (cmd->cdb_len < PROTO_CDB_MIN || cmd->cdb_len > PROTO_CDB_MAX)
		return error_local(c, -EINVAL, "", "a CDB has %u to %u bytes", PROTO_CDB_MIN,
		    PROTO_CDB_MAX);
	if ((unsigned)cmd->direction > SCSAC_OUT || (unsigned)cmd->attribute > SCSAC_ATTR_HEAD)
		return error_local(c, -EINVAL, "", "no such direction or attribute");
	if ((cmd->direction != SCSAC_NONE) != (cmd->data_len > 0))
		return error_local(c, -EINVAL, "", "data length contradicts the direction");
	if (cmd->timeout_ms > PROTO_TIMEOUT_MAX_MS)
		return error_local(c, -EINVAL, "", "timeout is longer than a day");
	if (cmd->data_len > c->info.data_max)
		return error_local(c, -EMSGSIZE, "send it in several packets",
		    "%zu bytes of data, the limit is %u", cmd->data_len, c->info.data_max);
	if (c->packets + c->ring_packets >= c->info.packets_max)
		return error_local(c, -EBUSY, "wait for a completion",
		    "%u packets are in flight", c->packets + c->ring_packets);
	return 0;
}

static void
submit_message(const struct scsac_cmd *cmd, const struct memory *memory,
    Scsad__SubmitRequest *msg)
{
	scsad__submit_request__init(msg);
	msg->has_handle = 1;
	msg->handle = cmd->handle;
	msg->has_cdb = 1;
	msg->cdb.data = (uint8_t *)(uintptr_t)cmd->cdb;
	msg->cdb.len = cmd->cdb_len;
	msg->has_direction = cmd->direction != SCSAC_NONE;
	msg->direction = (Scsad__Direction)cmd->direction;
	msg->has_data_len = cmd->data_len > 0;
	msg->data_len = (uint32_t)cmd->data_len;
	msg->has_timeout_ms = cmd->timeout_ms > 0;
	msg->timeout_ms = cmd->timeout_ms;
	msg->has_attribute = cmd->attribute != SCSAC_ATTR_UNTAGGED;
	msg->attribute = (Scsad__TaskAttribute)cmd->attribute;
	msg->has_is_idempotent = (cmd->flags & SCSAC_IDEMPOTENT) != 0;
	msg->is_idempotent = msg->has_is_idempotent;
	if (memory == NULL)
		return;
	msg->has_memory = msg->has_offset = 1;
	msg->memory = memory->id;
	msg->offset = (uint64_t)((uint8_t *)cmd->data - memory->base);
}

static void
packet_fill(struct scsac *c, struct request *req, const struct scsac_cmd *cmd,
    const struct memory *memory)
{
	req->is_in_memory = memory != NULL;
	req->direction = cmd->direction;
	req->data = cmd->data;
	req->data_len = (uint32_t)cmd->data_len;
	c->packets++;
	if (cmd->direction == SCSAC_IN && memory == NULL && cmd->data_len >= BIG_READ)
		c->big_reads++;
}

int
scsac_submit(struct scsac *c, const struct scsac_cmd *cmd, scsac_done_fn done, void *arg,
    uint32_t *ret_id)
{
	size_t size = FRAME_HEAD_LEN + SUBMIT_FIELDS_LEN + cmd->cdb_len;
	struct frame_head head = { .kind = FRAME_KIND_REQUEST, .method = METHOD_SUBMIT };
	const struct memory *memory;
	Scsad__SubmitRequest msg;
	struct request *req;
	uint8_t *at;
	int r;

	r = packet_check(c, cmd);
	if (r < 0)
		return r;
	at = outq_reserve(&c->out, size);
	if (at == NULL)
		return error_local(c, -ENOMEM, "", "out of memory");
	req = request_take(c, REQUEST_PACKET, METHOD_SUBMIT);
	if (req == NULL)
		return error_local(c, -EBUSY, "wait for a completion", "too many requests");

	memory = memory_find(c, cmd->data, cmd->data_len);
	packet_fill(c, req, cmd, memory);
	req->done = done;
	req->arg = arg;
	submit_message(cmd, memory, &msg);
	head.id = req->id;
	head.data_len = cmd->direction == SCSAC_OUT && memory == NULL ? req->data_len : 0;
	outq_commit(&c->out, (size_t)frame_pack(at, size, &head, &msg.base));
	if (head.data_len > 0) {
		req->is_sent = false;
		outq_data(&c->out, cmd->data, cmd->data_len, req);
	}
	if (ret_id != NULL)
		*ret_id = req->id;
	return 0;
}

int
scsac_cancel(struct scsac *c, uint32_t id)
{
	Scsad__AbortRequest msg = SCSAD__ABORT_REQUEST__INIT;
	struct request *req;

	if (c->state != CONN_READY)
		return error_local(c, -ENOTCONN, "", "not connected");
	req = request_find(c, id);
	if (req == NULL || req->kind != REQUEST_PACKET || req->is_answered)
		return error_local(c, -ENOENT, "", "no packet %u is in flight", id);
	msg.has_request_id = 1;
	msg.request_id = id;
	return call_queue(c, METHOD_ABORT, &msg.base, NULL);
}

static void
exec_done(struct scsac *c, const struct scsac_result *result, void *arg)
{
	struct call *call = arg;
	struct scsac_result *to = call->arg;

	(void)c;
	*to = *result;
	call->result = result->err;
	call->is_done = true;
}

int
scsac_exec(struct scsac *c, const struct scsac_cmd *cmd, struct scsac_result *result)
{
	struct call call = { .arg = result };
	unsigned wait_ms = c->timeout_ms;
	int r;

	if (c->callback_depth > 0)
		return error_local(c, -EDEADLK, "", "a callback must not wait");
	r = scsac_submit(c, cmd, exec_done, &call, NULL);
	if (r < 0)
		return r;
	if (cmd->timeout_ms > 0)
		wait_ms = cmd->timeout_ms + EXEC_GRACE_MS;
	return call_wait(c, &call, wait_ms);
}

unsigned
scsac_in_flight(const struct scsac *c)
{
	return c->packets;
}
