#include "base/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fault.h"

#define MAGIC		"SCSADKEP"
#define NEW_SUFFIX	".new"
#define NEW_SUFFIX_LEN	(sizeof(NEW_SUFFIX) - 1)

/* ------ checksum: four bits at a time, polynomial 82F63B78h (reflected) ------ */

static const uint32_t crc_nibble[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362,
	0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab,
	0xe330a81a, 0xf36e6f75,
};

uint32_t
keep_crc(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ crc_nibble[crc & 0xf];
		crc = crc >> 4 ^ crc_nibble[crc & 0xf];
	}
	return ~crc;
}

/* ------ names ------ */

static bool
name_is_good(const char *name)
{
	size_t len = strnlen(name, KEEP_NAME_MAX + 1);

	if (len == 0 || len > KEEP_NAME_MAX || name[0] == '.' || strchr(name, '/') != NULL)
		return false;
	return len < NEW_SUFFIX_LEN || strcmp(name + len - NEW_SUFFIX_LEN, NEW_SUFFIX) != 0;
}

static void
name_new(const char *name, char dst[KEEP_NAME_MAX + NEW_SUFFIX_LEN + 1])
{
	size_t len = strlen(name);

	memcpy(dst, name, len);
	memcpy(dst + len, NEW_SUFFIX, NEW_SUFFIX_LEN + 1);
}

static bool
name_byte_stays(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '_';
}

int
keep_name(const char *prefix, const void *src, size_t len, char dst[KEEP_NAME_MAX + 1])
{
	static const char hex[] = "0123456789ABCDEF";
	const uint8_t *p = src;
	size_t n = strlen(prefix);

	if (len == 0 || n > KEEP_NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(dst, prefix, n);
	for (size_t i = 0; i < len; i++) {
		bool stays = name_byte_stays(p[i]);

		if (n + (stays ? 1 : 3) > KEEP_NAME_MAX)
			return -ENAMETOOLONG;
		if (stays) {
			dst[n++] = (char)p[i];
			continue;
		}
		dst[n++] = '%';
		dst[n++] = hex[p[i] >> 4];
		dst[n++] = hex[p[i] & 0xf];
	}
	dst[n] = '\0';
	return 0;
}

/* ------ writing ------ */

static int
write_all(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len > 0) {
		ssize_t n;

		if (fault_hit())
			return -ENOSPC;
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
flush(int fd)
{
	if (fault_hit())
		return -EIO;
	return fsync(fd) < 0 ? -errno : 0;
}

static void
header_put(uint8_t h[KEEP_HEADER_LEN], const void *data, size_t len)
{
	memcpy(h, MAGIC, 8);
	le32_put(h + 8, KEEP_VERSION);
	le32_put(h + 12, (uint32_t)len);
	le32_put(h + 16, keep_crc(0, data, len));
	le32_put(h + 20, keep_crc(0, h, 20));
}

/* the whole file under the name of the successor, flushed */
static int
new_write(int dirfd, const char *name, const void *data, size_t len)
{
	CLEANUP(close_fd) int fd = -1;
	uint8_t h[KEEP_HEADER_LEN];
	int r;

	if (fault_hit())
		return -EMFILE;
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	header_put(h, data, len);
	r = write_all(fd, h, sizeof(h));
	if (r == 0)
		r = write_all(fd, data, len);
	return r == 0 ? flush(fd) : r;
}

int
keep_write(int dirfd, const char *name, const void *data, size_t len)
{
	char temp[KEEP_NAME_MAX + NEW_SUFFIX_LEN + 1];
	int r;

	if (!name_is_good(name))
		return -EINVAL;
	if (len > KEEP_LEN_MAX)
		return -EMSGSIZE;
	name_new(name, temp);
	r = new_write(dirfd, temp, data, len);
	if (r == 0 && fault_hit())
		r = -EIO;
	if (r == 0 && renameat(dirfd, temp, dirfd, name) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dirfd, temp, 0);
		return r;
	}
	return flush(dirfd) < 0 ? -EUCLEAN : 0;
}

int
keep_remove(int dirfd, const char *name)
{
	if (!name_is_good(name))
		return -EINVAL;
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	return flush(dirfd) < 0 ? -EUCLEAN : 0;
}

/* ------ reading ------ */

static int
read_all(int fd, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EBADMSG;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
header_get(const uint8_t h[KEEP_HEADER_LEN], size_t *ret_len)
{
	if (memcmp(h, MAGIC, 8) != 0 || le32_get(h + 20) != keep_crc(0, h, 20))
		return -EBADMSG;
	if (le32_get(h + 8) != KEEP_VERSION)
		return -EPROTO;
	*ret_len = le32_get(h + 12);
	return *ret_len > KEEP_LEN_MAX ? -EBADMSG : 0;
}

int
keep_read(int dirfd, const char *name, void *buf, size_t size, size_t *ret_len)
{
	CLEANUP(close_fd) int fd = -1;
	uint8_t h[KEEP_HEADER_LEN];
	struct stat st;
	size_t len = 0;
	int r;

	if (!name_is_good(name))
		return -EINVAL;
	/* a FIFO must not make us wait */
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	r = read_all(fd, h, sizeof(h));
	if (r == 0)
		r = header_get(h, &len);
	if (r < 0)
		return r;
	if (st.st_size != (off_t)(KEEP_HEADER_LEN + len))
		return -EBADMSG;
	if (len > size)
		return -EMSGSIZE;
	r = read_all(fd, buf, len);
	if (r < 0)
		return r;
	if (keep_crc(0, buf, len) != le32_get(h + 16))
		return -EBADMSG;
	*ret_len = len;
	return 0;
}
