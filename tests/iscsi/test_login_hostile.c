/* test_login_hostile.c - what port scanners and broken initiators send instead of a login */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "mock_login.h"

static struct login_peer *peer;

/* one header as the first thing on a connection, or after a good request */
static void
header_is_refused(uint8_t *bhs, bool is_first, uint16_t status)
{
	peer = peer_new();
	(void)peer_send_flags(peer, ISCSI_LOGIN_CONTINUE, "", 0);
	if (is_first) {
		iscsi_login_free(peer->login);
		peer->login = iscsi_login_new(&peer->conf, NULL, NULL);
	}
	ck_assert(!iscsi_login_header(peer->login, bhs));
	peer->pdu = iscsi_login_answer(peer->login);
	peer->state = ISCSI_LOGIN_FAILED;
	peer_assert_failed(peer, status);
	ck_assert_uint_eq(
	    iscsi_pdu_u32(peer->pdu->bhs, ISCSI_O_ITT), iscsi_pdu_u32(bhs, ISCSI_O_ITT));
	ck_assert_uint_eq(peer->pdu->data_len, 0);
	/* who has not even begun gets no answer */
	ck_assert(iscsi_login_result(peer->login)->is_silent ==
	    (is_first && status == ISCSI_LOGIN_INVALID_REQUEST));
	peer_free(peer);
}

START_TEST(nothing_but_login_requests)
{
	uint8_t bhs[ISCSI_BHS_LEN];

	for (uint8_t op = 0; op < 0x40; op++) {
		if (op == ISCSI_OP_LOGIN)
			continue;
		memset(bhs, op, sizeof(bhs));
		for (int i = 0; i < 4; i++) {
			bhs[0] = op | (i % 2 == 0 ? ISCSI_IMMEDIATE : 0);
			header_is_refused(bhs, i < 2, ISCSI_LOGIN_INVALID_REQUEST);
		}
	}
	/* other protocols */
	memset(bhs, 0, sizeof(bhs));
	memcpy(bhs, "GET / HTTP/1.0\r\n\r\n", 18);
	header_is_refused(bhs, true, ISCSI_LOGIN_INVALID_REQUEST);
	memset(bhs, 0xff, sizeof(bhs));
	header_is_refused(bhs, true, ISCSI_LOGIN_INVALID_REQUEST);
}
END_TEST

START_TEST(lengths_of_login_requests)
{
	uint8_t bhs[ISCSI_BHS_LEN] = { ISCSI_OP_LOGIN | ISCSI_IMMEDIATE, 0x87 };

	bhs[ISCSI_O_AHS_WORDS] = 1;
	header_is_refused(bhs, true, ISCSI_LOGIN_INITIATOR_ERROR);
	bhs[ISCSI_O_AHS_WORDS] = 255;
	header_is_refused(bhs, false, ISCSI_LOGIN_INITIATOR_ERROR);
	bhs[ISCSI_O_AHS_WORDS] = 0;
	iscsi_pdu_put_data_len(bhs, ISCSI_LOGIN_DATA_MAX + 1);
	header_is_refused(bhs, true, ISCSI_LOGIN_INITIATOR_ERROR);
	iscsi_pdu_put_data_len(bhs, 0xffffff);
	header_is_refused(bhs, false, ISCSI_LOGIN_INITIATOR_ERROR);
}
END_TEST

/* a single request, both starting stages: refused as the initiator's error */
START_TEST(text_that_is_none)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {
#define ROW(s)	{ s, sizeof(s) - 1 }
		ROW("\xff\xfe\xfd"),
		ROW("InitiatorName"),
		ROW("=iqn.x"),
		ROW("InitiatorName=iqn.i\0TargetName=iqn.t\0nonsense"),
		ROW("InitiatorName=iqn.i\0InitiatorName=iqn.i\0TargetName=iqn.t"),
		ROW("InitiatorName=iqn.i\0TargetName=iqn.t\0MaxRecvDataSegmentLength=0"),
		ROW("InitiatorName=iqn.i\0TargetName=iqn.t\0MaxRecvDataSegmentLength=-1"),
		ROW("InitiatorName=iqn.i\0TargetName=iqn.t\0MaxRecvDataSegmentLength=4294967808"),
		ROW("InitiatorName=iqn.i\0TargetName=iqn.t\0SendTargets=All"),
		ROW("InitiatorName=iqn.i\0TargetName=iqn.t\0TargetAddress=1.2.3.4"),
		ROW("InitiatorName=iqn.i\0TargetName=iqn.t\0InitialR2T=No\0InitialR2T=Yes"),
		ROW("InitiatorName=iqn.i\0TargetName=iqn.t\0AuthMethod=None\0CHAP_R=0x00"),
#undef ROW
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (uint8_t csg = 0; csg < 2; csg++) {
			peer = peer_new();
			ck_assert_int_eq(peer_send_flags(peer, (uint8_t)(0x83 | csg << 2), rows[i].text,
			    rows[i].len), ISCSI_LOGIN_FAILED);
			peer_assert_failed(peer, ISCSI_LOGIN_INITIATOR_ERROR);
			ck_assert_uint_eq(peer->commits, 0);
			peer_free(peer);
		}
	}
}
END_TEST

START_TEST(values_that_are_refused_and_a_login_that_goes_on)
{
	const struct iscsi_login_result *result;

	peer = peer_new();
	result = peer_login(peer, NAMES "MaxBurstLength=0\nFirstBurstLength=99999999999999999999\n"
	    "MaxConnections=-1\nErrorRecoveryLevel=7\nInitialR2T=maybe\nHeaderDigest=,,\n"
	    "DefaultTime2Wait=4000\nIFMarkInt=65535\nX-=\nq=1\n");
	ck_assert_ptr_nonnull(result);
	peer_assert_value(peer, "MaxBurstLength", "Reject");
	peer_assert_value(peer, "FirstBurstLength", "Reject");
	peer_assert_value(peer, "MaxConnections", "Reject");
	peer_assert_value(peer, "ErrorRecoveryLevel", "Reject");
	peer_assert_value(peer, "InitialR2T", "Reject");
	peer_assert_value(peer, "HeaderDigest", "Reject");
	peer_assert_value(peer, "X-", "NotUnderstood");
	ck_assert_uint_eq(result->params.max_burst, 262144);
	ck_assert_uint_eq(result->params.error_recovery_level, 0);
	peer_free(peer);
}
END_TEST

/* logins are told by their numbers: the ends of each */
START_TEST(numbers_at_their_ends)
{
	const struct iscsi_login_result *result;

	peer = peer_new();
	peer->use_target = true;
	peer->cmd_sn = 0xfffffff0;
	peer->cid = 0xffff;
	peer->itt = 0xffffffff;
	peer->conf.stat_sn = 0xffffffff;
	result = peer_login(peer, NAMES);
	ck_assert_ptr_nonnull(result);
	ck_assert_uint_eq(iscsi_pdu_u32(peer->pdu->bhs, ISCSI_O_EXP_CMD_SN), 0xfffffff0);
	ck_assert_uint_eq(iscsi_pdu_u32(peer->pdu->bhs, ISCSI_O_MAX_CMD_SN), 0x0000000f);
	ck_assert_uint_eq(iscsi_pdu_u32(peer->pdu->bhs, ISCSI_O_STAT_SN), 0xffffffff);
	ck_assert_uint_eq(result->stat_sn, 0);
	peer_free(peer);
}
END_TEST

CHECK_MAIN("login hostile", nothing_but_login_requests, lengths_of_login_requests,
    text_that_is_none, values_that_are_refused_and_a_login_that_goes_on, numbers_at_their_ends)
