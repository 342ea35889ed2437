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
 *           store's: it is only marked (why, stats) and asked to hurry; it ends when the store
 *           is done.
 * Topology  A port has targets, a target has units. What a command is for hangs on its
 *           scsi_device as a soft_lu, set by tran_tgt_init: a unit, or "nobody" of a target.
 *           Both are counted: one reference as long as they belong to the adapter, one for each
 *           scsi_device (a target: one for each unit, too). A unit that was removed answers as
 *           gone until its last scsi_device goes; then its store is closed, and only then its
 *           address is free.
 * Locks     hba->change: one change of the topology at a time; held while stores are opened, by
 *           nobody who completes commands. Inside it hba->topo: ports, targets, units, phys;
 *           maps are told with it held, their callbacks take it. Inside that unit->lock, then
 *           hba->lock; disk->lock. Nothing else of the framework and no completion is called
 *           with one held.
 * Walks     Who goes over all units (soft_unit_next) or over those with pending commands
 *           (soft_busy_next) keeps the one he stands on from being freed, and no lock.
 * Inline    A command that meets no fault and no slow store takes no lock at all.
 */
#ifndef SOFT_SOFT_IMPL_H
#define SOFT_SOFT_IMPL_H

#include <sys/scsi/scsi.h>

#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/scsi/impl/scsi_reset_notify.h>
#include <sys/scsi/impl/scsi_sas.h>
#include <sys/scsi/impl/services.h>
#include <sys/scsi/impl/smp_transport.h>
#include <sys/scsi/impl/tgtmap.h>

/* memory for tables: taken where sleeping is allowed */
#define uthash_malloc(size)	kmem_alloc((size), KM_SLEEP)
#define uthash_free(ptr, size)	kmem_free((ptr), (size))
#include <uthash.h>

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
#define SOFT_INITIATOR_ID	SOFT_TARGETS	/* beyond every target number */
#define SOFT_SETTLE_US		10000	/* targets */
#define SOFT_IPORT_SETTLE_US	20000	/* iports; longer than phys, which come first */
#define SOFT_PHY_SETTLE_US	5000

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

enum soft_port_kind { SOFT_PORT_PLAIN, SOFT_PORT_VIRTUAL, SOFT_PORT_PHYS, SOFT_PORT_KIND_N };

/* what one scsi_device is about; its HBA private */
struct soft_lu {
	struct soft_target *target;
	struct soft_unit *unit;		/* NULL: the target has no such unit */
};

/* what the units of one line have in common */
struct soft_spec {
	_Atomic unsigned int refs;
	struct soft_disk_conf conf;	/* all complete; serial of the last unit */
};

struct soft_unit {
	struct soft_lu lu;		/* itself */
	struct soft_hba *hba;
	struct soft_spec *spec;
	struct disk *disk;
	TAILQ_ENTRY(soft_unit) all_link, busy_link;	/* under hba->lock */
	unsigned int nwalkers;		/* who stand on it; under hba->lock */
	unsigned int refs;		/* under hba->topo */
	uint16_t lun;
	bool is_busy;			/* is on hba->busy */
	atomic_bool is_gone;		/* set under lock and hba->topo; for good */
	atomic_uint active;		/* accepted and not completed */
	atomic_int caps[SCSI_CAP_N];	/* what setcap has changed; else -1 */
	kmutex_t lock;
	kcondvar_t cv;			/* nkilled or active has reached 0 */
	struct soft_cmd_list pending;
	struct scsi_reset_notify_entry *notify;	/* who wants to know; under hba->notify_lock */
	unsigned int nkilled;		/* waiting ones with why set */
	_Atomic uint64_t faults, aborted, reset, timed_out, spurious;
};

TAILQ_HEAD(soft_unit_list, soft_unit);

struct soft_target {
	UT_hash_handle hh;		/* by addr, in its port */
	struct soft_port *port;
	char addr[SOFT_TADDR_LEN];	/* as told to maps */
	int32_t number;			/* -1: it has a name */
	uint64_t wwn;
	unsigned int refs;
	atomic_bool is_gone;		/* removed; stays until nobody knows it any more */
	struct soft_lu nobody;
	struct disk_place place;
	struct soft_unit **luns;	/* nluns of them, by number; with those that are gone */
	size_t nluns, room;
};

struct soft_expander {
	LIST_ENTRY(soft_expander) link;
	struct soft_expander_conf conf;
};

struct soft_port {
	TAILQ_ENTRY(soft_port) link;
	struct soft_hba *hba;
	char label[SOFT_LABEL_LEN];
	enum soft_port_kind kind;
	bool is_found;			/* nobody has described it, a cable led there */
	uint64_t local, remote;
	struct soft_target *targets;
	LIST_HEAD(, soft_expander) expanders;
	LIST_HEAD(, soft_iport) iports;
};

/* an iport that is attached; tran_hba_private of its vector */
struct soft_iport {
	LIST_ENTRY(soft_iport) link;
	struct soft_port *port;
	dev_info_t *dip;
	scsi_hba_tgtmap_t *map;		/* NULL while it attaches */
};

/* phys that lead to one place by one local address, while the phy map has a name for that */
struct soft_link {
	LIST_ENTRY(soft_link) link;
	struct soft_port *port;
	uint64_t local;
	char ua[64];			/* of the map, and so of the iport */
};

struct soft_phy {
	bool is_up, was_up;
	uint64_t local, remote;		/* of the last time it was up */
};

struct soft_timer {
	timeout_id_t id;
	bool is_armed;
};

struct soft_hba {
	LIST_ENTRY(soft_hba) link;
	dev_info_t *dip;
	scsi_hba_tran_t *tran;		/* NULL while not attached */
	smp_hba_tran_t *smp_tran;
	bool is_dynamic;		/* iports come through iportmap */
	uint64_t wwn;			/* the adapter's own SAS address */
	struct disk_host *host;		/* what its disks share */

	kmutex_t change;
	kmutex_t topo;			/* of what follows */
	TAILQ_HEAD(, soft_port) ports;
	unsigned int nports;
	struct soft_unit **units;	/* nunits, in order of declaration; none that is gone */
	size_t nunits, room;
	struct soft_phy phys[SOFT_PHYS];
	LIST_HEAD(, soft_link) links;
	bool is_attached;
	uint16_t nchanges;		/* of the topology, as expanders count them */
	scsi_hba_iportmap_t *iportmap;	/* both while attached and dynamic */
	sas_phymap_t *phymap;

	unsigned int want_queues, nqueues;
	struct soft_queue {
		struct aio *aio;
		ddi_intr_handle_t vector;
		bool has_handler, is_enabled;
	} *queues;

	atomic_bool is_quiesced;
	atomic_bool is_faulty;		/* there is a rule that may act */
	kmutex_t lock;			/* of what follows */
	struct soft_unit_list all, busy;	/* all there are; those with pending commands */
	struct fault_set faults;
	struct slot_table tags;		/* commands that the device will return by tag */
	struct soft_timer watch, delay;
	unsigned int ntimers;		/* running now */
	kcondvar_t cv;			/* ntimers, or nwalkers of a unit, has reached 0 */
	bool is_detaching;
	bool has_reset_due;		/* a fault wants the bus reset */
	atomic_int caps[SCSI_CAP_N];	/* of the adapter */
	kmutex_t notify_lock;
};

/* soft_lu_of() - what an address is about */
static inline struct soft_lu *
soft_lu_of(struct scsi_address *ap)
{
	return scsi_device_hba_private_get(scsi_address_device(ap));
}

/* topo.c; the caller has hba->topo, unless said otherwise */
int soft_error(int err, char *reterr, const char *fmt, ...) PRINTF_LIKE(3, 4);
struct soft_port *soft_port_by_label(struct soft_hba *hba, const char *label);
struct soft_port *soft_port_by_remote(struct soft_hba *hba, uint64_t remote);
/* soft_port_new() - 0; -EINVAL, -ENOSPC, -ENOMEM with @reterr */
int soft_port_new(struct soft_hba *hba, const struct soft_port_conf *conf,
    struct soft_port **ret, char *reterr) MUST_CHECK;
void soft_port_free(struct soft_port *port);	/* nothing hangs on it any more */
/* soft_port_prune() - free ports that a cable led to once, and that nothing hangs on */
void soft_port_prune(struct soft_hba *hba);
uint64_t soft_port_phys(const struct soft_port *port);
struct soft_target *soft_target_find(struct soft_port *port, const char *taddr);
struct soft_target *soft_target_new(struct soft_port *port, int32_t number, uint64_t wwn);
void soft_target_unref(struct soft_target *target);
/* soft_lun_index() - where in luns a number is, or would be; soft_target_unit() - the unit, or
 * NULL */
size_t soft_lun_index(const struct soft_target *target, uint32_t lun);
struct soft_unit *soft_target_unit(const struct soft_target *target, uint32_t lun);
/* soft_taddr() - address of a target, of SOFT_TADDR_LEN bytes */
char *soft_taddr(int32_t number, uint64_t wwn, char taddr[SOFT_TADDR_LEN]);
/* unit.c; these without hba->topo */
/* soft_units_new() - the units of one line, for a target that is there; the change lock is
 * held. All or none; 0, or -errno with @reterr */
int soft_units_new(struct soft_target *target, const struct soft_disk_conf *conf,
    char *reterr) MUST_CHECK;
void soft_unit_unref(struct soft_unit *unit);
/* soft_unit_drop(), soft_target_drop() - it does not belong to the adapter any more: its
 * commands end with CMD_DEV_GONE, and the adapter's reference goes */
void soft_unit_drop(struct soft_unit *unit);
void soft_target_drop(struct soft_target *target);
struct soft_unit *soft_unit_next(struct soft_hba *hba, struct soft_unit *prev);
struct soft_unit *soft_busy_next(struct soft_hba *hba, struct soft_unit *prev);
void soft_busy_add(struct soft_unit *unit);	/* unit->lock is held */

/* hot.c */
/* soft_open_disks() - the disks an adapter is made with */
int soft_open_disks(struct soft_hba *hba, const struct soft_disk_conf *disks, size_t n,
    char *reterr) MUST_CHECK;

/* iport.c */
int soft_iport_attach(dev_info_t *dip);
int soft_iport_detach(dev_info_t *dip);
int soft_tgt_init(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd);
void soft_tgt_free(
    dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran, struct scsi_device *sd);
/* topo held: tell the maps of all iports of the port */
void soft_report_target(struct soft_target *target, bool is_there);
void soft_report_luns(struct soft_target *target);
void soft_report_expander(struct soft_port *port, struct soft_expander *exp, bool is_there);
void soft_iport_props(struct soft_port *port);	/* what the phys of its iports are now */
struct soft_iport *soft_iport_find(struct soft_hba *hba, const char *ua);	/* or NULL */

/* phys.c */
/* soft_ports_attach(), _detach() - the adapter's iports: registered, or by maps; DDI_*. topo is
 * not held */
int soft_ports_attach(struct soft_hba *hba);
void soft_ports_detach(struct soft_hba *hba);
/* topo held: the phys behind an iport, and the port it belongs to; NULL */
struct soft_link *soft_link_find(struct soft_hba *hba, const char *ua);
struct soft_port *soft_port_of_iport(struct soft_hba *hba, const char *ua);
/* soft_iport_left() - topo held: the iport @ua of @port is not there any more. Phys may have
 * given another port its name meanwhile, which appears now */
void soft_iport_left(struct soft_hba *hba, const char *ua, const struct soft_port *port);
/* soft_port_appear() - topo held: a port without phys is there. DDI_FAILURE: iports are full */
int soft_port_appear(struct soft_port *port);

/* smp.c */
int soft_smp_attach(struct soft_hba *hba);
void soft_smp_detach(struct soft_hba *hba);
/* soft_expander_new() - topo is not held; 0, or -errno with @reterr. soft_expander_remove() -
 * topo is; 0, or -ENOENT */
int soft_expander_new(
    struct soft_hba *hba, const struct soft_expander_conf *conf, char *reterr) MUST_CHECK;
int soft_expander_remove(struct soft_port *port, const char *taddr);

/* start.c */
int soft_start(struct scsi_address *ap, struct scsi_pkt *pkt);
void soft_execute(struct soft_cmd *cmd);	/* by its verdict; completes or waits */
static inline void
soft_move(struct soft_cmd *cmd, enum soft_cmd_state to)
{
	(void)sm_move(soft_cmd_states, &cmd->state, to);
}

/* complete.c */
void soft_finish(struct soft_cmd *cmd);		/* off every list; completes the packet */
void soft_finish_all(struct soft_cmd_list *list);
/* there is no unit: the target says so, if it is there */
int soft_finish_absent(struct soft_target *target, struct soft_cmd *cmd);

/* tmf.c */
/* soft_mark() - unit->lock is held: @cmd is to end for @why. The first reason stays, later ones
 * only leave their mark in the statistics */
void soft_mark(struct soft_unit *unit, struct soft_cmd *cmd, uint8_t why, uint_t stats);
/* how commands end that did not end by themselves */
struct soft_end {
	uint8_t why;			/* CMD_* */
	uint_t stats;			/* STAT_* */
	enum fault_until reach;		/* CMD_RESET: how hard a reset it is */
};

/* soft_unit_kill() - end @one, all pending commands (NULL), or those past @now_ns (not 0); the
 * ones that can end now are put on @dead. How many were met */
unsigned int soft_unit_kill(struct soft_unit *unit, const struct scsi_pkt *one, uint64_t now_ns,
    const struct soft_end *end, struct soft_cmd_list *dead);
int soft_abort(struct scsi_address *ap, struct scsi_pkt *pkt);
int soft_reset(struct scsi_address *ap, int level);
int soft_virtual_reset(struct scsi_address *ap, int level);	/* volumes have no bus */
int soft_bus_reset(dev_info_t *dip, int level);
bool soft_bus_was_reset(struct soft_hba *hba);	/* true when all commands have let go */
int soft_clear_task_set(struct scsi_address *ap);
int soft_terminate_task(struct scsi_address *ap, struct scsi_pkt *pkt);
int
soft_reset_notify(struct scsi_address *ap, int flag, void (*callback)(caddr_t), caddr_t arg);
int soft_quiesce(dev_info_t *dip);
/* devo_quiesce: nothing of the adapter touches memory any more, nor is anything begun */
int soft_silence(dev_info_t *dip);
int soft_unquiesce(dev_info_t *dip);

/* event.c */
uint_t soft_intr(caddr_t arg1, caddr_t arg2);
void soft_hold(struct soft_cmd *cmd, uint64_t due_ns);	/* running to held; or finished */
void soft_wait(struct disk_cmd *disk);			/* running to waiting: disk_cmd.pend */
void soft_want_reset(struct soft_hba *hba);
void soft_timers_stop(struct soft_hba *hba);

/* caps.c */
void soft_caps_init(atomic_int caps[SCSI_CAP_N]);
int soft_getcap(struct scsi_address *ap, char *cap, int whom);
int soft_setcap(struct scsi_address *ap, char *cap, int value, int whom);
int soft_virtual_getcap(struct scsi_address *ap, char *cap, int whom);
int soft_virtual_setcap(struct scsi_address *ap, char *cap, int value, int whom);

#endif /* SOFT_SOFT_IMPL_H */
