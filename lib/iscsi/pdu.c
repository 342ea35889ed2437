/* pdu.c - the check of headers, additional header segments, and headers of responses */
#include <errno.h>

#include "iscsi/digest.h"
#include "iscsi/pdu.h"

enum {
	P_REQUEST	= 1 << 0,	/* an initiator may send it in full feature phase */
	P_DATA		= 1 << 1,	/* may have a data segment */
	P_AHS		= 1 << 2,	/* may have additional headers */
	P_TAG		= 1 << 3,	/* its initiator task tag is not the reserved one */
};

static const struct {
	const char *name;
	uint8_t may;
} opcodes[ISCSI_OP_MASK + 1] = {
	[ISCSI_OP_NOP_OUT]	= { "NOP-Out", P_REQUEST | P_DATA },
	[ISCSI_OP_SCSI_CMD]	= { "SCSI Command", P_REQUEST | P_DATA | P_AHS | P_TAG },
	[ISCSI_OP_TMF]		= { "Task Management", P_REQUEST | P_TAG },
	[ISCSI_OP_LOGIN]	= { "Login", P_DATA },
	[ISCSI_OP_TEXT]		= { "Text", P_REQUEST | P_DATA | P_TAG },
	[ISCSI_OP_DATA_OUT]	= { "Data-Out", P_REQUEST | P_DATA | P_TAG },
	[ISCSI_OP_LOGOUT]	= { "Logout", P_REQUEST | P_TAG },
	[ISCSI_OP_SNACK]	= { "SNACK", P_REQUEST },
	[ISCSI_OP_NOP_IN]	= { "NOP-In", 0 },
	[ISCSI_OP_SCSI_RSP]	= { "SCSI Response", 0 },
	[ISCSI_OP_TMF_RSP]	= { "Task Management Response", 0 },
	[ISCSI_OP_LOGIN_RSP]	= { "Login Response", 0 },
	[ISCSI_OP_TEXT_RSP]	= { "Text Response", 0 },
	[ISCSI_OP_DATA_IN]	= { "Data-In", 0 },
	[ISCSI_OP_LOGOUT_RSP]	= { "Logout Response", 0 },
	[ISCSI_OP_R2T]		= { "R2T", 0 },
	[ISCSI_OP_ASYNC]	= { "Asynchronous Message", 0 },
	[ISCSI_OP_REJECT]	= { "Reject", 0 },
};

const char *
iscsi_opcode_name(uint8_t opcode)
{
	return opcodes[opcode & ISCSI_OP_MASK].name;
}

uint32_t
iscsi_pdu_wire_len(const uint8_t *bhs, bool header_digest, bool data_digest)
{
	uint32_t len = ISCSI_BHS_LEN + iscsi_pdu_ahs_len(bhs);
	uint32_t data = iscsi_pdu_data_len(bhs);

	if (header_digest)
		len += ISCSI_DIGEST_LEN;
	if (data > 0) {
		len += data + iscsi_pdu_pad(data);
		if (data_digest)
			len += ISCSI_DIGEST_LEN;
	}
	return len;
}

static enum iscsi_reject
check_scsi_cmd(const uint8_t *bhs, uint32_t data_len)
{
	bool is_write = (bhs[1] & ISCSI_CMD_WRITE) != 0;

	if ((bhs[1] & ISCSI_CMD_ATTR_MASK) >= ISCSI_ATTR_N)
		return ISCSI_REJECT_FIELD;
	/* neither data to come nor a last PDU (11.3.1) */
	if (!is_write && !iscsi_pdu_is_final(bhs))
		return ISCSI_REJECT_FIELD;
	if (!is_write && data_len > 0)
		return ISCSI_REJECT_FIELD;
	if (is_write && data_len > iscsi_pdu_u32(bhs, ISCSI_O_EDTL))
		return ISCSI_REJECT_PROTOCOL;
	return ISCSI_REJECT_NONE;
}

static enum iscsi_reject
check_opcode(const uint8_t *bhs, uint8_t opcode, uint32_t data_len)
{
	switch (opcode) {
	case ISCSI_OP_SCSI_CMD:
		return check_scsi_cmd(bhs, data_len);
	case ISCSI_OP_NOP_OUT:
		/* nothing answers it, so nothing may wait for its CmdSN (11.18.1) */
		if (iscsi_pdu_u32(bhs, ISCSI_O_ITT) == ISCSI_TAG_NONE &&
		    !iscsi_pdu_is_immediate(bhs))
			return ISCSI_REJECT_FIELD;
		return ISCSI_REJECT_NONE;
	case ISCSI_OP_TEXT:
		if (iscsi_pdu_is_final(bhs) && (bhs[1] & ISCSI_TEXT_CONTINUE) != 0)
			return ISCSI_REJECT_PROTOCOL;
		return ISCSI_REJECT_NONE;
	case ISCSI_OP_LOGOUT:
		if ((bhs[1] & 0x7f) > ISCSI_LOGOUT_RECOVERY)
			return ISCSI_REJECT_FIELD;
		return ISCSI_REJECT_NONE;
	case ISCSI_OP_SNACK:
		if ((bhs[1] & 0x0f) > ISCSI_SNACK_R_DATA)
			return ISCSI_REJECT_SNACK;
		return ISCSI_REJECT_NONE;
	default:
		return ISCSI_REJECT_NONE;
	}
}

enum iscsi_reject
iscsi_pdu_check(const uint8_t *bhs, uint32_t data_max)
{
	uint8_t opcode = iscsi_pdu_opcode(bhs);
	uint8_t may = opcodes[opcode].may;
	uint32_t data_len = iscsi_pdu_data_len(bhs);

	if (UNLIKELY((may & P_REQUEST) == 0))
		return opcode == ISCSI_OP_LOGIN ? ISCSI_REJECT_PROTOCOL : ISCSI_REJECT_UNSUPPORTED;
	if (UNLIKELY(data_len > data_max))
		return ISCSI_REJECT_PROTOCOL;
	if (UNLIKELY(data_len > 0 && (may & P_DATA) == 0))
		return ISCSI_REJECT_FIELD;
	if (UNLIKELY(bhs[ISCSI_O_AHS_WORDS] > 0 && (may & P_AHS) == 0))
		return ISCSI_REJECT_FIELD;
	if (UNLIKELY((may & P_TAG) != 0 && iscsi_pdu_u32(bhs, ISCSI_O_ITT) == ISCSI_TAG_NONE))
		return ISCSI_REJECT_FIELD;
	return check_opcode(bhs, opcode, data_len);
}

static bool
ahs_one(const uint8_t *ahs, uint32_t len, uint8_t type, struct iscsi_ahs *ret)
{
	switch (type) {
	case ISCSI_AHS_EXT_CDB:
		/* a reserved byte, then what does not fit into the header */
		if (ret->ext_cdb != NULL || len < 2 ||
		    len - 1 > ISCSI_EXT_CDB_LEN_MAX - ISCSI_CDB_LEN)
			return false;
		ret->ext_cdb = ahs + 4;
		ret->ext_cdb_len = len - 1;
		return true;
	case ISCSI_AHS_BIDI_READ:
		if (ret->has_bidi || len != 5)
			return false;
		ret->bidi_read_len = be32_get(ahs + 4);
		ret->has_bidi = true;
		return true;
	default:
		return false;
	}
}

int
iscsi_ahs_parse(const uint8_t *ahs, size_t len, struct iscsi_ahs *ret)
{
	struct iscsi_ahs all = { .ext_cdb = NULL };

	while (len >= 4) {
		uint32_t one = be16_get(ahs); /* without these two bytes, the type and padding */
		size_t whole = (size_t)one + 3 + iscsi_pdu_pad(one + 3);

		if (whole > len || !ahs_one(ahs, one, ahs[2] & 0x3f, &all))
			return -EINVAL;
		ahs += whole;
		len -= whole;
	}
	if (len > 0)
		return -EINVAL;
	*ret = all;
	return 0;
}

void
iscsi_pdu_scsi_rsp(uint8_t *bhs, uint32_t itt, const struct iscsi_sns *sns, uint8_t flags,
	uint8_t response, uint8_t status)
{
	iscsi_pdu_init(bhs, ISCSI_OP_SCSI_RSP, ISCSI_FINAL | flags, itt);
	bhs[2] = response;
	bhs[3] = status;
	iscsi_pdu_put_sns(bhs, sns);
}

void
iscsi_pdu_data_in(uint8_t *bhs, uint32_t itt, uint32_t ttt, const struct iscsi_sns *sns,
	uint8_t flags, uint32_t len)
{
	iscsi_pdu_init(bhs, ISCSI_OP_DATA_IN, flags, itt);
	iscsi_pdu_put_data_len(bhs, len);
	be32_put(bhs + ISCSI_O_TTT, ttt);
	iscsi_pdu_put_sns(bhs, sns);
}

void
iscsi_pdu_r2t(uint8_t *bhs, const uint8_t lun[8], uint32_t itt, uint32_t ttt,
	const struct iscsi_sns *sns)
{
	iscsi_pdu_init(bhs, ISCSI_OP_R2T, ISCSI_FINAL, itt);
	memcpy(bhs + ISCSI_O_LUN, lun, 8);
	be32_put(bhs + ISCSI_O_TTT, ttt);
	iscsi_pdu_put_sns(bhs, sns);
}

void
iscsi_pdu_nop_in(uint8_t *bhs, const uint8_t lun[8], uint32_t itt, uint32_t ttt,
	const struct iscsi_sns *sns, uint32_t len)
{
	iscsi_pdu_init(bhs, ISCSI_OP_NOP_IN, ISCSI_FINAL, itt);
	iscsi_pdu_put_data_len(bhs, len);
	memcpy(bhs + ISCSI_O_LUN, lun, 8);
	be32_put(bhs + ISCSI_O_TTT, ttt);
	iscsi_pdu_put_sns(bhs, sns);
}

void
iscsi_pdu_tmf_rsp(uint8_t *bhs, uint32_t itt, const struct iscsi_sns *sns, uint8_t response)
{
	iscsi_pdu_init(bhs, ISCSI_OP_TMF_RSP, ISCSI_FINAL, itt);
	bhs[2] = response;
	iscsi_pdu_put_sns(bhs, sns);
}

void
iscsi_pdu_text_rsp(uint8_t *bhs, const uint8_t *request, uint32_t ttt,
	const struct iscsi_sns *sns, uint8_t flags, uint32_t len)
{
	iscsi_pdu_init(bhs, ISCSI_OP_TEXT_RSP, flags, iscsi_pdu_u32(request, ISCSI_O_ITT));
	iscsi_pdu_put_data_len(bhs, len);
	memcpy(bhs + ISCSI_O_LUN, request + ISCSI_O_LUN, 8);
	be32_put(bhs + ISCSI_O_TTT, ttt);
	iscsi_pdu_put_sns(bhs, sns);
}

void
iscsi_pdu_logout_rsp(uint8_t *bhs, uint32_t itt, const struct iscsi_sns *sns,
	uint8_t response, uint16_t time_2_wait, uint16_t time_2_retain)
{
	iscsi_pdu_init(bhs, ISCSI_OP_LOGOUT_RSP, ISCSI_FINAL, itt);
	bhs[2] = response;
	iscsi_pdu_put_sns(bhs, sns);
	be16_put(bhs + ISCSI_O_TIME_2_WAIT, time_2_wait);
	be16_put(bhs + ISCSI_O_TIME_2_RETAIN, time_2_retain);
}

void
iscsi_pdu_reject(uint8_t *bhs, const struct iscsi_sns *sns, enum iscsi_reject reason)
{
	iscsi_pdu_init(bhs, ISCSI_OP_REJECT, ISCSI_FINAL, ISCSI_TAG_NONE);
	iscsi_pdu_put_data_len(bhs, ISCSI_BHS_LEN);
	bhs[2] = (uint8_t)reason;
	iscsi_pdu_put_sns(bhs, sns);
}

void
iscsi_pdu_async(uint8_t *bhs, const uint8_t lun[8], const struct iscsi_sns *sns,
	enum iscsi_async event, const uint16_t params[3])
{
	iscsi_pdu_init(bhs, ISCSI_OP_ASYNC, ISCSI_FINAL, ISCSI_TAG_NONE);
	memcpy(bhs + ISCSI_O_LUN, lun, 8);
	iscsi_pdu_put_sns(bhs, sns);
	bhs[ISCSI_O_ASYNC] = (uint8_t)event;
	for (size_t i = 0; i < 3; i++)
		be16_put(bhs + ISCSI_O_ASYNC + 2 + 2 * i, params[i]);
}
