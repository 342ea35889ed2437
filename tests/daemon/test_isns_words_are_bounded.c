/* names of servers, and bytes of theirs, are judged before they are used */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "daemon/isns_impl.h"

#define NODE	"iqn.2001-01.com.example:a"

START_TEST(names_of_servers)
{
	static const struct {
		const char *word, *host, *port;
	} good[] = {
		{ "isns.example", "isns.example", "3205" },
		{ "isns:1", "isns", "1" },
		{ "192.0.2.1:65535", "192.0.2.1", "65535" },
		{ "[2001:db8::1]", "2001:db8::1", "3205" },
		{ "[::1]:77", "::1", "77" },
	};
	static const char *const bad[] = { "", ":", ":1", "a:", "a:0", "a:65536", "a:x",
		"a:1:2", "::1", "[::1", "[::1]x", "[::1]:", "[isns]", "[]", "a b", "a/b", "-a",
		"a\n", "[::1]1" };
	char host[ISNS_HOST_LEN], port[ISNS_PORT_LEN], text[ISNS_HOST_LEN + 2];

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ck_assert_msg(isns_split(good[i].word, host, port), "%s", good[i].word);
		ck_assert_str_eq(host, good[i].host);
		ck_assert_str_eq(port, good[i].port);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!isns_server_check(bad[i]), "%s", bad[i]);
	memset(text, 'a', sizeof(text));
	text[ISNS_HOST_LEN - 1] = '\0';
	ck_assert(isns_server_check(text));
	text[ISNS_HOST_LEN - 1] = 'a';
	text[ISNS_HOST_LEN] = '\0';
	ck_assert(!isns_server_check(text));
}
END_TEST

/* the machine's name is the entity when none is configured */
START_TEST(names_of_machines)
{
	static const struct {
		const char *machine, *entity;
	} rows[] = {
		{ "mill", "mill" },
		{ "localhost", "" },
		{ "m\303\274hle", "" },
		{ "m\374hle", "" },
		{ "a mill", "" },
		{ "mill\n", "" },
	};
	const struct isns_conf conf = { .server = "192.0.2.1" };
	struct isns_status st;
	struct isns *isns;

	if (unshare(CLONE_NEWUTS) < 0)
		return;		/* not root: this machine keeps its name */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_int_eq(sethostname(rows[i].machine, strlen(rows[i].machine)), 0);
		ck_assert_int_eq(isns_new(&conf, &isns), 0);
		isns_status_get(isns, &st);
		ck_assert_str_eq(st.entity, rows[i].entity);
		isns_free(isns);
	}
}
END_TEST

START_TEST(heads)
{
	static const uint8_t good[12] = { 0, 1, 0x80, 1, 0, 8, 0x4c, 0, 1, 2, 3, 4 };
	struct isns_head head;
	uint8_t bytes[12];

	ck_assert(isns_head_parse(good, &head));
	ck_assert_uint_eq(head.function, 0x8001);
	ck_assert_uint_eq(head.len, 8);
	ck_assert_uint_eq(head.flags, 0x4c00);
	ck_assert_uint_eq(head.xid, 0x0102);
	ck_assert_uint_eq(head.seq, 0x0304);
	isns_head_put(&head, bytes);
	ck_assert_mem_eq(bytes, good, 12);
	bytes[1] = 2;
	ck_assert(!isns_head_parse(bytes, &head));
	bytes[1] = 1;
	bytes[5] = 7;
	ck_assert(!isns_head_parse(bytes, &head));
}
END_TEST

/* status, key, delimiter, then what counts */
static size_t
answer_make(uint8_t *buf, size_t size)
{
	struct cursor c = cursor_write_init(buf, size);

	cursor_put_be32(&c, 0);
	isns_put_text(&c, ISNS_TAG_NODE_NAME, "iqn.other");
	isns_put_u32(&c, ISNS_TAG_PERIOD, 1);
	isns_put_empty(&c, ISNS_TAG_DELIMITER);
	isns_put_u32(&c, ISNS_TAG_PERIOD, 600);
	isns_put_text(&c, ISNS_TAG_NODE_NAME, "IQN.2001-01.com.EXAMPLE:a");
	ck_assert(cursor_ok(&c));
	return c.pos;
}

START_TEST(answers)
{
	uint8_t buf[256], cut[256];
	size_t len = answer_make(buf, sizeof(buf));
	struct isns_answer a;

	ck_assert_int_eq(isns_answer_parse(buf, len, true, NODE, &a), 0);
	ck_assert_uint_eq(a.status, 0);
	ck_assert_uint_eq(a.period_s, 600);
	ck_assert(a.has_node);
	ck_assert_int_eq(isns_answer_parse(buf, len, true, "iqn.other", &a), 0);
	ck_assert(!a.has_node);
	/* a part of its name is not its name */
	ck_assert_int_eq(isns_answer_parse(buf, len, true, "iqn.2001-01.com.example:", &a), 0);
	ck_assert(!a.has_node);
	for (size_t n = 0; n < len; n++) {
		int r;

		memcpy(cut, buf, n);
		r = isns_answer_parse(cut, n, true, NODE, &a);
		ck_assert(r == 0 || r == -EBADMSG);
		ck_assert_int_eq(isns_answer_parse(cut, n, false, NODE, &a),
		    n < 4 ? -EBADMSG : 0);
	}
	ck_assert_int_eq(isns_answer_parse(buf, len - 4, true, NODE, &a), -EBADMSG);
	/* whatever follows a refusal */
	buf[3] = 9;
	ck_assert_int_eq(isns_answer_parse(buf, len - 4, true, NODE, &a), 0);
	ck_assert_uint_eq(a.status, 9);
	ck_assert_str_eq(isns_status_text(9), "no such entry");
	ck_assert_str_eq(isns_status_text(24), "unknown");
}
END_TEST

START_TEST(numbers_of_wrong_length)
{
	uint8_t buf[64];
	struct cursor c = cursor_write_init(buf, sizeof(buf));
	struct isns_answer a;

	cursor_put_be32(&c, 0);
	isns_put_empty(&c, ISNS_TAG_DELIMITER);
	isns_put_empty(&c, ISNS_TAG_PERIOD);
	isns_put_empty(&c, ISNS_TAG_NODE_NAME);
	ck_assert_int_eq(isns_answer_parse(buf, c.pos, true, NODE, &a), 0);
	ck_assert_uint_eq(a.period_s, 0);
	ck_assert(!a.has_node);
}
END_TEST

/* padding is zero, and what does not fit is not there */
START_TEST(texts)
{
	static const uint8_t want[] = { 0, 0, 0, 34, 0, 0, 0, 4, 'a', 'b', 'c', 0,
		0, 0, 0, 34, 0, 0, 0, 8, 'a', 'b', 'c', 'd', 0, 0, 0, 0 };
	uint8_t buf[sizeof(want)];
	struct cursor c = cursor_write_init(buf, sizeof(buf));

	memset(buf, 0x55, sizeof(buf));
	isns_put_text(&c, ISNS_TAG_NODE_ALIAS, "abc");
	isns_put_text(&c, ISNS_TAG_NODE_ALIAS, "abcd");
	ck_assert(cursor_ok(&c));
	ck_assert_mem_eq(buf, want, sizeof(want));
	ck_assert_uint_eq(isns_text_room("abc") + isns_text_room("abcd"), sizeof(want));
	c = cursor_write_init(buf, 11);
	isns_put_text(&c, ISNS_TAG_NODE_ALIAS, "abc");
	ck_assert(!cursor_ok(&c));
}
END_TEST

CHECK_MAIN("isns_words_are_bounded", names_of_servers, names_of_machines, heads, answers,
    numbers_of_wrong_length, texts)
