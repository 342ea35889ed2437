#include "daemon/rpc_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/ex_impl.h"
#include "daemon/exports.h"

#define BATCH		32	/* objects of one reply */
#define SLICE		128	/* values of one list in one piece of an object */
#define FACTS_MAX	4

/* kinds on the wire */
static const enum ex_kind kinds[] = {
	[SCSAD__OBJECT_KIND__OBJECT_NONE]      = EX_KIND_N,
	[SCSAD__OBJECT_KIND__OBJECT_PORTAL]    = EX_PORTAL,
	[SCSAD__OBJECT_KIND__OBJECT_GROUP]     = EX_GROUP,
	[SCSAD__OBJECT_KIND__OBJECT_CHAP]      = EX_CHAP,
	[SCSAD__OBJECT_KIND__OBJECT_ACL]       = EX_ACL,
	[SCSAD__OBJECT_KIND__OBJECT_TARGET]    = EX_TARGET,
	[SCSAD__OBJECT_KIND__OBJECT_EXPORT]    = EX_EXPORT,
	[SCSAD__OBJECT_KIND__OBJECT_DISCOVERY] = EX_DISCOVERY,
	[SCSAD__OBJECT_KIND__OBJECT_LOCAL]     = EX_LOCAL,
	[SCSAD__OBJECT_KIND__OBJECT_UNIT]      = EX_UNIT,
	[SCSAD__OBJECT_KIND__OBJECT_PORT]      = EX_PORT,
};

/* EX_KIND_N: none, or one that this daemon does not know */
static enum ex_kind
kind_of(Scsad__ObjectKind kind)
{
	return (size_t)kind < ARRAY_LEN(kinds) ? kinds[kind] : EX_KIND_N;
}

static Scsad__ObjectKind
kind_on_wire(enum ex_kind kind)
{
	size_t i = 1;

	while (kinds[i] != kind)
		i++;
	return (Scsad__ObjectKind)i;
}

static char *
text_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void
exports_refuse(struct rpc_conn *conn, uint32_t id, uint16_t method, int err, const char *text)
{
	static const struct {
		int err;
		Scsad__ErrorCode code;
		const char *hint;
	} rows[] = {
		{ -EINVAL, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE, "see scsad.conf(5)" },
		{ -ENOENT, SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT, NULL },
		{ -ENOSPC, SCSAD__ERROR_CODE__ERR_LIMIT, NULL },
		{ -ENOMEM, SCSAD__ERROR_CODE__ERR_NO_MEMORY, NULL },
		{ -ESHUTDOWN, SCSAD__ERROR_CODE__ERR_NOT_READY, NULL },
	};
	struct rpc_refusal why = { .code = SCSAD__ERROR_CODE__ERR_IO, .err = err, .text = text };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].err == err) {
			why.code = rows[i].code;
			why.hint = rows[i].hint;
		}
	rpc_refuse(conn, id, method, &why);
}

/* ------ list ------ */

struct object_msg {
	Scsad__Object object;
	Scsad__Setting settings[EX_KEYS_MAX + FACTS_MAX];
	Scsad__Setting *setting_list[EX_KEYS_MAX];
	Scsad__Setting *fact_list[FACTS_MAX];
	struct ex_dump dump;
	char *fact_values[FACTS_MAX];
	char bound[EX_ADDR_LEN];
	char path[LU_PATH_MAX];
};

/* a reply in the making */
struct object_list {
	const struct rpc_in *in;
	struct ex_set *set;
	size_t n, bytes;
	struct object_msg msgs[BATCH];
	Scsad__Object *items[BATCH];
};

static void
list_send(struct object_list *l, bool has_more)
{
	Scsad__ExportListReply reply = SCSAD__EXPORT_LIST_REPLY__INIT;

	reply.has_generation = 1;
	reply.generation = ex_set_generation(l->set);
	reply.objects = l->items;
	reply.n_objects = l->n;
	rpc_reply(l->in->conn, rpc_in_id(l->in), METHOD_EXPORT_LIST, &reply.base, has_more);
	l->n = 0;
	l->bytes = 0;
}

static void
fact_add(struct object_msg *m, const char *key, const char *value)
{
	size_t i = m->object.n_facts;
	Scsad__Setting *fact = &m->settings[EX_KEYS_MAX + i];

	scsad__setting__init(fact);
	fact->key = text_of(key);
	m->fact_values[i] = text_of(value);
	fact->values = &m->fact_values[i];
	fact->n_values = 1;
	m->fact_list[i] = fact;
	m->object.n_facts++;
}

/* how it is now */
static void
facts_fill(struct object_msg *m, struct rpc_server *server, const struct ex_object *o)
{
	struct lu *unit;

	m->object.facts = m->fact_list;
	if (o->kind == EX_PORTAL && exports_portal_bound(server->exports, o->name, m->bound))
		fact_add(m, "bound", m->bound);
	if (o->kind != EX_EXPORT)
		return;
	if (lu_find(((const struct ex_export *)o)->unit, &unit, NULL, 0) < 0) {
		fact_add(m, "present", "no");
		return;
	}
	(void)text_copy(m->path, sizeof(m->path), lu_info(unit)->path);
	lu_unref(unit);
	fact_add(m, "present", "yes");
	fact_add(m, "path", m->path);
}

/* values @from and on of every key, SLICE of each; false: there are no more */
static bool
settings_fill(struct object_msg *m, size_t from)
{
	bool has_more = false;

	m->object.settings = m->setting_list;
	m->object.n_settings = 0;
	for (size_t i = 0; i < m->dump.n; i++) {
		const struct ex_dump_key *key = &m->dump.keys[i];
		size_t left = key->n > from ? key->n - from : 0;
		Scsad__Setting *s = &m->settings[i];

		if (left == 0 && from > 0)
			continue;
		scsad__setting__init(s);
		s->key = text_of(key->key);
		s->values = (char **)(uintptr_t)(key->v + from);
		s->n_values = left > SLICE ? SLICE : left;
		has_more = has_more || left > SLICE;
		m->setting_list[m->object.n_settings++] = s;
	}
	return has_more;
}

static void
object_begin(struct object_msg *m, const struct ex_object *o)
{
	static const char *const origins[EX_FROM_N] = {
		[EX_FROM_FILE] = "file",
		[EX_FROM_OPTION] = "command line",
		[EX_FROM_STATE] = "request",
	};

	scsad__object__init(&m->object);
	m->object.has_kind = 1;
	m->object.kind = kind_on_wire(o->kind);
	m->object.name = o->name;
	m->object.origin = text_of(origins[o->from]);
	ex_object_dump(o, true, &m->dump);
}

static void
list_add(struct object_list *l, const struct ex_object *o)
{
	bool has_more = true;

	for (size_t from = 0; has_more; from += SLICE) {
		struct object_msg *m = &l->msgs[l->n];

		object_begin(m, o);
		has_more = settings_fill(m, from);
		if (from == 0)
			facts_fill(m, l->in->conn->server, o);
		l->items[l->n++] = &m->object;
		l->bytes += protobuf_c_message_get_packed_size(&m->object.base);
		if (l->n == BATCH || l->bytes >= PROTO_LIST_CHUNK)
			list_send(l, true);
	}
}

static void
list_kind(struct object_list *l, enum ex_kind kind, const char *name)
{
	char normal[PROTO_OBJECT_NAME_MAX + 1];

	if (name != NULL && !ex_name_normal(kind, name, normal, sizeof(normal)))
		return;
	for (size_t i = 0; !l->in->conn->is_closed && i < ex_set_count(l->set, kind); i++) {
		const struct ex_object *o = ex_set_at(l->set, kind, i);

		if (name == NULL || strcmp(o->name, normal) == 0)
			list_add(l, o);
	}
}

static bool
has_exports(const struct rpc_in *in)
{
	if (in->conn->server->exports != NULL)
		return true;
	rpc_refuse_errno(in->conn, rpc_in_id(in), in->frame->head.method, -EOPNOTSUPP,
	    "nothing is exported by this daemon");
	return false;
}

enum rpc_go
rpc_export_list(const struct rpc_in *in)
{
	const Scsad__ExportListRequest *req = (const void *)in->msg;
	CLEANUP(free_ptr) struct object_list *l = NULL;
	const char *name = req->name != NULL && req->name[0] != '\0' ? req->name : NULL;

	if (!has_exports(in))
		return RPC_NEXT;
	l = fault_hit() ? NULL : calloc(1, sizeof(*l));
	if (l == NULL) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), METHOD_EXPORT_LIST, -ENOMEM, NULL);
		return RPC_NEXT;
	}
	l->in = in;
	l->set = exports_set(in->conn->server->exports);
	for (size_t i = 1; i < ARRAY_LEN(kinds); i++)
		if (req->kind == SCSAD__OBJECT_KIND__OBJECT_NONE || (size_t)req->kind == i)
			list_kind(l, kinds[i], name);
	if (!in->conn->is_closed)
		list_send(l, false);
	ex_set_unref(l->set);
	return RPC_NEXT;
}

/* ------ change ------ */

/* The request again, because its frame is gone by the time a worker looks at it. */
struct export_change {
	size_t len;
	struct ex_result result;
	char summary[RPC_TEXT_MAX / 2];
	uint8_t bytes[];
};

static void
change_free(void *more)
{
	struct export_change *c = more;

	if (c == NULL)
		return;
	explicit_bzero(c->bytes, c->len);	/* there may be secrets */
	free(c);
}

static void
secret_take(struct ex_secret *to, const ProtobufCBinaryData *from)
{
	to->len = from->len > EX_SECRET_MAX ? EX_SECRET_MAX + 1 : (uint16_t)from->len;
	if (from->len == 0)
		return;
	memcpy(to->bytes, from->data, to->len);
	explicit_bzero(from->data, from->len);
}

struct edit_draft {
	struct ex_edit edit;
	struct ex_setting settings[EX_KEYS_MAX];
	struct ex_secret secret, mutual_secret;
};

/* NULL, or what is wrong with its form */
static const char *
edit_take(struct edit_draft *d, const Scsad__Edit *msg)
{
	static const enum ex_verb verbs[] = {
		[SCSAD__EDIT_VERB__EDIT_ADD] = EX_ADD,
		[SCSAD__EDIT_VERB__EDIT_SET] = EX_SET,
		[SCSAD__EDIT_VERB__EDIT_REMOVE] = EX_REMOVE,
	};

	if (msg->verb == SCSAD__EDIT_VERB__EDIT_NONE || kind_of(msg->kind) == EX_KIND_N)
		return "an edit needs a verb and a kind of object";
	if (msg->n_settings > EX_KEYS_MAX)
		return "an edit has more keys than there are";
	d->edit = (struct ex_edit){ .verb = verbs[msg->verb], .kind = kind_of(msg->kind),
		.name = msg->name, .settings = d->settings, .n_settings = msg->n_settings };
	for (size_t i = 0; i < msg->n_settings; i++) {
		const Scsad__Setting *s = msg->settings[i];

		if (s->key == NULL)
			return "a setting needs a key";
		d->settings[i] = (struct ex_setting){ s->key,
			(const char *const *)s->values, s->n_values };
	}
	if (msg->has_secret) {
		secret_take(&d->secret, &msg->secret);
		d->edit.secret = &d->secret;
	}
	if (msg->has_mutual_secret) {
		secret_take(&d->mutual_secret, &msg->mutual_secret);
		d->edit.mutual_secret = &d->mutual_secret;
	}
	return NULL;
}

static void
change_summary(struct export_change *c, const Scsad__ExportChangeRequest *req)
{
	static const char *const verbs[] = { "?", "added", "changed", "removed" };
	const Scsad__Edit *first = req->edits[0];
	char more[32] = "";

	if (req->n_edits > 1)
		(void)snprintf(more, sizeof(more), ", %zu more", req->n_edits - 1);
	if (first->name == NULL)
		(void)snprintf(c->summary, sizeof(c->summary), "%s %s%s",
		    ex_kind_name(kind_of(first->kind)), verbs[first->verb], more);
	else
		(void)snprintf(c->summary, sizeof(c->summary), "%s '%s' %s%s",
		    ex_kind_name(kind_of(first->kind)), ex_shown(first->name),
		    verbs[first->verb], more);
}

static int
change_do(struct rpc_call *call, const Scsad__ExportChangeRequest *req)
{
	struct export_change *c = call->more;
	size_t n = req->n_edits;
	struct edit_draft *drafts = fault_hit() ? NULL : calloc(n + 1, sizeof(*drafts));
	CLEANUP(free_ptr) struct ex_edit *edits = calloc(n + 1, sizeof(*edits));
	const char *wrong = n == 0 ? "there is nothing to change" : NULL;
	int r = -ENOMEM;

	for (size_t i = 0; drafts != NULL && edits != NULL && wrong == NULL && i < n; i++) {
		wrong = edit_take(&drafts[i], req->edits[i]);
		edits[i] = drafts[i].edit;
	}
	if (wrong != NULL) {
		(void)text_copy(c->result.text, sizeof(c->result.text), wrong);
		r = -EINVAL;
	} else if (drafts != NULL && edits != NULL) {
		change_summary(c, req);
		r = exports_change(call->loop->server->exports, edits, n, req->generation,
		    &c->result);
	}
	if (drafts != NULL)
		explicit_bzero(drafts, (n + 1) * sizeof(*drafts));
	free(drafts);
	return r;
}

static void
change_tell(const struct rpc_call *call, const char *what)
{
	const struct export_change *c = call->more;
	bool is_lost = !c->result.is_kept && call->req.method != METHOD_EXPORT_RELOAD;

	log_notice("exports: %s, generation %llu, asked for by uid %u%s", what,
	    (unsigned long long)c->result.generation, call->req.conn->cred.uid,
	    is_lost ? "; not kept over a restart, there is no state_dir" : "");
	rpc_event_publish(
	    call->loop->server, SCSAD__EVENT_KIND__EVENT_EXPORTS, "exports", what);
}

static void
change_work(struct rpc_call *call)
{
	struct export_change *c = call->more;
	Scsad__ExportChangeRequest *req = scsad__export_change_request__unpack(NULL, c->len,
	    c->bytes);

	call->result = req == NULL ? -ENOMEM : change_do(call, req);
	if (req != NULL)
		scsad__export_change_request__free_unpacked(req, NULL);
	if (call->result == 0)
		change_tell(call, c->summary);
}

static void
reload_work(struct rpc_call *call)
{
	struct export_change *c = call->more;

	call->result = exports_reload(call->loop->server->exports, &c->result);
	if (call->result == 0)
		change_tell(call, "read again");
}

static void
change_reply(struct rpc_call *call)
{
	const struct export_change *c = call->more;
	Scsad__ExportChangeReply reply = SCSAD__EXPORT_CHANGE_REPLY__INIT;

	if (call->result < 0) {
		exports_refuse(call->req.conn, call->req.id, call->req.method, call->result,
		    c->result.text[0] != '\0' ? c->result.text : strerror(-call->result));
		return;
	}
	reply.has_generation = reply.has_is_kept = 1;
	reply.generation = c->result.generation;
	reply.is_kept = c->result.is_kept;
	rpc_reply(call->req.conn, call->req.id, call->req.method, &reply.base, false);
}

static void
change_start(const struct rpc_in *in, const ProtobufCMessage *msg,
    void (*work)(struct rpc_call *call))
{
	struct rpc_call *call = rpc_call_new(in);
	size_t len = msg == NULL ? 0 : protobuf_c_message_get_packed_size(msg);
	struct export_change *c;

	if (call == NULL)
		return;
	c = fault_hit() ? NULL : calloc(1, sizeof(*c) + len);
	if (c == NULL) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), in->frame->head.method, -ENOMEM,
		    NULL);
		rpc_call_free(call);
		return;
	}
	c->len = len;
	if (msg != NULL)
		(void)protobuf_c_message_pack(msg, c->bytes);
	call->more = c;
	call->more_free = change_free;
	call->work_fn = work;
	call->reply_fn = change_reply;
	rpc_call_work(call);
}

enum rpc_go
rpc_export_change(const struct rpc_in *in)
{
	const Scsad__ExportChangeRequest *req = (const void *)in->msg;

	if (has_exports(in))
		change_start(in, in->msg, change_work);
	/* in the arena nobody needs them any more */
	for (size_t i = 0; i < req->n_edits; i++) {
		if (req->edits[i]->secret.len > 0)
			explicit_bzero(req->edits[i]->secret.data, req->edits[i]->secret.len);
		if (req->edits[i]->mutual_secret.len > 0)
			explicit_bzero(req->edits[i]->mutual_secret.data,
			    req->edits[i]->mutual_secret.len);
	}
	return RPC_NEXT;
}

enum rpc_go
rpc_export_reload(const struct rpc_in *in)
{
	if (has_exports(in))
		change_start(in, NULL, reload_work);
	return RPC_NEXT;
}
