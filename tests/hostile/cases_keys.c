/* the text of logins */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile/hostile.h"

#define TO_FULL		(0x80 | 1 << 2 | 3)

/* send @text as it is as the first request, with flags */
static void
say(struct hit *hit, uint8_t flags, const char *text)
{
	if (!hit_connect(hit))
		return;
	(void)raw_login_pdu(&hit->raw, flags, text);
	if (raw_recv(&hit->raw, RAW_WAIT_MS) != RAW_PDU) {
		hit_saw(hit, "closed");
		return;
	}
	hit_note(hit);
}

/* nothing but the case's text; '@' is the target's name */
static void
run_bare(struct hit *hit, const struct hostile_case *c)
{
	char text[1024];
	const char *at = strchr(c->text, '@');

	if (at == NULL)
		(void)snprintf(text, sizeof(text), "%s", c->text);
	else
		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - c->text), c->text,
		    hit->where->name, at + 1);
	say(hit, c->a != 0 ? (uint8_t)c->a : TO_FULL, text);
	hit_closed(hit);
}

/* right names, then the case's text; the answers to its key are written down when it has one */
static void
run_key(struct hit *hit, const struct hostile_case *c)
{
	char text[RAW_TEXT_MAX], key[80];

	(void)snprintf(text, sizeof(text),
	    "InitiatorName=%s\nTargetName=%s\nSessionType=Normal\n%s", hit->raw.initiator,
	    hit->where->name, c->text);
	say(hit, c->a != 0 ? (uint8_t)c->a : TO_FULL, text);
	if (raw_op(&hit->raw) != RAW_LOGIN_RSP || raw_be16(hit->raw.bhs + 36) != 0) {
		hit_closed(hit);
		return;
	}
	(void)snprintf(key, sizeof(key), "%.*s", (int)strcspn(c->text, "="), c->text);
	hit_saw(hit, "%s", raw_key(&hit->raw, key));
}

/* a key with a value of a bytes, b of them */
static void
run_flood(struct hit *hit, const struct hostile_case *c)
{
	char text[RAW_TEXT_MAX], one[RAW_TEXT_MAX];
	size_t n;

	n = (size_t)snprintf(text, sizeof(text),
	    "InitiatorName=%s\nTargetName=%s\nSessionType=Normal\n", hit->raw.initiator,
	    hit->where->name);
	for (uint32_t i = 0; i < c->b; i++) {
		size_t k = (size_t)snprintf(one, sizeof(one), "X-flood.%u=", i);

		memset(one + k, 'a', c->a);
		(void)snprintf(one + k + c->a, sizeof(one) - k - c->a, "\n");
		if (n + strlen(one) >= sizeof(text))
			break;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", one);
	}
	say(hit, TO_FULL, text);
}

/* a name of a bytes */
static void
run_long_name(struct hit *hit, const struct hostile_case *c)
{
	char text[RAW_TEXT_MAX] = "InitiatorName=iqn.2026-11.x:";
	size_t n = strlen(text);

	memset(text + n, 'a', c->a);
	(void)snprintf(text + n + c->a, sizeof(text) - n - c->a, "\nTargetName=%s\n",
	    hit->where->name);
	say(hit, TO_FULL, text);
	hit_closed(hit);
}

/* a key cut in two by the C bit, in the middle of its name: legal */
static void
run_cut(struct hit *hit, const struct hostile_case *c UNUSED)
{
	char text[600];

	(void)snprintf(text, sizeof(text), "InitiatorName=%s\nTargetNa", hit->raw.initiator);
	say(hit, 0x40 | 1 << 2, text);
	(void)snprintf(text, sizeof(text), "me=%s\n", hit->where->name);
	(void)raw_login_pdu(&hit->raw, TO_FULL, text);
	if (raw_recv(&hit->raw, RAW_WAIT_MS) == RAW_PDU)
		hit_note(hit);
	hit_alive(hit);
}

/* Login in full feature phase */
static void
run_again(struct hit *hit, const struct hostile_case *c UNUSED)
{
	if (!hit_login(hit, ""))
		return;
	(void)raw_login_pdu(&hit->raw, TO_FULL, "InitiatorName=iqn.2026-11.x:y\n");
	hit_alive(hit);
}

#define BAD	"login 0200 closed|login 020b closed"
#define FORM	"6.1: key=value, keys of 1 to 63 characters"
#define RANGE	"6.2.2: a value out of range is rejected, or the login is"
#define NO	"login 0000 Reject|login 0200 closed"

const struct hostile_case cases_keys[] = {
	{ "keys: no InitiatorName", "login 0207 closed", "6.3.1, 11.13.5", run_bare,
	    "TargetName=@\n", 0, 0 },
	{ "keys: no TargetName", "login 0207 closed", "6.3.1, 11.13.5", run_bare,
	    "InitiatorName=iqn.2026-11.x:y\n", 0, 0 },
	{ "keys: none at all", "login 0207 closed", "6.3.1, 11.13.5", run_bare, "", 0, 0 },
	{ "keys: a target that is not there", "login 0203 closed", "11.13.5", run_bare,
	    "InitiatorName=iqn.2026-11.x:y\nTargetName=iqn.2026-11.internal.none:t\n", 0, 0 },
	{ "keys: a TargetName that is none", "login 0203 closed|" BAD, "4.2.7, 11.13.5", run_bare,
	    "InitiatorName=iqn.2026-11.x:y\nTargetName=../../etc/passwd\n", 0, 0 },
	{ "keys: an InitiatorName that is none", BAD, "4.2.7", run_bare,
	    "InitiatorName=%s%n%x\nTargetName=@\n", 0, 0 },
	{ "keys: a type of session that is none", "login 0209 closed|" BAD, "13.21, 11.13.5",
	    run_bare, "InitiatorName=iqn.2026-11.x:y\nTargetName=@\nSessionType=Bogus\n", 0, 0 },
	{ "keys: an InitiatorName of 1,000 bytes", BAD, "4.2.7.1: 223 bytes", run_long_name, NULL,
	    1000, 0 },
	{ "keys: no '='", BAD, FORM, run_key, "NoEquals\n", 0, 0 },
	{ "keys: '=' only", BAD, FORM, run_key, "=\n", 0, 0 },
	{ "keys: a key of 70 characters", BAD, FORM, run_key,
	    "X-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1\n", 0, 0 },
	{ "keys: bytes above 127 in a key", BAD, FORM, run_key, "\xff\xfe\x80=1\n", 0, 0 },
	{ "keys: control characters in a key", BAD, FORM, run_key, "X-\x01\x02=1\n", 0, 0 },
	{ "keys: the same key twice", BAD, "6.2: a key once in a negotiation", run_key,
	    "MaxBurstLength=1024\nMaxBurstLength=2048\n", 0, 0 },
	{ "keys: an unknown key", "login 0000 NotUnderstood", "6.2: NotUnderstood", run_key,
	    "X-com.example.unknown=1\n", 0, 0 },
	{ "keys: 400 unknown keys", "login 0000|login 0200", "6.2", run_flood, NULL, 1, 400 },
	{ "keys: a value of 7,000 bytes", "login 0000|login 0200*", "6.1: values up to 255 bytes",
	    run_flood, NULL, 7000, 1 },
	{ "keys: cut in the middle of a name", "login 0000 login 0000 alive", "6.2", run_cut, NULL,
	    0, 0 },
	{ "keys: MaxRecvDataSegmentLength=0", NO, RANGE, run_key, "MaxRecvDataSegmentLength=0\n",
	    0, 0 },
	{ "keys: MaxRecvDataSegmentLength=511", NO, RANGE, run_key,
	    "MaxRecvDataSegmentLength=511\n", 0, 0 },
	{ "keys: MaxRecvDataSegmentLength=2^24", NO, RANGE, run_key,
	    "MaxRecvDataSegmentLength=16777216\n", 0, 0 },
	{ "keys: MaxRecvDataSegmentLength=-1", NO, RANGE, run_key,
	    "MaxRecvDataSegmentLength=-1\n", 0, 0 },
	{ "keys: MaxRecvDataSegmentLength=0x", NO, RANGE, run_key,
	    "MaxRecvDataSegmentLength=0x\n", 0, 0 },
	{ "keys: MaxBurstLength=2^64+512", NO, RANGE, run_key,
	    "MaxBurstLength=18446744073709552128\n", 0, 0 },
	{ "keys: MaxBurstLength=0", NO, RANGE, run_key, "MaxBurstLength=0\n", 0, 0 },
	{ "keys: FirstBurstLength above MaxBurstLength", "login 0000 512|" NO, "13.14", run_key,
	    "FirstBurstLength=65536\nMaxBurstLength=512\n", 0, 0 },
	{ "keys: MaxConnections=0", NO, RANGE, run_key, "MaxConnections=0\n", 0, 0 },
	{ "keys: MaxOutstandingR2T=0", NO, RANGE, run_key, "MaxOutstandingR2T=0\n", 0, 0 },
	{ "keys: ErrorRecoveryLevel=3", NO, RANGE, run_key, "ErrorRecoveryLevel=3\n", 0, 0 },
	{ "keys: InitialR2T=Maybe", NO, RANGE, run_key, "InitialR2T=Maybe\n", 0, 0 },
	{ "keys: HeaderDigest=MD5", NO, "6.2.1: no value in common", run_key,
	    "HeaderDigest=MD5\n", 0, 0 },
	{ "keys: HeaderDigest of nothing but commas", NO, "6.2.1", run_key,
	    "HeaderDigest=,,,,,,,,\n", 0, 0 },
	{ "keys: AuthMethod=KRB5", "login 0201 closed", "11.13.5, 12", run_key,
	    "AuthMethod=KRB5\n", 0x80 | 0 << 2 | 1, 0 },
	{ "keys: CHAP_A without AuthMethod", "login 020? closed", "12.1.3", run_key,
	    "CHAP_A=5\n", 0x80 | 0 << 2 | 1, 0 },
	{ "keys: security keys in operational stage", "login 020? closed", "12", run_key,
	    "AuthMethod=CHAP\n", 0, 0 },
	{ "keys: SendTargets in a login", BAD "|login 0000 *", "C: full feature phase only", run_key,
	    "SendTargets=All\n", 0, 0 },
	{ "keys: a target's key", BAD "|login 0000 *", "13.9: by the target", run_key,
	    "TargetPortalGroupTag=1\n", 0, 0 },
	{ "a login in full feature phase", "reject 04 alive", "11.17.1, 6.3", run_again, NULL, 0,
	    0 },
	{ NULL, NULL, NULL, NULL, NULL, 0, 0 },
};
