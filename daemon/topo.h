/*
 * daemon/topo.h - ports and phys of a software HBA at one instant
 *
 * What      The driver tells ports by label and phys by the iport they belong to; here the two
 *           are put together: by which iports is a port reached?
 * Thread    Any that may block for a short lock.
 */
#ifndef DAEMON_TOPO_H
#define DAEMON_TOPO_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "hw/soft/soft.h"

struct topo {
	struct soft_port_info ports[SOFT_PORTS];
	size_t n_ports;
	struct soft_phy_info phys[SOFT_PHYS];
	size_t n_phys;
};

/* an iport of a port: its address, and the phys that form it */
struct topo_iport {
	const char *name;	/* borrowed from the topo */
	uint64_t phys;
};

/* topo_take() - a copy to be given to free(); NULL without memory */
struct topo *topo_take(struct soft_hba *hba);

/* topo_port() - the port of that label, or reached by that iport; NULL */
const struct soft_port_info *topo_port(const struct topo *t, const char *name);

/* topo_iports() - the iports by which @port is reached now, SOFT_PHYS at most; how many */
size_t topo_iports(const struct topo *t, const struct soft_port_info *port,
    struct topo_iport ret[SOFT_PHYS]);

#endif /* DAEMON_TOPO_H */
