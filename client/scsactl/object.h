/*
 * scsactl/object.h - objects of the exports: shown, and changed
 *
 * What      Portals, targets, access lists and their likes are the same to this program: a
 *           name, and keys with values. A verb about one of them is a row of options whose
 *           names are the keys, with '-' for '_'; an option whose argument ends with ",..." is
 *           a list of words with commas between.
 */
#ifndef SCSACTL_OBJECT_H
#define SCSACTL_OBJECT_H

#include "client/scsactl/ctl.h"

#define OBJECT_KEYS_MAX	20

/* an edit in the making */
struct object_draft {
	struct scsac_edit edit;
	struct scsac_setting settings[OBJECT_KEYS_MAX];
	const char *one[OBJECT_KEYS_MAX];	/* values of words */
	char *words[OBJECT_KEYS_MAX];		/* values of lists; freed by draft_fini() */
	const char **lists[OBJECT_KEYS_MAX];	/* likewise */
};

/* draft_init() - about an object called @name; NULL: it gets one */
void draft_init(struct object_draft *d, enum scsac_edit_verb verb, enum scsac_object_kind kind,
    const char *name);

/* draft_opts() - the first @n options of the verb, as far as they were given */
enum ctl_exit draft_opts(struct ctl *ctl, struct object_draft *d, const struct args *args,
    size_t n);

/* draft_word() - a key with one value, borrowed */
void draft_word(struct object_draft *d, const char *key, const char *value);

void draft_fini(struct object_draft *d);

/* draft_send() - do it alone, and tell */
enum ctl_exit draft_send(struct ctl *ctl, const struct object_draft *d);

/* edits_send() - do all of them or none, if @generation (0: any) is in force; tell */
enum ctl_exit edits_send(struct ctl *ctl, const struct scsac_edit *edits, size_t n,
    uint64_t generation);

/* object_edit() - the verb that is run, done to the object of its first argument, with all of
 * its options; object_put() - the same: change it if it is there, else make it */
enum ctl_exit object_edit(struct ctl *ctl, const struct args *args, enum scsac_edit_verb verb,
    enum scsac_object_kind kind);
enum ctl_exit object_put(struct ctl *ctl, const struct args *args, enum scsac_object_kind kind);

/* object_verb() - SCSAC_EDIT_SET if there is such an object, else ADD */
enum ctl_exit object_verb(struct ctl *ctl, enum scsac_object_kind kind, const char *name,
    enum scsac_edit_verb *ret);

struct object_column {
	const char *title;	/* '>' in front aligns right */
	const char *key;	/* "name", "origin", a setting, or a fact */
};

/* objects_list() - a table of all objects of a kind, or with --json a member @member; @name:
 * only that one. @want_names: only names, one a line */
enum ctl_exit objects_list(struct ctl *ctl, enum scsac_object_kind kind, const char *member,
    const struct object_column *columns, const char *name, bool want_names);

/* object_show() - all of one object */
enum ctl_exit object_show(struct ctl *ctl, enum scsac_object_kind kind, const char *name);

/* object_value() - value of a setting or fact as one text; "" when it has none. One of a few
 * static buffers, for use at once */
const char *object_value(const struct scsac_object *o, const char *key);

/* object_json() - all of @o as members of @item */
void object_json(json_object *item, const struct scsac_object *o);

#endif /* SCSACTL_OBJECT_H */
