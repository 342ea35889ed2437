#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/text.h"
#include "daemon/ex_impl.h"

void
ex_secret_wipe(struct ex_secret *secret)
{
	explicit_bzero(secret, sizeof(*secret));
}

bool
ex_secret_same(const struct ex_secret *a, const struct ex_secret *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

int
ex_secret_check(const struct ex_secret *secret, char *reterr)
{
	if (secret->len >= EX_SECRET_MIN && secret->len <= EX_SECRET_MAX)
		return 0;
	(void)snprintf(reterr, EX_ERR_LEN - 8, "a secret must have %d to %d bytes; "
	    "make one, for instance by: openssl rand -hex 16", EX_SECRET_MIN, EX_SECRET_MAX);
	return -EINVAL;
}

static int
secret_open(const char *path, char *reterr)
{
	const char *shown = ex_shown(path);
	int fd = fault_hit() ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int err = fd < 0 ? errno : 0;

	if (fd >= 0 && fstat(fd, &st) < 0)
		err = errno;
	if (err != 0)
		(void)snprintf(reterr, EX_ERR_LEN - 8, "'%s' cannot be read: %s", shown,
		    strerror(err));
	else if (!S_ISREG(st.st_mode))
		(void)snprintf(reterr, EX_ERR_LEN - 8, "'%s' is no file", shown);
	else if ((st.st_mode & S_IRWXO) != 0)
		(void)snprintf(reterr, EX_ERR_LEN - 8,
		    "'%s' is open to everybody: chmod o= it", shown);
	else
		return fd;
	close_fd(&fd);
	return err != 0 ? -err : -EINVAL;
}

/* "$CREDENTIALS_DIRECTORY/NAME" */
static int
credential_path(const char *name, char **ret, char *reterr)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (dir == NULL || strchr(name, '/') != NULL || name[0] == '.' || name[0] == '\0') {
		(void)snprintf(reterr, EX_ERR_LEN - 8, "there is no credential '%s': the unit "
		    "of the service needs LoadCredential=", ex_shown(name));
		return -ENOENT;
	}
	return asprintf(ret, "%s/%s", dir, name) < 0 ? -ENOMEM : 0;
}

int
ex_secret_read(const char *file, const char *credential, struct ex_secret *ret, char *reterr)
{
	CLEANUP(free_ptr) char *path = NULL;
	CLEANUP(close_fd) int fd = -1;
	char bytes[EX_SECRET_MAX + 3];
	ssize_t n;
	int r;

	if (file == NULL) {
		r = credential_path(credential, &path, reterr);
		if (r < 0)
			return r;
		file = path;
	}
	fd = secret_open(file, reterr);
	if (fd < 0)
		return fd;
	n = read(fd, bytes, sizeof(bytes));
	if (n < 0) {
		r = -errno;
		(void)snprintf(reterr, EX_ERR_LEN - 8, "'%s' cannot be read: %s",
		    ex_shown(file), strerror(-r));
		return r;
	}
	if (n > 0 && bytes[n - 1] == '\n')
		n--;
	if (n > 0 && bytes[n - 1] == '\r')
		n--;
	ret->len = n > EX_SECRET_MAX ? EX_SECRET_MAX + 1 : (uint16_t)n;
	memcpy(ret->bytes, bytes, ret->len);
	explicit_bzero(bytes, sizeof(bytes));
	return ex_secret_check(ret, reterr);
}
