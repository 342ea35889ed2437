/*
 * proto/method.h - the verbs of the socket
 *
 * What      A row a method: its number on the wire, its messages, who may use it, and whether
 *           bulk data may come along. A new method is a new number, a new row, and nothing else
 *           in this room. Numbers are never used again.
 * Thread    Any; constant.
 */
#ifndef PROTO_METHOD_H
#define PROTO_METHOD_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/scsad.pb-c.h"

enum proto_method {
	METHOD_NONE = 0,	/* not a method; used in errors about the connection */
	METHOD_HELLO = 1,
	METHOD_STATUS = 2,
	METHOD_LIST = 3,
	METHOD_SHOW = 4,
	METHOD_PROBE = 5,
	METHOD_OPEN = 6,
	METHOD_CLOSE = 7,
	METHOD_SUBMIT = 8,
	METHOD_ABORT = 9,
	METHOD_RESET = 10,
	METHOD_GETCAP = 11,
	METHOD_SETCAP = 12,
	METHOD_SUBSCRIBE = 13,	/* also the method of every event */
	METHOD_FAULT_ADD = 14,
	METHOD_FAULT_LIST = 15,
	METHOD_FAULT_CLEAR = 16,
	METHOD_TARGET_ADD = 17,
	METHOD_TARGET_REMOVE = 18,
	METHOD_LUN_ADD = 19,
	METHOD_LUN_REMOVE = 20,
	METHOD_EXPANDER_ADD = 21,
	METHOD_PHY_UP = 22,
	METHOD_PHY_DOWN = 23,
	METHOD_SMP = 24,
	METHOD_EXPORT_LIST = 25,
	METHOD_EXPORT_CHANGE = 26,
	METHOD_EXPORT_RELOAD = 27,
	METHOD_SESSION_LIST = 28,
	METHOD_SESSION_CLOSE = 29,
	METHOD_RESERVE_STATUS = 30,
	METHOD_RESIZE = 31,
	METHOD_RESCAN = 32,
	METHOD_MEMORY_NEW = 33,	/* a descriptor comes with the reply */
	METHOD_MEMORY_FREE = 34,
	METHOD_RING_NEW = 35,	/* three descriptors come with the reply, see ring.h */
	METHOD_RING_FREE = 36,
	METHOD_N,
};

struct method_info {
	const char *name;				/* "fault-add" */
	const ProtobufCMessageDescriptor *request;
	const ProtobufCMessageDescriptor *reply;
	Scsad__Role role;				/* least role that may call it */
	bool has_data;					/* bulk data may come along */
	bool can_stream;				/* replies may have "more" */
};

/* method_find() - the row of @number, NULL when there is none (METHOD_NONE has none) */
const struct method_info *method_find(uint16_t number);

/* method_name() - its name, or "unknown" */
const char *method_name(uint16_t number);

/* reset_level_role() - least role for a reset that wide: a unit is I/O, the rest is admin */
Scsad__Role reset_level_role(Scsad__ResetLevel level);

#endif /* PROTO_METHOD_H */
