/* what is behind the adapter: looking for targets, the map, units */
#include "hw/virtio_scsi/virtio_scsi.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "scsi/lun.h"

#define TADDR_LEN	8
#define PROBE_TIME_S	10
#define PROBE_TRIES	3
#define WAIT_MS		100
#define READD_TICKS	3	/* longer than the map takes to believe in a removal */

enum probe_end { PROBE_PRESENT, PROBE_ABSENT, PROBE_UNCLEAR };

struct probe {
	struct vs_cmd cmd;
	struct vs_hba *hba;
	unsigned int target;
	bool is_finished;		/* hba->lock */
};

/*
 * Reports.
 */

static char *
taddr_of(unsigned int target, char taddr[TADDR_LEN])
{
	(void)snprintf(taddr, TADDR_LEN, "%x", target);
	return taddr;
}

/* tell the map; @is_there is what counts from now on */
static void
target_report(struct vs_hba *hba, unsigned int t, bool is_there)
{
	struct vs_target *target = &hba->targets[t];
	char taddr[TADDR_LEN];

	mutex_enter(&hba->map_lock);
	if (hba->map != NULL && atomic_load(&target->is_reported) != is_there) {
		atomic_store(&target->is_reported, is_there);
		if (is_there)
			(void)scsi_hba_tgtmap_tgt_add(hba->map, SCSI_TGT_SCSI_DEVICE,
			    taddr_of(t, taddr), NULL);
		else
			(void)scsi_hba_tgtmap_tgt_remove(hba->map, SCSI_TGT_SCSI_DEVICE,
			    taddr_of(t, taddr));
	}
	mutex_exit(&hba->map_lock);
	if (!is_there)
		atomic_store(&target->was_known, false);
}

static void
target_scan_luns(struct vs_hba *hba, unsigned int t)
{
	char taddr[TADDR_LEN];

	mutex_enter(&hba->map_lock);
	if (hba->map != NULL)
		scsi_hba_tgtmap_scan_luns(hba->map, taddr_of(t, taddr));
	mutex_exit(&hba->map_lock);
}

/* nobody could make anything of the target: whoever finds it again reports it again */
static boolean_t
target_deactivated(void *arg, char *taddr, scsi_tgtmap_tgt_type_t type, void *priv,
    scsi_tgtmap_deact_rsn_t reason)
{
	struct vs_hba *hba = arg;
	uint64_t t;
	char hex[TADDR_LEN + 2];

	(void)type;
	(void)priv;
	(void)snprintf(hex, sizeof(hex), "0x%s", taddr);
	if (reason == SCSI_TGT_DEACT_RSN_CFG_FAIL &&
	    num_parse_u64(hex, VS_TARGET_MAX, &t) == 0)
		atomic_store(&hba->targets[t].is_reported, false);
	return B_FALSE;
}

/*
 * Probes: INQUIRY to LUN 0. A target without one answers it, too.
 */

static void
probe_done(struct vs_cmd *cmd)
{
	struct probe *probe = container_of(cmd, struct probe, cmd);
	struct vs_hba *hba = probe->hba;

	mutex_enter(&hba->lock);
	probe->is_finished = true;
	cv_broadcast(&hba->cv);
	mutex_exit(&hba->lock);
}

/* false: the adapter is not up */
static bool
probe_start(struct vs_hba *hba, struct probe *probe, unsigned int place, unsigned int target)
{
	static const uint8_t inquiry[6] = { SCMD_INQUIRY, 0, 0, 0, 36, 0 };
	struct vs_queue *queue = &hba->queues[0];
	ddi_dma_cookie_t cookie = { .dmac_size = 36 };
	struct vs_order order = {
		.cdb = inquiry, .cdb_bytes = sizeof(inquiry),
		.cookies = &cookie, .ncookies = 1, .is_read = true,
	};
	uint8_t wire[8];
	bool is_sent = false;

	cookie.dmac_laddress = hba->scan_mem.iova + (uint64_t)place * VS_SCAN_BYTES;
	vs_lun_put(wire, (uint8_t)target, 0);
	order.lun = wire;
	*probe = (struct probe){ .hba = hba, .target = target };
	probe->cmd.done = probe_done;
	probe->cmd.data_bytes = cookie.dmac_size;
	probe->cmd.target = (uint8_t)target;
	vs_watch_need(hba);
	probe->cmd.issued = atomic_load(&hba->tick);
	probe->cmd.deadline = probe->cmd.issued + PROBE_TIME_S * VS_TICKS_PER_S + 1;
	mutex_enter(&queue->lock);
	if (vs_state(hba) == VS_READY)
		is_sent = vs_queue_issue(queue, &probe->cmd, &order);
	vs_queue_leave(queue);
	vs_watch_need(hba);
	return is_sent;
}

/* it ends for sure: its time is watched */
static enum probe_end
probe_wait(struct probe *probe)
{
	struct vs_hba *hba = probe->hba;

	mutex_enter(&hba->lock);
	while (!probe->is_finished)
		cv_wait(&hba->cv, &hba->lock);
	mutex_exit(&hba->lock);
	if ((probe->cmd.result.state & STATE_GOT_STATUS) != 0)
		return PROBE_PRESENT;
	if (probe->cmd.result.reason == CMD_INCOMPLETE ||
	    probe->cmd.result.reason == CMD_DEV_GONE)
		return PROBE_ABSENT;
	return PROBE_UNCLEAR;
}

/* @n targets from @first on, all at a time */
static void
probe_some(struct vs_hba *hba, unsigned int first, unsigned int n, enum probe_end *ret_ends)
{
	struct probe probes[VS_SCAN_DEPTH];
	struct vs_hba *outer = vs_batch_begin(hba);
	bool is_sent[VS_SCAN_DEPTH];

	for (unsigned int i = 0; i < n; i++)
		is_sent[i] = probe_start(hba, &probes[i], i, first + i);
	vs_batch_end(hba, outer);
	for (unsigned int i = 0; i < n; i++)
		ret_ends[i] = is_sent[i] ? probe_wait(&probes[i]) : PROBE_UNCLEAR;
}

static enum probe_end
probe_one(struct vs_hba *hba, unsigned int target)
{
	enum probe_end end = PROBE_UNCLEAR;

	for (int i = 0; i < PROBE_TRIES && end == PROBE_UNCLEAR; i++)
		probe_some(hba, target, 1, &end);
	return end;
}

/*
 * The worker's part.
 */

/* a report of nothing: who waits for the first one need not wait in vain */
static void
report_nobody(struct vs_hba *hba)
{
	char nobody[] = "nobody";

	mutex_enter(&hba->map_lock);
	if (hba->map != NULL)
		(void)scsi_hba_tgtmap_tgt_remove(hba->map, SCSI_TGT_SCSI_DEVICE, nobody);
	mutex_exit(&hba->map_lock);
}

void
vs_scan_work(struct vs_hba *hba)
{
	unsigned int count = hba->limits.target_max + 1u;
	enum probe_end ends[VS_SCAN_DEPTH];

	for (unsigned int first = 0; first < count; first += VS_SCAN_DEPTH) {
		unsigned int n = (unsigned int)num_min(VS_SCAN_DEPTH, count - first);

		probe_some(hba, first, n, ends);
		for (unsigned int i = 0; i < n; i++) {
			bool was = atomic_load(&hba->targets[first + i].is_reported);

			if (ends[i] == PROBE_UNCLEAR)
				ends[i] = probe_one(hba, first + i);
			if (ends[i] != PROBE_UNCLEAR)
				target_report(hba, first + i, ends[i] == PROBE_PRESENT);
			if (was && ends[i] == PROBE_PRESENT)
				target_scan_luns(hba, first + i);
		}
	}
	report_nobody(hba);
	mutex_enter(&hba->lock);
	hba->nscans++;
	cv_broadcast(&hba->cv);
	mutex_exit(&hba->lock);
}

void
vs_target_changed(struct vs_hba *hba, uint8_t t)
{
	struct vs_target *target = &hba->targets[t];

	/* gone and here again before anybody looked: it may be another one */
	if (atomic_load(&target->recheck) != 0) {
		target_report(hba, t, false);
		atomic_store(&target->recheck_late, 0);
		atomic_store(&target->recheck, atomic_load(&hba->tick) + READD_TICKS);
		vs_watch_need(hba);
		return;
	}
	atomic_store(&target->is_leaving, false);
	if (atomic_load(&target->is_reported))
		target_scan_luns(hba, t);
	else if (probe_one(hba, t) == PROBE_PRESENT)
		target_report(hba, t, true);
}

static bool
recheck_take(struct vs_hba *hba, _Atomic uint64_t *due)
{
	uint64_t at = atomic_load(due);

	if (at == 0 || at > atomic_load(&hba->tick))
		return false;
	atomic_store(due, 0);
	return true;
}

static void
target_recheck(struct vs_hba *hba, unsigned int t)
{
	struct vs_target *target = &hba->targets[t];
	enum probe_end end = probe_one(hba, t);

	if (end == PROBE_ABSENT)
		target_report(hba, t, false);
	if (end != PROBE_PRESENT)
		return;
	atomic_store(&target->is_leaving, false);
	if (atomic_load(&target->is_reported))
		target_scan_luns(hba, t);
	else
		target_report(hba, t, true);
}

void
vs_recheck_work(struct vs_hba *hba)
{
	for (unsigned int t = 0; t < VS_TARGETS; t++) {
		struct vs_target *target = &hba->targets[t];
		bool is_due = recheck_take(hba, &target->recheck);

		if (recheck_take(hba, &target->recheck_late) || is_due)
			target_recheck(hba, t);
	}
}

void
vs_targets_gone(struct vs_hba *hba)
{
	for (unsigned int t = 0; t < VS_TARGETS; t++)
		target_report(hba, t, false);
}

void
vs_publish(struct vs_hba *hba)
{
	enum vs_why why = (enum vs_why)atomic_load(&hba->last_why);

	(void)ddi_prop_update_string(DDI_DEV_T_NONE, hba->dip, "hba-state",
	    vs_states[vs_state(hba)].name);
	(void)ddi_prop_update_string(DDI_DEV_T_NONE, hba->dip, "hba-why", vs_why_text(why));
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, hba->dip, "hba-failures",
	    (int)atomic_load(&hba->counts.failures));
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, hba->dip, "capacity-changes",
	    (int)atomic_load(&hba->counts.changes));
}

/*
 * The port.
 */

int
vs_iport_attach(dev_info_t *dip)
{
	scsi_hba_tran_t *tran = ddi_get_driver_private(dip);
	struct vs_hba *hba = vs_hba_of(dip);
	hrtime_t end = gethrtime() + MSEC2NSEC(VS_FIRST_SCAN_MS);
	scsi_hba_tgtmap_t *map;
	unsigned int before;

	if (hba == NULL || tran == NULL)
		return DDI_FAILURE;
	tran->tran_hba_private = hba;
	if (scsi_hba_tgtmap_create(dip, SCSI_TM_PERADDR, VS_CSYNC_US, VS_SETTLE_US, hba, NULL,
	    target_deactivated, &map) != DDI_SUCCESS)
		return DDI_FAILURE;
	mutex_enter(&hba->map_lock);
	hba->map = map;
	mutex_exit(&hba->map_lock);
	mutex_enter(&hba->lock);
	before = hba->nscans;
	mutex_exit(&hba->lock);
	vs_want(hba, VS_WORK_SCAN);
	mutex_enter(&hba->lock);
	while (hba->nscans == before && gethrtime() < end)
		(void)cv_reltimedwait(&hba->cv, &hba->lock, drv_usectohz(WAIT_MS * MILLISEC),
		    TR_MILLISEC);
	mutex_exit(&hba->lock);
	return DDI_SUCCESS;
}

int
vs_iport_detach(dev_info_t *dip)
{
	struct vs_hba *hba = vs_hba_of(dip);
	scsi_hba_tgtmap_t *map;

	mutex_enter(&hba->map_lock);
	map = STEAL(hba->map);
	mutex_exit(&hba->map_lock);
	/* what is still active goes, and takes its units with it */
	scsi_hba_tgtmap_destroy(map);
	for (unsigned int t = 0; t < VS_TARGETS; t++)
		atomic_store(&hba->targets[t].is_reported, false);
	return DDI_SUCCESS;
}

/*
 * Units.
 */

/* "3,0": hexadecimal numbers of target and LUN; false: not one of ours */
static bool
address_read(struct vs_hba *hba, struct scsi_device *sd, uint8_t *ret_target, uint16_t *ret_lun)
{
	char text[64] = "0x", *comma;
	uint64_t target;
	uint32_t lun;

	if (!text_copy(text + 2, sizeof(text) - 2, scsi_device_unit_address(sd)))
		return false;
	comma = strchr(text, ',');
	if (comma == NULL)
		return false;
	*comma++ = '\0';
	if (num_parse_u64(text, hba->limits.target_max, &target) < 0 ||
	    !lunfmt_index((uint64_t)scsi_addr_to_lun64(comma), &lun) ||
	    lun > hba->limits.lun_max)
		return false;
	*ret_target = (uint8_t)target;
	*ret_lun = (uint16_t)lun;
	return true;
}

int
vs_tgt_init(dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran,
    struct scsi_device *sd)
{
	struct vs_hba *hba = tran->tran_hba_private;
	struct vs_lu *lu;
	uint8_t target;
	uint16_t lun;

	(void)hba_dip;
	(void)tgt_dip;
	if (!address_read(hba, sd, &target, &lun))
		return DDI_FAILURE;
	lu = kmem_zalloc(sizeof(*lu), KM_SLEEP);
	lu->hba = hba;
	lu->target = target;
	lu->lun = lun;
	lu->refs = 1;
	vs_lun_put(lu->wire, target, lun);
	mutex_enter(&hba->lock);
	LIST_INSERT_HEAD(&hba->lus, lu, link);
	mutex_exit(&hba->lock);
	scsi_device_hba_private_set(sd, lu);
	return DDI_SUCCESS;
}

void
vs_lu_unref(struct vs_lu *lu)
{
	struct vs_hba *hba = lu->hba;
	bool is_last;

	mutex_enter(&hba->lock);
	is_last = --lu->refs == 0;
	if (is_last)
		LIST_REMOVE(lu, link);
	mutex_exit(&hba->lock);
	if (!is_last)
		return;
	scsi_hba_reset_notify_tear_down(lu->notify);
	kmem_free(lu, sizeof(*lu));
}

void
vs_tgt_free(dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran,
    struct scsi_device *sd)
{
	struct vs_lu *lu = scsi_device_hba_private_get(sd);

	(void)hba_dip;
	(void)tgt_dip;
	(void)tran;
	scsi_device_hba_private_set(sd, NULL);
	vs_lu_unref(lu);
}
