#include "daemon/rpc_impl.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "daemon/exports.h"

#define BATCH	8	/* sessions of one reply */

/* what a worker collects for the loop */
struct session_look {
	uint64_t id;		/* 0: all */
	uint64_t now_ns;
	struct ex_session *sessions;
	size_t n, room;
	bool is_short;		/* out of memory meanwhile */
};

static void
look_free(void *more)
{
	struct session_look *look = more;

	if (look != NULL)
		free(look->sessions);
	free(look);
}

static void
look_take(void *arg, const struct ex_session *session)
{
	struct session_look *look = arg;
	struct ex_session *grown;

	if (look->is_short || (look->id != 0 && look->id != session->id))
		return;
	if (look->n == look->room) {
		look->room = look->room == 0 ? 16 : 2 * look->room;
		grown = fault_hit() ? NULL :
		    reallocarray(look->sessions, look->room, sizeof(*grown));
		look->is_short = grown == NULL;
		if (grown == NULL)
			return;
		look->sessions = grown;
	}
	look->sessions[look->n++] = *session;
}

static void
list_work(struct rpc_call *call)
{
	struct exports *ex = call->loop->server->exports;
	struct session_look *look = call->more;
	const struct exports_ops *ops;
	void *ctx;

	call->result = exports_hold(ex);
	if (call->result < 0)
		return;
	ops = exports_ops_of(ex, &ctx);
	look->now_ns = clock_now_ns();
	if (ops != NULL)
		call->result = ops->session_list(ctx, look_take, look);
	exports_release(ex);
	if (call->result == 0 && look->is_short)
		call->result = -ENOMEM;
	if (call->result == 0 && look->id != 0 && look->n == 0)
		call->result = -ENOENT;
}

/* ------ telling ------ */

struct session_msg {
	Scsad__Session session;
	Scsad__SessionConn conns[EX_CONNS_MAX];
	Scsad__SessionConn *conn_list[EX_CONNS_MAX];
	char texts[3][4 * (EX_NAME_MAX + 1)];
};

static char *
text_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void
conn_fill(Scsad__SessionConn *m, const struct ex_session_conn *c)
{
	scsad__session_conn__init(m);
	m->has_cid = m->has_header_digest = m->has_data_digest = 1;
	m->has_rx_bytes = m->has_tx_bytes = 1;
	m->cid = c->cid;
	m->peer = text_of(c->peer);
	m->local = text_of(c->local);
	m->state = text_of(c->state);
	m->header_digest = c->header_digest;
	m->data_digest = c->data_digest;
	m->rx_bytes = c->rx_bytes;
	m->tx_bytes = c->tx_bytes;
}

/* foreign words, cut to what a message takes */
static void
names_fill(struct session_msg *m, const struct ex_session *s)
{
	static const size_t max = PROTO_NAME_MAX + 1;

	m->session.target = text_of(s->target);
	m->session.initiator = rpc_text(m->texts[0], max, s->initiator);
	m->session.alias = rpc_text(m->texts[1], max, s->alias);
	m->session.user = rpc_text(m->texts[2], max, s->user);
}

static void
session_fill(struct session_msg *m, const struct ex_session *s, uint64_t now_ns)
{
	Scsad__Session *out = &m->session;

	scsad__session__init(out);
	names_fill(m, s);
	out->has_id = out->has_isid = out->has_tsih = out->has_group = 1;
	out->has_recovery_level = out->has_age_ms = out->has_commands = 1;
	out->has_in_flight = out->has_read_bytes = out->has_written_bytes = 1;
	out->id = s->id;
	out->isid.data = (uint8_t *)(uintptr_t)s->isid;
	out->isid.len = sizeof(s->isid);
	out->tsih = s->tsih;
	out->group = s->group;
	out->state = text_of(s->state);
	out->recovery_level = s->recovery_level;
	out->age_ms = now_ns > s->since_ns ? (now_ns - s->since_ns) / NS_PER_MS : 0;
	out->commands = s->commands;
	out->in_flight = (uint32_t)s->in_flight;
	out->read_bytes = s->read_bytes;
	out->written_bytes = s->written_bytes;
	out->conns = m->conn_list;
	for (size_t i = 0; i < s->n_conns && i < EX_CONNS_MAX; i++) {
		conn_fill(&m->conns[i], &s->conns[i]);
		m->conn_list[out->n_conns++] = &m->conns[i];
	}
}

static void
list_reply(struct rpc_call *call)
{
	const struct session_look *look = call->more;
	CLEANUP(free_ptr) struct session_msg *m = calloc(BATCH, sizeof(*m));
	Scsad__Session *items[BATCH];
	size_t at = 0;

	if (call->result == 0 && m == NULL)
		call->result = -ENOMEM;
	if (call->result < 0) {
		rpc_refuse(call->req.conn, call->req.id, call->req.method,
		    &(struct rpc_refusal){ .code = call->result == -ENOENT ?
		    SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT :
		    error_code_from_errno(call->result), .err = call->result,
		    .text = call->result == -ENOENT ? "there is no such session" :
		    strerror(-call->result) });
		return;
	}
	do {
		Scsad__SessionListReply reply = SCSAD__SESSION_LIST_REPLY__INIT;

		reply.sessions = items;
		for (; reply.n_sessions < BATCH && at < look->n; at++) {
			session_fill(&m[reply.n_sessions], &look->sessions[at], look->now_ns);
			items[reply.n_sessions] = &m[reply.n_sessions].session;
			reply.n_sessions++;
		}
		rpc_reply(call->req.conn, call->req.id, call->req.method, &reply.base,
		    at < look->n);
	} while (at < look->n && !call->req.conn->is_closed);
}

/* ------ close ------ */

static void
close_work(struct rpc_call *call)
{
	struct exports *ex = call->loop->server->exports;
	const struct session_look *look = call->more;
	const struct exports_ops *ops;
	void *ctx;

	call->result = exports_hold(ex);
	if (call->result < 0)
		return;
	ops = exports_ops_of(ex, &ctx);
	call->result = ops == NULL ? -ENOENT : ops->session_close(ctx, look->id);
	exports_release(ex);
	if (call->result == 0)
		log_notice("session %llu: closed, asked for by uid %u",
		    (unsigned long long)look->id, call->req.conn->cred.uid);
}

static void
close_reply(struct rpc_call *call)
{
	Scsad__Done reply = SCSAD__DONE__INIT;

	if (call->result < 0)
		list_reply(call);
	else
		rpc_reply(call->req.conn, call->req.id, call->req.method, &reply.base, false);
}

/* ------ both ------ */

static void
session_start(const struct rpc_in *in, uint64_t id, void (*work)(struct rpc_call *call),
    void (*reply)(struct rpc_call *call))
{
	struct rpc_call *call;
	struct session_look *look;

	if (in->conn->server->exports == NULL) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), in->frame->head.method, -EOPNOTSUPP,
		    "nothing is exported by this daemon");
		return;
	}
	call = rpc_call_new(in);
	if (call == NULL)
		return;
	look = fault_hit() ? NULL : calloc(1, sizeof(*look));
	if (look == NULL) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), in->frame->head.method, -ENOMEM,
		    NULL);
		rpc_call_free(call);
		return;
	}
	look->id = id;
	call->more = look;
	call->more_free = look_free;
	call->work_fn = work;
	call->reply_fn = reply;
	rpc_call_work(call);
}

enum rpc_go
rpc_session_list(const struct rpc_in *in)
{
	const Scsad__SessionListRequest *req = (const void *)in->msg;

	session_start(in, req->id, list_work, list_reply);
	return RPC_NEXT;
}

enum rpc_go
rpc_session_close(const struct rpc_in *in)
{
	const Scsad__SessionCloseRequest *req = (const void *)in->msg;

	session_start(in, req->id, close_work, close_reply);
	return RPC_NEXT;
}
