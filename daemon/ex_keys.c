#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/num.h"
#include "base/text.h"
#include "daemon/ex_finish.h"
#include "daemon/ex_impl.h"
#include "lu/lu.h"

enum ex_type { TYPE_WORD, TYPE_LIST, TYPE_NUMBER, TYPE_BOOL, TYPE_ENUM };

struct ex_key {
	const char *key;
	enum ex_type type;
	size_t at;			/* member of the object */
	uint32_t min, max;		/* NUMBER; ENUM: names below max */
	uint32_t preset;
	const char *const *names;	/* ENUM: by value; NULL in between */
};

struct ex_kind_info {
	const char *name, *plural;
	size_t size, max;
	const char *name_key;		/* NULL: the name is made */
	void (*fini)(struct ex_object *o);
	int (*finish)(struct ex_object *o, struct ex_fault *f);
	struct ex_key keys[EX_KEYS_MAX];
};

static const char *const group_states[] = {
	"optimized", "non-optimized", "standby", "unavailable", [14] = "offline",
};

static const char *const who_answers[] = { "emulate", "pass" };

#define ANSWER(member)                                                         \
	{ #member, TYPE_ENUM, AT(unit, member), .names = who_answers,          \
	    .max = ARRAY_LEN(who_answers) }
#define STEP(word, step, seconds)                                              \
	{ "recover_" word, TYPE_NUMBER, AT(unit, times.step_s[step]),          \
	    .max = EX_RECOVER_MAX_S, .preset = seconds }
#define WEIGHT(kind)                                                           \
	{ "weight", TYPE_NUMBER, AT(kind, weight), .min = 1, .max = LU_WEIGHT_MAX, \
	    .preset = LU_WEIGHT_DEFAULT }
#define NAME		.at = offsetof(struct ex_object, name)
#define AT(kind, member)	.at = offsetof(struct ex_##kind, member)

static const struct ex_kind_info kinds[EX_KIND_N] = {
	[EX_PORTAL] = {
		"portal", "portals", sizeof(struct ex_portal), EX_PORTALS_MAX, "address",
		NULL, ex_portal_finish, {
		{ "address", TYPE_WORD, NAME },
		{ "group", TYPE_NUMBER, AT(portal, group), .min = 1, .max = 65535,
		    .preset = 1 },
	} },
	[EX_GROUP] = {
		"group", "groups", sizeof(struct ex_group), EX_GROUPS_MAX, "tag",
		NULL, ex_group_finish, {
		{ "tag", TYPE_WORD, NAME },
		{ "state", TYPE_ENUM, AT(group, state), .names = group_states,
		    .max = ARRAY_LEN(group_states) },
		{ "preferred", TYPE_BOOL, AT(group, is_preferred) },
	} },
	[EX_CHAP] = {
		"chap", "chap", sizeof(struct ex_chap), EX_CHAPS_MAX, "name",
		ex_chap_fini, ex_chap_finish, {
		{ "name", TYPE_WORD, NAME },
		{ "user", TYPE_WORD, AT(chap, user) },
		{ "secret_file", TYPE_WORD, AT(chap, secret_file) },
		{ "secret_credential", TYPE_WORD, AT(chap, secret_credential) },
		{ "mutual_user", TYPE_WORD, AT(chap, mutual_user) },
		{ "mutual_secret_file", TYPE_WORD, AT(chap, mutual_secret_file) },
		{ "mutual_secret_credential", TYPE_WORD, AT(chap, mutual_secret_credential) },
	} },
	[EX_ACL] = {
		"acl", "acls", sizeof(struct ex_acl), EX_ACLS_MAX, "name",
		ex_acl_fini, ex_acl_finish, {
		{ "name", TYPE_WORD, NAME },
		{ "initiators", TYPE_LIST, AT(acl, initiators) },
		{ "addresses", TYPE_LIST, AT(acl, addresses) },
	} },
	[EX_TARGET] = {
		"target", "targets", sizeof(struct ex_target), EX_TARGETS_MAX, "name",
		NULL, ex_target_finish, {
		{ "name", TYPE_WORD, NAME },
		{ "alias", TYPE_WORD, AT(target, alias) },
		{ "groups", TYPE_LIST, AT(target, groups) },
		{ "chap", TYPE_LIST, AT(target, chap) },
		{ "redirect", TYPE_WORD, AT(target, redirect) },
		{ "redirect_permanent", TYPE_BOOL, AT(target, is_redirect_permanent) },
		{ "nop_interval", TYPE_NUMBER, AT(target, nop_interval_s), .max = 86400,
		    .preset = 30 },
		{ "nop_timeout", TYPE_NUMBER, AT(target, nop_timeout_s), .min = 1,
		    .max = 86400, .preset = 30 },
		{ "max_sessions", TYPE_NUMBER, AT(target, sessions_max), .min = 1,
		    .max = 65535, .preset = 1024 },
		{ "max_connections", TYPE_NUMBER, AT(target, connections_max), .min = 1,
		    .max = 16, .preset = 8 },
		{ "recovery_level", TYPE_NUMBER, AT(target, recovery_level), .max = 2,
		    .preset = 2 },
		{ "time2retain", TYPE_NUMBER, AT(target, retain_s), .max = 3600,
		    .preset = 20 },
		{ "max_time2wait", TYPE_NUMBER, AT(target, wait_max_s), .min = 2,
		    .max = 3600, .preset = 60 },
		{ "window", TYPE_NUMBER, AT(target, window), .min = 1, .max = 1024,
		    .preset = 128 },
	} },
	[EX_EXPORT] = {
		"export", "exports", sizeof(struct ex_export), EX_EXPORTS_MAX, NULL,
		NULL, ex_export_finish, {
		{ "target", TYPE_WORD, AT(export, target) },
		{ "lun", TYPE_NUMBER, AT(export, lun), .max = EX_LUN_MAX,
		    .preset = UINT32_MAX },
		{ "unit", TYPE_WORD, AT(export, unit) },
		{ "acl", TYPE_WORD, AT(export, acl) },
		{ "allow_anyone", TYPE_BOOL, AT(export, allow_anyone) },
		{ "access", TYPE_LIST, AT(export, access) },
		WEIGHT(export),
	} },
	[EX_DISCOVERY] = {
		"discovery", "discovery", sizeof(struct ex_discovery), 1, NULL,
		NULL, ex_discovery_finish, {
		{ "chap", TYPE_LIST, AT(discovery, chap) },
	} },
	[EX_LOCAL] = {
		"local", "local", sizeof(struct ex_local), EX_LOCALS_MAX, "who",
		NULL, ex_local_finish, {
		{ "who", TYPE_WORD, NAME },
		{ "units", TYPE_LIST, AT(local, units) },
		{ "access", TYPE_LIST, AT(local, access) },
		WEIGHT(local),
	} },
	[EX_UNIT] = {
		"unit", "units", sizeof(struct ex_unit), EX_UNITS_MAX, "unit",
		NULL, ex_unit_finish, {
		{ "unit", TYPE_WORD, NAME },
		ANSWER(reservations),
		ANSWER(alua),
		ANSWER(inquiry),
		ANSWER(opcodes),
		ANSWER(copy),
		ANSWER(prevent),
		{ "depth", TYPE_NUMBER, AT(unit, depth), .max = EX_DEPTH_MAX },
		{ "command_timeout", TYPE_NUMBER, AT(unit, timeout_s), .min = 1,
		    .max = EX_TIMEOUT_MAX_S, .preset = LU_TIMEOUT_DEFAULT_MS / 1000 },
		{ "recover_grace", TYPE_NUMBER, AT(unit, times.grace_s), .min = 1,
		    .max = EX_RECOVER_MAX_S, .preset = LU_EXPIRE_GRACE_S },
		STEP("abort", LU_RECOVER_ABORT, LU_RECOVER_ABORT_S),
		STEP("lun", LU_RECOVER_LUN, LU_RECOVER_LUN_S),
		STEP("target", LU_RECOVER_TARGET, LU_RECOVER_TARGET_S),
		STEP("bus", LU_RECOVER_BUS, LU_RECOVER_BUS_S),
		STEP("hba", LU_RECOVER_HBA, LU_RECOVER_HBA_S),
	} },
	[EX_PORT] = {
		"port", "ports", sizeof(struct ex_port), EX_KNOWN_PORTS_MAX, "port",
		NULL, ex_port_finish, {
		{ "port", TYPE_WORD, NAME },
		{ "rtpi", TYPE_NUMBER, AT(port, rtpi), .min = 1, .max = EX_RTPI_MAX,
		    .preset = UINT32_MAX },
	} },
};

const char *
ex_kind_name(enum ex_kind kind)
{
	return kinds[kind].name;
}

const char *
ex_kind_plural(enum ex_kind kind)
{
	return kinds[kind].plural;
}

size_t
ex_kind_max(enum ex_kind kind)
{
	return kinds[kind].max;
}

const char *
ex_key_of_name(enum ex_kind kind)
{
	return kinds[kind].name_key;
}

static const struct ex_key *
key_find(enum ex_kind kind, const char *key)
{
	for (const struct ex_key *k = kinds[kind].keys; k < &kinds[kind].keys[EX_KEYS_MAX] &&
	    k->key != NULL; k++)
		if (strcmp(k->key, key) == 0)
			return k;
	return NULL;
}

bool
ex_key_is(enum ex_kind kind, const char *key)
{
	return key_find(kind, key) != NULL;
}

/* ------ complaints ------ */

const char *
ex_shown(const char *word)
{
	static _Thread_local char buffers[4][128];
	static _Thread_local unsigned int next;
	char *buf = buffers[next++ % ARRAY_LEN(buffers)];

	return text_escape(word, strlen(word), buf, sizeof(buffers[0]));
}

int
ex_complain(struct ex_fault *f, const struct ex_object *o, int err, const char *key,
    size_t index, const char *fmt, ...)
{
	va_list ap;

	f->kind = o == NULL ? EX_KIND_N : o->kind;
	f->from = o == NULL ? EX_FROM_N : o->from;
	f->at = o == NULL ? 0 : o->at;
	f->key = key;
	f->index = index;
	f->name[0] = '\0';
	if (o != NULL && o->name != NULL)
		(void)text_escape(o->name, strlen(o->name), f->name, sizeof(f->name));
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	return err;
}

void
ex_fault_format(const struct ex_fault *f, char *dst, size_t size)
{
	if (f->kind == EX_KIND_N)
		(void)text_copy(dst, size, f->text);
	else if (f->name[0] == '\0')
		(void)snprintf(dst, size, "%s: %s%s%s", ex_kind_name(f->kind),
		    f->key != NULL ? f->key : "", f->key != NULL ? ": " : "", f->text);
	else
		(void)snprintf(dst, size, "%s '%s': %s%s%s", ex_kind_name(f->kind), f->name,
		    f->key != NULL ? f->key : "", f->key != NULL ? ": " : "", f->text);
}

/* ------ values ------ */

static void *
member(struct ex_object *o, const struct ex_key *k)
{
	return (char *)o + k->at;
}

static const void *
member_of(const struct ex_object *o, const struct ex_key *k)
{
	return (const char *)o + k->at;
}

static void
words_fini(struct ex_words *words)
{
	for (size_t i = 0; i < words->n; i++)
		free(words->v[i]);
	free(words->v);
	*words = (struct ex_words){ NULL, 0 };
}

static int
list_set(struct ex_words *words, const struct ex_setting *s)
{
	words_fini(words);
	if (s->n_values == 0)
		return 0;
	words->v = fault_hit() ? NULL : calloc(s->n_values, sizeof(words->v[0]));
	if (words->v == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_values; i++) {
		words->v[i] = fault_hit() ? NULL :
		    strdup(s->values[i] == NULL ? "" : s->values[i]);
		if (words->v[i] == NULL)
			return -ENOMEM;
		words->n++;
	}
	return 0;
}

static int
word_set(char **ret, const char *word)
{
	char *copy = fault_hit() ? NULL : strdup(word);

	if (copy == NULL)
		return -ENOMEM;
	free(*ret);
	*ret = copy;
	return 0;
}

static int
number_set(struct ex_object *o, const struct ex_key *k, const char *word, struct ex_fault *f)
{
	uint64_t n = 0;

	if (num_parse_u64(word, k->max, &n) < 0 || n < k->min)
		return ex_complain(f, o, -EINVAL, k->key, 0,
		    "'%s' is no number from %u to %u", ex_shown(word), k->min, k->max);
	*(uint32_t *)member(o, k) = (uint32_t)n;
	return 0;
}

static int
bool_set(struct ex_object *o, const struct ex_key *k, const char *word, struct ex_fault *f)
{
	static const char *const yes[] = { "yes", "on", "true", "1" };
	static const char *const no[] = { "no", "off", "false", "0" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcmp(word, yes[i]) != 0 && strcmp(word, no[i]) != 0)
			continue;
		*(bool *)member(o, k) = strcmp(word, yes[i]) == 0;
		return 0;
	}
	return ex_complain(f, o, -EINVAL, k->key, 0, "'%s' is neither yes nor no",
	    ex_shown(word));
}

static int
enum_set(struct ex_object *o, const struct ex_key *k, const char *word, struct ex_fault *f)
{
	char known[200] = "";
	size_t n = 0;

	for (uint32_t i = 0; i < k->max; i++) {
		if (k->names[i] == NULL)
			continue;
		if (strcmp(word, k->names[i]) == 0) {
			*(uint32_t *)member(o, k) = i;
			return 0;
		}
		n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s",
		    n == 0 ? "" : ", ", k->names[i]);
	}
	return ex_complain(f, o, -EINVAL, k->key, 0, "'%s' is unknown, there are: %s",
	    ex_shown(word), known);
}

static int
value_set(struct ex_object *o, const struct ex_key *k, const struct ex_setting *s,
    struct ex_fault *f)
{
	if (k->type == TYPE_LIST)
		return list_set(member(o, k), s);
	if (s->n_values == 0)
		return 0;
	if (s->n_values > 1)
		return ex_complain(f, o, -EINVAL, k->key, 1, "takes one word");
	switch (k->type) {
	case TYPE_WORD:
		return word_set(member(o, k), s->values[0]);
	case TYPE_NUMBER:
		return number_set(o, k, s->values[0], f);
	case TYPE_BOOL:
		return bool_set(o, k, s->values[0], f);
	case TYPE_ENUM:
		return enum_set(o, k, s->values[0], f);
	case TYPE_LIST:
		break;
	}
	return 0;
}

/* ------ objects ------ */

struct ex_object *
ex_object_ref(struct ex_object *o)
{
	(void)atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
	return o;
}

void
ex_object_unref(struct ex_object *o)
{
	if (o == NULL || atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (kinds[o->kind].fini != NULL)
		kinds[o->kind].fini(o);
	for (const struct ex_key *k = kinds[o->kind].keys; k->key != NULL; k++) {
		if (k->type == TYPE_WORD && k->at != offsetof(struct ex_object, name))
			free(*(char **)member(o, k));
		else if (k->type == TYPE_LIST)
			words_fini(member(o, k));
	}
	free(o->name);
	free(o);
}

static void
object_unrefp(struct ex_object **o)
{
	ex_object_unref(*o);
}

static struct ex_object *
object_begin(enum ex_kind kind, enum ex_from from, size_t at)
{
	struct ex_object *o = fault_hit() ? NULL : calloc(1, kinds[kind].size);

	if (o == NULL)
		return NULL;
	atomic_store_explicit(&o->refs, 1, memory_order_relaxed);
	o->kind = kind;
	o->from = from;
	o->at = at;
	for (const struct ex_key *k = kinds[kind].keys; k->key != NULL; k++)
		if (k->type == TYPE_NUMBER)
			*(uint32_t *)member(o, k) = k->preset;
	return o;
}

static const struct ex_setting *
setting_find(const struct ex_setting *settings, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(settings[i].key, key) == 0)
			return &settings[i];
	return NULL;
}

/* what @base says and @settings do not */
static int
base_take(struct ex_object *o, const struct ex_object *base, const struct ex_setting *settings,
    size_t n, struct ex_fault *f)
{
	struct ex_dump dump;
	int r = 0;

	ex_object_dump(base, false, &dump);
	for (size_t i = 0; r == 0 && i < dump.n; i++) {
		const struct ex_dump_key *d = &dump.keys[i];

		if (setting_find(settings, n, d->key) == NULL)
			r = value_set(o, key_find(o->kind, d->key),
			    &(struct ex_setting){ d->key, d->v, d->n }, f);
	}
	return r;
}

static int
settings_take(struct ex_object *o, const struct ex_setting *settings, size_t n,
    struct ex_fault *f)
{
	for (size_t i = 0; i < n; i++) {
		const struct ex_key *k = key_find(o->kind, settings[i].key);
		int r;

		if (k == NULL)
			return ex_complain(f, o, -EINVAL, NULL, 0, "there is no key '%s'",
			    ex_shown(settings[i].key));
		if (setting_find(settings, i, settings[i].key) != NULL)
			return ex_complain(f, o, -EINVAL, k->key, 0, "is there twice");
		r = value_set(o, k, &settings[i], f);
		if (r < 0)
			return r;
	}
	return 0;
}

int
ex_object_new(enum ex_kind kind, enum ex_from from, size_t at, const char *name,
    const struct ex_object *base, const struct ex_setting *settings, size_t n_settings,
    struct ex_object **ret, struct ex_fault *reterr)
{
	CLEANUP(object_unrefp) struct ex_object *o = object_begin(kind, from, at);
	int r = o == NULL ? -ENOMEM : 0;

	if (r == 0 && name != NULL)
		r = word_set(&o->name, name);
	if (r == 0 && base != NULL)
		r = base_take(o, base, settings, n_settings, reterr);
	if (r == 0)
		r = settings_take(o, settings, n_settings, reterr);
	if (r == 0 && o->name == NULL && kinds[kind].name_key != NULL)
		r = ex_complain(reterr, o, -EINVAL, NULL, 0, "needs %s", kinds[kind].name_key);
	if (r == 0)
		r = kinds[kind].finish(o, reterr);
	if (r == -ENOMEM)
		return ex_complain(reterr, o, -ENOMEM, NULL, 0, "out of memory");
	if (r < 0)
		return r;
	*ret = STEAL(o);
	return 0;
}

/* ------ words of an object ------ */

static bool
value_is_preset(const struct ex_object *o, const struct ex_key *k)
{
	switch (k->type) {
	case TYPE_WORD:
		return *(char *const *)member_of(o, k) == NULL;
	case TYPE_LIST:
		return ((const struct ex_words *)member_of(o, k))->n == 0;
	case TYPE_BOOL:
		return !*(const bool *)member_of(o, k);
	case TYPE_NUMBER:
	case TYPE_ENUM:
		break;
	}
	return *(const uint32_t *)member_of(o, k) == k->preset;
}

static void
value_dump(const struct ex_object *o, const struct ex_key *k, struct ex_dump_key *d)
{
	d->key = k->key;
	d->is_list = k->type == TYPE_LIST;
	d->v = &d->one;
	d->n = 1;
	switch (k->type) {
	case TYPE_LIST:
		d->v = (const char *const *)((const struct ex_words *)member_of(o, k))->v;
		d->n = ((const struct ex_words *)member_of(o, k))->n;
		break;
	case TYPE_WORD:
		d->one = *(char *const *)member_of(o, k);
		d->n = d->one != NULL;
		break;
	case TYPE_BOOL:
		d->one = *(const bool *)member_of(o, k) ? "yes" : "no";
		break;
	case TYPE_ENUM:
		d->one = k->names[*(const uint32_t *)member_of(o, k)];
		break;
	case TYPE_NUMBER:
		(void)snprintf(d->text, sizeof(d->text), "%u",
		    *(const uint32_t *)member_of(o, k));
		d->one = d->text;
		break;
	}
}

void
ex_object_dump(const struct ex_object *o, bool want_all, struct ex_dump *dump)
{
	dump->n = 0;
	for (const struct ex_key *k = kinds[o->kind].keys; k->key != NULL; k++)
		if (want_all || !value_is_preset(o, k))
			value_dump(o, k, &dump->keys[dump->n++]);
}

static bool
words_same(const struct ex_words *a, const struct ex_words *b)
{
	bool is_same = a->n == b->n;

	for (size_t i = 0; is_same && i < a->n; i++)
		is_same = strcmp(a->v[i], b->v[i]) == 0;
	return is_same;
}

static bool
value_same(const struct ex_object *a, const struct ex_object *b, const struct ex_key *k)
{
	const char *wa, *wb;

	switch (k->type) {
	case TYPE_LIST:
		return words_same(member_of(a, k), member_of(b, k));
	case TYPE_WORD:
		wa = *(char *const *)member_of(a, k);
		wb = *(char *const *)member_of(b, k);
		return wa == wb || (wa != NULL && wb != NULL && strcmp(wa, wb) == 0);
	case TYPE_BOOL:
		return *(const bool *)member_of(a, k) == *(const bool *)member_of(b, k);
	case TYPE_NUMBER:
	case TYPE_ENUM:
		break;
	}
	return *(const uint32_t *)member_of(a, k) == *(const uint32_t *)member_of(b, k);
}

bool
ex_object_same(const struct ex_object *a, const struct ex_object *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind || strcmp(a->name, b->name) != 0)
		return false;
	for (const struct ex_key *k = kinds[a->kind].keys; k->key != NULL; k++)
		if (!value_same(a, b, k))
			return false;
	return a->kind != EX_CHAP || ex_chap_secrets_same(a, b);
}

bool
ex_words_has(const struct ex_words *words, const char *word)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->v[i], word) == 0)
			return true;
	return false;
}

bool
ex_words_fit(const struct ex_words *words, const char *word)
{
	for (size_t i = 0; i < words->n; i++) {
		size_t len = strlen(words->v[i]);

		if (len > 0 && words->v[i][len - 1] == '*' ?
		    strncmp(words->v[i], word, len - 1) == 0 :
		    strcmp(words->v[i], word) == 0)
			return true;
	}
	return false;
}
