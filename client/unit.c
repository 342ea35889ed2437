#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "client/pool.h"
#include "client/scsac_impl.h"

static int
unit_aliases(struct scsac_list *list, struct scsac_unit *unit, const Scsad__Unit *msg)
{
	const char **aliases = pool_alloc(list, (msg->n_aliases + 1) * sizeof(*aliases));

	if (aliases == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < msg->n_aliases; i++) {
		aliases[i] = pool_text(list, msg->aliases[i]);
		if (aliases[i] == NULL)
			return -ENOMEM;
	}
	unit->aliases = aliases;
	unit->n_aliases = msg->n_aliases;
	return 0;
}

static int
unit_copy(struct scsac_list *list, struct scsac_unit *unit, const Scsad__Unit *msg)
{
	static const Scsad__Identity no_identity = SCSAD__IDENTITY__INIT;
	static const Scsad__Address no_address = SCSAD__ADDRESS__INIT;
	static const Scsad__Store no_store = SCSAD__STORE__INIT;
	const Scsad__Identity *identity = msg->identity != NULL ? msg->identity : &no_identity;
	const Scsad__Address *address = msg->address != NULL ? msg->address : &no_address;
	const Scsad__Store *store = msg->store != NULL ? msg->store : &no_store;
	const struct pool_pair pairs[] = {
		{ &unit->path, msg->path },
		{ &unit->state, msg->state },
		{ &unit->vendor, identity->vendor },
		{ &unit->product, identity->product },
		{ &unit->revision, identity->revision },
		{ &unit->serial, identity->serial },
		{ &unit->hba, address->hba },
		{ &unit->iport, address->iport },
		{ &unit->target, address->target },
		{ &unit->store_kind, store->kind },
		{ &unit->store_detail, store->detail },
	};

	unit->device_type = identity->device_type;
	unit->lun = address->lun;
	unit->is_readonly = store->readonly;
	unit->blocks = msg->blocks;
	unit->block_bytes = msg->block_bytes;
	unit->transfer_max = msg->transfer_bytes_max;
	if (pool_texts(list, pairs, ARRAY_LEN(pairs)) < 0)
		return -ENOMEM;
	return unit_aliases(list, unit, msg);
}

static int
list_add_units(struct scsac_list *list, Scsad__Unit *const *msgs, size_t n)
{
	struct scsac_unit *units = pool_append(list, list->units, list->n_units, n,
	    sizeof(*units));

	if (units == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (unit_copy(list, &units[list->n_units + i], msgs[i]) < 0)
			return -ENOMEM;
	}
	list->units = units;
	list->n_units += n;
	return 0;
}

static int
list_add_hbas(struct scsac_list *list, Scsad__Hba *const *msgs, size_t n)
{
	struct scsac_hba *hbas = pool_append(list, list->hbas, list->n_hbas, n, sizeof(*hbas));

	if (hbas == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct scsac_hba *hba = &hbas[list->n_hbas + i];
		const struct pool_pair pairs[] = {
			{ &hba->name, msgs[i]->name },
			{ &hba->driver, msgs[i]->driver },
			{ &hba->state, msgs[i]->state },
			{ &hba->detail, msgs[i]->detail },
			{ &hba->pci, msgs[i]->pci },
		};

		hba->units = msgs[i]->units;
		if (pool_texts(list, pairs, ARRAY_LEN(pairs)) < 0)
			return -ENOMEM;
	}
	list->hbas = hbas;
	list->n_hbas += n;
	return 0;
}

static int
list_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__ListReply *msg = (const void *)reply;
	int r;

	r = list_add_units(call->arg, msg->units, msg->n_units);
	if (r == 0)
		r = list_add_hbas(call->arg, msg->hbas, msg->n_hbas);
	return r < 0 ? r : list_add_tree(call->arg, msg);
}

static void
list_freep(struct scsac_list **list)
{
	scsac_list_free(*list);
}

int
scsac_list(struct scsac *c, struct scsac_list **ret)
{
	CLEANUP(list_freep) struct scsac_list *list = pool_new(sizeof(*list));
	Scsad__ListRequest msg = SCSAD__LIST_REQUEST__INIT;
	int r;

	if (list == NULL)
		return error_local(c, -ENOMEM, "", "out of memory");
	r = call_run(c, METHOD_LIST, &msg.base, list_take, list);
	if (r < 0)
		return r;
	*ret = STEAL(list);
	return 0;
}

void
scsac_list_free(struct scsac_list *list)
{
	pool_free(list);
}

struct open_answer {
	uint64_t handle;
	struct scsac_list *list;	/* NULL: not wanted */
};

static int
open_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__OpenReply *msg = (const void *)reply;
	struct open_answer *answer = call->arg;

	if (msg->handle == 0)
		return -EBADMSG;
	answer->handle = msg->handle;
	if (answer->list == NULL)
		return 0;
	if (msg->unit == NULL)
		return -EBADMSG;
	return list_add_units(answer->list, &msg->unit, 1);
}

int
scsac_open(struct scsac *c, const char *name, uint64_t *ret_handle,
    struct scsac_list **ret_unit)
{
	CLEANUP(list_freep) struct scsac_list *list = NULL;
	Scsad__OpenRequest msg = SCSAD__OPEN_REQUEST__INIT;
	struct open_answer answer = { 0 };
	int r;

	if (ret_unit != NULL) {
		list = pool_new(sizeof(*list));
		if (list == NULL)
			return error_local(c, -ENOMEM, "", "out of memory");
	}
	answer.list = list;
	msg.name = (char *)(uintptr_t)name;
	r = call_run(c, METHOD_OPEN, &msg.base, open_take, &answer);
	if (r < 0)
		return r;
	*ret_handle = answer.handle;
	if (ret_unit != NULL)
		*ret_unit = STEAL(list);
	return 0;
}

int
scsac_close(struct scsac *c, uint64_t handle)
{
	Scsad__CloseRequest msg = SCSAD__CLOSE_REQUEST__INIT;

	msg.has_handle = 1;
	msg.handle = handle;
	return call_run(c, METHOD_CLOSE, &msg.base, NULL, NULL);
}

static int
probe_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__ProbeReply *msg = (const void *)reply;
	struct scsac_probe *ret = call->arg;

	memset(ret, 0, sizeof(*ret));
	ret->result = msg->result;
	if (msg->has_inquiry) {
		ret->inquiry_len = msg->inquiry.len;
		memcpy(ret->inquiry, msg->inquiry.data, msg->inquiry.len);
	}
	if (msg->path != NULL)
		(void)text_copy(ret->path, sizeof(ret->path), msg->path);
	return 0;
}

int
scsac_probe(struct scsac *c, const char *path, const char *target, uint64_t lun,
    struct scsac_probe *ret)
{
	Scsad__ProbeRequest msg = SCSAD__PROBE_REQUEST__INIT;
	struct scsac_probe answer;
	int r;

	msg.path = (char *)(uintptr_t)path;
	msg.target = (char *)(uintptr_t)target;
	msg.has_lun = target != NULL;
	msg.lun = lun;
	r = call_run(c, METHOD_PROBE, &msg.base, probe_take, &answer);
	if (r == 0)
		*ret = answer;
	return r;
}
