/*
 * daemon/privilege.h - from what starts to what serves
 *
 * What      Before anything is opened, and before there are threads: no new privileges, nothing
 *           that a program started by us could inherit (bounding set, ambient and inheritable
 *           capabilities, the root user's special place), limits raised, umask. After
 *           everything that needs rights is open (devices, disk images, ports below 1024, the
 *           socket, what was kept in the state directory): another user, his groups, no
 *           capability. Then daemon/sandbox.h.
 * Kept      What is open stays open: memory for DMA, interrupts and reset of a VFIO function,
 *           disk images, listening sockets. What is opened later takes the rights of the user.
 * Thread    The main thread. privilege_drop() changes all threads.
 * Source    prctl(2) PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP, PR_SET_SECUREBITS, PR_SET_DUMPABLE;
 *           capabilities(7), setresuid(2)
 */
#ifndef DAEMON_PRIVILEGE_H
#define DAEMON_PRIVILEGE_H

#include "base/compiler.h"
#include "daemon/config.h"

/* privilege_prepare() - no new privileges, nothing to inherit, as many descriptors and as much
 * locked memory as allowed (for root: no limit to the latter), umask 022, no signal for broken
 * pipes; before there are threads */
void privilege_prepare(void);

/**
 * privilege_drop() - keep no more rights than serving takes
 *
 * With a user configured: files that root has made in the state directory are given to it, if
 * the directory is its own; ids and groups become its, capabilities end, the process leaves no
 * core file and cannot be traced (sanitizers look into themselves, so not in a build with
 * them).
 *
 * Returns:  0
 *           -EPERM    a user is configured and this process may not become it, or it is root
 *           -ENOENT   no such user
 */
int privilege_drop(const struct config *conf) MUST_CHECK;

#endif /* DAEMON_PRIVILEGE_H */
