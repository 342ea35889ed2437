/*
 * fuzz_cdb.c - a disk of the software HBA given any commands with any parameter data
 *
 * The input is a list of commands: one byte for direction and CDB length, two for the length of
 * the buffer, the CDB, and for data-out the buffer's bytes (what is missing are zeros). After
 * each command the answer must be one that SAM allows: a known status, no more data moved than
 * the buffer holds, nothing written behind it, sense that can be built and read back.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "hw/soft/disk.h"
#include "hw/soft/soft.h"

#define BUF_MAX		4096u
#define COMMANDS_MAX	64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
answer_check(const struct disk_cmd *cmd, const uint8_t *buf, size_t len)
{
	uint8_t sense[SENSE_LEN_MAX];
	struct sense_data again;
	size_t n;

	assert(cmd->moved <= len);
	assert(buf[len] == 0xa5);
	if (!cmd->has_sense)
		return;
	assert(cmd->status == SAM_STAT_CHECK_CONDITION);
	for (int descriptor = 0; descriptor < 2; descriptor++) {
		n = sense_build(&cmd->sense, descriptor, sense, sizeof(sense));
		assert(n >= 8 && n <= sizeof(sense));
		assert(sense_parse(sense, n, &again) == 0);
		assert(again.key == cmd->sense.key && again.asc == cmd->sense.asc);
	}
}

static void
command(struct disk *disk, struct cursor *c)
{
	uint8_t how = cursor_u8(c);
	size_t len = cursor_be16(c) % (BUF_MAX + 1);
	size_t cdb_len = 6 + how % 27;
	enum op_dir dir = how & 0x80 ? OP_DIR_OUT : OP_DIR_IN;
	uint8_t cdb[32] = { 0 }, *buf = calloc(1, len + 1);
	struct disk_cmd *cmd = calloc(1, sizeof(*cmd));
	size_t n;

	if (buf == NULL || cmd == NULL)
		abort();
	n = cursor_left(c) < cdb_len ? cursor_left(c) : cdb_len;
	memcpy(cdb, cursor_take(c, n), n);
	if (dir == OP_DIR_OUT) {
		n = cursor_left(c) < len ? cursor_left(c) : len;
		memcpy(buf, cursor_take(c, n), n);
	}
	buf[len] = 0xa5;

	cmd->cdb = cdb;
	cmd->cdb_len = cdb_len;
	cmd->buf_bytes = len;
	cmd->buf_dir = len == 0 ? OP_DIR_NONE : dir;
	cmd->limit_bytes = UINT64_MAX;
	if (len > 0) {
		/* two pieces, the first odd */
		cmd->iov[0] = (struct iovec){ buf, len / 3 };
		cmd->iov[1] = (struct iovec){ buf + len / 3, len - len / 3 };
		cmd->niov = 2;
	}
	if (!disk_execute(disk, cmd))
		abort(); /* without a queue a disk never waits */
	answer_check(cmd, buf, len);
	free(buf);
	free(cmd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const lines[] = {
		"mem:1M", "mem:1M,block=4096,removable=1", "mem:256K,readonly=1", "null:64G,physical=4096",
		"mem:1M,pi=1", "mem:1M,block=4096,pi=3,app_tag=1",
	};
	struct cursor c = cursor_read_init(data, size);
	struct disk *disk = disk_open(lines[cursor_u8(&c) % ARRAY_LEN(lines)]);

	for (int i = 0; i < COMMANDS_MAX && cursor_left(&c) >= 9; i++)
		command(disk, &c);
	disk_free(disk);
	return 0;
}
