/*
 * sys/scsi/impl/transport.h - the contract of an HBA driver
 *
 * What      struct scsi_hba_tran: the table of entry points by which the framework drives an
 *           HBA driver, and the calls by which the driver uses the framework.
 * Life      scsi_hba_init() in _init; in attach(9E): scsi_hba_tran_alloc(), entry points
 *           filled in, scsi_hba_attach_setup(); in detach(9E): scsi_hba_detach(),
 *           scsi_hba_tran_free(); scsi_hba_fini() in _fini.
 * Kinds     The base vector belongs to the HBA node. Each iport has a copy of it, made before
 *           the iport's attach(9E). With SCSI_HBA_TRAN_CLONE each initialised target node has a
 *           copy of its port's vector, made before tran_tgt_init.
 * Thread    Entry points may be called from any thread, several at a time; the driver protects
 *           itself. tran_start, tran_getcap, tran_setcap, tran_abort and the packet entries
 *           are also called in interrupt context and may not sleep there.
 * Source    scsi_hba_tran(9S), scsi_hba_attach_setup(9F), tran_tgt_init(9E), tran_start(9E),
 *           tran_setup_pkt(9E), iport(9)
 */
#ifndef SYS_SCSI_IMPL_TRANSPORT_H
#define SYS_SCSI_IMPL_TRANSPORT_H

#include <sys/types.h>
#include <sys/ksynch.h>
#include <sys/kmem.h>
#include <sys/dditypes.h>
#include <sys/sunddi.h>
#include <sys/scsi/scsi_types.h>
#include <sys/scsi/scsi_address.h>
#include <sys/scsi/scsi_pkt.h>

struct modlinkage;

/* tran_interconnect_type */
#define INTERCONNECT_PARALLEL	1
#define INTERCONNECT_FIBRE	2
#define INTERCONNECT_1394	3
#define INTERCONNECT_SSA	4
#define INTERCONNECT_FABRIC	5
#define INTERCONNECT_USB	6
#define INTERCONNECT_ATAPI	7
#define INTERCONNECT_ISCSI	8
#define INTERCONNECT_IBSRP	9
#define INTERCONNECT_SATA	10
#define INTERCONNECT_SAS	11
#define INTERCONNECT_MAX	12

/* property "initiator-interconnect-type": the same in words */
#define INTERCONNECT_PARALLEL_STR	"SPI"
#define INTERCONNECT_FIBRE_STR		"FIBRE"
#define INTERCONNECT_1394_STR		"1394"
#define INTERCONNECT_FABRIC_STR		"FABRIC"
#define INTERCONNECT_USB_STR		"USB"
#define INTERCONNECT_ATAPI_STR		"ATAPI"
#define INTERCONNECT_ISCSI_STR		"iSCSI"
#define INTERCONNECT_IBSRP_STR		"IB"
#define INTERCONNECT_SATA_STR		"SATA"
#define INTERCONNECT_SAS_STR		"SAS"

/* flags of scsi_hba_attach_setup() */
#define SCSI_HBA_TRAN_CLONE	0x01	/* one copy of the vector for each target node */
#define SCSI_HBA_TRAN_PHCI	0x02	/* multipath; recorded, not used */
#define SCSI_HBA_TRAN_CDB	0x04	/* setup_pkt: the framework provides pkt_cdbp */
#define SCSI_HBA_TRAN_SCB	0x08	/* setup_pkt: the framework provides pkt_scbp */
#define SCSI_HBA_HBA		0x10	/* the node is no initiator port: its children are iports */
#define SCSI_HBA_ADDR_SPI	0x20	/* a_target, a_lun */
#define SCSI_HBA_ADDR_COMPLEX	0x40	/* opaque addresses; wins over SCSI_HBA_TRAN_CLONE */

/* lib/scsa only, in tran_hba_flags */
#define SCSI_HBA_SCSA_PHCI	0x10000
#define SCSI_HBA_SCSA_TA	0x20000	/* made by scsi_hba_tran_alloc() or the framework */
#define SCSI_HBA_SCSA_FM	0x40000

/* flag of scsi_hba_tran_alloc() */
#define SCSI_HBA_CANSLEEP	1

/* maps of targets and of initiator ports: how they are reported and what they hold */
typedef enum { SCSI_TM_FULLSET = 0, SCSI_TM_PERADDR = 1 } scsi_tgtmap_mode_t;
typedef enum { SCSI_TGT_SCSI_DEVICE = 0, SCSI_TGT_SMP_DEVICE = 1, SCSI_TGT_NTYPES = 2 }
    scsi_tgtmap_tgt_type_t;
typedef enum {
	SCSI_TGT_DEACT_RSN_GONE = 0,
	SCSI_TGT_DEACT_RSN_CFG_FAIL = 1,
	SCSI_TGT_DEACT_RSN_UNSTBL = 2,
} scsi_tgtmap_deact_rsn_t;
typedef struct scsi_hba_tgtmap scsi_hba_tgtmap_t;
typedef struct scsi_hba_iportmap scsi_hba_iportmap_t;

struct scsa_port;

struct scsi_hba_tran {
	dev_info_t *tran_hba_dip;	/* lib/scsa: the HBA node, in copies too */
	void *tran_hba_private;		/* HBA driver; NULL in a new iport copy */
	void *tran_tgt_private;		/* HBA driver, clones only; else NULL, for ever */
	struct scsi_device *tran_sd;	/* lib/scsa, clones only: the device of this clone */

	/* a target node: accept it, probe it, take leave of it */
	int (*tran_tgt_init)(dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran,
	    struct scsi_device *sd);
	int (*tran_tgt_probe)(struct scsi_device *sd, int (*waitfunc)(void));
	void (*tran_tgt_free)(dev_info_t *hba_dip, dev_info_t *tgt_dip, scsi_hba_tran_t *tran,
	    struct scsi_device *sd);

	/* commands; start is required. Without the others scsi_reset() and scsi_abort() answer
	 * 0, scsi_ifgetcap() and scsi_ifsetcap() -1 */
	int (*tran_start)(struct scsi_address *ap, struct scsi_pkt *pkt);
	int (*tran_reset)(struct scsi_address *ap, int level);
	int (*tran_abort)(struct scsi_address *ap, struct scsi_pkt *pkt);
	int (*tran_getcap)(struct scsi_address *ap, char *cap, int whom);
	int (*tran_setcap)(struct scsi_address *ap, char *cap, int value, int whom);

	/* packets, old style: the driver allocates and binds; with setup_pkt the framework
	 * fills these in */
	struct scsi_pkt *(*tran_init_pkt)(struct scsi_address *ap, struct scsi_pkt *pkt,
	    struct buf *bp, int cmdlen, int statuslen, int tgtlen, int flags,
	    int (*callback)(caddr_t), caddr_t arg);
	void (*tran_destroy_pkt)(struct scsi_address *ap, struct scsi_pkt *pkt);
	void (*tran_dmafree)(struct scsi_address *ap, struct scsi_pkt *pkt);
	void (*tran_sync_pkt)(struct scsi_address *ap, struct scsi_pkt *pkt);

	/* optional */
	int (*tran_reset_notify)(struct scsi_address *ap, int flag, void (*callback)(caddr_t),
	    caddr_t arg);
	/* text for people, and the unit address; both or none. 1, or 0: it has none. The former
	 * is asked for the log line about a unit found, in place of its unit address */
	int (*tran_get_bus_addr)(struct scsi_device *sd, char *name, int len);
	int (*tran_get_name)(struct scsi_device *sd, char *name, int len);
	int (*tran_clear_aca)(struct scsi_address *ap);
	int (*tran_clear_task_set)(struct scsi_address *ap);
	int (*tran_terminate_task)(struct scsi_address *ap, struct scsi_pkt *pkt);

	/* events of the bus; carried, never called by the framework */
	int (*tran_get_eventcookie)(dev_info_t *dip, dev_info_t *rdip, char *name, void *cookie);
	int (*tran_add_eventcall)(dev_info_t *dip, dev_info_t *rdip, void *cookie,
	    void *callback, void *arg, void *id);
	int (*tran_remove_eventcall)(dev_info_t *dip, void *id);
	int (*tran_post_event)(dev_info_t *dip, dev_info_t *rdip, void *cookie, void *data);

	int (*tran_quiesce)(dev_info_t *hba_dip);
	int (*tran_unquiesce)(dev_info_t *hba_dip);
	int (*tran_bus_reset)(dev_info_t *hba_dip, int level);

	int tran_hba_flags;		/* lib/scsa: flags given to attach_setup */
	int tran_interconnect_type;	/* HBA driver, before attach_setup or in the attach of an
					 * iport; INTERCONNECT_PARALLEL at first */
	int tran_fm_capable;		/* HBA driver; carried, not used */

	/* make and attach, or detach and free, what is behind this node, instead of the
	 * framework. @arg of the _ONE forms is "name@addr" or "@addr"; @childp is never NULL:
	 * the child made, not held. One call at a time for a node. tran_bus_power is never
	 * called */
	int (*tran_bus_config)(dev_info_t *parent, uint_t flags, ddi_bus_config_op_t op,
	    void *arg, dev_info_t **childp);
	int (*tran_bus_unconfig)(dev_info_t *parent, uint_t flags, ddi_bus_config_op_t op,
	    void *arg);
	int (*tran_bus_power)(dev_info_t *parent, void *impl_arg, int op, void *arg, void *result);

	/* packets, new style: the framework allocates from a cache and binds */
	int tran_hba_len;		/* HBA driver, before attach_setup: bytes at pkt_ha_private */
	int (*tran_pkt_constructor)(struct scsi_pkt *pkt, scsi_hba_tran_t *tran, int kmflag);
	void (*tran_pkt_destructor)(struct scsi_pkt *pkt, scsi_hba_tran_t *tran);
	int (*tran_setup_pkt)(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg);
	void (*tran_teardown_pkt)(struct scsi_pkt *pkt);

	ddi_dma_attr_t tran_dma_attr;	/* lib/scsa: copy of what attach_setup was given */
	dev_info_t *tran_iport_dip;	/* lib/scsa: the node that is the initiator port */
	scsi_hba_tgtmap_t *tran_tgtmap;	/* lib/scsa */
	scsi_hba_iportmap_t *tran_iportmap;	/* lib/scsa */
	struct kmem_cache *tran_pkt_cache_ptr;	/* lib/scsa: shared by iports and clones */
	kmutex_t tran_open_lock;	/* lib/scsa: control sessions */
	int tran_open_flag;		/* lib/scsa: how many are open */
	struct scsa_port *tran_extension;	/* lib/scsa: what the framework keeps for the port */
};

/**
 * scsi_hba_init() - make the driver of @modlp a SCSI nexus; in _init, before mod_install()
 *
 * Returns:  0, or an errno value (positive, as _init returns it)
 */
int scsi_hba_init(struct modlinkage *modlp);

/* scsi_hba_fini() - undo scsi_hba_init(); after mod_remove() or a failed mod_install() */
void scsi_hba_fini(struct modlinkage *modlp);

/**
 * scsi_hba_tran_alloc() - a zeroed vector
 *
 * @flags    0, or SCSI_HBA_CANSLEEP: wait for memory; kernel context only
 *
 * Returns:  the vector, or NULL (not with SCSI_HBA_CANSLEEP)
 * Owner:    driver; scsi_hba_tran_free() after scsi_hba_detach() or a failed attach_setup
 */
scsi_hba_tran_t *scsi_hba_tran_alloc(dev_info_t *dip, int flags);
void scsi_hba_tran_free(scsi_hba_tran_t *tran);

/**
 * scsi_hba_attach_setup() - register the vector for an HBA node
 *
 * @attr     DMA limits; copied
 * @flags    SCSI_HBA_TRAN_*, SCSI_HBA_HBA, SCSI_HBA_ADDR_*
 *
 * Afterwards ddi_get_driver_private(dip) is @tran, and the driver may not set it. Entry points
 * can be called from then on; enumeration waits for attach(9E) to succeed.
 *
 * Returns:  DDI_SUCCESS; DDI_FAILURE, all undone: NULL @dip, @attr or @tran; @dip has a vector
 *           or is an iport; its driver did not call scsi_hba_init(); @tran is not from
 *           scsi_hba_tran_alloc(), or registered; no tran_start; only one of tran_get_name and
 *           tran_get_bus_addr; tran_setup_pkt beside tran_init_pkt or tran_destroy_pkt, or
 *           neither style complete; negative tran_hba_len; @attr that no device can have
 *           (see ddi_dma_alloc_handle()); no memory
 */
int scsi_hba_attach_setup(dev_info_t *dip, ddi_dma_attr_t *attr, scsi_hba_tran_t *tran,
    int flags);

/* scsi_hba_detach() - unregister; DDI_FAILURE for an iport, a node without vector, or one with
 * a control session open: then the driver must go on working */
int scsi_hba_detach(dev_info_t *dip);

/**
 * scsi_hba_probe() - the default of tran_tgt_probe
 *
 * Runs INQUIRY (with one retry, and REQUEST SENSE when a check condition came without sense)
 * into sd_inq, which it allocates when NULL. scsi_hba_probe_pi() is the same; @pi is 0.
 *
 * Returns:  SCSIPROBE_*
 */
int scsi_hba_probe(struct scsi_device *sd, int (*waitfunc)(void));
int scsi_hba_probe_pi(struct scsi_device *sd, int (*waitfunc)(void), int pi);

/**
 * scsi_hba_pkt_alloc() - for tran_init_pkt: a packet with its parts
 *
 * @dip      node of the driver, may be NULL
 * @cmdlen   bytes at pkt_cdbp; @statuslen at pkt_scbp; @tgtlen at pkt_private; @hbalen at
 *           pkt_ha_private. A part of length 0 is a NULL pointer
 * @callback SLEEP_FUNC waits for memory, anything else does not
 *
 * Returns:  the packet, zeroed, its address copied from @ap; NULL without memory
 * Owner:    driver; scsi_hba_pkt_free()
 */
struct scsi_pkt *scsi_hba_pkt_alloc(dev_info_t *dip, struct scsi_address *ap, int cmdlen,
    int statuslen, int tgtlen, int hbalen, int (*callback)(caddr_t), caddr_t arg);
void scsi_hba_pkt_free(struct scsi_address *ap, struct scsi_pkt *pkt);

/**
 * scsi_hba_pkt_comp() - a command is finished
 *
 * @pkt      with result fields filled; not touched by the driver afterwards
 *
 * Synchronises consistent read data, then calls pkt_comp: at once, or, when called from inside
 * tran_start, after it has returned. A second call for one submission is ignored and counted.
 *
 * Thread:   any; no lock held that tran_start takes
 */
void scsi_hba_pkt_comp(struct scsi_pkt *pkt);

/**
 * scsad_pkt_zero() - clear the data of a packet; ours, not of the manual pages
 *
 * @pkt      accepted by tran_start, its data not shown to the device yet
 *
 * For adapters that do not say how much of an answer they wrote: what they leave out must not
 * be what the memory held before. Reaches the memory the device sees. Nothing without data, and
 * for a packet that the framework did not bind.
 *
 * Thread:   any
 */
void scsad_pkt_zero(struct scsi_pkt *pkt);

/**
 * scsi_alloc_consistent_buf() - a buffer that satisfies the DMA limits of @ap
 *
 * @in_bp    buf to use, or NULL for a new one
 * @datalen  bytes; 0 gives a buf without memory
 * @bflags   B_READ or B_WRITE
 *
 * Needs nothing of @ap but a_hba_tran. Returns the buf, or NULL without memory (then, with a
 * function as @callback, it is called later).
 */
struct buf *scsi_alloc_consistent_buf(struct scsi_address *ap, struct buf *in_bp,
    size_t datalen, uint_t bflags, int (*callback)(caddr_t), caddr_t arg);

/* scsi_free_consistent_buf() - free data and buf; NULL is fine. After the packet is
 * destroyed */
void scsi_free_consistent_buf(struct buf *bp);

/* scsi_hba_in_panic() - always 0 */
int scsi_hba_in_panic(void);

/**
 * iports: initiator ports of an HBA with SCSI_HBA_HBA
 *
 * scsi_hba_iport_register()      declare a static iport, in attach(9E) after attach_setup. A
 *                                name twice is one iport. DDI_FAILURE: more than
 *                                SCSI_HBA_MAX_IPORTS, no memory, no HBA
 * scsi_hba_iport_unit_address()  name of the iport @dip is; NULL when @dip is no iport
 * scsi_hba_iport_exist()         is any registered?
 * scsi_hba_iport_find()          the attached iport of that name, or NULL
 */
int scsi_hba_iport_register(dev_info_t *hba_dip, char *port);
char *scsi_hba_iport_unit_address(dev_info_t *dip);
int scsi_hba_iport_exist(dev_info_t *hba_dip);
dev_info_t *scsi_hba_iport_find(dev_info_t *hba_dip, char *port);

/**
 * scsi_hba_nodename_compatible_get() - what a device is called, from its INQUIRY data
 *
 * @binding_set  value of the port's "scsi-binding-set", or NULL
 * @dtype_node   device type for the node, usually that of @inq
 * @compat0      first entry of the list, or NULL
 * @ret_nodename "disk", "enclosure", ...; NULL when the type has no name
 * @ret_compatible, @ret_n  from most to least specific, ends with "scsiclass"
 *
 * Owner:    caller; scsi_hba_nodename_compatible_free() takes both
 */
void scsi_hba_nodename_compatible_get(struct scsi_inquiry *inq, char *binding_set,
    int dtype_node, char *compat0, char **ret_nodename, char ***ret_compatible, int *ret_n);
void scsi_hba_nodename_compatible_free(char *nodename, char **compatible);

/* scsi_hba_prop_update_inqstring() - a blank padded field of INQUIRY as a trimmed property */
int scsi_hba_prop_update_inqstring(struct scsi_device *sd, char *name, char *data, size_t len);

/* scsi_get_device_type_string() - value that the list property @prop of the HBA has for the
 * vendor and product of @sd, for kmem_strfree(), or NULL;
 * scsi_get_device_type_scsi_options() - the scsi-options it names, or @def */
char *scsi_get_device_type_string(char *prop, dev_info_t *hba_dip, struct scsi_device *sd);
int scsi_get_device_type_scsi_options(dev_info_t *hba_dip, struct scsi_device *sd, int def);

/**
 * LUN numbers and world wide names
 *
 * scsi_lun_to_lun64(), scsi_lun64_to_lun()  wire form and number
 * scsi_addr_to_lun64()    text after the comma of a unit address; SCSI_LUN64_ILLEGAL
 * scsi_wwnstr_to_wwn()    16 hex digits, a 'w' in front allowed; DDI_SUCCESS or DDI_FAILURE
 * scsi_wwn_to_wwnstr()    lower case; @is_ua puts the 'w' in front; @buf NULL allocates, then
 *                         scsi_free_wwnstr()
 * scsi_wwnstr_hexcase()   change the case of the digits in place
 * scsi_wwnstr_skip_ua_prefix()  behind the 'w', if there is one
 */
#define SCSI_WWN_BUFLEN		18	/* prefix, 16 digits, NUL */

scsi_lun64_t scsi_lun_to_lun64(scsi_lun_t lun);
scsi_lun_t scsi_lun64_to_lun(scsi_lun64_t lun64);
scsi_lun64_t scsi_addr_to_lun64(char *lun);
int scsi_wwnstr_to_wwn(const char *wwnstr, uint64_t *ret_wwn);
char *scsi_wwn_to_wwnstr(uint64_t wwn, int is_ua, char *buf);
void scsi_free_wwnstr(char *wwnstr);
void scsi_wwnstr_hexcase(char *wwnstr, int is_lower);
const char *scsi_wwnstr_skip_ua_prefix(const char *wwnstr);

#endif /* SYS_SCSI_IMPL_TRANSPORT_H */
