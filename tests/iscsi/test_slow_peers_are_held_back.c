/* What happens to those who do not read, break off in the middle, or do nothing at all. */
#include <string.h>

#include "check_main.h"
#include "iscsi/iscsi_impl.h"
#include "mock_initiator.h"
#include "scsi/status.h"

static void
narrow(struct mock_world *w)
{
	w->limits.tx_queued_bytes = 20000;
}

START_TEST(test_who_does_not_read_is_not_read)
{
	struct mock_world *w = mock_open(narrow);
	struct mock_wire *wire = mock_session(w);
	struct iovec iov[ISCSI_RX_IOV_MAX];
	uint8_t bhs[ISCSI_BHS_LEN];

	for (uint32_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(iscsi_conn_rx(wire->conn, iov), 1);
		mock_read(wire, i, 0, 16, 8192);
		if (i == 2)
			break;
	}
	ck_assert_uint_eq(iscsi_conn_rx(wire->conn, iov), 0);
	ck_assert(!wire->is_recv_due);
	mock_drain(wire);
	ck_assert(wire->is_recv_due);
	ck_assert_uint_eq(iscsi_conn_rx(wire->conn, iov), 1);
	for (int i = 0; i < 3; i++)
		(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	/* the same with pings, which no window bounds */
	mock_cmd_bhs(wire, bhs, ISCSI_OP_NOP_OUT | ISCSI_IMMEDIATE, ISCSI_FINAL, 9);
	be32_put(bhs + ISCSI_O_TTT, ISCSI_TAG_NONE);
	for (int i = 0; i < 1000 && iscsi_conn_rx(wire->conn, iov) > 0; i++)
		mock_send(wire, bhs, w->disk, 1000);
	ck_assert_uint_eq(iscsi_conn_rx(wire->conn, iov), 0);
	while (mock_recv(wire, &(struct mock_pdu){ 0 }))
		continue;
	ck_assert_uint_eq(iscsi_conn_rx(wire->conn, iov), 1);
	mock_close(w);
}
END_TEST

/* answers without data wait in memory, too: of the loop, which others need */
START_TEST(test_answers_without_data_are_counted)
{
	struct mock_world *w = mock_open(narrow);
	struct mock_wire *wire = mock_session(w);
	struct iovec iov[ISCSI_RX_IOV_MAX];
	uint32_t n = 0;

	while (n < 100 && iscsi_conn_rx(wire->conn, iov) > 0)
		mock_read(wire, n++, 0, 0, 0);
	ck_assert_uint_lt(n, 25);
	mock_drain(wire);
	ck_assert(wire->is_recv_due);
	ck_assert_uint_eq(iscsi_conn_rx(wire->conn, iov), 1);
	mock_close(w);
}
END_TEST

START_TEST(test_half_sent_answers_go_with_the_connection)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	struct iovec iov[64];

	mock_read(wire, 1, 0, 64, 32768);
	mock_read(wire, 2, 0, 64, 32768);
	ck_assert_uint_eq(iscsi_conn_tx(wire->conn, iov, 64), 4);
	iscsi_conn_sent(wire->conn, 100);
	mock_read(wire, 3, 0, 64, 32768);
	ck_assert_uint_eq(w->n_bufs, 3);
	mock_hangup(wire);
	ck_assert_uint_eq(w->n_bufs, 0);
	mock_close(w);
}
END_TEST

static unsigned int n_released;

static void
released(struct iscsi_cmd *cmd)
{
	ck_assert_ptr_nonnull(cmd->data);
	n_released++;
}

START_TEST(test_memory_of_the_host_is_given_back_once)
{
	struct iscsi_result good = { .moved = 512 };
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	w->is_held = true;
	for (uint32_t i = 0; i < 3; i++) {
		struct iscsi_cmd *cmd;

		mock_read(wire, i, 0, 1, 512);
		cmd = w->held[--w->n_held];
		cmd->data = w->disk + 512;
		cmd->data_len = 512;
		cmd->release = released;
		if (i == 2) /* nobody hears of it */
			iscsi_cmd_drop(cmd);
		else
			iscsi_cmd_done(cmd, &good);
		ck_assert_uint_eq(n_released, i == 2 ? 2 : i);
		if (i == 0)
			ck_assert_mem_eq(
			    mock_expect(wire, ISCSI_OP_DATA_IN).data, w->disk + 512, 512);
	}
	mock_hangup(wire);
	ck_assert_uint_eq(n_released, 3);
	mock_close(w);
}
END_TEST

static void
level1_keeps_little(struct mock_world *w)
{
	w->keys = "ErrorRecoveryLevel=1\0";
	w->keys_len = 21;
	w->limits.retained_bytes = 8192;
}

/* what is kept until it is acknowledged is bounded, whoever's memory it is */
START_TEST(test_kept_memory_of_the_host_is_bounded)
{
	struct iscsi_result good = { .moved = 4096 };
	struct mock_world *w = mock_open(level1_keeps_little);
	struct mock_wire *wire = mock_session(w);

	n_released = 0;
	w->is_held = true;
	for (uint32_t i = 0; i < 8; i++) {
		struct iscsi_cmd *cmd;

		wire->exp_stat_sn = 0; /* nothing is acknowledged */
		mock_read(wire, i, 0, 8, 4096);
		cmd = w->held[--w->n_held];
		cmd->data = w->disk;
		cmd->data_len = 4096;
		cmd->release = released;
		iscsi_cmd_done(cmd, &good);
		(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	}
	ck_assert_uint_eq(n_released, 6);
	mock_hangup(wire);
	mock_close(w);
	ck_assert_uint_eq(n_released, 8);
}
END_TEST

static void
level2(struct mock_world *w)
{
	w->keys = "ErrorRecoveryLevel=2\0MaxConnections=2\0DefaultTime2Wait=0\0";
	w->keys_len = 58;
}

START_TEST(test_immediate_data_that_broke_off_is_asked_for)
{
	struct mock_world *w = mock_open(level2);
	struct mock_wire *a = mock_session(w), *b = mock_connect(w);
	uint8_t pdu[48 + 1024] = {
	    ISCSI_OP_SCSI_CMD, ISCSI_FINAL | ISCSI_CMD_WRITE | 1, [9] = 1};
	struct mock_pdu r2t;

	b->cmd_sn = a->cmd_sn;
	ck_assert_uint_eq(mock_login(b, a->tsih, 1), 0);
	be24_put(pdu + 5, 1024);
	be32_put(pdu + ISCSI_O_ITT, 2);
	be32_put(pdu + ISCSI_O_EDTL, 1024);
	be32_put(pdu + ISCSI_O_CMD_SN, a->cmd_sn);
	pdu[32] = 0x2a;
	pdu[40] = 2;
	memset(pdu + 48, 0x77, 1024);
	mock_feed(a, pdu, 500);
	mock_hangup(a);
	b->cmd_sn++;
	mock_logout(b, ISCSI_LOGOUT_RECOVERY, 0);
	(void)mock_expect(b, ISCSI_OP_LOGOUT_RSP);
	mock_tmf(b, 5, ISCSI_TMF_TASK_REASSIGN, 2, 0, true);
	ck_assert_uint_eq(mock_expect(b, ISCSI_OP_TMF_RSP).bhs[2], ISCSI_TMF_COMPLETE);
	r2t = mock_expect(b, ISCSI_OP_R2T);
	ck_assert_uint_eq(be32_get(r2t.bhs + ISCSI_O_OFFSET), 0);
	ck_assert_uint_eq(be32_get(r2t.bhs + ISCSI_O_R2T_LEN), 1024);
	mock_data_out(b, 2, be32_get(r2t.bhs + ISCSI_O_TTT), 0, 0, pdu + 48, 1024, true);
	ck_assert_uint_eq(mock_expect(b, ISCSI_OP_SCSI_RSP).bhs[3], SAM_STAT_GOOD);
	ck_assert_mem_eq(w->disk, pdu + 48, 1024);
	mock_close(w);
}
END_TEST

START_TEST(test_login_in_several_steps)
{
	uint8_t bhs[ISCSI_BHS_LEN] = { 0x43, 0x04, [8] = 0x40 }; /* operational, stays there */
	static const char names[] = "InitiatorName=" MOCK_INITIATOR "\0TargetName=" MOCK_TARGET;
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_connect(w);

	mock_send(wire, bhs, names, sizeof(names));
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_LOGIN_RSP).bhs[1] & 0x80, 0);
	ck_assert_str_eq(iscsi_conn_state(wire->conn), "S4 IN_LOGIN");
	ck_assert_ptr_null(iscsi_conn_session(wire->conn));
	bhs[1] = 0x87;
	mock_send(wire, bhs, "MaxBurstLength=4096", 20);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_LOGIN_RSP).bhs[1] & 0x83, 0x83);
	ck_assert_uint_eq(
	    iscsi_session_params(iscsi_conn_session(wire->conn))->max_burst, 4096);
	mock_close(w);
}
END_TEST

START_TEST(test_idle_sessions_are_small)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	mock_read(wire, 1, 0, 8, 4096);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	ck_assert_ptr_null(wire->conn->ring);
	ck_assert_ptr_null(wire->conn->held);
	ck_assert_ptr_null(wire->conn->login);
	ck_assert_ptr_null(wire->conn->gather.buf);
	ck_assert_ptr_null(wire->conn->text.buf);
	ck_assert_uint_eq(w->n_bufs, 0);
	ck_assert_uint_eq(iscsi_session_tasks(iscsi_conn_session(wire->conn)), 0);
	ck_assert_uint_le(sizeof(struct iscsi_conn) + sizeof(struct iscsi_session), 8192);
	mock_close(w);
}
END_TEST

START_TEST(test_counters_add_up)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	struct iscsi_stats stats;

	mock_read(wire, 1, 0, 8, 4096);
	mock_write(wire, 2, 0, 8, 4096, w->disk, 4096, true);
	mock_write(wire, 3, 0, 8, 4096, NULL, 0, true);
	mock_data_out(wire, 3, 1, 0, 0, w->disk, 4096, true);
	mock_data_out(wire, 3, 1, 0, 0, w->disk, 4096, true);
	mock_tmf(wire, 3, ISCSI_TMF_LU_RESET, 0, 0, true);
	mock_drain(wire);
	iscsi_node_stats(w->node, &stats);
	ck_assert_uint_eq(stats.commands, 3);
	ck_assert_uint_eq(stats.reads, 1);
	ck_assert_uint_eq(stats.writes, 2);
	ck_assert_uint_eq(stats.read_bytes, 4096);
	ck_assert_uint_eq(stats.written_bytes, 8192);
	ck_assert_uint_eq(stats.r2ts, 1);
	ck_assert_uint_eq(stats.tmfs, 1);
	ck_assert_uint_eq(stats.rejects, 1);
	ck_assert_uint_eq(stats.rx_pdus, 7);
	mock_logout(wire, ISCSI_LOGOUT_SESSION, 0);
	iscsi_node_stats(w->node, &stats);
	ck_assert_uint_eq(stats.commands, 3);
	mock_close(w);
}
END_TEST

CHECK_MAIN("slow peers", test_who_does_not_read_is_not_read,
    test_answers_without_data_are_counted, test_kept_memory_of_the_host_is_bounded,
    test_half_sent_answers_go_with_the_connection, test_memory_of_the_host_is_given_back_once,
    test_immediate_data_that_broke_off_is_asked_for, test_login_in_several_steps,
    test_idle_sessions_are_small, test_counters_add_up)
