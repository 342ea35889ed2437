#include "daemon/rpc_impl.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"

#define LIST_BATCH	16	/* units of one reply, at most */

static char *
text_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* target part of a unit address */
static void
target_of(const struct lu_info *info, char *dst, size_t size)
{
	(void)text_copy(dst, size, info->address);
	dst[strcspn(dst, ",")] = '\0';
}

static void
store_fill(struct rpc_unit_msg *m, struct rpc_server *server, const struct lu_info *info)
{
	struct hba *hba = hbas_find(server->hbas, info->hba);
	struct soft_disk_info disk;

	m->store.has_readonly = 1;
	m->store.readonly = info->is_readonly;
	m->store.kind = text_of("");
	if (hba == NULL || !rpc_hba_is_soft(hba) ||
	    soft_disk_info_at(hba->soft, info->iport, info->address, &disk) < 0)
		return;
	m->store.kind = text_of(soft_store_kind_name(disk.kind));
	m->store.detail = text_escape(disk.path, strlen(disk.path), m->detail,
	    sizeof(m->detail));
}

void
rpc_unit_fill(struct rpc_unit_msg *m, struct rpc_server *server, const struct lu *unit)
{
	const struct lu_info *info = lu_info(unit);

	scsad__unit__init(&m->unit);
	scsad__identity__init(&m->identity);
	scsad__address__init(&m->address);
	scsad__store__init(&m->store);
	m->unit.identity = &m->identity;
	m->unit.address = &m->address;
	m->unit.store = &m->store;

	m->unit.path = text_of(info->path);
	m->unit.has_blocks = m->unit.has_block_bytes = m->unit.has_transfer_bytes_max = 1;
	m->unit.blocks = info->blocks;
	m->unit.block_bytes = info->block_bytes;
	m->unit.transfer_bytes_max = info->xfer_max_bytes;
	m->unit.state = text_of(lu_is_active(unit) ? "active" : "gone");
	if (info->serial[0] != '\0') {
		m->aliases[0] = text_of(info->serial);
		m->unit.aliases = m->aliases;
		m->unit.n_aliases = 1;
	}
	m->identity.vendor = text_of(info->vendor);
	m->identity.product = text_of(info->product);
	m->identity.revision = text_of(info->revision);
	m->identity.serial = text_of(info->serial);
	m->identity.has_device_type = 1;
	m->identity.device_type = info->type;
	target_of(info, m->target, sizeof(m->target));
	m->address.hba = text_of(info->hba);
	m->address.iport = text_of(info->iport);
	m->address.target = m->target;
	m->address.has_lun = 1;
	m->address.lun = info->lun;
	store_fill(m, server, info);
}

/* ------ list ------ */

/* a reply in the making */
struct list {
	const struct rpc_in *in;
	struct lu *units[LIST_BATCH];
	struct rpc_unit_msg msgs[LIST_BATCH];
	Scsad__Unit *items[LIST_BATCH];
	size_t n;
	size_t bytes;		/* packed, about */
	uint32_t units_of[CONFIG_HBAS_MAX];	/* by HBA, so far */
};

static void
list_send(struct list *list)
{
	Scsad__ListReply reply = SCSAD__LIST_REPLY__INIT;

	reply.units = list->items;
	reply.n_units = list->n;
	if (list->n > 0)
		rpc_reply(list->in->conn, rpc_in_id(list->in), METHOD_LIST, &reply.base, true);
	for (size_t i = 0; i < list->n; i++)
		lu_unref(list->units[i]);
	list->n = 0;
	list->bytes = 0;
}

static void
list_count(struct list *list, const char *name)
{
	struct hbas *hbas = list->in->conn->server->hbas;

	for (size_t i = 0; i < hbas_count(hbas); i++)
		list->units_of[i] += strcmp(hbas_get(hbas, i)->name, name) == 0;
}

/* takes the reference */
static void
list_add(struct list *list, struct lu *unit)
{
	struct rpc_unit_msg *m;

	if (list->n == LIST_BATCH)
		list_send(list);
	list_count(list, lu_info(unit)->hba);
	m = &list->msgs[list->n];
	rpc_unit_fill(m, list->in->conn->server, unit);
	list->units[list->n] = unit;
	list->items[list->n++] = &m->unit;
	list->bytes += protobuf_c_message_get_packed_size(&m->unit.base);
	/* one more than fits is still far from PROTO_MESSAGE_MAX */
	if (list->bytes >= PROTO_LIST_CHUNK)
		list_send(list);
}

enum rpc_go
rpc_list(const struct rpc_in *in)
{
	CLEANUP(free_ptr) struct list *list = fault_hit() ? NULL : calloc(1, sizeof(*list));
	struct lu *unit;
	uint64_t id = 0;

	if (list == NULL) {
		rpc_refuse_errno(in->conn, rpc_in_id(in), METHOD_LIST, -ENOMEM, NULL);
		return RPC_NEXT;
	}
	list->in = in;
	while (!in->conn->is_closed && (unit = lu_next(id)) != NULL) {
		id = lu_id(unit);
		list_add(list, unit);
	}
	list_send(list);
	if (!in->conn->is_closed)
		rpc_list_tree(in, list->units_of);
	return RPC_NEXT;
}
