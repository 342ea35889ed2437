/*
 * fuzz_disk_lists.c - a disk of the software HBA given parameter lists, with CDBs that ask for them
 *
 * The input is a list of lists: one byte picks the command, one its flags, one its page or type,
 * two say how long the list is, and the list follows. Between them the disk is asked what it has
 * become: its modes and logs must be readable whatever was sent, and as long as they say.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "hw/soft/disk.h"
#include "hw/soft/soft.h"
#include "scsi/mode.h"

#define LIST_MAX	5000u
#define LISTS_MAX	32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct disk_cmd cmd;
static uint8_t answer[512];

static size_t
one_lun(void *arg, uint64_t *luns, size_t max)
{
	(void)arg;
	if (max > 0)
		luns[0] = 0;
	return 1;
}

static struct disk *
disk_open(const char *line)
{
	static const struct disk_place place = { .luns = one_lun };
	struct soft_disk_conf conf;
	char err[SOFT_ERR_LEN];
	struct store *store;
	struct disk *disk;

	if (soft_conf_parse(line, &conf, err) < 0)
		abort();
	(void)text_copy(conf.vendor, sizeof(conf.vendor), "FUZZ");
	(void)text_copy(conf.product, sizeof(conf.product), "Disk");
	(void)text_copy(conf.revision, sizeof(conf.revision), "1");
	(void)text_copy(conf.serial, sizeof(conf.serial), "F-1");
	if (store_open(&conf, &store, err) < 0 || disk_new(&conf, store, &place, &disk) < 0)
		abort();
	return disk;
}

static void
run(struct disk *disk, const uint8_t *cdb, size_t cdb_len, enum op_dir dir, void *buf, size_t len)
{
	memset(&cmd, 0, sizeof(cmd));
	cmd.cdb = cdb;
	cmd.cdb_len = cdb_len;
	cmd.buf_bytes = len;
	cmd.buf_dir = len == 0 ? OP_DIR_NONE : dir;
	cmd.limit_bytes = UINT64_MAX;
	cmd.iov[0] = (struct iovec){ buf, len };
	cmd.niov = len == 0 ? 0 : 1;
	if (!disk_execute(disk, &cmd))
		abort(); /* without a queue a disk never waits */
	assert(cmd.moved <= len);
	assert(cmd.has_sense == (cmd.status == SAM_STAT_CHECK_CONDITION));
}

/* the CDB that asks for the list: which command, its flags in byte 1, its page or type, a length */
static size_t
cdb_of(uint8_t which, uint8_t flags, uint8_t page, uint16_t len, uint8_t cdb[16])
{
	static const struct { uint8_t opcode, sa, fixed, len_at, page_at, cdb_len; } rows[] = {
		{ 0x55, 0, 0x10, 7, 0, 10 },		/* MODE SELECT(10), PF */
		{ 0x15, 0, 0x10, 3, 0, 6 },
		{ 0x4c, 0, 0, 7, 2, 10 },		/* LOG SELECT */
		{ 0x04, 0, 0x10, 0, 0, 6 },		/* FORMAT UNIT, FMTDATA */
		{ 0x48, 0x01, 0, 7, 0, 10 },		/* SANITIZE */
		{ 0xa4, 0x0f, 0, 8, 0, 12 },		/* SET TIMESTAMP */
		{ 0x1d, 0, 0, 3, 0, 6 },		/* SEND DIAGNOSTIC */
		{ 0x3b, 0x0a, 0, 7, 0, 10 },		/* WRITE BUFFER */
	};
	size_t i = which % ARRAY_LEN(rows);

	memset(cdb, 0, 16);
	cdb[0] = rows[i].opcode;
	cdb[1] = (uint8_t)(rows[i].sa | rows[i].fixed | (rows[i].sa == 0 ? flags : flags & 0xa0));
	if (rows[i].len_at != 0)
		be16_put(cdb + rows[i].len_at, len);
	if (rows[i].page_at != 0)
		cdb[rows[i].page_at] = page;
	return rows[i].cdb_len;
}

/* what it says of itself now can be read, and is as long as it says */
static void
disk_check(struct disk *disk)
{
	static const uint8_t pages[] = { 0x00, 0x02, 0x05, 0x0c, 0x10, 0x19, 0x2f };
	uint8_t cdb[16] = { 0x5a, 0x08, 0x3f, 0xff, [7] = 2 };
	struct mode_walk walk;
	struct mode_view view;
	int r;

	run(disk, cdb, 10, OP_DIR_IN, answer, sizeof(answer));
	assert(cmd.status == SAM_STAT_GOOD);
	assert(mode_walk_begin(answer, cmd.moved, true, &walk) == 0);
	do
		r = mode_walk_next(&walk, &view);
	while (r > 0);
	assert(r == 0);
	for (size_t i = 0; i < sizeof(pages); i++) {
		memcpy(cdb, (uint8_t[10]){ 0x4d, 0, (uint8_t)(0x40 | pages[i]), [7] = 2 }, 10);
		run(disk, cdb, 10, OP_DIR_IN, answer, sizeof(answer));
		assert(cmd.status == SAM_STAT_GOOD);
		assert(cmd.moved == 4u + be16_get(answer + 2));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const lines[] = {
		"mem:64K", "mem:64K,block=4096,removable=1,thin=1", "mem:64K,pi=1", "null:1M,physical=4096",
	};
	static const uint8_t tur[6];
	struct cursor c = cursor_read_init(data, size);
	struct disk *disk = disk_open(lines[cursor_u8(&c) % ARRAY_LEN(lines)]);

	run(disk, tur, sizeof(tur), OP_DIR_NONE, NULL, 0);
	for (int i = 0; i < LISTS_MAX && cursor_left(&c) >= 5; i++) {
		uint8_t which = cursor_u8(&c), flags = cursor_u8(&c), page = cursor_u8(&c), cdb[16];
		uint16_t len = (uint16_t)(cursor_be16(&c) % LIST_MAX);
		size_t there = cursor_left(&c) < len ? cursor_left(&c) : len;
		uint8_t *list = malloc(there + 1);

		if (list == NULL)
			abort();
		memcpy(list, cursor_take(&c, there), there);
		run(disk, cdb, cdb_of(which, flags, page, len, cdb), OP_DIR_OUT, list, there);
		free(list);
		disk_check(disk);
	}
	disk_free(disk);
	return 0;
}
