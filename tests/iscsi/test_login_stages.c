/* test_login_stages.c - every way through the stages of a login, and no other */
#include <string.h>

#include "check_main.h"
#include "mock_login.h"

static struct login_peer *peer;

START_TEST(one_request_from_the_operational_stage)
{
	const struct iscsi_login_result *result;

	peer = peer_new();
	peer->use_target = true;
	peer->cid = 3;
	result = peer_login(peer, NAMES "HeaderDigest=None\n");
	ck_assert_ptr_nonnull(result);
	ck_assert_uint_eq(peer_flags(peer), 0x80 | 1 << 2 | 3);
	ck_assert_uint_eq(peer_status(peer), 0);
	ck_assert_uint_eq(be16_get(peer->pdu->bhs + ISCSI_O_TSIH), 1);
	ck_assert_uint_eq(iscsi_pdu_u32(peer->pdu->bhs, ISCSI_O_ITT), 0x1234);
	ck_assert_uint_eq(iscsi_pdu_u32(peer->pdu->bhs, ISCSI_O_STAT_SN), 100);
	ck_assert_uint_eq(iscsi_pdu_u32(peer->pdu->bhs, ISCSI_O_EXP_CMD_SN), 5);
	ck_assert_uint_eq(iscsi_pdu_u32(peer->pdu->bhs, ISCSI_O_MAX_CMD_SN), 36);
	ck_assert_int_eq(memcmp(peer->pdu->bhs + ISCSI_O_ISID, peer->isid, 6), 0);
	peer_assert_value(peer, "TargetPortalGroupTag", "7");
	peer_assert_value(peer, "HeaderDigest", "None");
	peer_assert_value(peer, "MaxRecvDataSegmentLength", "262144");
	ck_assert_str_eq(result->initiator, "iqn.2026-01.lan.test:i1");
	ck_assert_str_eq(result->target, "iqn.2026-01.lan.test:t1");
	ck_assert_uint_eq(result->tsih, 1);
	ck_assert_uint_eq(result->cid, 3);
	ck_assert_uint_eq(result->stat_sn, 101);
	ck_assert_uint_eq(result->exp_cmd_sn, 5);
	ck_assert_uint_eq(result->window, 32);
	ck_assert_uint_eq(result->tag, 7);
	ck_assert(!result->is_discovery && !result->is_authenticated);
	ck_assert_uint_eq(peer->finds, 1);
	ck_assert_uint_eq(peer->lookups, 1);
	ck_assert_uint_eq(peer->commits, 1);
	peer_free(peer);
}
END_TEST

START_TEST(security_then_operational_then_full)
{
	peer = peer_new();
	ck_assert_int_eq(peer_send(peer, 0, 1, NAMES "AuthMethod=CHAP,None\n"), ISCSI_LOGIN_GOING);
	peer_assert_value(peer, "AuthMethod", "None");
	ck_assert_ptr_null(peer_value(peer, "MaxRecvDataSegmentLength"));
	ck_assert_uint_eq(peer_flags(peer), 0x80 | 1);
	ck_assert_uint_eq(be16_get(peer->pdu->bhs + ISCSI_O_TSIH), 0);
	ck_assert_int_eq(peer_send(peer, 1, NO_T, "MaxBurstLength=4096\n"), ISCSI_LOGIN_GOING);
	ck_assert_uint_eq(peer_flags(peer), 1 << 2);
	peer_assert_value(peer, "MaxBurstLength", "4096");
	peer_assert_value(peer, "MaxRecvDataSegmentLength", "262144");
	ck_assert_uint_eq(iscsi_pdu_u32(peer->pdu->bhs, ISCSI_O_STAT_SN), 101);
	ck_assert_int_eq(peer_send(peer, 1, 3, ""), ISCSI_LOGIN_DONE);
	ck_assert_uint_eq(peer_flags(peer), 0x80 | 1 << 2 | 3);
	ck_assert_uint_eq(peer->text_len, 0);
	ck_assert_uint_eq(iscsi_login_result(peer->login)->params.max_recv_data, 262144);
	ck_assert_uint_eq(iscsi_login_result(peer->login)->params.max_burst, 4096);
	ck_assert_uint_eq(iscsi_login_result(peer->login)->params.first_burst, 4096);
	peer_free(peer);
}
END_TEST

START_TEST(security_straight_to_full)
{
	peer = peer_new();
	ck_assert_int_eq(peer_send(peer, 0, 3, NAMES), ISCSI_LOGIN_DONE);
	ck_assert_uint_eq(peer_flags(peer), 0x80 | 3);
	/* nothing was declared, so what we take is the default */
	ck_assert_uint_eq(iscsi_login_result(peer->login)->params.max_recv_data, 8192);
	peer_free(peer);
}
END_TEST

START_TEST(operational_keys_and_security_keys_in_any_split)
{
	peer = peer_new();
	ck_assert_int_eq(peer_send(peer, 0, NO_T, NAMES "InitialR2T=No\n"), ISCSI_LOGIN_GOING);
	peer_assert_value(peer, "InitialR2T", "No");
	ck_assert_int_eq(peer_send(peer, 0, 1, "AuthMethod=None\n"), ISCSI_LOGIN_GOING);
	ck_assert_int_eq(peer_send(peer, 1, 3, "ImmediateData=No\n"), ISCSI_LOGIN_DONE);
	ck_assert(!iscsi_login_result(peer->login)->params.initial_r2t);
	peer_free(peer);

	/* AuthMethod in the operational stage, where nobody demands more than None */
	peer = peer_new();
	ck_assert_ptr_nonnull(peer_login(peer, NAMES "AuthMethod=CHAP,None\n"));
	peer_assert_value(peer, "AuthMethod", "None");
	peer_free(peer);
}
END_TEST

/* CSG, NSG, T and C that no first request may have */
START_TEST(stages_that_do_not_exist)
{
	static const uint8_t flags[] = {
		2 << 2, 3 << 2,			/* no stage to start in */
		0x80 | 0, 0x80 | 2,		/* security to itself, to the reserved one */
		0x80 | 1 << 2 | 0, 0x80 | 1 << 2 | 1, 0x80 | 1 << 2 | 2,
		0x80 | 0x40 | 1, 0x80 | 0x40 | 1 << 2 | 3,	/* T and C */
	};

	for (size_t i = 0; i < sizeof(flags); i++) {
		peer = peer_new();
		ck_assert_int_eq(peer_send_flags(peer, flags[i], "", 0), ISCSI_LOGIN_FAILED);
		peer_assert_failed(peer, ISCSI_LOGIN_INITIATOR_ERROR);
		ck_assert_uint_eq(peer_flags(peer) & 0x80, 0);
		ck_assert_uint_eq(peer->commits, 0);
		peer_free(peer);
	}
}
END_TEST

START_TEST(a_stage_that_we_are_not_in)
{
	peer = peer_new();
	ck_assert_int_eq(peer_send(peer, 0, NO_T, NAMES), ISCSI_LOGIN_GOING);
	ck_assert_int_eq(peer_send(peer, 1, 3, ""), ISCSI_LOGIN_FAILED);
	peer_assert_failed(peer, ISCSI_LOGIN_INITIATOR_ERROR);
	peer_free(peer);

	peer = peer_new();
	ck_assert_int_eq(peer_send(peer, 0, 1, NAMES), ISCSI_LOGIN_GOING);
	ck_assert_int_eq(peer_send(peer, 0, 1, ""), ISCSI_LOGIN_FAILED);
	peer_assert_failed(peer, ISCSI_LOGIN_INITIATOR_ERROR);
	peer_free(peer);
}
END_TEST

/* ISID, TSIH, CID, task tag: the same in every request */
START_TEST(identity_that_changes_on_the_way)
{
	for (int i = 0; i < 4; i++) {
		peer = peer_new();
		ck_assert_int_eq(peer_send(peer, 0, NO_T, NAMES), ISCSI_LOGIN_GOING);
		peer->isid[5] ^= i == 0;
		peer->tsih ^= i == 1;
		peer->cid ^= i == 2;
		peer->itt ^= i == 3;
		ck_assert_int_eq(peer_send(peer, 0, 1, ""), ISCSI_LOGIN_FAILED);
		peer_assert_failed(peer, ISCSI_LOGIN_INITIATOR_ERROR);
		peer_free(peer);
	}
}
END_TEST

START_TEST(versions)
{
	peer = peer_new();
	peer->version_max = 3;
	ck_assert_ptr_nonnull(peer_login(peer, NAMES));
	ck_assert_uint_eq(peer->pdu->bhs[2], 0);
	ck_assert_uint_eq(peer->pdu->bhs[3], 0);
	peer_free(peer);

	peer = peer_new();
	peer->version_max = peer->version_min = 1;
	ck_assert_ptr_null(peer_login(peer, NAMES));
	peer_assert_failed(peer, ISCSI_LOGIN_BAD_VERSION);
	ck_assert_uint_eq(peer->finds, 0);
	peer_free(peer);
}
END_TEST

START_TEST(a_login_does_not_go_on_for_ever)
{
	unsigned int i = 1;

	peer = peer_new();
	ck_assert_int_eq(peer_send(peer, 0, NO_T, NAMES), ISCSI_LOGIN_GOING);
	while (peer_send(peer, 0, NO_T, "") == ISCSI_LOGIN_GOING)
		i++;
	ck_assert_uint_eq(i, ISCSI_LOGIN_PDUS_MAX);
	peer_assert_failed(peer, ISCSI_LOGIN_INITIATOR_ERROR);
	peer_free(peer);
}
END_TEST

CHECK_MAIN("login stages", one_request_from_the_operational_stage,
	security_then_operational_then_full, security_straight_to_full,
	operational_keys_and_security_keys_in_any_split, stages_that_do_not_exist,
	a_stage_that_we_are_not_in, identity_that_changes_on_the_way, versions,
	a_login_does_not_go_on_for_ever)
