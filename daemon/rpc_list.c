#include "daemon/rpc_impl.h"

#include <string.h>

#include "base/text.h"

#define LIST_BATCH	16	/* units of one reply: well below PROTO_LIST_CHUNK bytes */

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
	size_t index;

	m->store.has_readonly = 1;
	m->store.readonly = info->is_readonly;
	m->store.kind = text_of("");
	if (hba == NULL || hba->soft == NULL || hba->state != HBA_READY ||
	    soft_disk_index(hba->soft, info->target, (int32_t)info->lun, &index) < 0 ||
	    soft_disk_info_get(hba->soft, index, &disk) < 0)
		return;
	m->store.kind = text_of(soft_store_kind_name(disk.kind));
	m->store.detail = text_of(disk.path);
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

/* up to LIST_BATCH units behind id *@id; how many */
static size_t
units_take(uint64_t *id, struct lu *units[LIST_BATCH])
{
	size_t n = 0;

	while (n < LIST_BATCH && (units[n] = lu_next(*id)) != NULL)
		*id = lu_id(units[n++]);
	return n;
}

static uint32_t
units_of(const char *hba)
{
	struct lu *unit;
	uint64_t id = 0;
	uint32_t n = 0;

	while ((unit = lu_next(id)) != NULL) {
		n += strcmp(lu_info(unit)->hba, hba) == 0;
		id = lu_id(unit);
		lu_unref(unit);
	}
	return n;
}

/* the last reply: the HBAs */
static void
list_hbas(const struct rpc_in *in)
{
	struct hbas *hbas = in->conn->server->hbas;
	Scsad__ListReply reply = SCSAD__LIST_REPLY__INIT;
	Scsad__Hba msgs[CONFIG_HBAS_MAX];
	Scsad__Hba *list[CONFIG_HBAS_MAX];

	reply.hbas = list;
	reply.n_hbas = hbas_count(hbas);
	for (size_t i = 0; i < reply.n_hbas; i++) {
		const struct hba *hba = hbas_get(hbas, i);

		scsad__hba__init(&msgs[i]);
		list[i] = &msgs[i];
		msgs[i].name = text_of(hba->name);
		msgs[i].driver = hba->driver;
		msgs[i].state = text_of(hba_state_name(hba->state));
		msgs[i].detail = text_of(hba->detail);
		msgs[i].has_units = 1;
		msgs[i].units = units_of(hba->name);
	}
	rpc_reply(in->conn, rpc_in_id(in), METHOD_LIST, &reply.base, false);
}

enum rpc_go
rpc_list(const struct rpc_in *in)
{
	struct lu *units[LIST_BATCH];
	struct rpc_unit_msg msgs[LIST_BATCH];
	Scsad__Unit *list[LIST_BATCH];
	uint64_t id = 0;
	size_t n;

	while (!in->conn->is_closed && (n = units_take(&id, units)) > 0) {
		Scsad__ListReply reply = SCSAD__LIST_REPLY__INIT;

		for (size_t i = 0; i < n; i++) {
			rpc_unit_fill(&msgs[i], in->conn->server, units[i]);
			list[i] = &msgs[i].unit;
		}
		reply.units = list;
		reply.n_units = n;
		rpc_reply(in->conn, rpc_in_id(in), METHOD_LIST, &reply.base, true);
		for (size_t i = 0; i < n; i++)
			lu_unref(units[i]);
	}
	if (!in->conn->is_closed)
		list_hbas(in);
	return RPC_NEXT;
}
