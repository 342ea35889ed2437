/*
 * daemon/activation.h - sockets that systemd opened for us
 *
 * What      A socket unit (scsad-iscsi.socket) may listen before the daemon runs, and on ports
 *           that it may not open itself. Whoever is to listen on an address asks here first.
 * Owner     A socket is given away once; those nobody asked for stay open.
 * Thread    Any; a short lock.
 * Source    sd_listen_fds(3); RFC 7143 says nothing of it
 */
#ifndef DAEMON_ACTIVATION_H
#define DAEMON_ACTIVATION_H

#include <sys/socket.h>

#include "base/compiler.h"

/* activation_take() - the listening stream socket bound to @addr, non-blocking; -1: systemd
 * gave us none. A @addr with port 0 is never found */
int activation_take(const struct sockaddr *addr) MUST_CHECK;

#endif /* DAEMON_ACTIVATION_H */
