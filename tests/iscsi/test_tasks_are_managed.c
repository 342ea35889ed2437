/* Task management of RFC 7143 and RFC 7144: what it ends, what it answers, in which order. */
#include "check_main.h"
#include "mock_initiator.h"
#include "scsi/status.h"

static uint8_t zeros[4096];

static uint8_t
response(struct mock_wire *wire)
{
	return mock_expect(wire, ISCSI_OP_TMF_RSP).bhs[2];
}

static void
level2(struct mock_world *w)
{
	w->keys = "iSCSIProtocolLevel=2\0";
	w->keys_len = 21;
}

START_TEST(test_abort_of_a_task_in_flight)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	w->is_held = true;
	mock_read(wire, 1, 0, 1, 512);
	mock_read(wire, 2, 0, 1, 512);
	mock_tmf(wire, 9, ISCSI_TMF_ABORT_TASK, 1, wire->cmd_sn - 2, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
	ck_assert_uint_eq(w->n_held, 1);
	mock_finish(w, 0);
	ck_assert_uint_eq(be32_get(mock_expect(wire, ISCSI_OP_DATA_IN).bhs + ISCSI_O_ITT), 2);
	mock_tmf(wire, 9, ISCSI_TMF_ABORT_TASK, 2, wire->cmd_sn - 1, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_NO_TASK);
	mock_close(w);
}
END_TEST

/* @verdict: what the host makes of an abort that came too late */
static void
abort_too_late(enum iscsi_tmf_response verdict)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	w->is_held = true;
	w->is_tmf_held = true;
	mock_read(wire, 1, 0, 1, 512);
	mock_tmf(wire, 9, ISCSI_TMF_ABORT_TASK, 1, wire->cmd_sn - 1, true);
	ck_assert_ptr_eq(w->tmf->cmd, w->held[0]);
	mock_finish(w, 0); /* before the abort had an effect */
	ck_assert(w->tmf->cmd->is_finished);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	iscsi_tmf_done(w->tmf, verdict);
	w->tmf = NULL;
	ck_assert_uint_eq(response(wire), ISCSI_TMF_NO_TASK);
	mock_close(w);
}

START_TEST(test_abort_crossed_by_completion)
{
	abort_too_late(ISCSI_TMF_NO_TASK);
	abort_too_late(ISCSI_TMF_COMPLETE);
}
END_TEST

START_TEST(test_nothing_is_heard_after_the_answer)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	w->is_held = true;
	w->is_tmf_held = true;
	mock_read(wire, 1, 0, 1, 512);
	mock_tmf(wire, 9, ISCSI_TMF_ABORT_TASK, 1, wire->cmd_sn - 1, true);
	iscsi_tmf_done(w->tmf, ISCSI_TMF_COMPLETE); /* the unit lags behind */
	w->tmf = NULL;
	ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
	mock_read(wire, 1, 0, 1, 512); /* the tag is free */
	ck_assert_uint_eq(w->n_held, 2);
	mock_finish(w, 0);
	mock_quiet(wire);
	mock_finish(w, 0);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	mock_close(w);
}
END_TEST

START_TEST(test_abort_of_a_write_that_waits_for_data)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint32_t ttt;

	mock_write(wire, 1, 0, 8, 4096, NULL, 0, true);
	ttt = be32_get(mock_expect(wire, ISCSI_OP_R2T).bhs + ISCSI_O_TTT);
	mock_tmf(wire, 9, ISCSI_TMF_ABORT_TASK, 1, wire->cmd_sn - 1, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
	ck_assert_uint_eq(w->n_tmfs, 0);
	mock_data_out(wire, 1, ttt, 0, 0, zeros, 2048, false); /* still on its way: swallowed */
	mock_data_out(wire, 1, ttt, 1, 2048, zeros, 2048, true);
	mock_quiet(wire);
	mock_data_out(wire, 1, ttt, 0, 0, zeros, 4096, true); /* but only once */
	(void)mock_expect(wire, ISCSI_OP_REJECT);
	ck_assert_uint_eq(w->n_commands, 0);
	mock_close(w);
}
END_TEST

START_TEST(test_abort_in_the_middle_of_a_segment)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint8_t bhs[ISCSI_BHS_LEN + 4096] = {ISCSI_OP_SCSI_CMD, ISCSI_FINAL | ISCSI_CMD_WRITE};
	struct iscsi_session *session = iscsi_conn_session(wire->conn);

	be24_put(bhs + 5, 4096);
	be32_put(bhs + ISCSI_O_ITT, 1);
	be32_put(bhs + ISCSI_O_EDTL, 4096);
	be32_put(bhs + ISCSI_O_CMD_SN, wire->cmd_sn);
	bhs[32] = 0x2a;
	bhs[40] = 8;
	mock_feed(wire, bhs, 1000);
	iscsi_session_end(session, ISCSI_END_ADMIN); /* frees what was being received into */
	mock_feed(wire, bhs + 1000, sizeof(bhs) - 1000);
	(void)mock_expect(wire, ISCSI_OP_ASYNC);
	ck_assert(wire->is_close_due);
	ck_assert_uint_eq(w->n_commands, 0);
	mock_close(w);
}
END_TEST

START_TEST(test_abort_of_a_command_that_has_not_come)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint32_t sn = wire->cmd_sn;
	uint8_t bhs[ISCSI_BHS_LEN];

	/* an immediate request overtakes the command it is about (another connection, say) */
	wire->cmd_sn = sn + 1;
	mock_tmf(wire, 9, ISCSI_TMF_ABORT_TASK, 1, sn, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
	mock_read(wire, 2, 0, 1, 512); /* sn + 1 goes on at once */
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	wire->cmd_sn = sn;
	mock_read(wire, 1, 0, 1, 512); /* comes after all, and is not run */
	mock_quiet(wire);
	ck_assert_uint_eq(w->n_commands, 1);
	wire->cmd_sn = sn + 2;
	mock_tmf(wire, 9, ISCSI_TMF_ABORT_TASK, 5, sn + 500, true); /* outside of the window */
	ck_assert_uint_eq(response(wire), ISCSI_TMF_NO_TASK);
	mock_cmd_bhs(wire, bhs, ISCSI_OP_NOP_OUT, ISCSI_FINAL, 3);
	be32_put(bhs + ISCSI_O_TTT, ISCSI_TAG_NONE);
	mock_send(wire, bhs, NULL, 0);
	ck_assert_uint_eq(be32_get(mock_expect(wire, ISCSI_OP_NOP_IN).bhs + ISCSI_O_MAX_CMD_SN),
	    sn + 3 + 127);
	mock_close(w);
}
END_TEST

START_TEST(test_task_sets_and_resets)
{
	static const uint8_t fns[] = { ISCSI_TMF_ABORT_TASK_SET, ISCSI_TMF_CLEAR_TASK_SET,
		ISCSI_TMF_LU_RESET, ISCSI_TMF_WARM_RESET };
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint8_t bhs[ISCSI_BHS_LEN];

	w->is_held = true;
	for (size_t i = 0; i < sizeof(fns); i++) {
		mock_read(wire, 1, 0, 1, 512);
		mock_write(wire, 2, 0, 1, 512, NULL, 0, true);
		(void)mock_expect(wire, ISCSI_OP_R2T);
		mock_cmd_bhs(wire, bhs, ISCSI_OP_SCSI_CMD | ISCSI_IMMEDIATE,
		    ISCSI_FINAL | ISCSI_CMD_WRITE, 3);
		bhs[9] = 1;
		bhs[32] = 0x2a;
		bhs[40] = 1;
		be32_put(bhs + ISCSI_O_EDTL, 512);
		mock_send(wire, bhs, NULL, 0);
		(void)mock_expect(wire, ISCSI_OP_R2T);
		mock_tmf(wire, 9, fns[i], ISCSI_TAG_NONE, 0, i % 2 == 0);
		ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
		ck_assert_uint_eq(w->n_held, 0);
		ck_assert_uint_eq(w->n_tmfs, i + 1);
		ck_assert_uint_eq(iscsi_session_tasks(iscsi_conn_session(wire->conn)), 0);
	}
	mock_quiet(wire);
	mock_close(w);
}
END_TEST

static void
expect_busy(struct mock_wire *wire, uint32_t itt)
{
	struct mock_pdu pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);

	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_ITT), itt);
	ck_assert_uint_eq(pdu.bhs[3], SAM_STAT_BUSY);
}

/* read 1 and write 2, which waits for its data @ttt, are there; a function for all is at work and
 * the unit has given read 1 up */
static struct mock_wire *
half_ended(struct mock_world *w, uint8_t fn, uint32_t *ret_ttt)
{
	struct mock_wire *wire = mock_session(w);

	w->is_held = true;
	w->is_tmf_held = true;
	mock_read(wire, 1, 0, 1, 512);
	mock_read(wire, 3, 0, 1, 512);
	mock_write(wire, 2, 0, 8, 4096, NULL, 0, true);
	*ret_ttt = be32_get(mock_expect(wire, ISCSI_OP_R2T).bhs + ISCSI_O_TTT);
	mock_tmf(wire, 9, fn, ISCSI_TAG_NONE, 0, true);
	iscsi_cmd_drop(w->held[0]);
	w->held[0] = w->held[1];
	w->n_held = 1;
	mock_data_out(wire, 2, *ret_ttt, 0, 0, zeros, 4096, true);
	mock_quiet(wire);
	ck_assert_uint_eq(w->n_commands, 2);
	return wire;
}

static void
answer_held(struct mock_world *w, enum iscsi_tmf_response response)
{
	struct iscsi_tmf *tmf = w->tmf;

	w->tmf = NULL;
	iscsi_tmf_done(tmf, response);
}

/* what it had ended is not waited for in vain; what it could not end goes on */
START_TEST(test_a_refused_set_leaves_nobody_waiting)
{
	static const uint8_t fns[] = { ISCSI_TMF_ABORT_TASK_SET, ISCSI_TMF_CLEAR_TASK_SET,
		ISCSI_TMF_LU_RESET, ISCSI_TMF_WARM_RESET };

	for (size_t i = 0; i < sizeof(fns); i++) {
		struct mock_world *w = mock_open(NULL);
		uint32_t ttt;
		struct mock_wire *wire = half_ended(w, fns[i], &ttt);

		answer_held(w, ISCSI_TMF_REJECTED);
		expect_busy(wire, 1);
		expect_busy(wire, 2);
		ck_assert_uint_eq(response(wire), ISCSI_TMF_REJECTED);
		mock_finish(w, 0);
		ck_assert_uint_eq(
		    be32_get(mock_expect(wire, ISCSI_OP_DATA_IN).bhs + ISCSI_O_ITT), 3);
		w->is_held = false;
		mock_write(wire, 2, 0, 8, 4096, NULL, 0, true); /* the tag is free */
		(void)mock_expect(wire, ISCSI_OP_R2T);
		mock_close(w);
	}
}
END_TEST

START_TEST(test_a_set_that_is_done_ends_in_silence)
{
	struct mock_world *w = mock_open(NULL);
	uint32_t ttt;
	struct mock_wire *wire = half_ended(w, ISCSI_TMF_ABORT_TASK_SET, &ttt);

	answer_held(w, ISCSI_TMF_COMPLETE);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
	mock_finish(w, 0); /* the unit lags behind */
	mock_quiet(wire);
	ck_assert_uint_eq(iscsi_session_tasks(iscsi_conn_session(wire->conn)), 0);
	mock_close(w);
}
END_TEST

/* two are at work: the last word counts */
static void
two_sets(enum iscsi_tmf_response last)
{
	struct mock_world *w = mock_open(NULL);
	uint32_t ttt;
	struct mock_wire *wire = half_ended(w, ISCSI_TMF_ABORT_TASK_SET, &ttt);
	struct iscsi_tmf *first = w->tmf;

	w->tmf = NULL;
	mock_tmf(wire, 8, ISCSI_TMF_LU_RESET, ISCSI_TAG_NONE, 0, true);
	ck_assert_ptr_nonnull(w->tmf);
	mock_tmf(wire, 7, ISCSI_TMF_ABORT_TASK, 1, wire->cmd_sn - 3, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_NO_TASK);
	iscsi_tmf_done(first, ISCSI_TMF_REJECTED);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_REJECTED);
	mock_quiet(wire);
	answer_held(w, last);
	if (last != ISCSI_TMF_COMPLETE) {
		expect_busy(wire, 1);
		expect_busy(wire, 2);
	}
	ck_assert_uint_eq(response(wire), last);
	mock_quiet(wire);
	mock_finish(w, 0);
	mock_close(w);
}

START_TEST(test_the_last_of_two_sets_decides)
{
	two_sets(ISCSI_TMF_COMPLETE);
	two_sets(ISCSI_TMF_REJECTED);
}
END_TEST

START_TEST(test_session_gone_before_a_set_is_answered)
{
	struct mock_world *w = mock_open(NULL);
	uint32_t ttt;
	struct mock_wire *wire = half_ended(w, ISCSI_TMF_ABORT_TASK_SET, &ttt);

	iscsi_session_end(iscsi_conn_session(wire->conn), ISCSI_END_ADMIN);
	(void)mock_expect(wire, ISCSI_OP_ASYNC);
	mock_finish(w, 0);
	answer_held(w, ISCSI_TMF_REJECTED);
	mock_quiet(wire);
	ck_assert_uint_eq(w->n_freed, 1);
	ck_assert_uint_eq(w->n_bufs, 0);
	mock_close(w);
}
END_TEST

START_TEST(test_a_set_waits_for_commands_before_it)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint32_t sn = wire->cmd_sn;

	w->is_held = true;
	wire->cmd_sn = sn + 2;
	mock_tmf(wire, 9, ISCSI_TMF_LU_RESET, ISCSI_TAG_NONE, 0, true);
	mock_quiet(wire);
	wire->cmd_sn = sn;
	mock_read(wire, 1, 0, 1, 512);
	mock_quiet(wire);
	ck_assert_uint_eq(w->n_tmfs, 0);
	mock_read(wire, 2, 0, 1, 512);
	ck_assert_uint_eq(w->n_tmfs, 1);
	ck_assert_uint_eq(w->n_held, 0);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
	mock_close(w);
}
END_TEST

START_TEST(test_later_commands_are_spared)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	w->is_held = true;
	w->is_tmf_held = true;
	mock_read(wire, 1, 0, 1, 512);
	mock_tmf(wire, 9, ISCSI_TMF_LU_RESET, ISCSI_TAG_NONE, 0, true);
	mock_read(wire, 2, 0, 1, 512);
	iscsi_cmd_drop(w->held[0]);
	w->held[0] = w->held[1];
	w->n_held = 1;
	iscsi_tmf_done(w->tmf, ISCSI_TMF_COMPLETE);
	w->tmf = NULL;
	ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
	mock_finish(w, 0);
	ck_assert_uint_eq(be32_get(mock_expect(wire, ISCSI_OP_DATA_IN).bhs + ISCSI_O_ITT), 2);
	mock_close(w);
}
END_TEST

/* an immediate command without data */
static void
ready_now(struct mock_wire *wire, uint32_t itt)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_cmd_bhs(wire, bhs, ISCSI_OP_SCSI_CMD | ISCSI_IMMEDIATE,
	    ISCSI_FINAL | ISCSI_ATTR_SIMPLE, itt);
	bhs[9] = 1;
	mock_send(wire, bhs, NULL, 0);
}

/* they have the same CmdSN as the request */
START_TEST(test_immediate_commands_before_and_behind)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	w->is_held = true;
	w->is_tmf_held = true;
	ready_now(wire, 1);
	mock_tmf(wire, 9, ISCSI_TMF_LU_RESET, ISCSI_TAG_NONE, 0, true);
	ready_now(wire, 2);
	ck_assert_uint_eq(w->n_held, 2);
	iscsi_tmf_done(w->tmf, ISCSI_TMF_COMPLETE);
	w->tmf = NULL;
	ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
	mock_finish(w, 0);
	mock_quiet(wire);
	mock_finish(w, 0);
	ck_assert_uint_eq(be32_get(mock_expect(wire, ISCSI_OP_SCSI_RSP).bhs + ISCSI_O_ITT), 2);
	mock_close(w);
}
END_TEST

START_TEST(test_queries)
{
	struct mock_world *w = mock_open(level2);
	struct mock_wire *wire = mock_session(w);

	w->is_held = true;
	mock_read(wire, 1, 0, 1, 512);
	mock_tmf(wire, 9, ISCSI_TMF_QUERY_TASK, 1, 0, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_SUCCEEDED);
	mock_tmf(wire, 9, ISCSI_TMF_QUERY_TASK, 2, 0, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
	mock_tmf(wire, 9, ISCSI_TMF_QUERY_TASK_SET, 0, 0, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_SUCCEEDED);
	mock_finish(w, 0);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	mock_tmf(wire, 9, ISCSI_TMF_QUERY_TASK_SET, 0, 0, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
	ck_assert_uint_eq(w->n_tmfs, 0);
	mock_tmf(wire, 9, ISCSI_TMF_QUERY_ASYNC, 0, 0, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
	mock_tmf(wire, 9, ISCSI_TMF_NEXUS_RESET, 0, 0, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
	mock_tmf(wire, 9, ISCSI_TMF_CLEAR_ACA, 0, 0, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
	ck_assert_uint_eq(w->n_tmfs, 3);
	mock_close(w);
}
END_TEST

START_TEST(test_queries_need_their_protocol_level)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	mock_tmf(wire, 9, ISCSI_TMF_QUERY_TASK, 1, 0, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_NOT_SUPPORTED);
	mock_tmf(wire, 9, ISCSI_TMF_TASK_REASSIGN, 1, 0, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_NO_REASSIGN);
	mock_close(w);
}
END_TEST

START_TEST(test_cold_reset_ends_all_sessions)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	w->is_held = true;
	mock_read(wire, 1, 0, 1, 512);
	mock_tmf(wire, 9, ISCSI_TMF_COLD_RESET, ISCSI_TAG_NONE, 0, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
	(void)mock_expect(wire, ISCSI_OP_ASYNC);
	ck_assert(wire->is_close_due);
	ck_assert_int_eq(wire->why, ISCSI_END_RESET);
	ck_assert_uint_eq(w->n_ended, 1);
	mock_close(w);
}
END_TEST

static void
keeps_cold(struct mock_world *w)
{
	w->config.keeps_cold_reset = true;
}

START_TEST(test_cold_reset_can_keep_them)
{
	struct mock_world *w = mock_open(keeps_cold);
	struct mock_wire *wire = mock_session(w);

	mock_tmf(wire, 9, ISCSI_TMF_COLD_RESET, ISCSI_TAG_NONE, 0, true);
	ck_assert_uint_eq(response(wire), ISCSI_TMF_COMPLETE);
	mock_read(wire, 1, 0, 1, 512);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	mock_close(w);
}
END_TEST

START_TEST(test_too_many_at_a_time)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	unsigned int rejected = 0;
	struct mock_pdu pdu;

	/* they wait for a command that does not come */
	wire->cmd_sn++;
	for (uint32_t i = 0; i < 20; i++)
		mock_tmf(wire, i, ISCSI_TMF_LU_RESET, ISCSI_TAG_NONE, 0, true);
	while (mock_recv(wire, &pdu)) {
		ck_assert_uint_eq(pdu.bhs[2], ISCSI_TMF_REJECTED);
		rejected++;
	}
	ck_assert_uint_eq(rejected, 4);
	mock_close(w);
}
END_TEST

START_TEST(test_session_gone_before_the_answer)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	w->is_held = true;
	w->is_tmf_held = true;
	mock_read(wire, 1, 0, 1, 512);
	mock_tmf(wire, 9, ISCSI_TMF_ABORT_TASK, 1, wire->cmd_sn - 1, true);
	mock_hangup(wire);
	ck_assert_uint_eq(w->n_ended, 0); /* Time2Wait and Time2Retain have their defaults */
	mock_tick(w, 22000);
	ck_assert_uint_eq(w->n_ended, 1);
	ck_assert_int_eq(w->ended_why, ISCSI_END_RETAIN);
	ck_assert_uint_eq(w->n_freed, 0);
	mock_finish(w, 0);
	iscsi_tmf_done(w->tmf, ISCSI_TMF_COMPLETE);
	w->tmf = NULL;
	ck_assert_uint_eq(w->n_freed, 1);
	mock_close(w);
}
END_TEST

CHECK_MAIN("task management", test_abort_of_a_task_in_flight, test_abort_crossed_by_completion,
    test_nothing_is_heard_after_the_answer, test_abort_of_a_write_that_waits_for_data,
    test_abort_in_the_middle_of_a_segment, test_abort_of_a_command_that_has_not_come,
    test_task_sets_and_resets, test_a_refused_set_leaves_nobody_waiting,
    test_a_set_that_is_done_ends_in_silence, test_the_last_of_two_sets_decides,
    test_session_gone_before_a_set_is_answered, test_a_set_waits_for_commands_before_it,
    test_later_commands_are_spared, test_immediate_commands_before_and_behind, test_queries,
    test_queries_need_their_protocol_level,
    test_cold_reset_ends_all_sessions, test_cold_reset_can_keep_them, test_too_many_at_a_time,
    test_session_gone_before_the_answer)
