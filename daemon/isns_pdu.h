/*
 * daemon/isns_pdu.h - the bytes of iSNS, as a client of a name server needs them
 *
 * What      A PDU is a head of 12 bytes and attributes: tag, length, value, padded to 4 bytes.
 *           Attributes are put one by one; an answer is looked through once for what matters.
 * Limits    A value has at most ISNS_VALUE_MAX bytes; a PDU ISNS_PAYLOAD_MAX behind its head.
 * Thread    Any; no state.
 * Source    RFC 4171 5.1 (head), 5.4 (status), 6.1 (tags)
 */
#ifndef DAEMON_ISNS_PDU_H
#define DAEMON_ISNS_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/cursor.h"

#define ISNS_PORT		3205
#define ISNS_VERSION		1
#define ISNS_HEAD_LEN		12
#define ISNS_PAYLOAD_MAX	65532	/* largest multiple of 4 in 16 bits */
#define ISNS_VALUE_MAX		ISNS_PAYLOAD_MAX
#define ISNS_TEXT_MAX		255	/* bytes of a name, without its NUL */

enum isns_function {
	ISNS_REGISTER = 1,		/* DevAttrReg */
	ISNS_QUERY = 2,			/* DevAttrQry */
	ISNS_DEREGISTER = 4,		/* DevDereg */
};

#define ISNS_RESPONSE		0x8000u	/* or'ed to the function of its request */

#define ISNS_FLAG_CLIENT	0x8000u
#define ISNS_FLAG_SERVER	0x4000u
#define ISNS_FLAG_AUTH		0x2000u	/* an authentication block follows the attributes */
#define ISNS_FLAG_REPLACE	0x1000u
#define ISNS_FLAG_LAST		0x0800u
#define ISNS_FLAG_FIRST		0x0400u

enum isns_tag {
	ISNS_TAG_DELIMITER = 0,
	ISNS_TAG_ENTITY = 1,
	ISNS_TAG_PROTOCOL = 2,
	ISNS_TAG_PERIOD = 6,
	ISNS_TAG_PORTAL_ADDR = 16,
	ISNS_TAG_PORTAL_PORT = 17,
	ISNS_TAG_NODE_NAME = 32,
	ISNS_TAG_NODE_TYPE = 33,
	ISNS_TAG_NODE_ALIAS = 34,
	ISNS_TAG_GROUP_ADDR = 49,
	ISNS_TAG_GROUP_PORT = 50,
	ISNS_TAG_GROUP_TAG = 51,
};

#define ISNS_PROTOCOL_ISCSI	2u	/* RFC 4171 6.2.2 */
#define ISNS_NODE_TARGET	1u	/* RFC 4171 6.4.2 */

/* what a server says about a request; RFC 4171 5.4 */
enum isns_status_code {
	ISNS_STATUS_SUCCESS = 0,
	ISNS_STATUS_SOURCE_UNKNOWN = 6,
	ISNS_STATUS_SOURCE_ABSENT = 7,
	ISNS_STATUS_UNAUTHORIZED = 8,
	ISNS_STATUS_NO_SUCH_ENTRY = 9,
	ISNS_STATUS_NO_FEATURE = 23,	/* "registration feature not supported" */
};

struct isns_head {
	uint16_t function, len, flags, xid, seq;
};

/* isns_head_put() - 12 bytes of version 1 */
void isns_head_put(const struct isns_head *head, uint8_t *dst);

/* isns_head_parse() - false: another version, or a length that is no multiple of 4 */
bool isns_head_parse(const uint8_t src[ISNS_HEAD_LEN], struct isns_head *ret);

struct isns_attr {
	uint32_t tag, len;
	const uint8_t *value;	/* borrowed from what the cursor walks */
};

/* isns_attr_next() - the next attribute; false at the end, or when it does not fit: the cursor
 * is bad then */
bool isns_attr_next(struct cursor *c, struct isns_attr *ret);

/* isns_put_*() - one attribute; a cursor without room becomes bad. A text gets a NUL and
 * padding; of the empty one only tag and length are there */
void isns_put_u32(struct cursor *c, enum isns_tag tag, uint32_t v);
void isns_put_text(struct cursor *c, enum isns_tag tag, const char *text);
void isns_put_addr(struct cursor *c, enum isns_tag tag, const uint8_t addr[16]);
void isns_put_empty(struct cursor *c, enum isns_tag tag);

/* isns_text_room() - bytes that isns_put_text() takes */
size_t isns_text_room(const char *text);

struct isns_answer {
	uint32_t status;	/* enum isns_status_code, or others */
	uint32_t period_s;	/* for how long the entity is registered; 0: not said */
	bool has_node;		/* the node asked for is told behind the delimiter */
};

/**
 * isns_answer_parse() - what a response says
 *
 * @payload   @len bytes, of the first PDU when there are several
 * @is_whole  that is all of it; else its end may be cut, and nothing is said of what is there
 * @node      iSCSI name to look for
 *
 * Returns:  0
 *           -EBADMSG  too short for a status, or attributes that do not fit
 */
int isns_answer_parse(const uint8_t *payload, size_t len, bool is_whole, const char *node,
    struct isns_answer *ret) MUST_CHECK;

/* isns_status_text() - "source unauthorized"; "unknown" for codes that RFC 4171 has not */
const char *isns_status_text(uint32_t status);

#endif /* DAEMON_ISNS_PDU_H */
