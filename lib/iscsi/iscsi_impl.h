/*
 * iscsi/iscsi_impl.h - what the files of the machine share; this room only
 *
 * What      The structures behind iscsi.h. Files: loop.c (caches), node.c, session.c (binding,
 *           reinstatement, end), conn.c (life), rx.c (bytes to PDUs), request.c (PDUs to
 *           actions), cmd.c, window.c, datain.c, dataout.c, share.c (who may hold
 *           how much), tx.c (queue to pieces), ctl.c
 *           (answers that are no data), tmf.c, recovery.c (SNACK, reassignment), async.c,
 *           entry.c (login of a connection), talk.c (text, NOP), logout.c, tick.c, stats.c.
 * Thread    The loop's. Pointers from session to connection and back are cut by conn_leave().
 * Owner     A cmd slot in use, a tmf and a connection each keep their session's memory;
 *           session_put() frees it when the last is gone.
 */
#ifndef ISCSI_IMPL_H
#define ISCSI_IMPL_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/sm.h"
#include "iscsi/digest.h"
#include "iscsi/iscsi.h"

#define TX_SLOTS		64
#define HASH_BITS		6
#define HEAD_MAX		(ISCSI_BHS_LEN + ISCSI_AHS_LEN_MAX + ISCSI_DIGEST_LEN)
#define AHS_TAKEN_MAX		260	/* more cannot belong to a command we take */
#define CTL_INLINE		ISCSI_BHS_LEN	/* enough for a Reject */
#define GRAVES			64	/* tasks that ended with data still to come */
#define RETAINED_MAX		256	/* answers that a connection keeps for SNACK */
#define DATA_LOST_NS		(5 * NS_PER_S)	/* then data of a write is asked for again */
#define LATE_BYTES_MAX          (1u << 20) /* data of requests that came before their turn */
#define TMFS_MAX		16	/* of one session */
#define SESSIONS_MAX		32768u	/* of one node: half of all TSIHs */
#define FAILED_MAX		1024u	/* of them, without a connection; and of those, */
#define FAILED_NAME_MAX		8u	/* of one initiator name */
#define LOST_MAX		ISCSI_CONNS_MAX	/* connections that a session remembers */
/* whoever may reach a portal may have these: login, discovery */
#define SEND_TARGETS_MAX	(1u << 20)	/* answer: 256 ports of targets with all they have */
#define STRANGER_QUEUED_BYTES	(64u << 10)
#define DISCOVERY_SILENT_NS	(60 * NS_PER_S)

/* ------ loop ------ */

/* one PDU being sent: header (and digest), data, padding (and digest) */
struct tx_slot {
	uint8_t head[ISCSI_BHS_LEN + ISCSI_DIGEST_LEN];
	uint8_t tail[3 + ISCSI_DIGEST_LEN + 1];
	uint8_t head_len, tail_len;
	bool is_cmd;
	uint32_t data_len;
	const uint8_t *data;
	void *owner;			/* struct iscsi_cmd or struct iscsi_ctl */
};

struct tx_ring {
	SLIST_ENTRY(tx_ring) entry;	/* loop: unused ones */
	struct tx_slot slot[TX_SLOTS];
};

LIST_HEAD(conn_list, iscsi_conn);
LIST_HEAD(session_list, iscsi_session);

struct cmd_block;
STAILQ_HEAD(cmd_free_list, iscsi_tx_item);

struct iscsi_loop {
	const struct iscsi_host_ops *ops;
	void *host;
	struct iscsi_limits limits;
	struct iscsi_login_ops login_ops;	/* entry.c's, with the host's CHAP */
	uint64_t now_ns;
	uint8_t *rx;			/* limits.rx_bytes */
	uint32_t rx_used;		/* of them: received and not parsed */
	TAILQ_HEAD(, iscsi_conn) received;	/* who did, in that order */
	struct conn_list conns;
	LIST_HEAD(, iscsi_node) nodes;
	LIST_HEAD(, iscsi_cmd) cmds;	/* unused slots, by hash_entry */
	SLIST_HEAD(, cmd_block) blocks;
	SLIST_HEAD(, tx_ring) rings;
	STAILQ_HEAD(, iscsi_tx_item) ctls;
	LIST_HEAD(, iscsi_tmf) tmfs;
	uint32_t n_cmds;		/* slots that exist */
	uint32_t n_cmds_free;
	uint32_t n_rings_free;
	uint32_t n_ctls_free;
	uint32_t cmd_bytes;		/* of a slot */
	uint64_t held_bytes;		/* by writes of all sessions */
	bool is_reset_due;		/* a node has one */
};

/* loop.c */
struct iscsi_cmd *loop_take_cmd(struct iscsi_loop *loop);	/* NULL: none, or no memory */
void loop_put_cmd(struct iscsi_loop *loop, struct iscsi_cmd *cmd);
struct tx_ring *loop_take_ring(struct iscsi_loop *loop);
void loop_put_ring(struct iscsi_loop *loop, struct tx_ring *ring);
struct iscsi_tmf *loop_take_tmf(struct iscsi_loop *loop);
void loop_put_tmf(struct iscsi_loop *loop, struct iscsi_tmf *tmf);

/* ------ node ------ */

struct iscsi_node {
	struct iscsi_loop *loop;
	void *host;
	char *name;
	struct iscsi_node_config config;	/* its name points to name */
	struct session_list sessions;
	uint32_t n_sessions;		/* that have not ended */
	uint32_t n_failed;		/* of them, in Q4 */
	uint32_t n_refs; /* sessions whose memory is there, connections on the way */
	uint16_t last_tsih;
	bool is_ended;
	bool is_reset_due;		/* cold: tmf_resets_run() */
	struct iscsi_stats stats;	/* of sessions that are gone */
	LIST_ENTRY(iscsi_node) entry;
};

/* ------ session ------ */

/* RFC 7143 8.3.2 */
enum session_state {
	Q1_FREE,
	Q2_ACTIVE,
	Q3_LOGGED_IN,
	Q4_FAILED,
	Q5_IN_CONTINUE,
	SESSION_NSTATES
};

/* a request other than a SCSI command that came before its CmdSN, or a hole that was aborted */
struct late {
	TAILQ_ENTRY(late) entry;	/* session, in order of CmdSN */
	uint32_t cmd_sn;
	struct iscsi_cmd *cmd;		/* a SCSI command, or NULL */
	struct iscsi_conn *conn;	/* where it came in; NULL: answer to nobody */
	uint32_t data_len;
	bool is_hole;			/* it was aborted: only its place is left */
	bool opens;			/* its turn opens the window by one */
	uint8_t bhs[ISCSI_BHS_LEN];
	uint8_t data[];
};

/* a task that is gone while its initiator may still send data: that is swallowed */
struct grave {
	uint32_t itt;
	uint32_t ttt;
	bool is_used;
};

/* a connection that failed and whose tasks may be taken over (8.2.2: R1 .. R3) */
enum cleanup_state { R1_CLEANUP_WAIT, R2_IN_CLEANUP, R3_FREE, CLEANUP_NSTATES };

struct lost {
	LIST_ENTRY(lost) entry;
	uint16_t cid;
	unsigned int sm;		/* enum cleanup_state */
	uint32_t stat_sn;		/* next one it would have sent */
	uint64_t until_ns;		/* R1: Time2Wait, then Time2Retain */
};

struct iscsi_session {
	uint32_t exp_cmd_sn;
	uint32_t max_cmd_sn;
	uint32_t owed;			/* commands that hold a place in the window */
	uint32_t debt;			/* places held back because memory is short */
	uint32_t n_cmds;		/* slots in use */
	uint32_t n_barriers;   /* ORDERED commands that were not given to the host yet */
	uint32_t n_collecting; /* commands that have had their turn and wait for data */
	uint32_t n_immediate;		/* immediate requests in flight */
	uint32_t arrivals;		/* immediate commands so far */
	uint32_t n_late;
	uint32_t late_bytes;
	uint16_t window;
	uint16_t n_conns;
	uint16_t n_tmfs;
	bool is_dead;			/* ended: answers go nowhere */
	bool is_short;			/* of memory: the window opens no further */
	bool is_feeding;		/* share_feed() is at work, or will be */
	bool has_begun;			/* session_begin() said 0 */
	bool has_recovery;		/* ErrorRecoveryLevel above 0 */
	bool needs_acks;		/* ExpStatSN matters */
	struct iscsi_loop *loop;
	struct iscsi_node *node;	/* NULL: discovery */
	struct conn_list conns;
	TAILQ_HEAD(cmd_list, iscsi_cmd) tasks;	/* not answered yet, in order of arrival */
	TAILQ_HEAD(, iscsi_cmd) hungry;	/* writes that wait for their share, in that order */
	TAILQ_HEAD(late_list, late) late;
	LIST_HEAD(, iscsi_tmf) tmfs;
	LIST_HEAD(, lost) lost;
	LIST_HEAD(cmd_bucket, iscsi_cmd) hash[1u << HASH_BITS];
	struct iscsi_params params;
	unsigned int sm;		/* enum session_state */
	uint32_t next_ttt;
	uint32_t retained_bytes;
	uint64_t held_bytes;		/* by writes that are not done */
	uint64_t until_ns;		/* Q4: end of Time2Retain; logout asked for: deadline */
	uint64_t failed_ns;		/* Q4: since when */
	struct grave graves[GRAVES];
	unsigned int next_grave;
	void *host;
	struct iscsi_session_info info;
	struct iscsi_stats stats;	/* of connections that are gone */
	LIST_ENTRY(iscsi_session) entry;	/* node */
	char *texts;			/* info's texts point here */
};

extern const struct sm_state session_states[SESSION_NSTATES];
extern const struct sm_state cleanup_states[CLEANUP_NSTATES];

/* session.c */
int session_new(struct iscsi_loop *loop, struct iscsi_node *node,
    const struct iscsi_login_result *who, struct iscsi_session **ret_session) MUST_CHECK;
void session_put(struct iscsi_session *session);	/* free it if nothing keeps it */
uint16_t session_bind(struct iscsi_conn *conn, const struct iscsi_login_result *who,
    struct iscsi_login_bind *ret);
uint16_t session_lookup(struct iscsi_node *node, const struct iscsi_login_result *who);
void session_close(struct iscsi_session *session, enum iscsi_end why, struct iscsi_conn *but);
void session_conn_lost(struct iscsi_session *session, struct iscsi_conn *conn, bool is_clean);
struct iscsi_conn *session_conn(const struct iscsi_session *session, uint16_t cid);
struct lost *session_lost(const struct iscsi_session *session, uint16_t cid);
void lost_free(struct iscsi_session *session, struct lost *lost);
void orphans_trim(struct iscsi_session *session);
void session_tick(struct iscsi_session *session);

/* ------ conn ------ */

/* RFC 7143 8.1.3; S2 is the initiator's */
enum conn_state {
	S1_FREE, S2_XPT_WAIT, S3_XPT_UP, S4_IN_LOGIN, S5_LOGGED_IN, S6_IN_LOGOUT,
	S7_LOGOUT_REQUESTED, S8_CLEANUP_WAIT, CONN_NSTATES
};

enum rx_step { RX_HEAD, RX_DATA, RX_TAIL };

/* where the data segment under way goes */
enum rx_kind { RX_DROP, RX_CMD, RX_BURST, RX_CTL };

struct iscsi_conn {
	struct iscsi_loop *loop;
	struct iscsi_session *session;	/* NULL in login, and once it ended */
	unsigned int sm;		/* enum conn_state */
	bool is_closing;  /* want_close() was called: nothing is received any more */
	bool is_send_due; /* want_send() was called and tx() had something since */
	bool is_full;			/* rx() said 0: want_recv() is owed */
	bool is_moving;			/* between two loops: from move() on */
	bool is_detached;		/* on no loop's list */
	bool has_lost_node;		/* its target went while it logged in */
	bool is_parsing;
	bool has_header_digest;
	bool has_data_digest;
	bool is_resync;			/* the last header had a wrong digest */

	/* received and not parsed: on the loop's list while rx_got is above 0 */
	uint32_t rx_got;
	uint32_t rx_direct;		/* the first of them are where dest was */
	uint8_t *rx_at;			/* the others, in the loop's buffer */
	TAILQ_ENTRY(iscsi_conn) received_entry;

	/* receiving */
	enum rx_step step;
	enum rx_kind kind;
	uint32_t head_got;
	uint32_t seg_len;		/* of the data segment under way */
	uint32_t seg_left;
	uint32_t tail_got;
	uint32_t tail_len;		/* padding and digest */
	uint8_t *dest;			/* where the rest of the segment goes; NULL: nowhere */
	uint8_t *seg;			/* RX_CTL: memory for the whole segment, or NULL */
	struct iscsi_cmd *rx_cmd;	/* RX_CMD, RX_BURST; pinned. NULL: it went away */
	uint32_t rx_ttt;		/* RX_BURST */
	bool rx_counts;			/* RX_BURST: the data is taken */

	/* sending */
	uint32_t stat_sn;		/* of the next status */
	uint32_t acked_sn; /* first StatSN that the initiator has not acknowledged */
	uint32_t max_recv;		/* longest data segment that we declared to take */
	uint32_t max_send;		/* longest data segment that the initiator takes */
	uint32_t queued_bytes;		/* data of answers in txq */
	uint32_t ring_head, ring_tail;	/* slots made and sent */
	uint32_t tx_off;		/* bytes of the first slot that are sent */
	uint32_t n_retained;
	uint32_t exp_cmd_sn, max_cmd_sn;	/* once the session is gone */
	struct tx_ring *ring;
	STAILQ_HEAD(, iscsi_tx_item) txq;
	struct cmd_list retained;
	TAILQ_HEAD(, iscsi_ctl) kept;	/* the same for other answers */

	uint64_t heard_ns;		/* when bytes last came */
	uint64_t nop_ns;		/* when a NOP-In was sent that is not answered; 0 */
	uint64_t until_ns;		/* login, or logout asked for: deadline; 0 none */
	uint32_t nop_ttt;
	uint16_t cid;

	/* login */
	struct iscsi_login *login;
	struct iscsi_node *node;	/* known, and counted there until the session is */
	uint8_t *login_data;		/* of the request that waits for the move */

	/* text of the full feature phase */
	struct iscsi_gather gather;
	struct iscsi_text_out text;
	uint32_t text_itt;
	uint32_t text_ttt;

	uint8_t *held;			/* bytes received that are not parsed yet */
	size_t held_len;
	size_t held_pos;

	void *host;
	LIST_ENTRY(iscsi_conn) entry;	/* loop */
	LIST_ENTRY(iscsi_conn) session_entry;
	struct iscsi_stats stats;
	struct iscsi_portal portal;
	uint8_t tail[3 + ISCSI_DIGEST_LEN + 1];
	uint8_t head[HEAD_MAX];
};

extern const struct sm_state conn_states[CONN_NSTATES];

/* conn.c */
void conn_close(struct iscsi_conn *conn, enum iscsi_end why);
void conn_leave(struct iscsi_conn *conn, bool is_clean); /* its session goes on without it */
void conn_wake(struct iscsi_conn *conn); /* want_recv(), if it is owed and there is room */
bool conn_has_room(const struct iscsi_conn *conn);

/* rx.c */
void rx_forget_cmd(struct iscsi_conn *conn, struct iscsi_cmd *cmd);
void rx_held(struct iscsi_conn *conn);		/* parse what was kept back */
void rx_fini(struct iscsi_conn *conn);

/* what a header leads to, before its data segment is there */
struct rx_plan {
	enum rx_kind kind;
	uint8_t *dest;
};

/* request.c */
void request_begin(struct iscsi_conn *conn, const uint8_t *bhs, const uint8_t *ahs,
    uint32_t ahs_len, struct rx_plan *plan);
void request_end(struct iscsi_conn *conn, const uint8_t *bhs, const uint8_t *data,
    uint32_t len);
void request_run(struct iscsi_conn *conn, const uint8_t *bhs, const uint8_t *data,
    uint32_t len);
void request_bad_data(struct iscsi_conn *conn, const uint8_t *bhs);

/* ------ tx ------ */

/* a PDU that is no data of a command */
struct iscsi_ctl {
	struct iscsi_tx_item tx;
	TAILQ_ENTRY(iscsi_ctl) entry;	/* conn: kept for SNACK */
	uint8_t bhs[ISCSI_BHS_LEN];
	bool has_status;		/* takes a StatSN of its own */
	bool is_numbered;		/* has taken it: sent again as it is */
	bool is_kept;			/* on its connection's list, for SNACK */
	uint16_t slots;			/* transmit slots that point into it */
	uint32_t stat_sn;
	uint32_t data_len;
	uint8_t *data;			/* inlined, or memory of its own */
	uint8_t inlined[CTL_INLINE];
};

/* tx.c */
void tx_add(struct iscsi_conn *conn, struct iscsi_tx_item *item);
void tx_remove(struct iscsi_conn *conn, struct iscsi_tx_item *item);
void tx_kick(struct iscsi_conn *conn);
void tx_fini(struct iscsi_conn *conn);	/* everything that is queued goes away */
void tx_ack(struct iscsi_conn *conn, uint32_t exp_stat_sn);	/* ErrorRecoveryLevel 1 */
void tx_sns(const struct iscsi_conn *conn, struct iscsi_sns *ret);
uint32_t tx_end_sn(const struct iscsi_conn *conn); /* StatSN behind all that is queued */
void tx_forget_kept(struct iscsi_conn *conn);

/* ctl.c */
struct iscsi_ctl *ctl_new(struct iscsi_loop *loop, const void *data, uint32_t len);
void ctl_put(struct iscsi_loop *loop, struct iscsi_ctl *ctl); /* free it if nothing keeps it */
void ctl_send(struct iscsi_conn *conn, struct iscsi_ctl *ctl);
void ctl_reject(struct iscsi_conn *conn, const uint8_t *bhs, enum iscsi_reject reason);

/* datain.c */
void datain_rewind(struct iscsi_cmd *cmd, uint32_t data_sn);
bool datain_next(struct iscsi_conn *conn, struct iscsi_cmd *cmd, struct tx_slot *slot);
void datain_sent(struct iscsi_conn *conn, struct iscsi_cmd *cmd);

/* ------ commands ------ */

enum cmd_state {
	CMD_FREE, CMD_ARRIVED, CMD_READY, CMD_GIVEN, CMD_ANSWERING, CMD_RETAINED, CMD_NSTATES
};

extern const struct sm_state cmd_states[CMD_NSTATES];

/* cmd.c */
struct iscsi_cmd *cmd_new(struct iscsi_conn *conn, const uint8_t *bhs);
void cmd_go(struct iscsi_cmd *cmd); /* its turn has come and its data, if wanted, may have */
void cmd_refuse(struct iscsi_cmd *cmd, uint16_t asc);
void cmd_abort(struct iscsi_cmd *cmd);
void cmd_answered(struct iscsi_cmd *cmd);	/* nothing more of it is to be sent now */
void cmd_unmake(struct iscsi_cmd *cmd);
void cmd_unpin(struct iscsi_cmd *cmd);
void cmd_free(struct iscsi_cmd *cmd);
void cmd_drop_data(struct iscsi_cmd *cmd);
bool cmd_is_whole(const struct iscsi_cmd *cmd);
uint32_t cmd_kept_bytes(const struct iscsi_cmd *cmd);	/* memory that its data takes */
struct iscsi_cmd *cmd_find(const struct iscsi_session *session, uint32_t itt);
void cmd_turn(struct iscsi_cmd *cmd);
void cmd_run_ready(struct iscsi_session *session);
/* a function for all tasks ends it: nothing of it goes on, but whether its initiator hears of it
 * is known when the function is answered. "Complete": cmd_abort(); refused: cmd_end_undo(), it is
 * answered BUSY, because whoever is told that nothing was done waits for an answer */
void cmd_end(struct iscsi_cmd *cmd);
void cmd_end_undo(struct iscsi_cmd *cmd);
bool cmd_is_ended(const struct iscsi_cmd *cmd);

/* window.c */
enum window { WINDOW_NOW, WINDOW_LATE, WINDOW_OUT };
enum window window_judge(const struct iscsi_session *session, uint32_t cmd_sn);
bool window_keep(struct iscsi_conn *conn, const uint8_t *bhs, struct iscsi_cmd *cmd,
    const uint8_t *data, uint32_t len);
void window_advance(struct iscsi_session *session);	/* exp_cmd_sn has come; what follows? */
bool window_void(struct iscsi_session *session, uint32_t cmd_sn);
void window_forget_conn(struct iscsi_session *session, const struct iscsi_conn *conn);
void window_forget_cmd(struct iscsi_session *session, const struct iscsi_cmd *cmd);
void window_take(struct iscsi_session *session, struct iscsi_cmd *cmd);
void window_give(struct iscsi_session *session, struct iscsi_cmd *cmd);
void window_squeeze(struct iscsi_session *session);
void window_pay(struct iscsi_session *session);
void late_free(struct iscsi_session *session, struct late *late);

/* dataout.c */
void dataout_begin(struct iscsi_cmd *cmd, uint32_t immediate);
void dataout_unfilled(struct iscsi_cmd *cmd);
void dataout_immediate_lost(struct iscsi_cmd *cmd);
void dataout_bury(struct iscsi_session *session, uint32_t itt);
void dataout_header(struct iscsi_conn *conn, const uint8_t *bhs, struct rx_plan *plan);
/* it was rejected for its form: its data is swallowed, its command ends when the sequence does */
void dataout_rejected(struct iscsi_conn *conn, const uint8_t *bhs, struct rx_plan *plan);
void dataout_segment(struct iscsi_conn *conn, const uint8_t *bhs);
void dataout_lost(struct iscsi_conn *conn, const uint8_t *bhs);	/* its digest was wrong */
void dataout_solicit(struct iscsi_cmd *cmd);
void dataout_end(struct iscsi_cmd *cmd);	/* no more data is waited for */
bool dataout_tick(struct iscsi_cmd *cmd);
uint32_t dataout_bytes(const struct iscsi_cmd *cmd);	/* memory that its data takes */
/* memory for all of it in place of what holds the beginning; false: none, it is refused */
bool dataout_grow(struct iscsi_cmd *cmd);
void dataout_again(struct iscsi_cmd *cmd);	/* R2Ts on another connection */
bool dataout_resend_r2t(struct iscsi_cmd *cmd, uint32_t begin, uint32_t end);

/* share.c: fair parts of limits.held_bytes */
bool share_has_room(const struct iscsi_session *session, uint32_t bytes);
void share_hold(struct iscsi_cmd *cmd, uint32_t bytes);
void share_give(struct iscsi_cmd *cmd);		/* what it holds */
void share_wait(struct iscsi_cmd *cmd);		/* until share_feed() finds room */
void share_leave(struct iscsi_cmd *cmd);
/* something was given back, or what came unasked is here: ask for data of those that wait */
void share_feed(struct iscsi_session *session);

/* ------ task management and recovery ------ */

void tmf_request(struct iscsi_conn *conn, const uint8_t *bhs);
void tmf_conn_gone(struct iscsi_session *session, const struct iscsi_conn *conn);
/* is a function at work that ends it, another one than @but? */
bool tmf_is_ending(const struct iscsi_session *session, const struct iscsi_cmd *cmd,
    const struct iscsi_tmf *but);
void tmf_run_barriers(struct iscsi_session *session);
void tmf_acked(struct iscsi_session *session);
void tmf_resets_run(struct iscsi_loop *loop);	/* nobody is at work on a session: those due */
void tmf_end_all(struct iscsi_session *session);
void snack_request(struct iscsi_conn *conn, const uint8_t *bhs);
enum iscsi_tmf_response reassign_task(struct iscsi_conn *conn, const uint8_t *bhs,
    struct iscsi_cmd **ret_cmd);
void reassign_go(struct iscsi_conn *conn, struct iscsi_cmd *cmd, uint32_t exp_data_sn);

/* talk.c, logout.c, entry.c, async.c */
void talk_nop(struct iscsi_conn *conn, const uint8_t *bhs, const uint8_t *data, uint32_t len);
void talk_ping(struct iscsi_conn *conn);
void talk_ping_now(struct iscsi_conn *conn);
void talk_text(struct iscsi_conn *conn, const uint8_t *bhs, const uint8_t *data, uint32_t len);
void talk_fini(struct iscsi_conn *conn);
void logout_request(struct iscsi_conn *conn, const uint8_t *bhs);
extern const struct iscsi_login_ops entry_ops;
void entry_begin(struct iscsi_conn *conn, const uint8_t *bhs, struct rx_plan *plan);
void entry_end(struct iscsi_conn *conn, const uint8_t *bhs, const uint8_t *data);
void entry_resume(struct iscsi_conn *conn);
void entry_fini(struct iscsi_conn *conn);
void async_send(struct iscsi_conn *conn, enum iscsi_async event, const uint8_t *lun,
    const uint16_t params[3], const void *data, uint32_t len);

/* stats.c */
void stats_add(struct iscsi_stats *sum, const struct iscsi_stats *more);

#endif /* ISCSI_IMPL_H */
