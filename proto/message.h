/*
 * proto/message.h - from bytes of a frame to a message that can be trusted in form
 *
 * What      Unpacking into an arena, and the checks that protobuf leaves open: lengths of
 *           strings and byte fields, counts of repeated fields, UTF-8, enumerators that exist,
 *           ranges of numbers. Behind msg_unpack() a request is well formed; what it names may
 *           still not exist.
 *           Enumerators that only a daemon sends (codes, events, roles) are let through even if
 *           unknown: a newer daemon may have more of them.
 * Owner     Messages live in the arena until its next arena_begin().
 * Thread    One thread an arena; msg_check() any.
 */
#ifndef PROTO_MESSAGE_H
#define PROTO_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "proto/arena.h"
#include "proto/error.h"
#include "proto/frame.h"
#include "proto/method.h"

/* Where a check failed: names for Error.text, all of them constant strings. */
struct msg_fault {
	const char *message;	/* "SubmitRequest" */
	const char *field;	/* "cdb", or NULL when the message as a whole cannot be read */
	const char *what;	/* "too long" */
};

/**
 * msg_unpack() - read @len bytes as a message of type @desc and check it
 *
 * @arena    begun here; the message before is gone
 * @desc     one of the generated descriptors
 * @ret_msg  the message; cast to the type of @desc
 * @reterr   which check failed; may be NULL
 *
 * Returns:  0
 *           -EMSGSIZE  @len above PROTO_MESSAGE_MAX
 *           -EBADMSG   not a protobuf message, or it would take more memory than its length
 *                      earns
 *           -EINVAL    a field breaks its limits, see @reterr
 *           -ENOMEM    out of memory
 */
int msg_unpack(struct arena *arena, const ProtobufCMessageDescriptor *desc,
    const uint8_t *bytes, size_t len, ProtobufCMessage **ret_msg, struct msg_fault *reterr)
    MUST_CHECK;

/**
 * msg_check() - do all fields of @msg, nested ones too, keep their limits?
 *
 * Returns:  0
 *           -EINVAL    see @reterr (may be NULL)
 */
int msg_check(const ProtobufCMessage *msg, struct msg_fault *reterr) MUST_CHECK;

/**
 * msg_check_submit() - the same for the one frequent message, and the rules between fields
 *
 * @frame_data_len  bulk data of the frame: equals data_len for DIR_OUT, 0 otherwise
 * @data_max        limit in force
 *
 * Returns:  0
 *           -EINVAL    a field is missing or breaks its limits
 *           -EMSGSIZE  data_len above @data_max
 */
int msg_check_submit(const Scsad__SubmitRequest *req, uint32_t frame_data_len,
    uint32_t data_max, struct msg_fault *reterr) MUST_CHECK;

/* msg_fault_text() - "SubmitRequest.cdb: too long" into @size bytes at @dst, returned */
char *msg_fault_text(const struct msg_fault *fault, char *dst, size_t size);

#endif /* PROTO_MESSAGE_H */
