#include <errno.h>

#include "iscsi/iscsi_impl.h"

/*
 *	S1 free -> S3 transport up -> S4 in login -> S5 logged in -> S6 in logout -> S1
 *	                                                |  ^             ^   |
 *	                                                v  |             |   v
 *	                                       S7 logout requested ------+  S8 cleanup wait
 * A connection that ends goes to S1 from everywhere before S5; one that breaks later goes
 * through S8, where its session learns that it is gone.
 */
const struct sm_state conn_states[CONN_NSTATES] = {
	[S1_FREE]             = { "S1 FREE",             SM_TO(S3_XPT_UP) },
	[S2_XPT_WAIT]         = { "S2 XPT_WAIT",         0 },
	[S3_XPT_UP]           = { "S3 XPT_UP",           SM_TO(S4_IN_LOGIN) | SM_TO(S1_FREE) },
	[S4_IN_LOGIN]         = { "S4 IN_LOGIN",         SM_TO(S5_LOGGED_IN) | SM_TO(S1_FREE) },
	[S5_LOGGED_IN]        = { "S5 LOGGED_IN",        SM_TO(S6_IN_LOGOUT) |
							 SM_TO(S7_LOGOUT_REQUESTED) |
							 SM_TO(S8_CLEANUP_WAIT) },
	[S6_IN_LOGOUT]        = { "S6 IN_LOGOUT",        SM_TO(S8_CLEANUP_WAIT) |
							 SM_TO(S1_FREE) },
	[S7_LOGOUT_REQUESTED] = { "S7 LOGOUT_REQUESTED", SM_TO(S6_IN_LOGOUT) |
							 SM_TO(S7_LOGOUT_REQUESTED) |
							 SM_TO(S8_CLEANUP_WAIT) },
	[S8_CLEANUP_WAIT]     = { "S8 CLEANUP_WAIT",     SM_TO(S1_FREE) },
};

static const char *const end_names[ISCSI_END_N] = {
	[ISCSI_END_PEER]          = "closed by the initiator",
	[ISCSI_END_LOGOUT]        = "logged out",
	[ISCSI_END_LOGIN_FAILED]  = "login refused",
	[ISCSI_END_LOGIN_TIMEOUT] = "login took too long",
	[ISCSI_END_PROTOCOL]      = "protocol error",
	[ISCSI_END_DIGEST]        = "wrong digest",
	[ISCSI_END_SILENT]        = "initiator does not answer",
	[ISCSI_END_REINSTATED]    = "replaced by a new login",
	[ISCSI_END_RETAIN]        = "initiator did not come back",
	[ISCSI_END_RESET]         = "target cold reset",
	[ISCSI_END_ADMIN]         = "ended by the administrator",
	[ISCSI_END_RESOURCES]     = "out of memory",
};

const char *
iscsi_end_name(enum iscsi_end why)
{
	return (unsigned int)why < ISCSI_END_N ? end_names[why] : "unknown reason";
}

int
iscsi_conn_new(struct iscsi_loop *loop, const struct iscsi_portal *portal, void *host,
    struct iscsi_conn **ret_conn)
{
	struct iscsi_conn *conn = fault_hit() ? NULL : calloc(1, sizeof(*conn));

	if (conn == NULL)
		return -ENOMEM;
	conn->loop = loop;
	conn->portal = *portal;
	conn->host = host;
	STAILQ_INIT(&conn->txq);
	TAILQ_INIT(&conn->retained);
	TAILQ_INIT(&conn->kept);
	conn->heard_ns = loop->now_ns;
	conn->until_ns = loop->now_ns + (uint64_t)loop->limits.login_ms * NS_PER_MS;
	conn->max_send = ISCSI_LOGIN_DATA_MAX;
	conn->text_ttt = ISCSI_TAG_NONE;
	conn->text.max = SEND_TARGETS_MAX;
	(void)sm_move(conn_states, &conn->sm, S3_XPT_UP);
	LIST_INSERT_HEAD(&loop->conns, conn, entry);
	*ret_conn = conn;
	return 0;
}

/* what the initiator may still take over is not lost with the connection */
static bool
end_is_clean(enum iscsi_end why)
{
	switch (why) {
	case ISCSI_END_LOGOUT:
	case ISCSI_END_ADMIN:
	case ISCSI_END_RESET:
	case ISCSI_END_RETAIN:
	case ISCSI_END_LOGIN_FAILED:
	case ISCSI_END_LOGIN_TIMEOUT:
		return true;
	case ISCSI_END_PEER:
	case ISCSI_END_PROTOCOL:
	case ISCSI_END_DIGEST:
	case ISCSI_END_SILENT:
	case ISCSI_END_REINSTATED:
	case ISCSI_END_RESOURCES:
	case ISCSI_END_N:
		break;
	}
	return false;
}

static void
conn_forget_answers(struct iscsi_conn *conn)
{
	struct iscsi_tx_item *item, *next;
	struct iscsi_cmd *cmd;

	/* answers that nobody has begun to send; a PDU under way must be completed */
	for (item = STAILQ_FIRST(&conn->txq); item != NULL; item = next) {
		next = STAILQ_NEXT(item, entry);
		if (item->is_cmd)
			tx_remove(conn, item);
	}
	while ((cmd = TAILQ_FIRST(&conn->retained)) != NULL) {
		TAILQ_REMOVE(&conn->retained, cmd, conn_entry);
		cmd->is_retained = false;
		conn->n_retained--;
		cmd->session->retained_bytes -= cmd_kept_bytes(cmd);
	}
	tx_forget_kept(conn);
}

void
conn_leave(struct iscsi_conn *conn, bool is_clean)
{
	struct iscsi_session *session = conn->session;
	struct iscsi_sns sns;

	if (session == NULL)
		return;
	tx_sns(conn, &sns);
	conn->exp_cmd_sn = sns.exp_cmd_sn;
	conn->max_cmd_sn = sns.max_cmd_sn;
	if (conn->rx_cmd != NULL)
		rx_forget_cmd(conn, conn->rx_cmd);
	conn_forget_answers(conn);
	LIST_REMOVE(conn, session_entry);
	session->n_conns--;
	session->n_cmds++; /* hold */
	tmf_conn_gone(session, conn);
	stats_add(&session->stats, &conn->stats);
	conn->session = NULL;
	if (!session->is_dead)
		session_conn_lost(session, conn, is_clean);
	session->n_cmds--;
	session_put(session);
}

void
conn_close(struct iscsi_conn *conn, enum iscsi_end why)
{
	if (conn->is_closing)
		return;
	conn->is_closing = true;
	if (sm_can(conn_states, conn->sm, S8_CLEANUP_WAIT) && conn->sm != S6_IN_LOGOUT)
		(void)sm_move(conn_states, &conn->sm, S8_CLEANUP_WAIT);
	conn_leave(conn, end_is_clean(why));
	(void)sm_move(conn_states, &conn->sm, S1_FREE);
	conn->loop->ops->want_close(conn, why);
}

void
iscsi_conn_free(struct iscsi_conn *conn)
{
	struct iscsi_loop *loop;

	if (conn == NULL)
		return;
	loop = conn->is_detached ? NULL : conn->loop;
	assert(!conn->is_parsing);
	conn->is_closing = true;
	if (sm_can(conn_states, conn->sm, S8_CLEANUP_WAIT))
		(void)sm_move(conn_states, &conn->sm, S8_CLEANUP_WAIT);
	conn_leave(conn, false);
	tx_fini(conn);
	rx_fini(conn);
	talk_fini(conn);
	entry_fini(conn);
	if (loop != NULL)
		LIST_REMOVE(conn, entry);
	free(conn);
	if (loop != NULL)
		tmf_resets_run(loop);
}

void
iscsi_conn_detach(struct iscsi_conn *conn)
{
	assert(conn->rx_got == 0);
	tx_fini(conn);
	LIST_REMOVE(conn, entry);
	conn->is_moving = true;
	conn->is_detached = true;
}

void
iscsi_conn_attach(struct iscsi_conn *conn)
{
	assert(conn->is_moving && conn->node != NULL);
	conn->loop = conn->node->loop;
	conn->is_moving = false;
	conn->is_detached = false;
	LIST_INSERT_HEAD(&conn->loop->conns, conn, entry);
	entry_resume(conn);
	rx_held(conn);
}

bool
conn_has_room(const struct iscsi_conn *conn)
{
	const struct iscsi_session *session = conn->session;
	bool is_stranger = session == NULL || session->node == NULL;

	return !conn->is_closing && !conn->is_moving && conn->queued_bytes <=
	    (is_stranger ? STRANGER_QUEUED_BYTES : conn->loop->limits.tx_queued_bytes);
}

void
conn_wake(struct iscsi_conn *conn)
{
	if (!conn->is_full || !conn_has_room(conn))
		return;
	conn->is_full = false;
	conn->loop->ops->want_recv(conn);
}

/* ------ for the host ------ */

void *
iscsi_conn_host(const struct iscsi_conn *conn)
{
	return conn->host;
}

const struct iscsi_portal *
iscsi_conn_portal(const struct iscsi_conn *conn)
{
	return &conn->portal;
}

struct iscsi_loop *
iscsi_conn_loop(const struct iscsi_conn *conn)
{
	return conn->loop;
}

struct iscsi_session *
iscsi_conn_session(const struct iscsi_conn *conn)
{
	return conn->session;
}

void
iscsi_conn_digests(const struct iscsi_conn *conn, bool *ret_header, bool *ret_data)
{
	*ret_header = conn->has_header_digest;
	*ret_data = conn->has_data_digest;
}

uint16_t
iscsi_conn_cid(const struct iscsi_conn *conn)
{
	return conn->cid;
}

const char *
iscsi_conn_state(const struct iscsi_conn *conn)
{
	return conn_states[conn->sm].name;
}
