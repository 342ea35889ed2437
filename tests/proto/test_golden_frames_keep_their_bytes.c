/*
 * The frames of released versions are kept as hex files. A change of the schema that alters
 * what an existing message looks like on the wire shows here. For a new message, or a field
 * added to one, run this program with GOLDEN_WRITE set to the folder: a message without a file
 * gets one. The file of a message that has grown is moved away before, to NAME.1.hex,
 * NAME.2.hex and so on, since old frames stay readable for ever.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "check_main.h"
#include "mock_fill.h"
#include "proto/limits.h"
#include "proto/message.h"

#define FRAME_MAX 4096

static size_t
frame_make(const ProtobufCMessageDescriptor *desc, uint8_t *buf)
{
	struct frame_head head = {.kind = FRAME_KIND_REPLY, .method = 1, .id = 0x01020304};
	struct arena a;
	ProtobufCMessage *msg;
	ptrdiff_t n;

	arena_init(&a, ARENA_FACTOR_REPLY);
	ck_assert_int_eq(arena_begin(&a, 4096), 0);
	msg = fill_message(&a, desc);
	ck_assert_ptr_nonnull(msg);
	n = frame_pack(buf, FRAME_MAX, &head, msg);
	ck_assert_int_ge(n, FRAME_HEAD_LEN);
	arena_fini(&a);
	return (size_t)n;
}

static void
golden_write(const char *folder, const char *name, const uint8_t *buf, size_t len)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s.hex", folder, name);
	f = fopen(path, "wx");
	if (f == NULL)
		return;
	for (size_t i = 0; i < len; i++)
		(void)fprintf(f, "%02x%s", buf[i], i % 32 == 31 || i + 1 == len ? "\n" : " ");
	(void)fclose(f);
}

/* bytes of the golden file of @name; 0 when there is none */
static size_t
golden_read(const char *name, uint8_t *buf)
{
	static char text[4 * FRAME_MAX];
	char path[512];
	size_t n, len = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s.hex", GOLDEN_DIR, name);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	for (char *nl = strchr(text, '\n'); nl != NULL; nl = strchr(nl, '\n'))
		*nl = ' ';
	ck_assert_int_eq(num_parse_hex(text, buf, FRAME_MAX, &len), 0);
	return len;
}

START_TEST(every_frame_is_as_it_was)
{
	const char *folder = getenv("GOLDEN_WRITE");
	static uint8_t now[FRAME_MAX], then[FRAME_MAX];

	for (const ProtobufCMessageDescriptor *const *d = fill_types(); *d != NULL; d++) {
		size_t now_len = frame_make(*d, now);
		size_t then_len;

		if (folder != NULL)
			golden_write(folder, (*d)->short_name, now, now_len);
		then_len = golden_read((*d)->short_name, then);
		ck_assert_msg(then_len > 0, "%s has no golden frame", (*d)->short_name);
		ck_assert_msg(now_len == then_len && memcmp(now, then, now_len) == 0,
		    "%s differs from its golden frame", (*d)->short_name);
	}
}
END_TEST

START_TEST(an_old_frame_is_read_and_written_again_the_same)
{
	static const struct frame_limits limits = {PROTO_MESSAGE_MAX, 0};
	static uint8_t then[FRAME_MAX], again[FRAME_MAX];
	struct arena a;
	size_t n = 0;

	arena_init(&a, ARENA_FACTOR_REPLY);
	for (const ProtobufCMessageDescriptor *const *d = fill_types(); *d != NULL; d++) {
		char name[80];
		size_t len;

		(void)snprintf(name, sizeof(name), "%s", (*d)->short_name);
		for (int age = 1; (len = golden_read(name, then)) > 0; age++) {
			struct frame frame;
			ProtobufCMessage *msg;

			ck_assert_int_eq(frame_next(then, len, &limits, &frame), FRAME_READY);
			ck_assert_int_eq(
			    msg_unpack(&a, *d, frame.msg, frame.head.msg_len, &msg, NULL), 0);
			ck_assert_int_eq(
			    frame_pack(again, sizeof(again), &frame.head, msg), (ptrdiff_t)len);
			ck_assert_int_eq(memcmp(then, again, len), 0);
			(void)snprintf(name, sizeof(name), "%s.%d", (*d)->short_name, age);
			n++;
		}
	}
	ck_assert_uint_ge(n, 34);
	arena_fini(&a);
}
END_TEST

CHECK_MAIN(
    "golden frames", every_frame_is_as_it_was, an_old_frame_is_read_and_written_again_the_same)
