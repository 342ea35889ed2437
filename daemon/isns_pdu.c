#include "daemon/isns_pdu.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define PADDED(n)	(((n) + 3u) & ~3u)

/* ------ heads ------ */

void
isns_head_put(const struct isns_head *head, uint8_t *dst)
{
	struct cursor c = cursor_write_init(dst, ISNS_HEAD_LEN);

	cursor_put_be16(&c, ISNS_VERSION);
	cursor_put_be16(&c, head->function);
	cursor_put_be16(&c, head->len);
	cursor_put_be16(&c, head->flags);
	cursor_put_be16(&c, head->xid);
	cursor_put_be16(&c, head->seq);
}

bool
isns_head_parse(const uint8_t src[ISNS_HEAD_LEN], struct isns_head *ret)
{
	struct cursor c = cursor_read_init(src, ISNS_HEAD_LEN);
	uint16_t version = cursor_be16(&c);

	ret->function = cursor_be16(&c);
	ret->len = cursor_be16(&c);
	ret->flags = cursor_be16(&c);
	ret->xid = cursor_be16(&c);
	ret->seq = cursor_be16(&c);
	return version == ISNS_VERSION && ret->len % 4 == 0;
}

/* ------ attributes ------ */

bool
isns_attr_next(struct cursor *c, struct isns_attr *ret)
{
	if (cursor_left(c) == 0)
		return false;
	ret->tag = cursor_be32(c);
	ret->len = cursor_be32(c);
	if (ret->len > ISNS_VALUE_MAX)
		c->is_bad = true;
	ret->value = cursor_take(c, cursor_ok(c) ? PADDED(ret->len) : 0);
	return cursor_ok(c);
}

static void
put_head(struct cursor *c, enum isns_tag tag, size_t len)
{
	cursor_put_be32(c, tag);
	cursor_put_be32(c, (uint32_t)len);
}

void
isns_put_u32(struct cursor *c, enum isns_tag tag, uint32_t v)
{
	put_head(c, tag, 4);
	cursor_put_be32(c, v);
}

void
isns_put_text(struct cursor *c, enum isns_tag tag, const char *text)
{
	size_t len = strlen(text), room = PADDED(len + 1);
	uint8_t *value;

	put_head(c, tag, room);
	value = cursor_take(c, room);
	if (value == NULL)
		return;
	memcpy(value, text, len);
	memset(value + len, 0, room - len);
}

void
isns_put_addr(struct cursor *c, enum isns_tag tag, const uint8_t addr[16])
{
	put_head(c, tag, 16);
	cursor_put_bytes(c, addr, 16);
}

void
isns_put_empty(struct cursor *c, enum isns_tag tag)
{
	put_head(c, tag, 0);
}

size_t
isns_text_room(const char *text)
{
	return 8 + PADDED(strlen(text) + 1);
}

/* ------ answers ------ */

/* names of nodes are the same whatever their letters' case, RFC 4171 6.4.1 */
static bool
attr_is_text(const struct isns_attr *attr, const char *text)
{
	size_t len = strlen(text);

	return attr->len > len && attr->value[len] == '\0' &&
	    strncasecmp((const char *)attr->value, text, len) == 0;
}

int
isns_answer_parse(const uint8_t *payload, size_t len, bool is_whole, const char *node,
    struct isns_answer *ret)
{
	struct cursor c = cursor_read_init(payload, len);
	struct isns_answer answer = { .status = cursor_be32(&c) };
	bool is_operating = false;
	struct isns_attr attr;

	while (isns_attr_next(&c, &attr)) {
		if (attr.tag == ISNS_TAG_DELIMITER)
			is_operating = true;
		else if (!is_operating)
			continue;
		else if (attr.tag == ISNS_TAG_PERIOD && attr.len == 4)
			answer.period_s = be32_get(attr.value);
		else if (attr.tag == ISNS_TAG_NODE_NAME && attr_is_text(&attr, node))
			answer.has_node = true;
	}
	/* a refusal may bring anything, or nothing, behind its status */
	if (!cursor_ok(&c) && (len < 4 || (is_whole && answer.status == ISNS_STATUS_SUCCESS)))
		return -EBADMSG;
	*ret = answer;
	return 0;
}

const char *
isns_status_text(uint32_t status)
{
	static const char *const texts[] = {
		"success", "unknown error", "message format error", "invalid registration",
		"reserved", "invalid query", "source unknown", "source absent",
		"source unauthorized", "no such entry", "version not supported",
		"internal error", "busy", "option not understood", "invalid update",
		"message not supported", "SCN event rejected", "SCN registration rejected",
		"attribute not implemented", "FC_DOMAIN_ID not available",
		"FC_DOMAIN_ID not allocated", "ESI not available", "invalid deregistration",
		"registration feature not supported",
	};

	return status < ARRAY_LEN(texts) ? texts[status] : "unknown";
}
