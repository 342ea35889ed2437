#include "iscsi_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/num.h"

#define TEXT_MAX	2048
#define ANSWER_MAX	16384
#define ROUNDS_MAX	8
#define READY_TRIES	10

enum { OP_LOGIN = 0x43, OP_LOGIN_RESPONSE = 0x23, OP_COMMAND = 0x01, OP_RESPONSE = 0x21,
	OP_DATA_IN = 0x25, OP_LOGOUT = 0x46, OP_LOGOUT_RESPONSE = 0x26 };

void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fprintf(stderr, "bench_iscsi: ");
	(void)vfprintf(stderr, fmt, ap);
	(void)fprintf(stderr, "\n");
	va_end(ap);
	exit(1);
}

static void
read_full(int fd, void *p, size_t n)
{
	while (n > 0) {
		ssize_t r = recv(fd, p, n, 0);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			die("the target closed the connection");
		p = (uint8_t *)p + r;
		n -= (size_t)r;
	}
}

static void
write_full(int fd, const void *p, size_t n)
{
	while (n > 0) {
		ssize_t r = send(fd, p, n, MSG_NOSIGNAL);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			die("the target closed the connection");
		p = (const uint8_t *)p + r;
		n -= (size_t)r;
	}
}

static int
wire_connect(uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("port %u: %s", port, strerror(errno));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* ------ login ------ */

static void
take_key(struct wire *w, const char *key, const char *value)
{
	uint32_t n = (uint32_t)strtoul(value, NULL, 0);

	if (strcmp(key, "MaxRecvDataSegmentLength") == 0)
		w->segment = n;
	else if (strcmp(key, "FirstBurstLength") == 0)
		w->first_burst = n;
	else if (strcmp(key, "ImmediateData") == 0)
		w->has_immediate = strcmp(value, "Yes") == 0;
}

static void
take_keys(struct wire *w, char *text, size_t len)
{
	for (char *p = text; p < text + len; p += strlen(p) + 1) {
		char *eq = strchr(p, '=');

		if (eq == NULL)
			continue;
		*eq = '\0';
		take_key(w, p, eq + 1);
		*eq = '=';
	}
}

static size_t
offer(const struct wire *w, const char *target, char text[TEXT_MAX])
{
	int n = snprintf(text, TEXT_MAX, "InitiatorName=iqn.2026-11.internal.bench:i%u\n"
	    "TargetName=%s\nSessionType=Normal\nHeaderDigest=None\nDataDigest=None\n"
	    "ErrorRecoveryLevel=0\nInitialR2T=No\nImmediateData=Yes\nMaxBurstLength=%u\n"
	    "FirstBurstLength=65536\nDefaultTime2Wait=0\nDefaultTime2Retain=0\n"
	    "MaxConnections=1\nMaxOutstandingR2T=1\nDataPDUInOrder=Yes\n"
	    "DataSequenceInOrder=Yes\nMaxRecvDataSegmentLength=%u\n",
	    w->index, target, WIRE_SEGMENT, WIRE_SEGMENT);

	if (n < 0 || n >= TEXT_MAX)
		die("target name too long");
	for (int i = 0; i < n; i++)
		if (text[i] == '\n')
			text[i] = '\0';
	return (size_t)n;
}

static void
login_send(struct wire *w, const char *text, size_t len)
{
	uint8_t pdu[WIRE_BHS + TEXT_MAX + 4] = { OP_LOGIN, 0x80 | 1 << 2 | 3 };

	be24_put(pdu + 5, (uint32_t)len);
	pdu[8] = 0x80;		/* ISID of the random kind */
	be24_put(pdu + 9, (uint32_t)getpid() & 0xffffff);
	be16_put(pdu + 12, (uint16_t)w->index);
	be32_put(pdu + 24, w->cmd_sn);
	be32_put(pdu + 28, w->exp_stat_sn);
	memcpy(pdu + WIRE_BHS, text, len);
	write_full(w->fd, pdu, WIRE_BHS + (len + 3) / 4 * 4);
}

/* true when the full feature phase is reached */
static bool
login_answer(struct wire *w)
{
	uint8_t h[WIRE_BHS];
	char text[ANSWER_MAX + 1];
	uint32_t len;

	read_full(w->fd, h, sizeof(h));
	len = be24_get(h + 5);
	if ((h[0] & 0x3f) != OP_LOGIN_RESPONSE || len > ANSWER_MAX - 4)
		die("login: unexpected PDU %02xh", h[0]);
	read_full(w->fd, text, (len + 3) / 4 * 4);
	text[len] = '\0';
	if (h[36] != 0)
		die("login refused, status %02x%02xh", h[36], h[37]);
	w->exp_stat_sn = be32_get(h + 24) + 1;
	w->max_cmd_sn = be32_get(h + 32);
	take_keys(w, text, len);
	return (h[1] & 0x80) != 0;
}

void
wire_login(struct wire *w, const struct iscsi_where *where, unsigned int index)
{
	char text[TEXT_MAX];
	size_t len;

	*w = (struct wire){
		.fd = wire_connect(where->port),
		.index = index,
		.lun = where->lun,
		.cmd_sn = 1,
		.segment = 8192,
		.first_burst = 65536,
		.has_immediate = true,
	};
	len = offer(w, where->name, text);
	for (unsigned int i = 0; i < ROUNDS_MAX; i++) {
		login_send(w, text, len);
		if (login_answer(w))
			return;
		len = 0;
	}
	die("login: no end to the negotiation");
}

/* ------ commands ------ */

uint8_t
wire_command(struct wire *w, const uint8_t *cdb, size_t len, void *buf, uint32_t size)
{
	uint8_t h[WIRE_BHS] = { OP_COMMAND, (uint8_t)(0x81 | (size > 0 ? 0x40 : 0)) };
	uint8_t data[4096];
	uint32_t n;

	be16_put(h + 8, w->lun);
	be32_put(h + 16, 0x1234);
	be32_put(h + 20, size);
	be32_put(h + 24, w->cmd_sn++);
	be32_put(h + 28, w->exp_stat_sn);
	memcpy(h + 32, cdb, len);
	write_full(w->fd, h, sizeof(h));
	for (;;) {
		read_full(w->fd, h, sizeof(h));
		n = be24_get(h + 5);
		if (n > sizeof(data) - 4)
			die("an answer of %u bytes to a small command", n);
		read_full(w->fd, data, (n + 3) / 4 * 4);
		w->max_cmd_sn = be32_get(h + 32);
		if ((h[0] & 0x3f) == OP_DATA_IN && buf != NULL)
			memcpy(buf, data, num_min(n, size));
		if ((h[0] & 0x3f) == OP_RESPONSE ||
		    ((h[0] & 0x3f) == OP_DATA_IN && (h[1] & 1) != 0))
			break;
	}
	w->exp_stat_sn = be32_get(h + 24) + 1;
	return h[3];
}

void
wire_ready(struct wire *w, uint64_t *ret_blocks, uint32_t *ret_block_bytes)
{
	static const uint8_t ready[6], capacity[10] = { 0x25 };
	uint8_t data[8];

	for (int i = 0; i < READY_TRIES && wire_command(w, ready, 6, NULL, 0) != 0; i++)
		;
	if (wire_command(w, capacity, 10, data, sizeof(data)) != 0)
		die("READ CAPACITY(10) failed");
	*ret_blocks = (uint64_t)be32_get(data) + 1;
	*ret_block_bytes = be32_get(data + 4);
	if (*ret_block_bytes == 0)
		die("a unit with blocks of 0 bytes");
}

void
wire_logout(struct wire *w)
{
	uint8_t h[WIRE_BHS] = { OP_LOGOUT, 0x80 };
	uint8_t sink[4096];

	be32_put(h + 16, 0x7fff);
	be32_put(h + 24, w->cmd_sn);
	be32_put(h + 28, w->exp_stat_sn);
	write_full(w->fd, h, sizeof(h));
	do {
		read_full(w->fd, h, sizeof(h));
		for (uint32_t n = (be24_get(h + 5) + 3) / 4 * 4, k; n > 0; n -= k) {
			k = n < sizeof(sink) ? n : (uint32_t)sizeof(sink);
			read_full(w->fd, sink, k);
		}
	} while ((h[0] & 0x3f) != OP_LOGOUT_RESPONSE);
	(void)close(w->fd);
}
