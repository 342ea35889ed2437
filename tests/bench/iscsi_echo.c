#include "iscsi_echo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "base/rng.h"
#include "iscsi_load.h"
#include "iscsi_wire.h"

#define RX_BYTES	(256u << 10)
#define EVENTS		64
#define GRAIN		4096u	/* data begins at a multiple of it in the memory */

struct peer {
	int fd;
	size_t have;		/* bytes of a message that are there */
	size_t at;		/* server: where the data of this request goes */
	struct iovec out[2 * ISCSI_ECHO_DEPTH];
	unsigned int head, tail;
	/* client */
	uint64_t since_ns[ISCSI_ECHO_DEPTH];
	uint32_t first;		/* oldest request under way */
};

struct echo {
	const struct iscsi_echo_conf *conf;
	struct peer *peers;
	uint8_t *memory, *rx, *request;
	struct rng rng;
	int ready[2];		/* a pipe: the server says that its memory is there */
	uint8_t head[ISCSI_ECHO_HEAD];
};

/* ------ sending, both sides ------ */

static void
peer_flush(struct peer *p)
{
	while (p->head < p->tail) {
		struct msghdr m = { .msg_iov = p->out + p->head,
			.msg_iovlen = p->tail - p->head };
		ssize_t r = sendmsg(p->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (r < 0 && errno == EAGAIN)
			return;
		if (r < 0)
			die("echo: send: %s", strerror(errno));
		while (r > 0) {
			struct iovec *v = &p->out[p->head];
			size_t n = num_min((size_t)r, v->iov_len);

			v->iov_base = (uint8_t *)v->iov_base + n;
			v->iov_len -= n;
			r -= (ssize_t)n;
			if (v->iov_len == 0)
				p->head++;
		}
	}
	p->head = p->tail = 0;
}

static void
peer_add(struct peer *p, void *base, size_t len)
{
	if (len == 0)
		return;
	if (p->head > 0 && p->tail == ARRAY_LEN(p->out)) {
		memmove(p->out, p->out + p->head, (p->tail - p->head) * sizeof(p->out[0]));
		p->tail -= p->head;
		p->head = 0;
	}
	if (p->tail == ARRAY_LEN(p->out))
		die("echo: more answers than requests");
	p->out[p->tail++] = (struct iovec){ base, len };
}

/* ------ the server ------ */

static size_t
somewhere(struct echo *e)
{
	return rng_next(&e->rng) % (e->conf->span_bytes / GRAIN) * GRAIN;
}

static void
server_take(struct echo *e, struct peer *p, const uint8_t *bytes, size_t n)
{
	size_t whole = ISCSI_ECHO_HEAD + e->conf->request_data;

	while (n > 0) {
		size_t k = num_min(n, p->have < ISCSI_ECHO_HEAD ? ISCSI_ECHO_HEAD - p->have :
		    whole - p->have);

		if (p->have == 0)
			p->at = somewhere(e);
		if (p->have >= ISCSI_ECHO_HEAD)
			memcpy(e->memory + p->at + (p->have - ISCSI_ECHO_HEAD), bytes, k);
		bytes += k;
		n -= k;
		p->have += k;
		if (p->have < whole)
			continue;
		p->have = 0;
		peer_add(p, e->head, ISCSI_ECHO_HEAD);
		peer_add(p, e->memory + (e->conf->answer_data > 0 ? somewhere(e) : 0),
		    e->conf->answer_data);
	}
}

static void
server_receive(struct echo *e, struct peer *p)
{
	ssize_t r = recv(p->fd, e->rx, RX_BYTES, MSG_DONTWAIT);

	if (r == 0)
		_exit(0);
	if (r > 0)
		server_take(e, p, e->rx, (size_t)r);
	peer_flush(p);
}

_Noreturn static void
server_main(struct echo *e)
{
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	sample_pin(e->conf->server_cpu);
	/* room for a long transfer behind the last place it may begin at */
	e->memory = mmap(NULL, e->conf->span_bytes + e->conf->answer_data +
	    e->conf->request_data, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (e->memory == MAP_FAILED)
		die("echo: %s", strerror(errno));
	for (unsigned int i = 0; i < e->conf->conns; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &e->peers[i] };

		(void)epoll_ctl(epoll, EPOLL_CTL_ADD, e->peers[i].fd, &ev);
	}
	if (write(e->ready[1], "", 1) != 1)
		_exit(1);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, e->conf->is_server_spinning ? 0 : -1);

		for (int i = 0; i < n; i++)
			server_receive(e, events[i].data.ptr);
		/* what the socket had no room for: with bounded depth this is rare and short */
		for (unsigned int i = 0; i < e->conf->conns; i++)
			while (e->peers[i].tail > 0)
				peer_flush(&e->peers[i]);
	}
}

/* ------ the client ------ */

static void
client_send(struct echo *e, struct peer *p, unsigned int slot)
{
	p->since_ns[slot] = sample_now_ns();
	peer_add(p, e->request, ISCSI_ECHO_HEAD + e->conf->request_data);
}

/* answers come in order: the oldest request is the one that is answered */
static void
client_take(struct echo *e, struct peer *p, size_t n, struct sample *s)
{
	size_t whole = ISCSI_ECHO_HEAD + e->conf->answer_data;

	for (p->have += n; p->have >= whole; p->have -= whole) {
		unsigned int slot = p->first++ % e->conf->depth;

		if (s != NULL)
			sample_add(s, sample_now_ns() - p->since_ns[slot]);
		client_send(e, p, slot);
	}
}

static void
client_receive(struct echo *e, struct peer *p, struct sample *s)
{
	ssize_t r = recv(p->fd, e->rx, RX_BYTES, MSG_DONTWAIT);

	if (r == 0)
		die("echo: the server ended");
	if (r > 0)
		client_take(e, p, (size_t)r, s);
	peer_flush(p);
}

static void
client_turn(struct echo *e, int epoll, struct sample *s)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(epoll, events, EVENTS, e->conf->is_client_spinning ? 0 : 200);

	for (int i = 0; i < n; i++)
		client_receive(e, events[i].data.ptr, s);
	for (unsigned int i = 0; i < e->conf->conns; i++)
		if (e->peers[i].tail > 0)
			peer_flush(&e->peers[i]);
}

static void
client_run(struct echo *e, pid_t server, struct sample *ret)
{
	uint64_t begin = sample_now_ns() + e->conf->warm_ns, cpu;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	for (unsigned int i = 0; i < e->conf->conns; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &e->peers[i] };

		(void)epoll_ctl(epoll, EPOLL_CTL_ADD, e->peers[i].fd, &ev);
		for (unsigned int k = 0; k < e->conf->depth; k++)
			client_send(e, &e->peers[i], k);
		peer_flush(&e->peers[i]);
	}
	while (sample_now_ns() < begin)
		client_turn(e, epoll, NULL);
	cpu = iscsi_usage_read(server).cpu_ns;
	begin = sample_now_ns();
	while (sample_now_ns() - begin < e->conf->run_ns)
		client_turn(e, epoll, ret);
	ret->span_ns = sample_now_ns() - begin;
	ret->server_cpu_ns = iscsi_usage_read(server).cpu_ns - cpu;
	(void)close(epoll);
}

/* ------ a run ------ */

static int
listener_new(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	if (fd < 0 || bind(fd, (struct sockaddr *)at, len) < 0 || listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)at, &len) < 0)
		die("echo: %s", strerror(errno));
	return fd;
}

/* both ends of a connection */
static void
pair_new(int *ret_near, int *ret_far)
{
	struct sockaddr_in at;
	int fd = listener_new(&at), one = 1;

	*ret_near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(*ret_near, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("echo: %s", strerror(errno));
	*ret_far = accept(fd, NULL, NULL);
	if (*ret_far < 0)
		die("echo: %s", strerror(errno));
	(void)setsockopt(*ret_near, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(*ret_far, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)close(fd);
}

void
iscsi_echo_run(const struct iscsi_echo_conf *conf, struct sample *ret)
{
	struct echo e = { .conf = conf, .rng = rng_init(sample_now_ns()) };
	int *far = calloc(conf->conns, sizeof(*far));
	pid_t server;

	memset(ret, 0, sizeof(*ret));
	e.peers = calloc(conf->conns, sizeof(*e.peers));
	e.rx = malloc(RX_BYTES);
	e.request = calloc(1, ISCSI_ECHO_HEAD + conf->request_data);
	if (far == NULL || e.peers == NULL || e.rx == NULL || e.request == NULL)
		die("no memory");
	if (pipe(e.ready) < 0)
		die("echo: %s", strerror(errno));
	for (unsigned int i = 0; i < conf->conns; i++)
		pair_new(&e.peers[i].fd, &far[i]);
	server = fork();
	if (server < 0)
		die("fork: %s", strerror(errno));
	for (unsigned int i = 0; i < conf->conns; i++) {
		(void)close(server == 0 ? e.peers[i].fd : far[i]);
		if (server == 0)
			e.peers[i].fd = far[i];
	}
	if (server == 0)
		server_main(&e);
	sample_pin(conf->client_cpu);
	if (read(e.ready[0], e.head, 1) != 1)
		die("echo: the server did not start");
	client_run(&e, server, ret);
	(void)close(e.ready[0]);
	(void)close(e.ready[1]);
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
	for (unsigned int i = 0; i < conf->conns; i++)
		(void)close(e.peers[i].fd);
	free(far);
	free(e.peers);
	free(e.rx);
	free(e.request);
}
