#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "client/scsac_impl.h"

#define SLOT_BITS	16u
#define SLOT_MASK	((1u << SLOT_BITS) - 1)

_Static_assert(2 * PROTO_REQUESTS_MAX + CALLS_MAX < SLOT_MASK, "a slot fits half of an id");

int
requests_resize(struct scsac *c, size_t len)
{
	struct request *requests = fault_hit() ? NULL : calloc(len, sizeof(*requests));

	if (requests == NULL)
		return -ENOMEM;
	free(c->requests);
	c->requests = requests;
	c->requests_len = len;
	STAILQ_INIT(&c->free);
	STAILQ_INIT(&c->ready);
	for (size_t i = 0; i < len; i++)
		STAILQ_INSERT_TAIL(&c->free, &requests[i], link);
	return 0;
}

struct request *
request_take(struct scsac *c, enum request_kind kind, uint16_t method)
{
	struct request *req = STAILQ_FIRST(&c->free);
	uint32_t slot;

	if (req == NULL)
		return NULL;
	STAILQ_REMOVE_HEAD(&c->free, link);
	slot = (uint32_t)(req - c->requests) + 1;
	c->generation++;
	req->id = (c->generation & SLOT_MASK) << SLOT_BITS | slot;
	req->kind = kind;
	req->method = method;
	req->is_sent = true;
	req->is_answered = false;
	req->call = NULL;
	return req;
}

struct request *
request_find(struct scsac *c, uint32_t id)
{
	uint32_t slot = id & SLOT_MASK;
	struct request *req;

	if (slot == 0 || slot > c->requests_len)
		return NULL;
	req = &c->requests[slot - 1];
	return req->kind != REQUEST_FREE && req->id == id ? req : NULL;
}

void
request_drop(struct scsac *c, struct request *req)
{
	if (req->kind == REQUEST_PACKET) {
		c->packets--;
		if (req->direction == SCSAC_IN && !req->is_in_memory &&
		    req->data_len >= BIG_READ)
			c->big_reads--;
	}
	req->kind = REQUEST_FREE;
	STAILQ_INSERT_HEAD(&c->free, req, link);
}

static void
request_tell(struct scsac *c, struct request *req)
{
	struct scsac_result result = req->result;
	scsac_done_fn done = req->done;
	void *arg = req->arg;

	/* freed first: the callback may use its place for the next packet */
	request_drop(c, req);
	c->completed++;
	c->callback_depth++;
	done(c, &result, arg);
	c->callback_depth--;
}

void
request_finish(struct scsac *c, struct request *req, int err)
{
	assert(req->kind != REQUEST_FREE);
	if (req->kind == REQUEST_PACKET) {
		if (err < 0) {
			memset(&req->result, 0, sizeof(req->result));
			req->result.err = err;
		}
		if (req->is_sent)
			request_tell(c, req);
		else
			req->is_answered = true;
		return;
	}
	if (req->kind == REQUEST_CALL) {
		req->call->is_done = true;
		req->call->result = err;
	}
	request_drop(c, req);
}

void
request_sent(void *req_arg, void *c_arg)
{
	struct request *req = req_arg;
	struct scsac *c = c_arg;

	req->is_sent = true;
	if (req->is_answered)
		STAILQ_INSERT_TAIL(&c->ready, req, link);
}
