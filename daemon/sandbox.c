#include "daemon/sandbox.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/log.h"

#define IOCTL_TYPE	0xff00u
#define IOCTL_VFIO	((unsigned int)';' << 8)
#define IOCTL_BLOCK	(0x12u << 8)

/* names, not numbers: an architecture that lacks one of them does without */
static const char *const allowed[] = {
	/* memory, and what locks it */
	"brk", "madvise", "mlock", "mlock2", "mremap", "munlock", "munmap", "memfd_create",
	/* threads and time */
	"clock_getres", "clock_gettime", "clock_nanosleep", "exit", "exit_group", "futex",
	"futex_time64", "get_robust_list", "getcpu", "gettid", "gettimeofday", "membarrier",
	"nanosleep", "restart_syscall", "rseq", "sched_get_priority_max",
	"sched_get_priority_min", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
	"sched_setaffinity", "sched_yield", "set_robust_list", "set_tid_address", "time",
	"timerfd_create", "timerfd_gettime", "timerfd_settime",
	/* signals: ours come by sigwaitinfo(); abort() sends one to itself */
	"rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait",
	"sigaltstack", "tgkill",
	/* waiting */
	"epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2",
	"pipe2", "poll", "ppoll", "pselect6", "select",
	/* files: stores, state, what is read again at a reload */
	"access", "chdir", "chmod", "close", "close_range", "creat", "dup", "dup2", "dup3",
	"faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod", "fchmodat",
	"fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync", "ftruncate", "getcwd",
	"getdents64", "linkat", "lseek", "lstat", "mkdir", "mkdirat", "newfstatat", "open",
	"openat", "openat2", "pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2",
	"read", "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2", "rmdir",
	"stat", "statfs", "statx", "sync_file_range", "syncfs", "umask", "unlink", "unlinkat",
	"write", "writev",
	"io_uring_enter", "io_uring_register", "io_uring_setup",
	/* sockets that are there; new ones below */
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt",
	"listen", "recvfrom", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto",
	"setsockopt", "shutdown", "socketpair",
	/* who and where we are */
	"getegid", "geteuid", "getgid", "getgroups", "getpgrp", "getpid", "getppid",
	"getrandom", "getresgid", "getresuid", "getrlimit", "getrusage", "getuid", "prlimit64",
	"sysinfo", "times", "uname",
};

/* what a sanitizer takes at its report, or to look for leaks at the end */
static const char *const sanitizers[] = {
	"arch_prctl", "clone", "clone3", "execve", "fork", "getdents", "getpgid", "kill",
	"mmap", "mprotect", "msync", "personality", "pipe", "prctl", "process_vm_readv",
	"ptrace", "sched_setscheduler", "setrlimit", "shmctl", "vfork", "wait4", "waitid",
};

/* nothing of ours does that: whoever does has taken us over */
static const char *const deadly[] = {
	"acct", "add_key", "bpf", "capset", "chroot", "create_module", "delete_module",
	"execve", "execveat", "finit_module", "fork", "fsconfig", "fsmount", "fsopen",
	"init_module", "ioperm", "iopl", "kexec_file_load", "kexec_load", "keyctl", "mount",
	"mount_setattr", "move_mount", "name_to_handle_at", "open_by_handle_at", "open_tree",
	"perf_event_open", "personality", "pidfd_getfd", "pivot_root", "process_vm_readv",
	"process_vm_writev", "ptrace", "quotactl", "reboot", "request_key", "setdomainname",
	"setfsgid", "setfsuid", "setgid", "setgroups", "sethostname", "setns", "setregid",
	"setresgid", "setresuid", "setreuid", "setuid", "swapoff", "swapon", "umount2",
	"unshare", "userfaultfd", "vfork",
};

static const char *const modes[SANDBOX_MODE_N] = {
	[SANDBOX_DEFAULT] = "",
	[SANDBOX_OFF] = "off",
	[SANDBOX_LOG] = "log",
	[SANDBOX_ENFORCE] = "enforce",
};

bool
sandbox_mode_parse(const char *word, enum sandbox_mode *ret)
{
	for (size_t m = SANDBOX_OFF; m < SANDBOX_MODE_N; m++)
		if (strcmp(word, modes[m]) == 0) {
			*ret = (enum sandbox_mode)m;
			return true;
		}
	return false;
}

static int
call_add(scmp_filter_ctx ctx, uint32_t action, const char *name, unsigned int n,
    const struct scmp_arg_cmp *args)
{
	int nr = seccomp_syscall_resolve_name(name);
	int r;

	if (nr == __NR_SCMP_ERROR)
		return 0;
	r = seccomp_rule_add_array(ctx, action, nr, n, args);
	/* another architecture's call */
	return r == -EDOM ? 0 : r;
}

static int
calls_add(scmp_filter_ctx ctx, uint32_t action, const char *const *names, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = call_add(ctx, action, names[i], 0, NULL);
	return r;
}

static bool
is_for_sanitizers(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(sanitizers); i++)
		if (strcmp(sanitizers[i], name) == 0)
			return true;
	return false;
}

/* calls that are allowed by their arguments */
static int
arguments_add(scmp_filter_ctx ctx)
{
	static const struct {
		const char *name;
		unsigned int arg;
		uint32_t mask, value;
	} rows[] = {
		{ "clone", 0, CLONE_THREAD, CLONE_THREAD },
		{ "mmap", 2, PROT_EXEC, 0 },
		{ "mmap", 2, PROT_EXEC | PROT_WRITE, PROT_EXEC },
		{ "mprotect", 2, PROT_EXEC, 0 },
		{ "prctl", 0, UINT32_MAX, PR_SET_NAME },
		{ "prctl", 0, UINT32_MAX, PR_GET_NAME },
#ifdef PR_SET_VMA
		{ "prctl", 0, UINT32_MAX, PR_SET_VMA },
#endif
		{ "socket", 0, UINT32_MAX, AF_UNIX },
		{ "socket", 0, UINT32_MAX, AF_INET },
		{ "socket", 0, UINT32_MAX, AF_INET6 },
		{ "ioctl", 1, IOCTL_TYPE, IOCTL_VFIO },
		{ "ioctl", 1, IOCTL_TYPE, IOCTL_BLOCK },
		{ "ioctl", 1, UINT32_MAX, FIONBIO },
		{ "ioctl", 1, UINT32_MAX, FIONREAD },
		{ "ioctl", 1, UINT32_MAX, TCGETS },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(rows); i++) {
		const struct scmp_arg_cmp arg = { rows[i].arg, SCMP_CMP_MASKED_EQ, rows[i].mask,
			rows[i].value };

		if (!IS_SANITIZED || !is_for_sanitizers(rows[i].name))
			r = call_add(ctx, SCMP_ACT_ALLOW, rows[i].name, 1, &arg);
	}
	/* its arguments are in memory, where no filter can look: the library goes back to
	 * clone */
	if (r == 0 && !IS_SANITIZED)
		r = call_add(ctx, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
	return r;
}

/* getifaddrs(3); setting anything up that way takes rights that we have not */
static int
interfaces_add(scmp_filter_ctx ctx)
{
	static const struct scmp_arg_cmp args[] = {
		{ 0, SCMP_CMP_MASKED_EQ, UINT32_MAX, AF_NETLINK },
		{ 2, SCMP_CMP_MASKED_EQ, UINT32_MAX, NETLINK_ROUTE },
	};

	return call_add(ctx, SCMP_ACT_ALLOW, "socket", ARRAY_LEN(args), args);
}

static int
deadly_add(scmp_filter_ctx ctx)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(deadly); i++)
		if (!IS_SANITIZED || !is_for_sanitizers(deadly[i]))
			r = call_add(ctx, SCMP_ACT_KILL_PROCESS, deadly[i], 0, NULL);
	return r;
}

static int
filter_make(scmp_filter_ctx ctx, enum sandbox_mode mode, bool want_interfaces)
{
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);

	if (r == 0)	/* privilege_prepare() has set it, or it is not to be */
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_LOG, 1);
	/* the filter is for whoever breaks in, not for programs that we run and do not trust:
	 * older kernels would slow all memory accesses down for those */
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_SSB, 1);
	if (r == 0)	/* hundreds of rules: a tree of comparisons, not a list */
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = calls_add(ctx, SCMP_ACT_ALLOW, allowed, ARRAY_LEN(allowed));
	if (r == 0 && IS_SANITIZED)
		r = calls_add(ctx, SCMP_ACT_ALLOW, sanitizers, ARRAY_LEN(sanitizers));
	if (r == 0)
		r = arguments_add(ctx);
	if (r == 0 && want_interfaces)
		r = interfaces_add(ctx);
	if (r == 0 && mode != SANDBOX_LOG)
		r = deadly_add(ctx);
	return r == 0 ? seccomp_load(ctx) : r;
}

static bool
kernel_has_filters(void)
{
	/* not a filter at all: the kernel that has them complains about its address */
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) < 0 && errno == EFAULT;
}

int
sandbox_enter(enum sandbox_mode mode, bool want_interfaces)
{
	scmp_filter_ctx ctx;
	int r;

	if (mode == SANDBOX_OFF)
		return 0;
	if (!kernel_has_filters()) {
		if (mode == SANDBOX_DEFAULT) {
			log_warning("sandbox: this kernel has no filters for system calls: none "
			    "is used");
			return 0;
		}
		log_error("sandbox: this kernel has no filters for system calls; write 'seccomp: "
		    "off' to do without");
		return -ENOSYS;
	}
	ctx = seccomp_init(mode == SANDBOX_LOG ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(EPERM));
	if (ctx == NULL)
		return -ENOMEM;
	r = filter_make(ctx, mode, want_interfaces);
	seccomp_release(ctx);
	if (r < 0)
		log_error("sandbox: the filter for system calls cannot be set up: %s",
		    strerror(-r));
	return r;
}
