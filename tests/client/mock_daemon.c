#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "mock_daemon.h"

#define DISK_LEN (MOCK_BLOCKS * MOCK_BLOCK)

void
mock_init(struct mock *m)
{
	memset(m, 0, sizeof(*m));
	m->fd = -1;
	m->listen_fd = -1;
	m->role = SCSAC_ROLE_ADMIN;
	m->disk = calloc(1, DISK_LEN);
	m->in = malloc(MOCK_IN_LEN);
	ck_assert(m->disk != NULL && m->in != NULL);
	arena_init(&m->arena, ARENA_FACTOR_REQUEST);
}

void
mock_fini(struct mock *m)
{
	free(m->disk);
	free(m->in);
	arena_fini(&m->arena);
}

void
mock_raw(struct mock *m, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len > 0) {
		ssize_t n = send(m->fd, at, len, MSG_NOSIGNAL);

		if (n < 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

void
mock_raw_fds(struct mock *m, const void *bytes, size_t len, const int *fds, unsigned n)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	ck_assert_uint_le(n, 4);
	if (n > 0) {
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, n * sizeof(int));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
	}
	ck_assert_int_eq(sendmsg(m->fd, &msg, MSG_NOSIGNAL), (ssize_t)len);
}

unsigned
mock_fds_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n;
}

void
mock_send(struct mock *m, const struct frame_head *head, const ProtobufCMessage *msg,
    const void *data)
{
	static uint8_t buf[FRAME_HEAD_LEN + PROTO_MESSAGE_MAX];
	ptrdiff_t n = frame_pack(buf, sizeof(buf), head, msg);

	ck_assert_int_gt(n, 0);
	mock_raw(m, buf, (size_t)n);
	if (head->data_len > 0)
		mock_raw(m, data, head->data_len);
}

void
mock_reply(struct mock *m, const struct frame *to, const ProtobufCMessage *msg,
    const void *data, uint32_t data_len)
{
	struct frame_head head = { .kind = FRAME_KIND_REPLY, .data_len = data_len };

	head.method = to->head.method;
	head.id = to->head.id;
	mock_send(m, &head, msg, data);
}

void
mock_error(struct mock *m, uint32_t id, Scsad__ErrorCode code, const char *text)
{
	Scsad__Error msg = SCSAD__ERROR__INIT;
	struct frame_head head = { .kind = FRAME_KIND_ERROR, .id = id };

	msg.has_code = 1;
	msg.code = code;
	msg.text = (char *)(uintptr_t)text;
	mock_send(m, &head, &msg.base, NULL);
}

void *
mock_unpack(struct mock *m, const struct frame *frame)
{
	const struct method_info *method = method_find(frame->head.method);
	ProtobufCMessage *msg = NULL;
	struct msg_fault fault = { "", "", "" };
	int r;

	ck_assert_ptr_nonnull(method);
	r = msg_unpack(&m->arena, method->request, frame->msg, frame->head.msg_len, &msg,
	    &fault);
	ck_assert_msg(r == 0, "%s.%s: %s", fault.message, fault.field, fault.what);
	return msg;
}

void
mock_hello(struct mock *m, const struct frame *frame)
{
	Scsad__HelloReply msg = SCSAD__HELLO_REPLY__INIT;
	Scsad__Limits limits = SCSAD__LIMITS__INIT;
	uint8_t instance[SCSAC_INSTANCE_LEN] = { 1, 2, 3 };

	msg.version = (char *)(uintptr_t)"9.9";
	msg.has_major = 1;
	msg.major = PROTO_MAJOR;
	msg.has_role = 1;
	msg.role = (Scsad__Role)m->role;
	msg.has_instance = 1;
	msg.instance.len = sizeof(instance);
	msg.instance.data = instance;
	msg.has_generation = 1;
	msg.generation = 42;
	limits.has_requests_max = m->packets_max > 0;
	limits.requests_max = m->packets_max;
	limits.has_data_bytes_max = m->data_max > 0;
	limits.data_bytes_max = m->data_max;
	msg.limits = &limits;
	mock_reply(m, frame, &msg.base, NULL, 0);
}

static void
unit_fill(Scsad__Unit *unit, Scsad__Identity *identity, Scsad__Address *address, char **aliases)
{
	scsad__unit__init(unit);
	scsad__identity__init(identity);
	scsad__address__init(address);
	unit->path = (char *)(uintptr_t)"soft0/iport0/disk@0,0";
	aliases[0] = (char *)(uintptr_t)"naa.3000000000000001";
	unit->aliases = aliases;
	unit->n_aliases = 1;
	identity->vendor = (char *)(uintptr_t)"SCSAD";
	identity->product = (char *)(uintptr_t)"mock \x1b[31mdisk";
	identity->revision = (char *)(uintptr_t)"0001";
	identity->serial = (char *)(uintptr_t)"SN1";
	address->hba = (char *)(uintptr_t)"soft0";
	address->iport = (char *)(uintptr_t)"iport0";
	address->target = (char *)(uintptr_t)"0";
	unit->identity = identity;
	unit->address = address;
	unit->has_blocks = 1;
	unit->blocks = MOCK_BLOCKS;
	unit->has_block_bytes = 1;
	unit->block_bytes = MOCK_BLOCK;
	unit->state = (char *)(uintptr_t)"active";
}

/* two replies: one unit each, an HBA in the second */
static void
reply_list(struct mock *m, const struct frame *frame)
{
	struct frame_head head = { .kind = FRAME_KIND_REPLY, .has_more = true };
	Scsad__ListReply msg = SCSAD__LIST_REPLY__INIT;
	Scsad__Identity identity;
	Scsad__Address address;
	Scsad__Unit unit;
	Scsad__Unit *units[1] = { &unit };
	Scsad__Hba hba = SCSAD__HBA__INIT;
	Scsad__Hba *hbas[1] = { &hba };
	char *aliases[1];

	head.id = frame->head.id;
	head.method = frame->head.method;
	unit_fill(&unit, &identity, &address, aliases);
	msg.units = units;
	msg.n_units = 1;
	mock_send(m, &head, &msg.base, NULL);
	unit.path = (char *)(uintptr_t)"soft0/iport0/disk@1,0";
	hba.name = (char *)(uintptr_t)"soft0";
	hba.driver = (char *)(uintptr_t)"soft";
	hba.state = (char *)(uintptr_t)"ready";
	hba.has_units = 1;
	hba.units = 2;
	msg.hbas = hbas;
	msg.n_hbas = 1;
	mock_tree_reply(m, frame, &msg);
}

static uint64_t
handle_of(const char *name)
{
	static const struct {
		const char *prefix;
		uint64_t base;
	} rows[] = { { "key-", 0x100 }, { "status-", 0x200 }, { "reason-", 0x300 } };

	if (strcmp(name, "disk") == 0)
		return MOCK_HANDLE;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].prefix);

		if (strncmp(name, rows[i].prefix, len) == 0)
			return rows[i].base + strtoul(name + len, NULL, 16);
	}
	return 0;
}

static void
reply_ambiguous(struct mock *m, uint32_t id)
{
	Scsad__Error msg = SCSAD__ERROR__INIT;
	struct frame_head head = { .kind = FRAME_KIND_ERROR, .id = id };
	char *candidates[2] = { (char *)(uintptr_t)"soft0/a", (char *)(uintptr_t)"soft0/b" };

	msg.has_code = 1;
	msg.code = SCSAD__ERROR_CODE__ERR_AMBIGUOUS;
	msg.text = (char *)(uintptr_t)"'ambiguous' fits 2 units";
	msg.hint = (char *)(uintptr_t)"name one of the candidates";
	msg.candidates = candidates;
	msg.n_candidates = 2;
	mock_send(m, &head, &msg.base, NULL);
}

static void
reply_open(struct mock *m, const struct frame *frame)
{
	const Scsad__OpenRequest *req = mock_unpack(m, frame);
	const char *name = req->name != NULL ? req->name : "";
	Scsad__OpenReply msg = SCSAD__OPEN_REPLY__INIT;
	Scsad__Identity identity;
	Scsad__Address address;
	Scsad__Unit unit;
	char *aliases[1];

	if (strcmp(name, "ambiguous") == 0) {
		reply_ambiguous(m, frame->head.id);
		return;
	}
	msg.has_handle = 1;
	msg.handle = handle_of(name);
	if (msg.handle == 0) {
		mock_error(m, frame->head.id, SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT,
		    "no such unit");
		return;
	}
	unit_fill(&unit, &identity, &address, aliases);
	msg.unit = &unit;
	mock_reply(m, frame, &msg.base, NULL, 0);
}

static void
reply_simple(struct mock *m, const struct frame *frame)
{
	Scsad__Counter counter = SCSAD__COUNTER__INIT;
	Scsad__Counter *counters[1] = { &counter };
	Scsad__StatusReply status = SCSAD__STATUS_REPLY__INIT;
	Scsad__Isns isns = SCSAD__ISNS__INIT;

	isns.server = (char *)(uintptr_t)"isns.example";
	isns.has_registered = isns.registered = 1;
	isns.has_targets = 1;
	isns.targets = 3;
	status.isns = &isns;
	counter.name = (char *)(uintptr_t)"packets";
	counter.has_value = 1;
	counter.value = 12;
	status.version = (char *)(uintptr_t)"9.9";
	status.state = (char *)(uintptr_t)"running";
	status.has_uptime_ms = 1;
	status.uptime_ms = 61000;
	status.has_pid = 1;
	status.pid = 4711;
	status.counters = counters;
	status.n_counters = 1;
	mock_reply(m, frame, &status.base, NULL, 0);
}

static void
reply_show(struct mock *m, const struct frame *frame)
{
	const Scsad__ShowRequest *req = mock_unpack(m, frame);
	Scsad__ShowReply msg = SCSAD__SHOW_REPLY__INIT;
	Scsad__Detail detail = SCSAD__DETAIL__INIT;
	Scsad__Detail *details[2] = { &detail, &detail };
	Scsad__Counter counter = SCSAD__COUNTER__INIT;
	Scsad__Counter *counters[1] = { &counter };

	if (req->path == NULL || handle_of(req->path) == 0) {
		mock_error(m, frame->head.id, SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT,
		    "nothing there");
		return;
	}
	detail.group = (char *)(uintptr_t)"identity";
	detail.key = (char *)(uintptr_t)"vendor";
	detail.value = (char *)(uintptr_t)"SCSAD";
	counter.name = (char *)(uintptr_t)"reads";
	msg.path = req->path;
	msg.kind = (char *)(uintptr_t)"unit";
	msg.details = details;
	msg.n_details = 2;
	msg.counters = counters;
	msg.n_counters = 1;
	mock_reply(m, frame, &msg.base, NULL, 0);
}

static size_t
inquiry_fill(uint8_t data[36])
{
	memset(data, ' ', 36);
	memcpy(data, "\0\0\6\2\37\0\0\2", 8);
	memcpy(data + 8, "SCSAD   mock disk       0001", 28);
	return 36;
}

static void
reply_probe(struct mock *m, const struct frame *frame)
{
	const Scsad__ProbeRequest *req = mock_unpack(m, frame);
	Scsad__ProbeReply msg = SCSAD__PROBE_REPLY__INIT;
	uint8_t inquiry[36];

	msg.has_result = 1;
	msg.result = req->target != NULL && strcmp(req->target, "0") != 0 ? 2 : 0;
	if (msg.result == 0) {
		msg.has_inquiry = 1;
		msg.inquiry.len = inquiry_fill(inquiry);
		msg.inquiry.data = inquiry;
		msg.path = (char *)(uintptr_t)"soft0/iport0/disk@0,0";
	}
	mock_reply(m, frame, &msg.base, NULL, 0);
}

static void
reply_caps(struct mock *m, const struct frame *frame)
{
	const Scsad__GetCapRequest *req = mock_unpack(m, frame);
	Scsad__GetCapReply msg = SCSAD__GET_CAP_REPLY__INIT;
	Scsad__Cap cap = SCSAD__CAP__INIT;
	Scsad__Cap *caps[2] = { &cap, &cap };

	cap.name = (char *)(uintptr_t)"lun-reset";
	cap.has_value = 1;
	cap.value = 1;
	cap.has_can_set = 1;
	cap.can_set = 1;
	if (req->name != NULL && req->name[0] != '\0') {
		cap.name = req->name;
		cap.value = strcmp(req->name, "lun-reset") == 0 ? 1 : -1;
	}
	msg.caps = caps;
	msg.n_caps = req->name != NULL && req->name[0] != '\0' ? 1 : 2;
	mock_reply(m, frame, &msg.base, NULL, 0);
}

static void
reply_setcap(struct mock *m, const struct frame *frame)
{
	const Scsad__SetCapRequest *req = mock_unpack(m, frame);
	Scsad__SetCapReply msg = SCSAD__SET_CAP_REPLY__INIT;

	msg.has_result = 1;
	msg.result = strcmp(req->name, "lun-reset") != 0 ? -1 : req->value == 1;
	mock_reply(m, frame, &msg.base, NULL, 0);
}

static void
reply_control(struct mock *m, const struct frame *frame)
{
	const ProtobufCMessageDescriptor *desc = method_find(frame->head.method)->reply;
	Scsad__ResetReply reset = SCSAD__RESET_REPLY__INIT;
	Scsad__AbortReply aborted = SCSAD__ABORT_REPLY__INIT;
	Scsad__Done done = SCSAD__DONE__INIT;

	reset.has_is_done = 1;
	reset.is_done = 1;
	reset.has_returned = 1;
	reset.returned = 3;
	aborted.has_aborted = 1;
	aborted.aborted = 2;
	if (desc == &scsad__reset_reply__descriptor)
		mock_reply(m, frame, &reset.base, NULL, 0);
	else if (desc == &scsad__abort_reply__descriptor)
		mock_reply(m, frame, &aborted.base, NULL, 0);
	else
		mock_reply(m, frame, &done.base, NULL, 0);
}

static void
reply_subscribe(struct mock *m, const struct frame *frame)
{
	static const struct frame_head head = {
		.kind = FRAME_KIND_EVENT, .method = METHOD_SUBSCRIBE
	};
	Scsad__Event event = SCSAD__EVENT__INIT;

	reply_control(m, frame);
	for (int kind = 1; kind <= SCSAC_EVENT_LOST; kind++) {
		event.has_kind = 1;
		event.kind = (Scsad__EventKind)kind;
		event.has_seq = 1;
		event.seq = (uint64_t)kind;
		event.has_lost = 1;
		event.lost = kind == SCSAC_EVENT_LOST ? 5 : 0;
		event.subject = (char *)(uintptr_t)"soft0";
		event.text = (char *)(uintptr_t)"text";
		mock_send(m, &head, &event.base, NULL);
	}
}

static void
reply_fault(struct mock *m, const struct frame *frame)
{
	Scsad__FaultAddReply added = SCSAD__FAULT_ADD_REPLY__INIT;
	Scsad__FaultListReply list = SCSAD__FAULT_LIST_REPLY__INIT;
	Scsad__FaultClearReply cleared = SCSAD__FAULT_CLEAR_REPLY__INIT;
	Scsad__FaultRule rule = SCSAD__FAULT_RULE__INIT;
	Scsad__FaultRule *rules[1] = { &rule };
	static const uint8_t good[] = "action=";

	/* the text of an add stands in it as it is */
	if (frame->head.method == METHOD_FAULT_ADD &&
	    memmem(frame->msg, frame->head.msg_len, good, sizeof(good) - 1) == NULL) {
		mock_error(m, frame->head.id, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE,
		    "'acton': no such word");
		return;
	}
	added.has_id = 1;
	added.id = 11;
	rule.has_id = 1;
	rule.id = 11;
	rule.hba = (char *)(uintptr_t)"soft0";
	rule.text = (char *)(uintptr_t)"action=busy";
	list.rules = rules;
	list.n_rules = 1;
	cleared.has_cleared = 1;
	cleared.cleared = 1;
	if (frame->head.method == METHOD_FAULT_ADD)
		mock_reply(m, frame, &added.base, NULL, 0);
	else if (frame->head.method == METHOD_FAULT_LIST)
		mock_reply(m, frame, &list.base, NULL, 0);
	else
		mock_reply(m, frame, &cleared.base, NULL, 0);
}

/* what the disk answers: bytes of data, or a sense key below zero */
struct answer {
	int key;
	const void *data;
	size_t len;
};

static struct answer
disk_blocks(struct mock *m, const Scsad__SubmitRequest *req, const struct frame *frame)
{
	const uint8_t *cdb = req->cdb.data;
	bool is_16 = cdb[0] >= 0x80;
	uint64_t lba = is_16 ? be64_get(cdb + 2) : be32_get(cdb + 2);
	uint32_t blocks = is_16 ? be32_get(cdb + 10) : be16_get(cdb + 7);
	uint8_t *at = m->disk + lba * MOCK_BLOCK;
	size_t len = (size_t)blocks * MOCK_BLOCK;

	if (lba > MOCK_BLOCKS || blocks > MOCK_BLOCKS - lba)
		return (struct answer){ .key = 5 };
	if ((cdb[0] & 0x1f) == 0x08)
		return (struct answer){ .data = at, .len = len };
	if (len != frame->data_here && frame->data_here > 0)
		return (struct answer){ .key = 5 };
	if ((cdb[0] & 0x1f) == 0x0f)
		return (struct answer){
			.key = frame->data_here > 0 &&
			    memcmp(at, frame->data, len) != 0 ? 0xe : 0
		};
	memcpy(at, frame->data, len);
	return (struct answer){ 0 };
}

static struct answer
disk_inquiry(const uint8_t *cdb)
{
	static uint8_t data[64];

	memset(data, 0, sizeof(data));
	if ((cdb[1] & 1) == 0)
		return (struct answer){ .data = data, .len = inquiry_fill(data) };
	data[1] = cdb[2];
	if (cdb[2] == 0x00) {
		data[3] = 2;
		data[5] = 0x80;
		return (struct answer){ .data = data, .len = 6 };
	}
	if (cdb[2] != 0x80)
		return (struct answer){ .key = 5 };
	data[3] = 3;
	memcpy(data + 4, "SN1", 3);
	return (struct answer){ .data = data, .len = 7 };
}

static struct answer
disk_answer(struct mock *m, const Scsad__SubmitRequest *req, const struct frame *frame)
{
	static uint8_t data[32];
	const uint8_t *cdb = req->cdb.data;

	memset(data, 0, sizeof(data));
	switch (cdb[0]) {
	case 0x00:
	case 0x35:
	case 0x91:
		return (struct answer){ 0 };
	case 0x12:
		return disk_inquiry(cdb);
	case 0x25:
		be32_put(data, MOCK_BLOCKS - 1);
		be32_put(data + 4, MOCK_BLOCK);
		return (struct answer){ .data = data, .len = 8 };
	case 0x9e:
		be64_put(data, MOCK_BLOCKS - 1);
		be32_put(data + 8, MOCK_BLOCK);
		return (struct answer){ .data = data, .len = 32 };
	case 0xa0:
		be32_put(data, 16);
		data[17] = 1;
		return (struct answer){ .data = data, .len = 24 };
	case 0x28:
	case 0x2a:
	case 0x2f:
	case 0x88:
	case 0x8a:
	case 0x8f:
		return disk_blocks(m, req, frame);
	default:
		return (struct answer){ .key = 5 };
	}
}

static void
reply_sense(struct mock *m, const struct frame *frame, uint32_t resid, uint8_t key)
{
	Scsad__Completion msg = SCSAD__COMPLETION__INIT;
	uint8_t sense[18] = { 0x70, 0, key, 0, 0, 0, 0, 10 };

	if (key == 5) {
		sense[12] = 0x24;
	}
	msg.has_state = 1;
	msg.state = 0x3f;
	msg.has_scsi_status = 1;
	msg.scsi_status = 2;
	msg.has_resid = 1;
	msg.resid = resid;
	msg.has_sense = 1;
	msg.sense.len = sizeof(sense);
	msg.sense.data = sense;
	mock_reply(m, frame, &msg.base, NULL, 0);
}

static void
reply_submit(struct mock *m, const struct frame *frame)
{
	const Scsad__SubmitRequest *req = mock_unpack(m, frame);
	Scsad__Completion msg = SCSAD__COMPLETION__INIT;
	struct answer answer = { 0 };
	uint32_t n;

	m->submits++;
	ck_assert_int_eq(msg_check_submit(req, frame->head.data_len, PROTO_DATA_MAX, NULL), 0);
	if (req->handle >> 8 == 1) {
		reply_sense(m, frame, req->data_len, (uint8_t)req->handle);
		return;
	}
	if (req->handle == MOCK_HANDLE)
		answer = disk_answer(m, req, frame);
	else if (req->handle >> 8 < 1 || req->handle >> 8 > 3) {
		mock_error(m, frame->head.id, SCSAD__ERROR_CODE__ERR_STALE_HANDLE,
		    "stale handle");
		return;
	}
	if (answer.key > 0) {
		reply_sense(m, frame, req->data_len, (uint8_t)answer.key);
		return;
	}
	n = (uint32_t)(answer.len < req->data_len ? answer.len : req->data_len);
	msg.has_state = 1;
	msg.state = 0x1f;
	msg.has_reason = req->handle >> 8 == 3;
	msg.reason = msg.has_reason ? (uint32_t)req->handle & 0xff : 0;
	msg.has_scsi_status = 1;
	msg.scsi_status = req->handle >> 8 == 2 ? (uint32_t)req->handle & 0xff : 0;
	msg.has_resid = 1;
	msg.resid = req->direction == SCSAD__DIRECTION__DIR_OUT ? 0 : req->data_len - n;
	msg.has_duration_ns = 1;
	msg.duration_ns = 1234;
	mock_reply(m, frame, &msg.base, answer.data, n);
}

static void
mock_answer(struct mock *m, const struct frame *frame)
{
	static void (*const answers[METHOD_N])(struct mock *, const struct frame *) = {
		[METHOD_HELLO] = mock_hello,
		[METHOD_STATUS] = reply_simple,
		[METHOD_LIST] = reply_list,
		[METHOD_SHOW] = reply_show,
		[METHOD_PROBE] = reply_probe,
		[METHOD_OPEN] = reply_open,
		[METHOD_CLOSE] = reply_control,
		[METHOD_SUBMIT] = reply_submit,
		[METHOD_ABORT] = reply_control,
		[METHOD_RESET] = reply_control,
		[METHOD_GETCAP] = reply_caps,
		[METHOD_SETCAP] = reply_setcap,
		[METHOD_SUBSCRIBE] = reply_subscribe,
		[METHOD_FAULT_ADD] = reply_fault,
		[METHOD_FAULT_LIST] = reply_fault,
		[METHOD_FAULT_CLEAR] = reply_fault,
		[METHOD_TARGET_ADD] = mock_change,
		[METHOD_TARGET_REMOVE] = mock_change,
		[METHOD_LUN_ADD] = mock_change,
		[METHOD_LUN_REMOVE] = mock_change,
		[METHOD_EXPANDER_ADD] = mock_change,
		[METHOD_PHY_UP] = mock_change,
		[METHOD_PHY_DOWN] = mock_change,
		[METHOD_SMP] = mock_smp,
		[METHOD_EXPORT_LIST] = mock_export_list,
		[METHOD_EXPORT_CHANGE] = mock_export_change,
		[METHOD_EXPORT_RELOAD] = mock_export_reload,
		[METHOD_SESSION_LIST] = mock_session,
		[METHOD_SESSION_CLOSE] = mock_session,
		[METHOD_RESERVE_STATUS] = mock_reserve,
		[METHOD_RESIZE] = mock_change,
		[METHOD_RESCAN] = mock_rescan,
	};

	if (m->hook != NULL && m->hook(m, frame))
		return;
	answers[frame->head.method](m, frame);
}

static void
mock_serve(struct mock *m)
{
	static const struct frame_limits limits = { PROTO_MESSAGE_MAX, PROTO_DATA_MAX };
	size_t len = 0;

	for (;;) {
		struct frame frame;
		ssize_t n;

		while (m->fd >= 0 && frame_next(m->in, len, &limits, &frame) == FRAME_READY) {
			mock_answer(m, &frame);
			len -= frame.len;
			memmove(m->in, m->in + frame.len, len);
		}
		if (m->fd < 0)
			return;
		n = recv(m->fd, m->in + len, MOCK_IN_LEN - len, 0);
		if (n <= 0)
			return;
		len += (size_t)n;
	}
}

static void *
mock_thread(void *arg)
{
	struct mock *m = arg;

	if (m->listen_fd < 0) {
		mock_serve(m);
		return NULL;
	}
	while ((m->fd = accept(m->listen_fd, NULL, NULL)) >= 0) {
		mock_serve(m);
		close_fd(&m->fd);
	}
	return NULL;
}

int
mock_start(struct mock *m)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	m->fd = fds[0];
	ck_assert_int_eq(pthread_create(&m->thread, NULL, mock_thread, m), 0);
	return fds[1];
}

void
mock_listen(struct mock *m, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	m->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(m->listen_fd, 0);
	ck_assert_int_eq(bind(m->listen_fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(m->listen_fd, 8), 0);
	ck_assert_int_eq(pthread_create(&m->thread, NULL, mock_thread, m), 0);
}

void
mock_stop(struct mock *m)
{
	if (m->listen_fd >= 0)
		(void)shutdown(m->listen_fd, SHUT_RDWR);
	ck_assert_int_eq(pthread_join(m->thread, NULL), 0);
	close_fd(&m->listen_fd);
	close_fd(&m->fd);
}

struct scsac *
mock_connect(struct mock *m)
{
	struct scsac *c = NULL;
	int fd = mock_start(m);

	ck_assert_int_eq(scsac_new("test", &c), 0);
	ck_assert_int_eq(scsac_start_fd(c, fd), 0);
	ck_assert_int_eq(scsac_connect(c, NULL), 0);
	ck_assert(scsac_is_ready(c));
	return c;
}
