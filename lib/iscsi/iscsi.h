/*
 * iscsi/iscsi.h - the target side of iSCSI as a machine fed with bytes and time
 *
 * What      The front door of the room. The process above owns sockets, threads and the clock;
 *           it hands received bytes and the time in, takes bytes to send and SCSI commands out.
 *           loop     what connections of one thread share: caches, the receive buffer
 *           node     one target: its name, its portal groups, its sessions
 *           session  one I_T nexus: command window, tasks, connections
 *           conn     one byte stream
 *           cmd      one SCSI command from its first PDU to the last byte of its answer
 *           tmf      one task management request
 * Life      conn: iscsi_conn_new (login) -> moved to its node -> full feature phase ->
 *           want_close() -> iscsi_conn_free. session: session_begin() -> session_end() -> freed
 *           with its last cmd. cmd: (admit()) -> command() -> iscsi_cmd_done() -> sent.
 * Owner     The room owns sessions, cmds and tmfs; the caller owns loops, nodes and conns.
 * Thread    A loop and everything on it belong to one thread. A connection is born on the loop
 *           that accepted it; host op move() carries it to the loop of its node once its first
 *           Login Request said which. No call blocks, takes a lock or looks at a clock.
 * Limits    struct iscsi_limits and the names below. No memory is allocated for a command once
 *           the caches of the loop are warm; an idle session holds neither buffers nor slots.
 * Results   Answers of SCSI (status, sense) are carried, never made up, except BUSY when there
 *           is no memory for a command, or a function has ended it that is then refused.
 *           Protocol errors end in a Reject PDU or a closed connection, each with a counter in
 *           struct iscsi_stats.
 * Source    RFC 7143 (iSCSI), RFC 7144 (SCSI features update), RFC 3720 for old initiators
 */
#ifndef ISCSI_ISCSI_H
#define ISCSI_ISCSI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/uio.h>

#include "base/compiler.h"
#include "iscsi/chap.h"
#include "iscsi/discovery.h"
#include "iscsi/keys.h"
#include "iscsi/login.h"
#include "iscsi/name.h"
#include "iscsi/pdu.h"

#define ISCSI_SENSE_MAX		252
#define ISCSI_CONNS_MAX		16		/* of one session */
#define ISCSI_WINDOW_MAX	1024		/* commands of one session */
#define ISCSI_IMMEDIATE_MAX     32 /* immediate requests of one session in flight */
#define ISCSI_RX_IOV_MAX	2
#define ISCSI_TX_IOV_MIN	8		/* fewer pieces are not enough to send with */
#define ISCSI_ADDRESS_MAX	64		/* "[addr]:port" with its NUL */

struct iscsi_cmd;
struct iscsi_conn;
struct iscsi_loop;
struct iscsi_node;
struct iscsi_session;
struct iscsi_tmf;

/* ------ what the process above provides ------ */

/* why a connection or a session ends */
enum iscsi_end {
	ISCSI_END_PEER,			/* the byte stream ended (iscsi_conn_free) */
	ISCSI_END_LOGOUT,		/* the initiator logged out */
	ISCSI_END_LOGIN_FAILED,		/* the login was refused; the answer is queued */
	ISCSI_END_LOGIN_TIMEOUT,	/* limits.login_ms without a session */
	ISCSI_END_PROTOCOL,		/* an error that only a new connection heals */
	ISCSI_END_DIGEST,		/* header or data digest wrong and no recovery */
	ISCSI_END_SILENT,		/* no answer to a NOP-In; discovery: nothing for a minute */
	ISCSI_END_REINSTATED,		/* the initiator logged in anew over it */
	ISCSI_END_RETAIN,		/* session: Time2Retain passed without a connection */
	ISCSI_END_RESET,		/* TARGET COLD RESET */
	ISCSI_END_ADMIN,		/* iscsi_session_end(), iscsi_node_end() */
	ISCSI_END_RESOURCES,		/* no memory for the connection to go on */
	ISCSI_END_N
};

/* iscsi_end_name() - the reason in words for a log line */
const char *iscsi_end_name(enum iscsi_end why);

struct iscsi_host_ops {
	/* --- login --- */

	/*
	 * Is there such a target, and may this initiator see it from where it comes
	 * (iscsi_conn_portal())? iscsi/login.h says what to fill in; ret->window and the offer
	 * are those of the node. In a discovery session (who->is_discovery) *ret_node stays
	 * NULL, else it is the node; it must stay until move() was called for @conn, and if
	 * that said false, until iscsi_conn_attach() or iscsi_conn_free() of it. Any loop.
	 * Returns an enum iscsi_login_status.
	 */
	uint16_t (*find_target)(struct iscsi_conn *conn, const struct iscsi_login_result *who,
	    struct iscsi_login_target *ret, struct iscsi_node **ret_node);
	/* questions of CHAP; their @arg is the struct iscsi_conn; the loop it is on */
	struct iscsi_chap_ops chap;
	/*
	 * @conn belongs to @node now. True: the node lives on this very loop, go on. False:
	 * stop receiving; iscsi_conn_detach() it, and call iscsi_conn_attach() on the thread of
	 * the node's loop. At most once for each connection, inside iscsi_loop_parse().
	 */
	bool (*move)(struct iscsi_conn *conn, struct iscsi_node *node);
	/* SendTargets: write what this initiator may see (iscsi/discovery.h); @name for
	 * ISCSI_SEND_ONE. A normal session asks only about its own target */
	void (*send_targets)(struct iscsi_conn *conn, enum iscsi_send_targets what,
	    const char *name, struct iscsi_text_out *out);

	/* --- sessions; the node's loop --- */

	/* a normal session is about to reach the full feature phase on @conn: open its nexuses.
	 * 0, or -errno: the login is refused (-ENOMEM, -EAGAIN: out of resources; else target
	 * error). iscsi_session_set_host() keeps what belongs to it */
	int (*session_begin)(struct iscsi_session *session, struct iscsi_conn *conn);
	/* its nexuses are lost; commands that the host still has are orphans: they are to be
	 * finished with iscsi_cmd_done() all the same. Once for each session_begin()
	 * that said 0 */
	void (*session_end)(struct iscsi_session *session, enum iscsi_end why);
	/* the last reference is gone (every command was finished, and nothing of their data is
	 * being sent): its node may be idle now; may be NULL */
	void (*session_free)(struct iscsi_session *session);

	/* --- commands; the node's loop --- */

	/*
	 * a command is known, in order of arrival, its write data is not: how many bytes of it
	 * are wanted, 0 .. cmd->edtl. What the initiator sends beyond is dropped, what is
	 * missing is solicited. Only for cmd->dir ISCSI_DIR_WRITE; NULL: cmd->edtl, at most
	 * limits.xfer_max_bytes.
	 */
	uint32_t (*admit)(struct iscsi_cmd *cmd);
	/*
	 * a whole command: execute it. All wanted write data is in cmd->data. Finish it with
	 * iscsi_cmd_done() or iscsi_cmd_drop(), now or later, once.
	 */
	void (*command)(struct iscsi_cmd *cmd);
	/* act on @tmf, then iscsi_tmf_done(), now or later, once */
	void (*tmf)(struct iscsi_tmf *tmf);
	/* a slot was made or is about to be freed: @priv is iscsi_cmd_priv(); may be NULL */
	void (*cmd_init)(void *priv);
	void (*cmd_fini)(void *priv);

	/* --- memory; the loop that it belongs to --- */

	/* @bytes (1 .. limits.xfer_max_bytes) of memory for data of a command, any contents;
	 * NULL: none now. buf_put() gets the same number */
	void *(*buf_get)(struct iscsi_loop *loop, uint32_t bytes);
	void (*buf_put)(struct iscsi_loop *loop, void *buf, uint32_t bytes);

	/* --- the byte stream; the loop that it belongs to --- */

	/* iscsi_conn_tx() has something, and did not have before; also inside other calls */
	void (*want_send)(struct iscsi_conn *conn);
	/* iscsi_conn_rx() said 0 and would not any more */
	void (*want_recv)(struct iscsi_conn *conn);
	/* send what iscsi_conn_tx() still gives (within a time limit of your own), close, and
	 * iscsi_conn_free(); once, never from inside iscsi_conn_free() of the same @conn */
	void (*want_close)(struct iscsi_conn *conn, enum iscsi_end why);
};

/* bounds of a loop; 0 takes the default */
struct iscsi_limits {
	uint32_t rx_bytes; /* receive buffer of the loop: 256 KiB; 64 KiB .. 4 MiB */
	uint32_t xfer_max_bytes;	/* data of one command: 8 MiB; at most 2^31 */
	uint32_t cmd_slots_max;		/* commands of the whole loop: 65536 */
	uint32_t tx_queued_bytes; /* answers that wait in one connection before it stops to
					 * receive: 8 MiB; in login and discovery always 64 KiB */
	uint32_t retained_bytes; /* data of answers that one session keeps until acknowledged
				  * (ErrorRecoveryLevel 1), and of tasks whose connection is
				  * lost (2): 4 MiB each */
	uint64_t held_bytes; /* data of writes that are not done, of all sessions: no bound. One
			      * session holds as much as is left for others, at most, and one
			      * command always; what it wants beyond is not asked for (R2T)
			      * before it has given something back */
	uint32_t login_ms;		/* 10000 */
	uint32_t cmd_priv_bytes;	/* iscsi_cmd_priv(): 0 .. 16384 */
	uint32_t tmf_priv_bytes;	/* iscsi_tmf_priv(): 0 .. 16384 */
};

/* ------ loop ------ */

/**
 * iscsi_loop_new() - what the connections of one thread share
 *
 * @ops      borrowed until iscsi_loop_free()
 * @host     the caller's object for this thread: iscsi_loop_host()
 * @limits   copied; NULL takes the defaults
 *
 * Returns:  0
 *           -EINVAL   a limit is out of range
 *           -ENOMEM
 */
int iscsi_loop_new(const struct iscsi_host_ops *ops, void *host,
    const struct iscsi_limits *limits, struct iscsi_loop **ret_loop) MUST_CHECK;

/* iscsi_loop_free() - NULL is fine; no connection and no node may be left on it */
void iscsi_loop_free(struct iscsi_loop *loop);

void *iscsi_loop_host(const struct iscsi_loop *loop);

/* iscsi_loop_time() - it is @now_ns (monotonic); once a wake-up, before anything else */
void iscsi_loop_time(struct iscsi_loop *loop, uint64_t now_ns);

/**
 * iscsi_loop_parse() - parse all that was received, connection by connection
 *
 * To be called once after the sockets that were readable have been read: what one connection
 * after the other goes through stays in the caches. Calls admit(), command(), tmf(),
 * want_send(), want_recv(), want_close(), move().
 */
void iscsi_loop_parse(struct iscsi_loop *loop);

/* iscsi_loop_tick() - look at every deadline of the loop: login, NOP-In, Time2Retain; about
 * once a second. Gives back caches that were not needed since the last call */
void iscsi_loop_tick(struct iscsi_loop *loop, uint64_t now_ns);

/* ------ node ------ */

struct iscsi_node_config {
	const char *name;		/* normalised iqn., eui. or naa. name; copied */
	uint16_t window; /* commands of one session: 128; 1 .. ISCSI_WINDOW_MAX */
	uint16_t sessions_max;		/* 0: 32768, as for anything above. A new one takes the
					 * place of one that has lost its last connection */
	uint32_t wait_max_s;		/* a session with a longer Time2Wait is not kept when its
					 * last connection is lost, nor are tasks of one that is:
					 * as if Time2Retain were 0. 0: no limit */
	uint32_t nop_interval_ms; /* silence after which a NOP-In asks; 0: never (some boot
					 * firmware takes a NOP-In for an error) */
	uint32_t nop_timeout_ms;  /* silence after that which ends the connection: 30000 */
	bool keeps_cold_reset;    /* TARGET COLD RESET answers and keeps the connections */
};

/**
 * iscsi_node_new() - a target without sessions
 *
 * @loop     where it lives; borrowed until iscsi_node_free()
 * @config   its texts are copied
 *
 * Returns:  0
 *           -EINVAL   a value is out of range
 *           -ENOMEM
 */
int iscsi_node_new(struct iscsi_loop *loop, const struct iscsi_node_config *config, void *host,
    struct iscsi_node **ret_node) MUST_CHECK;

/* iscsi_node_set() - new values for sessions to come (and NOP times of present ones); the name
 * stays. 0, -EINVAL */
int iscsi_node_set(struct iscsi_node *node, const struct iscsi_node_config *config) MUST_CHECK;

/* iscsi_node_end() - end all sessions and refuse new ones ("target removed"): want_close() for
 * every connection */
void iscsi_node_end(struct iscsi_node *node, enum iscsi_end why);

/* iscsi_node_is_idle() - no connection, no session, no command is left: it may be freed */
bool iscsi_node_is_idle(const struct iscsi_node *node);

/* iscsi_node_free() - NULL is fine; it must be idle */
void iscsi_node_free(struct iscsi_node *node);

void *iscsi_node_host(const struct iscsi_node *node);
const char *iscsi_node_name(const struct iscsi_node *node);
struct iscsi_loop *iscsi_node_loop(const struct iscsi_node *node);

/* ------ session ------ */

/* counters; kept for each connection, added up for sessions and nodes */
struct iscsi_stats {
	uint64_t commands;		/* SCSI commands given to the host */
	uint64_t reads;			/* of them: read direction */
	uint64_t writes;
	uint64_t read_bytes;		/* Data-In payload sent */
	uint64_t written_bytes;		/* immediate and Data-Out payload taken */
	uint64_t rx_bytes;
	uint64_t tx_bytes;
	uint64_t rx_pdus;
	uint64_t tx_pdus;
	uint64_t r2ts;
	uint64_t tmfs;
	uint64_t rejects;		/* Reject PDUs sent */
	uint64_t dropped_pdus;		/* ignored in silence, as the RFC says: CmdSN outside of
					 * the window, data for tasks that are gone */
	uint64_t header_digest_errors;
	uint64_t data_digest_errors;
	uint64_t snacks;
	uint64_t resent_pdus;		/* answers to SNACK */
	uint64_t reassigned;		/* tasks moved to another connection */
	uint64_t nop_timeouts;
	uint64_t no_buffer;		/* commands answered BUSY for lack of memory */
};

/* what a session is; constant while it lives, texts included */
struct iscsi_session_info {
	const char *initiator;
	const char *initiator_alias;	/* foreign bytes; "" when not given */
	const char *user;		/* of CHAP, foreign bytes; "" when not authenticated */
	uint8_t isid[ISCSI_ISID_LEN];
	uint16_t tsih;
	uint16_t portal_group;
	uint8_t error_recovery_level;
	bool is_discovery;
	uint64_t began_ns;
};

const struct iscsi_session_info *iscsi_session_info(const struct iscsi_session *session);
/* iscsi_session_node() - NULL in a discovery session */
struct iscsi_node *iscsi_session_node(const struct iscsi_session *session);
const struct iscsi_params *iscsi_session_params(const struct iscsi_session *session);

/* iscsi_session_set_host(), iscsi_session_host() - one pointer of the caller's */
void iscsi_session_set_host(struct iscsi_session *session, void *host);
void *iscsi_session_host(const struct iscsi_session *session);

/* iscsi_session_next() - walk the sessions of @node; NULL begins, NULL ends */
struct iscsi_session *iscsi_session_next(const struct iscsi_node *node,
    const struct iscsi_session *session);

/* iscsi_session_conn_next() - walk the connections of @session in the same way */
struct iscsi_conn *iscsi_session_conn_next(const struct iscsi_session *session,
    const struct iscsi_conn *conn);

/* iscsi_session_stats() - counters of @session, connections that are gone included */
void iscsi_session_stats(const struct iscsi_session *session, struct iscsi_stats *ret_stats);

/* iscsi_node_stats() - counters of @node, sessions that are gone included */
void iscsi_node_stats(const struct iscsi_node *node, struct iscsi_stats *ret_stats);

/* iscsi_session_tasks() - commands between their first PDU and the end of their answer */
uint32_t iscsi_session_tasks(const struct iscsi_session *session);

/* iscsi_session_end() - close it from our side: its connections get an Asynchronous Message
 * "drops all connections" and want_close() */
void iscsi_session_end(struct iscsi_session *session, enum iscsi_end why);

/* iscsi_session_ask_logout() - Asynchronous Message "logout requested within @seconds" on every
 * connection; those that have not logged out by then are closed. A session without connections
 * ends at once */
void iscsi_session_ask_logout(struct iscsi_session *session, uint16_t seconds);

/**
 * iscsi_session_async() - report an asynchronous event of SCSI (AEN)
 *
 * @lun      8 bytes
 * @sense    fixed or descriptor sense data
 *
 * Returns:  0, -ENOTCONN (no connection in full feature phase), -ENOMEM
 * Source:   RFC 7143 11.9, event 0
 */
int iscsi_session_async(struct iscsi_session *session, const uint8_t lun[8], const void *sense,
    size_t sense_len) MUST_CHECK;

/* iscsi_session_tasks_ended() - tasks of this session on the unit at @lun were ended by another
 * initiator: Asynchronous Message 5, when TaskReporting=FastAbort was negotiated */
void iscsi_session_tasks_ended(struct iscsi_session *session, const uint8_t lun[8]);

/* ------ conn ------ */

/* how a connection came in; copied */
struct iscsi_portal {
	uint16_t portal_group;
	char local[ISCSI_ADDRESS_MAX];	/* "127.0.0.1:3260", "[::1]:3260" */
	char remote[ISCSI_ADDRESS_MAX];
};

/**
 * iscsi_conn_new() - a connection was accepted; its login deadline starts now
 *
 * @host     one pointer of the caller's: iscsi_conn_host()
 *
 * Returns:  0, -ENOMEM
 * Owner:    caller: iscsi_conn_free()
 */
int iscsi_conn_new(struct iscsi_loop *loop, const struct iscsi_portal *portal, void *host,
    struct iscsi_conn **ret_conn) MUST_CHECK;

/* iscsi_conn_free() - the byte stream is closed; NULL is fine. Not from inside a call of the
 * host's operations */
void iscsi_conn_free(struct iscsi_conn *conn);

/* iscsi_conn_detach() - take it off its loop, to be attached elsewhere; after move() said
 * false. The loop that it was born on must stay until its login is over */
void iscsi_conn_detach(struct iscsi_conn *conn);

/* iscsi_conn_attach() - go on, on the loop of the node that move() was told; in that thread.
 * What was received before is parsed now */
void iscsi_conn_attach(struct iscsi_conn *conn);

void *iscsi_conn_host(const struct iscsi_conn *conn);
const struct iscsi_portal *iscsi_conn_portal(const struct iscsi_conn *conn);
struct iscsi_loop *iscsi_conn_loop(const struct iscsi_conn *conn);
struct iscsi_session *iscsi_conn_session(const struct iscsi_conn *conn); /* NULL in login */
uint16_t iscsi_conn_cid(const struct iscsi_conn *conn);
/* CRC32C on what it sends and receives, since it is in the full feature phase */
void iscsi_conn_digests(const struct iscsi_conn *conn, bool *ret_header, bool *ret_data);
void iscsi_conn_stats(const struct iscsi_conn *conn, struct iscsi_stats *ret_stats);

/* iscsi_conn_state() - the label of RFC 7143 7.1.3 ("S3 XPT_UP" ...) */
const char *iscsi_conn_state(const struct iscsi_conn *conn);

/**
 * iscsi_conn_rx() - where the next bytes are to be received
 *
 * Shape:    up to ISCSI_RX_IOV_MAX pieces; the rest of a data segment goes straight into the
 *           buffer of its command, what follows into the receive buffer of the loop. They are
 *           good until any other call on the same loop
 * Returns:  how many pieces; 0: do not receive until want_recv()
 *
 * Where @conn has bytes that are not parsed, or the receive buffer is filling up, it is
 * iscsi_loop_parse() first.
 */
unsigned int iscsi_conn_rx(struct iscsi_conn *conn, struct iovec iov[ISCSI_RX_IOV_MAX]);

/* iscsi_conn_received() - @bytes (above 0) were received into what iscsi_conn_rx() just gave;
 * they wait for iscsi_loop_parse() */
void iscsi_conn_received(struct iscsi_conn *conn, size_t bytes);

/**
 * iscsi_conn_tx() - what to send
 *
 * @iov      pieces of as many PDUs as fit into @max pieces
 * @max      at least ISCSI_TX_IOV_MIN; 64 to 128 is good
 *
 * Returns:  how many pieces; 0: nothing to send. They stay good until iscsi_conn_sent()
 */
unsigned int iscsi_conn_tx(struct iscsi_conn *conn, struct iovec *iov, unsigned int max);

/* iscsi_conn_sent() - the first @bytes of what iscsi_conn_tx() gave are sent (copied by the
 * kernel); fewer than all is fine. Buffers of finished answers are given back */
void iscsi_conn_sent(struct iscsi_conn *conn, size_t bytes);

/* ------ cmd ------ */

enum iscsi_dir { ISCSI_DIR_NONE, ISCSI_DIR_READ, ISCSI_DIR_WRITE };

#include "iscsi/cmd.h"

/* how a command ended */
struct iscsi_result {
	uint8_t status;			/* of SCSI */
	bool is_failure;		/* no status: iSCSI response "target failure" (01h) */
	uint16_t sense_len;		/* 0 .. ISCSI_SENSE_MAX */
	const void *sense;		/* copied */
	uint32_t moved;			/* read: bytes of cmd->data that are valid; write: bytes
					 * that were taken; 0 .. cmd->edtl */
	uint64_t overflow;		/* bytes that the command wanted to move beyond EDTL */
};

/**
 * iscsi_cmd_buf() - take memory for the data of a read
 *
 * @bytes    1 .. min(cmd->edtl, limits.xfer_max_bytes)
 *
 * Shape:    cmd->data is @bytes long, any contents. A host that has the data in memory of its
 *           own sets cmd->data and cmd->release instead; it must stay until release()
 * Returns:  0
 *           -ENOBUFS   none now; answer BUSY or TASK SET FULL
 *           -EMSGSIZE  more than the limit
 */
int iscsi_cmd_buf(struct iscsi_cmd *cmd, uint32_t bytes) MUST_CHECK;

/**
 * iscsi_cmd_done() - the command ended: queue its answer
 *
 * The data is sent from where it is, so it must not change before it is sent; the status rides
 * in the last Data-In PDU when there is no sense. Residuals are computed: EDTL - moved under,
 * or overflow. If the command was aborted meanwhile, or its session ended, nothing is sent.
 * @cmd is not to be touched afterwards.
 *
 * Thread:   the node's loop; also from inside command()
 * Source:   RFC 7143 11.4, 11.7
 */
void iscsi_cmd_done(struct iscsi_cmd *cmd, const struct iscsi_result *result);

/* iscsi_cmd_drop() - it ended and SAM says that nobody hears of it: aborted by task management of
 * its own nexus, or by another one with TAS = 0. While a function for all tasks is at work on it
 * that decides: when it is refused in the end, the command is answered BUSY */
void iscsi_cmd_drop(struct iscsi_cmd *cmd);

/* ------ tmf ------ */

struct iscsi_tmf {
	/* input; valid in tmf() and until iscsi_tmf_done() */
	struct iscsi_session *session;
	enum iscsi_tmf_function fn;	/* never TASK REASSIGN */
	const uint8_t *lun;		/* 8 bytes; meaningless for target resets */
	struct iscsi_cmd *cmd;		/* ABORT TASK, QUERY TASK: given to command() and not
					 * finished yet. It stays valid until iscsi_tmf_done(),
					 * cmd->is_finished says if it ended meanwhile */
	uint8_t additional[3];		/* out: additional response information (RFC 7144) */

	/* lib/iscsi only */
	bool is_given;			/* the host has it */
	bool is_waiting;		/* for commands with a smaller CmdSN */
	bool is_fenced;			/* for acknowledgement on other connections */
	enum iscsi_tmf_response response;
	struct iscsi_conn *conn;	/* NULL when it is gone: no answer */
	uint32_t itt;
	uint32_t cmd_sn;
	uint32_t arrival;		/* immediate commands that came before it */
	uint32_t fence_sn[ISCSI_CONNS_MAX];	/* StatSN that a connection is to acknowledge */
	uint16_t fence_cid[ISCSI_CONNS_MAX];
	unsigned int n_fences;
	LIST_ENTRY(iscsi_tmf) entry;
	uint8_t bhs[ISCSI_BHS_LEN];
};

/* iscsi_tmf_priv() - limits.tmf_priv_bytes of the caller's, aligned to 64; zero when made, left
 * alone afterwards */
void *iscsi_tmf_priv(struct iscsi_tmf *tmf);

/**
 * iscsi_tmf_done() - the request was acted on: queue its answer
 *
 * Commands that it ended were finished before (iscsi_cmd_done() or iscsi_cmd_drop()); what the
 * room itself still held of them (write data to come) it ended before tmf(). With a response other
 * than "complete" those are answered BUSY: their initiator is told that nothing was done, and
 * waits for them. TARGET COLD RESET ends all sessions of the node once its answer is sent. @tmf is
 * gone.
 */
void iscsi_tmf_done(struct iscsi_tmf *tmf, enum iscsi_tmf_response response);

#endif /* ISCSI_ISCSI_H */
