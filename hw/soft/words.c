#include "hw/soft/words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "base/text.h"

int
words_error(char *reterr, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(reterr, WORDS_ERR_LEN, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int
words_unknown(const struct word *table, size_t n, const char *name, char *reterr)
{
	char shown[48];
	size_t used;

	(void)text_escape(name, strlen(name), shown, sizeof(shown));
	(void)words_error(reterr, "'%s': no such word; there are", shown);
	for (size_t i = 0; i < n; i++) {
		used = strlen(reterr);
		(void)snprintf(reterr + used, WORDS_ERR_LEN - used, " %s", table[i].name);
	}
	return -EINVAL;
}

/* one word of @text (writable); its place in the table is marked in *@seen */
static int
words_one(
    char *text, const struct word *table, size_t n, uint32_t *seen, void *dst, char *reterr)
{
	char why[WORDS_ERR_LEN] = "", shown[64];
	char *value = strchr(text, '=');
	size_t i;
	int r;

	if (value != NULL)
		*value++ = '\0';
	for (i = 0; i < n && strcmp(table[i].name, text) != 0; i++)
		;
	if (i == n)
		return words_unknown(table, n, text, reterr);
	if ((*seen & 1u << i) != 0)
		return words_error(reterr, "'%s' is given twice", text);
	*seen |= 1u << i;

	r = table[i].read(dst, value, why);
	if (r == 0)
		return 0;
	(void)text_escape(value == NULL ? "" : value, value == NULL ? 0 : strlen(value), shown,
	    sizeof(shown));
	return words_error(
	    reterr, "'%s%s%s': %.200s", text, value == NULL ? "" : "=", shown, why);
}

int
words_parse(const char *text, const struct word *table, size_t n, void *dst, char *reterr)
{
	CLEANUP(free_ptr) char *copy = strdup(text);
	uint32_t seen = 0;
	char *rest = copy, *one;
	int r;

	if (copy == NULL)
		return words_error(reterr, "out of memory");

	while ((one = strsep(&rest, ",")) != NULL) {
		if (*one == '\0')
			return words_error(
			    reterr, "a word is missing between or behind commas");
		r = words_one(one, table, n, &seen, dst, reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

int
words_u64(const char *value, uint64_t min, uint64_t max, uint64_t *ret, char *reterr)
{
	uint64_t v;

	if (value == NULL || num_parse_u64(value, max, &v) < 0 || v < min)
		return words_error(reterr, "needs a number from %llu to %llu",
		    (unsigned long long)min, (unsigned long long)max);
	*ret = v;
	return 0;
}

int
words_bytes(const char *value, uint64_t max, uint64_t *ret, char *reterr)
{
	char text[NUM_BYTES_LEN];
	uint64_t v;

	if (value == NULL || num_parse_bytes(value, UINT64_MAX, &v) < 0)
		return words_error(reterr, "needs a size, for instance 512, 64K, 8G or 1T");
	if (v > max)
		return words_error(
		    reterr, "is above the limit of %s", num_format_bytes(max, text));
	*ret = v;
	return 0;
}

int
words_bool(const char *value, bool *ret, char *reterr)
{
	static const char *const yes[] = { "1", "yes", "on", "true" };
	static const char *const no[] = { "0", "no", "off", "false" };

	if (value == NULL) {
		*ret = true;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcmp(value, yes[i]) == 0) {
			*ret = true;
			return 0;
		}
		if (strcmp(value, no[i]) == 0) {
			*ret = false;
			return 0;
		}
	}
	return words_error(reterr, "needs 1 or 0");
}

int
words_wwn(const char *value, uint64_t *ret, char *reterr)
{
	size_t len;
	uint8_t wwn[8];

	if (value != NULL && value[0] == 'w')
		value++;
	if (value == NULL || strlen(value) != 16 ||
	    num_parse_hex(value, wwn, sizeof(wwn), &len) < 0 || len != sizeof(wwn) ||
	    be64_get(wwn) == 0)
		return words_error(
		    reterr, "needs a world wide name of 16 hexadecimal digits");
	*ret = be64_get(wwn);
	return 0;
}

int
words_text(const char *value, char *ret, size_t size, char *reterr)
{
	size_t len = value == NULL ? 0 : strlen(value);

	if (len == 0 || len >= size)
		return words_error(reterr, "needs 1 to %zu characters", size - 1);
	for (size_t i = 0; i < len; i++) {
		if (value[i] < 0x20 || value[i] > 0x7e)
			return words_error(reterr, "may hold printable ASCII only");
	}
	memcpy(ret, value, len + 1);
	return 0;
}

int
words_label(const char *value, char *ret, size_t size, char *reterr)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._-";
	size_t len = value == NULL ? 0 : strlen(value);

	if (len == 0 || len >= size)
		return words_error(reterr, "needs 1 to %zu characters", size - 1);
	if (strspn(value, good) != len)
		return words_error(reterr, "may hold letters, digits, '.', '_' and '-' only");
	memcpy(ret, value, len + 1);
	return 0;
}
