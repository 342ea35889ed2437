#include "host/keep_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/bind.h"
#include "host/sysfs.h"

static int
folder_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
	(void)close(fd);
	return r;
}

static int
file_write(const char *path, const char *text)
{
	size_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len || fsync(fd) < 0)
		r = errno != 0 ? -errno : -EIO;
	(void)close(fd);
	return r;
}

/* @text in the file @name of @folder, at once; NULL: no such file */
static int
file_replace(const char *folder, const char *name, const char *text)
{
	char path[PATH_MAX], temp[PATH_MAX];
	int r;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= PATH_MAX ||
	    snprintf(temp, sizeof(temp), "%s/.%s.new", folder, name) >= PATH_MAX)
		return -ENAMETOOLONG;
	if (text == NULL) {
		if (unlink(path) < 0)
			return errno == ENOENT ? 0 : -errno;
		return folder_sync(folder);
	}
	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return -errno;
	r = file_write(temp, text);
	if (r == 0 && rename(temp, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(temp);
		return r;
	}
	return folder_sync(folder);
}

void
host_given_write(const struct host *h, const char *address, const char *bus)
{
	char line[16];

	if (bus != NULL)
		(void)snprintf(line, sizeof(line), "%.8s\n", bus);
	(void)!file_replace(h->given, address, bus == NULL ? NULL : line);
}

static int
saved_name(const char *address, char name[32])
{
	char checked[HOST_ADDR_LEN];

	if (host_addr_parse(address, checked) < 0)
		return -EINVAL;
	(void)snprintf(name, 32, "pci-%s", checked);
	return 0;
}

int
host_saved_read(const struct host *h, const char *address, char *ret)
{
	char name[32];
	int r = saved_name(address, name);

	if (r < 0)
		return r;
	r = sysfs_read(ret, HOST_DRIVER_LEN, "%s/%s", h->saved, name);
	return r == -ENOENT ? 0 : r;
}

int
host_saved_write(const struct host *h, const char *address, const char *driver)
{
	char name[32], line[HOST_DRIVER_LEN + 1];
	int r = saved_name(address, name);

	if (r < 0)
		return r;
	if (driver != NULL)
		(void)snprintf(line, sizeof(line), "%.*s\n", HOST_DRIVER_LEN - 1, driver);
	return file_replace(h->saved, name, driver == NULL ? NULL : line);
}
