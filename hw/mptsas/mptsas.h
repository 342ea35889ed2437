/*
 * mptsas/mptsas.h - inside the driver of Fusion-MPT SAS controllers (MPI 1.x); this room only
 *
 * What      An adapter is a message unit (msg.c): requests go in by a FIFO of frame addresses,
 *           replies come out by another. Three slots are the driver's own, the others carry
 *           packets. Configuration pages (page.c) tell of phys and devices; topo.c makes ports
 *           and targets of that.
 * Adapter   enum mptsas_state, under hba->lock:
 *
 *             off -----> ready -----------> failed ------> resetting ------> ready
 *                  init      a lie, a fault,      worker               init
 *                            silence                 \-----> dead (three times in ten
 *                                                             minutes, or it does not come
 *                                                             back)
 *
 *           "failed" is entered by whoever notices, in any context: bus mastering is taken
 *           away, interrupts are masked, nothing starts any more. All else is the worker's:
 *           reset, end what was in flight, bring up from the driver's own copies.
 * Command   A slot is taken under hba->lock, given to the chip without it, and taken back when
 *           the chip returns its context, or when a reset proves that it cannot any more. Who
 *           asked it to end (abort, reset, time) leaves why and statistics in the slot; they
 *           count only if the chip says that the command was ended.
 * Threads   start, intr: any. watch: timer. Everything that waits for the chip (task
 *           management in sequence, topology, recovery) runs on the adapter's worker, or on the
 *           thread of a caller that may sleep.
 * Locks     hba->scanning (one reading of the topology); inside that hba->message or hba->task
 *           (one exchange at a time each, held while waiting); inside that hba->topo (ports,
 *           targets, phys; maps are told with it held); inside that hba->lock (slots, states).
 *           hba->notify for reset callbacks. No completion and no register access with
 *           hba->lock held.
 * Pure      ring.h, reply.h, page.h: bytes in, bytes out.
 */
#ifndef MPTSAS_MPTSAS_H
#define MPTSAS_MPTSAS_H

#include <sys/scsi/scsi.h>

#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/scsi/impl/scsi_reset_notify.h>
#include <sys/scsi/impl/scsi_sas.h>
#include <sys/scsi/impl/services.h>
#include <sys/scsi/impl/smp_transport.h>
#include <sys/scsi/impl/tgtmap.h>

#include "base/sm.h"
#include "hw/mptsas/module.h"
#include "hw/mptsas/page.h"
#include "hw/mptsas/reply.h"
#include "hw/mptsas/ring.h"

#define MPTSAS_XFER_MAX		(1024 * 1024)
#define MPTSAS_TADDR_LEN	SCSI_WWN_BUFLEN
#define MPTSAS_REAP_BUDGET	256	/* replies an interrupt; the rest has to wait */
#define MPTSAS_IDLE_MAX		1000	/* interrupts for replies that are not there */
#define MPTSAS_STALE_MAX	1024	/* replies of the time before a reset */
#define MPTSAS_WATCH_US		50000	/* while commands are in flight */
#define MPTSAS_TICK_US		1000000
#define MPTSAS_POLL_MS		2000	/* topology, of a chip that has never sent an event */
#define MPTSAS_POLL_SLOW_MS	30000	/* of one that has */
#define MPTSAS_MESSAGE_US	30000000	/* until an exchange counts as lost */
#define MPTSAS_SETTLE_US	10000
#define MPTSAS_IPORT_SETTLE_US	20000
#define MPTSAS_PHY_SETTLE_US	5000
#define MPTSAS_CSYNC_US		2000000
#define MPTSAS_DEVICES_MAX	1024
#define MPTSAS_THROTTLE		64	/* commands of a target; SATA has half */
#define MPTSAS_RECOVERIES	3	/* so many ... */
#define MPTSAS_RECOVERY_NS	(600 * NANOSEC)	/* ... in so long, and it is dead */
#define MPTSAS_NEWS_MAX		16	/* that wait for the worker; it looks anyway */

enum mptsas_state {
	MPTSAS_OFF, MPTSAS_READY, MPTSAS_FAILED, MPTSAS_RESETTING, MPTSAS_DEAD, MPTSAS_STATE_N
};

extern const struct sm_state mptsas_states[MPTSAS_STATE_N];

/* why an adapter failed: what becomes of the commands in flight */
enum mptsas_fault {
	MPTSAS_FAULT_NONE,
	MPTSAS_FAULT_LIE,		/* a reply nobody waits for, more sense than room .. */
	MPTSAS_FAULT_GONE,		/* all ones */
	MPTSAS_FAULT_IOC,		/* the firmware says so itself */
	MPTSAS_FAULT_SILENCE,		/* task management or a message without answer */
	MPTSAS_FAULT_ASKED,		/* somebody wants everything reset */
	MPTSAS_FAULT_N
};

/* work of the worker, in order of urgency; hba->work is a mask of 1 << these */
enum mptsas_work {
	MPTSAS_WORK_FAIL, MPTSAS_WORK_TASKS, MPTSAS_WORK_ACKS, MPTSAS_WORK_DEVICES,
	MPTSAS_WORK_TOPO, MPTSAS_WORK_LUNS, MPTSAS_WORK_N
};

struct mptsas_hba;
struct mptsas_lu;

/* pkt_ha_private */
struct mptsas_cmd {
	struct scsi_pkt *pkt;
	struct mptsas_lu *lu;
	uint32_t context;
	uint32_t len;			/* bytes to move */
	uint64_t deadline_ns;		/* 0: none */
	uint8_t why;			/* CMD_*: who asked it to end; CMD_CMPLT: nobody */
	uint_t stats;			/* STAT_* that go with it */
	bool has_expired;
	bool want_abort;		/* the worker shall abort it */
	bool is_polled;
	atomic_bool is_done;		/* polled: the result is in the packet */
	TAILQ_ENTRY(mptsas_cmd) link;	/* list of whoever ends it */
};

TAILQ_HEAD(mptsas_cmd_list, mptsas_cmd);

struct mptsas_slot {
	struct mptsas_cmd *cmd;		/* NULL: free */
	uint16_t gen;
	uint16_t next;			/* free list; 0: the end */
};

/* an exchange of the driver's own */
struct mptsas_msg {
	enum { MSG_IDLE, MSG_SENT, MSG_DONE } state;
	uint32_t context;
	struct reply_head head;
	uint8_t reply[RING_REPLY_BYTES];
};

/* what an event said, for the worker */
struct mptsas_news {
	uint32_t event;
	uint32_t route;			/* bus << 8 | target */
	uint16_t handle, depth;
	uint8_t reason;
};

struct mptsas_target {
	LIST_ENTRY(mptsas_target) link;
	struct mptsas_hba *hba;
	uint64_t sas, local, remote;	/* its own; and of the port that leads to it */
	struct page_device page;	/* as last read; under topo */
	_Atomic uint32_t route;		/* bus << 8 | target, towards the chip */
	atomic_bool is_gone;
	bool is_expander;
	bool was_seen;			/* by the scan that runs */
	unsigned int nlus;		/* under topo; gone and 0: freed */
	/* under hba->lock */
	bool is_moving;			/* away, and the firmware is about to give it up */
	unsigned int active, throttle;
};

/* what one scsi_device is about */
struct mptsas_lu {
	LIST_ENTRY(mptsas_lu) link;
	struct mptsas_target *target;
	uint8_t lun[8];			/* wire order */
	struct scsi_reset_notify_entry *notify;	/* under hba->notify */
	unsigned int nwalkers;		/* who stand on it; under topo */
	atomic_int caps[SCSI_CAP_N];	/* what setcap has changed; else -1 */
};

struct mptsas_iport {
	LIST_ENTRY(mptsas_iport) link;
	struct mptsas_hba *hba;
	dev_info_t *dip;
	uint64_t local, remote;
	int nphys;			/* as its properties say */
	scsi_hba_tgtmap_t *map;
};

/* a phy as it was told to the phy map */
struct mptsas_phy {
	bool is_up, was_up;
	uint64_t local, remote;		/* of the last time it was up */
};

struct mptsas_pool {
	ddi_dma_handle_t dma;
	ddi_acc_handle_t acc;
	uint8_t *mem;
	uint64_t iova;
	bool is_bound;
};

/* told as properties of the node when the worker has done something */
struct mptsas_counts {
	_Atomic uint64_t aborts, resets, timeouts, queue_full, events, stale, recoveries;
};

struct mptsas_hba {
	dev_info_t *dip;
	scsi_hba_tran_t *tran;
	smp_hba_tran_t *smp_tran;
	uint16_t device;
	ddi_acc_handle_t config, regs;
	uint8_t *base;			/* of the registers */
	ddi_intr_handle_t vector;
	bool has_handler, is_enabled;
	int intr_type;

	struct ring_facts facts;	/* of the last bring-up */
	struct ring_layout layout;	/* of the first one: for good */
	struct mptsas_pool pool;
	struct mptsas_counts counts;

	kmutex_t lock;			/* of what follows */
	kcondvar_t cv;			/* a message, a state, a slot, work */
	unsigned int state;		/* enum mptsas_state */
	enum mptsas_fault fault;
	const char *why;		/* the same in words; never NULL */
	unsigned int failures;
	uint32_t epoch;			/* of contexts; one more at each reset */
	struct mptsas_slot *slots;	/* layout.nslots */
	uint16_t free_head;
	unsigned int active;		/* slots with a packet */
	bool is_quiesced;
	bool was_busy;			/* something was started since the last watch */
	uint64_t next_deadline_ns;
	unsigned int nwaiting;		/* threads that wait for slots to be left */
	unsigned int nstale;		/* replies of earlier epochs, in this one */
	struct mptsas_msg msgs[RING_SLOT_COMMANDS];
	struct { uint32_t event, context; } acks[MPTSAS_NEWS_MAX];
	unsigned int nacks;
	struct mptsas_news news[MPTSAS_NEWS_MAX];
	unsigned int nnews;
	uint32_t work;
	bool has_events;		/* the chip has sent one that tells of devices */
	uint64_t next_poll_ns;
	unsigned int poll_ms;		/* property; 0: as the chip needs it */
	uint64_t recovered_ns[MPTSAS_RECOVERIES];
	kt_did_t worker;
	timeout_id_t watch, tick;
	bool is_watch_armed, is_tick_armed;
	unsigned int ntimers;		/* running now */

	atomic_bool can_touch;		/* ready: FIFOs may be read and written */
	atomic_uint touching;		/* threads that do */
	atomic_uint idle;		/* interrupts in a row that brought nothing */
	atomic_bool is_stopping, is_dead;
	atomic_bool is_watched;		/* the watch is armed, or about to be */

	kmutex_t scanning;		/* hba->scan */
	kmutex_t message, task;		/* the one exchange of each kind */
	kmutex_t notify;
	kmutex_t topo;			/* of what follows */
	struct mptsas_phy phys[PAGE_PHYS_MAX];
	LIST_HEAD(, mptsas_target) targets;
	LIST_HEAD(, mptsas_iport) iports;
	LIST_HEAD(, mptsas_lu) lus;
	kcondvar_t walk_cv;		/* nwalkers of a lu has reached 0 */
	bool has_twins;			/* two devices of one name: said once */
	scsi_hba_iportmap_t *iportmap;
	sas_phymap_t *phymap;
	struct mptsas_scan *scan;	/* room for reading pages; under scanning */

	atomic_int caps[SCSI_CAP_N];
};

static inline struct mptsas_lu *
mptsas_lu_of(struct scsi_address *ap)
{
	return scsi_device_hba_private_get(scsi_address_device(ap));
}

/* mptsas_touch_begin(), _end() - around every use of the FIFOs, so that a reset can wait until
 * nobody is at it; false: not now */
static inline bool
mptsas_touch_begin(struct mptsas_hba *hba)
{
	(void)atomic_fetch_add(&hba->touching, 1);
	if (LIKELY(atomic_load(&hba->can_touch)))
		return true;
	(void)atomic_fetch_sub(&hba->touching, 1);
	return false;
}

static inline void
mptsas_touch_end(struct mptsas_hba *hba)
{
	(void)atomic_fetch_sub(&hba->touching, 1);
}

/* mptsas_of() - the adapter behind a node, or behind the node of one of its iports */
struct mptsas_hba *mptsas_of(dev_info_t *dip);

/* msg.c: the message unit */

static inline uint32_t
mptsas_get(struct mptsas_hba *hba, uint32_t reg)
{
	return ddi_get32(hba->regs, (uint32_t *)(void *)(hba->base + reg));
}

static inline void
mptsas_put(struct mptsas_hba *hba, uint32_t reg, uint32_t value)
{
	ddi_put32(hba->regs, (uint32_t *)(void *)(hba->base + reg), value);
}

/* mptsas_bus_master() - let the chip reach memory, or not; back when it has taken effect */
void mptsas_bus_master(struct mptsas_hba *hba, bool is_on);

/* mptsas_make_ready() - whatever the chip was doing, to READY; sleeps up to a minute. 0,
 * -ENODEV (all ones), -ETIMEDOUT, -EIO (no firmware) */
int mptsas_make_ready(struct mptsas_hba *hba) MUST_CHECK;

/* mptsas_halt() - stop the chip at once: nothing of the past reaches memory any more */
void mptsas_halt(struct mptsas_hba *hba);

/* mptsas_handshake() - one exchange through the doorbell, before OPERATIONAL. @len: bytes of
 * the request; @reply: room for @size. 0 with *@ret_len, -EIO, -ETIMEDOUT */
int mptsas_handshake(struct mptsas_hba *hba, const uint8_t *request, size_t len,
    uint8_t *reply, size_t size, size_t *ret_len) MUST_CHECK;

/* mptsas_wait_state() - until the doorbell says @state; 0, -ENODEV, -EIO (fault), -ETIMEDOUT */
int mptsas_wait_state(struct mptsas_hba *hba, enum mpt_state state, uint64_t us) MUST_CHECK;

/* mptsas_frame(), mptsas_post() - the frame of a slot, and giving it to the chip */
uint8_t *mptsas_frame(struct mptsas_hba *hba, uint32_t slot);
void mptsas_post(struct mptsas_hba *hba, uint32_t slot, size_t len);

/**
 * mptsas_exchange() - post a request of the driver's own and wait for the answer
 *
 * @slot     RING_SLOT_MESSAGE, hba->message held, or RING_SLOT_TASK, hba->task held; its frame
 *           is written but for the context
 * @len      bytes of the frame
 * @us       how long; then the adapter counts as failed
 *
 * Returns:  0         the reply is in hba->msgs[slot]
 *           -EIO      the adapter is not ready, or has failed meanwhile
 *           -ETIMEDOUT  no answer; the adapter has failed by that
 * Thread:   sleeps; in interrupt context it polls
 */
int mptsas_exchange(struct mptsas_hba *hba, uint32_t slot, size_t len, uint64_t us) MUST_CHECK;

/* mptsas_message_done() - intr.c: a reply to slot @slot; false: nobody waits for it */
bool mptsas_message_done(struct mptsas_hba *hba, uint32_t slot, const uint8_t *reply,
    const struct reply_head *head);

/* init.c */
/* mptsas_pool_open(), _close() - the area of DMA memory; 0 or -ENOMEM */
int mptsas_pool_open(struct mptsas_hba *hba) MUST_CHECK;
void mptsas_pool_close(struct mptsas_hba *hba);
/* mptsas_learn() - facts of a chip in READY; 0, -EIO .., -ENODEV: no SAS initiator */
int mptsas_learn(struct mptsas_hba *hba) MUST_CHECK;
/* mptsas_bring_up() - from READY with facts known to replies flowing: bus mastering, IOC init,
 * reply frames, interrupt mask. State becomes ready */
int mptsas_bring_up(struct mptsas_hba *hba) MUST_CHECK;
/* mptsas_open_ports() - events on, ports enabled; the state is ready */
int mptsas_open_ports(struct mptsas_hba *hba) MUST_CHECK;

/* start.c */
int mptsas_start(struct scsi_address *ap, struct scsi_pkt *pkt);
int mptsas_setup_pkt(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg);
void mptsas_teardown_pkt(struct scsi_pkt *pkt);
/* mptsas_slots_open(), _close() */
int mptsas_slots_open(struct mptsas_hba *hba) MUST_CHECK;
void mptsas_slots_close(struct mptsas_hba *hba);
/* lock held: the command of @slot leaves it */
struct mptsas_cmd *mptsas_slot_take_back(struct mptsas_hba *hba, uint32_t slot);

/* intr.c */
uint_t mptsas_intr(caddr_t arg1, caddr_t arg2);
/* mptsas_reap() - take what the reply FIFO has; *@ret_n how many, false: the budget ended it */
bool mptsas_reap(struct mptsas_hba *hba, unsigned int budget, unsigned int *ret_n);
/* mptsas_finish() - off its slot: the packet gets @result and is completed; @sense: as many
 * bytes as @result says, or NULL */
void mptsas_finish(
    struct mptsas_cmd *cmd, const struct reply_result *result, const uint8_t *sense);
/* mptsas_end() - off its slot: ended without an answer, for reasons of the adapter's */
void mptsas_end(struct mptsas_cmd *cmd, uint8_t reason, uint_t stats);

/* tmf.c */
int mptsas_abort(struct scsi_address *ap, struct scsi_pkt *pkt);
int mptsas_reset(struct scsi_address *ap, int level);
int mptsas_bus_reset(dev_info_t *dip, int level);
int mptsas_clear_task_set(struct scsi_address *ap);
int mptsas_reset_notify(struct scsi_address *ap, int flag, void (*callback)(caddr_t),
    caddr_t arg);
int mptsas_quiesce(dev_info_t *dip);
int mptsas_unquiesce(dev_info_t *dip);
/* mptsas_tasks_run() - worker: aborts that were asked for, commands whose time is over */
void mptsas_tasks_run(struct mptsas_hba *hba);
/* mptsas_tell_reset() - callbacks of all units of @target, or of all (NULL) */
void mptsas_tell_reset(struct mptsas_hba *hba, const struct mptsas_target *target,
    const struct mptsas_lu *one);
/* mptsas_target_reset() - by task management; 0 or -errno */
int mptsas_target_reset(struct mptsas_target *target) MUST_CHECK;
/* mptsas_target_depart() - worker: it has left; what the chip still has of its commands ends
 * with CMD_DEV_GONE, before the framework takes its units away */
void mptsas_target_depart(struct mptsas_target *target);

/* event.c */
/* mptsas_event() - intr.c: an event notification has arrived; false: it makes no sense */
bool mptsas_event(struct mptsas_hba *hba, const uint8_t *reply, const struct reply_head *head);
void mptsas_acks_run(struct mptsas_hba *hba);
void mptsas_devices_run(struct mptsas_hba *hba);

/* topo.c */
int mptsas_topo_open(struct mptsas_hba *hba) MUST_CHECK;	/* maps; reads and reports */
void mptsas_topo_close(struct mptsas_hba *hba);
void mptsas_topo_free(struct mptsas_hba *hba);	/* what is left at the end */
void mptsas_topo_run(struct mptsas_hba *hba);	/* worker: read and report what has changed */
void mptsas_luns_run(struct mptsas_hba *hba);	/* worker: look for units of all targets */
/* mptsas_lu_next() - walk over units: stands on the answer until the next call */
struct mptsas_lu *mptsas_lu_next(struct mptsas_hba *hba, struct mptsas_lu *prev);
void mptsas_target_unref(struct mptsas_target *target);	/* topo held; a lu less */
void mptsas_throttles_restore(struct mptsas_hba *hba);	/* a second has passed */
/* topo held: what is behind an iport is told to its map */
void mptsas_iport_report(struct mptsas_iport *iport);
void mptsas_iport_scan_luns(struct mptsas_iport *iport);
/* topo held: where an iport of that name leads */
bool mptsas_iport_resolve(struct mptsas_hba *hba, const char *ua, uint64_t *ret_local,
    uint64_t *ret_remote);

/* scan.c */
/* the topology as read at one time */
struct mptsas_scan {
	uint64_t wwid;
	struct page_phy phys[PAGE_PHYS_MAX];
	uint64_t local[PAGE_PHYS_MAX];	/* address of our side */
	unsigned int nphys, ndevices;
	struct page_device devices[MPTSAS_DEVICES_MAX];
	uint64_t remote[MPTSAS_DEVICES_MAX];	/* of the port that leads there; 0: none */
	uint64_t via[MPTSAS_DEVICES_MAX];	/* our own address of it */
	uint32_t epoch;			/* that the heads are of */
	struct page_head heads[3];	/* of pages, asked for once; bytes 0: not yet */
};
/* mptsas_scan_read() - all pages; 0, -EIO, -EBADMSG */
int mptsas_scan_read(struct mptsas_hba *hba, struct mptsas_scan *scan) MUST_CHECK;
/* mptsas_scan_route() - which port leads to each device; pure */
void mptsas_scan_route(struct mptsas_scan *scan);

/* iport.c */
int mptsas_iport_attach(dev_info_t *dip);
int mptsas_iport_detach(dev_info_t *dip);
int mptsas_tgt_init(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd);
void mptsas_tgt_free(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd);
/* topo held: what its phys are now */
void mptsas_iport_props(struct mptsas_iport *iport);

/* smp.c */
int mptsas_smp_open(struct mptsas_hba *hba) MUST_CHECK;
void mptsas_smp_close(struct mptsas_hba *hba);

/* caps.c */
void mptsas_caps_init(atomic_int caps[SCSI_CAP_N]);
int mptsas_getcap(struct scsi_address *ap, char *cap, int whom);
int mptsas_setcap(struct scsi_address *ap, char *cap, int value, int whom);

/* fail.c */
/* mptsas_fail() - the adapter cannot be trusted any more; any context, no lock held. Only the
 * first call of a life counts */
void mptsas_fail(struct mptsas_hba *hba, enum mptsas_fault fault, const char *what);
/* lock held: wake the worker for @work */
void mptsas_work_add(struct mptsas_hba *hba, enum mptsas_work work);
void mptsas_worker_start(struct mptsas_hba *hba);
void mptsas_worker_stop(struct mptsas_hba *hba);	/* and the timers */
void mptsas_watch_arm(struct mptsas_hba *hba);	/* something is in flight */

#endif /* MPTSAS_MPTSAS_H */
