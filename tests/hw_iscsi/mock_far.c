#include "mock_far.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"

#define DATA_MAX	(1u << 20)
#define PIECE		8192u

static const char usual_keys[] = "HeaderDigest=None\0DataDigest=None\0InitialR2T=Yes\0"
    "ImmediateData=Yes\0MaxBurstLength=262144\0FirstBurstLength=65536\0"
    "MaxRecvDataSegmentLength=8192\0MaxConnections=1\0ErrorRecoveryLevel=0\0";

void
far_raw(struct far *far, const void *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = send(far->fd, (const char *)bytes + at, len - at, MSG_NOSIGNAL);

		if (n < 0)
			return;
		at += (size_t)n;
	}
}

void
far_put(struct far *far, uint8_t hdr[FAR_HDR], const void *data, size_t len)
{
	static const uint8_t zeros[4];
	uint8_t op = hdr[0] & 0x3f;

	be32_put(hdr + 4, (uint32_t)len);
	if (op == 0x25 && (hdr[1] & 1) == 0)
		;	/* Data-In without status has no StatSN */
	else
		be32_put(hdr + 24, op == 0x31 ? far->stat_sn : far->stat_sn++);
	be32_put(hdr + 28, far->exp_cmd_sn);
	be32_put(hdr + 32, far->exp_cmd_sn + atomic_load(&far->window) - 1);
	far_raw(far, hdr, FAR_HDR);
	far_raw(far, data, len);
	far_raw(far, zeros, -len & 3);
}

void
far_answer(struct far *far, const uint8_t *request, uint8_t status, const void *sense,
    size_t sense_len)
{
	uint8_t hdr[FAR_HDR] = { 0x21, 0x80, 0, status }, data[256];

	memcpy(hdr + 16, request + 16, 4);
	if (sense_len > 0) {
		be16_put(data, (uint16_t)sense_len);
		memcpy(data + 2, sense, sense_len);
	}
	far_put(far, hdr, data, sense_len > 0 ? sense_len + 2 : 0);
}

static void
answer_check(struct far *far, const uint8_t *request, uint8_t key, uint8_t asc)
{
	uint8_t sense[18] = { 0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc };

	far_answer(far, request, 0x02, sense, sizeof(sense));
}

/* data of a read: one piece after the other, status with the last */
static void
answer_data(struct far *far, const uint8_t *request, const uint8_t *data, size_t len)
{
	uint32_t room = be32_get(request + 20);
	size_t all = len < room ? len : room, at = 0;

	do {
		size_t piece = all - at < PIECE ? all - at : PIECE;
		uint8_t hdr[FAR_HDR] = { 0x25 };

		memcpy(hdr + 16, request + 16, 4);
		be32_put(hdr + 20, 0xffffffff);
		be32_put(hdr + 40, (uint32_t)at);
		if (at + piece == all) {
			hdr[1] = 0x81;
			if (len < room)
				hdr[1] |= 0x02;
			else if (len > room)
				hdr[1] |= 0x04;
			be32_put(hdr + 44, (uint32_t)(len < room ? room - len : len - room));
		}
		far_put(far, hdr, data + at, piece);
		at += piece;
	} while (at < all);
}

static unsigned int
lun_of(const uint8_t *hdr)
{
	return (unsigned int)(hdr[8] & 0x3f) << 8 | hdr[9];
}

static void
do_inquiry(struct far *far, const uint8_t *hdr)
{
	uint8_t data[36] = { 0, 0, 5, 0x12, 31, 0, 0, 2 };
	size_t room = be16_get(hdr + 32 + 3);

	if ((hdr[33] & 1) != 0) {
		answer_check(far, hdr, 5, 0x24);
		return;
	}
	if (lun_of(hdr) >= atomic_load(&far->luns))
		data[0] = 0x7f;
	memcpy(data + 8, "FAR     MEMORY          1.0 ", 28);
	answer_data(far, hdr, data, room < sizeof(data) ? room : sizeof(data));
}

static void
do_report_luns(struct far *far, const uint8_t *hdr)
{
	uint8_t data[8 + 8 * FAR_LUNS] = { 0 };
	unsigned int n = atomic_load(&far->luns);

	be32_put(data, 8 * n);
	for (unsigned int i = 0; i < n; i++)
		data[8 + 8 * i + 1] = (uint8_t)i;
	answer_data(far, hdr, data, 8 + 8 * n);
}

static void
do_read(struct far *far, const uint8_t *hdr)
{
	uint64_t at = (uint64_t)be32_get(hdr + 34) * FAR_BLOCK;
	size_t len = be16_get(hdr + 39) * FAR_BLOCK;
	unsigned int n = atomic_load(&far->swallow);

	if (n > 0) {
		atomic_store(&far->swallow, n - 1);
		(void)atomic_fetch_add(&far->swallowed, 1);
		return;
	}
	if (at + len > FAR_BYTES) {
		answer_check(far, hdr, 5, 0x21);
		return;
	}
	(void)pthread_mutex_lock(&far->lock);
	answer_data(far, hdr, far->memory[lun_of(hdr)] + at, len);
	(void)pthread_mutex_unlock(&far->lock);
}

/* what is still missing of a write is asked for, or it is done */
static void
write_on(struct far *far)
{
	struct far_write *w = &far->write;
	uint8_t hdr[FAR_HDR] = { 0x31, 0x80 };

	be32_put(hdr + 16, w->tag);
	if (w->done == w->bytes) {
		w->is_used = false;
		far_answer(far, hdr, 0, NULL, 0);
		return;
	}
	be32_put(hdr + 20, 77);
	be32_put(hdr + 40, (uint32_t)w->done);
	be32_put(hdr + 44, (uint32_t)(w->bytes - w->done));
	far_put(far, hdr, NULL, 0);
}

static void
write_take(struct far *far, const uint8_t *data, size_t len)
{
	struct far_write *w = &far->write;

	ck_assert(w->is_used && w->done + len <= w->bytes);
	(void)pthread_mutex_lock(&far->lock);
	memcpy(far->memory[w->lun] + w->offset + w->done, data, len);
	(void)pthread_mutex_unlock(&far->lock);
	w->done += len;
}

static void
do_write(struct far *far, const struct far_pdu *pdu)
{
	const uint8_t *hdr = pdu->hdr;
	uint64_t at = (uint64_t)be32_get(hdr + 34) * FAR_BLOCK;
	size_t len = be16_get(hdr + 39) * FAR_BLOCK;

	if (at + len > FAR_BYTES) {
		answer_check(far, hdr, 5, 0x21);
		return;
	}
	far->write = (struct far_write){ .tag = be32_get(hdr + 16), .offset = at, .bytes = len,
		.lun = lun_of(hdr), .is_used = true };
	write_take(far, pdu->data, pdu->len);
	write_on(far);
}

static void
do_command(struct far *far, const struct far_pdu *pdu)
{
	const uint8_t *hdr = pdu->hdr;

	(void)atomic_fetch_add(&far->commands, 1);
	if (lun_of(hdr) >= atomic_load(&far->luns) && hdr[32] != 0x12 && hdr[32] != 0xa0) {
		answer_check(far, hdr, 5, 0x25);
		return;
	}
	switch (hdr[32]) {
	case 0x00:
		far_answer(far, hdr, 0, NULL, 0);
		break;
	case 0x12:
		do_inquiry(far, hdr);
		break;
	case 0x28:
		do_read(far, hdr);
		break;
	case 0x2a:
		do_write(far, pdu);
		break;
	case 0xa0:
		do_report_luns(far, hdr);
		break;
	default:
		answer_check(far, hdr, 5, 0x20);
		break;
	}
}

static void
do_login(struct far *far, const struct far_pdu *pdu)
{
	uint8_t hdr[FAR_HDR] = { 0x23, 0x87 };
	const char *keys;
	size_t len;

	(void)pthread_mutex_lock(&far->lock);
	keys = far->keys != NULL ? far->keys : usual_keys;
	len = far->keys != NULL ? far->keys_len : sizeof(usual_keys) - 1;
	(void)pthread_mutex_unlock(&far->lock);
	memcpy(hdr + 8, pdu->hdr + 8, 8);
	memcpy(hdr + 16, pdu->hdr + 16, 4);
	hdr[15] = 1;
	far->exp_cmd_sn = be32_get(pdu->hdr + 24);
	far_put(far, hdr, keys, len);
	(void)atomic_fetch_add(&far->logins, 1);
}

static void
do_task(struct far *far, const struct far_pdu *pdu)
{
	uint8_t hdr[FAR_HDR] = { 0x22, 0x80 };
	unsigned int answer = atomic_load(&far->task_answer);

	atomic_store(&far->last_task, pdu->hdr[1] & 0x7f);
	(void)atomic_fetch_add(&far->tasks, 1);
	if (answer == FAR_SILENT)
		return;
	hdr[2] = (uint8_t)answer;
	memcpy(hdr + 16, pdu->hdr + 16, 4);
	far_put(far, hdr, NULL, 0);
}

static void
do_nop(struct far *far, const struct far_pdu *pdu)
{
	uint8_t hdr[FAR_HDR] = { 0x20, 0x80 };

	if (be32_get(pdu->hdr + 16) == 0xffffffff)
		return;
	memcpy(hdr + 16, pdu->hdr + 16, 4);
	be32_put(hdr + 20, 0xffffffff);
	far_put(far, hdr, NULL, 0);
}

static void
do_pdu(struct far *far, const struct far_pdu *pdu)
{
	far_hook_fn hook = atomic_load(&far->hook);
	uint8_t op = pdu->hdr[0] & 0x3f, bye[FAR_HDR] = { 0x26, 0x80 };

	if ((pdu->hdr[0] & 0x40) == 0 && op != 0x05)
		far->exp_cmd_sn++;
	if (hook != NULL && hook(far, pdu))
		return;
	switch (op) {
	case 0x00:
		do_nop(far, pdu);
		break;
	case 0x01:
		do_command(far, pdu);
		break;
	case 0x02:
		do_task(far, pdu);
		break;
	case 0x03:
		do_login(far, pdu);
		break;
	case 0x05:
		write_take(far, pdu->data, pdu->len);
		if ((pdu->hdr[1] & 0x80) != 0)
			write_on(far);
		break;
	case 0x06:
		memcpy(bye + 16, pdu->hdr + 16, 4);
		far_put(far, bye, NULL, 0);
		break;
	default:
		ck_abort_msg("opcode %02x", op);
	}
}

/* a process that was stopped gets less than MSG_WAITALL says */
static bool
take(int fd, uint8_t *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = recv(fd, buf, len, MSG_WAITALL);

		if (n <= 0)
			return false;
		buf += n;
		len -= (size_t)n;
	}
	return true;
}

static void
serve(struct far *far)
{
	uint8_t hdr[FAR_HDR], *data = malloc(DATA_MAX);

	ck_assert_ptr_nonnull(data);
	far->stat_sn = 1;
	far->write.is_used = false;
	while (take(far->fd, hdr, sizeof(hdr))) {
		size_t len = be32_get(hdr + 4) & 0xffffff;

		ck_assert_uint_le(len, DATA_MAX - 4);
		if (!take(far->fd, data, (len + 3) & ~(size_t)3))
			break;
		do_pdu(far, &(struct far_pdu){ hdr, data, len });
	}
	free(data);
}

static void
set_fd(struct far *far, int fd)
{
	(void)pthread_mutex_lock(&far->lock);
	if (far->fd >= 0)
		(void)close(far->fd);
	far->fd = fd;
	(void)pthread_mutex_unlock(&far->lock);
}

static void *
far_main(void *arg)
{
	struct far *far = arg;
	struct pollfd fds[2] = { { .fd = far->listen_fd, .events = POLLIN },
		{ .fd = far->stop_fd[0], .events = POLLIN } };

	for (;;) {
		ck_assert_int_gt(poll(fds, 2, -1), 0);
		if (fds[1].revents != 0)
			return NULL;
		set_fd(far, accept(far->listen_fd, NULL, NULL));
		if (far->fd >= 0 && !atomic_load(&far->is_away))
			serve(far);
		set_fd(far, -1);
	}
}

struct far *
far_open(void)
{
	struct far *far = calloc(1, sizeof(*far));
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);

	ck_assert_ptr_nonnull(far);
	far->fd = -1;
	(void)pthread_mutex_init(&far->lock, NULL);
	atomic_store(&far->luns, 2);
	atomic_store(&far->window, 32);
	far->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(far->listen_fd, (struct sockaddr *)&sin, len), 0);
	ck_assert_int_eq(listen(far->listen_fd, 8), 0);
	ck_assert_int_eq(getsockname(far->listen_fd, (struct sockaddr *)&sin, &len), 0);
	(void)snprintf(far->portal, sizeof(far->portal), "127.0.0.1:%u", ntohs(sin.sin_port));
	(void)snprintf(far->line, sizeof(far->line), "iscsi://%s/" FAR_NAME, far->portal);
	ck_assert_int_eq(pipe(far->stop_fd), 0);
	ck_assert_int_eq(pthread_create(&far->thread, NULL, far_main, far), 0);
	return far;
}

void
far_hang_up(struct far *far)
{
	(void)pthread_mutex_lock(&far->lock);
	if (far->fd >= 0)
		(void)shutdown(far->fd, SHUT_RDWR);
	(void)pthread_mutex_unlock(&far->lock);
}

void
far_leave(struct far *far)
{
	atomic_store(&far->is_away, true);
	far_hang_up(far);
}

void
far_keys(struct far *far, const char *keys, size_t len)
{
	(void)pthread_mutex_lock(&far->lock);
	far->keys = keys;
	far->keys_len = len;
	(void)pthread_mutex_unlock(&far->lock);
}

bool
far_holds(struct far *far, unsigned int lun, const uint8_t *data, size_t len)
{
	bool is_so;

	(void)pthread_mutex_lock(&far->lock);
	is_so = memcmp(far->memory[lun], data, len) == 0;
	(void)pthread_mutex_unlock(&far->lock);
	return is_so;
}

void
far_close(struct far *far)
{
	(void)shutdown(far->listen_fd, SHUT_RDWR);
	ck_assert_int_eq(write(far->stop_fd[1], "", 1), 1);
	far_hang_up(far);
	ck_assert_int_eq(pthread_join(far->thread, NULL), 0);
	(void)pthread_mutex_destroy(&far->lock);
	(void)close(far->listen_fd);
	(void)close(far->stop_fd[0]);
	(void)close(far->stop_fd[1]);
	free(far);
}

void
far_wait(atomic_uint *count, unsigned int n)
{
	while (atomic_load(count) < n)
		(void)sched_yield();
}
