#include "host/addr.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

/* @min to @max hexadecimal digits at *@text, which then stands behind them and @end */
static int
digits_take(const char **text, unsigned int min, unsigned int max, char end, uint32_t *ret)
{
	const char *p = *text;
	uint32_t v = 0;
	unsigned int n = 0;

	for (; n < max; n++, p++) {
		char c = *p;

		if (c >= '0' && c <= '9')
			v = v * 16 + (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v * 16 + (uint32_t)((c | 0x20) - 'a' + 10);
		else
			break;
	}
	if (n < min || *p != end)
		return -EINVAL;
	*text = end == '\0' ? p : p + 1;
	*ret = v;
	return 0;
}

int
host_addr_parse(const char *text, char ret[HOST_ADDR_LEN])
{
	uint32_t domain = 0, bus, dev, fn;
	const char *p = text;

	if (digits_take(&p, 4, 8, ':', &domain) < 0) {
		domain = 0;
		p = text;
	}
	if (digits_take(&p, 2, 2, ':', &bus) < 0 || digits_take(&p, 2, 2, '.', &dev) < 0 ||
	    digits_take(&p, 1, 1, '\0', &fn) < 0 || dev > 31 || fn > 7)
		return -EINVAL;
	(void)snprintf(ret, HOST_ADDR_LEN, "%04x:%02x:%02x.%x", domain, bus, dev, fn);
	return 0;
}
