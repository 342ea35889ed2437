/* ROD tokens: the commands of a unit (lu/token.h) */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "base/num.h"
#include "lu/copy.h"
#include "lu/copy_result.h"
#include "lu/lu_impl.h"
#include "lu/mover.h"
#include "lu/token.h"
#include "scsi/status.h"

/* a WRITE USING TOKEN at work */
struct write {
	struct lu_task *task;
	struct lu *lu;
	struct mover *m;
	struct copy_result *result;
	struct token *token;		/* NULL: zeros */
	int src, dst;
	bool has_failed;
	struct sense_data sense;
	/* where it stands: range, and bytes of it that are done */
	unsigned int src_range, dst_range;
	uint64_t src_done, dst_done;
	uint64_t left;			/* bytes still to move */
	uint32_t step;			/* bytes moving now */
	uint32_t dst_block;		/* bytes; the ranges count such */
	struct token_list list;
};

/* the list of @task as a private copy; bytes, 0: there is none, below: the task has ended */
static ssize_t
list_take(struct lu_task *task, uint8_t list[TOKEN_LIST_MAX])
{
	uint32_t list_len = be32_get(task->cdb + 10);

	if (list_len > TOKEN_LIST_MAX || lu_local_take(task, list, list_len) < list_len) {
		lu_local_check(task, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
		return -EBADMSG;
	}
	if (list_len == 0)
		lu_local_good(task);
	return list_len;
}

/* lists count blocks: how long those are must be known. false: the task has ended */
static bool
has_block_bytes(const struct lu *lu, struct lu_task *task)
{
	if (lu_block_bytes(lu) != 0)
		return true;
	if (lu->refresh != NULL)
		lu_local_status(task, SAM_STAT_BUSY);
	else
		lu_local_check(task, SENSE_NOT_READY, ASC_NOT_READY);
	return false;
}

static struct copy_result *
result_new(struct lu_task *task)
{
	struct copy_result *result = copy_result_new();

	if (result == NULL)
		return NULL;
	result->nexus = task->nexus;
	result->family = COPY_FAMILY_TOKEN;
	result->has_id = true;
	result->id = be32_get(task->cdb + 6);
	result->action = (uint8_t)task->op->sa;
	result->block_bytes = lu_block_bytes(task->nexus->unit);
	return result;
}

/* ------ POPULATE TOKEN ------ */

static void
populate_end(struct lu *lu, struct lu_task *task, struct copy_result *result,
    const struct token_list *list)
{
	struct sense_data sense;
	int r = token_new(lu, list, result->token);

	result->has_token = r == 0;
	result->n_segments = (uint16_t)list->n_ranges;
	result->bytes = r == 0 ? list->blocks * result->block_bytes : 0;
	sense = sense_make(SENSE_ILLEGAL_REQUEST, ASC_ROD_TOKEN_RESOURCES);
	copy_result_end(lu, result, r != -EBUSY, r == 0 ? NULL : &sense);
	if (r == 0)
		lu_local_good(task);
	else if (r == -EBUSY)
		lu_local_status(task, SAM_STAT_BUSY);
	else
		lu_local_sense(task, &sense);
}

static void
populate(struct lu *lu, struct lu_task *task, const struct token_list *list)
{
	struct copy_result *result = result_new(task);
	int r = result == NULL ? -ENOMEM : copy_result_begin(lu, result);

	if (r == 0) {
		populate_end(lu, task, result, list);
		return;
	}
	free(result);
	lu_copy_end_refused(task, r);
}

void
lu_token_do_populate(struct lu *lu, struct lu_task *task)
{
	uint8_t list[TOKEN_LIST_MAX];
	struct token_list parsed;
	struct sense_data sense;
	ssize_t len;

	if (!lu_copy_is_here(lu)) {
		lu_local_pass(task);
		return;
	}
	len = list_take(task, list);
	if (len <= 0 || !has_block_bytes(lu, task))
		return;
	if (token_populate_parse(list, (size_t)len, lu->info.blocks, lu_block_bytes(lu),
	    &parsed, &sense) < 0)
		lu_local_sense(task, &sense);
	else
		populate(lu, task, &parsed);
}

/* ------ WRITE USING TOKEN: the end ------ */

static void
write_free(struct write *w)
{
	mover_free(w->m);
	token_unref(w->token);
	free(w->result);
	free(w);
}

static void
write_closed(struct mover *m, void *arg)
{
	struct write *w = arg;
	struct lu_task *task = w->task;

	w->result->bytes = mover_bytes(m);
	w->result->n_segments = (uint16_t)w->dst_range;
	copy_result_end(w->lu, STEAL(w->result), true, w->has_failed ? &w->sense : NULL);
	if (w->token != NULL && w->list.is_del && !w->has_failed)
		token_cancel(w->token);
	if (mover_failure(m)->error == -ECANCELED)
		lu_local_aborted(task);
	else if (w->has_failed)
		lu_local_sense(task, &w->sense);
	else
		lu_local_good(task);
	write_free(w);
}

static void
write_fail(struct write *w, uint8_t key, uint16_t asc)
{
	w->has_failed = true;
	w->sense = sense_make(key, asc);
	mover_close(w->m, write_closed);
}

static void
write_fail_as(struct write *w, const struct mover_failure *f)
{
	if (f->error == -ESTALE)
		write_fail(w, SENSE_ILLEGAL_REQUEST, ASC_TOKEN_REVOKED);
	else
		write_fail(w, SENSE_COPY_ABORTED, f->error == -EIO && f->reason == CMD_CMPLT ?
		    ASC_THIRD_PARTY_FAILURE : ASC_COPY_TARGET_NOT_REACHABLE);
}

/* ------ WRITE USING TOKEN: step by step ------ */

static void write_next(struct write *w);

static void
write_moved(struct mover *m, void *arg)
{
	struct write *w = arg;

	if (mover_failure(m)->error != 0) {
		write_fail_as(w, mover_failure(m));
		return;
	}
	w->left -= w->step;
	w->src_done += w->step;
	w->dst_done += w->step;
	write_next(w);
}

/* as much as lies in one range on both sides */
static void
write_next(struct write *w)
{
	const struct token_range *dst = &w->list.ranges[w->dst_range], *src = NULL;
	uint64_t dst_block = w->dst_block, src_block = 0, src_at = 0;
	uint64_t dst_len = dst->blocks * dst_block, n;

	if (w->dst_done == dst_len) {
		w->dst_range++;
		w->dst_done = 0;
		dst++;
	}
	if (w->left == 0) {
		mover_close(w->m, write_closed);
		return;
	}
	n = num_min(w->left, dst->blocks * dst_block - w->dst_done);
	if (w->token != NULL) {
		unsigned int n_src;

		src_block = token_block_bytes(w->token);
		src = token_ranges(w->token, &n_src) + w->src_range;
		if (w->src_done == src->blocks * src_block) {
			w->src_range++;
			w->src_done = 0;
			src++;
		}
		n = num_min(n, src->blocks * src_block - w->src_done);
		src_at = src->lba * src_block + w->src_done;
	}
	w->step = (uint32_t)n;
	if (n % dst_block != 0 || (src_block != 0 && n % src_block != 0)) {
		write_fail(w, SENSE_COPY_ABORTED, ASC_INEXACT_SEGMENT);
		return;
	}
	mover_run(w->m, w->src, src_at, w->dst, dst->lba * dst_block + w->dst_done, w->step,
	    write_moved);
}

static void
write_opened(struct mover *m, void *arg)
{
	struct write *w = arg;

	if (mover_failure(m)->error != 0)
		write_fail_as(w, mover_failure(m));
	else if (w->token != NULL &&
	    mover_block_bytes(m, w->src) != token_block_bytes(w->token))
		write_fail(w, SENSE_ILLEGAL_REQUEST, ASC_TOKEN_REVOKED);
	else if (mover_block_bytes(m, w->dst) != w->dst_block)
		write_fail(w, SENSE_COPY_ABORTED, ASC_COPY_TARGET_NOT_REACHABLE);
	else
		write_next(w);
}

/* ------ WRITE USING TOKEN: the beginning ------ */

/* OFFSET INTO ROD; 0, or it is not inside */
static int
write_seek(struct write *w)
{
	uint64_t block = token_block_bytes(w->token), at;
	uint64_t want = w->list.blocks * w->dst_block;
	unsigned int n;
	const struct token_range *ranges = token_ranges(w->token, &n);

	if (w->list.offset >= token_blocks(w->token))
		return -ERANGE;
	w->left = num_min((token_blocks(w->token) - w->list.offset) * block, want);
	w->result->is_partial = w->left < token_blocks(w->token) * block;
	at = w->list.offset;
	while (at >= ranges[w->src_range].blocks)
		at -= ranges[w->src_range++].blocks;
	w->src_done = at * block;
	return 0;
}

static bool
is_still_good(const void *arg)
{
	return token_is_good(arg);
}

/* the token, its unit, and the end it is; ASC_NONE or why not */
static uint16_t
write_find_source(struct write *w)
{
	struct lu *unit;
	uint32_t classes;
	uint16_t asc = token_find(w->list.token, &w->token);

	if (asc != ASC_NONE)
		return asc;
	unit = lu_copy_unit(w->task->nexus, NULL, token_unit_id(w->token), &classes);
	if (unit == NULL)
		return ASC_TOKEN_UNKNOWN;
	if ((classes & LU_CLASS(OP_READ)) == 0)
		asc = ASC_NO_ACCESS_RIGHTS;
	else if (write_seek(w) < 0)
		asc = ASC_INVALID_FIELD_IN_LIST;
	if (asc == ASC_NONE)
		w->src = mover_add(w->m, unit, classes, NULL);
	lu_unref(unit);
	mover_guard(w->m, is_still_good, w->token);
	return asc == ASC_NONE && w->src < 0 ? ASC_INSUFFICIENT_RESOURCES : asc;
}

static struct write *
write_new(struct lu *lu, struct lu_task *task)
{
	struct write *w = fault_hit() ? NULL : calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->lu = lu;
	w->task = task;
	w->src = MOVER_ZERO;
	w->m = mover_new(task, w);
	w->result = result_new(task);
	w->dst = w->m == NULL ? -1 : mover_add(w->m, lu, task->nexus->classes, NULL);
	if (w->dst >= 0 && w->result != NULL)
		return w;
	write_free(w);
	return NULL;
}

/* 0: it moves; else it ends at once */
static int
write_start(struct write *w)
{
	uint32_t type;
	uint64_t id;
	uint16_t asc = token_read(w->list.token, &type, &id);
	int r;

	w->dst_block = w->result->block_bytes;
	w->left = w->list.blocks * w->dst_block;
	if (asc == ASC_NONE && type != TOKEN_TYPE_ZERO)
		asc = write_find_source(w);
	if (asc != ASC_NONE) {
		lu_local_check(w->task, SENSE_ILLEGAL_REQUEST, asc);
		return -EINVAL;
	}
	if (w->left == 0) {
		lu_local_good(w->task);
		return -ENODATA;
	}
	r = copy_result_begin(w->lu, w->result);
	if (r < 0) {
		lu_copy_end_refused(w->task, r);
		return r;
	}
	mover_open(w->m, write_opened);
	return 0;
}

void
lu_token_do_write(struct lu *lu, struct lu_task *task)
{
	uint8_t list[TOKEN_LIST_MAX];
	struct sense_data sense;
	struct write *w;
	ssize_t len;

	if (!lu_copy_is_here(lu)) {
		lu_local_pass(task);
		return;
	}
	len = list_take(task, list);
	if (len <= 0 || !has_block_bytes(lu, task))
		return;
	w = write_new(lu, task);
	if (w == NULL) {
		lu_local_no_room(task);
		return;
	}
	if (token_write_parse(list, (size_t)len, lu->info.blocks, w->result->block_bytes,
	    &w->list, &sense) < 0)
		lu_local_sense(task, &sense);
	else if (write_start(w) == 0)
		return;
	write_free(w);
}

/* ------ what is told ------ */

void
lu_token_do_receive(struct lu *lu, struct lu_task *task)
{
	uint8_t buf[TOKEN_INFO_MAX];
	const struct copy_result *result;
	struct token_info info;

	if (!lu_copy_is_here(lu)) {
		lu_local_pass(task);
		return;
	}
	result = copy_result_find(lu, task->nexus, COPY_FAMILY_TOKEN, be32_get(task->cdb + 2));
	if (result == NULL) {
		lu_local_bad_cdb(task, 2, -1);
		return;
	}
	info = (struct token_info){
		.action = result->action,
		.state = result->state,
		.is_partial = result->is_partial,
		.n_segments = result->n_segments,
		.blocks = result->block_bytes == 0 ? 0 : result->bytes / result->block_bytes,
		.sense = result->sense,
		.sense_len = result->sense_len,
		.token = result->has_token ? result->token : NULL,
	};
	lu_local_reply(task, buf, token_put_info(&info, buf), be32_get(task->cdb + 10));
}

void
lu_token_do_report(struct lu *lu, struct lu_task *task)
{
	uint8_t buf[8 + TOKEN_UNIT_MAX * TOKEN_MANAGE_LEN] = { 0 };
	size_t n;

	if (!lu_copy_is_here(lu)) {
		lu_local_pass(task);
		return;
	}
	n = token_report(lu->id, buf + 8, TOKEN_UNIT_MAX);
	be32_put(buf, (uint32_t)(4 + n * TOKEN_MANAGE_LEN));
	lu_local_reply(task, buf, 8 + n * TOKEN_MANAGE_LEN, be32_get(task->cdb + 10));
}
