/* PERSISTENT RESERVE IN: parameter data (lu/pr.h, SPC-4 6.15) */
#include <string.h>

#include "base/cursor.h"
#include "lu/pr_impl.h"

#define HEAD_LEN	8	/* PRGENERATION, ADDITIONAL LENGTH */
#define RESERVATION_LEN	16
#define STATUS_LEN	24	/* full status descriptor before its TransportID */
#define R_HOLDER	0x01

size_t
pr_in_room(const struct pr *pr)
{
	return HEAD_LEN + RESERVATION_LEN + pr->n * (STATUS_LEN + (size_t)LU_TRANSPORT_ID_MAX);
}

static void
put_zeros(struct cursor *c, size_t n)
{
	uint8_t *p = cursor_take(c, n);

	if (p != NULL)
		memset(p, 0, n);
}

static struct cursor
in_begin(const struct pr *pr, void *buf)
{
	struct cursor c = cursor_write_init(buf, pr_in_room(pr));

	cursor_put_be32(&c, pr->generation);
	cursor_put_be32(&c, 0);
	return c;
}

static size_t
in_end(const struct cursor *c)
{
	be32_put(c->base + 4, (uint32_t)(c->pos - HEAD_LEN));
	return c->pos;
}

size_t
pr_in_keys(const struct pr *pr, void *buf)
{
	struct cursor c = in_begin(pr, buf);

	for (uint32_t i = 0; i < pr->n; i++)
		cursor_put_be64(&c, pr->regs[i].key);
	return in_end(&c);
}

size_t
pr_in_reservation(const struct pr *pr, void *buf)
{
	struct cursor c = in_begin(pr, buf);

	if (pr->type != PR_NONE) {
		/* all registrants have no key in common */
		cursor_put_be64(&c, pr->holder == PR_NOBODY ? 0 : pr->regs[pr->holder].key);
		put_zeros(&c, 5);
		cursor_put_u8(&c, pr->type);
		put_zeros(&c, 2);
	}
	return in_end(&c);
}

static void
status_put(struct cursor *c, const struct pr *pr, uint32_t i)
{
	const struct pr_reg *reg = &pr->regs[i];
	bool is_holder = pr_is_holder(pr, i);

	cursor_put_be64(c, reg->key);
	put_zeros(c, 4);
	cursor_put_u8(c, is_holder ? R_HOLDER : 0);
	cursor_put_u8(c, is_holder ? pr->type : 0);
	put_zeros(c, 4);
	cursor_put_be16(c, reg->nexus.rtpi);
	cursor_put_be32(c, reg->nexus.id_len);
	cursor_put_bytes(c, reg->nexus.id, reg->nexus.id_len);
}

size_t
pr_in_full_status(const struct pr *pr, void *buf)
{
	struct cursor c = in_begin(pr, buf);

	for (uint32_t i = 0; i < pr->n; i++)
		status_put(&c, pr, i);
	return in_end(&c);
}

size_t
pr_in_capabilities(const struct pr *pr, bool can_persist, uint8_t buf[PR_CAPABILITIES_LEN])
{
	static const uint8_t all[PR_CAPABILITIES_LEN] = {
		[1] = PR_CAPABILITIES_LEN,
		[2] = 0x10 | 0x08 | 0x04,	/* CRH, SIP_C, ATP_C */
		[3] = 0x80,			/* TMV; ALLOW COMMANDS: says nothing */
		[4] = 0x80 | 0x40 | 0x20 | 0x08 | 0x02,
						/* WR_EX_AR, EX_AC_RO, WR_EX_RO, EX_AC, WR_EX */
		[5] = 0x01,			/* EX_AC_AR */
	};

	memcpy(buf, all, sizeof(all));
	if (can_persist)
		buf[2] |= 0x01;			/* PTPL_C */
	if (pr->is_aptpl)
		buf[3] |= 0x01;			/* PTPL_A */
	return PR_CAPABILITIES_LEN;
}
