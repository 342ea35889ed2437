#include <sys/scsi/scsi.h>

#include <errno.h>
#include <string.h>

#include "scsa/config_impl.h"
#include "scsa/maps.h"

struct scsi_hba_iportmap {
	struct scsa_port *hba;
	uint64_t settle_us;
	struct csync csync;
	struct settle *settle;
};

static bool
map_is_ready(void *arg)
{
	struct scsi_hba_iportmap *map = arg;

	return devi_is_attached(map->hba->dip);
}

/* iports have no callbacks: attach(9E) is the news. The value a driver gave is kept, and that
 * is all */
static void
map_activate(void *arg, const char *ua, void **privp)
{
	(void)arg;
	(void)ua;
	(void)privp;
}

static void
map_deactivate(void *arg, const char *ua, void *priv, enum settle_end why)
{
	struct scsi_hba_iportmap *map = arg;

	(void)priv;
	if (why == SETTLE_CFG_FAIL)
		dev_err(map->hba->dip, CE_NOTE, "iport %s does not attach", ua);
}

static int
map_configure(void *arg, const char *ua, void *priv)
{
	struct scsi_hba_iportmap *map = arg;
	dev_info_t *iport;
	int r;

	(void)priv;
	port_config_enter(map->hba);
	r = iport_config(map->hba, ua, &iport);
	port_config_exit(map->hba);
	return r;
}

/* nothing behind it any more; and what its driver still reports, looking for targets meanwhile,
 * brings nothing back before it is gone itself */
static int
iport_empty(dev_info_t *iport)
{
	struct scsa_port *port = config_hold(iport);
	int r;

	if (port == NULL)
		return 0;
	if (port->tran->tran_tgtmap != NULL) {
		tgtmap_pause(port, true);
		r = tgtmap_clear(port);
	} else {
		r = port_unconfig_all(port);
	}
	config_release(port);
	return r;
}

/* it stays */
static void
iport_resume(dev_info_t *iport)
{
	struct scsa_port *port = config_hold(iport);

	if (port == NULL)
		return;
	if (port->tran->tran_tgtmap != NULL)
		tgtmap_pause(port, false);
	config_release(port);
}

int
iport_remove(dev_info_t *iport)
{
	int r = iport_empty(iport);

	if (r == 0)
		r = child_remove(iport);
	if (r < 0)
		iport_resume(iport);
	return r;
}

static int
map_unconfigure(void *arg, const char *ua, void *priv)
{
	struct scsi_hba_iportmap *map = arg;
	dev_info_t *iport = iport_node_find(map->hba->dip, ua);
	int r = 0;

	(void)priv;
	if (iport == NULL)
		return 0;
	port_config_enter(map->hba);
	r = iport_remove(iport);
	port_config_exit(map->hba);
	devi_unref(iport);
	return r;
}

static const struct settle_ops map_ops = {
	.is_ready = map_is_ready,
	.activate = map_activate,
	.configure = map_configure,
	.unconfigure = map_unconfigure,
	.deactivate = map_deactivate,
};

int
scsi_hba_iportmap_create(dev_info_t *hba_dip, int csync_usec, int settle_usec,
    scsi_hba_iportmap_t **ret_map)
{
	struct scsa_port *hba = port_of(hba_dip);
	struct settle_conf conf = {
		.name = "iportmap",
		.mode = SETTLE_PERADDR,
		.ops = &map_ops,
	};
	struct scsi_hba_iportmap *map;

	if (hba == NULL || hba->is_iport || !(hba->tran->tran_hba_flags & SCSI_HBA_HBA) ||
	    hba->tran->tran_iportmap != NULL || ret_map == NULL || csync_usec <= 0 ||
	    settle_usec <= 0)
		return DDI_FAILURE;
	map = kmem_zalloc(sizeof(*map), KM_SLEEP);
	map->hba = hba;
	map->settle_us = (uint32_t)settle_usec;
	csync_open(&map->csync, (uint32_t)csync_usec);
	conf.settle_us = (uint32_t)settle_usec;
	conf.arg = map;
	if (settle_new(&conf, &map->settle) < 0) {
		kmem_free(map, sizeof(*map));
		return DDI_FAILURE;
	}
	TRACE(.kind = SCSA_EV_MAP_CREATE, .tran = hba->tran, .dip = hba_dip);
	hba->tran->tran_iportmap = map;
	*ret_map = map;
	return DDI_SUCCESS;
}

void
scsi_hba_iportmap_destroy(scsi_hba_iportmap_t *map)
{
	struct scsa_port *hba;

	if (map == NULL)
		return;
	hba = map->hba;
	if (settle_close(map->settle) < 0)
		return;
	hba->tran->tran_iportmap = NULL;
	TRACE(.kind = SCSA_EV_MAP_DESTROY, .tran = hba->tran, .dip = hba->dip);
	settle_free(map->settle);
	kmem_free(map, sizeof(*map));
}

int
scsi_hba_iportmap_iport_add(scsi_hba_iportmap_t *map, char *iport_addr, void *iport_priv)
{
	if (map == NULL || iport_addr == NULL || strpbrk(iport_addr, "/@") != NULL)
		return DDI_FAILURE;
	if (settle_report(map->settle, iport_addr, iport_priv) < 0)
		return DDI_FAILURE;
	return DDI_SUCCESS;
}

int
scsi_hba_iportmap_iport_remove(scsi_hba_iportmap_t *map, char *iport_addr)
{
	if (map == NULL || iport_addr == NULL)
		return DDI_FAILURE;
	return settle_withdraw(map->settle, iport_addr) < 0 ? DDI_FAILURE : DDI_SUCCESS;
}

int
scsi_hba_iportmap_lookup(scsi_hba_iportmap_t *map, char *iport_addr)
{
	if (map == NULL || iport_addr == NULL)
		return DDI_FAILURE;
	return settle_is_up(map->settle, iport_addr) ? DDI_SUCCESS : DDI_FAILURE;
}

/*
 * Requests of the process.
 */

int
iportmap_config_all(struct scsa_port *hba)
{
	struct scsi_hba_iportmap *map = hba->tran->tran_iportmap;
	char ua[SETTLE_ADDR_MAX + 1];
	const char *after = NULL;
	int units = 0, r;

	phymap_wait(hba);	/* whose ports become iports */
	csync_wait_all(&map->csync, map->settle, map->settle_us);
	while (settle_next_up(map->settle, after, ua)) {
		dev_info_t *iport = iport_node_find(hba->dip, ua);
		struct scsa_port *port = config_hold(iport);

		if (port != NULL) {
			r = port_config_all(port);
			units += r < 0 ? 0 : r;
			config_release(port);
		}
		if (iport != NULL)
			devi_unref(iport);
		after = ua;
	}
	return units;
}

int
iportmap_config_one(struct scsa_port *hba, const char *ua, dev_info_t **ret_dip)
{
	struct scsi_hba_iportmap *map = hba->tran->tran_iportmap;
	char key[UA_LEN + 1];
	dev_info_t *iport;

	if (ua[0] == '\0' || strlen(ua) >= UA_LEN)
		return -EINVAL;
	(void)snprintf(key, sizeof(key), "@%s", ua);
	iport = csync_wait_one(&map->csync, map->settle, map->settle_us, hba->dip, key);
	if (iport == NULL)
		return -ENXIO;
	if (ret_dip != NULL)
		*ret_dip = iport;
	devi_unref(iport);
	return 0;
}

int
iportmap_unconfig_all(struct scsa_port *hba)
{
	return settle_clear(hba->tran->tran_iportmap->settle);
}
