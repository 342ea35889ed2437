/* login.c - the login phase: stages, splitting, and the order of questions */
#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/num.h"
#include "base/sm.h"
#include "iscsi/login.h"

/*
 *   going --Login Request--> going          an answer a request; stages move inside
 *     |  \--lookup, commit late--> waiting --resume--> going | done | failed
 *     |--T to full feature, committed--> done --abort--> failed
 *     \--refused--> failed
 */
static const struct sm_state login_states[ISCSI_LOGIN_NSTATES] = {
	[ISCSI_LOGIN_GOING] = { "going", SM_TO(ISCSI_LOGIN_GOING) | SM_TO(ISCSI_LOGIN_WAITING) |
	    SM_TO(ISCSI_LOGIN_DONE) | SM_TO(ISCSI_LOGIN_FAILED) },
	[ISCSI_LOGIN_WAITING] = { "waiting", SM_TO(ISCSI_LOGIN_WAITING) |
	    SM_TO(ISCSI_LOGIN_GOING) | SM_TO(ISCSI_LOGIN_DONE) | SM_TO(ISCSI_LOGIN_FAILED) },
	[ISCSI_LOGIN_DONE] = { "done", SM_TO(ISCSI_LOGIN_FAILED) },
	[ISCSI_LOGIN_FAILED] = { "failed", 0 },
};

enum login_ask { ASK_NONE, ASK_LOOKUP, ASK_COMMIT };

enum login_method { METHOD_NONE_YET, METHOD_NONE, METHOD_CHAP };

struct iscsi_login {
	struct iscsi_login_conf conf;
	const struct iscsi_login_ops *ops;
	void *arg;
	unsigned int state;		/* enum iscsi_login_state */
	enum login_ask ask;		/* what the host was asked when it answered PENDING */
	enum iscsi_stage stage;		/* where we are; the next request must say the same */
	enum login_method method;	/* of authentication, as agreed */
	uint32_t requests;		/* so far, this one included */
	uint32_t stat_sn;		/* of the next response */
	uint32_t itt;
	bool is_bound;			/* names are known, target found */
	struct iscsi_login_target target;
	struct iscsi_login_bind bind;
	struct iscsi_login_result result;
	struct iscsi_keys keys;
	struct iscsi_chap chap;
	struct iscsi_gather gather;	/* text of a request, C bit or not */
	struct iscsi_text_out out;	/* text of the answer under way */
	uint8_t request[ISCSI_BHS_LEN];
	struct iscsi_login_pdu pdu;
};

static const struct {
	uint16_t status;
	const char *name;
} status_names[] = {
	{ ISCSI_LOGIN_OK, "success" },
	{ ISCSI_LOGIN_MOVED_TEMP, "target moved temporarily" },
	{ ISCSI_LOGIN_MOVED_PERM, "target moved permanently" },
	{ ISCSI_LOGIN_INITIATOR_ERROR, "initiator error" },
	{ ISCSI_LOGIN_AUTH_FAILED, "authentication failure" },
	{ ISCSI_LOGIN_FORBIDDEN, "forbidden" },
	{ ISCSI_LOGIN_NOT_FOUND, "target not found" },
	{ ISCSI_LOGIN_REMOVED, "target removed" },
	{ ISCSI_LOGIN_BAD_VERSION, "unsupported version" },
	{ ISCSI_LOGIN_TOO_MANY_CONNS, "too many connections" },
	{ ISCSI_LOGIN_MISSING_PARAM, "missing parameter" },
	{ ISCSI_LOGIN_CANNOT_INCLUDE, "cannot include in session" },
	{ ISCSI_LOGIN_SESSION_TYPE, "session type not supported" },
	{ ISCSI_LOGIN_NO_SESSION, "session does not exist" },
	{ ISCSI_LOGIN_INVALID_REQUEST, "invalid request during login" },
	{ ISCSI_LOGIN_TARGET_ERROR, "target error" },
	{ ISCSI_LOGIN_UNAVAILABLE, "service unavailable" },
	{ ISCSI_LOGIN_NO_RESOURCES, "out of resources" },
};

const char *
iscsi_login_status_name(uint16_t status)
{
	for (size_t i = 0; i < ARRAY_LEN(status_names); i++)
		if (status_names[i].status == status)
			return status_names[i].name;
	return NULL;
}

/* ------ life ------ */

struct iscsi_login *
iscsi_login_new(const struct iscsi_login_conf *conf, const struct iscsi_login_ops *ops, void *arg)
{
	struct iscsi_login *login = fault_hit() ? NULL : calloc(1, sizeof(*login));

	if (login == NULL)
		return NULL;
	login->conf = *conf;
	login->ops = ops;
	login->arg = arg;
	login->stat_sn = conf->stat_sn;
	login->target.auth = ISCSI_AUTH_CHAP;
	login->target.chap_algs = ISCSI_CHAP_ALGS_ALL;
	login->target.tag = 1;
	login->target.window = 1;
	iscsi_offer_defaults(&login->target.offer);
	iscsi_keys_begin(&login->keys, &login->target.offer);
	return login;
}

void
iscsi_login_free(struct iscsi_login *login)
{
	if (login == NULL)
		return;
	iscsi_gather_fini(&login->gather);
	iscsi_text_out_fini(&login->out);
	OPENSSL_cleanse(login, sizeof(*login));
	free(login);
}

void
iscsi_login_set_arg(struct iscsi_login *login, void *arg)
{
	login->arg = arg;
}

const struct iscsi_login_pdu *
iscsi_login_answer(const struct iscsi_login *login)
{
	return &login->pdu;
}

const struct iscsi_login_result *
iscsi_login_result(const struct iscsi_login *login)
{
	return &login->result;
}

/* ------ responses ------ */

static uint16_t
refuse(struct iscsi_login *login, uint16_t status, const char *why)
{
	login->result.why = why;
	return status;
}

static void
put_response(struct iscsi_login *login, uint8_t flags, uint16_t tsih, uint16_t status)
{
	uint32_t first = login->result.cmd_sn;
	struct iscsi_sns sns = { login->stat_sn++, first, first + login->target.window - 1 };
	uint8_t *bhs = login->pdu.bhs;

	if (login->bind.tsih != 0)
		sns = (struct iscsi_sns){ sns.stat_sn, login->bind.exp_cmd_sn,
			login->bind.max_cmd_sn };
	iscsi_pdu_init(bhs, ISCSI_OP_LOGIN_RSP, flags, iscsi_pdu_u32(login->request, ISCSI_O_ITT));
	iscsi_pdu_put_data_len(bhs, (uint32_t)login->pdu.data_len);
	memcpy(bhs + ISCSI_O_ISID, login->request + ISCSI_O_ISID, ISCSI_ISID_LEN);
	be16_put(bhs + ISCSI_O_TSIH, tsih);
	iscsi_pdu_put_sns(bhs, &sns);
	be16_put(bhs + ISCSI_O_LOGIN_STATUS, status);
}

static size_t
piece_max(const struct iscsi_login *login)
{
	return num_min(ISCSI_LOGIN_DATA_MAX, login->keys.params.max_send_data);
}

/* the next piece of the answer; @transit: it is the last one, and the step that the request
 * asks for is granted */
static uint16_t
respond(struct iscsi_login *login, bool transit)
{
	uint8_t flags = (uint8_t)(login->stage << 2);
	uint8_t nsg = ISCSI_LOGIN_NSG(login->request[1]);

	login->pdu.data = iscsi_text_out_piece(&login->out, piece_max(login), &login->pdu.data_len);
	if (iscsi_text_out_left(&login->out) > 0)
		flags |= ISCSI_LOGIN_CONTINUE;
	if (transit)
		flags |= (uint8_t)(ISCSI_LOGIN_TRANSIT | nsg);
	put_response(login, flags, login->bind.tsih != 0 ? login->bind.tsih :
	    login->result.asked_tsih, ISCSI_LOGIN_OK);
	if (transit)
		login->stage = (enum iscsi_stage)nsg;
	return ISCSI_LOGIN_OK;
}

static enum iscsi_login_state
fail(struct iscsi_login *login, uint16_t status)
{
	struct iscsi_login_result *result = &login->result;
	bool is_moved = status == ISCSI_LOGIN_MOVED_TEMP || status == ISCSI_LOGIN_MOVED_PERM;

	if (iscsi_login_status_name(status) == NULL ||
	    (is_moved && login->target.redirect[0] == '\0')) {
		status = ISCSI_LOGIN_TARGET_ERROR;
		is_moved = false;
		result->why = "the host's answer makes no sense";
	}
	if (result->why == NULL)
		result->why = iscsi_login_status_name(status);
	result->status = status;
	iscsi_text_out_reset(&login->out);
	if (is_moved)
		iscsi_text_add(&login->out, "TargetAddress", login->target.redirect);
	login->pdu.data = iscsi_text_out_piece(&login->out, piece_max(login), &login->pdu.data_len);
	put_response(login, (uint8_t)(login->stage << 2), login->result.asked_tsih, status);
	iscsi_chap_wipe(&login->chap);
	(void)sm_move(login_states, &login->state, ISCSI_LOGIN_FAILED);
	return ISCSI_LOGIN_FAILED;
}

void
iscsi_login_abort(struct iscsi_login *login, uint16_t status, const char *why)
{
	assert(login->state != ISCSI_LOGIN_FAILED);
	login->result.why = why;
	(void)fail(login, status);
}

/* ------ authentication ------ */

static bool
is_authorized(const struct iscsi_login *login)
{
	return login->chap.state == ISCSI_CHAP_DONE ||
		(login->target.auth != ISCSI_AUTH_CHAP && login->method != METHOD_CHAP);
}

static uint16_t
recv_auth_method(struct iscsi_login *login)
{
	struct iscsi_text list = login->keys.word[ISCSI_WORD_AUTH_METHOD], one;
	bool may_chap = login->target.auth != ISCSI_AUTH_NONE &&
		login->stage == ISCSI_STAGE_SECURITY;
	bool may_none = login->target.auth != ISCSI_AUTH_CHAP;

	while (login->method == METHOD_NONE_YET && iscsi_text_list(&list, &one)) {
		if (may_chap && iscsi_text_is(one, "CHAP"))
			login->method = METHOD_CHAP;
		else if (may_none && iscsi_text_is(one, "None"))
			login->method = METHOD_NONE;
	}
	if (login->method == METHOD_NONE_YET)
		return refuse(login, ISCSI_LOGIN_AUTH_FAILED, "no authentication method in common");
	iscsi_text_add(&login->out, "AuthMethod", login->method == METHOD_CHAP ? "CHAP" : "None");
	return ISCSI_LOGIN_OK;
}

static uint16_t
recv_chap(struct iscsi_login *login)
{
	const struct iscsi_text *word = login->keys.word;
	struct iscsi_chap_keys keys = {
		.a = word[ISCSI_WORD_CHAP_A],
		.i = word[ISCSI_WORD_CHAP_I],
		.c = word[ISCSI_WORD_CHAP_C],
		.n = word[ISCSI_WORD_CHAP_N],
		.r = word[ISCSI_WORD_CHAP_R],
	};
	int r = iscsi_chap_step(&login->chap, login->target.chap_algs,
	    login->conf.chap_challenge_len, &keys, &login->ops->chap, login->arg, &login->out);

	switch (r) {
	case 0:
		return ISCSI_LOGIN_OK;
	case -EACCES:
		return refuse(login, ISCSI_LOGIN_AUTH_FAILED, login->chap.why);
	case -EPROTO:
		return refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, login->chap.why);
	default:
		return refuse(login, ISCSI_LOGIN_TARGET_ERROR, login->chap.why);
	}
}

static uint16_t
authenticate(struct iscsi_login *login)
{
	const uint32_t chap = 1u << ISCSI_WORD_CHAP_A | 1u << ISCSI_WORD_CHAP_I |
		1u << ISCSI_WORD_CHAP_C | 1u << ISCSI_WORD_CHAP_N | 1u << ISCSI_WORD_CHAP_R;
	struct iscsi_login_result *result = &login->result;
	uint16_t status;

	if (iscsi_keys_has(&login->keys, ISCSI_WORD_AUTH_METHOD)) {
		status = recv_auth_method(login);
		if (status != ISCSI_LOGIN_OK)
			return status;
	}
	if (login->method != METHOD_CHAP)
		return (login->keys.words & chap) == 0 ? ISCSI_LOGIN_OK :
			refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, "CHAP keys without AuthMethod");
	status = recv_chap(login);
	if (status != ISCSI_LOGIN_OK || login->chap.state != ISCSI_CHAP_DONE)
		return status;
	result->is_authenticated = true;
	result->is_mutual = login->chap.is_mutual;
	result->chap_alg = login->chap.alg;
	memcpy(result->chap_user, login->chap.user, sizeof(result->chap_user));
	return ISCSI_LOGIN_OK;
}

/* ------ names, target, session ------ */

static uint16_t
recv_session_type(struct iscsi_login *login)
{
	struct iscsi_text type = login->keys.word[ISCSI_WORD_SESSION_TYPE];

	if (iscsi_keys_has(&login->keys, ISCSI_WORD_SESSION_TYPE)) {
		login->result.is_discovery = iscsi_text_is(type, "Discovery");
		if (!login->result.is_discovery && !iscsi_text_is(type, "Normal"))
			return refuse(login, ISCSI_LOGIN_SESSION_TYPE, "no type of session");
	}
	if (login->result.is_discovery && login->result.asked_tsih != 0)
		return refuse(login, ISCSI_LOGIN_CANNOT_INCLUDE,
		    "a discovery session has one connection");
	login->keys.is_discovery = login->result.is_discovery;
	login->keys.is_leading = login->result.asked_tsih == 0;
	return ISCSI_LOGIN_OK;
}

static uint16_t
recv_names(struct iscsi_login *login)
{
	struct iscsi_login_result *result = &login->result;
	const struct iscsi_text *initiator = &login->keys.word[ISCSI_WORD_INITIATOR_NAME];
	const struct iscsi_text *target = &login->keys.word[ISCSI_WORD_TARGET_NAME];

	if (initiator->at == NULL)
		return refuse(login, ISCSI_LOGIN_MISSING_PARAM, "no InitiatorName");
	if (iscsi_name_fold(initiator->at, initiator->len, result->initiator) < 0)
		return refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, "InitiatorName is no iSCSI name");
	if (target->at == NULL)
		return result->is_discovery ? ISCSI_LOGIN_OK :
			refuse(login, ISCSI_LOGIN_MISSING_PARAM, "no TargetName");
	if (iscsi_name_fold(target->at, target->len, result->target) < 0)
		return refuse(login, ISCSI_LOGIN_NOT_FOUND, "TargetName is no iSCSI name");
	return ISCSI_LOGIN_OK;
}

static bool
is_same_name(struct iscsi_text said, const char *name)
{
	char folded[ISCSI_NAME_LEN];

	return said.at == NULL || (iscsi_name_fold(said.at, said.len, folded) == 0 &&
	    strcmp(folded, name) == 0);
}

/* names that come once more: some initiators send them in every stage */
static uint16_t
check_names(struct iscsi_login *login)
{
	static const char *const types[2] = { "Normal", "Discovery" };
	const struct iscsi_login_result *result = &login->result;
	struct iscsi_text type = login->keys.word[ISCSI_WORD_SESSION_TYPE];

	if (is_same_name(login->keys.word[ISCSI_WORD_INITIATOR_NAME], result->initiator) &&
	    is_same_name(login->keys.word[ISCSI_WORD_TARGET_NAME], result->target) &&
	    (type.at == NULL || iscsi_text_is(type, types[result->is_discovery])))
		return ISCSI_LOGIN_OK;
	return refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, "names or type of session changed");
}

/* from the first request's text: who wants what; then the host's two questions */
static uint16_t
bind_target(struct iscsi_login *login)
{
	uint16_t status = recv_session_type(login);

	if (status == ISCSI_LOGIN_OK)
		status = recv_names(login);
	if (status == ISCSI_LOGIN_OK)
		status = login->ops->find_target(login->arg, login, &login->target);
	if (status == ISCSI_LOGIN_PENDING)
		return refuse(login, ISCSI_LOGIN_TARGET_ERROR, "the host's answer makes no sense");
	if (status != ISCSI_LOGIN_OK)
		return status;
	assert(login->target.window > 0);
	login->is_bound = true;
	login->result.tag = login->target.tag;
	login->result.window = login->target.window;
	if (!login->result.is_discovery) {
		iscsi_text_addf(&login->out, "TargetPortalGroupTag", "%u", login->target.tag);
		if (login->target.alias[0] != '\0')
			iscsi_text_add(&login->out, "TargetAlias", login->target.alias);
	}
	if (login->ops->lookup == NULL)
		return ISCSI_LOGIN_OK;
	login->ask = ASK_LOOKUP;
	return login->ops->lookup(login->arg, login);
}

/* ------ one request ------ */

static uint16_t
commit(struct iscsi_login *login, uint16_t status)
{
	if (status != ISCSI_LOGIN_OK)
		return status;
	assert(login->bind.tsih != 0);
	status = respond(login, true);
	login->result.tsih = login->bind.tsih;
	login->result.stat_sn = login->stat_sn;
	login->result.exp_cmd_sn = login->bind.exp_cmd_sn;
	return status;
}

/* the request wants to leave its stage, and the whole answer fits into the response */
static uint16_t
leave_stage(struct iscsi_login *login)
{
	uint32_t first = login->result.cmd_sn;
	/* a copy: until the answer is OK, nothing of it may show in a response */
	struct iscsi_login_bind bind = { .exp_cmd_sn = first,
		.max_cmd_sn = first + login->target.window - 1 };
	uint16_t status;

	if (!is_authorized(login)) {
		if (login->method != METHOD_CHAP)
			return refuse(login, ISCSI_LOGIN_AUTH_FAILED, "authentication is demanded");
		return respond(login, false); /* in the middle of it */
	}
	if (ISCSI_LOGIN_NSG(login->request[1]) != ISCSI_STAGE_FULL)
		return respond(login, true);
	if (iscsi_keys_finish(&login->keys) < 0)
		return refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, login->keys.why);
	login->result.params = login->keys.params;
	login->ask = ASK_COMMIT;
	status = login->ops->commit(login->arg, login, &bind);
	if (status == ISCSI_LOGIN_OK)
		login->bind = bind;
	return commit(login, status);
}

static uint16_t
conclude(struct iscsi_login *login)
{
	bool wants = (login->request[1] & ISCSI_LOGIN_TRANSIT) != 0;

	if (login->out.error == -ENOMEM)
		return refuse(login, ISCSI_LOGIN_NO_RESOURCES, "no memory for an answer");
	if (login->out.error != 0)
		return refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, "too much to answer");
	if (wants && iscsi_text_out_left(&login->out) <= piece_max(login))
		return leave_stage(login);
	return respond(login, false);
}

static void
recv_alias(struct iscsi_login *login)
{
	struct iscsi_text alias = login->keys.word[ISCSI_WORD_INITIATOR_ALIAS];

	if (alias.at == NULL)
		return;
	memcpy(login->result.initiator_alias, alias.at, alias.len);
	login->result.initiator_alias[alias.len] = '\0';
}

/* the text of the request, once it is known who asks */
static uint16_t
negotiate(struct iscsi_login *login)
{
	struct iscsi_text text = { login->gather.buf, login->gather.len };
	enum iscsi_key_phase phase = login->stage == ISCSI_STAGE_SECURITY ? ISCSI_PHASE_SECURITY :
		ISCSI_PHASE_OPERATIONAL;
	uint16_t status;

	login->gather.len = 0;
	if (login->stage == ISCSI_STAGE_OPERATIONAL && !is_authorized(login))
		return refuse(login, ISCSI_LOGIN_AUTH_FAILED, "authentication is demanded");
	recv_alias(login);
	status = authenticate(login);
	if (status != ISCSI_LOGIN_OK)
		return status;
	if (iscsi_keys_answer(&login->keys, phase, text, &login->out) < 0)
		return refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, login->keys.why);
	return conclude(login);
}

static uint16_t
recv_text(struct iscsi_login *login)
{
	struct iscsi_text text = { login->gather.buf, login->gather.len };
	enum iscsi_key_phase phase = login->stage == ISCSI_STAGE_SECURITY ? ISCSI_PHASE_SECURITY :
		ISCSI_PHASE_OPERATIONAL;
	uint16_t status;

	iscsi_text_out_reset(&login->out);
	if (iscsi_keys_words(&login->keys, phase, text) < 0)
		return refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, login->keys.why);
	status = login->is_bound ? check_names(login) : bind_target(login);
	if (status != ISCSI_LOGIN_OK)
		return status;
	return negotiate(login);
}

static uint16_t
begin(struct iscsi_login *login)
{
	struct iscsi_login_result *result = &login->result;
	const uint8_t *bhs = login->request;

	memcpy(result->isid, bhs + ISCSI_O_ISID, ISCSI_ISID_LEN);
	result->asked_tsih = iscsi_pdu_u16(bhs, ISCSI_O_TSIH);
	result->cid = iscsi_pdu_u16(bhs, ISCSI_O_CID);
	result->cmd_sn = iscsi_pdu_u32(bhs, ISCSI_O_CMD_SN);
	result->first_exp_stat_sn = iscsi_pdu_u32(bhs, ISCSI_O_EXP_STAT_SN);
	login->itt = iscsi_pdu_u32(bhs, ISCSI_O_ITT);
	/* byte 3: the lowest version the initiator speaks; there is only version 0 */
	if (bhs[3] != 0)
		return refuse(login, ISCSI_LOGIN_BAD_VERSION, "a version above 0");
	login->stage = (enum iscsi_stage)ISCSI_LOGIN_CSG(bhs[1]);
	if (login->stage != ISCSI_STAGE_SECURITY && login->stage != ISCSI_STAGE_OPERATIONAL) {
		login->stage = ISCSI_STAGE_SECURITY;
		return refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, "no stage to start in");
	}
	return ISCSI_LOGIN_OK;
}

/* what stays the same in all requests of a login (11.12) */
static uint16_t
check_same(struct iscsi_login *login)
{
	const struct iscsi_login_result *result = &login->result;
	const uint8_t *bhs = login->request;

	if (memcmp(result->isid, bhs + ISCSI_O_ISID, ISCSI_ISID_LEN) != 0 ||
	    result->asked_tsih != iscsi_pdu_u16(bhs, ISCSI_O_TSIH) ||
	    result->cid != iscsi_pdu_u16(bhs, ISCSI_O_CID) ||
	    login->itt != iscsi_pdu_u32(bhs, ISCSI_O_ITT))
		return refuse(login, ISCSI_LOGIN_INITIATOR_ERROR,
		    "ISID, TSIH, CID or task tag changed");
	if (ISCSI_LOGIN_CSG(bhs[1]) != login->stage)
		return refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, "a stage that we are not in");
	return ISCSI_LOGIN_OK;
}

static uint16_t
check_request(struct iscsi_login *login)
{
	uint8_t flags = login->request[1];
	uint16_t status = login->requests == 1 ? begin(login) : check_same(login);

	if (status != ISCSI_LOGIN_OK)
		return status;
	if (login->requests > ISCSI_LOGIN_PDUS_MAX)
		return refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, "a login without end");
	if ((flags & ISCSI_LOGIN_TRANSIT) == 0)
		return ISCSI_LOGIN_OK;
	if ((flags & ISCSI_LOGIN_CONTINUE) != 0)
		return refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, "T and C together");
	if (ISCSI_LOGIN_NSG(flags) <= login->stage ||
	    ISCSI_LOGIN_NSG(flags) == ISCSI_STAGE_RESERVED)
		return refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, "no stage to go to");
	return ISCSI_LOGIN_OK;
}

static uint16_t
recv_request(struct iscsi_login *login, const void *data, size_t len)
{
	bool is_continued = (login->request[1] & ISCSI_LOGIN_CONTINUE) != 0;
	uint16_t status = check_request(login);
	int r;

	if (status != ISCSI_LOGIN_OK)
		return status;
	if (iscsi_text_out_left(&login->out) > 0) {
		if (len > 0 || is_continued)
			return refuse(login, ISCSI_LOGIN_INITIATOR_ERROR,
			    "text before the answer was fetched");
		return conclude(login);
	}
	r = iscsi_gather_add(&login->gather, data, len);
	if (r == -ENOMEM)
		return refuse(login, ISCSI_LOGIN_NO_RESOURCES, "no memory for text");
	if (r < 0)
		return refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, "too much text");
	if (!is_continued)
		return recv_text(login);
	return respond(login, false);
}

/* what a request or a late answer came to: an answer, a refusal, or waiting */
static enum iscsi_login_state
settle(struct iscsi_login *login, uint16_t status)
{
	enum iscsi_login_state to = ISCSI_LOGIN_GOING;

	if (status == ISCSI_LOGIN_PENDING)
		to = ISCSI_LOGIN_WAITING;
	else if (status != ISCSI_LOGIN_OK)
		return fail(login, status);
	else if (login->stage == ISCSI_STAGE_FULL)
		to = ISCSI_LOGIN_DONE;
	if (to != ISCSI_LOGIN_WAITING)
		login->ask = ASK_NONE;
	(void)sm_move(login_states, &login->state, to);
	return to;
}

bool
iscsi_login_header(struct iscsi_login *login, const uint8_t bhs[ISCSI_BHS_LEN])
{
	uint16_t status = ISCSI_LOGIN_OK;

	assert(login->state == ISCSI_LOGIN_GOING);
	if (iscsi_pdu_opcode(bhs) != ISCSI_OP_LOGIN)
		status = refuse(login, ISCSI_LOGIN_INVALID_REQUEST, "not a Login Request");
	else if (bhs[ISCSI_O_AHS_WORDS] != 0)
		status = refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, "additional headers");
	else if (iscsi_pdu_data_len(bhs) > ISCSI_LOGIN_DATA_MAX)
		status = refuse(login, ISCSI_LOGIN_INITIATOR_ERROR, "a data segment too long");
	if (status == ISCSI_LOGIN_OK)
		return true;
	login->result.is_silent = status == ISCSI_LOGIN_INVALID_REQUEST && login->requests == 0;
	memcpy(login->request, bhs, ISCSI_BHS_LEN);
	(void)fail(login, status);
	return false;
}

enum iscsi_login_state
iscsi_login_recv(struct iscsi_login *login, const uint8_t bhs[ISCSI_BHS_LEN], const void *data)
{
	assert(login->state == ISCSI_LOGIN_GOING);
	memcpy(login->request, bhs, ISCSI_BHS_LEN);
	login->requests++;
	return settle(login, recv_request(login, data, iscsi_pdu_data_len(bhs)));
}

enum iscsi_login_state
iscsi_login_resume(struct iscsi_login *login, uint16_t status, const struct iscsi_login_bind *bind)
{
	enum login_ask ask = login->ask;

	assert(login->state == ISCSI_LOGIN_WAITING && status != ISCSI_LOGIN_PENDING);
	login->ask = ASK_NONE;
	if (status != ISCSI_LOGIN_OK)
		return settle(login, status);
	if (ask == ASK_LOOKUP)
		return settle(login, negotiate(login));
	login->bind = *bind;
	return settle(login, commit(login, status));
}
