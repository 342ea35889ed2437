/*
 * daemon/rpc_impl.h - the inside of the RPC server
 *
 * What      Four objects. rpc_loop: what a loop keeps for its connections (receive buffer,
 *           arena, pools). rpc_conn: a connection. rpc_handle: a unit it has open, which is a
 *           nexus. rpc_req: a request whose answer is still due; it is embedded in an rpc_task
 *           (a packet, from a pool) or an rpc_call (anything else, from the heap).
 * Owner     A connection is freed when it is closed, no request of it is due and no handle is
 *           left; so a request may point to its connection without more ado.
 * Thread    All of a connection happens on its loop. A task or call whose unit lives elsewhere
 *           goes there and back by loop_post(); while it is there, its connection side is not
 *           touched.
 */
#ifndef DAEMON_RPC_IMPL_H
#define DAEMON_RPC_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/slot.h"
#include "daemon/access.h"
#include "daemon/bufs.h"
#include "daemon/loop.h"
#include "daemon/rpc.h"
#include "daemon/tree.h"
#include "lu/lu.h"
#include "lu/port.h"
#include "proto/arena.h"
#include "proto/error.h"
#include "proto/frame.h"
#include "proto/limits.h"
#include "proto/message.h"
#include "proto/method.h"
#include "proto/ring.h"

#define RPC_RX_BYTES		(256u << 10)	/* one receive takes at most this */
/* bytes kept for later: half a frame, or, while a client is not read, all that one receive
 * brought */
#define RPC_STASH_MAX		(FRAME_HEAD_LEN + PROTO_MESSAGE_MAX + RPC_RX_BYTES)
#define RPC_IOV_MAX		128		/* pieces of one gather write */
/* header and Completion, longest sense included */
#define RPC_TASK_HEAD		512
#define RPC_TICK_MS		500
#define RPC_STUCK_MS		30000		/* unsent bytes that do not move */
#define RPC_EVENTS_MAX		256		/* queued for one subscriber */
#define RPC_POOL_TASKS		1024		/* free tasks a loop keeps */
#define RPC_TEXT_MAX		512
#define RPC_FDS_MAX		RING_N_FDS	/* with one frame */
/* replies with descriptors that a client may leave unread; more can be under way already */
#define RPC_FD_REPLIES_MAX	(2 * (PROTO_MEMORIES_MAX + PROTO_RINGS_MAX))
#define RPC_FD_ENDS_MAX		(RPC_FD_REPLIES_MAX + PROTO_MEMORIES_MAX + PROTO_RINGS_MAX)

struct rpc_conn;
struct rpc_in;
struct rpc_loop;
struct event;

/* ------ what leaves ------ */

struct rpc_out {
	STAILQ_ENTRY(rpc_out) entry;
	const uint8_t *head;	/* header and message */
	uint32_t head_len;
	const uint8_t *data;	/* bulk data */
	uint32_t data_len;
	void (*sent)(struct rpc_conn *conn, struct rpc_out *out);	/* sent or dropped:
									 * once */
	const int *fds;		/* descriptors that go along, borrowed */
	uint32_t n_fds;		/* at most RPC_FDS_MAX */
};

STAILQ_HEAD(rpc_out_list, rpc_out);

/* ------ requests ------ */

struct rpc_req {
	UT_hash_handle hh;	/* in its connection, by id */
	struct rpc_conn *conn;
	uint32_t id;
	uint16_t method;
	struct rpc_task *task;	/* the task this is part of, or NULL */
};

struct rpc_task {
	struct lu_task lu;
	struct rpc_req req;
	struct rpc_handle *handle;
	uint8_t *buf;		/* NULL without data, or with data in shared memory */
	uint32_t buf_len;
	struct rpc_memory *memory;	/* NULL: data comes and goes in frames */
	struct rpc_ring *ring;		/* it came through; NULL: the socket */
	uint32_t tag;			/* in there */
	uint8_t *shared;	/* of it: where the client has its data */
	struct rpc_out out;
	struct lu_work hop;
	SLIST_ENTRY(rpc_task) entry;	/* free list */
	uint64_t start_ns;
	int refusal;		/* of lu_submit() */
	uint32_t n_aborts;	/* aborts that name it: not to be recycled */
	bool is_sent;
	uint8_t head[RPC_TASK_HEAD];
};

/* a request that is answered later and is no packet */
struct rpc_call {
	struct rpc_req req;
	struct lu_work work;
	struct lu_tmf tmf;
	struct rpc_loop *loop;		/* its connection's */
	struct rpc_handle *handle;	/* open: on its way to become one; else NULL */
	struct rpc_task *task;		/* abort of one task; n_aborts of it is counted up */
	struct lu_nexus *nexus;		/* abort of all of one handle; without it and a task:
					 * of all on the unit */
	struct lu *unit;		/* a reference, or NULL */
	void (*work_fn)(struct rpc_call *call);		/* on a worker: blocks */
	void (*reply_fn)(struct rpc_call *call);	/* on the connection's loop, unless it
							 * is closed */
	int result;			/* of work_fn: 0 or -errno */
	int value;			/* scalar in and out, by method */
	bool is_hba_wide;
	enum lu_reset_level level;
	char name[PROTO_NAME_MAX + 1];
	char address[64];		/* probe: "target,lun" */
	uint8_t inquiry[48];
	size_t inquiry_len;
	struct rpc_cap {
		int value;
		int can_set;		/* 0, 1, or negative errno: not known */
	} caps[32];			/* getcap: of all, or the first is the one */
	dev_info_t *port;		/* probe: of a port, smp: of an expander; a reference */
	void *more;			/* what else the method needs, */
	void (*more_free)(void *more);	/* freed by this; NULL: free() */
};

/* ------ handles ------ */

struct rpc_handle {
	struct lu_nexus nexus;
	struct rpc_conn *conn;
	struct lu *unit;		/* a reference */
	uint64_t id;			/* 0: no longer valid for the client */
	bool is_released;		/* rpc_handle_release() was called */
	struct rpc_call *closing;	/* the close to answer when the nexus is gone */
	struct lu_work hop;
	LIST_ENTRY(rpc_handle) entry;	/* on its connection */
};

/* ------ memory that a client shares with us ------ */

struct rpc_memory {
	LIST_ENTRY(rpc_memory) entry;	/* on its connection, or among the dead of the server */
	struct rpc_server *server;
	struct lu_work work;
	uint64_t id;
	uint8_t *base;
	size_t bytes;
	int fd;				/* -1 once it is no longer needed */
	uint32_t n_tasks;		/* packets whose data is there */
	uid_t uid;			/* whose it is, also when its connection has gone */
	uint64_t beside_bytes;		/* what its connection had when it was asked for */
};

/* ------ rings ------ */

/* another way for packets to come and go; on the loop of its connection, always */
struct rpc_ring {
	LIST_ENTRY(rpc_ring) entry;	/* on its connection */
	struct rpc_server *server;
	struct rpc_conn *conn;
	uint64_t id;
	struct ring_view view;		/* shared: what is read there may change meanwhile */
	void *base;
	size_t bytes;
	uint32_t taken, completed;	/* what counts; the client sees copies */
	uint32_t reaped;		/* as last looked up */
	uint32_t n_tasks;		/* packets in flight */
	struct rpc_task **tasks;	/* those, by slot */
	int fds[RING_N_FDS];		/* the client's, until they are sent */
	int doorbell_fd;		/* the client writes there. Never read: edges count */
	int wake_fd;			/* nobody else has it: a write cannot block */
	struct event *doorbell;
	struct loop_poller poller;	/* while the client is at work */
	uint32_t n_idle;		/* polls that found nothing */
	uint64_t idle_since_ns;		/* it looks for more since then; 0: not yet */
	uint32_t n_fails;		/* times in a row that it looked, and slept then */
	uint32_t n_skips;		/* times that it shall sleep without looking */
	bool is_flush_due;		/* flush_work is deferred */
	struct lu_work flush_work;
	struct lu_work end_work;
};

/* ------ events ------ */

struct rpc_note {
	struct lu_work work;
	struct rpc_loop *loop;
	Scsad__EventKind kind;
	uint64_t time_us;
	char subject[LU_PATH_MAX];
	char text[RPC_TEXT_MAX];
};

/* ------ connections ------ */

struct rpc_conn {
	struct rpc_server *server;
	struct rpc_loop *loop;
	LIST_ENTRY(rpc_conn) entry;	/* on its loop */
	uint64_t serial;		/* never reused; for logs */
	uint64_t buf_owner;
	int fd;
	struct event *readable, *writable;
	struct access_cred cred;
	Scsad__Role role;
	struct lu_initiator initiator;	/* whose nexuses its handles are */
	uint64_t since_ns;		/* accepted */
	bool is_greeted;		/* hello is done */
	bool is_closed;			/* fd is gone; waits for its requests and handles */
	bool is_ending;			/* send what is queued, then close */
	bool is_reading;		/* readable is armed */
	bool is_writing;		/* writable is armed */
	bool is_flush_due;		/* flush_work is deferred */
	bool has_moved;
	struct lu_work flush_work, move_work;
	struct rpc_loop *move_to;	/* move_work is on its way there */

	/* input */
	struct frame_limits limits;
	uint8_t *stash;			/* bytes of a frame whose rest has not come */
	size_t stash_len, stash_size;
	struct rpc_task *filling;	/* a submit whose data is being received */
	uint32_t filled;
	uint32_t skip;			/* data of a refused submit: bytes still to be thrown
					 * away */
	uint64_t frame_since_ns;	/* first byte of an unfinished frame; 0: none */
	uint64_t n_frames;		/* read so far */

	/* output */
	struct rpc_out_list out;
	size_t out_sent;		/* bytes of the first piece that have left */
	uint64_t unsent;
	uint64_t progress_ns;		/* last time bytes left */
	uint64_t n_sent;		/* bytes so far */
	uint64_t fd_ends[RPC_FD_ENDS_MAX];	/* where in those replies with descriptors
						 * end that may still be unread; rising */
	uint32_t n_fd_ends;

	/* requests */
	struct rpc_req *requests;	/* hash by id; holds req_none for ever */
	struct rpc_req req_none;	/* keeps the hash from coming and going */
	uint32_t n_tasks, n_calls;
	uint32_t requests_max;		/* n_tasks at most; granted at hello */
	uint64_t task_bytes;

	/* handles */
	struct slot_table handles;
	LIST_HEAD(, rpc_handle) handle_list;	/* all that exist, also closing ones */

	/* shared memory */
	LIST_HEAD(, rpc_memory) memories;
	uint32_t n_memories;		/* also those that are being made */
	uint64_t memory_bytes;		/* of them */
	uint64_t last_memory;		/* id */

	/* rings; their bytes count among the memories' */
	LIST_HEAD(, rpc_ring) rings;
	uint32_t n_rings;		/* also those that are being made */
	uint64_t last_ring;		/* id */

	/* subscription */
	uint32_t event_mask;
	uint64_t event_seq;
	uint32_t n_events;		/* queued */
	uint32_t n_lost;
	Scsad__EventKind last_kind;	/* of the newest queued event */
	char last_subject[LU_PATH_MAX];
};

struct rpc_counters {
	_Atomic uint64_t requests, errors, packets_done, packets_active, orphans, busy,
	    events_lost;
	_Atomic uint64_t dropped;
};

struct rpc_loop {
	struct rpc_server *server;
	struct loop *loop;
	LIST_HEAD(, rpc_conn) conns;
	uint32_t n_conns;
	struct event *tick;
	uint8_t *rx;			/* RPC_RX_BYTES and room for a stash before them */
	struct arena arena;
	SLIST_HEAD(, rpc_task) free_tasks;
	uint32_t n_free_tasks;
	struct bufs bufs;
	_Atomic uint32_t subscribers;
	struct rpc_counters count;
};

struct rpc_uid {
	UT_hash_handle hh;
	uid_t uid;
	uint32_t n;
};

struct rpc_server {
	struct rpc_server_conf conf;
	const struct config *config;
	struct hbas *hbas;
	struct tree *tree;
	struct exports *exports;
	struct isns *isns;		/* NULL: no name server is configured */
	gid_t io_gid;
	uint8_t instance[PROTO_INSTANCE_LEN];
	uint64_t generation;
	uint64_t start_ns;
	struct rpc_loop *loops;
	unsigned int n_loops;

	/* loop 0 only, while loops run */
	int listen_fd;
	struct event *acceptable;
	bool is_accept_paused;		/* out of descriptors; the tick tries again */

	_Atomic bool is_draining;	/* nothing new */
	_Atomic bool is_closing;	/* every connection is being closed */
	_Atomic uint64_t log_second;	/* rate limit of lines about clients */
	_Atomic uint32_t log_lines;
	pthread_mutex_t lock;		/* the rest */
	pthread_cond_t cond;		/* a packet or a connection went while somebody waits */
	struct rpc_uid *uids;
	uint32_t n_conns;
	uint64_t last_serial;
	uint64_t accepted, refused;

	pthread_mutex_t dead_lock;	/* held while devices are asked, which takes its time */
	LIST_HEAD(, rpc_memory) dead_memories;	/* a device may still write there; they count
						 * as their users' */
};

static inline void
rpc_count(_Atomic uint64_t *c, uint64_t n)
{
	/* written on one loop only */
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

/* rpc_pool.c */
struct rpc_task *rpc_task_take(struct rpc_loop *loop);
void rpc_task_give(struct rpc_loop *loop, struct rpc_task *task);
void rpc_pool_fini(struct rpc_loop *loop);

/* rpc_conn.c */
int rpc_conn_new(struct rpc_loop *loop, int fd, const struct access_cred *cred,
    Scsad__Role role, struct rpc_conn **ret_conn) MUST_CHECK;
/* take the fd away, let tasks and handles go; frees itself when the last has gone */
void rpc_conn_close(struct rpc_conn *conn);
/* one log line saying why; no more input, and closed when what is queued has been sent */
PRINTF_LIKE(2, 3) void rpc_conn_drop(struct rpc_conn *conn, const char *fmt, ...);
/* after a request or a handle has gone: is this the end of a closed connection? */
void rpc_conn_check(struct rpc_conn *conn);
/* deadlines: hello, frame, unsent bytes */
void rpc_conn_tick(struct rpc_conn *conn, uint64_t now_ns);
/* go to another loop at the end of this turn; false when it cannot: something is due here */
bool rpc_conn_move(struct rpc_conn *conn, struct rpc_loop *to);

/* rpc_input.c */
void rpc_conn_readable(int fd, short what, void *arg);
/* deal with the stash as if it had just come */
void rpc_conn_resume(struct rpc_conn *conn);

/* rpc_output.c */
void rpc_out_queue(struct rpc_conn *conn, struct rpc_out *out);
void rpc_out_drop_all(struct rpc_conn *conn);
/* send now what can be sent */
void rpc_conn_flush(struct rpc_conn *conn);
void rpc_conn_flush_work(struct lu_work *w);
void rpc_conn_writable(int fd, short what, void *arg);
/* queue a reply from the heap; false and the connection is dropped when there is no memory */
bool rpc_send(struct rpc_conn *conn, const struct frame_head *head, const ProtobufCMessage *msg,
    void (*sent)(struct rpc_conn *, struct rpc_out *));
/* the same with @n descriptors, which are taken over and closed in any case */
void rpc_send_fds(struct rpc_conn *conn, const struct frame_head *head,
    const ProtobufCMessage *msg, const int *fds, uint32_t n);
/* for a sent() of its own: free the piece that rpc_send() made */
void rpc_out_msg_free(struct rpc_out *out);
/* a request whose reply brings descriptors: may it? Those that are sent and not read yet are open
 * files of ours: who does not take them gets no more. false: refused */
bool rpc_fds_admit(const struct rpc_in *in);
void rpc_reply(struct rpc_conn *conn, uint32_t id, uint16_t method, const ProtobufCMessage *msg,
    bool has_more);

struct rpc_refusal {
	Scsad__ErrorCode code;
	int err;		/* negative errno, or 0 */
	const char *text;
	const char *hint;
	const char *candidates;	/* blank-separated, or NULL */
};

void rpc_refuse(struct rpc_conn *conn, uint32_t id, uint16_t method,
    const struct rpc_refusal *why);
/* the code of the wire for a negative errno: rpc_err.c */
Scsad__ErrorCode rpc_code_of(int err);
/* the map of negative errno to refusals: rpc_err.c */
void rpc_refuse_errno(struct rpc_conn *conn, uint32_t id, uint16_t method, int err,
    const char *text);

/* @src, which may be of several words of ours and quote foreign ones, as printable ASCII: every
 * string in a message has gone through here or through text_escape(), because one that is not
 * UTF-8 makes the whole message worthless to its reader. Unlike there, a backslash stays one:
 * rooms below have escaped what they quote. @dst, cut at @size */
char *rpc_text(char *dst, size_t size, const char *src);

/* rpc_dispatch.c: what a handler gets */
struct rpc_in {
	struct rpc_conn *conn;
	const struct frame *frame;
	const ProtobufCMessage *msg;	/* in the arena */
};

enum rpc_go {
	RPC_NEXT,		/* dealt with; on to the next frame */
	RPC_MOVE,		/* the connection moves: keep this frame, another loop will see
				 * it */
	RPC_STOP,		/* the connection is closed */
};

enum rpc_go rpc_dispatch(struct rpc_conn *conn, const struct frame *frame);

static inline uint32_t
rpc_in_id(const struct rpc_in *in)
{
	return in->frame->head.id;
}

/* rpc_req.c: requests that are due */
bool rpc_req_begin(struct rpc_req *req, struct rpc_conn *conn, const struct frame_head *head);
void rpc_req_end(struct rpc_req *req);
struct rpc_req *rpc_req_find(struct rpc_conn *conn, uint32_t id);
/* a call of this request; NULL: refused already (no memory) */
struct rpc_call *rpc_call_new(const struct rpc_in *in);
/* run work_fn on a worker, then reply_fn on the loop, then free */
void rpc_call_work(struct rpc_call *call);
/* run @fn at the unit's home; it ends with rpc_call_reply() */
void rpc_call_home(struct rpc_call *call, lu_work_fn fn);
/* from any loop: reply_fn on the connection's loop, then free */
void rpc_call_reply(struct rpc_call *call);
/* free at once, on the connection's loop */
void rpc_call_free(struct rpc_call *call);

/* rpc_unit.c */
enum rpc_go rpc_open(const struct rpc_in *in);
enum rpc_go rpc_close(const struct rpc_in *in);
void rpc_handle_release(struct rpc_handle *handle);
/* an open whose connection closed before it was told: @result is what the unit had said */
void rpc_handle_abandon(struct rpc_handle *handle, int result);
struct rpc_handle *rpc_handle_get(struct rpc_conn *conn, uint64_t id);
/* the unit that a handle (not 0) or a name tells; a reference. NULL: refused already */
struct lu *rpc_unit_of(const struct rpc_in *in, uint64_t handle, const char *name);
/* do role and local rules give the client anything of this unit? false: refused already */
bool rpc_unit_is_allowed(const struct rpc_in *in, const struct lu *unit);

/* rpc_submit.c */

/* a packet that somebody wants to submit; its fields are in their ranges */
struct rpc_packet {
	uint64_t handle;
	uint64_t memory, offset;	/* memory 0: data comes and goes in frames */
	const uint8_t *cdb;
	uint32_t data_len;
	uint32_t timeout_ms;
	uint16_t cdb_len;
	Scsad__Direction direction;
	Scsad__TaskAttribute attribute;
	uint64_t now_ns;
};

enum rpc_go rpc_submit(const struct rpc_in *in);
/* a task for it that can go: 0, or why not */
int rpc_task_new(struct rpc_conn *conn, const struct rpc_packet *packet,
    struct rpc_task **ret_task) MUST_CHECK;
/* it counts from here on; rpc_task_go(): to its unit */
void rpc_task_begin(struct rpc_conn *conn, struct rpc_task *task);
void rpc_task_go(struct rpc_task *task);
/* all data of conn->filling has come */
void rpc_submit_filled(struct rpc_conn *conn);
void rpc_submit_cancel(struct rpc_conn *conn);
void rpc_task_recycle(struct rpc_conn *conn, struct rpc_task *task);

/* rpc_memory.c */
enum rpc_go rpc_memory_new(const struct rpc_in *in);
enum rpc_go rpc_memory_free(const struct rpc_in *in);
/* @len bytes at @offset of memory @id; NULL: it has no such memory, or they are not inside */
struct rpc_memory *rpc_memory_find(struct rpc_conn *conn, uint64_t id, uint64_t offset,
    uint32_t len);
/* the connection is over, and so are its packets */
void rpc_memory_drop_all(struct rpc_conn *conn);
/* unmap what no device uses any more; at the end of the server, whatever is left */
void rpc_memory_reap(struct rpc_server *server, bool is_end);

/* a memfd of @bytes that nobody can make smaller or larger, and whose pages are there: no access
 * can fail; negative errno. Blocks */
int rpc_memfd_new(uint64_t bytes) MUST_CHECK;
/* NULL, or why the client cannot share so many bytes more */
const char *rpc_memory_check(const struct rpc_conn *conn, uint64_t bytes);

/* rpc_ring.c */
enum rpc_go rpc_ring_new(const struct rpc_in *in);
enum rpc_go rpc_ring_free(const struct rpc_in *in);
/* the packet in flight with that tag, or NULL */
struct rpc_task *rpc_ring_task(struct rpc_conn *conn, uint64_t id, uint32_t tag);
/* packets that were submitted before this call are taken now; the connection may end by that */
void rpc_ring_take_all(struct rpc_conn *conn);
/* connection and its rings on the same loop: watch their doorbells there; 0 or -ENOMEM */
int rpc_ring_watch_all(struct rpc_conn *conn) MUST_CHECK;
void rpc_ring_unwatch_all(struct rpc_conn *conn);
/* nothing is deferred for them */
bool rpc_ring_can_move(const struct rpc_conn *conn);
/* the connection is over, and so are its packets */
void rpc_ring_drop_all(struct rpc_conn *conn);

/* rpc_ring_io.c */
void rpc_ring_doorbell(int fd, short what, void *arg);
/* look for packets now, and until there are none for a while */
void rpc_ring_wake(struct rpc_ring *ring);
/* take up to @max packets; how many it were */
uint32_t rpc_ring_take(struct rpc_ring *ring, uint32_t max);
/* the task is no longer due */
void rpc_ring_leave(struct rpc_task *task);
/* tell its result, or that it was refused */
void rpc_ring_answer(struct rpc_task *task);

/* rpc_tmf.c, rpc_caps.c, rpc_list.c, rpc_show.c, rpc_probe.c, rpc_fault.c, rpc_status.c */
enum rpc_go rpc_abort(const struct rpc_in *in);
enum rpc_go rpc_reset(const struct rpc_in *in);
enum rpc_go rpc_getcap(const struct rpc_in *in);
enum rpc_go rpc_setcap(const struct rpc_in *in);
enum rpc_go rpc_list(const struct rpc_in *in);
enum rpc_go rpc_show(const struct rpc_in *in);
enum rpc_go rpc_probe(const struct rpc_in *in);
enum rpc_go rpc_fault_add(const struct rpc_in *in);
enum rpc_go rpc_fault_list(const struct rpc_in *in);
enum rpc_go rpc_fault_clear(const struct rpc_in *in);
enum rpc_go rpc_hello(const struct rpc_in *in);
enum rpc_go rpc_status(const struct rpc_in *in);

/* rpc_change.c, rpc_smp.c */
enum rpc_go rpc_target_add(const struct rpc_in *in);
enum rpc_go rpc_target_remove(const struct rpc_in *in);
enum rpc_go rpc_lun_add(const struct rpc_in *in);
enum rpc_go rpc_lun_remove(const struct rpc_in *in);
enum rpc_go rpc_expander_add(const struct rpc_in *in);
enum rpc_go rpc_phy_up(const struct rpc_in *in);
enum rpc_go rpc_phy_down(const struct rpc_in *in);
enum rpc_go rpc_resize(const struct rpc_in *in);
enum rpc_go rpc_smp(const struct rpc_in *in);

/* rpc_rescan.c */
enum rpc_go rpc_rescan(const struct rpc_in *in);

/* rpc_export.c, rpc_session.c, rpc_reserve.c */
enum rpc_go rpc_export_list(const struct rpc_in *in);
enum rpc_go rpc_export_change(const struct rpc_in *in);
enum rpc_go rpc_export_reload(const struct rpc_in *in);
enum rpc_go rpc_session_list(const struct rpc_in *in);
enum rpc_go rpc_session_close(const struct rpc_in *in);
enum rpc_go rpc_reserve_status(const struct rpc_in *in);

/* rpc_hba.c: which HBA is meant */
#define RPC_HBA_CANDIDATES	(CONFIG_HBAS_MAX * sizeof(((struct hba *)0)->name))

/* a software HBA that is up; an iSCSI initiator that is, or NULL */
bool rpc_hba_is_soft(const struct hba *hba);
bool rpc_hba_is_iscsi(const struct hba *hba);
/* the software HBA that @path (an HBA, or a unit behind one; NULL or "": the only one) means;
 * NULL: refused already */
struct hba *rpc_hba_soft(const struct rpc_in *in, const char *path);
/* append to blank-separated names; refuse because all of them fit */
void rpc_hba_candidate(char *list, size_t size, const struct hba *hba);
void rpc_hba_ambiguous(const struct rpc_in *in, const char *text, const char *candidates);

/* rpc_ports.c: the end of list: ports, phys, expanders, HBAs (with the units of each, which
 * have been sent). They are looked at on a worker, because the driver may block for it */
void rpc_list_tree(const struct rpc_in *in, const uint32_t units_of[CONFIG_HBAS_MAX]);

/* rpc_event.c */
enum rpc_go rpc_subscribe(const struct rpc_in *in);
void rpc_event_forget(struct rpc_conn *conn);

/* rpc.c */
void rpc_loop_tick_arm(struct rpc_loop *loop);
struct rpc_loop *rpc_loop_of(struct rpc_server *server, struct lu_exec *home);
void rpc_server_conn_gone(struct rpc_server *server, uid_t uid);
/* a packet has completed while the server drains */
void rpc_server_wake(struct rpc_server *server);
/* may one more line about a client be logged now? Some each second; how many were not is
 * logged */
bool rpc_server_may_log(struct rpc_server *server);

/* a Unit message about @unit; its other texts are borrowed from there */
struct rpc_unit_msg {
	Scsad__Unit unit;
	Scsad__Identity identity;
	Scsad__Address address;
	Scsad__Store store;
	char target[40];
	char *aliases[1];
	char detail[PROTO_TEXT_MAX + 1];
};

/* rpc_list.c */
void rpc_unit_fill(struct rpc_unit_msg *m, struct rpc_server *server, const struct lu *unit);

#endif /* DAEMON_RPC_IMPL_H */
