#include "lu/lu_impl.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* rises with the id: new units go to the tail. A plain mutex: nothing is called while it is
 * held */
static TAILQ_HEAD(, lu) units = TAILQ_HEAD_INITIALIZER(units);
static pthread_mutex_t units_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t last_id;

struct lu *
lu_ref(struct lu *unit)
{
	(void)atomic_fetch_add_explicit(&unit->refs, 1, memory_order_relaxed);
	return unit;
}

void
lu_unref(struct lu *unit)
{
	if (unit == NULL ||
	    atomic_fetch_sub_explicit(&unit->refs, 1, memory_order_acq_rel) != 1)
		return;
	mutex_destroy(&unit->cap_lock);
	mutex_destroy(&unit->probe_lock);
	mutex_destroy(&unit->lock);
	cv_destroy(&unit->cv);
	free(unit);
}

void
lu_publish(struct lu *lu)
{
	(void)pthread_mutex_lock(&units_lock);
	lu->id = ++last_id;
	TAILQ_INSERT_TAIL(&units, lu, entry);
	(void)pthread_mutex_unlock(&units_lock);
}

void
lu_unpublish(struct lu *lu)
{
	(void)pthread_mutex_lock(&units_lock);
	TAILQ_REMOVE(&units, lu, entry);
	(void)pthread_mutex_unlock(&units_lock);
}

struct lu *
lu_next(uint64_t id)
{
	struct lu *lu;

	(void)pthread_mutex_lock(&units_lock);
	TAILQ_FOREACH(lu, &units, entry)
		if (lu->id > id)
			break;
	if (lu != NULL)
		(void)lu_ref(lu);
	(void)pthread_mutex_unlock(&units_lock);
	return lu;
}

/* is @name a tail of @path that begins at a boundary? */
static bool
path_has_tail(const char *path, const char *name)
{
	size_t path_len = strlen(path), len = strlen(name);
	const char *tail;

	if (len == 0 || len >= path_len)
		return false;
	tail = path + path_len - len;
	return (tail[-1] == '/' || tail[-1] == '@') && strcmp(tail, name) == 0;
}

static bool
unit_fits(const struct lu *lu, const char *name)
{
	if (path_has_tail(lu->info.path, name))
		return true;
	return lu->info.serial[0] != '\0' && strcmp(lu->info.serial, name) == 0;
}

static void
candidate_add(char *candidates, size_t size, const char *path)
{
	size_t len;

	if (candidates == NULL || size == 0)
		return;
	len = strlen(candidates);
	if (len + strlen(path) + 2 > size)
		return;
	(void)snprintf(candidates + len, size - len, "%s%s", len > 0 ? " " : "", path);
}

int
lu_find(const char *name, struct lu **ret_unit, char *candidates, size_t size)
{
	struct lu *lu, *found = NULL;
	unsigned int n = 0;

	if (candidates != NULL && size > 0)
		candidates[0] = '\0';
	(void)pthread_mutex_lock(&units_lock);
	TAILQ_FOREACH(lu, &units, entry) {
		/* a whole path is never ambiguous, whatever else it is a tail of */
		if (strcmp(lu->info.path, name) == 0) {
			found = lu;
			n = 1;
			break;
		}
		if (!unit_fits(lu, name))
			continue;
		found = lu;
		n++;
		candidate_add(candidates, size, lu->info.path);
	}
	if (n == 1)
		*ret_unit = lu_ref(found);
	(void)pthread_mutex_unlock(&units_lock);
	return n == 1 ? 0 : n == 0 ? -ENOENT : -ENOTUNIQ;
}

/* ------ what everybody may ask a unit ------ */

const struct lu_info *
lu_info(const struct lu *unit)
{
	return &unit->info;
}

uint64_t
lu_id(const struct lu *unit)
{
	return unit->id;
}

struct lu_exec *
lu_home(const struct lu *unit)
{
	return unit->home;
}

bool
lu_is_active(const struct lu *unit)
{
	return atomic_load_explicit(&unit->state, memory_order_relaxed) == LU_ACTIVE;
}

static uint64_t
counter_read(const struct lu_counter *c)
{
	return atomic_load_explicit(&c->v, memory_order_relaxed);
}

void
lu_stats_read(const struct lu *unit, struct lu_stats *ret_stats)
{
	*ret_stats = (struct lu_stats){
		.tasks = counter_read(&unit->stats.tasks),
		.refused = counter_read(&unit->stats.refused),
		.read_bytes = counter_read(&unit->stats.read_bytes),
		.written_bytes = counter_read(&unit->stats.written_bytes),
		.checks = counter_read(&unit->stats.checks),
		.media_errors = counter_read(&unit->stats.media_errors),
		.transport_errors = counter_read(&unit->stats.transport_errors),
		.held = counter_read(&unit->stats.held),
		.busy = counter_read(&unit->stats.busy),
		.orphans = counter_read(&unit->stats.orphans),
		.aborts = counter_read(&unit->stats.aborts),
		.resets = counter_read(&unit->stats.resets),
		.in_flight = counter_read(&unit->stats.in_flight),
	};
}
