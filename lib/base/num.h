/*
 * base/num.h - numbers from text, sizes to text, arithmetic that notices overflow
 *
 * Thread    Any; no state.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* num_add(), num_mul() - false, *@ret untouched, when the result does not fit */
static inline bool
num_add(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t v;

	if (__builtin_add_overflow(a, b, &v))
		return false;
	*ret = v;
	return true;
}

static inline bool
num_mul(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t v;

	if (__builtin_mul_overflow(a, b, &v))
		return false;
	*ret = v;
	return true;
}

/* num_min(), num_max(), num_round_up(): @align is a power of two, @v + @align does not overflow */
static inline uint64_t
num_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t
num_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t
num_round_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) & ~(align - 1);
}

static inline bool
num_is_pow2(uint64_t v)
{
	return v != 0 && (v & (v - 1)) == 0;
}

/**
 * num_parse_u64() - a whole number, decimal or 0x hex, and nothing else
 *
 * @text     NUL-ended; no sign, no blanks
 * @max      largest value accepted
 * @ret      the number
 *
 * Returns:  0
 *           -EINVAL   not a number, or something behind it
 *           -ERANGE   above @max
 */
int num_parse_u64(const char *text, uint64_t max, uint64_t *ret) MUST_CHECK;

/**
 * num_parse_bytes() - a size: a number with an optional K, M, G, T, P or E (powers of 1024),
 * upper or lower case, optionally followed by "iB" or "B"
 *
 * Returns:  as num_parse_u64()
 */
int num_parse_bytes(const char *text, uint64_t max, uint64_t *ret_bytes) MUST_CHECK;

#define NUM_BYTES_LEN	24

/* num_format_bytes() - "8.0 GiB" into @buf, which is returned */
char *num_format_bytes(uint64_t bytes, char buf[NUM_BYTES_LEN]);

/**
 * num_parse_hex() - bytes written as hex digits, blanks, ':' and a 0x in front allowed
 *
 * @text     NUL-ended
 * @buf      room for @size bytes
 * @ret_len  bytes read
 *
 * Returns:  0
 *           -EINVAL   a character that is no hex digit, or half a byte
 *           -ENOSPC   more than @size bytes
 */
int num_parse_hex(const char *text, uint8_t *buf, size_t size, size_t *ret_len) MUST_CHECK;

#endif /* BASE_NUM_H */
