/* the topology: what was read becomes phys of a map, targets of iports, and is reported */
#include "hw/mptsas/mptsas.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/*
 * Units, walked over.
 */

struct mptsas_lu *
mptsas_lu_next(struct mptsas_hba *hba, struct mptsas_lu *prev)
{
	struct mptsas_lu *lu;

	mutex_enter(&hba->topo);
	lu = prev == NULL ? LIST_FIRST(&hba->lus) : LIST_NEXT(prev, link);
	if (lu != NULL)
		lu->nwalkers++;
	if (prev != NULL && --prev->nwalkers == 0)
		cv_broadcast(&hba->walk_cv);
	mutex_exit(&hba->topo);
	return lu;
}

/*
 * Targets. topo is held.
 */

static struct mptsas_target *
target_find(struct mptsas_hba *hba, uint64_t sas)
{
	struct mptsas_target *target;

	LIST_FOREACH(target, &hba->targets, link) {
		if (target->sas == sas && !atomic_load(&target->is_gone))
			return target;
	}
	return NULL;
}

static void
target_free(struct mptsas_target *target)
{
	LIST_REMOVE(target, link);
	kmem_free(target, sizeof(*target));
}

void
mptsas_target_unref(struct mptsas_target *target)
{
	if (--target->nlus == 0 && atomic_load(&target->is_gone))
		target_free(target);
}

static unsigned int
target_throttle_max(const struct mptsas_target *target)
{
	return (target->page.info & MPT_INFO_SATA) != 0 ? MPTSAS_THROTTLE / 2 :
	    MPTSAS_THROTTLE;
}

void
mptsas_throttles_restore(struct mptsas_hba *hba)
{
	struct mptsas_target *target;

	/* not worth waiting for: there is another second */
	if (!mutex_tryenter(&hba->topo))
		return;
	LIST_FOREACH(target, &hba->targets, link) {
		mutex_enter(&hba->lock);
		if (target->throttle < target_throttle_max(target))
			target->throttle++;
		mutex_exit(&hba->lock);
	}
	mutex_exit(&hba->topo);
}

static struct mptsas_target *
target_new(struct mptsas_hba *hba, const struct page_device *d)
{
	struct mptsas_target *target = kmem_zalloc(sizeof(*target), KM_SLEEP);

	target->hba = hba;
	target->sas = d->sas;
	target->page = *d;
	target->is_expander = mpt_page_device_is_expander(d);
	target->throttle = target_throttle_max(target);
	LIST_INSERT_HEAD(&hba->targets, target, link);
	return target;
}

/* one device of the scan; true: there is something to report */
static bool
target_see(struct mptsas_hba *hba, const struct mptsas_scan *scan, unsigned int i)
{
	const struct page_device *d = &scan->devices[i];
	struct mptsas_target *target = target_find(hba, d->sas);
	bool is_new = target == NULL, has_moved;

	if (is_new)
		target = target_new(hba, d);
	if (target->was_seen) {
		if (!hba->has_twins)
			dev_err(hba->dip, CE_WARN, "two devices are called %016llx; the one "
			    "with handle %u is left out", (unsigned long long)d->sas,
			    d->handle);
		hba->has_twins = true;
		return false;
	}
	has_moved = target->local != scan->via[i] || target->remote != scan->remote[i];
	target->was_seen = true;
	target->page = *d;
	target->local = scan->via[i];
	target->remote = scan->remote[i];
	atomic_store(&target->route, (uint32_t)d->bus << 8 | d->target);
	mutex_enter(&hba->lock);
	target->is_moving = false;
	mutex_exit(&hba->lock);
	return is_new || has_moved;
}

/* true: there is something to report */
static bool
targets_apply(struct mptsas_hba *hba, const struct mptsas_scan *scan)
{
	struct mptsas_target *target;
	bool has_changed = false;

	LIST_FOREACH(target, &hba->targets, link)
		target->was_seen = false;
	for (unsigned int i = 0; i < scan->ndevices; i++) {
		const struct page_device *d = &scan->devices[i];

		if (scan->remote[i] != 0 &&
		    (mpt_page_device_is_disk(d) || mpt_page_device_is_expander(d)))
			has_changed = target_see(hba, scan, i) || has_changed;
	}
	return has_changed;
}

/* topo held: one that the scan has not seen, marked as gone, and kept for the caller; NULL */
static struct mptsas_target *
target_take_unseen(struct mptsas_hba *hba)
{
	struct mptsas_target *target;

	LIST_FOREACH(target, &hba->targets, link) {
		if (target->was_seen || atomic_load(&target->is_gone))
			continue;
		atomic_store(&target->is_gone, true);
		target->nlus++;
		return target;
	}
	return NULL;
}

/* topo is not held: nothing starts for those any more, and what was started comes back, before
 * anybody is told. True: there is something to report */
static bool
targets_depart(struct mptsas_hba *hba)
{
	struct mptsas_target *target = NULL;
	bool has_changed = false;

	do {
		mutex_enter(&hba->topo);
		if (target != NULL)
			mptsas_target_unref(target);
		target = target_take_unseen(hba);
		mutex_exit(&hba->topo);
		if (target != NULL) {
			mptsas_target_depart(target);
			has_changed = true;
		}
	} while (target != NULL);
	return has_changed;
}

/*
 * Phys. topo is held.
 */

static bool
phy_down(struct mptsas_hba *hba, unsigned int i)
{
	if (!hba->phys[i].is_up)
		return false;
	hba->phys[i].is_up = false;
	(void)sas_phymap_phy_rem(hba->phymap, (int)i);
	return true;
}

static bool
phy_up(struct mptsas_hba *hba, unsigned int i, uint64_t local, uint64_t remote)
{
	struct mptsas_phy *phy = &hba->phys[i];

	if (phy->is_up && phy->local == local && phy->remote == remote)
		return false;
	(void)phy_down(hba, i);
	*phy = (struct mptsas_phy){ .is_up = true, .was_up = true, .local = local,
	    .remote = remote };
	(void)sas_phymap_phy_add(hba->phymap, (int)i, local, remote);
	return true;
}

static uint64_t
phy_remote(const struct mptsas_scan *scan, unsigned int phy)
{
	for (unsigned int i = 0; i < scan->ndevices && scan->phys[phy].is_up; i++) {
		if (scan->devices[i].handle == scan->phys[phy].attached)
			return scan->devices[i].sas;
	}
	return 0;
}

/* true: one has changed */
static bool
phys_apply(struct mptsas_hba *hba, const struct mptsas_scan *scan)
{
	bool has_changed = false;

	for (unsigned int i = 0; i < PAGE_PHYS_MAX; i++) {
		uint64_t remote = i < scan->nphys ? phy_remote(scan, i) : 0;

		if (remote != 0 ? phy_up(hba, i, scan->local[i], remote) : phy_down(hba, i))
			has_changed = true;
	}
	return has_changed;
}

static void
reports_make(struct mptsas_hba *hba)
{
	struct mptsas_iport *iport;

	LIST_FOREACH(iport, &hba->iports, link) {
		mptsas_iport_props(iport);
		mptsas_iport_report(iport);
	}
}

static void
apply(struct mptsas_hba *hba, const struct mptsas_scan *scan)
{
	bool has_changed = false;

	mutex_enter(&hba->topo);
	if (hba->phymap != NULL)
		has_changed = targets_apply(hba, scan);
	mutex_exit(&hba->topo);
	has_changed = targets_depart(hba) || has_changed;
	mutex_enter(&hba->topo);
	if (hba->phymap != NULL && phys_apply(hba, scan))
		has_changed = true;
	if (has_changed && hba->phymap != NULL)
		reports_make(hba);
	mutex_exit(&hba->topo);
}

/* scanning held: pages may look otherwise after a reset */
static void
heads_check(struct mptsas_hba *hba, struct mptsas_scan *scan)
{
	uint32_t epoch;

	mutex_enter(&hba->lock);
	epoch = hba->epoch;
	mutex_exit(&hba->lock);
	if (scan->epoch != epoch)
		memset(scan->heads, 0, sizeof(scan->heads));
	scan->epoch = epoch;
}

void
mptsas_topo_run(struct mptsas_hba *hba)
{
	struct mptsas_scan *scan = hba->scan;
	int r;

	mutex_enter(&hba->scanning);
	heads_check(hba, scan);
	r = mptsas_scan_read(hba, scan);
	if (r == 0) {
		mptsas_scan_route(scan);
		apply(hba, scan);
	}
	mutex_exit(&hba->scanning);
	if (r == -EBADMSG)
		mptsas_fail(hba, MPTSAS_FAULT_LIE, "pages that make no sense");
}

/* one unit says that units have changed; which ones, nobody says, and there are adapters where
 * one speaks for all */
void
mptsas_luns_run(struct mptsas_hba *hba)
{
	struct mptsas_iport *iport;

	mutex_enter(&hba->topo);
	LIST_FOREACH(iport, &hba->iports, link)
		mptsas_iport_scan_luns(iport);
	mutex_exit(&hba->topo);
}

/*
 * Ports come and go as the phy map says.
 */

bool
mptsas_iport_resolve(
    struct mptsas_hba *hba, const char *ua, uint64_t *ret_local, uint64_t *ret_remote)
{
	for (unsigned int i = 0; i < PAGE_PHYS_MAX; i++) {
		const struct mptsas_phy *phy = &hba->phys[i];
		const char *name;

		if (!phy->was_up || hba->phymap == NULL)
			continue;
		name = sas_phymap_lookup_ua(hba->phymap, phy->local, phy->remote);
		if (name == NULL || strcmp(name, ua) != 0)
			continue;
		*ret_local = phy->local;
		*ret_remote = phy->remote;
		return true;
	}
	return false;
}

/* topo held: a port that came as fast as another of that name left finds the iport of the other
 * still there, for good: it leads elsewhere now */
static void
iport_redirect(struct mptsas_hba *hba, const char *ua)
{
	struct mptsas_iport *iport;

	LIST_FOREACH(iport, &hba->iports, link) {
		if (strcmp(scsi_hba_iport_unit_address(iport->dip), ua) != 0 ||
		    !mptsas_iport_resolve(hba, ua, &iport->local, &iport->remote))
			continue;
		iport->nphys = 0;	/* tell all of its properties anew */
		mptsas_iport_props(iport);
		mptsas_iport_report(iport);
	}
}

static void
port_activate(void *arg, char *ua, void **ua_privp)
{
	struct mptsas_hba *hba = arg;

	mutex_enter(&hba->topo);
	iport_redirect(hba, ua);
	if (hba->iportmap != NULL &&
	    scsi_hba_iportmap_iport_add(hba->iportmap, ua, NULL) == DDI_SUCCESS)
		*ua_privp = hba;
	mutex_exit(&hba->topo);
}

static void
port_deactivate(void *arg, char *ua, void *ua_priv)
{
	struct mptsas_hba *hba = arg;

	mutex_enter(&hba->topo);
	if (ua_priv != NULL && hba->iportmap != NULL)
		(void)scsi_hba_iportmap_iport_remove(hba->iportmap, ua);
	mutex_exit(&hba->topo);
}

static int
maps_create(struct mptsas_hba *hba)
{
	sas_phymap_t *phymap;
	int r = scsi_hba_iportmap_create(
	    hba->dip, MPTSAS_CSYNC_US, MPTSAS_IPORT_SETTLE_US, &hba->iportmap);

	if (r == DDI_SUCCESS)
		r = sas_phymap_create(hba->dip, MPTSAS_PHY_SETTLE_US, PHYMAP_MODE_SIMPLE, NULL,
		    hba, port_activate, port_deactivate, &phymap);
	if (r != DDI_SUCCESS)
		return -ENOMEM;
	mutex_enter(&hba->topo);
	hba->phymap = phymap;
	mutex_exit(&hba->topo);
	return 0;
}

int
mptsas_topo_open(struct mptsas_hba *hba)
{
	char nobody[] = "nobody";
	int r = maps_create(hba);

	if (r < 0) {
		mptsas_topo_close(hba);
		return r;
	}
	mptsas_topo_run(hba);
	/* nothing is a report, too: who waits for the first need not wait in vain */
	(void)scsi_hba_iportmap_iport_remove(hba->iportmap, nobody);
	mutex_enter(&hba->lock);
	hba->next_poll_ns = clock_now_ns();
	mutex_exit(&hba->lock);
	return 0;
}

void
mptsas_topo_close(struct mptsas_hba *hba)
{
	scsi_hba_iportmap_t *iportmap;
	sas_phymap_t *phymap;

	mutex_enter(&hba->topo);
	phymap = hba->phymap;
	hba->phymap = NULL;
	mutex_exit(&hba->topo);
	/* its last words are for the other map */
	sas_phymap_destroy(phymap);
	mutex_enter(&hba->topo);
	iportmap = hba->iportmap;
	hba->iportmap = NULL;
	memset(hba->phys, 0, sizeof(hba->phys));
	mutex_exit(&hba->topo);
	scsi_hba_iportmap_destroy(iportmap);
}

void
mptsas_topo_free(struct mptsas_hba *hba)
{
	struct mptsas_target *target;

	while ((target = LIST_FIRST(&hba->targets)) != NULL)
		target_free(target);
}
