/*
 * mock_disk.h - a disk on a bench: CDBs in, answers out, no adapter
 *
 * What      bench_run() executes one CDB with one buffer and keeps what came of it. Sense is
 *           compared as key and ASC/ASCQ.
 */
#ifndef TESTS_SOFT_MOCK_DISK_H
#define TESTS_SOFT_MOCK_DISK_H

#include <stdatomic.h>

#include "hw/soft/disk.h"
#include "hw/soft/soft.h"

struct bench {
	struct disk *disk;
	struct soft_disk_conf conf;
	struct disk_cmd *cmd;		/* result of the last command */
	uint8_t data[70000];		/* its data, when it was an in-command */
	struct aio *aio;		/* NULL: blocking */
	struct disk_host *host;		/* of bench_open_at() */
	atomic_uint pended, done;
	bool is_slow;
};

/* bench_open() - a disk by its line, unit attention of power on already taken */
void bench_open(struct bench *b, const char *line);
/* bench_open_slow() - one whose store lets other threads run before and after each request */
void bench_open_slow(struct bench *b, const char *line);
void bench_close(struct bench *b);

/* bench_open_at() - the same with threads, and state in the directory @dir (NULL: none) */
void bench_open_at(struct bench *b, const char *line, const char *dir);

/* bench_in(), bench_out(), bench_none() - run a CDB; true when the status was GOOD */
bool bench_in(struct bench *b, const uint8_t *cdb, size_t cdb_len, size_t buf_len);
bool
bench_out(struct bench *b, const uint8_t *cdb, size_t cdb_len, const void *buf, size_t len);
bool bench_none(struct bench *b, const uint8_t *cdb, size_t cdb_len);

/* bench_sense_is() - the last command ended with CHECK CONDITION and this sense */
bool bench_sense_is(const struct bench *b, uint8_t key, uint16_t asc);

/* bench_field_is() - ... with a field pointer to byte and bit of the CDB or list */
bool bench_field_is(const struct bench *b, bool in_cdb, uint16_t byte, int bit);

/* bench_dir() - a new directory for state: its name; bench_dir_remove() - away with it and all
 * that disks have left there */
const char *bench_dir(void);
void bench_dir_remove(void);

/* bench_copy_file() - what is in @from now is in @to, and nothing else; at least a byte */
void bench_copy_file(const char *from, const char *to);

/* bench_sense() - the last command ended with CHECK CONDITION and exactly these 18 bytes of
 * sense: fixed format, @key, @asc, sense key specific bytes @sks (24 bits, 0: none), no
 * INFORMATION */
bool bench_sense(const struct bench *b, uint8_t key, uint16_t asc, uint32_t sks);

/* sense key specific bytes: field pointers into the CDB and into a parameter list, progress */
#define SKS_CDB(byte, bit)	(0xc80000u | (uint32_t)(bit) << 16 | (byte))
#define SKS_LIST(byte, bit)	(0x880000u | (uint32_t)(bit) << 16 | (byte))
#define SKS_LIST_BYTE(byte)	(0x800000u | (byte))
#define SKS_CDB_BYTE(byte)	(0xc00000u | (byte))

#endif /* TESTS_SOFT_MOCK_DISK_H */
