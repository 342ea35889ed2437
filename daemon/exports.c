#include "daemon/exports.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/num.h"
#include "base/text.h"
#include "daemon/config.h"
#include "daemon/config_exports.h"
#include "daemon/ex_live.h"

#define OWN_FILE	"exports.yaml"
#define SECRETS_FOLDER	"secrets"

static void
set_unrefp(struct ex_set **set)
{
	ex_set_unref(*set);
}

static void
raw_freep(struct config_raw **raw)
{
	config_raw_free(*raw);
}

/* ------ our own file ------ */

/* make what is not there; it belongs to who we become */
static int
folder_make(const struct config *config, const char *path)
{
	uid_t uid = (uid_t)-1;

	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (config->user != NULL && config_user_find(config->user, &uid) &&
	    chown(path, uid, (gid_t)-1) < 0)
		return -errno;
	return 0;
}

static int
folder_open(struct exports *ex)
{
	char buf[PATH_MAX];
	const char *folder = config_state_dir(ex->config, buf);
	CLEANUP(free_ptr) char *secrets = NULL;
	int r;

	if (folder == NULL)
		return 0;
	ex->folder = fault_hit() ? NULL : strdup(folder);
	if (ex->folder == NULL || asprintf(&ex->file, "%s/" OWN_FILE, folder) < 0 ||
	    asprintf(&secrets, "%s/" SECRETS_FOLDER, folder) < 0)
		return -ENOMEM;
	r = folder_make(ex->config, folder);
	if (r == 0)
		r = folder_make(ex->config, secrets);
	if (r < 0)
		log_error("folder '%s': cannot be made: %s", ex_shown(folder), strerror(-r));
	return r;
}

static int
generation_read(const struct config_raw *raw, uint64_t *ret, char *reterr)
{
	const char *word = config_raw_get(raw)->generation;

	if (word == NULL)
		return 0;
	if (num_parse_u64(word, UINT64_MAX - 1, ret) == 0 && *ret > 0)
		return 0;
	config_raw_complain(raw, "generation", "is no number above 0", reterr, CONFIG_ERR_LEN);
	return -EINVAL;
}

/* what our own file says, into @set; no file is fine */
static int
own_read(const struct exports *ex, struct ex_set *set, uint64_t *ret_generation, char *reterr)
{
	CLEANUP(raw_freep) struct config_raw *raw = NULL;
	int r;

	if (ex->file == NULL || access(ex->file, F_OK) < 0)
		return 0;
	r = config_raw_load(ex->file, CONFIG_DAEMON, &raw, reterr, CONFIG_ERR_LEN);
	if (r == 0)
		r = generation_read(raw, ret_generation, reterr);
	return r < 0 ? r : config_exports_read(raw, EX_FROM_STATE, set, reterr);
}

/* ------ life ------ */

static int
set_take(struct ex_set *to, const struct ex_set *from, enum ex_from which)
{
	for (size_t k = 0; k < EX_KIND_N; k++) {
		enum ex_kind kind = (enum ex_kind)k;

		for (size_t i = 0; i < ex_set_count(from, kind); i++) {
			const struct ex_object *o = ex_set_at(from, kind, i);
			int r = o->from != which ? 0 : ex_set_add(to,
			    ex_object_ref((struct ex_object *)(uintptr_t)o));

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int
boot_read(struct exports *ex)
{
	CLEANUP(set_unrefp) struct ex_set *own = ex_set_new(1);
	uint64_t generation = 1;
	char text[CONFIG_ERR_LEN] = "";
	struct ex_fault fault;
	int r = own == NULL ? -ENOMEM : own_read(ex, own, &generation, text);

	if (r < 0) {
		log_error("%s", text[0] != '\0' ? text : strerror(-r));
		return r;
	}
	ex->boot = ex_set_new(generation);
	ex->set = ex_set_new(generation);
	if (ex->boot == NULL || ex->set == NULL)
		return -ENOMEM;
	if (ex->config->exports != NULL) {
		r = set_take(ex->boot, ex->config->exports, EX_FROM_FILE);
		if (r == 0)
			r = set_take(ex->boot, ex->config->exports, EX_FROM_OPTION);
	}
	if (r == 0)
		r = set_take(ex->boot, own, EX_FROM_STATE);
	return r < 0 ? r : ex_set_seal(ex->set, &fault);
}

int
exports_new(const struct exports_conf *conf, struct exports **ret_exports)
{
	struct exports *ex = fault_hit() ? NULL : calloc(1, sizeof(*ex));
	int r;

	if (ex == NULL)
		return -ENOMEM;
	ex->config = conf->config;
	ex->worker = conf->worker;
	TAILQ_INIT(&ex->portals);
	TAILQ_INIT(&ex->targets);
	(void)pthread_mutex_init(&ex->change, NULL);
	(void)pthread_mutex_init(&ex->lock, NULL);
	(void)pthread_cond_init(&ex->idle, NULL);
	r = folder_open(ex);
	if (r == 0)
		r = boot_read(ex);
	if (r < 0) {
		exports_free(ex);
		return r;
	}
	*ret_exports = ex;
	return 0;
}

void
exports_free(struct exports *ex)
{
	if (ex == NULL)
		return;
	ex_set_unref(ex->boot);
	ex_set_unref(ex->set);
	(void)pthread_mutex_destroy(&ex->change);
	(void)pthread_mutex_destroy(&ex->lock);
	(void)pthread_cond_destroy(&ex->idle);
	free(ex->folder);
	free(ex->file);
	free(ex);
}

/* from objects to a set that can be in force; takes the reference if it cannot */
static int
set_finish(struct ex_set *set, struct ex_fault *f)
{
	int r = ex_ports_assign(set, f);

	if (r == 0)
		r = ex_set_seal(set, f);
	if (r == 0)
		r = ex_check(set, f);
	if (r < 0)
		ex_set_unref(set);
	return r;
}

int
exports_start(struct exports *ex, const struct exports_ops *ops, void *ctx)
{
	struct ex_set *set = STEAL(ex->boot);
	char text[EX_ERR_LEN + 300];
	struct ex_fault fault;
	int r;

	ex->ops = ops;
	ex->ctx = ctx;
	(void)pthread_mutex_lock(&ex->change);
	r = ex_disks_add(ex->config, set, &fault);
	if (r < 0)
		ex_set_unref(set);
	else
		r = set_finish(set, &fault);
	if (r == 0)
		r = ex_apply(ex, set, false, &fault);
	if (r == 0) {
		(void)pthread_mutex_lock(&ex->lock);
		ex->is_up = true;
		(void)pthread_mutex_unlock(&ex->lock);
	}
	(void)pthread_mutex_unlock(&ex->change);
	if (r == 0)
		return 0;
	ex_fault_format(&fault, text, sizeof(text));
	log_error("%s", text);
	return r;
}

void
exports_keep(struct exports *ex)
{
	int r = 0;

	(void)pthread_mutex_lock(&ex->change);
	if (ex->file != NULL && ex_set_count(ex->set, EX_PORT) > 0)
		r = ex_file_write(ex->set, ex->file);
	(void)pthread_mutex_unlock(&ex->change);
	if (r < 0)
		log_warning("'%s' cannot be written: %s; identifiers of target ports may be "
		    "others after a restart", ex_shown(ex->file), strerror(-r));
}

void
exports_stop(struct exports *ex)
{
	if (ex == NULL)
		return;
	(void)pthread_mutex_lock(&ex->lock);
	ex->is_ending = true;
	while (ex->is_work_due)
		(void)pthread_cond_wait(&ex->idle, &ex->lock);
	(void)pthread_mutex_unlock(&ex->lock);
	(void)pthread_mutex_lock(&ex->change);
	ex_down(ex);
	(void)pthread_mutex_unlock(&ex->change);
}

/* ------ looking ------ */

struct ex_set *
exports_set(struct exports *ex)
{
	struct ex_set *set;

	(void)pthread_mutex_lock(&ex->lock);
	set = ex_set_ref(ex->set);
	(void)pthread_mutex_unlock(&ex->lock);
	return set;
}

void
exports_watch(struct exports *ex, void (*fn)(void *arg), void *arg)
{
	(void)pthread_mutex_lock(&ex->lock);
	ex->watch = fn;
	ex->watch_arg = arg;
	(void)pthread_mutex_unlock(&ex->lock);
}

void
ex_changed(struct exports *ex)
{
	(void)pthread_mutex_lock(&ex->lock);
	if (ex->watch != NULL)
		ex->watch(ex->watch_arg);
	(void)pthread_mutex_unlock(&ex->lock);
}

bool
exports_portal_bound(struct exports *ex, const char *portal, char dst[EX_ADDR_LEN])
{
	struct ex_live_portal *p;
	bool is_open = false;

	(void)pthread_mutex_lock(&ex->lock);
	TAILQ_FOREACH(p, &ex->portals, entry)
		if (strcmp(p->portal->o.name, portal) == 0 && p->bound[0] != '\0') {
			(void)memcpy(dst, p->bound, EX_ADDR_LEN);
			is_open = true;
		}
	(void)pthread_mutex_unlock(&ex->lock);
	return is_open;
}

int
exports_hold(struct exports *ex)
{
	bool is_ending;

	(void)pthread_mutex_lock(&ex->change);
	(void)pthread_mutex_lock(&ex->lock);
	is_ending = ex->is_ending || !ex->is_up;
	(void)pthread_mutex_unlock(&ex->lock);
	if (!is_ending)
		return 0;
	(void)pthread_mutex_unlock(&ex->change);
	return -ESHUTDOWN;
}

void
exports_release(struct exports *ex)
{
	(void)pthread_mutex_unlock(&ex->change);
}

const struct exports_ops *
exports_ops_of(const struct exports *ex, void **ret_ctx)
{
	*ret_ctx = ex->ctx;
	return ex->ops;
}

/* ------ changes ------ */

static void
result_fail(struct ex_result *res, const struct ex_fault *f)
{
	ex_fault_format(f, res->text, sizeof(res->text));
}

/* all edits onto a copy of what is in force */
static int
edits_do(struct exports *ex, const struct ex_edit *edits, size_t n, struct ex_set **ret,
    struct ex_result *res)
{
	struct ex_set *set = ex_set_copy(ex->set, ex_set_generation(ex->set) + 1);
	struct ex_fault fault;
	int r = 0;

	if (set == NULL) {
		(void)text_copy(res->text, sizeof(res->text), "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = ex_edit(ex, set, &edits[i], &fault);
		res->edit = i;
	}
	if (r < 0) {
		ex_set_unref(set);
		result_fail(res, &fault);
		return r;
	}
	res->edit = n;
	r = set_finish(set, &fault);
	if (r < 0)
		result_fail(res, &fault);
	else
		*ret = set;
	return r;
}

static int
change_held(struct exports *ex, const struct ex_edit *edits, size_t n, uint64_t generation,
    struct ex_result *res)
{
	struct ex_fault fault;
	struct ex_set *set;
	int r;

	if (generation != 0 && generation != ex_set_generation(ex->set)) {
		(void)snprintf(res->text, sizeof(res->text), "somebody else has changed the "
		    "exports meanwhile: generation %llu, not %llu; look again",
		    (unsigned long long)ex_set_generation(ex->set),
		    (unsigned long long)generation);
		return -ESTALE;
	}
	r = edits_do(ex, edits, n, &set, res);
	if (r == 0) {
		r = ex_apply(ex, set, true, &fault);
		if (r < 0)
			result_fail(res, &fault);
	}
	ex_secrets_trim(ex, ex->set);
	return r;
}

static void
result_end(const struct exports *ex, struct ex_result *res)
{
	res->generation = ex_set_generation(ex->set);
	res->is_kept = ex->file != NULL;
}

int
exports_change(struct exports *ex, const struct ex_edit *edits, size_t n_edits,
    uint64_t generation, struct ex_result *ret_result)
{
	int r = exports_hold(ex);

	*ret_result = (struct ex_result){ .edit = n_edits };
	if (r < 0) {
		(void)text_copy(ret_result->text, sizeof(ret_result->text),
		    "the daemon is stopping");
		return r;
	}
	r = change_held(ex, edits, n_edits, generation, ret_result);
	result_end(ex, ret_result);
	exports_release(ex);
	return r;
}

/* ------ reading again ------ */

static int
files_read(struct exports *ex, struct ex_set *set, char *reterr)
{
	uint64_t generation = 1;
	struct config fresh;
	int r = 0;

	config_init(&fresh);
	if (ex->config->path != NULL)
		r = config_load(&fresh, ex->config->path, reterr);
	if (r == 0 && fresh.exports != NULL)
		r = set_take(set, fresh.exports, EX_FROM_FILE);
	config_fini(&fresh);
	if (r == 0)
		r = set_take(set, ex->set, EX_FROM_OPTION);
	return r < 0 ? r : own_read(ex, set, &generation, reterr);
}

static int
reload_held(struct exports *ex, struct ex_result *res)
{
	struct ex_set *set = ex_set_new(ex_set_generation(ex->set) + 1);
	char text[CONFIG_ERR_LEN] = "";
	struct ex_fault fault;
	int r = set == NULL ? -ENOMEM : files_read(ex, set, text);

	if (r < 0) {
		ex_set_unref(set);
		(void)text_copy(res->text, sizeof(res->text), text[0] != '\0' ? text :
		    strerror(-r));
		return r;
	}
	if (ex->file == NULL || access(ex->file, F_OK) < 0)
		r = set_take(set, ex->set, EX_FROM_STATE);
	if (r == 0)
		ex_share(set, ex->set);
	if (r < 0)
		ex_set_unref(set);
	else
		r = set_finish(set, &fault);
	if (r == 0)
		r = ex_apply(ex, set, ex->file != NULL, &fault);
	if (r < 0)
		result_fail(res, &fault);
	return r;
}

int
exports_reload(struct exports *ex, struct ex_result *ret_result)
{
	int r = exports_hold(ex);

	*ret_result = (struct ex_result){ .edit = 0 };
	if (r < 0) {
		(void)text_copy(ret_result->text, sizeof(ret_result->text),
		    "the daemon is stopping");
		return r;
	}
	r = reload_held(ex, ret_result);
	result_end(ex, ret_result);
	exports_release(ex);
	return r;
}

/* ------ units that come and go ------ */

static void
units_work(struct lu_work *w)
{
	struct exports *ex = container_of(w, struct exports, units_work);
	CLEANUP(free_ptr) char (*paths)[LU_PATH_MAX] = malloc(sizeof(ex->pending));
	size_t n;

	(void)pthread_mutex_lock(&ex->change);
	(void)pthread_mutex_lock(&ex->lock);
	n = paths == NULL ? EX_PENDING_MAX + 1 : ex->n_pending;
	if (paths != NULL)
		memcpy(paths, ex->pending, sizeof(ex->pending));
	ex->n_pending = 0;
	(void)pthread_mutex_unlock(&ex->lock);

	ex_units_sync(ex->set, ex->set);
	ex_views_changed(ex, (const char (*)[LU_PATH_MAX])paths, n);
	(void)pthread_mutex_unlock(&ex->change);

	(void)pthread_mutex_lock(&ex->lock);
	ex->is_work_due = ex->n_pending > 0 && !ex->is_ending;
	if (ex->is_work_due)
		lu_exec_post(ex->worker, &ex->units_work, units_work);
	else
		(void)pthread_cond_broadcast(&ex->idle);
	(void)pthread_mutex_unlock(&ex->lock);
}

void
exports_units_changed(struct exports *ex, const char *unit_path)
{
	(void)pthread_mutex_lock(&ex->lock);
	if (ex->is_up && !ex->is_ending) {
		if (ex->n_pending < EX_PENDING_MAX)
			(void)text_copy(ex->pending[ex->n_pending], LU_PATH_MAX, unit_path);
		if (ex->n_pending <= EX_PENDING_MAX)
			ex->n_pending++;
		if (!ex->is_work_due)
			lu_exec_post(ex->worker, &ex->units_work, units_work);
		ex->is_work_due = true;
	}
	(void)pthread_mutex_unlock(&ex->lock);
}
