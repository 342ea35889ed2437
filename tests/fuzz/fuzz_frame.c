/*
 * fuzz_frame.c - a byte stream as a client or a daemon would receive it
 *
 * Frames are cut out of the input, their messages unpacked and checked as the method's row says;
 * what was accepted is packed again and must be accepted again. The arena's cap is checked.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "proto/limits.h"
#include "proto/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
repack(const struct frame *f, const ProtobufCMessage *msg)
{
	static uint8_t out[FRAME_HEAD_LEN + PROTO_MESSAGE_MAX];
	const struct frame_limits limits = { PROTO_MESSAGE_MAX, PROTO_DATA_MAX };
	struct frame again;
	ptrdiff_t n = frame_pack(out, sizeof(out), &f->head, msg);

	if (n < 0)
		return;
	assert(frame_peek(out, (size_t)n, &limits, &again) == FRAME_READY);
	assert(again.head.method == f->head.method && again.head.id == f->head.id);
	assert(again.head.data_len == f->head.data_len);
}

static void
take(const struct frame *f)
{
	const struct method_info *m = method_find(f->head.method);
	const ProtobufCMessageDescriptor *desc;
	struct msg_fault fault;
	ProtobufCMessage *msg;
	struct arena arena;
	char text[200];
	int r;

	if (m == NULL)
		return;
	switch (f->head.kind) {
	case FRAME_KIND_REQUEST:
		desc = m->request;
		break;
	case FRAME_KIND_REPLY:
		desc = m->reply;
		break;
	case FRAME_KIND_EVENT:
		desc = &scsad__event__descriptor;
		break;
	case FRAME_KIND_ERROR:
		desc = &scsad__error__descriptor;
		break;
	default:
		abort();
	}
	arena_init(&arena,
	    f->head.kind == FRAME_KIND_REQUEST ? ARENA_FACTOR_REQUEST : ARENA_FACTOR_REPLY);
	r = msg_unpack(&arena, desc, f->msg, f->head.msg_len, &msg, &fault);
	if (r == 0) {
		assert(arena.used <= arena.cap);
		if (desc == &scsad__submit_request__descriptor &&
		    msg_check_submit((const Scsad__SubmitRequest *)(const void *)msg,
		        f->head.data_len, PROTO_DATA_DEFAULT, &fault) < 0)
			assert(strlen(msg_fault_text(&fault, text, sizeof(text))) > 0);
		repack(f, msg);
	} else if (r == -EINVAL) {
		assert(strlen(msg_fault_text(&fault, text, sizeof(text))) > 0);
	}
	arena_fini(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct frame_limits limits = { PROTO_MESSAGE_MAX, PROTO_DATA_DEFAULT };
	struct frame f;

	for (;;) {
		enum frame_result r = frame_next(data, size, &limits, &f);

		if (r != FRAME_READY) {
			assert(frame_result_text(r) != NULL);
			break;
		}
		assert(f.len <= size && f.head.msg_len + f.head.data_len + FRAME_HEAD_LEN == f.len);
		take(&f);
		data += f.len;
		size -= f.len;
	}
	return 0;
}
