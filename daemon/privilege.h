/*
 * daemon/privilege.h - from what starts to what serves
 *
 * What      Before anything is opened: no new privileges (a thread inherits that, and cannot be
 *           told later), limits raised, umask. After everything that needs rights is open:
 *           another user if the configuration names one.
 * Thread    The main thread. privilege_drop() changes all threads.
 * Source    prctl(2) PR_SET_NO_NEW_PRIVS, setresuid(2)
 */
#ifndef DAEMON_PRIVILEGE_H
#define DAEMON_PRIVILEGE_H

#include "base/compiler.h"
#include "daemon/config.h"

/* privilege_prepare() - no new privileges, as many descriptors as allowed, umask 022, no signal
 * for broken pipes; before there are threads */
void privilege_prepare(void);

/**
 * privilege_drop() - keep no more rights than serving takes
 *
 * Returns:  0
 *           -EPERM    a user is configured and this process may not become it
 *           -ENOENT   no such user
 */
int privilege_drop(const struct config *conf) MUST_CHECK;

#endif /* DAEMON_PRIVILEGE_H */
