/*
 * scsa/scsa.h - the framework between target drivers and HBA drivers: where to find what
 *
 * What      lib/scsa is one room with two faces. Drivers see <sys/scsi/scsi.h>, the published
 *           names. The process that hosts it sees scsa/config.h (enumeration and control) and
 *           scsa/trace.h (what happened, in order). Everything else is private.
 * Files     tran.c      the vector: alloc, attach_setup, detach
 *           iport.c     initiator ports of an HBA, and their vectors
 *           node.c      the nexus: target nodes come to life and go; cloning
 *           clone.c     one vector for each target node
 *           pkt.c       packets: both allocation styles, the cache
 *           pkt_dma.c   binding, windows, consistent buffers
 *           runout.c    callbacks of those who found no resources
 *           transport.c start and completion
 *           poll.c      commands run to their end
 *           probe.c     INQUIRY and who is there
 *           luns.c      REPORT LUNS, identity pages
 *           config.c    enumeration
 *           cap.c       capabilities
 *           reset.c     abort, reset, notification, task management
 *           control.c   quiesce, bus reset, control sessions
 *           settle.c, settle_worker.c  reports that settle: the engine under all maps
 *           tgtmap.c, lunmap.c, iportmap.c, phymap.c  maps of targets, LUNs, iports, SAS ports
 *           csync.c     who asks early waits for the maps
 *           smp.c, smp_driver.c  expanders: vector, nodes; the driver for the process
 *           tran_call.c the one place that calls entry points of drivers
 * Rules     A rule of the contract that a driver breaks is reported through ddi_violation()
 *           under these names: "pkt-double-completion", "pkt-direct-completion",
 *           "pkt-destroy-issued", "pkt-state", "pkt-comp-without-accept", "pkt-comp-nointr",
 *           "sd-mutex-held", "driver-private", "tran-free-registered", "tgt-free-busy",
 *           "map-destroy-inside".
 *           Release builds count, and go on as the function's header says.
 *
 * Glossary  unit      one logical unit, as an object: a node with its scsi_device
 *           target    what has an address on a port and holds units
 *           port      initiator port: the node whose children are units; an iport, or the HBA
 *                     node itself
 *           nexus     node that has children and speaks for them; also I_T nexus in lib/lu
 *           packet    one command: struct scsi_pkt
 *           vector    struct scsi_hba_tran: entry points and identity of an HBA, an iport, or
 *                     (clone) of one unit
 *           window    the part of a buffer that has DMA resources now
 *           probe node  a unit's node before it has a name: it lives for one INQUIRY
 *           slot      a place in a table; tag: what the chip knows a command by
 *           handle    name of a unit that a client was given
 *           deadline  time at which waiting ends
 *           hold      reason why something may not go away yet
 *           orphan    packet whose client is gone
 */
#ifndef SCSA_SCSA_H
#define SCSA_SCSA_H

#include "scsa/config.h"
#include "scsa/trace.h"

#endif /* SCSA_SCSA_H */
