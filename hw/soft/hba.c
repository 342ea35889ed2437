/* adapters as their owner sees them: made, freed, looked at */
#include "hw/soft/soft_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sunndi.h>

#include "base/text.h"

#define HBA_WWN		0x3000000053430000ull	/* locally assigned names of adapters */

static LIST_HEAD(, soft_hba) hbas = LIST_HEAD_INITIALIZER(hbas);
static pthread_mutex_t hbas_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t hbas_made;	/* under hbas_lock */

static void
hba_free_ports(struct soft_hba *hba)
{
	struct soft_port *port;

	while ((port = TAILQ_FIRST(&hba->ports)) != NULL) {
		struct soft_target *target, *next;

		HASH_ITER(hh, port->targets, target, next)
			soft_target_drop(target);
		soft_port_free(port);
	}
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
	hba_free_ports(hba);
	disk_host_close(hba->host);
	kmem_free(hba->units, hba->room * sizeof(struct soft_unit *));
	slot_fini(&hba->tags);
	cv_destroy(&hba->cv);
	mutex_destroy(&hba->notify_lock);
	mutex_destroy(&hba->lock);
	mutex_destroy(&hba->topo);
	mutex_destroy(&hba->change);
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
	mutex_init(&hba->change, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->topo, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->lock, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&hba->notify_lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&hba->cv, NULL, CV_DRIVER, NULL);
	TAILQ_INIT(&hba->ports);
	TAILQ_INIT(&hba->all);
	TAILQ_INIT(&hba->busy);
	LIST_INIT(&hba->links);
	fault_set_init(&hba->faults);
	slot_init(&hba->tags, SOFT_TAGS_MAX);
	soft_caps_init(hba->caps);
	pthread_mutex_lock(&hbas_lock);
	hba->wwn = HBA_WWN + 256 * hbas_made++;
	pthread_mutex_unlock(&hbas_lock);
}

static int
hba_open_port(struct soft_hba *hba, const struct soft_port_conf *conf, char *reterr)
{
	struct soft_port *port;
	int r = soft_port_new(hba, conf, &port, reterr);

	for (unsigned int i = 0; i < SOFT_PHYS && r == 0; i++) {
		if ((conf->phys & 1ull << i) == 0)
			continue;
		if (hba->phys[i].is_up)
			return soft_error(-EINVAL, reterr, "port '%s': phy %u leads to another "
			    "port", conf->label, i);
		hba->phys[i] = (struct soft_phy){ .is_up = true, .was_up = true,
			.local = port->local, .remote = port->remote };
	}
	return r;
}

static int
hba_open_ports(struct soft_hba *hba, const struct soft_hba_conf *conf, char *reterr)
{
	int r = 0;

	hba->is_dynamic = conf->is_dynamic;
	for (size_t i = 0; i < conf->nports && r == 0; i++) {
		r = hba_open_port(hba, &conf->ports[i], reterr);
		if (conf->ports[i].remote != 0)
			hba->is_dynamic = true;
	}
	return r;
}

/* the port of disks that name none is there even without disks, unless others are described */
static int
hba_open_default(struct soft_hba *hba, char *reterr)
{
	struct soft_port_conf conf = { .label = SOFT_IPORT };
	struct soft_port *port;

	return hba->nports > 0 ? 0 : soft_port_new(hba, &conf, &port, reterr);
}

static int
hba_open(struct soft_hba *hba, const struct soft_hba_conf *conf, char *reterr)
{
	int r = hba_open_ports(hba, conf, reterr);

	if (r == 0)
		r = soft_open_disks(hba, conf->disks, conf->ndisks, reterr);
	if (r == 0)
		r = hba_open_default(hba, reterr);
	for (size_t i = 0; i < conf->nexpanders && r == 0; i++)
		r = soft_expander_new(hba, &conf->expanders[i], reterr);
	return r;
}

int
soft_hba_new(const struct soft_hba_conf *conf, struct soft_hba **ret_hba, char *reterr)
{
	CLEANUP(soft_hba_freep) struct soft_hba *hba = calloc(1, sizeof(*hba));
	int r;

	if (hba == NULL)
		return soft_error(-ENOMEM, reterr, "out of memory");
	hba_init(hba);
	hba->want_queues = conf->queues;
	r = disk_host_open(conf->state_dir, &hba->host, reterr);
	if (r == 0)
		r = hba_open(hba, conf, reterr);
	if (r < 0)
		return r;
	if (ndi_devi_alloc(ddi_root_node(), SOFT_DRIVER, DEVI_PSEUDO_NODEID, &hba->dip) !=
	    NDI_SUCCESS)
		return soft_error(-ENOMEM, reterr, "out of memory");
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

size_t
soft_hba_disks(struct soft_hba *hba)
{
	size_t n;

	mutex_enter(&hba->topo);
	n = hba->nunits;
	mutex_exit(&hba->topo);
	return n;
}

/* topo is held, so that the unit stays */
static void
unit_info(const struct soft_unit *unit, struct soft_disk_info *ret)
{
	const struct disk_stats *stats = disk_stats(unit->disk);
	const struct soft_target *target = unit->lu.target;
	const struct soft_disk_conf *conf = &unit->spec->conf;

	*ret = (struct soft_disk_info){
		.target = target->number, .lun = unit->lun,
		.kind = conf->kind,
		.blocks = disk_blocks(unit->disk),
		.block_bytes = conf->block_bytes,
		.physical_bytes = conf->physical_bytes,
		.is_readonly = conf->is_readonly,
		.is_removable = conf->is_removable,
		.is_thin = conf->is_thin,
		.is_direct = conf->is_direct,
		.commands = stats->commands, .checks = stats->checks,
		.reads = stats->reads, .writes = stats->writes,
		.read_bytes = stats->read_bytes, .written_bytes = stats->written_bytes,
		.store_errors = stats->store_errors, .queued = stats->queued,
		.faults = unit->faults, .aborted = unit->aborted, .reset = unit->reset,
		.timed_out = unit->timed_out, .spurious = unit->spurious,
	};
	(void)text_copy(ret->port, sizeof(ret->port), target->port->label);
	(void)text_copy(ret->taddr, sizeof(ret->taddr), target->addr);
	(void)text_copy(ret->path, sizeof(ret->path), conf->path);
	(void)text_copy(ret->serial, sizeof(ret->serial), disk_serial(unit->disk));
}

int
soft_disk_info_get(struct soft_hba *hba, size_t index, struct soft_disk_info *ret)
{
	int r = -ENOENT;

	mutex_enter(&hba->topo);
	if (index < hba->nunits) {
		unit_info(hba->units[index], ret);
		r = 0;
	}
	mutex_exit(&hba->topo);
	return r;
}

/* topo is held: a unit by numbers, in the first port that has it */
static struct soft_unit *
unit_by_number(struct soft_hba *hba, int32_t number, int32_t lun)
{
	char taddr[SOFT_TADDR_LEN];
	struct soft_port *port;

	if (number < 0 || number >= SOFT_TARGETS || lun < 0 || lun >= SOFT_LUNS)
		return NULL;
	(void)soft_taddr(number, 0, taddr);
	TAILQ_FOREACH(port, &hba->ports, link) {
		struct soft_target *target = soft_target_find(port, taddr);
		struct soft_unit *unit =
		    target == NULL ? NULL : soft_target_unit(target, (uint32_t)lun);

		if (unit != NULL && !atomic_load(&unit->is_gone))
			return unit;
	}
	return NULL;
}

int
soft_disk_index(struct soft_hba *hba, int32_t target, int32_t lun, size_t *ret_index)
{
	struct soft_unit *unit;
	size_t i = 0;

	mutex_enter(&hba->topo);
	unit = unit_by_number(hba, target, lun);
	while (unit != NULL && hba->units[i] != unit)
		i++;
	mutex_exit(&hba->topo);
	if (unit == NULL)
		return -ENOENT;
	*ret_index = i;
	return 0;
}

int
soft_disk_info_at(struct soft_hba *hba, const char *iport, const char *address,
    struct soft_disk_info *ret)
{
	char taddr[64], *comma;
	struct soft_target *target;
	struct soft_port *port;
	struct soft_unit *unit = NULL;
	scsi_lun64_t lun;

	if (!text_copy(taddr, sizeof(taddr), address))
		return -ENOENT;
	comma = strchr(taddr, ',');
	if (comma == NULL)
		return -ENOENT;
	*comma = '\0';
	lun = scsi_addr_to_lun64(comma + 1);
	mutex_enter(&hba->topo);
	port = soft_port_of_iport(hba, iport);
	target = port == NULL ? NULL : soft_target_find(port, taddr);
	if (target != NULL && lun >= 0 && lun < SOFT_LUNS)
		unit = soft_target_unit(target, (uint32_t)lun);
	if (unit != NULL)
		unit_info(unit, ret);
	mutex_exit(&hba->topo);
	return unit == NULL ? -ENOENT : 0;
}

/* topo is held */
static void
port_info(const struct soft_port *port, struct soft_port_info *ret)
{
	static const char *const kinds[SOFT_PORT_KIND_N] = {
		[SOFT_PORT_PLAIN] = "plain",
		[SOFT_PORT_VIRTUAL] = "virtual",
		[SOFT_PORT_PHYS] = "phys",
	};
	const struct soft_expander *exp;
	const struct soft_iport *iport;
	struct soft_target *target, *next;

	*ret = (struct soft_port_info){
		.kind = kinds[port->kind],
		.remote = port->remote,
		.phys = soft_port_phys(port),
	};
	(void)text_copy(ret->label, sizeof(ret->label), port->label);
	LIST_FOREACH(iport, &port->iports, link)
		ret->iports++;
	LIST_FOREACH(exp, &port->expanders, link)
		ret->expanders++;
	HASH_ITER(hh, port->targets, target, next) {
		if (atomic_load(&target->is_gone))
			continue;
		ret->targets++;
		for (size_t i = 0; i < target->nluns; i++)
			ret->units += !atomic_load(&target->luns[i]->is_gone);
	}
}

size_t
soft_ports(struct soft_hba *hba, struct soft_port_info *ports, size_t max)
{
	struct soft_port *port;
	size_t n = 0;

	mutex_enter(&hba->topo);
	TAILQ_FOREACH(port, &hba->ports, link) {
		if (n < max)
			port_info(port, &ports[n]);
		n++;
	}
	mutex_exit(&hba->topo);
	return n;
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
	struct soft_unit *unit;

	mutex_enter(&hba->topo);
	unit = unit_by_number(hba, target, lun);
	if (unit != NULL)
		disk_attention(unit->disk, ASC_CODE(asc, ascq));
	mutex_exit(&hba->topo);
	return unit == NULL ? -ENOENT : 0;
}
