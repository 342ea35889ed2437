/*
 * iscsi_refused - a function for all tasks, where one of them is stuck
 *
 * usage: iscsi_refused URL          iscsi://ADDRESS:PORT/NAME/LUN
 *
 * Fault rules of the unit let reads of block 0 get stuck until it is reset, and reads of others get
 * lost. ABORT TASK SET and CLEAR TASK SET are refused then: the lost ones, and a write whose data
 * is not there yet, are answered BUSY, because nobody has told their initiator that they ended.
 * The stuck one ends with LOGICAL UNIT RESET, before that is answered. Exit status 0: it is so.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "hostile/target.h"

#define LOST	6u
#define BUSY	0x08

enum { ABORT_TASK_SET = 2, CLEAR_TASK_SET = 4, LU_RESET = 5, COMPLETE = 0, REFUSED = 255 };

static struct raw raw;

static bool
say_wrong(const char *what, uint32_t itt)
{
	(void)fprintf(stderr, "%s (task %u): PDU %02x, %02x %02x\n", what, itt, raw.bhs[0],
	    raw.bhs[2], raw.bhs[3]);
	return false;
}

static bool
send_io(uint8_t op, uint8_t block)
{
	const uint8_t cdb[10] = { op, [5] = block, [8] = 1 };

	return raw_cmd(&raw, (uint8_t)(RAW_FINAL | RAW_SIMPLE |
	    (op == 0x28 ? RAW_READ : RAW_WRITE)), cdb, sizeof(cdb), 512, NULL, 0);
}

static bool
send_function(uint8_t function)
{
	uint8_t bhs[RAW_BHS];

	raw_head(&raw, bhs, RAW_TMF, (uint8_t)(RAW_FINAL | function));
	raw_put32(bhs + 20, RAW_NO_TAG);
	return raw_pdu(&raw, bhs, NULL, 0);
}

/* each of the tasks behind @stuck is BUSY, and the function refused */
static bool
hear_refusal(uint32_t stuck, uint32_t itt)
{
	unsigned int busy = 0;

	while (raw_recv(&raw, RAW_WAIT_MS) == RAW_PDU) {
		uint32_t tag = raw_tag(&raw);

		if (raw_op(&raw) == RAW_R2T || (raw_op(&raw) == RAW_NOP_IN && tag == RAW_NO_TAG))
			continue;
		if (raw_op(&raw) == RAW_TMF_RSP && tag == itt)
			return raw.bhs[2] == REFUSED && busy == LOST + 1 ? true :
			    say_wrong("it is not refused, or tasks are missing", busy);
		if (raw_op(&raw) != RAW_RSP || tag <= stuck || tag >= itt || raw.bhs[3] != BUSY)
			return say_wrong("no answer that was expected", tag);
		busy++;
	}
	return say_wrong("nothing comes any more", busy);
}

static bool
hear_reset(uint32_t stuck, uint32_t itt)
{
	while (raw_recv(&raw, RAW_WAIT_MS) == RAW_PDU) {
		uint32_t tag = raw_tag(&raw);

		if ((raw_op(&raw) == RAW_NOP_IN && tag == RAW_NO_TAG) ||
		    (raw_op(&raw) == RAW_RSP && tag == stuck && raw.bhs[3] == BUSY))
			continue;
		return (raw_op(&raw) == RAW_TMF_RSP && tag == itt && raw.bhs[2] == COMPLETE) ||
		    say_wrong("no reset", tag);
	}
	return say_wrong("nothing comes any more", itt);
}

static bool
is_refused_well(uint8_t function)
{
	uint32_t stuck;

	if (!raw_ready(&raw) || !send_io(0x28, 0))
		return say_wrong("the unit is not ready", 0);
	stuck = raw.itt;
	for (uint8_t i = 1; i <= LOST; i++)
		if (!send_io(0x28, i))
			return false;
	if (!send_io(0x2a, LOST + 1) || !send_function(function) || !hear_refusal(stuck, raw.itt))
		return false;
	return send_function(LU_RESET) && hear_reset(stuck, raw.itt) && raw_ready(&raw);
}

int
main(int argc, char **argv)
{
	struct target_run at;

	(void)signal(SIGPIPE, SIG_IGN);
	if (argc != 2 || !target_at(&at, argv[1])) {
		(void)fprintf(stderr, "usage: iscsi_refused URL\n");
		return 2;
	}
	raw_init(&raw, &at.where, 1);
	if (raw_login(&raw, "InitialR2T=Yes\nImmediateData=No\n") != 0)
		return 1;
	for (int i = 0; i < 10; i++)
		if (!is_refused_well(ABORT_TASK_SET) || !is_refused_well(CLEAR_TASK_SET))
			return 1;
	raw_close(&raw);
	return 0;
}
