#include <assert.h>
#include <errno.h>

#include "base/bytes.h"
#include "proto/frame.h"
#include "proto/limits.h"

#define FLAG_KIND	0x03u
#define FLAG_MORE	0x80u

static bool
frame_id_fits(const struct frame_head *head)
{
	switch (head->kind) {
	case FRAME_KIND_REQUEST:
	case FRAME_KIND_REPLY:
		return head->id != 0;
	case FRAME_KIND_EVENT:
		return head->id == 0;
	case FRAME_KIND_ERROR:
		return true;
	}
	return false;
}

enum frame_result
frame_head_decode(const uint8_t bytes[FRAME_HEAD_LEN], const struct frame_limits *limits,
    struct frame_head *ret)
{
	uint32_t payload_len = le32_get(bytes);
	uint32_t data_len = le32_get(bytes + 12);
	uint8_t flags = bytes[6];

	if (data_len > payload_len)
		return FRAME_BAD_LENGTH;
	if (payload_len - data_len > limits->msg_max || data_len > limits->data_max)
		return FRAME_TOO_LONG;
	if ((flags & ~(FLAG_KIND | FLAG_MORE)) != 0)
		return FRAME_BAD_FLAGS;
	if (bytes[7] != 0)
		return FRAME_BAD_FDS;

	*ret = (struct frame_head){
		.msg_len = payload_len - data_len,
		.data_len = data_len,
		.method = le16_get(bytes + 4),
		.kind = (enum frame_kind)(flags & FLAG_KIND),
		.has_more = (flags & FLAG_MORE) != 0,
		.id = le32_get(bytes + 8),
	};
	return frame_id_fits(ret) ? FRAME_READY : FRAME_BAD_ID;
}

enum frame_result
frame_peek(const uint8_t *buf, size_t len, const struct frame_limits *limits, struct frame *ret)
{
	struct frame frame = { 0 };
	enum frame_result result;
	size_t left;

	if (len < FRAME_HEAD_LEN)
		return FRAME_NEED_MORE;
	result = frame_head_decode(buf, limits, &frame.head);
	if (result != FRAME_READY)
		return result;
	left = len - FRAME_HEAD_LEN;
	if (left < frame.head.msg_len)
		return FRAME_NEED_MORE;

	left -= frame.head.msg_len;
	frame.msg = buf + FRAME_HEAD_LEN;
	frame.data = frame.msg + frame.head.msg_len;
	frame.data_here = left < frame.head.data_len ? left : frame.head.data_len;
	frame.len = FRAME_HEAD_LEN + frame.head.msg_len + frame.data_here;
	*ret = frame;
	return FRAME_READY;
}

enum frame_result
frame_next(const uint8_t *buf, size_t len, const struct frame_limits *limits, struct frame *ret)
{
	struct frame frame;
	enum frame_result result = frame_peek(buf, len, limits, &frame);

	if (result != FRAME_READY)
		return result;
	if (frame.data_here < frame.head.data_len)
		return FRAME_NEED_MORE;
	*ret = frame;
	return FRAME_READY;
}

void
frame_head_encode(uint8_t dst[FRAME_HEAD_LEN], const struct frame_head *head)
{
	assert(head->msg_len <= PROTO_MESSAGE_MAX && head->data_len <= PROTO_DATA_MAX);
	le32_put(dst, head->msg_len + head->data_len);
	le16_put(dst + 4, head->method);
	dst[6] = (uint8_t)((unsigned)head->kind | (head->has_more ? FLAG_MORE : 0));
	dst[7] = 0;
	le32_put(dst + 8, head->id);
	le32_put(dst + 12, head->data_len);
}

ptrdiff_t
frame_pack(uint8_t *dst, size_t size, const struct frame_head *head,
    const ProtobufCMessage *msg)
{
	size_t msg_len = msg == NULL ? 0 : protobuf_c_message_get_packed_size(msg);
	struct frame_head full = *head;

	if (msg_len > PROTO_MESSAGE_MAX || head->data_len > PROTO_DATA_MAX)
		return -EMSGSIZE;
	if (size < FRAME_HEAD_LEN || size - FRAME_HEAD_LEN < msg_len)
		return -ENOSPC;
	full.msg_len = (uint32_t)msg_len;
	frame_head_encode(dst, &full);
	if (msg_len > 0)
		(void)protobuf_c_message_pack(msg, dst + FRAME_HEAD_LEN);
	return (ptrdiff_t)(FRAME_HEAD_LEN + msg_len);
}

const char *
frame_result_text(enum frame_result result)
{
	static const char *const texts[FRAME_RESULT_N] = {
		[FRAME_NEED_MORE]  = "frame is not complete",
		[FRAME_READY]      = "frame is complete",
		[FRAME_BAD_LENGTH] = "frame claims more data than payload",
		[FRAME_TOO_LONG]   = "frame is longer than the limit",
		[FRAME_BAD_FLAGS]  = "frame has a reserved flag set",
		[FRAME_BAD_FDS]    = "frame announces file descriptors",
		[FRAME_BAD_ID]     = "frame has an id that its kind forbids",
	};

	return (unsigned)result < FRAME_RESULT_N ? texts[result] : "frame result unknown";
}
