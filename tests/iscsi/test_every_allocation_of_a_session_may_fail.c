/* Login, commands, text, task management, recovery, with the n-th allocation failing, for all
 * n: nothing leaks, nothing stops working. */
#include <string.h>

#include "base/fault.h"
#include "check_main.h"
#include "mock_initiator.h"

static const char keys[] = "ErrorRecoveryLevel=2\0MaxConnections=4\0DefaultTime2Wait=0\0"
    "DefaultTime2Retain=10\0InitialR2T=No\0ImmediateData=Yes\0DataPDUInOrder=No\0"
    "MaxRecvDataSegmentLength=4096\0";

static void
prepare(struct mock_world *w)
{
	w->keys = keys;
	w->keys_len = sizeof(keys) - 1;
}

/* whatever comes is thrown away; R2Ts are answered */
static void
swallow(struct mock_wire *wire)
{
	struct mock_pdu pdu;

	while (wire != NULL && wire->conn != NULL && mock_recv(wire, &pdu))
		if ((pdu.bhs[0] & 0x3f) == ISCSI_OP_R2T && !wire->is_close_due)
			mock_data_out(wire, be32_get(pdu.bhs + ISCSI_O_ITT),
			    be32_get(pdu.bhs + ISCSI_O_TTT), 0,
			    be32_get(pdu.bhs + ISCSI_O_OFFSET), wire->world->disk,
			    be32_get(pdu.bhs + ISCSI_O_R2T_LEN), true);
}

static void
talk(struct mock_wire *wire)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_read(wire, 1, 0, 16, 8192);
	mock_write(wire, 2, 0, 16, 8192, wire->world->disk, 4096, true);
	swallow(wire);
	mock_cmd_bhs(wire, bhs, ISCSI_OP_TEXT, 0, 3);
	be32_put(bhs + ISCSI_O_TTT, ISCSI_TAG_NONE);
	bhs[1] = ISCSI_TEXT_CONTINUE;
	mock_send(wire, bhs, "SendTargets", 11);
	bhs[1] = ISCSI_FINAL;
	be32_put(bhs + ISCSI_O_TTT, 1);
	be32_put(bhs + ISCSI_O_CMD_SN, wire->cmd_sn++);
	mock_send(wire, bhs, "=All", 5);
	wire->chunk = 100;
	mock_cmd_bhs(wire, bhs, ISCSI_OP_NOP_OUT, ISCSI_FINAL, 4);
	be32_put(bhs + ISCSI_O_TTT, ISCSI_TAG_NONE);
	mock_send(wire, bhs, wire->world->disk, 500);
	wire->chunk = 0;
	wire->cmd_sn++;
	mock_send(wire, bhs, wire->world->disk, 10); /* late: kept */
	wire->cmd_sn--;
	mock_tmf(wire, 5, ISCSI_TMF_LU_RESET, 0, 0, true);
	swallow(wire);
}

static void
scenario(void)
{
	struct mock_world *w = mock_try(prepare);
	struct mock_wire *a, *b = NULL;

	if (w == NULL)
		return;
	a = mock_connect(w);
	if (a != NULL && mock_login(a, 0, 0) == 0) {
		talk(a);
		b = mock_connect(w);
		if (b != NULL) {
			b->cmd_sn = a->cmd_sn;
			if (mock_login(b, a->tsih, 1) == 0) {
				mock_write(b, 9, 0, 16, 8192, NULL, 0, true);
				mock_hangup(b);
				mock_tmf(a, 5, ISCSI_TMF_TASK_REASSIGN, 9, 0, true);
				mock_logout(a, ISCSI_LOGOUT_RECOVERY, 1);
				mock_tmf(a, 5, ISCSI_TMF_TASK_REASSIGN, 9, 0, true);
				swallow(a);
			}
		}
		if (iscsi_conn_session(a->conn) != NULL)
			iscsi_session_ask_logout(iscsi_conn_session(a->conn), 1);
		mock_tick(w, 2000);
		swallow(a);
	}
	mock_close(w);
}

/* many R2Ts at one time, each needs memory; what they are for may go with the connection */
static const char bursts[] = "MaxOutstandingR2T=8\0MaxBurstLength=1024\0FirstBurstLength=512\0"
    "InitialR2T=No\0ImmediateData=Yes\0";
static const char bursts_gone[] = "DefaultTime2Retain=0\0";
static const char bursts_kept[] = "ErrorRecoveryLevel=2\0MaxConnections=4\0";

static void
prepare_bursts(struct mock_world *w)
{
	static char text[256];
	const char *more = w->is_held ? bursts_kept : bursts_gone;
	size_t len = w->is_held ? sizeof(bursts_kept) - 1 : sizeof(bursts_gone) - 1;

	memcpy(text, bursts, sizeof(bursts) - 1);
	memcpy(text + sizeof(bursts) - 1, more, len);
	w->keys = text;
	w->keys_len = sizeof(bursts) - 1 + len;
}

static void
prepare_bursts_kept(struct mock_world *w)
{
	w->is_held = true;
	prepare_bursts(w);
	w->is_held = false;
}

/* one command at a time may hold its data, the others wait */
static void
prepare_bursts_narrow(struct mock_world *w)
{
	prepare_bursts(w);
	w->limits.held_bytes = 12288;
}

static void
prepare_bursts_narrow_kept(struct mock_world *w)
{
	prepare_bursts_kept(w);
	w->limits.held_bytes = 12288;
}

static void
bursts_scenario(void (*how)(struct mock_world *))
{
	struct mock_world *w = mock_try(how);
	struct mock_wire *a;

	if (w == NULL)
		return;
	a = mock_connect(w);
	if (a != NULL && mock_login(a, 0, 0) == 0) {
		mock_write(a, 1, 0, 16, 8192, w->disk, 512, true);
		mock_write(a, 2, 8, 16, 8192, NULL, 0, true);
		mock_write(a, 3, 8, 16, 8192, w->disk, 256, false);
		mock_data_out(a, 3, ISCSI_TAG_NONE, 0, 256, w->disk, 100, true);
		swallow(a);
		mock_tick(w, 6000);
		swallow(a);
	}
	mock_close(w);
}

START_TEST(test_walk_of_bursts)
{
	static void (*const hows[])(struct mock_world *) = { prepare_bursts,
		prepare_bursts_kept, prepare_bursts_narrow, prepare_bursts_narrow_kept };
	bool was_hit;

	for (size_t i = 0; i < ARRAY_LEN(hows); i++) {
		int64_t n = 1;

		do {
			fault_arm(n++);
			bursts_scenario(hows[i]);
			was_hit = fault_disarm();
		} while (was_hit);
		ck_assert_int_gt(n, 20);
	}
}
END_TEST

/* what is wrong is answered, too, and so is what another connection held up; with Time2Retain the
 * session stays, without it goes with its last connection */
static const char faulty_gone[] = "ErrorRecoveryLevel=1\0MaxConnections=2\0ImmediateData=Yes\0"
    "DefaultTime2Retain=0\0DataDigest=CRC32C\0TaskReporting=ResponseFence\0"
    "InitialR2T=Yes\0";
static const char faulty_kept[] = "ErrorRecoveryLevel=2\0MaxConnections=2\0ImmediateData=Yes\0"
    "DataDigest=CRC32C\0TaskReporting=ResponseFence\0InitialR2T=Yes\0";

static void
prepare_faulty_gone(struct mock_world *w)
{
	w->keys = faulty_gone;
	w->keys_len = sizeof(faulty_gone) - 1;
}

static void
prepare_faulty_kept(struct mock_world *w)
{
	w->keys = faulty_kept;
	w->keys_len = sizeof(faulty_kept) - 1;
}

static void
faulty_data(struct mock_wire *wire)
{
	bool has_digest = wire->has_data_digest;
	struct mock_pdu pdu;

	mock_write(wire, 1, 0, 8, 4096, NULL, 0, true);
	if (mock_recv(wire, &pdu) && (pdu.bhs[0] & 0x3f) == ISCSI_OP_R2T)
		mock_data_out(wire, 1, be32_get(pdu.bhs + ISCSI_O_TTT), 0, 8192,
		    wire->world->disk, 512, true);
	/* four bytes of data stand where the digest should: 508 of 512 */
	wire->has_data_digest = false;
	mock_write(wire, 2, 0, 8, 4096, wire->world->disk, 508, true);
	mock_feed(wire, "oops", has_digest ? 4 : 0);
	wire->has_data_digest = has_digest;
	swallow(wire);
}

/* two abort requests and a reset, all with the host, which answers late */
static void
late_answers(struct mock_world *w, struct mock_wire *a, struct mock_wire *b)
{
	w->is_held = true;
	w->is_tmf_held = true;
	mock_read(b, 20, 0, 1, 512);
	mock_tmf(b, 21, ISCSI_TMF_ABORT_TASK, 20, b->cmd_sn - 1, true);
	if (w->tmf != NULL)
		iscsi_tmf_done(STEAL(w->tmf), ISCSI_TMF_COMPLETE);
	w->is_held = false;
	a->cmd_sn = b->cmd_sn;
	mock_read(a, 22, 0, 1, 512);
	mock_drain(a); /* sent, not acknowledged */
	mock_tmf(b, 23, ISCSI_TMF_LU_RESET, 0, 0, true);
	if (w->tmf != NULL)
		iscsi_tmf_done(STEAL(w->tmf), ISCSI_TMF_COMPLETE);
	mock_hangup(a); /* nobody to wait for any more */
	swallow(b);
}

static void
faulty_scenario(void (*how)(struct mock_world *))
{
	struct mock_world *w = mock_try(how);
	struct mock_wire *a, *b;

	if (w == NULL)
		return;
	a = mock_connect(w);
	if (a != NULL && mock_login(a, 0, 0) == 0) {
		faulty_data(a);
		b = mock_connect(w);
		if (b != NULL) {
			b->cmd_sn = a->cmd_sn;
			if (mock_login(b, a->tsih, 1) == 0)
				late_answers(w, a, b);
		}
	}
	mock_close(w);
}

START_TEST(test_walk_of_faults)
{
	int64_t n = 1;

	do {
		fault_arm(n);
		faulty_scenario(prepare_faulty_gone);
		(void)fault_disarm();
		fault_arm(n++);
		faulty_scenario(prepare_faulty_kept);
	} while (fault_disarm());
	ck_assert_int_gt(n, 20);
}
END_TEST

START_TEST(test_walk)
{
	int64_t n = 1;

	do {
		ck_assert_int_lt(n, 10000);
		fault_arm(n++);
		scenario();
	} while (fault_disarm());
	ck_assert_int_gt(n, 30);
}
END_TEST

CHECK_MAIN("allocations of sessions", test_walk, test_walk_of_bursts, test_walk_of_faults)
