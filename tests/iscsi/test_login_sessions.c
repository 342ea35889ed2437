/* test_login_sessions.c - what the host answers: targets, sessions, moves, late answers */
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "mock_login.h"

static struct login_peer *peer;

START_TEST(names_that_are_missing_or_wrong)
{
	static const struct {
		const char *text;
		uint16_t status;
	} rows[] = {
		{ "", ISCSI_LOGIN_MISSING_PARAM },
		{ "TargetName=iqn.2026-01.lan.test:t1\n", ISCSI_LOGIN_MISSING_PARAM },
		{ "InitiatorName=iqn.2026-01.lan.test:i1\n", ISCSI_LOGIN_MISSING_PARAM },
		{ "SessionType=Discovery\n", ISCSI_LOGIN_MISSING_PARAM },
		{ "InitiatorName=me\nTargetName=iqn.x\n", ISCSI_LOGIN_INITIATOR_ERROR },
		{ "InitiatorName=\nTargetName=iqn.x\n", ISCSI_LOGIN_INITIATOR_ERROR },
		{ "InitiatorName=iqn.i\nTargetName=t1\n", ISCSI_LOGIN_NOT_FOUND },
		{ "InitiatorName=iqn.i\nTargetName=\n", ISCSI_LOGIN_NOT_FOUND },
		{ NAMES "SessionType=Both\n", ISCSI_LOGIN_SESSION_TYPE },
		{ NAMES "SessionType=\n", ISCSI_LOGIN_SESSION_TYPE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (int csg = 0; csg < 2; csg++) {
			peer = peer_new();
			ck_assert_int_eq(peer_send(peer, csg, 3, rows[i].text), ISCSI_LOGIN_FAILED);
			peer_assert_failed(peer, rows[i].status);
			ck_assert_uint_eq(peer->finds, 0);
			peer_free(peer);
		}
	}
}
END_TEST

/* libiscsi sends them in each stage */
START_TEST(names_may_come_again)
{
	peer = peer_new();
	ck_assert_int_eq(peer_send(peer, 0, 1, NAMES "SessionType=Normal\nAuthMethod=CHAP,None\n"),
	    ISCSI_LOGIN_GOING);
	ck_assert_int_eq(peer_send(peer, 1, 3, NAMES "SessionType=Normal\nInitialR2T=No\n"),
	    ISCSI_LOGIN_DONE);
	ck_assert_uint_eq(peer->finds, 1);
	peer_free(peer);
	peer = peer_new();
	ck_assert_int_eq(peer_send(peer, 0, 1, DISCOVERY), ISCSI_LOGIN_GOING);
	ck_assert_int_eq(peer_send(peer, 1, 3, DISCOVERY), ISCSI_LOGIN_DONE);
	peer_free(peer);
}
END_TEST

START_TEST(names_do_not_change)
{
	static const char *const late[] = { "InitiatorName=iqn.2026-01.lan.test:i2\n",
		"InitiatorName=x\n", "TargetName=iqn.2026-01.lan.test:t2\n", "TargetName=\n",
		"SessionType=Discovery\n", "SessionType=normal\n" };

	for (size_t i = 0; i < ARRAY_LEN(late); i++) {
		peer = peer_new();
		ck_assert_int_eq(peer_send(peer, 1, NO_T, NAMES), ISCSI_LOGIN_GOING);
		ck_assert_int_eq(peer_send(peer, 1, 3, late[i]), ISCSI_LOGIN_FAILED);
		peer_assert_failed(peer, ISCSI_LOGIN_INITIATOR_ERROR);
		ck_assert_uint_eq(peer->commits, 0);
		peer_free(peer);
	}
	/* a target, once it was said that there is none */
	peer = peer_new();
	ck_assert_int_eq(peer_send(peer, 1, NO_T, DISCOVERY), ISCSI_LOGIN_GOING);
	ck_assert_int_eq(peer_send(peer, 1, 3, "TargetName=iqn.x\n"), ISCSI_LOGIN_FAILED);
	peer_free(peer);
}
END_TEST

START_TEST(names_are_folded)
{
	const struct iscsi_login_result *result;

	peer = peer_new();
	result =
	    peer_login(peer, "InitiatorName=IQN.2026-01.LAN:I\nTargetName=Iqn.2026-01.lan:T\n");
	ck_assert_ptr_nonnull(result);
	ck_assert_str_eq(result->initiator, "iqn.2026-01.lan:i");
	ck_assert_str_eq(result->target, "iqn.2026-01.lan:t");
	peer_free(peer);
}
END_TEST

START_TEST(discovery)
{
	const struct iscsi_login_result *result;

	peer = peer_new();
	result = peer_login(peer, DISCOVERY "MaxConnections=4\nHeaderDigest=CRC32C\n");
	ck_assert_ptr_nonnull(result);
	ck_assert(result->is_discovery);
	ck_assert_str_eq(result->target, "");
	ck_assert_ptr_null(peer_value(peer, "TargetPortalGroupTag"));
	peer_assert_value(peer, "MaxConnections", "Irrelevant");
	peer_assert_value(peer, "HeaderDigest", "CRC32C");
	ck_assert_uint_eq(result->params.max_connections, 1);
	peer_free(peer);

	/* a session that is no session of several connections */
	peer = peer_new();
	peer->tsih = 4;
	ck_assert_ptr_null(peer_login(peer, DISCOVERY));
	peer_assert_failed(peer, ISCSI_LOGIN_CANNOT_INCLUDE);
	peer_free(peer);
}
END_TEST

/* each status from each of the three questions */
START_TEST(refusals_of_the_host)
{
	static const uint16_t statuses[] = { ISCSI_LOGIN_AUTH_FAILED, ISCSI_LOGIN_FORBIDDEN,
		ISCSI_LOGIN_NOT_FOUND, ISCSI_LOGIN_REMOVED, ISCSI_LOGIN_TOO_MANY_CONNS,
		ISCSI_LOGIN_CANNOT_INCLUDE, ISCSI_LOGIN_NO_SESSION, ISCSI_LOGIN_TARGET_ERROR,
		ISCSI_LOGIN_UNAVAILABLE, ISCSI_LOGIN_NO_RESOURCES };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		for (int question = 0; question < 3; question++) {
			peer = peer_new();
			peer->find_status = question == 0 ? statuses[i] : 0;
			peer->lookup_status = question == 1 ? statuses[i] : 0;
			peer->commit_status = question == 2 ? statuses[i] : 0;
			ck_assert_ptr_null(peer_login(peer, NAMES));
			peer_assert_failed(peer, statuses[i]);
			ck_assert_uint_eq(peer_flags(peer) & 0x80, 0);
			ck_assert_uint_eq(be16_get(peer->pdu->bhs + ISCSI_O_TSIH), 0);
			ck_assert_uint_eq(peer->lookups, question >= 1);
			ck_assert_uint_eq(peer->commits, question >= 2);
			peer_free(peer);
		}
	}
}
END_TEST

START_TEST(targets_that_have_moved)
{
	peer = peer_new();
	peer->use_target = true;
	(void)snprintf(
	    peer->target.redirect, sizeof(peer->target.redirect), "[2001:db8::1]:3260,2");
	peer->find_status = ISCSI_LOGIN_MOVED_TEMP;
	ck_assert_ptr_null(peer_login(peer, NAMES));
	peer_assert_failed(peer, ISCSI_LOGIN_MOVED_TEMP);
	peer_assert_value(peer, "TargetAddress", "[2001:db8::1]:3260,2");
	peer_free(peer);

	/* moved, but nobody says whereto; answers that do not exist */
	for (int i = 0; i < 3; i++) {
		peer = peer_new();
		peer->find_status = i == 0 ? ISCSI_LOGIN_MOVED_PERM : i == 1 ? 0x0299 :
			ISCSI_LOGIN_PENDING;
		ck_assert_ptr_null(peer_login(peer, NAMES));
		peer_assert_failed(peer, ISCSI_LOGIN_TARGET_ERROR);
		peer_free(peer);
	}
}
END_TEST

START_TEST(a_further_connection)
{
	const struct iscsi_login_result *result;

	peer = peer_new();
	peer->tsih = 9;
	peer->cid = 2;
	peer->exp_stat_sn = 77;
	peer->bind = (struct iscsi_login_bind){ .tsih = 9, .exp_cmd_sn = 1000, .max_cmd_sn = 1031 };
	result = peer_login(peer, NAMES "MaxBurstLength=512\nDataDigest=CRC32C\n");
	ck_assert_ptr_nonnull(result);
	ck_assert_uint_eq(result->asked_tsih, 9);
	ck_assert_uint_eq(result->cid, 2);
	ck_assert_uint_eq(result->tsih, 9);
	ck_assert_uint_eq(result->first_exp_stat_sn, 77);
	ck_assert_uint_eq(result->exp_cmd_sn, 1000);
	peer_assert_value(peer, "MaxBurstLength", "Irrelevant");
	peer_assert_value(peer, "DataDigest", "CRC32C");
	ck_assert_uint_eq(iscsi_pdu_u32(peer->pdu->bhs, ISCSI_O_EXP_CMD_SN), 1000);
	ck_assert_uint_eq(iscsi_pdu_u32(peer->pdu->bhs, ISCSI_O_MAX_CMD_SN), 1031);
	ck_assert_uint_eq(be16_get(peer->pdu->bhs + ISCSI_O_TSIH), 9);
	peer_free(peer);
}
END_TEST

START_TEST(late_answers)
{
	peer = peer_new();
	peer->lookup_status = ISCSI_LOGIN_PENDING;
	peer->commit_status = ISCSI_LOGIN_PENDING;
	ck_assert_ptr_null(peer_login(peer, NAMES "InitialR2T=No\n"));
	ck_assert_int_eq(peer->state, ISCSI_LOGIN_WAITING);
	ck_assert_uint_eq(peer->commits, 0);
	iscsi_login_set_arg(peer->login, peer);
	ck_assert_int_eq(peer_resume(peer, ISCSI_LOGIN_OK), ISCSI_LOGIN_WAITING);
	ck_assert_uint_eq(peer->commits, 1);
	peer->bind = (struct iscsi_login_bind){ 3, 5, 12 };
	ck_assert_int_eq(peer_resume(peer, ISCSI_LOGIN_OK), ISCSI_LOGIN_DONE);
	peer_assert_value(peer, "InitialR2T", "No");
	ck_assert_uint_eq(iscsi_login_result(peer->login)->tsih, 3);
	ck_assert_uint_eq(iscsi_pdu_u32(peer->pdu->bhs, ISCSI_O_MAX_CMD_SN), 12);
	peer_free(peer);

	/* and late refusals */
	for (int i = 0; i < 2; i++) {
		peer = peer_new();
		peer->lookup_status = i == 0 ? ISCSI_LOGIN_PENDING : 0;
		peer->commit_status = i == 1 ? ISCSI_LOGIN_PENDING : 0;
		ck_assert_ptr_null(peer_login(peer, NAMES));
		ck_assert_int_eq(peer_resume(peer, ISCSI_LOGIN_NO_SESSION), ISCSI_LOGIN_FAILED);
		peer_assert_failed(peer, ISCSI_LOGIN_NO_SESSION);
		peer_free(peer);
	}
	/* a step between two stages with an answer that is late */
	peer = peer_new();
	peer->lookup_status = ISCSI_LOGIN_PENDING;
	ck_assert_int_eq(peer_send(peer, 0, 1, NAMES "AuthMethod=None\n"), ISCSI_LOGIN_WAITING);
	ck_assert_int_eq(peer_resume(peer, ISCSI_LOGIN_OK), ISCSI_LOGIN_GOING);
	peer_assert_value(peer, "AuthMethod", "None");
	ck_assert_int_eq(peer_send(peer, 1, 3, ""), ISCSI_LOGIN_DONE);
	ck_assert_uint_eq(peer->lookups, 1);
	peer_free(peer);
}
END_TEST

START_TEST(the_owner_ends_it)
{
	/* before the first request, in the middle, while waiting, after the end */
	for (int i = 0; i < 4; i++) {
		peer = peer_new();
		peer->commit_status = i == 2 ? ISCSI_LOGIN_PENDING : 0;
		if (i == 0)
			ck_assert_int_eq(peer_send_flags(peer, ISCSI_LOGIN_CONTINUE, "", 0),
			    ISCSI_LOGIN_GOING);
		else
			(void)peer_send(peer, 1, i == 1 ? NO_T : 3, NAMES);
		iscsi_login_abort(peer->login, ISCSI_LOGIN_NO_RESOURCES, "too many sessions");
		peer->pdu = iscsi_login_answer(peer->login);
		peer->state = ISCSI_LOGIN_FAILED;
		peer_assert_failed(peer, ISCSI_LOGIN_NO_RESOURCES);
		ck_assert_str_eq(iscsi_login_result(peer->login)->why, "too many sessions");
		ck_assert_uint_eq(iscsi_pdu_u32(peer->pdu->bhs, ISCSI_O_ITT), 0x1234);
		ck_assert_uint_eq(be16_get(peer->pdu->bhs + ISCSI_O_TSIH), 0);
		peer_free(peer);
	}
}
END_TEST

START_TEST(statuses_have_names)
{
	ck_assert_str_eq(iscsi_login_status_name(0x0201), "authentication failure");
	ck_assert_ptr_null(iscsi_login_status_name(0x0999));
	iscsi_login_free(NULL);
}
END_TEST

CHECK_MAIN("login sessions", names_that_are_missing_or_wrong, names_may_come_again,
    names_do_not_change, names_are_folded, discovery, refusals_of_the_host,
    targets_that_have_moved, a_further_connection, late_answers, the_owner_ends_it,
    statuses_have_names)
