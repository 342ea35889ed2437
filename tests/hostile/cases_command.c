/* SCSI commands: lengths that disagree, immediate data, tags, CmdSN, CDBs, parameter lists */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile/hostile.h"

#define HUGE	0xffffffffu

static uint8_t block[65536];

/* READ(10) or WRITE(10) of blocks at 0 */
static void
rw_cdb(uint8_t cdb[16], uint8_t opcode, uint16_t blocks)
{
	memset(cdb, 0, 16);
	cdb[0] = opcode;
	raw_put16(cdb + 7, blocks);
}

static bool
enter(struct hit *hit, const char *keys)
{
	if (!hit_login(hit, keys))
		return false;
	if (raw_ready(&hit->raw))
		return true;
	hit_saw(hit, "not ready");
	return false;
}

/* ------ expected lengths ------ */

/* READ(10) of a blocks, b bytes expected */
static void
run_read(struct hit *hit, const struct hostile_case *c)
{
	uint8_t cdb[16];

	if (!enter(hit, ""))
		return;
	rw_cdb(cdb, 0x28, (uint16_t)c->a);
	(void)raw_cmd(&hit->raw, RAW_FINAL | RAW_SIMPLE | RAW_READ, cdb, 10, c->b, NULL, 0);
	if (hit_answer(hit, hit->raw.itt))
		hit_alive(hit);
}

/* WRITE(10) of a blocks, b bytes expected; data as it is asked for, a block at most */
static void
run_write(struct hit *hit, const struct hostile_case *c)
{
	uint8_t cdb[16];
	uint32_t itt;

	if (!enter(hit, c->text))
		return;
	rw_cdb(cdb, 0x2a, (uint16_t)c->a);
	(void)raw_cmd(&hit->raw, RAW_FINAL | RAW_SIMPLE | RAW_WRITE, cdb, 10, c->b, NULL, 0);
	itt = hit->raw.itt;
	if (c->b > 0 && c->a > 0 && raw_recv(&hit->raw, RAW_WAIT_MS) == RAW_PDU) {
		if (raw_op(&hit->raw) != RAW_R2T) {
			hit_note(hit);
			hit_alive(hit);
			return;
		}
		hit_saw(hit, "r2t %u", raw_be32(hit->raw.bhs + 44));
		(void)raw_data_out(&hit->raw, RAW_FINAL, itt, raw_be32(hit->raw.bhs + 20), 0, 0,
		    block, raw_be32(hit->raw.bhs + 44) & 0xffff);
	}
	if (hit_answer(hit, itt))
		hit_alive(hit);
}

/* a write of 1 block with a bytes of immediate data, b bytes expected */
static void
run_immediate(struct hit *hit, const struct hostile_case *c)
{
	uint8_t cdb[16];

	if (!enter(hit, c->text))
		return;
	rw_cdb(cdb, 0x2a, 1);
	(void)raw_cmd(&hit->raw, RAW_FINAL | RAW_SIMPLE | RAW_WRITE, cdb, 10, c->b, block, c->a);
	if (hit_answer(hit, hit->raw.itt))
		hit_alive(hit);
}

/* flags a; b bytes of data with it and expected */
static void
run_flags(struct hit *hit, const struct hostile_case *c)
{
	static const uint8_t cdb[6];

	if (!enter(hit, c->text))
		return;
	(void)raw_cmd(&hit->raw, (uint8_t)c->a, cdb, 6, c->b, block, c->b);
	if (hit_answer(hit, hit->raw.itt))
		hit_alive(hit);
}

/* both directions */
static void
run_both(struct hit *hit, const struct hostile_case *c UNUSED)
{
	uint8_t cdb[16];

	if (!enter(hit, "InitialR2T=Yes\n"))
		return;
	rw_cdb(cdb, 0x28, 1);
	(void)raw_cmd(&hit->raw, RAW_FINAL | RAW_READ | RAW_WRITE, cdb, 10, 512, block, 512);
	if (hit_answer(hit, hit->raw.itt))
		hit_alive(hit);
}

/* ------ tags and numbers ------ */

static void
run_no_tag(struct hit *hit, const struct hostile_case *c UNUSED)
{
	uint8_t bhs[RAW_BHS];

	if (!enter(hit, ""))
		return;
	raw_head(&hit->raw, bhs, RAW_CMD, RAW_FINAL);
	raw_put32(bhs + 16, RAW_NO_TAG);
	(void)raw_pdu(&hit->raw, bhs, NULL, 0);
	hit_alive(hit);
}

/* a task that waits for its data, and another one with the same tag */
static void
run_same_tag(struct hit *hit, const struct hostile_case *c UNUSED)
{
	uint8_t cdb[16], bhs[RAW_BHS];
	uint32_t itt, ttt;

	if (!enter(hit, "InitialR2T=Yes\n"))
		return;
	rw_cdb(cdb, 0x2a, 1);
	(void)raw_cmd(&hit->raw, RAW_FINAL | RAW_WRITE, cdb, 10, 512, NULL, 0);
	itt = hit->raw.itt;
	if (raw_recv(&hit->raw, RAW_WAIT_MS) != RAW_PDU || raw_op(&hit->raw) != RAW_R2T)
		return;
	ttt = raw_be32(hit->raw.bhs + 20);
	raw_head(&hit->raw, bhs, RAW_CMD, RAW_FINAL);
	raw_put32(bhs + 16, itt);
	(void)raw_pdu(&hit->raw, bhs, NULL, 0);
	if (!hit_answer(hit, itt))
		return;
	(void)raw_data_out(&hit->raw, RAW_FINAL, itt, ttt, 0, 0, block, 512);
	if (hit_answer(hit, itt))
		hit_alive(hit);
}

/* CmdSN off by a: nothing may come of it, and what follows is served */
static void
run_cmd_sn(struct hit *hit, const struct hostile_case *c)
{
	static const uint8_t cdb[6];
	uint32_t right;

	if (!enter(hit, ""))
		return;
	right = hit->raw.cmd_sn;
	hit->raw.cmd_sn += c->a;
	(void)raw_cmd(&hit->raw, RAW_FINAL | RAW_SIMPLE, cdb, 6, 0, NULL, 0);
	hit->raw.cmd_sn = right;
	hit_alive(hit);
	(void)raw_cmd(&hit->raw, RAW_FINAL | RAW_SIMPLE, cdb, 6, 0, NULL, 0);
	if (hit_answer(hit, hit->raw.itt))
		hit_alive(hit);
}

/* a hole in the CmdSNs: the later command waits for the earlier one */
static void
run_hole(struct hit *hit, const struct hostile_case *c UNUSED)
{
	static const uint8_t cdb[6];
	uint32_t right, later;

	if (!enter(hit, ""))
		return;
	right = hit->raw.cmd_sn++;
	(void)raw_cmd(&hit->raw, RAW_FINAL | RAW_SIMPLE, cdb, 6, 0, NULL, 0);
	later = hit->raw.itt;
	hit_alive(hit);
	hit->raw.cmd_sn = right;
	(void)raw_cmd(&hit->raw, RAW_FINAL | RAW_SIMPLE, cdb, 6, 0, NULL, 0);
	if (hit_answer(hit, hit->raw.itt) && hit_answer(hit, later))
		hit->raw.cmd_sn = right + 2;
	hit_alive(hit);
}

/* what comes until a ping behind all this is answered: how many commands were taken then, by
 * ExpCmdSN; false: nothing any more */
static bool
burst_end(struct hit *hit, uint32_t *answers, uint32_t *rejects, uint32_t *ret_exp)
{
	uint8_t bhs[RAW_BHS];
	uint32_t itt;

	raw_head(&hit->raw, bhs, RAW_NOP_OUT | RAW_IMMEDIATE, RAW_FINAL);
	raw_put32(bhs + 20, RAW_NO_TAG);
	itt = hit->raw.itt;
	(void)raw_pdu(&hit->raw, bhs, NULL, 0);
	while (raw_recv(&hit->raw, RAW_WAIT_MS) == RAW_PDU) {
		*answers += raw_op(&hit->raw) == RAW_RSP;
		*rejects += raw_op(&hit->raw) == RAW_REJECT && hit->raw.bhs[2] == 0x06;
		if (raw_op(&hit->raw) != RAW_NOP_IN || raw_tag(&hit->raw) != itt)
			continue;
		*ret_exp = raw_be32(hit->raw.bhs + 28);
		return true;
	}
	return false;
}

/* a commands at once, flags b of byte 0: each is answered, or ignored above the window */
static void
run_burst(struct hit *hit, const struct hostile_case *c)
{
	static const uint8_t cdb[6];
	uint32_t sent = 0, answers = 0, rejects = 0, first, exp, taken;
	uint8_t bhs[RAW_BHS];

	if (!enter(hit, ""))
		return;
	first = hit->raw.cmd_sn;
	for (; sent < c->a; sent++) {
		raw_head(&hit->raw, bhs, (uint8_t)(RAW_CMD | c->b), RAW_FINAL | RAW_SIMPLE);
		memcpy(bhs + 32, cdb, sizeof(cdb));
		if (!raw_pdu(&hit->raw, bhs, NULL, 0))
			break;
	}
	if (!burst_end(hit, &answers, &rejects, &exp)) {
		hit_saw(hit, "no ping");
		return;
	}
	taken = c->b == 0 ? exp - first : sent;
	while (answers + rejects < taken && raw_recv(&hit->raw, RAW_WAIT_MS) == RAW_PDU) {
		answers += raw_op(&hit->raw) == RAW_RSP;
		rejects += raw_op(&hit->raw) == RAW_REJECT && hit->raw.bhs[2] == 0x06;
	}
	if (c->b == 0)
		hit->raw.cmd_sn = exp;
	hit_saw(hit, "%s", answers + rejects != taken || taken == 0 ? "some lost" :
	    taken == sent ? "all answered" : "some ignored");
	hit_alive(hit);
}

/* ------ CDBs and parameter lists ------ */

/* the bytes of the text, in hexadecimal, are the CDB; a bytes expected, b of them sent */
static size_t
hex(const char *text, uint8_t *p, size_t max)
{
	size_t n = 0;
	unsigned int byte;
	int used;

	while (n < max && sscanf(text, " %2x%n", &byte, &used) == 1) {
		p[n++] = (uint8_t)byte;
		text += used;
	}
	return n;
}

/* "CDB / parameter list", out; b: direction flags when there is no list */
static void
run_list(struct hit *hit, const struct hostile_case *c)
{
	uint8_t cdb[16] = { 0 }, list[256] = { 0 };
	const char *slash = strchr(c->text, '/');
	size_t n = slash == NULL ? 0 : hex(slash + 1, list, sizeof(list));
	uint32_t edtl = c->a > 0 ? c->a : (uint32_t)n;

	if (!enter(hit, ""))
		return;
	(void)hex(c->text, cdb, sizeof(cdb));
	(void)raw_cmd(&hit->raw,
	    (uint8_t)(RAW_FINAL | RAW_SIMPLE | (n > 0 ? RAW_WRITE : 0) | c->b), cdb, 16, edtl,
	    list, (uint32_t)n);
	if (hit_answer(hit, hit->raw.itt))
		hit_alive(hit);
}

/* every operation code, with random bytes behind it and lengths that do not fit; a: seed */
static void
run_opcodes(struct hit *hit, const struct hostile_case *c)
{
	uint64_t x = c->a;
	unsigned int op;

	if (!enter(hit, ""))
		return;
	for (op = 0; op < 256; op++) {
		uint8_t cdb[16], flags = RAW_FINAL | RAW_SIMPLE;

		for (size_t i = 1; i < sizeof(cdb); i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			cdb[i] = (uint8_t)(x >> 40) & (uint8_t)(x >> 50);
		}
		cdb[0] = (uint8_t)op;
		/* SANITIZE and FORMAT UNIT would make the unit unready */
		if (op == 0x48 || op == 0x04 || op == 0x5f || op == 0x16 || op == 0x56 ||
		    op == 0x1b || op == 0x15 || op == 0x55)
			continue;
		flags |= op % 3 == 0 ? RAW_READ : op % 3 == 1 ? RAW_WRITE : 0;
		(void)raw_cmd(&hit->raw, flags, cdb, 16, (flags & 0x60) != 0 ? c->b : 0, block,
		    (flags & RAW_WRITE) != 0 ? c->b : 0);
		if (!hit_answer(hit, hit->raw.itt))
			return;
		hit->seen[0] = '\0';
	}
	hit_alive(hit);
}

/* INQUIRY at LUN bytes a << 16 | b */
static void
run_lun(struct hit *hit, const struct hostile_case *c)
{
	static const uint8_t inquiry[6] = { 0x12, 0, 0, 0, 36, 0 };
	uint8_t bhs[RAW_BHS];
	uint32_t itt;

	if (!enter(hit, ""))
		return;
	raw_head(&hit->raw, bhs, RAW_CMD, RAW_FINAL | RAW_SIMPLE | RAW_READ);
	raw_put32(bhs + 8, c->a);
	raw_put32(bhs + 12, c->b);
	raw_put32(bhs + 20, 36);
	memcpy(bhs + 32, inquiry, sizeof(inquiry));
	itt = hit->raw.itt;
	(void)raw_pdu(&hit->raw, bhs, NULL, 0);
	if (!hit_answer(hit, itt))
		return;
	if (raw_op(&hit->raw) == RAW_DATA_IN)
		hit_saw(hit, "type %02x", hit->raw.data[0]);
	hit_alive(hit);
}

/* ------ additional headers ------ */

/* the text, in hexadecimal, is the additional header; a: opcode, b: words said to be there when
 * not 0 */
static void
run_ahs(struct hit *hit, const struct hostile_case *c)
{
	uint8_t whole[RAW_BHS + 1020] = { 0 };
	size_t n = hex(c->text, whole + RAW_BHS, 1020);
	uint32_t words = c->b != 0 ? c->b : (uint32_t)(n + 3) / 4;

	if (!enter(hit, ""))
		return;
	raw_head(&hit->raw, whole, (uint8_t)c->a, RAW_FINAL);
	raw_put32(whole + 20, c->a == RAW_NOP_OUT ? RAW_NO_TAG : 0);
	whole[4] = (uint8_t)words;
	(void)raw_bytes(&hit->raw, whole, RAW_BHS + words * 4);
	if (hit_answer(hit, hit->raw.itt))
		hit_alive(hit);
}

#define IMM	"11.3.1, 11.3.4, 13.11"
#define NOIMM	"ImmediateData=No\n"
#define NOR2T	"InitialR2T=No\n"
#define LIST	"SPC: 5/1a00 PARAMETER LIST LENGTH ERROR, or 5/26xx, 5/2400"
#define BADLIST	"check 5/1a00* alive|check 5/260?* alive|check 5/2400* alive"
#define LATE	"11.2.2, 11.3.1"
#define SN	"4.2.2.1: outside of the window: ignored in silence"
#define AHS	"11.2.2"
#define BADAHS	"reject 04 alive|reject 09 alive|reject 05 alive"

const struct hostile_case cases_command[] = {
	{ "read of 1 block, 2^32-1 bytes expected", "good under 4294966783 alive", "11.4.5",
	    run_read, NULL, 1, HUGE },
	{ "read of 65,535 blocks, 2^32-1 bytes expected",
	    "good under * alive|check 5/2400* alive|status 08* alive", "11.4.5", run_read, NULL,
	    65535, HUGE },
	{ "read of 1 block, nothing expected", "good over 512 alive", "11.4.5", run_read, NULL, 1,
	    0 },
	{ "read of 1 block, 7 bytes expected", "good over 505 alive", "11.4.5", run_read, NULL, 1,
	    7 },
	{ "read of nothing, 2^32-1 bytes expected", "good under 4294967295 alive", "11.4.5",
	    run_read, NULL, 0, HUGE },
	{ "write of 1 block, 2^32-1 bytes expected",
	    "r2t * good under 4294966783 alive|check ?/???? under * alive", "11.4.5", run_write,
	    NOR2T, 1, HUGE },
	{ "write of 1 block, nothing expected",
	    "good over 512 alive|check 5/* over 512 alive|check 5/* alive|check b/* alive",
	    "11.4.5", run_write, NOR2T, 1, 0 },
	{ "write of 1 block, 100 bytes expected",
	    "r2t 100 good over 412 alive|*check ?/???? over 412 alive|*check ?/???? alive",
	    "11.4.5", run_write, NOR2T, 1, 100 },
	{ "write of nothing, 2^32-1 bytes expected",
	    "good under 4294967295 alive|check 5/* alive", "11.4.5", run_write, NOR2T, 0, HUGE },

	{ "immediate data beyond the expected length", "reject 04 alive|reject 09 alive", IMM,
	    run_immediate, "", 1024, 512 },
	{ "immediate data, nothing expected", "reject 04 alive|reject 09 alive", IMM,
	    run_immediate, "", 512, 0 },
	{ "immediate data above FirstBurstLength", "reject 04 alive|reject 09 alive", IMM,
	    run_immediate, "FirstBurstLength=512\n", 1024, 4096 },
	{ "immediate data with ImmediateData=No", "reject 04 alive|reject 09 alive", IMM,
	    run_immediate, NOIMM, 512, 512 },
	{ "immediate data of a read", "reject 04 alive|reject 09 alive", IMM, run_flags, "",
	    RAW_FINAL | RAW_READ, 512 },
	{ "immediate data of a command without data", "reject 04 alive|reject 09 alive", IMM,
	    run_flags, "", RAW_FINAL, 512 },
	{ "unsolicited data with InitialR2T=Yes", "reject 04 alive|reject 09 alive", IMM, run_flags,
	    "InitialR2T=Yes\n", RAW_WRITE, 512 },
	{ "no F in a read", "reject 04 alive|reject 09 alive", "11.3.1", run_flags, "", RAW_READ,
	    0 },
	{ "task attribute 7", "reject 04 alive|reject 09 alive", "11.3.1", run_flags, "",
	    RAW_FINAL | 7, 0 },
	{ "attribute ACA without an ACA",
	    "check 5/* alive|check b/* alive|reject 09 alive", "SAM: INVALID MESSAGE ERROR", run_flags, "", RAW_FINAL | 4, 0 },
	{ "a command that reads and writes", "check 5/* alive", "11.4.5.2", run_both, NULL, 0, 0 },

	{ "a command without task tag", "reject 04 alive|reject 09 alive", "11.2.1.8", run_no_tag,
	    NULL, 0, 0 },
	{ "a task tag that is in use", "reject 07 good alive|reject 04 good alive|"
	    "reject 09 good alive", "11.2.1.8, 11.17.1: task in progress", run_same_tag, NULL, 0,
	    0 },
	{ "CmdSN before the window", "alive good alive", SN, run_cmd_sn, NULL, HUGE, 0 },
	{ "CmdSN 100,000 behind the window", "alive good alive", SN, run_cmd_sn, NULL, 100000, 0 },
	{ "CmdSN half a circle away", "alive good alive", SN, run_cmd_sn, NULL, 0x80000000u, 0 },
	{ "a hole in the CmdSNs", "alive good good alive", "4.2.2.1: in order", run_hole, NULL, 0,
	    0 },
	{ "2,000 commands into a window of fewer", "all answered alive|some ignored alive", SN,
	    run_burst, NULL, 2000, 0 },
	{ "2,000 immediate commands at once", "all answered alive", "4.2.2.1, 11.17.1: too many",
	    run_burst, NULL, 2000, RAW_IMMEDIATE },

	{ "MODE SELECT(6): 1 byte of a list", BADLIST, LIST, run_list, "15 10 00 00 01 / 00", 0,
	    0 },
	{ "MODE SELECT(6): 3 bytes of a list", BADLIST, LIST, run_list, "15 10 00 00 03 / 00 00 00",
	    0, 0 },
	{ "MODE SELECT(6): list longer than what comes", "check 5/1a00* alive|check ?/* alive",
	    LIST, run_list, "15 10 00 00 ff / 00 00 00 00 0a 0a", 0, 0 },
	{ "MODE SELECT(6): page cut off", BADLIST, LIST, run_list,
	    "15 10 00 00 07 / 00 00 00 00 0a 0a 00", 0, 0 },
	{ "MODE SELECT(6): page of 255 bytes", BADLIST, LIST, run_list,
	    "15 10 00 00 08 / 00 00 00 00 0a ff 00 00", 0, 0 },
	{ "MODE SELECT(6): descriptors beyond the end", BADLIST, LIST, run_list,
	    "15 10 00 00 06 / 00 00 00 ff 0a 0a", 0, 0 },
	{ "MODE SELECT(6): no list", "good* alive", "SPC: 0 is no error", run_list,
	    "15 10 00 00 00", 0, 0 },
	{ "MODE SELECT(10): 4 bytes of a list", BADLIST, LIST, run_list,
	    "55 10 00 00 00 00 00 00 04 / 00 00 00 00", 0, 0 },
	{ "MODE SELECT(10): descriptors beyond the end", BADLIST, LIST, run_list,
	    "55 10 00 00 00 00 00 00 0a / 00 00 00 00 00 00 ff ff 0a 0a", 0, 0 },
	{ "PERSISTENT RESERVE OUT: 8 bytes of a list", BADLIST, LIST, run_list,
	    "5f 00 00 00 00 00 00 00 08 / 00 00 00 00 00 00 00 00", 0, 0 },
	{ "PERSISTENT RESERVE OUT: transport ID beyond the end", BADLIST, LIST, run_list,
	    "5f 00 00 00 00 00 00 00 1c / 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 "
	    "00 00 00 00 08 00 00 00 ff ff ff ff", 0, 0 },
	{ "UNMAP: 7 bytes of a list", BADLIST, LIST, run_list,
	    "42 00 00 00 00 00 00 00 07 / 00 00 00 00 00 00 00", 0, 0 },
	{ "UNMAP: descriptors beyond the end", "good* alive|" BADLIST, LIST, run_list,
	    "42 00 00 00 00 00 00 00 08 / ff ff ff ff 00 00 00 00", 0, 0 },
	{ "UNMAP: beyond the last block", "check 5/2100* alive|check 5/2600* alive", "SBC",
	    run_list, "42 00 00 00 00 00 00 00 18 / 00 16 00 10 00 00 00 00 "
	    "ff ff ff ff ff ff ff f0 ff ff ff ff 00 00 00 00", 0, 0 },
	{ "EXTENDED COPY: lengths beyond the end", BADLIST "|check 5/2000* alive", LIST, run_list,
	    "83 00 00 00 00 00 00 00 00 00 00 00 00 10 / "
	    "01 00 ff ff 00 00 00 00 ff ff ff ff ff ff ff ff", 0, 0 },
	{ "EXTENDED COPY: 3 bytes of a list", BADLIST "|check 5/2000* alive", LIST, run_list,
	    "83 00 00 00 00 00 00 00 00 00 00 00 00 03 / 01 00 ff", 0, 0 },
	{ "COMPARE AND WRITE: too little data", "check ?/* alive", "SBC", run_list,
	    "89 00 00 00 00 00 00 00 00 00 00 00 00 01 / 00 00 00 00", 0, 0 },
	{ "WRITE(16) at the end of all numbers", "check 5/2100* alive", "SBC", run_list,
	    "8a 00 ff ff ff ff ff ff ff ff ff ff ff ff 00 / 00 00 00 00", 0, 0 },
	{ "WRITE SAME(16) of 2^32-1 blocks", "check 5/2[14]00* alive|check 5/2100* alive|"
	    "check 5/2400* alive", "SBC", run_list,
	    "93 00 00 00 00 00 00 00 00 00 ff ff ff ff 00 / 00 00 00 00", 0, 0 },
	{ "a CDB of 32 bytes without its end", "check 5/* alive", "SPC, " AHS, run_list,
	    "7f 00 00 00 00 00 00 18 00 0b", 0, 0 },
	{ "a CDB said to have 263 bytes", "check 5/* alive", "SPC, " AHS, run_list,
	    "7f 00 00 00 00 00 00 ff 00 09", 0, 0 },
	{ "a CDB of nothing but FFh", "check 5/* alive", "SPC", run_list,
	    "ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff", 0, 0 },
	{ "READ BUFFER of 16 MiB", "*alive", "SPC", run_list,
	    "3c 02 00 ff ff ff ff ff ff 00", 512, RAW_READ },
	{ "WRITE BUFFER of 16 MiB", "*alive", "SPC", run_list,
	    "3b 02 00 ff ff ff ff ff ff 00 / 00", 0, 0 },
	{ "every opcode, random CDBs, 512 bytes", "alive", "SPC", run_opcodes, NULL, 7, 512 },
	{ "every opcode, random CDBs, 1 byte", "alive", "SPC", run_opcodes, NULL, 1234, 1 },
	{ "INQUIRY at LUN FFFFh", "good* type 7f alive|check 5/2500* alive", "SPC 6.6", run_lun,
	    NULL, 0xffffffff, 0xffffffff },
	{ "INQUIRY at LUN 2.3.4.5", "good* type 7f alive|check 5/2500* alive", "SPC 6.6", run_lun,
	    NULL, 0x00020003, 0x00040005 },

	{ "AHS: nothing but zeros, 1,020 bytes", BADAHS, AHS, run_ahs, "", RAW_CMD, 255 },
	{ "AHS: length beyond the end", BADAHS, AHS, run_ahs, "ff ff 01 00", RAW_CMD, 0 },
	{ "AHS: CDB extension of no bytes", BADAHS, AHS, run_ahs, "00 00 01 00", RAW_CMD, 0 },
	{ "AHS: CDB extension twice", BADAHS, AHS, run_ahs,
	    "00 05 01 00 00 00 00 00 00 05 01 00 00 00 00 00", RAW_CMD, 0 },
	{ "AHS: CDB extension of 1,000 bytes", BADAHS, AHS, run_ahs, "03 e9 01 00", RAW_CMD, 251 },
	{ "AHS: unknown type", BADAHS, AHS, run_ahs, "00 05 3f 00 00 00 00 00", RAW_CMD, 0 },
	{ "AHS: bidirectional length of 2 bytes", BADAHS, AHS, run_ahs, "00 03 02 00 00 00 00 00",
	    RAW_CMD, 0 },
	{ "AHS: CDB extension that is right", "good alive", AHS, run_ahs,
	    "00 05 01 00 00 00 00 00", RAW_CMD, 0 },
	{ "AHS of a NOP-Out", BADAHS, AHS, run_ahs, "00 05 01 00 00 00 00 00", RAW_NOP_OUT, 0 },
	{ "AHS of a Logout", BADAHS, AHS, run_ahs, "00 05 01 00 00 00 00 00", RAW_LOGOUT, 0 },
	{ NULL, NULL, NULL, NULL, NULL, 0, 0 },
};
