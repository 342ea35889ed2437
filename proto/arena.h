/*
 * proto/arena.h - a bounded place to unpack one message into
 *
 * What      A bump allocator behind ProtobufCAllocator. How much a message may take is fixed by
 *           its length on the wire before it is read, so a small hostile message cannot cost
 *           much memory (repeated empty fields, unknown fields kept by the library). Running
 *           out is a clean refusal: unpacking gives NULL.
 * Life      arena_init(), then arena_begin(), unpack, use for each message, arena_fini().
 *           arena_begin() ends all messages that were unpacked before: no free_unpacked().
 * Owner     One reader: a connection, or all connections of one loop, as a message is dealt
 *           with before the next is unpacked.
 * Thread    One at a time.
 * Limits    factor × message + ARENA_SLACK bytes; ARENA_KEEP bytes stay between messages.
 */
#ifndef PROTO_ARENA_H
#define PROTO_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/compiler.h"

#define ARENA_FACTOR_REQUEST	4u	/* what a daemon grants a client's message */
#define ARENA_FACTOR_REPLY	16u	/* what a client grants: lists of small items */
#define ARENA_SLACK		4096u
#define ARENA_KEEP		(16u << 10)

struct arena {
	ProtobufCAllocator allocator;	/* hand it to protobuf-c */
	uint8_t *base;			/* size bytes, or NULL */
	size_t size;
	size_t cap;			/* bytes the present message may use, at most size */
	size_t used;
	unsigned factor;
};

/* arena_init() - empty, no memory yet; @factor is ARENA_FACTOR_*; @a stays in place */
void arena_init(struct arena *a, unsigned factor);

/* arena_fini() - give the memory back; messages unpacked into it are gone */
void arena_fini(struct arena *a);

/**
 * arena_begin() - forget the last message, prepare for one of @msg_len bytes
 *
 * @msg_len  0 .. PROTO_MESSAGE_MAX
 *
 * Returns:  0
 *           -ENOMEM    no memory to grow; the arena is empty and usable
 */
int arena_begin(struct arena *a, size_t msg_len) MUST_CHECK;

/* arena_alloc() - @len bytes aligned for anything, or NULL when the cap is reached */
void *arena_alloc(struct arena *a, size_t len);

#endif /* PROTO_ARENA_H */
