#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "mock_fill.h"
#include "proto/limits.h"
#include "proto/message.h"

static struct msg_fault fault;

static int
open_check(const char *name)
{
	Scsad__OpenRequest req = SCSAD__OPEN_REQUEST__INIT;

	req.name = (char *)(uintptr_t)name;
	return msg_check(&req.base, &fault);
}

START_TEST(strings_are_utf8)
{
	static const char *const good[] = {
	    "",
	    "disk",
	    "\xc3\xa4",
	    "\xe2\x82\xac",
	    "\xf0\x9f\x92\xbe",
	    "\xed\x9f\xbf",
	    "\xf4\x8f\xbf\xbf",
	    "\xe0\xa0\x80",
	    "\xf0\x90\x80\x80",
	};
	static const char *const bad[] = {
	    "\x80",
	    "\xc3",
	    "\xc0\xaf",
	    "\xc1\xbf",
	    "\xe0\x9f\xbf",
	    "\xed\xa0\x80",
	    "\xf0\x8f\xbf\xbf",
	    "\xf4\x90\x80\x80",
	    "\xf5\x80\x80\x80",
	    "\xe2\x82",
	    "\xf0\x9f\x92",
	    "a\xff",
	    "\xe2\x28\xa1",
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(open_check(good[i]) == 0, "good %zu", i);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_msg(open_check(bad[i]) == -EINVAL, "bad %zu", i);
		ck_assert_str_eq(fault.what, "not UTF-8");
	}
}
END_TEST

START_TEST(strings_end_at_their_limit)
{
	char path[PROTO_PATH_MAX + 2] = "";
	char text[64];
	Scsad__GetCapRequest cap = SCSAD__GET_CAP_REQUEST__INIT;

	memset(path, 'p', PROTO_PATH_MAX);
	ck_assert_int_eq(open_check(path), 0);
	path[PROTO_PATH_MAX] = 'p';
	ck_assert_int_eq(open_check(path), -EINVAL);
	ck_assert_str_eq(
	    msg_fault_text(&fault, text, sizeof(text)), "OpenRequest.name: too long");

	/* the name of a capability is shorter than that of a unit */
	path[PROTO_NAME_MAX + 1] = '\0';
	cap.name = path;
	ck_assert_int_eq(msg_check(&cap.base, &fault), -EINVAL);
	path[PROTO_NAME_MAX] = '\0';
	ck_assert_int_eq(msg_check(&cap.base, &fault), 0);
}
END_TEST

START_TEST(bytes_have_least_and_largest_lengths)
{
	Scsad__HelloReply hello = SCSAD__HELLO_REPLY__INIT;
	Scsad__ProbeReply probe = SCSAD__PROBE_REPLY__INIT;
	uint8_t bytes[PROTO_INQUIRY_MAX + 1] = {0};

	hello.has_instance = 1;
	hello.instance.data = bytes;
	for (size_t len = 0; len < 20; len++) {
		hello.instance.len = len;
		ck_assert_int_eq(msg_check(&hello.base, &fault), len == 16 ? 0 : -EINVAL);
	}
	probe.has_inquiry = 1;
	probe.inquiry.data = bytes;
	probe.inquiry.len = PROTO_INQUIRY_MAX;
	ck_assert_int_eq(msg_check(&probe.base, NULL), 0);
	probe.inquiry.len = PROTO_INQUIRY_MAX + 1;
	ck_assert_int_eq(msg_check(&probe.base, NULL), -EINVAL);
}
END_TEST

START_TEST(counts_are_limited_also_inside)
{
	char *names[PROTO_ALIASES_MAX + 1];
	Scsad__OpenReply reply = SCSAD__OPEN_REPLY__INIT;
	Scsad__Unit unit = SCSAD__UNIT__INIT;
	Scsad__Identity identity = SCSAD__IDENTITY__INIT;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		names[i] = (char *)(uintptr_t) "alias";
	reply.unit = &unit;
	unit.aliases = names;
	unit.n_aliases = PROTO_ALIASES_MAX;
	ck_assert_int_eq(msg_check(&reply.base, &fault), 0);
	unit.n_aliases++;
	ck_assert_int_eq(msg_check(&reply.base, &fault), -EINVAL);
	ck_assert_str_eq(fault.message, "Unit");
	ck_assert_str_eq(fault.field, "aliases");
	ck_assert_str_eq(fault.what, "too many");

	/* what comes behind a nested message is looked at too */
	unit.n_aliases = 0;
	unit.identity = &identity;
	unit.state = (char *)(uintptr_t) "\xff";
	ck_assert_int_eq(msg_check(&reply.base, &fault), -EINVAL);
	ck_assert_str_eq(fault.field, "state");
}
END_TEST

START_TEST(only_what_clients_send_has_closed_enumerators)
{
	Scsad__ResetRequest reset = SCSAD__RESET_REQUEST__INIT;
	Scsad__Error error = SCSAD__ERROR__INIT;
	Scsad__Event event = SCSAD__EVENT__INIT;

	reset.has_level = 1;
	reset.level = SCSAD__RESET_LEVEL__RESET_LEVEL_HBA;
	ck_assert_int_eq(msg_check(&reset.base, &fault), 0);
	*(int *)&reset.level = SCSAD__RESET_LEVEL__RESET_LEVEL_HBA + 1;
	ck_assert_int_eq(msg_check(&reset.base, &fault), -EINVAL);
	ck_assert_str_eq(fault.what, "value not defined");
	error.has_code = 1;
	*(int *)&error.code = 12345;
	ck_assert_int_eq(msg_check(&error.base, &fault), 0);
	event.has_kind = 1;
	*(int *)&event.kind = 31;
	ck_assert_int_eq(msg_check(&event.base, &fault), 0);
}
END_TEST

START_TEST(every_full_message_passes)
{
	struct arena a;

	arena_init(&a, ARENA_FACTOR_REPLY);
	for (const ProtobufCMessageDescriptor *const *d = fill_types(); *d != NULL; d++) {
		ProtobufCMessage *msg;

		ck_assert_int_eq(arena_begin(&a, 4096), 0);
		msg = fill_message(&a, *d);
		ck_assert_ptr_nonnull(msg);
		ck_assert_msg(msg_check(msg, &fault) == 0, "%s.%s: %s", fault.message,
		    fault.field, fault.what);
	}
	arena_fini(&a);
}
END_TEST

CHECK_MAIN("message checks", strings_are_utf8, strings_end_at_their_limit,
    bytes_have_least_and_largest_lengths, counts_are_limited_also_inside,
    only_what_clients_send_has_closed_enumerators, every_full_message_passes)
