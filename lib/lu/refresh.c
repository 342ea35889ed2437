#include "lu/lu_impl.h"

#include "base/bytes.h"
#include "base/num.h"
#include "scsi/cdb.h"
#include "scsi/inquiry.h"
#include "scsi/mode.h"
#include "scsi/status.h"

#define READCAP10_LEN	8
#define READCAP16_LEN	32
#define REFRESH_TIMEOUT_MS	10000
#define REFRESH_TRIES		4	/* a question may be ended by resets and aborts of others */

/* ------ what answers say ------ */

static void
capacity_set(struct lu *lu, uint64_t blocks, uint32_t block_bytes)
{
	atomic_store_explicit(&lu->info.block_bytes, block_bytes, memory_order_relaxed);
	atomic_store_explicit(&lu->info.blocks, blocks, memory_order_relaxed);
	/* else when all questions are answered */
	if (lu->refresh == NULL)
		lu->block_bytes = block_bytes;
}

void
lu_capacity_take10(struct lu *lu, const uint8_t *data, size_t len, bool *ret_need16)
{
	*ret_need16 = false;
	if (len < READCAP10_LEN)
		return;
	*ret_need16 = be32_get(data) == UINT32_MAX;
	if (!*ret_need16)
		capacity_set(lu, (uint64_t)be32_get(data) + 1, be32_get(data + 4));
}

void
lu_capacity_take16(struct lu *lu, const uint8_t *data, size_t len)
{
	if (len >= 12)
		capacity_set(lu, be64_get(data) + 1, be32_get(data + 8));
}

static void
control_take(struct lu *lu, const struct mode_view *page)
{
	struct lu_nexus *nexus;
	uint8_t tst;

	if (page->code != MODE_CONTROL || page->subcode != 0 || page->len < 8)
		return;
	tst = page->data[2] >> 5;
	lu->control.is_descriptor = (page->data[2] & 0x04) != 0;
	lu->control.qerr = page->data[3] >> 1 & 0x03;
	lu->control.has_interlock = (page->data[4] & 0x20) != 0;
	lu->control.has_status_ua = (page->data[4] & 0x30) == 0x30;
	lu->control.has_tas = (page->data[5] & 0x40) != 0;
	if (tst == lu->control.tst)
		return;
	/* tasks stay in the set they came into */
	lu->control.tst = tst;
	LIST_FOREACH(nexus, &lu->nexuses, entry)
		nexus->set = tst == 1 ? &nexus->own_set : &lu->set;
}

void
lu_modes_take(struct lu *lu, const uint8_t *data, size_t len)
{
	struct mode_view page;
	struct mode_walk walk;

	if (len >= 3)
		atomic_store_explicit(&lu->info.is_readonly, (data[2] & MODE_DSP_WP) != 0,
		    memory_order_relaxed);
	if (mode_walk_begin(data, len, false, &walk) < 0)
		return;
	while (mode_walk_next(&walk, &page) > 0)
		control_take(lu, &page);
}

/* ------ asking ------ */

static void refresh_next(struct lu *lu, struct lu_ask *ask);

static void
refresh_end(struct lu *lu, struct lu_ask *ask)
{
	bool has_news = lu->has_news;
	struct lu_work *w;

	lu->refresh = NULL;
	lu->refresh_due = 0;
	lu->refresh_by = NULL;
	lu->has_news = false;
	lu->block_bytes = lu->is_capacity_unknown ? 0 : lu->info.block_bytes;
	lu_watch_update(lu);
	lu_ask_free(ask);
	while ((w = STAILQ_FIRST(&lu->refreshed)) != NULL) {
		STAILQ_REMOVE_HEAD(&lu->refreshed, entry);
		lu_exec_defer(lu->home, w, w->fn);
	}
	if (has_news)
		lu_news_tell(lu, &lu->news);
}

/* what had been known before is arg's: a change that nobody told of is told now */
static void
capacity_compare(struct lu *lu, uint64_t blocks, uint32_t block_bytes)
{
	struct sense_data sense = sense_make(SENSE_UNIT_ATTENTION, ASC_CAPACITY_CHANGED);

	if (blocks == lu->info.blocks && block_bytes == lu->info.block_bytes)
		return;
	if (lu->has_news)
		return;		/* the device said so, and all have heard it */
	if (block_bytes != 0)	/* else it is the first that anybody hears of */
		lu_ua_raise_others(lu, lu->refresh_by, ASC_CAPACITY_CHANGED);
	lu->has_news = true;
	lu->news = sense;
}

static uint32_t
ask_len(const struct lu_ask *ask)
{
	return lu_ask_good(ask) ? ask->task.moved : 0;
}

/* somebody ended the question @what, and it says nothing: it is asked again */
static void
refresh_retry(struct lu *lu, const struct lu_ask *ask, uint8_t what)
{
	uint8_t reason = ask->task.reason;

	if ((reason == CMD_RESET || reason == CMD_ABORTED) &&
	    ++lu->refresh_tries < REFRESH_TRIES)
		lu->refresh_due |= what;
}

static bool
is_not_ready(const struct lu_task *task, uint16_t *ret_asc)
{
	struct sense_data sense;

	if (task->status != SAM_STAT_CHECK_CONDITION ||
	    sense_parse(task->sense, task->sense_len, &sense) < 0 ||
	    sense.key != SENSE_NOT_READY)
		return false;
	*ret_asc = sense.asc;
	return true;
}

/* no medium: no blocks */
static bool
is_medium_gone(const struct lu_task *task)
{
	uint16_t asc;

	return is_not_ready(task, &asc) && asc >> 8 == ASC_MEDIUM_NOT_PRESENT >> 8;
}

/* nothing was said of the capacity, and it may be another: a format with IMMED is at work, or
 * the question was ended too often */
static bool
is_capacity_open(const struct lu_task *task)
{
	uint16_t asc;

	return task->reason == CMD_RESET || task->reason == CMD_ABORTED ||
	    (is_not_ready(task, &asc) && !is_medium_gone(task));
}

static void
refresh_send(struct lu *lu, struct lu_ask *ask, size_t cdb_len, uint32_t len,
    void (*done)(struct lu_ask *ask))
{
	ask->task.cdb_len = (uint16_t)cdb_len;
	ask->task.timeout_ms = REFRESH_TIMEOUT_MS;
	ask->done = done;
	lu_ask_in(ask, len);
	if (lu_ask(lu, ask) < 0)
		refresh_end(lu, ask);
}

static void
capacity16_done(struct lu_ask *ask)
{
	struct lu *lu = ask->task.nexus->unit;
	uint64_t blocks = lu->info.blocks;
	uint32_t block_bytes = lu->info.block_bytes;

	lu->is_capacity_unknown = is_capacity_open(&ask->task);
	refresh_retry(lu, ask, LU_REFRESH_CAPACITY);
	lu_capacity_take16(lu, ask->data, ask_len(ask));
	capacity_compare(lu, blocks, block_bytes);
	refresh_next(lu, ask);
}

static void
capacity10_done(struct lu_ask *ask)
{
	struct lu *lu = ask->task.nexus->unit;
	uint64_t blocks = lu->info.blocks;
	uint32_t block_bytes = lu->info.block_bytes;
	bool need16;

	lu->is_capacity_unknown = is_capacity_open(&ask->task);
	refresh_retry(lu, ask, LU_REFRESH_CAPACITY);
	lu_capacity_take10(lu, ask->data, ask_len(ask), &need16);
	if (need16) {
		refresh_send(lu, ask, cdb_readcap16(ask->task.cdb, READCAP16_LEN), READCAP16_LEN,
		    capacity16_done);
		return;
	}
	if (is_medium_gone(&ask->task))
		capacity_set(lu, 0, block_bytes);
	capacity_compare(lu, blocks, block_bytes);
	refresh_next(lu, ask);
}

static void
modes_done(struct lu_ask *ask)
{
	struct lu *lu = ask->task.nexus->unit;

	refresh_retry(lu, ask, LU_REFRESH_MODES);
	lu_modes_take(lu, ask->data, ask_len(ask));
	refresh_next(lu, ask);
}

static void
refresh_next(struct lu *lu, struct lu_ask *ask)
{
	uint8_t *cdb = ask->task.cdb;

	if ((lu->refresh_due & LU_REFRESH_CAPACITY) != 0) {
		lu->refresh_due &= (uint8_t)~LU_REFRESH_CAPACITY;
		refresh_send(lu, ask, cdb_readcap10(cdb), READCAP10_LEN, capacity10_done);
	} else if ((lu->refresh_due & LU_REFRESH_MODES) != 0) {
		lu->refresh_due &= (uint8_t)~LU_REFRESH_MODES;
		refresh_send(lu, ask, lu_modes_cdb(cdb), LU_MODES_LEN, modes_done);
	} else {
		refresh_end(lu, ask);
	}
}

uint32_t
lu_block_bytes(const struct lu *unit)
{
	return atomic_load_explicit(&unit->block_bytes, memory_order_relaxed);
}

size_t
lu_modes_cdb(uint8_t *cdb)
{
	/* MODE SENSE(6), no block descriptors */
	const uint8_t modes[6] = { 0x1a, 0x08, MODE_CONTROL, 0, LU_MODES_LEN };

	for (size_t i = 0; i < CDB_BUF_LEN; i++)
		cdb[i] = i < sizeof(modes) ? modes[i] : 0;
	return sizeof(modes);
}

bool
lu_has_blocks(const struct lu *lu)
{
	uint8_t type = lu->info.type;

	return type == INQ_TYPE_DISK || type == INQ_TYPE_CD || type == INQ_TYPE_RBC ||
	    type == INQ_TYPE_OPTICAL;
}

void
lu_refresh(struct lu *lu, uint8_t what, const struct lu_nexus *by,
    const struct sense_data *news)
{
	if (news != NULL) {
		lu->has_news = true;
		lu->news = *news;
	}
	lu->refresh_due |= what;
	if ((what & LU_REFRESH_CAPACITY) != 0) {
		lu->block_bytes = 0;
		/* until an answer says more; there may be no memory to ask */
		lu->is_capacity_unknown = lu_has_blocks(lu);
	}
	if (lu->refresh != NULL)
		return;
	lu->refresh_by = by;
	lu->refresh_tries = 0;
	if (lu_has_blocks(lu))
		lu->refresh = lu_ask_new(lu, LU_MODES_LEN, NULL, NULL);
	if (lu->refresh != NULL)
		refresh_next(lu, lu->refresh);
	else
		refresh_end(lu, NULL);
}

bool
lu_refresh_wait(struct lu *lu, struct lu_work *w, lu_work_fn fn)
{
	if (lu->refresh == NULL)
		return false;
	w->fn = fn;
	STAILQ_INSERT_TAIL(&lu->refreshed, w, entry);
	return true;
}
