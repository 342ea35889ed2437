/* self-tests, and the echo buffer: SEND DIAGNOSTIC, RECEIVE DIAGNOSTIC RESULTS, WRITE BUFFER,
 * READ BUFFER */
#include <errno.h>
#include <string.h>
#include <sys/kmem.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/num.h"
#include "hw/soft/disk_impl.h"

#define DIAG_PF		0x10	/* SEND DIAGNOSTIC byte 1 */
#define DIAG_SELFTEST	0x04
#define TEST_SAMPLES	64u	/* blocks that a self-test reads */
#define ECHO_BYTES	4096u

/* MODE of READ BUFFER and WRITE BUFFER */
enum { BUFFER_DESCRIPTOR = 0x03, BUFFER_ECHO = 0x0a, BUFFER_ECHO_DESCRIPTOR = 0x0b };

/* what one self-test has found (SPC-4 7.3.10) */
struct self_test {
	uint8_t code;		/* SELF-TEST CODE; 0: no test */
	uint8_t result;		/* 0 passed, 7 a read failed */
	uint16_t hours;		/* since the program has started */
	uint64_t lba;		/* first failure */
};

/* newest first; made with the first test */
struct disk_tests {
	struct self_test tests[DISK_SELF_TESTS];
};

enum { TEST_PASSED = 0, TEST_FAILED = 7 };

void
disk_put_self_test(const struct disk *disk, unsigned int index, uint8_t bytes[16])
{
	const struct self_test *t;

	memset(bytes, 0, 16);
	mutex_enter(disk_lock_of(disk));
	t = disk->tests == NULL ? NULL : &disk->tests->tests[index];
	if (t != NULL && t->code != 0) {
		bytes[0] = (uint8_t)(t->code << 5 | t->result);
		be16_put(bytes + 2, t->hours);
		be64_put(bytes + 4, t->result == TEST_PASSED ? UINT64_MAX : t->lba);
		if (t->result != TEST_PASSED) {
			bytes[12] = SENSE_MEDIUM_ERROR;
			be16_put(bytes + 13, ASC_UNRECOVERED_READ_ERROR);
		}
	}
	mutex_exit(disk_lock_of(disk));
}

static void
test_record(struct disk *disk, const struct self_test *test)
{
	mutex_enter(&disk->lock);
	if (disk->tests == NULL)
		disk->tests = kmem_zalloc(sizeof(*disk->tests), KM_NOSLEEP);
	if (disk->tests != NULL) {
		memmove(&disk->tests->tests[1], &disk->tests->tests[0],
		    (DISK_SELF_TESTS - 1) * sizeof(disk->tests->tests[0]));
		disk->tests->tests[0] = *test;
	}
	mutex_exit(&disk->lock);
}

void
disk_tests_free(struct disk *disk)
{
	if (disk->tests != NULL)
		kmem_free(disk->tests, sizeof(*disk->tests));
}

static int
test_end(struct disk_cmd *cmd, bool is_good, uint64_t lba)
{
	uint8_t code = cmd->cdb[1] >> 5;
	struct self_test test = {
		.code = code == 0 ? 7 : code,	/* 7: the default self-test */
		.result = is_good ? TEST_PASSED : TEST_FAILED,
		.hours = (uint16_t)num_min(clock_now_ns() / NS_PER_S / 3600, UINT16_MAX),
		.lba = lba,
	};

	/* the default test leaves no entry (SPC-4 5.14.4) */
	if (code != 0)
		test_record(cmd->disk, &test);
	if (is_good || code == 1 || code == 2)	/* in the background: the log tells */
		return disk_good(cmd);
	return disk_check(cmd, SENSE_HARDWARE_ERROR, ASC_SELF_TEST_FAILED);
}

/* the block at sample cmd->at: spread over the disk, the last one is the disk's last */
static uint64_t
test_lba(const struct disk_cmd *cmd)
{
	uint64_t last = cmd->disk->blocks - 1;

	return last / (TEST_SAMPLES - 1) * cmd->at +
	    last % (TEST_SAMPLES - 1) * cmd->at / (TEST_SAMPLES - 1);
}

static int
test_step(struct disk_cmd *cmd, int result)
{
	if (result < 0)
		return test_end(cmd, false, test_lba(cmd));
	if (++cmd->at == TEST_SAMPLES)
		return test_end(cmd, true, 0);
	return disk_io_chunk(cmd, STORE_READ, test_lba(cmd) * cmd->disk->block_bytes,
	    cmd->disk->block_bytes);
}

static int
test_begin(struct disk *disk, struct disk_cmd *cmd)
{
	if ((atomic_load(&disk->condition) & DISK_EJECTED) != 0)
		return disk_good(cmd);	/* electronics are all there is to test */
	if (!disk_get_chunk(cmd, disk->block_bytes))
		return disk_busy(cmd);
	cmd->at = 0;
	cmd->step = test_step;
	return disk_io_chunk(cmd, STORE_READ, 0, disk->block_bytes);
}

/* the one page there is: the list of pages */
static int
diag_read_page(struct disk_cmd *cmd, size_t len)
{
	uint8_t list[4];

	if (len == 0)
		return disk_good(cmd);
	if (len < sizeof(list) || disk_take(cmd, list, sizeof(list)) < sizeof(list))
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	if (list[0] != 0)
		return disk_bad_list(cmd, 0, 7);
	if (list[1] != 0)
		return disk_bad_list(cmd, 1, -1);
	if (be16_get(list + 2) != 0)
		return disk_bad_list(cmd, 2, -1);
	return disk_good(cmd);
}

int
disk_do_send_diagnostic(struct disk *disk, struct disk_cmd *cmd)
{
	uint8_t code = cmd->cdb[1] >> 5;
	bool is_default = (cmd->cdb[1] & DIAG_SELFTEST) != 0;
	size_t len = be16_get(cmd->cdb + 3);

	/* 4: end the one in the background; there is never one. 3 and 7 are reserved */
	if (code == 3 || code == 7 || (is_default && code != 0))
		return disk_bad_cdb(cmd, 1, 7);
	if (!is_default && code == 0) {
		if ((cmd->cdb[1] & DIAG_PF) == 0 && len != 0)
			return disk_bad_cdb(cmd, 1, 4);
		return diag_read_page(cmd, len);
	}
	if (len != 0)
		return disk_bad_cdb(cmd, 3, -1);
	if (code == 4)
		return disk_good(cmd);
	return test_begin(disk, cmd);
}

int
disk_do_receive_diagnostic(struct disk *disk, struct disk_cmd *cmd)
{
	static const uint8_t page[5] = { 0, 0, 0, 1, 0 };

	(void)disk;
	if ((cmd->cdb[1] & 0x01) == 0 && cmd->cdb[2] != 0)	/* PCV */
		return disk_bad_cdb(cmd, 2, 7);
	if (cmd->cdb[2] != 0)
		return disk_bad_cdb(cmd, 2, 7);
	return disk_reply(cmd, page, sizeof(page), be16_get(cmd->cdb + 3));
}

static int
echo_write(struct disk *disk, struct disk_cmd *cmd, uint32_t len)
{
	size_t got;

	if (len > ECHO_BYTES)
		return disk_bad_cdb(cmd, 6, -1);
	if (!disk_get_chunk(cmd, ECHO_BYTES))
		return disk_busy(cmd);
	got = disk_take(cmd, cmd->chunk, len);
	if (got < len)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	mutex_enter(&disk->lock);
	if (disk->echo == NULL)
		disk->echo = kmem_alloc(ECHO_BYTES, KM_NOSLEEP);
	if (disk->echo != NULL) {
		memcpy(disk->echo, cmd->chunk, len);
		disk->echo_bytes = len;
	}
	mutex_exit(&disk->lock);
	return disk->echo == NULL ? disk_busy(cmd) : disk_good(cmd);
}

/* as much as was written, and only if something was */
static int
echo_read(struct disk *disk, struct disk_cmd *cmd, uint32_t alloc_len)
{
	uint32_t len;

	if (!disk_get_chunk(cmd, ECHO_BYTES))
		return disk_busy(cmd);
	mutex_enter(&disk->lock);
	len = disk->echo_bytes;
	if (len > 0)
		memcpy(cmd->chunk, disk->echo, len);
	mutex_exit(&disk->lock);
	if (len == 0)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_COMMAND_SEQUENCE);
	return disk_reply(cmd, cmd->chunk, len, alloc_len);
}

void
disk_echo_free(struct disk *disk)
{
	if (disk->echo != NULL)
		kmem_free(disk->echo, ECHO_BYTES);
}

int
disk_do_write_buffer(struct disk *disk, struct disk_cmd *cmd)
{
	if ((cmd->cdb[1] & 0xff) != BUFFER_ECHO)
		return disk_bad_cdb(cmd, 1, (cmd->cdb[1] & 0xe0) != 0 ? 7 : 4);
	return echo_write(disk, cmd, be24_get(cmd->cdb + 6));
}

int
disk_do_read_buffer(struct disk *disk, struct disk_cmd *cmd)
{
	static const uint8_t no_buffer[4] = { 0 };
	static const uint8_t echo[4] = { 0, 0, ECHO_BYTES >> 8, ECHO_BYTES & 0xff };
	uint32_t alloc_len = be24_get(cmd->cdb + 6);

	switch (cmd->cdb[1]) {
	case BUFFER_DESCRIPTOR:
		return disk_reply(cmd, no_buffer, sizeof(no_buffer), alloc_len);
	case BUFFER_ECHO:
		return echo_read(disk, cmd, alloc_len);
	case BUFFER_ECHO_DESCRIPTOR:
		return disk_reply(cmd, echo, sizeof(echo), alloc_len);
	default:
		return disk_bad_cdb(cmd, 1, (cmd->cdb[1] & 0xe0) != 0 ? 7 : 4);
	}
}
