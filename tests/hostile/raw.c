#include "hostile/raw.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ------ fields ------ */

uint16_t
raw_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t
raw_be32(const uint8_t *p)
{
	return (uint32_t)raw_be16(p) << 16 | raw_be16(p + 2);
}

void
raw_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void
raw_put24(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 16);
	raw_put16(p + 1, (uint16_t)v);
}

void
raw_put32(uint8_t *p, uint32_t v)
{
	raw_put16(p, (uint16_t)(v >> 16));
	raw_put16(p + 2, (uint16_t)v);
}

uint8_t
raw_op(const struct raw *raw)
{
	return raw->bhs[0] & 0x3f;
}

uint32_t
raw_tag(const struct raw *raw)
{
	return raw_be32(raw->bhs + 16);
}

/* CRC32C bit by bit: slow and plain */
static uint32_t
crc_add(uint32_t crc, const uint8_t *p, size_t n)
{
	while (n-- > 0) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (0x82f63b78u & -(crc & 1));
	}
	return crc;
}

/* the digest is sent with its least significant byte first */
static void
crc_put(uint8_t *p, uint32_t crc)
{
	crc = ~crc;
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(crc >> (8 * i));
}

/* ------ the stream ------ */

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
raw_init(struct raw *raw, const struct raw_where *where, unsigned int index)
{
	memset(raw, 0, sizeof(*raw));
	raw->fd = -1;
	raw->where = where;
	raw->initiator = "iqn.2026-11.internal.hostile:a";
	raw->isid[0] = 0x80; /* of the random kind */
	raw_put16(raw->isid + 1, (uint16_t)getpid());
	raw_put16(raw->isid + 4, (uint16_t)index);
	raw->cmd_sn = 1;
	raw->segment = 8192;
}

int
raw_connect(struct raw *raw)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
	struct addrinfo *ai;
	char port[8];
	int one = 1, r = 0;

	(void)snprintf(port, sizeof(port), "%u", raw->where->port);
	if (getaddrinfo(raw->where->host, port, &hints, &ai) != 0)
		return -EHOSTUNREACH;
	raw->fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (raw->fd < 0 || connect(raw->fd, ai->ai_addr, ai->ai_addrlen) < 0)
		r = -errno;
	freeaddrinfo(ai);
	if (r < 0) {
		raw_close(raw);
		return r;
	}
	(void)setsockopt(raw->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	raw->exp_stat_sn = 0;
	return 0;
}

void
raw_close(struct raw *raw)
{
	if (raw->fd >= 0)
		(void)close(raw->fd);
	raw->fd = -1;
}

void
raw_abort(struct raw *raw)
{
	struct linger linger = { 1, 0 };

	(void)setsockopt(raw->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	raw_close(raw);
}

bool
raw_bytes(struct raw *raw, const void *p, size_t n)
{
	int64_t until = now_ms() + RAW_WAIT_MS;

	while (n > 0) {
		struct pollfd poller = { raw->fd, POLLOUT, 0 };
		ssize_t r = send(raw->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (r < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (r < 0) {
			if (now_ms() > until)
				return false;
			(void)poll(&poller, 1, 100);
			continue;
		}
		p = (const uint8_t *)p + r;
		n -= (size_t)r;
	}
	return true;
}

static enum raw_got
take_bytes(struct raw *raw, void *p, size_t n, int64_t until)
{
	while (n > 0) {
		struct pollfd poller = { raw->fd, POLLIN, 0 };
		int64_t left = until - now_ms();
		ssize_t r;

		/* what is there is taken, be it that we were stopped until the time was over */
		if (poll(&poller, 1, left > 0 ? (int)left : 0) == 0)
			return RAW_NOTHING;
		r = recv(raw->fd, p, n, MSG_DONTWAIT);
		if (r < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (r <= 0)
			return RAW_CLOSED;
		p = (uint8_t *)p + r;
		n -= (size_t)r;
	}
	return RAW_PDU;
}

/* ------ PDUs ------ */

bool
raw_pdu(struct raw *raw, uint8_t bhs[RAW_BHS], const void *data, uint32_t len)
{
	static const uint8_t zeros[3];
	uint32_t crc = 0xffffffffu, pad = -len & 3;
	uint8_t digest[4];

	raw_put24(bhs + 5, len);
	crc_put(digest, crc_add(crc, bhs, RAW_BHS));
	if (!raw_bytes(raw, bhs, RAW_BHS) ||
	    (raw->has_header_digest && !raw_bytes(raw, digest, 4)))
		return false;
	if (len == 0)
		return true;
	crc_put(digest, crc_add(crc_add(crc, data, len), zeros, pad));
	return raw_bytes(raw, data, len) && raw_bytes(raw, zeros, pad) &&
	    (!raw->has_data_digest || raw_bytes(raw, digest, 4));
}

/* what follows a header: data kept as far as it fits, padding, digest */
static enum raw_got
take_segment(struct raw *raw, int64_t until)
{
	size_t keep = raw->len < RAW_KEEP ? raw->len : RAW_KEEP;
	size_t left = raw->len - keep + (-raw->len & 3) + (raw->has_data_digest ? 4 : 0);
	enum raw_got got = take_bytes(raw, raw->data, keep, until);
	uint8_t sink[4096];

	raw->data[keep] = '\0';
	if (raw->len == 0)
		return RAW_PDU;
	while (got == RAW_PDU && left > 0) {
		size_t n = left < sizeof(sink) ? left : sizeof(sink);

		got = take_bytes(raw, sink, n, until);
		left -= n;
	}
	return got;
}

/* those whose StatSN counts: all but R2T, Data-In without status, NOP-In that asks */
static bool
has_status(const struct raw *raw)
{
	uint8_t op = raw_op(raw);

	return op != RAW_R2T && (op != RAW_DATA_IN || (raw->bhs[1] & 0x01) != 0) &&
	    (op != RAW_NOP_IN || raw_tag(raw) != RAW_NO_TAG);
}

enum raw_got
raw_recv(struct raw *raw, int wait_ms)
{
	int64_t until = now_ms() + wait_ms;
	enum raw_got got = take_bytes(raw, raw->bhs, RAW_BHS, until);
	uint8_t digest[4];

	if (got != RAW_PDU)
		return got;
	if (raw->has_header_digest)
		got = take_bytes(raw, digest, 4, until);
	raw->len = (uint32_t)raw->bhs[5] << 16 | raw_be16(raw->bhs + 6);
	if (got == RAW_PDU)
		got = take_segment(raw, until);
	if (got != RAW_PDU)
		return got;
	if (has_status(raw))
		raw->exp_stat_sn = raw_be32(raw->bhs + 24) + 1;
	raw->max_cmd_sn = raw_be32(raw->bhs + 32);
	return RAW_PDU;
}

void
raw_head(struct raw *raw, uint8_t bhs[RAW_BHS], uint8_t op, uint8_t flags)
{
	memset(bhs, 0, RAW_BHS);
	bhs[0] = op;
	bhs[1] = flags;
	raw_put16(bhs + 8, raw->where->lun);
	raw_put32(bhs + 16, ++raw->itt);
	raw_put32(bhs + 24, raw->cmd_sn);
	raw_put32(bhs + 28, raw->exp_stat_sn);
	if ((op & RAW_IMMEDIATE) == 0 && op != RAW_DATA_OUT && op != RAW_SNACK)
		raw->cmd_sn++;
}

/* a header with the rest of a long CDB behind it: no data, no digests (11.2.2.3) */
static bool
send_long(struct raw *raw, const uint8_t *bhs, const uint8_t *cdb, size_t cdb_len)
{
	uint8_t whole[RAW_BHS + 4 + RAW_CDB_MAX] = { 0 };
	size_t rest = cdb_len - 16;

	memcpy(whole, bhs, RAW_BHS);
	whole[4] = (uint8_t)((4 + rest + 3) / 4);
	raw_put16(whole + RAW_BHS, (uint16_t)(rest + 1));
	whole[RAW_BHS + 2] = 1;
	memcpy(whole + RAW_BHS + 4, cdb + 16, rest);
	return raw_bytes(raw, whole, RAW_BHS + whole[4] * 4u);
}

bool
raw_cmd(struct raw *raw, uint8_t flags, const void *cdb, size_t cdb_len, uint32_t edtl,
    const void *data, uint32_t len)
{
	uint8_t bhs[RAW_BHS];

	raw_head(raw, bhs, RAW_CMD, flags);
	raw_put32(bhs + 20, edtl);
	memcpy(bhs + 32, cdb, cdb_len < 16 ? cdb_len : 16);
	if (cdb_len > 16 && cdb_len <= RAW_CDB_MAX && len == 0 && !raw->has_header_digest)
		return send_long(raw, bhs, cdb, cdb_len);
	return raw_pdu(raw, bhs, data, len);
}

bool
raw_data_out(struct raw *raw, uint8_t flags, uint32_t itt, uint32_t ttt, uint32_t sn,
    uint32_t offset, const void *data, uint32_t len)
{
	uint8_t bhs[RAW_BHS] = { RAW_DATA_OUT, flags };

	raw_put16(bhs + 8, raw->where->lun);
	raw_put32(bhs + 16, itt);
	raw_put32(bhs + 20, ttt);
	raw_put32(bhs + 28, raw->exp_stat_sn);
	raw_put32(bhs + 36, sn);
	raw_put32(bhs + 40, offset);
	return raw_pdu(raw, bhs, data, len);
}

/* ------ login ------ */

bool
raw_login_pdu(struct raw *raw, uint8_t flags, const char *text)
{
	uint8_t bhs[RAW_BHS] = { RAW_LOGIN | RAW_IMMEDIATE, flags };
	char keys[RAW_TEXT_MAX];
	size_t len = strlen(text);

	if (len >= sizeof(keys))
		return false;
	for (size_t i = 0; i <= len; i++)
		keys[i] = text[i] == '\n' ? '\0' : text[i];
	memcpy(bhs + 8, raw->isid, 6);
	raw_put16(bhs + 14, raw->tsih);
	raw_put32(bhs + 16, raw->itt);
	raw_put16(bhs + 20, raw->cid);
	raw_put32(bhs + 24, raw->cmd_sn);
	raw_put32(bhs + 28, raw->exp_stat_sn);
	return raw_pdu(raw, bhs, keys, (uint32_t)len);
}

const char *
raw_key(const struct raw *raw, const char *key)
{
	size_t n = strlen(key), len = raw->len < RAW_KEEP ? raw->len : RAW_KEEP;
	const char *text = (const char *)raw->data;

	for (const char *p = text; p < text + len; p += strlen(p) + 1)
		if (strncmp(p, key, n) == 0 && p[n] == '=')
			return p + n + 1;
	return "";
}

static void
login_keys(struct raw *raw, bool *crc_head, bool *crc_data)
{
	unsigned int n;

	*crc_head |= strcmp(raw_key(raw, "HeaderDigest"), "CRC32C") == 0;
	*crc_data |= strcmp(raw_key(raw, "DataDigest"), "CRC32C") == 0;
	if (sscanf(raw_key(raw, "MaxRecvDataSegmentLength"), "%u", &n) == 1)
		raw->segment = n;
}

int
raw_login(struct raw *raw, const char *keys)
{
	char text[RAW_TEXT_MAX];
	bool crc_head = false, crc_data = false;
	int r = raw_connect(raw);

	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text),
	    "InitiatorName=%s\nTargetName=%s\nSessionType=Normal\n%s", raw->initiator,
	    raw->where->name, keys);
	for (int i = 0; i < 8; i++) {
		if (!raw_login_pdu(raw, 0x80 | 1 << 2 | 3, i == 0 ? text : "") ||
		    raw_recv(raw, RAW_WAIT_MS) != RAW_PDU || raw_op(raw) != RAW_LOGIN_RSP)
			return -EPROTO;
		if (raw_be16(raw->bhs + 36) != 0)
			return raw_be16(raw->bhs + 36);
		login_keys(raw, &crc_head, &crc_data);
		if ((raw->bhs[1] & 0x80) == 0)
			continue;
		raw->tsih = raw_be16(raw->bhs + 14);
		raw->has_header_digest = crc_head;
		raw->has_data_digest = crc_data;
		return 0;
	}
	return -EPROTO;
}

/* ------ commands, done properly ------ */

uint32_t
raw_sense(const struct raw *raw)
{
	const uint8_t *s = raw->data + 2;

	if (raw_op(raw) != RAW_RSP || raw->len < 2 + 8)
		return 0;
	if ((s[0] & 0x7e) == 0x72)
		return (uint32_t)(s[1] & 0x0f) << 16 | raw_be16(s + 2);
	if (raw->len < 2 + 14)
		return (uint32_t)(s[2] & 0x0f) << 16;
	return (uint32_t)(s[2] & 0x0f) << 16 | raw_be16(s + 12);
}

/* what an R2T asks for, as zeros behind the end of @out */
static bool
answer_r2t(struct raw *raw, const uint8_t *out, uint32_t out_len)
{
	static uint8_t zeros[65536];
	uint32_t itt = raw_tag(raw), ttt = raw_be32(raw->bhs + 20), sn = 0;
	uint32_t at = raw_be32(raw->bhs + 40), left = raw_be32(raw->bhs + 44);

	while (left > 0) {
		uint32_t n = left < raw->segment ? left : raw->segment;
		const uint8_t *p = zeros;

		if (n > sizeof(zeros))
			n = sizeof(zeros);
		if (at < out_len) {
			p = out + at;
			n = n < out_len - at ? n : out_len - at;
		}
		left -= n;
		if (!raw_data_out(raw, left == 0 ? RAW_FINAL : 0, itt, ttt, sn++, at, p, n))
			return false;
		at += n;
	}
	return true;
}

static int
wait_status(struct raw *raw, uint32_t itt, const uint8_t *out, uint32_t out_len)
{
	for (;;) {
		enum raw_got got = raw_recv(raw, RAW_WAIT_MS);

		if (got != RAW_PDU)
			return got == RAW_CLOSED ? -EPIPE : -ETIMEDOUT;
		if (raw_op(raw) == RAW_REJECT)
			return -EPROTO;
		if (raw_tag(raw) != itt)
			continue;
		if (raw_op(raw) == RAW_R2T && !answer_r2t(raw, out, out_len))
			return -EPIPE;
		if (raw_op(raw) == RAW_RSP ||
		    (raw_op(raw) == RAW_DATA_IN && (raw->bhs[1] & 0x01) != 0))
			return raw->bhs[3];
	}
}

int
raw_run(struct raw *raw, const void *cdb, size_t cdb_len, const void *out, uint32_t out_len,
    uint32_t in_len)
{
	uint8_t flags = (uint8_t)(RAW_FINAL | RAW_SIMPLE | (out_len > 0 ? RAW_WRITE : 0) |
	    (in_len > 0 ? RAW_READ : 0));

	if (!raw_cmd(raw, flags, cdb, cdb_len, out_len > 0 ? out_len : in_len, NULL, 0))
		return -EPIPE;
	return wait_status(raw, raw->itt, out, out_len);
}

bool
raw_ready(struct raw *raw)
{
	static const uint8_t test_unit_ready[6];

	for (int i = 0; i < 10; i++) {
		int r = raw_run(raw, test_unit_ready, 6, NULL, 0, 0);

		if (r <= 0)
			return r == 0;
	}
	return false;
}
