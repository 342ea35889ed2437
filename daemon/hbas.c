#include "daemon/hbas.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/scsi/scsi.h>
#include <sys/sunndi.h>

#include "base/log.h"
#include "base/text.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "lu/lu.h"
#include "scsa/config.h"

struct hbas {
	size_t n;
	bool is_soft_loaded;
	const char *state_dir;		/* only while attaching; NULL: none */
	struct hba hba[CONFIG_HBAS_MAX];
};

static const char *const state_names[] = {
	[HBA_READY] = "ready",
	[HBA_FAILED] = "failed",
	[HBA_DETACHED] = "detached",
};

const char *
hba_state_name(enum hba_state state)
{
	return state_names[state];
}

size_t
hbas_count(const struct hbas *hbas)
{
	return hbas == NULL ? 0 : hbas->n;
}

struct hba *
hbas_get(const struct hbas *hbas, size_t i)
{
	return (struct hba *)(uintptr_t)&hbas->hba[i];
}

struct hba *
hbas_find(const struct hbas *hbas, const char *name)
{
	for (size_t i = 0; i < hbas_count(hbas); i++)
		if (strcmp(hbas->hba[i].name, name) == 0)
			return hbas_get(hbas, i);
	return NULL;
}

int
hba_change_begin(struct hba *hba)
{
	(void)pthread_mutex_lock(&hba->lock);
	if (!hba->is_ending)
		return 0;
	(void)pthread_mutex_unlock(&hba->lock);
	return -ESHUTDOWN;
}

void
hba_change_end(struct hba *hba)
{
	(void)pthread_mutex_unlock(&hba->lock);
}

static void
hba_changes_stop(struct hba *hba)
{
	(void)pthread_mutex_lock(&hba->lock);
	hba->is_ending = true;
	(void)pthread_mutex_unlock(&hba->lock);
}

dev_info_t *
hba_port(const struct hba *hba, const char *iport)
{
	dev_info_t *child, *found = NULL;
	bool has_iports = false;

	if (hba->dip == NULL || hba->state != HBA_READY)
		return NULL;
	devi_enter(hba->dip);
	for (child = devi_first_child(hba->dip); child != NULL && found == NULL;
	    child = devi_next(child)) {
		const char *address = scsi_hba_iport_unit_address(child);

		if (address == NULL)
			continue;
		has_iports = true;
		if (iport == NULL || iport[0] == '\0' || strcmp(iport, address) == 0)
			found = devi_ref(child);
	}
	devi_exit(hba->dip);
	if (found == NULL && !has_iports && (iport == NULL || iport[0] == '\0'))
		found = devi_ref(hba->dip);
	return found;
}

/* ------ up ------ */

static int
soft_open(struct hbas *hbas, struct hba *hba, const struct config_hba *conf,
    unsigned int queues)
{
	const struct soft_hba_conf soft = {
		.disks = conf->disks,
		.ndisks = conf->n_disks,
		.queues = queues,
		.ports = conf->ports,
		.nports = conf->n_ports,
		.expanders = conf->expanders,
		.nexpanders = conf->n_expanders,
		.is_dynamic = conf->is_dynamic,
		.state_dir = hbas->state_dir,
	};
	int r;

	if (!hbas->is_soft_loaded) {
		r = soft_mod_init();
		if (r != 0) {
			(void)snprintf(hba->detail, sizeof(hba->detail),
			    "driver cannot be registered: %s", strerror(r));
			return -r;
		}
		hbas->is_soft_loaded = true;
	}
	r = soft_hba_new(&soft, &hba->soft, hba->detail);
	if (r < 0)
		return r;
	hba->dip = soft_hba_node(hba->soft);
	(void)snprintf(hba->detail, sizeof(hba->detail), "software HBA, %zu disks",
	    conf->n_disks);
	return 0;
}

static int
module_open(struct hba *hba, const struct config_hba *conf)
{
	int r;

	if (conf->module != NULL && driver_find(conf->driver) == NULL) {
		r = driver_load(conf->module, hba->detail, sizeof(hba->detail));
		if (r < 0)
			return r;
	}
	r = devi_alloc(devi_root(), conf->driver, &hba->dip);
	if (r < 0) {
		(void)snprintf(hba->detail, sizeof(hba->detail), "no device node: %s",
		    strerror(-r));
		return r;
	}
	(void)text_copy(hba->detail, sizeof(hba->detail),
	    conf->module == NULL ? "" : conf->module);
	return 0;
}

static int
hba_attach(struct hba *hba)
{
	size_t before;
	int r;

	if (ndi_prop_update_string(DDI_DEV_T_NONE, hba->dip, LU_PROP_HBA_NAME, hba->name) !=
	    DDI_PROP_SUCCESS) {
		(void)snprintf(hba->detail, sizeof(hba->detail), "out of memory");
		return -ENOMEM;
	}
	r = devi_attach(hba->dip);
	if (r < 0) {
		(void)snprintf(hba->detail, sizeof(hba->detail), "driver did not attach: %s",
		    strerror(-r));
		return r;
	}
	hba->state = HBA_READY;
	before = lu_count_all();
	r = scsa_bus_config_all(hba->dip);
	if (r < 0)
		log_warning("%s: enumeration incomplete: %s", hba->name, strerror(-r));
	else	/* HBAs come one after the other */
		log_notice("%s: attached, %zu units", hba->name, lu_count_all() - before);
	return 0;
}

/* HBAs of @driver before the one that comes now */
static size_t
ordinal_of(const struct hbas *hbas, const char *driver)
{
	size_t n = 0;

	for (size_t i = 0; i < hbas->n; i++)
		n += strcmp(hbas->hba[i].driver, driver) == 0;
	return n;
}

static int
hba_open(struct hbas *hbas, const struct config_hba *conf, unsigned int queues)
{
	struct hba *hba = &hbas->hba[hbas->n];
	int r;

	hba->driver = strdup(conf->driver);
	if (hba->driver == NULL)
		return -ENOMEM;
	(void)snprintf(hba->name, sizeof(hba->name), "%.*s%zu", CONFIG_DRIVER_MAX, conf->driver,
	    ordinal_of(hbas, conf->driver));
	hba->state = HBA_FAILED;
	(void)pthread_mutex_init(&hba->lock, NULL);
	hbas->n++;
	if (strcmp(conf->driver, SOFT_DRIVER) == 0)
		r = soft_open(hbas, hba, conf, queues);
	else
		r = module_open(hba, conf);
	if (r == 0)
		r = hba_attach(hba);
	if (r < 0)
		log_error("%s: not attached: %s", hba->name, hba->detail);
	return r;
}

int
hbas_attach(const struct config *conf, unsigned int queues, struct hbas **ret_hbas)
{
	struct hbas *hbas = calloc(1, sizeof(*hbas));
	char dir[PATH_MAX];
	int first = 0;

	if (hbas == NULL)
		return -ENOMEM;
	*ret_hbas = hbas;
	hbas->state_dir = config_state_dir(conf, dir);
	for (size_t i = 0; i < conf->n_hbas; i++) {
		int r = hba_open(hbas, &conf->hbas[i], queues);

		if (r < 0 && first == 0)
			first = r;
	}
	hbas->state_dir = NULL;
	return first;
}

/* ------ down ------ */

/* it stays attached while the process ends: at least it shall not write to memory any more */
static void
hba_quiesce(struct hba *hba)
{
	int r = devi_quiesce(hba->dip);

	if (r < 0)
		log_warning("%s: not silenced: %s", hba->name, strerror(-r));
	else
		log_notice("%s: silenced", hba->name);
}

static bool
hba_detach(struct hba *hba)
{
	int r;

	if (hba->state != HBA_READY)
		return true;
	hba_changes_stop(hba);
	r = scsa_bus_unconfig_all(hba->dip);
	if (r < 0)
		log_error("%s: units could not be detached: %s", hba->name, strerror(-r));
	r = devi_detach(hba->dip, DEVI_DETACH_CHILDREN);
	if (r < 0) {
		log_error("%s: not detached: %s", hba->name, strerror(-r));
		hba_quiesce(hba);
		return false;
	}
	hba->state = HBA_DETACHED;
	log_info("%s: detached", hba->name);
	return true;
}

bool
hbas_detach(struct hbas *hbas)
{
	bool is_clean = true;

	for (size_t i = hbas_count(hbas); i > 0; i--)
		if (!hba_detach(&hbas->hba[i - 1]))
			is_clean = false;
	return is_clean;
}

void
hbas_free(struct hbas *hbas)
{
	if (hbas == NULL)
		return;
	for (size_t i = hbas->n; i > 0; i--) {
		struct hba *hba = &hbas->hba[i - 1];

		if (hba->state == HBA_READY)
			continue;	/* refused to detach: the process is about to end */
		if (hba->soft != NULL)
			soft_hba_free(hba->soft);
		else if (hba->dip != NULL)
			(void)devi_free(hba->dip);
		free(hba->driver);
		(void)pthread_mutex_destroy(&hba->lock);
	}
	if (hbas->is_soft_loaded)
		(void)soft_mod_fini();
	free(hbas);
}
