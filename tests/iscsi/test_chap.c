/* test_chap.c - digests against known vectors, and the order of CHAP's keys */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "iscsi/chap.h"

struct host {
	int random_error, secret_error, own_error;
	uint8_t next;
	const char *secret, *own;
	unsigned int asked;
};

static struct host host;
static struct iscsi_chap chap;
static struct iscsi_text_out out;

static int
host_random(void *arg, void *buf, size_t len)
{
	struct host *h = arg;

	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = h->next++;
	return h->random_error;
}

static int
host_secret(void *arg, const char *name, struct iscsi_chap_secret *ret)
{
	struct host *h = arg;

	h->asked++;
	if (strcmp(name, "user") != 0 && strcmp(name, "0xabcuser") != 0 &&
	    strcmp(name, "0babcuser") != 0)
		return -ENOENT;
	ret->len = strlen(h->secret);
	memcpy(ret->bytes, h->secret, ret->len);
	return h->secret_error;
}

static int
host_own(void *arg, char name[ISCSI_CHAP_NAME_LEN], struct iscsi_chap_secret *ret)
{
	struct host *h = arg;

	(void)snprintf(name, ISCSI_CHAP_NAME_LEN, "target");
	ret->len = strlen(h->own);
	memcpy(ret->bytes, h->own, ret->len);
	return h->own_error;
}

static const struct iscsi_chap_ops ops = { host_random, host_secret, host_own };

static void
begin(void)
{
	iscsi_text_out_fini(&out);
	host = (struct host){ .secret = "secret123456", .own = "othersecret12" };
	chap = (struct iscsi_chap){ .state = ISCSI_CHAP_START };
}

static struct iscsi_text
word(const char *s)
{
	return s == NULL ? (struct iscsi_text){ NULL, 0 } : (struct iscsi_text){ s, strlen(s) };
}

static int
step(const char *a, const char *n, const char *r, const char *i, const char *c)
{
	struct iscsi_chap_keys keys = { word(a), word(i), word(c), word(n), word(r) };

	iscsi_text_out_reset(&out);
	return iscsi_chap_step(&chap, ISCSI_CHAP_ALGS_ALL, 0, &keys, &ops, &host, &out);
}

static const char *
hex(const void *data, size_t len)
{
	static char text[2 * ISCSI_CHAP_CHALLENGE_MAX + 3];

	(void)snprintf(text, sizeof(text), "0x");
	for (size_t i = 0; i < len; i++)
		(void)snprintf(text + 2 + 2 * i, 3, "%02x", ((const uint8_t *)data)[i]);
	return text;
}

/* the right response of @secret to the challenge under way */
static const char *
response(const char *secret)
{
	struct iscsi_chap_secret s = { .len = strlen(secret) };
	uint8_t r[ISCSI_CHAP_RESPONSE_MAX];

	memcpy(s.bytes, secret, s.len);
	ck_assert_int_eq(iscsi_chap_respond(chap.alg, chap.id, &s, chap.challenge,
	    chap.challenge_len, r), 0);
	return hex(r, iscsi_chap_response_len(chap.alg));
}

/* id 1, "secret", challenge 00..0f: made with another implementation of the digests */
START_TEST(digests)
{
	static const struct {
		unsigned int alg;
		const char *want;
	} rows[] = {
		{ 5, "0x740e86463bda3a4d7017d6e0fba0699d" },
		{ 6, "0x3890198f5112376188a9742805758384545583a6" },
		{ 7, "0x28b96c916cf784528bbfaa6ad7e012cab293437604aae8d66a3295b319132cef" },
		{ 8, "0xbdceca071be509f41acf88309bb6d12e51526c23a2d18f22c2bb8ed199c36fd8" },
	};
	struct iscsi_chap_secret secret = { .bytes = "secret", .len = 6 };
	uint8_t challenge[16], r[ISCSI_CHAP_RESPONSE_MAX];

	for (uint8_t i = 0; i < 16; i++)
		challenge[i] = i;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_int_eq(iscsi_chap_respond(rows[i].alg, 1, &secret, challenge, 16, r), 0);
		ck_assert_str_eq(hex(r, iscsi_chap_response_len(rows[i].alg)), rows[i].want);
	}
	ck_assert_int_eq(iscsi_chap_respond(4, 1, &secret, challenge, 16, r), -EINVAL);
	ck_assert_int_eq(iscsi_chap_respond(9, 1, &secret, challenge, 16, r), -EINVAL);
	ck_assert_str_eq(iscsi_chap_alg_name(7), "SHA-256");
	ck_assert_ptr_null(iscsi_chap_alg_name(0));
	ck_assert_ptr_null(iscsi_chap_alg_name(100));
}
END_TEST

START_TEST(the_first_common_algorithm_in_the_initiators_order)
{
	static const struct {
		const char *list;
		unsigned int want;
	} rows[] = {
		{ "5", 5 }, { "8,7,6,5", 8 }, { "7,5", 7 }, { "1,2,99999999999999999999,6", 6 },
		{ "x,,5", 5 }, { "0x6", 6 },
	};
	static const char *const bad[] = { "", "4", "9", "x", "-5", "13", "5x", "255" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin();
		ck_assert_int_eq(step(rows[i].list, NULL, NULL, NULL, NULL), 0);
		ck_assert_uint_eq(chap.alg, rows[i].want);
		ck_assert_uint_eq(chap.state, ISCSI_CHAP_CHALLENGED);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		begin();
		ck_assert_int_eq(step(bad[i], NULL, NULL, NULL, NULL), -EACCES);
		ck_assert_uint_eq(out.len, 0);
	}
}
END_TEST

START_TEST(only_allowed_algorithms)
{
	struct iscsi_chap_keys keys = { .a = word("5,7") };

	begin();
	ck_assert_int_eq(
	    iscsi_chap_step(&chap, 1u << ISCSI_CHAP_SHA256, 0, &keys, &ops, &host, &out), 0);
	ck_assert_uint_eq(chap.alg, 7);
}
END_TEST

START_TEST(challenges_have_lengths)
{
	static const struct {
		size_t asked, got;
	} rows[] = { { 0, 32 }, { 1, 16 }, { 16, 16 }, { 1024, 1024 }, { 5000, 1024 } };
	struct iscsi_chap_keys keys = { .a = word("7") };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin();
		ck_assert_int_eq(iscsi_chap_step(&chap, ISCSI_CHAP_ALGS_ALL, rows[i].asked, &keys,
		    &ops, &host, &out), 0);
		ck_assert_uint_eq(chap.challenge_len, rows[i].got);
	}
	begin();
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
	ck_assert_uint_eq(chap.challenge_len, 16);
	ck_assert_uint_eq(out.len, sizeof("CHAP_A=5\0CHAP_I=0\0CHAP_C=0x") + 32);
	ck_assert_int_eq(memcmp(out.buf, "CHAP_A=5\0CHAP_I=0\0CHAP_C=0x0102", 31), 0);
}
END_TEST

START_TEST(a_right_response)
{
	static const char *const names[] = { "user", "0xabcuser", "0babcuser" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		begin();
		ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
		ck_assert_int_eq(step(NULL, names[i], response("secret123456"), NULL, NULL), 0);
		ck_assert_uint_eq(chap.state, ISCSI_CHAP_DONE);
		ck_assert_str_eq(chap.user, names[i]);
		ck_assert(!chap.is_mutual);
		ck_assert_uint_eq(out.len, 0);
		ck_assert_uint_eq(chap.challenge_len, 0);	/* wiped */
	}
}
END_TEST

START_TEST(a_response_in_base64)
{
	begin();
	ck_assert_int_eq(step("7", NULL, NULL, NULL, NULL), 0);
	/* SHA-256 of 00, "secret123456", 01..20 */
	ck_assert_int_eq(
	    step(NULL, "user", "0boo3Sb9aqaGKMcoQwjEAqgHaeitto/KhawBJjBz2+Z1I=", NULL, NULL),
	    0);
	ck_assert_uint_eq(chap.state, ISCSI_CHAP_DONE);
}
END_TEST

START_TEST(wrong_responses)
{
	static const char *const bad[] = { "", "0x", "0x00", "1234", "0b", "0bAAAA",
		"0x00000000000000000000000000000000", "0x000000000000000000000000000000000" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		begin();
		ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
		ck_assert_int_eq(step(NULL, "user", bad[i], NULL, NULL), -EACCES);
		ck_assert_uint_eq(chap.state, ISCSI_CHAP_CHALLENGED);
		ck_assert_str_eq(chap.user, "");
	}
	begin();
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
	ck_assert_int_eq(step(NULL, "user", response("secret123457"), NULL, NULL), -EACCES);
	/* the right bytes, and one more */
	begin();
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
	{
		char more[2 * ISCSI_CHAP_CHALLENGE_MAX + 8];

		(void)snprintf(more, sizeof(more), "%s00", response("secret123456"));
		ck_assert_int_eq(step(NULL, "user", more, NULL, NULL), -EACCES);
	}
	/* a digest of the wrong length, though made of the right secret */
	begin();
	ck_assert_int_eq(step("7", NULL, NULL, NULL, NULL), 0);
	chap.alg = ISCSI_CHAP_MD5;
	{
		char md5[2 * ISCSI_CHAP_CHALLENGE_MAX + 3];

		(void)snprintf(md5, sizeof(md5), "%s", response("secret123456"));
		chap.alg = ISCSI_CHAP_SHA256;
		ck_assert_int_eq(step(NULL, "user", md5, NULL, NULL), -EACCES);
	}
}
END_TEST

START_TEST(names_have_lengths)
{
	char name[ISCSI_CHAP_NAME_MAX + 2];

	memset(name, 'n', sizeof(name));
	name[ISCSI_CHAP_NAME_MAX + 1] = '\0';
	begin();
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
	ck_assert_int_eq(step(NULL, name, response("secret123456"), NULL, NULL), -EACCES);
	ck_assert_uint_eq(host.asked, 0);
	ck_assert_int_eq(step(NULL, "", response("secret123456"), NULL, NULL), -EACCES);
	ck_assert_uint_eq(host.asked, 0);
	name[ISCSI_CHAP_NAME_MAX] = '\0';
	ck_assert_int_eq(step(NULL, name, response("secret123456"), NULL, NULL), -EACCES);
	ck_assert_uint_eq(host.asked, 1);
}
END_TEST

START_TEST(unknown_users_and_wrong_secrets_look_alike)
{
	const char *why;

	begin();
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
	ck_assert_int_eq(step(NULL, "user", response("wrong"), NULL, NULL), -EACCES);
	why = chap.why;
	begin();
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
	ck_assert_int_eq(step(NULL, "nobody", response("wrong"), NULL, NULL), -EACCES);
	ck_assert_str_eq(chap.why, why);
	/* whoever guesses the secret that stands in for an unknown one is still unknown */
	{
		char guess[17];

		begin();
		ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
		for (uint8_t i = 0; i < 16; i++)
			guess[i] = (char)(host.next + i);
		guess[16] = '\0';
		ck_assert_int_eq(step(NULL, "nobody", response(guess), NULL, NULL), -EACCES);
	}
	/* a user without a secret is none */
	begin();
	host.secret = "";
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
	ck_assert_int_eq(step(NULL, "user", response(""), NULL, NULL), -EACCES);
}
END_TEST

START_TEST(mutual)
{
	static const char challenge[] = "0x000102030405060708090a0b0c0d0e0f";
	struct iscsi_chap_secret own = { .bytes = "othersecret12", .len = 13 };
	uint8_t r[ISCSI_CHAP_RESPONSE_MAX], raw[16];
	char want[2 * ISCSI_CHAP_CHALLENGE_MAX + 16];

	for (uint8_t i = 0; i < 16; i++)
		raw[i] = i;
	begin();
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
	ck_assert_int_eq(step(NULL, "user", response("secret123456"), "0xff", challenge), 0);
	ck_assert_uint_eq(chap.state, ISCSI_CHAP_DONE);
	ck_assert(chap.is_mutual);
	ck_assert_ptr_null(chap.why);
	ck_assert_int_eq(iscsi_chap_respond(5, 255, &own, raw, 16, r), 0);
	(void)snprintf(want, sizeof(want), "CHAP_R=%s", hex(r, 16));
	ck_assert_str_eq(out.buf, "CHAP_N=target");
	ck_assert_str_eq(out.buf + sizeof("CHAP_N=target"), want);
}
END_TEST

START_TEST(mutual_only_after_the_initiators_own_proof)
{
	begin();
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
	ck_assert_int_eq(
	    step(NULL, "user", response("wrong"), "1", "0x00112233445566778899"), -EACCES);
	ck_assert_uint_eq(out.len, 0);
	ck_assert(!chap.is_mutual);
}
END_TEST

START_TEST(mutual_that_is_refused)
{
	static const struct {
		const char *i, *c;
	} bad[] = {
		{ "1", NULL }, { NULL, "0x0011" }, { "256", "0x0011" }, { "x", "0x0011" },
		{ "1", "0x001" }, { "1", "0x" }, { "1", "plain" }, { "1", "0bA" },
	};
	static char big[2 * ISCSI_CHAP_CHALLENGE_MAX + 5];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		begin();
		ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
		ck_assert_int_eq(step(NULL, "user", response("secret123456"), bad[i].i, bad[i].c),
		    -EACCES);
		ck_assert_uint_eq(out.len, 0);
	}
	memset(big, '0', sizeof(big) - 1);
	big[1] = 'x';
	begin();
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
	ck_assert_int_eq(step(NULL, "user", response("secret123456"), "1", big), -EACCES);
	big[sizeof(big) - 3] = '\0';	/* 1,024 bytes */
	ck_assert_int_eq(step(NULL, "user", response("secret123456"), "1", big), 0);
}
END_TEST

START_TEST(reflection)
{
	char same[2 * ISCSI_CHAP_CHALLENGE_MAX + 3];

	begin();
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
	(void)snprintf(same, sizeof(same), "%s", hex(chap.challenge, chap.challenge_len));
	ck_assert_int_eq(step(NULL, "user", response("secret123456"), "99", same), -EACCES);
	ck_assert_str_eq(chap.why, "our own CHAP challenge came back");
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(mutual_needs_a_secret_of_its_own)
{
	struct iscsi_chap_ops never = { host_random, host_secret, NULL };
	struct iscsi_chap_keys keys = { .i = word("1"), .c = word("0x0011"), .n = word("user") };

	begin();
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
	host.own_error = -ENOENT;
	ck_assert_int_eq(step(NULL, "user", response("secret123456"), "1", "0x0011"), -EACCES);
	host.own_error = 0;
	host.own = "secret123456";
	ck_assert_int_eq(step(NULL, "user", response("secret123456"), "1", "0x0011"), -EACCES);
	keys.r = word(response("secret123456"));
	ck_assert_int_eq(
	    iscsi_chap_step(&chap, ISCSI_CHAP_ALGS_ALL, 0, &keys, &never, &host, &out),
	    -EACCES);
}
END_TEST

START_TEST(keys_out_of_order)
{
	begin();
	ck_assert_int_eq(step(NULL, NULL, NULL, NULL, NULL), 0);	/* not yet */
	ck_assert_int_eq(step(NULL, "user", "0x00", NULL, NULL), -EPROTO);
	ck_assert_int_eq(step("5", "user", NULL, NULL, NULL), -EPROTO);
	ck_assert_int_eq(step(NULL, NULL, NULL, "1", "0x00"), -EPROTO);
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), -EPROTO);
	ck_assert_int_eq(step(NULL, NULL, NULL, NULL, NULL), -EPROTO);
	ck_assert_int_eq(step(NULL, "user", NULL, NULL, NULL), -EPROTO);
	ck_assert_int_eq(step(NULL, NULL, "0x00", NULL, NULL), -EPROTO);
	ck_assert_int_eq(step(NULL, "user", response("secret123456"), NULL, NULL), 0);
	ck_assert_int_eq(step(NULL, NULL, NULL, NULL, NULL), 0);
	ck_assert_int_eq(step(NULL, "user", "0x00", NULL, NULL), -EPROTO);
	chap.state = ISCSI_CHAP_NSTATES;
	ck_assert_int_eq(step(NULL, NULL, NULL, NULL, NULL), -EPROTO);
}
END_TEST

START_TEST(no_randomness_no_login)
{
	begin();
	host.random_error = -EIO;
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), -EIO);
	host.random_error = 0;
	ck_assert_int_eq(step("5", NULL, NULL, NULL, NULL), 0);
	host.random_error = -EIO;
	ck_assert_int_eq(step(NULL, "nobody", response("x"), NULL, NULL), -EIO);
}
END_TEST

CHECK_MAIN("chap", digests, the_first_common_algorithm_in_the_initiators_order,
    only_allowed_algorithms, challenges_have_lengths, a_right_response, a_response_in_base64,
    wrong_responses, names_have_lengths, unknown_users_and_wrong_secrets_look_alike, mutual,
    mutual_only_after_the_initiators_own_proof, mutual_that_is_refused, reflection,
    mutual_needs_a_secret_of_its_own, keys_out_of_order, no_randomness_no_login)
