/*
 * iscsi/pdu.h - the basic header segment: where things lie, what a target may be sent
 *
 * What      Offsets and codes of RFC 7143 section 11, readers and writers of single fields,
 *           builders of the headers that a target sends, the check of a header that came in,
 *           and the additional header segments.
 * Form      A header is 48 bytes, uint8_t *: fields are read in place, at any alignment.
 * Owner     Buffers are borrowed for the call.
 * Thread    Any; no state.
 * Source    RFC 7143 section 11; RFC 7144 sections 4 and 5 for task management.
 */
#ifndef ISCSI_PDU_H
#define ISCSI_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"

#define ISCSI_BHS_LEN		48
#define ISCSI_AHS_LEN_MAX	(255 * 4)
#define ISCSI_CDB_LEN		16	/* what the header itself holds */
#define ISCSI_EXT_CDB_LEN_MAX	260	/* with an extended CDB (SPC-4 section 4.3.3) */
#define ISCSI_TAG_NONE		0xffffffffu	/* the reserved task or transfer tag */
#define ISCSI_PORT_DEFAULT	3260

/* ------ codes (sections 11.1 to 11.19) ------ */

enum iscsi_opcode {
	/* from the initiator */
	ISCSI_OP_NOP_OUT	= 0x00,
	ISCSI_OP_SCSI_CMD	= 0x01,
	ISCSI_OP_TMF		= 0x02,
	ISCSI_OP_LOGIN		= 0x03,
	ISCSI_OP_TEXT		= 0x04,
	ISCSI_OP_DATA_OUT	= 0x05,
	ISCSI_OP_LOGOUT		= 0x06,
	ISCSI_OP_SNACK		= 0x10,
	/* from the target */
	ISCSI_OP_NOP_IN		= 0x20,
	ISCSI_OP_SCSI_RSP	= 0x21,
	ISCSI_OP_TMF_RSP	= 0x22,
	ISCSI_OP_LOGIN_RSP	= 0x23,
	ISCSI_OP_TEXT_RSP	= 0x24,
	ISCSI_OP_DATA_IN	= 0x25,
	ISCSI_OP_LOGOUT_RSP	= 0x26,
	ISCSI_OP_R2T		= 0x31,
	ISCSI_OP_ASYNC		= 0x32,
	ISCSI_OP_REJECT		= 0x3f,
};

#define ISCSI_OP_MASK		0x3f
#define ISCSI_IMMEDIATE		0x40	/* byte 0: delivered without waiting for its CmdSN */
#define ISCSI_FINAL		0x80	/* byte 1 of every PDU but Login */

/* SCSI Command, byte 1 */
#define ISCSI_CMD_READ		0x40
#define ISCSI_CMD_WRITE		0x20
#define ISCSI_CMD_ATTR_MASK	0x07
enum iscsi_attr {
	ISCSI_ATTR_UNTAGGED,
	ISCSI_ATTR_SIMPLE,
	ISCSI_ATTR_ORDERED,
	ISCSI_ATTR_HEAD,
	ISCSI_ATTR_ACA,
	ISCSI_ATTR_N
};

/* SCSI Response and last Data-In, byte 1 */
#define ISCSI_RSP_BIDI_OVER	0x10
#define ISCSI_RSP_BIDI_UNDER	0x08
#define ISCSI_RSP_OVER		0x04
#define ISCSI_RSP_UNDER		0x02
#define ISCSI_DATA_IN_ACK	0x40
#define ISCSI_DATA_IN_STATUS	0x01

/* SCSI Response, byte 2 */
#define ISCSI_RSP_COMPLETED	0x00
#define ISCSI_RSP_TARGET_FAILURE 0x01

/* Login, byte 1 */
#define ISCSI_LOGIN_TRANSIT	0x80
#define ISCSI_LOGIN_CONTINUE	0x40
#define ISCSI_LOGIN_CSG(flags)	((flags) >> 2 & 3)
#define ISCSI_LOGIN_NSG(flags)	((flags) & 3)
enum iscsi_stage {
	ISCSI_STAGE_SECURITY	= 0,
	ISCSI_STAGE_OPERATIONAL	= 1,
	ISCSI_STAGE_RESERVED	= 2,
	ISCSI_STAGE_FULL	= 3,
};

#define ISCSI_TEXT_CONTINUE	0x40	/* Text, byte 1 */

enum iscsi_tmf_function {
	ISCSI_TMF_ABORT_TASK	= 1,
	ISCSI_TMF_ABORT_TASK_SET = 2,
	ISCSI_TMF_CLEAR_ACA	= 3,
	ISCSI_TMF_CLEAR_TASK_SET = 4,
	ISCSI_TMF_LU_RESET	= 5,
	ISCSI_TMF_WARM_RESET	= 6,
	ISCSI_TMF_COLD_RESET	= 7,
	ISCSI_TMF_TASK_REASSIGN	= 8,
	ISCSI_TMF_QUERY_TASK	= 9,	/* this and the next three: RFC 7144 */
	ISCSI_TMF_QUERY_TASK_SET = 10,
	ISCSI_TMF_NEXUS_RESET	= 11,
	ISCSI_TMF_QUERY_ASYNC	= 12,
};

enum iscsi_tmf_response {
	ISCSI_TMF_COMPLETE	= 0,
	ISCSI_TMF_NO_TASK	= 1,
	ISCSI_TMF_NO_LUN	= 2,
	ISCSI_TMF_STILL_ALLEGIANT = 3,
	ISCSI_TMF_NO_REASSIGN	= 4,
	ISCSI_TMF_NOT_SUPPORTED	= 5,
	ISCSI_TMF_NOT_AUTHORIZED = 6,
	ISCSI_TMF_SUCCEEDED	= 7,	/* RFC 7144 */
	ISCSI_TMF_REJECTED	= 255,
};

enum iscsi_logout_reason {
	ISCSI_LOGOUT_SESSION	= 0,
	ISCSI_LOGOUT_CONNECTION	= 1,
	ISCSI_LOGOUT_RECOVERY	= 2,
};

enum iscsi_logout_response {
	ISCSI_LOGOUT_DONE	= 0,
	ISCSI_LOGOUT_NO_CID	= 1,
	ISCSI_LOGOUT_NO_RECOVERY = 2,
	ISCSI_LOGOUT_FAILED	= 3,
};

enum iscsi_snack {
	ISCSI_SNACK_DATA	= 0,	/* also R2T: a write's data is asked for by R2Ts */
	ISCSI_SNACK_STATUS	= 1,
	ISCSI_SNACK_DATA_ACK	= 2,
	ISCSI_SNACK_R_DATA	= 3,
};

/* Reject, byte 2 (11.17.1); 0 is no reason and stands for "nothing wrong" in our checks */
enum iscsi_reject {
	ISCSI_REJECT_NONE	= 0x00,
	ISCSI_REJECT_DATA_DIGEST = 0x02,
	ISCSI_REJECT_SNACK	= 0x03,
	ISCSI_REJECT_PROTOCOL	= 0x04,
	ISCSI_REJECT_UNSUPPORTED = 0x05,
	ISCSI_REJECT_TOO_MANY_IMMEDIATE = 0x06,
	ISCSI_REJECT_TASK_IN_PROGRESS = 0x07,
	ISCSI_REJECT_DATA_ACK	= 0x08,
	ISCSI_REJECT_FIELD	= 0x09,
	ISCSI_REJECT_LONG_OP	= 0x0a,
	ISCSI_REJECT_WAIT_LOGOUT = 0x0c,
};

/* Asynchronous Message, byte 36 (11.9.1) */
enum iscsi_async {
	ISCSI_ASYNC_SENSE	= 0,
	ISCSI_ASYNC_LOGOUT	= 1,	/* initiator shall log out within Parameter3 seconds */
	ISCSI_ASYNC_DROP_CONN	= 2,
	ISCSI_ASYNC_DROP_SESSION = 3,
	ISCSI_ASYNC_NEGOTIATE	= 4,
	ISCSI_ASYNC_TASKS_ENDED	= 5,
	ISCSI_ASYNC_VENDOR	= 255,
};

/* Login Response: Status-Class << 8 | Status-Detail (11.13.5) */
enum iscsi_login_status {
	ISCSI_LOGIN_OK			= 0x0000,
	ISCSI_LOGIN_MOVED_TEMP		= 0x0101,
	ISCSI_LOGIN_MOVED_PERM		= 0x0102,
	ISCSI_LOGIN_INITIATOR_ERROR	= 0x0200,
	ISCSI_LOGIN_AUTH_FAILED		= 0x0201,
	ISCSI_LOGIN_FORBIDDEN		= 0x0202,
	ISCSI_LOGIN_NOT_FOUND		= 0x0203,
	ISCSI_LOGIN_REMOVED		= 0x0204,
	ISCSI_LOGIN_BAD_VERSION		= 0x0205,
	ISCSI_LOGIN_TOO_MANY_CONNS	= 0x0206,
	ISCSI_LOGIN_MISSING_PARAM	= 0x0207,
	ISCSI_LOGIN_CANNOT_INCLUDE	= 0x0208,
	ISCSI_LOGIN_SESSION_TYPE	= 0x0209,
	ISCSI_LOGIN_NO_SESSION		= 0x020a,
	ISCSI_LOGIN_INVALID_REQUEST	= 0x020b,
	ISCSI_LOGIN_TARGET_ERROR	= 0x0300,
	ISCSI_LOGIN_UNAVAILABLE		= 0x0301,
	ISCSI_LOGIN_NO_RESOURCES	= 0x0302,
};

/* ------ offsets of fields behind byte 3 ------ */

enum {
	ISCSI_O_AHS_WORDS	= 4,
	ISCSI_O_DATA_LEN	= 5,
	ISCSI_O_LUN		= 8,
	ISCSI_O_ISID		= 8,	/* Login: 6 bytes */
	ISCSI_O_TSIH		= 14,	/* Login */
	ISCSI_O_ITT		= 16,
	ISCSI_O_TTT		= 20,	/* Text, NOP, Data, R2T; SNACK: or SNACK tag */
	ISCSI_O_EDTL		= 20,	/* SCSI Command */
	ISCSI_O_REF_TAG		= 20,	/* Task Management */
	ISCSI_O_CID		= 20,	/* Login, Logout: 2 bytes */
	ISCSI_O_SNACK_TAG	= 20,	/* SCSI Response */
	ISCSI_O_CMD_SN		= 24,	/* requests */
	ISCSI_O_EXP_STAT_SN	= 28,	/* requests */
	ISCSI_O_STAT_SN		= 24,	/* responses */
	ISCSI_O_EXP_CMD_SN	= 28,	/* responses */
	ISCSI_O_MAX_CMD_SN	= 32,	/* responses */
	ISCSI_O_CDB		= 32,	/* SCSI Command: 16 bytes */
	ISCSI_O_REF_CMD_SN	= 32,	/* Task Management */
	ISCSI_O_EXP_DATA_SN	= 36,	/* Task Management, SCSI Response */
	ISCSI_O_DATA_SN		= 36,	/* Data-Out, Data-In, Reject */
	ISCSI_O_R2T_SN		= 36,	/* R2T */
	ISCSI_O_LOGIN_STATUS	= 36,	/* Login Response: class, detail */
	ISCSI_O_ASYNC		= 36,	/* event, vendor code, Parameter1..3 */
	ISCSI_O_OFFSET		= 40,	/* Data-Out, Data-In, R2T */
	ISCSI_O_BIDI_RESID	= 40,	/* SCSI Response */
	ISCSI_O_BEG_RUN		= 40,	/* SNACK */
	ISCSI_O_TIME_2_WAIT	= 40,	/* Logout Response: 2 bytes */
	ISCSI_O_TIME_2_RETAIN	= 42,	/* Logout Response: 2 bytes */
	ISCSI_O_RESID		= 44,	/* SCSI Response, Data-In */
	ISCSI_O_R2T_LEN		= 44,	/* R2T */
	ISCSI_O_RUN_LEN		= 44,	/* SNACK */
};

/* ------ reading ------ */

static inline uint8_t
iscsi_pdu_opcode(const uint8_t *bhs)
{
	return bhs[0] & ISCSI_OP_MASK;
}

static inline bool
iscsi_pdu_is_immediate(const uint8_t *bhs)
{
	return (bhs[0] & ISCSI_IMMEDIATE) != 0;
}

static inline bool
iscsi_pdu_is_final(const uint8_t *bhs)
{
	return (bhs[1] & ISCSI_FINAL) != 0;
}

/* iscsi_pdu_ahs_len() - bytes of additional headers, 0 .. ISCSI_AHS_LEN_MAX */
static inline uint32_t
iscsi_pdu_ahs_len(const uint8_t *bhs)
{
	return (uint32_t)bhs[ISCSI_O_AHS_WORDS] * 4;
}

/* iscsi_pdu_data_len() - bytes of the data segment, without its padding: 0 .. 2^24 - 1 */
static inline uint32_t
iscsi_pdu_data_len(const uint8_t *bhs)
{
	return be24_get(bhs + ISCSI_O_DATA_LEN);
}

/* iscsi_pdu_pad() - bytes that fill @len up to a multiple of 4 */
static inline uint32_t
iscsi_pdu_pad(uint32_t len)
{
	return -len & 3;
}

/* iscsi_pdu_u32(), iscsi_pdu_u16() - a field, by its ISCSI_O_ offset */
static inline uint32_t
iscsi_pdu_u32(const uint8_t *bhs, size_t offset)
{
	return be32_get(bhs + offset);
}

static inline uint16_t
iscsi_pdu_u16(const uint8_t *bhs, size_t offset)
{
	return be16_get(bhs + offset);
}

/**
 * iscsi_pdu_wire_len() - bytes that a PDU takes on the wire
 *
 * @bhs            its header
 * @header_digest  4 bytes behind the headers?
 * @data_digest    4 bytes behind the data segment, if there is one?
 *
 * Returns:  48 .. 2^24 + 1,080
 */
uint32_t iscsi_pdu_wire_len(const uint8_t *bhs, bool header_digest, bool data_digest);

/* iscsi_sn_lt(), iscsi_sn_le() - is @a before @b in serial arithmetic (RFC 1982, 32 bits)? */
static inline bool
iscsi_sn_lt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool
iscsi_sn_le(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}

/**
 * iscsi_pdu_check() - may an initiator send this header in full feature phase?
 *
 * @bhs       the header
 * @data_max  longest data segment we have declared to take
 *
 * Judges what the header alone can tell: opcode, flags against each other, tags, lengths.
 * Reserved bits are ignored, as receivers must. What needs the state of a session (sequence
 * numbers, transfer tags, offsets, the session's error recovery level) is its owner's.
 *
 * Returns:  ISCSI_REJECT_NONE         nothing wrong
 *           ISCSI_REJECT_UNSUPPORTED  no opcode of an initiator
 *           ISCSI_REJECT_PROTOCOL     data segment above @data_max, immediate data above the
 *                                     expected length, Login in this phase, Text that is final
 *                                     and continued
 *           ISCSI_REJECT_SNACK        no type of SNACK
 *           ISCSI_REJECT_FIELD        a field that its opcode does not allow
 * Source:   RFC 7143 sections 11.2 to 11.18, reasons: 11.17.1
 */
enum iscsi_reject iscsi_pdu_check(const uint8_t *bhs, uint32_t data_max) MUST_CHECK;

/* iscsi_opcode_name() - "SCSI Command"; "opcode 0x1e" is NULL */
const char *iscsi_opcode_name(uint8_t opcode);

/* ------ additional header segments (11.2.2) ------ */

#define ISCSI_AHS_EXT_CDB	1
#define ISCSI_AHS_BIDI_READ	2

struct iscsi_ahs {
	const uint8_t *ext_cdb;		/* CDB bytes 16 ..; inside the segments; NULL: none */
	uint32_t ext_cdb_len;		/* 1 .. ISCSI_EXT_CDB_LEN_MAX - 16 */
	uint32_t bidi_read_len;		/* expected bidirectional read data length */
	bool has_bidi;
};

/**
 * iscsi_ahs_parse() - the additional headers of a SCSI Command
 *
 * @ahs      @len bytes, whole words
 * @ret      what they say; pointers into @ahs
 *
 * Returns:  0
 *           -EINVAL   length beyond the end or wrong for its type, a type twice, unknown type
 */
int iscsi_ahs_parse(const uint8_t *ahs, size_t len, struct iscsi_ahs *ret) MUST_CHECK;

/* ------ writing ------ */

/* the three counters that nearly every response carries */
struct iscsi_sns {
	uint32_t stat_sn;
	uint32_t exp_cmd_sn;
	uint32_t max_cmd_sn;
};

static inline void
iscsi_pdu_put_sns(uint8_t *bhs, const struct iscsi_sns *sns)
{
	be32_put(bhs + ISCSI_O_STAT_SN, sns->stat_sn);
	be32_put(bhs + ISCSI_O_EXP_CMD_SN, sns->exp_cmd_sn);
	be32_put(bhs + ISCSI_O_MAX_CMD_SN, sns->max_cmd_sn);
}

/* iscsi_pdu_init() - all zeros but opcode, byte 1 and initiator task tag */
static inline void
iscsi_pdu_init(uint8_t *bhs, enum iscsi_opcode opcode, uint8_t flags, uint32_t itt)
{
	memset(bhs, 0, ISCSI_BHS_LEN);
	bhs[0] = (uint8_t)opcode;
	bhs[1] = flags;
	be32_put(bhs + ISCSI_O_ITT, itt);
}

static inline void
iscsi_pdu_put_data_len(uint8_t *bhs, uint32_t len)
{
	be24_put(bhs + ISCSI_O_DATA_LEN, len);
}

/**
 * Builders: each fills all 48 bytes. @sns is copied in; StatSN of R2T, and of Data-In without
 * status, is the caller's business (R2T: next StatSN, not advanced; Data-In: 0).
 */

/* iscsi_pdu_scsi_rsp() - @flags: ISCSI_RSP_OVER/UNDER..., @status: SAM status when @response is
 * COMPLETED; the data segment (2 bytes of sense length, sense) is announced by
 * iscsi_pdu_put_data_len() */
void iscsi_pdu_scsi_rsp(uint8_t *bhs, uint32_t itt, const struct iscsi_sns *sns, uint8_t flags,
	uint8_t response, uint8_t status);

/* iscsi_pdu_data_in() - @flags: ISCSI_FINAL, ISCSI_DATA_IN_ACK; @ttt: ISCSI_TAG_NONE unless
 * ACK */
void iscsi_pdu_data_in(uint8_t *bhs, uint32_t itt, uint32_t ttt, const struct iscsi_sns *sns,
	uint8_t flags, uint32_t len);

/* iscsi_pdu_r2t() - offset, length and R2TSN are put by the caller with be32_put() */
void iscsi_pdu_r2t(uint8_t *bhs, const uint8_t lun[8], uint32_t itt, uint32_t ttt,
	const struct iscsi_sns *sns);

/* iscsi_pdu_nop_in() - an answer (@ttt none) or a ping of ours (@itt none); @len bytes of
 * data */
void iscsi_pdu_nop_in(uint8_t *bhs, const uint8_t lun[8], uint32_t itt, uint32_t ttt,
	const struct iscsi_sns *sns, uint32_t len);

void
iscsi_pdu_tmf_rsp(uint8_t *bhs, uint32_t itt, const struct iscsi_sns *sns, uint8_t response);

/* iscsi_pdu_text_rsp() - @flags: ISCSI_FINAL or ISCSI_TEXT_CONTINUE or 0 */
void iscsi_pdu_text_rsp(uint8_t *bhs, const uint8_t *request, uint32_t ttt,
	const struct iscsi_sns *sns, uint8_t flags, uint32_t len);

/* iscsi_pdu_logout_rsp() - times in seconds; 0 unless the answer is about a failed
 * connection */
void iscsi_pdu_logout_rsp(uint8_t *bhs, uint32_t itt, const struct iscsi_sns *sns,
	uint8_t response, uint16_t time_2_wait, uint16_t time_2_retain);

/* iscsi_pdu_reject() - the data segment is the complete header that was refused: 48 bytes (and
 * its additional headers, if the caller has them and announces the longer segment) */
void iscsi_pdu_reject(uint8_t *bhs, const struct iscsi_sns *sns, enum iscsi_reject reason);

/* iscsi_pdu_async() - @params: Parameter1, Parameter2, Parameter3 */
void iscsi_pdu_async(uint8_t *bhs, const uint8_t lun[8], const struct iscsi_sns *sns,
	enum iscsi_async event, const uint16_t params[3]);

#endif /* ISCSI_PDU_H */
