/*
 * daemon/config_raw.h - the configuration file as text in its place
 *
 * What      The form of the file: which keys exist, where, and that values are words. Meaning
 *           is given by config.c, which names a place in the file by the way to it:
 *           config_raw_complain().
 * Owner     The reader owns the raw tree until config_raw_free().
 * Thread    One.
 */
#ifndef DAEMON_CONFIG_RAW_H
#define DAEMON_CONFIG_RAW_H

#include <stddef.h>

#include "base/compiler.h"

/* every word is NULL when the file does not have it */
struct raw_hba {
	char *driver;
	char *module;
	char **disks;
	unsigned int disks_count;
	char **ports;
	unsigned int ports_count;
	char **expanders;
	unsigned int expanders_count;
	char *dynamic;
};

struct raw_access {
	char *user, *uid, *group, *gid;
	char *role;
};

struct raw_socket {
	char *path, *mode, *group;
};

struct raw_limits {
	char *connections, *connections_per_uid, *requests, *data_bytes, *client_bytes;
	char *unsent_bytes, *handles;
};

struct raw_log {
	char *level;
};

struct raw_config {
	struct raw_hba *hbas;
	unsigned int hbas_count;
	struct raw_socket *socket;
	struct raw_access *access;
	unsigned int access_count;
	struct raw_limits *limits;
	struct raw_log *log;
	char *loops, *busy_poll_us, *drain_ms, *user, *state_dir;
};

struct config_raw;

/**
 * config_raw_load() - read and judge the form
 *
 * @reterr   @size bytes: "path:line:column: text"
 *
 * Returns:  0, -EINVAL (@reterr), -errno of reading the file (@reterr)
 */
int config_raw_load(const char *path, struct config_raw **ret_raw, char *reterr, size_t size)
    MUST_CHECK;
void config_raw_free(struct config_raw *raw);

/* config_raw_get() - the tree; empty when the file is */
const struct raw_config *config_raw_get(const struct config_raw *raw);

/**
 * config_raw_complain() - "path:line:column: text" of a place in the file
 *
 * @where    the way there from the top: keys and indices separated by '/', "hbas/0/disks/1";
 *           as far as it exists
 */
void config_raw_complain(const struct config_raw *raw, const char *where, const char *text,
    char *reterr, size_t size);

#endif /* DAEMON_CONFIG_RAW_H */
