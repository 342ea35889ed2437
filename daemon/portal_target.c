#include "daemon/portal_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"

void
portal_node_config(const struct ex_target *target, struct iscsi_node_config *ret)
{
	*ret = (struct iscsi_node_config){
		.name = target->o.name,
		.window = (uint16_t)target->window,
		.sessions_max = (uint16_t)target->sessions_max,
		.wait_max_s = target->wait_max_s,
		.nop_interval_ms = target->nop_interval_s * 1000,
		.nop_timeout_ms = target->nop_timeout_s * 1000,
	};
}

/* ------ coming ------ */

struct target_call {
	struct portal_target *target;
	const struct ex_target *conf;
	int result;
};

/* on its loop */
static void
target_begin(void *arg)
{
	struct target_call *call = arg;
	struct portal_target *t = call->target;
	struct iscsi_node_config config;

	portal_node_config(call->conf, &config);
	call->result = iscsi_node_new(t->loop->iscsi, &config, t, &t->node);
	if (call->result < 0)
		return;
	t->loop->n_targets++;
	portal_loop_check(t->loop);
}

static int
target_publish(struct portal_server *server, struct portal_target *t)
{
	(void)pthread_mutex_lock(&server->lock);
	HASH_ADD_STR(server->targets, name, t);
	(void)pthread_mutex_unlock(&server->lock);
	return t->hh.tbl == NULL ? -ENOMEM : 0;
}

int
portal_target_up(void *ctx, const struct ex_target *target, void **ret_handle, char *reterr)
{
	struct portal_server *server = ctx;
	struct portal_target *t = fault_hit() ? NULL : calloc(1, sizeof(*t));
	struct target_call call = { t, target, -ENOMEM };
	unsigned int i = atomic_fetch_add(&server->next_loop, 1);

	if (t != NULL) {
		t->server = server;
		t->loop = &server->loop[i % loops_count(server->loops)];
		(void)text_copy(t->name, sizeof(t->name), target->o.name);
		loop_call(t->loop->loop, target_begin, &call);
		if (call.result == 0)
			call.result = target_publish(server, t);
		if (call.result == 0) {
			*ret_handle = t;
			return 0;
		}
		if (t->node != NULL)
			portal_target_down(ctx, t);
		else
			free(t);
	}
	(void)snprintf(reterr, EX_ERR_LEN, "target %s: %s", target->o.name,
	    strerror(-call.result));
	return call.result;
}

/* ------ going ------ */

static void
target_end(void *arg)
{
	struct portal_target *t = arg;

	t->is_ending = true;
	iscsi_node_end(t->node, ISCSI_END_ADMIN);
	portal_target_check(t);
}

static void
target_free(void *arg)
{
	struct portal_target *t = arg;
	struct portal_seen *seen, *next;

	iscsi_node_free(t->node);
	t->loop->n_targets--;
	portal_loop_check(t->loop);
	HASH_ITER(hh, t->seen, seen, next) {
		HASH_DEL(t->seen, seen);
		free(seen);
	}
}

void
portal_target_check(struct portal_target *t)
{
	struct portal_server *server = t->server;

	if (!t->is_ending || t->n_sessions > 0 || !iscsi_node_is_idle(t->node))
		return;
	(void)pthread_mutex_lock(&server->lock);
	t->is_idle = true;
	(void)pthread_cond_broadcast(&server->cond);
	(void)pthread_mutex_unlock(&server->lock);
}

void
portal_target_down(void *ctx, void *handle)
{
	struct portal_server *server = ctx;
	struct portal_target *t = handle;

	(void)pthread_mutex_lock(&server->lock);
	t->is_down = true;
	if (t->hh.tbl != NULL)
		HASH_DEL(server->targets, t);
	/* logins that know it arrive first: none is on its way when it ends */
	while (t->pins > 0)
		(void)pthread_cond_wait(&server->cond, &server->lock);
	(void)pthread_mutex_unlock(&server->lock);

	loop_call(t->loop->loop, target_end, t);
	(void)pthread_mutex_lock(&server->lock);
	while (!t->is_idle)
		(void)pthread_cond_wait(&server->cond, &server->lock);
	(void)pthread_mutex_unlock(&server->lock);
	loop_call(t->loop->loop, target_free, t);
	free(t);
}

/* ------ logins on their way ------ */

struct portal_target *
portal_target_pin(struct portal_server *server, const char *name)
{
	struct portal_target *t;

	(void)pthread_mutex_lock(&server->lock);
	HASH_FIND_STR(server->targets, name, t);
	if (t != NULL && !t->is_down)
		t->pins++;
	else
		t = NULL;
	(void)pthread_mutex_unlock(&server->lock);
	return t;
}

void
portal_target_unpin(struct portal_target *t)
{
	struct portal_server *server = t->server;

	(void)pthread_mutex_lock(&server->lock);
	t->pins--;
	(void)pthread_cond_broadcast(&server->cond);
	(void)pthread_mutex_unlock(&server->lock);
}
