/* keys.c - the table of keys, and what comes out of offer and answer */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "iscsi/keys.h"

enum key_kind {
	KEY_MIN,		/* number, the smaller one of two */
	KEY_MAX,		/* number, the larger one */
	KEY_OR,			/* Yes if either side says so */
	KEY_AND,		/* Yes if both do */
	KEY_RECV,		/* MaxRecvDataSegmentLength: declared */
	KEY_DIGEST,		/* list */
	KEY_REPORTING,		/* list */
	KEY_WORD,		/* somebody else's: kept for iscsi_keys.word */
	KEY_IGNORE,		/* declared, of no use to us */
	KEY_TARGET,		/* only targets say it */
	KEY_NO,			/* a yes-or-no that we always deny */
	KEY_REJECT,		/* obsolete, refused whatever it says */
};

enum {
	IN_SECURITY	= 1 << ISCSI_PHASE_SECURITY,
	IN_OPERATIONAL	= 1 << ISCSI_PHASE_OPERATIONAL,
	IN_FULL		= 1 << ISCSI_PHASE_FULL,
	/* operational keys are let through in the security stage: initiators send them there */
	IN_LOGIN	= IN_SECURITY | IN_OPERATIONAL,
	LEADING		= 1 << 4,	/* only a session's first connection negotiates it */
	NORMAL		= 1 << 5,	/* irrelevant in a discovery session */
	LONG		= 1 << 6,	/* values longer than ISCSI_VALUE_LEN_MAX */
	REPEAT		= 1 << 7,	/* may come again in a later request */
};

struct key {
	const char *name;
	enum key_kind kind;
	uint32_t flags;
	size_t at;		/* in struct iscsi_params; KEY_WORD: enum iscsi_key_word */
	uint32_t min, max;
};

#define PARAM(member)	offsetof(struct iscsi_params, member)
#define SESSION		(IN_LOGIN | LEADING)
#define DATA		(IN_LOGIN | LEADING | NORMAL)

/* FirstBurstLength depends on three others, which therefore stand above it */
enum { ROW_INITIAL_R2T, ROW_IMMEDIATE, ROW_MAX_BURST, ROW_FIRST_BURST, ROW_RECV };

static const struct key keys[] = {
	[ROW_INITIAL_R2T] = { "InitialR2T", KEY_OR, DATA, PARAM(initial_r2t), 0, 1 },
	[ROW_IMMEDIATE] = { "ImmediateData", KEY_AND, DATA, PARAM(immediate_data), 0, 1 },
	[ROW_MAX_BURST] = { "MaxBurstLength", KEY_MIN, DATA, PARAM(max_burst),
	    ISCSI_DATA_LEN_MIN, ISCSI_DATA_LEN_MAX },
	[ROW_FIRST_BURST] = { "FirstBurstLength", KEY_MIN, DATA, PARAM(first_burst),
	    ISCSI_DATA_LEN_MIN, ISCSI_DATA_LEN_MAX },
	[ROW_RECV] = { "MaxRecvDataSegmentLength", KEY_RECV, IN_LOGIN | IN_FULL,
	    PARAM(max_send_data), ISCSI_DATA_LEN_MIN, ISCSI_DATA_LEN_MAX },
	{ "HeaderDigest", KEY_DIGEST, IN_LOGIN, PARAM(header_digest), 0, 0 },
	{ "DataDigest", KEY_DIGEST, IN_LOGIN, PARAM(data_digest), 0, 0 },
	{ "MaxConnections", KEY_MIN, DATA, PARAM(max_connections), 1, 65535 },
	{ "DefaultTime2Wait", KEY_MAX, SESSION, PARAM(time_2_wait), 0, 3600 },
	{ "DefaultTime2Retain", KEY_MIN, SESSION, PARAM(time_2_retain), 0, 3600 },
	{ "MaxOutstandingR2T", KEY_MIN, DATA, PARAM(max_outstanding_r2t), 1, 65535 },
	{ "DataPDUInOrder", KEY_OR, DATA, PARAM(data_pdu_in_order), 0, 1 },
	{ "DataSequenceInOrder", KEY_OR, DATA, PARAM(data_sequence_in_order), 0, 1 },
	{ "ErrorRecoveryLevel", KEY_MIN, SESSION, PARAM(error_recovery_level), 0, 2 },
	{ "TaskReporting", KEY_REPORTING, DATA, PARAM(task_reporting), 0, 0 },
	{ "iSCSIProtocolLevel", KEY_MIN, DATA, PARAM(protocol_level), 0, 31 },
	/* obsolete: never NotUnderstood (RFC 7143 section 13, obsoleted keys) */
	{ "IFMarker", KEY_NO, IN_LOGIN, 0, 0, 0 },
	{ "OFMarker", KEY_NO, IN_LOGIN, 0, 0, 0 },
	{ "IFMarkInt", KEY_REJECT, IN_LOGIN, 0, 0, 0 },
	{ "OFMarkInt", KEY_REJECT, IN_LOGIN, 0, 0, 0 },
	{ "RDMAExtensions", KEY_NO, SESSION, 0, 0, 0 },
	{ "X#NodeArchitecture", KEY_IGNORE, SESSION | LONG, 0, 0, 0 },
	{ "TargetAlias", KEY_TARGET, IN_LOGIN | IN_FULL, 0, 0, 0 },
	{ "TargetAddress", KEY_TARGET, IN_LOGIN | IN_FULL, 0, 0, 0 },
	{ "TargetPortalGroupTag", KEY_TARGET, IN_LOGIN | IN_FULL, 0, 0, 0 },
	{ "InitiatorName", KEY_WORD, IN_LOGIN | REPEAT, ISCSI_WORD_INITIATOR_NAME, 0, 0 },
	{ "InitiatorAlias", KEY_WORD, IN_LOGIN | IN_FULL | REPEAT,
	    ISCSI_WORD_INITIATOR_ALIAS, 0, 0 },
	{ "TargetName", KEY_WORD, IN_LOGIN | REPEAT, ISCSI_WORD_TARGET_NAME, 0, 0 },
	{ "SessionType", KEY_WORD, IN_LOGIN | REPEAT, ISCSI_WORD_SESSION_TYPE, 0, 0 },
	{ "AuthMethod", KEY_WORD, IN_LOGIN | LONG, ISCSI_WORD_AUTH_METHOD, 0, 0 },
	{ "CHAP_A", KEY_WORD, IN_SECURITY | LONG, ISCSI_WORD_CHAP_A, 0, 0 },
	{ "CHAP_I", KEY_WORD, IN_SECURITY, ISCSI_WORD_CHAP_I, 0, 0 },
	{ "CHAP_C", KEY_WORD, IN_SECURITY | LONG, ISCSI_WORD_CHAP_C, 0, 0 },
	{ "CHAP_N", KEY_WORD, IN_SECURITY, ISCSI_WORD_CHAP_N, 0, 0 },
	{ "CHAP_R", KEY_WORD, IN_SECURITY, ISCSI_WORD_CHAP_R, 0, 0 },
	{ "SendTargets", KEY_WORD, IN_FULL, ISCSI_WORD_SEND_TARGETS, 0, 0 },
};

_Static_assert(ARRAY_LEN(keys) <= 64, "iscsi_keys.seen has a bit for every row");

void
iscsi_params_defaults(struct iscsi_params *params)
{
	*params = (struct iscsi_params){
		.max_connections = 1,
		.max_burst = 262144,
		.first_burst = 65536,
		.max_outstanding_r2t = 1,
		.time_2_wait = 2,
		.time_2_retain = 20,
		.error_recovery_level = 0,
		.protocol_level = 1,
		.initial_r2t = true,
		.immediate_data = true,
		.data_pdu_in_order = true,
		.data_sequence_in_order = true,
		.task_reporting = ISCSI_REPORT_RFC3720,
		.header_digest = ISCSI_DIGEST_NONE,
		.data_digest = ISCSI_DIGEST_NONE,
		.max_recv_data = 8192,
		.max_send_data = 8192,
	};
}

void
iscsi_offer_defaults(struct iscsi_offer *offer)
{
	*offer = (struct iscsi_offer){
		.want = {
			.max_connections = 8,
			.max_burst = ISCSI_DATA_LEN_MAX,
			.first_burst = 262144,
			.max_outstanding_r2t = 16,
			.time_2_wait = 2,
			.time_2_retain = 20,
			.error_recovery_level = 2,
			.protocol_level = 2,
			.immediate_data = true,
			.max_recv_data = 262144,
		},
		.header_digests = 1u << ISCSI_DIGEST_NONE | 1u << ISCSI_DIGEST_CRC32C,
		.data_digests = 1u << ISCSI_DIGEST_NONE | 1u << ISCSI_DIGEST_CRC32C,
		.task_reportings = (1u << ISCSI_REPORT_N) - 1,
	};
}

void
iscsi_keys_begin(struct iscsi_keys *k, const struct iscsi_offer *offer)
{
	*k = (struct iscsi_keys){ .offer = offer, .is_leading = true };
	iscsi_params_defaults(&k->params);
}

/* ------ words ------ */

static const struct key *
key_find(struct iscsi_text name)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (iscsi_text_is(name, keys[i].name))
			return &keys[i];
	return NULL;
}

static uint64_t
key_bit(const struct key *key)
{
	return 1ull << (key - keys);
}

static int
refuse(struct iscsi_keys *k, const char *why)
{
	k->why = why;
	return -EINVAL;
}

/* X-, Y- (digests), Z- (authentication) and their '#' forms: private or registered
 * extensions */
static bool
is_private(struct iscsi_text name)
{
	return name.len > 2 && name.at[0] >= 'X' && name.at[0] <= 'Z' &&
		(name.at[1] == '-' || name.at[1] == '#');
}

static bool
is_reserved_word(struct iscsi_text value)
{
	return iscsi_text_is(value, "NotUnderstood") || iscsi_text_is(value, "Irrelevant") ||
		iscsi_text_is(value, "Reject");
}

static int
take_unknown(struct iscsi_keys *k, struct iscsi_text name)
{
	k->private += is_private(name);
	if (++k->unknown > ISCSI_UNKNOWN_KEYS_MAX)
		return refuse(k, "too many unknown keys");
	return 0;
}

static int
take_known(struct iscsi_keys *k, const struct key *key, enum iscsi_key_phase phase,
	struct iscsi_text value)
{
	bool is_again = (k->seen & key_bit(key)) != 0;

	if ((key->flags & REPEAT) != 0)
		is_again = (k->words >> key->at & 1) != 0;
	if ((key->flags >> phase & 1) == 0)
		return refuse(k, "a key in the wrong stage");
	/* our own declaration may come back refused; nothing else of it may come */
	if (key->kind == KEY_TARGET)
		return is_reserved_word(value) ? 0 : refuse(k, "a key that only targets send");
	if (is_again)
		return refuse(k, "a key sent twice");
	if (value.len > ISCSI_VALUE_LEN_MAX && (key->flags & LONG) == 0)
		return refuse(k, "a value too long");
	k->seen |= key_bit(key);
	if (key->kind == KEY_WORD) {
		k->words |= 1u << key->at;
		k->word[key->at] = value;
	}
	return 0;
}

int
iscsi_keys_words(struct iscsi_keys *k, enum iscsi_key_phase phase, struct iscsi_text text)
{
	struct iscsi_pair pair;
	int r;

	k->words = 0;
	memset(k->word, 0, sizeof(k->word));
	while ((r = iscsi_text_next(&text, &pair)) > 0) {
		const struct key *key = key_find(pair.key);

		if (key == NULL)
			r = take_unknown(k, pair.key);
		else
			r = take_known(k, key, phase, pair.value);
		if (r < 0)
			return r;
	}
	return r == 0 ? 0 : refuse(k, "malformed text");
}

/* ------ answers ------ */

static uint32_t *
param_number(struct iscsi_params *params, const struct key *key)
{
	return (uint32_t *)(void *)((char *)params + key->at);
}

static bool *
param_bool(struct iscsi_params *params, const struct key *key)
{
	return (bool *)(void *)((char *)params + key->at);
}

static bool
parse_number(const struct key *key, struct iscsi_text value, uint32_t *ret)
{
	uint64_t v;

	if (iscsi_text_number(value, key->max, &v) < 0 || v < key->min)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static uint32_t
our_number(struct iscsi_keys *k, const struct key *key)
{
	struct iscsi_params want = k->offer->want;

	/* nothing that could be recovered is ever under way in a discovery session */
	if (k->is_discovery && key->at == PARAM(error_recovery_level))
		return 0;
	/* whatever comes first, the later one must not exceed the other */
	if (key->at == PARAM(first_burst) && (k->seen & 1ull << ROW_MAX_BURST) != 0)
		want.first_burst = (uint32_t)num_min(want.first_burst, k->params.max_burst);
	return *param_number(&want, key);
}

static void
answer_number(struct iscsi_keys *k, const struct key *key, struct iscsi_text value,
	struct iscsi_text_out *out)
{
	uint32_t ours = our_number(k, key), v;

	if (!parse_number(key, value, &v)) {
		iscsi_text_add(out, key->name, "Reject");
		return;
	}
	if (key->kind == KEY_MIN ? ours < v : ours > v)
		v = ours;
	*param_number(&k->params, key) = v;
	iscsi_text_addf(out, key->name, "%u", v);
}

static void
answer_bool(struct iscsi_keys *k, const struct key *key, struct iscsi_text value,
	struct iscsi_text_out *out)
{
	bool is_yes = iscsi_text_is(value, "Yes");
	struct iscsi_params want = k->offer->want;
	bool ours = *param_bool(&want, key);

	if (!is_yes && !iscsi_text_is(value, "No")) {
		iscsi_text_add(out, key->name, "Reject");
		return;
	}
	is_yes = key->kind == KEY_OR ? is_yes || ours : is_yes && ours;
	*param_bool(&k->params, key) = is_yes;
	iscsi_text_add(out, key->name, is_yes ? "Yes" : "No");
}

/* the first of @list that is in @names and allowed by @mask: its index, -1 if there is none */
static int
pick(struct iscsi_text list, const char *const *names, unsigned int n, uint32_t mask)
{
	struct iscsi_text one;

	while (iscsi_text_list(&list, &one))
		for (unsigned int i = 0; i < n; i++)
			if ((mask >> i & 1) != 0 && iscsi_text_is(one, names[i]))
				return (int)i;
	return -1;
}

static int
answer_digest(struct iscsi_keys *k, const struct key *key, struct iscsi_text value,
	struct iscsi_text_out *out)
{
	static const char *const names[ISCSI_DIGEST_KIND_N] = {
		[ISCSI_DIGEST_NONE] = "None",
		[ISCSI_DIGEST_CRC32C] = "CRC32C",
	};
	bool is_header = key->at == PARAM(header_digest);
	uint32_t mask = is_header ? k->offer->header_digests : k->offer->data_digests;
	int i = pick(value, names, ISCSI_DIGEST_KIND_N, mask);

	if (i < 0) {
		iscsi_text_add(out, key->name, "Reject");
		return (mask & 1u << ISCSI_DIGEST_NONE) != 0 ? 0 :
			refuse(k, "a digest is demanded and not offered");
	}
	if (is_header)
		k->params.header_digest = (enum iscsi_digest_kind)i;
	else
		k->params.data_digest = (enum iscsi_digest_kind)i;
	iscsi_text_add(out, key->name, names[i]);
	return 0;
}

static void
answer_reporting(struct iscsi_keys *k, const struct key *key, struct iscsi_text value,
	struct iscsi_text_out *out)
{
	static const char *const names[ISCSI_REPORT_N] = {
		[ISCSI_REPORT_RFC3720] = "RFC3720",
		[ISCSI_REPORT_RESPONSE_FENCE] = "ResponseFence",
		[ISCSI_REPORT_FAST_ABORT] = "FastAbort",
	};
	int i = pick(value, names, ISCSI_REPORT_N, k->offer->task_reportings);

	if (i >= 0)
		k->params.task_reporting = (enum iscsi_task_reporting)i;
	iscsi_text_add(out, key->name, i < 0 ? "Reject" : names[i]);
}

/* has the outcome of other keys, or the kind of session, left nothing to decide? */
static bool
is_irrelevant(const struct iscsi_keys *k, const struct key *key)
{
	if ((key->flags & LEADING) != 0 && !k->is_leading)
		return true;
	if ((key->flags & NORMAL) != 0 && k->is_discovery)
		return true;
	/* no unsolicited data at all (13.14); InitialR2T may still come if it has not */
	return key == &keys[ROW_FIRST_BURST] && (k->seen & 1ull << ROW_INITIAL_R2T) != 0 &&
		k->params.initial_r2t && !k->params.immediate_data;
}

static int
answer_one(struct iscsi_keys *k, const struct key *key, struct iscsi_text value,
	struct iscsi_text_out *out)
{
	bool has_answer = key->kind != KEY_WORD && key->kind != KEY_IGNORE &&
		key->kind != KEY_TARGET;

	if (has_answer && is_irrelevant(k, key)) {
		iscsi_text_add(out, key->name, "Irrelevant");
		return 0;
	}
	switch (key->kind) {
	case KEY_MIN:
	case KEY_MAX:
		answer_number(k, key, value, out);
		return 0;
	case KEY_OR:
	case KEY_AND:
		answer_bool(k, key, value, out);
		return 0;
	case KEY_RECV:
		return parse_number(key, value, &k->params.max_send_data) ? 0 :
			refuse(k, "MaxRecvDataSegmentLength out of its range");
	case KEY_DIGEST:
		return answer_digest(k, key, value, out);
	case KEY_REPORTING:
		answer_reporting(k, key, value, out);
		return 0;
	case KEY_NO:
		iscsi_text_add(out, key->name, "No");
		return 0;
	case KEY_REJECT:
		iscsi_text_add(out, key->name, "Reject");
		return 0;
	case KEY_WORD:
	case KEY_IGNORE:
	case KEY_TARGET:
		return 0;
	}
	return 0;
}

int
iscsi_keys_answer(struct iscsi_keys *k, enum iscsi_key_phase phase, struct iscsi_text text,
	struct iscsi_text_out *out)
{
	struct iscsi_text value[ARRAY_LEN(keys)];
	struct iscsi_pair pair;
	uint64_t have = 0;
	int r;

	while (iscsi_text_next(&text, &pair) > 0) {
		const struct key *key = key_find(pair.key);

		if (key == NULL) {
			iscsi_text_add_key(out, pair.key, "NotUnderstood");
			continue;
		}
		value[key - keys] = pair.value;
		have |= key_bit(key);
	}
	/* in the table's order, because later rows depend on earlier ones */
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if ((have >> i & 1) == 0)
			continue;
		r = answer_one(k, &keys[i], value[i], out);
		if (r < 0)
			return r;
	}
	if (phase == ISCSI_PHASE_OPERATIONAL && (k->declared & 1ull << ROW_RECV) == 0) {
		k->declared |= 1ull << ROW_RECV;
		k->params.max_recv_data = k->offer->want.max_recv_data;
		iscsi_text_addf(out, keys[ROW_RECV].name, "%u", k->params.max_recv_data);
	}
	return 0;
}

int
iscsi_keys_finish(struct iscsi_keys *k)
{
	if ((k->offer->header_digests >> k->params.header_digest & 1) == 0 ||
	    (k->offer->data_digests >> k->params.data_digest & 1) == 0)
		return refuse(k, "a digest is demanded and not offered");
	k->params.first_burst = (uint32_t)num_min(k->params.first_burst, k->params.max_burst);
	return 0;
}

int
iscsi_keys_text(struct iscsi_params *params, struct iscsi_text text, struct iscsi_text_out *out,
	struct iscsi_text *ret_send_targets)
{
	struct iscsi_keys k = { .params = *params, .is_leading = true };
	int r = iscsi_keys_words(&k, ISCSI_PHASE_FULL, text);

	if (r < 0)
		return r;
	if (k.seen == 0 && k.unknown > k.private)
		return -EINVAL;
	r = iscsi_keys_answer(&k, ISCSI_PHASE_FULL, text, out);
	if (r < 0)
		return r;
	*params = k.params;
	*ret_send_targets = k.word[ISCSI_WORD_SEND_TARGETS];
	return 0;
}
