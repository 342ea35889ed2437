#include "daemon/rpc_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/log.h"
#include "base/text.h"
#include "proto/limits.h"

#define BACKLOG		256

_Static_assert(sizeof(((struct rpc_socket *)0)->path) ==
    sizeof(((struct sockaddr_un *)0)->sun_path), "a path is as long as an address can be");

static void
address_of(const char *path, struct sockaddr_un *addr)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)text_copy(addr->sun_path, sizeof(addr->sun_path), path);
}

/* does somebody answer at @path? */
static bool
path_is_served(const char *path)
{
	CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	struct sockaddr_un addr;

	address_of(path, &addr);
	if (fd < 0)
		return true;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return true;
	return errno == EAGAIN || errno == EACCES;	/* a full backlog is an answer too */
}

/* a folder that we make belongs to who we shall be: the socket is to be removed at the end */
static void
parent_give(const struct config *conf, const char *dir)
{
	char buf[16384];
	struct passwd passwd, *found = NULL;

	if (conf->user != NULL &&
	    getpwnam_r(conf->user, &passwd, buf, sizeof(buf), &found) == 0 && found != NULL &&
	    chown(dir, found->pw_uid, found->pw_gid) < 0)
		log_info("socket: '%s' cannot be given to user '%s': %s", dir, conf->user,
		    strerror(errno));
}

static int
parent_make(const struct config *conf, const char *path)
{
	char dir[sizeof(((struct rpc_socket *)0)->path)];
	char *slash;

	(void)text_copy(dir, sizeof(dir), path);
	slash = strrchr(dir, '/');
	if (slash == NULL || slash == dir)
		return 0;
	*slash = '\0';
	if (mkdir(dir, 0755) < 0)
		return errno != EEXIST ? -errno : 0;
	parent_give(conf, dir);
	return 0;
}

/* the name may have gone away, with its inode, between our open() and our lock */
static bool
lock_is_named(int fd, const char *path)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 && stat(path, &named) == 0 &&
	    ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

/* one server a path: the lock is the truth, the socket may be a dead one's */
static int
lock_take(struct rpc_socket *s)
{
	char path[sizeof(s->path) + 8];

	(void)snprintf(path, sizeof(path), "%s.lock", s->path);
	for (;;) {
		s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (s->lock_fd < 0)
			return -errno;
		if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
			return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
		if (lock_is_named(s->lock_fd, path))
			return 0;
		close_fd(&s->lock_fd);
	}
}

static int
leftover_remove(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (path_is_served(path))
		return -EADDRINUSE;
	log_info("socket %s: left over from a process that is gone, replaced", path);
	return unlink(path) < 0 ? -errno : 0;
}

static int
socket_bind(struct rpc_socket *s, const struct config *conf)
{
	CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	struct sockaddr_un addr;
	mode_t mask;
	int r;

	if (fd < 0)
		return -errno;
	address_of(s->path, &addr);
	/* nobody shall get in between bind and chmod */
	mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? -errno : 0;
	(void)umask(mask);
	if (r < 0)
		return r;
	/* a group of (gid_t)-1 changes nothing */
	if (chown(s->path, (uid_t)-1, conf->socket_gid) < 0 ||
	    chmod(s->path, conf->socket_mode) < 0 || listen(fd, BACKLOG) < 0) {
		r = -errno;
		(void)unlink(s->path);
		return r;
	}
	s->fd = STEAL_FD(fd);
	return 0;
}

/* while it is still locked: nobody can be fooled by the name going away */
static void
lock_drop(struct rpc_socket *s)
{
	char path[sizeof(s->path) + 8];

	(void)snprintf(path, sizeof(path), "%s.lock", s->path);
	(void)unlink(path);
	close_fd(&s->lock_fd);
}

static int
path_open(const struct config *conf, const char *path, struct rpc_socket *s)
{
	int r;

	*s = (struct rpc_socket){ .fd = -1, .lock_fd = -1 };
	if (!text_copy(s->path, sizeof(s->path), path))
		return -ENAMETOOLONG;
	r = parent_make(conf, s->path);
	if (r == 0)
		r = lock_take(s);
	if (r < 0) {
		close_fd(&s->lock_fd);	/* perhaps another's: the name stays */
		return r;
	}
	r = leftover_remove(s->path);
	if (r == 0)
		r = socket_bind(s, conf);
	if (r < 0)
		lock_drop(s);
	return r;
}

static int
complain(int r, const char *path, char *reterr, size_t size)
{
	char shown[160];

	(void)text_escape(path, strlen(path), shown, sizeof(shown));
	if (r == -EADDRINUSE)
		(void)snprintf(reterr, size,
		    "socket '%s': another scsad serves it; stop that one, or "
		    "choose another path with --socket", shown);
	else if (r == -EEXIST)
		(void)snprintf(reterr, size,
		    "socket '%s': something there is no socket; remove it, or "
		    "choose another path with --socket", shown);
	else if (r == -ENAMETOOLONG)
		(void)snprintf(reterr, size,
		    "socket '%s': longer than 107 bytes; choose a shorter path", shown);
	else
		(void)snprintf(reterr, size,
		    "socket '%s': %s; choose a path that this user can make "
		    "with --socket", shown, strerror(-r));
	return r;
}

int
rpc_socket_open(const struct config *conf, struct rpc_socket *ret_socket, char *reterr,
    size_t size)
{
	const char *path = conf->socket_path, *dir = getenv("XDG_RUNTIME_DIR");
	char own[256];
	int r;

	if (path == NULL)
		path = getenv(PROTO_SOCKET_ENV);
	if (path != NULL && path[0] != '\0') {
		r = path_open(conf, path, ret_socket);
		return r < 0 ? complain(r, path, reterr, size) : 0;
	}
	r = path_open(conf, PROTO_SOCKET_DEFAULT, ret_socket);
	if (r == 0)
		return 0;
	if ((r != -EACCES && r != -EPERM && r != -EROFS && r != -ENOENT) || dir == NULL ||
	    dir[0] != '/')
		return complain(r, PROTO_SOCKET_DEFAULT, reterr, size);
	(void)snprintf(own, sizeof(own), "%s/" PROTO_SOCKET_OF_USER, dir);
	r = path_open(conf, own, ret_socket);
	return r < 0 ? complain(r, own, reterr, size) : 0;
}

void
rpc_socket_close(struct rpc_socket *s)
{
	close_fd(&s->fd);
	if (s->lock_fd < 0)
		return;
	if (unlink(s->path) < 0)
		log_info("socket %s: stays behind: %s", s->path, strerror(errno));
	lock_drop(s);
}
