/*
 * daemon/daemon.h - the life of the process, from the first option to the last log line
 *
 * What      The column that main() is: options, configuration, log, loops, HBAs and their
 *           units, socket, privilege, notify, run, drain, stop. Each step can be undone;
 *           daemon_stop() undoes what had been done, in reverse order.
 * Thread    The main thread, which is no loop and may block.
 * Source    scsad(8)
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "base/compiler.h"
#include "daemon/config.h"

/* exit status of scsad: 0 done, and these */
#define EXIT_USAGE	1	/* options are wrong */
#define EXIT_START	15	/* file, socket or HBA: could not start */
#define EXIT_CONFIG	102	/* the configuration is wrong */

struct daemon;
struct rpc_server;

/**
 * daemon_start() - from a configuration to "ready"
 *
 * @conf     borrowed until daemon_stop()
 *
 * Returns:  0, or -errno; the log has said why
 */
int daemon_start(const struct config *conf, struct daemon **ret_daemon) MUST_CHECK;

/**
 * daemon_stop() - accept nothing new, let packets end or abort them, take everything down
 *
 * @daemon   any half-started state; NULL is fine
 */
void daemon_stop(struct daemon *daemon);

/* daemon_rpc() - its server, for tests that bring their own sockets */
struct rpc_server *daemon_rpc(struct daemon *daemon);

/* daemon_main() - main() by another name; what it returns is the exit status */
int daemon_main(int argc, char **argv);

#endif /* DAEMON_DAEMON_H */
