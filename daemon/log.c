#include "daemon/log.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *name;
	unsigned int priority;		/* of syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR]   = { "error", 3 },
	[LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_NOTICE]  = { "notice", 5 },
	[LOG_LEVEL_INFO]    = { "info", 6 },
	[LOG_LEVEL_DEBUG]   = { "debug", 7 },
};

static struct {
	int fd;
	bool is_journal;
} out;

size_t
log_format(enum log_level level, bool is_journal, const char *line, char *dst, size_t size)
{
	int n;

	if (is_journal)
		n = snprintf(dst, size, "<%u>%s\n", levels[level].priority, line);
	else
		n = snprintf(dst, size, "%s: %s\n", levels[level].name, line);
	if (n < 0)
		return 0;
	if ((size_t)n < size)
		return (size_t)n;
	dst[size - 2] = '\n';
	return size - 1;
}

static void
log_write(enum log_level level, const char *line, void *arg)
{
	char text[1100];
	size_t len = log_format(level, out.is_journal, line, text, sizeof(text));
	ssize_t n;

	(void)arg;
	/* one write a line, so that lines of several processes do not mix */
	n = write(out.fd, text, len);
	(void)n;
}

bool
log_is_journal(const char *value, int fd)
{
	uintmax_t device, inode;
	struct stat st;

	if (value == NULL || sscanf(value, "%ju:%ju", &device, &inode) != 2 ||
	    fstat(fd, &st) < 0)
		return false;
	return (uintmax_t)st.st_dev == device && (uintmax_t)st.st_ino == inode;
}

void
log_open(int fd, enum log_level level)
{
	out.fd = fd;
	out.is_journal = log_is_journal(getenv("JOURNAL_STREAM"), fd);
	log_set_level(level);
	log_set_sink(log_write, NULL);
}
