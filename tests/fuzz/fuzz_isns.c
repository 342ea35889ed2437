/*
 * fuzz_isns.c - what a name server may send, and what an administrator may call one
 *
 * The first byte picks: an answer, a stream of PDUs over a real connection, or a name.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/isns_impl.h"

#define NODE	"iqn.2001-01.com.example:a"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
answer(bool is_whole, const uint8_t *data, size_t size)
{
	struct isns_answer a;

	if (isns_answer_parse(data, size, is_whole, NODE, &a) == 0)
		assert(size >= 4 && isns_status_text(a.status)[0] != '\0');
}

static void
attributes(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_read_init(data, size);
	struct isns_attr attr;

	while (isns_attr_next(&c, &attr))
		assert(attr.value >= data && attr.len <= size &&
		    attr.value + attr.len <= data + size);
}

/* the other end has said all that it will ever say */
static void
stream(const uint8_t *data, size_t size)
{
	const struct isns_speaker who = { "e", NODE };
	uint8_t msg[ISNS_MSG_MAX];
	struct isns_link link = { .stop_fd = -1 };
	struct isns_answer a;
	int pair[2], r;

	if (size > 60000 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return;
	link.fd = pair[0];
	link.payload = malloc(ISNS_PAYLOAD_MAX);
	assert(link.payload != NULL);
	assert(send(pair[1], data, size, 0) == (ssize_t)size);
	assert(shutdown(pair[1], SHUT_WR) == 0);
	r = isns_link_call(&link, msg, isns_msg_query(&who, isns_link_xid(&link), msg), NODE,
	    1000, &a);
	assert(r <= 0 && r != -ETIMEDOUT);
	isns_link_close(&link);
	(void)close(pair[1]);
}

static void
name(const uint8_t *data, size_t size)
{
	char host[ISNS_HOST_LEN], port[ISNS_PORT_LEN];
	char *text = malloc(size + 1);

	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (isns_split(text, host, port))
		assert(host[0] != '\0' && strtoul(port, NULL, 10) - 1 < 65535);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	switch (data[0] % 4) {
	case 0:
		answer((data[0] & 4) != 0, data + 1, size - 1);
		break;
	case 1:
		stream(data + 1, size - 1);
		break;
	case 2:
		name(data + 1, size - 1);
		break;
	default:
		attributes(data + 1, size - 1);
		break;
	}
	return 0;
}
