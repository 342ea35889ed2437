/*
 * iscsi/iscsi_hba_impl.h - inside of the iSCSI initiator HBA
 *
 * What      The driver proper: packets in, sessions with a thread each, packets out. A command
 *           lives in the packet's pkt_ha_private.
 * Command
 *
 *                 start               sent                 answered
 *           idle -------> queued ---------------> sent -----------------> idle
 *            ^              |                      |                        ^
 *            |              | abort, reset,        | abort, reset (when the |
 *            +--------------+ target gone          | target has said so),   |
 *                                                  +-- session lost --------+
 *
 *           A queued command belongs to nobody: whoever takes it off the queue, with the lock
 *           held, may finish it. A sent one is the thread's: others leave an order.
 * Session
 *                      +--------------------- lost, refused ---------------+
 *                      v                                |                  |
 *           down --- pause over, stop not asked --> opening -- logged in -> up
 *             |                                         |                   |
 *             +------------ stop asked -----------------+--> over <-- ending
 *
 * Orders    Abort, clear task set, resets: left with the session by whoever wants them, who
 *           waits; or by the thread itself when a command's time is over. The thread sends the
 *           function, the answer decides what becomes of the commands. No answer in time: the
 *           session is lost, which ends everything. While a reset or a clear is under way
 *           nothing else is sent.
 * Ladder    pkt_time over: ABORT TASK; if that does not help LOGICAL UNIT RESET; then the
 *           session ends.
 * Locks     session->lock: queue, lists, orders, counters, units. The thread holds no lock
 *           while it is inside libiscsi or completes packets. hba->lock: the map. It is taken
 *           before that of a session, if both are. notify_lock: by itself.
 */
#ifndef ISCSI_ISCSI_HBA_IMPL_H
#define ISCSI_ISCSI_HBA_IMPL_H

#include <sys/scsi/scsi.h>

#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/scsi/impl/scsi_reset_notify.h>
#include <sys/scsi/impl/services.h>
#include <sys/scsi/impl/tgtmap.h>
#include <sys/thread.h>

#include "base/sm.h"
#include "hw/iscsi/iscsi_hba.h"
#include "hw/iscsi/wire.h"

#define IH_INITIATOR_ID		ISCSI_HBA_TARGETS	/* beyond every target address */
#define IH_SETTLE_US		10000
#define IH_CSYNC_US		5000000
#define IH_QUEUE_MAX		1024	/* commands of a session, sent ones included */
#define IH_ORDERS		8	/* of a session's own making, at one time */
#define IH_TICK_MS		250	/* how late a timeout may be noticed */
#define IH_REDIRECTS_MAX	4	/* one after the other */
#define IH_RETRY_FIRST_MS	100	/* the pause that doubles; none before the first try */
#define IH_STABLE_MS		10000	/* up for so long: the next loss begins with no pause */
#define IH_LOGOUT_MS		2000
#define IH_ADDR_LEN		8
#define IH_NEVER		UINT64_MAX
#define IH_ANY_LUN		(-1)

enum ih_cmd_state { IH_IDLE, IH_QUEUED, IH_SENT, IH_CMD_STATE_N };
enum ih_state { IH_DOWN, IH_OPENING, IH_UP, IH_ENDING, IH_OVER, IH_STATE_N };

extern const struct sm_state ih_cmd_states[IH_CMD_STATE_N];
extern const struct sm_state ih_states[IH_STATE_N];

struct ih_cmd {
	struct scsi_pkt *pkt;
	struct ih_unit *unit;
	TAILQ_ENTRY(ih_cmd) link;	/* queue, sent, or the list of who ends it */
	unsigned int state;		/* enum ih_cmd_state */
	uint8_t why;			/* CMD_*: what ended it first; CMD_CMPLT: nothing */
	uint_t stats;			/* STAT_* that came with it */
	uint64_t deadline_ns;		/* sent: when pkt_time is over; IH_NEVER */
	uint64_t serial;		/* of this use: names it to orders */
	struct wire_slot *slot;		/* sent */
};

TAILQ_HEAD(ih_cmds, ih_cmd);

/* what a scsi_device is about; its HBA private */
struct ih_unit {
	LIST_ENTRY(ih_unit) link;
	struct ih_session *session;
	uint16_t lun;			/* first two bytes, as on the wire */
	unsigned int holds;		/* who stands on it without a lock */
	bool is_marked;			/* reset: its clients are to be told. Under the lock */
	atomic_int caps[SCSI_CAP_N];	/* what setcap has changed; else -1 */
	struct scsi_reset_notify_entry *notify;	/* under hba->notify_lock */
};

enum ih_what { IH_ABORT, IH_CLEAR, IH_RESET_LUN, IH_RESET_TARGET, IH_RESET_BUS, IH_WHAT_N };

struct ih_order {
	TAILQ_ENTRY(ih_order) link;	/* orders, then active */
	struct wire_tmf tmf;
	enum ih_what what;
	uint16_t lun;
	const struct ih_cmd *cmd;	/* abort: this one, */
	uint64_t serial;		/* if it is still in this use */
	uint8_t why;			/* what ends the commands, and what comes with it */
	uint_t stats;
	bool is_own;			/* one of the session's: nobody waits */
	bool is_used;			/* own: taken. Under the lock, as the next two */
	bool is_over, is_done;		/* it is; and it did what was wanted */
	bool is_relogin;		/* a new session will have done it */
	uint64_t deadline_ns;
};

TAILQ_HEAD(ih_orders, ih_order);

struct ih_session {
	struct iscsi_hba *hba;
	char addr[IH_ADDR_LEN];
	struct iscsi_hba_target conf;
	uint16_t index;
	kt_did_t thread;
	int kick_fd;			/* wakes the thread */

	kmutex_t lock;			/* of what follows */
	kcondvar_t cv;			/* an order is over; nactive or holds has reached 0 */
	unsigned int state;		/* enum ih_state; changed by the thread alone */
	struct ih_cmds queue, sent;
	struct ih_orders orders;	/* not begun */
	LIST_HEAD(, ih_unit) units;
	uint32_t nqueued, nsent;
	uint32_t nactive;		/* accepted and not completed */
	uint64_t serial;
	bool is_asleep;			/* or about to: needs a kick */
	bool want_stop;
	bool is_gone;			/* not reported, or not any more */
	bool is_known;			/* the first word about it has been heard */
	struct iscsi_hba_info info;	/* counters, texts; is_reported: under hba->lock, too */

	/* the thread's alone */
	struct wire *wire;		/* NULL while down */
	struct ih_orders active;	/* sent */
	struct ih_cmds done;		/* filled in, to be completed */
	struct ih_order own[IH_ORDERS];
	unsigned int nbarriers;		/* active ones that let nothing be sent */
	bool is_relogin;		/* a reset wants a new session */
	bool is_redirected;
	char redirect[ISCSI_HBA_PORTAL_LEN];
	unsigned int nredirects, nfailed;
	uint64_t open_ns, up_ns;	/* when that began */
	uint64_t lost_ns;		/* since when it is not up though reported; 0 */
	uint64_t retry_ns;		/* not before */
	uint64_t tick_ns;		/* when commands were last looked at for their time */
	uint64_t heard_ns, ping_ns;	/* last sign of life; NOP-Out sent, or 0 */
	uint64_t pongs;
};

struct iscsi_hba {
	LIST_ENTRY(iscsi_hba) link;
	dev_info_t *dip;
	scsi_hba_tran_t *tran;
	char name[32];
	char initiator[ISCSI_HBA_NAME_LEN];
	struct ih_session *sessions;
	size_t nsessions;
	atomic_bool is_quiesced;
	atomic_int caps[SCSI_CAP_N];

	kmutex_t lock;			/* of the map, and of is_reported of the sessions */
	kcondvar_t cv;			/* is_known of a session */
	scsi_hba_tgtmap_t *map;		/* NULL while there is none */
	kmutex_t notify_lock;
};

static inline struct ih_unit *
ih_unit_of(struct scsi_address *ap)
{
	return scsi_device_hba_private_get(scsi_address_device(ap));
}

/* init.c: the life of a session's connection; the thread */
void ih_open(struct ih_session *s, uint64_t now_ns);
/* ih_settle() - the wire may have moved on, time has: do what follows from it */
void ih_settle(struct ih_session *s, uint64_t now_ns);
void ih_move(struct ih_session *s, enum ih_state to);
/* ih_ping() - ask a target that has been quiet if it is there; lose one that is not */
void ih_ping(struct ih_session *s, uint64_t now_ns);

/* fail.c; the thread */
/* ih_lose() - close the connection, if there is one; commands that were sent end. down */
void ih_lose(struct ih_session *s, uint64_t now_ns, const char *why);
/* ih_grace() - report the target gone when its time is over */
void ih_grace(struct ih_session *s, uint64_t now_ns);
/* ih_pause_ns() - pause before try @nfailed + 1 after a loss: 0 at first, then doubling up to
 * @max_ms, a quarter of it as @noise (0..255) has it */
uint64_t ih_pause_ns(unsigned int nfailed, uint32_t max_ms, uint8_t noise);

/* ring.c: the queue and what leaves it */
void ih_kick(struct ih_session *s);		/* the lock is held: wake the thread if it sleeps */
void ih_send_all(struct ih_session *s);		/* the thread */
/* ih_mark() - the lock is held: @cmd is to end for @why. The first reason stays */
void ih_mark(struct ih_cmd *cmd, uint8_t why, uint_t stats);
/* ih_is_of() - is @cmd for @lun? IH_ANY_LUN: always */
static inline bool
ih_is_of(const struct ih_cmd *cmd, int lun)
{
	return lun == IH_ANY_LUN || cmd->unit->lun == lun;
}
/* ih_take_queued() - the lock is held: move queued commands for @lun to @list, marked. How
 * many */
unsigned int ih_take_queued(struct ih_session *s, int lun, uint8_t why, uint_t stats,
    struct ih_cmds *list);
/* ih_done() - the thread, no lock: a sent command is filled in; off the sent list */
void ih_done(struct ih_session *s, struct ih_cmd *cmd);

/* worker.c */
void ih_worker(void *arg);		/* a session's thread */

/* start.c */
int ih_start(struct scsi_address *ap, struct scsi_pkt *pkt);
void ih_command_of(const struct ih_cmd *cmd, struct iovec iov[WIRE_IOV_MAX],
    struct wire_command *ret);

/* intr.c: from the target's answer to the packet's result */
void ih_answered(void *arg, void *cmd, const struct wire_answer *answer);
/* ih_fill() - the packet's result out of an answer */
void ih_fill(struct scsi_pkt *pkt, const struct wire_answer *answer, uint64_t bytes);
void ih_finish(struct ih_cmd *cmd);		/* on no list, no lock held; completes the packet */
void ih_finish_all(struct ih_cmds *list);

/* tmf.c */
int ih_abort(struct scsi_address *ap, struct scsi_pkt *pkt);
int ih_reset(struct scsi_address *ap, int level);
int ih_bus_reset(dev_info_t *dip, int level);
int ih_clear_task_set(struct scsi_address *ap);
int ih_reset_notify(struct scsi_address *ap, int flag, void (*callback)(caddr_t), caddr_t arg);
int ih_quiesce(dev_info_t *dip);
int ih_unquiesce(dev_info_t *dip);

/* order.c; the thread */
void ih_orders_run(struct ih_session *s, uint64_t now_ns);
/* ih_times_run() - commands and orders whose time is over */
void ih_times_run(struct ih_session *s, uint64_t now_ns);
void ih_orders_fail(struct ih_session *s);	/* the session is lost: all are over */
void ih_tmf_answered(void *arg, struct wire_tmf *tmf, uint8_t response);
void ih_tell_resets(struct ih_session *s);	/* marked units: tell their clients */

/* topo.c */
int ih_iport_attach(dev_info_t *dip);
int ih_iport_detach(dev_info_t *dip);
int ih_tgt_init(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd);
void ih_tgt_free(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd);
/* ih_report() - tell the map, if there is one, that the target is there, or not */
void ih_report(struct ih_session *s, bool is_there);
/* ih_known() - the first word about a target; who waits for it in attach goes on */
void ih_known(struct ih_session *s);
/* ih_lun_wire() - the first two bytes of @lun64 in wire form; false: it has more levels */
bool ih_lun_wire(scsi_lun64_t lun64, uint16_t *ret);

/* hba.c */
int ih_hba_new(dev_info_t *dip, struct iscsi_hba **ret_hba);	/* out of properties; DDI_* */
void ih_hba_free(struct iscsi_hba *hba);
struct iscsi_hba *ih_hba_find(dev_info_t *dip);	/* its node, port, or a unit below; NULL */
void ih_sessions_start(struct iscsi_hba *hba);
void ih_sessions_stop(struct iscsi_hba *hba);	/* logged out, threads joined */

/* event.c: what people should know */
void ih_say_up(struct ih_session *s);
void ih_say_lost(struct ih_session *s, const char *why, bool was_up);
void ih_say_gone(struct ih_session *s);

/* caps.c */
void ih_caps_init(atomic_int caps[SCSI_CAP_N]);
int ih_getcap(struct scsi_address *ap, char *cap, int whom);
int ih_setcap(struct scsi_address *ap, char *cap, int value, int whom);

#endif /* ISCSI_ISCSI_HBA_IMPL_H */
