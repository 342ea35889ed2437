/* full feature phase: opcodes, NOP, Text, task management, Logout */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile/hostile.h"

/* an opcode that no initiator sends; a: opcode, b: data */
static void
run_opcode(struct hit *hit, const struct hostile_case *c)
{
	uint8_t bhs[RAW_BHS] = { (uint8_t)c->a, RAW_FINAL };
	static const uint8_t zeros[8192];

	if (!hit_login(hit, ""))
		return;
	raw_put32(bhs + 16, 0x1111);
	raw_put32(bhs + 24, hit->raw.cmd_sn);
	raw_put32(bhs + 28, hit->raw.exp_stat_sn);
	(void)raw_pdu(&hit->raw, bhs, zeros, c->b);
	hit_alive(hit);
}

/* SNACK of type a; session keys in text */
static void
run_snack(struct hit *hit, const struct hostile_case *c)
{
	uint8_t bhs[RAW_BHS];

	if (!hit_login(hit, c->text))
		return;
	raw_head(&hit->raw, bhs, RAW_SNACK, (uint8_t)(RAW_FINAL | c->a));
	raw_put32(bhs + 16, c->a == 1 ? RAW_NO_TAG : 0x4242);
	raw_put32(bhs + 20, RAW_NO_TAG);
	raw_put32(bhs + 40, c->b);
	raw_put32(bhs + 44, 0xffffffff);
	(void)raw_pdu(&hit->raw, bhs, NULL, 0);
	hit_alive(hit);
}

/* ------ NOP ------ */

/* a ping with b bytes; the initiator takes segments of 512 bytes */
static void
run_ping(struct hit *hit, const struct hostile_case *c)
{
	uint8_t bhs[RAW_BHS], *data = calloc(1, c->b + 1);

	if (data != NULL && hit_login(hit, c->text)) {
		raw_head(&hit->raw, bhs, RAW_NOP_OUT, RAW_FINAL);
		raw_put32(bhs + 20, RAW_NO_TAG);
		(void)raw_pdu(&hit->raw, bhs, data, c->b);
		hit_alive(hit);
	}
	free(data);
}

/* an answer to a question that nobody asked; b: immediate */
static void
run_unasked(struct hit *hit, const struct hostile_case *c)
{
	uint8_t bhs[RAW_BHS];

	if (!hit_login(hit, ""))
		return;
	raw_head(&hit->raw, bhs, (uint8_t)(RAW_NOP_OUT | c->b), RAW_FINAL);
	raw_put32(bhs + 16, RAW_NO_TAG);
	raw_put32(bhs + 20, c->a);
	(void)raw_pdu(&hit->raw, bhs, NULL, 0);
	hit_alive(hit);
}

/* ------ Text ------ */

static void
send_text(struct hit *hit, uint8_t flags, uint32_t ttt, const char *text, size_t len)
{
	uint8_t bhs[RAW_BHS];

	raw_head(&hit->raw, bhs, RAW_TEXT, flags);
	raw_put32(bhs + 20, ttt);
	(void)raw_pdu(&hit->raw, bhs, text, (uint32_t)len);
}

/* text with flags a and TTT b */
static void
run_text(struct hit *hit, const struct hostile_case *c)
{
	if (!hit_login(hit, ""))
		return;
	send_text(hit, (uint8_t)c->a, c->b, c->text, strlen(c->text) + 1);
	hit_alive(hit);
}

/* text that goes on and on, one task, a pieces */
static void
run_text_flood(struct hit *hit, const struct hostile_case *c)
{
	static char piece[8192];
	uint32_t itt = 0, ttt = RAW_NO_TAG;

	memset(piece, 'x', sizeof(piece));
	if (!hit_login(hit, ""))
		return;
	for (uint32_t i = 0; i < c->a; i++) {
		uint8_t bhs[RAW_BHS];

		raw_head(&hit->raw, bhs, RAW_TEXT, 0x40);
		itt = i == 0 ? hit->raw.itt : itt;
		raw_put32(bhs + 16, itt);
		raw_put32(bhs + 20, ttt);
		(void)raw_pdu(&hit->raw, bhs, piece, sizeof(piece));
		if (raw_recv(&hit->raw, RAW_WAIT_MS) != RAW_PDU)
			break;
		if (raw_op(&hit->raw) != RAW_TEXT_RSP) {
			hit_note(hit);
			break;
		}
		ttt = raw_be32(hit->raw.bhs + 20);
	}
	hit_alive(hit);
}

/* a digest in full feature phase: nothing may change */
static void
run_text_digest(struct hit *hit, const struct hostile_case *c)
{
	if (!hit_login(hit, ""))
		return;
	send_text(hit, RAW_FINAL, RAW_NO_TAG, c->text, strlen(c->text) + 1);
	hit_alive(hit);
}

/* ------ task management, Logout ------ */

/* function a about a task that is not there, or on LUN b */
static void
run_tmf(struct hit *hit, const struct hostile_case *c)
{
	uint8_t bhs[RAW_BHS];

	if (!hit_login(hit, ""))
		return;
	(void)raw_ready(&hit->raw);
	raw_head(&hit->raw, bhs, RAW_TMF | RAW_IMMEDIATE, (uint8_t)(RAW_FINAL | c->a));
	raw_put32(bhs + 20, 0xdeadbeef);
	raw_put32(bhs + 32, hit->raw.cmd_sn - 1);
	if (c->b != 0)
		raw_put16(bhs + 8, (uint16_t)c->b);
	(void)raw_pdu(&hit->raw, bhs, NULL, 0);
	if (hit_answer(hit, hit->raw.itt))
		hit_alive(hit);
}

/* so many aborts of nothing at once */
static void
run_tmf_flood(struct hit *hit, const struct hostile_case *c)
{
	uint32_t answered = 0;
	uint8_t bhs[RAW_BHS];

	if (!hit_login(hit, ""))
		return;
	for (uint32_t i = 0; i < c->a; i++) {
		raw_head(&hit->raw, bhs, RAW_TMF | RAW_IMMEDIATE, RAW_FINAL | 1);
		raw_put32(bhs + 20, i + 0x10000);
		raw_put32(bhs + 32, hit->raw.cmd_sn - 1);
		(void)raw_pdu(&hit->raw, bhs, NULL, 0);
	}
	while (answered < c->a && raw_recv(&hit->raw, RAW_WAIT_MS) == RAW_PDU)
		answered += raw_op(&hit->raw) == RAW_TMF_RSP || raw_op(&hit->raw) == RAW_REJECT;
	hit_saw(hit, "%u answers", answered);
	hit_alive(hit);
}

static void
send_logout(struct hit *hit, uint8_t reason, uint16_t cid)
{
	uint8_t bhs[RAW_BHS];

	raw_head(&hit->raw, bhs, RAW_LOGOUT | RAW_IMMEDIATE, (uint8_t)(RAW_FINAL | reason));
	raw_put16(bhs + 20, cid);
	(void)raw_pdu(&hit->raw, bhs, NULL, 0);
}

/* reason a, CID b */
static void
run_logout(struct hit *hit, const struct hostile_case *c)
{
	if (!hit_login(hit, c->text))
		return;
	send_logout(hit, (uint8_t)c->a, (uint16_t)c->b);
	hit_alive(hit);
}

/* a request behind a Logout, in the same breath: nobody answers it */
static void
run_after_logout(struct hit *hit, const struct hostile_case *c)
{
	if (!hit_login(hit, ""))
		return;
	send_logout(hit, 0, 0);
	send_text(hit, RAW_FINAL, RAW_NO_TAG, c->text, strlen(c->text) + 1);
	hit_closed(hit);
}

/* ------ discovery ------ */

/* request a in a discovery session */
static void
run_discovery(struct hit *hit, const struct hostile_case *c)
{
	uint8_t bhs[RAW_BHS];

	if (!hit_connect(hit))
		return;
	(void)raw_login_pdu(&hit->raw, 0x80 | 1 << 2 | 3,
	    "InitiatorName=iqn.2026-11.x:y\nSessionType=Discovery\n");
	if (raw_recv(&hit->raw, RAW_WAIT_MS) != RAW_PDU || raw_be16(hit->raw.bhs + 36) != 0) {
		hit_saw(hit, "no discovery");
		return;
	}
	raw_head(&hit->raw, bhs, (uint8_t)c->a, RAW_FINAL);
	raw_put32(bhs + 20, c->a == RAW_CMD ? 0 : RAW_NO_TAG);
	(void)raw_pdu(&hit->raw, bhs, NULL, 0);
	hit_alive(hit);
}

#define OPCODES	"11.17.1: command not supported"
#define ERL0	"ErrorRecoveryLevel=0\n"
#define ERL1	"ErrorRecoveryLevel=1\n"
#define ONE	"MaxConnections=1\n"

const struct hostile_case cases_talk[] = {
	{ "opcode 07h", "reject 05 alive", OPCODES, run_opcode, NULL, 0x07, 0 },
	{ "opcode 1Ch with data", "reject 05 alive", OPCODES, run_opcode, NULL, 0x1c, 512 },
	{ "opcode 1Fh", "reject 05 alive", OPCODES, run_opcode, NULL, 0x1f, 0 },
	{ "opcode 21h: a target's", "reject 05 alive|reject 04 alive", OPCODES,
	    run_opcode, NULL, RAW_RSP, 0 },
	{ "opcode 31h: R2T from an initiator", "reject 05 alive|reject 04 alive", OPCODES,
	    run_opcode, NULL, RAW_R2T, 0 },
	{ "opcode 3Fh: Reject from an initiator", "reject 05 alive|reject 04 alive", OPCODES,
	    run_opcode, NULL, RAW_REJECT, 48 },
	{ "SNACK at ErrorRecoveryLevel 0", "reject 03 alive|reject 04 alive", "11.16, 11.17.1",
	    run_snack, ERL0, 0, 0 },
	{ "SNACK for status at ErrorRecoveryLevel 0", "reject 03 alive|reject 04 alive",
	    "11.16, 11.17.1", run_snack, ERL0, 1, 0 },
	{ "SNACK for data of no task", "reject 03 alive", "11.16, 11.17.1", run_snack, ERL1, 0, 0 },
	{ "SNACK for status to come", "reject 03 alive|reject 04 alive", "11.16, 11.17.1",
	    run_snack, ERL1, 1, 0x7fffffff },
	{ "SNACK: Data ACK nobody asked for", "reject 0? alive", "11.16, 11.17.1", run_snack, ERL1,
	    2, 0 },
	{ "SNACK of type 9", "reject 03 alive|reject 09 alive", "11.16.1", run_snack, ERL1, 9, 0 },

	{ "NOP-Out with 200,000 bytes, 512 come back", "nop-in 512 alive", "11.18, 11.19: cut",
	    run_ping, "MaxRecvDataSegmentLength=512\n", 0, 200000 },
	{ "NOP-Out with 16 MiB", "reject 04 alive|reject 09 alive|closed", "13.12, 11.17.1",
	    run_ping, "", 0, 0xffffff },
	{ "NOP-Out without tag, not immediate", "reject 04 alive|reject 09 alive", "11.18.1",
	    run_unasked, NULL, RAW_NO_TAG, 0 },
	{ "NOP-Out: an answer nobody asked for", "alive|reject 09 alive|reject 04 alive", "11.18.2",
	    run_unasked, NULL, 0x12345, RAW_IMMEDIATE },

	{ "Text: F and C", "reject 04 alive|reject 09 alive", "11.10.2", run_text, "X-a=1",
	    RAW_FINAL | 0x40, RAW_NO_TAG },
	{ "Text: unknown transfer tag", "reject 09 alive|reject 04 alive", "11.10.4", run_text,
	    "X-a=1", RAW_FINAL, 0x777 },
	{ "Text: no '='", "reject 0? alive", "6.1, 6.2", run_text, "NoEquals", RAW_FINAL,
	    RAW_NO_TAG },
	{ "Text: no text", "reject 0? alive", "6.1, 6.2", run_text, "\x80\xff\x01\x02", RAW_FINAL,
	    RAW_NO_TAG },
	{ "Text: SendTargets of a name that is none", "reject 0? alive|text alive", "C", run_text,
	    "SendTargets=Alle", RAW_FINAL, RAW_NO_TAG },
	{ "Text: MaxRecvDataSegmentLength=0", "reject 0? alive|text alive", "6.2.2", run_text,
	    "MaxRecvDataSegmentLength=0", RAW_FINAL, RAW_NO_TAG },
	{ "Text: HeaderDigest after login", "reject 0? alive|text alive", "13.1: IO, in login",
	    run_text_digest, "HeaderDigest=CRC32C", 0, 0 },
	{ "Text: InitiatorName after login", "reject 0? alive|text alive", "13.5", run_text,
	    "InitiatorName=iqn.2026-11.x:other", RAW_FINAL, RAW_NO_TAG },
	{ "Text: CHAP_A after login", "reject 0? alive|text alive", "12", run_text, "CHAP_A=5",
	    RAW_FINAL, RAW_NO_TAG },
	{ "Text: 8 MiB in pieces", "reject 0? alive", "6.2, 11.17.1: long operation",
	    run_text_flood, NULL, 1024, 0 },

	{ "ABORT TASK of no task", "tmf 1 alive", "11.6.1", run_tmf, NULL, 1, 0 },
	{ "task management function 0", "tmf 5 alive|tmf 255 alive", "11.6.1", run_tmf, NULL, 0,
	    0 },
	{ "task management function 127", "tmf 5 alive|tmf 255 alive", "11.6.1", run_tmf, NULL, 127,
	    0 },
	{ "LOGICAL UNIT RESET of no unit", "tmf 2 alive", "11.6.1", run_tmf, NULL, 5, 0x3f77 },
	{ "ABORT TASK SET of no unit", "tmf 2 alive|tmf 0 alive", "11.6.1", run_tmf, NULL, 2,
	    0xffff },
	{ "TASK REASSIGN at ErrorRecoveryLevel 0", "tmf 4 alive|tmf 1 alive|tmf 5 alive", "11.6.1",
	    run_tmf, NULL, 8, 0 },
	{ "QUERY TASK without RFC 7144", "tmf 5 alive", "RFC 7144 4, iSCSIProtocolLevel", run_tmf,
	    NULL, 9, 0 },
	{ "2,000 ABORT TASK of nothing", "2000 answers alive", "11.6", run_tmf_flood, NULL, 2000,
	    0 },

	{ "Logout of an unknown CID", "logout 1 alive", "11.15.2", run_logout, ONE, 1, 0x55 },
	{ "Logout for recovery at ErrorRecoveryLevel 0", "logout 2 alive", "11.14.1, 11.15.1",
	    run_logout, ERL0, 2, 0x55 },
	{ "Logout for reason 77", "reject 09 alive|reject 04 alive", "11.14.1", run_logout, "", 77,
	    0 },
	{ "Text behind a Logout", "logout 0 closed", "11.14: nothing after it", run_after_logout,
	    "SendTargets=", 0, 0 },

	{ "SCSI command in a discovery session", "reject 04 alive|reject 05 alive|reject 09 alive",
	    "4.3: Text and Logout only", run_discovery, NULL, RAW_CMD, 0 },
	{ "task management in a discovery session",
	    "reject 04 alive|reject 05 alive|reject 09 alive", "4.3", run_discovery, NULL, RAW_TMF,
	    0 },
	{ "Data-Out in a discovery session", "reject 04 alive|reject 05 alive|reject 09 alive",
	    "4.3", run_discovery, NULL, RAW_DATA_OUT, 0 },
	{ NULL, NULL, NULL, NULL, NULL, 0, 0 },
};
