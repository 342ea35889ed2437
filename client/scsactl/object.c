#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "client/scsactl/object.h"
#include "client/scsactl/out.h"

/* ------ drafts ------ */

void
draft_init(struct object_draft *d, enum scsac_edit_verb verb, enum scsac_object_kind kind,
    const char *name)
{
	memset(d, 0, sizeof(*d));
	d->edit.verb = verb;
	d->edit.kind = kind;
	d->edit.name = name;
	d->edit.settings = d->settings;
}

void
draft_fini(struct object_draft *d)
{
	for (size_t i = 0; i < OBJECT_KEYS_MAX; i++) {
		free(d->words[i]);
		free(d->lists[i]);
	}
}

void
draft_word(struct object_draft *d, const char *key, const char *value)
{
	size_t i = d->edit.n_settings;

	d->one[i] = value;
	d->settings[i] = (struct scsac_setting){ key, &d->one[i], 1 };
	d->edit.n_settings++;
}

/* "a,b,c"; "" is an empty list */
static bool
draft_list(struct object_draft *d, const char *key, const char *value)
{
	size_t i = d->edit.n_settings, n = 1, k = 0;
	char *rest;

	for (const char *c = value; *c != '\0'; c++)
		n += *c == ',';
	d->words[i] = strdup(value);
	d->lists[i] = calloc(n, sizeof(d->lists[i][0]));
	if (d->words[i] == NULL || d->lists[i] == NULL)
		return false;
	rest = d->words[i];
	while (value[0] != '\0' && rest != NULL)
		d->lists[i][k++] = strsep(&rest, ",");
	d->settings[i] = (struct scsac_setting){ key, d->lists[i], k };
	d->edit.n_settings++;
	return true;
}

static bool
opt_is_list(const struct verb_opt *opt)
{
	size_t len = opt->arg == NULL ? 0 : strlen(opt->arg);

	return len > 4 && strcmp(opt->arg + len - 4, ",...") == 0;
}

/* "nop-interval" is key "nop_interval"; keys live as long as the program */
static const char *
opt_key(const char *name)
{
	static char keys[64][32];
	static size_t n;
	char key[sizeof(keys[0])];

	(void)text_copy(key, sizeof(key), name);
	for (char *c = key; *c != '\0'; c++)
		*c = *c == '-' ? '_' : *c;
	for (size_t i = 0; i < n; i++)
		if (strcmp(keys[i], key) == 0)
			return keys[i];
	if (n == ARRAY_LEN(keys))
		return name;
	(void)text_copy(keys[n], sizeof(keys[n]), key);
	return keys[n++];
}

enum ctl_exit
draft_opts(struct ctl *ctl, struct object_draft *d, const struct args *args, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct verb_opt *opt = &ctl->verb->opts[i];
		const char *key = opt_key(opt->name), *value = args->opt[i];

		if (value == NULL)
			continue;
		if (opt_is_list(opt)) {
			if (!draft_list(d, key, value))
				return ctl_fail(ctl, CTL_OTHER, "out of memory");
		} else if (opt->arg == NULL) {
			draft_word(d, key, "yes");
		} else {
			draft_word(d, key, value);
			/* nothing given: back to the default */
			if (value[0] == '\0')
				d->settings[d->edit.n_settings - 1].n_values = 0;
		}
	}
	return CTL_OK;
}

enum ctl_exit
edits_send(struct ctl *ctl, const struct scsac_edit *edits, size_t n, uint64_t generation)
{
	struct scsac_export_result result;
	int r = scsac_export_change(ctl->conn, edits, n, generation, &result);

	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (ctl->is_json) {
		doc_number(ctl->root, "generation", result.generation);
		doc_bool(ctl->root, "kept", result.is_kept);
	} else if (!result.is_kept) {
		(void)fprintf(stderr, "scsactl: done until scsad ends: it has no state_dir to "
		    "keep it in\n");
	}
	return CTL_OK;
}

enum ctl_exit
draft_send(struct ctl *ctl, const struct object_draft *d)
{
	return edits_send(ctl, &d->edit, 1, 0);
}

static size_t
opts_count(const struct verb_opt *opts)
{
	size_t n = 0;

	while (opts != NULL && opts[n].name != NULL)
		n++;
	return n;
}

enum ctl_exit
object_edit(struct ctl *ctl, const struct args *args, enum scsac_edit_verb verb,
    enum scsac_object_kind kind)
{
	struct object_draft d;
	enum ctl_exit status;

	draft_init(&d, verb, kind, args->v[0]);
	status = draft_opts(ctl, &d, args, opts_count(ctl->verb->opts));
	if (status == CTL_OK)
		status = draft_send(ctl, &d);
	draft_fini(&d);
	return status;
}

enum ctl_exit
object_verb(struct ctl *ctl, enum scsac_object_kind kind, const char *name,
    enum scsac_edit_verb *ret)
{
	struct scsac_objects *list = NULL;
	int r = scsac_export_list(ctl->conn, kind, name, &list);

	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	*ret = list->n_objects > 0 ? SCSAC_EDIT_SET : SCSAC_EDIT_ADD;
	scsac_objects_free(list);
	return CTL_OK;
}

enum ctl_exit
object_put(struct ctl *ctl, const struct args *args, enum scsac_object_kind kind)
{
	enum scsac_edit_verb verb;
	enum ctl_exit status = object_verb(ctl, kind, args->v[0], &verb);

	return status == CTL_OK ? object_edit(ctl, args, verb, kind) : status;
}

/* ------ values ------ */

static const struct scsac_setting *
setting_find(const struct scsac_object *o, const char *key)
{
	for (size_t i = 0; i < o->n_settings; i++)
		if (strcmp(o->settings[i].key, key) == 0)
			return &o->settings[i];
	for (size_t i = 0; i < o->n_facts; i++)
		if (strcmp(o->facts[i].key, key) == 0)
			return &o->facts[i];
	return NULL;
}

static const char *
words_join(const struct scsac_setting *s)
{
	static char buffers[8][512];
	static size_t next;
	char *buf = buffers[next++ % ARRAY_LEN(buffers)];
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < s->n_values && n < sizeof(buffers[0]); i++)
		n += (size_t)snprintf(buf + n, sizeof(buffers[0]) - n, "%s%s",
		    i == 0 ? "" : ",", s->values[i]);
	if (n >= sizeof(buffers[0]))
		(void)memcpy(buf + sizeof(buffers[0]) - 4, "...", 4);
	return buf;
}

const char *
object_value(const struct scsac_object *o, const char *key)
{
	const struct scsac_setting *s = setting_find(o, key);

	if (strcmp(key, "name") == 0)
		return o->name;
	if (strcmp(key, "origin") == 0)
		return o->origin;
	return s == NULL ? "" : words_join(s);
}

/* ------ JSON ------ */

enum value_kind { VALUE_TEXT, VALUE_LIST, VALUE_NUMBER, VALUE_BOOL };

static enum value_kind
value_kind(const char *key)
{
	static const struct {
		const char *key;
		enum value_kind kind;
	} rows[] = {
		{ "groups", VALUE_LIST }, { "chap", VALUE_LIST }, { "initiators", VALUE_LIST },
		{ "addresses", VALUE_LIST }, { "access", VALUE_LIST }, { "units", VALUE_LIST },
		{ "group", VALUE_NUMBER }, { "tag", VALUE_NUMBER }, { "lun", VALUE_NUMBER },
		{ "rtpi", VALUE_NUMBER }, { "nop_interval", VALUE_NUMBER },
		{ "nop_timeout", VALUE_NUMBER }, { "max_sessions", VALUE_NUMBER },
		{ "max_connections", VALUE_NUMBER }, { "recovery_level", VALUE_NUMBER },
		{ "time2retain", VALUE_NUMBER }, { "max_time2wait", VALUE_NUMBER },
		{ "window", VALUE_NUMBER }, { "preferred", VALUE_BOOL },
		{ "redirect_permanent", VALUE_BOOL }, { "allow_anyone", VALUE_BOOL },
		{ "present", VALUE_BOOL }, { "weight", VALUE_NUMBER },
		{ "depth", VALUE_NUMBER }, { "command_timeout", VALUE_NUMBER },
		{ "recover_grace", VALUE_NUMBER }, { "recover_abort", VALUE_NUMBER },
		{ "recover_lun", VALUE_NUMBER }, { "recover_target", VALUE_NUMBER },
		{ "recover_bus", VALUE_NUMBER }, { "recover_hba", VALUE_NUMBER },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].key, key) == 0)
			return rows[i].kind;
	return VALUE_TEXT;
}

static void
setting_json(json_object *item, const struct scsac_setting *s)
{
	const char *one = s->n_values == 1 ? s->values[0] : "";
	json_object *list;
	uint64_t n = 0;

	switch (value_kind(s->key)) {
	case VALUE_LIST:
		list = doc_list(item, s->key);
		for (size_t i = 0; list != NULL && i < s->n_values; i++)
			(void)json_object_array_add(list, json_object_new_string(s->values[i]));
		return;
	case VALUE_NUMBER:
		if (num_parse_u64(one, INT64_MAX, &n) == 0) {
			doc_number(item, s->key, n);
			return;
		}
		break;
	case VALUE_BOOL:
		doc_bool(item, s->key, strcmp(one, "yes") == 0);
		return;
	case VALUE_TEXT:
		break;
	}
	if (s->n_values <= 1)
		doc_text(item, s->key, one);
	else
		doc_text(item, s->key, words_join(s));
}

void
object_json(json_object *item, const struct scsac_object *o)
{
	doc_text(item, "name", o->name);
	doc_text(item, "origin", o->origin);
	for (size_t i = 0; i < o->n_settings; i++)
		if (strcmp(o->settings[i].key, "name") != 0)
			setting_json(item, &o->settings[i]);
	for (size_t i = 0; i < o->n_facts; i++)
		setting_json(item, &o->facts[i]);
}

/* ------ lists ------ */

#define COLUMNS_MAX	8

static struct libscols_table *
columns_table(const struct object_column *columns)
{
	char titles[160] = "";
	size_t n = 0;

	for (size_t i = 0; columns[i].title != NULL; i++)
		n += (size_t)snprintf(titles + n, sizeof(titles) - n, "%s%s", i == 0 ? "" : ",",
		    columns[i].title);
	return table_new(titles);
}

static void
object_row(struct libscols_table *table, const struct object_column *columns,
    const struct scsac_object *o)
{
	const char *cells[COLUMNS_MAX + 1] = { NULL };

	for (size_t i = 0; i < COLUMNS_MAX && columns[i].title != NULL; i++)
		cells[i] = object_value(o, columns[i].key);
	table_row(table, cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6],
	    cells[7], NULL);
}

enum ctl_exit
objects_list(struct ctl *ctl, enum scsac_object_kind kind, const char *member,
    const struct object_column *columns, const char *name, bool want_names)
{
	struct libscols_table *table = NULL;
	struct scsac_objects *list = NULL;
	json_object *items;
	int r = scsac_export_list(ctl->conn, kind, name, &list);

	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (ctl->is_json)
		doc_number(ctl->root, "generation", list->generation);
	else if (!want_names)
		table = columns_table(columns);
	items = doc_list(ctl->is_json ? ctl->root : NULL, member);
	for (size_t i = 0; i < list->n_objects; i++) {
		if (ctl->is_json)
			object_json(doc_item(items), &list->objects[i]);
		else if (want_names)
			(void)printf("%s\n", escaped(list->objects[i].name));
		else
			object_row(table, columns, &list->objects[i]);
	}
	table_print(table);
	scsac_objects_free(list);
	return CTL_OK;
}

static void
object_print(const struct scsac_object *o)
{
	fact("name", "%s", o->name);
	for (size_t i = 0; i < o->n_settings; i++)
		if (strcmp(o->settings[i].key, "name") != 0 && o->settings[i].n_values > 0)
			fact(o->settings[i].key, "%s", words_join(&o->settings[i]));
	for (size_t i = 0; i < o->n_facts; i++)
		fact(o->facts[i].key, "%s", words_join(&o->facts[i]));
	fact("origin", "%s", o->origin);
}

enum ctl_exit
object_show(struct ctl *ctl, enum scsac_object_kind kind, const char *name)
{
	struct scsac_objects *list = NULL;
	int r = scsac_export_list(ctl->conn, kind, name, &list);

	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (list->n_objects == 0) {
		scsac_objects_free(list);
		return ctl_fail(ctl, CTL_NO_SUCH, "there is no '%s'", name);
	}
	if (ctl->is_json)
		object_json(ctl->root, &list->objects[0]);
	else
		object_print(&list->objects[0]);
	scsac_objects_free(list);
	return CTL_OK;
}
