#include "iscsi/iscsi_impl.h"

/* ------ answers ------ */

static void
tmf_answer(struct iscsi_conn *conn, uint32_t itt, enum iscsi_tmf_response response,
    const uint8_t *additional)
{
	struct iscsi_ctl *ctl = ctl_new(conn->loop, NULL, 0);
	struct iscsi_sns none = { 0 };

	if (ctl == NULL) {
		conn_close(conn, ISCSI_END_RESOURCES);
		return;
	}
	iscsi_pdu_tmf_rsp(ctl->bhs, itt, &none, (uint8_t)response);
	if (additional != NULL)
		memcpy(ctl->bhs + 4 + 4, additional, 3);
	ctl->has_status = true;
	ctl_send(conn, ctl);
}

static void
tmf_free(struct iscsi_tmf *tmf)
{
	struct iscsi_session *session = tmf->session;
	struct iscsi_cmd *cmd = STEAL(tmf->cmd);

	LIST_REMOVE(tmf, entry);
	loop_put_tmf(session->loop, tmf);
	if (cmd != NULL)
		cmd_unpin(cmd);
	session->n_tmfs--;
	session_put(session);
}

/* the answer may end the connection, and the session with it, if there is no memory for it */
static void
tmf_end(struct iscsi_tmf *tmf)
{
	struct iscsi_conn *conn = tmf->session->is_dead ? NULL : tmf->conn;
	enum iscsi_tmf_response response = tmf->response;
	uint32_t itt = tmf->itt;
	uint8_t additional[3];

	memcpy(additional, tmf->additional, sizeof(additional));
	tmf_free(tmf);
	if (conn != NULL)
		tmf_answer(conn, itt, response, additional);
}

/* ------ what it is about ------ */

static bool
is_about_set(enum iscsi_tmf_function fn)
{
	return fn == ISCSI_TMF_ABORT_TASK_SET || fn == ISCSI_TMF_CLEAR_TASK_SET ||
	    fn == ISCSI_TMF_LU_RESET || fn == ISCSI_TMF_WARM_RESET ||
	    fn == ISCSI_TMF_COLD_RESET || fn == ISCSI_TMF_NEXUS_RESET;
}

static bool
is_about_all_units(enum iscsi_tmf_function fn)
{
	return fn == ISCSI_TMF_WARM_RESET || fn == ISCSI_TMF_COLD_RESET ||
	    fn == ISCSI_TMF_NEXUS_RESET;
}

static bool
tmf_covers(const struct iscsi_tmf *tmf, const struct iscsi_cmd *cmd)
{
	/* immediate commands carry the CmdSN that comes next, as immediate requests do: among
	 * them arrival decides */
	bool is_before = iscsi_sn_lt(cmd->cmd_sn, tmf->cmd_sn) ||
	    (cmd->is_immediate && cmd->cmd_sn == tmf->cmd_sn &&
	    iscsi_sn_le(cmd->arrival, tmf->arrival));

	return is_before && (!cmd->is_finished || cmd_is_ended(cmd)) &&
	    (is_about_all_units(tmf->fn) || memcmp(cmd->lun, tmf->lun, 8) == 0);
}

bool
tmf_is_ending(const struct iscsi_session *session, const struct iscsi_cmd *cmd,
    const struct iscsi_tmf *but)
{
	const struct iscsi_tmf *tmf;

	LIST_FOREACH(tmf, &session->tmfs, entry)
		if (tmf != but && tmf->is_given && is_about_set(tmf->fn) && tmf_covers(tmf, cmd))
			return true;
	return false;
}

/* commands it ends that the host has not seen: nothing of them reaches it any more */
static void
tmf_sweep(struct iscsi_tmf *tmf)
{
	struct iscsi_session *session = tmf->session;
	struct iscsi_cmd *cmd;

	TAILQ_FOREACH(cmd, &session->tasks, entry)
		if (cmd->sm != CMD_GIVEN && tmf_covers(tmf, cmd))
			cmd_end(cmd);
	cmd_run_ready(session);
}

/* the host has done it: nobody hears of the commands any more */
static void
tmf_sweep_out(struct iscsi_tmf *tmf)
{
	struct iscsi_session *session = tmf->session;
	struct iscsi_cmd *cmd, *next;

	for (cmd = TAILQ_FIRST(&session->tasks); cmd != NULL; cmd = next) {
		next = TAILQ_NEXT(cmd, entry);
		if (tmf_covers(tmf, cmd))
			cmd_abort(cmd);
	}
	cmd_run_ready(session);
}

/* the host has refused it, when some commands had ended already: they are answered, unless
 * another function is about them, too */
static void
tmf_undo(struct iscsi_tmf *tmf)
{
	struct iscsi_session *session = tmf->session;
	struct iscsi_cmd *cmd;

again: /* an answer may push out others, or end the session */
	TAILQ_FOREACH(cmd, &session->tasks, entry) {
		if (!cmd_is_ended(cmd) || !tmf_covers(tmf, cmd) ||
		    tmf_is_ending(session, cmd, tmf))
			continue;
		cmd_end_undo(cmd);
		goto again;
	}
}

static bool
set_has_tasks(const struct iscsi_tmf *tmf)
{
	const struct iscsi_cmd *cmd;

	TAILQ_FOREACH(cmd, &tmf->session->tasks, entry)
		if (!cmd->is_finished && tmf_covers(tmf, cmd))
			return true;
	return false;
}

/* ------ single tasks ------ */

static struct iscsi_cmd *
tmf_find(const struct iscsi_tmf *tmf)
{
	struct iscsi_cmd *cmd =
	    cmd_find(tmf->session, iscsi_pdu_u32(tmf->bhs, ISCSI_O_REF_TAG));

	if (cmd == NULL || cmd->is_finished || memcmp(cmd->lun, tmf->lun, 8) != 0)
		return NULL;
	return cmd;
}

/* RFC 7143 11.6.1: a command that has not come yet counts as received, and never runs */
static enum iscsi_tmf_response
abort_absent(const struct iscsi_tmf *tmf)
{
	uint32_t ref = iscsi_pdu_u32(tmf->bhs, ISCSI_O_REF_CMD_SN);

	if (iscsi_sn_lt(ref, tmf->cmd_sn) && window_void(tmf->session, ref))
		return ISCSI_TMF_COMPLETE;
	return ISCSI_TMF_NO_TASK;
}

/* true: the host is to do it */
static bool
abort_task(struct iscsi_tmf *tmf)
{
	struct iscsi_cmd *cmd = tmf_find(tmf);

	if (cmd == NULL) {
		tmf->response = abort_absent(tmf);
		return false;
	}
	if (cmd->sm == CMD_GIVEN) {
		tmf->cmd = cmd;
		cmd->pins++;
		return true;
	}
	cmd_abort(cmd);
	cmd_run_ready(tmf->session);
	tmf->response = ISCSI_TMF_COMPLETE;
	return false;
}

/* true: the host is to do it */
static bool
tmf_act(struct iscsi_tmf *tmf)
{
	switch (tmf->fn) {
	case ISCSI_TMF_ABORT_TASK:
		return abort_task(tmf);
	case ISCSI_TMF_QUERY_TASK:
		tmf->response =
		    tmf_find(tmf) != NULL ? ISCSI_TMF_SUCCEEDED : ISCSI_TMF_COMPLETE;
		return false;
	case ISCSI_TMF_QUERY_TASK_SET:
		tmf->response = set_has_tasks(tmf) ? ISCSI_TMF_SUCCEEDED : ISCSI_TMF_COMPLETE;
		return false;
	case ISCSI_TMF_ABORT_TASK_SET:
	case ISCSI_TMF_CLEAR_TASK_SET:
	case ISCSI_TMF_LU_RESET:
	case ISCSI_TMF_WARM_RESET:
	case ISCSI_TMF_COLD_RESET:
	case ISCSI_TMF_NEXUS_RESET:
		tmf_sweep(tmf);
		return true;
	case ISCSI_TMF_CLEAR_ACA:
	case ISCSI_TMF_QUERY_ASYNC:
		return true;
	case ISCSI_TMF_TASK_REASSIGN:
		break;
	}
	tmf->response = ISCSI_TMF_NOT_SUPPORTED;
	return false;
}

/* an immediate request may overtake commands that it is about, on another connection */
static bool
is_early(const struct iscsi_tmf *tmf)
{
	const struct iscsi_session *session = tmf->session;

	return is_about_set(tmf->fn) && iscsi_sn_lt(session->exp_cmd_sn, tmf->cmd_sn) &&
	    iscsi_sn_le(tmf->cmd_sn, session->max_cmd_sn + 1);
}

static void
tmf_start(struct iscsi_tmf *tmf)
{
	struct iscsi_session *session = tmf->session;

	tmf->is_waiting = is_early(tmf);
	if (tmf->is_waiting)
		return;
	tmf->is_given = true; /* what runs below may end the session */
	session->n_cmds++; /* hold */
	if (tmf_act(tmf))
		session->loop->ops->tmf(tmf);
	else
		tmf_end(tmf);
	session->n_cmds--;
	session_put(session);
}

void
tmf_run_barriers(struct iscsi_session *session)
{
	struct iscsi_tmf *tmf;

again: /* what one of them does may end others */
	LIST_FOREACH(tmf, &session->tmfs, entry) {
		if (!tmf->is_waiting || is_early(tmf))
			continue;
		tmf_start(tmf);
		goto again;
	}
}

/* ------ the request ------ */

static enum iscsi_tmf_response
tmf_check(const struct iscsi_session *session, enum iscsi_tmf_function fn)
{
	if (fn < ISCSI_TMF_ABORT_TASK || fn > ISCSI_TMF_QUERY_ASYNC)
		return ISCSI_TMF_NOT_SUPPORTED;
	if (fn >= ISCSI_TMF_QUERY_TASK && session->params.protocol_level < 2)
		return ISCSI_TMF_NOT_SUPPORTED;
	return session->n_tmfs < TMFS_MAX ? ISCSI_TMF_COMPLETE : ISCSI_TMF_REJECTED;
}

static void
tmf_reassign(struct iscsi_conn *conn, const uint8_t *bhs)
{
	struct iscsi_cmd *cmd = NULL;
	enum iscsi_tmf_response response = reassign_task(conn, bhs, &cmd);

	tmf_answer(conn, iscsi_pdu_u32(bhs, ISCSI_O_ITT), response, NULL);
	if (cmd != NULL && !conn->is_closing)
		reassign_go(conn, cmd, iscsi_pdu_u32(bhs, ISCSI_O_EXP_DATA_SN));
}

void
tmf_request(struct iscsi_conn *conn, const uint8_t *bhs)
{
	struct iscsi_session *session = conn->session;
	enum iscsi_tmf_function fn = (enum iscsi_tmf_function)(bhs[1] & 0x7f);
	enum iscsi_tmf_response response = tmf_check(session, fn);
	struct iscsi_tmf *tmf = NULL;

	conn->stats.tmfs++;
	if (fn == ISCSI_TMF_TASK_REASSIGN) {
		tmf_reassign(conn, bhs);
		return;
	}
	if (response == ISCSI_TMF_COMPLETE)
		tmf = loop_take_tmf(conn->loop);
	if (tmf == NULL) {
		tmf_answer(conn, iscsi_pdu_u32(bhs, ISCSI_O_ITT),
		    response == ISCSI_TMF_COMPLETE ? ISCSI_TMF_REJECTED : response, NULL);
		return;
	}
	memset(tmf, 0, sizeof(*tmf));
	memcpy(tmf->bhs, bhs, ISCSI_BHS_LEN);
	tmf->session = session;
	tmf->conn = conn;
	tmf->fn = fn;
	tmf->lun = tmf->bhs + ISCSI_O_LUN;
	tmf->itt = iscsi_pdu_u32(bhs, ISCSI_O_ITT);
	tmf->cmd_sn = iscsi_pdu_u32(bhs, ISCSI_O_CMD_SN);
	tmf->arrival = session->arrivals;
	LIST_INSERT_HEAD(&session->tmfs, tmf, entry);
	session->n_tmfs++;
	tmf_start(tmf);
}

/* ------ back from the host ------ */

/* TaskReporting ResponseFence, FastAbort (RFC 7143 4.2.2.3.3): what other connections carried
 * before must have arrived */
static void
fence_raise(struct iscsi_tmf *tmf)
{
	const struct iscsi_session *session = tmf->session;
	struct iscsi_conn *conn;

	if (session->n_conns < 2 || session->params.task_reporting == ISCSI_REPORT_RFC3720 ||
	    !is_about_set(tmf->fn))
		return;
	LIST_FOREACH(conn, &session->conns, session_entry) {
		uint32_t sn = tx_end_sn(conn);

		if (conn == tmf->conn || conn->acked_sn == sn ||
		    tmf->n_fences == ISCSI_CONNS_MAX)
			continue;
		tmf->fence_sn[tmf->n_fences] = sn;
		tmf->fence_cid[tmf->n_fences++] = conn->cid;
		talk_ping_now(conn);
	}
}

static bool
fence_is_down(const struct iscsi_tmf *tmf)
{
	for (unsigned int i = 0; i < tmf->n_fences; i++) {
		const struct iscsi_conn *conn = session_conn(tmf->session, tmf->fence_cid[i]);

		if (conn != NULL && iscsi_sn_lt(conn->acked_sn, tmf->fence_sn[i]))
			return false;
	}
	return true;
}

static bool
is_cold_reset(const struct iscsi_tmf *tmf)
{
	return tmf->fn == ISCSI_TMF_COLD_RESET && tmf->response == ISCSI_TMF_COMPLETE &&
	    !tmf->session->node->config.keeps_cold_reset;
}

/* RFC 7143 11.5.1: a cold reset ends every session of the target, the asking one included */
static void
cold_reset(struct iscsi_node *node)
{
	struct iscsi_session *session;

	while ((session = LIST_FIRST(&node->sessions)) != NULL)
		iscsi_session_end(session, ISCSI_END_RESET);
}

/* A fence falls in the middle of something else, an acknowledgement or the end of a connection:
 * what it held back is answered, but who is at work there finds its session as it was. */
void
tmf_acked(struct iscsi_session *session)
{
	struct iscsi_tmf *tmf;

	session->n_cmds++; /* hold */
again:
	LIST_FOREACH(tmf, &session->tmfs, entry) {
		if (!tmf->is_fenced || !fence_is_down(tmf))
			continue;
		tmf->is_fenced = false;
		if (is_cold_reset(tmf))
			session->node->is_reset_due = session->loop->is_reset_due = true;
		tmf_end(tmf);
		goto again;
	}
	session->n_cmds--;
	session_put(session);
}

void
tmf_resets_run(struct iscsi_loop *loop)
{
	struct iscsi_node *node;

	if (LIKELY(!loop->is_reset_due))
		return;
	loop->is_reset_due = false;
again: /* the host hears of it and may remove targets */
	LIST_FOREACH(node, &loop->nodes, entry) {
		if (!node->is_reset_due)
			continue;
		node->is_reset_due = false;
		cold_reset(node);
		goto again;
	}
}

/* The host says that it is done: nobody is told of a task after the request that ended it was
 * answered. A task that was answered before the abort had an effect was there no longer: with
 * "complete" the initiator would have to take back what it has been told (RFC 7143 11.6.1). */
static void
complete(struct iscsi_tmf *tmf)
{
	struct iscsi_cmd *cmd = tmf->cmd;

	if (is_about_set(tmf->fn))
		tmf_sweep_out(tmf);
	else if (cmd != NULL && !cmd->is_finished)
		cmd_abort(cmd);
	else if (cmd != NULL && !cmd->is_aborted)
		tmf->response = ISCSI_TMF_NO_TASK;
}

void
iscsi_tmf_done(struct iscsi_tmf *tmf, enum iscsi_tmf_response response)
{
	struct iscsi_session *session = tmf->session;
	struct iscsi_node *node = session->node;
	bool is_reset;

	tmf->response = response;
	if (!session->is_dead && response == ISCSI_TMF_COMPLETE)
		complete(tmf);
	else if (!session->is_dead && is_about_set(tmf->fn))
		tmf_undo(tmf);
	if (!session->is_dead)
		fence_raise(tmf);
	tmf->is_given = false; /* it is ours now: all that may have ended the session has run */
	if (session->is_dead) {
		tmf_free(tmf);
		return;
	}
	if (!fence_is_down(tmf)) {
		tmf->is_fenced = true;
		return;
	}
	is_reset = is_cold_reset(tmf);
	tmf_end(tmf);
	if (is_reset)
		cold_reset(node);
}

/* ------ ends ------ */

/* a fence on a connection that is gone holds nobody up */
void
tmf_conn_gone(struct iscsi_session *session, const struct iscsi_conn *conn)
{
	struct iscsi_tmf *tmf;

	LIST_FOREACH(tmf, &session->tmfs, entry)
		if (tmf->conn == conn)
			tmf->conn = NULL;
	if (!session->is_dead)
		tmf_acked(session);
}

/* the session ended: those the host has come back later */
void
tmf_end_all(struct iscsi_session *session)
{
	struct iscsi_tmf *tmf, *next;

	for (tmf = LIST_FIRST(&session->tmfs); tmf != NULL; tmf = next) {
		next = LIST_NEXT(tmf, entry);
		tmf->conn = NULL;
		tmf->is_fenced = false;
		if (!tmf->is_given)
			tmf_free(tmf);
	}
}
