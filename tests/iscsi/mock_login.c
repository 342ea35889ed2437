/* mock_login.c - an initiator and a host for the login machine */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mock_login.h"

static int
mock_random(void *arg, void *buf, size_t len)
{
	struct login_peer *peer = arg;
	uint8_t *bytes = buf;

	for (size_t i = 0; i < len; i++)
		bytes[i] = peer->random_next++;
	return peer->random_error;
}

static int
mock_secret(void *arg, const char *name, struct iscsi_chap_secret *ret)
{
	struct login_peer *peer = arg;

	peer->secrets++;
	if (peer->user == NULL || strcmp(name, peer->user) != 0)
		return -ENOENT;
	ret->len = strlen(peer->secret);
	memcpy(ret->bytes, peer->secret, ret->len);
	return 0;
}

static int
mock_own_secret(void *arg, char name[ISCSI_CHAP_NAME_LEN], struct iscsi_chap_secret *ret)
{
	struct login_peer *peer = arg;

	if (peer->own_name == NULL)
		return -ENOENT;
	(void)snprintf(name, ISCSI_CHAP_NAME_LEN, "%s", peer->own_name);
	ret->len = strlen(peer->own_secret);
	memcpy(ret->bytes, peer->own_secret, ret->len);
	return 0;
}

static uint16_t
mock_find_target(void *arg, const struct iscsi_login *login, struct iscsi_login_target *ret)
{
	struct login_peer *peer = arg;

	(void)login;
	peer->finds++;
	ck_assert_uint_eq(ret->auth, ISCSI_AUTH_CHAP);
	ck_assert_uint_eq(ret->window, 1);
	if (peer->use_target)
		*ret = peer->target;
	else
		ret->auth = ISCSI_AUTH_NONE;
	return peer->find_status;
}

static uint16_t
mock_lookup(void *arg, struct iscsi_login *login)
{
	struct login_peer *peer = arg;

	(void)login;
	peer->lookups++;
	return peer->lookup_status;
}

static uint16_t
mock_commit(void *arg, struct iscsi_login *login, struct iscsi_login_bind *ret)
{
	struct login_peer *peer = arg;

	(void)login;
	peer->commits++;
	ret->tsih = peer->bind.tsih;
	if (peer->bind.exp_cmd_sn != 0)
		*ret = peer->bind;
	return peer->commit_status;
}

static const struct iscsi_login_ops mock_ops = {
	.chap = { mock_random, mock_secret, mock_own_secret },
	.find_target = mock_find_target,
	.lookup = mock_lookup,
	.commit = mock_commit,
};

struct login_peer *
peer_new(void)
{
	struct login_peer *peer = calloc(1, sizeof(*peer));

	if (peer == NULL)
		abort();
	iscsi_offer_defaults(&peer->target.offer);
	peer->target.chap_algs = ISCSI_CHAP_ALGS_ALL;
	peer->target.tag = 7;
	peer->target.window = 32;
	peer->conf.stat_sn = 100;
	peer->bind.tsih = 1;
	peer->itt = 0x1234;
	peer->cmd_sn = 5;
	memcpy(peer->isid, "\x80\x12\x34\x56\x00\x01", 6);
	return peer;
}

void
peer_free(struct login_peer *peer)
{
	iscsi_login_free(peer->login);
	free(peer);
}

static void
keep_answer(struct login_peer *peer)
{
	if (peer->state == ISCSI_LOGIN_WAITING)
		return;
	peer->pdu = iscsi_login_answer(peer->login);
	ck_assert_uint_eq(iscsi_pdu_data_len(peer->pdu->bhs), peer->pdu->data_len);
	ck_assert_uint_eq(iscsi_pdu_opcode(peer->pdu->bhs), ISCSI_OP_LOGIN_RSP);
	ck_assert_uint_le(peer->text_len + peer->pdu->data_len, PEER_TEXT_MAX);
	memcpy(peer->text + peer->text_len, peer->pdu->data, peer->pdu->data_len);
	peer->text_len += peer->pdu->data_len;
}

enum iscsi_login_state
peer_send_flags(struct login_peer *peer, uint8_t flags, const void *text, size_t len)
{
	uint8_t bhs[ISCSI_BHS_LEN] = { ISCSI_OP_LOGIN | ISCSI_IMMEDIATE, flags,
		peer->version_max, peer->version_min };

	if (peer->login == NULL)
		peer->login = iscsi_login_new(&peer->conf, &mock_ops, peer);
	ck_assert_ptr_nonnull(peer->login);
	memcpy(bhs + ISCSI_O_ISID, peer->isid, 6);
	be16_put(bhs + ISCSI_O_TSIH, peer->tsih);
	be16_put(bhs + ISCSI_O_CID, peer->cid);
	be32_put(bhs + ISCSI_O_ITT, peer->itt);
	be32_put(bhs + ISCSI_O_CMD_SN, peer->cmd_sn);
	be32_put(bhs + ISCSI_O_EXP_STAT_SN, peer->exp_stat_sn);
	iscsi_pdu_put_data_len(bhs, (uint32_t)len);
	peer->text_len = 0;
	if (iscsi_login_header(peer->login, bhs)) {
		/* an exact copy, gone after the call */
		void *data = malloc(len == 0 ? 1 : len);

		memcpy(data, text, len);
		peer->state = iscsi_login_recv(peer->login, bhs, data);
		free(data);
	} else {
		peer->state = ISCSI_LOGIN_FAILED;
	}
	keep_answer(peer);
	return peer->state;
}

enum iscsi_login_state
peer_send(struct login_peer *peer, int csg, int nsg, const char *text)
{
	uint8_t flags = (uint8_t)(csg << 2 | (nsg == NO_T ? 0 : ISCSI_LOGIN_TRANSIT | nsg));
	size_t len = strlen(text);
	char *copy = strdup(text);

	for (size_t i = 0; i < len; i++)
		if (copy[i] == '\n')
			copy[i] = '\0';
	(void)peer_send_flags(peer, flags, copy, len);
	free(copy);
	return peer->state;
}

enum iscsi_login_state
peer_resume(struct login_peer *peer, uint16_t status)
{
	peer->text_len = 0;
	peer->state = iscsi_login_resume(peer->login, status, &peer->bind);
	keep_answer(peer);
	return peer->state;
}

const char *
peer_value(const struct login_peer *peer, const char *key)
{
	size_t len = strlen(key);

	for (size_t at = 0; at < peer->text_len; at += strlen(peer->text + at) + 1)
		if (strncmp(peer->text + at, key, len) == 0 && peer->text[at + len] == '=')
			return peer->text + at + len + 1;
	return NULL;
}

void
peer_fetch(struct login_peer *peer, int csg, int nsg)
{
	char *whole = malloc(PEER_TEXT_MAX);
	size_t len = peer->text_len;

	memcpy(whole, peer->text, len);
	while (peer->state == ISCSI_LOGIN_GOING && (peer_flags(peer) & ISCSI_LOGIN_CONTINUE) != 0) {
		(void)peer_send(peer, csg, nsg, "");
		ck_assert_uint_le(len + peer->text_len, PEER_TEXT_MAX);
		memcpy(whole + len, peer->text, peer->text_len);
		len += peer->text_len;
	}
	memcpy(peer->text, whole, len);
	peer->text_len = len;
	free(whole);
}

uint16_t
peer_status(const struct login_peer *peer)
{
	return be16_get(peer->pdu->bhs + ISCSI_O_LOGIN_STATUS);
}

uint8_t
peer_flags(const struct login_peer *peer)
{
	return peer->pdu->bhs[1];
}

const struct iscsi_login_result *
peer_login(struct login_peer *peer, const char *text)
{
	if (peer_send(peer, ISCSI_STAGE_OPERATIONAL, ISCSI_STAGE_FULL, text) != ISCSI_LOGIN_DONE)
		return NULL;
	return iscsi_login_result(peer->login);
}

const char *
peer_chap_answer(struct login_peer *peer, const char *user, const char *secret)
{
	static char text[1024];
	struct iscsi_chap_secret s = { .len = strlen(secret) };
	uint8_t challenge[ISCSI_CHAP_CHALLENGE_MAX], r[ISCSI_CHAP_RESPONSE_MAX];
	const char *c = peer_value(peer, "CHAP_C");
	unsigned int alg = (unsigned int)strtoul(peer_value(peer, "CHAP_A"), NULL, 10);
	unsigned int id = (unsigned int)strtoul(peer_value(peer, "CHAP_I"), NULL, 10);
	size_t len;
	int n;

	memcpy(s.bytes, secret, s.len);
	ck_assert_int_eq(iscsi_text_binary((struct iscsi_text){ c, strlen(c) }, challenge,
	    sizeof(challenge), &len), 0);
	ck_assert_int_eq(iscsi_chap_respond(alg, (uint8_t)id, &s, challenge, len, r), 0);
	n = snprintf(text, sizeof(text), "CHAP_N=%s\nCHAP_R=0x", user);
	for (size_t i = 0; i < iscsi_chap_response_len(alg); i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%02x", r[i]);
	(void)snprintf(text + n, sizeof(text) - (size_t)n, "\n");
	return text;
}
