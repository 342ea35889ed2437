/*
 * daemon/isns_msg.h - what is said to a name server
 *
 * What      Messages of one PDU each, ready to be sent. A registration is several messages when
 *           there are many targets: each names the entity, and some more of what belongs to it.
 * Life      isns_writer_init → isns_msg_register until it answers 0.
 * Thread    One a writer.
 * Limits    ISNS_MSG_MAX bytes a message; servers answer with all that they were told, and some
 *           have 8 KiB for that.
 * Source    RFC 4171 5.6.5.1, 5.6.5.2, 5.6.5.4
 */
#ifndef DAEMON_ISNS_MSG_H
#define DAEMON_ISNS_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/isns_view.h"

#define ISNS_MSG_MAX	8192

/* who speaks, of whom; all borrowed */
struct isns_speaker {
	const char *entity;	/* up to ISNS_TEXT_MAX bytes */
	const char *source;	/* name of one of its targets */
};

struct isns_writer {
	struct isns_speaker who;
	const struct isns_view *view;
	uint32_t period_s;	/* asked for; the server may give another */
	bool want_replace;	/* take away what was there of this entity before */
	bool want_groups;	/* say which portals lead to a target; some servers cannot */
	/* own */
	size_t source_at;	/* which target the source is: it goes first */
	size_t next;
	bool is_begun;
};

/* isns_msg_register() - the next message into ISNS_MSG_MAX bytes at @dst; its length, 0 when
 * all is said. Not for an empty view */
size_t isns_msg_register(struct isns_writer *w, uint16_t xid, uint8_t *dst);

/* isns_msg_query() - is the source still known? */
size_t isns_msg_query(const struct isns_speaker *who, uint16_t xid, uint8_t *dst);

/* isns_msg_deregister() - take the entity away, with all that belongs to it */
size_t isns_msg_deregister(const struct isns_speaker *who, uint16_t xid, uint8_t *dst);

#endif /* DAEMON_ISNS_MSG_H */
