/*
 * hostile_oracle - initiators that know what they may hear, and what their blocks may hold
 *
 * usage: hostile_oracle [--seconds S] [--threads N] [--seed N] [--alone] PROGRAM|URL
 *   --seconds S   how long (default 5)
 *   --threads N   sessions at one time, each with blocks of its own (default 3)
 *   --seed N      of the choices (default 1); the order of events is the machine's
 *   --alone       one session, which also clears the task set (that of others would end in silence)
 *
 * Commands, aborts, resets, late data, data for tasks that are gone, sessions that break off and
 * come back. What must hold, by RFC 7143 4.2.2.3, 11.5, 11.6 and SAM-5 5.7, on one connection:
 *   - a command is answered once, or ended once by task management that is answered "complete"
 *   - an answer never follows the "complete" that ended its command; "task does not exist" never
 *     comes for a command that is neither answered nor about to be ended
 *   - nothing stays without an answer; nothing is rejected but functions that come too late for a
 *     command in the device's hands: what those have ended is answered, too
 *   - a block holds what was written last with status GOOD, or a part of what was ended since:
 *     what was ended changes nothing any more, be it by a session that is gone
 * Exit status 0: all of it did.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "hostile/options.h"
#include "hostile/target.h"

#define DISK		"DIR/oracle.img,size=16777216,direct"
#define THREADS_MAX	16
#define BLOCK		512u
#define BLOCKS		192u	/* of one session: few, so that late writes meet others */
#define RUN_MAX		32u	/* blocks of one command */
#define DEPTH		24u	/* commands of one session */
#define ASKS		6u	/* task management requests of one session */
#define MAYBES		64u	/* what a block may hold */
#define PATIENCE_MS	60000
#define TRACE		64u

enum {
	ABORT_TASK = 1, ABORT_TASK_SET = 2, CLEAR_TASK_SET = 4, LU_RESET = 5, WARM_RESET = 6,
	COMPLETE = 0, NO_TASK = 1, REFUSED = 255,
};

struct block {
	uint64_t maybe[MAYBES];		/* the first is what is known */
	unsigned int n;
	unsigned int n_readers;
	bool is_written;		/* by a command that is not over */
};

struct task {
	uint32_t itt;
	uint32_t cmd_sn;
	uint64_t order;			/* when it was sent */
	uint8_t op;			/* 0: TEST UNIT READY */
	uint32_t at, n;			/* blocks */
	uint64_t value;			/* written */
	uint32_t ttt, offset, len;	/* asked for by R2T and not sent yet; len 0: nothing */
	bool is_live, is_answered;
	uint8_t data[RUN_MAX * BLOCK];	/* read */
	uint32_t got;
};

struct ask {
	uint32_t itt, ref;
	uint64_t order;
	uint8_t function;
	bool was_answered;		/* its task, since it was sent or before */
	bool is_live;
};

struct guest {
	struct raw raw;
	struct rng rng;
	unsigned int index;
	pthread_t thread;
	struct block block[BLOCKS];
	struct task task[DEPTH];
	struct ask ask[ASKS];
	uint64_t order, value;
	char trace[TRACE][80];
	unsigned int n_trace;
};

static struct target_run run;
static bool is_alone;
static atomic_bool is_over, has_failed;
static atomic_uint n_commands, n_answers, n_asks, n_ended, n_refused, n_sessions;

/* ------ what happened ------ */

static void __attribute__((format(printf, 2, 3)))
note(struct guest *g, const char *fmt, ...)
{
	char *line = g->trace[g->n_trace++ % TRACE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(g->trace[0]), fmt, ap);
	va_end(ap);
}

static void
fail(struct guest *g, const char *what, uint32_t itt)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	(void)pthread_mutex_lock(&lock);
	(void)fprintf(stderr, "session %u: %s (task %u). Before that:\n", g->index, what, itt);
	for (unsigned int i = g->n_trace > TRACE ? g->n_trace - TRACE : 0; i < g->n_trace; i++)
		(void)fprintf(stderr, "\t%s\n", g->trace[i % TRACE]);
	(void)pthread_mutex_unlock(&lock);
	atomic_store(&has_failed, true);
	atomic_store(&is_over, true);
}

static unsigned int
pick(struct guest *g, unsigned int n)
{
	return (unsigned int)rng_below(&g->rng, n);
}

/* ------ blocks ------ */

static void
blocks_hold(struct guest *g, const struct task *t, bool is_writing, int readers)
{
	for (uint32_t i = t->at; i < t->at + t->n; i++) {
		if (t->op == 0x2a)
			g->block[i].is_written = is_writing;
		else
			g->block[i].n_readers += (unsigned int)readers;
	}
}

static bool
blocks_are_free(const struct guest *g, uint32_t at, uint32_t n, bool is_write)
{
	for (uint32_t i = at; i < at + n; i++)
		if (g->block[i].is_written || (is_write && g->block[i].n_readers > 0) ||
		    g->block[i].n == MAYBES)
			return false;
	return true;
}

/* @is_good: it is there; else it may be, as a whole or in part */
static void
blocks_written(struct guest *g, const struct task *t, bool is_good)
{
	for (uint32_t i = t->at; i < t->at + t->n; i++) {
		struct block *b = &g->block[i];

		if (is_good)
			b->n = 0;
		b->maybe[b->n++] = t->value;
	}
}

static void
block_check(struct guest *g, uint32_t at, const uint8_t *data, uint32_t itt)
{
	struct block *b = &g->block[at];
	uint64_t v, other;

	memcpy(&v, data, sizeof(v));
	for (uint32_t i = sizeof(v); i < BLOCK; i += sizeof(v)) {
		memcpy(&other, data + i, sizeof(other));
		if (other != v) {
			fail(g, "a block is torn", itt);
			return;
		}
	}
	for (unsigned int i = 0; i < b->n; i++) {
		if (b->maybe[i] != v)
			continue;
		b->maybe[0] = v;
		b->n = 1;
		return;
	}
	note(g, "block %u holds %llu, not one of %u values, the first %llu", at,
	    (unsigned long long)v, b->n, (unsigned long long)b->maybe[0]);
	fail(g, "a block holds what it must not", itt);
}

/* ------ tasks ------ */

static struct task *
task_of(struct guest *g, uint32_t itt)
{
	for (unsigned int i = 0; i < DEPTH; i++)
		if (g->task[i].is_live && g->task[i].itt == itt)
			return &g->task[i];
	return NULL;
}

static unsigned int
live_tasks(const struct guest *g)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < DEPTH; i++)
		n += g->task[i].is_live;
	return n;
}

static unsigned int
live_asks(const struct guest *g)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ASKS; i++)
		n += g->ask[i].is_live;
	return n;
}

static void
task_over(struct guest *g, struct task *t, bool is_good)
{
	t->is_live = false;
	t->len = 0;
	blocks_hold(g, t, false, -1);
	if (t->op == 0x2a)
		blocks_written(g, t, is_good);
}

static void
task_ended(struct guest *g, struct task *t)
{
	note(g, "task %u is ended", t->itt);
	(void)atomic_fetch_add(&n_ended, 1);
	task_over(g, t, false);
}

/* ------ sending ------ */

static void
fill(const struct task *t, uint8_t *data)
{
	for (uint32_t i = 0; i < t->n * BLOCK; i += sizeof(t->value))
		memcpy(data + i, &t->value, sizeof(t->value));
}

static uint8_t
flags_of(struct guest *g, uint8_t op)
{
	static const uint8_t attrs[] = { 0, 1, 1, 1, 1, 1, 1, 2, 3 };

	return (uint8_t)(attrs[pick(g, ARRAY_LEN(attrs))] | (op == 0x28 ? RAW_READ : 0) |
	    (op == 0x2a ? RAW_WRITE : 0));
}

/* a command with its data, or with some of it, or none */
static bool
task_put(struct guest *g, struct task *t, bool is_immediate)
{
	struct raw *raw = &g->raw;
	uint32_t bytes = t->n * BLOCK;
	uint32_t with = t->op != 0x2a || pick(g, 2) == 0 ? 0 : bytes < 8192 ? bytes : 8192;
	uint8_t bhs[RAW_BHS], data[RUN_MAX * BLOCK];

	raw_head(raw, bhs, RAW_CMD | (is_immediate ? RAW_IMMEDIATE : 0),
	    RAW_FINAL | flags_of(g, t->op));
	t->itt = raw->itt;
	t->cmd_sn = raw_be32(bhs + 24);
	bhs[32] = t->op;
	if (t->op != 0) {
		raw_put32(bhs + 20, bytes);
		raw_put32(bhs + 34, g->index * BLOCKS + t->at);
		raw_put16(bhs + 39, (uint16_t)t->n);
	}
	fill(t, data);
	note(g, "send %s %u%s: %u blocks at %u, value %llu, %u bytes of data",
	    t->op == 0 ? "ready" : t->op == 0x28 ? "read" : "write", t->itt,
	    is_immediate ? " now" : "", t->n, t->at, (unsigned long long)t->value, with);
	return raw_pdu(raw, bhs, data, with);
}

static bool
may_send(const struct guest *g)
{
	return (int32_t)(g->raw.max_cmd_sn - g->raw.cmd_sn) >= 0;
}

static bool
task_send(struct guest *g)
{
	static const uint8_t ops[] = { 0, 0x28, 0x28, 0x2a, 0x2a, 0x2a };
	uint8_t op = ops[pick(g, ARRAY_LEN(ops))];
	uint32_t n = 1 + pick(g, RUN_MAX), at = pick(g, BLOCKS - RUN_MAX);
	bool is_immediate = pick(g, 12) == 0;
	struct task *t = NULL;

	for (unsigned int i = 0; i < DEPTH; i++)
		if (!g->task[i].is_live)
			t = &g->task[i];
	if (t == NULL || (!is_immediate && !may_send(g)) ||
	    (op != 0 && !blocks_are_free(g, at, n, op == 0x2a)))
		return true;
	*t = (struct task){ .op = op, .at = at, .n = op == 0 ? 0 : n, .is_live = true };
	t->order = ++g->order;
	if (op == 0x2a)
		t->value = ++g->value;
	blocks_hold(g, t, true, 1);
	(void)atomic_fetch_add(&n_commands, 1);
	return task_put(g, t, is_immediate);
}

/* what an R2T asked for: all of it, in one or two PDUs */
static bool
data_send(struct guest *g, const struct task *t, uint32_t ttt, uint32_t offset, uint32_t len)
{
	uint8_t data[RUN_MAX * BLOCK];
	uint32_t first = pick(g, 2) == 0 || len < 2 * BLOCK ? len : BLOCK;

	if (len > sizeof(data))
		return false;
	fill(t, data);
	if (!raw_data_out(&g->raw, first == len ? RAW_FINAL : 0, t->itt, ttt, 0, offset, data,
	    first))
		return false;
	return first == len || raw_data_out(&g->raw, RAW_FINAL, t->itt, ttt, 1, offset + first,
	    data, len - first);
}

static bool
data_late(struct guest *g)
{
	struct task *t = &g->task[pick(g, DEPTH)];
	uint32_t len = t->len;

	if (len == 0)
		return true;
	t->len = 0;
	note(g, "send data of write %u", t->itt);
	return data_send(g, t, t->ttt, t->offset, len);
}

static uint8_t
function_of(struct guest *g)
{
	unsigned int i = pick(g, 40);

	if (i == 0)
		return LU_RESET;
	if (i == 1)
		return WARM_RESET;
	if (i < 4 && is_alone)
		return CLEAR_TASK_SET;
	return i < 8 ? ABORT_TASK_SET : ABORT_TASK;
}

/* one of the last commands, be it over or not; now and then one that is asked about already */
static const struct task *
ask_about(struct guest *g)
{
	const struct ask *ask = &g->ask[pick(g, ASKS)];
	const struct task *t = ask->is_live && pick(g, 2) == 0 ? task_of(g, ask->ref) : NULL;

	return t != NULL ? t : &g->task[pick(g, DEPTH)];
}

static bool
ask_put(struct guest *g, uint8_t function)
{
	const struct task *t = ask_about(g);
	bool is_immediate = pick(g, 3) > 0 || !may_send(g);
	struct ask *ask = NULL;
	uint8_t bhs[RAW_BHS];

	for (unsigned int i = 0; i < ASKS; i++)
		if (!g->ask[i].is_live)
			ask = &g->ask[i];
	if (ask == NULL || (function == ABORT_TASK && t->itt == 0))
		return true;
	raw_head(&g->raw, bhs, RAW_TMF | (is_immediate ? RAW_IMMEDIATE : 0),
	    (uint8_t)(RAW_FINAL | function));
	raw_put32(bhs + 20, function == ABORT_TASK ? t->itt : RAW_NO_TAG);
	raw_put32(bhs + 32, function == ABORT_TASK ? t->cmd_sn : 0);
	*ask = (struct ask){ .itt = g->raw.itt, .ref = t->itt, .function = function,
		.order = ++g->order, .was_answered = t->is_answered, .is_live = true };
	note(g, "ask %u: function %u%s about %u", ask->itt, function,
	    is_immediate ? " now" : "", ask->ref);
	(void)atomic_fetch_add(&n_asks, 1);
	return raw_pdu(&g->raw, bhs, NULL, 0);
}

static bool
ask_send(struct guest *g)
{
	return ask_put(g, function_of(g));
}

/* ------ hearing ------ */

static bool
is_about_set(uint8_t function)
{
	return function != ABORT_TASK;
}

/* is something under way that ends task @itt? */
static bool
is_ending(const struct guest *g, uint32_t itt)
{
	for (unsigned int i = 0; i < ASKS; i++)
		if (g->ask[i].is_live &&
		    (is_about_set(g->ask[i].function) || g->ask[i].ref == itt))
			return true;
	return false;
}

static void
hear_set(struct guest *g, const struct ask *ask, uint8_t response)
{
	bool is_reset = ask->function == LU_RESET || ask->function == WARM_RESET;

	if (response == REFUSED && !is_reset) {
		(void)atomic_fetch_add(&n_refused, 1);
		return;
	}
	if (response != COMPLETE) {
		fail(g, "a function for all tasks is refused", ask->itt);
		return;
	}
	for (unsigned int i = 0; i < DEPTH; i++)
		if (g->task[i].is_live && g->task[i].order < ask->order)
			task_ended(g, &g->task[i]);
}

static void
hear_abort(struct guest *g, const struct ask *ask, uint8_t response)
{
	struct task *t = task_of(g, ask->ref);

	if (response == COMPLETE && t != NULL)
		task_ended(g, t);
	else if (response == COMPLETE && ask->was_answered)
		fail(g, "an abort is 'complete' for a task that was answered", ask->ref);
	else if (response == NO_TASK && t != NULL && !is_ending(g, ask->ref))
		fail(g, "a task that is not answered does 'not exist'", ask->ref);
	else if (response != COMPLETE && response != NO_TASK && response != REFUSED)
		fail(g, "an abort ends in a way of its own", ask->ref);
}

static void
hear_tmf(struct guest *g)
{
	uint8_t response = g->raw.bhs[2];
	struct ask *ask = NULL;

	for (unsigned int i = 0; i < ASKS; i++)
		if (g->ask[i].is_live && g->ask[i].itt == raw_tag(&g->raw))
			ask = &g->ask[i];
	note(g, "ask %u: response %u", raw_tag(&g->raw), response);
	if (ask == NULL) {
		fail(g, "an answer to a function that was not asked for", raw_tag(&g->raw));
		return;
	}
	ask->is_live = false;
	if (is_about_set(ask->function))
		hear_set(g, ask, response);
	else
		hear_abort(g, ask, response);
}

/* a command has its answer: aborts of it that are under way come too late */
static void
asks_come_late(struct guest *g, uint32_t itt)
{
	for (unsigned int i = 0; i < ASKS; i++)
		if (g->ask[i].is_live && g->ask[i].ref == itt)
			g->ask[i].was_answered = true;
}

static void
hear_status(struct guest *g, struct task *t)
{
	uint8_t status = g->raw.bhs[3];
	bool is_good = status == 0 && (raw_op(&g->raw) != RAW_RSP || g->raw.bhs[2] == 0);

	note(g, "task %u: status %02x", t->itt, status);
	(void)atomic_fetch_add(&n_answers, 1);
	t->is_answered = true;
	asks_come_late(g, t->itt);
	if (t->op == 0x28 && is_good && t->got != t->n * BLOCK)
		fail(g, "a read is short", t->itt);
	for (uint32_t i = 0; t->op == 0x28 && is_good && i < t->n; i++)
		block_check(g, t->at + i, t->data + (size_t)i * BLOCK, t->itt);
	task_over(g, t, is_good);
}

static void
hear_data(struct guest *g, struct task *t)
{
	uint32_t at = raw_be32(g->raw.bhs + 40), len = g->raw.len;

	if (t->op != 0x28 || at > t->n * BLOCK || len > t->n * BLOCK - at) {
		fail(g, "data that nobody wants", t->itt);
		return;
	}
	memcpy(t->data + at, g->raw.data, len);
	t->got += len;
	if ((g->raw.bhs[1] & 0x01) != 0)
		hear_status(g, t);
}

static bool
hear_r2t(struct guest *g, struct task *t)
{
	uint32_t ttt = raw_be32(g->raw.bhs + 20);
	uint32_t offset = raw_be32(g->raw.bhs + 40), len = raw_be32(g->raw.bhs + 44);

	if (t->op != 0x2a || t->len > 0 || len == 0 || offset + len > t->n * BLOCK) {
		fail(g, "a request for data that there is not", t->itt);
		return true;
	}
	if (pick(g, 2) == 0)
		return data_send(g, t, ttt, offset, len);
	t->ttt = ttt; /* later, and not at all if it is ended before */
	t->offset = offset;
	t->len = len;
	return true;
}

/* silence makes the target ask */
static bool
pong(struct guest *g)
{
	uint32_t ttt = raw_be32(g->raw.bhs + 20), itt = g->raw.itt;
	uint8_t bhs[RAW_BHS];

	if (ttt == RAW_NO_TAG)
		return true;
	raw_head(&g->raw, bhs, RAW_NOP_OUT | RAW_IMMEDIATE, RAW_FINAL);
	g->raw.itt = itt;
	raw_put32(bhs + 16, RAW_NO_TAG);
	raw_put32(bhs + 20, ttt);
	return raw_pdu(&g->raw, bhs, NULL, 0);
}

/* false: the connection is broken */
static bool
hear(struct guest *g)
{
	struct task *t = task_of(g, raw_tag(&g->raw));

	switch (raw_op(&g->raw)) {
	case RAW_TMF_RSP:
		hear_tmf(g);
		return true;
	case RAW_RSP:
	case RAW_DATA_IN:
	case RAW_R2T:
		break;
	case RAW_NOP_IN:
		return pong(g);
	default:
		note(g, "heard PDU %02x, reason %u", raw_op(&g->raw), g->raw.bhs[2]);
		fail(g, "it says what it has no reason for", raw_tag(&g->raw));
		return true;
	}
	if (t == NULL) {
		note(g, "heard PDU %02x of task %u", raw_op(&g->raw), raw_tag(&g->raw));
		fail(g, "something comes for a task that is over", raw_tag(&g->raw));
	} else if (raw_op(&g->raw) == RAW_DATA_IN) {
		hear_data(g, t);
	} else if (raw_op(&g->raw) == RAW_R2T) {
		return hear_r2t(g, t);
	} else {
		hear_status(g, t);
	}
	return true;
}

/* all that comes within @wait_ms; false: the connection is broken */
static bool
listen_for(struct guest *g, int wait_ms)
{
	struct pollfd poller = { g->raw.fd, POLLIN, 0 };

	while (!atomic_load(&has_failed) && poll(&poller, 1, wait_ms) > 0) {
		if (raw_recv(&g->raw, PATIENCE_MS) != RAW_PDU) {
			note(g, "the target has closed the connection");
			return false;
		}
		if (!hear(g))
			return false;
		wait_ms = 0;
	}
	return true;
}

/* ------ sessions ------ */

/* what is owed: data of all writes */
static bool
pay(struct guest *g)
{
	for (unsigned int i = 0; i < DEPTH; i++) {
		struct task *t = &g->task[i];
		uint32_t len = t->len;

		t->len = 0;
		if (t->is_live && len > 0 && !data_send(g, t, t->ttt, t->offset, len))
			return false;
	}
	return true;
}

/* everything that is under way ends, within a time that a stopped machine keeps, too */
static bool
drain(struct guest *g)
{
	for (int i = 0; i < PATIENCE_MS / 10; i++) {
		if (!pay(g))
			return false;
		if (live_tasks(g) + live_asks(g) == 0)
			return true;
		if (!listen_for(g, 10) || atomic_load(&has_failed))
			return false;
	}
	for (unsigned int k = 0; k < DEPTH; k++)
		if (g->task[k].is_live)
			fail(g, "never answered", g->task[k].itt);
	if (live_asks(g) > 0)
		fail(g, "a function is never answered", 0);
	return false;
}

/* the connection is gone: what was under way has happened, or has not, and will not */
static void
forget(struct guest *g)
{
	for (unsigned int i = 0; i < DEPTH; i++)
		if (g->task[i].is_live)
			task_over(g, &g->task[i], false);
	memset(g->task, 0, sizeof(g->task));
	memset(g->ask, 0, sizeof(g->ask));
}

static bool
episode(struct guest *g)
{
	unsigned int n = 50 + pick(g, 400);

	for (unsigned int i = 0; i < n && !atomic_load(&is_over); i++) {
		unsigned int what = pick(g, 10);

		if (what < 6 && !task_send(g))
			return false;
		if (what == 6 && !ask_send(g))
			return false;
		if (what == 7 && !data_late(g))
			return false;
		if (!listen_for(g, what == 8 ? 2 : 0))
			return false;
	}
	return true;
}

static void
part(struct guest *g)
{
	uint8_t bhs[RAW_BHS];

	if (pick(g, 3) == 0) {
		raw_head(&g->raw, bhs, RAW_LOGOUT | RAW_IMMEDIATE, RAW_FINAL);
		(void)raw_pdu(&g->raw, bhs, NULL, 0);
	}
	note(g, "the session ends");
	if (pick(g, 2) == 0)
		raw_abort(&g->raw);
	else
		raw_close(&g->raw);
	forget(g);
}

static bool
session_open(struct guest *g)
{
	uint32_t itt = g->raw.itt;
	bool is_ready = false;

	raw_init(&g->raw, &run.where, g->index);
	g->raw.itt = itt; /* no tag is used twice: whatever comes late is known */
	if (raw_login(&g->raw, "ImmediateData=Yes\nInitialR2T=Yes\nFirstBurstLength=16384\n"
	    "MaxRecvDataSegmentLength=65536\n") != 0) {
		fail(g, "no session", 0);
		return false;
	}
	/* resets of the others keep it busy, and bring one unit attention after the other */
	for (unsigned int i = 0; i < 100 && !is_ready; i++)
		is_ready = raw_ready(&g->raw);
	if (!is_ready) {
		fail(g, "the unit is never ready", 0);
		return false;
	}
	note(g, "a session begins");
	(void)atomic_fetch_add(&n_sessions, 1);
	return true;
}

static void *
guest_run(void *arg)
{
	struct guest *g = arg;

	while (!atomic_load(&is_over) && session_open(g)) {
		bool is_up = true;

		while (is_up && !atomic_load(&is_over) && pick(g, 4) > 0)
			is_up = episode(g) && drain(g);
		if (is_up && !atomic_load(&is_over))
			is_up = episode(g);
		if (!is_up && !atomic_load(&has_failed))
			fail(g, "the connection broke", 0);
		if (atomic_load(&is_over) && !atomic_load(&has_failed))
			(void)drain(g);
		part(g);
	}
	return NULL;
}

static int
judge(struct guest *guests, const struct hostile_options *o)
{
	for (unsigned int i = 0; i < o->threads; i++) {
		guests[i].index = i;
		guests[i].rng = rng_init(o->seed + i);
		for (unsigned int k = 0; k < BLOCKS; k++)
			guests[i].block[k].n = 1; /* a new disk: zeros */
		(void)pthread_create(&guests[i].thread, NULL, guest_run, &guests[i]);
	}
	for (unsigned int i = 0; i < o->seconds * 10 && !atomic_load(&is_over) &&
	    target_is_alive(&run); i++)
		(void)poll(NULL, 0, 100);
	atomic_store(&is_over, true);
	for (unsigned int i = 0; i < o->threads; i++)
		(void)pthread_join(guests[i].thread, NULL);
	(void)printf("%u sessions, %u commands: %u answered, %u ended by %u functions, %u functions "
	    "for all refused; seed %llu\n", atomic_load(&n_sessions), atomic_load(&n_commands),
	    atomic_load(&n_answers), atomic_load(&n_ended), atomic_load(&n_asks),
	    atomic_load(&n_refused), (unsigned long long)o->seed);
	return (run.pid < 0 || target_stop(&run)) && !atomic_load(&has_failed) ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct hostile_options o = { .seconds = 5, .threads = 3, .threads_max = THREADS_MAX,
		.seed = 1, .can_alone = true };
	static struct guest guests[THREADS_MAX];

	if (!hostile_options_take(argc, argv, &o))
		return 2;
	is_alone = o.is_alone;
	if (is_alone)
		o.threads = 1;
	(void)signal(SIGPIPE, SIG_IGN);
	if (strncmp(o.target, "iscsi://", 8) == 0 ? !target_at(&run, o.target) :
	    !target_start(&run, o.target, DISK))
		return 1;
	return judge(guests, &o);
}
