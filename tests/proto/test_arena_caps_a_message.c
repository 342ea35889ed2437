#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "check_main.h"
#include "proto/limits.h"
#include "proto/message.h"

START_TEST(no_byte_above_the_cap)
{
	struct arena a;
	size_t total = 0;

	arena_init(&a, ARENA_FACTOR_REQUEST);
	ck_assert_ptr_null(arena_alloc(&a, 1));
	ck_assert_int_eq(arena_begin(&a, 100), 0);
	ck_assert_ptr_null(arena_alloc(&a, 4 * 100 + ARENA_SLACK + 1));
	ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX));
	while (arena_alloc(&a, 16) != NULL)
		total += 16;
	ck_assert_uint_eq(total, 4 * 100 + ARENA_SLACK);
	ck_assert_int_eq(arena_begin(&a, 0), 0);
	ck_assert_ptr_nonnull(arena_alloc(&a, ARENA_SLACK - 1));
	ck_assert_ptr_null(arena_alloc(&a, 1));
	arena_fini(&a);
	arena_fini(&a);
}
END_TEST

START_TEST(what_it_gives_is_aligned)
{
	struct arena a;

	arena_init(&a, ARENA_FACTOR_REPLY);
	ck_assert_int_eq(arena_begin(&a, 10), 0);
	for (size_t len = 1; len < 40; len++)
		ck_assert_uint_eq((uintptr_t)arena_alloc(&a, len) % 16, 0);
	arena_fini(&a);
}
END_TEST

START_TEST(a_large_message_leaves_no_large_arena)
{
	struct arena a;

	arena_init(&a, ARENA_FACTOR_REQUEST);
	ck_assert_int_eq(arena_begin(&a, PROTO_MESSAGE_MAX), 0);
	ck_assert_uint_eq(a.size, 4 * PROTO_MESSAGE_MAX + ARENA_SLACK);
	ck_assert_int_eq(arena_begin(&a, 10), 0);
	ck_assert_uint_eq(a.size, ARENA_KEEP);
	arena_fini(&a);
}
END_TEST

START_TEST(no_memory_is_told)
{
	const ProtobufCMessageDescriptor *desc = &scsad__error__descriptor;
	ProtobufCMessage *msg = NULL;
	struct msg_fault fault;
	struct arena a;

	arena_init(&a, ARENA_FACTOR_REQUEST);
	fault_arm(1);
	ck_assert_int_eq(msg_unpack(&a, desc, NULL, 0, &msg, &fault), -ENOMEM);
	ck_assert(fault_disarm());
	ck_assert_str_eq(fault.what, "out of memory");
	ck_assert_int_eq(msg_unpack(&a, desc, NULL, 0, &msg, &fault), 0);
	arena_fini(&a);
}
END_TEST

/* 64 KiB of unknown fields cost the library a multiple: refused, not paid */
START_TEST(unknown_fields_in_masses_are_refused)
{
	static uint8_t bytes[PROTO_MESSAGE_MAX];
	ProtobufCMessage *msg = NULL;
	struct msg_fault fault;
	struct arena a;

	for (size_t i = 0; i + 1 < sizeof(bytes); i += 2)
		bytes[i] = 15 << 3; /* field 15, varint */
	arena_init(&a, ARENA_FACTOR_REQUEST);
	ck_assert_int_eq(msg_unpack(&a, &scsad__close_request__descriptor, bytes, sizeof(bytes),
			     &msg, &fault),
	    -EBADMSG);
	ck_assert_str_eq(fault.what, "cannot be read");
	ck_assert_int_eq(
	    msg_unpack(&a, &scsad__close_request__descriptor, bytes, 64, &msg, NULL), 0);
	ck_assert_uint_eq(msg->n_unknown_fields, 32);
	ck_assert_int_eq(msg_unpack(&a, &scsad__close_request__descriptor, bytes,
			     sizeof(bytes) + 1, &msg, &fault),
	    -EMSGSIZE);
	arena_fini(&a);
}
END_TEST

CHECK_MAIN("arena", no_byte_above_the_cap, what_it_gives_is_aligned,
    a_large_message_leaves_no_large_arena, no_memory_is_told,
    unknown_fields_in_masses_are_refused)
