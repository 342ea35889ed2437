#include "iscsi/iscsi_impl.h"

/*
 * A session may hold as much as all of them leave free. So a single one that hoards takes half of
 * what there is, a second one lets each have a third, and whoever comes then finds some. Who holds
 * nothing gets what he asks for. The others wait in the order in which they came, until a command
 * of their own session gives back what it held.
 */

bool
share_has_room(const struct iscsi_session *session, uint32_t bytes)
{
	const struct iscsi_loop *loop = session->loop;
	uint64_t most = loop->limits.held_bytes;

	return session->held_bytes == 0 ||
	    (loop->held_bytes < most &&
	    session->held_bytes + bytes <= most - loop->held_bytes);
}

void
share_hold(struct iscsi_cmd *cmd, uint32_t bytes)
{
	cmd->held_bytes = bytes;
	cmd->session->held_bytes += bytes;
	cmd->session->loop->held_bytes += bytes;
}

void
share_give(struct iscsi_cmd *cmd)
{
	cmd->session->held_bytes -= cmd->held_bytes;
	cmd->session->loop->held_bytes -= cmd->held_bytes;
	cmd->held_bytes = 0;
}

void
share_wait(struct iscsi_cmd *cmd)
{
	cmd->is_hungry = true;
	TAILQ_INSERT_TAIL(&cmd->session->hungry, cmd, hungry_entry);
}

void
share_leave(struct iscsi_cmd *cmd)
{
	cmd->is_hungry = false;
	TAILQ_REMOVE(&cmd->session->hungry, cmd, hungry_entry);
}

/* what comes unasked is here, in memory that may move */
static bool
is_ripe(const struct iscsi_cmd *cmd)
{
	return cmd->n_bursts == 0 && !cmd->is_filling && !cmd->is_refused && cmd->conn != NULL;
}

/* does something of the session hold data, all of it here, and wait for the order of commands? It
 * may wait for one that waits for memory */
static bool
is_in_the_way(const struct iscsi_session *session, uint32_t bytes)
{
	const struct iscsi_loop *loop = session->loop;
	const struct iscsi_cmd *cmd;

	if (loop->held_bytes + bytes > loop->limits.held_bytes)
		return false;
	TAILQ_FOREACH(cmd, &session->tasks, entry)
		if (cmd->held_bytes > 0 && cmd->is_ready && cmd_is_whole(cmd))
			return true;
	return false;
}

void
share_feed(struct iscsi_session *session)
{
	struct iscsi_cmd *cmd;
	uint32_t bytes;

	if (session->is_feeding)
		return;
	session->is_feeding = true;
	session->n_cmds++; /* hold */
again: /* what is asked for may end any of them, for lack of memory */
	TAILQ_FOREACH(cmd, &session->hungry, hungry_entry) {
		if (!is_ripe(cmd))
			continue;
		bytes = dataout_bytes(cmd);
		if (!share_has_room(session, bytes) && !is_in_the_way(session, bytes))
			break;
		share_leave(cmd);
		if (dataout_grow(cmd))
			dataout_solicit(cmd);
		else
			cmd_go(cmd);
		goto again;
	}
	session->is_feeding = false;
	session->n_cmds--;
	session_put(session);
}
