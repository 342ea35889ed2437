/* objects of the exports, accounts and sessions over the socket */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "check_main.h"
#include "mock_client.h"
#include "mock_plane.h"

#define A	"iqn.2001-01.com.example:a"
#define B	"iqn.2001-01.com.example:b"

struct both {
	struct fixture f;
	struct world w;
	struct mc c;
};

static char *
word(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void
begin(struct both *b, const char *file)
{
	fixture_init(&b->f);
	fixture_disk(&b->f, "mem:1M,luns=2");
	fixture_start(&b->f);
	world_init(&b->w, true);
	world_file(&b->w, file);
	ck_assert_int_eq(world_up(&b->w), 0);
	rpc_server_set_exports(b->f.rpc, b->w.exports);
	mc_connect(&b->f, &b->c);
}

static void
end(struct both *b)
{
	mc_close(&b->c);
	fixture_wait(&b->f, 0, 0);
	fixture_stop(&b->f);
	world_fini(&b->w);
}

static uint32_t
send_list(struct mc *c, Scsad__ObjectKind kind, const char *name)
{
	Scsad__ExportListRequest req = SCSAD__EXPORT_LIST_REQUEST__INIT;

	req.has_kind = 1;
	req.kind = kind;
	req.name = word(name);
	return mc_send(c, METHOD_EXPORT_LIST, &req.base, NULL, 0);
}

/* an edit with up to four words "key=value" */
struct draft {
	Scsad__Edit edit;
	Scsad__Setting settings[4];
	Scsad__Setting *list[4];
	char keys[4][32];
	char *values[4];
};

static void
draft_fill(struct draft *d, Scsad__EditVerb verb, Scsad__ObjectKind kind, const char *name,
    const char *const *words)
{
	memset(d, 0, sizeof(*d));
	scsad__edit__init(&d->edit);
	d->edit.has_verb = d->edit.has_kind = 1;
	d->edit.verb = verb;
	d->edit.kind = kind;
	d->edit.name = word(name);
	d->edit.settings = d->list;
	for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
		size_t len = strcspn(words[i], "=");

		scsad__setting__init(&d->settings[i]);
		memcpy(d->keys[i], words[i], len);
		d->settings[i].key = d->keys[i];
		d->values[i] = word(words[i] + len + 1);
		d->settings[i].values = &d->values[i];
		d->settings[i].n_values = 1;
		d->list[i] = &d->settings[i];
		d->edit.n_settings++;
	}
}

static uint32_t
send_edits(struct mc *c, Scsad__Edit **edits, size_t n, uint64_t generation)
{
	Scsad__ExportChangeRequest req = SCSAD__EXPORT_CHANGE_REQUEST__INIT;

	req.edits = edits;
	req.n_edits = n;
	req.has_generation = 1;
	req.generation = generation;
	return mc_send(c, METHOD_EXPORT_CHANGE, &req.base, NULL, 0);
}

static uint32_t
send_edit(struct mc *c, struct draft *d)
{
	Scsad__Edit *edit = &d->edit;

	return send_edits(c, &edit, 1, 0);
}

static uint64_t
changed(struct mc *c, uint32_t id)
{
	const Scsad__ExportChangeReply *reply = mc_reply(c, id,
	    &scsad__export_change_reply__descriptor);

	ck_assert(reply->is_kept);
	return reply->generation;
}

/* refused with that errno, and a text that has these words */
static void
refused(struct mc *c, uint32_t id, int err, const char *words)
{
	const Scsad__Error *e;

	ck_assert(mc_recv(c));
	ck_assert_int_eq(c->head.kind, FRAME_KIND_ERROR);
	ck_assert_uint_eq(c->head.id, id);
	e = (const void *)protobuf_c_message_unpack(&scsad__error__descriptor, NULL,
	    c->head.msg_len, c->bytes);
	ck_assert_ptr_nonnull(e);
	ck_assert_msg(e->sys_errno == err, "%d %s", e->sys_errno, e->text);
	ck_assert_msg(strstr(e->text, words) != NULL, "%s", e->text);
	protobuf_c_message_free_unpacked((ProtobufCMessage *)(uintptr_t)&e->base, NULL);
}

START_TEST(objects_come_and_go)
{
	static const char *const alias[] = { "alias=my disks", "window=3", NULL };
	static const char *const window[] = { "window=9", NULL };
	static const char *const exported[] = { "target=" A, "lun=4", "unit=disk@0,1", NULL };
	const Scsad__ExportListReply *list;
	struct draft d, e;
	struct both b;

	begin(&b, "portals: [{address: '127.0.0.1:7'}]\n");
	draft_fill(&d, SCSAD__EDIT_VERB__EDIT_ADD, SCSAD__OBJECT_KIND__OBJECT_TARGET, A, alias);
	draft_fill(&e, SCSAD__EDIT_VERB__EDIT_ADD, SCSAD__OBJECT_KIND__OBJECT_EXPORT, NULL,
	    exported);
	ck_assert_uint_eq(changed(&b.c, send_edits(&b.c,
	    (Scsad__Edit *[]){ &d.edit, &e.edit }, 2, 1)), 2);
	refused(&b.c, send_edit(&b.c, &d), EEXIST, "target '" A "': is there already");

	list = mc_reply(&b.c, send_list(&b.c, SCSAD__OBJECT_KIND__OBJECT_EXPORT, NULL),
	    &scsad__export_list_reply__descriptor);
	ck_assert_uint_eq(list->generation, 2);
	ck_assert_uint_eq(list->n_objects, 1);
	ck_assert_str_eq(list->objects[0]->name, A ",4");
	ck_assert_str_eq(list->objects[0]->origin, "request");
	/* the tail of a path has become the path */
	for (size_t i = 0; i < list->objects[0]->n_settings; i++)
		if (strcmp(list->objects[0]->settings[i]->key, "unit") == 0)
			ck_assert_str_eq(list->objects[0]->settings[i]->values[0],
			    "soft0/iport0/disk@0,1");
	ck_assert_str_eq(list->objects[0]->facts[0]->key, "present");
	ck_assert_str_eq(list->objects[0]->facts[0]->values[0], "yes");

	list = mc_reply(&b.c, send_list(&b.c, SCSAD__OBJECT_KIND__OBJECT_PORTAL, "127.0.0.1:7"),
	    &scsad__export_list_reply__descriptor);
	ck_assert_uint_eq(list->n_objects, 1);
	ck_assert_str_eq(list->objects[0]->origin, "file");
	ck_assert_str_eq(list->objects[0]->facts[0]->key, "bound");

	draft_fill(&d, SCSAD__EDIT_VERB__EDIT_SET, SCSAD__OBJECT_KIND__OBJECT_TARGET, A, window);
	ck_assert_uint_eq(changed(&b.c, send_edit(&b.c, &d)), 3);
	ck_assert_str_eq(world_value(&b.w, EX_TARGET, A, "window"), "9");
	ck_assert_str_eq(world_value(&b.w, EX_TARGET, A, "alias"), "my disks");
	refused(&b.c, send_edits(&b.c, (Scsad__Edit *[]){ &d.edit }, 1, 2), ESTALE,
	    "somebody else");
	draft_fill(&d, SCSAD__EDIT_VERB__EDIT_REMOVE, SCSAD__OBJECT_KIND__OBJECT_TARGET, A,
	    NULL);
	refused(&b.c, send_edit(&b.c, &d), EBUSY, "is used by export");
	end(&b);
}
END_TEST

START_TEST(strange_requests_are_refused)
{
	struct draft d;
	struct both b;

	begin(&b, "loops: 1\n");
	refused(&b.c, send_edits(&b.c, NULL, 0, 0), EINVAL, "nothing to change");
	draft_fill(&d, SCSAD__EDIT_VERB__EDIT_NONE, SCSAD__OBJECT_KIND__OBJECT_ACL, "x", NULL);
	refused(&b.c, send_edit(&b.c, &d), EINVAL, "needs a verb");
	draft_fill(&d, SCSAD__EDIT_VERB__EDIT_ADD, SCSAD__OBJECT_KIND__OBJECT_NONE, "x", NULL);
	refused(&b.c, send_edit(&b.c, &d), EINVAL, "needs a verb and a kind");
	draft_fill(&d, SCSAD__EDIT_VERB__EDIT_ADD, (Scsad__ObjectKind)99, "x", NULL);
	refused(&b.c, send_edit(&b.c, &d), EINVAL, "");
	draft_fill(&d, SCSAD__EDIT_VERB__EDIT_ADD, SCSAD__OBJECT_KIND__OBJECT_ACL, NULL, NULL);
	refused(&b.c, send_edit(&b.c, &d), EINVAL, "needs a name");
	d.edit.name = word("x");
	d.edit.has_secret = 1;
	d.edit.secret.data = (uint8_t *)word("0123456789abcdef");
	d.edit.secret.len = 16;
	refused(&b.c, send_edit(&b.c, &d), EINVAL, "only accounts have secrets");
	d.edit.kind = SCSAD__OBJECT_KIND__OBJECT_CHAP;
	d.edit.name = word("../x");
	refused(&b.c, send_edit(&b.c, &d), EINVAL, "only accounts");
	d.edit.name = word("x");
	d.edit.secret.len = 4;
	refused(&b.c, send_edit(&b.c, &d), EINVAL, "12 to 255 bytes");
	d.edit.secret.len = 0;
	refused(&b.c, send_edit(&b.c, &d), EINVAL, "12 to 255 bytes");
	/* a setting without a key */
	draft_fill(&d, SCSAD__EDIT_VERB__EDIT_ADD, SCSAD__OBJECT_KIND__OBJECT_ACL, "x",
	    (const char *const[]){ "a=b", NULL });
	d.settings[0].key = NULL;
	refused(&b.c, send_edit(&b.c, &d), EINVAL, "needs a key");
	/* a name nobody can have is no error when looking */
	ck_assert_uint_eq(((const Scsad__ExportListReply *)mc_reply(&b.c, send_list(&b.c,
	    SCSAD__OBJECT_KIND__OBJECT_PORTAL, "moon"),
	    &scsad__export_list_reply__descriptor))->n_objects, 0);
	end(&b);
}
END_TEST

/* ------ secrets ------ */

static unsigned int
secrets_kept(const struct both *b)
{
	char path[128];
	struct dirent *entry;
	unsigned int n = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/state/secrets", b->w.dir);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	(void)closedir(dir);
	return n;
}

static bool
bytes_have(const uint8_t *bytes, size_t len, const char *what)
{
	return memmem(bytes, len, what, strlen(what)) != NULL;
}

START_TEST(secrets_are_kept_and_never_told)
{
	static const char first[] = "first-secret-0123", second[] = "second-secret-456",
	    back[] = "the-way-back-8910";
	const struct ex_chap *chap;
	struct ex_set *set;
	struct draft d;
	struct both b;

	begin(&b, "loops: 1\n");
	draft_fill(&d, SCSAD__EDIT_VERB__EDIT_ADD, SCSAD__OBJECT_KIND__OBJECT_CHAP, "bob",
	    (const char *const[]){ "mutual_user=target", NULL });
	d.edit.has_secret = d.edit.has_mutual_secret = 1;
	d.edit.secret.data = (uint8_t *)word(first);
	d.edit.secret.len = strlen(first);
	d.edit.mutual_secret = d.edit.secret;
	refused(&b.c, send_edit(&b.c, &d), EINVAL, "must differ");
	ck_assert_uint_eq(secrets_kept(&b), 0);
	d.edit.name = word(".bob");
	refused(&b.c, send_edit(&b.c, &d), EINVAL, "is no name");
	ck_assert_uint_eq(secrets_kept(&b), 0);
	d.edit.name = word("bob");
	d.edit.mutual_secret.data = (uint8_t *)word(back);
	d.edit.mutual_secret.len = strlen(back);
	(void)changed(&b.c, send_edit(&b.c, &d));
	ck_assert_uint_eq(secrets_kept(&b), 2);
	ck_assert_ptr_null(strstr(world_own_file(&b.w), "secret-0123"));

	(void)send_list(&b.c, SCSAD__OBJECT_KIND__OBJECT_CHAP, NULL);
	ck_assert(mc_recv(&b.c));
	ck_assert(bytes_have(b.c.bytes, b.c.len, "bob"));
	ck_assert(!bytes_have(b.c.bytes, b.c.len, "first-secret"));
	ck_assert(!bytes_have(b.c.bytes, b.c.len, "way-back"));

	/* another one takes the place of the first, whose file goes */
	draft_fill(&d, SCSAD__EDIT_VERB__EDIT_SET, SCSAD__OBJECT_KIND__OBJECT_CHAP, "bob", NULL);
	d.edit.has_secret = 1;
	d.edit.secret.data = (uint8_t *)word(second);
	d.edit.secret.len = strlen(second);
	(void)changed(&b.c, send_edit(&b.c, &d));
	ck_assert_uint_eq(secrets_kept(&b), 2);
	mc_close(&b.c);
	fixture_wait(&b.f, 0, 0);

	/* they are there after a restart */
	world_down(&b.w);
	ck_assert_int_eq(world_up(&b.w), 0);
	rpc_server_set_exports(b.f.rpc, b.w.exports);
	mc_connect(&b.f, &b.c);
	set = exports_set(b.w.exports);
	chap = (const struct ex_chap *)ex_set_find(set, EX_CHAP, "bob");
	ck_assert_uint_eq(chap->secret.len, strlen(second));
	ck_assert_int_eq(memcmp(chap->secret.bytes, second, strlen(second)), 0);
	ck_assert_int_eq(memcmp(chap->mutual_secret.bytes, back, strlen(back)), 0);
	ex_set_unref(set);
	draft_fill(&d, SCSAD__EDIT_VERB__EDIT_REMOVE, SCSAD__OBJECT_KIND__OBJECT_CHAP, "bob",
	    NULL);
	(void)changed(&b.c, send_edit(&b.c, &d));
	ck_assert_uint_eq(secrets_kept(&b), 0);
	end(&b);
}
END_TEST

/* ------ long answers ------ */

START_TEST(long_lists_come_in_pieces)
{
	size_t names = 0, frames = 0, room = 400000, n = 0;
	char *file = malloc(room);
	bool has_more = true;
	struct both b;

	/* more than a message takes */
	n += (size_t)snprintf(file, room, "acls:\n  - name: big\n    initiators:\n");
	for (int i = 0; i < 700; i++)
		n += (size_t)snprintf(file + n, room - n, "      - 'iqn.2001-01.com.example:"
		    "host-with-a-very-long-name-so-that-there-is-much-of-it-"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-%d'\n", i);
	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(file + n, room - n, "  - {name: a%d, initiators: ['*']}\n",
		    i);
	ck_assert_uint_lt(n, room);
	begin(&b, file);
	(void)send_list(&b.c, SCSAD__OBJECT_KIND__OBJECT_ACL, NULL);
	while (has_more) {
		const Scsad__ExportListReply *list = mc_msg(&b.c,
		    &scsad__export_list_reply__descriptor);

		frames++;
		has_more = b.c.head.has_more;
		for (size_t i = 0; i < list->n_objects; i++)
			for (size_t k = 0; k < list->objects[i]->n_settings; k++)
				if (strcmp(list->objects[i]->settings[k]->key, "initiators") == 0)
					names += list->objects[i]->settings[k]->n_values;
	}
	ck_assert_uint_eq(names, 800);
	ck_assert_uint_gt(frames, 6);
	free(file);
	end(&b);
}
END_TEST

/* ------ sessions ------ */

START_TEST(sessions_are_told_and_closed)
{
	static struct ex_session sessions[20];
	Scsad__SessionListRequest req = SCSAD__SESSION_LIST_REQUEST__INIT;
	Scsad__SessionCloseRequest req_close = SCSAD__SESSION_CLOSE_REQUEST__INIT;
	const Scsad__SessionListReply *list;
	size_t n = 0;
	struct both b;

	begin(&b, "loops: 1\n");
	for (size_t i = 0; i < ARRAY_LEN(sessions); i++) {
		sessions[i] = (struct ex_session){ .id = 100 + i, .state = "logged in",
			.isid = { 1, 2, 3, 4, 5, 6 }, .tsih = 7, .group = 1, .n_conns = 2,
			.since_ns = clock_now_ns() };
		(void)snprintf(sessions[i].target, sizeof(sessions[i].target), "%s", A);
		(void)snprintf(sessions[i].initiator, sizeof(sessions[i].initiator), "iqn.i%zu",
		    i);
		/* an alias is anything */
		(void)snprintf(sessions[i].alias, sizeof(sessions[i].alias), "\xff\n");
		sessions[i].conns[0] = (struct ex_session_conn){ .cid = 1,
			.peer = "10.0.0.1:5", .local = "10.0.0.2:3260", .state = "full feature" };
		sessions[i].conns[1] = sessions[i].conns[0];
	}
	b.w.plane.sessions = sessions;
	b.w.plane.n_sessions = ARRAY_LEN(sessions);
	(void)mc_send(&b.c, METHOD_SESSION_LIST, &req.base, NULL, 0);
	do {
		list = mc_msg(&b.c, &scsad__session_list_reply__descriptor);
		n += list->n_sessions;
	} while (b.c.head.has_more);
	ck_assert_uint_eq(n, 20);

	req.has_id = 1;
	req.id = 103;
	list = mc_reply(&b.c, mc_send(&b.c, METHOD_SESSION_LIST, &req.base, NULL, 0),
	    &scsad__session_list_reply__descriptor);
	ck_assert_uint_eq(list->n_sessions, 1);
	ck_assert_str_eq(list->sessions[0]->initiator, "iqn.i3");
	ck_assert_str_eq(list->sessions[0]->alias, "\\xff\\x0a");
	ck_assert_uint_eq(list->sessions[0]->n_conns, 2);
	ck_assert_str_eq(list->sessions[0]->conns[1]->peer, "10.0.0.1:5");
	ck_assert_uint_eq(list->sessions[0]->isid.len, 6);
	req.id = 5;
	refused(&b.c, mc_send(&b.c, METHOD_SESSION_LIST, &req.base, NULL, 0), ENOENT,
	    "no such session");

	req_close.has_id = 1;
	req_close.id = 100;
	(void)mc_reply(&b.c, mc_send(&b.c, METHOD_SESSION_CLOSE, &req_close.base, NULL, 0),
	    &scsad__done__descriptor);
	ck_assert_uint_eq(b.w.plane.closed, 100);
	req_close.id = 9;
	refused(&b.c, mc_send(&b.c, METHOD_SESSION_CLOSE, &req_close.base, NULL, 0), ENOENT,
	    "no such session");
	end(&b);
}
END_TEST

/* ------ reading again, and the end ------ */

START_TEST(a_reload_tells_what_is_wrong)
{
	Scsad__ExportReloadRequest req = SCSAD__EXPORT_RELOAD_REQUEST__INIT;
	struct both b;

	begin(&b, "loops: 1\n");
	world_file(&b.w, "targets: [{name: '" B "'}]\n");
	(void)changed(&b.c, mc_send(&b.c, METHOD_EXPORT_RELOAD, &req.base, NULL, 0));
	ck_assert_ptr_nonnull(world_value(&b.w, EX_TARGET, B, "name"));
	world_file(&b.w, "targets: [{name: moon}]\n");
	refused(&b.c, mc_send(&b.c, METHOD_EXPORT_RELOAD, &req.base, NULL, 0), EINVAL, ":1:18: ");
	exports_stop(b.w.exports);
	refused(&b.c, mc_send(&b.c, METHOD_EXPORT_RELOAD, &req.base, NULL, 0), ESHUTDOWN,
	    "stopping");
	end(&b);
}
END_TEST

START_TEST(events_tell_of_changes)
{
	Scsad__SubscribeRequest req = SCSAD__SUBSCRIBE_REQUEST__INIT;
	const Scsad__Event *event;
	struct both b;
	struct draft d;

	begin(&b, "loops: 1\n");
	req.has_mask = 1;
	req.mask = 1u << SCSAD__EVENT_KIND__EVENT_EXPORTS;
	(void)mc_reply(&b.c, mc_send(&b.c, METHOD_SUBSCRIBE, &req.base, NULL, 0),
	    &scsad__done__descriptor);
	draft_fill(&d, SCSAD__EDIT_VERB__EDIT_ADD, SCSAD__OBJECT_KIND__OBJECT_TARGET, A, NULL);
	(void)send_edit(&b.c, &d);
	/* the answer and the event, in either order */
	for (int i = 0; i < 2; i++) {
		ck_assert(mc_recv(&b.c));
		if (b.c.head.kind != FRAME_KIND_EVENT)
			continue;
		event = (const void *)protobuf_c_message_unpack(&scsad__event__descriptor, NULL,
		    b.c.head.msg_len, b.c.bytes);
		ck_assert_str_eq(event->subject, "exports");
		ck_assert_str_eq(event->text, "target '" A "' added");
		protobuf_c_message_free_unpacked((ProtobufCMessage *)(uintptr_t)&event->base,
		    NULL);
	}
	end(&b);
}
END_TEST

/* the answer; a connection that ended for want of memory is made again */
static bool
answered(struct both *b)
{
	bool is_there = mc_recv(&b->c);

	if (!is_there) {
		(void)fault_disarm();
		mc_close(&b->c);
		mc_connect(&b->f, &b->c);
	}
	return is_there;
}

/* every allocation of the way may fail */
START_TEST(no_memory_is_told)
{
	Scsad__SessionListRequest req = SCSAD__SESSION_LIST_REQUEST__INIT;
	static struct ex_session session = { .id = 1, .state = "logged in" };
	unsigned int good = 0;
	struct both b;

	begin(&b, "portals: [{address: '127.0.0.1:7'}]\n");
	b.w.plane.sessions = &session;
	b.w.plane.n_sessions = 1;
	for (int64_t n = 1; n < 200 && good < 3; n++) {
		struct draft d;
		bool is_there;

		draft_fill(&d, SCSAD__EDIT_VERB__EDIT_ADD, SCSAD__OBJECT_KIND__OBJECT_TARGET, A,
		    NULL);
		fault_arm(n);
		(void)send_edit(&b.c, &d);
		(void)answered(&b);
		(void)fault_disarm();
		is_there = world_value(&b.w, EX_TARGET, A, "name") != NULL;
		good += is_there;
		if (is_there)
			world_do(&b.w, "remove target " A);
	}
	ck_assert_uint_eq(good, 3);
	for (int64_t n = 1; n < 8; n++) {
		fault_arm(n);
		(void)mc_send(&b.c, METHOD_SESSION_LIST, &req.base, NULL, 0);
		(void)answered(&b);
		(void)send_list(&b.c, SCSAD__OBJECT_KIND__OBJECT_NONE, NULL);
		(void)answered(&b);
		(void)fault_disarm();
	}
	end(&b);
}
END_TEST

CHECK_MAIN("exports change by request", objects_come_and_go, strange_requests_are_refused,
    secrets_are_kept_and_never_told, long_lists_come_in_pieces, sessions_are_told_and_closed,
    a_reload_tells_what_is_wrong, events_tell_of_changes, no_memory_is_told)
