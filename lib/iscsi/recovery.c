#include "iscsi/iscsi_impl.h"

/* ------ SNACK ------ */

/* @cmd was answered and kept: queue it again */
static void
cmd_requeue(struct iscsi_conn *conn, struct iscsi_cmd *cmd)
{
	if (cmd->is_retained) {
		TAILQ_REMOVE(&conn->retained, cmd, conn_entry);
		conn->n_retained--;
		cmd->is_retained = false;
		cmd->session->retained_bytes -= cmd_kept_bytes(cmd);
	}
	if (cmd->sm == CMD_RETAINED)
		(void)sm_move(cmd_states, &cmd->sm, CMD_ANSWERING);
	if (cmd->tx.is_queued)
		return;
	tx_add(conn, &cmd->tx);
}

static void
status_again(struct iscsi_conn *conn, struct iscsi_cmd *cmd)
{
	conn->stats.resent_pdus++;
	if (cmd->is_collapsed && cmd->data != NULL) {
		cmd->resend_sn = cmd->data_sn - 1;
		cmd->resend_end = cmd->data_sn;
	} else {
		cmd->is_collapsed = false; /* if its data is gone, the status comes by itself */
		cmd->is_resp_due = true;
	}
	cmd_requeue(conn, cmd);
}

/* RFC 7143 11.16: all status from @begin on, or @run of it */
static bool
snack_status(struct iscsi_conn *conn, uint32_t begin, uint32_t run)
{
	uint32_t end = run == 0 ? conn->stat_sn : begin + run;
	struct iscsi_cmd *cmd, *next;
	struct iscsi_ctl *ctl;

	if (iscsi_sn_lt(begin, conn->acked_sn) || iscsi_sn_lt(conn->stat_sn, end))
		return false;
	for (cmd = TAILQ_FIRST(&conn->retained); cmd != NULL; cmd = next) {
		next = TAILQ_NEXT(cmd, conn_entry);
		if (iscsi_sn_le(begin, cmd->stat_sn) && iscsi_sn_lt(cmd->stat_sn, end))
			status_again(conn, cmd);
	}
	TAILQ_FOREACH(ctl, &conn->kept, entry) {
		if (ctl->tx.is_queued || iscsi_sn_lt(ctl->stat_sn, begin) ||
		    iscsi_sn_le(end, ctl->stat_sn))
			continue;
		conn->stats.resent_pdus++;
		tx_add(conn, &ctl->tx);
	}
	return true;
}

static bool
snack_data(struct iscsi_conn *conn, const uint8_t *bhs, uint32_t begin, uint32_t run)
{
	struct iscsi_cmd *cmd = cmd_find(conn->session, iscsi_pdu_u32(bhs, ISCSI_O_ITT));
	uint32_t end;

	if (cmd == NULL || cmd->conn != conn)
		return false;
	end = run == 0 ? cmd->data_sn : begin + run;
	if (begin >= end || end > cmd->data_sn)
		return false;
	if (cmd->dir == ISCSI_DIR_WRITE)
		return dataout_resend_r2t(cmd, begin, end);
	if (cmd->data == NULL || begin < cmd->acked_sn || cmd->resend_sn != cmd->resend_end)
		return false;
	cmd->resend_sn = begin;
	cmd->resend_end = end;
	cmd_requeue(conn, cmd);
	return true;
}

/* the segment length has changed: all of it again, cut anew (11.16.3) */
static bool
snack_r_data(struct iscsi_conn *conn, const uint8_t *bhs)
{
	struct iscsi_cmd *cmd = cmd_find(conn->session, iscsi_pdu_u32(bhs, ISCSI_O_ITT));

	if (cmd == NULL || cmd->conn != conn || cmd->sm != CMD_RETAINED || cmd->data == NULL ||
	    cmd->acked_sn != 0)
		return false;
	cmd->segment = conn->max_send;
	cmd->is_collapsed = false;
	cmd->is_resp_due = true;
	cmd->snack_tag = iscsi_pdu_u32(bhs, ISCSI_O_TTT);
	datain_rewind(cmd, 0);
	cmd_requeue(conn, cmd);
	return true;
}

/* Data-In PDUs before @begin need not be kept: they are cut from the buffer of the command,
 * which goes with its status, so only the number is remembered */
static bool
snack_data_ack(struct iscsi_conn *conn, const uint8_t *bhs, uint32_t begin, uint32_t run)
{
	struct iscsi_cmd *cmd = cmd_find(conn->session, iscsi_pdu_u32(bhs, ISCSI_O_TTT));

	if (cmd == NULL || cmd->conn != conn || run != 0 || begin > cmd->data_sn ||
	    begin < cmd->acked_sn || cmd->dir != ISCSI_DIR_READ)
		return false;
	cmd->acked_sn = begin;
	return true;
}

void
snack_request(struct iscsi_conn *conn, const uint8_t *bhs)
{
	uint32_t begin = iscsi_pdu_u32(bhs, ISCSI_O_BEG_RUN);
	uint32_t run = iscsi_pdu_u32(bhs, ISCSI_O_RUN_LEN);
	enum iscsi_reject reason = ISCSI_REJECT_SNACK;
	bool is_done = false;

	if (!conn->session->has_recovery) {
		ctl_reject(conn, bhs, ISCSI_REJECT_PROTOCOL);
		return;
	}
	conn->stats.snacks++;
	switch (bhs[1] & 0x0f) {
	case ISCSI_SNACK_DATA:
		is_done = snack_data(conn, bhs, begin, run);
		break;
	case ISCSI_SNACK_STATUS:
		is_done = snack_status(conn, begin, run);
		break;
	case ISCSI_SNACK_DATA_ACK:
		reason = ISCSI_REJECT_DATA_ACK;
		is_done = snack_data_ack(conn, bhs, begin, run);
		break;
	case ISCSI_SNACK_R_DATA:
		is_done = snack_r_data(conn, bhs);
		break;
	default:
		reason = ISCSI_REJECT_FIELD;
		break;
	}
	if (!is_done)
		ctl_reject(conn, bhs, reason);
}

/* ------ TASK REASSIGN ------ */

/* RFC 7143 7.2.2: a task of a connection that was given up moves to @conn */
enum iscsi_tmf_response
reassign_task(struct iscsi_conn *conn, const uint8_t *bhs, struct iscsi_cmd **ret_cmd)
{
	struct iscsi_session *session = conn->session;
	struct iscsi_cmd *cmd = cmd_find(session, iscsi_pdu_u32(bhs, ISCSI_O_REF_TAG));
	const struct lost *lost;

	if (session->params.error_recovery_level < 2)
		return ISCSI_TMF_NO_REASSIGN;
	if (cmd == NULL || memcmp(cmd->lun, bhs + ISCSI_O_LUN, 8) != 0)
		return ISCSI_TMF_NO_TASK;
	if (cmd->conn != NULL)
		return ISCSI_TMF_STILL_ALLEGIANT;
	lost = session_lost(session, cmd->cid);
	if (lost != NULL && lost->sm == R1_CLEANUP_WAIT)
		return ISCSI_TMF_STILL_ALLEGIANT;
	*ret_cmd = cmd;
	return ISCSI_TMF_COMPLETE;
}

static void
reassign_answer(struct iscsi_conn *conn, struct iscsi_cmd *cmd, uint32_t exp_data_sn)
{
	if (cmd->to_send > 0 && cmd->data == NULL) {
		/* its data was kept too long: the command failed as far as anybody can tell */
		cmd->to_send = 0;
		cmd->is_collapsed = false;
		cmd->is_failure = true;
	}
	if (exp_data_sn > cmd->data_sn)
		exp_data_sn = 0;
	if (exp_data_sn == 0)
		cmd->segment = conn->max_send;
	datain_rewind(cmd, exp_data_sn);
	cmd->is_answered = false;
	if (cmd->sent == cmd->to_send)
		cmd->is_collapsed = false; /* the data is there, only the status is not */
	cmd->is_resp_due = !cmd->is_collapsed;
	cmd_requeue(conn, cmd);
}

void
reassign_go(struct iscsi_conn *conn, struct iscsi_cmd *cmd, uint32_t exp_data_sn)
{
	conn->stats.reassigned++;
	cmd->conn = conn;
	cmd->cid = conn->cid;
	switch ((enum cmd_state)cmd->sm) {
	case CMD_ARRIVED:
		dataout_again(cmd);
		break;
	case CMD_ANSWERING:
	case CMD_RETAINED:
		reassign_answer(conn, cmd, exp_data_sn);
		break;
	case CMD_READY:
	case CMD_GIVEN:
	case CMD_FREE:
	case CMD_NSTATES:
		break;
	}
}
