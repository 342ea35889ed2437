/*
 * persistent reservations: the state as bytes (lu/pr.h)
 *
 * Big-endian: u32 version, u8 type, u8 0, u16 length of the unit's name, u32 registrations,
 * u32 holder (index; all ones: none), the name, then for each registration u64 key, u16
 * relative port, u16 length of the TransportID, the TransportID.
 */
#include <errno.h>
#include <string.h>

#include "base/cursor.h"
#include "lu/pr_impl.h"

#define SAVE_VERSION	1
#define SAVE_HEAD_LEN	16
#define SAVE_REG_LEN	12

size_t
pr_save_room(const struct pr *pr)
{
	return SAVE_HEAD_LEN + PR_SAVE_NAME_MAX +
	    pr->n * (SAVE_REG_LEN + (size_t)LU_TRANSPORT_ID_MAX);
}

size_t
pr_save(const struct pr *pr, const void *name, size_t name_len, void *buf)
{
	struct cursor c = cursor_write_init(buf, pr_save_room(pr));

	cursor_put_be32(&c, SAVE_VERSION);
	cursor_put_u8(&c, pr->type);
	cursor_put_u8(&c, 0);
	cursor_put_be16(&c, (uint16_t)name_len);
	cursor_put_be32(&c, pr->n);
	cursor_put_be32(&c, pr->holder);
	cursor_put_bytes(&c, name, name_len);
	for (uint32_t i = 0; i < pr->n; i++) {
		const struct pr_reg *reg = &pr->regs[i];

		cursor_put_be64(&c, reg->key);
		cursor_put_be16(&c, reg->nexus.rtpi);
		cursor_put_be16(&c, reg->nexus.id_len);
		cursor_put_bytes(&c, reg->nexus.id, reg->nexus.id_len);
	}
	return c.pos;
}

struct save_head {
	uint32_t n, holder;
	uint8_t type;
};

static bool
head_is_sound(const struct save_head *head)
{
	bool has_holder = head->type != PR_NONE && !pr_type_is_all(head->type);

	if (head->n > PR_LIMIT_MAX || (head->type != PR_NONE && !pr_type_is_valid(head->type)))
		return false;
	return has_holder ? head->holder < head->n : head->holder == PR_NOBODY;
}

static bool
head_get(struct cursor *c, const void *name, size_t name_len, struct save_head *ret)
{
	uint32_t version = cursor_be32(c);
	uint16_t len;
	const uint8_t *saved;
	uint8_t zero;

	ret->type = cursor_u8(c);
	zero = cursor_u8(c);
	len = cursor_be16(c);
	ret->n = cursor_be32(c);
	ret->holder = cursor_be32(c);
	saved = cursor_take(c, len);
	return cursor_ok(c) && version == SAVE_VERSION && zero == 0 && len == name_len &&
	    memcmp(saved, name, name_len) == 0 && head_is_sound(ret);
}

/* a registration that pr_out() could have made, and that is not there yet */
static bool
reg_get(struct cursor *c, struct pr *pr)
{
	struct pr_reg *reg = &pr->regs[pr->n];
	struct lu_initiator initiator;
	const uint8_t *id;
	uint16_t rtpi, len;

	reg->key = cursor_be64(c);
	rtpi = cursor_be16(c);
	len = cursor_be16(c);
	id = cursor_take(c, len);
	if (!cursor_ok(c) || reg->key == 0 || rtpi == 0 ||
	    lu_initiator_parse(id, len, &initiator) != len)
		return false;
	pr_nexus_set(&reg->nexus, &initiator, rtpi);
	if (pr_find(pr, &reg->nexus) != PR_NOBODY)
		return false;
	pr->n++;
	return true;
}

static void
pr_freep(struct pr **pr)
{
	pr_free(*pr);
}

int
pr_load(const void *buf, size_t len, const void *name, size_t name_len, uint32_t limit,
    struct pr **ret)
{
	CLEANUP(pr_freep) struct pr *pr = NULL;
	struct cursor c = cursor_read_init(buf, len);
	struct save_head head;

	if (!head_get(&c, name, name_len, &head))
		return -EBADMSG;
	pr = pr_alloc(limit > head.n ? limit : head.n, head.n);
	if (pr == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < head.n; i++)
		if (!reg_get(&c, pr))
			return -EBADMSG;
	if (cursor_left(&c) != 0)
		return -EBADMSG;
	pr->type = head.type;
	pr->holder = head.holder;
	pr->is_aptpl = true;
	*ret = STEAL(pr);
	return 0;
}
