/* whatever a target sends: the connection is up, or dead with a reason; nothing else is
 * harmed */
#include <poll.h>
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "hw/iscsi/wire.h"
#include "mock_far.h"

static unsigned int answers, tasks;
static struct wire_answer last;

static void
answered(void *arg, void *cmd, const struct wire_answer *answer)
{
	ck_assert_ptr_eq(cmd, arg);
	last = *answer;
	answers++;
}

static void
tmf_answered(void *arg, struct wire_tmf *tmf, uint8_t response)
{
	(void)arg;
	(void)tmf;
	(void)response;
	tasks++;
}

static const struct wire_ops ops = { answered, tmf_answered };
static struct iscsi_hba_target target;
static uint8_t buf[65536];
static struct far *far;
static struct wire *wire;

static void
prepare(void)
{
	iscsi_hba_target_init(&target);
	memcpy(target.name, FAR_NAME, sizeof(FAR_NAME));
}

static void
turn(void)
{
	struct pollfd fd = { .fd = wire_fd(wire), .events = wire_events(wire) };

	ck_assert_int_gt(poll(&fd, 1, -1), 0);
	wire_service(wire, fd.revents);
}

static void
begin(void)
{
	struct wire_conf conf = { .portal = far->portal, .initiator = "iqn.2026-11.test:me",
		.target = &target, .ops = &ops, .arg = buf };
	char err[WIRE_ERR_LEN];

	answers = tasks = 0;
	ck_assert_int_eq(wire_open(&conf, &wire, err), 0);
	while (wire_state(wire) == WIRE_CONNECTING || wire_state(wire) == WIRE_LOGIN)
		turn();
}

static void
end(void)
{
	wire_close(wire);
	far_close(far);
}

static struct wire_slot *
give(uint8_t op, enum wire_dir dir, size_t bytes)
{
	uint8_t cdb[10] = { op, 0, 0, 0, 0, 0, 0, 0, (uint8_t)(bytes / 512) };
	struct iovec iov = { buf, bytes };
	struct wire_command command = { .cmd = buf, .cdb = cdb, .cdb_len = sizeof(cdb),
		.dir = dir, .iov = &iov, .niov = bytes > 0, .bytes = bytes };

	ck_assert(wire_can_send(wire));
	return wire_send(wire, &command);
}

/* the lies: what comes instead of the answer to a command */
static const struct lie {
	const char *name;
	uint8_t hdr[FAR_HDR];
	uint8_t op;			/* of the command */
	uint32_t offset, len, room;	/* bytes 40, 44 and the command's data */
	uint32_t data;			/* bytes that come with it */
	int tag;			/* added to the command's */
	bool is_quiet;			/* no lie: the connection stays */
} lies[] = {
	{ .name = "data that was not asked for", .hdr = { 0x25 }, .op = 0x00, .data = 512 },
	{ .name = "data for a write", .hdr = { 0x25 }, .op = 0x2a, .room = 512, .data = 4 },
	{ .name = "data beyond the end", .hdr = { 0x25 }, .op = 0x28, .room = 512, .data = 512,
	    .offset = 4 },
	{ .name = "data far beyond the end", .hdr = { 0x25 }, .op = 0x28, .room = 512,
	    .data = 512, .offset = 0xfffffff0 },
	{ .name = "data of nobody", .hdr = { 0x25 }, .op = 0x28, .room = 512, .data = 512,
	    .tag = 1000 },
	{ .name = "R2T for a read", .hdr = { 0x31, 0x80 }, .op = 0x28, .room = 512, .len = 512 },
	{ .name = "R2T for nobody", .hdr = { 0x31, 0x80 }, .op = 0x2a, .room = 512, .len = 512,
	    .tag = 1000 },
	{ .name = "R2T beyond the end", .hdr = { 0x31, 0x80 }, .op = 0x2a, .room = 512,
	    .offset = 512, .len = 1 },
	{ .name = "R2T for everything there is", .hdr = { 0x31, 0x80 }, .op = 0x2a,
	    .room = 512, .len = 0xffffffff },
	{ .name = "R2T for nothing", .hdr = { 0x31, 0x80 }, .op = 0x2a, .room = 512 },
	{ .name = "answer to nobody", .hdr = { 0x21, 0x80 }, .op = 0x00, .tag = 7 },
	{ .name = "additional header", .hdr = { 0x21, 0x80, 0, 0, 1 }, .op = 0x00 },
	{ .name = "a request", .hdr = { 0x01, 0x80 }, .op = 0x00 },
	{ .name = "no opcode there is", .hdr = { 0x2f, 0x80 }, .op = 0x00 },
	{ .name = "answer of another kind", .hdr = { 0x22, 0x80 }, .op = 0x00 },
	{ .name = "a reject of nothing", .hdr = { 0x3f, 0x80, 4 }, .op = 0x00, .data = 48 },
	{ .name = "a reject that is cut", .hdr = { 0x3f, 0x80, 4 }, .op = 0x00, .data = 12 },
	{ .name = "a NOP-In of its own", .hdr = { 0x20, 0x80 }, .op = 0x00, .is_quiet = true },
	{ .name = "an event", .hdr = { 0x32, 0x80 }, .op = 0x00, .is_quiet = true },
	{ .name = "an event there is not", .hdr = { 0x32, 0x80 }, .op = 0x00,
	    .offset = 0, .tag = -1 },
};

static const struct lie *lie;

static bool
tell_lie(struct far *f, const struct far_pdu *pdu)
{
	uint8_t hdr[FAR_HDR], data[512] = { 0 };

	if ((pdu->hdr[0] & 0x3f) != 0x01)
		return false;
	memcpy(hdr, lie->hdr, sizeof(hdr));
	be32_put(hdr + 16, be32_get(pdu->hdr + 16) + (uint32_t)lie->tag);
	be32_put(hdr + 40, lie->offset);
	be32_put(hdr + 44, lie->len);
	if (hdr[0] == 0x20)
		be32_put(hdr + 16, 0xffffffff);
	if (hdr[0] == 0x32 && !lie->is_quiet)
		hdr[36] = 99;
	if (lie->data > 0 || hdr[4] == 0) {
		far_put(f, hdr, data, lie->data);
		return true;
	}
	far_raw(f, hdr, sizeof(hdr));
	return true;
}

static void
one_lie(const struct lie *now)
{
	static const enum wire_dir dirs[256] = { [0x28] = WIRE_IN, [0x2a] = WIRE_OUT };

	lie = now;
	far = far_open();
	prepare();
	begin();
	ck_assert_int_eq(wire_state(wire), WIRE_UP);
	atomic_store(&far->hook, tell_lie);
	ck_assert_ptr_nonnull(give(lie->op, dirs[lie->op], lie->room));
	if (lie->is_quiet) {
		turn();
		ck_assert_msg(wire_state(wire) == WIRE_UP, "%s: %s", lie->name,
		    wire_error(wire));
	} else {
		while (wire_state(wire) == WIRE_UP)
			turn();
		ck_assert_msg(wire_error(wire)[0] != '\0', "%s", lie->name);
		ck_assert_uint_le(answers, 1);
	}
	end();
}

START_TEST(all_lies)
{
	for (size_t i = 0; i < ARRAY_LEN(lies); i++)
		one_lie(&lies[i]);
}
END_TEST

/* the tag of a NOP-Out, as if it were a command */
static bool
lie_about_nop(struct far *f, const struct far_pdu *pdu)
{
	uint8_t hdr[FAR_HDR] = { 0x25 }, data[8] = { 0 };

	if ((pdu->hdr[0] & 0x3f) != 0x00)
		return false;
	memcpy(hdr + 16, pdu->hdr + 16, 4);
	far_put(f, hdr, data, sizeof(data));
	return true;
}

static bool
r2t_for_nop(struct far *f, const struct far_pdu *pdu)
{
	uint8_t hdr[FAR_HDR] = { 0x31, 0x80 };

	if ((pdu->hdr[0] & 0x3f) != 0x00)
		return false;
	memcpy(hdr + 16, pdu->hdr + 16, 4);
	be32_put(hdr + 44, 512);
	far_put(f, hdr, NULL, 0);
	return true;
}

static void
tag_of_nop(far_hook_fn hook)
{
	far = far_open();
	prepare();
	begin();
	atomic_store(&far->hook, hook);
	ck_assert_int_eq(wire_ping(wire), 0);
	while (wire_state(wire) == WIRE_UP)
		turn();
	ck_assert(wire_is_liar(wire));
	ck_assert_uint_eq(wire_pongs(wire), 0);
	end();
}

START_TEST(tags_of_others)
{
	tag_of_nop(lie_about_nop);
	tag_of_nop(r2t_for_nop);
}
END_TEST

static bool
flood(struct far *f, const struct far_pdu *pdu)
{
	if ((pdu->hdr[0] & 0x3f) != 0x01)
		return false;
	for (int i = 0; i < 2000; i++) {
		uint8_t hdr[FAR_HDR] = { 0x20, 0x80 };

		be32_put(hdr + 16, 0xffffffff);
		far_put(f, hdr, NULL, 0);
	}
	return true;
}

START_TEST(flood_of_nops)
{
	far = far_open();
	prepare();
	begin();
	atomic_store(&far->hook, flood);
	ck_assert_ptr_nonnull(give(0x00, WIRE_NONE, 0));
	while (wire_state(wire) == WIRE_UP)
		turn();
	ck_assert(wire_is_liar(wire));
	end();
}
END_TEST

/* sense whose inner length is larger than what there is */
static bool
long_sense(struct far *f, const struct far_pdu *pdu)
{
	uint8_t sense[20] = { 0x72, 6, 0x29, 0, 0, 0, 0, 0xff, 2, 10, 0x80 };

	if ((pdu->hdr[0] & 0x3f) != 0x01)
		return false;
	far_answer(f, pdu->hdr, 0x02, sense, sizeof(sense));
	return true;
}

START_TEST(sense_is_bounded)
{
	far = far_open();
	prepare();
	begin();
	atomic_store(&far->hook, long_sense);
	ck_assert_ptr_nonnull(give(0x00, WIRE_NONE, 0));
	while (answers == 0)
		turn();
	ck_assert(!last.is_failed);
	ck_assert_uint_eq(last.status, 2);
	ck_assert_uint_eq(last.sense_len, 20);
	end();
}
END_TEST

static bool
target_failure(struct far *f, const struct far_pdu *pdu)
{
	uint8_t hdr[FAR_HDR] = { 0x21, 0x80, 1 };

	if ((pdu->hdr[0] & 0x3f) != 0x01)
		return false;
	memcpy(hdr + 16, pdu->hdr + 16, 4);
	far_put(f, hdr, NULL, 0);
	return true;
}

static bool
condition_met(struct far *f, const struct far_pdu *pdu)
{
	if ((pdu->hdr[0] & 0x3f) != 0x01)
		return false;
	far_answer(f, pdu->hdr, 0x04, NULL, 0);
	return true;
}

/* what libiscsi does not tell */
START_TEST(response_and_status_are_kept)
{
	far = far_open();
	prepare();
	begin();
	atomic_store(&far->hook, target_failure);
	ck_assert_ptr_nonnull(give(0x00, WIRE_NONE, 0));
	while (answers == 0)
		turn();
	ck_assert(last.is_failed);
	atomic_store(&far->hook, condition_met);
	ck_assert_ptr_nonnull(give(0x00, WIRE_NONE, 0));
	while (answers == 1)
		turn();
	ck_assert(!last.is_failed);
	ck_assert_uint_eq(last.status, 4);
	end();
}
END_TEST

static void
number(struct far *f, uint8_t hdr[FAR_HDR], const uint8_t *request)
{
	memcpy(hdr + 16, request + 16, 4);
	be32_put(hdr + 24, f->stat_sn);
	be32_put(hdr + 28, f->exp_cmd_sn);
	be32_put(hdr + 32, f->exp_cmd_sn + 31);
}

/* a write that is answered before its data has been written: the data was asked for in the same
 * breath */
static bool
answer_early(struct far *f, const struct far_pdu *pdu)
{
	uint8_t both[2 * FAR_HDR] = { 0x31, 0x80 };

	if ((pdu->hdr[0] & 0x3f) == 0x05)
		return true;
	if ((pdu->hdr[0] & 0x3f) != 0x01 || pdu->hdr[32] != 0x2a)
		return false;
	number(f, both, pdu->hdr);
	be32_put(both + 40, 8192);
	be32_put(both + 44, 32768);
	both[FAR_HDR] = 0x21;
	both[FAR_HDR + 1] = 0x80;
	number(f, both + FAR_HDR, pdu->hdr);
	f->stat_sn++;
	far_raw(f, both, sizeof(both));
	return true;
}

START_TEST(early_answers)
{
	far = far_open();
	prepare();
	target.depth = 2;
	begin();
	atomic_store(&far->hook, answer_early);
	for (unsigned int i = 0; i < 50; i++) {
		while (!wire_can_send(wire))
			turn();
		ck_assert_ptr_nonnull(give(0x2a, WIRE_OUT, sizeof(buf)));
		while (answers == i)
			turn();
		ck_assert_int_eq(wire_state(wire), WIRE_UP);
	}
	end();
}
END_TEST

/* answers to a login */
static const struct {
	const char *keys;
	size_t len;
	enum iscsi_hba_digest digest;
	bool is_good;
} logins[] = {
#define KEYS(text)	.keys = text, .len = sizeof(text)
	{ KEYS("MaxRecvDataSegmentLength=512"), .is_good = true },
	{ KEYS("MaxRecvDataSegmentLength=511") },
	{ KEYS("MaxRecvDataSegmentLength=0") },
	{ KEYS("MaxRecvDataSegmentLength=-8192") },
	{ KEYS("MaxRecvDataSegmentLength=16777216") },
	{ KEYS("MaxRecvDataSegmentLength=Reject") },
	{ KEYS("FirstBurstLength=Irrelevant"), .is_good = true },
	{ KEYS("HeaderDigest=None"), .digest = ISCSI_HBA_DIGEST_PREFER, .is_good = true },
	{ KEYS("HeaderDigest=None"), .digest = ISCSI_HBA_DIGEST_CRC32C },
	{ KEYS("X"), .is_good = true },
	{ .keys = "no end", .len = 6 },
	{ .keys = "", .len = 0, .is_good = true },
	{ .keys = "", .len = 0, .digest = ISCSI_HBA_DIGEST_CRC32C },
};

START_TEST(login_answers)
{
	for (size_t i = 0; i < ARRAY_LEN(logins); i++) {
		far = far_open();
		far_keys(far, logins[i].keys, logins[i].len);
		prepare();
		target.header_digest = logins[i].digest;
		begin();
		ck_assert_msg((wire_state(wire) == WIRE_UP) == logins[i].is_good, "%s: %s",
		    logins[i].keys, wire_error(wire));
		end();
	}
}
END_TEST

/* the session ends in the midst of everything */
START_TEST(hang_up)
{
	struct wire_tmf tmf;

	far = far_open();
	prepare();
	begin();
	atomic_store(&far->swallow, 10);
	atomic_store(&far->task_answer, FAR_SILENT);
	ck_assert_ptr_nonnull(give(0x28, WIRE_IN, 512));
	ck_assert_ptr_nonnull(give(0x28, WIRE_IN, 512));
	ck_assert_int_eq(wire_task(wire, &tmf, WIRE_LUN_RESET, 0, NULL), 0);
	while (atomic_load(&far->tasks) == 0)
		wire_service(wire, POLLOUT);
	far_hang_up(far);
	while (wire_state(wire) == WIRE_UP)
		turn();
	ck_assert_str_ne(wire_error(wire), "");
	ck_assert_uint_eq(answers + tasks, 0);
	ck_assert(!wire_can_send(wire));
	ck_assert_int_lt(wire_ping(wire), 0);
	ck_assert_int_lt(wire_task(wire, &tmf, WIRE_LUN_RESET, 0, NULL), 0);
	end();
}
END_TEST

CHECK_MAIN("lies end the session", all_lies, tags_of_others, flood_of_nops, sense_is_bounded,
    response_and_status_are_kept, early_answers, login_answers, hang_up)
