#include "mock_reserve.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

static void
client_gone(struct lu_nexus *nexus)
{
	container_of(nexus, struct rclient, nexus)->n_gone++;
}

struct open_visit {
	struct rclient *c;
	struct lu *unit;
};

static void
open_visit(void *arg)
{
	struct open_visit *v = arg;

	ck_assert_int_eq(lu_nexus_open(&v->c->nexus, v->unit), 0);
}

void
rc_open(struct rclient *c, struct lu *unit, char who, uint16_t rtpi)
{
	struct open_visit v = { c, unit };
	static const uint8_t isid[LU_ISID_LEN] = { 0x80, 1 };
	char name[64];

	memset(c, 0, sizeof(*c));
	(void)snprintf(name, sizeof(name), "iqn.2026-11.test:%c", who);
	ck_assert_int_eq(lu_initiator_isid(&c->id, name, isid), 0);
	c->port.rtpi = rtpi;
	c->nexus.classes = LU_CLASS(OP_POLICY_N) - 1;
	c->nexus.initiator = &c->id;
	c->nexus.port = &c->port;
	c->nexus.gone = client_gone;
	c->nexus.wants_sense = true;
	port_at_home(open_visit, &v);
	ptask_init(&c->t, &c->nexus);
}

static void
leave_visit(void *arg)
{
	lu_nexus_gone(arg);
}

void
rc_leave(struct rclient *c)
{
	port_at_home(leave_visit, &c->nexus);
	for (int i = 0; i < 1000 && c->n_gone == 0; i++)
		sim_advance_us(1000);
	ck_assert_int_eq(c->n_gone, 1);
}

void
rc_send(struct rclient *c, const uint8_t *cdb, uint16_t cdb_len, enum lu_dir dir,
    const void *data, uint32_t len)
{
	struct ptask *t = &c->t;

	ck_assert_uint_le(len, sizeof(t->data));
	ptask_init(t, &c->nexus);
	memcpy(t->lu.cdb, cdb, cdb_len);
	t->lu.cdb_len = cdb_len;
	t->lu.dir = len > 0 ? dir : LU_DIR_NONE;
	t->lu.data_len = len;
	t->lu.data = len > 0 ? t->data : NULL;
	if (data != NULL && dir == LU_DIR_OUT)
		memcpy(t->data, data, len);
	ck_assert_int_eq(ptask_submit(t), 0);
}

uint8_t
rc_wait(struct rclient *c)
{
	struct lu_task *t = &c->t.lu;

	ptask_wait(&c->t);
	memset(&c->sense, 0, sizeof(c->sense));
	if (t->status == RC_CHECK && t->sense_len > 0)
		ck_assert_int_eq(sense_parse(t->sense, t->sense_len, &c->sense), 0);
	return t->status;
}

uint8_t
rc_cmd(struct rclient *c, const uint8_t *cdb, uint16_t cdb_len, enum lu_dir dir, void *data,
    uint32_t len)
{
	rc_send(c, cdb, cdb_len, dir, data, len);
	(void)rc_wait(c);
	if (dir == LU_DIR_IN && data != NULL)
		memcpy(data, c->t.data, c->t.lu.moved);
	return c->t.lu.status;
}

uint16_t
rc_example(const struct op_info *op, uint8_t *cdb)
{
	memset(cdb, 0, OP_CDB_MAX);
	cdb[0] = op->opcode;
	if (op->sa_place == OP_SA_BYTE1)
		cdb[1] = (uint8_t)op->sa;
	if (op->sa_place == OP_SA_BYTES8) {
		be16_put(cdb + 8, op->sa);
		cdb[7] = 24;
	}
	return op->cdb_len;
}

uint8_t
rc_op(struct rclient *c, enum op_id id)
{
	uint8_t cdb[OP_CDB_MAX];
	uint16_t len = rc_example(op_get(id), cdb);

	return rc_cmd(c, cdb, len, LU_DIR_NONE, NULL, 0);
}

void
rc_out_send(struct rclient *c, enum pr_action action, uint8_t type, uint64_t key,
    uint64_t sa_key, uint8_t flags)
{
	uint8_t cdb[10] = { 0x5f, (uint8_t)action, type, [8] = PR_LIST_LEN };
	uint8_t list[PR_LIST_LEN] = { [20] = flags };

	be64_put(list, key);
	be64_put(list + 8, sa_key);
	rc_send(c, cdb, sizeof(cdb), LU_DIR_OUT, list, sizeof(list));
}

uint8_t
rc_out(struct rclient *c, enum pr_action action, uint8_t type, uint64_t key, uint64_t sa_key,
    uint8_t flags)
{
	rc_out_send(c, action, type, key, sa_key, flags);
	return rc_wait(c);
}

int
rc_in(struct rclient *c, uint8_t action, uint16_t alloc_len)
{
	uint8_t cdb[10] = { 0x5e, action };

	be16_put(cdb + 7, alloc_len);
	rc_send(c, cdb, sizeof(cdb), LU_DIR_IN, NULL, alloc_len);
	return rc_wait(c) == RC_GOOD ? (int)c->t.lu.moved : -1;
}

void
rc_told(struct rclient *c, uint16_t asc)
{
	uint8_t status = rc_op(c, OP_TEST_UNIT_READY);

	if (asc == 0) {
		ck_assert_msg(status == RC_GOOD, "status %02x, sense %02x %04x", status,
		    c->sense.key, c->sense.asc);
		return;
	}
	ck_assert_uint_eq(status, RC_CHECK);
	ck_assert_uint_eq(c->sense.key, SENSE_UNIT_ATTENTION);
	ck_assert_msg(c->sense.asc == asc, "%04x, not %04x", c->sense.asc, asc);
}

static void
folder_empty(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		(void)unlinkat(dirfd(d), e->d_name, 0);
	(void)closedir(d);
}

void
rc_sim_with_dir(void (*fn)(void *))
{
	char dir[] = "/tmp/reserve-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(dir));
	for (uint64_t seed = 1; seed <= 5; seed++) {
		const struct sim_opts opts = { .seed = seed, .yield_per_1024 = seed == 1 ? 0 :
		    256 };

		port_defaults();
		port.state_dir = dir;
		folder_empty(dir);
		sim_run(&opts, fn, NULL);
	}
	folder_empty(dir);
	ck_assert_int_eq(rmdir(dir), 0);
}
