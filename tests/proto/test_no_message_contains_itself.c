#include <string.h>

#include "base/compiler.h"
#include "check_main.h"
#include "mock_fill.h"

#define TYPES_MAX  256
#define DEPTH_MAX  4  /* what the walk of message checks can follow */
#define FIELDS_MAX 16 /* of a nested message: read without another allocation */

struct walk {
	const ProtobufCMessageDescriptor *desc;
	unsigned field;
};

/* depth of the message tree below @top; 0 when it contains itself or is above DEPTH_MAX */
static size_t
tree_depth(const ProtobufCMessageDescriptor *top)
{
	struct walk path[DEPTH_MAX] = {{top, 0}};
	size_t depth = 1;
	size_t deepest = 1;

	while (depth > 0) {
		struct walk *step = &path[depth - 1];
		const ProtobufCFieldDescriptor *field;

		if (step->field == step->desc->n_fields) {
			depth--;
			continue;
		}
		field = &step->desc->fields[step->field++];
		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		for (size_t i = 0; i < depth; i++) {
			if (path[i].desc == field->descriptor)
				return 0;
		}
		if (depth == DEPTH_MAX)
			return 0;
		path[depth++] = (struct walk){field->descriptor, 0};
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest;
}

START_TEST(none_of_ours_does)
{
	for (const ProtobufCMessageDescriptor *const *d = fill_types(); *d != NULL; d++)
		ck_assert_msg(tree_depth(*d) > 0, "%s", (*d)->short_name);
}
END_TEST

START_TEST(the_walk_would_see_it)
{
	ProtobufCMessageDescriptor outer = {.short_name = "Outer", .n_fields = 1};
	ProtobufCMessageDescriptor inner = {.short_name = "Inner", .n_fields = 1};
	ProtobufCFieldDescriptor to_inner = {
	    .type = PROTOBUF_C_TYPE_MESSAGE, .descriptor = &inner};
	ProtobufCFieldDescriptor to_outer = {
	    .type = PROTOBUF_C_TYPE_MESSAGE, .descriptor = &outer};

	outer.fields = &to_inner;
	inner.fields = &to_outer;
	ck_assert_uint_eq(tree_depth(&outer), 0);
	inner.n_fields = 0;
	ck_assert_uint_eq(tree_depth(&outer), 2);
}
END_TEST

START_TEST(nothing_is_required_and_nested_ones_are_small)
{
	for (const ProtobufCMessageDescriptor *const *d = fill_types(); *d != NULL; d++) {
		for (unsigned i = 0; i < (*d)->n_fields; i++) {
			const ProtobufCFieldDescriptor *field = &(*d)->fields[i];
			const ProtobufCMessageDescriptor *nested = field->descriptor;

			ck_assert_msg(field->label != PROTOBUF_C_LABEL_REQUIRED, "%s.%s",
			    (*d)->short_name, field->name);
			if (field->type == PROTOBUF_C_TYPE_MESSAGE)
				ck_assert_uint_le(nested->n_fields, FIELDS_MAX);
		}
	}
}
END_TEST

CHECK_MAIN("schema", none_of_ours_does, the_walk_would_see_it,
    nothing_is_required_and_nested_ones_are_small)
