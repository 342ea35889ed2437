#include "daemon/config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "daemon/config_exports.h"
#include "daemon/config_impl.h"
#include "daemon/isns.h"
#include "daemon/loop.h"
#include "proto/limits.h"

#define ID_BUF_LEN	16384	/* getgrnam_r: a group with many members needs room */

static const struct {
	const char *name;
	Scsad__Role role;
} roles[] = {
	{ "none", SCSAD__ROLE__ROLE_NONE },
	{ "monitor", SCSAD__ROLE__ROLE_MONITOR },
	{ "io", SCSAD__ROLE__ROLE_IO },
	{ "admin", SCSAD__ROLE__ROLE_ADMIN },
};

bool
role_parse(const char *name, Scsad__Role *ret_role)
{
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		if (strcmp(name, roles[i].name) == 0) {
			*ret_role = roles[i].role;
			return true;
		}
	return false;
}

const char *
role_name(Scsad__Role role)
{
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		if (role == roles[i].role)
			return roles[i].name;
	return "unknown";
}

void
config_init(struct config *c)
{
	*c = (struct config){
		.socket_mode = 0660,
		.socket_gid = (gid_t)-1,
		.connections = 1024,
		.connections_per_uid = 64,
		.requests = PROTO_REQUESTS_DEFAULT,
		.data_bytes = PROTO_DATA_DEFAULT,
		.client_bytes = 64u << 20,
		.unsent_bytes = 1u << 20,
		.handles = PROTO_HANDLES_DEFAULT,
		.drain_ms = 5000,
		.isns_period_s = ISNS_PERIOD_DEFAULT_S,
		.log_level = LOG_LEVEL_NOTICE,
	};
}

void
config_fini(struct config *c)
{
	for (size_t i = 0; i < c->n_hbas; i++)
		config_hba_fini(&c->hbas[i]);
	free(c->hbas);
	free(c->socket_path);
	free(c->access);
	free(c->user);
	free(c->isns_server);
	free(c->isns_entity);
	free(c->state_dir);
	free(c->demo_dir);
	free(c->path);
	free(c->export_target);
	ex_set_unref(c->exports);
	config_init(c);
}

struct config_hba *
config_add_hba(struct config *c, const char *driver)
{
	struct config_hba *hba;

	if (c->n_hbas == CONFIG_HBAS_MAX)
		return NULL;
	hba = reallocarray(c->hbas, c->n_hbas + 1, sizeof(*hba));
	if (hba == NULL)
		return NULL;
	c->hbas = hba;
	hba += c->n_hbas;
	*hba = (struct config_hba){ .driver = driver == NULL ? NULL : strdup(driver) };
	if (driver != NULL && hba->driver == NULL)
		return NULL;
	c->n_hbas++;
	return hba;
}

int
config_add_disk(struct config_hba *hba, const struct soft_disk_conf *disk)
{
	struct soft_disk_conf *disks;

	disks = reallocarray(hba->disks, hba->n_disks + 1, sizeof(*disks));
	if (disks == NULL)
		return -ENOMEM;
	hba->disks = disks;
	disks[hba->n_disks++] = *disk;
	return 0;
}

int
config_add_port(struct config_hba *hba, const struct soft_port_conf *port)
{
	struct soft_port_conf *ports;

	ports = reallocarray(hba->ports, hba->n_ports + 1, sizeof(*ports));
	if (ports == NULL)
		return -ENOMEM;
	hba->ports = ports;
	ports[hba->n_ports++] = *port;
	return 0;
}

int
config_add_expander(struct config_hba *hba, const struct soft_expander_conf *exp)
{
	struct soft_expander_conf *expanders;

	expanders = reallocarray(hba->expanders, hba->n_expanders + 1, sizeof(*expanders));
	if (expanders == NULL)
		return -ENOMEM;
	hba->expanders = expanders;
	expanders[hba->n_expanders++] = *exp;
	return 0;
}

int
config_add_access(struct config *c, bool is_group, uint32_t id, Scsad__Role role)
{
	struct config_access *access;

	if (c->n_access == CONFIG_ACCESS_MAX)
		return -ENOSPC;
	access = reallocarray(c->access, c->n_access + 1, sizeof(*access));
	if (access == NULL)
		return -ENOMEM;
	c->access = access;
	access[c->n_access++] = (struct config_access){ is_group, id, role };
	return 0;
}

/* ------ meaning ------ */

int
config_complain(const struct config_reader *rd, const char *where, const char *text)
{
	config_raw_complain(rd->raw, where, text, rd->reterr, CONFIG_ERR_LEN);
	return -EINVAL;
}

int
config_complain_word(const struct config_reader *rd, const char *where, const char *word,
    const char *fmt, ...)
{
	char escaped[128], rest[256], text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(rest, sizeof(rest), fmt, ap);
	va_end(ap);
	(void)text_escape(word, strlen(word), escaped, sizeof(escaped));
	(void)snprintf(text, sizeof(text), "'%s' %s", escaped, rest);
	return config_complain(rd, where, text);
}

/* one number of the file; @word NULL leaves the default */
struct number {
	const char *where;
	const char *word;
	uint64_t min, max;
	uint32_t *ret_u32;
	uint64_t *ret_u64;
};

static int
read_number(const struct config_reader *rd, const struct number *n)
{
	uint64_t value = 0;
	int r;

	if (n->word == NULL)
		return 0;
	r = num_parse_bytes(n->word, n->max, &value);
	if (r == -EINVAL)
		return config_complain_word(rd, n->where, n->word, "is not a number");
	if (r < 0 || value < n->min)
		return config_complain_word(rd, n->where, n->word,
		    "is out of range, it can be %llu to %llu", (unsigned long long)n->min,
		    (unsigned long long)n->max);
	if (n->ret_u32 != NULL)
		*n->ret_u32 = (uint32_t)value;
	else
		*n->ret_u64 = value;
	return 0;
}

static int
read_numbers(const struct config_reader *rd, const struct raw_config *raw)
{
	static const struct raw_limits none;
	static const struct raw_isns no_isns;
	const struct raw_limits *lim = raw->limits != NULL ? raw->limits : &none;
	const struct raw_isns *isns = raw->isns != NULL ? raw->isns : &no_isns;
	struct config *c = rd->config;
	uint32_t loops = c->loops;
	const struct number numbers[] = {
		{ "limits/connections", lim->connections, 1, 65536, &c->connections, NULL },
		{ "limits/connections_per_uid", lim->connections_per_uid, 1, 65536,
		    &c->connections_per_uid, NULL },
		{ "limits/requests", lim->requests, 1, PROTO_REQUESTS_MAX, &c->requests, NULL },
		{ "limits/data_bytes", lim->data_bytes, 4096, PROTO_DATA_MAX, &c->data_bytes,
		    NULL },
		{ "limits/client_bytes", lim->client_bytes, 1u << 20, 1ull << 32, NULL,
		    &c->client_bytes },
		{ "limits/unsent_bytes", lim->unsent_bytes, 65536, 1u << 30, &c->unsent_bytes,
		    NULL },
		{ "limits/handles", lim->handles, 1, PROTO_HANDLES_MAX, &c->handles, NULL },
		{ "loops", raw->loops, 1, LOOP_MAX, &loops, NULL },
		{ "busy_poll_us", raw->busy_poll_us, 0, 1000, &c->busy_poll_us, NULL },
		{ "drain_ms", raw->drain_ms, 0, 600000, &c->drain_ms, NULL },
		{ "isns/period_s", isns->period_s, ISNS_PERIOD_MIN_S, ISNS_PERIOD_MAX_S,
		    &c->isns_period_s, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		int r = read_number(rd, &numbers[i]);

		if (r < 0)
			return r;
	}
	c->loops = loops;
	if (c->client_bytes < c->data_bytes)
		return config_complain(rd, lim->client_bytes != NULL ? "limits/client_bytes" :
		    "limits/data_bytes",
		    "client_bytes is less than data_bytes: the largest packet could never "
		    "be sent");
	return 0;
}

int
config_read_word(char **ret, const char *word)
{
	char *copy;

	if (word == NULL)
		return 0;
	copy = strdup(word);
	if (copy == NULL)
		return -ENOMEM;
	free(*ret);
	*ret = copy;
	return 0;
}

bool
config_group_find(const char *name, gid_t *ret_gid)
{
	char buf[ID_BUF_LEN];
	struct group group, *found = NULL;

	if (getgrnam_r(name, &group, buf, sizeof(buf), &found) != 0 || found == NULL)
		return false;
	*ret_gid = found->gr_gid;
	return true;
}

bool
config_user_find(const char *name, uid_t *ret_uid)
{
	char buf[ID_BUF_LEN];
	struct passwd passwd, *found = NULL;

	if (getpwnam_r(name, &passwd, buf, sizeof(buf), &found) != 0 || found == NULL)
		return false;
	*ret_uid = found->pw_uid;
	return true;
}

static int
read_mode(const struct config_reader *rd, const char *word)
{
	unsigned int mode = 0;

	if (word == NULL)
		return 0;
	if (word[0] == '\0' || word[strspn(word, "01234567")] != '\0' || strlen(word) > 5 ||
	    sscanf(word, "%o", &mode) != 1 || mode > 0777)
		return config_complain_word(rd, "socket/mode", word,
		    "is not a file mode, write it in octal, for instance 0660");
	rd->config->socket_mode = mode;
	return 0;
}

static int
read_socket(const struct config_reader *rd, const struct raw_socket *raw)
{
	struct config *c = rd->config;
	int r;

	if (raw == NULL)
		return 0;
	if (raw->path != NULL && raw->path[0] != '/')
		return config_complain_word(rd, "socket/path", raw->path, "is not an absolute path");
	r = config_read_word(&c->socket_path, raw->path);
	if (r == 0)
		r = read_mode(rd, raw->mode);
	if (r < 0)
		return r;
	if (raw->group != NULL && !config_group_find(raw->group, &c->socket_gid))
		return config_complain_word(rd, "socket/group", raw->group,
		    "is not a group of this system");
	return 0;
}

/* what goes over the wire as a name of ours */
static bool
entity_is_good(const char *entity)
{
	size_t len = strlen(entity);

	for (size_t i = 0; i < len; i++)
		if (entity[i] <= ' ' || entity[i] > '~')
			return false;
	return len > 0 && len <= ISNS_TEXT_MAX;
}

static int
read_isns(const struct config_reader *rd, const struct raw_isns *raw)
{
	struct config *c = rd->config;
	int r;

	if (raw == NULL)
		return 0;
	if (raw->server == NULL)
		return config_complain(rd, "isns", "names no server");
	if (!isns_server_check(raw->server))
		return config_complain_word(rd, "isns/server", raw->server, "is no name server, "
		    "write a name or an address, and a port if it is not %u: isns.example, "
		    "192.0.2.1:3205, [2001:db8::1]:3205", ISNS_PORT);
	if (raw->entity != NULL && !entity_is_good(raw->entity))
		return config_complain_word(rd, "isns/entity", raw->entity, "can be no name of an "
		    "entity, write 1 to %u printable characters without blanks", ISNS_TEXT_MAX);
	r = config_read_word(&c->isns_server, raw->server);
	return r < 0 ? r : config_read_word(&c->isns_entity, raw->entity);
}

/* who a rule is about; @where has room for the key that is wrong */
static int
read_subject(const struct config_reader *rd, const struct raw_access *raw, const char *item,
    struct config_access *ret)
{
	const char *words[] = { raw->user, raw->uid, raw->group, raw->gid };
	static const char *const keys[] = { "user", "uid", "group", "gid" };
	char where[64];
	uint64_t id = 0;
	size_t n = 0, which = 0;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i] != NULL) {
			which = i;
			n++;
		}
	if (n != 1)
		return config_complain(rd, item, "needs exactly one of user, uid, group, gid");

	(void)snprintf(where, sizeof(where), "%s/%s", item, keys[which]);
	ret->is_group = which >= 2;
	if ((which & 1) != 0) {
		if (num_parse_u64(words[which], UINT32_MAX - 1, &id) < 0)
			return config_complain_word(rd, where, words[which], "is not a numeric id");
		ret->id = (uint32_t)id;
		return 0;
	}
	if (ret->is_group ? !config_group_find(words[which], &ret->id) :
	    !config_user_find(words[which], &ret->id))
		return config_complain_word(rd, where, words[which], "is not a %s of this system",
		    keys[which]);
	return 0;
}

static int
read_access(const struct config_reader *rd, const struct raw_config *raw)
{
	for (unsigned int i = 0; i < raw->access_count; i++) {
		struct config_access a = { 0 };
		char item[32], where[48];
		int r;

		(void)snprintf(item, sizeof(item), "access/%u", i);
		r = read_subject(rd, &raw->access[i], item, &a);
		if (r < 0)
			return r;
		if (raw->access[i].role == NULL)
			return config_complain(rd, item, "needs a role: none, monitor, io or admin");
		(void)snprintf(where, sizeof(where), "%s/role", item);
		if (!role_parse(raw->access[i].role, &a.role))
			return config_complain_word(rd, where, raw->access[i].role,
			    "is not a role, there are none, monitor, io and admin");
		r = config_add_access(rd->config, a.is_group, a.id, a.role);
		if (r == -ENOSPC)
			return config_complain(rd, item, "is one rule more than there can be");
		if (r < 0)
			return r;
	}
	return 0;
}

static int
read_rest(const struct config_reader *rd, const struct raw_config *raw)
{
	struct config *c = rd->config;
	int r;

	if (raw->log != NULL && raw->log->level != NULL &&
	    !log_level_parse(raw->log->level, &c->log_level))
		return config_complain_word(rd, "log/level", raw->log->level,
		    "is not a level, there are error, warning, notice, info and debug");
	if (raw->seccomp != NULL && !sandbox_mode_parse(raw->seccomp, &c->seccomp))
		return config_complain_word(rd, "seccomp", raw->seccomp,
		    "is neither off, log nor enforce");
	if (raw->state_dir != NULL && raw->state_dir[0] != '/')
		return config_complain_word(rd, "state_dir", raw->state_dir,
		    "is not an absolute path");
	if (raw->user != NULL) {
		uid_t uid;

		if (!config_user_find(raw->user, &uid))
			return config_complain_word(rd, "user", raw->user,
			    "is not a user of this system");
	}
	r = config_read_word(&c->user, raw->user);
	return r < 0 ? r : config_read_word(&c->state_dir, raw->state_dir);
}

static int
read_all(const struct config_reader *rd, const struct raw_config *raw)
{
	int r = read_numbers(rd, raw);

	if (r == 0)
		r = read_socket(rd, raw->socket);
	if (r == 0)
		r = read_isns(rd, raw->isns);
	if (r == 0)
		r = read_access(rd, raw);
	if (r == 0)
		r = read_rest(rd, raw);
	for (unsigned int i = 0; r == 0 && i < raw->hbas_count; i++)
		r = config_read_hba(rd, i);
	return r < 0 ? r : config_exports_load(rd->raw, rd->config, rd->reterr);
}

const char *
config_state_dir(const struct config *c, char *buf)
{
	const char *env = getenv("STATE_DIRECTORY");
	size_t len = env == NULL ? 0 : strcspn(env, ":");

	if (c->state_dir != NULL)
		return c->state_dir;
	if (len == 0 || len >= PATH_MAX)
		return NULL;
	memcpy(buf, env, len);
	buf[len] = '\0';
	return buf;
}

int
config_load(struct config *c, const char *path, char *reterr)
{
	struct config_raw *raw;
	int r;

	r = config_read_word(&c->path, path);
	if (r == 0)
		r = config_raw_load(path, CONFIG_ADMIN, &raw, reterr, CONFIG_ERR_LEN);
	if (r < 0)
		return r;
	r = read_all(&(struct config_reader){ c, raw, reterr }, config_raw_get(raw));
	if (r == -ENOMEM)
		(void)snprintf(reterr, CONFIG_ERR_LEN, "%s: out of memory", path);
	config_raw_free(raw);
	return r;
}
