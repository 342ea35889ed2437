/* CmdSN, MaxCmdSN, immediate requests, task tags, ORDERED commands. */
#include "check_main.h"
#include "mock_initiator.h"
#include "scsi/status.h"

static uint8_t zeros[65536];

static void
set_keys(struct mock_world *w, const char *keys, size_t len)
{
	w->keys = keys;
	w->keys_len = len;
}

#define KEYS(w, text)	set_keys(w, text, sizeof(text) - 1)

START_TEST(test_numbers_outside_the_window_are_not_heard)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint32_t sn = wire->cmd_sn;

	wire->cmd_sn = sn - 1; /* too low */
	mock_read(wire, 1, 0, 1, 512);
	wire->cmd_sn = sn + 128; /* too high */
	mock_read(wire, 2, 0, 1, 512);
	wire->cmd_sn = sn + 0x80000000u;
	mock_write(wire, 3, 0, 1, 512, zeros, 512, true);
	mock_quiet(wire);
	ck_assert_uint_eq(w->n_commands, 0);
	wire->cmd_sn = sn;
	mock_read(wire, 4, 0, 1, 512);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	mock_close(w);
}
END_TEST

START_TEST(test_numbers_wrap)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_connect(w);

	wire->cmd_sn = 0xfffffff0u;
	ck_assert_uint_eq(mock_login(wire, 0, 0), 0);
	for (uint32_t i = 0; i < 100; i++) {
		struct mock_pdu pdu;

		mock_read(wire, i, 0, 1, 512);
		pdu = mock_expect(wire, ISCSI_OP_DATA_IN);
		ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_EXP_CMD_SN), wire->cmd_sn);
		ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_MAX_CMD_SN), wire->cmd_sn + 127);
	}
	mock_close(w);
}
END_TEST

START_TEST(test_a_gap_is_waited_for)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint32_t sn = wire->cmd_sn;
	uint8_t bhs[ISCSI_BHS_LEN];
	struct mock_pdu pdu;

	wire->cmd_sn = sn + 3;
	mock_write(wire, 13, 0, 1, 512, zeros, 512, true);
	wire->cmd_sn = sn + 2;
	mock_cmd_bhs(wire, bhs, ISCSI_OP_NOP_OUT, ISCSI_FINAL, 12);
	be32_put(bhs + ISCSI_O_TTT, ISCSI_TAG_NONE);
	mock_send(wire, bhs, "ping", 4);
	wire->cmd_sn = sn + 1;
	mock_read(wire, 11, 0, 1, 512);
	wire->cmd_sn = sn + 1; /* the same again is dropped */
	mock_read(wire, 21, 0, 1, 512);
	mock_quiet(wire);
	ck_assert_uint_eq(w->n_commands, 0);
	wire->cmd_sn = sn;
	mock_read(wire, 10, 0, 1, 512);
	ck_assert_uint_eq(be32_get(mock_expect(wire, ISCSI_OP_DATA_IN).bhs + ISCSI_O_ITT), 10);
	ck_assert_uint_eq(be32_get(mock_expect(wire, ISCSI_OP_DATA_IN).bhs + ISCSI_O_ITT), 11);
	pdu = mock_expect(wire, ISCSI_OP_NOP_IN);
	ck_assert_mem_eq(pdu.data, "ping", 4);
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_ITT), 13);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_EXP_CMD_SN), sn + 4);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_MAX_CMD_SN), sn + 4 + 127);
	mock_quiet(wire);
	mock_close(w);
}
END_TEST

START_TEST(test_immediate_requests_overtake)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint8_t bhs[ISCSI_BHS_LEN];
	uint32_t sn = wire->cmd_sn;
	struct mock_pdu pdu;

	w->is_held = true;
	for (uint32_t i = 0; i < ISCSI_IMMEDIATE_MAX + 1; i++) {
		mock_cmd_bhs(wire, bhs, ISCSI_OP_SCSI_CMD | ISCSI_IMMEDIATE,
		    ISCSI_FINAL | ISCSI_ATTR_SIMPLE, i);
		mock_send(wire, bhs, NULL, 0);
	}
	ck_assert_uint_eq(wire->cmd_sn, sn);
	ck_assert_uint_eq(w->n_held, ISCSI_IMMEDIATE_MAX);
	pdu = mock_expect(wire, ISCSI_OP_REJECT);
	ck_assert_uint_eq(pdu.bhs[2], ISCSI_REJECT_TOO_MANY_IMMEDIATE);
	ck_assert_mem_eq(pdu.data, bhs, 48);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_ITT), ISCSI_TAG_NONE);
	mock_finish(w, 0);
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_EXP_CMD_SN), sn);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_MAX_CMD_SN), sn + 127);
	mock_send(wire, bhs, NULL, 0); /* there is room again */
	ck_assert_uint_eq(w->n_held, ISCSI_IMMEDIATE_MAX);
	mock_close(w);
}
END_TEST

START_TEST(test_a_tag_in_use_is_refused)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	struct mock_pdu pdu;

	w->is_held = true;
	mock_read(wire, 1, 0, 1, 512);
	mock_read(wire, 1, 0, 1, 512);
	pdu = mock_expect(wire, ISCSI_OP_REJECT);
	ck_assert_uint_eq(pdu.bhs[2], ISCSI_REJECT_TASK_IN_PROGRESS);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_EXP_CMD_SN), wire->cmd_sn);
	mock_finish(w, 0);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	mock_read(wire, 1, 0, 1, 512); /* free again */
	ck_assert_uint_eq(w->n_held, 1);
	mock_close(w);
}
END_TEST

static void
send_ordered(struct mock_wire *wire, uint32_t itt, uint8_t attr)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_cmd_bhs(wire, bhs, ISCSI_OP_SCSI_CMD, ISCSI_FINAL | attr, itt);
	bhs[9] = 1;
	mock_send(wire, bhs, NULL, 0);
}

START_TEST(test_ordered_commands_wait_for_data_before_them)
{
	static const uint32_t order[] = { 2, 1, 3, 4, 5, 6 };
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire;
	uint32_t ttt;

	KEYS(w, "InitialR2T=Yes\0ImmediateData=No\0");
	wire = mock_session(w);
	w->is_held = true;
	mock_write(wire, 1, 0, 1, 512, NULL, 0, true); /* its data is missing */
	send_ordered(wire, 2, ISCSI_ATTR_SIMPLE); /* does not mind */
	ck_assert_uint_eq(w->n_held, 1);
	send_ordered(wire, 3, ISCSI_ATTR_ORDERED);
	send_ordered(wire, 4, ISCSI_ATTR_SIMPLE);
	send_ordered(wire, 5, ISCSI_ATTR_ORDERED);
	send_ordered(wire, 6, ISCSI_ATTR_SIMPLE);
	ck_assert_uint_eq(w->n_held, 1);
	ttt = be32_get(mock_expect(wire, ISCSI_OP_R2T).bhs + ISCSI_O_TTT);
	mock_data_out(wire, 1, ttt, 0, 0, zeros, 512, true);
	ck_assert_uint_eq(w->n_held, 6);
	ck_assert_mem_eq(w->order, order, sizeof(order));
	mock_close(w);
}
END_TEST

START_TEST(test_an_aborted_write_frees_those_behind)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire;

	KEYS(w, "InitialR2T=Yes\0ImmediateData=No\0");
	wire = mock_session(w);
	w->is_held = true;
	mock_write(wire, 1, 0, 1, 512, NULL, 0, true);
	send_ordered(wire, 3, ISCSI_ATTR_ORDERED);
	ck_assert_uint_eq(w->n_held, 0);
	mock_tmf(wire, 9, ISCSI_TMF_ABORT_TASK, 1, wire->cmd_sn - 2, true);
	ck_assert_uint_eq(w->n_held, 1);
	mock_close(w);
}
END_TEST

START_TEST(test_a_connection_that_goes_frees_those_behind)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *a, *b;

	KEYS(w, "InitialR2T=Yes\0ImmediateData=No\0MaxConnections=2\0");
	a = mock_session(w);
	b = mock_connect(w);
	ck_assert_uint_eq(mock_login(b, a->tsih, 1), 0);
	w->is_held = true;
	mock_write(a, 1, 0, 1, 512, NULL, 0, true);
	b->cmd_sn = a->cmd_sn;
	send_ordered(b, 3, ISCSI_ATTR_ORDERED);
	send_ordered(b, 4, ISCSI_ATTR_SIMPLE);
	ck_assert_uint_eq(w->n_held, 0);
	mock_hangup(a);
	ck_assert_uint_eq(w->n_held, 2);
	mock_close(w);
}
END_TEST

START_TEST(test_a_task_that_nobody_takes_over_frees_those_behind)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *a, *b;

	KEYS(w, "InitialR2T=Yes\0ImmediateData=No\0MaxConnections=2\0ErrorRecoveryLevel=2\0"
	    "DefaultTime2Wait=2\0DefaultTime2Retain=1\0");
	for (int i = 0; i < 2; i++) {
		a = mock_session(w);
		b = mock_connect(w);
		ck_assert_uint_eq(mock_login(b, a->tsih, 1), 0);
		w->is_held = true;
		mock_write(a, 1, 0, 1, 512, NULL, 0, true);
		b->cmd_sn = a->cmd_sn;
		send_ordered(b, 3, ISCSI_ATTR_ORDERED);
		mock_hangup(a);
		ck_assert_uint_eq(w->n_held, 0); /* the write may go on elsewhere */
		if (i == 0) {
			mock_tick(w, 2000);
			mock_tick(w, 1000);
		} else {
			mock_logout(b, ISCSI_LOGOUT_CONNECTION, 0);
		}
		ck_assert_uint_eq(w->n_held, 1);
		mock_hangup(b);
		mock_finish(w, 0);
	}
	mock_close(w);
}
END_TEST

START_TEST(test_short_memory_closes_the_window)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint32_t sn = wire->cmd_sn;
	struct mock_pdu pdu;

	w->is_held = true;
	for (uint32_t i = 0; i < 10; i++)
		mock_read(wire, i, 0, 1, 512);
	w->has_no_memory = true;
	mock_write(wire, 50, 0, 1, 512, zeros, 512, true);
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(pdu.bhs[3], SAM_STAT_BUSY);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_MAX_CMD_SN), sn + 127);
	while (w->n_held > 1) { /* no memory for these either: the window stays */
		mock_finish(w, 0);
		pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
		ck_assert_uint_eq(pdu.bhs[3], SAM_STAT_BUSY);
		ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_MAX_CMD_SN), sn + 127);
	}
	w->has_no_memory = false;
	mock_finish(w, 0);
	pdu = mock_expect(wire, ISCSI_OP_DATA_IN);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_MAX_CMD_SN), wire->cmd_sn + 127);
	mock_close(w);
}
END_TEST

static void
few_slots(struct mock_world *w)
{
	w->limits.cmd_slots_max = 16;
}

START_TEST(test_no_slot_is_busy)
{
	struct mock_world *w = mock_open(few_slots);
	struct mock_wire *wire = mock_session(w);
	struct mock_pdu pdu;

	w->is_held = true;
	for (uint32_t i = 0; i < 16; i++)
		mock_read(wire, i, 0, 1, 512);
	mock_write(wire, 50, 0, 2, 1024, zeros, 512, false);
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(pdu.bhs[3], SAM_STAT_BUSY);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_ITT), 50);
	mock_data_out(wire, 50, ISCSI_TAG_NONE, 0, 512, zeros, 512, true); /* swallowed */
	mock_quiet(wire);
	mock_finish(w, 0);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	mock_read(wire, 50, 0, 1, 512);
	ck_assert_uint_eq(w->n_held, 16);
	mock_close(w);
}
END_TEST

CHECK_MAIN("order of commands", test_numbers_outside_the_window_are_not_heard,
    test_numbers_wrap, test_a_gap_is_waited_for, test_immediate_requests_overtake,
    test_a_tag_in_use_is_refused, test_ordered_commands_wait_for_data_before_them,
    test_an_aborted_write_frees_those_behind,
    test_a_connection_that_goes_frees_those_behind,
    test_a_task_that_nobody_takes_over_frees_those_behind, test_short_memory_closes_the_window,
    test_no_slot_is_busy)
