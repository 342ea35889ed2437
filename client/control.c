#include <errno.h>

#include "client/pool.h"
#include "client/scsac_impl.h"

static int
caps_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__GetCapReply *msg = (const void *)reply;
	struct scsac_caps *answer = call->arg;
	struct scsac_cap *caps = pool_alloc(answer, msg->n_caps * sizeof(*caps));

	if (caps == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < msg->n_caps; i++) {
		caps[i].name = pool_text(answer, msg->caps[i]->name);
		caps[i].value = msg->caps[i]->value;
		caps[i].can_set = msg->caps[i]->can_set;
		if (caps[i].name == NULL)
			return -ENOMEM;
	}
	answer->caps = caps;
	answer->n_caps = msg->n_caps;
	return 0;
}

static void
caps_freep(struct scsac_caps **caps)
{
	scsac_caps_free(*caps);
}

int
scsac_getcap(struct scsac *c, uint64_t handle, const char *path, const char *name,
    struct scsac_caps **ret)
{
	CLEANUP(caps_freep) struct scsac_caps *caps = pool_new(sizeof(*caps));
	Scsad__GetCapRequest msg = SCSAD__GET_CAP_REQUEST__INIT;
	int r;

	if (caps == NULL)
		return error_local(c, -ENOMEM, "", "out of memory");
	msg.has_handle = handle != 0;
	msg.handle = handle;
	msg.path = (char *)(uintptr_t)path;
	msg.name = (char *)(uintptr_t)name;
	r = call_run(c, METHOD_GETCAP, &msg.base, caps_take, caps);
	if (r < 0)
		return r;
	*ret = STEAL(caps);
	return 0;
}

void
scsac_caps_free(struct scsac_caps *caps)
{
	pool_free(caps);
}

static int
setcap_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__SetCapReply *msg = (const void *)reply;

	*(int *)call->arg = msg->result;
	return 0;
}

int
scsac_setcap(struct scsac *c, uint64_t handle, const char *path, const char *name, int value,
    bool is_hba_wide, int *ret_result)
{
	Scsad__SetCapRequest msg = SCSAD__SET_CAP_REQUEST__INIT;

	msg.has_handle = handle != 0;
	msg.handle = handle;
	msg.path = (char *)(uintptr_t)path;
	msg.name = (char *)(uintptr_t)name;
	msg.has_value = 1;
	msg.value = value;
	msg.has_is_hba_wide = is_hba_wide;
	msg.is_hba_wide = is_hba_wide;
	return call_run(c, METHOD_SETCAP, &msg.base, setcap_take, ret_result);
}

static int
reset_take(struct call *call, const ProtobufCMessage *reply)
{
	*(Scsad__ResetReply *)call->arg = *(const Scsad__ResetReply *)(const void *)reply;
	return 0;
}

int
scsac_reset(struct scsac *c, uint64_t handle, const char *path, enum scsac_level level,
    bool *ret_is_done, unsigned *ret_returned)
{
	Scsad__ResetRequest msg = SCSAD__RESET_REQUEST__INIT;
	Scsad__ResetReply answer;
	int r;

	msg.has_level = 1;
	msg.level = (Scsad__ResetLevel)level;
	msg.has_handle = handle != 0;
	msg.handle = handle;
	msg.path = (char *)(uintptr_t)path;
	r = call_run(c, METHOD_RESET, &msg.base, reset_take, &answer);
	if (r < 0)
		return r;
	if (ret_is_done != NULL)
		*ret_is_done = answer.is_done;
	if (ret_returned != NULL)
		*ret_returned = answer.returned;
	return 0;
}

static int
abort_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__AbortReply *msg = (const void *)reply;
	struct scsac_aborted *ret = call->arg;

	if (ret == NULL)
		return 0;
	ret->aborted = msg->aborted;
	ret->finished = msg->finished;
	ret->failed = msg->failed;
	return 0;
}

int
scsac_abort_everyone(struct scsac *c, uint64_t handle, const char *path,
    struct scsac_aborted *ret)
{
	Scsad__AbortRequest msg = SCSAD__ABORT_REQUEST__INIT;

	msg.has_handle = handle != 0;
	msg.handle = handle;
	msg.path = (char *)(uintptr_t)path;
	msg.has_is_everyone = 1;
	msg.is_everyone = 1;
	return call_run(c, METHOD_ABORT, &msg.base, abort_take, ret);
}

int
scsac_abort(struct scsac *c, uint64_t handle, struct scsac_aborted *ret)
{
	Scsad__AbortRequest msg = SCSAD__ABORT_REQUEST__INIT;

	msg.has_handle = 1;
	msg.handle = handle;
	return call_run(c, METHOD_ABORT, &msg.base, abort_take, ret);
}
