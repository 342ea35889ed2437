#include <errno.h>
#include <string.h>

#include "client/pool.h"
#include "client/scsac_impl.h"

static int
change_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__ChangeReply *msg = (const void *)reply;
	struct scsac_change *change = call->arg;
	const struct pool_pair pairs[] = {
		{ &change->hba, msg->hba },
		{ &change->address, msg->address },
	};
	const char **iports = pool_alloc(change, msg->n_iports * sizeof(*iports));

	if (iports == NULL || pool_texts(change, pairs, ARRAY_LEN(pairs)) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < msg->n_iports; i++) {
		iports[i] = pool_text(change, msg->iports[i]);
		if (iports[i] == NULL)
			return -ENOMEM;
	}
	change->iports = iports;
	change->n_iports = msg->n_iports;
	change->units = msg->units;
	return 0;
}

static void
change_freep(struct scsac_change **change)
{
	scsac_change_free(*change);
}

static int
change_run(struct scsac *c, uint16_t method, const ProtobufCMessage *msg,
    struct scsac_change **ret)
{
	CLEANUP(change_freep) struct scsac_change *change = pool_new(sizeof(*change));
	int r;

	if (change == NULL)
		return error_local(c, -ENOMEM, "", "out of memory");
	r = call_run(c, method, msg, change_take, change);
	if (r < 0)
		return r;
	if (ret != NULL)
		*ret = STEAL(change);
	return 0;
}

static int
add_run(struct scsac *c, uint16_t method, const char *path, const char *line,
    struct scsac_change **ret)
{
	Scsad__AddRequest msg = SCSAD__ADD_REQUEST__INIT;

	msg.path = (char *)(uintptr_t)path;
	msg.text = (char *)(uintptr_t)line;
	return change_run(c, method, &msg.base, ret);
}

static int
remove_run(struct scsac *c, uint16_t method, const char *path, const char *address,
    struct scsac_change **ret)
{
	Scsad__RemoveRequest msg = SCSAD__REMOVE_REQUEST__INIT;

	msg.path = (char *)(uintptr_t)path;
	msg.address = (char *)(uintptr_t)address;
	return change_run(c, method, &msg.base, ret);
}

int
scsac_target_add(struct scsac *c, const char *path, const char *line, struct scsac_change **ret)
{
	return add_run(c, METHOD_TARGET_ADD, path, line, ret);
}

int
scsac_target_remove(struct scsac *c, const char *path, const char *address,
    struct scsac_change **ret)
{
	return remove_run(c, METHOD_TARGET_REMOVE, path, address, ret);
}

int
scsac_lun_add(struct scsac *c, const char *path, const char *line, struct scsac_change **ret)
{
	return add_run(c, METHOD_LUN_ADD, path, line, ret);
}

int
scsac_lun_remove(struct scsac *c, const char *path, const char *address,
    struct scsac_change **ret)
{
	return remove_run(c, METHOD_LUN_REMOVE, path, address, ret);
}

int
scsac_expander_add(struct scsac *c, const char *path, const char *line,
    struct scsac_change **ret)
{
	return add_run(c, METHOD_EXPANDER_ADD, path, line, ret);
}

int
scsac_phy_up(struct scsac *c, const char *path, unsigned phy, uint64_t local, uint64_t remote,
    struct scsac_change **ret)
{
	Scsad__PhyUpRequest msg = SCSAD__PHY_UP_REQUEST__INIT;

	msg.path = (char *)(uintptr_t)path;
	msg.has_phy = msg.has_remote = 1;
	msg.phy = phy;
	msg.has_local = local != 0;
	msg.local = local;
	msg.remote = remote;
	return change_run(c, METHOD_PHY_UP, &msg.base, ret);
}

int
scsac_phy_down(struct scsac *c, const char *path, unsigned phy, struct scsac_change **ret)
{
	Scsad__PhyDownRequest msg = SCSAD__PHY_DOWN_REQUEST__INIT;

	msg.path = (char *)(uintptr_t)path;
	msg.has_phy = 1;
	msg.phy = phy;
	return change_run(c, METHOD_PHY_DOWN, &msg.base, ret);
}

int
scsac_resize(struct scsac *c, const char *path, const char *address, uint64_t bytes,
    struct scsac_change **ret)
{
	Scsad__ResizeRequest msg = SCSAD__RESIZE_REQUEST__INIT;

	msg.path = (char *)(uintptr_t)path;
	msg.address = (char *)(uintptr_t)address;
	msg.has_bytes = 1;
	msg.bytes = bytes;
	return change_run(c, METHOD_RESIZE, &msg.base, ret);
}

static int
rescan_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__RescanReply *msg = (const void *)reply;
	unsigned *units = call->arg;

	*units = msg->units;
	return 0;
}

int
scsac_rescan(struct scsac *c, const char *path, unsigned *ret_units)
{
	Scsad__RescanRequest msg = SCSAD__RESCAN_REQUEST__INIT;
	unsigned units = 0;
	int r;

	msg.path = (char *)(uintptr_t)path;
	r = call_run(c, METHOD_RESCAN, &msg.base, rescan_take, &units);
	if (r == 0 && ret_units != NULL)
		*ret_units = units;
	return r;
}

void
scsac_change_free(struct scsac_change *change)
{
	pool_free(change);
}

static int
smp_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__SmpReply *msg = (const void *)reply;
	struct scsac_smp *smp = call->arg;

	if (!msg->has_response || msg->response.len > smp->response_size)
		return -EBADMSG;
	memcpy(smp->response, msg->response.data, msg->response.len);
	smp->response_len = msg->response.len;
	return 0;
}

int
scsac_smp(struct scsac *c, const char *path, struct scsac_smp *smp)
{
	Scsad__SmpRequest msg = SCSAD__SMP_REQUEST__INIT;

	if (smp->response_size < SCSAC_SMP_MIN || smp->response_size > SCSAC_SMP_MAX)
		return error_local(c, -EINVAL, "", "room for the answer must be %d to %d bytes",
		    SCSAC_SMP_MIN, SCSAC_SMP_MAX);
	msg.path = (char *)(uintptr_t)path;
	msg.has_request = msg.has_response_max = 1;
	msg.request.data = (uint8_t *)(uintptr_t)smp->request;
	msg.request.len = smp->request_len;
	msg.response_max = (uint32_t)smp->response_size;
	msg.has_timeout_s = smp->timeout_s != 0;
	msg.timeout_s = smp->timeout_s;
	return call_run(c, METHOD_SMP, &msg.base, smp_take, smp);
}
