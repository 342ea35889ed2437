/*
 * mock_plane.h - a data plane that only writes down what it is asked
 *
 * What      plane_ops is an exports_ops whose calls become words in plane.log: "open A;start A;
 *           close A;up T;changed T;down T;". plane.refuse makes calls that begin with these
 *           words fail. world_*() make exports on top of it out of a text of YAML.
 */
#ifndef TESTS_DAEMON_MOCK_PLANE_H
#define TESTS_DAEMON_MOCK_PLANE_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/exports.h"
#include "lu/worker.h"

struct plane {
	char log[8192];
	const char *refuse;	/* "open 127.0.0.1:1": that call answers -EADDRINUSE */
	unsigned int n_portals, n_targets;	/* up now */
	struct exports *exports;
	const struct ex_session *sessions;	/* what session_list tells */
	size_t n_sessions;
	uint64_t closed;	/* session of the last session_close */
};

extern const struct exports_ops plane_ops;

/* exports without a daemon */
struct world {
	char dir[64];
	char path[80];		/* the administrator's file */
	struct config config;
	struct lu_worker *worker;
	struct exports *exports;
	struct plane plane;
	bool want_state;	/* keep a file of our own in dir */
};

/* world_init() - a folder; world_file() - what the administrator's file says now */
void world_init(struct world *w, bool want_state);
void world_file(struct world *w, const char *text);

/* world_up() - read the file, if there is one, and start; an answer of exports_new/start */
int world_up(struct world *w);
void world_down(struct world *w);
void world_fini(struct world *w);

/* the log since the last call */
const char *world_log(struct world *w);

/* one edit: "add target iqn.a:b groups=1,2 window=5"; as exports_change(). A value of a list
 * has commas, "key=" has none */
int world_edit(struct world *w, const char *words, struct ex_result *ret);

/* it must go well */
void world_do(struct world *w, const char *words);

/* several edits in one change, separated by ';' */
int world_edits(struct world *w, const char *words, uint64_t generation,
    struct ex_result *ret);

/* value of a key of an object, "a,b" for lists; NULL: no such object */
const char *world_value(struct world *w, enum ex_kind kind, const char *name, const char *key);

/* bytes of our own file, "" when there is none */
const char *world_own_file(struct world *w);

#endif /* TESTS_DAEMON_MOCK_PLANE_H */
