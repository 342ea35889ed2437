/* units: how they come, how they are walked over, and how they go */
#include "hw/soft/soft_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char *const unit_products[SOFT_STORE_N] = {
	[SOFT_STORE_NULL] = "NULL DISK",
	[SOFT_STORE_MEM] = "MEMORY DISK",
	[SOFT_STORE_FILE] = "FILE DISK",
};

static uint64_t
text_hash(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3ull;
	return hash;
}

/* "0.1.0" is "0.1": what fits, without a dot at the end */
static void
revision_of_version(char *revision, size_t size)
{
	size_t len;

	(void)text_copy(revision, size, SCSAD_VERSION);
	len = strlen(revision);
	if (len > 0 && revision[len - 1] == '.')
		revision[len - 1] = '\0';
}

/* texts that were left empty */
static void
spec_default_texts(struct soft_disk_conf *conf)
{
	if (conf->vendor[0] == '\0')
		(void)text_copy(conf->vendor, sizeof(conf->vendor), "SCSAD");
	if (conf->product[0] == '\0')
		(void)text_copy(
		    conf->product, sizeof(conf->product), unit_products[conf->kind]);
	if (conf->revision[0] == '\0')
		revision_of_version(conf->revision, sizeof(conf->revision));
}

/* a serial from where the unit is: the same at every start, other ones elsewhere */
static void
serial_of_place(const struct soft_target *target, uint32_t lun, enum soft_store_kind kind,
    char *serial, size_t size)
{
	const char *name = soft_store_kind_name(kind), *label = target->port->label;
	unsigned int t = (unsigned int)target->number;

	if (target->wwn != 0)
		(void)snprintf(serial, size, "%s-%s-%04x", name, target->addr + 1, lun);
	else if (strcmp(label, SOFT_IPORT) != 0)
		(void)snprintf(serial, size, "%s-%s-%04x%04x", name, label, t, lun);
	else if (t <= 0xff && lun <= 0xff)
		(void)snprintf(serial, size, "%s-%02x%02x", name, t, lun);
	else
		(void)snprintf(serial, size, "%s-%04x%04x", name, t, lun);
}

static void
unit_serial(const struct soft_target *target, uint32_t lun, const struct soft_disk_conf *given,
    struct soft_disk_conf *conf)
{
	CLEANUP(free_ptr) char *real = NULL;

	if (given->serial[0] != '\0')
		return;
	if (conf->kind != SOFT_STORE_FILE) {
		serial_of_place(target, lun, conf->kind, conf->serial, sizeof(conf->serial));
		return;
	}
	real = realpath(conf->path, NULL);
	(void)snprintf(conf->serial, sizeof(conf->serial), "%016llx",
	    (unsigned long long)text_hash(real == NULL ? conf->path : real));
}

static void
spec_unref(struct soft_spec *spec)
{
	if (atomic_fetch_sub(&spec->refs, 1) == 1)
		kmem_free(spec, sizeof(*spec));
}

/* room for one more pointer; false without memory */
static bool
array_reserve(struct soft_unit ***array, size_t n, size_t *room)
{
	size_t want = *room == 0 ? 4 : *room * 2;
	struct soft_unit **grown;

	if (n < *room)
		return true;
	grown = kmem_alloc(want * sizeof(*grown), KM_NOSLEEP);
	if (grown == NULL)
		return false;
	if (n > 0)
		memcpy(grown, *array, n * sizeof(*grown));
	kmem_free(*array, *room * sizeof(*grown));
	*array = grown;
	*room = want;
	return true;
}

/* topo is held; there is room */
static void
luns_insert(struct soft_target *target, struct soft_unit *unit)
{
	size_t i = soft_lun_index(target, unit->lun);

	memmove(&target->luns[i + 1], &target->luns[i],
	    (target->nluns - i) * sizeof(target->luns[0]));
	target->luns[i] = unit;
	target->nluns++;
}

static void
luns_remove(struct soft_target *target, const struct soft_unit *unit)
{
	size_t i = soft_lun_index(target, unit->lun);

	target->nluns--;
	memmove(&target->luns[i], &target->luns[i + 1],
	    (target->nluns - i) * sizeof(target->luns[0]));
}

/* into the adapter: 0 or -ENOMEM */
static int
unit_link(struct soft_target *target, struct soft_unit *unit)
{
	struct soft_hba *hba = unit->hba;
	int r = -ENOMEM;

	mutex_enter(&hba->topo);
	if (array_reserve(&target->luns, target->nluns, &target->room) &&
	    array_reserve(&hba->units, hba->nunits, &hba->room)) {
		luns_insert(target, unit);
		hba->units[hba->nunits++] = unit;
		hba->nchanges++;
		target->refs++;
		mutex_enter(&hba->lock);
		TAILQ_INSERT_TAIL(&hba->all, unit, all_link);
		mutex_exit(&hba->lock);
		r = 0;
	}
	mutex_exit(&hba->topo);
	return r;
}

/* wait until no walk stands on it, and take it off all lists */
static void
unit_unlist(struct soft_unit *unit)
{
	struct soft_hba *hba = unit->hba;

	mutex_enter(&hba->lock);
	while (unit->nwalkers > 0)
		cv_wait(&hba->cv, &hba->lock);
	TAILQ_REMOVE(&hba->all, unit, all_link);
	if (unit->is_busy)
		TAILQ_REMOVE(&hba->busy, unit, busy_link);
	mutex_exit(&hba->lock);
}

static void
unit_free(struct soft_unit *unit)
{
	disk_free(unit->disk);
	spec_unref(unit->spec);
	scsi_hba_reset_notify_tear_down(unit->notify);
	cv_destroy(&unit->cv);
	mutex_destroy(&unit->lock);
	kmem_free(unit, sizeof(*unit));
}

static int
unit_error(int err, const struct soft_target *target, uint32_t lun, char *reterr)
{
	const char *what = err == -ENOMEM ? "out of memory" :
	    "what the disk has saved in the state directory cannot be read";

	if (target->wwn != 0)
		return soft_error(err, reterr, "target %s lun %u: %s", target->addr, lun, what);
	return soft_error(err, reterr, "target %d lun %u: %s", target->number, lun, what);
}

static int
unit_new(struct soft_target *target, struct soft_spec *spec, uint32_t lun, char *reterr)
{
	struct soft_unit *unit = kmem_zalloc(sizeof(*unit), KM_NOSLEEP);
	struct store *store;
	int r;

	if (unit == NULL)
		return unit_error(-ENOMEM, target, lun, reterr);
	r = store_open(&spec->conf, &store, reterr);
	if (r == 0) {
		r = disk_new(&spec->conf, store, &target->place, &unit->disk);
		if (r < 0)
			(void)unit_error(r, target, lun, reterr);
	}
	if (r < 0) {
		kmem_free(unit, sizeof(*unit));
		return r;
	}
	unit->hba = target->port->hba;
	unit->lu = (struct soft_lu){ target, unit };
	unit->spec = spec;
	(void)atomic_fetch_add(&spec->refs, 1);
	unit->lun = (uint16_t)lun;
	unit->refs = 1;
	mutex_init(&unit->lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&unit->cv, NULL, CV_DRIVER, NULL);
	TAILQ_INIT(&unit->pending);
	soft_caps_init(unit->caps);
	r = unit_link(target, unit);
	if (r < 0) {
		unit_free(unit);
		return unit_error(r, target, lun, reterr);
	}
	return 0;
}

/* those of @spec that are there already */
static void
units_undo(struct soft_target *target, uint32_t first, uint32_t n)
{
	while (n-- > 0) {
		struct soft_unit *unit;

		mutex_enter(&target->port->hba->topo);
		unit = soft_target_unit(target, first + n);
		mutex_exit(&target->port->hba->topo);
		soft_unit_drop(unit);
	}
}

int
soft_units_new(struct soft_target *target, const struct soft_disk_conf *conf, char *reterr)
{
	struct soft_spec *spec = kmem_zalloc(sizeof(*spec), KM_NOSLEEP);
	uint32_t n = conf->luns == 0 ? 1 : conf->luns, first = (uint32_t)conf->lun;
	int r = 0;

	if (spec == NULL)
		return unit_error(-ENOMEM, target, first, reterr);
	spec->refs = 1;
	spec->conf = *conf;
	spec_default_texts(&spec->conf);
	for (uint32_t i = 0; i < n && r == 0; i++) {
		unit_serial(target, first + i, conf, &spec->conf);
		r = unit_new(target, spec, first + i, reterr);
		if (r < 0)
			units_undo(target, first, i);
	}
	spec_unref(spec);
	return r;
}

void
soft_unit_unref(struct soft_unit *unit)
{
	struct soft_target *target = unit->lu.target;
	struct soft_hba *hba = unit->hba;
	bool is_last;

	mutex_enter(&hba->topo);
	is_last = --unit->refs == 0;
	mutex_exit(&hba->topo);
	if (!is_last)
		return;
	/* found by nobody: it is gone, and has no scsi_device */
	unit_unlist(unit);
	mutex_enter(&hba->topo);
	luns_remove(target, unit);
	mutex_exit(&hba->topo);
	unit_free(unit);
	mutex_enter(&hba->topo);
	soft_target_unref(target);
	mutex_exit(&hba->topo);
}

/* topo held: it is none of the adapter's disks any more */
static void
units_forget(struct soft_hba *hba)
{
	size_t n = 0;

	for (size_t i = 0; i < hba->nunits; i++) {
		if (!atomic_load(&hba->units[i]->is_gone))
			hba->units[n++] = hba->units[i];
	}
	hba->nunits = n;
	hba->nchanges++;
}

/* topo held: from now on commands see that it is gone */
static void
unit_mark(struct soft_unit *unit)
{
	mutex_enter(&unit->lock);
	atomic_store(&unit->is_gone, true);
	mutex_exit(&unit->lock);
}

/* marked: end what is at work, give the adapter's reference back */
static void
unit_clear(struct soft_unit *unit)
{
	static const struct soft_end gone = { .why = CMD_DEV_GONE };
	struct soft_cmd_list dead = TAILQ_HEAD_INITIALIZER(dead);

	(void)soft_unit_kill(unit, NULL, 0, &gone, &dead);
	soft_finish_all(&dead);
	soft_unit_unref(unit);
}

void
soft_unit_drop(struct soft_unit *unit)
{
	struct soft_hba *hba = unit->hba;

	mutex_enter(&hba->topo);
	unit_mark(unit);
	units_forget(hba);
	mutex_exit(&hba->topo);
	unit_clear(unit);
}

void
soft_target_drop(struct soft_target *target)
{
	struct soft_hba *hba = target->port->hba;
	struct soft_unit **units;
	size_t n = 0, room;

	mutex_enter(&hba->topo);
	atomic_store(&target->is_gone, true);
	room = target->nluns;
	units = kmem_alloc(room * sizeof(struct soft_unit *), KM_SLEEP);
	for (size_t i = 0; i < room; i++) {
		if (atomic_load(&target->luns[i]->is_gone))
			continue;
		unit_mark(target->luns[i]);
		units[n++] = target->luns[i];
	}
	units_forget(hba);
	mutex_exit(&hba->topo);
	while (n > 0)
		unit_clear(units[--n]);
	kmem_free(units, room * sizeof(struct soft_unit *));
	mutex_enter(&hba->topo);
	soft_target_unref(target);
	mutex_exit(&hba->topo);
}

/*
 * Walks.
 */

/* hba->lock is held: leave @unit; who wants to free it may */
static void
walk_leave(struct soft_unit *unit)
{
	if (--unit->nwalkers == 0)
		cv_broadcast(&unit->hba->cv);
}

struct soft_unit *
soft_unit_next(struct soft_hba *hba, struct soft_unit *prev)
{
	struct soft_unit *next;

	mutex_enter(&hba->lock);
	next = prev == NULL ? TAILQ_FIRST(&hba->all) : TAILQ_NEXT(prev, all_link);
	if (next != NULL)
		next->nwalkers++;
	if (prev != NULL)
		walk_leave(prev);
	mutex_exit(&hba->lock);
	return next;
}

void
soft_busy_add(struct soft_unit *unit)
{
	struct soft_hba *hba = unit->hba;

	mutex_enter(&hba->lock);
	if (!unit->is_busy)
		TAILQ_INSERT_TAIL(&hba->busy, unit, busy_link);
	unit->is_busy = true;
	mutex_exit(&hba->lock);
}

struct soft_unit *
soft_busy_next(struct soft_hba *hba, struct soft_unit *prev)
{
	struct soft_unit *next;

	if (prev != NULL)
		mutex_enter(&prev->lock);
	mutex_enter(&hba->lock);
	next = prev == NULL ? TAILQ_FIRST(&hba->busy) : TAILQ_NEXT(prev, busy_link);
	if (next != NULL)
		next->nwalkers++;
	/* nobody else stands on it, so nobody else needs its place in the list */
	if (prev != NULL && prev->nwalkers == 1 && TAILQ_EMPTY(&prev->pending)) {
		TAILQ_REMOVE(&hba->busy, prev, busy_link);
		prev->is_busy = false;
	}
	mutex_exit(&hba->lock);
	if (prev == NULL)
		return next;
	mutex_exit(&prev->lock);
	mutex_enter(&hba->lock);
	walk_leave(prev);
	mutex_exit(&hba->lock);
	return next;
}
