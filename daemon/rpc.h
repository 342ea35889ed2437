/*
 * daemon/rpc.h - the server behind the Unix socket
 *
 * What      Accepts connections, reads frames, checks who asks, carries packets to lib/lu and
 *           answers back. One connection lives on one loop and moves, once, to the home of the
 *           first unit it opens, so that its packets never change threads.
 * Bounds    connections (all, per user), frames, requests and bytes in flight, unsent bytes,
 *           open handles, queued events, time for hello and for a frame: struct config. Whoever
 *           passes one gets a typed error or loses the connection, with one log line; others
 *           notice nothing.
 * Life      rpc_server_new → rpc_server_listen → ... → rpc_server_drain → rpc_server_close →
 *           rpc_server_free.
 * Thread    new/listen/drain/free: the main thread; the rest is said.
 * Source    scsad-protocol(7)
 */
#ifndef DAEMON_RPC_H
#define DAEMON_RPC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "daemon/config.h"
#include "daemon/hbas.h"
#include "daemon/loop.h"
#include "lu/lu.h"

struct exports;
struct isns;
struct rpc_server;
struct tree;

struct rpc_server_conf {
	const struct config *config;	/* borrowed */
	struct loops *loops;		/* borrowed */
	struct lu_exec *worker;		/* for calls that block; borrowed */
};

/* rpc_server_new() - a server that nobody can reach yet; 0 or -ENOMEM */
int rpc_server_new(const struct rpc_server_conf *conf,
    struct rpc_server **ret_server) MUST_CHECK;

/* rpc_server_set_hbas() - what list and show tell; before listen. @tree is the ports' and
 * expanders' */
void rpc_server_set_hbas(struct rpc_server *server, struct hbas *hbas, struct tree *tree);

/* rpc_server_set_exports() - what is exported to whom; before listen, outlives the server's
 * connections. Without it nobody's units are limited, and verbs about exports are refused */
void rpc_server_set_exports(struct rpc_server *server, struct exports *exports);

/* rpc_server_set_isns() - the registration with a name server, or NULL; as the exports */
void rpc_server_set_isns(struct rpc_server *server, struct isns *isns);

/**
 * rpc_server_listen() - accept connections from @fd, a listening socket that is ours now
 *
 * Returns:  0, or -ENOMEM (@fd is closed)
 */
int rpc_server_listen(struct rpc_server *server, int fd) MUST_CHECK;

/**
 * rpc_server_adopt() - serve a connected socket as if it had been accepted
 *
 * @fd       ours now, whatever the answer
 *
 * Returns:  0, or -ENOMEM. Refusals (limits, role) are told on the socket and answer 0
 */
int rpc_server_adopt(struct rpc_server *server, int fd) MUST_CHECK;

/* rpc_event_publish() - tell subscribers; any thread, never blocks */
void rpc_event_publish(struct rpc_server *server, Scsad__EventKind kind, const char *subject,
    const char *text);

/**
 * rpc_server_drain() - no new connections, opens or packets; wait for packets in flight
 *
 * @ms       at most this long
 *
 * Returns:  packets still in flight
 */
uint32_t rpc_server_drain(struct rpc_server *server, uint32_t ms);

/* rpc_server_close() - close every connection and wait until all of their packets have come
 * back; those end because units are detached, aborted or reset. After drain, loops still run.
 * False when some did not within @ms */
bool rpc_server_close(struct rpc_server *server, uint32_t ms);

/* rpc_server_free() - loops have stopped or no connection is left; NULL is fine */
void rpc_server_free(struct rpc_server *server);

/* counters, summed over loops; any thread, each exact but not of one instant */
struct rpc_stats {
	uint64_t accepted;		/* connections, ever */
	uint64_t refused;		/* connections turned away: limit or role */
	uint64_t dropped;		/* connections closed by us: rules broken, time out */
	uint64_t requests;		/* frames, and packets out of rings */
	uint64_t errors;		/* of those, refused */
	uint64_t packets_done;		/* completions */
	uint64_t packets_active;	/* submits accepted and not completed */
	uint64_t orphans;		/* completions nobody was there for */
	uint64_t busy;			/* submits answered BUSY for want of credits or
					 * memory */
	uint64_t events_lost;
	uint64_t connections;		/* now */
};

void rpc_server_stats(struct rpc_server *server, struct rpc_stats *ret_stats);

#endif /* DAEMON_RPC_H */
