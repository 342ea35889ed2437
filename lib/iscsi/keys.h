/*
 * iscsi/keys.h - the keys of RFC 7143 section 13: their table, rules and results
 *
 * What      One table row a key says what kind of value it has, who may send it, when, in what
 *           range, and what comes out of offer and answer. Login and Text hand pairs in;
 *           answers and results come out.
 * Life      begin -> add (all pairs of one request) -> answer -> ... -> finish.
 * Owner     struct iscsi_keys is a value inside its login; it owns nothing.
 * Thread    One thread an object.
 * Limits    Every key once in a login, but names, alias and SessionType once in a request
 *           (libiscsi repeats them); at most ISCSI_UNKNOWN_KEYS_MAX keys that we do not know.
 * Source    RFC 7143 section 6.2 and 13; RFC 7144 section 7 (iSCSIProtocolLevel); RFC 7145
 *           section 6 (RDMAExtensions is answered No, all other keys of iSER are unknown here).
 */
#ifndef ISCSI_KEYS_H
#define ISCSI_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "iscsi/text.h"

#define ISCSI_UNKNOWN_KEYS_MAX	128
#define ISCSI_DATA_LEN_MIN	512u
#define ISCSI_DATA_LEN_MAX	0xffffffu
#define ISCSI_ALIAS_LEN		256

enum iscsi_digest_kind { ISCSI_DIGEST_NONE, ISCSI_DIGEST_CRC32C, ISCSI_DIGEST_KIND_N };

enum iscsi_task_reporting {
	ISCSI_REPORT_RFC3720,
	ISCSI_REPORT_RESPONSE_FENCE,
	ISCSI_REPORT_FAST_ABORT,
	ISCSI_REPORT_N
};

/* What a session and a connection work with. As results of a login they are facts; as "ours",
 * given to iscsi_keys_begin(), they are what we want: largest number, yes or no */
struct iscsi_params {
	/* session: decided on its leading connection */
	uint32_t max_connections;	/* 1 .. 65535 */
	uint32_t max_burst;		/* 512 .. 2^24 - 1, bytes */
	uint32_t first_burst;		/* 512 .. max_burst, bytes */
	uint32_t max_outstanding_r2t;	/* 1 .. 65535 */
	uint32_t time_2_wait;		/* 0 .. 3600 s; ours: smallest */
	uint32_t time_2_retain;		/* 0 .. 3600 s */
	uint32_t error_recovery_level;	/* 0 .. 2 */
	uint32_t protocol_level;	/* 0 .. 31; 1 when nothing was said, 2: RFC 7144 */
	bool initial_r2t;		/* ours: true demands it */
	bool immediate_data;		/* ours: false forbids it */
	bool data_pdu_in_order;		/* ours: true demands it */
	bool data_sequence_in_order;	/* ours: true demands it */
	enum iscsi_task_reporting task_reporting;
	/* connection */
	enum iscsi_digest_kind header_digest;
	enum iscsi_digest_kind data_digest;
	uint32_t max_recv_data;		/* longest data segment we take: ours, 8192 if undeclared */
	uint32_t max_send_data;		/* longest one the initiator takes */
};

/* iscsi_params_defaults() - what holds when nothing was negotiated (RFC 7143 section 13) */
void iscsi_params_defaults(struct iscsi_params *params);

/* our side of the negotiation */
struct iscsi_offer {
	struct iscsi_params want;	/* see there */
	uint32_t header_digests;	/* 1 << iscsi_digest_kind each; without NONE: demanded */
	uint32_t data_digests;
	uint32_t task_reportings;	/* 1 << iscsi_task_reporting each */
};

/* iscsi_offer_defaults() - as generous as this implementation can be (see scsad-iscsi(7)) */
void iscsi_offer_defaults(struct iscsi_offer *offer);

/* which keys one request may carry */
enum iscsi_key_phase {
	ISCSI_PHASE_SECURITY,
	ISCSI_PHASE_OPERATIONAL,
	ISCSI_PHASE_FULL,		/* Text requests */
};

/* declared by the initiator, kept as they came: slices into the request */
enum iscsi_key_word {
	ISCSI_WORD_INITIATOR_NAME,
	ISCSI_WORD_INITIATOR_ALIAS,
	ISCSI_WORD_TARGET_NAME,
	ISCSI_WORD_SESSION_TYPE,
	ISCSI_WORD_AUTH_METHOD,
	ISCSI_WORD_CHAP_A,
	ISCSI_WORD_CHAP_I,
	ISCSI_WORD_CHAP_C,
	ISCSI_WORD_CHAP_N,
	ISCSI_WORD_CHAP_R,
	ISCSI_WORD_SEND_TARGETS,
	ISCSI_WORD_N
};

struct iscsi_keys {
	struct iscsi_params params;	/* results so far */
	const struct iscsi_offer *offer;
	uint64_t seen;			/* rows of the table that came in this login or sequence */
	uint64_t declared;		/* rows that we declared */
	uint32_t unknown;		/* keys nobody knows, so far; private ones among them: */
	uint32_t private;
	bool is_discovery;		/* session type: some keys are irrelevant */
	bool is_leading;		/* first connection of its session? */
	/* one request: */
	uint32_t words;			/* 1 << iscsi_key_word of those present */
	struct iscsi_text word[ISCSI_WORD_N];
	const char *why;		/* of the last refusal: a constant, for logs */
};

/* iscsi_keys_begin() - before the first request of a login; @offer is borrowed, its contents
 * may be changed until the first iscsi_keys_answer() */
void iscsi_keys_begin(struct iscsi_keys *keys, const struct iscsi_offer *offer);

/**
 * iscsi_keys_words() - first look at a request: its form, and the words that decide on the rest
 *
 * @text     all pairs of the request; borrowed until the next call of this function
 *
 * Returns:  0
 *           -EINVAL   malformed, a key twice, a key that the initiator may not send, a key that
 *                     does not belong into @phase, too many unknown keys, a value too long;
 *                     keys->why says which
 */
int iscsi_keys_words(struct iscsi_keys *keys, enum iscsi_key_phase phase,
	struct iscsi_text text) MUST_CHECK;

/* iscsi_keys_has() - did this request carry @word? */
static inline bool
iscsi_keys_has(const struct iscsi_keys *keys, enum iscsi_key_word word)
{
	return (keys->words >> word & 1) != 0;
}

/**
 * iscsi_keys_answer() - negotiate what the same request offers
 *
 * @text     as given to iscsi_keys_words(), which returned 0
 * @out      answers are added: a number, Yes, No, a list's choice, Irrelevant, NotUnderstood,
 *           Reject. Declarations and words have no answer here. In the operational stage our
 *           own declaration of MaxRecvDataSegmentLength is added once
 *
 * Returns:  0
 *           -EINVAL   a declaration outside its range, or no digest where one is demanded;
 *                     keys->why says which
 */
int iscsi_keys_answer(struct iscsi_keys *keys, enum iscsi_key_phase phase,
    struct iscsi_text text, struct iscsi_text_out *out) MUST_CHECK;

/**
 * iscsi_keys_finish() - the login is over: settle what depends on several keys
 *
 * Returns:  0
 *           -EINVAL   a demanded digest was never offered
 */
int iscsi_keys_finish(struct iscsi_keys *keys) MUST_CHECK;

/**
 * iscsi_keys_text() - one whole Text request in full feature phase
 *
 * @params   of the connection; max_send_data may be declared anew
 * @ret_send_targets  value of SendTargets if it came; .at is NULL otherwise
 *
 * Keys that nobody knows are answered NotUnderstood beside one that is known, and if they are
 * private extensions (X-); a request of nothing but misspelt keys is refused: libiscsi takes
 * NotUnderstood for a broken connection, and a Reject for what it is.
 *
 * Returns:  0         @out has the answers, except that to SendTargets
 *           -EINVAL   as iscsi_keys_words() and iscsi_keys_answer(): Reject with
 *                     ISCSI_REJECT_PROTOCOL; @params untouched
 */
int iscsi_keys_text(struct iscsi_params *params, struct iscsi_text text,
	struct iscsi_text_out *out, struct iscsi_text *ret_send_targets) MUST_CHECK;

#endif /* ISCSI_KEYS_H */
