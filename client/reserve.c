#include <errno.h>

#include "client/pool.h"
#include "client/scsac_impl.h"

static int
registrations_append(struct scsac_reservations *r, const Scsad__ReserveStatusReply *msg)
{
	struct scsac_registration *grown = pool_append(r, r->registrations, r->n_registrations,
	    msg->n_registrations, sizeof(*grown));

	if (grown == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < msg->n_registrations; i++) {
		const Scsad__Registration *from = msg->registrations[i];
		struct scsac_registration *to = &grown[r->n_registrations + i];
		const struct pool_pair pairs[] = {
			{ &to->initiator, from->initiator },
			{ &to->port, from->port },
		};

		to->rtpi = from->rtpi;
		to->key = from->key;
		to->is_holder = from->is_holder;
		if (pool_texts(r, pairs, ARRAY_LEN(pairs)) < 0)
			return -ENOMEM;
	}
	r->registrations = grown;
	r->n_registrations += msg->n_registrations;
	return 0;
}

static int
reserve_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__ReserveStatusReply *msg = (const void *)reply;
	struct scsac_reservations *r = call->arg;
	const struct pool_pair pairs[] = {
		{ &r->path, msg->path },
		{ &r->owner, msg->owner },
	};

	if (r->path == NULL && pool_texts(r, pairs, ARRAY_LEN(pairs)) < 0)
		return -ENOMEM;
	r->generation = msg->generation;
	r->type = msg->type;
	r->key = msg->key;
	r->is_kept = msg->is_kept;
	r->owner_rtpi = msg->owner_rtpi;
	return registrations_append(r, msg);
}

static void
reservations_freep(struct scsac_reservations **r)
{
	scsac_reservations_free(*r);
}

int
scsac_reserve_status(struct scsac *c, const char *path, struct scsac_reservations **ret)
{
	CLEANUP(reservations_freep) struct scsac_reservations *answer =
	    pool_new(sizeof(*answer));
	Scsad__ReserveStatusRequest msg = SCSAD__RESERVE_STATUS_REQUEST__INIT;
	int r;

	if (answer == NULL)
		return error_local(c, -ENOMEM, "", "out of memory");
	msg.path = (char *)(uintptr_t)path;
	r = call_run(c, METHOD_RESERVE_STATUS, &msg.base, reserve_take, answer);
	if (r < 0)
		return r;
	*ret = STEAL(answer);
	return 0;
}

void
scsac_reservations_free(struct scsac_reservations *r)
{
	pool_free(r);
}
