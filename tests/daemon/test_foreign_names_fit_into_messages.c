/* paths that are no UTF-8, or very long, do not keep clients from list, show and open */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_main.h"
#include "mock_client.h"

#define MANY	16
#define DEEP	4

/* DEEP folders of 240 characters and a file in them: more than 960 bytes */
static void
long_path(const struct fixture *f, const char *name, char *path, size_t size)
{
	size_t n = (size_t)snprintf(path, size, "%s", f->dir);

	for (int i = 0; i < DEEP; i++) {
		n += (size_t)snprintf(path + n, size - n, "/%0240d", i);
		(void)mkdir(path, 0700);
	}
	(void)snprintf(path + n, size - n, "/%s", name);
}

static uint32_t
list_send(struct mc *c)
{
	Scsad__ListRequest req = SCSAD__LIST_REQUEST__INIT;

	return mc_send(c, METHOD_LIST, &req.base, NULL, 0);
}

/* each reply is within its bound and each message is read, which checks its strings; units */
static size_t
list_all(struct mc *c, size_t *ret_replies)
{
	uint32_t id = list_send(c);
	size_t n = 0;

	*ret_replies = 0;
	do {
		const Scsad__ListReply *reply = mc_reply(c, id, &scsad__list_reply__descriptor);

		for (size_t i = 0; i < reply->n_units; i++)
			ck_assert_str_eq(reply->units[i]->store->kind, "file");
		ck_assert_uint_le(c->head.msg_len, PROTO_LIST_CHUNK + PROTO_TEXT_MAX + 1024);
		n += reply->n_units;
		(*ret_replies)++;
	} while (c->head.has_more);
	return n;
}

START_TEST(no_utf8)
{
	Scsad__ShowRequest req = SCSAD__SHOW_REQUEST__INIT;
	Scsad__OpenRequest open = SCSAD__OPEN_REQUEST__INIT;
	const Scsad__ShowReply *show;
	const Scsad__OpenReply *opened;
	char spec[256], want[256];
	struct fixture f;
	size_t replies;
	struct mc c;
	bool found = false;

	fixture_init(&f);
	(void)snprintf(spec, sizeof(spec), "%s/a\xff\\\xc3\x1b[1m.img,size=1M", f.dir);
	(void)snprintf(want, sizeof(want), "%s/a\\xff\\x5c\\xc3\\x1b[1m.img", f.dir);
	fixture_disk(&f, spec);
	fixture_start(&f);
	mc_connect(&f, &c);

	ck_assert_uint_eq(list_all(&c, &replies), 1);
	open.name = (char *)(uintptr_t)"disk@0,0";
	opened = mc_reply(&c, mc_send(&c, METHOD_OPEN, &open.base, NULL, 0),
	    &scsad__open_reply__descriptor);
	ck_assert_str_eq(opened->unit->store->detail, want);
	req.path = open.name;
	show = mc_reply(&c, mc_send(&c, METHOD_SHOW, &req.base, NULL, 0),
	    &scsad__show_reply__descriptor);
	for (size_t i = 0; i < show->n_details; i++)
		found = found || strcmp(show->details[i]->value, want) == 0;
	ck_assert(found);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(many_and_long)
{
	char name[16], path[2048], spec[2100];
	struct fixture f;
	size_t replies;
	struct mc c;

	fixture_init(&f);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "%d.img", i);
		long_path(&f, name, path, sizeof(path));
		(void)snprintf(spec, sizeof(spec), "%s,size=1M", path);
		fixture_disk(&f, spec);
	}
	fixture_start(&f);
	mc_connect(&f, &c);
	ck_assert_uint_eq(list_all(&c, &replies), MANY);
	ck_assert_uint_gt(replies, 2);
	mc_check_alive(&c);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

/* each byte of a path may take four in a message: it is cut, and that is shown */
START_TEST(longer_than_a_field)
{
	Scsad__OpenRequest open = SCSAD__OPEN_REQUEST__INIT;
	const Scsad__OpenReply *opened;
	char path[4096], spec[4200];
	struct fixture f;
	struct mc c;
	size_t n;

	fixture_init(&f);
	n = (size_t)snprintf(path, sizeof(path), "%s", f.dir);
	for (int i = 0; i < 5; i++) {
		path[n++] = '/';
		memset(path + n, 0xff, 250);
		n += 250;
		path[n] = '\0';
		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
	(void)snprintf(spec, sizeof(spec), "%s/x.img,size=1M", path);
	fixture_disk(&f, spec);
	fixture_start(&f);
	mc_connect(&f, &c);
	open.name = (char *)(uintptr_t)"disk@0,0";
	opened = mc_reply(&c, mc_send(&c, METHOD_OPEN, &open.base, NULL, 0),
	    &scsad__open_reply__descriptor);
	n = strlen(opened->unit->store->detail);
	ck_assert_uint_le(n, PROTO_TEXT_MAX);
	ck_assert_str_eq(opened->unit->store->detail + n - 3, "...");
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

/* text of a client that is quoted back, or told to others, may be cut anywhere */
START_TEST(foreign_words_in_refusals_and_events)
{
	Scsad__SubscribeRequest sub = SCSAD__SUBSCRIBE_REQUEST__INIT;
	Scsad__FaultAddRequest req = SCSAD__FAULT_ADD_REQUEST__INIT;
	static char text[3000];
	struct fixture f;
	struct mc c;

	fixture_simple(&f);
	mc_connect(&f, &c);
	sub.has_mask = 1;
	sub.mask = 1u << SCSAD__EVENT_KIND__EVENT_FAULT;
	(void)mc_reply(&c, mc_send(&c, METHOD_SUBSCRIBE, &sub.base, NULL, 0),
	    &scsad__done__descriptor);
	for (size_t i = 0; i < 40; i++) {
		/* two-byte characters, at odd and at even places */
		memset(text, 'a', i);
		for (size_t k = i; k + 2 < sizeof(text); k += 2)
			memcpy(text + k, "\xc3\xa9", 3);
		req.text = text;
		(void)mc_error(&c, mc_send(&c, METHOD_FAULT_ADD, &req.base, NULL, 0));
	}
	mc_check_alive(&c);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

CHECK_MAIN("foreign names", no_utf8, many_and_long, longer_than_a_field,
    foreign_words_in_refusals_and_events)
