/*
 * ddi/violation.h - a driver, or we, broke a rule of the interface
 *
 * What      Debug builds check the contracts and report here; by default the rule's name and
 *           the facts are logged and the process aborts. Tests install a recorder. A checker
 *           that returns lets the offender go on as far as that is safe.
 * Thread    Any context.
 */
#ifndef DDI_VIOLATION_H
#define DDI_VIOLATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* runs on the offending thread; must not sleep */
typedef void (*violation_fn)(const char *rule, const char *text, void *arg);

/* ddi_violation_hook() - who is told; NULL: log and abort. Before other threads start */
void ddi_violation_hook(violation_fn fn, void *arg);

/* ddi_violation() - report; @rule is a name such as "mutex-recursive" */
void ddi_violation(const char *rule, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* ddi_violation_count() - how many there have been */
uint64_t ddi_violation_count(void);

/* ddi_check_may_sleep() - a violation "sleep-in-interrupt" if this thread may not; debug builds
 */
void ddi_check_may_sleep(const char *what);

#endif /* DDI_VIOLATION_H */
