/* behind the filter: what serving takes works, in all threads; what it does not take is
 * refused, and what only an intruder does ends the process */
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/log.h"
#include "check_main.h"
#include "daemon/privilege.h"
#include "daemon/sandbox.h"

/* the wait status of a child that does @fn behind the filter; its exit status is what @fn
 * says */
static int
behind(enum sandbox_mode mode, int (*fn)(void))
{
	static const struct rlimit none;
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)setrlimit(RLIMIT_CORE, &none);
		log_open(STDERR_FILENO, LOG_LEVEL_NOTICE);
		privilege_prepare();
		if (sandbox_enter(mode, false) < 0)
			_exit(99);
		_exit(fn());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static bool
is_killed(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static bool
is_exit(int status, int code)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

/* 0 when @r failed with EPERM */
static int
refused(long r)
{
	return r == -1 && errno == EPERM ? 0 : 1;
}

/* ------ what serving takes ------ */

static void *
thread_main(void *arg)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	*(bool *)arg = fd >= 0 && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0;
	(void)close(fd);
	return NULL;
}

static int
serve(void)
{
	char path[64], buf[16];
	int fd = check_file(path, sizeof(path)), ep = epoll_create1(EPOLL_CLOEXEC);
	bool in_thread = false;
	pthread_t thread;
	void *mem;

	if (fd < 0 || ep < 0 || pwrite(fd, "data", 4, 0) != 4 || pread(fd, buf, 4, 0) != 4 ||
	    fdatasync(fd) < 0 || ftruncate(fd, 4096) < 0 || unlink(path) < 0)
		return 1;
	if (socket(AF_UNIX, SOCK_STREAM, 0) < 0 || socket(AF_INET, SOCK_STREAM, 0) < 0)
		return 2;
	/* a kernel without it says that it has none, the filter would say EPERM */
	if (socket(AF_INET6, SOCK_STREAM, 0) < 0 && errno != EAFNOSUPPORT)
		return 2;
	mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED || munmap(mem, 4096) < 0)
		return 3;
	if (pthread_create(&thread, NULL, thread_main, &in_thread) != 0)
		return 4;
	(void)pthread_join(thread, NULL);
	return in_thread ? 0 : 5;
}

START_TEST(serving_works)
{
	int status = behind(SANDBOX_ENFORCE, serve);

	ck_assert_msg(is_exit(status, 0), "status %x", (unsigned int)status);
	ck_assert(is_exit(behind(SANDBOX_DEFAULT, serve), 0));
	ck_assert(is_exit(behind(SANDBOX_LOG, serve), 0));
}
END_TEST

/* a thread that was there before has it, too */
static int go[2], done[2];

static void *
early_main(void *arg)
{
	char c;

	(void)arg;
	if (read(go[0], &c, 1) == 1) {
		c = (char)refused(syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0));
		(void)!write(done[1], &c, 1);
	}
	return NULL;
}

START_TEST(threads_have_it_too)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		pthread_t thread;
		char c = 1;

		privilege_prepare();
		if (pipe(go) < 0 || pipe(done) < 0 ||
		    pthread_create(&thread, NULL, early_main, NULL) != 0 ||
		    sandbox_enter(SANDBOX_ENFORCE, false) < 0)
			_exit(99);
		(void)!write(go[1], &c, 1);
		status = read(done[0], &c, 1) == 1 ? c : 98;
		(void)pthread_join(thread, NULL);
		_exit(status);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(is_exit(status, 0), "status %x", (unsigned int)status);
}
END_TEST

/* ------ what it does not take ------ */

static int
do_packets(void)
{
	return refused(socket(AF_PACKET, SOCK_RAW, 0));
}

static int
do_netlink(void)
{
	return refused(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int
do_terminal(void)
{
	char c = 'x';

	return refused(syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, &c));
}

static int
do_host_clock(void)
{
	return refused(syscall(SYS_settimeofday, NULL, NULL));
}

static int
do_link(void)
{
	return refused(syscall(SYS_symlink, "/etc/passwd", "/tmp/scsad-sandbox-link"));
}

START_TEST(others_are_refused)
{
	int (*const calls[])(void) = { do_packets, do_netlink, do_terminal, do_host_clock,
		do_link };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int status = behind(SANDBOX_ENFORCE, calls[i]);

		ck_assert_msg(is_exit(status, 0), "call %zu: status %x", i, (unsigned int)status);
	}
	/* where they are only logged they go through */
	ck_assert(is_exit(behind(SANDBOX_LOG, do_netlink), 1));
}
END_TEST

static int
do_interfaces(void)
{
	struct ifaddrs *list = NULL;

	if (sandbox_enter(SANDBOX_ENFORCE, true) < 0 || getifaddrs(&list) < 0)
		return 1;
	freeifaddrs(list);
	return refused(socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT));
}

/* who has to know them; nothing else of the kernel's is to be had that way */
START_TEST(interfaces_may_be_listed)
{
	ck_assert(is_exit(behind(SANDBOX_OFF, do_interfaces), 0));
}
END_TEST

static int
do_mount(void)
{
	(void)mount("none", "/tmp", "tmpfs", 0, NULL);
	return 0;
}

static int
do_module(void)
{
	(void)syscall(SYS_finit_module, -1, "", 0);
	return 0;
}

static int
do_ids(void)
{
	(void)syscall(SYS_setresuid, 0, 0, 0);
	return 0;
}

static int
do_namespace(void)
{
	(void)syscall(SYS_unshare, 0);
	return 0;
}

static int
do_bpf(void)
{
	(void)syscall(SYS_bpf, 0, NULL, 0);
	return 0;
}

static int
do_root(void)
{
	(void)!chroot("/tmp");
	return 0;
}

START_TEST(intruders_end_the_process)
{
	int (*const calls[])(void) = { do_mount, do_module, do_ids, do_namespace, do_bpf,
		do_root };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int status = behind(SANDBOX_ENFORCE, calls[i]);

		ck_assert_msg(is_killed(status), "call %zu: status %x", i, (unsigned int)status);
	}
}
END_TEST

/* the runtime of a sanitizer does these itself */
static int
do_exec(void)
{
	(void)execl("/bin/true", "true", NULL);
	return 1;
}

static int
do_trace(void)
{
	(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	return 0;
}

static int
do_fork(void)
{
	return refused(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
}

static int
do_code(void)
{
	void *mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED || refused(mprotect(mem, 4096, PROT_READ | PROT_EXEC)) != 0)
		return 1;
	return refused((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static int
do_prctl(void)
{
	return refused(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

START_TEST(programs_tracers_and_code)
{
	if (IS_SANITIZED) {
		(void)printf("the runtime of this build needs them\n");
		return;
	}
	ck_assert(is_killed(behind(SANDBOX_ENFORCE, do_exec)));
	ck_assert(is_killed(behind(SANDBOX_ENFORCE, do_trace)));
	ck_assert(is_exit(behind(SANDBOX_ENFORCE, do_fork), 0));
	ck_assert(is_exit(behind(SANDBOX_ENFORCE, do_code), 0));
	ck_assert(is_exit(behind(SANDBOX_ENFORCE, do_prctl), 0));
	ck_assert(is_exit(behind(SANDBOX_OFF, do_exec), 0));
}
END_TEST

START_TEST(modes)
{
	enum sandbox_mode mode;

	ck_assert(sandbox_mode_parse("off", &mode) && mode == SANDBOX_OFF);
	ck_assert(sandbox_mode_parse("log", &mode) && mode == SANDBOX_LOG);
	ck_assert(sandbox_mode_parse("enforce", &mode) && mode == SANDBOX_ENFORCE);
	ck_assert(!sandbox_mode_parse("", &mode));
	ck_assert(!sandbox_mode_parse("yes", &mode));
}
END_TEST

CHECK_MAIN("sandbox", serving_works, threads_have_it_too, others_are_refused,
    interfaces_may_be_listed, intruders_end_the_process, programs_tracers_and_code, modes)
