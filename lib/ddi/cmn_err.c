#include <sys/cmn_err.h>

#include <stdio.h>
#include <string.h>
#include <sys/debug.h>
#include <sys/sunddi.h>

#include "base/log.h"
#include "ddi/kernel_format.h"

#define LINE_MAX_LEN	1000

static enum log_level
level_of(int level, bool is_verbose)
{
	if (is_verbose)
		return LOG_LEVEL_DEBUG;
	switch (level) {
	case CE_PANIC:
		return LOG_LEVEL_ERROR;
	case CE_WARN:
		return LOG_LEVEL_WARNING;
	case CE_NOTE:
		return LOG_LEVEL_NOTICE;
	default:
		return LOG_LEVEL_INFO;
	}
}

static void
say(dev_info_t *dip, int level, const char *fmt, va_list ap)
{
	char line[LINE_MAX_LEN];
	bool is_verbose = fmt[0] == '?';
	size_t len;

	if (level == CE_IGNORE)
		return;
	if (is_verbose || fmt[0] == '!' || fmt[0] == '^')
		fmt++;
	(void)kernel_vformat(line, sizeof(line), fmt, ap);
	len = strlen(line);
	if (len > 0 && line[len - 1] == '\n')
		line[len - 1] = '\0';
	if (dip != NULL)
		log_msg(level_of(level, is_verbose), "%s%d: %s", ddi_driver_name(dip),
		    ddi_get_instance(dip), line);
	else
		log_msg(level_of(level, is_verbose), "%s", line);
	if (level == CE_PANIC)
		abort();
}

void
vcmn_err(int level, const char *fmt, va_list ap)
{
	say(NULL, level, fmt, ap);
}

void
cmn_err(int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(NULL, level, fmt, ap);
	va_end(ap);
}

void
vdev_err(dev_info_t *dip, int level, const char *fmt, va_list ap)
{
	say(dip, level, fmt, ap);
}

void
dev_err(dev_info_t *dip, int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(dip, level, fmt, ap);
	va_end(ap);
}

void
panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(NULL, CE_PANIC, fmt, ap);
	va_end(ap);
	abort();
}

int
assfail(const char *text, const char *file, int line)
{
	panic("assertion failed: %s, file %s, line %d", text, file, line);
}

void
assfail3(const char *text, uintmax_t left, const char *op, uintmax_t right, const char *file,
    int line)
{
	panic("assertion failed: %s (0x%jx %s 0x%jx), file %s, line %d", text, left, op, right,
	    file, line);
}
