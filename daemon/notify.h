/*
 * daemon/notify.h - telling the service manager how it goes
 *
 * What      sd_notify(3) where the build has libsystemd; nothing where it has not, or where
 *           nobody listens ($NOTIFY_SOCKET).
 * Thread    The main thread.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdint.h>

#include "base/compiler.h"

/* notify_ready(), notify_reloading(), notify_stopping() - states; notify_status() - one line
 * for systemctl status */
void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
PRINTF_LIKE(1, 2) void notify_status(const char *fmt, ...);

/* notify_watchdog() - still alive */
void notify_watchdog(void);

/* notify_watchdog_us() - how often the manager wants to hear that, halved for safety; 0: not at
 * all */
uint64_t notify_watchdog_us(void);

#endif /* DAEMON_NOTIFY_H */
