#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client/scsactl/file.h"

enum ctl_exit
file_open(struct ctl *ctl, const char *path, int flags, int *ret_fd)
{
	int fd;

	if (strcmp(path, "-") == 0) {
		*ret_fd = (flags & O_ACCMODE) == O_RDONLY ? STDIN_FILENO : STDOUT_FILENO;
		return CTL_OK;
	}
	fd = open(path, flags | O_CLOEXEC, 0666);
	if (fd < 0)
		return ctl_fail(ctl, CTL_FILE, "%s: %s", path, strerror(errno));
	*ret_fd = fd;
	return CTL_OK;
}

void
file_close(int *fd)
{
	if (*fd > STDERR_FILENO)
		(void)close(*fd);
	*fd = -1;
}

ssize_t
file_read(int fd, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, (char *)buf + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int
file_write(int fd, const void *buf, size_t len)
{
	const char *at = buf;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}
