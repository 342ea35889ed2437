#include <errno.h>

#include "iscsi/iscsi_impl.h"

#define SECONDS_DEFAULT	5	/* parameter 2 and 3 of events that end something */

void
async_send(struct iscsi_conn *conn, enum iscsi_async event, const uint8_t *lun,
    const uint16_t params[3], const void *data, uint32_t len)
{
	static const uint8_t no_lun[8];
	struct iscsi_ctl *ctl = ctl_new(conn->loop, data, len);
	struct iscsi_sns none = { 0 };

	if (ctl == NULL)
		return;
	iscsi_pdu_async(ctl->bhs, lun == NULL ? no_lun : lun, &none, event, params);
	ctl->has_status = true;
	ctl_send(conn, ctl);
}

/* a connection that can carry news about its session */
static struct iscsi_conn *
conn_ready(const struct iscsi_session *session)
{
	struct iscsi_conn *conn;

	LIST_FOREACH(conn, &session->conns, session_entry)
		if (conn->sm == S5_LOGGED_IN || conn->sm == S7_LOGOUT_REQUESTED)
			return conn;
	return NULL;
}

int
iscsi_session_async(struct iscsi_session *session, const uint8_t lun[8], const void *sense,
    size_t sense_len)
{
	static const uint16_t none[3];
	struct iscsi_conn *conn = conn_ready(session);
	uint8_t data[2 + ISCSI_SENSE_MAX];

	if (conn == NULL)
		return -ENOTCONN;
	if (sense_len > ISCSI_SENSE_MAX)
		return -EMSGSIZE;
	be16_put(data, (uint16_t)sense_len);
	memcpy(data + 2, sense, sense_len);
	async_send(conn, ISCSI_ASYNC_SENSE, lun, none, data, (uint32_t)sense_len + 2);
	return 0;
}

void
iscsi_session_tasks_ended(struct iscsi_session *session, const uint8_t lun[8])
{
	static const uint16_t none[3];
	struct iscsi_conn *conn = conn_ready(session);

	if (conn != NULL && session->params.task_reporting == ISCSI_REPORT_FAST_ABORT)
		async_send(conn, ISCSI_ASYNC_TASKS_ENDED, lun, none, NULL, 0);
}

void
iscsi_session_ask_logout(struct iscsi_session *session, uint16_t seconds)
{
	const uint16_t params[3] = { 0, 0, seconds };
	struct iscsi_conn *conn;

	if (LIST_EMPTY(&session->conns)) { /* nobody to ask, and nobody to come back */
		session_close(session, ISCSI_END_ADMIN, NULL);
		return;
	}
	LIST_FOREACH(conn, &session->conns, session_entry) {
		if (conn->sm != S5_LOGGED_IN)
			continue;
		(void)sm_move(conn_states, &conn->sm, S7_LOGOUT_REQUESTED);
		conn->until_ns = conn->loop->now_ns + seconds * NS_PER_S;
		async_send(conn, ISCSI_ASYNC_LOGOUT, NULL, params, NULL, 0);
	}
}

void
iscsi_session_end(struct iscsi_session *session, enum iscsi_end why)
{
	const uint16_t params[3] = { 0, SECONDS_DEFAULT, 0 };
	struct iscsi_conn *conn;

	LIST_FOREACH(conn, &session->conns, session_entry)
		if (conn->sm == S5_LOGGED_IN || conn->sm == S7_LOGOUT_REQUESTED)
			async_send(conn, ISCSI_ASYNC_DROP_SESSION, NULL, params, NULL, 0);
	session_close(session, why, NULL);
}
