#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "daemon/ex_access.h"

char *
ex_addr_format(const struct sockaddr *addr, char dst[EX_ADDR_LEN])
{
	char host[INET6_ADDRSTRLEN] = "?";
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)addr;
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)addr;

	if (addr->sa_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		(void)snprintf(dst, EX_ADDR_LEN, "[%s]:%u", host, ntohs(in6->sin6_port));
	} else if (addr->sa_family == AF_INET) {
		(void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		(void)snprintf(dst, EX_ADDR_LEN, "%s:%u", host, ntohs(in->sin_port));
	} else {
		(void)snprintf(dst, EX_ADDR_LEN, "?");
	}
	return dst;
}

/* "192.0.2.7:3260" to its parts; @ret_port is "" when there is none */
static bool
addr_split(const char *word, char *host, size_t size, const char **ret_port)
{
	const char *end = word[0] == '[' ? strchr(word, ']') : strchr(word, ':');
	const char *begin = word + (word[0] == '[');
	size_t len;

	if (end == NULL) {
		if (word[0] == '[')
			return false;
		end = word + strlen(word);
	}
	len = (size_t)(end - begin);
	if (len >= size)
		return false;
	memcpy(host, begin, len);
	host[len] = '\0';
	end += *end == ']';
	if (*end != '\0' && *end != ':')
		return false;
	*ret_port = *end == ':' ? end + 1 : "";
	return *end == '\0' || end[1] != '\0';
}

int
ex_addr_parse(const char *word, struct sockaddr_storage *ret, socklen_t *ret_len)
{
	struct sockaddr_storage addr = { 0 };
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&addr;
	struct sockaddr_in *in = (struct sockaddr_in *)&addr;
	char host[INET6_ADDRSTRLEN];
	const char *port_word;
	uint64_t port = EX_PORT_DEFAULT;

	if (!addr_split(word, host, sizeof(host), &port_word) ||
	    (port_word[0] != '\0' && num_parse_u64(port_word, 65535, &port) < 0))
		return -EINVAL;
	if (word[0] == '[') {
		addr.ss_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		*ret_len = sizeof(*in6);
		if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
			return -EINVAL;
	} else {
		addr.ss_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		*ret_len = sizeof(*in);
		if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
			return -EINVAL;
	}
	*ret = addr;
	return 0;
}
