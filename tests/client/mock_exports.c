/*
 * The exports of the mock: target iqn.a:b with LUN 0 for acl hosts, portal 127.0.0.1:3260, and
 * one of each other kind; session 7. A change is refused by its first name: "taken" is there
 * already, "stale" the first time (somebody was faster), "full" for ever.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mock_daemon.h"

#define GENERATION	5

static char *
text(const char *words)
{
	return (char *)(uintptr_t)words;
}

/* name and "key=a,b" words of an object of each kind */
static const struct {
	const char *name, *origin;
	const char *settings[4];
	const char *fact;
} rows[] = {
	[SCSAD__OBJECT_KIND__OBJECT_PORTAL] = { "127.0.0.1:3260", "file",
	    { "group=1" }, "bound=127.0.0.1:3260" },
	[SCSAD__OBJECT_KIND__OBJECT_GROUP] = { "1", "request", { "state=standby" }, NULL },
	[SCSAD__OBJECT_KIND__OBJECT_CHAP] = { "bob", "request", { "user=bob" }, NULL },
	[SCSAD__OBJECT_KIND__OBJECT_ACL] = { "hosts", "request",
	    { "initiators=iqn.x,iqn.y*" }, NULL },
	[SCSAD__OBJECT_KIND__OBJECT_TARGET] = { "iqn.a:b", "request",
	    { "groups=1,2", "chap=", "redirect_permanent=no", "window=128" }, NULL },
	[SCSAD__OBJECT_KIND__OBJECT_EXPORT] = { "iqn.a:b,0,hosts", "request",
	    { "target=iqn.a:b", "lun=0", "unit=disk" }, "present=yes" },
	[SCSAD__OBJECT_KIND__OBJECT_DISCOVERY] = { "discovery", "file", { "chap=bob" }, NULL },
	[SCSAD__OBJECT_KIND__OBJECT_LOCAL] = { "uid:5", "request", { "units=*" }, NULL },
};

struct setting {
	Scsad__Setting setting;
	char words[64];
	char *values[4];
};

static void
setting_fill(struct setting *s, const char *words)
{
	char *rest;

	scsad__setting__init(&s->setting);
	(void)snprintf(s->words, sizeof(s->words), "%s", words);
	rest = strchr(s->words, '=');
	*rest++ = '\0';
	s->setting.key = s->words;
	s->setting.values = s->values;
	while (rest != NULL && *rest != '\0')
		s->values[s->setting.n_values++] = strsep(&rest, ",");
}

static void
object_send(struct mock *m, const struct frame *frame, size_t kind, bool has_more)
{
	Scsad__ExportListReply reply = SCSAD__EXPORT_LIST_REPLY__INIT;
	struct frame_head head = { .kind = FRAME_KIND_REPLY, .method = frame->head.method,
		.id = frame->head.id, .has_more = has_more };
	Scsad__Object object = SCSAD__OBJECT__INIT, *objects[] = { &object };
	struct setting settings[5];
	Scsad__Setting *list[5], *fact = &settings[4].setting;

	reply.has_generation = 1;
	reply.generation = GENERATION;
	if (kind > 0) {
		reply.objects = objects;
		reply.n_objects = 1;
		object.has_kind = 1;
		object.kind = (Scsad__ObjectKind)kind;
		object.name = text(rows[kind].name);
		object.origin = text(rows[kind].origin);
		object.settings = list;
		for (size_t i = 0; i < 4 && rows[kind].settings[i] != NULL; i++) {
			setting_fill(&settings[i], rows[kind].settings[i]);
			list[object.n_settings++] = &settings[i].setting;
		}
		if (rows[kind].fact != NULL) {
			setting_fill(&settings[4], rows[kind].fact);
			object.facts = &fact;
			object.n_facts = 1;
		}
	}
	mock_send(m, &head, &reply.base, NULL);
}

void
mock_export_list(struct mock *m, const struct frame *frame)
{
	const Scsad__ExportListRequest *req = mock_unpack(m, frame);
	Scsad__ObjectKind kind = req->kind;
	char name[64];

	(void)snprintf(name, sizeof(name), "%s", req->name == NULL ? "" : req->name);
	for (size_t i = 1; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((kind == 0 || (size_t)kind == i) &&
		    (name[0] == '\0' || strcmp(name, rows[i].name) == 0)) {
			object_send(m, frame, i, true);
			/* a long list goes on in a second piece */
			if (i == SCSAD__OBJECT_KIND__OBJECT_ACL)
				object_send(m, frame, i, true);
		}
	object_send(m, frame, 0, false);
}

static void
refuse(struct mock *m, const struct frame *frame, Scsad__ErrorCode code, int err,
    const char *words)
{
	Scsad__Error error = SCSAD__ERROR__INIT;
	struct frame_head head = { .kind = FRAME_KIND_ERROR, .method = frame->head.method,
		.id = frame->head.id };

	error.has_code = error.has_sys_errno = 1;
	error.code = code;
	error.sys_errno = err;
	error.text = text(words);
	mock_send(m, &head, &error.base, NULL);
}

void
mock_export_change(struct mock *m, const struct frame *frame)
{
	Scsad__ExportChangeReply reply = SCSAD__EXPORT_CHANGE_REPLY__INIT;
	const Scsad__ExportChangeRequest *req = mock_unpack(m, frame);
	const Scsad__Edit *edit = req->n_edits > 0 ? req->edits[0] : NULL;
	const char *name = "";

	for (size_t i = 0; edit != NULL && i < edit->n_settings; i++)
		if (strcmp(edit->settings[i]->key, "unit") == 0)
			name = edit->settings[i]->values[0];
	if (edit != NULL && edit->name != NULL)
		name = edit->name;
	reply.has_generation = reply.has_is_kept = 1;
	reply.generation = GENERATION + 1;
	reply.is_kept = strcmp(name, "iqn.volatile") != 0;
	if (strcmp(name, "taken") == 0)
		refuse(m, frame, SCSAD__ERROR_CODE__ERR_IO, EEXIST, "is there already");
	else if (strcmp(name, "wrong") == 0)
		refuse(m, frame, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE, EINVAL, "is wrong");
	else if (strcmp(name, "stale") == 0 && m->submits++ % 3 != 2)
		refuse(m, frame, SCSAD__ERROR_CODE__ERR_IO, ESTALE, "somebody else");
	else if (strcmp(name, "full") == 0)
		refuse(m, frame, SCSAD__ERROR_CODE__ERR_IO, ESTALE, "somebody else");
	else
		mock_reply(m, frame, &reply.base, NULL, 0);
}

void
mock_export_reload(struct mock *m, const struct frame *frame)
{
	Scsad__ExportChangeReply reply = SCSAD__EXPORT_CHANGE_REPLY__INIT;

	mock_reply(m, frame, &reply.base, NULL, 0);
}

void
mock_session(struct mock *m, const struct frame *frame)
{
	Scsad__SessionListReply reply = SCSAD__SESSION_LIST_REPLY__INIT;
	const Scsad__SessionListRequest *req = mock_unpack(m, frame);
	Scsad__SessionConn conn = SCSAD__SESSION_CONN__INIT, *conns[] = { &conn };
	Scsad__Session session = SCSAD__SESSION__INIT, *sessions[] = { &session };
	Scsad__Done done = SCSAD__DONE__INIT;

	if (req->has_id && req->id != 7) {
		refuse(m, frame, SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT, ENOENT, "no such session");
		return;
	}
	if (frame->head.method == METHOD_SESSION_CLOSE) {
		mock_reply(m, frame, &done.base, NULL, 0);
		return;
	}
	conn.peer = text("10.0.0.1:1");
	conn.has_header_digest = conn.header_digest = 1;
	session.has_id = 1;
	session.id = 7;
	session.target = text("iqn.a:b");
	session.initiator = text("iqn.x");
	session.has_isid = 1;
	session.isid = (ProtobufCBinaryData){ 6, (uint8_t *)text("isid..") };
	session.conns = conns;
	session.n_conns = 1;
	reply.sessions = sessions;
	reply.n_sessions = 1;
	mock_reply(m, frame, &reply.base, NULL, 0);
}

void
mock_reserve(struct mock *m, const struct frame *frame)
{
	Scsad__ReserveStatusReply reply = SCSAD__RESERVE_STATUS_REPLY__INIT;
	const Scsad__ReserveStatusRequest *req = mock_unpack(m, frame);
	Scsad__Registration a = SCSAD__REGISTRATION__INIT, b = a, *list[] = { &a, &b };

	if (strcmp(req->path, "disk") != 0) {
		refuse(m, frame, SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT, ENOENT, "no such unit");
		return;
	}
	a.initiator = text("iqn.x,i,0x00023d000001");
	a.has_rtpi = a.has_key = a.has_is_holder = 1;
	a.rtpi = 1;
	a.port = text("iqn.a:b,t,0x0001");
	a.key = 0x11;
	a.is_holder = 1;
	b.initiator = text("iqn.y");
	b.has_rtpi = 1;
	b.rtpi = 65535;
	reply.path = text("soft0/iport0/disk@0,0");
	reply.has_type = 1;
	reply.type = 5;
	reply.owner = text("iqn.z");
	reply.registrations = list;
	reply.n_registrations = 2;
	mock_reply(m, frame, &reply.base, NULL, 0);
}

void
mock_rescan(struct mock *m, const struct frame *frame)
{
	Scsad__RescanReply reply = SCSAD__RESCAN_REPLY__INIT;
	const Scsad__RescanRequest *req = mock_unpack(m, frame);

	if (req->path != NULL && strcmp(req->path, "soft0") != 0) {
		refuse(m, frame, SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT, ENOENT, "no such HBA");
		return;
	}
	reply.has_units = 1;
	reply.units = 2;
	mock_reply(m, frame, &reply.base, NULL, 0);
}
