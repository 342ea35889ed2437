/*
 * scsi/opcode.h - every command of disks and SPC hosts, one table row each
 *
 * What      A row a command, that is an operation code and, where it has one, a service action:
 *           name, length, direction, where the CDB keeps its transfer length and its LBA, which
 *           kind of permission it needs, and which bits a sender may set. Everything that asks
 *           "what is this CDB?" asks here: the decoder of scsi/cdb.h, the access check, the
 *           reserved-bit check, REPORT SUPPORTED OPERATION CODES, the command line tool.
 * Life      Constant data.
 * Thread    Any; no state.
 * Limits    Vendor commands, and those only tapes, CDs and changers have, are without a row.
 * Source    SPC-4, SBC-3 (WRITE ATOMIC, its fields: SBC-4), SAT-3 (ATA PASS-THROUGH)
 */
#ifndef SCSI_OPCODE_H
#define SCSI_OPCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OP_CDB_MAX	32	/* longest CDB that has a row */

/* which way data moves, seen from the initiator */
enum op_dir {
	OP_DIR_NONE,
	OP_DIR_IN,		/* device to initiator */
	OP_DIR_OUT,		/* initiator to device */
	OP_DIR_BOTH,		/* the CDB decides, or nobody knows */
};

/* what the length field of a CDB (op_info.len_at, .len_width) means for the data phase */
enum op_xfer {
	OP_XFER_NONE,		/* no data; a length field, if any, counts the LBA range */
	OP_XFER_FIXED,		/* op_info.fixed bytes, no field */
	OP_XFER_BYTES,		/* the field counts bytes; 0 is none */
	OP_XFER_BLOCKS,		/* the field counts blocks; 0 is none */
	OP_XFER_BLOCKS6,	/* the field counts blocks; 0 is 256 */
	OP_XFER_COMPARE,	/* COMPARE AND WRITE: twice the blocks of the field */
	OP_XFER_WRITE_SAME,	/* one block; none with NDOB. The field counts the LBA range */
	OP_XFER_VERIFY,		/* BYTCHK 0: none, 1: the blocks of the field, 3: one block */
	OP_XFER_WRITE_LONG,	/* bytes of the field; none with WR_UNCOR */
	OP_XFER_SECURITY,	/* bytes of the field; units of 512 with INC_512 */
	OP_XFER_ATA,		/* T_LENGTH, BYT_BLOK, T_TYPE and T_DIR decide */
	OP_XFER_LIST,		/* a parameter list whose length the CDB does not tell */
	OP_XFER_N,
};

/* the permission a command needs */
enum op_policy {
	OP_INFO,		/* tells about the unit, changes nothing */
	OP_READ,		/* reads user data */
	OP_WRITE,		/* changes user data */
	OP_RESERVE,		/* reservations, persistent reservations */
	OP_MANAGE,		/* changes the unit: modes, media, power, format, diagnostics */
	OP_FIRMWARE,		/* buffers that may hold firmware */
	OP_SECURITY,		/* security protocols, and commands nobody can look into */
	OP_POLICY_N,
};

/* where the service action stands */
enum op_sa {
	OP_SA_NONE,		/* the operation code says it all */
	OP_SA_BYTE1,		/* byte 1, bits 4..0 */
	OP_SA_BYTES8,		/* bytes 8 and 9 of a variable length CDB (7Fh) */
};

/* op_info.flags */
#define OP_F_MEDIUM	0x01	/* needs a medium that is ready */
#define OP_F_UA_EXEMPT	0x02	/* executed while a unit attention is pending (SAM-5 5.14) */
#define OP_F_VARLEN	0x04	/* variable length CDB: control byte is byte 1 */
#define OP_F_DPO	0x08	/* byte 1 (7Fh: byte 10) bit 4 is DPO */
#define OP_F_FUA	0x18	/* the same, and bit 3 is FUA */
#define OP_F_PROTECT	0x20	/* byte 1 (7Fh: byte 10) bits 7..5 are xxPROTECT */
#define OP_F_OBSOLETE	0x40	/* gone from SPC-4 or SBC-3, still sent */

/* a command's number inside this program: index of its row, for tables of handlers */
enum op_id {
	OP_TEST_UNIT_READY,
	OP_REQUEST_SENSE,
	OP_FORMAT_UNIT,
	OP_REASSIGN_BLOCKS,
	OP_READ_6,
	OP_WRITE_6,
	OP_INQUIRY,
	OP_MODE_SELECT_6,
	OP_RESERVE_6,
	OP_RELEASE_6,
	OP_MODE_SENSE_6,
	OP_START_STOP_UNIT,
	OP_RECEIVE_DIAGNOSTIC,
	OP_SEND_DIAGNOSTIC,
	OP_PREVENT_ALLOW,
	OP_READ_CAPACITY_10,
	OP_READ_10,
	OP_WRITE_10,
	OP_WRITE_AND_VERIFY_10,
	OP_VERIFY_10,
	OP_PRE_FETCH_10,
	OP_SYNCHRONIZE_CACHE_10,
	OP_READ_DEFECT_DATA_10,
	OP_WRITE_BUFFER,
	OP_READ_BUFFER_10,
	OP_READ_LONG_10,
	OP_WRITE_LONG_10,
	OP_WRITE_SAME_10,
	OP_UNMAP,
	OP_SANITIZE_OVERWRITE,
	OP_SANITIZE_BLOCK_ERASE,
	OP_SANITIZE_CRYPTO_ERASE,
	OP_SANITIZE_EXIT_FAILURE,
	OP_LOG_SELECT,
	OP_LOG_SENSE,
	OP_MODE_SELECT_10,
	OP_RESERVE_10,
	OP_RELEASE_10,
	OP_MODE_SENSE_10,
	OP_PRIN_READ_KEYS,
	OP_PRIN_READ_RESERVATION,
	OP_PRIN_REPORT_CAPABILITIES,
	OP_PRIN_READ_FULL_STATUS,
	OP_PROUT_REGISTER,
	OP_PROUT_RESERVE,
	OP_PROUT_RELEASE,
	OP_PROUT_CLEAR,
	OP_PROUT_PREEMPT,
	OP_PROUT_PREEMPT_AND_ABORT,
	OP_PROUT_REGISTER_AND_IGNORE,
	OP_PROUT_REGISTER_AND_MOVE,
	OP_PROUT_REPLACE_LOST,
	OP_READ_32,
	OP_VERIFY_32,
	OP_WRITE_32,
	OP_WRITE_AND_VERIFY_32,
	OP_WRITE_SAME_32,
	OP_EXTENDED_COPY_LID1,
	OP_EXTENDED_COPY_LID4,
	OP_POPULATE_TOKEN,
	OP_WRITE_USING_TOKEN,
	OP_COPY_OPERATION_ABORT,
	OP_RECEIVE_COPY_STATUS_LID1,
	OP_RECEIVE_COPY_DATA_LID1,
	OP_RECEIVE_COPY_PARAMETERS,
	OP_RECEIVE_COPY_FAILURE_LID1,
	OP_RECEIVE_COPY_STATUS_LID4,
	OP_RECEIVE_COPY_DATA_LID4,
	OP_RECEIVE_ROD_TOKEN_INFO,
	OP_REPORT_ALL_ROD_TOKENS,
	OP_ATA_PASS_THROUGH_16,
	OP_READ_16,
	OP_COMPARE_AND_WRITE,
	OP_WRITE_16,
	OP_ORWRITE_16,
	OP_WRITE_AND_VERIFY_16,
	OP_VERIFY_16,
	OP_PRE_FETCH_16,
	OP_SYNCHRONIZE_CACHE_16,
	OP_WRITE_SAME_16,
	OP_WRITE_ATOMIC_16,
	OP_READ_CAPACITY_16,
	OP_READ_LONG_16,
	OP_GET_LBA_STATUS,
	OP_WRITE_LONG_16,
	OP_REPORT_LUNS,
	OP_ATA_PASS_THROUGH_12,
	OP_SECURITY_PROTOCOL_IN,
	OP_REPORT_IDENTIFYING_INFO,
	OP_REPORT_TARGET_PORT_GROUPS,
	OP_REPORT_ALIASES,
	OP_REPORT_SUPPORTED_OPCODES,
	OP_REPORT_SUPPORTED_TMFS,
	OP_REPORT_PRIORITY,
	OP_REPORT_TIMESTAMP,
	OP_SET_IDENTIFYING_INFO,
	OP_SET_TARGET_PORT_GROUPS,
	OP_CHANGE_ALIASES,
	OP_SET_PRIORITY,
	OP_SET_TIMESTAMP,
	OP_READ_12,
	OP_WRITE_12,
	OP_READ_MEDIA_SERIAL_NUMBER,
	OP_WRITE_AND_VERIFY_12,
	OP_VERIFY_12,
	OP_SECURITY_PROTOCOL_OUT,
	OP_READ_DEFECT_DATA_12,
	OP_N,
};

/* in the order of use: the first cache line of a row holds what every command asks for */
struct op_info {
	uint8_t opcode;
	uint8_t cdb_len;	/* bytes, control byte included */
	uint8_t flags;		/* OP_F_* */
	uint8_t len_at;		/* first byte of the length field */
	uint8_t len_width;	/* its bytes; 0: the command has none */
	uint8_t lba_at;		/* first byte of the LBA (6-byte: upper 3 bits are not LBA) */
	uint8_t lba_width;	/* its bytes; 0: the command has none */
	enum op_id id : 8;
	enum op_dir dir : 8;	/* OP_DIR_BOTH: ask cdb_decode() */
	enum op_xfer xfer : 8;
	enum op_policy policy : 8;
	enum op_sa sa_place : 8;
	uint16_t sa;		/* service action; 0 without */
	uint16_t fixed;		/* OP_XFER_FIXED: bytes */
	uint8_t usage[OP_CDB_MAX]; /* bits a sender may set, cdb_len bytes; opcode: FFh */
	const char *name;	/* as the standards write it: "READ(10)" */
} __attribute__((aligned(64)));
_Static_assert(OP_N <= 256, "a row has 8 bits for its id");

/* op_first[] - the first row of an operation code, the only one if it takes no service action;
 * NULL: there is none */
extern const struct op_info *const op_first[256];

/* op_get() - the row of @id, which is below OP_N */
const struct op_info *op_get(enum op_id id);

/**
 * op_find() - the row of a CDB
 *
 * @cdb      @len bytes
 *
 * Returns:  the row, or NULL: @len is 0, ends before the service action, or no row is known
 */
const struct op_info *op_find(const uint8_t *cdb, size_t len);

/* op_find_sa() - the row of @opcode and @sa (0 if @opcode has none); NULL if there is none */
const struct op_info *op_find_sa(uint8_t opcode, uint16_t sa);

/* op_has_sa() - true when @opcode takes a service action: a row of it exists with one */
bool op_has_sa(uint8_t opcode);

/* op_next() - walk all rows in rising order of opcode, then of service action: the row behind
 * @op, the first for NULL; NULL at the end */
const struct op_info *op_next(const struct op_info *op);

/**
 * op_usage() - CDB usage data as REPORT SUPPORTED OPERATION CODES gives it for one command
 *
 * @usage    cdb_len bytes: the mask, with the opcode and the service action in their places
 *
 * Returns:  op->cdb_len
 * Source:   SPC-4 6.34.3
 */
size_t op_usage(const struct op_info *op, uint8_t usage[OP_CDB_MAX]);

/* op_dir_name(), op_policy_name() - "none", "in", "out", "both"; "info", "read", "write" ... */
const char *op_dir_name(enum op_dir dir);
const char *op_policy_name(enum op_policy policy);

#endif /* SCSI_OPCODE_H */
