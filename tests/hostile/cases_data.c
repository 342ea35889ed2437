/* Data-Out: for whom, where, how much, in which order */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile/hostile.h"

#define HUGE	0xffffffffu

static uint8_t data[1u << 20];

/* WRITE(10) of 4,096 bytes that has asked for its data; false: it did not */
static bool
begin_write(struct hit *hit, const char *keys, uint32_t *ret_itt, uint32_t *ret_ttt)
{
	static const uint8_t cdb[16] = { 0x2a, [8] = 8 };

	if (!hit_login(hit, keys))
		return false;
	if (!raw_ready(&hit->raw) ||
	    !raw_cmd(&hit->raw, RAW_FINAL | RAW_SIMPLE | RAW_WRITE, cdb, 10, 4096, NULL, 0) ||
	    raw_recv(&hit->raw, RAW_WAIT_MS) != RAW_PDU || raw_op(&hit->raw) != RAW_R2T) {
		hit_saw(hit, "no r2t");
		return false;
	}
	*ret_itt = hit->raw.itt;
	*ret_ttt = raw_be32(hit->raw.bhs + 20);
	return true;
}

/* data for nobody; a: task tag, b: transfer tag */
static void
run_nobody(struct hit *hit, const struct hostile_case *c)
{
	if (!hit_login(hit, ""))
		return;
	(void)raw_data_out(&hit->raw, RAW_FINAL, c->a, c->b, 0, 0, data, 512);
	hit_alive(hit);
}

/* a bytes at offset b for an R2T of 4,096 at 0 */
static void
run_place(struct hit *hit, const struct hostile_case *c)
{
	uint32_t itt, ttt;

	if (!begin_write(hit, c->text, &itt, &ttt))
		return;
	(void)raw_data_out(&hit->raw, RAW_FINAL, itt, ttt, 0, c->b, data, c->a);
	while (hit_answer(hit, itt) && raw_op(&hit->raw) == RAW_REJECT)
		;
	hit_alive(hit);
}

/* DataSN off by a */
static void
run_data_sn(struct hit *hit, const struct hostile_case *c)
{
	uint32_t itt, ttt;

	if (!begin_write(hit, "", &itt, &ttt))
		return;
	(void)raw_data_out(&hit->raw, RAW_FINAL, itt, ttt, c->a, 0, data, 4096);
	while (hit_answer(hit, itt) && raw_op(&hit->raw) == RAW_REJECT)
		;
	hit_alive(hit);
}

/* the transfer tag is off by one; the right data comes behind it */
static void
run_wrong_tag(struct hit *hit, const struct hostile_case *c UNUSED)
{
	uint32_t itt, ttt;

	if (!begin_write(hit, "", &itt, &ttt))
		return;
	(void)raw_data_out(&hit->raw, RAW_FINAL, itt, ttt + 1, 0, 0, data, 4096);
	if (!hit_answer(hit, itt))
		return;
	(void)raw_data_out(&hit->raw, RAW_FINAL, itt, ttt, 0, 0, data, 4096);
	if (hit_answer(hit, itt))
		hit_alive(hit);
}

/* everything twice */
static void
run_twice(struct hit *hit, const struct hostile_case *c UNUSED)
{
	uint32_t itt, ttt;

	if (!begin_write(hit, "", &itt, &ttt))
		return;
	(void)raw_data_out(&hit->raw, RAW_FINAL, itt, ttt, 0, 0, data, 4096);
	(void)raw_data_out(&hit->raw, RAW_FINAL, itt, ttt, 0, 0, data, 4096);
	if (hit_answer(hit, itt))
		hit_alive(hit);
}

/* 3 pieces, the second one again in place of the third */
static void
run_piece_twice(struct hit *hit, const struct hostile_case *c)
{
	uint32_t itt, ttt;

	if (!begin_write(hit, c->text, &itt, &ttt))
		return;
	(void)raw_data_out(&hit->raw, 0, itt, ttt, 0, 0, data, 1024);
	(void)raw_data_out(&hit->raw, 0, itt, ttt, 1, 1024, data, 1024);
	(void)raw_data_out(&hit->raw, RAW_FINAL, itt, ttt, 2, 1024, data, 2048);
	while (hit_answer(hit, itt) && raw_op(&hit->raw) == RAW_REJECT)
		;
	hit_alive(hit);
}

/* data for a read */
static void
run_read(struct hit *hit, const struct hostile_case *c UNUSED)
{
	static const uint8_t cdb[16] = { 0x28, [8] = 8 };
	uint32_t itt;

	if (!hit_login(hit, "") || !raw_ready(&hit->raw))
		return;
	(void)raw_cmd(&hit->raw, RAW_FINAL | RAW_SIMPLE | RAW_READ, cdb, 10, 4096, NULL, 0);
	itt = hit->raw.itt;
	(void)raw_data_out(&hit->raw, RAW_FINAL, itt, RAW_NO_TAG, 0, 0, data, 512);
	if (!hit_answer(hit, itt) || !hit_answer(hit, itt))
		return;
	hit_alive(hit);
}

/* unsolicited data: FirstBurstLength is 4,096, a bytes come */
static void
run_unsolicited(struct hit *hit, const struct hostile_case *c)
{
	static const uint8_t cdb[16] = { 0x2a, [8] = 64 };
	uint32_t itt;

	if (!hit_login(hit, "InitialR2T=No\nFirstBurstLength=4096\n") || !raw_ready(&hit->raw))
		return;
	(void)raw_cmd(&hit->raw, RAW_SIMPLE | RAW_WRITE, cdb, 10, 32768, NULL, 0);
	itt = hit->raw.itt;
	(void)raw_data_out(&hit->raw, (uint8_t)c->b, itt, RAW_NO_TAG, 0, 0, data, c->a);
	if (c->b == 0) /* the end of the sequence, a moment too late */
		(void)raw_data_out(&hit->raw, RAW_FINAL, itt, RAW_NO_TAG, 1, c->a, data, 0);
	while (hit_answer(hit, itt) && raw_op(&hit->raw) == RAW_REJECT)
		;
	hit_alive(hit);
}

/* it asks for data and nobody sends any; a: aborted by ABORT TASK, else the connection goes */
static void
run_abandon(struct hit *hit, const struct hostile_case *c)
{
	uint8_t bhs[RAW_BHS];
	uint32_t itt, ttt;

	if (!begin_write(hit, "", &itt, &ttt))
		return;
	if (c->a == 0) {
		(void)raw_data_out(&hit->raw, 0, itt, ttt, 0, 0, data, 1024);
		raw_abort(&hit->raw);
		hit_saw(hit, "left");
		return;
	}
	raw_head(&hit->raw, bhs, RAW_TMF | RAW_IMMEDIATE, RAW_FINAL | 1);
	raw_put32(bhs + 20, itt);
	raw_put32(bhs + 32, hit->raw.cmd_sn - 1);
	(void)raw_pdu(&hit->raw, bhs, NULL, 0);
	if (!hit_answer(hit, hit->raw.itt))
		return;
	(void)raw_data_out(&hit->raw, RAW_FINAL, itt, ttt, 0, 0, data, 4096);
	hit_alive(hit);
}

/* so many writes that none of them gets its data: a of them, then the end. A ping comes back
 * behind what is asked for at once */
static void
run_hoard(struct hit *hit, const struct hostile_case *c)
{
	static const uint8_t cdb[16] = { 0x2a, [7] = 0x10 }; /* 2 MiB */
	uint32_t r2ts = 0, itt;
	uint8_t bhs[RAW_BHS];

	if (!hit_login(hit, "") || !raw_ready(&hit->raw))
		return;
	for (uint32_t i = 0; i < c->a && (int32_t)(hit->raw.max_cmd_sn - hit->raw.cmd_sn) >= 0; i++)
		(void)raw_cmd(&hit->raw, RAW_FINAL | RAW_SIMPLE | RAW_WRITE, cdb, 10, 2u << 20,
		    NULL, 0);
	raw_head(&hit->raw, bhs, RAW_NOP_OUT | RAW_IMMEDIATE, RAW_FINAL);
	raw_put32(bhs + 20, RAW_NO_TAG);
	itt = hit->raw.itt;
	(void)raw_pdu(&hit->raw, bhs, NULL, 0);
	while (raw_recv(&hit->raw, RAW_WAIT_MS) == RAW_PDU && raw_tag(&hit->raw) != itt)
		r2ts += raw_op(&hit->raw) == RAW_R2T;
	hit_saw(hit, r2ts > 0 ? "asked" : "nothing");
	hit_alive(hit);
}

#define NOBODY	"11.7, 11.17.1: invalid field, or protocol error"
#define WRONG	"reject 04 alive|reject 09 alive"
#define PLACE	"11.7: inside of what the R2T asked for; 11.4.7.2"
#define ENDED	"reject 0? check b/* alive|check b/* alive|check 5/* alive|reject 04 closed|closed"

const struct hostile_case cases_data[] = {
	{ "Data-Out for no task", WRONG, NOBODY, run_nobody, NULL, 0x4444, 1 },
	{ "Data-Out for no task, no transfer tag", WRONG "|alive", NOBODY, run_nobody, NULL, 0x4444,
	    RAW_NO_TAG },
	{ "Data-Out without task tag", WRONG, NOBODY, run_nobody, NULL, RAW_NO_TAG, 1 },
	{ "Data-Out with a wrong transfer tag", "reject 09 good alive|reject 04 good alive", NOBODY,
	    run_wrong_tag, NULL, 0, 0 },
	{ "Data-Out for a read", "reject 0? good alive|good reject 0? alive", NOBODY, run_read,
	    NULL, 0, 0 },
	{ "Data-Out longer than its R2T", ENDED, PLACE, run_place, "", 8192, 0 },
	{ "Data-Out much longer than its R2T", ENDED, PLACE, run_place, "", 262144, 0 },
	{ "Data-Out of 1 MiB", ENDED, PLACE, run_place, "", 1u << 20, 0 },
	{ "Data-Out behind its R2T", ENDED, PLACE, run_place, "", 512, 4096 },
	{ "Data-Out across the end of its R2T", ENDED, PLACE, run_place, "", 4096, 2048 },
	{ "Data-Out at offset 2^32-512", ENDED, PLACE, run_place, "", 512, 0xfffffe00 },
	{ "Data-Out at offset 2^32-512, any order", ENDED, PLACE, run_place, "DataPDUInOrder=No\n",
	    512, 0xfffffe00 },
	{ "Data-Out that leaves a gap", ENDED, "11.7.4, 13.18", run_place, "", 2048, 2048 },
	{ "Data-Out that leaves a gap, any order", ENDED, "11.7.4, 13.18", run_place,
	    "DataPDUInOrder=No\n", 2048, 2048 },
	{ "Data-Out with less than asked for", ENDED, "11.7.1: F ends the sequence", run_place, "",
	    1024, 0 },
	{ "Data-Out of nothing", ENDED, "11.7.1", run_place, "", 0, 0 },
	{ "Data-Out with DataSN 1 first", ENDED, "11.7.5, 4.2.2.3", run_data_sn, NULL, 1, 0 },
	{ "Data-Out with DataSN 2^32-1", ENDED, "11.7.5, 4.2.2.3", run_data_sn, NULL, HUGE, 0 },
	{ "Data-Out twice", "good alive|good reject 0? alive|reject 0? good alive|"
	    "reject 0? alive good", NOBODY, run_twice, NULL, 0, 0 },
	{ "a piece twice", ENDED, "11.7.4", run_piece_twice, "", 0, 0 },
	{ "a piece twice, any order", ENDED, "11.7.4", run_piece_twice, "DataPDUInOrder=No\n", 0,
	    0 },
	{ "unsolicited data above FirstBurstLength", ENDED, "13.14", run_unsolicited, NULL, 8192,
	    RAW_FINAL },
	{ "unsolicited data without end",
	    ENDED "|reject 0? reject 0? check b/* alive", "13.14", run_unsolicited, NULL, 65536, 0 },
	{ "data of a task that was aborted", "tmf 0 alive", "4.2.3.3: discarded", run_abandon, NULL,
	    1, 0 },
	{ "half of a write, then a reset", "left", "7.5", run_abandon, NULL, 0, 0 },
	{ "128 writes of 2 MiB without data", "asked alive", "4.2.2.1: window, memory", run_hoard,
	    NULL, 128, 0 },
	{ NULL, NULL, NULL, NULL, NULL, 0, 0 },
};
