/* test_login_text.c - text that is split over requests, and answers that are */
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "check_main.h"
#include "mock_login.h"

#define C	ISCSI_LOGIN_CONTINUE
#define OPER	(1 << 2)

static struct login_peer *peer;

START_TEST(a_request_cut_anywhere)
{
	static const char text[] = "InitiatorName=iqn.2026-01.lan.test:i1\0"
		"TargetName=iqn.2026-01.lan.test:t1\0InitialR2T=No\0MaxBurstLength=4096";

	for (size_t cut = 0; cut <= sizeof(text); cut++) {
		peer = peer_new();
		ck_assert_int_eq(peer_send_flags(peer, OPER | C, text, cut), ISCSI_LOGIN_GOING);
		ck_assert_uint_eq(peer_flags(peer), OPER);
		ck_assert_uint_eq(peer->text_len, 0);
		ck_assert_uint_eq(peer->finds, 0);
		ck_assert_int_eq(peer_send_flags(peer, OPER | 0x80 | 3, text + cut, sizeof(text) - cut),
		    ISCSI_LOGIN_DONE);
		peer_assert_value(peer, "InitialR2T", "No");
		peer_assert_value(peer, "MaxBurstLength", "4096");
		peer_free(peer);
	}
}
END_TEST

START_TEST(byte_by_byte)
{
	static const char text[] = "InitiatorName=iqn.2026-01.lan.test:i1\0"
		"TargetName=iqn.2026-01.lan.test:t1\0";

	peer = peer_new();
	for (size_t i = 0; i < sizeof(text); i++)
		ck_assert_int_eq(peer_send_flags(peer, OPER | C, text + i, 1), ISCSI_LOGIN_GOING);
	ck_assert_int_eq(peer_send(peer, 1, 3, ""), ISCSI_LOGIN_DONE);
	peer_free(peer);
}
END_TEST

START_TEST(too_much_text)
{
	static char big[ISCSI_LOGIN_DATA_MAX + 1];

	peer = peer_new();
	memset(big, 'x', sizeof(big));
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(peer_send_flags(peer, OPER | C, big, ISCSI_LOGIN_DATA_MAX),
		    ISCSI_LOGIN_GOING);
	ck_assert_int_eq(peer_send_flags(peer, OPER | C, big, 1), ISCSI_LOGIN_FAILED);
	peer_assert_failed(peer, ISCSI_LOGIN_INITIATOR_ERROR);
	peer_free(peer);

	/* one segment longer than may be: refused by its header */
	peer = peer_new();
	ck_assert_int_eq(peer_send_flags(peer, OPER | C, big, sizeof(big)), ISCSI_LOGIN_FAILED);
	peer_assert_failed(peer, ISCSI_LOGIN_INITIATOR_ERROR);
	peer_free(peer);
}
END_TEST

/* 100 keys that nobody knows, 60 bytes each: an answer that takes many pieces of 512 bytes */
static const char *
long_request(void)
{
	static char text[16384];
	int n = snprintf(text, sizeof(text), "%sMaxRecvDataSegmentLength=512\n", NAMES);

	for (int i = 0; i < 100; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "X-com.example.a-rather-long-key.%04d=1\n", i);
	return text;
}

START_TEST(an_answer_in_pieces)
{
	char key[64];

	peer = peer_new();
	ck_assert_int_eq(peer_send(peer, 1, 3, long_request()), ISCSI_LOGIN_GOING);
	ck_assert_uint_eq(peer_flags(peer), C | OPER);	/* no T as long as there is more */
	ck_assert_uint_eq(peer->pdu->data_len, 512);
	ck_assert_uint_eq(peer->commits, 0);
	peer_fetch(peer, 1, 3);
	ck_assert_int_eq(peer->state, ISCSI_LOGIN_DONE);
	ck_assert_uint_eq(peer->commits, 1);
	ck_assert_uint_eq(peer_flags(peer), 0x80 | OPER | 3);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(key, sizeof(key), "X-com.example.a-rather-long-key.%04d", i);
		peer_assert_value(peer, key, "NotUnderstood");
	}
	peer_free(peer);

	/* T only after the last piece */
	peer = peer_new();
	ck_assert_int_eq(peer_send(peer, 1, NO_T, long_request()), ISCSI_LOGIN_GOING);
	peer_fetch(peer, 1, NO_T);
	ck_assert_int_eq(peer->state, ISCSI_LOGIN_GOING);
	ck_assert_uint_eq(peer_flags(peer), OPER);
	ck_assert_int_eq(peer_send(peer, 1, 3, ""), ISCSI_LOGIN_DONE);
	peer_free(peer);
}
END_TEST

START_TEST(text_before_the_answer_was_fetched)
{
	peer = peer_new();
	ck_assert_int_eq(peer_send(peer, 1, NO_T, long_request()), ISCSI_LOGIN_GOING);
	ck_assert_int_eq(peer_send(peer, 1, NO_T, "InitialR2T=No\n"), ISCSI_LOGIN_FAILED);
	peer_assert_failed(peer, ISCSI_LOGIN_INITIATOR_ERROR);
	ck_assert_uint_eq(peer->text_len, 0);
	peer_free(peer);

	peer = peer_new();
	ck_assert_int_eq(peer_send(peer, 1, NO_T, long_request()), ISCSI_LOGIN_GOING);
	ck_assert_int_eq(peer_send_flags(peer, OPER | C, "", 0), ISCSI_LOGIN_FAILED);
	peer_assert_failed(peer, ISCSI_LOGIN_INITIATOR_ERROR);
	peer_free(peer);
}
END_TEST

/* the longest value of each key that has one */
START_TEST(longest_values)
{
	static char text[8192];
	char name[ISCSI_NAME_MAX + 1], alias[256];
	const struct iscsi_login_result *result;

	memset(name, 'a', sizeof(name));
	memcpy(name, "iqn.", 4);
	name[ISCSI_NAME_MAX] = '\0';
	memset(alias, 'b', sizeof(alias));
	alias[255] = '\0';
	(void)snprintf(text, sizeof(text),
	    "InitiatorName=%s\nTargetName=%s\nInitiatorAlias=%s\n", name, name, alias);
	peer = peer_new();
	result = peer_login(peer, text);
	ck_assert_ptr_nonnull(result);
	ck_assert_str_eq(result->initiator, name);
	ck_assert_str_eq(result->target, name);
	ck_assert_str_eq(result->initiator_alias, alias);
	peer_free(peer);
}
END_TEST

START_TEST(an_alias_is_told)
{
	peer = peer_new();
	peer->use_target = true;
	(void)snprintf(peer->target.alias, sizeof(peer->target.alias), "disks of room 7");
	ck_assert_ptr_nonnull(peer_login(peer, NAMES));
	peer_assert_value(peer, "TargetAlias", "disks of room 7");
	peer_free(peer);
}
END_TEST

/* every allocation of a login fails once */
START_TEST(no_memory_is_out_of_resources)
{
	int64_t n = 0;
	bool was_hit = true;

	while (was_hit) {
		peer = peer_new();
		fault_arm(++n);
		if (n == 1) {
			ck_assert_ptr_null(iscsi_login_new(&peer->conf, NULL, NULL));
			(void)fault_disarm();
			peer_free(peer);
			continue;
		}
		(void)peer_send(peer, 1, 3, long_request());
		if (peer->state == ISCSI_LOGIN_GOING)
			peer_fetch(peer, 1, 3);
		was_hit = fault_disarm();
		if (was_hit)
			peer_assert_failed(peer, ISCSI_LOGIN_NO_RESOURCES);
		else
			ck_assert_int_eq(peer->state, ISCSI_LOGIN_DONE);
		peer_free(peer);
	}
	ck_assert_int_gt(n, 4);
}
END_TEST

START_TEST(a_digest_that_is_demanded_and_never_offered)
{
	peer = peer_new();
	peer->use_target = true;
	peer->target.offer.header_digests = 1u << ISCSI_DIGEST_CRC32C;
	ck_assert_ptr_null(peer_login(peer, NAMES));
	peer_assert_failed(peer, ISCSI_LOGIN_INITIATOR_ERROR);
	ck_assert_uint_eq(peer->commits, 0);
	peer_free(peer);
}
END_TEST

CHECK_MAIN("login text", a_request_cut_anywhere, byte_by_byte, too_much_text,
    an_answer_in_pieces, text_before_the_answer_was_fetched, longest_values, an_alias_is_told,
    no_memory_is_out_of_resources, a_digest_that_is_demanded_and_never_offered)
