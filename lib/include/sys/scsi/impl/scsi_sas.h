/*
 * sys/scsi/impl/scsi_sas.h - phys and the SAS ports they form
 *
 * What      A phy map groups the phys of an HBA into ports: a port is a pair of SAS addresses,
 *           local and remote. It tells the driver when a port has become stable and when its
 *           last phy has been gone for the settle time; the driver makes an iport of the same
 *           name. Who asks for all units of the HBA waits for that, as far as phys are reported.
 * Names     The unit address of a port is made when it becomes active: the mask of its phys in
 *           hexadecimal ("f": phys 0 to 3), or, while another active port has that name, the
 *           two addresses "local,remote" as 16 digits each. It stays as long as the port is
 *           active.
 * Life      sas_phymap_create() in attach(9E) of the HBA, sas_phymap_destroy() in its
 *           detach(9E).
 * Thread    Kernel context. Callbacks run one at a time on a thread of the framework, with no
 *           lock of it held; they may ask the map.
 * Source    sas_phymap_create(9F), iport(9)
 */
#ifndef SYS_SCSI_IMPL_SCSI_SAS_H
#define SYS_SCSI_IMPL_SCSI_SAS_H

#include <sys/types.h>
#include <sys/dditypes.h>
#include <sys/scsi/generic/sas.h>
#include <sys/scsi/generic/smp_frames.h>
#include <sys/scsi/impl/usmp.h>

typedef struct sas_phymap sas_phymap_t;
typedef struct sas_phymap_phys sas_phymap_phys_t;	/* a walk over the phys of a port */
typedef enum { PHYMAP_MODE_SIMPLE = 0 } sas_phymap_mode_t;

/* a port became stable; what is left at *@ua_privp (NULL at first) is the port's value */
typedef void (*sas_phymap_activate_cb_t)(void *phymap_priv, char *ua, void **ua_privp);

/* a port lost its last phy, and that has settled */
typedef void (*sas_phymap_deactivate_cb_t)(void *phymap_priv, char *ua, void *ua_priv);

/**
 * sas_phymap_create() - a phy map
 *
 * @hba_dip      a registered HBA node with SCSI_HBA_HBA
 * @settle_usec  above 0
 * @mode         PHYMAP_MODE_SIMPLE
 * @mode_arg     NULL
 *
 * Returns:  DDI_SUCCESS; DDI_FAILURE for other arguments
 * Owner:    driver; sas_phymap_destroy()
 */
int sas_phymap_create(dev_info_t *hba_dip, int settle_usec, sas_phymap_mode_t mode,
    void *mode_arg, void *phymap_priv, sas_phymap_activate_cb_t activate_cb,
    sas_phymap_deactivate_cb_t deactivate_cb, sas_phymap_t **ret_map);

/* sas_phymap_destroy() - deactivate every port, free the map. Not from its callbacks. NULL is
 * ignored */
void sas_phymap_destroy(sas_phymap_t *map);

/* sas_phymap_phy_add() - @phy (0 .. 63) connects @local with @remote; DDI_FAILURE if it is in a
 * port already. sas_phymap_phy_rem() - it does not any more; DDI_FAILURE if it is in none */
int sas_phymap_phy_add(sas_phymap_t *map, int phy, uint64_t local, uint64_t remote);
int sas_phymap_phy_rem(sas_phymap_t *map, int phy);

/* sas_phymap_lookup_ua() - name of the active port with these addresses, or NULL; the map's own
 * text */
char *sas_phymap_lookup_ua(sas_phymap_t *map, uint64_t local, uint64_t remote);

/* sas_phymap_lookup_uapriv() - what activate left for the active port @ua; NULL */
void *sas_phymap_lookup_uapriv(sas_phymap_t *map, char *ua);

/* sas_phymap_uahasphys() - 1 if the active port @ua has a phy now, else 0 */
int sas_phymap_uahasphys(sas_phymap_t *map, char *ua);

/* sas_phymap_ua2phys() - walk over the phys that the active port @ua has now; NULL when
 * unknown. sas_phymap_phys_next() - the next one, -1 at the end. sas_phymap_phys_free() - end
 * the walk */
sas_phymap_phys_t *sas_phymap_ua2phys(sas_phymap_t *map, char *ua);
int sas_phymap_phys_next(sas_phymap_phys_t *phys);
void sas_phymap_phys_free(sas_phymap_phys_t *phys);

/* sas_phymap_phy2ua() - copy of the name of the active port that has @phy, or NULL; give it
 * back by sas_phymap_ua_free() */
char *sas_phymap_phy2ua(sas_phymap_t *map, int phy);
void sas_phymap_ua_free(char *ua);

/* node properties that drivers of SAS adapters set and the framework carries */
#define SCSI_ADDR_PROP_SATA_PHY		"sata-phy"
#define SCSI_ADDR_PROP_INITIATOR_PORT	"initiator-port"
#define SCSI_ADDR_PROP_TARGET_PORT	"target-port"
#define SCSI_ADDR_PROP_ATTACHED_PORT	"attached-port"
#define SCSI_ADDR_PROP_BRIDGE_PORT	"bridge-port"
#define SCSI_ADDR_PROP_TARGET_PORT_DEPTH "target-port-depth"
#define SCSI_ADDR_PROP_TARGET_PORT_PM	"target-port-pm"
#define SCSI_ADDR_PROP_ATTACHED_PORT_PM	"attached-port-pm"
#define SCSI_ADDR_PROP_RECEPTACLE_PM	"receptacle-pm"

#endif /* SYS_SCSI_IMPL_SCSI_SAS_H */
