#include <errno.h>

#include "iscsi/iscsi_impl.h"

#define RX_BYTES_DEFAULT	(256u << 10)
#define XFER_DEFAULT		(8u << 20)
#define SLOTS_DEFAULT		65536u
#define QUEUED_DEFAULT		(8u << 20)
#define RETAINED_DEFAULT	(4u << 20)
#define LOGIN_MS_DEFAULT	10000u
#define PRIV_MAX		16384u
#define BLOCK_CMDS		16u	/* slots made at a time */
#define RINGS_KEPT		64u	/* unused ones that a loop keeps */
#define CTLS_KEPT		1024u

/* slots are made by blocks and stay until the loop goes */
struct cmd_block {
	SLIST_ENTRY(cmd_block) entry;
	uint8_t *slots;
};

static void
limit_default(uint32_t *limit, uint32_t value)
{
	if (*limit == 0)
		*limit = value;
}

static int
limits_settle(struct iscsi_limits *l)
{
	limit_default(&l->rx_bytes, RX_BYTES_DEFAULT);
	limit_default(&l->xfer_max_bytes, XFER_DEFAULT);
	limit_default(&l->cmd_slots_max, SLOTS_DEFAULT);
	limit_default(&l->tx_queued_bytes, QUEUED_DEFAULT);
	limit_default(&l->retained_bytes, RETAINED_DEFAULT);
	limit_default(&l->login_ms, LOGIN_MS_DEFAULT);
	if (l->held_bytes == 0)
		l->held_bytes = UINT64_MAX;
	if (l->rx_bytes < (64u << 10) || l->rx_bytes > (4u << 20))
		return -EINVAL;
	if (l->xfer_max_bytes > 1u << 31)
		return -EINVAL;
	if (l->cmd_priv_bytes > PRIV_MAX || l->tmf_priv_bytes > PRIV_MAX)
		return -EINVAL;
	return 0;
}

static uint32_t
round_up64(size_t n)
{
	return (uint32_t)((n + 63) / 64 * 64);
}

static void
loop_freep(struct iscsi_loop **loop)
{
	iscsi_loop_free(*loop);
}

int
iscsi_loop_new(const struct iscsi_host_ops *ops, void *host, const struct iscsi_limits *limits,
    struct iscsi_loop **ret_loop)
{
	CLEANUP(loop_freep) struct iscsi_loop *loop = NULL;
	int r;

	loop = fault_hit() ? NULL : calloc(1, sizeof(*loop));
	if (loop == NULL)
		return -ENOMEM;
	loop->ops = ops;
	loop->host = host;
	loop->login_ops = entry_ops;
	loop->login_ops.chap = ops->chap;
	if (limits != NULL)
		loop->limits = *limits;
	STAILQ_INIT(&loop->ctls);
	TAILQ_INIT(&loop->received);
	r = limits_settle(&loop->limits);
	if (r < 0)
		return r;
	loop->cmd_bytes =
	    round_up64(sizeof(struct iscsi_cmd)) + round_up64(loop->limits.cmd_priv_bytes);
	loop->rx = fault_hit() ? NULL : malloc(loop->limits.rx_bytes);
	if (loop->rx == NULL)
		return -ENOMEM;
	*ret_loop = STEAL(loop);
	return 0;
}

static void
block_free(struct iscsi_loop *loop, struct cmd_block *block)
{
	for (uint32_t i = 0; i < BLOCK_CMDS; i++) {
		struct iscsi_cmd *cmd = (void *)(block->slots + (size_t)i * loop->cmd_bytes);

		if (loop->ops->cmd_fini != NULL)
			loop->ops->cmd_fini(iscsi_cmd_priv(cmd));
	}
	free(block->slots);
	free(block);
}

static void
loop_trim(struct iscsi_loop *loop, uint32_t rings, uint32_t ctls)
{
	while (loop->n_rings_free > rings) {
		struct tx_ring *ring = SLIST_FIRST(&loop->rings);

		SLIST_REMOVE_HEAD(&loop->rings, entry);
		loop->n_rings_free--;
		free(ring);
	}
	while (loop->n_ctls_free > ctls) {
		struct iscsi_tx_item *item = STAILQ_FIRST(&loop->ctls);

		STAILQ_REMOVE_HEAD(&loop->ctls, entry);
		loop->n_ctls_free--;
		free(container_of(item, struct iscsi_ctl, tx));
	}
}

void
iscsi_loop_free(struct iscsi_loop *loop)
{
	struct cmd_block *block;
	struct iscsi_tmf *tmf;

	if (loop == NULL)
		return;
	assert(LIST_EMPTY(&loop->conns) && LIST_EMPTY(&loop->nodes));
	assert(loop->n_cmds == loop->n_cmds_free && loop->held_bytes == 0);
	while ((block = SLIST_FIRST(&loop->blocks)) != NULL) {
		SLIST_REMOVE_HEAD(&loop->blocks, entry);
		block_free(loop, block);
	}
	while ((tmf = LIST_FIRST(&loop->tmfs)) != NULL) {
		LIST_REMOVE(tmf, entry);
		free(tmf);
	}
	loop_trim(loop, 0, 0);
	free(loop->rx);
	free(loop);
}

void *
iscsi_loop_host(const struct iscsi_loop *loop)
{
	return loop->host;
}

void
iscsi_loop_time(struct iscsi_loop *loop, uint64_t now_ns)
{
	loop->now_ns = now_ns;
}

/* ------ slots of commands ------ */

static bool
slots_make(struct iscsi_loop *loop)
{
	struct cmd_block *block;
	size_t bytes = (size_t)loop->cmd_bytes * BLOCK_CMDS;

	if (loop->n_cmds + BLOCK_CMDS > loop->limits.cmd_slots_max || fault_hit())
		return false;
	block = calloc(1, sizeof(*block));
	if (block == NULL)
		return false;
	block->slots = aligned_alloc(64, bytes);
	if (block->slots == NULL) {
		free(block);
		return false;
	}
	memset(block->slots, 0, bytes);
	for (uint32_t i = 0; i < BLOCK_CMDS; i++) {
		struct iscsi_cmd *cmd = (void *)(block->slots + (size_t)i * loop->cmd_bytes);

		if (loop->ops->cmd_init != NULL)
			loop->ops->cmd_init(iscsi_cmd_priv(cmd));
		LIST_INSERT_HEAD(&loop->cmds, cmd, hash_entry);
	}
	SLIST_INSERT_HEAD(&loop->blocks, block, entry);
	loop->n_cmds += BLOCK_CMDS;
	loop->n_cmds_free += BLOCK_CMDS;
	return true;
}

struct iscsi_cmd *
loop_take_cmd(struct iscsi_loop *loop)
{
	struct iscsi_cmd *cmd;

	if (UNLIKELY(LIST_EMPTY(&loop->cmds)) && !slots_make(loop))
		return NULL;
	cmd = LIST_FIRST(&loop->cmds);
	LIST_REMOVE(cmd, hash_entry);
	loop->n_cmds_free--;
	return cmd;
}

void
loop_put_cmd(struct iscsi_loop *loop, struct iscsi_cmd *cmd)
{
	LIST_INSERT_HEAD(&loop->cmds, cmd, hash_entry);
	loop->n_cmds_free++;
}

/* ------ rings, task management ------ */

struct tx_ring *
loop_take_ring(struct iscsi_loop *loop)
{
	struct tx_ring *ring = SLIST_FIRST(&loop->rings);

	if (ring == NULL)
		return fault_hit() ? NULL : malloc(sizeof(*ring));
	SLIST_REMOVE_HEAD(&loop->rings, entry);
	loop->n_rings_free--;
	return ring;
}

void
loop_put_ring(struct iscsi_loop *loop, struct tx_ring *ring)
{
	SLIST_INSERT_HEAD(&loop->rings, ring, entry);
	loop->n_rings_free++;
}

void *
iscsi_tmf_priv(struct iscsi_tmf *tmf)
{
	return (uint8_t *)tmf + round_up64(sizeof(*tmf));
}

struct iscsi_tmf *
loop_take_tmf(struct iscsi_loop *loop)
{
	struct iscsi_tmf *tmf = LIST_FIRST(&loop->tmfs);
	size_t bytes = round_up64(sizeof(*tmf)) + round_up64(loop->limits.tmf_priv_bytes);

	if (tmf != NULL) {
		LIST_REMOVE(tmf, entry);
		return tmf;
	}
	tmf = fault_hit() ? NULL : aligned_alloc(64, bytes);
	if (tmf != NULL)
		memset(tmf, 0, bytes);
	return tmf;
}

void
loop_put_tmf(struct iscsi_loop *loop, struct iscsi_tmf *tmf)
{
	LIST_INSERT_HEAD(&loop->tmfs, tmf, entry);
}

/* ------ time ------ */

static void
conn_tick(struct iscsi_conn *conn)
{
	uint64_t now = conn->loop->now_ns;

	if (conn->is_closing)
		return;
	if (conn->until_ns != 0 && now >= conn->until_ns)
		conn_close(
		    conn, conn->session == NULL ? ISCSI_END_LOGIN_TIMEOUT : ISCSI_END_ADMIN);
	else if (conn->session != NULL && conn->session->node != NULL)
		talk_ping(conn);
	else if (conn->session != NULL && now >= conn->heard_ns + DISCOVERY_SILENT_NS)
		conn_close(conn, ISCSI_END_SILENT);
}

void
iscsi_loop_tick(struct iscsi_loop *loop, uint64_t now_ns)
{
	struct iscsi_conn *conn, *next;
	struct iscsi_node *node;

	loop->now_ns = now_ns;
	tmf_resets_run(loop);
	for (conn = LIST_FIRST(&loop->conns); conn != NULL; conn = next) {
		next = LIST_NEXT(conn, entry);
		conn_tick(conn);
	}
	LIST_FOREACH(node, &loop->nodes, entry) {
		struct iscsi_session *session, *follow;

		for (session = LIST_FIRST(&node->sessions); session != NULL; session = follow) {
			follow = LIST_NEXT(session, entry);
			session_tick(session);
		}
	}
	loop_trim(loop, RINGS_KEPT, CTLS_KEPT);
}
