/*
 * scsa/scsa_impl.h - what the files of this room share
 *
 * What      struct scsa_pkt (the packet behind a scsi_pkt), struct scsa_port (what is kept for a
 *           registered vector), the wrappers of all entry points, trace points, small helpers.
 * Locks     scsa_port.lock guards the port's fields; it is a leaf: no driver is called under it.
 *           Enumeration of a port is serialised by port_config_enter(), a flag and a condition,
 *           so that drivers can be called, and block, while it is held.
 */
#ifndef SCSA_SCSA_IMPL_H
#define SCSA_SCSA_IMPL_H

#include <sys/scsi/scsi.h>
#include <sys/sunndi.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#ifndef HASH_NONFATAL_OOM
#define HASH_NONFATAL_OOM 1
#endif
#include <uthash.h>

#include "base/compiler.h"
#include "base/sm.h"
#include "ddi/devtree.h"
#include "ddi/dma.h"
#include "ddi/sched.h"
#include "scsa/config.h"
#include "scsa/trace.h"

/*
 * Packet
 *
 *            init_pkt            transport             tran_start said ACCEPT, and then
 *    free ------------> idle ----------------> issued -----------------------> done
 *     ^                 |  ^                    |  | \                        |   |
 *     |   destroy       |  |   BUSY, BADPKT,    |  |  \ destroyed (violation) |   |
 *     +-----------------+  +---FATAL------------+  |   +--> doomed --> done   |   |
 *     |                                            +<------- transport -------+   |
 *     +------------------------------ destroy ------------------------------------+
 *
 * The move to "done" is one atomic exchange: of two completions, one wins.
 * HBA drivers of the old style may complete by calling pkt_comp themselves: their packets are
 * reused and freed from "issued" too.
 */
enum pkt_state { PKT_ST_FREE, PKT_ST_IDLE, PKT_ST_ISSUED, PKT_ST_DONE, PKT_ST_DOOMED, PKT_ST_N };

extern const struct sm_state pkt_states[PKT_ST_N];

#define PKT_CDB_INLINE	16	/* CDB bytes of a cached packet */
#define PKT_TGT_INLINE	64	/* target driver's bytes of a cached packet */
#define PKT_SENSE_ROOM	252	/* sense bytes there is always room for with TRAN_SCB */
#define PKT_SCB_INLINE	SCSI_ARQ_STATUS_LEN(PKT_SENSE_ROOM)

struct pkt_waiter;
struct unit;

struct scsa_pkt {
	struct scsi_pkt pkt;		/* first: what drivers see */
	_Atomic unsigned int state;	/* enum pkt_state */
	bool is_cached;			/* from the vector's cache: setup_pkt style */
	int want_flags;			/* PKT_CONSISTENT, PKT_DMA_PARTIAL as asked for at first */
	struct ddi_dma_impl dma;	/* what pkt_handle points to, of a cached packet */
	struct pkt_waiter *waiter;	/* of a FLAG_NOINTR submission */
	STAILQ_ENTRY(scsa_pkt) link;	/* thread's list of inline completions */
	void *ext;			/* memory for parts that do not fit inline */
	size_t ext_bytes;
	size_t alloc_bytes;		/* scsi_hba_pkt_alloc(): size of the whole block */
	struct unit *unit;		/* debug builds: whose address it was made for */
	uchar_t *own_cdb, *own_scb;	/* cache object's own areas, or NULL */
	uchar_t tgt[PKT_TGT_INLINE];
};

/* pkt_framework() - the packet behind @pkt; NULL for one that a driver made by itself */
static inline struct scsa_pkt *
pkt_framework(struct scsi_pkt *pkt)
{
	return (void *)pkt->pkt_framework == (void *)pkt ? pkt->pkt_framework : NULL;
}

/*
 * Port: one for each registered vector. A base vector's port keeps what belongs to the HBA.
 */
struct scsa_port {
	dev_info_t *dip;
	struct scsi_hba_tran *tran;
	bool is_iport;
	kmutex_t lock;
	kcondvar_t cv;
	bool is_configuring;		/* under lock */
	bool is_quiesced;		/* under lock; base only */
	bool is_type_ours;		/* not the administrator's interconnect type */
	bool is_excl;			/* under lock; base only: the control session is alone */
	char *iports[SCSI_HBA_MAX_IPORTS];	/* under lock; base only: registered names */
	unsigned int n_iports;
	struct sas_phymap *phymap;	/* base only: the driver's, while there is one */
	struct smp_hba_tran *smp_tran;	/* HBA driver's vector, or the copy that is the iport's own */
	_Atomic bool has_cdb16;		/* max-cdb-length is known to be 16 or more */
	_Atomic uint64_t busy, refused, double_comp, direct_comp, bad_destroy, no_packet;
};

#define PORT_COUNT(tran, what)                                                 \
	do {                                                                   \
		struct scsa_port *port_ = (tran)->tran_extension;              \
		if (port_ != NULL)                                             \
			atomic_fetch_add_explicit(&port_->what, 1, memory_order_relaxed); \
	} while (0)

/* port_new(), port_free() - the port of a vector; new fails with NULL when @kmflag may not sleep */
struct scsa_port *port_new(dev_info_t *dip, struct scsi_hba_tran *tran, bool is_iport, int kmflag);
void port_free(struct scsa_port *port);

/* port_of() - the port of an HBA or iport node; NULL when it has none */
static inline struct scsa_port *
port_of(dev_info_t *dip)
{
	return dip == NULL ? NULL : devi_nexus(dip);
}

/* port_hba() - the port of the HBA that @port belongs to; itself for a base vector */
static inline struct scsa_port *
port_hba(const struct scsa_port *port)
{
	return port_of(port->tran->tran_hba_dip);
}

/* port_config_enter(), port_config_exit() - one enumeration at a time; blocks */
void port_config_enter(struct scsa_port *port);
void port_config_exit(struct scsa_port *port);

/* port_is_complex(), port_clones() - how addresses of the vector look, and who owns it */
static inline bool
port_is_complex(const struct scsi_hba_tran *tran)
{
	return (tran->tran_hba_flags & SCSI_HBA_ADDR_COMPLEX) != 0;
}

static inline bool
port_clones(const struct scsi_hba_tran *tran)
{
	return (tran->tran_hba_flags & (SCSI_HBA_TRAN_CLONE | SCSI_HBA_ADDR_COMPLEX)) ==
	    SCSI_HBA_TRAN_CLONE;
}

/* does the vector belong to a setup_pkt driver? */
static inline bool
port_has_setup(const struct scsi_hba_tran *tran)
{
	return tran->tran_setup_pkt != NULL;
}

/* trace */
extern bool scsa_trace_is_on;
void trace_emit(struct scsa_event ev);

#define TRACE(...)                                                             \
	do {                                                                   \
		if (UNLIKELY(scsa_trace_is_on))                                \
			trace_emit((struct scsa_event){ __VA_ARGS__ });        \
	} while (0)

/*
 * tran_call.c - every call of an entry point. Each wrapper checks what the contract promises to
 * the driver, traces, calls, and checks what the driver promised.
 */
int tran_call_tgt_init(dev_info_t *port, dev_info_t *child, struct scsi_hba_tran *tran,
    struct scsi_device *sd);
int tran_call_tgt_probe(struct scsi_device *sd, int (*waitfunc)(void));
void tran_call_tgt_free(dev_info_t *port, dev_info_t *child, struct scsi_hba_tran *tran,
    struct scsi_device *sd);
static inline int
tran_call_start(struct scsi_hba_tran *tran, struct scsi_pkt *pkt)
{
	int r;

	TRACE(.kind = SCSA_EV_START, .tran = tran, .dip = tran->tran_iport_dip, .pkt = pkt,
	    .arg = pkt->pkt_flags);
	r = tran->tran_start(&pkt->pkt_address, pkt);
	/* after TRAN_ACCEPT the packet may be gone: its address is an identity only */
	TRACE(.kind = SCSA_EV_START, .is_end = true, .result = r, .tran = tran,
	    .dip = tran->tran_iport_dip, .pkt = pkt);
	if (UNLIKELY(r < TRAN_FATAL_ERROR || r > TRAN_ACCEPT))
		return TRAN_FATAL_ERROR;
	return r;
}

int tran_call_reset(struct scsi_address *ap, int level);
int tran_call_abort(struct scsi_address *ap, struct scsi_pkt *pkt);
int tran_call_getcap(struct scsi_address *ap, char *cap, int whom);
int tran_call_setcap(struct scsi_address *ap, char *cap, int value, int whom);
struct scsi_pkt *tran_call_init_pkt(struct scsi_address *ap, struct scsi_pkt *pkt, struct buf *bp,
    int cmdlen, int statuslen, int tgtlen, int flags, int (*callback)(caddr_t));
void tran_call_destroy_pkt(struct scsi_pkt *pkt);
void tran_call_dmafree(struct scsi_pkt *pkt);
void tran_call_sync_pkt(struct scsi_pkt *pkt);
int tran_call_setup_pkt(struct scsi_hba_tran *tran, struct scsi_pkt *pkt,
    int (*callback)(caddr_t));
void tran_call_teardown_pkt(struct scsi_hba_tran *tran, struct scsi_pkt *pkt);
int tran_call_pkt_construct(struct scsi_hba_tran *tran, struct scsi_pkt *pkt, int kmflag);
void tran_call_pkt_destruct(struct scsi_hba_tran *tran, struct scsi_pkt *pkt);
int tran_call_reset_notify(struct scsi_address *ap, int flag, void (*callback)(caddr_t),
    caddr_t arg);
int tran_call_get_name(struct scsi_device *sd, char *name, int len);
int tran_call_get_bus_addr(struct scsi_device *sd, char *name, int len);
int tran_call_clear_aca(struct scsi_address *ap);
int tran_call_clear_task_set(struct scsi_address *ap);
int tran_call_terminate_task(struct scsi_address *ap, struct scsi_pkt *pkt);
int tran_call_quiesce(struct scsi_hba_tran *tran);
int tran_call_unquiesce(struct scsi_hba_tran *tran);
int tran_call_bus_reset(struct scsi_hba_tran *tran, int level);
int tran_call_bus_config(struct scsi_hba_tran *tran, dev_info_t *port, uint_t flags,
    ddi_bus_config_op_t op, void *arg, dev_info_t **ret_child);
int tran_call_bus_unconfig(struct scsi_hba_tran *tran, dev_info_t *port, uint_t flags,
    ddi_bus_config_op_t op, void *arg);

/* pkt.c */
int pkt_cache_create(struct scsi_hba_tran *tran);
void pkt_cache_destroy(struct scsi_hba_tran *tran);
struct scsi_pkt *pkt_setup_init(struct scsi_address *ap, struct scsi_pkt *pkt, struct buf *bp,
    int cmdlen, int statuslen, int tgtlen, int flags, int (*callback)(caddr_t), caddr_t arg);
void pkt_setup_destroy(struct scsi_address *ap, struct scsi_pkt *pkt);

/* runout.c - callbacks for which resources were short */
void runout_add(int (*callback)(caddr_t), caddr_t arg);
void runout_run_now(void);
extern _Atomic unsigned int runout_count;	/* who waits, or is being called */

static inline void
runout_run(void)
{
	if (UNLIKELY(atomic_load_explicit(&runout_count, memory_order_relaxed) > 0))
		runout_run_now();
}

/* transport.c */
int transport_start(struct scsi_pkt *pkt);
bool pkt_release(struct scsi_pkt *pkt);

/* clone.c */
struct scsi_hba_tran *clone_new(struct scsi_hba_tran *tran, struct scsi_device *sd);
void clone_free(struct scsi_hba_tran *clone);

/*
 * Units (node.c): a node's address is written into its properties when it is made, and does not
 * change. So a node can be initialised again after it was detached.
 */
#define UA_LEN		80	/* unit address with its NUL */
#define SFUNC_NONE	(-1)

struct unit_addr {
	char text[UA_LEN];		/* "taddr,lun" or "taddr,lun,sfunc" */
	char taddr[UA_LEN];		/* the target part */
	bool is_numeric;		/* taddr is a hexadecimal number: target is valid */
	uint32_t target;
	scsi_lun64_t lun;
	int sfunc;			/* SFUNC_NONE, or the secondary function */
};

/* unit_addr_parse() - "taddr,lun[,sfunc]"; 0 or -EINVAL */
int unit_addr_parse(const char *text, struct unit_addr *ret) MUST_CHECK;

/* unit_addr_make() - the same from its parts; 0 or -EINVAL when it gets too long */
int unit_addr_make(const char *taddr, scsi_lun64_t lun, int sfunc, struct unit_addr *ret)
    MUST_CHECK;

/* unit_node_new() - a node under @port for @ua, with its address properties; NULL without memory */
dev_info_t *unit_node_new(dev_info_t *port, const char *name, const struct unit_addr *ua);

/* unit_init(), unit_fini() - the scsi_device of a node: allocated, accepted by the HBA driver;
 * given back. The port is entered. init: DDI_SUCCESS; DDI_FAILURE or DDI_NOT_WELL_FORMED,
 * nothing left behind */
int unit_init(dev_info_t *port, dev_info_t *child);
void unit_fini(dev_info_t *port, dev_info_t *child);

/*
 * The framework's scsi_device of a node. HBA drivers fake others on their stack: the way from
 * an address to a struct unit leads through the registry that debug builds keep.
 */
struct unit {
	struct scsi_device sd;		/* first */
	_Atomic int issued;		/* debug builds: packets in transport, setup_pkt drivers */
	const struct scsi_address *key;	/* debug builds: &sd.sd_address, as the registry's key */
	UT_hash_handle hh;
};

/* unit_by_address() - debug builds: the unit whose sd_address is at @ap, or NULL */
struct unit *unit_by_address(const struct scsi_address *ap);

#define UNIT_PROP_INQ	"scsi-inquiry"	/* INQUIRY data that the unit was found by; bytes */

/* the entries for children of HBA and iport nodes; what scsi_hba_init() installs */
extern struct bus_ops scsa_bus_ops;

/* iport.c: what happens before an iport's attach and after its detach */
int iport_init(dev_info_t *hba, dev_info_t *iport);
void iport_fini(dev_info_t *iport);

/* iport_node_find(), iport_node_new() - the node of a registered iport: a reference or NULL;
 * borrowed, NULL without memory */
dev_info_t *iport_node_find(dev_info_t *hba, const char *name);
dev_info_t *iport_node_new(dev_info_t *hba, const char *name);

/* names.c: "disk", "enclosure" .. for the node of a device type; never NULL */
const char *scsi_node_name(int dtype);

/* tran.c: properties that a port has at least; port_type_update() - the one that says what
 * tran_interconnect_type is now */
void port_props(struct scsa_port *port);
void port_type_update(struct scsa_port *port);

/* probe.c */
int probe_run(struct scsi_pkt *pkt);
void probe_props(struct scsi_device *sd);

/* probe_alloc() - a packet and consistent buffer of @len bytes to read; false without memory */
bool probe_alloc(struct scsi_device *sd, size_t len, int cdblen, int (*callback)(caddr_t),
    struct buf **ret_bp, struct scsi_pkt **ret_pkt);

/* luns.c: what the device at LUN 0 of a target tells */
#define LUNS_MAX	16384u

/* luns_report() - REPORT LUNS of @sd: 0 and a kmem list of @ret_n numbers with @ret_room places;
 * -EIO when the device, or the HBA, has no such list */
int luns_report(struct scsi_device *sd, uint64_t **ret_luns, size_t *ret_n, size_t *ret_room)
    MUST_CHECK;

/* luns_identity() - read VPD pages 80h and 83h of @sd into properties of its node */
void luns_identity(struct scsi_device *sd);

/* luns_old_limit() - how many LUNs of a device without REPORT LUNS are tried one by one */
unsigned int luns_old_limit(dev_info_t *port, const struct scsi_inquiry *inq);

/* inq_is_unit() - does INQUIRY data tell of a unit? (@lun, @sfunc of its address) */
bool inq_is_unit(const struct scsi_inquiry *inq, scsi_lun64_t lun, int sfunc);

#endif /* SCSA_SCSA_IMPL_H */
