/* NOP both ways, Text and SendTargets in full feature phase, discovery sessions. */
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "mock_initiator.h"

static void
nop(struct mock_wire *wire, uint32_t itt, uint32_t ttt, const void *data, uint32_t len)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_cmd_bhs(wire, bhs, ISCSI_OP_NOP_OUT | ISCSI_IMMEDIATE, ISCSI_FINAL, itt);
	be32_put(bhs + ISCSI_O_TTT, ttt);
	mock_send(wire, bhs, data, len);
}

static void
text(struct mock_wire *wire, uint8_t flags, uint32_t ttt, const char *data, size_t len)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	mock_cmd_bhs(wire, bhs, ISCSI_OP_TEXT, flags, 77);
	be32_put(bhs + ISCSI_O_TTT, ttt);
	mock_send(wire, bhs, data, (uint32_t)len);
}

#define TEXT(wire, flags, ttt, s)	text(wire, flags, ttt, s, sizeof(s))

START_TEST(test_pings_come_back)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	struct mock_pdu pdu;

	nop(wire, 5, ISCSI_TAG_NONE, "hello", 5);
	pdu = mock_expect(wire, ISCSI_OP_NOP_IN);
	ck_assert_uint_eq(pdu.len, 5);
	ck_assert_mem_eq(pdu.data, "hello", 5);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_ITT), 5);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_TTT), ISCSI_TAG_NONE);
	nop(wire, 6, ISCSI_TAG_NONE, NULL, 0);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_NOP_IN).len, 0);
	nop(wire, ISCSI_TAG_NONE, ISCSI_TAG_NONE, NULL, 0); /* only tells numbers */
	mock_quiet(wire);
	wire->chunk = 100;
	nop(wire, 7, ISCSI_TAG_NONE, w->disk, 3000);
	pdu = mock_expect(wire, ISCSI_OP_NOP_IN);
	ck_assert_mem_eq(pdu.data, w->disk, 3000);
	mock_close(w);
}
END_TEST

static void
with_nop(struct mock_world *w)
{
	w->config.nop_interval_ms = 10000;
	w->config.nop_timeout_ms = 5000;
}

START_TEST(test_silence_is_asked_about)
{
	struct mock_world *w = mock_open(with_nop);
	struct mock_wire *wire = mock_session(w);
	struct iscsi_stats stats;
	struct mock_pdu pdu;

	mock_tick(w, 9000);
	mock_quiet(wire);
	mock_tick(w, 1000);
	pdu = mock_expect(wire, ISCSI_OP_NOP_IN);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_ITT), ISCSI_TAG_NONE);
	ck_assert_uint_ne(be32_get(pdu.bhs + ISCSI_O_TTT), ISCSI_TAG_NONE);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_STAT_SN), wire->exp_stat_sn);
	mock_tick(w, 4000);
	nop(wire, ISCSI_TAG_NONE, be32_get(pdu.bhs + ISCSI_O_TTT), NULL, 0);
	mock_tick(w, 4000);
	mock_quiet(wire);
	mock_tick(w, 6000);
	(void)mock_expect(wire, ISCSI_OP_NOP_IN);
	mock_tick(w, 5000);
	ck_assert(wire->is_close_due);
	ck_assert_int_eq(wire->why, ISCSI_END_SILENT);
	iscsi_conn_stats(wire->conn, &stats);
	ck_assert_uint_eq(stats.nop_timeouts, 1);
	mock_close(w);
}
END_TEST

START_TEST(test_a_session_learns_of_its_own_target)
{
	static const char *const bad[] = { "SendTargetsPlease=All", "sendtargets=All" };
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	struct mock_pdu pdu;

	TEXT(wire, ISCSI_FINAL, ISCSI_TAG_NONE, "SendTargets=All");
	pdu = mock_expect(wire, ISCSI_OP_TEXT_RSP);
	ck_assert_uint_eq(pdu.bhs[1], ISCSI_FINAL);
	ck_assert_uint_eq(be32_get(pdu.bhs + ISCSI_O_TTT), ISCSI_TAG_NONE);
	ck_assert_str_eq((char *)pdu.data, "TargetName=" MOCK_TARGET);
	ck_assert_ptr_null(memmem(pdu.data, pdu.len, MOCK_TARGET "2", sizeof(MOCK_TARGET)));
	TEXT(wire, ISCSI_FINAL, ISCSI_TAG_NONE, "SendTargets=" MOCK_TARGET);
	ck_assert_uint_gt(mock_expect(wire, ISCSI_OP_TEXT_RSP).len, 40);
	TEXT(wire, ISCSI_FINAL, ISCSI_TAG_NONE, "SendTargets=" MOCK_TARGET "2");
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_TEXT_RSP).len, 0);
	TEXT(wire, ISCSI_FINAL, ISCSI_TAG_NONE, "SendTargets=Alle");
	(void)mock_expect(wire, ISCSI_OP_REJECT);
	TEXT(wire, ISCSI_FINAL, ISCSI_TAG_NONE, "SendTargets=A");
	(void)mock_expect(wire, ISCSI_OP_REJECT);
	for (size_t i = 0; i < 2; i++) { /* no such keys */
		text(wire, ISCSI_FINAL, ISCSI_TAG_NONE, bad[i], strlen(bad[i]) + 1);
		ck_assert(mock_recv(wire, &pdu));
	}
	mock_read(wire, 1, 0, 1, 512);
	(void)mock_expect(wire, ISCSI_OP_DATA_IN);
	mock_close(w);
}
END_TEST

START_TEST(test_text_comes_and_goes_in_pieces)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire;
	char whole[2048] = "";
	struct mock_pdu pdu;
	size_t len = 0;
	uint32_t ttt;

	w->keys = "MaxRecvDataSegmentLength=512\0";
	w->keys_len = 29;
	wire = mock_session(w);
	text(wire, ISCSI_TEXT_CONTINUE, ISCSI_TAG_NONE, "SendTar", 7);
	pdu = mock_expect(wire, ISCSI_OP_TEXT_RSP);
	ck_assert_uint_eq(pdu.bhs[1], 0);
	ck_assert_uint_eq(pdu.len, 0);
	ttt = be32_get(pdu.bhs + ISCSI_O_TTT);
	ck_assert_uint_ne(ttt, ISCSI_TAG_NONE);
	text(wire, ISCSI_FINAL, ttt, "gets=All", 9);
	pdu = mock_expect(wire, ISCSI_OP_TEXT_RSP);
	ck_assert_str_eq((char *)pdu.data, "TargetName=" MOCK_TARGET);
	/* an answer longer than the initiator takes: unknown keys are answered one by one */
	for (int i = 0; i < 60; i++)
		len += (size_t)snprintf(whole + len, sizeof(whole) - len, "X-key%d=1", i) + 1;
	text(wire, ISCSI_FINAL, ISCSI_TAG_NONE, whole, len);
	len = 0;
	for (;;) {
		pdu = mock_expect(wire, ISCSI_OP_TEXT_RSP);
		ck_assert_uint_le(pdu.len, 512);
		len += pdu.len;
		if (pdu.bhs[1] == ISCSI_FINAL)
			break;
		ck_assert_uint_eq(pdu.bhs[1], ISCSI_TEXT_CONTINUE);
		text(wire, ISCSI_FINAL, be32_get(pdu.bhs + ISCSI_O_TTT), NULL, 0);
	}
	ck_assert_uint_gt(len, 60 * 20);
	mock_close(w);
}
END_TEST

START_TEST(test_bad_continuations)
{
	static char much[60000];
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);
	struct mock_pdu pdu;

	TEXT(wire, ISCSI_FINAL, 99, "SendTargets=All"); /* of nothing */
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_REJECT).bhs[2], ISCSI_REJECT_FIELD);
	TEXT(wire, ISCSI_FINAL | ISCSI_TEXT_CONTINUE, ISCSI_TAG_NONE, "SendTargets=All");
	(void)mock_expect(wire, ISCSI_OP_REJECT);
	TEXT(wire, ISCSI_FINAL, ISCSI_TAG_NONE, "no pair");
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_REJECT).bhs[2], ISCSI_REJECT_PROTOCOL);
	memset(much, 'a', sizeof(much));
	text(wire, ISCSI_TEXT_CONTINUE, ISCSI_TAG_NONE, much, sizeof(much));
	pdu = mock_expect(wire, ISCSI_OP_TEXT_RSP);
	text(wire, ISCSI_TEXT_CONTINUE, be32_get(pdu.bhs + ISCSI_O_TTT), much, sizeof(much));
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_REJECT).bhs[2], ISCSI_REJECT_LONG_OP);
	TEXT(wire, ISCSI_FINAL, ISCSI_TAG_NONE, "SendTargets=All");
	(void)mock_expect(wire, ISCSI_OP_TEXT_RSP);
	mock_close(w);
}
END_TEST

START_TEST(test_segment_length_is_declared_anew)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = mock_session(w);

	TEXT(wire, ISCSI_FINAL, ISCSI_TAG_NONE, "MaxRecvDataSegmentLength=1024");
	(void)mock_expect(wire, ISCSI_OP_TEXT_RSP);
	mock_read(wire, 1, 0, 4, 2048);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_DATA_IN).len, 1024);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_DATA_IN).len, 1024);
	mock_close(w);
}
END_TEST

static struct mock_wire *
discover(struct mock_world *w)
{
	static const char keys[] = "InitiatorName=" MOCK_INITIATOR "\0SessionType=Discovery\0";
	uint8_t bhs[ISCSI_BHS_LEN] = { ISCSI_OP_LOGIN | ISCSI_IMMEDIATE, 0x87, [8] = 0x40 };
	struct mock_wire *wire = mock_connect(w);
	struct mock_pdu pdu;

	mock_send(wire, bhs, keys, sizeof(keys) - 1);
	pdu = mock_expect(wire, ISCSI_OP_LOGIN_RSP);
	ck_assert_uint_eq(be16_get(pdu.bhs + ISCSI_O_LOGIN_STATUS), 0);
	return wire;
}

START_TEST(test_discovery)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = discover(w);
	struct mock_pdu pdu;

	ck_assert(iscsi_session_info(iscsi_conn_session(wire->conn))->is_discovery);
	TEXT(wire, ISCSI_FINAL, ISCSI_TAG_NONE, "SendTargets=All");
	pdu = mock_expect(wire, ISCSI_OP_TEXT_RSP);
	ck_assert_ptr_nonnull(memmem(pdu.data, pdu.len, MOCK_TARGET "2", sizeof(MOCK_TARGET)));
	mock_read(wire, 1, 0, 1, 512);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_REJECT).bhs[2], ISCSI_REJECT_PROTOCOL);
	mock_tmf(wire, 1, ISCSI_TMF_LU_RESET, 0, 0, true);
	(void)mock_expect(wire, ISCSI_OP_REJECT);
	nop(wire, 5, ISCSI_TAG_NONE, "x", 1);
	(void)mock_expect(wire, ISCSI_OP_NOP_IN);
	mock_logout(wire, ISCSI_LOGOUT_SESSION, 0);
	ck_assert_uint_eq(mock_expect(wire, ISCSI_OP_LOGOUT_RSP).bhs[2], ISCSI_LOGOUT_DONE);
	ck_assert(wire->is_close_due);
	wire = discover(w); /* ends without a word */
	mock_hangup(wire);
	mock_close(w);
}
END_TEST

#define MANY_TARGETS	3000

static void
send_many(struct iscsi_conn *conn, enum iscsi_send_targets what, const char *name,
    struct iscsi_text_out *out)
{
	char target[128];

	(void)conn;
	(void)what;
	(void)name;
	for (int i = 0; i < MANY_TARGETS; i++) {
		(void)snprintf(target, sizeof(target), "iqn.2026-11.internal.test:many-%08d", i);
		iscsi_send_targets_name(out, target);
	}
}

static void
with_many(struct mock_world *w)
{
	w->ops.send_targets = send_many;
}

START_TEST(test_discovery_of_many)
{
	struct mock_world *w = mock_open(with_many);
	struct mock_wire *wire = discover(w);
	struct mock_pdu pdu;
	size_t len = 0;

	TEXT(wire, ISCSI_FINAL, ISCSI_TAG_NONE, "SendTargets=All");
	do {
		pdu = mock_expect(wire, ISCSI_OP_TEXT_RSP);
		len += pdu.len;
		if (pdu.bhs[1] != ISCSI_FINAL)
			text(wire, ISCSI_FINAL, be32_get(pdu.bhs + ISCSI_O_TTT), NULL, 0);
	} while (pdu.bhs[1] != ISCSI_FINAL);
	ck_assert_uint_eq(len, MANY_TARGETS *
	    sizeof("TargetName=iqn.2026-11.internal.test:many-00000000"));
	mock_close(w);
}
END_TEST

START_TEST(test_discovery_does_not_last_for_ever)
{
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = discover(w);

	mock_tick(w, 50000);
	nop(wire, 5, ISCSI_TAG_NONE, "x", 1);
	(void)mock_expect(wire, ISCSI_OP_NOP_IN);
	mock_tick(w, 50000);
	ck_assert(!wire->is_close_due);
	mock_tick(w, 11000);
	ck_assert(wire->is_close_due);
	ck_assert_int_eq(wire->why, ISCSI_END_SILENT);
	mock_close(w);
}
END_TEST

/* whoever may ask, may not make us keep much */
START_TEST(test_discovery_that_takes_no_answers_is_not_heard)
{
	static uint8_t data[8192];
	struct mock_world *w = mock_open(NULL);
	struct mock_wire *wire = discover(w);
	struct iovec iov[ISCSI_RX_IOV_MAX];
	uint32_t n = 0;

	while (n < 100 && iscsi_conn_rx(wire->conn, iov) > 0)
		nop(wire, n++, ISCSI_TAG_NONE, data, sizeof(data));
	ck_assert_uint_lt(n, 12);
	mock_drain(wire);
	ck_assert_uint_eq(iscsi_conn_rx(wire->conn, iov), 1);
	mock_close(w);
}
END_TEST

CHECK_MAIN("text and nop", test_pings_come_back, test_silence_is_asked_about,
    test_a_session_learns_of_its_own_target, test_text_comes_and_goes_in_pieces,
    test_bad_continuations, test_segment_length_is_declared_anew, test_discovery,
    test_discovery_of_many, test_discovery_does_not_last_for_ever,
    test_discovery_that_takes_no_answers_is_not_heard)
