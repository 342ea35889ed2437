/* a unit is hashed by its path without the node's name: "soft0/iport0/" and "@0,0". So the same
 * table finds paths and addresses */
#define HASH_NONFATAL_OOM	1
#define HASH_FUNCTION(key, len, hashv)	((hashv) = place_hash(key))
#define HASH_KEYCMP(a, b, len)	place_compare((a), (b))
#include "lu/lu_impl.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "lu/alua.h"
#include "lu/copy.h"
#include "lu/loss.h"
#include "lu/token.h"

#define UNITS_MIN	16u

/* A plain mutex: nothing is called while it is held */
static pthread_mutex_t units_lock = PTHREAD_MUTEX_INITIALIZER;
static struct lu *places;		/* hash */
static struct lu **units;		/* n_units, ids rise */
static size_t n_units, units_room;
static uint64_t last_id;

/* ------ places ------ */

/* bytes up to the node's name */
static size_t
place_head(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

/* from '@' on */
static const char *
place_tail(const char *path, size_t head)
{
	return path + head + strcspn(path + head, "@");
}

static unsigned int
place_hash(const char *path)
{
	size_t head = place_head(path);
	uint32_t h = 2166136261u;	/* FNV-1a */

	for (size_t i = 0; i < head; i++)
		h = (h ^ (uint8_t)path[i]) * 16777619u;
	for (const char *c = place_tail(path, head); *c != '\0'; c++)
		h = (h ^ (uint8_t)*c) * 16777619u;
	return h;
}

static int
place_compare(const char *a, const char *b)
{
	size_t head = place_head(a);

	return head != place_head(b) || memcmp(a, b, head) != 0 ||
	    strcmp(place_tail(a, head), place_tail(b, head)) != 0;
}

/* the unit at the place of @path, whatever its node is called; lock held */
static struct lu *
place_find(const char *path)
{
	struct lu *lu;

	HASH_FIND(hh, places, path, 1, lu);
	return lu;
}

/* ------ references ------ */

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
	mutex_destroy(&unit->ask_lock);
	mutex_destroy(&unit->lock);
	cv_destroy(&unit->cv);
	lu_alua_fini(unit);
	lu_copy_fini(unit);
	lu_token_fini(unit);
	lu_loss_fini(unit);
	free(unit->texts);
	free(unit);
}

/* ------ publishing ------ */

static int
units_grow(void)
{
	size_t room = units_room == 0 ? UNITS_MIN : 2 * units_room;
	struct lu **grown = fault_hit() ? NULL : reallocarray(units, room, sizeof(*grown));

	if (grown == NULL)
		return -ENOMEM;
	units = grown;
	units_room = room;
	return 0;
}

/* place in units[] of the first id above @id; lock held */
static size_t
units_above(uint64_t id)
{
	size_t low = 0, high = n_units;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (units[mid]->id > id)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

int
lu_publish(struct lu *lu)
{
	int r = 0;

	(void)pthread_mutex_lock(&units_lock);
	if (n_units == units_room)
		r = units_grow();
	if (r == 0) {
		HASH_ADD_KEYPTR(hh, places, lu->info.path, 1, lu);
		if (lu->hh.tbl == NULL)
			r = -ENOMEM;
	}
	if (r == 0) {
		lu->id = ++last_id;
		units[n_units++] = lu;
	}
	(void)pthread_mutex_unlock(&units_lock);
	return r;
}

void
lu_unpublish(struct lu *lu)
{
	size_t at;

	(void)pthread_mutex_lock(&units_lock);
	HASH_DELETE(hh, places, lu);
	at = units_above(lu->id);
	memmove(&units[at - 1], &units[at], (n_units - at) * sizeof(*units));
	if (--n_units == 0) {
		free(units);
		units = NULL;
		units_room = 0;
	}
	(void)pthread_mutex_unlock(&units_lock);
}

/* ------ finding ------ */

struct lu *
lu_next(uint64_t id)
{
	struct lu *lu = NULL;
	size_t at;

	(void)pthread_mutex_lock(&units_lock);
	at = units_above(id);
	if (at < n_units)
		lu = lu_ref(units[at]);
	(void)pthread_mutex_unlock(&units_lock);
	return lu;
}

size_t
lu_count_all(void)
{
	size_t n;

	(void)pthread_mutex_lock(&units_lock);
	n = n_units;
	(void)pthread_mutex_unlock(&units_lock);
	return n;
}

struct lu *
lu_at(const char *hba, const char *iport, const char *address)
{
	char place[LU_PATH_MAX];
	struct lu *lu = NULL;
	int n = snprintf(place, sizeof(place), "%s/%s%s@%s", hba, iport,
	    iport[0] == '\0' ? "" : "/", address);

	if (n < 0 || (size_t)n >= sizeof(place))
		return NULL;
	(void)pthread_mutex_lock(&units_lock);
	lu = place_find(place);
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
	struct lu *found;
	unsigned int n;
	bool is_whole;

	if (candidates != NULL && size > 0)
		candidates[0] = '\0';
	(void)pthread_mutex_lock(&units_lock);
	found = place_find(name);
	/* a whole path is never ambiguous, whatever else it is a tail of */
	is_whole = found != NULL && strcmp(found->info.path, name) == 0;
	n = is_whole;
	for (size_t i = 0; !is_whole && i < n_units; i++) {
		if (!unit_fits(units[i], name))
			continue;
		found = units[i];
		n++;
		candidate_add(candidates, size, found->info.path);
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
		.expired = counter_read(&unit->stats.expired),
		.in_flight = counter_read(&unit->stats.in_flight),
	};
}
