#include "daemon/isns_msg.h"

#include <assert.h>
#include <string.h>

#include "daemon/ex_set.h"
#include "daemon/isns_pdu.h"

#define SOFT_MAX	4096	/* no further target behind that */
#define U32_ROOM	12
#define ADDR_ROOM	24
#define EMPTY_ROOM	8

static struct cursor
msg_begin(uint8_t *dst)
{
	struct cursor c = cursor_write_init(dst, ISNS_MSG_MAX);

	(void)cursor_take(&c, ISNS_HEAD_LEN);
	return c;
}

static size_t
msg_end(const struct cursor *c, enum isns_function function, uint16_t flags, uint16_t xid)
{
	const struct isns_head head = {
		.function = (uint16_t)function,
		.len = (uint16_t)(c->pos - ISNS_HEAD_LEN),
		.flags = ISNS_FLAG_CLIENT | ISNS_FLAG_FIRST | ISNS_FLAG_LAST | flags,
		.xid = xid,
	};

	assert(cursor_ok(c));
	isns_head_put(&head, c->base);
	return c->pos;
}

/* ------ registering ------ */

/* one node's portals of one group tag; NULL (no value): those that do not lead to it */
static void
put_group(struct cursor *c, const struct isns_view *view, const struct ex_target *target,
    const uint16_t *tag)
{
	bool is_begun = false;

	for (size_t i = 0; i < view->n_portals; i++) {
		const struct isns_portal *portal = &view->portals[i];
		bool is_served = isns_view_serves(target, portal);

		if (tag == NULL ? is_served : !is_served || portal->group != *tag)
			continue;
		if (!is_begun && tag == NULL)
			isns_put_empty(c, ISNS_TAG_GROUP_TAG);
		else if (!is_begun)
			isns_put_u32(c, ISNS_TAG_GROUP_TAG, *tag);
		is_begun = true;
		isns_put_addr(c, ISNS_TAG_GROUP_ADDR, portal->addr);
		isns_put_u32(c, ISNS_TAG_GROUP_PORT, portal->port);
	}
}

/* NULL: none that iSNS could carry */
static const char *
alias_of(const struct ex_target *target)
{
	const char *alias = target->alias;

	if (alias == NULL || alias[0] == '\0' || strlen(alias) > ISNS_TEXT_MAX)
		return NULL;
	return alias;
}

static void
put_target(struct cursor *c, const struct isns_writer *w, const struct ex_target *target)
{
	isns_put_text(c, ISNS_TAG_NODE_NAME, target->o.name);
	isns_put_u32(c, ISNS_TAG_NODE_TYPE, ISNS_NODE_TARGET);
	if (alias_of(target) != NULL)
		isns_put_text(c, ISNS_TAG_NODE_ALIAS, target->alias);
	if (!w->want_groups)
		return;
	for (size_t i = 0; i < target->groups.n; i++)
		put_group(c, w->view, target, &target->tags[i]);
	/* what is not told would be taken for tag 1, RFC 4171 5.6.5.1 */
	put_group(c, w->view, target, NULL);
}

/* at most what put_target() takes */
static size_t
target_room(const struct isns_writer *w, const struct ex_target *target)
{
	size_t room = isns_text_room(target->o.name) + U32_ROOM;

	if (alias_of(target) != NULL)
		room += isns_text_room(target->alias);
	if (w->want_groups)
		room += (target->groups.n + 1) * U32_ROOM +
		    w->view->n_portals * (ADDR_ROOM + U32_ROOM);
	return room;
}

/* the entity, and at first its portals: those must be known before targets name them */
static void
put_entity(struct cursor *c, const struct isns_writer *w)
{
	isns_put_text(c, ISNS_TAG_NODE_NAME, w->who.source);
	isns_put_text(c, ISNS_TAG_ENTITY, w->who.entity);
	isns_put_empty(c, ISNS_TAG_DELIMITER);
	isns_put_text(c, ISNS_TAG_ENTITY, w->who.entity);
	if (w->is_begun)
		return;
	isns_put_u32(c, ISNS_TAG_PROTOCOL, ISNS_PROTOCOL_ISCSI);
	isns_put_u32(c, ISNS_TAG_PERIOD, w->period_s);
	for (size_t i = 0; i < w->view->n_portals; i++) {
		isns_put_addr(c, ISNS_TAG_PORTAL_ADDR, w->view->portals[i].addr);
		isns_put_u32(c, ISNS_TAG_PORTAL_PORT, w->view->portals[i].port);
	}
}

/* Who speaks must be known: it is told first, then the others in their order. */
static const struct ex_target *
target_at(const struct isns_writer *w, size_t i)
{
	if (i == 0)
		return w->view->targets[w->source_at];
	return w->view->targets[i <= w->source_at ? i - 1 : i];
}

size_t
isns_msg_register(struct isns_writer *w, uint16_t xid, uint8_t *dst)
{
	struct cursor c = msg_begin(dst);
	size_t first = w->next;
	uint16_t flags = !w->is_begun && w->want_replace ? ISNS_FLAG_REPLACE : 0;

	if (w->next == w->view->n_targets)
		return 0;
	put_entity(&c, w);
	if (!w->is_begun && !isns_view_find(w->view, w->who.source, &w->source_at))
		assert(false);
	w->is_begun = true;
	while (w->next < w->view->n_targets) {
		const struct ex_target *target = target_at(w, w->next);

		if (w->next > first && c.pos + target_room(w, target) > SOFT_MAX)
			break;
		put_target(&c, w, target);
		w->next++;
	}
	return msg_end(&c, ISNS_REGISTER, flags, xid);
}

/* ------ the rest ------ */

size_t
isns_msg_query(const struct isns_speaker *who, uint16_t xid, uint8_t *dst)
{
	struct cursor c = msg_begin(dst);

	isns_put_text(&c, ISNS_TAG_NODE_NAME, who->source);
	isns_put_text(&c, ISNS_TAG_NODE_NAME, who->source);
	isns_put_empty(&c, ISNS_TAG_DELIMITER);
	isns_put_empty(&c, ISNS_TAG_NODE_NAME);
	return msg_end(&c, ISNS_QUERY, 0, xid);
}

size_t
isns_msg_deregister(const struct isns_speaker *who, uint16_t xid, uint8_t *dst)
{
	struct cursor c = msg_begin(dst);

	isns_put_text(&c, ISNS_TAG_NODE_NAME, who->source);
	isns_put_empty(&c, ISNS_TAG_DELIMITER);
	isns_put_text(&c, ISNS_TAG_ENTITY, who->entity);
	return msg_end(&c, ISNS_DEREGISTER, 0, xid);
}
