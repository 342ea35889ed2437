/*
 * mock_disks.h - the three units of mock_port.h as disks in memory
 *
 * What      READ(10), WRITE(10) and page 83h of disks of DISK_BLOCKS blocks, answered at once.
 *           disks.* says what else happens.
 * Life      in sim_run(): disks_begin() -> ... -> disks_end()
 */
#ifndef TESTS_LU_MOCK_DISKS_H
#define TESTS_LU_MOCK_DISKS_H

#include "mock_port.h"

#define DISK_BLOCKS	1000
#define DISK_BLOCK	512u
#define DISKS		3

struct disks {
	uint8_t bytes[DISKS][DISK_BLOCKS * DISK_BLOCK];
	uint8_t names[DISKS];		/* last byte of the NAA each unit says it has */
	struct lu *units[DISKS];	/* references */
	int n_reads, n_writes;
	int refuse_writes;		/* DATA PROTECT from that write on; 0: never */
	int n_attentions;		/* reads that end with one first */
	bool is_stalled;		/* reads and writes wait for port_complete() */
};

extern struct disks disks;

void disks_begin(void);
void disks_end(void);

/* every byte tells its unit and its place */
void disks_fill(void);

/* @blocks at @dst_lba of unit @to are what unit @from was filled with at @src_lba */
void disks_check(unsigned int from, uint64_t src_lba, unsigned int to, uint64_t dst_lba,
    size_t blocks);

#endif /* TESTS_LU_MOCK_DISKS_H */
