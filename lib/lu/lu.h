/*
 * lu/lu.h - the target driver that every front end uses: logical units, nexuses, tasks
 *
 * What      To the framework this room is a target driver ("lu", bound to "scsiclass"): for
 *           each device node it attaches, it learns what the device is and publishes a unit. To
 *           the front ends (RPC, iSCSI) it is the waist: submit a task, abort, reset, read
 *           capabilities. Who may do what, in which order, and what happens when someone
 *           leaves, is decided here and nowhere else.
 * Life      unit: attach(9E) -> active -> draining -> gone; freed with the last reference.
 *           nexus: lu_nexus_open -> lu_nexus_gone -> its gone() callback.
 *           task: idle -> (held) -> issued -> done -> idle; chart above lu_task_states[].
 * Owner     The front end owns tasks and nexuses (they are embedded in its objects); from an
 *           lu_submit() that returned 0 until done() the task is lib/lu's and must stay where
 *           it is.
 * Thread    A unit has one home executor. Everything about its nexuses and tasks happens there,
 *           without locks; calls that differ say so. Completion from the HBA may come on any
 *           thread; done() always runs at home, at the end of a turn, never inside lu_submit().
 * Limits    CDB 260 bytes, sense 252 bytes, held tasks of a unit LU_HELD_MAX; no memory is
 *           allocated between lu_submit() and done().
 * Results   Three worlds: lu_submit() refuses with -errno; reason/state/statistics say what the
 *           transport did; status and sense are the device's, valid when state has
 *           STATE_GOT_STATUS.
 * Source    scsi_pkt(9S), scsi_transport(9F); SAM-5 sections 4 and 5.
 */
#ifndef LU_LU_H
#define LU_LU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/buf.h>

#include "base/compiler.h"
#include "lu/exec.h"
#include "lu/ua.h"
#include "scsi/sense.h"

#define LU_CDB_MIN		6
#define LU_CDB_MAX		260
#define LU_SENSE_MAX		252
#define LU_PATH_MAX		128
/* string property of an HBA's node: what the paths of its units begin with; without it that is
 * the driver and its instance number, which ports of the same driver draw from as well */
#define LU_PROP_HBA_NAME	"hba-name"
#define LU_HELD_MAX		1024	/* tasks that wait in one unit for their turn; one nexus
					 * gets three quarters of it, several get less */
#define LU_HELD_MAX_MS		5000	/* a task that waited so long for room ends with TASK
					 * SET FULL, or BUSY if its nexus has no other */
#define LU_TIMEOUT_DEFAULT_MS	60000

#define LU_WEIGHT_DEFAULT	1	/* share of a nexus when the unit is full */
#define LU_WEIGHT_MAX		64
#define LU_TAG_BUCKETS		16

struct lu;
struct lu_task;
struct lu_tmf;
struct lu_nexus;
struct lu_initiator;
struct lu_port;
struct lu_view;
struct op_info;
struct scsi_pkt;

/* ------ the process above ------ */

enum lu_event {
	LU_EVENT_ADDED,		/* a unit was published */
	LU_EVENT_GONE,		/* a unit is no longer published */
	LU_EVENT_RESET,		/* a reset that touches the unit was seen */
	LU_EVENT_MEDIA,		/* data cannot be stored or given back: lu_media_report() */
	LU_EVENT_RECOVERY,	/* commands do not come back: a step of lu/recover.h begins, or
				 * the last one is back */
	LU_EVENT_CHANGED,	/* the unit says by a unit attention that it is not as it was */
	LU_EVENT_N
};

struct lu_host {
	/* the executor a new unit lives on; called from a worker while it attaches */
	struct lu_exec *(*pick_home)(struct lu_host *host, const struct lu *unit);
	/* something happened to @unit; any thread, must not block; @unit is borrowed */
	void (*event)(struct lu_host *host, enum lu_event event, struct lu *unit);
	struct lu_exec *worker;		/* threads that may block */
	/* recovery (lu/recover.h); on a worker, may block; NULL: not possible, but for the first
	 * there is tran_bus_reset. 0: all packets of the HBA come back, or it cannot touch memory
	 * any more; -errno */
	int (*hba_reset)(struct lu_host *host, const struct lu *unit);
	int (*hba_silence)(struct lu_host *host, const struct lu *unit);
	const char *state_dir;		/* what units keep over restarts lies there; NULL:
					 * nothing is kept */
	/* may SET TARGET PORT GROUPS move @group to @state (enum alua_state), or make it so; 0 or
	 * -errno. On a worker, may block; NULL: it always may */
	int (*alua_gate)(struct lu_host *host, struct lu *unit, uint16_t group, uint8_t state);
	_Atomic uint32_t drain_ms;	/* detach: how long tasks in flight may take before
					 * abort */
};

/**
 * lu_init() - register the target driver; units appear as device nodes attach
 *
 * @host     borrowed until lu_fini()
 *
 * Returns:  0, or -errno of mod_install()
 * Thread:   one that may block, before the first HBA attaches
 */
int lu_init(struct lu_host *host) MUST_CHECK;

/* lu_fini() - unregister; 0, or -EBUSY while units are attached */
int lu_fini(void);

/* ------ units ------ */

/* what a unit is; fixed while the unit is published, but for what is atomic: that follows the
 * device, and LU_EVENT_CHANGED tells of it */
struct lu_info {
	/* texts live as long as the unit */
	const char *path;		/* "soft0/iport0/disk@0,0"; shorter than LU_PATH_MAX */
	const char *hba;		/* "soft0" */
	const char *iport;		/* "iport0"; empty when the HBA is the port */
	const char *address;		/* unit address: "0,0" */
	const char *serial;		/* VPD 80h; empty if the device has none */
	char vendor[9];			/* trimmed, printable */
	char product[17];
	char revision[5];
	uint8_t inquiry[48];		/* standard INQUIRY data as the device gave it */
	uint8_t inquiry_len;		/* bytes of it that are valid */
	uint8_t type;			/* peripheral device type */
	int target;			/* -1 when the address is not numeric */
	uint64_t lun;			/* lun64 */
	_Atomic uint64_t blocks;	/* 0: unknown, or not a block device */
	_Atomic uint32_t block_bytes;	/* 0: as above */
	uint32_t xfer_max_bytes;	/* largest data of one task */
	uint32_t cdb_max;		/* longest CDB the HBA takes */
	bool is_removable;
	_Atomic bool is_readonly;
};

/* counters of a unit; written at home, read anywhere, each exact but not of one instant */
struct lu_stats {
	uint64_t tasks;			/* accepted by lu_submit() */
	uint64_t refused;		/* refused by lu_submit() */
	uint64_t read_bytes;
	uint64_t written_bytes;
	uint64_t checks;		/* ended with CHECK CONDITION */
	uint64_t media_errors;		/* of those: what enum lu_media names */
	uint64_t transport_errors;	/* ended with a reason other than CMD_CMPLT */
	uint64_t held;			/* had to wait for room in the HBA */
	uint64_t busy;			/* ended with BUSY because the wait was too long */
	uint64_t orphans;		/* ended after their nexus had gone */
	uint64_t aborts;		/* aborts asked for */
	uint64_t resets;		/* resets asked for */
	uint64_t expired;		/* not returned by the HBA in time (lu/recover.h) */
	uint64_t in_flight;		/* with the HBA now */
};

const struct lu_info *lu_info(const struct lu *unit);

/* lu_block_bytes() - how long blocks are, for whoever cuts data by that; 0: it has none, or
 * somebody may have changed it, and the device is being asked. Any thread; a command that comes
 * after the end of one that changed it finds 0, or the new length */
uint32_t lu_block_bytes(const struct lu *unit);

void lu_stats_read(const struct lu *unit, struct lu_stats *ret_stats);

/* why a device fails to keep data; each is told by itself */
enum lu_media {
	LU_MEDIA_ERROR,		/* MEDIUM ERROR, HARDWARE ERROR, BLANK CHECK */
	LU_MEDIA_FULL,		/* DATA PROTECT, SPACE ALLOCATION FAILED (27h/07h) */
	LU_MEDIA_N
};

#define LU_MEDIA_QUIET_MS	60000

struct lu_media_report {
	enum lu_media kind;
	uint64_t n;			/* commands that ended so since the last event of this
					 * kind, the one that caused this event included */
	struct sense_data sense;	/* of that one */
};

/* lu_changed_sense() - what an LU_EVENT_CHANGED is about; only inside its call. It comes for
 * unit attentions 28h (medium), 2Ah (capacity, mode) and 3Fh (identity, LUNs), once for every
 * command that ends so */
const struct sense_data *lu_changed_sense(const struct lu *unit);

/* lu_media_report() - what an LU_EVENT_MEDIA is about; only inside its call. That event comes
 * at the first such command, and then once LU_MEDIA_QUIET_MS at most while there are more */
const struct lu_media_report *lu_media_report(const struct lu *unit);

/* lu_id() - number of the unit, never reused while the process lives; above 0 */
uint64_t lu_id(const struct lu *unit);

/* lu_home() - the executor where the unit lives; constant */
struct lu_exec *lu_home(const struct lu *unit);

/* lu_set_depth() - how many tasks of the unit may be with its HBA at a time, 1 and above; 0: as
 * many as the HBA takes, the default. Home */
void lu_set_depth(struct lu *unit, uint32_t depth);

/* lu_depth() - what lu_set_depth() said. Home */
uint32_t lu_depth(const struct lu *unit);

/* lu_set_timeout() - how long a task may take whose sender does not say, in milliseconds; 0:
 * LU_TIMEOUT_DEFAULT_MS, the default. Home */
void lu_set_timeout(struct lu *unit, uint32_t timeout_ms);

/* lu_is_active() - false once it drains or is gone; any thread, may change at once */
bool lu_is_active(const struct lu *unit);

struct lu *lu_ref(struct lu *unit);
void lu_unref(struct lu *unit);

/**
 * lu_find() - the published unit called @name
 *
 * @name        its path, an unambiguous tail of the path beginning behind '/' or '@', or its
 *              serial
 * @ret_unit    a reference
 * @candidates  for -ENOTUNIQ: the paths that fit, separated by blanks, cut at @size; may be
 *              NULL
 *
 * Returns:  0
 *           -ENOENT     no unit fits
 *           -ENOTUNIQ   several do
 * Owner:    lu_unref() the unit
 * Thread:   any; takes a short lock
 */
int lu_find(const char *name, struct lu **ret_unit, char *candidates, size_t size) MUST_CHECK;

/* lu_at() - a reference to the published unit at an address, for instance "soft0", "iport0" (""
 * when the HBA is the port), "0,0"; NULL */
struct lu *lu_at(const char *hba, const char *iport, const char *address);

/* lu_count_all() - how many units are published now */
size_t lu_count_all(void);

/* lu_next() - walk: a reference to the published unit with the smallest id above @id, or
 * NULL */
struct lu *lu_next(uint64_t id);

/* ------ nexuses ------ */

/*
 * The order of the tasks that SAM calls one task set: those of a unit, or with TST 001b those
 * of one nexus. A task may begin when no HEAD OF QUEUE task is unfinished and no older ORDERED
 * one; an ORDERED task, when no older task is. lib/lu only; n_special is all that a SIMPLE task
 * meets
 */
struct lu_task_set {
	uint64_t arrivals;		/* tasks that ever came */
	uint32_t n_now;			/* unfinished ones, older than the first of ordered */
	uint32_t n_head;		/* unfinished HEAD OF QUEUE tasks, not counted there */
	uint32_t n_special;		/* those, and unfinished ORDERED ones */
	uint64_t open_ns;		/* when a task that others waited for ended last */
	TAILQ_HEAD(lu_ordered_list, lu_task) ordered;	/* unfinished, oldest first */
};

/*
 * One initiator's relation to one unit (SAM: I_T_L nexus). What belongs to it alone
 * (reservations, unit attentions, task set) finds its place here.
 */
struct lu_nexus {
	/* set by the front end before lu_nexus_open(); what is not set is zero */
	uint32_t classes;		/* LU_CLASS() of every op_policy it may execute */
	uint32_t weight;		/* share when the unit is full, 1..LU_WEIGHT_MAX; 0: 1 */
	const struct lu_initiator *initiator;	/* who; borrowed until gone(). NULL: the
					 * anonymous one, which all such nexuses are */
	const struct lu_port *port;	/* where it came in; borrowed until gone(). NULL: the
					 * local socket */
	struct lu_view *view;		/* what it sees; the nexus takes a reference. NULL:
					 * what its classes let it open by name, and REPORT
					 * LUNS is the device's */
	bool wants_sense;		/* its initiator hears of status and sense data only:
					 * refusals that the standards have some for end the
					 * task with it, instead of -errno; tasks that others
					 * ended, a unit attention tells of */
	bool is_internal;		/* lib/lu's own: no reservation, unit attention or
					 * access state stops it */
	bool is_of_copy;		/* lib/lu's, of a copy for an initiator: outside of the
					 * task set's order, and told no unit attentions */
	bool is_power_on_due;		/* begins with unit attention 29h/00h */
	void (*gone)(struct lu_nexus *nexus);	/* last word: no task of it is left; at home */

	/* lib/lu only */
	struct lu *unit;		/* readable by all; the nexus holds a reference */
	struct lu_task_set *set;	/* whose order its tasks keep: the unit's, or: */
	struct lu_task_set own_set;
	struct lu_ua_set ua;		/* unit attentions and losses to tell */
	uint64_t wrote_seq;		/* loss.h: the unit's seq when its last write had ended;
					 * 0: none that a flush may still fail */
	TAILQ_HEAD(, lu_task) tasks;	/* accepted and not done */
	TAILQ_HEAD(, lu_task) held;	/* of those: wait for their turn, oldest first */
	TAILQ_ENTRY(lu_nexus) turn_entry;	/* on the unit's round while held is not
						 * empty */
	LIST_ENTRY(lu_nexus) entry;	/* on its unit */
	LIST_HEAD(, lu_task) tags[LU_TAG_BUCKETS];	/* tasks with tags, by tag */
	struct lu_work work;
	uint64_t credit;		/* what it may still issue in this round */
	uint32_t n_held;
	uint8_t reserve;		/* LU_RESERVE_* (reserve.h) */
	bool is_preventing;		/* of medium removal */
	bool is_after;			/* changes of the same initiator port, which left with
					 * them at work, come first */
	bool is_reserve_due;		/* left with changes at work: what it reserved ends with
					 * them */
	bool is_gone;			/* lu_nexus_gone() was called */
	bool is_gone_posted;		/* gone() is on its way */
};

#define LU_CLASS(policy)	(1u << (policy))

/**
 * lu_nexus_open() - begin
 *
 * An initiator port that comes back (iSCSI: session reinstatement) begins where the one before
 * has ended: commands wait until the changes are over with which that one left. A write that the
 * initiator has given up does not come after one that it sends now.
 *
 * @nexus    embedded in the caller's object; classes and gone are set
 * @unit     the nexus takes a reference of its own and keeps it until after gone()
 *
 * Returns:  0, or -ENODEV when the unit is draining or gone (nothing to undo)
 * Thread:   the unit's home
 */
int lu_nexus_open(struct lu_nexus *nexus, struct lu *unit) MUST_CHECK;

/**
 * lu_nexus_gone() - the initiator left
 *
 * Held tasks are dropped (done() with reason CMD_ABORTED); issued ones run to their end,
 * because aborts would disturb others, and are handed back with is_orphan set. Who opens a nexus
 * for the same initiator port meanwhile waits for those that change something, unless the port
 * is the local socket, whose clients are many under one name. A reservation (RESERVE) lasts as
 * long as those do: nobody writes before they have ended. gone() runs when
 * none is left, at the end of a turn, after the done() of every task.
 *
 * Thread:   the unit's home; once
 */
void lu_nexus_gone(struct lu_nexus *nexus);

/* ------ tasks ------ */

enum lu_dir { LU_DIR_NONE, LU_DIR_IN, LU_DIR_OUT };
enum lu_attr { LU_ATTR_UNTAGGED, LU_ATTR_SIMPLE, LU_ATTR_ORDERED, LU_ATTR_HEAD, LU_ATTR_N };
enum lu_resid { LU_RESID_NONE, LU_RESID_UNDER, LU_RESID_OVER };

struct lu_task {
	/* set by the front end before lu_submit(); untouched by lib/lu */
	struct lu_nexus *nexus;
	void *data;			/* data_len bytes that stay put until done() */
	uint32_t data_len;		/* 0 exactly when dir is LU_DIR_NONE */
	enum lu_dir dir;
	enum lu_attr attr;
	uint32_t timeout_ms;		/* 0: that of the unit, lu_set_timeout() */
	uint64_t tag;			/* the initiator's name for it, if has_tag */
	bool has_tag;			/* aborts by tag find it; a second task of the nexus
					 * with a tag in flight is an overlapped command */
	void (*done)(struct lu_task *task);	/* once; may free or submit the task again */
	uint16_t cdb_len;

	/* result, valid from done() until the next lu_submit() */
	uint8_t reason;			/* CMD_* */
	uint8_t status;			/* SCSI status; see Results */
	uint8_t sense_len;		/* bytes valid in sense[] */
	bool is_orphan;			/* its nexus had gone */
	enum lu_resid resid_kind;
	uint32_t state;			/* STATE_* */
	uint32_t statistics;		/* STAT_* */
	uint32_t resid;			/* bytes of the buffer not used (UNDER), or that had no
					 * room (OVER) */
	uint32_t moved;			/* bytes of data[] that were transferred */

	/* lib/lu only */
	unsigned int sm;		/* enum lu_task_state */
	const struct op_info *op;	/* row of the CDB; NULL: unknown */
	void (*after)(struct lu *unit, struct lu_task *task);	/* a local handler's last look
					 * at what the device answered */
	bool is_pinned;			/* an abort is looking at pkt: not to be finished */
	bool is_finish_due;		/* completed while pinned */
	bool is_abort_accepted;		/* what the HBA said to the abort */
	bool is_passed;			/* its handler is through with it */
	bool is_expired;		/* should have been back long ago */
	bool is_abort_due;		/* an abort or a reset waits for it */
	bool is_cleared;		/* ended on behalf of another nexus */
	bool is_clearing_told;		/* which another unit attention tells of */
	uint16_t cdb_used;		/* bytes of the CDB that the command takes */
	uint64_t born;			/* order of acceptance in the unit */
	uint64_t issue_tick;		/* when, in ticks of the unit */
	uint64_t seq;			/* order of issue in the unit */
	uint64_t held_since_ns;
	struct lu_task_set *set;	/* that it is in; NULL: its order does not matter */
	uint64_t arrival;		/* its number in the set */
	uint32_t n_behind;		/* ORDERED: unfinished tasks between it and the next */
	TAILQ_ENTRY(lu_task) ordered_entry;
	uint64_t expected;		/* bytes that the CDB asks for; UINT64_MAX: cannot be
					 * told */
	uint32_t device_len;		/* bytes of data[] that the device may have. There are
					 * adapters that move all of what they are given to or from
					 * the medium, whatever a READ or WRITE says */
	struct scsi_pkt *pkt;
	struct lu_tmf *tmf;		/* the abort that waits for this task */
	TAILQ_ENTRY(lu_task) nexus_entry;
	TAILQ_ENTRY(lu_task) unit_entry;	/* held or issued list */
	LIST_ENTRY(lu_task) tag_entry;	/* among the tags of its nexus */
	STAILQ_ENTRY(lu_task) tmf_entry;
	struct lu_work work;
	struct buf buf;

	/* the CDB is input, the sense is result; last because they are long */
	uint8_t cdb[LU_CDB_MAX];
	uint8_t sense[LU_SENSE_MAX];
};

/* lu_task_init() - make an object usable as a task; once, before its first lu_submit() */
void lu_task_init(struct lu_task *task);

/**
 * lu_submit() - execute one command
 *
 * The CDB's direction must not contradict @task->dir. Its transfer length may differ from
 * data_len: a longer buffer ends with an underflow residual; of a shorter one only data_len
 * bytes move, and the rest is an overflow residual.
 *
 * To a nexus that wants_sense, refusals marked * are no refusals: the task ends with the status
 * and sense data that the standards have for them.
 *
 * Returns:  0           done() will run exactly once
 *           -ENODEV     the unit drains or is gone
 *           -ESHUTDOWN  lu_nexus_gone() was called
 *           -EINVAL     dir and data_len do not fit; *: CDB shorter than its opcode demands
 *           -EPROTO     *: the CDB moves data the other way
 *           -EMSGSIZE   *: CDB longer or data larger than the unit takes
 *           -EACCES     *: class of the command is not allowed to this nexus
 *           -EALREADY   the task is in flight
 *           On refusal done() does not run and nothing was sent
 * Thread:   the unit's home; never blocks
 * Source:   SAM-5 5.4.2; residuals as RFC 7143 11.4.5 defines them
 */
int lu_submit(struct lu_task *task) MUST_CHECK;

/* ------ task management ------ */

enum lu_tmf_result {
	LU_TMF_DONE,		/* what was asked for has happened, completions came first */
	LU_TMF_NO_TASK,		/* nothing was in flight */
	LU_TMF_FAILED,		/* the HBA says it could not, at least for one task */
	LU_TMF_GONE,		/* the unit is gone */
	LU_TMF_BUSY,		/* another abort is at work on the task */
};

enum lu_reset_level { LU_RESET_LUN, LU_RESET_TARGET, LU_RESET_BUS, LU_RESET_N };

/* which tasks an abort is about */
enum lu_scope {
	LU_SCOPE_TASK,		/* one */
	LU_SCOPE_NEXUS,		/* those of a nexus */
	LU_SCOPE_UNIT,		/* all */
	LU_SCOPE_EXPIRED,	/* all that are expired (recover.h) */
};

struct lu_tmf {
	void (*done)(struct lu_tmf *tmf);	/* set by lib/lu from the call's argument */
	/* valid in done() */
	enum lu_tmf_result result;
	bool is_succeeded;		/* queries: there is such a task, or an event */
	uint8_t event[3];		/* QUERY ASYNCHRONOUS EVENT: additional response
					 * information (SAM-5 7.9) */
	uint32_t n_aborted;		/* tasks that ended by it */
	uint32_t n_finished;		/* abort: tasks that ended by themselves meanwhile */
	uint32_t n_failed;		/* abort: tasks that the HBA could not abort */

	/* lib/lu only */
	struct lu *unit;		/* a reference */
	enum lu_scope scope;
	const struct lu_nexus *by;	/* who asked; NULL: nobody in particular. Compared with,
					 * never looked into later */
	const struct lu_nexus *nexus;	/* LU_SCOPE_NEXUS */
	struct lu_task *task;		/* LU_SCOPE_TASK */
	uint64_t born_max;		/* tasks accepted later are not in scope */
	enum lu_reset_level level;
	uint8_t recover_step;		/* of a ladder: enum lu_recover_step */
	bool is_told;			/* who loses tasks hears of it otherwise */
	bool is_nexus_lost;		/* I_T NEXUS RESET: its RESERVE ends with the tasks */
	bool is_asking;			/* a worker is talking to the HBA */
	bool is_accepted;		/* reset: the HBA said yes */
	bool is_marking;		/* reset: on its way through the units, before it asks */
	uint32_t waiting;		/* abort: tasks that are not done yet */
	STAILQ_HEAD(, lu_task) tasks;	/* abort: pinned tasks the worker goes through */
	uint64_t returned_before;	/* reset: the unit's count of tasks that came back by
					 * resets */
	uint64_t barrier_seq;		/* reset: tasks issued up to here must be done first */
	struct lu *at;			/* reset: where it stands now; a reference */
	STAILQ_ENTRY(lu_tmf) entry;	/* on a unit's list of barriers, or of followers */
	struct lu_work work;
};

/* SAM-5 7.1; what of it concerns one unit */
enum lu_tm {
	LU_TM_ABORT_TASK,
	LU_TM_ABORT_TASK_SET,
	LU_TM_CLEAR_TASK_SET,
	LU_TM_LUN_RESET,
	LU_TM_TARGET_RESET,	/* of the target that the unit's HBA knows: all its units */
	LU_TM_NEXUS_RESET,
	LU_TM_QUERY_TASK,
	LU_TM_QUERY_TASK_SET,
	LU_TM_QUERY_ASYNC_EVENT,
	LU_TM_N
};

/**
 * lu_tm() - a task management function, as an initiator asks for it
 *
 * Tasks that end by it have reason CMD_ABORTED or CMD_RESET and no status: their initiator is
 * not answered. Those of other nexuses do so as well, and one that wants_sense gets unit
 * attention 2Fh/00h; with TAS of the Control page they end with status TASK ABORTED instead.
 * Resets raise 29h on every nexus of every unit they reach, @nexus included, and I_T NEXUS RESET
 * 29h/07h on @nexus alone.
 *
 * @tmf      embedded in the caller's object, stays put until @done
 * @nexus    who asks
 * @tag      LU_TM_ABORT_TASK, LU_TM_QUERY_TASK: of the task, which has_tag
 * @done     runs once, at home, end of turn. LU_TMF_DONE and LU_TMF_NO_TASK are FUNCTION
 *           COMPLETE (queries: FUNCTION SUCCEEDED when is_succeeded); every task that was in
 *           scope has had its done() before, and nothing moves for it any more. LU_TMF_FAILED,
 *           LU_TMF_GONE: FUNCTION REJECTED or no answer, as the transport has it
 *
 * Thread:   the unit's home
 * Source:   SAM-5 7, 5.7 (aborted commands); SPC-4 7.5.8 (TST, TAS)
 */
void lu_tm(struct lu_tmf *tmf, struct lu_nexus *nexus, enum lu_tm function, uint64_t tag,
    void (*done)(struct lu_tmf *));

/**
 * lu_abort() - end one task; lu_abort_all() - end all tasks of one nexus; lu_abort_unit() - end
 * all tasks of a unit, whosever they are; lu_abort_preempted() - those of a nexus that another
 * one preempts, and that has a unit attention saying so
 *
 * A held task ends at once; for an issued one the HBA is asked (on a worker). LU_TMF_DONE means
 * that its packet touches the buffer no more and its done() ran before. For a unit the HBA is
 * asked once, for everything at its address: a task that is submitted meanwhile may end, too.
 *
 * @tmf      embedded in the caller's object, stays put until @done
 * @done     runs once, at home, end of turn
 *
 * Thread:   the unit's home
 * Source:   scsi_abort(9F)
 */
void lu_abort(struct lu_tmf *tmf, struct lu_task *task, void (*done)(struct lu_tmf *));

/* lu_abort_join() - lu_abort(), but one that finds another abort at work on the task is no
 * LU_TMF_BUSY: it waits until that one has ended and is LU_TMF_NO_TASK, or LU_TMF_FAILED if the
 * task is still there */
void lu_abort_join(struct lu_tmf *tmf, struct lu_task *task, void (*done)(struct lu_tmf *));
void lu_abort_all(struct lu_tmf *tmf, struct lu_nexus *nexus, void (*done)(struct lu_tmf *));
void lu_abort_unit(struct lu_tmf *tmf, struct lu *unit, void (*done)(struct lu_tmf *));
void lu_abort_preempted(struct lu_tmf *tmf, struct lu_nexus *nexus,
    void (*done)(struct lu_tmf *));

/**
 * lu_reset() - reset a logical unit, its target, or everything behind its port
 *
 * Held tasks in the scope of @level end with CMD_RESET at once, and none is issued there until
 * the reset is over. LU_TMF_DONE comes after the done() of every task that was in flight in
 * that scope when the reset was asked for. Every nexus there gets its unit attention.
 *
 * Thread:   the unit's home; the HBA is asked on a worker
 * Source:   scsi_reset(9F); SAM-5 6.3
 */
void lu_reset(struct lu_tmf *tmf, struct lu *unit, enum lu_reset_level level,
    void (*done)(struct lu_tmf *));

/* ------ things that block: workers only ------ */

/**
 * lu_getcap(), lu_setcap() - capabilities of the HBA for this unit
 *
 * @is_hba_wide  ask for all units of the HBA (whom = 0), not for this one
 * @ret_value    the value; -1 when the name means nothing to the HBA
 * @ret_result   1 set, 0 known but not changeable, -1 undefined
 *
 * Returns:  0, or -ENODEV
 * Source:   scsi_ifgetcap(9F)
 */
int lu_getcap(struct lu *unit, const char *name, bool is_hba_wide, int *ret_value) MUST_CHECK;
int lu_setcap(struct lu *unit, const char *name, bool is_hba_wide, int value, int *ret_result)
    MUST_CHECK;

/**
 * lu_cap_can_set() - would the HBA take a set of this capability for this unit?
 *
 * SCSA has no call that tells. The HBA is asked to set the value that stands, once for each
 * capability of a unit: 1 says that it can. Nothing is changed by that, and lu_setcap() cannot
 * come in between. Not asked: capabilities that have no value now, that no table of SCSA knows,
 * and sector-size, because the framework cuts transfers by what is set there.
 *
 * @ret_can    the answer
 *
 * Returns:  0
 *           -ENOENT   not known, because not asked
 *           -ENODEV
 */
int lu_cap_can_set(struct lu *unit, const char *name, bool *ret_can) MUST_CHECK;

/**
 * lu_probe() - ask the device again who it is
 *
 * @ret_result   SCSIPROBE_*
 * @inquiry      room for 48 bytes; the data when the result is SCSIPROBE_EXISTS
 * @ret_len      bytes of it
 *
 * Returns:  0, or -ENODEV
 */
int lu_probe(struct lu *unit, int *ret_result, uint8_t inquiry[48], size_t *ret_len) MUST_CHECK;

#endif /* LU_LU_H */
