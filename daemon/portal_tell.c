#include "daemon/portal_impl.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

#define LOGOUT_GRACE_S	3

/* ------ what there is ------ */

struct tell_call {
	struct portal_loop *loop;
	ex_session_fn fn;
	void *arg;
};

static void
conn_fill(const struct iscsi_conn *iscsi, struct ex_session_conn *ret)
{
	const struct iscsi_portal *portal = iscsi_conn_portal(iscsi);
	struct iscsi_stats stats;

	iscsi_conn_stats(iscsi, &stats);
	*ret = (struct ex_session_conn){
		.cid = iscsi_conn_cid(iscsi),
		.state = iscsi_conn_state(iscsi),
		.rx_bytes = stats.rx_bytes,
		.tx_bytes = stats.tx_bytes,
	};
	iscsi_conn_digests(iscsi, &ret->header_digest, &ret->data_digest);
	(void)text_copy(ret->peer, sizeof(ret->peer), portal->remote);
	(void)text_copy(ret->local, sizeof(ret->local), portal->local);
}

static void
session_fill(struct iscsi_session *iscsi, struct ex_session *ret)
{
	const struct iscsi_session_info *info = iscsi_session_info(iscsi);
	struct iscsi_node *node = iscsi_session_node(iscsi);
	struct iscsi_conn *conn = NULL;
	struct iscsi_stats stats;

	memset(ret, 0, sizeof(*ret));
	iscsi_session_stats(iscsi, &stats);
	(void)text_copy(
	    ret->target, sizeof(ret->target), node == NULL ? "" : iscsi_node_name(node));
	(void)text_copy(ret->initiator, sizeof(ret->initiator), info->initiator);
	(void)text_copy(ret->alias, sizeof(ret->alias), info->initiator_alias);
	(void)text_copy(ret->user, sizeof(ret->user), info->user);
	memcpy(ret->isid, info->isid, sizeof(ret->isid));
	ret->tsih = info->tsih;
	ret->group = info->portal_group;
	ret->recovery_level = info->error_recovery_level;
	ret->since_ns = info->began_ns;
	ret->commands = stats.commands;
	ret->in_flight = iscsi_session_tasks(iscsi);
	ret->read_bytes = stats.read_bytes;
	ret->written_bytes = stats.written_bytes;
	while (ret->n_conns < EX_CONNS_MAX &&
	    (conn = iscsi_session_conn_next(iscsi, conn)) != NULL)
		conn_fill(conn, &ret->conns[ret->n_conns++]);
	ret->state = ret->n_conns > 0 ? "logged in" : "failed";
}

/* on the loop: sessions of its targets, and discovery sessions, by their connections */
static void
loop_tell(void *arg)
{
	struct tell_call *call = arg;
	struct portal_server *server = call->loop->server;
	struct portal_target *t, *next;
	struct portal_conn *conn;
	struct iscsi_session *iscsi;
	struct ex_session session;

	/* targets come and go by calls of the same thread as this one: the list stands still */
	HASH_ITER(hh, server->targets, t, next) {
		if (t->loop != call->loop)
			continue;
		for (iscsi = iscsi_session_next(t->node, NULL); iscsi != NULL;
		    iscsi = iscsi_session_next(t->node, iscsi)) {
			session_fill(iscsi, &session);
			session.id = ((struct portal_session *)iscsi_session_host(iscsi))->id;
			call->fn(call->arg, &session);
		}
	}
	LIST_FOREACH(conn, &call->loop->conns, entry) {
		iscsi = iscsi_conn_session(conn->iscsi);
		if (conn->is_discovery && iscsi != NULL) {
			session_fill(iscsi, &session);
			call->fn(call->arg, &session);
		}
	}
}

int
portal_session_list(void *ctx, ex_session_fn fn, void *arg)
{
	struct portal_server *server = ctx;

	for (unsigned int i = 0; i < loops_count(server->loops); i++) {
		struct tell_call call = { &server->loop[i], fn, arg };

		loop_call(server->loop[i].loop, loop_tell, &call);
	}
	return 0;
}

/* ------ ending one ------ */

struct close_call {
	struct portal_loop *loop;
	uint64_t id;
	bool is_found;
};

static void
loop_close(void *arg)
{
	struct close_call *call = arg;
	struct portal_target *t, *next;
	struct iscsi_session *iscsi, *after;
	struct portal_session *s;

	HASH_ITER(hh, call->loop->server->targets, t, next) {
		if (t->loop != call->loop)
			continue;
		for (iscsi = iscsi_session_next(t->node, NULL); iscsi != NULL; iscsi = after) {
			after = iscsi_session_next(t->node, iscsi);
			s = iscsi_session_host(iscsi);
			if (s == NULL || s->id != call->id)
				continue;
			call->is_found = true;
			iscsi_session_ask_logout(iscsi, LOGOUT_GRACE_S);
		}
	}
}

int
portal_session_close(void *ctx, uint64_t id)
{
	struct portal_server *server = ctx;
	bool is_found = false;

	for (unsigned int i = 0; !is_found && i < loops_count(server->loops); i++) {
		struct close_call call = { .loop = &server->loop[i], .id = id };

		loop_call(server->loop[i].loop, loop_close, &call);
		is_found = call.is_found;
	}
	return is_found ? 0 : -ENOENT;
}
