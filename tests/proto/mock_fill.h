/*
 * mock_fill.h - a message of any type with every field set
 *
 * What      Values follow from the descriptor alone, so that the same schema gives the same
 *           bytes: numbers from the field's number, strings from its name, the last enumerator,
 *           16 counting bytes, two items of everything repeated.
 * Owner     The message lives in @arena until its next arena_begin().
 */
#ifndef TESTS_PROTO_MOCK_FILL_H
#define TESTS_PROTO_MOCK_FILL_H

#include "proto/arena.h"
#include "proto/method.h"

/* fill_message() - NULL when the arena is too small */
ProtobufCMessage *fill_message(struct arena *arena, const ProtobufCMessageDescriptor *desc);

/* fill_types() - every message that is the whole of a frame: descriptors, NULL at the end */
const ProtobufCMessageDescriptor *const *fill_types(void);

#endif /* TESTS_PROTO_MOCK_FILL_H */
