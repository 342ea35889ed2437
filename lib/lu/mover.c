/* ends opened, chunks moved, ends closed (lu/mover.h) */
#include "lu/mover.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/num.h"
#include "lu/copy.h"
#include "lu/lu_impl.h"
#include "scsi/cdb.h"
#include "scsi/vpd.h"

#define CHUNK_ALIGN	4096
#define TRIES		5	/* unit attentions that an end may have to tell */
#define IDENT_LEN	1024

struct mover_end {
	struct lu_nexus nexus;
	struct mover *m;
	struct lu *unit;		/* a reference */
	struct lu_work work;
	const struct copy_desig *desig;
	struct copy_desig desig_copy;
	bool is_open;			/* the nexus is */
	uint32_t block_bytes;		/* as it was opened */
	int error;
};

struct mover_chunk {
	struct lu_task task;
	struct mover *m;
	struct lu_work work;
	uint8_t *data;
	uint64_t src_at, dst_at;
	uint32_t bytes;
	uint8_t tries;
	bool is_busy;
	bool is_write;			/* the second half */
	int error;			/* of lu_submit(), or -EIO: see task */
};

struct mover {
	struct lu_task *task;
	struct lu_exec *home;
	void *arg;
	mover_fn *then;
	bool (*is_good)(const void *arg);	/* the guard, or NULL */
	const void *good_arg;
	struct mover_failure failure;
	uint64_t bytes_done;
	unsigned int n_ends;
	unsigned int n_waiting;		/* ends that were asked something */
	/* the run */
	int src, dst;
	uint64_t src_at, dst_at;
	uint32_t bytes, bytes_begun;
	uint32_t chunk_bytes;
	unsigned int depth, n_busy;
	bool is_backward;
	struct mover_chunk chunks[MOVER_DEPTH];
	struct mover_end *ends[MOVER_ENDS];
};

/* ------ life ------ */

struct mover *
mover_new(struct lu_task *task, void *arg)
{
	struct mover *m = fault_hit() ? NULL : calloc(1, sizeof(*m));
	uint8_t *data;

	if (m == NULL)
		return NULL;
	data = fault_hit() ? NULL : aligned_alloc(CHUNK_ALIGN, MOVER_DEPTH * MOVER_CHUNK);
	if (data == NULL) {
		free(m);
		return NULL;
	}
	m->task = task;
	m->home = task->nexus->unit->home;
	m->arg = arg;
	for (unsigned int i = 0; i < MOVER_DEPTH; i++) {
		m->chunks[i].m = m;
		m->chunks[i].data = data + i * MOVER_CHUNK;
		lu_task_init(&m->chunks[i].task);
	}
	return m;
}

void
mover_free(struct mover *m)
{
	if (m == NULL)
		return;
	for (unsigned int i = 0; i < m->n_ends; i++) {
		assert(!m->ends[i]->is_open);
		lu_unref(m->ends[i]->unit);
		free(m->ends[i]);
	}
	free(m->chunks[0].data);
	free(m);
}

int
mover_add(struct mover *m, struct lu *unit, uint32_t classes, const struct copy_desig *desig)
{
	const struct lu_nexus *own = m->task->nexus;
	struct mover_end *end;

	if (m->n_ends == MOVER_ENDS)
		return -ENOSPC;
	end = fault_hit() ? NULL : calloc(1, sizeof(*end));
	if (end == NULL)
		return -ENOSPC;
	end->m = m;
	end->unit = lu_ref(unit);
	if (desig != NULL) {
		end->desig_copy = *desig;
		end->desig = &end->desig_copy;
	}
	end->nexus.classes = classes;
	end->nexus.weight = own->weight;
	end->nexus.initiator = own->initiator;
	end->nexus.port = own->port;
	end->nexus.wants_sense = true;
	end->nexus.is_of_copy = true;
	m->ends[m->n_ends] = end;
	return (int)m->n_ends++;
}

const struct lu *
mover_unit(const struct mover *m, int end)
{
	return m->ends[end]->unit;
}

uint32_t
mover_classes(const struct mover *m, int end)
{
	return m->ends[end]->nexus.classes;
}

uint32_t
mover_block_bytes(const struct mover *m, int end)
{
	return m->ends[end]->block_bytes;
}

const struct mover_failure *
mover_failure(const struct mover *m)
{
	return &m->failure;
}

uint64_t
mover_bytes(const struct mover *m)
{
	return m->bytes_done;
}

static bool
must_stop(const struct mover *m)
{
	return lu_local_is_aborted(m->task) || m->task->nexus->is_gone;
}

void
mover_guard(struct mover *m, bool (*is_good)(const void *arg), const void *arg)
{
	m->is_good = is_good;
	m->good_arg = arg;
}

/* ------ ends ------ */

/* at the command's home, once for each end asked */
static void
end_answered(struct lu_work *w)
{
	struct mover_end *end = container_of(w, struct mover_end, work);
	struct mover *m = end->m;

	if (end->error < 0 && m->failure.error == 0) {
		m->failure.error = end->error;
		for (unsigned int i = 0; i < m->n_ends; i++) {
			if (m->ends[i] == end)
				m->failure.end = (int)i;
		}
	}
	if (--m->n_waiting == 0)
		m->then(m, m->arg);
}

static void
end_answer(struct mover_end *end, int error)
{
	end->error = error;
	lu_exec_post(end->m->home, &end->work, end_answered);
}

static void
ends_ask(struct mover *m, lu_work_fn fn, mover_fn *then)
{
	m->then = then;
	m->n_waiting = m->n_ends;
	for (unsigned int i = 0; i < m->n_ends; i++)
		lu_exec_post(m->ends[i]->unit->home, &m->ends[i]->work, fn);
}

static void
end_identified(struct lu_ask *ask)
{
	struct mover_end *end = ask->arg;
	bool is_it = lu_ask_good(ask) &&
	    copy_page_has(ask->data, ask->task.moved, end->desig);

	lu_ask_free(ask);
	end_answer(end, is_it ? 0 : -ENODEV);
}

static void
end_identify(struct mover_end *end)
{
	struct lu_ask *ask = lu_ask_new(end->unit, IDENT_LEN, end_identified, end);

	if (ask == NULL) {
		end_answer(end, -ENODEV);
		return;
	}
	ask->task.cdb_len = (uint16_t)cdb_inquiry_vpd(ask->task.cdb, VPD_IDENT, IDENT_LEN);
	lu_ask_in(ask, IDENT_LEN);
	if (lu_ask(end->unit, ask) == 0)
		return;
	lu_ask_free(ask);
	end_answer(end, -ENODEV);
}

static void
end_closed(struct lu_nexus *nexus)
{
	struct mover_end *end = container_of(nexus, struct mover_end, nexus);

	end->is_open = false;
	end_answer(end, 0);
}

/* at the end's home */
static void
end_open(struct lu_work *w)
{
	struct mover_end *end = container_of(w, struct mover_end, work);

	if (lu_refresh_wait(end->unit, w, end_open))
		return;
	end->block_bytes = lu_block_bytes(end->unit);
	end->nexus.gone = end_closed;
	if (lu_nexus_open(&end->nexus, end->unit) < 0) {
		end_answer(end, -ENODEV);
		return;
	}
	end->is_open = true;
	if (end->desig == NULL)
		end_answer(end, 0);
	else
		end_identify(end);
}

static void
end_close(struct lu_work *w)
{
	struct mover_end *end = container_of(w, struct mover_end, work);

	if (end->is_open)
		lu_nexus_gone(&end->nexus);
	else
		end_answer(end, 0);
}

void
mover_open(struct mover *m, mover_fn *then)
{
	ends_ask(m, end_open, then);
}

void
mover_close(struct mover *m, mover_fn *then)
{
	ends_ask(m, end_close, then);
}

/* ------ chunks ------ */

static void chunk_run(struct lu_work *w);
static void chunks_begin(struct mover *m);

static struct mover_end *
chunk_end(const struct mover_chunk *c)
{
	return c->m->ends[c->is_write ? c->m->dst : c->m->src];
}

static void
chunk_fail(struct mover *m, const struct mover_chunk *c)
{
	struct mover_failure *f = &m->failure;

	if (f->error != 0)
		return;
	f->error = c->error;
	f->is_src = !c->is_write;
	f->end = c->is_write ? m->dst : m->src;
	f->reason = c->task.reason;
	f->status = c->task.status;
}

/* at the command's home: read, so write; or written */
static void
chunk_back(struct lu_work *w)
{
	struct mover_chunk *c = container_of(w, struct mover_chunk, work);
	struct mover *m = c->m;

	if (c->error == 0 && !c->is_write && !must_stop(m)) {
		c->is_write = true;
		c->tries = 0;
		lu_exec_post(chunk_end(c)->unit->home, &c->work, chunk_run);
		return;
	}
	if (c->error < 0)
		chunk_fail(m, c);
	else if (c->is_write)
		m->bytes_done += c->bytes;
	c->is_busy = false;
	m->n_busy--;
	chunks_begin(m);
}

static void
chunk_answer(struct mover_chunk *c, int error)
{
	c->error = error;
	lu_exec_post(c->m->home, &c->work, chunk_back);
}

static bool
is_guarded_good(const struct mover *m)
{
	return m->is_good == NULL || m->is_good(m->good_arg);
}

static bool
has_met_attention(const struct lu_task *task)
{
	struct sense_data sense;

	return task->reason == CMD_CMPLT && task->status == STATUS_CHECK &&
	    sense_parse(task->sense, task->sense_len, &sense) == 0 &&
	    sense.key == SENSE_UNIT_ATTENTION;
}

/* at the end's home */
static void
chunk_done(struct lu_task *task)
{
	struct mover_chunk *c = container_of(task, struct mover_chunk, task);

	if (task->reason == CMD_CMPLT && task->status == STATUS_GOOD &&
	    task->moved == c->bytes)
		chunk_answer(c, c->is_write || is_guarded_good(c->m) ? 0 : -ESTALE);
	else if (has_met_attention(task) && ++c->tries < TRIES)
		chunk_run(&c->work);
	else
		chunk_answer(c, -EIO);
}

static bool
is_formatting(const struct lu *lu)
{
	const struct lu_task *task;

	TAILQ_FOREACH(task, &lu->issued, unit_entry) {
		if (task->op != NULL && task->op->id == OP_FORMAT_UNIT)
			return true;
	}
	return false;
}

/* at the end's home */
static void
chunk_run(struct lu_work *w)
{
	struct mover_chunk *c = container_of(w, struct mover_chunk, work);
	struct mover_end *end = chunk_end(c);
	uint32_t block = end->block_bytes;
	uint64_t at = c->is_write ? c->dst_at : c->src_at;
	struct lu_task *task = &c->task;

	if (lu_refresh_wait(end->unit, w, chunk_run))
		return;
	/* the medium may be another one since */
	if (block != lu_block_bytes(end->unit) || is_formatting(end->unit)) {
		chunk_answer(c, -ENODEV);
		return;
	}
	task->cdb_len = (uint16_t)(c->is_write ?
	    cdb_write(task->cdb, CDB_AUTO, at / block, c->bytes / block, 0) :
	    cdb_read(task->cdb, CDB_AUTO, at / block, c->bytes / block, 0));
	task->nexus = &end->nexus;
	task->dir = c->is_write ? LU_DIR_OUT : LU_DIR_IN;
	task->attr = LU_ATTR_SIMPLE;
	task->data = c->data;
	task->data_len = c->bytes;
	task->done = chunk_done;
	if (lu_submit(task) < 0)
		chunk_answer(c, -ENODEV);
}

static void
chunk_begin(struct mover *m, struct mover_chunk *c)
{
	uint32_t at;

	c->bytes = (uint32_t)num_min(m->chunk_bytes, m->bytes - m->bytes_begun);
	m->bytes_begun += c->bytes;
	at = m->is_backward ? m->bytes - m->bytes_begun : m->bytes_begun - c->bytes;
	c->src_at = m->src_at + at;
	c->dst_at = m->dst_at + at;
	c->is_busy = true;
	c->is_write = m->src == MOVER_ZERO;
	c->tries = 0;
	m->n_busy++;
	if (c->is_write)
		memset(c->data, 0, c->bytes);
	lu_exec_post(chunk_end(c)->unit->home, &c->work, chunk_run);
}

static void
chunks_begin(struct mover *m)
{
	if (m->failure.error == 0 && must_stop(m))
		m->failure.error = -ECANCELED;
	for (unsigned int i = 0; i < m->depth; i++) {
		if (m->failure.error == 0 && !m->chunks[i].is_busy &&
		    m->bytes_begun < m->bytes)
			chunk_begin(m, &m->chunks[i]);
	}
	if (m->n_busy == 0)
		m->then(m, m->arg);
}

/* ------ a run ------ */

/* 0: one of them is 0 */
static uint64_t
common_multiple(uint32_t a, uint32_t b)
{
	uint32_t x = a, y = b;

	if (a == 0 || b == 0)
		return 0;
	while (y != 0) {
		uint32_t rest = x % y;

		x = y;
		y = rest;
	}
	return (uint64_t)(a / x) * b;
}

/* what both ends take at a time, in whole blocks of both; 0: nothing, or an end has no blocks any
 * more */
static uint32_t
chunk_size(const struct mover *m)
{
	const struct mover_end *dst = m->ends[m->dst];
	const struct mover_end *src = m->src == MOVER_ZERO ? dst : m->ends[m->src];
	uint64_t unit = common_multiple(src->block_bytes, dst->block_bytes);
	uint64_t size = num_min(MOVER_CHUNK,
	    num_min(src->unit->info.xfer_max_bytes, dst->unit->info.xfer_max_bytes));

	return unit == 0 ? 0 : (uint32_t)(size / unit * unit);
}

static bool
is_overlapping(const struct mover *m)
{
	if (m->src == MOVER_ZERO || m->ends[m->src]->unit != m->ends[m->dst]->unit)
		return false;
	return m->src_at < m->dst_at + m->bytes && m->dst_at < m->src_at + m->bytes;
}

void
mover_run(struct mover *m, int src, uint64_t src_at, int dst, uint64_t dst_at, uint32_t bytes,
    mover_fn *then)
{
	m->src = src;
	m->dst = dst;
	m->src_at = src_at;
	m->dst_at = dst_at;
	m->bytes = bytes;
	m->bytes_begun = 0;
	m->then = then;
	m->chunk_bytes = chunk_size(m);
	m->is_backward = is_overlapping(m) && dst_at > src_at;
	m->depth = is_overlapping(m) ? 1 : MOVER_DEPTH;
	if (m->chunk_bytes == 0)
		m->failure.error = -ENODEV;
	chunks_begin(m);
}
