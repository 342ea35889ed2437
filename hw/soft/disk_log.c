/* LOG SENSE and LOG SELECT: what a disk has counted, and what it can say of itself */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/num.h"
#include "hw/soft/disk_impl.h"

#define LOG_BUF_LEN	512
#define LOG_LIST_MAX	512u
#define LOG_TSD		0x20	/* control byte: the disk does not save it by itself */
#define LOG_BINARY	0x03	/* a list, no counter */

enum log_code {
	LOG_SUPPORTED = 0x00,
	LOG_WRITE_ERRORS = 0x02,
	LOG_READ_ERRORS = 0x03,
	LOG_VERIFY_ERRORS = 0x05,
	LOG_OTHER_ERRORS = 0x06,
	LOG_THIN = 0x0c,
	LOG_START_STOP = 0x0e,
	LOG_SELF_TEST = 0x10,
	LOG_STATISTICS = 0x19,
	LOG_EXCEPTIONS = 0x2f,
};

enum { PC_THRESHOLD, PC_NOW, PC_THRESHOLD_DEFAULT, PC_DEFAULT };

/* counters: those of one page stand together, by rising code. What initiators see counts from
 * where they set it to */
static const struct log_counter {
	uint8_t page;
	uint8_t len;
	uint16_t code;
	uint16_t stat;		/* where in struct disk_stats; LOG_ZERO: never happens here */
} log_counters[DISK_COUNTERS] = {
#define LOG_ZERO	UINT16_MAX
#define STAT(name)	offsetof(struct disk_stats, name)
	{ LOG_WRITE_ERRORS, 4, 0x0003, LOG_ZERO },		/* corrected */
	{ LOG_WRITE_ERRORS, 8, 0x0005, STAT(written_bytes) },
	{ LOG_WRITE_ERRORS, 4, 0x0006, STAT(write_errors) },	/* uncorrected */
	{ LOG_READ_ERRORS, 4, 0x0003, LOG_ZERO },
	{ LOG_READ_ERRORS, 8, 0x0005, STAT(read_bytes) },
	{ LOG_READ_ERRORS, 4, 0x0006, STAT(read_errors) },
	{ LOG_VERIFY_ERRORS, 4, 0x0003, LOG_ZERO },
	{ LOG_VERIFY_ERRORS, 4, 0x0006, STAT(verify_errors) },
	{ LOG_OTHER_ERRORS, 4, 0x0000, STAT(other_errors) },
	{ LOG_START_STOP, 4, 0x0004, STAT(starts) },
	{ LOG_START_STOP, 4, 0x0006, STAT(loads) },
};

/* of page 19h, parameter 1, in its order; times are not measured and stay 0 */
static const uint16_t log_statistics[] = {
	STAT(reads), STAT(writes), STAT(written_bytes), STAT(read_bytes),
};

_Static_assert(ARRAY_LEN(log_statistics) == DISK_STATISTICS, "bases of page 19h");

static uint64_t
stat_get(const struct disk *disk, uint16_t at)
{
	const _Atomic uint64_t *stat;

	if (at == LOG_ZERO)
		return 0;
	stat = (const _Atomic uint64_t *)(const void *)((const char *)&disk->stats + at);
	return atomic_load_explicit(stat, memory_order_relaxed);
}

static void
put_header(struct cursor *c, uint16_t code, uint8_t control, uint8_t len)
{
	cursor_put_be16(c, code);
	cursor_put_u8(c, control);
	cursor_put_u8(c, len);
}

/* a counter that does not fit stays at its end (SPC-4 7.3.2.2.2) */
static void
put_number(struct cursor *c, uint8_t len, uint64_t value)
{
	if (len == 8)
		cursor_put_be64(c, value);
	else
		cursor_put_be32(c, (uint32_t)num_min(value, UINT32_MAX));
}

/* what a page is made from */
struct log_request {
	const struct disk *disk;
	uint8_t page;
	bool is_default;	/* counters as they were in the beginning */
	uint16_t first;		/* parameters from this code on */
	const _Atomic uint64_t *bases;	/* DISK_COUNTERS, then DISK_STATISTICS */
	bool has_usage;
	uint64_t used, available;	/* bytes of the store: page 0Ch */
};

static void
put_counters(const struct log_request *req, struct cursor *c)
{
	for (size_t i = 0; i < DISK_COUNTERS; i++) {
		const struct log_counter *row = &log_counters[i];
		uint64_t now = stat_get(req->disk, row->stat) - req->bases[i];

		if (row->page != req->page || row->code < req->first)
			continue;
		put_header(c, row->code, LOG_TSD, row->len);
		put_number(c, row->len, req->is_default ? 0 : now);
	}
}

static void
put_statistics(const struct log_request *req, struct cursor *c)
{
	uint64_t values[8] = { 0 };

	if (req->first > 1)
		return;
	for (size_t i = 0; i < DISK_STATISTICS && !req->is_default; i++)
		values[i] = stat_get(req->disk, log_statistics[i]) -
		    req->bases[DISK_COUNTERS + i];
	values[2] /= req->disk->block_bytes;
	values[3] /= req->disk->block_bytes;
	put_header(c, 1, LOG_TSD | LOG_BINARY, sizeof(values));
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		cursor_put_be64(c, values[i]);
}

/* SBC-3 6.4.5: resources in threshold sets; 2: others may take them, 1: only this disk's */
static void
put_resource(struct cursor *c, const struct disk *disk, uint16_t code, uint64_t bytes,
    uint8_t scope)
{
	put_header(c, code, LOG_TSD | LOG_BINARY, 8);
	cursor_put_be32(c, disk_threshold_sets(disk, bytes));
	cursor_put_be32(c, (uint32_t)scope << 24);
}

/* a store that does not know how full it is has no parameters */
static void
put_thin(const struct log_request *req, struct cursor *c)
{
	if (!req->has_usage)
		return;
	if (req->first <= 1)
		put_resource(c, req->disk, 1, req->available, 2);
	if (req->first <= 2)
		put_resource(c, req->disk, 2, req->used, 1);
}

static void
put_self_tests(const struct log_request *req, struct cursor *c)
{
	for (uint16_t i = 0; i < DISK_SELF_TESTS; i++) {
		if (i + 1 < req->first)
			continue;
		put_header(c, (uint16_t)(i + 1), LOG_TSD | LOG_BINARY, 16);
		disk_put_self_test(req->disk, i, cursor_take(c, 16));
	}
}

/* no thermometer: FFh. Only the exception that an initiator has asked for can be there */
static void
put_exceptions(const struct log_request *req, struct cursor *c)
{
	uint16_t asc = disk_exception(req->disk);

	if (req->first > 0)
		return;
	put_header(c, 0, LOG_TSD | LOG_BINARY, 4);
	cursor_put_be16(c, asc);
	cursor_put_be16(c, 0xff00);
}

static const struct log_page {
	uint8_t code;
	bool needs_thin;
	uint16_t last;		/* highest parameter code */
	void (*put)(const struct log_request *req, struct cursor *c);
} log_pages[] = {
	{ LOG_SUPPORTED, false, 0, NULL },
	{ LOG_WRITE_ERRORS, false, 6, put_counters },
	{ LOG_READ_ERRORS, false, 6, put_counters },
	{ LOG_VERIFY_ERRORS, false, 6, put_counters },
	{ LOG_OTHER_ERRORS, false, 0, put_counters },
	{ LOG_THIN, true, 2, put_thin },
	{ LOG_START_STOP, false, 6, put_counters },
	{ LOG_SELF_TEST, false, DISK_SELF_TESTS, put_self_tests },
	{ LOG_STATISTICS, false, 1, put_statistics },
	{ LOG_EXCEPTIONS, false, 0, put_exceptions },
};

static const struct log_page *
log_page_find(const struct disk *disk, uint8_t code)
{
	for (size_t i = 0; i < ARRAY_LEN(log_pages); i++) {
		if (log_pages[i].code == code && (!log_pages[i].needs_thin || disk->is_thin))
			return &log_pages[i];
	}
	return NULL;
}

/* pages 00h and 00h/FFh */
static void
put_supported(const struct disk *disk, struct cursor *c, bool with_subpages)
{
	for (size_t i = 0; i < ARRAY_LEN(log_pages); i++) {
		if (log_pages[i].needs_thin && !disk->is_thin)
			continue;
		cursor_put_u8(c, log_pages[i].code);
		if (with_subpages)
			cursor_put_u8(c, 0);
		if (with_subpages && log_pages[i].code == LOG_SUPPORTED)
			cursor_put_be16(c, LOG_SUPPORTED << 8 | 0xff);
	}
}

static int
log_reply(struct disk_cmd *cmd, const struct log_request *req)
{
	const struct log_page *page = log_page_find(req->disk, req->page);
	uint8_t buf[LOG_BUF_LEN], subpage = cmd->cdb[3];
	struct cursor c = cursor_write_init(buf, sizeof(buf));

	/* DS: what is here is not saved; SPF: there is a subpage */
	cursor_put_u8(&c, (uint8_t)(req->page | (req->page != LOG_SUPPORTED ? 0x80 : 0) |
	    (subpage != 0 ? 0x40 : 0)));
	cursor_put_u8(&c, subpage);
	cursor_put_be16(&c, 0);
	if (page->put == NULL)
		put_supported(req->disk, &c, subpage != 0);
	else
		page->put(req, &c);
	be16_put(buf + 2, (uint16_t)(c.pos - 4));
	return disk_reply(cmd, buf, c.pos, be16_get(cmd->cdb + 7));
}

static struct log_request
log_request(struct disk *disk, const struct disk_cmd *cmd)
{
	return (struct log_request){
		.disk = disk,
		.page = cmd->cdb[2] & 0x3f,
		.is_default = cmd->cdb[2] >> 6 == PC_DEFAULT,
		.first = be16_get(cmd->cdb + 5),
		.bases = disk->log_bases,
	};
}

/* how full the store is has to be asked for, where that may block */
static int
log_ask_usage(struct disk_cmd *cmd)
{
	return store_usage(cmd->disk->store, &cmd->at, &cmd->left);
}

static int
log_usage_known(struct disk_cmd *cmd, int result)
{
	struct log_request req = log_request(cmd->disk, cmd);

	req.has_usage = result == 0;
	req.used = cmd->at;
	req.available = cmd->left;
	return log_reply(cmd, &req);
}

int
disk_do_log_sense(struct disk *disk, struct disk_cmd *cmd)
{
	struct log_request req = log_request(disk, cmd);
	const struct log_page *page = log_page_find(disk, req.page);
	uint8_t pc = cmd->cdb[2] >> 6, subpage = cmd->cdb[3];

	(void)disk_stats(disk);		/* counters are up to date */
	if ((cmd->cdb[1] & 0x01) != 0)		/* SP: nothing can be saved */
		return disk_bad_cdb(cmd, 1, 0);
	if (page == NULL)
		return disk_bad_cdb(cmd, 2, 5);
	if (subpage != 0 && (req.page != LOG_SUPPORTED || subpage != 0xff))
		return disk_bad_cdb(cmd, 3, 7);
	/* there are no thresholds */
	if (page->put != NULL && (pc == PC_THRESHOLD || pc == PC_THRESHOLD_DEFAULT))
		return disk_bad_cdb(cmd, 2, 7);
	if (req.first > page->last)
		return disk_bad_cdb(cmd, 5, 7);
	if (req.page != LOG_THIN)
		return log_reply(cmd, &req);
	cmd->work = log_ask_usage;
	cmd->step = log_usage_known;
	return DISK_WORK;
}

/* counters begin anew; @page LOG_SUPPORTED: all. disk->lock is held */
static void
log_reset(struct disk *disk, uint8_t page)
{
	for (size_t i = 0; i < DISK_COUNTERS; i++) {
		if (page == LOG_SUPPORTED || page == log_counters[i].page)
			disk->log_bases[i] = stat_get(disk, log_counters[i].stat);
	}
	for (size_t i = 0; i < DISK_STATISTICS; i++) {
		if (page == LOG_SUPPORTED || page == LOG_STATISTICS)
			disk->log_bases[DISK_COUNTERS + i] = stat_get(disk, log_statistics[i]);
	}
}

static const struct log_counter *
counter_find(uint8_t page, uint16_t code)
{
	for (size_t i = 0; i < DISK_COUNTERS; i++) {
		if (log_counters[i].page == page && log_counters[i].code == code)
			return &log_counters[i];
	}
	return NULL;
}

static uint64_t
read_number(const uint8_t *p, size_t len)
{
	return len == 8 ? be64_get(p) : be32_get(p);
}

/*
 * The parameters of a page, @offset in the list. Twice: first they are judged, then obeyed.
 * DISK_IO: they are fine.
 */
static int
select_page(struct disk *disk, struct disk_cmd *cmd, uint8_t page, size_t offset, size_t len)
{
	const uint8_t *list = cmd->chunk;

	while (len > 0) {
		const uint8_t *p = list + offset;
		const struct log_counter *row;

		if (len < 4 || len - 4 < p[3])
			return disk_check(
			    cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
		row = counter_find(page, be16_get(p));
		if (row == NULL)
			return disk_bad_list(cmd, (uint16_t)offset, -1);
		if (p[3] != row->len)
			return disk_bad_list(cmd, (uint16_t)(offset + 3), -1);
		if (row->stat == LOG_ZERO && read_number(p + 4, row->len) != 0)
			return disk_bad_list(cmd, (uint16_t)(offset + 4), -1);
		if (cmd->phase == 1)
			disk->log_bases[row - log_counters] =
			    stat_get(disk, row->stat) - read_number(p + 4, row->len);
		offset += 4u + p[3];
		len -= 4u + p[3];
	}
	return DISK_IO;
}

static int
select_list(struct disk *disk, struct disk_cmd *cmd, size_t len)
{
	const uint8_t *list = cmd->chunk;
	int last = -1;

	for (size_t at = 0; at < len; at += 4u + be16_get(list + at + 2)) {
		const uint8_t *p = list + at;
		uint8_t page = p[0] & 0x3f;
		int r;

		if (len - at < 4 || len - at - 4 < be16_get(p + 2))
			return disk_check(
			    cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
		/* rising, and no subpages (SPC-4 6.7.2) */
		if (page == LOG_SUPPORTED || log_page_find(disk, page) == NULL || page <= last)
			return disk_bad_list(cmd, (uint16_t)at, 5);
		if ((p[0] & 0x40) != 0 || p[1] != 0)
			return disk_bad_list(cmd, (uint16_t)(at + 1), -1);
		r = select_page(disk, cmd, page, at + 4, be16_get(p + 2));
		if (r == DISK_DONE)
			return r;
		last = page;
	}
	return DISK_IO;
}

/* all of the list, or nothing */
static int
log_select_list(struct disk *disk, struct disk_cmd *cmd, size_t len)
{
	int r;

	if (len > LOG_LIST_MAX)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	if (!disk_get_chunk(cmd, LOG_LIST_MAX))
		return disk_busy(cmd);
	if (disk_take(cmd, cmd->chunk, len) < len)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	r = select_list(disk, cmd, len);
	if (r == DISK_DONE)
		return r;
	cmd->phase = 1;
	mutex_enter(&disk->lock);
	(void)select_list(disk, cmd, len);
	mutex_exit(&disk->lock);
	return disk_good(cmd);
}

int
disk_do_log_select(struct disk *disk, struct disk_cmd *cmd)
{
	bool want_reset = (cmd->cdb[1] & 0x02) != 0;
	uint8_t pc = cmd->cdb[2] >> 6, page = cmd->cdb[2] & 0x3f;
	size_t len = be16_get(cmd->cdb + 7);

	(void)disk_stats(disk);
	if ((cmd->cdb[1] & 0x01) != 0)			/* SP */
		return disk_bad_cdb(cmd, 1, 0);
	if (want_reset && len != 0)
		return disk_bad_cdb(cmd, 1, 1);
	if (log_page_find(disk, page) == NULL || (len != 0 && page != 0))
		return disk_bad_cdb(cmd, 2, 5);
	if (cmd->cdb[3] != 0 && (page != 0 || cmd->cdb[3] != 0xff))
		return disk_bad_cdb(cmd, 3, 7);
	if (!want_reset && (pc == PC_THRESHOLD || pc == PC_THRESHOLD_DEFAULT))
		return disk_bad_cdb(cmd, 2, 7);
	if (len != 0)
		return log_select_list(disk, cmd, len);
	if (want_reset || pc == PC_DEFAULT) {
		mutex_enter(&disk->lock);
		log_reset(disk, page);
		mutex_exit(&disk->lock);
	}
	return disk_good(cmd);
}
