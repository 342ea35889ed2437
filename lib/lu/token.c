/* ROD tokens: made, found, and over when their data changes (lu/token.h) */
#include "lu/token.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/fault.h"
#include "lu/lu_impl.h"
#include "scsi/cdb.h"

enum token_state { TOKEN_GOOD, TOKEN_CHANGED, TOKEN_EXPIRED, TOKEN_CANCELLED, TOKEN_STATE_N };

struct token {
	/* constant */
	uint64_t id;
	uint64_t unit_id;
	uint32_t block_bytes;
	uint32_t idle_s;
	uint64_t blocks;
	unsigned int n_ranges;
	struct token_range ranges[TOKEN_RANGE_MAX];
	uint8_t bytes[COPY_TOKEN_LEN];

	_Atomic unsigned int refs;
	_Atomic unsigned int state;	/* enum token_state; moves under the lock */
	/* lock */
	struct lu *lu;			/* where it is counted; NULL: that is gone */
	uint64_t used_ns;
	TAILQ_ENTRY(token) entry;
};

static const uint16_t state_ascs[TOKEN_STATE_N] = {
	[TOKEN_GOOD] = ASC_NONE,
	[TOKEN_CHANGED] = ASC_TOKEN_REVOKED,
	[TOKEN_EXPIRED] = ASC_TOKEN_EXPIRED,
	[TOKEN_CANCELLED] = ASC_TOKEN_CANCELLED,
};

/* what is over stays listed, to say why, until its place is needed */
static pthread_mutex_t tokens_lock = PTHREAD_MUTEX_INITIALIZER;
static TAILQ_HEAD(, token) tokens = TAILQ_HEAD_INITIALIZER(tokens);	/* oldest first */
static unsigned int n_tokens;

/* ------ under the lock ------ */

static void
token_end(struct token *token, enum token_state state)
{
	if (atomic_load(&token->state) != TOKEN_GOOD)
		return;
	atomic_store(&token->state, state);
	if (token->lu != NULL)
		(void)atomic_fetch_sub(&token->lu->n_tokens, 1);
}

static void
token_unlist(struct token *token)
{
	token_end(token, TOKEN_EXPIRED);
	TAILQ_REMOVE(&tokens, token, entry);
	n_tokens--;
	token_unref(token);
}

static void
tokens_expire(void)
{
	uint64_t now_ns = clock_now_ns();
	struct token *token;

	TAILQ_FOREACH(token, &tokens, entry) {
		if (now_ns - token->used_ns > token->idle_s * NS_PER_S)
			token_end(token, TOKEN_EXPIRED);
	}
}

/* a place for one more; false: all are in use */
static bool
tokens_make_room(void)
{
	struct token *token;

	if (n_tokens < TOKEN_MAX)
		return true;
	TAILQ_FOREACH(token, &tokens, entry) {
		if (atomic_load(&token->state) != TOKEN_GOOD) {
			token_unlist(token);
			return true;
		}
	}
	return false;
}

static int
token_list_it(struct token *token, struct lu *lu)
{
	tokens_expire();
	if (atomic_load(&lu->n_tokens) >= TOKEN_UNIT_MAX || !tokens_make_room())
		return -ENOSPC;
	token->used_ns = clock_now_ns();
	token->lu = lu;
	lu->has_had_tokens = true;
	(void)atomic_fetch_add(&lu->n_tokens, 1);
	TAILQ_INSERT_TAIL(&tokens, token, entry);
	n_tokens++;
	return 0;
}

/* ------ changes ------ */

enum change { CHANGE_NONE, CHANGE_RANGE, CHANGE_ALL };

/* commands that change blocks, or may, beside those that say so by their class. What a copy
 * writes is noted write by write */
static enum change
change_of(const struct op_info *op)
{
	switch ((unsigned int)op->id) {
	case OP_SYNCHRONIZE_CACHE_10:
	case OP_SYNCHRONIZE_CACHE_16:
	case OP_SECURITY_PROTOCOL_IN:
		return CHANGE_NONE;
	case OP_FORMAT_UNIT:
	case OP_REASSIGN_BLOCKS:
	case OP_MODE_SELECT_6:
	case OP_MODE_SELECT_10:
	case OP_START_STOP_UNIT:
	case OP_SANITIZE_OVERWRITE:
	case OP_SANITIZE_BLOCK_ERASE:
	case OP_SANITIZE_CRYPTO_ERASE:
	case OP_SANITIZE_EXIT_FAILURE:
		return CHANGE_ALL;
	default:
		break;
	}
	if (op->policy == OP_WRITE)
		return op->lba_width > 0 ? CHANGE_RANGE : CHANGE_ALL;
	return op->policy == OP_SECURITY ? CHANGE_ALL : CHANGE_NONE;
}

/* the blocks that @task may change; 0: none */
static uint64_t
change_range(const struct lu *lu, const struct lu_task *task, uint64_t *ret_lba)
{
	enum change change = task->op == NULL ? CHANGE_ALL : change_of(task->op);
	struct cdb_info info;

	*ret_lba = 0;
	if (change == CHANGE_NONE)
		return 0;
	/* no blocks: up to the end, or nobody knows */
	if (change == CHANGE_ALL ||
	    cdb_decode(task->cdb, task->cdb_len, lu->info.block_bytes, &info) < 0 ||
	    !info.has_lba || info.blocks == 0)
		return UINT64_MAX;
	*ret_lba = info.lba;
	return info.blocks;
}

static bool
is_touched(const struct token_range *ranges, unsigned int n, uint64_t lba, uint64_t blocks)
{
	for (unsigned int i = 0; i < n; i++) {
		if (lba < ranges[i].lba + ranges[i].blocks &&
		    (blocks > UINT64_MAX - lba || ranges[i].lba < lba + blocks))
			return true;
	}
	return false;
}

/* is the device at work on a change of these ranges? */
static bool
is_changing(const struct lu *lu, const struct token_list *list)
{
	const struct lu_task *task;
	uint64_t lba, blocks;

	TAILQ_FOREACH(task, &lu->issued, unit_entry) {
		blocks = change_range(lu, task, &lba);
		if (blocks > 0 && is_touched(list->ranges, list->n_ranges, lba, blocks))
			return true;
	}
	return false;
}

static void
unit_changed(const struct lu *lu, uint64_t lba, uint64_t blocks)
{
	struct token *token;

	(void)pthread_mutex_lock(&tokens_lock);
	TAILQ_FOREACH(token, &tokens, entry) {
		if (token->lu == lu && is_touched(token->ranges, token->n_ranges, lba, blocks))
			token_end(token, TOKEN_CHANGED);
	}
	(void)pthread_mutex_unlock(&tokens_lock);
}

void
lu_token_note(struct lu *lu, const struct lu_task *task)
{
	uint64_t lba, blocks = change_range(lu, task, &lba);

	if (blocks > 0)
		unit_changed(lu, lba, blocks);
}

void
lu_token_lost(struct lu *lu)
{
	if (lu_has_tokens(lu))
		unit_changed(lu, 0, UINT64_MAX);
}

/* ------ life ------ */

void
token_unref(struct token *token)
{
	if (token != NULL && atomic_fetch_sub(&token->refs, 1) == 1)
		free(token);
}

static int
random_fill(void *buf, size_t len)
{
	return fault_hit() || getrandom(buf, len, 0) != (ssize_t)len ? -EIO : 0;
}

static int
token_name(struct token *token, const struct lu *lu)
{
	struct token_says says = {
		.type = TOKEN_TYPE_VULNERABLE,
		.creator = lu->n_idents > 0 ? &lu->idents[0] : NULL,
		.block_bytes = token->block_bytes,
		.bytes = token->blocks * token->block_bytes,
	};
	int r = random_fill(&token->id, sizeof(token->id));

	if (r == 0)
		r = random_fill(says.secret, sizeof(says.secret));
	says.id = token->id;
	token_put(&says, token->bytes);
	return r;
}

int
token_new(struct lu *lu, const struct token_list *list, uint8_t ret[COPY_TOKEN_LEN])
{
	struct token *token;
	int r;

	if (is_changing(lu, list))
		return -EBUSY;
	token = fault_hit() ? NULL : calloc(1, sizeof(*token));
	if (token == NULL)
		return -ENOMEM;
	token->unit_id = lu->id;
	token->block_bytes = lu_block_bytes(lu);
	token->idle_s = list->idle_s;
	token->blocks = list->blocks;
	token->n_ranges = list->n_ranges;
	memcpy(token->ranges, list->ranges, sizeof(token->ranges));
	atomic_init(&token->refs, 1);
	atomic_init(&token->state, TOKEN_GOOD);
	r = token_name(token, lu);
	if (r == 0) {
		memcpy(ret, token->bytes, COPY_TOKEN_LEN);
		(void)pthread_mutex_lock(&tokens_lock);
		r = token_list_it(token, lu);
		(void)pthread_mutex_unlock(&tokens_lock);
	}
	if (r < 0)
		token_unref(token);
	return r;
}

/* ------ use ------ */

/* takes the same time wherever they differ */
static bool
is_same_secret(const uint8_t a[COPY_TOKEN_LEN], const uint8_t b[COPY_TOKEN_LEN])
{
	unsigned int differs = 0;

	for (size_t i = 0; i < COPY_TOKEN_LEN; i++)
		differs |= (unsigned int)(a[i] ^ b[i]);
	return differs == 0;
}

static uint16_t
token_use(struct token *token, const uint8_t bytes[COPY_TOKEN_LEN])
{
	uint16_t asc;

	if (!is_same_secret(token->bytes, bytes))
		return ASC_TOKEN_CORRUPT;
	asc = state_ascs[atomic_load(&token->state)];
	if (asc == ASC_NONE)
		token->used_ns = clock_now_ns();
	return asc;
}

uint16_t
token_find(const uint8_t bytes[COPY_TOKEN_LEN], struct token **ret)
{
	struct token *token;
	uint16_t asc = ASC_TOKEN_UNKNOWN;
	uint32_t type;
	uint64_t id;
	uint16_t r = token_read(bytes, &type, &id);

	if (r != ASC_NONE)
		return r;
	(void)pthread_mutex_lock(&tokens_lock);
	tokens_expire();
	TAILQ_FOREACH(token, &tokens, entry) {
		if (token->id == id)
			break;
	}
	if (token != NULL)
		asc = token_use(token, bytes);
	if (asc == ASC_NONE) {
		(void)atomic_fetch_add(&token->refs, 1);
		*ret = token;
	}
	(void)pthread_mutex_unlock(&tokens_lock);
	return asc;
}

bool
token_is_good(const struct token *token)
{
	return atomic_load(&token->state) == TOKEN_GOOD;
}

void
token_cancel(struct token *token)
{
	(void)pthread_mutex_lock(&tokens_lock);
	token_end(token, TOKEN_CANCELLED);
	(void)pthread_mutex_unlock(&tokens_lock);
}

uint64_t
token_unit_id(const struct token *token)
{
	return token->unit_id;
}

uint32_t
token_block_bytes(const struct token *token)
{
	return token->block_bytes;
}

uint64_t
token_blocks(const struct token *token)
{
	return token->blocks;
}

const struct token_range *
token_ranges(const struct token *token, unsigned int *ret_n)
{
	*ret_n = token->n_ranges;
	return token->ranges;
}

size_t
token_report(uint64_t unit_id, uint8_t *buf, size_t max)
{
	struct token *token;
	size_t n = 0;

	(void)pthread_mutex_lock(&tokens_lock);
	tokens_expire();
	TAILQ_FOREACH(token, &tokens, entry) {
		if (token->unit_id != unit_id || !token_is_good(token) || n == max)
			continue;
		memcpy(buf + n * TOKEN_MANAGE_LEN, token->bytes, TOKEN_MANAGE_LEN);
		n++;
	}
	(void)pthread_mutex_unlock(&tokens_lock);
	return n;
}

/* ------ the end of a unit ------ */

void
lu_token_fini(struct lu *lu)
{
	struct token *token, *next;

	if (!lu->has_had_tokens)
		return;
	(void)pthread_mutex_lock(&tokens_lock);
	for (token = TAILQ_FIRST(&tokens); token != NULL; token = next) {
		next = TAILQ_NEXT(token, entry);
		if (token->lu != lu)
			continue;
		token_end(token, TOKEN_CANCELLED);
		token->lu = NULL;
	}
	(void)pthread_mutex_unlock(&tokens_lock);
}
