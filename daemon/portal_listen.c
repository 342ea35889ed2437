#include "daemon/portal_impl.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "daemon/activation.h"

#define BACKLOG		512
#define ACCEPTS		64	/* of one listener in one turn */
#define PAUSE_MS	500	/* out of descriptors: then it tries again */

struct portal_listener {
	TAILQ_ENTRY(portal_listener) entry;	/* of server->waiting, */
	bool is_waiting;			/* while it is there; server->lock */
	struct portal_loop *loop;
	struct event *event, *resume;
	int fd;
	uint16_t group;
	uint64_t n_refused, n_pauses;
	char name[EX_ADDR_LEN];
};

/* ------ accepting: the listener's loop ------ */

/* 0, or -errno of an accept() that says "not now" */
static int
accept_one(struct portal_listener *l)
{
	struct sockaddr_storage peer = { 0 };
	socklen_t len = sizeof(peer);
	int fd = accept4(l->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return errno == ECONNABORTED || errno == EINTR ? 0 : -errno;
	if (!portal_conn_admit(l->loop->server, &peer)) {
		if (l->n_refused++ % 1000 == 0)
			log_warning("portal %s: too many connections, new ones are closed; so far "
			    "%llu", l->name, (unsigned long long)l->n_refused);
		(void)close(fd);
		return 0;
	}
	portal_conn_new(l->loop, fd, l->group, &peer);
	return 0;
}

/* who waits to be accepted stays readable: the loop would do nothing else */
static void
listener_pause(struct portal_listener *l, int err)
{
	static const struct timeval span = { 0, PAUSE_MS * 1000 };

	if (l->n_pauses++ % 100 == 0)
		log_warning("portal %s: no connection can be accepted: %s, trying again", l->name,
		    strerror(err));
	(void)event_del(l->event);
	(void)event_add(l->resume, &span);
}

static void
listener_resume(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct portal_listener *l = arg;

	(void)event_add(l->event, NULL);
}

static void
listener_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct portal_listener *l = arg;
	int r = 0;

	for (int i = 0; r == 0 && i < ACCEPTS; i++)
		r = accept_one(l);
	if (r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -ENOBUFS)
		listener_pause(l, -r);
}

static void
listener_begin(void *arg)
{
	struct portal_listener *l = arg;

	l->event = event_new(loop_base(l->loop->loop), l->fd, EV_READ | EV_PERSIST,
	    listener_readable, l);
	l->resume = event_new(loop_base(l->loop->loop), -1, 0, listener_resume, l);
	if (l->event == NULL || l->resume == NULL || event_add(l->event, NULL) < 0)
		log_error("portal %s: no memory, it accepts nobody", l->name);
}

static void
listener_end(void *arg)
{
	struct portal_listener *l = arg;

	if (l->event != NULL)
		event_free(STEAL(l->event));
	if (l->resume != NULL)
		event_free(STEAL(l->resume));
}

/* ------ opening ------ */

static int
complain(char *reterr, const char *name, int err)
{
	(void)snprintf(reterr, EX_ERR_LEN, "%s: %s%s", name, strerror(err),
	    err == EADDRINUSE ? "; another program listens there, choose another port" :
	    err == EADDRNOTAVAIL ? "; this machine has no such address" :
	    err == EACCES ? "; ports below 1024 need CAP_NET_BIND_SERVICE" : "");
	return -err;
}

static int
socket_bind(const struct ex_portal *portal, char *reterr)
{
	const struct sockaddr *addr = (const struct sockaddr *)&portal->addr;
	CLEANUP(close_fd) int fd = -1;
	int one = 1, given = activation_take(addr);

	if (given >= 0)
		return given;
	fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return complain(reterr, portal->o.name, errno);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* accepted sockets inherit it */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (addr->sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, addr, portal->addr_len) < 0 || listen(fd, BACKLOG) < 0)
		return complain(reterr, portal->o.name, errno);
	return STEAL_FD(fd);
}

int
portal_listen_open(void *ctx, const struct ex_portal *portal,
    struct sockaddr_storage *ret_bound, void **ret_handle, char *reterr)
{
	struct portal_server *server = ctx;
	socklen_t len = sizeof(*ret_bound);
	struct portal_listener *l = fault_hit() ? NULL : calloc(1, sizeof(*l));
	unsigned int i = atomic_fetch_add(&server->next_loop, 1);

	if (l == NULL)
		return complain(reterr, portal->o.name, ENOMEM);
	l->fd = socket_bind(portal, reterr);
	if (l->fd < 0) {
		int r = l->fd;

		free(l);
		return r;
	}
	memset(ret_bound, 0, sizeof(*ret_bound));
	(void)getsockname(l->fd, (struct sockaddr *)ret_bound, &len);
	l->loop = &server->loop[i % loops_count(server->loops)];
	l->group = (uint16_t)portal->group;
	(void)ex_addr_format((struct sockaddr *)ret_bound, l->name);
	*ret_handle = l;
	return 0;
}

void
portal_listen_start(void *ctx, void *handle)
{
	struct portal_server *server = ctx;
	struct portal_listener *l = handle;

	(void)pthread_mutex_lock(&server->lock);
	l->is_waiting = server->is_held;
	if (l->is_waiting)
		TAILQ_INSERT_TAIL(&server->waiting, l, entry);
	(void)pthread_mutex_unlock(&server->lock);
	if (!l->is_waiting)
		loop_call(l->loop->loop, listener_begin, l);
}

void
portal_server_hold(struct portal_server *server)
{
	(void)pthread_mutex_lock(&server->lock);
	server->is_held = true;
	(void)pthread_mutex_unlock(&server->lock);
}

/* the next that waits, taken off the list; NULL: nobody has to any more */
static struct portal_listener *
waiting_take(struct portal_server *server)
{
	struct portal_listener *l;

	(void)pthread_mutex_lock(&server->lock);
	server->is_held = false;
	l = TAILQ_FIRST(&server->waiting);
	if (l != NULL) {
		TAILQ_REMOVE(&server->waiting, l, entry);
		l->is_waiting = false;
	}
	(void)pthread_mutex_unlock(&server->lock);
	return l;
}

void
portal_server_go(struct portal_server *server)
{
	struct portal_listener *l;

	while ((l = waiting_take(server)) != NULL)
		loop_call(l->loop->loop, listener_begin, l);
}

void
portal_listen_close(void *ctx, void *handle)
{
	struct portal_server *server = ctx;
	struct portal_listener *l = handle;

	(void)pthread_mutex_lock(&server->lock);
	if (l->is_waiting)
		TAILQ_REMOVE(&server->waiting, l, entry);
	(void)pthread_mutex_unlock(&server->lock);
	loop_call(l->loop->loop, listener_end, l);
	close_fd(&l->fd);
	free(l);
}
