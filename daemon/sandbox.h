/*
 * daemon/sandbox.h - which calls of the kernel are left to a daemon that serves
 *
 * What      A seccomp filter, for all threads, once everything is open: what serving takes is
 *           allowed, a list of calls that no path of ours has ends the process, all others
 *           answer EPERM and go to the kernel's log. The list names what a program does that
 *           has been taken over: other programs, other processes, mounts, modules, namespaces,
 *           ids. It owns HBAs: when it ends, the kernel stops their DMA.
 * Arguments new processes are refused (threads are not), sockets are local or Internet ones,
 *           memory is never writable and executable, ioctl(2) is for block devices, files and
 *           VFIO, prctl(2) names threads. What is opened is up to rights, not to the filter.
 * Limits    A build with sanitizers allows in addition what their reports and leak checks take:
 *           processes, ptrace(2), executable memory. It is no build to be served by.
 * Thread    The main thread, once; the filter cannot be taken off.
 * Source    seccomp(2), seccomp_rule_add(3)
 */
#ifndef DAEMON_SANDBOX_H
#define DAEMON_SANDBOX_H

#include <stdbool.h>

#include "base/compiler.h"

enum sandbox_mode {
	SANDBOX_DEFAULT,	/* enforce, where the kernel has filters; else a warning */
	SANDBOX_OFF,
	SANDBOX_LOG,		/* all calls go through; others than allowed ones are logged */
	SANDBOX_ENFORCE,
	SANDBOX_MODE_N
};

/* sandbox_mode_parse() - "off", "log", "enforce"; false for anything else */
bool sandbox_mode_parse(const char *word, enum sandbox_mode *ret);

/**
 * sandbox_enter() - from now on
 *
 * @want_interfaces  addresses of this machine may be listed: routing sockets (netlink)
 *
 * Returns:  0
 *           -ENOSYS   the kernel has no filters (SANDBOX_LOG, SANDBOX_ENFORCE)
 *           -EACCES   no_new_privs is not set: see privilege_prepare()
 *           -errno    the filter could not be made or loaded (logged)
 */
int sandbox_enter(enum sandbox_mode mode, bool want_interfaces) MUST_CHECK;

#endif /* DAEMON_SANDBOX_H */
