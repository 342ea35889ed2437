/*
 * daemon/ex_live.h - the inside of the exports: what is up, and how that becomes another set
 *
 * What      exports.c: life, edits, the file. ex_apply.c: portals, targets and target ports come
 *           and go so that they are those of a set. ex_units.c: units know the ports they are
 *           exported through.
 * Thread    With exports.change held, unless said otherwise.
 */
#ifndef DAEMON_EX_LIVE_H
#define DAEMON_EX_LIVE_H

#include <pthread.h>
#include <sys/queue.h>

#include "daemon/ex_impl.h"
#include "lu/lu.h"
#include "lu/port.h"

struct ex_live_portal {
	TAILQ_ENTRY(ex_live_portal) entry;
	const struct ex_portal *portal;	/* a reference */
	void *handle;
	char bound[EX_ADDR_LEN];
	bool is_new;			/* of the change under way: not started yet */
};

struct ex_live_port {
	TAILQ_ENTRY(ex_live_port) entry;
	const struct lu_port *port;	/* a reference; in the registry */
	bool is_new;
};

struct ex_live_target {
	TAILQ_ENTRY(ex_live_target) entry;
	const struct ex_target *target;	/* a reference */
	void *handle;
	TAILQ_HEAD(, ex_live_port) ports;
	bool is_up;			/* target_up was done, handle is valid */
	bool is_new;
};

#define EX_PENDING_MAX	64	/* paths of units; more: all targets are looked at */

struct exports {
	const struct config *config;
	struct ex_set *boot;		/* until exports_start(): what shall be up, not sealed */
	struct lu_exec *worker;
	char *folder, *file;		/* NULL: nothing is kept */
	const struct exports_ops *ops;	/* NULL: nothing carries sessions */
	void *ctx;
	bool is_up;			/* exports_start() was done */

	pthread_mutex_t change;		/* one change at a time */
	TAILQ_HEAD(, ex_live_target) targets;

	pthread_mutex_t lock;		/* short: the rest */
	struct ex_set *set;
	TAILQ_HEAD(, ex_live_portal) portals;
	void (*watch)(void *arg);	/* NULL: nobody watches */
	void *watch_arg;
	bool is_ending;
	bool is_work_due;		/* units_work is posted */
	struct lu_work units_work;
	char pending[EX_PENDING_MAX][LU_PATH_MAX];
	size_t n_pending;		/* above EX_PENDING_MAX: not all of them are there */
	pthread_cond_t idle;		/* is_work_due went */
};

/**
 * ex_apply() - become @set, which is sealed and checked
 *
 * @set        takes the reference, whatever the answer
 * @want_file  write our own file before it counts
 *
 * Returns:  0, or -errno with @reterr: everything is as it was
 */
int ex_apply(struct exports *ex, struct ex_set *set, bool want_file, struct ex_fault *reterr)
    MUST_CHECK;

/* ex_changed() - whoever watches is told */
void ex_changed(struct exports *ex);

/* ex_share() - objects of @set, not sealed, that are the same in @before become those */
void ex_share(struct ex_set *set, const struct ex_set *before);

/* ex_disks_add() - the exports of --export: each unit of the command line a LUN; 0, -ENOMEM,
 * -ENOSPC, -ENOENT (no such unit) with @reterr */
int ex_disks_add(const struct config *config, struct ex_set *set, struct ex_fault *reterr)
    MUST_CHECK;

/* ex_edit() - one edit on @set, not sealed. As exports_change() answers */
int ex_edit(struct exports *ex, struct ex_set *set, const struct ex_edit *edit,
    struct ex_fault *reterr) MUST_CHECK;

/**
 * ex_secret_keep() - secrets of an edit into files of ours, and their names into @settings
 *
 * @settings  room for two more than @n
 * @paths     two, for ex_secret_drop(); NULL where nothing was kept
 *
 * Returns:  0, -errno with @reterr
 */
int ex_secret_keep(struct exports *ex, const struct ex_set *set, const struct ex_edit *edit,
    struct ex_setting *settings, size_t *n, char *paths[2], struct ex_fault *reterr) MUST_CHECK;

/* ex_secrets_trim() - remove files of secrets that no account of @set needs */
void ex_secrets_trim(const struct exports *ex, const struct ex_set *set);

/* ex_down() - portals close, then targets go, then ports */
void ex_down(struct exports *ex);

/* ex_views_changed() - tell the data plane about targets that export one of the pending units */
void ex_views_changed(struct exports *ex, const char (*paths)[LU_PATH_MAX], size_t n);

/**
 * ex_units_sync() - units learn of the target ports that lead to them, and their states
 *
 * @set      whose exports count
 * @before   groups that differ from there get their state now; others keep what SET TARGET PORT
 *           GROUPS gave them. NULL: the first set of this process
 */
void ex_units_sync(const struct ex_set *set, const struct ex_set *before);

/* ex_unit_is() - may @word, as exports have it, name the unit at @path? */
bool ex_unit_is(const char *word, const char *path);

#endif /* DAEMON_EX_LIVE_H */
