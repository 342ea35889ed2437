#include "daemon/privilege.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

#define CAPS_MAX	64
#define CAP_WORDS	_LINUX_CAPABILITY_U32S_3

struct caps {
	struct __user_cap_data_struct words[CAP_WORDS];
};

static bool
caps_get(struct caps *ret)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };

	return syscall(SYS_capget, &head, ret->words) == 0;
}

/* of this thread only */
static bool
caps_set(const struct caps *caps)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };

	return syscall(SYS_capset, &head, caps->words) == 0;
}

static bool
has_cap(const struct caps *caps, unsigned int cap)
{
	return (caps->words[cap / 32].effective & (1u << (cap % 32))) != 0;
}

/* what a program that we would start could get back: nothing. What we have ourselves stays,
 * until privilege_drop(). All of it is inherited by threads, and cannot be told them later */
static void
inheritance_end(void)
{
	struct caps caps;

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (!caps_get(&caps) || !has_cap(&caps, CAP_SETPCAP))
		return;
	(void)prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
	    SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
	    SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED, 0, 0, 0);
	for (unsigned long cap = 0; cap < CAPS_MAX; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	for (size_t i = 0; i < CAP_WORDS; i++)
		caps.words[i].inheritable = 0;
	(void)caps_set(&caps);
}

static void
limit_raise(int which, bool without_end)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)which, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit((__rlimit_resource_t)which, &limit);
	limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
	if (without_end)
		(void)setrlimit((__rlimit_resource_t)which, &limit);
}

void
privilege_prepare(void)
{
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)umask(022);
	(void)signal(SIGPIPE, SIG_IGN);
	limit_raise(RLIMIT_NOFILE, false);
	/* memory for DMA is locked, some of it when we are root no more */
	limit_raise(RLIMIT_MEMLOCK, geteuid() == 0);
	inheritance_end();
}

/* ------ the folder for what outlives a restart ------ */

/* files that we have made as root, and will change as another */
static void
entries_give(int folder, const struct passwd *to)
{
	DIR *dir = fdopendir(folder);
	struct dirent *entry;

	if (dir == NULL) {
		(void)close(folder);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    st.st_uid != 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) ||
		    (S_ISREG(st.st_mode) && st.st_nlink != 1))
			continue;
		(void)!fchownat(dirfd(dir), entry->d_name, to->pw_uid, to->pw_gid,
		    AT_SYMLINK_NOFOLLOW);
	}
	(void)closedir(dir);
}

static void
state_give(const struct config *conf, const struct passwd *to)
{
	static const char *const below[] = { "", "/secrets" };
	char buf[PATH_MAX], path[PATH_MAX + 16];
	const char *state = config_state_dir(conf, buf);

	for (size_t i = 0; state != NULL && i < ARRAY_LEN(below); i++) {
		struct stat st;
		int fd;

		(void)snprintf(path, sizeof(path), "%s%s", state, below[i]);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		/* somebody else's folder is not ours to give away */
		if (fstat(fd, &st) == 0 && st.st_uid == to->pw_uid)
			entries_give(fd, to);
		else
			(void)close(fd);
	}
}

static void
state_check(const struct config *conf)
{
	char buf[PATH_MAX], shown[256];
	const char *state = config_state_dir(conf, buf);

	if (state != NULL && access(state, W_OK | X_OK) < 0)
		log_warning("folder '%s': user '%s' cannot write there: what is changed while it "
		    "runs will not be kept; chown it", text_escape(state, strlen(state), shown,
		    sizeof(shown)), conf->user);
}

/* ------ another user ------ */

static int
ids_set(const char *name, const struct passwd *to)
{
	if (initgroups(name, to->pw_gid) < 0 ||
	    setresgid(to->pw_gid, to->pw_gid, to->pw_gid) < 0 ||
	    setresuid(to->pw_uid, to->pw_uid, to->pw_uid) < 0)
		return -EPERM;
	return 0;
}

/* keys and clients' data: no core files, and nobody looks in. Looking for leaks does */
static void
looks_end(void)
{
	(void)prctl(PR_SET_DUMPABLE, IS_SANITIZED, 0, 0, 0);
}

/* the kernel takes capabilities from each thread that stops being root; this is to be sure */
static int
rights_end(void)
{
	static const struct caps none;
	struct caps caps;

	(void)caps_set(&none);
	if (!caps_get(&caps))
		return -errno;
	for (size_t i = 0; i < CAP_WORDS; i++)
		if ((caps.words[i].permitted | caps.words[i].effective) != 0)
			return -EPERM;
	if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0)
		return -EPERM;
	return 0;
}

static int
user_become(const struct config *conf)
{
	char buf[16384];
	struct passwd passwd, *found = NULL;
	int r;

	if (getpwnam_r(conf->user, &passwd, buf, sizeof(buf), &found) != 0 || found == NULL)
		return -ENOENT;
	if (geteuid() == found->pw_uid) {
		looks_end();
		return 0;
	}
	if (found->pw_uid == 0)
		return -EPERM;
	state_give(conf, found);
	r = ids_set(conf->user, found);
	if (r == 0)
		r = rights_end();
	if (r < 0)
		return r;
	looks_end();
	state_check(conf);
	log_info("now user '%s', with no capability", conf->user);
	return 0;
}

int
privilege_drop(const struct config *conf)
{
	int r = conf->user == NULL ? 0 : user_become(conf);

	if (r < 0) {
		log_error("user '%s': cannot become it: %s; start as root, or take 'user' out "
		    "of the configuration", conf->user, strerror(-r));
		return r;
	}
	if (conf->user == NULL && geteuid() == 0)
		log_info("still root: name a user in the configuration ('user: scsad') to serve "
		    "without rights");
	return 0;
}
