#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "client/scsactl/file.h"
#include "client/scsactl/out.h"
#include "client/scsactl/scsi.h"
#include "client/scsactl/xfer.h"

#define SHOW_US 200000

static uint64_t
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void
progress_show(struct xfer *x, bool is_last)
{
	uint64_t us = now_us();
	uint64_t elapsed = us - x->begin_us;
	char done[NUM_BYTES_LEN];
	char rate[NUM_BYTES_LEN];

	if (x->ctl->is_json || isatty(STDERR_FILENO) == 0)
		return;
	if (!is_last && us - x->shown_us < SHOW_US)
		return;
	x->shown_us = us;
	(void)num_format_bytes(x->bytes_done, done);
	(void)num_format_bytes(elapsed > 0 ? (uint64_t)((double)x->bytes_done * 1e6 /
	    (double)elapsed) : 0, rate);
	if (x->bytes_all > 0)
		(void)fprintf(stderr, "\r%3.0f %%  %s  %s/s   ",
		    (double)x->bytes_done * 100 / (double)x->bytes_all, done, rate);
	else
		(void)fprintf(stderr, "\r%s  %s/s   ", done, rate);
	if (is_last)
		(void)fprintf(stderr, "\n");
}

static void
xfer_fail(struct xfer *x, enum ctl_exit status)
{
	x->has_ended = true;
	if (x->status == CTL_OK)
		x->status = status;
}

static void
slot_done(struct scsac *c, const struct scsac_result *result, void *arg)
{
	struct xfer_slot *slot = arg;

	(void)c;
	slot->result = *result;
	slot->is_done = true;
}

/* The data of one packet comes out of the file; false at its end, or on failure. */
static bool
slot_fill(struct xfer *x, struct xfer_slot *slot)
{
	ssize_t n;

	if (x->kind == XFER_READ || x->fd < 0)
		return true;
	n = file_read(x->fd, slot->data, slot->len);
	if (n < 0) {
		xfer_fail(x, ctl_fail(x->ctl, CTL_FILE, "%s: %s", x->path, strerror((int)-n)));
		return false;
	}
	if ((size_t)n % x->block_bytes != 0) {
		xfer_fail(x, ctl_fail(x->ctl, CTL_FILE,
		    "%s: ends inside a block of %" PRIu32 " bytes: make it a multiple", x->path,
		    x->block_bytes));
		return false;
	}
	if ((size_t)n < slot->len && !x->is_open_ended) {
		xfer_fail(x, ctl_fail(x->ctl, CTL_FILE,
		    "%s: is shorter than the blocks asked for", x->path));
		return false;
	}
	if ((size_t)n < slot->len)
		x->has_ended = true;
	slot->len = (size_t)n;
	return n > 0;
}

static void
slot_cdb(const struct xfer *x, struct xfer_slot *slot)
{
	uint32_t blocks = (uint32_t)(slot->len / x->block_bytes);
	unsigned flags = x->want_fua ? CDB_FUA : 0;

	switch (x->kind) {
	case XFER_READ:
		slot->cdb_len = cdb_read(slot->cdb, CDB_AUTO, slot->lba, blocks, flags);
		break;
	case XFER_WRITE:
		slot->cdb_len = cdb_write(slot->cdb, CDB_AUTO, slot->lba, blocks, flags);
		break;
	case XFER_VERIFY:
		slot->cdb_len = cdb_verify(slot->cdb, CDB_AUTO, slot->lba, blocks,
		    x->fd >= 0 ? CDB_BYTCHK_1 : 0);
		break;
	}
}

static bool
slot_send(struct xfer *x, struct xfer_slot *slot)
{
	struct scsac_cmd cmd = { .handle = x->handle, .timeout_ms = x->ctl->timeout_ms };
	int r;

	slot_cdb(x, slot);
	cmd.cdb = slot->cdb;
	cmd.cdb_len = slot->cdb_len;
	cmd.direction = x->kind == XFER_READ ? SCSAC_IN : x->fd < 0 ? SCSAC_NONE : SCSAC_OUT;
	if (cmd.direction != SCSAC_NONE) {
		cmd.data = slot->data;
		cmd.data_len = slot->len;
	}
	slot->is_done = false;
	r = scsac_submit(x->ctl->conn, &cmd, slot_done, slot, NULL);
	if (r < 0)
		xfer_fail(x, ctl_refused(x->ctl, r, "command"));
	return r == 0;
}

static void
xfer_send(struct xfer *x)
{
	while (!x->has_ended && x->blocks > 0 && x->active < x->depth) {
		struct xfer_slot *slot = &x->slots[(x->head + x->active) % x->depth];
		uint64_t blocks = num_min(x->blocks, x->chunk_blocks);

		slot->lba = x->lba;
		slot->len = (size_t)blocks * x->block_bytes;
		if (!slot_fill(x, slot) || !slot_send(x, slot)) {
			x->has_ended = true;
			return;
		}
		slot->is_active = true;
		x->active++;
		blocks = slot->len / x->block_bytes;
		x->lba += blocks;
		x->blocks -= blocks;
	}
}

/* The oldest packet is done: its data goes to the file, or its failure is told. */
static void
slot_finish(struct xfer *x, struct xfer_slot *slot)
{
	const struct scsac_result *result = &slot->result;
	int r;

	if (x->status != CTL_OK)
		return;
	if (result->err < 0) {
		xfer_fail(x, ctl_refused(x->ctl, result->err, "command"));
		return;
	}
	if (exit_of_result(result) != CTL_OK) {
		if (x->ctl->is_json)
			doc_number(x->ctl->root, "lba", slot->lba);
		xfer_fail(x, result_tell(x->ctl, slot->cdb, slot->cdb_len, result));
		if (!x->ctl->is_json)
			(void)fprintf(stderr, "scsactl: in blocks %" PRIu64 " to %" PRIu64 "\n",
			    slot->lba, slot->lba + slot->len / x->block_bytes - 1);
		return;
	}
	if (result->resid > 0 || (x->kind == XFER_READ && result->data_len != slot->len)) {
		xfer_fail(x, ctl_fail(x->ctl, CTL_MALFORMED, "block %" PRIu64
		    ": %" PRIu32 " bytes were not transferred", slot->lba, result->resid));
		return;
	}
	r = x->kind == XFER_READ ? file_write(x->fd, slot->data, slot->len) : 0;
	if (r < 0)
		xfer_fail(x, ctl_fail(x->ctl, CTL_FILE, "%s: %s", x->path, strerror(-r)));
	else
		x->bytes_done += slot->len;
}

static void
xfer_finish(struct xfer *x)
{
	while (x->active > 0 && x->slots[x->head].is_done) {
		struct xfer_slot *slot = &x->slots[x->head];

		slot_finish(x, slot);
		slot->is_active = false;
		x->head = (x->head + 1) % x->depth;
		x->active--;
	}
}

static enum ctl_exit
xfer_alloc(struct xfer *x)
{
	size_t chunk = (size_t)x->chunk_blocks * x->block_bytes;

	x->slots = calloc(x->depth, sizeof(*x->slots));
	/* shared with the daemon if it can be; else its data goes through the socket */
	if (scsac_memory_new(x->ctl->conn, x->depth * chunk, &x->shared) == 0)
		x->buffers = x->shared;
	else
		x->buffers = x->plain = malloc(x->depth * chunk);
	if (x->slots == NULL || x->buffers == NULL)
		return ctl_fail(x->ctl, CTL_OTHER, "out of memory: try less --depth");
	for (unsigned i = 0; i < x->depth; i++) {
		x->slots[i].xfer = x;
		x->slots[i].data = x->buffers + i * chunk;
	}
	return CTL_OK;
}

static void
xfer_summary(struct xfer *x)
{
	static const char *const done[] = { "read", "written", "verified" };
	uint64_t us = now_us() - x->begin_us;
	char bytes[NUM_BYTES_LEN];
	char rate[NUM_BYTES_LEN];
	double per_s = us > 0 ? (double)x->bytes_done * 1e6 / (double)us : 0;

	if (x->ctl->is_json) {
		doc_number(x->ctl->root, "bytes", x->bytes_done);
		doc_number(x->ctl->root, "blocks", x->bytes_done / x->block_bytes);
		doc_number(x->ctl->root, "duration_us", us);
		return;
	}
	(void)fprintf(stderr, "%s %s in %.3f s, %s/s\n", num_format_bytes(x->bytes_done, bytes),
	    done[x->kind], (double)us / 1e6, num_format_bytes((uint64_t)per_s, rate));
}

enum ctl_exit
xfer_run(struct xfer *x)
{
	x->begin_us = now_us();
	x->status = xfer_alloc(x);
	while (x->status == CTL_OK || x->active > 0) {
		xfer_send(x);
		if (x->active == 0)
			break;
		/* when the daemon goes, every packet is completed, so this ends */
		(void)scsac_wait(x->ctl->conn, -1);
		xfer_finish(x);
		progress_show(x, false);
	}
	progress_show(x, true);
	if (x->status == CTL_OK)
		xfer_summary(x);
	free(x->slots);
	free(x->plain);
	if (x->shared != NULL)
		(void)scsac_memory_free(x->ctl->conn, x->shared);
	return x->status;
}
