#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "daemon/config.h"
#include "daemon/ex_live.h"

#define NAME_LEN	(EX_NAME_MAX + 80)	/* "TARGET,LUN,ACL" */

/* ------ secrets in files of ours ------ */

static int
secret_write(const char *path, const struct ex_secret *secret)
{
	CLEANUP(close_fd) int fd = fault_hit() ? (errno = EIO, -1) :
	    open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, secret->bytes, secret->len);
	if (n < 0)
		return -errno;
	if (n < secret->len)
		return -ENOSPC;
	return fsync(fd) < 0 ? -errno : 0;
}

static int
secret_file(struct exports *ex, const struct ex_set *set, const struct ex_edit *edit,
    const struct ex_secret *secret, bool is_mutual, char **ret, struct ex_fault *f)
{
	const char *key = is_mutual ? "mutual_secret_file" : "secret_file";
	CLEANUP(free_ptr) char *path = NULL;
	char text[EX_ERR_LEN];
	int r;

	if (ex_secret_check(secret, text) < 0)
		return ex_complain(f, NULL, -EINVAL, key, 0, "%s", text);
	if (ex->folder == NULL)
		return ex_complain(f, NULL, -EROFS, key, 0, "there is no folder to keep a "
		    "secret in: set state_dir, or name a file by secret_file");
	if (fault_hit() || asprintf(&path, "%s/secrets/%s.%s%llu", ex->folder, edit->name,
	    is_mutual ? "mutual." : "", (unsigned long long)ex_set_generation(set)) < 0) {
		path = NULL;
		return ex_complain(f, NULL, -ENOMEM, key, 0, "out of memory");
	}
	(void)unlink(path);
	r = secret_write(path, secret);
	if (r < 0) {
		(void)unlink(path);
		return ex_complain(f, NULL, r, key, 0, "'%s' cannot be written: %s",
		    ex_shown(path), strerror(-r));
	}
	/* the file that will name it must not outlive it */
	ex_folder_sync(path);
	*ret = STEAL(path);
	return 0;
}

int
ex_secret_keep(struct exports *ex, const struct ex_set *set, const struct ex_edit *edit,
    struct ex_setting *settings, size_t *n, char *paths[2], struct ex_fault *reterr)
{
	static const char *const keys[] = { "secret_file", "mutual_secret_file" };
	static const char *const others[] = { "secret_credential",
	    "mutual_secret_credential" };
	const struct ex_secret *secrets[] = { edit->secret, edit->mutual_secret };

	for (size_t i = 0; i < 2; i++) {
		int r;

		if (secrets[i] == NULL)
			continue;
		r = secret_file(ex, set, edit, secrets[i], i == 1, &paths[i], reterr);
		if (r < 0)
			return r;
		settings[(*n)++] = (struct ex_setting){ keys[i],
		    (const char *const *)&paths[i], 1 };
		settings[(*n)++] = (struct ex_setting){ others[i], NULL, 0 };
	}
	return 0;
}

static bool
secret_is_used(const struct ex_set *set, const char *path)
{
	for (size_t i = 0; i < ex_set_count(set, EX_CHAP); i++) {
		const struct ex_chap *chap = (const struct ex_chap *)ex_set_at(set, EX_CHAP, i);

		if ((chap->secret_file != NULL && strcmp(chap->secret_file, path) == 0) ||
		    (chap->mutual_secret_file != NULL &&
		    strcmp(chap->mutual_secret_file, path) == 0))
			return true;
	}
	return false;
}

void
ex_secrets_trim(const struct exports *ex, const struct ex_set *set)
{
	CLEANUP(free_ptr) char *folder = NULL;
	struct dirent *entry;
	DIR *dir;

	if (ex->folder == NULL || asprintf(&folder, "%s/secrets", ex->folder) < 0) {
		folder = NULL;
		return;
	}
	dir = opendir(folder);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char path[4096];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (!secret_is_used(set, path))
			(void)unlink(path);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

/* ------ edits ------ */

/* about an object that is not there, or not yet */
static int
complain_named(struct ex_fault *f, const struct ex_edit *edit, int err, const char *text)
{
	(void)ex_complain(f, NULL, err, NULL, 0, "%s", text);
	f->kind = edit->kind;
	if (edit->name != NULL)
		(void)text_escape(edit->name, strlen(edit->name), f->name, sizeof(f->name));
	return err;
}

/* the path of a unit instead of a tail of it */
static int
unit_resolve(const struct ex_edit *edit, struct ex_setting *settings, size_t n, char *path,
    const char **word, struct ex_fault *f)
{
	for (size_t i = 0; i < n; i++) {
		char candidates[256] = "", text[EX_ERR_LEN];
		struct lu *unit;
		int r;

		if (strcmp(settings[i].key, "unit") != 0 || settings[i].n_values != 1 ||
		    settings[i].values[0] == NULL)
			continue;
		r = lu_find(settings[i].values[0], &unit, candidates, sizeof(candidates));
		if (r < 0) {
			(void)snprintf(text, sizeof(text), "unit: '%s' %s%s",
			    ex_shown(settings[i].values[0]), r == -ENOTUNIQ ?
			    "fits several: " : "is no unit; see: scsactl list", candidates);
			return complain_named(f, edit, r == -ENOTUNIQ ? -EINVAL : -ENOENT, text);
		}
		(void)text_copy(path, LU_PATH_MAX, lu_info(unit)->path);
		lu_unref(unit);
		*word = path;
		settings[i].values = word;
	}
	return 0;
}

/* an object out of the edit; @base as for ex_object_new() */
static int
object_make(struct exports *ex, const struct ex_set *set, const struct ex_edit *edit,
    const char *name, const struct ex_object *base, struct ex_object **ret, struct ex_fault *f)
{
	struct ex_setting settings[2 * EX_KEYS_MAX];
	char *paths[2] = { NULL, NULL };
	char path[LU_PATH_MAX];
	const char *word;
	size_t n = 0;
	int r;

	if (edit->n_settings > EX_KEYS_MAX)
		return complain_named(f, edit, -EINVAL, "has more keys than there are");
	for (; n < edit->n_settings; n++)
		settings[n] = edit->settings[n];
	r = edit->kind == EX_EXPORT ? unit_resolve(edit, settings, n, path, &word, f) : 0;
	if (r == 0)
		r = ex_secret_keep(ex, set, edit, settings, &n, paths, f);
	if (r == 0)
		r = ex_object_new(edit->kind, EX_FROM_STATE, ex_set_count(set, edit->kind), name,
		    base, settings, n, ret, f);
	else if (f->kind == EX_KIND_N)
		f->kind = edit->kind;
	free(paths[0]);
	free(paths[1]);
	return r;
}

static int
edit_add(struct exports *ex, struct ex_set *set, const struct ex_edit *edit, const char *name,
    struct ex_fault *f)
{
	struct ex_object *o;
	int r;

	if (name != NULL && ex_set_find(set, edit->kind, name) != NULL)
		return complain_named(f, edit, -EEXIST, "is there already");
	r = object_make(ex, set, edit, name, NULL, &o, f);
	if (r < 0)
		return r;
	if (ex_set_find(set, o->kind, o->name) != NULL) {
		r = ex_complain(f, o, -EEXIST, NULL, 0, "is there already");
		ex_object_unref(o);
		return r;
	}
	r = ex_set_add(set, o);
	return r < 0 ? complain_named(f, edit, r, r == -ENOSPC ?
	    "is one more than there can be" : "out of memory") : 0;
}

static int
edit_set(struct exports *ex, struct ex_set *set, const struct ex_edit *edit,
    const struct ex_object *old, struct ex_fault *f)
{
	struct ex_object *o;
	int r = object_make(ex, set, edit, old->name, old, &o, f);

	if (r < 0)
		return r;
	if (strcmp(o->name, old->name) != 0) {
		ex_object_unref(o);
		return complain_named(f, edit, -EINVAL, "what its name is made of cannot be "
		    "changed: remove it and add another one");
	}
	ex_set_swap(set, o);
	return 0;
}

/* an object that may be changed */
static int
edit_find(const struct ex_set *set, const struct ex_edit *edit, const char *name,
    const struct ex_object **ret, struct ex_fault *f)
{
	static const char *const places[] = {
		[EX_FROM_FILE] = "is in the administrator's file: change it there, then "
		    "reload (SIGHUP)",
		[EX_FROM_OPTION] = "comes from the command line of scsad and stays as it is",
	};
	const struct ex_object *o = name == NULL ? NULL : ex_set_find(set, edit->kind, name);

	if (o == NULL)
		return complain_named(f, edit, -ENOENT, "is not there");
	if (o->from != EX_FROM_STATE)
		return complain_named(f, edit, -EPERM, places[o->from]);
	*ret = o;
	return 0;
}

/* an object that says this name, and would not do without it; or NULL */
static const struct ex_object *
edit_user(const struct ex_set *set, enum ex_kind kind, const char *name)
{
	enum ex_kind users = kind == EX_CHAP ? EX_TARGET : EX_EXPORT;

	for (size_t i = 0; i < ex_set_count(set, users); i++) {
		const struct ex_object *o = ex_set_at(set, users, i);
		const struct ex_export *e = (const struct ex_export *)o;

		if ((kind == EX_CHAP && ex_words_has(&((const struct ex_target *)o)->chap,
		    name)) || (kind == EX_TARGET && strcmp(e->target, name) == 0) ||
		    (kind == EX_ACL && e->acl != NULL && strcmp(e->acl, name) == 0))
			return o;
	}
	for (size_t i = 0; kind == EX_CHAP && i < ex_set_count(set, EX_DISCOVERY); i++)
		if (ex_words_has(&((const struct ex_discovery *)ex_set_at(set, EX_DISCOVERY,
		    i))->chap, name))
			return ex_set_at(set, EX_DISCOVERY, i);
	return NULL;
}

static int
edit_remove(struct ex_set *set, const struct ex_edit *edit, const struct ex_object *old,
    struct ex_fault *f)
{
	const struct ex_object *user = edit_user(set, edit->kind, old->name);
	char text[EX_ERR_LEN];

	if (user != NULL) {
		(void)snprintf(text, sizeof(text), "is used by %s '%s': change or remove that "
		    "before", ex_kind_name(user->kind), ex_shown(user->name));
		return complain_named(f, edit, -EBUSY, text);
	}
	ex_set_drop(set, edit->kind, old->name);
	return 0;
}

int
ex_edit(struct exports *ex, struct ex_set *set, const struct ex_edit *edit,
    struct ex_fault *reterr)
{
	const struct ex_object *old = NULL;
	char normal[NAME_LEN];
	const char *name = edit->name;
	int r;

	if (edit->kind == EX_PORT)
		return complain_named(reterr, edit, -EINVAL, "the daemon itself makes these");
	if (edit->verb == EX_ADD && name == NULL && edit->kind != EX_EXPORT &&
	    edit->kind != EX_DISCOVERY)
		return complain_named(reterr, edit, -EINVAL, "needs a name");
	if ((edit->secret != NULL || edit->mutual_secret != NULL) &&
	    (edit->kind != EX_CHAP || name == NULL || strchr(name, '/') != NULL))
		return complain_named(reterr, edit, -EINVAL, "only accounts have secrets");
	/* a name that cannot be is judged with the object */
	if (name != NULL && ex_name_normal(edit->kind, name, normal, sizeof(normal)))
		name = normal;
	if (edit->verb == EX_ADD)
		return edit_add(ex, set, edit, edit->kind == EX_EXPORT ? NULL : name, reterr);
	r = edit_find(set, edit, name, &old, reterr);
	if (r < 0)
		return r;
	return edit->verb == EX_SET ? edit_set(ex, set, edit, old, reterr) :
	    edit_remove(set, edit, old, reterr);
}

void
ex_share(struct ex_set *set, const struct ex_set *before)
{
	for (size_t k = 0; k < EX_KIND_N; k++) {
		enum ex_kind kind = (enum ex_kind)k;

		for (size_t i = 0; i < ex_set_count(set, kind); i++) {
			const struct ex_object *o = ex_set_at(set, kind, i);
			const struct ex_object *old = ex_set_find(before, kind, o->name);

			if (old != NULL && old->from == o->from && ex_object_same(o, old))
				ex_set_share(set, kind, i,
				    ex_object_ref((struct ex_object *)(uintptr_t)old));
		}
	}
}

/* ------ --export ------ */

static int
unit_order(const void *a, const void *b)
{
	const struct lu_info *x = lu_info(*(struct lu *const *)a);
	const struct lu_info *y = lu_info(*(struct lu *const *)b);
	int r = strcmp(x->hba, y->hba);

	if (r == 0)
		r = strcmp(x->iport, y->iport);
	if (r == 0)
		r = (x->target > y->target) - (x->target < y->target);
	if (r == 0 && x->target < 0)
		r = strcmp(x->address, y->address);
	return r != 0 ? r : (x->lun > y->lun) - (x->lun < y->lun);
}

static int
disk_export(const struct config *config, struct ex_set *set, const struct lu *unit, size_t lun,
    struct ex_fault *f)
{
	const char *target[] = { config->export_target }, *path[] = { lu_info(unit)->path };
	const char *yes[] = { "yes" }, *number[1];
	const struct ex_setting settings[] = {
		{ "target", target, 1 }, { "unit", path, 1 }, { "lun", number, 1 },
		{ "allow_anyone", yes, 1 },
	};
	struct ex_object *o;
	char text[24];
	int r;

	(void)snprintf(text, sizeof(text), "%zu", lun);
	number[0] = text;
	r = ex_object_new(EX_EXPORT, EX_FROM_OPTION, lun, NULL, NULL, settings,
	    ARRAY_LEN(settings) - !config->export_anyone, &o, f);
	return r < 0 ? r : ex_set_add(set, o);
}

int
ex_disks_add(const struct config *config, struct ex_set *set, struct ex_fault *reterr)
{
	size_t n = 0, room = lu_count_all();
	CLEANUP(free_ptr) struct lu **units = NULL;
	struct lu *unit;
	uint64_t id = 0;
	int r = 0;

	if (config->export_target == NULL)
		return 0;
	units = fault_hit() ? NULL : calloc(room + 1, sizeof(*units));
	if (units == NULL)
		return ex_complain(reterr, NULL, -ENOMEM, NULL, 0, "out of memory");
	while (n < room && (unit = lu_next(id)) != NULL) {
		id = lu_id(unit);
		units[n++] = unit;
	}
	if (n == 0)
		r = ex_complain(reterr, NULL, -ENOENT, NULL, 0,
		    "--export: there is no unit to export; name one by --disk");
	qsort(units, n, sizeof(*units), unit_order);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = disk_export(config, set, units[i], i, reterr);
	for (size_t i = 0; i < n; i++)
		lu_unref(units[i]);
	return r;
}
