/*
 * daemon/log.h - where the daemon's words go
 *
 * What      Installs the sink of base/log.h. Under systemd (JOURNAL_STREAM names stderr) a line
 *           begins with its priority, "<4>", so that the journal knows it; else with its level
 *           in words, "warning: ".
 * Thread    Before other threads start.
 * Source    sd-daemon(3), systemd.exec(5) on $JOURNAL_STREAM
 */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"

/* log_open() - lines go to @fd from now on, which is usually 2 */
void log_open(int fd, enum log_level level);

/* log_is_journal() - does JOURNAL_STREAM's @value ("device:inode", or NULL) mean @fd? */
bool log_is_journal(const char *value, int fd);

/* log_format() - one line with its end into @size bytes; its length */
size_t log_format(enum log_level level, bool is_journal, const char *line, char *dst,
    size_t size);

#endif /* DAEMON_LOG_H */
