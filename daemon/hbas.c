#include "daemon/hbas.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/scsi/scsi.h>
#include <sys/sunndi.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/hba_pci.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "host/fn.h"
#include "lu/lu.h"
#include "scsa/config.h"

#define DRIVERS_MAX	32

struct hbas {
	struct hbas_conf conf;
	size_t n;
	bool is_loaded[DRIVERS_MAX];	/* rows of the table whose _init has run */
	const char *state_dir;		/* only while attaching; NULL: none */
	struct hba hba[CONFIG_HBAS_MAX];
};

static const char *const state_names[] = {
	[HBA_READY] = "ready",
	[HBA_FAILED] = "failed",
	[HBA_DETACHED] = "detached",
	[HBA_SILENCED] = "silenced",
};

const char *
hba_state_name(enum hba_state state)
{
	return state_names[state];
}

char *
hba_state_text(const struct hba *hba, char *buf, size_t size)
{
	enum hba_state state = hba->state;
	char *text;

	(void)text_copy(buf, size, state_names[state]);
	if (state != HBA_READY || ddi_prop_lookup_string(DDI_DEV_T_ANY, hba->dip,
	    DDI_PROP_DONTPASS, "hba-state", &text) != DDI_PROP_SUCCESS)
		return buf;
	(void)text_copy(buf, size, text);
	ddi_prop_free(text);
	return buf;
}

bool
hba_is_attached(const struct hba *hba)
{
	return hba->state == HBA_READY || hba->state == HBA_SILENCED;
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

/* the driver's _init, once */
static int
driver_start(struct hbas *hbas, const struct hba_driver *row, struct hba *hba)
{
	bool *is_loaded = &hbas->is_loaded[row - driver_row(0)];
	int r;

	if (*is_loaded)
		return 0;
	r = driver_init(row->name, row->init, row->fini);
	if (r < 0)
		(void)snprintf(hba->detail, sizeof(hba->detail),
		    "driver cannot be registered: %s", strerror(-r));
	*is_loaded = r == 0;
	return r;
}

static int
soft_open(struct hbas *hbas, struct hba *hba, const struct config_hba *conf)
{
	const struct soft_hba_conf soft = {
		.disks = conf->disks,
		.ndisks = conf->n_disks,
		.queues = hbas->conf.queues,
		.ports = conf->ports,
		.nports = conf->n_ports,
		.expanders = conf->expanders,
		.nexpanders = conf->n_expanders,
		.is_dynamic = conf->is_dynamic,
		.state_dir = hbas->state_dir,
	};
	int r = soft_hba_new(&soft, &hba->soft, hba->detail);

	if (r < 0)
		return r;
	hba->dip = soft_hba_node(hba->soft);
	(void)snprintf(hba->detail, sizeof(hba->detail), "software HBA, %zu disk%s",
	    conf->n_disks, conf->n_disks == 1 ? "" : "s");
	return 0;
}

/* a node right below the root; its detail is what it is, or the file of its driver */
static int
root_open(struct hba *hba, const struct config_hba *conf)
{
	int r = devi_alloc(devi_root(), hba->driver, &hba->dip);

	if (r < 0) {
		(void)snprintf(hba->detail, sizeof(hba->detail), "no device node: %s",
		    strerror(-r));
		return r;
	}
	(void)text_copy(hba->detail, sizeof(hba->detail),
	    hba->row != NULL ? hba->row->what : conf->module == NULL ? "" : conf->module);
	return 0;
}

static int
props_set(dev_info_t *dip, const struct config_hba *conf)
{
	int r = DDI_PROP_SUCCESS;

	for (size_t i = 0; r == DDI_PROP_SUCCESS && i < conf->n_props; i++) {
		const struct config_prop *prop = &conf->props[i];

		switch (prop->key->value) {
		case DRIVER_NUMBER:
		case DRIVER_YES_NO:
			r = ndi_prop_update_int(DDI_DEV_T_NONE, dip, prop->key->prop,
			    prop->number);
			break;
		case DRIVER_TEXT:
		case DRIVER_FILE:
			r = ndi_prop_update_string(DDI_DEV_T_NONE, dip, prop->key->prop,
			    prop->texts[0]);
			break;
		case DRIVER_TEXTS:
			r = ndi_prop_update_string_array(DDI_DEV_T_NONE, dip, prop->key->prop,
			    prop->texts, (uint_t)prop->n);
			break;
		case DRIVER_OWN:
		case DRIVER_VALUE_N:
			break;
		}
	}
	return r;
}

static void
units_log(const struct hba *hba, size_t n)
{
	log_notice("%s: attached, %zu unit%s", hba->name, n, n == 1 ? "" : "s");
}

static int
hba_attach(struct hba *hba, const struct config_hba *conf)
{
	size_t before;
	int r;

	if (props_set(hba->dip, conf) != DDI_PROP_SUCCESS ||
	    ndi_prop_update_string(DDI_DEV_T_NONE, hba->dip, LU_PROP_HBA_NAME, hba->name) !=
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
		units_log(hba, lu_count_all() - before);
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

/* the row of the driver that is configured, or that drives such a PCI function */
static int
driver_pick(struct hba *hba, const struct config_hba *conf)
{
	char names[256];
	struct host_fn fn;
	int r;

	if (conf->driver != NULL) {
		hba->row = driver_row_find(conf->driver);
		return 0;
	}
	r = host_fn_read(HOST_SYSFS, conf->pci.address, &fn);
	if (r < 0) {
		(void)snprintf(hba->detail, sizeof(hba->detail), "%s: %s", conf->pci.address,
		    r == -ENODEV ? "there is no such PCI function" : strerror(-r));
		return r;
	}
	hba->row = driver_row_of_pci(fn.vendor, fn.device);
	if (hba->row != NULL)
		return 0;
	(void)snprintf(hba->detail, sizeof(hba->detail), "%s is %04x:%04x, which no driver is "
	    "known to drive; there are: %s", conf->pci.address, fn.vendor, fn.device,
	    driver_row_names(DRIVER_PCI, names, sizeof(names)));
	return -ENXIO;
}

/* the driver's module, or its row of the table; then the HBA's node */
static int
hba_make(struct hbas *hbas, struct hba *hba, const struct config_hba *conf)
{
	int r = 0;

	if (hba->row != NULL)
		r = driver_start(hbas, hba->row, hba);
	else if (conf->module != NULL && driver_find(hba->driver) == NULL)
		r = driver_load(conf->module, hba->detail, sizeof(hba->detail));
	if (r < 0)
		return r;
	if (conf->pci.address[0] != '\0')
		return hba_pci_open(hba, conf);
	if (hba->row != NULL && hba->row->where == DRIVER_SOFT)
		return soft_open(hbas, hba, conf);
	return root_open(hba, conf);
}

static void
hba_init(struct hba *hba, const struct hbas_conf *owner)
{
	hba->state = HBA_FAILED;
	hba->owner = owner;
	(void)pthread_mutex_init(&hba->lock, NULL);
	(void)pthread_mutex_init(&hba->life, NULL);
	(void)pthread_cond_init(&hba->released, NULL);
}

static int
hba_open(struct hbas *hbas, const struct config_hba *conf)
{
	struct hba *hba = &hbas->hba[hbas->n];
	int r;

	r = driver_pick(hba, conf);
	hba->driver = strdup(conf->driver != NULL ? conf->driver : hba->row != NULL ?
	    hba->row->name : "pci");
	if (hba->driver == NULL)
		return -ENOMEM;
	if (conf->name != NULL)
		(void)text_copy(hba->name, sizeof(hba->name), conf->name);
	else
		(void)snprintf(hba->name, sizeof(hba->name), "%.*s%zu", CONFIG_DRIVER_MAX,
		    hba->driver, ordinal_of(hbas, hba->driver));
	(void)text_copy(hba->pci, sizeof(hba->pci), conf->pci.address);
	hba_init(hba, &hbas->conf);
	hbas->n++;
	(void)pthread_mutex_lock(&hba->life);
	if (r == 0)
		r = hba_make(hbas, hba, conf);
	if (r == 0)
		r = hba_attach(hba, conf);
	if (r < 0)
		hba_pci_close(hba);
	(void)pthread_mutex_unlock(&hba->life);
	if (r < 0)
		log_error("%s: not attached: %s", hba->name, hba->detail);
	return r;
}

int
hbas_attach(const struct hbas_conf *conf, struct hbas **ret_hbas)
{
	struct hbas *hbas = calloc(1, sizeof(*hbas));
	char dir[PATH_MAX];
	int first = 0;

	if (hbas == NULL)
		return -ENOMEM;
	assert(driver_row_count() <= DRIVERS_MAX);
	*ret_hbas = hbas;
	hbas->conf = *conf;
	hbas->state_dir = config_state_dir(conf->conf, dir);
	for (size_t i = 0; i < conf->conf->n_hbas; i++) {
		int r = hba_open(hbas, &conf->conf->hbas[i]);

		if (r < 0 && first == 0)
			first = r;
	}
	hbas->state_dir = NULL;
	return first;
}

/* ------ down ------ */

static int
hba_take_down(struct hba *hba)
{
	int r = scsa_bus_unconfig_all(hba->dip);

	if (r < 0)
		log_error("%s: units could not be detached: %s", hba->name, strerror(-r));
	r = devi_detach(hba->dip, DEVI_DETACH_CHILDREN);
	if (r < 0)
		log_error("%s: not detached: %s", hba->name, strerror(-r));
	return r;
}

/* if it stays attached while the process ends: at least it shall not write to memory any more.
 * Packets may come back by that, and then it goes after all */
static int
hba_quiesce(struct hba *hba)
{
	int r = devi_quiesce(hba->dip);

	if (r < 0) {
		log_warning("%s: not silenced: %s", hba->name, strerror(-r));
		return r;
	}
	log_notice("%s: silenced", hba->name);
	return hba_take_down(hba);
}

bool
hba_detach(struct hba *hba)
{
	if (!hba_is_attached(hba))
		return true;
	hba_changes_stop(hba);
	if (hba_take_down(hba) < 0 && hba_quiesce(hba) < 0)
		return false;
	hba->state = HBA_DETACHED;
	log_info("%s: detached", hba->name);
	hba_pci_close(hba);
	return true;
}

bool
hbas_detach(struct hbas *hbas)
{
	bool is_clean = true;

	for (size_t i = hbas_count(hbas); i > 0; i--) {
		struct hba *hba = &hbas->hba[i - 1];

		(void)pthread_mutex_lock(&hba->life);
		if (!hba_detach(hba))
			is_clean = false;
		(void)pthread_mutex_unlock(&hba->life);
	}
	return is_clean;
}

static void
hba_free(struct hba *hba)
{
	hba_pci_wait(hba);
	if (hba->soft != NULL)
		soft_hba_free(hba->soft);
	else if (hba->pci[0] != '\0' && hba->dip != NULL)
		devi_unref(hba->dip);	/* it is out of the tree */
	else if (hba->dip != NULL)
		(void)devi_free(hba->dip);
	free(hba->driver);
	(void)pthread_mutex_destroy(&hba->lock);
	(void)pthread_mutex_destroy(&hba->life);
	(void)pthread_cond_destroy(&hba->released);
}

void
hbas_free(struct hbas *hbas)
{
	if (hbas == NULL)
		return;
	for (size_t i = hbas->n; i > 0; i--) {
		/* one that refused to detach stays: the process is about to end */
		if (!hba_is_attached(&hbas->hba[i - 1]))
			hba_free(&hbas->hba[i - 1]);
	}
	for (size_t i = 0; i < driver_row_count(); i++)
		if (hbas->is_loaded[i])
			(void)driver_unload(driver_row(i)->name);
	free(hbas);
}
