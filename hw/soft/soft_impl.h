/*
 * soft/soft_impl.h - inside of the software HBA
 *
 * What      The driver proper: packets in, device server (soft/disk.h), packets out. A command
 *           lives in the packet's pkt_ha_private.
 * Command
 *
 *                start                                finished at once
 *           idle -----> running ------------------------------------------> idle
 *            |           ^   |  the store has to wait          done          ^ ^
 *            |       due |   +----------------------> waiting ---------------+ |
 *            | fault     |                                                     |
 *            +--------> held --------------------------------------------------+
 *                                     abort, reset, timeout
 *
 *           "held" and "waiting" are on the unit's pending list. A held command belongs to
 *           nobody, so whoever takes it off the list may finish it. A waiting one is the
 *           store's: it is only marked (why, stats) and asked to hurry; it ends when the store is done.
 * Locks     soft_unit.lock, then aio; soft_hba.lock. A leaf each: nothing of the framework and
 *           no completion is called with one held.
 * Inline    A command that meets no fault and no slow store takes no lock at all.
 */
#ifndef SOFT_SOFT_IMPL_H
#define SOFT_SOFT_IMPL_H

#include <sys/scsi/scsi.h>

#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/scsi/impl/scsi_reset_notify.h>
#include <sys/scsi/impl/services.h>

#include "base/slot.h"
#include "base/sm.h"
#include "hw/soft/aio.h"
#include "hw/soft/disk.h"
#include "hw/soft/fault.h"
#include "hw/soft/soft.h"

#define SOFT_CDB_MAX		16
#define SOFT_TAGS_MAX		4096
#define SOFT_REAP_BUDGET	64	/* completions an interrupt; the rest has to wait */
#define SOFT_WATCH_US		1000000	/* how late a timeout may be noticed */
#define SOFT_DELAY_US		1000	/* how late a delayed command may start */
#define SOFT_NEVER		UINT64_MAX

enum soft_cmd_state { SOFT_IDLE, SOFT_RUNNING, SOFT_HELD, SOFT_WAITING, SOFT_STATE_N };

extern const struct sm_state soft_cmd_states[SOFT_STATE_N];

struct soft_cmd {
	struct scsi_pkt *pkt;
	struct soft_unit *unit;
	TAILQ_ENTRY(soft_cmd) link;	/* unit's pending list, or the list of who ends it */
	unsigned int state;		/* enum soft_cmd_state */
	uint8_t why;			/* CMD_*: what ended it first; CMD_CMPLT: nothing */
	uint_t stats;			/* STAT_* that came with it */
	uint64_t deadline_ns;		/* when pkt_time is over; 0 none, or not known yet */
	uint64_t due_ns;		/* held: when to go on; SOFT_NEVER: dropped */
	uint64_t tag;			/* what the device returns it by; 0: itself */
	struct fault_verdict verdict;
	struct disk_cmd disk;		/* last: its iov is large and mostly unused */
};

TAILQ_HEAD(soft_cmd_list, soft_cmd);

struct soft_unit {
	struct soft_hba *hba;
	int32_t target, lun;
	struct soft_disk_conf conf;
	struct disk *disk;
	atomic_uint active;		/* accepted and not completed */
	atomic_int caps[SCSI_CAP_N];	/* what setcap has changed; else -1 */
	kmutex_t lock;
	kcondvar_t cv;			/* nkilled or active has reached 0 */
	struct soft_cmd_list pending;
	struct scsi_reset_notify_entry *notify;	/* who wants to know; under hba->notify_lock */
	unsigned int nkilled;		/* waiting ones with why set */
	_Atomic uint64_t faults, aborted, reset, timed_out, spurious;
};

struct soft_timer {
	timeout_id_t id;
	bool is_armed;
};

struct soft_hba {
	LIST_ENTRY(soft_hba) link;
	dev_info_t *dip;
	scsi_hba_tran_t *tran;		/* NULL while not attached */
	struct soft_unit *units;	/* nunits of them, in order of declaration */
	size_t nunits;
	struct soft_unit *map[SOFT_TARGETS][SOFT_LUNS];
	struct disk_place places[SOFT_TARGETS];
	struct soft_place { struct soft_hba *hba; int32_t target; } place_args[SOFT_TARGETS];
	bool has_target[SOFT_TARGETS];

	unsigned int want_queues, nqueues;
	struct soft_queue {
		struct aio *aio;
		ddi_intr_handle_t vector;
		bool has_handler, is_enabled;
	} *queues;

	atomic_bool is_quiesced;
	atomic_bool is_faulty;		/* there is a rule that may act */
	kmutex_t lock;			/* of what follows */
	struct fault_set faults;
	struct slot_table tags;		/* commands that the device will return by tag */
	struct soft_timer watch, delay;
	unsigned int ntimers;		/* running now */
	kcondvar_t cv;			/* ntimers has reached 0 */
	bool is_detaching;
	bool has_reset_due;		/* a fault wants the bus reset */
	atomic_int caps[SCSI_CAP_N];	/* of the adapter */
	kmutex_t notify_lock;
};

/* hba.c */
struct soft_unit *soft_unit_at(struct soft_hba *hba, const struct scsi_address *ap);

/* start.c */
int soft_start(struct scsi_address *ap, struct scsi_pkt *pkt);
void soft_execute(struct soft_cmd *cmd);	/* by its verdict; completes or waits */
void soft_move(struct soft_cmd *cmd, enum soft_cmd_state to);

/* complete.c */
void soft_finish(struct soft_cmd *cmd);		/* off every list; completes the packet */
void soft_finish_all(struct soft_cmd_list *list);
int soft_finish_absent(struct soft_hba *hba, struct scsi_address *ap, struct scsi_pkt *pkt,
    struct soft_cmd *cmd);

/* tmf.c */
/* soft_unit_kill() - end @one, all pending commands (NULL), or those past @now_ns (not 0) for
 * reason @why; the ones that can end now are put on @dead. How many were met */
unsigned int soft_unit_kill(struct soft_unit *unit, const struct scsi_pkt *one, uint64_t now_ns,
    uint8_t why, uint_t stats, struct soft_cmd_list *dead);
int soft_abort(struct scsi_address *ap, struct scsi_pkt *pkt);
int soft_reset(struct scsi_address *ap, int level);
int soft_bus_reset(dev_info_t *dip, int level);
bool soft_bus_was_reset(struct soft_hba *hba);	/* true when all commands have let go */
int soft_clear_task_set(struct scsi_address *ap);
int soft_terminate_task(struct scsi_address *ap, struct scsi_pkt *pkt);
int
soft_reset_notify(struct scsi_address *ap, int flag, void (*callback)(caddr_t), caddr_t arg);
int soft_quiesce(dev_info_t *dip);
int soft_unquiesce(dev_info_t *dip);

/* event.c */
uint_t soft_intr(caddr_t arg1, caddr_t arg2);
void soft_hold(struct soft_cmd *cmd, uint64_t due_ns);	/* running or idle to held */
void soft_wait(struct disk_cmd *disk);			/* running to waiting: disk_cmd.pend */
void soft_want_reset(struct soft_hba *hba);
void soft_timers_stop(struct soft_hba *hba);

/* caps.c */
void soft_caps_init(atomic_int caps[SCSI_CAP_N]);
int soft_getcap(struct scsi_address *ap, char *cap, int whom);
int soft_setcap(struct scsi_address *ap, char *cap, int value, int whom);

#endif /* SOFT_SOFT_IMPL_H */
