/* how iports come about: registered once and for all, or by phys through maps */
#include "hw/soft/soft_impl.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

#define IPORT_CSYNC_US	2000000	/* who asks early waits so long at most for the first iports */

struct soft_link *
soft_link_find(struct soft_hba *hba, const char *ua)
{
	struct soft_link *link;

	LIST_FOREACH(link, &hba->links, link) {
		if (strcmp(link->ua, ua) == 0)
			return link;
	}
	return NULL;
}

struct soft_port *
soft_port_of_iport(struct soft_hba *hba, const char *ua)
{
	struct soft_iport *iport = soft_iport_find(hba, ua);
	struct soft_link *link = soft_link_find(hba, ua);
	struct soft_port *port;

	if (iport != NULL || link != NULL)
		return iport != NULL ? iport->port : link->port;
	port = soft_port_by_label(hba, ua);
	return port == NULL || port->kind == SOFT_PORT_PHYS ? NULL : port;
}

/* topo held: what the map means by @ua. It has given the name, and keeps it, as long as its
 * callback runs, even when the phys have left meanwhile */
static bool
link_resolve(struct soft_hba *hba, struct soft_link *link)
{
	struct soft_port *port;

	TAILQ_FOREACH(port, &hba->ports, link) {
		for (unsigned int i = 0; i < SOFT_PHYS; i++) {
			const struct soft_phy *phy = &hba->phys[i];
			const char *ua;

			if (!phy->was_up || port->kind != SOFT_PORT_PHYS)
				continue;
			ua = sas_phymap_lookup_ua(hba->phymap, phy->local, port->remote);
			if (ua == NULL || strcmp(ua, link->ua) != 0)
				continue;
			link->port = port;
			link->local = phy->local;
			return true;
		}
	}
	return false;
}

/* topo held: a port becomes an iport of the same name, unless there is one that leads to another
 * port. That one was withdrawn when its phys left, and has to go first, with all its units:
 * their addresses may be those of units of the new port */
static void
link_appear(struct soft_hba *hba, struct soft_link *link)
{
	struct soft_iport *iport = soft_iport_find(hba, link->ua);

	if (iport != NULL && iport->port != link->port)
		return;
	(void)scsi_hba_iportmap_iport_add(hba->iportmap, link->ua, NULL);
	soft_iport_props(link->port);
}

void
soft_iport_left(struct soft_hba *hba, const char *ua, const struct soft_port *port)
{
	struct soft_link *link = soft_link_find(hba, ua);

	if (link != NULL && link->port != port && hba->iportmap != NULL)
		link_appear(hba, link);
}

/* phys have formed a port */
static void
phys_activate(void *arg, char *ua, void **ua_privp)
{
	struct soft_link *link = kmem_zalloc(sizeof(*link), KM_SLEEP);
	struct soft_hba *hba = arg;

	(void)text_copy(link->ua, sizeof(link->ua), ua);
	mutex_enter(&hba->topo);
	if (hba->phymap != NULL && link_resolve(hba, link)) {
		LIST_INSERT_HEAD(&hba->links, link, link);
		*ua_privp = link;
		link_appear(hba, link);
	}
	mutex_exit(&hba->topo);
	if (*ua_privp == NULL)
		kmem_free(link, sizeof(*link));
}

static void
phys_deactivate(void *arg, char *ua, void *ua_priv)
{
	struct soft_link *link = ua_priv;
	struct soft_hba *hba = arg;

	if (link == NULL)
		return;
	mutex_enter(&hba->topo);
	(void)scsi_hba_iportmap_iport_remove(hba->iportmap, ua);
	LIST_REMOVE(link, link);
	mutex_exit(&hba->topo);
	kmem_free(link, sizeof(*link));
}

static int
maps_create(struct soft_hba *hba)
{
	if (scsi_hba_iportmap_create(hba->dip, IPORT_CSYNC_US, SOFT_IPORT_SETTLE_US,
	    &hba->iportmap) != DDI_SUCCESS)
		return DDI_FAILURE;
	if (sas_phymap_create(hba->dip, SOFT_PHY_SETTLE_US, PHYMAP_MODE_SIMPLE, NULL, hba,
	    phys_activate, phys_deactivate, &hba->phymap) == DDI_SUCCESS)
		return DDI_SUCCESS;
	scsi_hba_iportmap_destroy(hba->iportmap);
	hba->iportmap = NULL;
	return DDI_FAILURE;
}

int
soft_port_appear(struct soft_port *port)
{
	struct soft_hba *hba = port->hba;

	if (port->kind == SOFT_PORT_PHYS || !hba->is_attached)
		return DDI_SUCCESS;
	return hba->is_dynamic ?
	    scsi_hba_iportmap_iport_add(hba->iportmap, port->label, NULL) :
	    scsi_hba_iport_register(hba->dip, port->label);
}

/* everything that is there at first; nothing is a report, too */
static int
ports_report(struct soft_hba *hba)
{
	struct soft_port *port;
	char nobody[] = "nobody";
	int r = DDI_SUCCESS;

	TAILQ_FOREACH(port, &hba->ports, link) {
		if (soft_port_appear(port) != DDI_SUCCESS)
			r = DDI_FAILURE;
	}
	if (!hba->is_dynamic)
		return r;
	for (int i = 0; i < SOFT_PHYS; i++) {
		if (hba->phys[i].is_up)
			(void)sas_phymap_phy_add(hba->phymap, i, hba->phys[i].local,
			    hba->phys[i].remote);
	}
	(void)scsi_hba_iportmap_iport_remove(hba->iportmap, nobody);
	return r;
}

int
soft_ports_attach(struct soft_hba *hba)
{
	int r = DDI_SUCCESS;

	mutex_enter(&hba->topo);
	hba->is_attached = true;
	if (hba->is_dynamic)
		r = maps_create(hba);
	if (r == DDI_SUCCESS)
		r = ports_report(hba);
	mutex_exit(&hba->topo);
	if (r != DDI_SUCCESS)
		soft_ports_detach(hba);
	return r;
}

void
soft_ports_detach(struct soft_hba *hba)
{
	scsi_hba_iportmap_t *iportmap;
	sas_phymap_t *phymap;

	mutex_enter(&hba->topo);
	phymap = hba->phymap;
	iportmap = hba->iportmap;
	hba->phymap = NULL;
	hba->is_attached = false;
	mutex_exit(&hba->topo);
	/* its last words are for the other map */
	sas_phymap_destroy(phymap);
	mutex_enter(&hba->topo);
	hba->iportmap = NULL;
	mutex_exit(&hba->topo);
	scsi_hba_iportmap_destroy(iportmap);
}

/*
 * Cables.
 */

static int
phy_check(struct soft_hba *hba, unsigned int phy, char *reterr)
{
	if (phy >= SOFT_PHYS)
		return soft_error(-EINVAL, reterr, "phys are 0 to %d", SOFT_PHYS - 1);
	if (!hba->is_dynamic)
		return soft_error(-ENOTSUP, reterr, "the ports of this adapter are static; one "
		    "whose configuration has a port with remote= can have phys");
	return 0;
}

/* the port a cable leads to; made when nobody has described it */
static int
port_at(struct soft_hba *hba, uint64_t local, uint64_t remote, struct soft_port **ret,
    char *reterr)
{
	struct soft_port_conf conf = { .local = local, .remote = remote };
	int r;

	*ret = soft_port_by_remote(hba, remote);
	if (*ret != NULL)
		return 0;
	if (hba->nports == SOFT_PORTS)
		soft_port_prune(hba);
	(void)scsi_wwn_to_wwnstr(remote, 1, conf.label);
	r = soft_port_new(hba, &conf, ret, reterr);
	if (r == 0)
		(*ret)->is_found = true;
	return r;
}

/* topo is held */
static int
phy_up(struct soft_hba *hba, unsigned int phy, uint64_t local, uint64_t remote, char *reterr)
{
	struct soft_phy *p = &hba->phys[phy];
	struct soft_port *port;
	int r;

	if (p->is_up)
		return soft_error(-EEXIST, reterr, "phy %u is up; take it down first", phy);
	r = port_at(hba, local, remote, &port, reterr);
	if (r < 0)
		return r;
	*p = (struct soft_phy){ .is_up = true, .was_up = true, .local = local,
	    .remote = remote };
	hba->nchanges++;
	if (hba->phymap == NULL)
		return 0;
	(void)sas_phymap_phy_add(hba->phymap, (int)phy, local, remote);
	soft_iport_props(port);
	return 0;
}

int
soft_phy_up(struct soft_hba *hba, unsigned int phy, uint64_t local, uint64_t remote,
    char *reterr)
{
	int r = phy_check(hba, phy, reterr);

	if (r == 0 && remote == 0)
		r = soft_error(-EINVAL, reterr, "a phy needs the address it leads to");
	if (r < 0)
		return r;
	mutex_enter(&hba->change);
	mutex_enter(&hba->topo);
	r = phy_up(hba, phy, local == 0 ? hba->wwn : local, remote, reterr);
	mutex_exit(&hba->topo);
	mutex_exit(&hba->change);
	return r;
}

int
soft_phy_down(struct soft_hba *hba, unsigned int phy, char *reterr)
{
	struct soft_port *port;
	int r = phy_check(hba, phy, reterr);

	if (r < 0)
		return r;
	mutex_enter(&hba->change);
	mutex_enter(&hba->topo);
	if (hba->phys[phy].is_up) {
		hba->phys[phy].is_up = false;
		hba->nchanges++;
		if (hba->phymap != NULL)
			(void)sas_phymap_phy_rem(hba->phymap, (int)phy);
		port = soft_port_by_remote(hba, hba->phys[phy].remote);
		if (port != NULL)
			soft_iport_props(port);
	} else {
		r = soft_error(-ENOENT, reterr, "phy %u is not up", phy);
	}
	mutex_exit(&hba->topo);
	mutex_exit(&hba->change);
	return r;
}

size_t
soft_phys(struct soft_hba *hba, struct soft_phy_info *phys, size_t max)
{
	size_t n = 0;

	mutex_enter(&hba->topo);
	for (unsigned int i = 0; i < SOFT_PHYS; i++) {
		const struct soft_phy *p = &hba->phys[i];
		char *ua;

		if (!p->was_up || n++ >= max)
			continue;
		phys[n - 1] = (struct soft_phy_info){ .phy = i, .is_up = p->is_up };
		if (!p->is_up)
			continue;
		phys[n - 1].local = p->local;
		phys[n - 1].remote = p->remote;
		ua = hba->phymap == NULL ? NULL : sas_phymap_phy2ua(hba->phymap, (int)i);
		if (ua != NULL)
			(void)text_copy(phys[n - 1].iport, sizeof(phys[n - 1].iport), ua);
		sas_phymap_ua_free(ua);
	}
	mutex_exit(&hba->topo);
	return n;
}
