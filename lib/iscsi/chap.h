/*
 * iscsi/chap.h - CHAP as iSCSI carries it
 *
 * What      The arithmetic and the order of keys of one authentication: list of algorithms,
 *           challenge, response, and the same the other way round when the initiator asks for
 *           it. Login owns the stage around it.
 * Life      zeroed -> offer (CHAP_A came) -> verify (CHAP_N, CHAP_R came) -> done or refused.
 * Owner     A value inside its login. Secrets are asked for when needed, used, and wiped; none
 *           is kept, and none ever reaches a log.
 * Thread    One thread an object.
 * Limits    Challenges 16 .. 1,024 bytes, names and secrets 255 bytes.
 * Source    RFC 7143 section 12.1.3; RFC 1994; algorithm numbers: IANA, "PPP Authentication
 *           Algorithms" (5 MD5, 6 SHA-1, 7 SHA-256, 8 SHA3-256).
 */
#ifndef ISCSI_CHAP_H
#define ISCSI_CHAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "iscsi/text.h"

#define ISCSI_CHAP_NAME_MAX	255	/* bytes */
#define ISCSI_CHAP_NAME_LEN	(ISCSI_CHAP_NAME_MAX + 1)
#define ISCSI_CHAP_SECRET_MAX	255	/* bytes */
#define ISCSI_CHAP_CHALLENGE_MIN 16
#define ISCSI_CHAP_CHALLENGE_MAX 1024
#define ISCSI_CHAP_RESPONSE_MAX	32

enum iscsi_chap_alg {
	ISCSI_CHAP_MD5		= 5,
	ISCSI_CHAP_SHA1		= 6,
	ISCSI_CHAP_SHA256	= 7,
	ISCSI_CHAP_SHA3_256	= 8,
};

#define ISCSI_CHAP_ALGS_ALL	(1u << ISCSI_CHAP_MD5 | 1u << ISCSI_CHAP_SHA1 | \
				 1u << ISCSI_CHAP_SHA256 | 1u << ISCSI_CHAP_SHA3_256)

struct iscsi_chap_secret {
	uint8_t bytes[ISCSI_CHAP_SECRET_MAX];
	size_t len;
};

/* what CHAP needs from outside; called inside the calls below, must not block */
struct iscsi_chap_ops {
	/* @len bytes from the kernel's random source; 0 or -errno */
	int (*random)(void *arg, void *buf, size_t len);
	/* the secret of user @name (foreign bytes, NUL-ended); 0 or -ENOENT */
	int (*secret)(void *arg, const char *name, struct iscsi_chap_secret *ret);
	/* our own name and secret towards this initiator; 0, or -ENOENT: none configured.
	 * NULL: never */
	int (*own_secret)(void *arg, char name[ISCSI_CHAP_NAME_LEN],
		struct iscsi_chap_secret *ret);
};

enum iscsi_chap_state {
	ISCSI_CHAP_START, ISCSI_CHAP_CHALLENGED, ISCSI_CHAP_DONE, ISCSI_CHAP_NSTATES
};

struct iscsi_chap {
	unsigned int state;			/* enum iscsi_chap_state */
	enum iscsi_chap_alg alg;
	uint8_t id;
	size_t challenge_len;
	uint8_t challenge[ISCSI_CHAP_CHALLENGE_MAX];
	char user[ISCSI_CHAP_NAME_LEN];		/* who proved itself; set in state done */
	bool is_mutual;				/* we proved ourselves, too */
	const char *why;			/* of a refusal: a constant, for logs */
};

/* the keys of one request; .at is NULL for a key that did not come */
struct iscsi_chap_keys {
	struct iscsi_text a, i, c, n, r;
};

/**
 * iscsi_chap_step() - take the CHAP keys of one request, add those of the answer
 *
 * @algs           algorithms we allow, 1 << number each; of these the first in the initiator's
 *                 list is taken
 * @challenge_len  bytes of our challenge; 0: as long as the digest; else 16 .. 1,024
 * @out            CHAP_A, CHAP_I, CHAP_C; later, if asked, CHAP_N and CHAP_R
 *
 * Returns:  0             go on; state done: the initiator is who it says
 *           -EACCES       authentication failed; chap->why
 *           -EPROTO       keys that have no place here
 *           -EIO          no randomness, or libcrypto lacks the algorithm
 * Note:     an unknown user costs the same time as a wrong secret; the two cannot be told apart
 */
int iscsi_chap_step(struct iscsi_chap *chap, uint32_t algs, size_t challenge_len,
	const struct iscsi_chap_keys *keys, const struct iscsi_chap_ops *ops, void *arg,
	struct iscsi_text_out *out) MUST_CHECK;

/* iscsi_chap_wipe() - forget everything but user, alg and is_mutual */
void iscsi_chap_wipe(struct iscsi_chap *chap);

/* iscsi_chap_alg_name() - "MD5" .. "SHA3-256"; NULL for a number we do not have */
const char *iscsi_chap_alg_name(unsigned int alg);

/* iscsi_chap_response_len() - bytes of a response: 16, 20 or 32; 0 for no algorithm of ours */
size_t iscsi_chap_response_len(unsigned int alg);

/**
 * iscsi_chap_respond() - the digest over id, secret and challenge
 *
 * @ret      iscsi_chap_response_len(@alg) bytes
 *
 * Returns:  0
 *           -EINVAL   no algorithm of ours
 *           -EIO      libcrypto lacks it
 */
int iscsi_chap_respond(unsigned int alg, uint8_t id, const struct iscsi_chap_secret *secret,
	const void *challenge, size_t challenge_len,
	uint8_t ret[ISCSI_CHAP_RESPONSE_MAX]) MUST_CHECK;

#endif /* ISCSI_CHAP_H */
