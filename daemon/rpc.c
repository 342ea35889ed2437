#include "daemon/rpc_impl.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"

#define ACCEPT_BATCH	64	/* connections of one wake-up: others get their turn */
#define ADMIN_EXTRA	16	/* connections kept back for admins */
#define LOG_LINES_S	10	/* lines about clients a second */

/* ------ loops ------ */

static void
loop_tick(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct rpc_loop *loop = arg;
	struct rpc_server *server = loop->server;
	uint64_t now_ns = clock_now_ns();
	struct rpc_conn *conn, *next;

	for (conn = LIST_FIRST(&loop->conns); conn != NULL; conn = next) {
		next = LIST_NEXT(conn, entry);
		rpc_conn_tick(conn, now_ns);
	}
	if (loop == &server->loops[0] && server->is_accept_paused &&
	    server->acceptable != NULL) {
		server->is_accept_paused = false;
		(void)event_add(server->acceptable, NULL);
	}
	rpc_loop_tick_arm(loop);
}

void
rpc_loop_tick_arm(struct rpc_loop *loop)
{
	static const struct timeval period = { 0, RPC_TICK_MS * 1000 };
	/* what is about accepting is loop 0's, others must not even look */
	bool is_needed = loop->n_conns > 0 ||
	    (loop == &loop->server->loops[0] && loop->server->is_accept_paused);

	if (is_needed && !event_pending(loop->tick, EV_TIMEOUT, NULL))
		(void)event_add(loop->tick, &period);
	else if (!is_needed)
		(void)event_del(loop->tick);
}

static int
loop_init(struct rpc_loop *loop, struct rpc_server *server, unsigned int i)
{
	loop->server = server;
	loop->loop = loops_get(server->conf.loops, i);
	LIST_INIT(&loop->conns);
	SLIST_INIT(&loop->free_tasks);
	bufs_init(&loop->bufs);
	arena_init(&loop->arena, ARENA_FACTOR_REQUEST);
	loop->rx = fault_hit() ? NULL : malloc(RPC_STASH_MAX + RPC_RX_BYTES);
	loop->tick = event_new(loop_base(loop->loop), -1, 0, loop_tick, loop);
	return loop->rx == NULL || loop->tick == NULL ? -ENOMEM : 0;
}

static void
loop_fini(struct rpc_loop *loop)
{
	if (loop->tick != NULL)
		event_free(loop->tick);
	rpc_pool_fini(loop);
	arena_fini(&loop->arena);
	free(loop->rx);
}

struct rpc_loop *
rpc_loop_of(struct rpc_server *server, struct lu_exec *home)
{
	return &server->loops[loop_index(loop_of(home))];
}

/* ------ the server ------ */

int
rpc_server_new(const struct rpc_server_conf *conf, struct rpc_server **ret_server)
{
	struct rpc_server *server = fault_hit() ? NULL : calloc(1, sizeof(*server));
	pthread_condattr_t attr;
	struct timespec now;
	int r = 0;

	if (server == NULL)
		return -ENOMEM;
	server->conf = *conf;
	server->config = conf->config;
	server->listen_fd = -1;
	server->io_gid = access_io_gid();
	server->start_ns = clock_now_ns();
	(void)clock_gettime(CLOCK_REALTIME, &now);
	/* rises from start to start, without a file to keep it in */
	server->generation = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	(void)!getrandom(server->instance, sizeof(server->instance), 0);
	(void)pthread_mutex_init(&server->lock, NULL);
	(void)pthread_mutex_init(&server->dead_lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&server->cond, &attr);
	(void)pthread_condattr_destroy(&attr);
	server->loops = calloc(loops_count(conf->loops), sizeof(*server->loops));
	if (server->loops == NULL)
		r = -ENOMEM;
	for (unsigned int i = 0; r == 0 && i < loops_count(conf->loops); i++) {
		server->n_loops++;
		r = loop_init(&server->loops[i], server, i);
	}
	if (r < 0) {
		rpc_server_free(server);
		return -ENOMEM;
	}
	*ret_server = server;
	return 0;
}

void
rpc_server_set_hbas(struct rpc_server *server, struct hbas *hbas, struct tree *tree)
{
	server->hbas = hbas;
	server->tree = tree;
}

void
rpc_server_set_exports(struct rpc_server *server, struct exports *exports)
{
	server->exports = exports;
}

void
rpc_server_set_isns(struct rpc_server *server, struct isns *isns)
{
	server->isns = isns;
}

void
rpc_server_free(struct rpc_server *server)
{
	if (server == NULL)
		return;
	if (server->acceptable != NULL)
		event_free(server->acceptable);
	close_fd(&server->listen_fd);
	rpc_memory_reap(server, true);
	for (unsigned int i = 0; i < server->n_loops; i++)
		loop_fini(&server->loops[i]);
	free(server->loops);
	(void)pthread_mutex_destroy(&server->dead_lock);
	(void)pthread_mutex_destroy(&server->lock);
	(void)pthread_cond_destroy(&server->cond);
	free(server);
}

/* ------ who may come in ------ */

static struct rpc_uid *
uid_get(struct rpc_server *server, uid_t uid)
{
	struct rpc_uid *u;

	HASH_FIND(hh, server->uids, &uid, sizeof(uid), u);
	if (u != NULL)
		return u;
	u = fault_hit() ? NULL : calloc(1, sizeof(*u));
	if (u == NULL)
		return NULL;
	u->uid = uid;
	HASH_ADD(hh, server->uids, uid, sizeof(u->uid), u);
	if (u->hh.tbl == NULL) {
		free(u);
		return NULL;
	}
	return u;
}

/* counts the connection in; NULL, or why not */
static const char *
conn_admit(struct rpc_server *server, uid_t uid, Scsad__Role role, uint64_t *ret_serial)
{
	const struct config *config = server->config;
	uint32_t extra = role >= SCSAD__ROLE__ROLE_ADMIN ? ADMIN_EXTRA : 0;
	const char *why = NULL;
	struct rpc_uid *u;

	(void)pthread_mutex_lock(&server->lock);
	u = uid_get(server, uid);
	if (u == NULL)
		why = "out of memory";
	else if (server->n_conns >= config->connections + extra)
		why = "too many connections";
	else if (uid != 0 && u->n >= config->connections_per_uid)
		why = "too many connections of this user";
	if (why == NULL) {
		u->n++;
		server->n_conns++;
		server->accepted++;
		*ret_serial = ++server->last_serial;
	} else {
		server->refused++;
		if (u != NULL && u->n == 0) {
			HASH_DELETE(hh, server->uids, u);
			free(u);
		}
	}
	(void)pthread_mutex_unlock(&server->lock);
	return why;
}

void
rpc_server_conn_gone(struct rpc_server *server, uid_t uid)
{
	struct rpc_uid *u;

	(void)pthread_mutex_lock(&server->lock);
	HASH_FIND(hh, server->uids, &uid, sizeof(uid), u);
	if (u != NULL && --u->n == 0) {
		HASH_DELETE(hh, server->uids, u);
		free(u);
	}
	server->n_conns--;
	(void)pthread_cond_broadcast(&server->cond);
	(void)pthread_mutex_unlock(&server->lock);
}

void
rpc_server_wake(struct rpc_server *server)
{
	(void)pthread_mutex_lock(&server->lock);
	(void)pthread_cond_broadcast(&server->cond);
	(void)pthread_mutex_unlock(&server->lock);
}

bool
rpc_server_may_log(struct rpc_server *server)
{
	uint64_t second = clock_now_ns() / NS_PER_S;
	uint32_t before;

	if (atomic_exchange(&server->log_second, second) != second) {
		before = atomic_exchange(&server->log_lines, 0);
		if (before > LOG_LINES_S)
			log_warning("%u more lines about clients were left out",
			    before - LOG_LINES_S);
	}
	return atomic_fetch_add(&server->log_lines, 1) < LOG_LINES_S;
}

/* the socket is new: its buffer takes one error frame */
static void
fd_refuse(int fd, Scsad__ErrorCode code, const char *text)
{
	Scsad__Error error = SCSAD__ERROR__INIT;
	const struct frame_head head = { .kind = FRAME_KIND_ERROR };
	uint8_t bytes[256];
	ptrdiff_t n;

	error.has_code = 1;
	error.code = code;
	error.has_sys_errno = 1;
	error.sys_errno = -error_code_to_errno(code);
	error.text = (char *)(uintptr_t)text;
	n = frame_pack(bytes, sizeof(bytes), &head, &error.base);
	if (n > 0)
		(void)send(fd, bytes, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)close(fd);
}

static int
conn_begin(struct rpc_loop *loop, int fd)
{
	struct rpc_server *server = loop->server;
	struct access_cred cred;
	Scsad__Role role;
	struct rpc_conn *conn;
	const char *why;
	uint64_t serial = 0;
	int r = access_cred_take(fd, &cred);

	if (r < 0) {
		(void)close(fd);
		return r;
	}
	role = access_role(server->config, server->io_gid, &cred);
	if (role == SCSAD__ROLE__ROLE_NONE) {
		if (rpc_server_may_log(server))
			log_warning("uid %u pid %d: no rule gives it a role, "
			    "connection refused", cred.uid, cred.pid);
		(void)pthread_mutex_lock(&server->lock);
		server->refused++;
		(void)pthread_mutex_unlock(&server->lock);
		fd_refuse(fd, SCSAD__ERROR_CODE__ERR_NOT_PERMITTED,
		    "no rule gives this user a role");
		return 0;
	}
	why = conn_admit(server, cred.uid, role, &serial);
	if (why != NULL) {
		if (rpc_server_may_log(server))
			log_warning("uid %u pid %d: %s, connection refused", cred.uid,
			    cred.pid, why);
		fd_refuse(fd, SCSAD__ERROR_CODE__ERR_BUSY, why);
		return 0;
	}
	r = rpc_conn_new(loop, fd, &cred, role, &conn);
	if (r < 0) {
		rpc_server_conn_gone(server, cred.uid);
		fd_refuse(fd, SCSAD__ERROR_CODE__ERR_NO_MEMORY, "out of memory");
		return r;
	}
	conn->serial = serial;
	log_debug("client %llu: accepted, uid %u pid %d", (unsigned long long)serial, cred.uid,
	    cred.pid);
	return 0;
}

/* ------ accepting ------ */

static void
accept_pause(struct rpc_server *server, int err)
{
	if (rpc_server_may_log(server))
		log_warning("no connection can be accepted: %s, trying again", strerror(err));
	(void)event_del(server->acceptable);
	server->is_accept_paused = true;
	rpc_loop_tick_arm(&server->loops[0]);
}

static void
server_accept(evutil_socket_t listen_fd, short what UNUSED, void *arg)
{
	struct rpc_server *server = arg;

	for (unsigned int i = 0; i < ACCEPT_BATCH; i++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			    errno == ENOBUFS)
				accept_pause(server, errno);
			return;
		}
		(void)conn_begin(&server->loops[0], fd);
	}
}

static void
listen_begin(void *arg)
{
	struct rpc_server *server = arg;

	server->acceptable = event_new(loop_base(server->loops[0].loop), server->listen_fd,
	    EV_READ | EV_PERSIST, server_accept, server);
	if (server->acceptable != NULL && event_add(server->acceptable, NULL) < 0) {
		event_free(server->acceptable);
		server->acceptable = NULL;
	}
}

int
rpc_server_listen(struct rpc_server *server, int fd)
{
	server->listen_fd = fd;
	loop_call(server->loops[0].loop, listen_begin, server);
	if (server->acceptable != NULL)
		return 0;
	close_fd(&server->listen_fd);
	return -ENOMEM;
}

struct adoption {
	struct rpc_loop *loop;
	int fd;
	int result;
};

static void
adopt(void *arg)
{
	struct adoption *a = arg;

	a->result = conn_begin(a->loop, a->fd);
}

int
rpc_server_adopt(struct rpc_server *server, int fd)
{
	struct adoption a = { &server->loops[0], fd, 0 };

	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	loop_call(a.loop->loop, adopt, &a);
	return a.result;
}

/* ------ stopping ------ */

static void
listen_end(void *arg)
{
	struct rpc_server *server = arg;

	if (server->acceptable != NULL)
		event_free(server->acceptable);
	server->acceptable = NULL;
	server->is_accept_paused = false;
	close_fd(&server->listen_fd);
}

static uint64_t
packets_active(const struct rpc_server *server)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < server->n_loops; i++)
		n += atomic_load(&server->loops[i].count.packets_active);
	return n;
}

static uint64_t
conns_left(const struct rpc_server *server)
{
	return server->n_conns;
}

/* until @left says 0, or @ms have passed; what it said last */
static uint64_t
server_wait(struct rpc_server *server, uint64_t (*left)(const struct rpc_server *), uint32_t ms)
{
	struct timespec until;
	uint64_t n;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	(void)pthread_mutex_lock(&server->lock);
	while ((n = left(server)) > 0)
		if (pthread_cond_timedwait(&server->cond, &server->lock, &until) != 0) {
			n = left(server);
			break;
		}
	(void)pthread_mutex_unlock(&server->lock);
	return n;
}

uint32_t
rpc_server_drain(struct rpc_server *server, uint32_t ms)
{
	atomic_store(&server->is_draining, true);
	loop_call(server->loops[0].loop, listen_end, server);
	rpc_event_publish(server, SCSAD__EVENT_KIND__EVENT_STOPPING, "scsad",
	    "the daemon is stopping");
	return (uint32_t)server_wait(server, packets_active, ms);
}

static void
loop_close(void *arg)
{
	struct rpc_loop *loop = arg;
	struct rpc_conn *conn, *next;

	for (conn = LIST_FIRST(&loop->conns); conn != NULL; conn = next) {
		next = LIST_NEXT(conn, entry);
		if (!conn->is_closed)
			rpc_conn_flush(conn);
		rpc_conn_close(conn);
	}
}

static void
loop_caught_up(void *arg UNUSED)
{
}

bool
rpc_server_close(struct rpc_server *server, uint32_t ms)
{
	atomic_store(&server->is_closing, true);
	for (unsigned int i = 0; i < server->n_loops; i++)
		loop_call(server->loops[i].loop, loop_close, &server->loops[i]);
	if (server_wait(server, conns_left, ms) != 0)
		return false;
	/* what the last ones left behind on their loops goes to the worker before that is freed */
	for (unsigned int i = 0; i < server->n_loops; i++)
		loop_call(server->loops[i].loop, loop_caught_up, NULL);
	return true;
}

/* ------ counters ------ */

void
rpc_server_stats(struct rpc_server *server, struct rpc_stats *ret_stats)
{
	struct rpc_stats st = { 0 };

	for (unsigned int i = 0; i < server->n_loops; i++) {
		const struct rpc_counters *c = &server->loops[i].count;

		st.dropped += atomic_load(&c->dropped);
		st.requests += atomic_load(&c->requests);
		st.errors += atomic_load(&c->errors);
		st.packets_done += atomic_load(&c->packets_done);
		st.packets_active += atomic_load(&c->packets_active);
		st.orphans += atomic_load(&c->orphans);
		st.busy += atomic_load(&c->busy);
		st.events_lost += atomic_load(&c->events_lost);
	}
	(void)pthread_mutex_lock(&server->lock);
	st.accepted = server->accepted;
	st.refused = server->refused;
	st.connections = server->n_conns;
	(void)pthread_mutex_unlock(&server->lock);
	*ret_stats = st;
}
