#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool
is_plain(uint8_t b)
{
	return b >= 0x20 && b <= 0x7e && b != '\\';
}

char *
text_escape(const void *src, size_t len, char *dst, size_t size)
{
	const uint8_t *s = src;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		size_t need = is_plain(s[i]) ? 1 : 4;
		size_t keep = i + 1 < len ? 3 : 0;	/* room for "..." while more follows */

		if (n + need + keep + 1 > size) {
			/* a last byte may still lack room: step back to where the dots fit */
			size_t dots = size < 4 ? size - 1 : 3;

			if (n > size - 1 - dots)
				n = size - 1 - dots;
			memset(dst + n, '.', dots);
			n += dots;
			break;
		}
		if (need == 1)
			dst[n] = (char)s[i];
		else
			(void)snprintf(dst + n, 5, "\\x%02x", s[i]);
		n += need;
	}
	dst[n] = '\0';
	return dst;
}

bool
text_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);
	size_t n = len < size ? len : size - 1;

	memcpy(dst, src, n);
	dst[n] = '\0';
	return n == len;
}

char *
text_trim_field(const void *src, size_t len, char *dst)
{
	const uint8_t *s = src;
	size_t start = 0;

	while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\0'))
		len--;
	while (start < len && s[start] == ' ')
		start++;
	for (size_t i = start; i < len; i++)
		dst[i - start] = s[i] >= 0x20 && s[i] <= 0x7e ? (char)s[i] : '.';
	dst[len - start] = '\0';
	return dst;
}
