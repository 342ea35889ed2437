/* before a login, and logins whose headers are wrong */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile/hostile.h"

#define TO_FULL		(0x80 | 1 << 2 | 3)	/* T, operational stage, to full feature phase */

/* bytes that are no PDU at all; filled up to a whole header */
static void
run_bytes(struct hit *hit, const struct hostile_case *c)
{
	char bytes[256] = { 0 };
	size_t n = strlen(c->text);

	if (!hit_connect(hit))
		return;
	memcpy(bytes, c->text, n);
	(void)raw_bytes(&hit->raw, bytes, n < RAW_BHS ? RAW_BHS : n);
	hit_closed(hit);
}

/* a request that may only come after a login; a: opcode */
static void
run_early(struct hit *hit, const struct hostile_case *c)
{
	uint8_t bhs[RAW_BHS];

	if (!hit_connect(hit))
		return;
	raw_head(&hit->raw, bhs, (uint8_t)c->a, RAW_FINAL);
	raw_put32(bhs + 20, c->a == RAW_CMD ? 0 : RAW_NO_TAG);
	(void)raw_pdu(&hit->raw, bhs, c->text, c->text == NULL ? 0 : (uint32_t)strlen(c->text) + 1);
	hit_closed(hit);
}

static void
keys_of(const struct hit *hit, char keys[600], const char *more)
{
	(void)snprintf(keys, 600, "InitiatorName=%s\nTargetName=%s\nSessionType=Normal\n%s",
	    hit->raw.initiator, hit->where->name, more);
}

/* the first request has flags a */
static void
run_flags(struct hit *hit, const struct hostile_case *c)
{
	char keys[600];

	keys_of(hit, keys, "");
	if (!hit_connect(hit))
		return;
	(void)raw_login_pdu(&hit->raw, (uint8_t)c->a, keys);
	if (raw_recv(&hit->raw, RAW_WAIT_MS) == RAW_PDU)
		hit_note(hit);
	hit_closed(hit);
}

/* byte a of the first header is b */
static void
run_byte(struct hit *hit, const struct hostile_case *c)
{
	uint8_t bhs[RAW_BHS] = { RAW_LOGIN | RAW_IMMEDIATE, TO_FULL };
	char keys[600];
	size_t n;

	keys_of(hit, keys, "");
	n = strlen(keys);
	for (size_t i = 0; i < n; i++)
		keys[i] = (char)(keys[i] == '\n' ? '\0' : keys[i]);
	if (!hit_connect(hit))
		return;
	memcpy(bhs + 8, hit->raw.isid, 6);
	bhs[c->a] = (uint8_t)c->b;
	(void)raw_pdu(&hit->raw, bhs, keys, (uint32_t)n);
	hit_closed(hit);
}

/* the length field says b, and so many bytes are on offer */
static void
run_giant(struct hit *hit, const struct hostile_case *c)
{
	uint8_t bhs[RAW_BHS] = { RAW_LOGIN | RAW_IMMEDIATE, TO_FULL };
	static const uint8_t zeros[65536];
	uint32_t left = c->b;

	if (!hit_connect(hit))
		return;
	raw_put24(bhs + 5, c->b);
	(void)raw_bytes(&hit->raw, bhs, sizeof(bhs));
	while (left > 0 && raw_bytes(&hit->raw, zeros, left < sizeof(zeros) ? left :
	    sizeof(zeros)))
		left -= left < sizeof(zeros) ? left : (uint32_t)sizeof(zeros);
	hit_closed(hit);
}

/* the second request differs from the first in byte a */
static void
run_second(struct hit *hit, const struct hostile_case *c)
{
	char keys[600];

	keys_of(hit, keys, "");
	if (!hit_connect(hit))
		return;
	(void)raw_login_pdu(&hit->raw, 1 << 2, keys);
	if (raw_recv(&hit->raw, RAW_WAIT_MS) != RAW_PDU || raw_be16(hit->raw.bhs + 36) != 0) {
		hit_saw(hit, "no answer");
		return;
	}
	if (c->a == 8)
		hit->raw.isid[5] ^= 0xff;
	else if (c->a == 14)
		hit->raw.tsih = 0x7777;
	else if (c->a == 16)
		hit->raw.itt++;
	else if (c->a == 20)
		hit->raw.cid++;
	(void)raw_login_pdu(&hit->raw, (uint8_t)c->b, "");
	hit_closed(hit);
}

/* text that never ends: C again and again, a times */
static void
run_endless(struct hit *hit, const struct hostile_case *c)
{
	char text[8000];
	uint32_t i;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	if (!hit_connect(hit))
		return;
	for (i = 0; i < c->a; i++) {
		if (!raw_login_pdu(&hit->raw, 0x40 | 1 << 2, text) ||
		    raw_recv(&hit->raw, RAW_WAIT_MS) != RAW_PDU)
			break;
		if (raw_be16(hit->raw.bhs + 36) != 0) {
			hit_note(hit);
			break;
		}
	}
	if (i == c->a)
		hit_saw(hit, "taken");
	else
		hit_closed(hit);
}

/* requests without end and without any text */
static void
run_patient(struct hit *hit, const struct hostile_case *c)
{
	char keys[600];
	uint32_t i;

	keys_of(hit, keys, "");
	if (!hit_connect(hit))
		return;
	for (i = 0; i < c->a; i++) {
		if (!raw_login_pdu(&hit->raw, 1 << 2, i == 0 ? keys : "") ||
		    raw_recv(&hit->raw, RAW_WAIT_MS) != RAW_PDU)
			break;
		if (raw_be16(hit->raw.bhs + 36) != 0) {
			hit_note(hit);
			break;
		}
	}
	if (i == c->a)
		hit_saw(hit, "taken");
	else
		hit_closed(hit);
}

static void
run_tsih(struct hit *hit, const struct hostile_case *c)
{
	int r;

	hit->raw.tsih = (uint16_t)c->a;
	r = raw_login(&hit->raw, "");
	hit_saw(hit, "login %04x", (unsigned int)r & 0xffff);
	hit_closed(hit);
}

/* a second connection for somebody else's session */
static void
run_stolen_tsih(struct hit *hit, const struct hostile_case *c)
{
	static struct raw other;
	int r;

	if (!hit_login(hit, "MaxConnections=2\n"))
		return;
	raw_init(&other, hit->where, hit->index);
	other.initiator = c->text;
	other.tsih = hit->raw.tsih;
	other.cid = 1;
	r = raw_login(&other, "");
	hit_saw(hit, "login %04x", (unsigned int)r & 0xffff);
	raw_close(&other);
	hit_alive(hit);
}

/* more connections than were agreed on */
static void
run_too_many(struct hit *hit, const struct hostile_case *c)
{
	static struct raw other;
	int r;

	if (!hit_login(hit, c->text))
		return;
	raw_init(&other, hit->where, hit->index);
	other.tsih = hit->raw.tsih;
	other.cid = 1;
	r = raw_login(&other, "");
	hit_saw(hit, "login %04x", (unsigned int)r & 0xffff);
	raw_close(&other);
	hit_alive(hit);
}

/* the same name and ISID once more: the old session ends, the new one lives */
static void
run_reinstate(struct hit *hit, const struct hostile_case *c UNUSED)
{
	static struct raw other;
	int r;

	if (!hit_login(hit, ""))
		return;
	raw_init(&other, hit->where, hit->index);
	r = raw_login(&other, "");
	hit_saw(hit, "login %04x", (unsigned int)r & 0xffff);
	hit_closed(hit);
	hit_saw(hit, raw_ready(&other) ? "ready" : "not ready");
	raw_close(&other);
}

/* a whole login, byte by byte */
static void
run_drip(struct hit *hit, const struct hostile_case *c UNUSED)
{
	uint8_t bhs[RAW_BHS] = { RAW_LOGIN | RAW_IMMEDIATE, TO_FULL };
	char keys[600];
	size_t n;

	keys_of(hit, keys, "");
	n = strlen(keys);
	for (size_t i = 0; i < n; i++)
		keys[i] = (char)(keys[i] == '\n' ? '\0' : keys[i]);
	if (!hit_connect(hit))
		return;
	memcpy(bhs + 8, hit->raw.isid, 6);
	raw_put24(bhs + 5, (uint32_t)n);
	for (size_t i = 0; i < sizeof(bhs); i++)
		(void)raw_bytes(&hit->raw, &bhs[i], 1);
	for (size_t i = 0; i < (n + 3) / 4 * 4; i++)
		(void)raw_bytes(&hit->raw, i < n ? &keys[i] : "", 1);
	if (raw_recv(&hit->raw, RAW_WAIT_MS) == RAW_PDU)
		hit_note(hit);
	hit_alive(hit);
}

/* half a header, then the end; a: bytes, b: with a reset */
static void
run_half(struct hit *hit, const struct hostile_case *c)
{
	static const uint8_t bhs[RAW_BHS] = { RAW_LOGIN | RAW_IMMEDIATE, TO_FULL, [7] = 200 };

	if (!hit_connect(hit))
		return;
	(void)raw_bytes(&hit->raw, bhs, c->a);
	if (c->b)
		raw_abort(&hit->raw);
	raw_close(&hit->raw);
	hit_saw(hit, "left");
}

/* connections that say nothing, a of them, while others work */
static void
run_crowd(struct hit *hit, const struct hostile_case *c)
{
	struct raw *crowd = calloc(1, sizeof(*crowd));
	int *fds = calloc(c->a, sizeof(*fds));
	uint32_t n;

	raw_init(crowd, hit->where, 0);
	for (n = 0; n < c->a && raw_connect(crowd) == 0; n++)
		fds[n] = crowd->fd;
	if (hit_login(hit, ""))
		hit_saw(hit, raw_ready(&hit->raw) ? "ready" : "not ready");
	while (n-- > 0) {
		crowd->fd = fds[n];
		raw_close(crowd);
	}
	free(fds);
	free(crowd);
}

#define FIRST	"5.3, 6.3, 11.13.5: the first PDU is a Login Request"
#define SAME	"11.12: ISID, TSIH, CID, ITT stay; CSG is where we are"
#define STAGES	"6.3, 11.12.3"

const struct hostile_case cases_enter[] = {
	{ "a port scanner: HTTP", "closed", FIRST, run_bytes,
	    "GET / HTTP/1.1\r\nHost: target.example.internal\r\nUser-Agent: x\r\n\r\n", 0, 0 },
	{ "a port scanner: TLS", "closed", FIRST, run_bytes,
	    "\x16\x03\x01\x02\x01\x01\x01\xfc\x03\x03", 0, 0 },
	{ "a port scanner: SSH", "closed", FIRST, run_bytes, "SSH-2.0-scan_0.1\r\n", 0, 0 },
	{ "zeros", "closed|login 020b closed", FIRST, run_bytes, "", 0, 0 },
	{ "SendTargets before login", "closed|login 020b closed", FIRST, run_early,
	    "SendTargets=All", RAW_TEXT, 0 },
	{ "SCSI command before login", "closed|login 020b closed", FIRST, run_early, NULL,
	    RAW_CMD, 0 },
	{ "task management before login", "closed|login 020b closed", FIRST, run_early, NULL,
	    RAW_TMF, 0 },
	{ "Data-Out before login", "closed|login 020b closed", FIRST, run_early, "data",
	    RAW_DATA_OUT, 0 },
	{ "Logout before login", "closed|login 020b closed", FIRST, run_early, NULL, RAW_LOGOUT,
	    0 },
	{ "SNACK before login", "closed|login 020b closed", FIRST, run_early, NULL, RAW_SNACK, 0 },
	{ "a target's PDU before login", "closed|login 020b closed", FIRST, run_early, NULL,
	    RAW_REJECT, 0 },
	{ "half a header, then the end", "left", "7.5", run_half, NULL, 24, 0 },
	{ "half a login, then a reset", "left", "7.5", run_half, NULL, 48, 1 },
	{ "a login byte by byte", "login 0000 alive", "11.12", run_drip, NULL, 0, 0 },
	{ "300 silent connections", "ready", "5.3", run_crowd, NULL, 300, 0 },

	{ "login: version above ours", "login 0205 closed", "11.12.4", run_byte, NULL, 3, 1 },
	{ "login: additional headers", "login 0200 closed|closed", "11.2.1.5", run_byte, NULL, 4,
	    255 },
	{ "login: T and C", "login 0200 closed|login 020b closed", "11.12.2", run_flags, NULL,
	    0xc0 | 1 << 2 | 3, 0 },
	{ "login: starts in stage 2", "login 0200 closed|login 020b closed", STAGES, run_flags,
	    NULL, 0x80 | 2 << 2 | 3, 0 },
	{ "login: starts in full feature phase", "login 0200 closed|login 020b closed", STAGES,
	    run_flags, NULL, 0x80 | 3 << 2 | 3, 0 },
	{ "login: to stage 2", "login 0200 closed|login 020b closed", STAGES, run_flags, NULL,
	    0x80 | 0 << 2 | 2, 0 },
	{ "login: to where it is", "login 0200 closed|login 020b closed", STAGES, run_flags, NULL,
	    0x80 | 1 << 2 | 1, 0 },
	{ "login: backwards", "login 0200 closed|login 020b closed", STAGES, run_flags, NULL,
	    0x80 | 1 << 2 | 0, 0 },
	{ "login: ISID changes", "login 0200 closed|login 020b closed", SAME, run_second, NULL, 8,
	    TO_FULL },
	{ "login: TSIH changes", "login 0200 closed|login 020b closed", SAME, run_second, NULL,
	    14, TO_FULL },
	{ "login: task tag changes", "login 0200 closed|login 020b closed", SAME, run_second,
	    NULL, 16, TO_FULL },
	{ "login: CID changes", "login 0200 closed|login 020b closed", SAME, run_second, NULL, 20,
	    TO_FULL },
	{ "login: another stage than agreed", "login 0200 closed|login 020b closed", SAME,
	    run_second, NULL, 0, 0x80 | 0 << 2 | 1 },
	{ "login: data segment of 16 MiB", "closed|login 0200 closed", "11.2.1.6, 13.12: 8192",
	    run_giant, NULL, 0, 0xffffff },
	{ "login: data segment of 64 KiB", "closed|login 0200 closed", "11.2.1.6, 13.12: 8192",
	    run_giant, NULL, 0, 65536 },
	{ "login: text that never ends", "login 0200 closed|login 0302 closed", "6.2", run_endless,
	    NULL, 4096, 0 },
	{ "login: requests that never end", "login 0200 closed|closed", "6.2", run_patient, NULL,
	    4096, 0 },
	{ "login: unknown TSIH", "login 020a closed", "6.3.1, 11.13.5", run_tsih, NULL, 0x7ffe, 0 },
	{ "login: somebody else's TSIH", "login 020a alive", "6.3.1", run_stolen_tsih,
	    "iqn.2026-11.internal.hostile:thief", 0, 0 },
	{ "login: one connection too many", "login 0206 alive", "11.13.5, 13.2", run_too_many,
	    "MaxConnections=1\n", 0, 0 },
	{ "login: session reinstatement",
	    "login 0000 closed ready|login 0000 async ? closed ready", "6.3.5", run_reinstate, NULL,
	    0, 0 },
	{ NULL, NULL, NULL, NULL, NULL, 0, 0 },
};
