/*
 * which command a reservation of another nexus stops: one row a command (lu/reserve.h)
 *
 * What has no row is stopped by every reservation. Sources: SPC-4 table 33 (5.12.1), SBC-3
 * table 15 (4.16), SPC-2 table 9 for RESERVE; SAT-3 has nothing to say about its pass-through
 * commands here, so they are held to be writes.
 */
#include "lu/reserve.h"
#include "scsi/opcode.h"

#define COL(c)		(1u << (c))
#define WE_FAMILY	(COL(CONFLICT_WE) | COL(CONFLICT_WR_REGISTERED) | COL(CONFLICT_WR_OTHER))
#define REGISTERED	(COL(CONFLICT_WR_REGISTERED) | COL(CONFLICT_ER_REGISTERED))
#define PERSISTENT	(WE_FAMILY | COL(CONFLICT_EA) | COL(CONFLICT_ER_REGISTERED) |          \
	    COL(CONFLICT_ER_OTHER))
#define RESERVED	COL(CONFLICT_RESERVED)

struct conflict_row {
	uint8_t allowed;	/* COL() of each column that lets it pass */
	uint8_t mild_allowed;	/* the same, for a CDB that is_mild() */
	bool is_decided;
	bool (*is_mild)(const uint8_t *cdb);	/* NULL: none is */
};

/* never stopped, not even by RESERVE */
#define ALWAYS		{ .is_decided = true, .allowed = PERSISTENT | RESERVED }
/* never stopped by persistent reservations */
#define ASKS		{ .is_decided = true, .allowed = PERSISTENT }
/* does not change anything that others see: Write Exclusive lets it pass */
#define READS		{ .is_decided = true, .allowed = WE_FAMILY | COL(CONFLICT_ER_REGISTERED) }
/* only for those who have access */
#define WRITES		{ .is_decided = true, .allowed = REGISTERED }
/* RESERVE, RELEASE: SPC-4 5.12.3, the handlers do the rest */
#define RESERVES	{ .is_decided = true, .allowed = REGISTERED }
#define RELEASES	{ .is_decided = true, .allowed = REGISTERED | RESERVED }
/* PERSISTENT RESERVE: keys decide, in the handler; RESERVE stops it there, for its owner too */
#define PERSISTS	{ .is_decided = true, .allowed = PERSISTENT }
#define UNLESS(fn, mild)                                                                       \
	{ .is_decided = true, .allowed = REGISTERED, .is_mild = (fn), .mild_allowed = (mild) }

/* SBC-3 5.23: START 1 and no power condition */
static bool
is_start(const uint8_t *cdb)
{
	return (cdb[4] & 0xf1) == 0x01;
}

/* SPC-4 6.14: PREVENT 00b */
static bool
is_allow(const uint8_t *cdb)
{
	return (cdb[4] & 0x03) == 0;
}

static const struct conflict_row rows[OP_N] = {
	[OP_TEST_UNIT_READY]           = ASKS,
	[OP_REQUEST_SENSE]             = ALWAYS,
	[OP_FORMAT_UNIT]               = WRITES,
	[OP_REASSIGN_BLOCKS]           = WRITES,
	[OP_READ_6]                    = READS,
	[OP_WRITE_6]                   = WRITES,
	[OP_INQUIRY]                   = ALWAYS,
	[OP_MODE_SELECT_6]             = WRITES,
	[OP_RESERVE_6]                 = RESERVES,
	[OP_RELEASE_6]                 = RELEASES,
	[OP_MODE_SENSE_6]              = READS,
	[OP_START_STOP_UNIT]           = UNLESS(is_start, PERSISTENT | RESERVED),
	[OP_RECEIVE_DIAGNOSTIC]        = READS,
	[OP_SEND_DIAGNOSTIC]           = WRITES,
	[OP_PREVENT_ALLOW]             = UNLESS(is_allow, PERSISTENT | RESERVED),
	[OP_READ_CAPACITY_10]          = ALWAYS,
	[OP_READ_10]                   = READS,
	[OP_WRITE_10]                  = WRITES,
	[OP_WRITE_AND_VERIFY_10]       = WRITES,
	[OP_VERIFY_10]                 = READS,
	[OP_PRE_FETCH_10]              = READS,
	[OP_SYNCHRONIZE_CACHE_10]      = WRITES,
	[OP_READ_DEFECT_DATA_10]       = READS,
	[OP_WRITE_BUFFER]              = WRITES,
	[OP_READ_BUFFER_10]            = READS,
	[OP_READ_LONG_10]              = WRITES,
	[OP_WRITE_LONG_10]             = WRITES,
	[OP_WRITE_SAME_10]             = WRITES,
	[OP_UNMAP]                     = WRITES,
	[OP_SANITIZE_OVERWRITE]        = WRITES,
	[OP_SANITIZE_BLOCK_ERASE]      = WRITES,
	[OP_SANITIZE_CRYPTO_ERASE]     = WRITES,
	[OP_SANITIZE_EXIT_FAILURE]     = WRITES,
	[OP_LOG_SELECT]                = WRITES,
	[OP_LOG_SENSE]                 = ALWAYS,
	[OP_MODE_SELECT_10]            = WRITES,
	[OP_RESERVE_10]                = RESERVES,
	[OP_RELEASE_10]                = RELEASES,
	[OP_MODE_SENSE_10]             = READS,
	[OP_PRIN_READ_KEYS]            = PERSISTS,
	[OP_PRIN_READ_RESERVATION]     = PERSISTS,
	[OP_PRIN_REPORT_CAPABILITIES]  = PERSISTS,
	[OP_PRIN_READ_FULL_STATUS]     = PERSISTS,
	[OP_PROUT_REGISTER]            = PERSISTS,
	[OP_PROUT_RESERVE]             = PERSISTS,
	[OP_PROUT_RELEASE]             = PERSISTS,
	[OP_PROUT_CLEAR]               = PERSISTS,
	[OP_PROUT_PREEMPT]             = PERSISTS,
	[OP_PROUT_PREEMPT_AND_ABORT]   = PERSISTS,
	[OP_PROUT_REGISTER_AND_IGNORE] = PERSISTS,
	[OP_PROUT_REGISTER_AND_MOVE]   = PERSISTS,
	[OP_PROUT_REPLACE_LOST]        = PERSISTS,
	[OP_READ_32]                   = READS,
	[OP_VERIFY_32]                 = READS,
	[OP_WRITE_32]                  = WRITES,
	[OP_WRITE_AND_VERIFY_32]       = WRITES,
	[OP_WRITE_SAME_32]             = WRITES,
	[OP_EXTENDED_COPY_LID1]        = WRITES,
	[OP_EXTENDED_COPY_LID4]        = WRITES,
	[OP_POPULATE_TOKEN]            = READS,
	[OP_WRITE_USING_TOKEN]         = WRITES,
	[OP_COPY_OPERATION_ABORT]      = WRITES,
	[OP_RECEIVE_COPY_STATUS_LID1]  = READS,
	[OP_RECEIVE_COPY_DATA_LID1]    = READS,
	[OP_RECEIVE_COPY_PARAMETERS]   = READS,
	[OP_RECEIVE_COPY_FAILURE_LID1] = READS,
	[OP_RECEIVE_COPY_STATUS_LID4]  = READS,
	[OP_RECEIVE_COPY_DATA_LID4]    = READS,
	[OP_RECEIVE_ROD_TOKEN_INFO]    = READS,
	[OP_REPORT_ALL_ROD_TOKENS]     = READS,
	[OP_ATA_PASS_THROUGH_16]       = WRITES,
	[OP_READ_16]                   = READS,
	[OP_COMPARE_AND_WRITE]         = WRITES,
	[OP_WRITE_16]                  = WRITES,
	[OP_ORWRITE_16]                = WRITES,
	[OP_WRITE_AND_VERIFY_16]       = WRITES,
	[OP_VERIFY_16]                 = READS,
	[OP_PRE_FETCH_16]              = READS,
	[OP_SYNCHRONIZE_CACHE_16]      = WRITES,
	[OP_WRITE_SAME_16]             = WRITES,
	[OP_WRITE_ATOMIC_16]           = WRITES,
	[OP_READ_CAPACITY_16]          = ALWAYS,
	[OP_READ_LONG_16]              = WRITES,
	[OP_GET_LBA_STATUS]            = READS,
	[OP_WRITE_LONG_16]             = WRITES,
	[OP_REPORT_LUNS]               = ALWAYS,
	[OP_ATA_PASS_THROUGH_12]       = WRITES,
	[OP_SECURITY_PROTOCOL_IN]      = READS,
	[OP_REPORT_IDENTIFYING_INFO]   = ALWAYS,
	[OP_REPORT_TARGET_PORT_GROUPS] = ALWAYS,
	[OP_REPORT_ALIASES]            = ALWAYS,
	[OP_REPORT_SUPPORTED_OPCODES]  = READS,
	[OP_REPORT_SUPPORTED_TMFS]     = READS,
	[OP_REPORT_PRIORITY]           = ALWAYS,
	[OP_REPORT_TIMESTAMP]          = ALWAYS,
	[OP_SET_IDENTIFYING_INFO]      = WRITES,
	[OP_SET_TARGET_PORT_GROUPS]    = WRITES,
	[OP_CHANGE_ALIASES]            = WRITES,
	[OP_SET_PRIORITY]              = WRITES,
	[OP_SET_TIMESTAMP]             = WRITES,
	[OP_READ_12]                   = READS,
	[OP_WRITE_12]                  = WRITES,
	[OP_READ_MEDIA_SERIAL_NUMBER]  = ALWAYS,
	[OP_WRITE_AND_VERIFY_12]       = WRITES,
	[OP_VERIFY_12]                 = READS,
	[OP_SECURITY_PROTOCOL_OUT]     = WRITES,
	[OP_READ_DEFECT_DATA_12]       = READS,
};

_Static_assert(CONFLICT_N <= 8, "a row has a bit for each column");

bool
conflict_allows(const struct op_info *op, const uint8_t *cdb, enum conflict_column column)
{
	const struct conflict_row *row;
	uint8_t allowed;

	if (op == NULL)
		return false;
	row = &rows[op->id];
	allowed = row->is_mild != NULL && row->is_mild(cdb) ? row->mild_allowed : row->allowed;
	return (allowed & COL(column)) != 0;
}

bool
conflict_is_decided(enum op_id id)
{
	return rows[id].is_decided;
}
