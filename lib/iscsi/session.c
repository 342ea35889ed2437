#include <errno.h>

#include "iscsi/iscsi_impl.h"

/*
 *	Q1 free ---> Q2 active ---> Q3 logged in ---> Q4 failed ---> Q5 in continue
 *	  ^              |             |   ^             |  ^            |    |
 *	  +--------------+-------------+---|-------------+--|------------+    |
 *	                                   +----------------+-----------------+
 */
const struct sm_state session_states[SESSION_NSTATES] = {
	[Q1_FREE]        = { "Q1 FREE",        SM_TO(Q2_ACTIVE) },
	[Q2_ACTIVE]      = { "Q2 ACTIVE",      SM_TO(Q3_LOGGED_IN) | SM_TO(Q1_FREE) },
	[Q3_LOGGED_IN]   = { "Q3 LOGGED_IN",   SM_TO(Q4_FAILED) | SM_TO(Q1_FREE) },
	[Q4_FAILED]      = { "Q4 FAILED",      SM_TO(Q5_IN_CONTINUE) | SM_TO(Q1_FREE) },
	[Q5_IN_CONTINUE] = { "Q5 IN_CONTINUE", SM_TO(Q3_LOGGED_IN) | SM_TO(Q4_FAILED) |
					       SM_TO(Q1_FREE) },
};

/*	R1 cleanup wait ---> R2 in cleanup ---> R3 free
 * R1 lasts Time2Wait, in R2 tasks may be taken over, R3 ends the record */
const struct sm_state cleanup_states[CLEANUP_NSTATES] = {
	[R1_CLEANUP_WAIT] = { "R1 CLEANUP_WAIT", SM_TO(R2_IN_CLEANUP) | SM_TO(R3_FREE) },
	[R2_IN_CLEANUP]   = { "R2 IN_CLEANUP",   SM_TO(R3_FREE) },
	[R3_FREE]         = { "R3 FREE",         0 },
};

/* ------ memory ------ */

static int
texts_keep(struct iscsi_session *session, const struct iscsi_login_result *who)
{
	size_t name = strlen(who->initiator) + 1, alias = strlen(who->initiator_alias) + 1;
	size_t user = strlen(who->chap_user) + 1;
	char *p = fault_hit() ? NULL : malloc(name + alias + user);

	if (p == NULL)
		return -ENOMEM;
	session->texts = p;
	session->info.initiator = memcpy(p, who->initiator, name);
	session->info.initiator_alias = memcpy(p + name, who->initiator_alias, alias);
	session->info.user = memcpy(p + name + alias, who->chap_user, user);
	return 0;
}

static uint16_t
tsih_pick(struct iscsi_node *node)
{
	for (;;) {
		const struct iscsi_session *s;

		if (++node->last_tsih == 0)
			continue;
		LIST_FOREACH(s, &node->sessions, entry)
			if (s->info.tsih == node->last_tsih)
				break;
		if (s == NULL)
			return node->last_tsih;
	}
}

static void
session_set_window(struct iscsi_session *session, uint32_t cmd_sn)
{
	session->window = session->node == NULL ? 8 : session->node->config.window;
	session->exp_cmd_sn = cmd_sn;
	session->max_cmd_sn = cmd_sn + session->window - 1;
}

int
session_new(struct iscsi_loop *loop, struct iscsi_node *node,
    const struct iscsi_login_result *who, struct iscsi_session **ret_session)
{
	struct iscsi_session *session = fault_hit() ? NULL : calloc(1, sizeof(*session));
	int r;

	if (session == NULL)
		return -ENOMEM;
	r = texts_keep(session, who);
	if (r < 0) {
		free(session);
		return r;
	}
	session->loop = loop;
	session->node = node;
	TAILQ_INIT(&session->tasks);
	TAILQ_INIT(&session->hungry);
	TAILQ_INIT(&session->late);
	session->params = who->params;
	session->has_recovery = who->params.error_recovery_level > 0;
	session->needs_acks = session->has_recovery || (who->params.max_connections > 1 &&
	    who->params.task_reporting != ISCSI_REPORT_RFC3720);
	memcpy(session->info.isid, who->isid, sizeof(who->isid));
	session->info.portal_group = who->tag;
	session->info.error_recovery_level = (uint8_t)who->params.error_recovery_level;
	session->info.is_discovery = who->is_discovery;
	session->info.began_ns = loop->now_ns;
	session_set_window(session, who->cmd_sn);
	session->info.tsih = 1;
	if (node != NULL) {
		if (node->config.wait_max_s != 0 &&
		    session->params.time_2_wait > node->config.wait_max_s)
			session->params.time_2_retain = 0;
		session->info.tsih = tsih_pick(node);
		LIST_INSERT_HEAD(&node->sessions, session, entry);
		node->n_sessions++;
		node->n_refs++;
	}
	(void)sm_move(session_states, &session->sm, Q2_ACTIVE);
	*ret_session = session;
	return 0;
}

void
session_put(struct iscsi_session *session)
{
	struct iscsi_node *node = session->node;

	if (!session->is_dead || session->n_cmds != 0 || session->n_tmfs != 0 ||
	    !LIST_EMPTY(&session->conns))
		return;
	if (node != NULL) {
		stats_add(&node->stats, &session->stats);
		node->n_refs--;
	}
	if (session->has_begun && session->loop->ops->session_free != NULL)
		session->loop->ops->session_free(session);
	free(session->texts);
	free(session);
}

/* ------ which session a login is for ------ */

static bool
session_is_of(const struct iscsi_session *session, const struct iscsi_login_result *who)
{
	return memcmp(session->info.isid, who->isid, sizeof(who->isid)) == 0 &&
	    session->info.portal_group == who->tag &&
	    strcmp(session->info.initiator, who->initiator) == 0;
}

/* the session of this initiator port, whatever its number when @tsih is 0 */
static struct iscsi_session *
session_find(const struct iscsi_node *node, const struct iscsi_login_result *who, uint16_t tsih)
{
	struct iscsi_session *session;

	LIST_FOREACH(session, &node->sessions, entry)
		if (session_is_of(session, who) && (tsih == 0 || session->info.tsih == tsih))
			return session;
	return NULL;
}

struct iscsi_conn *
session_conn(const struct iscsi_session *session, uint16_t cid)
{
	struct iscsi_conn *conn;

	LIST_FOREACH(conn, &session->conns, session_entry)
		if (conn->cid == cid)
			return conn;
	return NULL;
}

static uint32_t
conns_max(const struct iscsi_session *session)
{
	uint32_t n = session->params.max_connections;

	return n < ISCSI_CONNS_MAX ? n : ISCSI_CONNS_MAX;
}

/* there are only so many numbers for them */
static uint32_t
sessions_max(const struct iscsi_node *node)
{
	uint32_t n = node->config.sessions_max;

	return n != 0 && n < SESSIONS_MAX ? n : SESSIONS_MAX;
}

uint16_t
session_lookup(struct iscsi_node *node, const struct iscsi_login_result *who)
{
	const struct iscsi_session *session;

	if (node->is_ended)
		return ISCSI_LOGIN_REMOVED;
	session = session_find(node, who, who->asked_tsih);
	if (who->asked_tsih == 0)
		return session == NULL &&
		    node->n_sessions - node->n_failed >= sessions_max(node) ?
		    ISCSI_LOGIN_NO_RESOURCES : ISCSI_LOGIN_OK;
	if (session == NULL)
		return ISCSI_LOGIN_NO_SESSION;
	if (session_conn(session, who->cid) == NULL && session->n_conns >= conns_max(session))
		return ISCSI_LOGIN_TOO_MANY_CONNS;
	return ISCSI_LOGIN_OK;
}

static uint16_t
begin_status(int r)
{
	return r == -ENOMEM || r == -EAGAIN ? ISCSI_LOGIN_NO_RESOURCES
					    : ISCSI_LOGIN_TARGET_ERROR;
}

/* the one that failed first, of @initiator (NULL: of anybody); how many of them there are */
static struct iscsi_session *
failed_oldest(const struct iscsi_node *node, const char *initiator, uint32_t *ret_n)
{
	struct iscsi_session *session, *oldest = NULL;

	*ret_n = 0;
	LIST_FOREACH(session, &node->sessions, entry) {
		if (session->sm != Q4_FAILED || (initiator != NULL &&
		    strcmp(session->info.initiator, initiator) != 0))
			continue;
		++*ret_n;
		/* the newest come first */
		if (oldest == NULL || session->failed_ns <= oldest->failed_ns)
			oldest = session;
	}
	return oldest;
}

/* whoever logs in again and again and breaks off leaves sessions behind for Time2Retain: of too
 * many the oldest are not waited for any longer, nor of any if there would be too many in all */
static void
failed_trim(struct iscsi_node *node, const char *initiator)
{
	struct iscsi_session *oldest;
	uint32_t n;

	if (node->n_failed == 0)
		return;
	while ((oldest = failed_oldest(node, initiator, &n)) != NULL && n > FAILED_NAME_MAX)
		session_close(oldest, ISCSI_END_RETAIN, NULL);
	while ((oldest = failed_oldest(node, NULL, &n)) != NULL &&
	    (n > FAILED_MAX || node->n_sessions >= sessions_max(node)))
		session_close(oldest, ISCSI_END_RETAIN, NULL);
}

/* RFC 7143 6.3.5: a login of the same initiator port without a TSIH ends the session it had */
static uint16_t
bind_new(struct iscsi_conn *conn, const struct iscsi_login_result *who,
    struct iscsi_session **ret_session)
{
	struct iscsi_loop *loop = conn->loop;
	struct iscsi_session *session = NULL;
	int r;

	if (conn->node != NULL) {
		struct iscsi_session *old = session_find(conn->node, who, 0);

		if (old != NULL)
			session_close(old, ISCSI_END_REINSTATED, NULL);
		failed_trim(conn->node, who->initiator);
	}
	r = session_new(loop, conn->node, who, &session);
	if (r == 0 && conn->node != NULL) {
		r = loop->ops->session_begin(session, conn);
		session->has_begun = r == 0;
	}
	if (r < 0) {
		if (session != NULL)
			session_close(session, ISCSI_END_LOGIN_FAILED, NULL);
		return begin_status(r);
	}
	*ret_session = session;
	return ISCSI_LOGIN_OK;
}

/* 6.3.4: a login for a connection id that is in use ends that connection first */
static uint16_t
bind_more(const struct iscsi_login_result *who, struct iscsi_session *session)
{
	struct iscsi_conn *old = session_conn(session, who->cid);
	struct lost *lost;

	if (old != NULL) {
		/* keeps the session: its place is taken again below */
		session->n_conns++;
		session->n_cmds++; /* hold: commands that waited for its tasks run now */
		conn_close(old, ISCSI_END_REINSTATED);
		session->n_cmds--;
		session->n_conns--;
	}
	if (session->is_dead) {
		session_put(session);
		return ISCSI_LOGIN_NO_SESSION;
	}
	lost = session_lost(session, who->cid);
	if (lost != NULL) {
		struct iscsi_cmd *cmd, *next;

		/* what the initiator has seen of the connection's answers is done with */
		for (cmd = TAILQ_FIRST(&session->tasks); cmd != NULL; cmd = next) {
			next = TAILQ_NEXT(cmd, entry);
			if (cmd->conn == NULL && cmd->cid == who->cid &&
			    cmd->sm == CMD_RETAINED &&
			    iscsi_sn_lt(cmd->stat_sn, who->first_exp_stat_sn))
				cmd_free(cmd);
		}
	}
	return ISCSI_LOGIN_OK;
}

/* Names and ISIDs are no secrets: whoever takes over a session, or joins it, has proved to be the
 * user who began it */
static bool
session_is_theirs(const struct iscsi_node *node, const struct iscsi_login_result *who)
{
	const struct iscsi_session *session = session_find(node, who, who->asked_tsih);

	return session == NULL || strcmp(session->info.user, who->chap_user) == 0;
}

uint16_t
session_bind(struct iscsi_conn *conn, const struct iscsi_login_result *who,
    struct iscsi_login_bind *ret)
{
	struct iscsi_session *session = NULL;
	uint16_t status;

	if (conn->has_lost_node)
		return ISCSI_LOGIN_REMOVED;
	if (conn->node != NULL) {
		status = session_lookup(conn->node, who);
		if (status == ISCSI_LOGIN_OK && !session_is_theirs(conn->node, who))
			status = ISCSI_LOGIN_AUTH_FAILED;
		if (status != ISCSI_LOGIN_OK)
			return status;
	}
	if (who->asked_tsih == 0) {
		status = bind_new(conn, who, &session);
	} else if (conn->node == NULL) {
		status = ISCSI_LOGIN_NO_SESSION;
	} else {
		session = session_find(conn->node, who, who->asked_tsih);
		status = bind_more(who, session);
	}
	if (status != ISCSI_LOGIN_OK)
		return status;
	if (session->sm == Q4_FAILED) {
		(void)sm_move(session_states, &session->sm, Q5_IN_CONTINUE);
		session->node->n_failed--;
	}
	conn->session = session;
	conn->cid = who->cid;
	session->n_conns++;
	LIST_INSERT_HEAD(&session->conns, conn, session_entry);
	ret->tsih = session->info.tsih;
	ret->exp_cmd_sn = session->exp_cmd_sn;
	ret->max_cmd_sn = session->max_cmd_sn;
	return ISCSI_LOGIN_OK;
}

/* ------ end ------ */

struct lost *
session_lost(const struct iscsi_session *session, uint16_t cid)
{
	struct lost *lost;

	LIST_FOREACH(lost, &session->lost, entry)
		if (lost->cid == cid)
			return lost;
	return NULL;
}

/* its tasks end with it, except those that another connection took over */
void
lost_free(struct iscsi_session *session, struct lost *lost)
{
	struct iscsi_cmd *cmd, *next;

	(void)sm_move(cleanup_states, &lost->sm, R3_FREE);
	for (cmd = TAILQ_FIRST(&session->tasks); cmd != NULL; cmd = next) {
		next = TAILQ_NEXT(cmd, entry);
		if (cmd->conn == NULL && cmd->cid == lost->cid)
			cmd_abort(cmd);
	}
	LIST_REMOVE(lost, entry);
	free(lost);
}

static void
session_clear(struct iscsi_session *session)
{
	struct iscsi_cmd *cmd, *next;
	struct late *late;
	struct lost *lost;

	for (cmd = TAILQ_FIRST(&session->tasks); cmd != NULL; cmd = next) {
		next = TAILQ_NEXT(cmd, entry);
		cmd_abort(cmd);
	}
	while ((late = TAILQ_FIRST(&session->late)) != NULL)
		late_free(session, late);
	while ((lost = LIST_FIRST(&session->lost)) != NULL)
		lost_free(session, lost);
	tmf_end_all(session);
}

void
session_close(struct iscsi_session *session, enum iscsi_end why, struct iscsi_conn *but)
{
	struct iscsi_conn *conn, *next;

	if (session->is_dead)
		return;
	session->is_dead = true;
	if (session->node != NULL) {
		LIST_REMOVE(session, entry);
		session->node->n_sessions--;
		session->node->n_failed -= session->sm == Q4_FAILED;
	}
	(void)sm_move(session_states, &session->sm, Q1_FREE);
	session->n_cmds++; /* hold */
	session_clear(session);
	for (conn = LIST_FIRST(&session->conns); conn != NULL; conn = next) {
		next = LIST_NEXT(conn, session_entry);
		conn_leave(conn, true);
		if (conn != but)
			conn_close(conn, why);
	}
	if (session->has_begun)
		session->loop->ops->session_end(session, why);
	session->n_cmds--;
	session_put(session);
}

static void
session_fail(struct iscsi_session *session)
{
	uint64_t s = (uint64_t)session->params.time_2_wait + session->params.time_2_retain;

	if (session->params.time_2_retain == 0 || session->sm == Q2_ACTIVE ||
	    session->node == NULL) {
		session_close(session, ISCSI_END_PEER, NULL);
		return;
	}
	(void)sm_move(session_states, &session->sm, Q4_FAILED);
	session->until_ns = session->loop->now_ns + s * NS_PER_S;
	session->failed_ns = session->loop->now_ns;
	session->node->n_failed++;
}

/* the oldest, which is the last, makes room */
static void
lost_trim(struct iscsi_session *session)
{
	struct lost *lost, *oldest = NULL;
	uint32_t n = 0;

	LIST_FOREACH(lost, &session->lost, entry) {
		oldest = lost;
		n++;
	}
	if (n >= LOST_MAX)
		lost_free(session, oldest);
}

/* ErrorRecoveryLevel 2: remember the connection, its tasks may move */
static bool
lost_keep(struct iscsi_session *session, const struct iscsi_conn *conn)
{
	struct lost *lost = session_lost(session, conn->cid);

	if (session->params.error_recovery_level < 2 || session->params.time_2_retain == 0)
		return false;
	if (lost != NULL) {
		/* its id was lost before: what nobody took over since waits once more */
		LIST_REMOVE(lost, entry);
		memset(lost, 0, sizeof(*lost));
	} else {
		lost_trim(session);
		lost = fault_hit() ? NULL : calloc(1, sizeof(*lost));
	}
	if (lost == NULL)
		return false;
	lost->cid = conn->cid;
	lost->stat_sn = conn->stat_sn;
	lost->until_ns = session->loop->now_ns +
	    (uint64_t)session->params.time_2_wait * NS_PER_S;
	LIST_INSERT_HEAD(&session->lost, lost, entry);
	return true;
}

/*
 * Answers that no connection carries have given their places in the window back: those of many
 * connections that come and go must not pile up. The oldest go first, data before answers.
 */
void
orphans_trim(struct iscsi_session *session)
{
	struct iscsi_cmd *cmd, *next;
	uint64_t bytes = 0;
	uint32_t n = 0;

	TAILQ_FOREACH(cmd, &session->tasks, entry) {
		if (cmd->conn != NULL || !cmd->is_finished)
			continue;
		bytes += cmd_kept_bytes(cmd);
		n++;
	}
	for (cmd = TAILQ_FIRST(&session->tasks); cmd != NULL; cmd = next) {
		next = TAILQ_NEXT(cmd, entry);
		if (cmd->conn != NULL || !cmd->is_finished)
			continue;
		if (bytes > session->loop->limits.retained_bytes && cmd->slots == 0) {
			bytes -= cmd_kept_bytes(cmd);
			if (cmd->data != NULL)
				cmd_drop_data(cmd);
		}
		if (n > RETAINED_MAX) {
			n--;
			cmd_abort(cmd);
		}
	}
}

/* @conn has left already; @is_clean: nothing of it is to be taken over */
void
session_conn_lost(struct iscsi_session *session, struct iscsi_conn *conn, bool is_clean)
{
	struct iscsi_cmd *cmd, *next;
	bool is_kept = !is_clean && lost_keep(session, conn);

	for (cmd = TAILQ_FIRST(&session->tasks); cmd != NULL; cmd = next) {
		next = TAILQ_NEXT(cmd, entry);
		if (cmd->conn != conn)
			continue;
		if (is_kept)
			cmd->conn = NULL;
		else
			cmd_abort(cmd);
	}
	if (is_kept)
		orphans_trim(session);
	window_forget_conn(session, conn);
	cmd_run_ready(session); /* what waited for those */
	if (session->n_conns > 0 || session->is_dead)
		return;
	if (is_clean)
		session_close(session, ISCSI_END_LOGOUT, NULL);
	else
		session_fail(session);
}

/* what was lost on the way is asked for again */
static void
session_ask_again(struct iscsi_session *session)
{
	struct iscsi_cmd *cmd;

again:
	TAILQ_FOREACH(cmd, &session->tasks, entry)
		if (dataout_tick(cmd))
			goto again;
}

void
session_tick(struct iscsi_session *session)
{
	uint64_t now = session->loop->now_ns;
	struct lost *lost, *next;

	if (session->until_ns != 0 && now >= session->until_ns && session->sm == Q4_FAILED) {
		session_close(session, ISCSI_END_RETAIN, NULL);
		return;
	}
	for (lost = LIST_FIRST(&session->lost); lost != NULL; lost = next) {
		next = LIST_NEXT(lost, entry);
		if (now < lost->until_ns)
			continue;
		if (lost->sm == R2_IN_CLEANUP) {
			lost_free(session, lost);
			continue;
		}
		(void)sm_move(cleanup_states, &lost->sm, R2_IN_CLEANUP);
		lost->until_ns = now + (uint64_t)session->params.time_2_retain * NS_PER_S;
	}
	session->n_cmds++; /* hold */
	cmd_run_ready(session); /* what waited for tasks that are gone now */
	if (session->has_recovery)
		session_ask_again(session);
	session->n_cmds--;
	session_put(session);
}

/* ------ for the host ------ */

const struct iscsi_session_info *
iscsi_session_info(const struct iscsi_session *session)
{
	return &session->info;
}

struct iscsi_node *
iscsi_session_node(const struct iscsi_session *session)
{
	return session->node;
}

const struct iscsi_params *
iscsi_session_params(const struct iscsi_session *session)
{
	return &session->params;
}

void
iscsi_session_set_host(struct iscsi_session *session, void *host)
{
	session->host = host;
}

void *
iscsi_session_host(const struct iscsi_session *session)
{
	return session->host;
}

struct iscsi_conn *
iscsi_session_conn_next(const struct iscsi_session *session, const struct iscsi_conn *conn)
{
	return conn == NULL ? LIST_FIRST(&session->conns) : LIST_NEXT(conn, session_entry);
}

uint32_t
iscsi_session_tasks(const struct iscsi_session *session)
{
	return session->n_cmds;
}
