/*
 * base/text.h - strings that came from somewhere else
 *
 * What      Names and texts of targets, initiators and clients are foreign: before a log, a
 *           terminal or a path sees them they pass through here.
 * Thread    Any; no state.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/**
 * text_escape() - @src as printable ASCII
 *
 * @src      @len bytes, NULs allowed
 * @dst      @size bytes, at least 1; always NUL-ended. A byte outside 0x20..0x7e, and a
 *           backslash, becomes \xNN; what does not fit is cut and shown by a final "..."
 *
 * Returns:  @dst
 */
char *text_escape(const void *src, size_t len, char *dst, size_t size);

/* text_copy() - strlcpy: @src into @size bytes at @dst, NUL-ended; false when it was cut */
bool text_copy(char *dst, size_t size, const char *src);

/* text_trim_field() - a blank-padded field of @len bytes into @dst (@len + 1 bytes), trimmed,
 * escaped by '.' */
char *text_trim_field(const void *src, size_t len, char *dst);

#endif /* BASE_TEXT_H */
