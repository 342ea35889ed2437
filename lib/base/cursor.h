/*
 * base/cursor.h - read and write foreign bytes inside fixed bounds
 *
 * What      A cursor walks a buffer. The first step past its end makes it "bad"; from then on
 *           reads give zeros, writes do nothing, and the position stays. So a decoder reads
 *           all fields, asks cursor_ok() once, and only then looks at what they mean.
 * Owner     The buffer is borrowed; the cursor is a value.
 * Thread    One thread a cursor.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

struct cursor {
	uint8_t *base;		/* first byte; never written through a reading cursor */
	size_t len;		/* bytes in the buffer */
	size_t pos;		/* next byte, 0 .. len */
	bool is_bad;		/* a step did not fit; sticky */
};

/* cursor_read_init() - walk @len bytes at @buf for reading */
static inline struct cursor
cursor_read_init(const void *buf, size_t len)
{
	return (struct cursor){ .base = (uint8_t *)(uintptr_t)buf, .len = len };
}

/* cursor_write_init() - walk @len bytes at @buf for writing */
static inline struct cursor
cursor_write_init(void *buf, size_t len)
{
	return (struct cursor){ .base = buf, .len = len };
}

/* cursor_ok() - true while every step so far has fitted */
static inline bool
cursor_ok(const struct cursor *c)
{
	return !c->is_bad;
}

/* cursor_left() - bytes between position and end; 0 when bad */
static inline size_t
cursor_left(const struct cursor *c)
{
	return c->is_bad ? 0 : c->len - c->pos;
}

/* cursor_take() - step over @n bytes; their address, or NULL (and bad) if they are not there */
static inline uint8_t *
cursor_take(struct cursor *c, size_t n)
{
	uint8_t *p;

	if (c->is_bad || c->len - c->pos < n) {
		c->is_bad = true;
		return NULL;
	}
	p = c->base + c->pos;
	c->pos += n;
	return p;
}

static inline uint8_t
cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1);

	return p == NULL ? 0 : *p;
}

static inline uint16_t
cursor_be16(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 2);

	return p == NULL ? 0 : be16_get(p);
}

static inline uint32_t
cursor_be32(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 4);

	return p == NULL ? 0 : be32_get(p);
}

static inline uint64_t
cursor_be64(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 8);

	return p == NULL ? 0 : be64_get(p);
}

static inline void
cursor_put_u8(struct cursor *c, uint8_t v)
{
	uint8_t *p = cursor_take(c, 1);

	if (p != NULL)
		*p = v;
}

static inline void
cursor_put_be16(struct cursor *c, uint16_t v)
{
	uint8_t *p = cursor_take(c, 2);

	if (p != NULL)
		be16_put(p, v);
}

static inline void
cursor_put_be32(struct cursor *c, uint32_t v)
{
	uint8_t *p = cursor_take(c, 4);

	if (p != NULL)
		be32_put(p, v);
}

static inline void
cursor_put_be64(struct cursor *c, uint64_t v)
{
	uint8_t *p = cursor_take(c, 8);

	if (p != NULL)
		be64_put(p, v);
}

static inline void
cursor_put_bytes(struct cursor *c, const void *src, size_t n)
{
	uint8_t *p = cursor_take(c, n);

	if (p != NULL && n > 0)
		memcpy(p, src, n);
}

#endif /* BASE_CURSOR_H */
