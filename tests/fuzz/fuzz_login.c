/*
 * fuzz_login.c - a connection from its first byte to full feature phase
 *
 * The first two bytes say what the host is like; the rest is what comes over the wire. The
 * host's random bytes count up from 0, and its user is "user" with "secret123456", so that a
 * seed can know the right answer to a challenge.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iscsi/login.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct host {
	uint8_t knobs[2];
	uint8_t next;
	bool was_asked_to_commit;
};

static int
host_random(void *arg, void *buf, size_t len)
{
	struct host *host = arg;

	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = host->next++;
	return 0;
}

static int
host_secret(void *arg, const char *name, struct iscsi_chap_secret *ret)
{
	(void)arg;
	assert(strlen(name) <= ISCSI_CHAP_NAME_MAX);
	if (strcmp(name, "user") != 0)
		return -ENOENT;
	ret->len = 12;
	memcpy(ret->bytes, "secret123456", 12);
	return 0;
}

static int
host_own_secret(void *arg, char name[ISCSI_CHAP_NAME_LEN], struct iscsi_chap_secret *ret)
{
	struct host *host = arg;

	if ((host->knobs[1] & 1) != 0)
		return -ENOENT;
	(void)snprintf(name, ISCSI_CHAP_NAME_LEN, "target");
	ret->len = 12;
	memcpy(ret->bytes, "terces654321", 12);
	return 0;
}

static uint16_t
host_find_target(void *arg, const struct iscsi_login *login, struct iscsi_login_target *ret)
{
	static const uint16_t statuses[4] = { 0, 0, ISCSI_LOGIN_NOT_FOUND, ISCSI_LOGIN_MOVED_TEMP };
	const struct iscsi_login_result *result = iscsi_login_result(login);
	struct host *host = arg;
	char name[ISCSI_NAME_LEN];

	assert(iscsi_name_fold(result->initiator, strlen(result->initiator), name) == 0);
	assert(strcmp(name, result->initiator) == 0);
	assert(result->is_discovery || result->target[0] != '\0');
	ret->auth = (enum iscsi_login_auth)(host->knobs[0] & 3);
	if (ret->auth > ISCSI_AUTH_CHAP)
		ret->auth = ISCSI_AUTH_CHAP;
	if ((host->knobs[0] & 4) != 0)
		ret->offer.data_digests = 1u << ISCSI_DIGEST_CRC32C;
	if ((host->knobs[0] & 8) != 0)
		ret->offer.want.initial_r2t = true;
	if ((host->knobs[0] & 16) != 0)
		(void)snprintf(ret->alias, sizeof(ret->alias), "alias");
	if ((host->knobs[0] & 32) != 0)
		(void)snprintf(ret->redirect, sizeof(ret->redirect), "[::1]:3260");
	ret->window = 64;
	return statuses[host->knobs[0] >> 6];
}

static uint16_t
host_lookup(void *arg, struct iscsi_login *login)
{
	static const uint16_t statuses[4] = { 0, 0, ISCSI_LOGIN_PENDING, ISCSI_LOGIN_NO_SESSION };
	struct host *host = arg;

	(void)login;
	return statuses[host->knobs[1] >> 1 & 3];
}

static uint16_t
host_commit(void *arg, struct iscsi_login *login, struct iscsi_login_bind *ret)
{
	static const uint16_t statuses[4] = { 0, 0, ISCSI_LOGIN_PENDING, ISCSI_LOGIN_TOO_MANY_CONNS };
	const struct iscsi_login_result *result = iscsi_login_result(login);
	struct host *host = arg;

	/* nobody gets here without the proof that was demanded */
	assert((host->knobs[0] & 3) < ISCSI_AUTH_CHAP || result->is_authenticated);
	assert(!host->was_asked_to_commit);
	host->was_asked_to_commit = true;
	ret->tsih = 1;
	return statuses[host->knobs[1] >> 3 & 3];
}

static const struct iscsi_login_ops ops = {
	.chap = { host_random, host_secret, host_own_secret },
	.find_target = host_find_target,
	.lookup = host_lookup,
	.commit = host_commit,
};

static void
check_result(const struct iscsi_login *login, const struct host *host)
{
	const struct iscsi_params *p = &iscsi_login_result(login)->params;

	assert(host->was_asked_to_commit && iscsi_login_result(login)->tsih == 1);
	assert(p->max_connections >= 1 && p->max_connections <= 8);
	assert(p->first_burst >= 512 && p->first_burst <= p->max_burst);
	assert(p->max_burst <= ISCSI_DATA_LEN_MAX);
	assert(p->max_outstanding_r2t >= 1 && p->max_outstanding_r2t <= 16);
	assert(p->time_2_wait >= 2 && p->time_2_wait <= 3600 && p->time_2_retain <= 20);
	assert(p->error_recovery_level <= 2 && p->protocol_level <= 2);
	assert(p->task_reporting < ISCSI_REPORT_N);
	assert(p->max_recv_data == 8192 || p->max_recv_data == 262144);
	assert(p->max_send_data >= 512 && p->max_send_data <= ISCSI_DATA_LEN_MAX);
	assert((host->knobs[0] & 4) == 0 || p->data_digest == ISCSI_DIGEST_CRC32C);
}

/* one answer a request, and each a good one */
static void
check_answer(const struct iscsi_login *login, enum iscsi_login_state state, uint32_t stat_sn)
{
	const struct iscsi_login_pdu *pdu = iscsi_login_answer(login);
	uint16_t status = iscsi_pdu_u16(pdu->bhs, ISCSI_O_LOGIN_STATUS);
	uint8_t flags = pdu->bhs[1];

	assert(iscsi_pdu_opcode(pdu->bhs) == ISCSI_OP_LOGIN_RSP);
	assert(iscsi_pdu_u32(pdu->bhs, ISCSI_O_STAT_SN) == stat_sn);
	assert(pdu->data_len <= ISCSI_LOGIN_DATA_MAX);
	assert(pdu->data_len == iscsi_pdu_data_len(pdu->bhs));
	for (size_t i = 0; i < pdu->data_len; i++) /* readable, every byte */
		assert(pdu->data[i] == pdu->data[i]);
	assert((flags & 0xc0) != 0xc0);
	assert((state == ISCSI_LOGIN_FAILED) == (status != 0));
	if (state == ISCSI_LOGIN_FAILED) {
		assert((flags & 0xc0) == 0 && iscsi_login_result(login)->why != NULL);
		assert(iscsi_login_status_name(status) != NULL);
		assert(iscsi_login_result(login)->status == status);
	}
	assert((state == ISCSI_LOGIN_DONE) == ((flags & 0x83) == 0x83));
}

static enum iscsi_login_state
one_request(struct iscsi_login *login, const uint8_t *bhs, const uint8_t *data, size_t len)
{
	const struct iscsi_login_bind bind = { 1, 7, 70 };
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	enum iscsi_login_state state;

	if (copy == NULL)
		abort();
	memcpy(copy, data, len);
	state = iscsi_login_recv(login, bhs, copy);
	free(copy);
	while (state == ISCSI_LOGIN_WAITING)
		state = iscsi_login_resume(login, ISCSI_LOGIN_OK, &bind);
	return state;
}

static void
connection(struct iscsi_login *login, struct host *host, const uint8_t *data, size_t size)
{
	enum iscsi_login_state state = ISCSI_LOGIN_GOING;
	uint32_t stat_sn = 0;

	while (state == ISCSI_LOGIN_GOING && size >= ISCSI_BHS_LEN) {
		uint32_t len = iscsi_pdu_data_len(data);
		size_t whole = ISCSI_BHS_LEN + len + iscsi_pdu_pad(len);

		if (!iscsi_login_header(login, data)) {
			check_answer(login, ISCSI_LOGIN_FAILED, stat_sn);
			return;
		}
		assert(len <= ISCSI_LOGIN_DATA_MAX);
		if (whole > size)
			break; /* the peer has gone */
		state = one_request(login, data, data + ISCSI_BHS_LEN, len);
		check_answer(login, state, stat_sn++);
		data += whole;
		size -= whole;
	}
	if (state == ISCSI_LOGIN_DONE)
		check_result(login, host);
	if (state != ISCSI_LOGIN_FAILED && (host->knobs[1] & 0x80) != 0) {
		iscsi_login_abort(login, ISCSI_LOGIN_UNAVAILABLE, "end of the test");
		check_answer(login, ISCSI_LOGIN_FAILED, stat_sn);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct iscsi_login_conf conf = { .stat_sn = 0 };
	struct host host = { .next = 0 };
	struct iscsi_login *login;

	if (size < 2)
		return 0;
	memcpy(host.knobs, data, 2);
	if ((host.knobs[1] & 0x40) != 0)
		conf.chap_challenge_len = 1024;
	login = iscsi_login_new(&conf, &ops, &host);
	if (login == NULL)
		abort();
	connection(login, &host, data + 2, size - 2);
	iscsi_login_free(login);
	return 0;
}
