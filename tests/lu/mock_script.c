#include "mock_script.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "scsi/cdb.h"

struct script script;
struct lu *script_unit;

static bool
answer_attention(struct scsi_pkt *pkt)
{
	const struct op_info *op = op_find(pkt->pkt_cdbp, pkt->pkt_cdblen);
	uint16_t asc = script.ua;

	if (asc == 0 || (op != NULL && (op->flags & OP_F_UA_EXEMPT) != 0))
		return false;
	script.ua = 0;
	port_refuse(pkt, SENSE_UNIT_ATTENTION, asc);
	return true;
}

static bool
answer_ended(struct scsi_pkt *pkt)
{
	if (script.n_ended == 0)
		return false;
	script.n_ended--;
	pkt->pkt_reason = CMD_RESET;
	pkt->pkt_state = STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD;
	pkt->pkt_statistics = STAT_DEV_RESET;
	return true;
}

static void
answer_modes(struct scsi_pkt *pkt)
{
	uint8_t data[16] = { 15, 0, (uint8_t)(script.is_protected ? 0x80 : 0), 0, 0x0a, 10,
		(uint8_t)(script.tst << 5 | (script.is_descriptor ? 4 : 0)),
		(uint8_t)(script.qerr << 1), (uint8_t)(script.interlock << 4),
		(uint8_t)(script.has_tas ? 0x40 : 0) };

	script.n_modes++;
	if (answer_ended(pkt))
		return;
	port_answer(pkt, data, sizeof(data));
}

static void
answer_capacity(struct scsi_pkt *pkt)
{
	uint8_t data[8];

	script.n_capacity++;
	if (answer_ended(pkt))
		return;
	if (script.is_absent || script.not_ready != 0) {
		port_refuse(pkt, SENSE_NOT_READY, script.is_absent ? ASC_MEDIUM_NOT_PRESENT :
		    script.not_ready);
		return;
	}
	be32_put(data, script.last_lba);
	be32_put(data + 4, script.block_bytes == 0 ? 512 : script.block_bytes);
	port_answer(pkt, data, sizeof(data));
}

static bool
script_answer(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	if (ap->a_target != 0 || ap->a_lun != 0)
		return false;
	if (answer_attention(pkt))
		return true;
	switch (pkt->pkt_cdbp[0]) {
	case 0x1a:
		answer_modes(pkt);
		return true;
	case 0x25:
		answer_capacity(pkt);
		return true;
	case 0x1e:
		if (script.n_prevent < (int)sizeof(script.prevent))
			script.prevent[script.n_prevent++] = pkt->pkt_cdbp[4];
		if (script.is_prevented_slow)
			return false;
		port_answer(pkt, NULL, 0);
		return true;
	case 0x15:
		if (script.is_rounded)
			port_refuse(pkt, SENSE_RECOVERED_ERROR, ASC_ROUNDED_PARAMETER);
		else
			port_answer(pkt, NULL, 0);
		return true;
	case 0x00:
	case 0x1b:
	case 0x04:
	case 0x3b:
	case 0x4c:
	case 0xa4:
		port_answer(pkt, NULL, 0);
		return true;
	default:
		return false;
	}
}

void
script_begin(enum port_how how)
{
	if (script.last_lba == 0)
		script.last_lba = 999;
	port.answer = script_answer;
	port.how = how;
	port_begin();
	script_unit = port_unit("disk@0,0");
}

void
script_end(void)
{
	lu_unref(script_unit);
	port_end();
	memset(&script, 0, sizeof(script));
}

void
script_read(struct ptask *t, struct rclient *c, uint8_t lba, enum lu_attr attr)
{
	ptask_init(t, &c->nexus);
	ptask_read(t, 1, 512);
	t->lu.cdb[5] = lba;
	t->lu.attr = attr;
	t->lu.has_tag = true;
	t->lu.tag = lba;
	ck_assert_int_eq(ptask_submit(t), 0);
}

const char *
script_pending(void)
{
	static char text[4 * PORT_PENDING];
	size_t at = 0;

	sim_settle();
	text[0] = '\0';
	mutex_enter(&port.lock);
	for (int i = 0; i < port.n_pending; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%u ",
		    port.pending[i]->pkt_cdbp[5]);
	mutex_exit(&port.lock);
	return text;
}

void
script_complete(uint8_t lba)
{
	struct scsi_pkt *pkt = NULL;
	int at = 0;

	mutex_enter(&port.lock);
	while (at < port.n_pending && port.pending[at]->pkt_cdbp[5] != lba)
		at++;
	ck_assert_int_lt(at, port.n_pending);
	pkt = port.pending[at];
	for (port.n_pending--; at < port.n_pending; at++)
		port.pending[at] = port.pending[at + 1];
	mutex_exit(&port.lock);
	scsi_hba_pkt_comp(pkt);
	sim_settle();
}

static void
tm_done(struct lu_tmf *lu)
{
	struct stm *tm = container_of(lu, struct stm, lu);

	tm->n_done++;
	tm->order = ++port_done_order;
}

static void
tm_visit(void *arg)
{
	struct stm *tm = arg;

	lu_tm(&tm->lu, &tm->c->nexus, tm->function, tm->tag, tm_done);
}

void
script_tm_send(struct stm *tm, struct rclient *c, enum lu_tm function, uint64_t tag)
{
	*tm = (struct stm){ .c = c, .function = function, .tag = tag };
	port_at_home(tm_visit, tm);
}

void
script_tm_wait(struct stm *tm)
{
	for (int i = 0; i < 1000 && tm->n_done == 0; i++)
		sim_advance_us(1000);
	ck_assert_int_eq(tm->n_done, 1);
}

enum lu_tmf_result
script_tm(struct stm *tm, struct rclient *c, enum lu_tm function, uint64_t tag)
{
	script_tm_send(tm, c, function, tag);
	script_tm_wait(tm);
	return tm->lu.result;
}
