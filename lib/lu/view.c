/* views: sorted once, then only read (lu/view.h) */
#include "lu/view.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "lu/lu_impl.h"
#include "lu/ua.h"
#include "scsi/lun.h"

struct lu_view {
	_Atomic unsigned int refs;
	size_t n;
	uint16_t *by_unit;		/* places in entries[], addresses of units rise */
	struct lu_view_entry entries[];	/* LUNs rise; by_unit[] stands behind them */
};

_Static_assert(LU_VIEW_MAX - 1 <= UINT16_MAX, "by_unit[] holds every place");

/* ------ making one ------ */

static int PRINTF_LIKE(3, 4)
refuse(char *err, int r, const char *format, ...)
{
	va_list ap;

	if (err == NULL)
		return r;
	va_start(ap, format);
	(void)vsnprintf(err, LU_VIEW_ERR_LEN, format, ap);
	va_end(ap);
	return r;
}

static int
entry_compare(const void *va, const void *vb)
{
	const struct lu_view_entry *a = va, *b = vb;

	return (a->lun > b->lun) - (a->lun < b->lun);
}

static int
unit_compare(const void *va, const void *vb, void *arg)
{
	const struct lu_view_entry *entries = arg;
	uintptr_t a = (uintptr_t)entries[*(const uint16_t *)va].unit;
	uintptr_t b = (uintptr_t)entries[*(const uint16_t *)vb].unit;

	return (a > b) - (a < b);
}

static int
entries_check(const struct lu_view_entry *entries, size_t n, char *err)
{
	if (n > LU_VIEW_MAX)
		return refuse(err, -E2BIG, "%zu units: the limit is %u", n, LU_VIEW_MAX);
	for (size_t i = 0; i < n; i++) {
		if (entries[i].lun > LU_VIEW_LUN_MAX)
			return refuse(err, -EINVAL, "LUN %u: the largest is %u",
			    entries[i].lun, LU_VIEW_LUN_MAX);
		if (entries[i].unit == NULL)
			return refuse(err, -EINVAL, "LUN %u: no unit", entries[i].lun);
	}
	return 0;
}

static struct lu_view *
view_alloc(const struct lu_view_entry *entries, size_t n)
{
	size_t size = sizeof(struct lu_view) + n * (sizeof(*entries) + sizeof(uint16_t));
	struct lu_view *view = fault_hit() ? NULL : malloc(size);

	if (view == NULL)
		return NULL;
	atomic_init(&view->refs, 1);
	view->n = n;
	view->by_unit = (void *)(view->entries + n);
	if (n > 0)
		memcpy(view->entries, entries, n * sizeof(*entries));
	for (size_t i = 0; i < n; i++)
		view->by_unit[i] = (uint16_t)i;
	return view;
}

static int
view_sort(struct lu_view *view, char *err)
{
	const struct lu_view_entry *e = view->entries;

	qsort(view->entries, view->n, sizeof(*e), entry_compare);
	for (size_t i = 1; i < view->n; i++) {
		if (e[i].lun == e[i - 1].lun)
			return refuse(err, -EEXIST, "LUN %u is there twice", e[i].lun);
	}
	qsort_r(view->by_unit, view->n, sizeof(uint16_t), unit_compare, view->entries);
	for (size_t i = 1; i < view->n; i++) {
		const struct lu_view_entry *a = &e[view->by_unit[i - 1]];
		const struct lu_view_entry *b = &e[view->by_unit[i]];

		if (a->unit == b->unit)
			return refuse(err, -EEXIST, "LUNs %u and %u are the same unit",
			    (unsigned int)(a->lun < b->lun ? a->lun : b->lun),
			    (unsigned int)(a->lun < b->lun ? b->lun : a->lun));
	}
	return 0;
}

int
lu_view_new(const struct lu_view_entry *entries, size_t n, struct lu_view **ret,
    char err[LU_VIEW_ERR_LEN])
{
	CLEANUP(free_ptr) struct lu_view *view = NULL;
	int r = entries_check(entries, n, err);

	if (r < 0)
		return r;
	view = view_alloc(entries, n);
	if (view == NULL)
		return refuse(err, -ENOMEM, "no memory for %zu units", n);
	r = view_sort(view, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		(void)lu_ref(view->entries[i].unit);
	*ret = STEAL(view);
	return 0;
}

struct lu_view *
lu_view_ref(struct lu_view *view)
{
	if (view != NULL)
		(void)atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
	return view;
}

void
lu_view_unref(struct lu_view *view)
{
	if (view == NULL ||
	    atomic_fetch_sub_explicit(&view->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < view->n; i++)
		lu_unref(view->entries[i].unit);
	free(view);
}

/* ------ looking ------ */

size_t
lu_view_count(const struct lu_view *view)
{
	return view == NULL ? 0 : view->n;
}

const struct lu_view_entry *
lu_view_at(const struct lu_view *view, size_t i)
{
	return &view->entries[i];
}

const struct lu_view_entry *
lu_view_find(const struct lu_view *view, uint64_t lun)
{
	struct lu_view_entry key = { .unit = NULL };

	if (view == NULL || !lunfmt_index(lun, &key.lun))
		return NULL;
	return bsearch(&key, view->entries, view->n, sizeof(key), entry_compare);
}

const struct lu_view_entry *
lu_view_find_unit(const struct lu_view *view, const struct lu *unit)
{
	size_t low = 0, high = lu_view_count(view);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct lu_view_entry *e = &view->entries[view->by_unit[mid]];

		if (e->unit == unit)
			return e;
		if ((uintptr_t)e->unit < (uintptr_t)unit)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* ------ changes ------ */

static bool
pair_differs(const struct lu_view_entry *before, const struct lu_view_entry *after,
    enum lu_view_change *ret_change)
{
	if (before == NULL)
		*ret_change = LU_VIEW_CAME;
	else if (after == NULL)
		*ret_change = LU_VIEW_WENT;
	else if (before->unit != after->unit)
		*ret_change = LU_VIEW_OTHER;
	else if (before->classes != after->classes)
		*ret_change = LU_VIEW_CLASSES;
	else
		return false;
	return true;
}

bool
lu_view_diff(const struct lu_view *before, const struct lu_view *after, lu_view_diff_fn *fn,
    void *arg)
{
	size_t i = 0, k = 0, n = lu_view_count(before), m = lu_view_count(after);
	bool is_other = false;

	while (i < n || k < m) {
		const struct lu_view_entry *a = i < n ? &before->entries[i] : NULL;
		const struct lu_view_entry *b = k < m ? &after->entries[k] : NULL;
		enum lu_view_change change;

		if (a != NULL && b != NULL && a->lun < b->lun)
			b = NULL;
		else if (a != NULL && b != NULL && a->lun > b->lun)
			a = NULL;
		i += a != NULL;
		k += b != NULL;
		if (!pair_differs(a, b, &change))
			continue;
		is_other |= change != LU_VIEW_CLASSES;
		if (fn != NULL)
			fn(arg, change, a, b);
	}
	return is_other;
}

void
lu_nexus_set_view(struct lu_nexus *nexus, struct lu_view *view)
{
	struct lu_view *before = nexus->view;
	const struct lu_view_entry *entry = lu_view_find_unit(view, nexus->unit);

	nexus->view = lu_view_ref(view);
	if (entry != NULL) {
		/* what MODE SENSE tells it changes by that */
		if (lu_mode_may_write(nexus->classes) != lu_mode_may_write(entry->classes))
			lu_ua_raise(nexus, ASC_MODE_PARAMETERS_CHANGED);
		nexus->classes = entry->classes;
		nexus->weight = entry->weight;
	}
	if (lu_view_diff(before, view, NULL, NULL))
		lu_ua_raise(nexus, ASC_REPORTED_LUNS_CHANGED);
	lu_view_unref(before);
}
