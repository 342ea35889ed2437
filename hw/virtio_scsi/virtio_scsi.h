/*
 * virtio_scsi/virtio_scsi.h - inside of the driver of virtio SCSI adapters
 *
 * What      An adapter with a control queue, an event queue and a request queue for each loop.
 *           Written to the public headers of SCSA and DDI: a node with register sets,
 *           interrupts and DMA is all it knows of PCI.
 * Files     regs (specification), ring, layout (pure parts); attach, init, mem, queue, start,
 *           intr, tmf, event, topo, caps, fail: one phase each.
 * Adapter
 *                attach            init                    quiesce, recovery
 *           down ------> starting -----> ready <---------------------------> held
 *                            |             |                                  |
 *                            |             | it lied, or asks for a reset     |
 *                            | too often   v                                  |
 *                          dead <------- failed <-----------------------------+
 *
 *           "held" answers TRAN_BUSY, "failed" too if all it needs is a reset; one that lied,
 *           or is dead or gone, answers TRAN_FATAL_ERROR. Out of "failed" the
 *           rescue resets the device, ends every packet, and builds all anew from private
 *           copies ("starting").
 * Command   A packet's vs_cmd is the device's from the moment it is in a queue's cmds[] until
 *           it is taken out: by the ring, or after a reset of the device. Whoever takes it out
 *           completes it, once, with no lock held.
 * Queues    A thread submits to the queue of its loop (CPU->cpu_id), whose vector belongs to
 *           the same loop. So commands of one thread stay in order, ordered and head of queue
 *           tags mean what they say among them, and the lock of a queue is not contended.
 * Kicks     Submissions made while completions are delivered are told to the device together,
 *           after VS_BUDGET of them. Else the device's event index says whether it wants to
 *           hear.
 * Time      Nobody starts a timer for a command. While commands are out a watch runs ten times
 *           a second: it counts ticks, expires packets, and looks whether the device is there.
 * Locks     hba->lock: units, targets, state. Inside it nothing of ours. queue->lock: ring,
 *           slots, free list. control->lock, events->lock: the same for those; events->lock
 *           may be taken inside queue->lock. No completion, callback of the framework or sleep
 *           with one of them held.
 * Trust     What the device writes is read once and judged (ring.h, layout.h). A ring that
 *           cannot be true fails the adapter, and nothing else.
 */
#ifndef VIRTIO_SCSI_VIRTIO_SCSI_H
#define VIRTIO_SCSI_VIRTIO_SCSI_H

#include <sys/scsi/scsi.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/cpuvar.h>
#include <sys/queue.h>
#include <sys/scsi/impl/scsi_reset_notify.h>
#include <sys/scsi/impl/services.h>
#include <sys/scsi/impl/tgtmap.h>

#include "base/compiler.h"
#include "base/sm.h"
#include "hw/virtio_scsi/layout.h"
#include "hw/virtio_scsi/regs.h"
#include "hw/virtio_scsi/ring.h"

#define VS_QUEUES_MAX		16	/* request queues that we use */
#define VS_VECTORS_MAX		(VS_QUEUES_MAX + 3)
#define VS_DEPTH_MAX		256	/* commands of one queue */
#define VS_SEGS_MAX		254	/* pieces of a command's data */
#define VS_TMFS			8	/* on the control queue at a time */
#define VS_EVENTS		16	/* buffers posted */
#define VS_BACKLOG		64	/* events that wait for the worker */
#define VS_TARGETS		(VS_TARGET_MAX + 1)
#define VS_SCAN_DEPTH		16	/* INQUIRYs of a scan at a time */
#define VS_SCAN_BYTES		64	/* room for one answer */
#define VS_BUDGET		16	/* completions delivered in one go, then a kick */

#define VS_TICK_MS		100
#define VS_TICKS_PER_S		(1000 / VS_TICK_MS)
#define VS_RESET_MS		60000	/* the device finishes what is in flight first, */
#define VS_RESET_LIAR_MS	5000	/* if it can be believed */
#define VS_TMF_MS		30000	/* task management waits for the backend, too */
#define VS_IDLE_INTRS_MAX	1000	/* in one tick, with nothing to do */
#define VS_EVENTS_MAX		2000	/* in one tick */
#define VS_FAILURES_MAX		5	/* in VS_FAILURES_S; more, and it stays dead */
#define VS_FAILURES_S		60
#define VS_RECHECK_TICKS	2	/* a unit that leaves is still there for a moment */
#define VS_RECHECK_LATE_TICKS	10

#define VS_PORT			"iport0"
#define VS_SETTLE_US		100000
#define VS_CSYNC_US		5000000
#define VS_FIRST_SCAN_MS	10000	/* that attach waits for, at most */

/* a piece of memory shared with the device, in one piece for it */
struct vs_mem {
	ddi_dma_handle_t handle;
	ddi_acc_handle_t acc;
	uint8_t *va;
	uint64_t iova;
	bool is_bound;
};

/* what a slot of a queue has in shared memory: two of these in a page do not touch */
#define VS_SLOT_BYTES		512
#define VS_SLOT_REQUEST		0
#define VS_SLOT_RESPONSE	64
#define VS_SLOT_TABLE		192	/* descriptors of a command with few pieces */
#define VS_SLOT_DESCS		((VS_SLOT_BYTES - VS_SLOT_TABLE) / sizeof(struct vs_desc))
#define VS_SLOTS_PER_MEM	64
#define VS_TABLE_BYTES		4096	/* descriptors of one with many */
#define VS_TABLES_PER_MEM	16

_Static_assert(VS_TABLE_BYTES / sizeof(struct vs_desc) >= VS_SEGS_MAX + 2, "all pieces fit");
_Static_assert(VS_SLOT_RESPONSE >= VS_REQ_BYTES, "request and response do not overlap");
_Static_assert(VS_SLOT_TABLE >= VS_SLOT_RESPONSE + VS_RESP_BYTES, "nor response and table");

struct vs_hba;
struct vs_queue;

/* a command; of a packet: its HBA private area */
struct vs_cmd {
	struct scsi_pkt *pkt;			/* NULL: the driver's own */
	STAILQ_ENTRY(vs_cmd) link;		/* while it is being completed */
	uint64_t id;				/* generation, queue and slot */
	uint64_t issued;			/* tick, as the queue knew it */
	uint64_t deadline;			/* tick; 0: none */
	size_t data_bytes;
	uint8_t target;
	bool is_expired;			/* queue->lock; set by the watch, for good */
	bool is_polled;				/* FLAG_NOINTR: is_done is waited for */
	atomic_bool is_done;
	struct vs_result result;		/* of the driver's own */
	void (*done)(struct vs_cmd *cmd);	/* likewise; called with no lock */
};

STAILQ_HEAD(vs_cmd_list, vs_cmd);

/* a command as the device shall see it */
struct vs_order {
	const uint8_t *lun;			/* 8 bytes */
	uint8_t attr;
	const uint8_t *cdb;
	size_t cdb_bytes;
	const ddi_dma_cookie_t *cookies;
	unsigned int ncookies;
	bool is_read;
};

struct vs_queue {
	struct vs_hba *hba;
	kmutex_t lock;
	kcondvar_t cv;				/* nothing is in flight any more */
	struct vs_ring ring;
	uint16_t *doorbell;
	uint16_t index;				/* VS_REQUEST_QUEUE .. */
	uint16_t number;			/* of the request queue, from 0 */
	uint16_t depth;
	uint16_t stride;			/* descriptors of the ring a slot owns */
	bool is_live;				/* its ring is the device's */
	atomic_bool want_kick;			/* something waits for the end of a delivery */
	struct vs_cmd *cmds[VS_DEPTH_MAX];	/* by slot; NULL: free */
	uint32_t generations[VS_DEPTH_MAX];
	uint16_t free[VS_DEPTH_MAX];		/* stack of slots */
	uint16_t nfree;
	struct vs_mem ring_mem;
	struct vs_mem slot_mems[VS_DEPTH_MAX / VS_SLOTS_PER_MEM];
	struct vs_mem table_mems[VS_DEPTH_MAX / VS_TABLES_PER_MEM];
};

/* a task management function: the device's until it answers, whoever waited for it */
struct vs_tmf {
	bool is_taken, is_sent, is_done, has_waiter;
	uint8_t response;
};

struct vs_control {
	kmutex_t lock;
	kcondvar_t cv;				/* a function is done, or its place is free */
	struct vs_ring ring;
	uint16_t *doorbell;
	struct vs_tmf tmfs[VS_TMFS];
	bool is_live;
	struct vs_mem ring_mem, slot_mem;
};

struct vs_events {
	kmutex_t lock;
	struct vs_ring ring;
	uint16_t *doorbell;
	bool is_live;
	bool is_posted[VS_EVENTS];		/* the device has this buffer */
	struct vs_event backlog[VS_BACKLOG];
	unsigned int nbacklog;
	struct vs_mem ring_mem, slot_mem;
};

struct vs_target {
	_Atomic bool was_known;			/* something has answered there */
	_Atomic bool is_leaving;		/* an event has said so */
	_Atomic bool is_reported;		/* to the map */
	_Atomic uint64_t recheck, recheck_late;	/* ticks; 0: none */
};

/* a logical unit as a scsi_device sees it */
struct vs_lu {
	LIST_ENTRY(vs_lu) link;
	struct vs_hba *hba;
	uint8_t target;
	uint16_t lun;
	uint8_t wire[8];
	unsigned int refs;			/* hba->lock: its scsi_device, and walkers */
	struct scsi_reset_notify_entry *notify;	/* hba->notify_lock */
};

enum vs_state {
	VS_DOWN, VS_STARTING, VS_READY, VS_HELD, VS_FAILED, VS_DEAD, VS_STATE_N
};

extern const struct sm_state vs_states[VS_STATE_N];

/* why an adapter fails; the first one counts */
enum vs_why {
	VS_WHY_NONE,
	VS_WHY_WANTS_RESET,	/* the device says that it does not go on */
	VS_WHY_STUCK,		/* commands do not end, not even when asked to */
	VS_WHY_ASKED,		/* a reset of everything, and nothing smaller would do */
	VS_WHY_LIED,		/* what it wrote cannot be */
	VS_WHY_STORM,		/* it interrupts without end */
	VS_WHY_GONE,		/* its registers do not answer */
	VS_WHY_N
};

/* work for threads that may wait: the rescue ends what does not end by itself, the scout looks
 * at targets, and may have to be rescued */
enum vs_lane_kind { VS_RESCUE, VS_SCOUT, VS_LANE_N };

#define VS_WORK_RECOVER		0x01u	/* of the rescue */
#define VS_WORK_EXPIRED		0x02u
#define VS_WORK_EVENTS		0x10u	/* of the scout */
#define VS_WORK_RECHECK		0x20u
#define VS_WORK_SCAN		0x40u
#define VS_WORK_OF_SCOUT	0xf0u

struct vs_lane {
	struct vs_hba *hba;
	ddi_taskq_t *thread;
	_Atomic unsigned int work;		/* VS_WORK_* that is to be done */
	atomic_bool is_working;			/* dispatched */
	atomic_bool is_closed;			/* nothing is begun any more */
};

/* one interrupt vector, and what it serves */
struct vs_vector {
	struct vs_hba *hba;
	ddi_intr_handle_t handle;
	uint32_t queues;			/* mask of request queues */
	bool has_control, has_events, has_config;
	bool has_handler;
	atomic_uint idle;			/* calls with nothing to do in this tick */
};

struct vs_block_map {
	ddi_acc_handle_t acc;
	uint8_t *base;
};

/* what the device has told about itself, checked */
struct vs_limits {
	uint16_t queues;			/* request queues it has */
	uint16_t segs;				/* pieces of data */
	uint32_t xfer_bytes;
	uint16_t target_max, lun_max;		/* inclusive */
	uint32_t cmd_per_lun;
};

/* statistics, as properties of the node (see topo.c) */
struct vs_counts {
	_Atomic uint64_t failures, timeouts, aborts, resets, events, missed, changes, clamped,
	    spurious;
};

struct vs_hba {
	dev_info_t *dip;
	scsi_hba_tran_t *tran;
	ddi_acc_handle_t config;
	struct vs_places places;
	struct vs_block_map blocks[VS_BLOCK_N];
	uint64_t features;
	struct vs_limits limits;
	ddi_dma_attr_t dma_attr;

	/* gates of the I/O path: written with state */
	_Atomic unsigned int state;		/* enum vs_state */
	_Atomic unsigned int why;		/* enum vs_why */
	_Atomic unsigned int last_why;		/* of the last time */
	_Atomic uint64_t tick;
	atomic_bool is_watching;
	uint64_t events_before;			/* events up to the last tick; the watch's */

	unsigned int nqueues;			/* request queues in use */
	struct vs_queue *queues;
	struct vs_control control;
	struct vs_events events;
	int intr_type;				/* DDI_INTR_TYPE_* */
	unsigned int nvectors;
	struct vs_vector vectors[VS_VECTORS_MAX];

	kmutex_t lock;				/* of what follows */
	kcondvar_t cv;				/* state, nscans or ntimers has changed */
	LIST_HEAD(, vs_lu) lus;
	unsigned int nwatches;			/* callbacks of the watch that run */
	bool is_armed, is_detaching, is_quiesced;
	timeout_id_t watch;
	unsigned int nscans;			/* finished */
	uint64_t failures_at[VS_FAILURES_MAX];	/* seconds of the last ones; the rescue's */
	uint64_t nfailures;			/* not counting resets that were asked for */
	atomic_uint bus_resets;			/* under way */

	kmutex_t notify_lock;
	kmutex_t map_lock;			/* map is not being destroyed */
	scsi_hba_tgtmap_t *map;
	struct vs_target targets[VS_TARGETS];
	struct vs_mem scan_mem;

	struct vs_lane lanes[VS_LANE_N];
	struct vs_counts counts;
};

/* mem.c */
/* vs_mem_new() - @bytes of zeroed memory, aligned to a page; DDI_* */
int vs_mem_new(dev_info_t *dip, size_t bytes, struct vs_mem *mem);
void vs_mem_free(struct vs_mem *mem);		/* one that was never made is fine */

/* attach.c */
/* vs_hba_of() - the adapter that @dip, or its parent, is */
struct vs_hba *vs_hba_of(dev_info_t *dip);

/* init.c */
/* vs_regs_open() - find and map the registers; DDI_* */
int vs_regs_open(struct vs_hba *hba);
void vs_regs_close(struct vs_hba *hba);
uint8_t vs_status(struct vs_hba *hba);
void vs_set_status(struct vs_hba *hba, uint8_t status);
/* vs_device_reset() - no DMA after this: 0; -ENODEV gone, -ETIMEDOUT it does not obey; then
 * bus mastering was taken from it. @is_liar: that comes first */
int vs_device_reset(struct vs_hba *hba, bool is_liar) MUST_CHECK;
/* vs_device_probe() - first reset, features, limits: what memory and vectors there have to be.
 * 0 or -errno */
int vs_device_probe(struct vs_hba *hba) MUST_CHECK;
/* vs_queue_size_offered() - entries of queue @index; 0: there is none. Between probe and
 * start */
uint16_t vs_queue_size_offered(struct vs_hba *hba, unsigned int index);
/* vs_device_start() - from reset to "driver ok", all from what @hba knows; no I/O runs. 0 or
 * -errno; -EBUSY: it refuses an interrupt vector */
int vs_device_start(struct vs_hba *hba) MUST_CHECK;

/* queue.c */
/* vs_queues_new() - memory and locks of all queues, from the limits; DDI_* */
int vs_queues_new(struct vs_hba *hba);
void vs_queues_free(struct vs_hba *hba);
/* vs_queues_clear() - empty rings; what was in flight has been ended */
void vs_queues_clear(struct vs_hba *hba);
/* vs_queue_issue() - queue->lock is held: give @cmd to the device; false: the queue is full.
 * Then vs_queue_kick() is due */
bool vs_queue_issue(struct vs_queue *queue, struct vs_cmd *cmd, const struct vs_order *order);
/* vs_queue_leave() - leave queue->lock, and tell the device what it has to know */
void vs_queue_leave(struct vs_queue *queue);
/* vs_queue_reap() - complete what has come back, at most VS_BUDGET; true: that many, and there
 * may be more. Else the next one interrupts */
bool vs_queue_reap(struct vs_queue *queue, unsigned int *ret_n);
/* vs_queue_find() - the id of what @cmd is in flight with; 0: it is not */
uint64_t vs_queue_find(struct vs_hba *hba, const struct vs_cmd *cmd);
bool vs_queue_has(struct vs_hba *hba, uint64_t id);	/* is it in flight still? */
/* vs_queue_lun() - queue->lock is held: the 8 bytes that name the unit a slot's command is
 * for */
void vs_queue_lun(struct vs_queue *queue, uint16_t slot, uint8_t ret_wire[8]);
/* vs_queue_take_all() - what is in flight, off the queue; the device is in reset */
void vs_queue_take_all(struct vs_queue *queue, struct vs_cmd_list *list);
void vs_reap_all(struct vs_hba *hba);			/* every queue, until nothing comes */
void vs_deliver(struct vs_cmd_list *list);		/* results are filled in */
static inline struct vs_queue *
vs_queue_mine(struct vs_hba *hba)
{
	return &hba->queues[(unsigned int)CPU->cpu_id % hba->nqueues];
}
/* vs_batch_begin(), _end() - kicks of this thread wait for the end; what begin answers, end is
 * given */
struct vs_hba *vs_batch_begin(struct vs_hba *hba) MUST_CHECK;
void vs_batch_end(struct vs_hba *hba, struct vs_hba *outer);

/* start.c */
int vs_pkt_construct(struct scsi_pkt *pkt, scsi_hba_tran_t *tran, int kmflag);
int vs_setup_pkt(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg);
void vs_teardown_pkt(struct scsi_pkt *pkt);
int vs_start(struct scsi_address *ap, struct scsi_pkt *pkt);

/* intr.c */
/* vs_intr_open() - take vectors and enable them, as many as are to be had; DDI_* */
int vs_intr_open(struct vs_hba *hba, bool want_few);
void vs_intr_close(struct vs_hba *hba);
void vs_intr_off(struct vs_hba *hba);			/* none of them any more */
/* vs_look() - is the device there, and does it want to go on? It fails if not; any context */
void vs_look(struct vs_hba *hba);
/* vs_cmd_fill() - the answer in @response (shared) into the packet, or cmd->result; -EPROTO:
 * it cannot be */
int vs_cmd_fill(struct vs_hba *hba, struct vs_cmd *cmd, const uint8_t *response) MUST_CHECK;
/* vs_cmd_fill_end() - it ends without an answer */
void vs_cmd_fill_end(struct vs_cmd *cmd, uint8_t reason, unsigned int stats);

/* tmf.c */
/* vs_tmf() - ask and wait: the response, or -EBUSY, -ETIMEDOUT, -EIO (the adapter failed). In
 * interrupt context nobody waits: -EINPROGRESS */
int vs_tmf(struct vs_hba *hba, const uint8_t lun[8], enum vs_tmf_subtype subtype, uint64_t tag);
bool vs_tmf_is_good(int response);
unsigned int vs_control_reap(struct vs_hba *hba);
void vs_control_clear(struct vs_hba *hba);		/* the device is in reset */
int vs_abort(struct scsi_address *ap, struct scsi_pkt *pkt);
int vs_reset(struct scsi_address *ap, int level);
int vs_bus_reset(dev_info_t *dip, int level);
int vs_reset_notify(struct scsi_address *ap, int flag, void (*callback)(caddr_t), caddr_t arg);
int vs_clear_task_set(struct scsi_address *ap);
int vs_quiesce(dev_info_t *dip);
int vs_unquiesce(dev_info_t *dip);
/* vs_tell_reset() - call who wants to know: of @target, @lun; -1: any */
void vs_tell_reset(struct vs_hba *hba, int target, int lun);

/* event.c */
void vs_events_post(struct vs_hba *hba);		/* all buffers; the device is up */
unsigned int vs_events_reap(struct vs_hba *hba);
void vs_events_work(struct vs_hba *hba);		/* scout */

/* topo.c */
int vs_iport_attach(dev_info_t *dip);
int vs_iport_detach(dev_info_t *dip);
int vs_tgt_init(dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran,
    struct scsi_device *sd);
void vs_tgt_free(dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran,
    struct scsi_device *sd);
static inline struct vs_lu *
vs_lu_of(struct scsi_address *ap)
{
	return scsi_device_hba_private_get(scsi_address_device(ap));
}
void vs_scan_work(struct vs_hba *hba);			/* scout: all targets */
void vs_recheck_work(struct vs_hba *hba);		/* scout: those that are due */
/* vs_target_changed() - scout: its units are others, or it is new */
void vs_target_changed(struct vs_hba *hba, uint8_t target);
void vs_targets_gone(struct vs_hba *hba);		/* rescue: all of them */
void vs_lu_unref(struct vs_lu *lu);
void vs_publish(struct vs_hba *hba);			/* how it is, as properties */

/* caps.c */
int vs_getcap(struct scsi_address *ap, char *cap, int whom);
int vs_setcap(struct scsi_address *ap, char *cap, int value, int whom);

/* fail.c */
/* vs_fail() - the adapter cannot go on; any context, any lock of ours but hba->lock */
void vs_fail(struct vs_hba *hba, enum vs_why why);
void vs_want(struct vs_hba *hba, unsigned int work);	/* any context */
int vs_lanes_open(struct vs_hba *hba);			/* DDI_* */
/* vs_lane_close() - wait for what it does, and do no more; vs_lanes_free() - nobody wants
 * anything any more */
void vs_lane_close(struct vs_hba *hba, enum vs_lane_kind kind);
void vs_lanes_free(struct vs_hba *hba);
void vs_watch_start(struct vs_hba *hba);		/* any context */
void vs_watch_stop(struct vs_hba *hba);			/* for good */
bool vs_move(struct vs_hba *hba, enum vs_state to);	/* false: not from where it is */
const char *vs_why_text(enum vs_why why);

/* vs_watch_need() - something may have to be watched; nothing to do mostly */
static inline void
vs_watch_need(struct vs_hba *hba)
{
	if (UNLIKELY(!atomic_load_explicit(&hba->is_watching, memory_order_acquire)))
		vs_watch_start(hba);
}

static inline enum vs_state
vs_state(struct vs_hba *hba)
{
	return (enum vs_state)atomic_load_explicit(&hba->state, memory_order_acquire);
}

#endif /* VIRTIO_SCSI_VIRTIO_SCSI_H */
