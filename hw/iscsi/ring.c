/* the queue of a session, and what leaves it */
#include "hw/iscsi/iscsi_hba_impl.h"

#include <sys/eventfd.h>

#include "base/clock.h"

const struct sm_state ih_cmd_states[IH_CMD_STATE_N] = {
	[IH_IDLE] = { "idle", SM_TO(IH_QUEUED) },
	[IH_QUEUED] = { "queued", SM_TO(IH_SENT) | SM_TO(IH_IDLE) },
	[IH_SENT] = { "sent", SM_TO(IH_QUEUED) | SM_TO(IH_IDLE) },
};

void
ih_kick(struct ih_session *s)
{
	if (!s->is_asleep)
		return;
	s->is_asleep = false;
	(void)eventfd_write(s->kick_fd, 1);
}

void
ih_mark(struct ih_cmd *cmd, uint8_t why, uint_t stats)
{
	cmd->stats |= stats;
	if (cmd->why == CMD_CMPLT)
		cmd->why = why;
}

unsigned int
ih_take_queued(struct ih_session *s, int lun, uint8_t why, uint_t stats, struct ih_cmds *list)
{
	struct ih_cmd *cmd, *next;
	unsigned int n = 0;

	for (cmd = TAILQ_FIRST(&s->queue); cmd != NULL; cmd = next) {
		next = TAILQ_NEXT(cmd, link);
		if (!ih_is_of(cmd, lun))
			continue;
		TAILQ_REMOVE(&s->queue, cmd, link);
		s->nqueued--;
		ih_mark(cmd, why, stats);
		TAILQ_INSERT_TAIL(list, cmd, link);
		n++;
	}
	return n;
}

/* the next one, now the thread's; NULL: there is none */
static struct ih_cmd *
queue_take(struct ih_session *s)
{
	struct ih_cmd *cmd;

	mutex_enter(&s->lock);
	cmd = TAILQ_FIRST(&s->queue);
	if (cmd != NULL) {
		TAILQ_REMOVE(&s->queue, cmd, link);
		(void)sm_move(ih_cmd_states, &cmd->state, IH_SENT);
		cmd->slot = NULL;
		cmd->deadline_ns = IH_NEVER;
		TAILQ_INSERT_TAIL(&s->sent, cmd, link);
		s->nqueued--;
		s->nsent++;
	}
	mutex_exit(&s->lock);
	return cmd;
}

static void
queue_give_back(struct ih_session *s, struct ih_cmd *cmd)
{
	mutex_enter(&s->lock);
	TAILQ_REMOVE(&s->sent, cmd, link);
	(void)sm_move(ih_cmd_states, &cmd->state, IH_QUEUED);
	TAILQ_INSERT_HEAD(&s->queue, cmd, link);
	s->nsent--;
	s->nqueued++;
	mutex_exit(&s->lock);
}

void
ih_send_all(struct ih_session *s)
{
	struct iovec iov[WIRE_IOV_MAX];
	struct wire_command command;
	struct ih_cmd *cmd;

	while (s->nbarriers == 0 && wire_can_send(s->wire) && (cmd = queue_take(s)) != NULL) {
		ih_command_of(cmd, iov, &command);
		cmd->slot = wire_send(s->wire, &command);
		if (cmd->slot == NULL) {
			queue_give_back(s, cmd);
			break;
		}
		if (cmd->pkt->pkt_time != 0)
			cmd->deadline_ns = clock_now_ns() + cmd->pkt->pkt_time * NS_PER_S;
	}
}

void
ih_done(struct ih_session *s, struct ih_cmd *cmd)
{
	mutex_enter(&s->lock);
	TAILQ_REMOVE(&s->sent, cmd, link);
	s->nsent--;
	mutex_exit(&s->lock);
	TAILQ_INSERT_TAIL(&s->done, cmd, link);
}
