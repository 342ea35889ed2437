#include "daemon/topo.h"

#include <string.h>

#include "base/fault.h"

struct topo *
topo_take(struct soft_hba *hba)
{
	struct topo *t = fault_hit() ? NULL : calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->n_ports = soft_ports(hba, t->ports, SOFT_PORTS);
	if (t->n_ports > SOFT_PORTS)
		t->n_ports = SOFT_PORTS;
	t->n_phys = soft_phys(hba, t->phys, SOFT_PHYS);
	if (t->n_phys > SOFT_PHYS)
		t->n_phys = SOFT_PHYS;
	return t;
}

static bool
port_has_phys(const struct soft_port_info *port)
{
	return strcmp(port->kind, "phys") == 0;
}

const struct soft_port_info *
topo_port(const struct topo *t, const char *name)
{
	for (size_t i = 0; i < t->n_ports; i++)
		if (strcmp(t->ports[i].label, name) == 0)
			return &t->ports[i];
	for (size_t p = 0; p < t->n_phys; p++) {
		if (t->phys[p].iport[0] == '\0' || strcmp(t->phys[p].iport, name) != 0)
			continue;
		for (size_t i = 0; i < t->n_ports; i++)
			if (port_has_phys(&t->ports[i]) &&
			    t->ports[i].remote == t->phys[p].remote)
				return &t->ports[i];
	}
	return NULL;
}

/* one more phy of an iport that may be known already */
static size_t
iport_note(struct topo_iport *iports, size_t n, const struct soft_phy_info *phy)
{
	size_t i = 0;

	while (i < n && strcmp(iports[i].name, phy->iport) != 0)
		i++;
	if (i == n)
		iports[n++] = (struct topo_iport){ phy->iport, 0 };
	iports[i].phys |= UINT64_C(1) << phy->phy;
	return n;
}

size_t
topo_iports(const struct topo *t, const struct soft_port_info *port,
    struct topo_iport ret[SOFT_PHYS])
{
	size_t n = 0;

	if (!port_has_phys(port)) {
		ret[0] = (struct topo_iport){ port->label, 0 };
		return port->iports > 0 ? 1 : 0;
	}
	for (size_t p = 0; p < t->n_phys; p++) {
		const struct soft_phy_info *phy = &t->phys[p];

		if (phy->is_up && phy->iport[0] != '\0' && phy->remote == port->remote)
			n = iport_note(ret, n, phy);
	}
	return n;
}
