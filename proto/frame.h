/*
 * proto/frame.h - the frame around every message on the socket
 *
 * What      16 bytes, little endian, then the payload: a protobuf message, then raw bulk data.
 *
 *           bytes   field         rule
 *           0-3     payload_len   message and data; both within the limits in force
 *           4-5     method        enum proto_method; unknown ones are well formed here
 *           6       flags         bits 0-1 kind, bit 7 "more"; the others are 0
 *           7       fd count      0 (descriptors come with pools and rings)
 *           8-11    id            of the request, chosen by the client, not 0; 0 in events and
 *                                 in errors about the connection as a whole
 *           12-15   data_len      the last data_len bytes of the payload are bulk data
 *
 *           Bulk data is never inside a protobuf field, so a reader can put it straight where
 *           it belongs. Only a submit and its completion carry any (see proto/method.h).
 * Life      No state: a decoder looks at what is in the receive buffer and says what it is.
 * Owner     Buffers are the caller's; a struct frame points into them.
 * Thread    Any; nothing here allocates or blocks.
 * Limits    proto/limits.h. Every length is checked before anything else is done with it.
 * Source    scsad-protocol(7)
 */
#ifndef PROTO_FRAME_H
#define PROTO_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/compiler.h"

#define FRAME_HEAD_LEN	16u

enum frame_kind {
	FRAME_KIND_REQUEST = 0,	/* client to daemon */
	FRAME_KIND_REPLY = 1,	/* daemon to client, the id of the request */
	FRAME_KIND_EVENT = 2,	/* daemon to client, id 0 */
	FRAME_KIND_ERROR = 3,	/* daemon to client, message Error */
};

struct frame_head {
	uint32_t msg_len;	/* bytes of the message */
	uint32_t data_len;	/* bytes of bulk data behind it */
	uint16_t method;	/* enum proto_method, or unknown */
	enum frame_kind kind;
	bool has_more;		/* further replies to the same request follow */
	uint32_t id;
};

/* What is let in. Before hello: { PROTO_MESSAGE_MAX, 0 }. */
struct frame_limits {
	uint32_t msg_max;	/* at most PROTO_MESSAGE_MAX */
	uint32_t data_max;	/* at most PROTO_DATA_MAX */
};

enum frame_result {
	FRAME_NEED_MORE,	/* nothing wrong so far, but not all is here */
	FRAME_READY,		/* there it is */
	FRAME_BAD_LENGTH,	/* data_len above payload_len: bytes are out of step */
	FRAME_TOO_LONG,		/* message or data above the limit */
	FRAME_BAD_FLAGS,	/* a reserved bit of the flags is set */
	FRAME_BAD_FDS,		/* fd count is not 0 */
	FRAME_BAD_ID,		/* 0 in a request or reply, not 0 in an event */
	FRAME_RESULT_N,
};

struct frame {
	struct frame_head head;
	const uint8_t *msg;	/* head.msg_len bytes */
	const uint8_t *data;	/* data_here bytes */
	size_t data_here;	/* bytes of data in the buffer, at most head.data_len */
	size_t len;		/* bytes of the buffer this frame takes */
};

/**
 * frame_head_decode() - judge the 16 bytes of a header
 *
 * @bytes    FRAME_HEAD_LEN bytes
 * @limits   in force on this connection
 * @ret      the header in words
 *
 * Returns:  FRAME_READY, or one of the FRAME_BAD_*, FRAME_TOO_LONG: the connection is lost,
 *           since the place of the next frame cannot be trusted
 */
enum frame_result frame_head_decode(const uint8_t bytes[FRAME_HEAD_LEN],
    const struct frame_limits *limits, struct frame_head *ret) MUST_CHECK;

/**
 * frame_next() - the first whole frame of a receive buffer
 *
 * @buf      @len bytes as they came; @buf may be NULL when @len is 0
 * @limits   in force on this connection
 * @ret      valid when the answer is FRAME_READY; the next frame begins at buf + ret->len
 *
 * Returns:  as frame_head_decode(), or FRAME_NEED_MORE. A bad header is told as soon as its 16
 *           bytes are here.
 */
enum frame_result frame_next(const uint8_t *buf, size_t len, const struct frame_limits *limits,
    struct frame *ret) MUST_CHECK;

/**
 * frame_peek() - like frame_next(), but content with the message
 *
 * Shape:    FRAME_READY as soon as header and message are here; ret->data_here bytes of the
 *           data are in the buffer and ret->len covers only those. The other head.data_len -
 *           data_here bytes are the next ones of the stream: the caller receives them where it
 *           likes, and then continues with frames.
 */
enum frame_result frame_peek(const uint8_t *buf, size_t len, const struct frame_limits *limits,
    struct frame *ret) MUST_CHECK;

/**
 * frame_pack() - write header and message, ready for a gather write
 *
 * @dst      room for @size bytes
 * @head     msg_len is ignored, the message tells it; data_len bytes of bulk data will follow
 *           the packed bytes on the stream, as the caller's next iovec
 * @msg      the message, or NULL for an empty one
 *
 * Returns:  bytes written, at least FRAME_HEAD_LEN
 *           -EMSGSIZE  the message is above PROTO_MESSAGE_MAX or data_len above PROTO_DATA_MAX
 *           -ENOSPC    it does not fit into @size bytes
 */
ptrdiff_t frame_pack(uint8_t *dst, size_t size, const struct frame_head *head,
    const ProtobufCMessage *msg) MUST_CHECK;

/* frame_head_encode() - just the header; msg_len and data_len are within limits (asserted) */
void frame_head_encode(uint8_t dst[FRAME_HEAD_LEN], const struct frame_head *head);

/* frame_result_text() - "frame longer than the limit", for log lines and Error.text */
const char *frame_result_text(enum frame_result result);

#endif /* PROTO_FRAME_H */
