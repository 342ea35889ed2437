/* adapters as their owner sees them: soft.h */
#include "hw/soft/soft_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sunndi.h>

#include "base/text.h"

static LIST_HEAD(, soft_hba) hbas = LIST_HEAD_INITIALIZER(hbas);
static pthread_mutex_t hbas_lock = PTHREAD_MUTEX_INITIALIZER;

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

/* texts that were left empty; the serial is the same at every start */
static void
unit_default_texts(struct soft_disk_conf *conf)
{
	CLEANUP(free_ptr) char *real = NULL;
	const char *path = conf->path;

	if (conf->vendor[0] == '\0')
		(void)text_copy(conf->vendor, sizeof(conf->vendor), "SCSAD");
	if (conf->product[0] == '\0')
		(void)text_copy(
		    conf->product, sizeof(conf->product), unit_products[conf->kind]);
	if (conf->revision[0] == '\0')
		revision_of_version(conf->revision, sizeof(conf->revision));
	if (conf->serial[0] != '\0')
		return;
	if (conf->kind != SOFT_STORE_FILE) {
		(void)snprintf(conf->serial, sizeof(conf->serial), "%s-%02x%02x",
		    soft_store_kind_name(conf->kind), (unsigned int)conf->target,
		    (unsigned int)conf->lun);
		return;
	}
	real = realpath(path, NULL);
	(void)snprintf(conf->serial, sizeof(conf->serial), "%016llx",
	    (unsigned long long)text_hash(real == NULL ? path : real));
}

static size_t
target_luns(void *arg, uint64_t *luns)
{
	const struct soft_place *place = arg;
	size_t n = 0;

	for (unsigned int lun = 0; lun < SOFT_LUNS; lun++) {
		if (place->hba->map[place->target][lun] != NULL)
			luns[n++] = lun;
	}
	return n;
}

static int
hba_error(int err, char *reterr, const char *what, int32_t target, int32_t lun)
{
	(void)snprintf(reterr, SOFT_ERR_LEN, "target %d lun %d: %s", target, lun, what);
	return err;
}

/* addresses the owner left open, lowest free target first */
static int
unit_place(struct soft_hba *hba, struct soft_disk_conf *conf, char *reterr)
{
	if (conf->lun == SOFT_ANY)
		conf->lun = 0;
	for (int32_t t = 0; conf->target == SOFT_ANY && t < SOFT_TARGETS; t++) {
		if (!hba->has_target[t])
			conf->target = t;
	}
	if (conf->target == SOFT_ANY)
		return hba_error(-EINVAL, reterr,
		    "no target number is free; put further disks on other "
		    "luns (target=0,lun=1)",
		    conf->target, conf->lun);
	if (conf->target < 0 || conf->target >= SOFT_TARGETS || conf->lun < 0 ||
	    conf->lun >= SOFT_LUNS)
		return hba_error(-EINVAL, reterr, "targets are 0 to 15, luns 0 to 255",
		    conf->target, conf->lun);
	if (hba->map[conf->target][conf->lun] != NULL)
		return hba_error(-EINVAL, reterr,
		    "two disks have this address; give one of them another "
		    "target or lun, or leave them out",
		    conf->target, conf->lun);
	return 0;
}

static int
unit_init(struct soft_hba *hba, struct soft_unit *unit, char *reterr)
{
	struct soft_disk_conf *conf = &unit->conf;
	struct store *store;
	int r;

	if (conf->physical_bytes == 0)
		conf->physical_bytes = conf->block_bytes;
	r = unit_place(hba, conf, reterr);
	if (r == 0)
		r = store_open(conf, &store, reterr);
	if (r < 0)
		return r;
	unit_default_texts(conf);
	r = disk_new(conf, store, &hba->places[conf->target], &unit->disk);
	if (r < 0)
		return hba_error(r, reterr, "out of memory", conf->target, conf->lun);

	unit->hba = hba;
	unit->target = conf->target;
	unit->lun = conf->lun;
	mutex_init(&unit->lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&unit->cv, NULL, CV_DRIVER, NULL);
	TAILQ_INIT(&unit->pending);
	soft_caps_init(unit->caps);
	hba->map[unit->target][unit->lun] = unit;
	hba->has_target[unit->target] = true;
	return 0;
}

static void
unit_fini(struct soft_unit *unit)
{
	if (unit->hba == NULL)
		return;
	disk_free(unit->disk);
	scsi_hba_reset_notify_tear_down(unit->notify);
	cv_destroy(&unit->cv);
	mutex_destroy(&unit->lock);
}

void
soft_hba_free(struct soft_hba *hba)
{
	if (hba == NULL)
		return;
	if (hba->dip != NULL) {
		pthread_mutex_lock(&hbas_lock);
		LIST_REMOVE(hba, link);
		pthread_mutex_unlock(&hbas_lock);
		(void)ndi_devi_free(hba->dip);
	}
	for (size_t i = 0; i < hba->nunits; i++)
		unit_fini(&hba->units[i]);
	slot_fini(&hba->tags);
	cv_destroy(&hba->cv);
	mutex_destroy(&hba->notify_lock);
	mutex_destroy(&hba->lock);
	free(hba->units);
	free(hba);
}

static void
soft_hba_freep(struct soft_hba **hba)
{
	soft_hba_free(*hba);
}

static void
hba_init(struct soft_hba *hba)
{
	mutex_init(&hba->lock, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->notify_lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&hba->cv, NULL, CV_DRIVER, NULL);
	fault_set_init(&hba->faults);
	slot_init(&hba->tags, SOFT_TAGS_MAX);
	soft_caps_init(hba->caps);
	for (int32_t t = 0; t < SOFT_TARGETS; t++) {
		hba->place_args[t] = (struct soft_place){ hba, t };
		hba->places[t] = (struct disk_place){ target_luns, &hba->place_args[t] };
	}
}

static int
hba_open_disks(struct soft_hba *hba, const struct soft_hba_conf *conf, char *reterr)
{
	int r;

	hba->units = calloc(conf->ndisks == 0 ? 1 : conf->ndisks, sizeof(*hba->units));
	if (hba->units == NULL) {
		(void)snprintf(reterr, SOFT_ERR_LEN, "out of memory");
		return -ENOMEM;
	}
	hba->nunits = conf->ndisks;
	for (size_t i = 0; i < conf->ndisks; i++) {
		hba->units[i].conf = conf->disks[i];
		/* an address that was asked for is not given to a disk that asked for none */
		if (conf->disks[i].target >= 0 && conf->disks[i].target < SOFT_TARGETS)
			hba->has_target[conf->disks[i].target] = true;
	}
	for (size_t i = 0; i < conf->ndisks; i++) {
		r = unit_init(hba, &hba->units[i], reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

int
soft_hba_new(const struct soft_hba_conf *conf, struct soft_hba **ret_hba, char *reterr)
{
	CLEANUP(soft_hba_freep) struct soft_hba *hba = calloc(1, sizeof(*hba));
	int r;

	if (hba == NULL) {
		(void)snprintf(reterr, SOFT_ERR_LEN, "out of memory");
		return -ENOMEM;
	}
	hba_init(hba);
	hba->want_queues = conf->queues;
	r = hba_open_disks(hba, conf, reterr);
	if (r < 0)
		return r;
	if (ndi_devi_alloc(ddi_root_node(), SOFT_DRIVER, DEVI_PSEUDO_NODEID, &hba->dip) !=
	    NDI_SUCCESS) {
		(void)snprintf(reterr, SOFT_ERR_LEN, "out of memory");
		return -ENOMEM;
	}
	pthread_mutex_lock(&hbas_lock);
	LIST_INSERT_HEAD(&hbas, hba, link);
	pthread_mutex_unlock(&hbas_lock);
	*ret_hba = STEAL(hba);
	return 0;
}

dev_info_t *
soft_hba_node(struct soft_hba *hba)
{
	return hba->dip;
}

struct soft_hba *
soft_hba_find(dev_info_t *dip)
{
	struct soft_hba *hba = NULL;

	pthread_mutex_lock(&hbas_lock);
	for (; dip != NULL && hba == NULL; dip = ddi_get_parent(dip)) {
		LIST_FOREACH(hba, &hbas, link) {
			if (hba->dip == dip)
				break;
		}
	}
	pthread_mutex_unlock(&hbas_lock);
	return hba;
}

struct soft_unit *
soft_unit_at(struct soft_hba *hba, const struct scsi_address *ap)
{
	return ap->a_target < SOFT_TARGETS ? hba->map[ap->a_target][ap->a_lun] : NULL;
}

size_t
soft_hba_disks(const struct soft_hba *hba)
{
	return hba->nunits;
}

int
soft_disk_index(struct soft_hba *hba, int32_t target, int32_t lun, size_t *ret_index)
{
	if (target < 0 || target >= SOFT_TARGETS || lun < 0 || lun >= SOFT_LUNS ||
	    hba->map[target][lun] == NULL)
		return -ENOENT;
	*ret_index = (size_t)(hba->map[target][lun] - hba->units);
	return 0;
}

int
soft_disk_info_get(struct soft_hba *hba, size_t index, struct soft_disk_info *ret)
{
	const struct soft_unit *unit;
	struct disk_stats *stats;

	if (index >= hba->nunits)
		return -ENOENT;
	unit = &hba->units[index];
	stats = disk_stats(unit->disk);
	*ret = (struct soft_disk_info){
		.target = unit->target, .lun = unit->lun,
		.kind = unit->conf.kind,
		.path = unit->conf.path,
		.serial = unit->conf.serial,
		.blocks = disk_blocks(unit->disk),
		.block_bytes = unit->conf.block_bytes,
		.physical_bytes = unit->conf.physical_bytes,
		.is_readonly = unit->conf.is_readonly,
		.is_removable = unit->conf.is_removable,
		.is_thin = unit->conf.is_thin,
		.is_direct = unit->conf.is_direct,
		.commands = stats->commands, .checks = stats->checks,
		.reads = stats->reads, .writes = stats->writes,
		.read_bytes = stats->read_bytes, .written_bytes = stats->written_bytes,
		.store_errors = stats->store_errors, .queued = stats->queued,
		.faults = unit->faults, .aborted = unit->aborted, .reset = unit->reset,
		.timed_out = unit->timed_out, .spurious = unit->spurious,
	};
	return 0;
}

int
soft_fault_add(struct soft_hba *hba, const char *text, uint32_t *ret_id, char *reterr)
{
	struct fault_rule rule;
	int r;

	r = fault_parse(text, &rule, reterr);
	if (r < 0)
		return r;
	mutex_enter(&hba->lock);
	r = fault_add(&hba->faults, &rule, ret_id);
	atomic_store(&hba->is_faulty, fault_is_armed(&hba->faults));
	mutex_exit(&hba->lock);
	if (r < 0)
		(void)snprintf(
		    reterr, SOFT_ERR_LEN, "there are %d rules already; remove one", FAULT_MAX);
	return r;
}

int
soft_fault_remove(struct soft_hba *hba, uint32_t id)
{
	int r;

	mutex_enter(&hba->lock);
	r = fault_remove(&hba->faults, id);
	atomic_store(&hba->is_faulty, fault_is_armed(&hba->faults));
	mutex_exit(&hba->lock);
	return r;
}

size_t
soft_fault_list(struct soft_hba *hba, struct fault_rule *rules, size_t max)
{
	size_t n;

	mutex_enter(&hba->lock);
	n = hba->faults.nslots;
	for (size_t i = 0; i < n && i < max; i++)
		rules[i] = hba->faults.slots[i].rule;
	mutex_exit(&hba->lock);
	return n;
}

int
soft_unit_attention(
    struct soft_hba *hba, int32_t target, int32_t lun, uint8_t asc, uint8_t ascq)
{
	size_t index;

	if (soft_disk_index(hba, target, lun, &index) < 0)
		return -ENOENT;
	disk_attention(hba->units[index].disk, ASC_CODE(asc, ascq));
	return 0;
}
