#include "hostile/hostile.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
hit_saw(struct hit *hit, const char *fmt, ...)
{
	size_t n = strlen(hit->seen);
	va_list ap;

	if (n > 0 && n < HIT_SEEN - 1)
		hit->seen[n++] = ' ';
	va_start(ap, fmt);
	(void)vsnprintf(hit->seen + n, HIT_SEEN - n, fmt, ap);
	va_end(ap);
}

bool
hit_connect(struct hit *hit)
{
	int r = raw_connect(&hit->raw);

	if (r < 0)
		hit_saw(hit, "no connection (%s)", strerror(-r));
	return r == 0;
}

bool
hit_login(struct hit *hit, const char *keys)
{
	int r = raw_login(&hit->raw, keys);

	if (r < 0)
		hit_saw(hit, "no login (%s)", strerror(-r));
	else if (r > 0)
		hit_saw(hit, "login %04x", (unsigned int)r);
	return r == 0;
}

static void
note_status(struct hit *hit)
{
	const struct raw *raw = &hit->raw;
	uint32_t sense = raw_sense(raw), resid = raw_be32(raw->bhs + 44);

	if (raw_op(raw) == RAW_RSP && raw->bhs[2] != 0)
		hit_saw(hit, "target failure");
	else if (raw->bhs[3] == 0)
		hit_saw(hit, "good");
	else if (raw->bhs[3] == 2)
		hit_saw(hit, "check %x/%04x", sense >> 16, sense & 0xffff);
	else
		hit_saw(hit, "status %02x", raw->bhs[3]);
	if ((raw->bhs[1] & 0x06) != 0)
		hit_saw(hit, "%s %u", (raw->bhs[1] & 0x04) != 0 ? "over" : "under", resid);
}

void
hit_note(struct hit *hit)
{
	const uint8_t *bhs = hit->raw.bhs;

	switch (raw_op(&hit->raw)) {
	case RAW_NOP_IN:
		hit_saw(hit, "nop-in %u", hit->raw.len);
		break;
	case RAW_DATA_IN:
	case RAW_RSP:
		note_status(hit);
		break;
	case RAW_TMF_RSP:
		hit_saw(hit, "tmf %u", bhs[2]);
		break;
	case RAW_LOGIN_RSP:
		hit_saw(hit, "login %04x", raw_be16(bhs + 36));
		break;
	case RAW_TEXT_RSP:
		hit_saw(hit, "text");
		break;
	case RAW_LOGOUT_RSP:
		hit_saw(hit, "logout %u", bhs[2]);
		break;
	case RAW_R2T:
		hit_saw(hit, "r2t");
		break;
	case RAW_ASYNC:
		hit_saw(hit, "async %u", bhs[36]);
		break;
	case RAW_REJECT:
		hit_saw(hit, "reject %02x", bhs[2]);
		break;
	default:
		hit_saw(hit, "opcode %02x", bhs[0]);
		break;
	}
}

static bool
is_data_only(const struct raw *raw)
{
	return raw_op(raw) == RAW_DATA_IN && (raw->bhs[1] & 0x01) == 0;
}

static bool
is_question(const struct raw *raw)
{
	return raw_op(raw) == RAW_NOP_IN && raw_tag(raw) == RAW_NO_TAG;
}

static bool
gone(struct hit *hit, enum raw_got got)
{
	if (got == RAW_PDU)
		return false;
	hit_saw(hit, got == RAW_CLOSED ? "closed" : "hang");
	raw_close(&hit->raw);
	return true;
}

bool
hit_answer(struct hit *hit, uint32_t itt)
{
	for (;;) {
		if (gone(hit, raw_recv(&hit->raw, RAW_WAIT_MS)))
			return false;
		if (raw_op(&hit->raw) == RAW_REJECT) {
			hit_note(hit);
			return true;
		}
		if (raw_tag(&hit->raw) != itt || is_data_only(&hit->raw))
			continue;
		hit_note(hit);
		if (raw_op(&hit->raw) != RAW_R2T)
			return true;
	}
}

void
hit_alive(struct hit *hit)
{
	uint8_t bhs[RAW_BHS];
	uint32_t itt;

	if (hit->raw.fd < 0)
		return;
	raw_head(&hit->raw, bhs, RAW_NOP_OUT | RAW_IMMEDIATE, RAW_FINAL);
	raw_put32(bhs + 20, RAW_NO_TAG);
	itt = hit->raw.itt;
	(void)raw_pdu(&hit->raw, bhs, NULL, 0);
	while (!gone(hit, raw_recv(&hit->raw, RAW_WAIT_MS))) {
		if (raw_op(&hit->raw) == RAW_NOP_IN && raw_tag(&hit->raw) == itt) {
			hit_saw(hit, "alive");
			return;
		}
		if (!is_data_only(&hit->raw) && !is_question(&hit->raw))
			hit_note(hit);
	}
}

void
hit_closed(struct hit *hit)
{
	while (hit->raw.fd >= 0 && !gone(hit, raw_recv(&hit->raw, RAW_WAIT_MS)))
		if (!is_data_only(&hit->raw) && !is_question(&hit->raw))
			hit_note(hit);
}
