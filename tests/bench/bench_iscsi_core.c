/*
 * bench_iscsi_core - what the iSCSI machine itself costs for one command
 *
 * Batches of commands lie in memory as an initiator would have sent them; they are handed in,
 * the host answers at once from memory of its own, the pieces to send are asked for and
 * declared sent. No sockets, no unit: the difference to a whole target is everything but
 * lib/iscsi.
 *
 * usage: bench_iscsi_core [--ms N] [--reads N] [--batch N] [--digests]
 *   --ms       time for each row (500)
 *   --reads    so many READ commands, and nothing else: for a profiler (tests/bench/run counts
 *              instructions of batch_run())
 *   --batch    commands that lie in the connection at a time (32)
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "iscsi/digest.h"
#include "iscsi/iscsi.h"

#define BATCH_MAX	128
#define TARGET		"iqn.2026-01.test:disk"
#define BLOCK		4096u

static const char plain[] = "InitiatorName=iqn.2026-01.test:host\0TargetName=" TARGET
    "\0SessionType=Normal\0InitialR2T=No\0ImmediateData=Yes\0"
    "MaxRecvDataSegmentLength=262144\0FirstBurstLength=262144\0";
static const char digests[] = "HeaderDigest=CRC32C\0DataDigest=CRC32C\0";

static struct iscsi_node *node;
static struct iscsi_conn *conn;
static uint8_t memory[BLOCK];
static uint8_t *write_buf[BATCH_MAX * 2];
static unsigned int n_write_bufs;
static bool has_digests;

/* ------ the host ------ */

static uint16_t
find_target(struct iscsi_conn *c, const struct iscsi_login_result *who,
    struct iscsi_login_target *ret, struct iscsi_node **ret_node)
{
	(void)c;
	(void)who;
	ret->auth = ISCSI_AUTH_NONE;
	ret->window = 128;
	*ret_node = node;
	return ISCSI_LOGIN_OK;
}

static bool
move(struct iscsi_conn *c, struct iscsi_node *n)
{
	(void)c;
	(void)n;
	return true;
}

static int
session_begin(struct iscsi_session *session, struct iscsi_conn *c)
{
	(void)session;
	(void)c;
	return 0;
}

static void
session_end(struct iscsi_session *session, enum iscsi_end why)
{
	(void)session;
	(void)why;
}

static void
data_release(struct iscsi_cmd *cmd)
{
	(void)cmd;
}

static void
command(struct iscsi_cmd *cmd)
{
	struct iscsi_result result = { .moved = cmd->edtl };

	if (cmd->dir == ISCSI_DIR_READ) {
		cmd->data = memory;
		cmd->data_len = cmd->edtl;
		cmd->release = data_release;
	}
	iscsi_cmd_done(cmd, &result);
}

static void
tmf(struct iscsi_tmf *t)
{
	iscsi_tmf_done(t, ISCSI_TMF_COMPLETE);
}

static void *
buf_get(struct iscsi_loop *loop, uint32_t bytes)
{
	(void)loop;
	if (bytes > BLOCK || n_write_bufs == 0)
		return NULL;
	return write_buf[--n_write_bufs];
}

static void
buf_put(struct iscsi_loop *loop, void *buf, uint32_t bytes)
{
	(void)loop;
	(void)bytes;
	write_buf[n_write_bufs++] = buf;
}

static void
want(struct iscsi_conn *c)
{
	(void)c;
}

static void
want_close(struct iscsi_conn *c, enum iscsi_end why)
{
	(void)c;
	fprintf(stderr, "bench_iscsi_core: connection ended: %s\n", iscsi_end_name(why));
	exit(EXIT_FAILURE);
}

static const struct iscsi_host_ops ops = {
	.find_target = find_target, .move = move, .session_begin = session_begin,
	.session_end = session_end, .command = command, .tmf = tmf, .buf_get = buf_get,
	.buf_put = buf_put, .want_send = want, .want_recv = want, .want_close = want_close,
};

/* ------ bytes ------ */

static void
feed(const uint8_t *p, size_t len)
{
	while (len > 0) {
		struct iovec iov[ISCSI_RX_IOV_MAX];
		unsigned int n = iscsi_conn_rx(conn, iov);
		size_t done = 0;

		for (unsigned int i = 0; i < n && done < len; i++) {
			size_t k = iov[i].iov_len < len - done ? iov[i].iov_len : len - done;

			memcpy(iov[i].iov_base, p + done, k);
			done += k;
		}
		iscsi_conn_received(conn, done);
		iscsi_loop_parse(iscsi_conn_loop(conn));
		p += done;
		len -= done;
	}
}

static size_t
drain(void)
{
	struct iovec iov[128];
	size_t total = 0;
	unsigned int n;

	while ((n = iscsi_conn_tx(conn, iov, 128)) > 0) {
		size_t sent = 0;

		for (unsigned int i = 0; i < n; i++)
			sent += iov[i].iov_len;
		iscsi_conn_sent(conn, sent);
		total += sent;
	}
	return total;
}

static void
login(void)
{
	uint8_t pdu[1024] = { 0x43, 0x87, [8] = 0x40 };
	size_t len = sizeof(plain) - 1;

	memcpy(pdu + 48, plain, len);
	if (has_digests) {
		memcpy(pdu + 48 + len, digests, sizeof(digests) - 1);
		len += sizeof(digests) - 1;
	}
	be24_put(pdu + 5, (uint32_t)len);
	feed(pdu, 48 + (len + 3) / 4 * 4);
	(void)drain();
}

/* ------ one kind of command ------ */

enum kind { TUR, READ, WRITE, KINDS };

static const char *const names[KINDS] = { "TEST UNIT READY", "READ 4 KiB", "WRITE 4 KiB" };

static size_t
put_command(uint8_t *p, enum kind kind, uint32_t itt, uint32_t cmd_sn)
{
	size_t n = 48;

	memset(p, 0, 48);
	p[0] = 1;
	p[1] = kind == READ ? 0xc1 : kind == WRITE ? 0xa1 : 0x81;
	p[9] = 1;
	be32_put(p + 16, itt);
	be32_put(p + 20, kind == TUR ? 0 : BLOCK);
	be32_put(p + 24, cmd_sn);
	p[32] = kind == READ ? 0x28 : kind == WRITE ? 0x2a : 0;
	p[40] = 8;
	if (kind == WRITE)
		be24_put(p + 5, BLOCK);
	if (has_digests) {
		iscsi_digest_put(p + n, iscsi_digest(p, 48));
		n += 4;
	}
	if (kind == WRITE) {
		memcpy(p + n, memory, BLOCK);
		n += BLOCK;
		if (has_digests) {
			iscsi_digest_put(p + n, iscsi_digest(memory, BLOCK));
			n += 4;
		}
	}
	return n;
}

static int
counter_open(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE, .size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS, .disabled = 1, .exclude_kernel = 1 };

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

/* @len bytes of commands have come: a function of its own, for profilers */
static void __attribute__((noinline))
batch_run(size_t len)
{
	iscsi_conn_received(conn, len);
	iscsi_loop_parse(iscsi_conn_loop(conn));
	(void)drain();
}

/* so many, batch by batch; false when the connection does not take them */
static bool
reads_run(uint64_t reads, unsigned int batch, uint32_t *cmd_sn)
{
	struct iovec iov[ISCSI_RX_IOV_MAX] = { 0 };
	uint8_t pdu[48 + BLOCK + 8];

	for (uint64_t n = 0; n < reads; n += batch) {
		size_t len = 0, one;
		uint8_t *rx;

		if (iscsi_conn_rx(conn, iov) != 1)
			return false;
		rx = iov[0].iov_base;
		for (unsigned int i = 0; i < batch; i++, len += one) {
			one = put_command(pdu, READ, i, (*cmd_sn)++);
			if (len + one > iov[0].iov_len)
				return false;
			memcpy(rx + len, pdu, one);
		}
		batch_run(len);
	}
	return true;
}

/* time of the machine alone: the copy into its buffer is the socket's, and is taken off */
static void
run(enum kind kind, unsigned int batch, uint64_t ms, uint32_t *cmd_sn)
{
	uint8_t *bytes = malloc((size_t)batch * (48 + BLOCK + 8)), *rx;
	uint64_t total = 0, n = 0, best = UINT64_MAX, end = clock_now_ns() + ms * 1000000;
	int fd = counter_open();
	uint64_t instructions = 0;

	while (clock_now_ns() < end) {
		struct iovec iov[ISCSI_RX_IOV_MAX] = { 0 };
		uint64_t t;
		size_t len = 0;

		for (unsigned int i = 0; i < batch; i++)
			len += put_command(bytes + len, kind, i, (*cmd_sn)++);
		if (iscsi_conn_rx(conn, iov) != 1 || iov[0].iov_len < len)
			break;
		rx = iov[0].iov_base;
		memcpy(rx, bytes, len);
		if (fd >= 0)
			ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
		t = clock_now_ns();
		batch_run(len);
		t = clock_now_ns() - t;
		if (fd >= 0)
			ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
		total += t;
		best = t < best ? t : best;
		n += batch;
	}
	printf("%-16s batch %3u%s: mean %6.1f ns, best %6.1f ns", names[kind], batch,
	    has_digests ? ", digests" : "", (double)total / (double)n, (double)best / batch);
	if (fd >= 0 && read(fd, &instructions, sizeof(instructions)) == sizeof(instructions))
		printf(", %.0f instructions", (double)instructions / (double)n);
	printf(" a command\n");
	if (fd >= 0)
		close(fd);
	free(bytes);
}

int
main(int argc, char **argv)
{
	static const struct iscsi_node_config config = { .name = TARGET };
	static const struct iscsi_portal portal = { .portal_group = 1 };
	struct iscsi_limits limits = { .rx_bytes = 1u << 20 };
	unsigned int batch = 32;
	struct iscsi_loop *loop;
	uint32_t cmd_sn = 0;
	uint64_t ms = 500, reads = 0;
	bool is_good = true;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--digests") == 0)
			has_digests = true;
		else if (strcmp(argv[i], "--ms") == 0 && i + 1 < argc)
			ms = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--reads") == 0 && i + 1 < argc)
			reads = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--batch") == 0 && i + 1 < argc)
			batch = (unsigned int)strtoul(argv[++i], NULL, 10);
	}
	if (batch < 1 || batch > BATCH_MAX)
		batch = BATCH_MAX;
	for (unsigned int i = 0; i < BATCH_MAX * 2; i++)
		write_buf[n_write_bufs++] = malloc(BLOCK);
	if (iscsi_loop_new(&ops, NULL, &limits, &loop) < 0 ||
	    iscsi_node_new(loop, &config, NULL, &node) < 0 ||
	    iscsi_conn_new(loop, &portal, NULL, &conn) < 0)
		return EXIT_FAILURE;
	login();
	if (iscsi_conn_session(conn) == NULL)
		return EXIT_FAILURE;
	if (reads > 0)
		is_good = reads_run(reads, batch, &cmd_sn);
	for (int kind = 0; reads == 0 && kind < KINDS; kind++)
		run((enum kind)kind, batch, ms, &cmd_sn);
	iscsi_conn_free(conn);
	iscsi_node_end(node, ISCSI_END_ADMIN);
	iscsi_node_free(node);
	iscsi_loop_free(loop);
	while (n_write_bufs > 0)
		free(write_buf[--n_write_bufs]);
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
