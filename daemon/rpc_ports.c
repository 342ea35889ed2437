#include "daemon/rpc_impl.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "daemon/topo.h"

#define PORTS_MAX	(SOFT_PORTS + SOFT_PHYS)	/* rows of one HBA */
#define EXPANDERS_BATCH	32				/* of one reply */
#define HBA_DETAIL_LEN	256

/* ------ ports and phys of one HBA ------ */

/* a reply in the making */
struct ports {
	const struct hba *hba;
	struct tree_node *nodes;	/* its iports */
	size_t n_nodes;
	struct tree_node *expanders;
	size_t n_expanders;
	struct topo *topo;		/* NULL: no software HBA */
	struct topo_iport iports[SOFT_PHYS];
	Scsad__Port rows[PORTS_MAX];
	Scsad__Port *row_list[PORTS_MAX];
	size_t n_rows;
	uint32_t units[PORTS_MAX];
	Scsad__Phy phys[SOFT_PHYS];
	Scsad__Phy *phy_list[SOFT_PHYS];
};

static char *
text_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

static Scsad__Port *
row_add(struct ports *p, const char *iport)
{
	Scsad__Port *row;

	if (p->n_rows == PORTS_MAX)
		return NULL;
	row = &p->rows[p->n_rows];
	p->row_list[p->n_rows++] = row;
	scsad__port__init(row);
	row->hba = text_of(p->hba->name);
	row->label = row->kind = text_of("");
	row->iport = text_of(iport);
	row->has_units = row->has_expanders = 1;
	for (size_t i = 0; i < p->n_expanders; i++)
		row->expanders += strcmp(p->expanders[i].iport, iport) == 0;
	return row;
}

static void
row_describe(Scsad__Port *row, const struct soft_port_info *port, uint64_t phys)
{
	if (row == NULL)
		return;
	row->label = text_of(port->label);
	row->kind = text_of(port->kind);
	row->has_phys = row->has_remote = row->has_targets = 1;
	row->phys = phys;
	row->remote = port->remote;
	row->targets = (uint32_t)port->targets;
}

/* a port of the driver: a row for each iport that reaches it, or one without */
static void
rows_of_port(struct ports *p, const struct soft_port_info *port)
{
	size_t n = topo_iports(p->topo, port, p->iports);

	for (size_t i = 0; i < n; i++)
		row_describe(row_add(p, p->iports[i].name), port, p->iports[i].phys);
	if (n == 0)
		row_describe(row_add(p, ""), port, port->phys);
}

static bool
row_is_there(const struct ports *p, const char *iport)
{
	for (size_t i = 0; i < p->n_rows; i++)
		if (strcmp(p->rows[i].iport, iport) == 0)
			return true;
	return false;
}

static void
rows_fill(struct ports *p)
{
	for (size_t i = 0; p->topo != NULL && i < p->topo->n_ports; i++)
		rows_of_port(p, &p->topo->ports[i]);
	/* hardware, or the driver knows better already */
	for (size_t i = 0; i < p->n_nodes; i++)
		if (!row_is_there(p, p->nodes[i].iport))
			(void)row_add(p, p->nodes[i].iport);
}

/* units come port by port: the last row found is a good guess */
static void
units_fill(struct ports *p)
{
	size_t at = 0;
	struct lu *unit;
	uint64_t id = 0;

	while (p->n_rows > 0 && (unit = lu_next(id)) != NULL) {
		const struct lu_info *info = lu_info(unit);

		id = lu_id(unit);
		if (strcmp(info->hba, p->hba->name) == 0) {
			if (strcmp(info->iport, p->rows[at].iport) != 0)
				for (at = 0; at + 1 < p->n_rows &&
				    strcmp(info->iport, p->rows[at].iport) != 0; at++)
					continue;
			p->rows[at].units += strcmp(info->iport, p->rows[at].iport) == 0;
		}
		lu_unref(unit);
	}
}

static size_t
phys_fill(struct ports *p)
{
	size_t n = p->topo == NULL ? 0 : p->topo->n_phys;

	for (size_t i = 0; i < n; i++) {
		const struct soft_phy_info *phy = &p->topo->phys[i];
		Scsad__Phy *msg = &p->phys[i];

		scsad__phy__init(msg);
		p->phy_list[i] = msg;
		msg->hba = text_of(p->hba->name);
		msg->has_phy = msg->has_is_up = msg->has_local = msg->has_remote = 1;
		msg->phy = phy->phy;
		msg->is_up = phy->is_up;
		msg->local = phy->is_up ? phy->local : 0;
		msg->remote = phy->is_up ? phy->remote : 0;
		msg->iport = text_of(phy->iport);
	}
	return n;
}

static void
ports_free(struct ports *p)
{
	if (p == NULL)
		return;
	free(p->nodes);
	free(p->expanders);
	free(p->topo);
	free(p);
}

static int
ports_new(struct tree *tree, struct hba *hba, struct ports **ret)
{
	struct ports *p = fault_hit() ? NULL : calloc(1, sizeof(*p));

	if (p == NULL || tree_list(tree, TREE_PORT, hba->name, &p->nodes, &p->n_nodes) < 0 ||
	    tree_list(tree, TREE_EXPANDER, hba->name, &p->expanders, &p->n_expanders) < 0) {
		ports_free(p);
		return -ENOMEM;
	}
	p->hba = hba;
	if (rpc_hba_is_soft(hba))
		p->topo = topo_take(hba->soft);
	rows_fill(p);
	units_fill(p);
	*ret = p;
	return 0;
}


/* ------ the end of a list ------ */

struct list_end {
	struct ports *ports[CONFIG_HBAS_MAX];
	uint32_t units_of[CONFIG_HBAS_MAX];
};

static void
list_end_free(void *more)
{
	struct list_end *end = more;

	for (size_t i = 0; end != NULL && i < CONFIG_HBAS_MAX; i++)
		ports_free(end->ports[i]);
	free(end);
}

/* on a worker */
static void
list_end_work(struct rpc_call *call)
{
	struct rpc_server *server = call->loop->server;
	struct list_end *end = call->more;

	for (size_t i = 0; i < hbas_count(server->hbas) && call->result == 0; i++)
		call->result = ports_new(server->tree, hbas_get(server->hbas, i),
		    &end->ports[i]);
}

static void
ports_send(struct rpc_call *call, struct ports *p)
{
	Scsad__ListReply reply = SCSAD__LIST_REPLY__INIT;

	reply.ports = p->row_list;
	reply.n_ports = p->n_rows;
	reply.phys = p->phy_list;
	reply.n_phys = phys_fill(p);
	if (reply.n_ports + reply.n_phys > 0)
		rpc_reply(call->req.conn, call->req.id, METHOD_LIST, &reply.base, true);
}

static void
expander_fill(Scsad__Expander *msg, Scsad__Identity *identity, const struct tree_node *node)
{
	scsad__expander__init(msg);
	scsad__identity__init(identity);
	identity->vendor = text_of(node->vendor);
	identity->product = text_of(node->product);
	identity->revision = text_of(node->revision);
	msg->path = text_of(node->path);
	msg->hba = text_of(node->hba);
	msg->iport = text_of(node->iport);
	msg->has_wwn = 1;
	msg->wwn = node->wwn;
	msg->identity = identity;
}

static void
expanders_send(struct rpc_call *call, const struct ports *p)
{
	Scsad__Identity identities[EXPANDERS_BATCH];
	Scsad__Expander msgs[EXPANDERS_BATCH];
	Scsad__Expander *list[EXPANDERS_BATCH];

	for (size_t i = 0; i < p->n_expanders; i += EXPANDERS_BATCH) {
		Scsad__ListReply reply = SCSAD__LIST_REPLY__INIT;

		reply.expanders = list;
		while (reply.n_expanders < EXPANDERS_BATCH &&
		    i + reply.n_expanders < p->n_expanders) {
			size_t at = reply.n_expanders++;

			expander_fill(&msgs[at], &identities[at], &p->expanders[i + at]);
			list[at] = &msgs[at];
		}
		rpc_reply(call->req.conn, call->req.id, METHOD_LIST, &reply.base, true);
	}
}

/* the last reply: the HBAs */
static void
hbas_send(struct rpc_call *call, const uint32_t units_of[])
{
	struct hbas *hbas = call->loop->server->hbas;
	Scsad__ListReply reply = SCSAD__LIST_REPLY__INIT;
	Scsad__Hba msgs[CONFIG_HBAS_MAX];
	Scsad__Hba *list[CONFIG_HBAS_MAX];
	char details[CONFIG_HBAS_MAX][HBA_DETAIL_LEN], states[CONFIG_HBAS_MAX][16];

	reply.hbas = list;
	reply.n_hbas = hbas_count(hbas);
	for (size_t i = 0; i < reply.n_hbas; i++) {
		const struct hba *hba = hbas_get(hbas, i);

		scsad__hba__init(&msgs[i]);
		list[i] = &msgs[i];
		msgs[i].name = text_of(hba->name);
		msgs[i].driver = hba->driver;
		msgs[i].state = hba_state_text(hba, states[i], sizeof(states[i]));
		msgs[i].detail = rpc_text(details[i], HBA_DETAIL_LEN, hba->detail);
		msgs[i].pci = text_of(hba->pci);
		msgs[i].has_units = 1;
		msgs[i].units = units_of[i];
	}
	rpc_reply(call->req.conn, call->req.id, METHOD_LIST, &reply.base, false);
}

static void
list_end_reply(struct rpc_call *call)
{
	struct list_end *end = call->more;

	if (call->result < 0) {
		rpc_refuse_errno(call->req.conn, call->req.id, METHOD_LIST, call->result, NULL);
		return;
	}
	for (size_t i = 0; i < CONFIG_HBAS_MAX && !call->req.conn->is_closed; i++) {
		if (end->ports[i] == NULL)
			continue;
		ports_send(call, end->ports[i]);
		expanders_send(call, end->ports[i]);
	}
	if (!call->req.conn->is_closed)
		hbas_send(call, end->units_of);
}

void
rpc_list_tree(const struct rpc_in *in, const uint32_t units_of[CONFIG_HBAS_MAX])
{
	struct rpc_call *call = rpc_call_new(in);
	struct list_end *end;

	if (call == NULL)
		return;
	end = fault_hit() ? NULL : calloc(1, sizeof(*end));
	if (end == NULL) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), METHOD_LIST, -ENOMEM, NULL);
		rpc_call_free(call);
		return;
	}
	memcpy(end->units_of, units_of, sizeof(end->units_of));
	call->more = end;
	call->more_free = list_end_free;
	call->work_fn = list_end_work;
	call->reply_fn = list_end_reply;
	rpc_call_work(call);
}
