#include "daemon/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/log.h"

void
privilege_prepare(void)
{
	struct rlimit limit;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)umask(022);
	(void)signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int
user_become(const char *name)
{
	char buf[16384];
	struct passwd passwd, *found = NULL;

	if (getpwnam_r(name, &passwd, buf, sizeof(buf), &found) != 0 || found == NULL)
		return -ENOENT;
	if (geteuid() == found->pw_uid)
		return 0;
	if (initgroups(name, found->pw_gid) < 0 ||
	    setresgid(found->pw_gid, found->pw_gid, found->pw_gid) < 0 ||
	    setresuid(found->pw_uid, found->pw_uid, found->pw_uid) < 0)
		return -EPERM;
	log_info("now user '%s'", name);
	return 0;
}

int
privilege_drop(const struct config *conf)
{
	int r = conf->user == NULL ? 0 : user_become(conf->user);

	if (r < 0) {
		log_error("user '%s': cannot become it: %s; start as root, or take 'user' out "
		    "of the configuration", conf->user, strerror(-r));
		return r;
	}
	return 0;
}
