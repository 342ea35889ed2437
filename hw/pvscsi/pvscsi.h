/*
 * pvscsi/pvscsi.h - inside of the driver for VMware's paravirtual SCSI adapter
 *
 * What      One adapter, one iport "iport0", targets 0 .. 64. Requests go into a ring in memory
 *           the chip reads, completions and hot-plug messages come out of two others; the rest
 *           (reset, abort, set-up) are commands written into registers, over when written.
 * Files     regs.h layouts; attach.c module, nodes, interrupt; init.c chip and memory; ring.c
 *           rings and tags; start.c packets in; complete.c what a completion means; intr.c
 *           packets out; tmf.c abort and reset; event.c messages and clocks; topo.c who is
 *           there; caps.c; fail.c a chip that lies, dies, comes back.
 * Adapter
 *                  attach          reset, index wrap
 *             down ------> ready ------------------> resetting
 *               ^           | ^ <--------------------+ |    ^
 *               |    it lies| |                        |    | again, later, from what
 *               | or is gone| |                        |    | the driver itself knows
 *               |           v |                        v    |
 *               +----------- failed ------------------------+
 *               ^              | too often
 *               +------------ dead
 *
 *           ready takes packets; resetting answers TRAN_BUSY; the others TRAN_FATAL_ERROR.
 * Command   pvscsi_cmd lives in pkt_ha_private, or is one of the driver's own (a probe). While
 *           the chip has it, tags.slots[] points to it and context is not 0. Whoever drops the
 *           tag, with lock held, ends the command; so it ends once. What was asked of it
 *           meanwhile (why, stats) only decides what the end is called.
 * Trust     What the chip writes is copied, then judged: ring_cmp_next(), tags_find(),
 *           result_judge() and ring_msg_next() answer -EPROTO for what no honest chip does, and
 *           the adapter fails. Everything the driver needs to go on or to set up the chip
 *           again is in memory of its own.
 * Locks     recovery_lock (one reset or revival at a time), inside it command_lock (one command
 *           to the registers), inside it lock (rings, tags, state). topo_lock: what the target
 *           map was told; topo_lock outside of lock. No completion, no callback and no call of
 *           the framework but timeout() and cv_*() is made with lock held.
 * Threads   Interrupts, ticks and tran_start are interrupt context. Three task queues:
 *           "recovery" (timeouts, resets, failure); "topology" (probes, map), because a probe
 *           may wait for what recovery does; "aside" (completions that recovery has made),
 *           because a completion may start a polled command and wait for recovery in it.
 * Silence   A packet ends when the chip returned it, or after an adapter reset: then the chip
 *           does not write to its memory any more.
 */
#ifndef PVSCSI_PVSCSI_H
#define PVSCSI_PVSCSI_H

#include <sys/scsi/scsi.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/scsi/impl/scsi_reset_notify.h>
#include <sys/scsi/impl/services.h>
#include <sys/queue.h>
#include <sys/scsi/impl/tgtmap.h>

#include "base/compiler.h"
#include "base/sm.h"
#include "hw/pvscsi/module.h"
#include "hw/pvscsi/regs.h"

#define PVSCSI_IPORT		"iport0"
#define PVSCSI_INITIATOR_ID	7

#define PVSCSI_RING_PAGES	8	/* request ring; property "ring-pages", 1 .. 32 */
#define PVSCSI_XFER_MAX		(1u << 20)
#define PVSCSI_SENSE_ROOM	256u	/* of a slot */
#define PVSCSI_SENSE_MAX	252u	/* asked for at most */
#define PVSCSI_PROBE_BYTES	64u
#define PVSCSI_TABLES		64u	/* tables in a part */
#define PVSCSI_TABLE_MEMS	16u
#define PVSCSI_BATCH		64u	/* completions between two looks at other things */
#define PVSCSI_BUDGET		256u	/* completions an interrupt */
#define PVSCSI_TICK_US		50000	/* while it has commands: is it there, are they late */
#define PVSCSI_GRACE_S		10	/* for an abort or reset to return what it was to */
#define PVSCSI_WAIT_S		30	/* for the same, when a caller waits */
#define PVSCSI_POLL_S		60	/* pkt_time of a polled packet that has none */
#define PVSCSI_IDLE_INTRS	256	/* interrupts with nothing behind them: a lie */
#define PVSCSI_HW_ERRORS	8	/* completions in a row that blame the adapter: reset */
#define PVSCSI_REVIVALS		5	/* in a row, 1, 2, 4 .. s apart; then it is dead */
#define PVSCSI_STEADY_S		60	/* without failure: the count starts again */
#define PVSCSI_SCAN_S		60	/* hot plug may be missed; property "scan-interval" */
#define PVSCSI_REFRESH_AT	0xc0000000u	/* the model stalls when indices wrap (property
						 * "ring-refresh-at", tests) */
#define PVSCSI_CSYNC_US		1000000
#define PVSCSI_SETTLE_US	20000

enum pvscsi_state {
	PVSCSI_DOWN, PVSCSI_READY, PVSCSI_RESETTING, PVSCSI_FAILED, PVSCSI_DEAD, PVSCSI_STATE_N
};

extern const struct sm_state pvscsi_states[PVSCSI_STATE_N];

/* why an adapter failed; names in fail.c */
enum pvscsi_lie {
	PVSCSI_LIE_NONE,
	PVSCSI_LIE_CONTEXT,		/* a completion of nothing: bad, stale, or twice */
	PVSCSI_LIE_INDEX,		/* more completions than requests, messages than room */
	PVSCSI_LIE_LENGTH,		/* more sense or data than asked for, no SCSI status */
	PVSCSI_LIE_INTERRUPT,		/* interrupts without end and without reason */
	PVSCSI_LIE_GONE,		/* registers read as all ones */
	PVSCSI_LIE_SETUP,		/* does not take its rings */
	PVSCSI_LIE_N
};

struct pvscsi;
struct pvscsi_cmd;

/*
 * Tags: the numbers by which the chip returns commands. Slot plus 1 in the lower
 * PVSCSI_SLOT_BITS, a generation above; never 0, never above 32 bits.
 */
#define PVSCSI_SLOT_BITS	11

struct pvscsi_slot {
	struct pvscsi_cmd *cmd;		/* NULL: free */
	uint32_t generation;
	uint32_t next;			/* free ones: the next, or n */
};

struct pvscsi_tags {
	struct pvscsi_slot *slots;
	uint32_t n;			/* 1 .. 1023 */
	uint32_t used;
	uint32_t free_head;
};

/* tags_init() - all @n slots, in the caller's memory, are free */
void tags_init(struct pvscsi_tags *tags, struct pvscsi_slot *slots, uint32_t n);
/* tags_take() - a context for @cmd, or 0: all are taken */
uint32_t tags_take(struct pvscsi_tags *tags, struct pvscsi_cmd *cmd);
/* tags_find() - the command of a context the chip names, or NULL: stale or invented */
struct pvscsi_cmd *tags_find(const struct pvscsi_tags *tags, uint64_t context);
/* tags_drop() - @context was valid and is not any more */
void tags_drop(struct pvscsi_tags *tags, uint32_t context);

static inline uint32_t
tags_slot(uint32_t context)
{
	return (context & ((1u << PVSCSI_SLOT_BITS) - 1)) - 1;
}

/*
 * Rings: shared memory, and what the driver knows by itself. The chip's word about indices is
 * read in one place each; the driver's own index in shared memory is written, never read.
 */
struct pvscsi_rings {
	struct pv_ring_state *state;
	struct pv_req *req;
	struct pv_cmp *cmp;
	struct pv_msg *msg;		/* NULL: the chip has no messages */
	uint32_t req_entries, cmp_entries, msg_entries;
	uint32_t req_prod, cmp_cons, msg_cons;
};

/* rings_zero() - as the chip wants them before it is told where they are */
void rings_zero(struct pvscsi_rings *rings);
/* rings_agree() - does the chip think they have the size they were made with? */
bool rings_agree(const struct pvscsi_rings *rings);
/* ring_post() - the caller has seen to it that there is room: at most req_entries - 1 are out
 */
void ring_post(struct pvscsi_rings *rings, const struct pv_req *req);

/**
 * ring_cmp_next() - copy the next completion
 *
 * @out      commands the chip has: it cannot return more
 *
 * Returns:  1, 0 there is none, -EPROTO the index is where an honest one cannot be
 */
int ring_cmp_next(struct pvscsi_rings *rings, uint32_t out, struct pv_cmp *ret) MUST_CHECK;

/* ring_msg_next() - likewise a message; @ret_lost: the ring was full, some may be missing */
int ring_msg_next(struct pvscsi_rings *rings, struct pv_msg *ret, bool *ret_lost) MUST_CHECK;

/**
 * sg_build() - the elements for the first @bytes of a list of cookies
 *
 * @table    room for PV_SGE_PER_PAGE; @n is no more
 * @ret_n    elements written, none of them empty
 *
 * Returns:  bytes they cover: @bytes, or less when the cookies are less
 */
uint64_t sg_build(struct pv_sge *table, const ddi_dma_cookie_t *cookies, uint_t n,
    uint64_t bytes, uint32_t *ret_n);

/*
 * Results: what a completion means.
 */
struct pvscsi_want {
	uint64_t data_len;		/* bytes the chip was given */
	uint32_t sense_len;		/* room for sense it was given */
	bool is_exact;			/* blocks: all of data_len, or it is an overrun */
	bool is_known;			/* the target is in the map: no answer means gone */
};

struct pvscsi_result {
	uint8_t reason;			/* CMD_* */
	uint8_t status;			/* with STATE_GOT_STATUS */
	bool is_adapter_error;		/* the chip blames itself */
	uint_t state, stats;		/* STATE_*, STAT_* */
	uint64_t moved;			/* of data_len; all of it where the chip does not say */
	uint32_t sense_len;		/* valid sense; 0 none */
};

/**
 * result_judge() - from a completion to SCSA's words
 *
 * Returns:  0
 *           -EPROTO  lengths beyond what was given, or a status that is none
 * Source:   pkt_reason(9S); host status: regs.h
 */
int result_judge(const struct pv_cmp *cmp, const struct pvscsi_want *want,
    struct pvscsi_result *ret) MUST_CHECK;

/*
 * The adapter.
 */
struct pvscsi_target {
	uint32_t number;
	uint64_t luns[4];		/* LUNs that have a scsi_device; under lock */
	struct scsi_reset_notify_entry *notify;	/* under notify_lock */
	atomic_int caps[SCSI_CAP_N];	/* what setcap has changed; else -1 */
	_Atomic uint32_t block_bytes;	/* of LUN 0; 0 not known */
	atomic_bool is_active;		/* in the map */
	atomic_bool is_gone;		/* the chip said so, later than anything else */
	uint_t events;			/* PVSCSI_EV_* not dealt with; under lock */
	bool is_reported, is_leaving, want_back;	/* under topo_lock */
};

#define PVSCSI_EV_REMOVED	0x1u
#define PVSCSI_EV_ADDED		0x2u	/* after REMOVED, when both are set */
#define PVSCSI_EV_LUNS		0x4u

/* what a scsi_device is about; its HBA private */
struct pvscsi_lu {
	struct pvscsi *hba;
	struct pvscsi_target *target;
	scsi_lun_t lun;
};

struct pvscsi_cmd {
	STAILQ_ENTRY(pvscsi_cmd) link;	/* ended, to be completed aside; under lock */
	struct pvscsi_target *target;
	scsi_lun_t lun;
	struct scsi_pkt *pkt;		/* NULL: the driver's own */
	const uint8_t *cdb;
	uint8_t cdb_len;
	uint8_t tag;			/* PV_TAG_* */
	uint8_t why;			/* CMD_*: what was asked of it first; CMD_CMPLT: none */
	uint8_t step;			/* of the ladder of timeouts */
	bool is_block_io;		/* may wait for the lazy doorbell */
	bool is_polled;
	uint_t stats;			/* STAT_* that came with it */
	uint32_t flags;			/* PV_REQ_DIR_* */
	uint32_t context;		/* 0: the chip does not have it; under lock */
	uint32_t time_s;		/* limit; 0 none */
	uint64_t deadline_ns;		/* under lock; 0 none */
	struct pvscsi_want want;
	struct pvscsi_result result;	/* of a command of ours */
	atomic_bool is_done;		/* ours, and polled ones */
};

/* one question to one target */
struct pvscsi_probe {
	struct pvscsi_cmd cmd;
	uint8_t cdb[PV_CDB_MAX];
	uint8_t *data;
	uint64_t iova;
	bool is_out;
};

/* memory for the chip; bus addresses page by page */
struct pvscsi_mem {
	ddi_dma_handle_t handle;
	ddi_acc_handle_t acc;
	caddr_t va;
	size_t pages;
	uint64_t *iova;
	bool is_bound;
};

struct pvscsi_timer {
	timeout_id_t id;
	bool is_armed, is_closed;	/* under lock */
};

#define PVSCSI_WORK_FAILED	0x01u	/* recovery */
#define PVSCSI_WORK_REVIVE	0x02u
#define PVSCSI_WORK_RESET	0x04u
#define PVSCSI_WORK_REFRESH	0x08u
#define PVSCSI_WORK_LATE	0x10u
#define PVSCSI_WORK_EVENTS	0x20u	/* topology */
#define PVSCSI_WORK_SCAN	0x40u
#define PVSCSI_WORK_ENDED	0x80u	/* aside */
#define PVSCSI_WORK_TOPOLOGY	(PVSCSI_WORK_EVENTS | PVSCSI_WORK_SCAN)

struct pvscsi_queue {
	ddi_taskq_t *taskq;
	uint_t todo;			/* PVSCSI_WORK_*; under lock */
	bool is_queued, is_closed;	/* likewise */
};

struct pvscsi_stats {
	_Atomic uint64_t commands, completions, busy, interrupts, messages;
	_Atomic uint64_t aborts, device_resets, bus_resets, adapter_resets, timeouts;
	_Atomic uint64_t failures, revivals, refreshes, scans;
};

struct pvscsi {
	dev_info_t *dip;
	scsi_hba_tran_t *tran;
	ddi_acc_handle_t config_acc, regs_acc;
	caddr_t regs;

	uint32_t ring_pages, cmp_pages;
	uint32_t depth;			/* commands at a time: ring entries - 1 */
	uint32_t refresh_at;
	uint32_t ntargets;		/* numbers that are looked at: 1 .. PV_TARGETS */
	struct pvscsi_mem mem;		/* all but tables */
	uint32_t msg_page, probe_page, sense_page;	/* where in it */
	/* a page for each slot; in parts, as memory may be */
	struct pvscsi_mem tables[PVSCSI_TABLE_MEMS];

	ddi_intr_handle_t vector;
	int intr_type;			/* DDI_INTR_TYPE_*; 0 none */
	bool has_handler, is_enabled;
	atomic_int idle_intrs;		/* interrupts minus what was behind them */

	kmutex_t recovery_lock, command_lock, topo_lock, notify_lock;
	kmutex_t lock;			/* of what follows */
	kcondvar_t cv;			/* a command ended that somebody waits for */
	unsigned int state;		/* enum pvscsi_state */
	enum pvscsi_lie lie;		/* the last one */
	bool is_quiesced;
	bool is_detaching;		/* no more probes */
	bool wants_idle;		/* somebody waits for the chip to have nothing */
	uint_t hw_errors, attempts;
	uint64_t retry_ns, failed_ns;	/* when to revive; when it failed last */
	struct pvscsi_rings rings;
	struct pvscsi_tags tags;
	struct pvscsi_timer tick, scan;
	uint_t ntimers;			/* running now */
	struct pvscsi_queue recovery, topology, aside;
	STAILQ_HEAD(, pvscsi_cmd) ended;	/* aside's */

	scsi_hba_tgtmap_t *map;		/* while the iport is attached; under topo_lock */
	uint_t scan_s;
	struct pvscsi_probe *probes;	/* PV_TARGETS; the topology queue's */
	struct pvscsi_target targets[PV_TARGETS];
	atomic_int caps[SCSI_CAP_N];
	struct pvscsi_stats stats;
};

/* packets to be completed once no lock is held */
struct pvscsi_done {
	struct scsi_pkt *pkts[PVSCSI_BATCH];
	uint_t n;
};

/* pvscsi_of() - the adapter that an HBA or iport node is; NULL when it is not attached */
struct pvscsi *pvscsi_of(dev_info_t *dip);

static inline struct pvscsi_lu *
pvscsi_lu_of(struct scsi_address *ap)
{
	return scsi_device_hba_private_get(scsi_address_device(ap));
}

static inline uint32_t
pvscsi_get(struct pvscsi *hba, uint32_t reg)
{
	return ddi_get32(hba->regs_acc, (uint32_t *)(void *)(hba->regs + reg));
}

static inline void
pvscsi_put(struct pvscsi *hba, uint32_t reg, uint32_t value)
{
	ddi_put32(hba->regs_acc, (uint32_t *)(void *)(hba->regs + reg), value);
}

/* init.c */
/* pvscsi_init() - quiet the chip, find out what it can do, take memory. 0, -ENOMEM, -EIO (it
 * refuses), -ENODEV (registers read as all ones). pvscsi_fini() undoes any part of it */
int pvscsi_init(struct pvscsi *hba) MUST_CHECK;
void pvscsi_fini(struct pvscsi *hba);
/* pvscsi_command() - a command with @len bytes of descriptor; what the chip answers. No lock
 * but recovery_lock is held. The model takes as long as its slowest command */
uint32_t pvscsi_command(struct pvscsi *hba, uint32_t cmd, const void *desc, size_t len);
/* pvscsi_silence() - no interrupt, no access to memory from now on. is_final: none until
 * pvscsi_bring_up(), whatever the chip thinks */
void pvscsi_silence(struct pvscsi *hba, bool is_final);
/* pvscsi_bring_up() - after a silence: rings from private copies, interrupts. 0, -EIO, -ENODEV.
 * pvscsi_rings_setup(): the rings only */
int pvscsi_bring_up(struct pvscsi *hba) MUST_CHECK;
int pvscsi_rings_setup(struct pvscsi *hba) MUST_CHECK;
bool pvscsi_is_absent(struct pvscsi *hba);	/* registers read as all ones */

/* start.c */
int pvscsi_start(struct scsi_address *ap, struct scsi_pkt *pkt);
/* pvscsi_post() - give the chip a command; TRAN_ACCEPT, TRAN_BUSY, TRAN_FATAL_ERROR */
int pvscsi_post(struct pvscsi *hba, struct pvscsi_cmd *cmd, const ddi_dma_cookie_t *cookies,
    uint_t ncookies);
void pvscsi_kick(struct pvscsi *hba);

/* complete.c */
/* pvscsi_end() - lock is held, the tag is dropped: @result is what became of @cmd */
void pvscsi_end(struct pvscsi *hba, struct pvscsi_cmd *cmd, struct pvscsi_result *result,
    const uint8_t *sense, struct pvscsi_done *done);
/* pvscsi_end_all() - lock is held, the chip is silent: end what it still has, a batch at a
 * time; false: there was nothing */
bool pvscsi_end_all(
    struct pvscsi *hba, uint8_t reason, uint_t state, uint_t stats, struct pvscsi_done *done);
/* pvscsi_deliver() - no lock is held. pvscsi_deliver_aside(): soon, by another thread */
void pvscsi_deliver(struct pvscsi_done *done);
void pvscsi_deliver_aside(struct pvscsi *hba, struct pvscsi_done *done);
void pvscsi_deliver_ended(struct pvscsi *hba);	/* what was put aside; aside queue */

/* intr.c */
uint_t pvscsi_intr(caddr_t arg1, caddr_t arg2);
/* pvscsi_drain() - end what the chip has returned, @budget commands at most; true: there may be
 * more. No lock is held. pvscsi_drain_aside(): all of it, completed by another thread;
 * recovery_lock may be held */
bool pvscsi_drain(struct pvscsi *hba, uint_t budget);
void pvscsi_drain_aside(struct pvscsi *hba);

/* tmf.c */
int pvscsi_abort(struct scsi_address *ap, struct scsi_pkt *pkt);
int pvscsi_clear_task_set(struct scsi_address *ap);
int pvscsi_reset(struct scsi_address *ap, int level);
int pvscsi_bus_reset(dev_info_t *dip, int level);
int pvscsi_reset_notify(
    struct scsi_address *ap, int flag, void (*callback)(caddr_t), caddr_t arg);
void pvscsi_tell_reset(struct pvscsi *hba, struct pvscsi_target *target);	/* NULL: all */
/* pvscsi_empty() - @target has left: get its commands back from the chip, they end with
 * CMD_DEV_GONE; new ones end so at once. May block */
void pvscsi_empty(struct pvscsi *hba, struct pvscsi_target *target);
int pvscsi_quiesce(dev_info_t *dip);
int pvscsi_unquiesce(dev_info_t *dip);
/* pvscsi_late() - climb the ladder with every command whose time is over: abort, device reset,
 * bus reset, adapter reset; then give the chip PVSCSI_GRACE_S for it. Recovery queue */
void pvscsi_late(struct pvscsi *hba);

/* event.c */
/* pvscsi_note() - lock is held: remember a message; @lost: look at everything */
void pvscsi_note(struct pvscsi *hba, const struct pv_msg *msg, bool lost);
void pvscsi_work(struct pvscsi *hba, uint_t work);	/* lock is held; soon, by a queue */
void pvscsi_tick_arm(struct pvscsi *hba);		/* lock is held */
void pvscsi_scan_arm(struct pvscsi *hba);		/* lock is held */
int pvscsi_clocks_start(struct pvscsi *hba) MUST_CHECK;	/* DDI_* */
void pvscsi_clocks_stop(struct pvscsi *hba);

/* topo.c */
int pvscsi_iport_attach(dev_info_t *dip);
int pvscsi_iport_detach(dev_info_t *dip);
int pvscsi_tgt_init(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd);
void pvscsi_tgt_free(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd);
void pvscsi_topology(struct pvscsi *hba, uint_t work);	/* topology queue */

/* caps.c */
void pvscsi_caps_init(atomic_int caps[SCSI_CAP_N]);
int pvscsi_getcap(struct scsi_address *ap, char *cap, int whom);
int pvscsi_setcap(struct scsi_address *ap, char *cap, int value, int whom);

/* fail.c */
/* pvscsi_fail() - the chip did what it cannot do. Any context, no lock held */
void pvscsi_fail(struct pvscsi *hba, enum pvscsi_lie lie);
/* pvscsi_recover() - adapter reset: what it has ends with CMD_RESET and STAT_BUS_RESET, and it
 * goes on. 0, or -EIO: failed. Any context, no lock held */
int pvscsi_recover(struct pvscsi *hba);
void pvscsi_recovery(struct pvscsi *hba, uint_t work);	/* recovery queue */
const char *pvscsi_lie_name(enum pvscsi_lie lie);
void pvscsi_show(struct pvscsi *hba);	/* properties of the node; may block */

#endif /* PVSCSI_PVSCSI_H */
