#include "daemon/rpc_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "lu/pr.h"
#include "lu/reserve.h"

#define BATCH	32	/* registrations of one reply */

/* what the unit's home saw */
struct reserve_look {
	struct lu_reserve_look look;
	struct lu_initiator owner;
};

struct registration_msg {
	Scsad__Registration registration;
	char initiator[PROTO_OBJECT_NAME_MAX + 1];
	char port[LU_PORT_NAME_MAX + 1];
};

static void
look_free(void *more)
{
	struct reserve_look *l = more;

	if (l != NULL)
		pr_free(l->look.pr);
	free(l);
}

static void
look_home(struct lu_work *w)
{
	struct rpc_call *call = container_of(w, struct rpc_call, work);
	struct reserve_look *l = call->more;

	l->look.owner = &l->owner;
	call->result = lu_is_active(call->unit) ? lu_reserve_look(call->unit, &l->look) :
	    -ENODEV;
	rpc_call_reply(call);
}

/* ------ telling ------ */

static void
registration_fill(struct registration_msg *m, const struct pr *pr, uint32_t i)
{
	const struct pr_reg *reg = &pr->regs[i];
	const struct lu_port *port = lu_port_find(reg->nexus.rtpi);
	Scsad__Registration *out = &m->registration;
	struct lu_initiator initiator;

	scsad__registration__init(out);
	m->initiator[0] = m->port[0] = '\0';
	if (lu_initiator_parse(reg->nexus.id, reg->nexus.id_len, &initiator) > 0)
		(void)lu_initiator_format(&initiator, m->initiator, sizeof(m->initiator));
	if (port != NULL)
		(void)snprintf(m->port, sizeof(m->port), "%s", port->name);
	lu_port_unref(port);
	out->initiator = m->initiator;
	out->port = m->port;
	out->has_rtpi = out->has_key = out->has_is_holder = 1;
	out->rtpi = reg->nexus.rtpi;
	out->key = reg->key;
	out->is_holder = pr_is_holder(pr, i);
}

static uint64_t
reservation_key(const struct pr *pr)
{
	return pr->type != PR_NONE && pr->holder != PR_NOBODY ? pr->regs[pr->holder].key : 0;
}

static void
head_fill(Scsad__ReserveStatusReply *reply, const struct rpc_call *call,
    const struct reserve_look *l, char *owner, size_t size)
{
	const struct pr *pr = l->look.pr;

	reply->path = (char *)(uintptr_t)lu_info(call->unit)->path;
	reply->has_generation = reply->has_type = reply->has_is_kept = reply->has_key = 1;
	reply->generation = pr->generation;
	reply->type = pr->type;
	reply->is_kept = pr->is_aptpl;
	reply->key = reservation_key(pr);
	reply->owner = owner;
	owner[0] = '\0';
	if (!l->look.has_owner)
		return;
	(void)lu_initiator_format(&l->owner, owner, size);
	reply->has_owner_rtpi = 1;
	reply->owner_rtpi = l->look.owner_rtpi;
}

static void
look_reply(struct rpc_call *call)
{
	const struct reserve_look *l = call->more;
	CLEANUP(free_ptr) struct registration_msg *msgs = calloc(BATCH, sizeof(*msgs));
	Scsad__Registration *items[BATCH];
	char owner[PROTO_OBJECT_NAME_MAX + 1];
	uint32_t at = 0;

	if (call->result == 0 && msgs == NULL)
		call->result = -ENOMEM;
	if (call->result < 0) {
		rpc_refuse_errno(call->req.conn, call->req.id, call->req.method, call->result,
		    NULL);
		return;
	}
	do {
		Scsad__ReserveStatusReply reply = SCSAD__RESERVE_STATUS_REPLY__INIT;

		head_fill(&reply, call, l, owner, sizeof(owner));
		reply.registrations = items;
		for (; reply.n_registrations < BATCH && at < l->look.pr->n; at++) {
			size_t i = reply.n_registrations++;

			registration_fill(&msgs[i], l->look.pr, at);
			items[i] = &msgs[i].registration;
		}
		rpc_reply(call->req.conn, call->req.id, call->req.method, &reply.base,
		    at < l->look.pr->n);
	} while (at < l->look.pr->n && !call->req.conn->is_closed);
}

enum rpc_go
rpc_reserve_status(const struct rpc_in *in)
{
	const Scsad__ReserveStatusRequest *req = (const void *)in->msg;
	struct lu *unit = rpc_unit_of(in, 0, req->path == NULL ? "" : req->path);
	struct rpc_call *call = unit == NULL ? NULL : rpc_call_new(in);

	if (call == NULL) {
		lu_unref(unit);
		return RPC_NEXT;
	}
	call->unit = unit;
	call->more = fault_hit() ? NULL : calloc(1, sizeof(struct reserve_look));
	if (call->more == NULL) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), METHOD_RESERVE_STATUS, -ENOMEM, NULL);
		rpc_call_free(call);
		return RPC_NEXT;
	}
	call->more_free = look_free;
	call->reply_fn = look_reply;
	rpc_call_home(call, look_home);
	return RPC_NEXT;
}
