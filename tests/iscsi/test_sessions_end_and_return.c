/* Logout of three kinds, reinstatement, several connections, lost connections, ends from our
 * side, moves between loops. */
#include <string.h>

#include "check_main.h"
#include "iscsi/iscsi_impl.h"
#include "mock_initiator.h"
#include "scsi/status.h"

static void
many(struct mock_world *w)
{
	w->keys = "MaxConnections=4\0DefaultTime2Wait=0\0DefaultTime2Retain=0\0"
	    "ImmediateData=Yes\0TaskReporting=ResponseFence\0";
	w->keys_len = 104;
}

static void
many_recovering(struct mock_world *w)
{
	static const char keys[] = "MaxConnections=4\0DefaultTime2Wait=0\0"
	    "DefaultTime2Retain=20\0ErrorRecoveryLevel=2\0TaskReporting=ResponseFence";

	w->keys = keys;
	w->keys_len = sizeof(keys);
}

static void
few(struct mock_world *w)
{
	w->config.sessions_max = 1;
}

static struct mock_wire *
more(struct mock_world *w, struct mock_wire *first, uint16_t cid, uint16_t status)
{
	struct mock_wire *wire = mock_connect(w);

	wire->cmd_sn = first->cmd_sn;
	ck_assert_uint_eq(mock_login(wire, first->tsih, cid), status);
	return wire;
}

static uint8_t
logged_out(struct mock_wire *wire)
{
	return mock_expect(wire, ISCSI_OP_LOGOUT_RSP).bhs[2];
}

START_TEST(test_logout_ends_the_session)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	w->is_held = true;
	mock_read(wire, 1, 0, 1, 512);
	mock_logout(wire, ISCSI_LOGOUT_SESSION, 0);
	ck_assert_uint_eq(logged_out(wire), ISCSI_LOGOUT_DONE);
	ck_assert(wire->is_close_due);
	ck_assert_int_eq(wire->why, ISCSI_END_LOGOUT);
	ck_assert_int_eq(w->ended_why, ISCSI_END_LOGOUT);
	mock_finish(w, 0); /* comes too late for an answer */
	mock_quiet(wire);
	ck_assert_uint_eq(w->n_freed, 1);
	mock_feed(wire, "more", 4); /* not heard any more */
	mock_close(w);
}
END_TEST

START_TEST(test_logout_lets_queued_bytes_out)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	struct iovec iov[64];

	mock_read(wire, 1, 0, 16, 8192);
	(void)iscsi_conn_tx(wire->conn, iov, 64); /* the answer is half sent */
	memcpy(wire->stream, iov[0].iov_base, 30);
	wire->stream_len = 30;
	iscsi_conn_sent(wire->conn, 30);
	mock_read(wire, 2, 0, 16, 8192); /* this one has not begun */
	mock_logout(wire, ISCSI_LOGOUT_SESSION, 0);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_DATA_IN).len, 8192);
	ck_assert_uint_eq(logged_out(wire), ISCSI_LOGOUT_DONE);
	mock_quiet(wire);
	mock_close(w);
}
END_TEST

START_TEST(test_login_again_reinstates)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w), *again;

	w->is_held = true;
	mock_read(wire, 1, 0, 1, 512);
	again = mock_session(w);
	ck_assert(wire->is_close_due);
	ck_assert_int_eq(wire->why, ISCSI_END_REINSTATED);
	ck_assert_uint_eq(w->n_ended, 1);
	ck_assert_uint_ne(again->tsih, wire->tsih);
	mock_finish(w, 0);
	mock_quiet(wire);
	mock_read(again, 1, 0, 1, 512);
	mock_finish(w, 0);
	(void)mock_expect(again, ISCSI_OP_DATA_IN);
	mock_close(w);
}
END_TEST

START_TEST(test_unknown_session_and_limits)
{
	struct mock_world *w = mock_open(few);
	struct mock_wire *wire = mock_connect(w);

	ck_assert_uint_eq(mock_login(wire, 0x1234, 0), ISCSI_LOGIN_NO_SESSION);
	ck_assert(wire->is_close_due);
	ck_assert_int_eq(wire->why, ISCSI_END_LOGIN_FAILED);
	wire = mock_session(w);
	(void)more(w, wire, 1, ISCSI_LOGIN_TOO_MANY_CONNS);
	(void)mock_session(w); /* the same initiator takes its place */
	w->begin_fails = true;
	ck_assert_uint_eq(mock_login(mock_connect(w), 0, 0), ISCSI_LOGIN_NO_RESOURCES);
	w->begin_fails = false;
	iscsi_node_end(w->node, ISCSI_END_ADMIN);
	ck_assert_uint_eq(mock_login(mock_connect(w), 0, 0), ISCSI_LOGIN_REMOVED);
	mock_close(w);
}
END_TEST

START_TEST(test_connections_share_the_numbers)
{
	struct mock_world *w = mock_open(many);
	struct mock_wire *a = mock_session(w), *b = more(w, a, 1, 0), *c = more(w, a, 2, 0);
	uint32_t sn = a->cmd_sn;

	ck_assert_uint_eq(w->n_begun, 1);
	ck_assert_ptr_eq(iscsi_conn_session(a->conn), iscsi_conn_session(b->conn));
	b->cmd_sn = sn + 1;
	mock_read(b, 2, 0, 1, 512);
	c->cmd_sn = sn + 2;
	mock_write(c, 3, 0, 1, 512, w->disk, 512, true);
	mock_quiet(b);
	mock_quiet(c);
	mock_read(a, 1, 0, 1, 512);
	(void)mock_expect(a, ISCSI_OP_DATA_IN);
	(void)mock_expect(b, ISCSI_OP_DATA_IN); /* answers go where requests came from */
	(void)mock_expect(c, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(w->order[0], 1);
	ck_assert_uint_eq(w->order[1], 2);
	ck_assert_uint_eq(w->order[2], 3);
	(void)more(w, a, 3, 0);
	(void)more(w, a, 4, ISCSI_LOGIN_TOO_MANY_CONNS);
	mock_close(w);
}
END_TEST

START_TEST(test_a_turn_does_not_replace_data)
{
	struct mock_world *w = mock_open(many);
	struct mock_wire *a = mock_session(w), *b = more(w, a, 1, 0);
	uint8_t pdu[48 + 1024] = { ISCSI_OP_SCSI_CMD, ISCSI_FINAL | ISCSI_CMD_WRITE | 1 };

	/* half of a write that comes before its turn, then the command before it */
	be24_put(pdu + 5, 1024);
	be32_put(pdu + ISCSI_O_ITT, 2);
	be32_put(pdu + ISCSI_O_EDTL, 1024);
	be32_put(pdu + ISCSI_O_CMD_SN, a->cmd_sn + 1);
	pdu[32] = 0x2a;
	pdu[40] = 2;
	memset(pdu + 48, 0x5a, 1024);
	mock_feed(b, pdu, 500);
	mock_read(a, 1, 8, 1, 512);
	(void)mock_expect(a, ISCSI_OP_DATA_IN);
	ck_assert_uint_eq(w->n_commands, 1);
	mock_feed(b, pdu + 500, sizeof(pdu) - 500);
	(void)mock_expect(b, ISCSI_OP_SCSI_RSP);
	ck_assert_mem_eq(w->disk, pdu + 48, 1024);
	mock_close(w);
}
END_TEST

START_TEST(test_one_connection_may_go)
{
	struct mock_world *w = mock_open(many);
	struct mock_wire *a = mock_session(w), *b = more(w, a, 1, 0), *c = more(w, a, 2, 0);
	struct iscsi_stats stats;

	w->is_held = true;
	mock_read(b, 1, 0, 1, 512);
	a->cmd_sn = c->cmd_sn = b->cmd_sn;
	mock_logout(a, ISCSI_LOGOUT_CONNECTION, 1);
	ck_assert_uint_eq(logged_out(a), ISCSI_LOGOUT_DONE);
	ck_assert(b->is_close_due);
	mock_logout(a, ISCSI_LOGOUT_CONNECTION, 9);
	ck_assert_uint_eq(logged_out(a), ISCSI_LOGOUT_NO_CID);
	mock_logout(a, ISCSI_LOGOUT_RECOVERY, 2);
	ck_assert_uint_eq(logged_out(a), ISCSI_LOGOUT_NO_RECOVERY);
	mock_finish(w, 0);
	mock_read(c, 2, 0, 1, 512);
	mock_hangup(c); /* breaks: only its own tasks end */
	a->cmd_sn++;
	mock_read(a, 3, 0, 1, 512);
	ck_assert_uint_eq(w->n_held, 2);
	mock_finish(w, 0);
	mock_finish(w, 0);
	ck_assert_uint_eq(be32_get(mock_expect(a, ISCSI_OP_DATA_IN).bhs + ISCSI_O_ITT), 3);
	iscsi_session_stats(iscsi_conn_session(a->conn), &stats);
	ck_assert_uint_eq(stats.commands, 3);
	ck_assert_uint_eq(w->n_ended, 0);
	mock_logout(a, ISCSI_LOGOUT_CONNECTION, 0);
	ck_assert_uint_eq(logged_out(a), ISCSI_LOGOUT_DONE);
	ck_assert_uint_eq(w->n_ended, 1);
	mock_close(w);
}
END_TEST

START_TEST(test_same_connection_id_takes_over)
{
	struct mock_world *w = mock_open(many);
	struct mock_wire *a = mock_session(w), *again;

	w->is_held = true;
	mock_read(a, 1, 0, 1, 512);
	again = more(w, a, 0, 0);
	ck_assert(a->is_close_due);
	ck_assert_int_eq(a->why, ISCSI_END_REINSTATED);
	ck_assert_uint_eq(w->n_ended, 0);
	mock_finish(w, 0); /* its task ended with the connection */
	mock_quiet(again);
	mock_read(again, 1, 0, 1, 512);
	mock_finish(w, 0);
	(void)mock_expect(again, ISCSI_OP_DATA_IN);
	mock_close(w);
}
END_TEST

START_TEST(test_a_failed_session_is_continued)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *a = mock_session(w), copy = *a, *b;

	mock_hangup(a);
	ck_assert_uint_eq(w->n_ended, 0);
	mock_tick(w, 10000);
	b = more(w, &copy, 0, 0);
	ck_assert_uint_eq(w->n_begun, 1);
	mock_tick(w, 60000); /* its time is not running any more */
	mock_read(b, 1, 0, 1, 512);
	(void)mock_expect(b, ISCSI_OP_DATA_IN);
	mock_hangup(b);
	mock_tick(w, 21000);
	ck_assert_uint_eq(w->n_ended, 0);
	mock_tick(w, 1000);
	ck_assert_uint_eq(w->n_ended, 1);
	(void)more(w, &copy, 0, ISCSI_LOGIN_NO_SESSION);
	mock_close(w);
}
END_TEST

START_TEST(test_a_failed_session_can_be_ended)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *a = mock_session(w), copy = *a;
	struct iscsi_session *session = iscsi_conn_session(a->conn);

	mock_hangup(a);
	ck_assert_uint_eq(w->n_ended, 0);
	iscsi_session_ask_logout(session, 10);
	ck_assert_uint_eq(w->n_ended, 1);
	ck_assert_int_eq(w->ended_why, ISCSI_END_ADMIN);
	(void)more(w, &copy, 0, ISCSI_LOGIN_NO_SESSION);
	mock_close(w);
}
END_TEST

START_TEST(test_ends_from_our_side)
{
	static const uint8_t lun[8] = { 0, 3 }, sense[18] = { 0x70, 0, 6 };
	struct mock_world *w = mock_open(many);
	struct mock_wire *a = mock_session(w), *b = more(w, a, 1, 0);
	struct iscsi_session *session = iscsi_conn_session(a->conn);
	struct mock_pdu pdu;

	ck_assert_int_eq(iscsi_session_async(session, lun, sense, 18), 0);
	if (!mock_recv(a, &pdu))
		pdu = mock_expect(b, ISCSI_OP_ASYNC);
	ck_assert_uint_eq(pdu.bhs[36], ISCSI_ASYNC_SENSE);
	ck_assert_uint_eq(pdu.bhs[9], 3);
	ck_assert_uint_eq(be16_get(pdu.data), 18);
	iscsi_session_tasks_ended(session, lun); /* FastAbort was not negotiated */
	mock_quiet(a);
	iscsi_session_ask_logout(session, 10);
	pdu = mock_expect(a, ISCSI_OP_ASYNC);
	ck_assert_uint_eq(pdu.bhs[36], ISCSI_ASYNC_LOGOUT);
	ck_assert_uint_eq(be16_get(pdu.bhs + 42), 10);
	ck_assert_str_eq(iscsi_conn_state(a->conn), "S7 LOGOUT_REQUESTED");
	(void)mock_expect(b, ISCSI_OP_ASYNC);
	mock_logout(a, ISCSI_LOGOUT_CONNECTION, 0);
	ck_assert_uint_eq(logged_out(a), ISCSI_LOGOUT_DONE);
	mock_tick(w, 9000);
	ck_assert(!b->is_close_due);
	mock_tick(w, 1000);
	ck_assert(b->is_close_due);
	ck_assert_uint_eq(w->n_ended, 1);
	mock_close(w);
}
END_TEST

START_TEST(test_fast_abort_hears_of_ended_tasks)
{
	static const uint8_t lun[8] = { 0, 3 };
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire;

	w->keys = "TaskReporting=FastAbort\0";
	w->keys_len = 24;
	wire = mock_session(w);
	iscsi_session_tasks_ended(iscsi_conn_session(wire->conn), lun);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_ASYNC).bhs[36], ISCSI_ASYNC_TASKS_ENDED);
	mock_close(w);
}
END_TEST

START_TEST(test_response_fence)
{
	struct mock_world *w = mock_open(many);
	struct mock_wire *a = mock_session(w), *b = more(w, a, 1, 0);
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_read(a, 1, 0, 1, 512);
	(void)mock_expect(a, ISCSI_OP_DATA_IN); /* a has it, but has not said so */
	b->cmd_sn = a->cmd_sn;
	mock_tmf(b, 2, ISCSI_TMF_LU_RESET, ISCSI_TAG_NONE, 0, true);
	mock_quiet(b);
	ck_assert_uint_eq(w->n_tmfs, 1);
	ck_assert_uint_eq(be32_get(mock_expect(a, ISCSI_OP_NOP_IN).bhs + ISCSI_O_ITT),
	    ISCSI_TAG_NONE);
	mock_cmd_bhs(a, bhs, ISCSI_OP_NOP_OUT | ISCSI_IMMEDIATE, ISCSI_FINAL, ISCSI_TAG_NONE);
	be32_put(bhs + ISCSI_O_TTT, 1);
	mock_send(a, bhs, NULL, 0);
	ck_assert_uint_eq(mock_expect(b, ISCSI_OP_TMF_RSP).bhs[2], ISCSI_TMF_COMPLETE);
	mock_read(a, 1, 0, 1, 512);
	(void)mock_expect(a, ISCSI_OP_DATA_IN);
	mock_tmf(b, 2, ISCSI_TMF_WARM_RESET, ISCSI_TAG_NONE, 0, true);
	mock_quiet(b);
	mock_hangup(a); /* nobody to wait for any more */
	ck_assert_uint_eq(mock_expect(b, ISCSI_OP_TMF_RSP).bhs[2], ISCSI_TMF_COMPLETE);
	mock_close(w);
}
END_TEST

START_TEST(test_a_fence_counts_what_is_queued)
{
	struct mock_world *w = mock_open(many);
	struct mock_wire *a = mock_session(w), *b = more(w, a, 1, 0);
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_read(a, 1, 0, 1, 512); /* nothing of a's has been sent yet */
	mock_cmd_bhs(a, bhs, ISCSI_OP_NOP_OUT | ISCSI_IMMEDIATE, ISCSI_FINAL, 7);
	be32_put(bhs + ISCSI_O_TTT, ISCSI_TAG_NONE);
	mock_send(a, bhs, NULL, 0);
	b->cmd_sn = a->cmd_sn;
	mock_tmf(b, 2, ISCSI_TMF_LU_RESET, ISCSI_TAG_NONE, 0, true);
	mock_quiet(b);
	(void)mock_expect(a, ISCSI_OP_DATA_IN);
	(void)mock_expect(a, ISCSI_OP_NOP_IN);
	(void)mock_expect(a, ISCSI_OP_NOP_IN);
	mock_quiet(b);
	be32_put(bhs + ISCSI_O_ITT, ISCSI_TAG_NONE);
	be32_put(bhs + ISCSI_O_TTT, 1);
	be32_put(bhs + ISCSI_O_EXP_STAT_SN, a->exp_stat_sn - 1); /* of two the first */
	mock_send(a, bhs, NULL, 0);
	mock_quiet(b);
	be32_put(bhs + ISCSI_O_EXP_STAT_SN, a->exp_stat_sn);
	mock_send(a, bhs, NULL, 0);
	ck_assert_uint_eq(mock_expect(b, ISCSI_OP_TMF_RSP).bhs[2], ISCSI_TMF_COMPLETE);
	mock_close(w);
}
END_TEST

START_TEST(test_cold_reset_behind_a_fence)
{
	struct mock_world *w = mock_open(many);
	struct mock_wire *a = mock_session(w), *b = more(w, a, 1, 0);

	mock_read(a, 1, 0, 1, 512);
	(void)mock_expect(a, ISCSI_OP_DATA_IN);
	b->cmd_sn = a->cmd_sn;
	mock_tmf(b, 2, ISCSI_TMF_COLD_RESET, ISCSI_TAG_NONE, 0, true);
	mock_quiet(b);
	ck_assert_uint_eq(w->n_ended, 0);
	mock_hangup(a);
	ck_assert_uint_eq(mock_expect(b, ISCSI_OP_TMF_RSP).bhs[2], ISCSI_TMF_COMPLETE);
	ck_assert(b->is_close_due);
	ck_assert_int_eq(b->why, ISCSI_END_RESET);
	ck_assert_uint_eq(w->n_ended, 1);
	mock_close(w);
}
END_TEST

/* the fence falls when another request ends a connection, in the middle of that request: 0 logout
 * of the connection, 1 logout for recovery, 2 login in its place */
static void
fence_falls_within(int request)
{
	struct mock_world *w = mock_open(many_recovering);
	struct mock_wire *a = mock_session(w), *b = more(w, a, 1, 0), *c = b;

	mock_read(a, 1, 0, 1, 512);
	(void)mock_expect(a, ISCSI_OP_DATA_IN);
	b->cmd_sn = a->cmd_sn;
	mock_tmf(b, 2, ISCSI_TMF_COLD_RESET, ISCSI_TAG_NONE, 0, true);
	mock_quiet(b);
	if (request == 0)
		mock_logout(b, ISCSI_LOGOUT_CONNECTION, 0);
	else if (request == 1)
		mock_logout(b, ISCSI_LOGOUT_RECOVERY, 0);
	else
		c = more(w, a, 0, 0);
	ck_assert(a->is_close_due && b->is_close_due && c->is_close_due);
	ck_assert_int_eq(b->why, ISCSI_END_RESET);
	ck_assert_int_eq(c->why, ISCSI_END_RESET);
	ck_assert_uint_eq(w->n_ended, 1);
	mock_close(w);
}

START_TEST(test_a_reset_within_another_request)
{
	for (int request = 0; request < 3; request++)
		fence_falls_within(request);
}
END_TEST

static bool
has_header_digest(const struct mock_wire *wire)
{
	bool header, data;

	iscsi_conn_digests(wire->conn, &header, &data);
	ck_assert(!data);
	return header;
}

START_TEST(test_each_connection_has_its_digests)
{
	static const char other[] = "HeaderDigest=CRC32C";
	struct mock_world *w = mock_open(many);
	struct mock_wire *a = mock_session(w), *b;

	w->keys = other;
	w->keys_len = sizeof(other);
	b = more(w, a, 1, 0);
	ck_assert(!has_header_digest(a));
	ck_assert(has_header_digest(b));
	mock_close(w);
}
END_TEST

START_TEST(test_login_takes_too_long)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_connect(w);

	mock_feed(wire, "\x43", 1);
	mock_tick(w, 9999);
	ck_assert(!wire->is_close_due);
	mock_tick(w, 1);
	ck_assert(wire->is_close_due);
	ck_assert_int_eq(wire->why, ISCSI_END_LOGIN_TIMEOUT);
	mock_close(w);
}
END_TEST

START_TEST(test_only_login_before_login)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_connect(w);
	uint8_t bhs[ISCSI_BHS_LEN] = { ISCSI_OP_TEXT, ISCSI_FINAL };

	mock_send(wire, bhs, "SendTargets=All", 16); /* RFC 7143 6.3: closed in silence */
	mock_quiet(wire);
	ck_assert(wire->is_close_due);
	mock_close(w);
}
END_TEST

/* accepted on one loop, its target lives on another */
static void
moved(size_t chunk, bool sends_ahead)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire;

	ck_assert_int_eq(iscsi_loop_new(&w->ops, w, NULL, &w->other), 0);
	w->is_away = true;
	wire = mock_connect(w);
	wire->chunk = chunk;
	if (sends_ahead) {
		/* the request after the login comes with it; it is kept and parsed over there */
		uint8_t bytes[1024], bhs[ISCSI_BHS_LEN] = { 0x43, 0x87, [8] = 0x40 };
		static const char keys[] = "InitiatorName=" MOCK_INITIATOR "\0TargetName="
		    MOCK_TARGET "\0SessionType=Normal\0";
		size_t len = 48 + (sizeof(keys) - 1 + 3) / 4 * 4;

		memset(bytes, 0, sizeof(bytes));
		be24_put(bhs + 5, sizeof(keys) - 1);
		memcpy(bytes, bhs, 48);
		memcpy(bytes + 48, keys, sizeof(keys) - 1);
		bytes[len] = ISCSI_OP_NOP_OUT | ISCSI_IMMEDIATE;
		bytes[len + 1] = ISCSI_FINAL;
		be32_put(bytes + len + ISCSI_O_ITT, 5);
		be32_put(bytes + len + ISCSI_O_TTT, ISCSI_TAG_NONE);
		mock_feed(wire, bytes, len + 48);
		iscsi_conn_detach(wire->conn);
		iscsi_conn_attach(wire->conn);
		(void)mock_expect(wire, ISCSI_OP_LOGIN_RSP);
		(void)mock_expect(wire, ISCSI_OP_NOP_IN);
	} else {
		ck_assert_uint_eq(mock_login(wire, 0, 0), 0);
	}
	w->is_away = false;
	ck_assert_ptr_eq(iscsi_conn_loop(wire->conn), w->loop);
	mock_read(wire, 1, 0, 1, 512);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	mock_close(w);
}

START_TEST(test_connections_move_to_their_target)
{
	moved(0, false);
	moved(1, false);
	moved(0, true);
}
END_TEST

START_TEST(test_a_connection_may_break_before_it_moves)
{
	static const char names[] = "InitiatorName=" MOCK_INITIATOR "\0TargetName=" MOCK_TARGET;
	uint8_t bhs[ISCSI_BHS_LEN] = { 0x43, 0x04, [8] = 0x40 };
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_connect(w);

	w->is_away = true;
	mock_send(wire, bhs, names, sizeof(names));
	mock_hangup(wire); /* nobody has taken it off its loop yet */
	mock_tick(w, 1000);
	w->is_away = false;
	(void)mock_session(w);
	mock_tick(w, 1000);
	mock_close(w);
}
END_TEST

START_TEST(test_session_tells_who_it_is)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	struct iscsi_session *session = iscsi_session_next(w->node, NULL);
	const struct iscsi_session_info *info = iscsi_session_info(session);

	ck_assert_str_eq(info->initiator, MOCK_INITIATOR);
	ck_assert_str_eq(info->initiator_alias, "");
	ck_assert_uint_eq(info->tsih, wire->tsih);
	ck_assert_uint_eq(info->portal_group, 1);
	ck_assert_ptr_null(iscsi_session_next(w->node, session));
	ck_assert_ptr_eq(iscsi_session_conn_next(session, NULL), wire->conn);
	ck_assert_ptr_null(iscsi_session_conn_next(session, wire->conn));
	ck_assert_str_eq(iscsi_conn_portal(wire->conn)->remote, "127.0.0.1:5000");
	ck_assert_uint_eq(iscsi_conn_cid(wire->conn), 0);
	ck_assert_str_eq(iscsi_conn_state(wire->conn), "S5 LOGGED_IN");
	ck_assert_uint_eq(iscsi_session_params(session)->max_burst, 262144);
	iscsi_session_set_host(session, w);
	ck_assert_ptr_eq(iscsi_session_host(session), w);
	ck_assert_str_eq(iscsi_node_name(w->node), MOCK_TARGET);
	ck_assert_ptr_eq(iscsi_node_loop(w->node), w->loop);
	for (int why = 0; why <= ISCSI_END_N; why++)
		ck_assert_ptr_nonnull(iscsi_end_name((enum iscsi_end)why));
	w->config.window = ISCSI_WINDOW_MAX + 1;
	ck_assert_int_lt(iscsi_node_set(w->node, &w->config), 0);
	w->config.window = 4;
	ck_assert_int_eq(iscsi_node_set(w->node, &w->config), 0);
	mock_close(w);
}
END_TEST

/* names and ISIDs can be taken by anybody; who began the session proved to be somebody */
START_TEST(test_another_user_takes_no_session)
{
	struct mock_world *w = mock_open(many);
	struct mock_wire *wire = mock_session(w);
	struct iscsi_session *session = iscsi_conn_session(wire->conn);

	session->info.user = "alice";
	ck_assert_uint_eq(mock_login(mock_connect(w), 0, 0), ISCSI_LOGIN_AUTH_FAILED);
	(void)more(w, wire, 1, ISCSI_LOGIN_AUTH_FAILED);
	ck_assert_uint_eq(w->n_ended, 0);
	ck_assert(!wire->is_close_due);
	session->info.user = "";
	ck_assert_uint_eq(mock_login(mock_connect(w), 0, 0), ISCSI_LOGIN_OK);
	ck_assert(wire->is_close_due);
	mock_close(w);
}
END_TEST

CHECK_MAIN("sessions", test_logout_ends_the_session, test_logout_lets_queued_bytes_out,
    test_login_again_reinstates, test_unknown_session_and_limits,
    test_connections_share_the_numbers, test_a_turn_does_not_replace_data,
    test_one_connection_may_go,
    test_same_connection_id_takes_over, test_a_failed_session_is_continued,
    test_a_failed_session_can_be_ended, test_ends_from_our_side,
    test_fast_abort_hears_of_ended_tasks, test_response_fence,
    test_a_fence_counts_what_is_queued, test_cold_reset_behind_a_fence,
    test_a_reset_within_another_request,
    test_each_connection_has_its_digests,
    test_login_takes_too_long, test_only_login_before_login,
    test_connections_move_to_their_target, test_a_connection_may_break_before_it_moves,
    test_session_tells_who_it_is,
    test_another_user_takes_no_session)
