/* commands of a unit: those of its device and those answered here, merged (lu/opcodes.h) */
#include "lu/opcodes.h"

#include <string.h>

#include "base/bytes.h"
#include "base/num.h"

#define HDR_LEN		4u
#define DESCR_LEN	8u
#define TIMEOUTS_LEN	12u
#define CTDP		0x02	/* descriptor byte 5: a timeouts descriptor follows */
#define SERVACTV	0x01	/* SERVICE ACTION means something */
#define ONE_CTDP	0x80	/* one command: the same */
#define SUPPORT_NO	0x01
#define SUPPORT_YES	0x03	/* as the standards say */

enum { OPTION_ALL, OPTION_OPCODE, OPTION_WITH_SA, OPTION_EITHER };

/* timeouts of a command answered here: length, and no values */
static const uint8_t no_timeouts[TIMEOUTS_LEN] = { 0, TIMEOUTS_LEN - 2 };

/* ------ what is asked ------ */

static enum opcodes_answer
judge_one(const struct opcodes *o, uint8_t opcode, uint16_t sa, const struct op_info **ret_op)
{
	const struct op_info *op = op_find_sa(opcode, sa);

	if (op == NULL)
		return OPCODES_ASK;
	switch (o->who(o->arg, op)) {
	case OPCODES_DEVICE:
		return OPCODES_ASK;
	case OPCODES_HERE:
		*ret_op = op;
		return OPCODES_ONE;
	case OPCODES_NOBODY:
		break;
	}
	*ret_op = NULL;
	return OPCODES_ONE;
}

enum opcodes_answer
opcodes_judge(const struct opcodes *o, const uint8_t *cdb, struct opcodes_query *ret,
    const struct op_info **ret_op)
{
	uint8_t opcode = cdb[3];
	uint16_t sa = be16_get(cdb + 4);
	bool has_sa = op_has_sa(opcode);

	*ret = (struct opcodes_query){
		.option = cdb[2] & 0x07,
		.opcode = opcode,
		.sa = sa,
		.want_timeouts = (cdb[2] & 0x80) != 0,
	};
	switch (ret->option) {
	case OPTION_ALL:
		return OPCODES_ALL;
	case OPTION_OPCODE:
		return has_sa ? OPCODES_BAD : judge_one(o, opcode, 0, ret_op);
	case OPTION_WITH_SA:
		/* an opcode without rows may have service actions that the device knows */
		if (!has_sa && op_find_sa(opcode, 0) != NULL)
			return OPCODES_BAD;
		return judge_one(o, opcode, sa, ret_op);
	case OPTION_EITHER:
		return judge_one(o, opcode, has_sa ? sa : 0, ret_op);
	default:
		return OPCODES_BAD;
	}
}

/* ------ the list ------ */

/* one command of either source; commands are in the order of their keys */
struct entry {
	uint32_t key;			/* opcode, service action */
	uint16_t cdb_len;
	bool has_sa;
	const uint8_t *timeouts;	/* TIMEOUTS_LEN bytes */
};

static uint32_t
key_of(uint8_t opcode, uint16_t sa)
{
	return (uint32_t)opcode << 16 | sa;
}

/* is the first command behind @last better than @best? Keys of @last are used up */
static bool
is_next(uint32_t key, int64_t last, const struct entry *best, bool has_best)
{
	return (int64_t)key > last && (!has_best || key < best->key);
}

static bool
next_here(const struct opcodes *o, int64_t last, struct entry *best)
{
	bool has = false;

	for (const struct op_info *op = op_next(NULL); op != NULL; op = op_next(op)) {
		uint32_t key = key_of(op->opcode, op->sa);

		if (!is_next(key, last, best, has) || o->who(o->arg, op) != OPCODES_HERE)
			continue;
		*best = (struct entry){ key, op->cdb_len, op->sa_place != OP_SA_NONE,
			no_timeouts };
		has = true;
	}
	return has;
}

/* the descriptor at *@at, and where the next one begins; false at the end */
static bool
device_read(const uint8_t *list, size_t len, size_t *at, struct entry *ret)
{
	const uint8_t *d = list + *at;
	size_t size;

	if (len - *at < DESCR_LEN)
		return false;
	size = DESCR_LEN + ((d[5] & CTDP) != 0 ? TIMEOUTS_LEN : 0);
	if (len - *at < size)
		return false;
	*at += size;
	*ret = (struct entry){
		.key = key_of(d[0], (d[5] & SERVACTV) != 0 ? be16_get(d + 2) : 0),
		.cdb_len = be16_get(d + 6),
		.has_sa = (d[5] & SERVACTV) != 0,
		.timeouts = (d[5] & CTDP) != 0 ? d + DESCR_LEN : no_timeouts,
	};
	return true;
}

static bool
is_from_device(const struct opcodes *o, uint32_t key)
{
	const struct op_info *op = op_find_sa((uint8_t)(key >> 16), (uint16_t)key);

	return op == NULL || o->who(o->arg, op) == OPCODES_DEVICE;
}

static bool
next_device(const struct opcodes *o, const uint8_t *list, size_t len, int64_t last,
    struct entry *best)
{
	size_t at = HDR_LEN;
	bool has = false;
	struct entry e;

	while (device_read(list, len, &at, &e)) {
		if (!is_next(e.key, last, best, has) || !is_from_device(o, e.key))
			continue;
		*best = e;
		has = true;
	}
	return has;
}

struct list {
	uint8_t *buf;
	size_t size;
	size_t at;		/* bytes so far, whether they fitted or not */
};

static void
list_put(struct list *l, const void *bytes, size_t len)
{
	if (l->at < l->size)
		memcpy(l->buf + l->at, bytes, num_min(len, l->size - l->at));
	l->at += len;
}

static void
list_put_entry(struct list *l, const struct entry *e, bool want_timeouts)
{
	uint8_t d[DESCR_LEN] = { (uint8_t)(e->key >> 16) };

	be16_put(d + 2, (uint16_t)e->key);
	d[5] = (uint8_t)((want_timeouts ? CTDP : 0) | (e->has_sa ? SERVACTV : 0));
	be16_put(d + 6, e->cdb_len);
	list_put(l, d, sizeof(d));
	if (want_timeouts)
		list_put(l, e->timeouts, TIMEOUTS_LEN);
}

/* bytes of the device's list that may be believed */
static size_t
device_len(const uint8_t *list, size_t len)
{
	return len < HDR_LEN ? HDR_LEN : num_min(len, (uint64_t)be32_get(list) + HDR_LEN);
}

size_t
opcodes_list(const struct opcodes *o, const void *device, size_t len, bool want_timeouts,
    void *buf, size_t size)
{
	struct list l = { .buf = buf, .size = size, .at = HDR_LEN };
	size_t have = device_len(device, len);
	uint8_t header[HDR_LEN];
	int64_t last = -1;

	/* some hundred commands in the worst case: looking for the next one again and again
	 * needs no memory */
	for (;;) {
		struct entry here = { .key = 0 }, there = { .key = 0 };
		bool has_here = next_here(o, last, &here);
		bool has_there = next_device(o, device, have, last, &there);
		const struct entry *e = has_here && (!has_there || here.key < there.key) ?
		    &here : &there;

		if (!has_here && !has_there)
			break;
		list_put_entry(&l, e, want_timeouts);
		last = e->key;
	}
	be32_put(header, (uint32_t)(l.at - HDR_LEN));
	if (size > 0)
		memcpy(buf, header, num_min(sizeof(header), size));
	return l.at;
}

size_t
opcodes_one(const struct op_info *op, bool want_timeouts, uint8_t buf[OPCODES_ONE_MAX])
{
	size_t len = 0;

	buf[0] = 0;
	buf[1] = SUPPORT_NO;
	if (op != NULL) {
		buf[1] = (uint8_t)(SUPPORT_YES | (want_timeouts ? ONE_CTDP : 0));
		len = op_usage(op, buf + HDR_LEN);
	}
	be16_put(buf + 2, (uint16_t)len);
	if (op == NULL || !want_timeouts)
		return HDR_LEN + len;
	memcpy(buf + HDR_LEN + len, no_timeouts, TIMEOUTS_LEN);
	return HDR_LEN + len + TIMEOUTS_LEN;
}

/* ------ task management ------ */

size_t
opcodes_tmfs(bool is_extended, uint8_t buf[OPCODES_TMFS_MAX])
{
	/* abort task, abort task set, clear task set, logical unit reset, query task, target
	 * reset; query asynchronous event, query task set, I_T nexus reset */
	static const uint8_t data[OPCODES_TMFS_MAX] = { 0xde, 0x07, 0, 12 };

	memcpy(buf, data, sizeof(data));
	if (is_extended)
		return sizeof(data);
	buf[3] = 0;
	return HDR_LEN;
}
