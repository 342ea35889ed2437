#include "iscsi/iscsi_impl.h"

/*
 * MaxCmdSN = ExpCmdSN + window - 1 - commands in flight: it stands still while a command is
 * worked on and moves when its answer is queued, so the answer itself opens the window again.
 * While memory is short, places are held back (debt), but never the last one.
 */

enum window
window_judge(const struct iscsi_session *session, uint32_t cmd_sn)
{
	if (LIKELY(cmd_sn == session->exp_cmd_sn))
		return iscsi_sn_lt(session->max_cmd_sn, cmd_sn) ? WINDOW_OUT : WINDOW_NOW;
	if (iscsi_sn_lt(cmd_sn, session->exp_cmd_sn) ||
	    iscsi_sn_lt(session->max_cmd_sn, cmd_sn))
		return WINDOW_OUT;
	return WINDOW_LATE;
}

void
window_take(struct iscsi_session *session, struct iscsi_cmd *cmd)
{
	if (UNLIKELY(cmd->is_immediate)) {
		session->n_immediate++;
		cmd->arrival = ++session->arrivals;
		return;
	}
	cmd->is_owed = true;
	session->owed++;
}

static void
window_open(struct iscsi_session *session)
{
	session->owed--;
	if (LIKELY(!session->is_short) || session->owed == 0)
		session->max_cmd_sn++;
	else
		session->debt++;
}

void
window_give(struct iscsi_session *session, struct iscsi_cmd *cmd)
{
	if (LIKELY(cmd->is_owed)) {
		cmd->is_owed = false;
		window_open(session);
	} else if (cmd->is_immediate) {
		cmd->is_immediate = false;
		session->n_immediate--;
	}
}

/* there is no memory for data: from now on places are held back */
void
window_squeeze(struct iscsi_session *session)
{
	session->is_short = true;
	session->stats.no_buffer++;
}

/* there is memory again: what was held back is opened */
void
window_pay(struct iscsi_session *session)
{
	session->is_short = false;
	session->max_cmd_sn += session->debt;
	session->debt = 0;
}

/* ------ what came before its CmdSN ------ */

static void
late_remove(struct iscsi_session *session, struct late *late)
{
	TAILQ_REMOVE(&session->late, late, entry);
	session->n_late--;
	session->late_bytes -= late->data_len;
}

void
late_free(struct iscsi_session *session, struct late *late)
{
	late_remove(session, late);
	free(late);
}

/* in order; false: that CmdSN is here already */
static bool
late_insert(struct iscsi_session *session, struct late *late)
{
	struct late *at;

	TAILQ_FOREACH_REVERSE(at, &session->late, late_list, entry) {
		if (at->cmd_sn == late->cmd_sn)
			return false;
		if (iscsi_sn_lt(at->cmd_sn, late->cmd_sn))
			break;
	}
	if (at == NULL)
		TAILQ_INSERT_HEAD(&session->late, late, entry);
	else
		TAILQ_INSERT_AFTER(&session->late, at, late, entry);
	session->n_late++;
	session->late_bytes += late->data_len;
	return true;
}

/* false: it was dropped, because it came twice or there is no memory */
bool
window_keep(struct iscsi_conn *conn, const uint8_t *bhs, struct iscsi_cmd *cmd,
    const uint8_t *data, uint32_t len)
{
	struct late *late;

	if (len > LATE_BYTES_MAX - conn->session->late_bytes)
		return false;
	late = fault_hit() ? NULL : malloc(sizeof(*late) + len);
	if (late == NULL)
		return false;
	late->cmd_sn = iscsi_pdu_u32(bhs, ISCSI_O_CMD_SN);
	late->cmd = cmd;
	late->conn = conn;
	late->data_len = len;
	late->is_hole = false;
	late->opens = cmd == NULL;
	memcpy(late->bhs, bhs, ISCSI_BHS_LEN);
	if (len > 0)
		memcpy(late->data, data, len);
	if (late_insert(conn->session, late))
		return true;
	free(late);
	return false;
}

/* a command that has not come is aborted: its CmdSN counts as received (RFC 7143 11.6.1) */
bool
window_void(struct iscsi_session *session, uint32_t cmd_sn)
{
	struct late *late;

	if (window_judge(session, cmd_sn) == WINDOW_OUT)
		return false;
	late = fault_hit() ? NULL : calloc(1, sizeof(*late));
	if (late == NULL)
		return false;
	late->cmd_sn = cmd_sn;
	late->is_hole = true;
	late->opens = true;
	if (!late_insert(session, late)) {
		free(late);
		return false;
	}
	window_advance(session);
	return true;
}

static void
late_run(struct iscsi_session *session, struct late *late)
{
	struct iscsi_conn *conn = late->conn;
	struct iscsi_cmd *cmd = late->cmd;

	late_remove(session, late);
	if (cmd != NULL)
		cmd_turn(cmd);
	else if (!late->is_hole && conn != NULL && !conn->is_closing)
		request_run(conn, late->bhs, late->data, late->data_len);
	free(late);
}

void
window_advance(struct iscsi_session *session)
{
	struct late *late;

	session->n_cmds++; /* hold: what runs may end the session */
	while (!session->is_dead && (late = TAILQ_FIRST(&session->late)) != NULL &&
	    late->cmd_sn == session->exp_cmd_sn) {
		session->exp_cmd_sn++;
		if (late->opens)
			session->max_cmd_sn++;
		late_run(session, late);
	}
	if (!session->is_dead && session->n_tmfs > 0)
		tmf_run_barriers(session);
	session->n_cmds--;
	session_put(session);
}

/* requests that came in over @conn are not answered any more, but their CmdSN has come */
void
window_forget_conn(struct iscsi_session *session, const struct iscsi_conn *conn)
{
	struct late *late;

	TAILQ_FOREACH(late, &session->late, entry)
		if (late->conn == conn)
			late->conn = NULL;
}

/* the slot of @cmd goes: its place in the order stays, as a hole */
void
window_forget_cmd(struct iscsi_session *session, const struct iscsi_cmd *cmd)
{
	struct late *late;

	TAILQ_FOREACH(late, &session->late, entry) {
		if (late->cmd == cmd) {
			late->cmd = NULL;
			late->is_hole = true;
		}
	}
}
