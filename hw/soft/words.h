/*
 * soft/words.h - "word=value,word=value" into a struct, by a table
 *
 * What      Both lines that people type at this room (a disk, a fault) are words of this form.
 *           A table says which words there are and which function reads each value.
 * Errors    In the reader's terms: 'word=value': what is wrong, what would be right.
 * Thread    Any; no state.
 */
#ifndef SOFT_WORDS_H
#define SOFT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define WORDS_ERR_LEN	320
#define WORDS_MAX	32

struct word {
	const char *name;
	/* @value NULL: the word stood alone. Returns 0, or -EINVAL with the sentence behind
	 * the colon in @reterr (WORDS_ERR_LEN bytes) */
	int (*read)(void *dst, const char *value, char *reterr);
};

/**
 * words_parse() - read @text into @dst
 *
 * @text     words separated by commas; NUL-ended
 * @table    @n words, at most WORDS_MAX; each may appear once
 * @reterr   WORDS_ERR_LEN bytes
 *
 * Returns:  0, or -EINVAL
 */
int words_parse(const char *text, const struct word *table, size_t n, void *dst, char *reterr)
    MUST_CHECK;

/* words_error() - fill @reterr and return -EINVAL */
int words_error(char *reterr, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* the values that both tables know; @ret is written on success only */
int words_u64(
    const char *value, uint64_t min, uint64_t max, uint64_t *ret, char *reterr) MUST_CHECK;
int words_bytes(const char *value, uint64_t max, uint64_t *ret, char *reterr) MUST_CHECK;
int words_bool(const char *value, bool *ret, char *reterr) MUST_CHECK;	/* alone: true */
/* words_wwn() - 16 hexadecimal digits, not all 0; a 'w' in front is fine */
int words_wwn(const char *value, uint64_t *ret, char *reterr) MUST_CHECK;
/* words_text() - 1 .. @size - 1 printable characters */
int words_text(const char *value, char *ret, size_t size, char *reterr) MUST_CHECK;
/* words_label() - likewise, of letters, digits, '.', '_' and '-': part of addresses */
int words_label(const char *value, char *ret, size_t size, char *reterr) MUST_CHECK;

#endif /* SOFT_WORDS_H */
