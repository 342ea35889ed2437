/*
 * mock_matrix.h - commands for test_matrix_of_commands.c, and disks to send them to
 *
 * What      A table of valid commands that says what is true of each (mock_matrix_rows.c),
 *           three disks of the software HBA with three nexuses each, and one task at a time
 *           (mock_matrix_world.c).
 * Life      matrix_begin() once; the program ends with its process
 */
#ifndef TESTS_LU_MOCK_MATRIX_H
#define TESTS_LU_MOCK_MATRIX_H

#include <stddef.h>
#include <stdint.h>

#include "lu/lu.h"

#define MATRIX_BLOCKS	16384u		/* of each disk, of 512 bytes */
#define MATRIX_DATA_MAX	65536u

/* who else may send it while another nexus has the unit */
enum fence {
	FREE,		/* anybody */
	FREE_PR,	/* anybody under persistent reservations, nobody under RESERVE */
	READS,		/* not under Exclusive Access */
	WRITES,		/* only those who have access */
	RELEASES,	/* the same, and GOOD without effect under RESERVE */
	BY_KEY,		/* PERSISTENT RESERVE OUT: keys decide, seen to elsewhere */
};

/* with less, or more, data than the CDB says */
enum shortage {
	AS_IT_IS,
	CUT_IS_GOOD,	/* as much as there is room for */
	LIST_1A,	/* the CDB's length cuts the list: PARAMETER LIST LENGTH ERROR */
	WHOLE_ONLY,	/* the data fit, or the number of blocks is wrong. Which error that is
			 * the standards leave open: INVALID FIELD IN CDB, the length */
	WHOLE_COMPARE,	/* the same, and ABORTED COMMAND 0Eh/03h: too little was sent */
};

/* what a row's command is like */
#define ROW_MEDIUM	0x01	/* needs a medium */
#define ROW_CHANGES	0x02	/* changes it: refused when write protected */
#define ROW_DESPITE_UA	0x04	/* executed while a unit attention is pending */
#define ROW_ZERO	0x08	/* length 0 is no error and moves nothing */
#define ROW_MET		0x10	/* ends with CONDITION MET */

struct row {
	const char *name;
	uint8_t len;
	uint8_t cdb[16];	/* a valid one */
	uint8_t open[16];	/* bits that are defined, obsolete or a vendor's; others reserved */
	char dir;		/* 'n' none, 'i' in, 'o' out */
	uint32_t bytes;		/* data it moves */
	uint8_t list[40];	/* 'o': it begins so, zeros follow */
	unsigned int flags;
	enum fence fence;
	enum shortage shortage;
	uint8_t lba_at, lba_len, len_at, len_len;
};

extern const struct row matrix_rows[];
extern const size_t matrix_n_rows;

/* matrix_is_elsewhere() - a service action (below 0: any) that other parts of the tree may
 * answer, and that is tested there */
bool matrix_is_elsewhere(uint8_t opcode, int sa);

/* disks, and who sends: NOBODY may do nothing */
enum { GOOD_DISK, EMPTY_DISK, PROTECTED_DISK, DISKS };
enum { A, B, NOBODY, NEXUSES };

extern struct lu_nexus matrix_nexuses[DISKS][NEXUSES];
extern struct lu_task matrix_task;		/* the last one */
extern uint8_t matrix_data[MATRIX_DATA_MAX];	/* its buffer */

/* matrix_begin() - the disks, with their state in @dir */
void matrix_begin(const char *dir);

/* matrix_send() - a command with @bytes of matrix_data; it has ended. @dir as in a row */
void matrix_send(struct lu_nexus *nexus, const uint8_t *cdb, size_t len, char dir,
    uint32_t bytes);

/* matrix_forget() - unit attentions of everybody: they are of earlier cases. matrix_raise() -
 * one for A of the good disk */
void matrix_forget(void);
void matrix_raise(void);

/* matrix_die() - the end, because there is no world to test in */
void matrix_die(const char *what) __attribute__((noreturn));

#endif /* TESTS_LU_MOCK_MATRIX_H */
