/* who is there: probes, the target map, scsi_devices */
#include "hw/pvscsi/pvscsi.h"

#include <stdio.h>
#include <string.h>
#include <sys/ddi.h>

#include "base/bytes.h"
#include "base/text.h"
#include "scsi/cdb.h"

#define PROBE_S		10	/* for an answer */
#define PROBE_TRIES	4	/* unit attentions, one a time */
#define INQUIRY_BYTES	36
#define CAPACITY_BYTES	8

enum answer { ANSWER_UNKNOWN, ANSWER_NOBODY, ANSWER_SOMEBODY };

/*
 * What the target map is told.
 *
 * A target that leaves and another that comes to its place may be too fast for the map: it
 * would see nothing. So a new one is reported when the old one is gone.
 */

static char *
target_addr(const struct pvscsi_target *target, char addr[8])
{
	(void)snprintf(addr, 8, "%x", target->number);
	return addr;
}

/* topo_lock is held */
static void
report_there(struct pvscsi *hba, struct pvscsi_target *target)
{
	char addr[8];

	if (target->is_leaving) {
		target->want_back = true;
		return;
	}
	target->is_reported = scsi_hba_tgtmap_tgt_add(hba->map, SCSI_TGT_SCSI_DEVICE,
	    target_addr(target, addr), target) == DDI_SUCCESS;
}

static void
report_gone(struct pvscsi *hba, struct pvscsi_target *target)
{
	char addr[8];

	target->want_back = false;
	if (!target->is_reported)
		return;
	target->is_reported = false;
	target->is_leaving = atomic_load(&target->is_active);
	(void)scsi_hba_tgtmap_tgt_remove(
	    hba->map, SCSI_TGT_SCSI_DEVICE, target_addr(target, addr));
}

/* the units of one that has left are taken down when the chip has let go of their commands */
static void
report(struct pvscsi *hba, struct pvscsi_target *target, bool is_there)
{
	bool is_news;

	mutex_enter(&hba->topo_lock);
	is_news = !is_there && target->is_reported;
	mutex_exit(&hba->topo_lock);
	if (is_news)
		pvscsi_empty(hba, target);
	mutex_enter(&hba->topo_lock);
	if (hba->map != NULL && is_there)
		report_there(hba, target);
	else if (hba->map != NULL)
		report_gone(hba, target);
	mutex_exit(&hba->topo_lock);
}

static void
target_activate(void *arg, char *addr, scsi_tgtmap_tgt_type_t type, void **privp)
{
	struct pvscsi_target *target = *privp;

	(void)arg;
	(void)addr;
	(void)type;
	pvscsi_caps_init(target->caps);
	atomic_store(&target->is_active, true);
}

static boolean_t
target_deactivate(void *arg, char *addr, scsi_tgtmap_tgt_type_t type, void *priv,
    scsi_tgtmap_deact_rsn_t reason)
{
	struct pvscsi_target *target = priv;
	struct pvscsi *hba = arg;

	(void)addr;
	(void)type;
	if (reason == SCSI_TGT_DEACT_RSN_UNSTBL)
		return B_FALSE;
	mutex_enter(&hba->topo_lock);
	atomic_store(&target->is_active, false);
	/* one that waits for the place has been asked already */
	if (!target->want_back)
		atomic_store(&target->block_bytes, 0);
	target->is_leaving = false;
	if (reason == SCSI_TGT_DEACT_RSN_CFG_FAIL)
		target->is_reported = false;
	if (target->want_back && hba->map != NULL)
		report_there(hba, target);
	target->want_back = false;
	mutex_exit(&hba->topo_lock);
	return B_FALSE;
}

static void
targets_tell(struct pvscsi *hba)
{
	for (uint32_t i = 0; i < PV_TARGETS; i++) {
		struct pvscsi_target *target = &hba->targets[i];
		char addr[8];
		uint_t events;

		mutex_enter(&hba->lock);
		events = target->events;
		target->events = 0;
		mutex_exit(&hba->lock);
		if ((events & PVSCSI_EV_REMOVED) != 0)
			report(hba, target, false);
		if ((events & PVSCSI_EV_ADDED) != 0) {
			atomic_store(&target->is_gone, false);
			report(hba, target, true);
		}
		mutex_enter(&hba->topo_lock);
		if ((events & PVSCSI_EV_LUNS) != 0 && hba->map != NULL)
			scsi_hba_tgtmap_scan_luns(hba->map, target_addr(target, addr));
		mutex_exit(&hba->topo_lock);
	}
}

/*
 * Probes: commands of the driver's own, one a target, all at a time.
 */

/* false: the adapter takes no commands now */
static bool
probe_send(struct pvscsi *hba, uint32_t number, size_t cdb_len, uint32_t bytes)
{
	struct pvscsi_probe *probe = &hba->probes[number];
	ddi_dma_cookie_t cookie = { .dmac_laddress = probe->iova, .dmac_size = bytes };
	int r;

	memset(probe->data, 0, PVSCSI_PROBE_BYTES);
	probe->cmd = (struct pvscsi_cmd){
		.target = &hba->targets[number], .cdb = probe->cdb,
		.cdb_len = (uint8_t)cdb_len, .tag = PV_TAG_SIMPLE, .time_s = PROBE_S,
		.flags = PV_REQ_DIR_IN, .want = { .data_len = bytes },
	};
	while ((r = pvscsi_post(hba, &probe->cmd, &cookie, 1)) == TRAN_BUSY) {
		mutex_enter(&hba->lock);
		(void)cv_reltimedwait(
		    &hba->cv, &hba->lock, drv_usectohz(1000), TR_MILLISEC);
		r = hba->is_detaching ? TRAN_FATAL_ERROR : TRAN_BUSY;
		mutex_exit(&hba->lock);
		if (r != TRAN_BUSY)
			break;
	}
	probe->is_out = r == TRAN_ACCEPT;
	return probe->is_out;
}

/* it ends: if not by itself, by the ladder */
static const struct pvscsi_result *
probe_wait(struct pvscsi *hba, uint32_t number)
{
	struct pvscsi_probe *probe = &hba->probes[number];

	mutex_enter(&hba->lock);
	while (!atomic_load(&probe->cmd.is_done))
		cv_wait(&hba->cv, &hba->lock);
	mutex_exit(&hba->lock);
	probe->is_out = false;
	return &probe->cmd.result;
}

static enum answer
inquiry_judge(const struct pvscsi_result *result)
{
	switch (result->reason) {
	case CMD_CMPLT:
	case CMD_DATA_OVR:
		return ANSWER_SOMEBODY;
	case CMD_INCOMPLETE:
	case CMD_DEV_GONE:
		return ANSWER_NOBODY;
	default:
		return ANSWER_UNKNOWN;
	}
}

static void
inquiry_all(struct pvscsi *hba, enum answer answers[PV_TARGETS])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < hba->ntargets; i++) {
		size_t len = cdb_inquiry(hba->probes[i].cdb, INQUIRY_BYTES);

		answers[i] = ANSWER_UNKNOWN;
		n += probe_send(hba, i, len, INQUIRY_BYTES);
	}
	for (uint32_t i = 0; i < hba->ntargets && n > 0; i++) {
		if (hba->probes[i].is_out)
			answers[i] = inquiry_judge(probe_wait(hba, i));
	}
}

/* how long the blocks of a disk are: its commands are given what their CDB moves (start.c). The
 * first answers may be unit attentions */
static void
capacity_ask(struct pvscsi *hba, uint32_t number)
{
	struct pvscsi_probe *probe = &hba->probes[number];
	size_t len = cdb_readcap10(probe->cdb);
	uint32_t bytes;

	for (int i = 0; i < PROBE_TRIES; i++) {
		const struct pvscsi_result *result;

		if (!probe_send(hba, number, len, CAPACITY_BYTES))
			return;
		result = probe_wait(hba, number);
		if (result->reason != CMD_CMPLT)
			return;
		if (result->status != STATUS_GOOD)
			continue;
		bytes = be32_get(probe->data + 4);
		if (bytes >= 512 && bytes <= 65536)
			atomic_store(&hba->targets[number].block_bytes, bytes);
		return;
	}
}

static void
capacity_all(struct pvscsi *hba, const enum answer answers[PV_TARGETS])
{
	for (uint32_t i = 0; i < hba->ntargets; i++) {
		/* a disk at LUN 0, qualifier 0 */
		if (answers[i] == ANSWER_SOMEBODY && hba->probes[i].data[0] == DTYPE_DIRECT &&
		    atomic_load(&hba->targets[i].block_bytes) == 0)
			capacity_ask(hba, i);
	}
}

/* the answers of an adapter that failed meanwhile count for nothing */
static void
scan(struct pvscsi *hba)
{
	enum answer answers[PV_TARGETS] = { ANSWER_UNKNOWN };

	(void)atomic_fetch_add(&hba->stats.scans, 1);
	inquiry_all(hba, answers);
	capacity_all(hba, answers);
	for (uint32_t i = 0; i < hba->ntargets; i++) {
		if (answers[i] == ANSWER_SOMEBODY)
			atomic_store(&hba->targets[i].is_gone, false);
		if (answers[i] != ANSWER_UNKNOWN)
			report(hba, &hba->targets[i], answers[i] == ANSWER_SOMEBODY);
	}
}

/* a new disk is asked for the length of its blocks before anybody sees it */
static void
added_ask(struct pvscsi *hba)
{
	for (uint32_t i = 0; i < PV_TARGETS; i++) {
		bool is_new;

		mutex_enter(&hba->lock);
		is_new = (hba->targets[i].events & PVSCSI_EV_ADDED) != 0;
		mutex_exit(&hba->lock);
		if (is_new)
			capacity_ask(hba, i);
	}
}

void
pvscsi_topology(struct pvscsi *hba, uint_t work)
{
	if ((work & PVSCSI_WORK_EVENTS) != 0) {
		added_ask(hba);
		targets_tell(hba);
	}
	if ((work & PVSCSI_WORK_SCAN) != 0)
		scan(hba);
}

/*
 * The iport.
 */

/* who waits for the first report need not wait in vain when there is nobody */
static void
report_nobody(struct pvscsi *hba)
{
	char nobody[] = "nobody";

	mutex_enter(&hba->topo_lock);
	(void)scsi_hba_tgtmap_tgt_remove(hba->map, SCSI_TGT_SCSI_DEVICE, nobody);
	mutex_exit(&hba->topo_lock);
}

int
pvscsi_iport_attach(dev_info_t *dip)
{
	scsi_hba_tran_t *tran = ddi_get_driver_private(dip);
	struct pvscsi *hba = pvscsi_of(dip);
	scsi_hba_tgtmap_t *map;

	if (hba == NULL || tran == NULL)
		return DDI_FAILURE;
	tran->tran_hba_private = hba;
	if (scsi_hba_tgtmap_create(dip, SCSI_TM_PERADDR, PVSCSI_CSYNC_US, PVSCSI_SETTLE_US, hba,
	    target_activate, target_deactivate, &map) != DDI_SUCCESS)
		return DDI_FAILURE;
	mutex_enter(&hba->topo_lock);
	hba->map = map;
	mutex_exit(&hba->topo_lock);
	/* what is found now settles before the first one asks */
	mutex_enter(&hba->lock);
	pvscsi_work(hba, PVSCSI_WORK_SCAN);
	pvscsi_scan_arm(hba);
	mutex_exit(&hba->lock);
	ddi_taskq_wait(hba->topology.taskq);
	report_nobody(hba);
	return DDI_SUCCESS;
}

int
pvscsi_iport_detach(dev_info_t *dip)
{
	struct pvscsi *hba = pvscsi_of(dip);
	scsi_hba_tgtmap_t *map;

	mutex_enter(&hba->topo_lock);
	map = STEAL(hba->map);
	for (uint32_t i = 0; i < PV_TARGETS; i++)
		hba->targets[i].is_reported = false;
	mutex_exit(&hba->topo_lock);
	/* nobody reports any more; what is still active goes, and takes the lock for that */
	scsi_hba_tgtmap_destroy(map);
	return DDI_SUCCESS;
}

/*
 * Units.
 */

/* "target,lun": both are in hexadecimal; the chip's LUNs have one byte */
static bool
unit_parse(const char *text, uint32_t *ret_target, scsi_lun64_t *ret_lun)
{
	char addr[64], *comma, *end;
	unsigned long number;

	if (!text_copy(addr, sizeof(addr), text))
		return false;
	comma = strchr(addr, ',');
	if (comma == NULL)
		return false;
	*comma++ = '\0';
	if (ddi_strtoul(addr, &end, 16, &number) != 0 || *end != '\0' || number >= PV_TARGETS)
		return false;
	*ret_target = (uint32_t)number;
	*ret_lun = scsi_addr_to_lun64(comma);
	return *ret_lun >= 0 && *ret_lun <= UINT8_MAX;
}

int
pvscsi_tgt_init(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	struct pvscsi *hba = tran->tran_hba_private;
	struct pvscsi_target *target;
	struct pvscsi_lu *lu;
	scsi_lun64_t lun;
	uint32_t number;

	(void)hba_dip;
	(void)tgt_dip;
	if (!unit_parse(scsi_device_unit_address(sd), &number, &lun))
		return DDI_FAILURE;
	target = &hba->targets[number];
	if (!atomic_load(&target->is_active))
		return DDI_FAILURE;
	lu = kmem_zalloc(sizeof(*lu), KM_SLEEP);
	lu->hba = hba;
	lu->target = target;
	lu->lun = scsi_lun64_to_lun(lun);
	mutex_enter(&hba->lock);
	target->luns[lun / 64] |= 1ull << lun % 64;
	mutex_exit(&hba->lock);
	scsi_device_hba_private_set(sd, lu);
	return DDI_SUCCESS;
}

void
pvscsi_tgt_free(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	struct pvscsi_lu *lu = scsi_device_hba_private_get(sd);
	scsi_lun64_t lun = scsi_lun_to_lun64(lu->lun);

	(void)hba_dip;
	(void)tgt_dip;
	(void)tran;
	scsi_device_hba_private_set(sd, NULL);
	mutex_enter(&lu->hba->lock);
	lu->target->luns[lun / 64] &= ~(1ull << lun % 64);
	mutex_exit(&lu->hba->lock);
	kmem_free(lu, sizeof(*lu));
}
