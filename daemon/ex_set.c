#include "daemon/ex_set.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/fault.h"
#include "daemon/ex_impl.h"

struct ex_list {
	struct ex_object **v;
	size_t n, room;
	struct ex_object **by_name;	/* when sealed: the same, sorted by name */
};

struct ex_set {
	_Atomic uint32_t refs;
	uint64_t generation;
	struct ex_list lists[EX_KIND_N];
	const struct ex_export **by_target;	/* when sealed: sorted by target, then as above */
};

/* an export and its place, while they are sorted */
struct ex_placed {
	const struct ex_export *e;
	size_t i;
};

struct ex_set *
ex_set_new(uint64_t generation)
{
	struct ex_set *set = fault_hit() ? NULL : calloc(1, sizeof(*set));

	if (set == NULL)
		return NULL;
	atomic_store_explicit(&set->refs, 1, memory_order_relaxed);
	set->generation = generation;
	return set;
}

struct ex_set *
ex_set_ref(struct ex_set *set)
{
	(void)atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
	return set;
}

void
ex_set_unref(struct ex_set *set)
{
	if (set == NULL ||
	    atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t k = 0; k < EX_KIND_N; k++) {
		for (size_t i = 0; i < set->lists[k].n; i++)
			ex_object_unref(set->lists[k].v[i]);
		free(set->lists[k].v);
		free(set->lists[k].by_name);
	}
	free(set->by_target);
	free(set);
}

uint64_t
ex_set_generation(const struct ex_set *set)
{
	return set->generation;
}

/* ------ under construction ------ */

static int
list_room(struct ex_list *list, size_t n)
{
	struct ex_object **v;
	size_t room = list->room;

	while (room < n)
		room = room == 0 ? 8 : 2 * room;
	if (room == list->room)
		return 0;
	v = fault_hit() ? NULL : reallocarray(list->v, room, sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	list->v = v;
	list->room = room;
	return 0;
}

struct ex_set *
ex_set_copy(const struct ex_set *set, uint64_t generation)
{
	struct ex_set *copy = ex_set_new(generation);

	for (size_t k = 0; copy != NULL && k < EX_KIND_N; k++) {
		const struct ex_list *from = &set->lists[k];
		struct ex_list *to = &copy->lists[k];

		if (list_room(to, from->n) < 0) {
			ex_set_unref(copy);
			return NULL;
		}
		for (; to->n < from->n; to->n++)
			to->v[to->n] = ex_object_ref(from->v[to->n]);
	}
	return copy;
}

int
ex_set_add(struct ex_set *set, struct ex_object *o)
{
	struct ex_list *list = &set->lists[o->kind];
	int r = list->n >= ex_kind_max(o->kind) ? -ENOSPC : list_room(list, list->n + 1);

	if (r < 0)
		ex_object_unref(o);
	else
		list->v[list->n++] = o;
	return r;
}

static size_t
place_of(const struct ex_list *list, const char *name)
{
	size_t i = 0;

	while (i < list->n && strcmp(list->v[i]->name, name) != 0)
		i++;
	return i;
}

void
ex_set_swap(struct ex_set *set, struct ex_object *o)
{
	struct ex_list *list = &set->lists[o->kind];
	size_t i = place_of(list, o->name);

	ex_object_unref(list->v[i]);
	list->v[i] = o;
}

void
ex_set_share(struct ex_set *set, enum ex_kind kind, size_t i, struct ex_object *o)
{
	ex_object_unref(set->lists[kind].v[i]);
	set->lists[kind].v[i] = o;
}

void
ex_set_drop(struct ex_set *set, enum ex_kind kind, const char *name)
{
	struct ex_list *list = &set->lists[kind];
	size_t i = place_of(list, name);

	ex_object_unref(list->v[i]);
	list->n--;
	memmove(&list->v[i], &list->v[i + 1], (list->n - i) * sizeof(list->v[0]));
}

/* ------ sealed ------ */

static int
name_order(const void *a, const void *b)
{
	const struct ex_object *const *oa = a, *const *ob = b;

	return strcmp((*oa)->name, (*ob)->name);
}

static int
list_seal(struct ex_list *list, struct ex_fault *reterr)
{
	static const char *const places[EX_FROM_N] = {
		[EX_FROM_FILE] = "the administrator's file",
		[EX_FROM_OPTION] = "the command line",
		[EX_FROM_STATE] = "the daemon's own file",
	};

	if (list->n == 0)
		return 0;
	list->by_name = fault_hit() ? NULL : calloc(list->n, sizeof(list->by_name[0]));
	if (list->by_name == NULL)
		return ex_complain(reterr, NULL, -ENOMEM, NULL, 0, "out of memory");
	memcpy(list->by_name, list->v, list->n * sizeof(list->v[0]));
	qsort(list->by_name, list->n, sizeof(list->by_name[0]), name_order);
	for (size_t i = 1; i < list->n; i++) {
		const struct ex_object *a = list->by_name[i - 1], *b = list->by_name[i];

		if (strcmp(a->name, b->name) != 0)
			continue;
		/* sorting does not keep the order of equals */
		if (a->from > b->from || (a->from == b->from && a->at > b->at))
			b = a;
		return ex_complain(reterr, b, -EEXIST, ex_key_of_name(b->kind), 0,
		    "%s is there already, in %s", ex_shown(b->name),
		    places[b == a ? list->by_name[i]->from : a->from]);
	}
	return 0;
}

static int
target_order(const void *a, const void *b)
{
	const struct ex_placed *pa = a, *pb = b;
	int r = strcmp(pa->e->target, pb->e->target);

	return r != 0 ? r : (pa->i > pb->i) - (pa->i < pb->i);
}

static int
exports_seal(struct ex_set *set)
{
	const struct ex_list *list = &set->lists[EX_EXPORT];
	CLEANUP(free_ptr) struct ex_placed *placed = NULL;

	if (list->n == 0)
		return 0;
	placed = fault_hit() ? NULL : calloc(list->n, sizeof(*placed));
	set->by_target = fault_hit() ? NULL : calloc(list->n, sizeof(set->by_target[0]));
	if (placed == NULL || set->by_target == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		placed[i] = (struct ex_placed){ (const struct ex_export *)list->v[i], i };
	qsort(placed, list->n, sizeof(*placed), target_order);
	for (size_t i = 0; i < list->n; i++)
		set->by_target[i] = placed[i].e;
	return 0;
}

int
ex_set_seal(struct ex_set *set, struct ex_fault *reterr)
{
	int r = 0;

	for (size_t k = 0; r == 0 && k < EX_KIND_N; k++)
		r = list_seal(&set->lists[k], reterr);
	if (r == 0 && exports_seal(set) < 0)
		r = ex_complain(reterr, NULL, -ENOMEM, NULL, 0, "out of memory");
	return r;
}

/* the first export whose target is not before @target; with @is_behind, that is behind it */
static size_t
exports_bound(const struct ex_set *set, const char *target, bool is_behind)
{
	size_t low = 0, high = set->lists[EX_EXPORT].n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(set->by_target[mid]->target, target);

		if (order < 0 || (is_behind && order == 0))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct ex_export *const *
ex_set_exports(const struct ex_set *set, const struct ex_target *target, size_t *ret_n)
{
	size_t first = exports_bound(set, target->o.name, false);

	*ret_n = exports_bound(set, target->o.name, true) - first;
	return set->by_target + first;
}

/* ------ looking ------ */

size_t
ex_set_count(const struct ex_set *set, enum ex_kind kind)
{
	return set->lists[kind].n;
}

const struct ex_object *
ex_set_at(const struct ex_set *set, enum ex_kind kind, size_t i)
{
	return set->lists[kind].v[i];
}

const struct ex_object *
ex_set_find(const struct ex_set *set, enum ex_kind kind, const char *name)
{
	const struct ex_list *list = &set->lists[kind];
	size_t low = 0, high = list->n;

	if (list->by_name == NULL) {
		size_t i = place_of(list, name);

		return i < list->n ? list->v[i] : NULL;
	}
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(name, list->by_name[mid]->name);

		if (order == 0)
			return list->by_name[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct ex_target *
ex_set_target(const struct ex_set *set, const char *name)
{
	char normal[EX_NAME_MAX + 1];

	if (!ex_name_normal(EX_TARGET, name, normal, sizeof(normal)))
		return NULL;
	return (const struct ex_target *)ex_set_find(set, EX_TARGET, normal);
}
