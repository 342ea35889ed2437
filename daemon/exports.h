/*
 * daemon/exports.h - the exports of this process, and how they change
 *
 * What      Holds the set that is in force (daemon/ex_set.h) and changes it: edits make a new
 *           set, which is judged as a whole, brought up, written to the daemon's own file, and
 *           only then in force; or nothing happens at all. Changes take turns. What carries
 *           sessions is behind exports_ops.
 * Life      exports_new → exports_start → (changes) → exports_stop → exports_free.
 * Order     Coming: target ports of lib/lu, targets, portals bound; the file is written; the set
 *           is in force; views change; portals accept. Going: portals close, targets go, ports
 *           go. So an initiator never finds a portal without its target.
 * Thread    new, start, stop, free: the main thread. exports_change(), exports_reload(): a
 *           worker, they block. exports_set(): any.
 * Source    scsad.conf(5), scsad-protocol(7)
 */
#ifndef DAEMON_EXPORTS_H
#define DAEMON_EXPORTS_H

#include "daemon/ex_access.h"
#include "daemon/ex_set.h"

struct config;
struct exports;
struct lu_exec;

/* ------ what the data plane provides ------ */

#define EX_CONNS_MAX	16	/* connections of a session that are told */

struct ex_session_conn {
	uint16_t cid;
	char peer[EX_ADDR_LEN], local[EX_ADDR_LEN];
	const char *state;	/* "login", "full feature", "logout", "lost" */
	bool header_digest, data_digest;
	uint64_t rx_bytes, tx_bytes;
};

/* a session at one instant */
struct ex_session {
	uint64_t id;			/* never reused while the process lives */
	char target[EX_NAME_MAX + 1];	/* "" for a discovery session */
	char initiator[EX_NAME_MAX + 1];
	char alias[EX_NAME_MAX + 1];	/* InitiatorAlias */
	char user[EX_NAME_MAX + 1];	/* CHAP_N; "" without CHAP */
	uint8_t isid[6];
	uint16_t tsih;
	uint16_t group;			/* tag of its portal group */
	const char *state;		/* as in RFC 7143 8.3: "logged in", "failed" */
	uint32_t recovery_level;
	uint64_t since_ns;		/* clock_now_ns() of its login */
	uint64_t commands, in_flight;
	uint64_t read_bytes, written_bytes;
	uint32_t n_conns;
	struct ex_session_conn conns[EX_CONNS_MAX];
};

/* ex_session_fn - hears of one session; @session is borrowed; must not block */
typedef void (*ex_session_fn)(void *arg, const struct ex_session *session);

/*
 * All are called on a thread that may block (a worker, or the main thread), one at a time, never
 * on a loop; they go to loops by loop_call(). @ctx is that of exports_start().
 */
struct exports_ops {
	/**
	 * portal_open - bind and listen, accept nobody yet
	 *
	 * @ret_bound   where it is bound: the port is never 0
	 * @ret_handle  what the other portal calls get
	 * @reterr      EX_ERR_LEN bytes; names the address: "127.0.0.1:3260: Address already in
	 *              use"
	 *
	 * Returns:  0, or -errno
	 */
	int (*portal_open)(void *ctx, const struct ex_portal *portal,
	    struct sockaddr_storage *ret_bound, void **ret_handle, char *reterr);
	/* portal_start - accept from now on; the set that has the portal is in force */
	void (*portal_start)(void *ctx, void *handle);
	/* portal_close - no more logins there; connections of full feature phase stay */
	void (*portal_close)(void *ctx, void *handle);

	/**
	 * target_up - make ready for sessions; its ports are registered (lu_port_find())
	 *
	 * @target   borrowed for the call; look it up in exports_set() later
	 *
	 * Returns:  0, or -errno with @reterr (EX_ERR_LEN bytes)
	 */
	int (*target_up)(void *ctx, const struct ex_target *target, void **ret_handle,
	    char *reterr);
	/* target_down - log out and close every session; when it returns nobody uses its ports
	 * or units */
	void (*target_down)(void *ctx, void *handle);
	/**
	 * view_changed - @set, in force by now, gives this target other options, exports, access
	 * lists, or units have come or gone
	 *
	 * For each session: ex_admit() again, and if the answer is no longer EX_ADMIT the
	 * session is closed (async event 1, then it is dropped); else ex_view(), and if
	 * lu_view_diff() finds a difference the session gets the new view with its unit
	 * attentions. Sessions of other targets are not touched.
	 */
	void (*view_changed)(void *ctx, void *handle, struct ex_set *set,
	    const struct ex_target *target);

	/* session_list - tell all sessions, those of discovery too; 0 or -ENOMEM */
	int (*session_list)(void *ctx, ex_session_fn fn, void *arg);
	/* session_close - end one: asynchronous logout request, a grace of some seconds, then
	 * close; 0, or -ENOENT */
	int (*session_close)(void *ctx, uint64_t id);
};

/* ------ the exports ------ */

struct exports_conf {
	const struct config *config;	/* borrowed; its exports part is the first set */
	struct lu_exec *worker;		/* for what events of units ask for */
};

/* exports_new() - nothing is up yet; 0, -ENOMEM, or -EINVAL, -errno: the daemon's own file
 * cannot be read or is wrong (logged) */
int exports_new(const struct exports_conf *conf, struct exports **ret_exports) MUST_CHECK;

/**
 * exports_start() - bring everything up
 *
 * @ops      the data plane, or NULL when there is none: the set is kept, and nobody can log in
 * @ctx      its first argument
 *
 * Returns:  0, or -errno of what could not be brought up (logged; nothing is up)
 */
int exports_start(struct exports *ex, const struct exports_ops *ops, void *ctx) MUST_CHECK;

/* exports_keep() - write our own file for the first time: target ports have identifiers that must
 * not change; a failure is logged. After the process has become who it is */
void exports_keep(struct exports *ex);

/* exports_stop() - portals close, then targets go; no changes any more. NULL is fine */
void exports_stop(struct exports *ex);
void exports_free(struct exports *ex);

/* exports_set() - the set in force; a reference for ex_set_unref(). A short lock */
struct ex_set *exports_set(struct exports *ex);

/* exports_portal_bound() - "127.0.0.1:41234" of a portal that is open, into @dst; false: it is
 * not */
bool exports_portal_bound(struct exports *ex, const char *portal, char dst[EX_ADDR_LEN]);

/* exports_watch() - @fn(@arg) after each change of the set or its portals, from any thread, under a
 * lock: it must not block, nor call anything here. NULL: no more; nothing runs afterwards */
void exports_watch(struct exports *ex, void (*fn)(void *arg), void *arg);

/* exports_ops_of() - the data plane, for session verbs; NULL when there is none. On a worker,
 * between exports_hold() and exports_release() */
const struct exports_ops *exports_ops_of(const struct exports *ex, void **ret_ctx);
int exports_hold(struct exports *ex) MUST_CHECK;	/* 0, or -ESHUTDOWN */
void exports_release(struct exports *ex);

/* exports_units_changed() - units came or went: views of the targets that export them follow,
 * on the worker. Any thread, never blocks */
void exports_units_changed(struct exports *ex, const char *unit_path);

/* ------ changes ------ */

/* a key of an object with its values, as in the file */
struct ex_setting {
	const char *key;
	const char *const *values;	/* of a list, NULL stands for an empty word */
	size_t n_values;
};

enum ex_verb {
	EX_ADD,			/* must not be there */
	EX_SET,			/* must be there; the keys given replace, the others stay; a key
				 * without values goes back to its default */
	EX_REMOVE,		/* must be there */
	EX_VERB_N
};

struct ex_edit {
	enum ex_verb verb;
	enum ex_kind kind;
	const char *name;	/* EX_ADD of an export: NULL, it is made from target, lun and acl */
	const struct ex_setting *settings;
	size_t n_settings;
	/* secrets of a CHAP account: kept in files of the daemon; NULL: as settings say */
	const struct ex_secret *secret, *mutual_secret;
};

struct ex_result {
	uint64_t generation;	/* of the set in force now */
	bool is_kept;		/* it will be there after a restart; false: no state folder */
	char text[EX_ERR_LEN];	/* why not, and what to do: names the edit and the word */
	size_t edit;		/* which edit is wrong; n_edits: none of its own */
};

/**
 * exports_change() - all of these edits, or none
 *
 * @generation  0, or the generation that the caller has looked at
 * @ret_result  set in any case
 *
 * Returns:  0
 *           -EINVAL     a word is wrong, or objects do not fit together
 *           -EEXIST     EX_ADD of what is there
 *           -ENOENT     the object, or one that it names, is not there
 *           -EBUSY      EX_REMOVE of what another object names
 *           -EPERM      the object comes from the administrator's file or the command line
 *           -ESTALE     @generation is not that of the set in force
 *           -EADDRINUSE, -EADDRNOTAVAIL, ...  a portal cannot be opened
 *           -EROFS, -ENOSPC, -EIO, ...        the file cannot be written
 *           -ENOSPC     one object more than there can be
 *           -ENOMEM, -ESHUTDOWN
 * Thread:   a worker; waits for changes before it
 */
int exports_change(struct exports *ex, const struct ex_edit *edits, size_t n_edits,
    uint64_t generation, struct ex_result *ret_result) MUST_CHECK;

/**
 * exports_reload() - read the administrator's file and our own again, and become what they say
 *
 * Only what differs is touched. Of the file only the parts about exports are taken.
 *
 * Returns:  as exports_change(); @ret_result->text names file, line and column
 */
int exports_reload(struct exports *ex, struct ex_result *ret_result) MUST_CHECK;

#endif /* DAEMON_EXPORTS_H */
