#include "daemon/config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "daemon/config_exports.h"
#include "daemon/config_raw.h"
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
		.log_level = LOG_LEVEL_NOTICE,
	};
}

static void
hba_fini(struct config_hba *hba)
{
	free(hba->driver);
	free(hba->module);
	free(hba->disks);
	free(hba->ports);
	free(hba->expanders);
}

void
config_fini(struct config *c)
{
	for (size_t i = 0; i < c->n_hbas; i++)
		hba_fini(&c->hbas[i]);
	free(c->hbas);
	free(c->socket_path);
	free(c->access);
	free(c->user);
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
	*hba = (struct config_hba){ .driver = strdup(driver) };
	if (hba->driver == NULL)
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

struct reader {
	struct config *config;
	const struct config_raw *raw;
	char *reterr;
};

static int
complain(const struct reader *rd, const char *where, const char *text)
{
	config_raw_complain(rd->raw, where, text, rd->reterr, CONFIG_ERR_LEN);
	return -EINVAL;
}

/* a foreign word inside a sentence of ours */
PRINTF_LIKE(4, 5) static int
complain_word(const struct reader *rd, const char *where, const char *word, const char *fmt,
    ...)
{
	char escaped[128], rest[256], text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(rest, sizeof(rest), fmt, ap);
	va_end(ap);
	(void)text_escape(word, strlen(word), escaped, sizeof(escaped));
	(void)snprintf(text, sizeof(text), "'%s' %s", escaped, rest);
	return complain(rd, where, text);
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
read_number(const struct reader *rd, const struct number *n)
{
	uint64_t value = 0;
	int r;

	if (n->word == NULL)
		return 0;
	r = num_parse_bytes(n->word, n->max, &value);
	if (r == -EINVAL)
		return complain_word(rd, n->where, n->word, "is not a number");
	if (r < 0 || value < n->min)
		return complain_word(rd, n->where, n->word,
		    "is out of range, it can be %llu to %llu", (unsigned long long)n->min,
		    (unsigned long long)n->max);
	if (n->ret_u32 != NULL)
		*n->ret_u32 = (uint32_t)value;
	else
		*n->ret_u64 = value;
	return 0;
}

static int
read_numbers(const struct reader *rd, const struct raw_config *raw)
{
	static const struct raw_limits none;
	const struct raw_limits *lim = raw->limits != NULL ? raw->limits : &none;
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
	};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		int r = read_number(rd, &numbers[i]);

		if (r < 0)
			return r;
	}
	c->loops = loops;
	if (c->client_bytes < c->data_bytes)
		return complain(rd, lim->client_bytes != NULL ? "limits/client_bytes" :
		    "limits/data_bytes",
		    "client_bytes is less than data_bytes: the largest packet could never "
		    "be sent");
	return 0;
}

static int
read_word(char **ret, const char *word)
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
read_mode(const struct reader *rd, const char *word)
{
	unsigned int mode = 0;

	if (word == NULL)
		return 0;
	if (word[0] == '\0' || word[strspn(word, "01234567")] != '\0' || strlen(word) > 5 ||
	    sscanf(word, "%o", &mode) != 1 || mode > 0777)
		return complain_word(rd, "socket/mode", word,
		    "is not a file mode, write it in octal, for instance 0660");
	rd->config->socket_mode = mode;
	return 0;
}

static int
read_socket(const struct reader *rd, const struct raw_socket *raw)
{
	struct config *c = rd->config;
	int r;

	if (raw == NULL)
		return 0;
	if (raw->path != NULL && raw->path[0] != '/')
		return complain_word(rd, "socket/path", raw->path, "is not an absolute path");
	r = read_word(&c->socket_path, raw->path);
	if (r == 0)
		r = read_mode(rd, raw->mode);
	if (r < 0)
		return r;
	if (raw->group != NULL && !config_group_find(raw->group, &c->socket_gid))
		return complain_word(rd, "socket/group", raw->group,
		    "is not a group of this system");
	return 0;
}

/* who a rule is about; @where has room for the key that is wrong */
static int
read_subject(const struct reader *rd, const struct raw_access *raw, const char *item,
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
		return complain(rd, item, "needs exactly one of user, uid, group, gid");

	(void)snprintf(where, sizeof(where), "%s/%s", item, keys[which]);
	ret->is_group = which >= 2;
	if ((which & 1) != 0) {
		if (num_parse_u64(words[which], UINT32_MAX - 1, &id) < 0)
			return complain_word(rd, where, words[which], "is not a numeric id");
		ret->id = (uint32_t)id;
		return 0;
	}
	if (ret->is_group ? !config_group_find(words[which], &ret->id) :
	    !config_user_find(words[which], &ret->id))
		return complain_word(rd, where, words[which], "is not a %s of this system",
		    keys[which]);
	return 0;
}

static int
read_access(const struct reader *rd, const struct raw_config *raw)
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
			return complain(rd, item, "needs a role: none, monitor, io or admin");
		(void)snprintf(where, sizeof(where), "%s/role", item);
		if (!role_parse(raw->access[i].role, &a.role))
			return complain_word(rd, where, raw->access[i].role,
			    "is not a role, there are none, monitor, io and admin");
		r = config_add_access(rd->config, a.is_group, a.id, a.role);
		if (r == -ENOSPC)
			return complain(rd, item, "is one rule more than there can be");
		if (r < 0)
			return r;
	}
	return 0;
}

static int
read_disk(const struct reader *rd, struct config_hba *hba, const char *where, const char *word)
{
	CLEANUP(free_ptr) struct soft_disk_conf *disk = malloc(sizeof(*disk));
	char text[SOFT_ERR_LEN];

	if (disk == NULL)
		return -ENOMEM;
	if (soft_conf_parse(word, disk, text) < 0)
		return complain(rd, where, text);
	return config_add_disk(hba, disk);
}

static int
read_port(const struct reader *rd, struct config_hba *hba, const char *where, const char *word)
{
	struct soft_port_conf port;
	char text[SOFT_ERR_LEN];

	if (soft_port_parse(word, &port, text) < 0)
		return complain(rd, where, text);
	if (hba->n_ports == SOFT_PORTS)
		return complain(rd, where, "is one port more than there can be");
	return config_add_port(hba, &port);
}

static int
read_expander(const struct reader *rd, struct config_hba *hba, const char *where,
    const char *word)
{
	struct soft_expander_conf exp;
	char text[SOFT_ERR_LEN];

	if (soft_expander_parse(word, &exp, text) < 0)
		return complain(rd, where, text);
	return config_add_expander(hba, &exp);
}

/* the lists of a soft HBA: a line each */
static int
read_lines(const struct reader *rd, const struct raw_hba *raw, unsigned int i,
    struct config_hba *hba)
{
	const struct {
		const char *key;
		const char *noun;
		char *const *words;
		unsigned int n;
		int (*read)(const struct reader *rd, struct config_hba *hba, const char *where,
		    const char *word);
	} lists[] = {
		{ "ports", "port", raw->ports, raw->ports_count, read_port },
		{ "disks", "disk", raw->disks, raw->disks_count, read_disk },
		{ "expanders", "expander", raw->expanders, raw->expanders_count, read_expander },
	};
	char where[64], text[64];
	int r = 0;

	for (size_t l = 0; r == 0 && l < ARRAY_LEN(lists); l++)
		for (unsigned int w = 0; r == 0 && w < lists[l].n; w++) {
			(void)snprintf(where, sizeof(where), "hbas/%u/%s/%u", i, lists[l].key, w);
			(void)snprintf(text, sizeof(text), "is empty, it must name %s %s",
			    lists[l].noun[0] == 'e' ? "an" : "a", lists[l].noun);
			r = lists[l].words[w] == NULL ? complain(rd, where, text) :
			    lists[l].read(rd, hba, where, lists[l].words[w]);
		}
	return r;
}

static int
read_dynamic(const struct reader *rd, const struct raw_hba *raw, unsigned int i,
    struct config_hba *hba)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "yes", true }, { "on", true }, { "true", true }, { "1", true },
		{ "no", false }, { "off", false }, { "false", false }, { "0", false },
	};
	char where[64];

	if (raw->dynamic == NULL)
		return 0;
	for (size_t w = 0; w < ARRAY_LEN(words); w++)
		if (strcmp(raw->dynamic, words[w].word) == 0) {
			hba->is_dynamic = words[w].value;
			return 0;
		}
	(void)snprintf(where, sizeof(where), "hbas/%u/dynamic", i);
	return complain_word(rd, where, raw->dynamic, "is neither yes nor no");
}

/* keys that only a soft HBA has */
static int
read_no_lines(const struct reader *rd, const struct raw_hba *raw, unsigned int i)
{
	const struct {
		const char *key;
		bool is_there;
	} keys[] = {
		{ "disks", raw->disks_count > 0 },
		{ "ports", raw->ports_count > 0 },
		{ "expanders", raw->expanders_count > 0 },
		{ "dynamic", raw->dynamic != NULL },
	};
	char where[64];

	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		if (keys[k].is_there) {
			(void)snprintf(where, sizeof(where), "hbas/%u/%s", i, keys[k].key);
			return complain(rd, where, k == 3 ? "is for driver 'soft' only" :
			    "are for driver 'soft' only");
		}
	return 0;
}

/* part of paths, log lines and messages */
static bool
driver_name_is_good(const char *name)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789_-";
	size_t len = strlen(name);

	return len > 0 && len <= CONFIG_DRIVER_MAX && strspn(name, good) == len;
}

static int
read_hba(const struct reader *rd, const struct raw_hba *raw, unsigned int i)
{
	struct config_hba *hba;
	char where[64];
	int r;

	(void)snprintf(where, sizeof(where), "hbas/%u", i);
	if (raw->driver == NULL)
		return complain(rd, where, "needs a driver, for instance 'driver: soft'");
	if (!driver_name_is_good(raw->driver)) {
		(void)snprintf(where, sizeof(where), "hbas/%u/driver", i);
		return complain_word(rd, where, raw->driver, "is not a driver's name: "
		    "1 to %d letters, digits, '_' and '-'", CONFIG_DRIVER_MAX);
	}
	hba = config_add_hba(rd->config, raw->driver);
	if (hba == NULL)
		return complain(rd, where, "is one HBA more than there can be");
	r = read_word(&hba->module, raw->module);
	if (r < 0)
		return r;

	if (strcmp(raw->driver, SOFT_DRIVER) == 0) {
		r = read_lines(rd, raw, i, hba);
		return r < 0 ? r : read_dynamic(rd, raw, i, hba);
	}
	r = read_no_lines(rd, raw, i);
	if (r < 0)
		return r;
	(void)snprintf(where, sizeof(where), "hbas/%u/driver", i);
	if (raw->module == NULL)
		return complain_word(rd, where, raw->driver,
		    "is not a built-in driver, name the file of its module, or use 'soft'");
	return 0;
}

static int
read_rest(const struct reader *rd, const struct raw_config *raw)
{
	struct config *c = rd->config;
	int r;

	if (raw->log != NULL && raw->log->level != NULL &&
	    !log_level_parse(raw->log->level, &c->log_level))
		return complain_word(rd, "log/level", raw->log->level,
		    "is not a level, there are error, warning, notice, info and debug");
	if (raw->state_dir != NULL && raw->state_dir[0] != '/')
		return complain_word(rd, "state_dir", raw->state_dir,
		    "is not an absolute path");
	if (raw->user != NULL) {
		uid_t uid;

		if (!config_user_find(raw->user, &uid))
			return complain_word(rd, "user", raw->user,
			    "is not a user of this system");
	}
	r = read_word(&c->user, raw->user);
	return r < 0 ? r : read_word(&c->state_dir, raw->state_dir);
}

static int
read_all(const struct reader *rd, const struct raw_config *raw)
{
	int r = read_numbers(rd, raw);

	if (r == 0)
		r = read_socket(rd, raw->socket);
	if (r == 0)
		r = read_access(rd, raw);
	if (r == 0)
		r = read_rest(rd, raw);
	for (unsigned int i = 0; r == 0 && i < raw->hbas_count; i++)
		r = read_hba(rd, &raw->hbas[i], i);
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

	r = read_word(&c->path, path);
	if (r == 0)
		r = config_raw_load(path, CONFIG_ADMIN, &raw, reterr, CONFIG_ERR_LEN);
	if (r < 0)
		return r;
	r = read_all(&(struct reader){ c, raw, reterr }, config_raw_get(raw));
	if (r == -ENOMEM)
		(void)snprintf(reterr, CONFIG_ERR_LEN, "%s: out of memory", path);
	config_raw_free(raw);
	return r;
}
