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
#include "daemon/ex_words.h"
#include "daemon/exports.h"
#include "daemon/hba_words.h"

#define RAW_WORD(T, key)	char *key;
#define RAW_LIST(T, key)	char **key; unsigned int key##_count;

/* every word is NULL when the file does not have it */
struct raw_hba {
	HBA_WORDS(RAW_WORD, RAW_LIST, )
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

struct raw_isns {
	char *server, *entity, *period_s;
};

/* what is exported to whom: struct raw_portal, struct raw_target ... */
#define RAW_STRUCT(kind, one, many, words)	struct raw_##one { words(RAW_WORD, RAW_LIST, ) };
EX_LISTS(RAW_STRUCT)
EX_MAPPINGS(RAW_STRUCT)
EX_OWN_LISTS(RAW_STRUCT)

#define RAW_MANY(kind, one, many, words)	struct raw_##one *many; unsigned int many##_count;
#define RAW_ONE(kind, one, many, words)		struct raw_##one *many;

struct raw_config {
	struct raw_hba *hbas;
	unsigned int hbas_count;
	struct raw_socket *socket;
	struct raw_access *access;
	unsigned int access_count;
	struct raw_limits *limits;
	struct raw_log *log;
	struct raw_isns *isns;
	char *loops, *busy_poll_us, *drain_ms, *user, *seccomp, *state_dir;
	EX_LISTS(RAW_MANY)
	EX_MAPPINGS(RAW_ONE)
	EX_OWN_LISTS(RAW_MANY)
	char *generation;		/* of the daemon's own file */
};

/* who writes the file, and which keys it has therefore */
enum config_writer { CONFIG_ADMIN, CONFIG_DAEMON };

struct config_raw;

/**
 * config_raw_load() - read and judge the form
 *
 * @reterr   @size bytes: "path:line:column: text"
 *
 * Returns:  0, -EINVAL (@reterr), -errno of reading the file (@reterr)
 */
int config_raw_load(const char *path, enum config_writer writer, struct config_raw **ret_raw,
    char *reterr, size_t size) MUST_CHECK;
void config_raw_free(struct config_raw *raw);

/* config_raw_get() - the tree; empty when the file is */
const struct raw_config *config_raw_get(const struct config_raw *raw);

/* config_raw_objects() - how many objects of a kind the file has */
size_t config_raw_objects(const struct config_raw *raw, enum ex_kind kind);

/* a string of the file as a setting of an object: room for the value of a word */
struct raw_setting {
	const char *one;
};

/* config_raw_hba() - the same of the @i-th HBA */
size_t config_raw_hba(const struct config_raw *raw, size_t i,
    struct ex_setting settings[HBA_KEYS_MAX], struct raw_setting words[HBA_KEYS_MAX]);

/* config_raw_object() - the keys that the @i-th of them has, with their values, which stay the
 * tree's or @words'; how many. A list item that is empty is NULL */
size_t config_raw_object(const struct config_raw *raw, enum ex_kind kind, size_t i,
    struct ex_setting settings[EX_KEYS_MAX], struct raw_setting words[EX_KEYS_MAX]);

/**
 * config_raw_complain() - "path:line:column: text" of a place in the file
 *
 * @where    the way there from the top: keys and indices separated by '/', "hbas/0/disks/1";
 *           as far as it exists
 */
void config_raw_complain(const struct config_raw *raw, const char *where, const char *text,
    char *reterr, size_t size);

#endif /* DAEMON_CONFIG_RAW_H */
