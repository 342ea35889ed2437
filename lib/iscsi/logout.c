#include "iscsi/iscsi_impl.h"

static void
logout_answer(struct iscsi_conn *conn, const uint8_t *bhs, enum iscsi_logout_response response)
{
	const struct iscsi_params *params = &conn->session->params;
	struct iscsi_sns none = { 0 };
	struct iscsi_ctl *ctl = ctl_new(conn->loop, NULL, 0);

	if (ctl == NULL)
		return;
	iscsi_pdu_logout_rsp(ctl->bhs, iscsi_pdu_u32(bhs, ISCSI_O_ITT), &none,
	    (uint8_t)response, (uint16_t)params->time_2_wait, (uint16_t)params->time_2_retain);
	ctl->has_status = true;
	ctl_send(conn, ctl);
}

static void
logout_self(struct iscsi_conn *conn, const uint8_t *bhs)
{
	logout_answer(conn, bhs, ISCSI_LOGOUT_DONE);
	(void)sm_move(conn_states, &conn->sm, S6_IN_LOGOUT);
	conn_close(conn, ISCSI_END_LOGOUT);
}

static void
logout_session(struct iscsi_conn *conn, const uint8_t *bhs)
{
	logout_answer(conn, bhs, ISCSI_LOGOUT_DONE);
	(void)sm_move(conn_states, &conn->sm, S6_IN_LOGOUT);
	session_close(conn->session, ISCSI_END_LOGOUT, conn);
	conn_close(conn, ISCSI_END_LOGOUT);
}

static void
logout_conn(struct iscsi_conn *conn, const uint8_t *bhs, uint16_t cid)
{
	struct iscsi_session *session = conn->session;
	struct iscsi_conn *other = session_conn(session, cid);
	struct lost *lost = session_lost(session, cid);

	if (other == conn) {
		logout_self(conn, bhs);
		return;
	}
	if (other != NULL) {
		conn_close(other, ISCSI_END_LOGOUT);
	} else if (lost != NULL) {
		lost_free(session, lost);
		cmd_run_ready(session);
	}
	if (conn->is_closing) /* what waited for the other one had no memory for its answer */
		return;
	logout_answer(conn, bhs, other == NULL && lost == NULL ? ISCSI_LOGOUT_NO_CID :
	    ISCSI_LOGOUT_DONE);
}

/* the connection is given up, its tasks are to be taken over (ErrorRecoveryLevel 2) */
static void
logout_recovery(struct iscsi_conn *conn, const uint8_t *bhs, uint16_t cid)
{
	struct iscsi_session *session = conn->session;
	struct iscsi_conn *other = session_conn(session, cid);
	struct lost *lost;

	if (session->params.error_recovery_level < 2) {
		logout_answer(conn, bhs, ISCSI_LOGOUT_NO_RECOVERY);
		return;
	}
	if (other == conn) {
		logout_answer(conn, bhs, ISCSI_LOGOUT_DONE);
		conn_close(conn, ISCSI_END_REINSTATED);
		return;
	}
	if (other != NULL)
		conn_close(other, ISCSI_END_REINSTATED);
	if (conn->is_closing) /* as above */
		return;
	lost = session_lost(session, cid);
	if (lost != NULL && lost->sm == R1_CLEANUP_WAIT) {
		(void)sm_move(cleanup_states, &lost->sm, R2_IN_CLEANUP);
		lost->until_ns = session->loop->now_ns +
		    (uint64_t)session->params.time_2_retain * NS_PER_S;
	}
	logout_answer(conn, bhs, lost == NULL && other == NULL ? ISCSI_LOGOUT_NO_CID :
	    ISCSI_LOGOUT_DONE);
}

void
logout_request(struct iscsi_conn *conn, const uint8_t *bhs)
{
	uint16_t cid = iscsi_pdu_u16(bhs, ISCSI_O_CID);

	switch (bhs[1] & 0x7f) {
	case ISCSI_LOGOUT_SESSION:
		logout_session(conn, bhs);
		break;
	case ISCSI_LOGOUT_CONNECTION:
		logout_conn(conn, bhs, cid);
		break;
	case ISCSI_LOGOUT_RECOVERY:
		logout_recovery(conn, bhs, cid);
		break;
	default:
		ctl_reject(conn, bhs, ISCSI_REJECT_FIELD);
		break;
	}
}
