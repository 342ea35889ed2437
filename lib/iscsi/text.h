/*
 * iscsi/text.h - key=value text: taken apart, put together, spread over PDUs
 *
 * What      iscsi_gather collects the data segments of one request (C bit), iscsi_text_next()
 *           walks the pairs, iscsi_text_out collects an answer and hands it out in pieces as
 *           long as the other side takes.
 * Owner     Buffers belong to gather and out, and are freed by their fini.
 * Thread    One thread an object.
 * Limits    Text of a request and of an answer ISCSI_TEXT_MAX unless said otherwise; a key 63
 *           bytes; values are bounded by those who know the key.
 * Source    RFC 7143 section 6.1, 6.2.
 */
#ifndef ISCSI_TEXT_H
#define ISCSI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define ISCSI_TEXT_MAX		65536
#define ISCSI_KEY_LEN_MAX	63
#define ISCSI_VALUE_LEN_MAX	255	/* of a simple value, if its key says nothing else */

/* ------ in ------ */

/* a slice of foreign bytes, not NUL-ended */
struct iscsi_text {
	const char *at;
	size_t len;
};

struct iscsi_pair {
	struct iscsi_text key;		/* 1 .. ISCSI_KEY_LEN_MAX bytes of the allowed set */
	struct iscsi_text value;	/* any length that fits; contains no NUL */
};

/**
 * iscsi_text_next() - the next pair
 *
 * @text     what is left; moved on. Empty strings (padding) are stepped over; the NUL behind
 *           the last pair may be missing
 * @ret      the pair, pointing into the text
 *
 * Returns:  1         a pair
 *           0         no more
 *           -EINVAL   no '=', an empty or overlong key, a character that keys do not have
 */
int iscsi_text_next(struct iscsi_text *text, struct iscsi_pair *ret) MUST_CHECK;

/* iscsi_text_is() - is @text exactly this word? */
bool iscsi_text_is(struct iscsi_text text, const char *word);

/* iscsi_text_list() - the next element of a comma list; false at its end. An empty value has no
 * element; an empty element ends up as a slice of 0 bytes */
bool iscsi_text_list(struct iscsi_text *list, struct iscsi_text *ret);

/**
 * iscsi_text_number() - decimal or 0x hex, nothing around it
 *
 * Returns:  0
 *           -EINVAL   not a number
 *           -ERANGE   above @max
 */
int iscsi_text_number(struct iscsi_text text, uint64_t max, uint64_t *ret) MUST_CHECK;

/**
 * iscsi_text_binary() - a large binary value: 0x and pairs of hex digits, or 0b and base64
 *
 * @buf      room for @size bytes
 * @ret_len  bytes decoded, 0 .. @size
 *
 * Strict: whole bytes, padding where base64 wants it and zero bits below it.
 *
 * Returns:  0
 *           -EINVAL   neither form, or malformed
 *           -E2BIG    more than @size bytes
 * Source:   RFC 7143 section 6.1; RFC 4648 section 4
 */
int
iscsi_text_binary(struct iscsi_text text, void *buf, size_t size, size_t *ret_len) MUST_CHECK;

/* collects the pieces of one request */
struct iscsi_gather {
	char *buf;		/* NULL while nothing is held */
	size_t len;
	size_t size;		/* allocated */
};

/**
 * iscsi_gather_add() - keep a piece
 *
 * Returns:  0
 *           -E2BIG    more than ISCSI_TEXT_MAX bytes in all
 *           -ENOMEM
 */
int iscsi_gather_add(struct iscsi_gather *gather, const void *data, size_t len) MUST_CHECK;

/**
 * iscsi_gather_whole() - the text, when its last piece is here
 *
 * @last     the last piece; taken as it is, without a copy, when nothing was kept before
 * @ret      the whole text; valid until @last goes or gather is used again
 *
 * Returns:  as iscsi_gather_add()
 */
int iscsi_gather_whole(struct iscsi_gather *gather, const void *last, size_t len,
	struct iscsi_text *ret) MUST_CHECK;

/* iscsi_gather_fini() - forget what was kept; gather may be used again */
void iscsi_gather_fini(struct iscsi_gather *gather);

/* ------ out ------ */

struct iscsi_text_out {
	char *buf;
	size_t len;		/* bytes of text */
	size_t size;		/* allocated */
	size_t sent;		/* handed out by iscsi_text_out_piece() */
	size_t max;		/* most bytes; 0: ISCSI_TEXT_MAX */
	int error;		/* first failure: -E2BIG or -ENOMEM; sticky, later pairs are lost */
};

/* iscsi_text_add() - one pair; failure is kept in out->error */
void iscsi_text_add(struct iscsi_text_out *out, const char *key, const char *value);

/* iscsi_text_addf() - one pair with a formatted value of at most 1,023 bytes */
void iscsi_text_addf(struct iscsi_text_out *out, const char *key, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* iscsi_text_add_key() - as iscsi_text_add() for a key that came from outside */
void iscsi_text_add_key(struct iscsi_text_out *out, struct iscsi_text key, const char *value);

/* iscsi_text_add_hex() - one pair whose value is 0x and hex digits */
void
iscsi_text_add_hex(struct iscsi_text_out *out, const char *key, const void *data, size_t len);

/* iscsi_text_out_left() - bytes not handed out yet */
static inline size_t
iscsi_text_out_left(const struct iscsi_text_out *out)
{
	return out->len - out->sent;
}

/**
 * iscsi_text_out_piece() - the next data segment
 *
 * @max      most bytes the other side takes
 * @ret_len  bytes, 0 .. @max
 *
 * Returns:  their address, valid until out is used again. More is left (C bit) while
 *           iscsi_text_out_left() is above 0
 */
const char *iscsi_text_out_piece(struct iscsi_text_out *out, size_t max, size_t *ret_len);

/* iscsi_text_out_reset() - empty again, buffer and limit kept */
void iscsi_text_out_reset(struct iscsi_text_out *out);

/* iscsi_text_out_fini() - free the buffer */
void iscsi_text_out_fini(struct iscsi_text_out *out);

#endif /* ISCSI_TEXT_H */
