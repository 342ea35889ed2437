#include "mock_recorder.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/log.h"
#include "ddi/violation.h"

#define LINES_MAX	256
#define LINE_LEN	256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char rules[LINES_MAX][LINE_LEN];
static char lines[LINES_MAX][LINE_LEN];
static unsigned int nrules, nlines;

static void
keep(char table[][LINE_LEN], unsigned int *n, const char *a, const char *b)
{
	(void)pthread_mutex_lock(&lock);
	if (*n < LINES_MAX)
		(void)snprintf(table[(*n)++], LINE_LEN, "%s: %.200s", a, b);
	(void)pthread_mutex_unlock(&lock);
}

static void
on_violation(const char *rule, const char *text, void *arg UNUSED)
{
	keep(rules, &nrules, rule, text);
}

static void
on_line(enum log_level level, const char *line, void *arg UNUSED)
{
	static const char *const names[] = { "error", "warning", "notice", "info", "debug" };

	keep(lines, &nlines, names[level], line);
}

void
recorder_start(void)
{
	nrules = 0;
	nlines = 0;
	ddi_violation_hook(on_violation, NULL);
	log_set_sink(on_line, NULL);
	log_set_level(LOG_LEVEL_DEBUG);
}

unsigned int
recorder_violations(void)
{
	return nrules;
}

bool
recorder_broke(const char *rule)
{
	size_t len = strlen(rule);

	for (unsigned int i = 0; i < nrules; i++)
		if (strncmp(rules[i], rule, len) == 0 && rules[i][len] == ':')
			return true;
	return false;
}

bool
recorder_logged(const char *text)
{
	for (unsigned int i = 0; i < nlines; i++)
		if (strstr(lines[i], text) != NULL)
			return true;
	return false;
}
