#include "echo.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECV_BYTES	(256u << 10)
#define DEPTH_MAX	1024u

static int
wait_readable(int ep)
{
	struct epoll_event ev;
	int n;

	do {
		n = epoll_wait(ep, &ev, 1, -1);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static int
watch(int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (ep < 0)
		return -errno;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	return ep;
}

static int
send_all(int fd, const uint8_t *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, buf, len, MSG_NOSIGNAL);

		if (n < 0)
			return -errno;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

/* answers whatever came, in one send a turn; ends when the client closes */
static void
echo_serve(int fd, const struct echo_conf *conf)
{
	size_t batch_max = DEPTH_MAX * conf->reply_bytes;
	uint8_t *in = malloc(RECV_BYTES), *out = calloc(1, batch_max);
	int ep = watch(fd);
	size_t have = 0;

	if (in == NULL || out == NULL || ep < 0)
		_exit(1);
	sample_pin(conf->server_cpu);
	while (wait_readable(ep) == 0) {
		ssize_t n = recv(fd, in, RECV_BYTES, 0);
		size_t replies;

		if (n <= 0)
			break;
		have += (size_t)n;
		replies = have / conf->request_bytes;
		have -= replies * conf->request_bytes;
		if (send_all(fd, out, replies * conf->reply_bytes) < 0)
			break;
	}
	_exit(0);
}

struct echo_client {
	const struct echo_conf *conf;
	int fd;
	uint8_t *in, *out;
	uint64_t sent_at[DEPTH_MAX];
	uint64_t sent, answered;
	size_t have;
};

static int
echo_send(struct echo_client *c, uint64_t n)
{
	uint64_t now = sample_now_ns();

	for (uint64_t i = 0; i < n; i++)
		c->sent_at[c->sent++ % c->conf->depth] = now;
	return send_all(c->fd, c->out, n * c->conf->request_bytes);
}

static int
echo_measure(struct echo_client *c, int ep, struct sample *ret)
{
	uint64_t start = sample_now_ns() + c->conf->warm_ns, end = start + c->conf->run_ns, now;
	int r = echo_send(c, c->conf->depth);

	while (r == 0) {
		uint64_t replies;
		ssize_t n;

		r = wait_readable(ep);
		if (r < 0)
			break;
		n = recv(c->fd, c->in, RECV_BYTES, 0);
		if (n <= 0)
			return -ECONNRESET;
		now = sample_now_ns();
		c->have += (size_t)n;
		replies = c->have / c->conf->reply_bytes;
		c->have -= replies * c->conf->reply_bytes;
		for (uint64_t i = 0; i < replies; i++) {
			uint64_t at = c->sent_at[c->answered++ % c->conf->depth];

			if (at >= start && now < end)
				sample_add(ret, now - at);
		}
		if (now >= end)
			break;
		if (replies > 0)
			r = echo_send(c, replies);
	}
	ret->span_ns = c->conf->run_ns;
	return r;
}

int
echo_run(const struct echo_conf *conf, struct sample *ret)
{
	struct echo_client c = { .conf = conf };
	struct rusage before, after;
	int sv[2], ep, r;
	pid_t pid;

	memset(ret, 0, sizeof(*ret));
	if (conf->depth > DEPTH_MAX || socketpair(AF_UNIX, SOCK_STREAM, 0, sv) < 0)
		return -EINVAL;
	(void)getrusage(RUSAGE_CHILDREN, &before);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(sv[0]);
		echo_serve(sv[1], conf);
	}
	(void)close(sv[1]);
	sample_pin(conf->client_cpu);

	c.fd = sv[0];
	c.in = malloc(RECV_BYTES);
	c.out = calloc(conf->depth, conf->request_bytes);
	ep = watch(c.fd);
	r = c.in == NULL || c.out == NULL ? -ENOMEM : ep < 0 ? ep : echo_measure(&c, ep, ret);

	(void)close(c.fd);
	(void)close(ep);
	(void)waitpid(pid, NULL, 0);
	(void)getrusage(RUSAGE_CHILDREN, &after);
	ret->server_cpu_ns =
	    (uint64_t)(after.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_utime.tv_sec -
	        before.ru_stime.tv_sec) * 1000000000ull +
	    (uint64_t)((after.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_utime.tv_usec -
	        before.ru_stime.tv_usec) * 1000ll);
	free(c.in);
	free(c.out);
	return r;
}
