/*
 * daemon/portal_impl.h - the inside of the iSCSI data plane
 *
 * What      The objects that stand behind those of lib/iscsi, and the calls between the files:
 *           portal.c (server, loops), portal_listen.c, portal_conn.c (sockets),
 *           portal_target.c (targets), portal_host.c (questions of logins), portal_session.c
 *           (sessions and nexuses), portal_cmd.c, portal_tmf.c, portal_view.c (changes at run
 *           time), portal_tell.c (what sessions there are).
 * Thread    Each object says which loop it belongs to.
 */
#ifndef DAEMON_PORTAL_IMPL_H
#define DAEMON_PORTAL_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/socket.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "daemon/bufs.h"
#include "daemon/ex_access.h"
#include "daemon/exports.h"
#include "daemon/loop.h"
#include "daemon/portal.h"
#include "iscsi/iscsi.h"
#include "lu/lu.h"
#include "lu/port.h"
#include "lu/view.h"

#define PORTAL_TICK_MS		1000
#define PORTAL_CLOSE_MS		2000	/* time for the last bytes of a connection */
#define PORTAL_SEND_PIECES	128
#define PORTAL_RECEIVES		4	/* of one connection in one turn */
#define PORTAL_XFER_MAX		(8u << 20)
#define PORTAL_ABSENT_MAX	(256u << 10)	/* data of a command to no unit */
#define PORTAL_ASKING_MAX	8192		/* requests of discovery are short */
#define PORTAL_SEEN_MAX		4096	/* initiator ports a target remembers */

struct event;
struct portal_server;
struct portal_session;
struct portal_target;

/* one for each loop */
struct portal_loop {
	struct portal_server *server;
	struct loop *loop;
	struct iscsi_loop *iscsi;
	struct bufs bufs;
	struct event *tick;		/* NULL while there is neither connection nor session */
	LIST_HEAD(, portal_conn) conns;
	struct lu_work parse_work;
	bool is_parse_due;
	uint32_t n_conns, n_targets;
	bool is_stopping;
};

struct portal_address {
	uint8_t bytes[16];		/* IPv6 network, or IPv4 mapped into IPv6 */
	uint32_t n;
	UT_hash_handle hh;
};

struct portal_server {
	struct loops *loops;
	struct exports *exports;
	struct portal_limits limits;
	struct portal_loop loop[LOOP_MAX];
	atomic_uint next_loop;		/* for listeners and targets */
	atomic_uint n_logins;

	pthread_mutex_t lock;		/* what follows, and pins of targets */
	pthread_cond_t cond;		/* a target is idle, a connection has gone */
	struct portal_target *targets;	/* by name */
	struct portal_address *addresses;
	uint32_t n_conns;
	bool is_held;			/* listeners wait with accepting */
	TAILQ_HEAD(, portal_listener) waiting;
};

/* an initiator port that has logged in since the target came up */
struct portal_seen {
	uint64_t hash;			/* of its TransportID */
	UT_hash_handle hh;
};

/* a target; its sessions live on its loop */
struct portal_target {
	struct portal_server *server;
	struct portal_loop *loop;
	struct iscsi_node *node;
	char name[EX_NAME_MAX + 1];
	struct portal_seen *seen;	/* its loop */
	uint32_t n_sessions;		/* its loop: nexuses of them are not all gone */
	bool is_ending;			/* its loop */
	/* lock of the server */
	uint32_t pins;			/* logins on their way to it */
	bool is_down;
	bool is_idle;
	UT_hash_handle hh;
};

enum portal_conn_state { PORTAL_OPEN, PORTAL_MOVING, PORTAL_CLOSING, PORTAL_CLOSED };

struct portal_conn {
	struct portal_loop *loop;
	struct iscsi_conn *iscsi;
	int fd;
	enum portal_conn_state state;
	bool is_flush_due, is_writing, is_reading, is_login;
	enum iscsi_end why;
	struct event *readable, *writable;
	uint64_t closing_ns;
	struct sockaddr_storage peer, local;
	uint16_t group;			/* tag of the portal */
	struct portal_target *target;	/* pinned until it has moved there */
	struct ex_set *set;		/* that the login asks; until it is over */
	const struct ex_target *wanted;	/* of the set: NULL for discovery */
	const struct ex_chap *account;	/* of the set: who proves itself */
	bool is_discovery;
	struct lu_work flush_work, move_work, close_work;
	LIST_ENTRY(portal_conn) entry;
};

/* one unit as one session sees it. It lives at the unit's home; the session holds it from there */
struct portal_nexus {
	struct lu_nexus lu;
	struct portal_session *session;
	struct lu *unit;		/* a reference */
	/* the session may end while the begin is still on its way: none serves twice */
	struct lu_work begin_work, view_work, work;
	struct lu_view *_Atomic next_view;	/* on its way to the nexus; a reference */
	bool is_open;			/* home: lu_nexus_open() said yes, it has not left */
	bool is_kept;			/* loop of the session: while its view changes */
};

struct portal_session {
	struct portal_target *target;
	struct iscsi_session *iscsi;	/* NULL: it has ended, its nexuses are leaving */
	struct lu_initiator initiator;
	const struct lu_port *port;	/* a reference */
	struct lu_view *view;
	struct portal_nexus **nexuses;	/* one for each entry of the view */
	struct sockaddr_storage peer;
	uint16_t group;
	bool is_new;			/* its initiator port was not here before */
	uint64_t id, buf_owner;
	uint64_t since_ns;
	uint32_t n_nexuses;		/* those that are leaving, too */
	uint32_t n_tasks;		/* commands and task management that are not done */
	uint64_t last_lun;		/* as it came; of last */
	struct portal_nexus *last;	/* the one that was used last */
};

/* iscsi_cmd_priv() */
struct portal_task {
	struct lu_task lu;
	struct iscsi_cmd *cmd;
	struct portal_session *session;
	struct portal_nexus *nexus;
	struct portal_loop *loop;
	struct lu_work hop;
	uint64_t session_owner;		/* the session's, which may be gone when data is sent */
	uint32_t buf_len;		/* of a read's buffer; 0: none */
	int refusal;			/* of lu_submit() */
};

/* ------ portal.c ------ */

/* a connection comes or goes: the tick of the loop follows */
void portal_loop_check(struct portal_loop *loop);
/* may one more connection from @addr come in? Counts it if so */
bool portal_conn_admit(struct portal_server *server, const struct sockaddr_storage *addr);
void portal_conn_gone(struct portal_server *server, const struct sockaddr_storage *addr);

/* ------ portal_listen.c ------ */

int portal_listen_open(void *ctx, const struct ex_portal *portal,
    struct sockaddr_storage *ret_bound, void **ret_handle, char *reterr);
void portal_listen_start(void *ctx, void *handle);
void portal_listen_close(void *ctx, void *handle);

/* ------ portal_conn.c: the loop of the connection ------ */

/* a socket was accepted on @loop; it is closed if this fails */
void portal_conn_new(struct portal_loop *loop, int fd, uint16_t group,
    const struct sockaddr_storage *peer);
/* the login phase is over: it does not count as a login any more */
void portal_conn_login_over(struct portal_conn *conn);
/* the socket is closed now, the rest goes at the end of the turn */
void portal_conn_close(struct portal_conn *conn);
bool portal_host_move(struct iscsi_conn *iscsi, struct iscsi_node *node);
void portal_host_want_send(struct iscsi_conn *iscsi);
void portal_host_want_recv(struct iscsi_conn *iscsi);
void portal_host_want_close(struct iscsi_conn *iscsi, enum iscsi_end why);

/* ------ portal_target.c ------ */

int portal_target_up(void *ctx, const struct ex_target *target, void **ret_handle,
    char *reterr);
void portal_target_down(void *ctx, void *handle);
/* the target of that name, pinned, or NULL; any thread */
struct portal_target *portal_target_pin(struct portal_server *server, const char *name);
void portal_target_unpin(struct portal_target *target);
/* something of it has gone; its loop */
void portal_target_check(struct portal_target *target);
void portal_node_config(const struct ex_target *target, struct iscsi_node_config *ret);

/* ------ portal_host.c: questions of logins ------ */

uint16_t portal_host_find_target(struct iscsi_conn *iscsi,
    const struct iscsi_login_result *who, struct iscsi_login_target *ret,
    struct iscsi_node **ret_node);
int portal_host_random(void *arg, void *buf, size_t len);
int portal_host_secret(void *arg, const char *name, struct iscsi_chap_secret *ret);
int portal_host_own_secret(
    void *arg, char name[ISCSI_CHAP_NAME_LEN], struct iscsi_chap_secret *ret);
void portal_host_send_targets(struct iscsi_conn *iscsi, enum iscsi_send_targets what,
    const char *name, struct iscsi_text_out *out);

/* ------ portal_session.c: the loop of the target ------ */

int portal_host_session_begin(struct iscsi_session *iscsi, struct iscsi_conn *conn);
void portal_host_session_end(struct iscsi_session *iscsi, enum iscsi_end why);
void portal_host_session_free(struct iscsi_session *iscsi);
/* tasks or nexuses have gone: the session may be free */
void portal_session_check(struct portal_session *s);
/* the nexus of a LUN, or NULL */
struct portal_nexus *portal_nexus_find(struct portal_session *s, const uint8_t lun[8]);
/* the session sees @view (a reference, given away) from now on; 0, -ENOMEM */
int portal_session_set_view(struct portal_session *s, struct lu_view *view) MUST_CHECK;

/* ------ portal_cmd.c: the loop of the target ------ */

uint32_t portal_host_admit(struct iscsi_cmd *cmd);
void portal_host_command(struct iscsi_cmd *cmd);
void portal_host_cmd_init(void *priv);

/* ------ portal_tmf.c: the loop of the target ------ */

void portal_host_tmf(struct iscsi_tmf *tmf);
size_t portal_tmf_bytes(void);

/* ------ portal_view.c, portal_tell.c: exports_ops ------ */

void portal_view_changed(
    void *ctx, void *handle, struct ex_set *set, const struct ex_target *target);
int portal_session_list(void *ctx, ex_session_fn fn, void *arg);
int portal_session_close(void *ctx, uint64_t id);

#endif /* DAEMON_PORTAL_IMPL_H */
