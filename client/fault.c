#include <errno.h>

#include "client/pool.h"
#include "client/scsac_impl.h"

static int
fault_add_take(struct call *call, const ProtobufCMessage *reply)
{
	*(uint32_t *)call->arg = ((const Scsad__FaultAddReply *)(const void *)reply)->id;
	return 0;
}

int
scsac_fault_add(struct scsac *c, const char *path, const char *text, uint32_t *ret_id)
{
	Scsad__FaultAddRequest msg = SCSAD__FAULT_ADD_REQUEST__INIT;

	msg.path = (char *)(uintptr_t)path;
	msg.text = (char *)(uintptr_t)text;
	return call_run(c, METHOD_FAULT_ADD, &msg.base, fault_add_take, ret_id);
}

static int
fault_list_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__FaultListReply *msg = (const void *)reply;
	struct scsac_faults *answer = call->arg;
	struct scsac_fault *rules = pool_append(answer, answer->rules, answer->n_rules,
	    msg->n_rules, sizeof(*rules));

	if (rules == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < msg->n_rules; i++) {
		struct scsac_fault *rule = &rules[answer->n_rules + i];

		rule->id = msg->rules[i]->id;
		rule->hits = msg->rules[i]->hits;
		rule->hba = pool_text(answer, msg->rules[i]->hba);
		rule->text = pool_text(answer, msg->rules[i]->text);
		if (rule->hba == NULL || rule->text == NULL)
			return -ENOMEM;
	}
	answer->rules = rules;
	answer->n_rules += msg->n_rules;
	return 0;
}

static void
faults_freep(struct scsac_faults **faults)
{
	scsac_faults_free(*faults);
}

int
scsac_fault_list(struct scsac *c, const char *path, struct scsac_faults **ret)
{
	CLEANUP(faults_freep) struct scsac_faults *faults = pool_new(sizeof(*faults));
	Scsad__FaultListRequest msg = SCSAD__FAULT_LIST_REQUEST__INIT;
	int r;

	if (faults == NULL)
		return error_local(c, -ENOMEM, "", "out of memory");
	msg.path = (char *)(uintptr_t)path;
	r = call_run(c, METHOD_FAULT_LIST, &msg.base, fault_list_take, faults);
	if (r < 0)
		return r;
	*ret = STEAL(faults);
	return 0;
}

void
scsac_faults_free(struct scsac_faults *faults)
{
	pool_free(faults);
}

static int
fault_clear_take(struct call *call, const ProtobufCMessage *reply)
{
	*(unsigned *)call->arg = ((const Scsad__FaultClearReply *)(const void *)reply)->cleared;
	return 0;
}

int
scsac_fault_clear(struct scsac *c, const char *path, uint32_t id, unsigned *ret_cleared)
{
	Scsad__FaultClearRequest msg = SCSAD__FAULT_CLEAR_REQUEST__INIT;
	unsigned cleared = 0;
	int r;

	msg.path = (char *)(uintptr_t)path;
	msg.has_id = 1;
	msg.id = id;
	r = call_run(c, METHOD_FAULT_CLEAR, &msg.base, fault_clear_take, &cleared);
	if (r == 0 && ret_cleared != NULL)
		*ret_cleared = cleared;
	return r;
}
