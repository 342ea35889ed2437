/* Malformed and hostile PDUs in full feature phase: the right Reject, and the session goes
 * on. */
#include "check_main.h"
#include "mock_initiator.h"
#include "scsi/asc.h"
#include "scsi/status.h"

static uint8_t data[300000];

/* the session still works */
static void
probe(struct mock_wire *wire)
{
	mock_read(wire, 0xbeef, 0, 1, 512);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	mock_quiet(wire);
}

static void
expect_reject(struct mock_wire *wire, uint8_t reason, const uint8_t *bhs)
{
	struct mock_pdu pdu = mock_expect(wire, ISCSI_OP_REJECT);

	ck_assert_uint_eq(pdu.bhs[1], ISCSI_FINAL);
	ck_assert_uint_eq(pdu.bhs[2], reason);
	ck_assert_uint_eq(pdu.len, 48);
	if (bhs != NULL)
		ck_assert_mem_eq(pdu.data, bhs, 4);
}

/* a sense response, with its ASC and ASCQ */
static void
expect_sense(struct mock_wire *wire, uint32_t itt, uint16_t asc)
{
	struct mock_pdu pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);

	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_ITT), itt);
	ck_assert_uint_eq(pdu.bhs[3], SAM_STAT_CHECK_CONDITION);
	ck_assert_uint_eq(be16_get(pdu.data + 2 + 12), asc);
}

START_TEST(test_opcodes)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	for (uint8_t op = 0; op < 0x40; op++) {
		uint8_t bhs[ISCSI_BHS_LEN] = { op | ISCSI_IMMEDIATE, ISCSI_FINAL };

		if (op <= ISCSI_OP_LOGOUT || op == ISCSI_OP_SNACK)
			continue;
		mock_send(wire, bhs, data, 77);
		expect_reject(wire, ISCSI_REJECT_UNSUPPORTED, bhs);
	}
	probe(wire);
	mock_close(w);
}
END_TEST

START_TEST(test_snack_needs_error_recovery)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint8_t bhs[ISCSI_BHS_LEN] = { ISCSI_OP_SNACK, ISCSI_FINAL | ISCSI_SNACK_STATUS };

	be32_put(bhs + ISCSI_O_ITT, ISCSI_TAG_NONE);
	be32_put(bhs + ISCSI_O_TTT, ISCSI_TAG_NONE);
	mock_send(wire, bhs, NULL, 0);
	expect_reject(wire, ISCSI_REJECT_PROTOCOL, bhs);
	probe(wire);
	mock_close(w);
}
END_TEST

START_TEST(test_login_again)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint8_t bhs[ISCSI_BHS_LEN] = { ISCSI_OP_LOGIN | ISCSI_IMMEDIATE, 0x87 };

	mock_send(wire, bhs, "InitiatorName=iqn.2026-01.x:y", 30);
	expect_reject(wire, ISCSI_REJECT_PROTOCOL, bhs);
	probe(wire);
	mock_close(w);
}
END_TEST

START_TEST(test_data_that_was_not_asked_for)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	mock_data_out(wire, 99, 1, 0, 0, data, 512, true); /* no such task */
	expect_reject(wire, ISCSI_REJECT_FIELD, NULL);
	w->is_held = true;
	mock_read(wire, 1, 0, 1, 512);
	mock_data_out(wire, 1, ISCSI_TAG_NONE, 0, 0, data, 512, true); /* of a read */
	expect_reject(wire, ISCSI_REJECT_FIELD, NULL);
	mock_finish(w, 0);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	w->is_held = false;
	probe(wire);
	mock_close(w);
}
END_TEST

/* a write that waits for R2T data: what comes instead of it, and how it ends */
static void
bad_data_out(
    uint32_t ttt_off, uint32_t sn, uint32_t offset, uint32_t len, int reject, uint16_t asc)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire;
	struct mock_pdu pdu;
	uint32_t ttt;

	w->keys = "InitialR2T=Yes\0ImmediateData=No\0MaxBurstLength=4096\0";
	w->keys_len = 53;
	wire = mock_session(w);
	mock_write(wire, 1, 0, 32, 16384, NULL, 0, true);
	pdu = mock_expect(wire, ISCSI_OP_R2T);
	ttt = be32_get(pdu.bhs + ISCSI_O_TTT);
	mock_data_out(wire, 1, ttt + ttt_off, sn, offset, data, len, true);
	if (reject > 0)
		expect_reject(wire, (uint8_t)reject, NULL);
	if (asc != 0) {
		expect_sense(wire, 1, asc);
		ck_assert_uint_eq(w->n_commands, 0);
	}
	mock_tmf(wire, 9, ISCSI_TMF_ABORT_TASK, 1, 0, true);
	pdu = mock_expect(wire, ISCSI_OP_TMF_RSP);
	ck_assert_uint_eq(pdu.bhs[2], asc != 0 ? ISCSI_TMF_NO_TASK : ISCSI_TMF_COMPLETE);
	mock_data_out(wire, 1, ttt, 0, 0, data, 4096, true); /* late: swallowed or refused */
	while (mock_recv(wire, &pdu))
		ck_assert_uint_eq(pdu.bhs[0], ISCSI_OP_REJECT);
	probe(wire);
	mock_close(w);
}

START_TEST(test_data_out_against_its_r2t)
{
	bad_data_out(77, 0, 0, 4096, ISCSI_REJECT_FIELD, 0);
	bad_data_out(0, 0, 0, 4608, ISCSI_REJECT_PROTOCOL, ASC_DATA_PHASE); /* too long */
	bad_data_out(0, 0, 0, 270000, ISCSI_REJECT_PROTOCOL, ASC_DATA_PHASE); /* above what we take */
	bad_data_out(0, 0, 4096, 512, ISCSI_REJECT_PROTOCOL, ASC_DATA_PHASE);
	bad_data_out(0, 0, 0xfffffe00u, 512, ISCSI_REJECT_PROTOCOL, ASC_DATA_PHASE);
	bad_data_out(0, 0, 512, 512, 0, ASC_DATA_PHASE); /* leaves a gap */
	bad_data_out(0, 1, 0, 4096, 0, ASC_DATA_PHASE); /* DataSN skipped */
	bad_data_out(0, 0xffffffffu, 0, 4096, 0, ASC_DATA_PHASE);
	bad_data_out(0, 0, 0, 512, 0, ASC_NOT_ENOUGH_UNSOLICITED_DATA); /* final too early */
}
END_TEST

START_TEST(test_immediate_data_beyond_its_limits)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_write(wire, 1, 0, 1, 512, data, 1024, true); /* above EDTL */
	expect_reject(wire, ISCSI_REJECT_PROTOCOL, NULL);
	mock_write(wire, 2, 0, 200, 102400, data, 70000, true); /* above FirstBurstLength */
	expect_reject(wire, ISCSI_REJECT_PROTOCOL, NULL);
	mock_write(wire, 3, 0, 800, 409600, data, 270000, true); /* above what we declared */
	expect_reject(wire, ISCSI_REJECT_PROTOCOL, NULL);
	mock_cmd_bhs(wire, bhs, ISCSI_OP_SCSI_CMD, ISCSI_FINAL | ISCSI_CMD_READ, 4);
	be32_put(bhs + ISCSI_O_EDTL, 512);
	bhs[32] = 0x28;
	mock_send(wire, bhs, data, 512); /* data with a read */
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_REJECT).bhs[0], ISCSI_OP_REJECT);
	mock_cmd_bhs(
	    wire, bhs, ISCSI_OP_SCSI_CMD, ISCSI_CMD_READ, 5); /* neither final nor write */
	be32_put(bhs + ISCSI_O_EDTL, 512);
	mock_send(wire, bhs, NULL, 0);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_REJECT).bhs[0], ISCSI_OP_REJECT);
	ck_assert_uint_eq(w->n_commands, 0);
	probe(wire);
	mock_close(w);
}
END_TEST

START_TEST(test_data_that_was_negotiated_away)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire;

	w->keys = "InitialR2T=Yes\0ImmediateData=No\0";
	w->keys_len = 32;
	wire = mock_session(w);
	mock_write(wire, 1, 0, 1, 512, data, 512, true);
	expect_reject(wire, ISCSI_REJECT_PROTOCOL, NULL);
	mock_write(wire, 2, 0, 1, 512, NULL, 0, false);
	expect_reject(wire, ISCSI_REJECT_PROTOCOL, NULL);
	mock_data_out(wire, 2, ISCSI_TAG_NONE, 0, 0, data, 512, true);
	mock_quiet(wire);
	probe(wire);
	mock_close(w);
}
END_TEST

START_TEST(test_largest_transfer_lengths)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	struct mock_pdu pdu;

	mock_read(wire, 1, 0, 1, 0xffffffffu);
	pdu = mock_expect(wire, ISCSI_OP_DATA_IN);
	ck_assert_uint_eq(pdu.len, 512);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_RESID), 0xffffffffu - 512);
	mock_write(wire, 2, 0, 1, 0xffffffffu, data, 512, true);
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_RESID), 0xffffffffu - 512);
	probe(wire);
	mock_close(w);
}
END_TEST

static void
send_ahs(struct mock_wire *wire, uint32_t itt, uint8_t flags, const void *ahs, uint32_t len)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_cmd_bhs(wire, bhs, ISCSI_OP_SCSI_CMD, ISCSI_FINAL | flags, itt);
	bhs[32] = 0;
	mock_send_ahs(wire, bhs, ahs, len, NULL, 0);
}

START_TEST(test_additional_headers)
{
	/* AHSLength counts what follows the type: a reserved byte, then CDB bytes 16.. */
	uint8_t cdb[20] = { 0, 17, ISCSI_AHS_EXT_CDB, 0, 0xaa, 0xbb, [19] = 0xcc };
	uint8_t bad[16] = { 0xff, 0xff, ISCSI_AHS_EXT_CDB }, huge[1020] = { 0 };
	uint8_t longest[248] = { 0, 245, ISCSI_AHS_EXT_CDB, 0, [247] = 0x77 };
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint8_t bhs[ISCSI_BHS_LEN];

	send_ahs(wire, 1, 0, cdb, sizeof(cdb));
	(void)mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(w->last_cdb_len, 32);
	ck_assert_uint_eq(w->last_cdb[16], 0xaa);
	ck_assert_uint_eq(w->last_cdb[31], 0xcc);
	send_ahs(wire, 2, 0, longest, sizeof(longest));
	(void)mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(w->last_cdb_len, 260);
	ck_assert_uint_eq(w->last_cdb[259], 0x77);
	send_ahs(wire, 3, 0, bad, sizeof(bad));
	expect_reject(wire, ISCSI_REJECT_FIELD, NULL);
	send_ahs(wire, 4, 0, huge, sizeof(huge));
	expect_reject(wire, ISCSI_REJECT_FIELD, NULL);
	mock_cmd_bhs(wire, bhs, ISCSI_OP_NOP_OUT, ISCSI_FINAL, 5);
	be32_put(bhs + ISCSI_O_TTT, ISCSI_TAG_NONE);
	mock_send_ahs(wire, bhs, cdb, sizeof(cdb), NULL, 0);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_REJECT).bhs[2], ISCSI_REJECT_FIELD);
	probe(wire);
	ck_assert_uint_eq(w->n_commands, 3);
	mock_close(w);
}
END_TEST

START_TEST(test_bidirectional_commands_are_refused)
{
	uint8_t ahs[8] = { 0, 5, ISCSI_AHS_BIDI_READ, 0, 0, 0, 2, 0 };
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint8_t bhs[ISCSI_BHS_LEN];
	struct mock_pdu pdu;

	mock_cmd_bhs(
	    wire, bhs, ISCSI_OP_SCSI_CMD, ISCSI_FINAL | ISCSI_CMD_READ | ISCSI_CMD_WRITE, 6);
	be32_put(bhs + ISCSI_O_EDTL, 1024);
	mock_send_ahs(wire, bhs, ahs, sizeof(ahs), data, 1024);
	pdu = mock_expect(wire, ISCSI_OP_SCSI_RSP);
	ck_assert_uint_eq(pdu.bhs[3], SAM_STAT_CHECK_CONDITION);
	ck_assert_uint_eq(pdu.bhs[1], ISCSI_FINAL | ISCSI_RSP_BIDI_UNDER | ISCSI_RSP_UNDER);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_BIDI_RESID), 512);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_RESID), 1024);
	ck_assert_uint_eq(pdu.data[2 + 2] & 0x0f, 5);
	ck_assert_uint_eq(w->n_commands, 0);
	probe(wire);
	mock_close(w);
}
END_TEST

START_TEST(test_reserved_functions)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_tmf(wire, 1, 0x55, 0, 0, true);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_TMF_RSP).bhs[2], ISCSI_TMF_NOT_SUPPORTED);
	mock_cmd_bhs(wire, bhs, ISCSI_OP_LOGOUT | ISCSI_IMMEDIATE, ISCSI_FINAL | 0x55, 2);
	mock_send(wire, bhs, NULL, 0);
	(void)mock_expect(wire, ISCSI_OP_REJECT);
	probe(wire);
	mock_close(w);
}
END_TEST

CHECK_MAIN("bad requests", test_opcodes, test_snack_needs_error_recovery, test_login_again,
    test_data_that_was_not_asked_for, test_data_out_against_its_r2t,
    test_immediate_data_beyond_its_limits, test_data_that_was_negotiated_away,
    test_largest_transfer_lengths, test_additional_headers,
    test_bidirectional_commands_are_refused, test_reserved_functions)
