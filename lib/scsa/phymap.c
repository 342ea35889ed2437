#include <sys/scsi/scsi.h>

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "scsa/maps.h"

#define PHYS_MAX	64	/* bits of a mask */
#define KEY_LEN		34	/* two addresses of 16 digits, ',', NUL */
#define STORM_FACTOR	16u	/* reports for each phy without a stable result: a storm */

/* a SAS port: a pair of addresses that phys connect */
struct sas_port {
	UT_hash_handle hh;
	char key[KEY_LEN];
	uint64_t phys;			/* mask of those it has now */
	bool is_active;			/* from before activate to after deactivate */
	char ua[KEY_LEN];		/* while active */
	void *ua_priv;
};

struct sas_phymap {
	dev_info_t *hba_dip;
	void *priv;
	sas_phymap_activate_cb_t activate;
	sas_phymap_deactivate_cb_t deactivate;
	struct settle *settle;
	uint64_t settle_us;
	kmutex_t lock;			/* the rest; not held in callbacks */
	struct sas_port *ports;		/* with phys, or active */
	struct sas_port *phy[PHYS_MAX];	/* whose it is */
	unsigned int n_reports;		/* since something was stable */
	bool is_storm;			/* reports were not passed on */
};

struct sas_phymap_phys {
	uint64_t left;
};

/* the lock is held by callers of these */

static struct sas_port *
port_find(sas_phymap_t *map, const char *key)
{
	struct sas_port *port;

	HASH_FIND_STR(map->ports, key, port);
	return port;
}

static struct sas_port *
port_get(sas_phymap_t *map, const char *key)
{
	struct sas_port *port = port_find(map, key), *added;

	if (port != NULL)
		return port;
	port = kmem_zalloc(sizeof(*port), KM_SLEEP);
	(void)text_copy(port->key, sizeof(port->key), key);
	HASH_ADD_STR(map->ports, key, port);
	HASH_FIND_STR(map->ports, key, added);
	if (added != NULL)
		return port;
	kmem_free(port, sizeof(*port));
	return NULL;
}

static void
port_forget(sas_phymap_t *map, struct sas_port *port)
{
	if (port->phys != 0 || port->is_active)
		return;
	HASH_DEL(map->ports, port);
	kmem_free(port, sizeof(*port));
}

static struct sas_port *
port_by_ua(sas_phymap_t *map, const char *ua)
{
	struct sas_port *port, *next;

	HASH_ITER(hh, map->ports, port, next) {
		if (port->is_active && strcmp(port->ua, ua) == 0)
			return port;
	}
	return NULL;
}

static void
port_key(uint64_t local, uint64_t remote, char key[KEY_LEN])
{
	(void)snprintf(key, KEY_LEN, "%016llx,%016llx", (unsigned long long)local,
	    (unsigned long long)remote);
}

/* the mask as its name; the addresses, when another port is called that, or the phys are
 * gone */
static void
port_name(sas_phymap_t *map, struct sas_port *port)
{
	char ua[KEY_LEN];

	(void)snprintf(ua, sizeof(ua), "%llx", (unsigned long long)port->phys);
	if (port->phys == 0 || port_by_ua(map, ua) != NULL)
		memcpy(ua, port->key, sizeof(ua));
	memcpy(port->ua, ua, sizeof(ua));
}

/*
 * What has settled.
 */

static void
map_activate(void *arg, const char *key, void **privp)
{
	sas_phymap_t *map = arg;
	struct sas_port *port;
	char ua[KEY_LEN];
	void *ua_priv = NULL;

	(void)privp;
	mutex_enter(&map->lock);
	port = port_get(map, key);
	if (port == NULL) {
		mutex_exit(&map->lock);
		return;
	}
	port_name(map, port);
	port->is_active = true;
	memcpy(ua, port->ua, sizeof(ua));
	mutex_exit(&map->lock);

	TRACE(.kind = SCSA_EV_PHY_ACTIVATE, .dip = map->hba_dip, .text = ua);
	if (map->activate != NULL)
		map->activate(map->priv, ua, &ua_priv);
	mutex_enter(&map->lock);
	port->ua_priv = ua_priv;
	mutex_exit(&map->lock);
}

static void
map_deactivate(void *arg, const char *key, void *priv, enum settle_end why)
{
	sas_phymap_t *map = arg;
	struct sas_port *port;
	char ua[KEY_LEN];
	void *ua_priv;

	(void)priv;
	(void)why;
	mutex_enter(&map->lock);
	port = port_find(map, key);
	if (port == NULL || !port->is_active) {
		mutex_exit(&map->lock);
		return;
	}
	memcpy(ua, port->ua, sizeof(ua));
	ua_priv = port->ua_priv;
	mutex_exit(&map->lock);

	TRACE(.kind = SCSA_EV_PHY_DEACTIVATE, .dip = map->hba_dip, .text = ua);
	if (map->deactivate != NULL)
		map->deactivate(map->priv, ua, ua_priv);
	mutex_enter(&map->lock);
	port->is_active = false;
	port_forget(map, port);
	mutex_exit(&map->lock);
}

/* after a storm: what was not passed on is now, if it is still so */
static void
map_settled(void *arg)
{
	sas_phymap_t *map = arg;
	struct sas_port *port, *next;

	mutex_enter(&map->lock);
	map->n_reports = 0;
	if (map->is_storm) {
		HASH_ITER(hh, map->ports, port, next) {
			if (port->phys != 0 && !port->is_active)
				(void)settle_report(map->settle, port->key, NULL);
			else if (port->phys == 0)
				(void)settle_withdraw(map->settle, port->key);
		}
	}
	map->is_storm = false;
	mutex_exit(&map->lock);
}

static const struct settle_ops map_ops = {
	.activate = map_activate,
	.deactivate = map_deactivate,
	.settled = map_settled,
};

/*
 * The contract of scsi_sas.h.
 */

int
sas_phymap_create(dev_info_t *hba_dip, int settle_usec, sas_phymap_mode_t mode, void *mode_arg,
    void *phymap_priv, sas_phymap_activate_cb_t activate_cb,
    sas_phymap_deactivate_cb_t deactivate_cb, sas_phymap_t **ret_map)
{
	struct scsa_port *hba = port_of(hba_dip);
	struct settle_conf conf = {
		.name = "phymap",
		.mode = SETTLE_PERADDR,
		.ops = &map_ops,
	};
	sas_phymap_t *map;

	if (hba == NULL || !(hba->tran->tran_hba_flags & SCSI_HBA_HBA) || settle_usec <= 0 ||
	    mode != PHYMAP_MODE_SIMPLE || mode_arg != NULL || ret_map == NULL)
		return DDI_FAILURE;
	map = kmem_zalloc(sizeof(*map), KM_SLEEP);
	map->hba_dip = hba_dip;
	map->priv = phymap_priv;
	map->activate = activate_cb;
	map->deactivate = deactivate_cb;
	mutex_init(&map->lock, "phymap", MUTEX_DRIVER, NULL);
	map->settle_us = conf.settle_us = (uint32_t)settle_usec;
	conf.arg = map;
	if (settle_new(&conf, &map->settle) < 0) {
		mutex_destroy(&map->lock);
		kmem_free(map, sizeof(*map));
		return DDI_FAILURE;
	}
	hba->phymap = map;
	*ret_map = map;
	return DDI_SUCCESS;
}

void
sas_phymap_destroy(sas_phymap_t *map)
{
	struct sas_port *port, *next;
	struct scsa_port *hba;

	if (map == NULL || settle_close(map->settle) < 0)
		return;
	hba = port_of(map->hba_dip);
	if (hba != NULL && hba->phymap == map)
		hba->phymap = NULL;
	settle_free(map->settle);
	HASH_ITER(hh, map->ports, port, next) {
		HASH_DEL(map->ports, port);
		kmem_free(port, sizeof(*port));
	}
	mutex_destroy(&map->lock);
	kmem_free(map, sizeof(*map));
}

void
phymap_wait(struct scsa_port *hba)
{
	struct sas_phymap *map = hba->phymap;

	if (map != NULL)
		(void)settle_sync(map->settle, sync_max_us(map->settle, map->settle_us), false);
}

static unsigned int
phys_count(const sas_phymap_t *map)
{
	unsigned int n = 0;

	for (int i = 0; i < PHYS_MAX; i++)
		n += map->phy[i] != NULL;
	return n;
}

/* lock held: may a report be passed on, or do phys come and go too fast for anything to
 * settle? */
static bool
report_passes(sas_phymap_t *map, unsigned int n_phys)
{
	if (!settle_has_reports(map->settle))
		map->n_reports = 0;
	if (map->n_reports++ < STORM_FACTOR * (n_phys != 0 ? n_phys : 1))
		return true;
	if (!map->is_storm)
		dev_err(map->hba_dip, CE_WARN, "phys come and go too fast to settle");
	map->is_storm = true;
	return false;
}

int
sas_phymap_phy_add(sas_phymap_t *map, int phy, uint64_t local, uint64_t remote)
{
	struct sas_port *port = NULL;
	char key[KEY_LEN];

	if (map == NULL || phy < 0 || phy >= PHYS_MAX)
		return DDI_FAILURE;
	port_key(local, remote, key);
	mutex_enter(&map->lock);
	if (map->phy[phy] == NULL)
		port = port_get(map, key);
	if (port != NULL) {
		map->phy[phy] = port;
		port->phys |= 1ull << phy;
		if (report_passes(map, phys_count(map)))
			(void)settle_report(map->settle, key, NULL);
	}
	mutex_exit(&map->lock);
	return port != NULL ? DDI_SUCCESS : DDI_FAILURE;
}

int
sas_phymap_phy_rem(sas_phymap_t *map, int phy)
{
	struct sas_port *port;
	unsigned int n_phys;

	if (map == NULL || phy < 0 || phy >= PHYS_MAX)
		return DDI_FAILURE;
	mutex_enter(&map->lock);
	n_phys = phys_count(map);
	port = map->phy[phy];
	if (port != NULL) {
		map->phy[phy] = NULL;
		port->phys &= ~(1ull << phy);
		if (port->phys == 0 && report_passes(map, n_phys))
			(void)settle_withdraw(map->settle, port->key);
		port_forget(map, port);
	}
	mutex_exit(&map->lock);
	return port != NULL ? DDI_SUCCESS : DDI_FAILURE;
}

/*
 * Questions.
 */

char *
sas_phymap_lookup_ua(sas_phymap_t *map, uint64_t local, uint64_t remote)
{
	struct sas_port *port;
	char key[KEY_LEN], *ua;

	port_key(local, remote, key);
	mutex_enter(&map->lock);
	port = port_find(map, key);
	ua = port != NULL && port->is_active ? port->ua : NULL;
	mutex_exit(&map->lock);
	return ua;
}

void *
sas_phymap_lookup_uapriv(sas_phymap_t *map, char *ua)
{
	struct sas_port *port;
	void *priv;

	mutex_enter(&map->lock);
	port = port_by_ua(map, ua);
	priv = port != NULL ? port->ua_priv : NULL;
	mutex_exit(&map->lock);
	return priv;
}

/* the phys of an active port; false when there is no such port */
static bool
ua_phys(sas_phymap_t *map, const char *ua, uint64_t *ret_phys)
{
	struct sas_port *port;

	mutex_enter(&map->lock);
	port = port_by_ua(map, ua);
	if (port != NULL)
		*ret_phys = port->phys;
	mutex_exit(&map->lock);
	return port != NULL;
}

int
sas_phymap_uahasphys(sas_phymap_t *map, char *ua)
{
	uint64_t phys = 0;

	return ua_phys(map, ua, &phys) && phys != 0;
}

sas_phymap_phys_t *
sas_phymap_ua2phys(sas_phymap_t *map, char *ua)
{
	sas_phymap_phys_t *walk;
	uint64_t phys;

	if (!ua_phys(map, ua, &phys))
		return NULL;
	walk = kmem_alloc(sizeof(*walk), KM_SLEEP);
	walk->left = phys;
	return walk;
}

int
sas_phymap_phys_next(sas_phymap_phys_t *phys)
{
	int phy = phys == NULL ? 0 : ffsll((long long)phys->left);

	if (phy == 0)
		return -1;
	phys->left &= phys->left - 1;
	return phy - 1;
}

void
sas_phymap_phys_free(sas_phymap_phys_t *phys)
{
	if (phys != NULL)
		kmem_free(phys, sizeof(*phys));
}

char *
sas_phymap_phy2ua(sas_phymap_t *map, int phy)
{
	struct sas_port *port;
	char ua[KEY_LEN] = "";

	if (phy < 0 || phy >= PHYS_MAX)
		return NULL;
	mutex_enter(&map->lock);
	port = map->phy[phy];
	if (port != NULL && port->is_active)
		memcpy(ua, port->ua, sizeof(ua));
	mutex_exit(&map->lock);
	return ua[0] != '\0' ? kmem_strdup(ua, KM_SLEEP) : NULL;
}

void
sas_phymap_ua_free(char *ua)
{
	if (ua != NULL)
		kmem_strfree(ua);
}
