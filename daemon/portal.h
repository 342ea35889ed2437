/*
 * daemon/portal.h - the data plane of exports: sockets of iSCSI, and the way to lib/lu and back
 *
 * What      Gives the machine of lib/iscsi its sockets, its clock, its memory and its units.
 *           Listeners accept on a loop; a connection logs in there and then moves to the loop
 *           of its target, where all that belongs to the target lives. Units at home on another
 *           loop are reached by posts, which keep their order.
 * Life      portal_server_new -> exports_start(portal_ops) ... exports_stop ->
 *           portal_server_free.
 * Thread    The calls here: main thread. portal_ops: as daemon/exports.h says.
 * Limits    struct portal_limits.
 */
#ifndef DAEMON_PORTAL_H
#define DAEMON_PORTAL_H

#include <stdint.h>

#include "base/compiler.h"

struct exports;
struct exports_ops;
struct loops;
struct portal_server;

struct portal_limits {
	uint32_t conns_max;		/* connections at one time: 4096 */
	uint32_t conns_address_max;	/* of them from one IPv4 address, or one IPv6 network of
					 * 64 bits, that is no loopback: 1024. Link-local
					 * addresses of IPv6 count one by one */
	uint32_t logins_max;		/* connections that have not logged in yet: 2048 */
	uint32_t login_ms;		/* time for a login: 8000 */
	uint64_t data_bytes;		/* of commands of one loop: its part of half of the
					 * memory there is, at least 128 MiB. Beyond: BUSY. A
					 * quarter is for writes that are not done; who holds as
					 * much of it as is left is asked for no more */
};

/* portal_ops - what exports_start() gets, with the server as its context */
extern const struct exports_ops portal_ops;

/**
 * portal_server_new() - nothing listens yet
 *
 * @limits   copied; NULL or 0 takes the defaults
 *
 * Returns:  0, -ENOMEM
 */
int portal_server_new(struct loops *loops, struct exports *exports,
    const struct portal_limits *limits, struct portal_server **ret_server) MUST_CHECK;

/* portal_server_hold() - from now on portals are opened, but nobody is accepted: who connects
 * waits. portal_server_go() - accept them. Not while exports change; the main thread */
void portal_server_hold(struct portal_server *server);
void portal_server_go(struct portal_server *server);

/* portal_server_free() - close what is left (discovery sessions, logins); after exports_stop()
 * and before the loops stop. NULL is fine */
void portal_server_free(struct portal_server *server);

#endif /* DAEMON_PORTAL_H */
