/*
 * daemon/rpc_socket.h - the socket in the file system
 *
 * What      Where it is, whether somebody serves it already, and making it.
 * Thread    The main thread.
 */
#ifndef DAEMON_RPC_SOCKET_H
#define DAEMON_RPC_SOCKET_H

#include <stddef.h>

#include "base/compiler.h"
#include "daemon/config.h"

struct rpc_socket {
	int fd;			/* listening; handed on by STEAL_FD */
	int lock_fd;		/* PATH.lock, locked while we serve PATH */
	char path[108];
};

/**
 * rpc_socket_open() - bind and listen
 *
 * Without a configured path: $SCSAD_SOCKET, then /run/scsad/scsad.sock, and, where that cannot
 * be made by this user, $XDG_RUNTIME_DIR/scsad/scsad.sock. A missing directory is made (0755),
 * for the user of the configuration. On failure nothing but that stays.
 * A socket that is left over from a process that died is replaced.
 *
 * @reterr   @size bytes: what is wrong and what to do
 *
 * Returns:  0
 *           -EADDRINUSE    another scsad serves it
 *           -ENAMETOOLONG  the path does not fit into a socket address
 *           -EEXIST        something there is no socket
 *           -errno         of making it
 */
int rpc_socket_open(const struct config *conf, struct rpc_socket *ret_socket, char *reterr,
    size_t size) MUST_CHECK;

/* rpc_socket_close() - remove it from the file system, if this user may, and let go of the
 * lock */
void rpc_socket_close(struct rpc_socket *socket);

#endif /* DAEMON_RPC_SOCKET_H */
