/*
 * scsi/opcode_table.h - the rows behind scsi/opcode.h (this room only)
 *
 * What      op_rows is in the order of enum op_id, which is rising by opcode and service
 *           action; tests/scsi checks that.
 */
#ifndef SCSI_OPCODE_TABLE_H
#define SCSI_OPCODE_TABLE_H

#include "scsi/opcode.h"

extern const struct op_info op_rows[OP_N];

#endif /* SCSI_OPCODE_TABLE_H */
