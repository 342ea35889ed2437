/* target ports: a small registry of constant, counted objects (lu/port.h) */
#include "lu/port.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/queue.h>

#include "base/fault.h"

struct port_node {
	struct lu_port port;		/* constant; what others hold points here */
	_Atomic unsigned int refs;
	bool is_listed;			/* ports_lock */
	TAILQ_ENTRY(port_node) entry;	/* ports_lock */
};

static pthread_mutex_t ports_lock = PTHREAD_MUTEX_INITIALIZER;
static TAILQ_HEAD(, port_node) ports = TAILQ_HEAD_INITIALIZER(ports);	/* rtpi rises */
static unsigned int n_ports;

static const struct lu_port local_port = {
	.rtpi = LU_PORT_LOCAL_RTPI,
	.group = LU_PORT_LOCAL_GROUP,
	.protocol = LU_PROTOCOL_ISCSI,
	.name = "iqn.2026-11.internal.scsad:local,t,0x0000",
	.device_name = "iqn.2026-11.internal.scsad:local",
};

const struct lu_port *
lu_port_local(void)
{
	return &local_port;
}

static struct port_node *
node_of(const struct lu_port *port)
{
	return container_of((struct lu_port *)(uintptr_t)port, struct port_node, port);
}

const struct lu_port *
lu_port_ref(const struct lu_port *port)
{
	if (port != &local_port)
		(void)atomic_fetch_add_explicit(&node_of(port)->refs, 1, memory_order_relaxed);
	return port;
}

void
lu_port_unref(const struct lu_port *port)
{
	if (port == NULL || port == &local_port ||
	    atomic_fetch_sub_explicit(&node_of(port)->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(node_of(port));
}

/* ------ the list ------ */

static bool
is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* the entry behind which @rtpi belongs, NULL for the front; 0 becomes the lowest that is free.
 * -EEXIST when it is taken. Lock held */
static int
place_find(uint16_t *rtpi, struct port_node **ret_before)
{
	struct port_node *node, *before = NULL;
	uint16_t want = *rtpi == 0 ? 1 : *rtpi;

	TAILQ_FOREACH(node, &ports, entry) {
		if (node->port.rtpi > want)
			break;
		if (node->port.rtpi == want) {
			if (*rtpi != 0)
				return -EEXIST;
			want++;
		}
		before = node;
	}
	*rtpi = want;
	*ret_before = before;
	return 0;
}

static int
node_insert(struct port_node *node)
{
	struct port_node *before;
	int r;

	if (n_ports == LU_PORTS_MAX)
		return -ENOSPC;
	r = place_find(&node->port.rtpi, &before);
	if (r < 0)
		return r;
	if (before == NULL)
		TAILQ_INSERT_HEAD(&ports, node, entry);
	else
		TAILQ_INSERT_AFTER(&ports, before, node, entry);
	node->is_listed = true;
	n_ports++;
	return 0;
}

int
lu_port_add(const struct lu_port *port, const struct lu_port **ret)
{
	CLEANUP(free_ptr) struct port_node *node = NULL;
	int r;

	if (port->rtpi == LU_PORT_LOCAL_RTPI || port->protocol > LU_PROTOCOL_NONE ||
	    !is_text(port->name, sizeof(port->name)) ||
	    !is_text(port->device_name, sizeof(port->device_name)))
		return -EINVAL;
	node = fault_hit() ? NULL : calloc(1, sizeof(*node));
	if (node == NULL)
		return -ENOMEM;
	node->port = *port;
	atomic_init(&node->refs, 2);	/* the list's and the caller's */
	(void)pthread_mutex_lock(&ports_lock);
	r = node_insert(node);
	(void)pthread_mutex_unlock(&ports_lock);
	if (r < 0)
		return r;
	*ret = &STEAL(node)->port;
	return 0;
}

void
lu_port_remove(const struct lu_port *port)
{
	struct port_node *node;
	bool was_listed;

	if (port == &local_port)
		return;
	node = node_of(port);
	(void)pthread_mutex_lock(&ports_lock);
	was_listed = node->is_listed;
	if (was_listed) {
		TAILQ_REMOVE(&ports, node, entry);
		node->is_listed = false;
		n_ports--;
	}
	(void)pthread_mutex_unlock(&ports_lock);
	if (was_listed)
		lu_port_unref(port);
}

/* ------ finding ------ */

/* a reference to the first listed port from @rtpi on, or NULL */
static const struct lu_port *
port_from(uint16_t rtpi)
{
	const struct lu_port *found = NULL;
	struct port_node *node;

	(void)pthread_mutex_lock(&ports_lock);
	TAILQ_FOREACH(node, &ports, entry) {
		if (node->port.rtpi < rtpi)
			continue;
		found = lu_port_ref(&node->port);
		break;
	}
	(void)pthread_mutex_unlock(&ports_lock);
	return found;
}

const struct lu_port *
lu_port_find(uint16_t rtpi)
{
	const struct lu_port *port;

	if (rtpi == LU_PORT_LOCAL_RTPI)
		return &local_port;
	port = port_from(rtpi);
	if (port != NULL && port->rtpi == rtpi)
		return port;
	lu_port_unref(port);
	return NULL;
}

const struct lu_port *
lu_port_next(uint16_t rtpi)
{
	const struct lu_port *port;

	if (rtpi == LU_PORT_LOCAL_RTPI)
		return NULL;
	port = port_from((uint16_t)(rtpi + 1));
	return port != NULL ? port : &local_port;
}
