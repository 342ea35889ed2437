#include <string.h>

#include "mock_fill.h"

#define QUEUE_MAX 64

/* Messages that wait to be filled; nesting is followed by this list, not by calls. */
struct fill {
	struct arena *arena;
	ProtobufCMessage *queue[QUEUE_MAX];
	size_t len;
};

static void *
fill_alloc(struct fill *f, size_t len)
{
	void *p = arena_alloc(f->arena, len);

	if (p != NULL)
		memset(p, 0, len);
	return p;
}

static ProtobufCMessage *
fill_new(struct fill *f, const ProtobufCMessageDescriptor *desc)
{
	ProtobufCMessage *msg = fill_alloc(f, desc->sizeof_message);

	if (msg == NULL || f->len == QUEUE_MAX)
		return NULL;
	protobuf_c_message_init(desc, msg);
	f->queue[f->len++] = msg;
	return msg;
}

static bool
fill_bytes(struct fill *f, ProtobufCBinaryData *ret)
{
	ret->len = 16;
	ret->data = fill_alloc(f, ret->len);
	for (size_t i = 0; ret->data != NULL && i < ret->len; i++)
		ret->data[i] = (uint8_t)i;
	return ret->data != NULL;
}

static bool
fill_pointer(struct fill *f, const ProtobufCFieldDescriptor *field, void **ret)
{
	if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		*ret = fill_new(f, field->descriptor);
	} else {
		*ret = fill_alloc(f, strlen(field->name) + 1);
		if (*ret != NULL)
			memcpy(*ret, field->name, strlen(field->name));
	}
	return *ret != NULL;
}

static bool
fill_repeated(struct fill *f, const ProtobufCFieldDescriptor *field, uint8_t *base)
{
	void **items = fill_alloc(f, 2 * sizeof(void *));
	size_t count = 2;

	if (items == NULL)
		return false;
	memcpy(base + field->offset, &items, sizeof(items));
	memcpy(base + field->quantifier_offset, &count, sizeof(count));
	return fill_pointer(f, field, &items[0]) && fill_pointer(f, field, &items[1]);
}

static bool
fill_field(struct fill *f, const ProtobufCFieldDescriptor *field, uint8_t *base)
{
	const ProtobufCEnumDescriptor *names = field->descriptor;
	void *at = base + field->offset;
	protobuf_c_boolean yes = 1;
	uint32_t v32 = field->id * 1000 + 7;
	uint64_t v64 = (uint64_t)field->id << 33 | 7;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return fill_repeated(f, field, base);
	if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
		return fill_pointer(f, field, at);
	memcpy(base + field->quantifier_offset, &yes, sizeof(yes));
	if (field->type == PROTOBUF_C_TYPE_BYTES)
		return fill_bytes(f, at);
	if (field->type == PROTOBUF_C_TYPE_ENUM)
		v32 = (uint32_t)names->values[names->n_values - 1].value;
	if (field->type == PROTOBUF_C_TYPE_BOOL)
		memcpy(at, &yes, sizeof(yes));
	else if (field->type == PROTOBUF_C_TYPE_UINT64 ||
		 field->type == PROTOBUF_C_TYPE_FIXED64)
		memcpy(at, &v64, sizeof(v64));
	else
		memcpy(at, &v32, sizeof(v32));
	return true;
}

ProtobufCMessage *
fill_message(struct arena *arena, const ProtobufCMessageDescriptor *desc)
{
	struct fill f = {.arena = arena};
	ProtobufCMessage *top = fill_new(&f, desc);

	for (size_t i = 0; i < f.len; i++) {
		const ProtobufCMessageDescriptor *d = f.queue[i]->descriptor;

		for (unsigned n = 0; n < d->n_fields; n++) {
			if (!fill_field(&f, &d->fields[n], (uint8_t *)f.queue[i]))
				return NULL;
		}
	}
	return top;
}

const ProtobufCMessageDescriptor *const *
fill_types(void)
{
	static const ProtobufCMessageDescriptor *types[2 * METHOD_N + 3];
	size_t len = 0;

	types[len++] = &scsad__error__descriptor;
	types[len++] = &scsad__event__descriptor;
	for (uint16_t i = 0; i < METHOD_N; i++) {
		const struct method_info *method = method_find(i);

		if (method == NULL)
			continue;
		types[len++] = method->request;
		types[len++] = method->reply;
	}
	types[len] = NULL;
	return types;
}
