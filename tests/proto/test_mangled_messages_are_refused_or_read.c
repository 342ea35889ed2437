#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "mock_fill.h"
#include "proto/limits.h"
#include "proto/message.h"

#define WIRE_MAX 4096

static uint8_t wire[WIRE_MAX];

static size_t
wire_make(const ProtobufCMessageDescriptor *desc)
{
	struct arena a;
	ProtobufCMessage *msg;
	size_t len;

	arena_init(&a, ARENA_FACTOR_REPLY);
	ck_assert_int_eq(arena_begin(&a, 4096), 0);
	msg = fill_message(&a, desc);
	ck_assert_ptr_nonnull(msg);
	len = protobuf_c_message_get_packed_size(msg);
	ck_assert_uint_le(len, sizeof(wire));
	(void)protobuf_c_message_pack(msg, wire);
	arena_fini(&a);
	return len;
}

/* the exact heap copy lets the sanitizer see a read behind the end */
static int
read_exact(struct arena *a, const ProtobufCMessageDescriptor *desc, size_t len)
{
	CLEANUP(free_ptr) uint8_t *copy = malloc(len > 0 ? len : 1);
	ProtobufCMessage *msg = NULL;
	int r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, wire, len);
	r = msg_unpack(a, desc, copy, len, &msg, NULL);
	ck_assert(r == 0 || r == -EBADMSG || r == -EINVAL);
	ck_assert((r == 0) == (msg != NULL));
	return r;
}

START_TEST(cut_at_every_byte)
{
	struct arena a;

	arena_init(&a, ARENA_FACTOR_REQUEST);
	for (const ProtobufCMessageDescriptor *const *d = fill_types(); *d != NULL; d++) {
		size_t len = wire_make(*d);

		for (size_t cut = 0; cut < len; cut++)
			(void)read_exact(&a, *d, cut);
		ck_assert_msg(read_exact(&a, *d, len) == 0, "%s", (*d)->short_name);
	}
	arena_fini(&a);
}
END_TEST

START_TEST(each_bit_turned)
{
	struct arena a;

	arena_init(&a, ARENA_FACTOR_REQUEST);
	for (const ProtobufCMessageDescriptor *const *d = fill_types(); *d != NULL; d++) {
		size_t len = wire_make(*d);

		for (size_t bit = 0; bit < len * 8; bit++) {
			wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
			(void)read_exact(&a, *d, len);
			wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
	arena_fini(&a);
}
END_TEST

CHECK_MAIN("mangled messages", cut_at_every_byte, each_bit_turned)
