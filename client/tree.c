#include <errno.h>

#include "client/pool.h"
#include "client/scsac_impl.h"

static int
port_copy(struct scsac_list *list, struct scsac_port *port, const Scsad__Port *msg)
{
	const struct pool_pair pairs[] = {
		{ &port->hba, msg->hba },
		{ &port->label, msg->label },
		{ &port->iport, msg->iport },
		{ &port->kind, msg->kind },
	};

	port->phys = msg->phys;
	port->remote = msg->remote;
	port->targets = msg->targets;
	port->units = msg->units;
	port->expanders = msg->expanders;
	return pool_texts(list, pairs, ARRAY_LEN(pairs));
}

static int
add_ports(struct scsac_list *list, Scsad__Port *const *msgs, size_t n)
{
	struct scsac_port *ports = pool_append(list, list->ports, list->n_ports, n,
	    sizeof(*ports));

	if (ports == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (port_copy(list, &ports[list->n_ports + i], msgs[i]) < 0)
			return -ENOMEM;
	}
	list->ports = ports;
	list->n_ports += n;
	return 0;
}

static int
phy_copy(struct scsac_list *list, struct scsac_phy *phy, const Scsad__Phy *msg)
{
	const struct pool_pair pairs[] = {
		{ &phy->hba, msg->hba },
		{ &phy->iport, msg->iport },
	};

	phy->phy = msg->phy;
	phy->is_up = msg->is_up;
	phy->local = msg->local;
	phy->remote = msg->remote;
	return pool_texts(list, pairs, ARRAY_LEN(pairs));
}

static int
add_phys(struct scsac_list *list, Scsad__Phy *const *msgs, size_t n)
{
	struct scsac_phy *phys = pool_append(list, list->phys, list->n_phys, n, sizeof(*phys));

	if (phys == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (phy_copy(list, &phys[list->n_phys + i], msgs[i]) < 0)
			return -ENOMEM;
	}
	list->phys = phys;
	list->n_phys += n;
	return 0;
}

static int
expander_copy(struct scsac_list *list, struct scsac_expander *exp, const Scsad__Expander *msg)
{
	static const Scsad__Identity no_identity = SCSAD__IDENTITY__INIT;
	const Scsad__Identity *identity = msg->identity != NULL ? msg->identity : &no_identity;
	const struct pool_pair pairs[] = {
		{ &exp->path, msg->path },
		{ &exp->hba, msg->hba },
		{ &exp->iport, msg->iport },
		{ &exp->vendor, identity->vendor },
		{ &exp->product, identity->product },
		{ &exp->revision, identity->revision },
	};

	exp->wwn = msg->wwn;
	return pool_texts(list, pairs, ARRAY_LEN(pairs));
}

static int
add_expanders(struct scsac_list *list, Scsad__Expander *const *msgs, size_t n)
{
	struct scsac_expander *exps = pool_append(list, list->expanders, list->n_expanders, n,
	    sizeof(*exps));

	if (exps == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (expander_copy(list, &exps[list->n_expanders + i], msgs[i]) < 0)
			return -ENOMEM;
	}
	list->expanders = exps;
	list->n_expanders += n;
	return 0;
}

int
list_add_tree(struct scsac_list *list, const Scsad__ListReply *msg)
{
	int r = add_ports(list, msg->ports, msg->n_ports);

	if (r == 0)
		r = add_phys(list, msg->phys, msg->n_phys);
	return r < 0 ? r : add_expanders(list, msg->expanders, msg->n_expanders);
}
