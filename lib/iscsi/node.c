#include <errno.h>

#include "iscsi/iscsi_impl.h"

#define WINDOW_DEFAULT		128
#define NOP_TIMEOUT_DEFAULT_MS	30000

static int
config_settle(const struct iscsi_node_config *config, struct iscsi_node_config *ret)
{
	if (config->window > ISCSI_WINDOW_MAX)
		return -EINVAL;
	*ret = *config;
	if (ret->window == 0)
		ret->window = WINDOW_DEFAULT;
	if (ret->nop_timeout_ms == 0)
		ret->nop_timeout_ms = NOP_TIMEOUT_DEFAULT_MS;
	return 0;
}

int
iscsi_node_new(struct iscsi_loop *loop, const struct iscsi_node_config *config, void *host,
    struct iscsi_node **ret_node)
{
	CLEANUP(free_ptr) struct iscsi_node *node = NULL;
	int r;

	node = fault_hit() ? NULL : calloc(1, sizeof(*node));
	if (node == NULL)
		return -ENOMEM;
	r = config_settle(config, &node->config);
	if (r < 0)
		return r;
	node->name = fault_hit() ? NULL : strdup(config->name);
	if (node->name == NULL)
		return -ENOMEM;
	node->config.name = node->name;
	node->loop = loop;
	node->host = host;
	LIST_INSERT_HEAD(&loop->nodes, node, entry);
	*ret_node = STEAL(node);
	return 0;
}

int
iscsi_node_set(struct iscsi_node *node, const struct iscsi_node_config *config)
{
	struct iscsi_node_config settled;
	int r = config_settle(config, &settled);

	if (r < 0)
		return r;
	settled.name = node->name;
	node->config = settled;
	return 0;
}

/* those that have found it and not logged in yet: their next request is told that it is gone */
static void
logins_forget(struct iscsi_node *node)
{
	struct iscsi_conn *conn;

	LIST_FOREACH(conn, &node->loop->conns, entry) {
		if (conn->node != node || conn->is_moving)
			continue;
		conn->has_lost_node = true;
		conn->node = NULL;
	}
}

void
iscsi_node_end(struct iscsi_node *node, enum iscsi_end why)
{
	struct iscsi_session *session;

	node->is_ended = true;
	logins_forget(node);
	while ((session = LIST_FIRST(&node->sessions)) != NULL)
		iscsi_session_end(session, why);
}

bool
iscsi_node_is_idle(const struct iscsi_node *node)
{
	return node->n_refs == 0;
}

void
iscsi_node_free(struct iscsi_node *node)
{
	if (node == NULL)
		return;
	assert(iscsi_node_is_idle(node));
	LIST_REMOVE(node, entry);
	free(node->name);
	free(node);
}

void *
iscsi_node_host(const struct iscsi_node *node)
{
	return node->host;
}

const char *
iscsi_node_name(const struct iscsi_node *node)
{
	return node->name;
}

struct iscsi_loop *
iscsi_node_loop(const struct iscsi_node *node)
{
	return node->loop;
}

struct iscsi_session *
iscsi_session_next(const struct iscsi_node *node, const struct iscsi_session *session)
{
	return session == NULL ? LIST_FIRST(&node->sessions) : LIST_NEXT(session, entry);
}
