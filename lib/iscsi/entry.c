#include "iscsi/iscsi_impl.h"

/* ------ what the login machine asks ------ */

static uint16_t
entry_find_target(void *arg, const struct iscsi_login *login, struct iscsi_login_target *ret)
{
	const struct iscsi_login_result *who = iscsi_login_result(login);
	struct iscsi_conn *conn = arg;
	struct iscsi_node *node = NULL;
	uint16_t status = conn->loop->ops->find_target(conn, who, ret, &node);

	if (status != ISCSI_LOGIN_OK)
		return status;
	if (!who->is_discovery && node == NULL)
		return ISCSI_LOGIN_NOT_FOUND;
	conn->node = node;
	return ISCSI_LOGIN_OK;
}

/* before authentication: the connection goes to where its target lives */
static uint16_t
entry_lookup(void *arg, struct iscsi_login *login)
{
	struct iscsi_conn *conn = arg;

	if (conn->node == NULL)
		return ISCSI_LOGIN_OK;
	conn->is_moving = true;
	if (!conn->loop->ops->move(conn, conn->node))
		return ISCSI_LOGIN_PENDING;
	conn->is_moving = false;
	return session_lookup(conn->node, iscsi_login_result(login));
}

static uint16_t
entry_commit(void *arg, struct iscsi_login *login, struct iscsi_login_bind *ret)
{
	return session_bind(arg, iscsi_login_result(login), ret);
}

const struct iscsi_login_ops entry_ops = {
	.find_target = entry_find_target,
	.lookup = entry_lookup,
	.commit = entry_commit,
};

/* ------ the connection's side ------ */

static void
entry_answer(struct iscsi_conn *conn)
{
	const struct iscsi_login_pdu *pdu = iscsi_login_answer(conn->login);
	struct iscsi_ctl *ctl = ctl_new(conn->loop, pdu->data, (uint32_t)pdu->data_len);

	if (ctl == NULL) {
		conn_close(conn, ISCSI_END_RESOURCES);
		return;
	}
	memcpy(ctl->bhs, pdu->bhs, ISCSI_BHS_LEN);
	ctl_send(conn, ctl);
}

/* full feature phase: the answer just queued is the last one without digests */
static void
entry_done(struct iscsi_conn *conn)
{
	const struct iscsi_login_result *who = iscsi_login_result(conn->login);
	struct iscsi_session *session = conn->session;

	if (conn->is_closing)
		return;
	conn->stat_sn = who->stat_sn;
	conn->acked_sn = who->stat_sn;
	conn->max_recv = who->params.max_recv_data;
	conn->max_send = who->params.max_send_data;
	conn->has_header_digest = who->params.header_digest == ISCSI_DIGEST_CRC32C;
	conn->has_data_digest = who->params.data_digest == ISCSI_DIGEST_CRC32C;
	conn->until_ns = 0;
	(void)sm_move(conn_states, &conn->sm, S5_LOGGED_IN);
	if (session->sm != Q3_LOGGED_IN)
		(void)sm_move(session_states, &session->sm, Q3_LOGGED_IN);
	session->until_ns = 0;
	iscsi_login_free(STEAL(conn->login));
}

static void
entry_state(struct iscsi_conn *conn, enum iscsi_login_state state)
{
	switch (state) {
	case ISCSI_LOGIN_GOING:
		entry_answer(conn);
		break;
	case ISCSI_LOGIN_WAITING:
		return; /* for iscsi_conn_attach() */
	case ISCSI_LOGIN_DONE:
		entry_answer(conn);
		entry_done(conn);
		break;
	case ISCSI_LOGIN_FAILED:
		if (!iscsi_login_result(conn->login)->is_silent)
			entry_answer(conn);
		conn_close(conn, ISCSI_END_LOGIN_FAILED);
		break;
	case ISCSI_LOGIN_NSTATES:
		break;
	}
	free(STEAL(conn->login_data));
}

void
entry_begin(struct iscsi_conn *conn, const uint8_t *bhs, struct rx_plan *plan)
{
	static const struct iscsi_login_conf conf = { .stat_sn = 1 };

	if (conn->login == NULL) {
		conn->login = iscsi_login_new(&conf, &conn->loop->login_ops, conn);
		if (conn->login == NULL) {
			conn_close(conn, ISCSI_END_RESOURCES);
			return;
		}
		(void)sm_move(conn_states, &conn->sm, S4_IN_LOGIN);
	}
	if (!iscsi_login_header(conn->login, bhs)) {
		entry_state(conn, ISCSI_LOGIN_FAILED);
		return;
	}
	plan->kind = RX_CTL;
}

void
entry_end(struct iscsi_conn *conn, const uint8_t *bhs, const uint8_t *data)
{
	/* until the connection is where it belongs, the request may outlast its bytes */
	if (conn->node == NULL && conn->seg_len > 0) {
		conn->login_data = fault_hit() ? NULL : malloc(conn->seg_len);
		if (conn->login_data == NULL) {
			conn_close(conn, ISCSI_END_RESOURCES);
			return;
		}
		data = memcpy(conn->login_data, data, conn->seg_len);
	}
	if (bhs != conn->head)
		bhs = memcpy(conn->head, bhs, ISCSI_BHS_LEN);
	entry_state(conn, iscsi_login_recv(conn->login, bhs, data));
}

/* the connection is on its node's loop now */
void
entry_resume(struct iscsi_conn *conn)
{
	uint16_t status = session_lookup(conn->node, iscsi_login_result(conn->login));

	entry_state(conn, iscsi_login_resume(conn->login, status, NULL));
}

void
entry_fini(struct iscsi_conn *conn)
{
	iscsi_login_free(STEAL(conn->login));
	free(STEAL(conn->login_data));
}
