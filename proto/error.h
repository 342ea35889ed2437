/*
 * proto/error.h - codes of refused calls, on the wire and in the process
 *
 * What      ErrorCode of scsad.proto against negative errno: one map each way, and words. This
 *           is the "call failed" world only; results of packets never pass through here.
 * Thread    Any; constant.
 */
#ifndef PROTO_ERROR_H
#define PROTO_ERROR_H

#include "proto/scsad.pb-c.h"

/* error_code_name() - "no such unit"; unknown codes give "error" */
const char *error_code_name(Scsad__ErrorCode code);

/* error_code_from_errno() - the one map from a negative errno to a code of the wire */
Scsad__ErrorCode error_code_from_errno(int err);

/* error_code_to_errno() - and back, for a client: negative */
int error_code_to_errno(Scsad__ErrorCode code);

#endif /* PROTO_ERROR_H */
