/* text.c - key=value text: pairs, values, pieces */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/num.h"
#include "iscsi/text.h"

#define CHUNK		1024	/* buffers start with this and double */
#define FORMAT_MAX	1024

/* ------ pairs ------ */

/* characters of a standard label (RFC 7143 section 6.1), '#' of X#, Y#, Z# and '/' */
static bool
is_key_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		(c != '\0' && strchr(".-+@_#/", c) != NULL);
}

int
iscsi_text_next(struct iscsi_text *text, struct iscsi_pair *ret)
{
	const char *end, *equals;
	struct iscsi_text one;

	while (text->len > 0 && *text->at == '\0') {
		text->at++;
		text->len--;
	}
	if (text->len == 0)
		return 0;
	end = memchr(text->at, '\0', text->len);
	one.at = text->at;
	one.len = end != NULL ? (size_t)(end - text->at) : text->len;
	equals = memchr(one.at, '=', one.len);
	if (equals == NULL || equals == one.at || equals - one.at > ISCSI_KEY_LEN_MAX)
		return -EINVAL;
	for (const char *c = one.at; c < equals; c++)
		if (!is_key_char(*c))
			return -EINVAL;
	text->at += one.len;
	text->len -= one.len;
	ret->key = (struct iscsi_text){ one.at, (size_t)(equals - one.at) };
	ret->value = (struct iscsi_text){ equals + 1, one.len - ret->key.len - 1 };
	return 1;
}

bool
iscsi_text_is(struct iscsi_text text, const char *word)
{
	return text.len == strlen(word) && memcmp(text.at, word, text.len) == 0;
}

bool
iscsi_text_list(struct iscsi_text *list, struct iscsi_text *ret)
{
	const char *comma;

	if (list->len == 0)
		return false;
	comma = memchr(list->at, ',', list->len);
	ret->at = list->at;
	ret->len = comma != NULL ? (size_t)(comma - list->at) : list->len;
	list->at += ret->len + (comma != NULL);
	list->len -= ret->len + (comma != NULL);
	return true;
}

/* ------ values ------ */

static bool
has_prefix(struct iscsi_text text, char letter)
{
	return text.len >= 2 && text.at[0] == '0' && (text.at[1] | 0x20) == letter;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
iscsi_text_number(struct iscsi_text text, uint64_t max, uint64_t *ret)
{
	bool is_hex = has_prefix(text, 'x');
	uint64_t base = is_hex ? 16 : 10, v = 0;
	size_t i = is_hex ? 2 : 0;
	bool is_over = false;

	if (i == text.len)
		return -EINVAL;
	for (; i < text.len; i++) {
		int digit = hex_digit(text.at[i]);

		if (digit < 0 || (uint64_t)digit >= base)
			return -EINVAL;
		/* digits are still looked at: 99999999999999999999x is no number */
		if (!num_mul(v, base, &v) || !num_add(v, (uint64_t)digit, &v) || v > max)
			is_over = true;
	}
	if (is_over)
		return -ERANGE;
	*ret = v;
	return 0;
}

static int
binary_hex(struct iscsi_text text, uint8_t *buf, size_t size, size_t *ret_len)
{
	size_t n = text.len / 2;

	if (text.len == 0 || text.len % 2 != 0)
		return -EINVAL;
	for (size_t i = 0; i < text.len; i++)
		if (hex_digit(text.at[i]) < 0)
			return -EINVAL;
	if (n > size)
		return -E2BIG;
	for (size_t i = 0; i < n; i++)
		buf[i] = (uint8_t)(hex_digit(text.at[2 * i]) << 4 | hex_digit(text.at[2 * i + 1]));
	*ret_len = n;
	return 0;
}

static int
base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int
binary_base64(struct iscsi_text text, uint8_t *buf, size_t size, size_t *ret_len)
{
	size_t digits = text.len, n;
	uint32_t bits = 0;

	if (text.len == 0 || text.len % 4 != 0)
		return -EINVAL;
	while (digits > text.len - 2 && text.at[digits - 1] == '=')
		digits--;
	for (size_t i = 0; i < digits; i++)
		if (base64_digit(text.at[i]) < 0)
			return -EINVAL;
	n = digits * 6 / 8;
	if (n > size)
		return -E2BIG;
	for (size_t i = 0, at = 0; i < digits; i++) {
		bits = bits << 6 | (uint32_t)base64_digit(text.at[i]);
		if (i % 4 != 0)
			buf[at++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	/* what the last digit has too much must be zeros, or two texts would mean the same */
	if ((bits & (digits % 4 == 2 ? 0x0fu : digits % 4 == 3 ? 0x03u : 0)) != 0)
		return -EINVAL;
	*ret_len = n;
	return 0;
}

int
iscsi_text_binary(struct iscsi_text text, void *buf, size_t size, size_t *ret_len)
{
	struct iscsi_text digits;

	if (text.len < 2)
		return -EINVAL;
	digits = (struct iscsi_text){ text.at + 2, text.len - 2 };
	if (has_prefix(text, 'x'))
		return binary_hex(digits, buf, size, ret_len);
	if (has_prefix(text, 'b'))
		return binary_base64(digits, buf, size, ret_len);
	return -EINVAL;
}

/* ------ buffers ------ */

/* room for @more bytes behind @len; grows by doubling up to @max */
static int
buffer_reserve(char **buf, size_t *size, size_t len, size_t more, size_t max)
{
	size_t want = *size == 0 ? CHUNK : *size;
	char *grown;

	if (more > max - len)
		return -E2BIG;
	if (len + more <= *size)
		return 0;
	while (want < len + more)
		want *= 2;
	grown = fault_hit() ? NULL : realloc(*buf, want);
	if (grown == NULL)
		return -ENOMEM;
	*buf = grown;
	*size = want;
	return 0;
}

int
iscsi_gather_add(struct iscsi_gather *gather, const void *data, size_t len)
{
	int r = buffer_reserve(&gather->buf, &gather->size, gather->len, len, ISCSI_TEXT_MAX);

	if (r < 0)
		return r;
	if (len > 0)
		memcpy(gather->buf + gather->len, data, len);
	gather->len += len;
	return 0;
}

int
iscsi_gather_whole(struct iscsi_gather *gather, const void *last, size_t len,
	struct iscsi_text *ret)
{
	int r;

	if (gather->len == 0) {
		if (len > ISCSI_TEXT_MAX)
			return -E2BIG;
		*ret = (struct iscsi_text){ last, len };
		return 0;
	}
	r = iscsi_gather_add(gather, last, len);
	if (r < 0)
		return r;
	*ret = (struct iscsi_text){ gather->buf, gather->len };
	return 0;
}

void
iscsi_gather_fini(struct iscsi_gather *gather)
{
	free(gather->buf);
	*gather = (struct iscsi_gather){ .buf = NULL };
}

/* ------ out ------ */

static bool
out_reserve(struct iscsi_text_out *out, size_t more)
{
	int r = out->error;

	if (r == 0)
		r = buffer_reserve(&out->buf, &out->size, out->len, more,
		    out->max == 0 ? ISCSI_TEXT_MAX : out->max);
	out->error = r;
	return r == 0;
}

static void
out_put(struct iscsi_text_out *out, const void *src, size_t len)
{
	if (len > 0)
		memcpy(out->buf + out->len, src, len);
	out->len += len;
}

void
iscsi_text_add_key(struct iscsi_text_out *out, struct iscsi_text key, const char *value)
{
	size_t len = strlen(value);

	if (!out_reserve(out, key.len + len + 2))
		return;
	out_put(out, key.at, key.len);
	out_put(out, "=", 1);
	out_put(out, value, len + 1);
}

void
iscsi_text_add(struct iscsi_text_out *out, const char *key, const char *value)
{
	iscsi_text_add_key(out, (struct iscsi_text){ key, strlen(key) }, value);
}

void
iscsi_text_addf(struct iscsi_text_out *out, const char *key, const char *fmt, ...)
{
	char value[FORMAT_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(value)) {
		if (out->error == 0)
			out->error = -E2BIG;
		return;
	}
	iscsi_text_add(out, key, value);
}

void
iscsi_text_add_hex(struct iscsi_text_out *out, const char *key, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;

	if (!out_reserve(out, strlen(key) + 2 * len + 4))
		return;
	out_put(out, key, strlen(key));
	out_put(out, "=0x", 3);
	for (size_t i = 0; i < len; i++) {
		out->buf[out->len++] = digits[bytes[i] >> 4];
		out->buf[out->len++] = digits[bytes[i] & 0x0f];
	}
	out_put(out, "", 1);
}

const char *
iscsi_text_out_piece(struct iscsi_text_out *out, size_t max, size_t *ret_len)
{
	size_t n = num_min(max, iscsi_text_out_left(out));
	const char *at = n == 0 ? "" : out->buf + out->sent;

	out->sent += n;
	*ret_len = n;
	return at;
}

void
iscsi_text_out_reset(struct iscsi_text_out *out)
{
	out->len = 0;
	out->sent = 0;
	out->error = 0;
}

void
iscsi_text_out_fini(struct iscsi_text_out *out)
{
	free(out->buf);
	*out = (struct iscsi_text_out){ .max = out->max };
}
