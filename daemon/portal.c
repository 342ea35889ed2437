#include "daemon/portal_impl.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"

#define CONNS_MAX		4096
#define CONNS_ADDRESS_MAX	1024
#define LOGINS_MAX		2048
#define LOGIN_MS		8000
#define DATA_LEAST		(128ull << 20)

const struct exports_ops portal_ops = {
	.portal_open = portal_listen_open,
	.portal_start = portal_listen_start,
	.portal_close = portal_listen_close,
	.target_up = portal_target_up,
	.target_down = portal_target_down,
	.view_changed = portal_view_changed,
	.session_list = portal_session_list,
	.session_close = portal_session_close,
};

/* ------ memory for lib/iscsi ------ */

static void *
host_buf_get(struct iscsi_loop *iscsi, uint32_t bytes)
{
	struct portal_loop *loop = iscsi_loop_host(iscsi);

	return bufs_take(&loop->bufs, bytes, BUFS_NOBODY);
}

static void
host_buf_put(struct iscsi_loop *iscsi, void *buf, uint32_t bytes)
{
	struct portal_loop *loop = iscsi_loop_host(iscsi);

	bufs_give(&loop->bufs, buf, bytes, BUFS_NOBODY);
}

static const struct iscsi_host_ops host_ops = {
	.find_target = portal_host_find_target,
	.chap = {
		.random = portal_host_random,
		.secret = portal_host_secret,
		.own_secret = portal_host_own_secret,
	},
	.move = portal_host_move,
	.send_targets = portal_host_send_targets,
	.session_begin = portal_host_session_begin,
	.session_end = portal_host_session_end,
	.session_free = portal_host_session_free,
	.admit = portal_host_admit,
	.command = portal_host_command,
	.tmf = portal_host_tmf,
	.cmd_init = portal_host_cmd_init,
	.buf_get = host_buf_get,
	.buf_put = host_buf_put,
	.want_send = portal_host_want_send,
	.want_recv = portal_host_want_recv,
	.want_close = portal_host_want_close,
};

/* ------ a loop's clock ------ */

static void
loop_tick(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct portal_loop *loop = arg;
	uint64_t now = clock_now_ns();
	struct portal_conn *conn, *next;

	iscsi_loop_tick(loop->iscsi, now);
	for (conn = LIST_FIRST(&loop->conns); conn != NULL; conn = next) {
		next = LIST_NEXT(conn, entry);
		if (iscsi_conn_session(conn->iscsi) != NULL)
			portal_conn_login_over(conn);
		if (conn->state == PORTAL_CLOSING &&
		    now - conn->closing_ns > PORTAL_CLOSE_MS * NS_PER_MS)
			portal_conn_close(conn);
	}
}

void
portal_loop_check(struct portal_loop *loop)
{
	static const struct timeval span = { PORTAL_TICK_MS / 1000,
		PORTAL_TICK_MS % 1000 * 1000 };
	bool is_wanted = loop->n_conns > 0 || loop->n_targets > 0;

	if (is_wanted && loop->tick == NULL) {
		loop->tick = event_new(loop_base(loop->loop), -1, EV_PERSIST, loop_tick, loop);
		/* without memory deadlines wait for the next connection: nothing else is lost */
		if (loop->tick != NULL)
			(void)event_add(loop->tick, &span);
	} else if (!is_wanted && loop->tick != NULL) {
		event_free(STEAL(loop->tick));
	}
}

/* ------ how many connections ------ */

/* IPv6 by the 64 bits that a customer gets, who has all addresses behind them; those of the link
 * alone have 64 bits in common that say nothing. IPv4, written as IPv6 or not, is IPv4 */
static bool
address_key(const struct sockaddr_storage *addr, uint8_t key[16])
{
	const struct in6_addr *in6 = &((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr;
	const struct sockaddr_in *in = (const void *)addr;

	memset(key, 0, 16);
	if (addr->ss_family != AF_INET6) {
		key[10] = key[11] = 0xff;
		memcpy(key + 12, &in->sin_addr, 4);
		return key[12] == 127;
	}
	if (IN6_IS_ADDR_V4MAPPED(in6)) {
		memcpy(key, in6, 16);
		return key[12] == 127;
	}
	memcpy(key, in6, IN6_IS_ADDR_LINKLOCAL(in6) || IN6_IS_ADDR_LOOPBACK(in6) ? 16 : 8);
	return IN6_IS_ADDR_LOOPBACK(in6);
}

/* lock held */
static struct portal_address *
address_get(struct portal_server *server, const uint8_t key[16])
{
	struct portal_address *a;

	HASH_FIND(hh, server->addresses, key, 16, a);
	if (a != NULL)
		return a;
	a = fault_hit() ? NULL : calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	memcpy(a->bytes, key, 16);
	HASH_ADD(hh, server->addresses, bytes, 16, a);
	if (a->hh.tbl == NULL) {
		free(a);
		return NULL;
	}
	return a;
}

bool
portal_conn_admit(struct portal_server *server, const struct sockaddr_storage *addr)
{
	struct portal_address *a;
	uint8_t key[16];
	bool is_near = address_key(addr, key), is_in = false;

	(void)pthread_mutex_lock(&server->lock);
	a = server->n_conns < server->limits.conns_max &&
	    atomic_load(&server->n_logins) < server->limits.logins_max ?
	    address_get(server, key) : NULL;
	if (a != NULL && (is_near || a->n < server->limits.conns_address_max)) {
		a->n++;
		server->n_conns++;
		is_in = true;
	}
	(void)pthread_mutex_unlock(&server->lock);
	return is_in;
}

void
portal_conn_gone(struct portal_server *server, const struct sockaddr_storage *addr)
{
	struct portal_address *a;
	uint8_t key[16];

	(void)address_key(addr, key);
	(void)pthread_mutex_lock(&server->lock);
	HASH_FIND(hh, server->addresses, key, 16, a);
	if (--a->n == 0) {
		HASH_DEL(server->addresses, a);
		free(a);
	}
	server->n_conns--;
	(void)pthread_cond_broadcast(&server->cond);
	(void)pthread_mutex_unlock(&server->lock);
}

/* ------ the server ------ */

static int
loop_start(struct portal_server *server, struct portal_loop *loop, unsigned int i)
{
	const struct iscsi_limits limits = {
		.xfer_max_bytes = PORTAL_XFER_MAX,
		/* a buffer is up to four times as long as what is in it */
		.held_bytes = server->limits.data_bytes / 4,
		.login_ms = server->limits.login_ms,
		.cmd_priv_bytes = sizeof(struct portal_task),
		.tmf_priv_bytes = (uint32_t)portal_tmf_bytes(),
	};

	loop->server = server;
	loop->loop = loops_get(server->loops, i);
	LIST_INIT(&loop->conns);
	bufs_init(&loop->bufs);
	bufs_set_max(&loop->bufs, server->limits.data_bytes);
	return iscsi_loop_new(&host_ops, loop, &limits, &loop->iscsi);
}

/* half of the machine, in equal parts: who wants more is told to wait, before the kernel looks for
 * somebody to kill */
static uint64_t
data_default(const struct loops *loops)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	uint64_t share = 0;

	if (pages > 0 && page > 0)
		share = (uint64_t)pages * (uint64_t)page / 2 / loops_count(loops);
	return share < DATA_LEAST ? DATA_LEAST : share;
}

static void
limits_take(struct portal_limits *to, const struct portal_limits *from,
    const struct loops *loops)
{
	*to = (struct portal_limits){ CONNS_MAX, CONNS_ADDRESS_MAX, LOGINS_MAX, LOGIN_MS,
		data_default(loops) };
	if (from == NULL)
		return;
	if (from->conns_max != 0)
		to->conns_max = from->conns_max;
	if (from->conns_address_max != 0)
		to->conns_address_max = from->conns_address_max;
	if (from->logins_max != 0)
		to->logins_max = from->logins_max;
	if (from->login_ms != 0)
		to->login_ms = from->login_ms;
	if (from->data_bytes != 0)
		to->data_bytes = from->data_bytes;
}

int
portal_server_new(struct loops *loops, struct exports *exports,
    const struct portal_limits *limits, struct portal_server **ret_server)
{
	struct portal_server *server = fault_hit() ? NULL : calloc(1, sizeof(*server));
	int r = 0;

	if (server == NULL)
		return -ENOMEM;
	server->loops = loops;
	server->exports = exports;
	limits_take(&server->limits, limits, loops);
	(void)pthread_mutex_init(&server->lock, NULL);
	(void)pthread_cond_init(&server->cond, NULL);
	TAILQ_INIT(&server->waiting);
	for (unsigned int i = 0; r == 0 && i < loops_count(loops); i++)
		r = loop_start(server, &server->loop[i], i);
	if (r < 0) {
		portal_server_free(server);
		return r;
	}
	*ret_server = server;
	return 0;
}

/* on the loop: whoever is still there has no target any more */
static void
loop_end(void *arg)
{
	struct portal_loop *loop = arg;
	struct portal_conn *conn;

	loop->is_stopping = true;
	LIST_FOREACH(conn, &loop->conns, entry)
		portal_conn_close(conn);
}

void
portal_server_free(struct portal_server *server)
{
	if (server == NULL)
		return;
	for (unsigned int i = 0; i < loops_count(server->loops); i++)
		if (server->loop[i].iscsi != NULL)
			loop_call(server->loop[i].loop, loop_end, &server->loop[i]);
	(void)pthread_mutex_lock(&server->lock);
	while (server->n_conns > 0)
		(void)pthread_cond_wait(&server->cond, &server->lock);
	(void)pthread_mutex_unlock(&server->lock);
	for (unsigned int i = 0; i < loops_count(server->loops); i++) {
		iscsi_loop_free(server->loop[i].iscsi);
		bufs_fini(&server->loop[i].bufs);
	}
	(void)pthread_cond_destroy(&server->cond);
	(void)pthread_mutex_destroy(&server->lock);
	free(server);
}
