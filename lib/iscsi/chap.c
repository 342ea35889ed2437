/* chap.c - challenge, response, and the order of their keys */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/num.h"
#include "base/sm.h"
#include "iscsi/chap.h"

/*
 *   start --CHAP_A/A,I,C--> challenged --CHAP_N,R [I,C]/[N,R]--> done
 *
 * A refusal moves nowhere: its login ends with it.
 */
static const struct sm_state chap_states[ISCSI_CHAP_NSTATES] = {
	[ISCSI_CHAP_START]	= { "start",	  SM_TO(ISCSI_CHAP_CHALLENGED) },
	[ISCSI_CHAP_CHALLENGED] = { "challenged", SM_TO(ISCSI_CHAP_DONE) },
	[ISCSI_CHAP_DONE]	= { "done",	  0 },
};

static const struct {
	const char *name;
	size_t len;
	const EVP_MD *(*md)(void);
} algs_table[] = {
	[ISCSI_CHAP_MD5]	= { "MD5",	16, EVP_md5 },
	[ISCSI_CHAP_SHA1]	= { "SHA-1",	20, EVP_sha1 },
	[ISCSI_CHAP_SHA256]	= { "SHA-256",	32, EVP_sha256 },
	[ISCSI_CHAP_SHA3_256]	= { "SHA3-256",	32, EVP_sha3_256 },
};

const char *
iscsi_chap_alg_name(unsigned int alg)
{
	return alg < ARRAY_LEN(algs_table) ? algs_table[alg].name : NULL;
}

size_t
iscsi_chap_response_len(unsigned int alg)
{
	return alg < ARRAY_LEN(algs_table) ? algs_table[alg].len : 0;
}

static void
digest_freep(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

int
iscsi_chap_respond(unsigned int alg, uint8_t id, const struct iscsi_chap_secret *secret,
	const void *challenge, size_t challenge_len, uint8_t ret[ISCSI_CHAP_RESPONSE_MAX])
{
	CLEANUP(digest_freep) EVP_MD_CTX *ctx = NULL;

	if (iscsi_chap_response_len(alg) == 0)
		return -EINVAL;
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL || EVP_DigestInit_ex(ctx, algs_table[alg].md(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, &id, 1) != 1 ||
	    EVP_DigestUpdate(ctx, secret->bytes, secret->len) != 1 ||
	    EVP_DigestUpdate(ctx, challenge, challenge_len) != 1 ||
	    EVP_DigestFinal_ex(ctx, ret, NULL) != 1)
		return -EIO;
	return 0;
}

void
iscsi_chap_wipe(struct iscsi_chap *chap)
{
	OPENSSL_cleanse(chap->challenge, sizeof(chap->challenge));
	chap->challenge_len = 0;
	chap->id = 0;
}

static int
refuse(struct iscsi_chap *chap, int error, const char *why)
{
	chap->why = why;
	return error;
}

static bool
has(struct iscsi_text text)
{
	return text.at != NULL;
}

/* the first of the initiator's list that we allow (RFC 7143 section 12.1.3) */
static bool
pick_alg(struct iscsi_text list, uint32_t algs, enum iscsi_chap_alg *ret)
{
	struct iscsi_text one;
	uint64_t v;

	while (iscsi_text_list(&list, &one)) {
		if (iscsi_text_number(one, ARRAY_LEN(algs_table) - 1, &v) < 0)
			continue;
		if ((algs >> v & 1) != 0 && algs_table[v].name != NULL) {
			*ret = (enum iscsi_chap_alg)v;
			return true;
		}
	}
	return false;
}

static int
recv_chap_a(struct iscsi_chap *chap, uint32_t algs, size_t challenge_len,
    struct iscsi_text list, const struct iscsi_chap_ops *ops, void *arg,
    struct iscsi_text_out *out)
{
	if (!pick_alg(list, algs, &chap->alg))
		return refuse(chap, -EACCES, "no CHAP algorithm in common");
	if (challenge_len == 0)
		challenge_len = algs_table[chap->alg].len;
	if (challenge_len < ISCSI_CHAP_CHALLENGE_MIN)
		challenge_len = ISCSI_CHAP_CHALLENGE_MIN;
	chap->challenge_len = num_min(challenge_len, ISCSI_CHAP_CHALLENGE_MAX);
	if (ops->random(arg, &chap->id, 1) < 0 ||
	    ops->random(arg, chap->challenge, chap->challenge_len) < 0)
		return refuse(chap, -EIO, "no random bytes for a challenge");
	iscsi_text_addf(out, "CHAP_A", "%u", chap->alg);
	iscsi_text_addf(out, "CHAP_I", "%u", chap->id);
	iscsi_text_add_hex(out, "CHAP_C", chap->challenge, chap->challenge_len);
	(void)sm_move(chap_states, &chap->state, ISCSI_CHAP_CHALLENGED);
	return 0;
}

static bool
copy_name(char dst[ISCSI_CHAP_NAME_LEN], struct iscsi_text name)
{
	if (name.len == 0 || name.len > ISCSI_CHAP_NAME_MAX)
		return false;
	memcpy(dst, name.at, name.len);
	dst[name.len] = '\0';
	return true;
}

/* is @r what @name's secret makes of our challenge? @secret is filled on the way */
static int
verify(struct iscsi_chap *chap, const char *name, struct iscsi_text r,
	const struct iscsi_chap_ops *ops, void *arg, struct iscsi_chap_secret *secret)
{
	uint8_t got[ISCSI_CHAP_RESPONSE_MAX], want[ISCSI_CHAP_RESPONSE_MAX];
	size_t len = algs_table[chap->alg].len, got_len;
	bool is_known, is_right;

	if (iscsi_text_binary(r, got, sizeof(got), &got_len) < 0 || got_len != len)
		return refuse(chap, -EACCES, "malformed CHAP response");
	is_known = ops->secret(arg, name, secret) == 0 && secret->len > 0;
	/* an unknown user takes the same way, with a secret that nobody has */
	if (!is_known && ops->random(arg, secret->bytes, secret->len = 16) < 0)
		return refuse(chap, -EIO, "no random bytes");
	if (iscsi_chap_respond(chap->alg, chap->id, secret, chap->challenge, chap->challenge_len,
	    want) < 0)
		return refuse(chap, -EIO, "libcrypto lacks the algorithm");
	is_right = CRYPTO_memcmp(got, want, len) == 0;
	OPENSSL_cleanse(want, sizeof(want));
	return is_known && is_right ? 0 : refuse(chap, -EACCES, "CHAP response is wrong");
}

/* the initiator wants to know that we are who it thinks we are */
static int
prove(struct iscsi_chap *chap, const struct iscsi_chap_keys *keys,
	const struct iscsi_chap_secret *theirs, const struct iscsi_chap_ops *ops, void *arg,
	struct iscsi_text_out *out)
{
	uint8_t challenge[ISCSI_CHAP_CHALLENGE_MAX], response[ISCSI_CHAP_RESPONSE_MAX];
	struct iscsi_chap_secret ours = { .len = 0 };
	char name[ISCSI_CHAP_NAME_LEN];
	size_t len;
	uint64_t id;
	int r = 0;

	if (!has(keys->i) || !has(keys->c) || iscsi_text_number(keys->i, UINT8_MAX, &id) < 0 ||
	    iscsi_text_binary(keys->c, challenge, sizeof(challenge), &len) < 0 || len == 0)
		return refuse(chap, -EACCES, "malformed CHAP challenge");
	if (len == chap->challenge_len && memcmp(challenge, chap->challenge, len) == 0)
		return refuse(chap, -EACCES, "our own CHAP challenge came back");
	if (ops->own_secret == NULL || ops->own_secret(arg, name, &ours) < 0)
		return refuse(chap, -EACCES, "mutual CHAP is asked for and not configured");
	if (ours.len == theirs->len && CRYPTO_memcmp(ours.bytes, theirs->bytes, ours.len) == 0)
		r = refuse(chap, -EACCES, "the same CHAP secret is configured for both directions");
	else if (iscsi_chap_respond(chap->alg, (uint8_t)id, &ours, challenge, len, response) < 0)
		r = refuse(chap, -EIO, "libcrypto lacks the algorithm");
	OPENSSL_cleanse(&ours, sizeof(ours));
	if (r < 0)
		return r;
	chap->is_mutual = true;
	iscsi_text_add(out, "CHAP_N", name);
	iscsi_text_add_hex(out, "CHAP_R", response, algs_table[chap->alg].len);
	return 0;
}

static int
recv_chap_nr(struct iscsi_chap *chap, const struct iscsi_chap_keys *keys,
	const struct iscsi_chap_ops *ops, void *arg, struct iscsi_text_out *out)
{
	struct iscsi_chap_secret secret = { .len = 0 };
	char name[ISCSI_CHAP_NAME_LEN];
	int r;

	if (!copy_name(name, keys->n))
		return refuse(chap, -EACCES, "malformed CHAP name");
	r = verify(chap, name, keys->r, ops, arg, &secret);
	if (r == 0 && (has(keys->i) || has(keys->c)))
		r = prove(chap, keys, &secret, ops, arg, out);
	OPENSSL_cleanse(&secret, sizeof(secret));
	if (r < 0)
		return r;
	memcpy(chap->user, name, sizeof(name));
	iscsi_chap_wipe(chap);
	(void)sm_move(chap_states, &chap->state, ISCSI_CHAP_DONE);
	return 0;
}

int
iscsi_chap_step(struct iscsi_chap *chap, uint32_t algs, size_t challenge_len,
	const struct iscsi_chap_keys *keys, const struct iscsi_chap_ops *ops, void *arg,
	struct iscsi_text_out *out)
{
	bool has_answer = has(keys->n) && has(keys->r);
	bool has_any = has(keys->i) || has(keys->c) || has(keys->n) || has(keys->r);

	switch ((enum iscsi_chap_state)chap->state) {
	case ISCSI_CHAP_START:
		if (has_any)
			return refuse(chap, -EPROTO, "CHAP keys before CHAP_A");
		if (!has(keys->a))
			return 0;
		return recv_chap_a(chap, algs, challenge_len, keys->a, ops, arg, out);
	case ISCSI_CHAP_CHALLENGED:
		if (has(keys->a) || !has_answer)
			return refuse(chap, -EPROTO, "CHAP_N and CHAP_R are due");
		return recv_chap_nr(chap, keys, ops, arg, out);
	case ISCSI_CHAP_DONE:
		if (has(keys->a) || has_any)
			return refuse(chap, -EPROTO, "CHAP keys after CHAP is done");
		return 0;
	case ISCSI_CHAP_NSTATES:
		break;
	}
	return refuse(chap, -EPROTO, "CHAP is lost");
}
