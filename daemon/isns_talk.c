#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/ex_set.h"
#include "daemon/isns_impl.h"

/* ------ complaints ------ */

static int
complain_link(struct isns *x, const char *what, int r)
{
	(void)snprintf(x->error, sizeof(x->error), "%s: %s%s", what,
	    r == -EBADMSG ? "what it says is no iSNS" : r == -ETIMEDOUT ? "no answer in time" :
	    strerror(-r), r == -ECONNREFUSED ? "; is an iSNS server running there?" : "");
	return r;
}

static int
complain_refused(struct isns *x, const char *what, uint32_t status)
{
	(void)snprintf(x->error, sizeof(x->error), "%s is refused: %s (%u)%s", what,
	    isns_status_text(status), status, status == ISNS_STATUS_UNAUTHORIZED ?
	    "; the server has to allow this machine to register" : "");
	return -EPROTO;
}

/* ------ reaching the server ------ */

static bool
addr_is_local(const struct sockaddr_storage *addr)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)addr;
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)addr;

	if (addr->ss_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ||
	    (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) && in6->sin6_addr.s6_addr[12] == 127);
}

bool
isns_is_local(const struct isns *x)
{
	return x->addr_len == 0 || addr_is_local(&x->addr);
}

/* false: isns_stop() does not wait for this thread any more, and has taken away what is not its
 * own */
static bool
resolving_set(struct isns *x, bool is_resolving)
{
	bool can_go_on;

	(void)pthread_mutex_lock(&x->lock);
	can_go_on = !x->is_stopping;
	x->is_resolving = is_resolving && can_go_on;
	(void)pthread_mutex_unlock(&x->lock);
	return can_go_on;
}

static int
server_resolve(struct isns *x, struct addrinfo **ret)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	int err, saved;

	if (!resolving_set(x, true))
		return -ECANCELED;
	err = fault_hit() ? EAI_MEMORY : getaddrinfo(x->host, x->port, &hints, ret);
	saved = errno;
	if (!resolving_set(x, false)) {
		if (err == 0)
			freeaddrinfo(*ret);
		return -ECANCELED;
	}
	if (err == 0)
		return 0;
	(void)snprintf(x->error, sizeof(x->error), "the name cannot be resolved: %s; write the "
	    "server's address, or mend the name service",
	    err == EAI_SYSTEM ? strerror(saved) : gai_strerror(err));
	return -ENOENT;
}

static int
server_reach(struct isns *x)
{
	struct addrinfo *list = NULL;
	int r = server_resolve(x, &list);

	if (r < 0)
		return r;
	r = -EADDRNOTAVAIL;
	for (const struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
		r = isns_link_open(&x->link, ai->ai_addr, ai->ai_addrlen, x->conf.connect_ms);
		if (r == 0) {
			memcpy(&x->addr, ai->ai_addr, ai->ai_addrlen);
			x->addr_len = ai->ai_addrlen;
		}
		if (r == 0 || r == -ECANCELED)
			break;
	}
	freeaddrinfo(list);
	return r < 0 ? complain_link(x, "cannot be reached", r) : 0;
}

/* ------ requests ------ */

static int
ask(struct isns *x, const char *what, size_t len, uint32_t wait_ms, struct isns_answer *ret)
{
	int r = isns_link_call(&x->link, x->msg, len, x->source, wait_ms, ret);

	return r < 0 ? complain_link(x, what, r) : 0;
}

static struct isns_speaker
speaker(const struct isns *x)
{
	return (struct isns_speaker){ x->entity, x->source };
}

/* what the server has of us goes; that it does not let us, or knows nothing, is no failure */
static int
take_back(struct isns *x, uint32_t wait_ms)
{
	const struct isns_speaker who = speaker(x);
	struct isns_answer answer;
	int r = ask(x, "deregistration", isns_msg_deregister(&who, isns_link_xid(&x->link),
	    x->msg), wait_ms, &answer);

	if (r < 0)
		return r;
	if (answer.status != ISNS_STATUS_SUCCESS)
		log_info("isns %s: deregistration is refused: %s (%u)", x->server,
		    isns_status_text(answer.status), answer.status);
	x->is_marked = false;
	isns_view_free(STEAL(x->known));
	return 0;
}

/* a server without explicit portal groups takes every target to be behind every portal: a login
 * at the wrong one is refused by us */
static void
groups_leave_out(struct isns *x, struct isns_writer *w)
{
	log_info("isns %s: takes no portal groups, they are left out", x->server);
	x->want_groups = w->want_groups = false;
	w->want_replace = true;
	w->is_begun = false;
	w->next = 0;
}

static int
register_view(struct isns *x, const struct isns_view *view, bool want_replace)
{
	struct isns_writer w = {
		.who = speaker(x),
		.view = view,
		.period_s = x->conf.period_s,
		.want_replace = want_replace,
		.want_groups = x->want_groups,
	};
	uint32_t period_s = 0;
	size_t len;

	if (view->is_cut)
		log_warning("isns %s: portals have more than %u addresses, the others are not "
		    "registered", x->server, ISNS_PORTALS_MAX);
	x->is_marked = true;
	while ((len = isns_msg_register(&w, isns_link_xid(&x->link), x->msg)) > 0) {
		struct isns_answer answer;
		int r = ask(x, "registration", len, x->conf.answer_ms, &answer);

		if (r < 0)
			return r;
		if (answer.status == ISNS_STATUS_NO_FEATURE && w.want_groups) {
			groups_leave_out(x, &w);
			continue;
		}
		if (answer.status != ISNS_STATUS_SUCCESS)
			return complain_refused(x, "registration", answer.status);
		if (answer.period_s != 0)
			period_s = answer.period_s;
	}
	x->period_s = period_s == 0 ? x->conf.period_s :
	    period_s > ISNS_PERIOD_MAX_S ? ISNS_PERIOD_MAX_S : period_s;
	return 0;
}

/* does it still have what it had? */
static int
ask_known(struct isns *x, bool *ret_is_known)
{
	const struct isns_speaker who = speaker(x);
	struct isns_answer answer;
	int r = ask(x, "query", isns_msg_query(&who, isns_link_xid(&x->link), x->msg),
	    x->conf.answer_ms, &answer);

	if (r == 0)
		*ret_is_known = answer.status == ISNS_STATUS_SUCCESS && answer.has_node;
	return r;
}

/* ------ conversations ------ */

/* who speaks: who did before, as long as it is there */
static int
source_choose(struct isns *x, const struct isns_view *view)
{
	size_t at;

	if (x->is_marked && isns_view_find(view, x->source, &at))
		return 0;
	if (x->is_marked) {
		int r = take_back(x, x->conf.answer_ms);

		if (r < 0)
			return r;
	}
	(void)text_copy(x->source, sizeof(x->source), view->targets[0]->o.name);
	if (x->entity[0] == '\0')
		(void)text_copy(x->entity, sizeof(x->entity), x->source);
	return 0;
}

/* @view goes to the server, and is what it knows then */
static int
tell(struct isns *x, struct isns_view *view)
{
	bool is_known = false, want_replace;
	int r = source_choose(x, view);

	if (r == 0 && x->known != NULL && isns_view_same(x->known, view))
		r = ask_known(x, &is_known);
	if (r < 0) {
		isns_view_free(view);
		return r;
	}
	want_replace = x->known == NULL || !isns_view_within(x->known, view);
	isns_view_free(STEAL(x->known));
	r = is_known ? 0 : register_view(x, view, want_replace);
	if (r < 0)
		isns_view_free(view);
	else
		x->known = view;
	return r;
}

static int
converse(struct isns *x, bool *ret_told)
{
	struct isns_view *view = NULL;
	int r = isns_view_new(x->conf.exports, isns_is_local(x), &view);

	if (r < 0) {
		(void)snprintf(x->error, sizeof(x->error), "this machine's addresses cannot be "
		    "listed: %s", strerror(-r));
		return r;
	}
	*ret_told = view->n_targets > 0;
	if (view->n_targets > 0)
		return tell(x, view);
	isns_view_free(view);
	return x->is_marked ? take_back(x, x->conf.answer_ms) : 0;
}

int
isns_talk(struct isns *x, bool *ret_told)
{
	int r = server_reach(x);

	if (r < 0)
		return r;
	r = converse(x, ret_told);
	isns_link_close(&x->link);
	return r;
}

int
isns_retreat(struct isns *x)
{
	int r;

	if (!x->is_marked || x->addr_len == 0)
		return 0;
	x->link.stop_fd = -1;
	r = isns_link_open(&x->link, (const struct sockaddr *)&x->addr, x->addr_len,
	    x->conf.stop_ms / 2);
	if (r < 0)
		return complain_link(x, "cannot be reached", r);
	r = take_back(x, x->conf.stop_ms / 2);
	isns_link_close(&x->link);
	return r;
}
