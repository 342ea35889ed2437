/*
 * scsactl/ctl.h - what all verbs share
 *
 * What      A verb is one row: name, options, how many words, what it does. Verbs about one
 *           thing share the first words of their names. Help and the completions of the shells
 *           are made from the rows. A new verb is a file and a row.
 * Life      main() reads the command line, connects if the verb wants it, runs the verb, prints
 *           the JSON document or nothing, and answers with the verb's exit status.
 * Owner     struct ctl belongs to main().
 */
#ifndef SCSACTL_CTL_H
#define SCSACTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "base/compiler.h"
#include "client/scsac.h"
#include "client/scsactl/exit.h"

#define CTL_SCHEMA	1	/* of the JSON documents; fields are only added */
#define VERB_OPTS_MAX	16

struct ctl {
	const struct verb *verb;
	const char *socket;	/* NULL: the library's default */
	const char *initiator;	/* NULL: the user's own */
	bool is_json;
	unsigned verbose;
	unsigned timeout_ms;	/* of packets; 0: the daemon's default */
	uint64_t wait_ns;	/* for the daemon to come up */
	struct scsac *conn;	/* NULL for verbs that want none */
	json_object *root;	/* the document, with is_json */
	struct scsac_list *unit;	/* of ctl_open() */
	bool has_failed;	/* an error has been told */
};

struct verb_opt {
	const char *name;	/* long option; NULL ends the list */
	char letter;		/* short option, or 0 */
	const char *arg;	/* "FILE"; NULL for a flag */
	const char *help;
};

/* The words behind a verb. opt[i] is the value of the i-th option of its row: NULL when it was
 * not given, "" for a flag that was. */
struct args {
	int n;
	char **v;
	const char *opt[VERB_OPTS_MAX];
};

/* lister of verbs whose word is a unit */
#define LIST_UNITS	"list --names"

struct verb {
	const char *name;	/* one word, or several: "soft target" */
	const char *args;	/* "UNIT [LBA [BLOCKS]]", "" for none */
	const char *summary;	/* one line */
	const char *details;	/* further lines for "help VERB", or NULL */
	const struct verb_opt *opts;	/* NULL for none */
	int min, max;		/* words */
	bool is_offline;	/* needs no daemon */
	const char *const *words;	/* the first word is one of these, NULL at the end; or
					 * NULL */
	const char *lister;	/* verb that prints what the next word can be; or NULL */
	enum ctl_exit (*run)(struct ctl *ctl, const struct args *args);
};

/* verbs.c */
extern const struct verb *const verbs[];	/* NULL at the end, in the order of help */
extern const struct verb_opt global_opts[];
/* verb_find() - by its whole name, or NULL; verb_is_group() - do names of verbs begin with
 * these words? */
const struct verb *verb_find(const char *name);
bool verb_is_group(const char *words);

/* ctl_connect() - CTL_OK, or the error has been told */
enum ctl_exit ctl_connect(struct ctl *ctl);

/* ctl_reach() - connect if a daemon runs; 0, or -errno and nothing is told */
int ctl_reach(struct ctl *ctl);

/* ctl_open() - handle of @name and ctl->unit about it; or the error has been told */
enum ctl_exit ctl_open(struct ctl *ctl, const char *name, uint64_t *ret_handle);

/* ctl_unit() - the unit that is open */
const struct scsac_unit *ctl_unit(const struct ctl *ctl);

/* ctl_fail() - tell that this side failed: "scsactl: TEXT"; answers @status */
enum ctl_exit ctl_fail(struct ctl *ctl, enum ctl_exit status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* ctl_refused() - tell that the daemon or the library refused with @err; answers the status */
enum ctl_exit ctl_refused(struct ctl *ctl, int err, const char *what);

/* ctl_syntax() - ctl_fail() with CTL_SYNTAX and a pointer to the help of the verb */
enum ctl_exit ctl_syntax(struct ctl *ctl, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif /* SCSACTL_CTL_H */
