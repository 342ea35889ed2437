/* one line that names a target */
#include "hw/iscsi/iscsi_hba.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/num.h"
#include "base/text.h"

#define SCHEME		"iscsi://"
#define PORT_DEFAULT	":3260"
#define LINE_MAX_LEN	2048
#define MS_PER_S	1000u

#define DEPTH_DEFAULT	64
#define LOGIN_DEFAULT	15000
#define GRACE_DEFAULT	30000
#define RETRY_DEFAULT	30000
#define PING_DEFAULT	10000
#define TASK_DEFAULT	10000
#define TIME_MAX_S	86400

static const char name_good[] = "abcdefghijklmnopqrstuvwxyz0123456789.:-_";

static int
conf_error(int err, char *reterr, const char *fmt, ...) PRINTF_LIKE(3, 4);

static int
conf_error(int err, char *reterr, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(reterr, ISCSI_HBA_ERR_LEN, fmt, ap);
	va_end(ap);
	return err;
}

void
iscsi_hba_target_init(struct iscsi_hba_target *target)
{
	*target = (struct iscsi_hba_target){
		.header_digest = ISCSI_HBA_DIGEST_NONE,
		.depth = DEPTH_DEFAULT,
		.login_ms = LOGIN_DEFAULT,
		.grace_ms = GRACE_DEFAULT,
		.retry_ms = RETRY_DEFAULT,
		.ping_ms = PING_DEFAULT,
		.task_ms = TASK_DEFAULT,
	};
}

void
iscsi_hba_target_wipe(struct iscsi_hba_target *target)
{
	explicit_bzero(&target->chap.secret, sizeof(target->chap.secret));
	explicit_bzero(&target->mutual.secret, sizeof(target->mutual.secret));
}

int
iscsi_hba_name_check(const char *name, char *reterr)
{
	size_t len = strlen(name);

	if (len >= ISCSI_HBA_NAME_LEN)
		return conf_error(-EINVAL, reterr, "'%.40s...' is longer than %d bytes", name,
		    ISCSI_HBA_NAME_LEN - 1);
	if (len > 4 && strspn(name, name_good) == len && (strncmp(name, "iqn.", 4) == 0 ||
	    strncmp(name, "eui.", 4) == 0 || strncmp(name, "naa.", 4) == 0))
		return 0;
	return conf_error(-EINVAL, reterr, "'%.230s' is no iSCSI name: iqn., eui. or naa., then "
	    "lower case letters, digits and . : -", name);
}

/*
 * Secrets.
 */

static int
secret_open(const char *path, char *reterr)
{
	int fd = fault_hit() ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int err = fd < 0 ? errno : 0;

	if (fd >= 0 && fstat(fd, &st) < 0)
		err = errno;
	if (err == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IRWXO) == 0)
		return fd;
	close_fd(&fd);
	if (err != 0)
		return conf_error(-err, reterr, "secret file '%.200s' cannot be read: %s", path,
		    strerror(err));
	return conf_error(-EINVAL, reterr, S_ISREG(st.st_mode) ?
	    "secret file '%.200s' is open to everybody: chmod o= it" : "'%.200s' is no file",
	    path);
}

static int
secret_read(const char *path, char secret[ISCSI_HBA_SECRET_MAX + 1], char *reterr)
{
	CLEANUP(close_fd) int fd = secret_open(path, reterr);
	char bytes[ISCSI_HBA_SECRET_MAX + 3];
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, bytes, sizeof(bytes));
	if (n < 0)
		return conf_error(-errno, reterr, "secret file '%.200s' cannot be read: %s",
		    path, strerror(errno));
	if (n > 0 && bytes[n - 1] == '\n')
		n--;
	if (n > 0 && bytes[n - 1] == '\r')
		n--;
	if (n >= ISCSI_HBA_SECRET_MIN && n <= ISCSI_HBA_SECRET_MAX &&
	    memchr(bytes, '\0', (size_t)n) == NULL) {
		memcpy(secret, bytes, (size_t)n);
		secret[n] = '\0';
	}
	explicit_bzero(bytes, sizeof(bytes));
	return secret[0] != '\0' ? 0 : conf_error(-EINVAL, reterr, "secret file '%.200s': a "
	    "secret has %d to %d bytes, none of them NUL", path, ISCSI_HBA_SECRET_MIN,
	    ISCSI_HBA_SECRET_MAX);
}

/*
 * Options.
 */

struct option_of {
	const char *key;
	int (*take)(void *member, const char *key, const char *value, char *reterr);
	size_t offset;
};

static int
take_user(void *member, const char *key, const char *value, char *reterr)
{
	if (value[0] != '\0' && text_copy(member, ISCSI_HBA_USER_LEN, value))
		return 0;
	return conf_error(-EINVAL, reterr, "%s= needs a name of 1 to %d bytes", key,
	    ISCSI_HBA_USER_LEN - 1);
}

static int
take_secret(void *member, const char *key, const char *value, char *reterr)
{
	(void)key;
	return secret_read(value, member, reterr);
}

static int
take_digest(void *member, const char *key, const char *value, char *reterr)
{
	static const char *const words[ISCSI_HBA_DIGEST_N] = {
		[ISCSI_HBA_DIGEST_NONE] = "none",
		[ISCSI_HBA_DIGEST_PREFER] = "prefer",
		[ISCSI_HBA_DIGEST_CRC32C] = "crc32c",
	};
	enum iscsi_hba_digest *digest = member;

	for (unsigned int i = 0; i < ISCSI_HBA_DIGEST_N; i++) {
		if (strcmp(value, words[i]) == 0) {
			*digest = i;
			return 0;
		}
	}
	return conf_error(-EINVAL, reterr, "%s=%.40s: there are none, prefer and crc32c", key,
	    value);
}

static int
take_no_digest(void *member, const char *key, const char *value, char *reterr)
{
	(void)member;
	if (strcmp(value, "none") == 0)
		return 0;
	return conf_error(-EINVAL, reterr, "%s=%.40s: the iSCSI library can do none only", key,
	    value);
}

static int
take_depth(void *member, const char *key, const char *value, char *reterr)
{
	uint32_t *depth = member;
	uint64_t n;

	if (num_parse_u64(value, ISCSI_HBA_DEPTH_MAX, &n) < 0 || n == 0)
		return conf_error(-EINVAL, reterr, "%s=%.40s: a number from 1 to %d", key,
		    value, ISCSI_HBA_DEPTH_MAX);
	*depth = (uint32_t)n;
	return 0;
}

static int
take_time(void *member, const char *key, const char *value, char *reterr)
{
	size_t digits = strspn(value, "0123456789");
	bool is_ms = strcmp(value + digits, "ms") == 0;
	uint32_t *ms = member;
	char number[16];
	uint64_t n;

	if (digits < sizeof(number) && (is_ms || value[digits] == '\0')) {
		memcpy(number, value, digits);
		number[digits] = '\0';
		if (num_parse_u64(number, (uint64_t)TIME_MAX_S * (is_ms ? MS_PER_S : 1), &n) ==
		    0) {
			*ms = (uint32_t)(is_ms ? n : n * MS_PER_S);
			return 0;
		}
	}
	return conf_error(-EINVAL, reterr, "%s=%.40s: a time in seconds, or in milliseconds with "
	    "ms behind, up to a day", key, value);
}

static const struct option_of options[] = {
	{ "user", take_user, offsetof(struct iscsi_hba_target, chap.user) },
	{ "secret_file", take_secret, offsetof(struct iscsi_hba_target, chap.secret) },
	{ "mutual_user", take_user, offsetof(struct iscsi_hba_target, mutual.user) },
	{ "mutual_secret_file", take_secret,
	    offsetof(struct iscsi_hba_target, mutual.secret) },
	{ "header_digest", take_digest, offsetof(struct iscsi_hba_target, header_digest) },
	{ "data_digest", take_no_digest, 0 },
	{ "depth", take_depth, offsetof(struct iscsi_hba_target, depth) },
	{ "login", take_time, offsetof(struct iscsi_hba_target, login_ms) },
	{ "grace", take_time, offsetof(struct iscsi_hba_target, grace_ms) },
	{ "retry", take_time, offsetof(struct iscsi_hba_target, retry_ms) },
	{ "ping", take_time, offsetof(struct iscsi_hba_target, ping_ms) },
	{ "task", take_time, offsetof(struct iscsi_hba_target, task_ms) },
};

static int
take_option(struct iscsi_hba_target *target, char *word, unsigned int *seen, char *reterr)
{
	char *value = strchr(word, '=');

	if (value == NULL)
		return conf_error(-EINVAL, reterr, "'%.80s' is not KEY=VALUE", word);
	*value++ = '\0';
	for (unsigned int i = 0; i < ARRAY_LEN(options); i++) {
		if (strcmp(word, options[i].key) != 0)
			continue;
		if ((*seen & 1u << i) != 0)
			return conf_error(-EINVAL, reterr, "%s= is there twice", word);
		*seen |= 1u << i;
		return options[i].take((char *)target + options[i].offset, word, value, reterr);
	}
	return conf_error(-EINVAL, reterr, "'%.80s' is no option: there are user, secret_file, "
	    "mutual_user, mutual_secret_file, header_digest, data_digest, depth, login, grace, "
	    "retry, ping and task", word);
}

/*
 * The address.
 */

static bool
port_is_good(const char *text)
{
	uint64_t n;

	return num_parse_u64(text, 65535, &n) == 0 && n > 0;
}

/* "host", "host:port", "[v6]", "[v6]:port" into the portal, with a port in any case */
static int
take_portal(struct iscsi_hba_target *target, const char *text, char *reterr)
{
	const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
	const char *port = end != NULL ? (end[1] == '\0' ? NULL : end + 1) : strchr(text, ':');
	bool is_good = text[0] != '\0' && text[0] != ':' && (text[0] != '[' || end > text + 1);

	if (port != NULL)
		is_good = is_good && port[0] == ':' && port_is_good(port + 1);
	if (!is_good || strpbrk(text, " \t%,/") != NULL)
		return conf_error(-EINVAL, reterr, "'%.100s' is not HOST[:PORT]; an IPv6 address "
		    "stands in []", text);
	if ((size_t)snprintf(target->portal, sizeof(target->portal), "%s%s", text,
	    port == NULL ? PORT_DEFAULT : "") >= sizeof(target->portal))
		return conf_error(-EINVAL, reterr, "'%.60s...' is too long", text);
	return 0;
}

static int
take_url(struct iscsi_hba_target *target, char *url, char *reterr)
{
	char *name;
	int r;

	if (strncmp(url, SCHEME, strlen(SCHEME)) != 0)
		return conf_error(-EINVAL, reterr, "'%.100s' does not begin with " SCHEME, url);
	url += strlen(SCHEME);
	if (strchr(url, '@') != NULL)
		return conf_error(-EINVAL, reterr, "a user in the URL: say user= and "
		    "secret_file= behind it");
	name = strchr(url, '/');
	if (name == NULL)
		return conf_error(-EINVAL, reterr, "'%.100s' names no target: " SCHEME
		    "HOST[:PORT]/NAME", url);
	*name++ = '\0';
	if (strchr(name, '/') != NULL)
		return conf_error(-EINVAL, reterr, "'%.200s': all units of a target are served, "
		    "a LUN is not named", name);
	r = iscsi_hba_name_check(name, reterr);
	if (r < 0)
		return r;
	(void)text_copy(target->name, sizeof(target->name), name);
	return take_portal(target, url, reterr);
}

/* no pause and no patience at all: what for? */
static int
check_times(const struct iscsi_hba_target *target, char *reterr)
{
	if (target->login_ms != 0 && target->retry_ms != 0 && target->task_ms != 0)
		return 0;
	return conf_error(-EINVAL, reterr, "only grace= and ping= can be 0");
}

static int
check_chap(const struct iscsi_hba_target *target, char *reterr)
{
	const struct iscsi_hba_chap *chap = &target->chap, *mutual = &target->mutual;

	if ((chap->user[0] == '\0') != (chap->secret[0] == '\0'))
		return conf_error(-EINVAL, reterr, "user= and secret_file= belong together");
	if ((mutual->user[0] == '\0') != (mutual->secret[0] == '\0'))
		return conf_error(-EINVAL, reterr, "mutual_user= and mutual_secret_file= belong "
		    "together");
	if (mutual->user[0] != '\0' && chap->user[0] == '\0')
		return conf_error(-EINVAL, reterr, "mutual_user= needs user=: a target proves "
		    "itself to those only who have done so");
	if (mutual->user[0] != '\0' && strcmp(mutual->secret, chap->secret) == 0)
		return conf_error(-EINVAL, reterr, "both secrets are the same: each side needs "
		    "its own");
	return 0;
}

static int
target_parse(struct iscsi_hba_target *target, char *line, char *reterr)
{
	unsigned int seen = 0;
	char *rest = line;
	int r = take_url(target, strsep(&rest, ","), reterr);

	while (r == 0 && rest != NULL)
		r = take_option(target, strsep(&rest, ","), &seen, reterr);
	if (r == 0)
		r = check_times(target, reterr);
	return r < 0 ? r : check_chap(target, reterr);
}

int
iscsi_hba_target_parse(const char *text, struct iscsi_hba_target *ret, char *reterr)
{
	struct iscsi_hba_target target;
	char line[LINE_MAX_LEN];
	int r;

	if (!text_copy(line, sizeof(line), text))
		return conf_error(-EINVAL, reterr, "'%.60s...' is too long", text);
	iscsi_hba_target_init(&target);
	r = target_parse(&target, line, reterr);
	if (r == 0)
		*ret = target;
	iscsi_hba_target_wipe(&target);
	return r;
}
