#include "ddi/violation.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "ddi/sched.h"

#define TEXT_MAX	256

static violation_fn hook;
static void *hook_arg;
static _Atomic uint64_t count;

void
ddi_violation_hook(violation_fn fn, void *arg)
{
	hook = fn;
	hook_arg = arg;
}

void
ddi_violation(const char *rule, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
	if (hook != NULL) {
		hook(rule, text, hook_arg);
		return;
	}
	log_error("rule %s broken: %s", rule, text);
	abort();
}

uint64_t
ddi_violation_count(void)
{
	return atomic_load_explicit(&count, memory_order_relaxed);
}

void
ddi_check_may_sleep(const char *what UNUSED)
{
#ifdef SCSAD_DEBUG
	if (UNLIKELY(sched_is_interrupt()))
		ddi_violation("sleep-in-interrupt", "%s", what);
#endif
}
