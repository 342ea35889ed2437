#include <errno.h>
#include <string.h>

#include "client/pool.h"
#include "client/scsac_impl.h"

/* ------ list ------ */

static int
values_append(struct scsac_objects *list, struct scsac_setting *to, const Scsad__Setting *msg)
{
	const char **values;

	values = pool_append(list, to->values, to->n_values, msg->n_values, sizeof(*values));
	if (values == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < msg->n_values; i++) {
		values[to->n_values + i] = pool_text(list, msg->values[i]);
		if (values[to->n_values + i] == NULL)
			return -ENOMEM;
	}
	to->values = values;
	to->n_values += msg->n_values;
	return 0;
}

static int
settings_copy(struct scsac_objects *list, Scsad__Setting *const *msgs, size_t n,
    const struct scsac_setting **ret)
{
	struct scsac_setting *settings = pool_alloc(list, (n + 1) * sizeof(*settings));

	if (settings == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		settings[i].key = pool_text(list, msgs[i]->key);
		if (settings[i].key == NULL || values_append(list, &settings[i], msgs[i]) < 0)
			return -ENOMEM;
	}
	*ret = settings;
	return 0;
}

/* a further piece of the last object: the values of its lists go on */
static int
object_extend(struct scsac_objects *list, struct scsac_object *o, const Scsad__Object *msg)
{
	struct scsac_setting *settings = (struct scsac_setting *)(uintptr_t)o->settings;

	for (size_t i = 0; i < msg->n_settings; i++)
		for (size_t k = 0; k < o->n_settings; k++)
			if (msg->settings[i]->key != NULL &&
			    strcmp(settings[k].key, msg->settings[i]->key) == 0 &&
			    values_append(list, &settings[k], msg->settings[i]) < 0)
				return -ENOMEM;
	return 0;
}

static int
object_copy(struct scsac_objects *list, struct scsac_object *o, const Scsad__Object *msg)
{
	const struct pool_pair pairs[] = {
		{ &o->name, msg->name },
		{ &o->origin, msg->origin },
	};

	o->kind = msg->kind;
	o->n_settings = msg->n_settings;
	o->n_facts = msg->n_facts;
	if (pool_texts(list, pairs, ARRAY_LEN(pairs)) < 0 ||
	    settings_copy(list, msg->settings, msg->n_settings, &o->settings) < 0)
		return -ENOMEM;
	return settings_copy(list, msg->facts, msg->n_facts, &o->facts);
}

static int
object_take(struct scsac_objects *list, const Scsad__Object *msg)
{
	struct scsac_object *objects = (struct scsac_object *)(uintptr_t)list->objects;
	size_t n = list->n_objects;
	int r;

	if (n > 0 && objects[n - 1].kind == (unsigned)msg->kind && msg->name != NULL &&
	    strcmp(objects[n - 1].name, msg->name) == 0)
		return object_extend(list, &objects[n - 1], msg);
	objects = pool_append(list, objects, n, 1, sizeof(*objects));
	if (objects == NULL)
		return -ENOMEM;
	r = object_copy(list, &objects[n], msg);
	if (r < 0)
		return r;
	list->objects = objects;
	list->n_objects++;
	return 0;
}

static int
list_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__ExportListReply *msg = (const void *)reply;
	struct scsac_objects *list = call->arg;
	int r = 0;

	list->generation = msg->generation;
	for (size_t i = 0; r == 0 && i < msg->n_objects; i++)
		r = object_take(list, msg->objects[i]);
	return r;
}

static void
objects_freep(struct scsac_objects **list)
{
	scsac_objects_free(*list);
}

int
scsac_export_list(struct scsac *c, unsigned kind, const char *name, struct scsac_objects **ret)
{
	CLEANUP(objects_freep) struct scsac_objects *list = pool_new(sizeof(*list));
	Scsad__ExportListRequest msg = SCSAD__EXPORT_LIST_REQUEST__INIT;
	int r;

	if (list == NULL)
		return error_local(c, -ENOMEM, "", "out of memory");
	msg.has_kind = 1;
	msg.kind = (Scsad__ObjectKind)kind;
	msg.name = (char *)(uintptr_t)name;
	r = call_run(c, METHOD_EXPORT_LIST, &msg.base, list_take, list);
	if (r < 0)
		return r;
	*ret = STEAL(list);
	return 0;
}

void
scsac_objects_free(struct scsac_objects *list)
{
	pool_free(list);
}

/* ------ change ------ */

static int
change_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__ExportChangeReply *msg = (const void *)reply;
	struct scsac_export_result *ret = call->arg;

	ret->generation = msg->generation;
	ret->is_kept = msg->is_kept;
	return 0;
}

struct edit_msg {
	Scsad__Edit edit;
	Scsad__Setting *settings;
	Scsad__Setting **list;
};

static void
bytes_set(protobuf_c_boolean *has, ProtobufCBinaryData *to, const void *bytes, size_t len)
{
	*has = bytes != NULL;
	to->data = (uint8_t *)(uintptr_t)bytes;
	to->len = len;
}

static int
edit_fill(void *pool, struct edit_msg *m, const struct scsac_edit *edit)
{
	scsad__edit__init(&m->edit);
	m->settings = pool_alloc(pool, (edit->n_settings + 1) * sizeof(*m->settings));
	m->list = pool_alloc(pool, (edit->n_settings + 1) * sizeof(*m->list));
	if (m->settings == NULL || m->list == NULL)
		return -ENOMEM;
	m->edit.has_verb = m->edit.has_kind = 1;
	m->edit.verb = (Scsad__EditVerb)edit->verb;
	m->edit.kind = (Scsad__ObjectKind)edit->kind;
	m->edit.name = (char *)(uintptr_t)edit->name;
	m->edit.settings = m->list;
	m->edit.n_settings = edit->n_settings;
	for (size_t i = 0; i < edit->n_settings; i++) {
		scsad__setting__init(&m->settings[i]);
		m->settings[i].key = (char *)(uintptr_t)edit->settings[i].key;
		m->settings[i].values = (char **)(uintptr_t)edit->settings[i].values;
		m->settings[i].n_values = edit->settings[i].n_values;
		m->list[i] = &m->settings[i];
	}
	bytes_set(&m->edit.has_secret, &m->edit.secret, edit->secret, edit->secret_len);
	bytes_set(&m->edit.has_mutual_secret, &m->edit.mutual_secret, edit->mutual_secret,
	    edit->mutual_secret_len);
	return 0;
}

int
scsac_export_change(struct scsac *c, const struct scsac_edit *edits, size_t n_edits,
    uint64_t generation, struct scsac_export_result *ret)
{
	Scsad__ExportChangeRequest msg = SCSAD__EXPORT_CHANGE_REQUEST__INIT;
	struct scsac_export_result answer = { 0 };
	void *pool = pool_new(1);
	struct edit_msg *edit_msgs = pool == NULL ? NULL :
	    pool_alloc(pool, (n_edits + 1) * sizeof(*edit_msgs));
	Scsad__Edit **list = pool == NULL ? NULL :
	    pool_alloc(pool, (n_edits + 1) * sizeof(*list));
	int r = edit_msgs == NULL || list == NULL ? -ENOMEM : 0;

	for (size_t i = 0; r == 0 && i < n_edits; i++) {
		r = edit_fill(pool, &edit_msgs[i], &edits[i]);
		list[i] = &edit_msgs[i].edit;
	}
	if (r < 0) {
		pool_free(pool);
		return error_local(c, r, "", "out of memory");
	}
	msg.edits = list;
	msg.n_edits = n_edits;
	msg.has_generation = 1;
	msg.generation = generation;
	r = call_run(c, METHOD_EXPORT_CHANGE, &msg.base, change_take, &answer);
	pool_free(pool);
	if (r == 0 && ret != NULL)
		*ret = answer;
	return r;
}

int
scsac_export_reload(struct scsac *c, struct scsac_export_result *ret)
{
	Scsad__ExportReloadRequest msg = SCSAD__EXPORT_RELOAD_REQUEST__INIT;
	struct scsac_export_result answer = { 0 };
	int r = call_run(c, METHOD_EXPORT_RELOAD, &msg.base, change_take, &answer);

	if (r == 0 && ret != NULL)
		*ret = answer;
	return r;
}
