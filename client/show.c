#include <errno.h>
#include <string.h>

#include "client/pool.h"
#include "client/scsac_impl.h"

static int
counters_append(void *answer, const struct scsac_counter **counters, size_t *n,
    Scsad__Counter *const *msgs, size_t add)
{
	struct scsac_counter *grown = pool_append(answer, *counters, *n, add, sizeof(*grown));

	if (grown == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < add; i++) {
		grown[*n + i].name = pool_text(answer, msgs[i]->name);
		grown[*n + i].value = msgs[i]->value;
		if (grown[*n + i].name == NULL)
			return -ENOMEM;
	}
	*counters = grown;
	*n += add;
	return 0;
}

static int
details_append(struct scsac_show *show, Scsad__Detail *const *msgs, size_t add)
{
	struct scsac_detail *grown = pool_append(show, show->details, show->n_details, add,
	    sizeof(*grown));

	if (grown == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < add; i++) {
		struct scsac_detail *detail = &grown[show->n_details + i];

		detail->group = pool_text(show, msgs[i]->group);
		detail->key = pool_text(show, msgs[i]->key);
		detail->value = pool_text(show, msgs[i]->value);
		if (detail->group == NULL || detail->key == NULL || detail->value == NULL)
			return -ENOMEM;
	}
	show->details = grown;
	show->n_details += add;
	return 0;
}

static int
show_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__ShowReply *msg = (const void *)reply;
	struct scsac_show *show = call->arg;
	int r;

	if (msg->path != NULL || show->path == NULL) {
		show->path = pool_text(show, msg->path);
		show->kind = pool_text(show, msg->kind);
		if (show->path == NULL || show->kind == NULL)
			return -ENOMEM;
	}
	r = details_append(show, msg->details, msg->n_details);
	if (r < 0)
		return r;
	return counters_append(show, &show->counters, &show->n_counters, msg->counters,
	    msg->n_counters);
}

static void
show_freep(struct scsac_show **show)
{
	scsac_show_free(*show);
}

int
scsac_show(struct scsac *c, const char *path, struct scsac_show **ret)
{
	CLEANUP(show_freep) struct scsac_show *show = pool_new(sizeof(*show));
	Scsad__ShowRequest msg = SCSAD__SHOW_REQUEST__INIT;
	int r;

	if (show == NULL)
		return error_local(c, -ENOMEM, "", "out of memory");
	msg.path = (char *)(uintptr_t)path;
	r = call_run(c, METHOD_SHOW, &msg.base, show_take, show);
	if (r < 0)
		return r;
	*ret = STEAL(show);
	return 0;
}

void
scsac_show_free(struct scsac_show *show)
{
	pool_free(show);
}

static int
isns_take(struct scsac_status *status, const Scsad__Isns *msg)
{
	struct scsac_isns *isns = pool_alloc(status, sizeof(*isns));

	if (isns == NULL)
		return -ENOMEM;
	isns->is_registered = msg->registered;
	isns->since_ms = msg->since_ms;
	isns->targets = msg->targets;
	isns->portals = msg->portals;
	isns->period_s = msg->period_s;
	status->isns = isns;
	return pool_texts(status, (const struct pool_pair[]){
	    { &isns->server, msg->server }, { &isns->entity, msg->entity },
	    { &isns->state, msg->state }, { &isns->error, msg->error } }, 4);
}

static int
status_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__StatusReply *msg = (const void *)reply;
	struct scsac_status *status = call->arg;

	status->version = pool_text(status, msg->version);
	status->state = pool_text(status, msg->state);
	if (status->version == NULL || status->state == NULL)
		return -ENOMEM;
	if (msg->has_instance)
		memcpy(status->instance, msg->instance.data, SCSAC_INSTANCE_LEN);
	status->generation = msg->generation;
	status->uptime_ms = msg->uptime_ms;
	status->pid = msg->pid;
	status->role = (enum scsac_role)msg->role;
	status->loops = msg->loops;
	status->hbas = msg->hbas;
	status->units = msg->units;
	status->connections = msg->connections;
	status->packets_done = msg->packets_done;
	status->packets_active = msg->packets_active;
	status->faults = msg->faults;
	if (msg->isns != NULL && isns_take(status, msg->isns) < 0)
		return -ENOMEM;
	return counters_append(status, &status->counters, &status->n_counters, msg->counters,
	    msg->n_counters);
}

static void
status_freep(struct scsac_status **status)
{
	scsac_status_free(*status);
}

int
scsac_status(struct scsac *c, struct scsac_status **ret)
{
	CLEANUP(status_freep) struct scsac_status *status = pool_new(sizeof(*status));
	Scsad__StatusRequest msg = SCSAD__STATUS_REQUEST__INIT;
	int r;

	if (status == NULL)
		return error_local(c, -ENOMEM, "", "out of memory");
	r = call_run(c, METHOD_STATUS, &msg.base, status_take, status);
	if (r < 0)
		return r;
	*ret = STEAL(status);
	return 0;
}

void
scsac_status_free(struct scsac_status *status)
{
	pool_free(status);
}
