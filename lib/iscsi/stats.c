#include "iscsi/iscsi_impl.h"

_Static_assert(sizeof(struct iscsi_stats) % sizeof(uint64_t) == 0, "counters only");

void
stats_add(struct iscsi_stats *sum, const struct iscsi_stats *more)
{
	uint64_t *to = (uint64_t *)(void *)sum;
	const uint64_t *from = (const uint64_t *)(const void *)more;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

void
iscsi_conn_stats(const struct iscsi_conn *conn, struct iscsi_stats *ret_stats)
{
	*ret_stats = conn->stats;
}

void
iscsi_session_stats(const struct iscsi_session *session, struct iscsi_stats *ret_stats)
{
	const struct iscsi_conn *conn;

	*ret_stats = session->stats;
	LIST_FOREACH(conn, &session->conns, session_entry)
		stats_add(ret_stats, &conn->stats);
}

void
iscsi_node_stats(const struct iscsi_node *node, struct iscsi_stats *ret_stats)
{
	const struct iscsi_session *session;
	struct iscsi_stats one;

	*ret_stats = node->stats;
	LIST_FOREACH(session, &node->sessions, entry) {
		iscsi_session_stats(session, &one);
		stats_add(ret_stats, &one);
	}
}
