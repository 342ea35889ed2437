#include "daemon/rpc_impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "daemon/topo.h"
#include "ddi/devtree.h"
#include "hw/iscsi/iscsi_hba.h"
#include "scsa/config.h"
#include "scsi/inquiry.h"

#define SHOW_DETAILS	32
#define SHOW_COUNTERS	40
#define SHOW_VALUE_LEN	512

_Static_assert(SHOW_DETAILS * SHOW_VALUE_LEN + PROTO_TEXT_MAX < PROTO_MESSAGE_MAX / 2,
    "one reply holds it all");

/* a reply in the making */
struct show {
	Scsad__ShowReply reply;
	Scsad__Detail details[SHOW_DETAILS];
	Scsad__Detail *detail_list[SHOW_DETAILS];
	char values[SHOW_DETAILS][SHOW_VALUE_LEN];
	char store_path[PROTO_TEXT_MAX + 1];
	Scsad__Counter counters[SHOW_COUNTERS];
	Scsad__Counter *counter_list[SHOW_COUNTERS];
};

static void
show_begin(struct show *s, const char *path, const char *kind)
{
	scsad__show_reply__init(&s->reply);
	s->reply.path = (char *)(uintptr_t)path;
	s->reply.kind = (char *)(uintptr_t)kind;
	s->reply.details = s->detail_list;
	s->reply.counters = s->counter_list;
}

/* @value stays where it is until the reply is sent; printable */
static void
show_text(struct show *s, const char *group, const char *key, const char *value)
{
	size_t i = s->reply.n_details;

	if (i >= SHOW_DETAILS)
		return;
	scsad__detail__init(&s->details[i]);
	s->details[i].group = (char *)(uintptr_t)group;
	s->details[i].key = (char *)(uintptr_t)key;
	s->details[i].value = (char *)(uintptr_t)value;
	s->detail_list[i] = &s->details[i];
	s->reply.n_details++;
}

PRINTF_LIKE(4, 5) static void
show_detail(struct show *s, const char *group, const char *key, const char *fmt, ...)
{
	size_t i = s->reply.n_details;
	char value[SHOW_VALUE_LEN];
	va_list ap;

	if (i >= SHOW_DETAILS)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	show_text(s, group, key, rpc_text(s->values[i], SHOW_VALUE_LEN, value));
}

static void
show_counter(struct show *s, const char *name, uint64_t value)
{
	size_t i = s->reply.n_counters;

	if (i >= SHOW_COUNTERS)
		return;
	scsad__counter__init(&s->counters[i]);
	s->counters[i].name = (char *)(uintptr_t)name;
	s->counters[i].has_value = 1;
	s->counters[i].value = value;
	s->counter_list[i] = &s->counters[i];
	s->reply.n_counters++;
}

/* ------ units ------ */

static void
show_unit_stats(struct show *s, const struct lu *unit)
{
	struct lu_stats st;

	lu_stats_read(unit, &st);
	show_counter(s, "tasks", st.tasks);
	show_counter(s, "in_flight", st.in_flight);
	show_counter(s, "read_bytes", st.read_bytes);
	show_counter(s, "written_bytes", st.written_bytes);
	show_counter(s, "refused", st.refused);
	show_counter(s, "checks", st.checks);
	show_counter(s, "media_errors", st.media_errors);
	show_counter(s, "transport_errors", st.transport_errors);
	show_counter(s, "held", st.held);
	show_counter(s, "busy", st.busy);
	show_counter(s, "orphans", st.orphans);
	show_counter(s, "aborts", st.aborts);
	show_counter(s, "resets", st.resets);
}

static void
show_soft_disk(struct show *s, const struct hba *hba, const struct lu_info *info)
{
	struct soft_disk_info disk;

	if (hba == NULL || !rpc_hba_is_soft(hba) ||
	    soft_disk_info_at(hba->soft, info->iport, info->address, &disk) < 0)
		return;
	show_detail(s, "store", "kind", "%s", soft_store_kind_name(disk.kind));
	if (disk.path[0] != '\0')
		show_text(s, "store", "path", text_escape(disk.path, strlen(disk.path),
		    s->store_path, sizeof(s->store_path)));
	show_detail(s, "store", "physical block", "%u", disk.physical_bytes);
	show_detail(s, "store", "thin", "%s", disk.is_thin ? "yes" : "no");
	show_detail(s, "store", "direct", "%s", disk.is_direct ? "yes" : "no");
	show_counter(s, "hba.commands", disk.commands);
	show_counter(s, "hba.reads", disk.reads);
	show_counter(s, "hba.writes", disk.writes);
	show_counter(s, "hba.store_errors", disk.store_errors);
	show_counter(s, "hba.queued", disk.queued);
	show_counter(s, "hba.faults", disk.faults);
	show_counter(s, "hba.aborted", disk.aborted);
	show_counter(s, "hba.reset", disk.reset);
	show_counter(s, "hba.timed_out", disk.timed_out);
	show_counter(s, "hba.spurious", disk.spurious);
}

/* a unit behind an iSCSI target: how its session is */
static void
show_iscsi_unit(struct show *s, const struct hba *hba, const struct lu_info *info)
{
	struct iscsi_hba_info target;

	if (!rpc_hba_is_iscsi(hba) || iscsi_hba_info_get(hba->dip,
	    strtoul(info->address, NULL, 16), &target) < 0)
		return;
	show_detail(s, "session", "target", "%s", target.name);
	show_detail(s, "session", "portal", "%s", target.portal);
	show_detail(s, "session", "state", "%s", target.state);
	if (target.error[0] != '\0')
		show_detail(s, "session", "error", "%s", target.error);
	show_counter(s, "hba.commands", target.commands);
	show_counter(s, "hba.queued", target.queued);
	show_counter(s, "hba.sent", target.sent);
	show_counter(s, "hba.read_bytes", target.read_bytes);
	show_counter(s, "hba.written_bytes", target.written_bytes);
	show_counter(s, "hba.aborted", target.aborted);
	show_counter(s, "hba.reset", target.reset);
	show_counter(s, "hba.timed_out", target.timed_out);
	show_counter(s, "hba.lost", target.lost);
	show_counter(s, "hba.logins", target.logins);
	show_counter(s, "hba.refused_logins", target.refused_logins);
	show_counter(s, "hba.redirects", target.redirects);
	show_counter(s, "hba.losses", target.losses);
	show_counter(s, "hba.liars", target.liars);
}

/* its targets, as many as a reply has room for */
static void
show_iscsi_targets(struct show *s, const struct hba *hba)
{
	static const char *const keys[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
		"a", "b", "c", "d", "e", "f" };
	struct iscsi_hba_info target;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (iscsi_hba_info_get(hba->dip, i, &target) == 0)
			show_detail(s, "targets", keys[i], "%s at %s: %s%s%s", target.name,
			    target.portal, target.state, target.error[0] == '\0' ? "" : ", ",
			    target.error);
}

static void
show_unit(struct show *s, struct rpc_server *server, const struct lu *unit)
{
	const struct lu_info *info = lu_info(unit);
	char size[NUM_BYTES_LEN];

	show_begin(s, info->path, "unit");
	show_detail(s, "unit", "type", "%s", inq_type_name(info->type));
	show_detail(s, "unit", "vendor", "%s", info->vendor);
	show_detail(s, "unit", "product", "%s", info->product);
	show_detail(s, "unit", "revision", "%s", info->revision);
	show_detail(s, "unit", "serial", "%s", info->serial);
	show_detail(s, "unit", "state", "%s", lu_is_active(unit) ? "active" : "gone");
	show_detail(s, "unit", "write protected", "%s", info->is_readonly ? "yes" : "no");
	show_detail(s, "unit", "removable", "%s", info->is_removable ? "yes" : "no");
	if (info->blocks > 0) {
		show_detail(s, "capacity", "blocks", "%llu", (unsigned long long)info->blocks);
		show_detail(s, "capacity", "block size", "%u", info->block_bytes);
		show_detail(s, "capacity", "size", "%s",
		    num_format_bytes(info->blocks * info->block_bytes, size));
	}
	show_detail(s, "address", "hba", "%s", info->hba);
	show_detail(s, "address", "iport", "%s", info->iport);
	show_detail(s, "address", "unit address", "%s", info->address);
	show_detail(s, "limits", "transfer bytes", "%u", info->xfer_max_bytes);
	show_detail(s, "limits", "cdb bytes", "%u", info->cdb_max);
	show_detail(s, "home", "loop", "%u", loop_index(loop_of(lu_home(unit))));
	show_unit_stats(s, unit);
	show_soft_disk(s, hbas_find(server->hbas, info->hba), info);
	show_iscsi_unit(s, hbas_find(server->hbas, info->hba), info);
}

/* ------ HBAs and ports ------ */

static void
show_port_stats(struct show *s, dev_info_t *dip)
{
	struct scsa_stats st;

	if (scsa_stats_get(dip, &st) < 0)
		return;
	show_counter(s, "busy", st.busy);
	show_counter(s, "refused", st.refused);
	show_counter(s, "double_completions", st.double_comp);
	show_counter(s, "direct_completions", st.direct_comp);
	show_counter(s, "bad_destroys", st.bad_destroy);
	show_counter(s, "no_packet", st.no_packet);
}

static void
show_hba(struct show *s, const struct hba *hba)
{
	char state[16];

	show_begin(s, hba->name, "hba");
	show_detail(s, "hba", "driver", "%s", hba->driver);
	show_detail(s, "hba", "state", "%s", hba_state_text(hba, state, sizeof(state)));
	show_detail(s, "hba", "detail", "%s", hba->detail);
	if (hba->pci[0] != '\0')
		show_detail(s, "hba", "pci", "%s", hba->pci);
	if (hba->soft != NULL && hba->state == HBA_READY)
		show_detail(s, "hba", "disks", "%zu", soft_hba_disks(hba->soft));
	if (rpc_hba_is_iscsi(hba))
		show_iscsi_targets(s, hba);
	if (hba->dip != NULL && hba->state == HBA_READY)
		show_port_stats(s, hba->dip);
}

/* what the software HBA knows of a port of its own */
static void
show_soft_port(struct show *s, const struct topo *t, const char *iport)
{
	const struct soft_port_info *port = t == NULL ? NULL : topo_port(t, iport);

	if (port == NULL)
		return;
	show_detail(s, "iport", "label", "%s", port->label);
	show_detail(s, "iport", "kind", "%s", port->kind);
	show_detail(s, "iport", "targets", "%zu", port->targets);
	if (port->remote == 0)
		return;
	show_detail(s, "sas", "remote", "%016llx", (unsigned long long)port->remote);
	for (size_t i = 0; i < t->n_phys; i++) {
		const struct soft_phy_info *phy = &t->phys[i];

		if (phy->is_up && phy->remote == port->remote)
			show_detail(s, "sas", "phy", "%u, local %016llx, iport %s", phy->phy,
			    (unsigned long long)phy->local,
			    phy->iport[0] == '\0' ? "none yet" : phy->iport);
	}
}

/* what a look at a port finds, on a worker: the driver may block for it */
struct port_look {
	struct hba *hba;
	dev_info_t *port;	/* a reference */
	struct topo *topo;	/* NULL: no software HBA */
	struct show show;
};

static void
port_look_free(void *more)
{
	struct port_look *look = more;

	devi_unref(look->port);
	free(look->topo);
	free(look);
}

static void
port_look_work(struct rpc_call *call)
{
	struct port_look *look = call->more;

	if (rpc_hba_is_soft(look->hba))
		look->topo = topo_take(look->hba->soft);
}

static void
port_look_reply(struct rpc_call *call)
{
	struct port_look *look = call->more;
	struct show *s = &look->show;
	const char *iport = strchr(call->name, '/') + 1;

	show_begin(s, call->name, "iport");
	show_detail(s, "iport", "hba", "%s", look->hba->name);
	show_detail(s, "iport", "name", "%s", iport);
	show_soft_port(s, look->topo, iport);
	show_port_stats(s, look->port);
	rpc_reply(call->req.conn, call->req.id, METHOD_SHOW, &s->reply.base, false);
}

/* takes the reference of the port */
static void
port_look_start(const struct rpc_in *in, struct hba *hba, dev_info_t *port, const char *path)
{
	struct rpc_call *call = rpc_call_new(in);
	struct port_look *look = call == NULL ? NULL : malloc(sizeof(*look));

	if (look == NULL) {
		devi_unref(port);
		if (call == NULL)
			return;
		rpc_refuse_errno(in->conn, rpc_in_id(in), METHOD_SHOW, -ENOMEM, NULL);
		rpc_call_free(call);
		return;
	}
	look->hba = hba;
	look->port = port;
	look->topo = NULL;
	(void)text_copy(call->name, sizeof(call->name), path);
	call->more = look;
	call->more_free = port_look_free;
	call->work_fn = port_look_work;
	call->reply_fn = port_look_reply;
	rpc_call_work(call);
}

/* "soft0/iport0"; false: there is no such port */
static bool
show_iport(const struct rpc_in *in, const char *path)
{
	size_t len = strcspn(path, "/");
	char name[sizeof(((struct hba *)0)->name)];
	struct hba *hba;
	dev_info_t *port;

	if (path[len] == '\0' || path[len + 1] == '\0' || len >= sizeof(name) ||
	    strlen(path) > PROTO_NAME_MAX)
		return false;
	memcpy(name, path, len);
	name[len] = '\0';
	hba = hbas_find(in->conn->server->hbas, name);
	port = hba == NULL ? NULL : hba_port(hba, path + len + 1);
	if (port == NULL)
		return false;
	port_look_start(in, hba, port, path);
	return true;
}

/* "soft0/iport0/smp@w5000c500a0000000" */
static bool
show_expander(struct show *s, struct rpc_server *server, const char *path)
{
	char candidates[2] = "";
	struct tree_node node;

	if (tree_find(server->tree, TREE_EXPANDER, path, &node, candidates,
	    sizeof(candidates)) < 0)
		return false;
	devi_unref(node.dip);
	show_begin(s, path, "expander");
	show_detail(s, "expander", "hba", "%s", node.hba);
	show_detail(s, "expander", "iport", "%s", node.iport);
	show_detail(s, "expander", "wwn", "%016llx", (unsigned long long)node.wwn);
	show_detail(s, "expander", "vendor", "%s", node.vendor);
	show_detail(s, "expander", "product", "%s", node.product);
	show_detail(s, "expander", "revision", "%s", node.revision);
	return true;
}

enum rpc_go
rpc_show(const struct rpc_in *in)
{
	const Scsad__ShowRequest *req = (const void *)in->msg;
	struct rpc_server *server = in->conn->server;
	const char *path = req->path == NULL ? "" : req->path;
	struct hba *hba = hbas_find(server->hbas, path);
	struct lu *unit = NULL;
	CLEANUP(free_ptr) struct show *s = NULL;

	if (hba == NULL && show_iport(in, path))
		return RPC_NEXT;
	s = malloc(sizeof(*s));
	if (s == NULL) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), METHOD_SHOW, -ENOMEM, NULL);
		return RPC_NEXT;
	}
	if (hba != NULL) {
		show_hba(s, hba);
	} else if (!show_expander(s, server, path)) {
		unit = rpc_unit_of(in, 0, path);
		if (unit == NULL)
			return RPC_NEXT;
		show_unit(s, server, unit);
	}
	rpc_reply(in->conn, rpc_in_id(in), METHOD_SHOW, &s->reply.base, false);
	lu_unref(unit);
	return RPC_NEXT;
}
