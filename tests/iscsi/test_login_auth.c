/* test_login_auth.c - who gets in without CHAP, who with it, and who does not */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "mock_login.h"

static struct login_peer *peer;

static void
begin(enum iscsi_login_auth auth)
{
	peer = peer_new();
	peer->use_target = true;
	peer->target.auth = auth;
	peer->user = "user";
	peer->secret = "secret123456";
}

/* AuthMethod=CHAP and CHAP_A: up to the challenge */
static void
challenged(const char *names, const char *algs)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "CHAP_A=%s\n", algs);
	ck_assert_int_eq(peer_send(peer, 0, 1, names), ISCSI_LOGIN_GOING);
	peer_assert_value(peer, "AuthMethod", "CHAP");
	ck_assert_uint_eq(peer_flags(peer), 0);	/* the step was not granted */
	ck_assert_int_eq(peer_send(peer, 0, NO_T, text), ISCSI_LOGIN_GOING);
	ck_assert_ptr_nonnull(peer_value(peer, "CHAP_C"));
}

START_TEST(chap_with_each_digest)
{
	static const char *const algs[] = { "5", "6", "7", "8", "8,7,6,5" };
	static const unsigned int want[] = { 5, 6, 7, 8, 8 };

	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		const struct iscsi_login_result *result;

		begin(ISCSI_AUTH_CHAP);
		challenged(NAMES "AuthMethod=CHAP,None\n", algs[i]);
		ck_assert_int_eq(peer_send(peer, 0, 1, peer_chap_answer(peer, "user", "secret123456")),
		    ISCSI_LOGIN_GOING);
		ck_assert_uint_eq(peer_flags(peer), 0x80 | 1);
		ck_assert_int_eq(peer_send(peer, 1, 3, ""), ISCSI_LOGIN_DONE);
		result = iscsi_login_result(peer->login);
		ck_assert(result->is_authenticated && !result->is_mutual);
		ck_assert_uint_eq(result->chap_alg, want[i]);
		ck_assert_str_eq(result->chap_user, "user");
		peer_free(peer);
	}
}
END_TEST

START_TEST(method_and_algorithms_in_one_request)
{
	begin(ISCSI_AUTH_CHAP);
	ck_assert_int_eq(peer_send(peer, 0, NO_T, NAMES "AuthMethod=CHAP\nCHAP_A=7\n"),
	    ISCSI_LOGIN_GOING);
	peer_assert_value(peer, "AuthMethod", "CHAP");
	peer_assert_value(peer, "CHAP_A", "7");
	ck_assert_int_eq(peer_send(peer, 0, 3, peer_chap_answer(peer, "user", "secret123456")),
	    ISCSI_LOGIN_DONE);
	peer_free(peer);
}
END_TEST

START_TEST(mutual_chap)
{
	char text[512];

	begin(ISCSI_AUTH_CHAP);
	peer->own_name = "target";
	peer->own_secret = "othersecret12";
	challenged(NAMES "AuthMethod=CHAP\n", "5");
	(void)snprintf(text, sizeof(text), "%sCHAP_I=9\nCHAP_C=0x0011223344556677\n",
	    peer_chap_answer(peer, "user", "secret123456"));
	ck_assert_int_eq(peer_send(peer, 0, 1, text), ISCSI_LOGIN_GOING);
	ck_assert_uint_eq(peer_flags(peer), 0x80 | 1);
	peer_assert_value(peer, "CHAP_N", "target");
	ck_assert_ptr_nonnull(peer_value(peer, "CHAP_R"));
	ck_assert_int_eq(peer_send(peer, 1, 3, ""), ISCSI_LOGIN_DONE);
	ck_assert(iscsi_login_result(peer->login)->is_mutual);
	peer_free(peer);
}
END_TEST

START_TEST(wrong_secrets_and_unknown_users)
{
	static const char *const user[] = { "user", "nobody", "user" };
	static const char *const secret[] = { "wrong1234567", "secret123456", "" };

	for (size_t i = 0; i < ARRAY_LEN(user); i++) {
		begin(ISCSI_AUTH_CHAP);
		challenged(NAMES "AuthMethod=CHAP\n", "5");
		ck_assert_int_eq(peer_send(peer, 0, 1, peer_chap_answer(peer, user[i], secret[i])),
		    ISCSI_LOGIN_FAILED);
		peer_assert_failed(peer, ISCSI_LOGIN_AUTH_FAILED);
		ck_assert_uint_eq(peer->commits, 0);
		ck_assert_uint_eq(peer->secrets, 1);
		ck_assert(!iscsi_login_result(peer->login)->is_authenticated);
		ck_assert_str_eq(iscsi_login_result(peer->login)->chap_user, "");
		ck_assert_uint_eq(peer->text_len, 0);
		peer_free(peer);
	}
}
END_TEST

/* every way past an authentication that is demanded */
START_TEST(chap_cannot_be_gone_around)
{
	static const struct {
		int csg, nsg;
		const char *text;
	} ways[] = {
		{ 1, 3, NAMES },
		{ 1, NO_T, NAMES },
		{ 1, 3, NAMES "AuthMethod=None\n" },
		{ 1, 3, NAMES "AuthMethod=CHAP\n" },
		{ 0, 1, NAMES },
		{ 0, 3, NAMES },
		{ 0, 1, NAMES "AuthMethod=None\n" },
		{ 0, 3, NAMES "AuthMethod=KRB5,SRP,None\n" },
		{ 0, NO_T, NAMES "AuthMethod=None\n" },
		{ 0, NO_T, NAMES "AuthMethod=\n" },
		{ 0, NO_T, NAMES "AuthMethod=chap\n" },
		{ 0, 3, DISCOVERY },
		{ 1, 3, DISCOVERY "AuthMethod=None\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		begin(ISCSI_AUTH_CHAP);
		ck_assert_int_eq(peer_send(peer, ways[i].csg, ways[i].nsg, ways[i].text),
		    ISCSI_LOGIN_FAILED);
		peer_assert_failed(peer, ISCSI_LOGIN_AUTH_FAILED);
		ck_assert_uint_eq(peer->commits, 0);
		peer_free(peer);
	}
	/* in the middle: the step is not granted, however often it is asked for */
	begin(ISCSI_AUTH_CHAP);
	ck_assert_int_eq(peer_send(peer, 0, 3, NAMES "AuthMethod=CHAP\n"), ISCSI_LOGIN_GOING);
	ck_assert_uint_eq(peer_flags(peer), 0);
	ck_assert_int_eq(peer_send(peer, 0, 3, ""), ISCSI_LOGIN_GOING);
	ck_assert_uint_eq(peer_flags(peer), 0);
	ck_assert_int_eq(peer_send(peer, 0, 3, "CHAP_A=5\n"), ISCSI_LOGIN_GOING);
	ck_assert_uint_eq(peer_flags(peer), 0);
	ck_assert_int_eq(peer_send(peer, 0, 3, ""), ISCSI_LOGIN_FAILED);
	peer_assert_failed(peer, ISCSI_LOGIN_INITIATOR_ERROR);
	peer_free(peer);
	/* security first, method never */
	begin(ISCSI_AUTH_CHAP);
	ck_assert_int_eq(peer_send(peer, 0, NO_T, NAMES), ISCSI_LOGIN_GOING);
	ck_assert_int_eq(peer_send(peer, 0, 1, ""), ISCSI_LOGIN_FAILED);
	peer_assert_failed(peer, ISCSI_LOGIN_AUTH_FAILED);
	peer_free(peer);
}
END_TEST

START_TEST(chap_keys_where_none_belong)
{
	begin(ISCSI_AUTH_NONE);
	ck_assert_int_eq(peer_send(peer, 0, 1, NAMES "CHAP_A=5\n"), ISCSI_LOGIN_FAILED);
	peer_assert_failed(peer, ISCSI_LOGIN_INITIATOR_ERROR);
	peer_free(peer);

	begin(ISCSI_AUTH_CHAP);
	ck_assert_int_eq(peer_send(peer, 0, 1, NAMES "AuthMethod=CHAP\nCHAP_N=user\nCHAP_R=0x00\n"),
	    ISCSI_LOGIN_FAILED);
	peer_assert_failed(peer, ISCSI_LOGIN_INITIATOR_ERROR);
	ck_assert_uint_eq(peer->secrets, 0);
	peer_free(peer);

	begin(ISCSI_AUTH_CHAP);
	ck_assert_int_eq(
	    peer_send(peer, 0, 1, NAMES "AuthMethod=CHAP\nCHAP_A=3\n"), ISCSI_LOGIN_FAILED);
	peer_assert_failed(peer, ISCSI_LOGIN_AUTH_FAILED);
	peer_free(peer);
}
END_TEST

START_TEST(nobody_is_asked_for_chap_where_it_is_off)
{
	begin(ISCSI_AUTH_NONE);
	ck_assert_int_eq(peer_send(peer, 0, 3, NAMES "AuthMethod=CHAP,None\n"), ISCSI_LOGIN_DONE);
	peer_assert_value(peer, "AuthMethod", "None");
	peer_free(peer);
	begin(ISCSI_AUTH_NONE);
	ck_assert_int_eq(peer_send(peer, 0, 3, NAMES "AuthMethod=CHAP\n"), ISCSI_LOGIN_FAILED);
	peer_assert_failed(peer, ISCSI_LOGIN_AUTH_FAILED);
	peer_free(peer);
}
END_TEST

START_TEST(optional_chap_is_the_initiators_choice)
{
	begin(ISCSI_AUTH_OPTIONAL);
	ck_assert_int_eq(peer_send(peer, 0, 3, NAMES), ISCSI_LOGIN_DONE);
	peer_free(peer);
	begin(ISCSI_AUTH_OPTIONAL);
	ck_assert_int_eq(peer_send(peer, 0, 3, NAMES "AuthMethod=None,CHAP\n"), ISCSI_LOGIN_DONE);
	peer_free(peer);
	begin(ISCSI_AUTH_OPTIONAL);
	ck_assert_ptr_nonnull(peer_login(peer, NAMES));
	peer_free(peer);
	/* but who has begun has to end it */
	begin(ISCSI_AUTH_OPTIONAL);
	challenged(NAMES "AuthMethod=CHAP,None\n", "5");
	ck_assert_int_eq(peer_send(peer, 0, 1, peer_chap_answer(peer, "user", "wrong")),
	    ISCSI_LOGIN_FAILED);
	peer_assert_failed(peer, ISCSI_LOGIN_AUTH_FAILED);
	peer_free(peer);
}
END_TEST

START_TEST(discovery_is_no_way_around)
{
	begin(ISCSI_AUTH_CHAP);
	challenged(DISCOVERY "AuthMethod=CHAP\n", "7");
	ck_assert_int_eq(peer_send(peer, 0, 3, peer_chap_answer(peer, "user", "secret123456")),
	    ISCSI_LOGIN_DONE);
	ck_assert(iscsi_login_result(peer->login)->is_discovery);
	ck_assert(iscsi_login_result(peer->login)->is_authenticated);
	peer_free(peer);
}
END_TEST

START_TEST(no_randomness_is_the_targets_error)
{
	begin(ISCSI_AUTH_CHAP);
	peer->random_error = -EIO;
	ck_assert_int_eq(
	    peer_send(peer, 0, 1, NAMES "AuthMethod=CHAP\nCHAP_A=5\n"), ISCSI_LOGIN_FAILED);
	peer_assert_failed(peer, ISCSI_LOGIN_TARGET_ERROR);
	peer_free(peer);
}
END_TEST

CHECK_MAIN("login auth", chap_with_each_digest, method_and_algorithms_in_one_request,
    mutual_chap, wrong_secrets_and_unknown_users, chap_cannot_be_gone_around,
    chap_keys_where_none_belong, nobody_is_asked_for_chap_where_it_is_off,
    optional_chap_is_the_initiators_choice, discovery_is_no_way_around,
    no_randomness_is_the_targets_error)
