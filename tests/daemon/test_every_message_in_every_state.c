/* every request there is, when it must not come: before hello, as something else, twice at once,
 * about what is closed, from one who goes, to a daemon that stops. Nobody else notices */
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "check_main.h"
#include "mock_client.h"
#include "scsi/cdb.h"

#define GONE	0x100000001u	/* a handle, memory, ring that was never given */
#define CODE(name)	SCSAD__ERROR_CODE__ERR_##name

static struct fixture f;
static struct mc other;

static void
begin(unsigned int loops)
{
	fixture_init(&f);
	f.conf.loops = loops;
	fixture_disk(&f, "mem:1M,serial=AAA");
	fixture_disk(&f, "mem:1M,serial=BBB");
	fixture_start(&f);
	mc_connect(&f, &other);
}

static void
end(void)
{
	mc_check_alive(&other);
	mc_close(&other);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}

/* ------ messages ------ */

/* every number of it is @value, every word is the name of nothing; no lists */
static void
message_fill(ProtobufCMessage *msg, uint64_t value)
{
	static const size_t number_bytes[] = {
		[PROTOBUF_C_TYPE_UINT64] = 8, [PROTOBUF_C_TYPE_FIXED64] = 8,
		[PROTOBUF_C_TYPE_UINT32] = 4, [PROTOBUF_C_TYPE_INT32] = 4,
		[PROTOBUF_C_TYPE_ENUM] = 4, [PROTOBUF_C_TYPE_MESSAGE] = 0,
	};
	static char word[] = "ZZZ";
	uint8_t *base = (uint8_t *)msg;

	for (unsigned int i = 0; i < msg->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &msg->descriptor->fields[i];
		protobuf_c_boolean yes = 1;
		char *text = word;

		if (field->label == PROTOBUF_C_LABEL_REPEATED)
			continue;
		if (field->type == PROTOBUF_C_TYPE_STRING)
			memcpy(base + field->offset, &text, sizeof(text));
		if (number_bytes[field->type] == 0)
			continue;
		memcpy(base + field->offset, &value, number_bytes[field->type]);
		memcpy(base + field->quantifier_offset, &yes, sizeof(yes));
	}
}

struct message {
	uint8_t bytes[FRAME_HEAD_LEN + 512];
	size_t len;
};

/* a whole frame; @value: message_fill() */
static void
message_make(struct message *m, uint16_t method, uint32_t id, uint64_t value)
{
	const struct frame_head head = { .method = method, .kind = FRAME_KIND_REQUEST, .id = id };
	const ProtobufCMessageDescriptor *desc = method_find(method)->request;
	union {
		ProtobufCMessage msg;
		uint64_t room[64];
	} u;
	ptrdiff_t n;

	ck_assert_uint_le(desc->sizeof_message, sizeof(u));
	protobuf_c_message_init(desc, &u.msg);
	message_fill(&u.msg, value);
	n = frame_pack(m->bytes, sizeof(m->bytes), &head, &u.msg);
	ck_assert_int_gt(n, 0);
	m->len = (size_t)n;
}

/* whatever comes back, until so many have been answered, to whichever number; how many it were
 * when the connection ends first */
static unsigned int
answers_take(struct mc *c, unsigned int max)
{
	unsigned int n = 0;

	while (n < max && mc_recv(c))
		n += c->head.id != 0 && !c->head.has_more;
	return n;
}

/* ------ states ------ */

START_TEST(before_hello)
{
	begin(1);
	for (uint16_t m = METHOD_HELLO + 1; m < METHOD_N; m++) {
		struct message message;
		struct mc c;

		mc_connect_raw(&f, &c);
		message_make(&message, m, 9, 1);
		mc_write(&c, message.bytes, message.len);
		ck_assert_int_eq(mc_error(&c, 9), CODE(NOT_READY));
		mc_expect_end(&c);
		mc_close(&c);
	}
	end();
}
END_TEST

/* what only a daemon says */
START_TEST(as_answer_or_event)
{
	begin(1);
	for (uint16_t m = METHOD_HELLO; m < METHOD_N; m++)
		for (uint8_t kind = 1; kind < 4; kind++) {
			struct message message;
			struct mc c;

			mc_connect(&f, &c);
			message_make(&message, m, 9, 1);
			message.bytes[6] = kind;
			mc_write(&c, message.bytes, message.len);
			while (mc_recv(&c))
				ck_assert_int_eq(c.head.kind, FRAME_KIND_ERROR);
			mc_close(&c);
		}
	end();
}
END_TEST

/* empty, and about what there is not; only the connection's own rules end it */
static void
ask_one(uint16_t m, uint64_t value, const char *open)
{
	struct message message;
	struct mc c;

	mc_connect(&f, &c);
	if (open != NULL)
		(void)mc_reply(&c, mc_send_close(&c, mc_open(&c, open)),
		    &scsad__done__descriptor);
	message_make(&message, m, 9, value);
	mc_write(&c, message.bytes, message.len);
	if (m == METHOD_HELLO) {
		ck_assert_int_eq(mc_error(&c, 9), CODE(BAD_MESSAGE));
		mc_expect_end(&c);
	} else {
		ck_assert_msg(answers_take(&c, 1) == 1, "%s", method_name(m));
		mc_check_alive(&c);
	}
	mc_close(&c);
}

START_TEST(about_what_there_is_not)
{
	static const uint64_t values[] = { 0, GONE, UINT64_MAX };

	begin(1);
	for (uint16_t m = METHOD_HELLO; m < METHOD_N; m++)
		for (size_t i = 0; i < ARRAY_LEN(values); i++)
			ask_one(m, values[i], NULL);
	end();
}
END_TEST

/* @value: the first handle, memory, ring that a connection gets, if it asks for it */
START_TEST(about_what_is_closed)
{
	begin(2);
	for (uint16_t m = METHOD_HELLO; m < METHOD_N; m++)
		for (int i = 0; i < 2; i++)
			ask_one(m, 1ull << 32, i == 0 ? "AAA" : "BBB");
	end();
}
END_TEST

/* one number for two: both are answered when the first is before the second is looked at, or that
 * is the end */
START_TEST(twice_at_once)
{
	begin(2);
	for (uint16_t m = METHOD_HELLO + 1; m < METHOD_N; m++) {
		struct message message;
		uint8_t both[2 * sizeof(message.bytes)];
		unsigned int n;
		struct mc c;

		mc_connect(&f, &c);
		message_make(&message, m, 9, GONE);
		memcpy(both, message.bytes, message.len);
		memcpy(both + message.len, message.bytes, message.len);
		mc_write(&c, both, 2 * message.len);
		n = answers_take(&c, 2);
		ck_assert_msg(n == 2 || c.head.kind == FRAME_KIND_ERROR, "%s", method_name(m));
		mc_close(&c);
	}
	end();
}
END_TEST

/* all of them, answers are not waited for; the connection may move meanwhile */
#define ALL	(METHOD_N - METHOD_HELLO)

static void
all_send(struct mc *c, uint64_t value, const char *open)
{
	Scsad__OpenRequest req = SCSAD__OPEN_REQUEST__INIT;
	struct message message;

	req.name = (char *)(uintptr_t)open;
	(void)mc_send(c, METHOD_OPEN, &req.base, NULL, 0);
	for (uint16_t m = METHOD_HELLO + 1; m < METHOD_N; m++) {
		message_make(&message, m, 100u + m, value);
		mc_write(c, message.bytes, message.len);
	}
}

START_TEST(by_one_who_goes)
{
	begin(2);
	for (int round = 0; round < 20; round++) {
		struct mc c;

		mc_connect(&f, &c);
		all_send(&c, round % 2 == 0 ? 1ull << 32 : GONE, round % 4 < 2 ? "AAA" : "BBB");
		if (round % 3 == 0)
			ck_assert_int_eq(shutdown(c.fd, SHUT_WR), 0);
		if (round % 5 == 0)
			(void)mc_recv(&c);
		mc_close(&c);
	}
	fixture_wait(&f, 1, 0);
	end();
}
END_TEST

/* each is answered, or the connection ends */
START_TEST(to_one_who_stops)
{
	struct mc c;

	begin(2);
	mc_connect(&f, &c);
	ck_assert_uint_eq(rpc_server_drain(f.rpc, 0), 0);
	all_send(&c, GONE, "BBB");
	ck_assert_uint_eq(answers_take(&c, ALL), ALL);
	mc_check_alive(&c);
	all_send(&c, GONE, "BBB");
	mc_close(&other);
	fixture_stop(&f);
	while (mc_recv(&c))
		continue;
	mc_close(&c);
}
END_TEST

CHECK_MAIN("every message", before_hello, as_answer_or_event, about_what_there_is_not,
    about_what_is_closed, twice_at_once, by_one_who_goes, to_one_who_stops)
