#include <signal.h>
#include <string.h>
#include <sys/sunddi.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "check_main.h"
#include "ddi/devtree.h"
#include "ddi/kernel_format.h"
#include "ddi/violation.h"
#include "mock_recorder.h"

static char text[128], words[1024];

__attribute__((format(printf, 1, 0))) static void
format_v(const char *fmt, va_list ap)
{
	ck_assert_uint_eq(kernel_vformat(text, sizeof(text), fmt, ap), strlen(text));
}

/* not declared printf-like: %b is not printf's */
static void
format(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	format_v(fmt, ap);
	va_end(ap);
}

START_TEST(kernel_formats)
{
	format("%d %5u|%-4x|%s %c%%", -1, 7u, 0xabu, "text", 'z');
	ck_assert_str_eq(text, "-1     7|ab  |text z%");
	format("%ld %llx %zu %jd %td %hhu", -5l, 0x1ffffffffull, (size_t)9, (intmax_t)-3,
	    (ptrdiff_t)4, 255);
	ck_assert_str_eq(text, "-5 1ffffffff 9 -3 4 255");
	format("%*d|%.*s|%.2f|%.1Lf", 4, 12, 2, "abc", 1.5, (long double)2.5);
	ck_assert_str_eq(text, "  12|ab|1.50|2.5");
	format("0x%b end", 3, "\20\1ready\2busy\3gone");
	ck_assert_str_eq(text, "0x3<ready,busy> end");
	format("%b %b", 0, "\20\1ready", 9, "\10\4high");
	ck_assert_str_eq(text, "0 11<high>");
	format("%b", 2, "");
	ck_assert_str_eq(text, "2");
	format("%y %", 1);
	ck_assert_str_eq(text, "%y %");
	format("%120s%s", "x", "much longer than what is left of it");
	ck_assert_uint_eq(strlen(text), 127);
}
END_TEST

START_TEST(levels_and_marks)
{
	dev_info_t *dip;

	recorder_start();
	cmn_err(CE_WARN, "!disk is %d%% full\n", 90);
	ck_assert(recorder_logged("warning: disk is 90% full"));
	cmn_err(CE_NOTE, "^plain");
	ck_assert(recorder_logged("notice: plain"));
	cmn_err(CE_CONT, "?quiet");
	ck_assert(recorder_logged("debug: quiet"));
	cmn_err(CE_CONT, "more");
	ck_assert(recorder_logged("info: more"));
	cmn_err(CE_IGNORE, "never");
	ck_assert(!recorder_logged("never"));
	ck_assert_int_eq(devi_alloc(devi_root(), "dev", &dip), 0);
	dev_err(dip, CE_WARN, "lost %s", "it");
	ck_assert(recorder_logged("warning: dev-1: lost it"));
	ck_assert_int_eq(devi_free(dip), 0);
}
END_TEST

/* what a child says before SIGABRT ends it */
static const char *
last_words(void (*fn)(void))
{
	int fds[2], status;
	size_t len = 0;
	pid_t pid;
	ssize_t n;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(fds[1], STDERR_FILENO);
		(void)signal(SIGABRT, SIG_DFL);
		fn();
		_exit(0);
	}
	(void)close(fds[1]);
	while (len < sizeof(words) - 1 &&
	    (n = read(fds[0], words + len, sizeof(words) - 1 - len)) > 0)
		len += (size_t)n;
	words[len] = '\0';
	(void)close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	return words;
}

static void
do_panic(void)
{
	panic("no %s", "way");
}

static void
do_ce_panic(void)
{
	cmn_err(CE_PANIC, "no more");
}

static void
do_verify(void)
{
	VERIFY(1 == 2);
}

static void
do_verify3(void)
{
	VERIFY3U(16, <, 3);
}

static void
do_violation(void)
{
	ddi_violation("some-rule", "fact %d", 1);
}

START_TEST(ends_with_words)
{
	ck_assert_str_eq(last_words(do_panic), "error: no way\n");
	ck_assert_str_eq(last_words(do_ce_panic), "error: no more\n");
	ck_assert_ptr_nonnull(strstr(last_words(do_verify), "assertion failed: 1 == 2, file"));
	ck_assert_ptr_nonnull(strstr(last_words(do_verify3), "16 < 3 (0x10 < 0x3)"));
	ck_assert_str_eq(last_words(do_violation), "error: rule some-rule broken: fact 1\n");
	VERIFY0(0);
	VERIFY3S(-1, <, 1);
	ASSERT(1);
}
END_TEST

START_TEST(violations_are_counted)
{
	uint64_t before = ddi_violation_count();

	recorder_start();
	ddi_violation("a", "b");
	ck_assert_uint_eq(ddi_violation_count(), before + 1);
}
END_TEST

CHECK_MAIN("words", kernel_formats, levels_and_marks, ends_with_words, violations_are_counted)
