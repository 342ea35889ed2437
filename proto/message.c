#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/limits.h"
#include "proto/message.h"

#define FAULT_SET(fault, message_, field_, what_)                              \
	do {                                                                   \
		if ((fault) != NULL)                                           \
			*(fault) = (struct msg_fault){                         \
				(message_), (field_), (what_)                  \
			};                                                     \
	} while (0)

/* Nothing of ours is deeper: a reply, its units, their parts. */
#define CHECK_DEPTH	4

/* A field not named here: strings and bytes up to PROTO_NAME_MAX, PROTO_ITEMS_MAX items. */
static const struct field_limit {
	const char *message;	/* NULL: in any message */
	const char *field;
	uint32_t len_max;
	uint32_t count_max;
	uint32_t len_min;
} field_limits[] = {
	{ .message = "OpenRequest", .field = "name", .len_max = PROTO_PATH_MAX },
	{ .field = "path", .len_max = PROTO_PATH_MAX },
	{ .field = "subject", .len_max = PROTO_PATH_MAX },
	{ .field = "aliases", .len_max = PROTO_PATH_MAX, .count_max = PROTO_ALIASES_MAX },
	{ .field = "candidates", .len_max = PROTO_PATH_MAX, .count_max = PROTO_CANDIDATES_MAX },
	{ .field = "text", .len_max = PROTO_TEXT_MAX },
	{ .field = "hint", .len_max = PROTO_TEXT_MAX },
	{ .field = "detail", .len_max = PROTO_TEXT_MAX },
	{ .field = "value", .len_max = PROTO_TEXT_MAX },
	{ .field = "inquiry", .len_max = PROTO_INQUIRY_MAX },
	{ .field = "request", .len_max = PROTO_SMP_MAX, .len_min = PROTO_SMP_MIN },
	{ .field = "response", .len_max = PROTO_SMP_MAX },
	{ .message = "RemoveRequest", .field = "address", .len_max = PROTO_PATH_MAX },
	{ .message = "ResizeRequest", .field = "address", .len_max = PROTO_PATH_MAX },
	{ .message = "Setting", .field = "values", .len_max = PROTO_TEXT_MAX },
	{ .message = "Object", .field = "name", .len_max = PROTO_OBJECT_NAME_MAX },
	{ .message = "Edit", .field = "name", .len_max = PROTO_OBJECT_NAME_MAX },
	{ .message = "ExportListRequest", .field = "name", .len_max = PROTO_OBJECT_NAME_MAX },
	{ .field = "edits", .count_max = PROTO_EDITS_MAX },
	{ .field = "secret", .len_max = PROTO_SECRET_MAX },
	{ .field = "mutual_secret", .len_max = PROTO_SECRET_MAX },
	{ .field = "owner", .len_max = PROTO_OBJECT_NAME_MAX },
	{ .message = "Registration", .field = "initiator", .len_max = PROTO_OBJECT_NAME_MAX },
	{ .message = "Registration", .field = "port", .len_max = PROTO_OBJECT_NAME_MAX },
	{ .field = "instance", .len_max = PROTO_INSTANCE_LEN, .len_min = PROTO_INSTANCE_LEN },
};

static const struct field_limit field_limit_default = { .len_max = PROTO_NAME_MAX };

static const struct field_limit *
field_limit_find(const ProtobufCMessageDescriptor *desc, const ProtobufCFieldDescriptor *field)
{
	for (size_t i = 0; i < ARRAY_LEN(field_limits); i++) {
		const struct field_limit *limit = &field_limits[i];

		if (limit->message != NULL && strcmp(limit->message, desc->short_name) != 0)
			continue;
		if (strcmp(limit->field, field->name) == 0)
			return limit;
	}
	return &field_limit_default;
}

/* One character of UTF-8: its length, 0 when it is none (Unicode 15, table 3-7). */
static size_t
utf8_char_len(const uint8_t *s)
{
	uint8_t low = 0x80;
	uint8_t high = 0xbf;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	/* the string ends with a NUL, which is no continuation: no step goes past it */
	for (size_t i = 2; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

static const char *
string_fault(const char *text, const struct field_limit *limit)
{
	const uint8_t *s = (const uint8_t *)text;
	size_t at = 0;

	while (s[at] != 0) {
		size_t step = utf8_char_len(s + at);

		if (step == 0)
			return "not UTF-8";
		at += step;
		if (at > limit->len_max)
			return "too long";
	}
	return NULL;
}

/* What a daemon sends may be newer than this client: codes, events, roles and kinds stay
 * open. */
static bool
enum_is_open(const void *desc)
{
	return desc == &scsad__error_code__descriptor ||
	    desc == &scsad__event_kind__descriptor || desc == &scsad__role__descriptor ||
	    desc == &scsad__object_kind__descriptor;
}

static const char *
enum_fault(const ProtobufCFieldDescriptor *field, int value)
{
	if (enum_is_open(field->descriptor))
		return NULL;
	if (protobuf_c_enum_descriptor_get_value(field->descriptor, value) == NULL)
		return "value not defined";
	return NULL;
}

/* What is wrong with one item of a field, at @at; messages are looked into by the caller. */
static const char *
item_fault(const ProtobufCFieldDescriptor *field, const struct field_limit *limit,
    const void *at)
{
	const ProtobufCBinaryData *bytes = at;

	if (field->type == PROTOBUF_C_TYPE_STRING) {
		const char *text = *(char *const *)at;

		return text == NULL ? NULL : string_fault(text, limit);
	}
	if (field->type == PROTOBUF_C_TYPE_BYTES) {
		if (bytes->len > limit->len_max)
			return "too long";
		return bytes->len < limit->len_min ? "too short" : NULL;
	}
	if (field->type == PROTOBUF_C_TYPE_ENUM)
		return enum_fault(field, *(const int *)at);
	return NULL;
}

static size_t
item_size(const ProtobufCFieldDescriptor *field)
{
	if (field->type == PROTOBUF_C_TYPE_BYTES)
		return sizeof(ProtobufCBinaryData);
	if (field->type == PROTOBUF_C_TYPE_ENUM)
		return sizeof(int);
	return sizeof(void *);	/* strings and messages; numbers have no limits here */
}

struct field_view {
	const uint8_t *items;
	size_t count;	/* 0 when the field is absent */
};

static struct field_view
field_view(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *field)
{
	const uint8_t *base = (const uint8_t *)msg;
	const uint8_t *at = base + field->offset;
	const uint8_t *quantifier = base + field->quantifier_offset;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return (struct field_view){ *(const uint8_t *const *)(const void *)at,
			*(const size_t *)(const void *)quantifier };
	if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
		return (struct field_view){ at, *(void *const *)(const void *)at != NULL };
	return (struct field_view){ at,
		*(const protobuf_c_boolean *)(const void *)quantifier != 0 };
}

/* The place in a walk: which message, which field, which item of it comes next. */
struct walk_step {
	const ProtobufCMessage *msg;
	unsigned field;
	size_t item;
};

/* Check items of the present field from step->item on; stops at a nested message. */
static const char *
walk_field(struct walk_step *step, const ProtobufCMessage **ret_nested)
{
	const ProtobufCMessageDescriptor *desc = step->msg->descriptor;
	const ProtobufCFieldDescriptor *field = &desc->fields[step->field];
	const struct field_limit *limit = field_limit_find(desc, field);
	struct field_view view = field_view(step->msg, field);
	uint32_t count_max = limit->count_max > 0 ? limit->count_max : PROTO_ITEMS_MAX;

	if (view.count > count_max)
		return "too many";
	while (step->item < view.count) {
		const void *at = view.items + step->item * item_size(field);
		const char *what;

		step->item++;
		if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
			*ret_nested = *(const ProtobufCMessage *const *)at;
			return NULL;
		}
		what = item_fault(field, limit, at);
		if (what != NULL)
			return what;
	}
	step->field++;
	step->item = 0;
	return NULL;
}

static int
msg_check_walk(const ProtobufCMessage *msg, struct msg_fault *reterr)
{
	struct walk_step steps[CHECK_DEPTH] = { { .msg = msg } };
	size_t depth = 1;

	while (depth > 0) {
		struct walk_step *step = &steps[depth - 1];
		const ProtobufCMessageDescriptor *desc = step->msg->descriptor;
		const ProtobufCMessage *nested = NULL;
		const char *what;

		if (step->field == desc->n_fields) {
			depth--;
			continue;
		}
		what = walk_field(step, &nested);
		if (what == NULL && nested != NULL && depth == CHECK_DEPTH)
			what = "too deep";
		if (what != NULL) {
			FAULT_SET(reterr, desc->short_name,
			    desc->fields[step->field].name, what);
			return -EINVAL;
		}
		if (nested != NULL)
			steps[depth++] = (struct walk_step){ .msg = nested };
	}
	return 0;
}

/* The two frequent messages have their checks written out: a walk is dear. */
static int
check_submit_fields(const Scsad__SubmitRequest *req, struct msg_fault *reterr)
{
	const char *field = NULL;

	if (req->has_cdb && (req->cdb.len < PROTO_CDB_MIN || req->cdb.len > PROTO_CDB_MAX))
		field = "cdb";
	else if ((unsigned)req->direction > SCSAD__DIRECTION__DIR_OUT)
		field = "direction";
	else if ((unsigned)req->attribute > SCSAD__TASK_ATTRIBUTE__ATTR_HEAD)
		field = "attribute";
	else if (req->timeout_ms > PROTO_TIMEOUT_MAX_MS)
		field = "timeout_ms";
	if (field == NULL)
		return 0;
	FAULT_SET(reterr, "SubmitRequest", field, "out of range");
	return -EINVAL;
}

static int
check_completion_fields(const Scsad__Completion *msg, struct msg_fault *reterr)
{
	if (!msg->has_sense || msg->sense.len <= PROTO_SENSE_MAX)
		return 0;
	FAULT_SET(reterr, "Completion", "sense", "too long");
	return -EINVAL;
}

int
msg_check(const ProtobufCMessage *msg, struct msg_fault *reterr)
{
	if (msg->descriptor == &scsad__submit_request__descriptor)
		return check_submit_fields((const void *)msg, reterr);
	if (msg->descriptor == &scsad__completion__descriptor)
		return check_completion_fields((const void *)msg, reterr);
	return msg_check_walk(msg, reterr);
}

int
msg_check_submit(const Scsad__SubmitRequest *req, uint32_t frame_data_len, uint32_t data_max,
    struct msg_fault *reterr)
{
	bool is_out = req->direction == SCSAD__DIRECTION__DIR_OUT;
	bool has_data = req->direction != SCSAD__DIRECTION__DIR_NONE;
	int r;

	r = check_submit_fields(req, reterr);
	if (r < 0)
		return r;
	if (!req->has_handle || !req->has_cdb) {
		FAULT_SET(reterr, "SubmitRequest", req->has_cdb ? "handle" : "cdb", "missing");
		return -EINVAL;
	}
	if (req->data_len > data_max) {
		FAULT_SET(reterr, "SubmitRequest", "data_len", "above the limit");
		return -EMSGSIZE;
	}
	if (has_data != (req->data_len > 0)) {
		FAULT_SET(reterr, "SubmitRequest", "data_len", "contradicts the direction");
		return -EINVAL;
	}
	if (req->has_memory && !has_data) {
		FAULT_SET(reterr, "SubmitRequest", "memory", "contradicts the direction");
		return -EINVAL;
	}
	if (frame_data_len != (is_out && !req->has_memory ? req->data_len : 0)) {
		FAULT_SET(reterr, "SubmitRequest", "data_len", "differs from the frame's data");
		return -EINVAL;
	}
	return 0;
}

int
msg_unpack(struct arena *arena, const ProtobufCMessageDescriptor *desc, const uint8_t *bytes,
    size_t len, ProtobufCMessage **ret_msg, struct msg_fault *reterr)
{
	ProtobufCMessage *msg;
	int r;

	if (len > PROTO_MESSAGE_MAX) {
		FAULT_SET(reterr, desc->short_name, NULL, "too long");
		return -EMSGSIZE;
	}
	r = arena_begin(arena, len);
	if (r < 0) {
		FAULT_SET(reterr, desc->short_name, NULL, "out of memory");
		return r;
	}
	msg = protobuf_c_message_unpack(desc, &arena->allocator, len, bytes);
	if (msg == NULL) {
		FAULT_SET(reterr, desc->short_name, NULL, "cannot be read");
		return -EBADMSG;
	}
	r = msg_check(msg, reterr);
	if (r < 0)
		return r;
	*ret_msg = msg;
	return 0;
}

char *
msg_fault_text(const struct msg_fault *fault, char *dst, size_t size)
{
	(void)snprintf(dst, size, "%s%s%s: %s", fault->message, fault->field == NULL ? "" : ".",
	    fault->field == NULL ? "" : fault->field, fault->what);
	return dst;
}
