/*
 * mock_reserve.h - initiators that reserve a unit of mock_port.h
 *
 * What      A client is a nexus with a name and a port, and one command at a time. rc_cmd() and
 *           its short forms submit it, wait for its end, and answer its status; unit
 *           attentions come as they would to an initiator.
 * Life      rc_open() -> rc_*() -> rc_leave()
 */
#ifndef TESTS_LU_MOCK_RESERVE_H
#define TESTS_LU_MOCK_RESERVE_H

#include "lu/port.h"
#include "lu/pr.h"
#include "mock_port.h"
#include "scsi/opcode.h"
#include "scsi/status.h"

#define RC_GOOD		SAM_STAT_GOOD
#define RC_CHECK	SAM_STAT_CHECK_CONDITION
#define RC_CONFLICT	SAM_STAT_RESERVATION_CONFLICT

struct rclient {
	struct lu_nexus nexus;
	struct lu_initiator id;
	struct lu_port port;
	int n_gone;
	struct ptask t;
	struct sense_data sense;	/* of the last CHECK CONDITION */
};

/* initiator "iqn.2026-11.test:<who>" through port @rtpi */
void rc_open(struct rclient *c, struct lu *unit, char who, uint16_t rtpi);
void rc_leave(struct rclient *c);

/* a command without data, or with @len bytes out of or into @data; its status */
uint8_t rc_cmd(struct rclient *c, const uint8_t *cdb, uint16_t cdb_len, enum lu_dir dir,
    void *data, uint32_t len);
/* the same without waiting, and the waiting */
void rc_send(struct rclient *c, const uint8_t *cdb, uint16_t cdb_len, enum lu_dir dir,
    const void *data, uint32_t len);
uint8_t rc_wait(struct rclient *c);

/* an example of each command, as harmless as its row allows, without data; bytes */
uint16_t rc_example(const struct op_info *op, uint8_t *cdb);

uint8_t rc_op(struct rclient *c, enum op_id id);

/* PERSISTENT RESERVE OUT with 24 bytes; rc_out_send() does not wait */
uint8_t rc_out(struct rclient *c, enum pr_action action, uint8_t type, uint64_t key,
    uint64_t sa_key, uint8_t flags);
void rc_out_send(struct rclient *c, enum pr_action action, uint8_t type, uint64_t key,
    uint64_t sa_key, uint8_t flags);

/* PERSISTENT RESERVE IN: the data lies in c->t.data; bytes moved, or -1 after any status but
 * GOOD */
int rc_in(struct rclient *c, uint8_t action, uint16_t alloc_len);

/* the next command ends with unit attention @asc; 0: with none */
void rc_told(struct rclient *c, uint16_t asc);

/* run @fn with a folder of its own in port.state_dir, which is emptied afterwards, under
 * several schedules */
void rc_sim_with_dir(void (*fn)(void *));

#endif /* TESTS_LU_MOCK_RESERVE_H */
