#include "base/num.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 16;
}

/* reads digits from @text; *@ret_end is the first character that is none */
static int
parse_digits(const char *text, const char **ret_end, uint64_t *ret)
{
	unsigned int base = 10;
	uint64_t v = 0;
	bool has_digit = false;
	bool is_over = false;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	for (; (unsigned int)digit_value(*text) < base; text++) {
		has_digit = true;
		if (!num_mul(v, base, &v) || !num_add(v, (uint64_t)digit_value(*text), &v))
			is_over = true;
	}
	if (!has_digit)
		return -EINVAL;
	*ret_end = text;
	*ret = v;
	return is_over ? -ERANGE : 0;
}

int
num_parse_u64(const char *text, uint64_t max, uint64_t *ret)
{
	const char *end;
	uint64_t v;
	int r;

	r = parse_digits(text, &end, &v);
	if (r == -EINVAL || *end != '\0')
		return -EINVAL;
	if (r < 0 || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int
num_parse_bytes(const char *text, uint64_t max, uint64_t *ret_bytes)
{
	static const char units[] = "KMGTPE";
	const char *end, *unit;
	uint64_t v;
	int r;

	r = parse_digits(text, &end, &v);
	if (r == -EINVAL)
		return r;

	unit = *end == '\0' ? NULL : strchr(units, toupper((unsigned char)*end));
	if (unit != NULL) {
		if (r == 0 && !num_mul(v, 1ull << (10 * (unit - units + 1)), &v))
			r = -ERANGE;
		end++;
	}
	if (strcmp(end, "") != 0 && strcmp(end, "B") != 0 &&
	    (unit == NULL || strcmp(end, "iB") != 0))
		return -EINVAL;
	if (r < 0 || v > max)
		return -ERANGE;
	*ret_bytes = v;
	return 0;
}

char *
num_format_bytes(uint64_t bytes, char buf[NUM_BYTES_LEN])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double v = (double)bytes;
	size_t i = 0;

	while (v >= 1024 && i + 1 < ARRAY_LEN(units)) {
		v /= 1024;
		i++;
	}
	(void)snprintf(buf, NUM_BYTES_LEN, i == 0 ? "%.0f %s" : "%.1f %s", v, units[i]);
	return buf;
}

int
num_parse_hex(const char *text, uint8_t *buf, size_t size, size_t *ret_len)
{
	size_t n = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	while (*text != '\0') {
		int hi, lo;

		if (isspace((unsigned char)*text) || *text == ':') {
			text++;
			continue;
		}
		hi = digit_value(text[0]);
		lo = text[1] == '\0' ? 16 : digit_value(text[1]);
		if (hi > 15 || lo > 15)
			return -EINVAL;
		if (n == size)
			return -ENOSPC;
		buf[n++] = (uint8_t)(hi << 4 | lo);
		text += 2;
	}
	*ret_len = n;
	return 0;
}
