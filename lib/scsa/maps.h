/*
 * scsa/maps.h - maps of targets and iports, seen from the rest of the room
 *
 * What      What enumeration asks of a port that has a target map, and of an HBA that has an
 *           iport map; how completions tell of changed LUNs; SMP nodes.
 * Locks     A target is enumerated, or taken away, by one thread at a time: its turn. Turns of
 *           different targets are independent; none is held while waiting for the map.
 * Source    iport(9); scsi_hba_tgtmap_create(9F), scsi_hba_iportmap_create(9F)
 */
#ifndef SCSA_MAPS_H
#define SCSA_MAPS_H

#include "scsa/scsa_impl.h"
#include "scsa/settle.h"

/*
 * Csync: for a while after a map was created, who asks for a device waits for it to be
 * reported.
 */
struct csync {
	uint64_t until_ns;		/* end of that while */
	_Atomic bool is_over;		/* the first to ask has had its answer */
	_Atomic bool was_synced;	/* somebody has waited for stability after it */
};

/* csync_open() - the while begins */
void csync_open(struct csync *c, uint32_t csync_us);

/* csync_wait_all() - wait as a request for everything does: in the window, for first reports;
 * then for stability */
void csync_wait_all(struct csync *c, struct settle *set, uint64_t settle_us);

/* sync_max_us() - bound of a wait for stability: as many settle times as there are addresses */
uint64_t sync_max_us(struct settle *set, uint64_t settle_us);

/* csync_wait_one() - wait as a request for one child of @parent does, until @key ("@addr") is
 * attached; its node with a reference, or NULL */
dev_info_t *csync_wait_one(struct csync *c, struct settle *set, uint64_t settle_us,
    dev_info_t *parent, const char *key);

/* tgtmap.c, on behalf of config.c; @port->tran->tran_tgtmap is set */

/* tgtmap_config_all() - wait for the map, and enumerate again what was unconfigured by hand */
void tgtmap_config_all(struct scsa_port *port);

/* tgtmap_config_one() - a child by its unit address; "taddr,*" looks for all LUNs. Returns as
 * scsa_bus_config_one() */
int tgtmap_config_one(struct scsa_port *port, const char *addr, dev_info_t **ret_dip)
    MUST_CHECK;

/* tgtmap_unconfig_one(), tgtmap_unconfig_all() - take children away, of targets that have
 * settled; their addresses stay active */
int tgtmap_unconfig_one(struct scsa_port *port, const char *addr) MUST_CHECK;
int tgtmap_unconfig_all(struct scsa_port *port) MUST_CHECK;

/* tgtmap_clear() - deactivate every address; -EBUSY when something refuses to go */
int tgtmap_clear(struct scsa_port *port) MUST_CHECK;

/* tgtmap_pause() - see settle_pause() */
void tgtmap_pause(struct scsa_port *port, bool is_paused);

/* tgtmap_watch() - @pkt is complete, with sense: does it say that LUNs have changed? Any
 * context */
void tgtmap_watch(struct scsi_pkt *pkt);

/* lunmap.c: the logical units of one target; the caller has the target's turn */

/**
 * lunmap_config() - make the units of @taddr what the target says they are
 *
 * LUN 0 first; then units that are new are attached, then units that are gone are removed.
 * Those that stay are not touched.
 *
 * Returns:  0
 *           1        done, but a unit that is gone could not be removed yet
 *           -ENXIO   nobody answers, or the HBA driver refuses
 *           -EIO     it answers amiss
 */
int lunmap_config(struct scsa_port *port, const char *taddr) MUST_CHECK;

/* lunmap_unconfig() - detach and free all children of the target; 0 or -EBUSY. @is_gone:
 * commands still at a unit that refuses are asked to end */
int lunmap_unconfig(struct scsa_port *port, const char *taddr, bool is_gone) MUST_CHECK;

/* iportmap.c, on behalf of config.c; @hba->tran->tran_iportmap is set */
int iportmap_config_all(struct scsa_port *hba) MUST_CHECK;	/* units, -EIO */
int iportmap_config_one(struct scsa_port *hba, const char *ua, dev_info_t **ret_dip) MUST_CHECK;
int iportmap_unconfig_all(struct scsa_port *hba) MUST_CHECK;	/* 0, -EBUSY */

/* phymap.c: phymap_wait() - until the phys of the HBA have formed their ports, and the driver has
 * heard of them; at once when it has no phy map */
void phymap_wait(struct scsa_port *hba);

/* iport_remove() - take away an iport: targets first, then its node; -EBUSY when a target is in
 * use */
int iport_remove(dev_info_t *iport) MUST_CHECK;

/* smp.c: nodes of expanders */

/* smp_node_is() - is @child one? */
bool smp_node_is(dev_info_t *child);

/* smp_node_config() - make and attach the node of an expander below @port; 0, or -errno as
 * scsa_bus_config_one() */
int smp_node_config(struct scsa_port *port, const char *taddr) MUST_CHECK;

/* smp_node_unconfig() - detach and free it; 0 or -EBUSY */
int smp_node_unconfig(struct scsa_port *port, const char *taddr) MUST_CHECK;

/* smp_init(), smp_fini() - the smp_device of a node, as unit_init() and unit_fini() for a
 * unit */
int smp_init(dev_info_t *port, dev_info_t *child);
void smp_fini(dev_info_t *port, dev_info_t *child);

/* smp_port_init(), smp_port_fini() - an iport gets its copy of the HBA's vector, and loses
 * it */
void smp_port_init(struct scsa_port *hba, struct scsa_port *port);
void smp_port_fini(struct scsa_port *port);

#endif /* SCSA_MAPS_H */
