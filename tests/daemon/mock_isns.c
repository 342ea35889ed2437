#include "mock_isns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* ------ lines ------ */

struct line {
	char text[MI_LINE_LEN];
	size_t len;
	char addr[INET6_ADDRSTRLEN];
};

static void
line_add(struct line *l, const char *fmt, const char *text)
{
	ck_assert_uint_lt(l->len + strlen(text) + 32, sizeof(l->text));
	l->len += (size_t)snprintf(l->text + l->len, sizeof(l->text) - l->len, fmt, text);
}

static void
line_addr(struct line *l, const uint8_t *value)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool is_v4 = memcmp(value, mapped, 12) == 0;

	ck_assert_ptr_nonnull(inet_ntop(is_v4 ? AF_INET : AF_INET6, value + (is_v4 ? 12 : 0),
	    l->addr, sizeof(l->addr)));
}

static void
line_attr(struct line *l, const struct isns_attr *attr)
{
	static const char *const words[] = { [1] = " entity=%s", [2] = " protocol=%s",
		[6] = " period=%s", [32] = " node=%s", [33] = " type=%s", [34] = " alias=%s",
		[51] = " group=%s" };
	char number[16] = "", port[64];

	ck_assert_uint_eq(attr->len % 4, 0);
	if (attr->len == 4)
		(void)snprintf(number, sizeof(number), "%u", be32_get(attr->value));
	switch (attr->tag) {
	case 0:
		line_add(l, "%s", " |");
		break;
	case 1: case 32: case 34:
		if (attr->len > 0) {
			ck_assert_ptr_nonnull(memchr(attr->value, '\0', attr->len));
			line_add(l, words[attr->tag], (const char *)attr->value);
		} else {
			line_add(l, words[attr->tag], "");
		}
		break;
	case 2: case 6: case 33: case 51:
		line_add(l, words[attr->tag], number);
		break;
	case 16: case 49:
		ck_assert_uint_eq(attr->len, 16);
		line_addr(l, attr->value);
		break;
	case 17: case 50:
		(void)snprintf(port, sizeof(port), "%s:%s", l->addr, number);
		line_add(l, attr->tag == 17 ? " portal=%s" : " at=%s", port);
		break;
	default:
		ck_abort_msg("attribute %u", attr->tag);
	}
}

static char *
line_of(const uint8_t *pdu, size_t len)
{
	static const char *const functions[] = { [1] = "reg", [2] = "query", [4] = "dereg" };
	struct cursor c = cursor_read_init(pdu + 12, len - 12);
	uint16_t function = be16_get(pdu + 2), flags = be16_get(pdu + 6);
	struct line *l = calloc(1, sizeof(*l));
	struct isns_attr attr;
	char *text;

	ck_assert_ptr_nonnull(l);
	ck_assert_uint_eq(be16_get(pdu), 1);
	ck_assert(function == 1 || function == 2 || function == 4);
	ck_assert_uint_eq(flags & ~0x1000u, 0x8c00);
	ck_assert_uint_eq(be16_get(pdu + 10), 0);
	line_add(l, "%s", functions[function]);
	line_add(l, "%s", (flags & 0x1000) != 0 ? " replace" : "");
	while (isns_attr_next(&c, &attr))
		line_attr(l, &attr);
	ck_assert(cursor_ok(&c));
	text = strdup(l->text);
	free(l);
	return text;
}

/* ------ the server ------ */

/* false: the other end, or the test, has ended it */
static bool
server_read(struct mock_isns *m, int fd, uint8_t *bytes, size_t len)
{
	while (len > 0) {
		struct pollfd fds[] = { { fd, POLLIN, 0 }, { m->stop[0], POLLIN, 0 } };
		ssize_t n;

		ck_assert_int_ge(poll(fds, 2, -1), 0);
		if (fds[1].revents != 0)
			return false;
		n = recv(fd, bytes, len, 0);
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

struct reply {
	uint8_t bytes[512];
	struct cursor c;
};

static void
reply_begin(struct reply *r, const uint8_t *request, uint16_t xid_more, uint16_t seq)
{
	r->c = cursor_write_init(r->bytes, sizeof(r->bytes));
	cursor_put_be16(&r->c, 1);
	cursor_put_be16(&r->c, be16_get(request + 2) | 0x8000);
	cursor_put_be16(&r->c, 0);
	cursor_put_be16(&r->c, seq == 0 ? 0x4c00 : 0x4800);
	cursor_put_be16(&r->c, (uint16_t)(be16_get(request + 8) + xid_more));
	cursor_put_be16(&r->c, seq);
}

static void
reply_send(struct reply *r, int fd, size_t cut)
{
	ck_assert(cursor_ok(&r->c));
	be16_put(r->bytes + 4, (uint16_t)(r->c.pos - 12));
	(void)!send(fd, r->bytes, r->c.pos - cut, MSG_NOSIGNAL);
}

static void
reply_fill(struct reply *r, const uint8_t *request, const struct mi_answer *a)
{
	const char *node = (const char *)request + 12 + 8;

	cursor_put_be32(&r->c, a->status);
	if (a->status != 0 || be16_get(request + 2) == ISNS_DEREGISTER)
		return;
	if (be16_get(request + 2) == ISNS_QUERY) {
		isns_put_text(&r->c, ISNS_TAG_NODE_NAME, node);
		isns_put_empty(&r->c, ISNS_TAG_DELIMITER);
		if (!a->is_forgetful)
			isns_put_text(&r->c, ISNS_TAG_NODE_NAME, node);
		return;
	}
	isns_put_text(&r->c, ISNS_TAG_ENTITY, "e");
	isns_put_empty(&r->c, ISNS_TAG_DELIMITER);
	isns_put_text(&r->c, ISNS_TAG_ENTITY, "e");
	if (a->period_s != 0)
		isns_put_u32(&r->c, ISNS_TAG_PERIOD, a->period_s);
}

static void
reply_whole(struct reply *r, int fd, const uint8_t *request, const struct mi_answer *a)
{
	reply_begin(r, request, 0, 0);
	reply_fill(r, request, a);
	if (a->what == MI_OTHER_FUNCTION)
		be16_put(r->bytes + 2, 0x8009);
	if (a->what == MI_LATER_PART)
		be16_put(r->bytes + 10, 1);
	if (a->what == MI_PARTS || a->what == MI_BAD_PARTS)
		be16_put(r->bytes + 6, 0x4400);
	reply_send(r, fd, a->what == MI_HALF ? r->c.pos / 2 : 0);
}

/* PDUs with a status and nothing else */
static void
reply_stray(struct reply *r, int fd, const uint8_t *request, int n)
{
	for (int i = 0; i < n; i++) {
		reply_begin(r, request, 100, 0);
		cursor_put_be32(&r->c, 0);
		reply_send(r, fd, 0);
	}
}

static void
reply_parts(struct reply *r, int fd, const uint8_t *request, const struct mi_answer *a)
{
	reply_whole(r, fd, request, a);
	for (uint16_t i = 1; i < 3; i++) {
		reply_begin(r, request, a->what == MI_BAD_PARTS, i);
		cursor_put_be32(&r->c, 0xffffffff);
		be16_put(r->bytes + 6, i == 2 ? 0x4800 : 0x4000);
		reply_send(r, fd, 0);
	}
}

/* false: the connection is at its end */
static bool
server_reply(int fd, const uint8_t *request, const struct mi_answer *a)
{
	struct reply r;

	switch (a->what) {
	case MI_SILENT:
	case MI_HELD:
		return true;
	case MI_CLOSE:
		return false;
	case MI_GARBAGE:
		(void)!send(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, MSG_NOSIGNAL);
		return true;
	case MI_SHORT:
		reply_begin(&r, request, 0, 0);
		reply_send(&r, fd, 0);
		return true;
	case MI_BAD_ATTR:
		reply_begin(&r, request, 0, 0);
		cursor_put_be32(&r.c, 0);
		cursor_put_be32(&r.c, ISNS_TAG_ENTITY);
		cursor_put_be32(&r.c, 0xfffffffd);
		reply_send(&r, fd, 0);
		return true;
	case MI_OTHER_XID:
		reply_stray(&r, fd, request, 100);
		return true;
	case MI_STRAY_FIRST:
		reply_stray(&r, fd, request, 2);
		reply_begin(&r, request, 0, 0);
		be16_put(r.bytes + 2, 13);
		reply_send(&r, fd, 0);
		break;
	case MI_PARTS:
	case MI_BAD_PARTS:
		reply_parts(&r, fd, request, a);
		return true;
	case MI_ANSWER:
	case MI_HALF:
	case MI_OTHER_FUNCTION:
	case MI_LATER_PART:
		break;
	}
	reply_whole(&r, fd, request, a);
	return a->what != MI_HALF;
}

static struct mi_answer
server_note(struct mock_isns *m, const uint8_t *pdu, size_t len)
{
	struct mi_answer answer;

	(void)pthread_mutex_lock(&m->lock);
	ck_assert_uint_lt(m->n_lines, MI_LINES);
	m->lines[m->n_lines++] = line_of(pdu, len);
	m->largest = len > m->largest ? len : m->largest;
	(void)pthread_cond_broadcast(&m->come);
	while (m->answer.what == MI_HELD)
		(void)pthread_cond_wait(&m->come, &m->lock);
	answer = m->answer;
	(void)pthread_mutex_unlock(&m->lock);
	return answer;
}

static void
server_serve(struct mock_isns *m, int fd)
{
	static uint8_t pdu[12 + 65536];
	struct mi_answer answer;

	do {
		size_t len;

		if (!server_read(m, fd, pdu, 12))
			return;
		len = be16_get(pdu + 4);
		if (!server_read(m, fd, pdu + 12, len))
			return;
		answer = server_note(m, pdu, len + 12);
	} while (server_reply(fd, pdu, &answer));
}

static void *
server_main(void *arg)
{
	struct mock_isns *m = arg;

	for (;;) {
		struct pollfd fds[] = { { m->listen_fd, POLLIN, 0 },
			{ m->stop[0], POLLIN, 0 } };
		int fd;

		ck_assert_int_ge(poll(fds, 2, -1), 0);
		if (fds[1].revents != 0)
			return NULL;
		fd = accept(m->listen_fd, NULL, NULL);
		if (fd < 0)
			continue;
		server_serve(m, fd);
		(void)close(fd);
	}
}

/* a port of its own, 0 at first; nobody is taken before mi_start() */
static void
server_bind(struct mock_isns *m)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(m->port) };
	socklen_t len = sizeof(in);
	int one = 1;

	m->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(m->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(m->listen_fd, (struct sockaddr *)&in, len), 0);
	ck_assert_int_eq(getsockname(m->listen_fd, (struct sockaddr *)&in, &len), 0);
	m->port = ntohs(in.sin_port);
}

void
mi_init(struct mock_isns *m)
{
	memset(m, 0, sizeof(*m));
	(void)pthread_mutex_init(&m->lock, NULL);
	(void)pthread_cond_init(&m->come, NULL);
	server_bind(m);
	(void)snprintf(m->server, sizeof(m->server), "127.0.0.1:%u", m->port);
}

void
mi_start(struct mock_isns *m)
{
	ck_assert_int_eq(pipe(m->stop), 0);
	ck_assert_int_eq(listen(m->listen_fd, 8), 0);
	ck_assert_int_eq(pthread_create(&m->thread, NULL, server_main, m), 0);
	m->is_up = true;
}

static void
server_end(struct mock_isns *m)
{
	ck_assert_int_eq(write(m->stop[1], "", 1), 1);
	(void)pthread_join(m->thread, NULL);
	(void)close(m->stop[0]);
	(void)close(m->stop[1]);
	(void)close(m->listen_fd);
	m->is_up = false;
}

void
mi_stop(struct mock_isns *m)
{
	server_end(m);
	server_bind(m);
}

void
mi_fini(struct mock_isns *m)
{
	if (m->is_up)
		server_end(m);
	else
		(void)close(m->listen_fd);
	for (size_t i = 0; i < m->n_lines; i++)
		free(m->lines[i]);
}

void
mi_answer(struct mock_isns *m, struct mi_answer answer)
{
	(void)pthread_mutex_lock(&m->lock);
	m->answer = answer;
	(void)pthread_cond_broadcast(&m->come);
	(void)pthread_mutex_unlock(&m->lock);
}

const char *
mi_next(struct mock_isns *m)
{
	struct timespec until;
	const char *line;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += MI_WAIT_S;
	(void)pthread_mutex_lock(&m->lock);
	while (m->taken == m->n_lines)
		if (pthread_cond_timedwait(&m->come, &m->lock, &until) != 0)
			ck_abort_msg("no message came");
	line = m->lines[m->taken++];
	(void)pthread_mutex_unlock(&m->lock);
	return line;
}

void
mi_expect(struct mock_isns *m, const char *line)
{
	ck_assert_str_eq(mi_next(m), line);
}

void
mi_quiet(struct mock_isns *m)
{
	(void)pthread_mutex_lock(&m->lock);
	ck_assert_msg(m->taken == m->n_lines, "there came: %s", m->lines[m->taken]);
	(void)pthread_mutex_unlock(&m->lock);
}

/* ------ names, in place of the C library's ------ */

static sem_t slow_asked, slow_let;

void
mi_slow_begin(void)
{
	(void)sem_init(&slow_asked, 0, 0);
	(void)sem_init(&slow_let, 0, 0);
}

void
mi_slow_wait(void)
{
	ck_assert_int_eq(sem_wait(&slow_asked), 0);
}

void
mi_slow_end(void)
{
	(void)sem_post(&slow_let);
}

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
    struct addrinfo **ret)
{
	static struct sockaddr_storage addr;
	static struct addrinfo ai = { .ai_addr = (struct sockaddr *)&addr };

	(void)hints;
	if (strcmp(node, "slow") == 0) {
		(void)sem_post(&slow_asked);
		while (sem_wait(&slow_let) < 0 && errno == EINTR)
			continue;
		return EAI_AGAIN;
	}
	if (ex_addr_parse(strcmp(node, "localhost") == 0 ? "127.0.0.1" : node, &addr,
	    &ai.ai_addrlen) < 0)
		return EAI_NONAME;
	((struct sockaddr_in *)(void *)&addr)->sin_port = htons((uint16_t)strtoul(service, NULL,
	    10));
	ai.ai_family = addr.ss_family;
	*ret = &ai;
	return 0;
}

void
freeaddrinfo(struct addrinfo *ai)
{
	(void)ai;
}

/* ------ worlds ------ */

void
mi_begin(struct mi_world *w, const char *file)
{
	mi_init(&w->server);
	mi_start(&w->server);
	world_init(&w->world, false);
	world_file(&w->world, file);
	ck_assert_int_eq(world_up(&w->world), 0);
	w->isns = NULL;
	w->rounds = 0;
}

void
mi_go(struct mi_world *w, const struct isns_conf *more)
{
	struct isns_conf conf = more != NULL ? *more : (struct isns_conf){ .period_s = 300 };

	if (conf.server == NULL)
		conf.server = w->server.server;
	if (conf.entity == NULL)
		conf.entity = "e";
	conf.exports = w->world.exports;
	conf.connect_ms = conf.connect_ms != 0 ? conf.connect_ms : MI_WAIT_S * 1000;
	conf.answer_ms = conf.answer_ms != 0 ? conf.answer_ms : MI_WAIT_S * 1000;
	conf.stop_ms = conf.stop_ms != 0 ? conf.stop_ms : MI_WAIT_S * 1000;
	ck_assert_int_eq(isns_new(&conf, &w->isns), 0);
	ck_assert_int_eq(isns_go(w->isns), 0);
}

void
mi_change(struct mi_world *w, const char *file)
{
	struct ex_result res;

	world_file(&w->world, file);
	ck_assert_msg(exports_reload(w->world.exports, &res) == 0, "%s", res.text);
}

void
mi_end(struct mi_world *w)
{
	isns_stop(w->isns);
	isns_free(w->isns);
	mi_fini(&w->server);
	world_down(&w->world);
	world_fini(&w->world);
}

static bool
error_fits(const struct isns_status *st, const char *error)
{
	if (error == NULL)
		return true;
	return error[0] == '\0' ? st->error[0] == '\0' : strstr(st->error, error) != NULL;
}

void
mi_wait(struct mi_world *w, enum isns_state state, const char *error)
{
	time_t until = time(NULL) + MI_WAIT_S;
	struct isns_status st;

	do {
		isns_status_get(w->isns, &st);
		if (st.rounds > w->rounds && st.state == state && error_fits(&st, error)) {
			w->rounds = st.rounds;
			return;
		}
		(void)sched_yield();
	} while (time(NULL) < until);
	ck_abort_msg("%s, '%s'", isns_state_name(st.state), st.error);
}

/* ------ time ------ */

static _Atomic uint64_t held_ns;

static uint64_t
held_now(void *arg UNUSED)
{
	return atomic_load(&held_ns);
}

void
mi_clock_hold(void)
{
	atomic_store(&held_ns, 1000 * NS_PER_S);
	clock_set_source(held_now, NULL);
}

void
mi_clock_advance(struct mi_world *w, uint32_t s)
{
	(void)atomic_fetch_add(&held_ns, s * NS_PER_S);
	isns_poke(w->isns);
}
