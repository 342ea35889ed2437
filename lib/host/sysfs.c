#include "host/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/text.h"

static int
path_of(char path[PATH_MAX], const char *fmt, va_list ap)
{
	int n = vsnprintf(path, PATH_MAX, fmt, ap);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int
file_read(const char *path, char *buf, size_t size)
{
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	r = n < 0 ? -errno : 0;
	(void)close(fd);
	if (r < 0)
		return r;
	while (n > 0 && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	return 0;
}

static int
value_read(char *buf, size_t size, const char *fmt, va_list ap)
{
	char path[PATH_MAX];
	int r = path_of(path, fmt, ap);

	if (r == 0)
		r = file_read(path, buf, size);
	if (r < 0)
		buf[0] = '\0';
	return r;
}

int
sysfs_read(char *buf, size_t size, const char *path, ...)
{
	va_list ap;
	int r;

	va_start(ap, path);
	r = value_read(buf, size, path, ap);
	va_end(ap);
	return r;
}

int
sysfs_number(uint64_t *ret, const char *path, ...)
{
	char text[32];
	va_list ap;
	int r;

	va_start(ap, path);
	r = value_read(text, sizeof(text), path, ap);
	va_end(ap);
	return r < 0 ? r : num_parse_u64(text, UINT64_MAX, ret);
}

int
sysfs_link(char *buf, size_t size, const char *path, ...)
{
	char name[PATH_MAX], target[PATH_MAX];
	const char *last;
	va_list ap;
	ssize_t n = 0;
	int r;

	va_start(ap, path);
	r = path_of(name, path, ap);
	va_end(ap);
	buf[0] = '\0';
	if (r == 0)
		n = readlink(name, target, sizeof(target) - 1);
	if (r < 0 || n < 0)
		return r < 0 ? r : -errno;
	target[n] = '\0';
	last = strrchr(target, '/');
	(void)text_copy(buf, size, last == NULL ? target : last + 1);
	return 0;
}

int
sysfs_write(const char *text, const char *path, ...)
{
	size_t len = strlen(text);
	char name[PATH_MAX];
	va_list ap;
	int fd, r;

	va_start(ap, path);
	r = path_of(name, path, ap);
	va_end(ap);
	if (r < 0)
		return r;
	fd = open(name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	/* one write: the kernel takes each as a value of its own */
	r = write(fd, text, len) == (ssize_t)len ? 0 : errno == 0 ? -EIO : -errno;
	(void)close(fd);
	return r;
}

static int
is_name(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

int
sysfs_each(const char *folder, int (*fn)(const char *name, void *arg), void *arg)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_name, alphasort);
	int r = 0;

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = fn(entries[i]->d_name, arg);
		free(entries[i]);
	}
	free(entries);
	return r < 0 ? r : 0;
}
