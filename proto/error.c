#include <errno.h>

#include "base/compiler.h"
#include "proto/error.h"

#define CODE(name) SCSAD__ERROR_CODE__ERR_##name

/* The errno of a row is what a client's call returns; of_errno rows below are the way back. */
static const struct {
	const char *name;
	int err;
} codes[] = {
	[CODE(NONE)]            = { "no error",             0 },
	[CODE(UNKNOWN_METHOD)]  = { "unknown method",       -ENOSYS },
	[CODE(BAD_FRAME)]       = { "bad frame",            -EPROTO },
	[CODE(BAD_MESSAGE)]     = { "bad message",          -EINVAL },
	[CODE(LIMIT)]           = { "limit reached",        -EMSGSIZE },
	[CODE(NOT_PERMITTED)]   = { "not permitted",        -EPERM },
	[CODE(NO_SUCH_UNIT)]    = { "no such unit",         -ENODEV },
	[CODE(AMBIGUOUS)]       = { "ambiguous name",       -ENOTUNIQ },
	[CODE(STALE_HANDLE)]    = { "stale handle",         -ESTALE },
	[CODE(BUSY)]            = { "busy",                 -EBUSY },
	[CODE(VERSION)]         = { "version mismatch",     -EPROTONOSUPPORT },
	[CODE(IO)]              = { "input/output error",   -EIO },
	[CODE(NOT_SUPPORTED)]   = { "not supported",        -EOPNOTSUPP },
	[CODE(BAD_CDB)]         = { "contradictory CDB",    -EINVAL },
	[CODE(NOT_READY)]       = { "not ready",            -EAGAIN },
	[CODE(DUPLICATE_ID)]    = { "request id in use",    -EEXIST },
	[CODE(NO_SUCH_REQUEST)] = { "no such request",      -ENOENT },
	[CODE(TIMEOUT)]         = { "time limit passed",    -ETIMEDOUT },
	[CODE(NO_MEMORY)]       = { "out of memory",        -ENOMEM },
	[CODE(INTERNAL)]        = { "internal error",       -EIO },
};

static const struct {
	int err;
	Scsad__ErrorCode code;
} of_errno[] = {
	{ -ENOSYS,     CODE(UNKNOWN_METHOD) },
	{ -EPROTO,     CODE(BAD_FRAME) },
	{ -EBADMSG,    CODE(BAD_MESSAGE) },
	{ -EINVAL,     CODE(BAD_MESSAGE) },
	{ -EMSGSIZE,   CODE(LIMIT) },
	{ -EDQUOT,     CODE(LIMIT) },
	{ -EMFILE,     CODE(LIMIT) },
	{ -ENOSPC,     CODE(LIMIT) },
	{ -EPERM,      CODE(NOT_PERMITTED) },
	{ -EACCES,     CODE(NOT_PERMITTED) },
	{ -ENODEV,     CODE(NO_SUCH_UNIT) },
	{ -ENXIO,      CODE(NO_SUCH_UNIT) },
	{ -ENOTUNIQ,   CODE(AMBIGUOUS) },
	{ -ESTALE,     CODE(STALE_HANDLE) },
	{ -EBUSY,      CODE(BUSY) },
	{ -ENOBUFS,    CODE(BUSY) },
	{ -EPROTONOSUPPORT, CODE(VERSION) },
	{ -EOPNOTSUPP, CODE(NOT_SUPPORTED) },
	{ -EAGAIN,     CODE(NOT_READY) },
	{ -ESHUTDOWN,  CODE(NOT_READY) },
	{ -EEXIST,     CODE(DUPLICATE_ID) },
	{ -ENOENT,     CODE(NO_SUCH_REQUEST) },
	{ -ETIMEDOUT,  CODE(TIMEOUT) },
	{ -ENOMEM,     CODE(NO_MEMORY) },
};

const char *
error_code_name(Scsad__ErrorCode code)
{
	if ((size_t)code >= ARRAY_LEN(codes))
		return "error";
	return codes[code].name;
}

Scsad__ErrorCode
error_code_from_errno(int err)
{
	for (size_t i = 0; i < ARRAY_LEN(of_errno); i++) {
		if (of_errno[i].err == err)
			return of_errno[i].code;
	}
	return err == 0 ? CODE(NONE) : CODE(IO);
}

int
error_code_to_errno(Scsad__ErrorCode code)
{
	if ((size_t)code >= ARRAY_LEN(codes))
		return -EIO;
	return codes[code].err;
}
