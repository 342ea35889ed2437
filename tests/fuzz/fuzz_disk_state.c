/*
 * fuzz_disk_state.c - a disk of the software HBA that finds any state of an earlier life
 *
 * The input is what the file in the state directory holds; header and checksum are made to fit. The
 * disk must come up, be readable, end what it had begun, and save again what it has understood.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/keep.h"
#include "base/text.h"
#include "hw/soft/disk.h"
#include "hw/soft/soft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64];
static struct disk_host *host;

static size_t
one_lun(void *arg, uint64_t *luns, size_t max)
{
	(void)arg;
	if (max > 0)
		luns[0] = 0;
	return 1;
}

static void
dir_remove(void)
{
	char path[96];

	disk_host_close(host);
	(void)snprintf(path, sizeof(path), "%s/disk-F-1", dir);
	(void)unlink(path);
	(void)rmdir(dir);
}

/* in memory where there is such a place: every run flushes a file */
static void
dir_make(void)
{
	char err[SOFT_ERR_LEN];

	(void)snprintf(dir, sizeof(dir), "/dev/shm/fuzz-state-XXXXXX");
	if (mkdtemp(dir) == NULL) {
		(void)snprintf(dir, sizeof(dir), "/tmp/fuzz-state-XXXXXX");
		if (mkdtemp(dir) == NULL)
			abort();
	}
	if (disk_host_open(dir, &host, err) < 0)
		abort();
	(void)atexit(dir_remove);
}

static struct disk *
disk_open(void)
{
	struct disk_place place = { .luns = one_lun, .host = host };
	struct soft_disk_conf conf;
	char err[SOFT_ERR_LEN];
	struct store *store;
	struct disk *disk;

	if (soft_conf_parse("mem:64K,sanitize_rate=0,serial=F-1,vendor=x,product=x", &conf, err) < 0)
		abort();
	if (store_open(&conf, &store, err) < 0 || disk_new(&conf, store, &place, &disk) < 0)
		abort();
	return disk;
}

static bool
run(struct disk *disk, const uint8_t *cdb, size_t len, enum op_dir dir_of, void *buf, size_t bytes)
{
	static struct disk_cmd cmd;

	memset(&cmd, 0, sizeof(cmd));
	cmd.cdb = cdb;
	cmd.cdb_len = len;
	cmd.buf_bytes = bytes;
	cmd.buf_dir = dir_of;
	cmd.limit_bytes = UINT64_MAX;
	cmd.iov[0] = (struct iovec){ buf, bytes };
	cmd.niov = bytes == 0 ? 0 : 1;
	if (!disk_execute(disk, &cmd))
		abort();
	return cmd.status == SAM_STAT_GOOD;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t tur[6];
	uint8_t all[10] = { 0x5a, 0x08, 0xff, 0xff, [7] = 2 }, list[512];
	unsigned int refused = 0;
	struct disk *disk;

	if (host == NULL)
		dir_make();
	if (keep_write(disk_host_dir(host), "disk-F-1", data, size) < 0)
		return 0;
	disk = disk_open();
	(void)run(disk, tur, sizeof(tur), OP_DIR_NONE, NULL, 0);
	/* saved values of all pages; a threshold that was saved may just be crossed, but not often */
	while (!run(disk, all, sizeof(all), OP_DIR_IN, list, sizeof(list)))
		assert(++refused < 8);
	disk_free(disk);
	return 0;
}
