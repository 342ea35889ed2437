/*
 * base/log.h - one way for words to leave the process
 *
 * What      A facade: rooms below the daemon speak at LOG_DEBUG only, and return errors for the
 *           rest; the daemon installs the sink (journal or stderr) and speaks at every level.
 * Levels    error = an operator must act; warning = something was lost or retried, and what was
 *           done instead; notice = life of daemon, HBA, unit; info = sessions; debug = moves.
 * Form      "subject: facts with units", no full stop, no function name; foreign strings go
 *           through text_escape() first.
 * Thread    log_msg(): any. log_set_*(): before other threads start.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/compiler.h"

enum log_level {
	LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG
};

/* log_sink_fn - takes one line without its end; called with a lock held, must not log */
typedef void (*log_sink_fn)(enum log_level level, const char *line, void *arg);

/* log_set_sink() - where lines go; NULL is stderr */
void log_set_sink(log_sink_fn fn, void *arg);

/* log_set_level() - the least important level that is let through; LOG_LEVEL_NOTICE at start */
void log_set_level(enum log_level level);

/* log_is_on() - would a line of @level be let through? For lines that are costly to make */
bool log_is_on(enum log_level level);

/* log_level_parse() - "error" .. "debug"; false if @name is none of them */
bool log_level_parse(const char *name, enum log_level *ret_level);

/* log_msg() - one line, cut at 1,000 characters */
void log_msg(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_vmsg(enum log_level level, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

#define log_error(...)		log_msg(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...)	log_msg(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)		log_msg(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)		log_msg(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                         \
	do {                                                                   \
		if (UNLIKELY(log_is_on(LOG_LEVEL_DEBUG)))                      \
			log_msg(LOG_LEVEL_DEBUG, __VA_ARGS__);                 \
	} while (0)

#endif /* BASE_LOG_H */
