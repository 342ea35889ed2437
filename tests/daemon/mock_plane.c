#include "mock_plane.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "check_dir.h"
#include "daemon/ex_impl.h"

/* ------ the plane ------ */

static int
plane_note(struct plane *p, const char *verb, const char *name)
{
	size_t n = strlen(p->log);

	(void)snprintf(p->log + n, sizeof(p->log) - n, "%s %s;", verb, name);
	if (p->refuse == NULL)
		return 0;
	return strncmp(p->log + n, p->refuse, strlen(p->refuse)) == 0 ? -EADDRINUSE : 0;
}

static int
portal_open(void *ctx, const struct ex_portal *portal, struct sockaddr_storage *ret_bound,
    void **ret_handle, char *reterr)
{
	struct plane *p = ctx;

	if (plane_note(p, "open", portal->o.name) < 0) {
		(void)snprintf(reterr, EX_ERR_LEN, "%s: Address already in use", portal->o.name);
		return -EADDRINUSE;
	}
	*ret_bound = portal->addr;
	*ret_handle = strdup(portal->o.name);
	ck_assert_ptr_nonnull(*ret_handle);
	p->n_portals++;
	return 0;
}

static void
portal_start(void *ctx, void *handle)
{
	(void)plane_note(ctx, "start", handle);
}

static void
portal_close(void *ctx, void *handle)
{
	struct plane *p = ctx;

	(void)plane_note(p, "close", handle);
	p->n_portals--;
	free(handle);
}

static int
target_up(void *ctx, const struct ex_target *target, void **ret_handle, char *reterr)
{
	struct plane *p = ctx;

	if (plane_note(p, "up", target->o.name) < 0) {
		(void)snprintf(reterr, EX_ERR_LEN, "cannot be made");
		return -ENOMEM;
	}
	*ret_handle = strdup(target->o.name);
	ck_assert_ptr_nonnull(*ret_handle);
	p->n_targets++;
	return 0;
}

static void
target_down(void *ctx, void *handle)
{
	struct plane *p = ctx;

	(void)plane_note(p, "down", handle);
	p->n_targets--;
	free(handle);
}

static void
view_changed(void *ctx, void *handle, struct ex_set *set, const struct ex_target *target)
{
	ck_assert_str_eq(target->o.name, handle);
	ck_assert_ptr_eq(ex_set_target(set, handle), target);
	(void)plane_note(ctx, "changed", handle);
}

static int
session_list(void *ctx, ex_session_fn fn, void *arg)
{
	struct plane *p = ctx;

	for (size_t i = 0; i < p->n_sessions; i++)
		fn(arg, &p->sessions[i]);
	return 0;
}

static int
session_close(void *ctx, uint64_t id)
{
	struct plane *p = ctx;

	p->closed = id;
	return p->n_sessions > 0 && id == p->sessions[0].id ? 0 : -ENOENT;
}

const struct exports_ops plane_ops = {
	.portal_open = portal_open,
	.portal_start = portal_start,
	.portal_close = portal_close,
	.target_up = target_up,
	.target_down = target_down,
	.view_changed = view_changed,
	.session_list = session_list,
	.session_close = session_close,
};

/* ------ a world ------ */

void
world_init(struct world *w, bool want_state)
{
	memset(w, 0, sizeof(*w));
	log_set_level(LOG_LEVEL_ERROR);
	check_folder(w->dir, sizeof(w->dir));
	(void)snprintf(w->path, sizeof(w->path), "%s/conf", w->dir);
	w->want_state = want_state;
	ck_assert_int_eq(lu_worker_new(2, &w->worker), 0);
}

void
world_file(struct world *w, const char *text)
{
	FILE *f = fopen(w->path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	if (w->want_state)
		(void)fprintf(f, "state_dir: %s/state\n", w->dir);
	ck_assert_int_eq(fclose(f), 0);
}

int
world_up(struct world *w)
{
	const struct exports_conf conf = { &w->config, lu_worker_exec(w->worker) };
	char text[CONFIG_ERR_LEN];
	int r;

	config_init(&w->config);
	if (access(w->path, F_OK) == 0)
		ck_assert_msg(config_load(&w->config, w->path, text) == 0, "%s", text);
	r = exports_new(&conf, &w->exports);
	if (r < 0) {
		w->exports = NULL;
		return r;
	}
	w->plane.exports = w->exports;
	r = exports_start(w->exports, &plane_ops, &w->plane);
	if (r == 0)
		exports_keep(w->exports);
	return r;
}

void
world_down(struct world *w)
{
	exports_stop(w->exports);
	exports_free(w->exports);
	w->exports = NULL;
	config_fini(&w->config);
}

void
world_fini(struct world *w)
{
	char cmd[128];

	if (w->exports != NULL)
		world_down(w);
	lu_worker_free(w->worker);
	ck_assert_uint_eq(w->plane.n_portals, 0);
	ck_assert_uint_eq(w->plane.n_targets, 0);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", w->dir);
	ck_assert_int_eq(system(cmd), 0);
}

const char *
world_log(struct world *w)
{
	static char log[sizeof(w->plane.log)];

	memcpy(log, w->plane.log, sizeof(log));
	w->plane.log[0] = '\0';
	return log;
}

/* ------ edits in words ------ */

struct edit_words {
	char text[2048];
	struct ex_setting settings[EX_KEYS_MAX];
	const char *values[EX_KEYS_MAX][16];
	struct ex_edit edit;
};

static enum ex_kind
kind_parse(const char *word)
{
	for (unsigned int k = 0; k < EX_KIND_N; k++)
		if (strcmp(word, ex_kind_name((enum ex_kind)k)) == 0)
			return (enum ex_kind)k;
	ck_abort_msg("%s is no kind", word);
	return EX_KIND_N;
}

static void
setting_parse(struct edit_words *e, char *word)
{
	size_t i = e->edit.n_settings++;
	struct ex_setting *s = &e->settings[i];
	char *value = strchr(word, '=');

	ck_assert_ptr_nonnull(value);
	*value++ = '\0';
	*s = (struct ex_setting){ word, e->values[i], 0 };
	while (*value != '\0' && value != NULL) {
		e->values[i][s->n_values++] = value;
		value += strcspn(value, ",");
		if (*value == '\0')
			break;
		*value++ = '\0';
	}
}

static void
edit_parse(struct edit_words *e, const char *words, size_t len)
{
	static const char *const verbs[] = { "add", "set", "remove" };
	char *rest = e->text, *word;
	size_t v = 0;

	memset(e, 0, sizeof(*e));
	ck_assert_uint_lt(len, sizeof(e->text));
	memcpy(e->text, words, len);
	word = strsep(&rest, " ");
	while (strcmp(word, verbs[v]) != 0)
		v++;
	e->edit.verb = (enum ex_verb)v;
	e->edit.kind = kind_parse(strsep(&rest, " "));
	e->edit.settings = e->settings;
	if (rest != NULL && strchr(rest, '=') == NULL)
		e->edit.name = strsep(&rest, " ");
	else if (rest != NULL && strcspn(rest, " ") < strcspn(rest, "="))
		e->edit.name = strsep(&rest, " ");
	while (rest != NULL)
		setting_parse(e, strsep(&rest, " "));
}

int
world_edits(struct world *w, const char *words, uint64_t generation, struct ex_result *ret)
{
	struct edit_words *e = calloc(16, sizeof(*e));
	struct ex_edit edits[16];
	size_t n = 0;
	int r;

	ck_assert_ptr_nonnull(e);
	for (const char *at = words; *at != '\0'; n++) {
		size_t len = strcspn(at, ";");

		ck_assert_uint_lt(n, 16);
		edit_parse(&e[n], at, len);
		edits[n] = e[n].edit;
		at += len + (at[len] == ';');
	}
	r = exports_change(w->exports, edits, n, generation, ret);
	free(e);
	return r;
}

int
world_edit(struct world *w, const char *words, struct ex_result *ret)
{
	return world_edits(w, words, 0, ret);
}

void
world_do(struct world *w, const char *words)
{
	struct ex_result res;
	int r = world_edits(w, words, 0, &res);

	ck_assert_msg(r == 0, "%s: %s", words, res.text);
}

const char *
world_value(struct world *w, enum ex_kind kind, const char *name, const char *key)
{
	static char text[1024];
	struct ex_set *set = exports_set(w->exports);
	const struct ex_object *o = ex_set_find(set, kind, name);
	const char *answer = NULL;
	struct ex_dump dump;

	if (o != NULL) {
		ex_object_dump(o, true, &dump);
		for (size_t i = 0; i < dump.n; i++) {
			size_t n = 0;

			if (strcmp(dump.keys[i].key, key) != 0)
				continue;
			text[0] = '\0';
			for (size_t v = 0; v < dump.keys[i].n; v++)
				n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
				    v == 0 ? "" : ",", dump.keys[i].v[v]);
			answer = text;
		}
	}
	ex_set_unref(set);
	return answer;
}

const char *
world_own_file(struct world *w)
{
	static char text[65536];
	char path[128];
	FILE *f;
	size_t n = 0;

	(void)snprintf(path, sizeof(path), "%s/state/exports.yaml", w->dir);
	f = fopen(path, "r");
	if (f != NULL) {
		n = fread(text, 1, sizeof(text) - 1, f);
		(void)fclose(f);
	}
	text[n] = '\0';
	return text;
}
