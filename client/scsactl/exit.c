#include <errno.h>

#include "base/compiler.h"
#include "client/scsactl/exit.h"
#include "scsi/sense.h"
#include "scsi/status.h"

#define ERRNO_MAX 46

static const struct {
	enum scsac_code code;
	enum ctl_exit status;
} of_code[] = {
	{ SCSAC_NOT_PERMITTED, CTL_NOT_PERMITTED },
	{ SCSAC_VERSION,       CTL_VERSION },
	{ SCSAC_LIMIT,         CTL_LIMIT },
	{ SCSAC_BUSY,          CTL_LIMIT },
	{ SCSAC_AMBIGUOUS,     CTL_SYNTAX },
	{ SCSAC_BAD_CDB,       CTL_SYNTAX },
	{ SCSAC_BAD_MESSAGE,   CTL_SYNTAX },	/* what it quotes are the user's words */
	{ SCSAC_BAD_FRAME,     CTL_MALFORMED },
	{ SCSAC_TIMEOUT,       CTL_TIMEOUT },
	{ SCSAC_NOT_READY,     CTL_UNREACHABLE },
};

static const struct {
	int err;
	enum ctl_exit status;
} of_errno[] = {
	{ -ENOTCONN,        CTL_UNREACHABLE },
	{ -ECONNREFUSED,    CTL_UNREACHABLE },
	{ -ECONNRESET,      CTL_UNREACHABLE },
	{ -ETIMEDOUT,       CTL_TIMEOUT },
	{ -EPROTONOSUPPORT, CTL_VERSION },
	{ -EBADMSG,         CTL_MALFORMED },
	{ -EMSGSIZE,        CTL_LIMIT },
	{ -EINVAL,          CTL_SYNTAX },
};

static const enum ctl_exit of_key[16] = {
	[SENSE_NO_SENSE]        = CTL_NO_SENSE,
	[SENSE_RECOVERED_ERROR] = CTL_RECOVERED,
	[SENSE_NOT_READY]       = CTL_NOT_READY,
	[SENSE_MEDIUM_ERROR]    = CTL_MEDIUM_HARD,
	[SENSE_HARDWARE_ERROR]  = CTL_MEDIUM_HARD,
	[SENSE_ILLEGAL_REQUEST] = CTL_ILLEGAL_REQUEST,
	[SENSE_UNIT_ATTENTION]  = CTL_UNIT_ATTENTION,
	[SENSE_DATA_PROTECT]    = CTL_DATA_PROTECT,
	[SENSE_BLANK_CHECK]     = CTL_MEDIUM_HARD,
	[SENSE_VENDOR_SPECIFIC] = CTL_SENSE,
	[SENSE_COPY_ABORTED]    = CTL_COPY_ABORTED,
	[SENSE_ABORTED_COMMAND] = CTL_ABORTED,
	[0xc]                   = CTL_SENSE,
	[SENSE_VOLUME_OVERFLOW] = CTL_SENSE,
	[SENSE_MISCOMPARE]      = CTL_MISCOMPARE,
	[SENSE_COMPLETED]       = CTL_SENSE,
};

static const struct {
	uint8_t status;
	enum ctl_exit exit;
} of_status[] = {
	{ SAM_STAT_GOOD,                 CTL_OK },
	{ SAM_STAT_CONDITION_MET,        CTL_CONDITION_MET },
	{ SAM_STAT_BUSY,                 CTL_BUSY },
	{ SAM_STAT_RESERVATION_CONFLICT, CTL_RESERVATION },
	{ SAM_STAT_TASK_SET_FULL,        CTL_TASK_SET_FULL },
	{ SAM_STAT_ACA_ACTIVE,           CTL_ACA_ACTIVE },
	{ SAM_STAT_TASK_ABORTED,         CTL_TASK_ABORTED },
};

enum ctl_exit
exit_of_error(const struct scsac_error *error, int err)
{
	for (size_t i = 0; i < ARRAY_LEN(of_code); i++) {
		if (of_code[i].code == error->code)
			return of_code[i].status;
	}
	for (size_t i = 0; i < ARRAY_LEN(of_errno); i++) {
		if (of_errno[i].err == err)
			return of_errno[i].status;
	}
	return err < 0 && err >= -ERRNO_MAX ? (enum ctl_exit)(CTL_ERRNO - err) : CTL_OTHER;
}

static enum ctl_exit
exit_of_sense(const struct scsac_result *result)
{
	struct sense_data sense;

	if (sense_parse(result->sense, result->sense_len, &sense) < 0 ||
	    sense.format == SENSE_FMT_VENDOR)
		return CTL_SENSE;
	if (sense.key == SENSE_ILLEGAL_REQUEST && sense.asc == ASC_CODE(0x20, 0x00))
		return CTL_INVALID_OPCODE;
	if (sense.key == SENSE_ILLEGAL_REQUEST && sense.asc == ASC_CODE(0x21, 0x00))
		return CTL_LBA_RANGE;
	return of_key[sense.key & 0xf];
}

static enum ctl_exit
exit_of_reason(const struct scsac_result *result)
{
	if (result->is_unknown)
		return CTL_UNREACHABLE;
	switch (result->reason) {
	case SCSAC_TIMED_OUT:
		return CTL_TIMEOUT;
	case SCSAC_ABORTED:
		return CTL_ABORTED;
	case SCSAC_DEV_GONE:
		return (enum ctl_exit)(CTL_ERRNO + ENODEV);
	default:
		return CTL_TRANSPORT;
	}
}

enum ctl_exit
exit_of_result(const struct scsac_result *result)
{
	if (result->reason != SCSAC_CMPLT)
		return exit_of_reason(result);
	if ((result->state & SCSAC_GOT_STATUS) == 0)
		return CTL_TRANSPORT;
	if (result->status == SAM_STAT_CHECK_CONDITION)
		return exit_of_sense(result);
	for (size_t i = 0; i < ARRAY_LEN(of_status); i++) {
		if (of_status[i].status == result->status)
			return of_status[i].exit;
	}
	return CTL_OTHER;
}
