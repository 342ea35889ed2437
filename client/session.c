#include <errno.h>
#include <string.h>

#include "client/pool.h"
#include "client/scsac_impl.h"

static int
conns_copy(struct scsac_sessions *list, struct scsac_session *s, const Scsad__Session *msg)
{
	struct scsac_session_conn *conns = pool_alloc(list,
	    (msg->n_conns + 1) * sizeof(*conns));

	if (conns == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < msg->n_conns; i++) {
		const Scsad__SessionConn *from = msg->conns[i];
		const struct pool_pair pairs[] = {
			{ &conns[i].peer, from->peer },
			{ &conns[i].local, from->local },
			{ &conns[i].state, from->state },
		};

		conns[i].cid = from->cid;
		conns[i].header_digest = from->header_digest;
		conns[i].data_digest = from->data_digest;
		conns[i].rx_bytes = from->rx_bytes;
		conns[i].tx_bytes = from->tx_bytes;
		if (pool_texts(list, pairs, ARRAY_LEN(pairs)) < 0)
			return -ENOMEM;
	}
	s->conns = conns;
	s->n_conns = msg->n_conns;
	return 0;
}

static int
session_copy(struct scsac_sessions *list, struct scsac_session *s, const Scsad__Session *msg)
{
	const struct pool_pair pairs[] = {
		{ &s->target, msg->target },
		{ &s->initiator, msg->initiator },
		{ &s->alias, msg->alias },
		{ &s->user, msg->user },
		{ &s->state, msg->state },
	};

	s->id = msg->id;
	if (msg->has_isid && msg->isid.len == sizeof(s->isid))
		memcpy(s->isid, msg->isid.data, sizeof(s->isid));
	s->tsih = msg->tsih;
	s->group = msg->group;
	s->recovery_level = msg->recovery_level;
	s->age_ms = msg->age_ms;
	s->commands = msg->commands;
	s->in_flight = msg->in_flight;
	s->read_bytes = msg->read_bytes;
	s->written_bytes = msg->written_bytes;
	if (pool_texts(list, pairs, ARRAY_LEN(pairs)) < 0)
		return -ENOMEM;
	return conns_copy(list, s, msg);
}

static int
list_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__SessionListReply *msg = (const void *)reply;
	struct scsac_sessions *list = call->arg;
	struct scsac_session *sessions = pool_append(list, list->sessions, list->n_sessions,
	    msg->n_sessions, sizeof(*sessions));

	if (sessions == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < msg->n_sessions; i++)
		if (session_copy(list, &sessions[list->n_sessions + i], msg->sessions[i]) < 0)
			return -ENOMEM;
	list->sessions = sessions;
	list->n_sessions += msg->n_sessions;
	return 0;
}

static void
sessions_freep(struct scsac_sessions **list)
{
	scsac_sessions_free(*list);
}

int
scsac_session_list(struct scsac *c, uint64_t id, struct scsac_sessions **ret)
{
	CLEANUP(sessions_freep) struct scsac_sessions *list = pool_new(sizeof(*list));
	Scsad__SessionListRequest msg = SCSAD__SESSION_LIST_REQUEST__INIT;
	int r;

	if (list == NULL)
		return error_local(c, -ENOMEM, "", "out of memory");
	msg.has_id = id != 0;
	msg.id = id;
	r = call_run(c, METHOD_SESSION_LIST, &msg.base, list_take, list);
	if (r < 0)
		return r;
	*ret = STEAL(list);
	return 0;
}

void
scsac_sessions_free(struct scsac_sessions *list)
{
	pool_free(list);
}

int
scsac_session_close(struct scsac *c, uint64_t id)
{
	Scsad__SessionCloseRequest msg = SCSAD__SESSION_CLOSE_REQUEST__INIT;

	msg.has_id = 1;
	msg.id = id;
	return call_run(c, METHOD_SESSION_CLOSE, &msg.base, NULL, NULL);
}
