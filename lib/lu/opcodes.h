/*
 * lu/opcodes.h - which commands and task management functions a unit answers
 *
 * What      REPORT SUPPORTED OPERATION CODES tells the commands of the device, merged with
 *           those this layer answers itself; REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS tells
 *           what this layer does. Both come from the table of scsi/opcode.h that also checks
 *           CDBs.
 * Thread    Any; no state.
 * Source    SPC-4 6.34, 6.35
 */
#ifndef LU_OPCODES_H
#define LU_OPCODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scsi/opcode.h"

/* who answers a command */
enum opcodes_who {
	OPCODES_DEVICE,		/* the device, if it can */
	OPCODES_HERE,		/* this layer */
	OPCODES_NOBODY,		/* refused, whatever the device could */
};

/* tells who answers @op; called for rows of the table in any order */
typedef enum opcodes_who opcodes_who_fn(const void *arg, const struct op_info *op);

struct opcodes {
	opcodes_who_fn *who;
	const void *arg;
};

/* what a REPORT SUPPORTED OPERATION CODES asks for */
struct opcodes_query {
	uint8_t option;		/* REPORTING OPTIONS, 0..3 */
	uint8_t opcode;
	uint16_t sa;
	bool want_timeouts;	/* RCTD */
};

enum opcodes_answer {
	OPCODES_ALL,		/* the whole list: ask the device, then opcodes_list() */
	OPCODES_ONE,		/* opcodes_one() */
	OPCODES_ASK,		/* as the device answers to the same CDB */
	OPCODES_BAD,		/* INVALID FIELD IN CDB, byte 2 bit 2 */
};

/**
 * opcodes_judge() - how a REPORT SUPPORTED OPERATION CODES is answered
 *
 * @cdb      12 bytes
 * @ret      what it asks for
 * @ret_op   OPCODES_ONE: the row; NULL says that nobody answers it
 */
enum opcodes_answer opcodes_judge(const struct opcodes *o, const uint8_t *cdb,
    struct opcodes_query *ret, const struct op_info **ret_op);

/**
 * opcodes_list() - the list of all commands
 *
 * @device   @len bytes of the device's list, in any order, with or without timeouts
 * @buf      @size bytes, written as far as they reach; the header counts the whole list
 *
 * Opcodes rise, then service actions; nothing is there twice. Rows of this layer replace those
 * of the device. Timeouts descriptors are there when wanted, with zeros ("not told") where the
 * device gave none.
 *
 * Returns:  bytes of the whole list
 */
size_t opcodes_list(const struct opcodes *o, const void *device, size_t len,
    bool want_timeouts, void *buf, size_t size);

#define OPCODES_ONE_MAX		(4 + OP_CDB_MAX + 12)

/* opcodes_one() - the answer for one command; NULL: not supported. Bytes at @buf */
size_t opcodes_one(const struct op_info *op, bool want_timeouts, uint8_t buf[OPCODES_ONE_MAX]);

#define OPCODES_TMFS_MAX	16

/* opcodes_tmfs() - REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS; bytes at @buf */
size_t opcodes_tmfs(bool is_extended, uint8_t buf[OPCODES_TMFS_MAX]);

/* handlers (lu_local_ops) of the two commands */
struct lu;
struct lu_task;
void lu_opcodes_do_report(struct lu *lu, struct lu_task *task);
void lu_opcodes_do_tmfs(struct lu *lu, struct lu_task *task);

#endif /* LU_OPCODES_H */
