/* ErrorRecoveryLevel 2: a connection breaks, its tasks go on over another one. */
#include <string.h>

#include "check_main.h"
#include "mock_initiator.h"
#include "scsi/status.h"

static uint8_t pattern[1u << 16];

static void
level2(struct mock_world *w)
{
	static const char keys[] =
	    "ErrorRecoveryLevel=2\0MaxConnections=4\0DefaultTime2Wait=2\0"
	    "DefaultTime2Retain=10\0InitialR2T=Yes\0ImmediateData=No\0"
	    "MaxRecvDataSegmentLength=4096\0MaxBurstLength=8192\0FirstBurstLength=4096\0"
	    "MaxOutstandingR2T=2\0";

	w->keys = keys;
	w->keys_len = sizeof(keys) - 1;
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 3 + i / 256);
}

static struct mock_wire *
more(struct mock_world *w, uint16_t tsih, uint16_t cid, uint32_t cmd_sn)
{
	struct mock_wire *wire = mock_connect(w);

	wire->cmd_sn = cmd_sn;
	ck_assert_uint_eq(mock_login(wire, tsih, cid), 0);
	return wire;
}

static uint8_t
reassign(struct mock_wire *wire, uint32_t itt, uint32_t exp_data_sn)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_cmd_bhs(wire, bhs, ISCSI_OP_TMF | ISCSI_IMMEDIATE,
	    ISCSI_FINAL | ISCSI_TMF_TASK_REASSIGN, 0x999);
	bhs[9] = 1;
	be32_put(bhs + ISCSI_O_REF_TAG, itt);
	be32_put(bhs + ISCSI_O_EXP_DATA_SN, exp_data_sn);
	mock_send(wire, bhs, NULL, 0);
	return mock_expect(wire, ISCSI_OP_TMF_RSP).bhs[2];
}

/* the initiator gives the broken connection up */
static void
give_up(struct mock_wire *wire, uint16_t cid, uint8_t response)
{
	mock_logout(wire, ISCSI_LOGOUT_RECOVERY, cid);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_LOGOUT_RSP).bhs[2], response);
}

START_TEST(test_a_task_in_flight_moves)
{
	struct mock_world *w = mock_open(level2);
	struct mock_wire *a = mock_session(w), *b = more(w, a->tsih, 1, a->cmd_sn);
	struct iscsi_stats stats;

	w->is_held = true;
	mock_read(a, 1, 0, 8, 4096);
	mock_read(a, 2, 0, 8, 4096);
	b->cmd_sn = a->cmd_sn;
	ck_assert_uint_eq(reassign(b, 1, 0), ISCSI_TMF_STILL_ALLEGIANT);
	mock_hangup(a);
	ck_assert_uint_eq(reassign(b, 1, 0), ISCSI_TMF_STILL_ALLEGIANT); /* Time2Wait */
	give_up(b, 0, ISCSI_LOGOUT_DONE);
	ck_assert_uint_eq(reassign(b, 7, 0), ISCSI_TMF_NO_TASK);
	ck_assert_uint_eq(reassign(b, 1, 0), ISCSI_TMF_COMPLETE);
	mock_finish(w, 0);
	ck_assert_mem_eq(mock_expect(b, ISCSI_OP_DATA_IN).data, w->disk, 4096);
	mock_finish(w, 0); /* ends while nobody listens */
	mock_quiet(b);
	ck_assert_uint_eq(reassign(b, 2, 0), ISCSI_TMF_COMPLETE);
	ck_assert_mem_eq(mock_expect(b, ISCSI_OP_DATA_IN).data, w->disk, 4096);
	iscsi_conn_stats(b->conn, &stats);
	ck_assert_uint_eq(stats.reassigned, 2);
	mock_close(w);
}
END_TEST

START_TEST(test_data_goes_on_where_it_stopped)
{
	struct mock_world *w = mock_open(level2);
	struct mock_wire *a = mock_session(w), *b = more(w, a->tsih, 1, a->cmd_sn);
	struct mock_pdu pdu;

	mock_read(a, 1, 0, 40, 20480);
	mock_read(a, 2, 0, 8, 4096);
	for (int i = 0; i < 6; i++)
		(void)mock_expect(a, ISCSI_OP_DATA_IN);
	b->cmd_sn = a->cmd_sn;
	mock_hangup(a); /* with both answers sent but not acknowledged */
	mock_tick(w, 2000);
	ck_assert_uint_eq(reassign(b, 1, 3), ISCSI_TMF_COMPLETE);
	for (uint32_t sn = 3; sn < 5; sn++) {
		pdu = mock_expect(b, ISCSI_OP_DATA_IN);
		ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_DATA_SN), sn);
		ck_assert_mem_eq(pdu.data, w->disk + sn * 4096, 4096);
	}
	ck_assert_uint_eq(pdu.bhs[1] & 1, 1);
	ck_assert_uint_eq(
	    reassign(b, 2, 1), ISCSI_TMF_COMPLETE); /* has its data, not its status */
	pdu = mock_expect(b, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_EXP_DATA_SN), 1);
	mock_quiet(b);
	mock_close(w);
}
END_TEST

START_TEST(test_a_write_asks_for_the_rest)
{
	struct mock_world *w = mock_open(level2);
	struct mock_wire *a = mock_session(w), *b = more(w, a->tsih, 1, a->cmd_sn);
	struct mock_pdu pdu;
	uint32_t ttt;

	mock_write(a, 1, 0, 64, 32768, NULL, 0, true);
	ttt = be32_get(mock_expect(a, ISCSI_OP_R2T).bhs + ISCSI_O_TTT);
	(void)mock_expect(a, ISCSI_OP_R2T);
	mock_data_out(a, 1, ttt, 0, 0, pattern, 1024, false);
	b->cmd_sn = a->cmd_sn;
	mock_hangup(a);
	give_up(b, 0, ISCSI_LOGOUT_DONE);
	ck_assert_uint_eq(reassign(b, 1, 0), ISCSI_TMF_COMPLETE);
	for (uint32_t left = 32768 - 1024; left > 0;) {
		uint32_t at, len;

		pdu = mock_expect(b, ISCSI_OP_R2T);
		at = be32_get(pdu.bhs + ISCSI_O_OFFSET);
		len = be32_get(pdu.bhs + ISCSI_O_R2T_LEN);
		mock_data_out(
		    b, 1, be32_get(pdu.bhs + ISCSI_O_TTT), 0, at, pattern + at, len, true);
		left -= len;
	}
	ck_assert_uint_eq(mock_expect(b, ISCSI_OP_SCSI_RSP).bhs[3], SAM_STAT_GOOD);
	ck_assert_mem_eq(w->disk, pattern, 32768);
	mock_close(w);
}
END_TEST

START_TEST(test_the_only_connection_is_replaced)
{
	struct mock_world *w = mock_open(level2);
	struct mock_wire *a = mock_session(w), copy = *a, *b;

	w->is_held = true;
	mock_read(a, 1, 0, 8, 4096);
	mock_hangup(a);
	mock_finish(w, 0);
	ck_assert_uint_eq(w->n_ended, 0);
	b = more(w, copy.tsih, 0, copy.cmd_sn + 1); /* same connection id */
	mock_tick(w, 2000);
	ck_assert_uint_eq(reassign(b, 1, 0), ISCSI_TMF_COMPLETE);
	(void)mock_expect(b, ISCSI_OP_DATA_IN);
	mock_close(w);
}
END_TEST

START_TEST(test_same_id_takes_over_a_living_one)
{
	struct mock_world *w = mock_open(level2);
	struct mock_wire *a = mock_session(w), *b;

	w->is_held = true;
	mock_read(a, 1, 0, 8, 4096);
	b = more(w, a->tsih, 0, a->cmd_sn + 1);
	ck_assert(a->is_close_due);
	mock_tick(w, 2000);
	ck_assert_uint_eq(reassign(b, 1, 0), ISCSI_TMF_COMPLETE);
	mock_finish(w, 0);
	(void)mock_expect(b, ISCSI_OP_DATA_IN);
	mock_close(w);
}
END_TEST

START_TEST(test_a_living_connection_is_given_up)
{
	struct mock_world *w = mock_open(level2);
	struct mock_wire *a = mock_session(w), *b = more(w, a->tsih, 1, a->cmd_sn);

	w->is_held = true;
	mock_read(a, 1, 0, 8, 4096);
	b->cmd_sn = a->cmd_sn;
	give_up(b, 0, ISCSI_LOGOUT_DONE);
	ck_assert(a->is_close_due);
	give_up(b, 9, ISCSI_LOGOUT_NO_CID);
	ck_assert_uint_eq(reassign(b, 1, 0), ISCSI_TMF_COMPLETE);
	mock_logout(b, ISCSI_LOGOUT_RECOVERY, 1); /* itself */
	ck_assert_uint_eq(mock_expect(b, ISCSI_OP_LOGOUT_RSP).bhs[2], ISCSI_LOGOUT_DONE);
	ck_assert(b->is_close_due);
	ck_assert_uint_eq(w->n_ended, 0);
	mock_close(w);
}
END_TEST

START_TEST(test_nobody_comes)
{
	struct mock_world *w = mock_open(level2);
	struct mock_wire *a = mock_session(w), *b = more(w, a->tsih, 1, a->cmd_sn);

	w->is_held = true;
	mock_read(a, 1, 0, 8, 4096);
	mock_write(a, 2, 0, 8, 4096, NULL, 0, true);
	b->cmd_sn = a->cmd_sn;
	mock_hangup(a);
	mock_tick(w, 2000);
	mock_tick(w, 9000);
	ck_assert_uint_eq(iscsi_session_tasks(iscsi_conn_session(b->conn)), 2);
	mock_tick(w, 1000);
	ck_assert_uint_eq(reassign(b, 1, 0), ISCSI_TMF_NO_TASK);
	mock_finish(w, 0);
	ck_assert_uint_eq(iscsi_session_tasks(iscsi_conn_session(b->conn)), 0);
	mock_logout(b, ISCSI_LOGOUT_CONNECTION, 0); /* nothing is known of it any more */
	ck_assert_uint_eq(mock_expect(b, ISCSI_OP_LOGOUT_RSP).bhs[2], ISCSI_LOGOUT_NO_CID);
	mock_close(w);
}
END_TEST

START_TEST(test_a_lost_connection_may_be_logged_out)
{
	struct mock_world *w = mock_open(level2);
	struct mock_wire *a = mock_session(w), *b = more(w, a->tsih, 1, a->cmd_sn);

	mock_write(a, 2, 0, 8, 4096, NULL, 0, true);
	b->cmd_sn = a->cmd_sn;
	mock_hangup(a);
	mock_logout(b, ISCSI_LOGOUT_CONNECTION, 0);
	ck_assert_uint_eq(mock_expect(b, ISCSI_OP_LOGOUT_RSP).bhs[2], ISCSI_LOGOUT_DONE);
	ck_assert_uint_eq(iscsi_session_tasks(iscsi_conn_session(b->conn)), 0);
	mock_close(w);
}
END_TEST

static void
forgetful(struct mock_world *w)
{
	level2(w);
	w->limits.retained_bytes = 4096;
}

START_TEST(test_data_that_was_not_kept)
{
	struct mock_world *w = mock_open(forgetful);
	struct mock_wire *a = mock_session(w), *b = more(w, a->tsih, 1, a->cmd_sn);
	struct mock_pdu pdu;
	uint32_t first = a->exp_stat_sn;

	for (uint32_t i = 0; i < 3; i++) {
		mock_read(a, i, 0, 8, 4096);
		(void)mock_expect(a, ISCSI_OP_DATA_IN);
		a->exp_stat_sn = first;
	}
	b->cmd_sn = a->cmd_sn;
	mock_hangup(a);
	give_up(b, 0, ISCSI_LOGOUT_DONE);
	ck_assert_uint_eq(reassign(b, 0, 0), ISCSI_TMF_COMPLETE);
	pdu = mock_expect(b, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(pdu.bhs[2], ISCSI_RSP_TARGET_FAILURE);
	ck_assert_uint_eq(reassign(b, 2, 0), ISCSI_TMF_COMPLETE);
	(void)mock_expect(b, ISCSI_OP_DATA_IN);
	mock_close(w);
}
END_TEST

CHECK_MAIN("recovery over connections", test_a_task_in_flight_moves,
    test_data_goes_on_where_it_stopped, test_a_write_asks_for_the_rest,
    test_the_only_connection_is_replaced, test_same_id_takes_over_a_living_one,
    test_a_living_connection_is_given_up, test_nobody_comes,
    test_a_lost_connection_may_be_logged_out, test_data_that_was_not_kept)
