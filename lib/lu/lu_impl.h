/*
 * lu/lu_impl.h - the inside of a unit
 *
 * What      struct lu and the calls between the files of this room: attach.c (driver side),
 *           identity.c (who are you), registry.c (find), check.c (is this CDB acceptable),
 *           submit.c (the way in), taskset.c (whose turn it is), local.c (answered here),
 *           task.c (issue, complete), pkts.h (packets), watch.c (what the device's answers
 *           say), media.c (what an operator wants to hear of), refresh.c (ask the device
 *           again), mode.c (write protection for some), prevent.c, tmf.c, abort.c, reset.c,
 *           recover.c (commands that do not come back), nexus.c, ua.c, policy.c, caps.c, and
 *           the units' parts of ALUA, copies and tokens.
 * Thread    Members are grouped by who may touch them.
 */
#ifndef LU_LU_IMPL_H
#define LU_LU_IMPL_H

#include <stdatomic.h>
#include <sys/scsi/scsi.h>
#include <sys/ksynch.h>
#include <uthash.h>

#include "base/sm.h"
#include "lu/local.h"
#include "lu/lu.h"
#include "lu/recover.h"

#define LU_SCB_LEN                                                             \
	((int)(sizeof(struct scsi_arq_status) - SENSE_LENGTH + LU_SENSE_MAX))
/* TRAN_BUSY with nothing in flight: when to try again */
#define LU_HOLD_TICK_MS		10
#define LU_XFER_MAX		(16u << 20)	/* bytes of a task, unless the HBA does less */
_Static_assert(SCSI_CAP_N <= 32, "masks of capabilities have a bit for each");
#define LU_DEPTH_DEFAULT	UINT32_MAX	/* the HBA says when it is full */
#define LU_SPARES_MAX		256	/* packets that a unit keeps for its next tasks: as many
					 * as a turn of a busy loop brings */
#define LU_ABORT_WAIT_MS	2000	/* detach: patience after an abort, and after a reset */

/*
 *	idle --> held --> issued --> done --> idle
 *	  |       |  ^       ^        ^
 *	  |       v  |       |        |
 *	  +----> local ------+        |        its handler passes it on, or ends it
 *	  |       |                   |
 *	  +-------+-------------------+        refused by the HBA, dropped, out of patience
 *	  +----> issued --> held               the device is asked again (watch.c)
 */
enum lu_task_state {
	LU_TASK_IDLE,
	LU_TASK_HELD,
	LU_TASK_LOCAL,		/* in the hands of its handler (local.h) */
	LU_TASK_ISSUED,
	LU_TASK_DONE,
	LU_TASK_N
};

/* why a CDB is not taken: -errno of lu_submit(), or sense data (submit.c) */
enum lu_refusal {
	LU_REFUSE_NOTHING,
	LU_REFUSE_CALL,		/* the call makes no sense: -EINVAL always */
	LU_REFUSE_SHORT,	/* CDB shorter than its opcode demands */
	LU_REFUSE_LONG,		/* CDB longer than the HBA takes */
	LU_REFUSE_LARGE,	/* more data than the unit takes */
	LU_REFUSE_ACCESS,	/* class not allowed */
	LU_REFUSE_UNKNOWN,	/* no row, and not allowed to send such */
	LU_REFUSE_DIRECTION,
	LU_REFUSE_N
};

/* what the device's Control mode page says (SPC-4 7.5.8) */
struct lu_control {
	uint8_t tst;		/* 0: one task set, 1: one for each nexus */
	uint8_t qerr;		/* 0, 1: all tasks go, 3: those of the nexus */
	bool is_descriptor;	/* D_SENSE */
	bool has_tas;		/* TAS */
	bool has_interlock;	/* UA_INTLCK_CTRL 1xb: a unit attention stays until REQUEST
				 * SENSE takes it */
	bool has_status_ua;	/* 11b: BUSY and its likes raise one */
};

extern const struct sm_state lu_task_states[LU_TASK_N];

enum lu_state { LU_ACTIVE, LU_DRAINING, LU_GONE, LU_STATE_N };

TAILQ_HEAD(lu_task_list, lu_task);

struct lu_counter {
	_Atomic uint64_t v;	/* written by the home thread only */
};

struct lu {
	/* constant while published */
	struct lu_info info;
	char *texts;			/* what info's pointers lead to */
	uint64_t id;
	struct lu_host *host;
	struct lu_exec *home;
	struct scsi_device *sd;
	dev_info_t *dip;
	struct copy_desig *idents;	/* what copies name it by; n_idents of them */
	size_t n_idents;

	/* any thread */
	_Atomic unsigned int refs;
	_Atomic unsigned int state;	/* enum lu_state; moves at home */
	_Atomic unsigned int n_tokens;	/* good ones for its blocks (token.h) */
	_Atomic uint32_t block_bytes;	/* info's, or 0: it may be another by now, and is asked
					 * for (refresh.c); moves at home */
	struct {
		struct lu_counter tasks, refused, read_bytes, written_bytes, checks,
		    media_errors;
		struct lu_counter transport_errors, held, busy, orphans, aborts, resets,
		    in_flight, expired;
	} stats;

	/* registry lock */
	UT_hash_handle hh;

	/* home */
	struct lu_task_list held_first;	/* HEAD OF QUEUE tasks waiting for room */
	TAILQ_HEAD(, lu_nexus) turns;	/* nexuses with held tasks, the next one first */
	struct lu_task_list issued;	/* with the HBA, in order of issue */
	uint32_t n_held, n_issued, n_local;
	uint32_t n_spares;
	struct scsi_pkt *spares;	/* packets without a task, the last one used first; by
					 * pkt_private */
	uint32_t depth;			/* tasks that may be issued now */
	uint32_t depth_max;		/* its limit, by HBA or configuration */
	uint32_t timeout_ms;		/* of tasks that bring none */
	uint32_t depth_good;		/* completions since the last change of depth */
	struct lu_task_set set;
	struct lu_control control;
	uint32_t policy;		/* 1 << enum lu_policy: left to the device */
	struct lu_nexus own;		/* internal nexus, for lu_ask(); not in nexuses */
	uint32_t n_preventing;		/* nexuses that prevent medium removal */
	struct lu_reservations *reservations;	/* reserve.h */
	bool is_reserved;		/* by anybody, in any way (reserve.c) */
	struct alua *alua;		/* alua.h */
	struct lu_copies *copies;	/* copy.h */
	bool has_had_tokens;		/* token.h */
	uint64_t born;			/* of the last task accepted */
	uint64_t seq;			/* of the last task issued */
	uint64_t reset_seq;		/* seq when the last reset was told */
	uint64_t stable_seq;		/* of the last flush that succeeded */
	TAILQ_HEAD(, loss_kept) losses;	/* loss.c: who left before a flush; oldest first */
	unsigned int n_losses;
	bool is_watching;		/* completions are looked at, good ones too */
	bool is_reset_told;		/* nexuses know of a reset that the device may still
					 * have to tell us */
	uint32_t n_resets;		/* resets that reach the unit and are not over */
	uint64_t reset_returned;	/* tasks that ended with CMD_RESET, ever */
	LIST_HEAD(, lu_nexus) nexuses;
	uint32_t n_after;		/* of them: wait for changes of others */
	STAILQ_HEAD(lu_tmf_list, lu_tmf) barriers;	/* resets that wait for older tasks */
	struct lu_tmf_list followers;	/* aborts that wait for others' to end */
	uint8_t refresh_due;		/* LU_REFRESH_* not begun */
	uint8_t refresh_tries;		/* answers that were ended by others */
	bool is_capacity_unknown;	/* it did not say: it is asked again when it is ready */
	struct lu_ask *refresh;		/* under way */
	struct lu_work_list refreshed;	/* what waits for its end */
	const struct lu_nexus *refresh_by;	/* who caused it and needs no telling */
	bool has_news;			/* an event is owed when it is over: */
	struct sense_data news;
	struct {
		uint64_t told_ns;	/* when; 0: never */
		uint64_t n;		/* not told yet */
	} media[LU_MEDIA_N];
	const struct lu_media_report *media_report;	/* during an event; else NULL */
	struct lu_recovery *recovery;	/* a climb of the ladder (recover.c) */
	struct lu_recover_times recover_times;
	uint32_t n_expired;		/* issued tasks that should be back */
	bool is_frozen;			/* nothing is issued while it lasts */
	_Atomic bool is_offline;	/* given up; read by all */
	bool is_silent;			/* its HBA cannot touch memory any more */
	bool is_tick_armed;
	uint64_t ticks;			/* seconds with something in flight */
	timeout_id_t tick_timer;
	struct lu_work tick_work;	/* timer -> home */
	bool is_hba_busy;		/* it had no room, and nothing has come back since */
	bool is_hold_timer_armed;
	timeout_id_t hold_timer;
	struct lu_work hold_work;	/* timer -> home */

	/* lock */
	kmutex_t lock;
	kcondvar_t cv;
	unsigned int users;		/* workers inside lu_enter() .. lu_exit() */
	bool is_closed;			/* no new users */
	bool is_home_done;		/* an answer of the home thread to a detach */
	bool is_drained;
	struct lu_work detach_work;
	kmutex_t ask_lock;		/* workers that use sd_inq or set capabilities, and: */
	uint32_t caps_asked;		/* 1 << SCSI_CAP_*: whether it can be set is known */
	uint32_t caps_settable;		/* those that can */
	struct lu_work reset_work;	/* reset notification -> event */
	_Atomic bool is_reset_due;	/* reset_work is on its way */
};

static inline void
lu_count(struct lu_counter *c, uint64_t n)
{
	/* one writer: no need for a locked addition */
	atomic_store_explicit(&c->v, atomic_load_explicit(&c->v, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

static inline bool
lu_has_tokens(const struct lu *lu)
{
	return atomic_load_explicit(&lu->n_tokens, memory_order_relaxed) > 0;
}

/* lu_is_active(), on the way of every command */
static inline bool
unit_is_active(const struct lu *lu)
{
	return atomic_load_explicit(&lu->state, memory_order_relaxed) == LU_ACTIVE;
}

/* may one more be issued? */
static inline bool
unit_has_room(const struct lu *lu)
{
	return lu->n_issued < lu->depth && lu->n_resets == 0 && !lu->is_hba_busy &&
	    !lu->is_frozen;
}

/* attach.c */
extern struct lu_host *lu_host_now;

/* lu_enter() - keep the device for a while; 0, or -ENODEV. Threads that may block only */
int lu_enter(struct lu *lu) MUST_CHECK;
void lu_exit(struct lu *lu);

/* identity.c: fill info from the device; 0, -EIO when it is no use, -ENOMEM */
int lu_identify(struct lu *lu) MUST_CHECK;
dev_info_t *lu_hba_node(const struct lu *lu);
/* a VPD page as the device gives it, in @size bytes; how many, or -errno. Worker */
ssize_t lu_identify_page(struct lu *lu, uint8_t page, void *buf, size_t size) MUST_CHECK;

/* registry.c */
int lu_publish(struct lu *lu) MUST_CHECK;	/* 0 or -ENOMEM */
void lu_unpublish(struct lu *lu);

/* check.c: may this task be sent to that unit? Sets op, cdb_used, expected, device_len */
enum lu_refusal lu_task_check(struct lu_task *task, const struct lu *lu);

/* task.c, home only */
void lu_task_finish(struct lu_task *task);
/* end one that the HBA has and will not return, nor move data for; a packet that does come back
 * is left alone. Nothing happens to one that has come back already, or is being aborted */
void lu_task_abandon(struct lu_task *task, struct lu *lu);
/* end a task that is not with the HBA: done() at the end of the turn */
void lu_task_end(struct lu_task *task, uint8_t reason, uint32_t statistics);
/* the same, as if the device had answered with @status */
void lu_task_end_status(struct lu_task *task, uint8_t status);
void lu_task_end_sense(struct lu_task *task, const struct sense_data *sense);
/* to its handler or the HBA; false: no room in the HBA now, nothing has changed */
bool lu_task_run(struct lu_task *task, struct lu *lu) MUST_CHECK;
void lu_task_move(struct lu_task *task, enum lu_task_state to);

/* submit.c, home only: does a unit attention, a reservation or an access state stop the task?
 * Then it has been ended */
bool lu_task_is_stopped(struct lu_task *task, struct lu *lu) MUST_CHECK;

/* taskset.c, home only */
void lu_set_init(struct lu_task_set *set);
void lu_set_leave_special(struct lu_task *task, struct lu_task_set *set);

static inline void
lu_set_leave(struct lu_task *task)
{
	struct lu_task_set *set = STEAL(task->set);

	if (set == NULL)
		return;
	if (LIKELY(set->n_special == 0))
		set->n_now--;
	else
		lu_set_leave_special(task, set);
}

/* run a task or hold it, as order, depth and fairness want; @is_ordered: its attribute counts */
void lu_set_add(struct lu_task *task, struct lu *lu, bool is_ordered);
void lu_hold(struct lu_task *task, struct lu *lu);
void lu_held_remove(struct lu_task *task, struct lu *lu);
void lu_held_end_all(struct lu *lu, uint8_t reason, uint32_t statistics);
void lu_held_run(struct lu *lu);
void lu_hold_work(struct lu_work *w);

/* local.c, home only: the handler of a command, or NULL: it is the device's */
lu_local_fn *lu_local_find(const struct lu *lu, const struct op_info *op);

static inline lu_local_fn *
lu_local_of(const struct lu *lu, const struct op_info *op)
{
	return LIKELY(op == NULL || lu_local_ops[op->id] == NULL) ? NULL : lu_local_find(lu, op);
}
void lu_local_start(struct lu_task *task, struct lu *lu, lu_local_fn *fn);

/* watch.c, home only: the device has answered. True: it shall be asked again, because what it
 * answered is known already */
bool lu_watch_done(struct lu *lu, struct lu_task *task) MUST_CHECK;
/* what is worth a look at a command that ended well; 0: nothing */
extern const uint8_t lu_watch_ops[OP_N];

static inline bool
lu_is_watched(const struct lu *lu, const struct lu_task *task)
{
	return task->status != 0 || lu->is_watching || task->after != NULL ||
	    (task->op != NULL && lu_watch_ops[task->op->id] != 0);
}

/* what is watched for has changed */
void lu_watch_update(struct lu *lu);

/* a reset reached the unit: who has to hear of it does, what it ends is over */
void lu_reset_happened(struct lu *lu, uint16_t asc);

/* refresh.c, home only: ask the device again what may have changed. @by: NULL, or who caused it
 * and hears nothing. @news: NULL, or what the host is told when the answers are there */
#define LU_REFRESH_CAPACITY	0x01
#define LU_REFRESH_MODES	0x02	/* Control page, write protection */
void lu_refresh(struct lu *lu, uint8_t what, const struct lu_nexus *by,
    const struct sense_data *news);
/* lu_refresh_wait() - @fn at home when all has been answered that is being asked; false:
 * nothing is, and @w is still the caller's */
bool lu_refresh_wait(struct lu *lu, struct lu_work *w, lu_work_fn fn) MUST_CHECK;
/* a command that needs blocks went well: if it was not ready when it was asked, it is now */
static inline void
lu_refresh_ready(struct lu *lu, const struct lu_nexus *by)
{
	if (UNLIKELY(lu->is_capacity_unknown) && lu->refresh == NULL)
		lu_refresh(lu, LU_REFRESH_CAPACITY, by, NULL);
}

/* the same answers while the unit attaches */
void lu_capacity_take10(struct lu *lu, const uint8_t *data, size_t len, bool *ret_need16);
void lu_capacity_take16(struct lu *lu, const uint8_t *data, size_t len);
#define LU_MODES_LEN	36	/* header of MODE SENSE(6), and the Control page */
void lu_modes_take(struct lu *lu, const uint8_t *data, size_t len);
size_t lu_modes_cdb(uint8_t *cdb);
/* is it of a type that has a capacity? */
bool lu_has_blocks(const struct lu *lu);

/* mode.c, home only: handler of MODE SENSE; what its answer depends on */
lu_local_fn lu_mode_sense;
bool lu_mode_may_write(uint32_t classes);

/* prevent.c, home only: handler of PREVENT ALLOW MEDIUM REMOVAL; a nexus that leaves allows; a
 * reset lets all allow */
void lu_prevent_allow(struct lu *lu, struct lu_task *task);
void lu_prevent_nexus_lost(struct lu_nexus *nexus);
void lu_prevent_reset(struct lu *lu);

/* media.c, home only: a task ended with CHECK CONDITION; the host hears of a change */
void lu_media_note(struct lu *lu, const struct lu_task *task);
void lu_news_tell(struct lu *lu, const struct sense_data *sense);

/* tmf.c, home only */
void lu_tmf_begin(struct lu_tmf *tmf, struct lu *lu, void (*done)(struct lu_tmf *));
void lu_tmf_end(struct lu_tmf *tmf, enum lu_tmf_result result);

/* abort.c, home only; @tmf has begun, and its scope is set */
void lu_abort_start(struct lu_tmf *tmf);
void lu_tmf_task_done(struct lu_tmf *tmf, uint8_t reason);
/* a task ends that did not end by itself: what its initiator hears of it */
void lu_abort_result(struct lu *lu, struct lu_task *task);
/* a command ended with CHECK CONDITION: what QERR says happens to the others */
void lu_abort_qerr(struct lu *lu, const struct lu_task *task);
/* a second task with a tag in flight (SAM-5 5.10): all of the nexus end */
void lu_abort_overlapped(struct lu_nexus *nexus);

/* reset.c, home only */
void lu_reset_start(struct lu_tmf *tmf, enum lu_reset_level level);
void lu_barriers_check(struct lu *lu);
bool lu_is_same_target(const struct lu_info *a, const struct lu_info *b);

/* nexus.c, home only: one that left, and may have no task any more */
void lu_nexus_check(struct lu_nexus *nexus);
/* the unit's internal one */
void lu_nexus_open_own(struct lu *lu);
/* is it a nexus of that initiator (NULL: the anonymous one) through that port? */
bool lu_nexus_is(const struct lu_nexus *nexus, const struct lu_initiator *initiator,
    uint16_t rtpi);
/* are both objects the same I_T nexus? */
bool lu_nexus_is_same(const struct lu_nexus *a, const struct lu_nexus *b);
/* another object of the same I_T nexus on the unit, or NULL */
struct lu_nexus *lu_nexus_twin(const struct lu_nexus *nexus);

/* attach.c, home only: a unit that drains; tell the waiting detach when nothing is left */
void lu_drain_check(struct lu *lu);

#endif /* LU_LU_IMPL_H */
