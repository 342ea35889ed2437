/*
 * daemon/ex_impl.h - how objects and sets are made
 *
 * What      ex_keys.c: an object from words and back. ex_set.c: sets under construction, until
 *           they are sealed. ex_check.c: do the objects of a set fit together?
 *           ex_secret.c: secrets. ex_file.c: a set as text, and onto the disk.
 * Thread    A set under construction belongs to its maker.
 */
#ifndef DAEMON_EX_IMPL_H
#define DAEMON_EX_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/ex_set.h"
#include "daemon/ex_words.h"
#include "daemon/exports.h"

/* ------ what is wrong, and where ------ */

struct ex_fault {
	enum ex_kind kind;	/* EX_KIND_N: about no object */
	enum ex_from from;
	size_t at;		/* place of the object in its part of the file */
	const char *key;	/* NULL: the object as a whole */
	size_t index;		/* which word of a list */
	char name[EX_NAME_MAX + 65];	/* of the object, as far as it has one; printable */
	char text[EX_ERR_LEN];	/* printable */
};

/* ex_complain() - fill @f about @o (NULL: no object); @text is printf's. Answers @err */
int ex_complain(struct ex_fault *f, const struct ex_object *o, int err, const char *key,
    size_t index, const char *fmt, ...) PRINTF_LIKE(6, 7);

/* ex_shown() - a foreign word inside a sentence; one of a few buffers of the thread, for use at
 * once */
const char *ex_shown(const char *word);

/* ex_fault_format() - "target 'iqn...': chap 'bob': text" into @size bytes */
void ex_fault_format(const struct ex_fault *f, char *dst, size_t size);

/* ------ objects ------ */

struct ex_object *ex_object_ref(struct ex_object *o);
void ex_object_unref(struct ex_object *o);	/* NULL is fine */

/**
 * ex_object_new() - an object from words
 *
 * @at        as struct ex_object has it
 * @name      NULL: it is among the settings, or made from them
 * @base      keys that @settings do not have are taken from it; NULL: presets
 *
 * Returns:  0, -EINVAL (@reterr), -EACCES, -ENOENT ... of a file it names (@reterr), -ENOMEM
 */
int ex_object_new(enum ex_kind kind, enum ex_from from, size_t at, const char *name,
    const struct ex_object *base, const struct ex_setting *settings, size_t n_settings,
    struct ex_object **ret, struct ex_fault *reterr) MUST_CHECK;

/* ex_object_same() - the same kind, name, words and secrets? */
bool ex_object_same(const struct ex_object *a, const struct ex_object *b);

/* an object as words */
struct ex_dump {
	size_t n;
	struct ex_dump_key {
		const char *key;
		bool is_list;
		const char *const *v;	/* borrowed from the object or this struct */
		size_t n;
		const char *one;
		char text[16];
	} keys[EX_KEYS_MAX];
};

/* ex_object_dump() - @want_all: values that are preset, too. @dump must not be moved */
void ex_object_dump(const struct ex_object *o, bool want_all, struct ex_dump *dump);

/* ex_name_normal() - a name as objects of that kind have it, into @size bytes at @dst; false: no
 * object can have that name */
bool ex_name_normal(enum ex_kind kind, const char *name, char *dst, size_t size);

/* ex_key_is() - does this kind have that key? */
bool ex_key_is(enum ex_kind kind, const char *key);

/* ex_key_of_name() - the key whose value is the name, or NULL */
const char *ex_key_of_name(enum ex_kind kind);

/* ex_kind_max() - so many of them can be */
size_t ex_kind_max(enum ex_kind kind);

/* ex_words_has(), ex_words_fit() - is @word one of them; does one of them, '*' at its end
 * standing for any rest, fit @word? */
bool ex_words_has(const struct ex_words *words, const char *word);
bool ex_words_fit(const struct ex_words *words, const char *word);

/* ------ secrets ------ */

/**
 * ex_secret_read() - from a file, or from a credential of the service manager
 *
 * One line end behind it is not part of it.
 *
 * @reterr   EX_ERR_LEN bytes
 *
 * Returns:  0, -errno of the file, -EINVAL: too short, too long, open to everybody
 */
int ex_secret_read(const char *file, const char *credential, struct ex_secret *ret,
    char *reterr) MUST_CHECK;

/* ex_secret_check() - is it long enough? 0, or -EINVAL with @reterr */
int ex_secret_check(const struct ex_secret *secret, char *reterr) MUST_CHECK;

void ex_secret_wipe(struct ex_secret *secret);
bool ex_secret_same(const struct ex_secret *a, const struct ex_secret *b);

/* ------ sets ------ */

/* ex_set_new() - an empty set, one reference; NULL: no memory */
struct ex_set *ex_set_new(uint64_t generation);

/* ex_set_copy() - the same objects, to be changed */
struct ex_set *ex_set_copy(const struct ex_set *set, uint64_t generation);

/* ex_set_add() - takes the reference, also when it fails: -ENOMEM, -ENOSPC */
int ex_set_add(struct ex_set *set, struct ex_object *o) MUST_CHECK;

/* ex_set_swap() - @o takes the place of the object of that name; ex_set_drop() - take it out.
 * Both need an object of that name */
void ex_set_swap(struct ex_set *set, struct ex_object *o);
void ex_set_drop(struct ex_set *set, enum ex_kind kind, const char *name);

/* ex_set_share() - @o, a reference, takes the place of the @i-th object, which is the same */
void ex_set_share(struct ex_set *set, enum ex_kind kind, size_t i, struct ex_object *o);

/**
 * ex_set_seal() - no more changes; names can be found quickly
 *
 * Returns:  0, -EEXIST: two objects of one name (@reterr is about the later), -ENOMEM
 */
int ex_set_seal(struct ex_set *set, struct ex_fault *reterr) MUST_CHECK;

/* ex_check() - do the objects of a sealed set fit together? 0, -EINVAL, -ENOENT (@reterr) */
int ex_check(const struct ex_set *set, struct ex_fault *reterr) MUST_CHECK;

/**
 * ex_ports_assign() - give every target port of @set, not sealed yet, an identifier
 *
 * Returns:  0, -ENOSPC (@reterr), -ENOMEM
 */
int ex_ports_assign(struct ex_set *set, struct ex_fault *reterr) MUST_CHECK;

/* ------ the daemon's own file ------ */

/**
 * ex_file_write() - all objects of @set that are EX_FROM_STATE, in place of @path
 *
 * Returns:  0, or -errno: the old file is as it was
 */
int ex_file_write(const struct ex_set *set, const char *path) MUST_CHECK;

/* ex_folder_sync() - the entry of @path in its folder, too, onto the disk; what fails there cannot
 * be undone any more */
void ex_folder_sync(const char *path);

#endif /* DAEMON_EX_IMPL_H */
