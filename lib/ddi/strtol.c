#include <sys/sunddi.h>

#include <ctype.h>

#include "base/num.h"

/* magnitude_read() - digits of @base at *@text, moved behind them; 0, EINVAL or ERANGE */
static int
magnitude_read(const char **text, int base, uint64_t *ret_value)
{
	uint64_t value = 0;
	bool is_digit = true, has_digits = false, is_over = false;
	int digit;

	for (; is_digit; *text += is_digit) {
		unsigned char c = (unsigned char)**text;

		digit = isdigit(c) ? c - '0' : isalpha(c) ? tolower(c) - 'a' + 10 : base;
		is_digit = digit < base;
		if (!is_digit)
			break;
		has_digits = true;
		is_over = is_over || !num_mul(value, (uint64_t)base, &value) ||
		    !num_add(value, (uint64_t)digit, &value);
	}
	*ret_value = value;
	return !has_digits ? EINVAL : is_over ? ERANGE : 0;
}

/* prefix_skip() - the base of what follows; a prefix counts only with a digit behind it */
static int
prefix_skip(const char **text, int base)
{
	const char *p = *text;
	bool is_hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X') &&
	    isxdigit((unsigned char)p[2]);

	if (is_hex && (base == 0 || base == 16)) {
		*text = p + 2;
		return 16;
	}
	if (base == 0)
		return p[0] == '0' ? 8 : 10;
	return base;
}

/* number_read() - sign and magnitude; *@ret_end is written last: it may be where @text came
 * from */
static int
number_read(const char *text, char **ret_end, int base, bool *ret_is_minus, uint64_t *ret_value)
{
	const char *p = text;
	int r;

	if (base < 0 || base == 1 || base > 36)
		return EINVAL;
	while (isspace((unsigned char)*p))
		p++;
	*ret_is_minus = *p == '-';
	if (*p == '-' || *p == '+')
		p++;
	base = prefix_skip(&p, base);
	r = magnitude_read(&p, base, ret_value);
	if (ret_end != NULL)
		*ret_end = (char *)(uintptr_t)(r == EINVAL ? text : p);
	return r;
}

int
ddi_strtoll(const char *text, char **ret_end, int base, longlong_t *ret_value)
{
	uint64_t value = 0;
	bool is_minus = false;
	int r;

	r = number_read(text, ret_end, base, &is_minus, &value);
	if (r != 0)
		return r;
	if (value > (uint64_t)INT64_MAX + is_minus)
		return ERANGE;
	*ret_value = (longlong_t)(is_minus ? 0 - value : value);
	return 0;
}

int
ddi_strtoull(const char *text, char **ret_end, int base, u_longlong_t *ret_value)
{
	uint64_t value = 0;
	bool is_minus = false;
	int r;

	r = number_read(text, ret_end, base, &is_minus, &value);
	if (r == 0)
		*ret_value = is_minus ? 0 - value : value;
	return r;
}

int
ddi_strtol(const char *text, char **ret_end, int base, long *ret_value)
{
	longlong_t value;
	int r = ddi_strtoll(text, ret_end, base, &value);

	if (r == 0)
		*ret_value = (long)value;
	return r;
}

int
ddi_strtoul(const char *text, char **ret_end, int base, unsigned long *ret_value)
{
	u_longlong_t value;
	int r = ddi_strtoull(text, ret_end, base, &value);

	if (r == 0)
		*ret_value = (unsigned long)value;
	return r;
}
