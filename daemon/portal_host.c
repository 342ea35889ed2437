#include "daemon/portal_impl.h"

#include <errno.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "lu/port.h"

static struct ex_peer
peer_of(const struct portal_conn *conn, const char *initiator)
{
	return (struct ex_peer){ initiator, (const struct sockaddr *)&conn->peer, conn->group };
}

/* ------ may it log in? ------ */

static const uint16_t status_of[] = {
	[EX_ADMIT] = ISCSI_LOGIN_OK,
	[EX_NOT_FOUND] = ISCSI_LOGIN_NOT_FOUND,
	[EX_FORBIDDEN] = ISCSI_LOGIN_FORBIDDEN,
	[EX_REDIRECT] = ISCSI_LOGIN_MOVED_TEMP,
};

static void
fill_auth(const struct ex_words *accounts, struct iscsi_login_target *ret)
{
	ret->auth = accounts->n > 0 ? ISCSI_AUTH_CHAP : ISCSI_AUTH_NONE;
}

static uint16_t
redirect_fill(const struct ex_target *target, struct iscsi_login_target *ret)
{
	(void)text_copy(ret->redirect, sizeof(ret->redirect), target->redirect);
	return target->is_redirect_permanent ? ISCSI_LOGIN_MOVED_PERM : ISCSI_LOGIN_MOVED_TEMP;
}

static uint16_t
target_fill(struct portal_conn *conn, const struct ex_target *target,
    struct iscsi_login_target *ret, struct iscsi_node **ret_node)
{
	struct portal_target *t = portal_target_pin(conn->loop->server, target->o.name);

	if (t == NULL)
		return ISCSI_LOGIN_UNAVAILABLE;
	conn->target = t;
	conn->wanted = target;
	*ret_node = t->node;
	if (target->alias != NULL)
		(void)text_copy(ret->alias, sizeof(ret->alias), target->alias);
	ret->window = target->window;
	ret->offer.want.max_connections = target->connections_max;
	ret->offer.want.error_recovery_level = target->recovery_level;
	ret->offer.want.time_2_retain = target->retain_s;
	fill_auth(ex_target_chap(target), ret);
	return ISCSI_LOGIN_OK;
}

uint16_t
portal_host_find_target(struct iscsi_conn *iscsi, const struct iscsi_login_result *who,
    struct iscsi_login_target *ret, struct iscsi_node **ret_node)
{
	struct portal_conn *conn = iscsi_conn_host(iscsi);
	struct ex_peer peer = peer_of(conn, who->initiator);
	const struct ex_target *target;
	enum ex_verdict verdict;

	if (conn->set == NULL)
		conn->set = exports_set(conn->loop->server->exports);
	conn->is_discovery = who->is_discovery;
	ret->tag = conn->group;
	if (who->is_discovery) {
		ret->offer.want.max_recv_data = PORTAL_ASKING_MAX;
		fill_auth(ex_discovery_chap(conn->set), ret);
		return ISCSI_LOGIN_OK;
	}
	target = ex_set_target(conn->set, who->target);
	verdict = ex_admit(conn->set, target, &peer);
	if (verdict == EX_REDIRECT)
		return redirect_fill(target, ret);
	if (verdict != EX_ADMIT)
		return status_of[verdict];
	return target_fill(conn, target, ret, ret_node);
}

/* ------ CHAP ------ */

int
portal_host_random(void *arg UNUSED, void *buf, size_t len)
{
	ssize_t r = getrandom(buf, len, 0);

	return r == (ssize_t)len ? 0 : -EIO;
}

static int
secret_copy(const struct ex_secret *from, struct iscsi_chap_secret *ret)
{
	if (from->len == 0 || from->len > sizeof(ret->bytes))
		return -ENOENT;
	memcpy(ret->bytes, from->bytes, from->len);
	ret->len = from->len;
	return 0;
}

int
portal_host_secret(void *arg, const char *name, struct iscsi_chap_secret *ret)
{
	struct iscsi_conn *iscsi = arg;
	struct portal_conn *conn = iscsi_conn_host(iscsi);
	const struct ex_words *accounts = ex_discovery_chap(conn->set);

	if (!conn->is_discovery) {
		if (conn->wanted == NULL)
			return -ENOENT;
		accounts = ex_target_chap(conn->wanted);
	}
	conn->account = ex_chap_find(conn->set, accounts, name);
	return conn->account == NULL ? -ENOENT : secret_copy(&conn->account->secret, ret);
}

int
portal_host_own_secret(
    void *arg, char name[ISCSI_CHAP_NAME_LEN], struct iscsi_chap_secret *ret)
{
	struct iscsi_conn *iscsi = arg;
	struct portal_conn *conn = iscsi_conn_host(iscsi);

	if (conn->account == NULL || conn->account->mutual_user == NULL)
		return -ENOENT;
	(void)text_copy(name, ISCSI_CHAP_NAME_LEN, conn->account->mutual_user);
	return secret_copy(&conn->account->mutual_secret, ret);
}

/* ------ SendTargets ------ */

/* a portal that listens on every address is reached at the one that was connected to */
static void
address_of(const struct portal_conn *conn, const struct sockaddr_storage *bound,
    struct iscsi_address *ret)
{
	const struct sockaddr_storage *from = bound;
	const struct sockaddr_in6 *in6 = (const void *)bound;
	const struct sockaddr_in *in = (const void *)bound;

	ret->port = ntohs(bound->ss_family == AF_INET6 ? in6->sin6_port : in->sin_port);
	if (bound->ss_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) :
	    in->sin_addr.s_addr == INADDR_ANY)
		from = &conn->local;
	in6 = (const void *)from;
	in = (const void *)from;
	if (from->ss_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &in6->sin6_addr, ret->host, sizeof(ret->host));
	else
		(void)inet_ntop(AF_INET, &in->sin_addr, ret->host, sizeof(ret->host));
}

static void
tell_portals(const struct portal_conn *conn, const struct ex_set *set, uint16_t group,
    struct iscsi_text_out *out)
{
	for (size_t i = 0; i < ex_set_count(set, EX_PORTAL); i++) {
		const struct ex_portal *portal =
		    (const struct ex_portal *)ex_set_at(set, EX_PORTAL, i);
		struct iscsi_address address = { .tag = group };
		struct sockaddr_storage bound;
		char text[EX_ADDR_LEN];
		socklen_t len;

		if (portal->group != group ||
		    !exports_portal_bound(conn->loop->server->exports, portal->o.name, text) ||
		    ex_addr_parse(text, &bound, &len) < 0)
			continue;
		address_of(conn, &bound, &address);
		iscsi_send_targets_portal(out, &address);
	}
}

static void
tell_target(const struct portal_conn *conn, const struct ex_set *set,
    const struct ex_target *target, struct iscsi_text_out *out)
{
	iscsi_send_targets_name(out, target->o.name);
	for (size_t i = 0; i < target->groups.n; i++)
		tell_portals(conn, set, target->tags[i], out);
}

static const char *
initiator_of(const struct iscsi_conn *iscsi)
{
	const struct iscsi_session *session = iscsi_conn_session(iscsi);

	return session == NULL ? "" : iscsi_session_info(session)->initiator;
}

void
portal_host_send_targets(struct iscsi_conn *iscsi, enum iscsi_send_targets what,
    const char *name, struct iscsi_text_out *out)
{
	struct portal_conn *conn = iscsi_conn_host(iscsi);
	struct iscsi_session *session = iscsi_conn_session(iscsi);
	struct iscsi_node *node = session == NULL ? NULL : iscsi_session_node(session);
	struct ex_peer peer = peer_of(conn, initiator_of(iscsi));
	struct ex_set *set = exports_set(conn->loop->server->exports);
	const struct ex_target *target;

	if (what == ISCSI_SEND_OWN)
		name = node == NULL ? "" : iscsi_node_name(node);
	if (what != ISCSI_SEND_ALL) {
		target = ex_set_target(set, name);
		if (target != NULL && ex_visible(set, target, &peer))
			tell_target(conn, set, target, out);
	}
	for (size_t i = 0; what == ISCSI_SEND_ALL && i < ex_set_count(set, EX_TARGET); i++) {
		target = (const struct ex_target *)ex_set_at(set, EX_TARGET, i);
		if (ex_visible(set, target, &peer))
			tell_target(conn, set, target, out);
	}
	ex_set_unref(set);
}
