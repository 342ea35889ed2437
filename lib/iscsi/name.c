/* name.c - normal forms of names and addresses */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "iscsi/name.h"
#include "iscsi/pdu.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_hex(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_digit(at[i]) && !(at[i] >= 'a' && at[i] <= 'f'))
			return false;
	return true;
}

/* bytes of the well-formed UTF-8 sequence at @at, 0 if there is none (RFC 3629 section 4) */
static size_t
utf8_len(const uint8_t *at, size_t left)
{
	uint32_t min = 0x80, v;
	size_t n = 2;

	if (at[0] >= 0xc2 && at[0] <= 0xdf) {
		v = at[0] & 0x1f;
	} else if (at[0] >= 0xe0 && at[0] <= 0xef) {
		n = 3;
		min = 0x800;
		v = at[0] & 0x0f;
	} else if (at[0] >= 0xf0 && at[0] <= 0xf4) {
		n = 4;
		min = 0x10000;
		v = at[0] & 0x07;
	} else {
		return 0;
	}
	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (at[i] & 0x3fu);
	}
	/* C1 controls, surrogates and no-break spaces are nothing for a name */
	if (v < min || v <= 0xa0 || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	return n;
}

static bool
is_name_text(const char *at, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = 1;

		if ((at[i] & 0x80) != 0)
			n = utf8_len((const uint8_t *)at + i, len - i);
		else if (at[i] <= ' ' || at[i] == 0x7f)
			n = 0;
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

/* eui. and naa.: fixed numbers of hex digits; 0 for an iqn. name, which says it is neither */
static int
check_number(const char *name, size_t len)
{
	size_t digits = len - 4;

	if (memcmp(name, "eui.", 4) == 0)
		return digits == 16 && is_hex(name + 4, digits) ? 1 : -EINVAL;
	if (memcmp(name, "naa.", 4) == 0)
		return (digits == 16 || digits == 32) && is_hex(name + 4, digits) ? 1 : -EINVAL;
	return memcmp(name, "iqn.", 4) == 0 ? 0 : -EINVAL;
}

int
iscsi_name_fold(const char *src, size_t len, char ret[ISCSI_NAME_LEN])
{
	char name[ISCSI_NAME_LEN];
	int r;

	if (len > ISCSI_NAME_MAX)
		return -E2BIG;
	if (len < 5)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		name[i] = src[i] >= 'A' && src[i] <= 'Z' ? (char)(src[i] | 0x20) : src[i];
	name[len] = '\0';
	r = check_number(name, len);
	if (r < 0)
		return r;
	if (r == 0 && !is_name_text(name + 4, len - 4))
		return -EINVAL;
	memcpy(ret, name, len + 1);
	return 0;
}

/* "yyyy-mm." in front of the reversed domain */
static bool
is_iqn_date(const char *at)
{
	for (size_t i = 0; i < 8; i++)
		if (i == 4 ? at[i] != '-' : i == 7 ? at[i] != '.' : !is_digit(at[i]))
			return false;
	return (at[5] == '0' && at[6] != '0') || (at[5] == '1' && at[6] <= '2');
}

/* labels of letters, digits and inner hyphens, separated by single dots */
static bool
is_iqn_domain(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool is_edge = i == 0 || i + 1 == len || at[i - 1] == '.' || at[i + 1] == '.';

		if (is_lower(at[i]) || is_digit(at[i]))
			continue;
		if (is_edge || (at[i] != '.' && at[i] != '-'))
			return false;
	}
	return len > 0;
}

int
iscsi_name_check(const char *name)
{
	size_t len = strlen(name), domain;
	int r;

	if (len > ISCSI_NAME_MAX)
		return -E2BIG;
	if (len < 5)
		return -EINVAL;
	r = check_number(name, len);
	if (r != 0)
		return r < 0 ? r : 0;
	if (len < 13 || !is_iqn_date(name + 4))
		return -EINVAL;
	domain = strcspn(name + 12, ":");
	if (!is_iqn_domain(name + 12, domain))
		return -EINVAL;
	for (const char *c = name + 12 + domain; *c != '\0'; c++)
		if (!is_lower(*c) && !is_digit(*c) && *c != '.' && *c != '-' && *c != ':')
			return -EINVAL;
	return name[12 + domain] == ':' && name[13 + domain] == '\0' ? -EINVAL : 0;
}

char *
iscsi_port_name(const char *initiator, const uint8_t isid[ISCSI_ISID_LEN],
	char dst[ISCSI_PORT_NAME_LEN])
{
	(void)snprintf(dst, ISCSI_PORT_NAME_LEN, "%.*s,i,0x%02x%02x%02x%02x%02x%02x",
	    ISCSI_NAME_MAX, initiator, isid[0], isid[1], isid[2], isid[3], isid[4], isid[5]);
	return dst;
}

/* ------ addresses ------ */

/* a decimal number above 0 up to @end, which is the text's end or the character @stop */
static bool
parse_u16(const char **at, char stop, uint16_t *ret)
{
	const char *c = *at;
	uint32_t v = 0;

	if (!is_digit(*c))
		return false;
	while (is_digit(*c) && v <= UINT16_MAX)
		v = v * 10 + (uint32_t)(*c++ - '0');
	if (v == 0 || v > UINT16_MAX || (*c != '\0' && *c != stop))
		return false;
	*at = c;
	*ret = (uint16_t)v;
	return true;
}

static bool
is_host(const char *at, size_t len, bool is_v6)
{
	static const char v6[] = "0123456789abcdefABCDEF:.%";

	for (size_t i = 0; i < len; i++) {
		bool is_name = is_lower((char)(at[i] | 0x20)) || is_digit(at[i]) ||
			at[i] == '.' || at[i] == '-' || at[i] == '_';

		/* behind the '%' of a link-local address stands the name of an interface */
		if (is_v6 ? strchr(v6, at[i]) == NULL && !(is_name && memchr(at, '%', i) != NULL) :
		    !is_name)
			return false;
	}
	return len > 0 && len < ISCSI_HOST_LEN && (!is_v6 || memchr(at, ':', len) != NULL);
}

int
iscsi_address_parse(const char *text, struct iscsi_address *ret)
{
	struct iscsi_address address = { .port = ISCSI_PORT_DEFAULT };
	bool is_v6 = *text == '[';
	const char *at = text + is_v6;
	size_t len = strcspn(at, is_v6 ? "]" : ":,");

	if (!is_host(at, len, is_v6) || (is_v6 && at[len] != ']'))
		return -EINVAL;
	memcpy(address.host, at, len);
	address.host[len] = '\0';
	at += len + is_v6;
	if (*at == ':') {
		at++;
		if (!parse_u16(&at, ',', &address.port))
			return -EINVAL;
	}
	if (*at == ',') {
		at++;
		if (!parse_u16(&at, '\0', &address.tag))
			return -EINVAL;
	}
	if (*at != '\0')
		return -EINVAL;
	*ret = address;
	return 0;
}

char *
iscsi_address_format(const struct iscsi_address *address, char dst[ISCSI_ADDRESS_LEN])
{
	bool is_v6 = strchr(address->host, ':') != NULL;
	int n = snprintf(dst, ISCSI_ADDRESS_LEN, "%s%s%s:%u", is_v6 ? "[" : "", address->host,
	    is_v6 ? "]" : "", address->port);

	if (address->tag != 0)
		(void)snprintf(dst + n, ISCSI_ADDRESS_LEN - (size_t)n, ",%u", address->tag);
	return dst;
}
