#include "daemon/isns.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/num.h"
#include "base/text.h"
#include "daemon/exports.h"
#include "daemon/isns_impl.h"

#define CONNECT_MS	5000
#define ANSWER_MS	10000
#define STOP_MS		2000
#define STOP_MORE_MS	1000
#define REFRESHES	3	/* in one period: two may get lost */

/* ------ words ------ */

static const char *const states[ISNS_STATE_N] = {
	[ISNS_OUT] = "not registered",
	[ISNS_IDLE] = "nothing to register",
	[ISNS_IN] = "registered",
};

const char *
isns_state_name(enum isns_state state)
{
	return states[state];
}

/* letters that names and addresses of IPv4 have */
static bool
host_is_name(const char *host)
{
	for (const char *p = host; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && *p != '-' && *p != '.' && *p != '_')
			return false;
	return host[0] != '\0' && host[0] != '-';
}

bool
isns_split(const char *server, char host[ISNS_HOST_LEN], char port[ISNS_PORT_LEN])
{
	bool is_v6 = server[0] == '[';
	size_t len = strcspn(server + is_v6, is_v6 ? "]" : ":");
	const char *rest = server + is_v6 + len;
	struct in6_addr in6;
	uint64_t number = ISNS_PORT;

	if (len >= ISNS_HOST_LEN || (is_v6 && *rest++ != ']'))
		return false;
	(void)snprintf(host, ISNS_HOST_LEN, "%.*s", (int)len, server + is_v6);
	if (is_v6 ? inet_pton(AF_INET6, host, &in6) != 1 : !host_is_name(host))
		return false;
	if (*rest != '\0' && (*rest != ':' || num_parse_u64(rest + 1, 65535, &number) < 0 ||
	    number == 0))
		return false;
	(void)snprintf(port, ISNS_PORT_LEN, "%u", (unsigned int)number);
	return true;
}

bool
isns_server_check(const char *server)
{
	char host[ISNS_HOST_LEN], port[ISNS_PORT_LEN];

	return isns_split(server, host, port);
}

/* "": a name that many machines have would make each of them replace the others; and one that has
 * bytes which a configured entity may not have cannot be told to anybody */
static void
entity_default(char *dst, size_t size)
{
	if (gethostname(dst, size) < 0)
		dst[0] = '\0';
	dst[size - 1] = '\0';
	for (const char *p = dst; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			dst[0] = '\0';
	if (strncasecmp(dst, "localhost", 9) == 0 || strcmp(dst, "(none)") == 0)
		dst[0] = '\0';
}

/* ------ how it goes ------ */

void
isns_status_get(struct isns *x, struct isns_status *ret)
{
	(void)pthread_mutex_lock(&x->lock);
	*ret = x->status;
	(void)pthread_mutex_unlock(&x->lock);
}

const char *
isns_server(const struct isns *x)
{
	return x->server;
}

static uint32_t
retry_s(const struct isns *x)
{
	return x->fails >= 8 ? ISNS_RETRY_MAX_S :
	    (uint32_t)num_min(1u << (x->fails - 1), ISNS_RETRY_MAX_S);
}

static void
status_set(struct isns *x, enum isns_state state)
{
	bool is_in = state == ISNS_IN && x->known != NULL;

	(void)pthread_mutex_lock(&x->lock);
	if (x->status.state != state)
		x->status.since_ns = clock_now_ns();
	x->status.state = state;
	x->status.targets = is_in ? (uint32_t)x->known->n_targets : 0;
	x->status.portals = is_in ? (uint32_t)x->known->n_portals : 0;
	x->status.period_s = is_in ? x->period_s : 0;
	x->status.retry_s = x->fails > 0 ? retry_s(x) : 0;
	x->status.rounds++;
	(void)text_copy(x->status.entity, sizeof(x->status.entity), x->entity);
	(void)text_copy(x->status.error, sizeof(x->status.error), x->error);
	(void)pthread_mutex_unlock(&x->lock);
}

static void
went_wrong(struct isns *x)
{
	struct isns_status before;

	isns_status_get(x, &before);
	if (x->fails < UINT32_MAX)
		x->fails++;
	x->due_ns = clock_now_ns() + retry_s(x) * NS_PER_S;
	/* a server that stays away is told of once */
	log_msg(strcmp(before.error, x->error) == 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
	    "isns %s: %s; targets are not registered there, tried again in %u s", x->server,
	    x->error, retry_s(x));
	status_set(x, ISNS_OUT);
}

static void
went_well(struct isns *x, bool is_told)
{
	struct isns_status before, now;
	uint32_t pause_s = is_told ? x->period_s : x->conf.period_s;

	isns_status_get(x, &before);
	x->fails = 0;
	x->error[0] = '\0';
	pause_s = pause_s < REFRESHES ? 1 : pause_s / REFRESHES;
	x->due_ns = clock_now_ns() + pause_s * NS_PER_S;
	status_set(x, is_told ? ISNS_IN : ISNS_IDLE);
	isns_status_get(x, &now);
	if (before.state == now.state && before.targets == now.targets &&
	    before.portals == now.portals)
		return;
	if (is_told)
		log_msg(before.state == ISNS_IN ? LOG_LEVEL_INFO : LOG_LEVEL_NOTICE,
		    "isns %s: entity '%s' registered: %u targets, %u portals, for %u s",
		    x->server, x->entity, now.targets, now.portals, now.period_s);
	else
		log_info("isns %s: there is nothing to register", x->server);
}

/* ------ the thread ------ */

static void
view_swap(struct isns_view **a, struct isns_view **b)
{
	struct isns_view *view = *a;

	*a = *b;
	*b = view;
}

/* is there anything that the server should hear? */
static bool
is_talk_due(struct isns *x, bool *ret_is_idle)
{
	struct isns_view *view = NULL;
	bool is_talk;

	*ret_is_idle = false;
	/* what is wrong with it is told by the one who has to do something */
	if (isns_view_new(x->conf.exports, isns_is_local(x), &view) < 0)
		return true;
	if (view->n_targets == 0) {
		is_talk = x->is_marked;
		*ret_is_idle = !is_talk;
	} else {
		bool is_same = x->known != NULL && isns_view_same(x->known, view);

		is_talk = x->fails > 0 || clock_now_ns() >= x->due_ns || !is_same;
		/* a view keeps its set, and secrets of accounts that are gone */
		if (is_same)
			view_swap(&x->known, &view);
	}
	isns_view_free(view);
	return is_talk;
}

static void
attend(struct isns *x)
{
	bool is_idle, is_told = false;
	int r = 0;

	if (is_talk_due(x, &is_idle))
		r = isns_talk(x, &is_told);
	else if (!is_idle)
		return;
	if (r == 0)
		went_well(x, is_told);
	else if (r != -ECANCELED)
		went_wrong(x);
}

/* until something is due, or is_stopping: false */
static bool
pause_end(struct isns *x)
{
	struct pollfd fds[] = { { x->poke_fd, POLLIN, 0 }, { x->stop_fd, POLLIN, 0 } };
	uint64_t now = clock_now_ns();
	eventfd_t pokes;

	if (now < x->due_ns)
		(void)poll(fds, ARRAY_LEN(fds), (int)((x->due_ns - now) / NS_PER_MS + 1));
	else
		(void)poll(fds, ARRAY_LEN(fds), 0);
	if (fds[0].revents != 0)
		(void)eventfd_read(x->poke_fd, &pokes);
	return fds[1].revents == 0;
}

static void
retreat(struct isns *x)
{
	bool was_marked = x->is_marked;
	int r = isns_retreat(x);

	if (r < 0)
		log_warning("isns %s: entity '%s' cannot be taken back: %s; the server forgets "
		    "it after %u s", x->server, x->entity, x->error, x->period_s);
	else if (was_marked)
		log_info("isns %s: entity '%s' taken back", x->server, x->entity);
	x->error[0] = '\0';
	status_set(x, ISNS_OUT);
}

static void
isns_unref(struct isns *x)
{
	bool is_last;

	(void)pthread_mutex_lock(&x->lock);
	is_last = --x->refs == 0;
	(void)pthread_mutex_unlock(&x->lock);
	if (!is_last)
		return;
	isns_view_free(x->known);
	close_fd(&x->poke_fd);
	close_fd(&x->stop_fd);
	(void)pthread_mutex_destroy(&x->lock);
	(void)pthread_cond_destroy(&x->ended);
	free(x->server);
	free(x);
}

static void *
isns_main(void *arg)
{
	struct isns *x = arg;

	(void)pthread_setname_np(pthread_self(), "isns");
	while (pause_end(x))
		attend(x);
	retreat(x);
	(void)pthread_mutex_lock(&x->lock);
	x->has_ended = true;
	(void)pthread_cond_signal(&x->ended);
	(void)pthread_mutex_unlock(&x->lock);
	isns_unref(x);
	return NULL;
}

/* ------ life ------ */

static void
conf_take(struct isns *x, const struct isns_conf *conf)
{
	x->conf = *conf;
	x->conf.server = x->conf.entity = NULL;
	if (conf->period_s == 0)
		x->conf.period_s = ISNS_PERIOD_DEFAULT_S;
	if (conf->connect_ms == 0)
		x->conf.connect_ms = CONNECT_MS;
	if (conf->answer_ms == 0)
		x->conf.answer_ms = ANSWER_MS;
	if (conf->stop_ms == 0)
		x->conf.stop_ms = STOP_MS;
	x->period_s = x->conf.period_s;
	if (conf->entity != NULL)
		(void)text_copy(x->entity, sizeof(x->entity), conf->entity);
	else
		entity_default(x->entity, sizeof(x->entity));
	(void)text_copy(x->status.entity, sizeof(x->status.entity), x->entity);
}

static void
cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(cond, &attr);
	(void)pthread_condattr_destroy(&attr);
}

int
isns_new(const struct isns_conf *conf, struct isns **ret_isns)
{
	struct isns *x = fault_hit() ? NULL : calloc(1, sizeof(*x));
	int r = 0;

	if (x == NULL)
		return -ENOMEM;
	(void)pthread_mutex_init(&x->lock, NULL);
	cond_init(&x->ended);
	x->refs = 1;
	x->link.fd = -1;
	x->want_groups = true;
	x->status.since_ns = clock_now_ns();
	conf_take(x, conf);
	x->poke_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	x->stop_fd = x->poke_fd < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (x->stop_fd < 0)
		r = -errno;
	x->link.stop_fd = x->stop_fd;
	x->server = fault_hit() ? NULL : strdup(conf->server);
	if (r == 0 && x->server == NULL)
		r = -ENOMEM;
	if (r == 0 && !isns_split(x->server, x->host, x->port))
		r = -EINVAL;
	if (r < 0)
		isns_unref(x);
	else
		*ret_isns = x;
	return r;
}

int
isns_go(struct isns *x)
{
	int err;

	x->refs++;
	/* first: what changes once the thread has looked must not go by */
	exports_watch(x->conf.exports, isns_poke, x);
	err = fault_hit() ? EAGAIN : pthread_create(&x->thread, NULL, isns_main, x);
	if (err != 0) {
		exports_watch(x->conf.exports, NULL, NULL);
		x->refs--;
		log_error("isns %s: no thread: %s", x->server, strerror(err));
		return -err;
	}
	x->has_thread = true;
	return 0;
}

void
isns_poke(void *isns)
{
	struct isns *x = isns;

	(void)eventfd_write(x->poke_fd, 1);
}

/* true: the thread has ended; false: it is about to, and touches only what is its own */
static bool
thread_wait(struct isns *x)
{
	struct timespec until;
	bool has_ended;
	int r = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (x->conf.stop_ms + STOP_MORE_MS) / 1000;
	(void)pthread_mutex_lock(&x->lock);
	x->is_stopping = true;
	(void)eventfd_write(x->stop_fd, 1);
	while (!x->has_ended && (r == 0 || !x->is_resolving))
		r = r == 0 ? pthread_cond_timedwait(&x->ended, &x->lock, &until) :
		    pthread_cond_wait(&x->ended, &x->lock);
	has_ended = x->has_ended;
	(void)pthread_mutex_unlock(&x->lock);
	return has_ended;
}

void
isns_stop(struct isns *x)
{
	if (x == NULL || !x->has_thread)
		return;
	exports_watch(x->conf.exports, NULL, NULL);
	if (thread_wait(x)) {
		(void)pthread_join(x->thread, NULL);
	} else {
		log_warning("isns %s: its name is still being resolved, that is not waited for",
		    x->server);
		(void)pthread_detach(x->thread);
	}
	x->has_thread = false;
}

void
isns_free(struct isns *x)
{
	if (x != NULL)
		isns_unref(x);
}
