/*
 * mock_script.h - a device behind mock_port.h that has a Control page, media and attentions
 *
 * What      script.* says what the disk at target 0, LUN 0 answers; other units are left to
 *           mock_port.c. Reads and writes of any unit stay pending with PORT_LATER, and are
 *           known by the LBA that script_read() gives them.
 * Life      script_begin() -> ... -> script_end(), inside port_sim()
 */
#ifndef TESTS_LU_MOCK_SCRIPT_H
#define TESTS_LU_MOCK_SCRIPT_H

#include "mock_reserve.h"

struct script {
	/* behaviour */
	uint16_t ua;			/* the next command that may is answered with it */
	uint8_t tst, qerr;
	uint8_t interlock;		/* UA_INTLCK_CTRL */
	bool has_tas, is_descriptor, is_protected;
	bool is_rounded;		/* MODE SELECT takes other values than those it gets */
	bool is_absent;			/* no medium */
	uint16_t not_ready;		/* READ CAPACITY is refused with it; 0: it is not */
	uint32_t last_lba;
	uint32_t block_bytes;		/* 0: 512 */
	int n_ended;			/* so many READ CAPACITY and MODE SENSE end by a reset */
	bool is_prevented_slow;		/* PREVENT ALLOW stays pending, too */

	/* seen */
	uint8_t prevent[8];		/* PREVENT fields that came */
	int n_prevent;
	int n_modes, n_capacity;	/* MODE SENSE, READ CAPACITY */
};

extern struct script script;
extern struct lu *script_unit;

/* @how: as port.how, for commands with data */
void script_begin(enum port_how how);
void script_end(void);

/* a READ(10) of block @lba, submitted */
void script_read(struct ptask *t, struct rclient *c, uint8_t lba, enum lu_attr attr);

/* LBAs of what is with the HBA, in order, as text: "1 2 3 " */
const char *script_pending(void);

/* the HBA completes the READ of @lba, and everything that follows of it happens */
void script_complete(uint8_t lba);

/* a task management function, and its end */
struct stm {
	struct lu_tmf lu;
	struct rclient *c;
	enum lu_tm function;
	uint64_t tag;
	int n_done, order;
};

void script_tm_send(struct stm *tm, struct rclient *c, enum lu_tm function, uint64_t tag);
void script_tm_wait(struct stm *tm);
/* both; the result */
enum lu_tmf_result script_tm(struct stm *tm, struct rclient *c, enum lu_tm function,
    uint64_t tag);

#endif /* TESTS_LU_MOCK_SCRIPT_H */
