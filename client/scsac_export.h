/*
 * scsac_export.h - units for initiators: what is exported to whom, who is there, who has reserved
 *
 * What      Objects with settings (targets, portals, access lists ...), sessions of initiators,
 *           and reservations. Keys and values of settings are those of scsad.conf(5), so that a
 *           later daemon can have more of them. Only objects whose origin is "request" can be
 *           changed; the others come from a file of the administrator or a command line.
 * Owner     Answers belong to the caller, see *_free(); edits are borrowed for the call.
 * Thread    As in scsac.h, which includes this. All calls here wait.
 */
#ifndef SCSAC_EXPORT_H
#define SCSAC_EXPORT_H

#include "scsac.h"

#ifdef __cplusplus
extern "C" {
#endif

enum scsac_object_kind {
	SCSAC_OBJECT_ANY = 0,
	SCSAC_OBJECT_PORTAL = 1,	/* where initiators connect; name "127.0.0.1:3260" */
	SCSAC_OBJECT_GROUP = 2,		/* portal group; name: its tag */
	SCSAC_OBJECT_CHAP = 3,		/* account */
	SCSAC_OBJECT_ACL = 4,		/* access list */
	SCSAC_OBJECT_TARGET = 5,	/* name: iSCSI name */
	SCSAC_OBJECT_EXPORT = 6,	/* name "TARGET,LUN" or "TARGET,LUN,ACL" */
	SCSAC_OBJECT_DISCOVERY = 7,	/* how discovery sessions log in; name "discovery" */
	SCSAC_OBJECT_LOCAL = 8,		/* users of this machine; name "user:NAME", "gid:N" ... */
	SCSAC_OBJECT_UNIT = 9,		/* policy of a unit; name: its path */
	SCSAC_OBJECT_PORT = 10,		/* identifier of a target port; only listed */
};

struct scsac_setting {
	const char *key;
	const char *const *values;
	size_t n_values;		/* of a change, 0: back to the default */
};

struct scsac_object {
	unsigned kind;			/* enum scsac_object_kind, or newer */
	const char *name;
	const char *origin;		/* "file", "command line", "request" */
	const struct scsac_setting *settings;
	size_t n_settings;
	const struct scsac_setting *facts;	/* how it is now; portal: bound; export:
						 * present, path */
	size_t n_facts;
};

struct scsac_objects {
	uint64_t generation;		/* counts changes */
	const struct scsac_object *objects;
	size_t n_objects;
};

/* scsac_export_list() - objects of a kind, or all; @name NULL: all of them */
int scsac_export_list(struct scsac *c, unsigned kind, const char *name,
    struct scsac_objects **ret);
void scsac_objects_free(struct scsac_objects *list);

enum scsac_edit_verb {
	SCSAC_EDIT_ADD = 1,
	SCSAC_EDIT_SET = 2,		/* the keys given are replaced, the others stay */
	SCSAC_EDIT_REMOVE = 3,
};

struct scsac_edit {
	enum scsac_edit_verb verb;
	enum scsac_object_kind kind;
	const char *name;		/* NULL for an export that is added */
	const struct scsac_setting *settings;
	size_t n_settings;
	const void *secret;		/* of an account, 12 to 255 bytes; NULL: as it is. The
					 * daemon keeps it in a file of its own */
	size_t secret_len;
	const void *mutual_secret;	/* the other way */
	size_t mutual_secret_len;
};

struct scsac_export_result {
	uint64_t generation;		/* in force now */
	bool is_kept;			/* a restart finds it again */
};

/**
 * scsac_export_change() - all of these edits, or none; role admin
 *
 * @edits       up to 256
 * @generation  refuse if another one is in force (-ESTALE); 0: any
 * @ret         may be NULL
 *
 * It returns when the change is in force and written down.
 *
 * Returns:  0
 *           -EINVAL     a word is wrong, or the objects would not fit together
 *           -EEXIST     there is such an object
 *           -ENODEV     there is none, or one that it names is not there
 *           -EBUSY      it is to be removed, but another object names it
 *           -EPERM      it cannot be changed by request
 *           -ESTALE     see @generation
 *           -EADDRINUSE, -EADDRNOTAVAIL ...  a portal cannot be opened
 *           -EROFS, -EIO ...                 it cannot be written down
 *           Nothing has changed then; scsac_last_error() names the object and the word
 */
int scsac_export_change(struct scsac *c, const struct scsac_edit *edits, size_t n_edits,
    uint64_t generation, struct scsac_export_result *ret);

/* scsac_export_reload() - the daemon reads its configuration again, as by SIGHUP; role admin */
int scsac_export_reload(struct scsac *c, struct scsac_export_result *ret);

struct scsac_session_conn {
	unsigned cid;
	const char *peer, *local;	/* "192.0.2.7:51234" */
	const char *state;
	bool header_digest, data_digest;
	uint64_t rx_bytes, tx_bytes;
};

struct scsac_session {
	uint64_t id;			/* of this run of the daemon */
	const char *target;		/* "" for discovery */
	const char *initiator, *alias;
	const char *user;		/* of CHAP; "" */
	uint8_t isid[6];
	unsigned tsih;
	unsigned group;			/* tag of its portal group */
	const char *state;
	unsigned recovery_level;
	uint64_t age_ms;
	uint64_t commands;
	unsigned in_flight;
	uint64_t read_bytes, written_bytes;
	const struct scsac_session_conn *conns;
	size_t n_conns;
};

struct scsac_sessions {
	const struct scsac_session *sessions;
	size_t n_sessions;
};

struct scsac_registration {
	const char *initiator;		/* name, and ",i,0x" and ISID where it has one */
	unsigned rtpi;			/* target port; 65535 is the local socket */
	const char *port;		/* its name; "" if it has none, or is gone */
	uint64_t key;
	bool is_holder;
};

struct scsac_reservations {
	const char *path;
	uint32_t generation;		/* PRgeneration */
	unsigned type;			/* TYPE of the reservation, 1 to 8; 0: none */
	uint64_t key;			/* of the reservation; 0 for All Registrants types */
	bool is_kept;			/* persists through power loss */
	const struct scsac_registration *registrations;
	size_t n_registrations;
	const char *owner;		/* who has the unit by RESERVE; "" nobody */
	unsigned owner_rtpi;
};

/* scsac_reserve_status() - who has reserved a unit; only looks, takes no command to it */
int scsac_reserve_status(struct scsac *c, const char *path, struct scsac_reservations **ret);
void scsac_reservations_free(struct scsac_reservations *r);

/* scsac_session_list() - sessions of initiators; @id 0: all. -ENODEV: there is no such session */
int scsac_session_list(struct scsac *c, uint64_t id, struct scsac_sessions **ret);
void scsac_sessions_free(struct scsac_sessions *list);

/* scsac_session_close() - end a session; its initiator may log in again. Role admin. 0, or
 * -ENODEV */
int scsac_session_close(struct scsac *c, uint64_t id);

#ifdef __cplusplus
}
#endif

#endif /* SCSAC_EXPORT_H */
