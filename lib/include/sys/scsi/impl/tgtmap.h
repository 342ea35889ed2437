/*
 * sys/scsi/impl/tgtmap.h - an HBA driver says what is there, the framework does the rest
 *
 * What      Target maps: an iport's driver reports the targets it sees; once a report has been
 *           stable for the settle time, the framework tells the driver, finds the logical
 *           units, makes and attaches their nodes, and takes them away when they are gone.
 *           Iport maps: the same for the initiator ports of an HBA.
 * Life      A target map: scsi_hba_tgtmap_create() in attach(9E) of the iport, reports at any
 *           time, scsi_hba_tgtmap_destroy() in its detach(9E). An iport map: the same at the
 *           HBA node. What settles before that attach has returned waits for it.
 * Sets      A target map holds two sets that know nothing of each other: SCSI devices and SMP
 *           devices (expanders). Addresses are strings of 1 to 63 characters without '/', '@'
 *           and ','; SMP devices have the form "w" and 16 hexadecimal digits.
 * Thread    Reports: kernel context, not interrupt handlers; locks that the driver's callbacks
 *           or tran_tgt_init take may be held. Callbacks run on threads of the framework, with
 *           no lock of it held, and may report.
 * Source    iport(9), scsi_hba_tgtmap_create(9F), scsi_hba_iportmap_create(9F)
 */
#ifndef SYS_SCSI_IMPL_TGTMAP_H
#define SYS_SCSI_IMPL_TGTMAP_H

#include <sys/scsi/impl/transport.h>

/*
 * An address has become stable: called before any node of it exists. *@tgt_privp is the value
 * that was reported with it; what the driver leaves there is the value of this life.
 */
typedef void (*scsi_tgt_activate_cb_t)(void *tgtmap_priv, char *tgt_addr,
    scsi_tgtmap_tgt_type_t tgt_type, void **tgt_privp);

/*
 * The last word about @tgt_priv. GONE: all nodes of the address are gone. CFG_FAIL: nobody
 * answered there, or nobody wanted it; a driver that will report it again answers B_TRUE.
 * UNSTBL: the report was overtaken before it became stable (only with a value other than NULL,
 * and only while the address is not active).
 */
typedef boolean_t (*scsi_tgt_deactivate_cb_t)(void *tgtmap_priv, char *tgt_addr,
    scsi_tgtmap_tgt_type_t tgt_type, void *tgt_priv, scsi_tgtmap_deact_rsn_t reason);

/**
 * scsi_hba_tgtmap_create() - a target map for an iport
 *
 * @iport_dip   the iport's node
 * @mode        SCSI_TM_FULLSET: every report is the whole truth. SCSI_TM_PERADDR: changes
 * @csync_usec  for so long after now, requests for devices wait for them to be found
 * @settle_usec for so long a report has to be without contradiction
 * @activate_cb, @deactivate_cb  may be NULL
 *
 * Units:    microseconds, both above 0
 * Returns:  DDI_SUCCESS; DDI_FAILURE: no iport, a map already, a NULL pointer, a time of 0, an
 *           unknown mode
 * Owner:    driver; scsi_hba_tgtmap_destroy()
 */
int scsi_hba_tgtmap_create(dev_info_t *iport_dip, scsi_tgtmap_mode_t mode, int csync_usec,
    int settle_usec, void *tgtmap_priv, scsi_tgt_activate_cb_t activate_cb,
    scsi_tgt_deactivate_cb_t deactivate_cb, scsi_hba_tgtmap_t **ret_map);

/**
 * scsi_hba_tgtmap_destroy() - the end of a map
 *
 * Reports are refused from now on. What was reported settles, an unfinished set excepted; then
 * every active address goes, with deactivate GONE. Returns when all that is done. NULL is
 * ignored.
 *
 * Thread:   may block; not from a callback of the map
 */
void scsi_hba_tgtmap_destroy(scsi_hba_tgtmap_t *map);

/**
 * scsi_hba_tgtmap_set_begin(), _set_add(), _set_end(), _set_flush() - report a full set
 *
 * begin, end and flush are for both kinds of devices at once. begin throws away what was
 * reported and has not taken effect; flush does, and leaves no set open. A set without an add
 * is a set: all is gone.
 *
 * @flags    0
 *
 * Returns:  DDI_SUCCESS; DDI_FAILURE: per-address map, add or end without begin, unknown
 *           @tgt_type, bad address, map being destroyed
 */
int scsi_hba_tgtmap_set_begin(scsi_hba_tgtmap_t *map);
int scsi_hba_tgtmap_set_add(scsi_hba_tgtmap_t *map, scsi_tgtmap_tgt_type_t tgt_type,
    char *tgt_addr, void *tgt_priv);
int scsi_hba_tgtmap_set_end(scsi_hba_tgtmap_t *map, uint_t flags);
int scsi_hba_tgtmap_set_flush(scsi_hba_tgtmap_t *map);

/**
 * scsi_hba_tgtmap_tgt_add(), _tgt_remove() - report one address of a per-address map
 *
 * The latest report counts, from its own time on. Removing what is not there is fine.
 *
 * Returns:  DDI_SUCCESS; DDI_FAILURE: full-set map, unknown @tgt_type, bad address, map being
 *           destroyed
 */
int scsi_hba_tgtmap_tgt_add(scsi_hba_tgtmap_t *map, scsi_tgtmap_tgt_type_t tgt_type,
    char *tgt_addr, void *tgt_priv);
int scsi_hba_tgtmap_tgt_remove(scsi_hba_tgtmap_t *map, scsi_tgtmap_tgt_type_t tgt_type,
    char *tgt_addr);

/* scsi_hba_tgtmap_scan_luns() - the logical units of an active target may have changed: look
 * again, later and on another thread. Any context */
void scsi_hba_tgtmap_scan_luns(scsi_hba_tgtmap_t *map, char *tgt_addr);

/**
 * scsi_hba_iportmap_create() - a map of the iports of an HBA
 *
 * @hba_dip  a node with SCSI_HBA_HBA. Its iports are those of the map from now on; ones that
 *           are registered by scsi_hba_iport_register() are not looked at
 *
 * There are no callbacks: attach(9E) of the iport is the news. Works address by address.
 *
 * Units:    microseconds, both above 0
 * Returns:  DDI_SUCCESS; DDI_FAILURE: no HBA node, a map already, a NULL pointer, a time of 0
 * Owner:    driver; scsi_hba_iportmap_destroy()
 */
int scsi_hba_iportmap_create(dev_info_t *hba_dip, int csync_usec, int settle_usec,
    scsi_hba_iportmap_t **ret_map);

/* scsi_hba_iportmap_destroy() - what was reported settles, then all iports go, targets first.
 * May block. NULL is ignored */
void scsi_hba_iportmap_destroy(scsi_hba_iportmap_t *map);

/* scsi_hba_iportmap_iport_add(), _iport_remove() - report that an iport is there, or not;
 * @iport_priv is kept and never looked at. DDI_SUCCESS; DDI_FAILURE: bad address, map being
 * destroyed */
int scsi_hba_iportmap_iport_add(scsi_hba_iportmap_t *map, char *iport_addr, void *iport_priv);
int scsi_hba_iportmap_iport_remove(scsi_hba_iportmap_t *map, char *iport_addr);

/* scsi_hba_iportmap_lookup() - DDI_SUCCESS if that iport is attached now */
int scsi_hba_iportmap_lookup(scsi_hba_iportmap_t *map, char *iport_addr);

#endif /* SYS_SCSI_IMPL_TGTMAP_H */
