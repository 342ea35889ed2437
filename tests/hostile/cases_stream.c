/* the byte stream: digests, padding, garbage, ends in the middle */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile/hostile.h"

static uint8_t bytes[1u << 20];

static uint64_t
next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void
ping_head(struct hit *hit, uint8_t bhs[RAW_BHS], uint32_t len)
{
	raw_head(&hit->raw, bhs, RAW_NOP_OUT | RAW_IMMEDIATE, RAW_FINAL);
	raw_put32(bhs + 20, RAW_NO_TAG);
	raw_put24(bhs + 5, len);
}

/* a header whose digest is wrong */
static void
run_header_digest(struct hit *hit, const struct hostile_case *c)
{
	uint8_t bhs[RAW_BHS];

	if (!hit_login(hit, c->text))
		return;
	ping_head(hit, bhs, 0);
	(void)raw_bytes(&hit->raw, bhs, sizeof(bhs));
	(void)raw_bytes(&hit->raw, "\1\2\3\4", 4);
	hit_alive(hit);
}

/* data whose digest is wrong */
static void
run_data_digest(struct hit *hit, const struct hostile_case *c)
{
	uint8_t bhs[RAW_BHS];

	if (!hit_login(hit, c->text))
		return;
	ping_head(hit, bhs, 4);
	(void)raw_bytes(&hit->raw, bhs, sizeof(bhs));
	(void)raw_bytes(&hit->raw, "data\1\2\3\4", 8);
	hit_alive(hit);
}

/* WRITE(10) whose immediate data has a wrong digest: it must not look well */
static void
run_write_digest(struct hit *hit, const struct hostile_case *c)
{
	uint8_t bhs[RAW_BHS];
	uint32_t itt;

	if (!hit_login(hit, c->text) || !raw_ready(&hit->raw))
		return;
	raw_head(&hit->raw, bhs, RAW_CMD, RAW_FINAL | RAW_SIMPLE | RAW_WRITE);
	itt = hit->raw.itt;
	raw_put24(bhs + 5, 512);
	raw_put32(bhs + 20, 512);
	bhs[32] = 0x2a;
	bhs[40] = 1;
	(void)raw_bytes(&hit->raw, bhs, sizeof(bhs));
	(void)raw_bytes(&hit->raw, bytes, 512);
	(void)raw_bytes(&hit->raw, "\1\2\3\4", 4);
	while (raw_recv(&hit->raw, RAW_WAIT_MS) == RAW_PDU) {
		hit_note(hit);
		if (raw_op(&hit->raw) == RAW_R2T)
			(void)raw_data_out(&hit->raw, RAW_FINAL, itt, raw_be32(hit->raw.bhs + 20), 0,
			    0, bytes, 512);
		else if (raw_op(&hit->raw) != RAW_REJECT)
			break;
	}
	hit_alive(hit);
}

/* padding that is not zero: a receiver does not look at it */
static void
run_padding(struct hit *hit, const struct hostile_case *c UNUSED)
{
	uint8_t bhs[RAW_BHS];

	if (!hit_login(hit, ""))
		return;
	ping_head(hit, bhs, 1);
	(void)raw_bytes(&hit->raw, bhs, sizeof(bhs));
	(void)raw_bytes(&hit->raw, "a\377\377\377", 4);
	hit_alive(hit);
}

/* no padding at all: what follows is read three bytes too late */
static void
run_no_padding(struct hit *hit, const struct hostile_case *c UNUSED)
{
	uint8_t bhs[RAW_BHS];

	if (!hit_login(hit, ""))
		return;
	ping_head(hit, bhs, 1);
	for (int i = 0; i < 100; i++) {
		(void)raw_bytes(&hit->raw, bhs, sizeof(bhs));
		(void)raw_bytes(&hit->raw, "a", 1);
	}
	raw_close(&hit->raw);
	hit_saw(hit, "left");
}

/* all reserved bits of a header set: a receiver does not look at them */
static void
run_reserved(struct hit *hit, const struct hostile_case *c UNUSED)
{
	uint8_t bhs[RAW_BHS];

	if (!hit_login(hit, ""))
		return;
	ping_head(hit, bhs, 0);
	bhs[0] |= 0x80;
	bhs[1] = 0xff;
	bhs[2] = bhs[3] = 0xff;
	memset(bhs + 32, 0xff, 16);
	(void)raw_pdu(&hit->raw, bhs, NULL, 0);
	if (hit_answer(hit, hit->raw.itt))
		hit_alive(hit);
}

/* a bytes of nothing in particular, after a login when the text says so; b: seed */
static void
run_garbage(struct hit *hit, const struct hostile_case *c)
{
	uint64_t x = 0x9e3779b97f4a7c15u + c->b;

	for (uint32_t i = 0; i < c->a; i++)
		bytes[i] = (uint8_t)next(&x);
	if (c->text == NULL ? !hit_connect(hit) : !hit_login(hit, c->text))
		return;
	(void)raw_bytes(&hit->raw, bytes, c->a);
	raw_close(&hit->raw);
	hit_saw(hit, "left");
}

/* PDUs that are nearly right: a of them, each with a few bytes changed, lengths kept small so
 * that the stream stays whole; b: seed */
static void
run_mutants(struct hit *hit, const struct hostile_case *c)
{
	static const uint8_t ops[] = { RAW_NOP_OUT, RAW_CMD, RAW_TMF, RAW_TEXT, RAW_DATA_OUT,
		RAW_SNACK, RAW_LOGOUT };
	uint64_t x = 0x9e3779b97f4a7c15u + c->b;
	uint8_t bhs[RAW_BHS];

	if (!hit_login(hit, c->text))
		return;
	for (uint32_t i = 0; i < c->a; i++) {
		raw_head(&hit->raw, bhs, ops[next(&x) % (i % 50 == 49 ? 7 : 6)],
		    (uint8_t)(next(&x) | RAW_FINAL));
		bhs[0] |= (uint8_t)(next(&x) & RAW_IMMEDIATE);
		for (uint64_t n = next(&x) % 8; n > 0; n--)
			bhs[8 + next(&x) % 40] = (uint8_t)next(&x);
		raw_put32(bhs + 24, hit->raw.cmd_sn - 1);
		/* not those that make the unit unready for everybody */
		if (bhs[32] == 0x04 || bhs[32] == 0x48 || bhs[32] == 0x1b)
			bhs[32] = 0;
		if (!raw_pdu(&hit->raw, bhs, bytes, (uint32_t)(next(&x) % 600)))
			break;
		while (raw_recv(&hit->raw, 0) == RAW_PDU)
			;
	}
	raw_close(&hit->raw);
	hit_saw(hit, "left");
}

/* a header that announces b bytes, a of them come, then the end */
static void
run_half_data(struct hit *hit, const struct hostile_case *c)
{
	uint8_t bhs[RAW_BHS];

	if (!hit_login(hit, ""))
		return;
	ping_head(hit, bhs, c->b);
	(void)raw_bytes(&hit->raw, bhs, sizeof(bhs));
	(void)raw_bytes(&hit->raw, bytes, c->a);
	raw_abort(&hit->raw);
	hit_saw(hit, "left");
}

/* asks for a MiB of data, many times, and never reads: the end comes from us */
static void
run_deaf(struct hit *hit, const struct hostile_case *c)
{
	static const uint8_t cdb[16] = { 0x28, [7] = 0x08 }; /* 1 MiB */

	if (!hit_login(hit, "") || !raw_ready(&hit->raw))
		return;
	for (uint32_t i = 0; i < c->a && (int32_t)(hit->raw.max_cmd_sn - hit->raw.cmd_sn) >= 0; i++)
		(void)raw_cmd(&hit->raw, RAW_FINAL | RAW_SIMPLE | RAW_READ, cdb, 10, 1u << 20, NULL,
		    0);
	raw_abort(&hit->raw);
	hit_saw(hit, "left");
}

/* logs in and leaves, a times, without a Logout */
static void
run_login_storm(struct hit *hit, const struct hostile_case *c)
{
	for (uint32_t i = 0; i < c->a; i++) {
		raw_put16(hit->raw.isid + 4, (uint16_t)(0x4000 + i));
		hit->raw.tsih = 0;
		if (!hit_login(hit, ""))
			return;
		raw_abort(&hit->raw);
	}
	hit_saw(hit, "left");
}

#define DIGEST	"7.8"
#define CRC_H	"HeaderDigest=CRC32C\nErrorRecoveryLevel=0\n"
#define CRC_D	"DataDigest=CRC32C\nErrorRecoveryLevel=0\n"
#define CRC_D1	"DataDigest=CRC32C\nErrorRecoveryLevel=1\n"

const struct hostile_case cases_stream[] = {
	{ "wrong header digest at level 0", "closed", DIGEST, run_header_digest, CRC_H, 0, 0 },
	{ "wrong header digest at level 1", "alive|closed", DIGEST, run_header_digest,
	    "HeaderDigest=CRC32C\nErrorRecoveryLevel=1\n", 0, 0 },
	{ "wrong data digest", "reject 02 alive", DIGEST, run_data_digest, CRC_D, 0, 0 },
	{ "wrong digest of written data at level 0", "reject 02 check b/* alive|closed", DIGEST,
	    run_write_digest, CRC_D, 0, 0 },
	{ "wrong digest of written data at level 1", "reject 02 r2t good alive|reject 02 check b/* alive",
	    DIGEST, run_write_digest, CRC_D1, 0, 0 },
	{ "padding that is not zero", "nop-in 1 alive", "11.2.3: ignored", run_padding, NULL, 0, 0 },
	{ "reserved bits set", "nop-in 0 alive", "11.2: ignored", run_reserved, NULL, 0, 0 },
	{ "padding forgotten", "left", "7.7: format errors", run_no_padding, NULL, 0, 0 },
	{ "1 MiB of garbage", "left", "7.7", run_garbage, NULL, 1u << 20, 1 },
	{ "1 MiB of garbage after a login", "left", "7.7", run_garbage, "", 1u << 20, 2 },
	{ "garbage behind digests", "left", "7.7", run_garbage, CRC_H, 1u << 18, 3 },
	{ "100 bytes of garbage after a login", "left", "7.7", run_garbage, "", 100, 4 },
	{ "5,000 PDUs nearly right", "left", "7", run_mutants, "", 5000, 5 },
	{ "5,000 PDUs nearly right, level 2", "left", "7", run_mutants, "ErrorRecoveryLevel=2\n",
	    5000, 6 },
	{ "5,000 PDUs nearly right, any order", "left", "7", run_mutants,
	    "DataPDUInOrder=No\nDataSequenceInOrder=No\nInitialR2T=No\nMaxOutstandingR2T=8\n", 5000,
	    7 },
	{ "half a data segment, then a reset", "left", "7.5", run_half_data, NULL, 1000, 200000 },
	{ "nothing of a data segment, then a reset", "left", "7.5", run_half_data, NULL, 0,
	    0xffffff },
	{ "128 reads of 1 MiB, never fetched", "left", "7.5", run_deaf, NULL, 128, 0 },
	{ "200 sessions that vanish", "left", "7.5", run_login_storm, NULL, 200, 0 },
	{ NULL, NULL, NULL, NULL, NULL, 0, 0 },
};
